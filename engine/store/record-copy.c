#include "engine/store/fields.h"

static void
copy_field (const FlField *field, gpointer to, gconstpointer from)
{
  gpointer there = (char *) to + field->offset;
  gconstpointer here = (const char *) from + field->offset;
  switch (field->type)
    {
    case FL_FIELD_I64:
    case FL_FIELD_U64:
      *(guint64 *) there = *(const guint64 *) here;
      break;
    case FL_FIELD_INT:
    case FL_FIELD_U32:
      *(guint32 *) there = *(const guint32 *) here;
      break;
    case FL_FIELD_REAL:
      *(double *) there = *(const double *) here;
      break;
    case FL_FIELD_TEXT:
    case FL_FIELD_NAME:
    default:
      {
        char *text = g_strdup (*(char *const *) here);
        g_free (*(char **) there);
        *(char **) there = text;
      }
    }
}

gpointer
fl_record_copy (FlTable table, gconstpointer record)
{
  const FlRecordType *type = fl_record_type (table);
  gpointer copy = g_malloc0 (type->size);
  *(FlRecordHead *) copy = *(const FlRecordHead *) record;
  for (guint i = 0; i < type->n_fields; i++)
    copy_field (&type->fields[i], copy, record);
  return copy;
}

void
fl_record_take_column (FlTable table, gpointer to, gconstpointer from, const char *column)
{
  const FlField *field = fl_record_field (table, column);
  g_return_if_fail (field != NULL);
  copy_field (field, to, from);
}
