#include "engine/programs/stills-inputs.h"

#include <string.h>

#include "engine/base/error.h"

static void
input_free (gpointer data)
{
  FlInput *input = data;
  g_free (input->path);
  g_free (input->message);
  g_clear_pointer (&input->only, g_array_unref);
  g_free (input);
}

guint32
fl_input_n (const FlInput *input)
{
  return input->only != NULL && input->frames > 0 ? input->only->len : input->frames;
}

guint32
fl_input_frame (const FlInput *input, guint32 i)
{
  return input->only != NULL ? g_array_index (input->only, guint32, i) : i;
}

/* --- arguments, at rank 0 --- */

static int
by_name (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static gboolean
ends_with_any (const char *name, const char *endings)
{
  g_auto (GStrv) all = g_strsplit (endings, " ", -1);
  for (char **ending = all; *ending != NULL; ending++)
    if (g_str_has_suffix (name, *ending))
      return name[0] != '.';
  return FALSE;
}

static GPtrArray *
files_ending (const char *folder, const char *endings)
{
  GPtrArray *paths = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    if (ends_with_any (name, endings))
      g_ptr_array_add (paths, g_build_filename (folder, name, NULL));
  g_ptr_array_sort (paths, by_name);
  return paths;
}

static GPtrArray *
folder_files (const char *folder, const FlInputReader *reader, GError **error)
{
  for (const char *const *endings = reader->endings; *endings != NULL; endings++)
    {
      g_autoptr (GPtrArray) paths = files_ending (folder, *endings);
      if (paths->len > 0)
        return g_steal_pointer (&paths);
    }
  g_autofree char *wanted = g_strjoinv (" ", (char **) (gpointer) reader->endings);
  g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: has no data files, expected %s", folder, wanted);
  return NULL;
}

typedef struct
{
  GPtrArray *inputs; /* FlInput */
  GHashTable *by_path, *by_base;
  const FlInputReader *reader;
} Table;

static gboolean
add_path (Table *table, const char *path, gint64 frame, GError **error)
{
  FlInput *input = g_hash_table_lookup (table->by_path, path);
  g_autofree char *base = g_path_get_basename (path);
  const FlInput *namesake = g_hash_table_lookup (table->by_base, base);
  if (input == NULL && namesake != NULL)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "%s: has the name of %s, expected files with names of their own", path, namesake->path);
      return FALSE;
    }
  if (strchr (path, '\n') != NULL)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "'%s': has a line break in its name, expected none",
                   path);
      return FALSE;
    }
  if (input == NULL)
    {
      input = g_new0 (FlInput, 1);
      input->path = g_strdup (path);
      input->only = frame >= 0 ? g_array_new (FALSE, FALSE, sizeof (guint32)) : NULL;
      g_ptr_array_add (table->inputs, input);
      g_hash_table_insert (table->by_path, input->path, input);
      g_hash_table_insert (table->by_base, g_strdup (base), input);
    }
  if (frame < 0)
    g_clear_pointer (&input->only, g_array_unref);
  else if (input->only != NULL)
    {
      guint32 number = (guint32) frame;
      g_array_append_val (input->only, number);
    }
  return TRUE;
}

static gboolean
add_argument (Table *table, const char *argument, GError **error)
{
  if (g_file_test (argument, G_FILE_TEST_IS_DIR))
    {
      g_autoptr (GPtrArray) paths = folder_files (argument, table->reader, error);
      for (guint i = 0; paths != NULL && i < paths->len; i++)
        if (!add_path (table, paths->pdata[i], -1, error))
          return FALSE;
      return paths != NULL;
    }
  g_autoptr (GArray) items = fl_source_expand (argument, error);
  for (guint i = 0; items != NULL && i < items->len; i++)
    {
      const FlSourceItem *item = &g_array_index (items, FlSourceItem, i);
      if (!add_path (table, item->path, item->frame, error))
        return FALSE;
    }
  return items != NULL;
}

static int
by_frame (gconstpointer a, gconstpointer b)
{
  guint32 x = *(const guint32 *) a, y = *(const guint32 *) b;
  return (x > y) - (x < y);
}

static void
sort_frames (FlInput *input)
{
  if (input->only == NULL)
    return;
  guint32 *frames = (guint32 *) (void *) input->only->data;
  guint kept = 0;
  g_array_sort (input->only, by_frame);
  for (guint i = 0; i < input->only->len; i++)
    if (i == 0 || frames[i] != frames[kept - 1])
      frames[kept++] = frames[i];
  g_array_set_size (input->only, kept);
}

static GPtrArray *
read_arguments (char **arguments, const FlInputReader *reader, GError **error)
{
  g_autoptr (GPtrArray) inputs = g_ptr_array_new_with_free_func (input_free);
  g_autoptr (GHashTable) by_path = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GHashTable) by_base = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  Table table = { inputs, by_path, by_base, reader };
  for (char **argument = arguments; *argument != NULL; argument++)
    if (!add_argument (&table, *argument, error))
      return NULL;
  for (guint i = 0; i < inputs->len; i++)
    sort_frames (inputs->pdata[i]);
  return g_steal_pointer (&inputs);
}

/* --- all ranks --- */

/* Rank 0's paths, or its error, for all. */
static GPtrArray *
share_paths (FlParallel *parallel, GPtrArray *inputs, const GError *why, GError **error)
{
  gboolean mine = fl_parallel_rank (parallel) == 0;
  guint code = (guint) fl_parallel_share_u64 (parallel, why != NULL ? (guint64) why->code + 1 : 0);
  GString *lines = g_string_new (why != NULL ? why->message : NULL);
  for (guint i = 0; inputs != NULL && i < inputs->len; i++)
    g_string_append_printf (lines, "%s%s", i > 0 ? "\n" : "", ((FlInput *) inputs->pdata[i])->path);
  g_autofree char *text = fl_parallel_share_text (parallel, lines->str);
  g_string_free (lines, TRUE);
  if (code > 0)
    {
      g_set_error_literal (error, FL_ERROR, (int) code - 1, text);
      return NULL;
    }
  if (mine)
    return inputs;
  inputs = g_ptr_array_new_with_free_func (input_free);
  g_auto (GStrv) paths = g_strsplit (text, "\n", -1);
  for (char **path = paths; *path != NULL; path++)
    {
      FlInput *input = g_new0 (FlInput, 1);
      input->path = g_strdup (*path);
      g_ptr_array_add (inputs, input);
    }
  return inputs;
}

/* "index frames message" lines of this rank's share. */
static char *
count_share (FlParallel *parallel, const GPtrArray *inputs, const FlInputReader *reader)
{
  GString *lines = g_string_new (NULL);
  for (guint i = fl_parallel_rank (parallel); i < inputs->len; i += fl_parallel_ranks (parallel))
    {
      g_autoptr (GError) why = NULL;
      guint32 frames = reader->count (((FlInput *) inputs->pdata[i])->path, reader->data, &why);
      g_autofree char *message = g_strdup (why != NULL ? why->message : "");
      g_strdelimit (message, "\n", ' ');
      g_string_append_printf (lines, "%u %u %s\n", i, why == NULL ? frames : 0, message);
    }
  return g_string_free (lines, FALSE);
}

static void
take_counts (GPtrArray *inputs, GBytes *part)
{
  gsize length;
  const char *bytes = g_bytes_get_data (part, &length);
  g_autofree char *text = length > 0 ? g_strndup (bytes, length) : g_strdup ("");
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line != NULL && **line != '\0'; line++)
    {
      char *end;
      FlInput *input = inputs->pdata[g_ascii_strtoull (*line, &end, 10)];
      input->frames = (guint32) g_ascii_strtoull (end, &end, 10);
      if (end[1] != '\0')
        input->message = g_strdup (end + 1);
    }
}

GPtrArray *
fl_inputs_read (FlParallel *parallel, char **arguments, const FlInputReader *reader, GError **error)
{
  g_autoptr (GError) why = NULL;
  GPtrArray *inputs = fl_parallel_rank (parallel) == 0 ? read_arguments (arguments, reader, &why) : NULL;
  inputs = share_paths (parallel, inputs, why, error);
  if (inputs == NULL)
    return NULL;
  g_autofree char *share = count_share (parallel, inputs, reader);
  g_autoptr (GPtrArray) parts = fl_parallel_gather (parallel, share, strlen (share));
  for (guint i = 0; parts != NULL && i < parts->len; i++)
    take_counts (inputs, parts->pdata[i]);
  return inputs;
}
