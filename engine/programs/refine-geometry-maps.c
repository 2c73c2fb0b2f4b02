/* Where on the panels spots miss their predictions: sums, JSON, a picture. */
#include <string.h>

#include "engine/base/error.h"
#include "engine/programs/geometry-job.h"
#include "engine/programs/json-text.h"

#define BIN    48 /* px, about */
#define MOST   16 /* bins along a side */
#define UNIT   0x1p20
#define FEWEST 3     /* spots of a bin that is drawn */
#define SIDE   440.0 /* px of the picture, of each map */
#define MARGIN 20.0
#define TITLE  46.0

static guint
bins_along (guint n)
{
  return CLAMP ((n + BIN / 2) / BIN, 1, MOST);
}

static void
add_pair (FlResidual *bin, const FlPanel *panel, const FlGeometryPair *pair)
{
  double fs = (double) pair->dfs, ss = (double) pair->dss, px = fl_vec3_norm (panel->fs);
  FlVec3 d =
      fl_vec3_scale (fl_vec3_add (fl_vec3_scale (panel->fs, fs), fl_vec3_scale (panel->ss, ss)), 1 / px);
  FlVec3 at = fl_panel_position (panel, (double) pair->fs, (double) pair->ss);
  double r = hypot (at.x, at.y), c = r > 0 ? at.x / r : 1, s = r > 0 ? at.y / r : 0;
  double radial = d.x * c + d.y * s, transverse = d.y * c - d.x * s;
  bin->n++;
  bin->x += (guint64) llrint (d.x * UNIT);
  bin->y += (guint64) llrint (d.y * UNIT);
  bin->radial += (guint64) llrint (radial * radial * UNIT);
  bin->transverse += (guint64) llrint (transverse * transverse * UNIT);
}

FlResidualMap
fl_residual_map (const FlGeometryJob *job, const FlDetector *detector, const GArray *pairs)
{
  guint n = detector->n_panels;
  FlResidualMap map = { .n_panels = n, .first = g_new0 (guint, n + 1), .n_fs = g_new (guint, n) };
  for (guint i = 0; i < n; i++)
    {
      map.n_fs[i] = bins_along (detector->panels[i].n_fs);
      map.first[i + 1] = map.first[i] + map.n_fs[i] * bins_along (detector->panels[i].n_ss);
    }
  map.bin = g_new0 (FlResidual, map.first[n]);
  for (guint i = 0; i < pairs->len; i++)
    {
      const FlGeometryPair *pair = &g_array_index (pairs, FlGeometryPair, i);
      const FlPanel *panel = &detector->panels[pair->panel];
      guint n_fs = map.n_fs[pair->panel], n_ss = bins_along (panel->n_ss);
      double fs = (double) pair->fs / panel->n_fs, ss = (double) pair->ss / panel->n_ss;
      guint at = (guint) CLAMP (fs * n_fs, 0, n_fs - 1) + n_fs * (guint) CLAMP (ss * n_ss, 0, n_ss - 1);
      add_pair (&map.bin[map.first[pair->panel] + at], panel, pair);
    }
  fl_parallel_sum_u64 (job->parallel, (guint64 *) (void *) map.bin,
                       map.first[n] * (guint) (sizeof (FlResidual) / sizeof (guint64)));
  return map;
}

void
fl_residual_map_clear (FlResidualMap *map)
{
  g_free (map->first);
  g_free (map->n_fs);
  g_free (map->bin);
}

static void
add_bins (FlResidual *sum, const FlResidual *bins, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      sum->n += bins[i].n;
      sum->x += bins[i].x;
      sum->y += bins[i].y;
      sum->radial += bins[i].radial;
      sum->transverse += bins[i].transverse;
    }
}

FlResidualMean
fl_residual_mean (const FlResidual *bins, guint n)
{
  FlResidual sum = { 0 };
  add_bins (&sum, bins, n);
  double per = 1 / (UNIT * (double) sum.n); /* without any: NaN from 0 × infinity */
  return (FlResidualMean){ sum.n, (double) (gint64) sum.x * per, (double) (gint64) sum.y * per,
                           sqrt ((double) sum.radial * per), sqrt ((double) sum.transverse * per) };
}

FlResidualMean
fl_residual_group (const FlGeometryJob *job, const FlResidualMap *map, guint group)
{
  FlResidual sum = { 0 };
  for (guint i = 0; i < map->n_panels; i++)
    if (group == G_MAXUINT || job->groups.of_panel[i] == group)
      add_bins (&sum, map->bin + map->first[i], map->first[i + 1] - map->first[i]);
  return fl_residual_mean (&sum, 1);
}

/* --- JSON --- */

static void
json_array (GString *out, const char *name, const FlResidualMap *map, guint panel, guint which)
{
  g_string_append_printf (out, ", \"%s\": [", name);
  for (guint b = map->first[panel]; b < map->first[panel + 1]; b++)
    {
      FlResidualMean mean = fl_residual_mean (&map->bin[b], 1);
      g_string_append (out, b > map->first[panel] ? ", " : "");
      if (which == 0)
        g_string_append_printf (out, "%" G_GUINT64_FORMAT, mean.n);
      else
        fl_json_real (out, which == 1 ? mean.x : mean.y, 5);
    }
  g_string_append_c (out, ']');
}

static void
json_map (GString *out, const FlDetector *detector, const FlResidualMap *map)
{
  for (guint i = 0; i < map->n_panels; i++)
    {
      g_string_append (out, i > 0 ? ",\n  {\"panel\": " : "[\n  {\"panel\": ");
      fl_json_text (out, detector->panels[i].name);
      g_string_append_printf (out, ", \"bins_fs\": %u, \"bins_ss\": %u", map->n_fs[i],
                              (map->first[i + 1] - map->first[i]) / map->n_fs[i]);
      json_array (out, "n", map, i, 0);
      json_array (out, "x", map, i, 1);
      json_array (out, "y", map, i, 2);
      g_string_append_c (out, '}');
    }
  g_string_append_c (out, ']');
}

static gboolean
write_json (const FlGeometryJob *job, const char *path, GError **error)
{
  g_autoptr (GString) out = g_string_new ("{\"what\": \"mean of spots' places less predicted ones, in the "
                                          "laboratory's x and y; bins along fs first\","
                                          "\n\"unit\": \"px\",\n\"before\": ");
  json_map (out, job->detector, &job->before);
  g_string_append (out, ",\n\"after\": ");
  json_map (out, job->result.detector, &job->after);
  g_string_append (out, "}\n");
  return g_file_set_contents (path, out->str, (gssize) out->len, error);
}

/* --- the picture --- */

/* From the laboratory (mm; y up) to the picture. */
typedef struct
{
  double x, y, left, top, scale;
} View;

static void
point (GString *out, const View *view, FlVec3 at)
{
  char x[G_ASCII_DTOSTR_BUF_SIZE], y[G_ASCII_DTOSTR_BUF_SIZE];
  g_ascii_formatd (x, sizeof x, "%.2f", view->left + (at.x - view->x) * view->scale);
  g_ascii_formatd (y, sizeof y, "%.2f", view->top + (view->y - at.y) * view->scale);
  g_string_append_printf (out, "%s %s", x, y);
}

/* An arrow of a mean residual: a line with a dot at its foot. `length`: mm of the picture's detector a px of residual. */
static void
draw_bin (GString *lines, GString *feet, const View *view, FlVec3 foot, const FlResidualMean *mean,
          double length)
{
  FlVec3 tip = fl_vec3_add (foot, fl_vec3 (mean->x * length, mean->y * length, 0));
  g_string_append_c (lines, 'M');
  point (lines, view, foot);
  g_string_append_c (lines, 'L');
  point (lines, view, tip);
  g_string_append_c (feet, 'M');
  point (feet, view, foot);
  g_string_append (feet, "h0");
}

static void
draw_map (GString *out, const View *view, const FlDetector *detector, const FlResidualMap *map, double length)
{
  g_autoptr (GString) lines = g_string_new (NULL);
  g_autoptr (GString) feet = g_string_new (NULL);
  g_string_append (out, "<path class=\"panel\" d=\"");
  for (guint i = 0; i < map->n_panels; i++)
    {
      const FlPanel *p = &detector->panels[i];
      const double corners[4][2] = { { 0, 0 }, { p->n_fs, 0 }, { p->n_fs, p->n_ss }, { 0, p->n_ss } };
      guint n_fs = map->n_fs[i], n_ss = (map->first[i + 1] - map->first[i]) / n_fs;
      for (guint c = 0; c < 4; c++)
        {
          g_string_append_c (out, c == 0 ? 'M' : 'L');
          point (out, view, fl_panel_position (p, corners[c][0], corners[c][1]));
        }
      g_string_append_c (out, 'z');
      for (guint b = 0; b < n_fs * n_ss; b++)
        {
          FlResidualMean mean = fl_residual_mean (&map->bin[map->first[i] + b], 1);
          if (mean.n >= FEWEST)
            draw_bin (
                lines, feet, view,
                fl_panel_position (p, (b % n_fs + 0.5) * p->n_fs / n_fs, (b / n_fs + 0.5) * p->n_ss / n_ss),
                &mean, length);
        }
    }
  g_string_append_printf (out, "\"/>\n<path class=\"arrow\" d=\"%s\"/>\n<path class=\"foot\" d=\"%s\"/>\n",
                          lines->str, feet->str);
}

static void
bounds (const FlDetector *detector, FlVec3 *low, FlVec3 *high)
{
  *low = fl_vec3 (INFINITY, INFINITY, 0);
  *high = fl_vec3 (-INFINITY, -INFINITY, 0);
  for (guint i = 0; i < detector->n_panels; i++)
    for (guint c = 0; c < 4; c++)
      {
        const FlPanel *p = &detector->panels[i];
        FlVec3 at = fl_panel_position (p, c % 2 * p->n_fs, c / 2 * p->n_ss);
        *low = fl_vec3 (MIN (low->x, at.x), MIN (low->y, at.y), 0);
        *high = fl_vec3 (MAX (high->x, at.x), MAX (high->y, at.y), 0);
      }
}

/* px: a round length that a third or more of the arrows before are shorter than: r.m.s., rounded up to 1, 2, 5 × 10ⁿ. */
static double
round_scale (const FlResidualMap *map)
{
  double square = 0, n = 0;
  for (guint b = 0; b < map->first[map->n_panels]; b++)
    {
      FlResidualMean mean = fl_residual_mean (&map->bin[b], 1);
      if (mean.n < FEWEST)
        continue;
      square += mean.x * mean.x + mean.y * mean.y;
      n++;
    }
  double rms = n > 0 ? MAX (sqrt (square / n), 1e-3) : 1, ten = pow (10, floor (log10 (rms)));
  return rms <= ten ? ten : rms <= 2 * ten ? 2 * ten : rms <= 5 * ten ? 5 * ten : 10 * ten;
}

static void
draw_title (GString *out, double left, const char *words, const FlResidualMean *mean)
{
  char x[G_ASCII_DTOSTR_BUF_SIZE], r[G_ASCII_DTOSTR_BUF_SIZE], t[G_ASCII_DTOSTR_BUF_SIZE];
  g_ascii_formatd (x, sizeof x, "%.1f", left);
  g_ascii_formatd (r, sizeof r, "%.3f", mean->radial);
  g_ascii_formatd (t, sizeof t, "%.3f", mean->transverse);
  g_string_append_printf (
      out,
      "<text x=\"%s\" y=\"20\" class=\"title\">%s</text>\n<text x=\"%s\" y=\"37\">r.m.s. %s px "
      "radial, %s px transverse; %" G_GUINT64_FORMAT " reflections</text>\n",
      x, words, x, r, t, mean->n);
}

static gboolean
write_picture (const FlGeometryJob *job, const char *path, GError **error)
{
  FlVec3 low, high;
  bounds (job->detector, &low, &high);
  double scale = SIDE / MAX (high.x - low.x, high.y - low.y), unit = round_scale (&job->before);
  double height = TITLE + (high.y - low.y) * scale + 2 * MARGIN + 24, arrow = 0.045 * SIDE;
  View view = { low.x, high.y, MARGIN, TITLE + MARGIN / 2, scale };
  FlResidualMean before = fl_residual_group (job, &job->before, G_MAXUINT),
                 after = fl_residual_group (job, &job->after, G_MAXUINT);
  char text[3][G_ASCII_DTOSTR_BUF_SIZE];
  g_autoptr (GString) out = g_string_new (NULL);
  g_string_append_printf (
      out,
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\">\n"
      "<style>text{font:12px sans-serif;fill:#222}.title{font-weight:bold;font-size:14px}"
      ".panel{fill:#f4f4f4;stroke:#bbb;stroke-width:.6}.arrow{fill:none;stroke:#1a5fb4;stroke-width:1.1}"
      ".foot{stroke:#1a5fb4;stroke-width:2.6;stroke-linecap:round}</style>\n"
      "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
      2 * SIDE + 3 * MARGIN, height);
  draw_title (out, MARGIN, "Before", &before);
  draw_map (out, &view, job->detector, &job->before, arrow / scale / unit);
  view.left += SIDE + MARGIN;
  draw_title (out, view.left, "After", &after);
  draw_map (out, &view, job->result.detector, &job->after, arrow / scale / unit);
  g_ascii_formatd (text[0], sizeof text[0], "%.1f", height - 14);
  g_ascii_formatd (text[1], sizeof text[1], "%.1f", arrow);
  g_ascii_formatd (text[2], sizeof text[2], "%g", unit);
  g_string_append_printf (
      out,
      "<path class=\"arrow\" d=\"M20 %sh%s\"/><path class=\"foot\" d=\"M20 %sh0\"/>\n"
      "<text x=\"52\" y=\"%.0f\">%s px: mean of spots less predictions, from the dot, in both "
      "maps; seen against the beam, y up</text>\n</svg>\n",
      text[0], text[1], text[0], height - 10, text[2]);
  return g_file_set_contents (path, out->str, (gssize) out->len, error);
}

gboolean
fl_geometry_job_write_maps (const FlGeometryJob *job, GError **error)
{
  g_autofree char *json = g_build_filename (job->out, "residuals.json", NULL);
  g_autofree char *picture = g_build_filename (job->out, "residuals.svg", NULL);
  return write_json (job, json, error) && write_picture (job, picture, error);
}
