/* Connections: how they are made, what they are set to, how they are lost. */
#include <errmsg.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/store/keyring.h"
#include "engine/store/mysql-private.h"
#include "engine/store/password.h"

#define CONNECT_SECONDS 4
#define SILENT_SECONDS  50   /* a server that says nothing for so long is lost */
#define PATIENT_SECONDS 7200 /* but not while it changes tables */
#define FIRST_PAUSE_MS  200
#define LAST_PAUSE_MS   5000
#define PACKET          (1UL << 30)
#define LONGEST_REASON  400

/* A writer that is stopped, or whose machine is gone, within a transaction does not keep the others waiting for ever, nor a
 * conductor from taking over. MySQL has no such setting. */
#define IDLE_WRITER "SET SESSION wait_timeout = 28800 /*M!100300 , SESSION idle_transaction_timeout = 20 */"

/* What servers say; their headers name it in different ways. */
enum
{
  CHANGED_SINCE = 1020,
  TOO_MANY = 1040,
  NO_RIGHT_DATABASE = 1044,
  NOT_LET_IN = 1045,
  IS_NULL = 1048,
  NO_SUCH_DATABASE = 1049,
  SHUTTING_DOWN = 1053,
  TWICE = 1062,
  SHUT_DOWN = 1077,
  NO_RIGHT_TABLE = 1142,
  NO_RIGHT_COLUMN = 1143,
  ABORTING = 1152,
  PACKET_TOO_LARGE = 1153,
  READ_FAILED = 1158,
  READ_TIMED_OUT = 1159,
  WRITE_FAILED = 1160,
  WRITE_TIMED_OUT = 1161,
  ABORTING_NEW = 1184,
  WAITED_TOO_LONG = 1205,
  DEADLOCK = 1213,
  NO_SUCH_PARENT = 1216,
  HAS_CHILDREN = 1217,
  NO_RIGHT_SPECIFIC = 1227,
  OUT_OF_RANGE = 1264,
  SERVER_READ_ONLY = 1290,
  NO_RIGHT_PROCEDURE = 1370,
  TOO_LONG = 1406,
  HAS_CHILDREN_2 = 1451,
  NO_SUCH_PARENT_2 = 1452,
  TWICE_IN_KEY = 1586,
  NO_PASSWORD = 1698,
  TRANSACTION_READ_ONLY = 1792,
  KILLED = 1927,
  BROKEN_BY_CONSTRAINT = 4025,
  IDLE_TOO_LONG = 4031
};

static gboolean
is_loss (guint number)
{
  static const guint losses[] = { CR_CONNECTION_ERROR,
                                  CR_CONN_HOST_ERROR,
                                  CR_UNKNOWN_HOST,
                                  CR_SERVER_GONE_ERROR,
                                  CR_SERVER_HANDSHAKE_ERR,
                                  CR_SERVER_LOST,
                                  CR_COMMANDS_OUT_OF_SYNC,
                                  CR_MALFORMED_PACKET,
                                  2055 /* CR_SERVER_LOST_EXTENDED */,
                                  KILLED,
                                  IDLE_TOO_LONG,
                                  SHUTTING_DOWN,
                                  SHUT_DOWN,
                                  TOO_MANY,
                                  READ_FAILED,
                                  READ_TIMED_OUT,
                                  WRITE_FAILED,
                                  WRITE_TIMED_OUT,
                                  ABORTING_NEW,
                                  ABORTING };
  for (guint i = 0; i < G_N_ELEMENTS (losses); i++)
    if (number == losses[i])
      return TRUE;
  return FALSE;
}

void
fl_mysql_drop (FlMysql *db)
{
  if (db->handle == NULL)
    return;
  g_clear_pointer (&db->handle, mysql_close);
  db->connection++;
  db->gone = db->transaction;
}

static void
set_lost (FlMysql *db, const char *why, GError **error)
{
  g_autofree char *again = db->pause > 0
                               ? g_strdup_printf ("trying again in %.1f s", (double) db->pause / 1000)
                               : g_strdup ("trying again");
  db->base.broken = FL_DB_BROKE_NONE;
  g_set_error (error, FL_ERROR, FL_ERROR_LOST, "%s: the database does not answer (%s); %s", db->where->shown,
               why, again);
}

static FlDbBroken
which_rule (guint number)
{
  switch (number)
    {
    case TWICE:
    case TWICE_IN_KEY:
      return FL_DB_BROKE_UNIQUE;
    case HAS_CHILDREN:
    case HAS_CHILDREN_2:
    case NO_SUCH_PARENT:
    case NO_SUCH_PARENT_2:
      return FL_DB_BROKE_REFERENCE;
    default:
      return FL_DB_BROKE_NONE;
    }
}

/* Who may not, and what to do about it. */
static gboolean
fail_rights (FlMysql *db, guint number, const char *why, GError **error)
{
  const char *shown = db->where->shown;
  switch (number)
    {
    case NOT_LET_IN:
    case NO_PASSWORD:
      g_set_error (
          error, FL_ERROR, FL_ERROR_DENIED,
          "%s: the server does not let this account in (%s); is the name right? The password belongs "
          "into the option file's group [firstlight] or the keyring",
          shown, why);
      return TRUE;
    case NO_RIGHT_DATABASE:
      g_set_error (error, FL_ERROR, FL_ERROR_DENIED,
                   "%s: this account has no rights on '%s', if that is there; its owner gives them with "
                   "firstlight-control database grant (%s)",
                   shown, db->where->name, why);
      return TRUE;
    case NO_RIGHT_TABLE:
    case NO_RIGHT_COLUMN:
    case NO_RIGHT_SPECIFIC:
    case NO_RIGHT_PROCEDURE:
      g_set_error (error, FL_ERROR, FL_ERROR_DENIED, "%s: this account may not do that (%s)", shown, why);
      return TRUE;
    case NO_SUCH_DATABASE:
      g_set_error (error, FL_ERROR, FL_ERROR_MISSING,
                   "%s: the server has no database called '%s'; firstlight-control database make makes it",
                   shown, db->where->name);
      return TRUE;
    case TRANSACTION_READ_ONLY:
    case SERVER_READ_ONLY:
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: cannot be written (%s)", shown, why);
      return TRUE;
    default:
      return FALSE;
    }
}

/* What a server says may hold anything, also what somebody had wanted to store. */
static char *
one_line (const char *why)
{
  g_autofree char *valid = g_utf8_make_valid (why, (gssize) MIN (strlen (why), LONGEST_REASON));
  GString *line = g_string_new (NULL);
  for (const char *at = valid; *at != '\0'; at = g_utf8_next_char (at))
    {
      gunichar c = g_utf8_get_char (at);
      gboolean harmless = !g_unichar_iscntrl (c) && g_unichar_type (c) != G_UNICODE_FORMAT;
      g_string_append_unichar (line, harmless ? c : ' ');
    }
  return g_string_free (line, FALSE);
}

gboolean
fl_mysql_fail (FlMysql *db, guint number, const char *why, GError **error)
{
  const char *shown = db->where->shown;
  g_autofree char *copy = one_line (why); /* `why` is the handle's, which may be closed below */
  db->base.broken = which_rule (number);
  /* An encrypted connection that breaks is an error of TLS, as is a certificate that nobody trusts. */
  if (is_loss (number) || (number == CR_SSL_CONNECTION_ERROR && db->met))
    {
      fl_mysql_drop (db);
      set_lost (db, copy, error);
    }
  else if (number == DEADLOCK || number == WAITED_TOO_LONG || number == CHANGED_SINCE)
    {
      db->gone = db->transaction && number == DEADLOCK; /* the server has rolled it back */
      g_set_error (error, FL_ERROR, FL_ERROR_BUSY, "%s: another program holds the database; try again (%s)",
                   shown, copy);
    }
  else if (db->base.broken != FL_DB_BROKE_NONE || number == IS_NULL || number == BROKEN_BY_CONSTRAINT
           || number == TOO_LONG || number == OUT_OF_RANGE)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: not allowed: %s", shown, copy);
  else if (number == CR_SSL_CONNECTION_ERROR)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                 "%s: no encrypted connection can be made (%s); are `tls` and `ca` right?", shown, copy);
  else if (number == PACKET_TOO_LARGE || number == CR_NET_PACKET_TOO_LARGE)
    g_set_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED,
                 "%s: a value is larger than the server takes; raise its max_allowed_packet (%zu bytes)",
                 shown, db->max_packet);
  else if (!fail_rights (db, number, copy, error))
    g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: %s (%u)", shown, copy, number);
  return FALSE;
}

gboolean
fl_mysql_run (FlMysql *db, const char *sql, GError **error)
{
  if (!fl_mysql_ready (db, error))
    return FALSE;
  return mysql_real_query (db->handle, sql, strlen (sql)) == 0
         || fl_mysql_fail (db, mysql_errno (db->handle), mysql_error (db->handle), error);
}

/* --- options --- */

/* Where systems keep the certificates that they trust. */
static const char *
system_ca (void)
{
  static const char *const files[] = { "/etc/ssl/certs/ca-certificates.crt",
                                       "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
                                       "/etc/ssl/cert.pem" };
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    if (g_file_test (files[i], G_FILE_TEST_EXISTS))
      return files[i];
  return NULL;
}

static void
set_tls (MYSQL *handle, const FlDatabase *where)
{
  gboolean verify = where->tls == FL_TLS_VERIFY;
  const char *ca = *where->ca != '\0' ? where->ca : verify ? system_ca () : NULL;
#ifdef FL_HAVE_SSL_ENFORCE
  my_bool enforce = (my_bool) (where->tls != FL_TLS_OFF), check = (my_bool) verify;
  if (enforce)
    mysql_ssl_set (handle, NULL, NULL, ca, NULL, NULL);
  mysql_options (handle, MYSQL_OPT_SSL_ENFORCE, &enforce);
  mysql_options (handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &check);
#else
  unsigned mode = verify                          ? SSL_MODE_VERIFY_IDENTITY
                  : where->tls == FL_TLS_REQUIRED ? SSL_MODE_REQUIRED
                                                  : SSL_MODE_DISABLED;
  mysql_options (handle, MYSQL_OPT_SSL_MODE, &mode);
  if (where->tls != FL_TLS_OFF && ca != NULL)
    mysql_options (handle, MYSQL_OPT_SSL_CA, ca);
#endif
#ifdef FL_HAVE_RESTRICTED_AUTH
  /* Who listens, or sits between, must not be able to ask for the password in the clear. */
  if (!verify && *where->socket == '\0')
    mysql_options (
        handle, MARIADB_OPT_RESTRICTED_AUTH,
        "mysql_native_password,client_ed25519,sha256_password,caching_sha2_password,auth_gssapi_client,"
        "parsec");
#endif
}

static void
set_options (MYSQL *handle, const FlDatabase *where, gboolean patient)
{
  guint connect = CONNECT_SECONDS, silent = patient ? PATIENT_SECONDS : SILENT_SECONDS, off = 0,
        tcp = MYSQL_PROTOCOL_TCP;
  unsigned long packet = PACKET;
  mysql_options (handle, MYSQL_OPT_CONNECT_TIMEOUT, &connect);
  mysql_options (handle, MYSQL_OPT_READ_TIMEOUT, &silent);
  mysql_options (handle, MYSQL_OPT_WRITE_TIMEOUT, &silent);
  mysql_options (handle, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  mysql_options (handle, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet);
  if (*where->option_file != '\0')
    mysql_options (handle, MYSQL_READ_DEFAULT_FILE, where->option_file);
  mysql_options (handle, MYSQL_READ_DEFAULT_GROUP, "firstlight");
  mysql_options (handle, MYSQL_OPT_LOCAL_INFILE, &off); /* a server could ask for any file of ours */
  if (*where->socket == '\0' && *where->host != '\0' && where->port > 0)
    mysql_options (handle, MYSQL_OPT_PROTOCOL, &tcp);
  set_tls (handle, where);
}

/* --- connecting --- */

static const char *
or_null (const char *text)
{
  return *text != '\0' ? text : NULL;
}

static MYSQL *
try_connect (FlMysql *db, const char *password, const char *name, gboolean patient)
{
  const FlDatabase *where = db->where;
  MYSQL *handle = mysql_init (NULL);
  gboolean local = *where->socket != '\0';
  set_options (handle, where, patient);
  mysql_real_connect (handle, local ? NULL : or_null (where->host), or_null (where->user), password, name,
                      local ? 0 : (guint) where->port, or_null (where->socket), CLIENT_FOUND_ROWS);
  return handle;
}

static gboolean
wants_password (MYSQL *handle)
{
  guint number = mysql_errno (handle);
  return number == NO_PASSWORD
         || (number == NOT_LET_IN && strstr (mysql_error (handle), "password: NO") != NULL);
}

/* With the password of the option file, the one that was typed, or the keyring's. */
static MYSQL *
connect_to (FlMysql *db, const char *name, gboolean patient)
{
  MYSQL *handle = try_connect (db, NULL, name, patient);
  if (!wants_password (handle))
    return handle;
  char *password = fl_password_held (db->where);
  if (password == NULL)
    password = fl_keyring_look_up (db->where);
  if (password == NULL)
    return handle;
  mysql_close (handle);
  handle = try_connect (db, password, name, patient);
  fl_keyring_free (password);
  return handle;
}

static gboolean
set_session (FlMysql *db, gboolean patient, GError **error)
{
  static const char *const settings[] = {
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES,"
    "NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO', SESSION time_zone = '+00:00', "
    "SESSION autocommit = 1, SESSION innodb_lock_wait_timeout = 20",
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    /* MySQL tells next numbers of a day ago otherwise; MariaDB passes over this. */
    "SET SESSION lock_wait_timeout = 60 /*!80000 , SESSION information_schema_stats_expiry = 0 */",
  };
  for (guint i = 0; i < G_N_ELEMENTS (settings); i++)
    if (!fl_mysql_run (db, settings[i], error))
      return FALSE;
  return (!patient
          || fl_mysql_run (db, "SET SESSION net_read_timeout = 600, SESSION net_write_timeout = 600", error))
         && (db->mode == FL_DB_READ || patient || fl_mysql_run (db, IDLE_WRITER, error))
         && (db->mode != FL_DB_READ || fl_mysql_run (db, "SET SESSION TRANSACTION READ ONLY", error))
         && (!db->unchecked_references || fl_mysql_run (db, "SET SESSION foreign_key_checks = 0", error));
}

static gboolean
read_limits (FlMysql *db, GError **error)
{
  if (!fl_mysql_run (db, "SELECT @@max_allowed_packet", error))
    return FALSE;
  MYSQL_RES *result = mysql_store_result (db->handle);
  MYSQL_ROW row = result != NULL ? mysql_fetch_row (result) : NULL;
  if (row != NULL && row[0] != NULL)
    db->max_packet = (gsize) g_ascii_strtoull (row[0], NULL, 10);
  if (result != NULL)
    mysql_free_result (result);
#ifdef FL_HAVE_ARRAYS
  db->arrays = mariadb_connection (db->handle) && mysql_get_server_version (db->handle) >= 100206;
#endif
  return row != NULL || fl_mysql_fail (db, CR_SERVER_LOST, "no answer", error);
}

/* A database that is not there is made, where that is wanted and allowed. */
static gboolean
make_database (FlMysql *db, gboolean patient, GError **error)
{
  MYSQL *handle = connect_to (db, NULL, patient);
  GString *sql = g_string_new ("CREATE DATABASE IF NOT EXISTS `");
  for (const char *at = db->where->name; *at != '\0'; at++)
    g_string_append (sql, *at == '`' ? "``" : (char[]){ *at, '\0' });
  g_string_append (sql, "` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin");
  gboolean ok = mysql_errno (handle) == 0 && mysql_real_query (handle, sql->str, sql->len) == 0
                && mysql_select_db (handle, db->where->name) == 0;
  g_string_free (sql, TRUE);
  db->handle = handle;
  return ok || fl_mysql_fail (db, mysql_errno (handle), mysql_error (handle), error);
}

static gboolean
connect_now (FlMysql *db, gboolean patient, GError **error)
{
  db->handle = connect_to (db, db->where->name, patient);
  if (mysql_errno (db->handle) == NO_SUCH_DATABASE && db->mode == FL_DB_CREATE)
    {
      mysql_close (db->handle);
      if (!make_database (db, patient, error))
        return FALSE;
    }
  else if (mysql_errno (db->handle) != 0)
    return fl_mysql_fail (db, mysql_errno (db->handle), mysql_error (db->handle), error);
  /* MariaDB's client goes on unencrypted where the server knows no other way and nothing is to be verified. */
  if (db->where->tls != FL_TLS_OFF && mysql_get_ssl_cipher (db->handle) == NULL)
    return fl_mysql_fail (db, CR_SSL_CONNECTION_ERROR, "the server does not encrypt", error);
  return set_session (db, patient, error) && read_limits (db, error);
}

static gboolean
reconnect (FlMysql *db, gboolean patient, GError **error)
{
  guint pause = CLAMP (db->pause * 2, FIRST_PAUSE_MS, LAST_PAUSE_MS);
  db->pause = pause; /* for the message, and for who comes back meanwhile */
  if (connect_now (db, patient, error))
    {
      db->pause = 0;
      db->met = TRUE;
      return TRUE;
    }
  fl_mysql_drop (db);
  db->next_try = g_get_monotonic_time () + (gint64) pause * 1000;
  return FALSE;
}

gboolean
fl_mysql_ready (FlMysql *db, GError **error)
{
  if (db->gone)
    set_lost (db, "what was begun is lost", error);
  else if (db->handle != NULL)
    return TRUE;
  else if (db->pause > 0 && g_get_monotonic_time () < db->next_try)
    set_lost (db, "not connected", error);
  else
    return reconnect (db, FALSE, error);
  return FALSE;
}

gboolean
fl_mysql_reconnect_patiently (FlMysql *db, GError **error)
{
  fl_mysql_drop (db);
  return reconnect (db, TRUE, error);
}

gboolean
fl_mysql_may_repeat (FlMysql *db, const GError *error)
{
  return g_error_matches (error, FL_ERROR, FL_ERROR_LOST) && !db->transaction && db->pause == 0;
}
