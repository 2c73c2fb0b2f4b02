/* people.h: who may do what, who is here, and who changed what.
 *
 * A handle that acts for a person (fl_store_act_for) is held to that person's role and leaves an edit behind for every
 * record that it changes, in the same transaction. One that does not (the conductor, ingestion, an importing program) is
 * not recorded; it may write as long as the account that it runs under may (below).
 *
 * Roles: a viewer changes nothing; an operator everything but people and the experiment record; an owner everything.
 * While there is no person record everybody is an owner. From the first one on, who is not named is a viewer; the last
 * owner cannot be taken away. Who somebody is, the database says: on MySQL the SQL account's name, on SQLite the name of
 * this machine's user (there the file's permissions are what really keeps a viewer out; the role keeps honest people from
 * mistakes). On MySQL the server enforces the roles by the grants that `firstlight-control database grant` gives.
 * Every writing transaction checks the role, whoever asked for it: FL_ERROR_DENIED.
 *
 * Edits are only ever added: whoever may not write that table cannot hide what they did. A text of more than 64 kB is cut in
 * them, and such an edit cannot be undone. Presences are not in the change feed of a far mirror (mirror.h): who looks from
 * afar sees people and edits, not who is here.
 * On MySQL everybody needs SELECT on all tables, and INSERT, UPDATE and DELETE on `presence`.
 * No other way leads round a role: `serve`, `follow` and `channel` open the store for reading; a conductor whose account
 * may not write ends; its socket (control-socket.h) is open to its own user of the machine alone, who has its rights anyway.
 *
 * Thread: as the store. */
#pragma once

#include "engine/store/store.h"

typedef enum
{
  FL_ROLE_VIEWER,
  FL_ROLE_OPERATOR,
  FL_ROLE_OWNER,
  FL_ROLE_LAST
} FlRole;

const char *fl_role_name (FlRole role); /* "viewer" … */
gboolean fl_role_parse (const char *name, FlRole *role);

/* Of this handle's account; read when the store is opened and again whenever a person record has changed. */
FlRole fl_store_role (FlStore *store);
const char *fl_store_account (FlStore *store);
/* From now on changes are this person's: edits are written under the account's name and `where`, a machine's name. */
void fl_store_act_for_person (FlStore *store, const char *where);
/* Makes, changes or (FL_ROLE_LAST) removes the person's record. The first transaction that names anybody must name an
 * owner; FL_ERROR_INPUT when nobody would be one. For a viewer FL_ERROR_DENIED, as for an operator. */
gboolean fl_store_set_role (FlStore *store, const char *who, FlRole role, GError **error);

/* --- presence --- */

typedef struct
{
  char *session; /* unique: one open window, one conductor */
  char *who, *where, *program, *page;
  guint64 since, seen; /* ns UTC, the database's clock */
  FlRole role;
} FlPresence;

/* Says "still here"; about every ten seconds. Not an edit; a viewer may. Does nothing on a read-only handle. */
gboolean fl_store_be_present (FlStore *store, const char *session, const char *where, const char *program,
                              const char *page, GError **error);
gboolean fl_store_go (FlStore *store, const char *session, GError **error);
/* Of the last 30 s, longest here first. GPtrArray of FlPresence, which frees them. */
GPtrArray *fl_store_present (FlStore *store, GError **error);

/* --- edits --- */

typedef enum
{
  FL_EDIT_MADE,
  FL_EDIT_CHANGED,
  FL_EDIT_REMOVED,
  FL_EDIT_SAID /* by an older Firstlight: what was done, in words (in `after`); of no record */
} FlEditKind;

/* One column of one record (made and removed: the whole record, as "column=value" lines in `after` or `before`). */
typedef struct
{
  gint64 id;
  guint64 time; /* ns UTC, the database's clock */
  char *who, *where;
  FlEditKind kind;
  FlTable table;
  gint64 record;
  char *name; /* the record's, as it was then */
  char *column, *before, *after;
  gint64 undone_by;  /* the edit that took it back, 0: none */
  gint64 undoes;     /* the edit that it takes back, 0: none */
  gint64 action;     /* the first edit of the same transaction, itself too */
  gboolean backward; /* it takes something back (one that takes back such a one does it again) */
  gboolean undoable;
} FlEdit;

/* Older than `before` (0: the newest), newest first, at most `limit`. GPtrArray of FlEdit, which frees them. */
GPtrArray *fl_store_edits (FlStore *store, gint64 before, guint limit, GError **error);
/* Of tags, run_tags, comments and activation: puts back what was before, as a new edit. FL_ERROR_CONFLICT when it has been
 * changed since, FL_ERROR_INPUT for one that cannot be undone. *edit (may be NULL) becomes the new edit's id. */
gboolean fl_store_undo (FlStore *store, gint64 id, gint64 *edit, GError **error);
/* The same for all that was done in one transaction with that edit, as far as it can be undone: "undo" of what somebody
 * has just done. All or nothing. */
gboolean fl_store_undo_action (FlStore *store, gint64 id, GError **error);
/* The newest edit of this account that can be undone and does not take something back itself; 0: none. */
gint64 fl_store_last_undoable (FlStore *store, GError **error);

/* --- conflicts --- */

/* As fl_store_save(), but FL_ERROR_CONFLICT when the record has another revision than `record` carries; *theirs (may be
 * NULL) is then the record as it is now. To overwrite after all, save again with their revision. */
gboolean fl_store_save_unchanged (FlStore *store, FlTable table, gpointer record, gpointer *theirs,
                                  GError **error);

typedef struct
{
  const char *column;
  char *base, *mine, *theirs; /* as text; base: what both began with, NULL: not known */
} FlDifference;

/* Columns in which two records of a table differ. GPtrArray of FlDifference, which frees them. `base` may be NULL. */
GPtrArray *fl_record_differences (FlTable table, gconstpointer base, gconstpointer mine,
                                  gconstpointer theirs);
