#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/people-chip.h"

#include <glib/gi18n.h>
#include <string.h>

#include "gui/people-rows.h"
#include "gui/people.h"
#include "gui/text.h"

/* More than so many are a number. */
#define MOST_DISCS 4

struct _FlgPeopleChip
{
  GtkBox parent_instance;
  FlgContext *context;
  GtkWidget *role, *button, *popover;
  GtkBox *discs, *list;
  char *words, *drawn;
};

G_DEFINE_FINAL_TYPE (FlgPeopleChip, flg_people_chip, GTK_TYPE_BOX)

static gboolean
is_own (FlgPeopleChip *self, const FlPresence *presence)
{
  return g_str_equal (presence->session, flg_experiment_session (flg_context_experiment (self->context)));
}

static void
clear (GtkBox *box)
{
  GtkWidget *child;
  while ((child = gtk_widget_get_first_child (GTK_WIDGET (box))))
    gtk_box_remove (box, child);
}

/* --- the list --- */

static void
add_words (FlgPeopleChip *self, const char *text, const char *css_class)
{
  GtkWidget *label = gtk_label_new (text);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_max_width_chars (GTK_LABEL (label), 46);
  gtk_widget_add_css_class (label, css_class);
  gtk_box_append (self->list, label);
}

static void
fill_list (FlgPeopleChip *self)
{
  FlgExperiment *experiment = flg_context_experiment (self->context);
  const FlgGlance *glance = flg_experiment_glance (experiment);
  g_autofree char *refusal = flg_refusal (experiment);
  gboolean conductor = FALSE;
  clear (self->list);
  if (refusal)
    add_words (self, refusal, "advice");
  for (guint i = 0; glance->present && i < glance->present->len; i++)
    {
      const FlPresence *presence = glance->present->pdata[i];
      conductor = conductor || !flg_presence_is_person (presence);
      gtk_box_append (self->list, flg_presence_row_new (experiment, presence, is_own (self, presence)));
    }
  if (!conductor && glance->conductor)
    {
      g_autofree char *holder = flg_text_bounded (glance->conductor, 80);
      g_autofree char *text = g_strdup_printf (_ ("Conductor: %s"), holder);
      add_words (self, text, "dim-label");
    }
  GtkWidget *button = gtk_button_new_with_label (_ ("People…"));
  gtk_actionable_set_action_name (GTK_ACTIONABLE (button), "win.people");
  gtk_widget_set_halign (button, GTK_ALIGN_END);
  gtk_widget_set_margin_top (button, 8);
  g_signal_connect_swapped (button, "clicked", G_CALLBACK (gtk_popover_popdown), self->popover);
  gtk_box_append (self->list, button);
}

/* --- the chip --- */

static void
draw (FlgPeopleChip *self, GPtrArray *people)
{
  clear (self->discs);
  for (guint i = 0; i < MIN (people->len, MOST_DISCS); i++)
    gtk_box_append (self->discs, flg_initials_new (((const FlPresence *) people->pdata[i])->who, 22));
  g_autofree char *count = g_strdup_printf (_ ("%u here"), people->len);
  GtkWidget *label = gtk_label_new (count);
  gtk_widget_set_margin_start (label, 4);
  gtk_box_append (self->discs, label);
}

/* Oneself first, then as long as they are here. */
static GPtrArray *
people_here (FlgPeopleChip *self)
{
  GPtrArray *present = flg_experiment_glance (flg_context_experiment (self->context))->present;
  GPtrArray *people = g_ptr_array_new ();
  for (guint i = 0; present && i < present->len; i++)
    if (flg_presence_is_person (present->pdata[i]))
      g_ptr_array_insert (people, is_own (self, present->pdata[i]) ? 0 : -1, present->pdata[i]);
  return people;
}

static char *
say (FlgPeopleChip *self, GPtrArray *people)
{
  GString *words = g_string_new (NULL);
  g_string_append_printf (words, _ ("%u here"), people->len);
  for (guint i = 0; i < people->len; i++)
    {
      const FlPresence *presence = people->pdata[i];
      g_autofree char *who = flg_text_bounded (presence->who, 60);
      g_string_append (words, i ? ", " : ": ");
      g_string_append_printf (words, is_own (self, presence) ? _ ("%s (you)") : "%s", who);
    }
  return g_string_free (words, FALSE);
}

static void
refresh (FlgPeopleChip *self)
{
  FlgExperiment *experiment = flg_context_experiment (self->context);
  const FlgGlance *glance = flg_experiment_glance (experiment);
  g_autoptr (GPtrArray) people = people_here (self);
  gboolean viewer = glance->role < FL_ROLE_OPERATOR;
  g_autofree char *refusal = flg_refusal (experiment);
  gboolean alone = people->len == 0 || (people->len == 1 && is_own (self, people->pdata[0]));
  gtk_widget_set_visible (self->role, viewer);
  gtk_widget_set_tooltip_text (self->role, refusal);
  gtk_widget_set_visible (self->button, !alone || viewer);
  g_autofree char *words = alone && !viewer ? NULL : say (self, people);
  g_autoptr (GString) drawn = g_string_new (words);
  for (guint i = 0; i < people->len; i++)
    g_string_append_printf (drawn, "\n%s", ((const FlPresence *) people->pdata[i])->session);
  if (words && g_strcmp0 (drawn->str, self->drawn) != 0)
    {
      draw (self, people);
      gtk_widget_set_tooltip_text (self->button, words);
      gtk_accessible_update_property (GTK_ACCESSIBLE (self->button), GTK_ACCESSIBLE_PROPERTY_LABEL, words,
                                      -1);
      g_free (self->drawn);
      self->drawn = g_strdup (drawn->str);
    }
  g_free (self->words);
  self->words = g_steal_pointer (&words);
  if (gtk_widget_get_visible (self->popover))
    fill_list (self);
}

static void
on_changed (FlgPeopleChip *self, guint what)
{
  if (what & (FLG_CHANGED_PEOPLE | FLG_CHANGED_HEALTH | FLG_CHANGED (FL_TABLE_PERSON)))
    refresh (self);
}

const char *
flg_people_chip_words (FlgPeopleChip *self)
{
  return self->words;
}

gboolean
flg_people_chip_shows_role (FlgPeopleChip *self)
{
  return gtk_widget_get_visible (self->role);
}

void
flg_people_chip_popup (FlgPeopleChip *self)
{
  fill_list (self);
  gtk_popover_popup (GTK_POPOVER (self->popover));
}

GtkWidget *
flg_people_chip_popover (FlgPeopleChip *self)
{
  return self->popover;
}

static void
flg_people_chip_dispose (GObject *object)
{
  FlgPeopleChip *self = FLG_PEOPLE_CHIP (object);
  g_clear_pointer (&self->popover, gtk_widget_unparent);
  g_clear_object (&self->context);
  G_OBJECT_CLASS (flg_people_chip_parent_class)->dispose (object);
}

static void
flg_people_chip_finalize (GObject *object)
{
  g_free (FLG_PEOPLE_CHIP (object)->words);
  g_free (FLG_PEOPLE_CHIP (object)->drawn);
  G_OBJECT_CLASS (flg_people_chip_parent_class)->finalize (object);
}

static void
flg_people_chip_class_init (FlgPeopleChipClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = flg_people_chip_dispose;
  G_OBJECT_CLASS (klass)->finalize = flg_people_chip_finalize;
}

static void
flg_people_chip_init (FlgPeopleChip *self)
{
  gtk_box_set_spacing (GTK_BOX (self), 8);
  self->role = gtk_label_new (_ ("Viewer"));
  gtk_widget_add_css_class (self->role, "role-mark");
  gtk_widget_set_valign (self->role, GTK_ALIGN_CENTER);
  gtk_box_append (GTK_BOX (self), self->role);
  self->discs = GTK_BOX (gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 3));
  self->button = gtk_button_new ();
  gtk_button_set_child (GTK_BUTTON (self->button), GTK_WIDGET (self->discs));
  gtk_widget_add_css_class (self->button, "flat");
  gtk_widget_add_css_class (self->button, "link-chip");
  g_signal_connect_swapped (self->button, "clicked", G_CALLBACK (flg_people_chip_popup), self);
  gtk_box_append (GTK_BOX (self), self->button);
  self->list = GTK_BOX (gtk_box_new (GTK_ORIENTATION_VERTICAL, 0));
  gtk_widget_set_size_request (GTK_WIDGET (self->list), 380, -1);
  self->popover = gtk_popover_new ();
  gtk_widget_set_parent (self->popover, self->button);
  gtk_popover_set_child (GTK_POPOVER (self->popover), GTK_WIDGET (self->list));
}

GtkWidget *
flg_people_chip_new (FlgContext *context)
{
  FlgPeopleChip *self = g_object_new (FLG_TYPE_PEOPLE_CHIP, NULL);
  self->context = g_object_ref (context);
  g_signal_connect_object (flg_context_experiment (context), "changed", G_CALLBACK (on_changed), self,
                           G_CONNECT_SWAPPED);
  refresh (self);
  return GTK_WIDGET (self);
}
