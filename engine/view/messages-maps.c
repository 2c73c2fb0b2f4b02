#include "engine/view/messages-maps.h"

#include <math.h>
#include <string.h>

#include "engine/base/error.h"

#define FRAME          18 /* step, corner, cell */
#define STEPS          127
#define MOST_OPERATORS 192
#define TO_GRID        1000.0 /* a model's places are sent in 0.001 Å, as PDB files have them */
#define FARTHEST       1e6    /* Å */

FlViewMap *
fl_view_map_new (const guint32 n[3])
{
  FlViewMap *map = g_new0 (FlViewMap, 1);
  memcpy (map->n, n, sizeof map->n);
  map->thinned = 1;
  map->values = g_new (float, fl_view_map_points (map));
  return map;
}

FlViewModel *
fl_view_model_new (guint32 n_atoms)
{
  FlViewModel *model = g_new0 (FlViewModel, 1);
  model->n_atoms = n_atoms;
  model->atoms = g_new0 (FlViewAtom, n_atoms);
  return model;
}

void
fl_view_map_free (FlViewMap *map)
{
  if (map == NULL)
    return;
  g_free (map->values);
  g_free (map->operators);
  g_free (map);
}

void
fl_view_model_free (FlViewModel *model)
{
  if (model == NULL)
    return;
  g_free (model->atoms);
  g_free (model);
}

/* --- requests --- */

static GVariant *
text (const char *string)
{
  return g_variant_new_take_string (g_utf8_make_valid (string != NULL ? string : "", -1));
}

GVariant *
fl_view_map_request_encode (const FlViewMapRequest *r)
{
  return g_variant_new ("(@suy)", text (r->path), r->most, (guchar) r->encoding);
}

gboolean
fl_view_map_request_decode (GVariant *body, FlViewMapRequest *r, GError **error)
{
  guchar encoding;
  g_variant_get (body, "(&suy)", &r->path, &r->most, &encoding);
  r->encoding = encoding;
  if (r->most == 0 || r->most > FL_VIEW_MAX_VOXELS)
    r->most = FL_VIEW_MAX_VOXELS;
  if (encoding < FL_VIEW_ENCODING_LAST)
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "view request: encoding %u, expected less than %d", encoding,
               FL_VIEW_ENCODING_LAST);
  return FALSE;
}

GVariant *
fl_view_model_request_encode (const char *path)
{
  return g_variant_new ("(@s)", text (path));
}

const char *
fl_view_model_request_decode (GVariant *body)
{
  const char *path;
  g_variant_get (body, "(&s)", &path);
  return path;
}

/* --- values --- */

/* asinh of the farthest value, in sigmas from the mean. */
static double
reach_of (const FlViewMap *map)
{
  double most = fmax (fabs (map->max - map->mean), fabs (map->min - map->mean));
  return map->sigma > 0 ? asinh (most / map->sigma) : 0;
}

static guint8
to_byte (const FlViewMap *map, double reach, double value)
{
  double x = reach > 0 ? asinh ((value - map->mean) / map->sigma) / reach : 0;
  return (guint8) (gint8) (isfinite (x) ? lrint (CLAMP (x, -1, 1) * STEPS) : 0);
}

/* Where an operator takes a point. */
static gsize
image_of (const FlViewMap *map, const gint32 op[12], gsize i, gsize j, gsize k)
{
  const gint64 p[3] = { (gint64) i, (gint64) j, (gint64) k };
  gint64 to[3];
  for (int a = 0; a < 3; a++)
    {
      gint64 n = map->n[a],
             at = (op[3 * a] * p[0] + op[3 * a + 1] * p[1] + op[3 * a + 2] * p[2] + op[9 + a]) % n;
      to[a] = at < 0 ? at + n : at;
    }
  return ((gsize) to[2] * map->n[1] + (gsize) to[1]) * map->n[0] + (gsize) to[0];
}

/* Both ends go along the points alike: one byte for each that no operator has been to, which is `bytes[…]` and, decoded, is given to
 * all that it stands for. `known` NULL: writes the bytes. FALSE: there are more points than bytes. */
static gboolean
fold (FlViewMap *map, guint n_ops, const gint32 (*ops)[12], guint8 *bytes, gsize room, const float *known,
      gsize *used)
{
  gsize points = fl_view_map_points (map), at = 0;
  double reach = reach_of (map);
  guint8 last = 0;
  g_autofree guint8 *seen = n_ops > 1 ? g_new0 (guint8, points) : NULL;
  *used = 0;
  for (gsize k = 0; k < map->n[2]; k++)
    for (gsize j = 0; j < map->n[1]; j++)
      for (gsize i = 0; i < map->n[0]; i++, at++)
        {
          if (seen != NULL && seen[at])
            continue;
          if (*used == room)
            return FALSE;
          guint8 byte =
              known != NULL ? (guint8) (last + bytes[*used]) : to_byte (map, reach, (double) map->values[at]);
          if (known != NULL)
            map->values[at] = known[byte];
          else
            bytes[*used] = (guint8) (byte - last);
          last = byte;
          (*used)++;
          for (guint o = 1; o < n_ops; o++)
            {
              gsize to = image_of (map, ops[o], i, j, k);
              seen[to] = 1;
              if (known != NULL)
                map->values[to] = known[byte];
            }
        }
  return TRUE;
}

static GVariant *
compact_encode (const FlViewMap *map)
{
  gsize points = fl_view_map_points (map), used;
  guint8 *bytes = g_malloc (MAX (points, 1));
  fold ((FlViewMap *) map, map->n_operators, (const gint32 (*)[12]) map->operators, bytes, points, NULL,
        &used);
  g_autoptr (GBytes) whole = g_bytes_new_take (bytes, used);
  return g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, whole, TRUE);
}

static gboolean
compact_decode (FlViewMap *map, guint n_ops, const gint32 (*ops)[12], const guint8 *bytes, gsize n_bytes)
{
  double reach = reach_of (map);
  float known[256];
  gsize used;
  for (int b = 0; b < 256; b++)
    known[b] = (float) (map->mean + map->sigma * sinh ((double) (gint8) b / STEPS * reach));
  return fold (map, n_ops, ops, (guint8 *) bytes, n_bytes, known, &used) && used == n_bytes;
}

static GVariant *
raw_encode (const FlViewMap *map)
{
  gsize points = fl_view_map_points (map);
  guint32 *bits = g_new (guint32, MAX (points, 1));
  memcpy (bits, map->values, points * sizeof (float));
  for (gsize i = 0; i < points; i++)
    bits[i] = GUINT32_TO_LE (bits[i]);
  g_autoptr (GBytes) whole = g_bytes_new_take (bits, points * sizeof *bits);
  return g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, whole, TRUE);
}

static gboolean
raw_decode (FlViewMap *map, const guint8 *bytes, gsize n_bytes)
{
  gsize points = fl_view_map_points (map);
  if (n_bytes != points * sizeof (float))
    return FALSE;
  for (gsize i = 0; i < points; i++)
    {
      guint32 bits;
      memcpy (&bits, bytes + i * sizeof bits, sizeof bits);
      bits = GUINT32_FROM_LE (bits);
      memcpy (&map->values[i], &bits, sizeof bits);
    }
  return TRUE;
}

/* --- maps --- */

GVariant *
fl_view_map_encode (const FlViewMap *map, FlViewEncoding encoding)
{
  double frame[FRAME];
  gboolean compact = encoding == FL_VIEW_COMPACT;
  memcpy (frame, map->step, sizeof map->step);
  memcpy (frame + 9, map->corner, sizeof map->corner);
  memcpy (frame + 12, map->cell, sizeof map->cell);
  return g_variant_new ("(uuuu@adbddddy@ai@ay)", map->n[0], map->n[1], map->n[2], map->thinned,
                        g_variant_new_fixed_array (G_VARIANT_TYPE_DOUBLE, frame, FRAME, sizeof (double)),
                        map->periodic, map->mean, map->sigma, map->min, map->max, (guchar) encoding,
                        g_variant_new_fixed_array (G_VARIANT_TYPE_INT32, compact ? map->operators : NULL,
                                                   compact ? 12 * map->n_operators : 0, sizeof (gint32)),
                        compact ? compact_encode (map) : raw_encode (map));
}

static gboolean
is_sane (const FlViewMap *map, const double *frame, gsize n_frame, guint encoding, gsize n_numbers)
{
  double all[] = { map->mean, map->sigma, map->min, map->max };
  gsize points = 1;
  for (int i = 0; i < 3; i++)
    {
      if (map->n[i] == 0 || map->n[i] > FL_VIEW_MAX_VOXELS / points)
        return FALSE;
      points *= map->n[i];
    }
  for (gsize i = 0; i < n_frame; i++)
    if (!isfinite (frame[i]))
      return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (all); i++)
    if (!isfinite (all[i]))
      return FALSE;
  return n_frame == FRAME && map->sigma >= 0 && map->thinned > 0 && encoding < FL_VIEW_ENCODING_LAST
         && n_numbers % 12 == 0 && n_numbers / 12 <= MOST_OPERATORS;
}

FlViewMap *
fl_view_map_decode (GVariant *body, GError **error)
{
  g_autoptr (GVariant) frame = NULL, operators = NULL, values = NULL;
  FlViewMap head = { 0 };
  guchar encoding;
  gsize n_frame, n_numbers, n_bytes;
  g_variant_get (body, "(uuuu@adbddddy@ai@ay)", &head.n[0], &head.n[1], &head.n[2], &head.thinned, &frame,
                 &head.periodic, &head.mean, &head.sigma, &head.min, &head.max, &encoding, &operators,
                 &values);
  const double *numbers = g_variant_get_fixed_array (frame, &n_frame, sizeof (double));
  const guint8 *bytes = g_variant_get_fixed_array (values, &n_bytes, 1);
  const gint32 (*ops)[12] = g_variant_get_fixed_array (operators, &n_numbers, sizeof (gint32));
  g_autoptr (FlViewMap) map =
      is_sane (&head, numbers, n_frame, encoding, n_numbers) ? fl_view_map_new (head.n) : NULL;
  head.values = map != NULL ? map->values : NULL;
  if (map != NULL)
    *map = head;
  if (map == NULL
      || !(encoding == FL_VIEW_RAW ? raw_decode (map, bytes, n_bytes)
                                   : compact_decode (map, (guint) (n_numbers / 12), ops, bytes, n_bytes)))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "view reply: a map of %u × %u × %u points in %zu bytes",
                   head.n[0], head.n[1], head.n[2], n_bytes);
      return NULL;
    }
  memcpy (map->step, numbers, sizeof map->step);
  memcpy (map->corner, numbers + 9, sizeof map->corner);
  memcpy (map->cell, numbers + 12, sizeof map->cell);
  return g_steal_pointer (&map);
}

/* --- models --- */

static gint32
to_grid (double x)
{
  return isfinite (x) ? (gint32) lrint (CLAMP (x, -FARTHEST, FARTHEST) * TO_GRID) : 0;
}

GVariant *
fl_view_model_encode (const FlViewModel *model)
{
  GVariantBuilder atoms;
  g_variant_builder_init (&atoms, G_VARIANT_TYPE ("a(iiissssiyy)"));
  for (guint32 i = 0; i < model->n_atoms; i++)
    {
      const FlViewAtom *a = &model->atoms[i];
      g_variant_builder_add (&atoms, "(iii@s@s@s@siyy)", to_grid (a->place[0]), to_grid (a->place[1]),
                             to_grid (a->place[2]), text (a->element), text (a->name), text (a->residue),
                             text (a->chain), a->number, (guchar) a->insertion, (guchar) a->alternative);
    }
  return g_variant_new ("(a(iiissssiyy))", &atoms);
}

FlViewModel *
fl_view_model_decode (GVariant *body, GError **error)
{
  g_autoptr (GVariant) atoms = NULL;
  g_variant_get (body, "(@a(iiissssiyy))", &atoms);
  gsize n = g_variant_n_children (atoms);
  if (n > FL_VIEW_MAX_ATOMS)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "view reply: a model of %zu atoms, expected at most %u",
                   n, FL_VIEW_MAX_ATOMS);
      return NULL;
    }
  FlViewModel *model = fl_view_model_new ((guint32) n);
  for (guint32 i = 0; i < n; i++)
    {
      FlViewAtom *a = &model->atoms[i];
      char *fields[] = { a->element, a->name, a->residue, a->chain };
      const char *texts[G_N_ELEMENTS (fields)];
      gint32 place[3];
      guchar insertion, alternative;
      g_variant_get_child (atoms, i, "(iii&s&s&s&siyy)", &place[0], &place[1], &place[2], &texts[0],
                           &texts[1], &texts[2], &texts[3], &a->number, &insertion, &alternative);
      for (gsize k = 0; k < 3; k++)
        a->place[k] = place[k] / TO_GRID;
      for (gsize k = 0; k < G_N_ELEMENTS (fields); k++)
        for (gsize c = 0; c + 1 < sizeof a->name && texts[k][c] != '\0'; c++)
          fields[k][c] = g_ascii_isgraph (texts[k][c]) ? texts[k][c] : '?';
      a->insertion = g_ascii_isgraph ((char) insertion) ? (char) insertion : '\0';
      a->alternative = g_ascii_isgraph ((char) alternative) ? (char) alternative : '\0';
    }
  return model;
}
