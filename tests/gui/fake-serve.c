/* fake-serve: a serve child whose detector and results follow from the request alone, for tests of the window: two panels of
 * 256 × 512 px, reflections on a square grid of 16 px.
 *
 * Stored: of even frames one lattice, of odd ones none; frame 9 is not processed. Tried: spots.min_size lattices up to
 * three; more than 50 is an error. A mask's rules are applied as they are, in millimetres of pixels of 0.075; nothing is dead, hot or
 * noisy, and it takes three answers to find out. What a mask named "old" was made by is "edges 2". The first pixel of a picture is its frame's number. Every fourth reflection is not integrated; every fifth spot lies beside the grid. */
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/base/params.h"
#include "engine/shots/mask-rules.h"
#include "engine/view/server.h"

#define STEP  16
#define ROWS  32
#define N_ALL (ROWS * ROWS)

/* 0 to 7, the same for the same pixel: what makes a picture as large as a real one. */
static double
noise (guint frame, guint i, guint j)
{
  guint32 h = (frame * 73856093u) ^ (i * 19349663u) ^ (j * 83492791u);
  h = (h ^ (h >> 15)) * 0x2c1b3c6du;
  return (h >> 13) % 8;
}

static FlViewImage *
image (gpointer data G_GNUC_UNUSED, const FlViewImageRequest *request,
       GCancellable *cancellable G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
  const FlViewRect *r = &request->rect;
  float *raster;
  FlViewImage *image = fl_view_image_new (request->width, request->height, &raster);
  for (guint j = 0; j < request->height; j++)
    for (guint i = 0; i < request->width; i++)
      {
        double x = r->x0 + (i + 0.5) * (r->x1 - r->x0) / request->width,
               y = r->y0 + (j + 0.5) * (r->y1 - r->y0) / request->height;
        double u = x - STEP * round (x / STEP), v = y - STEP * round (y / STEP);
        gboolean on = fabs (x) < 256 && fabs (y) < 256;
        raster[(gsize) j * request->width + i] =
            on ? (float) floor (4 + 60 * exp (-0.3 * (u * u + v * v)) + noise (request->frame, i, j))
               : (float) NAN;
      }
  raster[0] = (float) request->frame;
  image->shot = request->frame;
  image->event = g_strdup ("");
  image->frames = 500;
  image->energy = 9300;
  image->wavelength = 1.3332;
  image->camera_length = 120;
  image->pixel_size = 0.075;
  image->saturation = INFINITY;
  image->rect = *r;
  image->whole = (FlViewRect){ -256, -256, 256, 256 };
  for (int i = 0; i < 6; i++)
    image->percentiles[i] = 4 + 12 * i;
  return image;
}

static FlViewSource *
source (gpointer data G_GNUC_UNUSED, const FlViewSourceRequest *request G_GNUC_UNUSED,
        GCancellable *cancellable G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
  FlViewSource *source = fl_view_source_new (2);
  source->frames = 500;
  source->format = g_strdup ("fake");
  source->description = g_strdup ("");
  source->pixel_size = 0.075;
  source->whole = (FlViewRect){ -256, -256, 256, 256 };
  source->panels[0] = (FlViewPanel){ g_strdup ("left"), -256, -256, 1, 0, 0, 1, 256, 512 };
  source->panels[1] = (FlViewPanel){ g_strdup ("right"), 0, -256, 1, 0, 0, 1, 256, 512 };
  return source;
}

static void
place (guint i, double *x, double *y, guint32 *panel, double *fs, double *ss)
{
  *x = (i % ROWS) * (double) STEP - 256;
  *y = (i / ROWS) * (double) STEP - 256;
  *panel = *x >= 0;
  *fs = *x + (*panel ? 0 : 256);
  *ss = *y + 256;
}

static FlViewSpots *
make_spots (guint n, FlOutcome outcome)
{
  FlViewSpots *spots = fl_view_spots_new (n);
  spots->outcome = outcome;
  spots->resolution = 2.5;
  spots->message = g_strdup ("");
  for (guint i = 0; i < n; i++)
    {
      FlViewSpot *s = &spots->spots[i];
      double beside = i % 5 == 4 ? STEP / 2 : 0;
      place (i, &s->x, &s->y, &s->panel, &s->fs, &s->ss);
      s->x += beside;
      s->fs += beside;
      s->intensity = 100 + i;
      s->d = 4;
    }
  return spots;
}

static FlViewLattices *
make_lattices (guint n)
{
  FlViewLattices *all = fl_view_lattices_new (n, n * N_ALL);
  for (guint i = 0; i < n; i++)
    all->lattices[i] = (FlViewLattice){ .cell = { 79.1, 79.1 + i, 38.2, G_PI / 2, G_PI / 2, G_PI / 2 },
                                        .centring = 'P',
                                        .space_group = 96,
                                        .n_spots = 80,
                                        .n_reflections = N_ALL * 3 / 4,
                                        .confidence = 0.95,
                                        .rmsd = 0.4 + 0.1 * i,
                                        .resolution = 2.1 - 0.1 * i };
  for (guint k = 0; k < n * N_ALL; k++)
    {
      FlViewReflection *r = &all->reflections[k];
      guint i = k % N_ALL;
      *r = (FlViewReflection){ .lattice = k / N_ALL,
                               .h = (gint16) (i % ROWS) - 16,
                               .k = 16 - (gint16) (i / ROWS),
                               .l = 2,
                               .intensity = i,
                               .sigma = i % 4 == 3 ? -1 : 5,
                               .d = 3 };
      place (i, &r->x, &r->y, &r->panel, &r->fs, &r->ss);
      r->y += 3 * r->lattice;
      r->ss += 3 * r->lattice;
    }
  return all;
}

static FlViewSpots *
spots (gpointer data G_GNUC_UNUSED, const FlViewSpotsRequest *request,
       GCancellable *cancellable G_GNUC_UNUSED, GError **error)
{
  if (request->frame != 9)
    return make_spots (100, request->frame % 2 == 0 ? FL_OUTCOME_INDEXED : FL_OUTCOME_HIT);
  g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "shot 9 is not there");
  return NULL;
}

static FlViewLattices *
lattices (gpointer data G_GNUC_UNUSED, const FlViewSpotsRequest *request,
          GCancellable *cancellable G_GNUC_UNUSED, GError **error)
{
  if (request->frame != 9)
    return make_lattices (request->frame % 2 == 0);
  g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "shot 9 is not there");
  return NULL;
}

static FlViewTried *
try_trial (gpointer data G_GNUC_UNUSED, const FlViewTryRequest *request,
           GCancellable *cancellable G_GNUC_UNUSED, GError **error)
{
  g_autoptr (FlParams) params = fl_params_new ();
  if (!fl_params_read (params, request->params, "trial", error))
    return NULL;
  guint n = (guint) fl_params_int (params, "spots.min_size");
  if (n > 50)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "spots.min_size %u leaves nothing", n);
      return NULL;
    }
  FlViewTried *tried = fl_view_tried_new ();
  tried->milliseconds = 321;
  tried->spots = make_spots (120, FL_OUTCOME_INDEXED);
  tried->lattices = make_lattices (MIN (n, 3));
  return tried;
}

static FlDetector *
detector_new (void)
{
  FlDetector *d = fl_detector_new (2, 2 * 256 * 512);
  for (guint i = 0; i < 2; i++)
    {
      FlPanel *p = &d->panels[i];
      g_free (p->name);
      p->name = g_strdup (i == 0 ? "left" : "right");
      p->stride = p->n_fs = 256;
      p->n_ss = 512;
      p->offset = (gsize) i * 256 * 512;
      p->pixel_size = 0.075;
      p->origin = (FlVec3){ 0.075 * (i == 0 ? -256 : 0), 0.075 * 256, 120 };
      p->fs = (FlVec3){ 0.075, 0, 0 };
      p->ss = (FlVec3){ 0, -0.075, 0 };
    }
  return d;
}

static void
shade_of (const guint8 *mask, const FlViewMaskRequest *r, guint8 *shade)
{
  for (guint j = 0; j < r->height; j++)
    for (guint i = 0; i < r->width; i++)
      {
        double x = r->rect.x0 + (i + 0.5) * (r->rect.x1 - r->rect.x0) / r->width + 256,
               y = r->rect.y0 + (j + 0.5) * (r->rect.y1 - r->rect.y0) / r->height + 256;
        if (x >= 0 && x < 512 && y >= 0 && y < 512)
          {
            gsize fs = (gsize) x % 256, panel = (gsize) x / 256;
            shade[(gsize) j * r->width + i] = mask[panel * 256 * 512 + (gsize) y * 256 + fs] ? 255 : 0;
          }
      }
}

static FlViewMask *
mask (gpointer data G_GNUC_UNUSED, const FlViewMaskRequest *request, GCancellable *cancellable G_GNUC_UNUSED,
      GError **error)
{
  static guint measured;
  const char *text = !request->keep                                   ? request->rules
                     : g_str_has_suffix (request->source.mask, "old") ? "edges 2\n"
                                                                      : "";
  g_autoptr (FlMaskRules) rules = fl_mask_rules_parse ("mask", text, strlen (text), error);
  g_autoptr (FlDetector) detector = detector_new ();
  g_autofree guint8 *pixels = g_new0 (guint8, detector->n_pixels);
  guint8 *shade;
  double over;
  if (rules == NULL)
    return NULL;
  gboolean needs = fl_mask_rules_need_shots (rules, &over), done = !needs || measured == 2;
  g_autoptr (FlViewMask) mask =
      done ? fl_view_mask_new (rules->n_rules, 2, request->width, request->height, &shade)
           : fl_view_mask_new (0, 0, 0, 0, &shade);
  measured = needs ? (measured + 1) % 3 : measured;
  mask->rules = g_strdup (text);
  mask->shots = needs ? rules->shots : 0;
  mask->measured = done ? mask->shots : mask->shots * measured / 3;
  if (!done)
    return g_steal_pointer (&mask);
  if (!fl_mask_rules_apply (rules, detector, NULL, pixels, mask->changed, error))
    return NULL;
  mask->pixels = detector->n_pixels;
  for (guint i = 0; i < 2; i++)
    mask->panels[i] = (FlViewMaskPanel){ .name = g_strdup (detector->panels[i].name), .pixels = 256 * 512 };
  for (gsize i = 0; i < detector->n_pixels; i++)
    mask->panels[i / (256 * 512)].masked += pixels[i];
  mask->masked = mask->panels[0].masked + mask->panels[1].masked;
  if (request->file)
    mask->file = g_bytes_new (text, strlen (text));
  shade_of (pixels, request, shade);
  return g_steal_pointer (&mask);
}

static FlViewLog *
log_range (gpointer data G_GNUC_UNUSED, const FlViewLogRequest *request G_GNUC_UNUSED,
           GCancellable *cancellable G_GNUC_UNUSED, GError **error)
{
  g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "there is no log");
  return NULL;
}

static FlViewInflight *
inflight (gpointer data G_GNUC_UNUSED, const char *dir G_GNUC_UNUSED, GCancellable *cancellable G_GNUC_UNUSED,
          GError **error G_GNUC_UNUSED)
{
  return fl_view_inflight_new (0);
}

int
main (void)
{
  static const FlViewHandlers handlers = { .image = image,
                                           .spots = spots,
                                           .source = source,
                                           .log = log_range,
                                           .inflight = inflight,
                                           .lattices = lattices,
                                           .try_trial = try_trial,
                                           .mask = mask };
  g_autoptr (GError) error = NULL;
  return !fl_view_serve (STDIN_FILENO, STDOUT_FILENO, "fake-serve", &handlers, NULL, &error);
}
