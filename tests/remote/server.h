/* server.h: a private sshd on loopback for tests, for the one who runs them, and a proxy before it that delays, freezes and
 * counts. Everything lies in one temporary folder. */
#pragma once

#include <glib.h>

typedef struct
{
  char *
      folder; /* keys: id_ed25519, id_phrase ("open sesame"), id_rsa, id_cert with a certificate; known_hosts */
  char *known_hosts;
  int port;
  GPid pid; /* 0: not running */
  gboolean pam;
} TestServer;

/* NULL: there is no sshd here, and the test is skipped. `lines` (may be "") go to its configuration; `pam`: through
 * libpam_wrapper, with one-time codes and passwords ("hunter2"). The host key is not known yet. */
TestServer *test_server_new (const char *lines, gboolean pam);
void test_server_free (TestServer *server);
char *test_server_file (TestServer *server, const char *name);
void test_server_start (TestServer *server);
void test_server_stop (TestServer *server); /* with every session */
void test_server_freeze (TestServer *server, gboolean frozen);
/* Another key of the same kind. */
void test_server_change_key (TestServer *server);
void test_server_trust (TestServer *server, int port); /* its key is known, at that port */
/* The code that is right now; no code is right twice. Free it. */
char *test_server_code (void);

typedef struct TestProxy TestProxy;

/* Listens on a port of its own and passes on to `port`, each way `delay_ms` late. */
TestProxy *test_proxy_new (int port, guint delay_ms);
void test_proxy_free (TestProxy *proxy);
int test_proxy_port (TestProxy *proxy);
void test_proxy_freeze (TestProxy *proxy, gboolean frozen);
void test_proxy_cut (TestProxy *proxy); /* every connection, now */
