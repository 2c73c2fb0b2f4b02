#include "engine/control/new-block.h"

#include <errno.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/params.h"

/* --- the file --- */

/* Kept under a name of its own; relative to the experiment's folder. */
static char *
keep (FlStore *store, const FlNewBlock *o, const char *name, GError **error)
{
  g_autofree char *folder = g_build_filename (fl_store_folder (store), o->folder, NULL);
  g_autofree char *base = g_strdup (name);
  g_strcanon (base, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.", '_');
  g_autofree char *sum = g_compute_checksum_for_data (G_CHECKSUM_SHA256, o->bytes, o->length);
  g_autofree char *file = g_strdup_printf ("%s-%.12s%s", base, sum, o->ending);
  g_autofree char *path = g_build_filename (folder, file, NULL);
  if (g_mkdir_with_parents (folder, 0777) != 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: cannot be made: %s", folder, g_strerror (errno));
      return NULL;
    }
  return g_file_set_contents (path, o->bytes, (gssize) o->length, error)
             ? g_build_filename (o->folder, file, NULL)
             : NULL;
}

/* --- the block --- */

/* The block whose place is taken; NULL without error: there is none at all. Of several that are active one must be named. */
static FlBlock *
find_base (FlStore *store, const FlNewBlock *o, GError **error)
{
  if (o->of != NULL)
    {
      FlBlock *named = fl_store_find (store, FL_TABLE_BLOCK, o->of, error);
      if (named == NULL && *error == NULL)
        g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: there is no such block", o->of);
      return named;
    }
  g_autoptr (GPtrArray) blocks = fl_store_list (store, FL_TABLE_BLOCK, error);
  const FlBlock *only = NULL;
  guint n = 0;
  for (guint i = 0; blocks != NULL && i < blocks->len; i++)
    if (((const FlBlock *) blocks->pdata[i])->active)
      {
        only = blocks->pdata[i];
        n++;
      }
  if (n > 1)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                 "%u blocks are active, expected the name of the one whose place the new one takes", n);
  return n == 1 ? fl_store_get (store, FL_TABLE_BLOCK, only->id, error) : NULL;
}

/* "base-2", or the next that is free. */
static char *
free_name (FlStore *store, const FlBlock *base, const char *other, GError **error)
{
  const char *stem = base != NULL ? base->name : other;
  for (guint i = base != NULL ? 2 : 1;; i++)
    {
      char *name = i > 1 ? g_strdup_printf ("%s-%u", stem, i) : g_strdup (stem);
      g_autoptr (GError) failed = NULL;
      FlBlock *there = fl_store_find (store, FL_TABLE_BLOCK, name, &failed);
      if (there == NULL && failed == NULL)
        return name;
      fl_record_free (FL_TABLE_BLOCK, there);
      g_free (name);
      if (failed != NULL)
        {
          g_propagate_error (error, g_steal_pointer (&failed));
          return NULL;
        }
    }
}

static char *
params_with (const FlBlock *base, const char *parameter, const char *path, GError **error)
{
  g_autoptr (FlParams) params = fl_params_new ();
  if ((base != NULL && !fl_params_read (params, base->params, base->name, error))
      || !fl_params_set (params, parameter, path, error))
    return NULL;
  return fl_params_write_changed (params, NULL);
}

/* Name of the last run before `from`; "" when there is none. NULL with error. */
static char *
run_before (FlStore *store, const char *from, GError **error)
{
  g_autoptr (GPtrArray) runs = fl_store_list (store, FL_TABLE_RUN, error);
  const char *last = "";
  for (guint i = 0; runs != NULL && i < runs->len; i++)
    {
      const char *name = ((const FlRun *) runs->pdata[i])->name;
      if (fl_run_name_compare (name, from) < 0 && (*last == '\0' || fl_run_name_compare (last, name) < 0))
        last = name;
    }
  return runs != NULL ? g_strdup (last) : NULL;
}

static gboolean
is_inside (const FlBlock *base, const char *run)
{
  return base == NULL
         || ((*base->first_run == '\0' || fl_run_name_compare (base->first_run, run) <= 0)
             && (*base->last_run == '\0' || fl_run_name_compare (run, base->last_run) <= 0));
}

/* The old one ends before that run, or, when it would have no run left, is off. */
static gboolean
retire (FlStore *store, const FlNewBlock *o, FlBlock *base, GError **error)
{
  g_autofree char *last = o->from_run != NULL ? run_before (store, o->from_run, error) : g_strdup ("");
  if (last == NULL)
    return FALSE;
  if (*last != '\0' && is_inside (base, last))
    {
      g_free (base->last_run);
      base->last_run = g_strdup (last);
    }
  else
    base->active = FALSE;
  return fl_store_save (store, FL_TABLE_BLOCK, base, error);
}

/* What is said of it; NULL with error. */
static char *
make_block (FlStore *store, const FlNewBlock *o, FlBlock *base, GError **error)
{
  g_autofree char *name = o->name != NULL ? g_strdup (o->name) : free_name (store, base, o->stem, error);
  g_autofree char *path = name != NULL ? keep (store, o, name, error) : NULL;
  g_autofree char *params = path != NULL ? params_with (base, o->parameter, path, error) : NULL;
  if (params == NULL)
    return NULL;
  FlBlock block = { .name = name,
                    .first_run = o->from_run != NULL ? (char *) o->from_run
                                 : base != NULL      ? base->first_run
                                                     : (char *) "",
                    .last_run = base != NULL ? base->last_run : (char *) "",
                    .params = params,
                    .active = TRUE };
  g_autofree char *last = g_strdup (block.last_run); /* the base's own is about to change */
  block.last_run = last;
  if ((base != NULL && !retire (store, o, base, error))
      || !fl_store_save (store, FL_TABLE_BLOCK, &block, error))
    return NULL;
  if (base == NULL)
    return g_strdup_printf ("block %s: %s\n", name, path);
  return g_strdup_printf ("block %s: %s\nblock %s: %s%s\n", name, path, base->name,
                          base->active ? "up to run " : "off", base->active ? base->last_run : "");
}

static gboolean
check (FlStore *store, const FlNewBlock *o, const FlBlock *base, GError **error)
{
  FlBlock *there = o->name != NULL ? fl_store_find (store, FL_TABLE_BLOCK, o->name, error) : NULL;
  gboolean taken = there != NULL;
  fl_record_free (FL_TABLE_BLOCK, there);
  if (taken)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: there is such a block, expected a new name", o->name);
  else if (*error == NULL && o->from_run != NULL && !is_inside (base, o->from_run))
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "run %s is not among the runs of block %s", o->from_run,
                 base->name);
  return *error == NULL;
}

char *
fl_new_block_make (FlStore *store, const FlNewBlock *wish, GError **error)
{
  g_autoptr (GError) failed = NULL;
  g_autofree char *said = NULL;
  if (!fl_store_begin (store, error))
    return NULL;
  FlBlock *base = find_base (store, wish, &failed);
  if (failed == NULL && check (store, wish, base, &failed))
    said = make_block (store, wish, base, &failed);
  fl_record_free (FL_TABLE_BLOCK, base);
  if (said != NULL && fl_store_commit (store, &failed))
    return g_steal_pointer (&said);
  fl_store_rollback (store);
  g_propagate_error (error, g_steal_pointer (&failed));
  return NULL;
}
