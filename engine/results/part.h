/* part.h: what belongs to a shot beside its own row: spots, lattices, reflections. Each part is a table whose rows
 * name their shot; a shot's rows lie together, in the order in which the shots were recorded. Thread: one. */
#pragma once

#include "engine/base/batch.h"

typedef enum
{
  FL_PART_SPOTS,
  FL_PART_LATTICES,
  FL_PART_REFLECTIONS,
  FL_PART_LAST
} FlPart;

typedef struct
{
  FlKind kind;
  const char *table; /* its group in segments and in the master */
  const char *first; /* column beside the shots: a shot's first row in that table … */
  const char *count; /* … and how many rows */
} FlPartInfo;

extern const FlPartInfo fl_parts[FL_PART_LAST];

/* Shots and all that belongs to them. */
typedef struct
{
  FlBatch *shots;
  FlBatch *parts[FL_PART_LAST];
} FlShotSet;

FlShotSet *fl_shot_set_new (void);
void fl_shot_set_free (FlShotSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlShotSet, fl_shot_set_free)
void fl_shot_set_clear (FlShotSet *set);
void fl_shot_set_append_all (FlShotSet *set, const FlShotSet *from);
guint fl_shot_set_longest (const FlShotSet *set); /* rows of its longest part */

/* Rows first … first + n − 1 of a part's batch belong to `shot`; looks from row `from` on. */
void fl_part_find (const FlBatch *rows, guint64 shot, guint from, guint *first, guint *n);
/* Copies rows first … first + n − 1 to the end of `to`. */
void fl_part_copy (FlBatch *to, const FlBatch *from, guint first, guint n);
