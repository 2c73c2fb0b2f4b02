#include <string.h>

#include "engine/control/findings-private.h"

#define MAX_SPANS 3

/* The trial's jobs in the order of their runs, and where each run stands there. */
typedef struct
{
  GArray *jobs;          /* const FlJobView * */
  GHashTable *positions; /* job -> place among the runs + 1 */
  GPtrArray *names;      /* of the runs, borrowed */
} Order;

static int
compare_runs (gconstpointer a, gconstpointer b)
{
  const FlJobView *x = *(const FlJobView *const *) a, *y = *(const FlJobView *const *) b;
  int order = fl_run_name_compare (x->run, y->run);
  return order != 0 ? order : x->stats.job < y->stats.job ? -1 : x->stats.job > y->stats.job;
}

static void
order_runs (const GArray *trial, Order *order)
{
  *order = (Order){ g_array_new (FALSE, FALSE, sizeof (FlJobView *)),
                    g_hash_table_new (g_int64_hash, g_int64_equal), g_ptr_array_new () };
  for (guint i = 0; i < trial->len; i++)
    {
      const FlJobView *job = &g_array_index (trial, FlJobView, i);
      g_array_append_val (order->jobs, job);
    }
  g_array_sort (order->jobs, compare_runs);
  for (guint i = 0; i < order->jobs->len; i++)
    {
      const FlJobView *job = g_array_index (order->jobs, const FlJobView *, i);
      const FlJobView *before = i > 0 ? g_array_index (order->jobs, const FlJobView *, i - 1) : NULL;
      if (before == NULL || before->stats.run != job->stats.run)
        g_ptr_array_add (order->names, (gpointer) job->run);
      g_hash_table_insert (order->positions, (gpointer) &job->evidence->job,
                           GUINT_TO_POINTER (order->names->len));
    }
}

static guint
position (const Order *order, gint64 job)
{
  return GPOINTER_TO_UINT (g_hash_table_lookup (order->positions, &job)) - 1;
}

/* "r0012", "12 runs, r0012–r0023", "5 runs, r0001–r0003, r0007, r0009", "20 runs, r0001 … r0040". `shown` [n runs] */
static char *
describe_runs (const Order *order, const gboolean *shown, guint n, guint last)
{
  g_autoptr (GString) spans = g_string_new (NULL);
  guint n_spans = 0, first = 0;
  for (guint i = 0; i <= last; i++)
    {
      if (!shown[i] || (i > 0 && shown[i - 1]))
        continue;
      guint end = i;
      while (end < last && shown[end + 1])
        end++;
      first = n_spans == 0 ? i : first;
      g_string_append_printf (spans, "%s%s", n_spans > 0 ? ", " : "", (char *) order->names->pdata[i]);
      if (end > i)
        g_string_append_printf (spans, "–%s", (char *) order->names->pdata[end]);
      n_spans++;
    }
  if (n == 1)
    return g_string_free (g_steal_pointer (&spans), FALSE);
  if (n_spans > MAX_SPANS)
    g_string_printf (spans, "%s … %s", (char *) order->names->pdata[first],
                     (char *) order->names->pdata[last]);
  return g_strdup_printf ("%u runs, %s", n, spans->str);
}

/* The first run after `last` that is without it; NULL: there is none that could tell. */
static const char *
run_without (const Order *order, FlFindingKind kind, guint last)
{
  for (guint i = 0; i < order->jobs->len; i++)
    {
      const FlJobView *job = g_array_index (order->jobs, const FlJobView *, i);
      if (position (order, job->stats.job) > last && fl_findings_could_tell (job, kind))
        return job->run;
    }
  return NULL;
}

/* Those of one kind and part, from `each`[at] on; they are struck out there. */
static FlFinding *
fold_one (GPtrArray *each, guint at, const Order *order)
{
  const FlFinding *first = each->pdata[at], *newest = first;
  g_autofree gboolean *shown = g_new0 (gboolean, order->names->len);
  FlFinding *whole = g_new0 (FlFinding, 1);
  guint last = 0;
  for (guint i = at; i < each->len; i++)
    {
      const FlFinding *one = each->pdata[i];
      if (one == NULL || one->kind != first->kind || strcmp (one->part, first->part) != 0)
        continue;
      guint place = position (order, one->job);
      if (place >= last)
        {
          last = place;
          newest = one;
        }
      whole->n_runs += !shown[place];
      shown[place] = TRUE;
      whole->severity = MAX (whole->severity, one->severity);
      whole->newest = MAX (whole->newest, one->newest);
      each->pdata[i] = NULL;
    }
  const char *without = run_without (order, first->kind, last);
  whole->kind = first->kind;
  whole->over = without != NULL;
  whole->run = newest->run;
  whole->job = newest->job;
  whole->part = g_strdup (first->part);
  whole->where = describe_runs (order, shown, whole->n_runs, last);
  whole->what = g_strdup (newest->what);
  whole->title = whole->over ? g_strdup_printf ("%s in %s; over since %s", whole->what, whole->where, without)
                             : g_strdup_printf ("%s in %s", whole->what, whole->where);
  whole->evidence = g_strdup (newest->evidence);
  whole->advice = g_strdup (newest->advice);
  return whole;
}

GPtrArray *
fl_findings_fold (const GPtrArray *each, const GArray *trial)
{
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) fl_finding_free);
  g_autoptr (GPtrArray) left = g_ptr_array_sized_new (each->len);
  Order order;
  order_runs (trial, &order);
  for (guint i = 0; i < each->len; i++)
    g_ptr_array_add (left, each->pdata[i]);
  for (guint i = 0; i < left->len; i++)
    if (left->pdata[i] != NULL)
      g_ptr_array_add (list, fold_one (left, i, &order));
  g_array_unref (order.jobs);
  g_hash_table_unref (order.positions);
  g_ptr_array_unref (order.names);
  return list;
}
