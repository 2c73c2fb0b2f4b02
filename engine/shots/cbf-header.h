/* cbf-header.h: the CIF part of a CBF file: tags, loops and where the binary sections lie (private to the room).
 * Thread: an FlCbf is immutable once parsed. */
#pragma once

#include <glib.h>

#include "engine/shots/cbf-codec.h"
#include "engine/shots/source.h"

typedef struct
{
  const guint8 *data; /* into the file's bytes, or `owned` */
  gsize length;
  FlCbfCoding coding;
  FlPixelType type;
  gsize n_elements;
  char *md5;     /* base64 of the stored bytes' MD5; NULL: none given */
  guint8 *owned; /* `data`, where it was text in the file; else NULL */
} FlCbfSection;

typedef struct
{
  GHashTable *columns; /* "category.column", lower case → GPtrArray of char * (NULL for '.' and '?') */
  GArray *sections;    /* of FlCbfSection, in the file's order */
} FlCbf;

/* `bytes` must outlive the result, and be followed by FL_CBF_PADDING readable bytes. */
FlCbf *fl_cbf_parse (const char *path, const guint8 *bytes, gsize length, GError **error);
/* The same of what need not have a binary section: a geometry. */
FlCbf *fl_cbf_parse_header (const char *path, const guint8 *bytes, gsize length, GError **error);
void fl_cbf_free (FlCbf *cbf);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlCbf, fl_cbf_free)

guint fl_cbf_n_rows (const FlCbf *cbf, const char *column);
const char *fl_cbf_text (const FlCbf *cbf, const char *column, guint row); /* NULL: none */
double fl_cbf_number (const FlCbf *cbf, const char *column, guint row, double otherwise);
/* First row from `from` in which the column has the value; -1: none. */
int fl_cbf_find (const FlCbf *cbf, const char *column, const char *value, guint from);
