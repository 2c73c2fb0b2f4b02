/* known-hosts.h: the files in which SSH remembers the keys of servers (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"): plain names,
 * patterns, `[host]:port`, hashed names, @revoked. Lines that are not understood are passed over. Our own reader, because
 * libssh2's stops at the first line that it does not know and cannot say which line it means. Thread: any. */
#pragma once

#include <gio/gio.h>

typedef enum
{
  FL_HOST_KEY_KNOWN,
  FL_HOST_KEY_UNKNOWN, /* nothing of that kind of key is known; *where: another kind's line, or NULL */
  FL_HOST_KEY_CHANGED, /* *where, *expected: the line, the fingerprint of its key */
  FL_HOST_KEY_REVOKED
} FlHostKeyVerdict;

/* `files`: NULL-terminated. `key`: as on the wire. *where: "FILE line N", *expected: "SHA256:…"; free both. */
FlHostKeyVerdict fl_known_hosts_check (const char *const *files, const char *host, int port,
                                       const guint8 *key, gsize length, char **where, char **expected);
/* The kinds of key known for it, the best first ("ssh-ed25519", …); NULL-terminated, free with g_strfreev. */
char **fl_known_hosts_kinds (const char *const *files, const char *host, int port);
/* Adds a line; makes the file (0600) and its folder (0700) if need be. */
gboolean fl_known_hosts_add (const char *file, const char *host, int port, const guint8 *key, gsize length,
                             GError **error);

char *fl_host_key_fingerprint (const guint8 *key, gsize length); /* "SHA256:…" */
char *fl_host_key_kind (const guint8 *key, gsize length);        /* "ssh-ed25519"; "" when it is none */
/* "ED25519" of "ssh-ed25519": as people and ssh-keygen say it. */
const char *fl_host_key_word (const char *kind);
