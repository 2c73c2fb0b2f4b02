#include "widgets/density-sticks.h"

#include <math.h>

static void
set_rgb (float rgb[3], guint32 colour)
{
  for (int c = 0; c < 3; c++)
    rgb[c] = (float) (colour >> (16 - 8 * c) & 0xff) / 255.0f;
}

typedef struct
{
  const FlwDensityScene *scene;
  const FlwDensityCamera *camera;
  double width, height, pixel; /* pixels, pixels, Å */
  float least;                 /* pixels: half a line's width */
} Projection;

/* FALSE when it lies outside what is shown. */
static gboolean
project (const Projection *p, const double place[3], float to[3])
{
  const FlwDensityCamera *camera = p->camera;
  double x, y, depth, dx = place[0] - camera->centre[0], dy = place[1] - camera->centre[1],
                      dz = place[2] - camera->centre[2];

  if (dx * dx + dy * dy + dz * dz > camera->radius * camera->radius)
    return FALSE;
  flw_density_camera_project (camera, p->width, p->height, place, &x, &y, &depth);
  to[0] = (float) x;
  to[1] = (float) y;
  to[2] = (float) (depth / p->pixel);
  return depth < camera->front && depth > -camera->back;
}

GArray *
flw_density_sticks_find (const FlwDensityScene *scene, const FlwDensityCamera *camera, guint width,
                         guint height)
{
  Projection p = { scene,
                   camera,
                   width,
                   height,
                   flw_density_camera_scale (camera, width, height),
                   fmaxf (FLW_DENSITY_LINE * (float) scene->dots, FLW_DENSITY_THIN) };
  GArray *sticks = g_array_new (FALSE, FALSE, sizeof (FlwDensityStick));
  float radius = fmaxf ((float) (scene->stick_radius / p.pixel), p.least);
  guint n_atoms, n_bonds;
  const FlwDensityAtom *atoms;
  const guint (*bonds)[2];
  g_autofree guint8 *bound = NULL;

  if (scene->model == NULL)
    return sticks;
  atoms = flw_density_model_atoms (scene->model, &n_atoms);
  bonds = flw_density_model_bonds (scene->model, &n_bonds);
  bound = g_malloc0 (n_atoms + 1);
  for (guint b = 0; b < n_bonds; b++)
    {
      const FlwDensityAtom *from = &atoms[bonds[b][0]], *to = &atoms[bonds[b][1]];
      FlwDensityStick stick = { .radius = radius };

      bound[bonds[b][0]] = bound[bonds[b][1]] = TRUE;
      if (!project (&p, from->place, stick.from) || !project (&p, to->place, stick.to))
        continue;
      set_rgb (stick.rgb[0], flw_density_element_colour (from->element));
      set_rgb (stick.rgb[1], flw_density_element_colour (to->element));
      g_array_append_val (sticks, stick);
    }
  for (guint i = 0; i < n_atoms; i++) /* waters and ions: balls */
    {
      FlwDensityStick stick = { .radius = fmaxf ((float) (0.28 / p.pixel), 2 * p.least) };

      if (bound[i] || !project (&p, atoms[i].place, stick.from))
        continue;
      for (int x = 0; x < 3; x++)
        stick.to[x] = stick.from[x];
      set_rgb (stick.rgb[0], flw_density_element_colour (atoms[i].element));
      set_rgb (stick.rgb[1], flw_density_element_colour (atoms[i].element));
      g_array_append_val (sticks, stick);
    }
  return sticks;
}

/* Of a ball around an end; the greater depth wins. */
static gboolean
end_hit (const float end[3], float radius, float x, float y, float *depth, float normal[3])
{
  float dx = x - end[0], dy = y - end[1], square = radius * radius - dx * dx - dy * dy, z;

  if (square < 0 || (z = end[2] + sqrtf (square)) <= *depth)
    return FALSE;
  *depth = z;
  normal[0] = dx / radius;
  normal[1] = -dy / radius; /* y of the screen goes down */
  normal[2] = sqrtf (square) / radius;
  return TRUE;
}

gboolean
flw_density_stick_hit (const FlwDensityStick *stick, float x, float y, float *depth, float normal[3],
                       const float **rgb)
{
  const float *a = stick->from, *b = stick->to;
  float d[3] = { b[0] - a[0], b[1] - a[1], b[2] - a[2] }, along = d[0] * d[0] + d[1] * d[1] + d[2] * d[2];
  float mx = x - a[0], my = y - a[1], mz = -a[2], flat = d[0] * d[0] + d[1] * d[1];
  gboolean hit = FALSE;

  *depth = -INFINITY;
  if (flat > 1e-6f * along) /* not end on: the line of sight may meet the side */
    {
      float k = mx * d[0] + my * d[1] + mz * d[2];
      float A = flat / along, B = mz - k * d[2] / along,
            C = mx * mx + my * my + mz * mz - k * k / along - stick->radius * stick->radius,
            square = B * B - A * C;
      if (square >= 0)
        {
          float z = (-B + sqrtf (square)) / A, h = (k + z * d[2]) / along;
          if (h >= 0 && h <= 1)
            {
              hit = TRUE;
              *depth = z;
              normal[0] = (mx - h * d[0]) / stick->radius;
              normal[1] = -(my - h * d[1]) / stick->radius;
              normal[2] = (mz + z - h * d[2]) / stick->radius;
              *rgb = stick->rgb[h > 0.5f];
            }
        }
    }
  if (end_hit (a, stick->radius, x, y, depth, normal))
    {
      hit = TRUE;
      *rgb = stick->rgb[0];
    }
  if (end_hit (b, stick->radius, x, y, depth, normal))
    {
      hit = TRUE;
      *rgb = stick->rgb[1];
    }
  return hit;
}
