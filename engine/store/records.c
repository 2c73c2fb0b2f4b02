#include "engine/store/records.h"

#include <stddef.h>
#include <string.h>

#include "engine/store/fields.h"

#define F(record, field, type)                                                                               \
  {                                                                                                          \
#field, FL_FIELD_##type, offsetof(record, field)                                                         \
  }

static const FlField experiment_fields[] = {
  F (FlExperiment, name, NAME),          F (FlExperiment, comment, TEXT),
  F (FlExperiment, created, U64),        F (FlExperiment, backlog, TEXT),
  F (FlExperiment, thin_fraction, REAL), F (FlExperiment, undo_seconds, INT),
  F (FlExperiment, approve_above, INT),
};
static const FlField root_fields[] = { F (FlRoot, name, NAME), F (FlRoot, path, TEXT) };
static const FlField site_fields[] = {
  F (FlSite, name, NAME),          F (FlSite, kind, NAME),
  F (FlSite, host, TEXT),          { "user_name", FL_FIELD_TEXT, offsetof (FlSite, user) },
  F (FlSite, engine, TEXT),        F (FlSite, scratch, TEXT),
  F (FlSite, launcher, TEXT),      F (FlSite, environment, TEXT),
  F (FlSite, cores, INT),          F (FlSite, port, INT),
  F (FlSite, transport, TEXT),     F (FlSite, identity, TEXT),
  F (FlSite, ssh_config, TEXT),    { "batch_partition", FL_FIELD_TEXT, offsetof (FlSite, partition) },
  F (FlSite, account, TEXT),       F (FlSite, qos, TEXT),
  F (FlSite, reservation, TEXT),   F (FlSite, features, TEXT),
  F (FlSite, container, TEXT),     F (FlSite, nodes, INT),
  F (FlSite, ranks_per_node, INT), F (FlSite, gpus_per_rank, INT),
  F (FlSite, minutes, INT),        F (FlSite, broadcast, INT),
  F (FlSite, max_jobs, INT),       F (FlSite, max_node_hours, REAL),
  F (FlSite, hold, INT),           F (FlSite, active, INT),
  F (FlSite, probe, TEXT),         F (FlSite, probed, U64),
  F (FlSite, ingest, TEXT),
};
static const FlField site_root_fields[] = {
  F (FlSiteRoot, site, I64),
  F (FlSiteRoot, root, NAME),
  F (FlSiteRoot, path, TEXT),
};
static const FlField run_fields[] = {
  F (FlRun, name, NAME),     F (FlRun, root, TEXT),    F (FlRun, path, TEXT),    F (FlRun, first_seen, U64),
  F (FlRun, completed, U64), F (FlRun, bytes, U64),    F (FlRun, files, U32),    F (FlRun, shots, U64),
  F (FlRun, state, NAME),    F (FlRun, problem, TEXT), F (FlRun, comment, TEXT),
};
static const FlField tag_fields[] = {
  F (FlTag, name, NAME),
  F (FlTag, comment, TEXT),
  F (FlTag, colour, TEXT),
  F (FlTag, persistent, INT),
};
static const FlField run_tag_fields[] = { F (FlRunTag, run, I64), F (FlRunTag, tag, I64) };
static const FlField block_fields[] = {
  F (FlBlock, name, NAME),   F (FlBlock, first_run, TEXT), F (FlBlock, last_run, TEXT),
  F (FlBlock, params, TEXT), F (FlBlock, active, INT),
};
static const FlField trial_fields[] = {
  F (FlTrial, number, INT),  F (FlTrial, name, TEXT),           F (FlTrial, comment, TEXT),
  F (FlTrial, params, TEXT), F (FlTrial, params_version, TEXT), F (FlTrial, engine_build, TEXT),
  F (FlTrial, active, INT),  F (FlTrial, created, U64),
};
static const FlField task_fields[] = {
  F (FlTask, name, NAME),         F (FlTask, type, NAME),   F (FlTask, params, TEXT),
  F (FlTask, trial, I64),         F (FlTask, ranks, INT),   F (FlTask, active, INT),
  F (FlTask, site, I64),          F (FlTask, nodes, INT),   F (FlTask, ranks_per_node, INT),
  F (FlTask, gpus_per_rank, INT), F (FlTask, minutes, INT),
};
static const FlField dataset_fields[] = {
  F (FlDataset, name, NAME),
  F (FlDataset, expression, TEXT),
  F (FlDataset, comment, TEXT),
  F (FlDataset, active, INT),
  F (FlDataset, trial, I64),
  F (FlDataset, min_interval, REAL),
  F (FlDataset, min_lattices, INT),
  F (FlDataset, created, U64),
  F (FlDataset, goal_d_min, REAL),
  F (FlDataset, goal_completeness, REAL),
  F (FlDataset, goal_multiplicity, REAL),
  F (FlDataset, goal_cc_half, REAL),
  F (FlDataset, goal_cc_ano, REAL),
};
static const FlField dataset_task_fields[] = {
  F (FlDatasetTask, dataset, I64),
  F (FlDatasetTask, task, I64),
  F (FlDatasetTask, number, INT),
  F (FlDatasetTask, after, TEXT),
};
static const FlField version_job_fields[] = { F (FlVersionJob, version, I64), F (FlVersionJob, job, I64) };
static const FlField dataset_version_fields[] = {
  F (FlDatasetVersion, dataset, I64),  F (FlDatasetVersion, number, INT), F (FlDatasetVersion, created, U64),
  F (FlDatasetVersion, lattices, I64), F (FlDatasetVersion, note, TEXT),
};
static const FlField job_fields[] = {
  F (FlJob, trial, I64),   F (FlJob, block, I64),   F (FlJob, run, I64),         F (FlJob, task, I64),
  F (FlJob, dataset, I64), F (FlJob, version, I64), F (FlJob, state, INT),       F (FlJob, reason, TEXT),
  F (FlJob, root, TEXT),   F (FlJob, path, TEXT),   F (FlJob, attempts, INT),    F (FlJob, created, U64),
  F (FlJob, started, U64), F (FlJob, ended, U64),   F (FlJob, stop_wanted, INT), F (FlJob, retry_wanted, INT),
  F (FlJob, site, I64),    F (FlJob, held, INT),    F (FlJob, not_before, U64),  F (FlJob, fraction, REAL),
};
static const FlField attempt_fields[] = {
  F (FlAttempt, job, I64),          F (FlAttempt, site, I64),           F (FlAttempt, number, INT),
  F (FlAttempt, state, INT),        F (FlAttempt, path, TEXT),          F (FlAttempt, reason, TEXT),
  F (FlAttempt, remote_id, TEXT),   F (FlAttempt, nodes, TEXT),         F (FlAttempt, script, TEXT),
  F (FlAttempt, stderr_tail, TEXT), F (FlAttempt, command, TEXT),       F (FlAttempt, compacted, INT),
  F (FlAttempt, exit_code, INT),    F (FlAttempt, submitted, U64),      F (FlAttempt, started, U64),
  F (FlAttempt, ended, U64),        F (FlAttempt, job_name, TEXT),      F (FlAttempt, cause, TEXT),
  F (FlAttempt, batch_state, TEXT), F (FlAttempt, batch_reason, TEXT),  F (FlAttempt, n_nodes, INT),
  F (FlAttempt, ranks, INT),        F (FlAttempt, ranks_per_node, INT), F (FlAttempt, minutes, INT),
  F (FlAttempt, expected, U64),     F (FlAttempt, pulled, U64),         F (FlAttempt, params, TEXT),
};
static const FlField watch_fields[] = {
  F (FlWatch, name, NAME),  F (FlWatch, root, TEXT),      F (FlWatch, path, TEXT),
  F (FlWatch, kind, NAME),  F (FlWatch, pattern, TEXT),   F (FlWatch, files, TEXT),
  F (FlWatch, quiet, REAL), F (FlWatch, quiet_run, REAL), F (FlWatch, active, INT),
  F (FlWatch, site, I64),
};
static const FlField worker_fields[] = {
  F (FlWorker, name, NAME),          F (FlWorker, site, I64),         F (FlWorker, state, TEXT),
  F (FlWorker, message, TEXT),       F (FlWorker, last_success, U64), F (FlWorker, last_failure, U64),
  F (FlWorker, next_try, U64),       F (FlWorker, failures, INT),     F (FlWorker, round_trip, I64),
  F (FlWorker, restart_wanted, INT),
};
static const FlField person_fields[] = {
  F (FlPerson, name, NAME),
  F (FlPerson, role, INT),
  F (FlPerson, comment, TEXT),
};

#define TYPE(table, record, named)                                                                           \
  {                                                                                                          \
#table, sizeof(record), table##_fields, G_N_ELEMENTS(table##_fields), named                              \
  }
static const FlRecordType types[FL_TABLE_LAST] = {
  [FL_TABLE_EXPERIMENT] = TYPE (experiment, FlExperiment, TRUE),
  [FL_TABLE_ROOT] = TYPE (root, FlRoot, TRUE),
  [FL_TABLE_SITE] = TYPE (site, FlSite, TRUE),
  [FL_TABLE_RUN] = TYPE (run, FlRun, TRUE),
  [FL_TABLE_TAG] = TYPE (tag, FlTag, TRUE),
  [FL_TABLE_RUN_TAG] = TYPE (run_tag, FlRunTag, FALSE),
  [FL_TABLE_BLOCK] = TYPE (block, FlBlock, TRUE),
  [FL_TABLE_TRIAL] = TYPE (trial, FlTrial, FALSE),
  [FL_TABLE_TASK] = TYPE (task, FlTask, TRUE),
  [FL_TABLE_DATASET] = TYPE (dataset, FlDataset, TRUE),
  [FL_TABLE_DATASET_VERSION] = TYPE (dataset_version, FlDatasetVersion, FALSE),
  [FL_TABLE_JOB] = TYPE (job, FlJob, FALSE),
  [FL_TABLE_ATTEMPT] = TYPE (attempt, FlAttempt, FALSE),
  [FL_TABLE_WATCH] = TYPE (watch, FlWatch, TRUE),
  [FL_TABLE_SITE_ROOT] = TYPE (site_root, FlSiteRoot, FALSE),
  [FL_TABLE_DATASET_TASK] = TYPE (dataset_task, FlDatasetTask, FALSE),
  [FL_TABLE_VERSION_JOB] = TYPE (version_job, FlVersionJob, FALSE),
  [FL_TABLE_WORKER] = TYPE (worker, FlWorker, TRUE),
  [FL_TABLE_PERSON] = TYPE (person, FlPerson, TRUE),
};

const FlRecordType *
fl_record_type (FlTable table)
{
  g_return_val_if_fail (table < FL_TABLE_LAST, NULL);
  return &types[table];
}

const FlField *
fl_record_field (FlTable table, const char *column)
{
  const FlRecordType *type = fl_record_type (table);
  for (guint i = 0; i < type->n_fields; i++)
    if (strcmp (type->fields[i].column, column) == 0)
      return &type->fields[i];
  return NULL;
}

char *
fl_record_columns (const FlRecordType *type, const char *each, const char *separator)
{
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < type->n_fields; i++)
    {
      if (i > 0)
        g_string_append (text, separator);
      g_string_append (text, each[0] == '=' || each[0] == '\0' ? type->fields[i].column : each);
      if (each[0] == '=')
        g_string_append (text, " = ?");
    }
  return g_string_free (text, FALSE);
}

const char *
fl_table_name (FlTable table)
{
  return fl_record_type (table)->table;
}

static const char *const state_names[] = {
  "planned", "submitting", "queued", "running", "done", "failed", "cancelled", "timed-out", "preempted",
};
G_STATIC_ASSERT (G_N_ELEMENTS (state_names) == FL_JOB_STATE_LAST);

const char *
fl_job_state_name (FlJobState state)
{
  return (guint) state < FL_JOB_STATE_LAST ? state_names[state] : "unknown";
}

gboolean
fl_job_state_is_final (FlJobState state)
{
  return state == FL_JOB_DONE || state == FL_JOB_FAILED || state == FL_JOB_CANCELLED
         || state == FL_JOB_TIMED_OUT;
}

int
fl_run_name_compare (const char *a, const char *b)
{
  while (*a != '\0' && *b != '\0')
    if (g_ascii_isdigit (*a) && g_ascii_isdigit (*b))
      {
        while (*a == '0')
          a++;
        while (*b == '0')
          b++;
        gsize na = strspn (a, "0123456789"), nb = strspn (b, "0123456789");
        int order = na != nb ? (na < nb ? -1 : 1) : strncmp (a, b, na);
        if (order != 0)
          return order;
        a += na;
        b += nb;
      }
    else if (*a != *b)
      break;
    else
      a++, b++;
  return (guchar) *a - (guchar) *b;
}

void
fl_record_free (FlTable table, gpointer record)
{
  if (record == NULL)
    return;
  const FlRecordType *type = fl_record_type (table);
  for (guint i = 0; i < type->n_fields; i++)
    if (type->fields[i].type >= FL_FIELD_TEXT)
      g_free (*(char **) ((char *) record + type->fields[i].offset));
  g_free (record);
}

void
fl_change_free (FlChange *change)
{
  if (change == NULL)
    return;
  fl_record_free (change->table, change->record);
  g_free (change);
}

void
fl_slice_free (FlSlice *slice)
{
  if (slice == NULL)
    return;
  g_clear_pointer (&slice->packed, g_bytes_unref);
  g_free (slice);
}
