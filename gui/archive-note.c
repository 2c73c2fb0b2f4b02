#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/archive-note.h"

#include <glib/gi18n.h>

#include "engine/base/units.h"
#include "gui/text.h"

#define MOST_LISTED 12u

static char *
day (guint64 ns)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_local ((gint64) (ns / FL_NS_PER_S));
  return time ? g_date_time_format (time, "%-d %b %Y") : g_strdup ("?");
}

char *
flg_archive_words (const FlArchive *archive)
{
  g_autofree char *made = day (archive->made);
  g_autofree char *experiment = flg_text_bounded (archive->experiment, 40);
  GString *words = g_string_new (NULL);
  guint out = g_strv_length (archive->referenced), gone = g_strv_length (archive->missing);
  g_string_append_printf (words, _ ("Archive of %s, made %s; read-only."), experiment, made);
  if (archive->live)
    g_string_append_printf (words, _ (" Made while data were taken."));
  if (out > 0)
    {
      g_autofree char *first = flg_text_bounded (archive->referenced[0], 120);
      g_string_append_printf (words, _ (" Not in it: %s"), first);
    }
  if (out > 1)
    g_string_append_printf (words, ngettext (" and %u more.", " and %u more.", out - 1), out - 1);
  if (gone > 0)
    g_string_append_printf (words, ngettext (" %u file was lost.", " %u files were lost.", gone), gone);
  return g_string_free (words, FALSE);
}

/* --- the check --- */

typedef struct
{
  GtkLabel *verdict;
  GtkWidget *button, *spinner;
  char *folder, *words;
} Check;

static void
check_free (gpointer data)
{
  Check *check = data;
  g_free (check->folder);
  g_free (check->words);
}

static void
check_unref (gpointer check)
{
  g_rc_box_release_full (check, check_free);
}

static void
verify (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  GError *error = NULL;
  GPtrArray *faults = g_ptr_array_new_with_free_func (g_free);
  if (fl_archive_verify (data, faults, NULL, NULL, &error))
    g_task_return_pointer (task, faults, (GDestroyNotify) g_ptr_array_unref);
  else
    {
      g_ptr_array_unref (faults);
      g_task_return_error (task, error);
    }
}

static char *
verdict_of (GPtrArray *faults)
{
  if (faults->len == 0)
    return g_strdup (_ ("Every file is as it was archived."));
  GString *words = g_string_new (NULL);
  g_string_append_printf (
      words,
      ngettext ("%u file is not as it was archived:", "%u files are not as they were archived:", faults->len),
      faults->len);
  for (guint i = 0; i < MIN (faults->len, MOST_LISTED); i++)
    {
      g_autofree char *line = flg_text_bounded (faults->pdata[i], 160);
      g_string_append_printf (words, "\n%s", line);
    }
  return g_string_free (words, FALSE);
}

static void
on_verified (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) faults = g_task_propagate_pointer (G_TASK (result), &error);
  Check *check = data;
  if (!check->verdict) /* closed meanwhile */
    {
      check_unref (check);
      return;
    }
  g_free (check->words);
  check->words = faults ? verdict_of (faults) : g_strdup (error->message);
  gtk_label_set_label (check->verdict, check->words);
  gtk_widget_remove_css_class (GTK_WIDGET (check->verdict), "dim-label");
  if (!faults || faults->len)
    gtk_widget_add_css_class (GTK_WIDGET (check->verdict), "complaint");
  gtk_spinner_stop (GTK_SPINNER (check->spinner));
  gtk_widget_set_sensitive (check->button, TRUE);
  check_unref (check);
}

static void
act_check (GtkWidget *dialog)
{
  Check *check = g_object_get_data (G_OBJECT (dialog), "check");
  /* Not with the dialog as its source: the thread may be the last to let go of a task. */
  g_autoptr (GTask) task = g_task_new (NULL, NULL, on_verified, g_rc_box_acquire (check));
  g_task_set_task_data (task, g_strdup (check->folder), g_free);
  g_free (check->words);
  check->words = g_strdup ("");
  gtk_widget_remove_css_class (GTK_WIDGET (check->verdict), "complaint");
  gtk_label_set_label (check->verdict, _ ("Reading every file…"));
  gtk_spinner_start (GTK_SPINNER (check->spinner));
  gtk_widget_set_sensitive (check->button, FALSE);
  g_task_run_in_thread (task, verify);
}

const char *
flg_archive_dialog_verdict (GtkWidget *dialog)
{
  return ((Check *) g_object_get_data (G_OBJECT (dialog), "check"))->words;
}

static void
on_destroy (GtkWidget *dialog)
{
  ((Check *) g_object_get_data (G_OBJECT (dialog), "check"))->verdict = NULL;
}

/* --- the dialog --- */

static GtkLabel *
add_label (GtkWidget *box, const char *text, const char *css_class)
{
  GtkWidget *label = gtk_label_new (text);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (label), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_max_width_chars (GTK_LABEL (label), 72);
  gtk_label_set_selectable (GTK_LABEL (label), TRUE);
  gtk_widget_set_can_focus (label, FALSE);
  if (css_class)
    gtk_widget_add_css_class (label, css_class);
  gtk_box_append (GTK_BOX (box), label);
  return GTK_LABEL (label);
}

static void
add_list (GtkWidget *box, const char *title, char **lines)
{
  if (*lines)
    add_label (box, title, "heading");
  for (guint i = 0; lines[i] && i < MOST_LISTED; i++)
    {
      g_autofree char *line = flg_text_bounded (lines[i], 300);
      add_label (box, line, NULL);
    }
  guint n = g_strv_length (lines);
  if (n > MOST_LISTED)
    {
      g_autofree char *more = g_strdup_printf (_ ("and %u more, in its archive.ini"), n - MOST_LISTED);
      add_label (box, more, "dim-label");
    }
}

static void
add_facts (GtkWidget *box, const FlArchive *archive)
{
  g_autofree char *made = day (archive->made), *size = g_format_size ((guint64) MAX (archive->bytes, 0));
  g_autofree char *runs = flg_format_count (archive->runs), *shots = flg_format_count (archive->shots),
                  *jobs = flg_format_count (archive->jobs), *datasets = flg_format_count (archive->datasets),
                  *files = flg_format_count (archive->files);
  g_autofree char *title = g_strdup_printf (_ ("Archive of %s"), archive->experiment);
  g_autofree char *numbers =
      g_strdup_printf (_ ("runs %s · shots %s · jobs %s · datasets %s · files %s · %s"), runs, shots, jobs,
                       datasets, files, size);
  g_autofree char *origin =
      g_strdup_printf (_ ("Made %s of %s on %s by %s"), made, archive->source, archive->host, archive->by);
  add_label (box, title, "title-3");
  add_label (box, numbers, NULL);
  add_label (box, origin, "dim-label");
  if (archive->running > 0)
    {
      g_autofree char *n = flg_format_count (archive->running);
      g_autofree char *running =
          g_strdup_printf (ngettext ("%s attempt had not ended then.", "%s attempts had not ended then.",
                                     (gulong) archive->running),
                           n);
      add_label (box, running, NULL);
    }
  add_list (box, _ ("Not in it"), archive->referenced);
  add_list (box, _ ("Could not be read"), archive->missing);
}

static gboolean
on_escape (GtkWidget *widget, GVariant *args, gpointer data)
{
  gtk_window_close (GTK_WINDOW (widget));
  return TRUE;
}

GtkWidget *
flg_archive_dialog_new (GtkWindow *parent, FlgContext *context)
{
  const FlArchive *archive = flg_experiment_archive (flg_context_experiment (context));
  GtkWidget *window = gtk_window_new (), *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 10),
            *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 10);
  Check *check = g_rc_box_new0 (Check);
  g_object_set_data_full (G_OBJECT (window), "check", check, check_unref);
  g_object_set (window, "transient-for", parent, "modal", TRUE, "destroy-with-parent", TRUE, "resizable",
                FALSE, "title", _ ("Archive"), NULL);
  gtk_widget_add_css_class (box, "dialog");
  add_facts (box, archive);
  check->folder = g_strdup (archive->folder);
  check->verdict = add_label (box, _ ("Its files have checksums."), "dim-label");
  check->button = gtk_button_new_with_label (_ ("Check every file"));
  check->spinner = gtk_spinner_new ();
  gtk_widget_set_halign (row, GTK_ALIGN_END);
  gtk_box_append (GTK_BOX (row), check->spinner);
  gtk_box_append (GTK_BOX (row), check->button);
  gtk_box_append (GTK_BOX (box), row);
  gtk_window_set_child (GTK_WINDOW (window), box);
  gtk_window_set_default_widget (GTK_WINDOW (window), check->button);
  gtk_window_set_focus (GTK_WINDOW (window), check->button);
  g_signal_connect_swapped (check->button, "clicked", G_CALLBACK (act_check), window);
  g_signal_connect (window, "destroy", G_CALLBACK (on_destroy), NULL);
  GtkEventController *keys = gtk_shortcut_controller_new ();
  gtk_shortcut_controller_add_shortcut (GTK_SHORTCUT_CONTROLLER (keys),
                                        gtk_shortcut_new (gtk_shortcut_trigger_parse_string ("Escape"),
                                                          gtk_callback_action_new (on_escape, NULL, NULL)));
  gtk_widget_add_controller (window, keys);
  return window;
}
