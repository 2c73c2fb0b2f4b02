/* Shapes that a person draws into FlwImageView: rectangle and ellipse by a drag, polygon click by click. */
#include "widgets/image-private.h"

#include <math.h>

#include "widgets/theme.h"

#define LINE  0xffffff
#define CLOSE 9.0 /* px: a click so near to the first corner closes the polygon */
#define SLOP  3.0 /* px: less is a click, no shape */

typedef struct
{
  double x, y;
} Corner;

#define CORNER(view, i) (&g_array_index ((view)->drawn, Corner, i))

static Corner
corner_at (FlwImageView *view, double x, double y)
{
  FlwBox box = flw_image_box (view);
  return (Corner){ flw_image_from_x (view, CLAMP (x, 0, box.width)),
                   flw_image_from_y (view, CLAMP (y, 0, box.height)) };
}

static void
drop (FlwImageView *view)
{
  g_array_set_size (view->drawn, 0);
  gtk_widget_queue_draw (GTK_WIDGET (view));
}

static void
finish (FlwImageView *view, guint n)
{
  g_autoptr (GArray) drawn = view->drawn;
  view->drawn = g_array_new (FALSE, FALSE, sizeof (Corner));
  g_signal_emit_by_name (view, "drawn", (guint) view->tool, n, drawn->data);
  gtk_widget_queue_draw (GTK_WIDGET (view));
}

/* The last corner of `drawn` is where the pointer is. */
static void
close_polygon (FlwImageView *view)
{
  if (view->drawn->len >= 4)
    finish (view, view->drawn->len - 1);
  else
    drop (view);
}

static gboolean
is_at_first (FlwImageView *view, double x, double y)
{
  const Corner *first = CORNER (view, 0);
  return view->drawn->len >= 4
         && hypot (flw_image_to_x (view, first->x) - x, flw_image_to_y (view, first->y) - y) < CLOSE;
}

static void
add_corner (FlwImageView *view, double x, double y)
{
  Corner corner = corner_at (view, x, y);
  if (view->drawn->len == 0)
    g_array_append_val (view->drawn, corner);
  else if (is_at_first (view, x, y))
    {
      close_polygon (view);
      return;
    }
  else
    *CORNER (view, view->drawn->len - 1) = corner;
  g_array_append_val (view->drawn, corner);
  gtk_widget_queue_draw (GTK_WIDGET (view));
}

/* --- the pointer --- */

static void
on_begin (GtkGestureDrag *gesture, double x, double y, FlwImageView *view)
{
  GdkModifierType state = gtk_event_controller_get_current_event_state (GTK_EVENT_CONTROLLER (gesture));
  if (view->tool == FLW_DRAW_NONE || view->zoom <= 0 || (state & GDK_CONTROL_MASK) != 0)
    {
      gtk_gesture_set_state (GTK_GESTURE (gesture), GTK_EVENT_SEQUENCE_DENIED);
      return;
    }
  gtk_widget_grab_focus (GTK_WIDGET (view));
  gtk_gesture_set_state (GTK_GESTURE (gesture), GTK_EVENT_SEQUENCE_CLAIMED);
  if (view->tool == FLW_DRAW_POLYGON)
    {
      add_corner (view, x, y);
      return;
    }
  Corner corners[2] = { corner_at (view, x, y), corner_at (view, x, y) };
  g_array_set_size (view->drawn, 0);
  g_array_append_vals (view->drawn, corners, 2);
}

static void
move_last (FlwImageView *view, double x, double y)
{
  if (view->drawn->len < 2)
    return;
  *CORNER (view, view->drawn->len - 1) = corner_at (view, x, y);
  gtk_widget_queue_draw (GTK_WIDGET (view));
}

static void
on_update (GtkGestureDrag *gesture, double dx, double dy, FlwImageView *view)
{
  double x, y;
  gtk_gesture_drag_get_start_point (gesture, &x, &y);
  move_last (view, x + dx, y + dy);
}

static void
on_end (GtkGestureDrag *gesture, double dx, double dy, FlwImageView *view)
{
  if (view->tool == FLW_DRAW_POLYGON || view->drawn->len < 2)
    return;
  on_update (gesture, dx, dy, view);
  if (fabs (dx) < SLOP || fabs (dy) < SLOP)
    drop (view);
  else
    finish (view, 2);
}

static void
on_motion (GtkEventControllerMotion *motion, double x, double y, FlwImageView *view)
{
  (void) motion;
  if (view->tool == FLW_DRAW_POLYGON)
    move_last (view, x, y);
}

/* Enter closes a polygon, Backspace takes its last corner, Escape all of it. */
static gboolean
on_key (GtkEventControllerKey *controller, guint key, guint code, GdkModifierType state, FlwImageView *view)
{
  (void) controller;
  (void) code;
  (void) state;
  if (view->drawn->len == 0)
    return FALSE;
  if (key == GDK_KEY_Return || key == GDK_KEY_KP_Enter)
    close_polygon (view);
  else if (key == GDK_KEY_Escape)
    drop (view);
  else if (key == GDK_KEY_BackSpace)
    flw_image_view_take_corner_back (view);
  else
    return FALSE;
  return TRUE;
}

void
flw_image_drawing_attach (FlwImageView *view)
{
  GtkWidget *widget = GTK_WIDGET (view);
  GtkGesture *drag = gtk_gesture_drag_new ();
  GtkEventController *motion = gtk_event_controller_motion_new (), *keys = gtk_event_controller_key_new ();
  view->drawn = g_array_new (FALSE, FALSE, sizeof (Corner));
  gtk_event_controller_set_propagation_phase (GTK_EVENT_CONTROLLER (drag), GTK_PHASE_CAPTURE);
  gtk_event_controller_set_propagation_phase (keys, GTK_PHASE_CAPTURE);
  g_signal_connect (drag, "drag-begin", G_CALLBACK (on_begin), view);
  g_signal_connect (drag, "drag-update", G_CALLBACK (on_update), view);
  g_signal_connect (drag, "drag-end", G_CALLBACK (on_end), view);
  g_signal_connect (motion, "motion", G_CALLBACK (on_motion), view);
  g_signal_connect (keys, "key-pressed", G_CALLBACK (on_key), view);
  gtk_widget_add_controller (widget, GTK_EVENT_CONTROLLER (drag));
  gtk_widget_add_controller (widget, motion);
  gtk_widget_add_controller (widget, keys);
}

void
flw_image_view_set_draw_tool (FlwImageView *view, FlwDrawTool tool)
{
  if (tool == view->tool)
    return;
  view->tool = tool;
  drop (view);
  gtk_widget_set_cursor_from_name (GTK_WIDGET (view), tool == FLW_DRAW_NONE ? NULL : "crosshair");
}

gboolean
flw_image_view_drop_drawing (FlwImageView *view)
{
  gboolean some = view->drawn->len > 0;
  drop (view);
  return some;
}

gboolean
flw_image_view_take_corner_back (FlwImageView *view)
{
  if (view->drawn->len <= 2)
    return flw_image_view_drop_drawing (view);
  g_array_remove_index (view->drawn, view->drawn->len - 2);
  gtk_widget_queue_draw (GTK_WIDGET (view));
  return TRUE;
}

/* --- what is being drawn --- */

static void
trace (FlwImageView *view, cairo_t *cr)
{
  const Corner *a = CORNER (view, 0), *b = CORNER (view, 1);
  double x = flw_image_to_x (view, a->x), y = flw_image_to_y (view, a->y);
  double width = flw_image_to_x (view, b->x) - x, height = flw_image_to_y (view, b->y) - y;
  if (view->tool == FLW_DRAW_RECTANGLE)
    cairo_rectangle (cr, x, y, width, height);
  else if (view->tool == FLW_DRAW_ELLIPSE && fabs (width) >= 1 && fabs (height) >= 1)
    {
      cairo_save (cr);
      cairo_translate (cr, x + width / 2, y + height / 2);
      cairo_scale (cr, width / 2, height / 2);
      cairo_arc (cr, 0, 0, 1, 0, 2 * G_PI);
      cairo_restore (cr);
    }
  else if (view->tool == FLW_DRAW_POLYGON)
    for (guint i = 0; i < view->drawn->len; i++)
      cairo_line_to (cr, flw_image_to_x (view, CORNER (view, i)->x),
                     flw_image_to_y (view, CORNER (view, i)->y));
}

void
flw_image_draw_drawing (FlwImageView *view, GtkSnapshot *snapshot)
{
  FlwBox box = flw_image_box (view);
  graphene_rect_t rect = flw_box_rect (&box);
  if (view->drawn->len < 2)
    return;
  cairo_t *cr = gtk_snapshot_append_cairo (snapshot, &rect);
  trace (view, cr);
  cairo_set_line_width (cr, 3.5);
  flw_set_source (cr, 0x000000, 0.55);
  cairo_stroke_preserve (cr);
  cairo_set_line_width (cr, 1.5);
  flw_set_source (cr, LINE, 1);
  cairo_stroke (cr);
  for (guint i = 0; view->tool == FLW_DRAW_POLYGON && i + 1 < view->drawn->len; i++)
    {
      cairo_arc (cr, flw_image_to_x (view, CORNER (view, i)->x), flw_image_to_y (view, CORNER (view, i)->y),
                 i == 0 && view->drawn->len >= 4 ? 5 : 3, 0, 2 * G_PI);
      cairo_fill (cr);
    }
  cairo_destroy (cr);
}
