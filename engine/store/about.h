/* about.h: what a database is: for people who look whether all is well. */
#pragma once

#include "engine/store/store.h"

/* "what: value" each, one line: driver and version, where, schema, account and role, size, records, time of a round trip,
 * encryption. GPtrArray of text, which frees it. */
GPtrArray *fl_store_about (FlStore *store, GError **error);
