/* DIALS' form: the models of beam and detector in an experiment list (.expt). */

#include <math.h>
#include <string.h>

#include "engine/base/dials-models.h"
#include "engine/base/error.h"
#include "engine/shots/geometry-private.h"

#define UNLIMITED 2147483647.0 /* a trusted range that goes so far says nothing */

gboolean
fl_geometry_is_dials (const char *text, gsize length)
{
  gsize at = strspn (text, " \t\r\n");
  return at < length && (text[at] == '{' || text[at] == '[') && strstr (text, "\"__id__\"") != NULL
         && (strstr (text, "\"ExperimentList\"") != NULL || strstr (text, "\"DataBlock\"") != NULL);
}

typedef struct
{
  const json_t *beam, *detector;
  gsize n_detectors;
} Models;

/* Of the first experiment; lists without any, and data blocks (of before 2019), have their models all the same. */
static Models
find_models (const json_t *root)
{
  if (json_is_array (root))
    root = json_array_get (root, 0);
  const json_t *first = json_array_get (json_object_get (root, "experiment"), 0),
               *detectors = json_object_get (root, "detector");
  Models models = { fl_dials_model (root, first, "beam"), fl_dials_model (root, first, "detector"),
                    json_array_size (detectors) };
  if (models.detector == NULL)
    {
      models.detector = json_array_get (detectors, 0);
      models.beam = json_array_get (json_object_get (root, "beam"), 0);
    }
  return models;
}

/* The first row of each panel. Offsets are of an image, or of each of a stack of modules: where the first comes again, the next
 * module begins. */
static gsize
lay_out (const GArray *panels, gsize *firsts, gsize *width)
{
  gsize base = 0, rows = 0;
  guint first = 0;
  *width = 0;
  for (guint i = 0; i < panels->len; i++)
    {
      const FlDialsPanel *panel = &g_array_index (panels, FlDialsPanel, i),
                         *start = &g_array_index (panels, FlDialsPanel, first);
      *width = MAX (*width, (gsize) panel->first_fs + panel->n_fs);
      if (i > first && panel->first_fs == start->first_fs && panel->first_ss == start->first_ss)
        {
          base = rows;
          first = i;
        }
      rows = MAX (rows, base + panel->first_ss + panel->n_ss);
      firsts[i] = base + panel->first_ss;
    }
  return rows;
}

static FlDetector *
detector_of (const GArray *panels, const char *path, GError **error)
{
  gsize width;
  g_autofree gsize *firsts = g_new (gsize, panels->len);
  gsize rows = lay_out (panels, firsts, &width);
  if (rows > ((gsize) 1 << 30) / width)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "%s: its panels span more than 2^30 pixels, expected a detector", path);
      return NULL;
    }
  FlDetector *detector = fl_detector_new (panels->len, 0);
  for (guint i = 0; i < panels->len; i++)
    {
      const FlDialsPanel *from = &g_array_index (panels, FlDialsPanel, i);
      FlPanel *panel = &detector->panels[i];
      g_free (panel->name);
      panel->name = g_strdup (from->name);
      panel->n_fs = from->n_fs;
      panel->n_ss = from->n_ss;
      panel->stride = width;
      panel->offset = firsts[i] * width + from->first_fs;
      panel->origin = from->origin;
      panel->fs = from->fs;
      panel->ss = from->ss;
      panel->gain = from->gain;
      /* DIALS trusts the limits, our panels do not: step to the next number. */
      panel->trusted_min =
          from->low > -UNLIMITED ? (double) nextafterf ((float) from->low, -INFINITY) : -INFINITY;
      panel->trusted_max =
          from->high < UNLIMITED ? (double) nextafterf ((float) from->high, INFINITY) : INFINITY;
      panel->saturation = INFINITY;
    }
  return detector;
}

/* Rectangles of a panel that are not to be trusted; their ends are not in them. */
static void
read_masks (FlGeom *geom, guint index, const json_t *mask)
{
  const FlGeomPanel *panel = fl_geometry_panel (geom, index);
  for (gsize i = 0; i < json_array_size (mask); i++)
    {
      double r[4];
      if (!fl_dials_numbers (json_array_get (mask, i), r, 4))
        continue;
      FlGeomBad bad = { g_strdup_printf ("bad_%s_%" G_GSIZE_FORMAT, panel->name, i),
                        0,
                        g_strdup (panel->name),
                        NAN,
                        NAN,
                        NAN,
                        NAN,
                        panel->min_fs + MAX (r[0], 0),
                        MIN (panel->min_fs + r[2] - 1, panel->max_fs),
                        panel->min_ss + MAX (r[1], 0),
                        MIN (panel->min_ss + r[3] - 1, panel->max_ss) };
      g_array_append_val (geom->bad, bad);
    }
}

/* Names of panels need not differ in DIALS, nor those of groups. */
static void
settle_names (FlGeom *geom, const GArray *groups)
{
  g_auto (GStrv) names = fl_geometry_names (geom);
  g_autoptr (GHashTable) taken = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < geom->panels->len; i++)
    {
      FlGeomPanel *panel = &g_array_index (geom->panels, FlGeomPanel, i);
      g_free (panel->name);
      panel->name = g_strdup (names[i]);
    }
  for (guint i = 0; i < groups->len; i++)
    {
      const FlDialsGroup *from = &g_array_index (groups, FlDialsGroup, i);
      char **members = g_new0 (char *, from->panels->len + 1);
      for (guint k = 0; k < from->panels->len; k++)
        members[k] = g_strdup (names[g_array_index (from->panels, guint, k)]);
      g_autofree char *plain = g_strcanon (g_strdup (from->name), FL_GEOMETRY_LETTERS, '_');
      gboolean free = *plain != '\0' && !g_hash_table_contains (taken, plain);
      char *name = free ? g_strdup (plain) : g_strdup_printf ("%s_%u", plain, i);
      g_hash_table_add (taken, name);
      fl_geom_add_group (geom->rigid, name, members, FALSE);
    }
}

/* mm: from the sample to where most of the detector is. */
static double
middle (const GArray *panels)
{
  double sum = 0;
  for (guint i = 0; i < panels->len; i++)
    {
      const FlDialsPanel *p = &g_array_index (panels, FlDialsPanel, i);
      sum += p->origin.z + p->fs.z * p->n_fs / 2 + p->ss.z * p->n_ss / 2;
    }
  return rint (sum / panels->len * 1e6) / 1e6;
}

static FlGeom *
read_models (const char *path, const json_t *root, GError **error)
{
  static const FlMat3 half_turn = { { { -1, 0, 0 }, { 0, 1, 0 }, { 0, 0, -1 } } };
  const Models models = find_models (root);
  FlMat3 turn = half_turn;
  g_autoptr (GArray) groups = fl_dials_groups_new ();
  gboolean beam = models.beam == NULL || fl_dials_turn (models.beam, &turn);
  g_autoptr (GArray) panels = beam ? fl_dials_panels (models.detector, &turn, groups) : NULL;
  if (panels == NULL)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: %s, expected an experiment list of DIALS", path,
                   !beam                     ? "the beam has no direction"
                   : models.detector == NULL ? "no detector"
                                             : "the detector's panels or groups are damaged");
      return NULL;
    }
  g_autoptr (FlDetector) detector = detector_of (panels, path, error);
  if (detector == NULL)
    return NULL;
  detector->wavelength = json_number_value (json_object_get (models.beam, "wavelength"));
  g_autoptr (FlGeom) geom = fl_geometry_from_detector (path, detector, middle (panels));
  settle_names (geom, groups);
  for (guint i = 0; i < panels->len; i++)
    read_masks (geom, i, g_array_index (panels, FlDialsPanel, i).mask);
  if (models.n_detectors > 1)
    g_ptr_array_add (geom->notes,
                     g_strdup_printf ("%" G_GSIZE_FORMAT " detectors, the first experiment's is read",
                                      models.n_detectors));
  return fl_geom_finish (geom, error) ? g_steal_pointer (&geom) : NULL;
}

FlGeom *
fl_geometry_read_dials (const char *path, const char *text, gsize length, GError **error)
{
  json_error_t wrong;
  json_t *root = json_loadb (text, length, 0, &wrong);
  if (root == NULL)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s:%d: %s, expected JSON", path, wrong.line,
                   fl_one_line (wrong.text, ' '));
      return NULL;
    }
  FlGeom *geom = read_models (path, root, error);
  json_decref (root);
  return geom;
}
