/* What control rooms ask the conductor through its socket: connections, answers to questions, probes, channels. */
#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/control/conductor-private.h"

static void
on_answer (gint64 site, guint id, const char *const *answers, gpointer data)
{
  FlConductor *conductor = data;
  const FlPlace *place = fl_place_get (conductor, site);
  if (place == NULL || place->remote == NULL)
    return;
  /* The first answer counts: the other control rooms need not ask any more. */
  fl_control_server_answered (conductor->server, site, id);
  fl_remote_answer (place->remote, id, answers);
}

static void
on_connect (gint64 site, gboolean up, gpointer data)
{
  FlPlace *place = fl_place_get (data, site);
  if (place != NULL)
    fl_place_connect (place, up);
}

static void
on_probe (gint64 site, gboolean push, gpointer data)
{
  FlConductor *conductor = data;
  FlPlace *place = fl_place_get (conductor, site);
  if (place == NULL || place->probe != NULL)
    return; /* none, or under way */
  if (fl_place_is_up (place))
    fl_place_start_probe (place, push);
  else
    fl_control_server_probed (conductor->server, site, FALSE);
}

void
fl_place_stop_probe (FlPlace *place)
{
  if (place->probe_stop != NULL)
    g_cancellable_cancel (place->probe_stop);
  g_clear_pointer (&place->probe, fl_site_link_free);
  g_clear_object (&place->probe_stop);
}

static void
on_stop_probe (gint64 site, gpointer data)
{
  FlPlace *place = fl_place_get (data, site);
  if (place != NULL && place->probe_stop != NULL)
    g_cancellable_cancel (place->probe_stop);
}

/* What a control room asks when it names no command: pictures and logs of that site. */
static char **
default_command (const FlPlace *place)
{
  const char *engine = place->record->engine;
  g_autofree char *folder = strchr (engine, '/') != NULL ? g_path_get_dirname (engine) : NULL;
  g_autofree char *control = folder != NULL ? g_build_filename (folder, "firstlight-control", NULL)
                                            : g_strdup ("firstlight-control");
  const char *const argv[] = { control, "serve", NULL };
  return g_strdupv ((char **) argv);
}

static void
on_channel (gint64 site, const char *const *argv, FlControlAsker *asker, gpointer data)
{
  FlConductor *conductor = data;
  const FlPlace *place = fl_place_get (conductor, site);
  if (place == NULL)
    fl_control_server_refuse (conductor->server, asker, "the conductor knows no such site");
  else if (!fl_place_is_up (place))
    {
      const char *why = place->remote != NULL ? fl_remote_status (place->remote)->message : place->trouble;
      g_autofree char *line =
          g_strdup_printf ("%s: is not connected%s%s", place->record->name,
                           why != NULL && *why != '\0' ? ": " : "", why != NULL ? why : "");
      g_autofree char *valid = g_utf8_make_valid (line, -1);
      fl_control_server_refuse (conductor->server, asker, valid);
    }
  else
    {
      g_auto (GStrv) command = argv[0] != NULL ? g_strdupv ((char **) argv) : default_command (place);
      fl_control_server_lend (conductor->server, asker, place->host, (const char *const *) command);
    }
}

void
fl_conductor_listen (FlConductor *conductor)
{
  static const FlControlEvents events = { on_answer, on_connect, on_probe, on_stop_probe, on_channel };
  g_autoptr (GError) error = NULL;
  conductor->server =
      fl_control_server_new (fl_control_store_path (conductor->store), &events, conductor, &error);
  if (conductor->server == NULL)
    fprintf (stderr, "firstlight-control: %s; control rooms cannot talk to this conductor\n", error->message);
}
