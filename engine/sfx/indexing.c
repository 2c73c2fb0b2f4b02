/* indexing.c: search, fit, check; then again without the spots that are explained. */
#include "engine/sfx/indexing.h"

#include <stdlib.h>

#include "engine/base/error.h"
#include "engine/sfx/indexing-pairs.h"
#include "engine/sfx/indexing-search.h"
#include "engine/sfx/lattice-check.h"

enum
{
  ORIENTATIONS = 32, /* of a search, turned */
  PAIRS = 32,        /* of the matching of pairs, too */
  FITS = 4,          /* of these, fitted */
  FEW_SPOTS = 30     /* pairs are matched up to here */
};

#define ASIDE     0.25  /* of the shortest reciprocal axis: nearer to a lattice point, a spot is set aside */
#define SAME_TURN 0.015 /* rad: two lattices less far apart are one */

struct FlIndexer
{
  FlIndexCell cell;
  FlIndexSearch *search;
  guint min_spots, max_spots;
  double length_tolerance, angle_tolerance, min_confidence;
  GArray *spots; /* of FlIndexSpot: not explained yet */
};

FlIndexer *
fl_indexer_new (const FlParams *params, const FlKnownCell *known, FlkDevice *device, GError **error)
{
  g_autoptr (FlIndexer) indexer = g_new0 (FlIndexer, 1);
  if (!fl_index_cell_init (&indexer->cell, known))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "indexing.unit_cell: a cell without volume, expected a unit cell");
      return NULL;
    }
  indexer->search = fl_index_search_new (&indexer->cell, device);
  indexer->min_spots = (guint) fl_params_int (params, "indexing.min_spots");
  indexer->max_spots = (guint) fl_params_int (params, "indexing.max_spots");
  indexer->length_tolerance = fl_params_real (params, "indexing.length_tolerance") / 100;
  indexer->angle_tolerance = fl_params_real (params, "indexing.angle_tolerance") * G_PI / 180;
  indexer->min_confidence = fl_params_real (params, "indexing.min_confidence");
  indexer->spots = g_array_new (FALSE, FALSE, sizeof (FlIndexSpot));
  return g_steal_pointer (&indexer);
}

void
fl_indexer_free (FlIndexer *indexer)
{
  if (!indexer)
    return;
  fl_index_search_free (indexer->search);
  if (indexer->spots)
    g_array_unref (indexer->spots);
  g_free (indexer);
}

static const FlIndexSpot *
all_spots (const FlIndexer *indexer)
{
  return (const FlIndexSpot *) (gconstpointer) indexer->spots->data;
}

static gboolean
same (const FlIndexer *indexer, const FlMat3 *a, const FlMat3 *b)
{
  FlMat3 x = fl_lattice_star (a), y = fl_lattice_star (b);
  return fl_lattice_misorientation (&x, &y, (const int (*)[3][3]) indexer->cell.star_rotations,
                                    indexer->cell.n_rotations)
         < SAME_TURN;
}

static int
compare_orientations (gconstpointer a, gconstpointer b)
{
  const FlOrientation *x = a, *y = b;
  return (x->score < y->score) - (x->score > y->score);
}

/* Turns each orientation onto the spots and fits the best that differ. FALSE: none. */
static gboolean
fit_best (const FlIndexer *indexer, FlOrientation *tried, guint n_tried, guint n, FlLatticeFit *best)
{
  const FlIndexSpot *spots = all_spots (indexer);
  for (guint i = 0; i < n_tried; i++)
    tried[i].score = fl_lattice_turn (&indexer->cell, spots, n, &tried[i].real);
  qsort (tried, n_tried, sizeof *tried, compare_orientations);
  FlMat3 fitted[FITS];
  guint n_fitted = 0;
  best->evidence = 0;
  for (guint i = 0; i < n_tried && n_fitted < FITS; i++)
    {
      gboolean seen = FALSE;
      for (guint j = 0; j < n_fitted && !seen; j++)
        seen = same (indexer, &tried[i].real, &fitted[j]);
      if (seen)
        continue;
      fitted[n_fitted++] = tried[i].real;
      FlLatticeFit fit = { .real = tried[i].real };
      if (fl_lattice_fit (&indexer->cell, spots, n, &fit) && fit.evidence > best->evidence)
        *best = fit;
    }
  return best->evidence > 0;
}

static double
largest_q (const FlIndexer *indexer, guint n)
{
  double most = 0;
  for (guint i = 0; i < n; i++)
    most = MAX (most, fl_vec3_norm (g_array_index (indexer->spots, FlIndexSpot, i).q));
  return most;
}

/* One lattice more than `found` from the spots that are left. G_MAXUINT: the device failed; 0: none. */
static guint
find_one (FlIndexer *indexer, guint found, FlLatticeFit *best, double *confidence, GError **error)
{
  const FlIndexSpot *spots = all_spots (indexer);
  guint n = MIN (indexer->spots->len, indexer->max_spots);
  *confidence = 0;
  for (guint axis = 0; axis < 2; axis++)
    {
      FlOrientation tried[ORIENTATIONS + PAIRS];
      guint n_tried = fl_index_search_run (indexer->search, axis, spots, n, tried, ORIENTATIONS, error);
      if (n_tried == G_MAXUINT)
        return n_tried;
      if (n <= FEW_SPOTS && axis == 0)
        n_tried += fl_index_pairs (&indexer->cell, spots, n, tried + n_tried, PAIRS);
      FlLatticeFit fit;
      if (!fit_best (indexer, tried, n_tried, n, &fit))
        continue;
      double sure = fl_lattice_confidence (&indexer->cell, &fit, n, largest_q (indexer, n), found);
      if (sure > *confidence)
        {
          *best = fit;
          *confidence = sure;
        }
      if (*confidence > 0.9)
        break;
    }
  return *confidence > 0;
}

/* Does q lie on a line along an axis through a lattice point? There small crystals have side maxima, for their faces
 * mostly stand across the axes. `conventional`: reciprocal basis; `real`: its real one; `near`: 1/Å. */
static gboolean
on_streak (const FlMat3 *conventional, const FlMat3 *real, FlVec3 q, double near)
{
  FlVec3 h = fl_mat3_apply (real, q);
  const double off[3] = { h.x - rint (h.x), h.y - rint (h.y), h.z - rint (h.z) };
  for (guint axis = 0; axis < 3; axis++)
    {
      guint j = (axis + 1) % 3, k = (axis + 2) % 3;
      FlVec3 d = fl_vec3_add (fl_vec3_scale (fl_mat3_row (conventional, j), off[j]),
                              fl_vec3_scale (fl_mat3_row (conventional, k), off[k]));
      if (fl_vec3_dot (d, d) < near * near)
        return TRUE;
    }
  return FALSE;
}

/* Counts the spots that the lattice explains; they and what lies near its points, or on the streaks through them, are set
 * aside. */
static guint
set_aside (FlIndexer *indexer, const FlLatticeFit *fit)
{
  guint kept = 0, explained = 0;
  FlMat3 star = fl_lattice_star (&fit->real),
         conventional = fl_mat3_multiply (&indexer->cell.to_conventional, &star);
  FlMat3 real = fl_lattice_real (&conventional);
  double near = MIN (3 * MAX (fit->across, fit->along), 0.1 * indexer->cell.shortest_star);
  for (guint i = 0; i < indexer->spots->len; i++)
    {
      FlIndexSpot spot = g_array_index (indexer->spots, FlIndexSpot, i);
      double off, belongs = fl_lattice_belongs (&indexer->cell, fit, &spot, &off);
      explained += belongs > 0.5;
      if (belongs > 0.3 || off < ASIDE * indexer->cell.shortest_star
          || on_streak (&conventional, &real, spot.q, near))
        continue;
      g_array_index (indexer->spots, FlIndexSpot, kept++) = spot;
    }
  g_array_set_size (indexer->spots, kept);
  return explained;
}

static int
compare_indexed (gconstpointer a, gconstpointer b)
{
  const FlIndexed *x = a, *y = b;
  if (x->confidence != y->confidence)
    return x->confidence > y->confidence ? -1 : 1;
  return (x->n_explained < y->n_explained) - (x->n_explained > y->n_explained);
}

guint
fl_indexer_index (FlIndexer *indexer, const FlVec3 *q, const float *intensity, guint n, FlIndexed *lattices,
                  guint most, GError **error)
{
  guint found = 0;
  g_autofree FlMat3 *accepted = g_new (FlMat3, most + 1);
  g_array_set_size (indexer->spots, n);
  FlIndexSpot *spots = (FlIndexSpot *) (gpointer) indexer->spots->data;
  g_array_set_size (indexer->spots, fl_index_spots (&indexer->cell, q, intensity, n, spots));
  while (found < most && indexer->spots->len >= indexer->min_spots)
    {
      FlLatticeFit fit;
      double confidence;
      guint any = find_one (indexer, found, &fit, &confidence, error);
      if (any == G_MAXUINT)
        return any;
      FlMat3 star = fl_lattice_star (&fit.real), conventional;
      if (any == 0 || confidence < indexer->min_confidence
          || !fl_lattice_match (&star, &indexer->cell.known, indexer->length_tolerance,
                                indexer->angle_tolerance, &conventional))
        break;
      guint offered = indexer->spots->len, explained = set_aside (indexer, &fit);
      gboolean repeats = FALSE;
      for (guint i = 0; i < found && !repeats; i++)
        repeats = same (indexer, &fit.real, &accepted[i]);
      if (repeats || explained == 0)
        break;
      accepted[found] = fit.real;
      lattices[found++] = (FlIndexed){ conventional, explained, (double) explained / offered, confidence };
    }
  qsort (lattices, found, sizeof *lattices, compare_indexed);
  return found;
}
