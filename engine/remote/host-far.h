/* host-far.h: an FlHost at the other end of whatever link is up just now. Thread: any. */
#pragma once

#include "engine/remote/host-private.h"
#include "engine/remote/link.h"

FlHost *fl_host_far_new (const char *name);
/* The link to use; NULL: none, and calls answer FL_ERROR_BUSY. */
void fl_host_far_set_link (FlHost *host, FlLink *link);
