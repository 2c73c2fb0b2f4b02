#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/map-set.h"

#include <glib/gi18n.h>
#include <string.h>

#include "engine/base/error.h"
#include "gui/volume-cache.h"

#define MOST_HERE (32u << 20) /* voxels */
#define MOST_FAR  (4u << 20)
#define REPORT    "map.json"
#define MODEL     "model.cif"
#define UNIT      "e/Å³"

struct _FlgMapSet
{
  GObject parent_instance;
  gint64 job;
  FlgMapReport *report;
  FlwDensityVolume *maps[FLG_MAPS];
  FlwDensityModel *model;
  char *folder, *problem;
  guint32 most;
  guint asked;
  FlViewClient *client;
};

enum
{
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlgMapSet, flg_map_set, G_TYPE_OBJECT)

static const struct
{
  const char *file, *name;
} kinds[FLG_MAPS] = { [FLG_MAP_BEST] = { "2mfo-dfc.ccp4", "2mFo − DFc" },
                      [FLG_MAP_RESIDUAL] = { "mfo-dfc.ccp4", "mFo − DFc" },
                      [FLG_MAP_CHANGE] = { "fo-fo.ccp4", "Fo − Fo" } };

const char *
flg_map_kind_name (FlgMapKind kind)
{
  return kinds[kind].name;
}

/* Takes the error. */
static void
answered (FlgMapSet *self, GError *error)
{
  self->asked--;
  if (error && !self->problem)
    self->problem = g_strdup (error->message);
  g_clear_error (&error);
  g_signal_emit (self, signals[CHANGED], 0);
}

/* --- maps --- */

typedef struct
{
  FlgMapSet *set;
  FlgMapKind kind;
  FlViewMap *map;
} Asked;

static void
asked_free (gpointer data)
{
  Asked *asked = data;
  g_clear_pointer (&asked->map, fl_view_map_free);
  g_object_unref (asked->set);
  g_free (asked);
}

/* In a thread of its own: what rays need to know of millions of voxels takes a while. */
static void
make_volume (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  GError *error = NULL;
  FlwDensityVolume *volume = flg_volume_of_map (((Asked *) data)->map, UNIT, &error);
  if (volume)
    g_task_return_pointer (task, volume, (GDestroyNotify) flw_density_volume_unref);
  else
    g_task_return_error (task, error);
}

static void
on_volume (GObject *source, GAsyncResult *result, gpointer data)
{
  const Asked *asked = g_task_get_task_data (G_TASK (result));
  GError *error = NULL;
  FlwDensityVolume *volume = g_task_propagate_pointer (G_TASK (result), &error);
  if (volume)
    asked->set->maps[asked->kind] = volume;
  answered (asked->set, error);
}

static void
on_map (GObject *client, GAsyncResult *result, gpointer data)
{
  Asked *asked = data;
  GError *error = NULL;
  asked->map = fl_view_client_map_finish (FL_VIEW_CLIENT (client), result, &error);
  if (!asked->map)
    {
      answered (asked->set, error);
      asked_free (asked);
      return;
    }
  g_autoptr (GTask) task = g_task_new (NULL, NULL, on_volume, NULL);
  g_task_set_task_data (task, asked, asked_free);
  g_task_run_in_thread (task, make_volume);
}

static void
ask_map (FlgMapSet *self, FlgMapKind kind)
{
  g_autofree char *path = g_build_filename (self->folder, kinds[kind].file, NULL);
  FlViewMapRequest request = { .path = path, .most = self->most };
  Asked *asked = g_new0 (Asked, 1);
  *asked = (Asked){ g_object_ref (self), kind, NULL };
  self->asked++;
  fl_view_client_map_async (self->client, &request, NULL, on_map, asked);
}

/* --- the model --- */

FlwDensityModel *
flg_map_model_new (const FlViewModel *model)
{
  FlwDensityAtom *atoms = g_new0 (FlwDensityAtom, MAX (model->n_atoms, 1));
  for (guint i = 0; i < model->n_atoms; i++)
    {
      const FlViewAtom *a = &model->atoms[i];
      FlwDensityAtom *to = &atoms[i];
      memcpy (to->place, a->place, sizeof to->place);
      g_strlcpy (to->element, a->element, sizeof to->element);
      g_strlcpy (to->name, a->name, sizeof to->name);
      g_strlcpy (to->chain, a->chain, sizeof to->chain);
      g_strlcpy (to->residue, a->residue, sizeof to->residue);
      to->number = a->number;
      to->insertion = a->insertion;
    }
  FlwDensityModel *drawn = flw_density_model_new (model->n_atoms, atoms, 0, NULL);
  g_free (atoms);
  return drawn;
}

static void
on_model (GObject *client, GAsyncResult *result, gpointer data)
{
  g_autoptr (FlgMapSet) self = data;
  GError *error = NULL;
  g_autoptr (FlViewModel) model = fl_view_client_model_finish (FL_VIEW_CLIENT (client), result, &error);
  if (model)
    self->model = flg_map_model_new (model);
  answered (self, error);
}

/* Where the data have it, as the maps do: not quite where the file that the job was given says. */
static void
ask_model (FlgMapSet *self)
{
  g_autofree char *path = g_build_filename (self->folder, MODEL, NULL);
  self->asked++;
  fl_view_client_model_async (self->client, path, NULL, on_model, g_object_ref (self));
}

/* --- the report --- */

static void
on_report (GObject *client, GAsyncResult *result, gpointer data)
{
  g_autoptr (FlgMapSet) self = data;
  GError *error = NULL;
  g_autoptr (FlViewLog) log = fl_view_client_log_finish (FL_VIEW_CLIENT (client), result, &error);
  if (log)
    {
      gsize length;
      const char *text = g_bytes_get_data (log->bytes, &length);
      self->report = flg_map_report_parse (text ? text : "", length, &error);
    }
  if (self->report && self->report->has_change)
    ask_map (self, FLG_MAP_CHANGE);
  if (self->report && self->report->atoms > 0)
    ask_model (self);
  answered (self, error);
}

static void
ask_report (FlgMapSet *self)
{
  g_autofree char *path = g_build_filename (self->folder, REPORT, NULL);
  FlViewLogRequest request = { path, 0, FL_VIEW_MAX_LOG };
  self->asked++;
  fl_view_client_log_async (self->client, &request, NULL, on_report, g_object_ref (self));
}

/* --- --- */

FlgMapSet *
flg_map_set_new (FlgContext *context, const FlJob *job)
{
  FlgMapSet *self = g_object_new (FLG_TYPE_MAP_SET, NULL);
  FlgExperiment *experiment = flg_context_experiment (context);
  gint64 site = flg_experiment_job_site (experiment, job);
  FlViewClient *client = flg_context_view_for_job (context, job);
  self->job = job->id;
  self->folder = flg_experiment_resolve_at (experiment, site, job->root, job->path);
  if (!client || !self->folder)
    {
      self->problem = g_strdup (client ? _ ("It is not known where the job's folder is.")
                                       : _ ("There is no link to the machine that has the maps."));
      return self;
    }
  gboolean far = flg_experiment_site_is_far (experiment, site) || flg_experiment_is_copy (experiment);
  self->client = g_object_ref (client);
  self->most = far ? MOST_FAR : MOST_HERE;
  ask_report (self);
  ask_map (self, FLG_MAP_RESIDUAL); /* the newest request goes first: what is seen first is asked for last */
  ask_map (self, FLG_MAP_BEST);
  return self;
}

gint64
flg_map_set_job (FlgMapSet *self)
{
  return self->job;
}

const FlgMapReport *
flg_map_set_report (FlgMapSet *self)
{
  return self->report;
}

FlwDensityVolume *
flg_map_set_volume (FlgMapSet *self, FlgMapKind kind)
{
  return self->maps[kind];
}

FlwDensityModel *
flg_map_set_model (FlgMapSet *self)
{
  return self->model;
}

const char *
flg_map_set_problem (FlgMapSet *self)
{
  return self->problem;
}

gboolean
flg_map_set_is_idle (FlgMapSet *self)
{
  return self->asked == 0;
}

static void
flg_map_set_finalize (GObject *object)
{
  FlgMapSet *self = FLG_MAP_SET (object);
  g_clear_pointer (&self->report, flg_map_report_free);
  for (guint i = 0; i < FLG_MAPS; i++)
    g_clear_pointer (&self->maps[i], flw_density_volume_unref);
  g_clear_pointer (&self->model, flw_density_model_unref);
  g_clear_object (&self->client);
  g_free (self->folder);
  g_free (self->problem);
  G_OBJECT_CLASS (flg_map_set_parent_class)->finalize (object);
}

static void
flg_map_set_class_init (FlgMapSetClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = flg_map_set_finalize;
  signals[CHANGED] =
      g_signal_new ("changed", FLG_TYPE_MAP_SET, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
flg_map_set_init (FlgMapSet *self)
{
}
