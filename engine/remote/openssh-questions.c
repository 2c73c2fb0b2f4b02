/* What the OpenSSH client asks, put to the person as the built-in transport would. */
#include "engine/remote/openssh-private.h"

#include <string.h>

#include "engine/base/error.h"
#include "engine/remote/askpass.h"
#include "engine/remote/harmless.h"

/* The text between the first `before` and the next of `ends`; NULL. Free it. */
static char *
between (const char *text, const char *before, const char *ends)
{
  const char *at = strstr (text, before);
  if (at == NULL)
    return NULL;
  at += strlen (before);
  return fl_harmless (at, (gssize) strcspn (at, ends), 400);
}

/* --- host key --- */

static char *
answer_host_key (FlOpenssh *openssh, int fd, const char *asked, GError **error)
{
  g_autofree char *fingerprint = between (asked, "fingerprint is ", " \n");
  const char *kind_end = strstr (asked, " key fingerprint is ");
  const char *kind = kind_end;
  while (kind != NULL && kind > asked && g_ascii_isalnum (kind[-1]))
    kind--;
  g_autofree char *word = kind != NULL ? fl_harmless (kind, kind_end - kind, 40) : g_strdup ("");
  if (fingerprint != NULL)
    g_strdelimit (fingerprint, ".", '\0');
  FlRemoteQuestion question = { .kind = FL_REMOTE_ASK_HOST_KEY };
  question.title = g_strdup_printf ("Is this really %s?", openssh->login.config->host);
  question.text = g_strdup_printf ("%s %s", word, fingerprint != NULL ? fingerprint : "");
  char **answers = openssh->login.ask (&question, fd, openssh->login.data, error);
  gboolean yes = answers != NULL && g_strcmp0 (answers[0], "yes") == 0;
  if (answers != NULL && !yes)
    g_set_error (error, FL_ERROR, FL_ERROR_STOPPED, "the key of %s was not accepted",
                 openssh->login.config->host);
  fl_answers_free (answers);
  g_free (question.title);
  g_free (question.text);
  return yes ? g_strdup ("yes") : NULL;
}

/* --- secrets --- */

/* A kept secret of that name, once; NULL: none, or it was refused before. */
static char *
use_kept (FlOpenssh *openssh, const char *name)
{
  for (guint i = 0; i < openssh->used->len; i++)
    if (strcmp (openssh->used->pdata[i], name) == 0)
      return NULL;
  char *secret = fl_secrets_get (openssh->login.secrets, name);
  if (secret != NULL)
    g_ptr_array_add (openssh->used, g_strdup (name));
  return secret;
}

/* `name` NULL: of no use a second time. */
static char *
answer_secret (FlOpenssh *openssh, int fd, const char *name, FlRemoteAskKind kind, const char *title,
               const char *text, const char *label, GError **error)
{
  char *kept = name != NULL ? use_kept (openssh, name) : NULL;
  if (kept != NULL)
    return kept;
  char **answers = fl_login_ask (&openssh->login, fd, kind, title, text, label, error);
  if (answers == NULL)
    return NULL;
  openssh->answered = TRUE;
  char *secret = g_strdup (answers[0]);
  if (name != NULL)
    {
      g_ptr_array_add (openssh->typed, g_strdup (name));
      g_ptr_array_add (openssh->typed, g_strdup (secret));
    }
  fl_answers_free (answers);
  return secret;
}

static char *
answer_passphrase (FlOpenssh *openssh, int fd, const char *path, GError **error)
{
  g_autofree char *base = g_path_get_basename (path);
  g_autofree char *name = g_strconcat ("passphrase ", path, NULL);
  g_autofree char *title = g_strdup_printf ("Passphrase of the key %s", base);
  return answer_secret (openssh, fd, name, FL_REMOTE_ASK_PASSPHRASE, title, path, "Passphrase", error);
}

static char *
answer_login (FlOpenssh *openssh, int fd, const char *asked, GError **error)
{
  /* keyboard-interactive: "(ana@host) One-time password: "; else "ana@host's password: " */
  const char *at = asked[0] == '(' ? strstr (asked, ") ") : NULL;
  g_autofree char *label = fl_harmless (at != NULL ? at + 2 : "Password", -1, 100);
  gboolean plain = fl_label_is_password (label);
  g_autofree char *title = g_strdup_printf (plain ? "Password for %s" : "Sign in as %s", openssh->whom);
  return answer_secret (openssh, fd, plain ? "password" : NULL,
                        plain ? FL_REMOTE_ASK_PASSWORD : FL_REMOTE_ASK_CODE, title, "", label, error);
}

gboolean
fl_openssh_answer (FlOpenssh *openssh, GError **error)
{
  g_autofree char *asked = NULL;
  int fd = fl_askpass_accept (openssh->asking, &asked);
  if (fd < 0)
    return TRUE;
  g_autofree char *path = between (asked, "passphrase for key '", "'");
  char *answer;
  if (strstr (asked, "authenticity of host") != NULL)
    answer = answer_host_key (openssh, fd, asked, error);
  else if (path != NULL)
    answer = answer_passphrase (openssh, fd, path, error);
  else
    answer = answer_login (openssh, fd, asked, error);
  if (answer == NULL) /* before the client can take that for an empty password */
    fl_openssh_kill (openssh);
  fl_askpass_answer (fd, answer);
  gboolean ok = answer != NULL;
  fl_secret_free (answer);
  return ok;
}
