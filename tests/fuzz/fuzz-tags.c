/* Tag expressions: what is accepted is written as text that is accepted, and takes the same runs. */

#include "engine/control/tag-expression.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static const char *const tags[] = { "a", "b", NULL }, *const known[] = { "a", "b", "dark", "lysozyme",
                                                                           NULL };
  g_autofree char *text = g_strndup ((const char *) data, size);
  FlTagSpan wrong = { 0, 0 };
  fl_tag_expression_free (fl_tag_expression_parse (text, known, NULL));
  g_autoptr (GError) error = NULL;
  g_autoptr (FlTagExpression) expression = fl_tag_expression_parse_at (text, NULL, &wrong, &error);
  if (expression == NULL)
    {
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      g_assert_true (!g_utf8_validate (text, -1, NULL)
                     || wrong.at + wrong.length <= (guint) g_utf8_strlen (text, -1));
      return 0;
    }
  g_autofree char *first = fl_tag_expression_text (expression, NULL, NULL);
  g_autoptr (FlTagExpression) again = fl_tag_expression_parse (first, NULL, &error);
  g_assert_no_error (error);
  g_autofree char *second = fl_tag_expression_text (again, NULL, NULL);
  g_assert_cmpstr (first, ==, second);
  for (guint run = 0; run < 20; run++)
    {
      g_autofree char *name = g_strdup_printf ("r%04u", run);
      g_assert_cmpint (fl_tag_expression_matches (expression, name, tags + run % 3), ==,
                       fl_tag_expression_matches (again, name, tags + run % 3));
    }
  return 0;
}
