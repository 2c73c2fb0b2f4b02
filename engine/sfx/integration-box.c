#include "engine/sfx/integration-box.h"

#include <math.h>
#include <string.h>

/* A rectangle of a panel, first pixel and size. */
typedef struct
{
  int x0, y0, w, h;
} Rect;

static void
init_pixels (FlBoxPixels *pixels, guint room)
{
  *pixels =
      (FlBoxPixels){ 0, g_new (float, room), g_new (float, room), g_new (float, room), g_new (float, room) };
}

static void
clear_pixels (FlBoxPixels *pixels)
{
  g_free (pixels->x);
  g_free (pixels->y);
  g_free (pixels->v);
  g_free (pixels->w);
}

void
fl_box_init (FlBox *box, double radius, double inner, double outer)
{
  guint side = 2 * (guint) ceil (MAX (outer, radius + 0.5)) + 3;
  *box = (FlBox){
    .radius = (float) radius, .inner = (float) inner, .outer = (float) outer, .room = side * side
  };
  init_pixels (&box->peak, box->room);
  init_pixels (&box->ring, box->room);
  box->claimed = g_new (guint8, box->room);
  box->value = g_new (float, box->room);
  box->bad = g_new (guint8, box->room);
}

void
fl_box_clear (FlBox *box)
{
  clear_pixels (&box->peak);
  clear_pixels (&box->ring);
  g_free (box->claimed);
  g_free (box->value);
  g_free (box->bad);
}

/* The pixels [*first, *last) of a line whose centres are within `half` of `at`, cut to [from, to). */
static void
span (float at, float half, int from, int to, int *first, int *last)
{
  *first = MAX (from, (int) ceilf (at - half - 0.5f));
  *last = MIN (to, (int) floorf (at + half - 0.5f) + 1);
}

static float
half_chord (float radius, float dy)
{
  float square = radius * radius - dy * dy;
  return square > 0 ? sqrtf (square) : -1;
}

static gboolean
on_panel (const FlPanel *panel, double fs, double ss)
{
  return fs >= 0 && ss >= 0 && fs < panel->n_fs && ss < panel->n_ss; /* false for NAN */
}

void
fl_box_claim (const FlBox *box, const FlPanel *panel, double fs, double ss, guint step, guint8 *claims)
{
  if (!on_panel (panel, fs, ss))
    return;
  float x = (float) fs, y = (float) ss, rim = box->radius + 0.5f;
  int y0, y1, x0, x1;
  span (y, rim, 0, (int) panel->n_ss, &y0, &y1);
  for (int row = y0; row < y1; row++)
    {
      guint8 *line = claims + panel->offset + (gsize) row * panel->stride;
      span (x, half_chord (rim, (float) row + 0.5f - y), 0, (int) panel->n_fs, &x0, &x1);
      for (int i = x0; i < x1; i++)
        line[i] = step == 0 ? 0 : (guint8) MIN (line[i] + step, 255u);
    }
}

/* --- reading pixels --- */

typedef void (*CopyFunc) (const void *pixels, gsize first, gsize stride, int w, int h, float *value);

#define COPY(name, type)                                                                                     \
  static void copy_##name (const void *pixels, gsize first, gsize stride, int w, int h, float *value)        \
  {                                                                                                          \
    for (int y = 0; y < h; y++)                                                                              \
      {                                                                                                      \
        const type *line = (const type *) pixels + first + (gsize) y * stride;                               \
        for (int x = 0; x < w; x++)                                                                          \
          value[y * w + x] = (float) line[x];                                                                \
      }                                                                                                      \
  }
COPY (u8, guint8)
COPY (u16, guint16)
COPY (u32, guint32)
COPY (i8, gint8)
COPY (i16, gint16)
COPY (i32, gint32)
COPY (f32, float)
COPY (f64, double)

static const CopyFunc copy_pixels[] = {
  [FL_PIXEL_U8] = copy_u8,   [FL_PIXEL_U16] = copy_u16, [FL_PIXEL_U32] = copy_u32, [FL_PIXEL_I8] = copy_i8,
  [FL_PIXEL_I16] = copy_i16, [FL_PIXEL_I32] = copy_i32, [FL_PIXEL_F32] = copy_f32, [FL_PIXEL_F64] = copy_f64
};

/* Bad by mask, by the panel's rules for values, or no number at all. */
static void
find_bad (FlBox *box, const FlPanel *panel, const guint8 *mask, Rect r)
{
  int n = r.w * r.h;
  gsize first = panel->offset + (gsize) r.y0 * panel->stride + (gsize) r.x0;
  for (int y = 0; y < r.h; y++)
    memcpy (box->bad + y * r.w, mask + first + (gsize) y * panel->stride, (gsize) r.w);
  for (int i = 0; i < n; i++)
    box->bad[i] = box->bad[i] != 0 || !(fabsf (box->value[i]) <= G_MAXFLOAT);
  if (panel->trusted_min > -INFINITY || panel->trusted_max < INFINITY)
    for (int i = 0; i < n; i++)
      box->bad[i] |=
          !(box->value[i] > (float) panel->trusted_min && box->value[i] < (float) panel->trusted_max);
  for (guint bad = 0; bad < panel->n_bad_values; bad++)
    for (int i = 0; i < n; i++)
      box->bad[i] |= box->value[i] == (float) panel->bad_values[bad];
}

/* --- sorting --- */

static void
gather_peak (FlBox *box, const FlDetector *detector, const FlPanel *panel, Rect r, float fs, float ss,
             const guint8 *claims)
{
  FlBoxPixels *peak = &box->peak;
  float rim = box->radius + 0.5f;
  int y0, y1, x0, x1;
  peak->n = 0;
  box->shared = box->saturated = FALSE;
  box->cut = fs < rim - 0.5f || ss < rim - 0.5f || fs > (float) panel->n_fs - rim + 0.5f
             || ss > (float) panel->n_ss - rim + 0.5f;
  span (ss, rim, r.y0, r.y0 + r.h, &y0, &y1);
  for (int row = y0; row < y1; row++)
    {
      float dy = (float) row + 0.5f - ss;
      span (fs, half_chord (rim, dy), r.x0, r.x0 + r.w, &x0, &x1);
      gsize line = panel->offset + (gsize) row * panel->stride;
      for (int column = x0; column < x1; column++)
        {
          int i = (row - r.y0) * r.w + column - r.x0;
          if (box->bad[i])
            {
              box->cut = TRUE;
              continue;
            }
          float dx = (float) column + 0.5f - fs, value = box->value[i];
          double saturation =
              detector->saturation != NULL ? detector->saturation[line + (gsize) column] : panel->saturation;
          guint8 claimed = claims[line + (gsize) column] > 1;
          box->saturated |= value >= saturation;
          box->shared |= claimed;
          box->claimed[peak->n] = claimed;
          peak->x[peak->n] = dx;
          peak->y[peak->n] = dy;
          peak->v[peak->n] = value;
          peak->w[peak->n++] = CLAMP (rim - sqrtf (dx * dx + dy * dy), 0, 1);
        }
    }
}

/* Pixels x0 … x1 of a row: those that are good and nobody's. `value`, `bad`, `claim`: of the row's pixel 0. */
static void
gather_line (FlBoxPixels *ring, int x0, int x1, float fs, float dy, const float *value, const guint8 *bad,
             const guint8 *claim)
{
  guint n = ring->n;
  for (int column = x0; column < x1; column++)
    {
      ring->x[n] = (float) column + 0.5f - fs;
      ring->y[n] = dy;
      ring->v[n] = value[column];
      n += !(bad[column] | claim[column]);
    }
  ring->n = n;
}

static void
gather_ring (FlBox *box, const FlPanel *panel, Rect r, float fs, float ss, const guint8 *claims)
{
  box->ring.n = 0;
  for (int y = 0; y < r.h; y++)
    {
      float dy = (float) (r.y0 + y) + 0.5f - ss;
      int x0, x1, hole0, hole1;
      span (fs, half_chord (box->outer, dy), r.x0, r.x0 + r.w, &x0, &x1);
      span (fs, half_chord (box->inner, dy), x0, x1, &hole0, &hole1);
      if (hole0 >= hole1)
        hole0 = hole1 = x1;
      const guint8 *claim = claims + panel->offset + (gsize) (r.y0 + y) * panel->stride;
      const float *value = box->value + y * r.w - r.x0;
      const guint8 *bad = box->bad + y * r.w - r.x0;
      gather_line (&box->ring, x0, hole0, fs, dy, value, bad, claim);
      gather_line (&box->ring, hole1, x1, fs, dy, value, bad, claim);
    }
}

gboolean
fl_box_gather (FlBox *box, const FlShot *shot, const FlDetector *detector, guint panel_number, double fs,
               double ss, const guint8 *claims)
{
  if (panel_number >= detector->n_panels)
    return FALSE;
  const FlPanel *panel = &detector->panels[panel_number];
  if (!on_panel (panel, fs, ss))
    return FALSE;
  float x = (float) fs, y = (float) ss, reach = MAX (box->outer, box->radius + 0.5f);
  int x0, x1, y0, y1;
  span (x, reach, 0, (int) panel->n_fs, &x0, &x1);
  span (y, reach, 0, (int) panel->n_ss, &y0, &y1);
  Rect r = { x0, y0, x1 - x0, y1 - y0 };
  copy_pixels[shot->type](shot->pixels, panel->offset + (gsize) y0 * panel->stride + (gsize) x0,
                          panel->stride, r.w, r.h, box->value);
  find_bad (box, panel, shot->mask != NULL ? shot->mask : detector->mask, r);
  gather_peak (box, detector, panel, r, x, y, claims);
  gather_ring (box, panel, r, x, y, claims);
  return TRUE;
}
