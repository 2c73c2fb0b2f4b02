#include "engine/control/job-script.h"

#include <string.h>

#include "engine/base/error.h"

#define WARNING_S 60 /* before its time is over it is told to save; Slurm may be a minute early */

char *
fl_job_script_fill (const char *template, const char *const (*words)[2], guint n)
{
  GString *text = g_string_new (NULL);
  while (*template != '\0')
    {
      guint i = 0;
      while (i < n && !g_str_has_prefix (template, words[i][0]))
        i++;
      g_string_append_len (text, i < n ? words[i][1] : template, i < n ? (gssize) strlen (words[i][1]) : 1);
      template += i < n ? strlen (words[i][0]) : 1;
    }
  return g_string_free (text, FALSE);
}

void
fl_job_script_ingest (const FlSite *site, const FlSubmission *submission, char **begin, char **end)
{
  gboolean wanted = *site->ingest != '\0' && *submission->program != '\0';
  *end = g_strdup (
      wanted ? "[ -z \"$ingest\" ] || { kill -TERM \"$ingest\" && wait \"$ingest\"; } 2> /dev/null" : "");
  *begin = NULL;
  if (!wanted)
    {
      *begin = g_strdup ("");
      return;
    }
  /* Beside the engine; where that is found in the PATH, it is too. */
  g_autofree char *folder =
      strchr (submission->program, '/') != NULL ? g_path_get_dirname (submission->program) : NULL;
  g_autofree char *control = folder != NULL ? g_build_filename (folder, "firstlight-control", NULL)
                                            : g_strdup ("firstlight-control");
  g_autofree char *program = g_shell_quote (control);
  g_autofree char *url = g_shell_quote (site->ingest);
  *begin = g_strdup_printf (
      "# Its journals go straight into the database, too; they stay the truth, and nothing waits for it.\n"
      "ingest=\n"
      "if control=$(command -v %s); then\n"
      "  \"$control\" ingest --store %s --attempt %" G_GINT64_FORMAT
      " --follow %s < /dev/null > %s.db 2>&1 &\n"
      "  ingest=$!\n"
      "fi",
      program, url, submission->attempt, submission->stem, submission->stem);
}

void
fl_slurm_resources (const FlSite *site, const FlSubmission *submission, int cores,
                    FlSlurmResources *resources)
{
  int gpus = submission->gpus_per_rank > 0 ? submission->gpus_per_rank : site->gpus_per_rank;
  *resources = (FlSlurmResources){
    .nodes = MAX (1, submission->nodes > 0 ? submission->nodes : site->nodes),
    .ranks_per_node = submission->ranks_per_node > 0 ? submission->ranks_per_node : site->ranks_per_node,
    .minutes = submission->minutes > 0 ? submission->minutes : site->minutes,
  };
  if (resources->ranks_per_node <= 0)
    resources->ranks_per_node = MAX (1, site->cores > 0 ? site->cores : cores);
  resources->gpus_per_node = MAX (0, gpus) * resources->ranks_per_node;
}

/* --- #SBATCH lines --- */

/* One word that no shell and no option parser takes for anything else. */
static gboolean
is_plain (const char *value)
{
  return *value != '-'
         && strspn (value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.,:+@%/&|*()[]=-")
                == strlen (value);
}

static gboolean
add_option (GString *text, const FlSite *site, const char *option, const char *value, GError **error)
{
  if (*value == '\0')
    return TRUE;
  if (!is_plain (value))
    {
      g_autofree char *shown = g_strescape (value, NULL);
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "site %s: --%s '%s' is wrong, expected one plain word",
                   site->name, option, shown);
      return FALSE;
    }
  g_string_append_printf (text, "#SBATCH --%s=%s\n", option, value);
  return TRUE;
}

static void
add_number (GString *text, const char *option, int value)
{
  if (value > 0)
    g_string_append_printf (text, "#SBATCH --%s=%d\n", option, value);
}

/* For people: what cannot stand in a comment becomes '_'. */
static char *
plain (const char *text)
{
  char *copy = g_strndup (text, 200);
  return g_strcanon (copy, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.+", '_');
}

char *
fl_slurm_options (const FlSite *site, const FlSlurmResources *resources, const char *name,
                  const char *comment, const char *stem, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *words = plain (comment);
  int warning = resources->minutes > 0 ? CLAMP (resources->minutes * 60 / 5, 10, WARNING_S) : WARNING_S;
  if (!add_option (text, site, "job-name", name, error)
      || !add_option (text, site, "partition", site->partition, error)
      || !add_option (text, site, "account", site->account, error)
      || !add_option (text, site, "qos", site->qos, error)
      || !add_option (text, site, "reservation", site->reservation, error)
      || !add_option (text, site, "constraint", site->features, error))
    return NULL;
  g_string_append_printf (text, "#SBATCH --comment=%s\n", words);
  add_number (text, "nodes", resources->nodes);
  add_number (text, "ntasks-per-node", resources->ranks_per_node);
  add_number (text, "gpus-per-node", resources->gpus_per_node);
  add_number (text, "time", resources->minutes);
  g_string_append_printf (
      text, "#SBATCH --output=%s.out\n#SBATCH --error=%s.err\n#SBATCH --open-mode=append\n", stem, stem);
  g_string_append_printf (text, "#SBATCH --requeue\n#SBATCH --signal=B:USR2@%d", warning);
  return g_strdup (text->str);
}

/* --- the command --- */

static void
set_number (GString *text, const char *word, int value)
{
  g_autofree char *number = g_strdup_printf ("%d", value);
  g_string_replace (text, word, number, 0);
}

/* Launcher and container are the site's own shell text. */
static char *
launch (const FlSite *site, const FlSubmission *submission, const FlSlurmResources *resources,
        const char *launcher)
{
  g_autoptr (GString) text = g_string_new (*site->launcher != '\0' ? site->launcher : launcher);
  g_autofree char *quoted = g_shell_quote (submission->program);
  set_number (text, "{ranks}", resources->nodes * resources->ranks_per_node);
  set_number (text, "{nodes}", resources->nodes);
  set_number (text, "{ranks_per_node}", resources->ranks_per_node);
  if (*site->container != '\0')
    g_string_append_printf (text, " %s", site->container);
  if (*submission->program != '\0')
    g_string_append_printf (text, " %s", site->broadcast ? "\"$engine\"" : quoted);
  g_string_append_printf (text, " %s", submission->arguments);
  return g_strdup (text->str);
}

/* To the nodes' own disks, with the kernels' modules beside it; taken away afterwards. */
static char *
broadcast (const FlSite *site, const FlSubmission *submission)
{
  if (!site->broadcast || *submission->program == '\0')
    return g_strdup ("");
  g_autofree char *program = g_shell_quote (submission->program);
  return g_strdup_printf (
      "# The engine from every node's own disk: thousands of ranks do not read it from one.\n"
      "engine=$(command -v %s) && local=${FIRSTLIGHT_LOCAL:-/tmp}/firstlight-$job || finish 127\n"
      "spread() {\n"
      "  srun -N \"$SLURM_NNODES\" -n \"$SLURM_NNODES\" --ntasks-per-node=1 mkdir -p \"$local\" || return\n"
      "  for file in \"$(dirname \"$engine\")\"/flk-*.so \"$engine\"; do\n"
      "    [ ! -e \"$file\" ] || sbcast --force \"$file\" \"$local/${file##*/}\" || return\n"
      "  done\n"
      "  engine=$local/${engine##*/}\n"
      "}\n"
      "spread || echo \"the engine cannot be spread to the nodes, it is read from $engine\" >&2",
      program);
}

char *
fl_slurm_script (const FlSite *site, const FlSubmission *submission, const FlSlurmResources *resources,
                 const char *launcher, GError **error)
{
  if (!is_plain (submission->stem) || strpbrk (submission->stem, "%/&|*()[]") != NULL
      || *submission->stem == '\0')
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "'%s' is no name for an attempt's files",
                   submission->stem);
      return NULL;
    }
  g_autofree char *options =
      fl_slurm_options (site, resources, submission->job_name, submission->key, submission->stem, error);
  if (options == NULL)
    return NULL;
  g_autofree char *folder = g_shell_quote (submission->folder);
  g_autofree char *key = plain (submission->key);
  g_autofree char *number = g_strdup_printf ("%d", submission->number);
  g_autofree char *spread = broadcast (site, submission);
  g_autofree char *command = launch (site, submission, resources, launcher);
  g_autofree char *ingest = NULL, *ingested = NULL;
  fl_job_script_ingest (site, submission, &ingest, &ingested);
  const char *const words[][2] = {
    { "{sbatch}", options },
    { "{folder}", folder },
    { "{stem}", submission->stem },
    { "{key}", key },
    { "{number}", number },
    { "{environment}", submission->environment },
    { "{broadcast}", spread },
    { "{ingest}", ingest },
    { "{ingested}", ingested },
    { "{command}", command },
    { "{clean}", *spread != '\0'
                     ? "srun -N \"$SLURM_NNODES\" -n \"$SLURM_NNODES\" --ntasks-per-node=1 rm -rf \"$local\""
                     : "" },
  };
  return fl_job_script_fill (fl_job_script_slurm, words, G_N_ELEMENTS (words));
}

char *
fl_slurm_array_script (const FlSite *site, GPtrArray *submissions, const FlSlurmResources *resources,
                       const char *name, GError **error)
{
  const FlSubmission *first = submissions->pdata[0];
  g_autofree char *comment = g_strdup_printf ("%s+%u", first->key, submissions->len - 1);
  g_autofree char *stem = g_strconcat (name, "-%a", NULL);
  g_autofree char *options = fl_slurm_options (site, resources, name, comment, stem, error);
  if (options == NULL)
    return NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  g_string_append_printf (
      text,
      "#!/bin/sh\n%s\n#SBATCH --array=1-%u\n"
      "# Firstlight: %u jobs of equal resources; what each prints goes to its own folder.\n"
      "case $SLURM_ARRAY_TASK_ID in\n",
      options, submissions->len, submissions->len);
  for (guint i = 0; i < submissions->len; i++)
    {
      const FlSubmission *submission = submissions->pdata[i];
      g_autofree char *script = g_strdup_printf ("%s/%s.sh", submission->folder, submission->stem);
      g_autofree char *quoted = g_shell_quote (script);
      g_string_append_printf (text, "  %u) exec sh %s ;;\n", i + 1, quoted);
    }
  g_string_append (text, "esac\n");
  return g_strdup (text->str);
}
