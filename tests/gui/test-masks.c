/* The mask editor on a serve child that makes pictures up and applies rules in earnest (fake-serve.c): drawn shapes become rules
 * where they were drawn, controls and rules agree, undo and redo, a new block in the store, none for a viewer. */
#include <math.h>
#include <string.h>

#include "gui/images-page.h"
#include "gui/mask-draft.h"
#include "tests/gui/room.h"
#include "tests/widgets/display.h"

static FlgImagesPage *
open_mask (Room **room)
{
  *room = room_new (3, FL_STORE_WRITE, TRUE);
  room_do (GTK_WIDGET ((*room)->window), "win.show-shot", "(xxtuu)", G_GINT64_CONSTANT (1),
           G_GINT64_CONSTANT (1), (guint64) 0, 0u, 12u);
  room_settle (*room);
  FlgImagesPage *page = FLG_IMAGES_PAGE (flg_window_page ((*room)->window, "images"));
  room_do (GTK_WIDGET (page), "images.mask", NULL);
  room_settle (*room);
  return page;
}

static const char *
text_of (FlgImagesPage *page)
{
  return flg_mask_panel_text (flg_images_page_masks (page));
}

static const FlViewMask *
answer_of (FlgImagesPage *page)
{
  return flg_mask_panel_answer (flg_images_page_masks (page));
}

static void
draw (Room *room, FlgImagesPage *page, FlwDrawTool tool, guint n, const double *corners)
{
  g_signal_emit_by_name (flg_images_page_view (page), "drawn", (guint) tool, n, corners);
  room_settle (room);
}

/* Panel "left" begins at (−256, −256) of the image, "right" at (0, −256); a pixel is 0.075 mm. */
static void
test_draw (void)
{
  static const double box[] = { -200.4, -100.2, -150.6, -80.9 }, triangle[] = { 10, 10, 20, 10, 20, 30 };
  Room *room;
  FlgImagesPage *page = open_mask (&room);
  GtkWidget *widget = GTK_WIDGET (page);
  g_assert_cmpstr (text_of (page), ==, "");
  draw (room, page, FLW_DRAW_RECTANGLE, 2, box);
  g_assert_cmpstr (text_of (page), ==, "rectangle left 55 105 155 175\n");
  g_assert_cmpuint (answer_of (page)->masked, ==, 51 * 21);
  g_assert_cmpuint (answer_of (page)->panels[0].masked, ==, 51 * 21);
  room_do (widget, "images.mask-erase", NULL);
  draw (room, page, FLW_DRAW_ELLIPSE, 2, box);
  room_do (widget, "images.mask-snap", NULL);
  room_do (widget, "images.mask-erase", NULL);
  draw (room, page, FLW_DRAW_POLYGON, 3, triangle);
  draw (room, page, FLW_DRAW_RECTANGLE, 2, box);
  g_assert_cmpstr (text_of (page), ==,
                   "rectangle left 55 105 155 175\n"
                   "unmask ellipse left 80.5 165.4 24.9 9.6\n"
                   "polygon 0.750,-0.750 1.500,-0.750 1.500,-2.250\n"
                   "rectangle -15.030 7.515 -11.295 6.067\n");
  const FlViewMask *answer = answer_of (page);
  g_assert_cmpuint (answer->n_rules, ==, 4);
  g_assert_cmpuint (answer->changed[1], >, 700); /* π · 24.9 · 9.6 = 751 */
  g_assert_cmpuint (answer->changed[1], <, 800);
  g_assert_cmpuint (answer->changed[2], >, 80); /* half of 10 × 20 */
  g_assert_cmpuint (answer->changed[2], <, 120);
  g_assert_cmpuint (answer->panels[1].masked, ==, answer->changed[2]);
  room_free (room);
}

static void
assert_text (Room *room, FlgImagesPage *page, const char *action, const char *expected)
{
  room_do (GTK_WIDGET (page), action, NULL);
  room_settle (room);
  g_assert_cmpstr (text_of (page), ==, expected);
}

static void
test_rules (void)
{
  Room *room;
  FlgImagesPage *page = open_mask (&room);
  GtkWidget *widget = GTK_WIDGET (page);
  room_do (widget, "images.mask-set", "(ss)", "edges", "edges 2");
  room_do (widget, "images.mask-set", "(ss)", "edges", "edges 3");
  room_settle (room);
  g_assert_cmpuint (answer_of (page)->masked, ==, 2 * (256 * 512 - 250 * 506));
  assert_text (room, page, "images.mask-undo", "edges 2\n");
  g_assert_cmpuint (answer_of (page)->masked, ==, 2 * (256 * 512 - 252 * 508));
  assert_text (room, page, "images.mask-redo", "edges 3\n");
  room_do (widget, "images.mask-add", "s", "panel right");
  room_do (widget, "images.mask-add", "s", "statistics dead hot");
  room_settle (room);
  g_assert_cmpuint (answer_of (page)->measured, ==, 100);
  g_assert_cmpuint (answer_of (page)->n_rules, ==, 3);
  room_do (widget, "images.mask-remove", "u", 0u);
  assert_text (room, page, "images.mask-undo", "edges 3\npanel right\nstatistics dead hot\n");
  /* What is no rule is told, and taken back. */
  room_do (widget, "images.mask-add", "s", "squiggle 5");
  assert_text (room, page, "images.mask-undo", "edges 3\npanel right\nstatistics dead hot\n");
  assert_text (room, page, "images.mask-clear", "");
  g_assert_cmpuint (answer_of (page)->masked, ==, 0);
  /* The next shot has the same mask; another run begins anew. */
  room_do (widget, "images.mask-add", "s", "edges 1");
  room_do (widget, "images.go", "u", 13u);
  room_settle (room);
  g_assert_cmpstr (text_of (page), ==, "edges 1\n");
  room_do (widget, "images.mask", NULL);
  g_assert_null (flg_images_page_masks (page));
  room_do (widget, "images.mask", NULL);
  room_settle (room);
  g_assert_cmpstr (text_of (page), ==, "edges 1\n");
  g_assert_cmpuint (answer_of (page)->masked, >, 0);
  room_free (room);
}

static FlBlock *
find_block (Room *room, const char *name)
{
  g_autoptr (FlStore) store = room_look (room);
  FlBlock *block = fl_store_find (store, FL_TABLE_BLOCK, name, NULL);
  g_assert_nonnull (block);
  return block;
}

static void
test_save (void)
{
  Room *room;
  FlgImagesPage *page = open_mask (&room);
  GtkWidget *widget = GTK_WIDGET (page);
  room_do (widget, "images.mask-add", "s", "edges 4");
  room_do (widget, "images.mask-save", "(ss)", "masked", "r0002");
  room_settle (room);
  room_settle (room);
  FlBlock *old = find_block (room, "jungfrau"), *fresh = find_block (room, "masked");
  g_assert_cmpstr (fresh->first_run, ==, "r0002");
  g_assert_true (fresh->active);
  g_assert_true (old->active);
  g_assert_cmpstr (old->last_run, ==, "r0001");
  const char *mask = strstr (fresh->params, "masks/masked-");
  g_assert_nonnull (mask);
  g_autofree char *relative = g_strndup (mask, strcspn (mask, "\n"));
  g_autofree char *path = g_build_filename (room->folder, relative, NULL), *text = NULL;
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "edges 4\n");
  /* A name that is taken is refused, and nothing is lost. */
  room_do (widget, "images.mask-add", "s", "panel left");
  room_do (widget, "images.mask-save", "(ss)", "masked", "");
  room_settle (room);
  g_assert_cmpstr (text_of (page), ==, "edges 4\npanel left\n");
  fl_record_free (FL_TABLE_BLOCK, fresh);
  fresh = find_block (room, "masked");
  g_assert_null (strstr (fresh->params, "panel"));
  fl_record_free (FL_TABLE_BLOCK, old);
  fl_record_free (FL_TABLE_BLOCK, fresh);
  room_free (room);
}

/* Somebody else's window would be needed to take the role away: a room that only reads is refused in the same place. */
static void
test_viewer (void)
{
  Room *room = room_new (1, FL_STORE_READ_ONLY, TRUE);
  room_do (GTK_WIDGET (room->window), "win.show-shot", "(xxtuu)", G_GINT64_CONSTANT (1),
           G_GINT64_CONSTANT (1), (guint64) 0, 0u, 12u);
  room_settle (room);
  FlgImagesPage *page = FLG_IMAGES_PAGE (flg_window_page (room->window, "images"));
  gtk_widget_activate_action (GTK_WIDGET (page), "images.mask", NULL);
  room_settle (room);
  g_assert_null (flg_images_page_masks (page));
  room_free (room);
}

static void
test_draft (void)
{
  FlgMaskDraft *draft = flg_mask_draft_new ();
  flg_mask_draft_begin (draft, "# words\nshots 50\n\n edges 1 p0\nedges 2\n");
  g_assert_cmpstr (flg_mask_draft_text (draft), ==, "shots 50\nedges 1 p0\nedges 2\n");
  g_assert_cmpstr (flg_mask_draft_get (draft, "edges"), ==, "edges 2");
  g_assert_cmpstr (flg_mask_draft_rules (draft)[0], ==, "edges 1 p0");
  g_assert_false (flg_mask_draft_can_undo (draft));
  g_assert_false (flg_mask_draft_add (draft, "  "));
  g_assert_true (flg_mask_draft_set (draft, "edges", NULL));
  g_assert_true (flg_mask_draft_set (draft, "shots", "shots 70"));
  g_assert_true (flg_mask_draft_add (draft, "panel p1\nedges 9"));
  g_assert_cmpstr (flg_mask_draft_text (draft), ==, "shots 70\nedges 1 p0\npanel p1 edges 9\n");
  g_assert_true (flg_mask_draft_remove (draft, 0));
  g_assert_cmpstr (flg_mask_draft_text (draft), ==, "shots 70\npanel p1 edges 9\n");
  g_assert_true (flg_mask_draft_undo (draft));
  g_assert_true (flg_mask_draft_undo (draft));
  g_assert_true (flg_mask_draft_redo (draft));
  g_assert_true (flg_mask_draft_add (draft, "edges 5"));
  g_assert_false (flg_mask_draft_redo (draft)); /* another way was taken */
  for (guint i = 0; i < 1200; i++)
    {
      g_autofree char *rule = g_strdup_printf ("edges %u p0", i + 1);
      g_assert_true (flg_mask_draft_add (draft, rule));
      flg_mask_draft_remove (draft, 0);
    }
  while (flg_mask_draft_undo (draft))
    ;
  g_assert_cmpstr (flg_mask_draft_text (draft), ==, "shots 50\nedges 1 p0\nedges 2\n");
  flg_mask_draft_free (draft);
}

int
main (int argc, char *argv[])
{
  display_init (&argc, &argv);
  g_test_add_func ("/gui/masks/draft", test_draft);
  g_test_add_func ("/gui/masks/draw", test_draw);
  g_test_add_func ("/gui/masks/rules", test_rules);
  g_test_add_func ("/gui/masks/save", test_save);
  g_test_add_func ("/gui/masks/viewer", test_viewer);
  return g_test_run ();
}
