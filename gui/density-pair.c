#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/density-pair.h"

struct _FlgDensityPair
{
  GtkBox parent_instance;
  FlwDensityView *views[2];
  gboolean linking;
};

enum
{
  PEAK_SELECTED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlgDensityPair, flg_density_pair, GTK_TYPE_BOX)

static void
turn_together (FlgDensityPair *self, FlwDensityView *from)
{
  FlwDensityView *to = self->views[from == self->views[0]];
  if (self->linking || !to)
    return;
  self->linking = TRUE;
  flw_density_view_set_camera (to, flw_density_view_get_camera (from));
  for (guint m = 0; m < FLW_DENSITY_MAPS; m++)
    if (flw_density_view_get_map (from, m) && flw_density_view_get_map (to, m))
      flw_density_view_set_level (to, m, flw_density_view_get_level (from, m));
  self->linking = FALSE;
}

static void
on_camera (FlwDensityView *view, FlgDensityPair *self)
{
  turn_together (self, view);
}

static void
on_level (FlwDensityView *view, guint map, FlgDensityPair *self)
{
  turn_together (self, view);
}

static void
on_peak (FlgDensityPair *self, guint peak)
{
  g_signal_emit (self, signals[PEAK_SELECTED], 0, peak);
}

static FlwDensityView *
add_view (FlgDensityPair *self)
{
  FlwDensityView *view = FLW_DENSITY_VIEW (flw_density_view_new ());
  gtk_widget_set_hexpand (GTK_WIDGET (view), TRUE);
  gtk_widget_set_vexpand (GTK_WIDGET (view), TRUE);
  g_signal_connect_object (view, "camera-changed", G_CALLBACK (on_camera), self, 0);
  g_signal_connect_object (view, "level-changed", G_CALLBACK (on_level), self, 0);
  g_signal_connect_object (view, "peak-selected", G_CALLBACK (on_peak), self, G_CONNECT_SWAPPED);
  gtk_box_append (GTK_BOX (self), GTK_WIDGET (view));
  return view;
}

FlwDensityView *
flg_density_pair_view (FlgDensityPair *self, guint i)
{
  return i < G_N_ELEMENTS (self->views) ? self->views[i] : NULL;
}

void
flg_density_pair_set_beside (FlgDensityPair *self, gboolean beside)
{
  static const char *const shared[] = { "style", "slice", "sticks", "labels", "absolute" };
  if (!beside && self->views[1])
    {
      gtk_box_remove (GTK_BOX (self), GTK_WIDGET (self->views[1]));
      self->views[1] = NULL;
    }
  if (!beside || self->views[1])
    return;
  self->views[1] = add_view (self);
  for (guint i = 0; i < G_N_ELEMENTS (shared); i++)
    g_object_bind_property (self->views[0], shared[i], self->views[1], shared[i],
                            G_BINDING_BIDIRECTIONAL | G_BINDING_SYNC_CREATE);
}

void
flg_density_pair_begin (FlgDensityPair *self)
{
  self->linking = TRUE;
}

void
flg_density_pair_end (FlgDensityPair *self)
{
  self->linking = FALSE;
  turn_together (self, self->views[0]);
}

gboolean
flg_density_pair_is_settled (FlgDensityPair *self)
{
  for (guint v = 0; v < G_N_ELEMENTS (self->views); v++)
    if (self->views[v] && gtk_widget_get_mapped (GTK_WIDGET (self->views[v]))
        && !flw_density_view_get_settled (self->views[v]))
      return FALSE;
  return TRUE;
}

static void
flg_density_pair_class_init (FlgDensityPairClass *klass)
{
  signals[PEAK_SELECTED] = g_signal_new ("peak-selected", FLG_TYPE_DENSITY_PAIR, G_SIGNAL_RUN_LAST, 0, NULL,
                                         NULL, NULL, G_TYPE_NONE, 1, G_TYPE_UINT);
}

static void
flg_density_pair_init (FlgDensityPair *self)
{
  gtk_box_set_homogeneous (GTK_BOX (self), TRUE);
  gtk_box_set_spacing (GTK_BOX (self), 2);
  gtk_widget_set_hexpand (GTK_WIDGET (self), TRUE);
  self->views[0] = add_view (self);
}
