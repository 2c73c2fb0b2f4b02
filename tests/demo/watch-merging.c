/* watch-merging FOLDER: the control room's Merging page on a beamtime that goes on. Each time that its line of facts has become
 * another one and has been drawn, prints when (ns UTC) and the line. Ends when killed. */
#include <stdio.h>

#include "engine/base/units.h"
#include "gui/merging-page.h"
#include "tests/gui/room.h"

static gboolean
wake (gpointer data)
{
  return G_SOURCE_CONTINUE;
}

static void
on_painted (GdkFrameClock *clock, gboolean *painted)
{
  *painted = TRUE;
}

int
main (int argc, char **argv)
{
  if (argc != 2)
    {
      fprintf (stderr, "expected: %s FOLDER\n", argv[0]);
      return 2;
    }
  gtk_init ();
  Room *room = room_open (argv[1]);
  FlgMergingPage *page = FLG_MERGING_PAGE (room_page (room, "merging"));
  g_autofree char *last = g_strdup (flg_merging_page_facts (page));
  gboolean painted = FALSE, due = FALSE;
  g_signal_connect (gtk_widget_get_frame_clock (GTK_WIDGET (room->window)), "after-paint",
                    G_CALLBACK (on_painted), &painted);
  g_timeout_add (100, wake, NULL);
  while (TRUE)
    {
      g_main_context_iteration (NULL, TRUE);
      room->now = fl_now_ns ();
      const char *facts = flg_merging_page_facts (page);
      if (g_strcmp0 (facts, last) != 0)
        {
          g_free (last);
          last = g_strdup (facts);
          due = TRUE;
          painted = FALSE;
          gtk_widget_queue_draw (GTK_WIDGET (page));
        }
      if (due && painted)
        {
          printf ("%" G_GUINT64_FORMAT "\t%s\n", fl_now_ns (), last);
          fflush (stdout);
          due = FALSE;
        }
    }
}
