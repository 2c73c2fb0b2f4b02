#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/shots/emc.h"

#define HEADER_WORDS 256

struct FlEmcWriter
{
  char *path, *partial;
  FILE *file;
  guint n_frames, at;
  gint32 *ones, *multi;  /* [n_frames] */
  GArray *place, *count; /* of pixels with more than one photon */
};

static gboolean
failed (const FlEmcWriter *w, GError **error)
{
  g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: cannot be written: %s", w->partial, g_strerror (errno));
  return FALSE;
}

static gboolean
put (FlEmcWriter *w, const void *data, gsize words)
{
  return words == 0 || fwrite (data, 4, words, w->file) == words;
}

/* With zeros for the numbers of photons, which are not known yet. */
static gboolean
write_head (FlEmcWriter *w, guint n_pixels)
{
  gint32 head[HEADER_WORDS] = { (gint32) w->n_frames, (gint32) n_pixels };
  return put (w, head, HEADER_WORDS) && put (w, w->ones, w->n_frames) && put (w, w->multi, w->n_frames);
}

FlEmcWriter *
fl_emc_writer_new (const char *path, guint n_frames, guint n_pixels, GError **error)
{
  FlEmcWriter *w = g_new0 (FlEmcWriter, 1);
  w->path = g_strdup (path);
  w->partial = g_strconcat (path, ".inprogress", NULL);
  w->n_frames = n_frames;
  w->ones = g_new0 (gint32, n_frames);
  w->multi = g_new0 (gint32, n_frames);
  w->place = g_array_new (FALSE, FALSE, sizeof (guint32));
  w->count = g_array_new (FALSE, FALSE, sizeof (guint32));
  w->file = fopen (w->partial, "wbe");
  if (w->file != NULL && write_head (w, n_pixels))
    return w;
  failed (w, error);
  fl_emc_writer_abandon (w);
  return NULL;
}

gboolean
fl_emc_writer_append (FlEmcWriter *w, guint n, const guint32 *pixel, const guint32 *count, GError **error)
{
  g_return_val_if_fail (w->at < w->n_frames, FALSE);
  for (guint i = 0; i < n; i++)
    if (count[i] == 1)
      {
        w->ones[w->at]++;
        if (!put (w, &pixel[i], 1))
          return failed (w, error);
      }
    else
      {
        w->multi[w->at]++;
        g_array_append_val (w->place, pixel[i]);
        g_array_append_val (w->count, count[i]);
      }
  w->at++;
  return TRUE;
}

gboolean
fl_emc_writer_finish (FlEmcWriter *w, GError **error)
{
  g_return_val_if_fail (w->at == w->n_frames, FALSE);
  gboolean ok = put (w, w->place->data, w->place->len) && put (w, w->count->data, w->count->len)
                && fseek (w->file, HEADER_WORDS * 4, SEEK_SET) == 0 && put (w, w->ones, w->n_frames)
                && put (w, w->multi, w->n_frames);
  ok = fclose (w->file) == 0 && ok;
  w->file = NULL;
  ok = ok && rename (w->partial, w->path) == 0;
  if (!ok)
    failed (w, error);
  fl_emc_writer_abandon (w);
  return ok;
}

void
fl_emc_writer_abandon (FlEmcWriter *w)
{
  if (w == NULL)
    return;
  if (w->file != NULL)
    fclose (w->file);
  unlink (w->partial);
  g_array_free (w->place, TRUE);
  g_array_free (w->count, TRUE);
  g_free (w->ones);
  g_free (w->multi);
  g_free (w->path);
  g_free (w->partial);
  g_free (w);
}
