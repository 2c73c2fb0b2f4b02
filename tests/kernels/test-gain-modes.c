/* test-gain-modes.c: gains by the top bits or by thresholds, against the naive reading of every pixel. */
#include <math.h>

#include "kernels/gain-modes.h"
#include "tests/kernels/on-devices.h"

#define N (3 * FLK_GAIN_PIXELS + 77)

typedef struct
{
  guint16 raw[N], gain[N];
  guint8 mask[N];
  float pedestal[4][N], factor[4][N], threshold[2][N];
} Case;

static guint32
next (guint32 *state)
{
  *state = *state * 1664525u + 1013904223u;
  return *state >> 8;
}

/* Long stretches in slot 0, stretches of all, some pixels without constants. `most`: bits of the raw values. */
static Case *
draw_case (guint32 seed)
{
  Case *c = g_new0 (Case, 1);
  for (gsize i = 0; i < N; i++)
    {
      gboolean mixed = i / 1000 % 3 == 1;
      c->raw[i] = (guint16) (next (&seed) & (mixed ? 0xffff : 0x3fff));
      c->gain[i] = (guint16) (next (&seed) & 0x3fff);
      c->mask[i] = next (&seed) % 50 == 0 ? 3 : 0;
      for (guint s = 0; s < 4; s++)
        {
          c->pedestal[s][i] =
              next (&seed) % 300 == 0 ? NAN : 1000.0f + (float) (next (&seed) & 0xfff) * 0.37f;
          c->factor[s][i] =
              next (&seed) % 300 == 0 ? NAN : (s % 2 != 0 ? -1 : 1) * (0.01f + (float) (next (&seed) & 0xff));
        }
      c->threshold[0][i] = 4000.0f + (float) (next (&seed) & 0xfff);
      c->threshold[1][i] = c->threshold[0][i] + 3000.5f;
    }
  return c;
}

typedef struct
{
  gboolean second, masked;
  guint missing; /* slots without constants, a bit each */
  float scale;
} Form;

static void
check (FlkDevice *device, const Case *c, Form form)
{
  FlkBuffer at[16] = { 0 };
  FlkGainModesArgs args = { .raw = flk_stage (device, &at[0], c->raw, sizeof c->raw),
                            .n = N,
                            .scale = form.scale,
                            .value_bits = 0x3fff,
                            .values = flk_buffer_need (device, &at[1], N * sizeof (float)),
                            .bad = flk_buffer_need (device, &at[2], N) };
  if (form.masked)
    args.mask = flk_stage (device, &at[3], c->mask, N);
  if (form.second)
    args.gain = flk_stage (device, &at[4], c->gain, sizeof c->gain);
  for (guint i = 0; i < 2; i++)
    args.threshold[i] = flk_stage (device, &at[5 + i], c->threshold[i], sizeof c->threshold[i]);
  for (guint s = 0; s < 4; s++)
    if (!(form.missing >> s & 1))
      {
        args.pedestal[s] = flk_stage (device, &at[7 + s], c->pedestal[s], sizeof c->pedestal[s]);
        args.factor[s] = flk_stage (device, &at[11 + s], c->factor[s], sizeof c->factor[s]);
      }
  launch (device, "gain_modes", flk_gain_modes_teams (N), &args, sizeof args);
  g_autofree float *values = fetched (device, args.values, N * sizeof (float));
  g_autofree guint8 *bad = fetched (device, args.bad, N);
  guint n_bad = 0;
  for (gsize i = 0; i < N; i++)
    {
      guint slot = form.second ? (c->gain[i] > c->threshold[0][i]) + (c->gain[i] > c->threshold[1][i])
                               : c->raw[i] / 16384;
      float value = (float) (c->raw[i] % 16384) - c->pedestal[slot][i];
      value = value * c->factor[slot][i];
      value = value * form.scale;
      gboolean good = !(form.missing >> slot & 1) && !isnan (value) && !(form.masked && c->mask[i]);
      g_assert_cmpint (bad[i], ==, !good);
      g_assert_true (values[i] == (good ? value : 0));
      n_bad += !good;
    }
  g_assert_cmpint (n_bad, >, 100);
  g_assert_cmpint (n_bad, <, N);
  for (guint i = 0; i < G_N_ELEMENTS (at); i++)
    flk_buffer_clear (device, &at[i]);
}

static void
test_forms (FlkDevice *device)
{
  static const Form forms[] = {
    { FALSE, TRUE, 4, 1 },                                  /* Jungfrau: 10 is no gain */
    { FALSE, FALSE, 4, 0.107f }, { FALSE, TRUE, 12, 0.5f }, /* ePix10k: bit 14 alone */
    { TRUE, TRUE, 8, 0.25f },                               /* AGIPD */
    { FALSE, TRUE, 1, 1 },                                  /* nothing for the commonest */
  };
  g_autofree Case *c = draw_case (5);
  for (guint i = 0; i < G_N_ELEMENTS (forms); i++)
    check (device, c, forms[i]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  on_devices ("/gain-modes", test_forms);
  on_devices_launched ("gain_modes");
  return g_test_run ();
}
