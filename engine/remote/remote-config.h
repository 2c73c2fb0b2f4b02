/* remote-config.h: copies of a login's configuration. */
#pragma once

#include "engine/remote/remote.h"

FlRemoteConfig *
fl_remote_config_copy (const FlRemoteConfig *config); /* no NULL but known_hosts and config_file */
void fl_remote_config_free (FlRemoteConfig *config);
