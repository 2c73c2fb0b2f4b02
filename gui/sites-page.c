#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/sites-page.h"

#include <glib/gi18n.h>

#include <string.h>

#include "gui/columns.h"
#include "gui/link-chip.h"
#include "gui/people.h"
#include "gui/site-detail.h"
#include "gui/site-editor.h"
#include "gui/site-wizard.h"
#include "gui/store-writes.h"
#include "gui/text.h"
#include "widgets/empty-state.h"
#include "widgets/status-chip.h"

#define EXPERIMENT(data) flg_page_experiment (FLG_PAGE (data))

struct _FlgSitesPage
{
  FlgPage parent_instance;
  GtkLabel *count;
  GtkButton *pause;
  GtkStack *stack;
  GtkColumnView *table;
  FlgSiteDetail *detail;
  GtkWidget *empty;
  GtkSingleSelection *selection;
  GHashTable *facts; /* site's id -> FlgSiteFacts; NULL: not counted yet */
  GtkWidget *dialog; /* NULL: none is open */
  gint64 to_remove;  /* the banner asks; 0: nothing */
  guint beat;
};

G_DEFINE_FINAL_TYPE (FlgSitesPage, flg_sites_page, FLG_TYPE_PAGE)

/* --- columns --- */

static const FlgSiteFacts *
facts_of (FlgSitesPage *self, gint64 site)
{
  return self->facts ? g_hash_table_lookup (self->facts, &site) : NULL;
}

static void
set_label (GtkWidget *cell, const char *text)
{
  g_autofree char *bounded = flg_text_bounded (text, 300);
  gtk_label_set_label (GTK_LABEL (cell), bounded);
  gtk_widget_set_tooltip_text (cell, bounded);
}

static void
fill_name (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  set_label (cell, flg_record_site (record)->name);
}

static int
compare_name (FlgRecord *a, FlgRecord *b, gpointer data)
{
  return -g_utf8_collate (flg_record_site (a)->name, flg_record_site (b)->name);
}

static void
fill_where (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  const FlSite *site = flg_record_site (record);
  g_autofree char *far = g_strdup_printf ("%s%s%s", site->user, *site->user ? "@" : "", site->host);
  set_label (cell, strcmp (site->kind, "ssh") == 0     ? far
                   : strcmp (site->kind, "slurm") == 0 ? _ ("Slurm of this machine")
                                                       : _ ("this machine"));
}

static GtkWidget *
make_chip (gpointer data)
{
  GtkWidget *chip = flw_status_chip_new ();
  gtk_widget_set_halign (chip, GTK_ALIGN_START);
  return chip;
}

static void
fill_link (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  const FlSite *site = flg_record_site (record);
  FlgLinks *links = flg_context_links (flg_page_context (FLG_PAGE (data)));
  gboolean far = strcmp (site->kind, "ssh") == 0;
  if (!far)
    {
      flw_status_chip_set (FLW_STATUS_CHIP (cell), FLW_SHAPE_DASH, FLW_TONE_NEUTRAL, _ ("here"));
      return;
    }
  const FlgLink *link = flg_links_get (links, site->id);
  g_autofree char *words = flg_links_words (links, link);
  flg_link_chip_show_state (cell, links, link, words);
  gtk_widget_set_tooltip_text (cell, *link->message ? link->message : NULL);
}

static void
fill_active (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  const FlSite *site = flg_record_site (record);
  if (!site->active)
    flw_status_chip_set (FLW_STATUS_CHIP (cell), FLW_SHAPE_SQUARE, FLW_TONE_NEUTRAL, _ ("paused"));
  else if (site->hold)
    flw_status_chip_set (FLW_STATUS_CHIP (cell), FLW_SHAPE_RING, FLW_TONE_WARNING, _ ("held"));
  else
    flw_status_chip_set (FLW_STATUS_CHIP (cell), FLW_SHAPE_DISC, FLW_TONE_GOOD, _ ("active"));
}

static void
fill_nodes (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  const FlWorker *poll = flg_site_worker (EXPERIMENT (data), flg_record_site (record), "poll");
  set_label (cell, poll && *poll->message ? poll->message : "–");
}

static void
fill_jobs (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  const FlgSiteFacts *facts = facts_of (data, flg_record_id (record));
  g_autofree char *text = facts && (facts->running || facts->queued)
                              ? g_strdup_printf (_ ("%u run, %u wait"), facts->running, facts->queued)
                              : g_strdup (_ ("none"));
  set_label (cell, text);
}

static void
fill_hours (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  g_autofree char *text = flg_site_hours_text (facts_of (data, flg_record_id (record)));
  gtk_label_set_label (GTK_LABEL (cell), text);
}

static void
fill_wait (GtkWidget *cell, FlgRecord *record, gpointer data)
{
  g_autofree char *text = flg_site_wait_text (facts_of (data, flg_record_id (record)));
  gtk_label_set_label (GTK_LABEL (cell), text);
}

static const FlgColumn columns[] = {
  { N_ ("Site"), NULL, flg_cell_text, fill_name, compare_name, 110 },
  { N_ ("New jobs"), NULL, make_chip, fill_active, NULL, 100 },
  { N_ ("Where"), NULL, flg_cell_text, fill_where, NULL, 165 },
  { N_ ("Link"), NULL, make_chip, fill_link, NULL, 165 },
  { N_ ("Our jobs"), NULL, flg_cell_text, fill_jobs, NULL, 110 },
  { N_ ("Node-hours"), NULL, flg_cell_number, fill_hours, NULL, 108 },
  { N_ ("Wait"), NULL, flg_cell_number, fill_wait, NULL, 62 },
  { N_ ("The site's nodes and queue"), NULL, flg_cell_text, fill_nodes, NULL, -1 },
};

/* --- the selected site --- */

static const FlSite *
selected (FlgSitesPage *self)
{
  FlgRecord *record = gtk_single_selection_get_selected_item (self->selection);
  return record ? flg_record_site (record) : NULL;
}

static void
show_selected (FlgSitesPage *self)
{
  const FlSite *site = selected (self);
  gboolean writable = flg_may_change (EXPERIMENT (self));
  FlgLinks *links = flg_context_links (flg_page_context (FLG_PAGE (self)));
  static const char *const of_one[] = { "sites.edit", "sites.duplicate", "sites.pause", "sites.remove" };
  flg_site_detail_show (self->detail, site, site ? facts_of (self, site->id) : NULL);
  for (guint i = 0; i < G_N_ELEMENTS (of_one); i++)
    gtk_widget_action_set_enabled (GTK_WIDGET (self), of_one[i], site && writable);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "sites.add", writable);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "sites.probe",
                                 site && writable && flg_links_is_connected (links)
                                     && strcmp (site->kind, "local") != 0
                                     && !flg_links_get (links, site->id)->probing);
  gtk_button_set_label (self->pause, site && !site->active ? _ ("Resume") : _ ("Pause"));
}

void
flg_sites_page_show (FlgSitesPage *self, gint64 id)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->selection));
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (FlgRecord) record = g_list_model_get_item (G_LIST_MODEL (self->selection), i);
      if (flg_record_id (record) == id)
        gtk_single_selection_set_selected (self->selection, i);
    }
}

gint64
flg_sites_page_shown (FlgSitesPage *self)
{
  const FlSite *site = selected (self);
  return site ? site->id : 0;
}

GtkWidget *
flg_sites_page_dialog (FlgSitesPage *self)
{
  return self->dialog;
}

char *
flg_sites_page_summary (FlgSitesPage *self)
{
  return flg_site_detail_summary (self->detail);
}

/* --- actions --- */

static void
on_dialog_gone (gpointer data, GObject *dialog)
{
  FLG_SITES_PAGE (data)->dialog = NULL;
}

static void
open_dialog (FlgSitesPage *self, GtkWidget *dialog)
{
  self->dialog = dialog;
  g_object_weak_ref (G_OBJECT (dialog), on_dialog_gone, self);
  gtk_window_present (GTK_WINDOW (dialog));
}

static GtkWindow *
window_of (FlgSitesPage *self)
{
  return GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self)));
}

static void
act_add (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgSitesPage *self = FLG_SITES_PAGE (widget);
  if (!self->dialog)
    open_dialog (self, flg_site_wizard_new (window_of (self), flg_page_context (FLG_PAGE (self))));
}

static void
act_edit (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgSitesPage *self = FLG_SITES_PAGE (widget);
  const FlSite *site = selected (self);
  if (site && !self->dialog)
    open_dialog (self, flg_site_editor_new (window_of (self), flg_page_context (FLG_PAGE (self)), site,
                                            g_str_equal (action, "sites.duplicate")));
}

static void
act_pause (GtkWidget *widget, const char *action, GVariant *target)
{
  const FlSite *site = selected (FLG_SITES_PAGE (widget));
  if (!site)
    return;
  flg_page_write (FLG_PAGE (widget), flg_edit_write,
                  flg_edit_new (FL_TABLE_SITE, site->id, "active", !site->active), g_free);
}

static void
act_remove (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgSitesPage *self = FLG_SITES_PAGE (widget);
  const FlSite *site = selected (self);
  if (!site)
    return;
  g_autofree char *text = g_strdup_printf (
      _ ("Remove the site %s? Nothing is deleted there. A site that jobs have used stays."), site->name);
  self->to_remove = site->id;
  flw_banner_show (flg_page_banner (FLG_PAGE (self)), FLW_TONE_WARNING, text, _ ("Remove it"), 0);
}

static gpointer
remove_site (FlStore *store, gpointer data, GError **error)
{
  return GINT_TO_POINTER (fl_store_remove (store, FL_TABLE_SITE, *(gint64 *) data, error));
}

static void
on_banner_action (FlgSitesPage *self)
{
  const FlSite *site = flg_experiment_site (EXPERIMENT (self), self->to_remove);
  flw_banner_hide (flg_page_banner (FLG_PAGE (self)));
  if (!site)
    return;
  flg_page_write (FLG_PAGE (self), remove_site, g_memdup2 (&site->id, sizeof site->id), g_free);
  self->to_remove = 0;
}

static void
act_probe (GtkWidget *widget, const char *action, GVariant *target)
{
  const FlSite *site = selected (FLG_SITES_PAGE (widget));
  FlgLinks *links = flg_context_links (flg_page_context (FLG_PAGE (widget)));
  if (!site)
    return;
  if (strcmp (site->kind, "ssh") == 0)
    flg_links_connect (links, site->id);
  flg_links_probe (links, site->id, TRUE);
}

static void
on_row_activated (FlgSitesPage *self, guint position)
{
  gtk_widget_activate_action (GTK_WIDGET (self), "sites.edit", NULL);
}

static void
on_restart (FlgSitesPage *self, gint64 worker)
{
  flg_page_write (FLG_PAGE (self), flg_edit_write,
                  flg_edit_new (FL_TABLE_WORKER, worker, "restart_wanted", TRUE), g_free);
}

/* --- page --- */

static void
show_count (FlgSitesPage *self)
{
  guint n = flg_record_model_count (flg_experiment_table (EXPERIMENT (self), FL_TABLE_SITE));
  const char *conductor = flg_experiment_glance (EXPERIMENT (self))->conductor;
  g_autofree char *sites = g_strdup_printf (ngettext ("%u site", "%u sites", n), n);
  gboolean idle = flg_experiment_is_copy (EXPERIMENT (self)) || flg_experiment_archive (EXPERIMENT (self));
  g_autofree char *text = idle ? g_strdup (sites)
                          : conductor
                              ? g_strdup_printf (_ ("%s · conducted by %s"), sites, conductor)
                              : g_strdup_printf (_ ("%s · nobody conducts: nothing is submitted"), sites);
  gtk_label_set_label (self->count, text);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->count), text);
  gtk_stack_set_visible_child_name (self->stack, n ? "table" : "empty");
}

static void
refresh (FlgSitesPage *self)
{
  FlgRecordModel *sites = flg_experiment_table (EXPERIMENT (self), FL_TABLE_SITE);
  g_clear_pointer (&self->facts, g_hash_table_unref);
  self->facts = flg_site_facts (EXPERIMENT (self));
  for (guint i = 0; i < flg_record_model_count (sites); i++)
    flg_record_touch (flg_record_model_at (sites, i));
  show_count (self);
  show_selected (self);
}

static void
flg_sites_page_update (FlgPage *page, guint what)
{
  if (what
      & (FLG_CHANGED (FL_TABLE_SITE) | FLG_CHANGED (FL_TABLE_SITE_ROOT) | FLG_CHANGED (FL_TABLE_ROOT)
         | FLG_CHANGED (FL_TABLE_ATTEMPT) | FLG_CHANGED (FL_TABLE_WORKER) | FLG_CHANGED_HEALTH))
    refresh (FLG_SITES_PAGE (page));
}

static gboolean
on_beat (gpointer data)
{
  if (gtk_widget_get_mapped (GTK_WIDGET (data)))
    refresh (data);
  return G_SOURCE_CONTINUE;
}

static void
flg_sites_page_step (FlgPage *page, int by)
{
  FlgSitesPage *self = FLG_SITES_PAGE (page);
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->selection));
  int at = (int) gtk_single_selection_get_selected (self->selection) + by;
  if (at >= 0 && at < (int) n)
    gtk_single_selection_set_selected (self->selection, (guint) at);
}

static void
flg_sites_page_focus (FlgPage *page)
{
  gtk_widget_grab_focus (GTK_WIDGET (FLG_SITES_PAGE (page)->table));
}

static void
flg_sites_page_constructed (GObject *object)
{
  FlgSitesPage *self = FLG_SITES_PAGE (object);
  FlgContext *context = flg_page_context (FLG_PAGE (self));
  GListModel *model = G_LIST_MODEL (flg_experiment_table (EXPERIMENT (self), FL_TABLE_SITE));
  self->selection = gtk_single_selection_new (
      flg_columns_set_up (self->table, G_N_ELEMENTS (columns), columns, self, model));
  gtk_column_view_set_model (self->table, GTK_SELECTION_MODEL (self->selection));
  flg_site_detail_set_context (self->detail, context);
  flw_empty_state_set (
      FLW_EMPTY_STATE (self->empty), "flg-sites-symbolic", _ ("No site"),
      _ ("A site is a place where jobs run: this machine, its Slurm, or another laboratory's over SSH."));
  flw_empty_state_set_action (FLW_EMPTY_STATE (self->empty), _ ("Add a site…"), "sites.add");
  g_signal_connect_object (self->selection, "notify::selected-item", G_CALLBACK (show_selected), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (flg_context_links (context), "changed", G_CALLBACK (refresh), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->detail, "restart", G_CALLBACK (on_restart), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (flg_page_banner (FLG_PAGE (self)), "action", G_CALLBACK (on_banner_action), self,
                           G_CONNECT_SWAPPED);
  self->beat = g_timeout_add_seconds (1, on_beat, self);
  G_OBJECT_CLASS (flg_sites_page_parent_class)->constructed (object);
  show_selected (self);
}

static void
flg_sites_page_dispose (GObject *object)
{
  FlgSitesPage *self = FLG_SITES_PAGE (object);
  g_clear_handle_id (&self->beat, g_source_remove);
  if (self->dialog)
    {
      g_object_weak_unref (G_OBJECT (self->dialog), on_dialog_gone, self);
      gtk_window_destroy (GTK_WINDOW (self->dialog));
      self->dialog = NULL;
    }
  if (self->selection)
    g_signal_handlers_disconnect_by_data (self->selection, self);
  FlgContext *context = flg_page_context (FLG_PAGE (self));
  if (context)
    g_signal_handlers_disconnect_by_data (flg_context_links (context), self);
  gtk_widget_dispose_template (GTK_WIDGET (self), FLG_TYPE_SITES_PAGE);
  g_clear_object (&self->selection);
  g_clear_pointer (&self->facts, g_hash_table_unref);
  G_OBJECT_CLASS (flg_sites_page_parent_class)->dispose (object);
}

static void
flg_sites_page_class_init (FlgSitesPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  FlgPageClass *page_class = FLG_PAGE_CLASS (klass);
  G_OBJECT_CLASS (klass)->constructed = flg_sites_page_constructed;
  G_OBJECT_CLASS (klass)->dispose = flg_sites_page_dispose;
  page_class->update = flg_sites_page_update;
  page_class->step = flg_sites_page_step;
  page_class->focus = flg_sites_page_focus;
  g_type_ensure (FLG_TYPE_SITE_DETAIL);
  gtk_widget_class_set_template_from_resource (widget_class, "/io/firstlight/gui/sites-page.ui");
  gtk_widget_class_bind_template_child (widget_class, FlgSitesPage, count);
  gtk_widget_class_bind_template_child (widget_class, FlgSitesPage, pause);
  gtk_widget_class_bind_template_child (widget_class, FlgSitesPage, stack);
  gtk_widget_class_bind_template_child (widget_class, FlgSitesPage, table);
  gtk_widget_class_bind_template_child (widget_class, FlgSitesPage, detail);
  gtk_widget_class_bind_template_child (widget_class, FlgSitesPage, empty);
  gtk_widget_class_bind_template_callback (widget_class, on_row_activated);
  gtk_widget_class_install_action (widget_class, "sites.add", NULL, act_add);
  gtk_widget_class_install_action (widget_class, "sites.edit", NULL, act_edit);
  gtk_widget_class_install_action (widget_class, "sites.duplicate", NULL, act_edit);
  gtk_widget_class_install_action (widget_class, "sites.pause", NULL, act_pause);
  gtk_widget_class_install_action (widget_class, "sites.remove", NULL, act_remove);
  gtk_widget_class_install_action (widget_class, "sites.probe", NULL, act_probe);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_n, GDK_CONTROL_MASK, "sites.add", NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_F2, 0, "sites.edit", NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_r, GDK_CONTROL_MASK, "sites.probe", NULL);
}

static void
flg_sites_page_init (FlgSitesPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
