#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/finding-list.h"

#include <glib/gi18n.h>

#include <string.h>

#include "gui/finding-chip.h"
#include "gui/text.h"
#include "widgets/readout.h"

#define BEAT_S    5   /* ages */
#define MOST_TALL 226 /* px, of the rows together: the plots stay in sight */
#define MANY      3   /* rows that are all shown */

typedef struct
{
  char *key;
  FlwStatusChip *shape;
  GtkLabel *title, *age, *evidence, *advice;
  GtkWidget *show, *acknowledge, *row;
} Row;

struct _FlgFindingList
{
  GtkBox parent_instance;
  FlgContext *context;
  GtkToggleButton *fold;
  GtkLabel *heading;
  GtkWidget *scroller;
  GtkListBox *list;
  GPtrArray *rows; /* Row */
  guint beat;
};

G_DEFINE_FINAL_TYPE (FlgFindingList, flg_finding_list, GTK_TYPE_BOX)

static void
row_free (Row *row)
{
  g_free (row->key);
  g_free (row);
}

/* --- where it is to be seen --- */

typedef struct
{
  const char *label, *action;
  gboolean of_run; /* the action's target is the run, else a page's name */
  const char *page;
} Place;

static Place
place_of (const FlFinding *finding)
{
  switch (finding->kind)
    {
    case FL_FINDING_DISTANCE:
    case FL_FINDING_WRONG_CELL:
      return (Place){ _ ("Cells"), "win.show-page", FALSE, "cells" };
    case FL_FINDING_FAILED_SHOTS:
    case FL_FINDING_LAG:
      return (Place){ _ ("Jobs"), "win.show-page", FALSE, "jobs" };
    case FL_FINDING_RECONSTRUCTION:
      return (Place){ _ ("Density"), "win.show-page", FALSE, "density" };
    default:
      return (Place){ _ ("Images"), "win.show-run-images", TRUE, NULL };
    }
}

static void
aim (GtkWidget *button, const FlFinding *finding)
{
  Place place = place_of (finding);
  gtk_button_set_label (GTK_BUTTON (button), place.label);
  if (place.of_run)
    gtk_actionable_set_action_target (GTK_ACTIONABLE (button), "x", finding->run);
  else
    gtk_actionable_set_action_target (GTK_ACTIONABLE (button), "s", place.page);
  gtk_actionable_set_action_name (GTK_ACTIONABLE (button), place.action);
}

/* --- rows --- */

static GtkLabel *
add_label (GtkWidget *box, const char *css_class)
{
  GtkWidget *label = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
  if (css_class)
    gtk_widget_add_css_class (label, css_class);
  gtk_box_append (GTK_BOX (box), label);
  return GTK_LABEL (label);
}

static const FlFinding *
finding_of (FlgFindingList *self, const char *key)
{
  FlgFindingModel *model = flg_context_findings (self->context);
  for (guint i = 0; i < flg_finding_model_n (model); i++)
    {
      g_autofree char *other = flg_finding_key (flg_finding_model_at (model, i));
      if (g_str_equal (other, key))
        return flg_finding_model_at (model, i);
    }
  return NULL;
}

static void
on_acknowledge (GtkWidget *button, FlgFindingList *self)
{
  FlgFindingModel *model = flg_context_findings (self->context);
  const FlFinding *finding = finding_of (self, g_object_get_data (G_OBJECT (button), "key"));
  if (finding)
    flg_finding_model_acknowledge (model, finding, !flg_finding_model_is_acknowledged (model, finding));
}

static GtkWidget *
add_button (GtkWidget *head)
{
  GtkWidget *button = gtk_button_new_with_label ("");
  gtk_widget_add_css_class (button, "finding-button");
  gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
  gtk_box_append (GTK_BOX (head), button);
  return button;
}

static Row *
add_row (FlgFindingList *self, const char *key)
{
  Row *row = g_new0 (Row, 1);
  GtkWidget *body = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 4),
            *text = gtk_box_new (GTK_ORIENTATION_VERTICAL, 1),
            *head = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  row->key = g_strdup (key);
  row->shape = FLW_STATUS_CHIP (flw_status_chip_new ());
  gtk_widget_set_valign (GTK_WIDGET (row->shape), GTK_ALIGN_START);
  gtk_widget_set_margin_top (GTK_WIDGET (row->shape), 2);
  gtk_box_append (GTK_BOX (body), GTK_WIDGET (row->shape));
  gtk_box_append (GTK_BOX (text), head);
  row->title = add_label (head, "heading");
  gtk_widget_set_hexpand (GTK_WIDGET (row->title), TRUE);
  row->age = add_label (head, "dim-label");
  gtk_label_set_ellipsize (row->age, PANGO_ELLIPSIZE_NONE);
  row->show = add_button (head);
  row->acknowledge = add_button (head);
  row->evidence = add_label (text, "dim-label");
  row->advice = add_label (text, NULL);
  gtk_widget_set_hexpand (text, TRUE);
  gtk_box_append (GTK_BOX (body), text);
  g_object_set_data_full (G_OBJECT (row->acknowledge), "key", g_strdup (key), g_free);
  g_signal_connect (row->acknowledge, "clicked", G_CALLBACK (on_acknowledge), self);
  row->row = gtk_list_box_row_new ();
  gtk_list_box_row_set_child (GTK_LIST_BOX_ROW (row->row), body);
  gtk_widget_add_css_class (row->row, "finding");
  gtk_list_box_append (self->list, row->row);
  g_ptr_array_add (self->rows, row);
  return row;
}

static void
fill_row (FlgFindingList *self, Row *row, const FlFinding *finding)
{
  gboolean known = flg_finding_model_is_acknowledged (flg_context_findings (self->context), finding),
           quiet = known || finding->over;
  guint64 now = flg_experiment_now (flg_context_experiment (self->context));
  g_autofree char *age = flw_format_age (now > finding->newest ? (double) (now - finding->newest) / 1e9 : 0);
  g_autofree char *since = finding->newest ? g_strdup_printf (_ ("%s ago"), age) : g_strdup ("");
  g_autofree char *advice = g_strdup_printf ("→ %s", finding->advice);
  flg_finding_show_gravity (row->shape, finding, known);
  gtk_widget_set_tooltip_text (GTK_WIDGET (row->shape), finding->over ? _ ("over")
                                                        : known       ? _ ("acknowledged")
                                                                : fl_finding_gravity (finding->severity));
  gtk_label_set_label (row->title, finding->title);
  gtk_label_set_label (row->evidence, finding->evidence);
  gtk_label_set_label (row->advice, advice);
  gtk_label_set_label (row->age, since);
  gtk_widget_set_visible (GTK_WIDGET (row->evidence), !quiet);
  gtk_widget_set_visible (GTK_WIDGET (row->advice), !quiet);
  gtk_widget_set_tooltip_text (GTK_WIDGET (row->title), quiet ? finding->evidence : NULL);
  gtk_widget_set_tooltip_text (GTK_WIDGET (row->evidence), finding->evidence);
  gtk_widget_set_tooltip_text (GTK_WIDGET (row->advice), finding->advice);
  gtk_button_set_label (GTK_BUTTON (row->acknowledge), known ? _ ("Take back") : _ ("Acknowledge"));
  gtk_widget_set_tooltip_text (row->acknowledge, _ ("I know: no longer shown above, unless it gets worse"));
  gtk_widget_set_visible (row->acknowledge, !finding->over);
  if (quiet)
    gtk_widget_add_css_class (row->row, "quiet");
  else
    gtk_widget_remove_css_class (row->row, "quiet");
  aim (row->show, finding);
}

/* --- all of it --- */

static char *
say_heading (FlgFindingList *self)
{
  FlgFindingModel *model = flg_context_findings (self->context);
  guint n = flg_finding_model_n_open (model), known = flg_finding_model_n (model) - n;
  g_autofree char *more =
      known ? g_strdup_printf (ngettext ("; %u known or over", "; %u known or over", known), known)
            : g_strdup ("");
  if (n > 0)
    return g_strdup_printf (ngettext ("What is broken? %u fault%s", "What is broken? %u faults%s", n), n,
                            more);
  g_autofree char *shots =
      flg_format_count (flg_experiment_glance (flg_context_experiment (self->context))->overview.shots);
  return g_strdup_printf (_ ("No faults found in %s shots%s"), shots, more);
}

/* The rows are made again only when there are others, so that a button does not vanish under the pointer. */
static gboolean
has_other_rows (FlgFindingList *self)
{
  FlgFindingModel *model = flg_context_findings (self->context);
  if (self->rows->len != flg_finding_model_n (model))
    return TRUE;
  for (guint i = 0; i < self->rows->len; i++)
    {
      g_autofree char *key = flg_finding_key (flg_finding_model_at (model, i));
      if (!g_str_equal (((Row *) self->rows->pdata[i])->key, key))
        return TRUE;
    }
  return FALSE;
}

static void
refresh (FlgFindingList *self)
{
  FlgFindingModel *model = flg_context_findings (self->context);
  guint n = flg_finding_model_n (model);
  const FlgGlance *glance = flg_experiment_glance (flg_context_experiment (self->context));
  gtk_widget_set_visible (GTK_WIDGET (self),
                          flg_finding_model_has_looked (model) && (n > 0 || glance->overview.shots > 0));
  if (has_other_rows (self))
    {
      GtkWidget *child;
      while ((child = gtk_widget_get_first_child (GTK_WIDGET (self->list))))
        gtk_list_box_remove (self->list, child);
      g_ptr_array_set_size (self->rows, 0);
      for (guint i = 0; i < n; i++)
        {
          g_autofree char *key = flg_finding_key (flg_finding_model_at (model, i));
          add_row (self, key);
        }
    }
  for (guint i = 0; i < n; i++)
    fill_row (self, self->rows->pdata[i], flg_finding_model_at (model, i));
  g_autofree char *heading = say_heading (self);
  gtk_label_set_label (self->heading, heading);
  gtk_scrolled_window_set_min_content_height (GTK_SCROLLED_WINDOW (self->scroller),
                                              flg_finding_model_n_open (model) >= MANY ? MOST_TALL : -1);
  gboolean broken = flg_finding_model_n_open (model) > 0;
  gtk_widget_set_visible (GTK_WIDGET (self->fold), n > 0);
  gtk_widget_set_visible (self->scroller, n > 0 && gtk_toggle_button_get_active (self->fold));
  if (broken)
    gtk_widget_remove_css_class (GTK_WIDGET (self->heading), "dim-label");
  else
    gtk_widget_add_css_class (GTK_WIDGET (self->heading), "dim-label");
}

static gboolean
on_beat (gpointer data)
{
  FlgFindingList *self = data;
  if (gtk_widget_get_mapped (GTK_WIDGET (self)))
    refresh (self);
  return G_SOURCE_CONTINUE;
}

static void
on_fold (FlgFindingList *self)
{
  gtk_button_set_icon_name (GTK_BUTTON (self->fold), gtk_toggle_button_get_active (self->fold)
                                                         ? "pan-down-symbolic"
                                                         : "pan-end-symbolic");
  if (self->context)
    refresh (self);
}

const char *
flg_finding_list_heading (FlgFindingList *self)
{
  return gtk_label_get_label (self->heading);
}

guint
flg_finding_list_n_rows (FlgFindingList *self)
{
  return self->rows->len;
}

char *
flg_finding_list_row_words (FlgFindingList *self, guint i)
{
  const Row *row = self->rows->pdata[i];
  const GtkLabel *all[] = { row->title, row->age, row->evidence, row->advice };
  GString *words = g_string_new (NULL);
  for (guint k = 0; k < G_N_ELEMENTS (all); k++)
    if (gtk_widget_get_visible (GTK_WIDGET (all[k])))
      g_string_append_printf (words, "%s%s", k ? "\n" : "", gtk_label_get_label ((GtkLabel *) all[k]));
  return g_string_free (words, FALSE);
}

void
flg_finding_list_press (FlgFindingList *self, guint i, gboolean acknowledge)
{
  const Row *row = self->rows->pdata[i];
  g_signal_emit_by_name (acknowledge ? row->acknowledge : row->show, "clicked");
}

static void
flg_finding_list_dispose (GObject *object)
{
  FlgFindingList *self = FLG_FINDING_LIST (object);
  g_clear_handle_id (&self->beat, g_source_remove);
  g_clear_object (&self->context);
  G_OBJECT_CLASS (flg_finding_list_parent_class)->dispose (object);
}

static void
flg_finding_list_finalize (GObject *object)
{
  g_ptr_array_unref (FLG_FINDING_LIST (object)->rows);
  G_OBJECT_CLASS (flg_finding_list_parent_class)->finalize (object);
}

static void
flg_finding_list_class_init (FlgFindingListClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = flg_finding_list_dispose;
  G_OBJECT_CLASS (klass)->finalize = flg_finding_list_finalize;
  gtk_widget_class_set_css_name (GTK_WIDGET_CLASS (klass), "findinglist");
}

static void
flg_finding_list_init (FlgFindingList *self)
{
  GtkWidget *head = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 4);
  self->rows = g_ptr_array_new_with_free_func ((GDestroyNotify) row_free);
  gtk_orientable_set_orientation (GTK_ORIENTABLE (self), GTK_ORIENTATION_VERTICAL);
  self->fold = GTK_TOGGLE_BUTTON (gtk_toggle_button_new ());
  gtk_toggle_button_set_active (self->fold, TRUE);
  gtk_widget_add_css_class (GTK_WIDGET (self->fold), "fold");
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->fold), _ ("Show or hide the list"));
  g_signal_connect_swapped (self->fold, "toggled", G_CALLBACK (on_fold), self);
  on_fold (self);
  gtk_box_append (GTK_BOX (head), GTK_WIDGET (self->fold));
  self->heading = add_label (head, "heading");
  gtk_box_append (GTK_BOX (self), head);
  self->list = GTK_LIST_BOX (gtk_list_box_new ());
  gtk_list_box_set_selection_mode (self->list, GTK_SELECTION_NONE);
  self->scroller = gtk_scrolled_window_new ();
  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (self->scroller), GTK_POLICY_NEVER,
                                  GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_propagate_natural_height (GTK_SCROLLED_WINDOW (self->scroller), TRUE);
  gtk_scrolled_window_set_max_content_height (GTK_SCROLLED_WINDOW (self->scroller), MOST_TALL);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (self->scroller), GTK_WIDGET (self->list));
  gtk_box_append (GTK_BOX (self), self->scroller);
}

GtkWidget *
flg_finding_list_new (FlgContext *context)
{
  FlgFindingList *self = g_object_new (FLG_TYPE_FINDING_LIST, NULL);
  self->context = g_object_ref (context);
  g_signal_connect_object (flg_context_findings (context), "changed", G_CALLBACK (refresh), self,
                           G_CONNECT_SWAPPED);
  self->beat = g_timeout_add_seconds (BEAT_S, on_beat, self);
  refresh (self);
  return GTK_WIDGET (self);
}
