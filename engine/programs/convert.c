/* convert: shots of any source as one NXmx file. */

#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/programs/program.h"
#include "engine/programs/programs.h"
#include "engine/shots/nxmx-writer.h"

typedef struct
{
  char *out, *geometry, *mask, *compression, *detector, *sample, *sensor;
  gint max_frames;
  gboolean quiet;
} Arguments;

typedef struct
{
  const Arguments *arguments;
  FlNxmxOptions nxmx;
  FlNxmxWriter *writer; /* made when the first source tells the detector */
  FlDetector *detector;
  guint32 n_shots, n_damaged;
} Conversion;

static gboolean
read_compression (const char *name, FlCompression *compression, GError **error)
{
  static const char *const names[] = { "none", "deflate", "bitshuffle", "lz4" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_strcmp0 (name, names[i]) == 0)
      {
        *compression = (FlCompression) i;
        return TRUE;
      }
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
               "--compression '%s' is not known, expected none, deflate, bitshuffle or lz4", name);
  return FALSE;
}

/* "Si 0.32": material and mm. */
static gboolean
read_sensor (const char *text, FlNxmxOptions *nxmx, char **material, GError **error)
{
  const char *space = text != NULL ? strchr (text, ' ') : NULL;
  char *end = NULL;
  if (text == NULL)
    return TRUE;
  nxmx->sensor_thickness = space != NULL ? g_ascii_strtod (space + 1, &end) : 0;
  if (space == NULL || space == text || *end != '\0'
      || !(nxmx->sensor_thickness > 0 && nxmx->sensor_thickness < 100))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "--sensor '%s' is not a material and its thickness in mm, expected such as 'Si 0.32'",
                   text);
      return FALSE;
    }
  nxmx->material = *material = g_strndup (text, (gsize) (space - text));
  return TRUE;
}

static gboolean
same_detector (const FlDetector *a, const FlDetector *b)
{
  gboolean same = a->n_panels == b->n_panels && a->n_pixels == b->n_pixels;
  for (guint i = 0; same && i < a->n_panels; i++)
    {
      const FlPanel *p = &a->panels[i], *q = &b->panels[i];
      same = p->n_fs == q->n_fs && p->n_ss == q->n_ss && p->offset == q->offset && p->stride == q->stride
             && fl_vec3_norm (fl_vec3_sub (p->fs, q->fs)) < 1e-9
             && fl_vec3_norm (fl_vec3_sub (p->ss, q->ss)) < 1e-9;
    }
  return same;
}

/* Files of one detector may have it at different places; all panels then move as one, which a shot's shift can say. */
static gboolean
find_move (const FlDetector *from, const FlDetector *to, FlVec3 *move)
{
  *move = fl_vec3_sub (to->panels[0].origin, from->panels[0].origin);
  for (guint i = 1; i < from->n_panels; i++)
    {
      FlVec3 own = fl_vec3_sub (to->panels[i].origin, from->panels[i].origin);
      if (fl_vec3_norm (fl_vec3_sub (own, *move)) > 1e-6)
        return FALSE;
    }
  return TRUE;
}

static gboolean
convert_frames (Conversion *c, FlSource *source, guint32 first, guint32 n, const char *path, GError **error)
{
  g_auto (FlShot) shot = { 0 };
  FlDetector *detector = fl_source_detector (source);
  FlVec3 move = fl_vec3 (0, 0, 0);
  if (c->detector != NULL
      && (!same_detector (c->detector, detector) || !find_move (c->detector, detector, &move)))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "%s: another detector than the first file's, expected one for all", path);
      return FALSE;
    }
  for (guint32 i = first; i < first + n; i++)
    {
      g_autoptr (GError) local = NULL;
      if (c->arguments->max_frames > 0 && c->n_shots == (guint32) c->arguments->max_frames)
        return TRUE;
      if (!fl_source_read (source, i, &shot, &local))
        {
          fprintf (stderr, "convert: %s, left out\n", local->message);
          c->n_damaged++;
          continue;
        }
      if (c->writer == NULL)
        {
          c->writer = fl_nxmx_writer_new (c->arguments->out, detector, shot.type, &c->nxmx, error);
          if (c->writer == NULL)
            return FALSE;
          c->detector = fl_detector_ref (detector);
        }
      shot.shift = fl_vec3_add (shot.shift, move);
      if (!fl_nxmx_writer_append (c->writer, &shot, error))
        return FALSE;
      c->n_shots++;
    }
  return TRUE;
}

static gboolean
convert_argument (Conversion *c, const char *argument, GError **error)
{
  const FlSourceOptions options = { .geometry = c->arguments->geometry, .mask = c->arguments->mask };
  g_autoptr (GArray) items = fl_source_expand (argument, error);
  for (guint i = 0; items != NULL && i < items->len; i++)
    {
      const FlSourceItem *item = &g_array_index (items, FlSourceItem, i);
      g_autoptr (FlSource) source = fl_source_open (item->path, &options, error);
      if (source == NULL)
        return FALSE;
      guint32 frames = fl_source_n_frames (source);
      if (!fl_source_detector (source)->placed)
        {
          g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                       "%s: does not tell where its pixels are, expected --geometry FILE", item->path);
          return FALSE;
        }
      if (item->frame >= (gint64) frames)
        {
          g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: no frame %" G_GINT64_FORMAT ", expected 0 to %u",
                       item->path, item->frame, frames - 1);
          return FALSE;
        }
      if (!convert_frames (c, source, item->frame < 0 ? 0 : (guint32) item->frame,
                           item->frame < 0 ? frames : 1, item->path, error))
        return FALSE;
    }
  return items != NULL;
}

static gboolean
convert (const Arguments *a, char **inputs, int n, GError **error)
{
  Conversion c = { .arguments = a, .nxmx = { .detector = a->detector, .sample = a->sample } };
  g_autofree char *material = NULL;
  gboolean ok = read_compression (a->compression, &c.nxmx.compression, error)
                && read_sensor (a->sensor, &c.nxmx, &material, error);
  for (int i = 0; ok && i < n; i++)
    ok = convert_argument (&c, inputs[i], error);
  if (ok && c.writer == NULL)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: no shot could be read, expected one or more",
                   inputs[0]);
      ok = FALSE;
    }
  if (!ok)
    fl_nxmx_writer_abandon (c.writer);
  else if ((ok = fl_nxmx_writer_finish (c.writer, error)) && !a->quiet)
    printf ("%s: %u shots%s\n", a->out, c.n_shots, c.n_damaged > 0 ? ", damaged ones left out" : "");
  if (c.detector != NULL)
    fl_detector_unref (c.detector);
  return ok;
}

int
fl_program_convert (int argc, char **argv)
{
  Arguments a = { .compression = g_strdup ("bitshuffle") };
  const GOptionEntry entries[] = {
    { "out", 'o', 0, G_OPTION_ARG_FILENAME, &a.out, "The NXmx file", "FILE" },
    { "geometry", 'g', 0, G_OPTION_ARG_FILENAME, &a.geometry, "CrystFEL geometry of the inputs", "FILE" },
    { "mask", 0, 0, G_OPTION_ARG_FILENAME, &a.mask, "Mask of bad pixels", "FILE[:/DATASET]" },
    { "compression", 'c', 0, G_OPTION_ARG_STRING, &a.compression,
      "none, deflate, bitshuffle or lz4 (bitshuffle)", "KIND" },
    { "sensor", 0, 0, G_OPTION_ARG_STRING, &a.sensor,
      "Its material and thickness in mm, 'Si 0.32'; not given: readers correct no parallax", "SENSOR" },
    { "detector", 0, 0, G_OPTION_ARG_STRING, &a.detector, "The detector's name", "NAME" },
    { "sample", 0, 0, G_OPTION_ARG_STRING, &a.sample, "The sample's name", "NAME" },
    { "max-frames", 'n', 0, G_OPTION_ARG_INT, &a.max_frames, "Stop after so many (0: all)", "N" },
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &a.quiet, "Say nothing", NULL },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("INPUT… – shots of any source as one NXmx file");
  g_option_context_add_main_entries (context, entries, NULL);
  g_autoptr (GError) error = NULL;
  int status = 0;
  if (!g_option_context_parse (context, &argc, &argv, &error))
    {
      fprintf (stderr, "convert: %s\n", error->message);
      status = 2;
    }
  else if (a.out == NULL || argc < 2)
    {
      fprintf (stderr, "convert: %s\n",
               a.out == NULL ? "--out FILE is missing" : "no input, expected files of shots");
      status = 2;
    }
  else if (!convert (&a, argv + 1, argc - 1, &error))
    status = fl_program_fail ("convert", error);
  g_free (a.out);
  g_free (a.geometry);
  g_free (a.mask);
  g_free (a.compression);
  g_free (a.detector);
  g_free (a.sample);
  g_free (a.sensor);
  return status;
}
