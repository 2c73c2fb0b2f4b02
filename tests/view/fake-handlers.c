#include "tests/view/fake-handlers.h"

#include <math.h>
#include <string.h>

#include "engine/base/error.h"

Fake *
fake_new (void)
{
  Fake *fake = g_new0 (Fake, 1);
  g_mutex_init (&fake->mutex);
  g_cond_init (&fake->cond);
  fake->order = g_string_new (NULL);
  return fake;
}

void
fake_free (Fake *fake)
{
  g_mutex_clear (&fake->mutex);
  g_cond_clear (&fake->cond);
  g_string_free (fake->order, TRUE);
  g_free (fake);
}

void
fake_release (Fake *fake)
{
  g_mutex_lock (&fake->mutex);
  fake->released = TRUE;
  g_cond_broadcast (&fake->cond);
  g_mutex_unlock (&fake->mutex);
}

void
fake_wait_held (Fake *fake)
{
  g_mutex_lock (&fake->mutex);
  while (fake->holding == 0)
    g_cond_wait (&fake->cond, &fake->mutex);
  g_mutex_unlock (&fake->mutex);
}

static gboolean
begin (Fake *fake, const char *path, GCancellable *cancellable, GError **error)
{
  g_mutex_lock (&fake->mutex);
  g_string_append_printf (fake->order, "%s ", path);
  if (strcmp (path, "hold") == 0)
    {
      fake->holding++;
      g_cond_broadcast (&fake->cond);
      while (!fake->released && (fake->stubborn || !g_cancellable_is_cancelled (cancellable)))
        g_cond_wait_until (&fake->cond, &fake->mutex, g_get_monotonic_time () + 10000);
      fake->holding--;
    }
  g_mutex_unlock (&fake->mutex);
  if (strcmp (path, "missing") != 0)
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: no such file", path);
  return FALSE;
}

static FlViewImage *
image (gpointer data, const FlViewImageRequest *request, GCancellable *cancellable, GError **error)
{
  float *raster;
  if (!begin (data, request->source.path, cancellable, error))
    return NULL;
  FlViewImage *image = fl_view_image_new (request->width, request->height, &raster);
  for (gsize k = 0; k < (gsize) request->width * request->height; k++)
    raster[k] = (float) request->slot * 1e6f + (float) (k % 65536);
  raster[0] = NAN;
  image->shot = 0x123456789abcdef0u;
  image->event = g_strdup ("//7");
  image->frames = 11;
  image->energy = 9300;
  image->wavelength = 1.333;
  image->camera_length = 150;
  image->pixel_size = 0.075;
  image->saturation = INFINITY;
  image->rect = request->rect;
  image->whole = (FlViewRect){ -1, -2, 3, 4 };
  for (int i = 0; i < 6; i++)
    image->percentiles[i] = i;
  return image;
}

static FlViewSpots *
spots (gpointer data, const FlViewSpotsRequest *request, GCancellable *cancellable, GError **error)
{
  if (!begin (data, request->job_dir, cancellable, error))
    return NULL;
  FlViewSpots *spots = fl_view_spots_new (request->frame);
  spots->outcome = FL_OUTCOME_HIT;
  spots->resolution = 2.5;
  spots->message = g_strdup ("not \xff UTF-8");
  for (guint32 i = 0; i < spots->n_spots; i++)
    spots->spots[i] = (FlViewSpot){ i, -(double) i, i % 8, i + 0.5, i + 0.25, 100.0 * i, 3.0 };
  return spots;
}

static FlViewLattices *
make_lattices (guint32 n_reflections)
{
  FlViewLattices *all = fl_view_lattices_new (2, n_reflections);
  all->lattices[1] = (FlViewLattice){ .cell = { 79.1, 79.2, 37.9, 1.5, 1.6, 1.7 },
                                      .centring = 'I',
                                      .space_group = 96,
                                      .n_spots = 55,
                                      .n_reflections = 44,
                                      .confidence = 0.75,
                                      .rmsd = 0.5,
                                      .domain_size = 1500,
                                      .mosaicity = 0.001,
                                      .resolution = 2.25 };
  for (guint32 i = 0; i < n_reflections; i++)
    all->reflections[i] = (FlViewReflection){ .lattice = i % 2,
                                              .h = -1,
                                              .k = 2,
                                              .l = (gint16) i,
                                              .x = i,
                                              .y = 0.5,
                                              .panel = 7,
                                              .fs = 1.25,
                                              .ss = 2.5,
                                              .intensity = -3,
                                              .sigma = 4,
                                              .d = 5.5,
                                              .flags = FL_REFLECTION_STRONG };
  return all;
}

static FlViewLattices *
lattices (gpointer data, const FlViewSpotsRequest *request, GCancellable *cancellable, GError **error)
{
  return begin (data, request->job_dir, cancellable, error) ? make_lattices (request->frame) : NULL;
}

static FlViewTried *
try_trial (gpointer data, const FlViewTryRequest *request, GCancellable *cancellable, GError **error)
{
  if (!begin (data, request->params, cancellable, error))
    return NULL;
  FlViewTried *tried = fl_view_tried_new ();
  tried->milliseconds = 123;
  tried->spots = fl_view_spots_new (1);
  tried->spots->outcome = FL_OUTCOME_INDEXED;
  tried->lattices = make_lattices (3);
  return tried;
}

static FlViewSource *
source (gpointer data, const FlViewSourceRequest *request, GCancellable *cancellable, GError **error)
{
  if (!begin (data, request->path, cancellable, error))
    return NULL;
  FlViewSource *source = fl_view_source_new (2);
  source->frames = 35;
  source->format = g_strdup ("CXI");
  source->description = g_strdup_printf ("geometry: %s\nmask: %s\n", request->geometry, request->mask);
  source->pixel_size = 0.1;
  source->whole = (FlViewRect){ -10, -20, 30, 40 };
  source->panels[0] = (FlViewPanel){ g_strdup ("q0a0"), 1, 2, 1, 0, 0, -1, 194, 185 };
  source->panels[1] = (FlViewPanel){ g_strdup ("q0a1"), 3, 4, 0, 1, 1, 0, 100, 50 };
  return source;
}

static FlViewLog *
log_range (gpointer data, const FlViewLogRequest *request, GCancellable *cancellable, GError **error)
{
  if (!begin (data, request->path, cancellable, error))
    return NULL;
  FlViewLog *log = fl_view_log_new ();
  log->offset = (guint64) request->offset;
  log->size = 1000;
  log->bytes = g_bytes_new (request->path, strlen (request->path));
  return log;
}

static FlViewInflight *
inflight (gpointer data, const char *dir, GCancellable *cancellable, GError **error)
{
  if (!begin (data, dir, cancellable, error))
    return NULL;
  FlViewInflight *inflight = fl_view_inflight_new (1);
  inflight->entries[0] = (FlInflightEntry){ .rank = 3,
                                            .stage = FL_STAGE_FIND,
                                            .crashed = 11,
                                            .shot = G_MAXUINT64,
                                            .source = 1,
                                            .frame = 2,
                                            .since = 1700000000000000000u };
  return inflight;
}

static FlViewFound *
find (gpointer data, const FlViewFindRequest *request, GCancellable *cancellable, GError **error)
{
  if (!begin (data, request->path, cancellable, error))
    return NULL;
  FlViewFound *found = fl_view_found_new ();
  found->found = TRUE;
  found->match = request->offset + 5;
  found->line = 3;
  found->text = g_strdup (request->pattern);
  return found;
}

/* The position that was given, again and again, as many bytes as were asked for. */
static GBytes *
feed (gpointer data, const FlViewFeedRequest *request, GCancellable *cancellable, GError **error)
{
  if (!begin (data, request->store, cancellable, error))
    return NULL;
  guint8 *bytes = g_malloc (request->most);
  for (guint32 i = 0; i < request->most; i++)
    bytes[i] = ((const guint8 *) request->position)[i % request->position_length];
  return g_bytes_new_take (bytes, request->most);
}

const FlViewHandlers fake_handlers = { .image = image,
                                       .spots = spots,
                                       .source = source,
                                       .log = log_range,
                                       .inflight = inflight,
                                       .lattices = lattices,
                                       .try_trial = try_trial,
                                       .find = find,
                                       .feed = feed };
