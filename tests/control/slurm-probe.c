/* slurm-probe: the Slurm driver on a string, for test-slurm.py: it reads lines of words with blanks between, does as they say and
 * answers with lines of tab-separated words, ended by a line ".".
 *
 *   site NAME=VALUE…           partition, account, qos, reservation, features, launcher, container, environment, ranks, nodes, minutes,
 *                              broadcast (words may have %20 for a blank)
 *   add NAME FOLDER COMMAND [minutes=N] [nodes=N] [upload=LOCAL:FAR] [mirror=FOLDER]
 *   submit NAME… | poll NAME… | cancel NAME soft|hard | pull NAME… | probe | steps SCRATCH [ENGINE] | forget
 *
 * COMMAND is run by the launcher; "forget" is the end of a session: what lies at the site is all that is known afterwards. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/control/mirror.h"
#include "engine/control/site-probe.h"

static FlSite site;
static FlHost *host;
static const FlSiteDriver *driver;
static gpointer driver_data;
static GHashTable *submissions;

static const char *const state_names[] = { "unknown", "queued", "running", "ended", "lost" };

static FlSiteContext
context (void)
{
  if (driver_data == NULL)
    driver_data = driver->open (&site, host);
  return (FlSiteContext){ &site, host, driver_data };
}

static void
forget (void)
{
  if (driver_data != NULL)
    driver->close (driver_data);
  driver_data = NULL;
}

static void
set_site (const char *name, const char *value)
{
  const struct
  {
    const char *name;
    char **field;
  } texts[] = { { "partition", &site.partition },
                { "account", &site.account },
                { "qos", &site.qos },
                { "reservation", &site.reservation },
                { "features", &site.features },
                { "launcher", &site.launcher },
                { "container", &site.container },
                { "environment", &site.environment },
                { "engine", &site.engine },
                { "ingest", &site.ingest } };
  const struct
  {
    const char *name;
    int *field;
  } numbers[] = { { "ranks", &site.ranks_per_node },
                  { "nodes", &site.nodes },
                  { "minutes", &site.minutes },
                  { "gpus", &site.gpus_per_rank },
                  { "broadcast", &site.broadcast } };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    if (strcmp (name, texts[i].name) == 0)
      {
        g_free (*texts[i].field);
        *texts[i].field = g_uri_unescape_string (value, NULL);
      }
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    if (strcmp (name, numbers[i].name) == 0)
      *numbers[i].field = atoi (value);
}

static void
add (char **words)
{
  FlSubmission *submission = g_new0 (FlSubmission, 1);
  submission->attempt = (gint64) g_hash_table_size (submissions) + 1;
  submission->folder = g_uri_unescape_string (words[2], NULL);
  submission->stem = g_strdup ("attempt-0001");
  submission->mirror = g_strdup (submission->folder);
  submission->key = g_strdup_printf ("key-%s", words[1]);
  submission->job_name = g_strdup_printf ("fl-%s", words[1]);
  submission->program = g_strdup ("");
  submission->arguments = g_uri_unescape_string (words[3], NULL);
  submission->environment = g_strdup (site.environment);
  submission->number = 1;
  submission->uploads = g_ptr_array_new_with_free_func ((GDestroyNotify) fl_upload_free);
  for (guint i = 4; words[i] != NULL; i++)
    {
      char *value = strchr (words[i], '=') + 1;
      if (g_str_has_prefix (words[i], "minutes="))
        submission->minutes = atoi (value);
      else if (g_str_has_prefix (words[i], "nodes="))
        submission->nodes = atoi (value);
      else if (g_str_has_prefix (words[i], "program="))
        {
          g_free (submission->program);
          submission->program = g_uri_unescape_string (value, NULL);
        }
      else if (g_str_has_prefix (words[i], "mirror="))
        {
          g_free (submission->mirror);
          submission->mirror = g_strdup (value);
        }
      else
        {
          g_auto (GStrv) two = g_strsplit (value, ":", 2);
          FlUpload *upload = g_new0 (FlUpload, 1);
          *upload = (FlUpload){ g_strdup (two[0]), g_strdup (two[1]) };
          g_ptr_array_add (submission->uploads, upload);
        }
    }
  g_hash_table_replace (submissions, g_strdup (words[1]), submission);
}

static GPtrArray *
named (char **names)
{
  GPtrArray *list = g_ptr_array_new ();
  for (guint i = 0; names[i] != NULL; i++)
    if (g_hash_table_contains (submissions, names[i]))
      g_ptr_array_add (list, g_hash_table_lookup (submissions, names[i]));
  return list;
}

static void
print_status (const FlSiteStatus *status, const char *name)
{
  g_autofree char *out = g_strescape (status->out_tail != NULL ? status->out_tail : "", NULL);
  g_autofree char *err = g_strescape (status->err_tail != NULL ? status->err_tail : "", NULL);
  double now = (double) fl_now_ns () * 1e-9;
  printf ("%s\t%s\t%s\t%d\t%s\t%d\t%s\t%d\t%.1f\t%.1f\t%.1f\t%s\t%s\t%s\t%s\n", name,
          state_names[status->state], fl_site_cause_name (status->cause), status->exit_code,
          status->remote_id, status->restarts, status->nodes, status->n_nodes,
          status->started == 0 ? 0 : now - (double) status->started * 1e-9,
          status->ended == 0 ? 0 : now - (double) status->ended * 1e-9,
          status->expected == 0 ? 0 : (double) status->expected * 1e-9 - now, status->batch_state,
          status->batch_reason, out, err);
}

static void
print_step (const FlProbeStep *step, gpointer data)
{
  (void) data;
  printf ("%s\t%s\t%.2f\t%s\t%s\n", step->name, fl_step_state_name (step->state), step->seconds,
          step->message, step->advice);
}

static void
many (char **words, GError **error)
{
  const FlSiteContext at = context ();
  g_autoptr (GPtrArray) list = named (words + 1),
                        statuses = g_ptr_array_new_with_free_func ((GDestroyNotify) fl_site_status_free);
  gint64 begun = g_get_monotonic_time ();
  gboolean ok = strcmp (words[0], "submit") == 0 ? driver->submit (&at, list, statuses, error)
                                                 : driver->poll (&at, list, statuses, error);
  g_assert_cmpuint (statuses->len, ==, ok ? list->len : 0);
  for (guint i = 0; i < statuses->len; i++)
    print_status (statuses->pdata[i], words[1 + i]);
  printf ("ms\t%.1f\n", (double) (g_get_monotonic_time () - begun) * 1e-3);
}

static void
act (char **words, GError **error)
{
  if (strcmp (words[0], "site") == 0)
    for (guint i = 1; words[i] != NULL; i++)
      {
        g_auto (GStrv) two = g_strsplit (words[i], "=", 2);
        set_site (two[0], two[1]);
      }
  else if (strcmp (words[0], "add") == 0)
    add (words);
  else if (strcmp (words[0], "submit") == 0 || strcmp (words[0], "poll") == 0)
    many (words, error);
  else if (strcmp (words[0], "cancel") == 0)
    {
      const FlSiteContext at = context ();
      driver->cancel (&at, g_hash_table_lookup (submissions, words[1]), strcmp (words[2], "hard") == 0,
                      error);
    }
  else if (strcmp (words[0], "pull") == 0)
    {
      g_autoptr (GPtrArray) list = named (words + 1);
      g_autofree char *message = NULL;
      guint64 bytes = 0;
      if (fl_mirror_pull (host, list, &bytes, &message, error))
        printf ("%" G_GUINT64_FORMAT "\t%s\n", bytes, message != NULL ? message : "");
    }
  else if (strcmp (words[0], "probe") == 0)
    {
      const FlSiteContext at = context ();
      FlProbe probe = { 0 };
      if (driver->probe (&at, &probe, error))
        printf ("%d\t%d\t%d\t%d\t%d\t%s\n", probe.cores, probe.idle_nodes, probe.busy_nodes, probe.down_nodes,
                probe.pending, probe.summary);
      fl_probe_clear (&probe);
    }
  else if (strcmp (words[0], "steps") == 0)
    {
      const FlSiteContext at = context ();
      const FlProbeOptions options = { .scratch = words[1], .push = words[2], .mpi_timeout = 60 };
      g_autofree char *engine = NULL;
      g_autoptr (GPtrArray) steps = fl_site_probe (&at, &options, NULL, print_step, NULL, &engine);
      g_autofree char *text = fl_probe_steps_text (steps), *escaped = g_strescape (text, NULL);
      printf ("text\t%s\nengine\t%s\n", escaped, engine != NULL ? engine : "");
    }
  else if (strcmp (words[0], "forget") == 0)
    forget ();
}

int
main (void)
{
  char **texts[] = { &site.name,       &site.kind,      &site.host,        &site.user,      &site.engine,
                     &site.scratch,    &site.launcher,  &site.environment, &site.transport, &site.identity,
                     &site.ssh_config, &site.partition, &site.account,     &site.qos,       &site.reservation,
                     &site.features,   &site.container, &site.probe,       &site.ingest };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    *texts[i] = g_strdup ("");
  g_free (site.kind);
  site.kind = g_strdup ("slurm");
  host = fl_host_new_local ();
  driver = fl_site_driver ("slurm");
  submissions = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) fl_submission_free);
  g_autofree char *line = g_malloc (1 << 20);
  while (fgets (line, 1 << 20, stdin) != NULL)
    {
      g_auto (GStrv) words = g_strsplit (g_strstrip (line), " ", -1);
      g_autoptr (GError) error = NULL;
      act (words, &error);
      if (error != NULL)
        printf ("error\t%d\t%s\n", error->code, error->message);
      printf (".\n");
      fflush (stdout);
    }
  forget ();
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_free (*texts[i]);
  g_hash_table_unref (submissions);
  fl_host_unref (host);
  return 0;
}
