/* inspect-known.h: recognises files that are not shots, by what stands in them, and tells their basic facts. */
#pragma once

#include <glib.h>

/* Appends "format: …" and further "key: value" lines. FALSE without error: not a format known here; FALSE with error:
 * it is one, but damaged. Gzipped files are looked into. */
gboolean fl_inspect_known (const char *path, GString *text, GError **error);

/* The first bytes of the file, unpacked when it is gzipped. FALSE: *error. */
gboolean fl_inspect_head (const char *path, guint8 *head, gsize size, gsize *length, GError **error);
