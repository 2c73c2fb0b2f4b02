#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/context.h"

#include <glib/gi18n.h>

#include "engine/base/error.h"
#include "gui/conductor.h"
#include "gui/people.h"

struct _FlgContext
{
  GObject parent_instance;
  FlgExperiment *experiment;
  FlViewClient *view;
  FlgFollow *follow;
  FlgLinks *links; /* NULL: nobody has asked for them */
  FlgFindingModel *findings;
  GHashTable *far; /* name of an "ssh" site -> FlViewClient */
  gboolean remote;
};

G_DEFINE_FINAL_TYPE (FlgContext, flg_context, G_TYPE_OBJECT)

static void
flg_context_dispose (GObject *object)
{
  FlgContext *self = FLG_CONTEXT (object);
  flg_context_close (self);
  g_clear_object (&self->links);
  g_clear_object (&self->findings);
  g_clear_object (&self->follow);
  g_clear_object (&self->experiment);
  g_clear_object (&self->view);
  g_clear_pointer (&self->far, g_hash_table_unref);
  G_OBJECT_CLASS (flg_context_parent_class)->dispose (object);
}

static void
flg_context_class_init (FlgContextClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = flg_context_dispose;
}

static void
flg_context_init (FlgContext *self)
{
}

FlgContext *
flg_context_new (FlgExperiment *experiment, FlViewClient *view, const FlgDisplayProfile *profile)
{
  FlgContext *self = g_object_new (FLG_TYPE_CONTEXT, NULL);
  self->far = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_object_unref);
  self->experiment = g_object_ref (experiment);
  self->view = view ? g_object_ref (view) : NULL;
  self->remote = profile->remote;
  self->findings = flg_finding_model_new (experiment);
  return self;
}

FlgExperiment *
flg_context_experiment (FlgContext *self)
{
  return self->experiment;
}

FlgFindingModel *
flg_context_findings (FlgContext *self)
{
  return self->findings;
}

FlgLinks *
flg_context_links (FlgContext *self)
{
  if (!self->links)
    self->links = flg_links_new (self->experiment);
  return self->links;
}

FlViewClient *
flg_context_view (FlgContext *self)
{
  return self->view;
}

GStrv
flg_context_channel (FlgContext *self, gint64 id)
{
  const FlSite *site = flg_experiment_site (self->experiment, id);
  if (!site || !flg_experiment_site_is_far (self->experiment, id))
    return NULL;
  g_autofree char *program = flg_control_program ();
  const char *argv[] = { program,  "channel",  "--store", flg_experiment_folder (self->experiment),
                         "--site", site->name, NULL };
  return g_strdupv ((char **) argv);
}

FlViewClient *
flg_context_view_for_site (FlgContext *self, gint64 id)
{
  g_auto (GStrv) argv = self->view ? flg_context_channel (self, id) : NULL;
  if (!argv)
    return self->view;
  const FlSite *site = flg_experiment_site (self->experiment, id);
  FlViewClient *client = g_hash_table_lookup (self->far, site->name);
  if (!client)
    {
      client = fl_view_client_new ((const char *const *) argv);
      fl_view_client_set_far (client, TRUE);
      g_hash_table_insert (self->far, g_strdup (site->name), client);
    }
  return client;
}

FlViewClient *
flg_context_view_for_job (FlgContext *self, const FlJob *job)
{
  return flg_context_view_for_site (self, flg_experiment_job_site (self->experiment, job));
}

void
flg_context_set_follow (FlgContext *self, FlgFollow *follow)
{
  g_set_object (&self->follow, follow);
}

FlgFollow *
flg_context_follow (FlgContext *self)
{
  return self->follow;
}

void
flg_context_close (FlgContext *self)
{
  if (self->view)
    fl_view_client_close (self->view);
  if (self->links)
    flg_links_close (self->links);
  GHashTableIter iter;
  gpointer client;
  g_hash_table_iter_init (&iter, self->far);
  while (g_hash_table_iter_next (&iter, NULL, &client))
    fl_view_client_close (client);
  if (self->experiment)
    flg_experiment_close (self->experiment);
}

typedef struct
{
  FlgStoreFunc func;
  gpointer data;
  GDestroyNotify free_data;
} Write;

static void
write_free (Write *write)
{
  if (write->free_data)
    write->free_data (write->data);
  g_free (write);
}

/* One transaction: what was done and the edits that tell of it, or neither. */
static gpointer
write_all (FlStore *store, gpointer data, GError **error)
{
  Write *write = data;
  fl_store_act_for_person (store, g_get_host_name ());
  if (!fl_store_begin (store, error))
    return NULL;
  gboolean good = write->func (store, write->data, error) != NULL && fl_store_commit (store, error);
  if (!good)
    fl_store_rollback (store);
  return GINT_TO_POINTER (good);
}

static void
write_done (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GTask) task = data;
  GError *error = NULL;
  flg_store_thread_run_finish (FLG_STORE_THREAD (source), result, &error);
  flg_store_thread_poll (FLG_STORE_THREAD (source));
  if (error)
    g_task_return_error (task, error);
  else
    g_task_return_boolean (task, TRUE);
}

/* Nothing is lost: who asked keeps what they have. */
static gboolean
refuse (FlgContext *self, GError **error)
{
  const FlgGlance *glance = flg_experiment_glance (self->experiment);
  g_autofree char *refusal = flg_refusal (self->experiment);
  if (refusal)
    g_set_error_literal (error, FL_ERROR, glance->role < FL_ROLE_OPERATOR ? FL_ERROR_DENIED : FL_ERROR_INPUT,
                         refusal);
  else if (glance->lost)
    g_set_error_literal (error, FL_ERROR, FL_ERROR_LOST,
                         _ ("The database does not answer: nothing was saved. Save again when it is back."));
  return refusal || glance->lost;
}

void
flg_context_write (FlgContext *self, FlgStoreFunc func, gpointer data, GDestroyNotify free_data,
                   GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);
  g_task_set_source_tag (task, flg_context_write);
  Write *write = g_new (Write, 1);
  *write = (Write){ func, data, free_data };
  GError *error = NULL;
  if (refuse (self, &error))
    {
      g_task_return_error (task, error);
      g_object_unref (task);
      write_free (write);
      return;
    }
  flg_store_thread_run_async (flg_experiment_store (self->experiment), write_all, write,
                              (GDestroyNotify) write_free, NULL, NULL, write_done, task);
}

gboolean
flg_context_write_finish (FlgContext *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}
