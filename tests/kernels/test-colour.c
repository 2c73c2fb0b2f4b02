/* test-colour.c: palettes and the colour kernel. */
#include <math.h>
#include <string.h>

#include "kernels/colour.h"
#include "tests/kernels/on-devices.h"

enum
{
  N = 20000,
  NONE = 0x00000000,
  BAD = (int) 0xff800080
};

static float *
ramp (void)
{
  float *values = g_new (float, N);
  for (int i = 0; i < N; i++)
    values[i] = -50 + 300.0f * (float) i / N;
  values[0] = NAN;
  values[1] = -INFINITY;
  values[2] = INFINITY;
  return values;
}

static double
curve (double t, int scale)
{
  t = CLAMP (t, 0, 1);
  return scale == FLK_SCALE_SQRT ? sqrt (t) : scale == FLK_SCALE_LOG ? log (1 + 999 * t) / log (1000) : t;
}

static void
check_colours (const FlkColourArgs *args, const float *values, const guint32 *out)
{
  g_assert_cmphex (out[0], ==, args->none);
  g_assert_cmphex (out[1], ==, args->bad);
  for (int i = 2; i < N; i++)
    {
      double at =
          curve (((double) values[i] - args->low) / (args->high - args->low), args->scale) * 255 + 0.5;
      /* At an edge between two colours rounding may take either. */
      if (out[i] != args->lut[(int) at])
        g_assert_true (fabs (at - rint (at)) < 1e-3
                       && (out[i] == args->lut[(int) rint (at)] || out[i] == args->lut[(int) rint (at) - 1]));
    }
}

static void
test_kernel (FlkDevice *device)
{
  g_autofree float *values = ramp ();
  for (int scale = FLK_SCALE_LINEAR; scale <= FLK_SCALE_LOG; scale++)
    {
      FlkBuffer in = { 0 }, out = { 0 };
      FlkColourArgs args = { .values = flk_stage (device, &in, values, N * sizeof *values),
                             .out = flk_buffer_need (device, &out, N * sizeof (guint32)),
                             .n = N,
                             .low = 10,
                             .high = 200,
                             .scale = scale,
                             .none = NONE,
                             .bad = (guint32) BAD };
      flk_palette_lut (FLK_PALETTE_GREY, args.lut);
      launch (device, "colour", flk_colour_teams (N), &args, sizeof args);
      g_autofree guint32 *got = fetched (device, args.out, N * sizeof *got);
      check_colours (&args, values, got);
      flk_buffer_clear (device, &in);
      flk_buffer_clear (device, &out);
    }
}

static void
test_host (void)
{
  g_autofree float *values = ramp ();
  g_autofree guint32 *out = g_new (guint32, N);
  for (int scale = FLK_SCALE_LINEAR; scale <= FLK_SCALE_LOG; scale++)
    {
      FlkColourArgs args = { .values = values,
                             .out = out,
                             .n = N,
                             .low = 10,
                             .high = 200,
                             .scale = scale,
                             .none = NONE,
                             .bad = (guint32) BAD };
      flk_palette_lut (FLK_PALETTE_VIRIDIS, args.lut);
      flk_colour_map (&args);
      check_colours (&args, values, out);
      for (int i = 3; i < N; i += 7)
        g_assert_cmphex (out[i], ==, args.lut[flk_colour_index (values[i], 10, 200, (FlkScale) scale)]);
      g_assert_cmpuint (flk_colour_index (10, 10, 200, (FlkScale) scale), ==, 0);
      g_assert_cmpuint (flk_colour_index (200, 10, 200, (FlkScale) scale), ==, 255);
      /* An empty range is all first colour, never a division by zero. */
      args.high = args.low;
      flk_colour_map (&args);
      g_assert_cmphex (out[100], ==, args.lut[0]);
    }
}

static double
luminance (guint32 colour)
{
  return 0.2126 * pow ((colour >> 16 & 0xff) / 255.0, 2.2) + 0.7152 * pow ((colour >> 8 & 0xff) / 255.0, 2.2)
         + 0.0722 * pow ((colour & 0xff) / 255.0, 2.2);
}

/* Known colours of the published tables, opaque, and luminance that only rises (or falls, inverted). */
static void
test_palettes (void)
{
  static const struct
  {
    FlkPalette palette;
    guint32 first, middle, last;
  } known[] = { { FLK_PALETTE_VIRIDIS, 0xff440154, 0xff20908c, 0xfffde725 },
                { FLK_PALETTE_CIVIDIS, 0xff00224e, 0xff7c7b78, 0xfffee838 },
                { FLK_PALETTE_GREY, 0xff000000, 0xff7f7f7f, 0xffffffff },
                { FLK_PALETTE_GREY_INVERTED, 0xffffffff, 0xff808080, 0xff000000 } };
  for (guint p = 0; p < G_N_ELEMENTS (known); p++)
    {
      guint32 lut[256];
      flk_palette_lut (known[p].palette, lut);
      g_assert_cmphex (lut[0], ==, known[p].first);
      g_assert_cmphex (lut[255], ==, known[p].last);
      for (int shift = 0; shift < 24; shift += 8)
        g_assert_cmpint (ABS ((int) (lut[127] >> shift & 0xff) - (int) (known[p].middle >> shift & 0xff)), <=,
                         2);
      for (int i = 1; i < 256; i++)
        {
          double rise = luminance (lut[i]) - luminance (lut[i - 1]);
          g_assert_cmphex (lut[i] >> 24, ==, 0xff);
          g_assert_true (known[p].palette == FLK_PALETTE_GREY_INVERTED ? rise < 0 : rise > -2e-3);
        }
      g_assert_cmpstr (flk_palette_name (known[p].palette), !=, "?");
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  on_devices ("/colour/kernel", test_kernel);
  g_test_add_func ("/colour/host", test_host);
  g_test_add_func ("/colour/palettes", test_palettes);
  on_devices_launched ("colour");
  return g_test_run ();
}
