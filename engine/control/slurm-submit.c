/* Submitting: what may be there already is looked for; the rest goes, those of equal resources as one array. Scripts are written
 * and handed to sbatch by one command, whatever their number. */
#include <errno.h>
#include <string.h>

#include <glib/gstdio.h>

#include "engine/base/error.h"
#include "engine/control/job-script.h"
#include "engine/control/slurm-private.h"

#define SUBMIT_TIMEOUT 180
#define MOST_AT_ONCE   50  /* sbatches of one command, */
#define MOST_MEMBERS   500 /* and attempts */
#define NOT_WRITTEN    199 /* our own status: sbatch has not been called */

/* Attempts that are submitted by one sbatch. */
typedef struct
{
  GPtrArray *members; /* of Fresh */
  FlSlurmResources resources;
} Group;

/* One that is not there yet. */
typedef struct
{
  FlSubmission *submission;
  guint place; /* among the statuses */
  char *script;
} Fresh;

static void
fresh_free (gpointer data)
{
  Fresh *fresh = data;
  g_free (fresh->script);
  g_free (fresh);
}

static void
group_free (gpointer data)
{
  Group *group = data;
  g_ptr_array_unref (group->members);
  g_free (group);
}

static FlSiteStatus *
refuse (const FlSubmission *submission, const GError *problem)
{
  FlSiteStatus *status = fl_slurm_status_new (submission);
  /* "I/O error" is all that some shells say of it. */
  gboolean full = strstr (problem->message, "No space left") != NULL
                  || strstr (problem->message, "quota exceeded") != NULL
                  || strstr (problem->message, "I/O error") != NULL;
  status->state = FL_SITE_ENDED;
  status->cause = full ? FL_CAUSE_DISK : FL_CAUSE_REFUSED;
  g_free (status->batch_reason);
  status->batch_reason = g_strdup (problem->message);
  return status;
}

/* --- what is there already --- */

/* A script or a mark lies there: it has been submitted, or that has been tried. */
static gboolean
find_traces (const FlSiteContext *context, GPtrArray *submissions, gboolean *traces, GError **error)
{
  guint n = submissions->len;
  FlHostPart *parts = g_new0 (FlHostPart, 2 * n);
  for (guint i = 0; i < n; i++)
    {
      parts[2 * i] = (FlHostPart){ .path = fl_slurm_file (submissions->pdata[i], "sh"), .most = 1 };
      parts[2 * i + 1] = (FlHostPart){ .path = fl_slurm_file (submissions->pdata[i], "pid"), .most = 1 };
    }
  gboolean ok = fl_host_read_parts (context->host, parts, 2 * n, error);
  for (guint i = 0; i < 2 * n; i++)
    {
      traces[i / 2] |= parts[i].bytes != NULL || fl_slurm_known (context, submissions->pdata[i / 2])->tried;
      g_free ((char *) parts[i].path);
      fl_host_part_clear (&parts[i]);
    }
  g_free (parts);
  return ok;
}

static gboolean
look_for_old (const FlSiteContext *context, GPtrArray *submissions, FlSiteStatus **found, GError **error)
{
  g_autofree gboolean *traces = g_new0 (gboolean, submissions->len);
  g_autoptr (GPtrArray) old = g_ptr_array_new (),
                        statuses = g_ptr_array_new_with_free_func ((GDestroyNotify) fl_site_status_free);
  if (!find_traces (context, submissions, traces, error))
    return FALSE;
  for (guint i = 0; i < submissions->len; i++)
    if (traces[i])
      g_ptr_array_add (old, submissions->pdata[i]);
  if (old->len > 0 && !fl_slurm_look (context, old, statuses, error))
    return FALSE;
  for (guint i = 0, k = 0; i < submissions->len; i++)
    if (traces[i])
      {
        found[i] = g_steal_pointer (&statuses->pdata[k++]);
        if (found[i]->state == FL_SITE_UNKNOWN)
          g_clear_pointer (&found[i], fl_site_status_free);
      }
  return TRUE;
}

/* --- scripts --- */

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* The name tells who is in it: the same ones are found again under the same name. */
static char *
array_name (GPtrArray *members)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  for (guint i = 0; i < members->len; i++)
    g_ptr_array_add (names, ((Fresh *) members->pdata[i])->submission->job_name);
  g_ptr_array_sort (names, compare_names);
  for (guint i = 0; i < names->len; i++)
    g_checksum_update (sum, names->pdata[i], (gssize) strlen (names->pdata[i]) + 1);
  return g_strdup_printf ("fl-a%.20s", g_checksum_get_string (sum));
}

/* Nobody reads it before sbatch has been called; a half of it is replaced the next time. No process, there may be thousands. */
static void
add_file (GString *shell, const char *path, const char *text)
{
  g_autofree char *name = g_shell_quote (path), *content = g_shell_quote (text);
  g_string_append_printf (shell, "printf %%s %s > %s && ", content, name);
}

static void
add_member (GString *shell, const Fresh *fresh, const char *array, guint index)
{
  const FlSubmission *submission = fresh->submission;
  g_autofree char *folder = g_shell_quote (submission->folder);
  g_autofree char *script = fl_slurm_file (submission, "sh");
  g_string_append_printf (shell, "{ [ -d %s ] || mkdir -p %s; } && ", folder, folder);
  if (array != NULL)
    {
      g_autofree char *path = fl_slurm_file (submission, "array");
      g_autofree char *text = g_strdup_printf ("%s %u\n", array, index);
      add_file (shell, path, text);
      for (guint i = 0; i < 2; i++)
        {
          const char *suffix = i == 0 ? "out" : "err";
          g_autofree char *printed = fl_slurm_file (submission, suffix);
          g_autofree char *quoted = g_shell_quote (printed);
          g_string_append_printf (shell, "ln -sf %s \"$first\"/%s-%u.%s && ", quoted, array, index, suffix);
        }
    }
  add_file (shell, script, fresh->script);
}

/* One sbatch. It prints its status and what it said, each ended by a NUL. */
static gboolean
add_group (GString *shell, const FlSite *site, const Group *group, GError **error)
{
  const Fresh *first = group->members->pdata[0];
  g_autofree char *folder = g_shell_quote (first->submission->folder);
  g_autofree char *array = group->members->len > 1 ? array_name (group->members) : NULL;
  g_autofree char *name = g_strdup (array != NULL ? array : first->submission->stem);
  g_string_append_printf (shell, "first=%s\nsaid=$(exec 2>&1; mkdir -p \"$first\" && cd \"$first\" && ",
                          folder);
  for (guint i = 0; i < group->members->len; i++)
    add_member (shell, group->members->pdata[i], array, i + 1);
  if (array != NULL)
    {
      g_autoptr (GPtrArray) submissions = g_ptr_array_new ();
      for (guint i = 0; i < group->members->len; i++)
        g_ptr_array_add (submissions, ((Fresh *) group->members->pdata[i])->submission);
      g_autofree char *path = g_strdup_printf ("%s/%s.sh", first->submission->folder, array);
      g_autofree char *script = fl_slurm_array_script (site, submissions, &group->resources, array, error);
      if (script == NULL)
        return FALSE;
      add_file (shell, path, script);
    }
  g_string_append_printf (shell,
                          "true || exit %d\nsbatch --parsable %s.sh < /dev/null)\n"
                          "printf '%%s\\0%%s\\0' $? \"$said\"\n",
                          NOT_WRITTEN, name);
  return TRUE;
}

/* The same script here, for whoever looks while the site is not reachable. */
static void
keep_copy (const Fresh *fresh)
{
  const FlSubmission *submission = fresh->submission;
  if (submission->mirror == NULL || strcmp (submission->mirror, submission->folder) == 0)
    return;
  g_autofree char *path = g_strdup_printf ("%s/%s.sh", submission->mirror, submission->stem);
  g_autoptr (GError) problem = NULL;
  if (g_mkdir_with_parents (submission->mirror, 0777) != 0
      || !g_file_set_contents_full (path, fresh->script, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0666, &problem))
    g_warning ("%s: the job's script cannot be kept: %s", path,
               problem != NULL ? problem->message : g_strerror (errno));
}

/* --- answers --- */

static void
tell_group (const FlSiteContext *context, const Group *group, FlSbatchAnswer answer, const char *id,
            const char *message, FlSiteStatus **found)
{
  for (guint i = 0; i < group->members->len; i++)
    {
      const Fresh *fresh = group->members->pdata[i];
      FlSlurmKnown *known = fl_slurm_known (context, fresh->submission);
      if (answer == FL_SBATCH_REFUSED)
        {
          g_autoptr (GError) problem = g_error_new_literal (FL_ERROR, FL_ERROR_INPUT, message);
          known->tried = FALSE;
          found[fresh->place] = refuse (fresh->submission, problem);
          continue;
        }
      FlSiteStatus *status = found[fresh->place] = fl_slurm_status_new (fresh->submission);
      g_free (known->id);
      known->id = group->members->len > 1 ? g_strdup_printf ("%s_%u", id, i + 1) : g_strdup (id);
      known->read = TRUE;
      known->last = status->state = FL_SITE_QUEUED;
      g_free (status->remote_id);
      status->remote_id = g_strdup (known->id);
    }
}

/* The next of the NUL-ended words; what is cut off is none. */
static char *
next_word (const char **at, const char *end)
{
  const char *stop = *at < end ? memchr (*at, '\0', (gsize) (end - *at)) : NULL;
  char *word = stop != NULL ? g_strndup (*at, (gsize) (stop - *at)) : NULL;
  *at = stop != NULL ? stop + 1 : end;
  return word;
}

static gboolean
take_answers (const FlSiteContext *context, GPtrArray *groups, guint from, guint to, GBytes *out,
              FlSiteStatus **found, GError **error)
{
  gsize length;
  const char *at = g_bytes_get_data (out, &length), *end = at + length;
  gboolean ok = TRUE;
  for (guint i = from; i < to; i++)
    {
      g_autofree char *status_word = next_word (&at, end), *said = next_word (&at, end), *id = NULL,
                      *message = NULL;
      int status = status_word != NULL && said != NULL ? (int) g_ascii_strtoll (status_word, NULL, 10) : 1;
      FlSbatchAnswer answer = fl_slurm_sbatch_answer (status, said != NULL ? said : "", &id, &message);
      if (status == NOT_WRITTEN)
        answer = FL_SBATCH_REFUSED;
      if (answer == FL_SBATCH_BUSY)
        {
          if (ok)
            g_set_error (error, FL_ERROR, FL_ERROR_BUSY, "%s: %s", fl_host_name (context->host), message);
          ok = FALSE;
        }
      else
        tell_group (context, groups->pdata[i], answer, id, message, found);
    }
  return ok;
}

/* --- all of it --- */

static Group *
group_for (GPtrArray *groups, const FlSlurmResources *resources, guint most)
{
  for (guint i = 0; i < groups->len; i++)
    {
      Group *group = groups->pdata[i];
      if (group->members->len < most && memcmp (&group->resources, resources, sizeof *resources) == 0)
        return group;
    }
  Group *group = g_new0 (Group, 1);
  group->members = g_ptr_array_new_with_free_func (fresh_free);
  group->resources = *resources;
  g_ptr_array_add (groups, group);
  return group;
}

static gboolean
make_groups (const FlSiteContext *context, GPtrArray *submissions, GError **problems, FlSiteStatus **found,
             GPtrArray *groups)
{
  FlSlurmData *data = context->data;
  for (guint i = 0; i < submissions->len; i++)
    {
      FlSubmission *submission = submissions->pdata[i];
      FlSlurmResources resources;
      g_autoptr (GError) problem = NULL;
      if (found[i] != NULL)
        continue;
      fl_slurm_resources (context->site, submission, data->cores, &resources);
      g_autofree char *script = problems[i] == NULL ? fl_slurm_script (context->site, submission, &resources,
                                                                       data->launcher, &problem)
                                                    : NULL;
      if (script == NULL)
        {
          found[i] = refuse (submission, problems[i] != NULL ? problems[i] : problem);
          continue;
        }
      const Fresh fresh = { submission, i, g_steal_pointer (&script) };
      keep_copy (&fresh);
      g_ptr_array_add (group_for (groups, &resources, (guint) data->most_in_array)->members,
                       g_memdup2 (&fresh, sizeof fresh));
    }
  return groups->len > 0;
}

static gboolean
send_some (const FlSiteContext *context, GPtrArray *groups, guint from, guint to, FlSiteStatus **found,
           GError **error)
{
  g_autoptr (GString) shell = g_string_new (NULL);
  for (guint i = from; i < to; i++)
    {
      const Group *group = groups->pdata[i];
      if (!add_group (shell, context->site, group, error))
        return FALSE;
      const Fresh *first = group->members->pdata[0];
      if (!fl_submission_is_in_time (first->submission, error))
        return FALSE;
      for (guint k = 0; k < group->members->len; k++)
        fl_slurm_known (context, ((Fresh *) group->members->pdata[k])->submission)->tried = TRUE;
    }
  g_auto (FlHostOutput) output = { 0 };
  return fl_slurm_shell (context->host, shell->str, SUBMIT_TIMEOUT, &output, error)
         && take_answers (context, groups, from, to, output.out, found, error);
}

/* By one command, unless there are so many that it might run out of its time. */
static gboolean
send_groups (const FlSiteContext *context, GPtrArray *groups, FlSiteStatus **found, GError **error)
{
  for (guint from = 0, to; from < groups->len; from = to)
    {
      guint members = 0;
      for (to = from; to < groups->len && to - from < MOST_AT_ONCE && members < MOST_MEMBERS; to++)
        members += ((const Group *) groups->pdata[to])->members->len;
      if (!send_some (context, groups, from, to, found, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
upload_fresh (const FlSiteContext *context, GPtrArray *submissions, FlSiteStatus **found, GError **problems,
              GError **error)
{
  guint n = submissions->len, m = 0;
  g_autoptr (GPtrArray) fresh = g_ptr_array_new ();
  g_autofree GError **theirs = g_new0 (GError *, n);
  for (guint i = 0; i < n; i++)
    if (found[i] == NULL)
      g_ptr_array_add (fresh, submissions->pdata[i]);
  gboolean ok = fl_slurm_upload (context->host, fresh, theirs, error);
  for (guint i = 0; i < n; i++)
    if (found[i] == NULL)
      problems[i] = theirs[m++];
  return ok;
}

gboolean
fl_slurm_submit (const FlSiteContext *context, GPtrArray *submissions, GPtrArray *statuses, GError **error)
{
  guint n = submissions->len;
  g_autofree FlSiteStatus **found = g_new0 (FlSiteStatus *, n);
  g_autofree GError **problems = g_new0 (GError *, n);
  g_autoptr (GPtrArray) groups = g_ptr_array_new_with_free_func (group_free);
  if (n == 0)
    return TRUE;
  gboolean ok = fl_slurm_facts (context, error) && look_for_old (context, submissions, found, error)
                && upload_fresh (context, submissions, found, problems, error);
  if (ok && make_groups (context, submissions, problems, found, groups))
    ok = send_groups (context, groups, found, error);
  for (guint i = 0; i < n; i++)
    {
      g_clear_error (&problems[i]);
      if (ok)
        g_ptr_array_add (statuses, found[i]);
      else
        fl_site_status_free (found[i]);
    }
  return ok;
}
