/* emc.h: Dragonfly's photon files (.emc; Ayyer et al., J. Appl. Cryst. 49, 1320, 2016): frames of few photons.
 *
 * All int32 in the machine's (little-endian) order: a header of 1024 bytes (frames, pixels, type 0 sparse or 1
 * dense, zeros), then sparse: ones[frames], multi[frames], place_ones[Σ ones], place_multi[Σ multi], count_multi[Σ
 * multi]; dense: counts[frames][pixels]. Frames of doubles (type 2) are not photons and are refused. Errors: one
 * line with the file's name, FL_ERROR_INPUT where it lies (size, sums and every pixel are checked). Thread: one a
 * reader or writer. */
#pragma once

#include <glib.h>

/* Photons of frames first … first + n − 1 of some file: of frame i those from start[i] to start[i + 1]. */
typedef struct
{
  guint n;
  guint64 *start; /* [n + 1] */
  guint32 *pixel; /* [start[n]], below n_pixels */
  guint32 *count; /* [start[n]], 1 or more */
} FlEmcFrames;

void fl_emc_frames_clear (FlEmcFrames *frames);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (FlEmcFrames, fl_emc_frames_clear)

typedef struct FlEmc FlEmc;

FlEmc *fl_emc_open (const char *path, GError **error);
void fl_emc_close (FlEmc *emc);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlEmc, fl_emc_close)
guint fl_emc_n_frames (const FlEmc *emc);
guint fl_emc_n_pixels (const FlEmc *emc);
/* Into `frames`, whose arrays are the caller's afterwards; untouched on errors. The range must be within the file. */
gboolean fl_emc_read (FlEmc *emc, guint first, guint n, FlEmcFrames *frames, GError **error);

typedef struct FlEmcWriter FlEmcWriter;

/* Sparse, for exactly `n_frames` frames; under PATH.inprogress until finished. Pixels with more than one photon are
 * kept in memory until then (8 bytes each). */
FlEmcWriter *fl_emc_writer_new (const char *path, guint n_frames, guint n_pixels, GError **error);
/* The next frame: `n` lit pixels, counts 1 or more. */
gboolean fl_emc_writer_append (FlEmcWriter *writer, guint n, const guint32 *pixel, const guint32 *count,
                               GError **error);
/* The writer is gone afterwards, whatever the answer. */
gboolean fl_emc_writer_finish (FlEmcWriter *writer, GError **error);
void fl_emc_writer_abandon (FlEmcWriter *writer);
