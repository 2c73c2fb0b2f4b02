/* profiles.h: how the spots of a run look, learned from strong reflections (as XDS and DIALS do; Rossmann 1979, J. Appl.
 * Cryst. 12, 225; the grid finer than a pixel as in Anderson & King 2000, PASP 112, 1360).
 *
 * A profile is the part of a reflection's intensity that a pixel holds, as function of the distance of the pixel's centre
 * from the predicted place along the radial (away from the beam) and the tangential direction, in px. It holds what pixels,
 * bandwidth, crystals and errors of prediction do to spots. One a zone of 2θ.
 *
 * With them goes the rocking curve: mean intensity against excitation error, which shows how thick reciprocal points
 * really are. (Strong spots alone do not: of strong reflections, spot finders see the fringes.)
 *
 * Sums are integers: learning in any order, on any number of ranks, gives the same bits.
 * Thread: one writes; any may read. */
#pragma once

#include <glib.h>

#define FL_PROFILES_ZONE    0.1 /* rad of 2θ a zone */
#define FL_PROFILES_GRID    3   /* points a px */
#define FL_PROFILES_ROCKING 50  /* steps of |excitation| */

typedef struct
{
  guint n_zones, side; /* grid of side × side, the middle at side / 2 */
  guint64 *n;          /* n_zones: reflections learned */
  gint64 *intensity,
      *weight; /* n_zones × side × side, radial index fastest: Σ w I_pixel / I and Σ w, fixed point */
  guint64 rocking_n[FL_PROFILES_ROCKING]; /* reflections at |excitation| below 1e-5/Å · 1.15^(i + 1) */
  gint64 rocking[FL_PROFILES_ROCKING]; /* Σ of their intensities relative to their shot's mean, fixed point */
} FlProfiles;

/* For offsets up to `reach` px. */
FlProfiles *fl_profiles_new (double reach);
FlProfiles *fl_profiles_copy (const FlProfiles *profiles);
void fl_profiles_free (FlProfiles *profiles);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlProfiles, fl_profiles_free)

guint fl_profiles_zone (double two_theta);
/* One reflection: `part` of its intensity in n pixels at `radial`, `tangential` (px); `photons` above background. */
void fl_profiles_add (FlProfiles *profiles, guint zone, guint n, const float *radial, const float *tangential,
                      const float *part, double photons);
/* One reflection, strong or weak: `excitation` in 1/Å, `relative` its intensity over the mean of its shot's. */
void fl_profiles_add_rocking (FlProfiles *profiles, double excitation, double relative);
/* Both must be for the same reach. */
void fl_profiles_merge (FlProfiles *profiles, const FlProfiles *from);

/* Text, a line a zone. */
char *fl_profiles_write (const FlProfiles *profiles);
/* FL_ERROR_INPUT: not what fl_profiles_write() makes; names the line. */
FlProfiles *fl_profiles_read (const char *text, GError **error);

/* side × side values of a zone, ≥ 0; of all zones together where it has learned too little; FALSE: all have. */
gboolean fl_profiles_table (const FlProfiles *profiles, guint zone, float *table);
/* Between the grid's points, linear. `table` as above. */
float fl_profiles_at (const float *table, guint side, float radial, float tangential);

/* |excitation|, 1/Å, at which reflections have half the mean intensity of those nearer to the sphere: in a plain mean,
 * those beyond spoil more than they help. 0: not known. */
double fl_profiles_half_width (const FlProfiles *profiles);
