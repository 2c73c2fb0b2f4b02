/* imgCIF's form, written: a header without pixels. Panels are sections of arrays; each hangs with its slow and fast axis on the
 * innermost of the groups that it belongs to, these on each other, and the outermost on the camera length. imgCIF's frame is ours
 * turned by half a turn about y. */

#include <math.h>
#include <string.h>

#include "engine/base/units.h"
#include "engine/shots/geometry-private.h"

#define DETECTOR_AXIS "AXIS_DETECTOR_Z"

typedef struct
{
  const char *from; /* the group's name in the geometry */
  guint8 *holds;    /* panels */
  guint n;          /* of them */
  int parent;       /* in the array; −1: none */
  FlVec3 centre;    /* mm, our frame, without the camera length */
  char *name;
} Group;

/* Panels whose pixels lie in one plane of one dataset, or in a band of its rows that no panel crosses. */
typedef struct
{
  const FlGeomPanel *first;
  int width, height;
  int low; /* first row */
} Plane;

typedef struct
{
  const FlGeom *geom;
  char **names;
  GArray *named;  /* of FlGeomGroup */
  GArray *groups; /* of Group, parents first */
  GArray *planes; /* of Plane */
  guint *plane;   /* of each panel */
  int *group;     /* innermost of each panel; −1: none */
  GString *text;
} Writer;

static FlVec3
to_imgcif (FlVec3 v)
{
  return fl_vec3 (-v.x, v.y, -v.z);
}

static void
add_vector (GString *text, FlVec3 v, int decimals)
{
  const double c[3] = { v.x, v.y, v.z };
  for (int i = 0; i < 3; i++)
    {
      g_string_append_c (text, ' ');
      fl_geometry_add_number (text, c[i], decimals);
    }
}

/* --- groups --- */

static int
by_size (gconstpointer a, gconstpointer b)
{
  guint x = ((const Group *) a)->n, y = ((const Group *) b)->n;
  return (x < y) - (x > y);
}

static gboolean
read_group (const Writer *w, const FlGeomGroup *from, Group *group)
{
  guint n = w->geom->panels->len;
  *group = (Group){ .from = from->name, .holds = g_new0 (guint8, n), .parent = -1 };
  for (guint i = 0; i < n; i++)
    if (g_strv_contains ((const char *const *) from->members, fl_geometry_panel (w->geom, i)->name))
      {
        group->holds[i] = 1;
        group->n++;
      }
  return group->n > 1 && group->n < n;
}

static void
group_clear (gpointer data)
{
  g_free (((Group *) data)->holds);
  g_free (((Group *) data)->name);
}

/* TRUE when every group before holds all of this one or nothing; its parent is the last that does. */
static gboolean
fits (const Writer *w, Group *group)
{
  for (guint g = 0; g < w->groups->len; g++)
    {
      const Group *other = &g_array_index (w->groups, Group, g);
      guint common = 0;
      for (guint i = 0; i < w->geom->panels->len; i++)
        common += other->holds[i] && group->holds[i];
      if (common == group->n && other->n > group->n)
        group->parent = (int) g;
      else if (common > 0)
        return FALSE;
    }
  return TRUE;
}

/* Whole micrometres, so that it adds no digits. */
static FlVec3
centre_of (const Writer *w, const Group *group)
{
  FlVec3 sum = { 0, 0, 0 };
  for (guint i = 0; i < w->geom->panels->len; i++)
    if (group->holds[i])
      sum = fl_vec3_add (sum, fl_geometry_place (w->geom, fl_geometry_panel (w->geom, i)).origin);
  return fl_vec3 (rint (sum.x / group->n * 1e3) / 1e3, rint (sum.y / group->n * 1e3) / 1e3, 0);
}

static void
find_groups (Writer *w, GPtrArray *losses)
{
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (Group));
  guint lost = 0;
  g_array_set_clear_func (all, group_clear);
  for (guint i = 0; i < w->named->len; i++)
    {
      Group group;
      if (read_group (w, &g_array_index (w->named, FlGeomGroup, i), &group))
        g_array_append_val (all, group);
      else
        {
          lost += group.n < 2; /* one of all panels is the detector itself */
          group_clear (&group);
        }
    }
  g_array_sort (all, by_size);
  for (guint i = 0; i < all->len; i++)
    {
      Group *group = &g_array_index (all, Group, i);
      if (!fits (w, group))
        {
          lost++;
          continue;
        }
      group->centre = centre_of (w, group);
      group->name = g_strcanon (g_strdup (group->from), FL_GEOMETRY_LETTERS, '_');
      g_array_append_vals (w->groups, group, 1);
      *group = (Group){ .n = group->n };
    }
  if (lost > 0)
    fl_geometry_lose (losses, "groups of panels that are not one within the other, or of one panel: %u",
                      lost);
  for (guint i = 0; i < w->geom->panels->len; i++)
    {
      w->group[i] = -1;
      for (guint g = 0; g < w->groups->len; g++)
        if (g_array_index (w->groups, Group, g).holds[i])
          w->group[i] = (int) g;
    }
}

/* The first collection that has the group. */
static const char *
collection_of (const Writer *w, const Group *group)
{
  for (guint i = 0; i < w->geom->rigid->len; i++)
    {
      const FlGeomGroup *collection = &g_array_index (w->geom->rigid, FlGeomGroup, i);
      if (collection->collection && g_strv_contains ((const char *const *) collection->members, group->from)
          && strpbrk (collection->name, " \t'\"#;_$[]") != collection->name
          && strpbrk (collection->name, " \t") == NULL)
        return collection->name;
    }
  return "detector_group";
}

/* --- arrays --- */

static gboolean
same_plane (const FlGeomPanel *a, const FlGeomPanel *b)
{
  return strcmp (a->data, b->data) == 0 && a->n_dims == b->n_dims
         && memcmp (a->dims, b->dims, sizeof a->dims) == 0;
}

static void
find_planes (Writer *w)
{
  for (guint i = 0; i < w->geom->panels->len; i++)
    {
      const FlGeomPanel *panel = fl_geometry_panel (w->geom, i);
      guint p = 0;
      while (p < w->planes->len && !same_plane (g_array_index (w->planes, Plane, p).first, panel))
        p++;
      if (p == w->planes->len)
        {
          const Plane plane = { panel, 0, 0, 0 };
          g_array_append_val (w->planes, plane);
        }
      Plane *plane = &g_array_index (w->planes, Plane, p);
      plane->width = MAX (plane->width, panel->max_fs + 1);
      plane->height = MAX (plane->height, panel->max_ss + 1);
      w->plane[i] = p;
    }
}

/* The last row of the panels of a plane that begin at or above `row`; −1: none. */
static int
last_row (const Writer *w, guint plane, int row)
{
  int last = -1;
  for (guint i = 0; i < w->geom->panels->len; i++)
    if (w->plane[i] == plane && fl_geometry_panel (w->geom, i)->min_ss <= row)
      last = MAX (last, fl_geometry_panel (w->geom, i)->max_ss);
  return last;
}

/* The first row, after `row`, of a panel that no panel before reaches; the height where there is none. */
static int
next_band (const Writer *w, guint plane, int row, int height)
{
  for (;;)
    {
      int last = last_row (w, plane, row), next = height;
      for (guint i = 0; i < w->geom->panels->len; i++)
        if (w->plane[i] == plane && fl_geometry_panel (w->geom, i)->min_ss > row)
          next = MIN (next, fl_geometry_panel (w->geom, i)->min_ss);
      if (next == height || (next > last && last >= 0))
        return next;
      row = next;
    }
}

/* DIALS takes a header of one array for a detector of one panel: a stack becomes an array a band. Read one after the other they
 * are the plane again. */
static void
cut_planes (Writer *w)
{
  g_autoptr (GArray) bands = g_array_new (FALSE, FALSE, sizeof (Plane));
  g_autofree guint *band_of = g_new0 (guint, w->geom->panels->len);
  for (guint p = 0; p < w->planes->len; p++)
    {
      Plane band = g_array_index (w->planes, Plane, p);
      for (int row = 0, end, height = band.height; row < height; row = end)
        {
          end = next_band (w, p, row, height);
          band.low = row;
          band.height = end - row;
          band.first = NULL;
          for (guint i = 0; i < w->geom->panels->len; i++)
            {
              const FlGeomPanel *panel = fl_geometry_panel (w->geom, i);
              if (w->plane[i] != p || panel->min_ss < row || panel->min_ss >= end)
                continue;
              band.first = band.first != NULL ? band.first : panel;
              band_of[i] = bands->len;
            }
          g_array_append_val (bands, band);
        }
    }
  memcpy (w->plane, band_of, w->geom->panels->len * sizeof *band_of);
  g_array_set_size (w->planes, 0);
  g_array_append_vals (w->planes, bands->data, bands->len);
}

static void
add_arrays (const Writer *w)
{
  GString *text = w->text;
  guint n = w->geom->panels->len;
  g_string_append (text, "loop_\n_array_structure_list.array_id\n_array_structure_list.array_section_id\n"
                         "_array_structure_list.index\n_array_structure_list.dimension\n"
                         "_array_structure_list.precedence\n_array_structure_list.direction\n"
                         "_array_structure_list.axis_set_id\n");
  for (guint p = 0; p < w->planes->len; p++)
    {
      const Plane *plane = &g_array_index (w->planes, Plane, p);
      g_string_append_printf (text, " ARRAY%u . 1 %d 1 increasing .\n ARRAY%u . 2 %d 2 increasing .\n", p + 1,
                              plane->width, p + 1, plane->height);
    }
  for (guint i = 0; i < n; i++)
    {
      const FlGeomPanel *panel = fl_geometry_panel (w->geom, i);
      g_string_append_printf (
          text, " ARRAY%u %s 1 %u 1 increasing AXIS_%s_F\n ARRAY%u %s 2 %u 2 increasing AXIS_%s_S\n",
          w->plane[i] + 1, w->names[i], fl_geometry_n_fs (panel), w->names[i], w->plane[i] + 1, w->names[i],
          fl_geometry_n_ss (panel), w->names[i]);
    }
  g_string_append (text, "\nloop_\n_array_structure_list_section.array_id\n_array_structure_list_section.id\n"
                         "_array_structure_list_section.index\n_array_structure_list_section.start\n"
                         "_array_structure_list_section.end\n");
  for (guint i = 0; i < n; i++)
    {
      const FlGeomPanel *panel = fl_geometry_panel (w->geom, i);
      int low = g_array_index (w->planes, Plane, w->plane[i]).low;
      g_string_append_printf (text, " ARRAY%u %s 1 %d %d\n ARRAY%u %s 2 %d %d\n", w->plane[i] + 1,
                              w->names[i], panel->min_fs + 1, panel->max_fs + 1, w->plane[i] + 1, w->names[i],
                              panel->min_ss - low + 1, panel->max_ss - low + 1);
    }
}

static void
add_steps (const Writer *w)
{
  GString *text = w->text;
  g_string_append (text,
                   "\nloop_\n_array_structure_list_axis.axis_set_id\n_array_structure_list_axis.axis_id\n"
                   "_array_structure_list_axis.displacement\n"
                   "_array_structure_list_axis.displacement_increment\n");
  for (guint i = 0; i < w->geom->panels->len; i++)
    {
      FlGeometryPlace place = fl_geometry_place (w->geom, fl_geometry_panel (w->geom, i));
      g_string_append_printf (text, " AXIS_%s_F AXIS_%s_F 0 ", w->names[i], w->names[i]);
      fl_geometry_add_digits (text, fl_vec3_norm (place.fs), 15);
      g_string_append_printf (text, "\n AXIS_%s_S AXIS_%s_S 0 ", w->names[i], w->names[i]);
      fl_geometry_add_digits (text, fl_vec3_norm (place.ss), 15);
      g_string_append_c (text, '\n');
    }
}

/* --- axes --- */

static void
add_axis (GString *text, const char *id, const char *type, const char *parent, FlVec3 vector, FlVec3 offset,
          const char *component)
{
  g_string_append_printf (text, " %s %s detector %s", id, type, parent);
  add_vector (text, vector, 15);
  add_vector (text, offset, 12);
  g_string_append_printf (text, " %s\n", component);
}

static char *
group_axis (const Writer *w, int group)
{
  return group < 0 ? g_strdup (DETECTOR_AXIS)
                   : g_strdup_printf ("FS_%s", g_array_index (w->groups, Group, group).name);
}

static void
add_axes (const Writer *w)
{
  static const FlVec3 none = { 0, 0, 0 };
  GString *text = w->text;
  g_string_append (text,
                   "\nloop_\n_axis.id\n_axis.type\n_axis.equipment\n_axis.depends_on\n_axis.vector[1]\n"
                   "_axis.vector[2]\n_axis.vector[3]\n_axis.offset[1]\n_axis.offset[2]\n_axis.offset[3]\n"
                   "_axis.equipment_component\n"
                   " AXIS_SOURCE general source . 0 0 1 . . . .\n"
                   " AXIS_GRAVITY general gravity . 0 -1 0 . . . .\n"
                   " AXIS_DETECTOR_Z translation detector . 0 0 1 0 0 0 detector_arm\n");
  for (guint g = 0; g < w->groups->len; g++)
    {
      const Group *group = &g_array_index (w->groups, Group, g);
      FlVec3 from = group->parent >= 0 ? g_array_index (w->groups, Group, group->parent).centre : none;
      g_autofree char *id = group_axis (w, (int) g), *parent = group_axis (w, group->parent);
      add_axis (text, id, "rotation", parent, fl_vec3 (0, 0, 1),
                to_imgcif (fl_vec3_sub (group->centre, from)), collection_of (w, group));
    }
  for (guint i = 0; i < w->geom->panels->len; i++)
    {
      FlGeometryPlace place = fl_geometry_place (w->geom, fl_geometry_panel (w->geom, i));
      FlVec3 from = w->group[i] >= 0 ? g_array_index (w->groups, Group, w->group[i]).centre : none;
      g_autofree char *slow = g_strdup_printf ("AXIS_%s_S", w->names[i]),
                      *fast = g_strdup_printf ("AXIS_%s_F", w->names[i]),
                      *parent = group_axis (w, w->group[i]);
      from.z += fl_geometry_clen (w->geom);
      add_axis (text, slow, "translation", parent, to_imgcif (fl_vec3_unit (place.ss)),
                to_imgcif (fl_vec3_sub (place.origin, from)), "detector_panel");
      add_axis (text, fast, "translation", slow, to_imgcif (fl_vec3_unit (place.fs)), none, "detector_panel");
    }
}

/* Every axis at 0, but the detector at its distance. */
static void
add_settings (const Writer *w)
{
  GString *text = w->text;
  g_autoptr (GPtrArray) axes = g_ptr_array_new_with_free_func (g_free);
  for (guint g = 0; g < w->groups->len; g++)
    g_ptr_array_add (axes, group_axis (w, (int) g));
  for (guint i = 0; i < w->geom->panels->len; i++)
    {
      g_ptr_array_add (axes, g_strdup_printf ("AXIS_%s_S", w->names[i]));
      g_ptr_array_add (axes, g_strdup_printf ("AXIS_%s_F", w->names[i]));
    }
  g_autoptr (GString) distance = g_string_new ("");
  fl_geometry_add_number (distance, -fl_geometry_clen (w->geom), 12);
  g_string_append_printf (text,
                          "\nloop_\n_diffrn_scan_axis.axis_id\n_diffrn_scan_axis.scan_id\n"
                          "_diffrn_scan_axis.angle_start\n_diffrn_scan_axis.angle_range\n"
                          "_diffrn_scan_axis.angle_increment\n_diffrn_scan_axis.displacement_start\n"
                          "_diffrn_scan_axis.displacement_range\n_diffrn_scan_axis.displacement_increment\n"
                          " AXIS_SOURCE SCAN1 0 0 0 0 0 0\n AXIS_GRAVITY SCAN1 0 0 0 0 0 0\n"
                          " " DETECTOR_AXIS " SCAN1 0 0 0 %s 0 0\n",
                          distance->str);
  for (guint i = 0; i < axes->len; i++)
    g_string_append_printf (text, " %s SCAN1 0 0 0 0 0 0\n", (char *) axes->pdata[i]);
  g_string_append_printf (text,
                          "\nloop_\n_diffrn_scan_frame_axis.axis_id\n_diffrn_scan_frame_axis.frame_id\n"
                          "_diffrn_scan_frame_axis.angle\n_diffrn_scan_frame_axis.displacement\n"
                          " AXIS_SOURCE FRAME1 0 0\n AXIS_GRAVITY FRAME1 0 0\n " DETECTOR_AXIS
                          " FRAME1 0 %s\n",
                          distance->str);
  for (guint i = 0; i < axes->len; i++)
    g_string_append_printf (text, " %s FRAME1 0 0\n", (char *) axes->pdata[i]);
}

/* --- head, beam, intensities --- */

static void
add_head (const Writer *w)
{
  GString *text = w->text;
  g_string_append (text, "###CBF: VERSION 1.5\n");
  for (guint i = 0; i < w->geom->comments->len; i++)
    g_string_append_printf (text, "# %s\n", (char *) w->geom->comments->pdata[i]);
  g_string_append (text, "\ndata_geometry\n\n_diffrn.id DS1\n\n_diffrn_source.diffrn_id DS1\n"
                         "_diffrn_source.source xfel\n\n_diffrn_detector.diffrn_id DS1\n"
                         "_diffrn_detector.id DETECTOR\n_diffrn_detector.type panels\n");
  g_string_append_printf (text,
                          "_diffrn_detector.number_of_axes 1\n\n_diffrn_detector_axis.detector_id DETECTOR\n"
                          "_diffrn_detector_axis.axis_id " DETECTOR_AXIS "\n\n"
                          "loop_\n_diffrn_detector_element.id\n_diffrn_detector_element.detector_id\n");
  for (guint p = 0; p < w->planes->len; p++)
    g_string_append_printf (text, " ELE%u DETECTOR\n", p + 1);
  g_string_append (text, "\nloop_\n_diffrn_data_frame.id\n_diffrn_data_frame.detector_element_id\n"
                         "_diffrn_data_frame.array_id\n_diffrn_data_frame.binary_id\n");
  for (guint p = 0; p < w->planes->len; p++)
    g_string_append_printf (text, " FRAME1 ELE%u ARRAY%u %u\n", p + 1, p + 1, p + 1);
  g_string_append_c (text, '\n');
}

static void
add_beam (const Writer *w)
{
  double wavelength = fl_geometry_wavelength (w->geom);
  g_string_append (w->text, "\n_diffrn_radiation.diffrn_id DS1\n_diffrn_radiation.wavelength_id WAVELENGTH1\n"
                            "_diffrn_radiation.probe x-ray\n_diffrn_radiation_wavelength.id WAVELENGTH1\n"
                            "_diffrn_radiation_wavelength.wavelength ");
  if (wavelength > 0)
    fl_geometry_add_digits (w->text, wavelength, 15);
  else
    g_string_append_c (w->text, '.');
  g_string_append (w->text, "\n_diffrn_radiation_wavelength.wt 1.0\n\n_diffrn_scan.id SCAN1\n"
                            "_diffrn_scan.frame_id_start FRAME1\n_diffrn_scan.frame_id_end FRAME1\n"
                            "_diffrn_scan.frames 1\n_diffrn_scan_frame.frame_id FRAME1\n"
                            "_diffrn_scan_frame.frame_number 1\n_diffrn_scan_frame.scan_id SCAN1\n");
}

/* counts per photon; NAN: not known */
static double
gain_of (const FlGeom *geom, const FlGeomPanel *panel)
{
  double wavelength = fl_geometry_wavelength (geom);
  if (!isnan (panel->adu_per_photon))
    return panel->adu_per_photon;
  return isnan (panel->adu_per_ev) || !(wavelength > 0)
             ? NAN
             : panel->adu_per_ev
                   * (geom->beam_kind == FL_GEOM_PHOTON_ENERGY ? geom->beam.value
                                                               : FL_EV_ANGSTROM / wavelength);
}

/* Pixels at or below it are bad; NAN: nobody says. */
static double
undefined_of (const FlGeomPanel *panel)
{
  double value = NAN;
  for (guint i = 0; i < panel->n_flags; i++)
    if (panel->flags[i].kind == FL_GEOM_LESS)
      value = fmax (value, (double) nextafterf ((float) panel->flags[i].value, -INFINITY));
  return value;
}

static void
add_or_dot (GString *text, double value)
{
  g_string_append_c (text, ' ');
  if (isfinite (value))
    fl_geometry_add_digits (text, value, 15);
  else
    g_string_append_c (text, '.');
}

static gboolean
differ (double a, double b)
{
  return a != b && !(isnan (a) && isnan (b));
}

static void
add_intensities (const Writer *w, GPtrArray *losses)
{
  gboolean uneven = FALSE;
  g_string_append (w->text, "\nloop_\n_array_intensities.array_id\n_array_intensities.binary_id\n"
                            "_array_intensities.linearity\n_array_intensities.gain\n"
                            "_array_intensities.overload\n_array_intensities.undefined_value\n");
  for (guint p = 0; p < w->planes->len; p++)
    {
      const FlGeomPanel *first = g_array_index (w->planes, Plane, p).first;
      double gain = gain_of (w->geom, first), undefined = undefined_of (first);
      for (guint i = 0; i < w->geom->panels->len; i++)
        {
          const FlGeomPanel *panel = fl_geometry_panel (w->geom, i);
          uneven |= w->plane[i] == p
                    && (differ (gain_of (w->geom, panel), gain) || differ (panel->max_adu, first->max_adu)
                        || differ (undefined_of (panel), undefined));
        }
      g_string_append_printf (w->text, " ARRAY%u %u linear", p + 1, p + 1);
      add_or_dot (w->text, isnan (gain) ? 1 : gain); /* DIALS takes none for 0, and refuses that */
      add_or_dot (w->text,
                  isfinite (first->max_adu) ? (double) nextafterf ((float) first->max_adu, INFINITY) : NAN);
      add_or_dot (w->text, undefined);
      g_string_append_c (w->text, '\n');
    }
  if (uneven)
    fl_geometry_lose (
        losses, "gains and limits that differ between panels of one array: the first one's are written");
}

static void
add_structure (const Writer *w)
{
  g_string_append (w->text, "\nloop_\n_array_structure.id\n_array_structure.encoding_type\n"
                            "_array_structure.compression_type\n_array_structure.byte_order\n");
  for (guint p = 0; p < w->planes->len; p++)
    g_string_append_printf (w->text, " ARRAY%u 'signed 32-bit integer' byte_offset little_endian\n", p + 1);
}

/* --- losses --- */

static void
lose_rest (const FlGeom *geom, GPtrArray *losses)
{
  guint rules = 0, masks = 0, maps = 0, ev = 0;
  for (guint i = 0; i < geom->panels->len; i++)
    {
      const FlGeomPanel *panel = fl_geometry_panel (geom, i);
      for (guint k = 0; k < panel->n_flags; k++)
        rules += panel->flags[k].kind != FL_GEOM_LESS;
      for (guint k = 0; k < FL_GEOM_MASKS; k++)
        masks += panel->masks[k].data != NULL;
      masks += panel->mask_edge > 0 || panel->no_index;
      maps += panel->saturation_map != NULL;
      ev += !isnan (panel->adu_per_ev) && isnan (panel->adu_per_photon);
    }
  if (rules > 0)
    fl_geometry_lose (losses, "values of bad pixels (flag_morethan, flag_equal)");
  if (masks > 0 || geom->bad->len > 0)
    fl_geometry_lose (losses, "masks and bad regions");
  if (maps > 0)
    fl_geometry_lose (losses, "saturation maps");
  if (ev > 0)
    fl_geometry_lose (losses, fl_geometry_wavelength (geom) > 0
                                  ? "gain by energy (adu_per_eV): it becomes counts per photon of this energy"
                                  : "gain by energy (adu_per_eV), as the photons' energy is not known");
}

static void
lose_layout (const Writer *w, GPtrArray *losses)
{
  const FlGeomPanel *first = g_array_index (w->planes, Plane, 0).first;
  if (w->planes->len > 1 || strcmp (first->data, FL_GEOMETRY_DATA) != 0 || first->n_dims != 3
      || first->dims[0] != FL_GEOM_DIM_FRAME || first->dims[1] != FL_GEOM_DIM_SS
      || first->dims[2] != FL_GEOM_DIM_FS)
    fl_geometry_lose (losses, "paths and dimensions of the data: an array is a plane of %d x %d px",
                      g_array_index (w->planes, Plane, 0).width, g_array_index (w->planes, Plane, 0).height);
}

char *
fl_geometry_write_imgcif (const FlGeom *geom, GPtrArray *losses)
{
  guint n = geom->panels->len;
  g_auto (GStrv) names = fl_geometry_names (geom);
  g_autofree guint *plane = g_new0 (guint, n);
  g_autofree int *group = g_new0 (int, n);
  g_autoptr (GArray) groups = g_array_new (FALSE, FALSE, sizeof (Group));
  g_autoptr (GArray) planes = g_array_new (FALSE, FALSE, sizeof (Plane));
  g_autoptr (GArray) named = fl_geometry_groups (geom);
  Writer w = { geom, names, named, groups, planes, plane, group, g_string_new ("") };
  g_array_set_clear_func (groups, group_clear);
  find_planes (&w);
  lose_layout (&w, losses);
  cut_planes (&w);
  find_groups (&w, losses);
  add_head (&w);
  add_arrays (&w);
  add_steps (&w);
  add_axes (&w);
  add_settings (&w);
  add_beam (&w);
  add_intensities (&w, losses);
  add_structure (&w);
  lose_rest (geom, losses);
  return g_string_free (w.text, FALSE);
}
