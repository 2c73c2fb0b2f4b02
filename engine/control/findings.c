#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/units.h"
#include "engine/control/findings-private.h"

#define SLICES_AT_ONCE 200
#define LAG_WORTH      (600 * FL_NS_PER_S)
#define LAG_BAD        (1800 * FL_NS_PER_S)
#define LAG_OLD        (24 * 3600 * FL_NS_PER_S) /* nobody waits for it any more */

static const FlKind kinds[] = { FL_KIND_LATTICE, FL_KIND_CELL,     FL_KIND_PANEL,
                                FL_KIND_RING,    FL_KIND_PARTICLE, FL_KIND_GENERATION };

struct FlFindings
{
  FlStats *stats; /* borrowed */
  gint64 cursors[G_N_ELEMENTS (kinds)], revision;
  GHashTable *jobs;            /* id -> FlJobEvidence */
  GHashTable *runs;            /* id -> name */
  GHashTable *datasets;        /* id -> name */
  GHashTable *reconstructions; /* job of a version -> FlReconstructionView */
};

static void
evidence_free (gpointer data)
{
  FlJobEvidence *evidence = data;
  g_array_unref (evidence->panels);
  g_ptr_array_unref (evidence->judged);
  g_free (evidence);
}

FlFindings *
fl_findings_new (FlStats *stats)
{
  FlFindings *self = g_new0 (FlFindings, 1);
  self->stats = stats;
  self->jobs = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, evidence_free);
  self->runs = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  self->datasets = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  self->reconstructions = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, g_free);
  return self;
}

void
fl_findings_free (FlFindings *findings)
{
  if (findings == NULL)
    return;
  g_hash_table_unref (findings->jobs);
  g_hash_table_unref (findings->runs);
  g_hash_table_unref (findings->datasets);
  g_hash_table_unref (findings->reconstructions);
  g_free (findings);
}

void
fl_finding_free (FlFinding *finding)
{
  g_free (finding->part);
  g_free (finding->where);
  g_free (finding->what);
  g_free (finding->title);
  g_free (finding->evidence);
  g_free (finding->advice);
  g_free (finding);
}

const char *
fl_finding_name (FlFindingKind kind)
{
  static const char *const names[] = { "beam-centre",   "distance",    "dead-panel",   "noisy-panel",
                                       "dark-run",      "saturation",  "wrong-cell",   "ice",
                                       "salt",          "few-photons", "failed-shots", "lag",
                                       "reconstruction" };
  G_STATIC_ASSERT (G_N_ELEMENTS (names) == FL_FINDING_LAST);
  return kind < FL_FINDING_LAST ? names[kind] : "unknown";
}

const char *
fl_finding_gravity (int severity)
{
  return severity >= 3 ? "stop and mend it" : severity == 2 ? "spoils data" : "worth knowing";
}

void
fl_findings_add (GPtrArray *list, const FlJobView *job, FlFindingKind kind, int severity, const char *part,
                 char *title, char *evidence, char *advice)
{
  FlFinding *finding = g_new (FlFinding, 1);
  *finding = (FlFinding){ .kind = kind,
                          .severity = severity,
                          .n_runs = job != NULL,
                          .run = job != NULL ? job->stats.run : 0,
                          .job = job != NULL ? job->stats.job : 0,
                          .part = g_strdup (part != NULL ? part : ""),
                          .where = g_strdup (""),
                          .what = g_strdup (title),
                          .title = title,
                          .evidence = evidence,
                          .advice = advice,
                          .newest = job != NULL ? job->stats.last : 0 };
  g_ptr_array_add (list, finding);
}

static int
compare_doubles (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return x < y ? -1 : x > y;
}

double
fl_findings_median (double *values, guint n)
{
  if (n == 0)
    return NAN;
  qsort (values, n, sizeof *values, compare_doubles);
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/* --- taking in --- */

static void
take_lattice (FlJobEvidence *to, const FlLatticeRow *row)
{
  guint at = (guint) (to->lattices++ % FL_FINDINGS_KEPT);
  to->asked = TRUE;
  for (guint i = 0; i < 3; i++)
    {
      to->shift[i][at] = row->shift[i];
      to->length[i][at] = row->cell[i];
    }
}

static void
take_panel (FlJobEvidence *to, const FlPanelRow *row)
{
  if (to->panels->len <= row->panel)
    g_array_set_size (to->panels, row->panel + 1u);
  FlPanelSum *sum = &g_array_index (to->panels, FlPanelSum, row->panel);
  sum->shots += row->shots;
  sum->pixels += (guint64) row->shots * row->pixels;
  sum->silent = row->noise > 0 ? 0 : sum->silent + row->shots;
  sum->same = row->noise > 0 ? 0 : sum->same + (guint64) row->shots * row->pixels;
  sum->mean += (double) row->mean * row->shots;
  sum->noise += (double) row->noise * row->shots;
  sum->zeros += (double) row->zeros * row->shots;
  sum->spots += row->spots;
  sum->saturated += row->saturated;
  if (row->pixel_size > 0)
    to->pixel_size = row->pixel_size;
  if (row->distance > 0)
    to->distance = row->distance;
}

static void
take_ring (FlJobEvidence *to, const FlRingRow *row)
{
  if (row->number >= FL_FINDINGS_RINGS)
    return;
  to->rings[row->number].spots += row->spots;
  to->rings[row->number].intensity += (double) row->intensity * row->spots;
}

static void
take_particle (FlJobEvidence *to, const FlParticleRow *row)
{
  to->particles++;
  to->photons += (double) row->photons;
  if (row->class != FL_PARTICLE_SINGLE)
    return;
  to->singles++;
  to->signal += (double) row->photons - (double) row->background;
}

static FlReconstructionView *
reconstruction_of (FlFindings *findings, gint64 job)
{
  FlReconstructionView *view = g_hash_table_lookup (findings->reconstructions, &job);
  if (view == NULL)
    {
      view = g_new0 (FlReconstructionView, 1);
      view->job = job;
      g_hash_table_insert (findings->reconstructions, &view->job, view);
    }
  return view;
}

static gboolean
take_slice (FlFindings *findings, const FlSlice *slice, GError **error)
{
  gsize length;
  const void *bytes = g_bytes_get_data (slice->packed, &length);
  g_autoptr (FlBatch) batch = fl_batch_decode (bytes, length, error);
  if (batch == NULL)
    return FALSE;
  if ((int) fl_batch_kind (batch) != slice->kind)
    return TRUE;
  if (slice->kind == FL_KIND_GENERATION && fl_batch_rows (batch) > 0)
    fl_batch_row (batch, fl_batch_rows (batch) - 1, &reconstruction_of (findings, slice->job)->last);
  if (slice->kind == FL_KIND_GENERATION)
    return TRUE;
  FlJobEvidence *to = g_hash_table_lookup (findings->jobs, &slice->job);
  if (to == NULL)
    {
      to = g_new0 (FlJobEvidence, 1);
      to->job = slice->job;
      to->run = slice->run;
      to->panels = g_array_new (FALSE, TRUE, sizeof (FlPanelSum));
      to->judged = g_ptr_array_new_with_free_func ((GDestroyNotify) fl_finding_free);
      g_hash_table_insert (findings->jobs, &to->job, to);
    }
  to->fresh = TRUE;
  for (guint i = 0; i < fl_batch_rows (batch); i++)
    {
      union
      {
        FlLatticeRow lattice;
        FlCellRow cell;
        FlPanelRow panel;
        FlRingRow ring;
        FlParticleRow particle;
      } row;
      fl_batch_row (batch, i, &row);
      if (slice->kind == FL_KIND_LATTICE)
        take_lattice (to, &row.lattice);
      else if (slice->kind == FL_KIND_PANEL)
        take_panel (to, &row.panel);
      else if (slice->kind == FL_KIND_RING)
        take_ring (to, &row.ring);
      else if (slice->kind == FL_KIND_PARTICLE)
        take_particle (to, &row.particle);
      else if (row.cell.number == 0)
        {
          to->asked = to->has_cell = TRUE;
          to->cell = row.cell;
        }
    }
  return TRUE;
}

/* At most *room slices, which it takes from there. */
static gboolean
read_kind (FlFindings *findings, FlStore *store, guint k, guint *room, GError **error)
{
  if (*room == 0)
    return TRUE;
  g_autoptr (GPtrArray) slices =
      fl_store_slices (store, (int) kinds[k], 0, findings->cursors[k], *room, error);
  for (guint i = 0; slices != NULL && i < slices->len; i++)
    {
      const FlSlice *slice = slices->pdata[i];
      if (!take_slice (findings, slice, error))
        return FALSE;
      findings->cursors[k] = slice->row;
    }
  *room -= slices != NULL ? slices->len : 0;
  return slices != NULL;
}

static void
take_change (FlFindings *findings, const FlChange *change)
{
  if (change->table == FL_TABLE_RUN)
    g_hash_table_replace (findings->runs, g_memdup2 (&change->id, sizeof change->id),
                          g_strdup (((const FlRun *) change->record)->name));
  else if (change->table == FL_TABLE_DATASET)
    g_hash_table_replace (findings->datasets, g_memdup2 (&change->id, sizeof change->id),
                          g_strdup (((const FlDataset *) change->record)->name));
  else if (change->table == FL_TABLE_JOB && ((const FlJob *) change->record)->version != 0)
    {
      const FlJob *job = change->record;
      FlReconstructionView *view = reconstruction_of (findings, job->id);
      view->dataset = job->dataset;
      view->done = job->state == FL_JOB_DONE;
    }
}

static gboolean
read_records (FlFindings *findings, FlStore *store, GError **error)
{
  g_autoptr (GPtrArray) changes = fl_store_changes (store, findings->revision, &findings->revision, error);
  for (guint i = 0; changes != NULL && i < changes->len; i++)
    {
      const FlChange *change = changes->pdata[i];
      if (!change->removed)
        take_change (findings, change);
      else if (change->table == FL_TABLE_DATASET)
        g_hash_table_remove (findings->datasets, &change->id);
    }
  return changes != NULL;
}

gboolean
fl_findings_update (FlFindings *findings, FlStore *store, gboolean *more, GError **error)
{
  guint room = SLICES_AT_ONCE;
  if (!read_records (findings, store, error))
    return FALSE;
  for (guint k = 0; k < G_N_ELEMENTS (kinds); k++)
    if (!read_kind (findings, store, k, &room, error))
      return FALSE;
  *more = room == 0;
  return TRUE;
}

/* --- giving out --- */

static int
compare_views (gconstpointer a, gconstpointer b)
{
  const FlJobView *x = a, *y = b;
  return x->stats.job < y->stats.job ? -1 : x->stats.job > y->stats.job;
}

/* FlJobView of all jobs with evidence, by number. */
static GArray *
view_jobs (FlFindings *findings)
{
  GArray *views = g_array_new (FALSE, FALSE, sizeof (FlJobView));
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, findings->jobs);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      FlJobEvidence *evidence = value;
      const FlJobStats *stats = fl_stats_job (findings->stats, evidence->job);
      const char *run = g_hash_table_lookup (findings->runs, &evidence->run);
      if (stats == NULL || run == NULL)
        continue;
      FlJobView view = { evidence, *stats, run };
      g_array_append_val (views, view);
    }
  g_array_sort (views, compare_views);
  return views;
}

/* What a job shows by itself costs a millisecond: judged again only when there is more of it. */
static void
judge_alone (const FlJobView *job)
{
  FlJobEvidence *evidence = job->evidence;
  if (!evidence->fresh)
    return;
  g_ptr_array_set_size (evidence->judged, 0);
  fl_findings_judge_geometry (job, evidence->judged);
  fl_findings_judge_panels (job, evidence->judged);
  fl_findings_judge_rings (job, evidence->judged);
  evidence->fresh = FALSE;
}

static void
judge_lag (const FlOverview *overview, guint64 now, GPtrArray *list)
{
  if (overview->lag < LAG_WORTH || overview->lag > LAG_OLD)
    return;
  double minutes = (double) overview->lag / (60.0 * FL_NS_PER_S);
  fl_findings_add (
      list, NULL, FL_FINDING_LAG, overview->lag < LAG_BAD ? 1 : 2, NULL,
      minutes < 120 ? g_strdup_printf ("Processing lags %.0f min behind", minutes)
                    : g_strdup_printf ("Processing lags %.1f h behind", minutes / 60),
      g_strdup_printf ("%u complete run%s; %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT
                       " shots processed, %u jobs running",
                       overview->runs_waiting, overview->runs_waiting == 1 ? " waits" : "s wait",
                       overview->processed, overview->acquired, overview->jobs_running),
      g_strdup ("Give the jobs more ranks or nodes, or take a fraction of the shots until there is room."));
  ((FlFinding *) list->pdata[list->len - 1])->newest = now;
}

static int
compare_findings (gconstpointer a, gconstpointer b)
{
  const FlFinding *x = *(FlFinding *const *) a, *y = *(FlFinding *const *) b;
  if (x->over != y->over)
    return x->over ? 1 : -1;
  if (x->severity != y->severity)
    return x->severity > y->severity ? -1 : 1;
  if (x->newest != y->newest)
    return x->newest > y->newest ? -1 : 1;
  return x->kind != y->kind ? (x->kind < y->kind ? -1 : 1) : strcmp (x->title, y->title);
}

GPtrArray *
fl_findings_list (FlFindings *findings, guint64 now)
{
  g_autoptr (GArray) every = view_jobs (findings);
  g_autoptr (GArray) trial = g_array_new (FALSE, FALSE, sizeof (FlJobView));
  g_autoptr (GPtrArray) compared = g_ptr_array_new_with_free_func ((GDestroyNotify) fl_finding_free);
  g_autoptr (GPtrArray) each = g_ptr_array_new (); /* borrowed */
  FlOverview overview;
  fl_stats_overview (findings->stats, now, &overview);
  for (guint i = 0; i < every->len; i++)
    if (g_array_index (every, FlJobView, i).stats.trial == overview.trial)
      g_array_append_val (trial, g_array_index (every, FlJobView, i));
  for (guint i = 0; i < trial->len; i++)
    {
      const FlJobView *job = &g_array_index (trial, FlJobView, i);
      judge_alone (job);
      for (guint k = 0; k < job->evidence->judged->len; k++)
        g_ptr_array_add (each, job->evidence->judged->pdata[k]);
      fl_findings_judge_cell (job, every, compared);
      fl_findings_judge_failures (job, compared);
    }
  fl_findings_judge_light (trial, compared);
  for (guint i = 0; i < compared->len; i++)
    g_ptr_array_add (each, compared->pdata[i]);
  GPtrArray *list = fl_findings_fold (each, trial);
  judge_lag (&overview, now, list);
  fl_findings_judge_reconstructions (findings->reconstructions, findings->datasets, list);
  fl_overview_clear (&overview);
  g_ptr_array_sort (list, compare_findings);
  return list;
}
