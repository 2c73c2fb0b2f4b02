/* import-results: other programs' lattices and reflections – CrystFEL's streams, DIALS' .expt and .refl – as a job with
 * journal, sealed segments and master, to be looked at, ingested and merged like one of ours.
 *
 * It is a command of the engine, not of firstlight-control, because it writes what the engine writes (journal and HDF5
 * segments) and needs neither database nor GIO; `firstlight-control ingest` then takes the job in, and its `import` is for
 * what goes straight into the database. */

#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/programs/exchange-panels.h"
#include "engine/programs/program.h"
#include "engine/programs/programs.h"
#include "engine/results/attempt.h"
#include "engine/results/dials.h"
#include "engine/results/master.h"
#include "engine/results/recorder.h"
#include "engine/results/stream.h"
#include "engine/shots/source.h"

/* An image file that the results speak of. */
typedef struct
{
  guint32 number, frames;
  char *path;
  GHashTable *events; /* name -> frame + 1; NULL until asked for, empty when the file is not there */
  guint32 unnamed;    /* shots so far whose frame nobody knows */
} Images;

typedef struct
{
  char *out;
  char **files;
  FlRecorder *recorder; /* NULL while the images are counted */
  GHashTable *by_path;  /* path -> Images */
  GPtrArray *images;    /* in the order in which they are named */
  gboolean placed;      /* geometry.geom is there, for exports, though the images describe themselves */
  GHashTable *seen;     /* guint64 *: shots recorded */
  char *geometry;       /* path of the geometry in the job's folder; NULL: the images describe themselves */
  FlDetector *detector; /* NULL: no image can be opened */
  GPtrArray *names;     /* of panels, where there is no detector */
  guint shots, lattices, repeated, guessed, damaged, off_panel;
  guint64 reflections;
} Import;

static void
images_free (gpointer data)
{
  Images *images = data;
  g_clear_pointer (&images->events, g_hash_table_unref);
  g_free (images->path);
  g_free (images);
}

static void
import_clear (Import *m)
{
  g_clear_pointer (&m->by_path, g_hash_table_unref);
  g_clear_pointer (&m->images, g_ptr_array_unref);
  g_clear_pointer (&m->seen, g_hash_table_unref);
  g_clear_pointer (&m->names, g_ptr_array_unref);
  g_clear_pointer (&m->detector, fl_detector_unref);
  g_free (m->geometry);
  g_free (m->out);
  g_strfreev (m->files);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Import, import_clear)

/* --- images --- */

static Images *
get_images (Import *m, const char *path)
{
  Images *images = g_hash_table_lookup (m->by_path, path);
  if (images == NULL)
    {
      images = g_new0 (Images, 1);
      images->number = m->images->len;
      images->path = g_strdup (path);
      g_ptr_array_add (m->images, images);
      g_hash_table_insert (m->by_path, images->path, images);
    }
  return images;
}

static FlSource *
open_images (const Import *m, const Images *images)
{
  FlSourceOptions options = { .geometry = m->geometry, .list_only = TRUE };
  return fl_source_open (images->path, &options, NULL);
}

static void
read_events (const Import *m, Images *images)
{
  images->events = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (FlSource) source = open_images (m, images);
  for (guint32 frame = 0; source != NULL && frame < fl_source_n_frames (source); frame++)
    g_hash_table_insert (images->events, fl_source_event (source, frame), GUINT_TO_POINTER (frame + 1));
}

/* Which frame a shot is: by its number, by its name where the file can be asked, else one after the other. */
static guint32
frame_of (Import *m, Images *images, const FlPattern *pattern)
{
  if (pattern->frame >= 0)
    return (guint32) pattern->frame;
  if (*pattern->event == '\0')
    return 0;
  if (images->events == NULL)
    read_events (m, images);
  guint at = GPOINTER_TO_UINT (g_hash_table_lookup (images->events, pattern->event));
  if (at > 0)
    return at - 1;
  m->guessed += m->recorder != NULL;
  return images->unnamed++;
}

/* --- shots --- */

/* Our number of panel `number` of a file; −1: we have none such. */
static int
map_panel (Import *m, const GArray *panels, guint number)
{
  const char *name = g_array_index (panels, FlPanelPlace, number).name;
  for (guint i = 0; m->detector != NULL && i < m->detector->n_panels; i++)
    if (g_strcmp0 (m->detector->panels[i].name, name) == 0)
      return (int) i;
  if (m->detector != NULL)
    return number < m->detector->n_panels && panels->len == m->detector->n_panels ? (int) number : -1;
  for (guint i = 0; i < m->names->len; i++)
    if (strcmp (m->names->pdata[i], name) == 0)
      return (int) i;
  g_ptr_array_add (m->names, g_strdup (name));
  return (int) m->names->len - 1;
}

static gboolean
names_repeat (const GArray *panels)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < panels->len; i++)
    if (!g_hash_table_add (names, g_array_index (panels, FlPanelPlace, i).name))
      return TRUE;
  return FALSE;
}

/* Our numbers of all panels of a file; of panels with names that repeat (DIALS'), the number counts. */
static void
map_panels (Import *m, const GArray *panels, GArray *map)
{
  if (map->len == panels->len)
    return;
  gboolean by_name = !names_repeat (panels);
  for (guint i = map->len; i < panels->len; i++)
    {
      int number = by_name ? map_panel (m, panels, i) : (int) i;
      g_array_append_val (map, number);
    }
}

/* Puts our panels' numbers into the rows; rows on panels that we do not have are left out. */
static void
renumber (Import *m, FlPattern *pattern, const GArray *map)
{
  guint n = 0;
  for (guint i = 0; i < pattern->spots->len; i++)
    {
      FlSpotRow spot = g_array_index (pattern->spots, FlSpotRow, i);
      int panel = g_array_index (map, int, spot.panel);
      spot.panel = (guint16) panel;
      if (panel >= 0)
        g_array_index (pattern->spots, FlSpotRow, n++) = spot;
    }
  m->off_panel += pattern->spots->len - n;
  g_array_set_size (pattern->spots, n);
  n = 0;
  for (guint i = 0; i < pattern->reflections->len; i++)
    {
      FlReflectionRow r = g_array_index (pattern->reflections, FlReflectionRow, i);
      int panel = g_array_index (map, int, r.panel);
      r.panel = (guint16) panel;
      if (panel >= 0)
        g_array_index (pattern->reflections, FlReflectionRow, n++) = r;
    }
  if (n == pattern->reflections->len)
    return;
  m->off_panel += pattern->reflections->len - n;
  g_array_set_size (pattern->reflections, n);
  for (guint k = 0; k < pattern->lattices->len; k++)
    {
      const FlReflectionRow *rows = fl_pattern_reflections (pattern, k, &n);
      FlLatticeRow *lattice = &g_array_index (pattern->lattices, FlLatticeRow, k);
      lattice->reflections = 0;
      for (guint i = 0; i < n; i++)
        lattice->reflections += rows[i].sigma >= 0;
    }
}

static gboolean
record (Import *m, Images *images, guint32 frame, const FlPattern *pattern, GError **error)
{
  FlShotRow row = { .id = fl_shot_id (images->path, frame),
                    .source = images->number,
                    .frame = frame,
                    .start = fl_now_ns (),
                    .outcome = pattern->lattices->len > 0 ? FL_OUTCOME_INDEXED
                               : pattern->hit             ? FL_OUTCOME_HIT
                                                          : FL_OUTCOME_MISS,
                    .stage = pattern->lattices->len > 0 ? FL_STAGE_INTEGRATE : FL_STAGE_FIND,
                    .lattices = (guint16) pattern->lattices->len,
                    .spots = pattern->spots->len,
                    .resolution = (float) pattern->resolution,
                    .energy = (float) pattern->energy };
  FlShotParts parts = { (const FlSpotRow *) (void *) pattern->spots->data,
                        (const FlLatticeRow *) (void *) pattern->lattices->data,
                        (const FlReflectionRow *) (void *) pattern->reflections->data,
                        pattern->reflections->len };
  guint64 *id = g_new (guint64, 1);
  *id = row.id;
  if (!g_hash_table_add (m->seen, id))
    {
      m->repeated++;
      return TRUE;
    }
  m->shots++;
  m->lattices += row.lattices;
  m->reflections += parts.n_reflections;
  return fl_recorder_add (m->recorder, &row, &parts, error);
}

/* Counts the shot's images, and, when there is a recorder, records it. */
static gboolean
take_pattern (Import *m, FlPattern *pattern, const GArray *panels, GArray *map, GError **error)
{
  Images *images = get_images (m, pattern->file);
  guint32 frame = frame_of (m, images, pattern);
  images->frames = MAX (images->frames, frame + 1);
  if (m->recorder == NULL)
    return TRUE;
  map_panels (m, panels, map);
  renumber (m, pattern, map);
  return record (m, images, frame, pattern, error);
}

static gboolean
take_stream (Import *m, const char *path, GError **error)
{
  g_autoptr (FlStreamReader) reader = fl_stream_reader_open (path, error);
  g_autoptr (FlPattern) pattern = fl_pattern_new ();
  g_autoptr (GArray) map = g_array_new (FALSE, FALSE, sizeof (int));
  gboolean ok = reader != NULL;
  while (ok && fl_stream_reader_next (reader, pattern))
    ok = take_pattern (m, pattern, fl_stream_reader_panels (reader), map, error);
  if (ok && m->recorder != NULL)
    m->damaged += fl_stream_reader_damaged (reader);
  return ok;
}

/* Keeps the panels of models for exports of the job where the images are not. */
static gboolean
keep_panels (Import *m, const GArray *panels, GError **error)
{
  if (m->geometry != NULL || m->placed)
    return TRUE;
  g_autoptr (FlDetector) detector = fl_exchange_stack (panels);
  g_autofree char *text = fl_exchange_geometry (detector, 0);
  g_autofree char *path = g_build_filename (m->out, "geometry.geom", NULL);
  m->placed = g_file_set_contents (path, text, -1, error);
  return m->placed;
}

/* `refl` is the argument that follows, when it is one; else the file beside it, when there is one. *used: the argument. */
static gboolean
take_dials (Import *m, const char *expt, const char *refl, gboolean *used, GError **error)
{
  g_autofree char *beside = fl_dials_refl_path (expt);
  *used = refl != NULL && g_str_has_suffix (refl, ".refl");
  const char *table = *used ? refl : g_file_test (beside, G_FILE_TEST_EXISTS) ? beside : NULL;
  g_autoptr (FlDialsFile) file = fl_dials_read (expt, table, error);
  g_autoptr (GArray) map = g_array_new (FALSE, FALSE, sizeof (int));
  gboolean ok = file != NULL && keep_panels (m, file->panels, error);
  for (guint i = 0; ok && i < file->patterns->len; i++)
    ok = take_pattern (m, file->patterns->pdata[i], file->panels, map, error);
  if (ok && m->recorder != NULL)
    m->damaged += file->damaged;
  return ok;
}

static gboolean
take_files (Import *m, GError **error)
{
  gboolean ok = TRUE, used;
  for (char **file = m->files; ok && *file != NULL; file++)
    if (g_str_has_suffix (*file, ".expt"))
      {
        ok = take_dials (m, *file, file[1], &used, error);
        file += ok && used;
      }
    else
      ok = take_stream (m, *file, error);
  return ok;
}

/* --- the job's folder --- */

/* The geometry of the first stream, for whoever opens the images later. */
static gboolean
write_geometry (Import *m, GError **error)
{
  g_autofree char *text = NULL;
  for (char **file = m->files; *file != NULL && text == NULL; file++)
    if (!g_str_has_suffix (*file, ".expt") && !g_str_has_suffix (*file, ".refl"))
      {
        g_autoptr (FlStreamReader) reader = fl_stream_reader_open (*file, error);
        if (reader == NULL)
          return FALSE;
        text = g_strdup (fl_stream_reader_geometry (reader));
      }
  if (text == NULL || *text == '\0')
    return TRUE;
  g_autofree char *folder = g_canonicalize_filename (m->out, NULL);
  m->geometry = g_build_filename (folder, "geometry.geom", NULL);
  return g_file_set_contents (m->geometry, text, -1, error);
}

static gboolean
write_params (const Import *m, GError **error)
{
  g_autoptr (FlParams) params = fl_params_new ();
  if (m->geometry != NULL && !fl_params_set (params, "detector.geometry", m->geometry, error))
    return FALSE;
  g_autofree char *path = g_build_filename (m->out, "params.txt", NULL), *values = fl_params_write (params);
  g_autofree char *text = g_strdup_printf ("; imported by firstlight-engine %s\n%s", FL_VERSION, values);
  return g_file_set_contents (path, text, -1, error);
}

static void
find_detector (Import *m)
{
  for (guint i = 0; i < m->images->len && m->detector == NULL; i++)
    {
      g_autoptr (FlSource) source = open_images (m, m->images->pdata[i]);
      if (source != NULL)
        m->detector = fl_detector_ref (fl_source_detector (source));
    }
  if (m->detector == NULL && m->geometry != NULL)
    m->detector = fl_exchange_detector (m->geometry, NULL);
}

static FlBatch *
list_sources (const Import *m)
{
  FlBatch *sources = fl_batch_new (FL_KIND_SOURCE);
  for (guint i = 0; i < m->images->len; i++)
    {
      const Images *images = m->images->pdata[i];
      fl_batch_append (sources, &(FlSourceRow){ images->number, images->frames, images->path, NULL });
    }
  return sources;
}

static gboolean
record_files (Import *m, GError **error)
{
  guint attempt = fl_attempt_make (m->out, 0, error);
  if (attempt == 0)
    return FALSE;
  g_autofree char *dir = fl_attempt_path (m->out, attempt);
  g_autoptr (FlBatch) sources = list_sources (m);
  for (guint i = 0; i < m->images->len; i++)
    ((Images *) m->images->pdata[i])->unnamed = 0;
  m->recorder = fl_recorder_open (dir, attempt, 0, 100, 1000, error);
  if (m->recorder == NULL)
    return FALSE;
  gboolean ok = fl_recorder_note (m->recorder, sources, error) && take_files (m, error);
  ok = fl_recorder_close (m->recorder, ok ? error : NULL) && ok;
  return ok && fl_master_write (m->out, attempt, sources, error);
}

static gboolean
import_files (Import *m, GError **error)
{
  g_autoptr (GArray) attempts = fl_attempt_list (m->out);
  if (attempts->len > 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: has results already, expected a new folder", m->out);
      return FALSE;
    }
  m->by_path = g_hash_table_new (g_str_hash, g_str_equal);
  m->images = g_ptr_array_new_with_free_func (images_free);
  m->seen = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  m->names = g_ptr_array_new_with_free_func (g_free);
  if (g_mkdir_with_parents (m->out, 0777) != 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: cannot be made", m->out);
      return FALSE;
    }
  if (!write_geometry (m, error) || !take_files (m, error) || !write_params (m, error))
    return FALSE;
  find_detector (m);
  return record_files (m, error);
}

static void
say (const Import *m)
{
  printf ("%s: %u shots of %u files, %u lattices, %" G_GUINT64_FORMAT " reflections\n", m->out, m->shots,
          m->images->len, m->lattices, m->reflections);
  if (m->repeated > 0)
    printf ("%u shots came again and were left out\n", m->repeated);
  if (m->guessed > 0)
    printf ("%u shots are numbered as they came: their images cannot be asked which frame they are\n",
            m->guessed);
  if (m->off_panel > 0)
    printf ("%u spots and reflections lie on panels that the detector does not have and were left out\n",
            m->off_panel);
  if (m->damaged > 0)
    printf ("%u damaged pieces were left out\n", m->damaged);
}

int
fl_program_import_results (int argc, char **argv)
{
  g_auto (Import) m = { 0 };
  const GOptionEntry entries[] = {
    { "out", 'o', 0, G_OPTION_ARG_FILENAME, &m.out, "New folder of the job", "DIR" },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &m.files, NULL,
      "FILE.stream|FILE.expt [FILE.refl]…" },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("– take in other programs' lattices as a job");
  g_option_context_add_main_entries (context, entries, NULL);
  g_autoptr (GError) error = NULL;
  if (!g_option_context_parse (context, &argc, &argv, &error))
    fprintf (stderr, "import-results: %s\n", error->message);
  else if (m.out == NULL || m.files == NULL)
    fprintf (stderr, "import-results: expected --out DIR and one file or more\n");
  else if (!import_files (&m, &error))
    return fl_program_fail ("import-results", error);
  else
    {
      say (&m);
      return 0;
    }
  return 2;
}
