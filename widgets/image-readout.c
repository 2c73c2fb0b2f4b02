/* What is under the cursor of a FlwImageView, in words. */
#include "widgets/image-private.h"

#include <glib/gi18n.h>
#include <math.h>

int
flw_image_spot_at (FlwImageView *view, double x, double y)
{
  double best = INFINITY;
  int found = -1;

  for (guint i = 0; view->show_spots && i < view->spots->len; i++)
    {
      const FlwImageSpot *spot = &g_array_index (view->spots, FlwImageSpot, i);
      double distance = hypot (spot->x - x, spot->y - y);
      if (distance < best && distance <= fmax (spot->radius, 8 / view->zoom))
        {
          best = distance;
          found = (int) i;
        }
    }
  return found;
}

int
flw_image_prediction_at (FlwImageView *view, double x, double y)
{
  double best = fmax (FLW_IMAGE_CIRCLE, 8 / view->zoom);
  int found = -1;

  for (guint i = 0; view->show_predictions && i < view->predictions->len; i++)
    {
      const FlwImagePrediction *p = &g_array_index (view->predictions, FlwImagePrediction, i);
      double dx = p->x - x, dy = p->y - y;
      if (fabs (dx) <= best && fabs (dy) <= best && hypot (dx, dy) <= best)
        {
          best = hypot (dx, dy);
          found = (int) i;
        }
    }
  return found;
}

static void
append_index (GString *text, int index)
{
  g_string_append_printf (text, "%s%s%d", text->len > 0 ? " " : "", index < 0 ? "−" : "", ABS (index));
}

char *
flw_image_indices (const FlwImagePrediction *prediction)
{
  GString *text = g_string_new (NULL);

  append_index (text, prediction->h);
  append_index (text, prediction->k);
  append_index (text, prediction->l);
  return g_string_free (text, FALSE);
}

static char *
intensity_text (const FlwImagePrediction *p)
{
  return p->sigma < 0 ? g_strdup (_ ("not integrated"))
                      : g_strdup_printf (_ ("I %.4g ± %.2g counts"), p->intensity, p->sigma);
}

char *
flw_image_prediction_lines (const FlwImagePrediction *prediction)
{
  g_autofree char *indices = flw_image_indices (prediction), *intensity = intensity_text (prediction);

  return g_strdup_printf (_ ("%s\n%s\n%.2f Å, lattice %u"), indices, intensity, prediction->d,
                          prediction->lattice + 1);
}

static void
append_value (FlwImageView *view, GString *text, double x, double y)
{
  float value = flw_image_value (view, x, y);
  char number[24];

  if (view->raster == NULL)
    return;
  if (isnan (value))
    g_string_append (text, _ ("    no panel"));
  else if (isinf (value))
    g_string_append (text, _ ("    bad pixel"));
  else
    {
      flw_image_format_value (value, number, sizeof number);
      /* Several pixels are behind one of the screen's: say that it is not one pixel's value. */
      g_string_append_printf (
          text, view->raster->request.nearest ? _ ("    %s counts") : _ ("    ≈ %s counts"), number);
    }
}

static void
append_spot (FlwImageView *view, GString *text, double x, double y)
{
  int at = flw_image_spot_at (view, x, y);
  const FlwImageSpot *spot;

  if (at < 0)
    return;
  spot = &g_array_index (view->spots, FlwImageSpot, at);
  g_string_append_printf (text, _ ("    spot, intensity %.4g"), spot->intensity);
  if (spot->d > 0)
    g_string_append_printf (text, ", %.2f Å", spot->d);
  if (spot->state == FLW_SPOT_UNEXPLAINED)
    g_string_append (text, _ (", of no lattice"));
}

static void
append_prediction (FlwImageView *view, GString *text, double x, double y)
{
  int at = flw_image_prediction_at (view, x, y);

  if (at < 0)
    return;
  const FlwImagePrediction *p = &g_array_index (view->predictions, FlwImagePrediction, at);
  g_autofree char *indices = flw_image_indices (p), *intensity = intensity_text (p);
  g_string_append_printf (text, _ ("    %s  %s, %.2f Å, lattice %u"), indices, intensity, p->d,
                          p->lattice + 1);
}

char *
flw_image_readout (FlwImageView *view)
{
  FlwBox box = flw_image_box (view);
  GString *text;
  double x, y, fs, ss, radius;
  int panel;

  if (isnan (view->hover_x) || view->zoom <= 0 || !view->has_extent || view->hover_y >= box.height)
    return g_strdup ("");
  x = flw_image_from_x (view, view->hover_x);
  y = flw_image_from_y (view, view->hover_y);
  text = g_string_new (NULL);
  g_string_append_printf (text, "x %.1f  y %.1f px", x, y);
  append_value (view, text, x, y);
  radius = hypot (x - view->beam_x, y - view->beam_y);
  if (view->wavelength > 0 && radius > 0)
    g_string_append_printf (text, "    %.2f Å",
                            flw_ring_resolution (radius, view->wavelength, view->distance, view->pixel_size));
  panel = flw_image_panel_at (view, x, y, &fs, &ss);
  if (panel >= 0)
    g_string_append_printf (text, "    %s  fs %.0f  ss %.0f",
                            g_array_index (view->panels, FlwImagePanel, panel).name, floor (fs), floor (ss));
  append_spot (view, text, x, y);
  append_prediction (view, text, x, y);
  return g_string_free (text, FALSE);
}
