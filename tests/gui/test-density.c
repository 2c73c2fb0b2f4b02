/* The Density page: versions that come, peaks, two versions compared, other models, what is missing or damaged. */
#include <math.h>
#include <string.h>

#include "gui/density-page.h"
#include "gui/map-report.h"
#include "tests/gui/made.h"
#include "tests/gui/made-maps.h"
#include "tests/gui/room.h"
#include "tests/widgets/display.h"

typedef struct
{
  Room *room;
  FlStore *store;
  FlgDensityPage *page;
  gint64 dataset, task;
} Case;

static void
case_begin (Case *c)
{
  GError *error = NULL;
  FlDataset dataset = { .name = (char *) "lysozyme", .expression = (char *) "" };
  c->room = room_new (2, FL_STORE_WRITE, TRUE);
  c->store = fl_store_open (c->room->folder, FL_STORE_WRITE, &error);
  made_must (c->store != NULL, &error);
  made_must (fl_store_save (c->store, FL_TABLE_DATASET, &dataset, &error), &error);
  c->dataset = dataset.id;
  c->page = FLG_DENSITY_PAGE (room_page (c->room, "density"));
}

static void
case_end (Case *c)
{
  fl_store_close (c->store);
  room_free (c->room);
}

/* The folder of a version that has just got its maps; free with g_free. */
static char *
add (Case *c, int number, FlJobState state, gboolean change)
{
  g_autofree char *path =
      made_maps_add (c->store, c->dataset, c->task, number, state, c->room->now + (guint64) number);
  char *folder = g_build_filename (c->room->folder, path, NULL);
  if (state == FL_JOB_DONE)
    made_maps_write (folder, 0.9 / number, change);
  return folder;
}

static gboolean
says (Case *c, const char *words)
{
  return strstr (flg_density_page_facts (c->page), words) != NULL;
}

/* The text of any label in a widget. */
static gboolean
has_label (GtkWidget *widget, const char *words)
{
  if (GTK_IS_LABEL (widget) && strstr (gtk_label_get_label (GTK_LABEL (widget)), words))
    return TRUE;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child;
       child = gtk_widget_get_next_sibling (child))
    if (has_label (child, words))
      return TRUE;
  return FALSE;
}

static void
test_versions_come (void)
{
  Case c;
  case_begin (&c);
  g_assert_null (flg_density_page_view (c.page, 0));
  g_assert_true (has_label (GTK_WIDGET (c.page), "add a task of type “map”"));
  c.task = made_maps_add_task (c.store, c.dataset);
  room_settle (c.room);
  g_assert_true (has_label (GTK_WIDGET (c.page), "The first version that is merged gets its maps."));
  g_autofree char *failed = add (&c, 1, FL_JOB_FAILED, FALSE);
  room_settle (c.room);
  g_assert_true (has_label (GTK_WIDGET (c.page), "The maps of version 1 failed: no model"));

  g_autofree char *first = add (&c, 2, FL_JOB_DONE, FALSE);
  room_settle (c.room);
  FlwDensityView *view = flg_density_page_view (c.page, 0);
  g_assert_nonnull (view);
  g_assert_true (says (&c, "version 2, "));
  g_assert_true (
      says (&c, "R 0.231 · free R 0.262 · to 1.35 Å, 98.7 % complete · P 1 · 2.9 σ at atoms · model.pdb"));
  g_assert_cmpuint (flg_density_page_n_peaks (c.page), ==, 2);
  /* The first look is at the highest peak; what is there is what was written there. */
  const FlwDensityCamera *camera = flw_density_view_get_camera (view);
  g_assert_cmpfloat_with_epsilon (camera->centre[0], 8.2, 1e-6);
  g_assert_cmpfloat_with_epsilon (camera->centre[1], 7.1, 1e-6);
  const double oxygen[3] = { 8, 7, 8.5 };
  double density = flw_density_volume_at (flw_density_view_get_map (view, 0), oxygen);
  g_assert_cmpfloat_with_epsilon (density, 8 * exp (-(0.04 + 0.01 + 0.01) / (2 * 0.45 * 0.45)), 0.6);

  /* Another version comes by itself; camera and level stay. */
  room_do (GTK_WIDGET (c.page), "density.show-peak", "u", 1u);
  flw_density_view_set_level (view, 0, 2.25);
  FlwDensityCamera before = *flw_density_view_get_camera (view);
  FlwDensityVolume *old = flw_density_view_get_map (view, 0);
  g_autofree char *second = add (&c, 3, FL_JOB_DONE, FALSE);
  room_settle (c.room);
  g_assert_true (says (&c, "version 3, "));
  g_assert_true (flw_density_view_get_map (view, 0) != old);
  g_assert_cmpmem (&before, sizeof before, flw_density_view_get_camera (view), sizeof before);
  g_assert_cmpfloat (flw_density_view_get_level (view, 0), ==, 2.25);
  g_assert_cmpfloat_with_epsilon (before.centre[0], 9.7, 1e-6);

  /* One that was chosen is not left when a newer one comes. */
  g_autoptr (GPtrArray) jobs = fl_store_list (c.store, FL_TABLE_JOB, NULL);
  gint64 newest = ((const FlJob *) jobs->pdata[jobs->len - 1])->id;
  room_do (GTK_WIDGET (c.page), "density.show-version", "x", newest - 1);
  room_settle (c.room);
  g_assert_true (says (&c, "version 2, "));
  g_autofree char *third = add (&c, 4, FL_JOB_DONE, FALSE);
  room_settle (c.room);
  g_assert_true (says (&c, "version 2, "));
  case_end (&c);
}

static void
test_compare (void)
{
  Case c;
  case_begin (&c);
  c.task = made_maps_add_task (c.store, c.dataset);
  g_autofree char *first = add (&c, 1, FL_JOB_DONE, FALSE), *second = add (&c, 2, FL_JOB_DONE, TRUE);
  room_settle (c.room);
  g_autoptr (GPtrArray) jobs = fl_store_list (c.store, FL_TABLE_JOB, NULL);
  gint64 newest = ((const FlJob *) jobs->pdata[jobs->len - 1])->id;
  room_do (GTK_WIDGET (c.page), "density.compare", "x", newest - 1);
  room_settle (c.room);
  FlwDensityView *view = flg_density_page_view (c.page, 0);
  g_assert_null (flg_density_page_view (c.page, 1));
  g_assert_cmpstr (flw_density_view_get_map_name (view, 0), ==, "2mFo − DFc v2");
  FlwDensityCamera before = *flw_density_view_get_camera (view);
  room_do (GTK_WIDGET (c.page), "density.side-by-side", "b", TRUE);
  room_settle (c.room);
  FlwDensityView *beside = flg_density_page_view (c.page, 1);
  g_assert_nonnull (beside);
  g_assert_cmpmem (&before, sizeof before, flw_density_view_get_camera (view), sizeof before);
  g_assert_cmpmem (&before, sizeof before, flw_density_view_get_camera (beside), sizeof before);
  g_assert_cmpstr (flw_density_view_get_map_name (beside, 0), ==, "2mFo − DFc v1");
  g_assert_true (flw_density_view_get_map (beside, 0) != flw_density_view_get_map (view, 0));
  /* Both ways they turn together, and have one level. */
  const double place[3] = { 1, 2, 3 }, other[3] = { 4, 5, 6 };
  flw_density_view_centre (view, place);
  g_assert_cmpfloat (flw_density_view_get_camera (beside)->centre[1], ==, 2);
  flw_density_view_centre (beside, other);
  g_assert_cmpfloat (flw_density_view_get_camera (view)->centre[2], ==, 6);
  flw_density_view_set_level (beside, 1, 4.5);
  g_assert_cmpfloat (flw_density_view_get_level (view, 1), ==, 4.5);
  /* What changed is there for one of them. */
  room_do (GTK_WIDGET (c.page), "density.show-maps", "s", "change");
  room_settle (c.room);
  g_assert_cmpstr (flw_density_view_get_map_name (view, 1), ==, "Fo − Fo v2");
  g_assert_nonnull (flw_density_view_get_map (view, 1));
  g_assert_null (flw_density_view_get_map (beside, 1));
  room_do (GTK_WIDGET (c.page), "density.show-maps", "s", "residual");
  g_assert_null (flw_density_view_get_map (view, 0));
  g_assert_nonnull (flw_density_view_get_map (view, 1));
  room_do (GTK_WIDGET (c.page), "density.compare", "x", G_GINT64_CONSTANT (0));
  room_settle (c.room);
  g_assert_null (flg_density_page_view (c.page, 1));
  case_end (&c);
}

static void
test_models (void)
{
  Case c;
  case_begin (&c);
  c.task = made_maps_add_task (c.store, c.dataset);
  g_autofree char *folder = add (&c, 1, FL_JOB_DONE, FALSE);
  room_settle (c.room);
  GError *error = NULL;
  g_autofree char *other = g_build_filename (c.room->folder, "other.pdb", NULL);
  made_must (
      g_file_set_contents (other,
                           "CRYST1   20.000   18.000   16.000  90.00  90.00  90.00 P 1           1\n"
                           "ATOM      1  CA  GLY B   3       1.000   2.000   3.000  1.00 12.00           C\n",
                           -1, &error),
      &error);
  room_do (GTK_WIDGET (c.page), "density.open-model", "s", other);
  room_settle (c.room);
  g_assert_true (says (&c, " · other.pdb"));
  flw_density_view_show_atom (flg_density_page_view (c.page, 0), 0);
  g_assert_cmpfloat_with_epsilon (flw_density_view_get_camera (flg_density_page_view (c.page, 0))->centre[2],
                                  3, 1e-6);
  room_do (GTK_WIDGET (c.page), "density.open-model", "s", "");
  g_assert_true (says (&c, " · model.pdb"));
  /* One that is none: said, and the job's stays. */
  room_do (GTK_WIDGET (c.page), "density.open-model", "s", c.room->folder);
  room_settle (c.room);
  g_assert_true (says (&c, " · model.pdb"));
  g_assert_true (has_label (GTK_WIDGET (c.page), "is not a plain file"));
  case_end (&c);
}

static void
test_damaged (void)
{
  Case c;
  GError *error = NULL;
  case_begin (&c);
  c.task = made_maps_add_task (c.store, c.dataset);
  g_autofree char *folder = add (&c, 1, FL_JOB_DONE, FALSE);
  static const char *const names[] = { "2mfo-dfc.ccp4", "mfo-dfc.ccp4", "map.json" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (folder, names[i], NULL);
      made_must (g_file_set_contents (path, "\033[31mno map", -1, &error), &error);
    }
  room_settle (c.room);
  g_assert_null (flg_density_page_view (c.page, 0));
  g_assert_true (has_label (GTK_WIDGET (c.page), "The maps cannot be shown"));
  /* Made again, they are read again. */
  g_autoptr (GPtrArray) jobs = fl_store_list (c.store, FL_TABLE_JOB, NULL);
  FlJob again = *(const FlJob *) jobs->pdata[jobs->len - 1];
  again.ended++;
  made_maps_write (folder, 0.5, FALSE);
  made_must (fl_store_save (c.store, FL_TABLE_JOB, &again, &error), &error);
  room_settle (c.room);
  g_assert_nonnull (flg_density_page_view (c.page, 0));
  case_end (&c);
}

static FlgMapReport *
parse (const char *text, GError **error)
{
  return flg_map_report_parse (text, strlen (text), error);
}

static void
test_report (void)
{
  static const char *const wrong[] = { "",
                                       "{",
                                       "[1, 2]",
                                       "{}",
                                       "{\"d_min\": 2",
                                       "{\"d_min\": 2, \"mfo-dfc\": {\"peaks\": [{]}}",
                                       "{\"d_min\" 2}",
                                       "{\"d_min\": 2, \"x\": \"no end",
                                       "{\"d_min\": 2, \"x\": [[[[[[[[[[1]]]]]]]]]]}" };
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_null (parse (wrong[i], &error));
      g_assert_nonnull (error);
      g_assert_null (strchr (error->message, '\n'));
    }
  g_autoptr (GError) error = NULL;
  g_autoptr (FlgMapReport) report = parse (
      "{\"d_min\": 2.5, \"scale\": {\"r_work\": null}, \"x\": [1, true, {\"y\": \"\\u0041\\\"}\"}],"
      " \"mfo-dfc\": {\"peaks\": [{\"sigmas\": 5, \"xyz\": [1, 2]}, {\"atom\": \"A \\n B\", \"sigmas\": -4.5,"
      " \"xyz\": [1, 2, 3, 4]}, {\"xyz\": [1, 2, 3], \"sigmas\": 1e999}]}, \"model\": {\"atoms\": 3}}",
      &error);
  g_assert_no_error (error);
  g_assert_true (isnan (report->r_work));
  g_assert_cmpfloat (report->atoms, ==, 3);
  g_assert_cmpuint (report->peaks->len, ==, 1); /* without a place or a height they are none */
  const FlgMapPeak *peak = &g_array_index (report->peaks, FlgMapPeak, 0);
  g_assert_cmpfloat (peak->place[2], ==, 3);
  g_assert_null (strchr (peak->atom, '\n'));
  g_autofree char *words = flg_map_report_words (report);
  g_assert_cmpstr (words, ==, "to 2.50 Å");
}

int
main (int argc, char *argv[])
{
  display_init (&argc, &argv);
  g_test_add_func ("/gui/density/report", test_report);
  g_test_add_func ("/gui/density/versions-come", test_versions_come);
  g_test_add_func ("/gui/density/compare", test_compare);
  g_test_add_func ("/gui/density/models", test_models);
  g_test_add_func ("/gui/density/damaged", test_damaged);
  return g_test_run ();
}
