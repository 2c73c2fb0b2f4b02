/* feed.h: what has changed in a store since a reader last asked, as bytes for its mirror (mirror.h).
 *
 * Tables are found in the database itself, so that a new one is followed without a word here: tables with `id` and
 * `revision` by revision, with tombstones; tables with `id` alone by id (they only grow); small ones with neither as a
 * whole, when a digest differs. Slices come in the order of their stamps, with their columns; slices that compaction has
 * put in the place of others name those. What only a writer needs (slice_key, journal) and who is here (presence) stays behind.
 * One batch is one snapshot. Nothing is written. Thread: the store's. */
#pragma once

#include "engine/store/store.h"

/* After `position` (of fl_mirror_position; length 0: from the beginning), about `most` bytes: never less than one record
 * or slice; an attempt's compacted slices come together or, when they are very large, in parts that the mirror keeps hidden
 * until the last has come. FL_ERROR_UNSUPPORTED when the reader has another schema,
 * FL_ERROR_INPUT when its position is damaged or of another store. */
GBytes *fl_feed_collect (FlStore *store, gconstpointer position, gsize length, gsize most, GError **error);
