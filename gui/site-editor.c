#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/site-editor.h"

#include <glib/gi18n.h>

#include "gui/changed-line.h"
#include "gui/conflict.h"

struct _FlgSiteEditor
{
  GtkWindow parent_instance;
  FlgContext *context;
  FlgSiteForm *form;
  FlSite *begun;       /* what is edited, as it was */
  GtkLabel *complaint; /* NULL: closed */
};

G_DEFINE_FINAL_TYPE (FlgSiteEditor, flg_site_editor, GTK_TYPE_WINDOW)

static void
on_changed (FlgSiteEditor *self)
{
  g_autofree char *complaint = NULL;
  for (FlgSiteGroup group = 0; group < FLG_SITE_GROUPS && !complaint; group++)
    complaint = flg_site_form_complaint (self->form, group);
  gtk_label_set_label (self->complaint, complaint ? complaint : "");
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "editor.save", !complaint);
}

static void
on_saved (FlgSaveEnd end, const GError *error, gpointer data)
{
  g_autoptr (FlgSiteEditor) self = data;
  if (self->complaint && error)
    gtk_label_set_label (self->complaint, error->message);
  else if (self->complaint && end != FLG_SAVE_BACK)
    gtk_window_destroy (GTK_WINDOW (self));
}

/* What is written, in the store's thread. */
typedef struct
{
  FlgSiteDraft *draft;
  FlSite *site;
} SiteSave;

static void
site_save_free (gpointer data)
{
  SiteSave *save = data;
  flg_site_draft_free (save->draft);
  fl_record_free (FL_TABLE_SITE, save->site);
  g_free (save);
}

static gpointer
write_site (FlStore *store, gpointer data, GError **error)
{
  SiteSave *save = flg_save_data (data);
  if (save->draft->site.id == 0)
    return flg_site_draft_write (store, save->draft, error);
  return GINT_TO_POINTER (flg_save_record (data, store, FL_TABLE_SITE, save->site, error)
                          && flg_site_draft_write_roots (store, save->draft, save->site->id, error));
}

static gpointer
edited_site (gpointer data)
{
  FlgSiteEditor *self = data;
  FlgSiteDraft *draft = flg_site_form_draft (self->form);
  FlSite *site = flg_site_draft_record (draft, self->begun);
  flg_site_draft_free (draft);
  return site;
}

static void
act_save (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgSiteEditor *self = FLG_SITE_EDITOR (widget);
  SiteSave *save = g_new (SiteSave, 1);
  *save = (SiteSave){ flg_site_form_draft (self->form), edited_site (self) };
  FlgSave *watched = flg_save_new (write_site, save, site_save_free);
  flg_save_begun_from (watched, FL_TABLE_SITE, self->begun);
  flg_save_run (watched, widget, self->context, on_saved, g_object_ref (self));
}

static gboolean
on_escape (GtkWidget *widget, GVariant *args, gpointer data)
{
  gtk_window_close (GTK_WINDOW (widget));
  return TRUE;
}

static void
on_cancel (FlgSiteEditor *self)
{
  gtk_window_close (GTK_WINDOW (self));
}

static void
add_group (FlgSiteEditor *self, GtkWidget *box, FlgSiteGroup group)
{
  GtkWidget *title = gtk_label_new (flg_site_form_group_title (group));
  gtk_label_set_xalign (GTK_LABEL (title), 0);
  gtk_widget_add_css_class (title, "heading");
  gtk_widget_set_margin_top (title, 10);
  gtk_box_append (GTK_BOX (box), title);
  gtk_box_append (GTK_BOX (box), flg_site_form_group (self->form, group));
}

static GtkWidget *
buttons_new (FlgSiteEditor *self)
{
  GtkWidget *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 8);
  GtkWidget *cancel = gtk_button_new_with_label (_ ("Cancel")),
            *save = gtk_button_new_with_label (_ ("Save"));
  self->complaint = GTK_LABEL (gtk_label_new (NULL));
  gtk_label_set_xalign (self->complaint, 0);
  gtk_label_set_ellipsize (self->complaint, PANGO_ELLIPSIZE_END);
  gtk_widget_set_hexpand (GTK_WIDGET (self->complaint), TRUE);
  gtk_widget_add_css_class (GTK_WIDGET (self->complaint), "complaint");
  g_signal_connect_object (cancel, "clicked", G_CALLBACK (on_cancel), self, G_CONNECT_SWAPPED);
  gtk_actionable_set_action_name (GTK_ACTIONABLE (save), "editor.save");
  gtk_widget_add_css_class (save, "suggested-action");
  gtk_box_append (GTK_BOX (row), GTK_WIDGET (self->complaint));
  gtk_box_append (GTK_BOX (row), cancel);
  gtk_box_append (GTK_BOX (row), save);
  gtk_widget_add_css_class (row, "dialog-buttons");
  return row;
}

GtkWidget *
flg_site_editor_new (GtkWindow *parent, FlgContext *context, const FlSite *site, gboolean copy)
{
  FlgSiteEditor *self =
      g_object_new (FLG_TYPE_SITE_EDITOR, "transient-for", parent, "modal", TRUE, "destroy-with-parent", TRUE,
                    "default-width", 860, "default-height", 700, NULL);
  g_autofree char *name = g_strdup_printf (_ ("copy of %s"), site->name);
  g_autofree char *title = copy ? g_strdup (name) : g_strdup_printf (_ ("Site %s"), site->name);
  gtk_window_set_title (GTK_WINDOW (self), title);
  self->context = g_object_ref (context);
  self->begun = fl_record_copy (FL_TABLE_SITE, site);
  self->form = flg_site_form_new (flg_context_experiment (context), site, copy, NULL);
  if (copy)
    {
      flg_site_form_set (self->form, "name", name);
      flg_site_form_set (self->form, "active", "0");
    }
  GtkWidget *left = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6),
            *right = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  GtkWidget *columns = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 28), *scroll = gtk_scrolled_window_new ();
  GtkWidget *all = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  add_group (self, left, FLG_SITE_MACHINE);
  if (g_strcmp0 (site->kind, "ssh") == 0)
    add_group (self, left, FLG_SITE_FOLDERS);
  add_group (self, left, FLG_SITE_LIMITS);
  add_group (self, right, FLG_SITE_RESOURCES);
  add_group (self, right, FLG_SITE_PROGRAM);
  gtk_box_set_homogeneous (GTK_BOX (columns), TRUE);
  gtk_box_append (GTK_BOX (columns), left);
  gtk_box_append (GTK_BOX (columns), right);
  gtk_widget_add_css_class (columns, "dialog");
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroll), columns);
  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (scroll), GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
  gtk_widget_set_vexpand (scroll, TRUE);
  gtk_box_append (GTK_BOX (all), scroll);
  if (!copy)
    {
      GtkWidget *changed = flg_changed_line_new (context, edited_site, self);
      flg_changed_line_watch (FLG_CHANGED_LINE (changed), FL_TABLE_SITE, site);
      gtk_box_append (GTK_BOX (all), changed);
    }
  gtk_box_append (GTK_BOX (all), buttons_new (self));
  gtk_window_set_child (GTK_WINDOW (self), all);
  g_signal_connect_object (self->form, "changed", G_CALLBACK (on_changed), self, G_CONNECT_SWAPPED);
  on_changed (self);
  return GTK_WIDGET (self);
}

FlgSiteForm *
flg_site_editor_form (FlgSiteEditor *self)
{
  return self->form;
}

static void
flg_site_editor_dispose (GObject *object)
{
  FlgSiteEditor *self = FLG_SITE_EDITOR (object);
  self->complaint = NULL;
  if (self->form)
    g_signal_handlers_disconnect_by_data (self->form, self);
  G_OBJECT_CLASS (flg_site_editor_parent_class)->dispose (object);
  g_clear_object (&self->form);
  fl_record_free (FL_TABLE_SITE, g_steal_pointer (&self->begun));
  g_clear_object (&self->context);
}

static void
flg_site_editor_class_init (FlgSiteEditorClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = flg_site_editor_dispose;
  gtk_widget_class_install_action (widget_class, "editor.save", NULL, act_save);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_Escape, 0, on_escape, NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Return, GDK_CONTROL_MASK, "editor.save", NULL);
}

static void
flg_site_editor_init (FlgSiteEditor *self)
{
}
