#include "tests/gui/datasets-room.h"

Room *
datasets_room (MadeDatasets *made, FlgDatasetsPage **page)
{
  char *folder = g_dir_make_tmp ("firstlight-gui-XXXXXX", NULL);
  MadeStore wanted = { RUNS, 40, 2, (guint64) g_get_real_time () * 1000, TRUE };
  made_datasets_write (folder, &wanted, made);
  Room *room = room_adopt (folder, FL_STORE_WRITE, FALSE);
  *page = FLG_DATASETS_PAGE (room_page (room, "datasets"));
  return room;
}

gpointer
look_for (Room *room, FlTable table, const char *name)
{
  g_autoptr (FlStore) store = room_look (room);
  g_autoptr (GError) error = NULL;
  gpointer record = fl_store_find (store, table, name, &error);
  g_assert_no_error (error);
  return record;
}

GPtrArray *
links_of (Room *room, gint64 dataset)
{
  g_autoptr (FlStore) store = room_look (room);
  GPtrArray *links = fl_store_list (store, FL_TABLE_DATASET_TASK, NULL);
  for (guint i = links->len; i-- > 0;)
    if (((FlDatasetTask *) links->pdata[i])->dataset != dataset)
      g_ptr_array_remove_index (links, i);
  return links;
}
