/* gallery: every widget with made-up data, to be looked at.
 *
 *   gallery [--page NAME] [--size WxH] [--act ACTION …] [--snapshot FILE]
 *
 * With --snapshot it waits until the page is settled, writes FILE (.png, .pdf, .svg) and ends.
 * --act does what a key would (plot.cursor-right puts the cursor into the middle). --list names the pages. */
#include <gtk/gtk.h>
#include <stdlib.h>

#include "tests/widgets/synthetic.h"
#include "widgets/density-view.h"
#include "widgets/export.h"

#include "tests/widgets/gallery-pages.h"

static char *option_page, *option_snapshot, *option_size;
static char **option_acts;
static gboolean option_list;

static const GOptionEntry options[] = {
  { "page", 0, 0, G_OPTION_ARG_STRING, &option_page, "Only this page", "NAME" },
  { "snapshot", 0, 0, G_OPTION_ARG_FILENAME, &option_snapshot, "Write a picture and end", "FILE" },
  { "size", 0, 0, G_OPTION_ARG_STRING, &option_size, "Of the window", "WxH" },
  { "act", 0, 0, G_OPTION_ARG_STRING_ARRAY, &option_acts, "Activate on the page's first chart that has it",
    "ACTION" },
  { "list", 0, 0, G_OPTION_ARG_NONE, &option_list, "Name the pages", NULL },
  { NULL },
};

typedef struct
{
  GMainLoop *loop;
  GtkWidget *window, *page;
  gboolean acted;
  guint waited;
  int status;
} Gallery;

/* Charts say themselves whether they are settled; a page is, when all its charts are. */
static gboolean
settled (GtkWidget *widget)
{
  if ((FLW_IS_WEATHER_PLOT (widget) && !flw_weather_plot_get_settled (FLW_WEATHER_PLOT (widget)))
      || (FLW_IS_STRIP_PLOT (widget) && !flw_strip_plot_get_settled (FLW_STRIP_PLOT (widget)))
      || (FLW_IS_DENSITY_VIEW (widget) && !flw_density_view_get_settled (FLW_DENSITY_VIEW (widget)))
      || (FLW_IS_IMAGE_VIEW (widget) && !flw_image_view_get_settled (FLW_IMAGE_VIEW (widget))))
    return FALSE;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    if (gtk_widget_get_mapped (child) && !settled (child))
      return FALSE;
  return TRUE;
}

static gboolean
activate (GtkWidget *widget, const char *action)
{
  if (gtk_widget_activate_action (widget, action, NULL))
    return TRUE;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    if (activate (child, action))
      return TRUE;
  return FALSE;
}

static gboolean
on_wait (gpointer data)
{
  Gallery *gallery = data;
  g_autoptr (GError) error = NULL;

  if (++gallery->waited < 10 || (!settled (gallery->page) && gallery->waited < 400))
    return G_SOURCE_CONTINUE;
  if (option_acts != NULL && !gallery->acted)
    {
      for (guint i = 0; option_acts[i] != NULL; i++)
        if (!activate (gallery->page, option_acts[i]))
          g_printerr ("gallery: nothing here does %s\n", option_acts[i]);
      gallery->acted = TRUE;
      gallery->waited = 0;
      return G_SOURCE_CONTINUE;
    }
  if (!flw_widget_export (gallery->page, option_snapshot, &error))
    {
      g_printerr ("gallery: %s\n", error->message);
      gallery->status = 1;
    }
  g_main_loop_quit (gallery->loop);
  return G_SOURCE_REMOVE;
}

static GtkWidget *
make_page (const GalleryPage *page)
{
  GtkWidget *content = page->make ();

  gtk_widget_set_hexpand (content, TRUE);
  gtk_widget_set_vexpand (content, TRUE);
  gtk_widget_add_css_class (content, "page");
  return content;
}

static void
load_css (void)
{
  g_autoptr (GtkCssProvider) provider = gtk_css_provider_new ();

  g_object_set (gtk_settings_get_default (), "gtk-application-prefer-dark-theme", TRUE, NULL);
  gtk_css_provider_load_from_path (provider, FLW_CSS);
  gtk_style_context_add_provider_for_display (gdk_display_get_default (), GTK_STYLE_PROVIDER (provider),
                                              GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;
  Gallery gallery = { 0 };
  int width = 1280, height = 800;

  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    {
      g_printerr ("gallery: %s\n", error->message);
      return 2;
    }
  if (option_list)
    {
      for (guint i = 0; i < gallery_n_pages; i++)
        g_print ("%s\n", gallery_pages[i].name);
      return 0;
    }
  if (!gtk_init_check ())
    {
      g_printerr ("gallery: no display; try xvfb-run\n");
      return 77;
    }
  load_css ();
  if (option_size != NULL && sscanf (option_size, "%dx%d", &width, &height) != 2)
    return 2;
  gallery.loop = g_main_loop_new (NULL, FALSE);
  gallery.window = gtk_window_new ();
  gtk_window_set_default_size (GTK_WINDOW (gallery.window), width, height);
  if (option_page != NULL)
    {
      for (guint i = 0; i < gallery_n_pages && gallery.page == NULL; i++)
        if (g_str_equal (option_page, gallery_pages[i].name))
          gallery.page = make_page (&gallery_pages[i]);
      if (gallery.page == NULL)
        {
          g_printerr ("gallery: no page '%s'; see --list\n", option_page);
          return 2;
        }
      gtk_window_set_decorated (GTK_WINDOW (gallery.window), FALSE);
    }
  else
    {
      GtkWidget *stack = gtk_stack_new (), *sidebar = gtk_stack_sidebar_new (),
                *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 0);
      for (guint i = 0; i < gallery_n_pages; i++)
        gtk_stack_add_titled (GTK_STACK (stack), make_page (&gallery_pages[i]), gallery_pages[i].name,
                              gallery_pages[i].name);
      gtk_stack_sidebar_set_stack (GTK_STACK_SIDEBAR (sidebar), GTK_STACK (stack));
      gtk_box_append (GTK_BOX (box), sidebar);
      gtk_box_append (GTK_BOX (box), stack);
      gallery.page = box;
    }
  gtk_window_set_child (GTK_WINDOW (gallery.window), gallery.page);
  g_signal_connect_swapped (gallery.window, "close-request", G_CALLBACK (g_main_loop_quit), gallery.loop);
  gtk_window_present (GTK_WINDOW (gallery.window));
  if (option_snapshot != NULL)
    g_timeout_add (50, on_wait, &gallery);
  g_main_loop_run (gallery.loop);
  g_main_loop_unref (gallery.loop);
  return gallery.status;
}
