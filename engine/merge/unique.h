/* unique.h: the list of all reflections, unique under the Laue group, between two resolutions. Immutable once made. */
#pragma once

#include "engine/crystal/cell.h"
#include "engine/crystal/symmetry.h"

typedef struct
{
  FlMiller hkl; /* fl_symmetry_classify()'s representative */
  float d;      /* Å */
  guint16 epsilon;
  guint8 centric;
} FlUnique;

typedef struct FlUniqueList FlUniqueList;

/* Sorted by representative (h, k, l); systematic absences are left out. d_max 0: no limit. FL_ERROR_INPUT when there would be more
 * than 2³⁰ indices. */
FlUniqueList *fl_unique_list_new (const FlCell *cell, const FlSymmetry *symmetry, double d_min, double d_max,
                                  GError **error);
void fl_unique_list_free (FlUniqueList *list);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlUniqueList, fl_unique_list_free)

guint fl_unique_list_n (const FlUniqueList *list);
const FlUnique *fl_unique_list_at (const FlUniqueList *list, guint number);
const FlCell *fl_unique_list_cell (const FlUniqueList *list);
/* Number of the reflection to which h k l belongs, FL_UNIQUE_NONE (merge.h) when there is none. `minus` (may be NULL): it is a
 * Friedel mate of the representative. Constant time (a table look-up). */
guint32 fl_unique_list_find (const FlUniqueList *list, FlMiller hkl, gboolean *minus);
