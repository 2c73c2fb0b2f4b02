/* Spots and predictions of FlwImageView: a worker stamps them into a layer of pixels that is larger than the view, so
 * that moving the view moves pixels and draws nothing anew, however many there are. */
#include "widgets/image-private.h"

#include <math.h>
#include <string.h>

#include "widgets/theme.h"

#define MARGIN      256      /* px of the layer on each side of the view */
#define SLACK       64       /* px of it that are left when the next layer is made */
#define SPOT        0xff5ec4 /* in none of the palettes, nor a lattice's */
#define EXPLAINED   0xf2f2f2
#define MOST_LABELS 200  /* predictions in view for which indices are written */
#define LABEL_PX    14.5 /* 11 pt */
#define LABEL_GAP   3.0

guint32
flw_lattice_colour (guint lattice)
{
  /* Apart for normal, deutan, protan and tritan sight by lightness as well as hue, on the dark ground. */
  static const guint32 colours[] = { 0x5ee1ff, 0xff9a2e, 0xf7f08a, 0x8f8bff, 0x2fd08a };
  return colours[lattice % G_N_ELEMENTS (colours)];
}

typedef struct
{
  GArray *spots, *predictions; /* NULL: not shown */
  double x, y, zoom;           /* of the layer: its corner in the image; device px per image px */
  double scale;
  guint width, height; /* device px */
  cairo_surface_t *surface;
} Job;

static double
from_layer (FlwImageView *view, double centre, double length)
{
  return centre - (length / 2 + MARGIN) / view->zoom;
}

static gpointer
job_prepare (GtkWidget *widget)
{
  FlwImageView *view = FLW_IMAGE_VIEW (widget);
  FlwBox box = flw_image_box (view);
  Job *job;

  if (!view->remark || view->zoom <= 0 || box.width <= 0 || box.height <= 0)
    return NULL;
  view->remark = FALSE;
  job = g_new0 (Job, 1);
  job->spots = view->show_spots && view->spots->len > 0 ? g_array_ref (view->spots) : NULL;
  job->predictions =
      view->show_predictions && view->predictions->len > 0 ? g_array_ref (view->predictions) : NULL;
  job->scale = gtk_widget_get_scale_factor (widget);
  job->x = from_layer (view, view->cx, box.width);
  job->y = from_layer (view, view->cy, box.height);
  job->zoom = view->zoom * job->scale;
  job->width = (guint) ((box.width + 2 * MARGIN) * job->scale);
  job->height = (guint) ((box.height + 2 * MARGIN) * job->scale);
  return job;
}

/* --- stamps --- */

/* Dark under light, so that a line is seen on any colour. */
static void
stroke (cairo_t *cr, guint32 rgb, double width, double scale)
{
  cairo_set_line_width (cr, (width + 2) * scale);
  flw_set_source (cr, 0x000000, 0.55);
  cairo_stroke_preserve (cr);
  cairo_set_line_width (cr, width * scale);
  flw_set_source (cr, rgb, 1);
  cairo_stroke (cr);
}

static void
trace_circle (cairo_t *cr, double c, double r, gboolean dashed)
{
  if (!dashed)
    cairo_arc (cr, c, c, r, 0, 2 * G_PI);
  for (guint part = 0; dashed && part < 4; part++)
    {
      cairo_new_sub_path (cr);
      cairo_arc (cr, c, c, r, part * G_PI / 2 + 0.35, part * G_PI / 2 + 1.22);
    }
}

static void
trace_spot (cairo_t *cr, double c, double r, FlwSpotState state)
{
  if (state != FLW_SPOT_UNEXPLAINED)
    {
      cairo_rectangle (cr, c - r, c - r, 2 * r, 2 * r);
      return;
    }
  r *= 1.35; /* as large as the square */
  cairo_move_to (cr, c, c - r);
  cairo_line_to (cr, c + r, c);
  cairo_line_to (cr, c, c + r);
  cairo_line_to (cr, c - r, c);
  cairo_close_path (cr);
}

/* An odd number of pixels on a side, the mark's centre in the middle of the middle one. */
static cairo_surface_t *
stamp_new (double r, double scale, cairo_t **cr, double *centre)
{
  int half = (int) ceil (1.35 * r + 3 * scale), side = 2 * half + 1;
  cairo_surface_t *stamp = cairo_image_surface_create (CAIRO_FORMAT_ARGB32, side, side);

  *cr = cairo_create (stamp);
  *centre = half + 0.5;
  return stamp;
}

static void
put (cairo_t *cr, cairo_surface_t *stamp, double x, double y)
{
  int half = cairo_image_surface_get_width (stamp) / 2;

  cairo_set_source_surface (cr, stamp, floor (x) - half, floor (y) - half);
  cairo_pattern_set_filter (cairo_get_source (cr), CAIRO_FILTER_NEAREST);
  cairo_paint (cr);
}

static gboolean
place (const Job *job, double ix, double iy, double room, double *x, double *y)
{
  *x = (ix - job->x) * job->zoom;
  *y = (iy - job->y) * job->zoom;
  return *x > -room && *y > -room && *x < job->width + room && *y < job->height + room;
}

static double
circle_radius (const Job *job)
{
  return fmax (FLW_IMAGE_CIRCLE * job->zoom, 3.5 * job->scale);
}

static void
draw_spots (const Job *job, cairo_t *to)
{
  for (FlwSpotState state = FLW_SPOT_PLAIN; state <= FLW_SPOT_UNEXPLAINED; state++)
    {
      cairo_surface_t *stamp = NULL;
      double radius = 0;

      for (guint i = 0; i < job->spots->len; i++)
        {
          const FlwImageSpot *spot = &g_array_index (job->spots, FlwImageSpot, i);
          double r = fmax (spot->radius * job->zoom, 5 * job->scale), x, y;

          if (spot->state != state || !place (job, spot->x, spot->y, 2 * r, &x, &y))
            continue;
          if (stamp == NULL || r != radius)
            {
              cairo_t *cr;
              double c;
              g_clear_pointer (&stamp, cairo_surface_destroy);
              stamp = stamp_new (radius = r, job->scale, &cr, &c);
              trace_spot (cr, c, r, state);
              if (state == FLW_SPOT_EXPLAINED)
                stroke (cr, EXPLAINED, 1, job->scale);
              else
                stroke (cr, SPOT, 1.8, job->scale);
              cairo_destroy (cr);
            }
          put (to, stamp, x, y);
        }
      g_clear_pointer (&stamp, cairo_surface_destroy);
    }
}

static guint
n_lattices (const Job *job)
{
  guint n = 0;

  for (guint i = 0; i < job->predictions->len; i++)
    n = MAX (n, g_array_index (job->predictions, FlwImagePrediction, i).lattice + 1);
  return n;
}

/* Those that are not integrated below those that are, lattice by lattice. */
static void
draw_circles (const Job *job, cairo_t *to)
{
  guint n = n_lattices (job);
  double r = circle_radius (job), x, y;

  for (guint pass = 0; pass < 2 * n; pass++)
    {
      gboolean dashed = pass < n;
      guint lattice = pass % n;
      cairo_t *cr;
      double c;
      cairo_surface_t *stamp = stamp_new (r, job->scale, &cr, &c);

      trace_circle (cr, c, r, dashed);
      stroke (cr, flw_lattice_colour (lattice), 1.4, job->scale);
      cairo_destroy (cr);
      for (guint i = 0; i < job->predictions->len; i++)
        {
          const FlwImagePrediction *p = &g_array_index (job->predictions, FlwImagePrediction, i);
          if (p->lattice == lattice && (p->sigma < 0) == dashed && place (job, p->x, p->y, r, &x, &y))
            put (to, stamp, x, y);
        }
      cairo_surface_destroy (stamp);
    }
}

/* --- Miller indices --- */

typedef struct
{
  double x, y, width, height;
} Label;

static gboolean
overlap (const Label *a, const Label *b)
{
  return a->x < b->x + b->width && b->x < a->x + a->width && a->y < b->y + b->height
         && b->y < a->y + a->height;
}

static gboolean
is_free (const Label *label, const GArray *taken, guint own)
{
  for (guint i = 0; i < taken->len; i++)
    if (i != own && overlap (label, &g_array_index (taken, Label, i)))
      return FALSE;
  return TRUE;
}

/* The three numbers from (x, baseline), a bar over those below zero. `draw` FALSE: only how wide they are. */
static double
write_indices (cairo_t *cr, const FlwImagePrediction *p, double scale, double x, double y, gboolean draw)
{
  const int indices[3] = { p->h, p->k, p->l };
  double begin = x;

  for (guint i = 0; i < 3; i++)
    {
      cairo_text_extents_t extents;
      char text[16];
      g_snprintf (text, sizeof text, "%d", ABS (indices[i]));
      cairo_text_extents (cr, text, &extents);
      if (draw)
        {
          cairo_move_to (cr, x, y);
          cairo_show_text (cr, text);
        }
      if (draw && indices[i] < 0)
        {
          cairo_rectangle (cr, x, y + extents.y_bearing - 2.5 * scale, extents.x_advance, 1.3 * scale);
          cairo_fill (cr);
        }
      x += extents.x_advance + (i < 2 ? 5 * scale : 0);
    }
  return x - begin;
}

static void
draw_label (const Job *job, cairo_t *cr, const FlwImagePrediction *p, const Label *label)
{
  flw_set_source (cr, 0x000000, 0.7);
  cairo_rectangle (cr, label->x, label->y, label->width, label->height);
  cairo_fill (cr);
  flw_set_source (cr, flw_lattice_colour (p->lattice), 1);
  write_indices (cr, p, job->scale, label->x + LABEL_GAP * job->scale,
                 label->y + label->height - 3.5 * job->scale, TRUE);
}

/* Right of its circle, else left, below, above; where all are taken there is none. Not while a pixel of the image is
 * smaller than one of the screen: words would hide more than they say. */
static void
draw_indices (const Job *job, cairo_t *cr)
{
  g_autoptr (GArray) taken = g_array_new (FALSE, FALSE, sizeof (Label));
  g_autoptr (GArray) inside = g_array_new (FALSE, FALSE, sizeof (guint));
  double r = circle_radius (job), margin = MARGIN * job->scale, x, y;
  guint in_view = 0;

  if (job->zoom < job->scale)
    return;
  for (guint i = 0; i < job->predictions->len; i++)
    {
      const FlwImagePrediction *p = &g_array_index (job->predictions, FlwImagePrediction, i);
      if (!place (job, p->x, p->y, 0, &x, &y))
        continue;
      Label circle = { x - r, y - r, 2 * r, 2 * r };
      g_array_append_val (taken, circle);
      g_array_append_val (inside, i);
      in_view += x > margin && y > margin && x < job->width - margin && y < job->height - margin;
      if (in_view > MOST_LABELS)
        return;
    }
  for (guint i = 0; job->spots != NULL && i < job->spots->len; i++)
    {
      const FlwImageSpot *spot = &g_array_index (job->spots, FlwImageSpot, i);
      double half = 1.4 * r;
      Label mark = { 0, 0, 2 * half, 2 * half };
      if (spot->state == FLW_SPOT_EXPLAINED || !place (job, spot->x, spot->y, 0, &x, &y))
        continue;
      mark.x = x - half;
      mark.y = y - half;
      g_array_append_val (taken, mark);
    }
  cairo_select_font_face (cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size (cr, LABEL_PX * job->scale);
  for (guint n = 0; n < inside->len; n++)
    {
      const FlwImagePrediction *p =
          &g_array_index (job->predictions, FlwImagePrediction, g_array_index (inside, guint, n));
      double width = write_indices (cr, p, job->scale, 0, 0, FALSE) + 2 * LABEL_GAP * job->scale,
             height = 20 * job->scale, gap = 1.4 * r + 2 * job->scale; /* beside a spot's square too */
      place (job, p->x, p->y, 0, &x, &y);
      const Label places[] = { { x + gap, y - height / 2, width, height },
                               { x - gap - width, y - height / 2, width, height },
                               { x - width / 2, y + gap, width, height },
                               { x - width / 2, y - gap - height, width, height } };
      for (guint k = 0; k < G_N_ELEMENTS (places); k++)
        if (is_free (&places[k], taken, n))
          {
            draw_label (job, cr, p, &places[k]);
            g_array_append_val (taken, places[k]);
            break;
          }
    }
}

/* --- the layer --- */

static void
job_work (gpointer pointer)
{
  Job *job = pointer;

  if (job->spots == NULL && job->predictions == NULL)
    return;
  job->surface = cairo_image_surface_create (CAIRO_FORMAT_ARGB32, (int) job->width, (int) job->height);
  cairo_t *cr = cairo_create (job->surface);
  if (job->predictions != NULL)
    draw_circles (job, cr);
  if (job->spots != NULL)
    draw_spots (job, cr);
  if (job->predictions != NULL)
    draw_indices (job, cr);
  cairo_destroy (cr);
  cairo_surface_flush (job->surface);
}

static void
job_finish (GtkWidget *widget, gpointer pointer)
{
  FlwImageView *view = FLW_IMAGE_VIEW (widget);
  Job *job = pointer;

  g_clear_pointer (&view->marks, gsk_render_node_unref);
  view->marks_x = job->x;
  view->marks_y = job->y;
  view->marks_zoom = job->zoom / job->scale;
  if (job->surface != NULL && gtk_widget_get_realized (widget))
    view->marks = flw_surface_node (
        widget, g_steal_pointer (&job->surface),
        &GRAPHENE_RECT_INIT (0, 0, (float) (job->width / job->scale), (float) (job->height / job->scale)));
  gtk_widget_queue_draw (widget);
}

static void
job_drop (gpointer pointer)
{
  Job *job = pointer;

  g_clear_pointer (&job->spots, g_array_unref);
  g_clear_pointer (&job->predictions, g_array_unref);
  g_clear_pointer (&job->surface, cairo_surface_destroy);
  g_free (job);
}

const FlwRenderFuncs flw_image_marks_funcs = { job_prepare, job_work, job_finish, job_drop };

void
flw_image_marks_changed (FlwImageView *view)
{
  view->remark = TRUE;
  flw_render_loop_want (&view->marks_loop, TRUE);
}

void
flw_image_marks_moved (FlwImageView *view)
{
  FlwBox box = flw_image_box (view);
  double dx = (from_layer (view, view->cx, box.width) - view->marks_x) * view->zoom;
  double dy = (from_layer (view, view->cy, box.height) - view->marks_y) * view->zoom;

  if (view->zoom != view->marks_zoom || fabs (dx) > MARGIN - SLACK || fabs (dy) > MARGIN - SLACK)
    flw_image_marks_changed (view);
}

void
flw_image_draw_marks (FlwImageView *view, GtkSnapshot *snapshot)
{
  FlwBox box = flw_image_box (view);
  graphene_rect_t rect = flw_box_rect (&box);
  double by = view->zoom / view->marks_zoom;
  double x = flw_image_to_x (view, view->marks_x), y = flw_image_to_y (view, view->marks_y);

  if (view->marks == NULL)
    return;
  gtk_snapshot_push_clip (snapshot, &rect);
  gtk_snapshot_save (snapshot);
  if (by == 1)
    gtk_snapshot_translate (snapshot, &GRAPHENE_POINT_INIT ((float) round (x), (float) round (y)));
  else /* until the worker has made those of this zoom */
    {
      gtk_snapshot_translate (snapshot, &GRAPHENE_POINT_INIT ((float) x, (float) y));
      gtk_snapshot_scale (snapshot, (float) by, (float) by);
    }
  gtk_snapshot_append_node (snapshot, view->marks);
  gtk_snapshot_restore (snapshot);
  gtk_snapshot_pop (snapshot);
}
