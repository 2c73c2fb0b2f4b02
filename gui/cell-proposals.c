#include "gui/cell-proposals.h"

#include <glib/gi18n.h>
#include <math.h>

#include "gui/cell-words.h"
#include "gui/text.h"

static gint64
latest_attempt (const GArray *cells, gint64 job)
{
  gint64 latest = 0;
  for (guint i = 0; i < cells->len; i++)
    if (g_array_index (cells, FlgProposedCell, i).job == job)
      latest = MAX (latest, g_array_index (cells, FlgProposedCell, i).attempt);
  return latest;
}

static FlgCellProposal
proposal_of (const FlCellRow *row)
{
  FlgCellProposal p = { .told = row->told != 0,
                        .used = row->number == 0,
                        .type = row->type,
                        .centring = (char) row->centring,
                        .space_group = row->space_group,
                        .members = row->members,
                        .shots = row->shots,
                        .confidence = (double) row->confidence,
                        .jobs = 1 };
  for (guint k = 0; k < 6; k++)
    {
      double unit = k < 3 ? 1 : 180 / G_PI;
      p.cell[k] = (double) row->cell[k] * unit;
      p.spread[k] = (double) row->spread[k] * unit;
    }
  return p;
}

static gboolean
agree (const FlgCellProposal *a, const FlgCellProposal *b)
{
  return a->told == b->told && a->used == b->used && a->type == b->type && a->centring == b->centring
         && a->space_group == b->space_group && flg_cell_is_near (a->cell, b->cell);
}

/* Means are weighted by members; spreads are pooled without that of the means. */
static void
merge (FlgCellProposal *into, const FlgCellProposal *from)
{
  double a = (double) MAX (into->members, 1), b = (double) MAX (from->members, 1);
  for (guint k = 0; k < 6; k++)
    {
      into->cell[k] = (a * into->cell[k] + b * from->cell[k]) / (a + b);
      into->spread[k] =
          sqrt ((a * into->spread[k] * into->spread[k] + b * from->spread[k] * from->spread[k]) / (a + b));
    }
  into->members += from->members;
  into->shots += from->shots;
  into->confidence = MIN (into->confidence, from->confidence);
  into->jobs++;
}

static int
by_weight (gconstpointer a, gconstpointer b)
{
  const FlgCellProposal *x = a, *y = b;
  if (x->used != y->used)
    return x->used ? -1 : 1;
  return x->members > y->members ? -1 : x->members < y->members;
}

GArray *
flg_cell_proposals (const GArray *cells)
{
  GArray *found = g_array_new (FALSE, FALSE, sizeof (FlgCellProposal));
  for (guint i = 0; i < cells->len; i++)
    {
      const FlgProposedCell *cell = &g_array_index (cells, FlgProposedCell, i);
      if (cell->attempt != latest_attempt (cells, cell->job))
        continue;
      FlgCellProposal p = proposal_of (&cell->row);
      guint at = 0;
      while (at < found->len && !agree (&g_array_index (found, FlgCellProposal, at), &p))
        at++;
      if (at < found->len)
        merge (&g_array_index (found, FlgCellProposal, at), &p);
      else
        g_array_append_val (found, p);
    }
  g_array_sort (found, by_weight);
  return found;
}

char *
flg_cell_proposal_text (const FlgCellProposal *p)
{
  g_autofree char *cell = flg_cell_format (p->cell);
  g_autofree char *group =
      p->space_group ? g_strdup_printf (_ (", space group %u"), p->space_group) : g_strdup ("");
  if (p->told)
    return g_strdup_printf (_ ("The trial's cell: %s %c %s%s"), flg_lattice_type_word (p->type), p->centring,
                            cell, group);
  g_autofree char *members = flg_format_count ((gint64) p->members);
  g_autofree char *shots = flg_format_count ((gint64) p->shots);
  g_autofree char *what =
      g_strdup_printf (_ ("%s %c %s%s · confidence %.2f"), flg_lattice_type_word (p->type), p->centring, cell,
                       group, p->confidence);
  if (p->used)
    return g_strdup_printf (_ ("No cell was given: %s of %s shots agree on %s"), members, shots, what);
  return g_strdup_printf (_ ("Also: %s of %s shots have %s"), members, shots, what);
}
