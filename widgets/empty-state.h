/* empty-state.h: what a page shows when it has nothing: an icon, what is missing, what to do. Thread: main. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define FLW_TYPE_EMPTY_STATE (flw_empty_state_get_type ())
G_DECLARE_FINAL_TYPE (FlwEmptyState, flw_empty_state, FLW, EMPTY_STATE, GtkWidget)

GtkWidget *flw_empty_state_new (const char *icon_name, const char *title, const char *description);
void flw_empty_state_set (FlwEmptyState *state, const char *icon_name, const char *title,
                          const char *description);
/* A button that activates the action ("win.add-run"); label NULL takes it away. */
void flw_empty_state_set_action (FlwEmptyState *state, const char *label, const char *action_name);

G_END_DECLS
