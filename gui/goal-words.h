/* goal-words.h: an outlook as the screen says it. Strings are the caller's (g_free). Thread: main. */
#pragma once

#include "engine/control/outlook.h"
#include "widgets/status-chip.h"

/* Shape, colour and word of a verdict. */
void flg_goal_show_verdict (FlwStatusChip *chip, FlGoalVerdict verdict, const char *word);
const char *flg_goal_verdict_word (FlGoalVerdict verdict); /* translated: "enough", "keep going" … */
/* "CC½ 0.31 of 0.50 to 2.0 Å": the goal that decides; "" when nothing is merged. */
char *flg_goal_state_words (const FlOutlook *outlook);
/* "2,100 more · 25 min", "12,300 lattices": what there is, or is to come, as short as can be. */
char *flg_goal_short_words (const FlOutlook *outlook);
/* "CC½ at 2.0 Å is 0.31 of 0.50: about 2,100 more lattices (1,500–3,200) · 25 min (18–38 min) at 1.4/s; 300 of them are there,
 * but not merged yet". */
char *flg_goal_long_words (const FlOutlook *outlook);
