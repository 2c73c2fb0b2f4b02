#include "engine/shots/geom-layout.h"

#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"

/* 2³⁰ pixels: far beyond any detector, but short of what would take a machine down. */
#define MAX_PIXELS ((gsize) 1 << 30)

static const FlGeomPanel *
geom_panel (const FlGeom *geom, guint i)
{
  return &g_array_index (geom->panels, FlGeomPanel, i);
}

static void
panel_range (const FlGeomPanel *panel, guint dim, guint64 *low, guint64 *high)
{
  int d = panel->dims[dim];
  *low = *high = d >= 0 ? (guint64) d : 0;
  if (d == FL_GEOM_DIM_SS)
    {
      *low = (guint64) panel->min_ss;
      *high = (guint64) panel->max_ss;
    }
  else if (d == FL_GEOM_DIM_FS)
    {
      *low = (guint64) panel->min_fs;
      *high = (guint64) panel->max_fs;
    }
}

/* Indices that are fixed after fs would make fs step over pixels: such panels have slabs of their own. */
static gboolean
same_slab (const FlGeomSlab *slab, const FlGeomPanel *panel)
{
  gboolean after_fs = FALSE;
  if (strcmp (slab->data, panel->data) != 0 || slab->n_dims != panel->n_dims)
    return FALSE;
  for (guint i = 0; i < slab->n_dims; i++)
    {
      int d = panel->dims[i];
      if (slab->dims[i] != MIN (d, 0) || (after_fs && d >= 0 && slab->low[i] != (guint64) d))
        return FALSE;
      after_fs |= d == FL_GEOM_DIM_FS;
    }
  return TRUE;
}

static void
slab_grow (FlGeomSlab *slab, const FlGeomPanel *panel)
{
  for (guint i = 0; i < slab->n_dims; i++)
    {
      guint64 low, high, end = slab->low[i] + slab->count[i];
      panel_range (panel, i, &low, &high);
      slab->low[i] = MIN (slab->low[i], low);
      slab->count[i] = MAX (end, high + 1) - slab->low[i];
    }
}

static guint
find_slab (FlGeomLayout *layout, const FlGeomPanel *panel)
{
  for (guint i = 0; i < layout->slabs->len; i++)
    {
      FlGeomSlab *slab = &g_array_index (layout->slabs, FlGeomSlab, i);
      if (same_slab (slab, panel))
        {
          slab_grow (slab, panel);
          return i;
        }
    }
  FlGeomSlab slab = { .data = g_strdup (panel->data), .n_dims = panel->n_dims };
  for (guint i = 0; i < slab.n_dims; i++)
    {
      guint64 high;
      slab.dims[i] = MIN (panel->dims[i], 0);
      panel_range (panel, i, &slab.low[i], &high);
      slab.count[i] = high - slab.low[i] + 1;
    }
  g_array_append_val (layout->slabs, slab);
  return layout->slabs->len - 1;
}

static gboolean
place_slabs (FlGeomLayout *layout)
{
  for (guint s = 0; s < layout->slabs->len; s++)
    {
      FlGeomSlab *slab = &g_array_index (layout->slabs, FlGeomSlab, s);
      slab->offset = layout->n_pixels;
      slab->n_pixels = 1;
      for (guint i = slab->n_dims; i-- > 0;)
        {
          slab->stride[i] = slab->n_pixels;
          if (slab->count[i] > MAX_PIXELS / slab->n_pixels)
            return FALSE;
          slab->n_pixels *= slab->count[i];
        }
      layout->n_pixels += slab->n_pixels;
      if (layout->n_pixels > MAX_PIXELS)
        return FALSE;
    }
  return TRUE;
}

static gsize
panel_offset (const FlGeomSlab *slab, const FlGeomPanel *panel)
{
  gsize offset = slab->offset;
  for (guint i = 0; i < slab->n_dims; i++)
    {
      guint64 low, high;
      panel_range (panel, i, &low, &high);
      offset += (low - slab->low[i]) * slab->stride[i];
    }
  return offset;
}

FlGeomLayout *
fl_geom_layout_new (const FlGeom *geom, GError **error)
{
  g_autoptr (FlGeomLayout) layout = g_new0 (FlGeomLayout, 1);
  layout->slabs = g_array_new (FALSE, TRUE, sizeof (FlGeomSlab));
  layout->panel_slab = g_new0 (guint, geom->panels->len);
  layout->geom_panel = g_new0 (guint, geom->panels->len);
  layout->panel_offset = g_new0 (gsize, geom->panels->len);
  for (guint i = 0; i < geom->panels->len; i++)
    if (!geom_panel (geom, i)->no_index)
      {
        layout->geom_panel[layout->n_panels] = i;
        layout->panel_slab[layout->n_panels++] = find_slab (layout, geom_panel (geom, i));
      }
  if (layout->n_panels == 0 || !place_slabs (layout))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: %s", geom->path,
                   layout->n_panels == 0 ? "every panel says no_index, expected one to use"
                                         : "the panels span more than 2^30 pixels, expected a detector");
      return NULL;
    }
  for (guint i = 0; i < layout->n_panels; i++)
    layout->panel_offset[i] = panel_offset (&g_array_index (layout->slabs, FlGeomSlab, layout->panel_slab[i]),
                                            geom_panel (geom, layout->geom_panel[i]));
  return g_steal_pointer (&layout);
}

void
fl_geom_layout_free (FlGeomLayout *layout)
{
  if (layout == NULL)
    return;
  for (guint i = 0; i < layout->slabs->len; i++)
    g_free (g_array_index (layout->slabs, FlGeomSlab, i).data);
  g_array_unref (layout->slabs);
  g_free (layout->panel_slab);
  g_free (layout->geom_panel);
  g_free (layout->panel_offset);
  g_free (layout);
}

/* --- the detector --- */

static void
fill_values (FlPanel *panel, const FlGeomPanel *from, double energy)
{
  if (!isnan (from->adu_per_photon))
    panel->gain = from->adu_per_photon;
  else if (!isnan (from->adu_per_ev))
    {
      panel->counts_per_ev = from->adu_per_ev;
      panel->gain = energy > 0 ? from->adu_per_ev * energy : 1;
    }
  /* CrystFEL's comparisons are strict, ours include the limit: step to the next number. */
  panel->saturation =
      isfinite (from->max_adu) ? (double) nextafterf ((float) from->max_adu, INFINITY) : INFINITY;
  panel->bad_values = g_new0 (double, from->n_flags);
  for (guint i = 0; i < from->n_flags; i++)
    {
      float value = (float) from->flags[i].value;
      if (from->flags[i].kind == FL_GEOM_LESS)
        panel->trusted_min = MAX (panel->trusted_min, (double) nextafterf (value, -INFINITY));
      else if (from->flags[i].kind == FL_GEOM_MORE)
        panel->trusted_max = MIN (panel->trusted_max, (double) nextafterf (value, INFINITY));
      else
        panel->bad_values[panel->n_bad_values++] = from->flags[i].value;
    }
}

static void
fill_panel (FlPanel *panel, const FlGeomPanel *from, double clen, double energy)
{
  double step = 1e3 / from->res; /* mm */
  g_free (panel->name);
  panel->name = g_strdup (from->name);
  panel->dataset = g_strdup (from->data);
  panel->n_fs = (guint) (from->max_fs - from->min_fs + 1);
  panel->n_ss = (guint) (from->max_ss - from->min_ss + 1);
  panel->pixel_size = step;
  panel->fs = fl_vec3_scale (fl_vec3 (from->fs[0], from->fs[1], from->fs[2]), step);
  panel->ss = fl_vec3_scale (fl_vec3 (from->ss[0], from->ss[1], from->ss[2]), step);
  panel->origin = fl_vec3 (from->corner_x * step, from->corner_y * step, clen + from->coffset * 1e3);
  fill_values (panel, from, energy);
}

/* Runs over a panel's pixels and marks those for which the rule holds. */
#define MARK_PIXELS(rule)                                                                                    \
  for (guint ss = 0; ss < panel->n_ss; ss++)                                                                 \
    for (guint fs = 0; fs < panel->n_fs; fs++)                                                               \
      if (rule)                                                                                              \
  mask[panel->offset + ss * panel->stride + fs] = 1

static void
mask_lab_region (const FlPanel *panel, const FlGeomBad *bad, guint8 *mask)
{
  double px = 1 / panel->pixel_size;
  FlVec3 corner = fl_vec3_scale (panel->origin, px), f = fl_vec3_scale (panel->fs, px);
  FlVec3 s = fl_vec3_scale (panel->ss, px);
#define CENTRE(axis) (corner.axis + (fs + 0.5) * f.axis + (ss + 0.5) * s.axis)
  MARK_PIXELS (CENTRE (x) > bad->min_x && CENTRE (x) < bad->max_x && CENTRE (y) > bad->min_y
               && CENTRE (y) < bad->max_y);
#undef CENTRE
}

static void
mask_panel (const FlPanel *panel, const FlGeomPanel *from, const GArray *regions, guint8 *mask)
{
  guint edge = from->mask_edge;
  if (edge > 0)
    MARK_PIXELS (fs < edge || ss < edge || fs + edge >= panel->n_fs || ss + edge >= panel->n_ss);
  for (guint i = 0; i < regions->len; i++)
    {
      const FlGeomBad *bad = &g_array_index (regions, FlGeomBad, i);
      if (bad->panel == NULL)
        mask_lab_region (panel, bad, mask);
      else if (strcmp (bad->panel, from->name) == 0)
        MARK_PIXELS (fs + from->min_fs >= bad->min_fs && fs + from->min_fs <= bad->max_fs
                     && ss + from->min_ss >= bad->min_ss && ss + from->min_ss <= bad->max_ss);
    }
}

FlDetector *
fl_geom_detector (const FlGeom *geom, const FlGeomLayout *layout, double clen, double energy)
{
  FlDetector *detector = fl_detector_new (layout->n_panels, layout->n_pixels);
  memset (detector->mask, 1, detector->n_pixels);
  detector->placed = TRUE;
  for (guint i = 0; i < layout->n_panels; i++)
    {
      const FlGeomPanel *from = geom_panel (geom, layout->geom_panel[i]);
      const FlGeomSlab *slab = &g_array_index (layout->slabs, FlGeomSlab, layout->panel_slab[i]);
      FlPanel *panel = &detector->panels[i];
      fill_panel (panel, from, clen, energy);
      panel->offset = layout->panel_offset[i];
      for (guint d = 0; d < slab->n_dims; d++)
        if (slab->dims[d] == FL_GEOM_DIM_SS)
          panel->stride = slab->stride[d];
      for (guint ss = 0; ss < panel->n_ss; ss++)
        memset (detector->mask + panel->offset + ss * panel->stride, 0, panel->n_fs);
    }
  for (guint i = 0; i < layout->n_panels; i++)
    mask_panel (&detector->panels[i], geom_panel (geom, layout->geom_panel[i]), geom->bad, detector->mask);
  return detector;
}
