#include "widgets/banner.h"

#include <glib/gi18n.h>

#include "widgets/status-chip.h"
#include "widgets/theme.h"

struct _FlwBanner
{
  GtkWidget parent_instance;
  GtkWidget *revealer, *shape, *label, *button;
  FlwTone tone;
  guint timer;
};

enum
{
  ACTION,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlwBanner, flw_banner, GTK_TYPE_WIDGET)

static void
flw_banner_dispose (GObject *object)
{
  g_clear_handle_id (&FLW_BANNER (object)->timer, g_source_remove);
  g_clear_pointer (&FLW_BANNER (object)->revealer, gtk_widget_unparent);
  G_OBJECT_CLASS (flw_banner_parent_class)->dispose (object);
}

static void
flw_banner_class_init (FlwBannerClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = flw_banner_dispose;
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_css_name (widget_class, "banner");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_STATUS);
  signals[ACTION] =
      g_signal_new ("action", FLW_TYPE_BANNER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
draw_shape (GtkDrawingArea *area, cairo_t *cr, int width, int height, gpointer data)
{
  static const FlwShape shapes[] = { FLW_SHAPE_DASH, FLW_SHAPE_TRIANGLE, FLW_SHAPE_DISC, FLW_SHAPE_CLOCK,
                                     FLW_SHAPE_CROSS };
  FlwBanner *banner = data;

  (void) area;
  flw_set_source (cr, flw_tone_colour (banner->tone), 1);
  flw_shape_draw (cr, shapes[banner->tone], 0, (height - width) / 2., width);
}

static void
on_button (FlwBanner *banner)
{
  flw_banner_hide (banner);
  g_signal_emit (banner, signals[ACTION], 0);
}

static void
flw_banner_init (FlwBanner *banner)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 12),
            *close = gtk_button_new_from_icon_name ("window-close-symbolic");

  banner->revealer = gtk_revealer_new ();
  gtk_widget_set_parent (banner->revealer, GTK_WIDGET (banner));
  banner->shape = gtk_drawing_area_new ();
  gtk_drawing_area_set_content_width (GTK_DRAWING_AREA (banner->shape), 14);
  gtk_drawing_area_set_draw_func (GTK_DRAWING_AREA (banner->shape), draw_shape, banner, NULL);
  banner->label = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (banner->label), 0);
  gtk_label_set_ellipsize (GTK_LABEL (banner->label), PANGO_ELLIPSIZE_END);
  gtk_widget_set_hexpand (banner->label, TRUE);
  banner->button = gtk_button_new ();
  g_signal_connect_swapped (banner->button, "clicked", G_CALLBACK (on_button), banner);
  gtk_widget_set_tooltip_text (close, _ ("Close"));
  gtk_widget_add_css_class (close, "flat");
  g_signal_connect_swapped (close, "clicked", G_CALLBACK (flw_banner_hide), banner);
  gtk_box_append (GTK_BOX (box), banner->shape);
  gtk_box_append (GTK_BOX (box), banner->label);
  gtk_box_append (GTK_BOX (box), banner->button);
  gtk_box_append (GTK_BOX (box), close);
  gtk_revealer_set_transition_type (GTK_REVEALER (banner->revealer), GTK_REVEALER_TRANSITION_TYPE_NONE);
  gtk_revealer_set_child (GTK_REVEALER (banner->revealer), box);
  gtk_widget_set_visible (banner->revealer, FALSE); /* without a transition it would keep its place */
}

GtkWidget *
flw_banner_new (void)
{
  return g_object_new (FLW_TYPE_BANNER, NULL);
}

static gboolean
on_timer (gpointer data)
{
  FLW_BANNER (data)->timer = 0;
  flw_banner_hide (data);
  return G_SOURCE_REMOVE;
}

void
flw_banner_show (FlwBanner *banner, FlwTone tone, const char *text, const char *button, guint seconds)
{
  static const char *const classes[] = { "neutral", "active", "good", "warning", "bad" };

  for (guint i = 0; i < G_N_ELEMENTS (classes); i++)
    gtk_widget_remove_css_class (GTK_WIDGET (banner), classes[i]);
  gtk_widget_add_css_class (GTK_WIDGET (banner), classes[tone]);
  banner->tone = tone;
  gtk_label_set_text (GTK_LABEL (banner->label), text);
  gtk_widget_set_tooltip_text (banner->label, text); /* the label may be cut */
  gtk_widget_set_visible (banner->button, button != NULL);
  if (button != NULL)
    gtk_button_set_label (GTK_BUTTON (banner->button), button);
  g_clear_handle_id (&banner->timer, g_source_remove);
  if (seconds > 0)
    banner->timer = g_timeout_add_seconds (seconds, on_timer, banner);
  gtk_accessible_update_property (GTK_ACCESSIBLE (banner), GTK_ACCESSIBLE_PROPERTY_LABEL, text, -1);
  gtk_widget_queue_draw (banner->shape);
  gtk_widget_set_visible (banner->revealer, TRUE);
  gtk_revealer_set_reveal_child (GTK_REVEALER (banner->revealer), TRUE);
}

void
flw_banner_hide (FlwBanner *banner)
{
  g_clear_handle_id (&banner->timer, g_source_remove);
  gtk_revealer_set_reveal_child (GTK_REVEALER (banner->revealer), FALSE);
  gtk_widget_set_visible (banner->revealer, FALSE);
}
