#include "widgets/empty-state.h"

struct _FlwEmptyState
{
  GtkWidget parent_instance;
  GtkWidget *box, *icon, *title, *description, *button;
};

G_DEFINE_FINAL_TYPE (FlwEmptyState, flw_empty_state, GTK_TYPE_WIDGET)

static void
flw_empty_state_dispose (GObject *object)
{
  g_clear_pointer (&FLW_EMPTY_STATE (object)->box, gtk_widget_unparent);
  G_OBJECT_CLASS (flw_empty_state_parent_class)->dispose (object);
}

static void
flw_empty_state_class_init (FlwEmptyStateClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = flw_empty_state_dispose;
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_css_name (widget_class, "emptystate");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_GROUP);
}

static void
flw_empty_state_init (FlwEmptyState *state)
{
  state->box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 12);
  gtk_widget_set_parent (state->box, GTK_WIDGET (state));
  gtk_widget_set_valign (state->box, GTK_ALIGN_CENTER);
  gtk_widget_set_halign (state->box, GTK_ALIGN_CENTER);
  state->icon = gtk_image_new ();
  gtk_image_set_pixel_size (GTK_IMAGE (state->icon), 64);
  state->title = gtk_label_new (NULL);
  gtk_widget_add_css_class (state->title, "title");
  state->description = gtk_label_new (NULL);
  gtk_label_set_wrap (GTK_LABEL (state->description), TRUE);
  gtk_label_set_justify (GTK_LABEL (state->description), GTK_JUSTIFY_CENTER);
  gtk_label_set_max_width_chars (GTK_LABEL (state->description), 60);
  state->button = gtk_button_new ();
  gtk_widget_set_halign (state->button, GTK_ALIGN_CENTER);
  gtk_widget_set_visible (state->button, FALSE);
  gtk_widget_add_css_class (state->button, "suggested-action");
  gtk_box_append (GTK_BOX (state->box), state->icon);
  gtk_box_append (GTK_BOX (state->box), state->title);
  gtk_box_append (GTK_BOX (state->box), state->description);
  gtk_box_append (GTK_BOX (state->box), state->button);
}

GtkWidget *
flw_empty_state_new (const char *icon_name, const char *title, const char *description)
{
  FlwEmptyState *state = g_object_new (FLW_TYPE_EMPTY_STATE, NULL);
  flw_empty_state_set (state, icon_name, title, description);
  return GTK_WIDGET (state);
}

void
flw_empty_state_set (FlwEmptyState *state, const char *icon_name, const char *title, const char *description)
{
  gtk_image_set_from_icon_name (GTK_IMAGE (state->icon), icon_name);
  gtk_widget_set_visible (state->icon, icon_name != NULL);
  gtk_label_set_text (GTK_LABEL (state->title), title);
  gtk_label_set_text (GTK_LABEL (state->description), description != NULL ? description : "");
  gtk_widget_set_visible (state->description, description != NULL);
}

void
flw_empty_state_set_action (FlwEmptyState *state, const char *label, const char *action_name)
{
  gtk_widget_set_visible (state->button, label != NULL);
  if (label == NULL)
    return;
  gtk_button_set_label (GTK_BUTTON (state->button), label);
  gtk_actionable_set_action_name (GTK_ACTIONABLE (state->button), action_name);
}
