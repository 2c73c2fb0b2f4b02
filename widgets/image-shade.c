/* A mask over the pixels of FlwImageView: blended into the picture by the worker that paints it, so that a frame costs nothing
 * more. */
#include "widgets/image-private.h"

#include <math.h>

#define SHADE 0xff3d3d /* in none of the palettes, nor a lattice's or a spot's */
#define LEAST 90       /* of 255: how much of it is seen where one pixel of many is masked … */
#define MOST  165      /* … and where all are */

FlwImageShade *
flw_image_shade_ref (FlwImageShade *shade)
{
  g_atomic_ref_count_inc (&shade->ref_count);
  return shade;
}

void
flw_image_shade_unref (FlwImageShade *shade)
{
  if (!g_atomic_ref_count_dec (&shade->ref_count))
    return;
  g_free (shade->shares);
  g_free (shade);
}

void
flw_image_view_set_shade (FlwImageView *view, const FlwImageRequest *of, guint8 *shares)
{
  if (view->shade == NULL && shares == NULL)
    return;
  g_clear_pointer (&view->shade, flw_image_shade_unref);
  if (shares != NULL)
    {
      view->shade = g_new0 (FlwImageShade, 1);
      g_atomic_ref_count_init (&view->shade->ref_count);
      view->shade->request = *of;
      view->shade->shares = shares;
    }
  flw_image_repaint (view);
}

static guint32
blend (guint32 colour, guint alpha)
{
  guint32 mixed = 0xff000000u;
  for (guint shift = 0; shift < 24; shift += 8)
    {
      guint below = colour >> shift & 0xff, above = SHADE >> shift & 0xff;
      mixed |= (below * (255 - alpha) + above * alpha + 127) / 255 << shift;
    }
  return mixed;
}

/* Where a pixel's middle of one raster lies in the other, whose view may be another one; −1: outside. */
static int
index_in (double from, double step, guint i, double to, double to_step, guint n)
{
  double at = (from + (i + 0.5) * step - to) / to_step;
  return at >= 0 && at < n ? (int) at : -1;
}

void
flw_image_shade_paint (const FlwImageShade *shade, const FlwImageRequest *r, guint32 *colours)
{
  const FlwImageRequest *s = &shade->request;
  double dx = (r->x1 - r->x0) / r->width, dy = (r->y1 - r->y0) / r->height;
  double sx = (s->x1 - s->x0) / s->width, sy = (s->y1 - s->y0) / s->height;
  g_autofree int *columns = g_new (int, r->width);
  for (guint i = 0; i < r->width; i++)
    columns[i] = index_in (r->x0, dx, i, s->x0, sx, s->width);
  for (guint j = 0; j < r->height; j++)
    {
      int row = index_in (r->y0, dy, j, s->y0, sy, s->height);
      const guint8 *shares = row >= 0 ? shade->shares + (gsize) row * s->width : NULL;
      guint32 *out = colours + (gsize) j * r->width;
      for (guint i = 0; shares != NULL && i < r->width; i++)
        if (columns[i] >= 0 && shares[columns[i]] > 0)
          out[i] = blend (out[i], LEAST + (MOST - LEAST) * shares[columns[i]] / 255u);
    }
}
