#include "tests/gui/made-merges.h"

#include <math.h>

#include "engine/base/batch.h"
#include "tests/gui/made.h"

#define SHELLS  10
#define SUBSETS 5
#define D_MIN   2.0
#define SECOND  G_GUINT64_CONSTANT (1000000000)

static void
add_batch (FlStore *store, gint64 attempt, FlBatch *batch)
{
  made_add_slice (store, attempt, 0, (guint64) fl_batch_kind (batch), batch);
  fl_batch_free (batch);
}

/* --- laws --- */

/* Shell i of SHELLS, equal in 1/d³; 0: all together. */
static FlShellRow
shell_of (const MadeMerges *wanted, guint16 i, double lattices)
{
  double edge = 1 / (D_MIN * D_MIN * D_MIN), from = i <= 1 ? 1e-5 : edge * (i - 1) / SHELLS,
         to = i == 0 ? edge : edge * i / SHELLS;
  double possible = i == 0 ? 60000 : 60000. / SHELLS, x = lattices * wanted->observations, seen = -expm1 (-x);
  double fade = i == 0 ? 0.02 : pow ((double) i / SHELLS, 3); /* noise grows with resolution */
  double cc = wanted->ceiling / (1 + 2 * wanted->noise * fade / x);
  double quality = sqrt (x / (wanted->noise * fade));
  return (FlShellRow){ .number = i,
                       .d_max = (float) pow (from, -1. / 3),
                       .d_min = (float) pow (to, -1. / 3),
                       .possible = (guint32) possible,
                       .unique = (guint32) (possible * seen),
                       .pairs = (guint32) (possible * seen),
                       .observations = (guint64) (possible * x),
                       .lattices = (guint32) lattices,
                       .completeness = (float) seen,
                       .multiplicity = (float) (x / seen),
                       .intensity = 1000,
                       .i_sigma = (float) quality,
                       .cc_half = (float) cc,
                       .cc_star = (float) sqrt (2 * cc / (1 + cc)),
                       .r_split = (float) (0.8 / quality),
                       .cc_iso = NAN,
                       .r_iso = NAN,
                       .cc_ano = (float) (wanted->ceiling / (1 + 80 * wanted->noise * fade / x)),
                       .completeness_ano = (float) seen,
                       .twin = 0.5F };
}

static void
add_rows (FlStore *store, gint64 attempt, const MadeMerges *wanted, guint64 lattices)
{
  FlBatch *shells = fl_batch_new (FL_KIND_SHELL), *trend = fl_batch_new (FL_KIND_TREND);
  for (guint16 i = 0; i <= SHELLS; i++)
    {
      FlShellRow row = shell_of (wanted, i, (double) lattices);
      fl_batch_append (shells, &row);
      for (guint k = 0; k < SUBSETS; k++)
        {
          FlShellRow part = shell_of (wanted, i, (double) (lattices >> (SUBSETS - 1 - k)));
          FlTrendRow point = { .lattices = lattices >> (SUBSETS - 1 - k),
                               .number = i,
                               .d_max = part.d_max,
                               .d_min = part.d_min,
                               .possible = part.possible,
                               .pairs = part.pairs,
                               .completeness = part.completeness,
                               .multiplicity = part.multiplicity,
                               .i_sigma = part.i_sigma,
                               .cc_half = part.cc_half,
                               .r_split = part.r_split,
                               .cc_ano = part.cc_ano };
          fl_batch_append (trend, &point);
        }
    }
  add_batch (store, attempt, shells);
  add_batch (store, attempt, trend);
}

static void
add_whole (FlStore *store, gint64 attempt, const MadeMerges *wanted, guint64 lattices, guint64 when)
{
  FlBatch *whole = fl_batch_new (FL_KIND_MERGE), *reasons = fl_batch_new (FL_KIND_REJECTION);
  FlShellRow all = shell_of (wanted, 0, (double) lattices);
  FlMergeRow row = { .time = when,
                     .lattices = lattices + lattices / 20,
                     .used = lattices,
                     .observations = all.observations,
                     .unique = all.unique,
                     .possible = all.possible,
                     .space_group = 96,
                     .d_max = 30,
                     .d_min = (float) D_MIN,
                     .wilson_b = 21,
                     .completeness = all.completeness,
                     .multiplicity = all.multiplicity,
                     .i_sigma = all.i_sigma,
                     .cc_half = all.cc_half,
                     .cc_star = all.cc_star,
                     .r_split = all.r_split,
                     .cc_iso = NAN,
                     .cc_ano = all.cc_ano };
  FlRejectionRow reason = { "unit cell outside the cluster", lattices / 20, 0 };
  fl_batch_append (whole, &row);
  fl_batch_append (reasons, &reason);
  add_batch (store, attempt, whole);
  add_batch (store, attempt, reasons);
}

/* --- records --- */

static gint64
find_task (FlStore *store, const char *name, const char *type)
{
  GError *error = NULL;
  FlTask *found = fl_store_find (store, FL_TABLE_TASK, name, &error);
  FlTask fresh = { .name = (char *) name, .type = (char *) type };
  made_must (!error, &error);
  gint64 id = found ? found->id : made_save (store, FL_TABLE_TASK, &fresh);
  fl_record_free (FL_TABLE_TASK, found);
  return id;
}

/* Done jobs of the trial and the task are a version's inputs. */
static void
add_version (FlStore *store, gint64 dataset, gint64 trial, gint64 stills, gint64 merge, int number,
             guint64 lattices, guint64 when, const MadeMerges *wanted)
{
  GError *error = NULL;
  FlDatasetVersion version = {
    .dataset = dataset, .number = number, .created = when - 40 * SECOND, .lattices = (gint64) lattices
  };
  made_save (store, FL_TABLE_DATASET_VERSION, &version);
  g_autoptr (GPtrArray) jobs = fl_store_list (store, FL_TABLE_JOB, &error);
  made_must (jobs != NULL, &error);
  for (guint i = 0; i < jobs->len; i++)
    {
      const FlJob *job = jobs->pdata[i];
      FlVersionJob use = { .version = version.id, .job = job->id };
      if (job->trial == trial && job->task == stills && job->state == FL_JOB_DONE)
        made_save (store, FL_TABLE_VERSION_JOB, &use);
    }
  FlJob job = { .trial = trial,
                .dataset = dataset,
                .version = version.id,
                .task = merge,
                .state = FL_JOB_DONE,
                .ended = when };
  FlAttempt attempt = {
    .job = made_save (store, FL_TABLE_JOB, &job), .number = 1, .state = FL_JOB_DONE, .ended = when
  };
  made_save (store, FL_TABLE_ATTEMPT, &attempt);
  add_rows (store, attempt.id, wanted, lattices);
  add_whole (store, attempt.id, wanted, lattices, when);
}

gint64
made_merges_add (FlStore *store, const MadeMerges *wanted, guint64 now)
{
  GError *error = NULL;
  g_autoptr (GPtrArray) trials = fl_store_list (store, FL_TABLE_TRIAL, &error);
  made_must (trials != NULL && trials->len > 0, &error);
  gint64 trial = ((const FlTrial *) trials->pdata[0])->id;
  gint64 stills = find_task (store, "stills", "all"), merge = find_task (store, "merge", "merge");
  FlDataset dataset = wanted->goals;
  dataset.name = (char *) wanted->name;
  dataset.expression = (char *) "not dark";
  dataset.trial = trial;
  dataset.active = TRUE;
  dataset.min_interval = 300;
  made_save (store, FL_TABLE_DATASET, &dataset);
  g_autofree char *after = g_strdup_printf ("%" G_GINT64_FORMAT, stills);
  FlDatasetTask steps[] = { { .dataset = dataset.id, .task = stills, .number = 1 },
                            { .dataset = dataset.id, .task = merge, .number = 2, .after = after } };
  made_save (store, FL_TABLE_DATASET_TASK, &steps[0]);
  made_save (store, FL_TABLE_DATASET_TASK, &steps[1]);
  for (guint i = 0; wanted->lattices > 0 && i < wanted->versions; i++)
    {
      guint before = wanted->versions - 1 - i;
      add_version (store, dataset.id, trial, stills, merge, (int) i + 1,
                   (guint64) ((double) wanted->lattices * pow (2. / 3, before)), now - before * 420 * SECOND,
                   wanted);
    }
  return dataset.id;
}
