/* dials.h: DIALS' pairs of files: models of experiments (.expt, JSON) and a reflection table (.refl, refl-table.h).
 *
 * An experiment is one lattice of one image; images are told apart by file and frame. dxtbx' laboratory has z from the
 * sample towards the source and y up; ours is that turned by half a turn about y: (x, y, z) → (−x, y, −z). A beam that is
 * not along z is turned onto it on reading, lattice and detector with it.
 * Written: shots with lattices, their integrated reflections (intensity.sum, flag integrated_sum), one detector for all: a
 * lattice's own detector shift is not in it. DIALS knows no partiality of stills as we do; the column is 1. Strong spots are
 * not written. Read: rows with the flag "strong" as spots, indexed rows as reflections, not integrated ones with σ = −1.
 * Thread: one. */
#pragma once

#include "engine/results/pattern.h"

typedef struct FlDialsWriter FlDialsWriter;

/* `path` ends in .expt; the table goes beside it, as .refl. `panels` (FlPanelPlace) is kept. Files appear on closing. */
FlDialsWriter *fl_dials_writer_open (const char *path, GArray *panels, GError **error);
void fl_dials_writer_add (FlDialsWriter *writer, const FlPattern *pattern);
/* Frees it; FALSE when something could not be written, or `keep` is FALSE. */
gboolean fl_dials_writer_close (FlDialsWriter *writer, gboolean keep, GError **error);

/* The path with .refl instead of .expt. */
char *fl_dials_refl_path (const char *expt);

typedef struct
{
  GPtrArray *patterns; /* of FlPattern, in the order of the experiments */
  GArray *panels;      /* of FlPanelPlace */
  guint damaged;       /* rows, and experiments, that were left out */
} FlDialsFile;

/* `refl` may be NULL: models alone. FL_ERROR_UNSUPPORTED for rotation data. */
FlDialsFile *fl_dials_read (const char *expt, const char *refl, GError **error);
void fl_dials_file_free (FlDialsFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlDialsFile, fl_dials_file_free)
