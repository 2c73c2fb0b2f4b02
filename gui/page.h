/* page.h: what every page has in common: the context, a line for errors, and what the window asks of it.
 *
 * A page is a vertical box; its template's children come below the banner. Pages do not know each other: they ask the
 * window through actions (win.show-job, win.show-shot, …). Thread: main. */
#pragma once

#include "gui/conflict.h"
#include "gui/context.h"
#include "widgets/banner.h"
#include "widgets/empty-state.h"

#define FLG_TYPE_PAGE (flg_page_get_type ())
G_DECLARE_DERIVABLE_TYPE (FlgPage, flg_page, FLG, PAGE, GtkBox)

struct _FlgPageClass
{
  GtkBoxClass parent_class;
  /* The experiment changed (`what` as in FlgExperiment::changed); all bits when the page is shown for the first time. */
  void (*update) (FlgPage *self, guint what);
  /* Nothing is asked for and nothing is left to draw. */
  gboolean (*is_settled) (FlgPage *self);
  /* '/' was pressed. */
  void (*begin_filter) (FlgPage *self);
  /* [ and ] were pressed: the previous (−1) or next (1) of what the page lists. */
  void (*step) (FlgPage *self, int by);
  /* What has the page's main keys. */
  void (*focus) (FlgPage *self);
};

FlgContext *flg_page_context (FlgPage *self);
FlgExperiment *flg_page_experiment (FlgPage *self);
gboolean flg_page_is_settled (FlgPage *self);
void flg_page_begin_filter (FlgPage *self);
void flg_page_step (FlgPage *self, int by);
void flg_page_focus (FlgPage *self);
FlwBanner *flg_page_banner (FlgPage *self);
/* Says on the page what went wrong; takes nothing. Cancellation is not news. */
void flg_page_report (FlgPage *self, const GError *error);
/* The same of what was only to be read (flg_store_thread_is_told). */
void flg_page_report_read (FlgPage *self, const GError *error);
/* What stands in place of shots: `title` and `text` while there are none. `counted`: there are some, which are still to be read. */
void flg_page_say_none (FlgPage *self, FlwEmptyState *state, const char *icon, gboolean counted,
                        const char *title, const char *text);
/* A write whose only answer is an error, shown on the page. */
void flg_page_write (FlgPage *self, FlgStoreFunc func, gpointer data, GDestroyNotify free_data);
/* The same of a save that may meet somebody else's (taken). `done` may be NULL. */
void flg_page_save (FlgPage *self, FlgSave *save, FlgSaveDone done, gpointer data);
