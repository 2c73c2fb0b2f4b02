/* database: where an experiment's records are: looks at a database, makes one, joins one, moves the records from the
 * folder's own file to a server and back, and says who may do what there. */

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/control/conductor.h"
#include "engine/control/process.h"
#include "engine/programs/database-private.h"
#include "engine/programs/program.h"
#include "engine/programs/programs.h"
#include "engine/store/about.h"
#include "engine/store/move.h"
#include "engine/store/people.h"

#define PROGRAM FL_PROGRAM_DATABASE

/* One word that is no option; NULL with the status in *status. */
static const char *
parse (GOptionContext *context, int argc, char **argv, const char *expected, int *status)
{
  g_autoptr (GError) error = NULL;
  *status = 2;
  if (!g_option_context_parse (context, &argc, &argv, &error))
    fprintf (stderr, "%s: %s\n", PROGRAM, error->message);
  else if (argc != 2)
    fprintf (stderr, "%s: expected %s\n", PROGRAM, expected);
  else
    return argv[1];
  return NULL;
}

static gboolean
is_url (const char *where)
{
  return g_str_has_prefix (where, "mysql://");
}

/* A folder that is made when it is not there, absolute; NULL with error. */
static char *
make_folder (const char *folder, GError **error)
{
  if (g_mkdir_with_parents (folder, 0777) == 0)
    return g_canonicalize_filename (folder, NULL);
  g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: cannot be made", folder);
  return NULL;
}

/* Without an experiment of its own. */
static gboolean
check_free (const char *folder, GError **error)
{
  g_autoptr (FlDatabase) there = fl_database_find (folder, FALSE, NULL);
  if (there == NULL)
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: has an experiment already (%s), expected another folder",
               folder, there->shown);
  return FALSE;
}

/* --- check --- */

static int
check (int argc, char **argv)
{
  int status;
  g_autoptr (GError) error = NULL;
  g_autoptr (GOptionContext) context = g_option_context_new ("FOLDER|URL");
  g_option_context_set_summary (context, "Says what database there is and how far away.");
  const char *where = parse (context, argc, argv, "check FOLDER or URL", &status);
  if (where == NULL)
    return status;
  FlDatabase *database = fl_database_find (where, FALSE, &error);
  g_autoptr (FlStore) store =
      database != NULL ? fl_program_open (database, FL_STORE_READ_ONLY, &error) : NULL;
  g_autoptr (GPtrArray) lines = store != NULL ? fl_store_about (store, &error) : NULL;
  if (lines == NULL)
    return fl_program_fail (PROGRAM, error);
  for (guint i = 0; i < lines->len; i++)
    printf ("%s\n", (char *) lines->pdata[i]);
  return 0;
}

/* --- make --- */

static gboolean
make_there (const char *url, const char *folder, GError **error)
{
  g_autoptr (FlDatabase) database = fl_database_parse (url, folder, error);
  if (database == NULL || !check_free (folder, error) || !fl_program_reach (database, error))
    return FALSE;
  g_autoptr (FlStore) there = fl_store_open_database (fl_database_copy (database), FL_STORE_READ_ONLY, NULL);
  if (there != NULL)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "%s: holds an experiment already; join it with: %s join %s --into %s", database->shown,
                   PROGRAM, database->shown, folder);
      return FALSE;
    }
  g_autoptr (FlStore) store = fl_store_open_database (fl_database_copy (database), FL_STORE_CREATE, error);
  if (store == NULL || !fl_database_write (database, folder, NULL, NULL, error))
    return FALSE;
  printf ("%s: its records are in %s\n", folder, database->shown);
  return TRUE;
}

static int
make (int argc, char **argv)
{
  int status;
  g_autofree char *into = NULL;
  g_autoptr (GError) error = NULL;
  const GOptionEntry entries[] = { { "folder", 'f', 0, G_OPTION_ARG_FILENAME, &into,
                                     "The experiment's folder, made when it is not there", "FOLDER" },
                                   { NULL } };
  g_autoptr (GOptionContext) context = g_option_context_new ("URL");
  g_option_context_set_summary (context, "Makes a new experiment whose records are on a server.");
  g_option_context_add_main_entries (context, entries, NULL);
  const char *url = parse (context, argc, argv, "make URL --folder FOLDER", &status);
  if (url == NULL)
    return status;
  if (into == NULL || !is_url (url))
    {
      fprintf (stderr, "%s: expected make mysql://USER@HOST/NAME --folder FOLDER\n", PROGRAM);
      return 2;
    }
  g_autofree char *folder = make_folder (into, &error);
  return folder != NULL && make_there (url, folder, &error) ? 0 : fl_program_fail (PROGRAM, error);
}

/* --- join --- */

static gboolean
join_there (const char *url, const char *folder, const char *home, const char *command, GError **error)
{
  g_auto (GStrv) words = NULL;
  if (command != NULL && !g_shell_parse_argv (command, NULL, &words, error))
    return FALSE;
  g_autoptr (FlDatabase) database = fl_database_parse (url, home != NULL ? home : folder, error);
  if (database == NULL || !check_free (folder, error))
    return FALSE;
  g_autoptr (FlStore) store = fl_program_open (fl_database_copy (database), FL_STORE_READ_ONLY, error);
  if (store == NULL || !fl_database_write (database, folder, home, (const char *const *) words, error))
    return FALSE;
  printf ("%s: joined %s as %s, %s\n", folder, database->shown, fl_store_account (store),
          fl_role_name (fl_store_role (store)));
  return TRUE;
}

static int
join (int argc, char **argv)
{
  int status;
  g_autofree char *into = NULL, *home = NULL, *command = NULL;
  g_autoptr (GError) error = NULL;
  const GOptionEntry entries[] = {
    { "into", 'i', 0, G_OPTION_ARG_FILENAME, &into, "The folder, made when it is not there", "FOLDER" },
    { "home", 0, 0, G_OPTION_ARG_FILENAME, &home,
      "The experiment's folder at the facility, when FOLDER is only a window on it", "PATH" },
    { "command", 0, 0, G_OPTION_ARG_STRING, &command,
      "Shows images and logs of a facility whose disks are not here", "'ssh HOST firstlight-control serve'" },
    { NULL }
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("URL");
  g_option_context_set_summary (context, "Opens an experiment on a server from here on through FOLDER.");
  g_option_context_add_main_entries (context, entries, NULL);
  const char *url = parse (context, argc, argv, "join URL --into FOLDER", &status);
  if (url == NULL)
    return status;
  if (into == NULL || !is_url (url) || (home != NULL && !g_path_is_absolute (home)))
    {
      fprintf (stderr, "%s: expected join mysql://USER@HOST/NAME --into FOLDER [--home /ABSOLUTE/PATH]\n",
               PROGRAM);
      return 2;
    }
  g_autofree char *folder = make_folder (into, &error);
  return folder != NULL && join_there (url, folder, home, command, &error) ? 0
                                                                           : fl_program_fail (PROGRAM, error);
}

/* --- move --- */

typedef struct
{
  const char *table;
  gint64 said;
} Progress;

static void
say_progress (const char *table, guint64 rows, guint64 of, gpointer data)
{
  Progress *progress = data;
  gint64 now = g_get_monotonic_time ();
  if (progress->said != 0 && now - progress->said < G_USEC_PER_SEC)
    return;
  progress->said = now;
  printf ("copying %s: %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " rows\n", table, rows, of);
  fflush (stdout);
}

static int
move (int argc, char **argv)
{
  int status;
  g_autofree char *to = NULL;
  g_autoptr (GError) error = NULL;
  const GOptionEntry entries[] = { { "to", 't', 0, G_OPTION_ARG_STRING, &to,
                                     "mysql://USER@HOST/NAME, or sqlite: the folder's own file", "URL" },
                                   { NULL } };
  g_autoptr (GOptionContext) context = g_option_context_new ("FOLDER");
  g_option_context_set_summary (
      context,
      "Moves an experiment's records to a server, or back into its folder. Killed on the way, nothing has "
      "changed; do it again. The old ones are kept.");
  g_option_context_add_main_entries (context, entries, NULL);
  const char *folder = parse (context, argc, argv, "move FOLDER --to URL", &status);
  if (folder == NULL)
    return status;
  if (to == NULL || (!is_url (to) && strcmp (to, "sqlite") != 0))
    {
      fprintf (stderr, "%s: expected move FOLDER --to mysql://USER@HOST/NAME, or --to sqlite\n", PROGRAM);
      return 2;
    }
  g_autofree char *home = g_canonicalize_filename (folder, NULL);
  g_autoptr (FlDatabase) from = fl_database_find (folder, FALSE, &error);
  g_autoptr (FlDatabase) target = from != NULL && is_url (to) ? fl_database_parse (to, home, &error) : NULL;
  Progress progress = { 0 };
  g_autoptr (FlMoved) moved = error == NULL && fl_program_reach (from, &error)
                                      && (target == NULL || fl_program_reach (target, &error))
                                  ? fl_store_move (folder, target, FL_CONDUCTOR_LEASE, fl_process_is_gone,
                                                   say_progress, &progress, &error)
                                  : NULL;
  if (moved == NULL)
    return fl_program_fail (PROGRAM, error);
  printf ("%s: its records are in %s\nthe old ones, the same to the last byte (%s), are kept in %s\n", home,
          moved->to, moved->fingerprint, from->driver == FL_DRIVER_SQLITE ? moved->kept : moved->from);
  return 0;
}

/* --- the program --- */

int
fl_program_database (int argc, char **argv)
{
  static const struct
  {
    const char *name;
    int (*run) (int argc, char **argv);
    const char *summary;
  } verbs[] = {
    { "check", check, "FOLDER|URL                       what is there, and how far away" },
    { "make", make, "URL --folder FOLDER              a new experiment on a server" },
    { "join", join, "URL --into FOLDER                open one that others have made" },
    { "move", move, "FOLDER --to URL|sqlite           records to a server, and back" },
    { "grant", fl_program_database_grant, "FOLDER|URL NAME ROLE             who may do what" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (verbs); i++)
    if (argc > 1 && strcmp (argv[1], verbs[i].name) == 0)
      return verbs[i].run (argc - 1, argv + 1);
  gboolean help = argc == 2 && (strcmp (argv[1], "--help") == 0 || strcmp (argv[1], "-h") == 0);
  FILE *out = help ? stdout : stderr;
  fprintf (out, "Usage: %s VERB … (each with --help)\n", PROGRAM);
  for (guint i = 0; i < G_N_ELEMENTS (verbs); i++)
    fprintf (out, "  %-6s %s\n", verbs[i].name, verbs[i].summary);
  fprintf (out,
           "URL is "
           "mysql://USER@HOST[:PORT]/NAME[?tls=verify|required|off&ca=FILE&socket=PATH&option_file=FILE]\n");
  return help ? 0 : 2;
}
