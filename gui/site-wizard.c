#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/site-wizard.h"

#include <glib/gi18n.h>

#include <string.h>

#include "gui/site-hosts.h"
#include "gui/site-steps.h"

#define HOST_BUTTONS 5

typedef enum
{
  STEP_MACHINE,
  STEP_FOLDERS,
  STEP_CHECK,
  STEP_RESOURCES,
  STEP_SUMMARY,
  N_STEPS
} Step;

static const struct
{
  const char *name, *title, *what;
} steps[N_STEPS] = {
  { "machine", N_ ("Machine"), N_ ("Where shall jobs run?") },
  { "folders", N_ ("Folders"), N_ ("Where do things lie there?") },
  { "check", N_ ("Check"), N_ ("Does it work?") },
  { "resources", N_ ("Resources"), N_ ("What shall a job ask for?") },
  { "summary", N_ ("Go"), N_ ("All that is known of the new site") },
};

struct _FlgSiteWizard
{
  GtkWindow parent_instance;
  FlgContext *context;
  FlgLinks *links;
  FlgSiteForm *form;
  GtkStack *stack;
  GtkWidget *heads[N_STEPS];
  GtkLabel *title, *complaint, *reason, *found, *summary;
  GtkWidget *over_ssh, *hosts, *openssh, *openssh_row, *back, *next, *hold, *go;
  FlgSiteSteps *check, *check_again; /* on the pages "check" and "summary" */
  Step step;
  gint64 site;   /* the unfinished record; 0: not made yet */
  char *checked; /* what was asked for when the last check began; NULL: none has */
  gboolean writing, connected, finished, closed;
  gboolean probe_when_up;
};

G_DEFINE_FINAL_TYPE (FlgSiteWizard, flg_site_wizard, GTK_TYPE_WINDOW)

static void go_to (FlgSiteWizard *self, Step step);
static void refresh (FlgSiteWizard *self);

static gboolean
is_far (FlgSiteWizard *self)
{
  return strcmp (flg_site_form_kind (self->form), "ssh") == 0;
}

/* --- writing --- */

typedef struct
{
  FlgSiteWizard *wizard; /* a reference */
  Step next;             /* N_STEPS: it is finished */
  gint64 made;
} Written;

static gpointer
remove_site (FlStore *store, gpointer data, GError **error)
{
  return GINT_TO_POINTER (fl_store_remove (store, FL_TABLE_SITE, *(gint64 *) data, error));
}

/* Nobody waits for it: when the store is gone, so is whoever would be told. */
static void
on_removed (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;
  if (!flg_context_write_finish (FLG_CONTEXT (source), result, &error))
    g_warning ("an unfinished site stays: %s", error->message);
}

static void
drop_record (FlgSiteWizard *self)
{
  if (self->site == 0)
    return;
  flg_links_stop_probe (self->links, self->site);
  if (is_far (self))
    flg_links_disconnect (self->links, self->site);
  flg_context_write (self->context, "unfinished site removed", remove_site,
                     g_memdup2 (&self->site, sizeof self->site), g_free, on_removed, NULL);
  self->site = 0;
}

static void
on_written (GObject *source, GAsyncResult *result, gpointer data)
{
  Written *written = data;
  g_autoptr (FlgSiteWizard) self = written->wizard;
  g_autoptr (GError) error = NULL;
  gboolean good = flg_context_write_finish (FLG_CONTEXT (source), result, &error);
  Step next = written->next;
  if (good)
    self->site = written->made;
  g_free (written);
  self->writing = FALSE;
  if (self->closed)
    {
      drop_record (self); /* cancelled meanwhile */
      return;
    }
  if (!good)
    {
      gtk_label_set_label (self->complaint, error->message);
      return;
    }
  flg_site_form_set_id (self->form, self->site);
  if (next == N_STEPS)
    {
      self->finished = TRUE;
      gtk_window_destroy (GTK_WINDOW (self));
      return;
    }
  go_to (self, next);
}

/* Writes what is known so far, then goes to `next`; N_STEPS: the site is there and gets jobs. */
static void
write_and_go (FlgSiteWizard *self, Step next)
{
  FlgSiteDraft *draft = flg_site_form_draft (self->form);
  Written *written = g_new (Written, 1);
  *written = (Written){ g_object_ref (self), next, 0 };
  draft->site.active = next == N_STEPS;
  draft->made = &written->made;
  self->writing = TRUE;
  g_autofree char *what =
      g_strdup_printf ("site %s: %s", draft->site.name, next == N_STEPS ? "added" : "being set up");
  flg_context_write (self->context, what, flg_site_draft_write, draft, (GDestroyNotify) flg_site_draft_free,
                     on_written, written);
  refresh (self);
}

/* --- checking --- */

/* What the check's answer hangs on. */
static char *
asked_for (FlgSiteWizard *self)
{
  static const char *const columns[] = { "host",      "user",          "port",   "identity",    "transport",
                                         "partition", "account",       "qos",    "reservation", "features",
                                         "nodes",     "gpus_per_rank", "engine", "container",   "launcher" };
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    g_string_append_printf (text, "%s\n", flg_site_form_get (self->form, columns[i]));
  g_autofree char *root = g_strdup_printf ("root:%s", flg_site_form_get (self->form, "scratch"));
  g_string_append (text, flg_site_form_get (self->form, root));
  return g_string_free (text, FALSE);
}

static void
probe (FlgSiteWizard *self)
{
  g_free (self->checked);
  self->checked = asked_for (self);
  self->probe_when_up = FALSE;
  flg_links_probe (self->links, self->site, TRUE);
}

static gboolean
is_up (const FlgLink *link)
{
  return strcmp (link->state, "up") == 0 || strcmp (link->state, "slow") == 0;
}

/* The login comes first; the rest as soon as it is there. */
static void
check (FlgSiteWizard *self)
{
  const FlgLink *link = flg_links_get (self->links, self->site);
  if (is_far (self) && !is_up (link))
    {
      self->probe_when_up = TRUE;
      flg_links_connect (self->links, self->site);
    }
  else
    probe (self);
}

static void
act_check (GtkWidget *widget, const char *action, GVariant *target)
{
  check (FLG_SITE_WIZARD (widget));
}

static void
act_use_openssh (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgSiteWizard *self = FLG_SITE_WIZARD (widget);
  flg_site_form_set (self->form, "transport", "openssh");
  flg_links_disconnect (self->links, self->site);
  self->connected = FALSE;
  self->probe_when_up = self->step == STEP_CHECK;
  write_and_go (self, self->step);
}

/* Why libssh2 cannot do it, as far as can be told from here; or that it was tried and did not get in. */
static void
show_transport (FlgSiteWizard *self)
{
  const FlgLink *link = flg_links_get (self->links, self->site);
  gboolean other = strcmp (flg_site_form_get (self->form, "transport"), "openssh") != 0;
  gboolean failed = strcmp (link->state, "offline") == 0 && *link->message;
  g_autofree char *why = NULL;
  if (is_far (self) && other && self->site)
    {
      g_autofree char *host = g_strdup (flg_site_form_get (self->form, "host"));
      g_autofree char *user = g_strdup (flg_site_form_get (self->form, "user"));
      g_autofree char *identity = g_strdup (flg_site_form_get (self->form, "identity"));
      FlRemoteConfig config = { .host = host,
                                .user = user,
                                .identity = identity,
                                .port = (int) g_ascii_strtoll (flg_site_form_get (self->form, "port"), NULL,
                                                               10) };
      g_autofree char *reason = fl_remote_why_not_libssh2 (&config);
      if (reason)
        why = g_strdup_printf (_ ("libssh2 will not do: %s"), reason);
      else if (failed)
        why = g_strdup (
            _ ("The installed OpenSSH client knows your ~/.ssh/config, certificates and jump hosts."));
    }
  gtk_widget_set_visible (self->openssh_row, why != NULL);
  gtk_label_set_label (self->reason, why ? why : "");
}

/* --- steps --- */

static gboolean
skips (FlgSiteWizard *self, Step step)
{
  return step == STEP_FOLDERS && !is_far (self);
}

static void
show_summary (FlgSiteWizard *self)
{
  static const struct
  {
    const char *column, *label;
  } lines[] = { { "name", N_ ("Name") },         { "host", N_ ("Machine") },
                { "user", N_ ("User there") },   { "partition", N_ ("Partition") },
                { "account", N_ ("Account") },   { "qos", N_ ("Quality of service") },
                { "nodes", N_ ("Nodes a job") }, { "minutes", N_ ("Minutes a job") } };
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      const char *value = flg_site_form_get (self->form, lines[i].column);
      if (*value && (is_far (self) || (strcmp (lines[i].column, "host") && strcmp (lines[i].column, "user"))))
        g_string_append_printf (text, "%s%s: %s", text->len ? "   ·   " : "", _ (lines[i].label), value);
    }
  gtk_label_set_label (self->summary, text->str);
}

/* What the scheduler said to the job that was tried: "Set the account that your group has. There are: a, b." Its names are offered. */
static void
show_found (FlgSiteWizard *self)
{
  static const struct
  {
    const char *word, *column;
  } about[] = { { "partition", "partition" },
                { "account", "account" },
                { "quality of service", "qos" },
                { "reservation", "reservation" } };
  static const char before[] = "There are: ";
  const FlgLink *link = flg_links_get (self->links, self->site);
  const char *advice = "";
  for (guint i = 0; i < link->steps->len; i++)
    if (strcmp (((FlgStep *) link->steps->pdata[i])->name, "account") == 0)
      advice = ((FlgStep *) link->steps->pdata[i])->advice;
  gtk_label_set_label (self->found, advice);
  gtk_widget_set_visible (GTK_WIDGET (self->found), *advice != '\0');
  const char *list = strstr (advice, before);
  if (!list)
    return;
  g_autofree char *text = g_strndup (list + strlen (before), strcspn (list + strlen (before), "."));
  g_auto (GStrv) names = g_strsplit (text, ", ", -1);
  for (guint i = 0; i < G_N_ELEMENTS (about); i++)
    if (strstr (advice, about[i].word))
      {
        flg_site_form_offer (self->form, about[i].column, (const char *const *) names);
        return;
      }
}

static void
on_entered (FlgSiteWizard *self, Step step)
{
  if (self->site)
    {
      flg_site_steps_set_site (self->check, self->site);
      flg_site_steps_set_site (self->check_again, self->site);
    }
  /* The person may be asked for passwords while the folders are being filled in. */
  if (step > STEP_MACHINE && is_far (self) && !self->connected)
    {
      self->connected = TRUE;
      flg_links_connect (self->links, self->site);
    }
  g_autofree char *now = asked_for (self);
  gboolean stale = g_strcmp0 (now, self->checked) != 0;
  if ((step == STEP_CHECK || step == STEP_SUMMARY) && stale)
    check (self);
  if (step == STEP_SUMMARY)
    show_summary (self);
  if (step == STEP_RESOURCES)
    show_found (self);
}

static void
go_to (FlgSiteWizard *self, Step step)
{
  self->step = step;
  gtk_stack_set_visible_child_name (self->stack, steps[step].name);
  gtk_label_set_label (self->title, _ (steps[step].what));
  for (guint i = 0; i < N_STEPS; i++)
    {
      gtk_widget_remove_css_class (self->heads[i], "here");
      if (i == step)
        gtk_widget_add_css_class (self->heads[i], "here");
      gtk_widget_set_visible (self->heads[i], !skips (self, i));
    }
  on_entered (self, step);
  refresh (self);
}

static char *
complaint_of_step (FlgSiteWizard *self)
{
  static const FlgSiteGroup groups[] = { FLG_SITE_MACHINE, FLG_SITE_FOLDERS, FLG_SITE_GROUPS,
                                         FLG_SITE_RESOURCES, FLG_SITE_GROUPS };
  return groups[self->step] < FLG_SITE_GROUPS ? flg_site_form_complaint (self->form, groups[self->step])
                                              : NULL;
}

static void
act_next (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgSiteWizard *self = FLG_SITE_WIZARD (widget);
  Step next = self->step + 1;
  if (next >= N_STEPS || self->writing)
    return;
  write_and_go (self, skips (self, next) ? next + 1 : next);
}

static void
act_back (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgSiteWizard *self = FLG_SITE_WIZARD (widget);
  if (self->step == STEP_MACHINE || self->writing)
    return;
  Step back = self->step - 1;
  go_to (self, skips (self, back) ? back - 1 : back);
}

static void
act_finish (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgSiteWizard *self = FLG_SITE_WIZARD (widget);
  if (self->writing || self->site == 0)
    return;
  flg_site_form_set (self->form, "hold", g_variant_get_boolean (target) ? "1" : "0");
  write_and_go (self, N_STEPS);
}

static void
act_cancel (GtkWidget *widget, const char *action, GVariant *target)
{
  gtk_window_close (GTK_WINDOW (widget));
}

static void
refresh (FlgSiteWizard *self)
{
  g_autofree char *complaint = complaint_of_step (self);
  gboolean last = self->step == STEP_SUMMARY;
  gboolean silent = !flg_links_is_connected (self->links);
  gtk_label_set_label (self->complaint, complaint ? complaint
                                        : silent && self->step >= STEP_CHECK
                                            ? _ ("The conductor does not answer: nothing can be checked now.")
                                            : "");
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "wizard.next", !complaint && !self->writing && !last);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "wizard.back",
                                 self->step != STEP_MACHINE && !self->writing);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "wizard.finish", last && !self->writing);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "wizard.check",
                                 self->site && !silent && !flg_links_get (self->links, self->site)->probing);
  gtk_widget_set_visible (self->next, !last);
  gtk_widget_set_visible (self->hold, last);
  gtk_widget_set_visible (self->go, last);
  show_transport (self);
}

static void
on_links (FlgSiteWizard *self, gint64 site)
{
  if (self->site && self->probe_when_up && is_up (flg_links_get (self->links, self->site)))
    probe (self);
  if (site == 0 || site == self->site)
    refresh (self);
}

/* --- machine --- */

static void
on_kind (FlgSiteWizard *self)
{
  gboolean far = gtk_check_button_get_active (GTK_CHECK_BUTTON (self->over_ssh));
  flg_site_form_set_kind (self->form, far ? "ssh" : "slurm");
  gtk_widget_set_visible (self->hosts, far);
  for (guint i = 0; i < N_STEPS; i++)
    gtk_widget_set_visible (self->heads[i], !skips (self, i));
}

/* "perlmutter.nersc.gov" -> "perlmutter". */
static void
on_host_button (GtkButton *button, FlgSiteWizard *self)
{
  const char *host = gtk_button_get_label (button);
  flg_site_form_set (self->form, "host", host);
  if (*flg_site_form_get (self->form, "name"))
    return;
  g_autofree char *name = g_strndup (host, strcspn (host, "."));
  flg_site_form_set (self->form, "name", name);
}

static GtkWidget *
words (const char *text, const char *css_class)
{
  GtkWidget *label = gtk_label_new (text);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (label), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_max_width_chars (GTK_LABEL (label), 80);
  if (css_class)
    gtk_widget_add_css_class (label, css_class);
  return label;
}

static GtkWidget *
machine_page (FlgSiteWizard *self)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 10);
  GtkWidget *slurm =
      gtk_check_button_new_with_label (_ ("Slurm of this machine: sbatch and squeue are here"));
  self->over_ssh = gtk_check_button_new_with_label (_ ("Slurm of another machine, over SSH"));
  gtk_check_button_set_group (GTK_CHECK_BUTTON (slurm), GTK_CHECK_BUTTON (self->over_ssh));
  gtk_check_button_set_active (GTK_CHECK_BUTTON (self->over_ssh), TRUE);
  gtk_box_append (GTK_BOX (box), self->over_ssh);
  gtk_box_append (GTK_BOX (box), slurm);
  gtk_box_append (GTK_BOX (box), flg_site_form_group (self->form, FLG_SITE_MACHINE));
  self->hosts = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  g_auto (GStrv) known = flg_site_hosts (NULL);
  if (known[0])
    gtk_box_append (GTK_BOX (self->hosts), words (_ ("Met before:"), "dim-label"));
  for (guint i = 0; known[i] && i < HOST_BUTTONS; i++)
    {
      GtkWidget *button = gtk_button_new_with_label (known[i]);
      g_signal_connect_object (button, "clicked", G_CALLBACK (on_host_button), self, 0);
      gtk_box_append (GTK_BOX (self->hosts), button);
    }
  flg_site_form_offer (self->form, "host", (const char *const *) known);
  gtk_box_append (GTK_BOX (box), self->hosts);
  g_signal_connect_object (self->over_ssh, "toggled", G_CALLBACK (on_kind), self, G_CONNECT_SWAPPED);
  return box;
}

/* --- the other pages --- */

static GtkWidget *
folders_page (FlgSiteWizard *self)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 10);
  gtk_box_append (
      GTK_BOX (box),
      words (
          _ ("Each root of the experiment, and its folder there. Left empty, it lies under the same path as "
             "here (a shared disk). Jobs need a folder that all of its nodes see."),
          "dim-label"));
  gtk_box_append (GTK_BOX (box), flg_site_form_group (self->form, FLG_SITE_FOLDERS));
  return box;
}

static GtkWidget *
check_page (FlgSiteWizard *self)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 12);
  self->check = FLG_SITE_STEPS (flg_site_steps_new (self->links));
  GtkWidget *button = gtk_button_new_with_label (_ ("Check again"));
  gtk_actionable_set_action_name (GTK_ACTIONABLE (button), "wizard.check");
  gtk_widget_set_halign (button, GTK_ALIGN_START);
  gtk_box_append (GTK_BOX (box), GTK_WIDGET (self->check));
  gtk_box_append (GTK_BOX (box), button);
  return box;
}

static GtkWidget *
resources_page (FlgSiteWizard *self)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 10);
  self->found = GTK_LABEL (words (NULL, "advice"));
  flg_site_form_hide (self->form, "hold"); /* the last step decides */
  flg_site_form_hide (self->form, "active");
  gtk_box_append (GTK_BOX (box), GTK_WIDGET (self->found));
  gtk_box_append (GTK_BOX (box), flg_site_form_group (self->form, FLG_SITE_RESOURCES));
  gtk_box_append (GTK_BOX (box), words (_ ("Limits"), "heading"));
  gtk_box_append (GTK_BOX (box), flg_site_form_group (self->form, FLG_SITE_LIMITS));
  return box;
}

static GtkWidget *
summary_page (FlgSiteWizard *self)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 12);
  self->summary = GTK_LABEL (words (NULL, NULL));
  self->check_again = FLG_SITE_STEPS (flg_site_steps_new (self->links));
  gtk_box_append (GTK_BOX (box), GTK_WIDGET (self->summary));
  gtk_box_append (GTK_BOX (box), GTK_WIDGET (self->check_again));
  gtk_box_append (
      GTK_BOX (box),
      words (
          _ ("On hold, jobs are planned and wait until somebody approves them on the page Jobs. The data and "
             "results of jobs stay there; plots, images and logs come here."),
          "dim-label"));
  return box;
}

static GtkWidget *
button_new (const char *label, const char *action)
{
  GtkWidget *button = gtk_button_new_with_label (label);
  gtk_actionable_set_action_name (GTK_ACTIONABLE (button), action);
  return button;
}

static GtkWidget *
finish_button (const char *label, gboolean hold)
{
  GtkWidget *button = button_new (label, "wizard.finish");
  gtk_actionable_set_action_target (GTK_ACTIONABLE (button), "b", hold);
  return button;
}

static GtkWidget *
foot_new (FlgSiteWizard *self)
{
  GtkWidget *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 8);
  GtkWidget *cancel = button_new (_ ("Cancel"), "wizard.cancel");
  self->complaint = GTK_LABEL (words (NULL, "complaint"));
  gtk_widget_set_hexpand (GTK_WIDGET (self->complaint), TRUE);
  self->back = button_new (_ ("Back"), "wizard.back");
  self->next = button_new (_ ("Next"), "wizard.next");
  self->hold = finish_button (_ ("Add it, on hold"), TRUE);
  self->go = finish_button (_ ("Add it and go"), FALSE);
  gtk_widget_add_css_class (self->next, "suggested-action");
  gtk_widget_add_css_class (self->go, "suggested-action");
  GtkWidget *all[] = { GTK_WIDGET (self->complaint), cancel, self->back, self->next, self->hold, self->go };
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    gtk_box_append (GTK_BOX (row), all[i]);
  gtk_widget_add_css_class (row, "dialog-buttons");
  return row;
}

static GtkWidget *
head_new (FlgSiteWizard *self)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 10),
            *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  for (guint i = 0; i < N_STEPS; i++)
    {
      self->heads[i] = words (_ (steps[i].title), "wizard-step");
      gtk_box_append (GTK_BOX (row), self->heads[i]);
    }
  self->title = GTK_LABEL (words (NULL, "title-3"));
  gtk_box_append (GTK_BOX (box), row);
  gtk_box_append (GTK_BOX (box), GTK_WIDGET (self->title));
  self->openssh_row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 10);
  self->reason = GTK_LABEL (words (NULL, "advice"));
  gtk_widget_set_hexpand (GTK_WIDGET (self->reason), TRUE);
  self->openssh = button_new (_ ("Use OpenSSH"), "wizard.use-openssh");
  gtk_widget_set_valign (self->openssh, GTK_ALIGN_START);
  gtk_box_append (GTK_BOX (self->openssh_row), GTK_WIDGET (self->reason));
  gtk_box_append (GTK_BOX (self->openssh_row), self->openssh);
  gtk_box_append (GTK_BOX (box), self->openssh_row);
  return box;
}

static void
build (FlgSiteWizard *self)
{
  GtkWidget *(*const pages[N_STEPS]) (FlgSiteWizard *) = { machine_page, folders_page, check_page,
                                                           resources_page, summary_page };
  GtkWidget *all = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0),
            *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 14);
  GtkWidget *scroll = gtk_scrolled_window_new (), *head = head_new (self), *foot = foot_new (self);
  self->stack = GTK_STACK (gtk_stack_new ());
  gtk_stack_set_vhomogeneous (self->stack, FALSE);
  gtk_stack_set_hhomogeneous (self->stack, FALSE);
  for (guint i = 0; i < N_STEPS; i++)
    gtk_stack_add_named (self->stack, pages[i](self), steps[i].name);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroll), GTK_WIDGET (self->stack));
  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (scroll), GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
  gtk_widget_set_vexpand (scroll, TRUE);
  gtk_box_append (GTK_BOX (box), head);
  gtk_box_append (GTK_BOX (box), scroll);
  gtk_widget_add_css_class (box, "dialog");
  gtk_box_append (GTK_BOX (all), box);
  gtk_box_append (GTK_BOX (all), foot);
  gtk_window_set_child (GTK_WINDOW (self), all);
}

/* --- window --- */

FlgSiteForm *
flg_site_wizard_form (FlgSiteWizard *self)
{
  return self->form;
}

const char *
flg_site_wizard_step (FlgSiteWizard *self)
{
  return steps[self->step].name;
}

char *
flg_site_wizard_summary (FlgSiteWizard *self)
{
  return flg_site_steps_summary (self->check);
}

GtkWidget *
flg_site_wizard_new (GtkWindow *parent, FlgContext *context)
{
  FlgSiteWizard *self =
      g_object_new (FLG_TYPE_SITE_WIZARD, "transient-for", parent, "modal", TRUE, "destroy-with-parent", TRUE,
                    "default-width", 860, "default-height", 660, "title", _ ("Add a site"), NULL);
  self->context = g_object_ref (context);
  self->links = g_object_ref (flg_context_links (context));
  self->form = flg_site_form_new (flg_context_experiment (context), NULL, FALSE, "ssh");
  build (self);
  g_signal_connect_object (self->form, "changed", G_CALLBACK (refresh), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->links, "changed", G_CALLBACK (on_links), self, G_CONNECT_SWAPPED);
  on_kind (self);
  go_to (self, STEP_MACHINE);
  return GTK_WIDGET (self);
}

static gboolean
on_escape (GtkWidget *widget, GVariant *args, gpointer data)
{
  gtk_window_close (GTK_WINDOW (widget));
  return TRUE;
}

static void
flg_site_wizard_dispose (GObject *object)
{
  FlgSiteWizard *self = FLG_SITE_WIZARD (object);
  if (!self->closed && self->form)
    {
      self->closed = TRUE;
      g_signal_handlers_disconnect_by_data (self->form, self);
      g_signal_handlers_disconnect_by_data (self->links, self);
      if (!self->finished && !self->writing)
        drop_record (self);
    }
  G_OBJECT_CLASS (flg_site_wizard_parent_class)->dispose (object);
}

static void
flg_site_wizard_finalize (GObject *object)
{
  FlgSiteWizard *self = FLG_SITE_WIZARD (object);
  g_clear_object (&self->form);
  g_clear_object (&self->links);
  g_clear_object (&self->context);
  g_free (self->checked);
  G_OBJECT_CLASS (flg_site_wizard_parent_class)->finalize (object);
}

static void
flg_site_wizard_class_init (FlgSiteWizardClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = flg_site_wizard_dispose;
  G_OBJECT_CLASS (klass)->finalize = flg_site_wizard_finalize;
  gtk_widget_class_install_action (widget_class, "wizard.back", NULL, act_back);
  gtk_widget_class_install_action (widget_class, "wizard.next", NULL, act_next);
  gtk_widget_class_install_action (widget_class, "wizard.cancel", NULL, act_cancel);
  gtk_widget_class_install_action (widget_class, "wizard.check", NULL, act_check);
  gtk_widget_class_install_action (widget_class, "wizard.use-openssh", NULL, act_use_openssh);
  gtk_widget_class_install_action (widget_class, "wizard.finish", "b", act_finish);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_Escape, 0, on_escape, NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Return, GDK_CONTROL_MASK, "wizard.next", NULL);
}

static void
flg_site_wizard_init (FlgSiteWizard *self)
{
}
