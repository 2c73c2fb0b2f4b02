#include "engine/sfx/strong-pixels.h"

struct FlStrongPixels
{
  const FlStrongAlgorithm *algorithm;
  gpointer state;
  FlkBuffer mask;
  guint version; /* of the layout that the mask was zeroed for */
};

static const FlStrongAlgorithm *const algorithms[] = { &fl_strong_adaptive, &fl_strong_dispersion,
                                                       &fl_strong_dispersion_extended, &fl_strong_peakfinder8,
                                                       &fl_strong_radial_profile };

FlStrongPixels *
fl_strong_pixels_new (const FlParams *params)
{
  FlStrongPixels *self = g_new0 (FlStrongPixels, 1);
  const char *name = fl_params_text (params, "spots.algorithm");
  for (guint i = 0; i < G_N_ELEMENTS (algorithms); i++)
    if (g_str_equal (algorithms[i]->name, name))
      self->algorithm = algorithms[i];
  g_assert (self->algorithm != NULL); /* the table of parameters knows no other */
  self->state = self->algorithm->make (params);
  return self;
}

void
fl_strong_pixels_free (FlStrongPixels *strong, FlkDevice *device)
{
  if (strong == NULL)
    return;
  strong->algorithm->destroy (strong->state, device);
  flk_buffer_clear (device, &strong->mask);
  g_free (strong);
}

gboolean
fl_strong_pixels_find (FlStrongPixels *strong, FlStrongShot *shot)
{
  shot->strong = flk_buffer_need (shot->device, &strong->mask, shot->n_pixels);
  if (shot->strong == NULL)
    return FALSE;
  /* Pixels between the panels are never written. */
  if (strong->version != shot->layout->version && !flk_zero (shot->device, shot->strong, shot->n_pixels))
    return FALSE;
  strong->version = shot->layout->version;
  return strong->algorithm->find (strong->state, shot);
}

gboolean
fl_strong_pixels_waits (const FlStrongPixels *strong)
{
  return strong->algorithm->go_on != NULL;
}

gboolean
fl_strong_pixels_go_on (FlStrongPixels *strong, const FlStrongShot *shot)
{
  return strong->algorithm->go_on (strong->state, shot);
}

void
fl_strong_pixels_connect (const FlStrongPixels *strong, FlkSpotsArgs *spots)
{
  if (strong->algorithm->connect != NULL)
    strong->algorithm->connect (strong->state, spots);
}

gboolean
fl_strong_pixels_judges (const FlStrongPixels *strong)
{
  return strong->algorithm->judge != NULL;
}

gboolean
fl_strong_pixels_judge (FlStrongPixels *strong, const FlStrongShot *shot, const FlkSpotsArgs *spots)
{
  return !fl_strong_pixels_judges (strong) || strong->algorithm->judge (strong->state, shot, spots);
}
