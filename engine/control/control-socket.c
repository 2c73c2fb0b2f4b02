/* The conductor's socket: where it lies, and its frames. */
#include "engine/control/control-socket.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/control/control-socket-peer.h"
#include "engine/store/store.h"

#define MOST_PATH 100 /* a socket's is at most 107 bytes long */

/* --- where --- */

/* Of a folder: what holds its records, or says where they are. */
static char *
real_path (const char *store_path)
{
  g_autofree char *ini = g_build_filename (store_path, FL_DATABASE_FILE, NULL);
  g_autoptr (FlDatabase) database =
      g_file_test (ini, G_FILE_TEST_EXISTS) ? fl_database_find (store_path, FALSE, NULL) : NULL;
  g_autofree char *file = database != NULL ? g_build_filename (database->folder, FL_DATABASE_FILE, NULL)
                          : g_file_test (store_path, G_FILE_TEST_IS_DIR)
                              ? g_build_filename (store_path, FL_STORE_FILE, NULL)
                              : g_strdup (store_path);
  char *real = realpath (file, NULL); /* malloc'ed */
  char *path = real != NULL ? g_strdup (real) : g_canonicalize_filename (file, NULL);
  free (real);
  return path;
}

char *
fl_control_socket_path (const char *store_path)
{
  g_autofree char *store = real_path (store_path);
  g_autofree char *name =
      g_strdup_printf ("%016" G_GINT64_MODIFIER "x.sock", (guint64) fl_hash64 (store, strlen (store), 0));
  const char *runtime = g_getenv ("XDG_RUNTIME_DIR");
  if (runtime != NULL && g_path_is_absolute (runtime) && access (runtime, W_OK | X_OK) == 0
      && strlen (runtime) + strlen ("/firstlight/") + strlen (name) <= MOST_PATH)
    return g_build_filename (runtime, "firstlight", name, NULL);
  return g_strdup_printf ("/tmp/firstlight-%u/%s", (guint) geteuid (), name);
}

/* A database in the network has no path here: there it is the experiment's folder that both sides know. */
const char *
fl_control_store_path (FlStore *store)
{
  const char *path = fl_store_path (store);
  return g_str_has_prefix (path, "mysql://") ? fl_store_folder (store) : path;
}

gboolean
fl_control_folder_is_private (const char *path, GError **error)
{
  struct stat about;
  g_autofree char *folder = g_path_get_dirname (path);
  if (lstat (folder, &about) != 0)
    g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: is not there", folder);
  else if (!S_ISDIR (about.st_mode) || about.st_uid != geteuid () || (about.st_mode & 077) != 0)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: is not a folder of this user's alone, expected one",
                 folder);
  else
    return TRUE;
  return FALSE;
}

/* --- frames --- */

static const struct
{
  const char *word, *type;
} words[] = {
  { "hello", "(u)" },    { "answer", "(xuas)" },        { "connect", "(x)" },   { "disconnect", "(x)" },
  { "probe", "(xb)" },   { "stop-probe", "(x)" },       { "channel", "(xas)" }, { "welcome", "(us)" },
  { "link", "(xsxts)" }, { "question", "(xuussasab)" }, { "void", "(xu)" },     { "step", "(xssssd)" },
  { "probed", "(xb)" },  { "granted", "(s)" },          { "refused", "(s)" },
};

typedef struct
{
  gsize length;
  guint8 data[];
} Wiped;

/* Answers to questions are in frames: their memory is wiped. */
static void
wipe (gpointer data)
{
  Wiped *wiped = data;
  explicit_bzero (wiped->data, wiped->length);
  g_free (wiped);
}

static Wiped *
wiped_new (gsize length)
{
  Wiped *wiped = g_malloc (sizeof *wiped + length);
  wiped->length = length;
  return wiped;
}

GBytes *
fl_control_encode (const char *word, GVariant *value)
{
  g_autoptr (GVariant) frame = g_variant_ref_sink (g_variant_new ("(sv)", word, value));
  gsize length = g_variant_get_size (frame);
  Wiped *wiped = wiped_new (length + 4);
  guint32 header = GUINT32_TO_LE ((guint32) length);
  g_autofree guint8 *aligned = NULL;
  memcpy (wiped->data, &header, 4);
  /* GVariant stores where its type's alignment is kept. */
  aligned = g_malloc (length);
  g_variant_store (frame, aligned);
  memcpy (wiped->data + 4, aligned, length);
  explicit_bzero (aligned, length);
  return g_bytes_new_with_free_func (wiped->data, length + 4, wipe, wiped);
}

/* The frame's value, and its word out of our own list. */
static GVariant *
open_frame (GVariant *frame, const char **word, GError **error)
{
  if (!g_variant_is_normal_form (frame))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "the conductor's socket: what came is no message");
      return NULL;
    }
  const char *said;
  g_autoptr (GVariant) value = NULL;
  g_variant_get (frame, "(&sv)", &said, &value);
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (strcmp (words[i].word, said) == 0 && g_variant_is_of_type (value, G_VARIANT_TYPE (words[i].type)))
      {
        *word = words[i].word;
        return g_steal_pointer (&value);
      }
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "the conductor's socket: a message that is not known came");
  return NULL;
}

GVariant *
fl_control_decode (GByteArray *buffer, const char **word, GError **error)
{
  guint32 header;
  if (buffer->len < 4)
    return NULL;
  memcpy (&header, buffer->data, 4);
  guint32 length = GUINT32_FROM_LE (header);
  if (length > FL_CONTROL_MOST_FRAME)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "the conductor's socket: a message of %u bytes came, expected less", length);
      return NULL;
    }
  if (buffer->len - 4 < length)
    return NULL;
  Wiped *wiped = wiped_new (length);
  memcpy (wiped->data, buffer->data + 4, length);
  guint whole = buffer->len;
  g_byte_array_remove_range (buffer, 0, length + 4);
  explicit_bzero (buffer->data + buffer->len, whole - buffer->len);
  g_autoptr (GBytes) bytes = g_bytes_new_with_free_func (wiped->data, length, wipe, wiped);
  g_autoptr (GVariant) frame =
      g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE ("(sv)"), bytes, FALSE));
  return open_frame (frame, word, error);
}
