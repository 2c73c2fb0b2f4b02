#include "gui/cell-counter.h"

#define LEAST_PAUSE 100000 /* µs between counts of what arrives */

struct FlgCellCounter
{
  FlgCellAnswerFunc func;
  gpointer data;
  FlgCellTally *tally;        /* NULL while a worker has it */
  GPtrArray *blocks, *redone; /* arrived, not yet taken by a worker */
  FlgCellQuestion question;
  gboolean counting, wanted, closed;
  gint64 ended, cost; /* µs, of the last count */
  guint timer;
};

/* What a worker has in hand. */
typedef struct
{
  FlgCellTally *tally;
  GPtrArray *blocks, *redone;
  FlgCellQuestion question;
  FlgCellAnswer *answer;
  gint64 cost;
} Count;

static void
count_free (Count *count)
{
  g_clear_pointer (&count->tally, flg_cell_tally_free);
  g_clear_pointer (&count->answer, flg_cell_answer_free);
  g_ptr_array_unref (count->blocks);
  g_ptr_array_unref (count->redone);
  g_free (count);
}

static void
counter_free (FlgCellCounter *counter)
{
  g_clear_pointer (&counter->tally, flg_cell_tally_free);
  g_ptr_array_unref (counter->blocks);
  g_ptr_array_unref (counter->redone);
  g_free (counter);
}

static void
renew (FlgCellCounter *counter)
{
  counter->blocks = g_ptr_array_new_with_free_func ((GDestroyNotify) flg_lattice_block_free);
  counter->redone = g_ptr_array_new_with_free_func ((GDestroyNotify) flg_redone_free);
}

static void
count_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Count *count = data;
  gint64 began = g_get_monotonic_time ();
  for (guint i = 0; i < count->redone->len; i++)
    {
      const FlgRedone *redone = count->redone->pdata[i];
      flg_cell_tally_redone (count->tally, redone->job, redone->attempt, redone->n, redone->shots);
    }
  for (guint i = 0; i < count->blocks->len; i++)
    flg_cell_tally_add (count->tally, g_steal_pointer (&count->blocks->pdata[i]));
  count->answer = flg_cell_tally_count (count->tally, &count->question);
  count->cost = g_get_monotonic_time () - began;
  g_task_return_boolean (task, TRUE);
}

static void want (FlgCellCounter *counter, gboolean urgent);

static void
on_counted (GObject *source, GAsyncResult *result, gpointer data)
{
  FlgCellCounter *counter = data;
  Count *count = g_task_get_task_data (G_TASK (result));
  counter->counting = FALSE;
  if (counter->closed)
    {
      counter_free (counter);
      return;
    }
  counter->tally = g_steal_pointer (&count->tally);
  counter->ended = g_get_monotonic_time ();
  counter->cost = count->cost;
  if (counter->wanted)
    want (counter, FALSE);
  counter->func (g_steal_pointer (&count->answer), counter->data);
}

static void
start (FlgCellCounter *counter)
{
  g_clear_handle_id (&counter->timer, g_source_remove);
  counter->wanted = FALSE;
  counter->counting = TRUE;
  Count fields = {
    g_steal_pointer (&counter->tally), counter->blocks, counter->redone, counter->question, NULL, 0
  };
  renew (counter);
  g_autoptr (GTask) task = g_task_new (NULL, NULL, on_counted, counter);
  g_task_set_task_data (task, g_memdup2 (&fields, sizeof fields), (GDestroyNotify) count_free);
  g_task_run_in_thread (task, count_thread);
}

static gboolean
on_timer (gpointer data)
{
  FlgCellCounter *counter = data;
  counter->timer = 0;
  start (counter);
  return G_SOURCE_REMOVE;
}

static void
want (FlgCellCounter *counter, gboolean urgent)
{
  counter->wanted = TRUE;
  if (counter->counting)
    return;
  if (urgent)
    start (counter);
  else if (counter->timer == 0)
    {
      gint64 due = counter->ended + MAX (LEAST_PAUSE, 4 * counter->cost) - g_get_monotonic_time ();
      counter->timer = g_timeout_add ((guint) (CLAMP (due, 0, 5000000) / 1000), on_timer, counter);
    }
}

FlgCellCounter *
flg_cell_counter_new (FlgCellAnswerFunc func, gpointer data)
{
  FlgCellCounter *counter = g_new0 (FlgCellCounter, 1);
  counter->func = func;
  counter->data = data;
  counter->tally = flg_cell_tally_new ();
  renew (counter);
  return counter;
}

void
flg_cell_counter_close (FlgCellCounter *counter)
{
  g_clear_handle_id (&counter->timer, g_source_remove);
  counter->closed = TRUE;
  if (!counter->counting)
    counter_free (counter);
}

void
flg_cell_counter_add (FlgCellCounter *counter, FlgLatticeNews *news)
{
  for (guint i = 0; i < news->blocks->len; i++)
    g_ptr_array_add (counter->blocks, g_steal_pointer (&news->blocks->pdata[i]));
  for (guint i = 0; i < news->redone->len; i++)
    g_ptr_array_add (counter->redone, g_steal_pointer (&news->redone->pdata[i]));
  if (counter->blocks->len || counter->redone->len)
    want (counter, FALSE);
}

void
flg_cell_counter_ask (FlgCellCounter *counter, const FlgCellQuestion *question)
{
  counter->question = *question;
  want (counter, TRUE);
}

gboolean
flg_cell_counter_is_idle (const FlgCellCounter *counter)
{
  return !counter->counting && !counter->wanted;
}
