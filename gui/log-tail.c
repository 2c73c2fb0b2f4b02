#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/log-tail.h"

#include <glib/gi18n.h>

#include <string.h>

#include "gui/text.h"

#define BEAT_MS 1000
#define PORTION (256u << 10)
#define BEFORE  (32u << 10) /* bytes shown above a match */

struct FlgLogTail
{
  FlwLogView *log;
  FlgLogTold told;
  gpointer data;
  FlViewClient *view;
  char *path;
  gint64 offset; /* < 0: nothing read yet */
  gboolean growing, asking, said;
  gboolean away; /* from the end: a part is shown that does not grow */
  gboolean finding;
  char *pattern;
  gboolean once_around; /* the search has begun at the file's start */
  guint64 found;        /* the last match + 1; 0 = none */
  guint64 target;       /* of the line to show, when a part is read */
  char *note;
  GCancellable *cancellable;
  guint timer;
};

static void ask (FlgLogTail *tail);

static void
say (FlgLogTail *tail, char *note)
{
  gboolean another = g_strcmp0 (tail->note, note) != 0;
  g_free (tail->note);
  tail->note = note;
  if (another && tail->told)
    tail->told (tail->data);
}

static void
say_error (FlgLogTail *tail, const GError *error)
{
  g_autofree char *text = g_strdup_printf (tail->growing ? _ ("nothing yet: %s") : "%s", error->message);
  if (!tail->said && !tail->away)
    flw_log_view_append (tail->log, text, -1);
  tail->said = TRUE;
  say (tail, g_strdup (""));
}

static void
say_end (FlgLogTail *tail, const FlViewLog *log)
{
  g_autofree char *size = g_format_size (log->size);
  say (tail, log->size > PORTION ? g_strdup_printf (_ ("end of %s"), size) : g_strdup (size));
}

/* The request outlives the tail: what it needs is found only when it was not cancelled. */
static void
on_range (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;
  FlViewLog *log = fl_view_client_log_finish (FL_VIEW_CLIENT (source), result, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  FlgLogTail *tail = data;
  tail->asking = FALSE;
  if (!log)
    {
      say_error (tail, error);
      return;
    }
  gsize length;
  const char *bytes = g_bytes_get_data (log->bytes, &length);
  if (tail->said || (gint64) log->size < tail->offset)
    flw_log_view_clear (tail->log);
  tail->said = FALSE;
  flw_log_view_append (tail->log, bytes, (gssize) length);
  tail->offset = (gint64) (log->offset + length);
  gboolean more = length > 0 && (guint64) tail->offset < log->size;
  say_end (tail, log);
  fl_view_log_unref (log);
  if (more)
    ask (tail);
}

static void
ask (FlgLogTail *tail)
{
  if (tail->asking || tail->away || !tail->path || !tail->view)
    return;
  tail->asking = TRUE;
  FlViewLogRequest request = { tail->path, tail->offset < 0 ? -(gint64) PORTION : tail->offset, PORTION };
  fl_view_client_log_async (tail->view, &request, tail->cancellable, on_range, tail);
}

/* --- a part --- */

static guint
lines_before (const char *bytes, gsize end)
{
  guint n = 0;
  for (const char *at = bytes; (at = memchr (at, '\n', end - (gsize) (at - bytes))); at++)
    n++;
  return n;
}

static void
on_part (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;
  FlViewLog *log = fl_view_client_log_finish (FL_VIEW_CLIENT (source), result, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  FlgLogTail *tail = data;
  tail->finding = FALSE;
  if (!log)
    {
      say_error (tail, error);
      return;
    }
  gsize length;
  const char *bytes = g_bytes_get_data (log->bytes, &length);
  flw_log_view_clear (tail->log);
  flw_log_view_append (tail->log, bytes, (gssize) length);
  if (tail->target >= log->offset && tail->target - log->offset <= length)
    flw_log_view_show_line (tail->log, lines_before (bytes, tail->target - log->offset));
  fl_view_log_unref (log);
}

static void
show_part (FlgLogTail *tail, guint64 line)
{
  tail->target = line;
  FlViewLogRequest request = { tail->path, (gint64) (line > BEFORE ? line - BEFORE : 0), PORTION };
  fl_view_client_log_async (tail->view, &request, tail->cancellable, on_part, tail);
}

static void find_from (FlgLogTail *tail, guint64 offset);

static void
say_found (FlgLogTail *tail, const FlViewFound *found)
{
  g_autofree char *line = flg_format_count ((gint64) found->line), *size = g_format_size (found->size);
  say (tail, g_strdup_printf (_ ("line %s of %s; End follows again"), line, size));
}

static void
on_found (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlViewFound) found = fl_view_client_find_finish (FL_VIEW_CLIENT (source), result, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  FlgLogTail *tail = data;
  if (found && !found->found && !tail->once_around)
    {
      find_from (tail, 0);
      return;
    }
  if (found && found->found)
    {
      tail->found = found->match + 1;
      tail->away = TRUE;
      say_found (tail, found);
      show_part (tail, found->offset);
      return;
    }
  tail->finding = FALSE;
  tail->found = 0;
  g_autofree char *size = found ? g_format_size (found->size) : NULL;
  say (tail, error            ? g_strdup (error->message)
             : *tail->pattern ? g_strdup_printf (_ ("not in all of its %s"), size)
                              : g_strdup_printf (_ ("nothing looks like an error in all of its %s"), size));
}

static void
find_from (FlgLogTail *tail, guint64 offset)
{
  tail->finding = TRUE;
  tail->once_around = offset == 0;
  FlViewFindRequest request = { tail->path, tail->pattern, offset };
  fl_view_client_find_async (tail->view, &request, tail->cancellable, on_found, tail);
}

void
flg_log_tail_find (FlgLogTail *tail, const char *pattern, gboolean from_start)
{
  if (!tail->path || !tail->view || tail->finding)
    return;
  if (from_start || g_strcmp0 (pattern, tail->pattern) != 0)
    tail->found = 0;
  g_free (tail->pattern);
  tail->pattern = g_strdup (pattern);
  say (tail, g_strdup (_ ("looking through the whole file…")));
  find_from (tail, tail->found);
}

/* --- which file --- */

static gboolean
on_beat (gpointer data)
{
  FlgLogTail *tail = data;
  if ((tail->growing || tail->said) && gtk_widget_get_mapped (GTK_WIDGET (tail->log)))
    ask (tail);
  return G_SOURCE_CONTINUE;
}

static void
forget (FlgLogTail *tail)
{
  g_cancellable_cancel (tail->cancellable);
  g_clear_object (&tail->cancellable);
  tail->asking = tail->finding = tail->away = tail->said = FALSE;
  tail->found = 0;
}

static void
begin (FlgLogTail *tail)
{
  tail->cancellable = g_cancellable_new ();
  tail->offset = -1;
  flw_log_view_clear (tail->log);
  say (tail, g_strdup (""));
  ask (tail);
}

FlgLogTail *
flg_log_tail_new (FlwLogView *log, FlgLogTold told, gpointer data)
{
  FlgLogTail *tail = g_new0 (FlgLogTail, 1);
  tail->log = log;
  tail->told = told;
  tail->data = data;
  tail->note = g_strdup ("");
  tail->timer = g_timeout_add (BEAT_MS, on_beat, tail);
  return tail;
}

void
flg_log_tail_free (FlgLogTail *tail)
{
  forget (tail);
  g_source_remove (tail->timer);
  g_clear_object (&tail->view);
  g_free (tail->path);
  g_free (tail->pattern);
  g_free (tail->note);
  g_free (tail);
}

void
flg_log_tail_follow (FlgLogTail *tail, FlViewClient *view, const char *path, gboolean growing)
{
  gboolean ended = tail->growing && !growing;
  tail->growing = growing;
  if (g_strcmp0 (tail->path, path) == 0 && tail->view == view)
    {
      if (ended)
        ask (tail);
      return;
    }
  forget (tail);
  g_free (tail->path);
  tail->path = g_strdup (path);
  g_set_object (&tail->view, view);
  begin (tail);
}

void
flg_log_tail_show_end (FlgLogTail *tail)
{
  if (!tail->away)
    return;
  forget (tail);
  begin (tail);
}

gboolean
flg_log_tail_is_at_end (FlgLogTail *tail)
{
  return !tail->away;
}

const char *
flg_log_tail_note (FlgLogTail *tail)
{
  return tail->note;
}

gboolean
flg_log_tail_is_settled (FlgLogTail *tail)
{
  return !tail->asking && !tail->finding;
}
