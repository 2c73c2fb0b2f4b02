#include "engine/store/keyring.h"

#include <string.h>

#include "engine/base/error.h"

#ifdef FL_HAVE_KEYRING
#include <libsecret/secret.h>

static const SecretSchema schema = { "org.firstlight.Database",
                                     SECRET_SCHEMA_NONE,
                                     { { "user", SECRET_SCHEMA_ATTRIBUTE_STRING },
                                       { "server", SECRET_SCHEMA_ATTRIBUTE_STRING },
                                       { "database", SECRET_SCHEMA_ATTRIBUTE_STRING },
                                       { NULL, SECRET_SCHEMA_ATTRIBUTE_STRING } } };

static const char *
user_of (const FlDatabase *database)
{
  return *database->user != '\0' ? database->user : g_get_user_name ();
}

static char *
server_of (const FlDatabase *database)
{
  return *database->socket != '\0' ? g_strdup (database->socket)
                                   : g_strdup_printf ("%s:%d", database->host, database->port);
}

gboolean
fl_keyring_has (void)
{
  return TRUE;
}

char *
fl_keyring_look_up (const FlDatabase *database)
{
  g_autofree char *server = server_of (database);
  char *found = secret_password_lookup_sync (&schema, NULL, NULL, "user", user_of (database), "server",
                                             server, "database", database->name, NULL);
  char *copy = g_strdup (found);
  secret_password_free (found);
  return copy;
}

gboolean
fl_keyring_store (const FlDatabase *database, const char *password, GError **error)
{
  g_autofree char *server = server_of (database);
  return secret_password_store_sync (&schema, SECRET_COLLECTION_DEFAULT, database->shown, password, NULL,
                                     error, "user", user_of (database), "server", server, "database",
                                     database->name, NULL);
}

gboolean
fl_keyring_forget (const FlDatabase *database, GError **error)
{
  g_autofree char *server = server_of (database);
  g_autoptr (GError) failed = NULL;
  secret_password_clear_sync (&schema, NULL, &failed, "user", user_of (database), "server", server,
                              "database", database->name, NULL);
  if (failed == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failed));
  return FALSE;
}
#else
static gboolean
no_keyring (GError **error)
{
  g_set_error (
      error, FL_ERROR, FL_ERROR_UNSUPPORTED,
      "this Firstlight was built without a keyring (libsecret); put the password into the option file's "
      "group [firstlight]");
  return FALSE;
}

gboolean
fl_keyring_has (void)
{
  return FALSE;
}

char *
fl_keyring_look_up (const FlDatabase *database G_GNUC_UNUSED)
{
  return NULL;
}

gboolean
fl_keyring_store (const FlDatabase *database G_GNUC_UNUSED, const char *password G_GNUC_UNUSED,
                  GError **error)
{
  return no_keyring (error);
}

gboolean
fl_keyring_forget (const FlDatabase *database G_GNUC_UNUSED, GError **error)
{
  return no_keyring (error);
}
#endif

void
fl_keyring_free (char *password)
{
  if (password != NULL)
    explicit_bzero (password, strlen (password));
  g_free (password);
}
