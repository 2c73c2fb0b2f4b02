/* writer.h: somebody who works with a store, for the tests of its mirrors. */
#pragma once

#include "tests/store/fixture.h"

typedef struct
{
  FlStore *store;
  FlRandom random;
  gint64 trial;
  GArray *attempts; /* of Open */
  guint names;
} Writer;

typedef struct
{
  gint64 job, attempt;
  int number;
  guint64 sequence;
  gboolean compacted;
} Open;

/* Opens or makes the store. */
void writer_begin (Writer *w, const char *folder, guint64 seed);
void writer_end (Writer *w);
/* 0 … n − 1 */
guint writer_any (Writer *w, guint n);
/* One deed by chance: shots, a compaction, another attempt, tags, names that change hands, comments, leases. */
void writer_work (Writer *w);
void writer_add_job (Writer *w);

/* FOLDER SEED ROUNDS: so many deeds, with pauses. */
int writer_main (char **argv);
/* FOLDER SEED SHOTS: so many in jobs of 100,000, every other one compacted. */
int writer_shots_main (char **argv);
