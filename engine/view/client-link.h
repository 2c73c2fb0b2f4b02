/* client-link.h: one life of the serve child behind a client: the process, what it has been asked and not answered, and
 * the thread that reads and decodes its answers. Only client.c includes this. Thread: the client's main context. */
#pragma once

#include "engine/view/client-cache.h"
#include "engine/view/client.h"

typedef struct
{
  guint32 id;
  FlViewOperation operation;
  FlViewKept kept; /* key NULL: the answer is not kept */
  GBytes *frame;   /* until it is sent */
  GTask *task;
  GSource *cancelled; /* NULL when it cannot be */
} FlViewCall;

void fl_view_call_free (FlViewCall *call);
/* Frees the calls and the array. */
void fl_view_calls_fail (GPtrArray *calls, int code, const char *message);

typedef struct FlViewLink FlViewLink;

typedef struct
{
  /* A heartbeat has come back, in µs. */
  void (*answered) (FlViewClient *client, gint64 round_trip);
  /* The call has been answered; `answer` NULL: with an error. The task is not told yet. */
  void (*delivered) (FlViewClient *client, const FlViewCall *call, gpointer answer);
  /* The child is no more; `how` is one line. */
  void (*ended) (FlViewClient *client, const char *how);
} FlViewLinkEvents;

/* Starts the child; NULL when it cannot be. */
FlViewLink *fl_view_link_new (const char *const *argv, GMainContext *context, const FlViewLinkEvents *events,
                              FlViewClient *client, GError **error);
/* Ends the child and lets go of the client. What has not been answered is to be taken before. */
void fl_view_link_free (FlViewLink *link);
/* Ends the child, which is then said to have ended because of this. */
void fl_view_link_kill (FlViewLink *link, const char *why);
const char *fl_view_link_pid (FlViewLink *link);

/* Takes the call, until it is answered. */
void fl_view_link_ask (FlViewLink *link, FlViewCall *call);
/* The caller's again, and no longer worked on; NULL: it has been answered. */
FlViewCall *fl_view_link_withdraw (FlViewLink *link, guint32 id);
/* Gives the answer of the call `id` to another task; FALSE: it has been answered. */
gboolean fl_view_link_hand_over (FlViewLink *link, guint32 id, GTask *task, GSource *cancelled);
/* Whether nothing has been asked that is not answered. */
gboolean fl_view_link_is_idle (FlViewLink *link);
/* All calls that are not answered, which become the caller's. */
GPtrArray *fl_view_link_take_all (FlViewLink *link);
/* Sends a heartbeat unless the last is still unanswered: then since how long (µs), else 0. */
gint64 fl_view_link_beat (FlViewLink *link);
