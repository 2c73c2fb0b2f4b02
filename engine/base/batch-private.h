/* batch-private.h: what a batch is, for batch.c and batch-codec.c. */
#pragma once

#include "engine/base/batch.h"

struct FlBatch
{
  const FlSchema *schema;
  guint rows;
  GArray **columns; /* one a column, of the column's type */
  GStringChunk *texts;
};

extern const gsize fl_column_sizes[]; /* bytes of a value in memory, by FlColumnType */
