#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/job-matrix.h"

#include <glib/gi18n.h>

#include "gui/job-row.h"
#include "widgets/export.h"
#include "widgets/state-matrix.h"
#include "widgets/tag-chips.h"

typedef struct
{
  gint64 trial, task;
  int number; /* of the trial */
} Column;

struct _FlgJobMatrix
{
  GtkBox parent_instance;
  FlgJobModel *model;
  FlgJobIndex *index; /* borrowed */
  GtkWidget *matrix;
  gboolean versions;
  GArray *columns;    /* Column */
  GArray *rows;       /* gint64: id of the run or version */
  GPtrArray *cells;   /* FlgRecord of the newest job, row by row; NULL: none */
  GByteArray *dim;    /* for each cell */
  GHashTable *places; /* id of a job that is seen -> cell + 1 */
  GStrv tags;         /* of the row that was asked for last */
  GArray *colours;
  char *label;
};

enum
{
  CHOSEN,
  ACTIVATED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlgJobMatrix, flg_job_matrix, GTK_TYPE_BOX)

#define EXPERIMENT(self) flg_job_index_experiment ((self)->index)

/* --- what the widget asks --- */

static FlgRecord *
job_at (FlgJobMatrix *self, guint row, guint column)
{
  guint at = row * self->columns->len + column;
  return column < self->columns->len && at < self->cells->len ? self->cells->pdata[at] : NULL;
}

static void
get_cell (guint row, guint column, FlwMatrixCell *cell, gpointer data)
{
  FlgJobMatrix *self = data;
  FlgRecord *record = job_at (self, row, column);
  if (!record)
    return;
  const FlJob *job = flg_record_job (record);
  cell->state = (guint8) flg_job_shown_state (job, flg_experiment_now (EXPERIMENT (self)));
  cell->count = (guint8) CLAMP (job->attempts, 0, 255);
  cell->dim = self->dim->data[row * self->columns->len + column];
  if (job->state != FL_JOB_RUNNING)
    return;
  guint64 wanted = flg_job_index_shots (self->index, job);
  const FlJobStats *stats = flg_experiment_job_stats (EXPERIMENT (self), job->id);
  if (wanted)
    cell->progress = stats ? (float) stats->shots / (float) wanted : 0;
}

static guint32
colour_of_tag (FlgJobMatrix *self, const char *name)
{
  FlgRecordModel *tags = flg_experiment_table (EXPERIMENT (self), FL_TABLE_TAG);
  for (guint i = 0; i < flg_record_model_count (tags); i++)
    {
      const FlTag *tag = flg_record_tag (flg_record_model_at (tags, i));
      GdkRGBA rgba;
      if (g_str_equal (tag->name, name) && *tag->colour == '#' && gdk_rgba_parse (&rgba, tag->colour))
        return (guint32) (rgba.red * 255 + 0.5f) << 16 | (guint32) (rgba.green * 255 + 0.5f) << 8
               | (guint32) (rgba.blue * 255 + 0.5f);
    }
  return flw_tag_colour (name);
}

static char *
name_of_row (FlgJobMatrix *self, guint row)
{
  gint64 id = g_array_index (self->rows, gint64, row);
  const FlRun *run = self->versions ? NULL : flg_experiment_run (EXPERIMENT (self), id);
  if (run)
    return flg_text_line (run->name);
  for (guint c = 0; c < self->columns->len; c++)
    if (self->versions && job_at (self, row, c))
      {
        g_autofree char *name =
            flg_job_index_version_name (self->index, flg_record_job (job_at (self, row, c)));
        return flg_text_line (name);
      }
  return g_strdup ("–");
}

static void
get_row (guint row, FlwMatrixRow *out, gpointer data)
{
  FlgJobMatrix *self = data;
  g_free (self->label);
  self->label = name_of_row (self, row);
  g_clear_pointer (&self->tags, g_strfreev);
  g_array_set_size (self->colours, 0);
  if (!self->versions)
    self->tags = flg_experiment_run_tags (EXPERIMENT (self), g_array_index (self->rows, gint64, row));
  for (guint i = 0; self->tags && self->tags[i]; i++)
    {
      guint32 colour = colour_of_tag (self, self->tags[i]);
      g_array_append_val (self->colours, colour);
      char *line = flg_text_line (self->tags[i]);
      g_free (self->tags[i]);
      self->tags[i] = line;
    }
  *out =
      (FlwMatrixRow){ self->label, (const char *const *) self->tags, (const guint32 *) self->colours->data };
}

static char *
describe (guint row, guint column, gpointer data)
{
  FlgJobMatrix *self = data;
  FlgRecord *record = job_at (self, row, column);
  g_autofree char *name = row < self->rows->len ? name_of_row (self, row) : NULL;
  if (!record)
    return name ? g_strdup_printf (_ ("%s: no job"), name) : NULL;
  const FlJob *job = flg_record_job (record);
  const FlTask *task = flg_job_index_task (self->index, job);
  g_autofree char *state = flg_job_cell (self->index, job, FLG_JOB_STATE),
                  *reason = flg_job_reason (self->index, job);
  return g_strdup_printf (_ ("%s, trial %d, %s: job %d is %s%s%.160s"), name,
                          flg_job_trial_number (self->index, job), task ? task->name : "–", (int) job->id,
                          state, *reason ? "\n" : "", reason);
}

static const FlwMatrixFuncs funcs = { get_cell, get_row, describe };

/* --- from jobs to rows and columns --- */

static void
unref_any (gpointer object)
{
  if (object)
    g_object_unref (object);
}

static int
by_trial_and_task (gconstpointer a, gconstpointer b)
{
  const Column *x = a, *y = b;
  if (x->number != y->number)
    return x->number < y->number ? 1 : -1; /* the newest trial first */
  return x->task < y->task ? -1 : x->task > y->task;
}

static gint64
row_of (FlgJobMatrix *self, const FlJob *job)
{
  return self->versions ? job->version : job->run;
}

static void
find_columns (FlgJobMatrix *self, FlgRecord *const *jobs, guint n)
{
  g_array_set_size (self->columns, 0);
  for (guint i = 0; i < n; i++)
    {
      const FlJob *job = flg_record_job (jobs[i]);
      gboolean known = row_of (self, job) == 0;
      for (guint c = 0; !known && c < self->columns->len; c++)
        {
          const Column *column = &g_array_index (self->columns, Column, c);
          known = column->trial == job->trial && column->task == job->task;
        }
      Column column = { job->trial, job->task, flg_job_trial_number (self->index, job) };
      if (!known)
        g_array_append_val (self->columns, column);
    }
  g_array_sort (self->columns, by_trial_and_task);
}

static int
newest_version_first (gconstpointer a, gconstpointer b)
{
  gint64 x = *(const gint64 *) a, y = *(const gint64 *) b;
  return x > y ? -1 : x < y;
}

static int
newest_run_first (gconstpointer a, gconstpointer b, gpointer ranks)
{
  guint x = GPOINTER_TO_UINT (g_hash_table_lookup (ranks, a)),
        y = GPOINTER_TO_UINT (g_hash_table_lookup (ranks, b));
  return x > y ? -1 : x < y;
}

/* The rows of what is shown; without a filter also runs that have no job yet. */
static GHashTable *
find_rows (FlgJobMatrix *self, FlgRecord *const *jobs, guint n)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_int64_hash, g_int64_equal);
  g_array_set_size (self->rows, 0);
  FlgRecordModel *runs = flg_experiment_table (EXPERIMENT (self), FL_TABLE_RUN);
  for (guint i = 0;
       !self->versions && !flg_job_model_is_filtered (self->model) && i < flg_record_model_count (runs); i++)
    {
      gint64 id = flg_record_id (flg_record_model_at (runs, i));
      g_array_append_val (self->rows, id);
    }
  gboolean all = self->rows->len > 0;
  for (guint i = 0; !all && i < n; i++)
    {
      const FlJob *job = flg_record_job (jobs[i]);
      gint64 id = row_of (self, job);
      if (id && g_hash_table_add (seen, (gpointer) (self->versions ? &job->version : &job->run)))
        g_array_append_val (self->rows, id);
    }
  g_autoptr (GHashTable) ranks = self->versions ? NULL : flg_run_ranks (EXPERIMENT (self));
  if (ranks)
    g_array_sort_with_data (self->rows, newest_run_first, ranks);
  else
    g_array_sort (self->rows, newest_version_first);
  GHashTable *places = g_hash_table_new (g_int64_hash, g_int64_equal);
  for (guint i = 0; i < self->rows->len; i++)
    g_hash_table_insert (places, &g_array_index (self->rows, gint64, i), GUINT_TO_POINTER (i + 1));
  return places;
}

static int
column_of (FlgJobMatrix *self, const FlJob *job)
{
  for (guint c = 0; c < self->columns->len; c++)
    {
      const Column *column = &g_array_index (self->columns, Column, c);
      if (column->trial == job->trial && column->task == job->task)
        return (int) c;
    }
  return -1;
}

/* Jobs come by id: the newest of a cell stays. */
static void
fill_cells (FlgJobMatrix *self, GHashTable *rows)
{
  FlgRecordModel *jobs = flg_experiment_table (EXPERIMENT (self), FL_TABLE_JOB);
  gboolean filtered = flg_job_model_is_filtered (self->model);
  guint n = self->rows->len * self->columns->len;
  g_ptr_array_set_size (self->cells, 0);
  g_ptr_array_set_size (self->cells, (int) n);
  g_byte_array_set_size (self->dim, n);
  g_hash_table_remove_all (self->places);
  for (guint i = 0; i < flg_record_model_count (jobs); i++)
    {
      FlgRecord *record = flg_record_model_at (jobs, i);
      const FlJob *job = flg_record_job (record);
      gint64 id = row_of (self, job);
      guint row = GPOINTER_TO_UINT (g_hash_table_lookup (rows, &id));
      int column = row ? column_of (self, job) : -1;
      if (column < 0)
        continue;
      guint at = (row - 1) * self->columns->len + (guint) column;
      g_clear_object ((FlgRecord **) &self->cells->pdata[at]);
      self->cells->pdata[at] = g_object_ref (record);
      self->dim->data[at] = filtered && !flg_job_model_matches (self->model, job);
      g_hash_table_insert (self->places, g_memdup2 (&job->id, sizeof job->id), GUINT_TO_POINTER (at + 1));
    }
}

static void
show_shape (FlgJobMatrix *self)
{
  g_autofree FlwMatrixColumn *heads = g_new (FlwMatrixColumn, self->columns->len);
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);
  for (guint c = 0; c < self->columns->len; c++)
    {
      const Column *column = &g_array_index (self->columns, Column, c);
      const FlTrial *trial = flg_experiment_trial (EXPERIMENT (self), column->trial);
      const FlTask *task = flg_job_index_task (self->index, &(FlJob){ .task = column->task });
      g_autofree char *name = flg_text_line (trial ? trial->name : "");
      g_ptr_array_add (texts,
                       trial ? g_strdup_printf (_ ("trial %d · %s"), trial->number, name) : g_strdup ("–"));
      g_ptr_array_add (texts, flg_text_line (task ? task->name : "–"));
      heads[c] = (FlwMatrixColumn){ texts->pdata[2 * c], texts->pdata[2 * c + 1] };
    }
  flw_state_matrix_set_shape (FLW_STATE_MATRIX (self->matrix), self->versions ? _ ("Dataset") : _ ("Run"),
                              self->rows->len, self->columns->len, heads);
}

void
flg_job_matrix_refresh (FlgJobMatrix *self)
{
  guint n, row, column;
  FlgRecord *const *jobs = flg_job_model_jobs (self->model, &n);
  gboolean selected = flw_state_matrix_get_selected (FLW_STATE_MATRIX (self->matrix), &row, &column);
  FlgRecord *was = selected ? job_at (self, row, column) : NULL;
  gint64 chosen = was ? flg_record_id (was) : 0;
  find_columns (self, jobs, n);
  g_autoptr (GHashTable) rows = find_rows (self, jobs, n);
  fill_cells (self, rows);
  show_shape (self);
  if (selected && !flg_job_matrix_choose (self, chosen))
    flw_state_matrix_unselect (FLW_STATE_MATRIX (self->matrix));
}

void
flg_job_matrix_show_versions (FlgJobMatrix *self, gboolean versions)
{
  if (self->versions == versions)
    return;
  self->versions = versions;
  flw_state_matrix_unselect (FLW_STATE_MATRIX (self->matrix));
  flg_job_matrix_refresh (self);
}

gboolean
flg_job_matrix_choose (FlgJobMatrix *self, gint64 job)
{
  guint at = GPOINTER_TO_UINT (g_hash_table_lookup (self->places, &job));
  guint row, column;
  if (!at || !self->cells->pdata[at - 1] || flg_record_id (self->cells->pdata[at - 1]) != job)
    return FALSE;
  gboolean there = flw_state_matrix_get_selected (FLW_STATE_MATRIX (self->matrix), &row, &column)
                   && row * self->columns->len + column == at - 1;
  if (!there)
    flw_state_matrix_select (FLW_STATE_MATRIX (self->matrix), (at - 1) / self->columns->len,
                             (at - 1) % self->columns->len);
  return TRUE;
}

char *
flg_job_matrix_summary (FlgJobMatrix *self)
{
  return flw_chart_summary (self->matrix);
}

void
flg_job_matrix_focus (FlgJobMatrix *self)
{
  gtk_widget_grab_focus (self->matrix);
}

/* --- the widget --- */

static void
tell (FlgJobMatrix *self, guint row, guint column, guint signal)
{
  FlgRecord *job = job_at (self, row, column);
  if (job)
    g_signal_emit (self, signals[signal], 0, flg_record_id (job));
}

static void
on_selected (FlwStateMatrix *matrix, guint row, guint column, FlgJobMatrix *self)
{
  tell (self, row, column, CHOSEN);
}

static void
on_activated (FlwStateMatrix *matrix, guint row, guint column, FlgJobMatrix *self)
{
  tell (self, row, column, ACTIVATED);
}

static void
flg_job_matrix_dispose (GObject *object)
{
  FlgJobMatrix *self = FLG_JOB_MATRIX (object);
  if (self->matrix)
    flw_state_matrix_set_source (FLW_STATE_MATRIX (self->matrix), NULL, NULL);
  self->matrix = NULL;
  g_clear_object (&self->model);
  G_OBJECT_CLASS (flg_job_matrix_parent_class)->dispose (object);
}

static void
flg_job_matrix_finalize (GObject *object)
{
  FlgJobMatrix *self = FLG_JOB_MATRIX (object);
  g_array_unref (self->columns);
  g_array_unref (self->rows);
  g_ptr_array_unref (self->cells);
  g_byte_array_unref (self->dim);
  g_hash_table_unref (self->places);
  g_array_unref (self->colours);
  g_strfreev (self->tags);
  g_free (self->label);
  G_OBJECT_CLASS (flg_job_matrix_parent_class)->finalize (object);
}

static void
flg_job_matrix_class_init (FlgJobMatrixClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = flg_job_matrix_dispose;
  G_OBJECT_CLASS (klass)->finalize = flg_job_matrix_finalize;
  signals[CHOSEN] = g_signal_new ("chosen", FLG_TYPE_JOB_MATRIX, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 1, G_TYPE_INT64);
  signals[ACTIVATED] = g_signal_new ("activated", FLG_TYPE_JOB_MATRIX, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                     G_TYPE_NONE, 1, G_TYPE_INT64);
}

static void
flg_job_matrix_init (FlgJobMatrix *self)
{
  self->columns = g_array_new (FALSE, FALSE, sizeof (Column));
  self->rows = g_array_new (FALSE, FALSE, sizeof (gint64));
  self->cells = g_ptr_array_new_with_free_func (unref_any);
  self->dim = g_byte_array_new ();
  self->places = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  self->colours = g_array_new (FALSE, FALSE, sizeof (guint32));
}

GtkWidget *
flg_job_matrix_new (FlgJobModel *model, FlgJobIndex *index)
{
  FlgJobMatrix *self = g_object_new (FLG_TYPE_JOB_MATRIX, NULL);
  FlwMatrixState states[FLG_SHOWN_LAST];
  for (FlgShownState s = 0; s < FLG_SHOWN_LAST; s++)
    {
      flg_shown_state_look (s, &states[s].shape, &states[s].tone);
      states[s].name = flg_shown_state_name (s);
    }
  self->model = g_object_ref (model);
  self->index = index;
  self->matrix = flw_state_matrix_new ();
  flw_state_matrix_set_states (FLW_STATE_MATRIX (self->matrix), FLG_SHOWN_LAST, states);
  flw_state_matrix_set_source (FLW_STATE_MATRIX (self->matrix), &funcs, self);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->matrix), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Jobs by run, trial and task"), -1);
  g_signal_connect (self->matrix, "selected", G_CALLBACK (on_selected), self);
  g_signal_connect (self->matrix, "activated", G_CALLBACK (on_activated), self);
  GtkWidget *scroller = gtk_scrolled_window_new ();
  gtk_scrolled_window_set_overlay_scrolling (GTK_SCROLLED_WINDOW (scroller), FALSE);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroller), self->matrix);
  gtk_widget_set_hexpand (scroller, TRUE);
  gtk_widget_set_vexpand (scroller, TRUE);
  gtk_box_append (GTK_BOX (self), scroller);
  return GTK_WIDGET (self);
}
