#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/recent-shots.h"

/* Several trials may run at once: what is kept is a multiple of what one of them needs. */
#define KEEP 8

struct FlgRecentShots
{
  gint64 window, cursor;
  GArray *summaries; /* FlShotSummary, by `last`, newest at the end */
};

FlgRecentShots *
flg_recent_shots_new (gint64 window)
{
  FlgRecentShots *recent = g_new0 (FlgRecentShots, 1);
  recent->window = window;
  recent->summaries = g_array_new (FALSE, FALSE, sizeof (FlShotSummary));
  return recent;
}

void
flg_recent_shots_free (FlgRecentShots *recent)
{
  g_array_unref (recent->summaries);
  g_free (recent);
}

static int
by_end (gconstpointer a, gconstpointer b)
{
  guint64 x = ((const FlShotSummary *) a)->last, y = ((const FlShotSummary *) b)->last;
  return x < y ? -1 : x > y;
}

static void
forget_attempt (GArray *summaries, gint64 attempt)
{
  guint kept = 0;
  for (guint i = 0; i < summaries->len; i++)
    {
      FlShotSummary *s = &g_array_index (summaries, FlShotSummary, i);
      if (s->attempt != attempt)
        g_array_index (summaries, FlShotSummary, kept++) = *s;
    }
  g_array_set_size (summaries, kept);
}

static void
trim (FlgRecentShots *recent)
{
  gint64 shots = 0;
  guint i = recent->summaries->len;
  while (i > 0 && shots < KEEP * recent->window)
    {
      i--;
      shots += MAX (g_array_index (recent->summaries, FlShotSummary, i).shots, 0);
    }
  if (i > 0)
    g_array_remove_range (recent->summaries, 0, i);
}

gboolean
flg_recent_shots_update (FlgRecentShots *recent, FlStore *store, GError **error)
{
  g_autoptr (GArray) fresh = fl_store_summaries (store, 0, &recent->cursor, error);
  if (!fresh)
    return FALSE;
  for (guint i = 0; i < fresh->len; i++)
    {
      FlShotSummary s = g_array_index (fresh, FlShotSummary, i);
      if (s.replaces)
        forget_attempt (recent->summaries, s.attempt);
      g_array_append_val (recent->summaries, s);
    }
  if (fresh->len)
    {
      g_array_sort (recent->summaries, by_end);
      trim (recent);
    }
  return TRUE;
}

void
flg_recent_shots_count (FlgRecentShots *recent, FlStats *stats, gint64 trial, gint64 *shots, gint64 *hits,
                        gint64 *indexed)
{
  *shots = *hits = *indexed = 0;
  for (guint i = recent->summaries->len; i > 0 && *shots < recent->window; i--)
    {
      const FlShotSummary *s = &g_array_index (recent->summaries, FlShotSummary, i - 1);
      const FlJobStats *job = fl_stats_job (stats, s->job);
      if (!job || job->trial != trial)
        continue;
      *shots += s->shots;
      *hits += s->hits;
      *indexed += s->indexed;
    }
}
