#include "tests/store/writer.h"

#include <stdlib.h>

#include "engine/store/people.h"

guint
writer_any (Writer *w, guint n)
{
  return (guint) (fl_random_u64 (&w->random) % n);
}

static char *
new_name (Writer *w, const char *kind)
{
  return g_strdup_printf ("%s%u", kind, w->names++);
}

void
writer_add_job (Writer *w)
{
  g_autofree char *name = new_name (w, "r");
  gint64 run = add_run (w->store, name, "recording");
  Open open = { .job = add_job (w->store, w->trial, run), .number = 1 };
  open.attempt = add_attempt (w->store, open.job, 1);
  g_array_append_val (w->attempts, open);
}

static void
add_second_attempt (Writer *w)
{
  Open before = g_array_index (w->attempts, Open, writer_any (w, w->attempts->len));
  for (guint i = 0; i < w->attempts->len; i++)
    if (g_array_index (w->attempts, Open, i).job == before.job
        && g_array_index (w->attempts, Open, i).number > before.number)
      return;
  Open open = { .job = before.job, .number = before.number + 1 };
  open.attempt = add_attempt (w->store, open.job, open.number);
  g_array_append_val (w->attempts, open);
}

static void
add_some_shots (Writer *w)
{
  FlShotRow shots[60];
  guint n = 1 + writer_any (w, 60);
  Open *open = &g_array_index (w->attempts, Open, writer_any (w, w->attempts->len));
  if (open->compacted)
    return;
  for (guint i = 0; i < n; i++)
    shots[i] = make_shot (1 + writer_any (w, 2000), (FlOutcome) writer_any (w, 4), writer_any (w, 90),
                          FL_NS_PER_S * (guint64) (1000 + writer_any (w, 100000)));
  add_shots (w->store, open->attempt, writer_any (w, 3), open->sequence++, shots, n);
}

static void
compact_one (Writer *w)
{
  Open *open = &g_array_index (w->attempts, Open, writer_any (w, w->attempts->len));
  if (writer_any (w, 4) > 0)
    return;
  open->compacted = TRUE;
  compact (w->store, open->attempt);
}

static void
change_tags (Writer *w)
{
  g_autoptr (GPtrArray) runs = fl_store_list (w->store, FL_TABLE_RUN, NULL);
  g_autoptr (GPtrArray) tags = fl_store_list (w->store, FL_TABLE_TAG, NULL);
  const FlTag *old = tags->len > 0 ? tags->pdata[writer_any (w, tags->len)] : NULL;
  const FlRun *run = runs->pdata[writer_any (w, runs->len)];
  if (old != NULL && writer_any (w, 3) == 0)
    {
      /* The name of what is removed is taken again at once. */
      g_autofree char *name = g_strdup (old->name);
      FlTag tag = { .name = name, .comment = (char *) "'; DROP TABLE run; --\033[31m" };
      g_assert_true (fl_store_remove (w->store, FL_TABLE_TAG, old->id, NULL));
      save (w->store, FL_TABLE_TAG, &tag);
      return;
    }
  g_autofree char *name = new_name (w, "tag ");
  FlTag tag = { .name = name };
  save (w->store, FL_TABLE_TAG, &tag);
  FlRunTag put = { .run = run->id, .tag = tag.id };
  save (w->store, FL_TABLE_RUN_TAG, &put);
}

static void
swap_names (Writer *w)
{
  g_autoptr (GPtrArray) runs = fl_store_list (w->store, FL_TABLE_RUN, NULL);
  const FlRun *a = runs->pdata[writer_any (w, runs->len)], *b = runs->pdata[writer_any (w, runs->len)];
  if (a->id == b->id)
    return;
  g_assert_true (fl_store_set_text (w->store, FL_TABLE_RUN, a->id, "name", "between", NULL));
  g_assert_true (fl_store_set_text (w->store, FL_TABLE_RUN, b->id, "name", a->name, NULL));
  g_assert_true (fl_store_set_text (w->store, FL_TABLE_RUN, a->id, "name", b->name, NULL));
}

static void
write_down (Writer *w)
{
  gint64 fencing;
  g_autoptr (GPtrArray) runs = fl_store_list (w->store, FL_TABLE_RUN, NULL);
  const FlRun *run = runs->pdata[writer_any (w, runs->len)];
  g_autofree char *long_text = g_strnfill (writer_any (w, 3000), 'x');
  g_assert_true (fl_store_set_text (w->store, FL_TABLE_RUN, run->id, "comment", long_text, NULL));
  fl_store_act_for_person (w->store, "the hall"); /* from now on there are edits, too */
  fl_store_lease (w->store, writer_any (w, 2) ? "conductor" : "other", "somebody", 60, &fencing, NULL, NULL);
}

void
writer_work (Writer *w)
{
  static void (*const deeds[]) (Writer *) = { add_some_shots, add_some_shots, add_some_shots,
                                              add_some_shots, compact_one,    add_second_attempt,
                                              change_tags,    swap_names,     write_down };
  if (w->attempts->len == 0 || writer_any (w, 12) == 0)
    writer_add_job (w);
  deeds[writer_any (w, G_N_ELEMENTS (deeds))](w);
}

void
writer_begin (Writer *w, const char *folder, guint64 seed)
{
  *w = (Writer){ .store = open_store (folder, FL_STORE_CREATE),
                 .random = fl_random (seed),
                 .attempts = g_array_new (FALSE, FALSE, sizeof (Open)) };
  w->trial = add_trial (w->store, 1);
}

void
writer_end (Writer *w)
{
  g_array_unref (w->attempts);
  fl_store_close (w->store);
}

int
writer_main (char **argv)
{
  Writer w;
  guint rounds = (guint) atoi (argv[2]);
  writer_begin (&w, argv[0], (guint64) atoi (argv[1]));
  for (guint i = 0; i < rounds; i++)
    {
      writer_work (&w);
      if (i % 8 == 0)
        g_usleep (2000);
    }
  writer_end (&w);
  return 0;
}

int
writer_shots_main (char **argv)
{
  Writer w;
  guint n = (guint) atoi (argv[2]);
  writer_begin (&w, argv[0], (guint64) atoi (argv[1]));
  for (guint done = 0; done < n; done += 100000)
    {
      writer_add_job (&w);
      const Open *open = &g_array_index (w.attempts, Open, w.attempts->len - 1);
      g_assert_true (fl_store_begin (w.store, NULL));
      for (guint i = 0; i < 100000; i += 250)
        {
          FlShotRow shots[250];
          for (guint k = 0; k < 250; k++)
            {
              guint64 at = 1700000000000000000u + (guint64) (done + i + k) * 8333333;
              shots[k] = make_shot (fl_random_u64 (&w.random),
                                    writer_any (&w, 5) == 0 ? FL_OUTCOME_HIT : FL_OUTCOME_MISS,
                                    writer_any (&w, 90), at + writer_any (&w, 100000));
              shots[k].resolution = 1.5f + (float) writer_any (&w, 1000) / 1000;
              shots[k].duration[1] = 8000 + writer_any (&w, 3000);
            }
          add_shots (w.store, open->attempt, i / 250 % 64, i / 250 / 64, shots, 250);
        }
      g_assert_true (fl_store_commit (w.store, NULL));
      if (done / 100000 % 2 == 0)
        compact (w.store, open->attempt);
    }
  writer_end (&w);
  return 0;
}
