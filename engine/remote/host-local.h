/* host-local.h: commands on this machine, for host-local.c; as host.h says of fl_host_run() and fl_host_open(). */
#pragma once

#include "engine/remote/host.h"

gboolean fl_local_run (FlHost *host, const char *const *argv, GBytes *input, guint timeout_s,
                       GCancellable *cancellable, FlHostOutput *output, GError **error);
int fl_local_open (FlHost *host, const char *const *argv, FlHostLine errors, gpointer data, GError **error);
