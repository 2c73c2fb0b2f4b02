#include "tests/gui/made-maps.h"

#include <math.h>

#include <glib/gstdio.h>

#include "engine/crystal/ccp4-map.h"
#include "tests/gui/made.h"

#define ATOMS 5

static const double places[ATOMS][3] = {
  { 6, 9, 8 }, { 7.4, 9.4, 8 }, { 8.4, 8.3, 8.2 }, { 8.2, 7.1, 8.4 }, { 9.7, 8.8, 8.1 }
};
static const double cell[6] = { 20, 18, 16, 90, 90, 90 };

gint64
made_maps_add_task (FlStore *store, gint64 dataset)
{
  FlTask task = { .name = (char *) "density", .type = (char *) "map" };
  FlDatasetTask step = { .dataset = dataset, .number = 3, .after = (char *) "" };
  step.task = made_save (store, FL_TABLE_TASK, &task);
  made_save (store, FL_TABLE_DATASET_TASK, &step);
  return task.id;
}

static gint64
version_of (FlStore *store, gint64 dataset, int number, guint64 when)
{
  GError *error = NULL;
  g_autoptr (GPtrArray) versions = fl_store_list (store, FL_TABLE_DATASET_VERSION, &error);
  made_must (versions != NULL, &error);
  for (guint i = 0; i < versions->len; i++)
    {
      const FlDatasetVersion *version = versions->pdata[i];
      if (version->dataset == dataset && version->number == number)
        return version->id;
    }
  FlDatasetVersion fresh = { .dataset = dataset, .number = number, .created = when };
  return made_save (store, FL_TABLE_DATASET_VERSION, &fresh);
}

char *
made_maps_add (FlStore *store, gint64 dataset, gint64 task, int number, FlJobState state, guint64 when)
{
  char *path = g_strdup_printf ("d%d-v%d-density", (int) dataset, number);
  FlJob job = { .trial = 1,
                .dataset = dataset,
                .version = version_of (store, dataset, number, when),
                .task = task,
                .state = state,
                .root = (char *) "scratch",
                .path = path,
                .ended = when,
                .reason = (char *) (state == FL_JOB_FAILED ? "no model" : "") };
  FlAttempt attempt = { .number = 1, .state = state, .ended = when, .path = path };
  attempt.job = made_save (store, FL_TABLE_JOB, &job);
  made_save (store, FL_TABLE_ATTEMPT, &attempt);
  return path;
}

/* Blobs of the given heights at the atoms. */
static FlMap *
blobs (double width, const double heights[ATOMS])
{
  GError *error = NULL;
  FlCell c;
  made_must (fl_cell_from_degrees (cell, &c, &error), &error);
  FlMap *map = fl_map_new (&c, NULL, (const int[]){ 40, 36, 32 }, NULL, NULL);
  for (int k = 0; k < 32; k++)
    for (int j = 0; j < 36; j++)
      for (int i = 0; i < 40; i++)
        for (int a = 0; a < ATOMS; a++)
          {
            double x = 0.5 * i - places[a][0], y = 0.5 * j - places[a][1], z = 0.5 * k - places[a][2];
            *fl_map_at (map, i, j, k) +=
                (float) (heights[a] * exp (-(x * x + y * y + z * z) / (2 * width * width)));
          }
  fl_map_measure (map);
  return map;
}

static void
write_map (const char *folder, const char *name, double width, const double heights[ATOMS])
{
  GError *error = NULL;
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autoptr (FlMap) map = blobs (width, heights);
  made_must (fl_map_write (path, map, "made", &error), &error);
}

static void
write_model (const char *folder)
{
  g_autofree char *path = g_build_filename (folder, "model.cif", NULL); /* either format will do */
  static const char *const names[ATOMS] = { "N", "CA", "C", "O", "CB" };
  g_autoptr (GString) out =
      g_string_new ("CRYST1   20.000   18.000   16.000  90.00  90.00  90.00 P 1           1\n");
  GError *error = NULL;
  for (int a = 0; a < ATOMS; a++)
    g_string_append_printf (out, "ATOM  %5d  %-3s ALA A   7    %8.3f%8.3f%8.3f  1.00 12.00           %c\n",
                            a + 1, names[a], places[a][0], places[a][1], places[a][2], names[a][0]);
  g_string_append (out, "END\n");
  made_must (g_file_set_contents (path, out->str, -1, &error), &error);
}

void
made_maps_write (const char *folder, double width, gboolean change)
{
  static const double all[ATOMS] = { 7, 6, 6, 8, 6 }, some[ATOMS] = { 0, 0, 0, 3, -2 };
  static const char *const peaks = "\"peaks\": [\n"
                                   "      {\"sigmas\": 9.1, \"density\": 3, \"xyz\": [8.2, 7.1, 8.4], "
                                   "\"atom\": \"ALA A 7 O\", \"distance\": 0.02},\n"
                                   "      {\"sigmas\": -6.2, \"density\": -2, \"xyz\": [9.7, 8.8, 8.1], "
                                   "\"atom\": \"ALA A 7 CB\", \"distance\": 0.1}\n"
                                   "    ]";
  GError *error = NULL;
  g_autofree char *path = g_build_filename (folder, "map.json", NULL);
  g_autoptr (GString) json = g_string_new (NULL);
  g_mkdir_with_parents (folder, 0755);
  write_map (folder, "2mfo-dfc.ccp4", width, all);
  write_map (folder, "mfo-dfc.ccp4", width, some);
  if (change)
    write_map (folder, "fo-fo.ccp4", width, some);
  write_model (folder);
  g_string_printf (json,
                   "{\n  \"space_group\": \"P 1\", \"d_min\": %.2f, \"completeness\": 0.987,\n"
                   "  \"model\": {\"file\": \"model.pdb\", \"atoms\": 5},\n"
                   "  \"scale\": {\"r_work\": 0.231, \"r_free\": 0.262},\n"
                   "  \"2mfo-dfc\": {\"file\": \"2mfo-dfc.ccp4\", \"sigmas_at_atoms\": 2.9},\n"
                   "  \"mfo-dfc\": {\"file\": \"mfo-dfc.ccp4\", %s}",
                   3 * width, peaks);
  if (change)
    g_string_append_printf (
        json, ",\n  \"difference\": {\"r_iso\": 0.082},\n  \"fo-fo\": {\"file\": \"fo-fo.ccp4\", %s}", peaks);
  g_string_append (json, "\n}\n");
  made_must (g_file_set_contents (path, json->str, (gssize) json->len, &error), &error);
}
