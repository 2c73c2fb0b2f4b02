/* readout.h: one big number with its title, unit and age, readable across the room.
 *
 * Its size never depends on its value, so that an update is one small repaint and never a new layout.
 * Fresh: bright. Stale (older than 30 s): dimmed, age in warning colour with a clock. Lost:
 * outlined, crossed and the word "lost". None: a dash. Property "summary". Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "widgets/palette.h"

G_BEGIN_DECLS

#define FLW_TYPE_READOUT (flw_readout_get_type ())
G_DECLARE_FINAL_TYPE (FlwReadout, flw_readout, FLW, READOUT, GtkWidget)

/* `widest`: the longest text that it will have to show ("100.0"); decides its width for ever. `unit` may be
 * NULL. */
GtkWidget *flw_readout_new (const char *title, const char *unit, const char *widest);
/* `text` NULL: none. `time`: when the value was true, µs UTC (g_get_real_time()); 0: it does not age. */
void flw_readout_set_value (FlwReadout *readout, const char *text, gint64 time);
void flw_readout_set_tone (FlwReadout *readout, FlwTone tone);
/* A small second line ("3 of 12 jobs"); NULL: the age stands alone. */
void flw_readout_set_note (FlwReadout *readout, const char *note);
/* The longest note that must fit; longer ones end in an ellipsis. Default: "stale · 59 min ago". */
void flw_readout_set_widest_note (FlwReadout *readout, const char *note);
/* The source cannot be reached: the last value stays, drawn as lost. */
void flw_readout_set_lost (FlwReadout *readout, gboolean lost);
/* "12 s", "3 min", "2 h" for an age in seconds. Free with g_free. */
char *flw_format_age (double seconds);

G_END_DECLS
