#include "engine/control/site-probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/control/site-probe-advice.h"
#include "engine/control/slurm-private.h"
#include "engine/remote/harmless.h"

#define TIMEOUT     60
#define MPI_TIMEOUT 120
#define LOOK_EVERY  500000 /* µs, for the end of the job */

typedef struct
{
  const FlSiteContext *context;
  FlHost *host;
  const FlProbeOptions *options;
  GCancellable *cancellable;
  gboolean is_slurm;
  int ranks;    /* of the trial: Slurm: one a node */
  char *folder; /* of this probe, under the scratch */
  char *engine; /* NULL until it is known to run */
  char *hello;  /* what the ranks said */
} Probe;

/* Fills message, and advice when it fails. */
typedef FlStepState (*Step) (Probe *probe, FlProbeStep *step);

void
fl_probe_step_free (FlProbeStep *step)
{
  if (step == NULL)
    return;
  g_free (step->message);
  g_free (step->advice);
  g_free (step);
}

const char *
fl_step_state_name (FlStepState state)
{
  static const char *const names[] = { "waiting", "running", "ok", "failed", "skipped" };
  return (guint) state < G_N_ELEMENTS (names) ? names[state] : "";
}

char *
fl_probe_steps_text (GPtrArray *steps)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < steps->len; i++)
    {
      const FlProbeStep *step = steps->pdata[i];
      g_string_append_printf (text, "%s\t%s\t%s\n", step->name, fl_step_state_name (step->state),
                              step->message);
    }
  return g_strdup (text->str);
}

/* --- helpers --- */

static void G_GNUC_PRINTF (2, 3) say (char **field, const char *format, ...)
{
  va_list list;
  va_start (list, format);
  g_autofree char *text = g_strdup_vprintf (format, list);
  va_end (list);
  g_free (*field);
  *field = fl_harmless (text, -1, 500);
}

static FlStepState
skip (FlProbeStep *step, const char *why)
{
  say (&step->message, "%s", why);
  return FL_STEP_SKIPPED;
}

static FlStepState
fail_with (FlProbeStep *step, const GError *error, const char *advice)
{
  say (&step->message, "%s", error->message);
  say (&step->advice, "%s",
       g_error_matches (error, FL_ERROR, FL_ERROR_BUSY)
           ? "The connection was lost or is slow: check again when it is up."
           : advice);
  return FL_STEP_FAILED;
}

static gboolean
shell (Probe *probe, const char *script, FlHostOutput *output, GError **error)
{
  const char *const argv[] = { "sh", NULL };
  g_autoptr (GBytes) input = g_bytes_new (script, strlen (script));
  return fl_host_run (probe->host, argv, input, TIMEOUT, probe->cancellable, output, error);
}

static char *
text_of (GBytes *bytes)
{
  gsize length;
  const char *data = g_bytes_get_data (bytes, &length);
  return length > 0 ? g_strndup (data, MIN (length, 65536)) : g_strdup ("");
}

/* What a command said last, on either stream. */
static char *
last_said (const FlHostOutput *output)
{
  char *line = fl_slurm_last_line (output->err);
  if (*line != '\0')
    return line;
  g_free (line);
  return fl_slurm_last_line (output->out);
}

/* --- scheduler, account --- */

static FlStepState
probe_scheduler (Probe *probe, FlProbeStep *step)
{
  static const char script[] =
      "for c in sbatch squeue scancel srun sinfo; do command -v $c > /dev/null || { echo \"$c\" >&2; exit "
      "127; }; done\nsbatch --version && squeue -h --me -o %i > /dev/null || exit 1\n"
      "sacct -X -n -S now-1minute > /dev/null 2>&1 || echo no accounting\n";
  g_auto (FlHostOutput) output = { 0 };
  g_autoptr (GError) error = NULL;
  if (!probe->is_slurm)
    return skip (step, "jobs are processes of this machine");
  if (!shell (probe, script, &output, &error))
    return fail_with (step, error, "");
  g_autofree char *said = last_said (&output);
  if (output.status == 127)
    {
      say (&step->message, "%s is not in the PATH", said);
      say (&step->advice, "Is this a machine from which jobs are submitted? If Slurm comes with a module, "
                          "load it in ~/.bashrc there, above "
                          "the line that returns when nobody types.");
      return FL_STEP_FAILED;
    }
  if (output.status != 0)
    {
      say (&step->message, "%s", said);
      say (&step->advice, "Slurm's controller does not answer: see the laboratory's status page, or try "
                          "again in a few minutes.");
      return FL_STEP_FAILED;
    }
  g_autofree char *text = text_of (output.out);
  gboolean accounts = strstr (text, "no accounting") == NULL;
  text[strcspn (text, "\n")] = '\0';
  say (&step->message, "%s%s", text,
       accounts ? "" : ", no accounting: how jobs ended is read from their own files");
  return FL_STEP_OK;
}

/* sbatch --test-only of a job like ours. */
static FlStepState
probe_account (Probe *probe, FlProbeStep *step)
{
  g_autoptr (GError) error = NULL;
  if (!probe->is_slurm)
    return skip (step, "none needed");
  const FlSubmission none = { 0 };
  FlSlurmResources resources;
  fl_slurm_resources (probe->context->site, &none, 1, &resources);
  g_autofree char *options =
      fl_slurm_options (probe->context->site, &resources, "fl-probe", "probe", "/dev/null", &error);
  if (options == NULL)
    return fail_with (step, error, "Take out blanks, quotes and a '-' at the beginning.");
  g_autofree char *script = g_strdup_printf ("#!/bin/sh\n%s\ntrue\n", options);
  g_autoptr (GBytes) input = g_bytes_new (script, strlen (script));
  const char *const argv[] = { "sbatch", "--test-only", NULL };
  g_auto (FlHostOutput) output = { 0 };
  if (!fl_host_run (probe->host, argv, input, TIMEOUT, probe->cancellable, &output, &error))
    return fail_with (step, error, "");
  g_autofree char *said = last_said (&output);
  if (output.status == 0)
    {
      say (&step->message, "%s", g_str_has_prefix (said, "sbatch: ") ? said + 8 : said);
      return FL_STEP_OK;
    }
  say (&step->message, "%s", said);
  g_autofree char *advice = fl_probe_account_advice (probe->host, probe->context->site, said);
  say (&step->advice, "%s", advice);
  return FL_STEP_FAILED;
}

/* --- scratch --- */

static FlStepState
probe_scratch (Probe *probe, FlProbeStep *step)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *marker = NULL;
  const char *scratch = probe->options->scratch;
  if (scratch == NULL || *scratch != '/')
    {
      say (&step->message, "no folder is given");
      say (&step->advice, "Give the absolute path of a folder there that the compute nodes see: on the "
                          "parallel file system, not "
                          "in your home.");
      return FL_STEP_FAILED;
    }
  probe->folder = g_strdup_printf ("%s/.firstlight-probe-%08x", scratch, g_random_int ());
  marker = g_build_filename (probe->folder, "marker", NULL);
  if (!fl_host_make_folder (probe->host, probe->folder, &error)
      || !fl_host_write (probe->host, marker, "firstlight\n", 11, 0644, &error))
    {
      g_clear_pointer (&probe->folder, g_free);
      return fail_with (step, error, fl_probe_scratch_advice (error->message));
    }
  const char *const argv[] = { "df", "-Pk", probe->folder, NULL };
  g_auto (FlHostOutput) output = { 0 };
  guint64 free_kb = 0;
  if (!fl_host_run (probe->host, argv, NULL, TIMEOUT, probe->cancellable, &output, &error))
    return fail_with (step, error, "");
  g_autofree char *line = fl_slurm_last_line (output.out);
  gboolean known = output.status == 0 && sscanf (line, "%*s %*s %*s %" G_GUINT64_FORMAT, &free_kb) == 1;
  g_autofree char *size = g_format_size (free_kb * 1024);
  if (known && free_kb < 1024 * 1024)
    {
      say (&step->message, "%s: only %s free", scratch, size);
      say (&step->advice,
           "Make room there, or choose another folder: a run of 10 000 shots leaves about 1 GB.");
      return FL_STEP_FAILED;
    }
  say (&step->message, "%s can be written, %s free", scratch, known ? size : "unknown room");
  return FL_STEP_OK;
}

/* --- engine --- */

/* NULL: it does not run; *said is why. */
static char *
try_engine (Probe *probe, const char *program, char **said)
{
  g_autofree char *quoted = g_shell_quote (program);
  g_autofree char *script = g_strdup_printf ("{\n:\n%s\n} > /dev/null\nengine=$(command -v %s) || { echo not "
                                             "found >&2; exit 127; }\necho \"$engine\"\n"
                                             "\"$engine\" --version\n",
                                             probe->context->site->environment, quoted);
  g_auto (FlHostOutput) output = { 0 };
  g_autoptr (GError) error = NULL;
  if (!shell (probe, script, &output, &error))
    {
      *said = g_strdup (error->message);
      return NULL;
    }
  g_autofree char *text = text_of (output.out);
  char *newline = strchr (text, '\n');
  if (output.status != 0 || newline == NULL)
    {
      *said = last_said (&output);
      return NULL;
    }
  *newline = '\0';
  *said = fl_harmless (newline + 1, -1, 100);
  return g_strdup (text);
}

/* The program, firstlight-control (for images and logs) and the kernels' modules that lie beside it or in the build tree
 * around it. */
static char *
push_engine (Probe *probe, GError **error)
{
  static const char *const folders[] = { ".", "kernels", "../kernels", "../../kernels", "../lib/firstlight" };
  g_autofree char *there = g_build_filename (probe->options->scratch, "bin", NULL);
  g_autofree char *engine = g_build_filename (there, "firstlight-engine", NULL);
  g_autofree char *here = g_path_get_dirname (probe->options->push);
  g_autofree char *view_here = g_build_filename (here, "firstlight-control", NULL);
  g_autofree char *view_there = g_build_filename (there, "firstlight-control", NULL);
  if (!fl_host_make_folder (probe->host, there, error)
      || !fl_host_put (probe->host, probe->options->push, engine, 0755, probe->cancellable, NULL, NULL, error)
      || (g_file_test (view_here, G_FILE_TEST_IS_EXECUTABLE)
          && !fl_host_put (probe->host, view_here, view_there, 0755, probe->cancellable, NULL, NULL, error)))
    return NULL;
  for (guint i = 0; i < G_N_ELEMENTS (folders); i++)
    {
      g_autofree char *folder = g_build_filename (here, folders[i], NULL);
      g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
      const char *name;
      while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
        if (g_str_has_prefix (name, "flk-") && g_str_has_suffix (name, ".so"))
          {
            g_autofree char *from = g_build_filename (folder, name, NULL),
                            *to = g_build_filename (there, name, NULL);
            if (!fl_host_put (probe->host, from, to, 0755, probe->cancellable, NULL, NULL, error))
              return NULL;
          }
    }
  return g_steal_pointer (&engine);
}

static FlStepState
probe_engine (Probe *probe, FlProbeStep *step)
{
  const char *wanted = probe->context->site->engine;
  g_autofree char *said = NULL, *before = NULL, *pushed = NULL;
  g_autoptr (GError) error = NULL;
  probe->engine = try_engine (probe, *wanted != '\0' ? wanted : "firstlight-engine", &said);
  if (probe->engine == NULL && probe->options->push != NULL && probe->folder != NULL)
    {
      before = g_steal_pointer (&said);
      pushed = push_engine (probe, &error);
      if (pushed == NULL)
        return fail_with (step, error, fl_probe_scratch_advice (error->message));
      probe->engine = try_engine (probe, pushed, &said);
    }
  if (probe->engine != NULL)
    {
      say (&step->message, "%s%s: %s", pushed != NULL ? "put there, " : "", probe->engine, said);
      return FL_STEP_OK;
    }
  say (&step->message, "%s", said);
  say (&step->advice, "%s", fl_probe_engine_advice (said, pushed != NULL));
  return FL_STEP_FAILED;
}

/* --- ranks on nodes --- */

static char *
launcher_of (Probe *probe)
{
  const FlSite *site = probe->context->site;
  if (!probe->is_slurm && *site->launcher == '\0')
    return g_strdup ("mpirun -n 2");
  const FlSlurmData *data = probe->is_slurm ? probe->context->data : NULL;
  g_autoptr (GString) text = g_string_new (*site->launcher != '\0' ? site->launcher : data->launcher);
  g_autofree char *number = g_strdup_printf ("%d", probe->ranks);
  g_string_replace (text, "{ranks_per_node}", probe->is_slurm ? "1" : "2", 0);
  g_string_replace (text, "{ranks}", number, 0);
  g_string_replace (text, "{nodes}", probe->is_slurm ? number : "1", 0);
  return g_strdup (text->str);
}

static char *
hello_command (Probe *probe)
{
  g_autofree char *quoted = g_shell_quote (probe->engine),
                  *marker = g_build_filename (probe->folder, "marker", NULL),
                  *quoted_marker = g_shell_quote (marker);
  g_autofree char *launcher = launcher_of (probe);
  return g_strdup_printf ("%s\n%s %s %s hello %s", probe->context->site->environment, launcher,
                          probe->context->site->container, quoted, quoted_marker);
}

/* 2 where the partition has as many. */
static int
nodes_to_try (Probe *probe)
{
  FlProbe found = { 0 };
  int n = 1;
  if (fl_site_driver (probe->context->site->kind)->probe (probe->context, &found, NULL))
    n = found.idle_nodes + found.busy_nodes >= 2 ? 2 : 1;
  fl_probe_clear (&found);
  return n;
}

/* The job's script; its output goes to files beside it. */
static char *
job_script (Probe *probe, int n_nodes, GError **error)
{
  FlSlurmResources resources;
  const FlSubmission none = { .nodes = n_nodes, .ranks_per_node = 1 };
  fl_slurm_resources (probe->context->site, &none, 1, &resources);
  resources.minutes = resources.minutes > 0 ? MIN (resources.minutes, 5) : 5;
  g_autofree char *options =
      fl_slurm_options (probe->context->site, &resources, "fl-probe", "probe", "probe", error);
  if (options == NULL)
    return NULL;
  g_autofree char *command = hello_command (probe);
  return g_strdup_printf (
      "#!/bin/sh\n%s\n%s\nstatus=$?\necho $status > probe.exit.new && mv probe.exit.new probe.exit\n",
      options, command);
}

static void
cancel_job (Probe *probe, const char *id)
{
  const char *const argv[] = { "scancel", "-Q", id, NULL };
  g_auto (FlHostOutput) output = { 0 };
  fl_host_run (probe->host, argv, NULL, TIMEOUT, NULL, &output, NULL);
}

static char *
read_all (Probe *probe, const char *name)
{
  g_autofree char *path = g_build_filename (probe->folder, name, NULL);
  g_autoptr (GBytes) bytes = fl_host_read (probe->host, path, -65536, 65536, NULL, NULL);
  return bytes != NULL ? text_of (bytes) : NULL;
}

/* "PENDING|Resources"; "" when Slurm does not have it any more, NULL when it does not answer. */
static char *
queue_line (Probe *probe, const char *id)
{
  const char *const argv[] = { "squeue", "-h", "-j", id, "-o", "%T|%r", NULL };
  g_auto (FlHostOutput) output = { 0 };
  if (!fl_host_run (probe->host, argv, NULL, TIMEOUT, probe->cancellable, &output, NULL))
    return NULL;
  g_autofree char *said = text_of (output.err);
  if (output.status != 0 && strstr (said, "nvalid job id") == NULL)
    return NULL;
  return fl_slurm_last_line (output.out);
}

/* Waits for its end; FALSE with a failed step. */
static gboolean
wait_for_job (Probe *probe, FlProbeStep *step, const char *id)
{
  guint limit = probe->options->mpi_timeout > 0 ? probe->options->mpi_timeout : MPI_TIMEOUT;
  gint64 begun = g_get_monotonic_time ();
  g_autofree char *where = g_strdup ("");
  for (guint gone = 0; gone < 4;)
    {
      g_autofree char *status = read_all (probe, "probe.exit");
      if (status != NULL)
        return TRUE;
      char *line = queue_line (probe, id);
      gone += line != NULL
              && (*line == '\0' || g_str_has_prefix (line, "FAILED") || g_str_has_prefix (line, "CANCELLED"));
      if (line != NULL && *line != '\0')
        {
          g_free (where);
          where = g_steal_pointer (&line);
        }
      g_free (line);
      gboolean waits = g_str_has_prefix (where, "PENDING") || g_str_has_prefix (where, "CONFIGURING");
      gint64 since = (g_get_monotonic_time () - begun) / G_USEC_PER_SEC;
      if (g_cancellable_is_cancelled (probe->cancellable) || since > limit + (waits ? 0 : 60))
        {
          cancel_job (probe, id);
          char *reason = strchr (where, '|');
          say (&step->message,
               waits ? "job %s still waits after %d s: %s" : "job %s does not end within %d s: %s", id,
               (int) since, reason != NULL ? reason + 1 : where);
          say (&step->advice, "%s", fl_probe_wait_advice (waits));
          return FALSE;
        }
      g_usleep (LOOK_EVERY);
    }
  say (&step->message, "job %s has ended without a word (%s)", id, where);
  say (&step->advice, "A node could not write into the scratch folder, or could not start the job: do the "
                      "nodes see that folder?");
  return FALSE;
}

static gboolean
run_job (Probe *probe, FlProbeStep *step, int n_nodes)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *script = job_script (probe, n_nodes, &error), *id = NULL, *message = NULL;
  g_autofree char *folder = g_shell_quote (probe->folder),
                  *quoted = script != NULL ? g_shell_quote (script) : NULL;
  g_auto (FlHostOutput) output = { 0 };
  g_autofree char *command = g_strdup_printf (
      "cd %s && printf %%s %s > probe.sh && sbatch --parsable probe.sh 2>&1\n", folder, quoted);
  if (script == NULL || !shell (probe, command, &output, &error))
    {
      fail_with (step, error, "");
      return FALSE;
    }
  g_autofree char *said = text_of (output.out);
  if (fl_slurm_sbatch_answer (output.status, said, &id, &message) == FL_SBATCH_DONE)
    return wait_for_job (probe, step, id);
  g_autofree char *advice = fl_probe_account_advice (probe->host, probe->context->site, message);
  say (&step->message, "%s", message);
  say (&step->advice, "%s", advice);
  return FALSE;
}

static gboolean
run_here (Probe *probe, FlProbeStep *step)
{
  g_autofree char *command = hello_command (probe), *folder = g_shell_quote (probe->folder);
  g_autofree char *script = g_strdup_printf (
      "cd %s || exit 1\n{\n%s\n} > probe.out 2> probe.err < /dev/null\necho $? > probe.exit\n", folder,
      command);
  g_auto (FlHostOutput) output = { 0 };
  g_autoptr (GError) error = NULL;
  if (shell (probe, script, &output, &error))
    return TRUE;
  fail_with (step, error, "");
  return FALSE;
}

static FlStepState
probe_mpi (Probe *probe, FlProbeStep *step)
{
  if (probe->folder == NULL || probe->engine == NULL)
    return skip (step, "needs the scratch folder and the engine");
  g_autoptr (GError) error = NULL;
  if (probe->is_slurm && !fl_slurm_facts (probe->context, &error))
    return fail_with (step, error, "");
  int n_nodes = probe->is_slurm ? nodes_to_try (probe) : 1,
      ranks = probe->ranks = probe->is_slurm ? n_nodes : 2;
  if (!(probe->is_slurm ? run_job (probe, step, n_nodes) : run_here (probe, step)))
    return FL_STEP_FAILED;
  g_autofree char *status = read_all (probe, "probe.exit"), *out = read_all (probe, "probe.out"),
                  *err = read_all (probe, "probe.err");
  if (out == NULL || err == NULL || status == NULL)
    return fail_with (step, &(GError){ .message = (char *) "its output is not there" },
                      "Do the nodes see the scratch folder?");
  g_autoptr (GBytes) out_bytes = g_bytes_new (out, strlen (out)), err_bytes = g_bytes_new (err, strlen (err));
  g_autofree char *last = fl_slurm_last_line (out_bytes), *trouble = fl_slurm_last_line (err_bytes);
  int said = 0, on = 0;
  gboolean counted = sscanf (last, "%d ranks on %d nodes", &said, &on) == 2;
  if (atoi (status) == 0 && counted && said == ranks && on == n_nodes)
    {
      probe->hello = g_steal_pointer (&out);
      say (&step->message, "%s", last);
      return FL_STEP_OK;
    }
  gboolean unseen = strstr (out, "does not see") != NULL, alone = counted && said == 1 && ranks > 1;
  say (&step->message, "%s",
       unseen             ? "a node does not see the scratch folder"
       : alone            ? "each rank is alone: MPI does not join them"
       : *trouble != '\0' ? trouble
                          : last);
  say (&step->advice, "%s", fl_probe_mpi_advice (unseen, alone, err));
  return FL_STEP_FAILED;
}

static FlStepState
probe_gpu (Probe *probe, FlProbeStep *step)
{
  if (probe->context->site->gpus_per_rank <= 0)
    return skip (step, "none is asked for");
  if (probe->hello == NULL)
    return skip (step, "needs ranks on the nodes");
  g_auto (GStrv) lines = g_strsplit (probe->hello, "\n", -1);
  const char *first = "";
  for (guint i = 0; lines[i] != NULL; i++)
    {
      if (!g_str_has_prefix (lines[i], "rank "))
        continue;
      gboolean is_gpu = strstr (lines[i], ": cuda ") != NULL || strstr (lines[i], ": hip ") != NULL;
      if (!is_gpu)
        {
          say (&step->message, "%s", lines[i]);
          say (&step->advice, "This rank sees no GPU that the engine can use. Is the partition one with GPUs "
                              "(sinfo -o '%%P %%G' tells), is a "
                              "constraint needed, and was the engine there built with CUDA or HIP?");
          return FL_STEP_FAILED;
        }
      first = *first == '\0' ? lines[i] : first;
    }
  say (&step->message, "%s", first);
  return FL_STEP_OK;
}

/* --- all of them --- */

static void
clean (Probe *probe)
{
  const char *const argv[] = { "rm", "-rf", "--", probe->folder, NULL };
  g_auto (FlHostOutput) output = { 0 };
  if (probe->folder != NULL)
    fl_host_run (probe->host, argv, NULL, TIMEOUT, NULL, &output, NULL);
}

GPtrArray *
fl_site_probe (const FlSiteContext *context, const FlProbeOptions *options, GCancellable *cancellable,
               FlProbeProgress progress, gpointer data, char **engine)
{
  static const struct
  {
    const char *name;
    Step run;
    gboolean needs_scheduler;
  } all[] = { { "scheduler", probe_scheduler, FALSE },
              { "account", probe_account, TRUE },
              { "scratch", probe_scratch, FALSE },
              { "engine", probe_engine, FALSE },
              { "mpi", probe_mpi, TRUE },
              { "gpu", probe_gpu, TRUE } };
  Probe probe = { .context = context,
                  .host = context->host != NULL ? fl_host_ref (context->host) : fl_host_new_local (),
                  .options = options,
                  .cancellable = cancellable,
                  .is_slurm = strcmp (context->site->kind, "local") != 0 };
  GPtrArray *steps = g_ptr_array_new_with_free_func ((GDestroyNotify) fl_probe_step_free);
  gboolean scheduler = TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    {
      FlProbeStep *step = g_new0 (FlProbeStep, 1);
      *step = (FlProbeStep){
        .name = all[i].name, .state = FL_STEP_RUNNING, .message = g_strdup (""), .advice = g_strdup ("")
      };
      g_ptr_array_add (steps, step);
      gint64 begun = g_get_monotonic_time ();
      if (progress != NULL)
        progress (step, data);
      if (g_cancellable_is_cancelled (cancellable))
        step->state = skip (step, "cancelled");
      else
        step->state = all[i].needs_scheduler && !scheduler ? skip (step, "no job would be accepted")
                                                           : all[i].run (&probe, step);
      step->seconds = (double) (g_get_monotonic_time () - begun) * 1e-6;
      /* A refused account refuses every job. */
      scheduler &= i > 1 || step->state != FL_STEP_FAILED;
      if (progress != NULL)
        progress (step, data);
    }
  clean (&probe);
  if (engine != NULL)
    *engine = g_steal_pointer (&probe.engine);
  g_free (probe.engine);
  g_free (probe.folder);
  g_free (probe.hello);
  fl_host_unref (probe.host);
  return steps;
}
