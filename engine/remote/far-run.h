/* far-run.h: commands over a link, as in host.h. Thread: any. */
#pragma once

#include "engine/remote/host.h"
#include "engine/remote/link.h"

gboolean fl_far_run (FlLink *link, const char *const *argv, GBytes *input, guint timeout_s,
                     GCancellable *cancellable, FlHostOutput *output, GError **error);
/* far-open.c */
int fl_far_open (FlLink *link, const char *const *argv, FlHostLine errors, gpointer data, GError **error);
