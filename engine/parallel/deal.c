#include "engine/parallel/deal.h"

#include <string.h>

#define MAX_BATCH 64
/* Above this many ranks the requests keep rank 0 busy enough. */
#define RANKS_FOR_DEALER 48
#define NAP_US           500

/* What a rank tells rank 0. */
typedef struct
{
  guint64 shots, hits; /* done so far */
  guint32 held;        /* references that it still has, none in work */
  gboolean asks, stop;
  guint32 pad;
} Request;

/* What rank 0 tells a rank; the references follow. */
typedef struct
{
  guint32 n;
  gboolean end, stop;
} Reply;

typedef struct
{
  Request last;
  gboolean asks;  /* a request not yet answered */
  gboolean ended; /* was told END: will not ask again */
  gboolean told;  /* was told to stop */
} Worker;

struct FlDeal
{
  FlParallel *parallel;
  guint ranks;
  gboolean dealer; /* rank 0 */
  GByteArray *message;
  Request mine;
  gboolean stopping;

  /* rank 0 */
  const FlShotRef *shots, *suspects;
  gsize n_shots, n_suspects, next_shot, next_suspect;
  gboolean works;
  Worker *workers; /* one a rank; 0 is not used */

  /* other ranks */
  GArray *held; /* FlShotRef, taken from `at` on */
  guint at, low;
  gboolean asked, ended, said_empty, said_stop;
};

FlDeal *
fl_deal_new (FlParallel *parallel, const FlShotRef *shots, gsize n_shots, const FlShotRef *suspects,
             gsize n_suspects)
{
  FlDeal *self = g_new0 (FlDeal, 1);
  self->parallel = parallel;
  self->ranks = fl_parallel_ranks (parallel);
  self->dealer = fl_parallel_rank (parallel) == 0;
  self->message = g_byte_array_new ();
  self->held = g_array_new (FALSE, FALSE, sizeof (FlShotRef));
  if (self->dealer)
    {
      self->shots = shots;
      self->n_shots = n_shots;
      self->suspects = suspects;
      self->n_suspects = n_suspects;
      self->works = self->ranks <= RANKS_FOR_DEALER;
      self->workers = g_new0 (Worker, self->ranks);
    }
  return self;
}

void
fl_deal_free (FlDeal *deal)
{
  if (deal == NULL)
    return;
  g_byte_array_unref (deal->message);
  g_array_unref (deal->held);
  g_free (deal->workers);
  g_free (deal);
}

void
fl_deal_report (FlDeal *deal, guint64 shots, guint64 hits)
{
  deal->mine.shots = shots;
  deal->mine.hits = hits;
}

void
fl_deal_progress (const FlDeal *deal, guint64 *shots, guint64 *hits)
{
  *shots = deal->mine.shots;
  *hits = deal->mine.hits;
  for (guint i = 1; deal->dealer && i < deal->ranks; i++)
    {
      *shots += deal->workers[i].last.shots;
      *hits += deal->workers[i].last.hits;
    }
}

/* --- rank 0 --- */

static void
reply (FlDeal *deal, guint to)
{
  Worker *worker = &deal->workers[to];
  gsize left = deal->n_shots - deal->next_shot;
  gsize n = deal->stopping ? 0 : MIN (left, CLAMP (left / (2 * deal->ranks), 1, MAX_BATCH));
  Reply head = { .n = (guint32) n, .end = n == 0, .stop = deal->stopping };
  g_byte_array_set_size (deal->message, 0);
  g_byte_array_append (deal->message, (const guint8 *) &head, sizeof head);
  if (n > 0)
    g_byte_array_append (deal->message, (const guint8 *) (deal->shots + deal->next_shot),
                         (guint) (n * sizeof (FlShotRef)));
  fl_parallel_send (deal->parallel, to, deal->message->data, deal->message->len);
  deal->next_shot += n;
  worker->asks = FALSE;
  worker->ended = n == 0;
  worker->told = worker->told || deal->stopping;
  worker->last.held += (guint32) n;
}

static void
tell_to_stop (FlDeal *deal)
{
  const Reply head = { .stop = 1 };
  for (guint i = 1; i < deal->ranks; i++)
    if (!deal->workers[i].ended && !deal->workers[i].told)
      {
        deal->workers[i].told = TRUE;
        fl_parallel_send (deal->parallel, i, &head, sizeof head);
      }
}

static void
serve (FlDeal *deal)
{
  guint from;
  while (deal->ranks > 1 && fl_parallel_poll (deal->parallel, &from, deal->message))
    {
      g_assert (deal->message->len == sizeof (Request));
      Worker *worker = &deal->workers[from];
      memcpy (&worker->last, deal->message->data, sizeof (Request));
      worker->asks = worker->asks || worker->last.asks;
      deal->stopping = deal->stopping || worker->last.stop;
      if (worker->asks)
        reply (deal, from);
    }
  deal->stopping = deal->stopping || fl_parallel_stop_asked ();
  if (deal->stopping)
    tell_to_stop (deal);
}

static gboolean
others_are_done (const FlDeal *deal)
{
  for (guint i = 1; i < deal->ranks; i++)
    if (!deal->workers[i].ended || deal->workers[i].last.held > 0)
      return FALSE;
  return TRUE;
}

static FlDealt
next_of_dealer (FlDeal *deal, FlShotRef *shot)
{
  serve (deal);
  if (!deal->stopping && deal->next_shot < deal->n_shots && (deal->works || deal->ranks == 1))
    {
      *shot = deal->shots[deal->next_shot++];
      return FL_DEAL_SHOT;
    }
  if (!others_are_done (deal))
    {
      g_usleep (NAP_US);
      return FL_DEAL_WAIT;
    }
  if (deal->stopping)
    return FL_DEAL_STOPPED;
  if (deal->next_suspect < deal->n_suspects)
    {
      *shot = deal->suspects[deal->next_suspect++];
      return FL_DEAL_SUSPECT;
    }
  return FL_DEAL_END;
}

/* --- the other ranks --- */

static guint
holds (const FlDeal *deal)
{
  return deal->held->len - deal->at;
}

static void
ask (FlDeal *deal)
{
  gboolean wants = !deal->ended && !deal->asked && holds (deal) <= deal->low;
  gboolean empty = holds (deal) == 0 && !deal->said_empty;
  gboolean stops = fl_parallel_stop_asked () && !deal->said_stop;
  if (!wants && !empty && !stops)
    return;
  deal->mine.held = holds (deal);
  deal->mine.asks = wants;
  deal->mine.stop = deal->said_stop = deal->said_stop || stops;
  deal->said_empty = holds (deal) == 0;
  deal->asked = deal->asked || wants;
  fl_parallel_send (deal->parallel, 0, &deal->mine, sizeof deal->mine);
}

static void
listen (FlDeal *deal)
{
  guint from;
  while (!deal->ended && fl_parallel_poll (deal->parallel, &from, deal->message))
    {
      Reply head;
      g_assert (deal->message->len >= sizeof head);
      memcpy (&head, deal->message->data, sizeof head);
      g_assert (deal->message->len == sizeof head + head.n * sizeof (FlShotRef));
      if (head.n > 0 || head.end)
        deal->asked = FALSE;
      deal->ended = head.end;
      deal->stopping = deal->stopping || head.stop;
      if (deal->stopping)
        g_array_set_size (deal->held, deal->at);
      else if (head.n > 0)
        {
          g_array_remove_range (deal->held, 0, deal->at);
          deal->at = 0;
          g_array_append_vals (deal->held, deal->message->data + sizeof head, head.n);
          deal->low = head.n / 4;
          deal->said_empty = FALSE;
        }
    }
}

static FlDealt
next_of_worker (FlDeal *deal, FlShotRef *shot)
{
  listen (deal);
  ask (deal);
  if (holds (deal) > 0)
    {
      *shot = g_array_index (deal->held, FlShotRef, deal->at++);
      return FL_DEAL_SHOT;
    }
  if (deal->ended)
    return deal->stopping ? FL_DEAL_STOPPED : FL_DEAL_END;
  g_usleep (NAP_US);
  return FL_DEAL_WAIT;
}

gboolean
fl_deal_holds (FlDeal *deal)
{
  /* Rank 0 waits for nobody but itself. */
  if (!deal->dealer)
    listen (deal);
  return deal->dealer || holds (deal) > 0;
}

FlDealt
fl_deal_next (FlDeal *deal, FlShotRef *shot)
{
  return deal->dealer ? next_of_dealer (deal, shot) : next_of_worker (deal, shot);
}
