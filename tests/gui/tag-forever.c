/* tag-forever FOLDER: a control room that tags all runs and takes the tag off again, over and over, until it is killed.
 * Prints a line when it has begun. For kill.py. */
#include "gui/window.h"

static gboolean
toggle (gpointer data)
{
  static gboolean add;
  GtkWidget *page = GTK_WIDGET (flg_window_page (data, "runs"));
  FlgExperiment *experiment = flg_context_experiment (flg_window_context (data));
  if (!flg_experiment_is_filled (experiment))
    return G_SOURCE_CONTINUE;
  if (!add)
    {
      GVariantBuilder all;
      g_variant_builder_init (&all, G_VARIANT_TYPE ("ax"));
      FlgRecordModel *runs = flg_experiment_table (experiment, FL_TABLE_RUN);
      for (guint i = 0; i < flg_record_model_count (runs); i++)
        g_variant_builder_add (&all, "x", flg_record_id (flg_record_model_at (runs, i)));
      gtk_widget_activate_action (page, "runs.select", "@ax", g_variant_builder_end (&all));
      g_print ("begun\n");
    }
  add = !add;
  gtk_widget_activate_action (page, add ? "runs.add-tag" : "runs.remove-tag", "s", "toggled");
  return G_SOURCE_CONTINUE;
}

int
main (int argc, char *argv[])
{
  if (argc != 2 || !gtk_init_check ())
    return 77;
  FlgDisplayProfile profile = { .cairo = TRUE };
  FlgExperiment *experiment = flg_experiment_new (argv[1], FL_STORE_WRITE, NULL, NULL);
  FlgContext *context = flg_context_new (experiment, NULL, &profile);
  FlgWindow *window = flg_window_new (NULL);
  flg_window_set_context (window, context);
  gtk_widget_activate_action (GTK_WIDGET (window), "win.show-page", "s", "runs");
  gtk_window_present (GTK_WINDOW (window));
  g_timeout_add (5, toggle, window);
  g_main_loop_run (g_main_loop_new (NULL, FALSE));
  return 0;
}
