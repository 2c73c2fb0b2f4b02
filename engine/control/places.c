/* Sites as the conductor holds them: their connections, and where runs are looked for. */
#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/control/conductor-private.h"

#define LOOK_EVERY (1 * G_USEC_PER_SEC)

/* --- requests under way --- */

static void
asked_free (gpointer data)
{
  FlAsked *asked = data;
  if (asked->destroy != NULL)
    asked->destroy (asked->other);
  g_array_unref (asked->attempts);
  g_free (asked);
}

FlAsked *
fl_asked_new (FlPlace *place)
{
  FlAsked *asked = g_new0 (FlAsked, 1);
  asked->place = place;
  asked->attempts = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_hash_table_add (place->asked, asked);
  place->conductor->pending++;
  return asked;
}

void
fl_asked_done (FlAsked *asked)
{
  asked->place->conductor->pending--;
  g_hash_table_remove (asked->place->asked, asked);
}

/* --- links --- */

char *
fl_place_worker (const FlPlace *place, const char *what)
{
  return g_strconcat (what, ":", place->record->name, NULL);
}

FlPlace *
fl_place_get (FlConductor *conductor, gint64 site)
{
  return g_hash_table_lookup (conductor->places, &site);
}

gboolean
fl_place_is_up (const FlPlace *place)
{
  if (place->link == NULL)
    return FALSE;
  if (place->remote == NULL)
    return TRUE;
  FlRemoteState state = fl_remote_status (place->remote)->state;
  return state == FL_REMOTE_UP || state == FL_REMOTE_SLOW;
}

static void
tell_link (FlPlace *place, const FlRemoteStatus *status)
{
  FlConductor *conductor = place->conductor;
  g_autofree char *worker = fl_place_worker (place, "link");
  const char *state = fl_remote_state_name (status->state),
             *message = status->message != NULL ? status->message : "";
  fl_workers_link (conductor->workers, worker, place->id, state, message, status->round_trip,
                   status->retry_at);
  if (conductor->server != NULL)
    fl_control_server_link (conductor->server, place->id, state, status->round_trip, status->retry_at,
                            message);
}

static void
remote_changed (FlRemote *remote, const FlRemoteStatus *status, gpointer data)
{
  (void) remote;
  FlPlace *place = data;
  static const char *const workers[] = { "submit", "poll", "journals" };
  tell_link (place, status);
  if (status->state != FL_REMOTE_UP)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (workers); i++)
    {
      g_autofree char *worker = fl_place_worker (place, workers[i]);
      fl_workers_hurry (place->conductor->workers, worker);
    }
  place->conductor->replan = TRUE; /* what waited for the connection */
}

static void
remote_asks (FlRemote *remote, const FlRemoteQuestion *question, gpointer data)
{
  (void) remote;
  FlPlace *place = data;
  FlControlServer *server = place->conductor->server;
  if (server == NULL)
    return;
  if (question != NULL)
    fl_control_server_question (server, place->id, question);
  else
    fl_control_server_void (server, place->id);
}

static char *
connection_of (const FlSite *site)
{
  return g_strdup_printf ("%s\n%s\n%s\n%d\n%s\n%s\n%s", site->kind, site->host, site->user, site->port,
                          site->transport, site->identity, site->ssh_config);
}

/* What the driver works with; not the limits, which are ours. */
static char *
manner_of (const FlSite *s)
{
  return g_strdup_printf ("%s\n%s\n%s\n%s\n%s\n%d\n%s\n%s\n%s\n%s\n%s\n%s\n%d\n%d\n%d\n%d\n%d\n%s", s->name,
                          s->engine, s->scratch, s->launcher, s->environment, s->cores, s->partition,
                          s->account, s->qos, s->reservation, s->features, s->container, s->nodes,
                          s->ranks_per_node, s->gpus_per_rank, s->minutes, s->broadcast, s->ingest);
}

static void
drop_link (FlPlace *place)
{
  g_clear_pointer (&place->link, fl_site_link_free);
  fl_conductor_forget_requests (place->conductor, place);
  place->conductor->pending -= g_hash_table_size (place->asked);
  g_hash_table_remove_all (place->asked);
  g_hash_table_remove_all (place->looking);
  place->submitting = place->polling = place->pulling = place->measuring = FALSE;
}

/* First the connection: then whatever waits for it is answered at once. */
static void
drop_connection (FlPlace *place)
{
  fl_place_stop_probe (place);
  g_clear_pointer (&place->remote, fl_remote_free);
  if (place->conductor->server != NULL)
    fl_control_server_void (place->conductor->server, place->id);
  drop_link (place);
  g_clear_pointer (&place->host, fl_host_unref);
}

void
fl_place_free (FlPlace *place)
{
  drop_connection (place);
  g_hash_table_unref (place->asked);
  g_hash_table_unref (place->looking);
  fl_record_free (FL_TABLE_SITE, place->record);
  g_free (place->connection);
  g_free (place->manner);
  g_free (place->trouble);
  g_free (place->nodes);
  g_free (place);
}

static void
make_connection (FlPlace *place)
{
  static const FlRemoteEvents events = { remote_changed, remote_asks };
  const FlSite *site = place->record;
  if (strcmp (site->kind, "ssh") != 0)
    {
      place->host = fl_host_new_local ();
      return;
    }
  FlRemoteConfig config = { .host = site->host,
                            .user = site->user,
                            .port = site->port,
                            .identity = site->identity,
                            .transport = fl_remote_transport_parse (site->transport),
                            .config_file = *site->ssh_config != '\0' ? site->ssh_config : NULL };
  place->remote = fl_remote_new (&config, &events, place);
  place->host = fl_remote_host (place->remote); /* a reference */
  fl_remote_connect (place->remote);
  tell_link (place, fl_remote_status (place->remote));
}

static gboolean
make_link (FlPlace *place, GError **error)
{
  g_autoptr (GError) why = NULL;
  FlSite *own = fl_store_get (place->conductor->store, FL_TABLE_SITE, place->id, error);
  if (own == NULL)
    return FALSE;
  place->link = fl_site_link_new (own, place->host, &why);
  g_free (place->trouble);
  place->trouble = why != NULL ? g_strdup (why->message) : NULL;
  return TRUE;
}

static void
forget_workers (FlPlace *place)
{
  static const char *const names[] = { "link", "submit", "poll", "journals" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *name = fl_place_worker (place, names[i]);
      fl_workers_forget (place->conductor->workers, name);
    }
}

static gboolean
refresh_place (FlConductor *conductor, FlSite *record, GError **error)
{
  g_autofree char *connection = connection_of (record);
  g_autofree char *manner = manner_of (record);
  FlPlace *place = fl_place_get (conductor, record->id);
  if (place == NULL)
    {
      place = g_new0 (FlPlace, 1);
      place->conductor = conductor;
      place->id = record->id;
      place->asked = g_hash_table_new_full (NULL, NULL, asked_free, NULL);
      place->looking = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
      g_hash_table_insert (conductor->places, g_memdup2 (&record->id, sizeof record->id), place);
    }
  gboolean other = g_strcmp0 (place->connection, connection) != 0;
  gboolean renamed = place->record != NULL && strcmp (place->record->name, record->name) != 0;
  if (other && place->record != NULL)
    drop_connection (place);
  if (renamed)
    forget_workers (place);
  fl_record_free (FL_TABLE_SITE, place->record);
  place->record = record;
  if (!other && g_strcmp0 (place->manner, manner) == 0)
    return TRUE;
  if (other)
    make_connection (place);
  else
    drop_link (place);
  if (renamed && !other && place->remote != NULL)
    tell_link (place, fl_remote_status (place->remote));
  g_free (place->connection);
  place->connection = g_steal_pointer (&connection);
  if (!make_link (place, error))
    return FALSE; /* the manner stays unlike: made the next time */
  g_free (place->manner);
  place->manner = g_steal_pointer (&manner);
  return TRUE;
}

gboolean
fl_places_refresh (FlConductor *conductor, GError **error)
{
  g_autoptr (GPtrArray) sites = fl_store_list (conductor->store, FL_TABLE_SITE, error);
  if (sites == NULL)
    return FALSE;
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, conductor->places);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      FlPlace *place = value;
      if (fl_plan_find (sites, place->id) != NULL)
        continue;
      forget_workers (place);
      if (conductor->server != NULL)
        fl_control_server_forget (conductor->server, place->id);
      g_hash_table_iter_remove (&iter);
    }
  for (guint i = 0; i < sites->len; i++)
    {
      FlSite *site = fl_store_get (conductor->store, FL_TABLE_SITE, *(gint64 *) sites->pdata[i], error);
      if (site == NULL || !refresh_place (conductor, site, error))
        return FALSE;
    }
  return TRUE;
}

void
fl_place_connect (FlPlace *place, gboolean up)
{
  if (place->remote == NULL)
    return;
  if (up)
    fl_remote_connect (place->remote);
  else
    fl_remote_disconnect (place->remote);
}

/* --- runs far away --- */

typedef struct
{
  FlWatch *watch; /* of our own */
  char *folder;
  GHashTable *settled;
} Look;

static void
look_free (gpointer data)
{
  Look *look = data;
  fl_record_free (FL_TABLE_WATCH, look->watch);
  g_clear_pointer (&look->settled, g_hash_table_unref);
  g_free (look->folder);
  g_free (look);
}

static gpointer
look_there (const FlSiteContext *context, gpointer data, GError **error)
{
  const Look *look = data;
  return fl_finder_look (context->host, look->folder, look->watch, look->settled, error);
}

static char *
watch_worker (const FlWatch *watch)
{
  return g_strconcat ("runs:", watch->name, NULL);
}

static void
looked (gpointer result, const GError *error, gpointer data)
{
  FlAsked *asked = data;
  FlPlace *place = asked->place;
  FlConductor *conductor = place->conductor;
  const Look *look = asked->other;
  g_autoptr (GPtrArray) entries = result;
  g_autoptr (GError) failed = NULL;
  g_autofree char *worker = watch_worker (look->watch);
  g_autofree char *message = NULL;
  g_hash_table_remove (place->looking, &look->watch->id);
  if (error != NULL)
    fl_workers_failed (conductor->workers, worker, place->id, error->message);
  else if (!fl_finder_take (conductor->finder, look->watch, entries, fl_now_ns (), &message, &failed))
    fl_conductor_failed (conductor, worker, place->id, failed);
  else
    {
      gint64 now = g_get_monotonic_time ();
      fl_workers_well (conductor->workers, worker, place->id, message != NULL ? message : "");
      g_hash_table_insert (conductor->looked, g_memdup2 (&look->watch->id, sizeof (gint64)),
                           g_memdup2 (&now, sizeof now));
    }
  fl_asked_done (asked);
}

static gboolean
look_at_watch (FlConductor *conductor, const FlWatch *watch, GError **error)
{
  FlPlace *place = fl_place_get (conductor, watch->site);
  const gint64 *last = g_hash_table_lookup (conductor->looked, &watch->id);
  g_autofree char *worker = watch_worker (watch);
  if (place == NULL || !fl_place_is_up (place))
    {
      fl_workers_waiting (conductor->workers, worker, watch->site, "waits for the connection");
      return TRUE;
    }
  if (g_hash_table_contains (place->looking, &watch->id) || !fl_workers_is_due (conductor->workers, worker)
      || (last != NULL && g_get_monotonic_time () < *last + LOOK_EVERY))
    return TRUE;
  Look *look = g_new0 (Look, 1);
  FlAsked *asked = fl_asked_new (place);
  asked->other = look;
  asked->destroy = look_free;
  look->watch = fl_store_get (conductor->store, FL_TABLE_WATCH, watch->id, error);
  if (look->watch != NULL)
    look->folder = fl_store_resolve_at (conductor->store, watch->site, watch->root, watch->path, error);
  look->settled = fl_finder_settled (conductor->finder, watch);
  if (look->folder == NULL)
    {
      fl_asked_done (asked);
      return FALSE;
    }
  g_hash_table_add (place->looking, g_memdup2 (&watch->id, sizeof watch->id));
  fl_site_link_work (place->link, look_there, look, looked, asked);
  return TRUE;
}

static gboolean
wants_look (FlConductor *conductor, const FlWatch *watch)
{
  return watch->site != 0 && (watch->active || fl_finder_is_asked (conductor->finder, watch));
}

static void
look_here (FlConductor *conductor)
{
  g_autofree char *message = NULL;
  g_autoptr (GError) error = NULL;
  if (!fl_workers_is_due (conductor->workers, "runs"))
    return;
  if (!fl_finder_scan (conductor->finder, fl_now_ns (), &message, &error))
    fl_conductor_failed (conductor, "runs", 0, error);
  else if (message != NULL)
    fl_workers_waiting (conductor->workers, "runs", 0, message);
  else
    fl_workers_well (conductor->workers, "runs", 0, "");
  if (message != NULL && g_strcmp0 (message, conductor->message) != 0)
    fprintf (stderr, "firstlight-control: %s\n", message);
  g_free (conductor->message);
  conductor->message = g_steal_pointer (&message);
}

gboolean
fl_places_find_runs (FlConductor *conductor, GError **error)
{
  look_here (conductor);
  g_autoptr (GPtrArray) watches = fl_store_list (conductor->store, FL_TABLE_WATCH, error);
  if (watches == NULL)
    return FALSE;
  for (guint i = 0; i < watches->len; i++)
    {
      const FlWatch *watch = watches->pdata[i];
      g_autoptr (GError) failed = NULL;
      if (!wants_look (conductor, watch) || look_at_watch (conductor, watch, &failed))
        continue;
      g_autofree char *worker = watch_worker (watch);
      fl_conductor_failed (conductor, worker, watch->site, failed);
    }
  return TRUE;
}

gboolean
fl_places_have_looked (FlConductor *conductor)
{
  g_autoptr (GPtrArray) watches = fl_store_list (conductor->store, FL_TABLE_WATCH, NULL);
  for (guint i = 0; watches != NULL && i < watches->len; i++)
    {
      const FlWatch *watch = watches->pdata[i];
      if (watch->site != 0 && watch->active && !g_hash_table_contains (conductor->looked, &watch->id))
        return FALSE;
    }
  return watches != NULL;
}
