#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/people-dialog.h"

#include <glib/gi18n.h>
#include <string.h>

#include "gui/people-rows.h"
#include "gui/people.h"
#include "gui/text.h"

struct _FlgPeopleDialog
{
  GtkWindow parent_instance;
  FlgContext *context; /* NULL: closed */
  GtkListBox *people;
  GtkBox *here;
  GtkWidget *fresh, *name, *add;
  GtkDropDown *role;
  GtkLabel *words;
  gboolean filling;
};

G_DEFINE_FINAL_TYPE (FlgPeopleDialog, flg_people_dialog, GTK_TYPE_WINDOW)

/* --- writing --- */

typedef struct
{
  char *name;
  FlRole role;
} Naming;

static void
naming_free (Naming *naming)
{
  g_free (naming->name);
  g_free (naming);
}

static gpointer
write_role (FlStore *store, gpointer data, GError **error)
{
  const Naming *naming = data;
  return GINT_TO_POINTER (fl_store_set_role (store, naming->name, naming->role, error));
}

static void fill (FlgPeopleDialog *self);

static void
on_written (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (FlgPeopleDialog) self = data;
  g_autoptr (GError) error = NULL;
  flg_context_write_finish (FLG_CONTEXT (source), result, &error);
  if (!self->context)
    return;
  fill (self);
  if (error)
    gtk_label_set_label (self->words, error->message);
}

static void
act_set_role (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgPeopleDialog *self = FLG_PEOPLE_DIALOG (widget);
  const char *name, *role;
  g_variant_get (target, "(&s&s)", &name, &role);
  Naming *naming = g_new (Naming, 1);
  *naming = (Naming){ g_strstrip (g_strdup (name)), FL_ROLE_LAST };
  fl_role_parse (role, &naming->role);
  flg_context_write (self->context, write_role, naming, (GDestroyNotify) naming_free, on_written,
                     g_object_ref (self));
}

/* --- the list --- */

static GtkWidget *
roles_new (FlRole chosen)
{
  const char *labels[FL_ROLE_LAST + 1] = { NULL };
  for (FlRole role = 0; role < FL_ROLE_LAST; role++)
    labels[role] = flg_role_label (role);
  GtkWidget *roles = gtk_drop_down_new_from_strings (labels);
  gtk_drop_down_set_selected (GTK_DROP_DOWN (roles), chosen);
  gtk_widget_set_size_request (roles, 120, -1);
  return roles;
}

static void
on_role (GtkDropDown *roles, GParamSpec *pspec, FlgPeopleDialog *self)
{
  if (!self->filling)
    gtk_widget_activate_action (GTK_WIDGET (self), "people.set-role", "(ss)",
                                g_object_get_data (G_OBJECT (roles), "name"),
                                fl_role_name ((FlRole) gtk_drop_down_get_selected (roles)));
}

static GtkWidget *
label_new (const char *text, const char *css_class)
{
  GtkWidget *label = gtk_label_new (text);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
  if (css_class)
    gtk_widget_add_css_class (label, css_class);
  return label;
}

static GtkWidget *
person_row (FlgPeopleDialog *self, const FlPerson *person, gboolean may)
{
  const FlgGlance *glance = flg_experiment_glance (flg_context_experiment (self->context));
  GtkWidget *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 10);
  g_autofree char *who = flg_text_bounded (person->name, 60);
  g_autofree char *own = g_strdup_printf (_ ("%s (you)"), who);
  GtkWidget *name = label_new (g_strcmp0 (glance->account, person->name) == 0 ? own : who, "heading");
  GtkWidget *comment = label_new (person->comment, "dim-label");
  gtk_widget_set_hexpand (comment, TRUE);
  gtk_box_append (GTK_BOX (row), flg_initials_new (person->name, 26));
  gtk_box_append (GTK_BOX (row), name);
  gtk_box_append (GTK_BOX (row), comment);
  FlRole role = (FlRole) CLAMP (person->role, 0, FL_ROLE_LAST - 1);
  if (may)
    {
      GtkWidget *roles = roles_new (role), *remove = gtk_button_new_from_icon_name ("user-trash-symbolic");
      g_object_set_data_full (G_OBJECT (roles), "name", g_strdup (person->name), g_free);
      g_signal_connect_object (roles, "notify::selected", G_CALLBACK (on_role), self, 0);
      gtk_widget_add_css_class (remove, "flat");
      gtk_widget_set_tooltip_text (remove, _ ("Forget the person: a viewer from then on"));
      gtk_actionable_set_action_target (GTK_ACTIONABLE (remove), "(ss)", person->name, "none");
      gtk_actionable_set_action_name (GTK_ACTIONABLE (remove), "people.set-role");
      gtk_box_append (GTK_BOX (row), roles);
      gtk_box_append (GTK_BOX (row), remove);
    }
  else
    gtk_box_append (GTK_BOX (row), label_new (flg_role_label (role), NULL));
  return row;
}

static void
clear (GtkWidget *box)
{
  GtkWidget *child;
  while ((child = gtk_widget_get_first_child (box)))
    if (GTK_IS_LIST_BOX (box))
      gtk_list_box_remove (GTK_LIST_BOX (box), child);
    else
      gtk_box_remove (GTK_BOX (box), child);
}

static void
fill_here (FlgPeopleDialog *self)
{
  FlgExperiment *experiment = flg_context_experiment (self->context);
  const FlgGlance *glance = flg_experiment_glance (experiment);
  clear (GTK_WIDGET (self->here));
  for (guint i = 0; glance->present && i < glance->present->len; i++)
    {
      const FlPresence *presence = glance->present->pdata[i];
      gboolean own = g_str_equal (presence->session, flg_experiment_session (experiment));
      gtk_box_append (self->here, flg_presence_row_new (experiment, presence, own));
    }
}

static void
fill (FlgPeopleDialog *self)
{
  FlgExperiment *experiment = flg_context_experiment (self->context);
  FlgRecordModel *people = flg_experiment_table (experiment, FL_TABLE_PERSON);
  gboolean may = flg_may_own (experiment), nobody = flg_record_model_count (people) == 0;
  self->filling = TRUE;
  clear (GTK_WIDGET (self->people));
  for (guint i = 0; i < flg_record_model_count (people); i++)
    gtk_list_box_append (self->people,
                         person_row (self, flg_record_any (flg_record_model_at (people, i)), may));
  self->filling = FALSE;
  gtk_widget_set_visible (GTK_WIDGET (self->people), !nobody);
  gtk_widget_set_visible (self->fresh, may);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "people.set-role", may);
  g_autofree char *refusal = flg_refusal (experiment);
  gtk_label_set_label (
      self->words, nobody
                       ? _ ("Nobody is named: everybody may do everything. Name yourself as an owner first; "
                            "from then on whoever is not named is a viewer.")
                   : refusal ? refusal
                   : !may    ? _ ("Only owners give and take roles.")
                             : "");
  gtk_widget_set_visible (GTK_WIDGET (self->words), *gtk_label_get_label (self->words) != '\0');
  fill_here (self);
}

static void
on_changed (FlgPeopleDialog *self, guint what)
{
  if (what & (FLG_CHANGED (FL_TABLE_PERSON) | FLG_CHANGED_HEALTH))
    fill (self);
  else if (what & FLG_CHANGED_PEOPLE)
    fill_here (self);
}

static void
on_add (FlgPeopleDialog *self)
{
  const char *name = gtk_editable_get_text (GTK_EDITABLE (self->name));
  if (*name)
    gtk_widget_activate_action (GTK_WIDGET (self), "people.set-role", "(ss)", name,
                                fl_role_name ((FlRole) gtk_drop_down_get_selected (self->role)));
  gtk_editable_set_text (GTK_EDITABLE (self->name), "");
}

const char *
flg_people_dialog_words (FlgPeopleDialog *self)
{
  return gtk_label_get_label (self->words);
}

static gboolean
on_escape (GtkWidget *widget, GVariant *args, gpointer data)
{
  gtk_window_close (GTK_WINDOW (widget));
  return TRUE;
}

static void
flg_people_dialog_dispose (GObject *object)
{
  g_clear_object (&FLG_PEOPLE_DIALOG (object)->context);
  G_OBJECT_CLASS (flg_people_dialog_parent_class)->dispose (object);
}

static void
flg_people_dialog_class_init (FlgPeopleDialogClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = flg_people_dialog_dispose;
  gtk_widget_class_install_action (widget_class, "people.set-role", "(ss)", act_set_role);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_Escape, 0, on_escape, NULL);
}

static void
make_fresh (FlgPeopleDialog *self)
{
  self->fresh = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 8);
  self->name = gtk_entry_new ();
  gtk_entry_set_placeholder_text (GTK_ENTRY (self->name), _ ("Account's name"));
  gtk_widget_set_hexpand (self->name, TRUE);
  self->role = GTK_DROP_DOWN (roles_new (FL_ROLE_OPERATOR));
  self->add = gtk_button_new_with_label (_ ("Name"));
  g_signal_connect_object (self->name, "activate", G_CALLBACK (on_add), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->add, "clicked", G_CALLBACK (on_add), self, G_CONNECT_SWAPPED);
  gtk_box_append (GTK_BOX (self->fresh), self->name);
  gtk_box_append (GTK_BOX (self->fresh), GTK_WIDGET (self->role));
  gtk_box_append (GTK_BOX (self->fresh), self->add);
}

static void
flg_people_dialog_init (FlgPeopleDialog *self)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 10), *scroll = gtk_scrolled_window_new ();
  gtk_widget_add_css_class (box, "dialog");
  self->people = GTK_LIST_BOX (gtk_list_box_new ());
  gtk_list_box_set_selection_mode (self->people, GTK_SELECTION_NONE);
  self->here = GTK_BOX (gtk_box_new (GTK_ORIENTATION_VERTICAL, 0));
  self->words = GTK_LABEL (label_new (NULL, "advice"));
  gtk_label_set_wrap (self->words, TRUE);
  gtk_label_set_ellipsize (self->words, PANGO_ELLIPSIZE_NONE);
  gtk_label_set_max_width_chars (self->words, 60);
  make_fresh (self);
  GtkWidget *parts[] = {
    label_new (_ ("Roles"), "heading"),    GTK_WIDGET (self->people), GTK_WIDGET (self->words), self->fresh,
    label_new (_ ("Here now"), "heading"), GTK_WIDGET (self->here)
  };
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    gtk_box_append (GTK_BOX (box), parts[i]);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroll), box);
  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (scroll), GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
  gtk_window_set_child (GTK_WINDOW (self), scroll);
}

GtkWidget *
flg_people_dialog_new (GtkWindow *parent, FlgContext *context)
{
  FlgPeopleDialog *self =
      g_object_new (FLG_TYPE_PEOPLE_DIALOG, "transient-for", parent, "modal", TRUE, "destroy-with-parent",
                    TRUE, "title", _ ("People"), "default-width", 560, "default-height", 600, NULL);
  self->context = g_object_ref (context);
  g_signal_connect_object (flg_context_experiment (context), "changed", G_CALLBACK (on_changed), self,
                           G_CONNECT_SWAPPED);
  fill (self);
  return GTK_WIDGET (self);
}
