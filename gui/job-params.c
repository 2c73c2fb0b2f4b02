#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/job-params.h"

#include <glib/gi18n.h>

#include <string.h>

#include "gui/job-words.h"

typedef enum
{
  WITH_DEFAULTS,
  WITH_ATTEMPT,
  WITH_TRIAL
} With;

typedef struct
{
  With kind;
  gint64 id;
} Against;

typedef struct
{
  char *name, *here, *there;
  const char *unit, *css; /* changed, added, removed */
} Row;

struct _FlgJobParams
{
  GtkBox parent_instance;
  FlgExperiment *experiment;
  GtkWidget *choice, *grid, *said;
  GArray *against; /* Against, as in the drop-down */
  char *names;     /* of the drop-down, to know when they change */
  gint64 job, attempt;
  char *shown;              /* text of what the grid holds */
  gboolean filling, picked; /* picked: by the user, for the next job too */
};

G_DEFINE_FINAL_TYPE (FlgJobParams, flg_job_params, GTK_TYPE_BOX)

static void
row_free (gpointer data)
{
  Row *row = data;
  g_free (row->name);
  g_free (row->here);
  g_free (row->there);
  g_free (row);
}

/* --- what differs --- */

static const FlAttempt *
attempt_of (FlgJobParams *self, gint64 id)
{
  FlgRecord *record = flg_record_model_find (flg_experiment_table (self->experiment, FL_TABLE_ATTEMPT), id);
  return record ? flg_record_attempt (record) : NULL;
}

/* What it ran with; where that was not kept, what the job runs with now. */
static FlParams *
params_of_attempt (FlgJobParams *self, const FlAttempt *attempt)
{
  g_autoptr (FlParams) params = fl_params_new ();
  if (attempt && *attempt->params && fl_params_read (params, attempt->params, "attempt", NULL))
    return g_steal_pointer (&params);
  const FlJob *job = flg_experiment_job (self->experiment, self->job);
  return job ? flg_experiment_job_params (self->experiment, job) : g_steal_pointer (&params);
}

static FlParams *
params_against (FlgJobParams *self, const Against *against)
{
  FlParams *params = fl_params_new ();
  const FlTrial *trial =
      against->kind == WITH_TRIAL ? flg_experiment_trial (self->experiment, against->id) : NULL;
  if (against->kind == WITH_ATTEMPT)
    {
      fl_params_free (params);
      return params_of_attempt (self, attempt_of (self, against->id));
    }
  g_autoptr (GError) error = NULL;
  if (trial && !fl_params_read (params, trial->params, "trial", &error))
    g_debug ("%s", error->message);
  return params;
}

static void
add_row (GPtrArray *rows, const char *name, const char *unit, const char *here, const char *there,
         gboolean is_default, gboolean was_default)
{
  Row *row = g_new (Row, 1);
  *row = (Row){ g_strdup (name), flg_text_line (here), flg_text_line (there), unit,
                was_default  ? "added"
                : is_default ? "removed"
                             : "changed" };
  g_ptr_array_add (rows, row);
}

static void
add_number (GPtrArray *rows, const char *name, const char *unit, int here, int there)
{
  if (here == there)
    return;
  g_autofree char *a = g_strdup_printf ("%d", here), *b = g_strdup_printf ("%d", there);
  add_row (rows, name, unit, here ? a : "", there ? b : "", here == 0, there == 0);
}

static GPtrArray *
find_rows (FlgJobParams *self, const Against *against)
{
  GPtrArray *rows = g_ptr_array_new_with_free_func (row_free);
  const FlAttempt *attempt = attempt_of (self, self->attempt);
  const FlAttempt *other = against->kind == WITH_ATTEMPT ? attempt_of (self, against->id) : NULL;
  g_autoptr (FlParams) here = params_of_attempt (self, attempt);
  g_autoptr (FlParams) there = params_against (self, against);
  if (attempt && other)
    {
      add_number (rows, _ ("nodes"), "", attempt->n_nodes, other->n_nodes);
      add_number (rows, _ ("ranks"), "", attempt->ranks, other->ranks);
      add_number (rows, _ ("ranks a node"), "", attempt->ranks_per_node, other->ranks_per_node);
      add_number (rows, _ ("time limit"), "min", attempt->minutes, other->minutes);
    }
  guint n;
  const FlParamSpec *specs = fl_param_specs (&n);
  for (guint i = 0; i < n; i++)
    {
      const char *a = fl_params_text (here, specs[i].name), *b = fl_params_text (there, specs[i].name);
      if (!g_str_equal (a, b))
        add_row (rows, specs[i].name, specs[i].unit, a, b, fl_params_is_default (here, specs[i].name),
                 fl_params_is_default (there, specs[i].name));
    }
  return rows;
}

/* --- as a table --- */

static GtkWidget *
text_new (const char *text, const char *css)
{
  GtkWidget *label = gtk_label_new (text);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_MIDDLE);
  gtk_label_set_max_width_chars (GTK_LABEL (label), 60);
  gtk_label_set_selectable (GTK_LABEL (label), TRUE);
  gtk_widget_set_tooltip_text (label, text);
  if (css)
    gtk_widget_add_css_class (label, css);
  return label;
}

static char *
with_unit (const char *value, const char *unit)
{
  if (!*value)
    return g_strdup (_ ("not given"));
  if (g_str_equal (unit, "A")) /* the table is plain ASCII */
    unit = "Å";
  return *unit ? g_strdup_printf ("%s %s", value, unit) : g_strdup (value);
}

static void
attach_row (FlgJobParams *self, const Row *row, int at)
{
  static const struct
  {
    const char *css, *sign;
  } signs[] = { { "changed", "≠" }, { "added", "+" }, { "removed", "−" } };
  for (guint i = 0; i < G_N_ELEMENTS (signs); i++)
    if (g_str_equal (signs[i].css, row->css))
      gtk_grid_attach (GTK_GRID (self->grid), text_new (signs[i].sign, row->css), 0, at, 1, 1);
  g_autofree char *here = with_unit (row->here, row->unit), *there = with_unit (row->there, row->unit);
  gtk_grid_attach (GTK_GRID (self->grid), text_new (row->name, NULL), 1, at, 1, 1);
  gtk_grid_attach (GTK_GRID (self->grid), text_new (here, row->css), 2, at, 1, 1);
  gtk_grid_attach (GTK_GRID (self->grid), text_new (there, "dim-label"), 3, at, 1, 1);
}

static char *
text_of (GPtrArray *rows)
{
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < rows->len; i++)
    {
      const Row *row = rows->pdata[i];
      g_string_append_printf (text, "%s: %s (%s)\n", row->name, row->here, row->there);
    }
  return g_string_free (text, FALSE);
}

static const Against *
chosen (FlgJobParams *self)
{
  guint at = gtk_drop_down_get_selected (GTK_DROP_DOWN (self->choice));
  return at < self->against->len ? &g_array_index (self->against, Against, at) : NULL;
}

static void
show_rows (FlgJobParams *self)
{
  const Against *against = chosen (self);
  if (!against || self->filling)
    return;
  g_autoptr (GPtrArray) rows = find_rows (self, against);
  g_autofree char *text = text_of (rows);
  if (g_strcmp0 (text, self->shown) == 0)
    return;
  g_free (self->shown);
  self->shown = g_steal_pointer (&text);
  GtkWidget *child;
  while ((child = gtk_widget_get_first_child (self->grid)))
    gtk_grid_remove (GTK_GRID (self->grid), child);
  if (rows->len > 0)
    {
      gtk_grid_attach (GTK_GRID (self->grid), text_new (_ ("here"), "dim-label"), 2, 0, 1, 1);
      gtk_grid_attach (GTK_GRID (self->grid), text_new (_ ("there"), "dim-label"), 3, 0, 1, 1);
    }
  for (guint i = 0; i < rows->len; i++)
    attach_row (self, rows->pdata[i], (int) i + 1);
  g_autofree char *said =
      rows->len ? g_strdup_printf (ngettext ("%u difference", "%u differences", rows->len), rows->len)
                : g_strdup (_ ("no difference"));
  gtk_label_set_label (GTK_LABEL (self->said), said);
}

static void
on_choice (FlgJobParams *self)
{
  self->picked |= !self->filling;
  show_rows (self);
}

/* --- with what --- */

static void
add_against (FlgJobParams *self, GtkStringList *names, GString *key, With kind, gint64 id, const char *name)
{
  Against against = { kind, id };
  g_array_append_val (self->against, against);
  gtk_string_list_append (names, name);
  g_string_append_printf (key, "%s\n", name);
}

/* The same, else the first of its kind, else the first. */
static guint
position_like (FlgJobParams *self, const Against *wanted)
{
  guint kind = 0;
  for (guint i = self->against->len; i-- > 0;)
    {
      const Against *a = &g_array_index (self->against, Against, i);
      if (a->kind == wanted->kind && a->id == wanted->id)
        return i;
      if (a->kind == wanted->kind)
        kind = i;
    }
  return kind;
}

/* Other attempts first, the newest before; then the defaults and all trials. */
static void
list_against (FlgJobParams *self, const FlJob *job)
{
  g_autoptr (GtkStringList) names = gtk_string_list_new (NULL);
  g_autoptr (GString) key = g_string_new (NULL);
  g_autoptr (GPtrArray) attempts = flg_experiment_attempts (self->experiment, job->id);
  g_autoptr (GArray) old = g_steal_pointer (&self->against);
  guint was = gtk_drop_down_get_selected (GTK_DROP_DOWN (self->choice));
  self->against = g_array_new (FALSE, FALSE, sizeof (Against));
  for (guint i = attempts->len; i-- > 0;)
    {
      const FlAttempt *a = flg_record_attempt (attempts->pdata[i]);
      g_autofree char *name = g_strdup_printf (_ ("attempt %d"), a->number);
      if (a->id != self->attempt)
        add_against (self, names, key, WITH_ATTEMPT, a->id, name);
    }
  add_against (self, names, key, WITH_DEFAULTS, 0, _ ("defaults"));
  FlgRecordModel *trials = flg_experiment_table (self->experiment, FL_TABLE_TRIAL);
  for (guint i = flg_record_model_count (trials); i-- > 0;)
    {
      const FlTrial *trial = flg_record_trial (flg_record_model_at (trials, i));
      g_autofree char *name = g_strdup_printf (_ ("trial %d"), trial->number);
      add_against (self, names, key, WITH_TRIAL, trial->id, name);
    }
  if (g_strcmp0 (key->str, self->names) == 0 && old->len == self->against->len)
    return;
  g_free (self->names);
  self->names = g_strdup (key->str);
  gtk_drop_down_set_model (GTK_DROP_DOWN (self->choice), G_LIST_MODEL (names));
  if (self->picked && was < old->len)
    gtk_drop_down_set_selected (GTK_DROP_DOWN (self->choice),
                                position_like (self, &g_array_index (old, Against, was)));
}

void
flg_job_params_show (FlgJobParams *self, const FlJob *job, const FlAttempt *attempt)
{
  self->job = job->id;
  self->attempt = attempt ? attempt->id : 0;
  self->filling = TRUE;
  list_against (self, job);
  self->filling = FALSE;
  show_rows (self);
}

gboolean
flg_job_params_compare (FlgJobParams *self, const char *with)
{
  GListModel *names = gtk_drop_down_get_model (GTK_DROP_DOWN (self->choice));
  for (guint i = 0; names && i < g_list_model_get_n_items (names); i++)
    if (g_str_equal (gtk_string_list_get_string (GTK_STRING_LIST (names), i), with))
      {
        gtk_drop_down_set_selected (GTK_DROP_DOWN (self->choice), i);
        return TRUE;
      }
  return FALSE;
}

char *
flg_job_params_text (FlgJobParams *self)
{
  return g_strdup (self->shown ? self->shown : "");
}

/* --- the widget --- */

void
flg_job_params_set_experiment (FlgJobParams *self, FlgExperiment *experiment)
{
  self->experiment = g_object_ref (experiment);
}

static void
flg_job_params_dispose (GObject *object)
{
  FlgJobParams *self = FLG_JOB_PARAMS (object);
  g_clear_object (&self->experiment);
  g_clear_pointer (&self->against, g_array_unref);
  g_clear_pointer (&self->names, g_free);
  g_clear_pointer (&self->shown, g_free);
  G_OBJECT_CLASS (flg_job_params_parent_class)->dispose (object);
}

static void
flg_job_params_class_init (FlgJobParamsClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = flg_job_params_dispose;
}

static void
flg_job_params_init (FlgJobParams *self)
{
  GtkWidget *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 0), *scroller = gtk_scrolled_window_new (),
            *word = gtk_label_new (_ ("Compared with"));
  gtk_orientable_set_orientation (GTK_ORIENTABLE (self), GTK_ORIENTATION_VERTICAL);
  self->against = g_array_new (FALSE, FALSE, sizeof (Against));
  self->choice = gtk_drop_down_new (NULL, NULL);
  g_signal_connect_object (self->choice, "notify::selected", G_CALLBACK (on_choice), self, G_CONNECT_SWAPPED);
  self->said = gtk_label_new (NULL);
  gtk_widget_add_css_class (self->said, "dim-label");
  gtk_widget_add_css_class (row, "tools");
  gtk_box_append (GTK_BOX (row), word);
  gtk_box_append (GTK_BOX (row), self->choice);
  gtk_box_append (GTK_BOX (row), self->said);
  self->grid = gtk_grid_new ();
  gtk_grid_set_column_spacing (GTK_GRID (self->grid), 24);
  gtk_grid_set_row_spacing (GTK_GRID (self->grid), 4);
  gtk_widget_add_css_class (self->grid, "params-diff");
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroller), self->grid);
  gtk_widget_set_vexpand (scroller, TRUE);
  gtk_box_append (GTK_BOX (self), row);
  gtk_box_append (GTK_BOX (self), scroller);
}
