#include "engine/store/statements.h"

/* What MySQL says in other words than SQLite. */
const char *const fl_mysql_statements[FL_SQL_LAST] = {
  [FL_SQL_COUNTER_MAKE] = "INSERT IGNORE INTO counter (name, value) VALUES (?, ?)",
  [FL_SQL_LEASE_MAKE] = "INSERT IGNORE INTO lease (name, holder, fencing, expires) VALUES (?, '', 0, 0)",
  [FL_SQL_KEY_ADD] = "INSERT IGNORE INTO slice_key (attempt, writer, sequence) VALUES (?, ?, ?)",
  [FL_SQL_JOURNAL_WRITE] = "INSERT INTO journal (attempt, file, position, skipped) VALUES (?, ?, ?, ?) "
                           "ON DUPLICATE KEY UPDATE position = VALUES (position), skipped = VALUES (skipped)",
  [FL_SQL_LAST_IDS] = "SELECT table_name, auto_increment - 1 FROM information_schema.tables "
                      "WHERE table_schema = DATABASE() AND auto_increment IS NOT NULL",
  [FL_SQL_LAST_ID_SET] = "ALTER TABLE {table} AUTO_INCREMENT = {next}",
};
