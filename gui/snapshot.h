/* snapshot.h: a picture of the window at a given size, taken when what it shows has settled, after which it closes; and how long
 * the first frame took. Thread: main. */
#pragma once

#include "gui/window.h"

typedef struct
{
  FlgWindow *window; /* weak: NULL once it has gone */
  const char *file;
  int width, height; /* 0: as it is */
  double after;      /* s, at least */
  gboolean (*settled) (gpointer data);
  gpointer data;
  int *status; /* becomes 1 when the file could not be written */
} FlgSnapshot;

/* Copies `snapshot`; the strings stay the caller's. */
void flg_snapshot_begin (const FlgSnapshot *snapshot);
/* Prints it when the window, which is realized, has been drawn. */
void flg_snapshot_time_start (FlgWindow *window);
