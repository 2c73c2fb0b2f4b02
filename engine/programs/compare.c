/* firstlight-control compare A B: two experiments or archives side by side: for each trial and dataset what both have come to
 * (engine/control/archive-compare.h); what differs is marked with a star. --json for programs. Exit status 0 whether anything
 * differs or not. */

#include <jansson.h>
#include <math.h>
#include <stdio.h>

#include "engine/control/archive-compare.h"
#include "engine/programs/program.h"
#include "engine/programs/programs.h"

#define PROGRAM "firstlight-control compare"

static GPtrArray *
read_one (const char *where, GError **error)
{
  g_autoptr (FlStore) store = fl_store_open (where, FL_STORE_READ_ONLY, error);
  return store != NULL ? fl_results_read (store, error) : NULL;
}

static void
print_number (const FlResultPair *pair, FlResultNumber number)
{
  g_autofree char *texts[2] = { NULL, NULL };
  gboolean any = FALSE;
  for (guint side = 0; side < 2; side++)
    {
      double value = pair->side[side] != NULL ? pair->side[side]->values[number] : NAN;
      texts[side] = fl_result_number_text (number, value);
      any |= !isnan (value);
    }
  if (any)
    printf ("  %-13s %14s %14s %s%s\n", fl_result_number_name (number), texts[0], texts[1],
            pair->differs[number] ? "* " : "", fl_result_number_unit (number));
  for (guint side = 0; side < 2; side++)
    g_clear_pointer (&texts[side], g_free);
}

static void
print_text (const GArray *pairs)
{
  guint different = 0;
  for (guint i = 0; i < pairs->len; i++)
    {
      const FlResultPair *pair = &g_array_index (pairs, FlResultPair, i);
      const FlResult *a = pair->side[0], *b = pair->side[1];
      different += pair->any;
      printf ("%s%s\n  %-13s %14s %14s\n", (a != NULL ? a : b)->name, pair->any ? " *" : "", "",
              a == NULL        ? "not there"
              : *a->of != '\0' ? a->of
                               : "A",
              b == NULL        ? "not there"
              : *b->of != '\0' ? b->of
                               : "B");
      for (guint k = 0; k < FL_RESULT_LAST; k++)
        print_number (pair, (FlResultNumber) k);
    }
  printf ("%u of %u differ\n", different, pairs->len);
}

static json_t *
json_of (const FlResult *result)
{
  if (result == NULL)
    return json_null ();
  json_t *values = json_object ();
  json_object_set_new (values, "of", json_string (result->of));
  for (guint i = 0; i < FL_RESULT_LAST; i++)
    json_object_set_new (values, fl_result_number_name ((FlResultNumber) i),
                         isnan (result->values[i]) ? json_null () : json_real (result->values[i]));
  return values;
}

/* [{"name": …, "a": {…}, "b": {…}, "differs": ["shots", …]}] */
static void
print_json (const GArray *pairs)
{
  json_t *all = json_array ();
  for (guint i = 0; i < pairs->len; i++)
    {
      const FlResultPair *pair = &g_array_index (pairs, FlResultPair, i);
      json_t *differs = json_array ();
      for (guint k = 0; k < FL_RESULT_LAST; k++)
        if (pair->differs[k])
          json_array_append_new (differs, json_string (fl_result_number_name ((FlResultNumber) k)));
      const FlResult *named = pair->side[0] != NULL ? pair->side[0] : pair->side[1];
      json_array_append_new (all,
                             json_pack ("{ss so so so}", "name", named->name, "a", json_of (pair->side[0]),
                                        "b", json_of (pair->side[1]), "differs", differs));
    }
  json_dumpf (all, stdout, JSON_INDENT (1) | JSON_REAL_PRECISION (9));
  json_decref (all);
  putchar ('\n');
}

int
fl_program_compare (int argc, char **argv)
{
  gboolean json = FALSE;
  g_autoptr (GError) error = NULL;
  const GOptionEntry entries[] = { { "json", 'j', 0, G_OPTION_ARG_NONE, &json, "For programs", NULL },
                                   { NULL } };
  g_autoptr (GOptionContext) context = g_option_context_new ("A B");
  g_option_context_set_summary (
      context, "Sets two experiments or archives side by side, trial by trial and dataset by dataset.");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    return fl_program_fail (PROGRAM, error);
  if (argc != 3)
    {
      fprintf (stderr, "%s: expected two experiments or archives\n", PROGRAM);
      return 2;
    }
  g_autoptr (GPtrArray) a = read_one (argv[1], &error);
  g_autoptr (GPtrArray) b = a != NULL ? read_one (argv[2], &error) : NULL;
  if (b == NULL)
    return fl_program_fail (PROGRAM, error);
  g_autoptr (GArray) pairs = fl_results_pair (a, b);
  (json ? print_json : print_text) (pairs);
  return 0;
}
