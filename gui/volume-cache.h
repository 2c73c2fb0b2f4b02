/* volume-cache.h: densities in files at a job's site, asked of its serve child when first wanted; the last few are kept, so that
 * stepping back is instant. Signal "changed" () whenever an answer has come. Thread: main. */
#pragma once

#include "gui/context.h"
#include "widgets/density-volume.h"

#define FLG_TYPE_VOLUME_CACHE (flg_volume_cache_get_type ())
G_DECLARE_FINAL_TYPE (FlgVolumeCache, flg_volume_cache, FLG, VOLUME_CACHE, GObject)

FlgVolumeCache *flg_volume_cache_new (FlgContext *context);
/* Borrowed, until the next call. NULL: it has not come, or will not; then *problem (may be NULL), one line, else NULL. `site`: where
 * the file is; `path`: absolute there; NULL: nobody knows. `unit` of its values, static; "" none. */
FlwDensityVolume *flg_volume_cache_get (FlgVolumeCache *self, gint64 site, const char *path, const char *unit,
                                        const char **problem);
/* What could not be read is asked for again when it is wanted again. */
void flg_volume_cache_forget_problems (FlgVolumeCache *self);
gboolean flg_volume_cache_is_idle (FlgVolumeCache *self);
/* No more signals; then unref. */
void flg_volume_cache_stop (FlgVolumeCache *self);
/* What a map that has come is to the density view; in any thread. */
FlwDensityVolume *flg_volume_of_map (const FlViewMap *map, const char *unit, GError **error);
