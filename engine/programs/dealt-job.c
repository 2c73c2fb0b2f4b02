#include "engine/programs/dealt-job.h"

#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/programs/attempt-options.h"

gboolean
fl_job_all_well (FlParallel *parallel, const char *program, const GError *error, int *status)
{
  guint64 worst = error != NULL ? (guint64) fl_error_exit_status (error) : 0;
  g_autoptr (GPtrArray) messages = fl_parallel_gather (parallel, error != NULL ? error->message : "",
                                                       error != NULL ? strlen (error->message) : 0);
  g_autoptr (GHashTable) said = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  guint64 *all = g_new0 (guint64, fl_parallel_ranks (parallel));
  all[fl_parallel_rank (parallel)] = worst;
  fl_parallel_sum_u64 (parallel, all, fl_parallel_ranks (parallel));
  for (guint i = 0; i < fl_parallel_ranks (parallel); i++)
    worst = MAX (worst, all[i]);
  g_free (all);
  for (guint i = 0; messages != NULL && i < messages->len; i++)
    {
      gsize length;
      const char *text = g_bytes_get_data (messages->pdata[i], &length);
      g_autofree char *message = g_strndup (text, length);
      if (length > 0 && g_hash_table_add (said, g_steal_pointer (&message)))
        fprintf (stderr, "%s: %.*s\n", program, (int) length, text);
    }
  if (worst > 0)
    *status = (int) worst;
  return worst == 0;
}

/* Attempts of a job that has results must not differ in what decides about them. */
static gboolean
params_agree (const char *out, const FlHistory *history, const FlParams *params, GError **error)
{
  g_autofree char *path = g_build_filename (out, "params.txt", NULL);
  g_autoptr (FlParams) before = fl_params_new ();
  guint n;
  const FlParamSpec *specs = fl_param_specs (&n);
  if (g_hash_table_size (history->done) == 0 || !g_file_test (path, G_FILE_TEST_EXISTS))
    return TRUE;
  if (!fl_params_read_file (before, path, error))
    return FALSE;
  for (guint i = 0; i < n; i++)
    {
      const char *was = fl_params_text (before, specs[i].name), *is = fl_params_text (params, specs[i].name);
      if (strcmp (specs[i].stage, "run") == 0 || strcmp (was, is) == 0)
        continue;
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "%s: %s was '%s' in earlier attempts and is now '%s', expected the same in a job (or "
                   "another --out)",
                   path, specs[i].name, was, is);
      return FALSE;
    }
  return TRUE;
}

static gboolean
write_params (FlParallel *parallel, const char *out, const char *attempt_dir, const FlHistory *history,
              const FlParams *params, GError **error)
{
  g_autofree char *path = g_build_filename (out, "params.txt", NULL);
  g_autofree char *own = g_build_filename (attempt_dir, "params.txt", NULL);
  g_autofree char *text = fl_attempt_params_text (parallel, params);
  GError *why = NULL;
  gboolean kept = g_hash_table_size (history->done) > 0 && g_file_test (path, G_FILE_TEST_EXISTS);
  if (g_file_set_contents (own, text, -1, &why) && (kept || g_file_set_contents (path, text, -1, &why)))
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: cannot be written: %s", own, why->message);
  g_error_free (why);
  return FALSE;
}

gboolean
fl_job_params (FlParallel *parallel, const char *out, const char *attempt_dir, const FlHistory *history,
               const FlParams *params, GError **error)
{
  return params_agree (out, history, params, error)
         && write_params (parallel, out, attempt_dir, history, params, error);
}
