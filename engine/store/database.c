#include "engine/store/database.h"

#include <errno.h>
#include <gio/gio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"

#define GROUP "database"

void
fl_database_free (FlDatabase *database)
{
  if (database == NULL)
    return;
  g_free (database->shown);
  g_free (database->folder);
  g_free (database->path);
  g_free (database->user);
  g_free (database->host);
  g_free (database->name);
  g_free (database->socket);
  g_free (database->ca);
  g_free (database->option_file);
  g_strfreev (database->command);
  g_free (database);
}

FlDatabase *
fl_database_copy (const FlDatabase *database)
{
  FlDatabase *copy = g_memdup2 (database, sizeof *database);
  char **texts[] = { &copy->shown, &copy->folder, &copy->path, &copy->user,       &copy->host,
                     &copy->name,  &copy->socket, &copy->ca,   &copy->option_file };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    *texts[i] = g_strdup (*texts[i]);
  copy->command = g_strdupv (database->command);
  return copy;
}

/* --- URLs --- */

static const char *const tls_names[] = {
  [FL_TLS_VERIFY] = "verify", [FL_TLS_REQUIRED] = "required", [FL_TLS_OFF] = "off"
};

static gboolean
is_near (const FlDatabase *database)
{
  return *database->socket != '\0' || *database->host == '\0' || strcmp (database->host, "localhost") == 0
         || strcmp (database->host, "127.0.0.1") == 0 || strcmp (database->host, "::1") == 0;
}

/* "": what is safe where it is. */
static gboolean
take_tls (FlDatabase *database, const char *word, GError **error)
{
  if (*word == '\0')
    {
      database->tls = is_near (database) ? FL_TLS_OFF : FL_TLS_VERIFY;
      return TRUE;
    }
  for (guint i = 0; i < G_N_ELEMENTS (tls_names); i++)
    if (strcmp (word, tls_names[i]) == 0)
      {
        database->tls = (FlTls) i;
        return TRUE;
      }
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: tls is '%s', expected verify, required or off",
               database->shown, word);
  return FALSE;
}

static void
replace (char **field, const char *value)
{
  if (value != NULL)
    {
      g_free (*field);
      *field = g_strdup (value);
    }
}

static gboolean
take_options (FlDatabase *database, GHashTable *options, GError **error)
{
  GHashTableIter iter;
  gpointer key, value;
  const char *tls = "";
  g_hash_table_iter_init (&iter, options);
  while (g_hash_table_iter_next (&iter, &key, &value))
    {
      if (strcmp (key, "socket") == 0)
        replace (&database->socket, value);
      else if (strcmp (key, "ca") == 0)
        replace (&database->ca, value);
      else if (strcmp (key, "option_file") == 0)
        replace (&database->option_file, value);
      else if (strcmp (key, "tls") == 0)
        tls = value;
      else
        {
          g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                       "%s: option '%s' is not known, expected socket, tls, ca or option_file",
                       database->shown, (const char *) key);
          return FALSE;
        }
    }
  return take_tls (database, tls, error);
}

FlDatabase *
fl_database_parse (const char *url, const char *folder, GError **error)
{
  g_autoptr (GError) why = NULL;
  g_autoptr (GUri) uri = g_uri_parse (url, G_URI_FLAGS_HAS_PASSWORD, &why);
  const char *path = uri != NULL ? g_uri_get_path (uri) : "";
  gboolean fits = uri != NULL && strcmp (g_uri_get_scheme (uri), "mysql") == 0 && path[0] == '/'
                  && path[1] != '\0' && strchr (path + 1, '/') == NULL;
  if (!fits || g_uri_get_password (uri) != NULL)
    {
      g_set_error (
          error, FL_ERROR, FL_ERROR_INPUT,
          fits ? "the database's URL holds a password: leave it to the client's option file or the keyring"
               : "%s: is no database's URL, expected mysql://user@host:port/name",
          url);
      return NULL;
    }
  g_autoptr (FlDatabase) database = g_new0 (FlDatabase, 1);
  database->driver = FL_DRIVER_MYSQL;
  database->folder = g_strdup (folder);
  database->user = g_strdup (g_uri_get_user (uri) != NULL ? g_uri_get_user (uri) : "");
  database->host = g_strdup (g_uri_get_host (uri) != NULL ? g_uri_get_host (uri) : "");
  database->port = MAX (g_uri_get_port (uri), 0);
  database->name = g_strdup (path + 1);
  database->socket = g_strdup ("");
  database->ca = g_strdup ("");
  database->option_file = g_strdup ("");
  g_autofree char *port = database->port > 0 ? g_strdup_printf (":%d", database->port) : g_strdup ("");
  database->shown =
      g_strdup_printf ("mysql://%s%s%s%s/%s", database->user, *database->user != '\0' ? "@" : "",
                       database->host, port, database->name);
  g_autoptr (GHashTable) options = g_uri_parse_params (
      g_uri_get_query (uri) != NULL ? g_uri_get_query (uri) : "", -1, "&", G_URI_PARAMS_NONE, &why);
  if (options == NULL)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: %s", database->shown, why->message);
      return NULL;
    }
  return take_options (database, options, error) ? g_steal_pointer (&database) : NULL;
}

static void
add_option (GString *url, const char *name, const char *value)
{
  if (*value == '\0')
    return;
  g_string_append_printf (url, "%c%s=", strchr (url->str, '?') != NULL ? '&' : '?', name);
  g_string_append_uri_escaped (url, value, "/", TRUE);
}

char *
fl_database_url (const FlDatabase *database)
{
  GString *url = g_string_new (database->shown);
  add_option (url, "socket", database->socket);
  add_option (url, "tls", tls_names[database->tls]);
  add_option (url, "ca", database->ca);
  add_option (url, "option_file", database->option_file);
  return g_string_free (url, FALSE);
}

/* --- folders --- */

static char *
real_folder (const char *path, GError **error)
{
  char *real = realpath (path, NULL);
  if (real == NULL)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: %s", path, g_strerror (errno));
      return NULL;
    }
  char *copy = g_strdup (real);
  free (real);
  return copy;
}

static char *
read_key (GKeyFile *file, const char *key)
{
  char *value = g_key_file_get_string (file, GROUP, key, NULL);
  return value != NULL ? value : g_strdup ("");
}

static FlDatabase *
read_file (const char *folder, const char *ini, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) why = NULL;
  if (!g_key_file_load_from_file (file, ini, G_KEY_FILE_NONE, &why)
      || !g_key_file_has_key (file, GROUP, "url", NULL))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: %s, expected [database] with url=mysql://…", ini,
                   why != NULL ? why->message : "no database is named");
      return NULL;
    }
  g_autofree char *url = read_key (file, "url"), *home = read_key (file, "home"),
                  *tls = read_key (file, "tls"), *ca = read_key (file, "ca"),
                  *socket = read_key (file, "socket"), *options = read_key (file, "option_file");
  g_autoptr (FlDatabase) database = fl_database_parse (url, *home != '\0' ? home : folder, error);
  if (database == NULL)
    {
      g_prefix_error (error, "%s: ", ini);
      return NULL;
    }
  replace (&database->socket, socket);
  replace (&database->ca, ca);
  replace (&database->option_file, options);
  database->command = g_key_file_get_string_list (file, GROUP, "command", NULL, NULL);
  return take_tls (database, tls, error) ? g_steal_pointer (&database) : NULL;
}

gboolean
fl_database_write (const FlDatabase *database, const char *folder, const char *home,
                   const char *const *command, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autofree char *path = g_build_filename (folder, FL_DATABASE_FILE, NULL);
  const struct
  {
    const char *key, *value;
  } entries[] = {
    { "url", database->shown },     { "tls", tls_names[database->tls] },      { "ca", database->ca },
    { "socket", database->socket }, { "option_file", database->option_file }, { "home", home }
  };
  for (guint i = 0; i < G_N_ELEMENTS (entries); i++)
    if (entries[i].value != NULL && *entries[i].value != '\0')
      g_key_file_set_string (file, GROUP, entries[i].key, entries[i].value);
  if (command != NULL)
    g_key_file_set_string_list (file, GROUP, "command", command, g_strv_length ((char **) command));
  return g_key_file_save_to_file (file, path, error);
}

static FlDatabase *
in_file (const char *path, gboolean make, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path), *base = g_path_get_basename (path);
  if (make && g_mkdir_with_parents (folder, 0777) != 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: cannot be made: %s", folder, g_strerror (errno));
      return NULL;
    }
  g_autofree char *real = real_folder (folder, error);
  if (real == NULL)
    return NULL;
  FlDatabase *database = g_new0 (FlDatabase, 1);
  database->driver = FL_DRIVER_SQLITE;
  database->path = g_build_filename (real, base, NULL);
  database->shown = g_strdup (database->path);
  database->folder = g_steal_pointer (&real);
  return database;
}

FlDatabase *
fl_database_find (const char *where, gboolean make, GError **error)
{
  if (g_str_has_prefix (where, "mysql://"))
    {
      g_autofree char *here = g_get_current_dir ();
      return fl_database_parse (where, here, error);
    }
  gboolean folder =
      g_file_test (where, G_FILE_TEST_IS_DIR)
      || (make && !g_file_test (where, G_FILE_TEST_EXISTS) && !g_str_has_suffix (where, ".sqlite"));
  g_autofree char *ini = g_build_filename (where, FL_DATABASE_FILE, NULL);
  if (folder && g_file_test (ini, G_FILE_TEST_EXISTS))
    {
      g_autofree char *real = real_folder (where, error);
      return real != NULL ? read_file (real, ini, error) : NULL;
    }
  g_autofree char *path = folder ? g_build_filename (where, FL_STORE_FILE, NULL) : g_strdup (where);
  if (!make && !g_file_test (path, G_FILE_TEST_IS_REGULAR))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_MISSING,
                   "%s: there is no experiment here, expected the folder that holds " FL_STORE_FILE
                   " or " FL_DATABASE_FILE,
                   where);
      return NULL;
    }
  return in_file (path, make, error);
}
