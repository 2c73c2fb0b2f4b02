#include <math.h>
#include <string.h>

#include "engine/base/units.h"
#include "engine/control/findings-private.h"

/* Parts of the hits */
#define FEW_INDEXED  0.2
#define NONE_INDEXED 0.1

/* --- rings --- */

/* Å, hexagonal ice */
static const double ice[] = { 3.90, 3.67, 3.44, 2.67, 2.25, 2.07, 1.95, 1.92, 1.88 };

static guint
ring_of (double d)
{
  return (guint) (1 / (d * d) / FL_RING_STEP);
}

static gboolean
is_ice (guint ring)
{
  for (guint i = 0; i < G_N_ELEMENTS (ice); i++)
    if (ring_of (ice[i]) == ring)
      return TRUE;
  return FALSE;
}

/* Mean spots of the rings about it that no ice ring can reach. */
static double
neighbours (const FlRingSum *rings, guint ring)
{
  double sum = 0;
  guint n = 0;
  for (guint i = MAX (ring, 5) - 5; i <= MIN (ring + 5, FL_FINDINGS_RINGS - 1); i++)
    if (!is_ice (i) && !is_ice (i + 1) && (i == 0 || !is_ice (i - 1)))
      {
        sum += (double) rings[i].spots;
        n++;
      }
  return n > 0 ? sum / n : NAN;
}

static void
judge_ice (const FlJobView *job, GPtrArray *list)
{
  const FlRingSum *rings = job->evidence->rings;
  g_autoptr (GString) seen = g_string_new (NULL);
  guint n = 0, strong = 0, first = 0, weak_first = 0, before = 0;
  double worst = 0;
  for (guint i = 0; i < G_N_ELEMENTS (ice); i++)
    {
      guint ring = ring_of (ice[i]);
      double usual = neighbours (rings, ring), spots = (double) rings[ring].spots;
      /* Two rings of ice may be one here. */
      if (ring == before || !(spots > 1.35 * usual) || spots - usual < fmax (20, 6 * sqrt (usual)))
        continue;
      before = ring;
      n++;
      strong += spots > 2 * usual;
      first += i < 3 && spots > 2 * usual;
      weak_first += i < 3;
      worst = fmax (worst, spots / fmax (usual, 1));
      g_string_append_printf (seen, "%s%.2f Å %.0f (about it %.0f)", n > 1 ? ", " : "", ice[i], spots, usual);
    }
  /* One ring by itself may be the crystal's own. */
  if (strong < 3 && first < 2 && weak_first < 3)
    return;
  fl_findings_add (list, job, FL_FINDING_ICE, worst > 5 ? 2 : 1, NULL, g_strdup ("Ice rings"),
                   g_strdup_printf ("%u rings, up to %.1f times their neighbours: spots of %s at %s", n,
                                    worst, job->run, seen->str),
                   g_strdup ("Look at the sample delivery (humidity, cryoprotection, nozzle); leave the "
                             "rings out when merging."));
}

static void
judge_salt (const FlJobView *job, GPtrArray *list)
{
  const FlRingSum *rings = job->evidence->rings;
  guint64 spots = 0, salt = 0;
  double intensity = 0, strong = 0, best = INFINITY;
  for (guint i = 0; i < FL_FINDINGS_RINGS; i++)
    {
      const double d = 1 / sqrt ((i + 0.5) * FL_RING_STEP);
      if (d > 3.2)
        {
          spots += rings[i].spots;
          intensity += rings[i].intensity;
        }
    }
  for (guint i = ring_of (3.2); i < FL_FINDINGS_RINGS && spots > 0; i++)
    if (rings[i].spots >= 5 && rings[i].intensity > 10 * intensity / (double) spots * (double) rings[i].spots)
      {
        salt += rings[i].spots;
        strong += rings[i].intensity;
        best = fmin (best, 1 / sqrt ((i + 0.5) * FL_RING_STEP));
      }
  if (spots < 100 || salt < 20)
    return;
  double mean = intensity / (double) spots, salty = strong / (double) salt;
  fl_findings_add (
      list, job, FL_FINDING_SALT, 1, NULL,
      g_strdup_printf ("Salt: high-resolution spots %.0f times as strong", salty / mean),
      g_strdup_printf ("%" G_GUINT64_FORMAT
                       " spots of %s to %.2f Å with %.3g counts each; those of d > 3.2 Å %.3g",
                       salt, job->run, best, salty, mean),
      g_strdup ("Look at the buffer and the nozzle (salt crystals); such shots are hits, and do not index."));
}

void
fl_findings_judge_rings (const FlJobView *job, GPtrArray *list)
{
  judge_ice (job, list);
  judge_salt (job, list);
}

/* --- cell --- */

static gboolean
cells_differ (const FlCellRow *a, const FlCellRow *b)
{
  for (guint i = 0; i < 3; i++)
    if (fabsf (a->cell[i] / b->cell[i] - 1) > 0.03f || fabsf (a->cell[i + 3] - b->cell[i + 3]) > 0.05f)
      return TRUE;
  return FALSE;
}

static char *
cell_text (const FlCellRow *cell)
{
  return g_strdup_printf ("%.1f %.1f %.1f Å %.1f %.1f %.1f°", (double) cell->cell[0], (double) cell->cell[1],
                          (double) cell->cell[2], fl_degrees ((double) cell->cell[3]),
                          fl_degrees ((double) cell->cell[4]), fl_degrees ((double) cell->cell[5]));
}

static double
part_indexed (const FlJobView *job)
{
  return (double) job->stats.indexed / (double) MAX (job->stats.hits, 1);
}

void
fl_findings_judge_cell (const FlJobView *job, const GArray *every, GPtrArray *list)
{
  const FlJobEvidence *e = job->evidence;
  const FlJobView *better = NULL;
  double part = part_indexed (job);
  if (!e->asked || !e->has_cell || job->stats.hits < FL_FINDINGS_HITS)
    return;
  for (guint i = 0; i < every->len; i++)
    {
      const FlJobView *other = &g_array_index (every, FlJobView, i);
      double theirs = part_indexed (other);
      if (other->stats.run == job->stats.run && other->stats.hits >= FL_FINDINGS_HITS
          && other->evidence->has_cell && cells_differ (&other->evidence->cell, &e->cell) && theirs > 2 * part
          && theirs > 0.2 && (better == NULL || theirs > part_indexed (better)))
        better = other;
    }
  if (better == NULL && part >= FEW_INDEXED)
    return;
  g_autofree char *cell = cell_text (&e->cell);
  g_autofree char *other = better != NULL ? cell_text (&better->evidence->cell) : NULL;
  g_autofree char *compared =
      better != NULL ? g_strdup_printf ("; %s indexes %.0f %%", other, 100 * part_indexed (better))
                     : g_strdup ("");
  fl_findings_add (
      list, job, FL_FINDING_WRONG_CELL, better != NULL || part < NONE_INDEXED ? 3 : 2, NULL,
      better != NULL
          ? g_strdup ("Wrong cell: another one indexes more")
          : g_strdup_printf ("%s (%.0f %%)", part < NONE_INDEXED ? "Hits do not index" : "Few hits index",
                             100 * part),
      g_strdup_printf ("%s %s indexes %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " hits of %s (%.0f %%)%s",
                       e->cell.told ? "the told cell" : "the proposed cell", cell, job->stats.indexed,
                       job->stats.hits, job->run, 100 * part, compared),
      better != NULL ? g_strdup_printf ("Use %s.", other)
                     : g_strdup ("Let a trial without a cell propose one; if it finds none either, "
                                 "check the geometry, distance and photon energy."));
}

/* --- light, against the trial's other runs --- */

typedef struct
{
  double signal;   /* counts/px, of single particles photons a shot; NAN: not known */
  double strength; /* counts a spot, photons a hit; NAN */
  double spots;    /* a hit; NAN */
  double hit_rate;
} Light;

static Light
light_of (const FlJobView *job)
{
  const FlJobEvidence *e = job->evidence;
  Light light = { NAN, NAN, NAN, (double) job->stats.hits / (double) MAX (job->stats.shots, 1) };
  double sum = 0, weight = 0, intensity = 0, spots = 0;
  for (guint p = 0; p < e->panels->len; p++)
    {
      const FlPanelSum *panel = &g_array_index (e->panels, FlPanelSum, p);
      if (panel->shots == 0)
        continue;
      sum += panel->mean / (double) panel->shots * (double) panel->pixels;
      weight += (double) panel->pixels;
    }
  for (guint i = 0; i < FL_FINDINGS_RINGS; i++)
    {
      intensity += e->rings[i].intensity;
      spots += (double) e->rings[i].spots;
    }
  if (weight > 0)
    light.signal = sum / weight;
  if (e->particles > 0)
    light.signal = e->photons / (double) e->particles;
  if (e->singles >= FL_FINDINGS_HITS)
    light.strength = e->signal / (double) e->singles;
  if (job->stats.hits >= FL_FINDINGS_HITS && spots > 0)
    {
      light.strength = intensity / spots;
      light.spots = (double) job->stats.spots / (double) job->stats.hits;
    }
  return light;
}

typedef struct
{
  const FlJobView *job;
  Light own;
  gboolean counts; /* for the others */
} Lit;

/* Sorted values of one field of those that count. */
static GArray *
sorted_field (const GArray *lit, gsize offset)
{
  GArray *values = g_array_new (FALSE, FALSE, sizeof (double));
  for (guint i = 0; i < lit->len; i++)
    {
      const Lit *one = &g_array_index (lit, Lit, i);
      double value = *(const double *) (const void *) ((const char *) &one->own + offset);
      if (one->counts && isfinite (value))
        g_array_append_val (values, value);
    }
  fl_findings_median ((double *) (void *) values->data, values->len);
  return values;
}

/* Of the others: without one `value`, if that is among them. */
static double
median_without (const GArray *sorted, gboolean among, double value)
{
  const double *v = (const double *) (const void *) sorted->data;
  guint n = sorted->len, out = n;
  for (guint low = 0, high = n; among && isfinite (value) && low < high;)
    {
      guint middle = (low + high) / 2;
      if (v[middle] < value)
        low = middle + 1;
      else
        out = high = middle;
    }
  guint left = out < n ? n - 1 : n, a = (MAX (left, 1) - 1) / 2, b = left / 2;
  if (left == 0)
    return NAN;
  return (v[a + (a >= out)] + v[b + (b >= out)]) / 2;
}

/* Weak spots alone may be of small crystals, little background of a thin jet: unless both are. */
static gboolean
is_weak (const Light *own, const Light *usual)
{
  return (own->strength < usual->strength / 3 && own->spots < 0.8 * usual->spots)
         || (own->strength < usual->strength / 2 && own->signal < usual->signal / 2);
}

static char *
few_photons (const Lit *lit, const Light *usual)
{
  const Light *own = &lit->own;
  double rate = 100 * own->hit_rate, usual_rate = 100 * usual->hit_rate;
  if (lit->job->evidence->particles > 0)
    return g_strdup_printf (
        "%s: %.4g photons a hit above background, %.4g a shot; other runs: %.4g, %.4g; hit "
        "rate %.1f %%, others %.1f %%",
        lit->job->run, own->strength, own->signal, usual->strength, usual->signal, rate, usual_rate);
  return g_strdup_printf (
      "%s: %.3g counts a spot, %.0f spots a hit, %.3g counts/px; other runs: %.3g, %.0f, %.3g; "
      "hit rate %.1f %%, others %.1f %%",
      lit->job->run, own->strength, own->spots, own->signal, usual->strength, usual->spots, usual->signal,
      rate, usual_rate);
}

static void
compare_light (const Lit *lit, const Light *usual, GPtrArray *list)
{
  const FlJobView *job = lit->job;
  const Light *own = &lit->own;
  gboolean particles = job->evidence->particles > 0;
  double expected = usual->hit_rate * (double) job->stats.shots;
  if (expected >= 20 && (double) job->stats.hits < 0.02 * expected && usual->signal > 0
      && own->signal < 0.25 * usual->signal)
    fl_findings_add (
        list, job, FL_FINDING_DARK_RUN, 1, NULL, g_strdup ("No light"),
        g_strdup_printf ("%" G_GINT64_FORMAT " hits in %" G_GINT64_FORMAT
                         " shots of %s (as in the other runs: %.0f), %.3g %s (other runs: %.3g)",
                         job->stats.hits, job->stats.shots, job->run, expected, own->signal,
                         particles ? "photons a shot" : "counts/px", usual->signal),
        g_strdup ("If it was meant to be dark, keep it out of the datasets; if not: no beam came (shutter, "
                  "attenuator)."));
  else if (is_weak (own, usual) && own->hit_rate > 0.5 * usual->hit_rate)
    fl_findings_add (list, job, FL_FINDING_FEW_PHOTONS, 2, NULL,
                     g_strdup_printf ("Too few photons: %s %.0f %% as strong", particles ? "hits" : "spots",
                                      100 * own->strength / usual->strength),
                     few_photons (lit, usual), g_strdup ("Look at pulse energy, attenuator and focus."));
}

#define FIELD(field)  sorted_field (lit, G_STRUCT_OFFSET (Light, field))
#define OTHERS(field) median_without (field, one->counts, one->own.field)

void
fl_findings_judge_light (const GArray *trial, GPtrArray *list)
{
  g_autoptr (GArray) lit = g_array_new (FALSE, FALSE, sizeof (Lit));
  for (guint i = 0; i < trial->len; i++)
    {
      const FlJobView *job = &g_array_index (trial, FlJobView, i);
      Lit one = { job, light_of (job), job->stats.hits >= FL_FINDINGS_HITS };
      g_array_append_val (lit, one);
    }
  g_autoptr (GArray) signal = FIELD (signal);
  g_autoptr (GArray) strength = FIELD (strength);
  g_autoptr (GArray) spots = FIELD (spots);
  g_autoptr (GArray) hit_rate = FIELD (hit_rate);
  for (guint i = 0; i < lit->len; i++)
    {
      const Lit *one = &g_array_index (lit, Lit, i);
      Light usual = { OTHERS (signal), OTHERS (strength), OTHERS (spots), OTHERS (hit_rate) };
      compare_light (one, &usual, list);
    }
}
