/* The front of a host: references, checks, and what all kinds share. */
#include "engine/remote/host-private.h"

FlHost *
fl_host_new (const FlHostClass *klass, const char *name, gpointer self)
{
  FlHost *host = g_new0 (FlHost, 1);
  g_atomic_ref_count_init (&host->references);
  host->klass = klass;
  host->name = g_strdup (name);
  host->self = self;
  return host;
}

FlHost *
fl_host_ref (FlHost *host)
{
  g_atomic_ref_count_inc (&host->references);
  return host;
}

void
fl_host_unref (FlHost *host)
{
  if (host == NULL || !g_atomic_ref_count_dec (&host->references))
    return;
  host->klass->finalize (host);
  g_free (host->name);
  g_free (host);
}

const char *
fl_host_name (FlHost *host)
{
  return host->name;
}

char *
fl_host_quote (const char *const *argv)
{
  g_autoptr (GString) line = g_string_new (NULL);
  for (guint i = 0; argv[i] != NULL; i++)
    {
      g_autofree char *quoted = g_shell_quote (argv[i]);
      g_string_append_printf (line, "%s%s", i > 0 ? " " : "", quoted);
    }
  return g_strdup (line->str);
}

void
fl_host_output_clear (FlHostOutput *output)
{
  g_clear_pointer (&output->out, g_bytes_unref);
  g_clear_pointer (&output->err, g_bytes_unref);
}

void
fl_host_entry_free (FlHostEntry *entry)
{
  if (entry == NULL)
    return;
  g_free (entry->name);
  g_free (entry);
}

void
fl_host_part_clear (FlHostPart *part)
{
  g_clear_pointer (&part->bytes, g_bytes_unref);
  g_clear_error (&part->error);
}

gboolean
fl_host_run (FlHost *host, const char *const *argv, GBytes *input, guint timeout_s, GCancellable *cancellable,
             FlHostOutput *output, GError **error)
{
  g_return_val_if_fail (argv[0] != NULL, FALSE);
  return host->klass->run (host, argv, input, timeout_s, cancellable, output, error);
}

int
fl_host_open (FlHost *host, const char *const *argv, FlHostLine errors, gpointer data, GError **error)
{
  g_return_val_if_fail (argv[0] != NULL, -1);
  return host->klass->open (host, argv, errors, data, error);
}

GPtrArray *
fl_host_list (FlHost *host, const char *folder, GError **error)
{
  return host->klass->list (host, folder, error);
}

FlHostEntry *
fl_host_stat (FlHost *host, const char *path, GError **error)
{
  return host->klass->stat (host, path, error);
}

GBytes *
fl_host_read (FlHost *host, const char *path, gint64 offset, gsize most, guint64 *size, GError **error)
{
  FlHostPart part = { .path = path, .offset = offset, .most = most };
  if (!fl_host_read_parts (host, &part, 1, error))
    return NULL;
  if (size != NULL)
    *size = part.size;
  if (part.error != NULL)
    g_propagate_error (error, g_steal_pointer (&part.error));
  return part.bytes;
}

gboolean
fl_host_read_parts (FlHost *host, FlHostPart *parts, guint n, GError **error)
{
  return n == 0 || host->klass->read_parts (host, parts, n, error);
}

gboolean
fl_host_write (FlHost *host, const char *path, gconstpointer data, gsize length, guint32 mode, GError **error)
{
  return host->klass->write (host, path, data, length, mode, error);
}

gboolean
fl_host_put (FlHost *host, const char *local_path, const char *path, guint32 mode, GCancellable *cancellable,
             FlHostProgress progress, gpointer data, GError **error)
{
  return host->klass->put (host, local_path, path, mode, cancellable, progress, data, error);
}

gboolean
fl_host_make_folder (FlHost *host, const char *path, GError **error)
{
  return host->klass->make_folder (host, path, error);
}

gboolean
fl_host_remove (FlHost *host, const char *path, GError **error)
{
  return host->klass->remove (host, path, error);
}
