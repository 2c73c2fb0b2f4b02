/* Rules of a mask: what is read is written the same twice, and can be applied. */

#include "engine/shots/mask-rules.h"
#include "tests/fuzz/fuzz-file.h"
#include "tests/fuzz/fuzz-words.h"

static FlDetector *
make_detector (void)
{
  FlDetector *d = fl_detector_new (2, 2 * 8 * 16);
  for (guint i = 0; i < 2; i++)
    {
      FlPanel *p = &d->panels[i];
      g_free (p->name);
      p->name = g_strdup_printf ("p%u", i);
      p->stride = p->n_fs = 8;
      p->n_ss = 16;
      p->offset = (gsize) i * 8 * 16;
      p->pixel_size = 0.1;
      p->origin = (FlVec3){ (double) i, -0.5, 100 };
      p->fs = i == 0 ? (FlVec3){ 0.1, 0, 0 } : (FlVec3){ 0, 0, 0.1 }; /* the second is seen edge-on */
      p->ss = (FlVec3){ 0, 0.1, 0 };
    }
  d->placed = TRUE;
  return d;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlMaskRules) rules = fl_mask_rules_parse ("fuzz", (const char *) data, size, &error);
  fuzz_error (rules != NULL, error, "fuzz:");
  if (rules == NULL)
    return 0;
  g_autofree char *text = fl_mask_rules_write (rules);
  g_autoptr (FlMaskRules) again = fl_mask_rules_parse ("fuzz", text, strlen (text), NULL);
  if (again != NULL) /* one spelling may be longer than a text may be */
    {
      g_autofree char *same = fl_mask_rules_write (again);
      g_assert_cmpstr (text, ==, same);
    }
  else
    g_assert_cmpuint (strlen (text), >, FL_MASK_MAX_TEXT);
  g_autoptr (FlDetector) detector = make_detector ();
  guint8 mask[2 * 8 * 16] = { 0 };
  (void) fl_mask_rules_apply (rules, detector, NULL, mask, NULL, NULL);
  for (gsize i = 0; i < sizeof mask; i++)
    g_assert_cmpuint (mask[i], <=, 1);
  return 0;
}
