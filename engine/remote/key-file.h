/* key-file.h: what can be said of a private key file without opening it: formats of OpenSSH and PEM. Thread: any. */
#pragma once

#include <glib.h>

typedef struct
{
  char *path;
  char *kind;           /* "ssh-ed25519", "ssh-rsa", "ecdsa-sha2-…"; "" = not known */
  gboolean encrypted;   /* a passphrase is needed */
  gboolean certificate; /* PATH-cert.pub is there */
  guint8 *blob;         /* the public key as on the wire; NULL: not known */
  gsize length;
} FlKeyFile;

/* NULL: there is no such key. */
FlKeyFile *fl_key_file_new (const char *path);
void fl_key_file_free (FlKeyFile *key);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlKeyFile, fl_key_file_free)

/* The keys to try, in order: `identity`, or those of ~/.ssh when it is "" or NULL. GPtrArray of FlKeyFile. */
GPtrArray *fl_key_files (const char *identity);
gboolean fl_key_is_rsa (const FlKeyFile *key);
/* A kind of certificate that libssh2 1.10 cannot use. */
gboolean fl_key_has_other_certificate (const FlKeyFile *key);
