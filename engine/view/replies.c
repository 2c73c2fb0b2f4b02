#include "engine/view/replies.h"

#define MAX_SMALL 4096 /* unsent small replies: whoever asks for more and reads none has to wait */

typedef enum
{
  SMALL,
  LARGE,
  PICTURE,
  AHEAD,
  N_QUEUES
} QueueName;

typedef struct
{
  FlViewReply reply;
  gsize sent;
  gboolean cancelled;
} Unsent;

struct FlViewReplies
{
  int out;
  GMutex mutex;
  GCond changed;
  GQueue queues[N_QUEUES]; /* of Unsent */
  Unsent *writing;         /* of which a chunk is being written */
  guint *unsent;           /* of each lane */
  gboolean ending, ended, broken;
};

static void
unsent_free (Unsent *u)
{
  g_clear_pointer (&u->reply.body, g_bytes_unref);
  g_free (u);
}

static void
replies_clear (gpointer data)
{
  FlViewReplies *r = data;
  for (int i = 0; i < N_QUEUES; i++)
    g_queue_clear_full (&r->queues[i], (GDestroyNotify) unsent_free);
  g_mutex_clear (&r->mutex);
  g_cond_clear (&r->changed);
  g_free (r->unsent);
}

void
fl_view_replies_unref (FlViewReplies *replies)
{
  g_atomic_rc_box_release_full (replies, replies_clear);
}

static gsize
body_length (const Unsent *u)
{
  return u->reply.body != NULL ? g_bytes_get_size (u->reply.body) : 0;
}

static QueueName
queue_of (const Unsent *u)
{
  if (body_length (u) <= FL_VIEW_CHUNK)
    return SMALL;
  if (u->reply.operation != FL_VIEW_IMAGE)
    return LARGE;
  return u->reply.slot == FL_VIEW_SLOT_AHEAD ? AHEAD : PICTURE;
}

/* What is left of it is that it is not coming. */
static void
forget_body (Unsent *u)
{
  u->reply.status = FL_VIEW_CANCELLED;
  u->reply.flags = 0;
  u->sent = 0;
  g_clear_pointer (&u->reply.body, g_bytes_unref);
}

/* Under the mutex. */
static void
done (FlViewReplies *r, Unsent *u)
{
  if (u->reply.lane >= 0)
    r->unsent[u->reply.lane]--;
  unsent_free (u);
  g_cond_broadcast (&r->changed);
}

static Unsent *
next_unsent (FlViewReplies *r)
{
  Unsent *u = NULL;
  while (u == NULL && !r->broken)
    {
      for (int i = 0; i < N_QUEUES && u == NULL; i++)
        u = g_queue_pop_head (&r->queues[i]);
      if (u == NULL && r->ending)
        break;
      if (u == NULL)
        g_cond_wait (&r->changed, &r->mutex);
    }
  return u;
}

static gboolean
write_chunk (int out, Unsent *u)
{
  gsize length = MIN (body_length (u) - u->sent, FL_VIEW_CHUNK);
  gboolean more = u->sent + length < body_length (u);
  FlViewFrame frame = { .id = u->reply.id,
                        .operation = u->reply.operation,
                        .status = u->reply.status,
                        .flags = u->reply.flags | (more ? FL_VIEW_MORE : 0),
                        .length = (guint32) length };
  const guint8 *bytes = length > 0 ? g_bytes_get_data (u->reply.body, NULL) : NULL;
  if (!fl_view_frame_write (out, &frame, length > 0 ? bytes + u->sent : NULL, NULL))
    return FALSE;
  u->sent += length;
  return TRUE;
}

static gpointer
replies_run (gpointer data)
{
  FlViewReplies *r = data;
  g_mutex_lock (&r->mutex);
  for (Unsent *u; (u = next_unsent (r)) != NULL;)
    {
      r->writing = u;
      g_mutex_unlock (&r->mutex);
      gboolean written = write_chunk (r->out, u);
      g_mutex_lock (&r->mutex);
      r->writing = NULL;
      r->broken |= !written;
      if (u->sent >= body_length (u))
        done (r, u);
      else
        {
          if (u->cancelled)
            forget_body (u);
          g_queue_push_head (&r->queues[queue_of (u)], u);
        }
    }
  r->ended = TRUE;
  g_cond_broadcast (&r->changed);
  g_mutex_unlock (&r->mutex);
  fl_view_replies_unref (r);
  return NULL;
}

FlViewReplies *
fl_view_replies_new (int out, guint n_lanes)
{
  FlViewReplies *r = g_atomic_rc_box_new0 (FlViewReplies);
  r->out = out;
  r->unsent = g_new0 (guint, n_lanes);
  g_mutex_init (&r->mutex);
  g_cond_init (&r->changed);
  for (int i = 0; i < N_QUEUES; i++)
    g_queue_init (&r->queues[i]);
  g_thread_unref (g_thread_new ("replies", replies_run, g_atomic_rc_box_acquire (r)));
  return r;
}

gboolean
fl_view_replies_add (FlViewReplies *r, const FlViewReply *reply)
{
  Unsent *u = g_new0 (Unsent, 1);
  u->reply = *reply;
  g_mutex_lock (&r->mutex);
  while (!r->broken
         && (reply->lane >= 0 ? r->unsent[reply->lane] >= FL_VIEW_MAX_UNSENT
                              : g_queue_get_length (&r->queues[SMALL]) >= MAX_SMALL))
    g_cond_wait (&r->changed, &r->mutex);
  gboolean good = !r->broken;
  if (reply->lane >= 0)
    r->unsent[reply->lane]++;
  g_queue_push_tail (&r->queues[queue_of (u)], u);
  g_cond_broadcast (&r->changed);
  g_mutex_unlock (&r->mutex);
  return good;
}

static gboolean
is_meant (const Unsent *u, guint32 id, guint32 slot)
{
  if (u->reply.status != FL_VIEW_OK)
    return FALSE;
  return id != 0 ? u->reply.id == id : u->reply.operation == FL_VIEW_IMAGE && u->reply.slot == slot;
}

void
fl_view_replies_cancel (FlViewReplies *r, guint32 id, guint32 slot)
{
  g_mutex_lock (&r->mutex);
  if (r->writing != NULL && is_meant (r->writing, id, slot))
    r->writing->cancelled = TRUE;
  for (int i = LARGE; i < N_QUEUES; i++)
    for (GList *l = r->queues[i].head, *next; l != NULL; l = next)
      {
        Unsent *u = l->data;
        next = l->next;
        if (!is_meant (u, id, slot))
          continue;
        forget_body (u);
        g_queue_delete_link (&r->queues[i], l);
        g_queue_push_tail (&r->queues[SMALL], u);
      }
  g_mutex_unlock (&r->mutex);
}

void
fl_view_replies_end (FlViewReplies *r)
{
  g_mutex_lock (&r->mutex);
  r->ending = TRUE;
  g_cond_broadcast (&r->changed);
  g_mutex_unlock (&r->mutex);
}

gboolean
fl_view_replies_wait (FlViewReplies *r)
{
  gint64 until = g_get_monotonic_time () + G_USEC_PER_SEC;
  g_mutex_lock (&r->mutex);
  while (!r->ended && g_cond_wait_until (&r->changed, &r->mutex, until))
    ;
  gboolean ended = r->ended;
  g_mutex_unlock (&r->mutex);
  return ended;
}
