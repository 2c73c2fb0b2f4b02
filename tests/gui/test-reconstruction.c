/* Single particles in the control room: a reconstruction as it grows, its conformations, what is missing; what the pages say where
 * nothing is a crystal. */
#include <math.h>
#include <string.h>

#include "engine/store/particles.h"
#include "gui/density-page.h"
#include "gui/live-page.h"
#include "gui/param-form.h"
#include "gui/science.h"
#include "gui/text.h"
#include "tests/gui/made-reconstructions.h"
#include "tests/gui/room.h"
#include "tests/widgets/display.h"

#define MINUTE G_GUINT64_CONSTANT (60000000000)

typedef struct
{
  Room *room;
  FlStore *store;
  FlgDensityPage *page;
  FlgReconstructionView *view;
  gint64 dataset;
} Case;

static void
case_begin (Case *c)
{
  GError *error = NULL;
  c->room = room_new_particles (2);
  c->store = fl_store_open (c->room->folder, FL_STORE_WRITE, &error);
  g_assert_no_error (error);
  c->page = FLG_DENSITY_PAGE (room_page (c->room, "density"));
  c->view = flg_density_page_reconstruction (c->page);
}

static void
case_end (Case *c)
{
  fl_store_close (c->store);
  room_free (c->room);
}

static gint64
add (Case *c, int number, guint generations, guint conformations, FlJobState state, gboolean volumes)
{
  MadeReconstruction made = { generations, conformations, 1, state, c->room->now - 2 * MINUTE, volumes, 0 };
  return made_reconstructions_add (c->store, c->room->folder, c->dataset, number, &made);
}

static gboolean
says (Case *c, const char *words)
{
  return strstr (flg_reconstruction_view_facts (c->view), words) != NULL;
}

static gboolean
plots_say (Case *c, const char *words)
{
  g_autofree char *summary = flg_reconstruction_view_summary (c->view);
  return strstr (summary, words) != NULL;
}

/* The text of any label in a widget that is on the screen. */
static gboolean
has_label (GtkWidget *widget, const char *words)
{
  if (!gtk_widget_get_mapped (widget))
    return FALSE;
  if (GTK_IS_LABEL (widget) && strstr (gtk_label_get_label (GTK_LABEL (widget)), words))
    return TRUE;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child;
       child = gtk_widget_get_next_sibling (child))
    if (has_label (child, words))
      return TRUE;
  return FALSE;
}

static void
test_grows (void)
{
  Case c;
  case_begin (&c);
  /* nothing is there: it says what is to be done, in the view that the experiment is about */
  g_assert_true (has_label (GTK_WIDGET (c.page), "There is no dataset yet"));
  c.dataset = made_reconstructions_add_dataset (c.store, "groel");
  room_settle (c.room);
  g_assert_true (has_label (GTK_WIDGET (c.page), "The first version with hits is reconstructed."));
  gint64 job = add (&c, 1, 3, 1, FL_JOB_RUNNING, TRUE);
  room_settle (c.room);
  g_assert_true (says (&c,
                       "generation 3, stage 1, 2 min ago · half sets to 88.8 Å (84.4–94.1) · PRTF to 79.9 Å"
                       " · 2,850 patterns, 150 held back · 1,357 orientations"));
  FlwDensityView *view = flg_reconstruction_view_density (c.view, 0);
  g_assert_nonnull (view);
  g_assert_null (flg_reconstruction_view_density (c.view, 1));
  g_assert_cmpstr (flw_density_view_get_map_name (view, 0), ==, "generation 3");
  /* the particle is in the picture's middle, and the level lies in it */
  const FlwDensityCamera *camera = flw_density_view_get_camera (view);
  g_assert_cmpfloat (fabs (camera->centre[1] - 6), <, 6);
  g_assert_cmpfloat (camera->span, <, 300);
  const double middle[3] = { 30, 0, 6 };
  double peak = flw_density_volume_at (flw_density_view_get_map (view, 0), middle);
  const FlwDensityGrid *grid = flw_density_volume_grid (flw_density_view_get_map (view, 0));
  double level = grid->mean + flw_density_view_get_level (view, 0) * grid->sigma;
  g_assert_cmpfloat (level, >, 0.05 * peak);
  g_assert_cmpfloat (level, <, 0.9 * peak);

  /* it grows, and the newest is followed; a person's level and camera stay */
  flw_density_view_set_level (view, 0, 1.75);
  FlwDensityCamera before = *flw_density_view_get_camera (view);
  MadeReconstruction more = { 12, 1, 4, FL_JOB_RUNNING, c.room->now - MINUTE, TRUE, 0 };
  made_reconstructions_continue (c.store, c.room->folder, job, &more);
  room_settle (c.room);
  g_assert_true (says (&c, "generation 12, stage 2, 60 s ago · half sets to 47.3 Å"));
  g_assert_cmpstr (flw_density_view_get_map_name (view, 0), ==, "generation 12");
  g_assert_cmpfloat (flw_density_view_get_level (view, 0), ==, 1.75);
  g_assert_cmpmem (&before, sizeof before, flw_density_view_get_camera (view), sizeof before);
  g_assert_true (plots_say (&c, "Half sets and PRTF: FSC below 0.143 at 4"));
  g_assert_true (plots_say (&c, "Log-likelihood a pattern: merged 217"));
  g_assert_true (plots_say (&c, "at 12; stage 2"));
  g_assert_true (plots_say (&c, "Orientations: 640 directions, median "));
  g_assert_true (plots_say (&c, "Resolution, Å: half sets 47.32"));
  case_end (&c);
}

static void
test_steps_back (void)
{
  Case c;
  case_begin (&c);
  c.dataset = made_reconstructions_add_dataset (c.store, "groel");
  gint64 job = add (&c, 1, 8, 1, FL_JOB_RUNNING, TRUE);
  room_settle (c.room);
  room_do (GTK_WIDGET (c.page), "density.show-generation", "u", 5u);
  room_settle (c.room);
  g_assert_true (says (&c, "generation 5, "));
  g_assert_cmpstr (flw_density_view_get_map_name (flg_reconstruction_view_density (c.view, 0), 0), ==,
                   "generation 5");
  flg_page_step (FLG_PAGE (c.page), -1);
  room_settle (c.room);
  g_assert_true (says (&c, "generation 4, "));
  /* a later attempt goes on from generation 7: what is looked at is not left, live is the newest again */
  MadeReconstruction more = { 10, 1, 7, FL_JOB_RUNNING, c.room->now, FALSE, 0 };
  made_reconstructions_continue (c.store, c.room->folder, job, &more);
  room_settle (c.room);
  g_assert_true (says (&c, "generation 4, "));
  room_do (GTK_WIDGET (c.page), "density.show-generation", "u", 0u);
  room_settle (c.room);
  g_assert_true (says (&c, "generation 10, "));
  /* whose density is the last that was written */
  g_assert_cmpstr (flw_density_view_get_map_name (flg_reconstruction_view_density (c.view, 0), 0), ==,
                   "generation 6");
  case_end (&c);
}

/* Not every generation is phased: what is told is that of the last that was. */
static void
test_between (void)
{
  Case c;
  case_begin (&c);
  c.dataset = made_reconstructions_add_dataset (c.store, "groel");
  MadeReconstruction made = { 7, 1, 1, FL_JOB_RUNNING, c.room->now - MINUTE, TRUE, 3 };
  made_reconstructions_add (c.store, c.room->folder, c.dataset, 1, &made);
  room_settle (c.room);
  g_assert_true (says (&c,
                       "generation 7, stage 1, 60 s ago · half sets to 69.8 Å (66.3–74.0) · PRTF to 62.8 Å "
                       "in generation 6 · "));
  g_assert_true (plots_say (&c, "Half sets and PRTF, generation 6: FSC below 0.143 at "));
  g_assert_true (plots_say (&c, "half sets 69.81\302\240Å at 6; compared to 60\302\240Å at 7"));
  g_assert_cmpstr (flw_density_view_get_map_name (flg_reconstruction_view_density (c.view, 0), 0), ==,
                   "generation 6");
  room_do (GTK_WIDGET (c.page), "density.show-generation", "u", 2u);
  room_settle (c.room);
  g_assert_true (says (&c, " · resolution not told yet · "));
  g_assert_true (says (&c, "no density has been written yet"));
  case_end (&c);
}

static void
test_conformations (void)
{
  Case c;
  case_begin (&c);
  c.dataset = made_reconstructions_add_dataset (c.store, "groel");
  add (&c, 1, 6, 2, FL_JOB_DONE, TRUE);
  room_settle (c.room);
  FlwDensityView *one = flg_reconstruction_view_density (c.view, 0),
                 *two = flg_reconstruction_view_density (c.view, 1);
  g_assert_nonnull (two);
  g_assert_cmpstr (flw_density_view_get_map_name (one, 0), ==, "A, generation 6");
  g_assert_cmpstr (flw_density_view_get_map_name (two, 0), ==, "B, generation 6");
  g_assert_true (flw_density_view_get_map (one, 0) != flw_density_view_get_map (two, 0));
  const double place[3] = { 1, 2, 3 }, other[3] = { 4, 5, 6 };
  flw_density_view_centre (one, place);
  g_assert_cmpfloat (flw_density_view_get_camera (two)->centre[1], ==, 2);
  flw_density_view_centre (two, other);
  g_assert_cmpfloat (flw_density_view_get_camera (one)->centre[2], ==, 6);
  flw_density_view_set_level (two, 0, 3.25);
  g_assert_cmpfloat (flw_density_view_get_level (one, 0), ==, 3.25);
  g_assert_true (plots_say (&c, "FSC A below 0.143"));
  g_assert_true (plots_say (&c, "FSC B below 0.143"));
  g_assert_true (plots_say (&c, "Occupancy, %: A 55.41\302\240% at 6; B 44.59\302\240% at 6; stage 1"));
  room_do (GTK_WIDGET (c.page), "density.show-conformations", "(ui)", 1u, -1);
  room_settle (c.room);
  g_assert_null (flg_reconstruction_view_density (c.view, 1));
  g_assert_cmpstr (flw_density_view_get_map_name (one, 0), ==, "B, generation 6");
  case_end (&c);
}

static void
test_missing (void)
{
  Case c;
  case_begin (&c);
  c.dataset = made_reconstructions_add_dataset (c.store, "groel");
  MadeReconstruction none = { 0, 1, 1, FL_JOB_RUNNING, c.room->now, FALSE, 0 };
  made_reconstructions_add (c.store, c.room->folder, c.dataset, 1, &none);
  room_settle (c.room);
  g_assert_true (
      has_label (GTK_WIDGET (c.page),
                 "The reconstruction is running: its first generation is shown as soon as it is there."));
  /* failed, but not without a result: what there is, and why there is no more */
  add (&c, 2, 4, 1, FL_JOB_FAILED, FALSE);
  room_settle (c.room);
  g_assert_true (says (&c, "generation 4, "));
  g_assert_true (says (&c, " · failed: too few hits"));
  g_assert_true (says (&c, "no density has been written yet"));
  /* a density that is said to be there and is not */
  gint64 job = add (&c, 3, 2, 1, FL_JOB_DONE, TRUE);
  room_settle (c.room);
  g_assert_true (says (&c, "generation 2, "));
  room_do (GTK_WIDGET (c.page), "density.show-reconstruction", "x", job - 1);
  g_autofree char *lost = g_build_filename (c.room->folder, "d1-v3-reconstruct", "attempt-0002", NULL);
  MadeReconstruction more = { 3, 1, 3, FL_JOB_DONE, c.room->now, TRUE, 0 };
  made_reconstructions_continue (c.store, c.room->folder, job, &more);
  room_remove_tree (lost);
  room_do (GTK_WIDGET (c.page), "density.show-reconstruction", "x", job);
  room_settle (c.room);
  g_assert_true (says (&c, "generation 3, "));
  g_assert_true (says (&c, "g0003-c0.mrc"));
  case_end (&c);
}

static void
test_views (void)
{
  Case c;
  case_begin (&c);
  c.dataset = made_reconstructions_add_dataset (c.store, "groel");
  add (&c, 1, 2, 1, FL_JOB_DONE, TRUE);
  room_settle (c.room);
  g_assert_cmpstr (flg_density_page_shown_view (c.page), ==, "reconstruction");
  room_do (GTK_WIDGET (c.page), "density.show-view", "s", "crystals");
  g_assert_cmpstr (flg_density_page_shown_view (c.page), ==, "crystals");
  MadeReconstruction more = { 4, 1, 3, FL_JOB_DONE, c.room->now, TRUE, 0 };
  made_reconstructions_continue (c.store, c.room->folder, 5, &more);
  room_settle (c.room);
  g_assert_cmpstr (flg_density_page_shown_view (c.page), ==, "crystals"); /* a person's choice stays */
  flg_density_page_show (c.page, c.dataset);
  g_assert_cmpstr (flg_density_page_shown_view (c.page), ==, "reconstruction");
  case_end (&c);
}

static void
test_live (void)
{
  Room *room = room_new_particles (3);
  FlgLivePage *page = FLG_LIVE_PAGE (room_page (room, "live"));
  room_settle (room);
  g_autofree char *summary = flg_live_page_summary (page);
  const char *facts = flg_live_page_facts (page);
  guint64 blank = 0, single = 0, several = 0, junk = 0;
  g_assert_cmpuint (flg_live_page_n_shots (page), ==, 300 + 100 + 300);
  g_assert_cmpint (sscanf (summary,
                           "3 runs, 700 shots: %" G_GUINT64_FORMAT " blank, %" G_GUINT64_FORMAT
                           " single particle, %" G_GUINT64_FORMAT " several, %" G_GUINT64_FORMAT
                           " junk or failed",
                           &blank, &single, &several, &junk),
                   ==, 4);
  g_assert_cmpuint (blank + single + several + junk, ==, 700);
  /* what is drawn is what the store has */
  g_autoptr (FlStore) store = room_look (room);
  guint64 counted[FL_PARTICLE_LAST] = { 0 };
  double photons = 0;
  gint64 cursor = 0;
  g_autoptr (GPtrArray) blocks = fl_store_particles (store, 0, 0, &cursor, NULL);
  for (guint i = 0; i < blocks->len; i++)
    {
      const FlParticleBlock *block = blocks->pdata[i];
      for (guint k = 0; k < block->n; k++)
        {
          counted[block->class[k]]++;
          photons += block->class[k] == FL_PARTICLE_SINGLE ? block->photons[k] : 0;
        }
    }
  g_assert_cmpuint (blank, ==, counted[FL_PARTICLE_BLANK]);
  g_assert_cmpuint (single, ==, counted[FL_PARTICLE_SINGLE]);
  g_assert_cmpuint (several, ==, counted[FL_PARTICLE_SEVERAL]);
  g_autofree char *each = flg_format_count ((gint64) round (photons / (double) single));
  g_autofree char *words = g_strdup_printf (" %% hits of %s photons · %u several · %u junk · ", each,
                                            (guint) several, (guint) counted[FL_PARTICLE_JUNK]);
  g_test_message ("%s; %s", facts, words);
  g_assert_nonnull (strstr (facts, words));
  g_assert_null (strstr (facts, "indexed"));
  room_free (room);
}

/* What is of crystals alone is not shown, or says why it is empty. */
static void
test_no_crystals (void)
{
  Room *room = room_new_particles (2);
  FlgExperiment *experiment = flg_context_experiment (room->context);
  g_autoptr (FlStore) store = fl_store_open (room->folder, FL_STORE_WRITE, NULL);
  g_assert_cmpint (flg_experiment_science (experiment), ==, FLG_SCIENCE_PARTICLES);
  FlgPage *runs = room_page (room, "runs");
  room_settle (room);
  g_assert_true (has_label (GTK_WIDGET (runs), "Hits"));
  g_assert_false (has_label (GTK_WIDGET (runs), "Indexed"));
  FlgPage *cells = room_page (room, "cells");
  room_settle (room);
  g_assert_true (has_label (GTK_WIDGET (cells), "Single particles have no unit cell."));
  FlgPage *trials = room_page (room, "trials");
  room_settle (room);
  g_assert_true (has_label (GTK_WIDGET (trials), "Reconstruction"));
  g_assert_false (has_label (GTK_WIDGET (trials), "Refinement"));
  gint64 dataset = made_reconstructions_add_dataset (store, "groel");
  FlgPage *merging = room_page (room, "merging");
  room_settle (room);
  g_assert_cmpint (flg_dataset_science (experiment, dataset), ==, FLG_SCIENCE_PARTICLES);
  g_assert_true (has_label (GTK_WIDGET (merging), "No crystals"));
  g_assert_false (has_label (GTK_WIDGET (merging), "no goal"));
  room_free (room);
}

/* A dataset of single particles is not asked for goals of crystals; one with both is. */
static void
test_dataset (void)
{
  Room *room = room_new_particles (2);
  GtkWidget *page = GTK_WIDGET (room_page (room, "datasets"));
  g_autoptr (FlStore) store = fl_store_open (room->folder, FL_STORE_WRITE, NULL);
  made_reconstructions_add_dataset (store, "groel");
  room_settle (room);
  room_do (page, "datasets.edit", NULL);
  room_settle (room);
  g_assert_true (has_label (page, "new patterns"));
  g_assert_false (has_label (page, "Enough is"));
  room_do (page, "datasets.add-step", "s", "merge");
  room_settle (room);
  g_assert_true (has_label (page, "new lattices"));
  g_assert_true (has_label (page, "Enough is"));
  room_do (page, "datasets.remove-step", NULL);
  room_do (page, "datasets.add-step", "s", "reconstruct");
  room_settle (room);
  g_assert_true (has_label (page, "densities of single particles (per version)"));
  g_assert_false (has_label (page, "Enough is"));
  room_free (room);
}

static void
test_crystals_as_before (void)
{
  Room *room = room_new_indexing (2);
  FlgExperiment *experiment = flg_context_experiment (room->context);
  FlgPage *runs = room_page (room, "runs");
  room_settle (room);
  g_assert_cmpint (flg_experiment_science (experiment), ==, FLG_SCIENCE_CRYSTALS);
  g_assert_true (has_label (GTK_WIDGET (runs), "Indexed"));
  FlgPage *trials = room_page (room, "trials");
  room_settle (room);
  g_assert_true (has_label (GTK_WIDGET (trials), "Refinement"));
  g_assert_false (has_label (GTK_WIDGET (trials), "Reconstruction"));
  room_free (room);
}

int
main (int argc, char **argv)
{
  display_init (&argc, &argv);
  g_test_add_func ("/gui/reconstruction/grows", test_grows);
  g_test_add_func ("/gui/reconstruction/steps-back", test_steps_back);
  g_test_add_func ("/gui/reconstruction/between", test_between);
  g_test_add_func ("/gui/reconstruction/conformations", test_conformations);
  g_test_add_func ("/gui/reconstruction/missing", test_missing);
  g_test_add_func ("/gui/reconstruction/views", test_views);
  g_test_add_func ("/gui/reconstruction/live", test_live);
  g_test_add_func ("/gui/reconstruction/no-crystals", test_no_crystals);
  g_test_add_func ("/gui/reconstruction/dataset", test_dataset);
  g_test_add_func ("/gui/reconstruction/crystals-as-before", test_crystals_as_before);
  return g_test_run ();
}
