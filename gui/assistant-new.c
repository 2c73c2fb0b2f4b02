#define G_LOG_DOMAIN "firstlight-gui"
#include <glib/gi18n.h>

#include <string.h>

#include "gui/assistant-database.h"
#include "gui/assistant-make.h"
#include "gui/assistant-private.h"

#define TYPING_MS 300
#define LIVE_S    2

enum
{
  STEP_BEAMTIME,
  STEP_RUNS,
  STEP_DETECTOR,
  STEP_JOBS,
  STEP_SUMMARY,
  N_STEPS
};

static const char *const step_names[N_STEPS] = { "beamtime", "runs", "detector", "jobs", "summary" };

struct _FlgAssistMake
{
  GtkBox parent_instance;
  GtkStack *steps;
  GtkBox *pills;
  FlgField *name, *folder, *watch, *pattern, *geometry, *mask, *image, *place, *cores_field, *engine;
  GtkCheckButton *particles, *as_file, *slurm, *in_database;
  GtkSpinButton *cores;
  FlgDatabaseForm *database;
  GtkGrid *summary;
  GtkLabel *first_trial, *complaint;
  GtkWidget *back, *next, *finish;
  GtkWidget *heads[N_STEPS];
  char *base;                                  /* where folders are proposed */
  char *own_folder, *own_watch, *own_geometry; /* what we have proposed last */
  guint step, live;
  gboolean wants_next; /* as soon as the line says that it is well */
  gboolean making;
};

G_DEFINE_FINAL_TYPE (FlgAssistMake, flg_assist_make, GTK_TYPE_BOX)

static guint open_signal, left_signal;

static void go_to (FlgAssistMake *self, guint step);
static void refresh (FlgAssistMake *self);

/* --- proofs --- */

static const char *
run_kind (FlgAssistMake *self)
{
  return gtk_check_button_get_active (self->as_file) ? "files" : "folders";
}

static void
prove_watch (FlgAssistMake *self, guint delay, gboolean quiet)
{
  g_autofree char *pattern = g_strdup (flg_field_text (self->pattern));
  const char *watch = flg_field_text (self->watch);
  flg_field_prove_strings (self->watch, flg_prove_watch, delay, quiet, watch, run_kind (self), pattern,
                           g_strcmp0 (watch, self->own_watch) == 0 ? "1" : "", NULL);
}

static void
prove_image (FlgAssistMake *self, guint delay)
{
  GObject *found = flg_field_found (self->watch);
  g_autofree char *geometry = g_strdup (flg_field_text (self->geometry));
  gboolean spi = gtk_check_button_get_active (self->particles);
  /* Dragonfly's detector files are no geometry of images. */
  if (spi && !g_str_has_suffix (geometry, ".geom"))
    *geometry = '\0';
  const char *image = found ? g_object_get_data (found, "image") : NULL;
  flg_field_prove_strings (self->image, flg_prove_image, delay, FALSE, image ? image : "", geometry,
                           spi ? "" : flg_field_text (self->mask), NULL);
}

static void
prove_engine (FlgAssistMake *self, guint delay)
{
  g_autofree char *cores = g_strdup_printf ("%d", gtk_spin_button_get_value_as_int (self->cores));
  if (gtk_check_button_get_active (self->slurm))
    flg_field_say (self->engine, FLG_VERDICT_NONE, "");
  else
    flg_field_prove_strings (self->engine, flg_prove_engine, delay, FALSE, flg_field_text (self->engine),
                             cores, NULL);
}

/* --- what follows what --- */

static void
propose (FlgField *field, char **own, char *text)
{
  const char *there = flg_field_text (field);
  gboolean untouched = !*there || g_strcmp0 (there, *own) == 0;
  g_free (*own);
  *own = text;
  if (untouched)
    flg_field_set_text (field, text);
}

static void
on_name (FlgAssistMake *self)
{
  const char *complaint = flg_name_complaint (flg_field_text (self->name));
  flg_field_say (self->name, complaint ? FLG_VERDICT_BAD : FLG_VERDICT_NONE, complaint);
  g_autofree char *name = flg_folder_name (flg_field_text (self->name));
  if (*name && self->base)
    propose (self->folder, &self->own_folder, g_build_filename (self->base, name, NULL));
}

static void
on_folder (FlgAssistMake *self)
{
  g_autofree char *folder = flg_typed_path (flg_field_text (self->folder));
  flg_field_prove_strings (self->folder, flg_prove_new_folder, TYPING_MS, FALSE, folder, NULL);
  propose (self->watch, &self->own_watch, g_build_filename (folder, "data", NULL));
}

static void
on_watch (FlgAssistMake *self)
{
  prove_watch (self, TYPING_MS, FALSE);
}

static void
on_watch_proved (FlgAssistMake *self)
{
  GObject *found = flg_field_found (self->watch);
  const char *geometry = found ? g_object_get_data (found, "geometry") : NULL;
  if (geometry && g_strcmp0 (geometry, self->own_geometry) != 0)
    propose (self->geometry, &self->own_geometry, g_strdup (geometry));
  if (self->step == STEP_DETECTOR && flg_field_is_fine (self->watch)
      && flg_field_verdict (self->image) == FLG_VERDICT_NONE && flg_field_found (self->watch))
    prove_image (self, 0);
}

static void
prove_geometry (FlgAssistMake *self)
{
  const char *geometry = flg_field_text (self->geometry);
  if (*geometry && gtk_check_button_get_active (self->particles) && !g_str_has_suffix (geometry, ".geom"))
    flg_field_say (self->geometry, FLG_VERDICT_NONE, _ ("read as a detector file of single particles"));
  else
    flg_field_prove_strings (self->geometry, flg_prove_geometry, TYPING_MS, FALSE, geometry, NULL);
  prove_image (self, 2 * TYPING_MS);
}

static void
on_mask (FlgAssistMake *self)
{
  flg_field_prove_strings (self->mask, flg_prove_mask, TYPING_MS, FALSE, flg_field_text (self->mask), NULL);
  prove_image (self, 2 * TYPING_MS);
}

static void
on_science (FlgAssistMake *self)
{
  gtk_widget_set_visible (GTK_WIDGET (self->mask), !gtk_check_button_get_active (self->particles));
  prove_geometry (self);
}

static void
on_engine (FlgAssistMake *self)
{
  prove_engine (self, 2 * TYPING_MS);
}

static void
on_cores (FlgAssistMake *self)
{
  g_autofree char *text = g_strdup_printf (_ ("of the %u that this machine has"), g_get_num_processors ());
  gboolean many = gtk_spin_button_get_value_as_int (self->cores) > (int) g_get_num_processors ();
  flg_field_say (self->cores_field, many ? FLG_VERDICT_WARNING : FLG_VERDICT_NONE, text);
  prove_engine (self, 2 * TYPING_MS);
}

static void
on_place (FlgAssistMake *self)
{
  gboolean far = gtk_check_button_get_active (self->slurm);
  gtk_widget_set_visible (GTK_WIDGET (self->cores_field), !far);
  gtk_widget_set_visible (GTK_WIDGET (self->engine), !far);
  flg_field_say (self->place, FLG_VERDICT_NONE,
                 far ? _ ("Which one is asked for as soon as the beamtime is made; until then jobs wait.")
                     : "");
  prove_engine (self, 0);
}

static void
on_records (FlgAssistMake *self)
{
  gtk_widget_set_visible (GTK_WIDGET (self->database), gtk_check_button_get_active (self->in_database));
  refresh (self);
}

/* While it is looked at, what arrives is counted. */
static gboolean
on_live (gpointer data)
{
  FlgAssistMake *self = data;
  if (self->step == STEP_RUNS && gtk_widget_get_mapped (GTK_WIDGET (self)) && flg_field_is_fine (self->watch))
    prove_watch (self, 0, TRUE);
  return G_SOURCE_CONTINUE;
}

/* --- steps --- */

/* The first thing of the step that is wrong; NULL: none. *looking: something is being found out. */
static const char *
complaint_of (FlgAssistMake *self, guint step, gboolean *looking)
{
  FlgField *const fields[N_STEPS][4] = { [STEP_BEAMTIME] = { self->name, self->folder },
                                         [STEP_RUNS] = { self->watch },
                                         [STEP_DETECTOR] = { self->geometry, self->mask },
                                         [STEP_JOBS] = { self->cores_field, self->engine } };
  *looking = FALSE;
  for (guint i = 0; i < 4 && fields[step][i]; i++)
    {
      if (!gtk_widget_get_visible (GTK_WIDGET (fields[step][i])))
        continue;
      if (flg_field_verdict (fields[step][i]) == FLG_VERDICT_BAD)
        return flg_field_words (fields[step][i]);
      *looking |= flg_field_verdict (fields[step][i]) == FLG_VERDICT_LOOKING;
    }
  if (step != STEP_JOBS || !gtk_check_button_get_active (self->in_database)
      || flg_database_form_is_good (self->database))
    return NULL;
  const char *complaint = flg_database_form_complaint (self->database);
  *looking |= complaint == NULL;
  return complaint;
}

static void
refresh (FlgAssistMake *self)
{
  gboolean looking;
  const char *complaint = complaint_of (self, self->step, &looking);
  gboolean last = self->step == STEP_SUMMARY;
  if (complaint)
    self->wants_next = FALSE;
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "make.next", !complaint && !self->making);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "make.back", self->step > 0 && !self->making);
  gtk_widget_set_visible (self->next, !last);
  gtk_widget_set_visible (self->finish, last);
  if (self->wants_next && !looking)
    {
      self->wants_next = FALSE;
      go_to (self, self->step + 1);
    }
}

static void
add_line (FlgAssistMake *self, int row, const char *label, const char *value)
{
  GtkWidget *left = gtk_label_new (label), *right = gtk_label_new (value);
  gtk_label_set_xalign (GTK_LABEL (left), 0);
  gtk_label_set_xalign (GTK_LABEL (right), 0);
  gtk_label_set_wrap (GTK_LABEL (right), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (right), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_selectable (GTK_LABEL (right), TRUE);
  gtk_widget_set_can_focus (right, FALSE);
  gtk_widget_set_size_request (left, 150, -1);
  gtk_widget_set_valign (left, GTK_ALIGN_START);
  gtk_widget_add_css_class (left, "dim-label");
  gtk_grid_attach (self->summary, left, 0, row, 1, 1);
  gtk_grid_attach (self->summary, right, 1, row, 1, 1);
}

/* "/data/raw – 3 runs …": what was found out stands beside it. */
static char *
with_words (FlgField *field, const char *otherwise)
{
  const char *text = flg_field_text (field), *words = flg_field_words (field);
  if (!*text)
    return g_strdup (otherwise);
  return *words ? g_strdup_printf ("%s\n%s", text, words) : g_strdup (text);
}

static void
show_summary (FlgAssistMake *self)
{
  GtkWidget *child;
  while ((child = gtk_widget_get_first_child (GTK_WIDGET (self->summary))))
    gtk_grid_remove (self->summary, child);
  gboolean spi = gtk_check_button_get_active (self->particles);
  g_autofree char *folder = with_words (self->folder, ""),
                  *watch = with_words (self->watch, _ ("nothing is watched")),
                  *geometry = with_words (self->geometry, _ ("as the data files tell")),
                  *cores = g_strdup_printf (ngettext ("on this machine, %d core", "on this machine, %d cores",
                                                      gtk_spin_button_get_value_as_int (self->cores)),
                                            gtk_spin_button_get_value_as_int (self->cores));
  g_autoptr (FlDatabase) database = gtk_check_button_get_active (self->in_database)
                                        ? flg_database_form_database (self->database, "/", NULL)
                                        : NULL;
  int row = 0;
  add_line (self, row++, _ ("Name"), flg_field_text (self->name));
  add_line (self, row++, _ ("In the beam"), spi ? _ ("single particles") : _ ("crystals"));
  add_line (self, row++, _ ("Folder"), folder);
  add_line (self, row++, _ ("Runs arrive in"), watch);
  add_line (self, row++, _ ("Geometry"), geometry);
  if (!spi && *flg_field_text (self->mask))
    add_line (self, row++, _ ("Mask"), flg_field_text (self->mask));
  add_line (self, row++, _ ("Jobs run"),
            gtk_check_button_get_active (self->slurm) ? _ ("on a cluster with Slurm, asked for next")
                                                      : cores);
  add_line (self, row++, _ ("Records"), database ? database->shown : _ ("in the folder (SQLite)"));
  gtk_label_set_label (
      self->first_trial,
      spi ? _ ("Trial 1 has the defaults: runs are told apart into blank, one and several "
               "particles, and what is found is reconstructed as it comes.")
          : _ ("Trial 1 has the defaults: spots are found and indexed without a known cell as "
               "runs arrive. Give a cell on the page Trials when you have one."));
}

static void
focus_step (FlgAssistMake *self)
{
  GtkWidget *first[N_STEPS] = { GTK_WIDGET (self->name), GTK_WIDGET (self->watch),
                                GTK_WIDGET (self->geometry), self->next, self->finish };
  gtk_widget_grab_focus (first[self->step]);
}

static void
go_to (FlgAssistMake *self, guint step)
{
  self->step = MIN (step, STEP_SUMMARY);
  gtk_stack_set_visible_child_name (self->steps, step_names[self->step]);
  for (guint i = 0; i < N_STEPS; i++)
    {
      gtk_widget_remove_css_class (self->heads[i], "here");
      if (i == self->step)
        gtk_widget_add_css_class (self->heads[i], "here");
    }
  gtk_label_set_label (self->complaint, "");
  if (self->step == STEP_DETECTOR)
    prove_image (self, 0);
  if (self->step == STEP_SUMMARY)
    show_summary (self);
  focus_step (self);
  refresh (self);
}

/* --- making --- */

static FlgMaking *
what_to_make (FlgAssistMake *self)
{
  FlgMaking *making = g_new0 (FlgMaking, 1);
  gboolean spi = gtk_check_button_get_active (self->particles),
           far = gtk_check_button_get_active (self->slurm);
  making->folder = flg_typed_path (flg_field_text (self->folder));
  making->name = g_strdup (flg_field_text (self->name));
  making->watch = flg_typed_path (flg_field_text (self->watch));
  making->make_watch = g_strcmp0 (making->watch, self->own_watch) == 0;
  making->kind = g_strdup (run_kind (self));
  making->pattern = g_strdup (flg_field_text (self->pattern));
  making->geometry = flg_typed_path (flg_field_text (self->geometry));
  making->mask = spi ? g_strdup ("") : flg_typed_path (flg_field_text (self->mask));
  making->engine = far ? g_strdup ("") : flg_typed_path (flg_field_text (self->engine));
  making->cores = far ? 0 : gtk_spin_button_get_value_as_int (self->cores);
  making->spi = spi;
  making->far = far;
  if (gtk_check_button_get_active (self->in_database))
    {
      making->database = flg_database_form_database (self->database, making->folder, NULL);
      making->password = flg_database_form_kept_password (self->database);
    }
  return making;
}

static void
on_made (GObject *source, GAsyncResult *result, gpointer data)
{
  FlgAssistMake *self = FLG_ASSIST_MAKE (source);
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = g_task_propagate_pointer (G_TASK (result), &error);
  self->making = FALSE;
  refresh (self);
  if (!folder)
    gtk_label_set_label (self->complaint, error->message);
  else
    g_signal_emit (self, open_signal, 0, folder, gtk_check_button_get_active (self->slurm) ? "sites" : "");
}

static void
make (FlgAssistMake *self)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, on_made, NULL);
  g_task_set_source_tag (task, make);
  g_task_set_task_data (task, what_to_make (self), flg_making_free);
  self->making = TRUE;
  gtk_label_set_label (self->complaint, "");
  refresh (self);
  g_task_run_in_thread (task, flg_making_run);
}

/* --- actions --- */

static void
act_next (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgAssistMake *self = FLG_ASSIST_MAKE (widget);
  gboolean looking;
  if (self->making || complaint_of (self, self->step, &looking))
    return;
  if (self->step == STEP_SUMMARY)
    make (self);
  else if (looking)
    self->wants_next = TRUE;
  else
    go_to (self, self->step + 1);
}

static void
act_back (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgAssistMake *self = FLG_ASSIST_MAKE (widget);
  self->wants_next = FALSE;
  if (self->making)
    return;
  if (self->step > 0)
    go_to (self, self->step - 1);
  else
    g_signal_emit (self, left_signal, 0);
}

static void
act_leave (GtkWidget *widget, const char *action, GVariant *target)
{
  g_signal_emit (widget, left_signal, 0);
}

static gboolean
on_escape (GtkWidget *widget, GVariant *args, gpointer data)
{
  act_back (widget, NULL, NULL);
  return TRUE;
}

static void
on_enter (FlgAssistMake *self)
{
  act_next (GTK_WIDGET (self), NULL, NULL);
}

void
flg_assist_make_begin (FlgAssistMake *self, const char *folder)
{
  if (folder)
    {
      g_free (self->base);
      self->base = NULL;
      g_autofree char *name = g_path_get_basename (folder);
      flg_field_set_text (self->name, name);
      flg_field_set_text (self->folder, folder);
    }
  else if (!*flg_field_text (self->name))
    {
      g_autoptr (GDateTime) now = g_date_time_new_now_local ();
      g_autofree char *name = g_date_time_format (now, "beamtime-%Y-%m-%d");
      self->base = g_build_filename (g_get_home_dir (), "firstlight", NULL);
      flg_field_set_text (self->name, name);
    }
  go_to (self, self->step);
}

gboolean
flg_assist_make_show (FlgAssistMake *self, const char *step)
{
  for (guint i = 0; i < N_STEPS; i++)
    if (g_str_equal (step_names[i], step))
      {
        go_to (self, i);
        return TRUE;
      }
  return FALSE;
}

/* --- widget --- */

static void
flg_assist_make_dispose (GObject *object)
{
  FlgAssistMake *self = FLG_ASSIST_MAKE (object);
  g_clear_handle_id (&self->live, g_source_remove);
  gtk_widget_dispose_template (GTK_WIDGET (self), FLG_TYPE_ASSIST_MAKE);
  G_OBJECT_CLASS (flg_assist_make_parent_class)->dispose (object);
}

static void
flg_assist_make_finalize (GObject *object)
{
  FlgAssistMake *self = FLG_ASSIST_MAKE (object);
  g_free (self->base);
  g_free (self->own_folder);
  g_free (self->own_watch);
  g_free (self->own_geometry);
  G_OBJECT_CLASS (flg_assist_make_parent_class)->finalize (object);
}

static void
bind_children (GtkWidgetClass *widget_class)
{
#define BIND(child) gtk_widget_class_bind_template_child (widget_class, FlgAssistMake, child)
  BIND (steps);
  BIND (pills);
  BIND (name);
  BIND (folder);
  BIND (watch);
  BIND (pattern);
  BIND (geometry);
  BIND (mask);
  BIND (image);
  BIND (place);
  BIND (cores_field);
  BIND (engine);
  BIND (particles);
  BIND (as_file);
  BIND (slurm);
  BIND (in_database);
  BIND (cores);
  BIND (database);
  BIND (summary);
  BIND (first_trial);
  BIND (complaint);
  BIND (back);
  BIND (next);
  BIND (finish);
#undef BIND
}

static void
flg_assist_make_class_init (FlgAssistMakeClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  GType type = G_TYPE_FROM_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = flg_assist_make_dispose;
  G_OBJECT_CLASS (klass)->finalize = flg_assist_make_finalize;
  g_type_ensure (FLG_TYPE_FIELD);
  g_type_ensure (FLG_TYPE_DATABASE_FORM);
  gtk_widget_class_set_template_from_resource (widget_class, "/io/firstlight/gui/assistant-new.ui");
  bind_children (widget_class);
  gtk_widget_class_bind_template_callback (widget_class, on_science);
  gtk_widget_class_bind_template_callback (widget_class, on_watch);
  gtk_widget_class_bind_template_callback (widget_class, on_place);
  gtk_widget_class_bind_template_callback (widget_class, on_cores);
  gtk_widget_class_bind_template_callback (widget_class, on_records);
  gtk_widget_class_install_action (widget_class, "make.next", NULL, act_next);
  gtk_widget_class_install_action (widget_class, "make.back", NULL, act_back);
  gtk_widget_class_install_action (widget_class, "make.leave", NULL, act_leave);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_Escape, 0, on_escape, NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Return, GDK_CONTROL_MASK, "make.next", NULL);
  open_signal = g_signal_new ("open", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 2,
                              G_TYPE_STRING, G_TYPE_STRING);
  left_signal = g_signal_new ("left", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
flg_assist_make_init (FlgAssistMake *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  const struct
  {
    FlgField *field;
    void (*typed) (FlgAssistMake *);
  } fields[] = { { self->name, on_name },     { self->folder, on_folder },        { self->watch, on_watch },
                 { self->pattern, on_watch }, { self->geometry, prove_geometry }, { self->mask, on_mask },
                 { self->engine, on_engine } };
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    {
      g_signal_connect_object (fields[i].field, "typed", G_CALLBACK (fields[i].typed), self,
                               G_CONNECT_SWAPPED);
      g_signal_connect_object (fields[i].field, "proved", G_CALLBACK (refresh), self, G_CONNECT_SWAPPED);
      g_signal_connect_object (fields[i].field, "activate", G_CALLBACK (on_enter), self, G_CONNECT_SWAPPED);
    }
  g_signal_connect_object (self->watch, "proved", G_CALLBACK (on_watch_proved), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->database, "changed", G_CALLBACK (refresh), self, G_CONNECT_SWAPPED);
  for (guint i = 0; i < N_STEPS; i++)
    {
      GtkWidget *child = gtk_stack_get_child_by_name (self->steps, step_names[i]);
      g_autofree char *title = NULL;
      g_object_get (gtk_stack_get_page (self->steps, child), "title", &title, NULL);
      self->heads[i] = gtk_label_new (title);
      gtk_widget_add_css_class (self->heads[i], "wizard-step");
      gtk_box_append (self->pills, self->heads[i]);
    }
  flg_database_form_set_new (self->database, TRUE);
  gtk_spin_button_set_value (self->cores, g_get_num_processors ());
  on_cores (self);
  prove_geometry (self);
  on_mask (self);
  self->live = g_timeout_add_seconds (LIVE_S, on_live, self);
}
