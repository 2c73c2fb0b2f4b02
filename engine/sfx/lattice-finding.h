/* lattice-finding.h: the spots of one shot -> its lattices and their reflections: index, refine, mosaic model, predict,
 * integrate, in this order, each stage by the header of its name.
 *
 * What a learning pass found is given when the finder is made and does not change with the shots that it sees: a shot's
 * result depends on that shot alone. Thread: a finder belongs to one. */
#pragma once

#include "engine/base/batch.h"
#include "engine/base/params.h"
#include "engine/crystal/lattice.h"
#include "engine/sfx/mosaic.h"
#include "engine/sfx/profiles.h"
#include "engine/sfx/spot-finding.h"

/* How far to go. */
typedef enum
{
  FL_UNTIL_INDEXED,   /* lattices, refined */
  FL_UNTIL_INTEGRATED /* and their reflections */
} FlUntil;

/* Owned by the finder until its next shot. */
typedef struct
{
  const FlLatticeRow *lattices; /* the surest first */
  const FlMosaic *mosaics;      /* one a lattice: as it was fitted, bandwidth and divergence included */
  guint n_lattices;
  const FlReflectionRow *reflections; /* by lattice, then (h, k, l) */
  guint n_reflections;
  guint64 duration[3]; /* ns: index, refine, integrate */
} FlLattices;

typedef struct FlLatticeFinder FlLatticeFinder;

/* `known` is copied; `device` borrowed; `prior` (may be NULL) copied. */
FlLatticeFinder *fl_lattice_finder_new (const FlParams *params, const FlKnownCell *known,
                                        const FlMosaic *prior, FlUntil until, FlkDevice *device,
                                        GError **error);
void fl_lattice_finder_free (FlLatticeFinder *finder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlLatticeFinder, fl_lattice_finder_free)

/* From now on it works on `device`; the one before must still be open. FALSE: that one is of no use. */
gboolean fl_lattice_finder_change_device (FlLatticeFinder *finder, FlkDevice *device, GError **error);

/* Profiles that a learning pass has learned; copied. */
void fl_lattice_finder_set_profiles (FlLatticeFinder *finder, const FlProfiles *profiles);

typedef void (*FlStageFunc) (FlStage stage, gpointer data);

/* `gain`: counts a photon. `stage` (may be NULL) is called as each stage begins. No lattice is no error. FALSE:
 * FL_ERROR_INPUT (the shot: nobody says its wavelength, or where its pixels are), FL_ERROR_FAILED (the device). */
gboolean fl_lattice_finder_find (FlLatticeFinder *finder, const FlShot *shot, FlDetector *detector,
                                 const FlFound *found, double gain, FlStageFunc stage, gpointer data,
                                 FlLattices *lattices, GError **error);

/* Adds the last shot's reflections to `profiles` (made by fl_lattice_finder_profiles_new()). */
void fl_lattice_finder_learn (FlLatticeFinder *finder, const FlShot *shot, const FlDetector *detector,
                              double gain, FlProfiles *profiles);
FlProfiles *fl_lattice_finder_profiles_new (const FlLatticeFinder *finder);

/* Geometry and reciprocal vectors of a shot's spots, as indexing wants them. `q`: FlVec3, `intensity`: float; emptied
 * first. FALSE as above. */
gboolean fl_spots_to_q (const FlShot *shot, const FlDetector *detector, const FlSpotRow *spots, guint n_spots,
                        GArray *q, GArray *intensity, GError **error);
