#include "engine/shots/constants-files.h"

#include <string.h>

#include "engine/base/error.h"

#define LEVELS 4 /* of folders above a detector's */

static const char *const psana_types[FL_CONSTANT_KINDS] = { "pedestals",   "pixel_gain",   "pixel_offset",
                                                            "pixel_rms",   "pixel_status", "pixel_threshold",
                                                            "pixel_config" };

static const struct
{
  const char *part;
  FlDetectorKind kind;
} kind_names[] = { { "jungfrau", FL_DETECTOR_JUNGFRAU }, { "epix10k", FL_DETECTOR_EPIX10K },
                   { "agipd", FL_DETECTOR_AGIPD },       { "cspad", FL_DETECTOR_CSPAD },
                   { "plain", FL_DETECTOR_PLAIN },       { "auto", FL_DETECTOR_AUTO } };

FlDetectorKind
fl_detector_kind_of_name (const char *name)
{
  g_autofree char *lower = g_ascii_strdown (name, -1);
  for (gsize i = 0; i < G_N_ELEMENTS (kind_names); i++)
    if (strstr (lower, kind_names[i].part) != NULL)
      return kind_names[i].kind;
  return FL_DETECTOR_AUTO;
}

const char *
fl_detector_kind_name (FlDetectorKind kind)
{
  for (gsize i = 0; i < G_N_ELEMENTS (kind_names); i++)
    if (kind_names[i].kind == kind)
      return kind_names[i].part;
  return "";
}

void
fl_constant_files_clear (FlConstantFiles *files)
{
  for (guint i = 0; i < FL_CONSTANT_KINDS; i++)
    fl_ndarray_clear (&files->arrays[i]);
}

/* "mod2" before "mod10". */
static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strverscmp (*(const char *const *) a, *(const char *const *) b);
}

/* The names in a folder, sorted; empty when it cannot be read. */
static GPtrArray *
list_folder (const char *path)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  GDir *dir = g_dir_open (path, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    if (*name != '.')
      g_ptr_array_add (names, g_strdup (name));
  if (dir != NULL)
    g_dir_close (dir);
  g_ptr_array_sort (names, compare_names);
  return names;
}

/* --- psana's folders --- */

static void
find_detectors (const char *folder, guint levels, GPtrArray *found)
{
  g_autofree char *pedestals = g_build_filename (folder, psana_types[FL_CONSTANT_PEDESTAL], NULL);
  if (g_file_test (pedestals, G_FILE_TEST_IS_DIR))
    {
      g_ptr_array_add (found, g_strdup (folder));
      return;
    }
  if (levels == 0)
    return;
  g_autoptr (GPtrArray) names = list_folder (folder);
  for (guint i = 0; i < names->len; i++)
    {
      g_autofree char *below = g_build_filename (folder, names->pdata[i], NULL);
      if (g_file_test (below, G_FILE_TEST_IS_DIR))
        find_detectors (below, levels - 1, found);
    }
}

/* The one of `found` that is asked for; NULL: *error. */
static const char *
choose_detector (const FlCalibrationOptions *options, const GPtrArray *found, GError **error)
{
  const char *chosen = NULL;
  guint n = 0;
  g_autoptr (GString) names = g_string_new ("");
  for (guint i = 0; i < found->len; i++)
    {
      const char *name = (const char *) found->pdata[i] + strlen (options->constants);
      g_string_append_printf (names, "%s%s", i > 0 ? ", " : "", name + strspn (name, "/"));
      if (strstr (name, options->source) == NULL)
        continue;
      chosen = found->pdata[i];
      n++;
    }
  if (n == 1)
    return chosen;
  g_set_error (error, FL_ERROR, n == 0 ? FL_ERROR_MISSING : FL_ERROR_INPUT,
               "%s: %u of its detectors (%.300s) are called '%s', expected detector.source to name one",
               options->constants, n, names->str, options->source);
  return NULL;
}

/* RUN-END.data; FALSE: another name. */
static gboolean
parse_range (const char *name, gint64 *first, gint64 *last)
{
  char *end;
  if (!g_ascii_isdigit (*name))
    return FALSE;
  *first = (gint64) g_ascii_strtoull (name, &end, 10);
  if (*first < 0 || *end != '-')
    return FALSE;
  const char *rest = end + 1;
  if (g_str_has_prefix (rest, "end"))
    {
      *last = G_MAXINT64;
      return strcmp (rest + 3, ".data") == 0;
    }
  if (!g_ascii_isdigit (*rest))
    return FALSE;
  *last = (gint64) g_ascii_strtoull (rest, &end, 10);
  return *last >= 0 && strcmp (end, ".data") == 0;
}

/* The file whose runs hold `run` and begin last; NULL: none. */
static char *
choose_run (const char *folder, gint64 run)
{
  g_autoptr (GPtrArray) names = list_folder (folder);
  const char *chosen = NULL;
  gint64 best = -1, first, last;
  for (guint i = 0; i < names->len; i++)
    if (parse_range (names->pdata[i], &first, &last) && (run < 0 || (first <= run && run <= last))
        && first >= best)
      {
        best = first;
        chosen = names->pdata[i];
      }
  return chosen != NULL ? g_build_filename (folder, chosen, NULL) : NULL;
}

static gboolean
read_psana (const FlCalibrationOptions *options, const char *detector, FlConstantFiles *files, GError **error)
{
  files->kind = fl_detector_kind_of_name (detector + strlen (options->constants));
  for (guint i = 0; i < FL_CONSTANT_KINDS; i++)
    {
      g_autofree char *folder = g_build_filename (detector, psana_types[i], NULL);
      g_autofree char *path = choose_run (folder, options->run);
      if (path != NULL && !fl_ndarray_read (path, 0, 1, &files->arrays[i], error))
        return FALSE;
      if (path != NULL || i != FL_CONSTANT_PEDESTAL)
        continue;
      g_autofree char *whose =
          options->run < 0 ? g_strdup ("any run") : g_strdup_printf ("run %" G_GINT64_FORMAT, options->run);
      g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: no constants of %s, expected a file RUN-END.data",
                   folder, whose);
      return FALSE;
    }
  return TRUE;
}

/* --- folders of arrays --- */

static FlConstantKind
kind_of_name (const char *name)
{
  static const struct
  {
    const char *part;
    FlConstantKind kind;
  } parts[] = { { "rms", FL_CONSTANT_RMS },          { "noise", FL_CONSTANT_RMS },
                { "thresh", FL_CONSTANT_THRESHOLD }, { "offset", FL_CONSTANT_OFFSET },
                { "status", FL_CONSTANT_STATUS },    { "mask", FL_CONSTANT_STATUS },
                { "config", FL_CONSTANT_CONFIG },    { "pede", FL_CONSTANT_PEDESTAL },
                { "dark", FL_CONSTANT_PEDESTAL },    { "gain", FL_CONSTANT_GAIN } };
  g_autofree char *lower = g_ascii_strdown (name, -1);
  for (gsize i = 0; i < G_N_ELEMENTS (parts); i++)
    if (strstr (lower, parts[i].part) != NULL)
      return parts[i].kind;
  return FL_CONSTANT_KINDS;
}

/* 0 to 6 after a g, as in G0; -1: the name tells no gain. */
static int
stage_of_name (const char *name)
{
  for (const char *at = name; *at != '\0'; at++)
    if ((*at == 'g' || *at == 'G') && at[1] >= '0' && at[1] < '0' + FL_GAIN_STAGES
        && !g_ascii_isdigit (at[2]))
      return at[1] - '0';
  return -1;
}

static gboolean
is_array (const char *name)
{
  static const char *const endings[] = { ".bin", ".raw", ".npy", ".txt", ".data", NULL };
  for (const char *const *end = endings; *end != NULL; end++)
    if (g_str_has_suffix (name, *end))
      return TRUE;
  return FALSE;
}

/* One file, or the modules of one gain; appended to `to`, whose first dimension grows. */
static gboolean
append_parts (const char *folder, const GPtrArray *parts, gsize n_pixels, guint stages, FlNdarray *to,
              GError **error)
{
  for (guint i = 0; i < parts->len; i++)
    {
      g_autofree char *path = g_build_filename (folder, parts->pdata[i], NULL);
      g_auto (FlNdarray) part = { 0 };
      if (!fl_ndarray_read (path, n_pixels / parts->len, parts->len > 1 ? 1 : stages, &part, error))
        return FALSE;
      if (to->values == NULL)
        {
          *to = part;
          part = (FlNdarray){ 0 };
          continue;
        }
      to->values = g_renew (float, to->values, to->n + part.n);
      memcpy (to->values + to->n, part.values, part.n * sizeof (float));
      to->n += part.n;
      to->n_dims = 1;
      to->dims[0] = to->n;
    }
  return TRUE;
}

/* Those of `names` that are of this kind and gain. */
static GPtrArray *
select_names (const GPtrArray *names, FlConstantKind kind, int stage)
{
  GPtrArray *parts = g_ptr_array_new ();
  for (guint i = 0; i < names->len; i++)
    if (is_array (names->pdata[i]) && kind_of_name (names->pdata[i]) == kind
        && stage_of_name (names->pdata[i]) == stage)
      g_ptr_array_add (parts, names->pdata[i]);
  return parts;
}

static gboolean
read_arrays (const char *folder, gsize n_pixels, guint stages, FlConstantFiles *files, GError **error)
{
  g_autoptr (GPtrArray) names = list_folder (folder);
  for (guint kind = 0; kind < FL_CONSTANT_KINDS; kind++)
    for (int stage = -1; stage < FL_GAIN_STAGES; stage++)
      {
        g_autoptr (GPtrArray) parts = select_names (names, kind, stage);
        if (parts->len > 0
            && !append_parts (folder, parts, n_pixels, stage < 0 ? stages : 1, &files->arrays[kind], error))
          return FALSE;
      }
  for (guint i = 0; i < names->len; i++)
    {
      g_autofree char *path = g_build_filename (folder, names->pdata[i], NULL);
      if ((g_str_has_suffix (path, ".h5") || g_str_has_suffix (path, ".hdf5"))
          && !fl_constant_files_add_hdf5 (path, files, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
fl_constant_files_read (const FlCalibrationOptions *options, gsize n_pixels, guint stages,
                        FlConstantFiles *files, GError **error)
{
  const char *path = options->constants;
  g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func (g_free);
  if (!g_file_test (path, G_FILE_TEST_IS_DIR))
    {
      if (!fl_constant_files_add_hdf5 (path, files, error))
        return FALSE;
    }
  else
    {
      find_detectors (path, LEVELS, found);
      if (found->len > 0)
        {
          const char *detector = choose_detector (options, found, error);
          if (detector == NULL || !read_psana (options, detector, files, error))
            return FALSE;
        }
      else if (!read_arrays (path, n_pixels, stages, files, error))
        return FALSE;
    }
  if (files->arrays[FL_CONSTANT_PEDESTAL].values != NULL)
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_MISSING,
               "%s: has no pedestals, expected psana's folders, arrays named pede…, or HDF5 with pedestals",
               path);
  return FALSE;
}
