/* convert-geometry: a detector's geometry from one form to another. What the new form cannot hold is said, a line a kind. */

#include <stdio.h>

#include "engine/base/error.h"
#include "engine/programs/program.h"
#include "engine/programs/programs.h"
#include "engine/shots/geometry.h"

#define PROGRAM "convert-geometry"

static FlGeom *
read_input (const char *path, double distance, GError **error)
{
  FlGeometryForm form;
  FlGeom *geom = fl_geometry_read (path, &form, error);
  if (geom == NULL || distance <= 0)
    return geom;
  g_free (geom->clen.path);
  geom->clen = (FlGeomValue){ .value = distance, .factor = 1e3, .set = TRUE };
  return geom;
}

static int
convert (const char *input, FlGeometryForm to, const char *out, double distance, gboolean upright)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) losses = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (FlGeom) geom = read_input (input, distance, &error);
  if (geom != NULL && upright)
    printf ("axes made upright: corners move by up to %.3g mm\n", fl_geometry_make_upright (geom));
  if (geom == NULL || !fl_geometry_write (geom, to, out, losses, &error))
    return fl_program_fail (PROGRAM, error);
  for (guint i = 0; i < geom->notes->len; i++)
    fprintf (stderr, "%s: note: %s\n", PROGRAM, (char *) geom->notes->pdata[i]);
  for (guint i = 0; i < losses->len; i++)
    fprintf (stderr, "%s: %s does not hold %s\n", PROGRAM, fl_geometry_form_name (to),
             (char *) losses->pdata[i]);
  printf ("%u panels\n", geom->panels->len);
  return 0;
}

int
fl_program_convert_geometry (int argc, char **argv)
{
  g_autofree char *to = NULL, *out = NULL;
  double distance = 0;
  gboolean upright = FALSE;
  FlGeometryForm form;
  const GOptionEntry entries[] = {
    { "to", 't', 0, G_OPTION_ARG_STRING, &to,
      "crystfel (.geom), imgcif (the header of a CBF), psana, nxmx or dials (.expt)", "FORM" },
    { "out", 'o', 0, G_OPTION_ARG_FILENAME, &out, "Where it is written", "FILE" },
    { "distance", 'd', 0, G_OPTION_ARG_DOUBLE, &distance,
      "Camera length, mm, where the geometry says that it is in the data", "MM" },
    { "upright", 'u', 0, G_OPTION_ARG_NONE, &upright,
      "Turn axes of panels that are no right angle (DIALS takes none that is off by 1e-6)", NULL },
    { NULL }
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (GOptionContext) context = g_option_context_new ("GEOMETRY");
  g_option_context_set_summary (
      context,
      "Writes a detector's geometry (.geom, NXmx, imgCIF, a table of psana or an .expt of DIALS; its "
      "form is known by what it holds)\nin another form. What that cannot hold is said, a line a kind.");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    fprintf (stderr, "%s: %s\n", PROGRAM, error->message);
  else if (argc != 2 || to == NULL || out == NULL)
    fprintf (stderr, "%s: expected one geometry, --to FORM and --out FILE\n", PROGRAM);
  else if (!fl_geometry_form_find (to, &form))
    fprintf (stderr, "%s: --to '%s' is not a form, expected crystfel, imgcif, psana, nxmx or dials\n",
             PROGRAM, to);
  else
    return convert (argv[1], form, out, distance, upright);
  return 2;
}
