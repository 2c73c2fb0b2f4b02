/* on-devices.c: what the kernels' tests share. */
#include "tests/kernels/on-devices.h"

#include <math.h>
#include <string.h>

typedef struct
{
  char *device;
  void (*test) (FlkDevice *device);
} Case;

static GHashTable *launched; /* "DEVICE KERNEL" */

static void
note_launches (const char *name, FlkDevice *device)
{
  FlkUse use;
  g_assert_true (flk_device_use (device, &use));
  if (launched == NULL)
    launched = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_hash_table_add (launched, g_strdup_printf ("%s ", name));
  for (guint i = 0; i < use.n_kernels; i++)
    g_hash_table_add (launched, g_strdup_printf ("%s %s", name, use.kernels[i].name));
}

static void
run_case (gconstpointer data)
{
  const Case *c = data;
  char message[1024];
  FlkDevice *device = flk_device_open (c->device, 0, 2, message, sizeof message);
  if (!device)
    {
      g_test_skip (message);
      return;
    }
  c->test (device);
  note_launches (c->device, device);
  g_assert_cmpstr (flk_error (device), ==, "");
  flk_device_close (device);
}

static void
case_free (gpointer data)
{
  Case *c = data;
  g_free (c->device);
  g_free (c);
}

static GStrv
device_names (void)
{
  const char *names = g_getenv ("FIRSTLIGHT_TEST_DEVICES");
  return g_strsplit (names ? names : "cpu-baseline cpu-v3 cpu-v4 teams cuda hip", " ", -1);
}

void
on_devices (const char *path, void (*test) (FlkDevice *device))
{
  g_auto (GStrv) devices = device_names ();
  for (guint i = 0; devices[i]; i++)
    {
      Case *c = g_new (Case, 1);
      c->device = g_strdup (devices[i]);
      c->test = test;
      g_autofree char *full = g_strdup_printf ("%s/%s", path, devices[i]);
      g_test_add_data_func_full (full, c, run_case, case_free);
    }
}

static void
test_launched (gconstpointer kernels)
{
  g_auto (GStrv) devices = device_names (), names = g_strsplit (kernels, " ", -1);
  for (guint i = 0; devices[i]; i++)
    {
      g_autofree char *opened = g_strdup_printf ("%s ", devices[i]);
      if (launched == NULL || !g_hash_table_contains (launched, opened))
        continue;
      for (guint k = 0; names[k]; k++)
        {
          g_autofree char *wanted = g_strdup_printf ("%s %s", devices[i], names[k]);
          if (!g_hash_table_contains (launched, wanted))
            g_error ("kernel %s was not launched on %s", names[k], devices[i]);
        }
    }
  g_clear_pointer (&launched, g_hash_table_unref);
}

void
on_devices_launched (const char *kernels)
{
  g_test_add_data_func ("/launched/kernels", kernels, test_launched);
}

static gsize
type_size (FlkPixelType type)
{
  static const gsize sizes[] = { 1, 2, 4, 1, 2, 4, 4, 8 };
  return sizes[type];
}

/* Stores v, cut to what the type holds. */
static void
store (Shot *shot, gsize index, double v)
{
  gpointer at = shot->data + index * shot->pixel_size;
  double whole = rint (v);
  switch (shot->type)
    {
    case FLK_PIXEL_U8:
      *(guint8 *) at = (guint8) CLAMP (whole, 0, G_MAXUINT8);
      break;
    case FLK_PIXEL_U16:
      *(guint16 *) at = (guint16) CLAMP (whole, 0, G_MAXUINT16);
      break;
    case FLK_PIXEL_U32:
      *(guint32 *) at = (guint32) CLAMP (whole, 0, G_MAXUINT32);
      break;
    case FLK_PIXEL_I8:
      *(gint8 *) at = (gint8) CLAMP (whole, G_MININT8, G_MAXINT8);
      break;
    case FLK_PIXEL_I16:
      *(gint16 *) at = (gint16) CLAMP (whole, G_MININT16, G_MAXINT16);
      break;
    case FLK_PIXEL_I32:
      *(gint32 *) at = (gint32) CLAMP (whole, G_MININT32, G_MAXINT32);
      break;
    case FLK_PIXEL_F32:
      *(float *) at = (float) v;
      break;
    default:
      *(double *) at = v;
    }
}

static double
load (const Shot *shot, gsize index)
{
  gconstpointer at = shot->data + index * shot->pixel_size;
  switch (shot->type)
    {
    case FLK_PIXEL_U8:
      return *(const guint8 *) at;
    case FLK_PIXEL_U16:
      return *(const guint16 *) at;
    case FLK_PIXEL_U32:
      return *(const guint32 *) at;
    case FLK_PIXEL_I8:
      return *(const gint8 *) at;
    case FLK_PIXEL_I16:
      return *(const gint16 *) at;
    case FLK_PIXEL_I32:
      return *(const gint32 *) at;
    case FLK_PIXEL_F32:
      return *(const float *) at;
    default:
      return *(const double *) at;
    }
}

static void
fill_panel (Shot *shot, const FlkPanel *panel, GRand *random)
{
  double level = g_rand_double_range (random, 2, 60);
  for (guint ss = 0; ss < panel->n_ss; ss++)
    for (guint fs = 0; fs < panel->n_fs; fs++)
      {
        double noise = 0;
        for (int i = 0; i < 6; i++)
          noise += g_rand_double_range (random, -1, 1);
        double bump = fs % 23 < 3 && ss % 19 < 4 && (fs / 23 + ss / 19) % 3 ? 4 * level * (1 + fs % 23) : 0;
        gsize index = panel->offset + ss * panel->stride + fs;
        store (shot, index, level + noise * sqrt (level) + bump);
        shot->mask[index] = g_rand_int_range (random, 0, 40) == 0;
      }
}

Shot *
shot_new (FlkPixelType type, gboolean calibrated, guint32 seed)
{
  static const guint sizes[][2] = { { 1, 1 }, { 70, 45 }, { 256, 33 }, { 300, 97 }, { 13, 130 } };
  g_autoptr (GRand) random = g_rand_new_with_seed (seed);
  Shot *shot = g_new0 (Shot, 1);
  shot->type = type;
  shot->pixel_size = type_size (type);
  shot->calibrated = calibrated;
  shot->n_panels = G_N_ELEMENTS (sizes);
  gsize offset = 5;
  for (guint i = 0; i < shot->n_panels; i++)
    {
      guint stride = sizes[i][0] + (i % 2) * 11;
      shot->panels[i] = (FlkPanel){ offset, stride, sizes[i][0], sizes[i][1], -INFINITY, INFINITY, 0, 0 };
      offset += stride * sizes[i][1] + i;
    }
  shot->panels[1].trusted_min = 3;
  shot->panels[3].trusted_max = 100;
  shot->n_pixels = offset;
  shot->data = g_malloc0 (offset * shot->pixel_size);
  shot->mask = g_malloc0 (offset);
  shot->pedestal = g_new (float, offset);
  shot->factor = g_new (float, offset);
  shot->gain = g_new (float, offset);
  shot->pedestal_all = calibrated ? 1.5f : 0;
  shot->factor_all = calibrated ? 0.75f : 1;
  for (gsize i = 0; i < offset; i++)
    {
      shot->pedestal[i] = (float) g_rand_double_range (random, -2, 3);
      shot->factor[i] = (float) g_rand_double_range (random, 0.5, 1.5);
      shot->gain[i] = (float) g_rand_double_range (random, 0.5, 2);
    }
  for (guint i = 0; i < shot->n_panels; i++)
    fill_panel (shot, &shot->panels[i], random);
  gsize odd = shot->panels[3].offset + 20 * shot->panels[3].stride + 40;
  if (type == FLK_PIXEL_F32 || type == FLK_PIXEL_F64)
    {
      store (shot, odd, NAN);
      store (shot, odd + 1, INFINITY);
      store (shot, odd + 2, -INFINITY);
    }
  store (shot, shot->panels[2].offset + 15 * shot->panels[2].stride + 100,
         3e9); /* beyond 2^24 where the type can */
  shot->factor[odd + 5] = NAN;
  return shot;
}

void
shot_free (Shot *shot)
{
  g_free (shot->data);
  g_free (shot->mask);
  g_free (shot->pedestal);
  g_free (shot->factor);
  g_free (shot->gain);
  g_free (shot);
}

gboolean
shot_pixel (const Shot *shot, guint32 panel, gsize index, float *value)
{
  double raw = load (shot, index);
  *value = (float) raw;
  if (shot->calibrated)
    {
      *value -= shot->pedestal[index];
      *value *= shot->factor[index];
    }
  return !shot->mask[index] && raw > shot->panels[panel].trusted_min && raw < shot->panels[panel].trusted_max
         && isfinite (*value);
}

void
staged_init (Staged *staged, FlkDevice *device, Shot *shot, guint32 tile_ss)
{
  *staged = (Staged){ .device = device, .tile_ss = tile_ss };
  staged->teams = flk_panels_tile (shot->panels, shot->n_panels, tile_ss);
  gsize n = shot->n_pixels;
  staged->pixels =
      (FlkPixels){ .data = flk_stage (device, &staged->buffers[0], shot->data, n * shot->pixel_size),
                   .mask = flk_stage (device, &staged->buffers[1], shot->mask, n),
                   .pedestal_all = 0,
                   .factor_all = 1,
                   .type = (gint32) shot->type };
  staged->panels =
      flk_stage (device, &staged->buffers[2], shot->panels, shot->n_panels * sizeof *shot->panels);
  if (shot->calibrated)
    {
      staged->pixels.pedestal = flk_stage (device, &staged->buffers[3], shot->pedestal, n * sizeof (float));
      staged->pixels.factor = flk_stage (device, &staged->buffers[4], shot->factor, n * sizeof (float));
    }
  staged->gain = flk_stage (device, &staged->buffers[5], shot->gain, n * sizeof (float));
  g_assert_nonnull (staged->gain);
}

void
staged_clear (Staged *staged)
{
  for (guint i = 0; i < G_N_ELEMENTS (staged->buffers); i++)
    flk_buffer_clear (staged->device, &staged->buffers[i]);
}

void
launch (FlkDevice *device, const char *kernel, guint32 teams, gconstpointer args, gsize args_size)
{
  if (!flk_launch (device, kernel, teams, 0, args, args_size) || !flk_sync (device))
    g_error ("%s", flk_error (device));
}

gpointer
fetched (FlkDevice *device, gconstpointer memory, gsize size)
{
  gpointer host = g_malloc (size);
  if (!flk_download (device, host, memory, size) || !flk_sync (device))
    g_error ("%s", flk_error (device));
  return host;
}

void
assert_same (gconstpointer a, gsize size_a, gconstpointer b, gsize size_b)
{
  g_assert_cmpuint (size_a, ==, size_b);
  for (gsize i = 0; i < size_a; i++)
    if (((const guint8 *) a)[i] != ((const guint8 *) b)[i])
      g_error ("byte %zu of %zu differs", i, size_a);
}
