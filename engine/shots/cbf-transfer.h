/* cbf-transfer.h: binary sections that were written as text, by base64 or quoted printable (MIME, RFC 2045), as imgCIF files
 * have them that are to be plain CIF (private to the room). Thread: any. */
#pragma once

#include <glib.h>

/* FALSE: not an encoding that is undone here. */
gboolean fl_cbf_transfer_known (const char *encoding);

/* The bytes behind `n` bytes of text, FL_CBF_PADDING zeros behind them; g_free. */
guint8 *fl_cbf_transfer_undo (const char *encoding, const guint8 *text, gsize n, gsize *length);
