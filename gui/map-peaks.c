#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/map-peaks.h"

#include <glib/gi18n.h>
#include <math.h>

struct _FlgMapPeaks
{
  GtkBox parent_instance;
  GtkLabel *title;
  GtkListBox *list;
  guint n;
  gboolean filling;
};

enum
{
  CHOSEN,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlgMapPeaks, flg_map_peaks, GTK_TYPE_BOX)

static GtkWidget *
cell_new (const char *text, const char *css_class, int width)
{
  GtkWidget *label = gtk_label_new (text);
  gtk_label_set_xalign (GTK_LABEL (label), width > 0 ? 1 : 0);
  gtk_label_set_width_chars (GTK_LABEL (label), width);
  gtk_widget_set_hexpand (label, width == 0);
  if (width == 0)
    gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
  gtk_widget_add_css_class (label, "numeric");
  if (css_class)
    gtk_widget_add_css_class (label, css_class);
  return label;
}

static void
add_peak (FlgMapPeaks *self, const FlgMapPeak *peak)
{
  GtkWidget *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 10);
  g_autofree char *height = g_strdup_printf ("%s%.1f σ", peak->sigmas < 0 ? "−" : "+", fabs (peak->sigmas));
  g_autofree char *away =
      isfinite (peak->distance) ? g_strdup_printf ("%.1f Å", peak->distance) : g_strdup ("");
  g_autofree char *tip = g_strdup_printf (_ ("%+.2f e/Å³ at %.1f, %.1f, %.1f Å"), peak->density,
                                          peak->place[0], peak->place[1], peak->place[2]);
  gtk_box_append (GTK_BOX (row), cell_new (height, NULL, 6));
  gtk_box_append (GTK_BOX (row), cell_new (peak->atom, NULL, 0));
  gtk_box_append (GTK_BOX (row), cell_new (away, "dim-label", 5));
  gtk_widget_set_tooltip_text (row, tip);
  gtk_list_box_append (self->list, row);
}

void
flg_map_peaks_fill (FlgMapPeaks *self, GArray *peaks, const char *map)
{
  self->filling = TRUE;
  for (GtkListBoxRow *row; (row = gtk_list_box_get_row_at_index (self->list, 0));)
    gtk_list_box_remove (self->list, GTK_WIDGET (row));
  self->n = peaks ? peaks->len : 0;
  for (guint i = 0; i < self->n; i++)
    add_peak (self, &g_array_index (peaks, FlgMapPeak, i));
  g_autofree char *title =
      g_strdup_printf (ngettext ("%u peak of %s", "%u peaks of %s", self->n), self->n, map);
  gtk_label_set_label (self->title, title);
  self->filling = FALSE;
}

void
flg_map_peaks_select (FlgMapPeaks *self, guint peak)
{
  self->filling = TRUE;
  GtkListBoxRow *row = gtk_list_box_get_row_at_index (self->list, (int) peak);
  gtk_list_box_select_row (self->list, row);
  GtkAdjustment *scroll = row ? gtk_list_box_get_adjustment (self->list) : NULL;
  double height = row ? gtk_widget_get_height (GTK_WIDGET (row)) : 0;
  if (scroll && height > 0)
    gtk_adjustment_clamp_page (scroll, peak * height, (peak + 1) * height);
  self->filling = FALSE;
}

guint
flg_map_peaks_count (FlgMapPeaks *self)
{
  return self->n;
}

static void
on_row (FlgMapPeaks *self, GtkListBoxRow *row)
{
  if (row && !self->filling)
    g_signal_emit (self, signals[CHOSEN], 0, (guint) gtk_list_box_row_get_index (row));
}

static void
flg_map_peaks_class_init (FlgMapPeaksClass *klass)
{
  signals[CHOSEN] = g_signal_new ("chosen", FLG_TYPE_MAP_PEAKS, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 1, G_TYPE_UINT);
}

static void
flg_map_peaks_init (FlgMapPeaks *self)
{
  GtkWidget *title = gtk_label_new (NULL), *list = gtk_list_box_new (), *scroll = gtk_scrolled_window_new ();
  gtk_orientable_set_orientation (GTK_ORIENTABLE (self), GTK_ORIENTATION_VERTICAL);
  gtk_label_set_xalign (GTK_LABEL (title), 0);
  gtk_label_set_ellipsize (GTK_LABEL (title), PANGO_ELLIPSIZE_END);
  gtk_widget_set_margin_start (title, 10);
  gtk_widget_set_margin_end (title, 10);
  gtk_widget_set_margin_top (title, 8);
  gtk_widget_set_margin_bottom (title, 4);
  gtk_widget_add_css_class (title, "heading");
  gtk_widget_add_css_class (list, "peaks");
  gtk_widget_set_vexpand (scroll, TRUE);
  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (scroll), GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroll), list);
  gtk_box_append (GTK_BOX (self), title);
  gtk_box_append (GTK_BOX (self), scroll);
  self->title = GTK_LABEL (title);
  self->list = GTK_LIST_BOX (list);
  g_signal_connect_object (list, "row-selected", G_CALLBACK (on_row), self, G_CONNECT_SWAPPED);
}
