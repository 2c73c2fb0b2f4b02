/* xtc2.h: LCLS-II's raw data, one recorder's stream as one file (private to the room; inspect and sources read it).
 *
 * A file is datagrams one after the other: configure, transitions, events (L1Accept). What an event holds is described by
 * the names of the configure before it: a detector's segment, an algorithm, fields with type and rank. A last datagram that
 * is cut off (a live file, a crash) is left out. Names, extents and counts are checked against the bytes that are there.
 * Thread: one at a time. Errors: `file: what is wrong, what was expected`. */
#pragma once

#include <glib.h>

#define FL_XTC2_DIMS 5

enum /* services */
{
  FL_XTC2_CONFIGURE = 2,
  FL_XTC2_L1_ACCEPT = 12
};

typedef enum
{
  FL_XTC2_U8,
  FL_XTC2_U16,
  FL_XTC2_U32,
  FL_XTC2_U64,
  FL_XTC2_I8,
  FL_XTC2_I16,
  FL_XTC2_I32,
  FL_XTC2_I64,
  FL_XTC2_F32,
  FL_XTC2_F64,
  FL_XTC2_CHARSTR,
  FL_XTC2_ENUMVAL,
  FL_XTC2_ENUMDICT
} FlXtc2Type;

typedef struct
{
  char *name;
  FlXtc2Type type;
  guint rank; /* 0: a scalar */
} FlXtc2Field;

/* One record that events may carry. */
typedef struct
{
  guint32 src; /* NamesId: links data to its names */
  char *detector, *type, *id, *algorithm;
  guint32 version; /* of the algorithm: major << 16 | minor << 8 | micro */
  guint32 segment;
  guint n_fields;
  FlXtc2Field *fields;
} FlXtc2Names;

typedef struct
{
  guint64 offset;
  guint32 size; /* bytes, header included */
  guint32 seconds, nanoseconds, env;
  guint16 damage;
  guint8 service;
  guint16 configure; /* which of the file's configures describes it; counted from 1, 0 = none yet */
} FlXtc2Datagram;

typedef struct FlXtc2 FlXtc2;

FlXtc2 *fl_xtc2_open (const char *path, GError **error);
void fl_xtc2_close (FlXtc2 *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlXtc2, fl_xtc2_close)

/* The first bytes of a file look like a configure datagram of this format. */
gboolean fl_xtc2_is (const guint8 *head, gsize length);

guint fl_xtc2_n_datagrams (const FlXtc2 *file);
const FlXtc2Datagram *fl_xtc2_datagram (const FlXtc2 *file, guint i);
const char *fl_xtc2_service_name (guint service); /* "L1Accept"; "?" for none */
gsize fl_xtc2_type_size (FlXtc2Type type);
guint fl_xtc2_n_configures (const FlXtc2 *file);
/* Of FlXtc2Names *, of configure 1, 2, …; in the file's order. */
const GPtrArray *fl_xtc2_names (const FlXtc2 *file, guint configure);

/* One field's value in a datagram; valid in the callback only. Bytes are little-endian and not aligned. */
typedef struct
{
  const FlXtc2Names *names;
  const FlXtc2Field *field;
  guint32 shape[FL_XTC2_DIMS]; /* rank of them; C order */
  const guint8 *bytes;
  gsize length;
} FlXtc2Value;

typedef gboolean (*FlXtc2Visit) (const FlXtc2Value *value,
                                 gpointer data); /* FALSE: no more of this datagram */

/* Reads datagram i and visits its fields in order. What is marked corrupted is passed over. */
gboolean fl_xtc2_visit (FlXtc2 *file, guint i, FlXtc2Visit visit, gpointer data, GError **error);
