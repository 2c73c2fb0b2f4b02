#include "engine/store/particles.h"

void
fl_particle_block_free (FlParticleBlock *block)
{
  if (block == NULL)
    return;
  g_free (block->shot);
  g_free (block->class);
  g_free (block->photons);
  g_free (block->background);
  g_free (block->diameter);
  g_free (block->score);
  g_free (block);
}

static gpointer
copy_column (const FlBatch *batch, const char *name, gsize size)
{
  return g_memdup2 (fl_batch_column (batch, name), fl_batch_rows (batch) * size);
}

static FlParticleBlock *
block_of (const FlSlice *slice, const FlBatch *batch)
{
  FlParticleBlock *block = g_new (FlParticleBlock, 1);
  *block = (FlParticleBlock){ .job = slice->job,
                              .attempt = slice->attempt,
                              .run = slice->run,
                              .n = fl_batch_rows (batch),
                              .shot = copy_column (batch, "shot", sizeof (guint64)),
                              .class = copy_column (batch, "class", sizeof (guint8)),
                              .photons = copy_column (batch, "photons", sizeof (guint32)),
                              .background = copy_column (batch, "background", sizeof (float)),
                              .diameter = copy_column (batch, "diameter", sizeof (float)),
                              .score = copy_column (batch, "score", sizeof (float)) };
  for (guint i = 0; i < block->n; i++) /* of a later version's, say */
    block->class[i] = MIN (block->class[i], (guint8) FL_PARTICLE_JUNK);
  return block;
}

GPtrArray *
fl_store_particles (FlStore *store, gint64 job, guint limit, gint64 *cursor, GError **error)
{
  g_autoptr (GPtrArray) slices = fl_store_slices (store, FL_KIND_PARTICLE, job, *cursor, limit, error);
  if (slices == NULL)
    return NULL;
  GPtrArray *blocks = g_ptr_array_new_with_free_func ((GDestroyNotify) fl_particle_block_free);
  for (guint i = 0; i < slices->len; i++)
    {
      const FlSlice *slice = slices->pdata[i];
      g_autoptr (FlBatch) batch =
          fl_batch_decode (g_bytes_get_data (slice->packed, NULL), g_bytes_get_size (slice->packed), NULL);
      if (batch != NULL && fl_batch_rows (batch) > 0)
        g_ptr_array_add (blocks, block_of (slice, batch));
      *cursor = slice->row;
    }
  return blocks;
}
