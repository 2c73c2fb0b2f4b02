/* people: who may do what in an experiment, who is here, and who changed what last (engine/store/people.h). */

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/programs/program.h"
#include "engine/programs/programs.h"
#include "engine/store/people.h"

#define PROGRAM  "firstlight-control people"
#define LONGEST  60     /* characters of a value in a line of the history */
#define MAX_SHOW 100000 /* edits */

typedef struct
{
  char **roles;
  int edits;
  gboolean json;
} Options;

typedef struct
{
  GPtrArray *people, *here, *edits;
} Found;

static void
found_clear (Found *found)
{
  g_clear_pointer (&found->people, g_ptr_array_unref);
  g_clear_pointer (&found->here, g_ptr_array_unref);
  g_clear_pointer (&found->edits, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Found, found_clear)

/* --- for a person --- */

/* One line that a terminal shows as it is, whoever wrote it. */
static char *
shown (const char *text)
{
  GString *out = g_string_new (NULL);
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  guint n = 0;
  for (const char *at = valid; *at != '\0'; at = g_utf8_next_char (at), n++)
    {
      if (n == LONGEST)
        {
          g_string_append (out, "…");
          break;
        }
      gunichar c = g_utf8_get_char (at);
      /* U+061C, 200E, 200F, 202A–E and 2066–9 would turn the rest of the line around. */
      gboolean plain = g_unichar_isprint (c) && g_unichar_type (c) != G_UNICODE_FORMAT;
      g_string_append_unichar (out, c == '\n' ? 0x23ce : plain ? c : 0xfffd);
    }
  return g_string_free (out, FALSE);
}

static char *
clock_time (guint64 ns)
{
  g_autoptr (GDateTime) at = g_date_time_new_from_unix_local ((gint64) (ns / FL_NS_PER_S));
  return at != NULL ? g_date_time_format (at, "%Y-%m-%d %H:%M:%S") : g_strdup ("?");
}

static void
print_people (FlStore *store, const GPtrArray *people)
{
  if (people->len == 0)
    printf ("Nobody is named: whoever can open the experiment is an owner\n");
  for (guint i = 0; i < people->len; i++)
    {
      const FlPerson *one = people->pdata[i];
      g_autofree char *name = shown (one->name), *comment = shown (one->comment);
      printf ("%-20s %-9s%s%s\n", name, fl_role_name ((FlRole) one->role), *comment != '\0' ? " " : "",
              comment);
    }
  g_autofree char *me = shown (fl_store_account (store));
  printf ("You are %s: %s\n", me, fl_role_name (fl_store_role (store)));
}

static void
print_here (const GPtrArray *here)
{
  for (guint i = 0; i < here->len; i++)
    {
      const FlPresence *one = here->pdata[i];
      g_autofree char *who = shown (one->who), *where = shown (one->where), *program = shown (one->program),
                      *page = shown (one->page), *since = clock_time (one->since);
      printf ("here: %s at %s since %s, %s%s%s\n", who, where, since, program, *page != '\0' ? ": " : "",
              page);
    }
}

static void
print_edit (const FlEdit *edit)
{
  static const char *const deeds[] = { "made", "changed", "removed", "said" };
  g_autofree char *time = clock_time (edit->time), *who = shown (edit->who), *where = shown (edit->where),
                  *name = shown (edit->name), *before = shown (edit->before), *after = shown (edit->after);
  printf ("%6" G_GINT64_FORMAT "  %s  %s%s%s  ", edit->id, time, who, *where != '\0' ? " at " : "", where);
  if (edit->kind == FL_EDIT_SAID)
    {
      printf ("%s\n", after);
      return;
    }
  printf ("%s %s", (guint) edit->kind < G_N_ELEMENTS (deeds) ? deeds[edit->kind] : "?",
          fl_table_name (edit->table));
  if (*name != '\0')
    printf (" %s", name);
  else
    printf (" %" G_GINT64_FORMAT, edit->record);
  if (edit->kind == FL_EDIT_CHANGED)
    printf (", %s: '%s' → '%s'", edit->column, before, after);
  if (edit->undoes != 0)
    printf (" (takes back %" G_GINT64_FORMAT ")", edit->undoes);
  if (edit->undone_by != 0)
    printf (" (taken back by %" G_GINT64_FORMAT ")", edit->undone_by);
  putchar ('\n');
}

static void
print_text (FlStore *store, const Found *found)
{
  print_people (store, found->people);
  print_here (found->here);
  for (guint i = found->edits->len; i > 0; i--)
    print_edit (found->edits->pdata[i - 1]);
}

/* --- for a program --- */

static json_t *
json_edit (const FlEdit *edit)
{
  static const char *const kinds[] = { "made", "changed", "removed", "said" };
  gboolean known = (guint) edit->kind < G_N_ELEMENTS (kinds);
  return json_pack ("{sI sI ss ss ss ss sI ss ss ss ss sI sI sI sb}", "id", (json_int_t) edit->id, "time",
                    (json_int_t) edit->time, "who", edit->who, "where", edit->where, "kind",
                    known ? kinds[edit->kind] : "unknown", "table", fl_table_name (edit->table), "record",
                    (json_int_t) edit->record, "name", edit->name, "column", edit->column, "before",
                    edit->before, "after", edit->after, "action", (json_int_t) edit->action, "undoes",
                    (json_int_t) edit->undoes, "undone_by", (json_int_t) edit->undone_by, "undoable",
                    edit->undoable);
}

/* {"account": …, "role": …, "people": […], "here": […], "edits": […]}, newest edit first; times in ns UTC. */
static void
print_json (FlStore *store, const Found *found)
{
  json_t *people = json_array (), *here = json_array (), *edits = json_array ();
  for (guint i = 0; i < found->people->len; i++)
    {
      const FlPerson *one = found->people->pdata[i];
      json_array_append_new (people, json_pack ("{ss ss ss}", "name", one->name, "role",
                                                fl_role_name ((FlRole) one->role), "comment", one->comment));
    }
  for (guint i = 0; i < found->here->len; i++)
    {
      const FlPresence *one = found->here->pdata[i];
      json_array_append_new (here, json_pack ("{ss ss ss ss ss sI sI ss}", "session", one->session, "who",
                                              one->who, "where", one->where, "program", one->program, "page",
                                              one->page, "since", (json_int_t) one->since, "seen",
                                              (json_int_t) one->seen, "role", fl_role_name (one->role)));
    }
  for (guint i = 0; i < found->edits->len; i++)
    json_array_append_new (edits, json_edit (found->edits->pdata[i]));
  json_t *all =
      json_pack ("{ss ss so so so}", "account", fl_store_account (store), "role",
                 fl_role_name (fl_store_role (store)), "people", people, "here", here, "edits", edits);
  json_dumpf (all, stdout, JSON_INDENT (1));
  json_decref (all);
  putchar ('\n');
}

static gboolean
list (FlStore *store, const Options *options, GError **error)
{
  g_auto (Found) found = { .people = fl_store_list (store, FL_TABLE_PERSON, error) };
  found.here = found.people != NULL ? fl_store_present (store, error) : NULL;
  found.edits = found.here != NULL ? fl_store_edits (store, 0, (guint) options->edits, error) : NULL;
  if (found.edits == NULL)
    return FALSE;
  (options->json ? print_json : print_text) (store, &found);
  return TRUE;
}

/* --- roles --- */

static gboolean
set_one (FlStore *store, const char *text, GError **error)
{
  const char *sign = strrchr (text, '=');
  FlRole role = FL_ROLE_LAST;
  g_autofree char *name = sign != NULL ? g_strndup (text, (gsize) (sign - text)) : NULL;
  if (name == NULL || *name == '\0' || (strcmp (sign + 1, "none") != 0 && !fl_role_parse (sign + 1, &role)))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "--role '%s' is wrong, expected NAME=viewer, operator, owner or none", text);
      return FALSE;
    }
  return fl_store_set_role (store, name, role, error);
}

/* All of them or none: the first owner and those that he lets in may be named at once. */
static gboolean
set_roles (FlStore *store, char **roles, GError **error)
{
  fl_store_act_for_person (store, g_get_host_name ());
  if (!fl_store_begin (store, error))
    return FALSE;
  for (char **role = roles; *role != NULL; role++)
    if (!set_one (store, *role, error))
      {
        fl_store_rollback (store);
        return FALSE;
      }
  return fl_store_commit (store, error);
}

static int
run (const char *where, const Options *options)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlStore) store =
      fl_store_open (where, options->roles != NULL ? FL_STORE_WRITE : FL_STORE_READ_ONLY, &error);
  if (store == NULL || (options->roles != NULL && !set_roles (store, options->roles, &error))
      || !list (store, options, &error))
    return fl_program_fail (PROGRAM, error);
  return 0;
}

int
fl_program_people (int argc, char **argv)
{
  Options options = { .edits = 10 };
  g_autoptr (GError) error = NULL;
  const GOptionEntry entries[] = {
    { "role", 'r', 0, G_OPTION_ARG_STRING_ARRAY, &options.roles,
      "Gives a role: viewer, operator, owner or none (may be repeated: all at once). On a server `database "
      "grant` gives the account's rights, too",
      "NAME=ROLE" },
    { "edits", 'e', 0, G_OPTION_ARG_INT, &options.edits, "Shows the last N changes (10)", "N" },
    { "json", 'j', 0, G_OPTION_ARG_NONE, &options.json, "For programs", NULL },
    { NULL }
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("EXPERIMENT");
  g_option_context_set_summary (context,
                                "Says who may do what in an experiment (its folder or database), who "
                                "is here now and who changed what last.");
  g_option_context_add_main_entries (context, entries, NULL);
  int status = 2;
  if (!g_option_context_parse (context, &argc, &argv, &error))
    fprintf (stderr, "%s: %s\n", PROGRAM, error->message);
  else if (argc != 2 || options.edits < 0 || options.edits > MAX_SHOW)
    fprintf (stderr, "%s: expected the experiment's folder or database; --edits takes 0 to %d\n", PROGRAM,
             MAX_SHOW);
  else
    status = run (argv[1], &options);
  g_strfreev (options.roles);
  return status;
}
