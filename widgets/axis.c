#include "widgets/axis.h"

#include <gtk/gtk.h>
#include <math.h>
#include <time.h>

#include "widgets/theme.h"

struct _FlwAxis
{
  GObject parent_instance;
  FlwAxisKind kind;
  char *title, *unit;
  double lower, upper;
  double limit_lower, limit_upper;
  double min_span;
  guint follow : 1;
  guint has_limits : 1;
};

enum
{
  PROP_FOLLOW = 1
};

enum
{
  RANGE_CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlwAxis, flw_axis, G_TYPE_OBJECT)

static void
flw_axis_finalize (GObject *object)
{
  FlwAxis *axis = FLW_AXIS (object);
  g_free (axis->title);
  g_free (axis->unit);
  G_OBJECT_CLASS (flw_axis_parent_class)->finalize (object);
}

static void
flw_axis_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  (void) id;
  (void) pspec;
  g_value_set_boolean (value, FLW_AXIS (object)->follow);
}

static void
flw_axis_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  (void) id;
  (void) pspec;
  flw_axis_set_follow (FLW_AXIS (object), g_value_get_boolean (value));
}

static void
flw_axis_class_init (FlwAxisClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize = flw_axis_finalize;
  object_class->get_property = flw_axis_get_property;
  object_class->set_property = flw_axis_set_property;
  g_object_class_install_property (
      object_class, PROP_FOLLOW,
      g_param_spec_boolean ("follow", NULL, NULL, TRUE,
                            G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS));
  signals[RANGE_CHANGED] =
      g_signal_new ("range-changed", FLW_TYPE_AXIS, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
flw_axis_init (FlwAxis *axis)
{
  axis->upper = axis->limit_upper = 1;
  axis->follow = TRUE;
}

FlwAxis *
flw_axis_new (FlwAxisKind kind, const char *title, const char *unit)
{
  FlwAxis *axis = g_object_new (FLW_TYPE_AXIS, NULL);

  axis->kind = kind;
  axis->title = g_strdup (title);
  axis->unit = g_strdup (unit);
  axis->min_span = kind == FLW_AXIS_COUNT ? 10 : kind == FLW_AXIS_TIME ? 1e-3 : 1e-9;
  return axis;
}

FlwAxisKind
flw_axis_get_kind (FlwAxis *axis)
{
  return axis->kind;
}

const char *
flw_axis_get_title (FlwAxis *axis)
{
  return axis->title;
}

double
flw_axis_get_lower (FlwAxis *axis)
{
  return axis->lower;
}

double
flw_axis_get_upper (FlwAxis *axis)
{
  return axis->upper;
}

double
flw_axis_get_limit_lower (FlwAxis *axis)
{
  return axis->limit_lower;
}

double
flw_axis_get_limit_upper (FlwAxis *axis)
{
  return axis->limit_upper;
}

gboolean
flw_axis_get_follow (FlwAxis *axis)
{
  return axis->follow;
}

void
flw_axis_set_min_span (FlwAxis *axis, double span)
{
  axis->min_span = span;
}

void
flw_axis_set_range (FlwAxis *axis, double lower, double upper)
{
  if (!isfinite (lower) || !isfinite (upper))
    return;
  if (upper - lower < axis->min_span)
    {
      double middle = 0.5 * (lower + upper);
      lower = middle - 0.5 * axis->min_span;
      upper = middle + 0.5 * axis->min_span;
    }
  if (lower == axis->lower && upper == axis->upper)
    return;
  axis->lower = lower;
  axis->upper = upper;
  g_signal_emit (axis, signals[RANGE_CHANGED], 0);
}

void
flw_axis_set_follow (FlwAxis *axis, gboolean follow)
{
  if (axis->follow == !!follow)
    return;
  axis->follow = !!follow;
  g_object_notify (G_OBJECT (axis), "follow");
}

/* Growing data must not move the picture at every update (each move redraws everything): the range goes
 * ahead of the data by a tenth, or a quarter window, and stays until the data reach it. */
void
flw_axis_set_limits (FlwAxis *axis, double lower, double upper)
{
  gboolean all = !axis->has_limits || axis->lower <= axis->limit_lower;
  double span = axis->upper - axis->lower;

  if (!isfinite (lower) || !isfinite (upper))
    return;
  if (axis->has_limits && axis->limit_lower == lower && axis->limit_upper == upper)
    return;
  all = all && axis->follow;
  axis->limit_lower = lower;
  axis->limit_upper = upper;
  if (!axis->has_limits)
    {
      axis->has_limits = TRUE;
      flw_axis_fit (axis);
    }
  else if (axis->follow && all && (upper > axis->upper || lower < axis->lower))
    flw_axis_set_range (axis, lower, upper > axis->upper ? upper + 0.1 * (upper - lower) : axis->upper);
  else if (axis->follow && upper > axis->upper)
    flw_axis_set_range (axis, upper - 0.75 * span, upper + 0.25 * span);
}

void
flw_axis_zoom (FlwAxis *axis, double factor, double at)
{
  double lower = at - (at - axis->lower) / factor, upper = at + (axis->upper - at) / factor;
  double span = fmax (axis->limit_upper - axis->limit_lower, axis->min_span);

  if (factor > 1 && axis->upper - axis->lower <= axis->min_span)
    return;
  /* Zooming out ends at the data with a little air. */
  if (factor < 1 && upper - lower > 1.2 * span)
    {
      lower = fmax (lower, axis->limit_lower - 0.1 * span);
      upper = fmin (upper, axis->limit_upper + 0.1 * span);
      if (upper - lower < span)
        {
          lower = axis->limit_lower;
          upper = axis->limit_upper;
        }
    }
  flw_axis_set_range (axis, lower, upper);
  if (axis->upper < axis->limit_upper)
    flw_axis_set_follow (axis, FALSE);
}

void
flw_axis_pan (FlwAxis *axis, double by)
{
  double span = axis->upper - axis->lower;

  /* Half a window beyond the data, no further. */
  by = fmin (by, fmax (axis->limit_upper + 0.5 * span - axis->upper, 0));
  by = fmax (by, fmin (axis->limit_lower - 0.5 * span - axis->lower, 0));
  flw_axis_set_range (axis, axis->lower + by, axis->lower + by + span);
  flw_axis_set_follow (axis, axis->upper >= axis->limit_upper);
}

void
flw_axis_fit (FlwAxis *axis)
{
  double span = axis->limit_upper - axis->limit_lower;

  flw_axis_set_follow (axis, TRUE);
  flw_axis_set_range (axis, axis->limit_lower, axis->limit_upper + 0.03 * span);
}

void
flw_axis_reset (FlwAxis *axis)
{
  axis->has_limits = FALSE;
  flw_axis_set_follow (axis, TRUE);
}

/* --- ticks --- */

static double
nice_step (double span, guint most)
{
  double rough = span / MAX (most - 1, 1), power = pow (10, floor (log10 (rough)));

  for (const double *m = (const double[]){ 1, 2, 5, 10, 0 }; *m != 0; m++)
    if (*m * power >= rough * (1 - 1e-9))
      return *m * power;
  return 10 * power;
}

static double
time_step (double span, guint most)
{
  static const double steps[] = { 1,   2,    5,    10,   15,    30,    60,    120,   300,    600,
                                  900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800 };
  double rough = span / MAX (most - 1, 1);

  if (rough < 1)
    return nice_step (span, most);
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    if (steps[i] >= rough)
      return steps[i];
  return 86400 * nice_step (span / 86400, most);
}

static void
format_number (double value, double step, char *text, gsize size)
{
  static const struct
  {
    double scale;
    const char *prefix;
  } prefixes[] = { { 1e9, " G" }, { 1e6, " M" }, { 1e3, " k" } };
  int decimals;

  if (fabs (value) < step * 1e-6)
    value = 0;
  for (guint i = 0; i < G_N_ELEMENTS (prefixes); i++)
    if (fabs (value) >= prefixes[i].scale * (prefixes[i].scale == 1e3 ? 10 : 1)
        && step >= prefixes[i].scale / 1000)
      {
        decimals = (int) fmax (0, -floor (log10 (step / prefixes[i].scale) + 1e-9));
        g_snprintf (text, size, "%.*f%s", MIN (decimals, 6), value / prefixes[i].scale, prefixes[i].prefix);
        return;
      }
  decimals = (int) fmax (0, -floor (log10 (step) + 1e-9));
  g_snprintf (text, size, "%.*f", MIN (decimals, 9), value);
}

static void
format_time (double value, double step, char *text, gsize size)
{
  double whole = floor (value + 1e-6);
  time_t seconds = (time_t) whole;
  struct tm tm;
  gsize n;

  localtime_r (&seconds, &tm);
  if (step >= 86400)
    strftime (text, size, "%e %b", &tm);
  else if (step >= 60)
    strftime (text, size, "%H:%M", &tm);
  else
    {
      n = strftime (text, size, "%H:%M:%S", &tm);
      if (step < 1)
        {
          int decimals = CLAMP ((int) ceil (-log10 (step) - 1e-9), 1, 6);
          double fraction = fmin (fmax (value - whole, 0), 1 - 0.5 * pow (10, -decimals));
          char tail[16];
          g_snprintf (tail, sizeof tail, "%.*f", decimals, fraction);
          g_strlcpy (text + n, tail + 1, size - n);
        }
    }
}

/* d in round Å, the best known first, as many as keep a distance of span / most. */
static guint
resolution_ticks (FlwAxis *axis, guint most, FlwTick *ticks)
{
  /* Of crystals; molecules, whose speckles are counted from the middle of the pattern. */
  static const double d[] = { 2,   3,   1.5, 5,   10,   1,    4,    2.5,  1.8,  1.2, 20,
                              50,  7,   3.5, 1.6, 1.4,  2.2,  1.1,  0.9,  0.8,  1.3, 1.7,
                              0.7, 1.9, 0.6, 0.5, 1.35, 1.25, 1.15, 1.05, 0.95, 0.85 };
  static const double s[] = { 20, 10, 50, 100, 30, 15, 25, 5, 12, 40, 200,
                              8,  7,  6,  4,   3,  35, 70, 2, 18, 16, 14 };
  gboolean linear = axis->kind == FLW_AXIS_FREQUENCY;
  guint n_known = linear ? G_N_ELEMENTS (s) : G_N_ELEMENTS (d);
  double gap = (axis->upper - axis->lower) / MAX (most, 1);
  guint n = 0;

  for (guint i = 0; i < n_known && n < most; i++)
    {
      double spacing = linear ? s[i] : d[i], value = linear ? 1 / spacing : 1 / (spacing * spacing);
      gboolean free = value >= axis->lower && value <= axis->upper;
      guint at = 0;

      for (guint j = 0; j < n; j++)
        {
          free = free && fabs (ticks[j].value - value) >= gap * 0.7;
          at += ticks[j].value < value;
        }
      if (!free)
        continue;
      memmove (ticks + at + 1, ticks + at, (n - at) * sizeof *ticks);
      ticks[at].value = value;
      g_snprintf (ticks[at].label, sizeof ticks[at].label, "%g", spacing);
      n++;
    }
  return n;
}

/* Powers of ten, and where there is room their doubles and fives. */
static guint
decade_ticks (FlwAxis *axis, guint most, FlwTick *ticks)
{
  static const double parts[] = { 1, 2, 5 };
  guint used = most > 3 * (axis->upper - axis->lower) + 1 ? 3 : 1, n = 0;

  for (int decade = (int) floor (axis->lower); decade <= axis->upper; decade++)
    for (guint i = 0; i < used && n < most; i++)
      {
        double value = decade + log10 (parts[i]);
        if (value < axis->lower - 1e-9 || value > axis->upper + 1e-9)
          continue;
        ticks[n].value = value;
        format_number (parts[i] * pow (10, decade), pow (10, decade), ticks[n].label, sizeof ticks[n].label);
        n++;
      }
  return n;
}

guint
flw_axis_ticks (FlwAxis *axis, guint most, FlwTick *ticks)
{
  double span = axis->upper - axis->lower, step, first, offset = 0;
  guint n = 0;

  if (most == 0 || !(span > 0))
    return 0;
  if (axis->kind == FLW_AXIS_RESOLUTION || axis->kind == FLW_AXIS_FREQUENCY)
    return resolution_ticks (axis, most, ticks);
  if (axis->kind == FLW_AXIS_DECADES)
    return decade_ticks (axis, most, ticks);
  step = axis->kind == FLW_AXIS_TIME ? time_step (span, most) : nice_step (span, most);
  if (axis->kind == FLW_AXIS_COUNT)
    step = fmax (step, 1);
  if (axis->kind == FLW_AXIS_TIME && step >= 60) /* hours and days begin where the wall clock's do */
    {
      time_t seconds = (time_t) axis->lower;
      struct tm tm;
      localtime_r (&seconds, &tm);
      offset = (double) tm.tm_gmtoff;
    }
  first = ceil ((axis->lower + offset) / step - 1e-9);
  for (; n < most; n++)
    {
      double value = (first + n) * step - offset;
      if (value > axis->upper + 1e-9 * step)
        break;
      ticks[n].value = value;
      if (axis->kind == FLW_AXIS_TIME)
        format_time (value, step, ticks[n].label, sizeof ticks[n].label);
      else
        format_number (value, step, ticks[n].label, sizeof ticks[n].label);
    }
  return n;
}

char *
flw_axis_format (FlwAxis *axis, double value)
{
  double span = axis->upper - axis->lower;
  char text[40];

  switch (axis->kind)
    {
    case FLW_AXIS_RESOLUTION:
      return value > 0 ? g_strdup_printf ("%.2f Å", 1 / sqrt (value)) : g_strdup ("∞ Å");
    case FLW_AXIS_FREQUENCY:
      return value > 0 ? g_strdup_printf ("%.1f Å", 1 / value) : g_strdup ("∞ Å");
    case FLW_AXIS_DECADES:
      return g_strdup_printf ("%.3g%s%s", pow (10, value), axis->unit != NULL ? " " : "",
                              axis->unit != NULL ? axis->unit : "");
    case FLW_AXIS_COUNT:
      return flw_format_count ((guint64) fmax (value, 0));
    case FLW_AXIS_TIME:
      format_time (value, span > 600 ? 1 : fmax (span / 1000, 1e-6), text, sizeof text);
      return g_strdup (text);
    default:
      format_number (value, pow (10, floor (log10 (span / 100))), text, sizeof text);
      return axis->unit != NULL ? g_strdup_printf ("%s %s", text, axis->unit) : g_strdup (text);
    }
}
