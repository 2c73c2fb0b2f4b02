/* The check of a site: ranks of the engine on its nodes, through a job as ours will be. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/control/site-probe-advice.h"
#include "engine/control/site-probe-private.h"
#include "engine/control/slurm-private.h"

#define TIMEOUT     60
#define MPI_TIMEOUT 120
#define LOOK_EVERY  500000 /* µs, for the end of the job */

static char *
launcher_of (SiteProbe *probe)
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
hello_command (SiteProbe *probe)
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
nodes_to_try (SiteProbe *probe)
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
job_script (SiteProbe *probe, int n_nodes, GError **error)
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
cancel_job (SiteProbe *probe, const char *id)
{
  const char *const argv[] = { "scancel", "-Q", id, NULL };
  g_auto (FlHostOutput) output = { 0 };
  fl_host_run (probe->host, argv, NULL, TIMEOUT, NULL, &output, NULL);
}

static char *
read_all (SiteProbe *probe, const char *name)
{
  g_autofree char *path = g_build_filename (probe->folder, name, NULL);
  g_autoptr (GBytes) bytes = fl_host_read (probe->host, path, -65536, 65536, NULL, NULL);
  return bytes != NULL ? fl_probe_text (bytes) : NULL;
}

/* "PENDING|Resources"; "" when Slurm does not have it any more, NULL when it does not answer. */
static char *
queue_line (SiteProbe *probe, const char *id)
{
  const char *const argv[] = { "squeue", "-h", "-j", id, "-o", "%T|%r", NULL };
  g_auto (FlHostOutput) output = { 0 };
  if (!fl_host_run (probe->host, argv, NULL, TIMEOUT, probe->cancellable, &output, NULL))
    return NULL;
  g_autofree char *said = fl_probe_text (output.err);
  if (output.status != 0 && strstr (said, "nvalid job id") == NULL)
    return NULL;
  return fl_slurm_last_line (output.out);
}

/* Waits for its end; FALSE with a failed step. */
static gboolean
wait_for_job (SiteProbe *probe, FlProbeStep *step, const char *id)
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
          fl_probe_say (&step->message,
                        waits ? "job %s still waits after %d s: %s" : "job %s does not end within %d s: %s",
                        id, (int) since, reason != NULL ? reason + 1 : where);
          fl_probe_say (&step->advice, "%s", fl_probe_wait_advice (waits));
          return FALSE;
        }
      g_usleep (LOOK_EVERY);
    }
  fl_probe_say (&step->message, "job %s has ended without a word (%s)", id, where);
  fl_probe_say (&step->advice,
                "A node could not write into the scratch folder, or could not start the job: do the "
                "nodes see that folder?");
  return FALSE;
}

static gboolean
run_job (SiteProbe *probe, FlProbeStep *step, int n_nodes)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *script = job_script (probe, n_nodes, &error), *id = NULL, *message = NULL;
  g_autofree char *folder = g_shell_quote (probe->folder),
                  *quoted = script != NULL ? g_shell_quote (script) : NULL;
  g_auto (FlHostOutput) output = { 0 };
  g_autofree char *command = g_strdup_printf (
      "cd %s && printf %%s %s > probe.sh && sbatch --parsable probe.sh 2>&1\n", folder, quoted);
  if (script == NULL || !fl_probe_shell (probe, command, &output, &error))
    {
      fl_probe_fail (step, error, "");
      return FALSE;
    }
  g_autofree char *said = fl_probe_text (output.out);
  if (fl_slurm_sbatch_answer (output.status, said, &id, &message) == FL_SBATCH_DONE)
    return wait_for_job (probe, step, id);
  g_autofree char *advice = fl_probe_account_advice (probe->host, probe->context->site, message);
  fl_probe_say (&step->message, "%s", message);
  fl_probe_say (&step->advice, "%s", advice);
  return FALSE;
}

static gboolean
run_here (SiteProbe *probe, FlProbeStep *step)
{
  g_autofree char *command = hello_command (probe), *folder = g_shell_quote (probe->folder);
  g_autofree char *script = g_strdup_printf (
      "cd %s || exit 1\n{\n%s\n} > probe.out 2> probe.err < /dev/null\necho $? > probe.exit\n", folder,
      command);
  g_auto (FlHostOutput) output = { 0 };
  g_autoptr (GError) error = NULL;
  if (fl_probe_shell (probe, script, &output, &error))
    return TRUE;
  fl_probe_fail (step, error, "");
  return FALSE;
}

FlStepState
fl_probe_mpi (SiteProbe *probe, FlProbeStep *step)
{
  if (probe->folder == NULL || probe->engine == NULL)
    return fl_probe_skip (step, "needs the scratch folder and the engine");
  g_autoptr (GError) error = NULL;
  if (probe->is_slurm && !fl_slurm_facts (probe->context, &error))
    return fl_probe_fail (step, error, "");
  int n_nodes = probe->is_slurm ? nodes_to_try (probe) : 1,
      ranks = probe->ranks = probe->is_slurm ? n_nodes : 2;
  if (!(probe->is_slurm ? run_job (probe, step, n_nodes) : run_here (probe, step)))
    return FL_STEP_FAILED;
  g_autofree char *status = read_all (probe, "probe.exit"), *out = read_all (probe, "probe.out"),
                  *err = read_all (probe, "probe.err");
  if (out == NULL || err == NULL || status == NULL)
    return fl_probe_fail (step, &(GError){ .message = (char *) "its output is not there" },
                          "Do the nodes see the scratch folder?");
  g_autoptr (GBytes) out_bytes = g_bytes_new (out, strlen (out)), err_bytes = g_bytes_new (err, strlen (err));
  g_autofree char *last = fl_slurm_last_line (out_bytes), *trouble = fl_slurm_last_line (err_bytes);
  int said = 0, on = 0;
  gboolean counted = sscanf (last, "%d ranks on %d nodes", &said, &on) == 2;
  if (atoi (status) == 0 && counted && said == ranks && on == n_nodes)
    {
      probe->hello = g_steal_pointer (&out);
      fl_probe_say (&step->message, "%s", last);
      return FL_STEP_OK;
    }
  gboolean unseen = strstr (out, "does not see") != NULL, alone = counted && said == 1 && ranks > 1;
  fl_probe_say (&step->message, "%s",
                unseen             ? "a node does not see the scratch folder"
                : alone            ? "each rank is alone: MPI does not join them"
                : *trouble != '\0' ? trouble
                                   : last);
  fl_probe_say (&step->advice, "%s", fl_probe_mpi_advice (unseen, alone, err));
  return FL_STEP_FAILED;
}

FlStepState
fl_probe_gpu (SiteProbe *probe, FlProbeStep *step)
{
  if (probe->context->site->gpus_per_rank <= 0)
    return fl_probe_skip (step, "none is asked for");
  if (probe->hello == NULL)
    return fl_probe_skip (step, "needs ranks on the nodes");
  g_auto (GStrv) lines = g_strsplit (probe->hello, "\n", -1);
  const char *first = "";
  for (guint i = 0; lines[i] != NULL; i++)
    {
      if (!g_str_has_prefix (lines[i], "rank "))
        continue;
      gboolean is_gpu = strstr (lines[i], ": cuda ") != NULL || strstr (lines[i], ": hip ") != NULL;
      if (!is_gpu)
        {
          fl_probe_say (&step->message, "%s", lines[i]);
          fl_probe_say (&step->advice,
                        "This rank sees no GPU that the engine can use. Is the partition one with GPUs "
                        "(sinfo -o '%%P %%G' tells), is a "
                        "constraint needed, and was the engine there built with CUDA or HIP?");
          return FL_STEP_FAILED;
        }
      first = *first == '\0' ? lines[i] : first;
    }
  fl_probe_say (&step->message, "%s", first);
  return FL_STEP_OK;
}
