/* msgpack.h: MessagePack (msgpack.org, specification of 2013), as much as DIALS' tables need.
 *
 * Reading is by pulling one item at a time; after a MAP or ARRAY the caller takes its 2n or n items. Thread: any. */
#pragma once

#include <glib.h>

typedef enum
{
  FL_MSGPACK_NIL,
  FL_MSGPACK_BOOL,
  FL_MSGPACK_INT,
  FL_MSGPACK_FLOAT,
  FL_MSGPACK_BYTES, /* text, binary and extension types */
  FL_MSGPACK_ARRAY,
  FL_MSGPACK_MAP
} FlMsgpackKind;

typedef struct
{
  FlMsgpackKind kind;
  gint64 number; /* INT, BOOL */
  guint64 n;     /* BYTES: how many; ARRAY: items; MAP: pairs */
  const guint8 *bytes;
} FlMsgpackItem;

typedef struct
{
  const guint8 *at;
  gsize left;
} FlMsgpack;

/* FALSE: the bytes end, or are no MessagePack. */
gboolean fl_msgpack_take (FlMsgpack *in, FlMsgpackItem *item);
/* Steps over one item and all that is in it. */
gboolean fl_msgpack_skip (FlMsgpack *in);
gboolean fl_msgpack_is (const FlMsgpackItem *item, const char *text);

void fl_msgpack_put_int (GByteArray *out, guint64 value);
void fl_msgpack_put_text (GByteArray *out, const char *text);
void fl_msgpack_put_array (GByteArray *out, guint32 n);
void fl_msgpack_put_map (GByteArray *out, guint32 n);
void fl_msgpack_put_bytes_head (GByteArray *out, guint32 n); /* n bytes are to follow */
