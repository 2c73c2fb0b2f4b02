#include "widgets/weather-private.h"

#include <glib/gi18n.h>
#include <math.h>

#include "widgets/readout.h"
#include "widgets/theme.h"

#define TOP    34
#define BOTTOM 28
#define RIGHT  16
#define MARK   11 /* px, size of a mark's shape */

static FlwWeatherDataRow *
row_at (FlwWeatherPlot *plot, guint row)
{
  return &g_array_index (plot->data->rows, FlwWeatherDataRow, row);
}

static char *
row_label (FlwWeatherPlot *plot, guint row)
{
  const char *label = row_at (plot, row)->label;
  return label != NULL ? g_strdup (label) : g_strdup_printf (_ ("rank %u"), row);
}

char *
flw_weather_row_name (FlwWeatherPlot *plot, guint row)
{
  g_autofree char *label = row_label (plot, row);
  const char *host = row_at (plot, row)->host;
  return host != NULL ? g_strdup_printf ("%s · %s", label, host) : g_steal_pointer (&label);
}

/* First row after those that share `row`'s host. */
static guint
host_end (FlwWeatherPlot *plot, guint row)
{
  guint end = row + 1;

  while (end < flw_weather_n_rows (plot)
         && g_strcmp0 (row_at (plot, row)->host, row_at (plot, end)->host) == 0)
    end++;
  return end;
}

static const char *
class_name (FlwWeatherPlot *plot, guint klass)
{
  return plot->unindexed && klass == FLW_CLASS_HIT ? _ ("hit") : flw_class_name ((FlwClass) klass);
}

/* --- layout, axes, labels --- */

void
flw_weather_layout (FlwWeatherPlot *plot, int width, int height)
{
  GtkWidget *widget = GTK_WIDGET (plot);
  guint n = flw_weather_n_rows (plot);
  int hosts = 0, labels = 0, text;

  for (guint r = 0; r < n; r = host_end (plot, r))
    if (row_at (plot, r)->host != NULL)
      {
        flw_text_size (widget, FLW_POINTS_SMALL, row_at (plot, r)->host, &text, NULL);
        hosts = MAX (hosts, MIN (text, 200));
      }
  if (n > 0) /* the last row has the widest number */
    {
      g_autofree char *label = row_label (plot, n - 1);
      flw_text_size (widget, FLW_POINTS_SMALL, label, &labels, NULL);
    }
  plot->box.x = 12 + (hosts > 0 ? hosts + 12 : 0) + (labels > 0 ? labels + 10 : 60);
  plot->box.y = TOP;
  plot->box.width = fmax (width - plot->box.x - RIGHT, 0);
  plot->box.height = fmax (height - TOP - BOTTOM, 0);
}

/* Labels of rows as many as fit, hosts at the far left, lines between hosts. */
static void
draw_rows (FlwWeatherPlot *plot, cairo_t *cr)
{
  GtkWidget *widget = GTK_WIDGET (plot);
  double left = plot->box.x, top = plot->box.y, bottom = top + plot->box.height,
         right = left + plot->box.width;
  double per_row = plot->box.height / (plot->row1 - plot->row0);
  static const guint steps[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096, 16384 };
  guint step = steps[G_N_ELEMENTS (steps) - 1];

  for (guint i = G_N_ELEMENTS (steps); i-- > 0;)
    if (steps[i] * per_row >= 18)
      step = steps[i];
  for (guint r = 0; r < flw_weather_n_rows (plot);)
    {
      guint end = host_end (plot, r);
      double y0 = flw_weather_row_y (plot, r), y1 = flw_weather_row_y (plot, end);
      double seen0 = fmax (y0, top), seen1 = fmin (y1, bottom);

      if (y0 > top && y0 < bottom && r > 0)
        {
          cairo_set_line_width (cr, 3); /* dark and light: seen on any colour */
          flw_set_source (cr, FLW_GROUND, 1);
          cairo_move_to (cr, 8, round (y0) - 0.5);
          cairo_line_to (cr, right, round (y0) - 0.5);
          cairo_stroke_preserve (cr);
          cairo_set_line_width (cr, 1);
          flw_set_source (cr, FLW_TEXT, 1);
          cairo_stroke (cr);
        }
      if (row_at (plot, r)->host != NULL && seen1 - seen0 >= 16)
        flw_text_draw (widget, cr, FLW_POINTS_SMALL, row_at (plot, r)->host, 12, (seen0 + seen1) / 2, 0, 0.5,
                       FLW_TEXT);
      for (guint i = r; i < end; i += step)
        {
          double y = flw_weather_row_y (plot, i + 0.5);
          g_autofree char *label = NULL;

          if (y < top || y > bottom || (i > r && y1 - y < 4))
            continue;
          y = CLAMP (y, top + 8, bottom - 8);
          label = row_label (plot, i);
          flw_text_draw (widget, cr, FLW_POINTS_SMALL, label, left - 8, y, 1, 0.5, FLW_DIM);
        }
      r = end;
    }
}

static void
draw_chrome (GtkWidget *widget, cairo_t *cr)
{
  FlwWeatherPlot *plot = FLW_WEATHER_PLOT (widget);
  FlwBox edge = { plot->box.x, plot->box.y + plot->box.height, plot->box.width, 0 };

  flw_chrome_x_axis (widget, cr, plot->axis, &edge, edge.y);
  flw_set_source (cr, FLW_RULE, 1);
  cairo_set_line_width (cr, 1);
  cairo_rectangle (cr, plot->box.x - 0.5, plot->box.y - 0.5, plot->box.width + 1, plot->box.height + 1);
  cairo_stroke (cr);
  if (flw_weather_n_rows (plot) > 0)
    draw_rows (plot, cr);
}

/* --- marks --- */

static void
mark_shape (cairo_t *cr, FlwWeatherMarkKind kind, double x, double y, double size)
{
  double h = size / 2;

  if (kind == FLW_MARK_UNFINISHED)
    {
      cairo_move_to (cr, x - h, y - h);
      cairo_line_to (cr, x + h, y + h);
      cairo_move_to (cr, x + h, y - h);
      cairo_line_to (cr, x - h, y + h);
      cairo_set_line_width (cr, 4.5);
      flw_set_source (cr, FLW_GROUND, 1);
      cairo_stroke_preserve (cr);
      cairo_set_line_width (cr, 2.2);
      flw_set_source (cr, flw_class_colour (FLW_CLASS_FAILED), 1);
      cairo_stroke (cr);
      return;
    }
  cairo_move_to (cr, x - h, y - h);
  cairo_line_to (cr, x + h, y);
  cairo_line_to (cr, x - h, y + h);
  cairo_close_path (cr);
  flw_set_source (cr, kind == FLW_MARK_STALLED ? flw_class_colour (FLW_CLASS_FAILED) : FLW_GROUND, 1);
  cairo_fill_preserve (cr);
  cairo_set_line_width (cr, kind == FLW_MARK_STALLED ? 1.2 : 1.5);
  flw_set_source (cr, FLW_TEXT, 1);
  cairo_stroke (cr);
}

/* What goes on is shown where the present is; the stalled at the edge when the view ends before it. */
static gboolean
mark_visible (FlwWeatherPlot *plot, const FlwWeatherMark *mark)
{
  return mark->kind != FLW_MARK_IN_FLIGHT || plot->now == 0
         || (double) plot->now * 1e-9 <= flw_axis_get_upper (plot->axis);
}

/* Where a mark's shape is: at the present for what goes on, where it began for what ended. */
static void
mark_place (FlwWeatherPlot *plot, const FlwWeatherMark *mark, double *x, double *y)
{
  gint64 at = mark->kind == FLW_MARK_UNFINISHED || plot->now == 0 ? mark->since : plot->now;

  *x = flw_axis_to_px (plot->axis, &plot->box, (double) at * 1e-9);
  if (mark->kind != FLW_MARK_UNFINISHED)
    *x = CLAMP (*x, plot->box.x + MARK, plot->box.x + plot->box.width - MARK);
  *y = flw_weather_row_y (plot, mark->row + 0.5);
}

static double
mark_age (FlwWeatherPlot *plot, const FlwWeatherMark *mark)
{
  return plot->now > mark->since ? (double) (plot->now - mark->since) * 1e-9 : 0;
}

static void
draw_mark (FlwWeatherPlot *plot, cairo_t *cr, const FlwWeatherMark *mark)
{
  double per_row = plot->box.height / (plot->row1 - plot->row0), x, y, from;

  mark_place (plot, mark, &x, &y);
  if (y < plot->box.y || y > plot->box.y + plot->box.height)
    return;
  if (mark->kind == FLW_MARK_UNFINISHED)
    {
      mark_shape (cr, mark->kind, x, y, MARK - 2);
      return;
    }
  from = fmax (flw_axis_to_px (plot->axis, &plot->box, (double) mark->since * 1e-9), plot->box.x);
  flw_set_source (cr, mark->kind == FLW_MARK_STALLED ? flw_class_colour (FLW_CLASS_FAILED) : FLW_TEXT, 0.9);
  cairo_set_line_width (cr, mark->kind == FLW_MARK_STALLED ? 2 : 1);
  cairo_move_to (cr, fmin (from, x), round (y) + 0.5);
  cairo_line_to (cr, x, round (y) + 0.5);
  cairo_stroke (cr);
  /* In flight is the ordinary state of every rank: where rows are thin, a tick is enough. */
  if (mark->kind == FLW_MARK_STALLED || per_row >= 8)
    mark_shape (cr, mark->kind, x, y, mark->kind == FLW_MARK_STALLED ? MARK : fmin (MARK - 2, per_row));
}

static void
draw_marks (GtkWidget *widget, cairo_t *cr)
{
  FlwWeatherPlot *plot = FLW_WEATHER_PLOT (widget);
  double labelled = -100;

  cairo_rectangle (cr, plot->box.x, plot->box.y, plot->box.width, plot->box.height);
  cairo_clip (cr);
  /* The stalled come last, on top. */
  for (int pass = 0; pass < 2; pass++)
    for (guint i = 0; i < plot->marks->len; i++)
      {
        const FlwWeatherMark *mark = &g_array_index (plot->marks, FlwWeatherMark, i);
        if ((mark->kind == FLW_MARK_STALLED) == (pass == 1) && mark_visible (plot, mark))
          draw_mark (plot, cr, mark);
      }
  for (guint i = 0; i < plot->marks->len; i++)
    {
      const FlwWeatherMark *mark = &g_array_index (plot->marks, FlwWeatherMark, i);
      g_autofree char *age = NULL, *text = NULL;
      double x, y;
      int width, height;

      if (mark->kind != FLW_MARK_STALLED)
        continue;
      mark_place (plot, mark, &x, &y);
      if (y < plot->box.y || y > plot->box.y + plot->box.height || fabs (y - labelled) < 18)
        continue;
      labelled = y;
      age = flw_format_age (mark_age (plot, mark));
      text = g_strdup_printf (_ ("stalled %s"), age);
      flw_text_size (widget, FLW_POINTS_SMALL, text, &width, &height);
      x = x + MARK + width + 8 < plot->box.x + plot->box.width ? x + MARK : x - MARK - width - 8;
      y = CLAMP (y, plot->box.y + height / 2., plot->box.y + plot->box.height - height / 2.);
      flw_set_source (cr, FLW_PLATE, 0.92);
      cairo_rectangle (cr, x - 4, y - height / 2., width + 8, height);
      cairo_fill (cr);
      flw_text_draw (widget, cr, FLW_POINTS_SMALL, text, x, y, 0, 0.5, flw_tone_colour (FLW_TONE_BAD));
    }
}

const FlwWeatherMark *
flw_weather_mark_at (FlwWeatherPlot *plot, double x, double y)
{
  const FlwWeatherMark *best = NULL;
  double nearest = MARK;

  for (guint i = 0; i < plot->marks->len; i++)
    {
      const FlwWeatherMark *mark = &g_array_index (plot->marks, FlwWeatherMark, i);
      double mx, my, distance;
      if (!mark_visible (plot, mark))
        continue;
      mark_place (plot, mark, &mx, &my);
      distance = hypot (mx - x, my - y);
      if (distance < nearest)
        {
          nearest = distance;
          best = mark;
        }
    }
  return best;
}

static void
count_marks (FlwWeatherPlot *plot, guint counts[3])
{
  memset (counts, 0, 3 * sizeof *counts);
  for (guint i = 0; i < plot->marks->len; i++)
    counts[MIN (g_array_index (plot->marks, FlwWeatherMark, i).kind, FLW_MARK_UNFINISHED)]++;
}

/* --- legend --- */

static void
draw_legend (GtkWidget *widget, cairo_t *cr)
{
  FlwWeatherPlot *plot = FLW_WEATHER_PLOT (widget);
  const char *names[3] = { _ ("in flight"), _ ("stalled"), _ ("unfinished") };
  double x = plot->box.x, y = TOP / 2.;
  guint marks[3];

  if (plot->by == FLW_WEATHER_BY_STAGE)
    for (guint s = 1; s <= FLW_WEATHER_STAGES; s++)
      x = flw_chrome_key (widget, cr, x, y, flw_stage_colour (s), flw_stage_name (s));
  else
    for (guint c = 0; c < FLW_CLASS_LAST; c++)
      {
        if (plot->unindexed && c == FLW_CLASS_INDEXED)
          continue;
        g_autofree char *count = flw_format_count (plot->data->counts[c]);
        g_autofree char *text = g_strdup_printf ("%s %s", count, class_name (plot, c));
        x = flw_chrome_key (widget, cr, x, y, flw_class_colour ((FlwClass) c), text);
      }
  x += 8;
  count_marks (plot, marks);
  for (guint k = 0; k < 3; k++)
    {
      g_autofree char *text = g_strdup_printf ("%u %s", marks[k], names[k]);
      if (marks[k] == 0)
        continue;
      mark_shape (cr, (FlwWeatherMarkKind) k, x + MARK / 2., y, MARK);
      x += MARK + 7;
      x += flw_text_draw (widget, cr, FLW_POINTS_SMALL, text, x, y, 0, 0.5,
                          k == FLW_MARK_STALLED ? flw_tone_colour (FLW_TONE_BAD) : FLW_TEXT)
           + 18;
    }
}

/* --- what moves --- */

static void
append_durations (GString *text, const FlwChunk *chunk, guint entry)
{
  gint64 total = (gint64) chunk->duration[entry] * 1000;

  g_string_append_printf (text, _ ("\n%.3g ms:"), (double) total * 1e-6);
  for (guint s = 0; s < FLW_WEATHER_STAGES; s++)
    {
      double ms =
          (double) (flw_chunk_stage_start (chunk, entry, s + 1) - flw_chunk_stage_start (chunk, entry, s))
          * 1e-6;
      if (ms > 0)
        g_string_append_printf (text, " %s %.3g", flw_stage_name (s + 1), ms);
    }
}

static char *
hover_text (FlwWeatherPlot *plot)
{
  guint64 counts[FLW_CLASS_LAST], total = 0;
  GString *text = g_string_new (NULL);
  const FlwWeatherMark *mark = flw_weather_mark_at (plot, plot->hover_x, plot->hover_y);
  g_autofree char *when = NULL, *name = NULL;
  FlwWeatherHit hit;
  guint first, end;
  gint64 from, to;

  flw_weather_pixel (plot, plot->hover_x, plot->hover_y, &first, &end, &from, &to);
  when = flw_axis_format (plot->axis, (double) from * 1e-9);
  name = flw_weather_row_name (plot, first);
  g_string_append_printf (text, end > first + 1 ? _ ("%s   %s … %u") : "%s   %s", when, name, end - 1);
  if (mark != NULL)
    {
      g_autofree char *age = flw_format_age (mark_age (plot, mark));
      static const char *const what[] = { N_ ("in flight"), N_ ("stalled"), N_ ("unfinished") };
      g_autofree char *mark_name =
          flw_weather_row_name (plot, MIN (mark->row, flw_weather_n_rows (plot) - 1));
      g_string_append_printf (text, "\n%s: %s, %s, %s", mark_name, _ (what[MIN (mark->kind, 2)]),
                              flw_stage_name (mark->stage), age);
    }
  flw_weather_data_count (plot->data, first, end, from, to, counts, &hit);
  for (guint c = 0; c < FLW_CLASS_LAST; c++)
    total += counts[c];
  if (total == 0)
    g_string_append (text, _ ("\nnothing"));
  else
    g_string_append_c (text, '\n');
  for (guint c = FLW_CLASS_LAST, n = 0; c-- > 0;)
    if (counts[c] > 0)
      {
        g_autofree char *count = flw_format_count (counts[c]);
        g_string_append_printf (text, "%s%s %s", n++ > 0 ? ", " : "", count, class_name (plot, c));
      }
  if (total == 1)
    append_durations (text, hit.chunk, hit.entry);
  return g_string_free (text, FALSE);
}

static void
draw_hover (FlwWeatherPlot *plot, GtkSnapshot *snapshot)
{
  graphene_rect_t rect = flw_box_rect (&plot->box);
  g_autofree char *text = NULL;
  guint first, end;
  gint64 from, to;

  if (!flw_weather_pixel (plot, plot->hover_x, plot->hover_y, &first, &end, &from, &to))
    return;
  flw_fill (snapshot, floor (plot->hover_x), plot->box.y, 1, plot->box.height, FLW_TEXT, 0.5);
  flw_fill (snapshot, plot->box.x, floor (plot->hover_y), plot->box.width, 1, FLW_TEXT, 0.3);
  text = hover_text (plot);
  flw_text_callout (GTK_WIDGET (plot), snapshot, text, plot->hover_x, plot->hover_y, &rect);
}

static void
draw_brush (FlwWeatherPlot *plot, GtkSnapshot *snapshot)
{
  double left = plot->box.x, right = left + plot->box.width;
  double x0 = CLAMP (flw_axis_to_px (plot->axis, &plot->box, plot->brush_from), left, right);
  double x1 = CLAMP (flw_axis_to_px (plot->axis, &plot->box, plot->brush_to), left, right);

  flw_fill (snapshot, x0, plot->box.y, x1 - x0, plot->box.height, FLW_FOCUS, 0.18);
  flw_fill (snapshot, x0, plot->box.y, 1, plot->box.height, FLW_FOCUS, 1);
  flw_fill (snapshot, x1 - 1, plot->box.y, 1, plot->box.height, FLW_FOCUS, 1);
}

void
flw_weather_draw (FlwWeatherPlot *plot, GtkSnapshot *snapshot)
{
  GtkWidget *widget = GTK_WIDGET (plot);
  FlwBox all = { 0, TOP, gtk_widget_get_width (widget), gtk_widget_get_height (widget) - TOP };
  FlwBox top = { 0, 0, all.width, TOP - 1 };

  if (plot->chrome == NULL)
    plot->chrome = flw_chrome_node (widget, &all, draw_chrome);
  if (plot->legend == NULL)
    plot->legend = flw_chrome_node (widget, &top, draw_legend);
  if (plot->mark_shapes == NULL && plot->marks->len > 0)
    plot->mark_shapes = flw_chrome_node (widget, &plot->box, draw_marks);
  gtk_snapshot_append_node (snapshot, plot->chrome);
  gtk_snapshot_append_node (snapshot, plot->legend);
  if (plot->now != 0)
    {
      double x = floor (flw_axis_to_px (plot->axis, &plot->box, (double) plot->now * 1e-9));
      if (x >= plot->box.x && x < plot->box.x + plot->box.width)
        flw_fill (snapshot, x, plot->box.y, 1, plot->box.height, FLW_DIM, 1);
    }
  if (plot->marks->len > 0)
    gtk_snapshot_append_node (snapshot, plot->mark_shapes);
  if (plot->brushed)
    draw_brush (plot, snapshot);
  draw_hover (plot, snapshot);
}

char *
flw_weather_summary (FlwWeatherPlot *plot)
{
  guint n = flw_weather_n_rows (plot), hosts = 0, marks[3];
  GString *text = g_string_new (NULL);
  const FlwWeatherMark *oldest = NULL;

  if (n == 0)
    return g_string_free (g_string_append (text, _ ("no ranks yet")), FALSE);
  for (guint r = 0; r < n; r = host_end (plot, r))
    hosts += row_at (plot, r)->host != NULL;
  g_string_append_printf (text, ngettext ("%u rank", "%u ranks", n), n);
  if (hosts > 0)
    g_string_append_printf (text, ngettext (" on %u host", " on %u hosts", hosts), hosts);
  if (plot->data->n_events > 0)
    {
      g_autofree char *from = flw_axis_format (plot->axis, (double) plot->data->first * 1e-9);
      g_autofree char *to = flw_axis_format (plot->axis, (double) plot->data->last * 1e-9);
      g_autofree char *events = flw_format_count (plot->data->n_events);
      g_string_append_printf (text, _ (", %s to %s: %s shots:"), from, to, events);
      for (guint c = 0; c < FLW_CLASS_LAST; c++)
        {
          if (plot->unindexed && c == FLW_CLASS_INDEXED)
            continue;
          g_autofree char *count = flw_format_count (plot->data->counts[c]);
          g_string_append_printf (text, "%s %s %s", c > 0 ? "," : "", count, class_name (plot, c));
        }
    }
  count_marks (plot, marks);
  for (guint i = 0; i < plot->marks->len; i++)
    {
      const FlwWeatherMark *mark = &g_array_index (plot->marks, FlwWeatherMark, i);
      if (mark->kind == FLW_MARK_STALLED && (oldest == NULL || mark->since < oldest->since))
        oldest = mark;
    }
  g_string_append_printf (text, _ ("; %u in flight, %u stalled"), marks[FLW_MARK_IN_FLIGHT],
                          marks[FLW_MARK_STALLED]);
  if (oldest != NULL)
    {
      g_autofree char *age = flw_format_age (mark_age (plot, oldest));
      g_autofree char *name = flw_weather_row_name (plot, MIN (oldest->row, n - 1));
      g_string_append_printf (text, _ (" (oldest %s, %s)"), age, name);
    }
  g_string_append_printf (text, _ (", %u unfinished"), marks[FLW_MARK_UNFINISHED]);
  return g_string_free (text, FALSE);
}
