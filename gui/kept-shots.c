#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/kept-shots.h"

typedef struct
{
  guint64 first; /* number of its first shot */
  guint n;
  gint64 job, attempt;
  guint64 *id;
  guint32 *source, *frame;
} Part;

struct FlgKeptShots
{
  GArray *parts;
  guint64 n;
};

static void
part_clear (Part *part)
{
  g_free (part->id);
  g_free (part->source);
  g_free (part->frame);
}

FlgKeptShots *
flg_kept_shots_new (void)
{
  FlgKeptShots *kept = g_new0 (FlgKeptShots, 1);
  kept->parts = g_array_new (FALSE, FALSE, sizeof (Part));
  g_array_set_clear_func (kept->parts, (GDestroyNotify) part_clear);
  return kept;
}

void
flg_kept_shots_free (FlgKeptShots *kept)
{
  g_array_unref (kept->parts);
  g_free (kept);
}

void
flg_kept_shots_add (FlgKeptShots *kept, FlShotBlock *block)
{
  Part part = { kept->n,
                block->n,
                block->job,
                block->attempt,
                g_steal_pointer (&block->id),
                g_steal_pointer (&block->source),
                g_steal_pointer (&block->frame) };
  g_array_append_val (kept->parts, part);
  kept->n += block->n;
}

static gboolean
has_attempt (FlgKeptShots *kept, gint64 attempt)
{
  for (guint i = 0; i < kept->parts->len; i++)
    if (g_array_index (kept->parts, Part, i).attempt == attempt)
      return TRUE;
  return FALSE;
}

gboolean
flg_kept_shots_are_replaced (FlgKeptShots *kept, GPtrArray *blocks)
{
  for (guint i = 0; i < blocks->len; i++)
    {
      const FlShotBlock *block = blocks->pdata[i];
      if (block->replaces && has_attempt (kept, block->attempt))
        return TRUE;
    }
  return FALSE;
}

guint64
flg_kept_shots_count (FlgKeptShots *kept)
{
  return kept->n;
}

gboolean
flg_kept_shots_get (FlgKeptShots *kept, guint64 number, FlgShotRef *ref)
{
  if (number >= kept->n)
    return FALSE;
  guint low = 0, high = kept->parts->len - 1;
  while (low < high)
    {
      guint middle = high - (high - low) / 2;
      if (g_array_index (kept->parts, Part, middle).first <= number)
        low = middle;
      else
        high = middle - 1;
    }
  const Part *part = &g_array_index (kept->parts, Part, low);
  guint64 i = number - part->first;
  *ref = (FlgShotRef){ part->job, part->attempt, part->id[i], part->source[i], part->frame[i] };
  return TRUE;
}
