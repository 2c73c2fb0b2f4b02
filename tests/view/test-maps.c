/* Densities and models on the wire: what comes back is what was sent, as near as is said; what cannot be is refused. */
#include <math.h>
#include <string.h>

#include "engine/view/messages-maps.h"

/* As it comes out at the other end: bytes that may be anything, read without trust. */
static GVariant *
through_wire (GVariant *body, const char *type)
{
  g_autoptr (GVariant) own = g_variant_ref_sink (body);
  g_autoptr (GBytes) bytes = g_bytes_new (g_variant_get_data (own), g_variant_get_size (own));
  return g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE (type), bytes, FALSE));
}

static FlViewMap *
make (guint32 a, guint32 b, guint32 c)
{
  FlViewMap *map = fl_view_map_new ((const guint32[]){ a, b, c });
  GRand *random = g_rand_new_with_seed (3);
  double sum = 0, squares = 0;
  gsize n = fl_view_map_points (map);
  map->min = INFINITY;
  map->max = -INFINITY;
  for (gsize i = 0; i < n; i++)
    {
      /* Noise about 0.2 and, rarely, an atom. */
      double x = 0.2 + 0.5 * (g_rand_double (random) + g_rand_double (random) - 1);
      x += i % 997 == 0 ? 12 : 0;
      map->values[i] = (float) x;
      sum += x;
      squares += x * x;
      map->min = fmin (map->min, (double) map->values[i]);
      map->max = fmax (map->max, (double) map->values[i]);
    }
  map->mean = sum / (double) n;
  map->sigma = sqrt (squares / (double) n - map->mean * map->mean);
  map->periodic = TRUE;
  for (int i = 0; i < 3; i++)
    {
      map->step[i][i] = 0.5 + i;
      map->corner[i] = -i;
      map->cell[i] = 10 + i;
      map->cell[3 + i] = 90;
    }
  g_rand_free (random);
  return map;
}

static void
test_round_trip (void)
{
  g_autoptr (FlViewMap) map = make (31, 20, 17);
  for (FlViewEncoding encoding = FL_VIEW_RAW; encoding < FL_VIEW_ENCODING_LAST; encoding++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) body = through_wire (fl_view_map_encode (map, encoding), FL_VIEW_MAP_REPLY);
      g_autoptr (FlViewMap) back = fl_view_map_decode (body, &error);
      g_assert_no_error (error);
      g_assert_cmpmem (back->n, sizeof back->n, map->n, sizeof map->n);
      g_assert_cmpmem (back->step, sizeof back->step, map->step, sizeof map->step);
      g_assert_cmpmem (back->corner, sizeof back->corner, map->corner, sizeof map->corner);
      g_assert_cmpmem (back->cell, sizeof back->cell, map->cell, sizeof map->cell);
      g_assert_true (back->periodic);
      g_assert_cmpfloat (back->sigma, ==, map->sigma);
      if (encoding == FL_VIEW_COMPACT)
        g_assert_cmpuint (g_variant_get_size (body), <, fl_view_map_points (map) + 400);
      for (gsize i = 0; i < fl_view_map_points (map); i++)
        {
          double x = ((double) map->values[i] - map->mean) / map->sigma;
          double y = ((double) back->values[i] - map->mean) / map->sigma;
          /* Half a step of asinh: 127 of them to the farthest value. */
          double step = asinh ((map->max - map->mean) / map->sigma) / 127;
          double most = encoding == FL_VIEW_RAW ? 0 : 0.5 * step * sqrt (1 + x * x) * 1.1 + 1e-6;
          g_assert_cmpfloat (fabs (x - y), <=, most);
        }
    }
}

/* A map that a screw axis along b (2₁) takes to itself comes whole, from a part of its points. */
static void
test_folded (void)
{
  static const gint32 ops[2][12] = { { 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0 },
                                     { -1, 0, 0, 0, 1, 0, 0, 0, -1, 0, 5, 0 } };
  g_autoptr (FlViewMap) map = make (12, 10, 8);
  for (int k = 0; k < 8; k++)
    for (int j = 0; j < 10; j++)
      for (int i = 0; i < 12; i++)
        map->values[((8 - k) % 8 * 10 + (j + 5) % 10) * 12 + (12 - i) % 12] =
            map->values[(k * 10 + j) * 12 + i];
  g_autoptr (GVariant) plain = through_wire (fl_view_map_encode (map, FL_VIEW_COMPACT), FL_VIEW_MAP_REPLY);
  map->n_operators = 2;
  map->operators = g_memdup2 (ops, sizeof ops);
  g_autoptr (GVariant) folded = through_wire (fl_view_map_encode (map, FL_VIEW_COMPACT), FL_VIEW_MAP_REPLY);
  g_assert_cmpuint (g_variant_get_size (folded), <, g_variant_get_size (plain) - 12 * 10 * 8 / 2 + 120);
  g_autoptr (FlViewMap) a = fl_view_map_decode (plain, NULL), b = fl_view_map_decode (folded, NULL);
  g_assert_cmpmem (a->values, (int) (fl_view_map_points (a) * sizeof (float)), b->values,
                   (int) (fl_view_map_points (b) * sizeof (float)));
  /* Operators that are none, from who knows whom, go nowhere else than into the map. */
  map->operators[1][4] = G_MAXINT32;
  map->operators[1][9] = G_MININT32;
  g_autoptr (GVariant) odd = through_wire (fl_view_map_encode (map, FL_VIEW_COMPACT), FL_VIEW_MAP_REPLY);
  g_autoptr (FlViewMap) c = fl_view_map_decode (odd, NULL);
  g_assert_nonnull (c);
}

static void
test_hostile (void)
{
  for (int which = 0; which < 8; which++)
    {
      g_autoptr (FlViewMap) map = make (4, 3, 2);
      g_autoptr (GError) error = NULL;
      if (which == 0)
        map->n[2] = 1; /* fewer than there are values: their number tells */
      g_autoptr (GVariant) body = g_variant_ref_sink (fl_view_map_encode (map, FL_VIEW_RAW));
      GVariant *parts[13];
      for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
        parts[i] = g_variant_get_child_value (body, i);
      GVariant *wrong[] = {
        [0] = g_variant_new_uint32 (7),
        [1] = g_variant_new_uint32 (0),
        [2] = g_variant_new_uint32 (G_MAXUINT32),
        [3] = g_variant_new_uint32 (0),
        [4] = g_variant_new_fixed_array (G_VARIANT_TYPE_DOUBLE, (const double[17]){ 1 }, 17, sizeof (double)),
        [5] = g_variant_new_double (NAN),
        [6] = g_variant_new_double (-1),
        [7] = g_variant_new_byte (2),
      };
      const guint place[] = { 2, 0, 1, 3, 4, 6, 7, 10 };
      for (int i = 0; i < 8; i++)
        g_variant_ref_sink (wrong[i]);
      g_variant_unref (parts[place[which]]);
      parts[place[which]] = g_variant_ref (wrong[which]);
      g_autoptr (GVariant) sent = g_variant_ref_sink (g_variant_new_tuple (parts, G_N_ELEMENTS (parts)));
      g_assert_null (fl_view_map_decode (sent, &error));
      g_assert_nonnull (error);
      g_assert_null (strchr (error->message, '\n'));
      for (int i = 0; i < 8; i++)
        g_variant_unref (wrong[i]);
      for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
        g_variant_unref (parts[i]);
    }
  /* Whatever bytes there are, nothing is read beyond them. */
  g_autoptr (FlViewMap) map = make (5, 4, 3);
  g_autoptr (GVariant) good = g_variant_ref_sink (fl_view_map_encode (map, FL_VIEW_COMPACT));
  GRand *random = g_rand_new_with_seed (1);
  guint refused = 0;
  for (int i = 0; i < 3000; i++)
    {
      gsize size = g_variant_get_size (good);
      guint8 *bytes = g_memdup2 (g_variant_get_data (good), size);
      for (int k = 0; k < 3; k++)
        bytes[g_rand_int_range (random, 0, (gint32) size)] = (guint8) g_rand_int_range (random, 0, 256);
      g_autoptr (GBytes) all =
          g_bytes_new_take (bytes, (gsize) g_rand_int_range (random, 1, (gint32) size + 1));
      g_autoptr (GVariant) body =
          g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE (FL_VIEW_MAP_REPLY), all, FALSE));
      g_autoptr (FlViewMap) back = fl_view_map_decode (body, NULL);
      refused += back == NULL;
    }
  g_assert_cmpuint (refused, >, 2000); /* most are cut short */
  g_rand_free (random);
}

static void
test_requests (void)
{
  FlViewMapRequest back, request = { .path = "/a/b.ccp4", .most = 12345, .encoding = FL_VIEW_COMPACT };
  g_autoptr (GVariant) body = through_wire (fl_view_map_request_encode (&request), FL_VIEW_MAP_REQUEST);
  g_autoptr (GError) error = NULL;
  g_assert_true (fl_view_map_request_decode (body, &back, &error));
  g_assert_cmpstr (back.path, ==, request.path);
  g_assert_cmpuint (back.most, ==, 12345);
  request.most = G_MAXUINT32;
  request.encoding = FL_VIEW_ENCODING_LAST;
  g_autoptr (GVariant) bad = through_wire (fl_view_map_request_encode (&request), FL_VIEW_MAP_REQUEST);
  g_assert_false (fl_view_map_request_decode (bad, &back, &error));
  g_assert_cmpuint (back.most, ==, FL_VIEW_MAX_VOXELS);
}

static void
test_model (void)
{
  g_autoptr (FlViewModel) model = fl_view_model_new (2);
  model->atoms[0] = (FlViewAtom){ { 1.2344, -5, 1e9 }, "C", "CA", "ALA", "AAA", -7, 'B', '\0' };
  model->atoms[1] = (FlViewAtom){ { NAN, 0, 0 }, "\033[1m", "O5'", "", "\303\244", 1, '\n', 'A' };
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) body = through_wire (fl_view_model_encode (model), FL_VIEW_MODEL_REPLY);
  g_autoptr (FlViewModel) back = fl_view_model_decode (body, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (back->n_atoms, ==, 2);
  g_assert_cmpfloat_with_epsilon (back->atoms[0].place[0], 1.2344, 0.0005);
  g_assert_cmpfloat (back->atoms[0].place[2], ==, 1e6);
  g_assert_cmpint (back->atoms[0].number, ==, -7);
  g_assert_cmpstr (back->atoms[0].residue, ==, "ALA");
  g_assert_cmpint (back->atoms[0].insertion, ==, 'B');
  g_assert_cmpstr (back->atoms[1].element, ==, "?[1m");
  g_assert_cmpstr (back->atoms[1].name, ==, "O5'");
  g_assert_cmpstr (back->atoms[1].chain, ==, "??");
  g_assert_cmpint (back->atoms[1].insertion, ==, '\0');
  g_assert_true (isfinite (back->atoms[1].place[0]));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/view/maps/round-trip", test_round_trip);
  g_test_add_func ("/view/maps/folded", test_folded);
  g_test_add_func ("/view/maps/hostile", test_hostile);
  g_test_add_func ("/view/maps/requests", test_requests);
  g_test_add_func ("/view/maps/model", test_model);
  return g_test_run ();
}
