#include <glib/gi18n.h>
#include <math.h>

#include "widgets/histogram-private.h"
#include "widgets/theme.h"

#define LEFT   54
#define RIGHT  14
#define HEADER 38
#define BOTTOM 26

FlwBox
flw_histogram_box (FlwHistogram *self)
{
  GtkWidget *widget = GTK_WIDGET (self);
  return (FlwBox){ LEFT, HEADER, fmax (gtk_widget_get_width (widget) - LEFT - RIGHT, 1),
                   fmax (gtk_widget_get_height (widget) - HEADER - BOTTOM, 1) };
}

static const char *
space (FlwHistogram *self)
{
  return g_str_equal (self->unit, "°") ? "" : "\302\240";
}

static guint64
shown_in (FlwHistogram *self, guint bin)
{
  guint64 sum = 0;

  for (guint s = 0; s < FLW_HISTOGRAM_SERIES; s++)
    sum += self->shown[s * self->counts.n_bins + bin];
  return sum;
}

static guint64
shown_total (FlwHistogram *self)
{
  guint64 sum = self->counts.below + self->counts.above;

  for (guint b = 0; b < self->counts.n_bins; b++)
    sum += shown_in (self, b);
  return sum;
}

/* --- words --- */

/* "79.10 ± 0.12"; with one more decimal where the spread has only that: "79.100 ± 0.003". */
static char *
value_text (FlwHistogram *self, double value, double spread)
{
  double least = 0.5 * pow (10, -self->decimals);
  int decimals = self->decimals + (spread < least && spread >= least / 10);
  return g_strdup_printf ("%.*f ± %.*f", decimals, value, decimals, spread);
}

static char *
fit_text (FlwHistogram *self)
{
  if (isnan (self->fit.centre))
    return NULL;
  g_autofree char *value = value_text (self, self->fit.centre, self->fit.spread);
  return g_strconcat (value, space (self), self->unit, NULL);
}

char *
flw_histogram_summary (FlwHistogram *self)
{
  GString *text = g_string_new (self->title);
  g_autofree char *count = flw_format_count (shown_total (self)), *fit = fit_text (self);
  guint64 outside = self->counts.below + self->counts.above;

  g_string_append_printf (text, _ (": %s shown"), count);
  if (!isnan (self->median))
    {
      g_autofree char *value = value_text (self, self->median, self->spread);
      g_string_append_printf (text, _ (", median %s%s%s"), value, space (self), self->unit);
    }
  if (fit != NULL)
    g_string_append_printf (text, _ (", fit %s"), fit);
  if (outside > 0)
    {
      g_autofree char *n = flw_format_count (outside);
      g_string_append_printf (text, _ (", %s outside %.*f … %.*f"), n, self->decimals, self->counts.lower,
                              self->decimals, self->counts.lower + self->counts.width * self->counts.n_bins);
    }
  if (self->to > self->from)
    g_string_append_printf (text, _ (", selected %.*f … %.*f%s%s"), self->decimals, self->from,
                            self->decimals, self->to, space (self), self->unit);
  return g_string_free (text, FALSE);
}

static char *
hover_text (FlwHistogram *self, guint bin)
{
  double from = self->counts.lower + bin * self->counts.width, to = from + self->counts.width;
  int digits = MAX (self->decimals, (int) ceil (-log10 (self->counts.width)));
  g_autofree char *shown = flw_format_count (shown_in (self, bin));
  g_autofree char *all = flw_format_count (self->all[bin]);

  return g_strdup_printf (_ ("%.*f … %.*f%s%s\n%s of %s"), digits, from, digits, to, space (self), self->unit,
                          shown, all);
}

/* --- drawing --- */

static double
fit_peak (FlwHistogram *self)
{
  return self->fit.count * self->counts.width / (self->fit.spread * sqrt (2 * G_PI));
}

/* A round number above the highest bar and the curve (not of one that a bar is too wide for); it stays while it fits, so that axes are drawn anew only when they must. */
void
flw_histogram_update_scale (FlwHistogram *self)
{
  static const double steps[] = { 1, 1.5, 2, 3, 4, 6, 8, 10 };
  double upper = flw_axis_get_upper (self->y), most = 0, power;
  guint i = 0;

  for (guint b = 0; b < self->counts.n_bins; b++)
    most = fmax (most, (double) shown_in (self, b));
  if (!isnan (self->fit.centre) && self->fit.spread > 0 && self->fit.floor + fit_peak (self) < 1.5 * most)
    most = fmax (most, self->fit.floor + fit_peak (self));
  flw_axis_set_range (self->x, self->counts.lower,
                      self->counts.lower + self->counts.width * self->counts.n_bins);
  if (most <= 0.97 * upper && most > 0.55 * upper)
    return;
  upper = fmax (most * 1.05, 4);
  power = pow (10, floor (log10 (upper)));
  while (steps[i] * power < upper)
    i++;
  flw_axis_set_range (self->y, 0, steps[i] * power);
}

/* On whole pixels: sharp, and fast to fill. */
static void
bar (cairo_t *cr, double x0, double x1, double y0, double y1)
{
  double left = round (x0), right = round (x1), gap = x1 - x0 >= 5 ? 1 : 0;

  cairo_rectangle (cr, left, round (y0), fmax (right - left - gap, 1), fmax (round (y1) - round (y0), 1));
}

static void
draw_bars (FlwHistogram *self, cairo_t *cr, const FlwBox *box, double most)
{
  guint n = self->counts.n_bins;
  double step = box->width / n, scale = box->height / most, base = box->y + box->height;

  flw_set_source (cr, FLW_RULE, 0.45);
  for (guint b = 0; b < n; b++)
    if (self->all[b] > shown_in (self, b))
      bar (cr, box->x + b * step, box->x + (b + 1) * step, base - fmin (self->all[b] * scale, box->height),
           base);
  cairo_fill (cr);
  for (guint s = 0; s < FLW_HISTOGRAM_SERIES; s++)
    {
      flw_set_source (cr, self->colours[s], 1);
      for (guint b = 0; b < n; b++)
        {
          double under = 0;
          for (guint k = 0; k < s; k++)
            under += self->shown[k * n + b];
          if (self->shown[s * n + b] > 0)
            bar (cr, box->x + b * step, box->x + (b + 1) * step,
                 base - (under + self->shown[s * n + b]) * scale, base - under * scale);
        }
      cairo_fill (cr);
    }
}

static void
draw_fit (FlwHistogram *self, cairo_t *cr, const FlwBox *box, double most)
{
  if (isnan (self->fit.centre) || !(self->fit.spread > 0))
    return;
  double peak = fit_peak (self);
  for (int i = 0; i <= (int) box->width; i++)
    {
      double u = (flw_axis_from_px (self->x, box, box->x + i) - self->fit.centre) / self->fit.spread;
      double value = self->fit.floor + peak * exp (-u * u / 2);
      cairo_line_to (cr, box->x + i, box->y + box->height * (1 - fmin (value / most, 1)));
    }
  cairo_set_line_join (cr, CAIRO_LINE_JOIN_BEVEL);
  cairo_set_antialias (cr, CAIRO_ANTIALIAS_FAST);
  cairo_set_line_width (cr, 3.4);
  flw_set_source (cr, FLW_GROUND, 0.8);
  cairo_stroke_preserve (cr);
  cairo_set_line_width (cr, 1.6);
  flw_set_source (cr, FLW_TEXT, 1);
  cairo_stroke (cr);
}

/* The quantity left, what was found right, in between how many lie outside at which side. */
static void
draw_words (FlwHistogram *self, cairo_t *cr, const FlwBox *box)
{
  GtkWidget *widget = GTK_WIDGET (self);
  g_autofree char *fit = fit_text (self);
  double left, right = box->x + box->width, y = 15;

  left = 14 + flw_text_draw (widget, cr, FLW_POINTS_BODY + 3, self->title, 14, y, 0, 0.5, FLW_TEXT);
  if (fit != NULL)
    right -= flw_text_draw (widget, cr, FLW_POINTS_BODY + 1, fit, right, y, 1, 0.5, FLW_TEXT);
  if (!isnan (self->median))
    {
      g_autofree char *value = value_text (self, self->median, self->spread);
      g_autofree char *text = g_strdup_printf (_ ("median %s"), value);
      int width;
      flw_text_size (widget, FLW_POINTS_SMALL, text, &width, NULL);
      if (left + width + 32 < right)
        flw_text_draw (widget, cr, FLW_POINTS_SMALL, text, (left + right) / 2, y, 0.5, 0.5, FLW_DIM);
    }
  right = box->x + box->width;
  if (self->counts.below > 0)
    {
      g_autofree char *n = flw_format_count (self->counts.below), *text = g_strdup_printf ("‹ %s", n);
      flw_text_draw (widget, cr, FLW_POINTS_SMALL, text, box->x + 4, box->y + 10, 0, 0.5, FLW_TEXT);
    }
  if (self->counts.above > 0)
    {
      g_autofree char *n = flw_format_count (self->counts.above), *text = g_strdup_printf ("%s ›", n);
      flw_text_draw (widget, cr, FLW_POINTS_SMALL, text, right - 4, box->y + 10, 1, 0.5, FLW_TEXT);
    }
}

/* Closer than on an axis that is zoomed: the range is all that tells a cell from its neighbour. */
static void
draw_ticks (FlwHistogram *self, cairo_t *cr, const FlwBox *box)
{
  GtkWidget *widget = GTK_WIDGET (self);
  double base = box->y + box->height, labelled = 0;
  FlwTick ticks[16];
  guint n = flw_axis_ticks (self->x, CLAMP ((guint) (box->width / 48), 2, G_N_ELEMENTS (ticks)), ticks);

  flw_set_source (cr, FLW_RULE, 1);
  for (guint i = 0; i < n; i++)
    cairo_rectangle (cr, round (flw_axis_to_px (self->x, box, ticks[i].value)), base, 1, 4);
  cairo_fill (cr);
  for (guint i = 0; i < n; i++)
    {
      double x = flw_axis_to_px (self->x, box, ticks[i].value);
      int width;
      flw_text_size (widget, FLW_POINTS_SMALL, ticks[i].label, &width, NULL);
      if (x - width / 2. < labelled || x + width / 2. > box->x + box->width + RIGHT)
        continue;
      flw_text_draw (widget, cr, FLW_POINTS_SMALL, ticks[i].label, x, base + 5, 0.5, 0, FLW_DIM);
      labelled = x + width / 2. + 8;
    }
}

static void
draw_under (GtkWidget *widget, cairo_t *cr)
{
  FlwHistogram *self = FLW_HISTOGRAM (widget);
  FlwBox box = flw_histogram_box (self);

  flw_chrome_y_axis (widget, cr, self->y, &box);
  draw_ticks (self, cr, &box);
  flw_set_source (cr, FLW_RULE, 1);
  cairo_rectangle (cr, box.x, box.y + box.height - 1, box.width, 1);
  cairo_fill (cr);
}

static void
draw (GtkWidget *widget, cairo_t *cr)
{
  FlwHistogram *self = FLW_HISTOGRAM (widget);
  FlwBox box = flw_histogram_box (self);

  draw_words (self, cr, &box);
  if (self->counts.n_bins == 0)
    return;
  draw_bars (self, cr, &box, flw_axis_get_upper (self->y));
  draw_fit (self, cr, &box, flw_axis_get_upper (self->y));
}

static double
px_of (FlwHistogram *self, const FlwBox *box, double value)
{
  double x = (value - self->counts.lower) / (self->counts.width * self->counts.n_bins);
  return box->x + CLAMP (x, 0, 1) * box->width;
}

void
flw_histogram_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  FlwHistogram *self = FLW_HISTOGRAM (widget);
  FlwBox box = flw_histogram_box (self),
         all = { 0, 0, gtk_widget_get_width (widget), gtk_widget_get_height (widget) };
  graphene_rect_t bounds = flw_box_rect (&all);

  flw_fill (snapshot, 0, 0, all.width, all.height, FLW_GROUND, 1);
  if (self->under == NULL && self->counts.n_bins > 0)
    self->under = flw_chrome_node (widget, &all, draw_under);
  if (self->under != NULL && self->counts.n_bins > 0)
    gtk_snapshot_append_node (snapshot, self->under);
  if (self->picture == NULL)
    self->picture = flw_chrome_node (widget, &all, draw);
  gtk_snapshot_append_node (snapshot, self->picture);
  if (self->counts.n_bins > 0 && self->to > self->from)
    {
      double x0 = px_of (self, &box, self->from), x1 = px_of (self, &box, self->to);
      flw_fill (snapshot, x0, box.y, fmax (x1 - x0, 1), box.height, FLW_FOCUS, 0.22);
      flw_fill (snapshot, x0, box.y, 1, box.height, FLW_FOCUS, 1);
      flw_fill (snapshot, fmax (x1 - 1, x0), box.y, 1, box.height, FLW_FOCUS, 1);
    }
  if (self->counts.n_bins > 0 && self->hover >= box.x && self->hover < box.x + box.width)
    {
      guint bin =
          MIN ((guint) ((self->hover - box.x) / box.width * self->counts.n_bins), self->counts.n_bins - 1);
      g_autofree char *text = hover_text (self, bin);
      flw_fill (snapshot, floor (self->hover), box.y, 1, box.height, FLW_TEXT, 0.5);
      flw_text_callout (widget, snapshot, text, self->hover, box.y + box.height / 3, &bounds);
    }
  flw_draw_focus (widget, snapshot);
}
