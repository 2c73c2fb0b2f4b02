#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/assistant-database.h"

#include <glib/gi18n.h>

#include <string.h>

#include "engine/base/error.h"
#include "engine/store/keyring.h"
#include "engine/store/password.h"
#include "engine/store/people.h"
#include "engine/store/seal.h"
#include "gui/assistant-field.h"

#define TYPING_MS    600
#define PORT         3306
#define PATIENCE_S   8
#define CLIENT_SSL   0x0800 /* of the low capabilities in a server's greeting */
#define MOST_VERSION 60

struct _FlgDatabaseForm
{
  GtkBox parent_instance;
  FlgField *address, *tls, *ca, *option_file, *password, *remember;
  FlgField *resolve, *port, *login, *content, *role;
  GtkDropDown *tls_choice;
  GtkCheckButton *keep;
  gboolean is_new;
};

G_DEFINE_FINAL_TYPE (FlgDatabaseForm, flg_database_form, GTK_TYPE_BOX)

static guint changed_signal;

/* --- what is filled in --- */

static void
add_option (GString *url, const char *name, const char *value)
{
  if (!*value)
    return;
  g_string_append_printf (url, "%c%s=", strchr (url->str, '?') ? '&' : '?', name);
  g_string_append_uri_escaped (url, value, "/", TRUE);
}

FlDatabase *
flg_database_form_database (FlgDatabaseForm *self, const char *folder, GError **error)
{
  static const char *const words[] = { "", "verify", "required", "off" };
  guint tls = MIN (gtk_drop_down_get_selected (self->tls_choice), G_N_ELEMENTS (words) - 1);
  GString *url = g_string_new (flg_field_text (self->address));
  add_option (url, "tls", words[tls]);
  add_option (url, "ca", flg_field_text (self->ca));
  add_option (url, "option_file", flg_field_text (self->option_file));
  FlDatabase *database = fl_database_parse (url->str, folder, error);
  g_string_free (url, TRUE);
  return database;
}

/* --- steps, each in a thread --- */

/* HOST, SOCKET */
static FlgProof *
prove_name (gpointer strings, GCancellable *cancellable)
{
  char **s = strings;
  if (*s[1] || !*s[0])
    return flg_proof_new (FLG_VERDICT_GOOD, _ ("this machine"));
  g_autoptr (GError) error = NULL;
  g_autoptr (GResolver) resolver = g_resolver_get_default ();
  GList *found = g_resolver_lookup_by_name (resolver, s[0], cancellable, &error);
  if (!found)
    return flg_proof_new (FLG_VERDICT_BAD, _ ("%s is not known to the network (%s): is it spelt right?"),
                          s[0], error->message);
  g_autofree char *address = g_inet_address_to_string (found->data);
  g_resolver_free_addresses (found);
  return flg_proof_new (FLG_VERDICT_GOOD, "%s", address);
}

/* A server's greeting: protocol 10, its version as text, thread id, half of a salt, capabilities. */
static FlgProof *
read_greeting (const guint8 *bytes, gsize n, const char *tls)
{
  const guint8 *version = bytes + 5, *end = n > 5 ? memchr (version, '\0', n - 5) : NULL;
  if (n > 4 && bytes[4] == 0xff)
    return flg_proof_new (FLG_VERDICT_BAD, _ ("the server refuses this machine; ask who runs it"));
  if (n < 6 || bytes[4] != 10 || !end || end + 4 + 8 + 1 + 2 > bytes + n - 1)
    return flg_proof_new (FLG_VERDICT_BAD, _ ("something answers there, but no MySQL or MariaDB"));
  g_autofree char *raw =
      g_strndup ((const char *) version, MIN (strlen ((const char *) version), MOST_VERSION));
  g_autofree char *text = g_utf8_make_valid (raw, -1);
  const char *shown = g_str_has_prefix (text, "5.5.5-") ? text + 6 : text;
  gboolean speaks = (end[1 + 4 + 8 + 1] | end[1 + 4 + 8 + 2] << 8) & CLIENT_SSL;
  if (!speaks && *tls)
    return flg_proof_new (FLG_VERDICT_BAD,
                          _ ("%s answers, but does not encrypt: its owner has to turn TLS on"), shown);
  return flg_proof_new (FLG_VERDICT_GOOD, speaks ? _ ("%s answers, and can encrypt") : _ ("%s answers"),
                        shown);
}

/* HOST, PORT, SOCKET, TLS ("": not wanted) */
static FlgProof *
prove_port (gpointer strings, GCancellable *cancellable)
{
  char **s = strings;
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_socket_client_set_timeout (client, PATIENCE_S);
  g_autoptr (GSocketConnectable) where = NULL;
  if (*s[2])
    where = G_SOCKET_CONNECTABLE (g_unix_socket_address_new (s[2]));
  else
    where = g_network_address_new (*s[0] ? s[0] : "localhost", (guint16) g_ascii_strtoull (s[1], NULL, 10));
  g_autoptr (GSocketConnection) connection = g_socket_client_connect (client, where, cancellable, &error);
  if (!connection)
    return flg_proof_new (FLG_VERDICT_BAD, _ ("port %s does not answer: %s"), s[1], error->message);
  guint8 bytes[256];
  gssize n = g_input_stream_read (g_io_stream_get_input_stream (G_IO_STREAM (connection)), bytes,
                                  sizeof bytes, cancellable, &error);
  g_io_stream_close (G_IO_STREAM (connection), NULL, NULL);
  if (n < 0)
    return flg_proof_new (FLG_VERDICT_BAD, _ ("port %s says nothing: %s"), s[1], error->message);
  return read_greeting (bytes, (gsize) n, s[3]);
}

typedef struct
{
  FlDatabase *database;
  char *password;
  gboolean is_new;
} Login;

static void
login_free (gpointer data)
{
  Login *login = data;
  fl_database_free (login->database);
  fl_keyring_free (login->password);
  g_free (login);
}

/* What has been found inside, beside the login itself. */
static void
tell (FlgProof *proof, const char *what, FlgVerdict verdict, char *words)
{
  if (!proof->found)
    proof->found = g_object_new (G_TYPE_OBJECT, NULL);
  g_autofree char *key = g_strconcat (what, "-verdict", NULL);
  g_object_set_data (proof->found, key, GINT_TO_POINTER (verdict));
  g_object_set_data_full (proof->found, what, words, g_free);
}

static void
tell_experiment (FlgProof *proof, FlStore *store, gboolean is_new)
{
  g_autoptr (GPtrArray) all = fl_store_list (store, FL_TABLE_EXPERIMENT, NULL);
  g_autoptr (GPtrArray) runs = fl_store_list (store, FL_TABLE_RUN, NULL);
  const FlExperiment *experiment = all && all->len ? all->pdata[0] : NULL;
  FlRole role = fl_store_role (store);
  const char *name = experiment ? experiment->name : "?";
  if (is_new)
    {
      tell (
          proof, "content", FLG_VERDICT_BAD,
          g_strdup_printf (_ ("holds the experiment “%s” already: join it, or take another database"), name));
      return;
    }
  tell (
      proof, "content", FLG_VERDICT_GOOD,
      g_strdup_printf (ngettext ("the experiment “%s”, %u run; records of version %d",
                                 "the experiment “%s”, %u runs; records of version %d", runs ? runs->len : 0),
                       name, runs ? runs->len : 0, (int) fl_store_version (store, NULL)));
  tell (proof, "role", role == FL_ROLE_VIEWER ? FLG_VERDICT_WARNING : FLG_VERDICT_GOOD,
        g_strdup_printf (role == FL_ROLE_VIEWER
                             ? _ ("%s: a viewer, who changes nothing; an owner can make you operator")
                         : role == FL_ROLE_OWNER ? _ ("%s: an owner, who may do everything")
                                                 : _ ("%s: an operator, who may do all but say who may what"),
                         fl_store_account (store)));
}

static FlgProof *
prove_login (gpointer data, GCancellable *cancellable)
{
  Login *login = data;
  g_autoptr (GError) error = NULL;
  g_autofree char *url = fl_database_url (login->database);
  fl_password_hold (login->database, login->password);
  g_autoptr (FlStore) store = fl_store_open (url, FL_STORE_READ_ONLY, &error);
  gboolean encrypted = login->database->tls != FL_TLS_OFF;
  const char *in = encrypted ? login->database->tls == FL_TLS_VERIFY
                                   ? _ ("logged in; encrypted, the server's certificate is good")
                                   : _ ("logged in; encrypted, the server's certificate is not checked")
                             : _ ("logged in, not encrypted");
  FlgProof *proof = flg_proof_new (FLG_VERDICT_GOOD, "%s", in);
  if (store)
    tell_experiment (proof, store, login->is_new);
  else if (g_error_matches (error, FL_ERROR, FL_ERROR_DENIED)
           || g_error_matches (error, FL_ERROR, FL_ERROR_LOST)
           || g_error_matches (error, FL_ERROR, FL_ERROR_FAILED))
    {
      proof->verdict = FLG_VERDICT_BAD;
      g_free (proof->text);
      proof->text = g_strdup (error->message);
    }
  else if (login->is_new
           && (g_error_matches (error, FL_ERROR, FL_ERROR_INPUT)
               || g_error_matches (error, FL_ERROR, FL_ERROR_MISSING)))
    tell (proof, "content", FLG_VERDICT_GOOD, g_strdup (_ ("empty: the experiment is made in it")));
  else
    tell (proof, "content", FLG_VERDICT_BAD, g_strdup (error->message));
  return proof;
}

/* --- one after another --- */

static void
changed (FlgDatabaseForm *self)
{
  g_signal_emit (self, changed_signal, 0);
}

static void
begin (FlgDatabaseForm *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FlDatabase) database = flg_database_form_database (self, "/", &error);
  FlgField *const steps[] = { self->resolve, self->port, self->login, self->content, self->role };
  gboolean typed = *flg_field_text (self->address);
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    flg_field_say (steps[i], FLG_VERDICT_NONE, typed && database ? _ ("waits") : "");
  flg_field_say (self->address, database || !typed ? FLG_VERDICT_NONE : FLG_VERDICT_BAD,
                 error ? error->message : "");
  if (!database && !typed)
    flg_field_say (self->address, FLG_VERDICT_NONE, "");
  if (database)
    flg_field_prove_strings (self->resolve, prove_name, TYPING_MS, FALSE, database->host, database->socket,
                             NULL);
  changed (self);
}

static void
on_resolved (FlgDatabaseForm *self)
{
  g_autoptr (FlDatabase) database = flg_database_form_database (self, "/", NULL);
  if (database && flg_field_verdict (self->resolve) == FLG_VERDICT_GOOD)
    {
      g_autofree char *port = g_strdup_printf ("%d", database->port ? database->port : PORT);
      flg_field_prove_strings (self->port, prove_port, 0, FALSE, database->host, port, database->socket,
                               database->tls == FL_TLS_OFF ? "" : "1", NULL);
    }
  changed (self);
}

static void
log_in (FlgDatabaseForm *self, guint delay)
{
  Login *login = g_new0 (Login, 1);
  login->database = flg_database_form_database (self, "/", NULL);
  login->password = g_strdup (flg_field_text (self->password));
  login->is_new = self->is_new;
  if (login->database)
    flg_field_prove (self->login, prove_login, login, login_free, delay, FALSE);
  else
    login_free (login);
}

static void
on_port (FlgDatabaseForm *self)
{
  if (flg_field_verdict (self->port) == FLG_VERDICT_GOOD)
    log_in (self, 0);
  changed (self);
}

/* Programs that are started for this experiment cannot ask. */
static void
warn_of_password (FlgDatabaseForm *self)
{
  gboolean typed = *flg_field_text (self->password) != '\0', kept = gtk_check_button_get_active (self->keep);
  flg_field_say (self->password, typed && !kept ? FLG_VERDICT_WARNING : FLG_VERDICT_NONE,
                 typed && !kept
                     ? _ ("for this window only: a conductor needs it in the keyring or in an option file")
                     : "");
}

static void
on_password (FlgDatabaseForm *self)
{
  warn_of_password (self);
  if (flg_field_verdict (self->port) == FLG_VERDICT_GOOD)
    log_in (self, TYPING_MS);
}

static void
on_login (FlgDatabaseForm *self)
{
  GObject *found = flg_field_found (self->login);
  FlgField *const steps[] = { self->content, self->role };
  static const char *const keys[] = { "content", "role" }, *const verdicts[] = { "content-verdict",
                                                                                 "role-verdict" };
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    {
      const char *words = found ? g_object_get_data (found, keys[i]) : NULL;
      flg_field_say (steps[i],
                     words ? GPOINTER_TO_INT (g_object_get_data (found, verdicts[i])) : FLG_VERDICT_NONE,
                     words);
    }
  changed (self);
}

gboolean
flg_database_form_is_good (FlgDatabaseForm *self)
{
  return flg_field_verdict (self->login) == FLG_VERDICT_GOOD
         && flg_field_verdict (self->content) == FLG_VERDICT_GOOD;
}

const char *
flg_database_form_complaint (FlgDatabaseForm *self)
{
  FlgField *const all[] = { self->address, self->resolve, self->port, self->login, self->content };
  if (!*flg_field_text (self->address))
    return _ ("a database's address is missing");
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    if (flg_field_verdict (all[i]) == FLG_VERDICT_BAD)
      return flg_field_words (all[i]);
  return NULL;
}

char *
flg_database_form_summary (FlgDatabaseForm *self)
{
  static const char *const names[] = { "address", "name", "port", "login", "content", "role" },
                           *const words[] = { "waits", "looking", "good", "mind", "wrong" };
  FlgField *const all[] = {
    self->address, self->resolve, self->port, self->login, self->content, self->role
  };
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    g_string_append_printf (text, "%s%s %s: %s", i ? "; " : "", names[i], words[flg_field_verdict (all[i])],
                            flg_field_words (all[i]));
  return g_string_free (text, FALSE);
}

char *
flg_database_form_kept_password (FlgDatabaseForm *self)
{
  const char *password = flg_field_text (self->password);
  return *password && gtk_check_button_get_active (self->keep) ? g_strdup (password) : NULL;
}

void
flg_database_form_set_new (FlgDatabaseForm *self, gboolean is_new)
{
  self->is_new = is_new;
  gtk_widget_set_visible (GTK_WIDGET (self->role), !is_new);
}

FlgField *
flg_database_form_address (FlgDatabaseForm *self)
{
  return self->address;
}

FlgField *
flg_database_form_password (FlgDatabaseForm *self)
{
  return self->password;
}

/* --- widget --- */

static void
flg_database_form_dispose (GObject *object)
{
  gtk_widget_dispose_template (GTK_WIDGET (object), FLG_TYPE_DATABASE_FORM);
  G_OBJECT_CLASS (flg_database_form_parent_class)->dispose (object);
}

static void
flg_database_form_class_init (FlgDatabaseFormClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = flg_database_form_dispose;
  g_type_ensure (FLG_TYPE_FIELD);
  gtk_widget_class_set_template_from_resource (widget_class, "/io/firstlight/gui/assistant-database.ui");
#define BIND(child) gtk_widget_class_bind_template_child (widget_class, FlgDatabaseForm, child)
  BIND (address);
  BIND (tls);
  BIND (tls_choice);
  BIND (ca);
  BIND (option_file);
  BIND (password);
  BIND (remember);
  BIND (keep);
  BIND (resolve);
  BIND (port);
  BIND (login);
  BIND (content);
  BIND (role);
#undef BIND
  gtk_widget_class_bind_template_callback (widget_class, begin);
  gtk_widget_class_bind_template_callback (widget_class, warn_of_password);
  changed_signal = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                 G_TYPE_NONE, 0);
}

static void
flg_database_form_init (FlgDatabaseForm *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  const struct
  {
    FlgField *field;
    const char *signal;
    void (*handler) (FlgDatabaseForm *);
  } all[] = { { self->address, "typed", begin },        { self->ca, "typed", begin },
              { self->option_file, "typed", begin },    { self->password, "typed", on_password },
              { self->resolve, "proved", on_resolved }, { self->port, "proved", on_port },
              { self->login, "proved", on_login } };
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    g_signal_connect_object (all[i].field, all[i].signal, G_CALLBACK (all[i].handler), self,
                             G_CONNECT_SWAPPED);
  gtk_widget_set_visible (GTK_WIDGET (self->remember), fl_keyring_has ());
}
