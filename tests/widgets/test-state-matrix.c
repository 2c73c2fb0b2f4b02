/* The matrix of states: what it asks for, draws, selects and says. */
#include <string.h>

#include "tests/widgets/display.h"
#include "widgets/export.h"
#include "widgets/state-matrix.h"

#define ROWS    10000
#define COLUMNS 8

static const FlwMatrixState states[] = {
  { FLW_SHAPE_DISC, FLW_TONE_GOOD, "done" },
  { FLW_SHAPE_CROSS, FLW_TONE_BAD, "failed" },
  { FLW_SHAPE_TRIANGLE, FLW_TONE_ACTIVE, "running" },
};

typedef struct
{
  guint asked, rows;
} Asked;

/* Done, but for the first of each hundredth row; the last column is empty. */
static void
cell (guint row, guint column, FlwMatrixCell *out, gpointer data)
{
  ((Asked *) data)->asked++;
  g_assert_cmpuint (row, <, ROWS);
  if (column < COLUMNS - 1)
    out->state = column == 0 && row % 100 == 0 ? 1 : column == 1 && row == 1 ? 2 : 0;
  out->progress = out->state == 2 ? 0.5f : -1;
}

static void
row_head (guint row, FlwMatrixRow *out, gpointer data)
{
  static const char *const tags[] = { "lysozyme", "<b>'; DROP TABLE run; --", NULL };
  static const guint32 colours[] = { 0x336699, 0xffffff };
  static char label[32];
  ((Asked *) data)->rows++;
  g_snprintf (label, sizeof label, "r%05u", row);
  *out = (FlwMatrixRow){ label, tags, colours };
}

static char *
describe (guint row, guint column, gpointer data)
{
  (void) data;
  return g_strdup_printf ("row %u, column %u <b>not markup</b>", row, column);
}

static const FlwMatrixFuncs funcs = { cell, row_head, describe };

static GtkWidget *
matrix_new (Asked *asked, GtkWidget **window)
{
  GtkWidget *matrix = flw_state_matrix_new (), *scroller = gtk_scrolled_window_new ();
  FlwMatrixColumn columns[COLUMNS];
  for (guint c = 0; c < COLUMNS; c++)
    columns[c] = (FlwMatrixColumn){ c < 4 ? "trial 1" : "trial 2", c % 2 ? "spots" : "index" };
  flw_state_matrix_set_source (FLW_STATE_MATRIX (matrix), &funcs, asked);
  flw_state_matrix_set_states (FLW_STATE_MATRIX (matrix), G_N_ELEMENTS (states), states);
  flw_state_matrix_set_shape (FLW_STATE_MATRIX (matrix), "Run", ROWS, COLUMNS, columns);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroller), matrix);
  *window = display_show (scroller, 900, 400);
  display_wait_drawn (matrix);
  return matrix;
}

static void
test_virtual (void)
{
  Asked asked = { 0 };
  GtkWidget *window, *matrix = matrix_new (&asked, &window);
  g_autofree char *summary = flw_chart_summary (matrix);
  g_assert_cmpstr (summary, ==, "10000 rows × 8 columns: 69899 done, 100 failed, 1 running");
  asked = (Asked){ 0 };
  display_wait_drawn (matrix);
  g_assert_cmpuint (asked.rows, >, 8);
  g_assert_cmpuint (asked.rows, <, 20); /* as many as are seen */
  g_assert_cmpuint (asked.asked, <=, asked.rows * COLUMNS);
  /* The last row is there when it is scrolled to. */
  flw_state_matrix_select (FLW_STATE_MATRIX (matrix), ROWS - 1, 3);
  display_wait_drawn (matrix);
  GtkAdjustment *down = gtk_scrollable_get_vadjustment (GTK_SCROLLABLE (matrix));
  g_assert_cmpfloat (gtk_adjustment_get_value (down) + gtk_adjustment_get_page_size (down), ==,
                     gtk_adjustment_get_upper (down));
  gtk_window_destroy (GTK_WINDOW (window));
}

typedef struct
{
  guint row, column, n;
} Heard;

static void
on_selected (FlwStateMatrix *matrix, guint row, guint column, Heard *heard)
{
  (void) matrix;
  *heard = (Heard){ row, column, heard->n + 1 };
}

static void
press (GtkWidget *matrix, guint key, GdkModifierType state)
{
  g_autoptr (GListModel) controllers = gtk_widget_observe_controllers (matrix);
  for (guint i = 0; i < g_list_model_get_n_items (controllers); i++)
    {
      g_autoptr (GtkEventController) controller = g_list_model_get_item (controllers, i);
      gboolean taken;
      if (GTK_IS_EVENT_CONTROLLER_KEY (controller))
        g_signal_emit_by_name (controller, "key-pressed", key, 0, state, &taken);
    }
}

static void
test_keys (void)
{
  Asked asked = { 0 };
  Heard heard = { 0 }, activated = { 0 };
  GtkWidget *window, *matrix = matrix_new (&asked, &window);
  guint row, column;
  g_signal_connect (matrix, "selected", G_CALLBACK (on_selected), &heard);
  g_signal_connect (matrix, "activated", G_CALLBACK (on_selected), &activated);
  g_assert_false (flw_state_matrix_get_selected (FLW_STATE_MATRIX (matrix), &row, &column));
  press (matrix, GDK_KEY_Return, 0);
  press (matrix, GDK_KEY_Down, 0);
  g_assert_cmpuint (heard.row, ==, 0);
  press (matrix, GDK_KEY_Down, 0);
  press (matrix, GDK_KEY_Right, 0);
  g_assert_cmpuint (heard.row, ==, 1);
  g_assert_cmpuint (heard.column, ==, 1);
  press (matrix, GDK_KEY_Left, 0);
  press (matrix, GDK_KEY_Left, 0); /* not beyond the edge */
  g_assert_cmpuint (heard.column, ==, 0);
  press (matrix, GDK_KEY_End, GDK_CONTROL_MASK);
  g_assert_cmpuint (heard.row, ==, ROWS - 1);
  press (matrix, GDK_KEY_Page_Up, 0);
  g_assert_cmpuint (heard.row, <, ROWS - 5);
  press (matrix, GDK_KEY_Home, GDK_CONTROL_MASK);
  press (matrix, GDK_KEY_Up, 0);
  g_assert_cmpuint (heard.row, ==, 0);
  g_assert_cmpuint (activated.n, ==, 0);
  press (matrix, GDK_KEY_Return, 0);
  g_assert_cmpuint (activated.n, ==, 1);
  /* Fewer rows than where the cursor was. */
  flw_state_matrix_select (FLW_STATE_MATRIX (matrix), 50, 1);
  flw_state_matrix_set_shape (FLW_STATE_MATRIX (matrix), "Run", 3, 1, &(FlwMatrixColumn){ "", "all" });
  g_assert_false (flw_state_matrix_get_selected (FLW_STATE_MATRIX (matrix), &row, &column));
  flw_state_matrix_set_shape (FLW_STATE_MATRIX (matrix), "Run", 0, 0, NULL);
  press (matrix, GDK_KEY_Down, 0);
  display_wait_drawn (matrix);
  gtk_window_destroy (GTK_WINDOW (window));
}

/* What is drawn where flw_state_matrix_at() says that the cell is: states differ without their colours too. */
static void
test_drawn (void)
{
  Asked asked = { 0 };
  GtkWidget *window, *matrix = matrix_new (&asked, &window);
  cairo_surface_t *picture = display_picture (matrix, 1);
  guint ink[3][2] = { 0 }, row, column;
  static const guint wanted[3][2] = { { 1, 0 }, { 0, 0 }, { 2, 7 } }; /* done, failed, nothing */
  for (int y = 0; y < gtk_widget_get_height (matrix); y++)
    for (int x = 0; x < gtk_widget_get_width (matrix); x++)
      if (flw_state_matrix_at (FLW_STATE_MATRIX (matrix), x, y, &row, &column))
        for (guint k = 0; k < 3; k++)
          if (row == wanted[k][0] && column == wanted[k][1])
            {
              guint32 rgb = display_pixel (picture, x, y);
              ink[k][0]++;
              ink[k][1] += ((rgb >> 8) & 0xff) > 0x60; /* of the shape: its ground is darker */
            }
  for (guint k = 0; k < 3; k++)
    g_assert_cmpuint (ink[k][0], >, 1000);
  g_assert_cmpuint (ink[0][1], >, ink[1][1] + 20); /* a disc has more of it than a cross */
  g_assert_cmpuint (ink[1][1], >, 20);
  g_assert_cmpuint (ink[2][1], ==, 0);
  g_assert_false (flw_state_matrix_at (FLW_STATE_MATRIX (matrix), 5, 5, &row, &column));
  g_assert_true (gtk_test_accessible_has_role (GTK_ACCESSIBLE (matrix), GTK_ACCESSIBLE_ROLE_IMG));
  cairo_surface_destroy (picture);
  gtk_window_destroy (GTK_WINDOW (window));
}

int
main (int argc, char **argv)
{
  display_init (&argc, &argv);
  g_test_add_func ("/state-matrix/virtual", test_virtual);
  g_test_add_func ("/state-matrix/keys", test_keys);
  g_test_add_func ("/state-matrix/drawn", test_drawn);
  return g_test_run ();
}
