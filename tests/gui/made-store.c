#include "tests/gui/made-store.h"

#include <math.h>
#include <sys/stat.h>

#include "engine/base/batch.h"
#include "engine/base/hash.h"
#include "engine/base/params.h"
#include "engine/base/units.h"
#include "engine/store/shots.h"
#include "tests/gui/made.h"

#define SECOND       G_GUINT64_CONSTANT (1000000000)
#define ROWS_A_FRAME 64

static void
add_ranks (FlStore *store, gint64 attempt, guint ranks, const char *file, guint32 frames)
{
  for (guint32 rank = 0; rank < ranks; rank++)
    {
      g_autoptr (FlBatch) batch = fl_batch_new (FL_KIND_RANK);
      FlRankRow row = { rank,           ranks, 1000 + rank, 1, rank < (ranks + 1) / 2 ? "node01" : "node02",
                        "cpu x86-64-v3" };
      fl_batch_append (batch, &row);
      made_add_slice (store, attempt, rank, 1, batch);
    }
  g_autoptr (FlBatch) sources = fl_batch_new (FL_KIND_SOURCE);
  FlSourceRow source = { 0, frames, file, "" };
  fl_batch_append (sources, &source);
  made_add_slice (store, attempt, 0, 2, sources);
}

/* What the hit's crystals are: see the header. */
static FlLatticeRow
made_lattice (FlRandom *random, guint64 shot, guint16 number)
{
  static const double tetragonal[6] = { 79.1, 79.1, 37.9, 90, 90, 90 },
                      other[6] = { 62, 74.5, 85, 90, 90, 90 };
  gboolean common = fl_random_unit (random) < 0.9;
  FlLatticeRow row = { .shot = shot, .number = number, .centring = common ? 'P' : 'I', .confidence = 0.95f };
  for (guint p = 0; p < 6; p++)
    {
      double value = common ? tetragonal[p] : other[p];
      value += (p < 3 ? 0.0025 * value : 0.15) * fl_random_normal (random);
      row.cell[p] = (float) (p < 3 ? value : value * G_PI / 180);
    }
  row.spots = 60;
  row.rmsd = 0.4f;
  row.mosaicity = 0.002f;
  row.resolution = 2;
  row.reflections = 900;
  return row;
}

/* Number 0 is used; the members are as many as made_lattice() would give. */
static void
add_cells (FlStore *store, gint64 attempt)
{
  g_autoptr (FlBatch) batch = fl_batch_new (FL_KIND_CELL);
  const float right = (float) (G_PI / 2);
  FlCellRow rows[] = {
    { 0, 0, { 79.1f, 79.1f, 37.9f, right, right, right }, { 0.2f, 0.2f, 0.1f }, 3, 'P', 0, 183, 200, 0.98f },
    { 1, 0, { 62, 74.5f, 85, right, right, right }, { 0.2f, 0.2f, 0.2f }, 2, 'I', 0, 17, 200, 0.61f }
  };
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    fl_batch_append (batch, &rows[i]);
  made_add_slice (store, attempt, 0, 3, batch);
}

/* The stages after finding, and the lattices found. */
static void
index_shot (FlRandom *random, FlShotRow *row, FlBatch *lattices)
{
  if (row->outcome != FL_OUTCOME_HIT)
    return;
  gboolean indexed = fl_random_unit (random) < 2 / 3.0;
  row->stage = indexed ? FL_STAGE_INTEGRATE : FL_STAGE_INDEX;
  row->duration[2] = (guint32) (60000 + 80000 * fl_random_unit (random));
  if (!indexed)
    return;
  row->outcome = FL_OUTCOME_INDEXED;
  row->lattices = fl_random_unit (random) < 0.125 ? 2 : 1;
  row->duration[3] = 30000u * row->lattices;
  row->duration[4] = 45000u * row->lattices;
  for (guint16 k = 0; k < row->lattices; k++)
    {
      FlLatticeRow lattice = made_lattice (random, row->id, k);
      fl_batch_append (lattices, &lattice);
    }
}

/* A quarter hits; the rate swings over the run; one shot in 200 fails. Takes 60–200 ms a shot. */
static FlShotRow
made_shot (FlRandom *random, const char *file, guint32 frame, guint n, guint64 start)
{
  double swing = 0.25 + 0.12 * sin (6.3 * frame / MAX (n, 1u));
  gboolean failed = fl_random_unit (random) < 0.005, hit = !failed && fl_random_unit (random) < swing;
  FlShotRow row = { .id = fl_shot_id (file, frame), .frame = frame, .start = start, .stage = FL_STAGE_FIND };
  row.outcome = failed ? FL_OUTCOME_FAILED : hit ? FL_OUTCOME_HIT : FL_OUTCOME_MISS;
  row.duration[0] = (guint32) (20000 + 20000 * fl_random_unit (random));
  row.duration[1] = (guint32) ((hit ? 90000 : 40000) + 40000 * fl_random_unit (random));
  row.spots = hit ? fl_random_poisson (random, 90) : fl_random_poisson (random, 3);
  row.resolution = hit ? (float) (2.1 + 0.5 * fl_random_unit (random)) : 0;
  row.energy = (float) (9300 + 5 * fl_random_normal (random));
  row.message = failed ? "bitshuffle data are damaged" : "";
  return row;
}

/* What a shot that was not refused shows, beside it; the shot's outcome follows. */
static FlParticleRow
made_particle (FlRandom *random, FlShotRow *shot)
{
  double chance = fl_random_unit (random);
  FlParticleRow row = { .shot = shot->id, .background = 40 };
  row.class = shot->outcome == FL_OUTCOME_HIT ? FL_PARTICLE_SINGLE
              : chance < 0.07                 ? FL_PARTICLE_SEVERAL
              : chance < 0.10                 ? FL_PARTICLE_JUNK
                                              : FL_PARTICLE_BLANK;
  double mean = row.class == FL_PARTICLE_SINGLE    ? 1000 * -log (1 - 0.98 * fl_random_unit (random))
                : row.class == FL_PARTICLE_SEVERAL ? 2500
                : row.class == FL_PARTICLE_JUNK    ? 5000
                                                   : 0;
  row.photons = fl_random_poisson (random, 40 + mean);
  row.diameter = row.class == FL_PARTICLE_BLANK ? 0 : (float) (150 + 10 * fl_random_normal (random));
  row.score = row.class == FL_PARTICLE_SINGLE ? 6 : -4;
  shot->resolution = 0;
  shot->spots = 0;
  return row;
}

static void
flush (FlStore *store, gint64 attempt, guint32 rank, guint64 *sequence, FlBatch *shots, FlBatch *found)
{
  if (fl_batch_rows (found))
    made_add_slice (store, attempt, rank, (*sequence)++, found);
  if (fl_batch_rows (shots))
    made_add_slice (store, attempt, rank, (*sequence)++, shots);
  fl_batch_clear (found);
  fl_batch_clear (shots);
}

/* Shots are dealt in turn; each rank's frames hold its own, in time. */
static void
add_shots (FlStore *store, gint64 attempt, const MadeStore *made, const char *file, guint n, guint64 begin)
{
  FlRandom random = fl_random (fl_hash64 (file, 8, (guint64) attempt));
  for (guint32 rank = 0; rank < made->ranks; rank++)
    {
      g_autoptr (FlBatch) batch = fl_batch_new (FL_KIND_SHOT);
      g_autoptr (FlBatch) found = fl_batch_new (made->particles ? FL_KIND_PARTICLE : FL_KIND_LATTICE);
      guint64 at = begin + rank * 3000000, sequence = 10;
      for (guint32 frame = rank; frame < n; frame += made->ranks)
        {
          FlShotRow row = made_shot (&random, file, frame, n, at);
          if (made->index)
            index_shot (&random, &row, found);
          if (made->particles && row.outcome != FL_OUTCOME_FAILED)
            {
              FlParticleRow particle = made_particle (&random, &row);
              fl_batch_append (found, &particle);
            }
          for (guint k = 0; k < 5; k++)
            at += row.duration[k] * G_GUINT64_CONSTANT (1000);
          at += 1000000;
          fl_batch_append (batch, &row);
          if (fl_batch_rows (batch) == ROWS_A_FRAME)
            flush (store, attempt, rank, &sequence, batch, found);
        }
      flush (store, attempt, rank, &sequence, batch, found);
    }
}

static gint64
add_run (FlStore *store, const MadeStore *made, guint k, guint64 begin)
{
  gboolean last = k == made->runs;
  g_autofree char *name = g_strdup_printf ("r%04u", k);
  FlRun run = { .name = name,
                .root = (char *) "data",
                .path = name,
                .first_seen = begin,
                .files = 1,
                .bytes = made->shots * 2097152ull,
                .completed = last ? 0 : begin + 30 * SECOND,
                .shots = last ? 0 : made->shots,
                .state = (char *) (last ? "recording" : "complete"),
                .comment = (char *) (k == 1 ? "first light, 3 µm crystals" : "") };
  return made_save (store, FL_TABLE_RUN, &run);
}

static void
add_jobs (FlStore *store, const MadeStore *made, guint k, gint64 run, const gint64 *trials, gint64 block,
          gint64 task, gint64 site, guint64 begin)
{
  gboolean last = k == made->runs, failed = k == 2;
  g_autofree char *path = g_strdup_printf ("jobs/t1-b1-r%04u-stills", k);
  g_autofree char *attempt_path = g_strdup_printf ("%s/attempt-0001", path);
  g_autofree char *file = g_strdup_printf ("/nowhere/data/r%04u/r%04u.cxi", k, k);
  FlJob job = { .trial = trials[0],
                .block = block,
                .run = run,
                .task = task,
                .root = (char *) "scratch",
                .path = path,
                .state = last     ? FL_JOB_RUNNING
                         : failed ? FL_JOB_FAILED
                                  : FL_JOB_DONE,
                .attempts = 1,
                .created = begin,
                .started = begin,
                .ended = last ? 0 : begin + 60 * SECOND,
                .reason = (char *) (failed ? "r0002.cxi: bitshuffle data are damaged, expected 2 MiB a frame"
                                           : "") };
  made_save (store, FL_TABLE_JOB, &job);
  FlAttempt attempt = { .job = job.id,
                        .site = site,
                        .number = 1,
                        .state = job.state,
                        .path = attempt_path,
                        .reason = job.reason,
                        .nodes = (char *) "node01,node02",
                        .remote_id = (char *) "4711",
                        .command = (char *) "mpirun -n 16 firstlight-engine stills --stages all",
                        .exit_code = last     ? -1
                                     : failed ? 2
                                              : 0,
                        .submitted = begin,
                        .started = begin,
                        .ended = job.ended };
  made_save (store, FL_TABLE_ATTEMPT, &attempt);
  guint n = failed ? made->shots / 3 : made->shots;
  add_ranks (store, attempt.id, made->ranks, file, made->shots);
  if (made->index)
    add_cells (store, attempt.id);
  add_shots (store, attempt.id, made, file, n, begin);
  FlJob planned = { .trial = trials[1],
                    .block = block,
                    .run = run,
                    .task = task,
                    .root = (char *) "scratch",
                    .path = (char *) "jobs/none",
                    .state = FL_JOB_PLANNED,
                    .created = begin };
  made_save (store, FL_TABLE_JOB, &planned);
}

static gint64
add_trial (FlStore *store, int number, const char *name, const char *assignment, guint64 created)
{
  g_autoptr (FlParams) params = fl_params_new ();
  GError *error = NULL;
  made_must (!assignment || fl_params_set_assignment (params, assignment, &error), &error);
  g_autofree char *text = fl_params_write (params);
  FlTrial trial = { .number = number,
                    .name = (char *) name,
                    .params = text,
                    .active = TRUE,
                    .created = created,
                    .params_version = (char *) fl_param_table_version (),
                    .engine_build = (char *) "made" };
  return made_save (store, FL_TABLE_TRIAL, &trial);
}

/* How long a run's shots take at their mean of about 110 ms. */
static guint64
span_of (const MadeStore *made)
{
  return made->shots / MAX (made->ranks, 1u) * G_GUINT64_CONSTANT (112000000) * (made->index ? 4 : 3) / 3;
}

void
made_store_write (const char *folder, const MadeStore *made)
{
  GError *error = NULL;
  FlStore *store = fl_store_open (folder, FL_STORE_CREATE, &error);
  made_must (store != NULL, &error);
  made_must (fl_store_begin (store, &error), &error);
  guint64 step = span_of (made) + 20 * SECOND, zero = made->now - made->runs * step;
  FlRoot data = { .name = (char *) "data", .path = (char *) "data" };
  FlRoot scratch = { .name = (char *) "scratch", .path = (char *) "." };
  made_save (store, FL_TABLE_ROOT, &data);
  made_save (store, FL_TABLE_ROOT, &scratch);
  FlSite site = { .name = (char *) "here", .kind = (char *) "local", .scratch = (char *) "scratch" };
  made_save (store, FL_TABLE_SITE, &site);
  FlTag tags[] = { { .name = (char *) "lysozyme", .persistent = TRUE }, { .name = (char *) "dark" } };
  for (guint i = 0; i < G_N_ELEMENTS (tags); i++)
    made_save (store, FL_TABLE_TAG, &tags[i]);
  FlBlock block = { .name = (char *) "jungfrau", .params = (char *) "", .active = TRUE };
  made_save (store, FL_TABLE_BLOCK, &block);
  FlTask *task = fl_store_find (store, FL_TABLE_TASK, "stills", &error); /* every new store has it */
  made_must (task != NULL, &error);
  g_free (task->type);
  task->type = g_strdup (made->particles ? "hits" : made->index ? "all" : "spots");
  if (made->particles)
    {
      g_free (task->name);
      task->name = g_strdup ("hits");
    }
  made_save (store, FL_TABLE_TASK, task);
  gint64 trials[] = { add_trial (store, 1, "defaults", NULL, zero),
                      add_trial (store, 2, "strong", "spots.sigma_strong=4", zero) };
  for (guint k = 1; k <= made->runs; k++)
    {
      guint64 begin = zero + k * step - span_of (made);
      gint64 run = add_run (store, made, k, begin);
      add_jobs (store, made, k, run, trials, block.id, task->id, site.id, begin);
      FlRunTag pair = { .run = run, .tag = tags[k == 2].id };
      made_save (store, FL_TABLE_RUN_TAG, &pair);
    }
  fl_record_free (FL_TABLE_TASK, task);
  made_must (fl_store_commit (store, &error), &error);
  for (gint64 attempt = 1; attempt < made->runs; attempt++) /* the last one still runs */
    made_must (fl_store_compact (store, attempt, &error), &error);
  fl_store_close (store);
  g_autofree char *runs = g_build_filename (folder, "data", NULL);
  g_mkdir_with_parents (runs, 0777);
}
