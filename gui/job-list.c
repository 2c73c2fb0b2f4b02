#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/job-list.h"

#include <glib/gi18n.h>

#include "gui/job-row.h"

struct _FlgJobList
{
  GtkBox parent_instance;
  FlgJobModel *model;
  FlgJobIndex *index;
  GtkWidget *head, *view;
  GtkWidget *titles[FLG_JOB_COLUMN_LAST];
  GtkMultiSelection *selection;
  gint64 chosen;
  GHashTable *kept; /* ids that were selected before the model changed */
  gboolean restoring;
};

enum
{
  CHOSEN,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlgJobList, flg_job_list, GTK_TYPE_BOX)

/* --- heads: buttons over the columns of the rows --- */

static void
place_titles (GtkWidget *head, int width, int height, int baseline)
{
  FlgJobList *self = g_object_get_data (G_OBJECT (head), "list");
  FlgJobPlace places[FLG_JOB_COLUMN_LAST];
  flg_job_columns_place (width, places);
  for (FlgJobColumn c = 0; c < FLG_JOB_COLUMN_LAST; c++)
    {
      gtk_widget_set_child_visible (self->titles[c], places[c].width > 0);
      if (places[c].width > 0)
        gtk_widget_size_allocate (self->titles[c],
                                  &(GtkAllocation){ (int) places[c].x, 0,
                                                    (int) (places[c].x + places[c].width) - (int) places[c].x,
                                                    height },
                                  -1);
    }
}

static void
measure_titles (GtkWidget *head, GtkOrientation orientation, int for_size, int *minimum, int *natural,
                int *minimum_baseline, int *natural_baseline)
{
  FlgJobList *self = g_object_get_data (G_OBJECT (head), "list");
  *minimum = *natural = 0;
  for (FlgJobColumn c = 0; c < FLG_JOB_COLUMN_LAST; c++)
    {
      int low, wanted;
      gtk_widget_measure (self->titles[c], orientation, -1, &low, &wanted, NULL, NULL);
      if (orientation == GTK_ORIENTATION_VERTICAL)
        *minimum = *natural = MAX (*natural, wanted);
    }
}

static GtkWidget *
title_new (FlgJobColumn column)
{
  const FlgJobColumnSpec *spec = flg_job_column (column);
  GtkWidget *button = gtk_button_new (), *label = gtk_label_new (_ (spec->title));
  gtk_label_set_xalign (GTK_LABEL (label), spec->right ? 1 : 0);
  gtk_button_set_child (GTK_BUTTON (button), label);
  gtk_actionable_set_action_name (GTK_ACTIONABLE (button), "jobs.sort");
  gtk_actionable_set_action_target (GTK_ACTIONABLE (button), "s", spec->name);
  gtk_widget_set_focus_on_click (button, FALSE);
  if (spec->tooltip)
    gtk_widget_set_tooltip_text (button, _ (spec->tooltip));
  return button;
}

void
flg_job_list_show_order (FlgJobList *self)
{
  gboolean descending;
  FlgJobColumn order = flg_job_model_order (self->model, &descending);
  for (FlgJobColumn c = 0; c < FLG_JOB_COLUMN_LAST; c++)
    {
      const char *title = _ (flg_job_column (c)->title);
      g_autofree char *text =
          c == order ? g_strdup_printf ("%s %s", title, descending ? "▾" : "▴") : g_strdup (title);
      gtk_label_set_label (GTK_LABEL (gtk_button_get_child (GTK_BUTTON (self->titles[c]))), text);
    }
}

static GtkWidget *
head_new (FlgJobList *self)
{
  GtkWidget *head = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 0);
  g_object_set_data (G_OBJECT (head), "list", self);
  for (FlgJobColumn c = 0; c < FLG_JOB_COLUMN_LAST; c++)
    {
      self->titles[c] = title_new (c);
      gtk_box_append (GTK_BOX (head), self->titles[c]);
    }
  gtk_widget_set_layout_manager (head, gtk_custom_layout_new (NULL, measure_titles, place_titles));
  gtk_widget_add_css_class (head, "job-heads");
  return head;
}

/* --- rows --- */

static void
on_setup (GtkSignalListItemFactory *factory, GtkListItem *item, FlgJobList *self)
{
  gtk_list_item_set_child (item, flg_job_row_new (self->index));
}

static void
on_job (FlgJobSlot *slot, GParamSpec *pspec, GtkListItem *item)
{
  flg_job_row_set_job (FLG_JOB_ROW (gtk_list_item_get_child (item)), flg_job_slot_job (slot));
}

static void
on_bind (GtkSignalListItemFactory *factory, GtkListItem *item, FlgJobList *self)
{
  FlgJobSlot *slot = gtk_list_item_get_item (item);
  g_signal_connect_object (slot, "notify::job", G_CALLBACK (on_job), item, 0);
  on_job (slot, NULL, item);
}

static void
on_unbind (GtkSignalListItemFactory *factory, GtkListItem *item, FlgJobList *self)
{
  g_signal_handlers_disconnect_by_func (gtk_list_item_get_item (item), on_job, item);
  flg_job_row_set_job (FLG_JOB_ROW (gtk_list_item_get_child (item)), NULL);
}

/* --- selection --- */

static gint64
id_at (FlgJobList *self, guint position)
{
  guint n;
  FlgRecord *const *jobs = flg_job_model_jobs (self->model, &n);
  return position < n ? flg_record_id (jobs[position]) : 0;
}

GArray *
flg_job_list_selected (FlgJobList *self)
{
  GArray *ids = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autoptr (GtkBitset) selected = gtk_selection_model_get_selection (GTK_SELECTION_MODEL (self->selection));
  GtkBitsetIter iter;
  guint position;
  for (gboolean more = gtk_bitset_iter_init_first (&iter, selected, &position); more;
       more = gtk_bitset_iter_next (&iter, &position))
    {
      gint64 id = id_at (self, position);
      g_array_append_val (ids, id);
    }
  return ids;
}

static void
note_kept (FlgJobList *self)
{
  g_autoptr (GArray) ids = flg_job_list_selected (self);
  g_hash_table_remove_all (self->kept);
  for (guint i = 0; i < ids->len; i++)
    g_hash_table_add (self->kept, g_memdup2 (&g_array_index (ids, gint64, i), sizeof (gint64)));
}

/* The one that was touched last, as long as it is selected; else the first. */
static void
on_selection_changed (GtkSelectionModel *model, guint first, guint n, FlgJobList *self)
{
  if (self->restoring)
    return;
  guint at = flg_job_model_position (self->model, self->chosen);
  gint64 chosen = at != G_MAXUINT && gtk_selection_model_is_selected (model, at) ? self->chosen : 0;
  for (guint i = first; i < first + n; i++)
    if (gtk_selection_model_is_selected (model, i) && (n <= 2 || !chosen))
      chosen = id_at (self, i);
  g_autoptr (GtkBitset) selected = gtk_selection_model_get_selection (model);
  if (!chosen && !gtk_bitset_is_empty (selected))
    chosen = id_at (self, gtk_bitset_get_minimum (selected));
  self->chosen = chosen;
  note_kept (self);
  g_signal_emit (self, signals[CHOSEN], 0);
}

/* The selection is of lines; what is meant are the jobs in them. */
static void
on_changed (FlgJobModel *model, FlgJobList *self)
{
  if (g_hash_table_size (self->kept) == 0)
    return;
  guint n;
  FlgRecord *const *jobs = flg_job_model_jobs (self->model, &n);
  n = MIN (n, g_list_model_get_n_items (G_LIST_MODEL (model)));
  g_autoptr (GtkBitset) all = gtk_bitset_new_range (0, n), wanted = gtk_bitset_new_empty ();
  for (guint i = 0; i < n; i++)
    {
      gint64 id = flg_record_id (jobs[i]);
      if (g_hash_table_contains (self->kept, &id))
        gtk_bitset_add (wanted, i);
    }
  self->restoring = TRUE;
  gtk_selection_model_set_selection (GTK_SELECTION_MODEL (self->selection), wanted, all);
  self->restoring = FALSE;
  guint at = flg_job_model_position (self->model, self->chosen);
  if (self->chosen && at == G_MAXUINT)
    {
      self->chosen = gtk_bitset_is_empty (wanted) ? 0 : id_at (self, gtk_bitset_get_minimum (wanted));
      g_signal_emit (self, signals[CHOSEN], 0);
    }
}

gboolean
flg_job_list_choose (FlgJobList *self, gint64 job)
{
  guint position = flg_job_model_position (self->model, job);
  if (position == G_MAXUINT)
    return FALSE;
  flg_job_model_complete (self->model);
  self->chosen = job;
  if (position >= g_list_model_get_n_items (G_LIST_MODEL (self->model)))
    {
      /* Not listed now: selected when it is. */
      g_hash_table_remove_all (self->kept);
      g_hash_table_add (self->kept, g_memdup2 (&job, sizeof job));
      g_signal_emit (self, signals[CHOSEN], 0);
      return TRUE;
    }
  gtk_selection_model_select_item (GTK_SELECTION_MODEL (self->selection), position, TRUE);
  gtk_widget_activate_action (self->view, "list.scroll-to-item", "u", position);
  return TRUE;
}

void
flg_job_list_select_all (FlgJobList *self)
{
  flg_job_model_complete (self->model);
  gtk_selection_model_select_all (GTK_SELECTION_MODEL (self->selection));
}

gint64
flg_job_list_chosen (FlgJobList *self)
{
  return self->chosen;
}

void
flg_job_list_focus (FlgJobList *self)
{
  gtk_widget_grab_focus (self->view);
}

/* --- the widget --- */

static void
flg_job_list_dispose (GObject *object)
{
  FlgJobList *self = FLG_JOB_LIST (object);
  if (self->model)
    g_signal_handlers_disconnect_by_data (self->model, self);
  if (self->selection)
    g_signal_handlers_disconnect_by_data (self->selection, self);
  if (self->view)
    gtk_list_view_set_model (GTK_LIST_VIEW (self->view), NULL);
  self->view = NULL;
  g_clear_object (&self->selection);
  g_clear_object (&self->model);
  g_clear_pointer (&self->kept, g_hash_table_unref);
  G_OBJECT_CLASS (flg_job_list_parent_class)->dispose (object);
}

static void
flg_job_list_class_init (FlgJobListClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = flg_job_list_dispose;
  signals[CHOSEN] =
      g_signal_new ("chosen", FLG_TYPE_JOB_LIST, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
flg_job_list_init (FlgJobList *self)
{
  gtk_orientable_set_orientation (GTK_ORIENTABLE (self), GTK_ORIENTATION_VERTICAL);
  self->kept = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
}

GtkWidget *
flg_job_list_new (FlgJobModel *model, FlgJobIndex *index)
{
  FlgJobList *self = g_object_new (FLG_TYPE_JOB_LIST, NULL);
  self->model = g_object_ref (model);
  self->index = index;
  self->selection = gtk_multi_selection_new (g_object_ref (G_LIST_MODEL (model)));
  g_signal_connect (self->selection, "selection-changed", G_CALLBACK (on_selection_changed), self);
  g_signal_connect (model, "changed", G_CALLBACK (on_changed), self);
  GtkListItemFactory *factory = gtk_signal_list_item_factory_new ();
  g_signal_connect (factory, "setup", G_CALLBACK (on_setup), self);
  g_signal_connect (factory, "bind", G_CALLBACK (on_bind), self);
  g_signal_connect (factory, "unbind", G_CALLBACK (on_unbind), self);
  self->view = gtk_list_view_new (g_object_ref (GTK_SELECTION_MODEL (self->selection)), factory);
  gtk_widget_add_css_class (self->view, "job-rows");
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->view), GTK_ACCESSIBLE_PROPERTY_LABEL, _ ("Jobs"), -1);
  GtkWidget *scroller = gtk_scrolled_window_new ();
  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (scroller), GTK_POLICY_NEVER, GTK_POLICY_ALWAYS);
  gtk_scrolled_window_set_min_content_height (GTK_SCROLLED_WINDOW (scroller), 104);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroller), self->view);
  gtk_widget_set_vexpand (scroller, TRUE);
  self->head = head_new (self);
  gtk_box_append (GTK_BOX (self), self->head);
  gtk_box_append (GTK_BOX (self), scroller);
  flg_job_list_show_order (self);
  return GTK_WIDGET (self);
}
