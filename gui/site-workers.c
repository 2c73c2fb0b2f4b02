#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/site-workers.h"

#include <glib/gi18n.h>

#include <string.h>

#include "gui/people.h"
#include "gui/text.h"
#include "widgets/readout.h"
#include "widgets/status-chip.h"

struct _FlgSiteWorkers
{
  GtkBox parent_instance;
  FlgExperiment *experiment;
  gint64 site;
  GtkGrid *grid;
  char *shown; /* what the rows were built for */
};

enum
{
  RESTART,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlgSiteWorkers, flg_site_workers, GTK_TYPE_BOX)

static void
set_chip (GtkWidget *chip, const char *state)
{
  static const struct
  {
    const char *state, *word;
    FlwShape shape;
    FlwTone tone;
  } known[] = {
    { "ok", N_ ("works"), FLW_SHAPE_DISC, FLW_TONE_GOOD },
    { "up", N_ ("up"), FLW_SHAPE_DISC, FLW_TONE_GOOD },
    { "slow", N_ ("slow"), FLW_SHAPE_CLOCK, FLW_TONE_WARNING },
    { "waiting", N_ ("waits"), FLW_SHAPE_RING, FLW_TONE_NEUTRAL },
    { "connecting", N_ ("connecting"), FLW_SHAPE_HALF, FLW_TONE_ACTIVE },
    { "asking", N_ ("asks"), FLW_SHAPE_RING, FLW_TONE_WARNING },
    { "failing", N_ ("fails"), FLW_SHAPE_CROSS, FLW_TONE_BAD },
    { "lost", N_ ("lost"), FLW_SHAPE_CROSS, FLW_TONE_BAD },
    { "stopped", N_ ("stopped"), FLW_SHAPE_SQUARE, FLW_TONE_NEUTRAL },
    { "offline", N_ ("offline"), FLW_SHAPE_DASH, FLW_TONE_NEUTRAL },
  };
  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    if (strcmp (known[i].state, state) == 0)
      {
        flw_status_chip_set (FLW_STATUS_CHIP (chip), known[i].shape, known[i].tone, _ (known[i].word));
        return;
      }
  flw_status_chip_set (FLW_STATUS_CHIP (chip), FLW_SHAPE_DASH, FLW_TONE_NEUTRAL, state);
}

/* What people call it: "poll:cori" is "asks the scheduler". */
static char *
title_of (const char *name)
{
  static const struct
  {
    const char *prefix, *title;
  } known[] = { { "link:", N_ ("Login") },
                { "submit:", N_ ("Submits jobs") },
                { "poll:", N_ ("Asks the scheduler") },
                { "journals:", N_ ("Brings journals") },
                { "runs:", N_ ("Looks for runs there") },
                { "runs", N_ ("Looks for runs") },
                { "plan", N_ ("Plans jobs") },
                { "ingest", N_ ("Takes in journals") } };
  if (g_str_has_prefix (name, "dataset:"))
    {
      g_autofree char *dataset = flg_text_bounded (name + strlen ("dataset:"), 40);
      return g_strdup_printf (_ ("Dataset %s"), dataset);
    }
  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    if (g_str_has_prefix (name, known[i].prefix))
      return g_strdup (_ (known[i].title));
  return g_strdup (name);
}

static char *
ago (guint64 then, guint64 now)
{
  g_autofree char *age = then ? flw_format_age (now > then ? (double) (now - then) / 1e9 : 0) : NULL;
  return age ? g_strdup_printf (_ ("%s ago"), age) : g_strdup ("–");
}

static GtkWidget *
text (FlgSiteWorkers *self, int column, int row, const char *words, const char *css_class)
{
  GtkWidget *label = gtk_label_new (words);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  if (css_class)
    gtk_widget_add_css_class (label, css_class);
  gtk_grid_attach (self->grid, label, column, row, 1, 1);
  return label;
}

static void
on_restart (GtkButton *button, FlgSiteWorkers *self)
{
  g_signal_emit (self, signals[RESTART], 0, *(gint64 *) g_object_get_data (G_OBJECT (button), "worker"));
}

static void
add_row (FlgSiteWorkers *self, int row, const FlWorker *worker, guint64 now)
{
  g_autofree char *title = title_of (worker->name);
  text (self, 0, row, title, NULL);
  GtkWidget *chip = flw_status_chip_new ();
  gtk_widget_set_halign (chip, GTK_ALIGN_START);
  set_chip (chip, worker->state);
  gtk_grid_attach (self->grid, chip, 1, row, 1, 1);
  g_autofree char *good = ago (worker->last_success, now);
  text (self, 2, row, good, "numeric");
  gboolean bad = worker->failures > 0;
  g_autofree char *left =
      worker->next_try > now ? flw_format_age ((double) (worker->next_try - now) / 1e9) : NULL;
  g_autofree char *next = left ? g_strdup_printf (_ ("in %s"), left) : g_strdup ("–");
  text (self, 3, row, next, "numeric");
  g_autofree char *says = flg_text_bounded (worker->message, 300);
  g_autofree char *often =
      bad ? g_strdup_printf (ngettext ("%d failure: %s", "%d failures: %s", (gulong) worker->failures),
                             worker->failures, says)
          : g_strdup (says);
  GtkWidget *message = text (self, 4, row, often, bad ? "bad" : "dim-label");
  gtk_label_set_ellipsize (GTK_LABEL (message), PANGO_ELLIPSIZE_END);
  gtk_label_set_wrap (GTK_LABEL (message), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (message), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_lines (GTK_LABEL (message), 2);
  gtk_widget_set_hexpand (message, TRUE);
  gtk_widget_set_tooltip_text (message, *says ? says : NULL);
  GtkWidget *button = gtk_button_new_with_label (worker->restart_wanted ? _ ("Restarting") : _ ("Restart"));
  gtk_widget_set_sensitive (button, !worker->restart_wanted && flg_may_change (self->experiment));
  g_object_set_data_full (G_OBJECT (button), "worker", g_memdup2 (&worker->id, sizeof worker->id), g_free);
  g_signal_connect_object (button, "clicked", G_CALLBACK (on_restart), self, 0);
  gtk_grid_attach (self->grid, button, 5, row, 1, 1);
}

/* Seconds go on without new rows, unless something else differs: a button stays where it is. */
void
flg_site_workers_refresh (FlgSiteWorkers *self)
{
  static const char *const heads[] = { N_ ("Worker"), N_ ("State"), N_ ("Last success"), N_ ("Next try"),
                                       N_ ("What it says") };
  FlgRecordModel *workers = flg_experiment_table (self->experiment, FL_TABLE_WORKER);
  guint64 now = flg_experiment_now (self->experiment);
  g_autoptr (GString) key = g_string_new (NULL);
  g_autoptr (GPtrArray) ours = g_ptr_array_new (); /* the site's own first */
  guint n_own = 0;
  for (guint i = 0; i < flg_record_model_count (workers); i++)
    {
      const FlWorker *worker = flg_record_worker (flg_record_model_at (workers, i));
      if (worker->site != self->site && worker->site != 0)
        continue;
      g_ptr_array_insert (ours, worker->site ? (int) n_own++ : -1, (gpointer) worker);
      g_autofree char *good = ago (worker->last_success, now);
      g_autofree char *left =
          worker->next_try > now ? flw_format_age ((double) (worker->next_try - now) / 1e9) : NULL;
      g_string_append_printf (key, "%s|%s|%s|%s|%d|%s|%d\n", worker->name, worker->state, good,
                              left ? left : "", worker->failures, worker->message, worker->restart_wanted);
    }
  if (g_strcmp0 (key->str, self->shown) == 0)
    return;
  g_free (self->shown);
  self->shown = g_strdup (key->str);
  GtkWidget *child;
  while ((child = gtk_widget_get_first_child (GTK_WIDGET (self->grid))))
    gtk_grid_remove (self->grid, child);
  if (ours->len == 0)
    text (self, 0, 0, _ ("The conductor has not worked here yet."), "dim-label");
  for (int i = 0; ours->len && i < (int) G_N_ELEMENTS (heads); i++)
    text (self, i, 0, _ (heads[i]), "dim-label");
  for (guint i = 0; i < ours->len; i++)
    add_row (self, (int) i + 1, ours->pdata[i], now);
}

void
flg_site_workers_set_site (FlgSiteWorkers *self, gint64 site)
{
  self->site = site;
  g_clear_pointer (&self->shown, g_free);
  flg_site_workers_refresh (self);
}

static void
flg_site_workers_finalize (GObject *object)
{
  FlgSiteWorkers *self = FLG_SITE_WORKERS (object);
  g_object_unref (self->experiment);
  g_free (self->shown);
  G_OBJECT_CLASS (flg_site_workers_parent_class)->finalize (object);
}

static void
flg_site_workers_class_init (FlgSiteWorkersClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = flg_site_workers_finalize;
  signals[RESTART] = g_signal_new ("restart", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                   NULL, G_TYPE_NONE, 1, G_TYPE_INT64);
}

static void
flg_site_workers_init (FlgSiteWorkers *self)
{
  self->grid = GTK_GRID (gtk_grid_new ());
  gtk_grid_set_row_spacing (self->grid, 4);
  gtk_grid_set_column_spacing (self->grid, 14);
  gtk_box_append (GTK_BOX (self), GTK_WIDGET (self->grid));
}

GtkWidget *
flg_site_workers_new (FlgExperiment *experiment)
{
  FlgSiteWorkers *self = g_object_new (FLG_TYPE_SITE_WORKERS, NULL);
  self->experiment = g_object_ref (experiment);
  return GTK_WIDGET (self);
}
