#include "engine/view/log-find.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/error.h"

#define BLOCK      (1u << 20)
#define AROUND     48 /* bytes before and behind a match in which it may turn out to be harmless */
#define LONGEST    256u
#define MATCH_FLAG 0x80000000u

/* --- what looks like an error --- */

typedef enum
{
  START = 1 << 0,  /* a word begins here */
  END = 1 << 1,    /* and ends here, but for a plural's s */
  LINE = 1 << 2,   /* the line begins here */
  NAMED = 1 << 3,  /* with a colon behind it a word may be in front: ValueError: … */
  SPEAKS = 1 << 4, /* followed by a program's name and a colon */
} Where;

typedef struct
{
  const char *text; /* lower case */
  Where where;
} Needle;

/* In the order of who writes them. */
static const Needle errors[] = {
  /* everybody */
  { "error", START | END | NAMED },
  { "fatal", START },
  { "exception:", 0 },
  { "terminate called", START },
  { "assertion", START },
  { "abort", START },
  /* signals, as shells and launchers tell them */
  { "segmentation fault", 0 },
  { "segfault", 0 },
  { "sigsegv", 0 },
  { "illegal instruction", 0 },
  { "floating point exception", 0 },
  { "core dumped", 0 },
  { "killed", START | END },
  /* memory */
  { "out of memory", 0 },
  { "out-of-memory", 0 },
  { "oom_kill", 0 },
  { "oom-kill", 0 },
  { "cannot allocate memory", 0 },
  { "bad_alloc", 0 },
  /* files */
  { "no space left on device", 0 },
  { "disk quota exceeded", 0 },
  { "permission denied", 0 },
  { "no such file or directory", 0 },
  { "command not found", 0 },
  { "cannot open shared object file", 0 },
  { "stale file handle", 0 },
  /* Slurm (most of its lines say "error:") */
  { "due to time limit", 0 },
  { "due to preemption", 0 },
  { "due to node failure", 0 },
  /* MPI launchers */
  { "mpi_abort", 0 },
  { "bad termination", 0 },
  { "exited on signal", 0 },
  { "non-zero exit", 0 },
  /* Python */
  { "traceback (most recent call last)", 0 },
  /* our own programs, which speak only when something is wrong or they were asked to stop */
  { "firstlight-", LINE | SPEAKS },
};

/* A match inside one of these (which begin and end a word) is nothing. */
static const char *const harmless[] = {
  "0 error",          "0 errors",          "no error",       "no errors",         "zero errors",
  "without error",    "without errors",    "error: 0",       "errors: 0",         "error = 0",
  "errors = 0",       "error=0",           "errors=0",       "error 0",           "errors 0",
  "error code 0",     "error rate",        "error model",    "error bar",         "error bars",
  "error estimate",   "error estimates",   "standard error", "standard errors",   "mean error",
  "rms error",        "r.m.s. error",      "relative error", "absolute error",    "rounding error",
  "error log",        "error file",        "error message",  "error handler",     "error handling",
  "error correction", "error propagation", "random errors",  "systematic errors", "0 killed",
  "killed: 0",        "killed = 0",        "0 aborted",      "aborted: 0",        "abort: 0",
};

static gboolean
is_word (guchar c)
{
  return g_ascii_isalnum (c) || c == '_' || c == '-' || c == '.' || c == '/' || c >= 0x80;
}

/* Whether the phrase, as words of its own, covers the match. */
static gboolean
covered (const char *text, gsize match, const char *phrase)
{
  gsize n = strlen (phrase);
  for (const char *at = strstr (text, phrase); at != NULL; at = strstr (at + 1, phrase))
    {
      gsize from = (gsize) (at - text);
      if (from > match)
        return FALSE;
      if (match < from + n && (from == 0 || !is_word ((guchar) at[-1])) && !g_ascii_isalnum (at[n]))
        return TRUE;
    }
  return FALSE;
}

static gboolean
speaks (const char *text)
{
  gsize name = strspn (text, "abcdefghijklmnopqrstuvwxyz0123456789 -");
  return name > 0 && text[name] == ':';
}

/* Whether the needle that matches at text[match] means what it says; `text` is part of a line, in lower case. */
static gboolean
is_error (const char *text, gsize match, const Needle *needle)
{
  const char *behind = text + match + strlen (needle->text);
  gboolean begins = match == 0 || !is_word ((guchar) text[match - 1]);
  if ((needle->where & LINE) != 0 && match != 0)
    return FALSE;
  if ((needle->where & SPEAKS) != 0 && !speaks (behind))
    return FALSE;
  if ((needle->where & START) != 0 && !begins && !((needle->where & NAMED) != 0 && *behind == ':'))
    return FALSE;
  if ((needle->where & END) != 0 && *behind == 's')
    behind++;
  if ((needle->where & END) != 0 && (g_ascii_isalnum (*behind) || *behind == '_' || *behind == '/'))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (harmless); i++)
    if (covered (text, match, harmless[i]))
      return FALSE;
  return TRUE;
}

/* --- the automaton --- */

typedef struct
{
  guint8 class[256]; /* of a byte; 0: in no needle */
  guint n_classes, n_states;
  guint32 *next; /* [state][class]: the next state times n_classes, with MATCH_FLAG where a needle ends */
  gint16 *needle,
      *shorter; /* of a state: the longest needle that ends in it, or -1; the state of its next suffix */
} Automaton;

static void
automaton_clear (Automaton *a)
{
  g_free (a->next);
  g_free (a->needle);
  g_free (a->shorter);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Automaton, automaton_clear)

static guint
add_classes (Automaton *a, const Needle *needles, guint n)
{
  guint length = 1;
  a->n_classes = 1;
  for (guint i = 0; i < n; i++)
    for (const char *p = needles[i].text; *p != '\0'; p++, length++)
      if (a->class[(guchar) *p] == 0)
        a->class[(guchar) *p] = (guint8) a->n_classes++;
  for (guint c = 'A'; c <= 'Z'; c++)
    a->class[c] = a->class[c + ('a' - 'A')];
  return length;
}

/* Breadth first: a state's suffix is nearer to the root, and so complete when it is needed. */
static void
link_suffixes (Automaton *a)
{
  g_autofree guint16 *order = g_new (guint16, a->n_states);
  guint done = 0, n = 1, k = a->n_classes;
  order[0] = 0;
  while (done < n)
    {
      guint state = order[done++];
      for (guint c = 0; c < k; c++)
        {
          guint32 *to = &a->next[state * k + c];
          guint32 fallback = state == 0 ? 0 : a->next[(guint) a->shorter[state] * k + c];
          if (*to == 0)
            *to = fallback;
          else
            {
              a->shorter[*to] = (gint16) fallback;
              if (a->needle[*to] < 0 && a->needle[fallback] >= 0)
                a->needle[*to] = G_MAXINT16; /* one ends here, though not the longest */
              order[n++] = (guint16) *to;
            }
        }
    }
  for (guint i = 0; i < a->n_states * k; i++)
    a->next[i] = a->next[i] * k | (a->needle[a->next[i]] >= 0 ? MATCH_FLAG : 0);
}

static void
automaton_build (Automaton *a, const Needle *needles, guint n)
{
  guint most = add_classes (a, needles, n), k = a->n_classes;
  a->next = g_new0 (guint32, most * k);
  a->needle = g_new (gint16, most);
  a->shorter = g_new0 (gint16, most);
  memset (a->needle, 0xff, most * sizeof *a->needle);
  a->n_states = 1;
  for (guint i = 0; i < n; i++)
    {
      guint state = 0;
      for (const char *p = needles[i].text; *p != '\0'; p++)
        {
          guint32 *to = &a->next[state * k + a->class[(guchar) *p]];
          if (*to == 0)
            *to = a->n_states++;
          state = *to;
        }
      a->needle[state] = (gint16) i;
    }
  link_suffixes (a);
}

/* --- one search --- */

typedef struct
{
  int fd;
  guint64 size;
  const guint8 *block; /* that is being searched */
  guint64 block_offset, block_end;
  guint64 from; /* matches before do not count */
  const Needle *needles;
  gboolean any; /* whatever matches counts: the needle is the asker's own */
  Automaton automaton;
  guint64 line, line_start;
  FlViewFound *found;
} Search;

static gssize
read_at (const Search *s, guint64 offset, void *bytes, gsize length)
{
  gssize got;
  if (offset >= s->block_offset && offset + length <= s->block_end)
    {
      memcpy (bytes, s->block + (offset - s->block_offset), length);
      return (gssize) length;
    }
  do
    got = pread (s->fd, bytes, (gsize) MIN (length, s->size - MIN (offset, s->size)), (off_t) offset);
  while (got < 0 && errno == EINTR);
  return got;
}

/* As it may be shown: nothing that moves a cursor or changes a colour. */
static char *
tidy (char *text, gsize length)
{
  g_autofree char *valid = g_utf8_make_valid (text, (gssize) length);
  GString *out = g_string_new (NULL);
  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);
      if (c == 0x1b && p[1] == '[') /* an ANSI sequence goes as a whole */
        {
          p++;
          while (p[1] != '\0' && ((guchar) p[1] < 0x40 || (guchar) p[1] > 0x7e) && (guchar) p[1] < 0x80)
            p++;
          if (p[1] != '\0' && (guchar) p[1] < 0x80)
            p++;
        }
      else if (g_unichar_iscntrl (c) || g_unichar_type (c) == G_UNICODE_FORMAT
               || g_unichar_type (c) == G_UNICODE_LINE_SEPARATOR
               || g_unichar_type (c) == G_UNICODE_PARAGRAPH_SEPARATOR)
        g_string_append_c (out, ' ');
      else
        g_string_append_unichar (out, c);
    }
  g_strchomp (out->str);
  return g_string_free (out, FALSE);
}

/* The line, or of a very long one the part around the match. */
static char *
read_line (const Search *s, guint64 match)
{
  char text[FL_VIEW_MAX_LINE];
  guint64 from = match - s->line_start < FL_VIEW_MAX_LINE / 2 ? s->line_start : match - FL_VIEW_MAX_LINE / 4;
  gssize got = read_at (s, from, text, sizeof text);
  gsize length = got > 0 ? (gsize) got : 0;
  const char *end = memchr (text, '\n', length);
  g_autofree char *line = tidy (text, end != NULL ? (gsize) (end - text) : length);
  return from > s->line_start ? g_strconcat ("… ", line, NULL) : g_steal_pointer (&line);
}

/* Whether the match at `match` counts, by what is around it in its line. */
static gboolean
counts (const Search *s, guint64 match, const Needle *needle)
{
  char text[2 * AROUND + LONGEST + 1];
  if (s->any)
    return TRUE;
  guint64 from = match - s->line_start <= AROUND ? s->line_start : match - AROUND;
  gsize before = (gsize) (match - from);
  gssize got = read_at (s, from, text, before + strlen (needle->text) + AROUND);
  if (got < (gssize) before)
    return FALSE;
  text[got] = '\0';
  for (gssize i = 0; i < got; i++)
    text[i] = text[i] == '\n' || text[i] == '\0' ? '\0' : g_ascii_tolower (text[i]);
  return is_error (text, before, needle);
}

static guint64
count_lines (const guint8 *bytes, gsize length)
{
  guint64 n = 0;
  for (gsize i = 0; i < length; i++)
    n += bytes[i] == '\n';
  return n;
}

/* Moves the line's number and beginning on over these bytes. */
static void
pass (Search *s, const guint8 *bytes, gsize length, guint64 offset)
{
  const guint8 *last = length > 0 ? memrchr (bytes, '\n', length) : NULL;
  s->line += count_lines (bytes, length);
  if (last != NULL)
    s->line_start = offset + (guint64) (last - bytes) + 1;
}

/* Whether any needle that ends at `end` in that state counts; then *found is filled in. */
static gboolean
take (Search *s, guint state, guint64 end)
{
  for (; state != 0; state = (guint) s->automaton.shorter[state])
    {
      gint16 i = s->automaton.needle[state];
      if (i < 0 || i == G_MAXINT16)
        continue;
      guint64 match = end - strlen (s->needles[i].text);
      if (!counts (s, match, &s->needles[i]))
        continue;
      s->found->found = TRUE;
      s->found->match = match;
      s->found->offset = s->line_start;
      s->found->line = s->line;
      s->found->text = read_line (s, match);
      return TRUE;
    }
  return FALSE;
}

/* One block; needles hold no line break, so that a match lies in the line where it ends. */
static gboolean
search_block (Search *s, const guint8 *bytes, gsize length, guint64 offset, guint *state)
{
  const Automaton *a = &s->automaton;
  guint at = *state, k = a->n_classes;
  gsize passed = 0;
  for (gsize i = 0; i < length; i++)
    {
      guint32 next = a->next[at + a->class[bytes[i]]];
      at = next & ~MATCH_FLAG;
      if (G_LIKELY (next == at))
        continue;
      pass (s, bytes + passed, i - passed, offset + passed);
      passed = i;
      if (take (s, at / k, offset + i + 1))
        return TRUE;
    }
  pass (s, bytes + passed, length - passed, offset + passed);
  *state = at;
  return FALSE;
}

static gboolean
search (Search *s, GCancellable *cancellable, GError **error)
{
  g_autofree guint8 *block = g_malloc (BLOCK);
  guint64 offset = 0;
  guint state = 0;
  while (offset < s->size && !g_cancellable_set_error_if_cancelled (cancellable, error))
    {
      /* What comes before is only counted; a match may not begin there. */
      gsize length = offset < s->from ? (gsize) MIN (BLOCK, s->from - offset) : BLOCK;
      gssize got = read_at (s, offset, block, length);
      if (got < 0)
        {
          g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "cannot be read: %s", g_strerror (errno));
          return FALSE;
        }
      if (got == 0)
        break; /* cut meanwhile */
      if (offset < s->from)
        pass (s, block, (gsize) got, offset);
      else
        {
          s->block = block;
          s->block_offset = offset;
          s->block_end = offset + (guint64) got;
          if (search_block (s, block, (gsize) got, offset, &state))
            break;
          s->block_end = s->block_offset; /* about to be written over */
        }
      offset += (guint64) got;
    }
  s->found->searched = s->found->found ? s->found->match : offset;
  return !g_cancellable_is_cancelled (cancellable);
}

FlViewFound *
fl_log_find (int fd, guint64 size, const FlViewFindRequest *request, GCancellable *cancellable,
             GError **error)
{
  gboolean any = request->pattern != NULL && *request->pattern != '\0';
  g_autofree char *lower = any ? g_ascii_strdown (request->pattern, -1) : NULL;
  if (any && (strlen (lower) > LONGEST || strpbrk (lower, "\r\n") != NULL))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "a text of %zu bytes to look for, expected at most %u of one line", strlen (lower),
                   LONGEST);
      return NULL;
    }
  const Needle own = { lower, 0 };
  g_autoptr (FlViewFound) found = fl_view_found_new ();
  Search s = { .fd = fd,
               .size = size,
               .from = request->offset,
               .needles = any ? &own : errors,
               .any = any,
               .line = 1,
               .found = found };
  automaton_build (&s.automaton, s.needles, any ? 1 : G_N_ELEMENTS (errors));
  found->size = size;
  gboolean good = search (&s, cancellable, error);
  automaton_clear (&s.automaton);
  if (!good)
    return NULL;
  if (found->text == NULL)
    found->text = g_strdup ("");
  return g_steal_pointer (&found);
}
