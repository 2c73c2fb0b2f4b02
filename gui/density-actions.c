/* What can be asked of the Density page. */
#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/density-private.h"

#include <glib/gi18n.h>

#include "gui/map-set.h"
#include "gui/science.h"
#include "gui/text.h"

/* --- another model --- */

static void
on_model (GObject *client, GAsyncResult *result, gpointer data)
{
  g_autoptr (FlgDensityPage) self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (FlViewModel) model = fl_view_client_model_finish (FL_VIEW_CLIENT (client), result, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  g_clear_object (&self->opening);
  flg_page_report (FLG_PAGE (self), error);
  if (model)
    {
      g_clear_pointer (&self->model, flw_density_model_unref);
      self->model = flg_map_model_new (model);
    }
  flg_density_page_refresh (self);
}

static void
act_open_model (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgDensityPage *self = FLG_DENSITY_PAGE (widget);
  const char *path = g_variant_get_string (target, NULL);
  FlViewClient *client = flg_context_view (flg_page_context (FLG_PAGE (self)));
  g_cancellable_cancel (self->opening);
  g_clear_object (&self->opening);
  if (!*path || !client)
    {
      g_clear_pointer (&self->model, flw_density_model_unref);
      flg_density_page_refresh (self);
      return;
    }
  g_autofree char *name = g_path_get_basename (path);
  g_free (self->model_name);
  self->model_name = flg_text_bounded (name, 60);
  self->opening = g_cancellable_new ();
  fl_view_client_model_async (client, path, self->opening, on_model, g_object_ref (self));
}

static void
on_file (GtkNativeDialog *dialog, int response, FlgDensityPage *self)
{
  g_autoptr (GFile) file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog));
  if (response == GTK_RESPONSE_ACCEPT && file)
    gtk_widget_activate_action (GTK_WIDGET (self), "density.open-model", "s", g_file_peek_path (file));
  g_object_unref (dialog);
}

static void
act_choose_model (GtkWidget *widget, const char *action, GVariant *target)
{
  GtkFileChooserNative *dialog =
      gtk_file_chooser_native_new (_ ("A model to show"), GTK_WINDOW (gtk_widget_get_root (widget)),
                                   GTK_FILE_CHOOSER_ACTION_OPEN, NULL, NULL);
  g_autoptr (GtkFileFilter) filter = gtk_file_filter_new ();
  gtk_file_filter_set_name (filter, _ ("PDB, mmCIF"));
  for (const char *const *p = (const char *const[]){ "*.pdb", "*.ent", "*.cif", "*.mmcif", NULL }; *p; p++)
    gtk_file_filter_add_pattern (filter, *p);
  gtk_file_chooser_add_filter (GTK_FILE_CHOOSER (dialog), filter);
  g_signal_connect_object (dialog, "response", G_CALLBACK (on_file), widget, 0);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

/* --- for tests and actions --- */

void
flg_density_page_show (FlgDensityPage *self, gint64 dataset)
{
  FlgScience science = flg_dataset_science (flg_page_experiment (FLG_PAGE (self)), dataset);
  flg_chooser_choose (self->datasets, dataset);
  flg_reconstruction_view_show_dataset (self->reconstruction, dataset);
  if (science == FLG_SCIENCE_CRYSTALS || science == FLG_SCIENCE_PARTICLES)
    gtk_stack_set_visible_child_name (self->views,
                                      science == FLG_SCIENCE_PARTICLES ? "reconstruction" : "crystals");
}

const char *
flg_density_page_facts (FlgDensityPage *self)
{
  return gtk_label_get_label (self->facts);
}

FlwDensityView *
flg_density_page_view (FlgDensityPage *self, guint i)
{
  return self->shown > 0 ? flg_density_pair_view (self->pair, i) : NULL;
}

guint
flg_density_page_n_peaks (FlgDensityPage *self)
{
  return flg_map_peaks_count (self->peaks);
}

FlgReconstructionView *
flg_density_page_reconstruction (FlgDensityPage *self)
{
  return self->reconstruction;
}

static void
act_show_view (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgDensityPage *self = FLG_DENSITY_PAGE (widget);
  const char *name = g_variant_get_string (target, NULL);
  if (gtk_stack_get_child_by_name (self->views, name))
    gtk_stack_set_visible_child_name (self->views, name);
}

static void
act_show_reconstruction (GtkWidget *widget, const char *action, GVariant *target)
{
  flg_reconstruction_view_show_job (FLG_DENSITY_PAGE (widget)->reconstruction, g_variant_get_int64 (target));
}

static void
act_show_generation (GtkWidget *widget, const char *action, GVariant *target)
{
  flg_reconstruction_view_show_generation (FLG_DENSITY_PAGE (widget)->reconstruction,
                                           g_variant_get_uint32 (target));
}

static void
act_show_conformations (GtkWidget *widget, const char *action, GVariant *target)
{
  guint first;
  int second;
  g_variant_get (target, "(ui)", &first, &second);
  flg_reconstruction_view_show_conformations (FLG_DENSITY_PAGE (widget)->reconstruction, first, second);
}

static void
act_show_dataset (GtkWidget *widget, const char *action, GVariant *target)
{
  flg_density_page_show (FLG_DENSITY_PAGE (widget), g_variant_get_int64 (target));
}

static void
act_show_version (GtkWidget *widget, const char *action, GVariant *target)
{
  flg_chooser_choose (FLG_DENSITY_PAGE (widget)->versions, g_variant_get_int64 (target));
}

static void
act_compare (GtkWidget *widget, const char *action, GVariant *target)
{
  flg_chooser_choose (FLG_DENSITY_PAGE (widget)->rivals, g_variant_get_int64 (target));
}

static void
act_show_maps (GtkWidget *widget, const char *action, GVariant *target)
{
  int kind = flg_density_page_kind (g_variant_get_string (target, NULL));
  if (kind >= 0)
    flg_chooser_choose (FLG_DENSITY_PAGE (widget)->kinds, kind);
}

static void
act_side_by_side (GtkWidget *widget, const char *action, GVariant *target)
{
  gtk_toggle_button_set_active (FLG_DENSITY_PAGE (widget)->beside, g_variant_get_boolean (target));
}

static void
act_show_peak (GtkWidget *widget, const char *action, GVariant *target)
{
  flw_density_view_show_peak (FLG_DENSITY_PAGE (widget)->view, g_variant_get_uint32 (target));
}

void
flg_density_page_class_actions (GtkWidgetClass *widget_class)
{
  gtk_widget_class_install_action (widget_class, "density.show-dataset", "x", act_show_dataset);
  gtk_widget_class_install_action (widget_class, "density.show-version", "x", act_show_version);
  gtk_widget_class_install_action (widget_class, "density.compare", "x", act_compare);
  gtk_widget_class_install_action (widget_class, "density.show-maps", "s", act_show_maps);
  gtk_widget_class_install_action (widget_class, "density.side-by-side", "b", act_side_by_side);
  gtk_widget_class_install_action (widget_class, "density.open-model", "s", act_open_model);
  gtk_widget_class_install_action (widget_class, "density.choose-model", NULL, act_choose_model);
  gtk_widget_class_install_action (widget_class, "density.show-view", "s", act_show_view);
  gtk_widget_class_install_action (widget_class, "density.show-reconstruction", "x", act_show_reconstruction);
  gtk_widget_class_install_action (widget_class, "density.show-generation", "u", act_show_generation);
  gtk_widget_class_install_action (widget_class, "density.show-conformations", "(ui)",
                                   act_show_conformations);
  gtk_widget_class_install_action (widget_class, "density.show-peak", "u", act_show_peak);
}
