-- migration 1: control records, change feed, lease, audit
-- One schema for every driver. Words in braces are the driver's: {id} primary key that numbers itself, {int} 64 bits,
-- {text}, {name} text that can be a key, {real}, {blob}, {keyed} after a table whose primary key is all that it has.
-- A script may be run again over its own result.

CREATE TABLE IF NOT EXISTS counter (name {name} PRIMARY KEY, value {int} NOT NULL);

CREATE TABLE IF NOT EXISTS tombstone (revision {int} PRIMARY KEY, record_table {int} NOT NULL, record {int} NOT NULL);

CREATE TABLE IF NOT EXISTS experiment (
  id {id}, revision {int} NOT NULL, name {name} NOT NULL UNIQUE, comment {text} NOT NULL, created {int} NOT NULL);

CREATE TABLE IF NOT EXISTS root (
  id {id}, revision {int} NOT NULL, name {name} NOT NULL UNIQUE, path {text} NOT NULL);

CREATE TABLE IF NOT EXISTS site (
  id {id}, revision {int} NOT NULL, name {name} NOT NULL UNIQUE, kind {text} NOT NULL, host {text} NOT NULL,
  user_name {text} NOT NULL, engine {text} NOT NULL, scratch {text} NOT NULL, launcher {text} NOT NULL,
  environment {text} NOT NULL, cores {int} NOT NULL);

CREATE TABLE IF NOT EXISTS run (
  id {id}, revision {int} NOT NULL, name {name} NOT NULL UNIQUE, root {name} NOT NULL, path {text} NOT NULL,
  first_seen {int} NOT NULL, completed {int} NOT NULL, bytes {int} NOT NULL, files {int} NOT NULL, shots {int} NOT NULL,
  state {text} NOT NULL, problem {text} NOT NULL, comment {text} NOT NULL);

CREATE TABLE IF NOT EXISTS tag (
  id {id}, revision {int} NOT NULL, name {name} NOT NULL UNIQUE, comment {text} NOT NULL, colour {text} NOT NULL,
  persistent {int} NOT NULL);

CREATE TABLE IF NOT EXISTS run_tag (
  id {id}, revision {int} NOT NULL, run {int} NOT NULL REFERENCES run (id), tag {int} NOT NULL REFERENCES tag (id),
  UNIQUE (run, tag));

CREATE TABLE IF NOT EXISTS block (
  id {id}, revision {int} NOT NULL, name {name} NOT NULL UNIQUE, first_run {text} NOT NULL, last_run {text} NOT NULL,
  params {text} NOT NULL, active {int} NOT NULL);

CREATE TABLE IF NOT EXISTS trial (
  id {id}, revision {int} NOT NULL, number {int} NOT NULL UNIQUE, name {text} NOT NULL, comment {text} NOT NULL,
  params {text} NOT NULL, params_version {text} NOT NULL, engine_build {text} NOT NULL, active {int} NOT NULL,
  created {int} NOT NULL);

CREATE TABLE IF NOT EXISTS task (
  id {id}, revision {int} NOT NULL, name {name} NOT NULL UNIQUE, type {text} NOT NULL, params {text} NOT NULL,
  trial {int} NOT NULL, ranks {int} NOT NULL, active {int} NOT NULL);

CREATE TABLE IF NOT EXISTS dataset (
  id {id}, revision {int} NOT NULL, name {name} NOT NULL UNIQUE, expression {text} NOT NULL, comment {text} NOT NULL,
  active {int} NOT NULL);

CREATE TABLE IF NOT EXISTS dataset_version (
  id {id}, revision {int} NOT NULL, dataset {int} NOT NULL REFERENCES dataset (id), number {int} NOT NULL,
  created {int} NOT NULL, UNIQUE (dataset, number));

-- The identity is 0 where there is none, never NULL: NULLs do not collide.
CREATE TABLE IF NOT EXISTS job (
  id {id}, revision {int} NOT NULL, trial {int} NOT NULL, block {int} NOT NULL, run {int} NOT NULL, task {int} NOT NULL,
  dataset {int} NOT NULL, version {int} NOT NULL, state {int} NOT NULL, reason {text} NOT NULL, root {name} NOT NULL,
  path {text} NOT NULL, attempts {int} NOT NULL, created {int} NOT NULL, started {int} NOT NULL, ended {int} NOT NULL,
  stop_wanted {int} NOT NULL, retry_wanted {int} NOT NULL, UNIQUE (trial, block, run, task, dataset, version));

CREATE TABLE IF NOT EXISTS attempt (
  id {id}, revision {int} NOT NULL, job {int} NOT NULL REFERENCES job (id), site {int} NOT NULL, number {int} NOT NULL,
  state {int} NOT NULL, path {text} NOT NULL, reason {text} NOT NULL, remote_id {text} NOT NULL, nodes {text} NOT NULL,
  script {text} NOT NULL, stderr_tail {text} NOT NULL, command {text} NOT NULL, compacted {int} NOT NULL,
  exit_code {int} NOT NULL, submitted {int} NOT NULL, started {int} NOT NULL, ended {int} NOT NULL,
  UNIQUE (job, number));

CREATE TABLE IF NOT EXISTS watch (
  id {id}, revision {int} NOT NULL, name {name} NOT NULL UNIQUE, root {name} NOT NULL, path {text} NOT NULL,
  kind {text} NOT NULL, pattern {text} NOT NULL, files {text} NOT NULL, quiet {real} NOT NULL,
  quiet_run {real} NOT NULL, active {int} NOT NULL);

CREATE TABLE IF NOT EXISTS lease (
  name {name} PRIMARY KEY, holder {text} NOT NULL, fencing {int} NOT NULL, expires {int} NOT NULL);

CREATE TABLE IF NOT EXISTS audit (id {id}, time {int} NOT NULL, who {text} NOT NULL, what {text} NOT NULL);

CREATE INDEX IF NOT EXISTS experiment_revision ON experiment (revision);
CREATE INDEX IF NOT EXISTS root_revision ON root (revision);
CREATE INDEX IF NOT EXISTS site_revision ON site (revision);
CREATE INDEX IF NOT EXISTS run_revision ON run (revision);
CREATE INDEX IF NOT EXISTS tag_revision ON tag (revision);
CREATE INDEX IF NOT EXISTS run_tag_revision ON run_tag (revision);
CREATE INDEX IF NOT EXISTS block_revision ON block (revision);
CREATE INDEX IF NOT EXISTS trial_revision ON trial (revision);
CREATE INDEX IF NOT EXISTS task_revision ON task (revision);
CREATE INDEX IF NOT EXISTS dataset_revision ON dataset (revision);
CREATE INDEX IF NOT EXISTS dataset_version_revision ON dataset_version (revision);
CREATE INDEX IF NOT EXISTS job_revision ON job (revision);
CREATE INDEX IF NOT EXISTS attempt_revision ON attempt (revision);
CREATE INDEX IF NOT EXISTS watch_revision ON watch (revision);
