/* Indexing of data by other hands: real spot lists, CrystFEL's simulated sets with the spots of our finder, two real
 * stills; and whether the confidence that is stated is the one that comes true. With FIRSTLIGHT_ACCEPT: the last alone,
 * on many more lists. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/sfx/indexing.h"
#include "engine/sfx/spot-finding.h"
#include "tests/sfx/spot-list.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlkDevice, flk_device_close)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Set, set_free)

static FlkDevice *
device_open (void)
{
  char message[512];
  FlkDevice *device = flk_device_open ("cpu", 0, 1, message, sizeof message);
  if (!device)
    g_error ("%s", message);
  return device;
}

static FlIndexer *
indexer_open (const FlKnownCell *known, FlkDevice *device, const char *assignment)
{
  g_autoptr (FlParams) params = fl_params_new ();
  GError *error = NULL;
  if (assignment)
    fl_params_set_assignment (params, assignment, &error);
  g_assert_no_error (error);
  FlIndexer *indexer = fl_indexer_new (params, known, device, &error);
  g_assert_no_error (error);
  return indexer;
}

static guint
run (FlIndexer *indexer, const GArray *q, const GArray *intensity, FlIndexed *lattices, guint most)
{
  GError *error = NULL;
  guint n = fl_indexer_index (indexer, (const FlVec3 *) (gconstpointer) q->data,
                              intensity ? (const float *) (gconstpointer) intensity->data : NULL, q->len,
                              lattices, most, &error);
  g_assert_no_error (error);
  return n;
}

static guint
within_a_tenth (const FlMat3 *star, const GArray *q)
{
  FlMat3 real = fl_lattice_real (star);
  guint n = 0;
  for (guint i = 0; i < q->len; i++)
    {
      FlVec3 h = fl_mat3_apply (&real, g_array_index (q, FlVec3, i));
      n += fabs (h.x - rint (h.x)) < 0.1 && fabs (h.y - rint (h.y)) < 0.1 && fabs (h.z - rint (h.z)) < 0.1;
    }
  return n;
}

/* What another program's free basis explains at the least (the data's README); of made-up files all. */
static guint
listed (const SpotList *list)
{
  if (g_str_has_suffix (list->name, "_local.txt"))
    return 168;
  if (g_str_has_suffix (list->name, "_radial.txt"))
    return 129;
  return g_str_has_suffix (list->name, "_peakfinder8.txt") ? 187 : list->q->len;
}

static void
test_lists (void)
{
  if (!have_test_data ("spots"))
    return;
  g_autoptr (FlkDevice) device = device_open ();
  GArray *lists = spot_lists_read ();
  g_assert_cmpuint (lists->len, >, 0);
  for (guint i = 0; i < lists->len; i++)
    {
      const SpotList *list = &g_array_index (lists, SpotList, i);
      const FlCell *known = &list->known.cell;
      FlKnownCell free_cell = list->known;
      free_cell.type = FL_LATTICE_TRICLINIC;
      g_autoptr (FlIndexer) indexer = indexer_open (&list->known, device, NULL);
      g_autoptr (FlIndexer) free_indexer = indexer_open (&free_cell, device, NULL);
      FlIndexed found[4], free_found[4];
      g_assert_cmpuint (run (indexer, list->q, NULL, found, 4), ==, 1);
      g_assert_cmpuint (run (free_indexer, list->q, NULL, free_found, 4), >=, 1);
      FlCell cell = fl_lattice_cell (&found->star);
      g_assert_cmpfloat_with_epsilon (cell.a / known->a, 1, 0.015);
      g_assert_cmpfloat_with_epsilon (cell.b / known->b, 1, 0.015);
      g_assert_cmpfloat_with_epsilon (cell.c / known->c, 1, 0.015);
      guint within = within_a_tenth (&free_found->star, list->q);
      g_test_message ("%s: %u of %u spots within a tenth", list->name, within, list->q->len);
      g_assert_cmpuint (within, >=, listed (list));
    }
  spot_lists_free (lists);
}

/* All frames with a crystal, one lattice each, near the truth. */
static void
check_set (const char *name)
{
  if (!have_test_data ("crystfel-sim"))
    return;
  g_autoptr (FlkDevice) device = device_open ();
  g_autoptr (Set) set = set_open (name);
  g_autoptr (FlIndexer) indexer = indexer_open (&set->known, device, NULL);
  g_autoptr (GArray) q = g_array_new (FALSE, FALSE, sizeof (FlVec3));
  g_autoptr (GArray) intensity = g_array_new (FALSE, FALSE, sizeof (float));
  g_autofree double *off = g_new (double, set->frames->len);
  double seconds = 0;
  for (guint i = 0; i < set->frames->len; i++)
    {
      const SetFrame *frame = &g_array_index (set->frames, SetFrame, i);
      frame_spots (set, frame, q, intensity);
      FlIndexed found[4];
      double start = cpu_seconds ();
      g_assert_cmpuint (run (indexer, q, intensity, found, 4), ==, 1);
      seconds += cpu_seconds () - start;
      off[i] = set_misorientation (&frame->star, &found->star) * 180 / G_PI;
      g_assert_cmpfloat (off[i], <, 0.3);
      g_assert_cmpfloat (found->confidence, >, 0.9);
    }
  g_test_message ("%s: %u frames indexed, off by %.4f deg (median), %.4f (95 %%), %.2f CPU-ms a frame", name,
                  set->frames->len, median (off, set->frames->len), percentile (off, set->frames->len, 0.95),
                  1e3 * seconds / set->frames->len);
  g_assert_cmpfloat (median (off, set->frames->len), <, 0.03);
  g_assert_cmpfloat (percentile (off, set->frames->len, 0.95), <, 0.05);
}

static void
test_set_a (void)
{
  check_set ("crystfel-sim/lyso-agipd1m");
}

static void
test_set_b (void)
{
  check_set ("crystfel-sim/lyso-jf4m");
}

/* Frames without a crystal. */
static void
test_blanks (void)
{
  if (!have_test_data ("crystfel-sim"))
    return;
  g_autoptr (FlkDevice) device = device_open ();
  g_autofree char *folder = g_build_filename (g_getenv ("FIRSTLIGHT_TEST_DATA"), "crystfel-sim", NULL);
  g_autofree char *truth = g_build_filename (folder, "lyso-agipd1m.truth.tsv", NULL);
  g_autofree char *path = g_build_filename (folder, "lyso-agipd1m.h5", NULL);
  g_autofree char *geom = g_build_filename (folder, "lyso-agipd1m.geom", NULL), *text = NULL;
  GError *error = NULL;
  g_autoptr (FlSource) source = fl_source_open (path, &(FlSourceOptions){ .geometry = geom }, &error);
  g_assert_no_error (error);
  g_autoptr (FlParams) params = fl_params_new ();
  g_autoptr (FlSpotFinder) finder = fl_spot_finder_new (params, 0, NULL, &error);
  g_assert_no_error (error);
  FlKnownCell known = { .type = FL_LATTICE_TETRAGONAL, .centring = 'P' };
  fl_cell_from_degrees ((double[6]){ 79.1, 79.1, 37.9, 90, 90, 90 }, &known.cell, NULL);
  g_autoptr (FlIndexer) indexer = indexer_open (&known, device, NULL);
  g_file_get_contents (truth, &text, NULL, &error);
  g_assert_no_error (error);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_auto (FlShot) shot = { 0 };
  guint blanks = 0;
  for (guint i = 1; lines[i]; i++)
    if (strstr (lines[i], "\tblank\t"))
      {
        FlFound found;
        g_assert_true (fl_source_read (source, (guint) atoi (lines[i]), &shot, &error));
        g_assert_true (fl_spot_finder_find (finder, &shot, fl_source_detector (source), &found, &error));
        FlShotGeometry geometry = { fl_source_detector (source), NULL, shot.shift,
                                    fl_wavelength_from_energy (shot.energy) };
        g_autoptr (GArray) q = g_array_new (FALSE, FALSE, sizeof (FlVec3));
        for (guint k = 0; k < found.n_spots; k++)
          {
            const FlSpotRow *row = &found.spots[k];
            FlVec3 spot = fl_shot_geometry_q (&geometry, row->panel, (double) row->fs, (double) row->ss);
            g_array_append_val (q, spot);
          }
        FlIndexed lattices[4];
        g_assert_cmpuint (run (indexer, q, NULL, lattices, 4), ==, 0);
        blanks++;
      }
  g_assert_cmpuint (blanks, ==, 40);
}

/* Thermolysin on a CSPAD, Hattne et al. 2014. */
static void
test_stills (void)
{
  static const char *const names[] = { "idx-20130301060858401.cbf", "idx-20130301060858601.cbf" };
  if (!have_test_data ("stills/cspad_thermolysin"))
    return;
  g_autoptr (FlkDevice) device = device_open ();
  FlKnownCell known = { .type = FL_LATTICE_HEXAGONAL, .centring = 'P', .space_group = 178 };
  fl_cell_from_degrees ((double[6]){ 92.9, 92.9, 130.5, 90, 90, 120 }, &known.cell, NULL);
  g_autoptr (FlIndexer) indexer = indexer_open (&known, device, NULL);
  g_autoptr (FlParams) params = fl_params_new ();
  GError *error = NULL;
  g_assert_true (fl_params_set (params, "spots.algorithm", "dispersion", &error));
  g_assert_true (fl_params_set (params, "spots.global_threshold", "100", &error));
  g_autoptr (FlSpotFinder) finder = fl_spot_finder_new (params, 0, NULL, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path =
          g_build_filename (g_getenv ("FIRSTLIGHT_TEST_DATA"), "stills/cspad_thermolysin", names[i], NULL);
      g_autoptr (FlSource) source = fl_source_open (path, &(FlSourceOptions){ 0 }, &error);
      g_assert_no_error (error);
      FlDetector *detector = fl_source_detector (source);
      g_auto (FlShot) shot = { 0 };
      FlFound found;
      g_assert_true (fl_source_read (source, 0, &shot, &error));
      g_assert_true (fl_spot_finder_find (finder, &shot, detector, &found, &error));
      FlShotGeometry geometry = { detector, NULL, shot.shift, fl_wavelength_from_energy (shot.energy) };
      g_autoptr (GArray) q = g_array_new (FALSE, FALSE, sizeof (FlVec3));
      for (guint k = 0; k < found.n_spots; k++)
        {
          const FlSpotRow *row = &found.spots[k];
          FlVec3 spot = fl_shot_geometry_q (&geometry, row->panel, (double) row->fs, (double) row->ss);
          g_array_append_val (q, spot);
        }
      FlIndexed lattices[4];
      guint n = run (indexer, q, NULL, lattices, 4);
      g_assert_cmpuint (n, ==, i + 1); /* the second shows two crystals */
      FlCell cell = fl_lattice_cell (&lattices->star);
      g_test_message ("%s: %u of %u spots, cell %.2f %.2f, confidence %.3f", names[i], lattices->n_explained,
                      q->len, cell.a, cell.c, lattices->confidence);
      g_assert_cmpfloat_with_epsilon (cell.a, 92.9, 0.9);
      g_assert_cmpfloat_with_epsilon (cell.c, 130.5, 1.3);
      g_assert_cmpfloat (lattices->confidence, >, 0.9);
    }
}

/* 6 to 30 spots of a frame of set A, part of them replaced by noise: lattices are sorted by the confidence that they
 * state, and each tenth must be right as often as it says. */
typedef struct
{
  double confidence;
  gboolean right;
} Claim;

static int
compare_claims (gconstpointer a, gconstpointer b)
{
  const Claim *x = a, *y = b;
  return (x->confidence > y->confidence) - (x->confidence < y->confidence);
}

/* Part of the spots of a frame, and noise. */
static void
degrade (const GArray *all, GArray *q, FlRandom *random)
{
  guint n = 6 + (guint) (fl_random_u64 (random) % 25), noise = (guint) (fl_random_u64 (random) % (n + 1));
  g_autofree guint *order = g_new (guint, all->len);
  for (guint i = 0; i < all->len; i++)
    order[i] = i;
  g_array_set_size (q, 0);
  for (guint i = 0; i < n - noise && i < all->len; i++)
    {
      guint other = i + (guint) (fl_random_u64 (random) % (all->len - i)), keep = order[other];
      order[other] = order[i];
      g_array_append_val (q, g_array_index (all, FlVec3, keep));
    }
  for (guint i = 0; i < noise; i++)
    {
      double norm = MAX (0.02, 0.4 * sqrt (fl_random_unit (random))),
             azimuth = 2 * G_PI * fl_random_unit (random);
      double z = -0.5 * 1.33316 * norm * norm, across = sqrt (norm * norm - z * z);
      FlVec3 spot = fl_vec3 (across * cos (azimuth), across * sin (azimuth), z);
      g_array_append_val (q, spot);
    }
}

static void
test_confidence (void)
{
  if (!have_test_data ("crystfel-sim"))
    return;
  g_autoptr (FlkDevice) device = device_open ();
  g_autoptr (Set) set = set_open ("crystfel-sim/lyso-agipd1m");
  g_autoptr (FlIndexer) indexer = indexer_open (&set->known, device, NULL);
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (FlVec3));
  g_autoptr (GArray) q = g_array_new (FALSE, FALSE, sizeof (FlVec3));
  g_autoptr (GArray) intensity = g_array_new (FALSE, FALSE, sizeof (float));
  g_autoptr (GArray) claims = g_array_new (FALSE, FALSE, sizeof (Claim));
  FlRandom random = fl_random (5);
  gboolean few = g_getenv ("FIRSTLIGHT_SANITIZED") != NULL;
  guint repeats = g_getenv ("FIRSTLIGHT_ACCEPT") ? 20 : few ? 1 : 4;
  for (guint i = 0; i < repeats * set->frames->len; i++)
    {
      const SetFrame *frame = &g_array_index (set->frames, SetFrame, i % set->frames->len);
      frame_spots (set, frame, all, intensity);
      degrade (all, q, &random);
      FlIndexed found[1];
      if (run (indexer, q, NULL, found, 1) == 0)
        continue;
      Claim claim = { found->confidence, set_misorientation (&frame->star, &found->star) < 1.5 * G_PI / 180 };
      g_array_append_val (claims, claim);
    }
  g_array_sort (claims, compare_claims);
  g_test_message ("%u of %u lists indexed", claims->len, repeats * set->frames->len);
  if (few)
    return; /* too few for tenths */
  for (guint tenth = 0; tenth < 10; tenth++)
    {
      guint begin = tenth * claims->len / 10, end = (tenth + 1) * claims->len / 10;
      double stated = 0, right = 0;
      for (guint i = begin; i < end; i++)
        {
          stated += g_array_index (claims, Claim, i).confidence / (end - begin);
          right += (double) g_array_index (claims, Claim, i).right / (end - begin);
        }
      g_test_message ("tenth %u: stated %.3f, right %.3f", tenth + 1, stated, right);
      g_assert_cmpfloat (stated, <, right + 0.05);
      g_assert_cmpfloat (stated, >, right - 0.05);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (!g_getenv ("FIRSTLIGHT_ACCEPT"))
    {
      g_test_add_func ("/indexing-data/lists", test_lists);
      g_test_add_func ("/indexing-data/set-a", test_set_a);
      g_test_add_func ("/indexing-data/set-b", test_set_b);
      g_test_add_func ("/indexing-data/blanks", test_blanks);
      g_test_add_func ("/indexing-data/stills", test_stills);
    }
  g_test_add_func ("/indexing-data/confidence", test_confidence);
  return g_test_run ();
}
