#include "engine/simulate/detector-layout.h"

#include <stdio.h>
#include <string.h>

#include "engine/base/hash.h"

#define PIXEL        0.075 /* mm */
#define MODULE_FS    1024
#define MODULE_SS    512
#define JF_GAP_X     1.6 /* mm, between columns of modules */
#define JF_GAP_Y     2.7 /* mm, between modules of a column */
#define EIGER_FS     1030
#define EIGER_SS     514
#define EIGER_GAP_FS 10
#define EIGER_GAP_SS 37

static const struct
{
  const char *name;
  gboolean eiger;
  guint columns, rows; /* of modules */
  double camera_length;
} kinds[] = {
  { "jungfrau-1m", FALSE, 1, 2, 80 },
  { "jungfrau-4m", FALSE, 2, 4, 140 },
  { "eiger-1m", TRUE, 1, 2, 80 },
  { "eiger-4m", TRUE, 2, 4, 140 },
};

/* One module of a slab, turned a little about its corner as modules are when they are mounted. */
static void
add_module (FlDetectorLayout *layout, guint index, double x, double y, FlRandom *random)
{
  FlPanel *panel = &layout->detector->panels[index];
  double turn = 5e-4 * fl_random_normal (random);
  g_free (panel->name);
  panel->name = g_strdup_printf ("m%u", index);
  panel->n_fs = MODULE_FS;
  panel->n_ss = MODULE_SS;
  panel->stride = MODULE_FS;
  panel->offset = (gsize) index * MODULE_SS * MODULE_FS;
  panel->origin = fl_vec3 (x, y, layout->camera_length);
  panel->fs = fl_vec3 (PIXEL * cos (turn), PIXEL * sin (turn), 0);
  panel->ss = fl_vec3 (-PIXEL * sin (turn), PIXEL * cos (turn), 0);
}

static void
add_modules (FlDetectorLayout *layout, guint columns, guint rows, FlRandom *random)
{
  layout->width = MODULE_FS;
  layout->height = columns * rows * MODULE_SS;
  layout->detector = fl_detector_new (columns * rows, (gsize) layout->width * layout->height);
  double w = MODULE_FS * PIXEL, h = MODULE_SS * PIXEL;
  double x0 = -(columns * w + (columns - 1) * JF_GAP_X) / 2, y0 = -(rows * h + (rows - 1) * JF_GAP_Y) / 2;
  for (guint c = 0; c < columns; c++)
    for (guint r = 0; r < rows; r++)
      {
        double x = x0 + c * (w + JF_GAP_X) + 0.05 * fl_random_normal (random);
        double y = y0 + r * (h + JF_GAP_Y) + 0.05 * fl_random_normal (random);
        add_module (layout, c * rows + r, x, y, random);
      }
}

static void
add_single_panel (FlDetectorLayout *layout, guint columns, guint rows, FlRandom *random)
{
  layout->width = columns * EIGER_FS + (columns - 1) * EIGER_GAP_FS;
  layout->height = rows * EIGER_SS + (rows - 1) * EIGER_GAP_SS;
  layout->detector = fl_detector_new (1, (gsize) layout->width * layout->height);
  FlPanel *panel = &layout->detector->panels[0];
  g_free (panel->name);
  panel->name = g_strdup ("p0");
  panel->n_fs = layout->width;
  panel->n_ss = layout->height;
  panel->stride = layout->width;
  panel->origin =
      fl_vec3 (-PIXEL * (layout->width / 2.0 + 3 * fl_random_normal (random)),
               -PIXEL * (layout->height / 2.0 + 3 * fl_random_normal (random)), layout->camera_length);
  panel->fs = fl_vec3 (PIXEL, 0, 0);
  panel->ss = fl_vec3 (0, PIXEL, 0);
}

static void
mark_gaps (FlDetectorLayout *layout)
{
  for (guint y = 0; y < layout->height; y++)
    for (guint x = 0; x < layout->width; x++)
      if (x % (EIGER_FS + EIGER_GAP_FS) >= EIGER_FS || y % (EIGER_SS + EIGER_GAP_SS) >= EIGER_SS)
        layout->state[(gsize) y * layout->width + x] = FL_PIXEL_GAP;
}

static void
mark_flaws (FlDetectorLayout *layout, double fraction, FlRandom *random)
{
  gsize n = layout->detector->n_pixels, n_bad = (gsize) (fraction * (double) n);
  for (gsize i = 0; i < n_bad; i++)
    {
      guint8 *state = &layout->state[fl_random_u64 (random) % n];
      if (*state == FL_PIXEL_GOOD)
        *state = i % 2 == 0 ? FL_PIXEL_DEAD : FL_PIXEL_HOT;
    }
}

static void
mark_shadow (FlDetectorLayout *layout, double radius)
{
  for (guint p = 0; p < layout->detector->n_panels; p++)
    {
      const FlPanel *panel = &layout->detector->panels[p];
      for (guint ss = 0; ss < panel->n_ss; ss++)
        for (guint fs = 0; fs < panel->n_fs; fs++)
          {
            FlVec3 r = fl_panel_position (panel, fs + 0.5, ss + 0.5);
            guint8 *state = &layout->state[panel->offset + ss * panel->stride + fs];
            if (hypot (r.x, r.y) < radius && *state == FL_PIXEL_GOOD)
              *state = FL_PIXEL_SHADOW;
          }
    }
}

static double
own_unless (double given, double unset, double own)
{
  return given == unset ? own : given;
}

/* Modules as the kind has them, and its camera length. */
static void
lay_out (FlDetectorLayout *layout, guint kind, double camera_length, FlRandom *random)
{
  layout->name = g_strdup (kinds[kind].name);
  layout->camera_length = own_unless (camera_length, 0, kinds[kind].camera_length);
  (kinds[kind].eiger ? add_single_panel : add_modules) (layout, kinds[kind].columns, kinds[kind].rows,
                                                        random);
  for (guint p = 0; p < layout->detector->n_panels; p++)
    layout->detector->panels[p].pixel_size = PIXEL;
  layout->state = g_new0 (guint8, layout->detector->n_pixels);
  if (kinds[kind].eiger)
    mark_gaps (layout);
}

FlDetectorLayout *
fl_detector_layout_new (const FlParams *params, GError **error)
{
  guint kind = fl_params_choice (params, "simulate.detector");
  const char *geometry = fl_params_text (params, "simulate.geometry"),
             *name = *geometry != '\0' ? "geometry" : kinds[kind].name;
  double camera_length = fl_params_real (params, "simulate.camera_length");
  gboolean eiger = *geometry == '\0' && kinds[kind].eiger;
  g_autoptr (FlDetectorLayout) layout = g_new0 (FlDetectorLayout, 1);
  layout->type = eiger ? FL_PIXEL_U16 : FL_PIXEL_I16;
  layout->gain = own_unless (fl_params_real (params, "simulate.gain"), 0, eiger ? 1 : 40);
  layout->readout_noise = own_unless (fl_params_real (params, "simulate.readout_noise"), -1, eiger ? 0 : 3);
  layout->saturation = own_unless (fl_params_real (params, "simulate.saturation"), 0, eiger ? 65000 : 32000);
  layout->saturation = MIN (layout->saturation, eiger ? 65534 : G_MAXINT16);
  guint64 seed = (guint64) fl_params_int (params, "simulate.seed");
  FlRandom random = fl_random (fl_hash64 (name, strlen (name), seed));
  if (*geometry == '\0')
    lay_out (layout, kind, camera_length, &random);
  else if (!fl_detector_layout_read (layout, geometry, camera_length, error))
    return NULL;

  FlDetector *detector = layout->detector;
  detector->wavelength = 0; /* every shot has its own */
  mark_flaws (layout, fl_params_real (params, "simulate.bad_fraction"), &random);
  mark_shadow (layout, fl_params_real (params, "simulate.beam_stop"));
  for (gsize i = 0; i < detector->n_pixels; i++)
    detector->mask[i] = layout->state[i] != FL_PIXEL_GOOD;
  for (guint p = 0; p < detector->n_panels; p++)
    {
      detector->panels[p].gain = layout->gain;
      detector->panels[p].saturation = layout->saturation;
    }
  return g_steal_pointer (&layout);
}

void
fl_detector_layout_free (FlDetectorLayout *layout)
{
  if (layout == NULL)
    return;
  g_clear_pointer (&layout->detector, fl_detector_unref);
  g_free (layout->name);
  g_free (layout->groups);
  g_free (layout->state);
  g_free (layout);
}

/* "+0.999999x -0.000512y": components along the axes, in pixels. */
static void
append_direction (GString *text, const FlPanel *panel, const char *axis, FlVec3 step)
{
  g_string_append_printf (text, "%s/%s = %+.9fx %+.9fy", panel->name, axis, step.x / panel->pixel_size,
                          step.y / panel->pixel_size);
  if (fabs (step.z) > 0)
    g_string_append_printf (text, " %+.9fz", step.z / panel->pixel_size);
  g_string_append_c (text, '\n');
}

static void
append_panel (GString *text, const FlDetectorLayout *layout, const FlPanel *panel)
{
  guint min_ss = (guint) (panel->offset / panel->stride);
  double z = panel->origin.z - layout->camera_length; /* mm */
  g_string_append_printf (text, "\n%s/min_fs = 0\n%s/max_fs = %u\n%s/min_ss = %u\n%s/max_ss = %u\n",
                          panel->name, panel->name, panel->n_fs - 1, panel->name, min_ss, panel->name,
                          min_ss + panel->n_ss - 1);
  append_direction (text, panel, "fs", panel->fs);
  append_direction (text, panel, "ss", panel->ss);
  g_string_append_printf (text, "%s/corner_x = %.6f\n%s/corner_y = %.6f\n", panel->name,
                          panel->origin.x / panel->pixel_size, panel->name,
                          panel->origin.y / panel->pixel_size);
  if (fabs (z) > 1e-9)
    g_string_append_printf (text, "%s/coffset = %.9f\n", panel->name, z / 1000);
}

gboolean
fl_detector_layout_write_geometry (const FlDetectorLayout *layout, const char *path, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_string_append_printf (text,
                          "; %s, as firstlight-engine simulate-sfx %s wrote it\n"
                          "photon_energy = /LCLS/photon_energy_eV eV\n"
                          "clen = %.9g m\n"
                          "res = %.9g\n"
                          "adu_per_photon = %.9g\n"
                          "max_adu = %.9g\n"
                          "data = /entry_1/data_1/data\n"
                          "dim0 = %%\n"
                          "dim1 = ss\n"
                          "dim2 = fs\n"
                          "mask0_data = /entry_1/data_1/mask\n"
                          "mask0_goodbits = 0x00\n"
                          "mask0_badbits = 0x01\n",
                          layout->name, FL_VERSION, layout->camera_length / 1000,
                          1000 / layout->detector->panels[0].pixel_size, layout->gain,
                          floor (layout->saturation)
                              - 1); /* what is above is saturated: that it is clipped at, too */
  if (layout->groups != NULL && *layout->groups != '\0')
    g_string_append_printf (text, "\n%s", layout->groups);
  for (guint p = 0; p < layout->detector->n_panels; p++)
    append_panel (text, layout, &layout->detector->panels[p]);
  return g_file_set_contents (path, text->str, (gssize) text->len, error);
}
