#include "engine/control/site-probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/control/site-probe-advice.h"
#include "engine/control/site-probe-private.h"
#include "engine/control/slurm-private.h"
#include "engine/remote/harmless.h"

#define TIMEOUT 60

/* Fills message, and advice when it fails. */
typedef FlStepState (*Step) (SiteProbe *probe, FlProbeStep *step);

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

void
fl_probe_say (char **field, const char *format, ...)
{
  va_list list;
  va_start (list, format);
  g_autofree char *text = g_strdup_vprintf (format, list);
  va_end (list);
  g_free (*field);
  *field = fl_harmless (text, -1, 500);
}

FlStepState
fl_probe_skip (FlProbeStep *step, const char *why)
{
  fl_probe_say (&step->message, "%s", why);
  return FL_STEP_SKIPPED;
}

FlStepState
fl_probe_fail (FlProbeStep *step, const GError *error, const char *advice)
{
  fl_probe_say (&step->message, "%s", error->message);
  fl_probe_say (&step->advice, "%s",
                g_error_matches (error, FL_ERROR, FL_ERROR_BUSY)
                    ? "The connection was lost or is slow: check again when it is up."
                    : advice);
  return FL_STEP_FAILED;
}

gboolean
fl_probe_shell (SiteProbe *probe, const char *script, FlHostOutput *output, GError **error)
{
  const char *const argv[] = { "sh", NULL };
  g_autoptr (GBytes) input = g_bytes_new (script, strlen (script));
  return fl_host_run (probe->host, argv, input, TIMEOUT, probe->cancellable, output, error);
}

char *
fl_probe_text (GBytes *bytes)
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
probe_scheduler (SiteProbe *probe, FlProbeStep *step)
{
  static const char script[] =
      "for c in sbatch squeue scancel srun sinfo; do command -v $c > /dev/null || { echo \"$c\" >&2; exit "
      "127; }; done\nsbatch --version && squeue -h --me -o %i > /dev/null || exit 1\n"
      "sacct -X -n -S now-1minute > /dev/null 2>&1 || echo no accounting\n";
  g_auto (FlHostOutput) output = { 0 };
  g_autoptr (GError) error = NULL;
  if (!probe->is_slurm)
    return fl_probe_skip (step, "jobs are processes of this machine");
  if (!fl_probe_shell (probe, script, &output, &error))
    return fl_probe_fail (step, error, "");
  g_autofree char *said = last_said (&output);
  if (output.status == 127)
    {
      fl_probe_say (&step->message, "%s is not in the PATH", said);
      fl_probe_say (&step->advice,
                    "Is this a machine from which jobs are submitted? If Slurm comes with a module, "
                    "load it in ~/.bashrc there, above "
                    "the line that returns when nobody types.");
      return FL_STEP_FAILED;
    }
  if (output.status != 0)
    {
      fl_probe_say (&step->message, "%s", said);
      fl_probe_say (&step->advice,
                    "Slurm's controller does not answer: see the laboratory's status page, or try "
                    "again in a few minutes.");
      return FL_STEP_FAILED;
    }
  g_autofree char *text = fl_probe_text (output.out);
  gboolean accounts = strstr (text, "no accounting") == NULL;
  text[strcspn (text, "\n")] = '\0';
  fl_probe_say (&step->message, "%s%s", text,
                accounts ? "" : ", no accounting: how jobs ended is read from their own files");
  return FL_STEP_OK;
}

/* sbatch --test-only of a job like ours. */
static FlStepState
probe_account (SiteProbe *probe, FlProbeStep *step)
{
  g_autoptr (GError) error = NULL;
  if (!probe->is_slurm)
    return fl_probe_skip (step, "none needed");
  const FlSubmission none = { 0 };
  FlSlurmResources resources;
  fl_slurm_resources (probe->context->site, &none, 1, &resources);
  g_autofree char *options =
      fl_slurm_options (probe->context->site, &resources, "fl-probe", "probe", "/dev/null", &error);
  if (options == NULL)
    return fl_probe_fail (step, error, "Take out blanks, quotes and a '-' at the beginning.");
  g_autofree char *script = g_strdup_printf ("#!/bin/sh\n%s\ntrue\n", options);
  g_autoptr (GBytes) input = g_bytes_new (script, strlen (script));
  const char *const argv[] = { "sbatch", "--test-only", NULL };
  g_auto (FlHostOutput) output = { 0 };
  if (!fl_host_run (probe->host, argv, input, TIMEOUT, probe->cancellable, &output, &error))
    return fl_probe_fail (step, error, "");
  g_autofree char *said = last_said (&output);
  if (output.status == 0)
    {
      fl_probe_say (&step->message, "%s", g_str_has_prefix (said, "sbatch: ") ? said + 8 : said);
      return FL_STEP_OK;
    }
  fl_probe_say (&step->message, "%s", said);
  g_autofree char *advice = fl_probe_account_advice (probe->host, probe->context->site, said);
  fl_probe_say (&step->advice, "%s", advice);
  return FL_STEP_FAILED;
}

/* --- scratch --- */

static FlStepState
probe_scratch (SiteProbe *probe, FlProbeStep *step)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *marker = NULL;
  const char *scratch = probe->options->scratch;
  if (scratch == NULL || *scratch != '/')
    {
      fl_probe_say (&step->message, "no folder is given");
      fl_probe_say (&step->advice,
                    "Give the absolute path of a folder there that the compute nodes see: on the "
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
      return fl_probe_fail (step, error, fl_probe_scratch_advice (error->message));
    }
  const char *const argv[] = { "df", "-Pk", probe->folder, NULL };
  g_auto (FlHostOutput) output = { 0 };
  guint64 free_kb = 0;
  if (!fl_host_run (probe->host, argv, NULL, TIMEOUT, probe->cancellable, &output, &error))
    return fl_probe_fail (step, error, "");
  g_autofree char *line = fl_slurm_last_line (output.out);
  gboolean known = output.status == 0 && sscanf (line, "%*s %*s %*s %" G_GUINT64_FORMAT, &free_kb) == 1;
  g_autofree char *size = g_format_size (free_kb * 1024);
  if (known && free_kb < 1024 * 1024)
    {
      fl_probe_say (&step->message, "%s: only %s free", scratch, size);
      fl_probe_say (&step->advice,
                    "Make room there, or choose another folder: a run of 10 000 shots leaves about 1 GB.");
      return FL_STEP_FAILED;
    }
  fl_probe_say (&step->message, "%s can be written, %s free", scratch, known ? size : "unknown room");
  return FL_STEP_OK;
}

/* --- engine --- */

/* NULL: it does not run; *said is why. */
static char *
try_engine (SiteProbe *probe, const char *program, char **said)
{
  g_autofree char *quoted = g_shell_quote (program);
  g_autofree char *script = g_strdup_printf ("{\n:\n%s\n} > /dev/null\nengine=$(command -v %s) || { echo not "
                                             "found >&2; exit 127; }\necho \"$engine\"\n"
                                             "\"$engine\" --version\n",
                                             probe->context->site->environment, quoted);
  g_auto (FlHostOutput) output = { 0 };
  g_autoptr (GError) error = NULL;
  if (!fl_probe_shell (probe, script, &output, &error))
    {
      *said = g_strdup (error->message);
      return NULL;
    }
  g_autofree char *text = fl_probe_text (output.out);
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
push_engine (SiteProbe *probe, GError **error)
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
probe_engine (SiteProbe *probe, FlProbeStep *step)
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
        return fl_probe_fail (step, error, fl_probe_scratch_advice (error->message));
      probe->engine = try_engine (probe, pushed, &said);
    }
  if (probe->engine != NULL)
    {
      fl_probe_say (&step->message, "%s%s: %s", pushed != NULL ? "put there, " : "", probe->engine, said);
      return FL_STEP_OK;
    }
  fl_probe_say (&step->message, "%s", said);
  fl_probe_say (&step->advice, "%s", fl_probe_engine_advice (said, pushed != NULL));
  return FL_STEP_FAILED;
}

/* --- all of them --- */

static void
clean (SiteProbe *probe)
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
  } all[] = { { "scheduler", probe_scheduler, FALSE }, { "account", probe_account, TRUE },
              { "scratch", probe_scratch, FALSE },     { "engine", probe_engine, FALSE },
              { "mpi", fl_probe_mpi, TRUE },           { "gpu", fl_probe_gpu, TRUE } };
  SiteProbe probe = { .context = context,
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
        step->state = fl_probe_skip (step, "cancelled");
      else
        step->state = all[i].needs_scheduler && !scheduler ? fl_probe_skip (step, "no job would be accepted")
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
