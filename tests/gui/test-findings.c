/* What is broken, in the window: the list of the Live page and the chip above every page, from evidence in the store. */
#include <string.h>

#include "gui/header-strip.h"
#include "gui/live-page.h"
#include "tests/gui/made-findings.h"
#include "tests/gui/room.h"
#include "tests/widgets/display.h"

typedef struct
{
  Room *room;
  guint n; /* findings wanted */
} Wanted;

static gboolean
has_found (gpointer data)
{
  const Wanted *wanted = data;
  FlgFindingModel *model = flg_context_findings (wanted->room->context);
  return flg_finding_model_has_looked (model) && flg_finding_model_n (model) == wanted->n;
}

static void
wait_found (Room *room, guint n)
{
  Wanted wanted = { room, n };
  display_wait (has_found, &wanted);
}

static FlgFindingChip *
find_chip (GtkWidget *widget)
{
  FlgFindingChip *found = FLG_IS_FINDING_CHIP (widget) ? FLG_FINDING_CHIP (widget) : NULL;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child && !found;
       child = gtk_widget_get_next_sibling (child))
    found = find_chip (child);
  return found;
}

static void
assert_row (FlgFindingList *list, guint row, const char *words)
{
  g_autofree char *all = flg_finding_list_row_words (list, row);
  if (!strstr (all, words))
    g_error ("row %u: '%s' is not in '%s'", row, words, all);
}

static void
test_none (void)
{
  Room *room = room_new (3, FL_STORE_READ_ONLY, FALSE);
  FlgLivePage *page = FLG_LIVE_PAGE (room_page (room, "live"));
  FlgFindingList *list = flg_live_page_findings (page);
  wait_found (room, 0);
  g_assert_cmpstr (flg_finding_list_heading (list), ==, "No faults found in 700 shots");
  g_assert_cmpstr (flg_finding_chip_words (find_chip (GTK_WIDGET (room->window))), ==,
                   "No faults found in 700 shots");
  g_assert_cmpuint (flg_finding_list_n_rows (list), ==, 0);
  room_free (room);
}

/* Ice in runs 3 to 5, a dead panel in run 1 alone. */
static Room *
broken_room (void)
{
  MadeFault none = { 0 }, dead = { .dead = 5 }, ice = { .ice = 4 };
  Room *room = room_new (6, FL_STORE_WRITE, FALSE);
  made_findings_add (room->folder, 1, 1, &dead);
  made_findings_add (room->folder, 2, 2, &none);
  made_findings_add (room->folder, 3, 6, &ice);
  return room;
}

static void
test_list (void)
{
  Room *room = broken_room ();
  FlgFindingList *list = flg_live_page_findings (FLG_LIVE_PAGE (room_page (room, "live")));
  FlgFindingChip *chip = find_chip (GTK_WIDGET (room->window));
  wait_found (room, 2);
  g_assert_cmpstr (flg_finding_list_heading (list), ==, "What is broken? 1 fault; 1 known or over");
  assert_row (list, 0, "Ice rings in 4 runs, r0003–r0006\n3 s ago\n4 rings, up to");
  assert_row (list, 0, "\n→ Look at the sample delivery");
  assert_row (list, 1, "Panel 5 dead in r0001; over since r0003");
  g_assert_cmpstr (flg_finding_chip_words (chip), ==, "Ice rings: 4 runs, r0003–r0006");
  const char *tip = gtk_widget_get_tooltip_text (GTK_WIDGET (chip));
  g_assert_nonnull (strstr (tip, "Ice rings in 4 runs, r0003–r0006 (worth knowing)\nPanel 5 dead"));

  int narrowest; /* what is longer ends in an ellipsis: the window still fits a small screen */
  gtk_widget_measure (GTK_WIDGET (room->window), GTK_ORIENTATION_HORIZONTAL, -1, &narrowest, NULL, NULL,
                      NULL);
  g_assert_cmpint (narrowest, <=, 1280);

  flg_finding_list_press (list, 0, TRUE); /* known */
  g_assert_cmpstr (flg_finding_list_heading (list), ==, "No faults found in 1,600 shots; 2 known or over");
  g_assert_cmpstr (flg_finding_chip_words (chip), ==, "No faults found 2 known or over");
  flg_finding_list_press (list, 0, TRUE); /* taken back */
  g_assert_cmpstr (flg_finding_list_heading (list), ==, "What is broken? 1 fault; 1 known or over");

  flg_finding_list_press (list, 0, FALSE);
  g_assert_cmpstr (flg_window_shown_page (room->window), ==, "images");
  g_signal_emit_by_name (chip, "clicked");
  g_assert_cmpstr (flg_window_shown_page (room->window), ==, "live");
  room_free (room);
}

/* What is acknowledged stays so while it goes on, and is news when it gets worse. */
static void
test_worse (void)
{
  Room *room = broken_room ();
  FlgFindingModel *model = flg_context_findings (room->context);
  wait_found (room, 2);
  flg_finding_model_acknowledge (model, flg_finding_model_at (model, 0), TRUE);
  g_assert_cmpuint (flg_finding_model_n_open (model), ==, 0);
  MadeFault noisy = { .noisy = 3, .ice = 4 };
  made_findings_add (room->folder, 6, 6, &noisy);
  wait_found (room, 3);
  g_assert_cmpuint (flg_finding_model_n_open (model), ==, 1);
  g_assert_cmpint (flg_finding_model_at (model, 0)->kind, ==, FL_FINDING_NOISY_PANEL);
  MadeFault worse = { .dead = 2, .noisy = 3, .ice = 60 };
  made_findings_add (room->folder, 6, 6, &worse);
  wait_found (room, 4);
  g_assert_cmpuint (flg_finding_model_n_open (model), ==, 3);
  g_assert_cmpint (flg_finding_model_at (model, 0)->severity, ==, 2);
  room_free (room);
}

int
main (int argc, char **argv)
{
  display_init (&argc, &argv);
  g_test_add_func ("/gui/findings/none", test_none);
  g_test_add_func ("/gui/findings/list", test_list);
  g_test_add_func ("/gui/findings/worse", test_worse);
  return g_test_run ();
}
