#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/window.h"

#include <glib/gi18n.h>

#include "gui/asker.h"
#include "gui/cells-page.h"
#include "gui/datasets-page.h"
#include "gui/density-page.h"
#include "gui/header-strip.h"
#include "gui/history.h"
#include "gui/images-page.h"
#include "gui/jobs-page.h"
#include "gui/keymap.h"
#include "gui/link-chip.h"
#include "gui/live-page.h"
#include "gui/log-page.h"
#include "gui/merging-page.h"
#include "gui/people-chip.h"
#include "gui/people-dialog.h"
#include "gui/people.h"
#include "gui/runs-page.h"
#include "gui/sites-page.h"
#include "gui/trials-page.h"
#include "gui/text.h"
#include "gui/weather-page.h"
#include "widgets/empty-state.h"
#include "widgets/export.h"

struct _FlgWindow
{
  GtkApplicationWindow parent_instance;
  FlgContext *context;
  GtkLabel *title, *subtitle;
  GtkBox *strip_slot, *chip_slot;
  GtkWidget *strip, *chip, *people;
  FlgHistory *history;
  guint lost_beat; /* while the database does not answer */
  FlgAsker *asker; /* of the logins at far sites */
  GtkListBox *sidebar;
  GtkStack *body; /* trouble | pages */
  GtkStack *pages;
  GtkWidget *banner, *trouble;
  GtkWidget *join; /* where another experiment may be opened */
  char *banner_action;
};

G_DEFINE_FINAL_TYPE (FlgWindow, flg_window, GTK_TYPE_APPLICATION_WINDOW)

/* What was undone is said for so long, s. */
#define UNDO_S 8

/* In the order of the sidebar and of Ctrl+1 … 9, 0, −, =. */
typedef struct
{
  const char *name, *label, *icon;
  GType (*type) (void);
} PageKind;

static const PageKind kinds[] = {
  { "runs", N_ ("Runs"), "flg-runs-symbolic", flg_runs_page_get_type },
  { "trials", N_ ("Trials"), "flg-trials-symbolic", flg_trials_page_get_type },
  { "datasets", N_ ("Datasets"), "flg-datasets-symbolic", flg_datasets_page_get_type },
  { "jobs", N_ ("Jobs"), "flg-jobs-symbolic", flg_jobs_page_get_type },
  { "live", N_ ("Live"), "flg-live-symbolic", flg_live_page_get_type },
  { "weather", N_ ("Weather"), "flg-weather-symbolic", flg_weather_page_get_type },
  { "cells", N_ ("Cells"), "flg-cells-symbolic", flg_cells_page_get_type },
  { "merging", N_ ("Merging"), "flg-merging-symbolic", flg_merging_page_get_type },
  { "density", N_ ("Density"), "flg-density-symbolic", flg_density_page_get_type },
  { "images", N_ ("Images"), "flg-images-symbolic", flg_images_page_get_type },
  { "sites", N_ ("Sites"), "flg-sites-symbolic", flg_sites_page_get_type },
  { "log", N_ ("Log"), "flg-log-symbolic", flg_log_page_get_type },
};

FlgPage *
flg_window_page (FlgWindow *self, const char *name)
{
  if (!self->context)
    return NULL;
  GtkWidget *page = gtk_stack_get_child_by_name (self->pages, name);
  for (guint i = 0; !page && i < G_N_ELEMENTS (kinds); i++)
    if (g_str_equal (kinds[i].name, name))
      {
        page = g_object_new (kinds[i].type (), "context", self->context, NULL);
        gtk_stack_add_named (self->pages, page, name);
      }
  return page ? FLG_PAGE (page) : NULL;
}

const char *
flg_window_shown_page (FlgWindow *self)
{
  return gtk_stack_get_visible_child_name (self->pages);
}

static FlgPage *
shown (FlgWindow *self)
{
  GtkWidget *child = gtk_stack_get_visible_child (self->pages);
  return child ? FLG_PAGE (child) : NULL;
}

static FlgPage *
show_page (FlgWindow *self, const char *name)
{
  FlgPage *page = flg_window_page (self, name);
  if (!page)
    return NULL;
  gtk_stack_set_visible_child (self->pages, GTK_WIDGET (page));
  flg_experiment_look_at (flg_context_experiment (self->context), name);
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (g_str_equal (kinds[i].name, name))
      gtk_list_box_select_row (self->sidebar, gtk_list_box_get_row_at_index (self->sidebar, (int) i));
  flg_page_focus (page);
  return page;
}

static void
act_show_page (GtkWidget *widget, const char *action, GVariant *target)
{
  show_page (FLG_WINDOW (widget), g_variant_get_string (target, NULL));
}

static void
act_show_job (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgPage *page = show_page (FLG_WINDOW (widget), "jobs");
  if (page)
    flg_jobs_page_show (FLG_JOBS_PAGE (page), g_variant_get_int64 (target));
}

static void
act_show_merging (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgPage *page = show_page (FLG_WINDOW (widget), "merging");
  if (page)
    flg_merging_page_show (FLG_MERGING_PAGE (page), g_variant_get_int64 (target));
}

static void
act_show_density (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgPage *page = show_page (FLG_WINDOW (widget), "density");
  if (page)
    flg_density_page_show (FLG_DENSITY_PAGE (page), g_variant_get_int64 (target));
}

static void
act_show_weather (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgPage *page = show_page (FLG_WINDOW (widget), "weather");
  if (page)
    flg_weather_page_show (FLG_WEATHER_PAGE (page), g_variant_get_int64 (target));
}

static void
act_draft_trial (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgPage *page = show_page (FLG_WINDOW (widget), "trials");
  if (page)
    gtk_widget_activate_action_variant (GTK_WIDGET (page), "trials.draft-with", target);
}

static void
act_new_dataset (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgPage *page = show_page (FLG_WINDOW (widget), "datasets");
  if (page)
    gtk_widget_activate_action_variant (GTK_WIDGET (page), "datasets.new-from", target);
}

static void
act_show_run_images (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgPage *page = show_page (FLG_WINDOW (widget), "images");
  if (page)
    flg_images_page_show_run (FLG_IMAGES_PAGE (page), g_variant_get_int64 (target));
}

static void
act_show_shot (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgPage *page = show_page (FLG_WINDOW (widget), "images");
  FlgShotRef ref;
  g_variant_get (target, FLG_SHOT_REF, &ref.job, &ref.attempt, &ref.shot, &ref.source, &ref.frame);
  if (page)
    flg_images_page_show_shot (FLG_IMAGES_PAGE (page), &ref);
}

static void
act_show_failed (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgWindow *self = FLG_WINDOW (widget);
  FlgPage *page = show_page (self, "jobs");
  if (!page)
    return;
  const FlgGlance *glance = flg_experiment_glance (flg_context_experiment (self->context));
  if (glance->overview.failed_job)
    flg_jobs_page_show (FLG_JOBS_PAGE (page), glance->overview.failed_job);
}

static void
act_show_site (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgPage *page = show_page (FLG_WINDOW (widget), "sites");
  if (page)
    flg_sites_page_show (FLG_SITES_PAGE (page), g_variant_get_int64 (target));
}

static void
act_link (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgWindow *self = FLG_WINDOW (widget);
  gint64 site = g_variant_get_int64 (target);
  if (!self->context)
    return;
  if (g_str_equal (action, "win.link-answer"))
    flg_asker_ask (self->asker, site);
  else if (g_str_equal (action, "win.link-connect"))
    flg_links_connect (flg_context_links (self->context), site);
  else
    flg_links_disconnect (flg_context_links (self->context), site);
}

static void
act_show_links (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgWindow *self = FLG_WINDOW (widget);
  if (self->chip && gtk_widget_get_visible (self->chip))
    flg_link_chip_popup (FLG_LINK_CHIP (self->chip));
}

/* A far machine waits for an answer and its dialog was closed. */
static void
on_asker (const char *text, gint64 site, gpointer data)
{
  g_autofree char *action = g_strdup_printf ("win.link-answer(int64 %" G_GINT64_FORMAT ")", site);
  if (text)
    flg_window_say (data, FLW_TONE_WARNING, text, _ ("Answer…"), action);
  else
    flw_banner_hide (FLW_BANNER (FLG_WINDOW (data)->banner));
}

/* --- people, and what they have changed --- */

static void
on_history (FlwTone tone, const char *text, const char *action, gpointer data)
{
  FlgWindow *self = data;
  const char *label = !action ? NULL : g_str_equal (action, "win.redo") ? _ ("Redo") : _ ("Undo");
  g_free (self->banner_action);
  self->banner_action = g_strdup (action);
  flw_banner_show (FLW_BANNER (self->banner), tone, text, label, UNDO_S);
}

static void
act_history (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgWindow *self = FLG_WINDOW (widget);
  if (!self->history)
    return;
  if (g_str_equal (action, "win.redo"))
    flg_history_redo (self->history);
  else
    flg_history_undo (self->history, target ? g_variant_get_int64 (target) : 0);
}

static void
act_people (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgWindow *self = FLG_WINDOW (widget);
  if (self->context)
    gtk_window_present (GTK_WINDOW (flg_people_dialog_new (GTK_WINDOW (self), self->context)));
}

/* --- a database that does not answer --- */

/* All pages keep what they show; its age stands in the line. */
static void
say_lost (FlgWindow *self)
{
  FlgExperiment *experiment = flg_context_experiment (self->context);
  const FlgGlance *glance = flg_experiment_glance (experiment);
  gint64 left = MAX (glance->retry - g_get_monotonic_time (), 0);
  int seconds = (int) ((left + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC);
  g_autofree char *again = seconds ? g_strdup_printf (_ ("Database lost, trying again in %d s."), seconds)
                                   : g_strdup (_ ("Database lost, trying again now."));
  g_autofree char *time = flg_format_time (glance->heard, flg_experiment_now (experiment));
  g_autofree char *text = g_strdup_printf (
      _ ("%s What is shown is of %s. Nothing can be saved meanwhile; what you type stays."), again, time);
  flg_window_say (self, FLW_TONE_WARNING, text, NULL, NULL);
}

static gboolean
on_lost_beat (gpointer data)
{
  say_lost (data);
  return G_SOURCE_CONTINUE;
}

static void
show_lost (FlgWindow *self)
{
  gboolean lost = flg_experiment_glance (flg_context_experiment (self->context))->lost;
  if (lost && !self->lost_beat)
    {
      self->lost_beat = g_timeout_add_seconds (1, on_lost_beat, self);
      say_lost (self);
    }
  else if (!lost && self->lost_beat)
    {
      g_clear_handle_id (&self->lost_beat, g_source_remove);
      flw_banner_show (FLW_BANNER (self->banner), FLW_TONE_GOOD, _ ("The database is back."), NULL, UNDO_S);
    }
}

static void
on_experiment (FlgWindow *self, guint what)
{
  if (what & FLG_CHANGED_HEALTH)
    show_lost (self);
  if (what & FLG_CHANGED_HEALTH)
    flg_guard_actions (GTK_WIDGET (self), flg_context_experiment (self->context));
}

static void
act_filter (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgPage *page = shown (FLG_WINDOW (widget));
  if (page)
    flg_page_begin_filter (page);
}

static void
act_step (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgPage *page = shown (FLG_WINDOW (widget));
  if (page)
    flg_page_step (page, g_variant_get_int32 (target));
}

static void
act_show_keys (GtkWidget *widget, const char *action, GVariant *target)
{
  gtk_window_present (GTK_WINDOW (flg_keymap_window_new (GTK_WINDOW (widget))));
}

static void
on_picture_chosen (GtkNativeDialog *dialog, int response, FlgWindow *self)
{
  g_autoptr (GFile) file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog));
  if (response == GTK_RESPONSE_ACCEPT && file)
    {
      g_autoptr (GError) error = NULL;
      if (flg_window_save_picture (self, g_file_peek_path (file), &error))
        flw_banner_show (FLW_BANNER (self->banner), FLW_TONE_GOOD, _ ("The picture is saved."), NULL, 5);
      else
        flw_banner_show (FLW_BANNER (self->banner), FLW_TONE_BAD, error->message, NULL, 0);
    }
  g_object_unref (dialog);
}

static void
act_save_picture (GtkWidget *widget, const char *action, GVariant *target)
{
  GtkFileChooserNative *dialog = gtk_file_chooser_native_new (_ ("Save a picture"), GTK_WINDOW (widget),
                                                              GTK_FILE_CHOOSER_ACTION_SAVE, NULL, NULL);
  gtk_file_chooser_set_current_name (GTK_FILE_CHOOSER (dialog), "firstlight.png");
  g_signal_connect (dialog, "response", G_CALLBACK (on_picture_chosen), widget);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

static void
on_row_activated (FlgWindow *self, GtkListBoxRow *row)
{
  show_page (self, kinds[gtk_list_box_row_get_index (row)].name);
}

static void
on_banner_action (FlgWindow *self)
{
  g_autofree char *name = NULL;
  g_autoptr (GVariant) target = NULL;
  if (self->banner_action && g_action_parse_detailed_name (self->banner_action, &name, &target, NULL))
    gtk_widget_activate_action_variant (GTK_WIDGET (self), name, target);
  flw_banner_hide (FLW_BANNER (self->banner));
}

static void
flg_window_dispose (GObject *object)
{
  FlgWindow *self = FLG_WINDOW (object);
  flg_window_set_context (self, NULL);
  G_OBJECT_CLASS (flg_window_parent_class)->dispose (object);
}

static void
flg_window_finalize (GObject *object)
{
  g_free (FLG_WINDOW (object)->banner_action);
  G_OBJECT_CLASS (flg_window_parent_class)->finalize (object);
}

static void
flg_window_class_init (FlgWindowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = flg_window_dispose;
  G_OBJECT_CLASS (klass)->finalize = flg_window_finalize;
  g_type_ensure (FLW_TYPE_BANNER);
  g_type_ensure (FLW_TYPE_EMPTY_STATE);
  gtk_widget_class_set_template_from_resource (widget_class, "/io/firstlight/gui/window.ui");
  gtk_widget_class_bind_template_child (widget_class, FlgWindow, title);
  gtk_widget_class_bind_template_child (widget_class, FlgWindow, subtitle);
  gtk_widget_class_bind_template_child (widget_class, FlgWindow, strip_slot);
  gtk_widget_class_bind_template_child (widget_class, FlgWindow, chip_slot);
  gtk_widget_class_bind_template_child (widget_class, FlgWindow, sidebar);
  gtk_widget_class_bind_template_child (widget_class, FlgWindow, body);
  gtk_widget_class_bind_template_child (widget_class, FlgWindow, pages);
  gtk_widget_class_bind_template_child (widget_class, FlgWindow, banner);
  gtk_widget_class_bind_template_child (widget_class, FlgWindow, trouble);
  gtk_widget_class_bind_template_child (widget_class, FlgWindow, join);
  gtk_widget_class_bind_template_callback (widget_class, on_row_activated);
  gtk_widget_class_bind_template_callback (widget_class, on_banner_action);
  gtk_widget_class_install_action (widget_class, "win.show-page", "s", act_show_page);
  gtk_widget_class_install_action (widget_class, "win.show-job", "x", act_show_job);
  gtk_widget_class_install_action (widget_class, "win.show-merging", "x", act_show_merging);
  gtk_widget_class_install_action (widget_class, "win.show-density", "x", act_show_density);
  gtk_widget_class_install_action (widget_class, "win.show-weather", "x", act_show_weather);
  gtk_widget_class_install_action (widget_class, "win.show-run-images", "x", act_show_run_images);
  gtk_widget_class_install_action (widget_class, "win.draft-trial", "(xa(ss))", act_draft_trial);
  gtk_widget_class_install_action (widget_class, "win.new-dataset", "s", act_new_dataset);
  gtk_widget_class_install_action (widget_class, "win.show-shot", FLG_SHOT_REF, act_show_shot);
  gtk_widget_class_install_action (widget_class, "win.show-failed", NULL, act_show_failed);
  gtk_widget_class_install_action (widget_class, "win.show-site", "x", act_show_site);
  gtk_widget_class_install_action (widget_class, "win.show-links", NULL, act_show_links);
  gtk_widget_class_install_action (widget_class, "win.link-answer", "x", act_link);
  gtk_widget_class_install_action (widget_class, "win.link-connect", "x", act_link);
  gtk_widget_class_install_action (widget_class, "win.link-disconnect", "x", act_link);
  gtk_widget_class_install_action (widget_class, "win.people", NULL, act_people);
  gtk_widget_class_install_action (widget_class, "win.undo", NULL, act_history);
  gtk_widget_class_install_action (widget_class, "win.undo-edit", "x", act_history);
  gtk_widget_class_install_action (widget_class, "win.redo", NULL, act_history);
  gtk_widget_class_install_action (widget_class, "win.filter", NULL, act_filter);
  gtk_widget_class_install_action (widget_class, "win.step", "i", act_step);
  gtk_widget_class_install_action (widget_class, "win.show-keys", NULL, act_show_keys);
  gtk_widget_class_install_action (widget_class, "win.save-picture", NULL, act_save_picture);
}

static GtkWidget *
sidebar_row (const PageKind *kind, guint number)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 10);
  GtkWidget *label = gtk_label_new (_ (kind->label));
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_widget_set_hexpand (label, TRUE);
  static const char *const last[] = { "−", "=" };
  g_autofree char *hint = number > 10 ? g_strdup (last[number - 11]) : g_strdup_printf ("%u", number % 10);
  GtkWidget *key = gtk_label_new (hint);
  gtk_widget_add_css_class (key, "dim-label");
  gtk_box_append (GTK_BOX (box), gtk_image_new_from_icon_name (kind->icon));
  gtk_box_append (GTK_BOX (box), label);
  gtk_box_append (GTK_BOX (box), key);
  g_autofree char *tip = g_strdup_printf (_ ("%s (Ctrl+%s)"), _ (kind->label), hint);
  gtk_widget_set_tooltip_text (box, tip);
  return box;
}

static void
flg_window_init (FlgWindow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    gtk_list_box_append (self->sidebar, sidebar_row (&kinds[i], i + 1));
  flg_keymap_install (GTK_WIDGET (self));
}

FlgWindow *
flg_window_new (GtkApplication *application)
{
  return g_object_new (FLG_TYPE_WINDOW, "application", application, NULL);
}

static void
remove_pages (FlgWindow *self)
{
  GtkWidget *child;
  while ((child = gtk_widget_get_first_child (GTK_WIDGET (self->pages))))
    gtk_stack_remove (self->pages, child);
}

void
flg_window_set_context (FlgWindow *self, FlgContext *context)
{
  if (self->context == context)
    return;
  if (self->context)
    {
      g_clear_pointer (&self->asker, flg_asker_free);
      remove_pages (self);
      g_signal_handlers_disconnect_by_data (flg_context_experiment (self->context), self);
      g_clear_handle_id (&self->lost_beat, g_source_remove);
      g_clear_pointer (&self->history, flg_history_free);
      gtk_box_remove (self->chip_slot, g_steal_pointer (&self->people));
      gtk_box_remove (self->chip_slot, g_steal_pointer (&self->chip));
      gtk_box_remove (self->strip_slot, g_steal_pointer (&self->strip));
    }
  g_set_object (&self->context, context);
  gtk_widget_set_visible (GTK_WIDGET (self->subtitle), context != NULL);
  if (!context)
    return;
  /* Of a copy: the experiment's own folder, on the other machine. */
  const char *folder = flg_experiment_home (flg_context_experiment (context));
  g_autofree char *name = g_path_get_basename (folder);
  gtk_label_set_label (self->title, name);
  gtk_label_set_label (self->subtitle, folder);
  g_autofree char *title = g_strdup_printf ("%s – Firstlight", name);
  gtk_window_set_title (GTK_WINDOW (self), title);
  self->strip = flg_header_strip_new (context);
  gtk_box_append (self->strip_slot, self->strip);
  self->people = flg_people_chip_new (context);
  gtk_box_append (self->chip_slot, self->people);
  self->history = flg_history_new (context, on_history, self);
  g_signal_connect_object (flg_context_experiment (context), "changed", G_CALLBACK (on_experiment), self,
                           G_CONNECT_SWAPPED);
  self->chip = flg_link_chip_new (context);
  gtk_box_append (self->chip_slot, self->chip);
  self->asker = flg_asker_new (GTK_WINDOW (self), flg_context_links (context), on_asker, self);
  gtk_stack_set_visible_child_name (self->body, "pages");
}

FlgContext *
flg_window_context (FlgWindow *self)
{
  return self->context;
}

void
flg_window_show_trouble (FlgWindow *self, const char *title, const char *description, const char *label,
                         const char *action)
{
  flw_empty_state_set (FLW_EMPTY_STATE (self->trouble), "flg-runs-symbolic", title, description);
  flw_empty_state_set_action (FLW_EMPTY_STATE (self->trouble), label, action);
  gtk_widget_set_visible (self->join, action && g_str_equal (action, "app.open"));
  gtk_stack_set_visible_child_name (self->body, "trouble");
}

void
flg_window_say (FlgWindow *self, FlwTone tone, const char *text, const char *label, const char *action)
{
  g_free (self->banner_action);
  self->banner_action = g_strdup (action);
  flw_banner_show (FLW_BANNER (self->banner), tone, text, label, 0);
}

gboolean
flg_window_is_settled (FlgWindow *self)
{
  FlgPage *page = shown (self);
  return page && flg_page_is_settled (page);
}

FlgLinkChip *
flg_window_chip (FlgWindow *self)
{
  return FLG_LINK_CHIP (self->chip);
}

FlgAsker *
flg_window_asker (FlgWindow *self)
{
  return self->asker;
}

FlgPeopleChip *
flg_window_people (FlgWindow *self)
{
  return FLG_PEOPLE_CHIP (self->people);
}

GtkWidget *
flg_window_strip (FlgWindow *self)
{
  return self->strip;
}

gboolean
flg_window_save_picture (FlgWindow *self, const char *path, GError **error)
{
  return flw_widget_export (GTK_WIDGET (self), path, error);
}
