/* window.h: the main window: sidebar, header strip, pages made when they are first shown.
 *
 * Actions (win.): show-page (s), show-job (x), show-merging (x dataset), show-density (x dataset), show-weather (x job), show-run-images (x run), new-dataset (s expression),
 * show-shot ((xxtuu): job, attempt, shot id, source, frame), show-failed, filter, step (i), show-keys, save-picture,
 * people, undo, undo-edit (x), redo, show-site (x), show-links, link-answer (x site), link-connect (x), link-disconnect (x).
 * Thread: main. */
#pragma once

#include "gui/asker.h"
#include "gui/link-chip.h"
#include "gui/page.h"
#include "gui/people-chip.h"

#define FLG_TYPE_WINDOW (flg_window_get_type ())
G_DECLARE_FINAL_TYPE (FlgWindow, flg_window, FLG, WINDOW, GtkApplicationWindow)

/* Without a context (NULL) the window says that no experiment is open. */
FlgWindow *flg_window_new (GtkApplication *application);
/* Replaces the experiment shown; NULL: none. */
void flg_window_set_context (FlgWindow *self, FlgContext *context);
FlgContext *flg_window_context (FlgWindow *self);
/* Instead of pages: what is wrong or missing, and a button for `action` (may be NULL). */
void flg_window_show_trouble (FlgWindow *self, const char *title, const char *description, const char *label,
                              const char *action);
/* A line above all pages; `label` and `action` may be NULL. */
void flg_window_say (FlgWindow *self, FlwTone tone, const char *text, const char *label, const char *action);

/* NULL for an unknown name. Makes the page if it is not there yet. */
FlgPage *flg_window_page (FlgWindow *self, const char *name);
const char *flg_window_shown_page (FlgWindow *self);
gboolean flg_window_is_settled (FlgWindow *self);
/* Who else is here. */
FlgPeopleChip *flg_window_people (FlgWindow *self);
GtkWidget *flg_window_strip (FlgWindow *self);
/* How the logins are doing, and the questions that they ask. */
FlgLinkChip *flg_window_chip (FlgWindow *self);
FlgAsker *flg_window_asker (FlgWindow *self);
/* Draws the window as it is into a PNG. */
gboolean flg_window_save_picture (FlgWindow *self, const char *path, GError **error);
