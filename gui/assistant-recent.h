/* assistant-recent.h: experiments that were opened, newest first, in the user's configuration (firstlight/recent.ini). Nothing
 * secret is in it. Thread: any; reading looks at folders and may wait for a disk: off the main loop. */
#pragma once

#include <gio/gio.h>

typedef struct
{
  char *where, *name; /* folder, or ssh://…; the experiment's name */
  gint64 opened;      /* s UTC */
  gboolean missing;   /* not there now, or no experiment any more */
} FlgRecent;

/* GPtrArray of FlgRecent, which frees them. */
GPtrArray *flg_recent_read (void);
void flg_recent_add (const char *where, const char *name);
