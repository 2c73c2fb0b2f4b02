#include "engine/store/grants.h"

#include <string.h>

#include "engine/base/error.h"
#include "engine/store/store-private.h"

/* The server's, for REVOKE of what was not granted. */
#define NOTHING_GRANTED       "(1141)"
#define NOTHING_GRANTED_TABLE "(1147)"

static gboolean
check_name (const char *what, const char *name, GError **error)
{
  gboolean good = *name != '\0' && strlen (name) <= 128 && g_utf8_validate (name, -1, NULL)
                  && strpbrk (name, "'\"`\\") == NULL;
  for (const char *p = name; good && *p != '\0'; p++)
    good = !g_ascii_iscntrl (*p);
  if (!good)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                 "%s: is no name for %s, expected 1–128 characters without quotes", name, what);
  return good;
}

static char *
quoted (const char *text)
{
  GString *sql = g_string_new ("'");
  for (; *text != '\0'; text++)
    g_string_append_printf (sql, *text == '\'' ? "''" : "%c", *text);
  return g_string_free (g_string_append_c (sql, '\''), FALSE);
}

/* In a GRANT on a whole database '_' and '%' would mean any character. */
static char *
database_pattern (const char *name)
{
  GString *sql = g_string_new ("`");
  for (; *name != '\0'; name++)
    g_string_append_printf (sql, *name == '`' ? "``" : *name == '_' || *name == '%' ? "\\%c" : "%c", *name);
  return g_string_free (g_string_append (sql, "`.*"), FALSE);
}

static const char *
rights_of_operator (const char *table)
{
  if (strcmp (table, "experiment") == 0 || strcmp (table, "person") == 0)
    return NULL;
  return strcmp (table, "edit") == 0 || strcmp (table, "audit") == 0 ? "INSERT" : "INSERT, UPDATE, DELETE";
}

static const char *
rights_on_table (FlRole role, const char *table)
{
  switch (role)
    {
    case FL_ROLE_VIEWER:
      return strcmp (table, "presence") == 0 ? "INSERT, UPDATE, DELETE" : NULL;
    case FL_ROLE_OPERATOR:
      return rights_of_operator (table);
    default:
      return NULL;
    }
}

static void
add_account (GPtrArray *sql, const FlGrant *grant, const char *who)
{
  if (grant->password == NULL)
    return;
  g_autofree char *password = quoted (grant->password);
  g_ptr_array_add (sql, g_strdup_printf ("CREATE USER %s IDENTIFIED BY %s%s", who, password,
                                         grant->tls ? " REQUIRE SSL" : ""));
}

static void
add_rights (GPtrArray *sql, const FlGrant *grant, const char *who, const char *pattern, const char *name,
            const GPtrArray *tables)
{
  if (grant->role == FL_ROLE_OWNER)
    g_ptr_array_add (sql, g_strdup_printf ("GRANT ALL PRIVILEGES ON %s TO %s%s", pattern, who,
                                           grant->hand_on ? " WITH GRANT OPTION" : ""));
  else if (grant->role < FL_ROLE_OWNER)
    g_ptr_array_add (sql, g_strdup_printf ("GRANT SELECT ON %s TO %s", pattern, who));
  for (guint i = 0; i < tables->len; i++)
    {
      const char *rights = rights_on_table (grant->role, tables->pdata[i]);
      if (rights != NULL)
        g_ptr_array_add (sql, g_strdup_printf ("GRANT %s ON `%s`.`%s` TO %s", rights, name,
                                               (const char *) tables->pdata[i], who));
    }
}

GPtrArray *
fl_grants_sql (FlStore *store, const FlGrant *grant, GError **error)
{
  const char *name = store->database->name;
  if (store->database->driver != FL_DRIVER_MYSQL)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "%s: is on no server, there are no accounts to give rights to", store->path);
      return NULL;
    }
  if (!check_name ("an account", grant->account, error) || !check_name ("a host", grant->host, error)
      || !check_name ("a database", name, error))
    return NULL;
  g_autoptr (GPtrArray) tables = fl_db_tables (store->db, error);
  if (tables == NULL)
    return NULL;
  GPtrArray *sql = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *who = g_strdup_printf ("'%s'@'%s'", grant->account, grant->host);
  g_autofree char *pattern = database_pattern (name);
  add_account (sql, grant, who);
  if (grant->password == NULL)
    {
      g_ptr_array_add (sql, g_strdup_printf ("REVOKE ALL PRIVILEGES ON %s FROM %s", pattern, who));
      g_ptr_array_add (sql, g_strdup_printf ("REVOKE GRANT OPTION ON %s FROM %s", pattern, who));
      for (guint i = 0; i < tables->len; i++)
        g_ptr_array_add (sql, g_strdup_printf ("REVOKE INSERT, UPDATE, DELETE ON `%s`.`%s` FROM %s", name,
                                               (const char *) tables->pdata[i], who));
    }
  add_rights (sql, grant, who, pattern, name, tables);
  return sql;
}

static gboolean
run (FlStore *store, const char *sql, GError **error)
{
  g_autoptr (GError) why = NULL;
  if (fl_db_exec_values (store->db, sql, NULL, 0, &why))
    return TRUE;
  if (g_str_has_prefix (sql, "REVOKE")
      && (strstr (why->message, NOTHING_GRANTED) != NULL
          || strstr (why->message, NOTHING_GRANTED_TABLE) != NULL))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&why));
  return FALSE;
}

gboolean
fl_grants_give (FlStore *store, const FlGrant *grant, GError **error)
{
  g_autoptr (GPtrArray) sql = fl_grants_sql (store, grant, error);
  for (guint i = 0; sql != NULL && i < sql->len; i++)
    if (!run (store, sql->pdata[i], error))
      return FALSE;
  return sql != NULL;
}
