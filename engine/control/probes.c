/* Does a site work: the wizard's probe, asked for by a control room. */
#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/control/conductor-private.h"
#include "engine/control/site-probe.h"

/* On a thread of its own: jobs are looked after meanwhile. */

typedef struct
{
  GMainContext *context;
  FlConductor *conductor;
  gint64 site;
  FlProbeOptions options;
  GCancellable *stop;
  char *engine; /* found or put there */
} Probing;

static void
probing_free (gpointer data)
{
  Probing *probing = data;
  g_main_context_unref (probing->context);
  g_object_unref (probing->stop);
  g_free (probing->options.scratch);
  g_free (probing->options.push);
  g_free (probing->engine);
  g_free (probing);
}

/* A step, on its way to the conductor's thread. */
typedef struct
{
  FlConductor *conductor;
  GCancellable *stop;
  gint64 site;
  char *name, *state, *message, *advice;
  double seconds;
} Told;

static void
told_free (gpointer data)
{
  Told *told = data;
  g_object_unref (told->stop);
  g_free (told->name);
  g_free (told->state);
  g_free (told->message);
  g_free (told->advice);
  g_free (told);
}

static gboolean
tell_step (gpointer data)
{
  const Told *told = data;
  if (!g_cancellable_is_cancelled (told->stop) && told->conductor->server != NULL)
    fl_control_server_step (told->conductor->server, told->site, told->name, told->state, told->message,
                            told->advice, told->seconds);
  return G_SOURCE_REMOVE;
}

static void
step_taken (const FlProbeStep *step, gpointer data)
{
  const Probing *probing = data;
  Told *told = g_new (Told, 1);
  *told = (Told){ .conductor = probing->conductor,
                  .stop = g_object_ref (probing->stop),
                  .site = probing->site,
                  .name = g_strdup (step->name),
                  .state = g_strdup (fl_step_state_name (step->state)),
                  .message = g_strdup (step->message != NULL ? step->message : ""),
                  .advice = g_strdup (step->advice != NULL ? step->advice : ""),
                  .seconds = step->seconds };
  GSource *source = g_idle_source_new ();
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, tell_step, told, told_free);
  g_source_attach (source, probing->context);
  g_source_unref (source);
}

static gpointer
probe_there (const FlSiteContext *context, gpointer data, GError **error)
{
  (void) error;
  Probing *probing = data;
  return fl_site_probe (context, &probing->options, probing->stop, step_taken, probing, &probing->engine);
}

static gboolean
all_well (GPtrArray *steps)
{
  for (guint i = 0; i < steps->len; i++)
    if (((const FlProbeStep *) steps->pdata[i])->state == FL_STEP_FAILED)
      return FALSE;
  return steps->len > 0;
}

static gboolean
save_probe (FlConductor *conductor, gint64 site, GPtrArray *steps, const char *engine, GError **error)
{
  g_autofree char *text = fl_probe_steps_text (steps);
  FlStore *store = conductor->store;
  if (!fl_store_begin (store, error))
    return FALSE;
  if (fl_store_set_text (store, FL_TABLE_SITE, site, "probe", text, error)
      && fl_store_set_int (store, FL_TABLE_SITE, site, "probed", (gint64) fl_now_ns (), error)
      && (engine == NULL || *engine == '\0'
          || fl_store_set_text (store, FL_TABLE_SITE, site, "engine", engine, error)))
    return fl_store_commit (store, error);
  fl_store_rollback (store);
  return FALSE;
}

static gboolean
drop_probe_link (gpointer link)
{
  fl_site_link_free (link);
  return G_SOURCE_REMOVE;
}

static void
probed (gpointer result, const GError *error, gpointer data)
{
  (void) error;
  FlAsked *asked = data;
  FlPlace *place = asked->place;
  FlConductor *conductor = place->conductor;
  const Probing *probing = asked->other;
  g_autoptr (GPtrArray) steps = result;
  g_autoptr (GError) failed = NULL;
  gboolean well = steps != NULL && all_well (steps);
  if (steps != NULL && !save_probe (conductor, place->id, steps, probing->engine, &failed))
    fprintf (stderr, "firstlight-control: %s\n", failed->message);
  if (conductor->server != NULL)
    fl_control_server_probed (conductor->server, place->id, well);
  g_clear_object (&place->probe_stop);
  /* Not from within its own answer. */
  g_idle_add (drop_probe_link, g_steal_pointer (&place->probe));
  fl_asked_done (asked);
}

static char *
engine_beside_us (void)
{
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *folder = self != NULL ? g_path_get_dirname (self) : NULL;
  g_autofree char *engine = folder != NULL ? g_build_filename (folder, "firstlight-engine", NULL) : NULL;
  return engine != NULL && g_file_test (engine, G_FILE_TEST_IS_EXECUTABLE) ? g_steal_pointer (&engine) : NULL;
}

void
fl_place_start_probe (FlPlace *place, gboolean push)
{
  FlConductor *conductor = place->conductor;
  FlSite *record = fl_store_get (conductor->store, FL_TABLE_SITE, place->id, NULL);
  place->probe = record != NULL ? fl_site_link_new (record, place->host, NULL) : NULL;
  if (place->probe == NULL)
    {
      fl_control_server_probed (conductor->server, place->id, FALSE);
      return;
    }
  Probing *probing = g_new0 (Probing, 1);
  place->probe_stop = g_cancellable_new ();
  *probing = (Probing){ .context = g_main_context_ref_thread_default (),
                        .conductor = conductor,
                        .site = place->id,
                        .stop = g_object_ref (place->probe_stop) };
  probing->options.scratch =
      fl_store_resolve_at (conductor->store, place->id, place->record->scratch, "", NULL);
  if (push)
    probing->options.push = conductor->engine != NULL && strchr (conductor->engine, '/') != NULL
                                ? g_strdup (conductor->engine)
                                : engine_beside_us ();
  FlAsked *asked = fl_asked_new (place);
  asked->other = probing;
  asked->destroy = probing_free;
  fl_site_link_work (place->probe, probe_there, probing, probed, asked);
}
