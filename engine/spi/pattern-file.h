/* pattern-file.h: our own file of sparse patterns, what `hits` leaves for `reconstruct`: one HDF5 file,
 *
 *   /detector/{s [n][3] Å⁻¹, factor [n], mask [n] (FlPatternMask), background [n] (where known: photons a pattern)}
 *   /detector/wavelength   Å
 *   /patterns/{id u64, row u32, class u8 (FlParticleClass), score f32, diameter f32 Å}   one a pattern
 *   /patterns/start u64 [patterns + 1], /photons/{pixel u32, count u32}   pattern i's are start[i] … start[i + 1] − 1
 *   attributes: format "firstlight patterns", version 1
 *
 * compressed, in order of rows. Written under PATH.inprogress and renamed when closed. Errors: one line with the file's
 * name. Thread: one (HDF5). */
#pragma once

#include "engine/base/batch.h"
#include "engine/spi/patterns.h"

#define FL_PATTERN_FILE_FORMAT "firstlight patterns"

typedef struct FlPatternWriter FlPatternWriter;

FlPatternWriter *fl_pattern_writer_new (const char *path, const FlPatternPixels *pixels, GError **error);
/* The next patterns; `rows`: what is known of each, NULL: SINGLE, nothing else. */
gboolean fl_pattern_writer_append (FlPatternWriter *writer, const FlPatterns *patterns,
                                   const FlParticleRow *rows, GError **error);
/* The writer is gone afterwards, whatever the answer. */
gboolean fl_pattern_writer_finish (FlPatternWriter *writer, GError **error);
void fl_pattern_writer_abandon (FlPatternWriter *writer);

typedef struct FlPatternFile FlPatternFile;

/* TRUE: it says that it is one of ours. Quiet. */
gboolean fl_pattern_file_is_one (const char *path);
/* Sizes, starts and mask are checked here, photons when they are read. */
FlPatternFile *fl_pattern_file_open (const char *path, GError **error);
void fl_pattern_file_close (FlPatternFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlPatternFile, fl_pattern_file_close)
guint fl_pattern_file_n (const FlPatternFile *file);
const FlPatternPixels *fl_pattern_file_pixels (const FlPatternFile *file);
const guint64 *fl_pattern_file_ids (const FlPatternFile *file);
const guint8 *fl_pattern_file_classes (const FlPatternFile *file); /* FlParticleClass */
/* Appends patterns first … first + n − 1 with rows row, row + 1 …; `patterns` has as many pixels. Those rows are not the
 * file's own, which are what they were among all shots. */
gboolean fl_pattern_file_read (FlPatternFile *file, guint first, guint n, guint32 row, FlPatterns *patterns,
                               GError **error);
