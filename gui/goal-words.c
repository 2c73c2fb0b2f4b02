#include "gui/goal-words.h"

#include <glib/gi18n.h>
#include <math.h>

#include "gui/text.h"

typedef struct
{
  const char *word;
  FlwShape shape;
  FlwTone tone;
} Look;

static const Look looks[] = {
  [FL_VERDICT_NO_GOAL] = { N_ ("no goal"), FLW_SHAPE_DASH, FLW_TONE_NEUTRAL },
  [FL_VERDICT_NO_DATA] = { N_ ("not merged yet"), FLW_SHAPE_RING, FLW_TONE_NEUTRAL },
  [FL_VERDICT_ENOUGH] = { N_ ("enough"), FLW_SHAPE_DISC, FLW_TONE_GOOD },
  [FL_VERDICT_KEEP_GOING] = { N_ ("keep going"), FLW_SHAPE_ARROW, FLW_TONE_ACTIVE },
  [FL_VERDICT_NOT_IMPROVING] = { N_ ("not improving"), FLW_SHAPE_SQUARE, FLW_TONE_BAD },
  [FL_VERDICT_TOO_EARLY] = { N_ ("too early to say"), FLW_SHAPE_CLOCK, FLW_TONE_WARNING },
};

const char *
flg_goal_verdict_word (FlGoalVerdict verdict)
{
  return _ (looks[verdict].word);
}

void
flg_goal_show_verdict (FlwStatusChip *chip, FlGoalVerdict verdict, const char *word)
{
  flw_status_chip_set (chip, looks[verdict].shape, looks[verdict].tone, word);
}

/* Two digits: nobody knows more. */
static char *
format_more (double more)
{
  double step = more >= 10 ? pow (10, floor (log10 (more / 2)) - 1) : 1;
  return flg_format_count ((gint64) (round (more / fmax (step, 1)) * fmax (step, 1)));
}

char *
flg_goal_state_words (const FlOutlook *outlook)
{
  static const struct
  {
    const char *format;
    double factor;
  } words[FL_METRIC_LAST] = { [FL_METRIC_COMPLETENESS] = { N_ ("complete %.1f of %.1f %%"), 100 },
                              [FL_METRIC_MULTIPLICITY] = { N_ ("multiplicity %.1f of %.1f"), 1 },
                              [FL_METRIC_CC_HALF] = { N_ ("CC½ %.2f of %.2f"), 1 },
                              [FL_METRIC_CC_ANO] = { N_ ("CC ano %.2f of %.2f"), 1 } };
  const FlForecast *f = &outlook->forecast;
  const FlForecastItem *item = &f->items[f->decisive];
  if (f->n == 0)
    return g_strdup ("");
  if (isnan (item->now))
    return g_strdup (f->state);
  double factor = words[item->metric].factor;
  g_autofree char *values =
      g_strdup_printf (_ (words[item->metric].format), item->now * factor, item->goal * factor);
  if (!(f->d_min > 0) || item->metric == FL_METRIC_CC_ANO)
    return g_steal_pointer (&values);
  int digits = fabs (f->d_min * 10 - round (f->d_min * 10)) < 1e-6 ? 1 : 2; /* 2.0, 1.85 */
  return g_strdup_printf (item->metric == FL_METRIC_CC_HALF ? _ ("%s at %.*f Å") : _ ("%s to %.*f Å"), values,
                          digits, f->d_min);
}

char *
flg_goal_short_words (const FlOutlook *outlook)
{
  const FlForecast *f = &outlook->forecast;
  g_autofree char *when = fl_outlook_when (outlook);
  g_autofree char *have = flg_format_count ((gint64) f->lattices);
  if (f->verdict == FL_VERDICT_NO_DATA)
    return g_strdup (_ ("waits for the first merge"));
  if (f->verdict != FL_VERDICT_KEEP_GOING)
    return g_strdup_printf (_ ("%s lattices"), have);
  g_autofree char *more = format_more (f->needed - (double) f->lattices);
  return when ? g_strdup_printf (_ ("%s more · %s"), more, when)
              : g_strdup_printf (_ ("%s more · none coming"), more);
}

/* "18–38 min" */
static char *
format_span (double low, double high)
{
  double unit = high < 5400 ? 60 : high < 36 * 3600 ? 3600 : 86400;
  const char *name = high < 5400 ? _ ("min") : high < 36 * 3600 ? _ ("h") : _ ("days");
  int digits = high / unit < 10 ? 1 : 0;
  return g_strdup_printf ("%.*f–%.*f %s", digits, low / unit, digits, high / unit, name);
}

char *
flg_goal_long_words (const FlOutlook *outlook)
{
  const FlForecast *f = &outlook->forecast;
  if (f->verdict == FL_VERDICT_NO_DATA)
    return g_strdup (_ ("The goal is set; the forecast begins with the first merge."));
  GString *text = g_string_new (f->reason);
  g_autofree char *when = fl_outlook_when (outlook);
  if (f->verdict == FL_VERDICT_ENOUGH)
    g_string_append_printf (text, "; %s", f->state);
  if (when && isfinite (f->seconds_high))
    {
      g_autofree char *span = format_span (f->seconds_low, f->seconds_high);
      g_string_append_printf (text, _ (" · %s (%s) at %.2g/s"), when, span, outlook->rate);
    }
  else if (f->verdict == FL_VERDICT_KEEP_GOING)
    g_string_append (text, _ (" · none are coming now"));
  if (outlook->waiting >= 1)
    {
      g_autofree char *waiting = format_more (outlook->waiting);
      g_string_append_printf (text, _ (" · %s are there, not merged yet"), waiting);
    }
  return g_string_free (text, FALSE);
}
