/* reconstruct-job.h: what the files of `reconstruct` share: one reconstruction from its inputs to its densities. All calls are
 * collective, but where they say that rank 0 alone makes them. */
#pragma once

#include "engine/base/journal.h"
#include "engine/base/params.h"
#include "engine/programs/device-log.h"
#include "engine/spi/alignment.h"
#include "engine/spi/fsc.h"
#include "engine/spi/reconstruction.h"

/* What phasing has made of a conformation. */
typedef struct
{
  FlVolume *half[2], *density; /* of the half sets, of all; NULL: none could be made */
  FlFsc *fsc, *intensities;    /* between half sets' densities, and their intensities; NULL: not known */
  FlFscCrossing
      resolution;         /* of fsc; s is NaN: not known; not crossed: s is where the models end, high NaN */
  GArray *prtf;           /* FlCurveRow */
  double prtf_resolution; /* Å; NaN: not known */
} FlReconstructMap;

void fl_reconstruct_map_clear (FlReconstructMap *map);

typedef struct
{
  FlParallel *parallel;
  gboolean first; /* rank 0 */
  FlParams *params;
  FlkDevice *device;
  FlDeviceLog *device_log;
  char *device_message;
  char *out, *attempt_dir;
  guint attempt;

  FlBatch *sources;         /* FlSourceRow */
  FlPatterns *patterns;     /* this rank's, in order of rows */
  guint n_patterns;         /* of all ranks */
  guint64 input_sum;        /* of all patterns and their rows, whatever the ranks */
  guint64 params_sum;       /* of what decides about the models */
  FlJournalWriter *journal; /* this rank's */

  FlReconstruction *reconstruction;
  GArray *generations; /* FlGenerationRow, of all attempts */
  gboolean phased;     /* the last of them, in this attempt */
  gboolean told;       /* … is in a journal */
  GArray *maps;        /* FlReconstructMap, one a conformation, at rank 0; NULL: not phased */
} FlReconstructJob;

/* An error of any rank becomes everybody's: the first rank's that has one. TRUE when there is none. */
gboolean fl_reconstruct_agree (FlReconstructJob *job, GError **error);

/* No generation is to come. Not collective. */
gboolean fl_reconstruct_is_last (const FlReconstructJob *job);

/* Opens the inputs, deals their patterns to the ranks by their ids, and reads this rank's. */
gboolean fl_reconstruct_read (FlReconstructJob *job, char **inputs, GError **error);

/* --- reconstruct-checkpoint.c --- */

gboolean fl_reconstruct_save (FlReconstructJob *job, GError **error);
/* FL_ERROR_INPUT: what an earlier attempt saved is of something else. Before an attempt begins. */
gboolean fl_reconstruct_may_go_on (FlReconstructJob *job, GError **error);
/* Takes it up, if there is any. FL_ERROR_INPUT: it is damaged, too. */
gboolean fl_reconstruct_go_on (FlReconstructJob *job, GError **error);

/* From what another job, of fewer patterns, has saved in its folder. It makes the way shorter: where it is gone, damaged or in
 * other terms, that is said, and one goes without: FALSE. */
gboolean fl_reconstruct_start_from (FlReconstructJob *job, const char *former);

/* --- reconstruct-hand.c: rank 0 --- */

/* Keeps the former job's densities, if it has any, as former-cK.mrc: their hands stay. NULL: there is no former job. */
void fl_reconstruct_keep_former (const FlReconstructJob *job, const char *former);
/* Mirrors the density where it is of the other hand. */
gboolean fl_reconstruct_choose_hand (const FlReconstructJob *job, guint conformation, FlVolume *density,
                                     const FlAlignmentRange *range, GError **error);

/* --- reconstruct-phase.c --- */

/* Fills job->maps: each conformation and half set from reconstruct.phase_starts random densities, which the ranks share among them. */
gboolean fl_reconstruct_phase (FlReconstructJob *job, GError **error);

/* --- reconstruct-journal.c --- */

gboolean fl_reconstruct_journal_open (FlReconstructJob *job, GError **error);
/* The last of job->generations, with its curves, coverage and occupancies; volumes first, if it was phased. */
gboolean fl_reconstruct_journal_add (FlReconstructJob *job, GError **error);
/* Rank 0: job->generations. */
FlBatch *fl_reconstruct_generations (const FlReconstructJob *job);
/* Share of the patterns of each conformation; g_free. */
double *fl_reconstruct_shares (FlReconstructJob *job);

/* --- reconstruct-outputs.c --- */

/* Rank 0. */
gboolean fl_reconstruct_write_volume (const char *path, const FlVolume *volume, const char *what,
                                      GError **error);
/* Densities, intensities, autocorrelations, orientations.h5, reconstruction.json; and the last line on standard output. */
gboolean fl_reconstruct_write (FlReconstructJob *job, GError **error);
