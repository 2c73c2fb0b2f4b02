/* The files of a map. None says when it was made: they can be compared. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include <glib/gstdio.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/crystal/asu.h"
#include "engine/crystal/mtz.h"
#include "engine/crystal/space-group.h"
#include "engine/programs/json-text.h"
#include "engine/programs/map-job.h"

/* --- maps --- */

/* The box that holds the model and a margin, in points. */
static void
box_of_model (const FlMapJob *job, const FlMap *map, double margin, int start[3], int n[3])
{
  FlMat3 basis = fl_cell_basis (&map->cell), inverse = fl_mat3_inverse (&basis);
  FlMat3 to_fractional = fl_mat3_transpose (&inverse), star = fl_cell_reciprocal (&map->cell);
  double low[3] = { INFINITY, INFINITY, INFINITY }, high[3] = { -INFINITY, -INFINITY, -INFINITY };
  for (guint a = 0; a < job->model->n_atoms; a++)
    {
      FlVec3 x = fl_mat3_apply (&to_fractional, job->model->atoms[a].position);
      const double v[3] = { x.x, x.y, x.z };
      for (int i = 0; i < 3; i++)
        {
          low[i] = MIN (low[i], v[i]);
          high[i] = MAX (high[i], v[i]);
        }
    }
  for (int i = 0; i < 3; i++)
    {
      double reach = margin * fl_vec3_norm (fl_vec3 (star.m[i][0], star.m[i][1], star.m[i][2]));
      start[i] = (int) floor ((low[i] - reach) * map->sampling[i]);
      n[i] = (int) ceil ((high[i] + reach) * map->sampling[i]) - start[i] + 1;
    }
}

static gboolean
write_map (const FlMapJob *job, const FlMap *map, const char *name, const char *title, GError **error)
{
  g_autofree char *path = g_build_filename (job->out, name, NULL);
  g_autofree char *label = g_strdup_printf ("%s, e/A^3, firstlight-engine map " FL_VERSION, title);
  if (fl_params_choice (job->params, "map.extent") == 0 || job->model == NULL)
    return fl_map_write (path, map, label, error);
  int start[3], n[3];
  box_of_model (job, map, fl_params_real (job->params, "map.margin"), start, n);
  g_autoptr (FlMap) brick = fl_map_cut (map, start, n);
  brick->mean = map->mean; /* levels in sigmas are the crystal's */
  brick->sigma = map->sigma;
  return fl_map_write (path, brick, label, error);
}

/* --- MTZ --- */

enum
{
  FP = 3,
  SIGFP,
  FREE,
  FC,
  PHIC,
  FOM,
  FWT,
  PHWT,
  DELFWT,
  PHDELWT,
  FDIFF,
  PHDIFF,
  WDIFF
};

static const struct
{
  const char *label;
  char type;
} columns[] = { { "FP", 'F' },     { "SIGFP", 'Q' },   { "FreeR_flag", 'I' }, { "FC", 'F' },
                { "PHIC", 'P' },   { "FOM", 'W' },     { "FWT", 'F' },        { "PHWT", 'P' },
                { "DELFWT", 'F' }, { "PHDELWT", 'P' }, { "FDIFF", 'F' },      { "PHDIFF", 'P' },
                { "WDIFF", 'W' } };

static void
put_complex (float *row, guint column, double complex f)
{
  row[column] = (float) cabs (f);
  row[column + 1] = (float) fl_degrees (carg (f));
}

/* A row in CCP4's asymmetric unit, the phases carried there. */
static void
fill_row (const FlMapJob *job, const FlAsu *asu, guint i, float *row)
{
  const FlReflection *r = &job->reflections->all[i];
  gboolean measured = isfinite (r->f);
  FlMiller m = asu->laue >= 0 ? fl_asu_map (asu, job->symmetry, r->hkl, NULL) : r->hkl;
  row[0] = (float) m.h;
  row[1] = (float) m.k;
  row[2] = (float) m.l;
  row[FP] = (float) r->f;
  row[SIGFP] = (float) r->sigma;
  row[FREE] = r->flag;
  row[FOM] = (float) job->coefficients->merit[i];
  if (job->f_model[i] != 0)
    put_complex (row, FC, fl_reflections_carry (job->symmetry, r->hkl, m, job->f_model[i]));
  if (measured || job->coefficients->best[i] != 0)
    put_complex (row, FWT, fl_reflections_carry (job->symmetry, r->hkl, m, job->coefficients->best[i]));
  if (measured)
    put_complex (row, DELFWT,
                 fl_reflections_carry (job->symmetry, r->hkl, m, job->coefficients->difference[i]));
  if (job->difference == NULL || !isfinite (job->difference->weight[i]))
    return;
  put_complex (row, FDIFF, fl_reflections_carry (job->symmetry, r->hkl, m, job->difference->coefficients[i]));
  row[WDIFF] = (float) job->difference->weight[i];
}

static gboolean
write_mtz (const FlMapJob *job, GError **error)
{
  g_autofree char *path = g_build_filename (job->out, "map.mtz", NULL);
  g_autoptr (FlMtz) mtz = fl_mtz_new (&job->cell, job->symmetry, job->data->wavelength, job->reflections->n);
  FlAsu asu = fl_asu_new (job->symmetry);
  for (guint c = 0; c < G_N_ELEMENTS (columns) - (job->difference != NULL ? 0 : 3); c++)
    fl_mtz_add_column (mtz, columns[c].label, columns[c].type);
  for (guint i = 0; i < job->reflections->n; i++)
    fill_row (job, &asu, i, mtz->data + (gsize) i * mtz->n_columns);
  return fl_mtz_write (path, mtz, error);
}

/* --- JSON --- */

static void
append_reals (GString *out, const char *name, const double *values, guint n)
{
  g_string_append_printf (out, "\"%s\": [", name);
  for (guint i = 0; i < n; i++)
    {
      g_string_append (out, i > 0 ? ", " : "");
      fl_json_real (out, values[i], 6);
    }
  g_string_append_c (out, ']');
}

typedef struct
{
  const char *name;
  double value;
} Named;

static void
append_named (GString *out, const Named *values, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      g_string_append_printf (out, "%s\"%s\": ", i > 0 ? ", " : "", values[i].name);
      fl_json_real (out, values[i].value, 6);
    }
}
#define APPEND_NAMED(out, ...)                                                                               \
  append_named (out, (const Named[]){ __VA_ARGS__ }, G_N_ELEMENTS (((const Named[]){ __VA_ARGS__ })))

static const char *
symbol_of (const FlSymmetry *symmetry, FlSpaceGroup *group)
{
  *group = (FlSpaceGroup){ .symbol = "" };
  if (symmetry != NULL && symmetry->hall != 0)
    fl_space_group_get (symmetry->hall, group);
  return group->symbol;
}

static void
append_data (GString *out, const char *name, const char *path, const FlObservations *data,
             const FlReflections *reflections, const FlMapSetting *setting)
{
  g_autofree char *base = g_path_get_basename (path);
  g_string_append_printf (out, ",\n  \"%s\": {\"file\": ", name);
  fl_json_text (out, base);
  FlSpaceGroup group;
  g_string_append (out, ", \"columns\": ");
  fl_json_text (out, data->columns);
  g_string_append_printf (out, ", \"space_group\": \"%s\"", symbol_of (data->symmetry, &group));
  g_string_append_printf (out,
                          ", \"measured\": %u, \"free\": %u, \"left_out_too_negative\": %u, \"setting\": ",
                          reflections->n_measured, reflections->n_free, reflections->n_rejected);
  fl_json_text (out, setting->words);
  g_string_append_printf (out, ", \"other_settings\": %u, ", setting->tried);
  APPEND_NAMED (out, { "agreement", setting->agreement }, { "agreement_as_it_is", setting->as_it_is });
  g_string_append_c (out, '}');
}

static void
append_crystal (GString *out, const FlMapJob *job)
{
  const FlCell *c = &job->cell;
  FlSpaceGroup group; /* the model's: of enantiomorphs, which data cannot tell apart, it knows which */
  const double cell[6] = {
    c->a, c->b, c->c, fl_degrees (c->alpha), fl_degrees (c->beta), fl_degrees (c->gamma)
  };
  g_string_append_printf (out, ",\n  \"space_group\": \"%s\", ", symbol_of (job->symmetry, &group));
  append_reals (out, "cell", cell, 6);
  g_string_append_printf (out, ",\n  \"reflections\": %u, ", job->reflections->n);
  APPEND_NAMED (out, { "d_min", job->d_min }, { "d_max", job->d_max },
                { "completeness", (double) job->reflections->n_measured / MAX (job->reflections->n, 1) });
}

static void
append_model (GString *out, const FlMapJob *job)
{
  g_autofree char *base = g_path_get_basename (job->model_path);
  const FlModelScale *s = &job->scale;
  g_string_append (out, ",\n  \"model\": {\"file\": ");
  fl_json_text (out, base);
  g_string_append_printf (out, ", \"atoms\": %u}", job->model != NULL ? job->model->n_atoms : 0);
  g_string_append (out, ",\n  \"scale\": {");
  APPEND_NAMED (out, { "r_work", s->r_work }, { "r_free", s->r_free }, { "r_work_unmoved", job->r_unmoved },
                { "k", exp (s->ln_k) }, { "k_sol", s->k_sol }, { "b_sol", s->b_sol },
                { "b_mean", (s->b[0] + s->b[1] + s->b[2]) / 3 });
  g_string_append (out, ", ");
  append_reals (out, "b_tensor", s->b, 6);
  g_string_append_c (out, '}');
  if (job->rigid.bodies > 0)
    {
      g_string_append_printf (out, ",\n  \"rigid_bodies\": {\"bodies\": %u, \"cycles\": %u, ",
                              job->rigid.bodies, job->rigid.cycles);
      APPEND_NAMED (out, { "most_rotation_degrees", fl_degrees (job->rigid.rotation) },
                    { "most_translation", job->rigid.translation }, { "r_before", job->rigid.r_before },
                    { "r_after", job->rigid.r_after });
      g_string_append_c (out, '}');
    }
  if (job->origin.n > 0)
    {
      g_string_append_printf (out, ",\n  \"origin\": {\"chosen\": %s, \"phases\": %u, ",
                              job->origin_chosen ? "true" : "false", job->origin.n);
      append_reals (out, "shift", job->origin.shift, 3);
      g_string_append (out, ", ");
      APPEND_NAMED (out, { "agreement", job->origin.agreement },
                    { "agreement_without", job->origin.agreement_here });
      g_string_append_c (out, '}');
    }
}

static void
append_sigma_a (GString *out, const FlMapJob *job)
{
  const FlSigmaA *s = &job->sigma_a;
  g_string_append_printf (out, ",\n  \"sigma_a\": {\"from\": \"%s\", \"reflections\": %u, \"shells\": [",
                          s->from_free ? "free" : "all", s->n);
  for (guint i = 0; i < s->shells.n; i++)
    {
      g_string_append (out, i > 0 ? ",\n    {" : "\n    {");
      g_string_append_printf (out, "\"n\": %u, ", s->shells.count[i]);
      APPEND_NAMED (out, { "d", 1 / sqrt (s->shells.centre[i]) }, { "sigma_a", s->sigma_a[i] },
                    { "D", s->sigma_a[i] * exp ((s->ln_fo2[i] - s->ln_fc2[i]) / 2) });
      g_string_append_c (out, '}');
    }
  g_string_append_printf (out, "\n  ]},\n  \"filled\": %u", job->coefficients->n_filled);
}

static void
append_peaks (GString *out, const FlMapJob *job, const GArray *peaks)
{
  g_string_append (out, ",\n    \"peaks\": [");
  for (guint i = 0; i < peaks->len; i++)
    {
      const FlPeak *p = &g_array_index (peaks, FlPeak, i);
      const double xyz[3] = { p->position.x, p->position.y, p->position.z };
      g_string_append (out, i > 0 ? ",\n      {" : "\n      {");
      APPEND_NAMED (out, { "sigmas", p->sigmas }, { "density", p->density });
      g_string_append (out, ", ");
      append_reals (out, "xyz", xyz, 3);
      if (p->atom >= 0)
        {
          g_autofree char *words = fl_atom_label_words (&job->model->atoms[p->atom].label);
          g_string_append (out, ", \"atom\": ");
          fl_json_text (out, words);
          g_string_append (out, ", ");
          APPEND_NAMED (out, { "distance", p->distance });
        }
      g_string_append_c (out, '}');
    }
  g_string_append (out, "\n    ]");
}

/* The mean height at the model's atoms, in sigmas: 2 and more where model and data belong together. */
static double
height_at_atoms (const FlMapJob *job, const FlMap *map)
{
  FlMat3 basis = fl_cell_basis (&map->cell), inverse = fl_mat3_inverse (&basis);
  FlMat3 to_fractional = fl_mat3_transpose (&inverse);
  double sum = 0;
  if (job->model == NULL || !(map->sigma > 0))
    return NAN;
  for (guint a = 0; a < job->model->n_atoms; a++)
    {
      FlVec3 x = fl_mat3_apply (&to_fractional, job->model->atoms[a].position);
      sum += fl_map_value (map, (const double[]){ x.x, x.y, x.z }) - map->mean;
    }
  return sum / job->model->n_atoms / map->sigma;
}

static void
append_map (GString *out, const FlMapJob *job, const char *name, const FlMap *map, const GArray *peaks)
{
  g_string_append_printf (out, ",\n  \"%s\": {\"file\": \"%s.ccp4\", \"grid\": [%d, %d, %d], ", name, name,
                          map->sampling[0], map->sampling[1], map->sampling[2]);
  APPEND_NAMED (out, { "mean", map->mean }, { "sigma", map->sigma }, { "min", map->min }, { "max", map->max },
                { "skewness", map->skewness }, { "sigmas_at_atoms", height_at_atoms (job, map) });
  if (peaks != NULL)
    append_peaks (out, job, peaks);
  g_string_append_c (out, '}');
}

static void
append_difference (GString *out, const FlMapJob *job)
{
  g_string_append_printf (out, ",\n  \"difference\": {\"pairs\": %u, ", job->difference->n);
  APPEND_NAMED (out, { "r_iso", job->difference->r_iso }, { "mean_weight", job->difference->mean_weight },
                { "k", exp (job->other_scale.ln_k) },
                { "b_mean", (job->other_scale.b[0] + job->other_scale.b[1] + job->other_scale.b[2]) / 3 });
  g_string_append_c (out, '}');
}

static gboolean
write_json (const FlMapJob *job, GError **error)
{
  g_autofree char *path = g_build_filename (job->out, "map.json", NULL);
  g_autoptr (GString) out = g_string_new ("{\n  \"program\": \"firstlight-engine map " FL_VERSION "\"");
  fl_json_parameters (out, job->params, "map.");
  append_crystal (out, job);
  append_data (out, "data", job->data_path, job->data, job->reflections, &job->setting);
  if (job->other != NULL)
    append_data (out, "minus", job->minus_path, job->minus, job->other, &job->other_setting);
  append_model (out, job);
  append_sigma_a (out, job);
  append_map (out, job, "2mfo-dfc", job->best, NULL);
  append_map (out, job, "mfo-dfc", job->residual, job->peaks);
  if (job->change != NULL)
    {
      append_difference (out, job);
      append_map (out, job, "fo-fo", job->change, job->change_peaks);
    }
  g_string_append (out, "\n}\n");
  return g_file_set_contents (path, out->str, (gssize) out->len, error);
}

/* --- the model where the maps have it --- */

/* A value of mmCIF; labels are printable ASCII without blanks. */
static void
append_cif (GString *out, const char *text)
{
  char quote = strchr (text, '\'') != NULL ? '"' : '\'';
  if (*text == '\0')
    g_string_append (out, " .");
  else
    g_string_append_printf (out, " %c%s%c", quote, text, quote);
}

static void
append_atom (GString *out, guint serial, const FlAtom *atom)
{
  const FlAtomLabel *l = &atom->label;
  const FlVec3 x = atom->position;
  char reals[5][G_ASCII_DTOSTR_BUF_SIZE];
  const double values[5] = { x.x, x.y, x.z, atom->occupancy, atom->b };
  for (int i = 0; i < 5; i++)
    g_ascii_formatd (reals[i], sizeof reals[i], i < 3 ? "%.3f" : "%.2f", values[i]);
  g_string_append_printf (out, "ATOM %u %s", serial, atom->factor->symbol);
  append_cif (out, l->name);
  append_cif (out, (char[]){ l->alternative, '\0' });
  append_cif (out, l->residue);
  append_cif (out, l->chain);
  append_cif (out, l->chain);
  g_string_append_printf (out, " %d", l->number);
  append_cif (out, (char[]){ l->insertion, '\0' });
  for (int i = 0; i < 5; i++)
    g_string_append_printf (out, " %s", reals[i]);
  g_string_append (out, " 1\n");
}

/* The maps' origin and the place of the bodies are the data's, which the file that was given does not know. */
static gboolean
write_model (const FlMapJob *job, GError **error)
{
  static const char *const names[6] = { "length_a",    "length_b",   "length_c",
                                        "angle_alpha", "angle_beta", "angle_gamma" };
  const FlCell *c = &job->cell;
  const double cell[6] = {
    c->a, c->b, c->c, fl_degrees (c->alpha), fl_degrees (c->beta), fl_degrees (c->gamma)
  };
  FlSpaceGroup group;
  char real[G_ASCII_DTOSTR_BUF_SIZE];
  g_autofree char *path = g_build_filename (job->out, "model.cif", NULL);
  g_autoptr (GString) out = g_string_new ("data_model\n");
  for (int i = 0; i < 6; i++)
    g_string_append_printf (out, "_cell.%s %s\n", names[i],
                            g_ascii_formatd (real, sizeof real, "%.4f", cell[i]));
  g_string_append_printf (out, "_symmetry.space_group_name_H-M '%s'\n", symbol_of (job->symmetry, &group));
  g_string_append (out, "loop_\n_atom_site.group_PDB\n_atom_site.id\n_atom_site.type_symbol\n"
                        "_atom_site.label_atom_id\n_atom_site.label_alt_id\n_atom_site.label_comp_id\n"
                        "_atom_site.label_asym_id\n_atom_site.auth_asym_id\n_atom_site.auth_seq_id\n_atom_"
                        "site.pdbx_PDB_ins_code\n"
                        "_atom_site.Cartn_x\n_atom_site.Cartn_y\n_atom_site.Cartn_z\n"
                        "_atom_site.occupancy\n_atom_site.B_iso_or_equiv\n_atom_site.pdbx_PDB_model_num\n");
  for (guint a = 0; a < job->model->n_atoms; a++)
    append_atom (out, a + 1, &job->model->atoms[a]);
  return g_file_set_contents (path, out->str, (gssize) out->len, error);
}

gboolean
fl_map_job_write (const FlMapJob *job, GError **error)
{
  if (g_mkdir_with_parents (job->out, 0777) != 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: cannot be made: %s", job->out, g_strerror (errno));
      return FALSE;
    }
  return write_map (job, job->best, "2mfo-dfc.ccp4", "2mFo-DFc", error)
         && write_map (job, job->residual, "mfo-dfc.ccp4", "mFo-DFc", error)
         && (job->change == NULL || write_map (job, job->change, "fo-fo.ccp4", "Fo-Fo", error))
         && (job->model == NULL || write_model (job, error)) && write_mtz (job, error)
         && write_json (job, error);
}
