/* site-hosts.h: machines that this user has met: names of ~/.ssh/config, then of known_hosts. Files are read as they are, with bounds;
 * anything odd in them is left out. Thread: any. */
#pragma once

#include <glib.h>

/* `folder` NULL: ~/.ssh. At most FLG_MOST_HOSTS; free with g_strfreev. */
GStrv flg_site_hosts (const char *folder);

#define FLG_MOST_HOSTS 200
