#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/site-wizard-private.h"

#include <glib/gi18n.h>

#include <string.h>

#include "gui/site-hosts.h"

#define HOST_BUTTONS 5

const FlgSiteWizardStep flg_site_wizard_steps[FLG_SITE_N_STEPS] = {
  { "machine", N_ ("Machine"), N_ ("Where shall jobs run?") },
  { "folders", N_ ("Folders"), N_ ("Where do things lie there?") },
  { "check", N_ ("Check"), N_ ("Does it work?") },
  { "resources", N_ ("Resources"), N_ ("What shall a job ask for?") },
  { "summary", N_ ("Go"), N_ ("All that is known of the new site") },
};

/* --- what the pages show --- */

void
flg_site_wizard_show_summary (FlgSiteWizard *self)
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
      if (*value
          && (flg_site_wizard_is_far (self)
              || (strcmp (lines[i].column, "host") && strcmp (lines[i].column, "user"))))
        g_string_append_printf (text, "%s%s: %s", text->len ? "   ·   " : "", _ (lines[i].label), value);
    }
  gtk_label_set_label (self->summary, text->str);
}

/* What the scheduler said to the job that was tried: "Set the account that your group has. There are: a, b." Its names are offered. */
void
flg_site_wizard_show_found (FlgSiteWizard *self)
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

/* --- the first page --- */

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
  g_signal_connect_object (self->over_ssh, "toggled", G_CALLBACK (flg_site_wizard_follow_kind), self,
                           G_CONNECT_SWAPPED);
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
  for (guint i = 0; i < FLG_SITE_N_STEPS; i++)
    {
      self->heads[i] = words (_ (flg_site_wizard_steps[i].title), "wizard-step");
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

void
flg_site_wizard_build (FlgSiteWizard *self)
{
  GtkWidget *(*const pages[FLG_SITE_N_STEPS]) (FlgSiteWizard *) = { machine_page, folders_page, check_page,
                                                                    resources_page, summary_page };
  GtkWidget *all = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0),
            *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 14);
  GtkWidget *scroll = gtk_scrolled_window_new (), *head = head_new (self), *foot = foot_new (self);
  self->stack = GTK_STACK (gtk_stack_new ());
  gtk_stack_set_vhomogeneous (self->stack, FALSE);
  gtk_stack_set_hhomogeneous (self->stack, FALSE);
  for (guint i = 0; i < FLG_SITE_N_STEPS; i++)
    gtk_stack_add_named (self->stack, pages[i](self), flg_site_wizard_steps[i].name);
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
