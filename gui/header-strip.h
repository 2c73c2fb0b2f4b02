/* header-strip.h: the line above every page: is the beam hitting, do the hits index, is it new, do we keep up, what is broken, who conducts.
 *
 * Fresh, stale (old while something should be coming), lost (the store does not answer) and none are drawn apart.
 * Property "summary" (string, read-only): the same in words. Thread: main. */
#pragma once

#include "gui/finding-chip.h"

#define FLG_TYPE_HEADER_STRIP (flg_header_strip_get_type ())
G_DECLARE_FINAL_TYPE (FlgHeaderStrip, flg_header_strip, FLG, HEADER_STRIP, GtkBox)

typedef enum
{
  FLG_FRESH,
  FLG_STALE,
  FLG_LOST,
  FLG_NONE /* nothing has been processed yet */
} FlgFreshness;

/* Older than this while shots should be coming: stale. */
#define FLG_STALE_AFTER_S 30.0
/* No answer from the store for this long: lost. */
#define FLG_LOST_AFTER_S 15.0

GtkWidget *flg_header_strip_new (FlgContext *context);
/* Reads the glance and the clock again (it does so by itself once a second). */
void flg_header_strip_refresh (FlgHeaderStrip *self);
FlgFreshness flg_header_strip_freshness (FlgHeaderStrip *self);
