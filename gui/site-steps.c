#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/site-steps.h"

#include <glib/gi18n.h>

#include <string.h>

#include "widgets/readout.h"
#include "widgets/status-chip.h"

/* In the order in which they are taken (engine/control/site-probe.h). */
static const struct
{
  const char *name, *title;
  gboolean link; /* told by the link; only of a machine over SSH */
} kinds[] = {
  { "reach", N_ ("Reach the machine"), TRUE },
  { "host-key", N_ ("Host key"), TRUE },
  { "login", N_ ("Log in"), TRUE },
  { "scheduler", N_ ("Scheduler"), FALSE },
  { "account", N_ ("Account, partition"), FALSE },
  { "scratch", N_ ("Folder for jobs"), FALSE },
  { "engine", N_ ("Engine"), FALSE },
  { "mpi", N_ ("MPI on its nodes"), FALSE },
  { "gpu", N_ ("GPUs of a node"), FALSE },
};

#define N_KINDS G_N_ELEMENTS (kinds)

typedef struct
{
  GtkWidget *chip, *title, *message, *seconds, *advice;
  char *state;
} Row;

struct _FlgSiteSteps
{
  GtkBox parent_instance;
  FlgLinks *links;
  gint64 site;
  Row rows[N_KINDS];
  GtkWidget *age;
  guint beat;
};

G_DEFINE_FINAL_TYPE (FlgSiteSteps, flg_site_steps, GTK_TYPE_BOX)

static void
show_row (Row *row, const char *state, const char *message, const char *advice, double seconds)
{
  static const struct
  {
    const char *state, *word;
    FlwShape shape;
    FlwTone tone;
  } known[] = {
    { "waiting", N_ ("waits"), FLW_SHAPE_RING, FLW_TONE_NEUTRAL },
    { "running", N_ ("looking"), FLW_SHAPE_HALF, FLW_TONE_ACTIVE },
    { "ok", N_ ("good"), FLW_SHAPE_DISC, FLW_TONE_GOOD },
    { "failed", N_ ("failed"), FLW_SHAPE_CROSS, FLW_TONE_BAD },
    { "skipped", N_ ("skipped"), FLW_SHAPE_DASH, FLW_TONE_NEUTRAL },
  };
  guint i = 0;
  while (i + 1 < G_N_ELEMENTS (known) && strcmp (known[i].state, state) != 0)
    i++;
  g_free (row->state);
  row->state = g_strdup (known[i].state);
  flw_status_chip_set (FLW_STATUS_CHIP (row->chip), known[i].shape, known[i].tone, _ (known[i].word));
  gtk_label_set_label (GTK_LABEL (row->message), message);
  gtk_widget_set_tooltip_text (row->message, *message ? message : NULL);
  gtk_label_set_label (GTK_LABEL (row->advice), advice);
  gtk_widget_set_visible (row->advice, *advice != '\0');
  g_autofree char *took = seconds > 0 ? g_strdup_printf ("%.1f s", seconds) : g_strdup ("");
  gtk_label_set_label (GTK_LABEL (row->seconds), took);
}

/* --- what the link tells --- */

/* Which of reach, host key and login a link's failure is about, as far as its one line says. */
static guint
failed_at (const char *message)
{
  g_autofree char *low = g_utf8_strdown (message, -1);
  if (strstr (low, "host key") || strstr (low, "known_hosts") || strstr (low, "fingerprint"))
    return 1;
  static const char *const login[] = { "password", "refus", "denied", "authentic", "passphrase",
                                       "login",    "key",   "code",   "libssh2" };
  if (strstr (low, "connection refused"))
    return 0;
  for (guint i = 0; i < G_N_ELEMENTS (login); i++)
    if (strstr (low, login[i]))
      return 2;
  return 0;
}

static const char *
link_advice (guint at, const char *message)
{
  switch (strstr (message, "libssh2") ? 2 : at)
    {
    case 0:
      return _ ("Is the name right, and can this machine reach it (network, VPN, firewall)? Try “ssh” in a "
                "terminal.");
    case 1:
      return _ (
          "Compare with what the facility publishes. If it did change its key, remove the old line from "
          "~/.ssh/known_hosts and check again.");
    default:
      return _ ("Check user and key file. For certificates, jump hosts or RSA keys, connect with OpenSSH.");
    }
}

static void
show_link (FlgSiteSteps *self, const FlgLink *link, const FlSite *site)
{
  gboolean up = strcmp (link->state, "up") == 0 || strcmp (link->state, "slow") == 0;
  gboolean failed =
      (strcmp (link->state, "offline") == 0 && *link->message) || strcmp (link->state, "lost") == 0;
  gboolean begun = up || failed || strcmp (link->state, "offline") != 0 || link->question;
  guint at = up ? 3 : failed ? failed_at (link->message) : link->question ? 2 : 0;
  if (link->question && link->question->kind == FL_REMOTE_ASK_HOST_KEY)
    at = 1;
  for (guint i = 0; i < 3; i++)
    {
      const char *state = i < at ? "ok" : i > at || !begun ? "waiting" : failed ? "failed" : "running";
      g_autofree char *message = NULL;
      if (i == 0 && up && link->round_trip >= 0)
        message =
            g_strdup_printf (_ ("%s answers within %.0f ms"), site->host, (double) link->round_trip / 1000);
      else if (i == 2 && up)
        message = g_strdup (*link->message ? link->message : _ ("logged in"));
      else if (i == at && failed)
        message = g_strdup (link->message);
      else if (i == at && link->question)
        message = g_strdup (link->question->title);
      else if (i == 1 && at > 1)
        message = g_strdup (_ ("known"));
      show_row (&self->rows[i], state, message ? message : "",
                i == at && failed ? link_advice (at, link->message) : "", 0);
    }
}

/* --- what the probe tells --- */

static void
show_live (FlgSiteSteps *self, const FlgLink *link)
{
  gint64 now = g_get_monotonic_time ();
  for (guint i = 3; i < N_KINDS; i++)
    {
      const FlgStep *found = NULL;
      for (guint k = 0; k < link->steps->len; k++)
        if (strcmp (((FlgStep *) link->steps->pdata[k])->name, kinds[i].name) == 0)
          found = link->steps->pdata[k];
      gboolean running = found && strcmp (found->state, "running") == 0;
      if (found)
        show_row (&self->rows[i], found->state, found->message, found->advice,
                  running ? (double) (now - found->begun) / 1e6 : found->seconds);
      else
        show_row (&self->rows[i], "waiting", "", "", 0);
    }
}

/* FlSite.probe: "step<TAB>state<TAB>message" lines. */
static void
show_stored (FlgSiteSteps *self, const FlSite *site)
{
  g_auto (GStrv) lines = g_strsplit (site->probe, "\n", -1);
  for (guint i = 3; i < N_KINDS; i++)
    {
      show_row (&self->rows[i], "waiting", "", "", 0);
      for (guint k = 0; lines[k]; k++)
        {
          g_auto (GStrv) parts = g_strsplit (lines[k], "\t", 3);
          if (g_strv_length (parts) >= 2 && strcmp (parts[0], kinds[i].name) == 0)
            show_row (&self->rows[i], parts[1], parts[2] ? parts[2] : "", "", 0);
        }
    }
}

static void
show_age (FlgSiteSteps *self, const FlgLink *link, const FlSite *site)
{
  guint64 now = flg_experiment_now (flg_links_experiment (self->links));
  g_autofree char *age =
      site->probed && now > site->probed ? flw_format_age ((double) (now - site->probed) / 1e9) : NULL;
  g_autofree char *text = link->probing  ? g_strdup (_ ("being checked now"))
                          : link->probed ? g_strdup (link->well ? _ ("checked just now: all is well")
                                                                : _ ("checked just now: not all is well"))
                          : age          ? g_strdup_printf (_ ("checked %s ago"), age)
                                         : g_strdup (_ ("never checked"));
  gtk_label_set_label (GTK_LABEL (self->age), text);
}

static void
refresh (FlgSiteSteps *self)
{
  const FlgLink *link = flg_links_get (self->links, self->site);
  const FlSite *site = flg_experiment_site (flg_links_experiment (self->links), self->site);
  if (!site)
    return;
  gboolean far = strcmp (site->kind, "ssh") == 0;
  for (guint i = 0; i < N_KINDS; i++)
    {
      GtkWidget *of_row[] = { self->rows[i].chip, self->rows[i].title, self->rows[i].message,
                              self->rows[i].seconds };
      for (guint k = 0; k < G_N_ELEMENTS (of_row); k++)
        gtk_widget_set_visible (of_row[k], far || !kinds[i].link);
      if (!far && kinds[i].link)
        gtk_widget_set_visible (self->rows[i].advice, FALSE);
    }
  if (far)
    show_link (self, link, site);
  if (link->probing || link->steps->len)
    show_live (self, link);
  else
    show_stored (self, site);
  show_age (self, link, site);
}

void
flg_site_steps_set_site (FlgSiteSteps *self, gint64 site)
{
  self->site = site;
  refresh (self);
}

char *
flg_site_steps_summary (FlgSiteSteps *self)
{
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < N_KINDS; i++)
    {
      const char *message = gtk_label_get_label (GTK_LABEL (self->rows[i].message));
      if (gtk_widget_get_visible (self->rows[i].chip) && self->rows[i].state)
        g_string_append_printf (text, "%s%s %s%s%s", text->len ? "; " : "", kinds[i].name,
                                self->rows[i].state, *message ? ": " : "", message);
    }
  return g_string_free (text, FALSE);
}

/* Seconds of a step that is under way go on. */
static gboolean
on_beat (gpointer data)
{
  FlgSiteSteps *self = data;
  if (gtk_widget_get_mapped (GTK_WIDGET (self)))
    refresh (self);
  return G_SOURCE_CONTINUE;
}

static void
on_links (FlgSiteSteps *self, gint64 site)
{
  if (site == 0 || site == self->site)
    refresh (self);
}

static GtkWidget *
text_new (const char *text, const char *css_class, gboolean wrap)
{
  GtkWidget *label = gtk_label_new (text);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_widget_set_valign (label, GTK_ALIGN_START);
  if (css_class)
    gtk_widget_add_css_class (label, css_class);
  if (wrap)
    {
      gtk_label_set_wrap (GTK_LABEL (label), TRUE);
      gtk_label_set_wrap_mode (GTK_LABEL (label), PANGO_WRAP_WORD_CHAR);
      gtk_label_set_lines (GTK_LABEL (label), 3);
      gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
      gtk_widget_set_hexpand (label, TRUE);
    }
  return label;
}

static void
add_row (FlgSiteSteps *self, GtkGrid *grid, guint i)
{
  Row *row = &self->rows[i];
  row->chip = flw_status_chip_new ();
  gtk_widget_set_halign (row->chip, GTK_ALIGN_START);
  gtk_widget_set_valign (row->chip, GTK_ALIGN_START);
  row->title = text_new (_ (kinds[i].title), NULL, FALSE);
  row->message = text_new ("", NULL, TRUE);
  row->seconds = text_new ("", "numeric", FALSE);
  gtk_widget_add_css_class (row->seconds, "dim-label");
  gtk_label_set_width_chars (GTK_LABEL (row->seconds), 7);
  gtk_label_set_xalign (GTK_LABEL (row->seconds), 1);
  row->advice = text_new ("", "advice", TRUE);
  gtk_label_set_lines (GTK_LABEL (row->advice), -1);
  gtk_label_set_ellipsize (GTK_LABEL (row->advice), PANGO_ELLIPSIZE_NONE);
  int at = (int) i * 2;
  gtk_grid_attach (grid, row->title, 0, at, 1, 1);
  gtk_grid_attach (grid, row->chip, 1, at, 1, 1);
  gtk_grid_attach (grid, row->message, 2, at, 1, 1);
  gtk_grid_attach (grid, row->seconds, 3, at, 1, 1);
  gtk_grid_attach (grid, row->advice, 2, at + 1, 2, 1);
}

static void
flg_site_steps_dispose (GObject *object)
{
  FlgSiteSteps *self = FLG_SITE_STEPS (object);
  g_clear_handle_id (&self->beat, g_source_remove);
  g_clear_object (&self->links);
  for (guint i = 0; i < N_KINDS; i++)
    g_clear_pointer (&self->rows[i].state, g_free);
  G_OBJECT_CLASS (flg_site_steps_parent_class)->dispose (object);
}

static void
flg_site_steps_class_init (FlgSiteStepsClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = flg_site_steps_dispose;
}

static void
flg_site_steps_init (FlgSiteSteps *self)
{
  gtk_orientable_set_orientation (GTK_ORIENTABLE (self), GTK_ORIENTATION_VERTICAL);
  gtk_box_set_spacing (GTK_BOX (self), 8);
  GtkGrid *grid = GTK_GRID (gtk_grid_new ());
  gtk_grid_set_row_spacing (grid, 5);
  gtk_grid_set_column_spacing (grid, 14);
  for (guint i = 0; i < N_KINDS; i++)
    add_row (self, grid, i);
  self->age = text_new ("", "dim-label", FALSE);
  gtk_box_append (GTK_BOX (self), GTK_WIDGET (grid));
  gtk_box_append (GTK_BOX (self), self->age);
}

GtkWidget *
flg_site_steps_new (FlgLinks *links)
{
  FlgSiteSteps *self = g_object_new (FLG_TYPE_SITE_STEPS, NULL);
  self->links = g_object_ref (links);
  g_signal_connect_object (links, "changed", G_CALLBACK (on_links), self, G_CONNECT_SWAPPED);
  self->beat = g_timeout_add (500, on_beat, self);
  return GTK_WIDGET (self);
}
