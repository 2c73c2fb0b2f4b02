#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/compare-experiments.h"

#include <glib/gi18n.h>
#include <math.h>

#include "engine/control/archive-compare.h"
#include "gui/text.h"

#define WIDTH  1180
#define HEIGHT 560

typedef struct
{
  GtkWidget *window, *body; /* NULL: closed */
  GtkLabel *head;
  char *names[2], *folder, *summary;
  GPtrArray *results[2]; /* FlResult, of this one and the other */
  GError *error;
  guint waiting;
} Compare;

static void
compare_free (gpointer data)
{
  Compare *compare = data;
  for (guint side = 0; side < 2; side++)
    {
      g_free (compare->names[side]);
      g_clear_pointer (&compare->results[side], g_ptr_array_unref);
    }
  g_clear_error (&compare->error);
  g_free (compare->folder);
  g_free (compare->summary);
}

static void
compare_unref (gpointer compare)
{
  g_rc_box_release_full (compare, compare_free);
}

/* --- the table --- */

/* What a column holds; the six numbers of a cell share one. */
static const struct
{
  const char *title, *tip;
  FlResultNumber first, last;
} columns[] = {
  { N_ ("Runs"), NULL, FL_RESULT_RUNS, FL_RESULT_RUNS },
  { N_ ("Shots"), NULL, FL_RESULT_SHOTS, FL_RESULT_SHOTS },
  { N_ ("Hits"), NULL, FL_RESULT_HITS, FL_RESULT_HITS },
  { N_ ("Indexed"), N_ ("Shots"), FL_RESULT_INDEXED, FL_RESULT_INDEXED },
  { N_ ("Lattices"), N_ ("Of a dataset: merged"), FL_RESULT_LATTICES, FL_RESULT_LATTICES },
  { N_ ("Patterns"), N_ ("Of single particles, in the newest generation"), FL_RESULT_PATTERNS,
    FL_RESULT_PATTERNS },
  { N_ ("Cell / Å, °"), N_ ("Of a trial medians, of a dataset means of the lattices merged"), FL_RESULT_A,
    FL_RESULT_GAMMA },
  { N_ ("d / Å"),
    N_ ("Resolution: of a trial where its lattices end (median), of a dataset that of the merge"),
    FL_RESULT_RESOLUTION, FL_RESULT_RESOLUTION },
  { N_ ("CC½"), NULL, FL_RESULT_CC_HALF, FL_RESULT_CC_HALF },
  { N_ ("R split"), NULL, FL_RESULT_R_SPLIT, FL_RESULT_R_SPLIT },
  { N_ ("Compl. / %"), N_ ("Completeness"), FL_RESULT_COMPLETENESS, FL_RESULT_COMPLETENESS },
  { N_ ("Mult."), N_ ("Multiplicity"), FL_RESULT_MULTIPLICITY, FL_RESULT_MULTIPLICITY },
};

static void
attach (GtkGrid *grid, const char *text, gboolean markup, float align, int column, int row,
        const char *css_class)
{
  GtkWidget *label = gtk_label_new (NULL);
  if (markup)
    gtk_label_set_markup (GTK_LABEL (label), text);
  else
    gtk_label_set_label (GTK_LABEL (label), text);
  gtk_label_set_xalign (GTK_LABEL (label), align);
  gtk_label_set_yalign (GTK_LABEL (label), 0);
  gtk_label_set_justify (GTK_LABEL (label), GTK_JUSTIFY_RIGHT);
  if (css_class)
    gtk_widget_add_css_class (label, css_class);
  gtk_grid_attach (grid, label, column, row, 1, 1);
}

static char *
number_text (FlResultNumber number, double value)
{
  return number <= FL_RESULT_PATTERNS && !isnan (value) ? flg_format_count ((gint64) value)
                                                        : fl_result_number_text (number, value);
}

static void
attach_numbers (GtkGrid *grid, const FlResultPair *pair, guint side, guint column, int row)
{
  GString *text = g_string_new (NULL);
  gboolean differs = FALSE;
  for (guint k = columns[column].first; k <= columns[column].last; k++)
    {
      double value = pair->side[side] ? pair->side[side]->values[k] : NAN;
      g_autofree char *one = number_text ((FlResultNumber) k, value);
      g_string_append_printf (text, "%s%s", !text->len ? "" : k == FL_RESULT_ALPHA ? "\n" : "  ", one);
      differs |= pair->differs[k];
    }
  if (differs && side == 1)
    {
      g_string_prepend (text, "<span foreground=\"#e5b454\" weight=\"bold\">≠ ");
      g_string_append (text, "</span>");
    }
  attach (grid, text->str, TRUE, 1, (int) column + 1, row, "numeric");
  g_string_free (text, TRUE);
}

/* Single particles have no cells, crystals no patterns. */
static gboolean
says_anything (const GArray *pairs, guint column)
{
  for (guint i = 0; i < pairs->len; i++)
    for (guint side = 0; side < 2; side++)
      {
        const FlResult *result = g_array_index (pairs, FlResultPair, i).side[side];
        for (guint k = columns[column].first; result && k <= columns[column].last; k++)
          if (!isnan (result->values[k]))
            return TRUE;
      }
  return FALSE;
}

static void
attach_pair (GtkGrid *grid, const Compare *compare, const FlResultPair *pair, int row)
{
  const FlResult *any = pair->side[0] ? pair->side[0] : pair->side[1];
  g_autofree char *name = flg_text_bounded (any->name, 100);
  GtkWidget *heading = gtk_label_new (name);
  gtk_label_set_xalign (GTK_LABEL (heading), 0);
  gtk_widget_add_css_class (heading, "heading");
  gtk_grid_attach (grid, heading, 0, row, (int) G_N_ELEMENTS (columns) + 1, 1);
  for (guint side = 0; side < 2; side++)
    {
      const FlResult *result = pair->side[side];
      g_autofree char *where = flg_text_bounded (compare->names[side], 24);
      g_autofree char *text = !result       ? g_strdup_printf (_ ("%s: not there"), where)
                              : *result->of ? g_strdup_printf ("%s, %s", where, result->of)
                                            : g_strdup (where);
      attach (grid, text, FALSE, 0, 0, row + 1 + (int) side, result ? NULL : "dim-label");
      for (guint column = 0; result && column < G_N_ELEMENTS (columns); column++)
        attach_numbers (grid, pair, side, column, row + 1 + (int) side);
    }
  GtkWidget *line = gtk_separator_new (GTK_ORIENTATION_HORIZONTAL);
  gtk_grid_attach (grid, line, 0, row + 3, (int) G_N_ELEMENTS (columns) + 1, 1);
}

static GtkWidget *
table_new (const Compare *compare, const GArray *pairs)
{
  GtkGrid *grid = GTK_GRID (gtk_grid_new ());
  GtkWidget *scrolled = gtk_scrolled_window_new ();
  gtk_grid_set_column_spacing (grid, 14);
  gtk_grid_set_row_spacing (grid, 4);
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    {
      attach (grid, _ (columns[i].title), FALSE, 1, (int) i + 1, 0, "dim-label");
      if (columns[i].tip)
        gtk_widget_set_tooltip_text (gtk_grid_get_child_at (grid, (int) i + 1, 0), _ (columns[i].tip));
    }
  for (guint i = 0; i < pairs->len; i++)
    attach_pair (grid, compare, &g_array_index (pairs, FlResultPair, i), 1 + 4 * (int) i);
  for (guint i = G_N_ELEMENTS (columns); i > 0; i--)
    if (!says_anything (pairs, i - 1))
      gtk_grid_remove_column (grid, (int) i);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scrolled), GTK_WIDGET (grid));
  gtk_widget_set_vexpand (scrolled, TRUE);
  return scrolled;
}

/* --- what was read --- */

static char *
summarise (const GArray *pairs)
{
  GString *names = g_string_new (NULL);
  guint n = 0;
  for (guint i = 0; i < pairs->len; i++)
    {
      const FlResultPair *pair = &g_array_index (pairs, FlResultPair, i);
      if (!pair->any)
        continue;
      n++;
      g_string_append_printf (names, "%s%s", names->len ? ", " : "",
                              (pair->side[0] ? pair->side[0] : pair->side[1])->name);
    }
  g_autofree char *list = g_string_free (names, FALSE);
  if (pairs->len == 0)
    return g_strdup (_ ("Neither has any results yet."));
  if (n == 0)
    return g_strdup_printf (ngettext ("%u trial or dataset, the same in both.",
                                      "%u trials and datasets, all the same in both.", pairs->len),
                            pairs->len);
  g_autofree char *shown = flg_text_bounded (list, 200);
  return g_strdup_printf (_ ("%u of %u differ: %s"), n, pairs->len, shown);
}

static void
show (Compare *compare)
{
  if (--compare->waiting > 0 || !compare->window)
    return;
  if (compare->error)
    {
      compare->summary = g_strdup (compare->error->message);
      gtk_widget_add_css_class (GTK_WIDGET (compare->head), "complaint");
    }
  else
    {
      g_autoptr (GArray) pairs = fl_results_pair (compare->results[0], compare->results[1]);
      compare->summary = summarise (pairs);
      if (pairs->len)
        gtk_box_append (GTK_BOX (compare->body), table_new (compare, pairs));
    }
  gtk_label_set_label (compare->head, compare->summary);
}

static void
take (Compare *compare, guint side, GPtrArray *results, GError *error)
{
  compare->results[side] = results;
  if (error && !compare->error)
    compare->error = error;
  else if (error)
    g_error_free (error);
  show (compare);
  compare_unref (compare);
}

static gpointer
read_this (FlStore *store, gpointer data, GError **error)
{
  return fl_results_read (store, error);
}

static void
on_this (GObject *source, GAsyncResult *result, gpointer data)
{
  GError *error = NULL;
  GPtrArray *results = flg_store_thread_run_finish (FLG_STORE_THREAD (source), result, &error);
  take (data, 0, results, error);
}

static void
read_other (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  GError *error = NULL;
  g_autoptr (FlStore) store = fl_store_open (data, FL_STORE_READ_ONLY, &error);
  GPtrArray *results = store ? fl_results_read (store, &error) : NULL;
  if (results)
    g_task_return_pointer (task, results, (GDestroyNotify) g_ptr_array_unref);
  else
    g_task_return_error (task, error);
}

static void
on_other (GObject *source, GAsyncResult *result, gpointer data)
{
  GError *error = NULL;
  GPtrArray *results = g_task_propagate_pointer (G_TASK (result), &error);
  take (data, 1, results, error);
}

static void
begin (Compare *compare, FlgContext *context)
{
  compare->waiting = 2;
  flg_store_thread_run_async (flg_experiment_store (flg_context_experiment (context)), read_this, NULL, NULL,
                              (GDestroyNotify) g_ptr_array_unref, NULL, on_this, g_rc_box_acquire (compare));
  g_autoptr (GTask) task = g_task_new (NULL, NULL, on_other, g_rc_box_acquire (compare));
  g_task_set_task_data (task, g_strdup (compare->folder), g_free);
  g_task_run_in_thread (task, read_other);
}

/* --- the dialog --- */

static gboolean
on_escape (GtkWidget *widget, GVariant *args, gpointer data)
{
  gtk_window_close (GTK_WINDOW (widget));
  return TRUE;
}

static void
on_destroy (GtkWidget *window, Compare *compare)
{
  compare->window = compare->body = NULL;
}

/* Two of the same name are told apart. */
static void
name_sides (Compare *compare, FlgExperiment *experiment)
{
  g_autofree char *base = g_path_get_basename (compare->folder);
  compare->names[0] = g_path_get_basename (flg_experiment_folder (experiment));
  compare->names[1] =
      g_str_equal (base, compare->names[0]) ? g_strdup (compare->folder) : g_steal_pointer (&base);
}

GtkWidget *
flg_compare_dialog_new (GtkWindow *parent, FlgContext *context, const char *folder)
{
  Compare *compare = g_rc_box_new0 (Compare);
  GtkWidget *window = gtk_window_new (), *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 10);
  compare->folder = g_strdup (folder);
  name_sides (compare, flg_context_experiment (context));
  g_autofree char *title = g_strdup_printf (_ ("%s beside %s"), compare->names[0], compare->names[1]);
  g_object_set_data_full (G_OBJECT (window), "compare", compare, compare_unref);
  g_object_set (window, "transient-for", parent, "modal", TRUE, "destroy-with-parent", TRUE, "title", title,
                "default-width", WIDTH, "default-height", HEIGHT, NULL);
  gtk_widget_add_css_class (box, "dialog");
  compare->window = window;
  compare->body = box;
  compare->head = GTK_LABEL (gtk_label_new (_ ("Reading both…")));
  gtk_label_set_xalign (compare->head, 0);
  gtk_label_set_wrap (compare->head, TRUE);
  gtk_label_set_wrap_mode (compare->head, PANGO_WRAP_WORD_CHAR);
  gtk_box_append (GTK_BOX (box), GTK_WIDGET (compare->head));
  gtk_window_set_child (GTK_WINDOW (window), box);
  g_signal_connect (window, "destroy", G_CALLBACK (on_destroy), compare);
  GtkEventController *keys = gtk_shortcut_controller_new ();
  gtk_shortcut_controller_add_shortcut (GTK_SHORTCUT_CONTROLLER (keys),
                                        gtk_shortcut_new (gtk_shortcut_trigger_parse_string ("Escape"),
                                                          gtk_callback_action_new (on_escape, NULL, NULL)));
  gtk_widget_add_controller (window, keys);
  begin (compare, context);
  return window;
}

const char *
flg_compare_dialog_summary (GtkWidget *dialog)
{
  const Compare *compare = g_object_get_data (G_OBJECT (dialog), "compare");
  return compare->summary ? compare->summary : "";
}

typedef struct
{
  GtkWindow *parent;
  FlgContext *context;
} Choice;

static void
on_chosen (GtkNativeDialog *chooser, int response, gpointer data)
{
  Choice *choice = data;
  g_autoptr (GFile) file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (chooser));
  if (response == GTK_RESPONSE_ACCEPT && file
      && flg_experiment_is_open (flg_context_experiment (choice->context)))
    flg_compare_experiments (choice->parent, choice->context, g_file_peek_path (file));
  g_object_unref (choice->parent);
  g_object_unref (choice->context);
  g_free (choice);
  g_object_unref (chooser);
}

void
flg_compare_experiments (GtkWindow *parent, FlgContext *context, const char *folder)
{
  if (*folder)
    {
      gtk_window_present (GTK_WINDOW (flg_compare_dialog_new (parent, context, folder)));
      return;
    }
  Choice *choice = g_new0 (Choice, 1);
  *choice = (Choice){ g_object_ref (parent), g_object_ref (context) };
  GtkFileChooserNative *chooser =
      gtk_file_chooser_native_new (_ ("Compare with an experiment or archive"), parent,
                                   GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER, _ ("Compare"), NULL);
  g_signal_connect (chooser, "response", G_CALLBACK (on_chosen), choice);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (chooser));
}
