/* Masks: rules against a naive reading of them, the text there and back, hostile text, pixels planted among good ones. */
#include <glib.h>
#include <math.h>
#include <string.h>

#include "engine/shots/mask-rules.h"

#define N_FS 96
#define N_SS 128

/* Two panels of 96 × 128 px of 0.1 mm at 100 mm: one straight, one turned by 30°. */
static FlDetector *
make_detector (void)
{
  FlDetector *d = fl_detector_new (2, 2 * N_FS * N_SS);
  for (guint i = 0; i < 2; i++)
    {
      FlPanel *p = &d->panels[i];
      double turn = i * G_PI / 6;
      g_free (p->name);
      p->name = g_strdup_printf ("p%u", i);
      p->n_fs = N_FS;
      p->n_ss = N_SS;
      p->stride = N_FS;
      p->offset = i * N_FS * N_SS;
      p->pixel_size = 0.1;
      p->origin = (FlVec3){ i == 0 ? -10 : 3, -6, 100 };
      p->fs = (FlVec3){ 0.1 * cos (turn), 0.1 * sin (turn), 0 };
      p->ss = (FlVec3){ -0.1 * sin (turn), 0.1 * cos (turn), 0 };
    }
  d->placed = TRUE;
  return d;
}

static FlMaskRules *
read_rules (const char *text)
{
  g_autoptr (GError) error = NULL;
  FlMaskRules *rules = fl_mask_rules_parse ("rules", text, strlen (text), &error);
  g_assert_no_error (error);
  return rules;
}

static guint
apply (FlDetector *d, const char *text, guint8 *mask)
{
  g_autoptr (FlMaskRules) rules = read_rules (text);
  g_autofree guint32 *changed = g_new0 (guint32, rules->n_rules + 1);
  g_autoptr (GError) error = NULL;
  guint n = 0;
  g_assert_true (fl_mask_rules_apply (rules, d, NULL, mask, changed, &error));
  for (guint i = 0; i < d->n_pixels; i++)
    n += mask[i];
  return n;
}

/* --- places --- */

static gboolean
in_polygon (const double *xy, guint n, double x, double y)
{
  double turn = 0; /* winding: another algorithm than the one that is tested */
  for (guint i = 0; i < n; i++)
    {
      double ax = xy[2 * i] - x, ay = xy[2 * i + 1] - y;
      double bx = xy[2 * ((i + 1) % n)] - x, by = xy[2 * ((i + 1) % n) + 1] - y;
      turn += atan2 (ax * by - ay * bx, ax * bx + ay * by);
    }
  return fabs (turn) > G_PI;
}

static const double corners[] = { -9, -5, 2, -4.5, 6.01, 3, -1, 1.02, -8, 5 };

static gboolean
naive (const FlDetector *d, guint rule, guint panel, guint fs, guint ss)
{
  FlVec3 at = fl_panel_position (&d->panels[panel], fs + 0.5, ss + 0.5);
  switch (rule)
    {
    case 0:
      return fs < 2 || ss < 2 || fs >= N_FS - 2 || ss >= N_SS - 2;
    case 1:
      return panel == 1 && (fs < 1 || ss < 1 || fs >= N_FS - 1 || ss >= N_SS - 1);
    case 2: /* tiles of 40 × 64: the last column of tiles is 16 px wide */
      return fs % 40 == 0 || fs % 40 == 39 || fs == N_FS - 1 || ss % 64 == 0 || ss % 64 == 63;
    case 3:
      return panel == 0;
    case 4:
      return panel == 1 && fs >= 10 && fs <= 20 && ss >= 3 && ss <= 200;
    case 5:
      return at.x >= -7 && at.x <= 5.5 && at.y >= -1 && at.y <= 2.25;
    case 6:
      return hypot (at.x + 1, at.y - 0.5) <= 4.2;
    case 7:
      return panel == 0 && hypot ((fs + 0.5 - 30) / 11, (ss + 0.5 - 70.5) / 33) <= 1;
    case 8:
      return in_polygon (corners, 5, at.x, at.y);
    default:
      return FALSE;
    }
}

static void
test_places (void)
{
  static const char *const texts[] = { "edges 2",
                                       "edges 1 p1",
                                       "asic-edges 1 40 64",
                                       "panel #0",
                                       "rectangle p1 10 20 3 200",
                                       "rectangle 5.5 -1 -7 2.25",
                                       "circle -1 0.5 4.2",
                                       "ellipse p0 30 70.5 11 33",
                                       "polygon -9,-5 2,-4.5 6.01,3 -1,1.02 -8,5" };
  g_autoptr (FlDetector) d = make_detector ();
  for (guint rule = 0; rule < G_N_ELEMENTS (texts); rule++)
    {
      g_autofree guint8 *mask = g_new0 (guint8, d->n_pixels), *rest = g_new (guint8, d->n_pixels);
      g_autofree char *unmask = g_strconcat ("unmask ", texts[rule], NULL);
      memset (rest, 1, d->n_pixels);
      g_assert_cmpuint (apply (d, texts[rule], mask), >, 0);
      apply (d, unmask, rest);
      for (guint panel = 0; panel < 2; panel++)
        for (guint ss = 0; ss < N_SS; ss++)
          for (guint fs = 0; fs < N_FS; fs++)
            {
              gsize i = d->panels[panel].offset + ss * N_FS + fs;
              if (mask[i] != naive (d, rule, panel, fs, ss))
                g_error ("%s: panel %u, pixel %u %u is %u", texts[rule], panel, fs, ss, mask[i]);
              g_assert_cmpuint (rest[i], ==, !mask[i]);
            }
    }
}

static void
test_order (void)
{
  g_autoptr (FlDetector) d = make_detector ();
  g_autofree guint8 *mask = g_new0 (guint8, d->n_pixels);
  g_autoptr (FlMaskRules) rules =
      read_rules ("panel p0\nunmask rectangle p0 0 9 0 9\nrectangle p0 5 5 5 5\n\n# end");
  guint32 changed[3];
  g_assert_true (fl_mask_rules_apply (rules, d, NULL, mask, changed, NULL));
  g_assert_cmpuint (changed[0], ==, N_FS * N_SS);
  g_assert_cmpuint (changed[1], ==, 100);
  g_assert_cmpuint (changed[2], ==, 1);
  g_assert_cmpuint (mask[0], ==, 0);
  g_assert_cmpuint (mask[5 * N_FS + 5], ==, 1);
  g_autoptr (FlMaskRules) other = read_rules ("panel p0\nedges 1 p7");
  g_autoptr (GError) error = NULL;
  memset (mask, 0, d->n_pixels);
  g_assert_false (fl_mask_rules_apply (other, d, NULL, mask, NULL, &error));
  g_assert_cmpstr (error->message, ==, "rules:2: no panel 'p7', expected one of the detector's 2");
  g_assert_cmpuint (mask[0], ==, 0);
}

/* --- text --- */

static void
test_round_trip (void)
{
  static const char text[] = "shots 250\n"
                             "edges 2\n"
                             "edges 1 q3a4\n"
                             "asic-edges 1 256 256 #3\n"
                             "panel #12\n"
                             "rectangle m0 0 10 5 7\n"
                             "unmask rectangle -1.5 0.1 3 1e-07\n"
                             "circle 0.1 -2.25 3\n"
                             "ellipse q3a4 12.5 13 4 5\n"
                             "unmask polygon 0,0 1,0 1,1.3333333333333333\n"
                             "polygon q3a4 0,0 10,0 10,12.5\n"
                             "below -5\n"
                             "above 65000\n"
                             "statistics dead hot noisy z=7.5 mean<-3 mean>4 std<0.1 std>9 over=1000,0.25\n"
                             "statistics hot\n";
  g_autoptr (FlMaskRules) rules = read_rules (text);
  g_autofree char *back = fl_mask_rules_write (rules);
  double over;
  g_assert_cmpstr (back, ==, text);
  g_assert_cmpuint (rules->shots, ==, 250);
  g_assert_cmpuint (rules->n_rules, ==, 14);
  g_assert_true (fl_mask_rules_need_shots (rules, &over));
  g_assert_cmpfloat (over, ==, 1000);
  g_autoptr (FlMaskRules) none = read_rules ("  # only words\n\n\t\r\n");
  g_autofree char *empty = fl_mask_rules_write (none);
  g_assert_cmpstr (empty, ==, "");
  g_assert_false (fl_mask_rules_need_shots (none, &over));
}

static void
refuse (const char *text, const char *why)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (fl_mask_rules_parse ("m", text, strlen (text), &error));
  if (error == NULL || strstr (error->message, why) == NULL || strchr (error->message, '\n') != NULL)
    g_error ("'%s': '%s' lacks '%s'", text, error != NULL ? error->message : "", why);
}

static void
test_hostile (void)
{
  refuse ("edges", "m:1: edge is missing");
  refuse ("edges 0", "edge '0', expected a number from 1");
  refuse ("edges 1.5", "expected a whole number");
  refuse ("\nedges 1 p0 p1", "m:2:");
  refuse ("rectangle 1 2 3", "is missing");
  refuse ("rectangle p0 5 4 0 0", "ends before it begins");
  refuse ("rectangle p0 -1 4 0 0", "first fs '-1'");
  refuse ("rectangle a b c d e f", "x of a corner 'a'");
  refuse ("circle 0 0 nan", "radius 'nan'");
  refuse ("circle 0 0 inf", "radius 'inf'");
  refuse ("circle 0 0 0x10", "radius '0x10'");
  refuse ("circle 0 0 -1", "radius '-1'");
  refuse ("circle 1e300 0 1", "x '1e300'");
  refuse ("polygon 0,0 1,1", "a polygon of 2 corners");
  refuse ("polygon 0,0 1,1 2", "corner '2'");
  refuse ("polygon 0,0 1,1 2,3,4", "corner '2,3,4'");
  refuse ("statistics", "without a test");
  refuse ("statistics z=6", "without a test");
  refuse ("statistics cold", "'cold', expected dead");
  refuse ("statistics mean<", "expected a number after 'mean<'");
  refuse ("statistics over=5", "as V,F");
  refuse ("statistics over=5,1", "fraction below 1");
  refuse ("statistics over=5,0.1\nstatistics over=6,0.1", "m:2: over=6");
  refuse ("shots 10\nshots 11", "m:2: shots a second time");
  refuse ("shots 1000000", "shots '1000000'");
  refuse ("unmask unmask edges 1", "'unmask', expected edges");
  refuse ("unmask", "'', expected edges");
  refuse ("squiggle \x1b[31m", "'squiggle', expected");
  refuse ("edges \x1b[31m", "edge '?[31m'");
  refuse ("edges \xff", "is not UTF-8");
  g_autofree char *large = g_strnfill (FL_MASK_MAX_TEXT + 1, '#');
  refuse (large, "bytes of rules");
  g_autoptr (GString) many = g_string_new (NULL);
  for (guint i = 0; i <= FL_MASK_MAX_RULES; i++)
    g_string_append (many, "edges 1\n");
  refuse (many->str, "expected at most 2000 rules");
  g_autoptr (GError) error = NULL;
  g_assert_null (fl_mask_rules_parse ("m", "edges 1\0", 8, &error));
  g_assert_nonnull (error);
}

/* --- intensities --- */

typedef enum
{
  GOOD,
  DEAD,
  DEAF,
  HOT,
  NOISY,
  N_PLANTED
} Planted;

static double
gauss (GRand *random)
{
  return sqrt (-2 * log (1 - g_rand_double (random))) * cos (2 * G_PI * g_rand_double (random));
}

static guint32
poisson (GRand *random, double mean)
{
  if (mean > 50)
    return (guint32) fmax (mean + sqrt (mean) * gauss (random), 0);
  double limit = exp (-mean), product = g_rand_double (random);
  guint32 n = 0;
  for (; product > limit; n++)
    product *= g_rand_double (random);
  return n;
}

/* A background that falls with the angle, a pulse of its own in each shot, and 40 spots of 9 px. Of 100 pixels one is planted. */
static void
make_shot (const FlDetector *d, const guint8 *planted, guint number, double photons, gint32 *pixels)
{
  GRand *random = g_rand_new_with_seed (1000 + number);
  double pulse = 0.3 + 1.4 * g_rand_double (random);
  for (guint p = 0; p < d->n_panels; p++)
    for (guint ss = 0; ss < N_SS; ss++)
      for (guint fs = 0; fs < N_FS; fs++)
        {
          gsize i = d->panels[p].offset + ss * N_FS + fs;
          double theta = fl_two_theta (fl_panel_position (&d->panels[p], fs + 0.5, ss + 0.5));
          double mean = photons * pulse * exp (-5 * theta);
          gint32 v = (gint32) poisson (random, mean);
          pixels[i] = planted[i] == DEAD    ? 3
                      : planted[i] == DEAF  ? (gint32) poisson (random, 0.1 * mean)
                      : planted[i] == HOT   ? v + 20 + (gint32) (2 * photons)
                      : planted[i] == NOISY ? v + (gint32) (6 * (sqrt (photons) + 1) * gauss (random))
                                            : v;
        }
  for (guint spot = 0; spot < 40; spot++)
    {
      gsize panel = (gsize) g_rand_int_range (random, 0, 2);
      gsize fs = (gsize) g_rand_int_range (random, 1, N_FS - 1),
            ss = (gsize) g_rand_int_range (random, 1, N_SS - 1);
      for (gsize k = 0; k < 9; k++)
        {
          gsize i = panel * N_FS * N_SS + (ss - 1 + k / 3) * N_FS + fs - 1 + k % 3;
          if (planted[i] == GOOD)
            pixels[i] += 3000;
        }
    }
  g_rand_free (random);
}

static guint8 *
plant (const FlDetector *d, gboolean deaf)
{
  guint8 *planted = g_new0 (guint8, d->n_pixels);
  GRand *random = g_rand_new_with_seed (7);
  for (gsize i = 0; i < d->n_pixels; i++)
    if (g_rand_int_range (random, 0, 100) == 0)
      planted[i] = (guint8) (DEAD + g_rand_int_range (random, 0, N_PLANTED - 1));
  for (gsize i = 0; i < d->n_pixels; i++)
    if (planted[i] == DEAF && !deaf)
      planted[i] = GOOD;
  g_rand_free (random);
  return planted;
}

static FlMaskMeasure *
measure_shots (FlDetector *d, const guint8 *planted, double photons, guint n, gboolean backward)
{
  FlMaskMeasure *measure = fl_mask_measure_new (d, 1000);
  g_autofree gint32 *pixels = g_new (gint32, d->n_pixels);
  for (guint k = 0; k < n; k++)
    {
      FlShot shot = { .type = FL_PIXEL_I32, .n_pixels = d->n_pixels, .pixels = pixels };
      make_shot (d, planted, backward ? n - 1 - k : k, photons, pixels);
      fl_mask_measure_add (measure, &shot);
    }
  return measure;
}

/* At 40 photons a pixel and at 0.5; where photons are few a deaf pixel is like the others. */
static void
test_planted (gconstpointer data)
{
  double photons = *(const double *) data;
  g_autoptr (FlDetector) d = make_detector ();
  g_autofree guint8 *planted = plant (d, photons > 5);
  g_autoptr (FlMaskMeasure) measure = measure_shots (d, planted, photons, 100, FALSE);
  g_autoptr (FlMaskMeasure) backward = measure_shots (d, planted, photons, 100, TRUE);
  const FlMaskTests tests = { FL_MASK_DEAD | FL_MASK_HOT | FL_MASK_NOISY, 6, NAN, NAN, NAN, NAN, NAN, 0 };
  g_autofree guint8 *chosen = fl_mask_measure_test (measure, &tests);
  g_autofree guint8 *again = fl_mask_measure_test (backward, &tests);
  guint n[N_PLANTED] = { 0 }, found[N_PLANTED] = { 0 }, all = 0, all_found = 0;
  for (gsize i = 0; i < d->n_pixels; i++)
    {
      n[planted[i]]++;
      found[planted[i]] += chosen[i];
    }
  for (guint kind = DEAD; kind < N_PLANTED; kind++)
    {
      all += n[kind];
      all_found += found[kind];
    }
  g_test_message ("%g photons: dead %u of %u, deaf %u of %u, hot %u of %u, noisy %u of %u; false %u of %u",
                  photons, found[DEAD], n[DEAD], found[DEAF], n[DEAF], found[HOT], n[HOT], found[NOISY],
                  n[NOISY], found[GOOD], n[GOOD]);
  g_assert_cmpuint (all, >, 150);
  g_assert_cmpuint (100 * all_found, >=, 99 * all);
  g_assert_cmpuint (1000 * found[GOOD], <=, n[GOOD]);
  g_assert_cmpint (memcmp (chosen, again, d->n_pixels), ==, 0);
}

/* Mean, standard deviation, fraction and extremes against the shots themselves. */
static void
test_limits (void)
{
  enum
  {
    N = 40
  };
  g_autoptr (FlDetector) d = make_detector ();
  g_autofree guint8 *planted = g_new0 (guint8, d->n_pixels);
  g_autoptr (FlMaskMeasure) measure = measure_shots (d, planted, 40, N, FALSE);
  g_autofree double *sum = g_new0 (double, d->n_pixels), *squares = g_new0 (double, d->n_pixels);
  g_autofree guint *above = g_new0 (guint, d->n_pixels);
  g_autofree gint32 *pixels = g_new (gint32, d->n_pixels), *most = g_new0 (gint32, d->n_pixels);
  for (guint k = 0; k < N; k++)
    {
      make_shot (d, planted, k, 40, pixels);
      for (gsize i = 0; i < d->n_pixels; i++)
        {
          sum[i] += pixels[i];
          squares[i] += (double) pixels[i] * pixels[i];
          above[i] += pixels[i] > 1000;
          most[i] = MAX (most[i], pixels[i]);
        }
    }
  const FlMaskTests tests[] = { { 0, 6, 30, NAN, NAN, NAN, NAN, 0 },
                                { 0, 6, NAN, 110, NAN, NAN, NAN, 0 },
                                { 0, 6, NAN, NAN, 18, NAN, NAN, 0 },
                                { 0, 6, NAN, NAN, NAN, 470, NAN, 0 },
                                { 0, 6, NAN, NAN, NAN, NAN, 1000, 0.04 } };
  for (guint t = 0; t < G_N_ELEMENTS (tests); t++)
    {
      g_autofree guint8 *chosen = fl_mask_measure_test (measure, &tests[t]);
      guint n = 0;
      for (gsize i = 0; i < d->n_pixels; i++)
        {
          double mean = sum[i] / N, std = sqrt (squares[i] / N - mean * mean);
          gboolean wanted = t == 0   ? mean < 30
                            : t == 1 ? mean > 110
                            : t == 2 ? std < 18
                            : t == 3 ? std > 470
                                     : above[i] > 0.04 * N;
          g_assert_cmpuint (chosen[i], ==, wanted);
          n += chosen[i];
        }
      g_assert_cmpuint (n, >, 0);
      g_assert_cmpuint (n, <, d->n_pixels);
    }
  g_autofree guint8 *below = fl_mask_measure_always (measure, 100, FALSE);
  for (gsize i = 0; i < d->n_pixels; i++)
    g_assert_cmpuint (below[i], ==, most[i] < 100);
}

int
main (int argc, char *argv[])
{
  static const double bright = 40, faint = 0.5;
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/shots/mask/places", test_places);
  g_test_add_func ("/shots/mask/order", test_order);
  g_test_add_func ("/shots/mask/round-trip", test_round_trip);
  g_test_add_func ("/shots/mask/hostile", test_hostile);
  g_test_add_data_func ("/shots/mask/planted-bright", &bright, test_planted);
  g_test_add_data_func ("/shots/mask/planted-faint", &faint, test_planted);
  g_test_add_func ("/shots/mask/limits", test_limits);
  return g_test_run ();
}
