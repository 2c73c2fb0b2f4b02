/* client-ahead.h: what will probably be asked for next, in the order in which it is to be fetched. Inside this room.
 * Thread: the client's. */
#pragma once

#include "engine/view/client-cache.h"

typedef struct FlViewAhead FlViewAhead;

FlViewAhead *fl_view_ahead_new (void);
void fl_view_ahead_free (FlViewAhead *ahead);

/* A picture takes the place of the one foreseen before, and goes first; a job's results that of the same job's. */
void fl_view_ahead_put_image (FlViewAhead *ahead, const FlViewImageRequest *request);
void fl_view_ahead_put_results (FlViewAhead *ahead, const FlViewSpotsRequest *request);

typedef struct
{
  FlViewOperation operation;
  GVariant *body;
  FlViewKept kept;
} FlViewForeseen;

/* The next that is not in the cache: the caller's, as are its parts, which go with fl_view_foreseen_free(). NULL: nothing. */
FlViewForeseen *fl_view_ahead_pop (FlViewAhead *ahead, FlViewCache *cache);
void fl_view_foreseen_free (FlViewForeseen *foreseen);
