#include "engine/store/statements.h"

/* In the order of FlSliceRow (shots.c reads them so). */
#define SLICE_COLUMNS                                                                                        \
  "id, stamp, job, attempt, run, writer, length, compacted, first, last, shots, hits, indexed, failed, "     \
  "set_aside, spots, "                                                                                       \
  "resolution, energy, solvent"
#define SLICE_VALUES                                                                                         \
  "stamp, job, attempt, run, kind, writer, sequence, compacted, length, first, last, shots, hits, indexed, " \
  "failed, "                                                                                                 \
  "set_aside, spots, resolution, energy, solvent"
#define KIND_SHOT "1"
/* In the order of FlEdit (edits.c reads them so). */
#define EDIT_COLUMNS                                                                                         \
  "id, time, who, machine, kind, record_table, record, record_name, field, old_value, new_value, undoes, "   \
  "backward, action, (SELECT max(later.id) FROM edit later WHERE later.undoes = edit.id)"

const char *const fl_sqlite_statements[FL_SQL_LAST] = {
  [FL_SQL_COUNTER_ADD] = "UPDATE counter SET value = value + 1 WHERE name = ?",
  [FL_SQL_COUNTER_ADD_MANY] = "UPDATE counter SET value = value + ? WHERE name = ?",
  [FL_SQL_COUNTER_MAKE] = "INSERT INTO counter (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING",
  [FL_SQL_COUNTER_READ] = "SELECT value FROM counter WHERE name = ?",
  [FL_SQL_COUNTER_SET] = "UPDATE counter SET value = ? WHERE name = ?",
  [FL_SQL_TOMBSTONE_ADD] = "INSERT INTO tombstone (revision, record_table, record) VALUES (?, ?, ?)",
  [FL_SQL_TOMBSTONES] =
      "SELECT revision, record_table, record FROM tombstone WHERE revision > ? ORDER BY revision",
  [FL_SQL_RUN_TAGS_OF_RUN] = "SELECT id FROM run_tag WHERE run = ?",
  [FL_SQL_RUN_TAGS_OF_TAG] = "SELECT id FROM run_tag WHERE tag = ?",
  [FL_SQL_ROOTS_OF_SITE] = "SELECT id FROM site_root WHERE site = ?",
  [FL_SQL_WORKERS_OF_SITE] = "SELECT id FROM worker WHERE site = ?",
  [FL_SQL_TASKS_OF_DATASET] = "SELECT id FROM dataset_task WHERE dataset = ?",
  [FL_SQL_SITE_ROOT_READ] = "SELECT path FROM site_root WHERE site = ? AND root = ?",
  [FL_SQL_JOB_FIND] =
      "SELECT id FROM job WHERE trial = ? AND block = ? AND run = ? AND task = ? AND dataset = ? "
      "AND version = ?",
  [FL_SQL_JOB_USES_TRIAL] = "SELECT id FROM job WHERE trial = ? LIMIT 1",
  [FL_SQL_JOB_USES_BLOCK] = "SELECT id FROM job WHERE block = ? LIMIT 1",
  [FL_SQL_JOB_USES_RUN] = "SELECT id FROM job WHERE run = ? LIMIT 1",
  [FL_SQL_JOB_USES_TASK] = "SELECT id FROM job WHERE task = ? LIMIT 1",
  [FL_SQL_ATTEMPT_USES_SITE] = "SELECT id FROM attempt WHERE site = ? LIMIT 1",
  [FL_SQL_LEASE_READ] = "SELECT holder, fencing, expires FROM lease WHERE name = ?",
  /* Leases, and at last the account's role (people.h). */
  [FL_SQL_MAY_WRITE] = "SELECT name, holder, fencing FROM lease WHERE name IN (?, ?) "
                       "UNION ALL SELECT '', '', CASE WHEN count(*) = 0 THEN 2 "
                       "ELSE COALESCE(max(CASE WHEN name = ? THEN role END), 0) END FROM person",
  [FL_SQL_LEASE_MAKE] =
      "INSERT INTO lease (name, holder, fencing, expires) VALUES (?, '', 0, 0) ON CONFLICT DO NOTHING",
  [FL_SQL_LEASE_WRITE] = "UPDATE lease SET holder = ?, fencing = ?, expires = ? WHERE name = ?",
  [FL_SQL_ATTEMPT_JOB] = "SELECT job.id, job.run, attempt.number FROM attempt JOIN job ON job.id = "
                         "attempt.job WHERE attempt.id = ?",
  [FL_SQL_KEY_ADD] =
      "INSERT INTO slice_key (attempt, writer, sequence) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
  [FL_SQL_KEYS_KNOWN] =
      "SELECT sequence FROM slice_key WHERE attempt = ? AND writer = ? AND sequence >= ? AND sequence <= ?",
  [FL_SQL_SLICE_ADD] = "INSERT INTO slice (" SLICE_VALUES
                       ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
  [FL_SQL_SLICE_ADD_AT] = "INSERT INTO slice (id, " SLICE_VALUES
                          ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
  [FL_SQL_SLICE_REMOVE] = "DELETE FROM slice WHERE id = ?",
  [FL_SQL_COLUMN_ADD] = "INSERT INTO slice_column (id, data) VALUES (?, ?)",
  [FL_SQL_COLUMN_READ] = "SELECT data FROM slice_column WHERE id = ?",
  [FL_SQL_COLUMNS_REMOVE] = "DELETE FROM slice_column WHERE id >= ? AND id < ?",
  [FL_SQL_SLICES_KIND] =
      "SELECT slice.id, stamp, job, attempt, run, writer, sequence, length, data FROM slice "
      "JOIN slice_column ON slice_column.id = 64 * slice.id WHERE kind = ? AND stamp > ? "
      "ORDER BY stamp LIMIT ?",
  [FL_SQL_SLICES_KIND_JOB] =
      "SELECT slice.id, stamp, job, attempt, run, writer, sequence, length, data FROM slice "
      "JOIN slice_column ON slice_column.id = 64 * slice.id WHERE job = ? AND kind = ? AND stamp > ? "
      "ORDER BY stamp LIMIT ?",
  [FL_SQL_SHOTS_ALL] =
      "SELECT " SLICE_COLUMNS " FROM slice WHERE kind = " KIND_SHOT " AND stamp > ? ORDER BY stamp, sequence",
  [FL_SQL_SHOTS_JOB] = "SELECT " SLICE_COLUMNS " FROM slice WHERE job = ? AND kind = " KIND_SHOT
                       " AND stamp > ? ORDER BY stamp, sequence",
  [FL_SQL_SHOTS_ATTEMPT] = "SELECT " SLICE_COLUMNS " FROM slice WHERE attempt = ? AND kind = " KIND_SHOT
                           " ORDER BY stamp, sequence",
  [FL_SQL_OTHER_ATTEMPTS] =
      "SELECT id FROM attempt WHERE job = ? AND id <> ? AND EXISTS (SELECT 1 FROM slice WHERE "
      "slice.attempt = attempt.id AND kind = " KIND_SHOT ") LIMIT 1",
  [FL_SQL_JOURNAL_READ] = "SELECT position, skipped FROM journal WHERE attempt = ? AND file = ?",
  [FL_SQL_JOURNAL_WRITE] = "INSERT INTO journal (attempt, file, position, skipped) VALUES (?, ?, ?, ?) "
                           "ON CONFLICT (attempt, file) DO UPDATE SET position = excluded.position, "
                           "skipped = excluded.skipped",
  [FL_SQL_OWNERS] = "SELECT count(*) FROM person WHERE role = 2",
  [FL_SQL_PRESENCE_SEEN] =
      "UPDATE presence SET changed = CASE WHEN page = ? THEN changed ELSE ? END, page = ?, seen = ? "
      "WHERE session = ?",
  [FL_SQL_PRESENCE_ADD] = "INSERT INTO presence (session, who, machine, program, page, since, seen, changed) "
                          "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
  [FL_SQL_PRESENCE_REMOVE] = "DELETE FROM presence WHERE session = ?",
  [FL_SQL_PRESENCE_FORGET] = "DELETE FROM presence WHERE seen < ?",
  [FL_SQL_PRESENCE_LIST] =
      "SELECT session, who, machine, program, page, since, seen, person.role, "
      "(SELECT count(*) FROM person) FROM presence LEFT JOIN person ON person.name = presence.who "
      "WHERE seen > ? ORDER BY since, session",
  [FL_SQL_EDIT_ADD] =
      "INSERT INTO edit (time, who, machine, kind, record_table, record, record_name, field, old_value, "
      "new_value, undoes, backward, action) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
  [FL_SQL_EDITS] = "SELECT " EDIT_COLUMNS " FROM edit WHERE id < ? ORDER BY id DESC LIMIT ?",
  [FL_SQL_EDIT_READ] = "SELECT " EDIT_COLUMNS " FROM edit WHERE id = ?",
  [FL_SQL_EDITS_ACTION] = "SELECT " EDIT_COLUMNS " FROM edit WHERE id = ? OR action = ? ORDER BY id DESC",
  [FL_SQL_RUN_TAG_NAME] = "SELECT run.name, tag.name FROM run, tag WHERE run.id = ? AND tag.id = ?",
  [FL_SQL_LAST_IDS] = "SELECT name, seq FROM sqlite_sequence",
  [FL_SQL_LAST_ID_SET] = "DELETE FROM sqlite_sequence WHERE name = '{table}';"
                         "INSERT INTO sqlite_sequence (name, seq) VALUES ('{table}', {last})",
};
