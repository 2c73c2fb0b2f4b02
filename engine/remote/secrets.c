#include "engine/remote/secrets.h"

#include <string.h>
#include <sys/mman.h>

#define MOST_SECRETS 8
#define MOST_NAME    512
#define MOST_BYTES   512

typedef struct
{
  char name[MOST_NAME], secret[MOST_BYTES];
} Secret;

struct FlSecrets
{
  gatomicrefcount references;
  GMutex mutex;
  Secret *kept; /* MOST_SECRETS of them, in pages of their own */
};

FlSecrets *
fl_secrets_new (void)
{
  FlSecrets *secrets = g_new0 (FlSecrets, 1);
  g_atomic_ref_count_init (&secrets->references);
  g_mutex_init (&secrets->mutex);
  secrets->kept =
      mmap (NULL, MOST_SECRETS * sizeof (Secret), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (secrets->kept == MAP_FAILED)
    secrets->kept = NULL;
  else
    {
      /* Neither is vital: a limit on locked memory only means that a swapped page may hold one. */
      mlock (secrets->kept, MOST_SECRETS * sizeof (Secret));
      madvise (secrets->kept, MOST_SECRETS * sizeof (Secret), MADV_DONTDUMP);
    }
  return secrets;
}

FlSecrets *
fl_secrets_ref (FlSecrets *secrets)
{
  g_atomic_ref_count_inc (&secrets->references);
  return secrets;
}

void
fl_secrets_unref (FlSecrets *secrets)
{
  if (!g_atomic_ref_count_dec (&secrets->references))
    return;
  if (secrets->kept != NULL)
    {
      explicit_bzero (secrets->kept, MOST_SECRETS * sizeof (Secret));
      munmap (secrets->kept, MOST_SECRETS * sizeof (Secret));
    }
  g_mutex_clear (&secrets->mutex);
  g_free (secrets);
}

/* The place of `name`, or a free one ("" for a name); NULL: neither. */
static Secret *
find (FlSecrets *secrets, const char *name)
{
  for (guint i = 0; secrets->kept != NULL && i < MOST_SECRETS; i++)
    if (strcmp (secrets->kept[i].name, name) == 0)
      return &secrets->kept[i];
  return NULL;
}

void
fl_secrets_keep (FlSecrets *secrets, const char *name, const char *secret)
{
  g_mutex_lock (&secrets->mutex);
  Secret *place = find (secrets, name);
  if (place != NULL)
    explicit_bzero (place, sizeof *place);
  if (secret != NULL && strlen (secret) < MOST_BYTES && strlen (name) < MOST_NAME
      && (place != NULL || (place = find (secrets, "")) != NULL))
    {
      strcpy (place->name, name);
      strcpy (place->secret, secret);
    }
  g_mutex_unlock (&secrets->mutex);
}

char *
fl_secrets_get (FlSecrets *secrets, const char *name)
{
  g_mutex_lock (&secrets->mutex);
  const Secret *place = find (secrets, name);
  char *secret = place != NULL ? g_strdup (place->secret) : NULL;
  g_mutex_unlock (&secrets->mutex);
  return secret;
}

void
fl_secret_free (char *secret)
{
  if (secret == NULL)
    return;
  explicit_bzero (secret, strlen (secret));
  g_free (secret);
}
