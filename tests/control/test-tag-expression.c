/* Tag expressions against an evaluator of their own kind: random trees are written out with more parentheses and spaces
 * than they need, parsed, and must take the runs that the tree takes. */
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/control/tag-expression.h"
#include "engine/store/records.h"

static const char *const names[] = { "lysozyme",
                                     "dark",
                                     "0.2um",
                                     "and",
                                     "Runs",
                                     "night shift",
                                     "a\"b\\c",
                                     "$(reboot)",
                                     "x,y",
                                     "µ-1",
                                     "'; DROP TABLE tag",
                                     "\x1b[31mred",
                                     "<b>bold</b>",
                                     "a\\\\b",
                                     "-",
                                     "12",
                                     NULL };

/* --- the naive evaluator --- */

typedef struct Tree Tree;
struct Tree
{
  char kind; /* & | ! t r */
  Tree *a, *b;
  guint tag;
  int first, last; /* runs; −1: open */
  gboolean by_name;
};

static guint
below (FlRandom *random, guint n)
{
  return MIN ((guint) (fl_random_unit (random) * n), n - 1);
}

static Tree *
tree_new (FlRandom *random, guint depth)
{
  Tree *tree = g_new0 (Tree, 1);
  tree->kind = depth == 0 ? "tr"[below (random, 2)] : "&|!tr"[below (random, 5)];
  tree->tag = below (random, G_N_ELEMENTS (names) - 1);
  tree->first = (int) below (random, 31) - 1;
  tree->last =
      tree->first >= 0 && below (random, 3) == 0 ? -1 : MAX (tree->first, 0) + (int) below (random, 6);
  tree->by_name = below (random, 2) == 0;
  if (strchr ("&|!", tree->kind))
    tree->a = tree_new (random, depth - 1);
  if (strchr ("&|", tree->kind))
    tree->b = tree_new (random, depth - 1);
  return tree;
}

static void
tree_free (Tree *tree)
{
  if (!tree)
    return;
  tree_free (tree->a);
  tree_free (tree->b);
  g_free (tree);
}

static gboolean
tree_takes (const Tree *tree, int run, guint tags)
{
  switch (tree->kind)
    {
    case '&':
      return tree_takes (tree->a, run, tags) && tree_takes (tree->b, run, tags);
    case '|':
      return tree_takes (tree->a, run, tags) || tree_takes (tree->b, run, tags);
    case '!':
      return !tree_takes (tree->a, run, tags);
    case 't':
      return (tags >> tree->tag & 1) != 0;
    default:
      return run >= tree->first && (tree->last < 0 || run <= tree->last);
    }
}

static void
write_spaces (GString *text, FlRandom *random)
{
  static const char *const spaces[] = { " ", "  ", "\t", " \n " };
  g_string_append (text, spaces[below (random, G_N_ELEMENTS (spaces))]);
}

static void
write_run (GString *text, const Tree *tree, int run)
{
  if (run >= 0)
    g_string_append_printf (text, tree->by_name ? "r%04d" : "%d", run);
}

static int
strength (char kind)
{
  return kind == '|' ? 0 : kind == '&' ? 1 : 2;
}

static void
write_tree (GString *text, const Tree *tree, int around, FlRandom *random)
{
  static const char *const words[][2] = { { "or", "OR" }, { "and", "And" }, { "not", "NOT" } };
  gboolean enclosed = strength (tree->kind) < around || below (random, 4) == 0;
  g_string_append (text, enclosed ? "(" : "");
  const char *word = words[strength (tree->kind)][below (random, 2)];
  if (tree->kind == 't')
    {
      g_autofree char *name = fl_tag_expression_quote (names[tree->tag]);
      g_string_append (text, name);
    }
  else if (tree->kind == 'r')
    {
      g_string_append (text, below (random, 2) ? "runs " : "RUNS ");
      write_run (text, tree, tree->first);
      if (tree->first != tree->last)
        {
          g_string_append (text, "-");
          write_run (text, tree, tree->last);
        }
    }
  else if (tree->kind == '!')
    {
      g_string_append (text, word);
      write_spaces (text, random);
      write_tree (text, tree->a, 2, random);
    }
  else
    {
      write_tree (text, tree->a, strength (tree->kind), random);
      write_spaces (text, random);
      g_string_append (text, word);
      write_spaces (text, random);
      write_tree (text, tree->b, strength (tree->kind), random);
    }
  g_string_append (text, enclosed ? ")" : "");
}

static gboolean
expression_takes (const FlTagExpression *expression, int run, guint tags)
{
  const char *held[G_N_ELEMENTS (names)] = { NULL };
  for (guint i = 0, n = 0; names[i]; i++)
    if (tags >> i & 1)
      held[n++] = names[i];
  g_autofree char *name = g_strdup_printf ("r%04d", run);
  return fl_tag_expression_matches (expression, name, held);
}

static void
test_random (void)
{
  FlRandom random = fl_random (20261121);
  for (guint trial = 0; trial < 4000; trial++)
    {
      Tree *tree = tree_new (&random, 1 + below (&random, 5));
      g_autoptr (GString) text = g_string_new (NULL);
      write_tree (text, tree, 0, &random);
      g_autoptr (GError) error = NULL;
      g_autoptr (FlTagExpression) expression = fl_tag_expression_parse (text->str, names, &error);
      g_assert_no_error (error);
      g_autofree char *written = fl_tag_expression_text (expression, NULL, NULL);
      g_autoptr (FlTagExpression) again = fl_tag_expression_parse (written, names, &error);
      g_assert_no_error (error);
      g_autofree char *twice = fl_tag_expression_text (again, NULL, NULL);
      g_assert_cmpstr (written, ==, twice);
      g_assert_cmpuint (strlen (written), <=, text->len);
      for (guint k = 0; k < 30; k++)
        {
          guint tags = below (&random, 1u << (G_N_ELEMENTS (names) - 1));
          int run = (int) below (&random, 40);
          gboolean taken = tree_takes (tree, run, tags);
          g_assert_cmpint (expression_takes (expression, run, tags), ==, taken);
          g_assert_cmpint (expression_takes (again, run, tags), ==, taken);
        }
      tree_free (tree);
    }
}

static void
test_ranges (void)
{
  static const struct
  {
    const char *text, *run;
    gboolean taken;
  } cases[] = {
    { "runs 12-40", "r0012", TRUE },
    { "runs 12-40", "r0040", TRUE },
    { "runs 12-40", "r0041", FALSE },
    { "runs 12-40", "run12.h5", TRUE },
    { "runs 12-40", "dark", FALSE },
    { "not runs 12-40", "dark", TRUE },
    { "runs -40", "dark", FALSE },
    { "runs r0012-", "r0012", TRUE },
    { "runs r0012-", "r13", TRUE },
    { "runs r0012-", "r0011", FALSE },
    { "runs r0012- or dark", "r0011", FALSE },
    { "runs r0012 - r0014", "r0013", TRUE },
    { "runs r0007", "r7", TRUE },
    { "runs r0007", "r70", FALSE },
    { "runs 3,5,9-12", "r0005", TRUE },
    { "runs 3, 5 , 9-12", "r0004", FALSE },
    { "runs -5,100-", "r0005", TRUE },
    { "runs -5,100-", "r0006", FALSE },
    { "runs -5,100-", "r0100", TRUE },
    { "runs \"night-2\"-\"night-9\"", "night-5", TRUE },
    { "runs \"night-2\"-\"night-9\"", "night-10", FALSE },
    { "runs 99999999999999999999-", "r100000000000000000000", TRUE },
    { "runs r0012-40", "r0041", FALSE },
    { "runs r0012-40", "r0040", TRUE },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      static const char *const none[] = { NULL };
      g_autoptr (FlTagExpression) expression = fl_tag_expression_parse (cases[i].text, names, &error);
      g_assert_no_error (error);
      if (fl_tag_expression_matches (expression, cases[i].run, none) != cases[i].taken)
        g_error ("'%s' and %s", cases[i].text, cases[i].run);
      g_autofree char *text = fl_tag_expression_text (expression, NULL, NULL);
      g_autoptr (FlTagExpression) again = fl_tag_expression_parse (text, names, &error);
      g_assert_no_error (error);
      g_assert_cmpint (fl_tag_expression_matches (again, cases[i].run, none), ==, cases[i].taken);
    }
}

static void
test_errors (void)
{
  static const struct
  {
    const char *text, *message;
    guint at, length;
  } cases[] = {
    { "not lysozime", "'lysozime' at character 5: there is no such tag; lysozyme?", 4, 8 },
    { "µ-1 and drak", "'drak' at character 9: there is no such tag; dark?", 8, 4 },
    { "µ-1 and Dark", "'Dark' at character 9: there is no such tag; dark?", 8, 4 },
    { "xyzzy", "'xyzzy' at character 1: there is no such tag", 0, 5 },
    { "", "character 1: expected a tag, 'not', 'runs' or '('", 0, 0 },
    { "  ", "character 3: expected a tag, 'not', 'runs' or '('", 2, 0 },
    { "dark and", "character 9: expected a tag, 'not', 'runs' or '('", 8, 0 },
    { "dark lysozyme", "'lysozyme' at character 6: expected 'and' or 'or' before it", 5, 8 },
    { "dark, lysozyme", "',' at character 5: expected 'and' or 'or' before it", 4, 1 },
    { "(dark", "'(' at character 1: is not closed", 0, 1 },
    { "(dark lysozyme)", "'lysozyme' at character 7: expected 'and', 'or' or ')' before it", 6, 8 },
    { "dark)", "')' at character 5: nothing is open that it could close", 4, 1 },
    { "dark and or", "'or' at character 10: expected a tag, 'not', 'runs' or '('", 9, 2 },
    { "\"dark", "'\"dark' at character 1: the quotation is not closed", 0, 5 },
    { "\"dark\\", "'\"dark\\' at character 1: the quotation is not closed", 0, 6 },
    { "dark or \"\"", "'\"\"' at character 9: an empty name", 8, 2 },
    { "runs", "character 5: expected a run, as in 'runs 3,5,9-12'", 4, 0 },
    { "runs 3,,4", "',' at character 8: expected a run, as in 'runs 3,5,9-12'", 7, 1 },
    { "runs -", "'-' at character 6: expected a run before or after the '-'", 5, 1 },
    { "runs 40-12", "'40-12' at character 6: the range ends before it begins", 5, 5 },
    { "\x1b[2Jhaha", "'\xef\xbf\xbd[2Jhaha' at character 1: there is no such tag", 0, 8 },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      FlTagSpan wrong;
      g_assert_null (fl_tag_expression_parse_at (cases[i].text, names, &wrong, &error));
      g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
      g_assert_cmpstr (error->message, ==, cases[i].message);
      g_assert_cmpuint (wrong.at, ==, cases[i].at);
      g_assert_cmpuint (wrong.length, ==, cases[i].length);
    }
  g_autoptr (GError) error = NULL;
  g_assert_null (fl_tag_expression_parse ("dark\xff", NULL, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_INPUT);
}

static void
test_depth (void)
{
  static const char *const open[] = { "(", "not ", "not (" };
  for (guint i = 0; i < G_N_ELEMENTS (open); i++)
    {
      g_autoptr (GString) text = g_string_new (NULL);
      for (guint k = 0; k < 1000000; k++)
        g_string_append (text, open[i]);
      g_autoptr (GError) error = NULL;
      g_assert_null (fl_tag_expression_parse (text->str, NULL, &error));
      g_assert_nonnull (strstr (error->message, "nested too deeply"));
    }
  g_autoptr (FlTagExpression) fine =
      fl_tag_expression_parse ("((((((((not not not (dark))))))))))", NULL, NULL);
  g_assert_null (fine); /* one more closed than opened */
  g_autoptr (GString) wide = g_string_new ("dark");
  for (guint k = 0; k < 100000; k++)
    g_string_append (wide, " or dark");
  g_autoptr (GError) error = NULL;
  g_autoptr (FlTagExpression) expression = fl_tag_expression_parse (wide->str, names, &error);
  g_assert_no_error (error);
  g_auto (GStrv) tags = fl_tag_expression_tags (expression);
  g_assert_cmpuint (g_strv_length (tags), ==, 1);
}

static void
test_rename (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlTagExpression) expression =
      fl_tag_expression_parse ("(dark or lysozyme) and not (dark and runs 3)", names, &error);
  g_assert_no_error (error);
  g_autofree char *same = fl_tag_expression_text (expression, NULL, NULL);
  g_assert_cmpstr (same, ==, "(dark or lysozyme) and not (dark and runs 3)");
  g_autofree char *text = fl_tag_expression_text (expression, "dark", "laser off");
  g_assert_cmpstr (text, ==, "(\"laser off\" or lysozyme) and not (\"laser off\" and runs 3)");
  g_auto (GStrv) tags = fl_tag_expression_tags (expression);
  g_autofree char *joined = g_strjoinv (" ", tags);
  g_assert_cmpstr (joined, ==, "dark lysozyme");
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tag-expression/random", test_random);
  g_test_add_func ("/tag-expression/ranges", test_ranges);
  g_test_add_func ("/tag-expression/errors", test_errors);
  g_test_add_func ("/tag-expression/depth", test_depth);
  g_test_add_func ("/tag-expression/rename", test_rename);
  return g_test_run ();
}
