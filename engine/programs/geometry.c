/* geometry: a geometry file becomes the experiment's – kept in its folder, named by a new block that takes the place of another,
 * for all of its runs or from one run on. */
#include <stdio.h>
#include <string.h>

#include "engine/control/new-block.h"
#include "engine/programs/program.h"
#include "engine/programs/programs.h"
#include "engine/store/people.h"
#include "engine/sfx/geometry-file.h"
#include "engine/shots/geometry.h"

#define PROGRAM "firstlight-control geometry"
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
  g_autofree char *text = fl_geometry_read_text (path, error);
  return text != NULL ? fl_geometry_file_anchor (text, folder) : NULL;
}

static int
run (const Options *o)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = read_geometry (o, &error);
  g_autoptr (FlStore) store = text != NULL ? fl_store_open (o->store, FL_STORE_WRITE, &error) : NULL;
  if (store == NULL)
    return fl_program_fail (PROGRAM, error);
  fl_store_act_for_person (store, g_get_host_name ());
  const FlNewBlock wish = { .of = o->of,
                            .name = o->name,
                            .from_run = o->from_run,
                            .stem = "geometry",
                            .parameter = "detector.geometry",
                            .folder = "geometries",
                            .ending = ".geom",
                            .bytes = text,
                            .length = strlen (text) };
  g_autofree char *said = fl_new_block_make (store, &wish, &error);
  if (said == NULL)
    return fl_program_fail (PROGRAM, error);
  fputs (said, stdout);
  return 0;
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
  g_autoptr (GOptionContext) context = g_option_context_new ("FILE|FOLDER");
  g_option_context_set_summary (
      context,
      "Takes a geometry (of a file in any form, or of the folder of refine-geometry) into the experiment: as "
      "a new "
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
