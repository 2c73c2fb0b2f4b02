#include "widgets/device-track.h"

#include <glib/gi18n.h>
#include <math.h>

#include "widgets/chrome.h"
#include "widgets/theme.h"

#define HEIGHT 92
#define TOP    26
#define BOTTOM 12
#define BINS   (1u << 16)
#define MEMORY 0xd7a6ff /* the line's colour: none of the classes' */

/* Sums over a bin's part of all uses. */
typedef struct
{
  double told, busy;                            /* s of ranks */
  double launches, shots, moved, used, capable; /* used, capable: bytes × s */
} Bin;

typedef struct
{
  double busy;
  guint64 launches;
} Kernel;

struct _FlwDeviceTrack
{
  GtkWidget parent_instance;
  FlwWeatherPlot *above;                 /* goes with us */
  double first, width;                   /* s since 1970; s a bin, 0: there is none */
  GArray *bins;                          /* Bin */
  GHashTable *devices, *ranks, *kernels; /* name -> NULL; rank + 1 -> NULL; name -> Kernel */
  double hover;
};

enum
{
  PROP_SUMMARY = 1
};

G_DEFINE_FINAL_TYPE (FlwDeviceTrack, flw_device_track, GTK_TYPE_WIDGET)

/* --- bins --- */

static void
bin_add (Bin *to, const Bin *from)
{
  to->told += from->told;
  to->busy += from->busy;
  to->launches += from->launches;
  to->shots += from->shots;
  to->moved += from->moved;
  to->used += from->used;
  to->capable += from->capable;
}

/* Pairs of bins become one. */
static void
coarsen (FlwDeviceTrack *self)
{
  guint n = (self->bins->len + 1) / 2;
  for (guint i = 0; i < n; i++)
    {
      Bin both = g_array_index (self->bins, Bin, 2 * i);
      if (2 * i + 1 < self->bins->len)
        bin_add (&both, &g_array_index (self->bins, Bin, 2 * i + 1));
      g_array_index (self->bins, Bin, i) = both;
    }
  g_array_set_size (self->bins, n);
  self->width *= 2;
}

/* Bins from `from` to `to` are there. */
static void
need_bins (FlwDeviceTrack *self, double from, double to)
{
  if (self->width <= 0)
    {
      self->width = 1;
      self->first = floor (from);
    }
  while (fmax (to, self->first + self->bins->len * self->width) - fmin (from, self->first)
         > BINS * self->width)
    coarsen (self);
  if (from < self->first)
    {
      guint before = (guint) ceil ((self->first - from) / self->width);
      GArray *all = g_array_new (FALSE, TRUE, sizeof (Bin));
      g_array_set_size (all, before);
      g_array_append_vals (all, self->bins->data, self->bins->len);
      g_array_unref (self->bins);
      self->bins = all;
      self->first -= before * self->width;
    }
  guint n = (guint) ceil ((to - self->first) / self->width);
  if (n > self->bins->len)
    g_array_set_size (self->bins, n);
}

static void
add_use (FlwDeviceTrack *self, const FlwDeviceUse *use)
{
  double from = 1e-9 * (double) use->start, to = from + use->duration;
  if (!(use->duration > 0) || !(use->duration < 1e7) || !(from > 0))
    return;
  need_bins (self, from, to);
  for (double at = from; at < to;)
    {
      guint i = MIN ((guint) ((at - self->first) / self->width), self->bins->len - 1);
      double end = fmin (to, self->first + (i + 1) * self->width), part = end - at,
             share = part / use->duration;
      if (!(part > 0))
        break;
      const Bin bin = { part,
                        use->busy * share,
                        (double) use->launches * share,
                        (double) use->shots * share,
                        (double) use->moved * share,
                        (double) use->used * part,
                        (double) use->total * part };
      bin_add (&g_array_index (self->bins, Bin, i), &bin);
      at = end;
    }
  g_hash_table_add (self->devices, g_strdup (use->device));
  g_hash_table_add (self->ranks, GUINT_TO_POINTER (use->rank + 1));
}

void
flw_device_track_append (FlwDeviceTrack *self, guint n, const FlwDeviceUse *uses)
{
  g_return_if_fail (FLW_IS_DEVICE_TRACK (self));
  for (guint i = 0; i < n; i++)
    {
      const FlwDeviceUse *use = &uses[i];
      if (*use->kernel == '\0')
        {
          add_use (self, use);
          continue;
        }
      Kernel *kernel = g_hash_table_lookup (self->kernels, use->kernel);
      if (kernel == NULL)
        g_hash_table_insert (self->kernels, g_strdup (use->kernel), kernel = g_new0 (Kernel, 1));
      kernel->busy += use->busy;
      kernel->launches += use->launches;
    }
  gtk_widget_set_visible (GTK_WIDGET (self), self->bins->len > 0);
  flw_chart_summary_changed (GTK_WIDGET (self));
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

void
flw_device_track_clear (FlwDeviceTrack *self)
{
  g_return_if_fail (FLW_IS_DEVICE_TRACK (self));
  g_array_set_size (self->bins, 0);
  self->width = 0;
  self->hover = NAN;
  g_hash_table_remove_all (self->devices);
  g_hash_table_remove_all (self->ranks);
  g_hash_table_remove_all (self->kernels);
  gtk_widget_set_visible (GTK_WIDGET (self), FALSE);
}

/* All bins that overlap [from, to). */
static Bin
sum_bins (FlwDeviceTrack *self, double from, double to)
{
  Bin sum = { 0 };
  double low = floor ((from - self->first) / self->width), high = ceil ((to - self->first) / self->width);
  for (double i = fmax (low, 0); self->width > 0 && i < fmin (high, self->bins->len); i++)
    bin_add (&sum, &g_array_index (self->bins, Bin, (guint) i));
  return sum;
}

static double
most_memory (FlwDeviceTrack *self)
{
  double used = 0;
  for (guint i = 0; i < self->bins->len; i++)
    used = fmax (used, g_array_index (self->bins, Bin, i).used / self->width);
  return used;
}

/* --- words --- */

static char *
format_bytes (double bytes)
{
  static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
  guint i = 0;
  for (; bytes >= 999.5 && i + 1 < G_N_ELEMENTS (units); i++)
    bytes /= 1000;
  return g_strdup_printf (bytes < 9.95 && i > 0 ? "%.1f\302\240%s" : "%.0f\302\240%s", bytes, units[i]);
}

/* "cpu x86-64-v4, 1 thread" or "3 kinds of devices". */
static char *
device_words (FlwDeviceTrack *self)
{
  guint n = g_hash_table_size (self->devices);
  GHashTableIter iter;
  gpointer name = NULL;
  g_hash_table_iter_init (&iter, self->devices);
  if (n == 1 && g_hash_table_iter_next (&iter, &name, NULL))
    return g_strdup (name);
  return g_strdup_printf (ngettext ("%u kind of device", "%u kinds of devices", n), n);
}

/* "dispersion 62 %", of the kernel that took most of the time; "" where none is known. */
static char *
kernel_words (FlwDeviceTrack *self)
{
  GHashTableIter iter;
  gpointer name, value;
  const char *most = NULL;
  double longest = 0, all = 0;
  g_hash_table_iter_init (&iter, self->kernels);
  while (g_hash_table_iter_next (&iter, &name, &value))
    {
      double busy = ((const Kernel *) value)->busy;
      all += busy;
      if (busy > longest || (most != NULL && busy >= longest && strcmp (name, most) < 0))
        {
          longest = busy;
          most = name;
        }
    }
  return most != NULL && all > 0
             ? g_strdup_printf (_ ("mostly %s, %.0f\302\240%% of it"), most, 100 * longest / all)
             : g_strdup ("");
}

static char *
summary (FlwDeviceTrack *self)
{
  if (self->bins->len == 0)
    return g_strdup (_ ("No device has told of itself"));
  Bin all = sum_bins (self, self->first, self->first + self->bins->len * self->width);
  guint ranks = g_hash_table_size (self->ranks);
  g_autofree char *device = device_words (self), *kernel = kernel_words (self),
                  *memory = format_bytes (most_memory (self)), *moved = format_bytes (all.moved);
  return g_strdup_printf (
      ngettext ("%s, %u rank: busy %.1f\302\240%%%s%s; memory at most %s; %s moved",
                "%s, %u ranks: busy %.1f\302\240%%%s%s; memory at most %s; %s moved", ranks),
      device, ranks, 100 * all.busy / all.told, *kernel ? ", " : "", kernel, memory, moved);
}

/* --- drawing --- */

static FlwBox
track_box (FlwDeviceTrack *self)
{
  double left, width;
  flw_weather_plot_get_span (self->above, &left, &width);
  return (FlwBox){ left, TOP, fmax (width, 1),
                   fmax (gtk_widget_get_height (GTK_WIDGET (self)) - TOP - BOTTOM, 1) };
}

/* The top of the scale: both shares fit below it. */
static double
scale_top (FlwDeviceTrack *self)
{
  static const double tops[] = { 0.1, 0.25, 0.5 };
  double most = 0;
  for (guint i = 0; i < self->bins->len; i++)
    {
      const Bin *bin = &g_array_index (self->bins, Bin, i);
      most = fmax (most, bin->told > 0 ? bin->busy / bin->told : 0);
      most = fmax (most, bin->capable > 0 ? bin->used / bin->capable : 0);
    }
  for (guint i = 0; i < G_N_ELEMENTS (tops); i++)
    if (most <= tops[i])
      return tops[i];
  return 1;
}

static double
column_y (const FlwBox *box, double top, double share)
{
  return box->y + box->height * (1 - CLAMP (share / top, 0, 1));
}

/* Busy as an area, memory as a line; a column of pixels is the mean over its time. */
static void
draw_columns (FlwDeviceTrack *self, cairo_t *cr, FlwAxis *axis, const FlwBox *box, double top)
{
  gboolean drawing = FALSE;
  flw_set_source (cr, flw_class_colour (FLW_CLASS_INDEXED), 0.75);
  for (double x = box->x; x < box->x + box->width; x++)
    {
      Bin bin = sum_bins (self, flw_axis_from_px (axis, box, x), flw_axis_from_px (axis, box, x + 1));
      double y = bin.told > 0 ? column_y (box, top, bin.busy / bin.told) : box->y + box->height;
      cairo_rectangle (cr, x, y, 1, box->y + box->height - y);
    }
  cairo_fill (cr);
  for (double x = box->x; x < box->x + box->width; x++)
    {
      Bin bin = sum_bins (self, flw_axis_from_px (axis, box, x), flw_axis_from_px (axis, box, x + 1));
      if (bin.capable > 0 && bin.used > 0)
        (drawing ? cairo_line_to : cairo_move_to) (cr, x + 0.5, column_y (box, top, bin.used / bin.capable));
      drawing = bin.capable > 0 && bin.used > 0;
    }
  flw_set_source (cr, MEMORY, 1);
  cairo_set_line_width (cr, 1.5);
  cairo_stroke (cr);
}

static void
draw_scale (GtkWidget *widget, cairo_t *cr, const FlwBox *box, double top)
{
  for (guint i = 0; i < 2; i++)
    {
      double y = round (box->y + i * box->height);
      g_autofree char *label = g_strdup_printf ("%.0f\302\240%%", i == 0 ? 100 * top : 0);
      flw_set_source (cr, FLW_GRID, 1);
      cairo_rectangle (cr, box->x, y, box->width, 1);
      cairo_fill (cr);
      flw_text_draw (widget, cr, FLW_POINTS_SMALL, label, box->x - 8, y, 1, 0.5, FLW_DIM);
    }
}

static void
draw_legend (FlwDeviceTrack *self, cairo_t *cr, const FlwBox *box)
{
  GtkWidget *widget = GTK_WIDGET (self);
  Bin all = sum_bins (self, self->first, self->first + self->bins->len * self->width);
  g_autofree char *device = device_words (self), *bytes = format_bytes (most_memory (self));
  g_autofree char *busy =
                      g_strdup_printf (_ ("busy %.1f\302\240%%, mean of ranks"), 100 * all.busy / all.told),
                  *memory = g_strdup_printf (_ ("memory, at most %s"), bytes);
  double x = box->x, y = TOP / 2. - 3;
  x += 16 + flw_text_draw (widget, cr, FLW_POINTS_BODY, device, x, y, 0, 0.5, FLW_TEXT);
  x = flw_chrome_key (widget, cr, x, y, flw_class_colour (FLW_CLASS_INDEXED), busy);
  flw_chrome_key (widget, cr, x, y, MEMORY, memory);
}

static void
snapshot_hover (FlwDeviceTrack *self, GtkSnapshot *snapshot, FlwAxis *axis, const FlwBox *box)
{
  if (!(self->hover >= box->x) || self->hover >= box->x + box->width)
    return;
  double at = flw_axis_from_px (axis, box, self->hover), next = flw_axis_from_px (axis, box, self->hover + 1);
  Bin bin = sum_bins (self, at, next);
  graphene_rect_t bounds = GRAPHENE_RECT_INIT ((float) box->x, 0, (float) box->width,
                                               (float) gtk_widget_get_height (GTK_WIDGET (self)));
  if (!(bin.told > 0))
    return;
  /* The time that the bins span, in which so many ranks told of themselves. */
  double span = fmax (next, self->first + ceil ((next - self->first) / self->width) * self->width)
                - (self->first + floor ((at - self->first) / self->width) * self->width);
  g_autofree char *when = flw_axis_format (axis, at), *used = format_bytes (bin.used / span),
                  *total = format_bytes (bin.capable / bin.told), *moved = format_bytes (bin.moved / span);
  g_autofree char *text = g_strdup_printf (
      _ ("%s: busy %.1f\302\240%%; %.0f launches/s, %.1f shots/s\nmemory %s (of %s a device); %s/s moved"),
      when, 100 * bin.busy / bin.told, bin.launches / span, bin.shots / span, used, total, moved);
  flw_fill (snapshot, floor (self->hover), box->y, 1, box->height, FLW_TEXT, 0.5);
  flw_text_callout (GTK_WIDGET (self), snapshot, text, self->hover, box->y, &bounds);
}

static void
flw_device_track_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  FlwDeviceTrack *self = FLW_DEVICE_TRACK (widget);
  FlwAxis *axis = flw_weather_plot_get_axis (self->above);
  double width = gtk_widget_get_width (widget), height = gtk_widget_get_height (widget);
  FlwBox box = track_box (self);
  double top = scale_top (self);
  graphene_rect_t all = GRAPHENE_RECT_INIT (0, 0, (float) width, (float) height);
  flw_fill (snapshot, 0, 0, width, height, FLW_GROUND, 1);
  cairo_t *cr = gtk_snapshot_append_cairo (snapshot, &all);
  draw_scale (widget, cr, &box, top);
  draw_columns (self, cr, axis, &box, top);
  draw_legend (self, cr, &box);
  cairo_destroy (cr);
  snapshot_hover (self, snapshot, axis, &box);
  flw_draw_focus (widget, snapshot);
}

static void
flw_device_track_measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                          int *natural, int *minimum_baseline, int *natural_baseline)
{
  (void) widget;
  (void) for_size;
  *minimum = *natural = orientation == GTK_ORIENTATION_VERTICAL ? HEIGHT : 100;
  *minimum_baseline = *natural_baseline = -1;
}

/* --- the widget --- */

static void
on_motion (FlwDeviceTrack *self, double x, double y)
{
  (void) y;
  self->hover = x;
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
on_leave (FlwDeviceTrack *self)
{
  self->hover = NAN;
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
flw_device_track_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  if (id == PROP_SUMMARY)
    g_value_take_string (value, summary (FLW_DEVICE_TRACK (object)));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
flw_device_track_finalize (GObject *object)
{
  FlwDeviceTrack *self = FLW_DEVICE_TRACK (object);
  g_object_unref (self->above);
  g_array_unref (self->bins);
  g_hash_table_unref (self->devices);
  g_hash_table_unref (self->ranks);
  g_hash_table_unref (self->kernels);
  G_OBJECT_CLASS (flw_device_track_parent_class)->finalize (object);
}

static void
flw_device_track_class_init (FlwDeviceTrackClass *klass)
{
  GObjectClass *object = G_OBJECT_CLASS (klass);
  object->get_property = flw_device_track_get_property;
  object->finalize = flw_device_track_finalize;
  GTK_WIDGET_CLASS (klass)->snapshot = flw_device_track_snapshot;
  GTK_WIDGET_CLASS (klass)->measure = flw_device_track_measure;
  flw_chart_class_init (GTK_WIDGET_CLASS (klass), PROP_SUMMARY, "devicetrack");
}

static void
flw_device_track_init (FlwDeviceTrack *self)
{
  GtkEventController *motion = gtk_event_controller_motion_new ();

  self->hover = NAN;
  self->bins = g_array_new (FALSE, TRUE, sizeof (Bin));
  self->devices = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->ranks = g_hash_table_new (NULL, NULL);
  self->kernels = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  gtk_widget_set_visible (GTK_WIDGET (self), FALSE);
  g_signal_connect_swapped (motion, "motion", G_CALLBACK (on_motion), self);
  g_signal_connect_swapped (motion, "leave", G_CALLBACK (on_leave), self);
  gtk_widget_add_controller (GTK_WIDGET (self), motion);
}

GtkWidget *
flw_device_track_new (FlwWeatherPlot *above)
{
  FlwDeviceTrack *self = g_object_new (FLW_TYPE_DEVICE_TRACK, NULL);
  self->above = g_object_ref (above);
  g_signal_connect_object (flw_weather_plot_get_axis (above), "range-changed",
                           G_CALLBACK (gtk_widget_queue_draw), self, G_CONNECT_SWAPPED);
  return GTK_WIDGET (self);
}
