/* strong-adaptive.c: spots that stand out from what the shot itself says about background, noise and gain
 * (kernels/adaptive.h). Nothing of a detector is asked for, nothing is kept from shot to shot.
 *
 * Measured (tests/sfx/compare-finders.py, 2026-11-22), F1 with nothing set, and of the best of the other finders tuned on
 * other shots of the same set (radial_profile with a blur, or peakfinder8; on the real stills on themselves):
 *   simulated, gain 0.5 to 40, background 0.1 to 10, noise to 3 photons   0.993–1.000   0.983–0.998
 *   the same with ice; pedestals that step by 0.8 photons in a panel       0.80; 0.95    0.80; 0.99
 *   set A (128 panels)                                                     0.963         0.981 with 2.2 spots a blank
 *   set B                                                                  0.949         0.958
 *   real CSPAD stills, beside what the lattices predict                    0.680         0.657
 * In A and B light counts, too, that is not on the lattice: of what is found in B, 63 % are side maxima beside it. 0.00
 * spots a blank of A; all crystals of 28 frames of A and 8 of B were indexed, and as many lattices in the stills (4) as with
 * any other. At their defaults the others fall to 0.00–0.03 where a photon is 40 counts and nobody says so (dispersion), or to
 * 0.01–0.96 (peakfinder8). Of what is wrong in the stills a fifth are spots of a lattice that the reference lacks, 14 % lie
 * on panels' edges, 6 % on pixels that are bright in the other still, too; the rest are clusters of two or three bright
 * pixels, of which that detector has more than photons make. */
#include "engine/sfx/strong-pixels.h"
#include "kernels/adaptive.h"

typedef struct
{
  double false_spots;
  guint version; /* of the layout that the blocks were laid for */
  guint32 n_blocks;
  guint32 *first_block; /* of each panel */
  FlkAdaptiveArgs args; /* of the last shot */
  const FlkAdaptiveBlock *blocks;
  FlkBuffer first_at, blocks_at;
  FlkHostBuffer blocks_by;
} Adaptive;

static gpointer
make (const FlParams *params)
{
  Adaptive *self = g_new0 (Adaptive, 1);
  self->false_spots = fl_params_real (params, "spots.false_spots");
  return self;
}

static void
destroy (gpointer state, FlkDevice *device)
{
  Adaptive *self = state;
  flk_buffer_clear (device, &self->first_at);
  flk_buffer_clear (device, &self->blocks_at);
  flk_host_buffer_clear (device, &self->blocks_by);
  g_free (self->first_block);
  g_free (self);
}

static void
lay_blocks (Adaptive *self, const FlLayout *layout)
{
  if (self->version == layout->version && self->first_block != NULL)
    return;
  self->version = layout->version;
  self->first_block = g_renew (guint32, self->first_block, layout->n_panels);
  self->n_blocks = flk_adaptive_blocks (layout->host_panels, layout->n_panels, self->first_block);
}

static gboolean
find (gpointer state, const FlStrongShot *shot)
{
  Adaptive *self = state;
  const FlLayout *layout = shot->layout;
  FlkDevice *device = shot->device;
  lay_blocks (self, layout);
  gsize size = self->n_blocks * sizeof *self->blocks;
  FlkAdaptiveArgs *args = &self->args;
  *args = (FlkAdaptiveArgs){
    .pixels = shot->pixels,
    .panels = layout->panels,
    .first_block =
        flk_stage (device, &self->first_at, self->first_block, layout->n_panels * sizeof (guint32)),
    .n_panels = layout->n_panels,
    .tile_ss = layout->tile_ss,
    .blocks = flk_buffer_need (device, &self->blocks_at, size),
    .strong = shot->strong,
  };
  if (args->first_block == NULL || args->blocks == NULL
      || !flk_launch (device, "adaptive_blocks", layout->teams, 0, args, sizeof *args))
    return FALSE;
  self->blocks = flk_fetch_later (device, &self->blocks_by, args->blocks, size);
  return self->blocks != NULL;
}

static gboolean
go_on (gpointer state, const FlStrongShot *shot)
{
  Adaptive *self = state;
  flk_adaptive_noise (self->blocks, self->n_blocks, self->false_spots, (double) shot->layout->n_good,
                      &self->args.noise);
  return flk_launch (shot->device, "adaptive_spots", shot->layout->teams, 0, &self->args, sizeof self->args);
}

const FlStrongAlgorithm fl_strong_adaptive = { "adaptive", make, destroy, find, go_on, NULL, NULL };
