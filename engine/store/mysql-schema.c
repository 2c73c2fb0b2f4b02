/* The schema's scripts in MySQL's words, and what a database holds. Each statement is committed by itself and leaves out
 * what is there already, so that a script that was broken off is finished by running it again. */
#include <stdio.h>
#include <string.h>

#include "engine/store/mysql-private.h"

/* Text and names are bytes: no collation, no trailing blanks, no case makes two of them equal. Text and blobs are one type
 * here; the comment tells them apart. */
#define TEXT_COMMENT "text"
static const char *const words[][2] = {
  { "{id}", "BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY" },
  { "{int}", "BIGINT" },
  { "{text}", "LONGBLOB COMMENT '" TEXT_COMMENT "'" },
  { "{name}", "VARBINARY(1000)" },
  { "{real}", "DOUBLE" },
  { "{blob}", "LONGBLOB" },
  { "{keyed}", "" },
};
#define TABLE_OPTIONS " ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"

/* --- what is there --- */

/* "table" or "table.name" of each row of the statement, sorted by the server; NULL with error. */
static GPtrArray *
read_names (FlDb *base, const char *sql, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) failed = NULL;
  g_autoptr (FlQuery) query = fl_mysql_query (base, sql, NULL, 0, error);
  if (query == NULL)
    return NULL;
  while (fl_mysql_next (query, &failed))
    g_ptr_array_add (names, fl_query_text (query, 0));
  if (failed == NULL)
    return g_steal_pointer (&names);
  g_propagate_error (error, g_steal_pointer (&failed));
  return NULL;
}

GPtrArray *
fl_mysql_tables (FlDb *base, GError **error)
{
  return read_names (base,
                     "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() "
                     "AND table_type = 'BASE TABLE' ORDER BY CAST(table_name AS BINARY)",
                     error);
}

GArray *
fl_mysql_columns (FlDb *base, const char *table, GError **error)
{
  g_autoptr (GArray) columns = fl_db_columns_new ();
  g_autoptr (GError) failed = NULL;
  g_autoptr (FlQuery) query = fl_db_query (
      base,
      "SELECT column_name, data_type, column_comment FROM information_schema.columns "
      "WHERE table_schema = DATABASE() AND table_name = CONVERT(? USING utf8mb4) ORDER BY ordinal_position",
      error, FL_TEXT (table));
  if (query == NULL)
    return NULL;
  while (fl_mysql_next (query, &failed))
    {
      g_autofree char *type = fl_query_text (query, 1), *comment = fl_query_text (query, 2);
      gboolean text = strcmp (comment, TEXT_COMMENT) == 0 || strcmp (type, "varbinary") == 0;
      FlDbColumn column = { .name = fl_query_text (query, 0),
                            .type = strcmp (type, "bigint") == 0   ? FL_VALUE_INT
                                    : strcmp (type, "double") == 0 ? FL_VALUE_REAL
                                    : text                         ? FL_VALUE_TEXT
                                                                   : FL_VALUE_BLOB };
      g_array_append_val (columns, column);
    }
  if (failed == NULL)
    return g_steal_pointer (&columns);
  g_propagate_error (error, g_steal_pointer (&failed));
  return NULL;
}

/* --- scripts --- */

/* Up to the ';' that ends the statement at `at`, without comments; *rest is behind it. */
static char *
next_statement (const char *at, const char **rest)
{
  GString *text = g_string_new (NULL);
  char quote = '\0';
  for (; *at != '\0' && (quote != '\0' || *at != ';'); at++)
    if (quote == '\0' && at[0] == '-' && at[1] == '-')
      at += strcspn (at, "\n") - 1;
    else
      {
        if (quote != '\0' ? *at == quote : *at == '\'' || *at == '"')
          quote = quote != '\0' ? '\0' : *at;
        g_string_append_c (text, *at);
      }
  *rest = *at == ';' ? at + 1 : at;
  return g_strstrip (g_string_free (text, FALSE));
}

/* Where the part of a list that begins at `at` ends: its comma, or the bracket that closes the list. */
static const char *
part_end (const char *at)
{
  for (int depth = 0; *at != '\0'; at++)
    if (*at == '\'')
      at += strcspn (at + 1, "'") + 1;
    else if (*at == '(')
      depth++;
    else if ((*at == ')' && depth-- == 0) || (*at == ',' && depth == 0))
      break;
  return at;
}

/* Not every server heeds "column type REFERENCES table (column)": said as a clause of the table, they all do. */
static char *
with_foreign_keys (const char *create)
{
  const char *at = strchr (create, '(');
  if (at == NULL)
    return g_strdup (create);
  GString *text = g_string_new_len (create, ++at - create);
  g_autoptr (GString) keys = g_string_new (NULL);
  for (const char *end; *at != '\0'; at = *end == ',' ? end + 1 : end + strlen (end))
    {
      end = part_end (at);
      g_autofree char *part = g_strndup (at, (gsize) (end - at));
      char *references = strstr (part, " REFERENCES "), column[65];
      if (references != NULL && strstr (part, "FOREIGN KEY") == NULL && sscanf (part, " %64s", column) == 1)
        {
          g_string_append_printf (keys, ", FOREIGN KEY (%s)%s", column, references);
          *references = '\0';
        }
      g_string_append (text, part);
      g_string_append (text, *end == ',' ? "," : keys->str);
      if (*end != ',')
        g_string_append (text, end);
    }
  return g_string_free (text, FALSE);
}

/* A default of LONGBLOB is an expression. */
static void
bracket_default (GString *statement)
{
  char *begin = strstr (statement->str, "DEFAULT '"), *end = begin != NULL ? strchr (begin + 9, '\'') : NULL;
  if (end == NULL)
    return;
  g_string_insert_c (statement, end + 1 - statement->str, ')');
  g_string_insert_c (statement, begin + 8 - statement->str, '(');
}

typedef struct
{
  FlMysql *db;
  GPtrArray *columns, *indexes; /* "table.name", of when the script began */
} Script;

static gboolean
is_in (GPtrArray *names, const char *table, const char *name)
{
  g_autofree char *full = g_strdup_printf ("%s.%s", table, name);
  return g_ptr_array_find_with_equal_func (names, full, g_str_equal, NULL);
}

static gboolean
run_statement (Script *script, const char *text, GError **error)
{
  char table[65], name[65];
  gboolean create = g_str_has_prefix (text, "CREATE TABLE");
  gboolean alter = sscanf (text, "ALTER TABLE %64s ADD COLUMN {new} %64s", table, name) == 2;
  gboolean index = sscanf (text, "CREATE INDEX IF NOT EXISTS %64s ON %64s", name, table) == 2;
  if ((alter && is_in (script->columns, table, name)) || (index && is_in (script->indexes, table, name)))
    return TRUE;
  g_autofree char *keyed = create ? with_foreign_keys (text) : g_strdup (text);
  g_autoptr (GString) statement = g_string_new (keyed);
  if (strstr (text, "{text}") != NULL && alter)
    bracket_default (statement);
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    g_string_replace (statement, words[i][0], words[i][1], 0);
  g_string_replace (statement, "ADD COLUMN {new} ", "ADD COLUMN ", 0);
  if (index)
    g_string_replace (statement, "CREATE INDEX IF NOT EXISTS ", "CREATE INDEX ", 1);
  if (create)
    g_string_append (statement, TABLE_OPTIONS);
  return fl_mysql_run (script->db, statement->str, error);
}

gboolean
fl_mysql_script (FlDb *base, const char *text, GError **error)
{
  g_autoptr (GPtrArray) columns =
      read_names (base,
                  "SELECT CONCAT(table_name, '.', column_name) FROM information_schema.columns "
                  "WHERE table_schema = DATABASE()",
                  error);
  g_autoptr (GPtrArray) indexes =
      columns != NULL
          ? read_names (base,
                        "SELECT CONCAT(table_name, '.', index_name) FROM information_schema.statistics "
                        "WHERE table_schema = DATABASE()",
                        error)
          : NULL;
  if (indexes == NULL)
    return FALSE;
  Script script = { (FlMysql *) base, columns, indexes };
  for (const char *at = text; *at != '\0';)
    {
      g_autofree char *statement = next_statement (at, &at);
      if (*statement != '\0' && !run_statement (&script, statement, error))
        return FALSE;
    }
  return TRUE;
}
