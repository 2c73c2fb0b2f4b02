/* What refine-geometry reads: a detector from the first input, lattices and their spots from all. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/crystal/known-cell.h"
#include "engine/programs/exchange-panels.h"
#include "engine/programs/geometry-job.h"
#include "engine/results/dials.h"
#include "engine/results/spots.h"
#include "engine/results/stream.h"
#include "engine/shots/geom-layout.h"
#include "engine/shots/geometry.h"
#include "engine/shots/source.h"

#define SHOTS_AT_A_TIME 250
#define TOGETHER        32               /* shots that one rank reads together */
#define STRANGE_LENGTH  0.05             /* relative: cells farther from the known one … */
#define STRANGE_ANGLE   (3 * G_PI / 180) /* rad: … are of something else */

gboolean
fl_geometry_job_agree (FlGeometryJob *job, GError **error)
{
  g_autofree char *text =
      *error != NULL ? g_strdup_printf ("%d %s", (*error)->code, (*error)->message) : g_strdup ("");
  g_autoptr (GPtrArray) all = fl_parallel_gather (job->parallel, text, strlen (text) + 1);
  const char *first = "";
  for (guint i = 0; all != NULL && i < all->len && *first == '\0'; i++)
    first = g_bytes_get_data (all->pdata[i], NULL);
  g_autofree char *shared = fl_parallel_share_text (job->parallel, first);
  if (*shared == '\0')
    return TRUE;
  char *message;
  int code = (int) g_ascii_strtoll (shared, &message, 10);
  g_clear_error (error);
  g_set_error_literal (error, FL_ERROR, code, message + 1);
  return FALSE;
}

/* --- geometry --- */

/* `clen` (mm) where the geometry does not say: 0 when nobody does. */
static gboolean
take_geometry (FlGeometryJob *job, const char *path, const char *text, double clen, GError **error)
{
  g_autoptr (FlGeom) geom = fl_geom_parse (path, text, strlen (text), error);
  g_autoptr (FlGeomLayout) layout = geom != NULL ? fl_geom_layout_new (geom, error) : NULL;
  double told = fl_params_real (job->params, "geometry.camera_length");
  if (layout == NULL)
    return FALSE;
  if (geom->clen.set && geom->clen.path == NULL)
    clen = geom->clen.value;
  else if (told > 0)
    clen = told;
  else if (!geom->clen.set)
    clen = 0; /* all in coffset */
  else if (!(clen > 0))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_MISSING,
                   "%s: the camera length is in the images, expected them, or geometry.camera_length", path);
      return FALSE;
    }
  job->detector = fl_geom_detector (geom, layout, clen, 0);
  job->path = g_strdup (path);
  job->text = g_strdup (text);
  return TRUE;
}

/* The detector of the first of the job's images that is still there; NULL: none. */
static FlSource *
open_images (const FlBatch *sources, const char *geometry)
{
  FlSourceOptions options = { .geometry = geometry, .list_only = TRUE };
  for (guint i = 0; i < fl_batch_rows (sources); i++)
    {
      FlSourceRow row;
      fl_batch_row (sources, i, &row);
      FlSource *source = row.frames > 0 ? fl_source_open (row.path, &options, NULL) : NULL;
      if (source != NULL)
        return source;
    }
  return NULL;
}

/* mm: what the geometry leaves to the images. */
static double
clen_of (const FlDetector *detector, const char *path, const char *text)
{
  g_autoptr (FlGeom) geom = fl_geom_parse (path, text, strlen (text), NULL);
  for (guint i = 0; geom != NULL && i < geom->panels->len; i++)
    if (strcmp (g_array_index (geom->panels, FlGeomPanel, i).name, detector->panels[0].name) == 0)
      return detector->panels[0].origin.z - 1e3 * g_array_index (geom->panels, FlGeomPanel, i).coffset;
  return 0;
}

static gboolean
job_geometry (FlGeometryJob *job, const char *dir, const FlParams *params, const FlBatch *sources,
              GError **error)
{
  const char *told = fl_params_text (job->params, "detector.geometry");
  const char *path = *told != '\0' ? told : fl_params_text (params, "detector.geometry");
  g_autofree char *imported = g_build_filename (dir, "geometry.geom", NULL);
  g_autofree char *text = NULL;
  if (*path != '\0' ? !g_file_test (path, G_FILE_TEST_EXISTS) && g_file_test (imported, G_FILE_TEST_EXISTS)
                    : g_file_test (imported, G_FILE_TEST_EXISTS))
    path = imported;
  gboolean named = *path != '\0';
  g_autoptr (FlSource) source = open_images (sources, named ? path : NULL);
  const FlDetector *seen = source != NULL ? fl_source_detector (source) : NULL;
  if (!named)
    {
      if (seen == NULL || !seen->placed)
        {
          g_set_error (error, FL_ERROR, FL_ERROR_MISSING,
                       "%s: its detector is not known, expected detector.geometry or its images", dir);
          return FALSE;
        }
      text = fl_exchange_geometry (seen, 0);
      return take_geometry (job, dir, text, 0, error);
    }
  text = fl_geometry_read_text (path, error);
  return text != NULL
         && take_geometry (job, path, text, seen != NULL ? clen_of (seen, path, text) : 0, error);
}

/* Spots say panel and place on it: they must mean the same everywhere. */
static gboolean
check_panels (const FlGeometryJob *job, const char *input, const GArray *places, GError **error)
{
  const FlDetector *d = job->detector;
  gboolean same = places->len == d->n_panels;
  for (guint i = 0; same && i < d->n_panels; i++)
    {
      const FlPanelPlace *place = &g_array_index (places, FlPanelPlace, i);
      same = strcmp (place->name, d->panels[i].name) == 0 && place->n_fs == d->panels[i].n_fs
             && place->n_ss == d->panels[i].n_ss;
    }
  if (!same)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                 "%s: has another detector than %s, expected the same panels", input, job->path);
  return same;
}

/* --- lattices --- */

typedef struct
{
  FlGeometryJob *job;
  guint input;
  guint64 shots; /* so far, of the input */
} Input;

static guint
block_of (const Input *in, guint64 shot)
{
  const guint64 place[] = { in->input, shot / TOGETHER };
  return (guint) (fl_hash64 (place, sizeof place, 0) % FL_GEOMETRY_BLOCKS);
}

static gboolean
is_mine (const Input *in, guint64 shot)
{
  return block_of (in, shot) % fl_parallel_ranks (in->job->parallel) == fl_parallel_rank (in->job->parallel);
}

static guint64
shots_of_window (const Input *in)
{
  return fl_params_choice (in->job->params, "geometry.window") == 2
             ? (guint64) fl_params_int (in->job->params, "geometry.window_shots")
             : G_MAXUINT64;
}

/* Number of the window that a shot of this input is in, counted within the input. */
static guint
window_within (const Input *in, guint64 shot)
{
  return (guint) (shot / shots_of_window (in));
}

/* `spots` is copied once a shot. */
static void
add_lattices (Input *in, guint64 shot, double energy, const FlSpotRow *spots, guint n_spots,
              const FlLatticeRow *rows, guint n)
{
  if (n == 0 || n_spots == 0 || !(energy > 0))
    return;
  FlSpotRow *own = g_memdup (spots, n_spots * (guint) sizeof *spots);
  g_ptr_array_add (in->job->spots, own);
  for (guint i = 0; i < n; i++)
    {
      FlGeometryLattice lattice = { .wavelength = fl_wavelength_from_energy (energy),
                                    .spots = own,
                                    .n_spots = n_spots,
                                    .block = block_of (in, shot),
                                    .window = window_within (in, shot) };
      for (guint k = 0; k < 9; k++)
        lattice.star.m[k / 3][k % 3] = (double) rows[i].a_star[k];
      lattice.shift =
          fl_vec3 ((double) rows[i].shift[0], (double) rows[i].shift[1], (double) rows[i].shift[2]);
      g_array_append_val (in->job->lattices, lattice);
    }
}

/* Rows of a part that belong to `shot`, from *at on. */
static GArray *
rows_of (const FlBatch *batch, guint64 shot, guint *at, gsize size)
{
  guint first, n;
  GArray *rows = g_array_new (FALSE, TRUE, (guint) size);
  fl_part_find (batch, shot, *at, &first, &n);
  g_array_set_size (rows, n);
  for (guint i = 0; i < n; i++)
    fl_batch_row (batch, first + i, rows->data + i * size);
  if (n > 0)
    *at = first + n;
  return rows;
}

static gboolean
read_shots (Input *in, const char *dir, const GArray *list, const guint *mine, guint n, GError **error)
{
  g_autofree FlResultsShot *wanted = g_new (FlResultsShot, n);
  guint at[FL_PART_LAST] = { 0 };
  for (guint i = 0; i < n; i++)
    wanted[i] = g_array_index (list, FlResultsShot, mine[i]);
  g_autoptr (FlShotSet) set = fl_results_load (dir, wanted, n, error);
  guint next = 0;
  for (guint i = 0; set != NULL && i < fl_batch_rows (set->shots); i++)
    {
      FlShotRow shot;
      fl_batch_row (set->shots, i, &shot);
      while (next + 1 < n && wanted[next].id != shot.id)
        next++;
      if (shot.lattices == 0)
        continue;
      g_autoptr (GArray) spots =
          rows_of (set->parts[FL_PART_SPOTS], shot.id, &at[FL_PART_SPOTS], sizeof (FlSpotRow));
      g_autoptr (GArray) lattices =
          rows_of (set->parts[FL_PART_LATTICES], shot.id, &at[FL_PART_LATTICES], sizeof (FlLatticeRow));
      add_lattices (in, mine[next], (double) shot.energy, (const FlSpotRow *) (void *) spots->data,
                    spots->len, (const FlLatticeRow *) (void *) lattices->data, lattices->len);
    }
  return set != NULL;
}

/* What the job was told of the cell counts where nothing else has been told. */
static gboolean
take_cell_params (FlGeometryJob *job, const FlParams *params, GError **error)
{
  static const char *const names[] = { "indexing.unit_cell", "indexing.space_group", "indexing.cell_file" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (!fl_params_is_default (job->params, names[i]))
      return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (!fl_params_set (job->params, names[i], fl_params_text (params, names[i]), error))
      return FALSE;
  return TRUE;
}

static gboolean
read_job (Input *in, const char *dir, GError **error)
{
  FlGeometryJob *job = in->job;
  g_autoptr (FlBatch) sources = fl_results_sources (dir, error);
  g_autoptr (FlParams) params = fl_params_new ();
  g_autofree char *params_file = g_build_filename (dir, "params.txt", NULL);
  if (sources == NULL || !fl_params_read_file (params, params_file, error)
      || (in->input == 0 && !take_cell_params (job, params, error))
      || (job->detector == NULL && !job_geometry (job, dir, params, sources, error)))
    return FALSE;
  g_autoptr (GArray) list = fl_results_list (dir);
  g_autofree guint *mine = g_new (guint, list->len + 1);
  guint n = 0;
  for (guint i = 0; i < list->len; i++)
    if (is_mine (in, i))
      mine[n++] = i;
  in->shots = list->len;
  for (guint i = 0; i < n; i += SHOTS_AT_A_TIME)
    if (!read_shots (in, dir, list, mine + i, MIN (SHOTS_AT_A_TIME, n - i), error))
      return FALSE;
  return TRUE;
}

static void
add_pattern (Input *in, const FlPattern *pattern)
{
  if (is_mine (in, in->shots))
    add_lattices (in, in->shots, pattern->energy, (const FlSpotRow *) (void *) pattern->spots->data,
                  pattern->spots->len, (const FlLatticeRow *) (void *) pattern->lattices->data,
                  pattern->lattices->len);
  in->shots++;
}

static gboolean
read_stream (Input *in, const char *path, GError **error)
{
  FlGeometryJob *job = in->job;
  g_autoptr (FlStreamReader) reader = fl_stream_reader_open (path, error);
  g_autoptr (FlPattern) pattern = fl_pattern_new ();
  if (reader == NULL)
    return FALSE;
  const char *geometry = fl_stream_reader_geometry (reader);
  if (job->detector == NULL && *geometry == '\0')
    {
      g_set_error (error, FL_ERROR, FL_ERROR_MISSING,
                   "%s: holds no geometry, expected one, or detector.geometry", path);
      return FALSE;
    }
  if ((job->detector == NULL && !take_geometry (job, path, geometry, 0, error))
      || (fl_stream_reader_panels (reader)->len > 0
          && !check_panels (job, path, fl_stream_reader_panels (reader), error)))
    return FALSE;
  while (fl_stream_reader_next (reader, pattern))
    add_pattern (in, pattern);
  return TRUE;
}

static gboolean
read_dials (Input *in, const char *path, GError **error)
{
  FlGeometryJob *job = in->job;
  g_autofree char *refl = fl_dials_refl_path (path);
  g_autoptr (FlDialsFile) file = fl_dials_read (path, refl, error);
  if (file == NULL)
    return FALSE;
  if (job->detector == NULL)
    {
      g_autoptr (FlDetector) stack = fl_exchange_stack (file->panels);
      g_autofree char *text = fl_exchange_geometry (stack, 0);
      if (!take_geometry (job, path, text, 0, error))
        return FALSE;
    }
  if (file->panels->len != job->detector->n_panels)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: has %u panels, expected %u as %s", path,
                   file->panels->len, job->detector->n_panels, job->path);
      return FALSE;
    }
  for (guint i = 0; i < file->patterns->len; i++)
    add_pattern (in, file->patterns->pdata[i]);
  return TRUE;
}

static void
add_windows (Input *in)
{
  FlGeometryJob *job = in->job;
  guint64 each = shots_of_window (in);
  for (guint64 first = 0; first < MAX (in->shots, 1); first += each)
    {
      FlGeometryWindow window = { in->input, first, first + MIN (each, in->shots - first) - 1, 0 };
      g_array_append_val (job->windows, window);
      if (each == G_MAXUINT64)
        break;
    }
}

static gboolean
read_input (Input *in, const char *path, GError **error)
{
  FlGeometryJob *job = in->job;
  guint first = job->lattices->len, before = job->windows->len;
  gboolean ok = g_str_has_suffix (path, ".stream") ? read_stream (in, path, error)
                : g_str_has_suffix (path, ".expt") ? read_dials (in, path, error)
                                                   : read_job (in, path, error);
  if (fl_params_choice (job->params, "geometry.window") > 0)
    add_windows (in);
  for (guint i = first; i < job->lattices->len; i++)
    {
      FlGeometryLattice *lattice = &g_array_index (job->lattices, FlGeometryLattice, i);
      lattice->window = job->windows->len > before ? lattice->window + before : G_MAXUINT;
    }
  return ok;
}

/* --- the cell --- */

static double
median_length (FlGeometryJob *job, const FlGeometryTeam *team, guint which)
{
  g_autofree double *values = g_new (double, job->lattices->len + 1);
  for (guint i = 0; i < job->lattices->len; i++)
    {
      FlCell cell = fl_lattice_cell (&g_array_index (job->lattices, FlGeometryLattice, i).star);
      const double all[] = { cell.a, cell.b, cell.c, cell.alpha, cell.beta, cell.gamma };
      values[i] = which < 3 ? all[which] : fl_degrees (all[which]);
    }
  return fl_geometry_median (team, values, job->lattices->len, 0, which < 3 ? 1e4 : 180);
}

static gboolean
find_cell (FlGeometryJob *job, const FlGeometryTeam *team, GError **error)
{
  double values[6];
  FlCell cell;
  if (!fl_known_cell_from_params (job->params, &job->known, &job->cell_told, error))
    return FALSE;
  if (job->cell_told)
    return TRUE;
  for (guint k = 0; k < 6; k++)
    values[k] = median_length (job, team, k);
  if (!fl_cell_from_degrees (values, &cell, error))
    return FALSE;
  fl_known_cell_from_cell (&cell, &job->known);
  return TRUE;
}

static gboolean
is_strange (const FlGeometryJob *job, const FlGeometryLattice *lattice)
{
  FlCell a = fl_lattice_cell (&lattice->star);
  const FlCell *b = &job->known.cell;
  const double lengths[][2] = { { a.a, b->a }, { a.b, b->b }, { a.c, b->c } };
  const double angles[][2] = { { a.alpha, b->alpha }, { a.beta, b->beta }, { a.gamma, b->gamma } };
  for (guint k = 0; k < 3; k++)
    if (!(fabs (lengths[k][0] / lengths[k][1] - 1) < STRANGE_LENGTH)
        || !(fabs (angles[k][0] - angles[k][1]) < STRANGE_ANGLE))
      return TRUE;
  return FALSE;
}

static int
by_block (const void *a, const void *b)
{
  const FlGeometryLattice *x = *(FlGeometryLattice *const *) a, *y = *(FlGeometryLattice *const *) b;
  return x->block != y->block ? (x->block > y->block) - (x->block < y->block) : (x > y) - (x < y);
}

/* Strange ones left out, by block, as read within it; windows count theirs. */
static void
sort_lattices (FlGeometryJob *job)
{
  GArray *sorted = g_array_new (FALSE, FALSE, sizeof (FlGeometryLattice));
  guint n = job->lattices->len, kept = 0, n_windows = job->windows->len;
  g_autofree FlGeometryLattice **order = g_new (FlGeometryLattice *, n + 1);
  g_autofree guint64 *counts = g_new0 (guint64, 2 + n_windows);
  for (guint i = 0; i < n; i++)
    {
      FlGeometryLattice *lattice = &g_array_index (job->lattices, FlGeometryLattice, i);
      if (is_strange (job, lattice))
        continue;
      order[kept++] = lattice;
      if (n_windows > 0)
        counts[2 + lattice->window]++;
    }
  qsort (order, kept, sizeof *order, by_block);
  for (guint i = 0; i < kept; i++)
    g_array_append_val (sorted, *order[i]);
  g_array_unref (job->lattices);
  job->lattices = sorted;
  counts[0] = n;
  counts[1] = n - kept;
  fl_parallel_sum_u64 (job->parallel, counts, 2 + n_windows);
  job->n_lattices = counts[0];
  job->n_strange = counts[1];
  for (guint i = 0; i < n_windows; i++)
    g_array_index (job->windows, FlGeometryWindow, i).lattices = counts[2 + i];
}

static gboolean
take_told_geometry (FlGeometryJob *job, GError **error)
{
  const char *path = fl_params_text (job->params, "detector.geometry");
  g_autofree char *text = NULL;
  if (*path == '\0')
    return TRUE;
  if ((text = fl_geometry_read_text (path, error)) == NULL)
    return FALSE;
  g_autoptr (GError) why = NULL;
  /* A camera length in the images is looked for with the job's own parameters. */
  if (take_geometry (job, path, text, 0, &why) || why->code == FL_ERROR_MISSING)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&why));
  return FALSE;
}

gboolean
fl_geometry_job_read (FlGeometryJob *job, const FlGeometryTeam *team, GError **error)
{
  g_autoptr (GError) mine = NULL;
  gboolean ok = take_told_geometry (job, &mine);
  for (guint i = 0; ok && job->inputs[i] != NULL; i++)
    {
      Input in = { .job = job, .input = i };
      ok = read_input (&in, job->inputs[i], &mine);
    }
  if (ok)
    fl_geometry_groups_find (job->path, job->text, fl_params_text (job->params, "geometry.groups"),
                             job->detector, &job->groups, &mine);
  gboolean agreed = fl_geometry_job_agree (job, &mine);
  if (agreed && find_cell (job, team, &mine))
    sort_lattices (job);
  if (mine != NULL)
    g_propagate_error (error, g_steal_pointer (&mine));
  return *error == NULL;
}
