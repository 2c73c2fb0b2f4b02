/* status-chip.h: a state as shape, word and colour, legible without the colour.
 *
 * flw_status_chip_set_state() knows the words planned submitting queued running done failed cancelled
 * timed-out preempted up slow lost; any other word is shown neutrally. Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "widgets/palette.h"

G_BEGIN_DECLS

typedef enum
{
  FLW_SHAPE_RING,     /* ○ waiting */
  FLW_SHAPE_HALF,     /* ◐ on its way */
  FLW_SHAPE_TRIANGLE, /* ▶ running */
  FLW_SHAPE_DISC,     /* ● done */
  FLW_SHAPE_CROSS,    /* ✕ failed */
  FLW_SHAPE_SQUARE,   /* ■ stopped by somebody */
  FLW_SHAPE_CLOCK,    /* ◷ out of time */
  FLW_SHAPE_DASH,     /* – nothing known */
  FLW_SHAPE_PAUSE,    /* two bars: taken off, goes on later */
  FLW_SHAPE_DIAMOND,  /* ◆ waits for a person */
  FLW_SHAPE_ARROW     /* ➔ on its way there */
} FlwShape;

#define FLW_TYPE_STATUS_CHIP (flw_status_chip_get_type ())
G_DECLARE_FINAL_TYPE (FlwStatusChip, flw_status_chip, FLW, STATUS_CHIP, GtkWidget)

GtkWidget *flw_status_chip_new (void);
void flw_status_chip_set (FlwStatusChip *chip, FlwShape shape, FlwTone tone, const char *word);
/* `detail` (may be NULL) becomes the tooltip and accessible description. */
void flw_status_chip_set_state (FlwStatusChip *chip, const char *state, const char *detail);
/* Draws a shape into a square of `size` at (x, y); used by plots and legends too. */
void flw_shape_draw (cairo_t *cr, FlwShape shape, double x, double y, double size);

G_END_DECLS
