#include "engine/shots/source-private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/shots/image-file.h"
#include "engine/shots/stream2.h"
#include "engine/shots/xtc2.h"

gsize
fl_pixel_size (FlPixelType type)
{
  static const gsize sizes[] = { 1, 2, 4, 1, 2, 4, 4, 8 };
  return sizes[type];
}

void
fl_shot_clear (FlShot *shot)
{
  g_free (shot->event);
  g_free (shot->pixels);
  g_free (shot->mask);
  *shot = (FlShot){ 0 };
}

void
fl_shot_reserve (FlShot *shot, FlPixelType type, gsize n_pixels)
{
  gsize bytes = n_pixels * fl_pixel_size (type);
  if (bytes > shot->allocated)
    {
      g_free (shot->pixels);
      shot->pixels = g_malloc (bytes);
      shot->allocated = bytes;
    }
  shot->type = type;
  shot->n_pixels = n_pixels;
}

double
fl_shot_value (const FlShot *shot, gsize index)
{
  switch (shot->type)
    {
    case FL_PIXEL_U8:
      return ((const guint8 *) shot->pixels)[index];
    case FL_PIXEL_U16:
      return ((const guint16 *) shot->pixels)[index];
    case FL_PIXEL_U32:
      return ((const guint32 *) shot->pixels)[index];
    case FL_PIXEL_I8:
      return ((const gint8 *) shot->pixels)[index];
    case FL_PIXEL_I16:
      return ((const gint16 *) shot->pixels)[index];
    case FL_PIXEL_I32:
      return ((const gint32 *) shot->pixels)[index];
    case FL_PIXEL_F32:
      return (double) ((const float *) shot->pixels)[index];
    case FL_PIXEL_F64:
    default:
      return ((const double *) shot->pixels)[index];
    }
}

guint64
fl_shots_cpu_ns (void)
{
  struct timespec t;
  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &t);
  return (guint64) t.tv_sec * FL_NS_PER_S + (guint64) t.tv_nsec;
}

/* --- bad by value --- */

static gboolean
is_bad_value (const FlPanel *panel, double v)
{
  if (v <= panel->trusted_min || v >= panel->trusted_max)
    return TRUE;
  for (guint i = 0; i < panel->n_bad_values; i++)
    if (v == panel->bad_values[i])
      return TRUE;
  return FALSE;
}

static void
flag_panel (const FlShot *shot, const FlPanel *panel, guint8 *mask)
{
  for (guint ss = 0; ss < panel->n_ss; ss++)
    {
      gsize row = panel->offset + ss * panel->stride;
      for (gsize i = row; i < row + panel->n_fs; i++)
        if (is_bad_value (panel, fl_shot_value (shot, i)))
          mask[i] = 1;
    }
}

gboolean
fl_shot_flag_pixels (const FlShot *shot, const FlDetector *detector, guint8 *mask)
{
  gboolean any = FALSE;
  for (guint i = 0; i < detector->n_panels; i++)
    {
      const FlPanel *panel = &detector->panels[i];
      if (panel->trusted_min > -INFINITY || panel->trusted_max < INFINITY || panel->n_bad_values > 0)
        {
          flag_panel (shot, panel, mask);
          any = TRUE;
        }
    }
  return any;
}

/* --- sources --- */

typedef FlSource *(*Opener) (const char *path, const FlSourceOptions *options, GError **error);

/* What opens a file of one image that begins so; NULL: it is none. */
static Opener
image_opener (const char *path)
{
  static const struct
  {
    const char *magic;
    gsize length;
    Opener open;
  } images[] = {
    { "###CBF", 6, fl_source_cbf_open },           { "###_CBF", 7, fl_source_cbf_open },
    { "{\nHEADER_BYTES", 14, fl_source_smv_open }, { "{\r\nHEADER_BYTES", 15, fl_source_smv_open },
    { "II*\0", 4, fl_source_tiff_open },           { "MM\0*", 4, fl_source_tiff_open },
    { "II+\0", 4, fl_source_tiff_open },           { "MM\0+", 4, fl_source_tiff_open }
  };
  guint8 head[32];
  gsize n = fl_image_file_head (path, head, sizeof head);
  if (fl_stream2_kind (head, n) != FL_STREAM2_NONE)
    return fl_source_stream2_open;
  for (gsize i = 0; i < G_N_ELEMENTS (images); i++)
    if (n >= images[i].length && memcmp (head, images[i].magic, images[i].length) == 0)
      return images[i].open;
  return NULL;
}

gboolean
fl_source_is_image (const char *path)
{
  return image_opener (path) != NULL;
}

const char *
fl_source_foreign (const char *path)
{
  static const struct
  {
    gsize at, length;
    const char *magic, *name;
  } others[] = { { 0, 3, "BZh", "packed by bzip2 (and damaged, or no image)" },
                 { 0, 5, "\3757zXZ", "packed by xz" },
                 { 0, 4, "(\265/\375", "packed by zstd" },
                 { 0, 4, "PK\3\4", "a zip archive" },
                 { 0, 3, "\200\002c", "a Python pickle (as old versions of DIALS wrote)" },
                 { 257, 5, "ustar", "a tar archive" },
                 { 128, 12, "mar research", "an image plate's (mar345)" },
                 { 0, 10, "{\nHeaderID", "an EDF image" },
                 { 0, 11, "{\r\nHeaderID", "an EDF image" },
                 { 0, 5, "{\nEDF", "an EDF image" },
                 { 0, 8, "FORMAT :", "a Bruker image" },
                 { 0, 5, "RAXIS", "an image plate's (R-AXIS)" },
                 { 0, 6, "R-AXIS", "an image plate's (R-AXIS)" },
                 { 0, 11, "OD SAPPHIRE", "a Rigaku Oxford Diffraction image" },
                 { 208, 4, "MAP ", "an MRC image" },
                 { 0, 4, "\016\003\023\001", "HDF4" } };
  guint8 head[512];
  gsize n = fl_image_file_head (path, head, sizeof head);
  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    if (n >= others[i].at + others[i].length
        && memcmp (head + others[i].at, others[i].magic, others[i].length) == 0)
      return others[i].name;
  if (g_str_has_suffix (path, ".xtc2"))
    return "a later chunk of LCLS-II's stream (the first, -c000, holds its configure) or damaged";
  return g_str_has_suffix (path, ".xtc") ? "xtc of LCLS-I (psana makes CXI of it)" : NULL;
}

/* HDF5's signature may lie behind a user block: at 0, 512, 1024, 2048, … */
static gboolean
is_hdf5 (FILE *file)
{
  static const char signature[] = "\x89HDF\r\n\x1a\n";
  char head[8];
  for (long at = 0; at < 1 << 24; at = at == 0 ? 512 : 2 * at)
    {
      if (fseek (file, at, SEEK_SET) != 0 || fread (head, 1, 8, file) != 8)
        return FALSE;
      if (memcmp (head, signature, 8) == 0)
        return TRUE;
    }
  return FALSE;
}

/* By the file's first bytes. */
static FlSource *
open_kind (const char *path, const FlSourceOptions *options, GError **error)
{
  guint8 head[32] = "";
  FILE *file = fopen (path, "rb");
  gsize n = file != NULL ? fread (head, 1, sizeof head, file) : 0;
  if (file == NULL || (n == 0 && ferror (file)))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: %s, expected a file of shots", path,
                   g_strerror (errno));
      if (file != NULL)
        fclose (file);
      return NULL;
    }
  gboolean hdf5 = is_hdf5 (file);
  fclose (file);
  if (hdf5)
    return fl_source_hdf5_open (path, options, error);
  /* Images first: a datagram has no magic, and some TIFFs would pass for one. */
  Opener open_image = image_opener (path);
  if (open_image != NULL)
    return open_image (path, options, error);
  if (fl_xtc2_is (head, n))
    return fl_source_xtc2_open (path, options, error);
  if (g_str_has_suffix (path, ".emc"))
    return fl_source_emc_open (path, options, error);
  const char *foreign = fl_source_foreign (path);
  g_set_error (error, FL_ERROR, n == 0 ? FL_ERROR_INPUT : FL_ERROR_UNSUPPORTED,
               "%s: %s%s, expected HDF5, CBF, SMV, TIFF, xtc2 or EMC", path,
               n == 0            ? "the file is empty"
               : foreign != NULL ? foreign
                                 : "not a file of shots that is known here",
               n > 0 && foreign != NULL ? ", which is not read here" : "");
  return NULL;
}

/* The photon energy of the first frame, eV; 0: not known. */
static double
first_energy (FlSource *source)
{
  g_auto (FlShot) shot = { 0 };
  if (source->detector->wavelength > 0)
    return fl_energy_from_wavelength (source->detector->wavelength);
  return source->n_frames > 0 && fl_source_read (source, 0, &shot, NULL) ? shot.energy : 0;
}

FlSource *
fl_source_open (const char *path, const FlSourceOptions *options, GError **error)
{
  static const FlSourceOptions none = { 0 };
  if (options == NULL)
    options = &none;
  g_autoptr (FlSource) source = open_kind (path, options, error);
  const FlCalibrationOptions *calibration = options->calibration;
  if (source == NULL || options->list_only || calibration == NULL || calibration->constants == NULL)
    return g_steal_pointer (&source);
  double energy = calibration->photon_energy > 0 ? 0 : first_energy (source);
  source->calibration = fl_calibration_open (calibration, source->detector, path, energy, error);
  return source->calibration != NULL ? g_steal_pointer (&source) : NULL;
}

void
fl_source_close (FlSource *source)
{
  if (source == NULL)
    return;
  g_clear_pointer (&source->calibration, fl_calibration_close);
  g_clear_pointer (&source->detector, fl_detector_unref);
  g_clear_pointer (&source->path, g_free);
  source->ops->free (source);
}

const char *
fl_source_format (const FlSource *source)
{
  return source->format;
}

guint32
fl_source_n_frames (const FlSource *source)
{
  return source->n_frames;
}

FlDetector *
fl_source_detector (FlSource *source)
{
  return source->detector;
}

char *
fl_source_event (FlSource *source, guint32 frame)
{
  return frame < source->n_frames ? source->ops->event (source, frame) : NULL;
}

static gboolean
calibrate (FlSource *source, FlShot *shot, GError **error)
{
  FlCellNames names;
  if (!fl_calibration_needs_cell (source->calibration, &names) || source->ops->cell == NULL)
    return fl_calibration_apply (source->calibration, shot, NULL, error);
  g_autofree guint16 *gain = g_new0 (guint16, shot->n_pixels);
  FlCellData cell = { .gain = gain };
  return source->ops->cell (source, shot->frame, &names, gain, &cell.cell, error)
         && fl_calibration_apply (source->calibration, shot, &cell, error);
}

gboolean
fl_source_read (FlSource *source, guint32 frame, FlShot *shot, GError **error)
{
  if (frame >= source->n_frames)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: no frame %u, expected one below %u", source->path,
                   frame, source->n_frames);
      return FALSE;
    }
  g_free (shot->event);
  shot->event = source->ops->event (source, frame);
  g_clear_pointer (&shot->mask, g_free);
  shot->id = fl_shot_id (source->path, frame);
  shot->frame = frame;
  shot->time = 0;
  shot->energy = 0;
  shot->shift = fl_vec3 (0, 0, 0);
  shot->t_decode = 0;
  return source->ops->read (source, frame, shot, error)
         && (source->calibration == NULL || calibrate (source, shot, error));
}

char *
fl_source_describe (FlSource *source)
{
  g_autofree char *own = source->ops->describe (source);
  g_autofree char *calibration =
      source->calibration != NULL ? fl_calibration_describe (source->calibration) : NULL;
  return g_strconcat (own, calibration, NULL);
}

/* --- lists --- */

static void
item_clear (gpointer data)
{
  g_free (((FlSourceItem *) data)->path);
}

/* "file //12" keeps its frame; a name that has spaces but no frame stays whole. */
static gboolean
add_list_line (GArray *items, const char *folder, const char *list, guint number, char *line, GError **error)
{
  FlSourceItem item = { .frame = -1 };
  char *space = strrchr (line, ' ');
  char *event = space != NULL ? strstr (space, "//") : NULL;
  if (event != NULL)
    {
      char *end;
      guint64 frame = g_ascii_strtoull (event + 2, &end, 10);
      if (event != space + 1 || end == event + 2 || *end != '\0' || frame > G_MAXUINT32)
        {
          g_set_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED, "%s:%u: frame '%s', expected //NUMBER", list,
                       number, space + 1);
          return FALSE;
        }
      item.frame = (gint64) frame;
      *space = '\0';
      g_strchomp (line);
    }
  item.path = g_path_is_absolute (line) ? g_strdup (line) : g_build_filename (folder, line, NULL);
  g_array_append_val (items, item);
  return TRUE;
}

GArray *
fl_source_expand (const char *argument, GError **error)
{
  g_autoptr (GArray) items = g_array_new (FALSE, FALSE, sizeof (FlSourceItem));
  g_array_set_clear_func (items, item_clear);
  if (!g_str_has_suffix (argument, ".lst"))
    {
      FlSourceItem item = { g_strdup (argument), -1 };
      g_array_append_val (items, item);
      return g_steal_pointer (&items);
    }
  g_autofree char *text = NULL;
  gsize length;
  if (!g_file_get_contents (argument, &text, &length, NULL) || memchr (text, '\0', length) != NULL)
    {
      g_set_error (error, FL_ERROR, text == NULL ? FL_ERROR_MISSING : FL_ERROR_INPUT,
                   "%s: %s, expected a list of one path a line", argument,
                   text == NULL ? "cannot be read" : "not text");
      return NULL;
    }
  g_autofree char *folder = g_path_get_dirname (argument);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    if (*g_strstrip (lines[i]) != '\0' && !add_list_line (items, folder, argument, i + 1, lines[i], error))
      return NULL;
  if (items->len == 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: the list is empty, expected one path a line",
                   argument);
      return NULL;
    }
  return g_steal_pointer (&items);
}
