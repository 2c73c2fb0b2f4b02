-- migration 3: sites far away, what a job may take, datasets as graphs of tasks, the conductor's workers
-- {new}: the driver's "if it is not there yet", where it has one.

ALTER TABLE experiment ADD COLUMN {new} backlog {text} NOT NULL DEFAULT 'newest';
ALTER TABLE experiment ADD COLUMN {new} thin_fraction {real} NOT NULL DEFAULT 0.1;
ALTER TABLE experiment ADD COLUMN {new} undo_seconds {int} NOT NULL DEFAULT 5;
ALTER TABLE experiment ADD COLUMN {new} approve_above {int} NOT NULL DEFAULT 0;

ALTER TABLE site ADD COLUMN {new} port {int} NOT NULL DEFAULT 0;
ALTER TABLE site ADD COLUMN {new} transport {text} NOT NULL DEFAULT 'auto';
ALTER TABLE site ADD COLUMN {new} identity {text} NOT NULL DEFAULT '';
ALTER TABLE site ADD COLUMN {new} ssh_config {text} NOT NULL DEFAULT '';
ALTER TABLE site ADD COLUMN {new} batch_partition {text} NOT NULL DEFAULT '';
ALTER TABLE site ADD COLUMN {new} account {text} NOT NULL DEFAULT '';
ALTER TABLE site ADD COLUMN {new} qos {text} NOT NULL DEFAULT '';
ALTER TABLE site ADD COLUMN {new} reservation {text} NOT NULL DEFAULT '';
ALTER TABLE site ADD COLUMN {new} features {text} NOT NULL DEFAULT '';
ALTER TABLE site ADD COLUMN {new} container {text} NOT NULL DEFAULT '';
ALTER TABLE site ADD COLUMN {new} nodes {int} NOT NULL DEFAULT 1;
ALTER TABLE site ADD COLUMN {new} ranks_per_node {int} NOT NULL DEFAULT 0;
ALTER TABLE site ADD COLUMN {new} gpus_per_rank {int} NOT NULL DEFAULT 0;
ALTER TABLE site ADD COLUMN {new} minutes {int} NOT NULL DEFAULT 30;
ALTER TABLE site ADD COLUMN {new} broadcast {int} NOT NULL DEFAULT 0;
ALTER TABLE site ADD COLUMN {new} max_jobs {int} NOT NULL DEFAULT 0;
ALTER TABLE site ADD COLUMN {new} max_node_hours {real} NOT NULL DEFAULT 0;
ALTER TABLE site ADD COLUMN {new} hold {int} NOT NULL DEFAULT 0;
ALTER TABLE site ADD COLUMN {new} active {int} NOT NULL DEFAULT 1;
ALTER TABLE site ADD COLUMN {new} probe {text} NOT NULL DEFAULT '';
ALTER TABLE site ADD COLUMN {new} probed {int} NOT NULL DEFAULT 0;

CREATE TABLE IF NOT EXISTS site_root (
  id {id}, revision {int} NOT NULL, site {int} NOT NULL REFERENCES site (id), root {name} NOT NULL, path {text} NOT NULL,
  UNIQUE (site, root));

ALTER TABLE watch ADD COLUMN {new} site {int} NOT NULL DEFAULT 0;

ALTER TABLE task ADD COLUMN {new} site {int} NOT NULL DEFAULT 0;
ALTER TABLE task ADD COLUMN {new} nodes {int} NOT NULL DEFAULT 0;
ALTER TABLE task ADD COLUMN {new} ranks_per_node {int} NOT NULL DEFAULT 0;
ALTER TABLE task ADD COLUMN {new} gpus_per_rank {int} NOT NULL DEFAULT 0;
ALTER TABLE task ADD COLUMN {new} minutes {int} NOT NULL DEFAULT 0;

ALTER TABLE dataset ADD COLUMN {new} trial {int} NOT NULL DEFAULT 0;
ALTER TABLE dataset ADD COLUMN {new} min_interval {real} NOT NULL DEFAULT 300;
ALTER TABLE dataset ADD COLUMN {new} min_lattices {int} NOT NULL DEFAULT 0;
ALTER TABLE dataset ADD COLUMN {new} created {int} NOT NULL DEFAULT 0;

CREATE TABLE IF NOT EXISTS dataset_task (
  id {id}, revision {int} NOT NULL, dataset {int} NOT NULL REFERENCES dataset (id),
  task {int} NOT NULL REFERENCES task (id), number {int} NOT NULL, after {text} NOT NULL, UNIQUE (dataset, task));

ALTER TABLE dataset_version ADD COLUMN {new} lattices {int} NOT NULL DEFAULT 0;
ALTER TABLE dataset_version ADD COLUMN {new} note {text} NOT NULL DEFAULT '';

CREATE TABLE IF NOT EXISTS version_job (
  id {id}, revision {int} NOT NULL, version {int} NOT NULL REFERENCES dataset_version (id),
  job {int} NOT NULL REFERENCES job (id), UNIQUE (version, job));

ALTER TABLE job ADD COLUMN {new} site {int} NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN {new} held {int} NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN {new} not_before {int} NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN {new} fraction {real} NOT NULL DEFAULT 0;

ALTER TABLE attempt ADD COLUMN {new} job_name {text} NOT NULL DEFAULT '';
ALTER TABLE attempt ADD COLUMN {new} cause {text} NOT NULL DEFAULT '';
ALTER TABLE attempt ADD COLUMN {new} batch_state {text} NOT NULL DEFAULT '';
ALTER TABLE attempt ADD COLUMN {new} batch_reason {text} NOT NULL DEFAULT '';
ALTER TABLE attempt ADD COLUMN {new} n_nodes {int} NOT NULL DEFAULT 0;
ALTER TABLE attempt ADD COLUMN {new} ranks {int} NOT NULL DEFAULT 0;
ALTER TABLE attempt ADD COLUMN {new} ranks_per_node {int} NOT NULL DEFAULT 0;
ALTER TABLE attempt ADD COLUMN {new} minutes {int} NOT NULL DEFAULT 0;
ALTER TABLE attempt ADD COLUMN {new} expected {int} NOT NULL DEFAULT 0;
ALTER TABLE attempt ADD COLUMN {new} pulled {int} NOT NULL DEFAULT 0;
ALTER TABLE attempt ADD COLUMN {new} params {text} NOT NULL DEFAULT '';

CREATE TABLE IF NOT EXISTS worker (
  id {id}, revision {int} NOT NULL, name {name} NOT NULL UNIQUE, site {int} NOT NULL, state {text} NOT NULL,
  message {text} NOT NULL, last_success {int} NOT NULL, last_failure {int} NOT NULL, next_try {int} NOT NULL,
  failures {int} NOT NULL, round_trip {int} NOT NULL, restart_wanted {int} NOT NULL);

CREATE INDEX IF NOT EXISTS site_root_revision ON site_root (revision);
CREATE INDEX IF NOT EXISTS dataset_task_revision ON dataset_task (revision);
CREATE INDEX IF NOT EXISTS version_job_revision ON version_job (revision);
CREATE INDEX IF NOT EXISTS worker_revision ON worker (revision);
