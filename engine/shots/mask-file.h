/* mask-file.h: a mask as an HDF5 file that fl_source_open(), CrystFEL and NeXus programs read.
 *
 *   /entry/instrument/detector/pixel_mask   u8, 0 good, 1 bad; the shape of the data without its frame dimensions, so that
 *                                           CrystFEL takes it with `mask = /entry/instrument/detector/pixel_mask`,
 *                                           `mask_file = FILE`, `mask_good = 0`, `mask_bad = 1`. A detector whose panels
 *                                           come from several datasets: one value a pixel in the order of FlShot.pixels
 *     its attribute "rules"                 the text that it was made by (mask-rules.h), to be edited again
 *   /entry/instrument/detector/base_mask    the same shape: what the rules began with; absent: nothing
 * The same mask and text make the same bytes. Thread: as HDF5 (one lock for all). */
#pragma once

#include "engine/shots/source.h"

/* `base` may be NULL. Of n_pixels of the source's detector, 0 good. NULL with error. */
GBytes *fl_mask_file_make (FlSource *source, const guint8 *mask, const guint8 *base, const char *rules,
                           GError **error);
/* The text that a mask (FILE or FILE:/dataset) was made by; NULL: it was not made by rules, or cannot be read. *base becomes
 * what names its base mask for FlSourceOptions.mask, NULL: it has none. g_free both. */
char *fl_mask_file_rules (const char *option, char **base);
