/* export: results of jobs as other programs read them – a CrystFEL stream, or DIALS' .expt and .refl (of one job). Of several,
 * the first says what the detector is: a job of another one is refused. */

#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/programs/exchange-panels.h"
#include "engine/programs/program.h"
#include "engine/programs/programs.h"
#include "engine/results/dials.h"
#include "engine/results/spots.h"
#include "engine/results/stream.h"
#include "engine/shots/geometry.h"
#include "engine/shots/source.h"

#define SHOTS_AT_A_TIME 250

/* One job on its way out. */
typedef struct
{
  const char *job_dir;
  FlParams *params;
  FlBatch *sources;
  FlSource *source; /* open one, or NULL */
  guint32 number;   /* of `source` among the sources */
  gboolean tried;   /* to open source `number` */
  char *geometry;   /* text */
  GArray *panels;
  FlStreamWriter *stream; /* one of the two; borrowed */
  FlDialsWriter *dials;
  guint shots, lattices;
  guint64 reflections;
} Export;

static void
export_clear (Export *e)
{
  fl_batch_free (e->sources);
  if (e->source != NULL)
    fl_source_close (e->source);
  g_clear_pointer (&e->params, fl_params_free);
  g_clear_pointer (&e->panels, g_array_unref);
  g_free (e->geometry);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Export, export_clear)

static FlSourceRow
source_row (const Export *e, guint32 number)
{
  FlSourceRow row = { .path = "" };
  for (guint i = 0; i < fl_batch_rows (e->sources); i++)
    {
      fl_batch_row (e->sources, i, &row);
      if (row.source == number)
        return row;
    }
  return (FlSourceRow){ .path = "" };
}

/* Opens source `number`, headers only; FALSE when it is not there any more. */
static gboolean
open_source (Export *e, guint32 number, GError **error)
{
  if (e->tried && e->number == number)
    return e->source != NULL;
  if (e->source != NULL)
    fl_source_close (e->source);
  const char *geometry = fl_params_text (e->params, "detector.geometry");
  FlSourceOptions options = { .geometry = *geometry != '\0' ? geometry : NULL, .list_only = TRUE };
  e->source = fl_source_open (source_row (e, number).path, &options, error);
  e->number = number;
  e->tried = TRUE;
  return e->source != NULL;
}

/* The detector, from the first image file that is still there, or from the geometry alone. */
static gboolean
find_detector (Export *e, const GArray *list, GError **error)
{
  g_autoptr (GError) why = NULL;
  g_autoptr (FlDetector) own = NULL;
  const char *path = fl_params_text (e->params, "detector.geometry");
  g_autofree char *imported = g_build_filename (e->job_dir, "geometry.geom", NULL);
  FlDetector *detector = NULL;
  guint32 last = G_MAXUINT32;
  for (guint i = 0; i < list->len && detector == NULL; i++)
    {
      guint32 number = g_array_index (list, FlResultsShot, i).source;
      if (number != last && open_source (e, number, why == NULL ? &why : NULL))
        detector = fl_source_detector (e->source);
      last = number;
    }
  if (detector == NULL && *path == '\0')
    path = imported; /* import-results may have left one */
  if (detector == NULL && g_file_test (path, G_FILE_TEST_EXISTS))
    detector = own = fl_exchange_detector (path, NULL);
  if (detector == NULL || !detector->placed)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: its detector is not known (%s)", e->job_dir,
                   why != NULL ? why->message : "the images do not say where their pixels are");
      return FALSE;
    }
  if (*path == '\0')
    e->geometry = fl_exchange_geometry (detector, 0);
  else if ((e->geometry = fl_geometry_read_text (path, error)) == NULL)
    return FALSE;
  g_autoptr (GArray) named = fl_stream_panels (e->geometry);
  e->panels = fl_exchange_panels (detector, named);
  return TRUE;
}

/* A stream of somebody else's needs no more than the panels' names, where there are no images. */
static gboolean
find_names (Export *e)
{
  const char *path = fl_params_text (e->params, "detector.geometry");
  if (*path == '\0' || (e->geometry = fl_geometry_read_text (path, NULL)) == NULL)
    return FALSE;
  e->panels = fl_stream_panels (e->geometry);
  return e->panels->len > 0;
}

static char *
event_of (Export *e, const FlResultsShot *shot)
{
  if (open_source (e, shot->source, NULL) && shot->frame < fl_source_n_frames (e->source))
    return fl_source_event (e->source, shot->frame);
  return source_row (e, shot->source).frames > 1 ? g_strdup_printf ("//%u", shot->frame) : g_strdup ("");
}

/* Rows of a part that belong to `shot`, from row *at on, which then is the first after them. */
static void
take_rows (const FlBatch *batch, guint64 shot, guint *at, GArray *rows)
{
  guint first, n;
  fl_part_find (batch, shot, *at, &first, &n);
  if (n == 0)
    return;
  g_array_set_size (rows, n);
  for (guint i = 0; i < n; i++)
    fl_batch_row (batch, first + i, rows->data + (gsize) i * g_array_get_element_size (rows));
  *at = first + n;
}

static void
write_shot (Export *e, const FlShotSet *set, const FlShotRow *row, guint *at, FlPattern *pattern)
{
  FlResultsShot shot = { row->id, row->source, row->frame };
  fl_pattern_clear (pattern);
  if (row->spots > 0)
    take_rows (set->parts[FL_PART_SPOTS], row->id, &at[FL_PART_SPOTS], pattern->spots);
  if (row->lattices > 0)
    {
      take_rows (set->parts[FL_PART_LATTICES], row->id, &at[FL_PART_LATTICES], pattern->lattices);
      take_rows (set->parts[FL_PART_REFLECTIONS], row->id, &at[FL_PART_REFLECTIONS], pattern->reflections);
    }
  if (row->outcome == FL_OUTCOME_FAILED || row->outcome == FL_OUTCOME_SET_ASIDE || !(row->energy > 0))
    return;
  g_free (pattern->event);
  pattern->file = g_strdup (source_row (e, row->source).path);
  pattern->event = event_of (e, &shot);
  pattern->frame = row->frame;
  pattern->energy = (double) row->energy;
  pattern->hit = row->outcome == FL_OUTCOME_HIT || row->outcome == FL_OUTCOME_INDEXED;
  pattern->resolution = (double) row->resolution;
  if (e->stream != NULL)
    fl_stream_writer_add (e->stream, pattern);
  else
    fl_dials_writer_add (e->dials, pattern);
  e->shots++;
  e->lattices += pattern->lattices->len;
  e->reflections += pattern->reflections->len;
}

static gboolean
write_shots (Export *e, const GArray *list, GError **error)
{
  g_autoptr (FlPattern) pattern = fl_pattern_new ();
  for (guint i = 0; i < list->len; i += SHOTS_AT_A_TIME)
    {
      guint at[FL_PART_LAST] = { 0 };
      g_autoptr (FlShotSet) set = fl_results_load (e->job_dir, &g_array_index (list, FlResultsShot, i),
                                                   MIN (SHOTS_AT_A_TIME, list->len - i), error);
      if (set == NULL)
        return FALSE;
      for (guint k = 0; k < fl_batch_rows (set->shots); k++)
        {
          FlShotRow row;
          fl_batch_row (set->shots, k, &row);
          write_shot (e, set, &row, at, pattern);
        }
    }
  return TRUE;
}

/* What the job was made with, and its detector. `dials`: that must be known; a stream can do with the panels' names. */
static gboolean
open_job (Export *e, const char *job_dir, gboolean dials, GArray **list, GError **error)
{
  e->job_dir = job_dir;
  g_autofree char *params = g_build_filename (e->job_dir, "params.txt", NULL);
  e->params = fl_params_new ();
  e->sources = fl_results_sources (e->job_dir, error);
  if (e->sources == NULL || !fl_params_read_file (e->params, params, error))
    return FALSE;
  g_autofree char *imported = g_build_filename (e->job_dir, "geometry.geom", NULL);
  const char *geometry = fl_params_text (e->params, "detector.geometry");
  if (*geometry != '\0' && !g_file_test (geometry, G_FILE_TEST_EXISTS)
      && g_file_test (imported, G_FILE_TEST_EXISTS)
      && !fl_params_set (e->params, "detector.geometry", imported, error)) /* the folder has been moved */
    return FALSE;
  *list = fl_results_list (e->job_dir);
  g_autoptr (GError) why = NULL;
  if (find_detector (e, *list, &why) || (!dials && find_names (e)))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&why));
  return FALSE;
}

static gboolean
is_same_panel (const FlPanelPlace *a, const FlPanelPlace *b)
{
  return strcmp (a->name, b->name) == 0 && a->n_fs == b->n_fs && a->n_ss == b->n_ss && a->min_fs <= b->min_fs
         && a->min_fs >= b->min_fs && a->min_ss <= b->min_ss && a->min_ss >= b->min_ss;
}

/* Reflections say panel and place on it: they mean the same on both detectors. */
static gboolean
is_same_detector (const GArray *a, const GArray *b)
{
  gboolean same = a->len == b->len;
  for (guint i = 0; same && i < a->len; i++)
    same = is_same_panel (&g_array_index (a, FlPanelPlace, i), &g_array_index (b, FlPanelPlace, i));
  return same;
}

/* All jobs, into one file. */
typedef struct
{
  const char *out;
  gboolean dials;
  FlStreamWriter *stream;
  FlDialsWriter *dials_writer;
  GArray *panels; /* of the first job */
  const char *first;
  guint shots, lattices;
  guint64 reflections;
} Output;

static gboolean
open_output (Output *o, const Export *e, GError **error)
{
  o->first = e->job_dir;
  o->panels = g_array_ref (e->panels);
  if (o->dials)
    o->dials_writer = fl_dials_writer_open (o->out, e->panels, error);
  else
    o->stream = fl_stream_writer_open (o->out, e->geometry, e->panels, error);
  return o->dials_writer != NULL || o->stream != NULL;
}

static gboolean
export_job (Output *o, const char *job_dir, GError **error)
{
  g_auto (Export) e = { 0 };
  g_autoptr (GArray) list = NULL;
  if (!open_job (&e, job_dir, o->dials, &list, error) || (o->first == NULL && !open_output (o, &e, error)))
    return FALSE;
  if (!is_same_detector (o->panels, e.panels))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: has another detector than %s, expected the same",
                   job_dir, o->first);
      return FALSE;
    }
  e.stream = o->stream;
  e.dials = o->dials_writer;
  if (!write_shots (&e, list, error))
    return FALSE;
  o->shots += e.shots;
  o->lattices += e.lattices;
  o->reflections += e.reflections;
  return TRUE;
}

static gboolean
close_output (Output *o, gboolean ok, GError **error)
{
  g_clear_pointer (&o->panels, g_array_unref);
  GError **where = ok ? error : NULL;
  if (o->dials_writer != NULL)
    return fl_dials_writer_close (o->dials_writer, ok, where);
  return o->stream == NULL || fl_stream_writer_close (o->stream, ok, where);
}

static gboolean
export_jobs (Output *o, char **jobs, GError **error)
{
  o->dials = g_str_has_suffix (o->out, ".expt");
  if (!o->dials && !g_str_has_suffix (o->out, ".stream"))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "--out %s: what is it? Expected a name that ends in .stream or .expt", o->out);
      return FALSE;
    }
  if (o->dials && jobs[1] != NULL)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED,
                   "--out %s: expected one job for .expt, or a .stream", o->out);
      return FALSE;
    }
  gboolean ok = TRUE;
  for (char **job = jobs; ok && *job != NULL; job++)
    ok = export_job (o, *job, error);
  if (ok && o->dials && o->lattices == 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: has no lattices, expected some for .expt", jobs[0]);
      ok = FALSE;
    }
  return close_output (o, ok, error) && ok;
}

int
fl_program_export (int argc, char **argv)
{
  g_autofree char *out = NULL;
  g_autofree char *format = NULL;
  const GOptionEntry entries[] = {
    { "out", 'o', 0, G_OPTION_ARG_FILENAME, &out, "File to write; DIALS' .refl goes beside its .expt",
      "FILE.stream|FILE.expt" },
    { "format", 0, 0, G_OPTION_ARG_STRING, &format, "stream or expt (default: as --out is called)",
      "FORMAT" },
    { NULL },
  };
  g_autoptr (GOptionContext) context =
      g_option_context_new ("JOB… – write results of jobs for CrystFEL, or of one for DIALS");
  g_option_context_add_main_entries (context, entries, NULL);
  g_autoptr (GError) error = NULL;
  if (!g_option_context_parse (context, &argc, &argv, &error))
    fprintf (stderr, "export: %s\n", error->message);
  else if (argc < 2 || out == NULL)
    fprintf (stderr, "export: expected --out FILE and folders of jobs\n");
  else if (format != NULL && (strcmp (format, "stream") != 0 || !g_str_has_suffix (out, ".stream"))
           && (strcmp (format, "expt") != 0 || !g_str_has_suffix (out, ".expt")))
    fprintf (
        stderr,
        "export: --format %s does not go with --out %s, expected stream or expt and a name that ends so\n",
        format, out);
  else
    {
      Output o = { .out = out };
      if (!export_jobs (&o, argv + 1, &error))
        return fl_program_fail ("export", error);
      printf ("%s: %u shots, %u lattices, %" G_GUINT64_FORMAT " reflections\n", out, o.shots, o.lattices,
              o.reflections);
      return 0;
    }
  return 2;
}
