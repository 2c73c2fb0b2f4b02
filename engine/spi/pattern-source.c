#include "engine/spi/pattern-source.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/shots/emc.h"
#include "engine/shots/hdf5-util.h"
#include "engine/shots/source.h"
#include "engine/spi/pattern-detector.h"
#include "engine/spi/pattern-file.h"

#define PHOTONS_MOST 2e9
#define FRAMES_TRIED 16 /* until one is whole and tells its energy */
#define PIXELS_AGREE 1e-6

struct FlPatternSource
{
  char *path;
  const char *format;
  guint32 n_frames;
  FlPatternPixels *pixels; /* an own file's: NULL, it has them */

  /* one of these */
  FlEmc *emc;
  FlSkopi *skopi;
  FlSource *images;
  FlPatternFile *own;

  FlShot shot;          /* of images */
  float *photon;        /* [n] of images: photons a count; of skopi's: the frame */
  guint8 *bad;          /* [n] of images */
  guint32 *lit, *count; /* [n] room for one pattern */
};

FlPatternSourceOptions
fl_pattern_source_options (const FlParams *params)
{
  return (FlPatternSourceOptions){ .detector = fl_params_text (params, "patterns.detector"),
                                   .wavelength = fl_params_real (params, "patterns.wavelength"),
                                   .polarised =
                                       (FlPolarised) fl_params_choice (params, "patterns.polarisation") };
}

FlPatternPixels *
fl_pattern_pixels_copy (const FlPatternPixels *pixels)
{
  FlPatternPixels *copy = fl_pattern_pixels_new (pixels->n);
  copy->wavelength = pixels->wavelength;
  memcpy (copy->s, pixels->s, pixels->n * sizeof *copy->s);
  memcpy (copy->factor, pixels->factor, pixels->n * sizeof *copy->factor);
  memcpy (copy->mask, pixels->mask, pixels->n);
  if (pixels->background != NULL)
    copy->background = g_memdup (pixels->background, (guint) (pixels->n * sizeof *copy->background));
  return copy;
}

gboolean
fl_pattern_pixels_agree (const FlPatternPixels *a, const char *path, const FlPatternPixels *b,
                         const char *other_path, GError **error)
{
  const char *what = a->n != b->n ? "has another number of pixels" : NULL;
  double largest = 0;
  for (guint i = 0; i < a->n; i++)
    largest = MAX (largest, fl_vec3_norm (a->s[i]));
  for (guint i = 0; what == NULL && i < a->n; i++)
    {
      if (a->mask[i] != b->mask[i])
        what = "has other bad pixels";
      else if (a->mask[i] != FL_PATTERN_BAD
               && !(fl_vec3_norm (fl_vec3_sub (a->s[i], b->s[i])) <= PIXELS_AGREE * largest))
        what = "has its pixels elsewhere";
    }
  if (what != NULL)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: %s, expected those of %s", path, what, other_path);
  return what == NULL;
}

/* --- opening --- */

/* The detector's file: as told, or beside the data, or beside its folder, as runs have it. */
static char *
find_detector (const char *path, const FlPatternSourceOptions *options, const char *const *names)
{
  if (options->detector != NULL && *options->detector != '\0')
    return g_strdup (options->detector);
  g_autofree char *folder = g_path_get_dirname (path);
  for (guint up = 0; up < 2; up++)
    for (const char *const *name = names; *name != NULL; name++)
      {
        g_autofree char *beside = g_build_filename (folder, up > 0 ? ".." : "", *name, NULL);
        if (g_file_test (beside, G_FILE_TEST_IS_REGULAR))
          return g_steal_pointer (&beside);
      }
  return NULL;
}

static gboolean
open_emc (FlPatternSource *self, const FlPatternSourceOptions *options, GError **error)
{
  static const char *const names[] = { "detector.h5", "detector.dat", NULL };
  self->emc = fl_emc_open (self->path, error);
  if (self->emc == NULL)
    return FALSE;
  g_autofree char *detector = find_detector (self->path, options, names);
  if (detector == NULL)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_MISSING,
                   "%s: no detector, expected detector.h5 or detector.dat beside it, or patterns.detector",
                   self->path);
      return FALSE;
    }
  self->pixels = fl_pattern_detector_read (detector, options->wavelength, error);
  self->format = "EMC";
  self->n_frames = fl_emc_n_frames (self->emc);
  if (self->pixels == NULL || self->pixels->n == fl_emc_n_pixels (self->emc))
    return self->pixels != NULL;
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: has %u pixels, expected %u as %s", self->path,
               fl_emc_n_pixels (self->emc), self->pixels->n, detector);
  return FALSE;
}

static gboolean
open_skopi (FlPatternSource *self, const FlPatternSourceOptions *options, GError **error)
{
  self->skopi = fl_skopi_open (self->path, error);
  if (self->skopi == NULL)
    return FALSE;
  self->format = "skopi";
  self->n_frames = fl_skopi_n_frames (self->skopi);
  self->pixels = fl_pattern_detector_from_skopi (self->skopi, options->wavelength);
  if (self->pixels == NULL)
    g_set_error (error, FL_ERROR, FL_ERROR_MISSING,
                 "%s: its pixels lie in a plane, expected patterns.wavelength", self->path);
  return self->pixels != NULL;
}

static void
list_gains (FlPatternSource *self, const FlDetector *detector, double energy)
{
  self->photon = g_new0 (float, self->pixels->n);
  self->bad = g_malloc0 (self->pixels->n);
  for (guint p = 0; p < detector->n_panels; p++)
    {
      const FlPanel *panel = &detector->panels[p];
      double gain = panel->counts_per_ev > 0 ? panel->counts_per_ev * energy : panel->gain;
      for (guint ss = 0; ss < panel->n_ss; ss++)
        for (guint fs = 0; fs < panel->n_fs; fs++)
          self->photon[panel->offset + ss * panel->stride + fs] = (float) (1 / gain);
    }
}

/* Wavelength and shift are those of the first whole frame that tells its energy. */
static gboolean
place_images (FlPatternSource *self, const FlPatternSourceOptions *options, GError **error)
{
  const FlDetector *detector = fl_source_detector (self->images);
  gboolean whole = FALSE;
  g_autoptr (GError) why = NULL;
  for (guint32 i = 0; i < MIN (self->n_frames, FRAMES_TRIED) && !(whole && self->shot.energy > 0); i++)
    {
      g_clear_error (&why);
      whole = fl_source_read (self->images, i, &self->shot, &why) || whole;
    }
  double wavelength = detector->wavelength > 0 ? detector->wavelength
                      : self->shot.energy > 0  ? fl_wavelength_from_energy (self->shot.energy)
                                               : options->wavelength;
  if (!whole && why != NULL)
    g_propagate_error (error, g_steal_pointer (&why));
  else if (!detector->placed)
    g_set_error (error, FL_ERROR, FL_ERROR_MISSING,
                 "%s: does not tell where its pixels are, expected a geometry: detector.geom beside it, or "
                 "patterns.detector",
                 self->path);
  else if (!(wavelength > 0))
    g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: tells no wavelength, expected patterns.wavelength",
                 self->path);
  else if (detector->n_pixels > G_MAXUINT32)
    g_set_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED, "%s: has too many pixels", self->path);
  else
    {
      self->pixels =
          fl_pattern_detector_from_panels (detector, self->shot.shift, wavelength, options->polarised);
      list_gains (self, detector, fl_energy_from_wavelength (wavelength));
    }
  return self->pixels != NULL;
}

static gboolean
open_images (FlPatternSource *self, const FlPatternSourceOptions *options, GError **error)
{
  static const char *const names[] = { "detector.geom", NULL };
  g_autofree char *geometry = find_detector (self->path, options, names);
  const FlSourceOptions how = { .geometry = geometry, .calibration = options->calibration };
  self->images = fl_source_open (self->path, &how, error);
  if (self->images == NULL)
    return FALSE;
  self->format = fl_source_format (self->images);
  self->n_frames = fl_source_n_frames (self->images);
  return place_images (self, options, error);
}

static gboolean
open_own (FlPatternSource *self, GError **error)
{
  self->own = fl_pattern_file_open (self->path, error);
  if (self->own == NULL)
    return FALSE;
  self->format = "patterns";
  self->n_frames = fl_pattern_file_n (self->own);
  return TRUE;
}

/* TRUE for skopi's files; quiet. */
static gboolean
is_skopi (const char *path)
{
  g_auto (FlHid) file = fl_h5_open (path, NULL);
  return file >= 0 && fl_h5_exists (file, "pixel_position_reciprocal")
         && (fl_h5_exists (file, "intensities") || fl_h5_exists (file, "photons"));
}

static gboolean
open_any (FlPatternSource *self, const FlPatternSourceOptions *options, GError **error)
{
  if (!g_file_test (self->path, G_FILE_TEST_IS_REGULAR))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: no such file, expected .emc, CXI or HDF5",
                   self->path);
      return FALSE;
    }
  if (g_str_has_suffix (self->path, ".emc"))
    return open_emc (self, options, error);
  if (fl_pattern_file_is_one (self->path))
    return open_own (self, error);
  return is_skopi (self->path) ? open_skopi (self, options, error) : open_images (self, options, error);
}

FlPatternSource *
fl_pattern_source_open (const char *path, const FlPatternSourceOptions *options, GError **error)
{
  g_autoptr (FlPatternSource) self = g_new0 (FlPatternSource, 1);
  self->path = g_strdup (path);
  if (!open_any (self, options, error))
    return NULL;
  if (self->pixels != NULL && !fl_pattern_pixels_normalise (self->pixels))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: has no good pixel", path);
      return NULL;
    }
  guint n = fl_pattern_source_pixels (self)->n;
  self->lit = g_new (guint32, n);
  self->count = g_new (guint32, n);
  if (self->skopi != NULL)
    self->photon = g_new (float, n);
  return g_steal_pointer (&self);
}

void
fl_pattern_source_close (FlPatternSource *self)
{
  if (self == NULL)
    return;
  g_clear_pointer (&self->pixels, fl_pattern_pixels_free);
  g_clear_pointer (&self->emc, fl_emc_close);
  g_clear_pointer (&self->skopi, fl_skopi_close);
  g_clear_pointer (&self->images, fl_source_close);
  g_clear_pointer (&self->own, fl_pattern_file_close);
  fl_shot_clear (&self->shot);
  g_free (self->photon);
  g_free (self->bad);
  g_free (self->lit);
  g_free (self->count);
  g_free (self->path);
  g_free (self);
}

const char *
fl_pattern_source_path (const FlPatternSource *self)
{
  return self->path;
}

const char *
fl_pattern_source_format (const FlPatternSource *self)
{
  return self->format;
}

guint32
fl_pattern_source_n_frames (const FlPatternSource *self)
{
  return self->n_frames;
}

const FlPatternPixels *
fl_pattern_source_pixels (const FlPatternSource *self)
{
  return self->own != NULL ? fl_pattern_file_pixels (self->own) : self->pixels;
}

guint64
fl_pattern_source_id (const FlPatternSource *self, guint32 frame)
{
  return self->own != NULL ? fl_pattern_file_ids (self->own)[frame] : fl_shot_id (self->path, frame);
}

/* --- reading --- */

static int
by_pixel (const void *a, const void *b)
{
  guint32 x = *(const guint32 *) a, y = *(const guint32 *) b;
  return (x > y) - (x < y);
}

/* Dragonfly's have their single photons first: pixels are put in order, those named twice are one. */
static void
add_emc_frame (FlPatternSource *self, const FlEmcFrames *frames, guint i, guint64 id, guint32 row,
               FlPatterns *to)
{
  guint64 first = frames->start[i], n = frames->start[i + 1] - first;
  g_autofree guint32 *pairs = g_new (guint32, 2 * n);
  for (guint64 k = 0; k < n; k++)
    {
      pairs[2 * k] = frames->pixel[first + k];
      pairs[2 * k + 1] = frames->count[first + k];
    }
  if (n > 0)
    qsort (pairs, n, 2 * sizeof *pairs, by_pixel);
  guint lit = 0;
  for (guint64 k = 0; k < n; k++)
    if (lit > 0 && self->lit[lit - 1] == pairs[2 * k])
      self->count[lit - 1] += pairs[2 * k + 1];
    else
      {
        self->lit[lit] = pairs[2 * k];
        self->count[lit++] = pairs[2 * k + 1];
      }
  fl_patterns_add (to, id, row, lit, self->lit, self->count);
}

static gboolean
read_emc (FlPatternSource *self, guint32 first, guint32 n, guint32 row, FlPatterns *to, GError **error)
{
  g_auto (FlEmcFrames) frames = { 0 };
  if (!fl_emc_read (self->emc, first, n, &frames, error))
    return FALSE;
  for (guint32 i = 0; i < n; i++)
    add_emc_frame (self, &frames, i, fl_shot_id (self->path, first + i), row + i, to);
  return TRUE;
}

/* Puts a pixel's photons down, if it has any. */
static inline guint
put (FlPatternSource *self, guint lit, guint pixel, double photons)
{
  if (!(photons >= 1))
    return lit;
  self->lit[lit] = pixel;
  self->count[lit] = (guint32) MIN (photons, PHOTONS_MOST);
  return lit + 1;
}

static gboolean
read_skopi (FlPatternSource *self, guint32 frame, guint32 row, FlPatterns *to, GError **error)
{
  guint lit = 0;
  guint64 id = fl_shot_id (self->path, frame);
  FlRandom random = fl_random (id ^ 0x726f756e64696e67ull);
  if (!fl_skopi_read (self->skopi, frame, 1, self->photon, error))
    return FALSE;
  for (guint i = 0; i < self->pixels->n; i++)
    {
      double value = (double) self->photon[i], whole = floor (value);
      if (value > 0)
        lit =
            put (self, lit, i, whole < value && fl_random_unit (&random) < value - whole ? whole + 1 : whole);
    }
  fl_patterns_add (to, id, row, lit, self->lit, self->count);
  return TRUE;
}

/* Counts to photons, of each type by itself: frames are large. */
#define COUNT_PHOTONS(type)                                                                                  \
  {                                                                                                          \
    const type *values = self->shot.pixels;                                                                  \
    for (guint i = 0; i < self->pixels->n; i++)                                                              \
      {                                                                                                      \
        float photons = (float) values[i] * self->photon[i];                                                 \
        if (photons >= 0.5f && (bad == NULL || !bad[i]))                                                     \
          lit = put (self, lit, i, rint ((double) photons));                                                 \
      }                                                                                                      \
    break;                                                                                                   \
  }

static guint
count_photons (FlPatternSource *self, const guint8 *bad)
{
  guint lit = 0;
  switch (self->shot.type)
    {
    case FL_PIXEL_U8:
      COUNT_PHOTONS (guint8)
    case FL_PIXEL_U16:
      COUNT_PHOTONS (guint16)
    case FL_PIXEL_U32:
      COUNT_PHOTONS (guint32)
    case FL_PIXEL_I8:
      COUNT_PHOTONS (gint8)
    case FL_PIXEL_I16:
      COUNT_PHOTONS (gint16)
    case FL_PIXEL_I32:
      COUNT_PHOTONS (gint32)
    case FL_PIXEL_F32:
      COUNT_PHOTONS (float)
    case FL_PIXEL_F64:
      COUNT_PHOTONS (double)
    default:
      break;
    }
  return lit;
}

static gboolean
read_image (FlPatternSource *self, guint32 frame, guint32 row, FlPatterns *to, GError **error)
{
  if (!fl_source_read (self->images, frame, &self->shot, error))
    return FALSE;
  gboolean flagged = FALSE;
  memset (self->bad, 0, self->pixels->n);
  if (self->shot.mask != NULL)
    memcpy (self->bad, self->shot.mask, self->pixels->n);
  flagged = fl_shot_flag_pixels (&self->shot, fl_source_detector (self->images), self->bad);
  guint lit = count_photons (self, flagged || self->shot.mask != NULL ? self->bad : NULL);
  fl_patterns_add (to, fl_shot_id (self->path, frame), row, lit, self->lit, self->count);
  return TRUE;
}

gboolean
fl_pattern_source_read (FlPatternSource *self, guint32 first, guint32 n, guint32 row, FlPatterns *patterns,
                        GError **error)
{
  g_return_val_if_fail (first <= self->n_frames && n <= self->n_frames - first, FALSE);
  if (self->emc != NULL)
    return read_emc (self, first, n, row, patterns, error);
  if (self->own != NULL)
    return fl_pattern_file_read (self->own, first, n, row, patterns, error);
  for (guint32 i = 0; i < n; i++)
    if (!(self->skopi != NULL ? read_skopi : read_image) (self, first + i, row + i, patterns, error))
      return FALSE;
  return TRUE;
}
