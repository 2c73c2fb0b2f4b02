#include "engine/control/mirror.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/base/write-all.h"
#include "engine/remote/harmless.h"

#define LIST_TIMEOUT  60          /* s */
#define MOST_IN_FILE  (8u << 20)  /* bytes of one file asked for at a time, */
#define MOST_AT_ONCE  (32u << 20) /* and of all */
#define MOST_INFLIGHT (16u << 20) /* a table in flight is a few hundred bytes a rank */

/* Names and sizes of all that may be of interest: NUL-ended records, for names hold anything. What is not there yet is no error. */
static const char list_script[] =
    "xargs -0 -r sh -c 'find \"$@\" -maxdepth 1 -type f \\( -name \"journal-*.flj\" -o -name "
    "\"inflight-*.fli\""
    " -o -name \"*.out\" -o -name \"*.err\" \\) -printf \"%s %T@ %p\\\\0\"' sh 2> /dev/null; true";

typedef enum
{
  KIND_JOURNAL,
  KIND_INFLIGHT,
  KIND_PRINTED
} Kind;

/* A file there of which something is missing here. */
typedef struct
{
  Kind kind;
  char *far, *local;
  gint64 from; /* offset there of the next byte to ask for */
  guint64 size;
  guint64 modified; /* ns UTC there */
  gboolean append;
} Want;

typedef struct
{
  FlHost *host;
  GPtrArray *submissions;
  GHashTable *owners;  /* path there, of a folder STEM/ or a file STEM.out, to FlSubmission */
  GHashTable *present; /* FlSubmission that have a journal there */
  GPtrArray *wants;
  guint64 *bytes;
  char **message;
} Pull;

static void
want_free (gpointer data)
{
  Want *want = data;
  g_free (want->far);
  g_free (want->local);
  g_free (want);
}

/* The first trouble is told; the others are probably of the same kind. */
static void G_GNUC_PRINTF (2, 3) complain (Pull *pull, const char *format, ...)
{
  if (*pull->message != NULL)
    return;
  va_list list;
  va_start (list, format);
  g_autofree char *text = g_strdup_vprintf (format, list);
  va_end (list);
  *pull->message = fl_harmless (text, -1, 500);
}

/* --- what there is --- */

static void
own (Pull *pull, FlSubmission *submission, GString *input)
{
  static const char *const suffixes[] = { "", ".out", ".err" };
  for (guint i = 0; i < G_N_ELEMENTS (suffixes); i++)
    {
      g_autofree char *name = g_strconcat (submission->stem, suffixes[i], NULL);
      char *path = g_build_filename (submission->folder, name, NULL);
      g_string_append_len (input, path, (gssize) strlen (path) + 1);
      g_hash_table_replace (pull->owners, path, submission);
    }
}

static void
add_want (Pull *pull, Want want, const char *far, const char *local)
{
  want.far = g_strdup (far);
  want.local = g_strdup (local);
  g_ptr_array_add (pull->wants, g_memdup2 (&want, sizeof want));
}

static void
look_at_journal (Pull *pull, const char *far, const char *local, guint64 size)
{
  struct stat here = { 0 };
  if (lstat (local, &here) == 0 && !S_ISREG (here.st_mode))
    complain (pull, "%s: is no file, expected a copy of %s", local, far);
  else if ((guint64) here.st_size > size)
    complain (pull,
              "%s: is shorter than its copy here (%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
              " bytes): another attempt's",
              far, size, (guint64) here.st_size);
  else if ((guint64) here.st_size < size)
    add_want (pull, (Want){ KIND_JOURNAL, .from = here.st_size, .size = size, .append = TRUE }, far, local);
}

static void
look_at_printed (Pull *pull, const char *far, const char *local, guint64 size, guint64 modified)
{
  struct stat here;
  gboolean is_there = lstat (local, &here) == 0;
  guint64 kept = MIN (size, FL_MIRROR_MOST_PRINTED), got = is_there ? (guint64) here.st_size : 0;
  if (is_there && got == kept
      && (guint64) here.st_mtim.tv_sec * FL_NS_PER_S + (guint64) here.st_mtim.tv_nsec == modified)
    return;
  /* Until it is cut, it grows as a journal does. */
  gboolean append = size <= FL_MIRROR_MOST_PRINTED && got < size;
  gint64 from = append ? (gint64) got : (gint64) (size - kept);
  add_want (pull, (Want){ KIND_PRINTED, .from = from, .size = size, .modified = modified, .append = append },
            far, local);
}

/* "SIZE SECONDS.FRACTION PATH" as the site says it: any of it may be wrong. */
static void
look_at (Pull *pull, const char *record)
{
  char *end;
  guint64 size = g_ascii_strtoull (record, &end, 10);
  if (end == record || *end != ' ' || size > G_MAXINT64)
    return;
  const char *time = end + 1;
  guint64 seconds = g_ascii_strtoull (time, &end, 10), fraction = 0, unit = FL_NS_PER_S / 10;
  if (*end == '.')
    for (end++; g_ascii_isdigit (*end); end++, unit /= 10)
      fraction += unit * (guint64) (*end - '0');
  if (end == time || *end != ' ' || seconds > G_MAXINT64 / FL_NS_PER_S)
    return;
  const char *far = end + 1;
  g_autofree char *name = g_path_get_basename (far), *folder = g_path_get_dirname (far);
  const FlSubmission *printed = g_hash_table_lookup (pull->owners, far);
  FlSubmission *owner = printed == NULL ? g_hash_table_lookup (pull->owners, folder) : NULL;
  const FlSubmission *of = printed != NULL ? printed : owner;
  if (of == NULL)
    return;
  g_autofree char *local =
      g_build_filename (of->mirror, printed != NULL ? name : of->stem, printed != NULL ? NULL : name, NULL);
  if (printed != NULL)
    look_at_printed (pull, far, local, size, seconds * FL_NS_PER_S + fraction);
  else if (g_str_has_prefix (name, "journal-") && g_str_has_suffix (name, ".flj"))
    {
      g_hash_table_add (pull->present, owner);
      look_at_journal (pull, far, local, size);
    }
  else if (g_str_has_prefix (name, "inflight-") && g_str_has_suffix (name, ".fli") && size <= MOST_INFLIGHT)
    add_want (pull, (Want){ KIND_INFLIGHT, .size = size }, far, local);
}

static gboolean
has_journal_here (const FlSubmission *submission)
{
  g_autofree char *folder = g_build_filename (submission->mirror, submission->stem, NULL);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_prefix (name, "journal-"))
      return TRUE;
  return FALSE;
}

static gboolean
list (Pull *pull, GError **error)
{
  g_autoptr (GString) input = g_string_new (NULL);
  for (guint i = 0; i < pull->submissions->len; i++)
    {
      FlSubmission *submission = pull->submissions->pdata[i];
      if (submission->mirror != NULL && strcmp (submission->mirror, submission->folder) != 0)
        own (pull, submission, input);
    }
  if (input->len == 0)
    return TRUE;
  const char *const argv[] = { "sh", "-c", list_script, NULL };
  g_auto (FlHostOutput) output = { 0 };
  g_autoptr (GBytes) bytes = g_bytes_new (input->str, input->len);
  if (!fl_host_run (pull->host, argv, bytes, LIST_TIMEOUT, NULL, &output, error))
    return FALSE;
  gsize length;
  const char *text = g_bytes_get_data (output.out, &length);
  for (const char *record = text, *end; record != NULL && record < text + length; record = end + 1)
    {
      end = memchr (record, '\0', (gsize) (text + length - record));
      if (end == NULL) /* cut: it comes the next time */
        break;
      look_at (pull, record);
    }
  for (guint i = 0; i < pull->submissions->len && !output.truncated; i++)
    {
      FlSubmission *submission = pull->submissions->pdata[i];
      if (submission->mirror != NULL && strcmp (submission->mirror, submission->folder) != 0
          && !g_hash_table_contains (pull->present, submission) && has_journal_here (submission))
        complain (pull, "%s/%s: its journals are gone there; what came before is kept", submission->folder,
                  submission->stem);
    }
  return TRUE;
}

/* --- what comes --- */

static gboolean
append (const Want *want, GBytes *bytes)
{
  gsize length;
  const char *data = g_bytes_get_data (bytes, &length);
  int fd = open (want->local, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
  struct stat here;
  /* Nobody else writes here; were it so, bytes in the wrong place would be worse than none. */
  gboolean ok =
      fd >= 0 && fstat (fd, &here) == 0 && here.st_size == want->from && fl_write_all (fd, data, length);
  int problem = errno;
  if (fd >= 0)
    close (fd);
  errno = problem;
  return ok;
}

/* Whoever reads meanwhile has the old one. What is lost with the power comes again: no waiting for the disk. */
static gboolean
replace (const Want *want, GBytes *bytes)
{
  gsize length;
  const char *data = g_bytes_get_data (bytes, &length);
  g_autofree char *name = g_strconcat (want->local, ".new", NULL);
  int fd = open (name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
  gboolean ok = fd >= 0 && fl_write_all (fd, data, length);
  if (fd >= 0)
    close (fd);
  return ok && rename (name, want->local) == 0;
}

/* Puts what came where it belongs; TRUE: there is more to ask for. */
static gboolean
take (Pull *pull, Want *want, FlHostPart *part)
{
  if (part->error != NULL)
    {
      if (!g_error_matches (part->error, FL_ERROR, FL_ERROR_MISSING))
        complain (pull, "%s", part->error->message);
      return FALSE;
    }
  gsize length = g_bytes_get_size (part->bytes);
  g_autofree char *folder = g_path_get_dirname (want->local);
  if (length == 0 && want->append)
    return FALSE;
  if (g_mkdir_with_parents (folder, 0777) != 0
      || !(want->append ? append (want, part->bytes) : replace (want, part->bytes)))
    {
      complain (pull, "%s: cannot be written: %s", want->local, g_strerror (errno));
      return FALSE;
    }
  *pull->bytes += length;
  want->from += (gint64) length;
  if (want->append && (guint64) want->from < want->size)
    return TRUE;
  if (want->kind == KIND_PRINTED)
    {
      const struct timespec at = { (time_t) (want->modified / FL_NS_PER_S),
                                   (long) (want->modified % FL_NS_PER_S) };
      utimensat (AT_FDCWD, want->local, (struct timespec[]){ at, at }, 0);
    }
  return FALSE;
}

/* As many as fit into one answer. */
static gboolean
fetch (Pull *pull, GError **error)
{
  g_autofree FlHostPart *parts = g_new0 (FlHostPart, pull->wants->len);
  guint n = 0;
  for (gsize all = 0; n < pull->wants->len && all < MOST_AT_ONCE; n++)
    {
      const Want *want = pull->wants->pdata[n];
      gsize most =
          (gsize) MIN (want->size - (guint64) want->from, want->append ? MOST_IN_FILE : MOST_INFLIGHT);
      parts[n] = (FlHostPart){ .path = want->far, .offset = want->from, .most = most };
      all += most;
    }
  if (!fl_host_read_parts (pull->host, parts, n, error))
    return FALSE;
  g_autoptr (GPtrArray) left = g_ptr_array_new_with_free_func (want_free);
  for (guint i = 0; i < pull->wants->len; i++)
    {
      Want *want = pull->wants->pdata[i];
      if (i >= n || take (pull, want, &parts[i]))
        g_ptr_array_add (left, want);
      else
        want_free (want);
      if (i < n)
        fl_host_part_clear (&parts[i]);
    }
  g_ptr_array_set_free_func (pull->wants, NULL);
  g_ptr_array_unref (pull->wants);
  pull->wants = g_steal_pointer (&left);
  return TRUE;
}

gboolean
fl_mirror_pull (FlHost *host, GPtrArray *submissions, guint64 *bytes, char **message, GError **error)
{
  Pull pull = { .host = host,
                .submissions = submissions,
                .owners = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL),
                .present = g_hash_table_new (NULL, NULL),
                .wants = g_ptr_array_new_with_free_func (want_free),
                .bytes = bytes,
                .message = message };
  *message = NULL;
  gboolean ok = list (&pull, error);
  while (ok && pull.wants->len > 0)
    ok = fetch (&pull, error);
  g_ptr_array_unref (pull.wants);
  g_hash_table_unref (pull.present);
  g_hash_table_unref (pull.owners);
  return ok;
}
