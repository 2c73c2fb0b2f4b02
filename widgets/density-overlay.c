/* What lies over the picture of a density view: labels, peaks, the centre, levels, what draws, and the readout below. */
#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "widgets/density-private.h"
#include "widgets/theme.h"

enum
{
  REACH = 12,  /* px from the pointer */
  LABELS = 60, /* at most */
  EDGE = 10    /* px */
};

#define NARROW     640  /* px: then what draws is said below, not beside the levels */
#define NARROWEST  420  /* px: there is no room for them at all */
#define LABEL_ROOM 44.0 /* px that a residue must have on the screen to be named */
#define CA_STEP    3.8  /* Å from residue to residue */

/* --- places on the screen --- */

/* FALSE when it is outside the ball, the slab or the box. */
static gboolean
on_screen (FlwDensityView *view, const double place[3], double *x, double *y, double *depth)
{
  FlwBox box = flw_density_box (view);
  const FlwDensityCamera *camera = &view->camera;
  double square = 0;

  flw_density_camera_project (camera, box.width, box.height, place, x, y, depth);
  for (int i = 0; i < 3; i++)
    square += (place[i] - camera->centre[i]) * (place[i] - camera->centre[i]);
  return square <= camera->radius * camera->radius && *depth <= camera->front && *depth >= -camera->back
         && *x >= 0 && *y >= 0 && *x <= box.width && *y <= box.height;
}

int
flw_density_atom_at (FlwDensityView *view, double x, double y)
{
  guint n = 0;
  const FlwDensityAtom *atoms = view->model != NULL ? flw_density_model_atoms (view->model, &n) : NULL;
  double best = INFINITY;
  int found = -1;

  for (guint i = 0; i < n; i++)
    {
      double ax, ay, depth, off;
      if (!on_screen (view, atoms[i].place, &ax, &ay, &depth) || (off = hypot (ax - x, ay - y)) > REACH)
        continue;
      off -= depth; /* px and Å: of two under the pointer the nearer one */
      if (off < best)
        {
          best = off;
          found = (int) i;
        }
    }
  return found;
}

int
flw_density_peak_at (FlwDensityView *view, double x, double y)
{
  double best = REACH;
  int found = -1;

  for (guint i = 0; i < view->peaks->len; i++)
    {
      double px, py, depth;
      if (on_screen (view, g_array_index (view->peaks, FlwDensityPeak, i).place, &px, &py, &depth)
          && hypot (px - x, py - y) < best)
        {
          best = hypot (px - x, py - y);
          found = (int) i;
        }
    }
  return found;
}

/* --- words --- */

static char *
value_text (const FlwDensityVolume *volume, double value)
{
  const FlwDensityGrid *grid = flw_density_volume_grid (volume);
  return g_strdup_printf ("%.2f σ (%.3g%s%s)", (value - grid->mean) / grid->sigma, value,
                          grid->unit != NULL ? " " : "", grid->unit != NULL ? grid->unit : "");
}

char *
flw_density_level_text (FlwDensityView *view, guint map)
{
  const FlwDensityShown *shown = &view->maps[map];
  const FlwDensityGrid *grid = flw_density_volume_grid (shown->volume);
  double value = view->absolute ? shown->level : grid->mean + shown->level * grid->sigma;
  g_autofree char *level = value_text (shown->volume, value);

  return g_strdup_printf ("%s %s%s", shown->name != NULL ? shown->name : _ ("map"),
                          shown->difference ? "±" : "", level);
}

static void
append_values (FlwDensityView *view, GString *text, const double place[3])
{
  for (guint m = 0; m < FLW_DENSITY_MAPS; m++)
    if (view->maps[m].volume != NULL && !view->maps[m].hidden)
      {
        double value = flw_density_volume_at (view->maps[m].volume, place);
        if (!isnan (value))
          {
            g_autofree char *written = value_text (view->maps[m].volume, value);
            g_string_append_printf (text, " · %s %s",
                                    view->maps[m].name != NULL ? view->maps[m].name : _ ("map"), written);
          }
      }
}

char *
flw_density_readout (FlwDensityView *view)
{
  GString *text = g_string_new (NULL);
  int atom = -1, peak = -1;
  const double *place = view->camera.centre;
  guint n;

  if (!isnan (view->hover_x))
    {
      peak = flw_density_peak_at (view, view->hover_x, view->hover_y);
      atom = peak < 0 ? flw_density_atom_at (view, view->hover_x, view->hover_y) : -1;
    }
  if (peak < 0 && atom < 0)
    {
      peak = view->peak;
      atom = view->atom;
    }
  if (peak >= 0)
    {
      const FlwDensityPeak *p = &g_array_index (view->peaks, FlwDensityPeak, peak);
      place = p->place;
      g_string_append_printf (text, _ ("peak %d of %u: %+.1f %s%s%s"), peak + 1, view->peaks->len, p->value,
                              view->peak_unit, *p->label ? " " : "", p->label);
    }
  else if (atom >= 0)
    {
      const FlwDensityAtom *a = &flw_density_model_atoms (view->model, &n)[atom];
      g_autofree char *name = flw_density_atom_text (a, TRUE);
      place = a->place;
      g_string_append (text, name);
    }
  else
    g_string_append (text, _ ("centre"));
  g_string_append_printf (text, " · %.1f %.1f %.1f Å", place[0], place[1], place[2]);
  append_values (view, text, place);
  return g_string_free (text, FALSE);
}

/* --- labels and peaks --- */

typedef struct
{
  FlwDensityView *view;
  cairo_t *cr;
  GArray *taken; /* graphene_rect_t: where text stands already */
} Labels;

/* With a dark rim, so that it is read over lines. */
static void
write_label (Labels *labels, const char *text, double x, double y, guint32 rgb, double alpha, gboolean always)
{
  g_autoptr (PangoLayout) layout = flw_text_layout (GTK_WIDGET (labels->view), FLW_POINTS_SMALL, FALSE, text);
  graphene_rect_t rect;
  int width, height;

  pango_layout_get_pixel_size (layout, &width, &height);
  rect = GRAPHENE_RECT_INIT ((float) x + 8, (float) y - (float) height / 2, (float) width, (float) height);
  for (guint i = 0; !always && i < labels->taken->len; i++)
    if (graphene_rect_intersection (&rect, &g_array_index (labels->taken, graphene_rect_t, i), NULL))
      return;
  g_array_append_val (labels->taken, rect);
  cairo_move_to (labels->cr, round ((double) rect.origin.x), round ((double) rect.origin.y));
  pango_cairo_layout_path (labels->cr, layout);
  flw_set_source (labels->cr, FLW_GROUND, 0.85 * alpha);
  cairo_set_line_width (labels->cr, 3);
  cairo_set_line_join (labels->cr, CAIRO_LINE_JOIN_ROUND);
  cairo_stroke (labels->cr);
  cairo_move_to (labels->cr, round ((double) rect.origin.x), round ((double) rect.origin.y));
  flw_set_source (labels->cr, rgb, alpha);
  pango_cairo_show_layout (labels->cr, layout);
  cairo_new_path (labels->cr);
}

/* Things far behind are dimmer, as the picture is. */
static double
clearness (FlwDensityView *view, double depth)
{
  double reach = fmax (fmin (view->camera.radius, 0.6 * view->camera.span), 1e-3);
  return 1 - 0.65 * CLAMP (-depth / reach, 0, 1);
}

static void
draw_ring (cairo_t *cr, double x, double y, guint32 rgb)
{
  cairo_arc (cr, x, y, 7, 0, 2 * G_PI);
  cairo_set_line_width (cr, 3.5);
  flw_set_source (cr, FLW_GROUND, 0.8);
  cairo_stroke_preserve (cr);
  cairo_set_line_width (cr, 1.5);
  flw_set_source (cr, rgb, 1);
  cairo_stroke (cr);
}

static void
draw_residues (Labels *labels)
{
  FlwDensityView *view = labels->view;
  FlwBox box = flw_density_box (view);
  double room = CA_STEP / flw_density_camera_scale (&view->camera, box.width, box.height);
  guint n_residues, n_atoms, drawn = 0;
  const FlwDensityResidue *residues = flw_density_model_residues (view->model, &n_residues);
  const FlwDensityAtom *atoms = flw_density_model_atoms (view->model, &n_atoms);

  for (guint r = 0; room >= LABEL_ROOM && r < n_residues && drawn < LABELS; r++)
    {
      const FlwDensityAtom *atom = &atoms[residues[r].centre];
      double x, y, depth;

      if (residues[r].n < 2 || (int) residues[r].centre == view->atom
          || !on_screen (view, atom->place, &x, &y, &depth))
        continue;
      g_autofree char *text = flw_density_atom_text (atom, FALSE);
      write_label (labels, text, x, y, FLW_TEXT, clearness (view, depth), FALSE);
      drawn++;
    }
}

static void
draw_peaks (Labels *labels)
{
  FlwDensityView *view = labels->view;

  for (guint i = 0; i < view->peaks->len; i++)
    {
      const FlwDensityPeak *peak = &g_array_index (view->peaks, FlwDensityPeak, i);
      guint32 rgb = peak->value < 0 ? 0xff8a80 : 0x86e898;
      double x, y, depth, alpha;

      if (!on_screen (view, peak->place, &x, &y, &depth))
        continue;
      alpha = clearness (view, depth);
      cairo_move_to (labels->cr, x, y - 5);
      cairo_rel_line_to (labels->cr, 5, 5);
      cairo_rel_line_to (labels->cr, -5, 5);
      cairo_rel_line_to (labels->cr, -5, -5);
      cairo_close_path (labels->cr);
      cairo_set_line_width (labels->cr, 1.5);
      flw_set_source (labels->cr, rgb, alpha);
      cairo_stroke (labels->cr);
      if (view->labels && (int) i != view->peak)
        {
          g_autofree char *text = g_strdup_printf ("%+.1f", peak->value);
          write_label (labels, text, x, y, rgb, alpha, FALSE);
        }
    }
}

static void
draw_selected (Labels *labels)
{
  FlwDensityView *view = labels->view;
  double x, y, depth;
  guint n;

  if (view->peak >= 0)
    {
      const FlwDensityPeak *peak = &g_array_index (view->peaks, FlwDensityPeak, view->peak);
      if (!on_screen (view, peak->place, &x, &y, &depth))
        return;
      g_autofree char *text = g_strdup_printf ("%+.1f %s %s", peak->value, view->peak_unit, peak->label);
      draw_ring (labels->cr, x, y, FLW_FOCUS);
      write_label (labels, text, x + 4, y, FLW_TEXT, 1, TRUE);
    }
  else if (view->atom >= 0)
    {
      const FlwDensityAtom *atom = &flw_density_model_atoms (view->model, &n)[view->atom];
      if (!on_screen (view, atom->place, &x, &y, &depth))
        return;
      g_autofree char *text = flw_density_atom_text (atom, TRUE);
      draw_ring (labels->cr, x, y, FLW_FOCUS);
      write_label (labels, text, x + 4, y, FLW_TEXT, 1, TRUE);
    }
}

/* --- corners --- */

/* On a plate that lets the picture through. Returns the y below. */
static double
write_line (FlwDensityView *view, cairo_t *cr, const char *text, double x, double y, double xalign,
            guint32 square)
{
  int width, height, mark = square != 0 ? 18 : 0;

  flw_text_size (GTK_WIDGET (view), FLW_POINTS_SMALL, text, &width, &height);
  x -= xalign * (width + mark);
  flw_set_source (cr, FLW_PLATE, 0.78);
  cairo_rectangle (cr, x - 6, y - 2, width + mark + 12, height + 4);
  cairo_fill (cr);
  if (square != 0)
    {
      flw_set_source (cr, square, 1);
      cairo_rectangle (cr, x, y + height / 2. - 6, 12, 12);
      cairo_fill (cr);
    }
  flw_text_draw (GTK_WIDGET (view), cr, FLW_POINTS_SMALL, text, x + mark, y, 0, 0,
                 square != 0 ? FLW_TEXT : FLW_DIM);
  return y + height + 6;
}

static void
draw_levels (FlwDensityView *view, cairo_t *cr)
{
  FlwDensityScene scene;
  double y = EDGE;

  flw_density_scene (view, 1, &scene);
  for (guint m = 0; m < FLW_DENSITY_MAPS; m++)
    if (view->maps[m].volume != NULL && !view->maps[m].hidden)
      {
        g_autofree char *text = flw_density_level_text (view, m);
        y = write_line (view, cr, text, EDGE + 6, y, 0, scene.maps[m].rgb[0]);
      }
  if (view->slice != FLW_DENSITY_SLICE_NONE)
    {
      static const char *const names[] = { N_ ("slice facing you"), N_ ("slice across a"),
                                           N_ ("slice across b"), N_ ("slice across c") };
      g_autofree char *text =
          g_strdup_printf (_ ("%s: −%.0f σ red, +%.0f σ blue"), _ (names[view->slice - 1]), scene.slice_range,
                           scene.slice_range);
      write_line (view, cr, text, EDGE + 6, y, 0, 0);
    }
}

static void
draw_scale_bar (FlwDensityView *view, cairo_t *cr)
{
  FlwBox box = flw_density_box (view);
  double scale = flw_density_camera_scale (&view->camera, box.width, box.height),
         length = pow (10, floor (log10 (120 * scale)));
  char text[32];

  if (length * 5 <= 120 * scale)
    length *= 5;
  else if (length * 2 <= 120 * scale)
    length *= 2;
  g_snprintf (text, sizeof text, "%g Å", length);
  flw_set_source (cr, FLW_TEXT, 0.9);
  cairo_rectangle (cr, EDGE + 2, box.height - EDGE - 3, length / scale, 3);
  cairo_fill (cr);
  flw_text_draw (GTK_WIDGET (view), cr, FLW_POINTS_SMALL, text, EDGE + 2, box.height - EDGE - 6, 0, 1,
                 FLW_TEXT);
}

static void
draw_split (FlwDensityView *view, cairo_t *cr)
{
  FlwBox box = flw_density_box (view);
  double x = round (view->split * box.width), y = box.height - EDGE - 22;

  for (guint m = 0; m < FLW_DENSITY_MAPS; m++)
    if (view->maps[m].rival != NULL)
      {
        flw_set_source (cr, FLW_TEXT, 0.8);
        cairo_rectangle (cr, x - 1, 0, 2, box.height);
        cairo_fill (cr);
        if (view->maps[m].name != NULL)
          write_line (view, cr, view->maps[m].name, x - 14, y, 1, 0);
        if (view->maps[m].rival_name != NULL)
          write_line (view, cr, view->maps[m].rival_name, x + 14, y, 0, 0);
        return;
      }
}

static void
draw_overlay (GtkWidget *widget, cairo_t *cr)
{
  FlwDensityView *view = FLW_DENSITY_VIEW (widget);
  FlwBox box = flw_density_box (view);
  g_autoptr (GArray) taken = g_array_new (FALSE, FALSE, sizeof (graphene_rect_t));
  Labels labels = { view, cr, taken };

  cairo_rectangle (cr, 0, 0, box.width, box.height);
  cairo_clip (cr);
  flw_set_source (cr, FLW_TEXT, 0.55); /* what one turns about */
  cairo_rectangle (cr, round (box.width / 2) - 6, round (box.height / 2) - 0.5, 12, 1);
  cairo_rectangle (cr, round (box.width / 2) - 0.5, round (box.height / 2) - 6, 1, 12);
  cairo_fill (cr);
  draw_selected (&labels);
  draw_peaks (&labels);
  if (view->model != NULL && view->labels)
    draw_residues (&labels);
  draw_split (view, cr);
  draw_levels (view, cr);
  draw_scale_bar (view, cr);
  if (view->why != NULL && box.width >= NARROWEST) /* else it would lie over the scale */
    write_line (view, cr, view->why, box.width - EDGE - 6, box.width < NARROW ? box.height - EDGE - 20 : EDGE,
                1, 0);
}

static void
draw_foot (FlwDensityView *view, GtkSnapshot *snapshot)
{
  GtkWidget *widget = GTK_WIDGET (view);
  FlwBox box = flw_density_box (view);
  g_autofree char *text = flw_density_readout (view);
  cairo_t *cr;
  int height;

  flw_fill (snapshot, 0, box.height, box.width, FLW_DENSITY_FOOT, FLW_PLATE, 1);
  cr = gtk_snapshot_append_cairo (
      snapshot, &GRAPHENE_RECT_INIT (0, (float) box.height, (float) box.width, FLW_DENSITY_FOOT));
  flw_text_size (widget, FLW_POINTS_SMALL, text, NULL, &height);
  flw_text_draw_within (widget, cr, FLW_POINTS_SMALL, text, 10, box.height + (FLW_DENSITY_FOOT - height) / 2.,
                        box.width - 20, FLW_TEXT);
  cairo_destroy (cr);
}

static void
draw_empty (FlwDensityView *view, GtkSnapshot *snapshot)
{
  FlwBox box = flw_density_box (view);
  graphene_rect_t rect = flw_box_rect (&box);
  cairo_t *cr = gtk_snapshot_append_cairo (snapshot, &rect);

  flw_text_draw (GTK_WIDGET (view), cr, FLW_POINTS_BODY, _ ("no map"), box.width / 2, box.height / 2, 0.5,
                 0.5, FLW_DIM);
  cairo_destroy (cr);
}

void
flw_density_draw_overlay (FlwDensityView *view, GtkSnapshot *snapshot)
{
  FlwBox box = flw_density_box (view);

  if (box.height < 1)
    return;
  if (view->maps[0].volume == NULL && view->maps[1].volume == NULL)
    {
      draw_empty (view, snapshot);
      return;
    }
  if (view->overlay == NULL)
    view->overlay = flw_chrome_node (GTK_WIDGET (view), &box, draw_overlay);
  gtk_snapshot_append_node (snapshot, view->overlay);
  draw_foot (view, snapshot);
}
