/* Rules about places and intensities, turned into pixels. */
#include "engine/shots/mask-rules.h"

#include <math.h>
#include <string.h>

#include "engine/base/error.h"

/* What a rule is applied to: one panel's pixels. */
typedef struct
{
  const FlMaskRule *rule;
  const FlPanel *panel;
  const guint8 *chosen; /* by intensities; NULL: by place */
  guint8 *mask;
  guint32 changed;
} Stroke;

static void
set_pixel (Stroke *s, guint fs, guint ss)
{
  guint8 *at = s->mask + s->panel->offset + ss * s->panel->stride + fs, value = !s->rule->unmask;
  s->changed += *at != value;
  *at = value;
}

static void
set_box (Stroke *s, guint fs0, guint fs1, guint ss0, guint ss1)
{
  for (guint ss = ss0; ss < MIN (ss1, s->panel->n_ss); ss++)
    for (guint fs = fs0; fs < MIN (fs1, s->panel->n_fs); fs++)
      set_pixel (s, fs, ss);
}

static gboolean
on_edge (guint i, guint n, guint width)
{
  return i < width || n - i <= width;
}

/* Of tiles of that size; the last may be cut short by the panel. */
static void
set_edges (Stroke *s, guint n_fs, guint n_ss)
{
  const FlPanel *p = s->panel;
  guint width = s->rule->width;
  for (guint ss = 0; ss < p->n_ss; ss++)
    {
      gboolean whole = on_edge (ss % n_ss, MIN (n_ss, p->n_ss - ss / n_ss * n_ss), width);
      for (guint fs = 0; fs < p->n_fs; fs++)
        if (whole || on_edge (fs % n_fs, MIN (n_fs, p->n_fs - fs / n_fs * n_fs), width))
          set_pixel (s, fs, ss);
    }
}

/* --- shapes --- */

static gboolean
is_in_polygon (const FlMaskRule *rule, double x, double y)
{
  gboolean inside = FALSE;
  for (guint i = 0, k = rule->n_points - 1; i < rule->n_points; k = i++)
    {
      const double *a = &rule->points[2 * i], *b = &rule->points[2 * k];
      if ((a[1] > y) != (b[1] > y) && x < a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0]))
        inside = !inside;
    }
  return inside;
}

static gboolean
is_inside (const FlMaskRule *rule, double x, double y)
{
  if (rule->kind == FL_MASK_POLYGON)
    return is_in_polygon (rule, x, y);
  if (rule->kind == FL_MASK_RECTANGLE)
    return x >= fmin (rule->v[0], rule->v[2]) && x <= fmax (rule->v[0], rule->v[2])
           && y >= fmin (rule->v[1], rule->v[3]) && y <= fmax (rule->v[1], rule->v[3]);
  double u = (x - rule->v[0]) * rule->v[3], v = (y - rule->v[1]) * rule->v[2], r = rule->v[2] * rule->v[3];
  return u * u + v * v <= r * r;
}

/* x0 y0 x1 y1 */
static void
bounds_of (const FlMaskRule *rule, double bounds[4])
{
  const double *v = rule->v;
  double of[4] = { INFINITY, INFINITY, -INFINITY, -INFINITY };
  if (rule->kind == FL_MASK_RECTANGLE)
    memcpy (of, (double[]){ fmin (v[0], v[2]), fmin (v[1], v[3]), fmax (v[0], v[2]), fmax (v[1], v[3]) },
            sizeof of);
  else if (rule->kind == FL_MASK_ELLIPSE)
    memcpy (of, (double[]){ v[0] - v[2], v[1] - v[3], v[0] + v[2], v[1] + v[3] }, sizeof of);
  for (guint i = 0; i < rule->n_points; i++)
    {
      of[0] = fmin (of[0], rule->points[2 * i]);
      of[1] = fmin (of[1], rule->points[2 * i + 1]);
      of[2] = fmax (of[2], rule->points[2 * i]);
      of[3] = fmax (of[3], rule->points[2 * i + 1]);
    }
  memcpy (bounds, of, sizeof of);
}

static guint
first_index (double at, guint n)
{
  return at > 0 ? (guint) fmin (floor (at), n) : 0;
}

/* The panel's pixels that may be in the box: first and one after the last fs, ss. */
static void
box_on_panel (const FlPanel *p, const double box[4], gboolean on_panel, guint range[4])
{
  double of[4] = { INFINITY, INFINITY, -INFINITY, -INFINITY };
  double det = p->fs.x * p->ss.y - p->fs.y * p->ss.x;
  for (guint corner = 0; corner < 4; corner++)
    {
      double x = box[corner & 1 ? 2 : 0], y = box[corner & 2 ? 3 : 1], fs = x, ss = y;
      if (!on_panel)
        {
          fs = ((x - p->origin.x) * p->ss.y - (y - p->origin.y) * p->ss.x) / det;
          ss = ((y - p->origin.y) * p->fs.x - (x - p->origin.x) * p->fs.y) / det;
        }
      of[0] = fmin (of[0], fs);
      of[1] = fmin (of[1], ss);
      of[2] = fmax (of[2], fs);
      of[3] = fmax (of[3], ss);
    }
  gboolean flat = on_panel || fabs (det) > 1e-12; /* else seen edge-on: all of it */
  range[0] = flat ? first_index (of[0] - 1, p->n_fs) : 0;
  range[1] = flat ? first_index (of[2] + 2, p->n_fs) : p->n_fs;
  range[2] = flat ? first_index (of[1] - 1, p->n_ss) : 0;
  range[3] = flat ? first_index (of[3] + 2, p->n_ss) : p->n_ss;
}

static void
set_shape (Stroke *s)
{
  double bounds[4];
  guint range[4];
  gboolean on_panel = s->rule->panel != NULL;
  bounds_of (s->rule, bounds);
  box_on_panel (s->panel, bounds, on_panel, range);
  for (guint ss = range[2]; ss < range[3]; ss++)
    for (guint fs = range[0]; fs < range[1]; fs++)
      {
        FlVec3 place = { fs + 0.5, ss + 0.5, 0 };
        if (!on_panel)
          place = fl_panel_position (s->panel, fs + 0.5, ss + 0.5);
        if (is_inside (s->rule, place.x, place.y))
          set_pixel (s, fs, ss);
      }
}

static void
set_chosen (Stroke *s)
{
  for (guint ss = 0; ss < s->panel->n_ss; ss++)
    for (guint fs = 0; fs < s->panel->n_fs; fs++)
      if (s->chosen[s->panel->offset + ss * s->panel->stride + fs])
        set_pixel (s, fs, ss);
}

/* --- rules --- */

/* G_MAXUINT: all; n_panels: there is none such. */
static guint
find_panel (const FlMaskRule *rule, const FlDetector *detector)
{
  char *end;
  if (rule->panel == NULL)
    return G_MAXUINT;
  for (guint i = 0; i < detector->n_panels; i++)
    if (g_str_equal (detector->panels[i].name, rule->panel))
      return i;
  if (rule->panel[0] != '#' || !g_ascii_isdigit (rule->panel[1]))
    return detector->n_panels;
  guint64 number = g_ascii_strtoull (rule->panel + 1, &end, 10);
  return *end == '\0' && number < detector->n_panels ? (guint) number : detector->n_panels;
}

static void
apply_to_panel (Stroke *s)
{
  const FlMaskRule *rule = s->rule;
  if (s->chosen != NULL)
    set_chosen (s);
  else if (rule->kind == FL_MASK_EDGES)
    set_edges (s, s->panel->n_fs, s->panel->n_ss);
  else if (rule->kind == FL_MASK_ASIC_EDGES)
    set_edges (s, rule->asic[0], rule->asic[1]);
  else if (rule->kind == FL_MASK_PANEL)
    set_box (s, 0, s->panel->n_fs, 0, s->panel->n_ss);
  else if (rule->kind == FL_MASK_RECTANGLE && rule->panel != NULL)
    set_box (s, (guint) rule->v[0], (guint) rule->v[1] + 1, (guint) rule->v[2], (guint) rule->v[3] + 1);
  else
    set_shape (s);
}

static guint8 *
choose (const FlMaskRule *rule, const FlMaskMeasure *measure)
{
  return rule->kind == FL_MASK_STATISTICS
             ? fl_mask_measure_test (measure, &rule->tests)
             : fl_mask_measure_always (measure, rule->v[0], rule->kind == FL_MASK_ABOVE);
}

gboolean
fl_mask_rules_apply (const FlMaskRules *rules, const FlDetector *detector, const FlMaskMeasure *measure,
                     guint8 *mask, guint32 *changed, GError **error)
{
  for (guint i = 0; i < rules->n_rules; i++)
    if (find_panel (&rules->rules[i], detector) == detector->n_panels)
      {
        g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                     "%s:%u: no panel '%.80s', expected one of the detector's %u", rules->name,
                     rules->rules[i].line, rules->rules[i].panel, detector->n_panels);
        return FALSE;
      }
  for (guint i = 0; i < rules->n_rules; i++)
    {
      const FlMaskRule *rule = &rules->rules[i];
      gboolean intensities = rule->kind >= FL_MASK_BELOW;
      g_autofree guint8 *chosen = intensities && measure != NULL ? choose (rule, measure) : NULL;
      guint only = find_panel (rule, detector);
      Stroke stroke = { .rule = rule, .chosen = chosen, .mask = mask };
      for (guint p = 0; p < detector->n_panels && (!intensities || chosen != NULL); p++)
        if (only == G_MAXUINT || only == p)
          {
            stroke.panel = &detector->panels[p];
            apply_to_panel (&stroke);
          }
      if (changed != NULL)
        changed[i] = stroke.changed;
    }
  return TRUE;
}
