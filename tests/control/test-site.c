/* The front of a site: answers come on the asker's main context, and nowhere else. */
#include <string.h>

#include "engine/base/error.h"
#include "engine/control/site.h"

static FlSite *
make_site (const char *kind)
{
  FlSite site = { .name = g_strdup ("here"),
                  .kind = g_strdup (kind),
                  .host = g_strdup (""),
                  .user = g_strdup (""),
                  .engine = g_strdup (""),
                  .scratch = g_strdup (""),
                  .launcher = g_strdup (""),
                  .environment = g_strdup (""),
                  .cores = 1 };
  return g_memdup2 (&site, sizeof site);
}

typedef struct
{
  GThread *asker;
  gboolean in_loop;
  guint answers;
} Asked;

static void
answered (GPtrArray *statuses, const GError *error, gpointer data)
{
  Asked *asked = data;
  g_assert_true (g_thread_self () == asked->asker);
  g_assert_true (asked->in_loop);
  g_assert_no_error (error);
  g_assert_cmpuint (statuses->len, ==, 1);
  const FlSiteStatus *status = statuses->pdata[0];
  g_assert_cmpint (status->attempt, ==, 7);
  g_assert_cmpint (status->state, ==, FL_SITE_UNKNOWN);
  asked->answers++;
}

static void
poll_nothing (FlSiteLink *link, Asked *asked)
{
  FlSubmission submission = { .attempt = 7,
                              .folder = (char *) "/nonexistent",
                              .stem = (char *) "attempt-0001",
                              .key = (char *) "",
                              .arguments = (char *) "",
                              .environment = (char *) "",
                              .number = 1 };
  g_autoptr (GPtrArray) list = g_ptr_array_new ();
  g_ptr_array_add (list, &submission);
  fl_site_link_poll (link, list, answered, asked);
}

/* An asker that is busy outside its loop is not disturbed: its data are its thread's. */
static void
test_answers_in_the_loop (void)
{
  g_autoptr (FlSiteLink) link = fl_site_link_new (make_site ("local"), NULL, NULL);
  Asked asked = { .asker = g_thread_self () };
  for (guint i = 0; i < 20; i++)
    poll_nothing (link, &asked);
  g_usleep (200000);
  g_assert_cmpuint (asked.answers, ==, 0);
  asked.in_loop = TRUE;
  while (asked.answers < 20)
    g_main_context_iteration (NULL, TRUE);
}

static void
test_no_answer_after_the_end (void)
{
  FlSiteLink *link = fl_site_link_new (make_site ("local"), NULL, NULL);
  Asked asked = { .asker = g_thread_self () };
  poll_nothing (link, &asked);
  fl_site_link_free (link);
  asked.in_loop = TRUE;
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (asked.answers, ==, 0);
}

static void
test_no_driver (void)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (fl_site_link_new (make_site ("moon"), NULL, &error));
  g_assert_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/control/site/answers-in-the-loop", test_answers_in_the_loop);
  g_test_add_func ("/control/site/no-answer-after-the-end", test_no_answer_after_the_end);
  g_test_add_func ("/control/site/no-driver", test_no_driver);
  return g_test_run ();
}
