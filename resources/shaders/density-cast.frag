/* Rays through up to two maps: what widgets/density-ray.c does, sample for sample. */
uniform highp sampler3D values0, values1;
uniform highp usampler3D skips0, skips1;
uniform highp sampler2D wall_colour, wall_depth; /* the sticks */

uniform int levels[2];   /* surfaces of each map; 0: not shown */
uniform vec2 level[2];
uniform vec3 colours[4]; /* of each map's two levels */
uniform ivec3 cells[2];
uniform bool periodic[2];
uniform vec3 origin[2], right[2], up[2], away[2];
uniform vec3 slope[6];   /* of each map's three grid coordinates */
uniform vec2 statistics; /* mean and σ of the first map */
uniform vec2 size;       /* pixels of the picture */
uniform int oversample;
uniform int refinements;
uniform float pixel, front, back, radius, sample_step, mesh, line;
uniform int style; /* FlwDensityStyle */
uniform vec3 slice;
uniform float slice_range;
uniform vec2 slab;
uniform bool sticks;

out vec4 result;

const float OPAQUE = 0.985;
const int DENSE = 128; /* from there on: many of a cube's bricks hold a level, none is leapt over */

/* --- values --- */

void
find_cell (int m, vec3 place, out ivec3 cell, out vec3 f)
{
  vec3 low = floor (place);

  cell = ivec3 (low);
  f = place - low;
  if (periodic[m])
    {
      cell -= cells[m] * ivec3 (floor (low / vec3 (cells[m])));
      cell = clamp (cell, ivec3 (0), cells[m] - 1);
    }
  else
    {
      cell = clamp (cell, ivec3 (0), cells[m] - 1);
      f = clamp (place - vec3 (cell), 0.0, 1.0);
    }
}

float
fetch (int m, ivec3 at)
{
  return m == 0 ? texelFetch (values0, at, 0).r : texelFetch (values1, at, 0).r;
}

float
value_in (int m, ivec3 cell, vec3 f)
{
  float a = mix (fetch (m, cell), fetch (m, cell + ivec3 (1, 0, 0)), f.x);
  float b = mix (fetch (m, cell + ivec3 (0, 1, 0)), fetch (m, cell + ivec3 (1, 1, 0)), f.x);
  float c = mix (fetch (m, cell + ivec3 (0, 0, 1)), fetch (m, cell + ivec3 (1, 0, 1)), f.x);
  float d = mix (fetch (m, cell + ivec3 (0, 1, 1)), fetch (m, cell + ivec3 (1, 1, 1)), f.x);

  return mix (mix (a, b, f.y), mix (c, d, f.y), f.z);
}

float
value_at (int m, vec3 place)
{
  ivec3 cell;
  vec3 f;

  find_cell (m, place, cell, f);
  return value_in (m, cell, f);
}

vec3
gradient_at (int m, vec3 place)
{
  ivec3 cell, last = cells[m] - 1;
  vec3 f, gradient = vec3 (0.0);

  find_cell (m, place, cell, f);
  for (int a = 0; a < 3; a++)
    {
      ivec3 after = cell, before = cell;
      after[a] = cell[a] < last[a] ? cell[a] + 1 : periodic[m] ? 0 : last[a];
      before[a] = cell[a] > 0 ? cell[a] - 1 : periodic[m] ? last[a] : 0;
      gradient += (value_in (m, after, f) - value_in (m, before, f)) * slope[3 * m + a];
    }
  return gradient;
}

/* --- crossings --- */

float
mesh_cover (int m, vec3 place, vec3 normal)
{
  float cover = 0.0;
  vec2 lean = normal.xy / max (normal.z, 0.05);

  for (int a = 0; a < 3; a++)
    {
      vec3 s = slope[3 * m + a];
      float speed = length (s.xy - lean * s.z) * pixel, lines = place[a] / mesh;
      float off = abs (lines - floor (lines + 0.5)) * mesh;
      cover = max (cover, clamp (0.5 * line + 0.5 - off / max (speed, 1e-9), 0.0, 1.0));
    }
  return cover;
}

/* Colour and opacity of the crossing of a level between samples k − 1 and k; depth beside it. */
vec4
meet (int m, int l, vec3 base, int k, float before, float after, out float depth)
{
  float low = float (k - 1), high = float (k), target = level[m][l], t = low, alpha = 1.0;
  float low_value = before - target, high_value = after - target;
  vec3 place, normal;

  for (int i = 0; i < refinements; i++)
    {
      float value;
      t = low + (high - low) * low_value / (low_value - high_value);
      value = value_at (m, base + t * away[m]) - target;
      if ((value < 0.0) == (low_value < 0.0))
        {
          low = t;
          low_value = value;
        }
      else
        {
          high = t;
          high_value = value;
        }
    }
  t = low + (high - low) * low_value / (low_value - high_value);
  place = base + t * away[m];
  depth = front - t * sample_step;
  normal = gradient_at (m, place);
  normal = dot (normal, normal) > 0.0 ? normalize (normal) : vec3 (0.0, 0.0, 1.0);
  if (normal.z < 0.0)
    normal = -normal;
  if (style == 0)
    alpha = mesh_cover (m, place, normal);
  else if (style == 1)
    alpha = 0.14 + 0.66 * (1.0 - normal.z) * (1.0 - normal.z);
  return vec4 (shade (normal, depth, colours[2 * m + l]), alpha);
}

/* Samples until the ray is out of the cube of bricks that holds no level. */
int
leap (int m, ivec3 cell, vec3 f, int number)
{
  int edge = 2 << number;
  float samples = 1e9;

  for (int a = 0; a < 3; a++)
    {
      int low = cell[a] / edge * edge;
      if (away[m][a] > 1e-7)
        samples = min (samples, (float (min (low + edge, cells[m][a]) - cell[a]) - f[a]) / away[m][a]);
      else if (away[m][a] < -1e-7)
        samples = min (samples, (float (low - cell[a]) - f[a]) / away[m][a]);
    }
  return 1 + int (max (samples - 1e-3, 0.0));
}

/* --- one ray --- */

void
find_slice (vec2 at, inout float wall, inout vec3 wall_rgb)
{
  float depth, sigmas, bright;
  vec3 place, full;

  if (slice.z == 0.0 || abs (slice.z) < 0.02 * length (slice))
    return;
  depth = -dot (slice.xy, at) / slice.z;
  if (dot (at, at) + depth * depth > radius * radius || depth > front || depth < -back || depth <= wall)
    return;
  place = origin[0] + at.x * right[0] + at.y * up[0] + (front - depth) / sample_step * away[0];
  if (!periodic[0] && (any (lessThan (place, vec3 (0.0))) || any (greaterThan (place, vec3 (cells[0])))))
    return;
  sigmas = clamp ((value_at (0, place) - statistics.x) / (statistics.y * slice_range), -1.0, 1.0);
  bright = abs (sigmas);
  full = sigmas < 0.0 ? vec3 (1.0, 0.36, 0.27) : vec3 (0.27, 0.55, 1.0);
  wall = depth;
  wall_rgb = bright < 0.5 ? 0.04 + 2.0 * bright * (full - 0.04) : full + (2.0 * bright - 1.0) * (1.0 - full);
}

/* Cuts to where the ray is inside a grid that does not repeat. */
void
cut_to_grid (int m, vec3 base, inout int first, inout int last)
{
  float from = float (first), to = float (last);

  for (int a = 0; a < 3; a++)
    {
      float s = away[m][a], room = float (cells[m][a]);
      if (abs (s) < 1e-9)
        {
          if (base[a] < 0.0 || base[a] > room)
            to = from - 1.0;
          continue;
        }
      from = max (from, s > 0.0 ? -base[a] / s : (room - base[a]) / s);
      to = min (to, s > 0.0 ? (room - base[a]) / s : -base[a] / s);
    }
  first = to < from ? 0 : int (floor (from));
  last = to < from ? -1 : int (ceil (to));
}

vec3
look_along (vec2 at, float wall, vec3 wall_rgb, bool walled)
{
  float ball = radius * radius - dot (at, at), reach = sqrt (max (ball, 0.0));
  float near = min (front, reach), far = walled ? max (max (-back, -reach), wall) : max (-back, -reach), clear = 1.0;
  float value[2];
  bool known[2];
  int next[2], last[2];
  vec3 base[2], rgb = vec3 (0.0);

  for (int m = 0; m < 2; m++)
    {
      known[m] = false;
      base[m] = origin[m] + at.x * right[m] + at.y * up[m];
      next[m] = int (floor ((front - near) / sample_step));
      last[m] = levels[m] > 0 && ball > 0.0 && near > far ? int (ceil ((front - far) / sample_step)) : -1;
      if (!periodic[m] && last[m] >= next[m])
        cut_to_grid (m, base[m], next[m], last[m]);
    }
  for (int turn = 0; turn < 8192 && clear > 1.0 - OPAQUE; turn++)
    {
      vec4 found[4];
      float depths[4];
      int n = 0, k = 1 << 30;

      for (int m = 0; m < 2; m++)
        if (next[m] <= last[m])
          k = min (k, next[m]);
      if (k == 1 << 30)
        break;
      for (int m = 0; m < 2; m++)
        if (next[m] == k && k <= last[m])
          {
            ivec3 cell;
            vec3 f;
            int number;
            find_cell (m, base[m] + float (k) * away[m], cell, f);
            number = int (m == 0 ? texelFetch (skips0, cell / 4, 0).r : texelFetch (skips1, cell / 4, 0).r);
            if (number > 0 && number < DENSE)
              {
                next[m] = k + leap (m, cell, f, number);
                known[m] = false;
              }
            else
              {
                float here = value_in (m, cell, f);
                for (int l = 0; known[m] && l < levels[m]; l++)
                  if ((value[m] < level[m][l]) != (here < level[m][l]))
                    {
                      found[n] = meet (m, l, base[m], k, value[m], here, depths[n]);
                      n++;
                    }
                value[m] = here;
                known[m] = true;
                next[m] = k + 1;
              }
          }
      for (; n > 0; n--)
        {
          int first = 0;
          for (int i = 1; i < n; i++)
            if (depths[i] > depths[first])
              first = i;
          if (depths[first] <= near && depths[first] >= far)
            {
              rgb += clear * found[first].a * found[first].rgb;
              clear *= 1.0 - found[first].a;
            }
          found[first] = found[n - 1];
          depths[first] = depths[n - 1];
        }
    }
  return clear > 1.0 - OPAQUE ? rgb + clear * (walled ? wall_rgb : ground) : rgb;
}

void
main ()
{
  vec3 sum = vec3 (0.0);
  vec2 fine = size * float (oversample);

  for (int y = 0; y < oversample; y++)
    for (int x = 0; x < oversample; x++)
      {
        ivec2 ray = ivec2 (gl_FragCoord.xy) * oversample + ivec2 (x, y);
        vec2 at = (vec2 (ray) + 0.5 - 0.5 * fine) * pixel;
        vec3 wall_rgb = ground;
        float wall = -1e30, stored = sticks ? texelFetch (wall_depth, ray, 0).r : 1.0;
        if (stored < 1.0)
          {
            wall = slab.x - stored * (slab.x - slab.y);
            wall_rgb = texelFetch (wall_colour, ray, 0).rgb;
          }
        find_slice (at, wall, wall_rgb);
        sum += look_along (at, wall, wall_rgb, wall > -1e29);
      }
  result = vec4 (clamp (sum / float (oversample * oversample), 0.0, 1.0), 1.0);
}
