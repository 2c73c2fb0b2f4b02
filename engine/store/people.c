#include "engine/store/people.h"

#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/store/store-private.h"

#define HERE_S   30  /* a presence that was not renewed for longer is not shown */
#define FORGET_S 600 /* and after that it is removed */

/* --- roles --- */

static const char *const role_names[] = { "viewer", "operator", "owner" };
G_STATIC_ASSERT (G_N_ELEMENTS (role_names) == FL_ROLE_LAST);

const char *
fl_role_name (FlRole role)
{
  return (guint) role < FL_ROLE_LAST ? role_names[role] : "none";
}

gboolean
fl_role_parse (const char *name, FlRole *role)
{
  for (guint i = 0; i < FL_ROLE_LAST; i++)
    if (g_strcmp0 (name, role_names[i]) == 0)
      {
        *role = (FlRole) i;
        return TRUE;
      }
  return FALSE;
}

FlRole
fl_store_role (FlStore *store)
{
  g_autoptr (FlQuery) query =
      fl_db_query (store->db, SQL (store->db, MAY_WRITE), NULL, FL_TEXT (FL_STORE_MOVED),
                   FL_TEXT (FL_STORE_MOVED), FL_TEXT (store->account));
  while (query != NULL && fl_query_next (query, NULL))
    {
      g_autofree char *lease = fl_query_text (query, 0);
      if (*lease == '\0')
        store->role = (FlRole) CLAMP (fl_query_int (query, 2), FL_ROLE_VIEWER, FL_ROLE_OWNER);
    }
  return store->role;
}

const char *
fl_store_account (FlStore *store)
{
  return store->account;
}

void
fl_store_act_for_person (FlStore *store, const char *where)
{
  g_free (store->machine);
  store->machine = g_strdup (where != NULL ? where : "");
}

gboolean
fl_people_check (FlStore *store, FlTable table, GError **error)
{
  if (table != FL_TABLE_PERSON && table != FL_TABLE_EXPERIMENT)
    return TRUE;
  store->people_changed |= table == FL_TABLE_PERSON;
  if (!store->open || store->role == FL_ROLE_OWNER)
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_DENIED,
               "%s: only an owner may change %s; you are an %s of this experiment, %s", store->path,
               table == FL_TABLE_PERSON ? "people" : "the experiment's settings", fl_role_name (store->role),
               store->account);
  return FALSE;
}

gboolean
fl_people_check_role (gint64 role, GError **error)
{
  if (role >= FL_ROLE_VIEWER && role <= FL_ROLE_OWNER)
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "there is no role %" G_GINT64_FORMAT, role);
  return FALSE;
}

gboolean
fl_people_check_owners (FlStore *store, GError **error)
{
  if (!store->people_changed)
    return TRUE;
  g_autoptr (GError) failed = NULL;
  g_autoptr (FlQuery) query = fl_db_query_values (store->db, SQL (store->db, OWNERS), NULL, 0, error);
  if (query == NULL)
    return FALSE;
  if (fl_query_next (query, &failed) && fl_query_int (query, 0) > 0)
    return TRUE;
  if (failed != NULL)
    g_propagate_error (error, g_steal_pointer (&failed));
  else
    g_set_error (
        error, FL_ERROR, FL_ERROR_INPUT,
        "%s: then nobody would be an owner any more, and nobody could change that; make somebody one "
        "first",
        store->path);
  return FALSE;
}

static gboolean
set_role (FlStore *store, const char *who, FlRole role, GError **error)
{
  g_autoptr (GError) failed = NULL;
  FlPerson *there = fl_store_find (store, FL_TABLE_PERSON, who, &failed);
  gint64 id = there != NULL ? there->id : 0;
  gboolean same = there != NULL && there->role == (int) role;
  fl_record_free (FL_TABLE_PERSON, there);
  if (failed != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&failed));
      return FALSE;
    }
  if (same || (id == 0 && role == FL_ROLE_LAST))
    return fl_people_check (store, FL_TABLE_PERSON, error);
  if (role == FL_ROLE_LAST)
    return fl_store_remove (store, FL_TABLE_PERSON, id, error);
  if (id != 0)
    return fl_store_set_int (store, FL_TABLE_PERSON, id, "role", role, error);
  FlPerson person = { .name = (char *) who, .role = role };
  return fl_store_save (store, FL_TABLE_PERSON, &person, error);
}

gboolean
fl_store_set_role (FlStore *store, const char *who, FlRole role, GError **error)
{
  return fl_store_enter (store, error) && fl_store_leave (store, set_role (store, who, role, error), error);
}

/* --- presence --- */

static void
presence_free (gpointer data)
{
  FlPresence *presence = data;
  g_free (presence->session);
  g_free (presence->who);
  g_free (presence->where);
  g_free (presence->program);
  g_free (presence->page);
  g_free (presence);
}

/* Single statements, without a transaction: a viewer may, and does not make writers wait. */
gboolean
fl_store_be_present (FlStore *store, const char *session, const char *where, const char *program,
                     const char *page, GError **error)
{
  gint64 now;
  if (store->read_only)
    return TRUE;
  if (!fl_db_now (store->db, &now, error)
      || !fl_db_exec (store->db, SQL (store->db, PRESENCE_SEEN), error, FL_TEXT (page), FL_INT (now),
                      FL_TEXT (page), FL_INT (now), FL_TEXT (session)))
    return FALSE;
  return fl_db_changed_rows (store->db) > 0
         || (fl_db_exec (store->db, SQL (store->db, PRESENCE_FORGET), error,
                         FL_INT (now - FORGET_S * (gint64) FL_NS_PER_S))
             && fl_db_exec (store->db, SQL (store->db, PRESENCE_ADD), error, FL_TEXT (session),
                            FL_TEXT (store->account), FL_TEXT (where), FL_TEXT (program), FL_TEXT (page),
                            FL_INT (now), FL_INT (now), FL_INT (now)));
}

gboolean
fl_store_go (FlStore *store, const char *session, GError **error)
{
  return store->read_only
         || fl_db_exec (store->db, SQL (store->db, PRESENCE_REMOVE), error, FL_TEXT (session));
}

static FlPresence *
read_presence (FlQuery *query)
{
  FlPresence *presence = g_new0 (FlPresence, 1);
  *presence = (FlPresence){ .session = fl_query_text (query, 0),
                            .who = fl_query_text (query, 1),
                            .where = fl_query_text (query, 2),
                            .program = fl_query_text (query, 3),
                            .page = fl_query_text (query, 4),
                            .since = (guint64) fl_query_int (query, 5),
                            .seen = (guint64) fl_query_int (query, 6) };
  gboolean roles = fl_query_int (query, 8) > 0;
  presence->role =
      roles ? (FlRole) CLAMP (fl_query_int (query, 7), FL_ROLE_VIEWER, FL_ROLE_OWNER) : FL_ROLE_OWNER;
  return presence;
}

GPtrArray *
fl_store_present (FlStore *store, GError **error)
{
  gint64 now;
  if (!fl_db_now (store->db, &now, error))
    return NULL;
  g_autoptr (GPtrArray) present = g_ptr_array_new_with_free_func (presence_free);
  g_autoptr (GError) failed = NULL;
  g_autoptr (FlQuery) query = fl_db_query (store->db, SQL (store->db, PRESENCE_LIST), error,
                                           FL_INT (now - HERE_S * (gint64) FL_NS_PER_S));
  if (query == NULL)
    return NULL;
  while (fl_query_next (query, &failed))
    g_ptr_array_add (present, read_presence (query));
  if (failed == NULL)
    return g_steal_pointer (&present);
  g_propagate_error (error, g_steal_pointer (&failed));
  return NULL;
}
