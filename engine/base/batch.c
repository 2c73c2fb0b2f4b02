#include "engine/base/batch-private.h"

#include <stddef.h>
#include <string.h>

#define COLUMN(row, field, type, unit)                                                                       \
  {                                                                                                          \
#field, FL_COLUMN_##type, unit, offsetof(row, field)                                                     \
  }

static const FlColumn shot_columns[] = {
  COLUMN (FlShotRow, id, U64, ""),
  COLUMN (FlShotRow, source, U32, ""),
  COLUMN (FlShotRow, frame, U32, ""),
  COLUMN (FlShotRow, start, U64, "ns"),
  { "t_read", FL_COLUMN_U32, "us", offsetof (FlShotRow, duration[0]) },
  { "t_find", FL_COLUMN_U32, "us", offsetof (FlShotRow, duration[1]) },
  { "t_index", FL_COLUMN_U32, "us", offsetof (FlShotRow, duration[2]) },
  { "t_refine", FL_COLUMN_U32, "us", offsetof (FlShotRow, duration[3]) },
  { "t_integrate", FL_COLUMN_U32, "us", offsetof (FlShotRow, duration[4]) },
  COLUMN (FlShotRow, outcome, U8, ""),
  COLUMN (FlShotRow, stage, U8, ""),
  COLUMN (FlShotRow, lattices, U16, ""),
  COLUMN (FlShotRow, spots, U32, ""),
  COLUMN (FlShotRow, resolution, F32, "A"),
  COLUMN (FlShotRow, energy, F32, "eV"),
  COLUMN (FlShotRow, solvent, F32, ""),
  COLUMN (FlShotRow, message, TEXT, ""),
};

static const FlColumn spot_columns[] = {
  COLUMN (FlSpotRow, shot, U64, ""),
  COLUMN (FlSpotRow, panel, U16, ""),
  COLUMN (FlSpotRow, pixels, U16, "px"),
  COLUMN (FlSpotRow, fs, F32, "px"),
  COLUMN (FlSpotRow, ss, F32, "px"),
  COLUMN (FlSpotRow, var_fs, F32, "px2"),
  COLUMN (FlSpotRow, var_ss, F32, "px2"),
  COLUMN (FlSpotRow, intensity, F32, "counts"),
  COLUMN (FlSpotRow, var_intensity, F32, "counts2"),
  COLUMN (FlSpotRow, peak, F32, "counts"),
  COLUMN (FlSpotRow, background, F32, "counts/px"),
  COLUMN (FlSpotRow, d, F32, "A"),
};

static const FlColumn source_columns[] = {
  COLUMN (FlSourceRow, source, U32, ""),
  COLUMN (FlSourceRow, frames, U32, ""),
  COLUMN (FlSourceRow, path, TEXT, ""),
  COLUMN (FlSourceRow, message, TEXT, ""),
};

static const FlColumn rank_columns[] = {
  COLUMN (FlRankRow, rank, U32, ""),  COLUMN (FlRankRow, ranks, U32, ""),
  COLUMN (FlRankRow, pid, U32, ""),   COLUMN (FlRankRow, cores, U32, ""),
  COLUMN (FlRankRow, host, TEXT, ""), COLUMN (FlRankRow, device, TEXT, ""),
};

#define CELL(i, name, unit)                                                                                  \
  {                                                                                                          \
    name, FL_COLUMN_F32, unit, offsetof (FlLatticeRow, cell[i])                                              \
  }
#define STAR(i, name)                                                                                        \
  {                                                                                                          \
    name, FL_COLUMN_F32, "1/A", offsetof (FlLatticeRow, a_star[i])                                           \
  }
#define SHIFT(i, name)                                                                                       \
  {                                                                                                          \
    name, FL_COLUMN_F32, "mm", offsetof (FlLatticeRow, shift[i])                                             \
  }
static const FlColumn lattice_columns[] = {
  COLUMN (FlLatticeRow, shot, U64, ""),
  COLUMN (FlLatticeRow, number, U16, ""),
  COLUMN (FlLatticeRow, spots, U32, ""),
  CELL (0, "a", "A"),
  CELL (1, "b", "A"),
  CELL (2, "c", "A"),
  CELL (3, "alpha", "rad"),
  CELL (4, "beta", "rad"),
  CELL (5, "gamma", "rad"),
  STAR (0, "a_star_x"),
  STAR (1, "a_star_y"),
  STAR (2, "a_star_z"),
  STAR (3, "b_star_x"),
  STAR (4, "b_star_y"),
  STAR (5, "b_star_z"),
  STAR (6, "c_star_x"),
  STAR (7, "c_star_y"),
  STAR (8, "c_star_z"),
  COLUMN (FlLatticeRow, centring, U8, ""),
  COLUMN (FlLatticeRow, space_group, U16, ""),
  COLUMN (FlLatticeRow, confidence, F32, ""),
  SHIFT (0, "shift_x"),
  SHIFT (1, "shift_y"),
  SHIFT (2, "shift_z"),
  COLUMN (FlLatticeRow, rmsd, F32, "px"),
  COLUMN (FlLatticeRow, domain_size, F32, "A"),
  COLUMN (FlLatticeRow, mosaicity, F32, "rad"),
  COLUMN (FlLatticeRow, resolution, F32, "A"),
  COLUMN (FlLatticeRow, reflections, U32, ""),
};

static const FlColumn reflection_columns[] = {
  COLUMN (FlReflectionRow, shot, U64, ""),
  COLUMN (FlReflectionRow, lattice, U16, ""),
  COLUMN (FlReflectionRow, h, I16, ""),
  COLUMN (FlReflectionRow, k, I16, ""),
  COLUMN (FlReflectionRow, l, I16, ""),
  COLUMN (FlReflectionRow, panel, U16, ""),
  COLUMN (FlReflectionRow, fs, F32, "px"),
  COLUMN (FlReflectionRow, ss, F32, "px"),
  COLUMN (FlReflectionRow, intensity, F32, "counts"),
  COLUMN (FlReflectionRow, sigma, F32, "counts"),
  COLUMN (FlReflectionRow, background, F32, "counts/px"),
  COLUMN (FlReflectionRow, peak, F32, "counts"),
  COLUMN (FlReflectionRow, excitation, F32, "1/A"),
  COLUMN (FlReflectionRow, partiality, F32, ""),
  COLUMN (FlReflectionRow, d, F32, "A"),
  COLUMN (FlReflectionRow, flags, U8, ""),
};

#define NUMBER(i, field, name, unit)                                                                         \
  {                                                                                                          \
    name, FL_COLUMN_F32, unit, offsetof (FlCellRow, field[i])                                                \
  }
static const FlColumn cell_columns[] = {
  COLUMN (FlCellRow, number, U16, ""),
  COLUMN (FlCellRow, told, U8, ""),
  NUMBER (0, cell, "a", "A"),
  NUMBER (1, cell, "b", "A"),
  NUMBER (2, cell, "c", "A"),
  NUMBER (3, cell, "alpha", "rad"),
  NUMBER (4, cell, "beta", "rad"),
  NUMBER (5, cell, "gamma", "rad"),
  NUMBER (0, spread, "spread_a", "A"),
  NUMBER (1, spread, "spread_b", "A"),
  NUMBER (2, spread, "spread_c", "A"),
  NUMBER (3, spread, "spread_alpha", "rad"),
  NUMBER (4, spread, "spread_beta", "rad"),
  NUMBER (5, spread, "spread_gamma", "rad"),
  COLUMN (FlCellRow, type, U8, ""),
  COLUMN (FlCellRow, centring, U8, ""),
  COLUMN (FlCellRow, space_group, U16, ""),
  COLUMN (FlCellRow, members, U32, ""),
  COLUMN (FlCellRow, shots, U32, ""),
  COLUMN (FlCellRow, confidence, F32, ""),
};

#define MERGED(i, name, unit)                                                                                \
  {                                                                                                          \
    name, FL_COLUMN_F32, unit, offsetof (FlMergeRow, cell[i])                                                \
  }
#define SADD(i, name)                                                                                        \
  {                                                                                                          \
    name, FL_COLUMN_F32, "", offsetof (FlMergeRow, sadd[i])                                                  \
  }
static const FlColumn merge_columns[] = {
  COLUMN (FlMergeRow, time, U64, "ns"),
  COLUMN (FlMergeRow, lattices, U64, ""),
  COLUMN (FlMergeRow, used, U64, ""),
  COLUMN (FlMergeRow, observations, U64, ""),
  COLUMN (FlMergeRow, unique, U32, ""),
  COLUMN (FlMergeRow, possible, U32, ""),
  COLUMN (FlMergeRow, reindexed, U32, ""),
  COLUMN (FlMergeRow, ambiguity, TEXT, ""),
  COLUMN (FlMergeRow, space_group, U16, ""),
  COLUMN (FlMergeRow, anomalous, U8, ""),
  MERGED (0, "a", "A"),
  MERGED (1, "b", "A"),
  MERGED (2, "c", "A"),
  MERGED (3, "alpha", "rad"),
  MERGED (4, "beta", "rad"),
  MERGED (5, "gamma", "rad"),
  COLUMN (FlMergeRow, energy, F32, "eV"),
  COLUMN (FlMergeRow, d_max, F32, "A"),
  COLUMN (FlMergeRow, d_min, F32, "A"),
  COLUMN (FlMergeRow, wilson_b, F32, "A2"),
  COLUMN (FlMergeRow, wilson_scale, F32, ""),
  COLUMN (FlMergeRow, l_abs, F32, ""),
  COLUMN (FlMergeRow, l_square, F32, ""),
  COLUMN (FlMergeRow, error_model, TEXT, ""),
  COLUMN (FlMergeRow, sfac, F32, ""),
  SADD (0, "sadd_0"),
  SADD (1, "sadd_1"),
  SADD (2, "sadd_2"),
  COLUMN (FlMergeRow, sb, F32, ""),
  COLUMN (FlMergeRow, completeness, F32, ""),
  COLUMN (FlMergeRow, multiplicity, F32, ""),
  COLUMN (FlMergeRow, i_sigma, F32, ""),
  COLUMN (FlMergeRow, cc_half, F32, ""),
  COLUMN (FlMergeRow, cc_star, F32, ""),
  COLUMN (FlMergeRow, r_split, F32, ""),
  COLUMN (FlMergeRow, cc_iso, F32, ""),
  COLUMN (FlMergeRow, cc_ano, F32, ""),
  COLUMN (FlMergeRow, reference, TEXT, ""),
  COLUMN (FlMergeRow, lattice_sum, TEXT, ""),
  COLUMN (FlMergeRow, parent_sum, TEXT, ""),
  COLUMN (FlMergeRow, cycles, U32, ""),
  COLUMN (FlMergeRow, seconds, F32, "s"),
};

static const FlColumn shell_columns[] = {
  COLUMN (FlShellRow, number, U16, ""),
  COLUMN (FlShellRow, d_max, F32, "A"),
  COLUMN (FlShellRow, d_min, F32, "A"),
  COLUMN (FlShellRow, possible, U32, ""),
  COLUMN (FlShellRow, unique, U32, ""),
  COLUMN (FlShellRow, pairs, U32, ""),
  COLUMN (FlShellRow, observations, U64, ""),
  COLUMN (FlShellRow, lattices, U32, ""),
  COLUMN (FlShellRow, completeness, F32, ""),
  COLUMN (FlShellRow, multiplicity, F32, ""),
  COLUMN (FlShellRow, intensity, F32, ""),
  COLUMN (FlShellRow, i_sigma, F32, ""),
  COLUMN (FlShellRow, cc_half, F32, ""),
  COLUMN (FlShellRow, cc_star, F32, ""),
  COLUMN (FlShellRow, r_split, F32, ""),
  COLUMN (FlShellRow, cc_iso, F32, ""),
  COLUMN (FlShellRow, r_iso, F32, ""),
  COLUMN (FlShellRow, cc_ano, F32, ""),
  COLUMN (FlShellRow, completeness_ano, F32, ""),
  COLUMN (FlShellRow, twin, F32, ""),
  COLUMN (FlShellRow, wilson, F32, ""),
};

static const FlColumn rejection_columns[] = {
  COLUMN (FlRejectionRow, reason, TEXT, ""),
  COLUMN (FlRejectionRow, lattices, U64, ""),
  COLUMN (FlRejectionRow, observations, U64, ""),
};

static const FlColumn trend_columns[] = {
  COLUMN (FlTrendRow, lattices, U64, ""),     COLUMN (FlTrendRow, number, U16, ""),
  COLUMN (FlTrendRow, d_max, F32, "A"),       COLUMN (FlTrendRow, d_min, F32, "A"),
  COLUMN (FlTrendRow, possible, U32, ""),     COLUMN (FlTrendRow, pairs, U32, ""),
  COLUMN (FlTrendRow, completeness, F32, ""), COLUMN (FlTrendRow, multiplicity, F32, ""),
  COLUMN (FlTrendRow, i_sigma, F32, ""),      COLUMN (FlTrendRow, cc_half, F32, ""),
  COLUMN (FlTrendRow, r_split, F32, ""),      COLUMN (FlTrendRow, cc_ano, F32, ""),
};

static const FlColumn panel_columns[] = {
  COLUMN (FlPanelRow, panel, U16, ""),         COLUMN (FlPanelRow, shots, U32, ""),
  COLUMN (FlPanelRow, pixels, U32, "px"),      COLUMN (FlPanelRow, masked, U32, "px"),
  COLUMN (FlPanelRow, mean, F32, "counts/px"), COLUMN (FlPanelRow, sigma, F32, "counts/px"),
  COLUMN (FlPanelRow, noise, F32, "counts"),   COLUMN (FlPanelRow, zeros, F32, ""),
  COLUMN (FlPanelRow, spots, U32, ""),         COLUMN (FlPanelRow, saturated, U32, ""),
  COLUMN (FlPanelRow, pixel_size, F32, "mm"),  COLUMN (FlPanelRow, distance, F32, "mm"),
};

static const FlColumn ring_columns[] = {
  COLUMN (FlRingRow, number, U16, ""),
  COLUMN (FlRingRow, shots, U32, ""),
  COLUMN (FlRingRow, hits, U32, ""),
  COLUMN (FlRingRow, spots, U32, ""),
  COLUMN (FlRingRow, intensity, F32, "counts"),
  COLUMN (FlRingRow, density, F32, "px"),
};

static const FlColumn particle_columns[] = {
  COLUMN (FlParticleRow, shot, U64, ""),      COLUMN (FlParticleRow, class, U8, ""),
  COLUMN (FlParticleRow, photons, U32, ""),   COLUMN (FlParticleRow, background, F32, ""),
  COLUMN (FlParticleRow, diameter, F32, "A"), COLUMN (FlParticleRow, score, F32, ""),
};

static const FlColumn generation_columns[] = {
  COLUMN (FlGenerationRow, number, U32, ""),
  COLUMN (FlGenerationRow, time, U64, "ns"),
  COLUMN (FlGenerationRow, stage, U8, ""),
  COLUMN (FlGenerationRow, patterns, U32, ""),
  COLUMN (FlGenerationRow, held_back, U32, ""),
  COLUMN (FlGenerationRow, orientations, U32, ""),
  COLUMN (FlGenerationRow, conformations, U32, ""),
  COLUMN (FlGenerationRow, resolution, F32, "A"),
  COLUMN (FlGenerationRow, beta, F32, ""),
  COLUMN (FlGenerationRow, likelihood, F64, ""),
  COLUMN (FlGenerationRow, held, F64, ""),
  COLUMN (FlGenerationRow, information, F32, "nat"),
  COLUMN (FlGenerationRow, change, F32, "rad"),
  COLUMN (FlGenerationRow, half_resolution, F32, "A"),
  COLUMN (FlGenerationRow, half_low, F32, "A"),
  COLUMN (FlGenerationRow, half_high, F32, "A"),
  COLUMN (FlGenerationRow, prtf_resolution, F32, "A"),
  { "t_slice", FL_COLUMN_F32, "s", offsetof (FlGenerationRow, seconds[0]) },
  { "t_match", FL_COLUMN_F32, "s", offsetof (FlGenerationRow, seconds[1]) },
  { "t_merge", FL_COLUMN_F32, "s", offsetof (FlGenerationRow, seconds[2]) },
  { "t_phase", FL_COLUMN_F32, "s", offsetof (FlGenerationRow, seconds[3]) },
  { "t_other", FL_COLUMN_F32, "s", offsetof (FlGenerationRow, seconds[4]) },
};

static const FlColumn curve_columns[] = {
  COLUMN (FlCurveRow, generation, U32, ""), COLUMN (FlCurveRow, conformation, U16, ""),
  COLUMN (FlCurveRow, curve, U8, ""),       COLUMN (FlCurveRow, s, F32, "1/A"),
  COLUMN (FlCurveRow, value, F32, ""),
};

static const FlColumn coverage_columns[] = {
  COLUMN (FlCoverageRow, generation, U32, ""), COLUMN (FlCoverageRow, x, F32, ""),
  COLUMN (FlCoverageRow, y, F32, ""),          COLUMN (FlCoverageRow, z, F32, ""),
  COLUMN (FlCoverageRow, weight, F32, ""),
};

static const FlColumn occupancy_columns[] = {
  COLUMN (FlOccupancyRow, generation, U32, ""), COLUMN (FlOccupancyRow, conformation, U16, ""),
  COLUMN (FlOccupancyRow, share, F32, ""),      COLUMN (FlOccupancyRow, resolution, F32, "A"),
  COLUMN (FlOccupancyRow, volume, U8, ""),
};

static const FlColumn device_columns[] = {
  COLUMN (FlDeviceRow, start, U64, "ns"),     COLUMN (FlDeviceRow, duration, U64, "us"),
  COLUMN (FlDeviceRow, device, TEXT, ""),     COLUMN (FlDeviceRow, kernel, TEXT, ""),
  COLUMN (FlDeviceRow, launches, U32, ""),    COLUMN (FlDeviceRow, busy, U64, "us"),
  COLUMN (FlDeviceRow, shots, U32, ""),       COLUMN (FlDeviceRow, uploaded, U64, "B"),
  COLUMN (FlDeviceRow, downloaded, U64, "B"), COLUMN (FlDeviceRow, used, U64, "B"),
  COLUMN (FlDeviceRow, left, U64, "B"),       COLUMN (FlDeviceRow, total, U64, "B"),
};

#define SCHEMA(kind, name, row, columns)                                                                     \
  {                                                                                                          \
    kind, name, sizeof (row), G_N_ELEMENTS (columns), columns                                                \
  }
static const FlSchema schemas[] = {
  SCHEMA (FL_KIND_SHOT, "shot", FlShotRow, shot_columns),
  SCHEMA (FL_KIND_SPOT, "spot", FlSpotRow, spot_columns),
  SCHEMA (FL_KIND_SOURCE, "source", FlSourceRow, source_columns),
  SCHEMA (FL_KIND_RANK, "rank", FlRankRow, rank_columns),
  SCHEMA (FL_KIND_LATTICE, "lattice", FlLatticeRow, lattice_columns),
  SCHEMA (FL_KIND_REFLECTION, "reflection", FlReflectionRow, reflection_columns),
  SCHEMA (FL_KIND_CELL, "cell", FlCellRow, cell_columns),
  SCHEMA (FL_KIND_MERGE, "merge", FlMergeRow, merge_columns),
  SCHEMA (FL_KIND_SHELL, "shell", FlShellRow, shell_columns),
  SCHEMA (FL_KIND_REJECTION, "rejection", FlRejectionRow, rejection_columns),
  SCHEMA (FL_KIND_TREND, "trend", FlTrendRow, trend_columns),
  SCHEMA (FL_KIND_PANEL, "panel", FlPanelRow, panel_columns),
  SCHEMA (FL_KIND_RING, "ring", FlRingRow, ring_columns),
  SCHEMA (FL_KIND_PARTICLE, "particle", FlParticleRow, particle_columns),
  SCHEMA (FL_KIND_GENERATION, "generation", FlGenerationRow, generation_columns),
  SCHEMA (FL_KIND_CURVE, "curve", FlCurveRow, curve_columns),
  SCHEMA (FL_KIND_COVERAGE, "coverage", FlCoverageRow, coverage_columns),
  SCHEMA (FL_KIND_OCCUPANCY, "occupancy", FlOccupancyRow, occupancy_columns),
  SCHEMA (FL_KIND_DEVICE, "device", FlDeviceRow, device_columns),
};

static const char *const type_names[] = { "u8", "u16", "u32", "u64", "f32", "f64", "text", "i16" };
const gsize fl_column_sizes[] = { 1, 2, 4, 8, 4, 8, sizeof (char *), 2 };

const char *
fl_outcome_name (FlOutcome outcome)
{
  static const char *const names[] = { "miss", "indexed", "hit", "failed", "set aside" };
  return outcome < FL_OUTCOME_LAST ? names[outcome] : "unknown";
}

const char *
fl_stage_name (FlStage stage)
{
  static const char *const names[] = { "idle", "read", "find spots", "index", "refine", "integrate" };
  return stage < FL_STAGE_LAST ? names[stage] : "unknown";
}

const FlSchema *
fl_schema (FlKind kind)
{
  for (guint i = 0; i < G_N_ELEMENTS (schemas); i++)
    if (schemas[i].kind == kind)
      return &schemas[i];
  return NULL;
}

char *
fl_schema_describe (void)
{
  GString *text = g_string_new ("Firstlight journal 1: kind.column type unit\n");
  for (guint i = 0; i < G_N_ELEMENTS (schemas); i++)
    for (guint c = 0; c < schemas[i].n_columns; c++)
      {
        const FlColumn *column = &schemas[i].columns[c];
        g_string_append_printf (text, "%s.%s %s %s\n", schemas[i].name, column->name,
                                type_names[column->type], column->unit);
      }
  return g_string_free (text, FALSE);
}

FlBatch *
fl_batch_new (FlKind kind)
{
  const FlSchema *schema = fl_schema (kind);
  g_return_val_if_fail (schema != NULL, NULL);
  FlBatch *batch = g_new0 (FlBatch, 1);
  batch->schema = schema;
  batch->columns = g_new0 (GArray *, schema->n_columns);
  for (guint c = 0; c < schema->n_columns; c++)
    batch->columns[c] = g_array_new (FALSE, TRUE, (guint) fl_column_sizes[schema->columns[c].type]);
  batch->texts = g_string_chunk_new (256);
  return batch;
}

void
fl_batch_free (FlBatch *batch)
{
  if (batch == NULL)
    return;
  for (guint c = 0; c < batch->schema->n_columns; c++)
    g_array_unref (batch->columns[c]);
  g_free (batch->columns);
  g_string_chunk_free (batch->texts);
  g_free (batch);
}

FlKind
fl_batch_kind (const FlBatch *batch)
{
  return batch->schema->kind;
}

guint
fl_batch_rows (const FlBatch *batch)
{
  return batch->rows;
}

void
fl_batch_append (FlBatch *batch, const void *row)
{
  for (guint c = 0; c < batch->schema->n_columns; c++)
    {
      const FlColumn *column = &batch->schema->columns[c];
      const char *field = (const char *) row + column->offset;
      const char *text;
      if (column->type == FL_COLUMN_TEXT)
        {
          memcpy (&text, field, sizeof text);
          text = g_string_chunk_insert_const (batch->texts, text != NULL ? text : "");
          g_array_append_vals (batch->columns[c], &text, 1);
        }
      else
        g_array_append_vals (batch->columns[c], field, 1);
    }
  batch->rows++;
}

void
fl_batch_row (const FlBatch *batch, guint index, void *row)
{
  g_return_if_fail (index < batch->rows);
  memset (row, 0, batch->schema->row_size);
  for (guint c = 0; c < batch->schema->n_columns; c++)
    {
      const FlColumn *column = &batch->schema->columns[c];
      gsize size = fl_column_sizes[column->type];
      memcpy ((char *) row + column->offset, batch->columns[c]->data + index * size, size);
    }
}

const void *
fl_batch_column (const FlBatch *batch, const char *name)
{
  for (guint c = 0; c < batch->schema->n_columns; c++)
    if (strcmp (batch->schema->columns[c].name, name) == 0)
      return batch->columns[c]->data;
  return NULL;
}

void
fl_batch_clear (FlBatch *batch)
{
  for (guint c = 0; c < batch->schema->n_columns; c++)
    g_array_set_size (batch->columns[c], 0);
  g_string_chunk_clear (batch->texts);
  batch->rows = 0;
}

void
fl_batch_append_all (FlBatch *batch, const FlBatch *from)
{
  g_return_if_fail (batch->schema == from->schema);
  for (guint c = 0; c < batch->schema->n_columns; c++)
    {
      if (batch->schema->columns[c].type != FL_COLUMN_TEXT)
        {
          g_array_append_vals (batch->columns[c], from->columns[c]->data, from->rows);
          continue;
        }
      for (guint i = 0; i < from->rows; i++)
        {
          const char *text = g_array_index (from->columns[c], const char *, i);
          text = g_string_chunk_insert_const (batch->texts, text);
          g_array_append_vals (batch->columns[c], &text, 1);
        }
    }
  batch->rows += from->rows;
}
