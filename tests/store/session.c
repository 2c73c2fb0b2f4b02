/* A store in a process of its own, told what to do line by line: for tests that kill, freeze and cut off.
 *
 *   open create|write|read WHERE    tag NAME    tags    begin    commit    rollback    pulse    changes    account
 *   lease WHO SECONDS    comment BYTES    measure BYTES    rows N    skew SECONDS    keyring WHERE (password in the next line)
 *
 * Each answers in one line, "ok …" or "error CODE message". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "engine/store/keyring.h"
#include "engine/store/keyring.h"
#include "engine/store/store-private.h"
#include "tests/store/fixture.h"

static gint64 skew;

/* This machine's clock, wrong by `skew` seconds. */
int
clock_gettime (clockid_t clock, struct timespec *time)
{
  int result = (int) syscall (SYS_clock_gettime, clock, time);
  if (clock == CLOCK_REALTIME)
    time->tv_sec += skew;
  return result;
}

typedef struct
{
  FlStore *store;
  gint64 revision;
  GString *answer;
} Session;

typedef gboolean (*Command) (Session *s, const char *words, GError **error);

static gboolean
do_open (Session *s, const char *words, GError **error)
{
  FlStoreMode mode = g_str_has_prefix (words, "create")  ? FL_STORE_CREATE
                     : g_str_has_prefix (words, "write") ? FL_STORE_WRITE
                                                         : FL_STORE_READ_ONLY;
  g_clear_pointer (&s->store, fl_store_close);
  s->store = fl_store_open (strchr (words, ' ') + 1, mode, error);
  return s->store != NULL;
}

static gboolean
do_tag (Session *s, const char *words, GError **error)
{
  FlTag tag = { .name = (char *) words };
  if (!fl_store_save (s->store, FL_TABLE_TAG, &tag, error))
    return FALSE;
  g_string_append_printf (s->answer, " %" G_GINT64_FORMAT, tag.revision);
  return TRUE;
}

static gboolean
do_tags (Session *s, const char *words G_GNUC_UNUSED, GError **error)
{
  g_autoptr (GPtrArray) tags = fl_store_list (s->store, FL_TABLE_TAG, error);
  for (guint i = 0; tags != NULL && i < tags->len; i++)
    g_string_append_printf (s->answer, " %s:%" G_GINT64_FORMAT, ((FlTag *) tags->pdata[i])->name,
                            ((FlTag *) tags->pdata[i])->revision);
  return tags != NULL;
}

static gboolean
do_begin (Session *s, const char *words G_GNUC_UNUSED, GError **error)
{
  return fl_store_begin (s->store, error);
}

static gboolean
do_commit (Session *s, const char *words G_GNUC_UNUSED, GError **error)
{
  return fl_store_commit (s->store, error);
}

static gboolean
do_rollback (Session *s, const char *words G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
  fl_store_rollback (s->store);
  return TRUE;
}

static gboolean
do_pulse (Session *s, const char *words G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
  g_string_append_printf (s->answer, " %u", fl_store_pulse (s->store));
  return TRUE;
}

static gboolean
do_changes (Session *s, const char *words G_GNUC_UNUSED, GError **error)
{
  g_autoptr (GPtrArray) changes = fl_store_changes (s->store, s->revision, &s->revision, error);
  g_string_append_printf (s->answer, " %u", changes != NULL ? changes->len : 0);
  return changes != NULL;
}

static gboolean
do_lease (Session *s, const char *words, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (words, " ", 2);
  g_autofree char *holder = NULL;
  gint64 number = 0;
  g_autoptr (GError) failed = NULL;
  gboolean taken =
      fl_store_lease (s->store, "conductor", parts[0], (guint) atoi (parts[1]), &number, &holder, &failed);
  if (failed != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&failed));
      return FALSE;
    }
  g_string_append_printf (s->answer, " %s", taken ? "taken" : holder);
  return TRUE;
}

static gboolean
do_comment (Session *s, const char *words, GError **error)
{
  gsize length = strtoul (words, NULL, 10);
  g_autofree char *text = g_malloc (length + 1);
  memset (text, 'x', length);
  text[length] = '\0';
  return fl_store_set_text (s->store, FL_TABLE_EXPERIMENT, 1, "comment", text, error);
}

static gboolean
do_measure (Session *s, const char *words G_GNUC_UNUSED, GError **error)
{
  FlExperiment *experiment = fl_store_get (s->store, FL_TABLE_EXPERIMENT, 1, error);
  if (experiment == NULL)
    return FALSE;
  g_string_append_printf (s->answer, " %zu", strlen (experiment->comment));
  fl_record_free (FL_TABLE_EXPERIMENT, experiment);
  return TRUE;
}

/* Seconds for N rows of a slice's summary: all at once, and one statement a row. */
static gboolean
do_rows (Session *s, const char *words, GError **error)
{
  guint n = (guint) atoi (words), columns = 20;
  g_autoptr (FlDatabase) database = fl_database_copy (s->store->database);
  g_autoptr (FlDb) db = fl_db_open (database, FL_DB_WRITE, error);
  if (db == NULL)
    return FALSE;
  g_autofree FlValue *values = g_new0 (FlValue, (gsize) n * columns);
  for (guint pass = 0; pass < 2; pass++)
    {
      guint each = pass == 0 ? n : 1;
      for (guint row = 0; row < n; row++)
        for (guint c = 0; c < columns; c++)
          values[row * columns + c] = c >= 17 ? FL_REAL (row) : FL_INT (row + (c == 6 ? pass * n : 0));
      guint64 begin = fl_tick_ns ();
      if (!fl_db_begin (db, TRUE, error))
        return FALSE;
      for (guint row = 0; row < n; row += each)
        if (!fl_db_exec_rows (db, SQL (db, SLICE_ADD), values + (gsize) row * columns, each, columns, error))
          return FALSE;
      if (!fl_db_commit (db, error))
        return FALSE;
      g_string_append_printf (s->answer, " %.3f", (double) (fl_tick_ns () - begin) * 1e-9);
    }
  return TRUE;
}

static gboolean
do_skew (Session *s G_GNUC_UNUSED, const char *words, GError **error G_GNUC_UNUSED)
{
  skew = strtol (words, NULL, 10);
  return TRUE;
}

static gboolean
do_keyring (Session *s G_GNUC_UNUSED, const char *words, GError **error)
{
  char password[256] = "";
  g_autoptr (FlDatabase) database = fl_database_find (words, FALSE, error);
  if (database == NULL || fgets (password, sizeof password, stdin) == NULL)
    return FALSE;
  g_strchomp (password);
  return fl_keyring_store (database, password, error);
}

static gboolean
do_account (Session *s, const char *words G_GNUC_UNUSED, GError **error)
{
  g_autofree char *account = fl_db_account (s->store->db, error);
  g_string_append_printf (s->answer, " %s", account != NULL ? account : "");
  return account != NULL;
}

static const struct
{
  const char *word;
  Command command;
} commands[] = {
  { "open", do_open },     { "tag", do_tag },           { "tags", do_tags },       { "begin", do_begin },
  { "commit", do_commit }, { "rollback", do_rollback }, { "pulse", do_pulse },     { "changes", do_changes },
  { "lease", do_lease },   { "comment", do_comment },   { "measure", do_measure }, { "rows", do_rows },
  { "skew", do_skew },     { "keyring", do_keyring },   { "account", do_account },
};

static void
answer (Session *s, const char *line)
{
  g_autoptr (GError) error = NULL;
  g_string_assign (s->answer, "ok");
  g_auto (GStrv) parts = g_strsplit (line, " ", 2);
  gboolean ok = FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    if (strcmp (commands[i].word, parts[0]) == 0)
      ok = commands[i].command (s, parts[1] != NULL ? parts[1] : "", &error);
  if (ok)
    printf ("%s\n", s->answer->str);
  else
    printf ("error %d %s\n", error != NULL ? error->code : -1, error != NULL ? error->message : "unknown");
  fflush (stdout);
}

int
main (void)
{
  Session s = { .answer = g_string_new (NULL) };
  char *line = NULL;
  size_t room = 0;
  while (getline (&line, &room, stdin) > 0)
    answer (&s, g_strchomp (line));
  g_clear_pointer (&s.store, fl_store_close);
  g_string_free (s.answer, TRUE);
  free (line);
  return 0;
}
