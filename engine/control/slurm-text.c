#include "engine/control/slurm-text.h"

#include <stdio.h>
#include <string.h>

#include "engine/remote/harmless.h"

#define MOST_FIELD 300    /* characters */
#define MOST_LINE  65536  /* bytes; a longer one is no job */
#define MOST_ROWS  200000 /* of jobs */

void
fl_slurm_row_free (FlSlurmRow *row)
{
  if (row == NULL)
    return;
  char *texts[] = { row->id, row->state, row->reason, row->nodes, row->name };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_free (texts[i]);
  g_free (row);
}

/* "123", "123_4": one job, not a bundle of them nor a step. */
static gboolean
is_id (const char *text)
{
  gsize digits = strspn (text, "0123456789"), length = strlen (text);
  if (digits == 0 || length > 40)
    return FALSE;
  return digits == length
         || (text[digits] == '_' && digits + 1 < length
             && strspn (text + digits + 1, "0123456789") == length - digits - 1);
}

/* "Unknown", "N/A", "None": 0. */
static guint64
parse_time (const char *text)
{
  return strspn (text, "0123456789") == strlen (text) && strlen (text) < 16
             ? g_ascii_strtoull (text, NULL, 10)
             : 0;
}

/* "75:0", "0:9". */
static int
parse_exit (const char *text)
{
  int status, signal;
  if (sscanf (text, "%d:%d", &status, &signal) != 2 || status < 0 || status > 255 || signal < 0
      || signal > 64)
    return -1;
  return signal != 0 ? 128 + signal : status;
}

static char *
field (const char *text)
{
  return fl_harmless (text, -1, MOST_FIELD);
}

/* The first word: "CANCELLED by 1000". */
static char *
first_word (const char *text)
{
  char *word = field (text);
  word[strcspn (word, " +")] = '\0';
  return word;
}

static FlSlurmRow *
row_of_queue (char **fields)
{
  FlSlurmRow row = { .id = g_strdup (fields[0]),
                     .state = first_word (fields[1]),
                     .start = parse_time (fields[2]),
                     .n_nodes = (int) CLAMP (g_ascii_strtoll (fields[3], NULL, 10), 0, G_MAXINT),
                     .nodes = field (fields[4]),
                     .reason = field (fields[5]),
                     .name = field (fields[6]),
                     .exit_code = -1 };
  return g_memdup2 (&row, sizeof row);
}

static FlSlurmRow *
row_of_accounting (char **fields)
{
  FlSlurmRow row = { .id = g_strdup (fields[0]),
                     .state = first_word (fields[1]),
                     .exit_code = parse_exit (fields[2]),
                     .start = parse_time (fields[3]),
                     .end = parse_time (fields[4]),
                     .n_nodes = (int) CLAMP (g_ascii_strtoll (fields[5], NULL, 10), 0, G_MAXINT),
                     .nodes = field (strcmp (fields[6], "None assigned") == 0 ? "" : fields[6]),
                     .reason = field (strchr (fields[1], ' ') != NULL ? fields[1] : ""),
                     .name = field (fields[7]) };
  return g_memdup2 (&row, sizeof row);
}

/* The last field is a name and may hold the separator. */
static GPtrArray *
parse_rows (GBytes *bytes, int n_fields, FlSlurmRow *(*make) (char **fields))
{
  gsize length;
  const char *text = g_bytes_get_data (bytes, &length);
  GPtrArray *rows = g_ptr_array_new_with_free_func ((GDestroyNotify) fl_slurm_row_free);
  for (const char *line = text, *end = length > 0 ? text + length : text, *next;
       line != NULL && line < end && rows->len < MOST_ROWS; line = next)
    {
      const char *stop = memchr (line, '\n', (gsize) (end - line));
      gsize n = stop != NULL ? (gsize) (stop - line) : (gsize) (end - line);
      next = stop != NULL ? stop + 1 : NULL;
      if (n > MOST_LINE || memchr (line, '\0', n) != NULL)
        continue;
      g_autofree char *copy = g_strndup (line, n);
      g_auto (GStrv) fields = g_strsplit (copy, "|", n_fields);
      if ((int) g_strv_length (fields) == n_fields && is_id (fields[0]))
        g_ptr_array_add (rows, make (fields));
    }
  return rows;
}

GPtrArray *
fl_slurm_parse_queue (GBytes *text)
{
  return parse_rows (text, 7, row_of_queue);
}

GPtrArray *
fl_slurm_parse_accounting (GBytes *text)
{
  return parse_rows (text, 8, row_of_accounting);
}

/* As wait(2) has it, or "75:0" as newer ones may say. */
static int
parse_code (const char *text)
{
  if (strchr (text, ':') != NULL)
    return parse_exit (text);
  guint64 raw =
      strspn (text, "0123456789") == strlen (text) ? g_ascii_strtoull (text, NULL, 10) : G_MAXUINT64;
  return raw > 0xffff ? -1 : (raw & 0x7f) != 0 ? 128 + (int) (raw & 0x7f) : (int) (raw >> 8);
}

GHashTable *
fl_slurm_parse_codes (GBytes *bytes)
{
  gsize length;
  const char *data = g_bytes_get_data (bytes, &length);
  GHashTable *codes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree char *text = g_strndup (data != NULL ? data : "", length);
  g_auto (GStrv) lines = g_strsplit (text, "\n", MOST_ROWS);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      char id[64], code[64];
      if (sscanf (lines[i], "%63s %63s", id, code) == 2 && is_id (id))
        g_hash_table_replace (codes, g_strdup (id), GINT_TO_POINTER (parse_code (code) + 1));
    }
  return codes;
}

/* --- what it means --- */

static gboolean
is_one_of (const char *word, const char *const *words)
{
  return g_strv_contains (words, word);
}

FlSiteState
fl_slurm_state (const char *word)
{
  static const char *const waiting[] = { "PENDING",      "CONFIGURING",   "REQUEUED",     "REQUEUE_FED",
                                         "REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT", NULL };
  static const char *const over[] = { "BOOT_FAIL", "CANCELLED",     "COMPLETED", "DEADLINE", "FAILED",
                                      "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "REVOKED",  "TIMEOUT",
                                      NULL };
  return is_one_of (word, waiting) ? FL_SITE_QUEUED
         : is_one_of (word, over)  ? FL_SITE_ENDED
                                   : FL_SITE_RUNNING;
}

gboolean
fl_slurm_never_starts (const char *reason)
{
  static const char *const never[] = { "AccountNotAllowed",
                                       "BadConstraints",
                                       "DependencyNeverSatisfied",
                                       "InvalidAccount",
                                       "InvalidQOS",
                                       "JobHoldMaxRequeue",
                                       "PartitionNodeLimit",
                                       "PartitionTimeLimit",
                                       "QOSNotAllowed",
                                       "ReservationDeleted",
                                       "AssociationNodeLimit",
                                       "AssociationTimeLimit",
                                       NULL };
  return is_one_of (reason, never);
}

static gboolean
says (const char *text, const char *const *words)
{
  g_autofree char *lower = g_ascii_strdown (text, -1);
  for (guint i = 0; words[i] != NULL; i++)
    if (strstr (lower, words[i]) != NULL)
      return TRUE;
  return FALSE;
}

static FlSiteCause
cause_of_failure (const char *reason, int exit_code, gboolean warned, const char *errors)
{
  static const char *const memory[] = { "oom-kill", "oom_kill", "out of memory", "exceeded memory limit",
                                        NULL };
  static const char *const disk[] = { "no space left on device", "disk quota exceeded", NULL };
  static const char *const launch[] = { "launch failed", "unable to create step", "task launch for", NULL };
  if (exit_code == 74 || says (errors, disk))
    return FL_CAUSE_DISK;
  if (says (errors, memory) || strcmp (reason, "OutOfMemory") == 0)
    return FL_CAUSE_MEMORY;
  if (exit_code == 75 && warned)
    return FL_CAUSE_TIME_LIMIT;
  /* Signal 53: the node could not open what the job prints into. */
  if (strcmp (reason, "JobLaunchFailure") == 0 || g_str_has_prefix (reason, "RaisedSignal:53")
      || exit_code == 128 + 53 || (exit_code != 75 && says (errors, launch)))
    return FL_CAUSE_NODE;
  return FL_CAUSE_NONE;
}

FlSiteCause
fl_slurm_cause (const char *state, const char *reason, int exit_code, gboolean warned, const char *errors)
{
  static const struct
  {
    const char *state;
    FlSiteCause cause;
  } causes[] = {
    { "TIMEOUT", FL_CAUSE_TIME_LIMIT },   { "DEADLINE", FL_CAUSE_TIME_LIMIT },
    { "OUT_OF_MEMORY", FL_CAUSE_MEMORY }, { "NODE_FAIL", FL_CAUSE_NODE },
    { "BOOT_FAIL", FL_CAUSE_NODE },       { "PREEMPTED", FL_CAUSE_PREEMPTED },
    { "CANCELLED", FL_CAUSE_CANCELLED },  { "REVOKED", FL_CAUSE_CANCELLED },
  };
  for (guint i = 0; i < G_N_ELEMENTS (causes); i++)
    if (strcmp (state, causes[i].state) == 0)
      return causes[i].cause;
  return exit_code == 0 ? FL_CAUSE_NONE : cause_of_failure (reason, exit_code, warned, errors);
}

FlSiteCause
fl_slurm_requeue_cause (const char *errors)
{
  const char *last = g_strrstr (errors, " CANCELLED AT ");
  if (last != NULL && strstr (last, "DUE TO PREEMPTION") != NULL)
    return FL_CAUSE_PREEMPTED;
  return last != NULL && strstr (last, "DUE TO JOB REQUEUE") != NULL ? FL_CAUSE_NONE : FL_CAUSE_NODE;
}

gboolean
fl_slurm_is_unreachable (const char *text)
{
  static const char *const words[] = { "unable to contact slurm",
                                       "socket timed out",
                                       "connect failure",
                                       "connection refused",
                                       "connection timed out",
                                       "zero bytes were",
                                       "temporarily unable",
                                       "temporarily unavailable",
                                       "unexpected message",
                                       "communication shutdown",
                                       "message receive failure",
                                       "message send failure",
                                       "protocol authentication",
                                       "invalid authentication",
                                       "munge",
                                       "in standby mode",
                                       "is not responding",
                                       "unable to establish",
                                       "network is unreachable",
                                       "no route to host",
                                       "io error",
                                       "pid file",
                                       "resolve",
                                       NULL };
  return says (text, words);
}

FlSbatchAnswer
fl_slurm_sbatch_answer (int status, const char *text, char **id, char **message)
{
  static const char *const later[] = { "maxsubmit", "job submit limit", "too many jobs", "backup", NULL };
  g_auto (GStrv) lines = g_strsplit (text, "\n", 200);
  const char *said = "";
  *id = *message = NULL;
  for (guint i = 0; lines[i] != NULL; i++)
    {
      g_autofree char *first = g_strndup (lines[i], strcspn (lines[i], ";"));
      if (status == 0 && is_id (first))
        {
          g_free (*id);
          *id = g_steal_pointer (&first);
        }
      /* The last of its own lines says most. */
      if (*g_strstrip (lines[i]) != '\0' && (g_str_has_prefix (lines[i], "sbatch:") || *said == '\0'))
        said = lines[i];
    }
  if (*id != NULL)
    return FL_SBATCH_DONE;
  *message = fl_harmless (*said != '\0' ? said : "sbatch has not answered", -1, MOST_FIELD);
  gboolean refused = status != 0 && strstr (text, "sbatch:") != NULL && !fl_slurm_is_unreachable (text)
                     && !says (text, later);
  return refused ? FL_SBATCH_REFUSED : FL_SBATCH_BUSY;
}

/* --- files --- */

static char *
small_text (GBytes *bytes)
{
  gsize length = 0;
  const char *data = bytes != NULL ? g_bytes_get_data (bytes, &length) : NULL;
  return g_strndup (data != NULL ? data : "", data != NULL ? MIN (length, 512) : 0);
}

void
fl_slurm_parse_mark (GBytes *bytes, FlSlurmMark *mark)
{
  g_autofree char *text = small_text (bytes);
  *mark = (FlSlurmMark){ .id = "" };
  sscanf (text, "%63s %" G_GUINT64_FORMAT " %d", mark->id, &mark->begun, &mark->restarts);
  /* Whatever is there that is no mark of ours: somebody has it. */
  if (bytes != NULL && !is_id (mark->id) && strcmp (mark->id, FL_SLURM_WITHDRAWN) != 0
      && !g_str_has_prefix (mark->id, FL_SLURM_BY_HAND))
    g_strlcpy (mark->id, "?", sizeof mark->id);
  mark->restarts = CLAMP (mark->restarts, 0, 100000);
}

gboolean
fl_slurm_parse_end (GBytes *bytes, FlSlurmEnd *end)
{
  g_autofree char *text = small_text (bytes);
  char word[16] = "";
  *end = (FlSlurmEnd){ .id = "" };
  int n = sscanf (text, "%d %" G_GUINT64_FORMAT " %63s %d %15s", &end->status, &end->ended, end->id,
                  &end->restarts, word);
  end->warned = strcmp (word, "warned") == 0;
  return n >= 4 && end->status >= 0 && end->status <= 255;
}
