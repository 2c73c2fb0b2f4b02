#include "engine/remote/far-command.h"

#include <string.h>

#include "engine/base/error.h"
#include "engine/remote/host-private.h"

#define MOST_LINE 30000 /* libssh2 puts it into one packet */
#define KILL_S    5

static gboolean
is_plain (char c)
{
  return g_ascii_isalnum (c) || strchr (" ./_-,:=@%+\"$(){};><&|", c) != NULL;
}

gboolean
fl_far_command_make (const char *const *argv, FlFarCommand *command, GError **error)
{
  g_autofree char *uuid = g_uuid_string_random ();
  g_autofree char *words = fl_host_quote (argv);
  g_autofree char *program = g_shell_quote (argv[0]);
  g_autofree char *mark = g_strconcat ("begin-", uuid, NULL);
  g_autofree char *script = g_strdup_printf (
      "m=%s; p=$$; command -v %s >/dev/null 2>&1 || p=0; echo \"$m $p\"; echo \"$m $p\" >&2; "
      "test $p != 0 || exit 127; unset m p; exec %s",
      mark, program, words);
  GString *line = g_string_new ("exec /bin/sh -c 'eval \"$(printf %b \"$0\")\"' '");
  for (const char *c = script; *c != '\0'; c++)
    if (is_plain (*c))
      g_string_append_c (line, *c);
    else
      g_string_append_printf (line, "\\0%03o", (guchar) *c);
  g_string_append_c (line, '\'');
  if (line->len > MOST_LINE)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: its arguments are longer than %d bytes", argv[0],
                   MOST_LINE);
      g_string_free (line, TRUE);
      return FALSE;
    }
  command->line = g_string_free (line, FALSE);
  command->mark = g_steal_pointer (&mark);
  return TRUE;
}

void
fl_far_command_clear (FlFarCommand *command)
{
  g_clear_pointer (&command->line, g_free);
  g_clear_pointer (&command->mark, g_free);
}

gssize
fl_far_command_start (const FlFarCommand *command, const char *bytes, gsize length, gint64 *group)
{
  gsize n = strlen (command->mark);
  const char *at = memmem (bytes, length, command->mark, n);
  const char *line_end = at != NULL ? memchr (at, '\n', length - (gsize) (at - bytes)) : NULL;
  if (line_end == NULL)
    return -1;
  if (group != NULL)
    *group = g_ascii_strtoll (at + n, NULL, 10);
  return line_end + 1 - bytes;
}

void
fl_far_end_group (FlLink *link, gint64 group)
{
  if (group <= 1 || fl_link_is_over (link))
    return;
  g_autofree char *line = g_strdup_printf ("exec /bin/sh -c 'kill -TERM -- -%" G_GINT64_FORMAT
                                           " || kill -TERM %" G_GINT64_FORMAT "; echo'",
                                           group, group);
  FlChannel *channel = fl_link_open_spare (link, line, NULL);
  if (channel == NULL)
    return;
  channel->wait (channel, g_get_monotonic_time () + KILL_S * G_USEC_PER_SEC);
  channel->free (channel);
}
