/* The link chip and the questions of far machines, against a conductor that is made up. */
#include <string.h>

#include "gui/header-strip.h"
#include "gui/keymap.h"
#include "gui/question-dialog.h"
#include "tests/gui/made-conductor.h"
#include "tests/widgets/display.h"

#define SECOND G_GUINT64_CONSTANT (1000000000)

static gboolean
is_mapped (gpointer widget)
{
  return gtk_widget_get_mapped (widget) && gtk_widget_get_width (widget) > 0;
}

static void
test_links (void)
{
  Room *room;
  Conductor *c = far_room (&room, "cori");
  tell (c, 3, FL_REMOTE_CONNECTING, -1, 0, "");
  wait_chip (room, "cori: connecting");
  tell (c, 3, FL_REMOTE_UP, 41234, 0, "");
  wait_chip (room, "cori: up, 41 ms");
  picture (room->window, "chip-up");
  tell (c, 3, FL_REMOTE_SLOW, 3100000, 0, "the last keep-alive is unanswered");
  wait_chip (room, "cori: slow, 3100 ms");
  tell (c, 3, FL_REMOTE_LOST, -1, room->now + 12 * SECOND, "cori.nersc.gov: connection reset by peer");
  wait_chip (room, "cori: lost, retry in 12 s");
  room->now += 5 * SECOND;
  wait_chip (room, "cori: lost, retry in 7 s"); /* it counts down by itself */
  gtk_popover_set_autohide (GTK_POPOVER (flg_link_chip_popover (flg_window_chip (room->window))), FALSE);
  room_do (GTK_WIDGET (room->window), "win.show-links", NULL);
  display_wait (is_mapped, flg_link_chip_popover (flg_window_chip (room->window)));
  picture (gtk_popover_get_child (GTK_POPOVER (flg_link_chip_popover (flg_window_chip (room->window)))),
           "chip-popover");
  room_do (GTK_WIDGET (room->window), "win.link-connect", "x", G_GINT64_CONSTANT (3));
  wait_heard (c, "connect 3");
  wait_chip (room, "cori: up, 41 ms");
  room_do (GTK_WIDGET (room->window), "win.link-disconnect", "x", G_GINT64_CONSTANT (3));
  wait_heard (c, "disconnect 3");
  /* Without a conductor nobody knows. */
  fl_control_server_free (c->server);
  c->server = NULL;
  wait_chip (room, "no conductor");
  leave (room, c);
}

/* No far site: no chip. */
static void
test_no_chip (void)
{
  Room *room = room_new (1, FL_STORE_WRITE, FALSE);
  room_page (room, "sites");
  g_assert_null (flg_link_chip_words (flg_window_chip (room->window)));
  picture (room->window, "sites-local");
  GtkWidget *keys = flg_keymap_window_new (GTK_WINDOW (room->window));
  gtk_window_present (GTK_WINDOW (keys));
  display_wait_drawn (keys);
  picture (keys, "keys");
  g_assert_cmpint (gtk_widget_get_height (keys), <=, 800); /* all of it on a small screen */
  g_assert_cmpint (gtk_widget_get_width (keys), <=, 1280);
  gtk_window_destroy (GTK_WINDOW (keys));
  room_free (room);
}

static void
test_host_key (void)
{
  Room *room;
  Conductor *c = far_room (&room, "cori");
  room_page (room, "runs");
  question (c, 3, 7, FL_REMOTE_ASK_HOST_KEY, "Host key of cori.nersc.gov",
            "ED25519 SHA256:uNiVztksCsDhcc0u9e8BrWXrpUiOVztksCsDhcc0u9e", 0, NULL, NULL);
  FlgQuestionDialog *dialog = wait_dialog (room);
  g_assert_cmpuint (flg_question_dialog_id (dialog), ==, 7);
  g_autofree char *type = NULL, *groups = NULL;
  flg_question_fingerprint ("ED25519 SHA256:uNiVztksCsDhcc0u9e8BrW", &type, &groups);
  g_assert_cmpstr (type, ==, "ED25519");
  g_assert_cmpstr (groups, ==, "SHA256: uNiVztks CsDhcc0u 9e8BrW");
  wait_chip (room, "cori: asks");
  picture (dialog, "question-host-key");
  /* Return must not let a stranger in. */
  GtkWidget *cancel = gtk_window_get_default_widget (GTK_WINDOW (dialog));
  g_assert_cmpstr (gtk_actionable_get_action_name (GTK_ACTIONABLE (cancel)), ==, "question.refuse");
  room_do (GTK_WIDGET (dialog), "question.answer", NULL);
  wait_heard (c, "answer 3 7 yes");
  display_wait (has_no_dialog, room);
  question (c, 3, 8, FL_REMOTE_ASK_HOST_KEY, "Host key of cori.nersc.gov", "RSA SHA256:abc", 0, NULL, NULL);
  room_do (GTK_WIDGET (wait_dialog (room)), "question.refuse", NULL);
  wait_heard (c, "answer 3 8 no");
  leave (room, c);
}

static void
test_codes (void)
{
  static const char *const labels[] = { "Password + OTP:", "Second code (shown):", NULL };
  static const gboolean echo[] = { FALSE, TRUE };
  Room *room;
  Conductor *c = far_room (&room, "cori");
  room_page (room, "runs");
  question (c, 3, 3, FL_REMOTE_ASK_CODE, "Login of ana@cori.nersc.gov", "Two factors are needed.", 2, labels,
            echo);
  FlgQuestionDialog *dialog = wait_dialog (room);
  GtkEditable *first = flg_question_dialog_field (dialog, 0), *second = flg_question_dialog_field (dialog, 1);
  g_assert_true (GTK_IS_PASSWORD_ENTRY (first));
  g_assert_false (GTK_IS_PASSWORD_ENTRY (second));
  g_assert_null (flg_question_dialog_field (dialog, 2));
  GtkWidget *focus = gtk_window_get_focus (GTK_WINDOW (dialog));
  g_assert_true (focus && gtk_widget_is_ancestor (focus, GTK_WIDGET (first)));
  gtk_editable_set_text (first, "s3cret|x");
  gtk_editable_set_text (second, "123456");
  picture (dialog, "question-codes");
  g_object_ref (first);
  room_do (GTK_WIDGET (dialog), "question.answer", NULL);
  g_assert_cmpstr (gtk_editable_get_text (first), ==, ""); /* wiped */
  g_object_unref (first);
  wait_heard (c, "answer 3 3 s3cret|x|123456");
  display_wait (has_no_dialog, room);
  leave (room, c);
}

/* Closed without an answer, the question stays open and a line says so; answered elsewhere, all of it goes. */
static void
test_closed_and_void (void)
{
  static const char *const labels[] = { "One-time code:", NULL };
  static const gboolean echo[] = { FALSE };
  Room *room;
  Conductor *c = far_room (&room, "cori");
  room_page (room, "runs");
  question (c, 3, 4, FL_REMOTE_ASK_CODE, "Login of ana@cori.nersc.gov", "", 1, labels, echo);
  gtk_window_close (GTK_WINDOW (wait_dialog (room)));
  display_wait (has_no_dialog, room);
  picture (room->window, "question-banner");
  wait_chip (room, "cori: asks");
  room_do (GTK_WIDGET (room->window), "win.link-answer", "x", G_GINT64_CONSTANT (3));
  wait_dialog (room);
  fl_control_server_void (c->server, 3);
  display_wait (has_no_dialog, room);
  wait_chip (room, "cori: offline");
  room_do (GTK_WIDGET (room->window), "win.link-answer", "x", G_GINT64_CONSTANT (3)); /* none is open */
  g_assert_true (has_no_dialog (room));
  leave (room, c);
}

int
main (int argc, char **argv)
{
  conductor_init (&argc, &argv);
  g_test_add_func ("/gui/links/chip", test_links);
  g_test_add_func ("/gui/links/no-chip", test_no_chip);
  g_test_add_func ("/gui/links/host-key", test_host_key);
  g_test_add_func ("/gui/links/codes", test_codes);
  g_test_add_func ("/gui/links/closed-and-void", test_closed_and_void);
  return conductor_run ();
}
