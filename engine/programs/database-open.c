/* Opening a server's database for somebody at a terminal. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/programs/database-private.h"
#include "engine/store/keyring.h"
#include "engine/store/password.h"

#define TRIES       3
#define MOST_SECRET 1024
#define LOOK_UP_MS  100

/* Whoever breaks off at the question must find the terminal as it was. */
static const int endings[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP };
static volatile sig_atomic_t ended;

static void
on_ending (int number)
{
  ended = number;
}

static void
catch_endings (struct sigaction *before)
{
  struct sigaction action = { .sa_handler = on_ending }; /* without SA_RESTART */
  ended = 0;
  for (guint i = 0; i < G_N_ELEMENTS (endings); i++)
    sigaction (endings[i], &action, &before[i]);
}

static void
let_endings_go (const struct sigaction *before)
{
  for (guint i = 0; i < G_N_ELEMENTS (endings); i++)
    sigaction (endings[i], &before[i], NULL);
  if (ended != 0)
    raise (ended);
}

/* Looks up now and then: the signal may come between two looks, or to another thread. */
static gboolean
wait_for_byte (int fd)
{
  struct pollfd one = { .fd = fd, .events = POLLIN };
  while (ended == 0 && (poll (&one, 1, LOOK_UP_MS) == 0 || (one.revents == 0 && errno == EINTR)))
    ;
  return ended == 0;
}

/* Bytes up to the end of the line. */
static char *
read_line (int fd)
{
  g_autofree char *line = g_malloc0 (MOST_SECRET);
  gsize n = 0;
  char byte;
  ssize_t got;
  while (n + 1 < MOST_SECRET && wait_for_byte (fd)
         && ((got = read (fd, &byte, 1)) == 1 || (got < 0 && errno == EINTR)))
    {
      if (got == 1 && byte == '\n')
        return g_steal_pointer (&line);
      if (got == 1)
        line[n++] = byte;
    }
  return n > 0 ? g_steal_pointer (&line) : NULL;
}

static void
say (int fd, const char *text)
{
  ssize_t done = write (fd, text, strlen (text));
  (void) done; /* a terminal that cannot be written cannot be read either */
}

char *
fl_program_ask_secret (const char *question)
{
  int fd = open ("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
  struct termios before, silent;
  struct sigaction actions[G_N_ELEMENTS (endings)];
  if (fd < 0 || tcgetattr (fd, &before) != 0)
    {
      if (fd >= 0)
        close (fd);
      return read_line (STDIN_FILENO);
    }
  silent = before;
  silent.c_lflag &= ~(tcflag_t) ECHO;
  catch_endings (actions);
  tcsetattr (fd, TCSAFLUSH, &silent); /* before the question: no answer comes too early to be hidden */
  say (fd, question);
  char *line = read_line (fd);
  tcsetattr (fd, TCSAFLUSH, &before);
  say (fd, "\n");
  close (fd);
  let_endings_go (actions);
  return line;
}

static gboolean
has_terminal (void)
{
  int fd = open ("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (fd >= 0)
    close (fd);
  return fd >= 0;
}

/* FL_ERROR_INPUT and MISSING: the server has let us in, and there is nothing yet. */
static gboolean
try (const FlDatabase *where, GError **error)
{
  g_autoptr (GError) why = NULL;
  g_autoptr (FlStore) store = fl_store_open_database (fl_database_copy (where), FL_STORE_READ_ONLY, &why);
  if (store != NULL || g_error_matches (why, FL_ERROR, FL_ERROR_INPUT)
      || g_error_matches (why, FL_ERROR, FL_ERROR_MISSING)
      || g_error_matches (why, FL_ERROR, FL_ERROR_UNSUPPORTED))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&why));
  return FALSE;
}

/* A password may help; against rights that are not given (mysql-connect.c words both) it does not. */
static gboolean
is_turned_away (const GError *error)
{
  return g_error_matches (error, FL_ERROR, FL_ERROR_DENIED)
         && strstr (error->message, "does not let this account in") != NULL;
}

static void
offer_keyring (const FlDatabase *where, const char *password)
{
  g_autoptr (GError) error = NULL;
  char answer[16] = "";
  if (!fl_keyring_has () || !isatty (STDIN_FILENO))
    return;
  printf ("Keep the password in the desktop's keyring? [y/N] ");
  fflush (stdout);
  if (fgets (answer, sizeof answer, stdin) == NULL || g_ascii_tolower (answer[0]) != 'y')
    return;
  if (!fl_keyring_store (where, password, &error))
    fprintf (stderr, "%s: %s\n", FL_PROGRAM_DATABASE, error->message);
}

gboolean
fl_program_reach (const FlDatabase *where, GError **error)
{
  g_autoptr (GError) why = NULL;
  if (where->driver == FL_DRIVER_SQLITE || try (where, &why))
    return TRUE;
  g_autofree char *question = g_strdup_printf ("Password for %s: ", where->shown);
  for (guint i = 0; i < TRIES && is_turned_away (why) && has_terminal (); i++)
    {
      char *password = fl_program_ask_secret (question);
      if (password == NULL)
        break;
      g_clear_error (&why);
      fl_password_hold (where, password);
      gboolean in = try (where, &why);
      if (in)
        offer_keyring (where, password);
      fl_keyring_free (password);
      if (in)
        return TRUE;
    }
  g_propagate_error (error, g_steal_pointer (&why));
  return FALSE;
}

FlStore *
fl_program_open (FlDatabase *where, FlStoreMode mode, GError **error)
{
  if (fl_program_reach (where, error))
    return fl_store_open_database (where, mode, error);
  fl_database_free (where);
  return NULL;
}
