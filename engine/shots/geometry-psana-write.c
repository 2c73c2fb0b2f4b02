/* psana's tables, written. Panels that lie as the ASICs of a sensor that psana knows, in the data and in space, become such a
 * segment: its place is fitted to their corners. All others are matrices of their own (MTRX:V2). */

#include <math.h>
#include <string.h>

#include "engine/base/units.h"
#include "engine/shots/geometry-private.h"
#include "engine/shots/psana-segments.h"

#define TOLERANCE    0.02 /* px: a sensor's panels may be so far from where it has them */
#define DETECTOR     "DETECTOR:V1"
#define MAX_COMPOSED 4096 /* panels: beyond, none are looked for */

typedef struct
{
  char kind[96];
  guint panels[FL_PSANA_ASICS], n_panels; /* of the geometry */
  guint rows, cols;                       /* px, all of it */
  FlMat3 turn;                            /* from its frame to psana's laboratory */
  FlVec3 centre;                          /* µm, psana's laboratory */
  double off;                             /* px: the largest distance of a corner */
} Segment;

typedef struct
{
  const FlGeom *geom;
  GArray *named;    /* of FlGeomGroup */
  GArray *segments; /* of Segment */
  gboolean *taken;  /* panels */
  double worst;     /* px */
} Table;

static FlVec3
to_psana (FlVec3 v) /* mm to µm */
{
  return fl_vec3 (-v.y * 1e3, -v.x * 1e3, -v.z * 1e3);
}

static FlGeometryPlace
place_of (const FlGeom *geom, guint panel)
{
  FlGeometryPlace place = fl_geometry_place (geom, fl_geometry_panel (geom, panel));
  return (FlGeometryPlace){ to_psana (place.origin), to_psana (place.fs), to_psana (place.ss) };
}

/* --- the fit --- */

static void
corners_of (const FlGeometryPlace *place, guint n_fs, guint n_ss, FlVec3 corners[4])
{
  for (int k = 0; k < 4; k++)
    corners[k] = fl_vec3_add (place->origin, fl_vec3_add (fl_vec3_scale (place->fs, k & 1 ? n_fs : 0),
                                                          fl_vec3_scale (place->ss, k & 2 ? n_ss : 0)));
}

/* Least squares: as the corners of the sensor lie evenly about its middle, the sums along its axes are independent. */
static void
fit (const FlGeom *geom, const FlPsanaSegment *shape, Segment *segment)
{
  FlVec3 sensor[4 * FL_PSANA_ASICS], there[4 * FL_PSANA_ASICS];
  FlVec3 middle = { 0, 0, 0 }, centre = { 0, 0, 0 }, along_x = { 0, 0, 0 }, along_y = { 0, 0, 0 };
  guint n = 4 * segment->n_panels;
  for (guint a = 0; a < segment->n_panels; a++)
    {
      FlGeometryPlace own = { shape->corner[a], shape->fs, shape->ss },
                      place = place_of (geom, segment->panels[a]);
      corners_of (&own, shape->asic_cols, shape->asic_rows, sensor + 4 * a);
      corners_of (&place, shape->asic_cols, shape->asic_rows, there + 4 * a);
    }
  for (guint i = 0; i < n; i++)
    {
      middle = fl_vec3_add (middle, fl_vec3_scale (sensor[i], 1.0 / n));
      centre = fl_vec3_add (centre, fl_vec3_scale (there[i], 1.0 / n));
    }
  for (guint i = 0; i < n; i++)
    {
      FlVec3 d = fl_vec3_sub (there[i], centre);
      along_x = fl_vec3_add (along_x, fl_vec3_scale (d, sensor[i].x - middle.x));
      along_y = fl_vec3_add (along_y, fl_vec3_scale (d, sensor[i].y - middle.y));
    }
  fl_geometry_square_up (&along_x, &along_y);
  FlVec3 along_z = fl_vec3_cross (along_x, along_y);
  segment->turn = (FlMat3){ { { along_x.x, along_y.x, along_z.x },
                              { along_x.y, along_y.y, along_z.y },
                              { along_x.z, along_y.z, along_z.z } } };
  segment->centre = fl_vec3_sub (centre, fl_mat3_apply (&segment->turn, middle));
  segment->off = 0;
  for (guint i = 0; i < n; i++)
    {
      FlVec3 at = fl_vec3_add (fl_mat3_apply (&segment->turn, sensor[i]), segment->centre);
      segment->off = MAX (segment->off, fl_vec3_norm (fl_vec3_sub (at, there[i])) / fl_vec3_norm (shape->fs));
    }
}

/* --- sensors --- */

static gboolean
same_data (const FlGeomPanel *a, const FlGeomPanel *b)
{
  return strcmp (a->data, b->data) == 0 && a->n_dims == b->n_dims
         && memcmp (a->dims, b->dims, sizeof a->dims) == 0;
}

static gboolean
has_shape (const FlGeomPanel *panel, const FlPsanaSegment *shape)
{
  return fl_geometry_n_fs (panel) == shape->asic_cols && fl_geometry_n_ss (panel) == shape->asic_rows;
}

/* ASIC `a` of the sensor whose first one is panel `first`; G_MAXUINT: there is none. */
static guint
find_asic (const Table *table, const FlPsanaSegment *shape, guint first, guint a)
{
  const FlGeomPanel *origin = fl_geometry_panel (table->geom, first);
  int fs = origin->min_fs + (int) (a % shape->n_cols * shape->asic_cols);
  int ss = origin->min_ss + (int) (a / shape->n_cols * shape->asic_rows);
  for (guint i = 0; i < fl_geometry_n (table->geom); i++)
    {
      const FlGeomPanel *panel = fl_geometry_panel (table->geom, i);
      if (panel->min_fs == fs && panel->min_ss == ss && !table->taken[i] && has_shape (panel, shape)
          && same_data (panel, origin))
        return i;
    }
  return G_MAXUINT;
}

static gboolean
compose (const Table *table, const char *kind, guint first, Segment *segment)
{
  FlPsanaSegment shape;
  if (!fl_psana_segment_find (kind, &shape) || !has_shape (fl_geometry_panel (table->geom, first), &shape))
    return FALSE;
  *segment = (Segment){ .n_panels = shape.n_rows * shape.n_cols,
                        .rows = shape.n_rows * shape.asic_rows,
                        .cols = shape.n_cols * shape.asic_cols };
  g_strlcpy (segment->kind, kind, sizeof segment->kind);
  for (guint a = 0; a < segment->n_panels; a++)
    if ((segment->panels[a] = find_asic (table, &shape, first, a)) == G_MAXUINT)
      return FALSE;
  fit (table->geom, &shape, segment);
  return segment->off < TOLERANCE;
}

static void
matrix (const Table *table, guint panel, Segment *segment)
{
  char rows[32], cols[32];
  FlPsanaSegment shape;
  FlGeometryPlace place = place_of (table->geom, panel);
  const FlGeomPanel *from = fl_geometry_panel (table->geom, panel);
  *segment = (Segment){
    .panels = { panel }, .n_panels = 1, .rows = fl_geometry_n_ss (from), .cols = fl_geometry_n_fs (from)
  };
  g_ascii_formatd (rows, sizeof rows, "%.10g", fl_vec3_norm (place.ss));
  g_ascii_formatd (cols, sizeof cols, "%.10g", fl_vec3_norm (place.fs));
  g_snprintf (segment->kind, sizeof segment->kind, "MTRX:V2:%u:%u:%s:%s", segment->rows, segment->cols, rows,
              cols);
  if (fl_psana_segment_find (segment->kind, &shape))
    fit (table->geom, &shape, segment);
}

/* One kind of sensor for all, or matrices for all: psana's arrays have one shape. */
static void
find_segments (Table *table)
{
  guint n = fl_geometry_n (table->geom);
  for (const char *const *kind = fl_psana_composed; *kind != NULL && n <= MAX_COMPOSED; kind++)
    {
      gboolean all = TRUE;
      memset (table->taken, 0, n * sizeof *table->taken);
      for (guint i = 0; i < n && all; i++)
        {
          Segment segment;
          if (table->taken[i])
            continue;
          all = compose (table, *kind, i, &segment);
          for (guint a = 0; all && a < segment.n_panels; a++)
            table->taken[segment.panels[a]] = TRUE;
          if (all)
            g_array_append_val (table->segments, segment);
        }
      if (all)
        return;
      g_array_set_size (table->segments, 0);
    }
  for (guint i = 0; i < n; i++)
    {
      Segment segment;
      matrix (table, i, &segment);
      g_array_append_val (table->segments, segment);
    }
}

/* --- order in the data --- */

static int
fixed_index (const FlGeomPanel *panel)
{
  for (guint d = 0; d < panel->n_dims; d++)
    if (panel->dims[d] >= 0)
      return panel->dims[d];
  return 0;
}

static const FlGeomPanel *
first_panel (const FlGeom *geom, const Segment *segment)
{
  return fl_geometry_panel (geom, segment->panels[0]);
}

static int
by_data (gconstpointer a, gconstpointer b, gpointer data)
{
  const FlGeom *geom = data;
  const FlGeomPanel *x = first_panel (geom, a), *y = first_panel (geom, b);
  int fx = fixed_index (x), fy = fixed_index (y);
  return fx != fy ? (fx > fy) - (fx < fy) : (x->min_ss > y->min_ss) - (x->min_ss < y->min_ss);
}

/* What is one upon the other in the data is in that order in the table; else in the file's order. */
static void
order_segments (Table *table, GPtrArray *losses)
{
  const Segment *segments = (const Segment *) (gconstpointer) table->segments->data;
  gboolean stacked = TRUE, same = TRUE;
  for (guint i = 0; i < table->segments->len; i++)
    stacked = stacked && first_panel (table->geom, &segments[i])->min_fs == 0;
  if (stacked)
    g_array_sort_with_data (table->segments, by_data, (gpointer) table->geom);
  for (guint i = 0; i < table->segments->len; i++)
    {
      const FlGeomPanel *first = first_panel (table->geom, &segments[i]);
      same = same && stacked && first->n_dims == 3 && first->dims[0] == FL_GEOM_DIM_FRAME
             && first->dims[1] == FL_GEOM_DIM_SS && first->dims[2] == FL_GEOM_DIM_FS
             && (guint) first->min_ss == i * segments[i].rows && strcmp (first->data, FL_GEOMETRY_DATA) == 0;
    }
  if (!same)
    fl_geometry_lose (losses, "where pixels lie in the data: psana has them as %u segments of %u x %u px",
                      table->segments->len, segments[0].rows, segments[0].cols);
}

/* --- groups --- */

static gboolean
holds (const FlGeomGroup *group, const char *panel)
{
  return g_strv_contains ((const char *const *) group->members, panel);
}

static int
by_size (gconstpointer a, gconstpointer b)
{
  guint x = g_strv_length ((*(FlGeomGroup *const *) a)->members),
        y = g_strv_length ((*(FlGeomGroup *const *) b)->members);
  return (x < y) - (x > y);
}

/* The largest rigid groups that are not everything, and that whole segments belong to; `of` gets each segment's, by number.
 * NULL: they do not hold every segment once. */
static GPtrArray *
choose_groups (const Table *table, guint *of)
{
  const FlGeom *geom = table->geom;
  guint n = table->segments->len, placed = 0;
  g_autoptr (GPtrArray) sorted = g_ptr_array_new (), chosen = g_ptr_array_new ();
  for (guint i = 0; i < table->named->len; i++)
    {
      FlGeomGroup *group = &g_array_index (table->named, FlGeomGroup, i);
      if (g_strv_length (group->members) < geom->panels->len)
        g_ptr_array_add (sorted, group);
    }
  g_ptr_array_sort (sorted, by_size);
  for (guint s = 0; s < n; s++)
    of[s] = G_MAXUINT;
  for (guint g = 0; g < sorted->len && placed < n; g++)
    {
      guint inside = 0, free = 0, panels = 0;
      for (guint s = 0; s < n; s++)
        {
          const Segment *segment = &g_array_index (table->segments, Segment, s);
          guint here = 0;
          for (guint a = 0; a < segment->n_panels; a++)
            here += holds (sorted->pdata[g], fl_geometry_panel (geom, segment->panels[a])->name);
          inside += here == segment->n_panels;
          free += here == segment->n_panels && of[s] == G_MAXUINT;
          panels += here;
        }
      if (inside < 2 || free != inside
          || panels != g_strv_length (((FlGeomGroup *) sorted->pdata[g])->members))
        continue;
      for (guint s = 0; s < n; s++)
        if (holds (sorted->pdata[g], first_panel (geom, &g_array_index (table->segments, Segment, s))->name))
          of[s] = chosen->len;
      g_ptr_array_add (chosen, sorted->pdata[g]);
      placed += inside;
    }
  return placed == n && chosen->len > 1 ? g_steal_pointer (&chosen) : NULL;
}

/* "q0" is QUAD:V1 0, "arm12" ARM:V1 12; a name without a number at its end gets `number`. */
static void
split_name (const char *name, guint number, char **kind, guint *index)
{
  gsize n = strlen (name);
  while (n > 0 && g_ascii_isdigit (name[n - 1]))
    n--;
  *index = name[n] != '\0' && strlen (name + n) < 6 ? (guint) g_ascii_strtoull (name + n, NULL, 10) : number;
  g_autofree char *stem = g_ascii_strup (name, (gssize) n);
  g_strcanon (stem, FL_GEOMETRY_LETTERS, '_');
  *kind = g_strdup_printf ("%s:V1", strcmp (stem, "Q") == 0 || *stem == '\0' ? "QUAD" : stem);
}

/* --- lines --- */

/* Degrees about z, y and x of turn = x · y · z. */
static void
angles_of (const FlMat3 *turn, double degrees[3])
{
  const double (*m)[3] = turn->m;
  double y = asin (CLAMP (m[0][2], -1, 1));
  gboolean upright = fabs (m[0][2]) > 1 - 1e-12; /* z and x turn alike: all goes to z */
  degrees[0] = fl_degrees (upright ? atan2 (m[1][0], m[1][1]) : atan2 (-m[0][1], m[0][0]));
  degrees[1] = fl_degrees (y);
  degrees[2] = upright ? 0 : fl_degrees (atan2 (-m[1][2], m[2][2]));
}

static void
add_rounded (GString *text, double value, const char *format)
{
  char number[64];
  gsize n = strlen (g_ascii_formatd (number, sizeof number, format, value));
  while (number[n - 1] == '0')
    n--;
  number[number[n - 1] == '.' ? n - 1 : n] = '\0';
  g_string_append_printf (text, " %14s", strcmp (number, "-0") == 0 ? "0" : number);
}

/* µm to 1e-6 (1e-9 mm), degrees to 1e-8. */
static void
add_row (GString *text, const char *parent, guint parent_index, const char *kind, guint index, FlVec3 shift,
         const FlMat3 *turn)
{
  double degrees[3] = { 0 }, design[3];
  if (turn != NULL)
    angles_of (turn, degrees);
  g_string_append_printf (text, "%-11s %3u %-11s %3u", parent, parent_index, kind, index);
  add_rounded (text, shift.x, "%.6f");
  add_rounded (text, shift.y, "%.6f");
  add_rounded (text, shift.z, "%.6f");
  for (int i = 0; i < 3; i++)
    {
      design[i] = rint (degrees[i] / 90) * 90;
      g_string_append_printf (text, " %4d", (int) (design[i] < 0 ? design[i] + 360 : design[i]));
    }
  for (int i = 0; i < 3; i++)
    add_rounded (text, degrees[i] - design[i], "%.8f");
  g_string_append_c (text, '\n');
}

static void
add_comments (GString *text, const FlGeom *geom)
{
  for (guint i = 0; i < geom->comments->len; i++)
    g_string_append_printf (text, "# %s\n", (char *) geom->comments->pdata[i]);
  g_string_append (
      text, "# HDR PARENT IND OBJECT IND X0[um] Y0[um] Z0[um] ROT-Z ROT-Y ROT-X TILT-Z TILT-Y TILT-X\n");
}

static void
lose_what_is_not_place (const FlGeom *geom, const Table *table, GPtrArray *losses)
{
  guint n = fl_geometry_n (geom), gains = 0, saturations = 0, rules = 0, masks = 0;
  if (table->worst > 1e-6)
    fl_geometry_lose (losses, "panels as they are: they move by up to %.2g px to %s", table->worst,
                      g_array_index (table->segments, Segment, 0).n_panels > 1
                          ? "where the sensor has its ASICs"
                          : "have upright axes");
  for (guint i = 0; i < n; i++)
    {
      const FlGeomPanel *panel = fl_geometry_panel (geom, i);
      gains += !isnan (panel->adu_per_photon) || !isnan (panel->adu_per_ev);
      saturations += isfinite (panel->max_adu) || panel->saturation_map != NULL;
      rules += panel->n_flags > 0;
      for (guint k = 0; k < FL_GEOM_MASKS; k++)
        masks += panel->masks[k].data != NULL;
      masks += panel->mask_edge > 0 || panel->no_index;
    }
  if (gains > 0)
    fl_geometry_lose (losses, "gains (adu_per_photon, adu_per_eV)");
  if (saturations > 0)
    fl_geometry_lose (losses, "saturation (max_adu, saturation_map)");
  if (rules > 0)
    fl_geometry_lose (losses, "values of bad pixels (flag_…)");
  if (masks > 0 || geom->bad->len > 0)
    fl_geometry_lose (losses, "masks and bad regions");
  if (geom->beam.set)
    fl_geometry_lose (losses, "the beam's energy");
}

static void
lose_names (const FlGeom *geom, const Table *table, GPtrArray *losses)
{
  gboolean same = TRUE;
  for (guint s = 0; s < table->segments->len; s++)
    {
      const Segment *segment = &g_array_index (table->segments, Segment, s);
      for (guint a = 0; a < segment->n_panels; a++)
        {
          g_autofree char *name = g_strdup_printf ("p%ua%u", s, a);
          same = same && strcmp (name, fl_geometry_panel (geom, segment->panels[a])->name) == 0;
        }
    }
  if (!same)
    fl_geometry_lose (losses, "names of panels: they come back as p0a0, p0a1 …");
}

/* Whole µm, so that it adds no digits. */
static FlVec3
group_centre (const Table *table, const guint *of, guint group)
{
  FlVec3 sum = { 0, 0, 0 };
  guint n = 0;
  for (guint s = 0; s < table->segments->len; s++)
    if (of[s] == group)
      {
        sum = fl_vec3_add (sum, g_array_index (table->segments, Segment, s).centre);
        n++;
      }
  return fl_vec3 (rint (sum.x / n), rint (sum.y / n), 0);
}

/* One object between the detector and its segments. */
typedef struct
{
  char *kind;
  guint index;
  FlVec3 centre;
} Middle;

static void
middle_clear (gpointer data)
{
  g_free (((Middle *) data)->kind);
}

/* The objects for the groups, in the order of the data; `of` is numbered anew. NULL: the groups would change the order of the
 * data, or have names that psana takes for something else. */
static GArray *
middle_objects (const Table *table, const GPtrArray *groups, guint *of)
{
  guint n = table->segments->len;
  g_autoptr (GArray) middles = g_array_new (FALSE, FALSE, sizeof (Middle));
  g_autoptr (GHashTable) names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_array_set_clear_func (middles, middle_clear);
  g_autofree guint *number = g_new (guint, n);
  for (guint s = 0; s < n; s++)
    {
      FlPsanaSegment unused;
      Middle middle;
      if (s > 0 && of[s] == of[s - 1])
        {
          number[s] = number[s - 1];
          continue;
        }
      split_name (((const FlGeomGroup *) groups->pdata[of[s]])->name, of[s], &middle.kind, &middle.index);
      middle.centre = group_centre (table, of, of[s]);
      number[s] = middles->len;
      g_array_append_val (middles, middle);
      if (g_str_has_prefix (middle.kind, "IP") || g_str_has_prefix (middle.kind, "DETECTOR")
          || fl_psana_segment_find (middle.kind, &unused)
          || !g_hash_table_add (names, g_strdup_printf ("%s %u", middle.kind, middle.index)))
        return NULL;
    }
  memcpy (of, number, n * sizeof *of);
  return g_steal_pointer (&middles);
}

static void
lose_groups (const Table *table, guint n_middles, GPtrArray *losses)
{
  const FlGeom *geom = table->geom;
  guint kept = n_middles, groups = 0, collections = 0;
  for (guint i = 0; i < table->named->len; i++)
    groups += g_strv_length (g_array_index (table->named, FlGeomGroup, i).members) < geom->panels->len;
  if (g_array_index (table->segments, Segment, 0).n_panels > 1)
    kept += table->segments->len;
  for (guint i = 0; i < geom->rigid->len; i++)
    {
      const FlGeomGroup *group = &g_array_index (geom->rigid, FlGeomGroup, i);
      collections += group->collection && strcmp (group->name, "sensors") != 0;
    }
  if (groups > kept)
    fl_geometry_lose (losses, "%u of %u groups of panels", groups - kept, groups);
  if (collections > 0)
    fl_geometry_lose (losses, "collections of groups");
}

/* µm. Who reads the table takes the detector to be downstream, whatever the sign: a camera length that is none (cameras whose zero is
 * elsewhere) gives way to where the first segment is. */
static double
detector_z (const Table *table)
{
  double clen = fl_geometry_clen (table->geom);
  return clen > 0 ? -clen * 1e3 : MIN (rint (g_array_index (table->segments, Segment, 0).centre.z), 0);
}

static void
add_objects (GString *text, const Table *table, GPtrArray *losses)
{
  guint n = table->segments->len;
  double z = detector_z (table);
  g_autofree guint *of = g_new (guint, n);
  g_autoptr (GPtrArray) groups = choose_groups (table, of);
  g_autoptr (GArray) middles = groups != NULL ? middle_objects (table, groups, of) : NULL;
  guint n_middles = middles != NULL ? middles->len : 0;
  lose_groups (table, n_middles, losses);
  for (guint s = 0; s < n; s++)
    {
      const Segment *segment = &g_array_index (table->segments, Segment, s);
      const Middle *middle = n_middles > 0 ? &g_array_index (middles, Middle, of[s]) : NULL;
      FlVec3 shift = fl_vec3_sub (segment->centre, fl_vec3 (0, 0, z));
      if (middle != NULL)
        shift = fl_vec3_sub (shift, middle->centre);
      add_row (text, middle != NULL ? middle->kind : DETECTOR, middle != NULL ? middle->index : 0,
               segment->kind, s, shift, &segment->turn);
    }
  for (guint m = 0; m < n_middles; m++)
    {
      const Middle *middle = &g_array_index (middles, Middle, m);
      add_row (text, DETECTOR, 0, middle->kind, middle->index, middle->centre, NULL);
    }
  add_row (text, "IP", 0, DETECTOR, 0, fl_vec3 (0, 0, z), NULL);
}

char *
fl_geometry_write_psana (const FlGeom *geom, GPtrArray *losses)
{
  GString *text = g_string_new ("");
  g_autofree gboolean *taken = g_new0 (gboolean, fl_geometry_n (geom));
  g_autoptr (GArray) segments = g_array_new (FALSE, FALSE, sizeof (Segment));
  g_autoptr (GArray) named = fl_geometry_groups (geom);
  Table table = { .geom = geom, .named = named, .segments = segments, .taken = taken };
  find_segments (&table);
  for (guint s = 0; s < segments->len; s++)
    table.worst = MAX (table.worst, g_array_index (segments, Segment, s).off);
  add_comments (text, geom);
  order_segments (&table, losses);
  add_objects (text, &table, losses);
  lose_what_is_not_place (geom, &table, losses);
  lose_names (geom, &table, losses);
  return g_string_free (text, FALSE);
}
