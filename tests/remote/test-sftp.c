/* The SFTP client against servers that lie: wrong lengths, huge counts, answers to what was not asked, noise. Every call ends with
 * an error (or a harmless answer), and nothing crashes. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/remote/sftp-files.h"

/* What a server says to one request; may say nothing. FALSE: it hangs up. */
typedef gboolean (*Reply) (GByteArray *out, guint8 type, guint32 id, GRand *rand);

typedef struct
{
  int fd;
  Reply reply;
  GRand *rand;
} Liar;

static gboolean
receive (int fd, void *data, gsize length)
{
  return length == 0 || recv (fd, data, length, MSG_WAITALL) == (ssize_t) length;
}

static gpointer
lie (gpointer data)
{
  Liar *liar = data;
  guint8 head[9], rest[65536];
  static const guint8 hello[] = { 0, 0, 0, 5, FL_SFTP_VERSION, 0, 0, 0, 3 };
  gboolean ok = receive (liar->fd, head, 9) && send (liar->fd, hello, sizeof hello, MSG_NOSIGNAL) > 0;
  while (ok && receive (liar->fd, head, 9))
    {
      guint32 length, id;
      memcpy (&length, head, 4);
      memcpy (&id, head + 5, 4);
      g_autoptr (GByteArray) out = g_byte_array_new ();
      ok = receive (liar->fd, rest, MIN (GUINT32_FROM_BE (length) - 5, sizeof rest))
           && liar->reply (out, head[4], GUINT32_FROM_BE (id), liar->rand);
      if (out->len > 0)
        ok = ok && send (liar->fd, out->data, out->len, MSG_NOSIGNAL) > 0;
    }
  close (liar->fd);
  return NULL;
}

/* --- lies --- */

static void
put (GByteArray *out, guint8 type, guint32 id, gconstpointer body, gsize length)
{
  fl_sftp_put_u32 (out, (guint32) length + 5);
  g_byte_array_append (out, &type, 1);
  fl_sftp_put_u32 (out, id);
  g_byte_array_append (out, body, (guint) length);
}

static void
put_words (GByteArray *out, guint8 type, guint32 id, guint n, const guint32 *words)
{
  g_autoptr (GByteArray) body = g_byte_array_new ();
  for (guint i = 0; i < n; i++)
    fl_sftp_put_u32 (body, words[i]);
  put (out, type, id, body->data != NULL ? body->data : (const guint8 *) "", body->len);
}

#define PUT(type, ...)                                                                                       \
  put_words (out, type, id, sizeof ((guint32[]){ __VA_ARGS__ }) / 4, (const guint32[]){ __VA_ARGS__ })

#define LIE(name)                                                                                            \
  static gboolean name (GByteArray *out, G_GNUC_UNUSED guint8 type, G_GNUC_UNUSED guint32 id,                \
                        G_GNUC_UNUSED GRand *rand)

LIE (hangs_up) { return out == NULL; }

LIE (sends_a_huge_packet)
{
  fl_sftp_put_u32 (out, 0xfffffff0);
  return TRUE;
}

LIE (sends_an_empty_packet)
{
  fl_sftp_put_u32 (out, 0);
  return TRUE;
}

LIE (answers_somebody_else)
{
  id += 1000;
  PUT (FL_SFTP_STATUS, FL_SFTP_OK, 0, 0);
  return TRUE;
}

LIE (answers_twice)
{
  PUT (FL_SFTP_STATUS, FL_SFTP_FAILURE, 0, 0);
  PUT (FL_SFTP_STATUS, FL_SFTP_FAILURE, 0, 0);
  return TRUE;
}

LIE (says_ok_to_all)
{
  PUT (FL_SFTP_STATUS, FL_SFTP_OK, 0, 0);
  return TRUE;
}

LIE (says_nothing_in_a_status)
{
  put (out, FL_SFTP_STATUS, id, "", 0);
  return TRUE;
}

LIE (sends_an_unknown_type)
{
  PUT (77, 1, 2, 3);
  return TRUE;
}

/* An honest start, for lies that come later. */
static gboolean
begin (GByteArray *out, guint8 type, guint32 id)
{
  if (type == FL_SFTP_OPEN || type == FL_SFTP_OPENDIR)
    PUT (FL_SFTP_HANDLE, 4, 0x61626364);
  else if (type == FL_SFTP_STAT)
    PUT (FL_SFTP_ATTRS, 1, 0, 100000);
  else
    return FALSE;
  return TRUE;
}

LIE (has_a_long_handle)
{
  PUT (FL_SFTP_HANDLE, 0x7fffffff, 1);
  return TRUE;
}

LIE (counts_many_names)
{
  if (!begin (out, type, id))
    PUT (FL_SFTP_NAME, 0xffffffff, 1, 0x61000000);
  return TRUE;
}

LIE (counts_many_attributes)
{
  PUT (type == FL_SFTP_STAT ? FL_SFTP_ATTRS : FL_SFTP_NAME, 0x80000000, 0xffffffff, 0, 0);
  return TRUE;
}

LIE (sends_more_than_asked)
{
  g_autofree guint8 *body = g_malloc0 (40004);
  guint32 n = GUINT32_TO_BE (40000);
  memcpy (body, &n, 4);
  if (!begin (out, type, id))
    put (out, FL_SFTP_DATA, id, body, 40004);
  return TRUE;
}

LIE (sends_no_data)
{
  if (!begin (out, type, id))
    PUT (FL_SFTP_DATA, 0);
  return TRUE;
}

LIE (sends_data_of_wrong_length)
{
  if (!begin (out, type, id))
    PUT (FL_SFTP_DATA, 100, 1, 2);
  return TRUE;
}

LIE (ends_at_once) /* no lie: a file that became shorter, an empty folder */
{
  if (!begin (out, type, id))
    PUT (FL_SFTP_STATUS, FL_SFTP_EOF, 0, 0);
  return TRUE;
}

LIE (makes_noise)
{
  static const guint8 types[] = { FL_SFTP_STATUS, FL_SFTP_HANDLE, FL_SFTP_DATA, FL_SFTP_NAME, FL_SFTP_ATTRS };
  guint8 body[300];
  gsize length = (gsize) g_rand_int_range (rand, 0, sizeof body);
  for (gsize i = 0; i < length; i++)
    body[i] = (guint8) (g_rand_int_range (rand, 0, 3) == 0 ? g_rand_int (rand) : g_rand_int (rand) % 5);
  if (g_rand_int_range (rand, 0, 2) == 0 && begin (out, type, id))
    return TRUE;
  put (out, types[g_rand_int_range (rand, 0, 5)], id, body, length);
  return g_rand_int_range (rand, 0, 50) != 0;
}

/* --- what is asked of them --- */

static gssize
some_bytes (guint8 *data, gsize most, gpointer user_data, GError **error)
{
  int *left = user_data;
  (void) error;
  memset (data, 'x', most);
  return (*left)-- > 0 ? (gssize) most : 0;
}

/* The operation number `which`; whether it went well. */
static gboolean
operate (FlSftp *sftp, guint which, GError **error)
{
  FlHostPart parts[3] = { { .path = "/a", .most = 90000 },
                          { .path = "/b", .offset = -5, .most = 10 },
                          { .path = "/c", .offset = 5, .most = 70000 } };
  int chunks = 5;
  gboolean ok;
  if (which == 0)
    {
      GPtrArray *entries = fl_sftp_list (sftp, "/x", error);
      g_clear_pointer (&entries, g_ptr_array_unref);
      return *error == NULL;
    }
  if (which == 1)
    {
      fl_host_entry_free (fl_sftp_stat (sftp, "/x", error));
      return *error == NULL;
    }
  if (which == 2)
    {
      ok = fl_sftp_read_parts (sftp, parts, 3, error);
      for (guint i = 0; i < 3; i++)
        {
          ok = ok && parts[i].error == NULL;
          fl_host_part_clear (&parts[i]);
        }
      return ok;
    }
  if (which == 3)
    return fl_sftp_write (sftp, "/x", 0600, some_bytes, &chunks, 0, NULL, NULL, error);
  return which == 4 ? fl_sftp_make_folder (sftp, "/x/y", error) : fl_sftp_remove (sftp, "/x", error);
}

#define N_OPERATIONS 6

static gboolean
ask_a_liar (Reply reply, guint which, guint32 seed, GError **error)
{
  int pair[2];
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
  Liar liar = { pair[0], reply, g_rand_new_with_seed (seed) };
  GThread *thread = g_thread_new ("liar", lie, &liar);
  FlSftp *sftp = fl_sftp_new (pair[1], NULL);
  g_assert_nonnull (sftp);
  gboolean ok = operate (sftp, which, error);
  fl_sftp_free (sftp);
  g_thread_join (thread);
  g_rand_free (liar.rand);
  return ok;
}

static void
test_liars (void)
{
  static const struct
  {
    Reply reply;
    guint well; /* bits of the operations that may go well */
  } liars[] = { { hangs_up, 0 },
                { sends_a_huge_packet, 0 },
                { sends_an_empty_packet, 0 },
                { answers_somebody_else, 0 },
                { answers_twice, 0 },
                { says_ok_to_all, 1u << 4 | 1u << 5 },
                { says_nothing_in_a_status, 0 },
                { sends_an_unknown_type, 0 },
                { has_a_long_handle, 0 },
                { counts_many_names, 1u << 1 },
                { counts_many_attributes, 0 },
                { sends_more_than_asked, 1u << 1 },
                { sends_no_data, 1u << 1 },
                { sends_data_of_wrong_length, 1u << 1 },
                { ends_at_once, 1u << 0 | 1u << 1 | 1u << 2 } };
  for (guint i = 0; i < G_N_ELEMENTS (liars); i++)
    for (guint which = 0; which < N_OPERATIONS; which++)
      {
        g_autoptr (GError) error = NULL;
        gboolean ok = ask_a_liar (liars[i].reply, which, 0, &error);
        if (ok != ((liars[i].well >> which & 1) != 0))
          g_error ("liar %u, operation %u: %s", i, which, error != NULL ? error->message : "went well");
      }
}

static void
test_noise (void)
{
  for (guint32 seed = 0; seed < 3000; seed++)
    {
      g_autoptr (GError) error = NULL;
      ask_a_liar (makes_noise, seed % N_OPERATIONS, seed, &error);
    }
}

static void
test_names (void)
{
  static const char *const names[] = { "", ".", "..", "a/b", "fine" };
  g_autoptr (GByteArray) body = g_byte_array_new ();
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      fl_sftp_put_text (body, names[i]);
      fl_sftp_put_text (body, "-rw-r--r-- …");
      fl_sftp_put_u32 (body, 0);
    }
  FlSftpCursor cursor = { .p = body->data, .end = body->data + body->len };
  FlSftpAttributes attributes;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *name = fl_sftp_take_name (&cursor, &attributes);
      g_assert_cmpstr (name, ==, i == 4 ? "fine" : NULL);
    }
  g_assert_false (cursor.bad);
  g_assert_true (cursor.p == cursor.end);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/remote/sftp/liars", test_liars);
  g_test_add_func ("/remote/sftp/noise", test_noise);
  g_test_add_func ("/remote/sftp/names", test_names);
  return g_test_run ();
}
