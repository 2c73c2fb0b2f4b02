/* What the density view's pictures cost: a frame of 256 × 256 px on two threads while a map of 128³ and 256³ turns, the
 * first picture after a click, and what the GPU's path takes where a display has one.
 *
 *   bench-density            (meson test --benchmark; a display is needed for the view, Xvfb will do)
 *
 * A crystal is crowded: an atom in 16 Å³; 1.5 σ and ±3 σ of two maps with a model of a helix. CPU is the process's own, halved
 * for two threads; the median over 24 turns may be 33 ms, the first picture 300 ms. Ends with 1 when one is over. */
#include <stdlib.h>
#include <time.h>

#include "tests/widgets/density-things.h"
#include "tests/widgets/display.h"
#include "widgets/density-cast.h"
#include "widgets/density-view.h"

#define FRAME_BUDGET 33.0  /* ms */
#define FIRST_BUDGET 300.0 /* ms */

enum
{
  SIDE = 256,
  TURNS = 24
};

static double
cpu_ms (void)
{
  struct timespec t;
  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double) t.tv_sec * 1e3 + (double) t.tv_nsec * 1e-6;
}

static double
wall_ms (void)
{
  return (double) g_get_monotonic_time () * 1e-3;
}

static int
compare (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return x < y ? -1 : x > y;
}

static double
median (double *values, guint n)
{
  qsort (values, n, sizeof *values, compare);
  return values[n / 2];
}

static FlwDensityScene
scene_of (FlwDensityVolume *map, FlwDensityVolume *difference, FlwDensityModel *model, FlwDensityStyle style)
{
  return (FlwDensityScene){
    .maps = { { .volume = map, .n_levels = 1, .level = { 1.5 }, .rgb = { 0x4d8df0 } },
              { .volume = difference, .n_levels = 2, .level = { 3, -3 }, .rgb = { 0x3fd45f, 0xff5148 } } },
    .style = style,
    .slice_range = 4,
    .split = 1,
    .model = model,
    .stick_radius = 0.14,
    .ground = 0x16181c,
    .step = FLW_DENSITY_LONG_STEP,
    .dots = 0.35
  };
}

/* Median of the turns of what `scene` shows, `radius` Å around its first map's middle. */
static gboolean
bench_cast (FlwDensityCaster *caster, const char *what, const FlwDensityScene *scene, double radius)
{
  static guint32 pixels[SIDE * SIDE];
  double cpu[TURNS], wall[TURNS], middle[3], all, typical;
  FlwDensityCamera camera;

  flw_density_volume_bounds (scene->maps[0].volume, middle, &all);
  flw_density_camera_init (&camera, middle, MIN (radius, all));
  for (guint i = 0; i < TURNS; i++)
    {
      double cpu0 = cpu_ms (), wall0 = wall_ms ();
      flw_density_camera_turn (&camera, 0.13, 0.07, 0);
      flw_density_cast (caster, scene, &camera, SIDE, SIDE, SIDE, pixels, NULL, 1, NULL);
      cpu[i] = (cpu_ms () - cpu0) / flw_density_caster_threads (caster);
      wall[i] = wall_ms () - wall0;
    }
  typical = median (cpu, TURNS);
  g_print ("%s: CPU %.1f ms a frame (wall %.1f)%s\n", what, typical, median (wall, TURNS),
           typical > FRAME_BUDGET ? "  OVER BUDGET" : "");
  return typical <= FRAME_BUDGET;
}

static gboolean
is_settled (gpointer view)
{
  return flw_density_view_get_settled (view);
}

static void
on_picture (double *when)
{
  if (*when == 0)
    *when = wall_ms ();
}

static gboolean
is_set (gpointer when)
{
  return *(double *) when > 0;
}

/* From a click on a peak to its picture being handed to the screen. */
static gboolean
bench_click (FlwDensityVolume *map, FlwDensityVolume *difference, FlwDensityModel *model)
{
  GtkWidget *widget = flw_density_view_new (), *window;
  FlwDensityView *view = FLW_DENSITY_VIEW (widget);
  FlwDensityPeak peaks[12] = { 0 };
  double wall[G_N_ELEMENTS (peaks)], typical;
  g_autofree char *said = NULL;
  double when;

  for (guint i = 0; i < G_N_ELEMENTS (peaks); i++)
    peaks[i] = (FlwDensityPeak){ { 3.0 * i, 2.0 * i, 11 + i }, 5, "" };
  flw_density_view_set_map (view, 0, map, "map", FALSE);
  flw_density_view_set_map (view, 1, difference, "difference", TRUE);
  flw_density_view_set_model (view, model);
  flw_density_view_set_peaks (view, G_N_ELEMENTS (peaks), peaks, "σ");
  window = display_show (widget, 1280, 828);
  display_wait (is_settled, view);
  g_signal_connect_swapped (view, "picture-changed", G_CALLBACK (on_picture), &when);
  g_object_get (view, "renderer", &said, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (peaks); i++)
    {
      double began = wall_ms ();
      flw_density_view_show_peak (view, i);
      when = 0;
      display_wait (is_set, &when);
      wall[i] = when - began;
      display_wait (is_settled, view);
    }
  typical = median (wall, G_N_ELEMENTS (wall));
  g_print ("first picture after a click, 1280 × 800: %.0f ms wall; the last one took %.0f ms (%s)%s\n",
           typical, flw_density_view_get_frame_time (view), said,
           typical > FIRST_BUDGET ? "  OVER BUDGET" : "");
  gtk_window_destroy (GTK_WINDOW (window));
  return typical <= FIRST_BUDGET;
}

static gboolean
bench_size (guint n, gboolean with_view)
{
  FlwDensityCaster *caster = flw_density_caster_new (2);
  double edge = 0.5 * n;
  g_autoptr (FlwDensityModel) model = things_helix (30, (const double[3]){ edge / 2, edge / 2, edge / 2 });
  g_autoptr (FlwDensityVolume) map = things_crystal (n, (guint) (edge * edge * edge / 16), 0),
                               difference = things_crystal (n - 4, 300, 0), particle = things_particle (n);
  static const char *const names[] = { "mesh", "glass", "solid" };
  gboolean good = TRUE;

  for (FlwDensityStyle style = FLW_DENSITY_MESH; style <= FLW_DENSITY_SOLID; style++)
    {
      FlwDensityScene scene = scene_of (map, difference, model, style);
      g_autofree char *crystal =
          g_strdup_printf ("%u³ crystal, 2 maps and sticks, 20 Å around, %s", n, names[style]);
      g_autofree char *whole = g_strdup_printf ("%u³ particle, whole, %s", n, names[style]);

      good &= bench_cast (caster, crystal, &scene, 20);
      scene.maps[1].volume = NULL;
      scene.maps[0].volume = particle;
      scene.model = NULL;
      good &= bench_cast (caster, whole, &scene, 1e9);
    }
  if (with_view)
    good &= bench_click (map, difference, model);
  flw_density_caster_free (caster);
  return good;
}

int
main (void)
{
  gboolean display = gtk_init_check (), good = bench_size (128, display);

  good &= bench_size (256, display);
  return good ? 0 : 1;
}
