#include "widgets/sphere-map.h"

#include <glib/gi18n.h>
#include <math.h>
#include <stdlib.h>

#include "widgets/chrome.h"
#include "widgets/theme.h"

#define HEADER 30
#define MARGIN 16  /* around the disc: the names of the axes */
#define BAR    74  /* the colour bar with its numbers */
#define RASTER 240 /* px across the disc: of the picture that is scaled to it */
#define HATCH  6   /* px of it from line to line */

struct _FlwSphereMap
{
  GtkWidget parent_instance;
  char *title, *things;
  guint n;
  FlwSphereDirection *directions; /* z ≥ 0 */
  double least, most;             /* below `least` empty; the greatest weight */
  double x, y;                    /* of the pointer, NaN: gone */
  cairo_surface_t *picture;       /* RASTER²; NULL: nothing */
};

enum
{
  PROP_SUMMARY = 1
};

G_DEFINE_FINAL_TYPE (FlwSphereMap, flw_sphere_map, GTK_TYPE_WIDGET)

/* --- geometry --- */

/* From the unit disc to the upper half of the sphere (Lambert 1772): r = √2 sin (ϑ/2), here over 1 at the equator. FALSE: outside. */
static gboolean
place_of (double x, double y, double place[3])
{
  double squares = x * x + y * y;
  if (squares > 1)
    return FALSE;
  double factor = sqrt (2 - squares);
  place[0] = x * factor;
  place[1] = y * factor;
  place[2] = 1 - squares;
  return TRUE;
}

/* The inverse; a place below the equator lies outside the unit disc. */
static void
disc_of (const double place[3], double *x, double *y)
{
  double factor = 1 / sqrt (fmax (1 + place[2], 1e-9));
  *x = place[0] * factor;
  *y = place[1] * factor;
}

static double
along (const double a[3], const double b[3])
{
  return fabs (a[0] * b[0] + a[1] * b[1] + a[2] * b[2]);
}

guint
flw_sphere_nearest (guint n, const FlwSphereDirection *directions, const double place[3])
{
  guint best = n;
  for (guint i = 0; i < n; i++)
    if (best == n || along (directions[i].place, place) > along (directions[best].place, place))
      best = i;
  return best;
}

/* --- the picture --- */

/* Directions by where they lie in the disc and just outside it, so that a pixel looks at its neighbours alone. */
typedef struct
{
  guint side;
  GArray **cells; /* side² arrays of guint */
} Places;

static guint
cell_of (const Places *places, double at)
{
  return (guint) CLAMP ((at + 1.25) / 2.5 * places->side, 0, places->side - 1);
}

static void
places_fill (Places *places, guint n, const FlwSphereDirection *directions)
{
  places->side = CLAMP ((guint) (sqrt (n) / 2), 1, 64); /* about four in each */
  places->cells = g_new (GArray *, places->side * places->side);
  for (guint i = 0; i < places->side * places->side; i++)
    places->cells[i] = g_array_new (FALSE, FALSE, sizeof (guint));
  for (guint i = 0; i < n; i++)
    for (int sign = 1; sign >= -1; sign -= 2)
      {
        const double *d = directions[i].place;
        const double place[3] = { sign * d[0], sign * d[1], sign * d[2] };
        double x, y;
        disc_of (place, &x, &y);
        if (fabs (x) < 1.25 && fabs (y) < 1.25)
          g_array_append_val (places->cells[cell_of (places, y) * places->side + cell_of (places, x)], i);
      }
}

static void
places_clear (Places *places)
{
  for (guint i = 0; i < places->side * places->side; i++)
    g_array_unref (places->cells[i]);
  g_free (places->cells);
}

static guint
places_nearest (const Places *places, FlwSphereMap *self, double x, double y, const double place[3])
{
  guint best = self->n, cx = cell_of (places, x), cy = cell_of (places, y);
  for (guint j = cy > 0 ? cy - 1 : 0; j <= MIN (cy + 1, places->side - 1); j++)
    for (guint i = cx > 0 ? cx - 1 : 0; i <= MIN (cx + 1, places->side - 1); i++)
      {
        const GArray *cell = places->cells[j * places->side + i];
        for (guint k = 0; k < cell->len; k++)
          {
            guint d = g_array_index (cell, guint, k);
            if (best == self->n
                || along (self->directions[d].place, place) > along (self->directions[best].place, place))
              best = d;
          }
      }
  return best < self->n ? best : flw_sphere_nearest (self->n, self->directions, place);
}

static gboolean
is_empty (FlwSphereMap *self, guint direction)
{
  return self->directions[direction].weight < self->least;
}

/* From the darkest colour that still differs from the ground, for one, to the brightest. */
static guint32
colour_of (FlwSphereMap *self, double weight, const guint32 lut[256])
{
  return lut[(guint) CLAMP (255 * weight / self->most, 0, 255)];
}

static cairo_surface_t *
make_picture (FlwSphereMap *self)
{
  cairo_surface_t *picture = cairo_image_surface_create (CAIRO_FORMAT_ARGB32, RASTER, RASTER);
  guint32 lut[256], *pixels = (guint32 *) (gpointer) cairo_image_surface_get_data (picture);
  gsize stride = (gsize) cairo_image_surface_get_stride (picture) / sizeof *pixels;
  Places places;
  places_fill (&places, self->n, self->directions);
  flw_palette_lut (FLW_PALETTE_VIRIDIS, lut);
  for (guint j = 0; j < RASTER; j++)
    for (guint i = 0; i < RASTER; i++)
      {
        double x = (2 * i + 1.) / RASTER - 1, y = 1 - (2 * j + 1.) / RASTER, place[3];
        if (!place_of (x, y, place))
          continue;
        guint d = places_nearest (&places, self, x, y, place);
        pixels[j * stride + i] = !is_empty (self, d)   ? colour_of (self, self->directions[d].weight, lut)
                                 : (i + j) % HATCH < 2 ? 0xff000000u | flw_class_colour (FLW_CLASS_FAILED)
                                                       : 0xff000000u | FLW_GROUND;
      }
  places_clear (&places);
  cairo_surface_mark_dirty (picture);
  return picture;
}

/* --- words --- */

static guint
count_empty (FlwSphereMap *self)
{
  guint empty = 0;
  for (guint i = 0; i < self->n; i++)
    empty += is_empty (self, i);
  return empty;
}

static int
by_weight (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

static char *
summary (FlwSphereMap *self)
{
  if (self->n == 0)
    return g_strdup_printf (_ ("%s: not known"), self->title);
  g_autofree double *weights = g_new (double, self->n);
  guint empty = count_empty (self);
  for (guint i = 0; i < self->n; i++)
    weights[i] = self->directions[i].weight;
  qsort (weights, self->n, sizeof *weights, by_weight);
  g_autofree char *count = flw_format_count (self->n);
  return g_strdup_printf (_ ("%s: %s directions, median %.3g %s, at most %.3g; %u empty (%.1f %%)"),
                          self->title, count, weights[self->n / 2], self->things, weights[self->n - 1], empty,
                          100. * empty / self->n);
}

/* --- drawing --- */

/* The disc's middle and radius, px. */
static void
disc (FlwSphereMap *self, double *x, double *y, double *radius)
{
  double width = gtk_widget_get_width (GTK_WIDGET (self)), height = gtk_widget_get_height (GTK_WIDGET (self));
  *radius = fmax (fmin (width - BAR - 2 * MARGIN, height - HEADER - 2 * MARGIN) / 2, 1);
  *x = MARGIN + *radius + fmax (width - BAR - 2 * MARGIN - 2 * *radius, 0) / 2;
  *y = HEADER + (height - HEADER) / 2;
}

static void
draw_rings (FlwSphereMap *self, cairo_t *cr, double x, double y, double radius)
{
  cairo_set_line_width (cr, 1);
  for (int tilt = 30; tilt <= 90; tilt += 30)
    {
      double r = radius * G_SQRT2 * sin (tilt * G_PI / 360);
      g_autofree char *text = g_strdup_printf ("%d°", tilt);
      flw_set_source (cr, FLW_TEXT, tilt == 90 ? 0.9 : 0.35);
      cairo_new_path (cr);
      cairo_arc (cr, x, y, r, 0, 2 * G_PI);
      cairo_stroke (cr);
      if (tilt < 90)
        flw_text_draw (GTK_WIDGET (self), cr, FLW_POINTS_SMALL, text, x + 0.72 * r, y - 0.72 * r, 0, 1,
                       FLW_TEXT);
    }
  flw_text_draw (GTK_WIDGET (self), cr, FLW_POINTS_SMALL, "x", x + radius + 4, y, 0, 0.5, FLW_DIM);
  flw_text_draw (GTK_WIDGET (self), cr, FLW_POINTS_SMALL, "y", x, y - radius - 1, 0.5, 1, FLW_DIM);
  flw_text_draw (GTK_WIDGET (self), cr, FLW_POINTS_SMALL, "z", x, y, 0.5, 0.5, FLW_TEXT);
}

static void
draw_hatch (cairo_t *cr, double x, double y, double width, double height)
{
  cairo_save (cr);
  cairo_rectangle (cr, x, y, width, height);
  cairo_clip (cr);
  flw_set_source (cr, flw_class_colour (FLW_CLASS_FAILED), 1);
  cairo_set_line_width (cr, 1.5);
  for (double at = 0; at < width + height; at += HATCH)
    {
      cairo_move_to (cr, x + at, y);
      cairo_line_to (cr, x + at - height, y + height);
    }
  cairo_stroke (cr);
  cairo_restore (cr);
}

/* From 0, below which lies what is empty. */
static void
draw_bar (FlwSphereMap *self, cairo_t *cr, double y, double radius)
{
  double right = gtk_widget_get_width (GTK_WIDGET (self)), x = right - BAR + 6;
  double top = y - radius + 18, height = 2 * radius - 18 - 20;
  g_autoptr (FlwAxis) axis = flw_axis_new (FLW_AXIS_NUMBER, NULL, NULL);
  FlwTick ticks[8];
  guint32 lut[256];
  flw_palette_lut (FLW_PALETTE_VIRIDIS, lut);
  flw_text_draw (GTK_WIDGET (self), cr, FLW_POINTS_SMALL, self->things, right - 6, y - radius, 1, 0.5,
                 FLW_DIM);
  for (guint i = 0; i < 256 && height > 0; i++)
    {
      flw_set_source (cr, lut[i] & 0xffffff, 1);
      cairo_rectangle (cr, x, top + height * (255 - i) / 256, 12, height / 256 + 1);
      cairo_fill (cr);
    }
  flw_axis_set_range (axis, 0, self->most);
  guint n = flw_axis_ticks (axis, CLAMP ((guint) (fmax (height, 0) / 26), 2, G_N_ELEMENTS (ticks)), ticks);
  for (guint i = 0; i < n; i++)
    flw_text_draw (GTK_WIDGET (self), cr, FLW_POINTS_SMALL, ticks[i].label, x + 17,
                   top + height * (1 - ticks[i].value / self->most), 0, 0.5, FLW_DIM);
  draw_hatch (cr, x, top + height + 8, 12, 12);
  flw_text_draw (GTK_WIDGET (self), cr, FLW_POINTS_SMALL, _ ("empty"), x + 17, top + height + 14, 0, 0.5,
                 FLW_DIM);
}

static void
snapshot_hover (FlwSphereMap *self, GtkSnapshot *snapshot, double x, double y, double radius)
{
  double place[3], at_x = (self->x - x) / radius, at_y = (y - self->y) / radius;
  graphene_rect_t bounds = GRAPHENE_RECT_INIT (0, HEADER, (float) gtk_widget_get_width (GTK_WIDGET (self)),
                                               (float) gtk_widget_get_height (GTK_WIDGET (self)) - HEADER);
  if (isnan (self->x) || !place_of (at_x, at_y, place))
    return;
  const FlwSphereDirection *d = &self->directions[flw_sphere_nearest (self->n, self->directions, place)];
  g_autofree char *text = g_strdup_printf (_ ("%.3g %s\n%.0f° from z, %.0f° about it"), d->weight,
                                           self->things, acos (fmin (d->place[2], 1)) * 180 / G_PI,
                                           atan2 (d->place[1], d->place[0]) * 180 / G_PI);
  flw_text_callout (GTK_WIDGET (self), snapshot, text, self->x, self->y, &bounds);
}

static void
flw_sphere_map_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  FlwSphereMap *self = FLW_SPHERE_MAP (widget);
  double width = gtk_widget_get_width (widget), height = gtk_widget_get_height (widget), x, y, radius;
  graphene_rect_t all = GRAPHENE_RECT_INIT (0, 0, (float) width, (float) height);

  flw_fill (snapshot, 0, 0, width, height, FLW_GROUND, 1);
  if (self->n > 0)
    {
      cairo_t *cr = gtk_snapshot_append_cairo (snapshot, &all);
      disc (self, &x, &y, &radius);
      flw_text_draw (widget, cr, FLW_POINTS_BODY + 1, self->title, 10, 14, 0, 0.5, FLW_TEXT);
      if (!self->picture)
        self->picture = make_picture (self);
      cairo_save (cr);
      cairo_translate (cr, x - radius, y - radius);
      cairo_scale (cr, 2 * radius / RASTER, 2 * radius / RASTER);
      cairo_set_source_surface (cr, self->picture, 0, 0);
      cairo_paint (cr);
      cairo_restore (cr);
      draw_rings (self, cr, x, y, radius);
      draw_bar (self, cr, y, radius);
      cairo_destroy (cr);
      snapshot_hover (self, snapshot, x, y, radius);
    }
  flw_draw_focus (widget, snapshot);
}

/* --- values --- */

void
flw_sphere_map_set (FlwSphereMap *self, guint n, const FlwSphereDirection *directions, double least)
{
  g_return_if_fail (FLW_IS_SPHERE_MAP (self));
  g_free (self->directions);
  g_clear_pointer (&self->picture, cairo_surface_destroy);
  self->n = n;
  self->directions = g_memdup2 (directions, n * sizeof *directions);
  self->least = self->most = least;
  for (guint i = 0; i < n; i++)
    {
      double *d = self->directions[i].place;
      for (guint a = 0; d[2] < 0 && a < 3; a++)
        d[a] = -d[a];
      self->most = fmax (self->most, directions[i].weight);
    }
  flw_chart_summary_changed (GTK_WIDGET (self));
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

/* --- the widget --- */

static void
on_motion (FlwSphereMap *self, double x, double y)
{
  self->x = x;
  self->y = y;
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
on_leave (FlwSphereMap *self)
{
  on_motion (self, NAN, NAN);
}

static void
flw_sphere_map_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  if (id == PROP_SUMMARY)
    g_value_take_string (value, summary (FLW_SPHERE_MAP (object)));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
flw_sphere_map_finalize (GObject *object)
{
  FlwSphereMap *self = FLW_SPHERE_MAP (object);
  g_free (self->title);
  g_free (self->things);
  g_free (self->directions);
  g_clear_pointer (&self->picture, cairo_surface_destroy);
  G_OBJECT_CLASS (flw_sphere_map_parent_class)->finalize (object);
}

static void
flw_sphere_map_class_init (FlwSphereMapClass *klass)
{
  GObjectClass *object = G_OBJECT_CLASS (klass);
  object->get_property = flw_sphere_map_get_property;
  object->finalize = flw_sphere_map_finalize;
  GTK_WIDGET_CLASS (klass)->snapshot = flw_sphere_map_snapshot;
  flw_chart_class_init (GTK_WIDGET_CLASS (klass), PROP_SUMMARY, "spheremap");
}

static void
flw_sphere_map_init (FlwSphereMap *self)
{
  GtkEventController *motion = gtk_event_controller_motion_new ();

  self->x = self->y = NAN;
  g_signal_connect_swapped (motion, "motion", G_CALLBACK (on_motion), self);
  g_signal_connect_swapped (motion, "leave", G_CALLBACK (on_leave), self);
  gtk_widget_add_controller (GTK_WIDGET (self), motion);
}

GtkWidget *
flw_sphere_map_new (const char *title, const char *things)
{
  FlwSphereMap *self = g_object_new (FLW_TYPE_SPHERE_MAP, NULL);
  self->title = g_strdup (title);
  self->things = g_strdup (things);
  return GTK_WIDGET (self);
}
