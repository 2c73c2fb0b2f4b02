#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/columns.h"

#include <glib/gi18n.h>
#include <string.h>

#include "gui/text.h"

typedef struct
{
  FlgColumn column;
  gpointer data;
} Maker;

static void
fill (GtkWidget *cell, FlgRecord *record, const Maker *maker)
{
  maker->column.fill (cell, record, maker->data);
}

static void
on_stamp (FlgRecord *record, GParamSpec *pspec, GtkListItem *item)
{
  fill (gtk_list_item_get_child (item), record, g_object_get_data (G_OBJECT (item), "flg-maker"));
}

static void
on_setup (GtkSignalListItemFactory *factory, GtkListItem *item, Maker *maker)
{
  g_object_set_data (G_OBJECT (item), "flg-maker", maker);
  gtk_list_item_set_child (item, maker->column.make (maker->data));
}

static void
on_bind (GtkSignalListItemFactory *factory, GtkListItem *item, Maker *maker)
{
  FlgRecord *record = gtk_list_item_get_item (item);
  GtkWidget *cell = gtk_list_item_get_child (item);
  g_object_set_data (G_OBJECT (cell), "flg-record", record);
  g_signal_connect_object (record, "notify::stamp", G_CALLBACK (on_stamp), item, 0);
  fill (cell, record, maker);
}

static void
on_unbind (GtkSignalListItemFactory *factory, GtkListItem *item, Maker *maker)
{
  g_signal_handlers_disconnect_by_func (gtk_list_item_get_item (item), on_stamp, item);
  g_object_set_data (G_OBJECT (gtk_list_item_get_child (item)), "flg-record", NULL);
}

static int
compare (gconstpointer a, gconstpointer b, gpointer data)
{
  const Maker *maker = data;
  int order = maker->column.compare ((FlgRecord *) a, (FlgRecord *) b, maker->data);
  return order < 0 ? GTK_ORDERING_SMALLER : order > 0 ? GTK_ORDERING_LARGER : GTK_ORDERING_EQUAL;
}

/* Over figures the title of the newest column stands to the right, as they do. GTK 4.8 has no property for it; the title
 * is a box in the last button of the header row. */
static void
title_to_the_right (GtkColumnView *view)
{
  GtkWidget *header = gtk_widget_get_first_child (GTK_WIDGET (view));
  GtkWidget *title = header ? gtk_widget_get_last_child (header) : NULL;
  GtkWidget *box = title ? gtk_widget_get_first_child (title) : NULL;
  if (box)
    gtk_widget_set_halign (box, GTK_ALIGN_END);
}

static void
add_column (GtkColumnView *view, const FlgColumn *column, gpointer data)
{
  Maker *maker = g_new (Maker, 1);
  *maker = (Maker){ *column, data };
  GtkListItemFactory *factory = gtk_signal_list_item_factory_new ();
  g_signal_connect (factory, "setup", G_CALLBACK (on_setup), maker);
  g_signal_connect (factory, "bind", G_CALLBACK (on_bind), maker);
  g_signal_connect (factory, "unbind", G_CALLBACK (on_unbind), maker);
  GtkColumnViewColumn *made = gtk_column_view_column_new (column->title, factory);
  g_object_set_data_full (G_OBJECT (made), "flg-maker", maker, g_free);
  gtk_column_view_column_set_resizable (made, TRUE);
  if (column->width > 0)
    gtk_column_view_column_set_fixed_width (made, column->width);
  else if (column->width < 0)
    gtk_column_view_column_set_expand (made, TRUE);
  if (column->compare)
    {
      g_autoptr (GtkSorter) sorter = GTK_SORTER (gtk_custom_sorter_new (compare, maker, NULL));
      gtk_column_view_column_set_sorter (made, sorter);
    }
  gtk_column_view_append_column (view, made);
  if (column->make == flg_cell_number)
    title_to_the_right (view);
  g_object_unref (made);
}

GListModel *
flg_columns_set_up (GtkColumnView *view, guint n, const FlgColumn *columns, gpointer data, GListModel *model)
{
  for (guint i = 0; i < n; i++)
    add_column (view, &columns[i], data);
  g_autoptr (GtkColumnViewColumn) first = g_list_model_get_item (gtk_column_view_get_columns (view), 0);
  gtk_column_view_sort_by_column (view, first, GTK_SORT_DESCENDING);
  GtkSorter *order = gtk_column_view_get_sorter (view);
  return G_LIST_MODEL (gtk_sort_list_model_new (g_object_ref (model), g_object_ref (order)));
}

void
flg_columns_set_visible (GtkColumnView *view, guint column, gboolean visible)
{
  g_autoptr (GtkColumnViewColumn) of = g_list_model_get_item (gtk_column_view_get_columns (view), column);
  if (gtk_column_view_column_get_visible (of) != visible)
    gtk_column_view_column_set_visible (of, visible);
}

void
flg_columns_set_title (GtkColumnView *view, guint column, const char *title)
{
  g_autoptr (GtkColumnViewColumn) of = g_list_model_get_item (gtk_column_view_get_columns (view), column);
  if (strcmp (gtk_column_view_column_get_title (of), title) != 0)
    gtk_column_view_column_set_title (of, title);
}

FlgRecord *
flg_cell_record (GtkWidget *cell)
{
  return g_object_get_data (G_OBJECT (cell), "flg-record");
}

GtkWidget *
flg_cell_text (gpointer data)
{
  GtkWidget *label = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
  return label;
}

GtkWidget *
flg_cell_number (gpointer data)
{
  GtkWidget *label = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (label), 1);
  gtk_widget_add_css_class (label, "numeric");
  return label;
}

void
flg_cell_indexed (GtkWidget *cell, const FlJobStats *stats)
{
  gint64 indexed = stats ? stats->indexed : 0;
  g_autofree char *text = flg_format_percent (indexed, indexed ? stats->hits : 0);
  g_autofree char *tip =
      indexed ? g_strdup_printf (_ ("%d of %d hits have a lattice"), (int) indexed, (int) stats->hits) : NULL;
  gtk_label_set_label (GTK_LABEL (cell), text);
  gtk_widget_set_tooltip_text (cell, tip);
}

void
flg_cell_count_failed (GtkWidget *cell, const FlJobStats *stats)
{
  gint64 failed = stats ? stats->failed + stats->set_aside : 0;
  g_autofree char *text = stats ? flg_format_count (failed) : g_strdup ("–");
  gtk_label_set_label (GTK_LABEL (cell), text);
  if (failed)
    gtk_widget_add_css_class (cell, "bad");
  else
    gtk_widget_remove_css_class (cell, "bad");
  g_autofree char *tip = failed ? g_strdup_printf (_ ("%d shots failed, %d were set aside"),
                                                   (int) stats->failed, (int) stats->set_aside)
                                : NULL;
  gtk_widget_set_tooltip_text (cell, tip);
}
