-- migration 2: slices of journals

-- One row a journal frame, or, once its attempt is compacted, one a part (writer -1). `stamp` is the reader's cursor
-- (engine/store/shots.h). The counts are signed: a second attempt takes back what the first had counted.
CREATE TABLE IF NOT EXISTS slice (
  id {id}, stamp {int} NOT NULL, job {int} NOT NULL, attempt {int} NOT NULL, run {int} NOT NULL, kind {int} NOT NULL,
  writer {int} NOT NULL, sequence {int} NOT NULL, compacted {int} NOT NULL, length {int} NOT NULL,
  first {int} NOT NULL, last {int} NOT NULL, shots {int} NOT NULL, hits {int} NOT NULL, indexed {int} NOT NULL,
  failed {int} NOT NULL, set_aside {int} NOT NULL, spots {int} NOT NULL, resolution {real} NOT NULL,
  energy {real} NOT NULL, solvent {real} NOT NULL, UNIQUE (attempt, kind, writer, sequence));
CREATE INDEX IF NOT EXISTS slice_stamp ON slice (kind, stamp);
CREATE INDEX IF NOT EXISTS slice_job ON slice (job, kind, stamp);

-- The values: id = 64 slice + column (0: the frame's payload as it came; 63: the summaries of a compacted part).
CREATE TABLE IF NOT EXISTS slice_column (id {int} PRIMARY KEY, data {blob} NOT NULL);

-- Every frame that was ever taken in, also when its slice has been compacted.
CREATE TABLE IF NOT EXISTS slice_key (
  attempt {int} NOT NULL, writer {int} NOT NULL, sequence {int} NOT NULL, PRIMARY KEY (attempt, writer, sequence)) {keyed};

-- How far each journal has been read.
CREATE TABLE IF NOT EXISTS journal (
  attempt {int} NOT NULL, file {name} NOT NULL, position {int} NOT NULL, skipped {int} NOT NULL,
  PRIMARY KEY (attempt, file)) {keyed};
