/* Each finding planted in made evidence and found, by itself; none in clean evidence, nor in simulated runs that the engine
 * processed (environment: FIRSTLIGHT_ENGINE; FINDINGS_RUNS seeds, default 2). */
#include <locale.h>
#include <math.h>
#include <string.h>

#include "engine/base/units.h"
#include "engine/control/findings.h"
#include "engine/store/ingest.h"
#include "tests/store/fixture.h"

#define PANELS 8
#define SHOTS  1000

/* What a made run is like; zeros would be an empty run, so begin with `clean`. */
typedef struct
{
  double hit_rate, indexed; /* parts: of the shots; of the hits */
  guint32 spots;            /* a hit */
  float shift[3], axes;     /* mm; cell over the told one */
  float signal, strength;   /* counts/px; counts a spot */
  float dead, noisy;        /* panel, -1: none */
  guint32 saturated;        /* of 1000 spots of a panel */
  gboolean ice, salt;
  guint failed;  /* shots */
  double loose;  /* Å, of the axes from lattice to lattice */
  float a, c;    /* Å, of the told cell; where c differs from 37.9 the lattices still have that */
  guint photons; /* a hit: of single particles, no crystals, `signal` · 100 of it background; 0: crystals */
} Made;

static const Made clean = { .hit_rate = 0.25,
                            .indexed = 0.8,
                            .spots = 60,
                            .axes = 1,
                            .signal = 2,
                            .strength = 400,
                            .dead = -1,
                            .noisy = -1,
                            .saturated = 1,
                            .a = 79.1f,
                            .c = 37.9f };

static const Made clean_particles = { .hit_rate = 0.25, .signal = 2, .photons = 1000 };

static guint64 sequence;

static void
add_batch (FlStore *store, gint64 attempt, FlBatch *batch)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  fl_batch_encode (batch, bytes);
  fl_store_add_slice (store, attempt, 0, ++sequence, (int) fl_batch_kind (batch), bytes->data, bytes->len,
                      NULL, &error);
  g_assert_no_error (error);
}

static float
spread (FlRandom *r, double width)
{
  double sum = 0;
  for (int i = 0; i < 12; i++)
    sum += fl_random_unit (r);
  return (float) ((sum - 6) * width);
}

static void
add_lattices (FlStore *store, gint64 attempt, const Made *made, FlRandom *r)
{
  g_autoptr (FlBatch) batch = fl_batch_new (FL_KIND_LATTICE);
  g_autoptr (FlBatch) cells = fl_batch_new (FL_KIND_CELL);
  FlCellRow told = { .told = 1, .cell = { made->a, made->a, made->c, 1.5708f, 1.5708f, 1.5708f } };
  guint n = (guint) (SHOTS * made->hit_rate * made->indexed);
  for (guint i = 0; i < n; i++)
    {
      FlLatticeRow row = { .shot = i + 1 };
      for (guint k = 0; k < 3; k++)
        {
          row.shift[k] = made->shift[k] + spread (r, 0.03);
          row.cell[k] = (k < 2 ? made->a : 37.9f) * made->axes + spread (r, 0.1 + made->loose);
        }
      fl_batch_append (batch, &row);
    }
  fl_batch_append (cells, &told);
  add_batch (store, attempt, cells);
  if (n > 0)
    add_batch (store, attempt, batch);
}

static void
add_panels (FlStore *store, gint64 attempt, const Made *made)
{
  g_autoptr (FlBatch) batch = fl_batch_new (FL_KIND_PANEL);
  for (guint p = 0; p < PANELS; p++)
    {
      float mean = made->signal / (float) (1 + p);
      FlPanelRow row = { .panel = (guint16) p,
                         .shots = 60,
                         .pixels = 16000,
                         .mean = mean,
                         .noise = sqrtf (mean),
                         .zeros = expf (-mean),
                         .spots = 1000,
                         .saturated = made->saturated,
                         .pixel_size = 0.075f,
                         .distance = 100 };
      if ((float) p == made->dead)
        row.mean = row.noise = 0, row.zeros = 1;
      if ((float) p == made->noisy)
        row.noise *= 20;
      fl_batch_append (batch, &row);
    }
  add_batch (store, attempt, batch);
}

static void
add_rings (FlStore *store, gint64 attempt, const Made *made, FlRandom *r)
{
  g_autoptr (FlBatch) batch = fl_batch_new (FL_KIND_RING);
  for (guint i = 1; i < 80; i++)
    {
      double mean = 400 * exp (i / -25.0);
      FlRingRow ring = { .number = (guint16) i,
                         .shots = SHOTS,
                         .hits = (guint32) (SHOTS * made->hit_rate),
                         .spots = (guint32) fmax (1, mean + (double) spread (r, sqrt (mean))),
                         .intensity = made->strength * (float) exp (i / -40.0) };
      if (made->ice && (i == 16 || i == 18 || i == 21 || i == 35))
        ring.spots *= 4;
      if (made->salt && (i == 63 || i == 64))
        ring.spots = 30, ring.intensity = 40 * made->strength;
      fl_batch_append (batch, &ring);
    }
  add_batch (store, attempt, batch);
}

static void
add_particles (FlStore *store, gint64 attempt, const Made *made, const FlShotRow *shots)
{
  g_autoptr (FlBatch) batch = fl_batch_new (FL_KIND_PARTICLE);
  for (guint i = 0; i < SHOTS; i++)
    if (shots[i].outcome != FL_OUTCOME_FAILED)
      {
        gboolean hit = shots[i].outcome == FL_OUTCOME_HIT;
        float background = 100 * made->signal;
        FlParticleRow row = { .shot = shots[i].id,
                              .class = hit ? FL_PARTICLE_SINGLE : FL_PARTICLE_BLANK,
                              .photons = (guint32) background + (hit ? made->photons : 0),
                              .background = background };
        fl_batch_append (batch, &row);
      }
  add_batch (store, attempt, batch);
}

static gint64
add_made (FlStore *store, gint64 trial, const char *name, gint64 run, const Made *made)
{
  FlRandom r = fl_random (fl_hash64 (name, strlen (name), 1));
  FlShotRow shots[SHOTS];
  if (run == 0)
    run = add_run (store, name, "complete");
  gint64 attempt = add_attempt (store, add_job (store, trial, run), 1);
  for (guint i = 0; i < SHOTS; i++)
    {
      gboolean hit = i < SHOTS * made->hit_rate;
      FlOutcome outcome = i >= SHOTS - made->failed                    ? FL_OUTCOME_FAILED
                          : !hit                                       ? FL_OUTCOME_MISS
                          : i < SHOTS * made->hit_rate * made->indexed ? FL_OUTCOME_INDEXED
                                                                       : FL_OUTCOME_HIT;
      shots[i] = make_shot (fl_random_u64 (&r), outcome, hit ? made->spots : 0, 1000000 * (i + 1));
    }
  add_shots (store, attempt, 0, ++sequence, shots, SHOTS);
  if (made->photons > 0)
    {
      add_particles (store, attempt, made, shots);
      return run;
    }
  add_lattices (store, attempt, made, &r);
  add_panels (store, attempt, made);
  add_rings (store, attempt, made, &r);
  return run;
}

static GPtrArray *
judge (FlStore *store, guint64 now)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlStats) stats = fl_stats_new ();
  g_autoptr (FlFindings) findings = fl_findings_new (stats);
  fl_stats_update (stats, store, NULL, &error);
  for (gboolean more = TRUE; more;)
    {
      fl_findings_update (findings, store, &more, &error);
      g_assert_no_error (error);
    }
  GPtrArray *list = fl_findings_list (findings, now);
  for (guint i = 0; i < list->len; i++)
    {
      const FlFinding *f = list->pdata[i];
      g_test_message ("%s: %s | %s | %s", fl_finding_name (f->kind), f->title, f->evidence, f->advice);
    }
  return list;
}

/* Three clean runs and this one; `kind` and nothing else must be found. FL_FINDING_LAST: nothing. */
static void
expect (const Made *made, FlFindingKind kind, const char *words)
{
  g_autofree char *folder = temporary_folder ();
  FlStore *store = open_store (folder, FL_STORE_CREATE);
  gint64 trial = add_trial (store, 1);
  for (guint i = 0; i < 3; i++)
    {
      g_autofree char *name = g_strdup_printf ("r%04u", i + 1);
      add_made (store, trial, name, 0, made->photons > 0 ? &clean_particles : &clean);
    }
  gint64 run = add_made (store, trial, "r0004", 0, made);
  g_autoptr (GPtrArray) list = judge (store, 0);
  g_assert_cmpuint (list->len, ==, kind == FL_FINDING_LAST ? 0 : 1);
  if (list->len > 0)
    {
      const FlFinding *f = list->pdata[0];
      g_assert_cmpint (f->kind, ==, kind);
      g_assert_cmpint (f->run, ==, run);
      g_autofree char *all = g_strconcat (f->title, "|", f->evidence, "|", f->advice, NULL);
      g_assert_nonnull (strstr (all, words));
    }
  fl_store_close (store);
  remove_folder (folder);
}

#define PLANTED_IN(like, name, change, kind, words)                                                          \
  static void test_##name (void)                                                                             \
  {                                                                                                          \
    Made made = like;                                                                                        \
    change;                                                                                                  \
    expect (&made, kind, words);                                                                             \
  }
#define PLANTED(name, change, kind, words) PLANTED_IN (clean, name, change, kind, words)

PLANTED (clean, made.hit_rate = 0.3, FL_FINDING_LAST, "")
PLANTED (beam, made.shift[0] = 0.15f, FL_FINDING_BEAM_CENTRE, "off by 2.0 px")
PLANTED (beam_small, made.shift[0] = 0.03f, FL_FINDING_LAST, "")
PLANTED (distance, made.shift[2] = 0.5f, FL_FINDING_DISTANCE, "off by +0.5")
PLANTED (axes, made.axes = 1.01f, FL_FINDING_DISTANCE, "off by -0.99 mm")
PLANTED (dead, made.dead = 5, FL_FINDING_DEAD_PANEL, "8 panels (5):")
PLANTED (noisy, made.noisy = 3, FL_FINDING_NOISY_PANEL, "8 panels (3):")
PLANTED (dark, made.hit_rate = 0; made.signal = 0.01f; made.spots = 0, FL_FINDING_DARK_RUN, "0 hits in 1000")
PLANTED (no_sample, made.hit_rate = 0; made.spots = 0, FL_FINDING_LAST, "")
PLANTED (saturation, made.saturated = 50, FL_FINDING_SATURATION, "5.0 %")
PLANTED (no_index, made.indexed = 0.02, FL_FINDING_WRONG_CELL, "5 of 250 hits")
PLANTED (few_index, made.indexed = 0.15, FL_FINDING_WRONG_CELL, "Few hits index (15 %)")
PLANTED (told_axis, made.c = 38.9f, FL_FINDING_WRONG_CELL, "axes 79.10 79.10 37.90 Å ± 0.3 %")
PLANTED (loose_axes, made.loose = 2, FL_FINDING_WRONG_CELL, "± 5.")
PLANTED (ice, made.ice = TRUE, FL_FINDING_ICE, "3.90")
PLANTED (salt, made.salt = TRUE, FL_FINDING_SALT, "60 spots")
PLANTED (photons, made.strength = 80; made.spots = 25, FL_FINDING_FEW_PHOTONS, "spots 20 % as strong")

PLANTED (attenuated, made.strength = 180; made.signal = 0.8f, FL_FINDING_FEW_PHOTONS, "spots 45 % as strong")
PLANTED (few_failed, made.failed = 9, FL_FINDING_LAST, "")
PLANTED (failed, made.failed = 12, FL_FINDING_FAILED_SHOTS, "12 of 1000 shots")
PLANTED (thin_jet, made.signal = 0.8f, FL_FINDING_LAST, "")
PLANTED (small_crystals, made.strength = 180, FL_FINDING_LAST, "")

#define PARTICLES(name, change, kind, words) PLANTED_IN (clean_particles, name, change, kind, words)

PARTICLES (particles, made.hit_rate = 0.3, FL_FINDING_LAST, "")
PARTICLES (particles_failed, made.failed = 12, FL_FINDING_FAILED_SHOTS, "12 of 1000 shots")
PARTICLES (particles_dark, made.hit_rate = 0;
           made.signal = 0.02f, FL_FINDING_DARK_RUN, "2 photons a shot (other runs: 450)")
PARTICLES (particles_none, made.hit_rate = 0, FL_FINDING_LAST, "")
PARTICLES (particles_dim, made.photons = 400;
           made.signal = 0.8f, FL_FINDING_FEW_PHOTONS, "hits 40 % as strong")
PARTICLES (particles_small, made.photons = 400, FL_FINDING_LAST, "")

/* The same fault in runs 3 to 5 and 7 is one finding, of the last; run 8 is without it. */
static void
test_fold (void)
{
  g_autofree char *folder = temporary_folder ();
  FlStore *store = open_store (folder, FL_STORE_CREATE);
  gint64 trial = add_trial (store, 1), last = 0;
  Made off = clean, dead = clean;
  for (guint i = 8; i >= 1; i--) /* later runs may be done before earlier ones */
    {
      g_autofree char *name = g_strdup_printf ("r%04u", i);
      off.shift[0] = 0.05f * (float) i;
      dead.dead = 1 + (float) (i % 2);
      gboolean is_off = (i >= 3 && i <= 5) || i == 7;
      gint64 run = add_made (store, trial, name, 0, is_off ? &off : i == 8 ? &clean : &dead);
      last = i == 7 ? run : last;
    }
  g_autoptr (GPtrArray) list = judge (store, 0);
  g_assert_cmpuint (list->len, ==, 3); /* one of the beam, one of either panel: r0001, and r0002 with r0006 */
  for (guint i = 0; i < list->len; i++)
    {
      const FlFinding *f = list->pdata[i];
      g_assert_true (f->over);
      if (f->kind != FL_FINDING_BEAM_CENTRE)
        continue;
      g_assert_cmpstr (f->title, ==,
                       "Beam centre off by 4.7 px in 4 runs, r0003–r0005, r0007; over since r0008");
      g_assert_cmpint (f->run, ==, last);
      g_assert_cmpuint (f->n_runs, ==, 4);
      g_assert_cmpint (f->severity, ==, 2);
    }
  fl_store_close (store);
  remove_folder (folder);
}

/* Another trial's cell indexes the run; the trial that is judged has the higher number. */
static void
test_other_cell (void)
{
  g_autofree char *folder = temporary_folder ();
  FlStore *store = open_store (folder, FL_STORE_CREATE);
  gint64 right = add_trial (store, 1), wrong = add_trial (store, 2);
  Made made = clean;
  gint64 run = add_made (store, right, "r0001", 0, &clean);
  made.a = 90;
  made.indexed = 0.3;
  add_made (store, wrong, "r0001", run, &made);
  g_autoptr (GPtrArray) list = judge (store, 0);
  g_assert_cmpuint (list->len, ==, 1);
  const FlFinding *f = list->pdata[0];
  g_assert_cmpint (f->kind, ==, FL_FINDING_WRONG_CELL);
  g_assert_nonnull (strstr (f->advice, "79.1"));
  fl_store_close (store);
  remove_folder (folder);
}

static void
test_lag (void)
{
  g_autofree char *folder = temporary_folder ();
  FlStore *store = open_store (folder, FL_STORE_CREATE);
  add_made (store, add_trial (store, 1), "r0001", 0, &clean);
  FlRun run = { .name = (char *) "r0002", .state = (char *) "complete", .completed = 1, .shots = SHOTS };
  save (store, FL_TABLE_RUN, &run);
  g_autoptr (GPtrArray) early = judge (store, 300 * FL_NS_PER_S);
  g_assert_cmpuint (early->len, ==, 0);
  g_autoptr (GPtrArray) late = judge (store, 2400 * FL_NS_PER_S);
  g_assert_cmpuint (late->len, ==, 1);
  g_assert_cmpint (((FlFinding *) late->pdata[0])->kind, ==, FL_FINDING_LAG);
  fl_store_close (store);
  remove_folder (folder);
}

/* --- simulated --- */

static void
run_engine (const char *engine, const char *arguments)
{
  g_autofree char *quoted = g_shell_quote (engine);
  g_autofree char *command = g_strdup_printf ("%s %s", quoted, arguments);
  g_autofree char *out = NULL;
  g_autofree char *messages = NULL;
  int status = -1;
  g_assert_true (g_spawn_command_line_sync (command, &out, &messages, &status, NULL));
  if (status != 0)
    g_test_message ("%s: %s", command, messages);
  g_assert_cmpint (status, ==, 0);
}

/* A run of 240 shots, indexed with the right cell. */
static void
add_simulated (FlStore *store, gint64 trial, guint seed, const char *engine, const char *folder)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *name = g_strdup_printf ("s%04u", seed);
  g_autofree char *simulate = g_strdup_printf (
      "simulate-sfx --quiet --out %s/%s --runs 1 --shots 240 --set simulate.seed=%u "
      "--set simulate.gain=1 --set simulate.readout_noise=0.3", /* in photons: nothing is clipped */
      folder, name, seed);
  g_autofree char *stills = g_strdup_printf (
      "stills --stages index --out %s/%s-job --set detector.geometry=%s/%s/detector.geom "
      "--set indexing.unit_cell=79.1,79.1,37.9,90,90,90 --set indexing.space_group=P43212 %s/%s/r0001",
      folder, name, folder, name, folder, name);
  g_autofree char *attempt_dir = g_strdup_printf ("%s/%s-job/attempt-0001", folder, name);
  run_engine (engine, simulate);
  run_engine (engine, stills);
  gint64 run = add_run (store, name, "complete"), job = add_job (store, trial, run);
  g_autoptr (FlIngest) ingest = fl_ingest_new (store, add_attempt (store, job, 1), attempt_dir);
  fl_ingest_update (ingest, NULL, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < 2; i++) /* the evidence came into the store */
    {
      g_autoptr (GPtrArray) slices =
          fl_store_slices (store, i == 0 ? FL_KIND_PANEL : FL_KIND_RING, job, 0, 0, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (slices->len, >, 0);
    }
}

static void
test_simulated (void)
{
  const char *engine = g_getenv ("FIRSTLIGHT_ENGINE"), *runs = g_getenv ("FINDINGS_RUNS");
  g_autofree char *folder = temporary_folder ();
  FlStore *store = open_store (folder, FL_STORE_CREATE);
  gint64 trial = add_trial (store, 1);
  g_assert_nonnull (engine);
  for (guint seed = 1; seed <= (runs != NULL ? (guint) atoi (runs) : 2u); seed++)
    add_simulated (store, trial, seed, engine, folder);
  g_autoptr (GPtrArray) list = judge (store, 0);
  g_assert_cmpuint (list->len, ==, 0);
  fl_store_close (store);
  remove_folder (folder);
}

/* The dataset's newest reconstruction that is done counts: not one that goes on, nor what was before. */
static void
test_reconstruction (void)
{
  g_autofree char *folder = temporary_folder ();
  FlStore *store = open_store (folder, FL_STORE_CREATE);
  gint64 trial = add_trial (store, 1);
  FlDataset dataset = { .name = (char *) "particles" };
  save (store, FL_TABLE_DATASET, &dataset);
  add_made (store, trial, "r0001", 0, &clean_particles);
  const struct
  {
    double held;
    FlJobState state;
    guint findings;
  } cases[] = { { -0.5, FL_JOB_RUNNING, 0 }, { 3, FL_JOB_DONE, 0 },   { -0.5, FL_JOB_DONE, 1 },
                { 4, FL_JOB_RUNNING, 1 },    { NAN, FL_JOB_DONE, 0 }, { 0, FL_JOB_DONE, 1 } };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      FlJob job = {
        .trial = trial, .task = 1, .dataset = dataset.id, .version = i + 1, .state = cases[i].state
      };
      save (store, FL_TABLE_JOB, &job);
      gint64 attempt = add_attempt (store, job.id, 1);
      for (guint g = 1; g <= 2; g++)
        {
          g_autoptr (FlBatch) batch = fl_batch_new (FL_KIND_GENERATION);
          FlGenerationRow row = {
            .number = g, .patterns = 300, .held_back = 15, .held = g == 1 ? -1 : cases[i].held
          };
          fl_batch_append (batch, &row);
          add_batch (store, attempt, batch);
        }
      g_autoptr (GPtrArray) list = judge (store, 0);
      g_assert_cmpuint (list->len, ==, cases[i].findings);
      if (list->len > 0)
        {
          const FlFinding *f = list->pdata[0];
          g_assert_cmpint (f->kind, ==, FL_FINDING_RECONSTRUCTION);
          g_assert_cmpint (f->job, ==, i == 3 ? job.id - 1 : job.id);
          g_assert_nonnull (strstr (f->title, "of particles tells no more"));
        }
    }
  fl_store_close (store);
  remove_folder (folder);
}

static void
add_particle_tests (void)
{
  g_test_add_func ("/findings/particles/reconstruction", test_reconstruction);
  g_test_add_func ("/findings/particles/clean", test_particles);
  g_test_add_func ("/findings/particles/failed", test_particles_failed);
  g_test_add_func ("/findings/particles/dark", test_particles_dark);
  g_test_add_func ("/findings/particles/no-sample", test_particles_none);
  g_test_add_func ("/findings/particles/dim", test_particles_dim);
  g_test_add_func ("/findings/particles/small", test_particles_small);
}

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "");
  g_test_init (&argc, &argv, NULL);
  if (g_getenv ("FINDINGS_RUNS") == NULL)
    {
      g_test_add_func ("/findings/clean", test_clean);
      g_test_add_func ("/findings/beam", test_beam);
      g_test_add_func ("/findings/beam-small", test_beam_small);
      g_test_add_func ("/findings/distance", test_distance);
      g_test_add_func ("/findings/axes", test_axes);
      g_test_add_func ("/findings/dead-panel", test_dead);
      g_test_add_func ("/findings/noisy-panel", test_noisy);
      g_test_add_func ("/findings/dark-run", test_dark);
      g_test_add_func ("/findings/no-sample", test_no_sample);
      g_test_add_func ("/findings/saturation", test_saturation);
      g_test_add_func ("/findings/no-index", test_no_index);
      g_test_add_func ("/findings/few-index", test_few_index);
      g_test_add_func ("/findings/told-axis", test_told_axis);
      g_test_add_func ("/findings/loose-axes", test_loose_axes);
      g_test_add_func ("/findings/attenuated", test_attenuated);
      g_test_add_func ("/findings/failed-shots", test_failed);
      g_test_add_func ("/findings/few-failed-shots", test_few_failed);
      g_test_add_func ("/findings/thin-jet", test_thin_jet);
      g_test_add_func ("/findings/small-crystals", test_small_crystals);
      add_particle_tests ();
      g_test_add_func ("/findings/fold", test_fold);
      g_test_add_func ("/findings/other-cell", test_other_cell);
      g_test_add_func ("/findings/ice", test_ice);
      g_test_add_func ("/findings/salt", test_salt);
      g_test_add_func ("/findings/few-photons", test_photons);
      g_test_add_func ("/findings/lag", test_lag);
    }
  g_test_add_func ("/findings/simulated", test_simulated);
  return g_test_run ();
}
