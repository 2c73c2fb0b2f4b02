#include "engine/programs/map-view.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/crystal/ccp4-map.h"
#include "engine/crystal/mmcif.h"

/* Nobody waits for what may never come. */
static gboolean
is_plain (const char *path, GError **error)
{
  struct stat about;
  if (stat (path, &about) == 0 && S_ISREG (about.st_mode))
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: is not a plain file", path);
  return FALSE;
}

/* Edge of the blocks. */
static guint32
thinning (const FlMap *map, guint32 most)
{
  for (guint32 by = 1;; by++)
    {
      gsize points = 1;
      for (int i = 0; i < 3; i++)
        points *= MAX ((guint32) map->n[i] / by, 1);
      if (points <= most || points == 1)
        return by;
    }
}

static float
mean_of_block (const FlMap *map, guint32 by, guint32 i, guint32 j, guint32 k)
{
  double sum = 0;
  int size[3], corner[3] = { (int) (i * by), (int) (j * by), (int) (k * by) };
  for (int x = 0; x < 3; x++)
    size[x] = MIN ((int) by, map->n[x] - corner[x]);
  for (int c = 0; c < size[2]; c++)
    for (int b = 0; b < size[1]; b++)
      for (int a = 0; a < size[0]; a++)
        sum += (double) *fl_map_at (map, corner[0] + a, corner[1] + b, corner[2] + c);
  return (float) (sum / size[0] / size[1] / size[2]);
}

static void
set_values (FlViewMap *view, const FlMap *map)
{
  gsize at = 0;
  if (view->thinned == 1)
    {
      memcpy (view->values, map->data, fl_map_points (map) * sizeof (float));
      return;
    }
  for (guint32 k = 0; k < view->n[2]; k++)
    for (guint32 j = 0; j < view->n[1]; j++)
      for (guint32 i = 0; i < view->n[0]; i++)
        view->values[at++] = mean_of_block (map, view->thinned, i, j, k);
}

static void
set_frame (FlViewMap *view, const FlMap *map)
{
  FlMat3 basis = fl_cell_basis (&map->cell);
  const FlCell *c = &map->cell;
  const double cell[6] = {
    c->a, c->b, c->c, fl_degrees (c->alpha), fl_degrees (c->beta), fl_degrees (c->gamma)
  };
  memcpy (view->cell, cell, sizeof cell);
  memcpy (view->corner, map->origin, sizeof view->corner);
  /* A crystal repeats; what has a place in space of its own, a particle, does not. */
  view->periodic = map->origin[0] == 0 && map->origin[1] == 0 && map->origin[2] == 0;
  for (int i = 0; i < 3; i++)
    {
      double first = map->start[i] + (view->thinned - 1) / 2.0; /* the middle of the first block */
      view->periodic &= map->n[i] == map->sampling[i] && map->n[i] % (int) view->thinned == 0;
      for (int x = 0; x < 3; x++)
        {
          double step = basis.m[i][x] / map->sampling[i];
          view->corner[x] += first * step;
          view->step[i][x] = step * view->thinned;
        }
    }
}

/* What repeats need not be sent. */
static void
set_operators (FlViewMap *view, const FlMap *map)
{
  const FlSymmetry *symmetry = map->symmetry;
  gboolean shifted = map->start[0] != 0 || map->start[1] != 0 || map->start[2] != 0;
  if (!view->periodic || view->thinned > 1 || shifted || symmetry->n < 2
      || !fl_map_grid_obeys (symmetry, map->sampling))
    return;
  view->n_operators = symmetry->n;
  view->operators = g_malloc0_n (symmetry->n, sizeof *view->operators);
  for (guint o = 0; o < symmetry->n; o++)
    for (int a = 0; a < 3; a++)
      {
        for (int b = 0; b < 3; b++)
          view->operators[o][3 * a + b] = symmetry->ops[o].r[a][b] * map->sampling[a] / map->sampling[b];
        view->operators[o][9 + a] = (gint32) lrint (symmetry->ops[o].t[a] * map->sampling[a]);
      }
}

FlViewMap *
fl_map_view (const char *path, guint32 most, GError **error)
{
  g_autoptr (FlMap) map = is_plain (path, error) ? fl_map_read (path, error) : NULL;
  if (map == NULL)
    return NULL;
  guint32 by = thinning (map, most), n[3];
  for (int i = 0; i < 3; i++)
    n[i] = MAX ((guint32) map->n[i] / by, 1);
  FlViewMap *view = fl_view_map_new (n);
  view->thinned = by;
  set_frame (view, map);
  set_values (view, map);
  set_operators (view, map);
  view->mean = map->mean;
  view->sigma = map->sigma;
  view->min = map->min;
  view->max = map->max;
  /* Of a brick the file says what is the crystal's. */
  gboolean whole = memcmp (map->n, map->sampling, sizeof map->n) == 0;
  g_autoptr (FlMap) head = whole ? NULL : fl_map_read_header (path, NULL);
  if (head != NULL && head->sigma > 0)
    {
      view->mean = head->mean;
      view->sigma = head->sigma;
    }
  return view;
}

FlViewModel *
fl_model_view (const char *path, GError **error)
{
  g_autoptr (FlModel) model = is_plain (path, error) ? fl_model_read (path, error) : NULL;
  if (model == NULL)
    return NULL;
  if (model->n_atoms > FL_VIEW_MAX_ATOMS)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED, "%s: %u atoms, expected at most %u", path,
                   model->n_atoms, FL_VIEW_MAX_ATOMS);
      return NULL;
    }
  FlViewModel *view = fl_view_model_new (model->n_atoms);
  for (guint i = 0; i < model->n_atoms; i++)
    {
      const FlAtom *atom = &model->atoms[i];
      FlViewAtom *a = &view->atoms[i];
      *a = (FlViewAtom){ .place = { atom->position.x, atom->position.y, atom->position.z },
                         .number = atom->label.number,
                         .insertion = atom->label.insertion,
                         .alternative = atom->label.alternative };
      g_strlcpy (a->element, atom->factor->symbol, sizeof a->element);
      g_strlcpy (a->name, atom->label.name, sizeof a->name);
      g_strlcpy (a->residue, atom->label.residue, sizeof a->residue);
      g_strlcpy (a->chain, atom->label.chain, sizeof a->chain);
    }
  return view;
}
