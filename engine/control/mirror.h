/* mirror.h: brings what an attempt far away has written since into the same folder here.
 *
 * Journals (journal-*.flj) only grow: from each the bytes after those that are here already are asked for and appended, so that a
 * pull that is killed at any moment goes on where it was, and the copies are what the ingest reads. Tables in flight
 * (inflight-*.fli) are small and replaced whole. Of STEM.out and STEM.err the last MOST_PRINTED bytes are kept, as they are.
 * A journal that is shorter there than here was another attempt's: refused with one line. Thread: the site's. */
#pragma once

#include "engine/control/site.h"

#define FL_MIRROR_MOST_PRINTED (1u << 20)

/* `submissions`: GPtrArray of FlSubmission. A round trip or three for all of them. *bytes is added to. An attempt's own trouble
 * (a folder that is gone) is put into *message (free it; NULL when all is well) and does not stop the others. FALSE when the
 * connection was lost. */
gboolean fl_mirror_pull (FlHost *host, GPtrArray *submissions, guint64 *bytes, char **message,
                         GError **error);
