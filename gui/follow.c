#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/follow.h"

#include <glib/gi18n.h>

#include <signal.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/store/mirror.h"
#include "gui/conductor.h"
#include "gui/text.h"
#include "widgets/readout.h"

#define SCHEME "ssh://"

struct _FlgFollow
{
  GObject parent_instance;
  GSubprocess *child;
  GDataInputStream *lines;
  GCancellable *cancellable;
  char *folder;  /* of the copy */
  char *place;   /* "host:/path", for people */
  char *message; /* what the program said last, or on its way out */
  FlgFollowState state;
  gboolean come;
};

enum
{
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlgFollow, flg_follow, G_TYPE_OBJECT)

/* --- where --- */

void
flg_far_place_clear (FlgFarPlace *place)
{
  g_clear_pointer (&place->user, g_free);
  g_clear_pointer (&place->host, g_free);
  g_clear_pointer (&place->path, g_free);
}

/* A name that ssh cannot take for an option and no shell for anything. */
static gboolean
is_plain (const char *name)
{
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
  return *name != '-' && strspn (name, plain) == strlen (name) && strlen (name) < 256;
}

gboolean
flg_far_place_parse (const char *url, FlgFarPlace *place, GError **error)
{
  *place = (FlgFarPlace){ 0 };
  if (g_str_has_prefix (url, SCHEME))
    {
      const char *where = url + strlen (SCHEME), *slash = strchr (where, '/');
      g_autofree char *login = g_strndup (where, slash ? (gsize) (slash - where) : strlen (where));
      char *at = strchr (login, '@'), *colon = strrchr (login, ':');
      gint64 port = colon ? g_ascii_strtoll (colon + 1, NULL, 10) : 0;
      gboolean numbered =
          !colon || (port > 0 && port < 65536 && strspn (colon + 1, "0123456789") == strlen (colon + 1));
      if (colon)
        *colon = '\0';
      if (at)
        *at = '\0';
      const char *host = at ? at + 1 : login;
      if (*host && is_plain (host) && (!at || (*login && is_plain (login))) && numbered && slash && slash[1])
        {
          *place = (FlgFarPlace){ g_strdup (at ? login : ""), g_strdup (host), (int) port, g_strdup (slash) };
          return TRUE;
        }
    }
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
               _ ("%s: expected ssh://user@host/path/to/experiment (the user may be left out)"), url);
  return FALSE;
}

GStrv
flg_far_place_command (const FlgFarPlace *place)
{
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  static const char *const options[] = { "-o", "BatchMode=yes",        "-o", "ServerAliveInterval=5",
                                         "-o", "ServerAliveCountMax=3" };
  g_autofree char *port = g_strdup_printf ("%d", place->port);
  g_ptr_array_add (argv, (gpointer) "ssh");
  for (guint i = 0; i < G_N_ELEMENTS (options); i++)
    g_ptr_array_add (argv, (gpointer) options[i]);
  if (place->port)
    {
      g_ptr_array_add (argv, (gpointer) "-p");
      g_ptr_array_add (argv, port);
    }
  if (*place->user)
    {
      g_ptr_array_add (argv, (gpointer) "-l");
      g_ptr_array_add (argv, place->user);
    }
  g_ptr_array_add (argv, place->host);
  g_ptr_array_add (argv, (gpointer) "firstlight-control");
  g_ptr_array_add (argv, (gpointer) "serve");
  g_ptr_array_add (argv, NULL);
  return g_strdupv ((char **) argv->pdata);
}

char *
flg_far_place_folder (const FlgFarPlace *place)
{
  g_autofree char *whole = g_strdup_printf ("%s@%s:%d%s", place->user, place->host, place->port, place->path);
  g_autofree char *sum = g_compute_checksum_for_string (G_CHECKSUM_SHA256, whole, -1);
  g_autofree char *last = g_path_get_basename (place->path);
  g_autofree char *name = g_strdup_printf ("%s-%s-%.8s", place->host, last, sum);
  return g_build_filename (g_get_user_cache_dir (), "firstlight", "followed", name, NULL);
}

/* --- what its program says --- */

static void read_line (FlgFollow *self);

static void
set_state (FlgFollow *self, FlgFollowState state, const char *message)
{
  g_free (self->message);
  self->message = flg_text_bounded (message, 300);
  self->state = state;
  g_signal_emit (self, signals[CHANGED], 0);
}

static void
take_line (FlgFollow *self, const char *line)
{
  static const char again[] = "trying again: ";
  if (strcmp (line, "up to date") == 0)
    {
      self->come = TRUE;
      set_state (self, FLG_FOLLOW_UP, "");
    }
  else if (strcmp (line, "catching up") == 0)
    {
      self->come = TRUE;
      set_state (self, FLG_FOLLOW_CATCHING_UP, "");
    }
  else if (g_str_has_prefix (line, again))
    set_state (self, FLG_FOLLOW_LOST, line + strlen (again));
  else if (g_str_has_prefix (line, "firstlight-control follow: "))
    {
      g_free (self->message); /* why it ends */
      self->message = flg_text_bounded (line + strlen ("firstlight-control follow: "), 300);
    }
}

static void
on_line (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (FlgFollow) self = data;
  g_autoptr (GError) error = NULL;
  g_autofree char *line =
      g_data_input_stream_read_line_finish (G_DATA_INPUT_STREAM (source), result, NULL, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  if (!line)
    {
      g_autofree char *why = g_strdup (self->message);
      set_state (self, FLG_FOLLOW_ENDED, why && *why ? why : _ ("its program has ended"));
      return;
    }
  take_line (self, line);
  read_line (self);
}

static void
read_line (FlgFollow *self)
{
  g_data_input_stream_read_line_async (self->lines, G_PRIORITY_DEFAULT, self->cancellable, on_line,
                                       g_object_ref (self));
}

/* --- for others --- */

FlgFollow *
flg_follow_new (const char *folder, const char *store, const char *const *command)
{
  FlgFollow *self = g_object_new (FLG_TYPE_FOLLOW, NULL);
  g_autofree char *program = flg_control_program ();
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  const char *begin[] = { program, "follow", "--into", folder, "--store", store, "--" };
  guint n = g_strv_length ((char **) command);
  for (guint i = 0; i < G_N_ELEMENTS (begin); i++)
    g_ptr_array_add (argv, (gpointer) begin[i]);
  for (guint i = 0; i < n; i++)
    g_ptr_array_add (argv, (gpointer) command[i]);
  g_ptr_array_add (argv, NULL);
  self->folder = g_strdup (folder);
  self->place =
      g_strdup_printf ("%s:%s", n > 2 && strcmp (command[n - 1], "serve") == 0 ? command[n - 3] : "…", store);
  self->child = g_subprocess_newv ((const char *const *) argv->pdata,
                                   G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE
                                       | G_SUBPROCESS_FLAGS_STDERR_MERGE,
                                   &error);
  if (!self->child)
    {
      self->state = FLG_FOLLOW_ENDED;
      self->message = g_strdup (error->message);
      return self;
    }
  self->lines = g_data_input_stream_new (g_subprocess_get_stdout_pipe (self->child));
  read_line (self);
  return self;
}

void
flg_follow_stop (FlgFollow *self)
{
  g_cancellable_cancel (self->cancellable);
  if (self->child)
    g_subprocess_send_signal (self->child, SIGTERM);
}

FlgFollowState
flg_follow_state (FlgFollow *self)
{
  return self->state;
}

gboolean
flg_follow_has_come (FlgFollow *self)
{
  return self->come;
}

double
flg_follow_age (FlgFollow *self)
{
  guint64 whole = fl_mirror_whole_at (self->folder), now = (guint64) g_get_real_time () * 1000;
  return whole == 0 ? -1 : now > whole ? (double) (now - whole) / 1e9 : 0;
}

char *
flg_follow_words (FlgFollow *self)
{
  switch (self->state)
    {
    case FLG_FOLLOW_CATCHING_UP:
      return g_strdup_printf (_ ("Following %s: catching up"), self->place);
    case FLG_FOLLOW_UP:
      return g_strdup_printf (_ ("Following %s; read-only"), self->place);
    case FLG_FOLLOW_LOST:
      return g_strdup_printf (_ ("%s is not reached, trying again: %s"), self->place, self->message);
    case FLG_FOLLOW_ENDED:
      return g_strdup_printf (_ ("%s is not followed: %s"), self->place, self->message);
    case FLG_FOLLOW_BEGINNING:
    default:
      return g_strdup_printf (_ ("Reaching %s"), self->place);
    }
}

char *
flg_follow_short_words (FlgFollow *self)
{
  double seconds = flg_follow_age (self);
  g_autofree char *age = seconds < 0 ? g_strdup ("?") : flw_format_age (seconds);
  switch (self->state)
    {
    case FLG_FOLLOW_BEGINNING:
      return g_strdup (_ ("reaching it"));
    case FLG_FOLLOW_CATCHING_UP:
      return g_strdup (_ ("catching up"));
    case FLG_FOLLOW_UP:
      return g_strdup_printf (_ ("%s behind"), age);
    case FLG_FOLLOW_LOST:
    case FLG_FOLLOW_ENDED:
    default:
      return g_strdup_printf (_ ("lost, %s old"), age);
    }
}

static void
flg_follow_dispose (GObject *object)
{
  FlgFollow *self = FLG_FOLLOW (object);
  flg_follow_stop (self);
  g_clear_object (&self->lines);
  g_clear_object (&self->child);
  G_OBJECT_CLASS (flg_follow_parent_class)->dispose (object);
}

static void
flg_follow_finalize (GObject *object)
{
  FlgFollow *self = FLG_FOLLOW (object);
  g_object_unref (self->cancellable);
  g_free (self->folder);
  g_free (self->place);
  g_free (self->message);
  G_OBJECT_CLASS (flg_follow_parent_class)->finalize (object);
}

static void
flg_follow_class_init (FlgFollowClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = flg_follow_dispose;
  G_OBJECT_CLASS (klass)->finalize = flg_follow_finalize;
  signals[CHANGED] = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                   NULL, G_TYPE_NONE, 0);
}

static void
flg_follow_init (FlgFollow *self)
{
  self->cancellable = g_cancellable_new ();
}
