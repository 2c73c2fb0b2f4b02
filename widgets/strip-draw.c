#include "widgets/strip-private.h"

#include <glib/gi18n.h>
#include <math.h>

#include "widgets/theme.h"

#define LEFT   64
#define RIGHT  20
#define TOP    28 /* run labels */
#define HEADER 26 /* a strip's title and keys */
#define BOTTOM 30

void
flw_strip_layout (FlwStripPlot *plot, int width, int height)
{
  double total = 0, y = TOP, room = fmax (height - TOP - BOTTOM - (double) plot->n_strips * HEADER, 0);

  for (guint s = 0; s < plot->n_strips; s++)
    total += plot->strips[s].share;
  for (guint s = 0; s < plot->n_strips; s++)
    {
      FlwBox *box = &plot->strips[s].box;
      *box = (FlwBox){ LEFT, y + HEADER, fmax (width - LEFT - RIGHT, 0),
                       floor (room * plot->strips[s].share / total) };
      y = box->y + box->height;
    }
}

static double
value_y (const FlwStrip *strip, double value)
{
  double lower = flw_axis_get_lower (strip->y), upper = flw_axis_get_upper (strip->y);
  return strip->box.y + strip->box.height * (1 - (value - lower) / (upper - lower));
}

/* --- retained: axes; runs; headers; lines --- */

static void
draw_under (GtkWidget *widget, cairo_t *cr)
{
  FlwStripPlot *plot = FLW_STRIP_PLOT (widget);
  const FlwBox *last = &plot->strips[plot->n_strips - 1].box;

  for (guint s = 0; s < plot->n_strips; s++)
    {
      FlwBox *box = &plot->strips[s].box;
      flw_chrome_y_axis (widget, cr, plot->strips[s].y, box);
      flw_set_source (cr, FLW_RULE, 1);
      cairo_set_line_width (cr, 1);
      cairo_move_to (cr, box->x, box->y + box->height - 0.5);
      cairo_line_to (cr, box->x + box->width, box->y + box->height - 0.5);
      cairo_stroke (cr);
    }
  {
    FlwBox edge = { last->x, last->y + last->height, last->width, 0 };
    flw_chrome_x_axis (widget, cr, plot->axis, &edge, edge.y);
  }
}

static void
draw_runs (GtkWidget *widget, cairo_t *cr)
{
  FlwStripPlot *plot = FLW_STRIP_PLOT (widget);
  const FlwBox *box = &plot->strips[0].box;
  double right = box->x + box->width, labelled = 0;

  for (guint r = 0; r < plot->data->runs->len; r++)
    {
      FlwRun *run = flw_strip_data_run (plot->data, r);
      double x0 = flw_axis_to_px (plot->axis, box, (double) run->offset);
      double x1 = flw_axis_to_px (plot->axis, box, (double) (run->offset + run->n));
      double seen = fmax (x0, box->x);
      int width;

      if (run->n == 0 || x1 < box->x || x0 > right)
        continue;
      if (x0 >= box->x && (x1 - x0 > 4 || r + 1 == plot->data->runs->len))
        {
          flw_set_source (cr, FLW_RULE, 1);
          cairo_set_line_width (cr, 1);
          if (x0 >= labelled)
            {
              cairo_move_to (cr, round (x0) + 0.5, 4);
              cairo_line_to (cr, round (x0) + 0.5, TOP - 4);
            }
          for (guint s = 0; s < plot->n_strips; s++)
            {
              cairo_move_to (cr, round (x0) + 0.5, plot->strips[s].box.y);
              cairo_line_to (cr, round (x0) + 0.5, plot->strips[s].box.y + plot->strips[s].box.height);
            }
          cairo_stroke (cr);
        }
      if (run->label == NULL || seen < labelled)
        continue;
      flw_text_size (widget, FLW_POINTS_SMALL, run->label, &width, NULL);
      if (seen + width + 10 > right)
        continue;
      flw_text_draw (widget, cr, FLW_POINTS_SMALL, run->label, seen + 6, TOP / 2., 0, 0.5, FLW_TEXT);
      labelled = seen + width + 16;
    }
}

/* The line's newest value: the last run that has one. */
static double
newest_value (FlwStripPlot *plot, guint line)
{
  FlwStripView view;

  flw_strip_view (plot, &view);
  for (guint r = plot->data->runs->len; r-- > 0;)
    {
      FlwRunView run = flw_strip_borrow_run (plot, r);
      if (run.n > 0)
        return flw_strip_line_value (&view, line, &run, run.n - 1);
    }
  return NAN;
}

static char *
format_line (FlwStripPlot *plot, guint line, double value)
{
  if (isnan (value))
    return g_strdup ("–");
  return plot->lines[line].column >= 0 ? g_strdup_printf ("%.2f Å", 1 / sqrt (value))
                                       : g_strdup_printf ("%.1f %%", value);
}

static void
draw_header (FlwStripPlot *plot, guint s, cairo_t *cr)
{
  GtkWidget *widget = GTK_WIDGET (plot);
  FlwStrip *strip = &plot->strips[s];
  double x = strip->box.x, y = strip->box.y - HEADER / 2.;

  x += 28 + flw_text_draw (widget, cr, FLW_POINTS_BODY, strip->title, x, y, 0, 0.5, FLW_TEXT);
  if ((strip->kind == FLW_STRIP_DOTS || strip->kind == FLW_STRIP_LOG) && s == 0) /* once is enough */
    for (guint c = 0; c < FLW_CLASS_LAST; c++)
      {
        g_autofree char *count = flw_format_count (plot->counts[c]);
        g_autofree char *text = g_strdup_printf ("%s %s", count, flw_strip_class_name (plot, c));
        x = flw_chrome_key (widget, cr, x, y, flw_class_colour ((FlwClass) c), text);
      }
  for (guint l = 0; l < plot->n_lines; l++)
    {
      g_autofree char *value = NULL, *text = NULL;

      if (plot->lines[l].strip != s)
        continue;
      value = format_line (plot, l, newest_value (plot, l));
      text = g_strdup_printf (_ ("%s %s (last %u shots)"),
                              plot->looks[l].label != NULL ? plot->looks[l].label : _ ("mean"), value,
                              plot->window * plot->lines[l].windows);
      flw_set_source (cr, plot->looks[l].rgb, 1);
      cairo_set_line_width (cr, 2.5);
      cairo_move_to (cr, x, y);
      cairo_line_to (cr, x + 18, y);
      cairo_stroke (cr);
      x += 24 + flw_text_draw (widget, cr, FLW_POINTS_SMALL, text, x + 24, y, 0, 0.5, FLW_TEXT) + 20;
    }
}

/* Columns from − 1 to `to` of all lines of strip s, in device pixels of the shown view. */
static void
draw_segment (FlwStripPlot *plot, guint s, guint from, guint to, cairo_t *cr)
{
  double scale = gtk_widget_get_scale_factor (GTK_WIDGET (plot));

  for (guint l = 0; l < plot->n_lines; l++)
    {
      const FlwLinePoint *points = plot->looks[l].points;
      const FlwStrip *strip = &plot->strips[s];
      gboolean drawing = FALSE;

      if (plot->lines[l].strip != s || points == NULL)
        continue;
      flw_set_source (cr, plot->looks[l].rgb, 0.3);
      for (guint x = from; x < to; x++) /* the spread within a column */
        {
          double y0 = value_y (strip, points[x].most), y1 = value_y (strip, points[x].least);
          if (y1 - y0 > 2)
            cairo_rectangle (cr, x / scale, y0, 1 / scale, y1 - y0);
        }
      cairo_fill (cr);
      for (guint x = from > 0 ? from - 1 : 0; x < to; x++)
        {
          if (isnan (points[x].mean))
            {
              drawing = FALSE;
              continue;
            }
          if (drawing)
            cairo_line_to (cr, (x + 0.5) / scale, value_y (strip, points[x].mean));
          else
            cairo_move_to (cr, (x + 0.5) / scale, value_y (strip, points[x].mean));
          drawing = TRUE;
        }
      cairo_set_line_join (cr, CAIRO_LINE_JOIN_BEVEL);
      cairo_set_antialias (cr, CAIRO_ANTIALIAS_FAST);
      if (strip->column >= 0) /* dark beside light, where it lies over dots */
        {
          cairo_set_line_width (cr, 3.6);
          flw_set_source (cr, FLW_GROUND, 0.8);
          cairo_stroke_preserve (cr);
        }
      cairo_set_line_width (cr, 1.8);
      flw_set_source (cr, plot->looks[l].rgb, 1);
      cairo_stroke (cr);
    }
}

/* As pixels: a frame redraws every piece within the hull of what has changed, and strokes are dear. */
static GskRenderNode *
segment_node (FlwStripPlot *plot, guint s, guint from, guint to)
{
  int scale = gtk_widget_get_scale_factor (GTK_WIDGET (plot));
  const FlwBox *of = &plot->strips[s].box;
  double left = (double) from / scale - 2, top = floor (of->y) - 2;
  int width = (int) (to - from) + 4 * scale, height = ((int) ceil (of->height) + 5) * scale;
  graphene_rect_t rect = GRAPHENE_RECT_INIT ((float) left, (float) top, (float) width / (float) scale,
                                             (float) height / (float) scale);
  cairo_surface_t *surface = cairo_image_surface_create (CAIRO_FORMAT_ARGB32, width, height);
  cairo_t *cr = cairo_create (surface);

  cairo_scale (cr, scale, scale);
  cairo_translate (cr, -left, -top);
  draw_segment (plot, s, from, to, cr);
  cairo_destroy (cr);
  return flw_surface_node (GTK_WIDGET (plot), surface, &rect);
}

static void
snapshot_lines (FlwStripPlot *plot, guint s, GtkSnapshot *snapshot)
{
  FlwStrip *strip = &plot->strips[s];

  for (guint i = 0; i < strip->line_nodes->len; i++)
    {
      guint from = i * FLW_STRIP_SEGMENT, to = MIN (from + FLW_STRIP_SEGMENT, plot->shown.width);

      if (strip->line_nodes->pdata[i] == NULL)
        strip->line_nodes->pdata[i] = segment_node (plot, s, from, to);
      gtk_snapshot_append_node (snapshot, strip->line_nodes->pdata[i]);
    }
}

/* --- hover --- */

static void
describe_values (FlwStripPlot *plot, const FlwRunView *run, guint64 from, guint64 to, GString *text)
{
  FlwStripView view;

  flw_strip_view (plot, &view);
  for (guint s = 0; s < plot->n_strips; s++)
    {
      FlwStrip *strip = &plot->strips[s];
      double least = INFINITY, most = -INFINITY;

      for (guint64 i = from; strip->column >= 0 && i < to; i++)
        {
          double value = flw_run_value (run, (guint) strip->column, i);
          if (isfinite (value))
            {
              least = fmin (least, value);
              most = fmax (most, value);
            }
        }
      if (least <= most)
        {
          gboolean resolution = strip->kind == FLW_STRIP_RESOLUTION;
          gboolean log = strip->kind == FLW_STRIP_LOG;
          double a = resolution ? 1 / sqrt (least)
                     : log      ? pow (10, least)
                                : least,
                 b = resolution ? 1 / sqrt (most)
                     : log      ? pow (10, most)
                                : most;
          g_string_append_printf (text, "\n%s: ", strip->title);
          g_string_append_printf (text, resolution ? "%.2f" : "%.4g", a);
          if (least < most)
            g_string_append_printf (text, resolution ? " … %.2f" : " … %.4g", b);
        }
      for (guint l = 0; l < plot->n_lines; l++)
        if (plot->lines[l].strip == s && plot->looks[l].label != NULL)
          {
            g_autofree char *value = format_line (plot, l, flw_strip_line_value (&view, l, run, to - 1));
            g_string_append_printf (text, "\n%s: %s", plot->looks[l].label, value);
          }
    }
}

static char *
hover_text (FlwStripPlot *plot)
{
  const FlwBox *box = &plot->strips[0].box;
  double at = flw_axis_from_px (plot->axis, box, floor (plot->hover_x));
  double end = flw_axis_from_px (plot->axis, box, floor (plot->hover_x) + 1);
  int r = flw_strip_data_find (plot->data, fmax (at, 0));
  GString *text;
  FlwRunView run;
  guint64 from, to, counts[FLW_CLASS_LAST] = { 0 };
  g_autofree char *first = NULL, *last = NULL;
  const char *label;

  if (r < 0)
    return NULL;
  run = flw_strip_borrow_run (plot, (guint) r);
  from = (guint64) fmax (at - (double) run.offset, 0);
  to = CLAMP ((guint64) fmax (end - (double) run.offset, 0), from + 1, run.n);
  if (from >= run.n)
    return NULL;
  label = flw_strip_data_run (plot->data, (guint) r)->label;
  first = flw_format_count (from + 1);
  last = flw_format_count (to);
  text = g_string_new (label);
  g_string_append_printf (text, to > from + 1 ? _ ("  shots %s … %s") : _ ("  shot %s"), first, last);
  for (guint64 i = from; i < to; i++)
    counts[flw_run_class (&run, i)]++;
  for (guint c = FLW_CLASS_LAST, n = 0; c-- > 0;)
    if (counts[c] > 0)
      {
        g_autofree char *count = flw_format_count (counts[c]);
        g_string_append_printf (text, "%s%s%s%s", n++ > 0 ? ", " : "\n", to > from + 1 ? count : "",
                                to > from + 1 ? " " : "", flw_strip_class_name (plot, c));
      }
  describe_values (plot, &run, from, to, text);
  return g_string_free (text, FALSE);
}

static void
draw_hover (FlwStripPlot *plot, GtkSnapshot *snapshot)
{
  const FlwBox *box = &plot->strips[0].box, *last = &plot->strips[plot->n_strips - 1].box;
  graphene_rect_t bounds = GRAPHENE_RECT_INIT ((float) box->x, (float) box->y, (float) box->width,
                                               (float) (last->y + last->height - box->y));
  g_autofree char *text = NULL;

  if (!(plot->hover_x >= box->x && plot->hover_x < box->x + box->width && plot->hover_y >= box->y
        && plot->hover_y < last->y + last->height))
    return;
  flw_fill (snapshot, floor (plot->hover_x), box->y, 1, bounds.size.height, FLW_TEXT, 0.5);
  text = hover_text (plot);
  if (text != NULL)
    flw_text_callout (GTK_WIDGET (plot), snapshot, text, plot->hover_x, plot->hover_y, &bounds);
}

/* --- all --- */

/* A stretched tile ends on a device pixel, as its neighbour begins: else both would fade out there, and a dark seam show. */
static void
append_tile (GskRenderNode *tile, double x, double y, double sx, double sy, double scale,
             GtkSnapshot *snapshot)
{
  graphene_rect_t bounds;
  double left, right;

  gsk_render_node_get_bounds (tile, &bounds);
  left = round ((x + (double) bounds.origin.x * sx) * scale) / scale;
  right = round ((x + (double) (bounds.origin.x + bounds.size.width) * sx) * scale) / scale;
  gtk_snapshot_save (snapshot);
  gtk_snapshot_translate (snapshot, &GRAPHENE_POINT_INIT ((float) left, (float) y));
  if (sx != 1 || sy != 1)
    gtk_snapshot_scale (snapshot, (float) (right - left) / bounds.size.width, (float) sy);
  gtk_snapshot_translate (snapshot, &GRAPHENE_POINT_INIT (-bounds.origin.x, 0));
  gtk_snapshot_append_node (snapshot, tile);
  gtk_snapshot_restore (snapshot);
}

static void
snapshot_strip (FlwStripPlot *plot, guint s, const FlwStripView *view, GtkSnapshot *snapshot)
{
  FlwStrip *strip = &plot->strips[s];
  const FlwStripPlace *now = &view->strips[s], *then = &plot->shown.strips[s];
  FlwBox room = { strip->box.x, strip->box.y - 3, strip->box.width, strip->box.height + 3 };
  graphene_rect_t rect = flw_box_rect (&room);
  double scale = gtk_widget_get_scale_factor (GTK_WIDGET (plot));
  double sx = plot->shown.shots_per_px / view->shots_per_px;
  double x = strip->box.x + (plot->shown.x0 - view->x0) / view->shots_per_px / scale;

  if (plot->shown.width == 0)
    return;
  gtk_snapshot_push_clip (snapshot, &rect);
  if (strip->tiles->len > 0 && then->height > 0)
    {
      double sy = now->upper > 0 ? then->upper / now->upper * now->height / then->height : 1;
      double y = strip->box.y + strip->box.height * (1 - then->upper / now->upper);
      gboolean stretch = !flw_strip_view_equal (view, &plot->shown);
      for (guint t = 0; t < strip->tiles->len; t++)
        if (strip->tiles->pdata[t] != NULL)
          append_tile (strip->tiles->pdata[t], x, y, stretch ? sx : 1, stretch ? sy : 1, scale, snapshot);
    }
  gtk_snapshot_save (snapshot);
  gtk_snapshot_translate (snapshot, &GRAPHENE_POINT_INIT ((float) x, 0));
  if (sx != 1)
    gtk_snapshot_scale (snapshot, (float) sx, 1);
  snapshot_lines (plot, s, snapshot);
  gtk_snapshot_restore (snapshot);
  gtk_snapshot_pop (snapshot);
}

void
flw_strip_draw (FlwStripPlot *plot, GtkSnapshot *snapshot)
{
  GtkWidget *widget = GTK_WIDGET (plot);
  FlwBox all = { 0, 0, gtk_widget_get_width (widget), gtk_widget_get_height (widget) };
  FlwStripView view;

  flw_strip_view (plot, &view);
  if (plot->under == NULL)
    plot->under = flw_chrome_node (widget, &all, draw_under);
  if (plot->runs == NULL)
    plot->runs = flw_chrome_node (widget, &all, draw_runs);
  gtk_snapshot_append_node (snapshot, plot->under);
  gtk_snapshot_append_node (snapshot, plot->runs);
  for (guint s = 0; s < plot->n_strips; s++)
    {
      FlwStrip *strip = &plot->strips[s];

      snapshot_strip (plot, s, &view, snapshot);
      if (strip->header == NULL)
        {
          FlwBox box = { 0, strip->box.y - HEADER, all.width, HEADER - 3 };
          graphene_rect_t rect = flw_box_rect (&box);
          cairo_t *cr;
          strip->header = gsk_cairo_node_new (&rect);
          cr = gsk_cairo_node_get_draw_context (strip->header);
          draw_header (plot, s, cr);
          cairo_destroy (cr);
        }
      gtk_snapshot_append_node (snapshot, strip->header);
    }
  draw_hover (plot, snapshot);
}

char *
flw_strip_summary (FlwStripPlot *plot)
{
  g_autofree char *shots = flw_format_count (plot->data->n_shots);
  GString *text = g_string_new (NULL);

  g_string_append_printf (text, ngettext ("%u run", "%u runs", plot->data->runs->len), plot->data->runs->len);
  g_string_append_printf (text, _ (", %s shots"), shots);
  for (guint c = 0; plot->data->n_shots > 0 && c < FLW_CLASS_LAST; c++)
    {
      g_autofree char *count = flw_format_count (plot->counts[c]);
      g_string_append_printf (text, "%s %s %s", c > 0 ? "," : ":", count, flw_strip_class_name (plot, c));
    }
  for (guint l = 0; plot->data->n_shots > 0 && l < plot->n_lines; l++)
    {
      g_autofree char *value = format_line (plot, l, newest_value (plot, l));
      const char *label =
          plot->looks[l].label != NULL ? plot->looks[l].label : plot->strips[plot->lines[l].strip].title;
      g_string_append_printf (text, "; %s %s", label, value);
    }
  if (plot->data->n_shots > 0)
    g_string_append_printf (text, _ (" in the last %u shots"), plot->window);
  return g_string_free (text, FALSE);
}
