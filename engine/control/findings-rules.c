#include <math.h>
#include <string.h>

#include "engine/control/findings-private.h"

#define MIN_LATTICES 30  /* before the geometry is judged */
#define SIGNIFICANT  5.0 /* standard errors of a median */
#define MIN_PIXELS   0.5
#define LOOSE_AXES   0.01 /* standard deviation, of the axis */
#define FEW_FAILED   5    /* shots */
#define MIN_LOOKED   4    /* shots whose pixels were looked at */
#define HOW          "a geometry task of their dataset, or firstlight-engine refine-geometry"

/* --- geometry --- */

typedef struct
{
  double median, error; /* standard error of the median: 1.2533 σ/√n, σ = 1.4826 MAD */
} Median;

static Median
median_of (const float *values, guint n)
{
  double copy[FL_FINDINGS_KEPT];
  for (guint i = 0; i < n; i++)
    copy[i] = (double) values[i];
  double median = fl_findings_median (copy, n);
  for (guint i = 0; i < n; i++)
    copy[i] = fabs ((double) values[i] - median);
  return (Median){ median, 1.2533 * 1.4826 * fl_findings_median (copy, n) / sqrt (n) };
}

static gboolean
is_off (Median m, double worth)
{
  return fabs (m.median) > worth && fabs (m.median) > SIGNIFICANT * m.error;
}

static void
judge_beam (const FlJobView *job, guint n, GPtrArray *list)
{
  const FlJobEvidence *e = job->evidence;
  Median x = median_of (e->shift[0], n), y = median_of (e->shift[1], n);
  double worth = MIN_PIXELS * e->pixel_size, off = hypot (x.median, y.median) / e->pixel_size;
  if (!is_off (x, worth) && !is_off (y, worth))
    return;
  fl_findings_add (
      list, job, FL_FINDING_BEAM_CENTRE, off > 2 ? 2 : 1, NULL,
      g_strdup_printf ("Beam centre off by %.1f px", off),
      g_strdup_printf ("refined shift x %+.3f ± %.3f mm, y %+.3f ± %.3f mm (median of %u lattices of %s)",
                       x.median, x.error, y.median, y.error, n, job->run),
      g_strdup_printf ("Refine the geometry with these lattices (" HOW
                       "), or move every panel by x %+.2f px, y %+.2f px.",
                       x.median / e->pixel_size, y.median / e->pixel_size));
}

/* Of the axes over the told ones, less 1. FALSE: none were told. */
static gboolean
compare_axes (const FlJobEvidence *e, guint n, Median axes[3])
{
  if (!e->has_cell || !e->cell.told)
    return FALSE;
  for (guint i = 0; i < 3; i++)
    {
      Median m = median_of (e->length[i], n);
      axes[i] = (Median){ m.median / (double) e->cell.cell[i] - 1, m.error / (double) e->cell.cell[i] };
    }
  return TRUE;
}

/* All axes longer or shorter by the same part: then the distance is taken as too long by as much. */
static gboolean
is_uniform (const Median axes[3], Median *ratio)
{
  *ratio = (Median){ (axes[0].median + axes[1].median + axes[2].median) / 3,
                     fmax (axes[0].error, fmax (axes[1].error, axes[2].error)) };
  for (guint i = 0; i < 3; i++)
    if (fabs (axes[i].median - ratio->median) > fmax (0.25 * fabs (ratio->median), 2 * ratio->error))
      return FALSE;
  return TRUE;
}

/* Lattices of the right cell agree better: these may be of none. */
static gboolean
is_loose (const Median axes[3], guint n)
{
  for (guint i = 0; i < 3; i++)
    if (axes[i].error * sqrt (n) / 1.2533 > LOOSE_AXES)
      return TRUE;
  return FALSE;
}

static gboolean
cell_ratio (const FlJobEvidence *e, guint n, Median *ratio)
{
  Median axes[3];
  return compare_axes (e, n, axes) && !is_loose (axes, n) && is_uniform (axes, ratio)
         && is_off (*ratio, 0.003);
}

/* The lattices have another shape than the told cell. */
static void
judge_axes (const FlJobView *job, guint n, GPtrArray *list)
{
  const FlJobEvidence *e = job->evidence;
  Median axes[3], ratio;
  double found[3], spread = 0;
  gboolean off = FALSE;
  if (!compare_axes (e, n, axes) || (!is_loose (axes, n) && is_uniform (axes, &ratio)))
    return;
  for (guint i = 0; i < 3; i++)
    {
      off |= is_off (axes[i], 0.01) || is_loose (axes, n);
      spread = fmax (spread, 100 * axes[i].error * sqrt (n) / 1.2533);
      found[i] = (1 + axes[i].median) * (double) e->cell.cell[i];
    }
  if (!off)
    return;
  fl_findings_add (
      list, job, FL_FINDING_WRONG_CELL, 2, NULL, g_strdup ("The told cell does not fit"),
      g_strdup_printf (
          "axes %.2f %.2f %.2f Å ± %.1f %% (median and spread of %u lattices of %s), told %.2f %.2f %.2f Å",
          found[0], found[1], found[2], spread, n, job->run, (double) e->cell.cell[0],
          (double) e->cell.cell[1], (double) e->cell.cell[2]),
      g_strdup (is_loose (axes, n) ? "Let a trial without a cell propose one."
                                   : "Tell these axes, or let a trial without a cell propose one."));
}

static void
judge_distance (const FlJobView *job, guint n, GPtrArray *list)
{
  const FlJobEvidence *e = job->evidence;
  if (!(e->distance > 0))
    return;
  Median z = median_of (e->shift[2], n), ratio;
  double move;
  char *evidence;
  if (is_off (z, 0.001 * e->distance))
    {
      move = z.median;
      evidence = g_strdup_printf ("refined shift z %+.3f ± %.3f mm at %.1f mm (median of %u lattices of %s)",
                                  z.median, z.error, e->distance, n, job->run);
    }
  else if (cell_ratio (e, n, &ratio))
    {
      move = -ratio.median / (1 + ratio.median) * e->distance;
      evidence = g_strdup_printf ("all axes %+.2f ± %.2f %% of the told cell (median of %u lattices of %s)",
                                  100 * ratio.median, 100 * ratio.error, n, job->run);
    }
  else
    return;
  fl_findings_add (
      list, job, FL_FINDING_DISTANCE, 2, NULL, g_strdup_printf ("Distance off by %+.2f mm", move), evidence,
      g_strdup_printf ("Refine the geometry (" HOW "), or change the camera length from %.2f to %.2f mm; "
                       "check the photon energy and the cell too.",
                       e->distance, e->distance + move));
}

void
fl_findings_judge_geometry (const FlJobView *job, GPtrArray *list)
{
  guint n = (guint) MIN (job->evidence->lattices, FL_FINDINGS_KEPT);
  if (n < MIN_LATTICES)
    return;
  if (job->evidence->pixel_size > 0)
    judge_beam (job, n, list);
  judge_distance (job, n, list);
  judge_axes (job, n, list);
}

/* --- panels --- */

static double
per_shot (double sum, const FlPanelSum *panel)
{
  return panel->shots > 0 ? sum / (double) panel->shots : 0;
}

static gboolean
is_looked_at (const FlPanelSum *panel)
{
  return panel->shots >= MIN_LOOKED && panel->pixels > 0;
}

/* Lower median of σ over the panels that live; and of them the smallest part of pixels that are not 0. */
static void
usual_noise (const FlJobEvidence *e, double *noise, double *weakest)
{
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (double));
  *weakest = INFINITY;
  for (guint p = 0; p < e->panels->len; p++)
    {
      const FlPanelSum *panel = &g_array_index (e->panels, FlPanelSum, p);
      double value = per_shot (panel->noise, panel);
      if (!is_looked_at (panel) || panel->silent >= MIN_LOOKED)
        continue;
      g_array_append_val (all, value);
      *weakest = fmin (*weakest, 1 - per_shot (panel->zeros, panel));
    }
  fl_findings_median ((double *) (void *) all->data, all->len);
  *noise = all->len > 0 ? g_array_index (all, double, (all->len - 1) / 2) : NAN;
}

/* Another panel that is at least as bright has at least half the noise: then it is the light. */
static gboolean
is_explained (const FlJobEvidence *e, guint which)
{
  const FlPanelSum *panel = &g_array_index (e->panels, FlPanelSum, which);
  double mean = per_shot (panel->mean, panel), noise = per_shot (panel->noise, panel);
  for (guint p = 0; p < e->panels->len; p++)
    {
      const FlPanelSum *other = &g_array_index (e->panels, FlPanelSum, p);
      double theirs = per_shot (other->noise, other);
      /* σ of light grows no faster than its mean: a panel half as bright with a quarter of the noise will do. */
      if (p != which && is_looked_at (other) && per_shot (other->mean, other) >= 0.5 * mean
          && theirs >= 0.25 * noise)
        return TRUE;
    }
  return FALSE;
}

/* "2, 5, 7": the first eight */
static void
name_panel (GString *names, guint *n, guint panel)
{
  if ((*n)++ < 8)
    g_string_append_printf (names, "%s%u", names->len > 0 ? ", " : "", panel);
}

static void
judge_dead_and_noisy (const FlJobView *job, GPtrArray *list)
{
  const FlJobEvidence *e = job->evidence;
  double usual, weakest, worst = 0;
  guint n_dead = 0, n_noisy = 0, n_panels = 0;
  guint64 shots = 0, silent = 0;
  g_autoptr (GString) dead = g_string_new (NULL);
  g_autoptr (GString) noisy = g_string_new (NULL);
  usual_noise (e, &usual, &weakest);
  if (!(usual > 0))
    return;
  for (guint p = 0; p < e->panels->len; p++)
    {
      const FlPanelSum *panel = &g_array_index (e->panels, FlPanelSum, p);
      double noise = per_shot (panel->noise, panel);
      if (!is_looked_at (panel))
        continue;
      n_panels++;
      shots = MAX (shots, panel->shots);
      /* Even as little light as on the weakest panel would show in so many pixels. */
      if (panel->silent >= MIN_LOOKED && weakest * (double) panel->same > 25)
        {
          name_panel (dead, &n_dead, p);
          silent = MAX (silent, panel->silent);
        }
      else if (noise > 4 * usual && !is_explained (e, p))
        {
          name_panel (noisy, &n_noisy, p);
          worst = fmax (worst, noise);
        }
    }
  if (n_panels < 2)
    return;
  if (n_dead > 0)
    fl_findings_add (
        list, job, FL_FINDING_DEAD_PANEL, 2, dead->str,
        g_strdup_printf ("Panel%s %s dead", n_dead > 1 ? "s" : "", dead->str),
        g_strdup_printf ("%u of %u panels (%s%s): all pixels the same in the last %" G_GUINT64_FORMAT
                         " shots looked at of %s; σ of the others %.3g counts",
                         n_dead, n_panels, dead->str, n_dead > 8 ? " …" : "", silent, job->run, usual),
        g_strdup ("Have the detector looked at; mask the panel until it is back."));
  if (n_noisy > 0)
    fl_findings_add (
        list, job, FL_FINDING_NOISY_PANEL, 2, noisy->str,
        g_strdup_printf ("Panel%s %s noisy", n_noisy > 1 ? "s" : "", noisy->str),
        g_strdup_printf (
            "%u of %u panels (%s%s): σ up to %.3g counts, usual %.3g, in %" G_GUINT64_FORMAT " shots of %s",
            n_noisy, n_panels, noisy->str, n_noisy > 8 ? " …" : "", worst, usual, shots, job->run),
        g_strdup ("Take new darks or calibrate again; mask the panel if it stays so."));
}

static void
judge_saturation (const FlJobView *job, GPtrArray *list)
{
  guint64 spots = 0, saturated = 0;
  for (guint p = 0; p < job->evidence->panels->len; p++)
    {
      const FlPanelSum *panel = &g_array_index (job->evidence->panels, FlPanelSum, p);
      spots += panel->spots;
      saturated += panel->saturated;
    }
  double part = spots > 0 ? (double) saturated / (double) spots : 0;
  if (spots < 1000 || part < 0.02)
    return;
  fl_findings_add (list, job, FL_FINDING_SATURATION, part < 0.1 ? 1 : 2, NULL,
                   g_strdup_printf ("Saturation: %.1f %% of the spots", 100 * part),
                   g_strdup_printf ("%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                                    " spots of %s have a pixel at or above saturation",
                                    saturated, spots, job->run),
                   g_strdup ("Attenuate the beam; the strongest low-resolution reflections are lost."));
}

void
fl_findings_judge_panels (const FlJobView *job, GPtrArray *list)
{
  judge_dead_and_noisy (job, list);
  judge_saturation (job, list);
}

/* --- shots --- */

void
fl_findings_judge_failures (const FlJobView *job, GPtrArray *list)
{
  const FlJobStats *stats = &job->stats;
  gint64 bad = stats->failed + stats->set_aside;
  double part = (double) bad / (double) MAX (stats->shots, 1);
  if (bad < FEW_FAILED || part <= 0.01) /* single frames are lost at every beamtime */
    return;
  fl_findings_add (list, job, FL_FINDING_FAILED_SHOTS, part < 0.05 ? 1 : 2, NULL,
                   g_strdup_printf ("%.*f %% of the shots failed", part < 0.1 ? 1 : 0, 100 * part),
                   g_strdup_printf ("%" G_GINT64_FORMAT " of %" G_GINT64_FORMAT
                                    " shots of %s could not be processed",
                                    bad, stats->shots, job->run),
                   g_strdup ("The job's log says why, a line each: frames that are damaged or missing?"));
}

gboolean
fl_findings_could_tell (const FlJobView *job, FlFindingKind kind)
{
  if (kind == FL_FINDING_BEAM_CENTRE || kind == FL_FINDING_DISTANCE)
    return job->evidence->lattices >= 3 * MIN_LATTICES;
  if (kind == FL_FINDING_FAILED_SHOTS)
    return job->stats.shots >= 100;
  return job->stats.hits >= FL_FINDINGS_HITS && job->evidence->panels->len > 0;
}
