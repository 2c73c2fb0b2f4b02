#include "widgets/density-lanes.h"

#include <math.h>
#include <string.h>

enum
{
  CUBES = 5,      /* sizes of cubes that are leapt over: 1, 2, 4, 8, 16 bricks */
  MOST_DENSE = 4, /* bricks along the largest cubes of which all are sampled for half of them */
  MESH_GAP = 9    /* logical pixels between a mesh's lines, at least */
};

/* --- bricks that hold a level --- */

/* Counts the bricks with a level in each aligned cube of `edge` bricks. Where there is none, skip numbers rise to `number`; where
 * at least half are such, to FLW_DENSITY_DENSE + `number`, unless the cubes are large. */
static void
mark_cubes (guint8 *skip, const int bricks[3], int edge, guint8 number)
{
  int cubes[3];
  g_autofree guint32 *held = NULL;

  for (int a = 0; a < 3; a++)
    cubes[a] = (bricks[a] + edge - 1) / edge;
  held = g_malloc0_n ((gsize) cubes[0] * (gsize) cubes[1] * (gsize) cubes[2], sizeof *held);
  for (int pass = 0; pass < 2; pass++)
    for (int z = 0; z < bricks[2]; z++)
      for (int y = 0; y < bricks[1]; y++)
        {
          guint8 *row = skip + ((gsize) z * (gsize) bricks[1] + (gsize) y) * (gsize) bricks[0];
          guint32 *cube =
              held + ((gsize) (z / edge) * (gsize) cubes[1] + (gsize) (y / edge)) * (gsize) cubes[0];
          for (int x = 0; x < bricks[0]; x++)
            if (pass == 0)
              cube[x / edge] += row[x] == 0 || row[x] >= FLW_DENSITY_DENSE;
            else if (cube[x / edge] == 0)
              row[x] = number;
            else if (edge <= MOST_DENSE && 2 * cube[x / edge] >= (guint32) (edge * edge * edge))
              row[x] = FLW_DENSITY_DENSE + number;
        }
}

static void
find_skips (FlwDensitySkip *skip, const FlwDensityStore *store)
{
  skip->n = (gsize) store->bricks[0] * (gsize) store->bricks[1] * (gsize) store->bricks[2];
  skip->skip = g_realloc (skip->skip, skip->n);
  memset (skip->skip, 1, skip->n);
  for (guint l = 0; l < skip->n_levels; l++)
    for (gsize b = 0; b < skip->n; b++)
      skip->skip[b] &= !(store->lowest[b] <= skip->level[l] && skip->level[l] <= store->highest[b]);
  for (int i = 1; i < CUBES; i++)
    mark_cubes (skip->skip, store->bricks, 1 << i, (guint8) (i + 1));
  skip->serial++;
}

static const guint8 *
skips_for (FlwDensitySkip *skip, const FlwDensityLane *lane)
{
  if (skip->volume != lane->volume || skip->n_levels != lane->n_levels
      || memcmp (skip->level, lane->level, lane->n_levels * sizeof *lane->level) != 0)
    {
      g_clear_pointer (&skip->volume, flw_density_volume_unref);
      skip->volume = flw_density_volume_ref ((FlwDensityVolume *) lane->volume);
      skip->n_levels = lane->n_levels;
      memcpy (skip->level, lane->level, sizeof skip->level);
      find_skips (skip, lane->store);
    }
  return skip->skip;
}

/* --- coordinates --- */

static void
place_lane (FlwDensityLane *lane, const FlwDensityLanes *lanes, const FlwDensityCamera *camera)
{
  const FlwDensityGrid *grid = flw_density_volume_grid (lane->volume);
  double to_grid[3][3];

  flw_density_volume_to_grid (lane->volume, to_grid);
  for (int a = 0; a < 3; a++)
    {
      double slope[3], origin = 0;

      for (int i = 0; i < 3; i++)
        {
          slope[i] = 0;
          for (int x = 0; x < 3; x++)
            slope[i] += to_grid[a][x] * camera->axes[i][x];
          lane->slope[a][i] = (float) slope[i];
        }
      for (int x = 0; x < 3; x++)
        origin += to_grid[a][x] * (camera->centre[x] - grid->origin[x]);
      origin += slope[2] * (double) lanes->front;
      if (lane->periodic) /* small numbers keep their digits */
        origin -= lane->store->cells[a] * floor (origin / lane->store->cells[a]);
      lane->origin[a] = (float) origin;
      lane->right[a] = (float) slope[0];
      lane->up[a] = (float) slope[1];
      lane->away[a] = (float) (-slope[2] * (double) lanes->step);
      lane->pace[a] = fabsf (lane->away[a]) > 1e-7f ? 1 / lane->away[a] : 0;
    }
}

static void
fill_lane (FlwDensityLane *lane, const FlwDensityMap *map, gboolean right)
{
  const FlwDensityGrid *grid;

  memset (lane, 0, sizeof *lane);
  lane->volume = right && map->other != NULL ? map->other : map->volume;
  if (lane->volume == NULL)
    return;
  grid = flw_density_volume_grid (lane->volume);
  lane->store = flw_density_volume_store (lane->volume);
  lane->periodic = grid->periodic;
  lane->mean = (float) grid->mean;
  lane->sigma = (float) grid->sigma;
  lane->n_levels = map->n_levels;
  for (guint l = 0; l < map->n_levels; l++)
    {
      lane->level[l] = (float) flw_density_map_value (map, lane->volume, l);
      for (int c = 0; c < 3; c++)
        lane->rgb[l][c] = (float) (map->rgb[l] >> (16 - 8 * c) & 0xff) / 255.0f;
    }
}

/* Å between samples: so that no step is longer than so many cells, whichever way the ray goes. */
static double
find_step (const FlwDensityLanes *lanes, double cells)
{
  double steepest = 0;

  for (int side = 0; side < 2; side++)
    for (int m = 0; m < FLW_DENSITY_MAPS; m++)
      if (lanes->lanes[side][m].volume != NULL)
        {
          double to_grid[3][3];
          flw_density_volume_to_grid (lanes->lanes[side][m].volume, to_grid);
          for (int a = 0; a < 3; a++)
            steepest = fmax (steepest, hypot (hypot (to_grid[a][0], to_grid[a][1]), to_grid[a][2]));
        }
  return steepest > 0 ? cells / steepest : 1;
}

static void
place_slice (FlwDensityLanes *lanes, const FlwDensityScene *scene)
{
  const FlwDensityLane *lane = &lanes->lanes[0][0];

  memset (lanes->slice, 0, sizeof lanes->slice);
  lanes->slice_range = (float) scene->slice_range;
  if (scene->slice == FLW_DENSITY_SLICE_NONE || lane->volume == NULL)
    return;
  if (scene->slice == FLW_DENSITY_SLICE_SCREEN)
    lanes->slice[2] = 1;
  else
    memcpy (lanes->slice, lane->slope[scene->slice - FLW_DENSITY_SLICE_A], sizeof lanes->slice);
}

void
flw_density_lanes_prepare (FlwDensityLanes *lanes, const FlwDensityScene *scene,
                           const FlwDensityCamera *camera, double pixel)
{
  double gap = INFINITY;

  for (int side = 0; side < 2; side++)
    for (int m = 0; m < FLW_DENSITY_MAPS; m++)
      fill_lane (&lanes->lanes[side][m], &scene->maps[m], side == 1);
  lanes->step = (float) find_step (lanes, scene->step);
  lanes->refinements = scene->step > FLW_DENSITY_STEP ? 1 : 2;
  lanes->radius = (float) camera->radius;
  lanes->front = (float) fmin (camera->front, camera->radius);
  lanes->back = (float) fmin (camera->back, camera->radius);
  lanes->fog = (float) fmax (fmin (camera->radius, 0.6 * camera->span), 1e-3);
  for (int side = 0; side < 2; side++)
    for (int m = 0; m < FLW_DENSITY_MAPS; m++)
      {
        FlwDensityLane *lane = &lanes->lanes[side][m];
        if (lane->volume == NULL)
          continue;
        place_lane (lane, lanes, camera);
        if (lane->n_levels > 0)
          lane->skip = skips_for (&lanes->skips[side][m], lane);
        for (int a = 0; a < 3; a++)
          gap = fmin (gap, 1
                               / (hypot (hypot ((double) lane->slope[a][0], (double) lane->slope[a][1]),
                                         (double) lane->slope[a][2])
                                  * pixel));
      }
  lanes->mesh = 1;
  for (; isfinite (gap) && gap * (double) lanes->mesh < MESH_GAP * scene->dots && lanes->mesh < 64;
       lanes->mesh *= 2)
    ;
  lanes->line = fmaxf (FLW_DENSITY_MESH_LINE * (float) scene->dots, FLW_DENSITY_THIN);
  place_slice (lanes, scene);
}

void
flw_density_lanes_clear (FlwDensityLanes *lanes)
{
  for (int side = 0; side < 2; side++)
    for (int m = 0; m < FLW_DENSITY_MAPS; m++)
      {
        g_clear_pointer (&lanes->skips[side][m].volume, flw_density_volume_unref);
        g_clear_pointer (&lanes->skips[side][m].skip, g_free);
      }
}
