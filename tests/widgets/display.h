/* display.h: for tests that need a display: skip in one line without, show a widget, wait for facts. */
#pragma once

#include <gtk/gtk.h>

/* Like g_test_init(); without a display prints a TAP line that skips the program, and ends it. */
void display_init (int *argc, char ***argv);
/* Puts `widget` into a window of that size and waits until it is mapped and laid out. Returns the window. */
GtkWidget *display_show (GtkWidget *widget, int width, int height);
/* Runs the main loop until `done (data)`; fails the test after 20 s. */
void display_wait (gboolean (*done) (gpointer data), gpointer data);
/* Until the widget has been drawn once more. */
void display_wait_drawn (GtkWidget *widget);
/* The widget's drawing as it is now at `scale` × its size, on black. Destroy with cairo_surface_destroy. */
cairo_surface_t *display_picture (GtkWidget *widget, double scale);
/* Its pixel (x, y), 0xRRGGBB. */
guint32 display_pixel (cairo_surface_t *picture, int x, int y);
