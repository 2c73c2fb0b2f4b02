/* firstlight-control inspect FILE…: says what any file is. Reads the first and the last frame of files of shots, so that
 * damage shows; exit 2 when a file is damaged or not known. */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/programs/inspect-known.h"
#include "engine/programs/program.h"
#include "engine/programs/programs.h"
#include "engine/shots/calibration.h"
#include "engine/shots/emc.h"
#include "engine/shots/geometry.h"
#include "engine/shots/inspect-shots.h"
#include "engine/shots/source.h"

typedef struct
{
  FlSourceOptions source;
  gboolean panels, imgcif, all_frames, events;
} Options;

/* --- detectors --- */

/* In our frame, or in imgCIF's (and DIALS'), which is ours turned by half a turn about y. */
static void
print_vector (const char *name, FlVec3 v, gboolean imgcif)
{
  if (imgcif)
    v = fl_vec3 (-v.x, v.y, -v.z);
  /* + 0.0: no "-0". */
  printf (", %s %.6g %.6g %.6g", name, v.x + 0.0, v.y + 0.0, v.z + 0.0);
}

static double
distance (const FlPanel *panel)
{
  return fabs (fl_vec3_dot (panel->origin, fl_vec3_unit (fl_vec3_cross (panel->fs, panel->ss))));
}

static void
print_panel (const FlPanel *panel, gboolean imgcif)
{
  printf ("panel %s: %u x %u px, pixel %.6g x %.6g mm", panel->name, panel->n_fs, panel->n_ss,
          fl_vec3_norm (panel->fs), fl_vec3_norm (panel->ss));
  print_vector ("origin", panel->origin, imgcif);
  print_vector ("fast", fl_vec3_unit (panel->fs), imgcif);
  print_vector ("slow", fl_vec3_unit (panel->ss), imgcif);
  printf (", distance %.6g mm, trusted %.6g to %.6g, gain %.6g\n", distance (panel), panel->trusted_min,
          panel->trusted_max, panel->gain);
}

static void
print_detector (const FlDetector *detector, const Options *options)
{
  const FlPanel *first = &detector->panels[0];
  gboolean same = TRUE;
  for (guint i = 1; i < detector->n_panels; i++)
    same = same && detector->panels[i].n_fs == first->n_fs && detector->panels[i].n_ss == first->n_ss;
  printf ("panels: %u%s %u x %u px\n", detector->n_panels, same ? " of" : ", the first", first->n_fs,
          first->n_ss);
  if (detector->placed)
    printf ("pixel size: %.6g mm\ndistance: %.6g mm (first panel)\n", first->pixel_size, distance (first));
  else
    printf ("detector: the file does not tell where its pixels are; --geometry can\n");
  if (first->trusted_min > -INFINITY || first->trusted_max < INFINITY)
    printf ("trusted range: %.6g to %.6g (first panel)\n", first->trusted_min, first->trusted_max);
  if (first->counts_per_ev > 0)
    printf ("gain: %.6g counts/eV\n", first->counts_per_ev);
  else
    printf ("gain: %.6g counts/photon\n", first->gain);
  gsize bad = 0;
  for (gsize i = 0; i < detector->n_pixels; i++)
    bad += detector->mask[i];
  printf ("pixels: %" G_GSIZE_FORMAT ", masked %" G_GSIZE_FORMAT "\n", detector->n_pixels, bad);
  if (detector->wavelength > 0)
    printf ("wavelength: %.6g A (%.6g eV)\n", detector->wavelength,
            fl_energy_from_wavelength (detector->wavelength));
  for (guint i = 0; options->panels && i < detector->n_panels; i++)
    print_panel (&detector->panels[i], options->imgcif);
}

/* --- frames --- */

typedef struct
{
  double min, max, sum;
  gsize n;
} Summary;

static Summary
summarize (const FlShot *shot, const FlDetector *detector)
{
  Summary s = { INFINITY, -INFINITY, 0, 0 };
  const guint8 *mask = shot->mask != NULL ? shot->mask : detector->mask;
  for (gsize i = 0; i < shot->n_pixels; i++)
    if (!mask[i])
      {
        double v = fl_shot_value (shot, i);
        s.min = MIN (s.min, v);
        s.max = MAX (s.max, v);
        s.sum += v;
        s.n++;
      }
  return s;
}

static gboolean
print_frame (FlSource *source, guint32 frame, FlShot *shot, GError **error)
{
  static const char *const types[] = { "u8", "u16", "u32", "i8", "i16", "i32", "f32", "f64" };
  if (!fl_source_read (source, frame, shot, error))
    return FALSE;
  Summary s = summarize (shot, fl_source_detector (source));
  printf ("frame %u%s%s: %s", frame, *shot->event != '\0' ? " " : "", shot->event, types[shot->type]);
  if (s.n > 0)
    printf (", %.6g to %.6g, mean %.6g", s.min, s.max, s.sum / (double) s.n);
  if (shot->energy > 0)
    printf (", %.6g eV", shot->energy);
  if (shot->time > 0)
    printf (", taken at %" G_GUINT64_FORMAT ".%09u s", (guint64) (shot->time / FL_NS_PER_S),
            (guint) (shot->time % FL_NS_PER_S));
  printf ("\n");
  return TRUE;
}

static gboolean
print_source (FlSource *source, const Options *options, GError **error)
{
  guint32 n = fl_source_n_frames (source);
  g_autofree char *more = fl_source_describe (source);
  g_auto (FlShot) shot = { 0 };
  printf ("format: %s\nframes: %u\n", fl_source_format (source), n);
  print_detector (fl_source_detector (source), options);
  fputs (more, stdout);
  if (options->events)
    for (guint32 i = 0; i < n; i++)
      {
        g_autofree char *event = fl_source_event (source, i);
        printf ("event: %s\n", event);
      }
  for (guint32 i = 0; i < n; i++)
    if ((i == 0 || i + 1 == n || options->all_frames) && !print_frame (source, i, &shot, error))
      return FALSE;
  return TRUE;
}

/* --- files --- */

static gboolean
inspect_shots (const char *path, const Options *options, gboolean hdf5, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (FlSource) source = fl_source_open (path, &options->source, &local);
  if (source != NULL)
    return print_source (source, options, error);
  /* What HDF5 holds can be told even when it is no source of shots. */
  if (hdf5 && options->source.geometry == NULL && g_error_matches (local, FL_ERROR, FL_ERROR_UNSUPPORTED))
    {
      g_autofree char *text = fl_inspect_hdf5 (path, error);
      if (text != NULL)
        fputs (text, stdout);
      return text != NULL;
    }
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

/* Datagrams and records, and the images where there are some. */
static gboolean
inspect_xtc2 (const char *path, const Options *options, GError **error)
{
  gboolean whole;
  g_autoptr (GError) local = NULL;
  g_autofree char *text = fl_inspect_xtc2 (path, &whole, error);
  if (text == NULL)
    return FALSE;
  g_autoptr (FlSource) source = fl_source_open (path, &options->source, &local);
  if (source == NULL && !g_error_matches (local, FL_ERROR, FL_ERROR_UNSUPPORTED))
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  if (source == NULL)
    printf ("format: xtc2 (LCLS-II), no images\n");
  else if (!print_source (source, options, error))
    return FALSE;
  fputs (text, stdout);
  if (!whole)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                 "%s: its last datagram is not whole (cut off or still being written)", path);
  return whole;
}

static gboolean
inspect_geometry (const char *path, const Options *options, GError **error)
{
  g_autofree char *text = NULL;
  const char *form = NULL;
  g_autoptr (FlDetector) detector = fl_inspect_geometry (path, &form, &text, error);
  if (detector == NULL)
    return FALSE;
  printf ("format: %s\n", form);
  print_detector (detector, options);
  fputs (text, stdout);
  return TRUE;
}

/* --- photons of single particles --- */

#define FRAMES_AT_ONCE 1000

static gboolean
inspect_photons (const char *path, GError **error)
{
  g_autoptr (FlEmc) emc = fl_emc_open (path, error);
  if (emc == NULL)
    return FALSE;
  guint frames = fl_emc_n_frames (emc), pixels = fl_emc_n_pixels (emc);
  guint64 photons = 0, most = 0, fewest = G_MAXUINT64;
  printf ("format: photons of single particles (EMC)\nframes: %u\npixels: %u\n", frames, pixels);
  for (guint first = 0; first < frames; first += FRAMES_AT_ONCE)
    {
      g_auto (FlEmcFrames) some = { 0 };
      if (!fl_emc_read (emc, first, MIN (FRAMES_AT_ONCE, frames - first), &some, error))
        return FALSE;
      for (guint i = 0; i < some.n; i++)
        {
          guint64 sum = 0;
          for (guint64 k = some.start[i]; k < some.start[i + 1]; k++)
            sum += some.count[k];
          photons += sum;
          most = MAX (most, sum);
          fewest = MIN (fewest, sum);
        }
    }
  if (frames > 0)
    printf ("photons: %.6g a frame, %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT "\n",
            (double) photons / frames, fewest, most);
  return TRUE;
}

static gboolean
inspect_file (const char *path, const Options *options, GError **error)
{
  static const char hdf5[] = "\x89HDF\r\n\x1a\n";
  guint8 head[4096];
  gsize n = 0;
  printf ("file: %s\n", path);
  if (g_str_has_suffix (path, ".geom") || fl_geometry_stands_alone (path))
    return inspect_geometry (path, options, error);
  if (g_str_has_suffix (path, ".emc"))
    return inspect_photons (path, error);
  if (!fl_inspect_head (path, head, sizeof head, &n, error))
    return FALSE;
  for (gsize at = 0; at + 8 <= n; at = at == 0 ? 512 : 2 * at)
    if (memcmp (head + at, hdf5, 8) == 0)
      return inspect_shots (path, options, TRUE, error);
  if (fl_source_is_image (path))
    return inspect_shots (path, options, FALSE, error);
  if (fl_inspect_is_xtc2 (head, n))
    return inspect_xtc2 (path, options, error);
  g_autoptr (GString) text = g_string_new ("");
  g_autoptr (GError) local = NULL;
  gboolean known = fl_inspect_known (path, text, &local);
  fputs (text->str, stdout);
  if (known)
    return TRUE;
  if (local != NULL)
    g_propagate_error (error, g_steal_pointer (&local));
  else
    {
      const char *foreign = fl_source_foreign (path);
      g_set_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED, "%s: %s%s, expected a file of shots or results",
                   path,
                   n == 0            ? "the file is empty"
                   : foreign != NULL ? foreign
                                     : "not a format known here",
                   n > 0 && foreign != NULL ? ", which is not read here" : "");
    }
  return FALSE;
}

/* One file, or every file of a list. Returns the worst exit status. */
static int
inspect_argument (const char *argument, const Options *options)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) items = fl_source_expand (argument, &error);
  int status = items == NULL ? fl_program_fail ("inspect", error) : 0;
  for (guint i = 0; items != NULL && i < items->len; i++)
    {
      const char *path = g_array_index (items, FlSourceItem, i).path;
      g_autoptr (GError) local = NULL;
      if (i > 0)
        printf ("\n");
      if (inspect_file (path, options, &local))
        continue;
      fflush (stdout);
      int failed = fl_program_fail ("inspect", local);
      status = MAX (status, failed);
    }
  return status;
}

int
fl_program_inspect (int argc, char **argv)
{
  Options options = { 0 };
  FlCalibrationOptions calibration;
  g_auto (FlProgramOptions) common = { 0 };
  g_autofree char *geometry = NULL, *mask = NULL;
  g_auto (GStrv) files = NULL;
  GOptionEntry entries[] = {
    { "geometry", 'g', 0, G_OPTION_ARG_FILENAME, &geometry, "CrystFEL geometry of HDF5 files", "FILE" },
    { "mask", 'm', 0, G_OPTION_ARG_FILENAME, &mask, "Further bad pixels", "FILE[:/DATASET]" },
    { "panels", 'p', 0, G_OPTION_ARG_NONE, &options.panels, "List every panel", NULL },
    { "imgcif", 0, 0, G_OPTION_ARG_NONE, &options.imgcif, "Panels in imgCIF's frame, as DIALS shows them",
      NULL },
    { "events", 'e', 0, G_OPTION_ARG_NONE, &options.events, "List the frames' names", NULL },
    { "all", 'a', 0, G_OPTION_ARG_NONE, &options.all_frames, "Read all frames, not the first and the last",
      NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &files, NULL, "FILE…" },
    { NULL }
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("– say what files are");
  g_autoptr (GError) error = NULL;
  g_option_context_add_main_entries (context, entries, NULL);
  fl_program_add_options (context, &common);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    return fl_program_fail ("inspect", error);
  if (files == NULL)
    {
      fprintf (stderr, "inspect: no file given, expected at least one\n");
      return 2;
    }
  g_autoptr (FlParams) params = fl_program_params (&common, &error);
  if (params == NULL || !fl_calibration_options (params, &calibration, &error))
    return fl_program_fail ("inspect", error);
  options.source.geometry = geometry;
  options.source.mask = mask;
  options.source.calibration = &calibration;
  int status = 0;
  for (char **file = files; *file != NULL; file++)
    {
      if (file != files)
        printf ("\n");
      int worst = inspect_argument (*file, &options);
      status = MAX (status, worst);
    }
  return status;
}
