/* geometry: a geometry file becomes the experiment's – kept in its folder, named by a new block that takes the place of another,
 * for all of its runs or from one run on. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/programs/program.h"
#include "engine/programs/programs.h"
#include "engine/store/people.h"
#include "engine/sfx/geometry-file.h"
#include "engine/shots/geom.h"
#include "engine/store/store.h"

#define PROGRAM "firstlight-control geometry"
#define FOLDER  "geometries" /* in the experiment's */
#define REFINED "refined.geom"

typedef struct
{
  char *store, *of, *name, *from_run, *source;
} Options;

static void
options_clear (Options *o)
{
  g_free (o->store);
  g_free (o->of);
  g_free (o->name);
  g_free (o->from_run);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

/* --- the file --- */

/* Of a job of refine-geometry or the file itself, checked. */
static char *
read_geometry (const Options *o, GError **error)
{
  g_autofree char *path = g_file_test (o->source, G_FILE_TEST_IS_DIR)
                              ? g_build_filename (o->source, REFINED, NULL)
                              : g_strdup (o->source);
  g_autofree char *absolute = g_canonicalize_filename (path, NULL);
  g_autofree char *folder = g_path_get_dirname (absolute);
  g_autoptr (FlGeom) geom = fl_geom_read (path, error);
  g_autofree char *text = NULL;
  if (geom == NULL || !g_file_get_contents (path, &text, NULL, error))
    return NULL;
  return fl_geometry_file_anchor (text, folder);
}

/* Kept under a name of its own; relative to the experiment's folder. */
static char *
keep (FlStore *store, const char *name, const char *text, GError **error)
{
  g_autofree char *folder = g_build_filename (fl_store_folder (store), FOLDER, NULL);
  g_autofree char *base = g_strdup (name);
  g_strcanon (base, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.", '_');
  g_autofree char *sum = g_compute_checksum_for_string (G_CHECKSUM_SHA256, text, -1);
  g_autofree char *file = g_strdup_printf ("%s-%.12s.geom", base, sum);
  g_autofree char *path = g_build_filename (folder, file, NULL);
  if (g_mkdir_with_parents (folder, 0777) != 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: cannot be made: %s", folder, g_strerror (errno));
      return NULL;
    }
  return g_file_set_contents (path, text, -1, error) ? g_build_filename (FOLDER, file, NULL) : NULL;
}

/* --- blocks --- */

/* The block whose place is taken; NULL without error: there is none at all. Of several that are active one must be named. */
static FlBlock *
find_base (FlStore *store, const Options *o, GError **error)
{
  if (o->of != NULL)
    {
      FlBlock *named = fl_store_find (store, FL_TABLE_BLOCK, o->of, error);
      if (named == NULL && *error == NULL)
        g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "--of %s: there is no such block", o->of);
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
                 "%u blocks are active, expected --of NAME: whose place the new one takes", n);
  return n == 1 ? fl_store_get (store, FL_TABLE_BLOCK, only->id, error) : NULL;
}

/* "base-2", or the next that is free. */
static char *
free_name (FlStore *store, const FlBlock *base, GError **error)
{
  const char *stem = base != NULL ? base->name : "geometry";
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
params_with (const FlBlock *base, const char *geometry, GError **error)
{
  g_autoptr (FlParams) params = fl_params_new ();
  if ((base != NULL && !fl_params_read (params, base->params, base->name, error))
      || !fl_params_set (params, "detector.geometry", geometry, error))
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
retire (FlStore *store, const Options *o, FlBlock *base, GError **error)
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

static gboolean
make_block (FlStore *store, const Options *o, const char *text, FlBlock *base, GError **error)
{
  g_autofree char *name = o->name != NULL ? g_strdup (o->name) : free_name (store, base, error);
  g_autofree char *path = name != NULL ? keep (store, name, text, error) : NULL;
  g_autofree char *params = path != NULL ? params_with (base, path, error) : NULL;
  if (params == NULL)
    return FALSE;
  FlBlock block = { .name = name,
                    .first_run = o->from_run != NULL ? o->from_run
                                 : base != NULL      ? base->first_run
                                                     : (char *) "",
                    .last_run = base != NULL ? base->last_run : (char *) "",
                    .params = params,
                    .active = TRUE };
  g_autofree char *last = g_strdup (block.last_run); /* the base's own is about to change */
  block.last_run = last;
  if ((base != NULL && !retire (store, o, base, error))
      || !fl_store_save (store, FL_TABLE_BLOCK, &block, error))
    return FALSE;
  printf ("block %s: %s\n", name, path);
  if (base != NULL)
    printf ("block %s: %s%s\n", base->name, base->active ? "up to run " : "off",
            base->active ? base->last_run : "");
  return TRUE;
}

static gboolean
check (FlStore *store, const Options *o, const FlBlock *base, GError **error)
{
  FlBlock *there = o->name != NULL ? fl_store_find (store, FL_TABLE_BLOCK, o->name, error) : NULL;
  gboolean taken = there != NULL;
  fl_record_free (FL_TABLE_BLOCK, there);
  if (taken)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "--name %s: there is such a block, expected a new name",
                 o->name);
  else if (*error == NULL && o->from_run != NULL && !is_inside (base, o->from_run))
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "--from-run %s: is not among the runs of block %s",
                 o->from_run, base->name);
  return *error == NULL;
}

static int
run (const Options *o)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = read_geometry (o, &error);
  g_autoptr (FlStore) store = text != NULL ? fl_store_open (o->store, FL_STORE_WRITE, &error) : NULL;
  if (store != NULL)
    fl_store_act_for_person (store, g_get_host_name ());
  if (store == NULL || !fl_store_begin (store, &error))
    return fl_program_fail (PROGRAM, error);
  FlBlock *base = find_base (store, o, &error);
  gboolean ok = error == NULL && check (store, o, base, &error) && make_block (store, o, text, base, &error)
                && fl_store_commit (store, &error);
  fl_record_free (FL_TABLE_BLOCK, base);
  return ok ? 0 : fl_program_fail (PROGRAM, error);
}

int
fl_program_geometry (int argc, char **argv)
{
  g_auto (Options) o = { 0 };
  const GOptionEntry entries[] = {
    { "store", 's', 0, G_OPTION_ARG_FILENAME, &o.store, "The experiment's folder", "PATH" },
    { "of", 0, 0, G_OPTION_ARG_STRING, &o.of,
      "The block whose place the new one takes (default: the active one)", "NAME" },
    { "name", 'n', 0, G_OPTION_ARG_STRING, &o.name, "What the new block is called", "NAME" },
    { "from-run", 'f', 0, G_OPTION_ARG_STRING, &o.from_run,
      "The first run that it is for; earlier ones keep theirs (default: all runs of the other block)",
      "RUN" },
    { NULL }
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (GOptionContext) context = g_option_context_new ("FILE.geom|FOLDER");
  g_option_context_set_summary (
      context,
      "Takes a geometry (of a file, or of the folder of refine-geometry) into the experiment: as a new "
      "block\n"
      "with the other parameters of the one whose place it takes. Active trials process its runs with it.");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    fprintf (stderr, "%s: %s\n", PROGRAM, error->message);
  else if (o.store == NULL || argc != 2)
    fprintf (stderr, "%s: expected --store FOLDER and a geometry\n", PROGRAM);
  else
    {
      o.source = argv[1];
      return run (&o);
    }
  return 2;
}
