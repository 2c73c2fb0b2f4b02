-- migration 5: people: who may do what, who is here, who changed what

-- Without any person everybody may do everything (engine/store/people.h).
CREATE TABLE IF NOT EXISTS person (
  id {id}, revision {int} NOT NULL, name {name} NOT NULL UNIQUE, role {int} NOT NULL, comment {text} NOT NULL);

-- `changed`: when one of the others but `seen` changed last: of it a pulse may be made.
CREATE TABLE IF NOT EXISTS presence (
  session {name} PRIMARY KEY, who {name} NOT NULL, machine {text} NOT NULL, program {text} NOT NULL, page {text} NOT NULL,
  since {int} NOT NULL, seen {int} NOT NULL, changed {int} NOT NULL);

-- Rows are only ever added. `undoes`: the edit that this one takes back, `backward`: whether it takes back (1) or does it
-- again (0), `action`: the first edit of the same transaction, 0 of the first itself.
CREATE TABLE IF NOT EXISTS edit (
  id {id}, time {int} NOT NULL, who {name} NOT NULL, machine {text} NOT NULL, kind {int} NOT NULL,
  record_table {int} NOT NULL, record {int} NOT NULL, record_name {text} NOT NULL, field {text} NOT NULL,
  old_value {text} NOT NULL, new_value {text} NOT NULL, undoes {int} NOT NULL, backward {int} NOT NULL,
  action {int} NOT NULL);

-- What older ones had noted, in words (FL_EDIT_SAID).
INSERT INTO edit (id, time, who, machine, kind, record_table, record, record_name, field, old_value, new_value, undoes,
  backward, action)
  SELECT id, time, who, '', 3, 0, 0, '', '', '', what, 0, 0, 0 FROM audit WHERE NOT EXISTS (SELECT 1 FROM edit);

CREATE INDEX IF NOT EXISTS person_revision ON person (revision);
CREATE INDEX IF NOT EXISTS edit_undoes ON edit (undoes);
CREATE INDEX IF NOT EXISTS edit_action ON edit (action);
