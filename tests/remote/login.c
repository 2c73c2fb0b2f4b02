#include "tests/remote/login.h"

#include <string.h>

static void
on_changed (FlRemote *remote, const FlRemoteStatus *status, gpointer data)
{
  TestLogin *login = data;
  const char *name = fl_remote_state_name (status->state);
  (void) remote;
  if (login->states->len == 0 || strcmp (login->states->pdata[login->states->len - 1], name) != 0)
    g_ptr_array_add (login->states, (gpointer) name);
  g_test_message ("%s %s: %s", name, fl_remote_transport_name (status->transport), status->message);
}

static void
on_ask (FlRemote *remote, const FlRemoteQuestion *question, gpointer data)
{
  TestLogin *login = data;
  if (question == NULL)
    {
      login->voided = TRUE;
      return;
    }
  g_test_message ("asked: %s | %s | %s", question->title, question->text,
                  question->n_fields > 0 ? question->labels[0] : "");
  g_ptr_array_add (login->questions, fl_remote_question_copy (question));
  const char *answer =
      login->n_asked < G_N_ELEMENTS (login->answers) ? login->answers[login->n_asked++] : NULL;
  g_autofree char *code = answer != NULL && strcmp (answer, "code") == 0 ? test_server_code () : NULL;
  const char *answers[] = { code != NULL ? code : answer, NULL };
  if (g_strcmp0 (answer, "wait") != 0)
    fl_remote_answer (remote, question->id, answer != NULL ? answers : NULL);
}

TestLogin *
test_login_new_from (const FlRemoteConfig *config)
{
  static const FlRemoteEvents events = { on_changed, on_ask };
  TestLogin *login = g_new0 (TestLogin, 1);
  login->questions = g_ptr_array_new_with_free_func ((GDestroyNotify) fl_remote_question_free);
  login->states = g_ptr_array_new ();
  login->remote = fl_remote_new (config, &events, login);
  login->host = fl_remote_host (login->remote);
  return login;
}

TestLogin *
test_login_new (TestServer *server, FlRemoteTransport transport, const char *key, int port)
{
  g_autofree char *identity = key[0] != '\0' ? test_server_file (server, key) : g_strdup ("");
  FlRemoteConfig config = { .host = (char *) "127.0.0.1",
                            .user = (char *) g_get_user_name (),
                            .port = port != 0 ? port : server->port,
                            .identity = identity,
                            .transport = transport,
                            .known_hosts = server->known_hosts,
                            .config_file = (char *) "none",
                            .keep_alive_s = 1 };
  return test_login_new_from (&config);
}

void
test_login_free (TestLogin *login)
{
  fl_remote_free (login->remote);
  fl_host_unref (login->host);
  g_ptr_array_unref (login->questions);
  g_ptr_array_unref (login->states);
  g_free (login);
}

static gboolean
wake (gpointer data)
{
  *(gboolean *) data = TRUE;
  return G_SOURCE_CONTINUE;
}

gboolean
test_login_await (TestLogin *login, FlRemoteState state, double seconds)
{
  gboolean tick = FALSE;
  gint64 deadline = g_get_monotonic_time () + (gint64) (seconds * 1e6);
  guint timer = g_timeout_add (20, wake, &tick);
  while (fl_remote_status (login->remote)->state != state && g_get_monotonic_time () < deadline)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (timer);
  return fl_remote_status (login->remote)->state == state;
}

void
test_login_spin (double seconds)
{
  gboolean tick = FALSE;
  gint64 deadline = g_get_monotonic_time () + (gint64) (seconds * 1e6);
  guint timer = g_timeout_add (20, wake, &tick);
  while (g_get_monotonic_time () < deadline)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (timer);
}
