#include "engine/view/messages.h"

#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/view/raster-codec.h"

/* --- ownership --- */

FlViewImage *
fl_view_image_new (guint32 width, guint32 height, float **raster)
{
  FlViewImage *image = g_atomic_rc_box_new0 (FlViewImage);
  image->width = width;
  image->height = height;
  *raster = g_new (float, (gsize) width *height);
  image->raster = *raster;
  return image;
}

FlViewSpots *
fl_view_spots_new (guint32 n_spots)
{
  FlViewSpots *spots = g_atomic_rc_box_new0 (FlViewSpots);
  spots->n_spots = n_spots;
  spots->spots = g_new0 (FlViewSpot, n_spots);
  return spots;
}

FlViewSource *
fl_view_source_new (guint32 n_panels)
{
  FlViewSource *source = g_atomic_rc_box_new0 (FlViewSource);
  source->n_panels = n_panels;
  source->panels = g_new0 (FlViewPanel, n_panels);
  return source;
}

FlViewLog *
fl_view_log_new (void)
{
  return g_atomic_rc_box_new0 (FlViewLog);
}

FlViewInflight *
fl_view_inflight_new (guint32 n_entries)
{
  FlViewInflight *inflight = g_atomic_rc_box_new0 (FlViewInflight);
  inflight->n_entries = n_entries;
  inflight->entries = g_new0 (FlInflightEntry, n_entries);
  return inflight;
}

static void
image_clear (gpointer data)
{
  FlViewImage *image = data;
  g_free (image->event);
  if (image->body != NULL)
    g_variant_unref (image->body);
  else
    g_free ((gpointer) image->raster);
}

static void
spots_clear (gpointer data)
{
  FlViewSpots *spots = data;
  g_free (spots->message);
  g_free (spots->spots);
}

static void
source_clear (gpointer data)
{
  FlViewSource *source = data;
  for (guint32 i = 0; i < source->n_panels; i++)
    g_free (source->panels[i].name);
  g_free (source->panels);
  g_free (source->format);
  g_free (source->description);
}

static void
log_clear (gpointer data)
{
  FlViewLog *log = data;
  g_clear_pointer (&log->bytes, g_bytes_unref);
}

static void
inflight_clear (gpointer data)
{
  FlViewInflight *inflight = data;
  g_free (inflight->entries);
}

#define DEFINE_REF_COUNT(Type, name)                                                                         \
  Type *fl_view_##name##_ref (Type *self) { return g_atomic_rc_box_acquire (self); }                         \
  void fl_view_##name##_unref (Type *self) { g_atomic_rc_box_release_full (self, name##_clear); }

DEFINE_REF_COUNT (FlViewImage, image)
DEFINE_REF_COUNT (FlViewSpots, spots)
DEFINE_REF_COUNT (FlViewSource, source)
DEFINE_REF_COUNT (FlViewLog, log)
DEFINE_REF_COUNT (FlViewInflight, inflight)

/* --- requests --- */

/* A GVariant string must be UTF-8; what comes from files need not be. */
static GVariant *
text (const char *string)
{
  return g_variant_new_take_string (g_utf8_make_valid (string != NULL ? string : "", -1));
}

GVariant *
fl_view_image_request_encode (const FlViewImageRequest *r)
{
  return g_variant_new ("(u@s@s@s@sudddduuuy)", r->slot, text (r->source.path), text (r->source.geometry),
                        text (r->source.mask), text (r->source.calibration), r->frame, r->rect.x0, r->rect.y0,
                        r->rect.x1, r->rect.y1, (guint32) r->reduce, r->width, r->height,
                        (guchar) r->encoding);
}

GVariant *
fl_view_spots_request_encode (const FlViewSpotsRequest *r)
{
  return g_variant_new ("(@s@s@s@s@su)", text (r->job_dir), text (r->source.path), text (r->source.geometry),
                        text (r->source.mask), text (r->source.calibration), r->frame);
}

GVariant *
fl_view_source_request_encode (const FlViewSourceRequest *r)
{
  return g_variant_new ("(@s@s@s@s)", text (r->path), text (r->geometry), text (r->mask),
                        text (r->calibration));
}

GVariant *
fl_view_log_request_encode (const FlViewLogRequest *r)
{
  return g_variant_new ("(@sxu)", text (r->path), r->offset, r->length);
}

GVariant *
fl_view_inflight_request_encode (const char *dir)
{
  return g_variant_new ("(@s)", text (dir));
}

static gboolean
is_raster (guint32 width, guint32 height)
{
  return width >= 1 && height >= 1 && (guint64) width * height <= FL_VIEW_MAX_PIXELS;
}

/* Bounds far outside any detector are refused, so that nobody's arithmetic overflows. */
static gboolean
is_rect (const FlViewRect *r)
{
  return r->x0 < r->x1 && r->y0 < r->y1 && fabs (r->x0) < 1e9 && fabs (r->x1) < 1e9 && fabs (r->y0) < 1e9
         && fabs (r->y1) < 1e9 && r->x1 - r->x0 > 1e-6 && r->y1 - r->y0 > 1e-6;
}

gboolean
fl_view_rect_is_whole (const FlViewRect *r)
{
  return r->x0 == 0 && r->x1 == 0 && r->y0 == 0 && r->y1 == 0;
}

gboolean
fl_view_image_request_decode (GVariant *body, FlViewImageRequest *r, GError **error)
{
  guint32 reduce;
  guchar encoding;
  g_variant_get (body, "(u&s&s&s&sudddduuuy)", &r->slot, &r->source.path, &r->source.geometry,
                 &r->source.mask, &r->source.calibration, &r->frame, &r->rect.x0, &r->rect.y0, &r->rect.x1,
                 &r->rect.y1, &reduce, &r->width, &r->height, &encoding);
  r->reduce = (FlViewReduce) reduce;
  r->encoding = (FlViewEncoding) encoding;
  if (!is_raster (r->width, r->height))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "view request: a raster of %u × %u, expected 1 to %u pixels", r->width, r->height,
                   FL_VIEW_MAX_PIXELS);
      return FALSE;
    }
  if (encoding >= FL_VIEW_ENCODING_LAST)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "view request: encoding %u, expected 0 to %d", encoding,
                   FL_VIEW_ENCODING_LAST - 1);
      return FALSE;
    }
  if (reduce >= FL_VIEW_REDUCE_LAST || !(is_rect (&r->rect) || fl_view_rect_is_whole (&r->rect)))
    {
      g_set_error (
          error, FL_ERROR, FL_ERROR_INPUT,
          "view request: an image of %g..%g × %g..%g reduced by %u, expected rising bounds and 0 to %d",
          r->rect.x0, r->rect.x1, r->rect.y0, r->rect.y1, reduce, FL_VIEW_REDUCE_LAST - 1);
      return FALSE;
    }
  return TRUE;
}

void
fl_view_spots_request_decode (GVariant *body, FlViewSpotsRequest *r)
{
  g_variant_get (body, "(&s&s&s&s&su)", &r->job_dir, &r->source.path, &r->source.geometry, &r->source.mask,
                 &r->source.calibration, &r->frame);
}

void
fl_view_source_request_decode (GVariant *body, FlViewSourceRequest *r)
{
  g_variant_get (body, "(&s&s&s&s)", &r->path, &r->geometry, &r->mask, &r->calibration);
}

void
fl_view_log_request_decode (GVariant *body, FlViewLogRequest *r)
{
  g_variant_get (body, "(&sxu)", &r->path, &r->offset, &r->length);
}

const char *
fl_view_inflight_request_decode (GVariant *body)
{
  const char *dir;
  g_variant_get (body, "(&s)", &dir);
  return dir;
}

/* --- answers --- */

GVariant *
fl_view_image_encode (FlViewImage *image, FlViewEncoding encoding)
{
  gsize n = encoding == FL_VIEW_RAW ? (gsize) image->width * image->height : 0;
  GVariant *raster =
      g_variant_new_from_data (G_VARIANT_TYPE ("au"), image->raster, n * sizeof (float), TRUE,
                               (GDestroyNotify) fl_view_image_unref, fl_view_image_ref (image));
  g_autoptr (GBytes) packed =
      encoding == FL_VIEW_COMPACT
          ? fl_raster_pack (image->raster, image->width, image->height, image->photon, image->pixels)
          : g_bytes_new_static (NULL, 0);
  GVariant *percentiles = g_variant_new_fixed_array (G_VARIANT_TYPE_DOUBLE, image->percentiles,
                                                     G_N_ELEMENTS (image->percentiles), sizeof (double));
  const FlViewRect *r = &image->rect, *w = &image->whole;
  return g_variant_new ("(t@suddddd(dddd)(dddd)uu@ad@au@aytb)", image->shot, text (image->event),
                        image->frames, image->energy, image->wavelength, image->camera_length,
                        image->pixel_size, image->saturation, r->x0, r->y0, r->x1, r->y1, w->x0, w->y0, w->x1,
                        w->y1, image->width, image->height, percentiles, raster,
                        g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, packed, TRUE),
                        image->origin.stamp, image->origin.growing);
}

/* The raster from the reply's floats, which then stay where they are, or from its packed form. */
static gboolean
take_raster (FlViewImage *image, GVariant *body, GVariant *raster, GVariant *packed, GError **error)
{
  gsize n, length, wanted = (gsize) image->width * image->height;
  const float *values = g_variant_get_fixed_array (raster, &n, sizeof (float));
  gconstpointer bytes = g_variant_get_fixed_array (packed, &length, sizeof (guint8));
  if (length > 0)
    {
      float *own = g_try_new (float, wanted);
      image->raster = own;
      if (own != NULL)
        return fl_raster_unpack (bytes, length, image->width, image->height, own, error);
    }
  else if (n == wanted)
    {
      image->body = g_variant_ref (body);
      image->raster = values;
      return TRUE;
    }
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "view reply: an image of %u × %u with %zu pixels",
               image->width, image->height, n);
  return FALSE;
}

FlViewImage *
fl_view_image_decode (GVariant *body, GError **error)
{
  g_autoptr (FlViewImage) image = g_atomic_rc_box_new0 (FlViewImage);
  g_autoptr (GVariant) raster = NULL, packed = NULL, percentiles = NULL;
  FlViewRect *r = &image->rect, *w = &image->whole;
  g_variant_get (body, "(tsuddddd(dddd)(dddd)uu@ad@au@aytb)", &image->shot, &image->event, &image->frames,
                 &image->energy, &image->wavelength, &image->camera_length, &image->pixel_size,
                 &image->saturation, &r->x0, &r->y0, &r->x1, &r->y1, &w->x0, &w->y0, &w->x1, &w->y1,
                 &image->width, &image->height, &percentiles, &raster, &packed, &image->origin.stamp,
                 &image->origin.growing);
  gsize n_percentiles;
  const double *p = g_variant_get_fixed_array (percentiles, &n_percentiles, sizeof (double));
  if (n_percentiles != G_N_ELEMENTS (image->percentiles) || !is_raster (image->width, image->height))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "view reply: an image of %u × %u with %zu percentiles",
                   image->width, image->height, n_percentiles);
      return NULL;
    }
  if (!take_raster (image, body, raster, packed, error))
    return NULL;
  memcpy (image->percentiles, p, sizeof image->percentiles);
  return g_steal_pointer (&image);
}

GVariant *
fl_view_spots_encode (const FlViewSpots *spots)
{
  GVariantBuilder list;
  g_variant_builder_init (&list, G_VARIANT_TYPE ("a(ddudddd)"));
  for (guint32 i = 0; i < spots->n_spots; i++)
    {
      const FlViewSpot *s = &spots->spots[i];
      g_variant_builder_add (&list, "(ddudddd)", s->x, s->y, s->panel, s->fs, s->ss, s->intensity, s->d);
    }
  return g_variant_new ("(yud@sa(ddudddd)tb)", spots->outcome, spots->n_spots, spots->resolution,
                        text (spots->message), &list, spots->origin.stamp, spots->origin.growing);
}

FlViewSpots *
fl_view_spots_decode (GVariant *body, GError **error)
{
  guint8 outcome;
  guint32 n;
  double resolution;
  g_autofree char *message = NULL;
  FlViewOrigin origin;
  g_autoptr (GVariant) list = NULL;
  g_variant_get (body, "(yuds@a(ddudddd)tb)", &outcome, &n, &resolution, &message, &list, &origin.stamp,
                 &origin.growing);
  if (outcome >= FL_OUTCOME_LAST || n != g_variant_n_children (list))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "view reply: outcome %u with %zu of %u spots", outcome,
                   g_variant_n_children (list), n);
      return NULL;
    }
  FlViewSpots *spots = fl_view_spots_new (n);
  spots->origin = origin;
  spots->outcome = (FlOutcome) outcome;
  spots->resolution = resolution;
  spots->message = g_steal_pointer (&message);
  for (guint32 i = 0; i < n; i++)
    {
      FlViewSpot *s = &spots->spots[i];
      g_variant_get_child (list, i, "(ddudddd)", &s->x, &s->y, &s->panel, &s->fs, &s->ss, &s->intensity,
                           &s->d);
    }
  return spots;
}

GVariant *
fl_view_source_encode (const FlViewSource *source)
{
  GVariantBuilder panels;
  const FlViewRect *w = &source->whole;
  g_variant_builder_init (&panels, G_VARIANT_TYPE ("a(sdddddduu)"));
  for (guint32 i = 0; i < source->n_panels; i++)
    {
      const FlViewPanel *p = &source->panels[i];
      g_variant_builder_add (&panels, "(@sdddddduu)", text (p->name), p->x, p->y, p->fs_x, p->fs_y, p->ss_x,
                             p->ss_y, p->n_fs, p->n_ss);
    }
  return g_variant_new ("(u@s@sd(dddd)a(sdddddduu))", source->frames, text (source->format),
                        text (source->description), source->pixel_size, w->x0, w->y0, w->x1, w->y1, &panels);
}

FlViewSource *
fl_view_source_decode (GVariant *body)
{
  g_autoptr (GVariant) panels = g_variant_get_child_value (body, 5);
  FlViewSource *source = fl_view_source_new ((guint32) g_variant_n_children (panels));
  FlViewRect *w = &source->whole;
  g_variant_get (body, "(ussd(dddd)@a(sdddddduu))", &source->frames, &source->format, &source->description,
                 &source->pixel_size, &w->x0, &w->y0, &w->x1, &w->y1, NULL);
  for (guint32 i = 0; i < source->n_panels; i++)
    {
      FlViewPanel *p = &source->panels[i];
      g_variant_get_child (panels, i, "(sdddddduu)", &p->name, &p->x, &p->y, &p->fs_x, &p->fs_y, &p->ss_x,
                           &p->ss_y, &p->n_fs, &p->n_ss);
    }
  return source;
}

GVariant *
fl_view_log_encode (const FlViewLog *log)
{
  return g_variant_new ("(tt@ay)", log->offset, log->size,
                        g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, log->bytes, TRUE));
}

FlViewLog *
fl_view_log_decode (GVariant *body)
{
  FlViewLog *log = fl_view_log_new ();
  g_autoptr (GVariant) bytes = NULL;
  g_variant_get (body, "(tt@ay)", &log->offset, &log->size, &bytes);
  log->bytes = g_variant_get_data_as_bytes (bytes);
  return log;
}

GVariant *
fl_view_inflight_encode (const FlViewInflight *inflight)
{
  GVariantBuilder list;
  g_variant_builder_init (&list, G_VARIANT_TYPE (FL_VIEW_INFLIGHT_REPLY));
  for (guint32 i = 0; i < inflight->n_entries; i++)
    {
      const FlInflightEntry *e = &inflight->entries[i];
      g_variant_builder_add (&list, "(uuuuutt)", e->rank, e->stage, e->crashed, e->source, e->frame, e->shot,
                             e->since);
    }
  return g_variant_builder_end (&list);
}

FlViewInflight *
fl_view_inflight_decode (GVariant *body)
{
  FlViewInflight *inflight = fl_view_inflight_new ((guint32) g_variant_n_children (body));
  for (guint32 i = 0; i < inflight->n_entries; i++)
    {
      FlInflightEntry *e = &inflight->entries[i];
      g_variant_get_child (body, i, "(uuuuutt)", &e->rank, &e->stage, &e->crashed, &e->source, &e->frame,
                           &e->shot, &e->since);
    }
  return inflight;
}
