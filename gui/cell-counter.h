/* cell-counter.h: counts cells in a worker thread, one count at a time, at a bearable rate: a new question is answered at
 * once, what arrives when the worker has been idle four times as long as it has worked. Thread: main. */
#pragma once

#include "gui/lattice-feed.h"

typedef struct FlgCellCounter FlgCellCounter;

/* Takes the answer. */
typedef void (*FlgCellAnswerFunc) (FlgCellAnswer *answer, gpointer data);

FlgCellCounter *flg_cell_counter_new (FlgCellAnswerFunc func, gpointer data);
/* No more answers; frees it, when no worker has it any more. */
void flg_cell_counter_close (FlgCellCounter *counter);
/* Takes blocks and shots done again out of the news. */
void flg_cell_counter_add (FlgCellCounter *counter, FlgLatticeNews *news);
void flg_cell_counter_ask (FlgCellCounter *counter, const FlgCellQuestion *question);
gboolean flg_cell_counter_is_idle (const FlgCellCounter *counter);
