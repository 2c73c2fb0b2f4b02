#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/record-choice.h"

#include "gui/job-words.h"

#define MOST 24 /* characters of a name */
#define IDS  "flg-ids"

static GArray *
ids_of (GtkDropDown *choice)
{
  return g_object_get_data (G_OBJECT (choice), IDS);
}

static char *
short_name (const char *name)
{
  g_autofree char *line = flg_text_line (name);
  if (g_utf8_strlen (line, -1) <= MOST)
    return g_steal_pointer (&line);
  g_autofree char *cut = g_utf8_substring (line, 0, MOST - 1);
  return g_strconcat (cut, "…", NULL);
}

static gboolean
is_filled_so (GtkDropDown *choice, GtkStringList *names, GArray *ids)
{
  GArray *old = ids_of (choice);
  GListModel *shown = gtk_drop_down_get_model (choice);
  gboolean same = old && shown && old->len == ids->len;
  for (guint i = 0; same && i < ids->len; i++)
    same = g_array_index (old, gint64, i) == g_array_index (ids, gint64, i)
           && g_str_equal (gtk_string_list_get_string (GTK_STRING_LIST (shown), i),
                           gtk_string_list_get_string (names, i));
  return same;
}

void
flg_record_choice_fill (GtkDropDown *choice, const char *all, FlgRecordModel *records,
                        const char *(*name) (gconstpointer record), guint least)
{
  g_autoptr (GtkStringList) names = gtk_string_list_new (NULL);
  g_autoptr (GArray) ids = g_array_new (FALSE, TRUE, sizeof (gint64));
  gint64 chosen = flg_record_choice_get (choice);
  gtk_string_list_append (names, all);
  g_array_set_size (ids, 1);
  for (guint i = 0; i < flg_record_model_count (records); i++)
    {
      FlgRecord *record = flg_record_model_at (records, i);
      gint64 id = flg_record_id (record);
      gtk_string_list_take (names, short_name (name (flg_record_any (record))));
      g_array_append_val (ids, id);
    }
  gtk_widget_set_visible (GTK_WIDGET (choice), ids->len > least);
  if (is_filled_so (choice, names, ids))
    return;
  g_object_set_data_full (G_OBJECT (choice), IDS, g_array_ref (ids), (GDestroyNotify) g_array_unref);
  gtk_drop_down_set_model (choice, G_LIST_MODEL (names));
  flg_record_choice_set (choice, chosen);
}

gint64
flg_record_choice_get (GtkDropDown *choice)
{
  GArray *ids = ids_of (choice);
  guint at = gtk_drop_down_get_selected (choice);
  return ids && at < ids->len ? g_array_index (ids, gint64, at) : 0;
}

void
flg_record_choice_set (GtkDropDown *choice, gint64 id)
{
  GArray *ids = ids_of (choice);
  guint found = 0;
  for (guint i = 0; ids && i < ids->len; i++)
    if (g_array_index (ids, gint64, i) == id)
      found = i;
  if (ids)
    gtk_drop_down_set_selected (choice, found);
}
