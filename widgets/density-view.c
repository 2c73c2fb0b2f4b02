#include "widgets/density-view.h"

#include <glib/gi18n.h>
#include <math.h>

#include "widgets/density-private.h"
#include "widgets/plot-nav.h"
#include "widgets/theme.h"

#define FIRST_SHARE 0.04 /* of a particle's grid inside the first level */

enum
{
  PROP_SUMMARY = 1,
  PROP_READOUT,
  PROP_RENDERER,
  PROP_STYLE,
  PROP_SLICE,
  PROP_SPLIT,
  PROP_STICKS,
  PROP_LABELS,
  PROP_ABSOLUTE,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

G_DEFINE_FINAL_TYPE (FlwDensityView, flw_density_view, GTK_TYPE_WIDGET)

FlwBox
flw_density_box (FlwDensityView *view)
{
  int width = gtk_widget_get_width (GTK_WIDGET (view)), height = gtk_widget_get_height (GTK_WIDGET (view));
  return (FlwBox){ 0, 0, width, MAX (height - FLW_DENSITY_FOOT, 0) };
}

void
flw_density_scene (FlwDensityView *view, double dots, FlwDensityScene *scene)
{
  static const guint32 colours[FLW_DENSITY_MAPS][2] = { { 0x4d8df0, 0xf05a4d }, { 0x3fd45f, 0xff5148 } };

  *scene = (FlwDensityScene){ .style = view->style,
                              .slice = view->slice,
                              .slice_range = 4,
                              .split = 1,
                              .model = view->model,
                              .stick_radius = view->sticks ? 0.14 : 0,
                              .ground = FLW_GROUND,
                              .dots = dots,
                              .step = FLW_DENSITY_STEP };
  for (guint m = 0; m < FLW_DENSITY_MAPS; m++)
    {
      const FlwDensityShown *shown = &view->maps[m];
      FlwDensityMap *map = &scene->maps[m];

      map->volume = shown->volume;
      if (shown->volume == NULL)
        continue;
      map->other = shown->rival;
      map->absolute = view->absolute;
      map->n_levels = shown->hidden ? 0 : shown->difference ? 2 : 1;
      map->level[0] = shown->level;
      map->level[1] = -shown->level;
      if (view->absolute) /* about the mean, as in σ */
        map->level[1] += 2 * flw_density_volume_grid (shown->volume)->mean;
      map->rgb[0] = colours[shown->difference ? 1 : 0][0];
      map->rgb[1] = colours[shown->difference ? 1 : 0][1];
      if (shown->rival != NULL)
        scene->split = view->split;
    }
}

void
flw_density_overlay_changed (FlwDensityView *view)
{
  g_clear_pointer (&view->overlay, gsk_render_node_unref);
  gtk_widget_queue_draw (GTK_WIDGET (view));
}

void
flw_density_redraw (FlwDensityView *view)
{
  view->quality = FLW_DENSITY_COARSE;
  if (view->cancel != NULL)
    g_atomic_int_set (view->cancel, 1);
  flw_density_overlay_changed (view);
  view->drawn = FALSE;
  if (view->gl != NULL)
    gtk_gl_area_queue_render (GTK_GL_AREA (view->gl));
  else
    flw_render_loop_want (&view->loop, TRUE);
}

void
flw_density_camera_changed (FlwDensityView *view)
{
  flw_density_redraw (view);
  g_signal_emit_by_name (view, "camera-changed");
}

/* --- what it says --- */

static char *
summary (FlwDensityView *view)
{
  GString *text = g_string_new (NULL);

  for (guint m = 0; m < FLW_DENSITY_MAPS; m++)
    if (view->maps[m].volume != NULL && !view->maps[m].hidden)
      {
        g_autofree char *level = flw_density_level_text (view, m);
        g_string_append_printf (text, "%s%s", text->len > 0 ? "; " : "", level);
      }
  if (text->len == 0)
    g_string_append (text, _ ("no map"));
  if (view->model != NULL)
    {
      guint n;
      flw_density_model_atoms (view->model, &n);
      g_string_append_printf (text, ngettext ("; %u atom", "; %u atoms", n), n);
    }
  if (view->peaks->len > 0)
    g_string_append_printf (text, ngettext ("; %u peak", "; %u peaks", view->peaks->len), view->peaks->len);
  return g_string_free (text, FALSE);
}

static void
flw_density_view_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  FlwDensityView *view = FLW_DENSITY_VIEW (object);

  switch (id)
    {
    case PROP_SUMMARY:
      g_value_take_string (value, summary (view));
      break;
    case PROP_READOUT:
      g_value_take_string (value, flw_density_readout (view));
      break;
    case PROP_RENDERER:
      g_value_set_string (value, view->why);
      break;
    case PROP_STYLE:
      g_value_set_int (value, (int) view->style);
      break;
    case PROP_SLICE:
      g_value_set_int (value, (int) view->slice);
      break;
    case PROP_SPLIT:
      g_value_set_double (value, view->split);
      break;
    case PROP_STICKS:
      g_value_set_boolean (value, view->sticks);
      break;
    case PROP_LABELS:
      g_value_set_boolean (value, view->labels);
      break;
    case PROP_ABSOLUTE:
      g_value_set_boolean (value, view->absolute);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

/* The same surfaces by the other measure. */
static void
set_absolute (FlwDensityView *view, gboolean absolute)
{
  if (absolute == view->absolute)
    return;
  view->absolute = absolute;
  for (guint m = 0; m < FLW_DENSITY_MAPS; m++)
    {
      FlwDensityShown *shown = &view->maps[m];
      const FlwDensityGrid *grid = shown->volume != NULL ? flw_density_volume_grid (shown->volume) : NULL;

      if (grid != NULL)
        shown->level =
            absolute ? grid->mean + shown->level * grid->sigma : (shown->level - grid->mean) / grid->sigma;
      g_signal_emit_by_name (view, "level-changed", m);
    }
}

static void
flw_density_view_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  FlwDensityView *view = FLW_DENSITY_VIEW (object);

  switch (id)
    {
    case PROP_STYLE:
      view->style = (FlwDensityStyle) g_value_get_int (value);
      break;
    case PROP_SLICE:
      view->slice = (FlwDensitySlice) g_value_get_int (value);
      break;
    case PROP_SPLIT:
      view->split = g_value_get_double (value);
      break;
    case PROP_STICKS:
      view->sticks = g_value_get_boolean (value);
      break;
    case PROP_LABELS:
      view->labels = g_value_get_boolean (value);
      break;
    case PROP_ABSOLUTE:
      set_absolute (view, g_value_get_boolean (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      return;
    }
  g_object_notify_by_pspec (object, pspec);
  if (id == PROP_LABELS)
    flw_density_overlay_changed (view);
  else
    flw_density_redraw (view);
}

/* --- the widget --- */

static void
flw_density_view_measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                          int *natural, int *minimum_baseline, int *natural_baseline)
{
  (void) widget;
  (void) for_size;
  *minimum = orientation == GTK_ORIENTATION_HORIZONTAL ? 240 : 200;
  *natural = 600;
  *minimum_baseline = *natural_baseline = -1;
}

static void
flw_density_view_size_allocate (GtkWidget *widget, int width, int height, int baseline)
{
  FlwDensityView *view = FLW_DENSITY_VIEW (widget);

  (void) baseline;
  if (view->gl != NULL)
    gtk_widget_allocate (view->gl, width, MAX (height - FLW_DENSITY_FOOT, 1), -1, NULL);
  flw_density_redraw (view);
}

static void
flw_density_view_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  FlwDensityView *view = FLW_DENSITY_VIEW (widget);

  flw_fill (snapshot, 0, 0, gtk_widget_get_width (widget), gtk_widget_get_height (widget), FLW_GROUND, 1);
  if (view->gl != NULL)
    gtk_widget_snapshot_child (widget, view->gl, snapshot);
  else if (view->picture != NULL)
    gtk_snapshot_append_node (snapshot, view->picture);
  flw_density_draw_overlay (view, snapshot);
  flw_draw_focus (widget, snapshot);
}

static void
flw_density_view_realize (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (flw_density_view_parent_class)->realize (widget);
  flw_density_choose_renderer (FLW_DENSITY_VIEW (widget));
}

static void
flw_density_view_unrealize (GtkWidget *widget)
{
  flw_density_drop_renderer (FLW_DENSITY_VIEW (widget));
  GTK_WIDGET_CLASS (flw_density_view_parent_class)->unrealize (widget);
}

static void
flw_density_view_map (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (flw_density_view_parent_class)->map (widget);
  flw_density_redraw (FLW_DENSITY_VIEW (widget));
}

static void
flw_density_view_dispose (GObject *object)
{
  FlwDensityView *view = FLW_DENSITY_VIEW (object);

  flw_render_loop_stop (&view->loop);
  if (view->cancel != NULL)
    g_atomic_int_set (view->cancel, 1);
  flw_density_drop_renderer (view);
  g_clear_pointer (&view->picture, gsk_render_node_unref);
  g_clear_pointer (&view->overlay, gsk_render_node_unref);
  G_OBJECT_CLASS (flw_density_view_parent_class)->dispose (object);
}

static void
flw_density_view_finalize (GObject *object)
{
  FlwDensityView *view = FLW_DENSITY_VIEW (object);

  for (guint m = 0; m < FLW_DENSITY_MAPS; m++)
    {
      g_clear_pointer (&view->maps[m].volume, flw_density_volume_unref);
      g_clear_pointer (&view->maps[m].rival, flw_density_volume_unref);
      g_free (view->maps[m].name);
      g_free (view->maps[m].rival_name);
    }
  g_clear_pointer (&view->model, flw_density_model_unref);
  g_array_unref (view->peaks);
  g_free (view->peak_unit);
  g_free (view->why);
  flw_density_caster_free (view->caster);
  G_OBJECT_CLASS (flw_density_view_parent_class)->finalize (object);
}

static void
flw_density_view_class_init (FlwDensityViewClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  GParamFlags writable = G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;

  object_class->dispose = flw_density_view_dispose;
  object_class->finalize = flw_density_view_finalize;
  object_class->get_property = flw_density_view_get_property;
  object_class->set_property = flw_density_view_set_property;
  widget_class->measure = flw_density_view_measure;
  widget_class->size_allocate = flw_density_view_size_allocate;
  widget_class->snapshot = flw_density_view_snapshot;
  widget_class->realize = flw_density_view_realize;
  widget_class->unrealize = flw_density_view_unrealize;
  widget_class->map = flw_density_view_map;
  flw_chart_class_init (widget_class, PROP_SUMMARY, "densityview");
  flw_density_class_keys (widget_class);
  props[PROP_READOUT] =
      g_param_spec_string ("readout", NULL, NULL, NULL, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  props[PROP_RENDERER] =
      g_param_spec_string ("renderer", NULL, NULL, NULL, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  props[PROP_STYLE] = g_param_spec_int ("style", NULL, NULL, 0, FLW_DENSITY_SOLID, 0, writable);
  props[PROP_SLICE] = g_param_spec_int ("slice", NULL, NULL, 0, FLW_DENSITY_SLICE_LAST - 1, 0, writable);
  props[PROP_SPLIT] = g_param_spec_double ("split", NULL, NULL, 0, 1, 0.5, writable);
  props[PROP_STICKS] = g_param_spec_boolean ("sticks", NULL, NULL, TRUE, writable);
  props[PROP_LABELS] = g_param_spec_boolean ("labels", NULL, NULL, TRUE, writable);
  props[PROP_ABSOLUTE] = g_param_spec_boolean ("absolute", NULL, NULL, FALSE, writable);
  for (guint p = PROP_READOUT; p < N_PROPS; p++)
    g_object_class_install_property (object_class, p, props[p]);
  g_signal_new ("level-changed", FLW_TYPE_DENSITY_VIEW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE,
                1, G_TYPE_UINT);
  g_signal_new ("picture-changed", FLW_TYPE_DENSITY_VIEW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE,
                0);
  g_signal_new ("camera-changed", FLW_TYPE_DENSITY_VIEW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE,
                0);
  g_signal_new ("atom-selected", FLW_TYPE_DENSITY_VIEW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE,
                1, G_TYPE_UINT);
  g_signal_new ("peak-selected", FLW_TYPE_DENSITY_VIEW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE,
                1, G_TYPE_UINT);
}

static void
flw_density_view_init (FlwDensityView *view)
{
  view->peaks = g_array_new (FALSE, FALSE, sizeof (FlwDensityPeak));
  view->caster = flw_density_caster_new (0);
  view->split = 0.5;
  view->sticks = view->labels = TRUE;
  view->atom = view->peak = -1;
  view->hover_x = view->hover_y = NAN;
  view->cost = 300;
  flw_density_camera_init (&view->camera, (const double[3]){ 0, 0, 0 }, FLW_DENSITY_BALL);
  flw_render_loop_init (&view->loop, GTK_WIDGET (view), &flw_density_render_funcs);
  flw_density_attach (view);
  gtk_widget_set_overflow (GTK_WIDGET (view), GTK_OVERFLOW_HIDDEN);
  gtk_widget_set_focusable (GTK_WIDGET (view), TRUE);
}

GtkWidget *
flw_density_view_new (void)
{
  return g_object_new (FLW_TYPE_DENSITY_VIEW, NULL);
}

void
flw_density_view_set_renderer (FlwDensityView *view, FlwDensityRenderer renderer)
{
  view->wanted = renderer;
}

/* --- what is shown --- */

static void
first_level (FlwDensityView *view, FlwDensityShown *shown)
{
  const FlwDensityGrid *grid = flw_density_volume_grid (shown->volume);

  shown->levelled = TRUE;
  shown->level = shown->difference ? 3 : 1.5;
  if (!grid->periodic && !shown->difference)
    shown->level = (flw_density_volume_quantile (shown->volume, FIRST_SHARE) - grid->mean) / grid->sigma;
  if (view->absolute)
    shown->level = grid->mean + shown->level * grid->sigma;
}

static void
replace_volume (FlwDensityVolume **place, FlwDensityVolume *volume)
{
  FlwDensityVolume *old = *place;

  *place = volume != NULL ? flw_density_volume_ref (volume) : NULL;
  if (old != NULL)
    flw_density_volume_unref (old);
}

void
flw_density_view_set_map (FlwDensityView *view, guint map, FlwDensityVolume *volume, const char *name,
                          gboolean difference)
{
  FlwDensityShown *shown = &view->maps[map];

  g_return_if_fail (map < FLW_DENSITY_MAPS);
  replace_volume (&shown->volume, volume);
  g_free (shown->name);
  shown->name = g_strdup (name);
  if (shown->difference != difference)
    shown->levelled = FALSE;
  shown->difference = difference;
  if (volume != NULL && !shown->levelled)
    first_level (view, shown);
  if (volume != NULL && !view->placed)
    flw_density_place_all (view);
  flw_density_redraw (view);
  flw_chart_summary_changed (GTK_WIDGET (view));
  g_signal_emit_by_name (view, "level-changed", map);
}

void
flw_density_view_set_rival (FlwDensityView *view, guint map, FlwDensityVolume *volume, const char *name)
{
  FlwDensityShown *shown = &view->maps[map];

  g_return_if_fail (map < FLW_DENSITY_MAPS);
  replace_volume (&shown->rival, volume);
  g_free (shown->rival_name);
  shown->rival_name = g_strdup (name);
  flw_density_redraw (view);
}

FlwDensityVolume *
flw_density_view_get_map (FlwDensityView *view, guint map)
{
  return view->maps[map].volume;
}

const char *
flw_density_view_get_map_name (FlwDensityView *view, guint map)
{
  return view->maps[map].name;
}

void
flw_density_view_set_level (FlwDensityView *view, guint map, double level)
{
  FlwDensityShown *shown = &view->maps[map];

  g_return_if_fail (map < FLW_DENSITY_MAPS);
  if (shown->volume != NULL && shown->difference) /* two surfaces, one on either side of the mean */
    {
      const FlwDensityGrid *grid = flw_density_volume_grid (shown->volume);
      level = fmax (level, view->absolute ? grid->mean + 0.1 * grid->sigma : 0.1);
    }
  if (!isfinite (level) || (shown->level == level && shown->levelled))
    return;
  shown->level = level;
  shown->levelled = TRUE;
  flw_density_redraw (view);
  flw_chart_summary_changed (GTK_WIDGET (view));
  g_signal_emit_by_name (view, "level-changed", map);
}

double
flw_density_view_get_level (FlwDensityView *view, guint map)
{
  return view->maps[map].level;
}

void
flw_density_view_set_visible_map (FlwDensityView *view, guint map, gboolean visible)
{
  g_return_if_fail (map < FLW_DENSITY_MAPS);
  view->maps[map].hidden = !visible;
  flw_density_redraw (view);
  flw_chart_summary_changed (GTK_WIDGET (view));
}

void
flw_density_view_set_model (FlwDensityView *view, FlwDensityModel *model)
{
  FlwDensityModel *old = view->model;

  view->model = model != NULL ? flw_density_model_ref (model) : NULL;
  if (old != NULL)
    flw_density_model_unref (old);
  view->atom = -1;
  flw_density_redraw (view);
  flw_chart_summary_changed (GTK_WIDGET (view));
}

void
flw_density_view_set_peaks (FlwDensityView *view, guint n, const FlwDensityPeak *peaks, const char *unit)
{
  g_array_set_size (view->peaks, 0);
  if (n > 0)
    g_array_append_vals (view->peaks, peaks, n);
  for (guint i = 0; i < n; i++)
    {
      FlwDensityPeak *peak = &g_array_index (view->peaks, FlwDensityPeak, i);
      peak->label[sizeof peak->label - 1] = 0;
    }
  g_free (view->peak_unit);
  view->peak_unit = g_strdup (unit != NULL ? unit : "");
  view->peak = -1;
  flw_density_overlay_changed (view);
  flw_chart_summary_changed (GTK_WIDGET (view));
}

gboolean
flw_density_view_get_settled (FlwDensityView *view)
{
  gboolean empty = view->maps[0].volume == NULL && view->maps[1].volume == NULL && view->model == NULL;
  if (view->gl != NULL)
    return view->drawn && view->quality == FLW_DENSITY_SMOOTH;
  return (view->picture != NULL || empty) && flw_render_loop_settled (&view->loop);
}

double
flw_density_view_get_frame_time (FlwDensityView *view)
{
  return view->frame_time;
}
