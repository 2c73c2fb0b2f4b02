#include <jansson.h>
#include <string.h>

#include "engine/base/dials-models.h"
#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/crystal/lattice.h"
#include "engine/crystal/space-group.h"
#include "engine/results/dials-flags.h"
#include "engine/results/dials.h"
#include "engine/results/refl-table.h"

/* Where an experiment's rows go. */
typedef struct
{
  FlPattern *pattern;
  int lattice; /* its number; −1: none */
  json_int_t imageset;
  const char *identifier;
} Experiment;

typedef struct
{
  const char *path;
  json_t *root;
  FlDialsFile *file;
  GArray *experiments;     /* of Experiment */
  GHashTable *by_image;    /* "file\nframe" -> FlPattern */
  GHashTable *by_imageset; /* number -> FlPattern; NULL: of several shots */
  const char *hall;        /* the symbol that was looked up last, and its group's number */
  guint group;
  FlMat3 turn; /* from dxtbx' laboratory to ours */
} Reading;

void
fl_dials_file_free (FlDialsFile *file)
{
  if (file == NULL)
    return;
  g_ptr_array_unref (file->patterns);
  g_array_unref (file->panels);
  g_free (file);
}

/* --- the models --- */

/* A vector of the file in our laboratory. */
static gboolean
get_vector (const Reading *reading, const json_t *object, const char *name, FlVec3 *vector)
{
  double v[3];
  if (!fl_dials_numbers (json_object_get (object, name), v, 3))
    return FALSE;
  *vector = fl_mat3_apply (&reading->turn, fl_vec3 (v[0], v[1], v[2]));
  return TRUE;
}

/* The detector of the first experiment. */
static gboolean
read_detector (Reading *reading, const json_t *experiment)
{
  if (!fl_dials_turn (fl_dials_model (reading->root, experiment, "beam"), &reading->turn))
    return FALSE;
  g_autoptr (GArray) panels =
      fl_dials_panels (fl_dials_model (reading->root, experiment, "detector"), &reading->turn, NULL);
  for (guint i = 0; panels != NULL && i < panels->len; i++)
    {
      FlDialsPanel *from = &g_array_index (panels, FlDialsPanel, i);
      FlPanelPlace place = { .name = g_steal_pointer (&from->name),
                             .n_fs = from->n_fs,
                             .n_ss = from->n_ss,
                             .origin = from->origin,
                             .fs = from->fs,
                             .ss = from->ss,
                             .trusted_min = from->low,
                             .saturation = from->high };
      g_array_append_val (reading->file->panels, place);
    }
  return panels != NULL;
}

/* "…/image_#####.cbf" with its number put in; without #, as it is. */
static char *
fill_template (const char *template, json_int_t number)
{
  gsize start = strcspn (template, "#"), n = strspn (template + start, "#");
  if (n == 0)
    return g_strdup (template);
  return g_strdup_printf ("%.*s%0*" JSON_INTEGER_FORMAT "%s", (int) start, template, (int) MIN (n, 20),
                          number, template + start + n);
}

/* File and frame of an experiment; −1: a file of one image. NULL: it does not say. */
static char *
get_image (const Reading *reading, const json_t *experiment, gint64 *frame, gboolean *rotation)
{
  const json_t *imageset = fl_dials_model (reading->root, experiment, "imageset"),
               *scan = fl_dials_model (reading->root, experiment, "scan");
  const json_t *range = json_object_get (scan, "image_range"),
               *oscillation = json_object_get (scan, "oscillation");
  const json_t *indices = json_object_get (imageset, "single_file_indices");
  const char *template = json_string_value (json_object_get (imageset, "template"));
  const char *image = json_string_value (json_array_get (json_object_get (imageset, "images"), 0));
  json_int_t number = json_integer_value (json_array_get (range, 0));
  *rotation = json_number_value (json_array_get (oscillation, 1)) != 0
              || json_integer_value (json_array_get (range, 1)) != number;
  *frame = -1;
  if (json_array_size (indices) > 0)
    *frame = (gint64) json_integer_value (json_array_get (indices, 0));
  else if (template != NULL && strchr (template, '#') == NULL && scan != NULL)
    *frame = (gint64) number - 1;
  if (*frame > G_MAXUINT32 || *frame < -1)
    return NULL;
  return image != NULL ? g_strdup (image) : template != NULL ? fill_template (template, number) : NULL;
}

/* The shot of that image, made where it is new. */
static FlPattern *
get_pattern (Reading *reading, const char *image, gint64 frame, double energy)
{
  char *key = g_strdup_printf ("%s\n%" G_GINT64_FORMAT, image, frame);
  FlPattern *pattern = g_hash_table_lookup (reading->by_image, key);
  if (pattern != NULL)
    {
      g_free (key);
      return pattern;
    }
  pattern = fl_pattern_new ();
  pattern->file = g_strdup (image);
  pattern->frame = frame;
  pattern->energy = energy;
  if (frame >= 0)
    {
      g_free (pattern->event);
      pattern->event = g_strdup_printf ("//%" G_GINT64_FORMAT, frame);
    }
  g_ptr_array_add (reading->file->patterns, pattern);
  g_hash_table_insert (reading->by_image, key, pattern);
  return pattern;
}

static guint
group_of (const char *hall)
{
  g_autofree char *wanted = g_strstrip (g_strdup (hall));
  FlSpaceGroup group;
  for (guint i = 1; i <= FL_SPACE_GROUP_SETTINGS; i++)
    {
      fl_space_group_get (i, &group);
      if (g_ascii_strcasecmp (g_strstrip (group.hall_symbol), wanted) == 0)
        return group.number;
    }
  return 0;
}

/* A symbol that only states the centring stands for a group that nobody has determined. */
static void
read_group (Reading *reading, const json_t *crystal, FlLatticeRow *lattice)
{
  const char *hall = json_string_value (json_object_get (crystal, "space_group_hall_symbol"));
  const char *letter = hall != NULL ? strpbrk (hall, "PABCIFR") : NULL;
  lattice->centring = letter != NULL ? (guint8) *letter : 'P';
  if (g_strcmp0 (hall, reading->hall) != 0)
    {
      reading->hall = hall;
      reading->group = hall != NULL ? group_of (hall) : 0;
    }
  lattice->space_group = reading->group > 1 ? (guint16) reading->group : 0;
}

static int
read_crystal (Reading *reading, const json_t *crystal, FlPattern *pattern)
{
  static const char *const names[] = { "real_space_a", "real_space_b", "real_space_c" };
  FlLatticeRow lattice = { .number = (guint16) pattern->lattices->len, .confidence = 1 };
  FlMat3 real;
  for (int i = 0; i < 3; i++)
    {
      FlVec3 v;
      if (!get_vector (reading, crystal, names[i], &v))
        return -1;
      memcpy (real.m[i], (double[]){ v.x, v.y, v.z }, sizeof real.m[i]);
    }
  if (!(fabs (fl_mat3_determinant (&real)) > 1)) /* Å³ */
    return -1;
  FlMat3 star = fl_lattice_star (&real);
  for (int i = 0; i < 9; i++)
    lattice.a_star[i] = (float) star.m[i / 3][i % 3];
  lattice.mosaicity =
      (float) fl_radians (2 * json_number_value (json_object_get (crystal, "ML_half_mosaicity_deg")));
  lattice.domain_size = (float) json_number_value (json_object_get (crystal, "ML_domain_size_ang"));
  read_group (reading, crystal, &lattice);
  if (pattern->lattices->len >= G_MAXUINT16
      || !fl_pattern_derive (pattern, &lattice, pattern->reflections->len))
    return -1;
  pattern->hit = TRUE;
  g_array_append_val (pattern->lattices, lattice);
  return lattice.number;
}

static gboolean
read_experiment (Reading *reading, const json_t *object, GError **error)
{
  gint64 frame;
  gboolean rotation = FALSE;
  g_autofree char *image = get_image (reading, object, &frame, &rotation);
  const json_t *beam = fl_dials_model (reading->root, object, "beam"),
               *crystal = fl_dials_model (reading->root, object, "crystal");
  double wavelength = json_number_value (json_object_get (beam, "wavelength"));
  Experiment experiment = { .lattice = -1,
                            .imageset = json_integer_value (json_object_get (object, "imageset")),
                            .identifier = json_string_value (json_object_get (object, "identifier")) };
  if (rotation)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED, "%s: is of a rotation, expected stills",
                   reading->path);
      return FALSE;
    }
  if (image == NULL || !(wavelength > 0.01 && wavelength < 1000) || !fl_dials_turn (beam, &reading->turn))
    reading->file->damaged++;
  else
    {
      experiment.pattern = get_pattern (reading, image, frame, fl_energy_from_wavelength (wavelength));
      if (crystal != NULL)
        experiment.lattice = read_crystal (reading, crystal, experiment.pattern);
      reading->file->damaged += crystal != NULL && experiment.lattice < 0;
      gpointer imageset = GINT_TO_POINTER ((int) experiment.imageset), other;
      gboolean shared = g_hash_table_lookup_extended (reading->by_imageset, imageset, NULL, &other)
                        && other != experiment.pattern;
      g_hash_table_insert (reading->by_imageset, imageset, shared ? NULL : experiment.pattern);
    }
  g_array_append_val (reading->experiments, experiment);
  return TRUE;
}

static gboolean
read_models (Reading *reading, GError **error)
{
  json_error_t why;
  reading->root = json_load_file (reading->path, 0, &why);
  const json_t *experiments = json_object_get (reading->root, "experiment");
  if (reading->root == NULL)
    g_set_error (
        error, FL_ERROR, g_file_test (reading->path, G_FILE_TEST_EXISTS) ? FL_ERROR_INPUT : FL_ERROR_MISSING,
        "%s:%d: %s, expected models of DIALS (.expt)", reading->path, why.line, fl_one_line (why.text, ' '));
  else if (json_array_size (experiments) == 0 || !read_detector (reading, json_array_get (experiments, 0)))
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                 "%s: has no %s that can be read, expected models of DIALS (.expt)", reading->path,
                 json_array_size (experiments) == 0 ? "experiment" : "detector");
  else
    {
      gboolean ok = TRUE;
      for (guint i = 0; ok && i < json_array_size (experiments); i++)
        ok = read_experiment (reading, json_array_get (experiments, i), error);
      return ok;
    }
  return FALSE;
}

/* --- the rows --- */

typedef struct
{
  const guint8 *id, *imageset, *panel, *hkl, *flags;                  /* int, int, size_t, index, size_t */
  const guint8 *observed, *calculated, *variance;                     /* vec3 */
  const guint8 *sum, *sum_variance, *prf, *prf_variance, *background; /* double */
  const guint8 *n_signal;                                             /* int */
} Columns;

static Columns
get_columns (const FlReflTable *table)
{
  return (Columns){ .id = fl_refl_table_column (table, "id", "int"),
                    .imageset = fl_refl_table_column (table, "imageset_id", "int"),
                    .panel = fl_refl_table_column (table, "panel", "std::size_t"),
                    .hkl = fl_refl_table_column (table, "miller_index", "cctbx::miller::index<>"),
                    .flags = fl_refl_table_column (table, "flags", "std::size_t"),
                    .observed = fl_refl_table_column (table, "xyzobs.px.value", "vec3<double>"),
                    .calculated = fl_refl_table_column (table, "xyzcal.px", "vec3<double>"),
                    .variance = fl_refl_table_column (table, "xyzobs.px.variance", "vec3<double>"),
                    .sum = fl_refl_table_column (table, "intensity.sum.value", "double"),
                    .sum_variance = fl_refl_table_column (table, "intensity.sum.variance", "double"),
                    .prf = fl_refl_table_column (table, "intensity.prf.value", "double"),
                    .prf_variance = fl_refl_table_column (table, "intensity.prf.variance", "double"),
                    .background = fl_refl_table_column (table, "background.mean", "double"),
                    .n_signal = fl_refl_table_column (table, "n_signal", "int") };
}

static gint32
int_at (const guint8 *column, guint64 i)
{
  gint32 value = 0;
  if (column != NULL)
    memcpy (&value, column + 4 * i, sizeof value);
  return value;
}

static guint64
size_at (const guint8 *column, guint64 i)
{
  guint64 value = 0;
  if (column != NULL)
    memcpy (&value, column + 8 * i, sizeof value);
  return value;
}

static double
double_at (const guint8 *column, guint64 i)
{
  double value = 0;
  if (column != NULL)
    memcpy (&value, column + 8 * i, sizeof value);
  return value;
}

/* The experiment that a row is of: by its identifier where the table has them, else by its number. NULL: of none. */
static const Experiment *
experiment_of (const Reading *reading, const FlReflTable *table, GHashTable *by_identifier, gint32 id)
{
  const char *identifier = fl_refl_table_identifier (table, id);
  guint at = identifier != NULL ? GPOINTER_TO_UINT (g_hash_table_lookup (by_identifier, identifier))
                                : (guint) id + 1;
  if (id < 0 || at == 0 || at > reading->experiments->len)
    return NULL;
  return &g_array_index (reading->experiments, Experiment, at - 1);
}

static void
add_spot (const Reading *reading, FlPattern *pattern, const Columns *c, guint64 i)
{
  guint64 panel = size_at (c->panel, i);
  const FlPanelPlace *p = &g_array_index (reading->file->panels, FlPanelPlace, panel);
  double fs = double_at (c->observed, 3 * i), ss = double_at (c->observed, 3 * i + 1);
  FlVec3 at = fl_vec3_add (p->origin, fl_vec3_add (fl_vec3_scale (p->fs, fs), fl_vec3_scale (p->ss, ss)));
  double theta = 0.5 * atan2 (hypot (at.x, at.y), at.z);
  FlSpotRow spot = { .panel = (guint16) panel,
                     .pixels = (guint16) CLAMP (int_at (c->n_signal, i), 0, G_MAXUINT16),
                     .fs = (float) fs,
                     .ss = (float) ss,
                     .var_fs = (float) double_at (c->variance, 3 * i),
                     .var_ss = (float) double_at (c->variance, 3 * i + 1),
                     .intensity = (float) double_at (c->sum, i),
                     .var_intensity = (float) double_at (c->sum_variance, i),
                     .d = theta > 0
                              ? (float) (fl_wavelength_from_energy (pattern->energy) / (2 * sin (theta)))
                              : 0 };
  g_array_append_val (pattern->spots, spot);
}

static void
add_reflection (FlPattern *pattern, int lattice, const Columns *c, guint64 i)
{
  guint64 flags = size_at (c->flags, i);
  gboolean sum = (flags & FL_DIALS_INTEGRATED_SUM) != 0 && c->sum != NULL;
  gboolean prf = !sum && (flags & FL_DIALS_INTEGRATED_PRF) != 0 && c->prf != NULL;
  double variance = sum ? double_at (c->sum_variance, i) : prf ? double_at (c->prf_variance, i) : -1;
  const guint8 *position = c->calculated != NULL ? c->calculated : c->observed;
  FlReflectionRow r = { .lattice = (guint16) lattice,
                        .h = (gint16) int_at (c->hkl, 3 * i),
                        .k = (gint16) int_at (c->hkl, 3 * i + 1),
                        .l = (gint16) int_at (c->hkl, 3 * i + 2),
                        .panel = (guint16) size_at (c->panel, i),
                        .fs = (float) double_at (position, 3 * i),
                        .ss = (float) double_at (position, 3 * i + 1),
                        .intensity = (float) double_at (sum   ? c->sum
                                                        : prf ? c->prf
                                                              : NULL,
                                                        i),
                        .sigma = variance >= 0 ? (float) sqrt (variance) : -1,
                        .background = (float) double_at (c->background, i),
                        .partiality = 1,
                        .flags =
                            (guint8) (((flags & FL_DIALS_STRONG) != 0 ? FL_REFLECTION_STRONG : 0)
                                      | ((flags & FL_DIALS_OVERLOADED) != 0 ? FL_REFLECTION_SATURATED : 0)
                                      | ((flags & FL_DIALS_OVERLAPPED) != 0 ? FL_REFLECTION_OVERLAP : 0)
                                      | (prf ? FL_REFLECTION_PROFILE : 0)) };
  g_array_append_val (pattern->reflections, r);
}

/* Finite positions and intensities on a panel there is, indices that fit. */
static gboolean
row_is_good (const Reading *reading, const Columns *c, guint64 i)
{
  gboolean ok = size_at (c->panel, i) < reading->file->panels->len && isfinite (double_at (c->sum, i))
                && isfinite (double_at (c->prf, i));
  for (guint k = 0; ok && k < 3; k++)
    ok = ABS ((gint64) int_at (c->hkl, 3 * i + k)) <= G_MAXINT16
         && isfinite (double_at (c->observed, 3 * i + k)) && isfinite (double_at (c->calculated, 3 * i + k));
  return ok;
}

static void
read_row (Reading *reading, const FlReflTable *table, GHashTable *by_identifier, const Columns *c, guint64 i)
{
  const Experiment *experiment = experiment_of (reading, table, by_identifier, int_at (c->id, i));
  FlPattern *pattern = experiment != NULL ? experiment->pattern : NULL;
  gint32 imageset = c->imageset != NULL ? int_at (c->imageset, i) : -1;
  guint64 flags = size_at (c->flags, i);
  gboolean indexed =
      experiment != NULL && experiment->lattice >= 0
      && (int_at (c->hkl, 3 * i) != 0 || int_at (c->hkl, 3 * i + 1) != 0 || int_at (c->hkl, 3 * i + 2) != 0);
  if (pattern == NULL && imageset >= 0) /* a spot that no lattice explains */
    pattern = g_hash_table_lookup (reading->by_imageset, GINT_TO_POINTER (imageset));
  if (pattern == NULL || !row_is_good (reading, c, i))
    {
      reading->file->damaged++;
      return;
    }
  gboolean strong = c->observed != NULL && (c->flags == NULL || (flags & FL_DIALS_STRONG) != 0);
  if (strong)
    add_spot (reading, pattern, c, i);
  if (indexed)
    {
      add_reflection (pattern, experiment->lattice, c, i);
      FlLatticeRow *lattice = &g_array_index (pattern->lattices, FlLatticeRow, experiment->lattice);
      lattice->spots += strong;
      lattice->reflections +=
          g_array_index (pattern->reflections, FlReflectionRow, pattern->reflections->len - 1).sigma >= 0;
    }
}

static int
by_lattice (gconstpointer a, gconstpointer b)
{
  const FlReflectionRow *x = a, *y = b;
  return (int) x->lattice - (int) y->lattice;
}

static gboolean
read_rows (Reading *reading, const char *path, GError **error)
{
  g_autoptr (FlReflTable) table = fl_refl_table_read (path, error);
  if (table == NULL)
    return FALSE;
  Columns columns = get_columns (table);
  if (columns.id == NULL || columns.panel == NULL || (columns.observed == NULL && columns.calculated == NULL))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "%s: lacks columns, expected at least id, panel, xyzobs.px.value or xyzcal.px", path);
      return FALSE;
    }
  g_autoptr (GHashTable) by_identifier = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < reading->experiments->len; i++)
    {
      const char *identifier = g_array_index (reading->experiments, Experiment, i).identifier;
      if (identifier != NULL)
        g_hash_table_insert (by_identifier, (gpointer) identifier, GUINT_TO_POINTER (i + 1));
    }
  for (guint64 i = 0; i < fl_refl_table_rows (table); i++)
    read_row (reading, table, by_identifier, &columns, i);
  for (guint i = 0; i < reading->file->patterns->len; i++)
    {
      FlPattern *pattern = reading->file->patterns->pdata[i];
      g_array_sort (pattern->reflections, by_lattice); /* stable: a merge sort */
      for (guint k = 0; k < pattern->lattices->len; k++)
        {
          guint n;
          const FlReflectionRow *rows = fl_pattern_reflections (pattern, k, &n);
          guint first = rows != NULL
                            ? (guint) (rows - (const FlReflectionRow *) (void *) pattern->reflections->data)
                            : 0;
          if (rows != NULL)
            fl_pattern_derive (pattern, &g_array_index (pattern->lattices, FlLatticeRow, k), first);
        }
    }
  return TRUE;
}

FlDialsFile *
fl_dials_read (const char *expt, const char *refl, GError **error)
{
  g_autoptr (FlDialsFile) file = g_new0 (FlDialsFile, 1);
  file->patterns = g_ptr_array_new_with_free_func ((GDestroyNotify) fl_pattern_free);
  file->panels = fl_panel_places_new ();
  g_autoptr (GArray) experiments = g_array_new (FALSE, FALSE, sizeof (Experiment));
  g_autoptr (GHashTable) by_image = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GHashTable) by_imageset = g_hash_table_new (NULL, NULL);
  Reading reading = {
    .path = expt, .file = file, .experiments = experiments, .by_image = by_image, .by_imageset = by_imageset
  };
  gboolean ok = read_models (&reading, error) && (refl == NULL || read_rows (&reading, refl, error));
  json_decref (reading.root);
  return ok ? g_steal_pointer (&file) : NULL;
}
