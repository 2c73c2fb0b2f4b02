/* mask-words.h: what rules mask, in words. Strings are the caller's (g_free). Thread: any. */
#pragma once

#include "engine/view/messages-mask.h"

/* "3.21 % masked". */
char *flg_mask_share (const FlViewMask *mask);
/* Line by line: pixels, those that the geometry takes away, what the rules began with, shots, the panels that lose most. */
char *flg_mask_numbers (const FlViewMask *mask);
/* Of a rule: "1,234 px"; "–" while it is not known. */
char *flg_mask_rule_count (const FlViewMask *mask, guint rule);
