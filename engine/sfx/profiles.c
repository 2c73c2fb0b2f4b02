#include "engine/sfx/profiles.h"

#include <math.h>
#include <string.h>

#include "engine/base/error.h"

#define N_ZONES     16
#define ONE         1048576.0 /* fixed point */
#define MAX_WEIGHT  1000.0    /* photons: stronger reflections tell no more, the shapes themselves differ */
#define MIN_LEARNED 100       /* reflections, for a profile of its own */
#define MAX_SIDE    1001
#define FIRST_STEP  1e-5 /* 1/Å, of the rocking curve */
#define STEP        1.15
#define MAX_ROCKING 20.0 /* relative intensity: single very strong reflections tell little */
#define MIN_ROCKING 300  /* reflections that the half-width stands on */
#define MAX_SUM     (G_MAXINT64 / 1024)
#define HEADER      "Firstlight profiles 1"

static gsize
n_points (const FlProfiles *profiles)
{
  return (gsize) profiles->side * profiles->side;
}

static FlProfiles *
new_of_side (guint side)
{
  FlProfiles *profiles = g_new0 (FlProfiles, 1);
  profiles->n_zones = N_ZONES;
  profiles->side = side;
  profiles->n = g_new0 (guint64, N_ZONES);
  profiles->intensity = g_new0 (gint64, N_ZONES * n_points (profiles));
  profiles->weight = g_new0 (gint64, N_ZONES * n_points (profiles));
  return profiles;
}

FlProfiles *
fl_profiles_new (double reach)
{
  return new_of_side (2 * (guint) ceil (reach * FL_PROFILES_GRID) + 1);
}

FlProfiles *
fl_profiles_copy (const FlProfiles *profiles)
{
  FlProfiles *copy = new_of_side (profiles->side);
  fl_profiles_merge (copy, profiles);
  return copy;
}

void
fl_profiles_free (FlProfiles *profiles)
{
  if (profiles == NULL)
    return;
  g_free (profiles->n);
  g_free (profiles->intensity);
  g_free (profiles->weight);
  g_free (profiles);
}

guint
fl_profiles_zone (double two_theta)
{
  return (guint) CLAMP (two_theta / FL_PROFILES_ZONE, 0, N_ZONES - 1);
}

void
fl_profiles_add (FlProfiles *profiles, guint zone, guint n, const float *radial, const float *tangential,
                 const float *part, double photons)
{
  double weight = ONE * MIN (photons, MAX_WEIGHT);
  int side = (int) profiles->side;
  gsize first = zone * n_points (profiles);
  profiles->n[zone]++;
  for (guint i = 0; i < n; i++)
    {
      int x = (int) lround (radial[i] * FL_PROFILES_GRID) + side / 2;
      int y = (int) lround (tangential[i] * FL_PROFILES_GRID) + side / 2;
      if (x < 0 || y < 0 || x >= side || y >= side)
        continue;
      profiles->intensity[first + (gsize) (y * side + x)] += llround (weight * part[i]);
      profiles->weight[first + (gsize) (y * side + x)] += llround (weight);
    }
}

void
fl_profiles_add_rocking (FlProfiles *profiles, double excitation, double relative)
{
  double step = ceil (log (MAX (fabs (excitation), FIRST_STEP) / FIRST_STEP) / log (STEP));
  if (!(step < FL_PROFILES_ROCKING))
    return;
  profiles->rocking_n[(guint) step]++;
  profiles->rocking[(guint) step] += llround (ONE * CLAMP (relative, -MAX_ROCKING, MAX_ROCKING));
}

void
fl_profiles_merge (FlProfiles *profiles, const FlProfiles *from)
{
  g_return_if_fail (profiles->side == from->side && profiles->n_zones == from->n_zones);
  for (guint zone = 0; zone < profiles->n_zones; zone++)
    profiles->n[zone] += from->n[zone];
  for (guint i = 0; i < FL_PROFILES_ROCKING; i++)
    {
      profiles->rocking_n[i] += from->rocking_n[i];
      profiles->rocking[i] += from->rocking[i];
    }
  for (gsize i = 0; i < profiles->n_zones * n_points (profiles); i++)
    {
      profiles->intensity[i] += from->intensity[i];
      profiles->weight[i] += from->weight[i];
    }
}

/* --- text --- */

char *
fl_profiles_write (const FlProfiles *profiles)
{
  GString *text = g_string_new (HEADER "\n");
  g_string_append_printf (text, "side %u\nrocking", profiles->side);
  for (guint i = 0; i < FL_PROFILES_ROCKING; i++)
    g_string_append_printf (text, " %" G_GUINT64_FORMAT " %" G_GINT64_FORMAT, profiles->rocking_n[i],
                            profiles->rocking[i]);
  g_string_append_c (text, '\n');
  for (guint zone = 0; zone < profiles->n_zones; zone++)
    {
      if (profiles->n[zone] == 0)
        continue;
      g_string_append_printf (text, "zone %u %" G_GUINT64_FORMAT, zone, profiles->n[zone]);
      gsize first = zone * n_points (profiles);
      for (gsize i = first; i < first + n_points (profiles); i++)
        g_string_append_printf (text, " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT, profiles->intensity[i],
                                profiles->weight[i]);
      g_string_append_c (text, '\n');
    }
  g_string_append (text, "end\n");
  return g_string_free (text, FALSE);
}

/* The next whole number of a line; FALSE: there is none, or one that sums do not reach. */
static gboolean
next_number (const char **at, gint64 min, gint64 *number)
{
  char *end;
  *number = g_ascii_strtoll (*at, &end, 10);
  gboolean good = end != *at && *number >= min && *number <= MAX_SUM && (*end == ' ' || *end == '\0');
  *at = end;
  return good;
}

static gboolean
read_rocking (const char *at, FlProfiles *profiles)
{
  for (guint i = 0; i < FL_PROFILES_ROCKING; i++)
    {
      gint64 n;
      if (!next_number (&at, 0, &n) || !next_number (&at, -MAX_SUM, &profiles->rocking[i]))
        return FALSE;
      profiles->rocking_n[i] = (guint64) n;
    }
  return *at == '\0';
}

static gboolean
read_zone (const char *at, FlProfiles *profiles)
{
  gint64 zone, n;
  if (!next_number (&at, 0, &zone) || zone >= profiles->n_zones || profiles->n[zone] != 0
      || !next_number (&at, 1, &n))
    return FALSE;
  profiles->n[zone] = (guint64) n;
  gsize first = (gsize) zone * n_points (profiles);
  for (gsize i = first; i < first + n_points (profiles); i++)
    if (!next_number (&at, -MAX_SUM, &profiles->intensity[i]) || !next_number (&at, 0, &profiles->weight[i]))
      return FALSE;
  return *at == '\0';
}

FlProfiles *
fl_profiles_read (const char *text, GError **error)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autoptr (FlProfiles) profiles = NULL;
  guint n_lines = g_strv_length (lines), line = 0;
  gboolean good = n_lines > 3 && strcmp (lines[0], HEADER) == 0 && g_str_has_prefix (lines[1], "side ");
  if (good)
    {
      const char *at = lines[1] + 5;
      gint64 side;
      line = 1;
      good = next_number (&at, 1, &side) && *at == '\0' && side <= MAX_SIDE && side % 2 == 1;
      if (good)
        profiles = new_of_side ((guint) side);
    }
  if (good)
    {
      line = 2;
      good = g_str_has_prefix (lines[2], "rocking ") && read_rocking (lines[2] + 7, profiles);
    }
  while (good && strcmp (lines[++line], "end") != 0)
    good = line + 1 < n_lines && g_str_has_prefix (lines[line], "zone ")
           && read_zone (lines[line] + 5, profiles);
  if (good)
    return g_steal_pointer (&profiles);
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
               "line %u: not learned profiles, expected what this program writes", line + 1);
  return NULL;
}

/* --- use --- */

gboolean
fl_profiles_table (const FlProfiles *profiles, guint zone, float *table)
{
  guint first = zone, last = zone;
  guint64 n = profiles->n[zone];
  if (n < MIN_LEARNED)
    {
      first = 0;
      last = profiles->n_zones - 1;
      n = 0;
      for (guint i = 0; i < profiles->n_zones; i++)
        n += profiles->n[i];
    }
  if (n < MIN_LEARNED)
    return FALSE;
  for (gsize i = 0; i < n_points (profiles); i++)
    {
      double intensity = 0, weight = 0;
      for (guint z = first; z <= last; z++)
        {
          intensity += (double) profiles->intensity[z * n_points (profiles) + i];
          weight += (double) profiles->weight[z * n_points (profiles) + i];
        }
      table[i] = weight > 0 ? (float) MAX (intensity / weight, 0) : 0;
    }
  return TRUE;
}

float
fl_profiles_at (const float *table, guint side, float radial, float tangential)
{
  float x = radial * FL_PROFILES_GRID + (float) (side / 2),
        y = tangential * FL_PROFILES_GRID + (float) (side / 2);
  if (!(x >= 0 && y >= 0 && x < (float) (side - 1) && y < (float) (side - 1)))
    return 0;
  guint i = (guint) x, j = (guint) y;
  float u = x - (float) i, v = y - (float) j;
  const float *p = table + j * side + i;
  return (1 - v) * ((1 - u) * p[0] + u * p[1]) + v * ((1 - u) * p[side] + u * p[side + 1]);
}

double
fl_profiles_half_width (const FlProfiles *profiles)
{
  double n = 0, sum = 0;
  for (guint i = 0; i < FL_PROFILES_ROCKING; i++)
    {
      double n_here = (double) profiles->rocking_n[i], sum_here = (double) profiles->rocking[i];
      if (n >= MIN_ROCKING && n_here > 0 && sum > 0 && sum_here / n_here < 0.5 * sum / n)
        return FIRST_STEP * pow (STEP, i - 0.5);
      n += n_here;
      sum += sum_here;
    }
  return 0;
}
