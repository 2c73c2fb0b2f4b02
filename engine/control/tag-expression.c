#include "engine/control/tag-expression.h"

#include <string.h>

#include "engine/base/error.h"
#include "engine/base/params.h"
#include "engine/store/records.h"

#define DEPTH     64    /* of parentheses and nots */
#define LONG_NAME 200   /* bytes: longer ones are not looked for among the tags */
#define SHOWN     40    /* characters of a word in a message */
#define PUNCT     "()," /* end a word; names that hold them are quoted */

/* One end of a range. By number: it was written as digits alone, and compares with the first number in a run's name. */
typedef struct
{
  char *name; /* NULL: open */
  gboolean by_number;
} Bound;

typedef struct
{
  Bound first, last; /* the same twice: one run */
} Range;

typedef enum
{
  NODE_OR,
  NODE_AND,
  NODE_NOT,
  NODE_TAG,
  NODE_RUNS
} NodeKind;

typedef struct
{
  NodeKind kind;
  GPtrArray *parts; /* or, and, not: Node; runs: Range */
  char *name;       /* tag */
} Node;

struct FlTagExpression
{
  Node *root;
};

static void
range_free (Range *range)
{
  if (range->last.name != range->first.name)
    g_free (range->last.name);
  g_free (range->first.name);
  g_free (range);
}

static void
node_free (Node *node)
{
  if (node == NULL)
    return;
  g_clear_pointer (&node->parts, g_ptr_array_unref);
  g_free (node->name);
  g_free (node);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Node, node_free)

static Node *
node_new (NodeKind kind)
{
  Node *node = g_new0 (Node, 1);
  node->kind = kind;
  if (kind != NODE_TAG)
    node->parts = g_ptr_array_new_with_free_func (kind == NODE_RUNS ? (GDestroyNotify) range_free
                                                                    : (GDestroyNotify) node_free);
  return node;
}

/* --- words --- */

typedef enum
{
  WORD_END,
  WORD_NAME,
  WORD_QUOTED,
  WORD_AND,
  WORD_OR,
  WORD_NOT,
  WORD_RUNS,
  WORD_PUNCT, /* ( ) , and within ranges - */
} WordKind;

static const char *const reserved[] = {
  [WORD_AND] = "and", [WORD_OR] = "or", [WORD_NOT] = "not", [WORD_RUNS] = "runs"
};

typedef struct
{
  const char *text, *at; /* `at`: behind the word */
  const char *const *tags;
  guint depth;
  gboolean in_ranges; /* '-' is a word of its own */
  WordKind kind;
  const char *start; /* of the word */
  GString *name;
} Parser;

static WordKind
word_kind (const char *word)
{
  for (guint kind = WORD_AND; kind <= WORD_RUNS; kind++)
    if (g_ascii_strcasecmp (word, reserved[kind]) == 0)
      return kind;
  return WORD_NAME;
}

/* The text from `at` to `end`, without what a terminal would obey, and not too long. */
static char *
show (const char *at, const char *end)
{
  g_autoptr (GString) shown = g_string_new (NULL);
  for (guint n = 0; at < end && n <= SHOWN; at = g_utf8_next_char (at), n++)
    {
      gunichar c = g_utf8_get_char (at);
      g_string_append_unichar (shown, n == SHOWN ? 0x2026 : g_unichar_isgraph (c) || c == ' ' ? c : 0xfffd);
    }
  return g_string_free (g_steal_pointer (&shown), FALSE);
}

/* What is wrong with the word at hand. */
static gboolean
fail (const Parser *parser, GError **error, const char *message)
{
  g_autofree char *shown = show (parser->start, parser->at);
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s%s%scharacter %ld: %s", *shown != '\0' ? "'" : "", shown,
               *shown != '\0' ? "' at " : "", g_utf8_pointer_to_offset (parser->text, parser->start) + 1,
               message);
  return FALSE;
}

static gboolean
next_quoted (Parser *parser, GError **error)
{
  parser->kind = WORD_QUOTED;
  for (parser->at++; *parser->at != '"'; parser->at++)
    {
      if (*parser->at == '\\' && (parser->at[1] == '"' || parser->at[1] == '\\'))
        parser->at++;
      if (*parser->at == '\0')
        return fail (parser, error, "the quotation is not closed");
      g_string_append_c (parser->name, *parser->at);
    }
  parser->at++;
  return parser->name->len > 0 || fail (parser, error, "an empty name");
}

static gboolean
ends_word (const Parser *parser, gunichar c)
{
  return c == 0 || c == '"' || g_unichar_isspace (c) || (c < 128 && strchr (PUNCT, (int) c) != NULL)
         || (parser->in_ranges && c == '-');
}

static gboolean
next (Parser *parser, GError **error)
{
  while (g_unichar_isspace (g_utf8_get_char (parser->at)))
    parser->at = g_utf8_next_char (parser->at);
  parser->start = parser->at;
  g_string_truncate (parser->name, 0);
  parser->kind = *parser->at == '\0' ? WORD_END : WORD_PUNCT;
  if (*parser->at == '"')
    return next_quoted (parser, error);
  while (!ends_word (parser, g_utf8_get_char (parser->at)))
    parser->at = g_utf8_next_char (parser->at);
  if (parser->at > parser->start)
    {
      g_string_append_len (parser->name, parser->start, parser->at - parser->start);
      parser->kind = word_kind (parser->name->str);
    }
  else if (parser->kind == WORD_PUNCT)
    parser->at++;
  return TRUE;
}

static gboolean
is_punct (const Parser *parser, char c)
{
  return parser->kind == WORD_PUNCT && *parser->start == c;
}

/* --- grammar --- */

static Node *parse_or (Parser *parser, GError **error);
static Node *parse_factor (Parser *parser, GError **error);

static int
compare_numbers (const char *a, const char *b)
{
  a += strspn (a, "0");
  b += strspn (b, "0");
  gsize na = strspn (a, "0123456789"), nb = strspn (b, "0123456789");
  return na != nb ? (na < nb ? -1 : 1) : strncmp (a, b, na);
}

static gboolean
parse_bound (Parser *parser, Bound *bound, GError **error)
{
  if (parser->kind != WORD_NAME && parser->kind != WORD_QUOTED)
    return TRUE;
  bound->by_number =
      parser->kind == WORD_NAME && strspn (parser->name->str, "0123456789") == parser->name->len;
  bound->name = g_strdup (parser->name->str);
  return next (parser, error);
}

static gboolean
is_backwards (const Range *range)
{
  if (range->first.name == NULL || range->last.name == NULL
      || range->first.by_number != range->last.by_number)
    return FALSE;
  return (range->first.by_number ? compare_numbers : fl_run_name_compare) (range->first.name,
                                                                           range->last.name)
         > 0;
}

/* The word at hand is the range's first. */
static gboolean
parse_range (Parser *parser, Range *range, GError **error)
{
  const char *start = parser->start;
  if (!parse_bound (parser, &range->first, error))
    return FALSE;
  if (!is_punct (parser, '-'))
    {
      range->last = range->first;
      return range->first.name != NULL || fail (parser, error, "expected a run, as in 'runs 3,5,9-12'");
    }
  const char *end = parser->at;
  if (!next (parser, error))
    return FALSE;
  if (parser->kind == WORD_NAME || parser->kind == WORD_QUOTED)
    end = parser->at;
  if (!parse_bound (parser, &range->last, error))
    return FALSE;
  gboolean open = range->first.name == NULL && range->last.name == NULL;
  if (!open && !is_backwards (range))
    return TRUE;
  parser->start = start;
  parser->at = end;
  return fail (parser, error,
               open ? "expected a run before or after the '-'" : "the range ends before it begins");
}

static Node *
parse_runs (Parser *parser, GError **error)
{
  g_autoptr (Node) node = node_new (NODE_RUNS);
  parser->in_ranges = TRUE;
  do
    {
      Range *range = g_new0 (Range, 1);
      g_ptr_array_add (node->parts, range);
      if (!next (parser, error) || !parse_range (parser, range, error))
        return NULL;
    }
  while (is_punct (parser, ','));
  parser->in_ranges = FALSE;
  return g_steal_pointer (&node);
}

/* The tag that may have been meant, as it can be shown; NULL when none is near. */
static char *
nearest_tag (const Parser *parser)
{
  g_autofree char *nearest = NULL;
  g_autofree char *wanted = g_utf8_strdown (parser->name->str, -1);
  guint best = (guint) CLAMP (parser->name->len / 2, 1, 3) + 1;
  for (guint i = 0; parser->name->len <= LONG_NAME && parser->tags[i] != NULL; i++)
    {
      g_autofree char *tag =
          g_utf8_make_valid (parser->tags[i], (gssize) strnlen (parser->tags[i], LONG_NAME));
      g_autofree char *lower = g_utf8_strdown (tag, -1);
      guint distance = fl_edit_distance (wanted, lower);
      if (distance >= best)
        continue;
      best = distance;
      g_free (nearest);
      nearest = show (tag, tag + strlen (tag));
    }
  return g_steal_pointer (&nearest);
}

static Node *
parse_tag (Parser *parser, GError **error)
{
  if (parser->tags != NULL && !g_strv_contains (parser->tags, parser->name->str))
    {
      g_autofree char *nearest = nearest_tag (parser);
      g_autofree char *message = nearest != NULL ? g_strdup_printf ("there is no such tag; %s?", nearest)
                                                 : g_strdup ("there is no such tag");
      fail (parser, error, message);
      return NULL;
    }
  g_autoptr (Node) node = node_new (NODE_TAG);
  node->name = g_strdup (parser->name->str);
  return next (parser, error) ? g_steal_pointer (&node) : NULL;
}

static Node *
parse_parentheses (Parser *parser, GError **error)
{
  const char *open = parser->start;
  g_autoptr (Node) node = next (parser, error) ? parse_or (parser, error) : NULL;
  if (node == NULL)
    return NULL;
  if (is_punct (parser, ')'))
    return next (parser, error) ? g_steal_pointer (&node) : NULL;
  if (parser->kind != WORD_END)
    {
      fail (parser, error, "expected 'and', 'or' or ')' before it");
      return NULL;
    }
  parser->start = open;
  parser->at = open + 1;
  fail (parser, error, "is not closed");
  return NULL;
}

static Node *
parse_not (Parser *parser, GError **error)
{
  g_autoptr (Node) node = node_new (NODE_NOT);
  Node *part = next (parser, error) ? parse_factor (parser, error) : NULL;
  if (part == NULL)
    return NULL;
  g_ptr_array_add (node->parts, part);
  return g_steal_pointer (&node);
}

static Node *
parse_factor (Parser *parser, GError **error)
{
  Node *node = NULL;
  if (parser->depth++ == DEPTH)
    fail (parser, error, "nested too deeply");
  else if (parser->kind == WORD_NAME || parser->kind == WORD_QUOTED)
    node = parse_tag (parser, error);
  else if (parser->kind == WORD_RUNS)
    node = parse_runs (parser, error);
  else if (parser->kind == WORD_NOT)
    node = parse_not (parser, error);
  else if (is_punct (parser, '('))
    node = parse_parentheses (parser, error);
  else
    fail (parser, error, "expected a tag, 'not', 'runs' or '('");
  parser->depth--;
  return node;
}

static Node *
parse_chain (Parser *parser, NodeKind kind, WordKind word, Node *(*parse_part) (Parser *, GError **),
             GError **error)
{
  g_autoptr (Node) node = node_new (kind);
  do
    {
      Node *part = node->parts->len == 0 || next (parser, error) ? parse_part (parser, error) : NULL;
      if (part == NULL)
        return NULL;
      g_ptr_array_add (node->parts, part);
    }
  while (parser->kind == word);
  return node->parts->len > 1 ? g_steal_pointer (&node) : g_ptr_array_steal_index (node->parts, 0);
}

static Node *
parse_and (Parser *parser, GError **error)
{
  return parse_chain (parser, NODE_AND, WORD_AND, parse_factor, error);
}

static Node *
parse_or (Parser *parser, GError **error)
{
  return parse_chain (parser, NODE_OR, WORD_OR, parse_and, error);
}

FlTagExpression *
fl_tag_expression_parse (const char *text, const char *const *tags, GError **error)
{
  return fl_tag_expression_parse_at (text, tags, NULL, error);
}

FlTagExpression *
fl_tag_expression_parse_at (const char *text, const char *const *tags, FlTagSpan *wrong, GError **error)
{
  if (!g_utf8_validate (text, -1, NULL))
    {
      if (wrong != NULL)
        *wrong = (FlTagSpan){ 0, 0 };
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "the expression is not UTF-8");
      return NULL;
    }
  g_autoptr (GString) name = g_string_new (NULL);
  Parser parser = { .text = text, .at = text, .tags = tags, .name = name };
  g_autoptr (Node) root = next (&parser, error) ? parse_or (&parser, error) : NULL;
  if (root != NULL && parser.kind == WORD_END)
    {
      FlTagExpression *expression = g_new (FlTagExpression, 1);
      expression->root = g_steal_pointer (&root);
      return expression;
    }
  if (root != NULL)
    fail (&parser, error,
          is_punct (&parser, ')') ? "nothing is open that it could close"
                                  : "expected 'and' or 'or' before it");
  if (wrong != NULL)
    *wrong = (FlTagSpan){ (guint) g_utf8_pointer_to_offset (text, parser.start),
                          (guint) g_utf8_pointer_to_offset (parser.start, parser.at) };
  return NULL;
}

void
fl_tag_expression_free (FlTagExpression *expression)
{
  if (expression != NULL)
    node_free (expression->root);
  g_free (expression);
}

/* --- what it takes --- */

static int
compare_bound (const Bound *bound, const char *run)
{
  if (!bound->by_number)
    return fl_run_name_compare (bound->name, run);
  return compare_numbers (bound->name, run + strcspn (run, "0123456789"));
}

static gboolean
in_range (const Range *range, const char *run)
{
  gboolean by_number = (range->first.name != NULL && range->first.by_number)
                       || (range->last.name != NULL && range->last.by_number);
  if (by_number && strpbrk (run, "0123456789") == NULL)
    return FALSE;
  return (range->first.name == NULL || compare_bound (&range->first, run) <= 0)
         && (range->last.name == NULL || compare_bound (&range->last, run) >= 0);
}

static gboolean
matches (const Node *node, const char *run, const char *const *tags)
{
  if (node->kind == NODE_TAG)
    return g_strv_contains (tags, node->name);
  if (node->kind == NODE_NOT)
    return !matches (node->parts->pdata[0], run, tags);
  /* `and` is settled by the first that does not, the others by the first that does. */
  gboolean settles = node->kind != NODE_AND;
  for (guint i = 0; i < node->parts->len; i++)
    if ((node->kind == NODE_RUNS ? in_range (node->parts->pdata[i], run)
                                 : matches (node->parts->pdata[i], run, tags))
        == settles)
      return settles;
  return !settles;
}

gboolean
fl_tag_expression_matches (const FlTagExpression *expression, const char *run_name, const char *const *tags)
{
  return matches (expression->root, run_name, tags);
}

static void
collect_tags (const Node *node, GPtrArray *names)
{
  if (node->kind == NODE_TAG && !g_ptr_array_find_with_equal_func (names, node->name, g_str_equal, NULL))
    g_ptr_array_add (names, g_strdup (node->name));
  for (guint i = 0; node->kind < NODE_TAG && i < node->parts->len; i++)
    collect_tags (node->parts->pdata[i], names);
}

char **
fl_tag_expression_tags (const FlTagExpression *expression)
{
  GPtrArray *names = g_ptr_array_new ();
  collect_tags (expression->root, names);
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (names, FALSE);
}

/* --- as text --- */

static char *
quote (const char *name)
{
  g_autoptr (GString) quoted = g_string_new ("\"");
  for (const char *at = name; *at != '\0'; at++)
    {
      if (*at == '"' || *at == '\\')
        g_string_append_c (quoted, '\\');
      g_string_append_c (quoted, *at);
    }
  g_string_append_c (quoted, '"');
  return g_string_free (g_steal_pointer (&quoted), FALSE);
}

/* Read as it stands, it is a name. */
static gboolean
is_plain (const char *name)
{
  gboolean plain = *name != '\0' && word_kind (name) == WORD_NAME && g_utf8_validate (name, -1, NULL);
  for (const char *at = name; plain && *at != '\0'; at = g_utf8_next_char (at))
    {
      gunichar c = g_utf8_get_char (at);
      plain = c != '"' && !g_unichar_isspace (c) && (c >= 128 || strchr (PUNCT, (int) c) == NULL);
    }
  return plain;
}

char *
fl_tag_expression_quote (const char *name)
{
  return is_plain (name) ? g_strdup (name) : quote (name);
}

char *
fl_tag_expression_quote_run (const char *name)
{
  gboolean like_number = strspn (name, "0123456789") == strlen (name);
  return !like_number && strchr (name, '-') == NULL && is_plain (name) ? g_strdup (name) : quote (name);
}

static void
write_bound (GString *text, const Bound *bound)
{
  if (bound->name == NULL)
    return;
  g_autofree char *name =
      bound->by_number ? g_strdup (bound->name) : fl_tag_expression_quote_run (bound->name);
  g_string_append (text, name);
}

static void
write_runs (GString *text, const Node *node)
{
  g_string_append (text, "runs ");
  for (guint i = 0; i < node->parts->len; i++)
    {
      const Range *range = node->parts->pdata[i];
      if (i > 0)
        g_string_append_c (text, ',');
      write_bound (text, &range->first);
      if (range->first.name == NULL || range->last.name != range->first.name)
        g_string_append_c (text, '-');
      if (range->last.name != range->first.name)
        write_bound (text, &range->last);
    }
}

static void
write_node (GString *text, const Node *node, NodeKind around, const char *from, const char *to)
{
  gboolean enclosed = node->kind < around;
  g_string_append (text, enclosed ? "(" : "");
  if (node->kind == NODE_TAG)
    {
      g_autofree char *name =
          fl_tag_expression_quote (from != NULL && strcmp (node->name, from) == 0 ? to : node->name);
      g_string_append (text, name);
    }
  else if (node->kind == NODE_RUNS)
    write_runs (text, node);
  else
    for (guint i = 0; i < node->parts->len; i++)
      {
        const char *word = node->kind == NODE_NOT ? "not " : node->kind == NODE_AND ? " and " : " or ";
        g_string_append (text, i > 0 || node->kind == NODE_NOT ? word : "");
        write_node (text, node->parts->pdata[i], node->kind, from, to);
      }
  g_string_append (text, enclosed ? ")" : "");
}

char *
fl_tag_expression_text (const FlTagExpression *expression, const char *from, const char *to)
{
  g_autoptr (GString) text = g_string_new (NULL);
  write_node (text, expression->root, NODE_OR, from, to);
  return g_string_free (g_steal_pointer (&text), FALSE);
}
