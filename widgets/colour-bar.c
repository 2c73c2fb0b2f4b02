#include "widgets/colour-bar.h"

#include <glib/gi18n.h>
#include <math.h>

#include "widgets/chrome.h"
#include "widgets/theme.h"

/* The histogram is kept in bins of asinh (value / 4): fine where values are small, and it need not know the
 * range. */
#define BINS     4096
#define BIN_SPAN 32.0
#define SAMPLE                                                                                               \
  100000 /* values looked at: a histogram for the eye needs no more, and the main loop cannot wait */
#define PAD  18
#define GRAB 10 /* px around a handle */

struct _FlwColourBar
{
  GtkWidget parent_instance;
  FlwColourMap *map;
  guint32 bins[BINS];
  guint64 n;
  double domain[2]; /* shown values */
  GskRenderNode *node;
  GtkWidget *menu;
  GSimpleActionGroup *actions;
  guint active; /* handle that keys move */
  int dragged;  /* 0, 1: a handle; 2: both; −1: none */
  double drag_from[2];
};

enum
{
  PROP_SUMMARY = 1
};

G_DEFINE_FINAL_TYPE (FlwColourBar, flw_colour_bar, GTK_TYPE_WIDGET)

static double
bin_value (double bin)
{
  return 4 * sinh ((bin / BINS - 0.5) * BIN_SPAN);
}

static guint
value_bin (double value)
{
  return (guint) CLAMP ((asinh (value / 4) / BIN_SPAN + 0.5) * BINS, 0, BINS - 1);
}

/* --- places --- */

static FlwBox
box_of (FlwColourBar *bar)
{
  double width = gtk_widget_get_width (GTK_WIDGET (bar)), height = gtk_widget_get_height (GTK_WIDGET (bar));
  return (FlwBox){ PAD, 4, fmax (width - 2 * PAD, 1), fmax (height - 26, 1) };
}

static double
to_x (FlwColourBar *bar, double value)
{
  FlwBox box = box_of (bar);
  return box.x + (value - bar->domain[0]) / (bar->domain[1] - bar->domain[0]) * box.width;
}

static double
per_px (FlwColourBar *bar)
{
  return (bar->domain[1] - bar->domain[0]) / box_of (bar).width;
}

/* The middle of the values, and the range, with some air to drag into. */
static void
find_domain (FlwColourBar *bar)
{
  double lower = flw_colour_map_get_lower (bar->map), upper = flw_colour_map_get_upper (bar->map);
  guint64 seen = 0;

  if (bar->dragged >= 0) /* the ground must not move under the hand */
    return;
  for (guint b = 0; b < BINS && bar->n > 0; b++)
    {
      guint64 before = seen;
      seen += bar->bins[b];
      if (before < bar->n / 1000 + 1 && seen >= bar->n / 1000 + 1)
        lower = fmin (lower, bin_value (b));
      if (before < bar->n - bar->n / 1000 && seen >= bar->n - bar->n / 1000)
        upper = fmax (upper, bin_value (b + 1));
    }
  bar->domain[0] = lower - 0.06 * (upper - lower);
  bar->domain[1] = upper + 0.12 * (upper - lower);
}

static void
changed (FlwColourBar *bar)
{
  static const char *const names[] = { "palette", "scale" };
  const int values[] = { (int) flw_colour_map_get_palette (bar->map),
                         (int) flw_colour_map_get_scale (bar->map) };

  find_domain (bar);
  for (guint i = 0; i < 2; i++)
    {
      GAction *action = g_action_map_lookup_action (G_ACTION_MAP (bar->actions), names[i]);
      g_simple_action_set_state (G_SIMPLE_ACTION (action), g_variant_new_int32 (values[i]));
    }
  g_simple_action_set_state (
      G_SIMPLE_ACTION (g_action_map_lookup_action (G_ACTION_MAP (bar->actions), "automatic")),
      g_variant_new_boolean (flw_colour_map_get_automatic (bar->map)));
  g_clear_pointer (&bar->node, gsk_render_node_unref);
  flw_chart_summary_changed (GTK_WIDGET (bar));
  gtk_widget_queue_draw (GTK_WIDGET (bar));
}

/* --- drawing --- */

static double
counts_between (FlwColourBar *bar, double from, double to)
{
  guint first = value_bin (from), last = value_bin (to);
  double sum = 0;

  for (guint b = first; b <= last; b++)
    {
      double a = bin_value (b), z = bin_value (b + 1);
      double overlap = fmin (z, to) - fmax (a, from);
      if (overlap > 0)
        sum += bar->bins[b] * overlap / (z - a);
    }
  return sum;
}

static void
draw_histogram (FlwColourBar *bar, cairo_t *cr, const FlwBox *box)
{
  double step = per_px (bar), most = 1;
  guint width = (guint) box->width;
  g_autofree double *heights = g_new (double, width);

  for (guint x = 0; x < width; x++)
    {
      heights[x] = log1p (counts_between (bar, bar->domain[0] + x * step, bar->domain[0] + (x + 1) * step));
      most = fmax (most, heights[x]);
    }
  for (guint x = 0; x < width; x++)
    cairo_rectangle (cr, box->x + x, box->y + box->height * (1 - heights[x] / most), 1,
                     box->height * heights[x] / most);
  flw_set_source (cr, FLW_DIM, 1);
  cairo_fill (cr);
}

/* What each value shown looks like. One picture, not a rectangle a column: where a pixel of the bar is not one of
 * the screen (a scaled window, an export) the smoothed edges of neighbours would let the ground through. */
static void
draw_colours (FlwColourBar *bar, cairo_t *cr, const FlwBox *box)
{
  int width = (int) box->width;
  cairo_surface_t *surface = cairo_image_surface_create (CAIRO_FORMAT_RGB24, width, 1);
  guint32 *pixels = (guint32 *) (void *) cairo_image_surface_get_data (surface), lut[256];

  flw_palette_lut (flw_colour_map_get_palette (bar->map), lut);
  for (int x = 0; x < width; x++)
    {
      double value = bar->domain[0] + (x + 0.5) * per_px (bar);
      pixels[x] = lut[(guint) (flw_colour_map_position (bar->map, value) * 255)];
    }
  cairo_surface_mark_dirty (surface);
  cairo_save (cr);
  cairo_rectangle (cr, box->x, box->y, box->width, box->height);
  cairo_clip (cr);
  cairo_translate (cr, box->x, 0);
  cairo_set_source_surface (cr, surface, 0, 0);
  cairo_pattern_set_extend (cairo_get_source (cr), CAIRO_EXTEND_PAD); /* its one row fills the height */
  cairo_paint (cr);
  cairo_restore (cr);
  cairo_surface_destroy (surface);
}

static void
draw_handle (FlwColourBar *bar, cairo_t *cr, const FlwBox *box, guint handle, double value)
{
  double x = round (to_x (bar, value)) + 0.5, bottom = box->y + box->height;
  gboolean focused = gtk_widget_has_visible_focus (GTK_WIDGET (bar)) && bar->active == handle;
  g_autofree char *text = g_strdup_printf ("%.4g", value);
  int width;

  flw_set_source (cr, focused ? FLW_FOCUS : FLW_TEXT, 1);
  cairo_set_line_width (cr, focused ? 3 : 1.5);
  cairo_move_to (cr, x, box->y);
  cairo_line_to (cr, x, bottom);
  cairo_stroke (cr);
  cairo_move_to (cr, x - 6, box->y);
  cairo_line_to (cr, x + 6, box->y);
  cairo_line_to (cr, x, box->y + 9);
  cairo_close_path (cr);
  cairo_fill (cr);
  flw_text_size (GTK_WIDGET (bar), FLW_POINTS_SMALL, text, &width, NULL);
  flw_text_draw (GTK_WIDGET (bar), cr, FLW_POINTS_SMALL, text,
                 CLAMP (x, 2 + width / 2., gtk_widget_get_width (GTK_WIDGET (bar)) - 2 - width / 2.),
                 bottom + 2, 0.5, 0, FLW_TEXT);
}

static void
draw (GtkWidget *widget, cairo_t *cr)
{
  FlwColourBar *bar = FLW_COLOUR_BAR (widget);
  FlwBox box = box_of (bar), top = { box.x, box.y, box.width, box.height - 16 },
         strip = { box.x, top.y + top.height, box.width, 16 };
  static const char *const scales[] = { N_ ("linear"), N_ ("square root"), N_ ("log") };
  double lower = flw_colour_map_get_lower (bar->map), upper = flw_colour_map_get_upper (bar->map);

  if (bar->n > 0)
    draw_histogram (bar, cr, &top);
  draw_colours (bar, cr, &strip);
  draw_handle (bar, cr, &box, 0, lower);
  draw_handle (bar, cr, &box, 1, upper);
  if (to_x (bar, upper) - to_x (bar, lower) > 220)
    {
      g_autofree char *text =
          g_strdup_printf ("%s%s", _ (scales[flw_colour_map_get_scale (bar->map)]),
                           flw_colour_map_get_automatic (bar->map) ? _ (", automatic") : "");
      flw_text_draw (widget, cr, FLW_POINTS_SMALL, text, 0.5 * (to_x (bar, lower) + to_x (bar, upper)),
                     box.y + box.height + 2, 0.5, 0, FLW_DIM);
    }
}

static void
flw_colour_bar_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  FlwColourBar *bar = FLW_COLOUR_BAR (widget);
  FlwBox all = { 0, 0, gtk_widget_get_width (widget), gtk_widget_get_height (widget) };

  flw_fill (snapshot, 0, 0, all.width, all.height, FLW_GROUND, 1);
  if (bar->node == NULL)
    bar->node = flw_chrome_node (widget, &all, draw);
  gtk_snapshot_append_node (snapshot, bar->node);
  flw_draw_focus (widget, snapshot);
}

static void
redraw (FlwColourBar *bar)
{
  g_clear_pointer (&bar->node, gsk_render_node_unref);
  gtk_widget_queue_draw (GTK_WIDGET (bar));
}

/* --- input --- */

static void
set_handle (FlwColourBar *bar, guint handle, double value)
{
  double range[2] = { flw_colour_map_get_lower (bar->map), flw_colour_map_get_upper (bar->map) };
  double least = per_px (bar);

  range[handle] = value;
  if (handle == 0)
    range[0] = fmin (range[0], range[1] - least);
  else
    range[1] = fmax (range[1], range[0] + least);
  flw_colour_map_set_range (bar->map, range[0], range[1]);
}

static void
on_drag_begin (GtkGestureDrag *gesture, double x, double y, FlwColourBar *bar)
{
  double lower = flw_colour_map_get_lower (bar->map), upper = flw_colour_map_get_upper (bar->map);
  double to_lower = fabs (to_x (bar, lower) - x), to_upper = fabs (to_x (bar, upper) - x);

  (void) gesture;
  (void) y;
  gtk_widget_grab_focus (GTK_WIDGET (bar));
  if (fmin (to_lower, to_upper) <= GRAB)
    bar->active = (guint) (bar->dragged = to_lower < to_upper ? 0 : 1);
  else
    bar->dragged = x > to_x (bar, lower) && x < to_x (bar, upper) ? 2 : -1;
  bar->drag_from[0] = lower;
  bar->drag_from[1] = upper;
}

static void
on_drag_update (GtkGestureDrag *gesture, double dx, double dy, FlwColourBar *bar)
{
  double by = dx * per_px (bar);

  (void) gesture;
  (void) dy;
  if (bar->dragged < 0 || dx == 0)
    return;
  if (bar->dragged < 2)
    set_handle (bar, (guint) bar->dragged, bar->drag_from[bar->dragged] + by);
  else
    flw_colour_map_set_range (bar->map, bar->drag_from[0] + by, bar->drag_from[1] + by);
}

static void
on_drag_end (GtkGestureDrag *gesture, double dx, double dy, FlwColourBar *bar)
{
  (void) gesture;
  (void) dx;
  (void) dy;
  bar->dragged = -1;
  changed (bar);
}

static void
on_pressed (GtkGestureClick *gesture, int n_press, double x, double y, FlwColourBar *bar)
{
  guint button = gtk_gesture_single_get_current_button (GTK_GESTURE_SINGLE (gesture));

  if (button == GDK_BUTTON_PRIMARY && n_press == 2)
    flw_colour_map_set_automatic (bar->map, TRUE);
  else if (button == GDK_BUTTON_SECONDARY)
    {
      gtk_popover_set_pointing_to (GTK_POPOVER (bar->menu), &(GdkRectangle){ (int) x, (int) y, 1, 1 });
      gtk_popover_popup (GTK_POPOVER (bar->menu));
    }
}

static gboolean
on_scroll (GtkEventControllerScroll *controller, double dx, double dy, FlwColourBar *bar)
{
  double value = bar->active == 0 ? flw_colour_map_get_lower (bar->map) : flw_colour_map_get_upper (bar->map);

  (void) controller;
  (void) dx;
  set_handle (bar, bar->active, value - dy * 4 * per_px (bar));
  return TRUE;
}

static void
act (GtkWidget *widget, const char *action, GVariant *parameter)
{
  FlwColourBar *bar = FLW_COLOUR_BAR (widget);
  const char *name = action + strlen ("bar.");
  double value = bar->active == 0 ? flw_colour_map_get_lower (bar->map) : flw_colour_map_get_upper (bar->map);

  (void) parameter;
  if (g_str_equal (name, "move-left") || g_str_equal (name, "move-right"))
    set_handle (bar, bar->active, value + (g_str_equal (name, "move-left") ? -2 : 2) * per_px (bar));
  else if (g_str_equal (name, "move-left-far") || g_str_equal (name, "move-right-far"))
    set_handle (bar, bar->active, value + (g_str_equal (name, "move-left-far") ? -20 : 20) * per_px (bar));
  else if (g_str_equal (name, "other-handle"))
    bar->active = !bar->active;
  else if (g_str_equal (name, "next-scale"))
    flw_colour_map_set_scale (bar->map, (flw_colour_map_get_scale (bar->map) + 1) % (FLW_SCALE_LOG + 1));
  else if (g_str_equal (name, "next-palette"))
    flw_colour_map_set_palette (bar->map, (flw_colour_map_get_palette (bar->map) + 1) % FLW_PALETTE_LAST);
  else if (g_str_equal (name, "make-automatic"))
    flw_colour_map_set_automatic (bar->map, TRUE);
  else if (g_str_equal (name, "popup"))
    gtk_popover_popup (GTK_POPOVER (bar->menu));
  redraw (bar);
}

static void
on_choice (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  FlwColourBar *bar = data;
  const char *name = g_action_get_name (G_ACTION (action));

  if (g_str_equal (name, "palette"))
    flw_colour_map_set_palette (bar->map, (FlwPalette) g_variant_get_int32 (parameter));
  else if (g_str_equal (name, "scale"))
    flw_colour_map_set_scale (bar->map, (FlwScale) g_variant_get_int32 (parameter));
  else
    flw_colour_map_set_automatic (bar->map, !flw_colour_map_get_automatic (bar->map));
}

static void
append_choice (GMenu *menu, const char *label, const char *action, int value)
{
  g_autoptr (GMenuItem) item = g_menu_item_new (label, NULL);
  g_menu_item_set_action_and_target_value (item, action, g_variant_new_int32 (value));
  g_menu_append_item (menu, item);
}

static GMenuModel *
make_menu (void)
{
  GMenu *menu = g_menu_new ();
  g_autoptr (GMenu) palettes = g_menu_new (), scales = g_menu_new (), range = g_menu_new ();

  for (int i = 0; i < FLW_PALETTE_LAST; i++)
    append_choice (palettes, flw_palette_name ((FlwPalette) i), "range.palette", i);
  append_choice (scales, _ ("Linear"), "range.scale", FLW_SCALE_LINEAR);
  append_choice (scales, _ ("Square root"), "range.scale", FLW_SCALE_SQRT);
  append_choice (scales, _ ("Log"), "range.scale", FLW_SCALE_LOG);
  g_menu_append (range, _ ("Automatic range"), "range.automatic");
  g_menu_append_section (menu, _ ("Palette"), G_MENU_MODEL (palettes));
  g_menu_append_section (menu, _ ("Scale"), G_MENU_MODEL (scales));
  g_menu_append_section (menu, NULL, G_MENU_MODEL (range));
  return G_MENU_MODEL (menu);
}

/* --- the widget --- */

static void
flw_colour_bar_measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                        int *natural, int *minimum_baseline, int *natural_baseline)
{
  (void) widget;
  (void) for_size;
  *minimum = orientation == GTK_ORIENTATION_HORIZONTAL ? 200 : 72;
  *natural = orientation == GTK_ORIENTATION_HORIZONTAL ? 400 : 84;
  *minimum_baseline = *natural_baseline = -1;
}

static void
flw_colour_bar_size_allocate (GtkWidget *widget, int width, int height, int baseline)
{
  (void) width;
  (void) height;
  (void) baseline;
  gtk_popover_present (GTK_POPOVER (FLW_COLOUR_BAR (widget)->menu));
  redraw (FLW_COLOUR_BAR (widget));
}

static void
flw_colour_bar_dispose (GObject *object)
{
  FlwColourBar *bar = FLW_COLOUR_BAR (object);

  g_clear_pointer (&bar->menu, gtk_widget_unparent);
  g_clear_pointer (&bar->node, gsk_render_node_unref);
  G_OBJECT_CLASS (flw_colour_bar_parent_class)->dispose (object);
}

static void
flw_colour_bar_finalize (GObject *object)
{
  g_clear_object (&FLW_COLOUR_BAR (object)->map);
  g_object_unref (FLW_COLOUR_BAR (object)->actions);
  G_OBJECT_CLASS (flw_colour_bar_parent_class)->finalize (object);
}

static void
flw_colour_bar_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  FlwColourBar *bar = FLW_COLOUR_BAR (object);
  static const char *const scales[] = { N_ ("linear"), N_ ("square root"), N_ ("log") };

  if (id == PROP_SUMMARY)
    g_value_take_string (
        value, g_strdup_printf (_ ("colours %s, %s, from %.4g to %.4g%s"),
                                flw_palette_name (flw_colour_map_get_palette (bar->map)),
                                _ (scales[flw_colour_map_get_scale (bar->map)]),
                                flw_colour_map_get_lower (bar->map), flw_colour_map_get_upper (bar->map),
                                flw_colour_map_get_automatic (bar->map) ? _ (", automatic") : ""));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
flw_colour_bar_class_init (FlwColourBarClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  static const struct
  {
    const char *action;
    guint key;
    GdkModifierType state;
  } keys[] = {
    { "bar.move-left", GDK_KEY_Left, 0 },
    { "bar.move-right", GDK_KEY_Right, 0 },
    { "bar.move-left-far", GDK_KEY_Left, GDK_SHIFT_MASK },
    { "bar.move-right-far", GDK_KEY_Right, GDK_SHIFT_MASK },
    { "bar.other-handle", GDK_KEY_space, 0 },
    { "bar.next-scale", GDK_KEY_l, 0 },
    { "bar.next-palette", GDK_KEY_c, 0 },
    { "bar.make-automatic", GDK_KEY_a, 0 },
    { "bar.popup", GDK_KEY_F10, GDK_SHIFT_MASK },
  };

  object_class->dispose = flw_colour_bar_dispose;
  object_class->finalize = flw_colour_bar_finalize;
  object_class->get_property = flw_colour_bar_get_property;
  widget_class->measure = flw_colour_bar_measure;
  widget_class->size_allocate = flw_colour_bar_size_allocate;
  widget_class->snapshot = flw_colour_bar_snapshot;
  flw_chart_class_init (widget_class, PROP_SUMMARY, "colourbar");
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      gtk_widget_class_install_action (widget_class, keys[i].action, NULL, act);
      gtk_widget_class_add_binding_action (widget_class, keys[i].key, keys[i].state, keys[i].action, NULL);
    }
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Menu, 0, "bar.popup", NULL);
}

static void
flw_colour_bar_init (FlwColourBar *bar)
{
  GtkEventController *drag = GTK_EVENT_CONTROLLER (gtk_gesture_drag_new ());
  GtkEventController *click = GTK_EVENT_CONTROLLER (gtk_gesture_click_new ());
  GtkEventController *scroll = gtk_event_controller_scroll_new (GTK_EVENT_CONTROLLER_SCROLL_VERTICAL);
  GtkEventController *focus = gtk_event_controller_focus_new ();
  g_autoptr (GMenuModel) menu = make_menu ();
  const GActionEntry entries[] = {
    { .name = "palette", .activate = on_choice, .parameter_type = "i", .state = "0" },
    { .name = "scale", .activate = on_choice, .parameter_type = "i", .state = "0" },
    { .name = "automatic", .activate = on_choice, .state = "true" },
  };

  bar->dragged = -1;
  bar->domain[1] = 1;
  bar->active = 1;
  bar->actions = g_simple_action_group_new ();
  g_action_map_add_action_entries (G_ACTION_MAP (bar->actions), entries, G_N_ELEMENTS (entries), bar);
  gtk_widget_insert_action_group (GTK_WIDGET (bar), "range", G_ACTION_GROUP (bar->actions));
  bar->menu = gtk_popover_menu_new_from_model (menu);
  gtk_widget_set_parent (bar->menu, GTK_WIDGET (bar));
  gtk_gesture_single_set_button (GTK_GESTURE_SINGLE (click), 0);
  g_signal_connect (drag, "drag-begin", G_CALLBACK (on_drag_begin), bar);
  g_signal_connect (drag, "drag-update", G_CALLBACK (on_drag_update), bar);
  g_signal_connect (drag, "drag-end", G_CALLBACK (on_drag_end), bar);
  g_signal_connect (click, "pressed", G_CALLBACK (on_pressed), bar);
  g_signal_connect (scroll, "scroll", G_CALLBACK (on_scroll), bar);
  g_signal_connect_swapped (focus, "notify::contains-focus", G_CALLBACK (redraw), bar);
  gtk_widget_add_controller (GTK_WIDGET (bar), drag);
  gtk_widget_add_controller (GTK_WIDGET (bar), click);
  gtk_widget_add_controller (GTK_WIDGET (bar), scroll);
  gtk_widget_add_controller (GTK_WIDGET (bar), focus);
  gtk_widget_set_focusable (GTK_WIDGET (bar), TRUE);
}

static void
set_map (FlwColourBar *bar, FlwColourMap *map)
{
  if (bar->map != NULL)
    g_signal_handlers_disconnect_by_func (bar->map, changed, bar);
  g_set_object (&bar->map, map);
  g_signal_connect_object (map, "changed", G_CALLBACK (changed), bar, G_CONNECT_SWAPPED);
  changed (bar);
}

GtkWidget *
flw_colour_bar_new (FlwColourMap *map)
{
  FlwColourBar *bar = g_object_new (FLW_TYPE_COLOUR_BAR, NULL);
  set_map (bar, map);
  return GTK_WIDGET (bar);
}

void
flw_colour_bar_set_values (FlwColourBar *bar, gsize n, const float *values)
{
  gsize step = MAX (n / SAMPLE, 1);

  memset (bar->bins, 0, sizeof bar->bins);
  bar->n = 0;
  for (gsize i = 0; i < n; i += step)
    if (isfinite (values[i]))
      {
        /* Counts are whole: spread over their unit, or the finer bins make a comb of them. */
        double within = values[i] == floorf (values[i]) ? (double) (i * 0x9e3779b9u % 1024) / 1024 - 0.5 : 0;
        bar->bins[value_bin (values[i] + within)]++;
        bar->n++;
      }
  changed (bar);
}

static void
on_raster (FlwImageView *view, FlwColourBar *bar)
{
  guint width = 0, height = 0;
  const float *values = flw_image_view_get_raster (view, &width, &height);

  if (values != NULL)
    flw_colour_bar_set_values (bar, (gsize) width * height, values);
}

void
flw_colour_bar_follow_image (FlwColourBar *bar, FlwImageView *view)
{
  set_map (bar, flw_image_view_get_colour_map (view));
  g_signal_connect_object (view, "raster-changed", G_CALLBACK (on_raster), bar, 0);
  on_raster (view, bar);
}
