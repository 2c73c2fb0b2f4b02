/* Patterns of names, also where either is not UTF-8. */
#include "engine/base/wildcard.h"

static void
test_match (void)
{
  static const struct
  {
    const char *pattern, *text;
    gboolean matches;
  } cases[] = {
    { "*", "", TRUE },
    { "", "a", FALSE },
    { "*.h5", "a.h5", TRUE },
    { "*.h5", "a.h5.inprogress", FALSE },
    { "run*_*.cbf", "run1_2_3.cbf", TRUE },
    { "run*_*.cbf", "run1.cbf", FALSE },
    { "a*b*c", "abcbcd", FALSE },
    { "a*b*c", "abcbc", TRUE },
    { "?.h5", "\303\244.h5", TRUE },
    { "??.h5", "\303\244.h5", FALSE },
    { "*a*\340*", "b\377a\340", TRUE },
    { "debug_*.txt", "debug_\355\340.txt", TRUE },
    { "?", "\377", TRUE },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpint (fl_wildcard_match (cases[i].pattern, cases[i].text), ==, cases[i].matches);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/wildcard/match", test_match);
  return g_test_run ();
}
