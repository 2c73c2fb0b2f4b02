/* grants.h: what an SQL account must be given on a server so that it can do what its role allows (people.h) and nothing
 * else: then the server itself keeps a viewer from changing anything, whatever program asks.
 *
 *   viewer    SELECT on all; INSERT, UPDATE, DELETE on presence
 *   operator  and INSERT, UPDATE, DELETE on all but experiment and person; of edit and audit INSERT alone
 *   owner     ALL PRIVILEGES on the database; may hand on what the one who gives may hand on
 *
 * A schema that has grown by a table must be granted anew. MySQL and MariaDB only. Thread: the store's. */
#pragma once

#include "engine/store/people.h"

typedef struct
{
  const char *account, *host; /* host: "%" for any */
  FlRole role;                /* FL_ROLE_LAST: none */
  const char *password;       /* the account is made with it; NULL: it is there */
  gboolean tls;               /* it is made so that it must encrypt */
  gboolean hand_on;           /* an owner may grant */
} FlGrant;

/* The statements, in order, without ';': GPtrArray of text, which frees them. Those that begin with REVOKE may fail because
 * there is nothing to take away. FL_ERROR_INPUT for a name that cannot be quoted. */
GPtrArray *fl_grants_sql (FlStore *store, const FlGrant *grant, GError **error);
/* Runs them. FL_ERROR_DENIED when this account may not. */
gboolean fl_grants_give (FlStore *store, const FlGrant *grant, GError **error);
