#include "engine/results/master.h"

#include <glib/gstdio.h>
#include <hdf5.h>

#include "engine/base/error.h"
#include "engine/results/segment.h"
#include "engine/results/table.h"

typedef struct
{
  const char *path; /* relative to the job's folder */
  FlShotIndex index;
  guint64 base[FL_PART_LAST]; /* of its rows in the master's tables */
} Segment;

typedef struct
{
  guint32 source, frame;
  guint segment, row;
} Place;

static void
segment_clear (gpointer data)
{
  fl_shot_index_clear (&((Segment *) data)->index);
}

char *
fl_master_path (const char *job_dir)
{
  return g_build_filename (job_dir, "spots.h5", NULL);
}

/* Damaged segments are left out: their shots have been sealed again from the journal. */
static GArray *
read_segments (const char *job_dir, const GPtrArray *paths)
{
  GArray *segments = g_array_new (FALSE, TRUE, sizeof (Segment));
  guint64 base[FL_PART_LAST] = { 0 };
  g_array_set_clear_func (segments, segment_clear);
  for (guint i = 0; i < paths->len; i++)
    {
      g_autofree char *path = g_build_filename (job_dir, paths->pdata[i], NULL);
      Segment segment = { .path = paths->pdata[i] };
      if (!fl_segment_read_index (path, &segment.index, NULL))
        continue;
      for (guint p = 0; p < FL_PART_LAST; p++)
        {
          segment.base[p] = base[p];
          base[p] += segment.index.rows[p];
        }
      g_array_append_val (segments, segment);
    }
  return segments;
}

static int
by_source_and_frame (gconstpointer a, gconstpointer b)
{
  const Place *x = a, *y = b;
  if (x->source != y->source)
    return x->source < y->source ? -1 : 1;
  return (x->frame > y->frame) - (x->frame < y->frame);
}

/* Where each shot's latest row is, sorted. */
static GArray *
sort_shots (const GArray *segments)
{
  g_autoptr (GHashTable) winners = g_hash_table_new (g_int64_hash, g_int64_equal); /* id -> segment + 1 */
  for (guint s = 0; s < segments->len; s++)
    {
      const Segment *segment = &g_array_index (segments, Segment, s);
      const guint64 *ids = fl_batch_column (segment->index.shots, "id");
      for (guint i = 0; i < fl_batch_rows (segment->index.shots); i++)
        {
          guint old = GPOINTER_TO_UINT (g_hash_table_lookup (winners, &ids[i]));
          if (old == 0 || g_array_index (segments, Segment, old - 1).index.attempt <= segment->index.attempt)
            g_hash_table_replace (winners, (gpointer) &ids[i], GUINT_TO_POINTER (s + 1));
        }
    }
  GArray *places = g_array_new (FALSE, FALSE, sizeof (Place));
  for (guint s = 0; s < segments->len; s++)
    {
      const Segment *segment = &g_array_index (segments, Segment, s);
      const guint64 *ids = fl_batch_column (segment->index.shots, "id");
      const guint32 *sources = fl_batch_column (segment->index.shots, "source");
      const guint32 *frames = fl_batch_column (segment->index.shots, "frame");
      for (guint i = 0; i < fl_batch_rows (segment->index.shots); i++)
        if (GPOINTER_TO_UINT (g_hash_table_lookup (winners, &ids[i])) == s + 1)
          {
            Place place = { sources[i], frames[i], s, i };
            g_array_append_val (places, place);
          }
    }
  g_array_sort (places, by_source_and_frame);
  return places;
}

/* Where in the joined table each shot's rows lie. */
static gboolean
write_places (hid_t file, FlPart part, const GArray *segments, const GArray *places, GError **error)
{
  g_autofree guint64 *first = g_new0 (guint64, places->len + 1), *count = g_new0 (guint64, places->len + 1);
  for (guint i = 0; i < places->len; i++)
    {
      const Place *place = &g_array_index (places, Place, i);
      const Segment *segment = &g_array_index (segments, Segment, place->segment);
      first[i] = segment->base[part] + segment->index.first[part][place->row];
      count[i] = segment->index.count[part][place->row];
    }
  return fl_table_write_u64 (file, fl_parts[part].first, first, places->len, error)
         && fl_table_write_u64 (file, fl_parts[part].count, count, places->len, error);
}

static gboolean
write_shots (hid_t file, const GArray *segments, GError **error)
{
  g_autoptr (GArray) places = sort_shots (segments);
  g_autoptr (FlBatch) shots = fl_batch_new (FL_KIND_SHOT);
  for (guint i = 0; i < places->len; i++)
    {
      const Place *place = &g_array_index (places, Place, i);
      fl_part_copy (shots, g_array_index (segments, Segment, place->segment).index.shots, place->row, 1);
    }
  gboolean ok = fl_table_write (file, "shots", shots, error);
  for (guint p = 0; ok && p < FL_PART_LAST; p++)
    ok = write_places (file, p, segments, places, error);
  return ok;
}

/* One column of all segments, end to end. */
static gboolean
write_virtual (hid_t group, FlPart part, const FlColumn *column, const GArray *segments, guint64 n_rows)
{
  hsize_t all[1] = { n_rows };
  hid_t space = H5Screate_simple (1, all, NULL), properties = H5Pcreate (H5P_DATASET_CREATE);
  hid_t type = fl_column_hdf5_type (column->type);
  g_autofree char *from = g_strdup_printf ("/%s/%s", fl_parts[part].table, column->name);
  gboolean ok = TRUE;
  for (guint s = 0; ok && s < segments->len; s++)
    {
      const Segment *segment = &g_array_index (segments, Segment, s);
      hsize_t start[1] = { segment->base[part] }, count[1] = { segment->index.rows[part] };
      if (count[0] == 0)
        continue;
      hid_t source = H5Screate_simple (1, count, NULL);
      ok = H5Sselect_hyperslab (space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0
           && H5Pset_virtual (properties, space, segment->path, from, source) >= 0;
      H5Sclose (source);
    }
  H5Sselect_all (space);
  hid_t dataset =
      ok ? H5Dcreate2 (group, column->name, type, space, H5P_DEFAULT, properties, H5P_DEFAULT) : -1;
  ok = dataset >= 0 && fl_column_write_unit (dataset, column->unit);
  if (dataset >= 0)
    H5Dclose (dataset);
  H5Pclose (properties);
  H5Sclose (space);
  return ok;
}

static gboolean
write_part (hid_t file, FlPart part, const GArray *segments, GError **error)
{
  const FlSchema *schema = fl_schema (fl_parts[part].kind);
  guint64 n_rows = 0;
  for (guint s = 0; s < segments->len; s++)
    n_rows += g_array_index (segments, Segment, s).index.rows[part];
  hid_t group = H5Gcreate2 (file, fl_parts[part].table, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  gboolean ok = group >= 0;
  for (guint c = 0; ok && c < schema->n_columns; c++)
    ok = write_virtual (group, part, &schema->columns[c], segments, n_rows);
  if (group >= 0)
    H5Gclose (group);
  if (!ok)
    g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "the joined %s cannot be written (disk full?)",
                 fl_parts[part].table);
  return ok;
}

static gboolean
write_attributes (hid_t file, guint attempt, GError **error)
{
  if (fl_attribute_write_text (file, "format", "firstlight spots master")
      && fl_attribute_write_u64 (file, "version", 1) && fl_attribute_write_u64 (file, "attempt", attempt)
      && fl_attribute_write_text (file, "engine", "firstlight-engine " FL_VERSION))
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "attributes cannot be written (disk full?)");
  return FALSE;
}

gboolean
fl_master_write (const char *job_dir, guint attempt, const FlBatch *sources, GError **error)
{
  g_autofree char *path = fl_master_path (job_dir);
  g_autofree char *temporary = fl_seal_begin (path);
  fl_hdf5_quiet ();
  g_autoptr (GPtrArray) paths = fl_segment_list (job_dir);
  g_autoptr (GArray) segments = read_segments (job_dir, paths);
  /* Virtual datasets want the format of HDF5 1.10. */
  hid_t access = H5Pcreate (H5P_FILE_ACCESS);
  H5Pset_libver_bounds (access, H5F_LIBVER_V110, H5F_LIBVER_V110);
  hid_t file = H5Fcreate (temporary, H5F_ACC_TRUNC, H5P_DEFAULT, access);
  H5Pclose (access);
  gboolean ok = file >= 0 && write_attributes (file, attempt, error) && write_shots (file, segments, error);
  for (guint p = 0; ok && p < FL_PART_LAST; p++)
    ok = write_part (file, p, segments, error);
  ok = ok && fl_table_write (file, "sources", sources, error);
  if (file >= 0 && H5Fclose (file) < 0)
    ok = FALSE;
  if (ok)
    return fl_seal (temporary, path, error);
  if (error != NULL && *error == NULL)
    g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "cannot be written (disk full?)");
  fl_error_prefix_path (error, path);
  g_unlink (temporary);
  return FALSE;
}
