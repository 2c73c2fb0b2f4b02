#include "engine/store/about.h"

#include <glib/gstdio.h>
#include <string.h>

#include "engine/base/units.h"
#include "engine/store/people.h"
#include "engine/store/store-private.h"

#define ROUND_TRIPS 20

static char *
first_text (FlDb *db, const char *sql, int column, GError **error)
{
  g_autoptr (FlQuery) query = fl_db_query_values (db, sql, NULL, 0, error);
  if (query == NULL)
    return NULL;
  return fl_query_next (query, error) ? fl_query_text (query, column) : g_strdup ("");
}

static gint64
first_number (FlDb *db, const char *sql)
{
  g_autoptr (FlQuery) query = fl_db_query_values (db, sql, NULL, 0, NULL);
  return query != NULL && fl_query_next (query, NULL) ? fl_query_int (query, 0) : 0;
}

static void add (GPtrArray *lines, const char *what, const char *format, ...) G_GNUC_PRINTF (3, 4);

static void
add (GPtrArray *lines, const char *what, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *value = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_ptr_array_add (lines, g_strdup_printf ("%s: %s", what, value));
}

static gboolean
add_server (FlStore *store, GPtrArray *lines, GError **error)
{
  g_autofree char *version = first_text (store->db, "SELECT version()", 0, error);
  g_autofree char *cipher =
      version != NULL ? first_text (store->db, "SHOW SESSION STATUS LIKE 'Ssl_cipher'", 1, error) : NULL;
  if (cipher == NULL)
    return FALSE;
  add (lines, "driver", "MySQL, server %s", version);
  add (lines, "encrypted", "%s",
       *cipher != '\0'                    ? cipher
       : *store->database->socket != '\0' ? "no, through a socket of this machine"
                                          : "no");
  return TRUE;
}

static gint64
size_of (FlStore *store)
{
  GStatBuf about;
  if (store->database->driver == FL_DRIVER_SQLITE)
    return g_stat (store->database->path, &about) == 0 ? about.st_size : 0;
  return first_number (store->db, "SELECT CAST(SUM(data_length + index_length) AS SIGNED) FROM "
                                  "information_schema.tables WHERE table_schema = DATABASE()");
}

GPtrArray *
fl_store_about (FlStore *store, GError **error)
{
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (g_free);
  gint64 schema = fl_store_counted (store, "schema", error), now;
  if (schema < 0)
    return NULL;
  add (lines, "database", "%s", store->path);
  add (lines, "folder", "%s", store->folder);
  if (store->database->driver == FL_DRIVER_SQLITE)
    add (lines, "driver", "SQLite");
  else if (!add_server (store, lines, error))
    return NULL;
  add (lines, "schema", "version %" G_GINT64_FORMAT, schema);
  add (lines, "account", "%s, %s", fl_store_account (store), fl_role_name (fl_store_role (store)));
  g_autofree char *size = g_format_size ((guint64) size_of (store));
  add (lines, "size", "%s", size);
  add (lines, "records", "%" G_GINT64_FORMAT " runs, %" G_GINT64_FORMAT " jobs, %" G_GINT64_FORMAT " slices",
       first_number (store->db, "SELECT count(*) FROM run"),
       first_number (store->db, "SELECT count(*) FROM job"),
       first_number (store->db, "SELECT count(*) FROM slice"));
  guint64 begin = fl_tick_ns ();
  for (guint i = 0; i < ROUND_TRIPS; i++)
    if (fl_store_counted (store, "schema", error) < 0)
      return NULL;
  add (lines, "round trip", "%.2f ms", (double) (fl_tick_ns () - begin) * 1e-6 / ROUND_TRIPS);
  if (!fl_db_now (store->db, &now, error))
    return NULL;
  add (lines, "clock", "%.3f s from this machine's", (double) ABS (now - (gint64) fl_now_ns ()) * 1e-9);
  return g_steal_pointer (&lines);
}
