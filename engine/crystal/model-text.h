/* model-text.h: the text of a model's file, packed by gzip or not. Internal to crystal/. Thread: any. */
#pragma once

#include <glib.h>

/* With a 0 behind (g_free). NULL: it cannot be read, FL_ERROR_MISSING, or is damaged or longer than 1 GB when unpacked,
 * FL_ERROR_INPUT. */
char *fl_model_text (const char *path, GError **error);
/* The first bytes alone, as many as there are; "" where nothing can be read. */
void fl_model_text_head (const char *path, char *head, gsize size);
