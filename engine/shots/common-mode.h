/* common-mode.h: the electronics' common offset of a shot, taken away (private to the room).
 *
 * A unit (an ASIC, a quarter of one, or a row or column of one) has the median of its pixels that are good, in the highest
 * gain and not above `limit` subtracted from those in the highest gain, where at least `pixels` tell it. Values are in the
 * shot's unit. A panel whose sides are whole numbers of ASICs is cut into them; any other is one. Thread: any. */
#pragma once

#include "engine/shots/calibration.h"

typedef struct
{
  FlCommonMode mode;
  guint asic_fs, asic_ss; /* px; 0: panels are one */
  float limit;
  guint pixels;
} FlCommonModeRule;

/* `bad`, `switched` (NULL: none): n_pixels, not 0 = leave out. `scratch`: n_pixels. */
void fl_common_mode (const FlDetector *detector, const FlCommonModeRule *rule, const guint8 *bad,
                     const guint8 *switched, float *values, float *scratch);

/* The ASICs of a panel: its own sides where it is no whole number of them. */
void fl_common_mode_asic (const FlCommonModeRule *rule, const FlPanel *panel, guint *fs, guint *ss);
