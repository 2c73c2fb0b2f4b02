/* Folders, and the small operations. */
#include "engine/remote/sftp-files.h"

#include <string.h>
#include <sys/stat.h>

#include "engine/base/error.h"

#define MOST_ENTRIES 1000000
#define AHEAD        4  /* reads of one folder under way */
#define LINKS_AHEAD  64 /* questions where links lead */

static GByteArray *
about_path (guint8 type, const char *path)
{
  GByteArray *packet = fl_sftp_packet_new (type);
  fl_sftp_put_text (packet, path);
  return packet;
}

/* Sends, waits, and leaves the answer in `call`. */
static gboolean
ask (FlSftp *sftp, FlSftpCall *call, GByteArray *packet, GError **error)
{
  fl_sftp_send (sftp, call, packet);
  return fl_sftp_wait (sftp, call, error);
}

/* A request whose answer is a status alone. */
static gboolean
command (FlSftp *sftp, GByteArray *packet, const char *path, guint32 *status, GError **error)
{
  FlSftpCall call = { 0 };
  *status = FL_SFTP_OK;
  gboolean ok = ask (sftp, &call, packet, error)
                && fl_sftp_expect (sftp, &call, FL_SFTP_STATUS, path, NULL, status, error);
  fl_sftp_call_clear (sftp, &call);
  return ok;
}

static FlHostEntry *
entry_new (char *name, const FlSftpAttributes *attributes)
{
  FlHostEntry *entry = g_new0 (FlHostEntry, 1);
  entry->name = name;
  entry->size = attributes->size;
  entry->modified = attributes->modified;
  entry->mode = attributes->mode;
  return entry;
}

FlHostEntry *
fl_sftp_stat (FlSftp *sftp, const char *path, GError **error)
{
  FlSftpCall call = { 0 };
  FlSftpCursor cursor;
  FlSftpAttributes attributes;
  FlHostEntry *entry = NULL;
  if (ask (sftp, &call, about_path (FL_SFTP_STAT, path), error)
      && fl_sftp_expect (sftp, &call, FL_SFTP_ATTRS, path, &cursor, NULL, error))
    {
      fl_sftp_take_attributes (&cursor, &attributes);
      if (cursor.bad)
        fl_sftp_distrust (sftp, path, error);
      else
        entry = entry_new (g_path_get_basename (path), &attributes);
    }
  fl_sftp_call_clear (sftp, &call);
  return entry;
}

/* --- a folder --- */

/* One answer's names; FALSE with no error: that was the last one. */
static gboolean
take_names (FlSftp *sftp, FlSftpCall *call, const char *folder, GPtrArray *entries, GError **error)
{
  FlSftpCursor cursor;
  guint32 status;
  GError *problem = NULL;
  if (!fl_sftp_expect (sftp, call, FL_SFTP_NAME, folder, &cursor, &status, &problem))
    {
      if (status == FL_SFTP_EOF)
        g_error_free (problem);
      else
        g_propagate_error (error, problem);
      return FALSE;
    }
  for (guint32 n = fl_sftp_take_u32 (&cursor); n > 0 && !cursor.bad; n--)
    {
      FlSftpAttributes attributes;
      char *name = fl_sftp_take_name (&cursor, &attributes);
      if (name != NULL)
        g_ptr_array_add (entries, entry_new (name, &attributes));
    }
  if (cursor.bad)
    fl_sftp_distrust (sftp, folder, error);
  else if (entries->len > MOST_ENTRIES)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: has more than %d files", folder, MOST_ENTRIES);
  return !cursor.bad && entries->len <= MOST_ENTRIES;
}

static gboolean
read_folder (FlSftp *sftp, const guint8 *handle, gsize length, const char *folder, GPtrArray *entries,
             GError **error)
{
  FlSftpCall calls[AHEAD] = { 0 };
  GError *problem = NULL;
  gboolean more = TRUE;
  for (guint i = 0; more; i = (i + 1) % AHEAD)
    {
      for (guint j = 0; j < AHEAD; j++)
        if (calls[j].id == 0)
          {
            GByteArray *packet = fl_sftp_packet_new (FL_SFTP_READDIR);
            fl_sftp_put_string (packet, handle, length);
            fl_sftp_send (sftp, &calls[j], packet);
          }
      more =
          fl_sftp_wait (sftp, &calls[i], &problem) && take_names (sftp, &calls[i], folder, entries, &problem);
      fl_sftp_call_clear (sftp, &calls[i]);
    }
  for (guint j = 0; j < AHEAD; j++)
    fl_sftp_call_clear (sftp, &calls[j]);
  if (problem != NULL)
    g_propagate_error (error, problem);
  return problem == NULL;
}

/* What the links lead to, `n` of them from `first` on. */
static gboolean
follow_some (FlSftp *sftp, const char *folder, FlHostEntry **links, guint n, GError **error)
{
  FlSftpCall calls[LINKS_AHEAD] = { 0 };
  gboolean ok = TRUE;
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *path = g_strconcat (folder, "/", links[i]->name, NULL);
      fl_sftp_send (sftp, &calls[i], about_path (FL_SFTP_STAT, path));
    }
  for (guint i = 0; i < n; i++)
    {
      FlSftpCursor cursor;
      FlSftpAttributes attributes;
      ok = ok && fl_sftp_wait (sftp, &calls[i], error);
      if (ok && fl_sftp_expect (sftp, &calls[i], FL_SFTP_ATTRS, folder, &cursor, NULL, NULL))
        {
          fl_sftp_take_attributes (&cursor, &attributes);
          links[i]->size = attributes.size;
          links[i]->modified = attributes.modified;
          links[i]->mode = attributes.mode;
        }
      fl_sftp_call_clear (sftp, &calls[i]);
    }
  return ok;
}

static gboolean
follow_links (FlSftp *sftp, const char *folder, GPtrArray *entries, GError **error)
{
  g_autoptr (GPtrArray) links = g_ptr_array_new ();
  gboolean ok = TRUE;
  for (guint i = 0; i < entries->len; i++)
    {
      FlHostEntry *entry = entries->pdata[i];
      if (S_ISLNK (entry->mode))
        g_ptr_array_add (links, entry);
    }
  for (guint i = 0; i < links->len && ok; i += LINKS_AHEAD)
    ok = follow_some (sftp, folder, (FlHostEntry **) links->pdata + i, MIN (LINKS_AHEAD, links->len - i),
                      error);
  return ok;
}

static int
by_name (gconstpointer a, gconstpointer b)
{
  const FlHostEntry *const *first = a, *const *second = b;
  return strcmp ((*first)->name, (*second)->name);
}

GPtrArray *
fl_sftp_list (FlSftp *sftp, const char *folder, GError **error)
{
  FlSftpCall call = { 0 };
  FlSftpCursor cursor;
  gsize length;
  g_autoptr (GPtrArray) entries = g_ptr_array_new_with_free_func ((GDestroyNotify) fl_host_entry_free);
  gboolean ok = ask (sftp, &call, about_path (FL_SFTP_OPENDIR, folder), error)
                && fl_sftp_expect (sftp, &call, FL_SFTP_HANDLE, folder, &cursor, NULL, error);
  if (ok)
    {
      const guint8 *handle = fl_sftp_take_string (&cursor, &length);
      ok = handle != NULL;
      if (!ok)
        fl_sftp_distrust (sftp, folder, error);
      else
        {
          ok = read_folder (sftp, handle, length, folder, entries, error);
          GByteArray *packet = fl_sftp_packet_new (FL_SFTP_CLOSE);
          fl_sftp_put_string (packet, handle, length);
          fl_sftp_send (sftp, NULL, packet);
        }
    }
  fl_sftp_call_clear (sftp, &call);
  if (!ok || !follow_links (sftp, folder, entries, error))
    return NULL;
  g_ptr_array_sort (entries, by_name);
  return g_steal_pointer (&entries);
}

/* --- small operations --- */

gboolean
fl_sftp_remove (FlSftp *sftp, const char *path, GError **error)
{
  guint32 status;
  GError *problem = NULL;
  if (command (sftp, about_path (FL_SFTP_REMOVE, path), path, &status, &problem))
    return TRUE;
  if (status == FL_SFTP_NO_SUCH_FILE)
    {
      g_error_free (problem);
      return TRUE;
    }
  g_propagate_error (error, problem);
  return FALSE;
}

/* Whether it is a folder; an error only when that cannot be told. */
static gboolean
is_folder (FlSftp *sftp, const char *path, gboolean *missing, GError **error)
{
  GError *problem = NULL;
  FlHostEntry *entry = fl_sftp_stat (sftp, path, &problem);
  gboolean folder = entry != NULL && S_ISDIR (entry->mode);
  fl_host_entry_free (entry);
  *missing = g_error_matches (problem, FL_ERROR, FL_ERROR_MISSING);
  if (problem != NULL && !*missing)
    g_propagate_error (error, problem);
  else
    g_clear_error (&problem);
  return folder;
}

gboolean
fl_sftp_make_folder (FlSftp *sftp, const char *path, GError **error)
{
  guint32 status;
  gboolean missing;
  GError *problem = NULL, *other = NULL;
  for (int attempt = 0; attempt < 2; attempt++)
    {
      GByteArray *packet = about_path (FL_SFTP_MKDIR, path);
      fl_sftp_put_u32 (packet, 0); /* attributes: none */
      g_clear_error (&problem);
      if (command (sftp, packet, path, &status, &problem))
        return TRUE;
      if (g_error_matches (problem, FL_ERROR, FL_ERROR_BUSY))
        break;
      if (is_folder (sftp, path, &missing, &other))
        {
          g_clear_error (&problem);
          return TRUE;
        }
      if (other != NULL || !missing || attempt > 0)
        break;
      g_autofree char *parent = g_path_get_dirname (path);
      if (strcmp (parent, path) == 0 || is_folder (sftp, parent, &missing, &other) || other != NULL)
        break;
      if (!fl_sftp_make_folder (sftp, parent, &other))
        break;
    }
  if (other != NULL)
    g_clear_error (&problem);
  g_propagate_error (error, other != NULL ? other : problem);
  return FALSE;
}
