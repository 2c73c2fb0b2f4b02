/* Sites whose jobs Slurm runs: of this machine ("slurm") or of one far away ("ssh"); all that differs is the host. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/control/slurm-private.h"
#include "engine/remote/harmless.h"

#define FACTS_TIMEOUT 60
#define MOST_IN_ARRAY 500

/* --- what is shared --- */

static void
known_free (gpointer data)
{
  FlSlurmKnown *known = data;
  g_free (known->array);
  g_free (known->id);
  g_free (known);
}

FlSlurmKnown *
fl_slurm_known (const FlSiteContext *context, const FlSubmission *submission)
{
  FlSlurmData *data = context->data;
  FlSlurmKnown *known = g_hash_table_lookup (data->known, submission->job_name);
  if (known == NULL)
    g_hash_table_insert (data->known, g_strdup (submission->job_name), known = g_new0 (FlSlurmKnown, 1));
  return known;
}

char *
fl_slurm_file (const FlSubmission *submission, const char *suffix)
{
  return g_strdup_printf ("%s/%s.%s", submission->folder, submission->stem, suffix);
}

gboolean
fl_slurm_shell (FlHost *host, const char *script, guint timeout_s, FlHostOutput *output, GError **error)
{
  const char *const argv[] = { "sh", NULL };
  g_autoptr (GBytes) input = g_bytes_new (script, strlen (script));
  return fl_host_run (host, argv, input, timeout_s, NULL, output, error);
}

char *
fl_slurm_last_line (GBytes *err)
{
  gsize length;
  const char *text = g_bytes_get_data (err, &length);
  while (length > 0 && g_ascii_isspace (text[length - 1]))
    length--;
  if (length == 0)
    return g_strdup ("");
  gsize from = length;
  while (from > 0 && text[from - 1] != '\n')
    from--;
  return fl_harmless (text + from, (gssize) (length - from), 300);
}

/* --- facts --- */

static char *
words_of (GBytes *bytes)
{
  gsize length;
  const char *text = g_bytes_get_data (bytes, &length);
  return g_strndup (text != NULL ? text : "", MIN (length, 1u << 20));
}

/* "Name   = value" of `scontrol show config`. */
static char *
config_value (const char *text, const char *name)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      char *equals = strchr (lines[i], '=');
      if (equals == NULL || !g_str_has_prefix (lines[i], name))
        continue;
      *equals = '\0';
      if (strcmp (g_strstrip (lines[i]), name) == 0)
        return g_strdup (g_strstrip (equals + 1));
    }
  return NULL;
}

/* The engine is MPICH's, whose own way is PMI-2; where the site has set a way, that is right. One rank that dies must not leave
 * the others waiting for it until their time is over, but those that save at the same time are given theirs. */
static char *
default_launcher (const char *mpi_default, const char *mpi_list)
{
  gboolean is_set =
      mpi_default != NULL && *mpi_default != '\0' && g_ascii_strcasecmp (mpi_default, "none") != 0;
  return g_strdup (is_set || strstr (mpi_list, "pmi2") == NULL ? "srun --wait=60"
                                                               : "srun --wait=60 --mpi=pmi2");
}

static void
take_facts (FlSlurmData *data, const char *text, guint64 before, guint64 after)
{
  g_autofree char *date = config_value (text, "FL_DATE"), *mpi_default = config_value (text, "MpiDefault"),
                  *mpi_list = config_value (text, "FL_MPI"), *cores = config_value (text, "FL_CORES"),
                  *array = config_value (text, "MaxArraySize");
  /* Whole and fraction apart: a double has not room for both. */
  char *point = date != NULL ? strchr (date, '.') : NULL;
  gint64 there = date != NULL ? (gint64) (g_ascii_strtoull (date, NULL, 10) * FL_NS_PER_S) : 0;
  if (point != NULL && strlen (point) == 10)
    there += (gint64) g_ascii_strtoull (point + 1, NULL, 10);
  gint64 middle = (gint64) (before / 2 + after / 2), doubt = (gint64) (after - before) / 2;
  data->clock = there == 0 || ABS (there - middle) <= doubt ? 0 : there - middle;
  data->cores = cores != NULL ? atoi (cores) : 0;
  data->most_in_array =
      array != NULL ? (int) CLAMP (g_ascii_strtoll (array, NULL, 10), 2, MOST_IN_ARRAY + 1) - 1 : 1;
  g_free (data->launcher);
  data->launcher = default_launcher (mpi_default, mpi_list != NULL ? mpi_list : "");
  data->has_facts = TRUE;
}

gboolean
fl_slurm_facts (const FlSiteContext *context, GError **error)
{
  FlSlurmData *data = context->data;
  if (data->has_facts)
    return TRUE;
  g_autofree char *partition = g_shell_quote (context->site->partition);
  g_autofree char *script = g_strdup_printf (
      "echo FL_DATE = $(date +%%s.%%N)\ncommand -v sbatch > /dev/null || exit 127\n"
      "echo FL_MPI = $(srun --mpi=list 2>&1)\n"
      "echo FL_CORES = $(sinfo -h -o %%c ${1:+-p} $1 2> /dev/null | tr -d + | sort -n | tail -n 1)\n"
      "scontrol show config || exit 1\n");
  g_autofree char *whole =
      g_strdup_printf ("set -- %s\n%s", *context->site->partition != '\0' ? partition : "", script);
  g_auto (FlHostOutput) output = { 0 };
  guint64 before = fl_now_ns ();
  if (!fl_slurm_shell (context->host, whole, FACTS_TIMEOUT, &output, error))
    return FALSE;
  if (output.status == 0)
    {
      g_autofree char *text = words_of (output.out);
      take_facts (data, text, before, fl_now_ns ());
      return TRUE;
    }
  g_autofree char *line = fl_slurm_last_line (output.err);
  if (output.status == 127)
    g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: has no sbatch in its PATH",
                 fl_host_name (context->host));
  else
    g_set_error (error, FL_ERROR, FL_ERROR_BUSY, "%s: Slurm does not answer: %s",
                 fl_host_name (context->host), line);
  return FALSE;
}

/* --- the driver --- */

static gpointer
slurm_open (const FlSite *site, FlHost *host)
{
  (void) site;
  (void) host;
  FlSlurmData *data = g_new0 (FlSlurmData, 1);
  data->known = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, known_free);
  return data;
}

static void
slurm_close (gpointer driver_data)
{
  FlSlurmData *data = driver_data;
  g_hash_table_unref (data->known);
  g_free (data->launcher);
  g_free (data);
}

/* "batch*|2/3/1/6|64+": name, nodes that are allocated, idle, other, all; cores. The default partition has a star. */
static void
take_partition (FlProbe *probe, const char *line, const char *wanted)
{
  g_auto (GStrv) fields = g_strsplit (line, "|", 4);
  int busy, idle, other;
  if (g_strv_length (fields) != 3 || sscanf (fields[1], "%d/%d/%d/", &busy, &idle, &other) != 3)
    return;
  gboolean is_default = g_str_has_suffix (fields[0], "*");
  fields[0][strcspn (fields[0], "*")] = '\0';
  if (*wanted != '\0' ? strcmp (fields[0], wanted) != 0 : !is_default)
    return;
  probe->busy_nodes = MAX (probe->busy_nodes, 0) + busy;
  probe->idle_nodes = MAX (probe->idle_nodes, 0) + idle;
  probe->down_nodes = MAX (probe->down_nodes, 0) + other;
  probe->cores = MAX (probe->cores, atoi (fields[2]));
}

static gboolean
slurm_probe (const FlSiteContext *context, FlProbe *probe, GError **error)
{
  const FlSite *site = context->site;
  *probe =
      (FlProbe){ .cores = site->cores, .idle_nodes = -1, .busy_nodes = -1, .down_nodes = -1, .pending = -1 };
  g_autofree char *partition = g_shell_quote (site->partition);
  g_autofree char *script =
      g_strdup_printf ("sinfo -h -o '%%P|%%F|%%c' || exit 1\n"
                       "p=%s; [ -n \"$p\" ] || p=$(sinfo -h -o %%P | sed -n 's/\\*$//p')\n"
                       "echo \"pending=$(squeue -h -r -t PENDING ${p:+-p} ${p:+\"$p\"} -o %%i | wc -l)\"\n",
                       partition);
  g_auto (FlHostOutput) output = { 0 };
  if (!fl_slurm_shell (context->host, script, FACTS_TIMEOUT, &output, error))
    return FALSE;
  if (output.status != 0)
    {
      g_autofree char *line = fl_slurm_last_line (output.err);
      g_set_error (error, FL_ERROR, output.status == 127 ? FL_ERROR_MISSING : FL_ERROR_BUSY, "%s: sinfo: %s",
                   fl_host_name (context->host), line);
      return FALSE;
    }
  g_autofree char *text = words_of (output.out);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    if (g_str_has_prefix (lines[i], "pending="))
      probe->pending = atoi (strchr (lines[i], '=') + 1);
    else
      take_partition (probe, lines[i], site->partition);
  if (probe->idle_nodes < 0)
    probe->summary = *site->partition != '\0' ? g_strdup_printf ("there is no partition %s", site->partition)
                                              : g_strdup ("Slurm has no default partition");
  else
    probe->summary = g_strdup_printf ("%d of %d nodes idle%s, %d jobs wait", probe->idle_nodes,
                                      probe->idle_nodes + probe->busy_nodes + probe->down_nodes,
                                      probe->down_nodes > 0 ? ", some down" : "", probe->pending);
  return TRUE;
}

static gboolean
slurm_poll (const FlSiteContext *context, GPtrArray *submissions, GPtrArray *statuses, GError **error)
{
  return submissions->len == 0
         || (fl_slurm_facts (context, error) && fl_slurm_look (context, submissions, statuses, error));
}

/* One that has not begun gets a mark that it may not, and is taken out of the queue under all names that it may have there: also
 * one whose submission is answered only now. One that has begun is known by its mark. Where no mark can be written (a full disk)
 * it is taken out of the queue all the same. */
static const char cancel_script[] =
    "mkdir -p \"$1\" && cd \"$1\" || exit 74\n"
    "full=\n"
    "{ echo " FL_SLURM_WITHDRAWN " > \"$2.pid.$$\" && [ -s \"$2.pid.$$\" ]; } || full=yes\n"
    "[ -n \"$full\" ] || ln \"$2.pid.$$\" \"$2.pid\" 2> /dev/null\n"
    "rm -f \"$2.pid.$$\"\n"
    "job=" FL_SLURM_WITHDRAWN "\n"
    "[ ! -e \"$2.pid\" ] || read -r job rest < \"$2.pid\"\n"
    "if [ \"$job\" != " FL_SLURM_WITHDRAWN " ]; then\n"
    "  case $job in *[!0-9_]*) exit 0;; esac\n"
    "  if [ \"$4\" = hard ]; then\n"
    "    scancel -Q \"$job\"\n"
    "  else\n"
    "    scancel -Q -t PENDING \"$job\" && scancel -Q -t RUNNING -b -s USR1 \"$job\"\n"
    "  fi\n"
    "  exit\n"
    "fi\n"
    "array=; index=0\n"
    "[ ! -e \"$2.array\" ] || read -r array index < \"$2.array\"\n"
    "jobs=$(squeue -h -r --me -o '%i|%j') || exit 1\n"
    "printf '%s\\n' \"$jobs\" | while IFS='|' read -r id name; do\n"
    "  if [ \"$name\" = \"$3\" ] || { [ -n \"$array\" ] && [ \"$name\" = \"$array\" ] && [ \"${id#*_}\" = "
    "\"$index\" ]; }; then\n"
    "    scancel -Q \"$id\"\n"
    "  fi\n"
    "done\n"
    "[ -z \"$full\" ] || { echo no mark can be written >&2; exit 74; }\n";

static gboolean
slurm_cancel (const FlSiteContext *context, const FlSubmission *submission, gboolean hard, GError **error)
{
  const char *const argv[] = { "sh",
                               "-c",
                               cancel_script,
                               "sh",
                               submission->folder,
                               submission->stem,
                               submission->job_name,
                               hard ? "hard" : "soft",
                               NULL };
  g_auto (FlHostOutput) output = { 0 };
  if (!fl_host_run (context->host, argv, NULL, FACTS_TIMEOUT, NULL, &output, error))
    return FALSE;
  FlSlurmKnown *known = fl_slurm_known (context, submission);
  known->read = FALSE; /* the mark may be new */
  g_autofree char *line = fl_slurm_last_line (output.err);
  if (output.status == 0 || (output.status != 74 && !fl_slurm_is_unreachable (line)))
    return TRUE;
  g_set_error (error, FL_ERROR, output.status == 74 ? FL_ERROR_FAILED : FL_ERROR_BUSY, "%s: %s: %s",
               fl_host_name (context->host),
               output.status == 74 ? submission->folder : "Slurm does not answer", line);
  return FALSE;
}

const FlSiteDriver fl_site_slurm = {
  .kind = "slurm",
  .open = slurm_open,
  .close = slurm_close,
  .probe = slurm_probe,
  .submit = fl_slurm_submit,
  .poll = slurm_poll,
  .cancel = slurm_cancel,
};

const FlSiteDriver fl_site_ssh = {
  .kind = "ssh",
  .open = slurm_open,
  .close = slurm_close,
  .probe = slurm_probe,
  .submit = fl_slurm_submit,
  .poll = slurm_poll,
  .cancel = slurm_cancel,
};
