/* The assembler against the definition in protocol.h, computed slowly, on rotated, tilted, overlapping panels. */

#include <math.h>
#include <string.h>

#include "engine/base/hash.h"
#include "engine/programs/picture.h"

#define N_FS   31u
#define N_SS   23u
#define STRIDE 40u

/* Panels turned by any angle, flipped or tilted, far enough apart not to overlap. */
static FlDetector *
make_detector (FlRandom *random, guint n_panels)
{
  FlDetector *detector = fl_detector_new (n_panels, n_panels * STRIDE * N_SS);
  for (guint i = 0; i < n_panels; i++)
    {
      FlPanel *p = &detector->panels[i];
      double a = fl_random_unit (random) * 2 * G_PI, size = 0.1 * (1 + 0.2 * (i % 2));
      double flip = fl_random_unit (random) < 0.5 ? -1 : 1, tilt = 0.2 * fl_random_unit (random);
      p->n_fs = N_FS;
      p->n_ss = N_SS;
      p->offset = i * STRIDE * N_SS;
      p->stride = STRIDE;
      p->pixel_size = size;
      p->origin = fl_vec3 ((i % 3) * 8.0 - 8, (i / 3) * 8.0 - 4, 100 + i);
      p->fs = fl_vec3 (size * cos (a), size * sin (a), 0);
      p->ss = fl_vec3 (-flip * size * sin (a) * cos (tilt), flip * size * cos (a) * cos (tilt),
                       size * sin (tilt));
      p->saturation = INFINITY;
      p->trusted_min = -INFINITY;
      p->trusted_max = 60000;
    }
  for (gsize k = 0; k < detector->n_pixels; k++)
    detector->mask[k] = fl_random_unit (random) < 0.1;
  detector->placed = TRUE;
  return detector;
}

static FlShot
make_shot (FlRandom *random, const FlDetector *detector)
{
  FlShot shot = { .id = 99,
                  .event = g_strdup ("//3"),
                  .energy = 9000,
                  .type = FL_PIXEL_U16,
                  .shift = fl_vec3 (0.37, -0.21, 5),
                  .n_pixels = detector->n_pixels };
  guint16 *pixels = g_new (guint16, shot.n_pixels);
  for (gsize k = 0; k < shot.n_pixels; k++)
    pixels[k] = (guint16) (fl_random_unit (random) < 0.02 ? 65535 : fl_random_poisson (random, 20));
  shot.pixels = pixels;
  shot.allocated = shot.n_pixels * 2;
  return shot;
}

typedef struct
{
  const FlDetector *detector;
  const FlShot *shot;
} Truth;

static float
value (const Truth *t, const FlPanel *p, guint fs, guint ss)
{
  gsize at = p->offset + ss * p->stride + fs;
  guint16 v = ((const guint16 *) t->shot->pixels)[at];
  return t->detector->mask[at] != 0 || v >= 60000 ? NAN : v;
}

/* One raster pixel, by looking at every detector pixel. */
static float
slow_pixel (const Truth *t, const FlViewImageRequest *r, gboolean average, guint i, guint j)
{
  double wx = (r->rect.x1 - r->rect.x0) / r->width, wy = (r->rect.y1 - r->rect.y0) / r->height;
  double x0 = r->rect.x0 + i * wx, y0 = r->rect.y0 + j * wy, sum = 0, max = -INFINITY;
  double unit = t->detector->panels[0].pixel_size;
  float under = NAN;
  int n = 0;
  for (guint k = 0; k < t->detector->n_panels; k++)
    {
      const FlPanel *p = &t->detector->panels[k];
      FlMat3 m = { { { p->fs.x, p->ss.x, 0 }, { p->fs.y, p->ss.y, 0 }, { 0, 0, 1 } } };
      FlMat3 back = fl_mat3_inverse (&m);
      FlVec3 centre = fl_vec3 (unit * (x0 + wx / 2) - t->shot->shift.x - p->origin.x,
                               -unit * (y0 + wy / 2) - t->shot->shift.y - p->origin.y, 0);
      FlVec3 c = fl_mat3_apply (&back, centre);
      if (c.x >= 0 && c.x < p->n_fs && c.y >= 0 && c.y < p->n_ss)
        under = isnan (value (t, p, (guint) c.x, (guint) c.y)) ? -INFINITY
                                                               : value (t, p, (guint) c.x, (guint) c.y);
      for (guint ss = 0; average && ss < p->n_ss; ss++)
        for (guint fs = 0; fs < p->n_fs; fs++)
          {
            FlVec3 at = fl_vec3_add (fl_panel_position (p, fs + 0.5, ss + 0.5), t->shot->shift);
            double x = at.x / unit, y = -at.y / unit, v = value (t, p, fs, ss);
            if (x < x0 || x >= x0 + wx || y < y0 || y >= y0 + wy || isnan (v))
              continue;
            n++;
            sum += v;
            max = fmax (max, v);
          }
    }
  if (n == 0)
    return under;
  return (float) (r->reduce == FL_VIEW_MEAN ? sum / n : max);
}

static void
compare (const Truth *t, FlPicture *picture, const FlViewImageRequest *r, guint kinds[3])
{
  double step = fmin ((r->rect.x1 - r->rect.x0) / r->width, (r->rect.y1 - r->rect.y0) / r->height);
  gboolean average = r->reduce != FL_VIEW_NEAREST && step >= 1;
  g_autoptr (FlViewImage) image = fl_picture_draw (picture, r);
  guint differ = 0;
  g_assert_cmpuint (image->width, ==, r->width);
  for (guint j = 0; j < r->height; j++)
    for (guint i = 0; i < r->width; i++)
      {
        float got = image->raster[j * r->width + i], want = slow_pixel (t, r, average, i, j);
        kinds[isnan (want) ? 0 : isinf (want) ? 1 : 2]++;
        gboolean same = isnan (want)   ? isnan (got)
                        : isinf (want) ? got == want
                                       : fabsf (got - want) <= 1e-4f * want;
        differ += !same;
      }
  /* A pixel's centre on the very edge may fall to either side; it does so for next to none. */
  g_assert_cmpuint (differ, <=, r->width * r->height / 1000);
}

static void
test_views (void)
{
  FlRandom random = fl_random (7);
  guint kinds[3] = { 0 }; /* gaps, bad, good */
  for (int round = 0; round < 6; round++)
    {
      g_autoptr (FlDetector) detector = make_detector (&random, 6);
      g_auto (FlShot) shot = make_shot (&random, detector);
      g_autoptr (FlPicture) picture = fl_picture_new ();
      Truth truth = { detector, &shot };
      fl_picture_load (picture, detector, &shot);
      for (int reduce = 0; reduce < FL_VIEW_REDUCE_LAST; reduce++)
        {
          FlViewImageRequest all = {
            .rect = { -150, -130, 170, 120 }, .reduce = (FlViewReduce) reduce, .width = 90, .height = 60
          };
          FlViewImageRequest just_over_one = {
            .rect = { -90, -70, 60, 40 }, .reduce = (FlViewReduce) reduce, .width = 149, .height = 105
          };
          FlViewImageRequest close = {
            .rect = { -90.5, -70.25, -20, -10 }, .reduce = (FlViewReduce) reduce, .width = 300, .height = 200
          };
          compare (&truth, picture, &all, kinds);
          compare (&truth, picture, &just_over_one, kinds);
          compare (&truth, picture, &close, kinds);
        }
    }
  for (int k = 0; k < 3; k++)
    g_assert_cmpuint (kinds[k], >, 10000);
}

/* Laboratory x to the right, laboratory y upwards, the beam at 0, whatever a panel's own axes. */
static void
test_orientation (void)
{
  g_autoptr (FlDetector) detector = fl_detector_new (1, 100);
  FlPanel *p = &detector->panels[0];
  *p = (FlPanel){ .name = p->name,
                  .n_fs = 10,
                  .n_ss = 10,
                  .stride = 10,
                  .pixel_size = 0.2,
                  .gain = 1,
                  .origin = { -1, -1, 50 },
                  .fs = { 0, 0.2, 0 },
                  .ss = { 0.2, 0, 0 }, /* fast is up */
                  .saturation = 1000,
                  .trusted_min = -INFINITY,
                  .trusted_max = INFINITY };
  detector->placed = TRUE;
  g_auto (FlShot) shot = { .id = 1,
                           .event = g_strdup (""),
                           .type = FL_PIXEL_I32,
                           .n_pixels = 100,
                           .pixels = g_new0 (gint32, 100),
                           .allocated = 400 };
  ((gint32 *) shot.pixels)[0 * 10 + 9] = 7;  /* fs 9, ss 0: top left */
  ((gint32 *) shot.pixels)[8 * 10 + 0] = -5; /* fs 0, ss 8: bottom, last but one to the right */
  g_autoptr (FlPicture) picture = fl_picture_new ();
  fl_picture_load (picture, detector, &shot);
  FlViewImageRequest r = { .width = 10, .height = 10 };
  g_autoptr (FlViewImage) image = fl_picture_draw (picture, &r);
  g_assert_cmpfloat (image->raster[0], ==, 7);
  g_assert_cmpfloat (image->raster[9 * 10 + 8], ==, -5);
  g_assert_cmpfloat (image->whole.x0, ==, -5);
  g_assert_cmpfloat (image->whole.y0, ==, -5);
  g_assert_cmpfloat (image->rect.x1, ==, 5);
  g_assert_cmpfloat (image->camera_length, ==, 50);
  g_assert_cmpfloat (image->percentiles[0], ==, -5);
  g_assert_cmpfloat (image->percentiles[2], ==, 0);
  g_assert_cmpfloat (image->percentiles[5], ==, 7);
  FlViewPanel panel = fl_picture_panel (detector, 0, shot.shift);
  /* The middle of pixel (9, 0) as a spot is placed. */
  g_assert_cmpfloat_with_epsilon (panel.x + 9.5 * panel.fs_x + 0.5 * panel.ss_x, -4.5, 1e-9);
  g_assert_cmpfloat_with_epsilon (panel.y + 9.5 * panel.fs_y + 0.5 * panel.ss_y, -4.5, 1e-9);
}

static int
by_value (const void *a, const void *b)
{
  float x = *(const float *) a, y = *(const float *) b;
  return (x > y) - (x < y);
}

static void
test_percentiles (void)
{
  static const double fractions[] = { 0, 0.01, 0.5, 0.99, 0.999, 1 };
  static const double means[] = { 0.3, 40, 3000 };
  FlRandom random = fl_random (3);
  for (guint m = 0; m < G_N_ELEMENTS (means); m++)
    {
      enum
      {
        N = 20000
      };
      g_autoptr (FlDetector) detector = fl_detector_new (1, N);
      detector->panels[0].n_fs = N;
      detector->panels[0].n_ss = 1;
      detector->panels[0].stride = N;
      detector->panels[0].pixel_size = 1;
      detector->panels[0].trusted_min = -INFINITY;
      detector->panels[0].trusted_max = INFINITY;
      float *values = g_new (float, N);
      g_autofree float *sorted = NULL;
      for (int i = 0; i < N; i++)
        values[i] = (float) fl_random_poisson (&random, means[m]) - (m == 1 ? 35 : 0);
      sorted = g_memdup2 (values, N * sizeof *values);
      qsort (sorted, N, sizeof *sorted, by_value);
      g_auto (FlShot)
          shot = { .event = g_strdup (""), .type = FL_PIXEL_F32, .n_pixels = N, .pixels = values };
      g_autoptr (FlPicture) picture = fl_picture_new ();
      fl_picture_load (picture, detector, &shot);
      FlViewImageRequest r = { .rect = { 0, -1, 10, 0 }, .width = 1, .height = 1 };
      g_autoptr (FlViewImage) image = fl_picture_draw (picture, &r);
      for (guint i = 0; i < G_N_ELEMENTS (fractions); i++)
        {
          double want = sorted[(gsize) fmax (ceil (fractions[i] * N) - 1, 0)];
          double within = fabs (want) <= 256 ? 0 : 0.008 * fabs (want);
          g_assert_cmpfloat (fabs (image->percentiles[i] - want), <=, within);
        }
    }
}

static void
test_all_bad (void)
{
  FlRandom random = fl_random (1);
  g_autoptr (FlDetector) detector = make_detector (&random, 2);
  g_auto (FlShot) shot = make_shot (&random, detector);
  memset (detector->mask, 1, detector->n_pixels);
  g_autoptr (FlPicture) picture = fl_picture_new ();
  fl_picture_load (picture, detector, &shot);
  FlViewImageRequest r = { .width = 50, .height = 50 };
  g_autoptr (FlViewImage) image = fl_picture_draw (picture, &r);
  for (int i = 0; i < 6; i++)
    g_assert_true (isnan (image->percentiles[i]));
  for (int k = 0; k < 2500; k++)
    g_assert_true (isnan (image->raster[k]) || image->raster[k] == -INFINITY);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/view/picture/views", test_views);
  g_test_add_func ("/view/picture/orientation", test_orientation);
  g_test_add_func ("/view/picture/percentiles", test_percentiles);
  g_test_add_func ("/view/picture/all-bad", test_all_bad);
  return g_test_run ();
}
