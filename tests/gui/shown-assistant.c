#include "tests/gui/shown-assistant.h"

#include <glib/gstdio.h>

#include "gui/application.h"
#include "tests/gui/room.h"
#include "tests/widgets/display.h"

static char *top;

void
assistant_init (int *argc, char ***argv)
{
  static const char *const variables[] = { "HOME",          "home", "XDG_CONFIG_HOME", "config",
                                           "XDG_DATA_HOME", "data", "XDG_CACHE_HOME",  "cache" };
  top = g_dir_make_tmp ("firstlight-assistant-XXXXXX", NULL);
  for (guint i = 0; i < G_N_ELEMENTS (variables); i += 2)
    {
      g_autofree char *path = in_top (variables[i + 1]);
      g_mkdir (path, 0755);
      g_setenv (variables[i], path, TRUE);
    }
  display_init (argc, argv);
  flg_load_style ();
  g_object_set (gtk_settings_get_default (), "gtk-enable-animations", FALSE, NULL);
}

int
assistant_run (void)
{
  int status = g_test_run ();
  room_remove_tree (top);
  g_free (top);
  return status;
}

char *
in_top (const char *name)
{
  return g_build_filename (top, name, NULL);
}

void
put (const char *text, const char *folder, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (folder, name, NULL), *above = g_path_get_dirname (path);
  g_assert_cmpint (g_mkdir_with_parents (above, 0755), ==, 0);
  g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);
}

void
check (FlgProofFunc func, FlgVerdict verdict, const char *part, const char *first, const char *second,
       const char *third, const char *fourth)
{
  const char *strings[] = { first, second, third, fourth, NULL };
  g_autoptr (FlgProof) proof = func (strings, NULL);
  assert_in (proof->text, part);
  g_assert_cmpint (proof->verdict, ==, verdict);
}

GtkWidget *
find (GtkWidget *widget, GType type, const char *name)
{
  if (G_TYPE_CHECK_INSTANCE_TYPE (widget, type)
      && (!name || g_strcmp0 (gtk_buildable_get_buildable_id (GTK_BUILDABLE (widget)), name) == 0))
    return widget;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child;
       child = gtk_widget_get_next_sibling (child))
    {
      GtkWidget *found = find (child, type, name);
      if (found)
        return found;
    }
  return NULL;
}

FlgField *
field (GtkWidget *widget, const char *name)
{
  GtkWidget *found = find (widget, FLG_TYPE_FIELD, name);
  g_assert_nonnull (found);
  return FLG_FIELD (found);
}

gboolean
is_settled (gpointer assistant)
{
  return flg_assistant_is_settled (assistant);
}

static void
on_open (Shown *shown, const char *where, const char *then)
{
  g_free (shown->where);
  g_free (shown->then);
  shown->where = g_strdup (where);
  shown->then = g_strdup (then);
}

static void
on_dismissed (Shown *shown)
{
  shown->dismissed = TRUE;
}

Shown *
shown_new (const char *page)
{
  Shown *shown = g_new0 (Shown, 1);
  shown->assistant = flg_assistant_new ();
  g_signal_connect_swapped (shown->assistant, "open", G_CALLBACK (on_open), shown);
  g_signal_connect_swapped (shown->assistant, "dismissed", G_CALLBACK (on_dismissed), shown);
  shown->window = display_show (shown->assistant, 1280, 755);
  g_assert_true (flg_assistant_show (FLG_ASSISTANT (shown->assistant), page));
  display_wait (is_settled, shown->assistant);
  return shown;
}

void
shown_free (Shown *shown)
{
  gtk_window_destroy (GTK_WINDOW (shown->window));
  g_free (shown->where);
  g_free (shown->then);
  g_free (shown);
}

gboolean
has_opened (gpointer data)
{
  return ((Shown *) data)->where != NULL;
}

void
act (GtkWidget *page, const char *action)
{
  g_assert_true (gtk_widget_activate_action (page, action, NULL));
}
