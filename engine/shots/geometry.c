#include "engine/shots/geometry-private.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/shots/cbf-codec.h"

#define MAX_MEMBERS 65536 /* of a group */
#define MAX_HEADER  ((gsize) 4 << 20)
#define MAX_TEXT    ((gsize) 64 << 20) /* a geometry of more bytes is none */

/* --- numbers --- */

void
fl_geometry_add_number (GString *text, double value, int decimals)
{
  char number[64];
  g_ascii_formatd (number, sizeof number, decimals == 9 ? "%.9f" : decimals == 12 ? "%.12f" : "%.15f", value);
  gsize n = strlen (number);
  while (n > 0 && number[n - 1] == '0')
    n--;
  if (n > 0 && number[n - 1] == '.')
    n--;
  number[n] = '\0';
  g_string_append (text, strcmp (number, "-0") == 0 ? "0" : number);
}

void
fl_geometry_add_digits (GString *text, double value, int digits)
{
  char number[64];
  g_string_append (text, g_ascii_formatd (number, sizeof number, digits == 12 ? "%.12g" : "%.15g", value));
}

static double
round_to_digits (double value, const char *format)
{
  char number[64];
  return g_ascii_strtod (g_ascii_formatd (number, sizeof number, format, value), NULL);
}

void
fl_geometry_lose (GPtrArray *losses, const char *format, ...)
{
  if (losses == NULL)
    return;
  va_list args;
  va_start (args, format);
  g_ptr_array_add (losses, g_strdup_vprintf (format, args));
  va_end (args);
}

/* --- beam and places --- */

double
fl_geometry_clen (const FlGeom *geom)
{
  return geom->clen.set && geom->clen.path == NULL ? geom->clen.value : 0;
}

void
fl_geometry_set_clen (FlGeom *geom, double clen)
{
  g_free (geom->clen.path);
  geom->clen = (FlGeomValue){ .value = round_to_digits (clen, "%.12g"), .factor = 1e3, .set = TRUE };
}

double
fl_geometry_wavelength (const FlGeom *geom)
{
  double v = geom->beam.set && geom->beam.path == NULL ? geom->beam.value : 0;
  if (!(v > 0) || geom->beam_kind == FL_GEOM_BEAM_NONE || geom->beam_kind == FL_GEOM_ELECTRON_VOLTAGE)
    return 0;
  return geom->beam_kind == FL_GEOM_WAVELENGTH ? v : fl_wavelength_from_energy (v);
}

void
fl_geometry_set_wavelength (FlGeom *geom, double wavelength)
{
  if (!(wavelength > 0 && isfinite (wavelength)))
    return;
  g_free (geom->beam.path);
  geom->beam_kind = FL_GEOM_PHOTON_ENERGY;
  geom->beam = (FlGeomValue){ .value = round_to_digits (fl_energy_from_wavelength (wavelength), "%.12g"),
                              .factor = 1,
                              .set = TRUE };
}

FlGeometryPlace
fl_geometry_place (const FlGeom *geom, const FlGeomPanel *panel)
{
  double step = 1e3 / panel->res;
  double x = geom->shift_x.path == NULL ? geom->shift_x.value : 0,
         y = geom->shift_y.path == NULL ? geom->shift_y.value : 0;
  return (FlGeometryPlace){ fl_vec3 (panel->corner_x * step + x, panel->corner_y * step + y,
                                     fl_geometry_clen (geom) + panel->coffset * 1e3),
                            fl_vec3_scale (fl_vec3 (panel->fs[0], panel->fs[1], panel->fs[2]), step),
                            fl_vec3_scale (fl_vec3 (panel->ss[0], panel->ss[1], panel->ss[2]), step) };
}

/* Steps that differ from whole nanometres by what six digits of a direction make out are steps of that size. */
static double
nominal_step (FlVec3 fs)
{
  double step = fl_vec3_norm (fs), rounded = rint (step * 1e6) / 1e6;
  return fabs (rounded - step) < 2e-5 * step ? rounded : step;
}

void
fl_geometry_set_place (FlGeomPanel *panel, const FlGeometryPlace *place, double clen)
{
  panel->res = round_to_digits (1e3 / nominal_step (place->fs), "%.12g");
  double px = panel->res / 1e3; /* 1/mm */
  FlVec3 fs = fl_vec3_scale (place->fs, px), ss = fl_vec3_scale (place->ss, px);
  panel->fs[0] = fs.x;
  panel->fs[1] = fs.y;
  panel->fs[2] = fs.z;
  panel->ss[0] = ss.x;
  panel->ss[1] = ss.y;
  panel->ss[2] = ss.z;
  panel->corner_x = place->origin.x * px;
  panel->corner_y = place->origin.y * px;
  panel->coffset = (place->origin.z - clen) * 1e-3;
}

void
fl_geometry_square_up (FlVec3 *a, FlVec3 *b)
{
  FlVec3 u = fl_vec3_unit (*a), v = fl_vec3_unit (*b);
  FlVec3 plus = fl_vec3_unit (fl_vec3_add (u, v)), minus = fl_vec3_unit (fl_vec3_sub (u, v));
  *a = fl_vec3_scale (fl_vec3_add (plus, minus), sqrt (0.5));
  *b = fl_vec3_scale (fl_vec3_sub (plus, minus), sqrt (0.5));
}

double
fl_geometry_make_upright (FlGeom *geom)
{
  double most = 0, x = geom->shift_x.path == NULL ? geom->shift_x.value : 0,
         y = geom->shift_y.path == NULL ? geom->shift_y.value : 0;
  for (guint i = 0; i < geom->panels->len; i++)
    {
      FlGeomPanel *panel = &g_array_index (geom->panels, FlGeomPanel, i);
      const FlGeometryPlace was = fl_geometry_place (geom, panel);
      FlVec3 fs = was.fs, ss = was.ss;
      double half_fs = fl_geometry_n_fs (panel) / 2.0, half_ss = fl_geometry_n_ss (panel) / 2.0;
      fl_geometry_square_up (&fs, &ss);
      fs = fl_vec3_scale (fs, fl_vec3_norm (was.fs));
      ss = fl_vec3_scale (ss, fl_vec3_norm (was.ss));
      FlVec3 by_fs = fl_vec3_scale (fl_vec3_sub (was.fs, fs), half_fs),
             by_ss = fl_vec3_scale (fl_vec3_sub (was.ss, ss), half_ss);
      most = MAX (most, fl_vec3_norm (by_fs) + fl_vec3_norm (by_ss));
      FlGeometryPlace now = { fl_vec3_add (was.origin, fl_vec3_add (by_fs, by_ss)), fs, ss };
      now.origin = fl_vec3_sub (now.origin, fl_vec3 (x, y, 0));
      fl_geometry_set_place (panel, &now, fl_geometry_clen (geom));
    }
  return most;
}

/* CrystFEL's comparisons are strict, ours include the limit. */
static double
strict (double limit, double toward)
{
  return (double) nextafterf ((float) limit, (float) toward);
}

static void
set_values (FlGeomPanel *panel, const FlPanel *from)
{
  if (from->counts_per_ev > 0)
    panel->adu_per_ev = from->counts_per_ev;
  else
    panel->adu_per_photon = from->gain;
  if (isfinite (from->saturation))
    panel->max_adu = strict (from->saturation, -INFINITY);
  if (isfinite (from->trusted_min))
    panel->flags[panel->n_flags++] = (FlGeomFlag){ FL_GEOM_LESS, strict (from->trusted_min, INFINITY) };
  if (isfinite (from->trusted_max) && from->trusted_max != from->saturation)
    panel->flags[panel->n_flags++] = (FlGeomFlag){ FL_GEOM_MORE, strict (from->trusted_max, -INFINITY) };
  for (guint i = 0; i < from->n_bad_values && panel->n_flags < FL_GEOM_FLAGS; i++)
    panel->flags[panel->n_flags++] = (FlGeomFlag){ FL_GEOM_EQUAL, from->bad_values[i] };
}

FlGeom *
fl_geometry_from_detector (const char *path, const FlDetector *detector, double clen)
{
  FlGeom *geom = fl_geom_new (path);
  gsize width = detector->panels[0].stride, rows = 0;
  gboolean one_width = width > 0;
  for (guint i = 0; i < detector->n_panels; i++)
    {
      const FlPanel *from = &detector->panels[i];
      one_width = one_width && from->stride == width && from->offset % width + from->n_fs <= width;
    }
  fl_geometry_set_clen (geom, clen);
  fl_geometry_set_wavelength (geom, detector->wavelength);
  for (guint i = 0; i < detector->n_panels; i++)
    {
      const FlPanel *from = &detector->panels[i];
      const FlGeometryPlace place = { from->origin, from->fs, from->ss };
      FlGeomPanel *panel = fl_geom_add_panel (geom, from->name);
      fl_geometry_set_place (panel, &place, geom->clen.value);
      panel->min_fs = one_width ? (int) (from->offset % width) : 0;
      panel->min_ss = (int) (one_width ? from->offset / width : rows);
      panel->max_fs = panel->min_fs + (int) from->n_fs - 1;
      panel->max_ss = panel->min_ss + (int) from->n_ss - 1;
      panel->data = g_strdup (FL_GEOMETRY_DATA);
      panel->dims[0] = FL_GEOM_DIM_FRAME;
      panel->dims[1] = FL_GEOM_DIM_SS;
      panel->dims[2] = FL_GEOM_DIM_FS;
      panel->n_dims = 3;
      set_values (panel, from);
      rows += from->n_ss;
    }
  if (!one_width)
    g_ptr_array_add (geom->notes,
                     g_strdup ("arrays of different widths: pixels are taken to lie panel upon panel"));
  return geom;
}

/* --- groups --- */

static void
group_clear (gpointer data)
{
  g_free (((FlGeomGroup *) data)->name);
  g_strfreev (((FlGeomGroup *) data)->members);
}

/* A member that is a group before stands for that group's panels. */
static void
add_members (GPtrArray *members, const GArray *groups, guint n_before, const char *member)
{
  for (guint g = 0; g < n_before; g++)
    {
      const FlGeomGroup *group = &g_array_index (groups, FlGeomGroup, g);
      if (strcmp (group->name, member) != 0)
        continue;
      for (char **m = group->members; *m != NULL && members->len < MAX_MEMBERS; m++)
        g_ptr_array_add (members, g_strdup (*m));
      return;
    }
  if (members->len < MAX_MEMBERS)
    g_ptr_array_add (members, g_strdup (member));
}

GArray *
fl_geometry_groups (const FlGeom *geom)
{
  GArray *all = g_array_new (FALSE, FALSE, sizeof (FlGeomGroup));
  g_autoptr (GArray) expanded = g_array_new (FALSE, FALSE, sizeof (FlGeomGroup));
  g_array_set_clear_func (all, group_clear);
  for (guint i = 0; i < geom->rigid->len; i++)
    {
      const FlGeomGroup *group = &g_array_index (geom->rigid, FlGeomGroup, i);
      if (!group->collection)
        fl_geom_add_group (all, group->name, g_strdupv (group->members), FALSE);
    }
  for (guint i = 0; i < geom->groups->len; i++)
    {
      const FlGeomGroup *group = &g_array_index (geom->groups, FlGeomGroup, i);
      GPtrArray *members = g_ptr_array_new ();
      for (char **member = group->members; *member != NULL; member++)
        add_members (members, expanded, expanded->len, *member);
      g_ptr_array_add (members, NULL);
      fl_geom_add_group (expanded, group->name, (char **) g_ptr_array_free (members, FALSE), FALSE);
    }
  if (expanded->len > 0)
    g_array_append_vals (all, expanded->data, expanded->len);
  return all;
}

/* --- names --- */

static char *
plain_name (const char *name, guint number)
{
  if (name == NULL || *name == '\0')
    return g_strdup_printf ("p%u", number);
  char *plain = g_strdup_printf ("%s%s", g_str_has_prefix (name, "bad") ? "p_" : "", name);
  return g_strcanon (plain, FL_GEOMETRY_LETTERS, '_');
}

char **
fl_geometry_names (const FlGeom *geom)
{
  guint n = geom->panels->len;
  char **names = g_new0 (char *, n + 1);
  g_autoptr (GHashTable) taken = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < n; i++)
    {
      names[i] = plain_name (fl_geometry_panel (geom, i)->name, i);
      for (guint k = i; g_hash_table_contains (taken, names[i]); k++)
        {
          char *other = g_strdup_printf ("%s_%u", names[i], k);
          g_free (names[i]);
          names[i] = other;
        }
      g_hash_table_add (taken, names[i]);
    }
  return names;
}

/* --- forms --- */

static const char *const form_names[FL_GEOMETRY_FORMS] = { "crystfel", "imgcif", "psana", "nxmx", "dials" };

const char *
fl_geometry_form_name (FlGeometryForm form)
{
  return form_names[form];
}

gboolean
fl_geometry_form_find (const char *name, FlGeometryForm *form)
{
  for (int i = 0; i < FL_GEOMETRY_FORMS; i++)
    if (strcmp (form_names[i], name) == 0)
      {
        *form = (FlGeometryForm) i;
        return TRUE;
      }
  return FALSE;
}

/* The whole file, with NULs behind it. */
static char *
load (const char *path, gsize *length, GError **error)
{
  FILE *file = fopen (path, "rb");
  gboolean ok = file != NULL && fseeko (file, 0, SEEK_END) == 0;
  off_t size = ok ? ftello (file) : -1;
  ok = size >= 0 && fseeko (file, 0, SEEK_SET) == 0;
  char *text = NULL;
  if (ok && (gsize) size <= MAX_TEXT)
    {
      text = g_malloc0 ((gsize) size + FL_CBF_PADDING);
      *length = fread (text, 1, (gsize) size, file);
      ok = *length == (gsize) size;
    }
  int number = errno;
  if (file != NULL)
    fclose (file);
  if (ok && text != NULL)
    return text;
  g_free (text);
  g_set_error (error, FL_ERROR, ok ? FL_ERROR_UNSUPPORTED : FL_ERROR_MISSING, "%s: %s, expected a geometry",
               path, ok ? "too large" : g_strerror (number));
  return NULL;
}

static gboolean
is_hdf5 (const char *path)
{
  static const char signature[] = "\x89HDF\r\n\x1a\n";
  char head[8] = "";
  FILE *file = fopen (path, "rb");
  gsize n = file != NULL ? fread (head, 1, sizeof head, file) : 0;
  if (file != NULL)
    fclose (file);
  return n == sizeof head && memcmp (head, signature, sizeof head) == 0;
}

FlGeom *
fl_geometry_read (const char *path, FlGeometryForm *form, GError **error)
{
  FlGeometryForm unused;
  gsize length = 0;
  if (is_hdf5 (path))
    {
      if (form != NULL)
        *form = FL_GEOMETRY_NXMX;
      return fl_geometry_read_nxmx (path, error);
    }
  g_autofree char *text = load (path, &length, error);
  if (form == NULL)
    form = &unused;
  if (text == NULL)
    return NULL;
  if (length >= 6 && memcmp (text, "###CBF", 6) == 0)
    {
      *form = FL_GEOMETRY_IMGCIF;
      return fl_geometry_read_imgcif (path, text, length, error);
    }
  if (fl_geometry_is_psana (text, length))
    {
      *form = FL_GEOMETRY_PSANA;
      return fl_geometry_read_psana (path, text, length, error);
    }
  if (fl_geometry_is_dials (text, length))
    {
      *form = FL_GEOMETRY_DIALS;
      return fl_geometry_read_dials (path, text, length, error);
    }
  *form = FL_GEOMETRY_CRYSTFEL;
  return fl_geom_parse (path, text, length, error);
}

/* Its first line that is no comment sets something, and panels have corners. (Streams hold geometries, after a line that sets
 * nothing.) */
static gboolean
is_crystfel (const char *text)
{
  const char *line = text + (g_str_has_prefix (text, "\xef\xbb\xbf") ? 3 : 0);
  line += strspn (line, " \t\r\n");
  while (*line == ';' || *line == '#')
    {
      line += strcspn (line, "\r\n");
      line += strspn (line, " \t\r\n");
    }
  return memchr (line, '=', strcspn (line, "\r\n")) != NULL && strstr (text, "corner_x") != NULL
         && strstr (text, "min_fs") != NULL;
}

gboolean
fl_geometry_stands_alone (const char *path)
{
  static const char pixels[] = "--CIF-BINARY-FORMAT-SECTION--";
  FILE *file = fopen (path, "rb");
  g_autofree char *head = g_malloc (MAX_HEADER + 1);
  gsize n = file != NULL ? fread (head, 1, MAX_HEADER, file) : 0;
  if (file != NULL)
    fclose (file);
  head[n] = '\0';
  if (n > 6 && memcmp (head, "###CBF", 6) == 0)
    return n < MAX_HEADER && g_strstr_len (head, (gssize) n, pixels) == NULL && strlen (head) == n
           && strstr (head, "array_structure_list.") != NULL;
  return fl_geometry_is_psana (head, n) || fl_geometry_is_dials (head, n) || is_crystfel (head);
}

char *
fl_geometry_read_text (const char *path, GError **error)
{
  FlGeometryForm form;
  gsize length;
  g_autoptr (FlGeom) geom = fl_geometry_read (path, &form, error);
  if (geom == NULL)
    return NULL;
  return form == FL_GEOMETRY_CRYSTFEL ? load (path, &length, error)
                                      : fl_geometry_write_crystfel (geom, NULL, NULL);
}

static gboolean
same_folder (const char *a, const char *b)
{
  g_autofree char *x = g_path_get_dirname (a), *y = g_path_get_dirname (b);
  return strcmp (x, y) == 0;
}

/* What only CrystFEL's form has. */
static void
lose_common (const FlGeom *geom, GPtrArray *losses)
{
  if (geom->clen.path != NULL)
    fl_geometry_lose (losses, "a camera length that is in the data (%s): panels stand where coffset has them",
                      geom->clen.path);
  if (geom->shift_x.path != NULL || geom->shift_y.path != NULL)
    fl_geometry_lose (losses, "detector shifts that are in the data (detector_shift_x, detector_shift_y)");
  if (geom->beam.path != NULL)
    fl_geometry_lose (losses, "a photon energy that is in the data (%s)", geom->beam.path);
  else if (geom->beam_kind == FL_GEOM_ELECTRON_VOLTAGE)
    fl_geometry_lose (losses, "electrons (electron_voltage)");
  if (geom->bandwidth != FL_GEOM_BANDWIDTH)
    fl_geometry_lose (losses, "bandwidth");
  if (geom->peak_list != NULL)
    fl_geometry_lose (losses, "peak_list");
}

gboolean
fl_geometry_write (const FlGeom *geom, FlGeometryForm form, const char *path, GPtrArray *losses,
                   GError **error)
{
  g_autofree char *text = NULL;
  g_autofree char *folder = same_folder (geom->path, path) ? NULL : g_path_get_dirname (geom->path);
  if (form != FL_GEOMETRY_CRYSTFEL)
    lose_common (geom, losses);
  switch (form)
    {
    case FL_GEOMETRY_CRYSTFEL:
      text = fl_geometry_write_crystfel (geom, folder, losses);
      break;
    case FL_GEOMETRY_IMGCIF:
      text = fl_geometry_write_imgcif (geom, losses);
      break;
    case FL_GEOMETRY_PSANA:
      text = fl_geometry_write_psana (geom, losses);
      break;
    case FL_GEOMETRY_DIALS:
      text = fl_geometry_write_dials (geom, losses);
      break;
    case FL_GEOMETRY_NXMX:
    case FL_GEOMETRY_FORMS:
    default:
      return fl_geometry_write_nxmx (geom, path, losses, error);
    }
  g_autoptr (GError) local = NULL;
  if (g_file_set_contents (path, text, -1, &local))
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: cannot be written: %s", path, local->message);
  return FALSE;
}
