/* From known orientations to intensities: integrate-truth SET D_MIN [name=value …]
 *
 * SET as for set_open(). Of each frame with a crystal: refinement from the truth, mosaic model, prediction, integration.
 * Prints "frame h k l intensity sigma excitation partiality d flags"; and a line "# frame rmsd domain mosaicity" each, at
 * the end "# half-width" of the rocking curve (1/Å). Profiles and curve are learned from the same frames first. */
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/units.h"
#include "engine/sfx/integration.h"
#include "engine/sfx/prediction.h"
#include "engine/sfx/refinement.h"
#include "tests/sfx/sets.h"

typedef struct
{
  Set *set;
  FlSource *source;
  FlParams *params;
  FlIntegrator *integrator;
  FlShot shot;
  GArray **rows; /* of FlReflectionRow, one a frame */
} Tool;

/* The frame's predictions. */
static GArray *
predict (Tool *tool, const SetFrame *frame, double d_min)
{
  FlShotGeometry geometry = set_geometry (tool->set);
  FlRefined refined = { .star = frame->star };
  FlPair *pairs = g_new0 (FlPair, frame->n_spots);
  const char *why = "";
  if (!fl_refine (tool->params, &geometry, frame->spots, frame->n_spots, &tool->set->known, &refined, pairs,
                  &why))
    fprintf (stderr, "frame %u: %s\n", frame->event, why);
  geometry.shift = refined.shift;
  FlMosaic mosaic;
  fl_mosaic_fit (tool->params, &geometry, frame->spots, pairs, frame->n_spots, NULL, &mosaic);
  printf ("# %u %.3f %.0f %.5f\n", frame->event, refined.rmsd, mosaic.domain_size, mosaic.mosaicity);
  GArray *rows = g_array_new (FALSE, FALSE, sizeof (FlReflectionRow));
  fl_predict (&geometry, &refined.star, 'P', &mosaic, d_min, rows);
  g_free (pairs);
  return rows;
}

/* All frames once: learning when `profiles` is there. */
static void
pass (Tool *tool, FlProfiles *profiles)
{
  GError *error = NULL;
  for (guint i = 0; i < tool->set->frames->len; i++)
    {
      FlReflectionRow *rows = (FlReflectionRow *) (void *) tool->rows[i]->data;
      guint n = tool->rows[i]->len;
      fl_source_read (tool->source, g_array_index (tool->set->frames, SetFrame, i).event, &tool->shot,
                      &error);
      g_assert_no_error (error);
      fl_integrator_shot (tool->integrator, &tool->shot, tool->set->detector, 0, rows, n);
      if (profiles != NULL)
        fl_integrator_learn (tool->integrator, &tool->shot, tool->set->detector, 0, rows, n, profiles);
    }
}

static void
print_rows (const Tool *tool)
{
  for (guint i = 0; i < tool->set->frames->len; i++)
    for (guint j = 0; j < tool->rows[i]->len; j++)
      {
        const FlReflectionRow *row = &g_array_index (tool->rows[i], FlReflectionRow, j);
        printf ("%u %d %d %d %.4f %.4f %.6f %.4f %.4f %u\n",
                g_array_index (tool->set->frames, SetFrame, i).event, row->h, row->k, row->l, row->intensity,
                row->sigma, row->excitation, row->partiality, row->d, row->flags);
      }
}

int
main (int argc, char **argv)
{
  if (argc < 3)
    return 2;
  GError *error = NULL;
  Tool tool = { .params = fl_params_new () };
  for (int i = 3; i < argc; i++)
    {
      fl_params_set_assignment (tool.params, argv[i], &error);
      g_assert_no_error (error);
    }
  tool.set = set_open (argv[1]);
  g_autofree char *base = g_build_filename (g_getenv ("FIRSTLIGHT_TEST_DATA"), argv[1], NULL);
  g_autofree char *path = g_strconcat (base, ".h5", NULL), *geometry = g_strconcat (base, ".geom", NULL);
  tool.source = fl_source_open (path, &(FlSourceOptions){ .geometry = geometry }, &error);
  g_assert_no_error (error);
  tool.integrator = fl_integrator_new (tool.params, &error);
  g_assert_no_error (error);
  tool.rows = g_new0 (GArray *, tool.set->frames->len);
  for (guint i = 0; i < tool.set->frames->len; i++)
    tool.rows[i] = predict (&tool, &g_array_index (tool.set->frames, SetFrame, i), atof (argv[2]));
  g_autoptr (FlProfiles) profiles = fl_profiles_new (fl_params_real (tool.params, "integration.radius") + 1);
  pass (&tool, profiles);
  fl_integrator_set_profiles (tool.integrator, profiles);
  pass (&tool, NULL);
  print_rows (&tool);
  printf ("# half-width %.3g\n", fl_profiles_half_width (profiles));
  for (guint i = 0; i < tool.set->frames->len; i++)
    g_array_free (tool.rows[i], TRUE);
  g_free (tool.rows);
  fl_shot_clear (&tool.shot);
  fl_integrator_free (tool.integrator);
  fl_source_close (tool.source);
  set_free (tool.set);
  fl_params_free (tool.params);
  return 0;
}
