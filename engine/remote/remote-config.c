#include "engine/remote/remote-config.h"

#include <string.h>

#define KEEP_ALIVE_S 5

FlRemoteConfig *
fl_remote_config_copy (const FlRemoteConfig *config)
{
  FlRemoteConfig *copy = g_memdup2 (config, sizeof *config);
  copy->host = g_strdup (config->host != NULL ? config->host : "");
  copy->user = g_strdup (config->user != NULL ? config->user : "");
  copy->identity = g_strdup (config->identity != NULL ? config->identity : "");
  copy->known_hosts = g_strdup (config->known_hosts);
  copy->config_file = g_strdup (config->config_file);
  if (copy->keep_alive_s <= 0)
    copy->keep_alive_s = KEEP_ALIVE_S;
  return copy;
}

void
fl_remote_config_free (FlRemoteConfig *config)
{
  g_free (config->host);
  g_free (config->user);
  g_free (config->identity);
  g_free (config->known_hosts);
  g_free (config->config_file);
  g_free (config);
}

const char *
fl_remote_transport_name (FlRemoteTransport transport)
{
  static const char *const names[] = { "auto", "libssh2", "openssh" };
  return names[transport];
}

FlRemoteTransport
fl_remote_transport_parse (const char *name)
{
  return g_strcmp0 (name, "libssh2") == 0   ? FL_REMOTE_LIBSSH2
         : g_strcmp0 (name, "openssh") == 0 ? FL_REMOTE_OPENSSH
                                            : FL_REMOTE_AUTO;
}

const char *
fl_remote_state_name (FlRemoteState state)
{
  static const char *const names[] = { "offline", "connecting", "asking", "up", "slow", "lost" };
  return names[state];
}
