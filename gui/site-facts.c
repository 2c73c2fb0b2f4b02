#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/site-facts.h"

#include <string.h>

#include "widgets/readout.h"

typedef struct
{
  FlgSiteFacts facts;
  GArray *waits; /* double, s; in the order of the attempts */
} Gathered;

static void
gathered_free (Gathered *gathered)
{
  g_array_unref (gathered->waits);
  g_free (gathered);
}

static double
seconds (guint64 from, guint64 to)
{
  return to > from ? (double) (to - from) / 1e9 : 0;
}

static void
add (Gathered *to, const FlAttempt *attempt, guint64 now)
{
  gboolean ended = fl_job_state_is_final (attempt->state) || attempt->ended;
  if (attempt->state == FL_JOB_RUNNING)
    to->facts.running++;
  else if (!ended && attempt->submitted)
    to->facts.queued++;
  if (!attempt->started)
    return;
  guint64 end = attempt->ended ? attempt->ended : ended ? attempt->started : now;
  to->facts.node_hours += MAX (attempt->n_nodes, 1) * seconds (attempt->started, end) / 3600;
  double wait = seconds (attempt->submitted, attempt->started);
  if (attempt->submitted)
    g_array_append_val (to->waits, wait);
}

static int
by_size (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return x < y ? -1 : x > y;
}

static void
take_median (Gathered *of)
{
  guint n = of->waits->len;
  if (n > FLG_SITE_WAITS)
    g_array_remove_range (of->waits, 0, n - FLG_SITE_WAITS);
  n = of->facts.waits = of->waits->len;
  g_array_sort (of->waits, by_size);
  const double *w = (const double *) (gpointer) of->waits->data;
  of->facts.wait = n == 0 ? -1 : n % 2 ? w[n / 2] : (w[n / 2 - 1] + w[n / 2]) / 2;
}

/* The facts come first in what is gathered: the table hands out these. */
GHashTable *
flg_site_facts (FlgExperiment *experiment)
{
  GHashTable *all =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, (GDestroyNotify) gathered_free);
  FlgRecordModel *attempts = flg_experiment_table (experiment, FL_TABLE_ATTEMPT);
  guint64 now = flg_experiment_now (experiment);
  for (guint i = 0; i < flg_record_model_count (attempts); i++)
    {
      const FlAttempt *attempt = flg_record_attempt (flg_record_model_at (attempts, i));
      Gathered *to = g_hash_table_lookup (all, &attempt->site);
      if (!to)
        {
          to = g_new0 (Gathered, 1);
          to->waits = g_array_new (FALSE, FALSE, sizeof (double));
          g_hash_table_insert (all, g_memdup2 (&attempt->site, sizeof attempt->site), to);
        }
      add (to, attempt, now);
    }
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, all);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    take_median (value);
  return all;
}

char *
flg_site_hours_text (const FlgSiteFacts *facts)
{
  if (!facts || facts->node_hours <= 0)
    return g_strdup ("0 h");
  return g_strdup_printf (facts->node_hours < 1     ? "%.2f h"
                          : facts->node_hours < 100 ? "%.1f h"
                                                    : "%.0f h",
                          facts->node_hours);
}

char *
flg_site_wait_text (const FlgSiteFacts *facts)
{
  return facts && facts->wait >= 0 ? flw_format_age (facts->wait) : g_strdup ("–");
}

const FlWorker *
flg_site_worker (FlgExperiment *experiment, const FlSite *site, const char *kind)
{
  FlgRecordModel *workers = flg_experiment_table (experiment, FL_TABLE_WORKER);
  gsize length = strlen (kind);
  for (guint i = 0; i < flg_record_model_count (workers); i++)
    {
      const FlWorker *worker = flg_record_worker (flg_record_model_at (workers, i));
      if (worker->site == site->id && strncmp (worker->name, kind, length) == 0
          && worker->name[length] == ':')
        return worker;
    }
  return NULL;
}
