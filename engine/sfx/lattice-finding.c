#include "engine/sfx/lattice-finding.h"

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/sfx/indexing.h"
#include "engine/sfx/integration.h"
#include "engine/sfx/prediction.h"
#include "engine/sfx/refinement.h"

#define LEAST_NEW         6   /* spots that no surer lattice explains, */
#define LEAST_NEW_PART    0.3 /* and their part of all that it explains: else it is the same crystal again */
#define WORSE_RMSD        2.5 /* times the surest lattice's: then its pairs lie just anywhere */
#define RESOLUTION_SHELLS 10
#define RESOLUTION_LIMIT  1.0 /* of the mean I/sigma in a shell */

struct FlLatticeFinder
{
  const FlParams *params;
  FlKnownCell known;
  FlMosaic prior;
  gboolean has_prior;
  FlUntil until;
  guint min_spots, max_lattices;
  double min_confidence, max_rmsd, d_min;
  FlIndexer *indexer;
  FlIntegrator *integrator;

  FlDetector *detector; /* that the panel finder was made for */
  FlPanelFinder *panels;

  GArray *q, *intensity, *pairs, *taken; /* of the shot's spots; taken: gboolean, a lattice explains it */
  GArray *lattices, *mosaics, *geometries, *reflections;
};

FlLatticeFinder *
fl_lattice_finder_new (const FlParams *params, const FlKnownCell *known, const FlMosaic *prior, FlUntil until,
                       FlkDevice *device, GError **error)
{
  g_autoptr (FlIndexer) indexer = fl_indexer_new (params, known, device, error);
  if (indexer == NULL)
    return NULL;
  FlIntegrator *integrator = NULL;
  if (until == FL_UNTIL_INTEGRATED && (integrator = fl_integrator_new (params, error)) == NULL)
    return NULL;
  FlLatticeFinder *self = g_new0 (FlLatticeFinder, 1);
  self->params = params;
  self->known = *known;
  self->has_prior = prior != NULL;
  if (prior != NULL)
    self->prior = *prior;
  self->until = until;
  self->min_spots = (guint) fl_params_int (params, "indexing.min_spots");
  self->max_lattices = (guint) fl_params_int (params, "indexing.max_lattices");
  self->min_confidence = fl_params_real (params, "indexing.min_confidence");
  self->max_rmsd = fl_params_real (params, "refinement.max_rmsd");
  self->d_min = fl_params_real (params, "integration.d_min");
  self->indexer = g_steal_pointer (&indexer);
  self->integrator = integrator;
  self->q = g_array_new (FALSE, FALSE, sizeof (FlVec3));
  self->intensity = g_array_new (FALSE, FALSE, sizeof (float));
  self->pairs = g_array_new (FALSE, FALSE, sizeof (FlPair));
  self->taken = g_array_new (FALSE, TRUE, sizeof (gboolean));
  self->lattices = g_array_new (FALSE, FALSE, sizeof (FlLatticeRow));
  self->mosaics = g_array_new (FALSE, FALSE, sizeof (FlMosaic));
  self->geometries = g_array_new (FALSE, FALSE, sizeof (FlShotGeometry));
  self->reflections = g_array_new (FALSE, FALSE, sizeof (FlReflectionRow));
  return self;
}

void
fl_lattice_finder_free (FlLatticeFinder *finder)
{
  if (finder == NULL)
    return;
  GArray *arrays[] = { finder->q,        finder->intensity, finder->pairs,      finder->taken,
                       finder->lattices, finder->mosaics,   finder->geometries, finder->reflections };
  for (guint i = 0; i < G_N_ELEMENTS (arrays); i++)
    g_array_unref (arrays[i]);
  fl_indexer_free (finder->indexer);
  fl_integrator_free (finder->integrator);
  fl_panel_finder_free (finder->panels);
  g_clear_pointer (&finder->detector, fl_detector_unref);
  g_free (finder);
}

gboolean
fl_lattice_finder_change_device (FlLatticeFinder *finder, FlkDevice *device, GError **error)
{
  FlIndexer *indexer = fl_indexer_new (finder->params, &finder->known, device, error);
  if (indexer == NULL)
    return FALSE;
  fl_indexer_free (finder->indexer);
  finder->indexer = indexer;
  return TRUE;
}

void
fl_lattice_finder_set_profiles (FlLatticeFinder *finder, const FlProfiles *profiles)
{
  if (finder->integrator != NULL)
    fl_integrator_set_profiles (finder->integrator, profiles);
}

FlProfiles *
fl_lattice_finder_profiles_new (const FlLatticeFinder *finder)
{
  return fl_profiles_new (fl_params_real (finder->params, "integration.radius") + 1);
}

void
fl_lattice_finder_learn (FlLatticeFinder *finder, const FlShot *shot, const FlDetector *detector, double gain,
                         FlProfiles *profiles)
{
  fl_integrator_learn (finder->integrator, shot, detector, gain,
                       (const FlReflectionRow *) (void *) finder->reflections->data, finder->reflections->len,
                       profiles);
}

/* --- geometry --- */

static gboolean
shot_geometry (const FlShot *shot, const FlDetector *detector, FlShotGeometry *geometry, GError **error)
{
  double wavelength = shot->energy > 0 ? fl_wavelength_from_energy (shot->energy) : detector->wavelength;
  if (wavelength <= 0 || !detector->placed)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s, expected a geometry with it",
                   wavelength <= 0 ? "nobody says the photon energy" : "nobody says where the pixels are");
      return FALSE;
    }
  *geometry = (FlShotGeometry){ .detector = detector, .shift = shot->shift, .wavelength = wavelength };
  return TRUE;
}

gboolean
fl_spots_to_q (const FlShot *shot, const FlDetector *detector, const FlSpotRow *spots, guint n_spots,
               GArray *q, GArray *intensity, GError **error)
{
  FlShotGeometry geometry;
  g_array_set_size (q, n_spots);
  g_array_set_size (intensity, n_spots);
  if (!shot_geometry (shot, detector, &geometry, error))
    return FALSE;
  for (guint i = 0; i < n_spots; i++)
    {
      g_array_index (q, FlVec3, i) =
          fl_shot_geometry_q (&geometry, spots[i].panel, (double) spots[i].fs, (double) spots[i].ss);
      g_array_index (intensity, float, i) = spots[i].intensity;
    }
  return TRUE;
}

/* Files of one still each bring a detector each, all alike: made again only when it looks different. */
static void
update_panels (FlLatticeFinder *finder, FlDetector *detector)
{
  if (finder->detector == detector)
    return;
  g_clear_pointer (&finder->panels, fl_panel_finder_free);
  g_clear_pointer (&finder->detector, fl_detector_unref);
  finder->detector = fl_detector_ref (detector);
  finder->panels = fl_panel_finder_new (detector);
}

/* --- lattices --- */

static FlLatticeRow
lattice_row (const FlLatticeFinder *finder, guint64 shot, const FlIndexed *indexed, const FlRefined *refined,
             const FlShot *raw)
{
  FlCell cell = fl_lattice_cell (&refined->star);
  FlLatticeRow row = { .shot = shot,
                       .number = (guint16) finder->lattices->len,
                       .spots = indexed->n_explained,
                       .cell = { (float) cell.a, (float) cell.b, (float) cell.c, (float) cell.alpha,
                                 (float) cell.beta, (float) cell.gamma },
                       .centring = (guint8) finder->known.centring,
                       .space_group = (guint16) finder->known.space_group,
                       .confidence = (float) indexed->confidence,
                       .shift = { (float) (refined->shift.x - raw->shift.x),
                                  (float) (refined->shift.y - raw->shift.y),
                                  (float) (refined->shift.z - raw->shift.z) },
                       .rmsd = (float) refined->rmsd };
  for (int i = 0; i < 9; i++)
    row.a_star[i] = (float) refined->star.m[i / 3][i % 3];
  return row;
}

/* Two starts may refine into one lattice, and the fringes of a crystal may look like another. */
static gboolean
is_another (FlLatticeFinder *finder, const FlPair *pairs, guint n_spots, const FlRefined *refined)
{
  gboolean *taken = (gboolean *) (void *) finder->taken->data;
  guint new_spots = 0;
  for (guint i = 0; i < n_spots; i++)
    new_spots += pairs[i].used && !taken[i];
  if (finder->lattices->len > 0
      && (new_spots < LEAST_NEW || new_spots < LEAST_NEW_PART * refined->n_pairs
          || refined->rmsd > WORSE_RMSD * (double) g_array_index (finder->lattices, FlLatticeRow, 0).rmsd))
    return FALSE;
  for (guint i = 0; i < n_spots; i++)
    taken[i] |= pairs[i].used;
  return TRUE;
}

static void
add_lattice (FlLatticeFinder *finder, const FlShot *shot, const FlFound *found,
             const FlShotGeometry *geometry, const FlIndexed *indexed)
{
  FlRefined refined = { .star = indexed->star, .shift = shot->shift };
  FlPair *pairs = (FlPair *) (void *) finder->pairs->data;
  if (!fl_refine (finder->params, geometry, found->spots, found->n_spots, &finder->known, &refined, pairs,
                  NULL)
      || refined.rmsd > finder->max_rmsd || !is_another (finder, pairs, found->n_spots, &refined))
    return;
  FlMosaic mosaic;
  FlShotGeometry own = *geometry;
  own.shift = refined.shift;
  fl_mosaic_fit (finder->params, &own, found->spots, pairs, found->n_spots,
                 finder->has_prior ? &finder->prior : NULL, &mosaic);
  FlLatticeRow row = lattice_row (finder, shot->id, indexed, &refined, shot);
  row.domain_size = (float) mosaic.domain_size;
  row.mosaicity = (float) mosaic.mosaicity;
  g_array_append_val (finder->lattices, row);
  g_array_append_val (finder->mosaics, mosaic);
  g_array_append_val (finder->geometries, own);
}

static void
mark_strong (FlReflectionRow *rows, guint n, const FlFound *found)
{
  for (guint i = 0; i < n; i++)
    for (guint s = 0; s < found->n_spots; s++)
      if (found->spots[s].panel == rows[i].panel && ABS (found->spots[s].fs - rows[i].fs) < 2
          && ABS (found->spots[s].ss - rows[i].ss) < 2)
        rows[i].flags |= FL_REFLECTION_STRONG;
}

static FlMat3
star_of (const FlLatticeRow *row)
{
  FlMat3 star;
  for (int i = 0; i < 9; i++)
    star.m[i / 3][i % 3] = (double) row->a_star[i];
  return star;
}

static void
integrate (FlLatticeFinder *finder, const FlShot *shot, const FlDetector *detector, const FlFound *found,
           double gain)
{
  GArray *rows = finder->reflections;
  guint *first = g_newa (guint, finder->lattices->len + 1);
  for (guint i = 0; i < finder->lattices->len; i++)
    {
      const FlLatticeRow *lattice = &g_array_index (finder->lattices, FlLatticeRow, i);
      const FlShotGeometry *geometry = &g_array_index (finder->geometries, FlShotGeometry, i);
      FlMat3 star = star_of (lattice);
      first[i] = rows->len;
      fl_predict (geometry, &star, (char) lattice->centring, &g_array_index (finder->mosaics, FlMosaic, i),
                  finder->d_min > 0 ? finder->d_min : fl_shot_geometry_d_min (geometry), rows);
      for (guint k = first[i]; k < rows->len; k++)
        {
          FlReflectionRow *row = &g_array_index (rows, FlReflectionRow, k);
          row->shot = shot->id;
          row->lattice = (guint16) i;
        }
    }
  first[finder->lattices->len] = rows->len;
  FlReflectionRow *all = (FlReflectionRow *) (void *) rows->data;
  fl_integrator_shot (finder->integrator, shot, detector, gain, all, rows->len);
  mark_strong (all, rows->len, found);
  for (guint i = 0; i < finder->lattices->len; i++)
    {
      FlLatticeRow *lattice = &g_array_index (finder->lattices, FlLatticeRow, i);
      guint n = first[i + 1] - first[i];
      for (guint k = first[i]; k < first[i + 1]; k++)
        lattice->reflections += all[k].sigma >= 0;
      lattice->resolution =
          (float) fl_integration_resolution (all + first[i], n, RESOLUTION_LIMIT, RESOLUTION_SHELLS, NULL);
    }
}

static guint64
nanoseconds_since (guint64 *tick)
{
  guint64 now = fl_tick_ns (), spent = now - *tick;
  *tick = now;
  return spent;
}

gboolean
fl_lattice_finder_find (FlLatticeFinder *finder, const FlShot *shot, FlDetector *detector,
                        const FlFound *found, double gain, FlStageFunc stage, gpointer data,
                        FlLattices *lattices, GError **error)
{
  GArray *outputs[] = { finder->lattices, finder->mosaics, finder->geometries, finder->reflections };
  for (guint i = 0; i < G_N_ELEMENTS (outputs); i++)
    g_array_set_size (outputs[i], 0);
  *lattices = (FlLattices){ 0 };
  guint64 tick = fl_tick_ns ();
  FlShotGeometry geometry;
  FlIndexed *indexed = g_newa (FlIndexed, finder->max_lattices);
  if (found->n_spots < finder->min_spots)
    return TRUE;
  if (stage != NULL)
    stage (FL_STAGE_INDEX, data);
  if (!fl_spots_to_q (shot, detector, found->spots, found->n_spots, finder->q, finder->intensity, error)
      || !shot_geometry (shot, detector, &geometry, error))
    return FALSE;
  update_panels (finder, detector);
  geometry.finder = finder->panels;
  guint n = fl_indexer_index (finder->indexer, (const FlVec3 *) (void *) finder->q->data,
                              (const float *) (void *) finder->intensity->data, found->n_spots, indexed,
                              finder->max_lattices, error);
  if (n == G_MAXUINT)
    return FALSE;
  lattices->duration[0] = nanoseconds_since (&tick);
  if (n > 0 && stage != NULL)
    stage (FL_STAGE_REFINE, data);
  g_array_set_size (finder->pairs, found->n_spots);
  g_array_set_size (finder->taken, 0);
  g_array_set_size (finder->taken, found->n_spots);
  for (guint i = 0; i < n; i++)
    if (indexed[i].confidence >= finder->min_confidence)
      add_lattice (finder, shot, found, &geometry, &indexed[i]);
  lattices->duration[1] = nanoseconds_since (&tick);
  if (finder->until == FL_UNTIL_INTEGRATED && finder->lattices->len > 0)
    {
      if (stage != NULL)
        stage (FL_STAGE_INTEGRATE, data);
      integrate (finder, shot, detector, found, gain);
    }
  lattices->duration[2] = nanoseconds_since (&tick);
  lattices->lattices = (const FlLatticeRow *) (void *) finder->lattices->data;
  lattices->mosaics = (const FlMosaic *) (void *) finder->mosaics->data;
  lattices->n_lattices = finder->lattices->len;
  lattices->reflections = (const FlReflectionRow *) (void *) finder->reflections->data;
  lattices->n_reflections = finder->reflections->len;
  return TRUE;
}
