/* Questions to the person and their answers. */
#include <string.h>

#include "engine/remote/transport.h"

FlRemoteQuestion *
fl_remote_question_copy (const FlRemoteQuestion *question)
{
  FlRemoteQuestion *copy = g_memdup2 (question, sizeof *question);
  copy->title = g_strdup (question->title != NULL ? question->title : "");
  copy->text = g_strdup (question->text != NULL ? question->text : "");
  copy->labels = g_new0 (char *, question->n_fields + 1);
  copy->echo = g_new0 (gboolean, question->n_fields + 1);
  for (guint i = 0; i < question->n_fields; i++)
    {
      copy->labels[i] = g_strdup (question->labels[i]);
      copy->echo[i] = question->echo[i];
    }
  return copy;
}

void
fl_remote_question_free (FlRemoteQuestion *question)
{
  if (question == NULL)
    return;
  g_free (question->title);
  g_free (question->text);
  g_strfreev (question->labels);
  g_free (question->echo);
  g_free (question);
}

void
fl_answers_free (char **answers)
{
  for (guint i = 0; answers != NULL && answers[i] != NULL; i++)
    explicit_bzero (answers[i], strlen (answers[i]));
  g_strfreev (answers);
}

char **
fl_login_ask (const FlLogin *login, int watch, FlRemoteAskKind kind, const char *title, const char *text,
              const char *label, GError **error)
{
  char *labels[] = { (char *) label, NULL };
  gboolean echo[] = { FALSE };
  FlRemoteQuestion question = { .kind = kind,
                                .title = (char *) title,
                                .text = (char *) text,
                                .n_fields = 1,
                                .labels = labels,
                                .echo = echo };
  return login->ask (&question, watch, login->data, error);
}

gboolean
fl_label_is_password (const char *label)
{
  static const char *const others[] = { "one-time", "one time", "otp", "new ", "code", "token", "again" };
  g_autofree char *lower = g_utf8_strdown (label, -1);
  gboolean password = strstr (lower, "password") != NULL;
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    password = password && strstr (lower, others[i]) == NULL;
  return password;
}
