/* database grant: who may do what: the person's record, and what the server lets their account do. */
#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/programs/database-private.h"
#include "engine/programs/program.h"
#include "engine/store/grants.h"
#include "engine/store/keyring.h"

#define PROGRAM FL_PROGRAM_DATABASE

typedef struct
{
  char *host;
  gboolean create, print, tls, no_hand_on;
} Options;

static void
print_sql (FlStore *store, const FlGrant *grant)
{
  g_autoptr (GPtrArray) sql = fl_grants_sql (store, grant, NULL);
  for (guint i = 0; sql != NULL && i < sql->len; i++)
    if (!g_str_has_prefix (sql->pdata[i], "REVOKE") || grant->role == FL_ROLE_LAST)
      printf ("%s;\n", (char *) sql->pdata[i]);
}

/* Who names the first person stays an owner. */
static gboolean
record_role (FlStore *store, const char *name, FlRole role, GError **error)
{
  g_autoptr (GPtrArray) people = fl_store_list (store, FL_TABLE_PERSON, error);
  const char *self = fl_store_account (store);
  if (people != NULL && people->len == 0 && role == FL_ROLE_LAST)
    return TRUE;
  if (people == NULL || !fl_store_begin (store, error))
    return FALSE;
  gboolean first =
      people->len == 0 && role != FL_ROLE_LAST && (strcmp (self, name) != 0 || role != FL_ROLE_OWNER);
  if ((!first || fl_store_set_role (store, self, FL_ROLE_OWNER, error))
      && fl_store_set_role (store, name, role, error))
    {
      if (!fl_store_commit (store, error))
        return FALSE;
      if (first)
        printf ("%s: owner (the first; that is you)\n", self);
      return TRUE;
    }
  fl_store_rollback (store);
  return FALSE;
}

static int
give (FlStore *store, const FlGrant *grant)
{
  g_autoptr (GError) error = NULL;
  gboolean server = g_str_has_prefix (fl_store_path (store), "mysql://");
  fl_store_act_for_person (store, g_get_host_name ());
  if (!record_role (store, grant->account, grant->role, &error))
    return fl_program_fail (PROGRAM, error);
  printf ("%s: %s\n", grant->account, fl_role_name (grant->role));
  if (!server)
    {
      printf ("In a file of this machine roles keep people from mistakes; the file's permissions keep others "
              "out.\n");
      return 0;
    }
  if (fl_grants_give (store, grant, &error))
    return 0;
  if (g_error_matches (error, FL_ERROR, FL_ERROR_DENIED))
    {
      printf ("Your account may not give rights on this server. Its administrator does it so:\n");
      FlGrant shown = *grant;
      shown.password = grant->password != NULL ? "…" : NULL;
      print_sql (store, &shown);
    }
  return fl_program_fail (PROGRAM, error);
}

static int
grant_role (const char *where, const char *name, FlRole role, const Options *options)
{
  g_autoptr (GError) error = NULL;
  FlDatabase *database = fl_database_find (where, FALSE, &error);
  g_autoptr (FlStore) store =
      database != NULL
          ? fl_program_open (database, options->print ? FL_STORE_READ_ONLY : FL_STORE_WRITE, &error)
          : NULL;
  if (store == NULL)
    return fl_program_fail (PROGRAM, error);
  FlGrant grant = { .account = name,
                    .host = options->host != NULL ? options->host : "%",
                    .role = role,
                    .tls = options->tls,
                    .hand_on = !options->no_hand_on };
  /* Before anything is recorded: whether the names can be used at all. */
  if (g_str_has_prefix (fl_store_path (store), "mysql://"))
    {
      g_autoptr (GPtrArray) sql = fl_grants_sql (store, &grant, &error);
      if (sql == NULL)
        return fl_program_fail (PROGRAM, error);
    }
  if (options->print)
    {
      grant.password = options->create ? "…" : NULL;
      print_sql (store, &grant);
      return 0;
    }
  g_autofree char *question = g_strdup_printf ("Password of the new account %s: ", name);
  char *password = options->create ? fl_program_ask_secret (question) : NULL;
  if (options->create && password == NULL)
    {
      fprintf (stderr, "%s: --create needs a password, on the terminal or as a line of standard input\n",
               PROGRAM);
      return 2;
    }
  grant.password = password;
  int status = give (store, &grant);
  fl_keyring_free (password);
  return status;
}

int
fl_program_database_grant (int argc, char **argv)
{
  Options options = { 0 };
  g_autoptr (GError) error = NULL;
  const GOptionEntry entries[] = {
    { "host", 0, 0, G_OPTION_ARG_STRING, &options.host, "From where the account may come (%: anywhere)",
      "HOST" },
    { "create", 0, 0, G_OPTION_ARG_NONE, &options.create, "Make the account; asks for its password", NULL },
    { "require-tls", 0, 0, G_OPTION_ARG_NONE, &options.tls, "With --create: it must encrypt", NULL },
    { "may-not-grant", 0, 0, G_OPTION_ARG_NONE, &options.no_hand_on, "An owner who gives nobody rights",
      NULL },
    { "print", 0, 0, G_OPTION_ARG_NONE, &options.print, "Only print the SQL, for the server's administrator",
      NULL },
    { NULL }
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("FOLDER|URL NAME viewer|operator|owner|none");
  g_option_context_set_summary (context,
                                "Says what somebody may do in an experiment, and has the server keep to it.");
  g_option_context_add_main_entries (context, entries, NULL);
  FlRole role = FL_ROLE_LAST;
  int status = 2;
  if (!g_option_context_parse (context, &argc, &argv, &error))
    fprintf (stderr, "%s: %s\n", PROGRAM, error->message);
  else if (argc != 4 || (strcmp (argv[3], "none") != 0 && !fl_role_parse (argv[3], &role)))
    fprintf (stderr, "%s: expected grant FOLDER|URL NAME viewer|operator|owner|none\n", PROGRAM);
  else
    status = grant_role (argv[1], argv[2], role, &options);
  g_free (options.host);
  return status;
}
