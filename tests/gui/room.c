#include "tests/gui/room.h"

#include <glib/gstdio.h>
#include <string.h>

#include "gui/conductor.h"
#include "tests/widgets/display.h"
#include "widgets/export.h"

static guint64
room_clock (gpointer data)
{
  return ((Room *) data)->now;
}

static gboolean
is_filled (gpointer data)
{
  return flg_experiment_is_filled (flg_context_experiment (((Room *) data)->context));
}

/* GTK 4.8's own, when a window goes while one of its tooltips is due. */
static gboolean
is_fatal (const char *domain, GLogLevelFlags level, const char *message, gpointer data)
{
  return strstr (message, "gdk_surface_get_device_position") == NULL;
}

/* Opens the window on the room's folder. */
static void
open_window (Room *room, FlStoreMode mode, gboolean view)
{
  g_autoptr (FlgExperiment) experiment = flg_experiment_new (room->folder, mode, room_clock, room);
  g_autoptr (FlViewClient) client = NULL;
  if (view)
    {
      g_autofree char *program = flg_control_program ();
      const char *argv[] = { program, "serve", NULL };
      client = fl_view_client_new (argv);
    }
  FlgDisplayProfile profile = { .cairo = TRUE };
  room->context = flg_context_new (experiment, client, &profile);
  g_test_log_set_fatal_handler (is_fatal, NULL);
  /* GTK 4.8 disconnects a handler twice when a list goes while it glides. */
  g_object_set (gtk_settings_get_default (), "gtk-enable-animations", FALSE, NULL);
  room->window = flg_window_new (NULL);
  flg_window_set_context (room->window, room->context);
  gtk_window_set_default_size (GTK_WINDOW (room->window), 1280, 800);
  gtk_window_present (GTK_WINDOW (room->window));
  display_wait_drawn (GTK_WIDGET (room->window));
  display_wait (is_filled, room);
}

static Room *
room_of (char *folder)
{
  Room *room = g_new0 (Room, 1);
  room->folder = folder;
  /* The store's own sums (lag) use the machine's clock: stay near it. */
  room->newest = (guint64) g_get_real_time () * 1000;
  room->now = room->newest + 3000000000;
  return room;
}

static Room *
room_made (guint runs, gboolean index, gboolean particles, FlStoreMode mode, gboolean view)
{
  Room *room = room_of (g_dir_make_tmp ("firstlight-gui-XXXXXX", NULL));
  room->made = TRUE;
  MadeStore made = { runs, 300, 4, room->newest, index, particles };
  made_store_write (room->folder, &made);
  open_window (room, mode, view);
  return room;
}

Room *
room_new (guint runs, FlStoreMode mode, gboolean view)
{
  return room_made (runs, FALSE, FALSE, mode, view);
}

Room *
room_new_indexing (guint runs)
{
  return room_made (runs, TRUE, FALSE, FL_STORE_WRITE, FALSE);
}

Room *
room_new_particles (guint runs)
{
  return room_made (runs, FALSE, TRUE, FL_STORE_WRITE, TRUE);
}

Room *
room_adopt (char *folder, FlStoreMode mode, gboolean view)
{
  Room *room = room_of (folder);
  room->made = TRUE;
  open_window (room, mode, view);
  return room;
}

Room *
room_open (const char *folder)
{
  Room *room = room_of (g_strdup (folder));
  open_window (room, FL_STORE_READ_ONLY, FALSE);
  return room;
}

void
room_remove_tree (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;
  while (dir && (name = g_dir_read_name (dir)))
    {
      g_autofree char *inner = g_build_filename (path, name, NULL);
      room_remove_tree (inner);
    }
  g_remove (path);
}

void
room_free (Room *room)
{
  gtk_window_destroy (GTK_WINDOW (room->window));
  flg_context_close (room->context);
  g_object_unref (room->context);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  if (room->made)
    room_remove_tree (room->folder);
  g_free (room->folder);
  g_free (room);
}

static void
count_news (gpointer thread, gpointer news, guint *heard)
{
  (*heard)++;
}

typedef struct
{
  Room *room;
  guint heard;
} Settling;

static gboolean
is_settled (gpointer data)
{
  Settling *settling = data;
  return settling->heard >= 2 && flg_window_is_settled (settling->room->window);
}

void
room_settle (Room *room)
{
  Settling settling = { room, 0 };
  FlgStoreThread *thread = flg_experiment_store (flg_context_experiment (room->context));
  gulong handler = g_signal_connect (thread, "news", G_CALLBACK (count_news), &settling.heard);
  flg_store_thread_poll (thread);
  flg_store_thread_poll (thread);
  display_wait (is_settled, &settling);
  g_signal_handler_disconnect (thread, handler);
}

FlgPage *
room_page (Room *room, const char *name)
{
  room_do (GTK_WIDGET (room->window), "win.show-page", "s", name);
  g_assert_cmpstr (flg_window_shown_page (room->window), ==, name);
  room_settle (room);
  return flg_window_page (room->window, name);
}

void
room_do (GtkWidget *widget, const char *action, const char *format, ...)
{
  GVariant *target = NULL;
  va_list values;
  va_start (values, format);
  if (format)
    target = g_variant_new_va (format, NULL, &values);
  va_end (values);
  g_assert_true (gtk_widget_activate_action_variant (widget, action, target));
}

FlStore *
room_look (Room *room)
{
  g_autoptr (GError) error = NULL;
  FlStore *store = fl_store_open (room->folder, FL_STORE_READ_ONLY, &error);
  g_assert_no_error (error);
  return store;
}

guint
room_n_tagged (Room *room, const char *name)
{
  g_autoptr (FlStore) store = room_look (room);
  FlTag *tag = fl_store_find (store, FL_TABLE_TAG, name, NULL);
  g_autoptr (GPtrArray) pairs = fl_store_list (store, FL_TABLE_RUN_TAG, NULL);
  guint n = 0;
  for (guint i = 0; tag && i < pairs->len; i++)
    n += ((FlRunTag *) pairs->pdata[i])->tag == tag->id;
  fl_record_free (FL_TABLE_TAG, tag);
  return n;
}

void
picture (gpointer widget, const char *name)
{
  const char *folder = g_getenv ("FIRSTLIGHT_PICTURES");
  g_autofree char *path = folder ? g_strdup_printf ("%s/%s.png", folder, name) : NULL;
  if (path)
    gtk_widget_queue_draw (widget);
  for (guint i = 0; path && i < 50 && !flw_widget_export (widget, path, NULL); i++)
    {
      display_wait_drawn (widget);
      g_usleep (20000);
    }
}

void
assert_in (const char *text, const char *part)
{
  if (!text || !strstr (text, part))
    g_error ("'%s' lacks '%s'", text, part);
}
