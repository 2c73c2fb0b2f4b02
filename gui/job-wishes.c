#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/job-wishes.h"

gboolean
flg_wish_fits (FlgWishKind kind, const FlJob *job, guint64 now)
{
  gboolean final = fl_job_state_is_final (job->state), planned = job->state == FL_JOB_PLANNED;
  switch (kind)
    {
    case FLG_WISH_STOP:
      return !final && !job->stop_wanted;
    case FLG_WISH_RETRY:
      return final && job->state != FL_JOB_DONE && !job->retry_wanted;
    case FLG_WISH_APPROVE:
      return planned && job->held;
    case FLG_WISH_HOLD:
      return planned && !job->held && !job->stop_wanted;
    default:
      return planned && job->attempts == 0 && job->not_before > now && !job->stop_wanted;
    }
}

FlgWish *
flg_wish_new (FlgWishKind kind, GArray *jobs)
{
  FlgWish *wish = g_new (FlgWish, 1);
  *wish = (FlgWish){ kind, jobs };
  return wish;
}

void
flg_wish_free (FlgWish *wish)
{
  g_array_unref (wish->jobs);
  g_free (wish);
}

static gboolean
write_one (FlStore *store, FlgWishKind kind, gint64 id, GError **error)
{
  FlJob *job = fl_store_get (store, FL_TABLE_JOB, id, error);
  if (!job)
    return FALSE;
  /* The window for an undo may have closed while the wish was on its way: the job is stopped then. */
  gboolean fits =
      kind == FLG_WISH_UNDO ? flg_wish_fits (FLG_WISH_STOP, job, 0) : flg_wish_fits (kind, job, 0);
  fl_record_free (FL_TABLE_JOB, job);
  if (!fits)
    return TRUE;
  switch (kind)
    {
    case FLG_WISH_RETRY:
      return fl_store_want_retry (store, id, error);
    case FLG_WISH_APPROVE:
    case FLG_WISH_HOLD:
      return fl_store_set_int (store, FL_TABLE_JOB, id, "held", kind == FLG_WISH_HOLD, error);
    default:
      return fl_store_want_stop (store, id, error);
    }
}

gpointer
flg_wish_write (FlStore *store, gpointer data, GError **error)
{
  FlgWish *wish = data;
  for (guint i = 0; i < wish->jobs->len; i++)
    if (!write_one (store, wish->kind, g_array_index (wish->jobs, gint64, i), error))
      return NULL;
  return GINT_TO_POINTER (TRUE);
}
