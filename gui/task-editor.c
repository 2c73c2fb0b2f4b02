#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/task-editor.h"

#include <glib/gi18n.h>

#include <string.h>

#include "gui/chooser.h"

static const struct
{
  const char *type, *label;
} types[] = {
  { "all", N_ ("spots, indexing, integration") },
  { "index", N_ ("spots and indexing") },
  { "spots", N_ ("spots only") },
  { "hits", N_ ("patterns of single particles") },
  { "merge", N_ ("scaled and merged intensities (per version)") },
  { "map", N_ ("maps of the electron density (per version)") },
  { "reconstruct", N_ ("densities of single particles (per version)") },
  { "geometry", N_ ("the detector refined (per version)") },
  { "export", N_ ("one stream of all lattices (per version)") },
};

typedef enum
{
  NODES,
  RANKS,
  GPUS,
  MINUTES,
  N_NUMBERS
} Number;

struct _FlgTaskEditor
{
  GtkBox parent_instance;
  FlgExperiment *experiment;
  FlgDatasetDraft *draft;
  guint key;
  GtkEditable *name;
  GtkDropDown *type;
  FlgChooser *site;
  GtkSpinButton *numbers[N_NUMBERS];
  GtkLabel *defaults, *parameters, *fork;
  GtkBox *after;
  char *made; /* which buttons it has */
  gboolean filling;
};

enum
{
  CHANGED,
  PARAMETERS,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlgTaskEditor, flg_task_editor, GTK_TYPE_BOX)

static FlgDatasetStep *
step_of (FlgTaskEditor *self)
{
  return self->draft && self->key ? flg_dataset_draft_step (self->draft, self->key) : NULL;
}

/* --- what the screen says, into the draft --- */

static int
number_of (FlgTaskEditor *self, Number number)
{
  return gtk_spin_button_get_value_as_int (self->numbers[number]);
}

static void
on_edited (FlgTaskEditor *self)
{
  FlgDatasetStep *step = step_of (self);
  if (!step || self->filling)
    return;
  FlTask *task = step->task;
  flg_set_string (&task->name, gtk_editable_get_text (self->name));
  flg_set_string (&task->type, types[gtk_drop_down_get_selected (self->type)].type);
  task->site = flg_chooser_get (self->site);
  task->nodes = number_of (self, NODES);
  task->ranks_per_node = number_of (self, RANKS);
  task->gpus_per_rank = number_of (self, GPUS);
  task->minutes = number_of (self, MINUTES);
  flg_task_editor_refresh (self);
  g_signal_emit (self, signals[CHANGED], 0);
}

static void
on_after (GtkCheckButton *button, FlgTaskEditor *self)
{
  guint before = GPOINTER_TO_UINT (g_object_get_data (G_OBJECT (button), "key"));
  if (self->filling || !step_of (self))
    return;
  flg_dataset_draft_set_after (self->draft, self->key, before, gtk_check_button_get_active (button));
  flg_task_editor_refresh (self);
  g_signal_emit (self, signals[CHANGED], 0);
}

static void
on_parameters (FlgTaskEditor *self)
{
  g_signal_emit (self, signals[PARAMETERS], 0);
}

/* --- what the draft says, onto the screen --- */

static void
fill_sites (FlgTaskEditor *self)
{
  FlgRecordModel *sites = flg_experiment_table (self->experiment, FL_TABLE_SITE);
  const char *first = NULL;
  for (guint i = 0; i < flg_record_model_count (sites) && !first; i++)
    {
      const FlSite *site = flg_record_site (flg_record_model_at (sites, i));
      first = site->active ? site->name : NULL;
    }
  g_autofree char *any =
      first ? g_strdup_printf (_ ("first active (%s)"), first) : g_strdup (_ ("first active"));
  flg_chooser_begin (self->site);
  flg_chooser_add (self->site, 0, any);
  for (guint i = 0; i < flg_record_model_count (sites); i++)
    {
      const FlSite *site = flg_record_site (flg_record_model_at (sites, i));
      g_autofree char *label =
          g_strdup_printf ("%s (%s)%s", site->name, site->kind, site->active ? "" : _ (", resting"));
      flg_chooser_add (self->site, site->id, label);
    }
  flg_chooser_end (self->site);
}

static gboolean
is_direct (const FlgDatasetStep *step, guint key)
{
  for (guint i = 0; i < step->after->len; i++)
    if (g_array_index (step->after, guint, i) == key)
      return TRUE;
  return FALSE;
}

static void
make_after (FlgTaskEditor *self, FlgDatasetStep *step)
{
  GtkWidget *child;
  while ((child = gtk_widget_get_first_child (GTK_WIDGET (self->after))))
    gtk_box_remove (self->after, child);
  for (guint i = 0; i < self->draft->steps->len; i++)
    {
      const FlgDatasetStep *other = self->draft->steps->pdata[i];
      if (other == step)
        continue;
      GtkWidget *button = gtk_check_button_new_with_label (other->task->name);
      g_object_set_data (G_OBJECT (button), "key", GUINT_TO_POINTER (other->key));
      g_signal_connect_object (button, "toggled", G_CALLBACK (on_after), self, 0);
      gtk_box_append (self->after, button);
    }
  if (self->draft->steps->len < 2)
    gtk_box_append (self->after, gtk_label_new (_ ("nothing: it is the only step")));
}

/* The buttons stay while the steps do: one of them may have the focus. */
static void
fill_after (FlgTaskEditor *self, FlgDatasetStep *step)
{
  g_autoptr (GString) wanted = g_string_new (NULL);
  for (guint i = 0; i < self->draft->steps->len; i++)
    {
      const FlgDatasetStep *other = self->draft->steps->pdata[i];
      g_string_append_printf (wanted, "%u %d %s\n", other->key, other == step,
                              other == step ? "" : other->task->name);
    }
  if (g_strcmp0 (self->made, wanted->str) != 0)
    make_after (self, step);
  g_free (self->made);
  self->made = g_string_free (g_steal_pointer (&wanted), FALSE);
  for (GtkWidget *button = gtk_widget_get_first_child (GTK_WIDGET (self->after)); button;
       button = gtk_widget_get_next_sibling (button))
    if (GTK_IS_CHECK_BUTTON (button))
      {
        guint key = GPOINTER_TO_UINT (g_object_get_data (G_OBJECT (button), "key"));
        gboolean circle = flg_dataset_draft_is_after (self->draft, key, step->key);
        gtk_check_button_set_active (GTK_CHECK_BUTTON (button), is_direct (step, key));
        gtk_widget_set_sensitive (button, !circle);
        gtk_widget_set_tooltip_text (button, circle ? _ ("That one waits for this one.") : NULL);
      }
}

static void
show_parameters (FlgTaskEditor *self, const FlTask *task)
{
  g_auto (GStrv) lines = g_strsplit (task->params, "\n", -1);
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *section = NULL;
  for (guint i = 0; lines[i]; i++)
    if (*lines[i] == '[')
      {
        g_free (section);
        section = g_strndup (lines[i] + 1, MAX (strcspn (lines[i], "]"), 1) - 1);
      }
    else if (*lines[i])
      g_string_append_printf (text, "%s%s.%s", text->len ? " · " : "", section ? section : "", lines[i]);
  gtk_label_set_label (self->parameters, text->len ? text->str : _ ("as in the trial"));
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->parameters), text->len ? text->str : NULL);
}

/* What 0 means here. */
static void
show_defaults (FlgTaskEditor *self, const FlTask *task)
{
  const FlSite *site = flg_experiment_site (self->experiment, task->site);
  FlgRecordModel *sites = flg_experiment_table (self->experiment, FL_TABLE_SITE);
  for (guint i = 0; i < flg_record_model_count (sites) && !site; i++)
    if (flg_record_site (flg_record_model_at (sites, i))->active)
      site = flg_record_site (flg_record_model_at (sites, i));
  g_autofree char *text =
      site && site->minutes
          ? g_strdup_printf (_ ("0 is the site\'s: nodes %d, ranks a node %d, GPUs a rank %d, min %d"),
                             site->nodes, site->ranks_per_node, site->gpus_per_rank, site->minutes)
          : g_strdup (_ ("0 is the site's."));
  gtk_label_set_label (self->defaults, text);
}

void
flg_task_editor_refresh (FlgTaskEditor *self)
{
  FlgDatasetStep *step = step_of (self);
  gtk_widget_set_visible (GTK_WIDGET (self), step != NULL);
  if (!step)
    return;
  gboolean was_filling = self->filling;
  self->filling = TRUE;
  fill_after (self, step);
  show_parameters (self, step->task);
  show_defaults (self, step->task);
  gboolean fork = flg_dataset_step_is_fork (step, self->experiment, self->draft->dataset->id);
  gtk_label_set_label (self->fork,
                       fork ? _ ("Used elsewhere as it was: saved, this is a task of its own.") : "");
  gtk_widget_set_visible (GTK_WIDGET (self->fork), fork);
  self->filling = was_filling;
}

void
flg_task_editor_show (FlgTaskEditor *self, FlgDatasetDraft *draft, guint key)
{
  self->draft = draft;
  self->key = key;
  FlgDatasetStep *step = step_of (self);
  if (step)
    {
      self->filling = TRUE;
      gtk_editable_set_text (self->name, step->task->name);
      for (guint i = 0; i < G_N_ELEMENTS (types); i++)
        if (g_str_equal (types[i].type, step->task->type))
          gtk_drop_down_set_selected (self->type, i);
      fill_sites (self);
      flg_chooser_choose (self->site, step->task->site);
      const int values[N_NUMBERS] = { step->task->nodes, step->task->ranks_per_node,
                                      step->task->gpus_per_rank, step->task->minutes };
      for (Number n = 0; n < N_NUMBERS; n++)
        gtk_spin_button_set_value (self->numbers[n], values[n]);
      self->filling = FALSE;
    }
  flg_task_editor_refresh (self);
}

gboolean
flg_task_editor_type (FlgTaskEditor *self, const char *field, const char *text)
{
  static const char *const numbers[N_NUMBERS] = { "nodes", "ranks-per-node", "gpus-per-rank", "minutes" };
  for (Number n = 0; n < N_NUMBERS; n++)
    if (g_str_equal (field, numbers[n]))
      {
        gtk_spin_button_set_value (self->numbers[n], g_ascii_strtod (text, NULL));
        return TRUE;
      }
  if (g_str_equal (field, "name"))
    gtk_editable_set_text (self->name, text);
  else if (g_str_equal (field, "type"))
    {
      for (guint i = 0; i < G_N_ELEMENTS (types); i++)
        if (g_str_equal (types[i].type, text))
          gtk_drop_down_set_selected (self->type, i);
    }
  else if (g_str_equal (field, "site"))
    {
      FlgRecordModel *sites = flg_experiment_table (self->experiment, FL_TABLE_SITE);
      gint64 id = 0;
      for (guint i = 0; i < flg_record_model_count (sites); i++)
        if (g_str_equal (flg_record_site (flg_record_model_at (sites, i))->name, text))
          id = flg_record_id (flg_record_model_at (sites, i));
      flg_chooser_choose (self->site, id);
    }
  else
    return FALSE;
  return TRUE;
}

/* --- the form --- */

static GtkWidget *
dim (const char *text)
{
  GtkWidget *label = gtk_label_new (text);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_widget_add_css_class (label, "dim-label");
  return label;
}

static GtkLabel *
line (const char *css_class)
{
  GtkLabel *label = GTK_LABEL (gtk_label_new (NULL));
  gtk_label_set_xalign (label, 0);
  gtk_label_set_ellipsize (label, PANGO_ELLIPSIZE_END);
  gtk_widget_set_hexpand (GTK_WIDGET (label), TRUE);
  if (css_class)
    gtk_widget_add_css_class (GTK_WIDGET (label), css_class);
  return label;
}

static GtkWidget *
numbers_new (FlgTaskEditor *self)
{
  static const struct
  {
    const char *label;
    double most;
  } numbers[N_NUMBERS] = {
    { N_ ("nodes"), 9999 }, { N_ ("ranks a node"), 9999 }, { N_ ("GPUs a rank"), 16 }, { N_ ("min"), 99999 }
  };
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  for (Number n = 0; n < N_NUMBERS; n++)
    {
      self->numbers[n] = GTK_SPIN_BUTTON (gtk_spin_button_new_with_range (0, numbers[n].most, 1));
      gtk_editable_set_width_chars (GTK_EDITABLE (self->numbers[n]), 4);
      gtk_editable_set_max_width_chars (GTK_EDITABLE (self->numbers[n]), 4);
      gtk_widget_add_css_class (GTK_WIDGET (self->numbers[n]),
                                "narrow"); /* four in a line: keys and wheel do */
      gtk_accessible_update_property (GTK_ACCESSIBLE (self->numbers[n]), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                      _ (numbers[n].label), -1);
      g_signal_connect_object (self->numbers[n], "value-changed", G_CALLBACK (on_edited), self,
                               G_CONNECT_SWAPPED);
      gtk_box_append (GTK_BOX (box), GTK_WIDGET (self->numbers[n]));
      gtk_box_append (GTK_BOX (box), dim (_ (numbers[n].label)));
    }
  return box;
}

static GtkWidget *
parameters_new (FlgTaskEditor *self)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 8);
  self->parameters = line (NULL);
  GtkWidget *button = gtk_button_new_with_label (_ ("Change…"));
  g_signal_connect_object (button, "clicked", G_CALLBACK (on_parameters), self, G_CONNECT_SWAPPED);
  gtk_box_append (GTK_BOX (box), GTK_WIDGET (self->parameters));
  gtk_box_append (GTK_BOX (box), button);
  return box;
}

static GtkWidget *
type_new (FlgTaskEditor *self)
{
  const char *labels[G_N_ELEMENTS (types) + 1] = { NULL };
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    labels[i] = _ (types[i].label);
  self->type = GTK_DROP_DOWN (gtk_drop_down_new_from_strings (labels));
  g_signal_connect_object (self->type, "notify::selected", G_CALLBACK (on_edited), self, G_CONNECT_SWAPPED);
  return GTK_WIDGET (self->type);
}

static void
add_row (GtkWidget *grid, int row, const char *title, GtkWidget *field)
{
  gtk_widget_set_hexpand (field, TRUE);
  gtk_grid_attach (GTK_GRID (grid), dim (title), 0, row, 1, 1);
  gtk_grid_attach (GTK_GRID (grid), field, 1, row, 1, 1);
}

static void
flg_task_editor_dispose (GObject *object)
{
  g_clear_object (&FLG_TASK_EDITOR (object)->experiment);
  G_OBJECT_CLASS (flg_task_editor_parent_class)->dispose (object);
}

static void
flg_task_editor_finalize (GObject *object)
{
  g_free (FLG_TASK_EDITOR (object)->made);
  G_OBJECT_CLASS (flg_task_editor_parent_class)->finalize (object);
}

static void
flg_task_editor_class_init (FlgTaskEditorClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = flg_task_editor_dispose;
  G_OBJECT_CLASS (klass)->finalize = flg_task_editor_finalize;
  signals[CHANGED] = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                   NULL, G_TYPE_NONE, 0);
  signals[PARAMETERS] = g_signal_new ("parameters", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                                      NULL, NULL, G_TYPE_NONE, 0);
}

static void
flg_task_editor_init (FlgTaskEditor *self)
{
  GtkWidget *grid = gtk_grid_new ();
  gtk_widget_add_css_class (GTK_WIDGET (self), "card");
  gtk_grid_set_column_spacing (GTK_GRID (grid), 10);
  gtk_grid_set_row_spacing (GTK_GRID (grid), 5);
  self->name = GTK_EDITABLE (gtk_entry_new ());
  g_signal_connect_object (self->name, "changed", G_CALLBACK (on_edited), self, G_CONNECT_SWAPPED);
  self->site = FLG_CHOOSER (flg_chooser_new ());
  g_signal_connect_object (self->site, "chosen", G_CALLBACK (on_edited), self, G_CONNECT_SWAPPED);
  self->after = GTK_BOX (gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 12));
  self->defaults = line ("dim-label");
  self->fork = line ("warning");
  add_row (grid, 0, _ ("Step"), GTK_WIDGET (self->name));
  add_row (grid, 1, _ ("Does"), type_new (self));
  add_row (grid, 2, _ ("Waits for"), GTK_WIDGET (self->after));
  add_row (grid, 3, _ ("Site"), GTK_WIDGET (self->site));
  add_row (grid, 4, _ ("Resources"), numbers_new (self));
  gtk_grid_attach (GTK_GRID (grid), GTK_WIDGET (self->defaults), 1, 5, 1, 1);
  add_row (grid, 6, _ ("Parameters"), parameters_new (self));
  gtk_grid_attach (GTK_GRID (grid), GTK_WIDGET (self->fork), 1, 7, 1, 1);
  gtk_box_append (GTK_BOX (self), grid);
}

GtkWidget *
flg_task_editor_new (FlgExperiment *experiment)
{
  FlgTaskEditor *self = g_object_new (FLG_TYPE_TASK_EDITOR, NULL);
  self->experiment = g_object_ref (experiment);
  flg_task_editor_refresh (self);
  return GTK_WIDGET (self);
}
