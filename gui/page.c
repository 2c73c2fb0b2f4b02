#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/page.h"

#include <glib/gi18n.h>

#include "gui/people.h"

typedef struct
{
  FlgContext *context;
  GtkWidget *banner;
  guint writes;     /* on their way */
  gboolean refused; /* nothing may be changed, and the actions that would are greyed out */
} FlgPagePrivate;

enum
{
  PROP_0,
  PROP_CONTEXT,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (FlgPage, flg_page, GTK_TYPE_BOX)

#define PRIVATE(self) ((FlgPagePrivate *) flg_page_get_instance_private (self))

static void
on_changed (FlgPage *self, guint what)
{
  FlgExperiment *experiment = flg_page_experiment (self);
  gboolean refused = !flg_may_change (experiment), freed = PRIVATE (self)->refused && !refused;
  if (freed)
    flg_guard_actions (GTK_WIDGET (self), experiment);
  if (FLG_PAGE_GET_CLASS (self)->update)
    FLG_PAGE_GET_CLASS (self)->update (self, freed ? ~0u : what);
  if (refused)
    flg_guard_actions (GTK_WIDGET (self), experiment);
  PRIVATE (self)->refused = refused;
}

static void
flg_page_constructed (GObject *object)
{
  FlgPage *self = FLG_PAGE (object);
  G_OBJECT_CLASS (flg_page_parent_class)->constructed (object);
  FlgExperiment *experiment = flg_page_experiment (self);
  g_signal_connect_object (experiment, "changed", G_CALLBACK (on_changed), self, G_CONNECT_SWAPPED);
  if (flg_experiment_is_filled (experiment))
    on_changed (self, ~0u);
}

static void
flg_page_dispose (GObject *object)
{
  FlgPagePrivate *private = PRIVATE (FLG_PAGE (object));
  /* A page lives on while an answer is awaited: it no longer listens. */
  if (private->context)
    g_signal_handlers_disconnect_by_data (flg_context_experiment (private->context), object);
  g_clear_object (&private->context);
  private->banner = NULL;
  G_OBJECT_CLASS (flg_page_parent_class)->dispose (object);
}

static void
flg_page_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  if (id == PROP_CONTEXT)
    PRIVATE (FLG_PAGE (object))->context = g_value_dup_object (value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
flg_page_class_init (FlgPageClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  object_class->constructed = flg_page_constructed;
  object_class->dispose = flg_page_dispose;
  object_class->set_property = flg_page_set_property;
  properties[PROP_CONTEXT] =
      g_param_spec_object ("context", NULL, NULL, FLG_TYPE_CONTEXT,
                           G_PARAM_WRITABLE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
flg_page_init (FlgPage *self)
{
  gtk_orientable_set_orientation (GTK_ORIENTABLE (self), GTK_ORIENTATION_VERTICAL);
  PRIVATE (self)->banner = flw_banner_new ();
  gtk_box_append (GTK_BOX (self), PRIVATE (self)->banner);
}

FlgContext *
flg_page_context (FlgPage *self)
{
  return PRIVATE (self)->context;
}

FlgExperiment *
flg_page_experiment (FlgPage *self)
{
  return flg_context_experiment (PRIVATE (self)->context);
}

gboolean
flg_page_is_settled (FlgPage *self)
{
  FlgPageClass *klass = FLG_PAGE_GET_CLASS (self);
  return PRIVATE (self)->writes == 0 && flg_experiment_is_filled (flg_page_experiment (self))
         && (!klass->is_settled || klass->is_settled (self));
}

void
flg_page_begin_filter (FlgPage *self)
{
  if (FLG_PAGE_GET_CLASS (self)->begin_filter)
    FLG_PAGE_GET_CLASS (self)->begin_filter (self);
}

void
flg_page_step (FlgPage *self, int by)
{
  if (FLG_PAGE_GET_CLASS (self)->step)
    FLG_PAGE_GET_CLASS (self)->step (self, by);
}

void
flg_page_focus (FlgPage *self)
{
  if (FLG_PAGE_GET_CLASS (self)->focus)
    FLG_PAGE_GET_CLASS (self)->focus (self);
}

FlwBanner *
flg_page_banner (FlgPage *self)
{
  return FLW_BANNER (PRIVATE (self)->banner);
}

void
flg_page_report (FlgPage *self, const GError *error)
{
  if (error && PRIVATE (self)->banner && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    flw_banner_show (flg_page_banner (self), FLW_TONE_BAD, error->message, NULL, 0);
}

void
flg_page_report_read (FlgPage *self, const GError *error)
{
  if (flg_store_thread_is_told (error))
    flg_page_report (self, error);
}

void
flg_page_say_none (FlgPage *self, FlwEmptyState *state, const char *icon, gboolean counted, const char *title,
                   const char *text)
{
  gboolean lost = flg_experiment_glance (flg_page_experiment (self))->lost;
  if (!counted)
    flw_empty_state_set (state, icon, title, text);
  else if (lost)
    flw_empty_state_set (state, icon, _ ("Not read yet"), _ ("It is read as soon as the database is back."));
  else
    flw_empty_state_set (state, icon, _ ("Reading…"), "");
}

static void
on_written (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (FlgPage) self = data;
  g_autoptr (GError) error = NULL;
  PRIVATE (self)->writes--;
  flg_context_write_finish (FLG_CONTEXT (source), result, &error);
  flg_page_report (self, error);
}

void
flg_page_write (FlgPage *self, FlgStoreFunc func, gpointer data, GDestroyNotify free_data)
{
  PRIVATE (self)->writes++;
  flg_context_write (PRIVATE (self)->context, func, data, free_data, on_written, g_object_ref (self));
}

typedef struct
{
  FlgPage *page;
  FlgSaveDone done;
  gpointer data;
} Saving;

static void
on_saved (FlgSaveEnd end, const GError *error, gpointer data)
{
  Saving *saving = data;
  PRIVATE (saving->page)->writes--;
  flg_page_report (saving->page, error);
  if (saving->done)
    saving->done (end, error, saving->data);
  g_object_unref (saving->page);
  g_free (saving);
}

void
flg_page_save (FlgPage *self, FlgSave *save, FlgSaveDone done, gpointer data)
{
  Saving *saving = g_new (Saving, 1);
  *saving = (Saving){ g_object_ref (self), done, data };
  PRIVATE (self)->writes++;
  flg_save_run (save, GTK_WIDGET (self), PRIVATE (self)->context, on_saved, saving);
}
