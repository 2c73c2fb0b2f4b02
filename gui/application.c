#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/application.h"

#include <glib/gi18n.h>
#include <glib/gstdio.h>

#include <string.h>

#include "engine/base/error.h"
#include "engine/store/mirror.h"
#include "gui/archive-note.h"
#include "gui/assistant-recent.h"
#include "gui/assistant.h"
#include "gui/compare-experiments.h"
#include "gui/conductor.h"
#include "gui/follow.h"
#include "gui/join-dialog.h"
#include "gui/joined.h"
#include "gui/snapshot.h"

struct _FlgApplication
{
  GtkApplication parent_instance;
  const FlgOptions *options;
  const FlgDisplayProfile *profile;
  char *folder;
  FlgContext *context;
  FlgWindow *window;
  FlgConductor *conductor;
  FlgFollow *follow;       /* NULL: the experiment is here */
  char *home;              /* of a followed or joined one: its folder there */
  gboolean joined;         /* a window on a shared database: its folder is elsewhere */
  GStrv command;           /* that speaks `serve` there */
  guint said;              /* its state, in the line above the pages */
  FlgAssistant *assistant; /* made when it is first shown; the window's */
  FlgDemo *demo;           /* that plays what is open; NULL: it is no demo */
  char *then;              /* what is done when it is open: as the assistant says */
  int status;
};

G_DEFINE_FINAL_TYPE (FlgApplication, flg_application, GTK_TYPE_APPLICATION)

static void open_experiment (FlgApplication *self, const char *folder, FlStoreMode mode);
static void join (FlgApplication *self, const char *url);
static void open_copy (FlgApplication *self);

static void
close_experiment (FlgApplication *self)
{
  g_clear_pointer (&self->conductor, flg_conductor_free);
  if (self->demo)
    {
      g_signal_handlers_disconnect_by_data (self->demo, self);
      flg_demo_stop (self->demo);
    }
  g_clear_object (&self->demo);
  if (self->follow)
    {
      g_signal_handlers_disconnect_by_data (self->follow, self);
      flg_follow_stop (self->follow);
    }
  g_clear_object (&self->follow);
  g_clear_pointer (&self->home, g_free);
  g_clear_pointer (&self->command, g_strfreev);
  self->joined = FALSE;
  if (self->window)
    flg_window_set_context (self->window, NULL);
  if (self->context)
    flg_context_close (self->context);
  g_clear_object (&self->context);
}

/* --- an archive --- */

static void
show_archive (FlgApplication *self)
{
  g_autofree char *words =
      flg_archive_words (flg_experiment_archive (flg_context_experiment (self->context)));
  flg_window_say (self->window, FLW_TONE_NEUTRAL, words, _ ("What is in it"), "app.show-archive");
}

static void
act_show_archive (GSimpleAction *action, GVariant *target, gpointer data)
{
  FlgApplication *self = data;
  if (self->context && flg_experiment_archive (flg_context_experiment (self->context)))
    {
      gtk_window_present (GTK_WINDOW (flg_archive_dialog_new (GTK_WINDOW (self->window), self->context)));
      show_archive (self); /* its button has hidden it */
    }
}

static void
act_compare (GSimpleAction *action, GVariant *target, gpointer data)
{
  FlgApplication *self = data;
  if (self->context)
    flg_compare_experiments (GTK_WINDOW (self->window), self->context, g_variant_get_string (target, NULL));
}

/* --- --- */

/* Missing roots tell a copy from the beamtime itself: nothing could be processed there, so nothing is written either. */
static gpointer
find_missing_root (FlStore *store, gpointer data, GError **error)
{
  g_autoptr (GPtrArray) roots = fl_store_list (store, FL_TABLE_ROOT, error);
  for (guint i = 0; roots && i < roots->len; i++)
    {
      const FlRoot *root = roots->pdata[i];
      g_autofree char *path = fl_store_resolve (store, root->name, "", NULL);
      if (path && g_access (path, R_OK) != 0)
        return g_strdup (path);
    }
  return NULL;
}

static void
on_roots_known (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (FlgApplication) self = data;
  g_autoptr (GError) error = NULL;
  g_autofree char *missing = flg_store_thread_run_finish (FLG_STORE_THREAD (source), result, &error);
  if (!self->context || error
      || flg_experiment_store (flg_context_experiment (self->context)) != (gpointer) source)
    return;
  FlgExperiment *experiment = flg_context_experiment (self->context);
  if (missing)
    {
      g_autofree char *text = g_strdup_printf (_ ("Offline: %s is not here. What was found can be looked at; "
                                                  "images of missing files cannot."),
                                               missing);
      flg_window_say (self->window, FLW_TONE_WARNING, text, NULL, NULL);
    }
  else if (flg_experiment_is_read_only (experiment))
    flg_window_say (self->window, FLW_TONE_NEUTRAL,
                    _ ("Open read-only: nothing is changed and nothing submitted."), NULL, NULL);
  else if (!self->options->no_conductor && !self->demo) /* a demo brings its own */
    self->conductor = flg_conductor_new (experiment);
}

/* --- the assistant --- */

static void
show_demo (FlgApplication *self)
{
  gboolean plays = flg_demo_state (self->demo) == FLG_DEMO_READY;
  g_autofree char *text =
      g_strdup_printf (_ ("Demo: nothing here was measured. %s"), flg_demo_words (self->demo));
  flg_window_say (self->window,
                  flg_demo_state (self->demo) == FLG_DEMO_FAILED ? FLW_TONE_BAD : FLW_TONE_ACTIVE, text,
                  plays ? _ ("Stop it") : NULL, plays ? "app.stop-demo" : NULL);
}

static void
act_stop_demo (GSimpleAction *action, GVariant *target, gpointer data)
{
  FlgApplication *self = data;
  if (self->demo)
    flg_demo_stop (self->demo);
}

static void
on_assistant_open (FlgApplication *self, const char *where, const char *then)
{
  g_autofree char *folder = g_strdup (where);
  if (g_str_has_prefix (where, "ssh://"))
    {
      join (self, folder);
      return;
    }
  gboolean only_read =
      self->options->read_only || g_str_equal (then, "read-only") || g_access (folder, W_OK) != 0;
  FlgDemo *demo = g_str_equal (then, "demo") ? g_object_ref (flg_assistant_demo (self->assistant)) : NULL;
  g_free (self->then);
  self->then = g_strdup (then);
  open_experiment (self, folder, only_read ? FL_STORE_READ_ONLY : FL_STORE_WRITE);
  self->demo = demo;
  if (demo)
    g_signal_connect_object (demo, "changed", G_CALLBACK (show_demo), self, G_CONNECT_SWAPPED);
}

/* Back to what is open, if anything is. */
static void
on_assistant_dismissed (FlgApplication *self)
{
  if (self->context && flg_experiment_is_open (flg_context_experiment (self->context)))
    gtk_stack_set_visible_child_name (GTK_STACK (gtk_window_get_child (GTK_WINDOW (self->window))), "pages");
}

static FlgAssistant *
show_assistant (FlgApplication *self)
{
  GtkStack *body = GTK_STACK (gtk_window_get_child (GTK_WINDOW (self->window)));
  if (!self->assistant)
    {
      self->assistant = FLG_ASSISTANT (flg_assistant_new ());
      gtk_stack_add_named (body, GTK_WIDGET (self->assistant), "assistant");
      g_signal_connect_object (self->assistant, "open", G_CALLBACK (on_assistant_open), self,
                               G_CONNECT_SWAPPED);
      g_signal_connect_object (self->assistant, "dismissed", G_CALLBACK (on_assistant_dismissed), self,
                               G_CONNECT_SWAPPED);
    }
  gtk_stack_set_visible_child_name (body, "assistant");
  return self->assistant;
}

static gboolean
shows_assistant (FlgApplication *self)
{
  return self->assistant && gtk_widget_get_mapped (GTK_WIDGET (self->assistant));
}

static void
act_assistant (GSimpleAction *action, GVariant *target, gpointer data)
{
  flg_assistant_show (show_assistant (data), g_variant_get_string (target, NULL));
}

/* Writes a file, in the store's thread: it may wait for a disk. */
static gpointer
remember (FlStore *store, gpointer where, GError **error)
{
  g_autoptr (GPtrArray) all = fl_store_list (store, FL_TABLE_EXPERIMENT, error);
  if (!all || all->len == 0)
    return NULL;
  flg_recent_add (where, ((const FlExperiment *) all->pdata[0])->name);
  return GINT_TO_POINTER (TRUE);
}

/* What the assistant has promised for the moment when it is open. */
static void
keep_promise (FlgApplication *self)
{
  g_autofree char *then = g_steal_pointer (&self->then);
  if (self->demo)
    show_demo (self);
  if (g_strcmp0 (then, "sites") != 0)
    return;
  gtk_widget_activate_action (GTK_WIDGET (self->window), "win.show-page", "s", "sites");
  gtk_widget_activate_action (GTK_WIDGET (flg_window_page (self->window, "sites")), "sites.add", NULL);
}

/* --- an experiment on another machine --- */

/* A line when it becomes another; how old the copy is stands in the header. */
static void
show_following (FlgApplication *self)
{
  FlgFollowState state = self->follow ? flg_follow_state (self->follow) : FLG_FOLLOW_BEGINNING;
  g_autofree char *words = self->follow ? flg_follow_words (self->follow) : NULL;
  gboolean lost = state == FLG_FOLLOW_LOST || state == FLG_FOLLOW_ENDED;
  if (!self->window || !self->context || (self->follow && state == self->said))
    return;
  self->said = state;
  if (state == FLG_FOLLOW_UP || state == FLG_FOLLOW_CATCHING_UP)
    flg_window_say (self->window, FLW_TONE_GOOD, words, NULL, NULL);
  else
    flg_window_say (self->window, lost ? FLW_TONE_WARNING : FLW_TONE_NEUTRAL,
                    words ? words : _ ("A copy of an experiment on another machine, as it was left."), NULL,
                    NULL);
}

static void
on_follow (FlgApplication *self)
{
  if (self->context)
    show_following (self);
  else if (flg_follow_has_come (self->follow))
    open_copy (self);
  else if (self->window)
    {
      g_autofree char *words = flg_follow_words (self->follow);
      gboolean ended = flg_follow_state (self->follow) == FLG_FOLLOW_ENDED;
      flg_window_show_trouble (
          self->window, ended ? _ ("This experiment cannot be joined") : _ ("Joining an experiment over SSH"),
          words, ended ? _ ("Open a folder") : NULL, ended ? "app.open" : NULL);
    }
}

/* `command`, `home`: taken over. The copy is opened at once when there is one already. */
static void
follow_into (FlgApplication *self, const char *folder, GStrv command, char *home)
{
  close_experiment (self);
  if (folder != self->folder)
    {
      g_free (self->folder);
      self->folder = g_strdup (folder);
    }
  self->command = command;
  self->home = home;
  g_autofree char *copy = g_build_filename (folder, FL_MIRROR_FILE, NULL);
  gboolean there = g_file_test (copy, G_FILE_TEST_EXISTS);
  if (!self->options->no_conductor)
    {
      self->follow = flg_follow_new (folder, home, (const char *const *) command);
      g_signal_connect_object (self->follow, "changed", G_CALLBACK (on_follow), self, G_CONNECT_SWAPPED);
    }
  if (there)
    open_copy (self);
  else if (self->follow)
    on_follow (self);
}

static void
join (FlgApplication *self, const char *url)
{
  g_autoptr (GError) error = NULL;
  FlgFarPlace place;
  if (!flg_far_place_parse (url, &place, &error))
    {
      close_experiment (self);
      flg_window_show_trouble (self->window, _ ("This experiment cannot be joined"), error->message,
                               _ ("Open a folder"), "app.open");
      return;
    }
  g_autofree char *folder = flg_far_place_folder (&place);
  follow_into (self, folder, flg_far_place_command (&place), g_strdup (place.path));
  flg_far_place_clear (&place);
}

static void
show_joined (FlgApplication *self)
{
  g_autofree char *text =
      self->command ? g_strdup_printf (_ ("A shared database. Images and logs come from %s, by %s."),
                                       self->home, self->command[0])
                    : g_strdup (_ ("A shared database. Images and logs are not reached from this machine."));
  flg_window_say (self->window, FLW_TONE_NEUTRAL, text, NULL, NULL);
}

static void
on_opened (FlgApplication *self, const GError *error)
{
  if (!error && !self->options->snapshot)
    flg_store_thread_run_async (flg_experiment_store (flg_context_experiment (self->context)), remember,
                                g_canonicalize_filename (self->folder, NULL), g_free, NULL, NULL, NULL, NULL);
  if (!error)
    keep_promise (self);
  if (!error && self->joined)
    show_joined (self);
  else if (!error && self->home)
    show_following (self); /* nothing of it lies here */
  else if (!error && flg_experiment_archive (flg_context_experiment (self->context)))
    show_archive (self);
  else if (!error)
    {
      flg_store_thread_run_async (flg_experiment_store (flg_context_experiment (self->context)),
                                  find_missing_root, NULL, NULL, g_free, NULL, on_roots_known,
                                  g_object_ref (self));
    }
  if (!error)
    return;
  if (g_error_matches (error, FL_ERROR, FL_ERROR_MISSING) && !self->options->read_only)
    {
      g_autofree char *folder = g_canonicalize_filename (self->folder, NULL);
      flg_assistant_propose (show_assistant (self), folder);
      if (self->options->assistant)
        flg_assistant_show (self->assistant, self->options->assistant);
      return;
    }
  flg_window_show_trouble (self->window, _ ("This experiment cannot be opened"), error->message,
                           _ ("Open another folder"), "app.open");
}

/* The serve child's program; see conductor.h. Of a followed experiment it runs at its own machine. */
static FlViewClient *
start_view (FlgApplication *self)
{
  if (self->command)
    {
      FlViewClient *far = fl_view_client_new ((const char *const *) self->command);
      fl_view_client_set_far (far, TRUE);
      return far;
    }
  g_autofree char *program = flg_control_program ();
  const char *argv[] = { program, "serve", NULL };
  return fl_view_client_new (argv);
}

static void
show_first_page (FlgApplication *self)
{
  const char *page = self->options->page ? self->options->page : "runs";
  gtk_widget_activate_action (GTK_WIDGET (self->window), "win.show-page", "s", page);
}

static void
make_context (FlgApplication *self, FlStoreMode mode)
{
  g_autoptr (FlgExperiment) experiment = flg_experiment_new (self->folder, mode, NULL, NULL);
  g_autoptr (FlViewClient) view = start_view (self);
  if (self->home)
    flg_experiment_set_home (experiment, self->home);
  flg_experiment_set_archive (experiment, fl_archive_read (self->folder, NULL));
  self->context = flg_context_new (experiment, view, self->profile);
  flg_context_set_follow (self->context, self->follow);
  g_signal_connect_object (experiment, "opened", G_CALLBACK (on_opened), self, G_CONNECT_SWAPPED);
  flg_window_set_context (self->window, self->context);
  show_first_page (self);
}

static void
open_copy (FlgApplication *self)
{
  self->said = FLG_FOLLOW_ENDED + 1;
  make_context (self, FL_STORE_READ_ONLY);
  show_following (self);
}

static void
open_experiment (FlgApplication *self, const char *folder, FlStoreMode mode)
{
  char *home = NULL;
  GStrv command = fl_mirror_read_origin (folder, &home, NULL);
  if (command)
    {
      follow_into (self, folder, command, home);
      return;
    }
  close_experiment (self);
  if (folder != self->folder)
    {
      g_free (self->folder);
      self->folder = g_strdup (folder);
    }
  self->joined = flg_joined_read (self->folder, &self->home, &self->command);
  g_autofree char *archive = g_build_filename (self->folder, FL_ARCHIVE_FILE, NULL);
  make_context (self, g_file_test (archive, G_FILE_TEST_EXISTS) ? FL_STORE_READ_ONLY : mode);
}

static void
on_folder_chosen (GtkNativeDialog *dialog, int response, FlgApplication *self)
{
  g_autoptr (GFile) file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog));
  if (response == GTK_RESPONSE_ACCEPT && file)
    open_experiment (self, g_file_peek_path (file),
                     self->options->read_only ? FL_STORE_READ_ONLY : FL_STORE_WRITE);
  g_object_unref (dialog);
}

static void
act_open (GSimpleAction *action, GVariant *target, gpointer data)
{
  FlgApplication *self = data;
  GtkFileChooserNative *dialog =
      gtk_file_chooser_native_new (_ ("Open an experiment's folder"), GTK_WINDOW (self->window),
                                   GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER, NULL, NULL);
  g_signal_connect (dialog, "response", G_CALLBACK (on_folder_chosen), self);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

static void
act_join (GSimpleAction *action, GVariant *target, gpointer data)
{
  FlgApplication *self = data;
  const char *url = g_variant_get_string (target, NULL);
  if (*url)
    join (self, url);
  else
    gtk_window_present (GTK_WINDOW (flg_join_dialog_new (GTK_WINDOW (self->window))));
}

static void
act_quit (GSimpleAction *action, GVariant *target, gpointer data)
{
  FlgApplication *self = data;
  if (self->window)
    gtk_window_close (GTK_WINDOW (self->window));
  else
    g_application_quit (G_APPLICATION (self));
}

static gboolean
has_settled (gpointer data)
{
  FlgApplication *self = data;
  return shows_assistant (self) ? flg_assistant_is_settled (self->assistant)
                                : flg_window_is_settled (self->window);
}

static FlStoreMode
wanted_mode (FlgApplication *self)
{
  if (self->options->read_only || g_access (self->folder, W_OK) != 0)
    return FL_STORE_READ_ONLY;
  return FL_STORE_WRITE;
}

static void
flg_application_activate (GApplication *application)
{
  FlgApplication *self = FLG_APPLICATION (application);
  const FlgOptions *options = self->options;
  if (self->window)
    {
      gtk_window_present (GTK_WINDOW (self->window));
      return;
    }
  self->window = flg_window_new (GTK_APPLICATION (self));
  g_object_add_weak_pointer (G_OBJECT (self->window), (gpointer *) &self->window);
  gtk_window_set_default_size (GTK_WINDOW (self->window), options->width ? options->width : 1280,
                               options->height ? options->height : 800);
  if (options->time_start)
    g_signal_connect_after (self->window, "realize", G_CALLBACK (flg_snapshot_time_start), NULL);
  if (options->folder && g_str_has_prefix (options->folder, "ssh://"))
    join (self, options->folder);
  else if (options->folder)
    {
      self->folder = g_strdup (options->folder);
      open_experiment (self, self->folder, wanted_mode (self));
    }
  else if (!flg_assistant_show (show_assistant (self), options->assistant ? options->assistant : "welcome"))
    flg_assistant_show (self->assistant, "welcome");
  gtk_window_present (GTK_WINDOW (self->window));
  if (options->snapshot)
    flg_snapshot_begin (&(FlgSnapshot){ self->window, options->snapshot, options->width, options->height,
                                        options->after, has_settled, self, &self->status });
}

void
flg_load_style (void)
{
  GdkDisplay *display = gdk_display_get_default ();
  static const char *const sheets[] = { "/io/firstlight/gui/firstlight.css", "/io/firstlight/gui/pages.css" };
  for (guint i = 0; i < G_N_ELEMENTS (sheets); i++)
    {
      g_autoptr (GtkCssProvider) provider = gtk_css_provider_new ();
      gtk_css_provider_load_from_resource (provider, sheets[i]);
      gtk_style_context_add_provider_for_display (display, GTK_STYLE_PROVIDER (provider),
                                                  GTK_STYLE_PROVIDER_PRIORITY_APPLICATION + i);
    }
  gtk_icon_theme_add_resource_path (gtk_icon_theme_get_for_display (display), "/io/firstlight/gui/icons");
  g_object_set (gtk_settings_get_default (), "gtk-application-prefer-dark-theme", TRUE, NULL);
}

static void
flg_application_startup (GApplication *application)
{
  static const GActionEntry actions[] = { { "open", act_open },
                                          { "join", act_join, "s" },
                                          { "assistant", act_assistant, "s" },
                                          { "stop-demo", act_stop_demo },
                                          { "quit", act_quit },
                                          { "show-archive", act_show_archive },
                                          { "compare-experiments", act_compare, "s" } };
  G_APPLICATION_CLASS (flg_application_parent_class)->startup (application);
  g_action_map_add_action_entries (G_ACTION_MAP (application), actions, G_N_ELEMENTS (actions), application);
  flg_display_profile_apply (FLG_APPLICATION (application)->profile);
  flg_load_style ();
}

static void
flg_application_shutdown (GApplication *application)
{
  close_experiment (FLG_APPLICATION (application));
  G_APPLICATION_CLASS (flg_application_parent_class)->shutdown (application);
}

static void
flg_application_finalize (GObject *object)
{
  g_free (FLG_APPLICATION (object)->folder);
  g_free (FLG_APPLICATION (object)->then);
  G_OBJECT_CLASS (flg_application_parent_class)->finalize (object);
}

static void
flg_application_class_init (FlgApplicationClass *klass)
{
  GApplicationClass *application_class = G_APPLICATION_CLASS (klass);
  application_class->activate = flg_application_activate;
  application_class->startup = flg_application_startup;
  application_class->shutdown = flg_application_shutdown;
  G_OBJECT_CLASS (klass)->finalize = flg_application_finalize;
}

static void
flg_application_init (FlgApplication *self)
{
}

FlgApplication *
flg_application_new (const FlgOptions *options, const FlgDisplayProfile *profile)
{
  FlgApplication *self = g_object_new (FLG_TYPE_APPLICATION, "application-id", "io.firstlight.Firstlight",
                                       "flags", G_APPLICATION_NON_UNIQUE, NULL);
  self->options = options;
  self->profile = profile;
  return self;
}

int
flg_application_status (FlgApplication *self)
{
  return self->status;
}
