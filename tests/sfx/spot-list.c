#include "tests/sfx/spot-list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static FlKnownCell
known_cell (const double v[9])
{
  FlMat3 real = { { { v[0], v[1], v[2] }, { v[3], v[4], v[5] }, { v[6], v[7], v[8] } } }, conventional;
  FlMat3 star = fl_lattice_star (&real), reduced = fl_lattice_niggli (&star);
  FlKnownCell known = { .centring = 'P' };
  g_assert_true (fl_lattice_conventional (&reduced, 0.01, 0.01, &conventional, &known.type, &known.centring));
  known.cell = fl_lattice_cell (&conventional);
  return known;
}

static SpotList
read_list (const char *folder, const char *name)
{
  SpotList list = { .name = g_strdup (name), .q = g_array_new (FALSE, FALSE, sizeof (FlVec3)) };
  g_autofree char *path = g_build_filename (folder, name, NULL), *text = NULL;
  GError *error = NULL;
  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  gboolean head = TRUE;
  for (guint i = 0; lines[i] && list.q->len < 300; i++)
    {
      double v[9];
      int n = sscanf (lines[i], "%lf %lf %lf %lf %lf %lf %lf %lf %lf", &v[0], &v[1], &v[2], &v[3], &v[4],
                      &v[5], &v[6], &v[7], &v[8]);
      if (head && n == 9)
        {
          list.known = known_cell (v);
          head = FALSE;
        }
      else if (n == 3)
        {
          FlVec3 q = fl_vec3 (v[0], v[1], v[2]);
          g_array_append_val (list.q, q);
        }
    }
  return list;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (((const SpotList *) a)->name, ((const SpotList *) b)->name);
}

GArray *
spot_lists_read (void)
{
  GArray *lists = g_array_new (FALSE, FALSE, sizeof (SpotList));
  g_autofree char *folder = g_build_filename (g_getenv ("FIRSTLIGHT_TEST_DATA"), "spots", NULL);
  GDir *dir = g_dir_open (folder, 0, NULL);
  g_assert_nonnull (dir);
  for (const char *name = g_dir_read_name (dir); name; name = g_dir_read_name (dir))
    if (g_str_has_suffix (name, ".txt"))
      {
        SpotList list = read_list (folder, name);
        g_array_append_val (lists, list);
      }
  g_dir_close (dir);
  g_array_sort (lists, compare_names);
  return lists;
}

void
spot_lists_free (GArray *lists)
{
  for (guint i = 0; i < lists->len; i++)
    {
      g_free (g_array_index (lists, SpotList, i).name);
      g_array_unref (g_array_index (lists, SpotList, i).q);
    }
  g_array_unref (lists);
}

void
frame_spots (const Set *set, const SetFrame *frame, GArray *q, GArray *intensity)
{
  FlShotGeometry geometry = set_geometry (set);
  g_array_set_size (q, 0);
  g_array_set_size (intensity, 0);
  for (guint i = 0; i < frame->n_spots; i++)
    {
      const FlSpotRow *row = &frame->spots[i];
      FlVec3 spot = fl_shot_geometry_q (&geometry, row->panel, (double) row->fs, (double) row->ss);
      g_array_append_val (q, spot);
      g_array_append_val (intensity, row->intensity);
    }
}
