#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/result-table.h"

#include <glib/gi18n.h>

#include <math.h>

typedef enum
{
  ROW_OUTCOME,
  ROW_SPOTS,
  ROW_UNEXPLAINED,
  ROW_LATTICES,
  ROW_REFLECTIONS,
  ROW_RMSD,
  ROW_RESOLUTION,
  ROW_TIME,
  N_ROWS
} Row;

struct _FlgResultTable
{
  GtkBox parent_instance;
  GtkWidget *heads[FLG_N_SIDES];
  GtkLabel *cells[N_ROWS][FLG_N_SIDES];
  GtkLabel *complaint, *lattices;
};

G_DEFINE_FINAL_TYPE (FlgResultTable, flg_result_table, GTK_TYPE_BOX)

static gboolean
is_there (const FlgShotResult *result)
{
  return result->spots != NULL;
}

static const char *
outcome_name (FlOutcome outcome)
{
  static const char *const names[] = { N_ ("miss"), N_ ("indexed hit"), N_ ("hit"), N_ ("failed"),
                                       N_ ("set aside") };
  return _ (names[MIN (outcome, FL_OUTCOME_SET_ASIDE)]);
}

static char *
cell_text (const FlgShotResult *result, Row row)
{
  const FlgShotCounts *counts = &result->counts;
  gboolean indexed = counts->lattices > 0;
  switch (row)
    {
    case ROW_OUTCOME:
      return g_strdup (outcome_name (result->spots->outcome));
    case ROW_SPOTS:
      return g_strdup_printf ("%u", counts->spots);
    case ROW_UNEXPLAINED:
      return indexed ? g_strdup_printf ("%u", counts->unexplained) : g_strdup ("–");
    case ROW_LATTICES:
      return g_strdup_printf ("%u", counts->lattices);
    case ROW_REFLECTIONS:
      return indexed ? g_strdup_printf (_ ("%u of %u"), counts->integrated, counts->predicted)
                     : g_strdup ("–");
    case ROW_RMSD:
      return indexed && counts->rmsd > 0 ? g_strdup_printf ("%.2f px", counts->rmsd) : g_strdup ("–");
    case ROW_RESOLUTION:
      return counts->resolution > 0 ? g_strdup_printf ("%.2f Å", counts->resolution) : g_strdup ("–");
    default:
      return result->kind == FLG_RESULT_TRIED ? g_strdup_printf (_ ("%u ms"), result->milliseconds)
                                              : g_strdup (_ ("stored"));
    }
}

/* More is better; NaN: says nothing. */
static double
merit (const FlgShotResult *result, Row row)
{
  const FlgShotCounts *counts = &result->counts;
  gboolean indexed = counts->lattices > 0;
  switch (row)
    {
    case ROW_UNEXPLAINED:
      return indexed ? -(double) counts->unexplained : NAN;
    case ROW_LATTICES:
      return counts->lattices;
    case ROW_REFLECTIONS:
      return counts->integrated;
    case ROW_RMSD:
      return indexed && counts->rmsd > 0 ? -round (100 * counts->rmsd) : NAN;
    case ROW_RESOLUTION:
      return counts->resolution > 0 ? -round (100 * counts->resolution) : NAN;
    default:
      return NAN;
    }
}

static void
show_cell (FlgResultTable *self, FlgShotResults *results, Row row, FlgSide side)
{
  const FlgShotResult *result = flg_shot_results_get (results, side);
  const FlgShotResult *other = flg_shot_results_get (results, side == FLG_SIDE_A ? FLG_SIDE_B : FLG_SIDE_A);
  GtkLabel *cell = self->cells[row][side];
  gtk_widget_set_visible (GTK_WIDGET (cell), result->kind != FLG_RESULT_NONE);
  if (!is_there (result))
    {
      const char *why = result->waiting ? "…" : result->error ? _ ("failed") : _ ("not processed");
      gtk_label_set_label (cell, row == ROW_OUTCOME ? why : "–");
      return;
    }
  g_autofree char *text = cell_text (result, row);
  gboolean better = is_there (other) && merit (result, row) > merit (other, row);
  g_autofree char *markup =
      better ? g_strdup_printf ("<span foreground=\"#7fd1ae\" weight=\"bold\">▲ %s</span>", text)
             : g_markup_escape_text (text, -1);
  gtk_label_set_markup (cell, markup);
}

static void
append_lattice (GString *text, guint i, const FlViewLattice *l)
{
  g_string_append_printf (text, "%s<span foreground=\"#%06x\" weight=\"bold\">◯ %u</span>   ",
                          i > 0 ? "\n\n" : "", flw_lattice_colour (i), i + 1);
  if (l->centring)
    g_string_append_printf (text, "<b>%c</b>", l->centring);
  if (l->space_group > 0)
    g_string_append_printf (text, _ (", space group %u"), l->space_group);
  g_string_append_printf (text, "\n%.2f  %.2f  %.2f Å", l->cell[0], l->cell[1], l->cell[2]);
  g_string_append_printf (text, "\n%.2f  %.2f  %.2f °", l->cell[3] * 180 / G_PI, l->cell[4] * 180 / G_PI,
                          l->cell[5] * 180 / G_PI);
  g_string_append_c (text, '\n');
  if (l->n_spots > 0)
    g_string_append_printf (text, ngettext ("%u spot, ", "%u spots, ", l->n_spots), l->n_spots);
  if (l->rmsd > 0)
    g_string_append_printf (text, _ ("r.m.s.d. %.2f px, "), l->rmsd);
  if (l->resolution > 0)
    g_string_append_printf (text, _ ("to %.2f Å, "), l->resolution);
  g_string_append_printf (text, _ ("%.0f %% sure"), 100 * l->confidence);
}

static void
show_lattices (FlgResultTable *self, const FlgShotResult *result)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; result->lattices && i < result->lattices->n_lattices; i++)
    append_lattice (text, i, &result->lattices->lattices[i]);
  gtk_label_set_markup (self->lattices, text->str);
  gtk_widget_set_visible (GTK_WIDGET (self->lattices), text->len > 0);
}

/* "": none. */
static const char *
complaint_of (const FlgShotResult *result)
{
  return result->error                             ? result->error
         : result->spots && result->spots->message ? result->spots->message
                                                   : "";
}

static void
show_complaints (FlgResultTable *self, const FlgShotResult *a, const FlgShotResult *b)
{
  const char *of_a = complaint_of (a), *of_b = complaint_of (b);
  g_autoptr (GString) text = g_string_new (NULL);
  if (*of_a && g_str_equal (of_a, of_b))
    g_string_append (text, of_a);
  else
    {
      if (*of_a)
        g_string_append_printf (text, "A: %s", of_a);
      if (*of_b)
        g_string_append_printf (text, "%sB: %s", *of_a ? "\n" : "", of_b);
    }
  gtk_label_set_label (self->complaint, text->str);
  gtk_widget_set_visible (GTK_WIDGET (self->complaint), text->len > 0);
}

void
flg_result_table_update (FlgResultTable *self, FlgShotResults *results, FlgSide shown)
{
  const FlgShotResult *a = flg_shot_results_get (results, FLG_SIDE_A),
                      *b = flg_shot_results_get (results, FLG_SIDE_B);
  for (Row row = 0; row < N_ROWS; row++)
    for (FlgSide side = FLG_SIDE_A; side < FLG_N_SIDES; side++)
      show_cell (self, results, row, side);
  gtk_toggle_button_set_active (GTK_TOGGLE_BUTTON (self->heads[FLG_SIDE_A]), shown == FLG_SIDE_A);
  gtk_toggle_button_set_active (GTK_TOGGLE_BUTTON (self->heads[FLG_SIDE_B]), shown == FLG_SIDE_B);
  gtk_widget_set_visible (self->heads[FLG_SIDE_B], b->kind != FLG_RESULT_NONE);
  show_complaints (self, a, b);
  show_lattices (self, shown == FLG_SIDE_A ? a : b);
}

char *
flg_result_summary (const FlgShotResult *result)
{
  const FlgShotCounts *counts = &result->counts;
  if (!is_there (result))
    return g_strdup (result->waiting ? _ ("awaited") : result->error ? result->error : _ ("not processed"));
  GString *text = g_string_new (outcome_name (result->spots->outcome));
  g_string_append_printf (text, ngettext (", %u spot", ", %u spots", counts->spots), counts->spots);
  if (counts->lattices > 0)
    {
      g_string_append_printf (text, _ (", %u of no lattice"), counts->unexplained);
      g_string_append_printf (text, ngettext (", %u lattice", ", %u lattices", counts->lattices),
                              counts->lattices);
      g_string_append_printf (text, _ (", %u of %u reflections integrated"), counts->integrated,
                              counts->predicted);
      if (counts->rmsd > 0)
        g_string_append_printf (text, ", %.2f px", counts->rmsd);
    }
  if (counts->resolution > 0)
    g_string_append_printf (text, ", %.2f Å", counts->resolution);
  if (result->kind == FLG_RESULT_TRIED)
    g_string_append_printf (text, _ (", tried in %u ms"), result->milliseconds);
  return g_string_free (text, FALSE);
}

/* --- widget --- */

static void
on_head (GtkWidget *head, const char *side)
{
  gtk_widget_activate_action (head, "images.show-side", "s", side);
}

static GtkWidget *
head_new (const char *label, const char *side)
{
  GtkWidget *head = gtk_toggle_button_new_with_label (label);
  gtk_widget_set_tooltip_text (head, _ ("Show this side over the image (X changes sides)"));
  gtk_widget_set_hexpand (head, TRUE);
  g_signal_connect (head, "clicked", G_CALLBACK (on_head), (gpointer) side);
  return head;
}

static GtkLabel *
label_new (const char *text, double xalign, const char *css_class)
{
  GtkLabel *label = GTK_LABEL (gtk_label_new (text));
  gtk_label_set_xalign (label, (float) xalign);
  gtk_widget_add_css_class (GTK_WIDGET (label), css_class);
  return label;
}

static void
flg_result_table_class_init (FlgResultTableClass *klass)
{
}

static void
flg_result_table_init (FlgResultTable *self)
{
  const char *names[N_ROWS] = { _ ("outcome"),    _ ("spots"),    _ ("of no lattice"), _ ("lattices"),
                                _ ("integrated"), _ ("r.m.s.d."), _ ("resolution"),    _ ("time") };
  GtkGrid *grid = GTK_GRID (gtk_grid_new ());
  gtk_orientable_set_orientation (GTK_ORIENTABLE (self), GTK_ORIENTATION_VERTICAL);
  gtk_box_set_spacing (GTK_BOX (self), 8);
  gtk_grid_set_column_spacing (grid, 10);
  gtk_grid_set_row_spacing (grid, 2);
  self->heads[FLG_SIDE_A] = head_new ("A", "a");
  self->heads[FLG_SIDE_B] = head_new ("B", "b");
  gtk_grid_attach (grid, self->heads[FLG_SIDE_A], 1, 0, 1, 1);
  gtk_grid_attach (grid, self->heads[FLG_SIDE_B], 2, 0, 1, 1);
  for (int row = 0; row < N_ROWS; row++)
    {
      gtk_grid_attach (grid, GTK_WIDGET (label_new (names[row], 0, "dim-label")), 0, row + 1, 1, 1);
      for (int side = 0; side < FLG_N_SIDES; side++)
        {
          self->cells[row][side] = label_new ("", 1, "numeric");
          gtk_grid_attach (grid, GTK_WIDGET (self->cells[row][side]), side + 1, row + 1, 1, 1);
        }
    }
  gtk_box_append (GTK_BOX (self), GTK_WIDGET (grid));
  self->complaint = label_new ("", 0, "complaint");
  self->lattices = label_new ("", 0, "numeric");
  gtk_label_set_wrap (self->complaint, TRUE);
  gtk_label_set_selectable (self->complaint, TRUE);
  gtk_label_set_selectable (self->lattices, TRUE);
  gtk_label_set_wrap (self->lattices, TRUE);
  gtk_box_append (GTK_BOX (self), GTK_WIDGET (self->complaint));
  gtk_box_append (GTK_BOX (self), GTK_WIDGET (self->lattices));
}

GtkWidget *
flg_result_table_new (void)
{
  return g_object_new (FLG_TYPE_RESULT_TABLE, NULL);
}
