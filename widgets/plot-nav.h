/* plot-nav.h: how every plot and image of this room is moved about: pointer, wheel and keys. Not for pages.
 *
 * Keys activate widget actions "plot.NAME", so that a menu, a test or a palette can do the same. Thread: main. */
#pragma once

#include <gtk/gtk.h>

typedef struct
{
  /* steps > 0: magnify */
  void (*wheel) (GtkWidget *widget, double x, double y, double steps, GdkModifierType state);
  void (*pan) (GtkWidget *widget, double dx, double dy); /* px since the last call */
  void (*hover) (GtkWidget *widget, double x, double y); /* NaN: gone */
  void (*click) (GtkWidget *widget, double x, double y);
  /* Shift-drag; may be NULL */
  void (*brush) (GtkWidget *widget, double x_from, double x_to, gboolean done);
} FlwNav;

/* `nav` stays the caller's and is never copied: a static const. */
void flw_nav_attach (GtkWidget *widget, const FlwNav *nav);
/* Installs actions plot.{left,right,up,down,zoom-in,zoom-out,zoom-rows-in,zoom-rows-out,first,newest,fit,cursor-left,
 * cursor-right,cursor-up,cursor-down,activate,cancel} with their keys; `act` gets the full name. */
void flw_nav_class_init (GtkWidgetClass *klass, GtkWidgetActionActivateFunc act);
/* One more, e.g. ("plot.rings", 'r'). */
void flw_nav_class_add_key (GtkWidgetClass *klass, const char *action, guint key, GdkModifierType state,
                            GtkWidgetActionActivateFunc act);
