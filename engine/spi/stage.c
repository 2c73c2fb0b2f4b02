#include "engine/spi/stage.h"

#include <math.h>

#define MARGIN       1.03 /* of the ball over the diameter */
#define BEYOND       1.08 /* of the grid over s_max, so that no window reaches its edge */
#define CELL         0.4  /* of a speckle, at most */
#define WEIGHT_POWER 0.8  /* Poisson's 1 would make the normal equations ten times stiffer for nothing */
#define FINEST       10

GArray *
fl_stage_plans (double diameter, double s_max)
{
  GArray *plans = g_array_new (FALSE, FALSE, sizeof (FlSpiStagePlan));
  double all = s_max * diameter;
  static const double first[] = { 2, 2.5, 3 };
  for (guint i = 0; i < G_N_ELEMENTS (first); i++)
    if (first[i] < all || i == 0)
      {
        FlSpiStagePlan plan = { MIN (first[i], all), i == 0 ? 2 : 3, i == 0, FALSE };
        g_array_append_val (plans, plan);
      }
  g_array_index (plans, FlSpiStagePlan, plans->len - 1).choose = TRUE;
  for (double c = 4; g_array_index (plans, FlSpiStagePlan, plans->len - 1).speckles < all; c *= 1.4)
    {
      /* No stage that is hardly more than the one before it. */
      FlSpiStagePlan plan = { c * 1.15 > all ? all : c, 0, FALSE, FALSE };
      plan.fineness = (guint) CLAMP (lrint (0.8 * plan.speckles), 3, FINEST);
      g_array_append_val (plans, plan);
    }
  return plans;
}

/* Å⁻¹, of neighbouring pixels: the median over the detector. */
static int
by_value (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return x < y ? -1 : x > y;
}

static double
pixel_pitch (const FlPatternPixels *pixels)
{
  g_autofree double *steps = g_new (double, pixels->n);
  guint n = 0;
  for (guint i = 1; i < pixels->n; i++)
    steps[n++] = fl_vec3_norm (fl_vec3_sub (pixels->s[i], pixels->s[i - 1]));
  if (n == 0)
    return 1;
  qsort (steps, n, sizeof *steps, by_value);
  return steps[n / 2];
}

static void
place_cells (FlSpiStage *stage, const FlRadial *radial)
{
  const FlBinning *binning = stage->binning;
  stage->x = g_new (float, 3 * (gsize) binning->n);
  stage->radial = g_new (float, binning->n);
  stage->weight = g_new (float, binning->n);
  double edge = fl_radial_at (radial, stage->s_max);
  for (guint i = 0; i < binning->n; i++)
    {
      FlVec3 x = fl_vec3_scale (binning->s[i], stage->voxel);
      stage->x[3 * i] = (float) x.x;
      stage->x[3 * i + 1] = (float) x.y;
      stage->x[3 * i + 2] = (float) x.z;
      double mean = fl_radial_at (radial, binning->size[i]);
      stage->radial[i] = (float) mean;
      stage->weight[i] = (float) (pow (mean / edge, -WEIGHT_POWER) / edge);
    }
}

FlSpiStage *
fl_stage_new (const FlSpiStagePlan *plan, double diameter, const FlPatternPixels *pixels,
              const FlRadial *radial)
{
  FlSpiStage *stage = g_new0 (FlSpiStage, 1);
  stage->s_max = plan->speckles / diameter;
  stage->radius = diameter * MARGIN;
  stage->voxel = 1 / (2 * BEYOND * stage->s_max);
  stage->m = 2 * (guint) ceil (stage->radius / stage->voxel) + 1;
  double pitch = pixel_pitch (pixels);
  double width = fmax (1, floor (CELL / (diameter * pitch))) * pitch;
  stage->binning = fl_binning_new (pixels, width, 1 / diameter, stage->s_max);
  stage->rotations = fl_rotations_new (plan->fineness);
  stage->matrices = g_new (float, 9 * (gsize) stage->rotations->n);
  for (guint r = 0; r < stage->rotations->n; r++)
    {
      FlMat3 matrix = fl_mat3_from_quat (stage->rotations->rotations[r]);
      for (guint i = 0; i < 9; i++)
        stage->matrices[9 * (gsize) r + i] = (float) matrix.m[i / 3][i % 3];
    }
  place_cells (stage, radial);
  return stage;
}

void
fl_stage_free (FlSpiStage *stage)
{
  if (stage == NULL)
    return;
  fl_binning_free (stage->binning);
  fl_rotations_free (stage->rotations);
  g_free (stage->matrices);
  g_free (stage->x);
  g_free (stage->radial);
  g_free (stage->weight);
  g_free (stage);
}
