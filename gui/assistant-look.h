/* assistant-look.h: what a folder is, before it is opened. Thread: any but the main one. */
#pragma once

#include "gui/assistant-field.h"

/* PATH, a folder or a file in it. GOOD: it opens; WARNING: it does, with what is said; BAD: it does not. `found`: a GObject
 * with data "details" (char *: lines for people), "folder" (char *) and "new" (not NULL: there is no experiment, one could be
 * made). FlgProofFunc. */
FlgProof *flg_look_at (gpointer strings, GCancellable *cancellable);
