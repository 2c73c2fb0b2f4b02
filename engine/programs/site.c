/* site: adds a site to an experiment, or changes it; lists them. For scripts and those without a window. */

#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/programs/program.h"
#include "engine/programs/programs.h"
#include "engine/store/people.h"
#include "engine/store/store.h"

#define PROGRAM "firstlight-control site"

/* What may be given: the record's field, and its option. -1 and NULL: not given. */
typedef struct
{
  char *store, *name;
  char *kind, *host, *user, *identity, *transport, *ssh_config, *scratch, *engine, *launcher, *environment,
      *partition, *account, *qos, *reservation, *features, *container, *ingest;
  char **roots;
  int port, cores, nodes, ranks_per_node, gpus_per_rank, minutes, max_jobs, broadcast, hold, active;
  double max_node_hours;
  gboolean remove;
} Options;

static void
set_text (char **field, const char *given)
{
  if (given == NULL)
    return;
  g_free (*field);
  *field = g_strdup (given);
}

static void
set_int (int *field, int given)
{
  if (given >= 0)
    *field = given;
}

static void
apply (const Options *o, FlSite *site)
{
  const struct
  {
    char **field;
    const char *given;
  } texts[] = {
    { &site->kind, o->kind },
    { &site->host, o->host },
    { &site->user, o->user },
    { &site->identity, o->identity },
    { &site->transport, o->transport },
    { &site->ssh_config, o->ssh_config },
    { &site->engine, o->engine },
    { &site->launcher, o->launcher },
    { &site->environment, o->environment },
    { &site->partition, o->partition },
    { &site->account, o->account },
    { &site->qos, o->qos },
    { &site->reservation, o->reservation },
    { &site->features, o->features },
    { &site->container, o->container },
    { &site->ingest, o->ingest },
  };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    set_text (texts[i].field, texts[i].given);
  set_int (&site->port, o->port);
  set_int (&site->cores, o->cores);
  set_int (&site->nodes, o->nodes);
  set_int (&site->ranks_per_node, o->ranks_per_node);
  set_int (&site->gpus_per_rank, o->gpus_per_rank);
  set_int (&site->minutes, o->minutes);
  set_int (&site->max_jobs, o->max_jobs);
  set_int (&site->broadcast, o->broadcast);
  set_int (&site->hold, o->hold);
  set_int (&site->active, o->active);
  if (o->max_node_hours >= 0)
    site->max_node_hours = o->max_node_hours;
}

static gboolean
set_root (FlStore *store, gint64 site, const char *root, const char *path, GError **error)
{
  g_autoptr (GPtrArray) roots = fl_store_list (store, FL_TABLE_SITE_ROOT, error);
  FlSiteRoot record = { .site = site, .root = (char *) root, .path = (char *) path };
  if (roots == NULL)
    return FALSE;
  for (guint i = 0; i < roots->len; i++)
    {
      const FlSiteRoot *there = roots->pdata[i];
      if (there->site == site && strcmp (there->root, root) == 0)
        record.id = there->id;
    }
  return fl_store_save (store, FL_TABLE_SITE_ROOT, &record, error);
}

static gboolean
set_roots (FlStore *store, gint64 site, char **roots, GError **error)
{
  for (char **root = roots; root != NULL && *root != NULL; root++)
    {
      g_auto (GStrv) parts = g_strsplit (*root, "=", 2);
      if (g_strv_length (parts) != 2 || !g_path_is_absolute (parts[1]))
        {
          g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "--root '%s' is wrong, expected NAME=/PATH/THERE",
                       *root);
          return FALSE;
        }
      if (!set_root (store, site, parts[0], parts[1], error))
        return FALSE;
    }
  return TRUE;
}

static FlSite *
find_or_make (FlStore *store, const char *name, GError **error)
{
  g_autoptr (GError) failed = NULL;
  FlSite *site = fl_store_find (store, FL_TABLE_SITE, name, &failed);
  if (site != NULL || failed != NULL)
    {
      if (failed != NULL)
        g_propagate_error (error, g_steal_pointer (&failed));
      return site;
    }
  FlSite fresh = { .name = (char *) name,
                   .kind = (char *) "ssh",
                   .scratch = (char *) "experiment",
                   .transport = (char *) "auto",
                   .nodes = 1,
                   .minutes = 30,
                   .active = TRUE };
  return fl_store_save (store, FL_TABLE_SITE, &fresh, error)
             ? fl_store_get (store, FL_TABLE_SITE, fresh.id, error)
             : NULL;
}

/* A path there becomes the root that jobs' folders are under. */
static gboolean
set_site (FlStore *store, const Options *o, GError **error)
{
  FlSite *site = find_or_make (store, o->name, error);
  if (site == NULL)
    return FALSE;
  gboolean path = o->scratch != NULL && g_path_is_absolute (o->scratch);
  apply (o, site);
  if (!path)
    set_text (&site->scratch, o->scratch);
  gboolean ok = fl_store_save (store, FL_TABLE_SITE, site, error)
                && (!path || set_root (store, site->id, site->scratch, o->scratch, error))
                && set_roots (store, site->id, o->roots, error);
  fl_record_free (FL_TABLE_SITE, site);
  return ok;
}

static gboolean
remove_site (FlStore *store, const char *name, GError **error)
{
  FlSite *site = fl_store_find (store, FL_TABLE_SITE, name, error);
  if (site == NULL && *error == NULL)
    g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "there is no site called '%s'", name);
  gboolean ok = site != NULL && fl_store_remove (store, FL_TABLE_SITE, site->id, error);
  fl_record_free (FL_TABLE_SITE, site);
  return ok;
}

static gboolean
list_sites (FlStore *store, GError **error)
{
  g_autoptr (GPtrArray) sites = fl_store_list (store, FL_TABLE_SITE, error);
  for (guint i = 0; sites != NULL && i < sites->len; i++)
    {
      const FlSite *site = sites->pdata[i];
      printf ("%s\t%s\t%s%s%s\t%s\n", site->name, site->kind, site->user, *site->user != '\0' ? "@" : "",
              site->host, site->active ? site->hold ? "on hold" : "active" : "off");
    }
  return sites != NULL;
}

static int
run (const Options *o)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlStore) store =
      fl_store_open (o->store, o->name != NULL ? FL_STORE_WRITE : FL_STORE_READ_ONLY, &error);
  if (store == NULL)
    return fl_program_fail (PROGRAM, error);
  if (o->name == NULL)
    return list_sites (store, &error) ? 0 : fl_program_fail (PROGRAM, error);
  fl_store_act_for_person (store, g_get_host_name ());
  if (fl_store_begin (store, &error)
      && (o->remove ? remove_site (store, o->name, &error) : set_site (store, o, &error))
      && fl_store_commit (store, &error))
    return 0;
  return fl_program_fail (PROGRAM, error);
}

static gboolean
check (const Options *o)
{
  g_autoptr (GError) bad = NULL;
  g_autoptr (FlDatabase) database =
      o->ingest != NULL && *o->ingest != '\0' ? fl_database_parse (o->ingest, "/", &bad) : NULL;
  static const char *const kinds[] = { "local", "slurm", "ssh", NULL };
  static const char *const transports[] = { "auto", "libssh2", "openssh", NULL };
  if (o->store == NULL)
    fprintf (stderr, "%s: --store is missing, expected the experiment's folder\n", PROGRAM);
  else if (o->kind != NULL && !g_strv_contains (kinds, o->kind))
    fprintf (stderr, "%s: --kind '%s' is wrong, expected local, slurm or ssh\n", PROGRAM, o->kind);
  else if (o->transport != NULL && !g_strv_contains (transports, o->transport))
    fprintf (stderr, "%s: --transport '%s' is wrong, expected auto, libssh2 or openssh\n", PROGRAM,
             o->transport);
  else if (bad != NULL)
    fprintf (stderr, "%s: --ingest: %s\n", PROGRAM, bad->message);
  else if (o->port > 65535)
    fprintf (stderr, "%s: --port %d is out of range, expected 0 to 65535\n", PROGRAM, o->port);
  else
    return TRUE;
  return FALSE;
}

static void
options_clear (Options *o)
{
  char *texts[] = { o->store,       o->name,        o->kind,       o->host,    o->user,
                    o->identity,    o->transport,   o->ssh_config, o->scratch, o->engine,
                    o->launcher,    o->environment, o->partition,  o->account, o->qos,
                    o->reservation, o->features,    o->container,  o->ingest };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_free (texts[i]);
  g_strfreev (o->roots);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

int
fl_program_site (int argc, char **argv)
{
  g_auto (Options) o = { .port = -1,
                         .cores = -1,
                         .nodes = -1,
                         .ranks_per_node = -1,
                         .gpus_per_rank = -1,
                         .minutes = -1,
                         .max_jobs = -1,
                         .broadcast = -1,
                         .hold = -1,
                         .active = -1,
                         .max_node_hours = -1 };
  const GOptionArg text = G_OPTION_ARG_STRING, number = G_OPTION_ARG_INT;
  const GOptionEntry entries[] = {
    { "store", 's', 0, G_OPTION_ARG_FILENAME, &o.store, "The experiment's folder", "PATH" },
    { "name", 'n', 0, text, &o.name, "The site to add or change (without: lists them)", "NAME" },
    { "remove", 0, 0, G_OPTION_ARG_NONE, &o.remove, "Removes it", NULL },
    { "kind", 0, 0, text, &o.kind, "local, slurm (of this machine) or ssh", "KIND" },
    { "host", 0, 0, text, &o.host, "Host that is logged in at", "HOST" },
    { "port", 0, 0, number, &o.port, "Its port (22)", "N" },
    { "user", 0, 0, text, &o.user, "User there", "USER" },
    { "identity", 0, 0, G_OPTION_ARG_FILENAME, &o.identity, "Private key file", "FILE" },
    { "transport", 0, 0, text, &o.transport, "auto, libssh2 or openssh", "NAME" },
    { "ssh-config", 0, 0, G_OPTION_ARG_FILENAME, &o.ssh_config, "OpenSSH's configuration ('none')", "FILE" },
    { "scratch", 0, 0, text, &o.scratch, "Where jobs' folders lie there: a path, or a root's name", "PATH" },
    { "root", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o.roots, "Where a root lies there (may be repeated)",
      "NAME=PATH" },
    { "engine", 0, 0, text, &o.engine, "firstlight-engine there", "PATH" },
    { "launcher", 0, 0, text, &o.launcher, "How ranks are started", "TEXT" },
    { "environment", 0, 0, text, &o.environment, "Shell lines before the command", "TEXT" },
    { "partition", 0, 0, text, &o.partition, "Slurm's partition", "NAME" },
    { "account", 0, 0, text, &o.account, "Slurm's account", "NAME" },
    { "qos", 0, 0, text, &o.qos, "Slurm's quality of service", "NAME" },
    { "reservation", 0, 0, text, &o.reservation, "Slurm's reservation", "NAME" },
    { "constraint", 0, 0, text, &o.features, "Features that nodes must have", "TEXT" },
    { "container", 0, 0, text, &o.container, "Put before the engine's command", "TEXT" },
    { "cores", 0, 0, number, &o.cores, "Cores (local: to be used; Slurm: of a node)", "N" },
    { "nodes", 0, 0, number, &o.nodes, "Nodes of a job", "N" },
    { "ranks-per-node", 0, 0, number, &o.ranks_per_node, "Ranks a node", "N" },
    { "gpus-per-rank", 0, 0, number, &o.gpus_per_rank, "GPUs a rank", "N" },
    { "minutes", 0, 0, number, &o.minutes, "Time limit of a job", "MIN" },
    { "max-jobs", 0, 0, number, &o.max_jobs, "Jobs queued and running at a time (0: no limit)", "N" },
    { "max-node-hours", 0, 0, G_OPTION_ARG_DOUBLE, &o.max_node_hours, "Node-hours in all (0: no limit)",
      "H" },
    { "broadcast", 0, 0, number, &o.broadcast, "Copies the engine to the nodes first (0, 1)", "0|1" },
    { "ingest", 0, 0, text, &o.ingest,
      "The database as it is reached from there, for jobs that take their journals in themselves ('': the "
      "conductor does)",
      "URL" },
    { "hold", 0, 0, number, &o.hold, "New jobs wait for approval (0, 1)", "0|1" },
    { "active", 0, 0, number, &o.active, "Gets new jobs (0, 1)", "0|1" },
    { NULL }
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_option_context_set_summary (context,
                                "Adds a site where jobs run, or changes what is given of it; lists them.");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    fprintf (stderr, "%s: %s\n", PROGRAM, error->message);
  else if (argc > 1)
    fprintf (stderr, "%s: '%s' is too much, expected options only\n", PROGRAM, argv[1]);
  else if (check (&o))
    return run (&o);
  return 2;
}
