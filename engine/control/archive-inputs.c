/* Files that parameters name: geometries, masks, models. */
#include <string.h>
#include <sys/stat.h>

#include "engine/base/error.h"
#include "engine/base/params.h"
#include "engine/control/archive-private.h"

#define MOST_GEOMETRY (16u << 20) /* bytes that are read in search of masks */

/* "inputs/NAME", another one when that is taken. */
static char *
input_path (const FlArchivePlan *plan, const char *source)
{
  g_autofree char *name = g_path_get_basename (source);
  char *path = g_build_filename ("inputs", name, NULL);
  for (guint i = 2; g_hash_table_contains (plan->taken, path); i++)
    {
      g_free (path);
      path = g_strdup_printf ("inputs/%u-%s", i, name);
    }
  return path;
}

/* Where that file is in the archive already. NULL: it is not. */
static const FlArchiveEntry *
entry_of (const FlArchivePlan *plan, const char *source)
{
  g_autofree char *path = fl_archive_plan_path (plan, source);
  const FlArchiveEntry *entry = path != NULL ? g_hash_table_lookup (plan->taken, path) : NULL;
  if (entry != NULL && strcmp (entry->source, source) == 0)
    return entry;
  for (guint i = 0; i < plan->entries->len; i++)
    {
      const FlArchiveEntry *one = plan->entries->pdata[i];
      if (g_str_has_prefix (one->path, "inputs/") && strcmp (one->source, source) == 0)
        return one;
    }
  return NULL;
}

/* A geometry may name masks, beside itself: "mask_file = bad.h5", "mask0_file = …". */
static void
add_masks (FlArchivePlan *plan, const char *source, const char *path, gint64 size)
{
  g_autofree char *text = NULL;
  gsize length = 0;
  if (size > MOST_GEOMETRY || !g_str_has_suffix (source, ".geom")
      || !g_file_get_contents (source, &text, &length, NULL))
    return;
  g_autofree char *from = g_path_get_dirname (source), *to = g_path_get_dirname (path);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    {
      const char *key = strstr (*line, "mask"), *equals = strchr (*line, '=');
      if (key == NULL || equals == NULL || equals < key || g_strstr_len (key, equals - key, "_file") == NULL)
        continue;
      g_autofree char *name = g_strstrip (g_strdup (equals + 1));
      g_autofree char *mask = g_build_filename (from, name, NULL), *there = g_build_filename (to, name, NULL);
      struct stat about;
      if (fl_archive_path_is_safe (name) && stat (mask, &about) == 0 && S_ISREG (about.st_mode))
        fl_archive_plan_add (plan, mask, there, about.st_size);
    }
}

/* FILE or FILE:/dataset, relative to the experiment's folder. */
static void
add_input (FlArchivePlan *plan, const char *text)
{
  g_autofree char *source = g_canonicalize_filename (text, plan->base);
  struct stat about;
  gboolean there = stat (source, &about) == 0;
  char *dataset = there ? NULL : strstr (source, ":/");
  if (dataset != NULL)
    {
      *dataset = '\0';
      there = stat (source, &about) == 0;
    }
  if (!there || !S_ISREG (about.st_mode))
    {
      g_autofree char *line = g_strdup_printf ("named by parameters, not found here: %s", source);
      if (!g_ptr_array_find_with_equal_func (plan->referenced, line, g_str_equal, NULL))
        g_ptr_array_add (plan->referenced, g_steal_pointer (&line));
      return;
    }
  const FlArchiveEntry *known = entry_of (plan, source);
  g_autofree char *path = known != NULL                            ? g_strdup (known->path)
                          : fl_path_is_within (source, plan->base) ? fl_archive_plan_path (plan, source)
                                                                   : input_path (plan, source);
  if (known == NULL && g_str_has_prefix (path, "inputs/"))
    {
      g_ptr_array_add (plan->places, g_strdup (source));
      g_ptr_array_add (plan->places, g_strdup (path));
    }
  fl_archive_plan_add (plan, source, path, about.st_size);
  add_masks (plan, source, path, about.st_size);
}

static void
add_inputs_of (FlArchivePlan *plan, const char *text)
{
  g_autoptr (FlParams) params = fl_params_new ();
  guint n = 0;
  const FlParamSpec *specs = fl_param_specs (&n);
  if (!fl_params_read (params, text, "",
                       NULL)) /* of another version: its names cannot be told from its values */
    return;
  for (guint i = 0; i < n; i++)
    {
      const char *value = fl_params_text (params, specs[i].name);
      if (specs[i].type == FL_PARAM_PATH && *value != '\0')
        add_input (plan, value);
    }
}

gboolean
fl_archive_plan_inputs (FlArchivePlan *plan, FlStore *store, GError **error)
{
  g_autoptr (GPtrArray) blocks = fl_store_list (store, FL_TABLE_BLOCK, error);
  g_autoptr (GPtrArray) trials = blocks != NULL ? fl_store_list (store, FL_TABLE_TRIAL, error) : NULL;
  g_autoptr (GPtrArray) tasks = trials != NULL ? fl_store_list (store, FL_TABLE_TASK, error) : NULL;
  if (tasks == NULL)
    return FALSE;
  for (guint i = 0; i < blocks->len; i++)
    add_inputs_of (plan, ((const FlBlock *) blocks->pdata[i])->params);
  for (guint i = 0; i < trials->len; i++)
    add_inputs_of (plan, ((const FlTrial *) trials->pdata[i])->params);
  for (guint i = 0; i < tasks->len; i++)
    add_inputs_of (plan, ((const FlTask *) tasks->pdata[i])->params);
  return TRUE;
}
