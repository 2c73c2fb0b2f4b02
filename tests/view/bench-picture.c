/* CPU time of a picture on the screen: the first of a view (its map is made), the next shot in the same view, the same
 * shot in another view. Budgets: 15 ms for 1 Mpx and 50 ms for 4 Mpx, for the next shot in the same view. */

#include <math.h>
#include <stdio.h>
#include <time.h>

#include "engine/base/hash.h"
#include "engine/programs/picture.h"

static double
cpu_ms (void)
{
  struct timespec t;
  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &t);
  return (double) t.tv_sec * 1e3 + (double) t.tv_nsec / 1e6;
}

/* Panels of 1024 × 512 of 75 µm in two columns, slightly turned, as a Jungfrau has them. */
static FlDetector *
make_detector (guint n_panels)
{
  const double size = 0.075;
  FlDetector *detector = fl_detector_new (n_panels, (gsize) n_panels * 1024 * 512);
  for (guint i = 0; i < n_panels; i++)
    {
      FlPanel *p = &detector->panels[i];
      double a = 0.001 * (i + 1), row = (double) (i / 2) - n_panels / 4.0;
      p->n_fs = 1024;
      p->stride = 1024;
      p->n_ss = 512;
      p->offset = (gsize) i * 1024 * 512;
      p->pixel_size = size;
      p->origin = fl_vec3 (i % 2 == 0 ? -1063 * size : 39 * size, row * 547 * size, 150);
      p->fs = fl_vec3 (size * cos (a), size * sin (a), 0);
      p->ss = fl_vec3 (-size * sin (a), size * cos (a), 0);
      p->saturation = INFINITY;
      p->trusted_max = INFINITY;
      p->trusted_min = -INFINITY;
    }
  detector->placed = TRUE;
  return detector;
}

static double
time_draw (FlPicture *picture, FlDetector *detector, const FlShot *shot, const FlViewImageRequest *r)
{
  double before = cpu_ms ();
  if (shot != NULL)
    fl_picture_load (picture, detector, shot);
  g_autoptr (FlViewImage) image = fl_picture_draw (picture, r);
  return cpu_ms () - before;
}

static gboolean
bench (guint n_panels, double budget)
{
  FlRandom random = fl_random (1);
  g_autoptr (FlDetector) detector = make_detector (n_panels);
  g_auto (FlShot) shot = { .event = g_strdup (""), .type = FL_PIXEL_U16, .n_pixels = detector->n_pixels };
  guint16 *pixels = g_new (guint16, shot.n_pixels);
  for (gsize k = 0; k < shot.n_pixels; k++)
    pixels[k] = (guint16) (fl_random_u64 (&random) % 40);
  shot.pixels = pixels;
  g_autoptr (FlPicture) picture = fl_picture_new ();
  FlViewImageRequest whole = { .width = 1280, .height = 960 };
  FlViewImageRequest close = { .rect = { -300, -200, 300, 250 }, .width = 1280, .height = 960 };
  double first = time_draw (picture, detector, &shot, &whole), next = INFINITY;
  for (int i = 0; i < 5; i++)
    next = fmin (next, time_draw (picture, detector, &shot, &whole));
  double moved = time_draw (picture, detector, NULL, &close);
  printf ("%4.1f Mpx on 1280 x 960: first %.1f ms, next shot %.1f ms (budget %.0f), other view %.1f ms CPU\n",
          (double) detector->n_pixels / 1048576, first, next, budget, moved);
  return next <= budget;
}

int
main (void)
{
  gboolean good = bench (2, 15);
  good &= bench (8, 50);
  return good ? 0 : 1;
}
