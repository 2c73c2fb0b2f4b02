/* The simulator's oracle: spots drawn for the orientation of events that another program simulated (crystfel-sim sets A
 * and B) must lie where its spots lie, be as wide and as strong.
 *
 * The other program's block sizes are not on record (uniform whole numbers of cells, each axis its own): they are found
 * by fitting three integers an event to the image. Orientation, fluence, background and intensities are known.
 * It samples a pixel at 0, ¼, ½, ¾ of its width, so its centroids read ⅛ px more than ours.
 * Usage: test-crystfel-sim [EVENTS A SET, default 2] */

#include <glib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/units.h"
#include "engine/crystal/hkl-file.h"
#include "engine/shots/source.h"
#include "engine/simulate/bragg-spots.h"

#define FULL   59000 /* photons: the sets' pixels stop counting at 60000 */
#define HALF   3     /* px: a spot is measured in the box of 7 × 7 about its centre */
#define STRONG 200   /* photons: what makes a spot strong */

static guint n_events = 2;

typedef struct
{
  const char *name, *stem;
  double beam_radius;      /* Å: 10¹² photons fall on its circle in the strong events */
  double least, most;      /* Å, block edges */
  double background_scale; /* the set's s */
} Set;

static const Set sets[] = {
  { "A", "lyso-agipd1m", 0.5e4, 3000, 6000, 0.6 },
  { "B", "lyso-jf4m", 0.8e4, 4000, 9000, 0.15 },
};

typedef struct
{
  gsize at; /* its centre's pixel */
  gsize stride;
} Spot;

typedef struct
{
  double sum, fs, ss, var_fs, var_ss; /* photons; px from the centre pixel's centre; px² */
} Moments;

typedef struct
{
  const Set *set;
  FlSource *source;
  FlDetector *detector;
  FlIntensities *intensities;
  FlBraggModel model;
  FlCrystal crystal;
  double *data;       /* photons */
  double *background; /* expected, at scale 1 */
  double background_scale;
  float *mean;          /* the model's image */
  GArray *spots;        /* Spot */
  double bragg_photons; /* what the truth table says */
} Bench;

static Bench *
bench_new (const Set *set, const char *folder)
{
  g_autoptr (GError) error = NULL;
  Bench *b = g_new0 (Bench, 1);
  g_autofree char *stem = g_build_filename (folder, "crystfel-sim", set->stem, NULL);
  g_autofree char *data = g_strconcat (stem, ".h5", NULL), *geometry = g_strconcat (stem, ".geom", NULL);
  g_autofree char *list = g_build_filename (folder, "crystfel-sim", "lyso.hkl", NULL);
  FlSourceOptions options = { .geometry = geometry };
  b->set = set;
  b->source = fl_source_open (data, &options, &error);
  g_assert_no_error (error);
  b->detector = fl_source_detector (b->source);
  FlCell cell;
  g_assert_true (fl_cell_from_degrees ((double[]){ 79.1, 79.1, 37.9, 90, 90, 90 }, &cell, NULL));
  b->intensities = fl_intensities_new (&cell, 1.8, &error);
  fl_hkl_file_read (list, b->intensities, &error);
  g_assert_no_error (error);
  b->data = g_new (double, b->detector->n_pixels);
  b->background = g_new (double, b->detector->n_pixels);
  b->mean = g_new (float, b->detector->n_pixels);
  b->spots = g_array_new (FALSE, FALSE, sizeof (Spot));
  b->model = (FlBraggModel){ .detector = b->detector,
                             .intensities = b->intensities,
                             .polarisation = FL_POLARISATION_NONE,
                             .spectrum = fl_spectrum_tophat (0.002, 3) };
  /* The images show that its three samples divide the width of 0.2 % into four, where ours stand for a third each. */
  for (int i = 0; i < 3; i++)
    b->model.spectrum.energy[i] = 1 + 0.0005 * (i - 1);
  return b;
}

static void
bench_free (Bench *b)
{
  fl_source_close (b->source);
  fl_intensities_free (b->intensities);
  g_free (b->data);
  g_free (b->background);
  g_free (b->mean);
  g_array_free (b->spots, TRUE);
  g_free (b);
}

/* The background that was added to the set (its README), for a scale of 1. */
static void
fill_background (Bench *b)
{
  for (guint p = 0; p < b->detector->n_panels; p++)
    {
      const FlPanel *panel = &b->detector->panels[p];
      for (guint ss = 0; ss < panel->n_ss; ss++)
        for (guint fs = 0; fs < panel->n_fs; fs++)
          {
            double q = 1 / fl_resolution (fl_panel_position (panel, fs + 0.5, ss + 0.5), b->model.wavelength);
            double ring = (q - 0.31) / 0.045;
            b->background[panel->offset + ss * panel->stride + fs] =
                b->set->background_scale * (0.25 + 0.5 * exp (-0.5 * ring * ring) + 0.6 * exp (-q / 0.05));
          }
    }
}

static void
load_event (Bench *b, char **columns)
{
  g_auto (FlShot) shot = { 0 };
  g_autoptr (GError) error = NULL;
  fl_source_read (b->source, (guint32) atoi (columns[0]), &shot, &error);
  g_assert_no_error (error);
  g_assert_cmpint (shot.type, ==, FL_PIXEL_U16);
  for (gsize i = 0; i < shot.n_pixels; i++)
    b->data[i] = ((const guint16 *) shot.pixels)[i];
  b->bragg_photons = g_ascii_strtod (columns[2], NULL);
  b->background_scale = g_ascii_strtod (columns[3], NULL);
  b->model.wavelength = fl_wavelength_from_energy (shot.energy);
  b->crystal = (FlCrystal){ .shape = FL_SHAPE_LATTICE,
                            .fluence = 1e12 / (FL_PI * b->set->beam_radius * b->set->beam_radius) };
  for (int i = 0; i < 9; i++)
    b->crystal.a_star.m[i / 3][i % 3] = g_ascii_strtod (columns[8 + i], NULL) / 10;
  fill_background (b);
}

static void
add_patch (const FlPatch *patch, gpointer user_data)
{
  Bench *b = user_data;
  const FlPanel *panel = &b->detector->panels[patch->panel];
  for (int y = 0; y < patch->height; y++)
    for (int x = 0; x < patch->width; x++)
      b->mean[panel->offset + (gsize) (patch->ss0 + y) * panel->stride + (gsize) (patch->fs0 + x)] +=
          patch->mean[y * patch->width + x];
  int fs = (int) floor (patch->fs), ss = (int) floor (patch->ss);
  Spot spot = { panel->offset + (gsize) ss * panel->stride + (gsize) fs, panel->stride };
  if (fs >= HALF && ss >= HALF && fs + HALF < (int) panel->n_fs && ss + HALF < (int) panel->n_ss)
    g_array_append_val (b->spots, spot);
}

static void
draw (Bench *b)
{
  memset (b->mean, 0, b->detector->n_pixels * sizeof *b->mean);
  g_array_set_size (b->spots, 0);
  fl_bragg_spots (&b->model, &b->crystal, add_patch, b);
}

/* --- the block's size: the other program's model, written out plainly, so that a trial costs a millisecond --- */

#define SAMPLES 4

typedef struct
{
  float strength;    /* photons for |S|² = 1 */
  float distance[3]; /* of h, k, l from the nearest whole numbers */
} Sample;

typedef struct
{
  GArray *pixels;  /* gsize */
  GArray *samples; /* Sample: as many for each pixel */
  guint per_pixel;
  float *kept; /* strength × |S|² of the two axes that are not tried */
} Fit;

static void
add_samples (const Bench *b, const FlPanel *panel, int fs, int ss, Fit *fit)
{
  const FlSpectrum *spectrum = &b->model.spectrum;
  double k = 1 / b->model.wavelength;
  FlMat3 axes = fl_mat3_inverse (&b->crystal.a_star);
  for (int i = 0; i < SAMPLES * SAMPLES; i++)
    for (guint e = 0; e < spectrum->n; e++)
      {
        FlVec3 r = fl_panel_position (panel, fs + (double) (i % SAMPLES) / SAMPLES,
                                      ss + (double) (i / SAMPLES) / SAMPLES);
        FlVec3 u = fl_vec3_unit (r),
               q = fl_vec3_scale (fl_vec3_sub (u, fl_vec3 (0, 0, 1)), k * spectrum->energy[e]);
        double area = fabs (fl_vec3_dot (fl_vec3_cross (panel->fs, panel->ss), u)) / fl_vec3_dot (r, r);
        double h[3];
        Sample sample;
        for (int j = 0; j < 3; j++)
          {
            h[j] = q.x * axes.m[0][j] + q.y * axes.m[1][j] + q.z * axes.m[2][j];
            sample.distance[j] = (float) (h[j] - rint (h[j]));
          }
        double f2 = (double) fl_intensities_get (b->intensities, (int) rint (h[0]), (int) rint (h[1]),
                                                 (int) rint (h[2]));
        sample.strength = (float) (b->crystal.fluence * FL_ELECTRON_RADIUS * FL_ELECTRON_RADIUS * f2 * area
                                   * spectrum->weight[e] / (SAMPLES * SAMPLES));
        g_array_append_val (fit->samples, sample);
      }
}

/* Boxes about every reflection that a small block, which reaches farthest, may light up. */
static Fit
collect (Bench *b)
{
  Fit fit = { .pixels = g_array_new (FALSE, FALSE, sizeof (gsize)),
              .samples = g_array_new (FALSE, FALSE, sizeof (Sample)),
              .per_pixel = SAMPLES * SAMPLES * b->model.spectrum.n };
  for (int i = 0; i < 3; i++)
    b->crystal.cells[i] = (int) (b->set->least / (i < 2 ? b->intensities->cell.a : b->intensities->cell.c));
  draw (b);
  for (guint p = 0; p < b->detector->n_panels; p++)
    {
      const FlPanel *panel = &b->detector->panels[p];
      for (guint ss = 0; ss < panel->n_ss; ss++)
        for (guint fs = 0; fs < panel->n_fs; fs++)
          {
            gsize i = panel->offset + ss * panel->stride + fs;
            if (b->detector->mask[i] != 0 || b->data[i] > FULL || b->mean[i] < 2)
              continue;
            g_array_append_val (fit.pixels, i);
            add_samples (b, panel, (int) fs, (int) ss, &fit);
          }
    }
  fit.kept = g_new (float, fit.samples->len);
  return fit;
}

#define TABLE 4096 /* steps from 0 to ½ */

static void
fill_table (int n, float table[TABLE + 2])
{
  for (int i = 0; i < TABLE + 2; i++)
    {
      double x = 0.5 * i / TABLE, below = sin (FL_PI * x), above = sin (FL_PI * n * x);
      table[i] = (float) (i == 0 ? (double) n * n : above * above / (below * below));
    }
}

static inline float
look_up (const float *table, float x)
{
  float at = fabsf (x) * (2 * TABLE);
  int i = (int) at;
  return table[i] + (at - (float) i) * (table[i + 1] - table[i]);
}

/* Sum of squared differences of square roots, whose variance is ¼ whatever the count (Anscombe 1948), for n cells along
 * an axis. */
static double
distance (const Bench *b, const Fit *fit, int axis, int n)
{
  float table[TABLE + 2];
  const Sample *sample = (const Sample *) (void *) fit->samples->data;
  const float *kept = fit->kept;
  double sum = 0;
  fill_table (n, table);
  for (guint p = 0; p < fit->pixels->len; p++)
    {
      gsize i = g_array_index (fit->pixels, gsize, p);
      float mean = 0;
      for (guint s = 0; s < fit->per_pixel; s++)
        mean += *kept++ * look_up (table, sample++->distance[axis]);
      double d =
          sqrt (b->data[i] + 0.375) - sqrt ((double) mean + b->background_scale * b->background[i] + 0.375);
      sum += d * d;
    }
  return sum;
}

static void
keep_others (const int n[3], Fit *fit, int axis)
{
  float one[TABLE + 2], other[TABLE + 2];
  int j = (axis + 1) % 3, k = (axis + 2) % 3;
  fill_table (n[j], one);
  fill_table (n[k], other);
  const Sample *sample = (const Sample *) (void *) fit->samples->data;
  for (guint s = 0; s < fit->samples->len; s++, sample++)
    fit->kept[s] =
        sample->strength * look_up (one, sample->distance[j]) * look_up (other, sample->distance[k]);
}

/* An axis at a time until none moves. */
static double
descend (const Bench *b, Fit *fit, int n[3])
{
  const double lengths[3] = { b->intensities->cell.a, b->intensities->cell.b, b->intensities->cell.c };
  double best = INFINITY;
  for (gboolean moved = TRUE; moved;)
    {
      moved = FALSE;
      for (int i = 0; i < 3; i++)
        {
          keep_others (n, fit, i);
          for (int trial = (int) (b->set->least / lengths[i]); trial <= (int) (b->set->most / lengths[i]);
               trial++)
            {
              double at = distance (b, fit, i, trial);
              if (at >= best)
                continue;
              best = at;
              moved |= n[i] != trial;
              n[i] = trial;
            }
        }
    }
  return best;
}

/* From small, middling and large blocks. Gives the distance a pixel: ¼ would be perfect. */
static double
fit_block (Bench *b)
{
  Fit fit = collect (b);
  double best = INFINITY;
  for (int start = 0; start < 3; start++)
    {
      int n[3];
      double size = b->set->least + (start + 0.5) / 3 * (b->set->most - b->set->least);
      for (int i = 0; i < 3; i++)
        n[i] = (int) (size / (i < 2 ? b->intensities->cell.a : b->intensities->cell.c));
      double at = descend (b, &fit, n);
      if (at < best)
        {
          best = at;
          memcpy (b->crystal.cells, n, sizeof n);
        }
    }
  best /= fit.pixels->len;
  g_array_free (fit.pixels, TRUE);
  g_array_free (fit.samples, TRUE);
  g_free (fit.kept);
  draw (b);
  return best;
}

static gboolean
measure (const Bench *b, const Spot *spot, gboolean model, Moments *m)
{
  double s[5] = { 0 };
  for (int y = -HALF; y <= HALF; y++)
    for (int x = -HALF; x <= HALF; x++)
      {
        gsize i = (gsize) ((gssize) spot->at + y * (gssize) spot->stride + x);
        if (b->detector->mask[i] != 0 || b->data[i] > FULL)
          return FALSE;
        double v = model ? (double) b->mean[i] : b->data[i] - b->background_scale * b->background[i];
        s[0] += v;
        s[1] += v * x;
        s[2] += v * y;
        s[3] += v * x * x;
        s[4] += v * y * y;
      }
  *m = (Moments){ s[0], s[1] / s[0], s[2] / s[0], s[3] / s[0], s[4] / s[0] };
  m->var_fs -= m->fs * m->fs;
  m->var_ss -= m->ss * m->ss;
  return m->sum > 0;
}

static int
compare_doubles (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

static double
quantile (GArray *values, double fraction)
{
  g_assert_cmpuint (values->len, >, 0);
  qsort (values->data, values->len, sizeof (double), compare_doubles);
  return g_array_index (values, double, (guint) (fraction * (values->len - 1)));
}

static double
correlation (const GArray *x, const GArray *y)
{
  double n = x->len, sx = 0, sy = 0, sxx = 0, syy = 0, sxy = 0;
  for (guint i = 0; i < x->len; i++)
    {
      double a = g_array_index (x, double, i), b = g_array_index (y, double, i);
      sx += a;
      sy += b;
      sxx += a * a;
      syy += b * b;
      sxy += a * b;
    }
  return (n * sxy - sx * sy) / sqrt ((n * sxx - sx * sx) * (n * syy - sy * sy));
}

typedef struct
{
  GArray *shift_fs, *shift_ss, *residual, *width, *ratio, *log_data, *log_model, *total;
} Tally;

static void
tally_event (Bench *b, Tally *t)
{
  double model_photons = 0;
  for (gsize i = 0; i < b->detector->n_pixels; i++)
    model_photons += (double) b->mean[i];
  double total = model_photons / b->bragg_photons;
  g_array_append_val (t->total, total);
  for (guint i = 0; i < b->spots->len; i++)
    {
      const Spot *spot = &g_array_index (b->spots, Spot, i);
      Moments data, model;
      if (!measure (b, spot, TRUE, &model) || model.sum < STRONG || !measure (b, spot, FALSE, &data))
        continue;
      double fs = data.fs - model.fs, ss = data.ss - model.ss, residual = hypot (fs - 0.125, ss - 0.125);
      double width = sqrt ((data.var_fs + data.var_ss) / (model.var_fs + model.var_ss)),
             ratio = data.sum / model.sum;
      double log_data = log (data.sum), log_model = log (model.sum);
      g_array_append_val (t->shift_fs, fs);
      g_array_append_val (t->shift_ss, ss);
      g_array_append_val (t->residual, residual);
      g_array_append_val (t->width, width);
      g_array_append_val (t->ratio, ratio);
      g_array_append_val (t->log_data, log_data);
      g_array_append_val (t->log_model, log_model);
    }
}

static void
judge (const Set *set, Tally *t)
{
  double cc = correlation (t->log_data, t->log_model);
  g_test_message (
      "set %s: %u strong spots; shift %+.3f %+.3f px (expected +0.125), then residual median %.3f, 90 %% "
      "%.3f px; "
      "width ratio median %.3f (10–90 %%: %.3f–%.3f); intensity ratio median %.3f (10–90 %%: %.3f–%.3f), "
      "log correlation %.4f; all Bragg photons, ours to theirs, median %.3f",
      set->name, t->residual->len, quantile (t->shift_fs, 0.5), quantile (t->shift_ss, 0.5),
      quantile (t->residual, 0.5), quantile (t->residual, 0.9), quantile (t->width, 0.5),
      quantile (t->width, 0.1), quantile (t->width, 0.9), quantile (t->ratio, 0.5), quantile (t->ratio, 0.1),
      quantile (t->ratio, 0.9), cc, quantile (t->total, 0.5));
  g_assert_cmpuint (t->residual->len, >, 50 * n_events);
  g_assert_cmpfloat (fabs (quantile (t->shift_fs, 0.5) - 0.125), <, 0.05);
  g_assert_cmpfloat (fabs (quantile (t->shift_ss, 0.5) - 0.125), <, 0.05);
  g_assert_cmpfloat (quantile (t->residual, 0.5), <, 0.2);
  g_assert_cmpfloat (fabs (quantile (t->width, 0.5) - 1), <, 0.05);
  g_assert_cmpfloat (fabs (quantile (t->ratio, 0.5) - 1), <, 0.05);
  g_assert_cmpfloat (cc, >, 0.9);
  g_assert_cmpfloat (fabs (quantile (t->total, 0.5) - 1), <, 0.1);
}

static void
test_set (gconstpointer data)
{
  const Set *set = data;
  const char *folder = g_getenv ("FIRSTLIGHT_TEST_DATA");
  if (folder == NULL || !g_file_test (folder, G_FILE_TEST_IS_DIR))
    {
      g_test_skip ("FIRSTLIGHT_TEST_DATA has no crystfel-sim");
      return;
    }
  Bench *b = bench_new (set, folder);
  g_autofree char *table = NULL;
  g_autofree char *path = g_strdup_printf ("%s/crystfel-sim/%s.truth.tsv", folder, set->stem);
  g_assert_true (g_file_get_contents (path, &table, NULL, NULL));
  g_auto (GStrv) lines = g_strsplit (table, "\n", -1);
  Tally t;
  GArray **arrays = (GArray **) (void *) &t;
  for (gsize i = 0; i < sizeof t / sizeof (GArray *); i++)
    arrays[i] = g_array_new (FALSE, FALSE, sizeof (double));
  guint done = 0;
  for (char **line = lines + 1; *line != NULL && done < n_events; line++)
    {
      g_auto (GStrv) columns = g_strsplit (*line, "\t", -1);
      if (g_strv_length (columns) < 17 || strcmp (columns[1], "strong") != 0)
        continue;
      load_event (b, columns);
      double left = fit_block (b);
      guint before = t.residual->len;
      tally_event (b, &t);
      g_test_message (
          "set %s event %s: block %d × %d × %d cells, %u strong spots, distance %.3f a pixel (¼ is noise)",
          set->name, columns[0], b->crystal.cells[0], b->crystal.cells[1], b->crystal.cells[2],
          t.residual->len - before, left);
      done++;
    }
  g_assert_cmpuint (done, ==, n_events);
  judge (set, &t);
  for (gsize i = 0; i < sizeof t / sizeof (GArray *); i++)
    g_array_free (arrays[i], TRUE);
  bench_free (b);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (argc > 1)
    n_events = (guint) CLAMP (atoi (argv[1]), 1, 100);
  for (gsize i = 0; i < G_N_ELEMENTS (sets); i++)
    {
      g_autofree char *name = g_strdup_printf ("/simulate/crystfel-sim/%s", sets[i].name);
      g_test_add_data_func (name, &sets[i], test_set);
    }
  return g_test_run ();
}
