#include "engine/view/client-ahead.h"

#include <string.h>

#define MOST 16u /* of a screen's worth of jobs; who foresees more loses the oldest */

struct FlViewAhead
{
  GQueue foreseen; /* of FlViewForeseen, the first to be fetched first */
};

FlViewAhead *
fl_view_ahead_new (void)
{
  FlViewAhead *ahead = g_new0 (FlViewAhead, 1);
  g_queue_init (&ahead->foreseen);
  return ahead;
}

void
fl_view_foreseen_free (FlViewForeseen *foreseen)
{
  g_variant_unref (foreseen->body);
  fl_view_kept_clear (&foreseen->kept);
  g_free (foreseen);
}

void
fl_view_ahead_free (FlViewAhead *ahead)
{
  g_queue_clear_full (&ahead->foreseen, (GDestroyNotify) fl_view_foreseen_free);
  g_free (ahead);
}

static gboolean
is_instead (const FlViewForeseen *old, const FlViewForeseen *new)
{
  FlViewSpotsRequest before, now;
  if (old->operation != new->operation || old->operation == FL_VIEW_IMAGE)
    return old->operation == new->operation;
  fl_view_spots_request_decode (old->body, &before);
  fl_view_spots_request_decode (new->body, &now);
  return strcmp (before.job_dir, now.job_dir) == 0;
}

/* Takes `body` and `kept`. */
static void
put (FlViewAhead *ahead, FlViewOperation operation, GVariant *body, FlViewKept kept)
{
  FlViewForeseen *foreseen = g_new (FlViewForeseen, 1);
  *foreseen = (FlViewForeseen){ operation, g_variant_ref_sink (body), kept };
  for (GList *l = ahead->foreseen.head, *next; l != NULL; l = next)
    {
      next = l->next;
      if (!is_instead (l->data, foreseen))
        continue;
      fl_view_foreseen_free (l->data);
      g_queue_delete_link (&ahead->foreseen, l);
    }
  if (g_queue_get_length (&ahead->foreseen) >= MOST)
    fl_view_foreseen_free (g_queue_pop_head (&ahead->foreseen));
  if (operation == FL_VIEW_IMAGE)
    g_queue_push_head (&ahead->foreseen, foreseen);
  else
    g_queue_push_tail (&ahead->foreseen, foreseen);
}

void
fl_view_ahead_put_image (FlViewAhead *ahead, const FlViewImageRequest *request)
{
  FlViewImageRequest r = *request;
  r.slot = FL_VIEW_SLOT_AHEAD;
  put (ahead, FL_VIEW_IMAGE, fl_view_image_request_encode (&r), fl_view_kept_image (&r));
}

void
fl_view_ahead_put_results (FlViewAhead *ahead, const FlViewSpotsRequest *request)
{
  static const FlViewOperation operations[] = { FL_VIEW_SPOTS, FL_VIEW_LATTICES };
  for (guint i = 0; i < G_N_ELEMENTS (operations); i++)
    put (ahead, operations[i], fl_view_spots_request_encode (request),
         fl_view_kept_results (operations[i], request));
}

FlViewForeseen *
fl_view_ahead_pop (FlViewAhead *ahead, FlViewCache *cache)
{
  for (FlViewForeseen *foreseen; (foreseen = g_queue_pop_head (&ahead->foreseen)) != NULL;)
    {
      if (!fl_view_cache_has (cache, foreseen->kept.key))
        return foreseen;
      fl_view_foreseen_free (foreseen);
    }
  return NULL;
}
