/* adaptive-find.h: what the tests of adaptive.h share: the kernels run on a shot. */
#pragma once

#include "kernels/adaptive.h"
#include "tests/kernels/on-devices.h"

typedef struct
{
  guint32 first[8], n_blocks;
  FlkAdaptiveBlock *blocks;
  guint8 *strong;
  FlkAdaptiveNoise noise;
} Found;

static void
found_clear (Found *found)
{
  g_free (found->blocks);
  g_free (found->strong);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Found, found_clear)

static void
find (FlkDevice *device, Shot *shot, guint32 tile_ss, double false_spots, Found *found)
{
  Staged staged;
  FlkBuffer first = { 0 }, blocks = { 0 }, strong = { 0 };
  staged_init (&staged, device, shot, tile_ss);
  found->n_blocks = flk_adaptive_blocks (shot->panels, shot->n_panels, found->first);
  gsize size = found->n_blocks * sizeof *found->blocks;
  FlkAdaptiveArgs args = { .pixels = staged.pixels,
                           .panels = staged.panels,
                           .first_block = flk_stage (device, &first, found->first, sizeof found->first),
                           .n_panels = shot->n_panels,
                           .tile_ss = tile_ss,
                           .blocks = flk_buffer_need (device, &blocks, size),
                           .strong = flk_buffer_need (device, &strong, shot->n_pixels) };
  g_assert_true (flk_zero (device, args.strong, shot->n_pixels));
  launch (device, "adaptive_blocks", staged.teams, &args, sizeof args);
  found->blocks = fetched (device, args.blocks, size);
  flk_adaptive_noise (found->blocks, found->n_blocks, false_spots, (double) shot->n_pixels, &found->noise);
  args.noise = found->noise;
  launch (device, "adaptive_spots", staged.teams, &args, sizeof args);
  found->strong = fetched (device, args.strong, shot->n_pixels);
  flk_buffer_clear (device, &first);
  flk_buffer_clear (device, &blocks);
  flk_buffer_clear (device, &strong);
  staged_clear (&staged);
}
