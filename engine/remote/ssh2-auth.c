/* Who we are: agent, key files, keyboard-interactive, password, in that order, as often as the server wants another proof. */
#include "engine/remote/ssh2-private.h"

#include <string.h>

#include "engine/base/error.h"
#include "engine/remote/harmless.h"
#include "engine/remote/key-file.h"
#include "engine/remote/known-hosts.h"

#define STEP_S       30 /* for the server to answer one proof */
#define MOST_AGENT   5  /* keys of an agent: a server gives up after six proofs */
#define MOST_FIELDS  8
#define MOST_PHRASES 3
#define MOST_ROUNDS  6

/* Calls `call` till it is through; the person may take her time in between, so each wait has its own deadline. */
#define UNTIL_DONE(ssh2, rc, call, error)                                                                    \
  while (((rc) = (call)) == LIBSSH2_ERROR_EAGAIN)                                                            \
    if (!fl_ssh2_wait ((ssh2), g_get_monotonic_time () + STEP_S * G_USEC_PER_SEC, (error)))                  \
      break;

typedef enum
{
  TRY_AGENT,
  TRY_KEYS,
  TRY_INTERACTIVE,
  TRY_PASSWORD,
  N_TRIES
} Try;

static const char *const methods_of[N_TRIES] = { "publickey", "publickey", "keyboard-interactive",
                                                 "password" };

/* The connection itself has failed. */
static gboolean
is_fatal (int rc)
{
  return rc == LIBSSH2_ERROR_SOCKET_SEND || rc == LIBSSH2_ERROR_SOCKET_RECV
         || rc == LIBSSH2_ERROR_SOCKET_DISCONNECT || rc == LIBSSH2_ERROR_SOCKET_NONE
         || rc == LIBSSH2_ERROR_TIMEOUT || rc == LIBSSH2_ERROR_EAGAIN;
}

static void
set_lost (FlSsh2 *ssh2, GError **error)
{
  if (error == NULL || *error != NULL)
    return;
  g_set_error (error, FL_ERROR, FL_ERROR_BUSY, "%s has hung up", ssh2->login.config->host);
}

/* Before a person is asked for what a key could have spared her. */
static gboolean
rather_go (FlSsh2 *ssh2, GError **error)
{
  if (!ssh2->login.may_go || ssh2->mendable == NULL)
    return FALSE;
  g_set_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED, "libssh2 cannot use %s", ssh2->mendable);
  return TRUE;
}

/* --- keys --- */

/* What libssh2 cannot use is noted and, when another transport could, passed over. */
static gboolean
is_usable (FlSsh2 *ssh2, const char *kind)
{
  if (strcmp (kind, "ssh-rsa") == 0)
    ssh2->mendable = "RSA keys";
  else if (strstr (kind, "-cert-v01@") != NULL && !g_str_has_prefix (kind, "ecdsa-"))
    ssh2->mendable = "this kind of certificate";
  else
    return TRUE;
  return !ssh2->login.may_go;
}

static gboolean
try_agent_keys (FlSsh2 *ssh2, LIBSSH2_AGENT *agent, const FlKeyFile *only, GError **error)
{
  struct libssh2_agent_publickey *identity = NULL;
  for (int n = 0; n < MOST_AGENT && libssh2_agent_get_identity (agent, &identity, identity) == 0;)
    {
      g_autofree char *kind = fl_host_key_kind (identity->blob, identity->blob_len);
      if (only != NULL && only->blob != NULL
          && (only->length != identity->blob_len || memcmp (only->blob, identity->blob, only->length) != 0))
        continue;
      if (!is_usable (ssh2, kind))
        continue;
      int rc;
      n++;
      UNTIL_DONE (ssh2, rc, libssh2_agent_userauth (agent, ssh2->login.user, identity), error);
      if (is_fatal (rc))
        set_lost (ssh2, error);
      if (rc == 0 || is_fatal (rc) || rc == LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED)
        return rc == 0;
    }
  return FALSE;
}

static gboolean
try_agent (FlSsh2 *ssh2, GError **error)
{
  if (g_getenv ("SSH_AUTH_SOCK") == NULL)
    return FALSE;
  const char *path = ssh2->login.config->identity;
  g_autoptr (FlKeyFile) only = path != NULL && path[0] != '\0' ? fl_key_file_new (path) : NULL;
  LIBSSH2_AGENT *agent = libssh2_agent_init (ssh2->session);
  gboolean ok = agent != NULL && libssh2_agent_connect (agent) == 0
                && libssh2_agent_list_identities (agent) == 0 && try_agent_keys (ssh2, agent, only, error);
  if (agent != NULL)
    {
      libssh2_agent_disconnect (agent);
      libssh2_agent_free (agent);
    }
  return ok;
}

/* A passphrase kept from before, or the person's; NULL with an error. */
static char *
passphrase_for (FlSsh2 *ssh2, const FlKeyFile *key, const char *name, gboolean *kept, GError **error)
{
  char *phrase = fl_secrets_get (ssh2->login.secrets, name);
  *kept = phrase != NULL;
  if (phrase != NULL || rather_go (ssh2, error))
    return phrase;
  g_autofree char *base = g_path_get_basename (key->path);
  g_autofree char *title = g_strdup_printf ("Passphrase of the key %s", base);
  char **answers = fl_login_ask (&ssh2->login, ssh2->socket, FL_REMOTE_ASK_PASSPHRASE, title, key->path,
                                 "Passphrase", error);
  if (answers == NULL)
    return NULL;
  phrase = g_strdup (answers[0]);
  fl_answers_free (answers);
  return phrase;
}

static int
prove_key (FlSsh2 *ssh2, const FlKeyFile *key, const char *phrase, GError **error)
{
  g_autofree char *certificate = key->certificate && g_str_has_prefix (key->kind, "ecdsa-")
                                     ? g_strconcat (key->path, "-cert.pub", NULL)
                                     : NULL;
  const char *user = ssh2->login.user;
  int rc;
  UNTIL_DONE (ssh2, rc,
              libssh2_userauth_publickey_fromfile_ex (ssh2->session, user, (unsigned) strlen (user),
                                                      certificate, key->path, phrase),
              error);
  return rc;
}

static gboolean
try_key (FlSsh2 *ssh2, const FlKeyFile *key, GError **error)
{
  g_autofree char *name = g_strconcat ("passphrase ", key->path, NULL);
  if (fl_key_has_other_certificate (key))
    ssh2->mendable = "this kind of certificate";
  if (!is_usable (ssh2, key->kind))
    return FALSE;
  for (int attempt = 0; attempt < MOST_PHRASES; attempt++)
    {
      gboolean kept = FALSE;
      char *phrase = key->encrypted ? passphrase_for (ssh2, key, name, &kept, error) : NULL;
      if (key->encrypted && phrase == NULL)
        return FALSE;
      int rc = prove_key (ssh2, key, phrase, error);
      gboolean unread = rc == LIBSSH2_ERROR_FILE || rc == LIBSSH2_ERROR_KEYFILE_AUTH_FAILED
                        || rc == LIBSSH2_ERROR_PROTO || rc == LIBSSH2_ERROR_METHOD_NONE;
      if (key->encrypted)
        fl_secrets_keep (ssh2->login.secrets, name, unread ? NULL : phrase);
      fl_secret_free (phrase);
      if (is_fatal (rc))
        set_lost (ssh2, error);
      if (!key->encrypted || !unread)
        return rc == 0;
    }
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: the passphrase is wrong", key->path);
  return FALSE;
}

static gboolean
try_keys (FlSsh2 *ssh2, GError **error)
{
  g_autoptr (GPtrArray) keys = fl_key_files (ssh2->login.config->identity);
  const char *identity = ssh2->login.config->identity;
  if (keys->len == 0 && identity != NULL && identity[0] != '\0')
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: no such key", identity);
  for (guint i = 0; i < keys->len; i++)
    if (try_key (ssh2, keys->pdata[i], error))
      return TRUE;
    else if (*error != NULL)
      break;
  return FALSE;
}

/* --- passwords --- */

static char *
kept_password (FlSsh2 *ssh2)
{
  if (ssh2->used_kept)
    return NULL;
  char *password = fl_secrets_get (ssh2->login.secrets, "password");
  ssh2->used_kept = password != NULL;
  return password;
}

static void
remember_typed (FlSsh2 *ssh2, const char *password)
{
  fl_secret_free (ssh2->typed);
  ssh2->typed = g_strdup (password);
  ssh2->answered = TRUE;
}

static gboolean
try_password (FlSsh2 *ssh2, GError **error)
{
  char *password = kept_password (ssh2);
  const char *user = ssh2->login.user;
  int rc;
  if (password == NULL)
    {
      if (rather_go (ssh2, error))
        return FALSE;
      g_autofree char *title = g_strdup_printf ("Password for %s", ssh2->whom);
      char **answers =
          fl_login_ask (&ssh2->login, ssh2->socket, FL_REMOTE_ASK_PASSWORD, title, "", "Password", error);
      if (answers == NULL)
        return FALSE;
      password = g_strdup (answers[0]);
      fl_answers_free (answers);
      remember_typed (ssh2, password);
    }
  UNTIL_DONE (ssh2, rc,
              libssh2_userauth_password_ex (ssh2->session, user, (unsigned) strlen (user), password,
                                            (unsigned) strlen (password), NULL),
              error);
  fl_secret_free (password);
  if (is_fatal (rc))
    set_lost (ssh2, error);
  return rc == 0;
}

/* --- keyboard-interactive --- */

static char **
ask_round (FlSsh2 *ssh2, FlRemoteQuestion *question, GError **error)
{
  gboolean plain =
      question->n_fields == 1 && !question->echo[0] && fl_label_is_password (question->labels[0]);
  char *kept = plain ? kept_password (ssh2) : NULL;
  if (kept != NULL)
    {
      char **answers = g_new0 (char *, 2);
      answers[0] = kept;
      return answers;
    }
  if (rather_go (ssh2, error))
    return NULL;
  question->kind = plain ? FL_REMOTE_ASK_PASSWORD : FL_REMOTE_ASK_CODE;
  question->title = g_strdup_printf (plain ? "Password for %s" : "Sign in as %s", ssh2->whom);
  char **answers = ssh2->login.ask (question, ssh2->socket, ssh2->login.data, error);
  if (answers != NULL && plain)
    remember_typed (ssh2, answers[0]);
  ssh2->answered = TRUE;
  return answers;
}

static LIBSSH2_USERAUTH_KBDINT_RESPONSE_FUNC (respond)
{
  FlSsh2 *ssh2 = *abstract;
  FlRemoteQuestion question = { 0 };
  if (num_prompts <= 0 || ssh2->problem != NULL)
    return;
  if (num_prompts > MOST_FIELDS)
    {
      g_set_error (&ssh2->problem, FL_ERROR, FL_ERROR_INPUT, "%s asks %d things at once", ssh2->whom,
                   num_prompts);
      return;
    }
  question.n_fields = (guint) num_prompts;
  question.labels = g_new0 (char *, num_prompts + 1);
  question.echo = g_new0 (gboolean, num_prompts);
  for (int i = 0; i < num_prompts; i++)
    {
      question.labels[i] =
          fl_harmless (prompts[i].text != NULL ? prompts[i].text : "", prompts[i].length, 100);
      question.echo[i] = prompts[i].echo != 0;
    }
  g_autofree char *heading = fl_harmless (name_len > 0 ? name : "", name_len, 100);
  g_autofree char *words = fl_harmless (instruction_len > 0 ? instruction : "", instruction_len, 400);
  question.text = g_strconcat (heading, heading[0] != '\0' && words[0] != '\0' ? ": " : "", words, NULL);
  char **answers = ask_round (ssh2, &question, &ssh2->problem);
  for (int i = 0; answers != NULL && i < num_prompts; i++)
    {
      responses[i].text = g_strdup (answers[i]);
      responses[i].length = (unsigned) strlen (answers[i]);
    }
  fl_answers_free (answers);
  g_strfreev (question.labels);
  g_free (question.echo);
  g_free (question.title);
  g_free (question.text);
}

static gboolean
try_interactive (FlSsh2 *ssh2, GError **error)
{
  const char *user = ssh2->login.user;
  int rc;
  UNTIL_DONE (
      ssh2, rc,
      libssh2_userauth_keyboard_interactive_ex (ssh2->session, user, (unsigned) strlen (user), respond),
      error);
  if (ssh2->problem != NULL)
    {
      g_clear_error (error);
      g_propagate_error (error, g_steal_pointer (&ssh2->problem));
      return FALSE;
    }
  if (is_fatal (rc))
    set_lost (ssh2, error);
  return rc == 0;
}

/* --- all of it --- */

static gboolean
try_method (FlSsh2 *ssh2, Try method, GError **error)
{
  static gboolean (*const tries[N_TRIES]) (FlSsh2 *, GError **) = { try_agent, try_keys, try_interactive,
                                                                    try_password };
  return tries[method](ssh2, error);
}

/* What the server would accept now; NULL: it wants no more, or with an error. */
static char *
ask_methods (FlSsh2 *ssh2, GError **error)
{
  const char *user = ssh2->login.user;
  char *methods;
  while ((methods = libssh2_userauth_list (ssh2->session, user, (unsigned) strlen (user))) == NULL
         && libssh2_session_last_errno (ssh2->session) == LIBSSH2_ERROR_EAGAIN)
    if (!fl_ssh2_wait (ssh2, g_get_monotonic_time () + STEP_S * G_USEC_PER_SEC, error))
      return NULL;
  if (methods == NULL && !libssh2_userauth_authenticated (ssh2->session))
    set_lost (ssh2, error);
  return g_strdup (methods);
}

static void
set_refused (FlSsh2 *ssh2, const char *methods, GError **error)
{
  g_autofree char *shown = fl_harmless (methods, -1, 100);
  if (ssh2->mendable != NULL)
    g_set_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED, "libssh2 cannot use %s", ssh2->mendable);
  else if (ssh2->answered)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: what was typed is refused", ssh2->whom);
  else
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: refused; the server accepts %s", ssh2->whom, shown);
}

static int
next_try (const char *methods, guint tried)
{
  g_auto (GStrv) allowed = g_strsplit (methods, ",", -1);
  for (int i = 0; i < N_TRIES; i++)
    if (!(tried & 1u << i) && g_strv_contains ((const char *const *) allowed, methods_of[i]))
      return i;
  return -1;
}

gboolean
fl_ssh2_authenticate (FlSsh2 *ssh2, GError **error)
{
  GError *problem = NULL;
  guint tried = 0;
  g_autofree char *methods = ask_methods (ssh2, &problem);
  for (int round = 0; methods != NULL && round < MOST_ROUNDS * N_TRIES; round++)
    {
      int method = next_try (methods, tried);
      if (method < 0)
        break;
      gboolean kept_before = ssh2->used_kept, answered_before = ssh2->answered;
      gboolean ok = try_method (ssh2, (Try) method, &problem);
      if (ok || problem != NULL)
        break;
      g_autofree char *before = g_steal_pointer (&methods);
      methods = ask_methods (ssh2, &problem);
      if (methods != NULL && strcmp (methods, before) != 0) /* one proof taken, another wanted */
        {
          tried = 0;
          continue;
        }
      tried |= 1u << method;
      if (ssh2->used_kept && !kept_before) /* what was kept is right no longer: the person is asked, once */
        {
          fl_secrets_keep (ssh2->login.secrets, "password", NULL);
          tried &= ~(1u << method);
        }
      else if (ssh2->answered && !answered_before) /* never a second guess by itself */
        break;
    }
  gboolean in = problem == NULL && libssh2_userauth_authenticated (ssh2->session);
  if (in && ssh2->typed != NULL)
    fl_secrets_keep (ssh2->login.secrets, "password", ssh2->typed);
  g_clear_pointer (&ssh2->typed, fl_secret_free);
  if (problem != NULL)
    g_propagate_error (error, problem);
  else if (!in)
    set_refused (ssh2, methods != NULL ? methods : "", error);
  return in;
}
