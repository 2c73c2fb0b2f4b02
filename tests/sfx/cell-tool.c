/* cell-tool [--set NAME=VALUE]… [--geometry FILE] SOURCE… | --list FILE…: cells of shots, one by one and together.
 *
 * A line a proposal: "proposal a b c alpha beta gamma type centring members shots confidence"; before them a line a shot:
 * "shot number spots explained confidence a b c alpha beta gamma" of its best candidate, conventional by itself; at the
 * end "cpu MS" a shot. A list is a text file: nine numbers, then a spot a line (x y z in 1/Å). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/units.h"
#include "engine/sfx/cell-search.h"
#include "engine/sfx/shot-geometry.h"
#include "engine/sfx/spot-finding.h"

#define MOST 5

typedef struct
{
  FlParams *params;
  FlSpotFinder *finder;
  FlCellSearch *search;
  GArray *candidates, *first;
  guint shots;
  double cpu; /* ms */
} Tool;

static void
check (gboolean good, GError *error)
{
  if (good)
    return;
  fprintf (stderr, "cell-tool: %s\n", error->message);
  exit (1);
}

static double
cpu_ms (void)
{
  struct timespec t;
  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &t);
  return 1e3 * (double) t.tv_sec + 1e-6 * (double) t.tv_nsec;
}

static void
print_cell (const FlCell *c)
{
  printf (" %.3f %.3f %.3f %.3f %.3f %.3f", c->a, c->b, c->c, fl_degrees (c->alpha), fl_degrees (c->beta),
          fl_degrees (c->gamma));
}

static void
search (Tool *tool, const GArray *q, const float *intensity)
{
  GError *error = NULL;
  FlCellCandidate candidates[MOST];
  double before = cpu_ms ();
  guint n = fl_cell_search_shot (tool->search, (const FlVec3 *) q->data, intensity, q->len, candidates, MOST,
                                 &error);
  check (n != G_MAXUINT, error);
  tool->cpu += cpu_ms () - before;
  g_array_append_vals (tool->candidates, candidates, n);
  g_array_append_val (tool->first, tool->candidates->len);
  tool->shots++;
  for (guint i = 0; i < n; i++)
    {
      FlMat3 conventional;
      FlLatticeType type;
      char centring;
      if (!fl_lattice_conventional (&candidates[i].star, 0.015, 0.015, &conventional, &type, &centring))
        continue;
      FlCell cell = fl_lattice_cell (&conventional);
      printf ("%s %u %u %u %.4f", i == 0 ? "shot" : "other", tool->shots, q->len, candidates[i].n_explained,
              candidates[i].confidence);
      print_cell (&cell);
      printf (" %s %c\n", fl_lattice_type_name (type), centring);
    }
}

static void
search_source (Tool *tool, const char *path, const char *geometry, gint64 only)
{
  GError *error = NULL;
  FlSourceOptions options = { .geometry = geometry };
  g_autoptr (FlSource) source = fl_source_open (path, &options, &error);
  check (source != NULL, error);
  FlDetector *detector = fl_source_detector (source);
  guint32 begin = only < 0 ? 0 : (guint32) only, end = only < 0 ? fl_source_n_frames (source) : begin + 1;
  g_auto (FlShot) shot = { 0 };
  for (guint32 frame = begin; frame < end; frame++)
    {
      FlFound found;
      check (fl_source_read (source, frame, &shot, &error), error);
      check (fl_spot_finder_find (tool->finder, &shot, detector, &found, &error), error);
      if (!found.hit)
        continue;
      FlShotGeometry view = { .detector = detector,
                              .shift = shot.shift,
                              .wavelength = fl_wavelength_from_energy (shot.energy) };
      g_autoptr (GArray) q = g_array_new (FALSE, FALSE, sizeof (FlVec3));
      g_autofree float *intensity = g_new (float, found.n_spots);
      for (guint i = 0; i < found.n_spots; i++)
        {
          const FlSpotRow *spot = &found.spots[i];
          FlVec3 place = fl_shot_geometry_q (&view, spot->panel, (double) spot->fs, (double) spot->ss);
          g_array_append_val (q, place);
          intensity[i] = spot->intensity;
        }
      search (tool, q, intensity);
    }
}

static void
search_sources (Tool *tool, const char *argument, const char *geometry)
{
  GError *error = NULL;
  g_autoptr (GArray) items = fl_source_expand (argument, &error);
  check (items != NULL, error);
  for (guint i = 0; i < items->len; i++)
    {
      const FlSourceItem *item = &g_array_index (items, FlSourceItem, i);
      search_source (tool, item->path, geometry, item->frame);
    }
}

static void
search_list (Tool *tool, const char *path)
{
  GError *error = NULL;
  g_autofree char *text = NULL;
  check (g_file_get_contents (path, &text, NULL, &error), error);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autoptr (GArray) q = g_array_new (FALSE, FALSE, sizeof (FlVec3));
  gboolean header = TRUE;
  for (guint i = 0; lines[i] != NULL; i++)
    {
      FlVec3 spot;
      if (lines[i][0] == '#' || sscanf (lines[i], "%lf %lf %lf", &spot.x, &spot.y, &spot.z) != 3)
        continue;
      if (!header)
        g_array_append_val (q, spot);
      header = FALSE;
    }
  search (tool, q, NULL);
}

static void
print_proposals (const Tool *tool)
{
  g_autoptr (GArray) proposals = fl_cell_consensus ((const FlCellCandidate *) tool->candidates->data,
                                                    (const guint *) tool->first->data, tool->shots, 5);
  for (guint i = 0; i < proposals->len; i++)
    {
      const FlCellProposal *proposal = &g_array_index (proposals, FlCellProposal, i);
      printf ("proposal");
      print_cell (&proposal->cell.cell);
      printf (" %s %c %u %u %.4f\n", fl_lattice_type_name (proposal->cell.type), proposal->cell.centring,
              proposal->members, proposal->shots, proposal->confidence);
    }
  printf ("cpu %.1f\n", tool->cpu / MAX (tool->shots, 1));
}

int
main (int argc, char **argv)
{
  GError *error = NULL;
  char why[512];
  g_autoptr (FlParams) params = fl_params_new ();
  Tool tool = { .params = params,
                .candidates = g_array_new (FALSE, FALSE, sizeof (FlCellCandidate)),
                .first = g_array_new (FALSE, TRUE, sizeof (guint)) };
  g_array_set_size (tool.first, 1);
  const char *geometry = NULL;
  gboolean lists = FALSE;
  int next = 1;
  for (; next < argc && argv[next][0] == '-'; next++)
    if (strcmp (argv[next], "--set") == 0)
      check (fl_params_set_assignment (params, argv[++next], &error), error);
    else if (strcmp (argv[next], "--geometry") == 0)
      geometry = argv[++next];
    else
      lists = strcmp (argv[next], "--list") == 0;
  FlkDevice *device = flk_device_open (fl_params_text (params, "engine.device"), 0, 1, why, sizeof why);
  if (device == NULL)
    g_error ("%s", why);
  tool.finder = fl_spot_finder_new (params, 0, NULL, &error);
  check (tool.finder != NULL, error);
  tool.search = fl_cell_search_new (params, device, &error);
  check (tool.search != NULL, error);
  for (; next < argc; next++)
    if (lists)
      search_list (&tool, argv[next]);
    else
      search_sources (&tool, argv[next], geometry);
  print_proposals (&tool);
  fl_cell_search_free (tool.search);
  fl_spot_finder_free (tool.finder);
  flk_device_close (device);
  g_array_unref (tool.candidates);
  g_array_unref (tool.first);
  return 0;
}
