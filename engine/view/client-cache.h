/* client-cache.h: answers that a client keeps, the least lately asked for going first. Inside this room.
 * Thread: the client's. */
#pragma once

#include "engine/view/messages.h"

typedef struct FlViewCache FlViewCache;

FlViewCache *fl_view_cache_new (gsize most_bytes);
void fl_view_cache_free (FlViewCache *cache);

/* What an answer is kept under, and what it is about: a newer answer about the same of another stamp ends it. */
typedef struct
{
  char *key, *about;
} FlViewKept;

FlViewKept fl_view_kept_image (const FlViewImageRequest *request);
FlViewKept fl_view_kept_results (FlViewOperation operation, const FlViewSpotsRequest *request);
void fl_view_kept_clear (FlViewKept *kept);

/* Keeps an FlViewImage, FlViewSpots or FlViewLattices, by a reference of its own. */
void fl_view_cache_put (FlViewCache *cache, const FlViewKept *kept, FlViewOperation operation,
                        gpointer answer);
/* A reference, to be given back by *unref; NULL when it is not there any more. */
gpointer fl_view_cache_get (FlViewCache *cache, const char *key, GDestroyNotify *unref);
gboolean fl_view_cache_has (FlViewCache *cache, const char *key);
