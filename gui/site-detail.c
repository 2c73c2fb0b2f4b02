#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/site-detail.h"

#include <glib/gi18n.h>

#include <string.h>

#include "gui/site-steps.h"
#include "gui/site-workers.h"
#include "gui/text.h"

struct _FlgSiteDetail
{
  GtkBox parent_instance;
  GtkLabel *title;
  GtkGrid *facts;
  GtkBox *workers_slot, *steps_slot;
  GtkWidget *steps_title;
  FlgExperiment *experiment;
  FlgSiteSteps *steps;
  FlgSiteWorkers *workers;
  gint64 site;
  int row;
  char *shown; /* what the facts were built for */
};

enum
{
  RESTART,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlgSiteDetail, flg_site_detail, GTK_TYPE_BOX)

static GtkWidget *
label_new (const char *text, const char *css_class)
{
  GtkWidget *label = gtk_label_new (text);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_widget_set_valign (label, GTK_ALIGN_START);
  if (css_class)
    gtk_widget_add_css_class (label, css_class);
  return label;
}

static void
heading (FlgSiteDetail *self, const char *text)
{
  GtkWidget *label = label_new (text, "heading");
  gtk_widget_set_margin_top (label, 8);
  gtk_grid_attach (self->facts, label, 0, self->row++, 2, 1);
}

/* `otherwise`: what an empty value means. */
static void
fact (FlgSiteDetail *self, const char *name, const char *value, const char *otherwise)
{
  GtkWidget *label = label_new (value && *value ? value : otherwise, value && *value ? NULL : "dim-label");
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (label), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_selectable (GTK_LABEL (label), TRUE);
  gtk_widget_set_focusable (label, FALSE);
  gtk_label_set_max_width_chars (GTK_LABEL (label), 28);
  gtk_grid_attach (self->facts, label_new (name, "dim-label"), 0, self->row, 1, 1);
  gtk_grid_attach (self->facts, label, 1, self->row++, 1, 1);
}

static void
fact_number (FlgSiteDetail *self, const char *name, double value, const char *unit, const char *otherwise)
{
  g_autofree char *text = value > 0 ? g_strdup_printf ("%g%s%s", value, *unit ? " " : "", unit) : NULL;
  fact (self, name, text, otherwise);
}

static void
show_machine (FlgSiteDetail *self, const FlSite *site)
{
  heading (self, _ ("Machine"));
  if (strcmp (site->kind, "ssh") == 0)
    {
      g_autofree char *where = g_strdup_printf ("%s%s%s", site->user, *site->user ? "@" : "", site->host);
      fact (self, _ ("Over SSH"), where, "–");
      fact_number (self, _ ("Port"), site->port, "", _ ("22, or as configured"));
      fact (self, _ ("Key"), site->identity, _ ("the agent, then the usual ones"));
      fact (self, _ ("Connect with"), strcmp (site->transport, "auto") == 0 ? "" : site->transport,
            _ ("whichever does"));
    }
  else
    fact (self, _ ("Where"),
          strcmp (site->kind, "slurm") == 0 ? _ ("Slurm of this machine") : _ ("processes of this machine"),
          "–");
  fact (self, _ ("Engine"), site->engine, _ ("as found"));
}

static void
show_resources (FlgSiteDetail *self, const FlSite *site)
{
  heading (self, _ ("Resources of a job"));
  if (strcmp (site->kind, "local") == 0)
    {
      fact_number (self, _ ("Cores"), site->cores, "", _ ("all"));
      return;
    }
  fact (self, _ ("Partition"), site->partition, _ ("the cluster's default"));
  fact (self, _ ("Account"), site->account, _ ("your default"));
  fact (self, _ ("Quality of service"), site->qos, _ ("the default"));
  if (*site->reservation)
    fact (self, _ ("Reservation"), site->reservation, "");
  if (*site->features)
    fact (self, _ ("Constraint"), site->features, "");
  fact_number (self, _ ("Nodes"), site->nodes, "", "1");
  fact_number (self, _ ("Ranks a node"), site->ranks_per_node, "", _ ("its cores"));
  fact_number (self, _ ("GPUs a rank"), site->gpus_per_rank, "", _ ("none"));
  fact_number (self, _ ("Time limit"), site->minutes, _ ("min"), _ ("the cluster's"));
  if (*site->container)
    fact (self, _ ("Container"), site->container, "");
}

static void
show_limits (FlgSiteDetail *self, const FlSite *site, const FlgSiteFacts *facts)
{
  g_autofree char *hours = flg_site_hours_text (facts), *wait = flg_site_wait_text (facts);
  g_autofree char *median = facts && facts->waits
                                ? g_strdup_printf (ngettext ("%s, of the last %u job",
                                                             "%s, median of the last %u jobs", facts->waits),
                                                   wait, facts->waits)
                                : NULL;
  heading (self, _ ("Limits and use"));
  if (strcmp (site->kind, "local") != 0)
    {
      fact_number (self, _ ("Jobs at a time"), site->max_jobs, "", _ ("no limit"));
      fact_number (self, _ ("Node-hours in all"), site->max_node_hours, _ ("h"), _ ("no limit"));
    }
  fact (self, _ ("Node-hours used"), hours, "");
  fact (self, _ ("Waited in the queue"), median, _ ("no job has begun yet"));
  fact (self, _ ("New jobs"),
        !site->active ? _ ("none: the site is paused")
        : site->hold  ? _ ("wait for approval")
                      : _ ("are submitted at once"),
        "");
}

static void
show_roots (FlgSiteDetail *self, const FlSite *site)
{
  FlgRecordModel *roots = flg_experiment_table (self->experiment, FL_TABLE_ROOT);
  heading (self, _ ("Folders there"));
  for (guint i = 0; i < flg_record_model_count (roots); i++)
    {
      const FlRoot *root = flg_record_any (flg_record_model_at (roots, i));
      g_autofree char *path = flg_experiment_resolve_at (self->experiment, site->id, root->name, "");
      g_autofree char *here = flg_experiment_resolve (self->experiment, root->name, "");
      g_autofree char *name = strcmp (root->name, site->scratch) == 0
                                  ? g_strdup_printf (_ ("%s (jobs write)"), root->name)
                                  : g_strdup (root->name);
      g_autofree char *same = g_strdup_printf (_ ("%s, as here"), here);
      fact (self, name, strcmp (path, here) != 0 ? path : "", same);
    }
}

/* The facts are built again when the record or its numbers have changed. */
void
flg_site_detail_show (FlgSiteDetail *self, const FlSite *site, const FlgSiteFacts *facts)
{
  gboolean other = self->site != (site ? site->id : 0);
  self->site = site ? site->id : 0;
  gtk_widget_set_visible (GTK_WIDGET (self), site != NULL);
  if (!site)
    return;
  gboolean checked = strcmp (site->kind, "local") != 0; /* of this machine there is nothing to find out */
  gtk_widget_set_visible (GTK_WIDGET (self->steps_slot), checked);
  gtk_widget_set_visible (self->steps_title, checked);
  if (other)
    {
      flg_site_steps_set_site (self->steps, site->id);
      flg_site_workers_set_site (self->workers, site->id);
    }
  else
    flg_site_workers_refresh (self->workers);
  g_autofree char *hours = flg_site_hours_text (facts), *wait = flg_site_wait_text (facts);
  g_autofree char *key = g_strdup_printf ("%" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %s %s", site->id,
                                          site->revision, hours, wait);
  if (g_strcmp0 (key, self->shown) == 0)
    return;
  g_free (self->shown);
  self->shown = g_strdup (key);
  GtkWidget *child;
  while ((child = gtk_widget_get_first_child (GTK_WIDGET (self->facts))))
    gtk_grid_remove (self->facts, child);
  self->row = 0;
  gtk_label_set_label (self->title, site->name);
  show_resources (self, site);
  show_limits (self, site, facts);
  show_roots (self, site);
  show_machine (self, site);
}

char *
flg_site_detail_summary (FlgSiteDetail *self)
{
  return flg_site_steps_summary (self->steps);
}

static void
on_restart (FlgSiteDetail *self, gint64 worker)
{
  g_signal_emit (self, signals[RESTART], 0, worker);
}

void
flg_site_detail_set_context (FlgSiteDetail *self, FlgContext *context)
{
  self->experiment = g_object_ref (flg_context_experiment (context));
  self->steps = FLG_SITE_STEPS (flg_site_steps_new (flg_context_links (context)));
  self->workers = FLG_SITE_WORKERS (flg_site_workers_new (self->experiment));
  gtk_widget_set_hexpand (GTK_WIDGET (self->steps), TRUE);
  gtk_box_append (self->steps_slot, GTK_WIDGET (self->steps));
  gtk_box_append (self->workers_slot, GTK_WIDGET (self->workers));
  g_signal_connect_object (self->workers, "restart", G_CALLBACK (on_restart), self, G_CONNECT_SWAPPED);
}

static void
flg_site_detail_dispose (GObject *object)
{
  gtk_widget_dispose_template (GTK_WIDGET (object), FLG_TYPE_SITE_DETAIL);
  g_clear_object (&FLG_SITE_DETAIL (object)->experiment);
  G_OBJECT_CLASS (flg_site_detail_parent_class)->dispose (object);
}

static void
flg_site_detail_finalize (GObject *object)
{
  g_free (FLG_SITE_DETAIL (object)->shown);
  G_OBJECT_CLASS (flg_site_detail_parent_class)->finalize (object);
}

static void
flg_site_detail_class_init (FlgSiteDetailClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = flg_site_detail_dispose;
  G_OBJECT_CLASS (klass)->finalize = flg_site_detail_finalize;
  signals[RESTART] = g_signal_new ("restart", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                   NULL, G_TYPE_NONE, 1, G_TYPE_INT64);
  gtk_widget_class_set_template_from_resource (widget_class, "/io/firstlight/gui/site-detail.ui");
  gtk_widget_class_bind_template_child (widget_class, FlgSiteDetail, title);
  gtk_widget_class_bind_template_child (widget_class, FlgSiteDetail, facts);
  gtk_widget_class_bind_template_child (widget_class, FlgSiteDetail, workers_slot);
  gtk_widget_class_bind_template_child (widget_class, FlgSiteDetail, steps_slot);
  gtk_widget_class_bind_template_child (widget_class, FlgSiteDetail, steps_title);
}

static void
flg_site_detail_init (FlgSiteDetail *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
