/* spot-shapes.h: the two shapes of bragg-spots.c. Internal to simulate/. */
#pragma once

#include "engine/simulate/bragg-spots.h"

/* One reflection near the Ewald sphere whose ray (k + q, made as long as k) meets a panel. */
typedef struct
{
  const FlBraggModel *model;
  const FlCrystal *crystal;
  FlMiller hkl;
  FlVec3 q; /* Å⁻¹ */
  double k; /* Å⁻¹, 1 / wavelength */
  const FlPanel *panel;
  guint panel_index;
  double fs, ss;   /* px, where the ray meets the panel */
  double strength; /* J r² |F|² P ΔΩ: photons a pixel for |S|² = 1 */
} FlReflection;

/* Memory that spots of one crystal share. */
typedef struct
{
  GArray *mean;    /* float */
  float *table[3]; /* lattice: sin²(πNx)/sin²(πx), from x = 0 to 1/2 */
  double table_scale[3];
  FlMat3 real_axes; /* lattice: rows a, b, c, Å, laboratory frame */
} FlSpotScratch;

/* Expected photons of the spot; FALSE when there are too few to draw (below 10⁻³). */
gboolean fl_spot_gaussian (const FlReflection *reflection, FlSpotScratch *scratch, FlPatch *patch);
gboolean fl_spot_lattice (const FlReflection *reflection, FlSpotScratch *scratch, FlPatch *patch);

/* How far from the sphere (Å⁻¹) a point at |q| ≤ q_max still gives photons. */
double fl_spot_gaussian_reach (const FlBraggModel *model, const FlCrystal *crystal, double q_max);
double fl_spot_lattice_reach (const FlBraggModel *model, const FlCrystal *crystal, double q_max);

void fl_spot_lattice_prepare (const FlCrystal *crystal, FlSpotScratch *scratch);

/* Laboratory position of a panel coordinate as the crystal, which may be off the interaction point, sees it. */
static inline FlVec3
fl_reflection_position (const FlReflection *r, double fs, double ss)
{
  return fl_vec3_sub (fl_panel_position (r->panel, fs, ss), r->crystal->position);
}

/* The part of a box about (fs, ss) that lies on the panel; FALSE when none does. */
gboolean fl_patch_place (const FlReflection *reflection, double fs, double ss, int half_width,
                         int half_height, FlSpotScratch *scratch, FlPatch *patch);
