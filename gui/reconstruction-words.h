/* reconstruction-words.h: what is said of a reconstruction. Pure; strings are the caller's. Thread: main. */
#pragma once

#include "engine/store/generations.h"
#include "gui/experiment.h"

/* `told`: of the last generation up to this one that has a resolution, since not every one has; NULL: none has. "generation 37, stage 4, 4 min ago · half sets to 31.2 Å (29.8–33.0) · PRTF to 28.1 Å · 2,850 patterns, 150 held back · 10,860
 * orientations". What cannot be told is left out. */
char *flg_generation_words (const FlGenerationRow *row, const FlGenerationRow *told, guint64 now);
/* What is to be done, or waited for, that there is a generation to see. */
char *flg_reconstruction_missing (FlgExperiment *experiment, gint64 dataset);
/* Of a job that has ended without a result: " · failed: reason"; "" of others. */
char *flg_reconstruction_end_words (const FlJob *job);
