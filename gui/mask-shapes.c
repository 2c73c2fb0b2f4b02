#include "gui/mask-shapes.h"

#include <math.h>
#include <string.h>

/* Where corners are written: on a panel, or in the laboratory. */
typedef struct
{
  const FlwImagePanel *panel; /* NULL: the laboratory */
  guint number;
  double pixel_size;
} Place;

static void
put (GString *text, const char *before, double value, int digits)
{
  char format[8], number[G_ASCII_DTOSTR_BUF_SIZE];
  g_snprintf (format, sizeof format, "%%.%df", digits);
  g_ascii_formatd (number, sizeof number, format, value + 0.0);
  g_string_append_printf (text, "%s%s", before, number);
}

/* Laboratory: y grows upwards; a thousandth of a millimetre and a tenth of a pixel are finer than a pointer. */
static void
convert (const Place *place, double x, double y, double *u, double *v)
{
  const FlwImagePanel *p = place->panel;
  if (!p)
    {
      *u = x * place->pixel_size;
      *v = -y * place->pixel_size;
      return;
    }
  double det = p->fs_x * p->ss_y - p->fs_y * p->ss_x;
  *u = ((x - p->x) * p->ss_y - (y - p->y) * p->ss_x) / det;
  *v = ((y - p->y) * p->fs_x - (x - p->x) * p->fs_y) / det;
}

/* A name that is one word and no number of a panel; else its number. */
static void
put_panel (GString *text, const Place *place)
{
  if (!place->panel)
    return;
  const char *name = place->panel->name;
  gboolean plain = name && *name && *name != '#' && !strpbrk (name, " \t\r\n,");
  if (plain)
    g_string_append_printf (text, " %s", name);
  else
    g_string_append_printf (text, " #%u", place->number);
}

static void
put_rectangle (GString *text, const Place *place, const double u[2], const double v[2])
{
  if (!place->panel)
    {
      put (text, " ", u[0], 3);
      put (text, " ", v[0], 3);
      put (text, " ", u[1], 3);
      put (text, " ", v[1], 3);
      return;
    }
  const double most[2] = { place->panel->n_fs - 1.0, place->panel->n_ss - 1.0 };
  const double *ends[2] = { u, v };
  for (guint axis = 0; axis < 2; axis++)
    {
      double low = floor (fmin (ends[axis][0], ends[axis][1])),
             high = ceil (fmax (ends[axis][0], ends[axis][1])) - 1;
      put (text, " ", CLAMP (low, 0, most[axis]), 0);
      put (text, " ", CLAMP (fmax (high, low), 0, most[axis]), 0);
    }
}

char *
flg_mask_shape_rule (FlwImageView *view, FlwDrawTool tool, guint n, const double *corners, double pixel_size,
                     gboolean on_panel, gboolean unmask)
{
  static const char *const words[] = { "", "rectangle", "ellipse", "polygon" };
  GString *text = g_string_new (unmask ? "unmask " : NULL);
  Place place = { .pixel_size = pixel_size };
  double x = 0, y = 0, fs, ss, u[2], v[2];
  int digits = 3;
  for (guint i = 0; i < n; i++)
    {
      x += corners[2 * i] / n;
      y += corners[2 * i + 1] / n;
    }
  if (on_panel)
    place.panel = flw_image_view_panel_at (view, x, y, &place.number, &fs, &ss);
  if (place.panel)
    digits = 1;
  g_string_append (text, words[tool]);
  put_panel (text, &place);
  for (guint i = 0; i < 2; i++)
    convert (&place, corners[2 * i], corners[2 * i + 1], &u[i], &v[i]);
  if (tool == FLW_DRAW_RECTANGLE)
    put_rectangle (text, &place, u, v);
  else if (tool == FLW_DRAW_ELLIPSE)
    {
      put (text, " ", (u[0] + u[1]) / 2, digits);
      put (text, " ", (v[0] + v[1]) / 2, digits);
      put (text, " ", fabs (u[1] - u[0]) / 2, digits);
      put (text, " ", fabs (v[1] - v[0]) / 2, digits);
    }
  for (guint i = 0; tool == FLW_DRAW_POLYGON && i < n; i++)
    {
      convert (&place, corners[2 * i], corners[2 * i + 1], &u[0], &v[0]);
      put (text, " ", u[0], digits);
      put (text, ",", v[0], digits);
    }
  return g_string_free (text, FALSE);
}
