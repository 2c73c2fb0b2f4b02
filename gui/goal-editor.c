#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/goal-editor.h"

#include <glib/gi18n.h>
#include <math.h>

typedef struct
{
  const char *name, *label, *unit, *tip;
  gsize offset;  /* double in FlDataset */
  double factor; /* as it is shown */
  double most;
} Field;

#define OF(field) G_STRUCT_OFFSET (FlDataset, field)

static const Field fields[] = {
  { "goal-d-min", N_ ("Resolution"), N_ ("Å"),
    N_ ("To which the other goals are meant; empty: to where the data are merged"), OF (goal_d_min), 1, 100 },
  { "goal-completeness", N_ ("Complete"), N_ ("%"), N_ ("Of all reflections to that resolution"),
    OF (goal_completeness), 100, 100 },
  { "goal-multiplicity", N_ ("Multiplicity"), NULL, N_ ("Observations a reflection, to that resolution"),
    OF (goal_multiplicity), 1, 1e6 },
  { "goal-cc-half", N_ ("CC½"), NULL,
    N_ ("Correlation of half sets, 0 – 1, in the shell that ends at that resolution"), OF (goal_cc_half), 1,
    1 },
  { "goal-cc-ano", N_ ("CC ano"), NULL, N_ ("Correlation of anomalous differences of half sets, 0 – 1"),
    OF (goal_cc_ano), 1, 1 },
};

#define N_FIELDS G_N_ELEMENTS (fields)

struct _FlgGoalEditor
{
  GtkGrid parent_instance;
  GtkEditable *entries[N_FIELDS];
  char *complaint;
  gboolean filling;
};

enum
{
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlgGoalEditor, flg_goal_editor, GTK_TYPE_GRID)

/* FALSE: not a number from 0 to the most that it may be. Empty: 0. */
static gboolean
read_field (FlgGoalEditor *self, guint i, double *value)
{
  g_autofree char *text =
      g_strstrip (g_strdelimit (g_strdup (gtk_editable_get_text (self->entries[i])), ",", '.'));
  char *end;
  *value = g_ascii_strtod (text, &end);
  gboolean good = *end == '\0' && *value >= 0 && *value <= fields[i].most;
  *value /= fields[i].factor;
  return good;
}

static void
check (FlgGoalEditor *self)
{
  g_clear_pointer (&self->complaint, g_free);
  for (guint i = 0; i < N_FIELDS; i++)
    {
      double value;
      gboolean good = read_field (self, i, &value);
      if (good)
        gtk_widget_remove_css_class (GTK_WIDGET (self->entries[i]), "error");
      else
        gtk_widget_add_css_class (GTK_WIDGET (self->entries[i]), "error");
      if (!good && !self->complaint)
        self->complaint = g_strdup_printf (_ ("%s: expected a number from 0 to %g, or nothing."),
                                           _ (fields[i].label), fields[i].most);
    }
}

static void
on_edited (FlgGoalEditor *self)
{
  if (self->filling)
    return;
  check (self);
  g_signal_emit (self, signals[CHANGED], 0);
}

void
flg_goal_editor_set (FlgGoalEditor *self, const FlDataset *dataset)
{
  self->filling = TRUE;
  for (guint i = 0; i < N_FIELDS; i++)
    {
      double value = G_STRUCT_MEMBER (double, dataset, fields[i].offset) * fields[i].factor;
      char text[G_ASCII_DTOSTR_BUF_SIZE] = "";
      if (value > 0)
        g_ascii_formatd (text, sizeof text, "%.6g", value);
      gtk_editable_set_text (self->entries[i], text);
    }
  self->filling = FALSE;
  check (self);
}

gboolean
flg_goal_editor_get (FlgGoalEditor *self, FlDataset *dataset)
{
  if (self->complaint)
    return FALSE;
  for (guint i = 0; i < N_FIELDS; i++)
    read_field (self, i, &G_STRUCT_MEMBER (double, dataset, fields[i].offset));
  return TRUE;
}

const char *
flg_goal_editor_complaint (FlgGoalEditor *self)
{
  return self->complaint;
}

gboolean
flg_goal_editor_type (FlgGoalEditor *self, const char *field, const char *text)
{
  for (guint i = 0; i < N_FIELDS; i++)
    if (g_str_equal (fields[i].name, field))
      {
        gtk_editable_set_text (self->entries[i], text);
        return TRUE;
      }
  return FALSE;
}

static void
flg_goal_editor_finalize (GObject *object)
{
  g_free (FLG_GOAL_EDITOR (object)->complaint);
  G_OBJECT_CLASS (flg_goal_editor_parent_class)->finalize (object);
}

static void
flg_goal_editor_class_init (FlgGoalEditorClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = flg_goal_editor_finalize;
  signals[CHANGED] = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                   NULL, G_TYPE_NONE, 0);
}

static void
put_label (FlgGoalEditor *self, const char *text, int column, int row)
{
  GtkWidget *label = gtk_label_new (text);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_widget_add_css_class (label, "dim-label");
  gtk_widget_set_margin_start (label, column % 3 == 0 && column > 0 ? 12 : 0);
  gtk_grid_attach (GTK_GRID (self), label, column, row, 1, 1);
}

/* Three and two beside one another. */
static void
flg_goal_editor_init (FlgGoalEditor *self)
{
  gtk_grid_set_column_spacing (GTK_GRID (self), 6);
  gtk_grid_set_row_spacing (GTK_GRID (self), 6);
  for (guint i = 0; i < N_FIELDS; i++)
    {
      int column = 3 * (int) (i % 3), row = (int) (i / 3);
      GtkWidget *entry = gtk_entry_new ();
      gtk_editable_set_width_chars (GTK_EDITABLE (entry), 4);
      gtk_editable_set_max_width_chars (GTK_EDITABLE (entry), 4);
      gtk_entry_set_placeholder_text (GTK_ENTRY (entry), "–");
      gtk_entry_set_activates_default (GTK_ENTRY (entry), TRUE);
      gtk_widget_set_tooltip_text (entry, _ (fields[i].tip));
      gtk_accessible_update_property (GTK_ACCESSIBLE (entry), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                      _ (fields[i].label), -1);
      g_signal_connect_object (entry, "changed", G_CALLBACK (on_edited), self, G_CONNECT_SWAPPED);
      self->entries[i] = GTK_EDITABLE (entry);
      put_label (self, _ (fields[i].label), column, row);
      gtk_grid_attach (GTK_GRID (self), entry, column + 1, row, 1, 1);
      if (fields[i].unit)
        put_label (self, _ (fields[i].unit), column + 2, row);
    }
}
