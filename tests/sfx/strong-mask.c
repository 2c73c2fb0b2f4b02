/* strong-mask NAME=VALUE… FILE FRAME OUT: writes the strong pixels of one shot, one byte each, in the order of the
 * file's pixels, and a line a panel: offset stride n_fs n_ss. For tests that compare with other programs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/sfx/spot-finding.h"

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlParams) params = fl_params_new ();
  int i = 1;
  for (; strchr (argv[i], '=') != NULL; i++)
    if (!fl_params_set_assignment (params, argv[i], &error))
      g_error ("%s", error->message);
  g_assert_cmpint (i + 3, ==, argc);
  const char *geometry = fl_params_text (params, "detector.geometry");
  FlSourceOptions options = { *geometry != '\0' ? geometry : NULL, NULL };
  g_autoptr (FlSource) source = fl_source_open (argv[i], &options, &error);
  g_autoptr (FlSpotFinder) finder = fl_spot_finder_new (params, 0, NULL, &error);
  g_auto (FlShot) shot = { 0 };
  FlFound found;
  if (source == NULL || finder == NULL
      || !fl_source_read (source, (guint32) atoi (argv[i + 1]), &shot, &error)
      || !fl_spot_finder_find (finder, &shot, fl_source_detector (source), &found, &error))
    {
      fprintf (stderr, "%s\n", error->message);
      return 1;
    }
  const guint8 *strong = fl_spot_finder_strong (finder, &error);
  g_assert_no_error (error);
  g_assert_true (g_file_set_contents (argv[i + 2], (const char *) strong, (gssize) shot.n_pixels, NULL));
  const FlDetector *detector = fl_source_detector (source);
  for (guint p = 0; p < detector->n_panels; p++)
    printf ("%" G_GSIZE_FORMAT " %" G_GSIZE_FORMAT " %u %u\n", detector->panels[p].offset,
            detector->panels[p].stride, detector->panels[p].n_fs, detector->panels[p].n_ss);
  return 0;
}
