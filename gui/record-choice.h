/* record-choice.h: a drop-down of "all" and the named records of one table, kept as they come and go. Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "gui/record-model.h"

/* `all`: what stands for no record, translated. Only changes the list when names differ; keeps what is chosen. Hidden while
 * there is nothing to choose from (fewer than `least` records). */
void flg_record_choice_fill (GtkDropDown *choice, const char *all, FlgRecordModel *records,
                             const char *(*name) (gconstpointer record), guint least);
gint64 flg_record_choice_get (GtkDropDown *choice); /* id; 0: all */
void flg_record_choice_set (GtkDropDown *choice, gint64 id);
