#define G_LOG_DOMAIN "firstlight-gui"
#include <glib/gi18n.h>

#include <string.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/store/keyring.h"
#include "gui/assistant-database.h"
#include "gui/assistant-private.h"
#include "gui/follow.h"
#include "gui/joined.h"

#define TYPING_MS 500
#define SSH_S     20

struct _FlgAssistJoin
{
  GtkBox parent_instance;
  FlgDatabaseForm *database;
  FlgField *home, *folder;
  GtkLabel *complaint;
  char *own_folder; /* what we have proposed last */
  gboolean joining;
};

G_DEFINE_FINAL_TYPE (FlgAssistJoin, flg_assist_join, GTK_TYPE_BOX)

static guint open_signal, left_signal;

/* --- proofs --- */

/* URL, FOLDER: a folder of this window's own. */
static FlgProof *
prove_own_folder (gpointer strings, GCancellable *cancellable)
{
  char **s = strings;
  g_autofree char *folder = flg_typed_path (s[1]), *ini = g_build_filename (folder, FL_DATABASE_FILE, NULL);
  if (access (ini, F_OK) == 0)
    {
      g_autoptr (FlDatabase) there = fl_database_find (folder, FALSE, NULL),
                             wanted = fl_database_parse (s[0], "/", NULL);
      if (there && wanted && there->driver == FL_DRIVER_MYSQL && strcmp (there->shown, wanted->shown) == 0)
        return flg_proof_new (FLG_VERDICT_GOOD, _ ("has joined this database before"));
    }
  FlgProof *proof = flg_prove_new_folder (s + 1, cancellable);
  if (proof->verdict == FLG_VERDICT_WARNING)
    proof->verdict = FLG_VERDICT_GOOD; /* little is kept in it */
  return proof;
}

/* HOME: a folder here, or ssh://…: images come from there. */
static FlgProof *
prove_home (gpointer strings, GCancellable *cancellable)
{
  const char *text = ((GStrv) strings)[0];
  FlgFarPlace place;
  g_autoptr (GError) error = NULL;
  g_autofree char *path = flg_typed_path (text), *complaint = NULL;
  if (!*text)
    return flg_proof_new (FLG_VERDICT_NONE, _ ("left empty: numbers and plots only"));
  if (*path == '/')
    return g_file_test (path, G_FILE_TEST_IS_DIR)
               ? flg_proof_new (FLG_VERDICT_GOOD, _ ("is on this machine: images are shown from there"))
               : flg_proof_new (FLG_VERDICT_BAD,
                                _ ("is no folder on this machine; elsewhere: ssh://user@host%s"), path);
  if (!flg_far_place_parse (text, &place, &error))
    return flg_proof_new (FLG_VERDICT_BAD, "%s", error->message);
  g_auto (GStrv) command = flg_far_place_command (&place);
  guint n = g_strv_length (command); /* … firstlight-control serve */
  g_free (command[n - 1]);
  command[n - 1] = g_strdup ("--version");
  g_autofree char *said = flg_run_once ((const char *const *) command, SSH_S, cancellable, &complaint);
  FlgProof *proof =
      said ? flg_proof_new (FLG_VERDICT_GOOD, _ ("%s there answers"), g_strchomp (said))
           : flg_proof_new (FLG_VERDICT_WARNING, _ ("not reached: %s; it is tried again later"), complaint);
  flg_far_place_clear (&place);
  return proof;
}

/* --- what follows what --- */

static void
refresh (FlgAssistJoin *self)
{
  const char *complaint = NULL;
  FlgField *const fields[] = { self->home, self->folder };
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    if (!complaint && flg_field_verdict (fields[i]) == FLG_VERDICT_BAD)
      complaint = flg_field_words (fields[i]);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "enter.join",
                                 !complaint && !self->joining && flg_database_form_is_good (self->database)
                                     && flg_field_is_fine (self->folder));
}

static void
on_folder (FlgAssistJoin *self)
{
  g_autofree char *address = g_strdup (flg_field_text (flg_database_form_address (self->database)));
  flg_field_prove_strings (self->folder, prove_own_folder, TYPING_MS, FALSE, address,
                           flg_field_text (self->folder), NULL);
}

static void
on_home (FlgAssistJoin *self)
{
  flg_field_prove_strings (self->home, prove_home, 2 * TYPING_MS, FALSE, flg_field_text (self->home), NULL);
}

/* Folders are proposed by the database's name. */
static void
on_address (FlgAssistJoin *self)
{
  g_autoptr (FlDatabase) database = flg_database_form_database (self->database, "/", NULL);
  if (!database)
    return;
  const char *there = flg_field_text (self->folder);
  gboolean untouched = !*there || g_strcmp0 (there, self->own_folder) == 0;
  g_autofree char *name = g_strdelimit (g_strdup (database->name), "/", '_');
  g_free (self->own_folder);
  self->own_folder = g_build_filename (g_get_user_data_dir (), "firstlight", "joined", name, NULL);
  if (untouched && strcmp (there, self->own_folder) != 0)
    flg_field_set_text (self->folder, self->own_folder);
  else
    on_folder (self);
}

/* --- joining --- */

typedef struct
{
  FlDatabase *database;
  char *folder, *home, *password; /* password NULL: it is not to be kept */
  GStrv command;
} Joining;

static void
joining_free (gpointer data)
{
  Joining *joining = data;
  fl_database_free (joining->database);
  g_free (joining->folder);
  g_free (joining->home);
  fl_keyring_free (joining->password);
  g_strfreev (joining->command);
  g_free (joining);
}

static void
run_join (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Joining *joining = data;
  GError *error = NULL;
  if (g_mkdir_with_parents (joining->folder, 0777) != 0)
    g_task_return_new_error (task, FL_ERROR, FL_ERROR_FAILED, _ ("%s: cannot be made"), joining->folder);
  else if (!fl_database_write (joining->database, joining->folder,
                               *joining->home ? joining->home : FLG_JOINED_NOWHERE,
                               (const char *const *) joining->command, &error)
           || (joining->password && !fl_keyring_store (joining->database, joining->password, &error)))
    g_task_return_error (task, error);
  else
    g_task_return_pointer (task, g_strdup (joining->folder), g_free);
}

static void
on_joined (GObject *source, GAsyncResult *result, gpointer data)
{
  FlgAssistJoin *self = FLG_ASSIST_JOIN (source);
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = g_task_propagate_pointer (G_TASK (result), &error);
  self->joining = FALSE;
  gtk_label_set_label (self->complaint, folder ? "" : error->message);
  refresh (self);
  if (folder)
    g_signal_emit (self, open_signal, 0, folder, "");
}

static void
act_join (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgAssistJoin *self = FLG_ASSIST_JOIN (widget);
  FlgFarPlace place;
  if (self->joining || !flg_database_form_is_good (self->database) || !flg_field_is_fine (self->folder))
    return;
  Joining *joining = g_new0 (Joining, 1);
  joining->folder = flg_typed_path (flg_field_text (self->folder));
  joining->database = flg_database_form_database (self->database, joining->folder, NULL);
  joining->home = flg_typed_path (flg_field_text (self->home));
  joining->password = flg_database_form_kept_password (self->database);
  if (g_str_has_prefix (joining->home, "ssh://") && flg_far_place_parse (joining->home, &place, NULL))
    {
      joining->command = flg_far_place_command (&place);
      g_free (joining->home);
      joining->home = g_strdup (place.path);
      flg_far_place_clear (&place);
    }
  self->joining = TRUE;
  refresh (self);
  g_autoptr (GTask) task = g_task_new (self, NULL, on_joined, NULL);
  g_task_set_source_tag (task, act_join);
  g_task_set_task_data (task, joining, joining_free);
  g_task_run_in_thread (task, run_join);
}

static void
act_leave (GtkWidget *widget, const char *action, GVariant *target)
{
  g_signal_emit (widget, left_signal, 0);
}

static void
on_enter (FlgAssistJoin *self)
{
  act_join (GTK_WIDGET (self), NULL, NULL);
}

void
flg_assist_join_begin (FlgAssistJoin *self)
{
  gtk_widget_grab_focus (GTK_WIDGET (flg_database_form_address (self->database)));
}

static void
flg_assist_join_dispose (GObject *object)
{
  gtk_widget_dispose_template (GTK_WIDGET (object), FLG_TYPE_ASSIST_JOIN);
  G_OBJECT_CLASS (flg_assist_join_parent_class)->dispose (object);
}

static void
flg_assist_join_finalize (GObject *object)
{
  g_free (FLG_ASSIST_JOIN (object)->own_folder);
  G_OBJECT_CLASS (flg_assist_join_parent_class)->finalize (object);
}

static void
flg_assist_join_class_init (FlgAssistJoinClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  GType type = G_TYPE_FROM_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = flg_assist_join_dispose;
  G_OBJECT_CLASS (klass)->finalize = flg_assist_join_finalize;
  g_type_ensure (FLG_TYPE_FIELD);
  g_type_ensure (FLG_TYPE_DATABASE_FORM);
  gtk_widget_class_set_template_from_resource (widget_class, "/io/firstlight/gui/assistant-join.ui");
  gtk_widget_class_bind_template_child (widget_class, FlgAssistJoin, database);
  gtk_widget_class_bind_template_child (widget_class, FlgAssistJoin, home);
  gtk_widget_class_bind_template_child (widget_class, FlgAssistJoin, folder);
  gtk_widget_class_bind_template_child (widget_class, FlgAssistJoin, complaint);
  gtk_widget_class_install_action (widget_class, "enter.join", NULL, act_join);
  gtk_widget_class_install_action (widget_class, "enter.leave", NULL, act_leave);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "enter.leave", NULL);
  open_signal = g_signal_new ("open", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 2,
                              G_TYPE_STRING, G_TYPE_STRING);
  left_signal = g_signal_new ("left", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
flg_assist_join_init (FlgAssistJoin *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  FlgField *address = flg_database_form_address (self->database),
           *password = flg_database_form_password (self->database);
  const struct
  {
    gpointer object;
    const char *signal;
    void (*handler) (FlgAssistJoin *);
  } all[] = { { address, "typed", on_address },     { self->home, "typed", on_home },
              { self->folder, "typed", on_folder }, { self->database, "changed", refresh },
              { self->home, "proved", refresh },    { self->folder, "proved", refresh },
              { address, "activate", on_enter },    { password, "activate", on_enter },
              { self->home, "activate", on_enter }, { self->folder, "activate", on_enter } };
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    g_signal_connect_object (all[i].object, all[i].signal, G_CALLBACK (all[i].handler), self,
                             G_CONNECT_SWAPPED);
  on_home (self);
  refresh (self);
}
