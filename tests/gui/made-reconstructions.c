#include "tests/gui/made-reconstructions.h"

#include <math.h>

#include <glib/gstdio.h>

#include "engine/base/batch.h"
#include "engine/crystal/ccp4-map.h"
#include "tests/gui/made.h"

#define MINUTE     G_GUINT64_CONSTANT (60000000000)
#define M          41  /* points a side of a density */
#define VOXEL      6.5 /* Å */
#define EDGE       (1 / 24.0)
#define DIRECTIONS 640
#define STAGE      10 /* generations */

/* Takes the batch. */
static void
add_batch (FlStore *store, gint64 attempt, guint64 *sequence, FlBatch *batch)
{
  made_add_slice (store, attempt, 0, (*sequence)++, batch);
  fl_batch_free (batch);
}

/* --- records --- */

static gint64
ensure_task (FlStore *store, const char *name, const char *type)
{
  GError *error = NULL;
  FlTask *found = fl_store_find (store, FL_TABLE_TASK, name, &error);
  FlTask fresh = { .name = (char *) name, .type = (char *) type };
  made_must (!error, &error);
  gint64 id = found ? found->id : made_save (store, FL_TABLE_TASK, &fresh);
  fl_record_free (FL_TABLE_TASK, found);
  return id;
}

gint64
made_reconstructions_add_dataset (FlStore *store, const char *name)
{
  gint64 hits = ensure_task (store, "hits", "hits"), last = ensure_task (store, "reconstruct", "reconstruct");
  FlDataset dataset = {
    .name = (char *) name, .expression = (char *) "not dark", .trial = 1, .active = TRUE
  };
  made_save (store, FL_TABLE_DATASET, &dataset);
  g_autofree char *after = g_strdup_printf ("%" G_GINT64_FORMAT, hits);
  FlDatasetTask steps[] = { { .dataset = dataset.id, .task = hits, .number = 1, .after = (char *) "" },
                            { .dataset = dataset.id, .task = last, .number = 2, .after = after } };
  made_save (store, FL_TABLE_DATASET_TASK, &steps[0]);
  made_save (store, FL_TABLE_DATASET_TASK, &steps[1]);
  return dataset.id;
}

gint64
made_reconstructions_add (FlStore *store, const char *folder, gint64 dataset, int number,
                          const MadeReconstruction *made)
{
  FlDatasetVersion version = { .dataset = dataset, .number = number, .created = made->when };
  g_autofree char *path = g_strdup_printf ("d%d-v%d-reconstruct", (int) dataset, number);
  FlJob job = { .trial = 1,
                .dataset = dataset,
                .version = made_save (store, FL_TABLE_DATASET_VERSION, &version),
                .task = ensure_task (store, "reconstruct", "reconstruct"),
                .root = (char *) "scratch",
                .path = path,
                .state = made->state,
                .attempts = 1,
                .ended = fl_job_state_is_final (made->state) ? made->when : 0,
                .reason = (char *) (made->state == FL_JOB_FAILED ? "too few hits" : "") };
  made_save (store, FL_TABLE_JOB, &job);
  made_reconstructions_continue (store, folder, job.id, made);
  return job.id;
}

/* --- densities --- */

/* Two balls apart by what the conformation says, and a third; the sharper the better the resolution. */
static double
density_at (guint conformation, double spread, double x, double y, double z)
{
  const double balls[3][3] = { { -30, 0, -12 }, { 30, conformation ? 30 : 0, 6 }, { 0, 18, 34 } };
  double value = 0;
  for (guint b = 0; b < 3; b++)
    {
      double dx = x - balls[b][0], dy = y - balls[b][1], dz = z - balls[b][2];
      value += exp (-(dx * dx + dy * dy + dz * dz) / (2 * (18 * 18 + spread * spread)));
    }
  return value;
}

static void
write_volume (const char *folder, guint generation, guint conformation)
{
  GError *error = NULL;
  const double side = M * VOXEL, first = -(M - 1) / 2.0 * VOXEL;
  const double lengths[6] = { side, side, side, 90, 90, 90 };
  FlCell cell;
  made_must (fl_cell_from_degrees (lengths, &cell, &error), &error);
  g_autoptr (FlMap) map = fl_map_new (&cell, NULL, (const int[]){ M, M, M }, NULL, NULL);
  double spread = 0.35 * made_reconstructions_resolution (generation);
  for (int k = 0; k < M; k++)
    for (int j = 0; j < M; j++)
      for (int i = 0; i < M; i++)
        *fl_map_at (map, i, j, k) = (float) density_at (conformation, spread, first + i * VOXEL,
                                                        first + j * VOXEL, first + k * VOXEL);
  for (int x = 0; x < 3; x++)
    map->origin[x] = first;
  fl_map_measure (map);
  g_autofree char *name = g_strdup_printf ("g%04u-c%u.mrc", generation, conformation);
  g_autofree char *volumes = g_build_filename (folder, "volumes", NULL);
  g_autofree char *path = g_build_filename (volumes, name, NULL);
  g_mkdir_with_parents (volumes, 0755);
  made_must (fl_map_write (path, map, "made", &error), &error);
}

/* --- generations --- */

double
made_reconstructions_resolution (guint generation)
{
  return 26 + 90 * exp (-0.12 * generation);
}

static double
share_of (guint conformation, guint conformations, guint generation)
{
  double even = 1.0 / conformations, lean = 0.12 * (1 - exp (-0.1 * generation));
  return conformations == 1 ? 1 : conformation == 0 ? even + lean : even - lean / (conformations - 1);
}

static gboolean
is_phased (const MadeReconstruction *made, guint g)
{
  return made->every == 0 || g % made->every == 0;
}

static void
add_generation (FlStore *store, gint64 attempt, guint64 *sequence, const MadeReconstruction *made, guint g)
{
  FlBatch *batch = fl_batch_new (FL_KIND_GENERATION);
  double resolution = made_reconstructions_resolution (g), rise = 1 - exp (-0.15 * g);
  FlGenerationRow row = { .number = g,
                          .time = made->when - (made->generations - g) * MINUTE,
                          .stage = (guint8) ((g - 1) / STAGE),
                          .patterns = 2850,
                          .held_back = 150,
                          .orientations = g <= STAGE ? 10860 / 8 : 10860,
                          .conformations = made->conformations,
                          .resolution = (float) (g <= STAGE ? 60 : 24),
                          .beta = 1,
                          .likelihood = 260 * rise,
                          .held = 240 * rise - 0.05 * g,
                          .information = (float) (8 * rise),
                          .change = (float) (0.8 * exp (-0.1 * g)),
                          .half_resolution =
                              (float) (g < 3 || !is_phased (made, g) ? (double) NAN : resolution),
                          .half_low = (float) (resolution * 0.95),
                          .half_high = (float) (resolution * 1.06),
                          .prtf_resolution = (float) (g < 3 ? (double) NAN : resolution * 0.9) };
  fl_batch_append (batch, &row);
  add_batch (store, attempt, sequence, batch);
  batch = fl_batch_new (FL_KIND_OCCUPANCY);
  for (guint16 c = 0; c < made->conformations; c++)
    {
      FlOccupancyRow share = { g, c, (float) share_of (c, made->conformations, g), (float) resolution,
                               made->volumes && is_phased (made, g) };
      fl_batch_append (batch, &share);
    }
  add_batch (store, attempt, sequence, batch);
}

static void
add_curves (FlStore *store, gint64 attempt, guint64 *sequence, const MadeReconstruction *made, guint g)
{
  FlBatch *batch = fl_batch_new (FL_KIND_CURVE);
  for (guint16 c = 0; c < made->conformations; c++)
    for (guint8 which = is_phased (made, g) ? FL_CURVE_FSC_HALVES : FL_CURVE_RADIAL; which < FL_CURVE_LAST;
         which++)
      for (guint i = 1; i <= 40; i++)
        {
          double s = i * EDGE / 40, at = s * made_reconstructions_resolution (g) * (c ? 1.15 : 1);
          double fsc = 1 / (1 + 6 * pow (at, 6)), prtf = 1 / (1 + 1.6 * pow (at * 0.9, 5));
          double value = which == FL_CURVE_FSC_HALVES ? fsc + 0.02 * sin (11.0 * i)
                         : which == FL_CURVE_PRTF     ? prtf
                         : which == FL_CURVE_RADIAL   ? -200 * s
                                                      : sqrt (fsc) * 0.97;
          FlCurveRow row = { g, c, which, (float) s, (float) value };
          fl_batch_append (batch, &row);
        }
  add_batch (store, attempt, sequence, batch);
}

/* Evenly over the hemisphere, fewer near x; nothing in a cone around y. */
static void
add_coverage (FlStore *store, gint64 attempt, guint64 *sequence, guint g)
{
  FlBatch *batch = fl_batch_new (FL_KIND_COVERAGE);
  for (guint i = 0; i < DIRECTIONS; i++)
    {
      double z = 1 - (i + 0.5) / DIRECTIONS, r = sqrt (1 - z * z), about = i * G_PI * (3 - sqrt (5));
      double x = r * cos (about), y = r * sin (about);
      double weight = fabs (y) > 0.985 ? 0.02 : 6.5 - 4.5 * x * x + 1.5 * sin (7.0 * i + g);
      FlCoverageRow row = { g, (float) x, (float) y, (float) z, (float) weight };
      fl_batch_append (batch, &row);
    }
  add_batch (store, attempt, sequence, batch);
}

void
made_reconstructions_continue (FlStore *store, const char *folder, gint64 job, const MadeReconstruction *made)
{
  GError *error = NULL;
  g_autoptr (GPtrArray) attempts = fl_store_list_attempts (store, job, &error);
  made_must (attempts != NULL, &error);
  FlJob *record = fl_store_get (store, FL_TABLE_JOB, job, &error);
  made_must (record != NULL, &error);
  g_autofree char *path = g_strdup_printf ("%s/attempt-%04u", record->path, attempts->len + 1);
  FlAttempt attempt = {
    .job = job, .number = (int) attempts->len + 1, .state = made->state, .started = made->when, .path = path
  };
  made_save (store, FL_TABLE_ATTEMPT, &attempt);
  g_autofree char *place = g_build_filename (folder, path, NULL);
  guint64 sequence = 1;
  made_must (fl_store_begin (store, &error), &error);
  for (guint g = made->from; g <= made->generations; g++)
    {
      for (guint c = 0; made->volumes && is_phased (made, g) && c < made->conformations; c++)
        write_volume (place, g, c);
      add_curves (store, attempt.id, &sequence, made, g);
      add_coverage (store, attempt.id, &sequence, g);
      add_generation (store, attempt.id, &sequence, made, g);
    }
  made_must (fl_store_commit (store, &error), &error);
  fl_record_free (FL_TABLE_JOB, record);
}
