/* fields.h: how the records' structs lie in their tables. Inside the store only. */
#pragma once

#include "engine/store/records.h"

typedef enum
{
  FL_FIELD_I64,
  FL_FIELD_U64,
  FL_FIELD_INT, /* int, gboolean, enum */
  FL_FIELD_U32,
  FL_FIELD_REAL,
  FL_FIELD_TEXT,
  FL_FIELD_NAME /* text that must not be empty and has no control characters */
} FlFieldType;

typedef struct
{
  const char *column;
  FlFieldType type;
  gsize offset;
} FlField;

/* Every struct begins with id and revision, which are not among the fields. */
typedef struct
{
  const char *table;
  gsize size;
  const FlField *fields;
  guint n_fields;
  gboolean named; /* has a unique column `name` */
} FlRecordType;

typedef struct
{
  gint64 id, revision;
} FlRecordHead;

const FlRecordType *fl_record_type (FlTable table);
const FlField *fl_record_field (FlTable table, const char *column); /* NULL when there is none */
/* The columns as a list: `each` "": their names, "=": "name = ?", anything else: itself. Free it. */
char *fl_record_columns (const FlRecordType *type, const char *each, const char *separator);

/* --- records as text --- */

/* A field's value; reals as short as they can be read back. Free it. */
char *fl_field_text (const FlField *field, gconstpointer record);
/* "column=value" a line; line breaks and backslashes in values are escaped. Texts longer than FL_EDIT_LONGEST are cut. */
char *fl_record_lines (FlTable table, gconstpointer record);
/* The record of such lines; its id and revision are 0. NULL: they are not such lines. */
gpointer fl_record_of_lines (FlTable table, const char *lines);

#define FL_EDIT_LONGEST 65536 /* bytes of a text; what is longer has been cut, and marked */
/* A copy, cut when it is too long. */
char *fl_edit_text (const char *text);
