#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/conflict-dialog.h"

#include <glib/gi18n.h>
#include <string.h>

#include "gui/conflict.h"
#include "gui/edit-words.h"
#include "gui/text.h"
#include "widgets/readout.h"

struct _FlgConflictDialog
{
  GtkWindow parent_instance;
  GPtrArray *differences; /* FlDifference */
  GtkCheckButton **mine;  /* by difference */
  GtkLabel *words;
  GtkWidget *buttons;
  gboolean decided;
};

enum
{
  DECIDED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlgConflictDialog, flg_conflict_dialog, GTK_TYPE_WINDOW)

/* --- deciding --- */

static void
decide (FlgConflictDialog *self, FlgConflictDecision decision)
{
  if (self->decided)
    return;
  self->decided = TRUE;
  g_object_ref (self);
  g_signal_emit (self, signals[DECIDED], 0, (int) decision);
  gtk_window_destroy (GTK_WINDOW (self));
  g_object_unref (self);
}

static void
choose_all_mine (FlgConflictDialog *self)
{
  for (guint i = 0; i < self->differences->len; i++)
    gtk_check_button_set_active (self->mine[i], TRUE);
}

static void
act_decide (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgConflictDialog *self = FLG_CONFLICT_DIALOG (widget);
  if (g_str_equal (action, "conflict.mine"))
    choose_all_mine (self);
  decide (self, g_str_equal (action, "conflict.back")     ? FLG_CONFLICT_BACK
                : g_str_equal (action, "conflict.theirs") ? FLG_CONFLICT_THEIRS
                                                          : FLG_CONFLICT_SAVE);
}

static int
find_column (FlgConflictDialog *self, const char *column)
{
  for (guint i = 0; i < self->differences->len; i++)
    if (g_str_equal (((const FlDifference *) self->differences->pdata[i])->column, column))
      return (int) i;
  return -1;
}

gboolean
flg_conflict_dialog_takes_mine (FlgConflictDialog *self, const char *column)
{
  int at = find_column (self, column);
  return at < 0 || gtk_check_button_get_active (self->mine[at]);
}

/* A radio button's partner is its group: turning mine off is turning theirs on. */
static void
act_choose (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgConflictDialog *self = FLG_CONFLICT_DIALOG (widget);
  const char *column;
  gboolean mine;
  g_variant_get (target, "(&sb)", &column, &mine);
  int at = find_column (self, column);
  if (at < 0)
    return;
  GtkCheckButton *theirs = g_object_get_data (G_OBJECT (self->mine[at]), "theirs");
  gtk_check_button_set_active (mine ? self->mine[at] : theirs, TRUE);
}

static gboolean
on_close (FlgConflictDialog *self)
{
  decide (self, FLG_CONFLICT_BACK);
  return TRUE;
}

static gboolean
on_escape (GtkWidget *widget, GVariant *args, gpointer data)
{
  gtk_window_close (GTK_WINDOW (widget));
  return TRUE;
}

/* --- what is seen --- */

static GtkWidget *
label_new (const char *text, const char *css_class)
{
  GtkWidget *label = gtk_label_new (text);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_yalign (GTK_LABEL (label), 0);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (label), PANGO_WRAP_WORD_CHAR);
  if (css_class)
    gtk_widget_add_css_class (label, css_class);
  return label;
}

/* Parameters by line; others as they are. */
static GtkWidget *
version_new (FlgExperiment *experiment, const FlDifference *difference, const char *value, const char *from)
{
  gboolean lines = strchr (value, '\n') != NULL || g_str_equal (difference->column, "params");
  g_autofree char *changed = lines ? flg_text_difference (from, value) : NULL;
  g_autofree char *text = !lines     ? flg_column_words (experiment, difference->column, value)
                          : *changed ? flg_text_bounded (changed, 4000)
                                     : g_strdup (_ ("(as it was)"));
  GtkWidget *label = label_new (*text ? text : _ ("(empty)"), lines ? "monospace" : NULL);
  gtk_label_set_width_chars (GTK_LABEL (label), 22);
  gtk_label_set_max_width_chars (GTK_LABEL (label), 34);
  return label;
}

static GtkCheckButton *
choice_new (GtkWidget *grid, int column, int row, GtkWidget *version, const char *name)
{
  GtkWidget *button = gtk_check_button_new ();
  gtk_check_button_set_child (GTK_CHECK_BUTTON (button), version);
  gtk_widget_add_css_class (button, "version");
  gtk_widget_set_margin_start (version, 6);
  gtk_widget_set_hexpand (button, TRUE);
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  gtk_grid_attach (GTK_GRID (grid), button, column, row, 1, 1);
  return GTK_CHECK_BUTTON (button);
}

static void
show_chosen (GtkCheckButton *button)
{
  if (gtk_check_button_get_active (button))
    gtk_widget_add_css_class (GTK_WIDGET (button), "chosen");
  else
    gtk_widget_remove_css_class (GTK_WIDGET (button), "chosen");
}

static void
add_field (FlgConflictDialog *self, FlgExperiment *experiment, GtkWidget *grid, guint i)
{
  const FlDifference *difference = self->differences->pdata[i];
  int row = (int) i + 1;
  gtk_grid_attach (GTK_GRID (grid), label_new (flg_column_label (difference->column), "heading"), 0, row, 1,
                   1);
  GtkWidget *base =
      difference->base ? version_new (experiment, difference, difference->base, NULL) : label_new ("–", NULL);
  if (difference->base && g_str_equal (difference->column, "params"))
    gtk_label_set_label (GTK_LABEL (base), _ ("changed lines are shown"));
  gtk_widget_add_css_class (base, "dim-label");
  gtk_grid_attach (GTK_GRID (grid), base, 1, row, 1, 1);
  GtkCheckButton *theirs = choice_new (grid, 2, row,
                                       version_new (experiment, difference, difference->theirs,
                                                    difference->base ? difference->base : difference->mine),
                                       _ ("Theirs"));
  GtkCheckButton *mine = choice_new (grid, 3, row,
                                     version_new (experiment, difference, difference->mine,
                                                  difference->base ? difference->base : difference->theirs),
                                     _ ("Mine"));
  gtk_check_button_set_group (mine, theirs);
  g_object_set_data (G_OBJECT (mine), "theirs", theirs);
  self->mine[i] = mine;
  g_signal_connect (mine, "toggled", G_CALLBACK (show_chosen), NULL);
  g_signal_connect (theirs, "toggled", G_CALLBACK (show_chosen), NULL);
  gboolean untouched = difference->base && strcmp (difference->base, difference->mine) == 0;
  gtk_check_button_set_active (untouched ? theirs : mine, TRUE);
}

static GtkWidget *
fields_new (FlgConflictDialog *self, FlgExperiment *experiment)
{
  const char *heads[] = { "", _ ("It was"), _ ("Theirs"), _ ("Mine") };
  GtkWidget *grid = gtk_grid_new ();
  gtk_grid_set_column_spacing (GTK_GRID (grid), 14);
  gtk_grid_set_row_spacing (GTK_GRID (grid), 8);
  for (guint i = 0; i < G_N_ELEMENTS (heads); i++)
    gtk_grid_attach (GTK_GRID (grid), label_new (heads[i], "dim-label"), (int) i, 0, 1, 1);
  for (guint i = 0; i < self->differences->len; i++)
    add_field (self, experiment, grid, i);
  return grid;
}

static void
add_button (GtkWidget *row, const char *label, const char *action, const char *tip, const char *css_class)
{
  GtkWidget *button = gtk_button_new_with_label (label);
  gtk_actionable_set_action_name (GTK_ACTIONABLE (button), action);
  gtk_widget_set_tooltip_text (button, tip);
  if (css_class)
    gtk_widget_add_css_class (button, css_class);
  gtk_box_append (GTK_BOX (row), button);
}

static GtkWidget *
buttons_new (void)
{
  GtkWidget *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 8);
  add_button (row, _ ("Back to the editor"), "conflict.back", _ ("Nothing is decided; what you typed stays"),
              NULL);
  GtkWidget *space = gtk_label_new (NULL);
  gtk_widget_set_hexpand (space, TRUE);
  gtk_box_append (GTK_BOX (row), space);
  add_button (row, _ ("Keep theirs"), "conflict.theirs", _ ("Drop what you have changed"), NULL);
  add_button (row, _ ("Use mine"), "conflict.mine", _ ("All fields as you have them"), NULL);
  add_button (row, _ ("Save the marked"), "conflict.save", _ ("Each field as it is marked above"),
              "suggested-action");
  gtk_widget_add_css_class (row, "dialog-buttons");
  return row;
}

static char *
say (FlgExperiment *experiment, FlTable table, const FlgConflictOther *other)
{
  const char *noun = flg_table_noun (table);
  if (!other || !other->who)
    return g_strdup_printf (_ ("Somebody has changed this %s while you edited it."), noun);
  guint64 now = flg_experiment_now (experiment);
  g_autofree char *who = flg_text_bounded (other->who, 60), *where = flg_text_bounded (other->where, 60);
  g_autofree char *age = flw_format_age (now > other->time ? (double) (now - other->time) / 1e9 : 0);
  return g_strdup_printf (_ ("%s at %s has changed this %s %s ago, while you edited it."), who, where, noun,
                          age);
}

void
flg_conflict_dialog_only_show (FlgConflictDialog *self)
{
  static const char *const actions[] = { "conflict.theirs", "conflict.mine", "conflict.save" };
  for (guint i = 0; i < G_N_ELEMENTS (actions); i++)
    gtk_widget_action_set_enabled (GTK_WIDGET (self), actions[i], FALSE);
  for (GtkWidget *child = gtk_widget_get_next_sibling (gtk_widget_get_first_child (self->buttons)); child;
       child = gtk_widget_get_next_sibling (child))
    gtk_widget_set_visible (child, FALSE);
}

guint
flg_conflict_dialog_n_fields (FlgConflictDialog *self)
{
  return self->differences->len;
}

const char *
flg_conflict_dialog_words (FlgConflictDialog *self)
{
  return gtk_label_get_label (self->words);
}

GtkWidget *
flg_conflict_dialog_new (GtkWindow *parent, FlgExperiment *experiment, FlTable table, gconstpointer base,
                         gconstpointer mine, gconstpointer theirs, const FlgConflictOther *other)
{
  FlgConflictDialog *self =
      g_object_new (FLG_TYPE_CONFLICT_DIALOG, "transient-for", parent, "modal", TRUE, "destroy-with-parent",
                    TRUE, "title", _ ("Two versions"), "default-width", 940, NULL);
  self->differences = flg_differences (table, base, mine, theirs);
  self->mine = g_new0 (GtkCheckButton *, self->differences->len);
  GtkWidget *all = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0),
            *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 12);
  GtkWidget *scroll = gtk_scrolled_window_new ();
  g_autofree char *words = say (experiment, table, other);
  self->words = GTK_LABEL (label_new (words, "title-3"));
  self->buttons = buttons_new ();
  gtk_widget_add_css_class (box, "conflict");
  gtk_box_append (GTK_BOX (box), GTK_WIDGET (self->words));
  gtk_box_append (GTK_BOX (box), fields_new (self, experiment));
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroll), box);
  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (scroll), GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_propagate_natural_height (GTK_SCROLLED_WINDOW (scroll), TRUE);
  gtk_scrolled_window_set_max_content_height (GTK_SCROLLED_WINDOW (scroll), 560);
  gtk_widget_set_vexpand (scroll, TRUE);
  gtk_box_append (GTK_BOX (all), scroll);
  gtk_box_append (GTK_BOX (all), self->buttons);
  gtk_window_set_child (GTK_WINDOW (self), all);
  return GTK_WIDGET (self);
}

static void
flg_conflict_dialog_finalize (GObject *object)
{
  FlgConflictDialog *self = FLG_CONFLICT_DIALOG (object);
  g_clear_pointer (&self->differences, g_ptr_array_unref);
  g_free (self->mine);
  G_OBJECT_CLASS (flg_conflict_dialog_parent_class)->finalize (object);
}

/* Its window going takes it along: undecided. */
static void
flg_conflict_dialog_dispose (GObject *object)
{
  FlgConflictDialog *self = FLG_CONFLICT_DIALOG (object);
  if (!self->decided)
    {
      self->decided = TRUE;
      g_signal_emit (self, signals[DECIDED], 0, (int) FLG_CONFLICT_BACK);
    }
  G_OBJECT_CLASS (flg_conflict_dialog_parent_class)->dispose (object);
}

static void
flg_conflict_dialog_class_init (FlgConflictDialogClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = flg_conflict_dialog_dispose;
  G_OBJECT_CLASS (klass)->finalize = flg_conflict_dialog_finalize;
  signals[DECIDED] = g_signal_new ("decided", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                   NULL, G_TYPE_NONE, 1, G_TYPE_INT);
  gtk_widget_class_install_action (widget_class, "conflict.back", NULL, act_decide);
  gtk_widget_class_install_action (widget_class, "conflict.theirs", NULL, act_decide);
  gtk_widget_class_install_action (widget_class, "conflict.mine", NULL, act_decide);
  gtk_widget_class_install_action (widget_class, "conflict.save", NULL, act_decide);
  gtk_widget_class_install_action (widget_class, "conflict.choose", "(sb)", act_choose);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_Escape, 0, on_escape, NULL);
}

static void
flg_conflict_dialog_init (FlgConflictDialog *self)
{
  g_signal_connect (self, "close-request", G_CALLBACK (on_close), NULL);
}
