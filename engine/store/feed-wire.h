/* feed-wire.h: the bytes of batches and positions (feed.h), and how the tables that they are about are found.
 *
 * A position: "FLP1", then numbers: schema, the experiment's time of creation, revision, stamp, newest slice; of an attempt
 * of which a part has come, its newest slice and the attempt (0, 0: none); u64 digest of the small tables; n, then n times a table that only grows and its newest id.
 * A batch: "FLB1", then numbers: schema, creation, the revision and stamp that it leads up to; the store's folder (text);
 * 1 when there is more; n, then n tables: name, how (FlFeedHow), number of columns, their names; then rows: a table's
 * index and a value a column, or 254 with an attempt, a slice (older shot slices of that attempt are gone) and a byte: 1 when
 * all that takes their place is here or has come before, 0 when more of it follows; up to 255.
 * Numbers are zigzag in sevens, texts and blobs have their length in front, reals are f64; little-endian.
 * Inside the store only. */
#pragma once

#include "engine/store/store-private.h"

/* Added to the kind of slices of which others are still to come: nobody looks for such. */
#define FL_FEED_HIDDEN 1000

#define FL_FEED_GONE 254
#define FL_FEED_END  255

typedef enum
{
  FL_FEED_REVISED, /* id and revision */
  FL_FEED_GROWS,   /* id alone */
  FL_FEED_WHOLE,   /* neither: small */
  FL_FEED_TOMBSTONES,
  FL_FEED_SLICES,
  FL_FEED_SLICE_COLUMNS,
  FL_FEED_HOW_LAST
} FlFeedHow;

typedef enum
{
  FL_FEED_INT,
  FL_FEED_REAL,
  FL_FEED_TEXT,
  FL_FEED_BLOB
} FlFeedType;

typedef struct
{
  char *name;
  FlFeedHow how;
  guint n_columns;
  char **columns;
  FlFeedType *types;
} FlFeedTable;

/* All that are followed, those with revisions first. GPtrArray of FlFeedTable, which frees them. */
GPtrArray *fl_feed_tables (FlStore *store, GError **error);
/* "a, b, c" */
char *fl_feed_column_list (const FlFeedTable *table);

/* Of the rows of all small tables, in the order of their first column; 0 with error (never a digest). */
guint64 fl_feed_digest (FlStore *store, const GPtrArray *tables, GError **error);
/* The one number that a statement selects; 0: none, −1 with error. */
gint64 fl_feed_number (FlStore *store, const char *sql, GError **error);
/* When the experiment was made: tells two stores apart; 0: it has no such record yet, −1 with error. */
gint64 fl_feed_created (FlStore *store, GError **error);

void fl_feed_put_int (GByteArray *out, gint64 value);
void fl_feed_put_text (GByteArray *out, const void *text, gsize length);
/* The row that the query stands on. */
void fl_feed_put_row (GByteArray *out, const FlFeedTable *table, FlQuery *query);

typedef struct
{
  const guint8 *at, *end;
  gboolean good; /* FALSE: it ended too early; what is taken then is 0 or "" */
} FlFeedReader;

gint64 fl_feed_take_int (FlFeedReader *reader);
guint fl_feed_take_byte (FlFeedReader *reader);
gconstpointer fl_feed_take_text (FlFeedReader *reader, gsize *length);
char *fl_feed_take_string (FlFeedReader *reader); /* made valid UTF-8 */
