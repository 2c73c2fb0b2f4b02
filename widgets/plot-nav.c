#include "widgets/plot-nav.h"

#include <math.h>

#define CLICK_SLOP 4 /* px that a click may wander */

typedef struct
{
  GtkWidget *widget;
  const FlwNav *nav;
  double x, y; /* pointer */
  double start_x;
  double last_x, last_y; /* of the drag */
  gboolean moved, brushing;
} State;

static void
on_motion (GtkEventControllerMotion *controller, double x, double y, State *state)
{
  (void) controller;
  state->x = x;
  state->y = y;
  state->nav->hover (state->widget, x, y);
}

static void
on_leave (GtkEventControllerMotion *controller, State *state)
{
  (void) controller;
  state->nav->hover (state->widget, NAN, NAN);
}

static gboolean
on_scroll (GtkEventControllerScroll *controller, double dx, double dy, State *state)
{
  GdkModifierType modifiers =
      gtk_event_controller_get_current_event_state (GTK_EVENT_CONTROLLER (controller));

  if (fabs (dy) >= fabs (dx))
    state->nav->wheel (state->widget, state->x, state->y, -dy, modifiers);
  else
    state->nav->pan (state->widget, -40 * dx, 0);
  return TRUE;
}

static void
on_drag_begin (GtkGestureDrag *gesture, double x, double y, State *state)
{
  GdkModifierType modifiers = gtk_event_controller_get_current_event_state (GTK_EVENT_CONTROLLER (gesture));

  gtk_widget_grab_focus (state->widget);
  state->start_x = state->last_x = x;
  state->last_y = y;
  state->moved = FALSE;
  state->brushing = state->nav->brush != NULL && (modifiers & GDK_SHIFT_MASK) != 0;
}

static void
on_drag_update (GtkGestureDrag *gesture, double dx, double dy, State *state)
{
  double x, y;

  gtk_gesture_drag_get_start_point (gesture, &x, &y);
  if (!state->moved && hypot (dx, dy) < CLICK_SLOP)
    return;
  state->moved = TRUE;
  if (state->brushing)
    state->nav->brush (state->widget, state->start_x, x + dx, FALSE);
  else
    state->nav->pan (state->widget, x + dx - state->last_x, y + dy - state->last_y);
  state->last_x = x + dx;
  state->last_y = y + dy;
}

static void
on_drag_end (GtkGestureDrag *gesture, double dx, double dy, State *state)
{
  double x, y;

  (void) dy;
  gtk_gesture_drag_get_start_point (gesture, &x, &y);
  if (!state->moved)
    state->nav->click (state->widget, x, y);
  else if (state->brushing)
    state->nav->brush (state->widget, state->start_x, x + dx, TRUE);
}

void
flw_nav_attach (GtkWidget *widget, const FlwNav *nav)
{
  State *state = g_new0 (State, 1);
  GtkEventController *motion = gtk_event_controller_motion_new ();
  GtkEventController *scroll = gtk_event_controller_scroll_new (GTK_EVENT_CONTROLLER_SCROLL_BOTH_AXES);
  GtkGesture *drag = gtk_gesture_drag_new ();

  state->widget = widget;
  state->nav = nav;
  g_object_set_data_full (G_OBJECT (widget), "flw-nav", state, g_free); /* outlives the controllers */
  g_signal_connect (motion, "motion", G_CALLBACK (on_motion), state);
  g_signal_connect (motion, "enter", G_CALLBACK (on_motion), state);
  g_signal_connect (motion, "leave", G_CALLBACK (on_leave), state);
  g_signal_connect (scroll, "scroll", G_CALLBACK (on_scroll), state);
  g_signal_connect (drag, "drag-begin", G_CALLBACK (on_drag_begin), state);
  g_signal_connect (drag, "drag-update", G_CALLBACK (on_drag_update), state);
  g_signal_connect (drag, "drag-end", G_CALLBACK (on_drag_end), state);
  gtk_widget_add_controller (widget, scroll);
  gtk_widget_add_controller (widget, GTK_EVENT_CONTROLLER (drag));
  gtk_widget_add_controller (widget, motion);
  gtk_widget_set_focusable (widget, TRUE);
}

void
flw_nav_class_add_key (GtkWidgetClass *klass, const char *action, guint key, GdkModifierType state,
                       GtkWidgetActionActivateFunc act)
{
  if (act != NULL)
    gtk_widget_class_install_action (klass, action, NULL, act);
  gtk_widget_class_add_binding_action (klass, key, state, action, NULL);
}

void
flw_nav_class_init (GtkWidgetClass *klass, GtkWidgetActionActivateFunc act)
{
  static const struct
  {
    const char *action;
    guint key, other;
    GdkModifierType state;
  } keys[] = {
    { "plot.left", GDK_KEY_Left, GDK_KEY_KP_Left, 0 },
    { "plot.right", GDK_KEY_Right, GDK_KEY_KP_Right, 0 },
    { "plot.up", GDK_KEY_Up, GDK_KEY_KP_Up, 0 },
    { "plot.down", GDK_KEY_Down, GDK_KEY_KP_Down, 0 },
    { "plot.zoom-in", GDK_KEY_plus, GDK_KEY_KP_Add, 0 },
    { "plot.zoom-out", GDK_KEY_minus, GDK_KEY_KP_Subtract, 0 },
    { "plot.zoom-rows-in", GDK_KEY_plus, GDK_KEY_KP_Add, GDK_CONTROL_MASK },
    { "plot.zoom-rows-out", GDK_KEY_minus, GDK_KEY_KP_Subtract, GDK_CONTROL_MASK },
    { "plot.first", GDK_KEY_Home, GDK_KEY_KP_Home, 0 },
    { "plot.newest", GDK_KEY_End, GDK_KEY_KP_End, 0 },
    { "plot.fit", GDK_KEY_f, GDK_KEY_F, 0 },
    { "plot.cursor-left", GDK_KEY_Left, GDK_KEY_KP_Left, GDK_SHIFT_MASK },
    { "plot.cursor-right", GDK_KEY_Right, GDK_KEY_KP_Right, GDK_SHIFT_MASK },
    { "plot.cursor-up", GDK_KEY_Up, GDK_KEY_KP_Up, GDK_SHIFT_MASK },
    { "plot.cursor-down", GDK_KEY_Down, GDK_KEY_KP_Down, GDK_SHIFT_MASK },
    { "plot.activate", GDK_KEY_Return, GDK_KEY_KP_Enter, 0 },
    { "plot.cancel", GDK_KEY_Escape, GDK_KEY_VoidSymbol, 0 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      flw_nav_class_add_key (klass, keys[i].action, keys[i].key, keys[i].state, act);
      if (keys[i].other != GDK_KEY_VoidSymbol)
        flw_nav_class_add_key (klass, keys[i].action, keys[i].other, keys[i].state, NULL);
    }
  flw_nav_class_add_key (klass, "plot.zoom-in", GDK_KEY_equal, 0, NULL);
  flw_nav_class_add_key (klass, "plot.zoom-rows-in", GDK_KEY_equal, GDK_CONTROL_MASK, NULL);
}
