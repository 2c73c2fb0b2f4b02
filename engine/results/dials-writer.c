#include <errno.h>
#include <glib/gstdio.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/crystal/lattice.h"
#include "engine/crystal/space-group.h"
#include "engine/results/dials-flags.h"
#include "engine/results/dials.h"
#include "engine/results/refl-table.h"
#include "engine/results/table.h"

struct FlDialsWriter
{
  char *path, *refl_path;
  GArray *panels;
  GString *experiments, *imagesets, *beams, *crystals; /* JSON, items with commas between */
  guint n_experiments, n_imagesets, n_beams;
  double energy; /* of the last beam */
  char hall[231][20];
  FlReflTable *table;
};

char *
fl_dials_refl_path (const char *expt)
{
  gsize n = strlen (expt) - (g_str_has_suffix (expt, ".expt") ? 5 : 0);
  return g_strdup_printf ("%.*s.refl", (int) n, expt);
}

FlDialsWriter *
fl_dials_writer_open (const char *path, GArray *panels, GError **error)
{
  if (panels->len == 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: no panels, expected a detector", path);
      return NULL;
    }
  FlDialsWriter *self = g_new0 (FlDialsWriter, 1);
  self->path = g_strdup (path);
  self->refl_path = fl_dials_refl_path (path);
  self->panels = g_array_ref (panels);
  self->experiments = g_string_new (NULL);
  self->imagesets = g_string_new (NULL);
  self->beams = g_string_new (NULL);
  self->crystals = g_string_new (NULL);
  self->table = fl_refl_table_new ();
  return self;
}

/* Adds a JSON string. */
static void
put_text (GString *out, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  json_t *string = json_string (valid);
  char *dump = json_dumps (string, JSON_ENCODE_ANY);
  g_string_append (out, dump);
  free (dump);
  json_decref (string);
}

/* A vector of ours, in dxtbx' laboratory. */
static void
put_vector (GString *out, const char *name, FlVec3 v)
{
  g_string_append_printf (out, "\"%s\": [%.17g, %.17g, %.17g]", name, -v.x + 0.0, v.y + 0.0, -v.z + 0.0);
}

/* The Hall symbol: of the group's standard setting, or of the lattice's centring alone. */
static const char *
hall_symbol (FlDialsWriter *writer, const FlLatticeRow *lattice)
{
  guint number = lattice->space_group <= 230 ? lattice->space_group : 0;
  char *hall = writer->hall[number];
  if (number == 0)
    {
      char centring = lattice->centring != 0 ? (char) lattice->centring : 'P';
      g_snprintf (hall, sizeof writer->hall[0], "%c %c", centring, centring == 'R' ? '3' : '1');
    }
  else if (*hall == '\0')
    {
      FlSpaceGroup group;
      g_autofree char *name = g_strdup_printf ("%u", number);
      guint setting = fl_space_group_find (name, NULL);
      fl_space_group_get (setting > 0 ? setting : 1, &group);
      g_strlcpy (hall, group.hall_symbol, sizeof writer->hall[0]);
    }
  return hall;
}

static void
put_crystal (FlDialsWriter *writer, const FlLatticeRow *lattice)
{
  static const char *const names[] = { "real_space_a", "real_space_b", "real_space_c" };
  GString *out = writer->crystals;
  FlMat3 star;
  for (int i = 0; i < 9; i++)
    star.m[i / 3][i % 3] = (double) lattice->a_star[i];
  FlMat3 real = fl_lattice_real (&star);
  g_string_append (out, out->len > 0 ? ",\n{\"__id__\": \"crystal\"" : "{\"__id__\": \"crystal\"");
  for (int i = 0; i < 3; i++)
    {
      g_string_append (out, ", ");
      put_vector (out, names[i], fl_vec3 (real.m[i][0], real.m[i][1], real.m[i][2]));
    }
  g_string_append (out, ", \"space_group_hall_symbol\": ");
  put_text (out, hall_symbol (writer, lattice));
  if (lattice->domain_size > 0)
    g_string_append_printf (out, ", \"ML_half_mosaicity_deg\": %.9g, \"ML_domain_size_ang\": %.9g",
                            fl_degrees ((double) lattice->mosaicity / 2), (double) lattice->domain_size);
  g_string_append (out, "}");
}

static void
put_beam (FlDialsWriter *writer, double energy)
{
  if (writer->n_beams > 0 && energy == writer->energy)
    return;
  writer->energy = energy;
  g_string_append_printf (writer->beams,
                          "%s{\"direction\": [0.0, 0.0, 1.0], \"wavelength\": %.12g, \"divergence\": 0.0, "
                          "\"sigma_divergence\": 0.0, \"polarization_normal\": [0.0, 1.0, 0.0], "
                          "\"polarization_fraction\": 0.999, \"flux\": 0.0, \"transmission\": 1.0}",
                          writer->n_beams > 0 ? ",\n" : "", fl_wavelength_from_energy (energy));
  writer->n_beams++;
}

static void
put_imageset (FlDialsWriter *writer, const FlPattern *pattern)
{
  GString *out = writer->imagesets;
  g_string_append (out, writer->n_imagesets++ > 0 ? ",\n{\"__id__\": \"ImageSet\", \"images\": ["
                                                  : "{\"__id__\": \"ImageSet\", \"images\": [");
  put_text (out, pattern->file);
  g_string_append (out, "], ");
  if (*pattern->event != '\0' && pattern->frame >= 0)
    g_string_append_printf (out, "\"single_file_indices\": [%" G_GINT64_FORMAT "], ", pattern->frame);
  g_string_append (out, "\"mask\": null, \"gain\": null, \"pedestal\": null, \"dx\": null, \"dy\": null, "
                        "\"params\": {\"dynamic_shadowing\": \"Auto\", \"multi_panel\": false}}");
}

static guint64
dials_flags (const FlReflectionRow *r)
{
  guint64 flags = FL_DIALS_PREDICTED | FL_DIALS_INTEGRATED_SUM;
  if ((r->flags & FL_REFLECTION_STRONG) != 0)
    flags |= FL_DIALS_OBSERVED | FL_DIALS_INDEXED | FL_DIALS_STRONG;
  if ((r->flags & FL_REFLECTION_SATURATED) != 0)
    flags |= FL_DIALS_OVERLOADED;
  if ((r->flags & FL_REFLECTION_OVERLAP) != 0)
    flags |= FL_DIALS_OVERLAPPED;
  return flags;
}

static void
put_vec3 (FlReflTable *table, const char *name, double x, double y, double z)
{
  fl_refl_table_append (table, name, "vec3<double>", (double[]){ x, y, z }, 3 * sizeof (double));
}

static void
put_double (FlReflTable *table, const char *name, double value)
{
  fl_refl_table_append (table, name, "double", &value, sizeof value);
}

static void
put_reflection (FlDialsWriter *writer, const FlPattern *pattern, const FlLatticeRow *lattice,
                const FlReflectionRow *r)
{
  FlReflTable *t = writer->table;
  const FlPanelPlace *panel =
      &g_array_index (writer->panels, FlPanelPlace, MIN (r->panel, writer->panels->len - 1));
  gint32 id = (gint32) writer->n_experiments, imageset = (gint32) writer->n_imagesets - 1;
  gint32 hkl[3] = { r->h, r->k, r->l };
  guint64 number = r->panel, flags = dials_flags (r);
  double fs = (double) r->fs, ss = (double) r->ss, sigma = (double) r->sigma;
  FlVec3 shift = fl_vec3 ((double) lattice->shift[0], (double) lattice->shift[1], (double) lattice->shift[2]);
  FlVec3 at = fl_vec3_add (fl_vec3_add (panel->origin, shift),
                           fl_vec3_add (fl_vec3_scale (panel->fs, fs), fl_vec3_scale (panel->ss, ss)));
  FlVec3 s1 = fl_vec3_scale (fl_vec3_unit (at), 1 / fl_wavelength_from_energy (pattern->energy));
  fl_refl_table_append (t, "id", "int", &id, sizeof id);
  fl_refl_table_append (t, "imageset_id", "int", &imageset, sizeof imageset);
  fl_refl_table_append (t, "panel", "std::size_t", &number, sizeof number);
  fl_refl_table_append (t, "miller_index", "cctbx::miller::index<>", hkl, sizeof hkl);
  fl_refl_table_append (t, "flags", "std::size_t", &flags, sizeof flags);
  put_vec3 (t, "xyzcal.px", fs, ss, 0);
  put_vec3 (t, "xyzcal.mm", fs * fl_vec3_norm (panel->fs), ss * fl_vec3_norm (panel->ss), 0);
  put_vec3 (t, "xyzobs.px.value", fs, ss, 0.5);
  put_vec3 (t, "s1", -s1.x, s1.y, -s1.z);
  put_double (t, "intensity.sum.value", (double) r->intensity);
  put_double (t, "intensity.sum.variance", sigma * sigma);
  put_double (t, "background.mean", (double) r->background);
  put_double (t, "d", (double) r->d);
  put_double (t, "partiality", 1);
}

void
fl_dials_writer_add (FlDialsWriter *writer, const FlPattern *pattern)
{
  if (pattern->lattices->len == 0)
    return;
  put_beam (writer, pattern->energy);
  put_imageset (writer, pattern);
  guint64 shot = fl_shot_id (pattern->file, (guint32) MAX (pattern->frame, 0));
  for (guint i = 0; i < pattern->lattices->len; i++)
    {
      const FlLatticeRow *lattice = &g_array_index (pattern->lattices, FlLatticeRow, i);
      g_autofree char *identifier = g_strdup_printf ("%016" G_GINT64_MODIFIER "x-%u", shot, i);
      guint n;
      const FlReflectionRow *rows = fl_pattern_reflections (pattern, lattice->number, &n);
      put_crystal (writer, lattice);
      fl_refl_table_identify (writer->table, writer->n_experiments, identifier);
      /* σ = 0 tells nothing; programs that weigh by 1/σ² stop at it */
      for (guint k = 0; k < n; k++)
        if (rows[k].sigma > 0)
          put_reflection (writer, pattern, lattice, &rows[k]);
      g_string_append_printf (
          writer->experiments,
          "%s{\"__id__\": \"Experiment\", \"identifier\": \"%s\", \"beam\": %u, \"detector\": 0, "
          "\"crystal\": %u, \"imageset\": %u}",
          writer->n_experiments > 0 ? ",\n" : "", identifier, writer->n_beams - 1, writer->n_experiments,
          writer->n_imagesets - 1);
      writer->n_experiments++;
    }
}

static void
put_panel (GString *out, const FlPanelPlace *p, gboolean more)
{
  double low = isfinite (p->trusted_min) ? p->trusted_min : -0x1p31,
         high = isfinite (p->saturation) ? p->saturation : 0x1p31;
  g_string_append (out, "{\"name\": ");
  put_text (out, p->name);
  g_string_append (out, ", \"type\": \"SENSOR_PAD\", ");
  put_vector (out, "fast_axis", fl_vec3_unit (p->fs));
  g_string_append (out, ", ");
  put_vector (out, "slow_axis", fl_vec3_unit (p->ss));
  g_string_append (out, ", ");
  put_vector (out, "origin", p->origin);
  g_string_append_printf (
      out,
      ", \"raw_image_offset\": [0, 0], \"image_size\": [%u, %u], \"pixel_size\": [%.17g, %.17g], "
      "\"trusted_range\": [%.17g, %.17g], \"thickness\": 0.0, \"material\": \"\", \"mu\": 0.0, "
      "\"identifier\": \"\", \"mask\": [], \"gain\": 1.0, \"pedestal\": 0.0, "
      "\"px_mm_strategy\": {\"type\": \"SimplePxMmStrategy\"}}%s",
      p->n_fs, p->n_ss, fl_vec3_norm (p->fs), fl_vec3_norm (p->ss), low, high, more ? ",\n" : "");
}

static void
put_detector (GString *out, const GArray *panels)
{
  g_string_append (out, "{\"panels\": [");
  for (guint i = 0; i < panels->len; i++)
    put_panel (out, &g_array_index (panels, FlPanelPlace, i), i + 1 < panels->len);
  g_string_append (
      out, "], \"hierarchy\": {\"name\": \"\", \"type\": \"\", \"fast_axis\": [1.0, 0.0, 0.0], "
           "\"slow_axis\": [0.0, 1.0, 0.0], \"origin\": [0.0, 0.0, 0.0], \"raw_image_offset\": [0, 0], "
           "\"image_size\": [0, 0], \"pixel_size\": [0.0, 0.0], \"trusted_range\": [0.0, 0.0], "
           "\"thickness\": 0.0, \"material\": \"\", \"mu\": 0.0, \"identifier\": \"\", \"mask\": [], "
           "\"gain\": 1.0, \"pedestal\": 0.0, \"px_mm_strategy\": {\"type\": \"SimplePxMmStrategy\"}, "
           "\"children\": [");
  for (guint i = 0; i < panels->len; i++)
    g_string_append_printf (out, "%s{\"panel\": %u}", i > 0 ? ", " : "", i);
  g_string_append (out, "]}}");
}

static gboolean
write_models (const FlDialsWriter *writer, GError **error)
{
  g_autoptr (GString) detector = g_string_new (NULL);
  g_autofree char *temporary = fl_seal_begin (writer->path);
  put_detector (detector, writer->panels);
  FILE *file = fopen (temporary, "we");
  gboolean ok = file != NULL
                && fprintf (file,
                            "{\"__id__\": \"ExperimentList\",\n\"experiment\": [%s],\n\"imageset\": [%s],\n"
                            "\"beam\": [%s],\n\"detector\": [%s],\n\"goniometer\": [],\n\"scan\": [],\n"
                            "\"crystal\": [%s],\n\"profile\": [],\n\"scaling_model\": []}\n",
                            writer->experiments->str, writer->imagesets->str, writer->beams->str,
                            detector->str, writer->crystals->str)
                       > 0;
  if (file != NULL)
    ok = fclose (file) == 0 && ok;
  if (ok)
    return fl_seal (temporary, writer->path, error);
  g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: cannot be written: %s", writer->path,
               g_strerror (errno));
  g_unlink (temporary);
  return FALSE;
}

gboolean
fl_dials_writer_close (FlDialsWriter *writer, gboolean keep, GError **error)
{
  gboolean ok =
      keep && fl_refl_table_write (writer->table, writer->refl_path, error) && write_models (writer, error);
  fl_refl_table_free (writer->table);
  g_string_free (writer->experiments, TRUE);
  g_string_free (writer->imagesets, TRUE);
  g_string_free (writer->beams, TRUE);
  g_string_free (writer->crystals, TRUE);
  g_array_unref (writer->panels);
  g_free (writer->refl_path);
  g_free (writer->path);
  g_free (writer);
  return ok;
}
