#include "gui/mask-draft.h"

#include <string.h>

#define MOST_STATES 1000

struct FlgMaskDraft
{
  GPtrArray *states; /* char *: whole texts */
  guint at;          /* the one that holds */
  char **lines;      /* of it */
  char **rules;      /* of these, without "shots" */
};

static gboolean
is_rule (const char *line)
{
  return *line != '\0' && *line != '#';
}

static gboolean
is_shots (const char *line)
{
  return g_str_has_prefix (line, "shots ");
}

/* The lines that are rules, trimmed; NULL-terminated. */
static char **
lines_of (const char *text)
{
  g_auto (GStrv) all = g_strsplit (text, "\n", -1);
  GPtrArray *lines = g_ptr_array_new ();
  for (char **line = all; *line; line++)
    if (is_rule (g_strstrip (*line)))
      g_ptr_array_add (lines, g_strdup (*line));
  g_ptr_array_add (lines, NULL);
  return (char **) g_ptr_array_free (lines, FALSE);
}

static void
look (FlgMaskDraft *self)
{
  GPtrArray *rules = g_ptr_array_new ();
  g_strfreev (self->lines);
  self->lines = lines_of (self->states->pdata[self->at]);
  for (char **line = self->lines; *line; line++)
    if (!is_shots (*line))
      g_ptr_array_add (rules, *line);
  g_ptr_array_add (rules, NULL);
  g_free (self->rules);
  self->rules = (char **) g_ptr_array_free (rules, FALSE);
}

static char *
text_of (char **lines)
{
  GString *text = g_string_new (NULL);
  for (; *lines; lines++)
    g_string_append_printf (text, "%s\n", *lines);
  return g_string_free (text, FALSE);
}

FlgMaskDraft *
flg_mask_draft_new (void)
{
  FlgMaskDraft *self = g_new0 (FlgMaskDraft, 1);
  self->states = g_ptr_array_new_with_free_func (g_free);
  flg_mask_draft_begin (self, "");
  return self;
}

void
flg_mask_draft_free (FlgMaskDraft *self)
{
  g_ptr_array_unref (self->states);
  g_strfreev (self->lines);
  g_free (self->rules);
  g_free (self);
}

void
flg_mask_draft_begin (FlgMaskDraft *self, const char *text)
{
  g_auto (GStrv) lines = lines_of (text);
  g_ptr_array_set_size (self->states, 0);
  g_ptr_array_add (self->states, text_of (lines));
  self->at = 0;
  look (self);
}

/* Takes the lines. */
static gboolean
become (FlgMaskDraft *self, GPtrArray *lines)
{
  g_ptr_array_add (lines, NULL);
  char *text = text_of ((char **) lines->pdata);
  g_ptr_array_unref (lines);
  if (g_str_equal (text, self->states->pdata[self->at]))
    {
      g_free (text);
      return FALSE;
    }
  g_ptr_array_set_size (self->states, (int) self->at + 1);
  g_ptr_array_add (self->states, text);
  if (self->states->len > MOST_STATES)
    g_ptr_array_remove_index (self->states, 1); /* what it began with stays */
  self->at = self->states->len - 1;
  look (self);
  return TRUE;
}

static GPtrArray *
copy_lines (FlgMaskDraft *self)
{
  GPtrArray *lines = g_ptr_array_new_with_free_func (g_free);
  for (char **line = self->lines; *line; line++)
    g_ptr_array_add (lines, g_strdup (*line));
  return lines;
}

gboolean
flg_mask_draft_add (FlgMaskDraft *self, const char *rule)
{
  g_autofree char *line = g_strstrip (g_strdelimit (g_strdup (rule), "\r\n", ' '));
  GPtrArray *lines = copy_lines (self);
  if (is_rule (line))
    g_ptr_array_add (lines, g_steal_pointer (&line));
  return become (self, lines);
}

gboolean
flg_mask_draft_remove (FlgMaskDraft *self, guint number)
{
  GPtrArray *lines = copy_lines (self);
  for (guint i = 0; i < lines->len; i++)
    if (!is_shots (lines->pdata[i]) && number-- == 0)
      {
        g_ptr_array_remove_index (lines, i);
        break;
      }
  return become (self, lines);
}

/* Words of a rule that is for every panel. */
static gboolean
is_the_one (const char *line, const char *word)
{
  gsize n = strlen (word);
  g_auto (GStrv) words = g_strsplit (line, " ", -1);
  guint most = g_str_equal (word, "edges") ? 2 : g_str_equal (word, "asic-edges") ? 4 : G_MAXUINT;
  return strncmp (line, word, n) == 0 && line[n] == ' ' && g_strv_length (words) <= most;
}

gboolean
flg_mask_draft_set (FlgMaskDraft *self, const char *word, const char *rule)
{
  GPtrArray *lines = copy_lines (self);
  guint i = 0;
  while (i < lines->len && !is_the_one (lines->pdata[i], word))
    i++;
  if (i < lines->len && !rule)
    g_ptr_array_remove_index (lines, i);
  else if (i < lines->len)
    {
      g_free (lines->pdata[i]);
      lines->pdata[i] = g_strdup (rule);
    }
  else if (rule)
    g_ptr_array_insert (lines, is_shots (rule) ? 0 : -1, g_strdup (rule));
  return become (self, lines);
}

gboolean
flg_mask_draft_clear (FlgMaskDraft *self)
{
  return become (self, g_ptr_array_new_with_free_func (g_free));
}

static gboolean
go (FlgMaskDraft *self, guint at)
{
  self->at = at;
  look (self);
  return TRUE;
}

gboolean
flg_mask_draft_undo (FlgMaskDraft *self)
{
  return self->at > 0 && go (self, self->at - 1);
}

gboolean
flg_mask_draft_redo (FlgMaskDraft *self)
{
  return flg_mask_draft_can_redo (self) && go (self, self->at + 1);
}

gboolean
flg_mask_draft_can_undo (FlgMaskDraft *self)
{
  return self->at > 0;
}

gboolean
flg_mask_draft_can_redo (FlgMaskDraft *self)
{
  return self->at + 1 < self->states->len;
}

const char *
flg_mask_draft_text (FlgMaskDraft *self)
{
  return self->states->pdata[self->at];
}

const char *const *
flg_mask_draft_rules (FlgMaskDraft *self)
{
  return (const char *const *) self->rules;
}

const char *
flg_mask_draft_get (FlgMaskDraft *self, const char *word)
{
  for (char **line = self->lines; *line; line++)
    if (is_the_one (*line, word))
      return *line;
  return NULL;
}
