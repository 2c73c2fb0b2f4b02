/* json-text.h: pieces of the JSON that programs leave beside their results. Thread: any. */
#pragma once

#include "engine/base/batch.h"
#include "engine/base/params.h"

/* "text", its bytes made valid UTF-8. */
void fl_json_text (GString *out, const char *text);
/* null for what is no number. */
void fl_json_real (GString *out, double value, int digits);
/* {"column": value, …}, named as the journal's columns are; `without`: columns to be left out, NULL-terminated, or NULL. */
void fl_json_row (GString *out, FlKind kind, const void *row, const char *const *without);
/* ,\n  "NAME": [rows], without the same columns of each. */
void fl_json_batch (GString *out, const char *name, const FlBatch *batch, const char *const *without);
/* ,\n  "parameters": {…}: those whose names begin with `prefix`. */
void fl_json_parameters (GString *out, const FlParams *params, const char *prefix);
