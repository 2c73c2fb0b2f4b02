#include "engine/view/client-cache.h"

#include <string.h>

#define GROWING_US (5 * G_USEC_PER_SEC)
#define SETTLED_US (600 * G_USEC_PER_SEC)

typedef struct
{
  FlViewKept kept;
  gpointer answer;
  GDestroyNotify unref;
  FlViewOrigin origin;
  gsize bytes;
  gint64 until;
} Entry;

struct FlViewCache
{
  gsize most, bytes;
  GQueue entries;     /* last used first */
  GHashTable *by_key; /* key → link in entries */
};

FlViewCache *
fl_view_cache_new (gsize most_bytes)
{
  FlViewCache *cache = g_new0 (FlViewCache, 1);
  cache->most = most_bytes;
  cache->by_key = g_hash_table_new (g_str_hash, g_str_equal);
  g_queue_init (&cache->entries);
  return cache;
}

void
fl_view_kept_clear (FlViewKept *kept)
{
  g_clear_pointer (&kept->key, g_free);
  g_clear_pointer (&kept->about, g_free);
}

static void
entry_free (Entry *entry)
{
  fl_view_kept_clear (&entry->kept);
  entry->unref (entry->answer);
  g_free (entry);
}

static void
drop (FlViewCache *cache, GList *link)
{
  Entry *entry = link->data;
  cache->bytes -= entry->bytes;
  g_hash_table_remove (cache->by_key, entry->kept.key);
  g_queue_delete_link (&cache->entries, link);
  entry_free (entry);
}

void
fl_view_cache_free (FlViewCache *cache)
{
  g_queue_clear_full (&cache->entries, (GDestroyNotify) entry_free);
  g_hash_table_unref (cache->by_key);
  g_free (cache);
}

/* --- keys --- */

static const char *
or_empty (const char *text)
{
  return text != NULL ? text : "";
}

static char *
source_key (const FlViewSourceRequest *source)
{
  g_autofree char *path = g_uri_escape_string (source->path, "/", TRUE);
  g_autofree char *geometry = g_uri_escape_string (or_empty (source->geometry), "/", TRUE);
  g_autofree char *mask = g_uri_escape_string (or_empty (source->mask), "/", TRUE);
  g_autofree char *calibration = g_uri_escape_string (or_empty (source->calibration), "/", TRUE);
  return g_strjoin (" ", path, geometry, mask, calibration, NULL);
}

FlViewKept
fl_view_kept_image (const FlViewImageRequest *r)
{
  char *about = source_key (&r->source);
  char *key =
      g_strdup_printf ("%s %u %.17g %.17g %.17g %.17g %d %u %u %d", about, r->frame, r->rect.x0, r->rect.y0,
                       r->rect.x1, r->rect.y1, r->reduce, r->width, r->height, r->encoding);
  return (FlViewKept){ key, about };
}

FlViewKept
fl_view_kept_results (FlViewOperation operation, const FlViewSpotsRequest *r)
{
  g_autofree char *source = source_key (&r->source);
  g_autofree char *job = g_uri_escape_string (r->job_dir, "/", TRUE);
  char *about = g_strdup_printf ("%d %s %s", operation, job, source);
  return (FlViewKept){ g_strdup_printf ("%s %u", about, r->frame), about };
}

/* --- entries --- */

static void
measure (Entry *entry, FlViewOperation operation)
{
  if (operation == FL_VIEW_IMAGE)
    {
      const FlViewImage *image = entry->answer;
      entry->origin = image->origin;
      entry->bytes = sizeof *image + (gsize) image->width * image->height * sizeof (float);
      entry->unref = (GDestroyNotify) fl_view_image_unref;
    }
  else if (operation == FL_VIEW_SPOTS)
    {
      const FlViewSpots *spots = entry->answer;
      entry->origin = spots->origin;
      entry->bytes = sizeof *spots + spots->n_spots * sizeof (FlViewSpot);
      entry->unref = (GDestroyNotify) fl_view_spots_unref;
    }
  else
    {
      const FlViewLattices *lattices = entry->answer;
      entry->origin = lattices->origin;
      entry->bytes = sizeof *lattices + lattices->n_lattices * sizeof (FlViewLattice)
                     + lattices->n_reflections * sizeof (FlViewReflection);
      entry->unref = (GDestroyNotify) fl_view_lattices_unref;
    }
}

/* What has been told about the same file when it was another. */
static void
drop_outdated (FlViewCache *cache, const Entry *by)
{
  for (GList *l = cache->entries.head, *next; l != NULL; l = next)
    {
      const Entry *entry = l->data;
      next = l->next;
      if (entry->origin.stamp != by->origin.stamp && strcmp (entry->kept.about, by->kept.about) == 0)
        drop (cache, l);
    }
}

void
fl_view_cache_put (FlViewCache *cache, const FlViewKept *kept, FlViewOperation operation, gpointer answer)
{
  g_return_if_fail (operation == FL_VIEW_IMAGE || operation == FL_VIEW_SPOTS
                    || operation == FL_VIEW_LATTICES);
  Entry *entry = g_new0 (Entry, 1);
  entry->answer = g_atomic_rc_box_acquire (answer);
  entry->kept = (FlViewKept){ g_strdup (kept->key), g_strdup (kept->about) };
  measure (entry, operation);
  entry->until =
      g_get_monotonic_time () + (entry->origin.growing || entry->origin.stamp == 0 ? GROWING_US : SETTLED_US);
  drop_outdated (cache, entry);
  GList *before = g_hash_table_lookup (cache->by_key, kept->key);
  if (before != NULL)
    drop (cache, before);
  g_queue_push_head (&cache->entries, entry);
  g_hash_table_insert (cache->by_key, entry->kept.key, cache->entries.head);
  cache->bytes += entry->bytes;
  while (cache->bytes > cache->most)
    drop (cache, cache->entries.tail);
}

static GList *
find (FlViewCache *cache, const char *key)
{
  GList *link = g_hash_table_lookup (cache->by_key, key);
  if (link == NULL || g_get_monotonic_time () < ((const Entry *) link->data)->until)
    return link;
  drop (cache, link);
  return NULL;
}

gpointer
fl_view_cache_get (FlViewCache *cache, const char *key, GDestroyNotify *unref)
{
  GList *link = find (cache, key);
  if (link == NULL)
    return NULL;
  g_queue_unlink (&cache->entries, link);
  g_queue_push_head_link (&cache->entries, link);
  const Entry *entry = link->data;
  *unref = entry->unref;
  return g_atomic_rc_box_acquire (entry->answer);
}

gboolean
fl_view_cache_has (FlViewCache *cache, const char *key)
{
  return find (cache, key) != NULL;
}
