/* people-fixture.h: a store with a record of every table, somebody else at a handle, and changes that can be undone. */
#pragma once

#include "engine/store/fields.h"
#include "engine/store/people.h"
#include "engine/store/store-private.h"
#include "tests/store/fixture.h"

typedef struct
{
  gint64 ids[FL_TABLE_LAST]; /* a record of each */
  gint64 edit;               /* one that can be taken back; there is another before it */
} All;

/* Everything made by the account of the handle, who becomes an owner. */
void make_all (FlStore *store, All *all);
/* The handle is somebody else's from now on. */
void become (FlStore *store, const char *account);
void set_role (FlStore *store, const char *who, FlRole role);

void prepare_random (FlStore *store, FlRandom *random);
void change_randomly (FlStore *store, FlRandom *random);
/* All that changes of the sort can alter, as text. */
char *undoable_state (FlStore *store);

guint count (FlStore *store, FlTable table);
GPtrArray *edits (FlStore *store, gint64 before, guint limit); /* FlEdit */
gint64 newest (FlStore *store);                                /* edit */
void undo (FlStore *store, gint64 id);

/* A store of version 4, with what was said in its log. */
void test_old (void);
