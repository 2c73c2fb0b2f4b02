/* An experiment that is looked at from afar, with SSH alone. */
#include <string.h>

#include "gui/application.h"
#include "gui/header-strip.h"
#include "tests/gui/made-conductor.h"
#include "tests/widgets/display.h"

static void
test_far_place (void)
{
  static const char *const wrong[] = { "ssh://host",
                                       "ssh:///path",
                                       "ssh://host/",
                                       "http://host/x",
                                       "ssh://-oProxyCommand=x/y",
                                       "ssh://a@b@c/x",
                                       "ssh://ho st/x",
                                       "ssh://h:99999/x",
                                       "ssh://h:2x/y",
                                       "ssh://@h/x",
                                       "ssh://$(reboot)/x",
                                       "/tmp/x",
                                       "" };
  FlgFarPlace place;
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_false (flg_far_place_parse (wrong[i], &place, &error));
      assert_in (error->message, "expected ssh://");
    }
  g_assert_true (flg_far_place_parse ("ssh://ana@beamline:2222/data/my exp'; x", &place, NULL));
  g_assert_cmpstr (place.path, ==, "/data/my exp'; x"); /* asked for in a frame, never in a command */
  g_auto (GStrv) command = flg_far_place_command (&place);
  g_autofree char *line = g_strjoinv (" ", command);
  g_assert_cmpstr (
      line, ==,
      "ssh -o BatchMode=yes -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -p 2222 -l ana beamline "
      "firstlight-control serve");
  g_autofree char *folder = flg_far_place_folder (&place);
  flg_far_place_clear (&place);
  g_assert_true (flg_far_place_parse ("ssh://ana@beamline:2222/data/other", &place, NULL));
  g_autofree char *other = flg_far_place_folder (&place);
  g_assert_cmpstr (folder, !=, other);
  flg_far_place_clear (&place);
}

typedef struct
{
  FlgFollow *follow;
  FlgFollowState state;
} Following;

static gboolean
follows (gpointer data)
{
  return flg_follow_state (((Following *) data)->follow) == ((Following *) data)->state;
}

static gboolean
has_comment (gpointer data)
{
  const FlRun *run = flg_experiment_run (flg_context_experiment (((Room *) data)->context), 1);
  return run && strcmp (run->comment, "seen from afar") == 0;
}

/* An experiment looked at with SSH alone, and what is left of it when SSH is not. */
static void
test_follow (void)
{
  Room *far = room_new (3, FL_STORE_WRITE, FALSE);
  g_autofree char *bin = g_dir_make_tmp ("firstlight-bin-XXXXXX", NULL);
  g_autofree char *ssh = g_build_filename (bin, "ssh", NULL), *down = g_build_filename (bin, "down", NULL);
  g_autofree char *copy = g_build_filename (bin, "copy", NULL);
  g_autofree char *script =
      g_strdup_printf ("#!/bin/sh\n[ -e '%s' ] && { echo 'no route to host' >&2; exit 255; }\n"
                       "exec \"$FIRSTLIGHT_CONTROL\" serve\n",
                       down);
  g_autofree char *path = g_strdup_printf ("%s:%s", bin, g_getenv ("PATH"));
  g_autofree char *url = g_strdup_printf ("ssh://ana@beamline%s", far->folder);
  g_autofree char *before = g_strdup (g_getenv ("PATH"));
  FlgFarPlace place;
  g_assert_true (g_file_set_contents_full (ssh, script, -1, G_FILE_SET_CONTENTS_NONE, 0755, NULL));
  g_setenv ("PATH", path, TRUE);
  g_assert_true (flg_far_place_parse (url, &place, NULL));
  g_auto (GStrv) command = flg_far_place_command (&place);
  Following following = { flg_follow_new (copy, place.path, (const char *const *) command), FLG_FOLLOW_UP };
  display_wait (follows, &following);
  g_assert_true (flg_follow_has_come (following.follow));
  Room *room = room_open (copy);
  flg_experiment_set_home (flg_context_experiment (room->context), place.path);
  flg_context_set_follow (room->context, following.follow);
  room_page (room, "runs");
  g_assert_cmpuint (
      flg_record_model_count (flg_experiment_table (flg_context_experiment (room->context), FL_TABLE_RUN)),
      ==, 3);
  g_autofree char *r1 = flg_experiment_resolve (flg_context_experiment (room->context), "data", "r1");
  g_assert_true (g_str_has_prefix (r1, place.path)); /* paths are those of the far end */
  g_autoptr (FlStore) store = fl_store_open (far->folder, FL_STORE_WRITE, NULL);
  g_assert_true (fl_store_set_text (store, FL_TABLE_RUN, 1, "comment", "seen from afar", NULL));
  display_wait (has_comment, room);
  double age = flg_follow_age (following.follow);
  g_assert_true (age >= 0 && age < 20);
  g_autofree char *words = flg_follow_words (following.follow);
  assert_in (words, "Following beamline:");
  flg_header_strip_refresh (FLG_HEADER_STRIP (flg_window_strip (room->window)));
  char *strip = NULL;
  g_object_get (flg_window_strip (room->window), "summary", &strip, NULL);
  assert_in (strip, " s behind");
  g_free (strip);
  picture (room->window, "follow-up");
  flg_follow_stop (following.follow);
  g_object_unref (following.follow);
  /* Later, without a network: it opens all the same, and says what is wrong. */
  g_assert_true (g_file_set_contents (down, "", -1, NULL));
  following.follow = flg_follow_new (copy, place.path, (const char *const *) command);
  following.state = FLG_FOLLOW_LOST;
  display_wait (follows, &following);
  g_autofree char *lost = flg_follow_words (following.follow);
  assert_in (lost, "no route to host");
  g_assert_true (flg_follow_age (following.follow) >= 0);
  g_assert_true (has_comment (room));
  flg_follow_stop (following.follow);
  g_object_unref (following.follow);
  g_setenv ("PATH", before, TRUE);
  flg_far_place_clear (&place);
  room_free (room);
  room_free (far);
  room_remove_tree (bin);
}

int
main (int argc, char **argv)
{
  conductor_init (&argc, &argv);
  g_test_add_func ("/gui/follow/place", test_far_place);
  g_test_add_func ("/gui/follow/experiment", test_follow);
  return conductor_run ();
}
