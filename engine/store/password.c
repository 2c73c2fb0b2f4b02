#include "engine/store/password.h"

#include "engine/store/keyring.h"

static GMutex lock;
static GHashTable *held; /* account -> password */

static char *
account_of (const FlDatabase *database)
{
  return g_strconcat (database->shown, "\n", database->socket, NULL);
}

static void
wipe (gpointer password)
{
  fl_keyring_free (password);
}

void
fl_password_hold (const FlDatabase *database, const char *password)
{
  g_mutex_lock (&lock);
  if (held == NULL)
    held = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, wipe);
  g_autofree char *account = account_of (database);
  if (password != NULL && *password != '\0')
    g_hash_table_replace (held, g_steal_pointer (&account), g_strdup (password));
  else
    g_hash_table_remove (held, account);
  g_mutex_unlock (&lock);
}

char *
fl_password_held (const FlDatabase *database)
{
  g_autofree char *account = account_of (database);
  g_mutex_lock (&lock);
  char *password = held != NULL ? g_strdup (g_hash_table_lookup (held, account)) : NULL;
  g_mutex_unlock (&lock);
  return password;
}
