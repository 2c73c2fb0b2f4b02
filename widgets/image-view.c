#include "widgets/image-view.h"

#include <glib/gi18n.h>
#include <math.h>

#include "widgets/image-private.h"
#include "widgets/plot-nav.h"
#include "widgets/theme.h"

enum
{
  PROP_SUMMARY = 1,
  PROP_READOUT,
  PROP_COLOUR_MAP,
  PROP_SHOW_SPOTS,
  PROP_SHOW_PREDICTIONS,
  PROP_SHOW_RINGS,
  PROP_SHOW_PANELS,
  PROP_SHOW_VALUES,
  PROP_SHOW_MASK
};

G_DEFINE_FINAL_TYPE (FlwImageView, flw_image_view, GTK_TYPE_WIDGET)

double
flw_ring_radius (double d, double wavelength, double distance, double pixel_size)
{
  double sine = wavelength / (2 * d);
  return sine < G_SQRT2 / 2 && pixel_size > 0 ? distance * tan (2 * asin (sine)) / pixel_size : 0;
}

double
flw_ring_resolution (double radius, double wavelength, double distance, double pixel_size)
{
  return wavelength / (2 * sin (0.5 * atan2 (radius * pixel_size, distance)));
}

/* --- the widget --- */

static void
flw_image_view_size_allocate (GtkWidget *widget, int width, int height, int baseline)
{
  FlwImageView *view = FLW_IMAGE_VIEW (widget);

  (void) width;
  (void) height;
  (void) baseline;
  if (view->early) /* asked for before there was a size */
    {
      view->early = FALSE;
      flw_image_view_set_visible (view, view->early_rect[0], view->early_rect[1], view->early_rect[2],
                                  view->early_rect[3]);
    }
  else if (view->fitted)
    flw_image_view_fit (view);
  else
    flw_image_view_changed (view);
  flw_image_marks_changed (view);
}

static void
flw_image_view_measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                        int *natural, int *minimum_baseline, int *natural_baseline)
{
  (void) widget;
  (void) for_size;
  *minimum = orientation == GTK_ORIENTATION_HORIZONTAL ? 240 : 200;
  *natural = 600;
  *minimum_baseline = *natural_baseline = -1;
}

static void
flw_image_view_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  FlwImageView *view = FLW_IMAGE_VIEW (widget);
  FlwBox box = flw_image_box (view);
  graphene_rect_t rect = flw_box_rect (&box);

  flw_fill (snapshot, 0, 0, gtk_widget_get_width (widget), gtk_widget_get_height (widget), FLW_GROUND, 1);
  if (view->picture != NULL)
    {
      graphene_rect_t bounds;
      double x = flw_image_to_x (view, view->shown[0]), y = flw_image_to_y (view, view->shown[1]);
      double sx, sy;

      gsk_render_node_get_bounds (view->picture, &bounds);
      sx = (flw_image_to_x (view, view->shown[2]) - x) / bounds.size.width;
      sy = (flw_image_to_y (view, view->shown[3]) - y) / bounds.size.height;
      gtk_snapshot_push_clip (snapshot, &rect);
      gtk_snapshot_save (snapshot);
      if (fabs (sx - 1) < 1e-3 && fabs (sy - 1) < 1e-3) /* made for this view: pixel on pixel */
        gtk_snapshot_translate (snapshot, &GRAPHENE_POINT_INIT ((float) round (x), (float) round (y)));
      else
        {
          gtk_snapshot_translate (snapshot, &GRAPHENE_POINT_INIT ((float) x, (float) y));
          gtk_snapshot_scale (snapshot, (float) sx, (float) sy);
        }
      gtk_snapshot_append_node (snapshot, view->picture);
      gtk_snapshot_restore (snapshot);
      gtk_snapshot_pop (snapshot);
    }
  flw_image_draw (view, snapshot);
  flw_draw_focus (widget, snapshot);
}

static void
flw_image_view_map (GtkWidget *widget)
{
  FlwImageView *view = FLW_IMAGE_VIEW (widget);

  GTK_WIDGET_CLASS (flw_image_view_parent_class)->map (widget);
  flw_image_ask (view, TRUE);
  flw_render_loop_want (&view->loop, TRUE);
  flw_render_loop_want (&view->marks_loop, TRUE);
}

static void
panel_clear (gpointer panel)
{
  g_free ((char *) ((FlwImagePanel *) panel)->name);
}

static void
flw_image_view_dispose (GObject *object)
{
  FlwImageView *view = FLW_IMAGE_VIEW (object);

  flw_render_loop_stop (&view->loop);
  flw_render_loop_stop (&view->marks_loop);
  g_clear_handle_id (&view->overdue, g_source_remove);
  if (view->provider_destroy != NULL)
    g_steal_pointer (&view->provider_destroy) (view->provider_data);
  view->provider = NULL;
  g_clear_pointer (&view->picture, gsk_render_node_unref);
  g_clear_pointer (&view->marks, gsk_render_node_unref);
  g_clear_pointer (&view->overlay, gsk_render_node_unref);
  g_clear_pointer (&view->numbers, gsk_render_node_unref);
  G_OBJECT_CLASS (flw_image_view_parent_class)->dispose (object);
}

static void
flw_image_view_finalize (GObject *object)
{
  FlwImageView *view = FLW_IMAGE_VIEW (object);

  g_clear_pointer (&view->raster, flw_image_raster_unref);
  g_clear_pointer (&view->shade, flw_image_shade_unref);
  g_array_unref (view->drawn);
  g_object_unref (view->map);
  g_array_unref (view->panels);
  g_array_unref (view->spots);
  g_array_unref (view->predictions);
  g_array_unref (view->rings);
  g_free (view->message);
  g_free (view->empty_text);
  G_OBJECT_CLASS (flw_image_view_parent_class)->finalize (object);
}

static char *
summary (FlwImageView *view)
{
  const FlwImageRequest *r = view->raster != NULL ? &view->raster->request : NULL;
  GString *text;

  if (view->message != NULL)
    return g_strdup (view->message);
  if (r == NULL)
    return g_strdup (view->empty_text);
  text = g_string_new (NULL);
  g_string_append_printf (
      text, _ ("image %.0f × %.0f px, showing x %.0f to %.0f, y %.0f to %.0f; values %.4g to %.4g"),
      view->extent[2] - view->extent[0], view->extent[3] - view->extent[1], r->x0, r->x1, r->y0, r->y1,
      flw_colour_map_get_lower (view->map), flw_colour_map_get_upper (view->map));
  g_string_append_printf (text, ngettext ("; %u panel", "; %u panels", view->panels->len), view->panels->len);
  g_string_append_printf (text, ngettext (", %u spot", ", %u spots", view->spots->len), view->spots->len);
  if (view->predictions->len > 0)
    g_string_append_printf (
        text, ngettext (", %u predicted reflection", ", %u predicted reflections", view->predictions->len),
        view->predictions->len);
  return g_string_free (text, FALSE);
}

static gboolean *
flag (FlwImageView *view, guint id)
{
  switch (id)
    {
    case PROP_SHOW_SPOTS:
      return &view->show_spots;
    case PROP_SHOW_PREDICTIONS:
      return &view->show_predictions;
    case PROP_SHOW_RINGS:
      return &view->show_rings;
    case PROP_SHOW_PANELS:
      return &view->show_panels;
    case PROP_SHOW_VALUES:
      return &view->show_values;
    case PROP_SHOW_MASK:
      return &view->show_mask;
    default:
      return NULL;
    }
}

static void
flw_image_view_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  FlwImageView *view = FLW_IMAGE_VIEW (object);

  if (id == PROP_SUMMARY)
    g_value_take_string (value, summary (view));
  else if (id == PROP_READOUT)
    g_value_take_string (value, flw_image_readout (view));
  else if (id == PROP_COLOUR_MAP)
    g_value_set_object (value, view->map);
  else if (flag (view, id) != NULL)
    g_value_set_boolean (value, *flag (view, id));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
flw_image_view_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  FlwImageView *view = FLW_IMAGE_VIEW (object);
  gboolean *on = flag (view, id);

  if (id == PROP_COLOUR_MAP)
    flw_image_view_set_colour_map (view, g_value_get_object (value));
  else if (on == NULL)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  else if (*on != g_value_get_boolean (value))
    {
      *on = g_value_get_boolean (value);
      g_object_notify_by_pspec (object, pspec);
      flw_image_overlay_changed (view);
      flw_image_marks_changed (view);
      if (id == PROP_SHOW_MASK)
        flw_image_repaint (view);
    }
}

static void
flw_image_view_class_init (FlwImageViewClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  static const char *const flags[] = { "show-spots",  "show-predictions", "show-rings",
                                       "show-panels", "show-values",      "show-mask" };

  object_class->dispose = flw_image_view_dispose;
  object_class->finalize = flw_image_view_finalize;
  object_class->get_property = flw_image_view_get_property;
  object_class->set_property = flw_image_view_set_property;
  widget_class->measure = flw_image_view_measure;
  widget_class->size_allocate = flw_image_view_size_allocate;
  widget_class->snapshot = flw_image_view_snapshot;
  widget_class->map = flw_image_view_map;
  flw_chart_class_init (widget_class, PROP_SUMMARY, "imageview");
  flw_nav_class_init (widget_class, flw_image_act);
  flw_nav_class_add_key (widget_class, "plot.one-to-one", GDK_KEY_1, 0, flw_image_act);
  flw_nav_class_add_key (widget_class, "plot.rings", GDK_KEY_r, 0, flw_image_act);
  flw_nav_class_add_key (widget_class, "plot.spots", GDK_KEY_s, 0, flw_image_act);
  flw_nav_class_add_key (widget_class, "plot.predictions", GDK_KEY_l, 0, flw_image_act);
  flw_nav_class_add_key (widget_class, "plot.panels", GDK_KEY_p, 0, flw_image_act);
  g_object_class_install_property (
      object_class, PROP_READOUT,
      g_param_spec_string ("readout", NULL, NULL, NULL, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  g_object_class_install_property (object_class, PROP_COLOUR_MAP,
                                   g_param_spec_object ("colour-map", NULL, NULL, FLW_TYPE_COLOUR_MAP,
                                                        G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
  for (guint i = 0; i < G_N_ELEMENTS (flags); i++)
    g_object_class_install_property (
        object_class, PROP_SHOW_SPOTS + i,
        g_param_spec_boolean (flags[i], NULL, NULL, TRUE,
                              G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS));
  g_signal_new ("raster-changed", FLW_TYPE_IMAGE_VIEW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE,
                0);
  g_signal_new ("spot-activated", FLW_TYPE_IMAGE_VIEW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                G_TYPE_UINT);
  g_signal_new ("clicked", FLW_TYPE_IMAGE_VIEW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 2,
                G_TYPE_DOUBLE, G_TYPE_DOUBLE);
  g_signal_new ("drawn", FLW_TYPE_IMAGE_VIEW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 3,
                G_TYPE_UINT, G_TYPE_UINT, G_TYPE_POINTER);
}

static void
flw_image_view_init (FlwImageView *view)
{
  view->panels = g_array_new (FALSE, FALSE, sizeof (FlwImagePanel));
  g_array_set_clear_func (view->panels, panel_clear);
  view->spots = g_array_new (FALSE, FALSE, sizeof (FlwImageSpot));
  view->predictions = g_array_new (FALSE, FALSE, sizeof (FlwImagePrediction));
  view->rings = g_array_new (FALSE, FALSE, sizeof (double));
  view->show_spots = view->show_predictions = view->show_rings = view->show_panels = view->show_values =
      view->show_mask = TRUE;
  view->fitted = TRUE;
  view->patience = FLW_IMAGE_PATIENCE;
  view->hover_x = view->hover_y = NAN;
  view->empty_text = g_strdup (_ ("no image"));
  flw_render_loop_init (&view->loop, GTK_WIDGET (view), &flw_image_render_funcs);
  flw_render_loop_init (&view->marks_loop, GTK_WIDGET (view), &flw_image_marks_funcs);
  flw_nav_attach (GTK_WIDGET (view), &flw_image_nav);
  flw_image_drawing_attach (view);
  gtk_widget_set_overflow (GTK_WIDGET (view), GTK_OVERFLOW_HIDDEN);
  view->map = flw_colour_map_new ();
  g_signal_connect_object (view->map, "changed", G_CALLBACK (flw_image_repaint), view, G_CONNECT_SWAPPED);
}

GtkWidget *
flw_image_view_new (void)
{
  return g_object_new (FLW_TYPE_IMAGE_VIEW, NULL);
}

FlwColourMap *
flw_image_view_get_colour_map (FlwImageView *view)
{
  return view->map;
}

void
flw_image_view_set_colour_map (FlwImageView *view, FlwColourMap *map)
{
  if (map == view->map || map == NULL)
    return;
  g_signal_handlers_disconnect_by_func (view->map, flw_image_repaint, view);
  g_set_object (&view->map, map);
  g_signal_connect_object (map, "changed", G_CALLBACK (flw_image_repaint), view, G_CONNECT_SWAPPED);
  g_object_notify (G_OBJECT (view), "colour-map");
  flw_image_repaint (view);
}

/* --- what lies over and around the image --- */

void
flw_image_view_set_empty_text (FlwImageView *view, const char *text)
{
  g_free (view->empty_text);
  view->empty_text = g_strdup (text);
  gtk_widget_queue_draw (GTK_WIDGET (view));
}

void
flw_image_view_set_extent (FlwImageView *view, double x0, double y0, double x1, double y1)
{
  view->extent_given = TRUE;
  flw_image_set_extent (view, x0, y0, x1, y1);
}

void
flw_image_view_set_panels (FlwImageView *view, guint n, const FlwImagePanel *panels)
{
  g_array_set_size (view->panels, 0);
  for (guint i = 0; i < n; i++)
    {
      FlwImagePanel panel = panels[i];
      panel.name = g_strdup (panel.name);
      g_array_append_val (view->panels, panel);
    }
  if (!view->extent_given)
    flw_image_find_extent (view);
  flw_image_overlay_changed (view);
}

static void
replace_marks (FlwImageView *view, GArray **array, guint size, guint n, gconstpointer values)
{
  if ((*array)->len == 0 && n == 0)
    return;
  g_array_unref (*array);
  *array = g_array_sized_new (FALSE, FALSE, size, n);
  if (n > 0)
    g_array_append_vals (*array, values, n);
  flw_chart_summary_changed (GTK_WIDGET (view));
  flw_image_readout_changed (view);
  flw_image_marks_changed (view);
}

void
flw_image_view_set_spots (FlwImageView *view, guint n, const FlwImageSpot *spots)
{
  replace_marks (view, &view->spots, sizeof *spots, n, spots);
}

void
flw_image_view_set_predictions (FlwImageView *view, guint n, const FlwImagePrediction *predictions)
{
  replace_marks (view, &view->predictions, sizeof *predictions, n, predictions);
}

void
flw_image_view_set_geometry (FlwImageView *view, double wavelength, double distance, double pixel_size)
{
  view->wavelength = wavelength;
  view->distance = distance;
  view->pixel_size = pixel_size;
  flw_image_overlay_changed (view);
}

double
flw_image_view_get_pixel_size (FlwImageView *view)
{
  return view->pixel_size;
}

void
flw_image_view_set_beam (FlwImageView *view, double x, double y)
{
  view->beam_x = x;
  view->beam_y = y;
  flw_image_overlay_changed (view);
}

void
flw_image_view_set_rings (FlwImageView *view, guint n, const double *d)
{
  g_array_set_size (view->rings, 0);
  if (n > 0)
    g_array_append_vals (view->rings, d, n);
  flw_image_overlay_changed (view);
}

void
flw_image_view_get_visible (FlwImageView *view, double *x0, double *y0, double *x1, double *y1)
{
  FlwBox box = flw_image_box (view);

  *x0 = flw_image_from_x (view, 0);
  *y0 = flw_image_from_y (view, 0);
  *x1 = flw_image_from_x (view, box.width);
  *y1 = flw_image_from_y (view, box.height);
}

void
flw_image_view_set_visible (FlwImageView *view, double x0, double y0, double x1, double y1)
{
  FlwBox box = flw_image_box (view);

  if (box.width <= 0)
    {
      memcpy (view->early_rect, (double[]){ x0, y0, x1, y1 }, sizeof view->early_rect);
      view->early = TRUE;
      return;
    }
  flw_image_place (view, 0.5 * (x0 + x1), 0.5 * (y0 + y1),
                   fmin (box.width / (x1 - x0), box.height / (y1 - y0)));
}

void
flw_image_view_show_point (FlwImageView *view, double x, double y)
{
  if (flw_image_box (view).width <= 0)
    return;
  flw_image_place (view, x, y, view->zoom);
  flw_image_nav.hover (GTK_WIDGET (view), flw_image_to_x (view, x), flw_image_to_y (view, y));
}

gboolean
flw_image_view_get_settled (FlwImageView *view)
{
  return view->asked == 0 && flw_render_loop_settled (&view->loop)
         && flw_render_loop_settled (&view->marks_loop);
}
