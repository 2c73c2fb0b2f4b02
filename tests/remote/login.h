/* login.h: an FlRemote with a person who answers, for tests. */
#pragma once

#include "engine/remote/remote.h"
#include "tests/remote/server.h"

typedef struct
{
  FlRemote *remote;
  FlHost *host;
  const char *answers
      [8]; /* what the person says to one question after the other; "code": the right one; "wait": nothing, yet; NULL:
                            refuses */
  guint n_asked;
  GPtrArray *questions; /* of FlRemoteQuestion */
  GPtrArray *states;    /* of the names, each change once */
  gboolean voided;
} TestLogin;

/* By a key of the server's folder ("" = none), by port (0 = the server's); fl_remote_connect() is the caller's. */
TestLogin *test_login_new (TestServer *server, FlRemoteTransport transport, const char *key, int port);
/* By that configuration, with the same person. */
TestLogin *test_login_new_from (const FlRemoteConfig *config);
void test_login_free (TestLogin *login);
/* Runs the main loop till that state, at most `seconds`; FALSE: not reached. */
gboolean test_login_await (TestLogin *login, FlRemoteState state, double seconds);
void test_login_spin (double seconds); /* of the main loop */
