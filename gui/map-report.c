#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/map-report.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "gui/text.h"

#define DEEPEST   8
#define MOST_TEXT 60 /* characters of what is shown of a name */

/* --- JSON, as far as it is needed: every value with the names on the way to it --- */

typedef struct
{
  const char *at, *end;
  const char *keys[DEEPEST]; /* NULL: an array's */
  guint index[DEEPEST];
  guint depth;
  GPtrArray *names; /* owns keys */
  FlgMapReport *report;
} Reader;

static void take_text (Reader *r, const char *text);
static void take_number (Reader *r, double value);

static char
peek (Reader *r)
{
  while (r->at < r->end && strchr (" \t\r\n", *r->at))
    r->at++;
  return r->at < r->end ? *r->at : '\0';
}

static gboolean
skip (Reader *r, char c)
{
  if (peek (r) != c)
    return FALSE;
  r->at++;
  return TRUE;
}

/* Escapes of four hexadecimal digits stand only for what is not shown. NULL: it has no end. */
static char *
read_string (Reader *r)
{
  g_autoptr (GString) text = g_string_new (NULL);
  if (!skip (r, '"'))
    return NULL;
  for (; r->at < r->end && *r->at != '"'; r->at++)
    {
      gboolean escaped = *r->at == '\\' && r->at + 1 < r->end;
      r->at += escaped ? 1 : 0;
      if (escaped && *r->at == 'u')
        r->at += MIN (4, r->end - r->at - 1);
      g_string_append_c (text, escaped && strchr ("bfnrtu", *r->at) ? ' ' : *r->at);
    }
  return skip (r, '"') ? flg_text_bounded (text->str, MOST_TEXT) : NULL;
}

static gboolean read_value (Reader *r);

static gboolean
read_members (Reader *r, char end)
{
  if (r->depth == DEEPEST)
    return FALSE;
  guint level = r->depth++;
  r->keys[level] = NULL;
  r->index[level] = 0;
  for (gboolean more = !skip (r, end); more; more = !skip (r, end))
    {
      if (r->index[level] > 0 && !skip (r, ','))
        return FALSE;
      if (end == '}')
        {
          char *key = read_string (r);
          if (!key)
            return FALSE;
          g_ptr_array_add (r->names, key);
          r->keys[level] = key;
          if (!skip (r, ':'))
            return FALSE;
        }
      if (!read_value (r))
        return FALSE;
      r->index[level]++;
    }
  r->depth--;
  return TRUE;
}

static gboolean
read_value (Reader *r)
{
  char c = peek (r);
  if (c == '{' || c == '[')
    {
      r->at++;
      return read_members (r, c == '{' ? '}' : ']');
    }
  if (c == '"')
    {
      g_autofree char *text = read_string (r);
      if (text)
        take_text (r, text);
      return text != NULL;
    }
  char word[32];
  gsize n = 0;
  while (r->at < r->end && (g_ascii_isalnum (*r->at) || strchr ("+-.", *r->at)) && n + 1 < sizeof word)
    word[n++] = *r->at++;
  word[n] = '\0';
  char *rest;
  double value = g_ascii_strtod (word, &rest);
  if (n > 0 && *rest == '\0')
    take_number (r, value);
  return n > 0;
}

/* --- what is taken --- */

static gboolean
is_at (const Reader *r, guint depth, const char *first, const char *second)
{
  return r->depth == depth && g_strcmp0 (r->keys[0], first) == 0
         && (depth < 2 || g_strcmp0 (r->keys[1], second) == 0);
}

/* The peak that is being read; NULL: none. */
static FlgMapPeak *
peak_at (Reader *r)
{
  if (r->depth < 4 || g_strcmp0 (r->keys[1], "peaks") != 0)
    return NULL;
  GArray *peaks = g_strcmp0 (r->keys[0], "mfo-dfc") == 0 ? r->report->peaks
                  : g_strcmp0 (r->keys[0], "fo-fo") == 0 ? r->report->change_peaks
                                                         : NULL;
  guint i = r->index[2];
  if (!peaks || i >= FLG_MOST_MAP_PEAKS || i > peaks->len)
    return NULL;
  if (i == peaks->len)
    {
      FlgMapPeak fresh = { .place = { NAN, NAN, NAN }, .sigmas = NAN, .density = NAN, .distance = NAN };
      g_array_append_val (peaks, fresh);
    }
  return &g_array_index (peaks, FlgMapPeak, i);
}

static void
set (char **field, const char *text)
{
  g_free (*field);
  *field = g_strdup (text);
}

static void
take_text (Reader *r, const char *text)
{
  FlgMapPeak *peak = peak_at (r);
  if (peak && r->depth == 4 && g_strcmp0 (r->keys[3], "atom") == 0)
    set (&peak->atom, text);
  else if (is_at (r, 1, "space_group", NULL))
    set (&r->report->space_group, text);
  else if (is_at (r, 2, "model", "file"))
    set (&r->report->model, text);
  else if (is_at (r, 2, "minus", "file"))
    set (&r->report->minus, text);
  else if (is_at (r, 2, "fo-fo", "file"))
    r->report->has_change = TRUE;
}

static void
take_number (Reader *r, double value)
{
  FlgMapReport *report = r->report;
  const struct
  {
    guint depth;
    const char *first, *second;
    double *field;
  } fields[] = { { 1, "d_min", NULL, &report->d_min },
                 { 1, "completeness", NULL, &report->completeness },
                 { 2, "scale", "r_work", &report->r_work },
                 { 2, "scale", "r_free", &report->r_free },
                 { 2, "model", "atoms", &report->atoms },
                 { 2, "difference", "r_iso", &report->r_iso },
                 { 2, "2mfo-dfc", "sigmas_at_atoms", &report->sigmas_at_atoms } };
  FlgMapPeak *peak = peak_at (r);
  if (peak && r->depth == 5 && r->keys[3] && g_str_equal (r->keys[3], "xyz") && r->index[4] < 3)
    peak->place[r->index[4]] = value;
  else if (peak && r->depth == 4 && r->keys[3])
    {
      if (g_str_equal (r->keys[3], "sigmas"))
        peak->sigmas = value;
      else if (g_str_equal (r->keys[3], "density"))
        peak->density = value;
      else if (g_str_equal (r->keys[3], "distance"))
        peak->distance = value;
    }
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    if (is_at (r, fields[i].depth, fields[i].first, fields[i].second))
      *fields[i].field = value;
}

/* --- the report --- */

static void
peak_clear (gpointer data)
{
  g_free (((FlgMapPeak *) data)->atom);
}

static GArray *
peaks_new (void)
{
  GArray *peaks = g_array_new (FALSE, TRUE, sizeof (FlgMapPeak));
  g_array_set_clear_func (peaks, peak_clear);
  return peaks;
}

/* Those without a place cannot be gone to. */
static void
drop_homeless (GArray *peaks)
{
  for (guint i = peaks->len; i > 0; i--)
    {
      FlgMapPeak *p = &g_array_index (peaks, FlgMapPeak, i - 1);
      if (!isfinite (p->place[0]) || !isfinite (p->place[1]) || !isfinite (p->place[2])
          || !isfinite (p->sigmas))
        g_array_remove_index (peaks, i - 1);
      else if (!p->atom)
        p->atom = g_strdup ("");
    }
}

FlgMapReport *
flg_map_report_parse (const char *text, gsize length, GError **error)
{
  g_autoptr (FlgMapReport) report = g_new0 (FlgMapReport, 1);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  double *unknown[] = { &report->d_min,  &report->completeness, &report->r_work,
                        &report->r_free, &report->r_iso,        &report->sigmas_at_atoms };
  for (guint i = 0; i < G_N_ELEMENTS (unknown); i++)
    *unknown[i] = NAN;
  report->space_group = g_strdup ("");
  report->model = g_strdup ("");
  report->minus = g_strdup ("");
  report->peaks = peaks_new ();
  report->change_peaks = peaks_new ();
  Reader reader = { .at = text, .end = text + length, .names = names, .report = report };
  if (peek (&reader) != '{' || !read_value (&reader) || isnan (report->d_min))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "map.json: damaged at byte %zu of %zu",
                   (gsize) (reader.at - text), length);
      return NULL;
    }
  drop_homeless (report->peaks);
  drop_homeless (report->change_peaks);
  return g_steal_pointer (&report);
}

void
flg_map_report_free (FlgMapReport *report)
{
  g_free (report->space_group);
  g_free (report->model);
  g_free (report->minus);
  g_array_unref (report->peaks);
  g_array_unref (report->change_peaks);
  g_free (report);
}

char *
flg_map_report_words (const FlgMapReport *r)
{
  g_autoptr (GString) words = g_string_new (NULL);
  if (isfinite (r->r_work))
    g_string_append_printf (words, _ ("R %.3f · "), r->r_work);
  if (isfinite (r->r_free))
    g_string_append_printf (words, _ ("free R %.3f · "), r->r_free);
  g_string_append_printf (words, _ ("to %.2f Å"), r->d_min);
  if (isfinite (r->completeness))
    g_string_append_printf (words, _ (", %.1f %% complete"), r->completeness * 100);
  if (*r->space_group)
    g_string_append_printf (words, " · %s", r->space_group);
  if (isfinite (r->sigmas_at_atoms))
    g_string_append_printf (words, _ (" · %.1f σ at atoms"), r->sigmas_at_atoms);
  if (isfinite (r->r_iso))
    g_string_append_printf (words, _ (" · R iso %.3f"), r->r_iso);
  return g_string_free (g_steal_pointer (&words), FALSE);
}
