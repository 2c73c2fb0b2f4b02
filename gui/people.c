#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/people.h"

#include <glib/gi18n.h>
#include <string.h>

gboolean
flg_may_change (FlgExperiment *experiment)
{
  return !flg_experiment_is_read_only (experiment)
         && flg_experiment_glance (experiment)->role >= FL_ROLE_OPERATOR;
}

gboolean
flg_may_own (FlgExperiment *experiment)
{
  return !flg_experiment_is_read_only (experiment)
         && flg_experiment_glance (experiment)->role == FL_ROLE_OWNER;
}

const char *
flg_role_label (FlRole role)
{
  static const char *const labels[FL_ROLE_LAST] = { N_ ("viewer"), N_ ("operator"), N_ ("owner") };
  return _ (labels[role]);
}

char *
flg_owner_names (FlgExperiment *experiment)
{
  FlgRecordModel *people = flg_experiment_table (experiment, FL_TABLE_PERSON);
  GString *names = g_string_new (NULL);
  for (guint i = 0; i < flg_record_model_count (people); i++)
    {
      const FlPerson *person = flg_record_any (flg_record_model_at (people, i));
      if (person->role == FL_ROLE_OWNER)
        g_string_append_printf (names, "%s%s", names->len ? ", " : "", person->name);
    }
  return g_string_free (names, FALSE);
}

char *
flg_refusal (FlgExperiment *experiment)
{
  if (flg_may_change (experiment))
    return NULL;
  if (flg_experiment_is_read_only (experiment))
    return g_strdup (_ ("Opened read-only: nothing can be changed."));
  g_autofree char *owners = flg_owner_names (experiment);
  return *owners ? g_strdup_printf (_ ("You are a viewer here. Who owns the experiment can change that: %s."),
                                    owners)
                 : g_strdup (_ ("You are a viewer here."));
}

/* --- greyed out --- */

/* The widget's own tooltip waits in its data while another one stands there. */
#define OWN_TIP "flg-own-tooltip"
#define GUARDED "flg-guarded"

static void
set_tip (GtkWidget *widget, const char *refusal)
{
  gboolean guarded = g_object_get_data (G_OBJECT (widget), GUARDED) != NULL;
  if (refusal && !guarded)
    g_object_set_data_full (
        G_OBJECT (widget), OWN_TIP,
        gtk_widget_get_tooltip_text (widget) ? g_strdup (gtk_widget_get_tooltip_text (widget)) : NULL,
        g_free);
  if (refusal)
    gtk_widget_set_tooltip_text (widget, refusal);
  else if (guarded)
    gtk_widget_set_tooltip_text (widget, g_object_get_data (G_OBJECT (widget), OWN_TIP));
  g_object_set_data (G_OBJECT (widget), GUARDED, refusal ? GINT_TO_POINTER (TRUE) : NULL);
}

void
flg_guard (GtkWidget *widget, FlgExperiment *experiment)
{
  g_autofree char *refusal = flg_refusal (experiment);
  set_tip (widget, refusal);
  gtk_widget_set_sensitive (widget, refusal == NULL);
}

/* Actions that ask the store to change something, or lead to nothing else. */
static const char *const changing[] = {
  "runs.add-tag",
  "runs.remove-tag",
  "runs.tag-row",
  "runs.comment",
  "runs.save-tag",
  "runs.delete-tag",
  "runs.new-dataset",
  "runs.edit-comment",
  "trials.draft",
  "trials.draft-with",
  "trials.create",
  "trials.set-active",
  "trials.comment",
  "trials.save-block",
  "datasets.new",
  "datasets.new-from",
  "datasets.edit",
  "datasets.save",
  "datasets.confirm",
  "datasets.hold",
  "datasets.undo",
  "datasets.set-active",
  "datasets.set-policy",
  "jobs.stop",
  "jobs.retry",
  "jobs.approve",
  "jobs.undo",
  "jobs.stop-all",
  "jobs.approve-all",
  "jobs.hold-all",
  "jobs.confirm",
  "sites.add",
  "sites.edit",
  "sites.duplicate",
  "sites.pause",
  "sites.remove",
  "sites.probe",
  "cells.use-selection",
  "cells.use-proposal",
  "cells.use-cluster",
  "cells.tag-runs",
  "merging.set-goal",
  "merging.undo-goal",
  "images.mask",
  "images.mask-save",
  "log.undo",
  "win.undo",
  "win.redo",
  "win.draft-trial",
  "win.new-dataset",
  "win.link-answer",
  "win.link-connect",
  "win.link-disconnect",
};

static gboolean
is_changing (const char *action)
{
  for (guint i = 0; action && i < G_N_ELEMENTS (changing); i++)
    if (strcmp (changing[i], action) == 0)
      return TRUE;
  return FALSE;
}

static void
guard_tips (GtkWidget *widget, const char *refusal)
{
  if (GTK_IS_ACTIONABLE (widget) && is_changing (gtk_actionable_get_action_name (GTK_ACTIONABLE (widget))))
    set_tip (widget, refusal);
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child;
       child = gtk_widget_get_next_sibling (child))
    guard_tips (child, refusal);
}

void
flg_guard_actions (GtkWidget *widget, FlgExperiment *experiment)
{
  g_autofree char *refusal = flg_refusal (experiment);
  const char *name, *property;
  const GVariantType *target;
  GType owner;
  for (guint i = 0;
       gtk_widget_class_query_action (GTK_WIDGET_GET_CLASS (widget), i, &owner, &name, &target, &property);
       i++)
    if (is_changing (name))
      gtk_widget_action_set_enabled (widget, name, refusal == NULL);
  guard_tips (widget, refusal);
}
