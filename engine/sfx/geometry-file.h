/* geometry-file.h: a CrystFEL geometry file with its panels moved, and the groups of panels that it names.
 *
 * Of the text only numbers change: corner_x, corner_y, fs, ss and coffset of panels, and clen (or one coffset of all) when the
 * whole has moved along the beam. Comments, masks, groups, spaces and line ends stay byte for byte. What a panel has from a
 * default of the file gets a line of its own after the panel's last. Thread: any. */
#pragma once

#include "engine/shots/detector.h"

/* The text with the panels of `before` (as the text places them) where `after` has them; panels are found by name, those that
 * are not in `before` (no_index) stay. NULL with FL_ERROR_INPUT: no geometry, or a panel that it does not have. */
char *fl_geometry_file_move (const char *path, const char *text, const FlDetector *before,
                             const FlDetector *after, GError **error);

/* The text, to be read in another folder than `folder`: masks and saturation maps that it names by relative paths, and that are
 * there, are named by absolute ones. */
char *fl_geometry_file_anchor (const char *text, const char *folder);

typedef struct
{
  guint n;
  guint *of_panel; /* of the detector's panels: 0 … n − 1 */
  char **names;    /* n, NULL-ended */
  char *source;    /* "rigid_group_collection_quadrants", "quadrants (the geometry names no groups)" … */
} FlGeometryGroups;

/* The groups of the collection `wanted` (of rigid_group_collection_… lines, or a CrystFEL group_… line whose members they are);
 * "" or "auto": quadrants, or the collection or the set of rigid groups with the fewest groups that holds every panel once; else
 * the quadrants of the detector. FL_ERROR_INPUT: no such collection, or one that leaves panels out or has them twice. */
gboolean fl_geometry_groups_find (const char *path, const char *text, const char *wanted,
                                  const FlDetector *detector, FlGeometryGroups *groups, GError **error);
void fl_geometry_groups_clear (FlGeometryGroups *groups);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (FlGeometryGroups, fl_geometry_groups_clear)
