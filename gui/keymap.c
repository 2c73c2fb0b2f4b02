#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/keymap.h"

#include <glib/gi18n.h>

#include <string.h>

static const FlgKey keys[] = {
  { N_ ("Everywhere"), "<Control>1", "win.show-page::runs", N_ ("Runs") },
  { N_ ("Everywhere"), "<Control>2", "win.show-page::trials", N_ ("Trials") },
  { N_ ("Everywhere"), "<Control>3", "win.show-page::datasets", N_ ("Datasets") },
  { N_ ("Everywhere"), "<Control>4", "win.show-page::jobs", N_ ("Jobs") },
  { N_ ("Everywhere"), "<Control>5", "win.show-page::live", N_ ("Live") },
  { N_ ("Everywhere"), "<Control>6", "win.show-page::weather", N_ ("Weather") },
  { N_ ("Everywhere"), "<Control>7", "win.show-page::cells", N_ ("Cells") },
  { N_ ("Everywhere"), "<Control>8", "win.show-page::merging", N_ ("Merging") },
  { N_ ("Everywhere"), "<Control>9", "win.show-page::density", N_ ("Density") },
  { N_ ("Everywhere"), "<Control>0", "win.show-page::images", N_ ("Images") },
  { N_ ("Everywhere"), "<Control>minus", "win.show-page::sites", N_ ("Sites") },
  { N_ ("Everywhere"), "<Control>equal", "win.show-page::log", N_ ("Log") },
  { N_ ("Everywhere"), "<Control>z", "win.undo", N_ ("Take back your last change, or a dataset just saved") },
  { N_ ("Everywhere"), "<Control><Shift>z", "win.redo", N_ ("Do it again") },
  { N_ ("Everywhere"), "<Control>p", "win.people", N_ ("People: who is here, who may do what") },
  { N_ ("Everywhere"), "slash", "win.filter", N_ ("Filter what the page lists") },
  { N_ ("Everywhere"), "bracketleft", "win.step(-1)", N_ ("Previous run, trial, job or file") },
  { N_ ("Everywhere"), "bracketright", "win.step(1)", N_ ("Next run, trial, job or file") },
  { N_ ("Everywhere"), "<Control>e", "win.show-failed", N_ ("The newest failed job") },
  { N_ ("Everywhere"), "<Control>l", "win.show-links", N_ ("Links to far sites") },
  { N_ ("Everywhere"), "question", "win.show-keys", N_ ("This list") },
  { N_ ("Everywhere"), "<Control>s", "win.save-picture", N_ ("Save a picture of the window") },
  { N_ ("Everywhere"), "<Control>o", "app.open", N_ ("Open an experiment's folder") },
  { N_ ("Everywhere"), "<Control>j", "app.join::", N_ ("Join an experiment over SSH") },
  { N_ ("Everywhere"), "<Control>q", "app.quit", N_ ("Quit; jobs and conductor go on") },
  { N_ ("Runs"), "Return", NULL, N_ ("Images of the run") },
  { N_ ("Runs"), "t", NULL, N_ ("Tag the selected runs") },
  { N_ ("Runs"), "F2", NULL, N_ ("Comment on the run") },
  { N_ ("Trials"), "<Control>n", NULL, N_ ("New trial from this one") },
  { N_ ("Trials"), "<Control>Return", NULL, N_ ("Create the trial") },
  { N_ ("Datasets"), "<Control>n", NULL, N_ ("New dataset") },
  { N_ ("Datasets"), "F2", NULL, N_ ("Change the dataset") },
  { N_ ("Datasets"), "Tab", NULL, N_ ("Take the first offer into the expression") },
  { N_ ("Datasets"), "<Control>Return", NULL, N_ ("Save the dataset") },
  { N_ ("Jobs"), "<Control>r", NULL, N_ ("Retry the job") },
  { N_ ("Jobs"), "<Control>Delete", NULL, N_ ("Stop the job") },
  { N_ ("Plots"), "plus", NULL, N_ ("Zoom in (wheel: at the pointer)") },
  { N_ ("Plots"), "minus", NULL, N_ ("Zoom out") },
  { N_ ("Plots"), "Left", NULL, N_ ("Move along") },
  { N_ ("Plots"), "f", NULL, N_ ("Show all, and follow what is new") },
  { N_ ("Plots"), "Home", NULL, N_ ("The beginning") },
  { N_ ("Plots"), "End", NULL, N_ ("The newest") },
  { N_ ("Weather"), "<Shift>Right", NULL, N_ ("Move the cursor; Return shows the image") },
  { N_ ("Weather"), "c", NULL, N_ ("Colour by outcome or by stage") },
  { N_ ("Cells"), "<Shift>Right", NULL, N_ ("Select a range; Escape drops it") },
  { N_ ("Cells"), "plus", NULL, N_ ("Ranges of the selected lattices") },
  { N_ ("Cells"), "f", NULL, N_ ("Drop the selection, show all") },
  { N_ ("Cells"), "<Control>n", NULL, N_ ("New trial with the selected cell") },
  { N_ ("Images"), "n", NULL, N_ ("Next hit") },
  { N_ ("Images"), "p", NULL, N_ ("Previous hit") },
  { N_ ("Images"), "i", NULL, N_ ("Next indexed shot (Shift: previous)") },
  { N_ ("Images"), "u", NULL, N_ ("Next hit not indexed (Shift: previous)") },
  { N_ ("Images"), "space", NULL, N_ ("A hit at random") },
  { N_ ("Images"), "BackSpace", NULL, N_ ("Back to the shot before") },
  { N_ ("Images"), "Page_Down", NULL, N_ ("Next frame") },
  { N_ ("Images"), "Page_Up", NULL, N_ ("Previous frame") },
  { N_ ("Images"), "1", NULL, N_ ("One detector pixel on one screen pixel") },
  { N_ ("Images"), "r", NULL, N_ ("Resolution rings") },
  { N_ ("Images"), "s", NULL, N_ ("Spots") },
  { N_ ("Images"), "l", NULL, N_ ("Predicted reflections of the lattices") },
  { N_ ("Images"), "x", NULL, N_ ("The other result, A or B") },
  { N_ ("Images"), "e", NULL, N_ ("Try other values on the image") },
  { N_ ("Density"), "n", NULL, N_ ("Next peak (P: previous)") },
  { N_ ("Density"), "space", NULL, N_ ("Next residue (Backspace: previous)") },
  { N_ ("Density"), "Page_Up", NULL, N_ ("Higher level (Shift: of the difference)") },
  { N_ ("Density"), "m", NULL, N_ ("Mesh, glass, solid") },
  { N_ ("Density"), "d", NULL, N_ ("Hide and show the difference") },
  { N_ ("Density"), "s", NULL, N_ ("Slices") },
  { N_ ("Density"), "u", NULL, N_ ("Levels in σ or in e/Å³") },
  { N_ ("Density"), "comma", NULL, N_ ("Move the divider (also .)") },
  { N_ ("Sites"), "<Control>n", NULL, N_ ("Add a site") },
  { N_ ("Sites"), "F2", NULL, N_ ("Edit the site") },
  { N_ ("Sites"), "<Control>r", NULL, N_ ("Check again whether it works") },
};

const FlgKey *
flg_keymap (guint *n_keys)
{
  *n_keys = G_N_ELEMENTS (keys);
  return keys;
}

void
flg_keymap_install (GtkWidget *window)
{
  GtkEventController *controller = gtk_shortcut_controller_new ();
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      if (!keys[i].action)
        continue;
      g_autofree char *name = NULL;
      g_autoptr (GVariant) target = NULL;
      g_autoptr (GError) error = NULL;
      if (!g_action_parse_detailed_name (keys[i].action, &name, &target, &error))
        g_error ("%s: %s", keys[i].action, error->message);
      GtkShortcut *shortcut = gtk_shortcut_new (gtk_shortcut_trigger_parse_string (keys[i].accelerator),
                                                gtk_named_action_new (name));
      gtk_shortcut_set_arguments (shortcut, target);
      gtk_shortcut_controller_add_shortcut (GTK_SHORTCUT_CONTROLLER (controller), shortcut);
    }
  gtk_widget_add_controller (window, controller);
}

static char *
key_label (const char *accelerator)
{
  guint key;
  GdkModifierType modifiers;
  if (!gtk_accelerator_parse (accelerator, &key, &modifiers))
    return g_strdup (accelerator);
  return gtk_accelerator_get_label (key, modifiers);
}

static GtkWidget *
label (const char *text, const char *css_class)
{
  GtkWidget *widget = gtk_label_new (text);
  gtk_label_set_xalign (GTK_LABEL (widget), 0);
  if (css_class)
    gtk_widget_add_css_class (widget, css_class);
  return widget;
}

static gboolean
close_it (GtkWidget *window, GVariant *args, gpointer data)
{
  gtk_window_close (GTK_WINDOW (window));
  return TRUE;
}

/* One block a group; the blocks flow into columns. */
static GtkWidget *
group_new (const char *group)
{
  GtkWidget *grid = gtk_grid_new ();
  gtk_grid_set_column_spacing (GTK_GRID (grid), 12);
  gtk_grid_set_row_spacing (GTK_GRID (grid), 4);
  gtk_widget_set_valign (grid, GTK_ALIGN_START);
  gtk_grid_attach (GTK_GRID (grid), label (_ (group), "heading"), 0, 0, 2, 1);
  int row = 1;
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      if (strcmp (keys[i].group, group) != 0)
        continue;
      g_autofree char *name = key_label (keys[i].accelerator);
      gtk_grid_attach (GTK_GRID (grid), label (name, "keycap"), 0, row, 1, 1);
      gtk_grid_attach (GTK_GRID (grid), label (_ (keys[i].what), NULL), 1, row++, 1, 1);
    }
  return grid;
}

GtkWidget *
flg_keymap_window_new (GtkWindow *parent)
{
  GtkWidget *columns = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 24);
  GtkWidget *column = NULL;
  int rows = 0;
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      if (i > 0 && strcmp (keys[i].group, keys[i - 1].group) == 0)
        continue;
      int here = 2;
      for (guint k = i; k < G_N_ELEMENTS (keys) && strcmp (keys[k].group, keys[i].group) == 0; k++)
        here++;
      if (!column || rows + here > 33) /* columns of about the height of a small screen */
        {
          column = gtk_box_new (GTK_ORIENTATION_VERTICAL, 18);
          gtk_box_append (GTK_BOX (columns), column);
          rows = 0;
        }
      rows += here;
      gtk_box_append (GTK_BOX (column), group_new (keys[i].group));
    }
  gtk_widget_set_margin_start (columns, 24);
  gtk_widget_set_margin_end (columns, 24);
  gtk_widget_set_margin_top (columns, 18);
  gtk_widget_set_margin_bottom (columns, 24);
  GtkWidget *window = gtk_window_new ();
  gtk_window_set_title (GTK_WINDOW (window), _ ("Keys"));
  gtk_window_set_transient_for (GTK_WINDOW (window), parent);
  gtk_window_set_destroy_with_parent (GTK_WINDOW (window), TRUE);
  gtk_window_set_child (GTK_WINDOW (window), columns);
  GtkEventController *controller = gtk_shortcut_controller_new ();
  gtk_shortcut_controller_add_shortcut (
      GTK_SHORTCUT_CONTROLLER (controller),
      gtk_shortcut_new (gtk_shortcut_trigger_parse_string ("Escape|question"),
                        gtk_callback_action_new (close_it, NULL, NULL)));
  gtk_widget_add_controller (window, controller);
  return window;
}
