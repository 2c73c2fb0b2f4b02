/* fake-handlers.h: handlers that answer from the request alone, for tests of both ends. */
#pragma once

#include "engine/view/server.h"

/* A picture whose pixel k is slot * 1e6 + k modulo 65536; path "hold" waits for fake_release() or cancellation, "missing" fails. */
extern const FlViewHandlers fake_handlers;

typedef struct
{
  GMutex mutex;
  GCond cond;
  gboolean released; /* "hold" need not wait any more */
  gboolean stubborn; /* "hold" does not look at its cancellable */
  int holding;       /* handlers that wait */
  GString *order;    /* paths in the order of work, a space after each */
} Fake;

Fake *fake_new (void);
void fake_free (Fake *fake);
void fake_release (Fake *fake);
void fake_wait_held (Fake *fake); /* until a handler waits */
