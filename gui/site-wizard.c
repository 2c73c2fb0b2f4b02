#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/site-wizard-private.h"

#include <glib/gi18n.h>

#include <string.h>

G_DEFINE_FINAL_TYPE (FlgSiteWizard, flg_site_wizard, GTK_TYPE_WINDOW)

static void go_to (FlgSiteWizard *self, FlgSiteStep step);
static void refresh (FlgSiteWizard *self);

gboolean
flg_site_wizard_is_far (FlgSiteWizard *self)
{
  return strcmp (flg_site_form_kind (self->form), "ssh") == 0;
}

/* --- writing --- */

typedef struct
{
  FlgSiteWizard *wizard; /* a reference */
  FlgSiteStep next;      /* FLG_SITE_N_STEPS: it is finished */
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
  if (flg_site_wizard_is_far (self))
    flg_links_disconnect (self->links, self->site);
  flg_context_write (self->context, remove_site, g_memdup2 (&self->site, sizeof self->site), g_free,
                     on_removed, NULL);
  self->site = 0;
}

static void
on_written (GObject *source, GAsyncResult *result, gpointer data)
{
  Written *written = data;
  g_autoptr (FlgSiteWizard) self = written->wizard;
  g_autoptr (GError) error = NULL;
  gboolean good = flg_context_write_finish (FLG_CONTEXT (source), result, &error);
  FlgSiteStep next = written->next;
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
  if (next == FLG_SITE_N_STEPS)
    {
      self->finished = TRUE;
      gtk_window_destroy (GTK_WINDOW (self));
      return;
    }
  go_to (self, next);
}

/* Writes what is known so far, then goes to `next`; FLG_SITE_N_STEPS: the site is there and gets jobs. */
static void
write_and_go (FlgSiteWizard *self, FlgSiteStep next)
{
  FlgSiteDraft *draft = flg_site_form_draft (self->form);
  Written *written = g_new (Written, 1);
  *written = (Written){ g_object_ref (self), next, 0 };
  draft->site.active = next == FLG_SITE_N_STEPS;
  draft->made = &written->made;
  self->writing = TRUE;
  flg_context_write (self->context, flg_site_draft_write, draft, (GDestroyNotify) flg_site_draft_free,
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
  if (flg_site_wizard_is_far (self) && !is_up (link))
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
  self->probe_when_up = self->step == FLG_SITE_STEP_CHECK;
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
  if (flg_site_wizard_is_far (self) && other && self->site)
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
skips (FlgSiteWizard *self, FlgSiteStep step)
{
  return step == FLG_SITE_STEP_FOLDERS && !flg_site_wizard_is_far (self);
}

static void
on_entered (FlgSiteWizard *self, FlgSiteStep step)
{
  if (self->site)
    {
      flg_site_steps_set_site (self->check, self->site);
      flg_site_steps_set_site (self->check_again, self->site);
    }
  /* The person may be asked for passwords while the folders are being filled in. */
  if (step > FLG_SITE_STEP_MACHINE && flg_site_wizard_is_far (self) && !self->connected)
    {
      self->connected = TRUE;
      flg_links_connect (self->links, self->site);
    }
  g_autofree char *now = asked_for (self);
  gboolean stale = g_strcmp0 (now, self->checked) != 0;
  if ((step == FLG_SITE_STEP_CHECK || step == FLG_SITE_STEP_SUMMARY) && stale)
    check (self);
  if (step == FLG_SITE_STEP_SUMMARY)
    flg_site_wizard_show_summary (self);
  if (step == FLG_SITE_STEP_RESOURCES)
    flg_site_wizard_show_found (self);
}

static void
go_to (FlgSiteWizard *self, FlgSiteStep step)
{
  self->step = step;
  gtk_stack_set_visible_child_name (self->stack, flg_site_wizard_steps[step].name);
  gtk_label_set_label (self->title, _ (flg_site_wizard_steps[step].what));
  for (guint i = 0; i < FLG_SITE_N_STEPS; i++)
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
  FlgSiteStep next = self->step + 1;
  if (next >= FLG_SITE_N_STEPS || self->writing)
    return;
  write_and_go (self, skips (self, next) ? next + 1 : next);
}

static void
act_back (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgSiteWizard *self = FLG_SITE_WIZARD (widget);
  if (self->step == FLG_SITE_STEP_MACHINE || self->writing)
    return;
  FlgSiteStep back = self->step - 1;
  go_to (self, skips (self, back) ? back - 1 : back);
}

static void
act_finish (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgSiteWizard *self = FLG_SITE_WIZARD (widget);
  if (self->writing || self->site == 0)
    return;
  flg_site_form_set (self->form, "hold", g_variant_get_boolean (target) ? "1" : "0");
  write_and_go (self, FLG_SITE_N_STEPS);
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
  gboolean last = self->step == FLG_SITE_STEP_SUMMARY;
  gboolean silent = !flg_links_is_connected (self->links);
  gtk_label_set_label (self->complaint, complaint ? complaint
                                        : silent && self->step >= FLG_SITE_STEP_CHECK
                                            ? _ ("The conductor does not answer: nothing can be checked now.")
                                            : "");
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "wizard.next", !complaint && !self->writing && !last);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "wizard.back",
                                 self->step != FLG_SITE_STEP_MACHINE && !self->writing);
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

void
flg_site_wizard_follow_kind (FlgSiteWizard *self)
{
  gboolean far = gtk_check_button_get_active (GTK_CHECK_BUTTON (self->over_ssh));
  flg_site_form_set_kind (self->form, far ? "ssh" : "slurm");
  gtk_widget_set_visible (self->hosts, far);
  for (guint i = 0; i < FLG_SITE_N_STEPS; i++)
    gtk_widget_set_visible (self->heads[i], !skips (self, i));
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
  return flg_site_wizard_steps[self->step].name;
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
  flg_site_wizard_build (self);
  g_signal_connect_object (self->form, "changed", G_CALLBACK (refresh), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->links, "changed", G_CALLBACK (on_links), self, G_CONNECT_SWAPPED);
  flg_site_wizard_follow_kind (self);
  go_to (self, FLG_SITE_STEP_MACHINE);
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
