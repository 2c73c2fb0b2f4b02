/* Integrates given predictions: integrate-tool GEOMETRY SHOTS PREDICTIONS [name=value …]
 *
 * PREDICTIONS: lines "frame h k l panel fs ss" (px from the panel's corner), by frame. Prints "frame h k l intensity sigma
 * background peak d flags" in the same order. With integration.method=profile the profiles are learned from the same
 * shots first. */
#include <stdio.h>
#include <string.h>

#include "engine/base/units.h"
#include "engine/sfx/integration.h"
#include "engine/sfx/shot-geometry.h"

typedef struct
{
  FlSource *source;
  FlDetector *detector;
  FlIntegrator *integrator;
  GArray *rows; /* FlReflectionRow of all frames; shot holds the frame */
  FlShot shot;
} Tool;

static gboolean
read_predictions (Tool *tool, const char *path)
{
  FILE *file = fopen (path, "r");
  if (file == NULL)
    return FALSE;
  g_autoptr (GHashTable) panels = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < tool->detector->n_panels; i++)
    g_hash_table_insert (panels, tool->detector->panels[i].name, GUINT_TO_POINTER (i));
  int frame, h, k, l;
  char panel[32];
  double fs, ss;
  while (fscanf (file, "%d %d %d %d %31s %lf %lf", &frame, &h, &k, &l, panel, &fs, &ss) == 7)
    {
      FlReflectionRow row = { .shot = (guint64) frame,
                              .h = (gint16) h,
                              .k = (gint16) k,
                              .l = (gint16) l,
                              .sigma = -1,
                              .panel = (guint16) GPOINTER_TO_UINT (g_hash_table_lookup (panels, panel)),
                              .fs = (float) fs,
                              .ss = (float) ss };
      FlVec3 at = fl_panel_position (&tool->detector->panels[row.panel], fs, ss);
      row.d = (float) fl_resolution (at, tool->detector->wavelength);
      g_array_append_val (tool->rows, row);
    }
  fclose (file);
  return tool->rows->len > 0;
}

/* All frames once: learning when `profiles` is there. */
static gboolean
pass (Tool *tool, FlProfiles *profiles, GError **error)
{
  FlReflectionRow *rows = (FlReflectionRow *) (void *) tool->rows->data;
  guint n = 0;
  for (guint first = 0; first < tool->rows->len; first += n)
    {
      for (n = 1; first + n < tool->rows->len && rows[first + n].shot == rows[first].shot;)
        n++;
      if (!fl_source_read (tool->source, (guint32) rows[first].shot, &tool->shot, error))
        return FALSE;
      fl_integrator_shot (tool->integrator, &tool->shot, tool->detector, 0, rows + first, n);
      if (profiles != NULL)
        fl_integrator_learn (tool->integrator, &tool->shot, tool->detector, 0, rows + first, n, profiles);
    }
  return TRUE;
}

int
main (int argc, char **argv)
{
  if (argc < 4)
    return 2;
  Tool tool = { .rows = g_array_new (FALSE, FALSE, sizeof (FlReflectionRow)) };
  g_autoptr (GError) error = NULL;
  g_autoptr (FlParams) params = fl_params_new ();
  gboolean good = TRUE;
  for (int i = 4; good && i < argc; i++)
    good = fl_params_set_assignment (params, argv[i], &error);
  tool.source = good ? fl_source_open (argv[2], &(FlSourceOptions){ .geometry = argv[1] }, &error) : NULL;
  tool.detector = tool.source != NULL ? fl_source_detector (tool.source) : NULL;
  tool.integrator = tool.source != NULL ? fl_integrator_new (params, &error) : NULL;
  good = tool.integrator != NULL && read_predictions (&tool, argv[3]);
  if (good && fl_params_choice (params, "integration.method") == 1)
    {
      g_autoptr (FlProfiles) profiles = fl_profiles_new (fl_params_real (params, "integration.radius") + 1);
      good = pass (&tool, profiles, &error);
      fl_integrator_set_profiles (tool.integrator, profiles);
    }
  good = good && pass (&tool, NULL, &error);
  for (guint i = 0; good && i < tool.rows->len; i++)
    {
      const FlReflectionRow *row = &g_array_index (tool.rows, FlReflectionRow, i);
      printf ("%d %d %d %d %.4f %.4f %.4f %.3f %.4f %u\n", (int) row->shot, row->h, row->k, row->l,
              row->intensity, row->sigma, row->background, row->peak, row->d, row->flags);
    }
  if (!good)
    fprintf (stderr, "%s\n", error != NULL ? error->message : "no predictions");
  fl_integrator_free (tool.integrator);
  fl_source_close (tool.source);
  fl_shot_clear (&tool.shot);
  g_array_unref (tool.rows);
  return good ? 0 : 1;
}
