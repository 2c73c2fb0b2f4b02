/* Where attempts are: one squeue for all, one sacct for those that it no longer has, and their own files. */
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/control/slurm-private.h"
#include "engine/remote/harmless.h"

#define TIMEOUT     60
#define TAIL_BYTES  4096
#define SMALL_BYTES 512
#define MOST_MISSED 20 /* polls, then what Slurm does not know and has left no end is lost */

typedef struct
{
  const FlSubmission *submission;
  FlSlurmKnown *known;
  const FlSlurmRow *row;    /* NULL: Slurm has never heard of it, or has forgotten */
  gboolean has_end, silent; /* silent: nobody could be asked */
  FlSlurmEnd end;
  int code; /* as Slurm has it; -1 = not asked */
  char *out_tail, *err_tail;
} Look;

/* Rows by id, and by name: of an array the name and its index, "NAME_4". */
typedef struct
{
  GPtrArray *rows;
  GHashTable *by_id, *by_name;
} Rows;

static void
rows_clear (Rows *rows)
{
  g_clear_pointer (&rows->by_id, g_hash_table_unref);
  g_clear_pointer (&rows->by_name, g_hash_table_unref);
  g_clear_pointer (&rows->rows, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Rows, rows_clear)

static int
liveliness (const FlSlurmRow *row)
{
  if (row == NULL)
    return 0;
  FlSiteState state = fl_slurm_state (row->state);
  return state == FL_SITE_RUNNING ? 3 : state == FL_SITE_QUEUED ? 2 : 1;
}

/* The livelier one; of two that are over the later one. */
static const FlSlurmRow *
better (const FlSlurmRow *a, const FlSlurmRow *b)
{
  int more = liveliness (b) - liveliness (a);
  return more > 0 || (more == 0 && a != NULL && b != NULL && b->start > a->start) ? b : a;
}

static void
rows_take (Rows *rows, GPtrArray *list)
{
  rows->rows = list;
  rows->by_id = g_hash_table_new (g_str_hash, g_str_equal);
  rows->by_name = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < list->len; i++)
    {
      FlSlurmRow *row = list->pdata[i];
      g_hash_table_replace (rows->by_id, row->id, row);
      if (!g_str_has_prefix (row->name, "fl-"))
        continue;
      const char *index = strchr (row->id, '_');
      char *name = g_strconcat (row->name, index, NULL);
      const FlSlurmRow *other = g_hash_table_lookup (rows->by_name, name);
      g_hash_table_replace (rows->by_name, name, (gpointer) better (other, row));
    }
}

/* Members of an array that were taken out of the queue together have one row, under the array's own id. */
static const FlSlurmRow *
row_of_id (const Rows *rows, const char *id)
{
  const FlSlurmRow *row = g_hash_table_lookup (rows->by_id, id);
  g_autofree char *array = g_strndup (id, strcspn (id, "_"));
  return row != NULL ? row : g_hash_table_lookup (rows->by_id, array);
}

static const FlSlurmRow *
row_of_array (const Rows *rows, const FlSlurmKnown *known)
{
  if (known->array == NULL)
    return NULL;
  g_autofree char *name = g_strdup_printf ("%s_%u", known->array, known->index);
  const FlSlurmRow *row = g_hash_table_lookup (rows->by_name, name);
  return row != NULL ? row : g_hash_table_lookup (rows->by_name, known->array);
}

static void
know_id (FlSlurmKnown *known, const FlSlurmRow *row, const FlSlurmRow *array_row)
{
  g_autofree char *id = NULL;
  if (g_ascii_isdigit (*known->mark.id))
    id = g_strdup (known->mark.id);
  else if (row != NULL && row == array_row && strchr (row->id, '_') == NULL)
    id = g_strdup_printf ("%s_%u", row->id, known->index);
  else if (row != NULL
           && (known->id == NULL || strchr (row->id, '_') != NULL || strchr (known->id, '_') == NULL))
    id = g_strdup (row->id);
  if (id == NULL || g_strcmp0 (id, known->id) == 0)
    return;
  g_free (known->id);
  known->id = g_steal_pointer (&id);
}

static void
find_row (const Rows *rows, Look *look)
{
  FlSlurmKnown *known = look->known;
  const FlSlurmRow *array_row = row_of_array (rows, known);
  const FlSlurmRow *row = known->id != NULL ? row_of_id (rows, known->id) : NULL;
  row = better (row, g_hash_table_lookup (rows->by_name, look->submission->job_name));
  row = better (row, array_row);
  /* Who has made the mark is the one that runs, whoever else is in the queue. */
  if (g_ascii_isdigit (*known->mark.id))
    row = row_of_id (rows, known->mark.id);
  if (row != NULL)
    look->row = row;
  know_id (known, row, array_row);
}

/* --- their files --- */

static void
take_array (FlSlurmKnown *known, GBytes *bytes)
{
  if (bytes == NULL)
    return;
  gsize length;
  const char *data = g_bytes_get_data (bytes, &length);
  g_autofree char *text = g_strndup (data, length);
  g_auto (GStrv) words = g_strsplit (g_strstrip (text), " ", 2);
  guint64 index = g_strv_length (words) == 2 ? g_ascii_strtoull (words[1], NULL, 10) : 0;
  if (index == 0 || index > G_MAXINT || !g_str_has_prefix (words[0], "fl-") || strlen (words[0]) > 60)
    return;
  g_free (known->array);
  known->array = g_strdup (words[0]);
  known->index = (guint) index;
}

/* Line by line, each made harmless. */
static char *
tail_text (GBytes *bytes)
{
  gsize length = 0;
  const char *data = bytes != NULL ? g_bytes_get_data (bytes, &length) : NULL;
  GString *text = g_string_new (NULL);
  for (gsize i = 0; i < length;)
    {
      const char *end = memchr (data + i, '\n', length - i);
      gsize n = end != NULL ? (gsize) (end - data) - i : length - i;
      g_autofree char *line = fl_harmless (data + i, (gssize) n, TAIL_BYTES);
      g_string_append_printf (text, "%s\n", line);
      i += n + 1;
    }
  return g_string_free (text, FALSE);
}

static void
parts_clear (FlHostPart *parts, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      g_free ((char *) parts[i].path);
      fl_host_part_clear (&parts[i]);
    }
  g_free (parts);
}

/* What an earlier session has left: who has begun, which array. */
static gboolean
read_first (const FlSiteContext *context, Look *looks, guint n, GError **error)
{
  FlHostPart *parts = g_new0 (FlHostPart, 2 * n);
  g_autofree Look **of = g_new0 (Look *, n);
  guint m = 0;
  for (guint i = 0; i < n; i++)
    if (!looks[i].known->read)
      {
        parts[2 * m] =
            (FlHostPart){ .path = fl_slurm_file (looks[i].submission, "array"), .most = SMALL_BYTES };
        parts[2 * m + 1] =
            (FlHostPart){ .path = fl_slurm_file (looks[i].submission, "pid"), .most = SMALL_BYTES };
        of[m++] = &looks[i];
      }
  gboolean ok = fl_host_read_parts (context->host, parts, 2 * m, error);
  for (guint i = 0; ok && i < m; i++)
    {
      take_array (of[i]->known, parts[2 * i].bytes);
      fl_slurm_parse_mark (parts[2 * i + 1].bytes, &of[i]->known->mark);
      of[i]->known->read = TRUE;
    }
  parts_clear (parts, 2 * m);
  return ok;
}

static gboolean
needs_files (const Look *look)
{
  if (look->row == NULL || fl_slurm_state (look->row->state) == FL_SITE_ENDED
      || strcmp (look->row->state, "COMPLETING") == 0)
    return TRUE;
  /* It has been requeued. */
  return fl_slurm_state (look->row->state) == FL_SITE_QUEUED && look->known->last == FL_SITE_RUNNING;
}

static gboolean
read_files (const FlSiteContext *context, Look *looks, guint n, GError **error)
{
  enum
  {
    MARK,
    END,
    OUT,
    ERR,
    N
  };
  FlHostPart *parts = g_new0 (FlHostPart, N * n);
  g_autofree Look **of = g_new0 (Look *, n);
  guint m = 0;
  for (guint i = 0; i < n; i++)
    if (needs_files (&looks[i]))
      {
        FlHostPart *four = parts + N * m;
        const FlSubmission *submission = looks[i].submission;
        four[MARK] = (FlHostPart){ .path = fl_slurm_file (submission, "pid"), .most = SMALL_BYTES };
        four[END] = (FlHostPart){ .path = fl_slurm_file (submission, "exit"), .most = SMALL_BYTES };
        four[OUT] = (FlHostPart){ .path = fl_slurm_file (submission, "out"),
                                  .offset = -TAIL_BYTES,
                                  .most = TAIL_BYTES };
        four[ERR] = (FlHostPart){ .path = fl_slurm_file (submission, "err"),
                                  .offset = -TAIL_BYTES,
                                  .most = TAIL_BYTES };
        of[m++] = &looks[i];
      }
  gboolean ok = fl_host_read_parts (context->host, parts, N * m, error);
  for (guint i = 0; ok && i < m; i++)
    {
      FlSlurmKnown *known = of[i]->known;
      FlHostPart *four = parts + N * i;
      fl_slurm_parse_mark (four[MARK].bytes, &known->mark);
      /* An end that another incarnation has left is none. */
      of[i]->has_end = fl_slurm_parse_end (four[END].bytes, &of[i]->end)
                       && strcmp (of[i]->end.id, known->mark.id) == 0
                       && of[i]->end.restarts == known->mark.restarts;
      of[i]->out_tail = tail_text (four[OUT].bytes);
      of[i]->err_tail = tail_text (four[ERR].bytes);
    }
  parts_clear (parts, N * m);
  return ok;
}

/* --- asking Slurm --- */

static gboolean
ask_queue (const FlSiteContext *context, Rows *rows, GError **error)
{
  const char *const argv[] = { "env", "SLURM_TIME_FORMAT=%s", "squeue", "-h", "-r", "-a", "-t", "all", "--me",
                               "-o",  FL_SQUEUE_FORMAT,       NULL };
  g_auto (FlHostOutput) output = { 0 };
  if (!fl_host_run (context->host, argv, NULL, TIMEOUT, NULL, &output, error))
    return FALSE;
  if (output.status != 0)
    {
      g_autofree char *line = fl_slurm_last_line (output.err);
      g_set_error (error, FL_ERROR, FL_ERROR_BUSY, "%s: Slurm does not answer: %s",
                   fl_host_name (context->host), line);
      return FALSE;
    }
  rows_take (rows, fl_slurm_parse_queue (output.out));
  return TRUE;
}

static gboolean
is_by_hand (const Look *look)
{
  return g_str_has_prefix (look->known->mark.id, FL_SLURM_BY_HAND) || strcmp (look->known->mark.id, "?") == 0;
}

static gboolean
is_forgotten (const Look *look)
{
  return look->row == NULL && !is_by_hand (look) && strcmp (look->known->mark.id, FL_SLURM_WITHDRAWN) != 0;
}

/* It failed and has not said how: a full disk, a node that could not begin. */
static gboolean
lacks_code (const Look *look)
{
  return look->row != NULL && !look->has_end && strcmp (look->row->state, "FAILED") == 0
         && look->row->exit_code < 0;
}

static gboolean
ask_codes (const FlSiteContext *context, Look *looks, guint n, GError **error)
{
  g_autoptr (GString) ids = g_string_new (NULL);
  for (guint i = 0; i < n; i++)
    if (lacks_code (&looks[i]))
      g_string_append_printf (ids, "%s%s", ids->len > 0 ? "," : "", looks[i].row->id);
  if (ids->len == 0)
    return TRUE;
  const char *const argv[] = { "squeue",        "-h", "-r", "-a", "-t", "all", "-j", ids->str, "-O",
                               FL_SQUEUE_CODES, NULL };
  g_auto (FlHostOutput) output = { 0 };
  if (!fl_host_run (context->host, argv, NULL, TIMEOUT, NULL, &output, error))
    return FALSE;
  g_autoptr (GHashTable) codes = fl_slurm_parse_codes (output.out);
  for (guint i = 0; i < n; i++)
    if (lacks_code (&looks[i]))
      looks[i].code = GPOINTER_TO_INT (g_hash_table_lookup (codes, looks[i].row->id)) - 1;
  return TRUE;
}

/* By id, where all are known: that is cheap for the database; else by name. */
static char *
accounting_words (const Look *looks, guint n, gboolean *by_name)
{
  g_autoptr (GHashTable) words = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  gboolean any = FALSE;
  *by_name = FALSE;
  for (guint i = 0; i < n; i++)
    {
      any |= is_forgotten (&looks[i]);
      *by_name |= is_forgotten (&looks[i]) && looks[i].known->id == NULL;
    }
  for (guint i = 0; any && i < n; i++)
    if (is_forgotten (&looks[i]) || lacks_code (&looks[i]))
      {
        const FlSlurmKnown *known = looks[i].known;
        g_hash_table_add (words, *by_name ? g_strdup (looks[i].submission->job_name)
                                          : g_strndup (known->id, strcspn (known->id, "_")));
        if (*by_name && known->array != NULL)
          g_hash_table_add (words, g_strdup (known->array));
      }
  if (g_hash_table_size (words) == 0)
    return NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  GHashTableIter iter;
  gpointer word;
  g_hash_table_iter_init (&iter, words);
  while (g_hash_table_iter_next (&iter, &word, NULL))
    g_string_append_printf (text, "%s%s", text->len > 0 ? "," : "", (const char *) word);
  return g_strdup (text->str);
}

/* The second command of a poll, if there is one. */
static gboolean
ask_more (const FlSiteContext *context, Look *looks, guint n, Rows *rows, GError **error)
{
  FlSlurmData *data = context->data;
  gboolean by_name;
  g_autofree char *words = data->no_accounting ? NULL : accounting_words (looks, n, &by_name);
  if (words == NULL)
    return ask_codes (context, looks, n, error);
  const char *const argv[] = { "env",
                               "SLURM_TIME_FORMAT=%s",
                               "sacct",
                               "-X",
                               "-P",
                               "-n",
                               "-o",
                               FL_SACCT_FORMAT,
                               by_name ? "--name" : "-j",
                               words,
                               by_name ? "-S" : NULL,
                               "now-14days",
                               NULL };
  g_auto (FlHostOutput) output = { 0 };
  if (!fl_host_run (context->host, argv, NULL, TIMEOUT, NULL, &output, error))
    return FALSE;
  if (output.status == 0)
    rows_take (rows, fl_slurm_parse_accounting (output.out));
  else
    {
      g_autofree char *line = fl_slurm_last_line (output.err);
      data->no_accounting = output.status == 127 || strstr (line, "accounting storage is disabled") != NULL;
    }
  for (guint i = 0; i < n; i++)
    if (is_forgotten (&looks[i]))
      {
        looks[i].silent = output.status != 0 && !data->no_accounting;
        if (output.status == 0)
          find_row (rows, &looks[i]);
      }
    else if (lacks_code (&looks[i]) && output.status == 0)
      {
        const FlSlurmRow *row = row_of_id (rows, looks[i].row->id);
        looks[i].code = row != NULL && fl_slurm_state (row->state) == FL_SITE_ENDED ? row->exit_code : -1;
      }
  return TRUE;
}

/* --- what it comes to --- */

FlSiteStatus *
fl_slurm_status_new (const FlSubmission *submission)
{
  FlSiteStatus status = { .attempt = submission->attempt,
                          .exit_code = -1,
                          .remote_id = g_strdup (""),
                          .nodes = g_strdup (""),
                          .script = fl_slurm_file (submission, "sh"),
                          .batch_state = g_strdup (""),
                          .batch_reason = g_strdup ("") };
  return g_memdup2 (&status, sizeof status);
}

static void
set (char **field, const char *text)
{
  g_free (*field);
  *field = g_strdup (text != NULL ? text : "");
}

static guint64
time_here (const FlSlurmData *data, guint64 seconds)
{
  gint64 there = (gint64) (MIN (seconds, G_MAXINT64 / FL_NS_PER_S / 2) * FL_NS_PER_S);
  return seconds == 0 ? 0 : (guint64) MAX (there - data->clock, 1);
}

static FlSiteState
state_of_missing (Look *look, FlSiteStatus *status)
{
  FlSlurmKnown *known = look->known;
  if (look->has_end)
    return FL_SITE_ENDED;
  if (is_by_hand (look))
    {
      set (&status->batch_reason, "started by hand");
      return FL_SITE_RUNNING;
    }
  if (known->id == NULL)
    return FL_SITE_UNKNOWN;
  if (look->silent && known->missed++ < MOST_MISSED)
    {
      set (&status->batch_reason, "no longer in the queue, and accounting does not answer");
      return FL_SITE_RUNNING;
    }
  return FL_SITE_LOST;
}

static FlSiteState
state_of_row (Look *look, gboolean of_accounting, FlSiteStatus *status)
{
  const FlSlurmRow *row = look->row;
  FlSlurmKnown *known = look->known;
  FlSiteState state = fl_slurm_state (row->state);
  set (&status->batch_state, row->state);
  set (&status->batch_reason, strcmp (row->reason, "None") == 0 ? "" : row->reason);
  if (of_accounting && state != FL_SITE_ENDED)
    /* The queue has forgotten it: its end is under way to the database, or has been lost. */
    return look->has_end ? FL_SITE_ENDED : known->missed++ < MOST_MISSED ? FL_SITE_RUNNING : FL_SITE_LOST;
  /* Until the nodes are clean it is not said whether it was cancelled, and it may be requeued; unless all went well. */
  if (strcmp (row->state, "COMPLETING") == 0 && look->has_end && look->end.status == 0
      && *status->batch_reason == '\0')
    return FL_SITE_ENDED;
  return state;
}

static void
tell_end (const FlSlurmData *data, Look *look, FlSiteStatus *status)
{
  const FlSlurmRow *row = look->row;
  gboolean begun = *look->known->mark.id != '\0';
  status->exit_code = look->has_end                        ? look->end.status
                      : row != NULL && row->exit_code >= 0 ? row->exit_code
                                                           : look->code;
  if (!look->has_end && row != NULL && status->exit_code < 0 && strcmp (row->state, "COMPLETED") == 0)
    status->exit_code = 0;
  status->ended = time_here (data, look->has_end ? look->end.ended : row != NULL ? row->end : 0);
  status->cause =
      fl_slurm_cause (row != NULL ? row->state : "", row != NULL ? row->reason : "", status->exit_code,
                      look->has_end && look->end.warned, look->err_tail != NULL ? look->err_tail : "");
  /* Begun again by the scheduler it has left the rest to the next attempt (resources/jobs/slurm.sh). */
  if (status->cause == FL_CAUSE_NONE && status->exit_code == 75 && look->has_end && look->end.restarts > 0)
    status->cause = fl_slurm_requeue_cause (look->err_tail);
  if (!begun && status->cause == FL_CAUSE_NONE && row != NULL && strcmp (row->state, "FAILED") == 0)
    status->cause = status->exit_code == 74 ? FL_CAUSE_DISK
                                            : FL_CAUSE_NODE; /* its script has not come to its first lines */
  status->out_tail = g_steal_pointer (&look->out_tail);
  status->err_tail = g_steal_pointer (&look->err_tail);
}

static void
tell_requeued (Look *look, FlSiteStatus *status)
{
  FlSlurmKnown *known = look->known;
  gboolean again =
      g_ascii_isdigit (*known->mark.id) && known->id != NULL && strcmp (known->mark.id, known->id) == 0;
  if (status->state == FL_SITE_QUEUED && again)
    {
      if (look->err_tail != NULL)
        known->requeue_cause = fl_slurm_requeue_cause (look->err_tail);
      known->restarts = MAX (known->restarts, known->mark.restarts + 1);
      status->cause = known->requeue_cause;
    }
  else if (again)
    known->restarts = MAX (known->restarts, known->mark.restarts);
  status->restarts = known->restarts;
  if (status->state == FL_SITE_QUEUED && fl_slurm_never_starts (status->batch_reason))
    status->cause = FL_CAUSE_REFUSED;
}

static FlSiteStatus *
make_status (const FlSlurmData *data, Look *look, const Rows *accounting)
{
  FlSiteStatus *status = fl_slurm_status_new (look->submission);
  FlSlurmKnown *known = look->known;
  const FlSlurmRow *row = look->row;
  gboolean of_accounting =
      row != NULL && accounting->by_id != NULL && g_hash_table_lookup (accounting->by_id, row->id) == row;
  if (strcmp (known->mark.id, FL_SLURM_WITHDRAWN) == 0)
    status->state = FL_SITE_LOST;
  else
    {
      status->state =
          row != NULL ? state_of_row (look, of_accounting, status) : state_of_missing (look, status);
      set (&status->remote_id, known->id);
    }
  if (row != NULL)
    {
      set (&status->nodes, row->nodes);
      status->n_nodes = row->n_nodes;
    }
  if (status->state == FL_SITE_QUEUED)
    status->expected = row != NULL ? time_here (data, row->start) : 0;
  else if (*known->mark.id != '\0' || (row != NULL && fl_slurm_state (row->state) == FL_SITE_RUNNING))
    status->started = time_here (data, row != NULL && row->start != 0 ? row->start : known->mark.begun);
  tell_requeued (look, status);
  if (status->state == FL_SITE_ENDED || status->state == FL_SITE_LOST)
    tell_end (data, look, status);
  if (status->state != FL_SITE_RUNNING || (row != NULL && !of_accounting))
    known->missed = 0;
  known->last = status->state;
  return status;
}

gboolean
fl_slurm_look (const FlSiteContext *context, GPtrArray *submissions, GPtrArray *statuses, GError **error)
{
  guint n = submissions->len;
  g_autofree Look *looks = g_new0 (Look, n);
  g_auto (Rows) queue = { 0 }, accounting = { 0 };
  for (guint i = 0; i < n; i++)
    {
      looks[i].submission = submissions->pdata[i];
      looks[i].code = -1;
      looks[i].known = fl_slurm_known (context, looks[i].submission);
    }
  gboolean ok = read_first (context, looks, n, error) && ask_queue (context, &queue, error);
  for (guint i = 0; ok && i < n; i++)
    find_row (&queue, &looks[i]);
  ok = ok && read_files (context, looks, n, error);
  for (guint i = 0; ok && i < n; i++)
    if (needs_files (&looks[i])) /* the mark may have said who it really is */
      find_row (&queue, &looks[i]);
  ok = ok && ask_more (context, looks, n, &accounting, error);
  for (guint i = 0; i < n; i++)
    {
      if (ok)
        g_ptr_array_add (statuses, make_status (context->data, &looks[i], &accounting));
      g_free (looks[i].out_tail);
      g_free (looks[i].err_tail);
    }
  return ok;
}
