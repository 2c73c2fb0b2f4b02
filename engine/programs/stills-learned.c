#include "engine/programs/stills-learned.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"

void
fl_learned_clear (FlLearned *learned)
{
  g_clear_pointer (&learned->cells, fl_batch_free);
  g_clear_pointer (&learned->profiles, fl_profiles_free);
}

char *
fl_learned_write (const FlLearned *learned, guint attempt)
{
  const FlCell *c = &learned->cell.cell;
  const FlMosaic *m = &learned->mosaic;
  g_autoptr (GString) text = g_string_new (NULL);
  g_string_append_printf (
      text,
      "; Learned by attempt %u from %u hits of %u shots, chosen by content. Lengths in Å, angles "
      "in rad.\nshots %u\nhits %u\nlattices %u\n",
      attempt, learned->hits, learned->shots, learned->shots, learned->hits, learned->lattices);
  if (learned->has_cell)
    g_string_append_printf (text, "cell %s %a %a %a %a %a %a %d %c %u\n", learned->told ? "told" : "proposed",
                            c->a, c->b, c->c, c->alpha, c->beta, c->gamma, (int) learned->cell.type,
                            learned->cell.centring, learned->cell.space_group);
  if (learned->has_mosaic)
    g_string_append_printf (text, "mosaic %a %a %a %a\n", m->domain_size, m->mosaicity, m->bandwidth,
                            m->divergence);
  guint n = learned->cells != NULL ? fl_batch_rows (learned->cells) : 0;
  for (guint i = 0; i < n; i++)
    {
      FlCellRow row;
      fl_batch_row (learned->cells, i, &row);
      g_string_append_printf (text, "candidate %u", row.number);
      for (guint k = 0; k < 6; k++)
        g_string_append_printf (text, " %a %a", (double) row.cell[k], (double) row.spread[k]);
      g_string_append_printf (text, " %u %u %u %u %u %a %u\n", row.type, row.centring, row.space_group,
                              row.members, row.shots, (double) row.confidence, row.told);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static gboolean
read_numbers (char **words, guint n, double *values)
{
  if (g_strv_length (words) < n)
    return FALSE;
  for (guint i = 0; i < n; i++)
    {
      char *end;
      values[i] = strtod (words[i], &end);
      if (end == words[i] || *end != '\0')
        return FALSE;
    }
  return TRUE;
}

/* Counts are written as such; a damaged one may be anything. */
static guint32
count (double value)
{
  return value > 0 ? (guint32) MIN (value, G_MAXUINT32) : 0;
}

static gboolean
read_candidate (char **words, FlLearned *learned)
{
  double v[20];
  if (!read_numbers (words, G_N_ELEMENTS (v), v))
    return FALSE;
  FlCellRow row = { .number = (guint16) count (v[0]),
                    .type = (guint8) count (v[13]),
                    .centring = (guint8) count (v[14]),
                    .space_group = (guint16) count (v[15]),
                    .members = count (v[16]),
                    .shots = count (v[17]),
                    .confidence = (float) v[18],
                    .told = (guint8) count (v[19]) };
  for (guint k = 0; k < 6; k++)
    {
      row.cell[k] = (float) v[1 + 2 * k];
      row.spread[k] = (float) v[2 + 2 * k];
    }
  fl_batch_append (learned->cells, &row);
  return TRUE;
}

static gboolean
read_line (char **words, FlLearned *learned)
{
  double v[6];
  guint n = g_strv_length (words);
  if (strcmp (words[0], "cell") == 0 && n == 11 && read_numbers (words + 2, 6, v))
    {
      learned->has_cell = TRUE;
      learned->told = strcmp (words[1], "told") == 0;
      learned->cell = (FlKnownCell){ .cell = { v[0], v[1], v[2], v[3], v[4], v[5] },
                                     .type = (FlLatticeType) CLAMP (atoi (words[8]), 0, FL_LATTICE_LAST - 1),
                                     .centring = words[9][0],
                                     .space_group = (guint) atoi (words[10]) };
      return TRUE;
    }
  if (strcmp (words[0], "mosaic") == 0 && read_numbers (words + 1, 4, v))
    {
      learned->has_mosaic = TRUE;
      learned->mosaic =
          (FlMosaic){ .domain_size = v[0], .mosaicity = v[1], .bandwidth = v[2], .divergence = v[3] };
      return TRUE;
    }
  if (strcmp (words[0], "candidate") == 0)
    return read_candidate (words + 1, learned);
  if (n != 2 || !read_numbers (words + 1, 1, v))
    return FALSE;
  guint32 *counts[] = { &learned->shots, &learned->hits, &learned->lattices };
  static const char *const names[] = { "shots", "hits", "lattices" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (strcmp (words[0], names[i]) == 0)
      {
        *counts[i] = count (v[0]);
        return TRUE;
      }
  return FALSE;
}

gboolean
fl_learned_parse (const char *text, const char *path, FlLearned *learned, GError **error)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  learned->cells = fl_batch_new (FL_KIND_CELL);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      if (*lines[i] == '\0' || *lines[i] == ';')
        continue;
      g_auto (GStrv) words = g_strsplit (lines[i], " ", -1);
      if (!read_line (words, learned))
        {
          g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                       "%s:%u: '%s' is not what a learning pass writes; remove the folder to learn again",
                       path, i + 1, lines[i]);
          return FALSE;
        }
    }
  return TRUE;
}
