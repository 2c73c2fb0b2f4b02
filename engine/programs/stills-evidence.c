#include "engine/programs/stills-evidence.h"

#include <math.h>
#include <stdlib.h>

#include "engine/base/hash.h"
#include "engine/base/units.h"

#define ONE_SHOT_OF 16
#define ROW_STEP    16
#define NOTE_SHOTS  512
#define NOTE_AFTER  (10 * FL_NS_PER_S)
#define MAX_RINGS   512 /* to 0.7 Å */

typedef struct
{
  guint64 pixels, masked, zeros;
  double sum, square; /* over shots, of the panel's mean */
  GArray *noise;      /* float a shot */
  guint32 spots, saturated;
  float pixel_size, distance;
} Panel;

typedef struct
{
  guint32 spots;
  double intensity, pixels;
} Ring;

struct FlEvidence
{
  guint32 shots, hits; /* since the last note */
  guint64 since;
  GArray *panels; /* Panel */
  Ring rings[MAX_RINGS];
};

static void
panel_clear (gpointer data)
{
  g_array_unref (((Panel *) data)->noise);
}

FlEvidence *
fl_evidence_new (void)
{
  FlEvidence *self = g_new0 (FlEvidence, 1);
  self->panels = g_array_new (FALSE, TRUE, sizeof (Panel));
  g_array_set_clear_func (self->panels, panel_clear);
  return self;
}

void
fl_evidence_free (FlEvidence *evidence)
{
  g_array_unref (evidence->panels);
  g_free (evidence);
}

/* σ from the mean absolute difference of neighbours in a row (for normal noise √π/2 of it): gradients and spots hardly count. */
static void
look_at_panel (Panel *sum, const FlShot *shot, const FlDetector *detector, const FlPanel *panel)
{
  const guint8 *mask = shot->mask != NULL ? shot->mask : detector->mask;
  double total = 0, difference = 0;
  guint64 good = 0, pairs = 0;
  for (guint ss = ROW_STEP / 2 < panel->n_ss ? ROW_STEP / 2 : 0; ss < panel->n_ss; ss += ROW_STEP)
    {
      double before = NAN;
      for (guint fs = 0; fs < panel->n_fs; fs++)
        {
          gsize at = panel->offset + ss * panel->stride + fs;
          double value = mask[at] == 0 ? fl_shot_value (shot, at) : NAN;
          if (isfinite (value) && value > panel->trusted_min && value < panel->trusted_max)
            {
              good++;
              total += value;
              sum->zeros += !(value > 0) && !(value < 0);
              if (isfinite (before))
                {
                  difference += fabs (value - before);
                  pairs++;
                }
              before = value;
            }
          else
            {
              sum->masked++;
              before = NAN;
            }
        }
    }
  double mean = good > 0 ? total / (double) good : 0;
  float noise = (float) (pairs > 0 ? sqrt (FL_PI) / 2 * difference / (double) pairs : 0);
  sum->pixels += good;
  sum->sum += mean;
  sum->square += mean * mean;
  g_array_append_val (sum->noise, noise);
}

/* In the raw pixels: a saturated one may be bad for the spot finder. */
static gboolean
is_saturated (const FlShot *shot, const FlDetector *detector, const FlSpotRow *spot)
{
  const FlPanel *panel = &detector->panels[spot->panel];
  int fs = (int) spot->fs, ss = (int) spot->ss;
  for (int y = MAX (ss - 1, 0); y <= MIN (ss + 1, (int) panel->n_ss - 1); y++)
    for (int x = MAX (fs - 1, 0); x <= MIN (fs + 1, (int) panel->n_fs - 1); x++)
      {
        gsize at = panel->offset + (gsize) y * panel->stride + (gsize) x;
        double limit = detector->saturation != NULL ? (double) detector->saturation[at] : panel->saturation;
        if (isfinite (limit) && detector->mask[at] == 0 && fl_shot_value (shot, at) >= limit)
          return TRUE;
      }
  return FALSE;
}

static void
need_panels (FlEvidence *evidence, const FlDetector *detector)
{
  for (guint p = evidence->panels->len; p < detector->n_panels; p++)
    {
      Panel panel = { .noise = g_array_new (FALSE, FALSE, sizeof (float)) };
      g_array_append_val (evidence->panels, panel);
    }
  for (guint p = 0; p < detector->n_panels && detector->placed; p++)
    {
      Panel *panel = &g_array_index (evidence->panels, Panel, p);
      panel->pixel_size = (float) detector->panels[p].pixel_size;
      panel->distance = (float) detector->panels[p].origin.z;
    }
}

void
fl_evidence_add (FlEvidence *evidence, const FlShot *shot, const FlDetector *detector, const FlFound *found)
{
  FlRandom draw = fl_random (shot->id ^ 0x65766964656e6365ull);
  if (evidence->shots++ == 0)
    evidence->since = fl_tick_ns ();
  evidence->hits += found->hit != 0;
  need_panels (evidence, detector);
  for (guint i = 0; i < found->n_spots; i++)
    {
      const FlSpotRow *spot = &found->spots[i];
      Panel *panel = &g_array_index (evidence->panels, Panel, spot->panel);
      panel->spots++;
      panel->saturated += is_saturated (shot, detector, spot) != 0;
      double number = 1 / ((double) spot->d * spot->d) / FL_RING_STEP;
      if (!(number < MAX_RINGS) || !detector->placed)
        continue;
      Ring *ring = &evidence->rings[(guint) number];
      ring->spots++;
      ring->intensity += spot->intensity;
      ring->pixels += spot->pixels;
    }
  if (fl_random_u64 (&draw) % ONE_SHOT_OF != 0)
    return;
  for (guint p = 0; p < detector->n_panels; p++)
    look_at_panel (&g_array_index (evidence->panels, Panel, p), shot, detector, &detector->panels[p]);
}

static int
compare_floats (gconstpointer a, gconstpointer b)
{
  float x = *(const float *) a, y = *(const float *) b;
  return x < y ? -1 : x > y;
}

static FlBatch *
pack_panels (const FlEvidence *evidence)
{
  FlBatch *batch = fl_batch_new (FL_KIND_PANEL);
  for (guint p = 0; p < evidence->panels->len; p++)
    {
      const Panel *panel = &g_array_index (evidence->panels, Panel, p);
      guint n = panel->noise->len;
      FlPanelRow row = { .panel = (guint16) p,
                         .shots = n,
                         .spots = panel->spots,
                         .saturated = panel->saturated,
                         .pixel_size = panel->pixel_size,
                         .distance = panel->distance };
      if (n > 0)
        {
          double mean = panel->sum / n;
          g_array_sort (panel->noise, compare_floats);
          row.pixels = (guint32) (panel->pixels / n);
          row.masked = (guint32) (panel->masked / n);
          row.mean = (float) mean;
          row.sigma = (float) sqrt (fmax (panel->square / n - mean * mean, 0));
          row.noise = g_array_index (panel->noise, float, n / 2);
          row.zeros = panel->pixels > 0 ? (float) ((double) panel->zeros / (double) panel->pixels) : 0;
        }
      fl_batch_append (batch, &row);
    }
  return batch;
}

static FlBatch *
pack_rings (const FlEvidence *evidence)
{
  FlBatch *batch = fl_batch_new (FL_KIND_RING);
  for (guint i = 0; i < MAX_RINGS; i++)
    {
      const Ring *ring = &evidence->rings[i];
      FlRingRow row = {
        .number = (guint16) i, .shots = evidence->shots, .hits = evidence->hits, .spots = ring->spots
      };
      row.intensity = (float) (ring->intensity / MAX (ring->spots, 1));
      row.density = (float) (ring->pixels / MAX (ring->spots, 1));
      if (ring->spots > 0)
        fl_batch_append (batch, &row);
    }
  return batch;
}

gboolean
fl_evidence_note (FlEvidence *evidence, FlRecorder *recorder, gboolean now, GError **error)
{
  if (evidence->shots == 0
      || (!now && evidence->shots < NOTE_SHOTS && fl_tick_ns () - evidence->since < NOTE_AFTER))
    return TRUE;
  g_autoptr (FlBatch) panels = pack_panels (evidence);
  g_autoptr (FlBatch) rings = pack_rings (evidence);
  GArray *kept = evidence->panels;
  g_array_set_size (kept, 0);
  *evidence = (FlEvidence){ .panels = kept };
  return (fl_batch_rows (panels) == 0 || fl_recorder_note (recorder, panels, error))
         && (fl_batch_rows (rings) == 0 || fl_recorder_note (recorder, rings, error));
}
