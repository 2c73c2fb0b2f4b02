-- migration 4: what is enough of a dataset

ALTER TABLE dataset ADD COLUMN {new} goal_d_min {real} NOT NULL DEFAULT 0;
ALTER TABLE dataset ADD COLUMN {new} goal_completeness {real} NOT NULL DEFAULT 0;
ALTER TABLE dataset ADD COLUMN {new} goal_multiplicity {real} NOT NULL DEFAULT 0;
ALTER TABLE dataset ADD COLUMN {new} goal_cc_half {real} NOT NULL DEFAULT 0;
ALTER TABLE dataset ADD COLUMN {new} goal_cc_ano {real} NOT NULL DEFAULT 0;
