/* The site that is this machine. */
#include "engine/control/site.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/control/job-script.h"
#include "engine/control/process.h"

#define TAIL_BYTES 4096
#define STARTING_S 10 /* how long a script may take from making its process file to having written it */
#define WITHDRAWN  "withdrawn" /* in place of a process: nothing was started, and nothing will be */

/* --- the files beside an attempt --- */

static char *
file_of (const FlSubmission *submission, const char *suffix)
{
  g_autofree char *name = g_strconcat (submission->stem, ".", suffix, NULL);
  return g_build_filename (submission->folder, name, NULL);
}

static char *
read_small (const FlSubmission *submission, const char *suffix)
{
  g_autofree char *path = file_of (submission, suffix);
  char *text = NULL;
  return g_file_get_contents (path, &text, NULL, NULL) ? text : NULL;
}

static guint64
modified_ns (const FlSubmission *submission, const char *suffix)
{
  g_autofree char *path = file_of (submission, suffix);
  struct stat about;
  return stat (path, &about) == 0
             ? (guint64) about.st_mtim.tv_sec * FL_NS_PER_S + (guint64) about.st_mtim.tv_nsec
             : 0;
}

static char *
read_tail (const FlSubmission *submission, const char *suffix)
{
  g_autofree char *path = file_of (submission, suffix);
  char bytes[TAIL_BYTES];
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return g_strdup ("");
  off_t size = lseek (fd, 0, SEEK_END);
  ssize_t got = pread (fd, bytes, sizeof bytes, MAX (size - (off_t) sizeof bytes, 0));
  close (fd);
  return g_utf8_make_valid (bytes, MAX (got, 0));
}

/* --- processes --- */

static gboolean
has_child (const GArray *processes, int pid)
{
  for (guint i = 0; i < processes->len; i++)
    if (g_array_index (processes, FlProcess, i).parent == pid)
      return TRUE;
  return FALSE;
}

/* To save and stop is asked of the ranks alone: a launcher that hears of it would kill them before they have saved. */
static void
signal_session (int session, int signal, gboolean leaves_only)
{
  g_autoptr (GArray) processes = fl_process_session (session);
  for (guint i = 0; i < processes->len; i++)
    {
      int pid = g_array_index (processes, FlProcess, i).pid;
      if (!leaves_only || !has_child (processes, pid))
        kill (pid, signal);
    }
}

typedef struct
{
  int pid;
  guint64 start;
  char host[256], boot[64];
} Started;

/* FALSE: the file is not there, or not written yet. */
static gboolean
read_started (const FlSubmission *submission, Started *started)
{
  g_autofree char *text = read_small (submission, "pid");
  return text != NULL
         && sscanf (text, "%d %" G_GUINT64_FORMAT " %255s %63s", &started->pid, &started->start,
                    started->host, started->boot)
                == 4
         && started->pid > 0;
}

/* Whoever makes the process file decides: a script that comes later finds it and does nothing. FALSE: it is there. */
static gboolean
withdraw (const FlSubmission *submission)
{
  g_autofree char *path = file_of (submission, "pid");
  int fd = open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0)
    return FALSE;
  /* Were it left empty, it would count as withdrawn a little later. */
  gboolean ok = write (fd, WITHDRAWN "\n", strlen (WITHDRAWN "\n")) > 0;
  close (fd);
  return ok;
}

static gboolean
is_withdrawn (const FlSubmission *submission)
{
  g_autofree char *text = read_small (submission, "pid");
  return text != NULL && g_str_has_prefix (text, WITHDRAWN);
}

static gboolean
is_this_boot (const Started *started)
{
  g_autofree char *boot = NULL;
  return strcmp (started->host, g_get_host_name ()) == 0
         && g_file_get_contents ("/proc/sys/kernel/random/boot_id", &boot, NULL, NULL)
         && strcmp (g_strstrip (boot), started->boot) == 0;
}

/* Anything of the session lives, its script or what that has left behind. A number that is a session's is not given to
 * another process: if one of that number began at another time, the session is gone. */
static gboolean
session_lives (const Started *started)
{
  FlProcess leader;
  if (!is_this_boot (started) || (fl_process_read (started->pid, &leader) && leader.start != started->start))
    return FALSE;
  g_autoptr (GArray) processes = fl_process_session (started->pid);
  return processes->len > 0;
}

/* --- looking --- */

static void
look_at_exit (const FlSubmission *submission, const char *text, FlSiteStatus *status)
{
  guint64 ended = 0;
  status->state = FL_SITE_ENDED;
  if (sscanf (text, "%d %" G_GUINT64_FORMAT, &status->exit_code, &ended) < 1)
    status->exit_code = -1;
  status->ended = modified_ns (submission, "exit");
}

static FlSiteStatus *
look (const FlSubmission *submission)
{
  FlSiteStatus *status = g_new0 (FlSiteStatus, 1);
  status->attempt = submission->attempt;
  status->exit_code = -1;
  status->batch_state = g_strdup ("");
  status->batch_reason = g_strdup ("");
  status->script = file_of (submission, "sh");
  status->nodes = g_strdup (g_get_host_name ());
  Started started;
  gboolean known = read_started (submission, &started);
  status->started = modified_ns (submission, "pid");
  status->remote_id = known ? g_strdup_printf ("%d", started.pid) : g_strdup ("");
  g_autofree char *exit_text = read_small (submission, "exit");
  gboolean lives = known && session_lives (&started);
  if (lives && exit_text != NULL)
    /* A launcher that was killed leaves its ranks behind: over only when they are gone, too. */
    signal_session (started.pid, SIGKILL, FALSE);
  if (lives)
    status->state = FL_SITE_RUNNING;
  else if (exit_text != NULL)
    look_at_exit (submission, exit_text, status);
  else if (known)
    {
      /* It may have ended between the two looks. */
      g_autofree char *late = read_small (submission, "exit");
      if (late != NULL)
        look_at_exit (submission, late, status);
      else
        status->state = FL_SITE_LOST;
    }
  else if (status->started == 0)
    status->state = FL_SITE_UNKNOWN;
  else if (is_withdrawn (submission))
    status->state = FL_SITE_LOST;
  else
    status->state =
        fl_now_ns () > status->started + STARTING_S * FL_NS_PER_S ? FL_SITE_LOST : FL_SITE_RUNNING;
  if (status->state == FL_SITE_ENDED || status->state == FL_SITE_LOST)
    {
      status->out_tail = read_tail (submission, "out");
      status->err_tail = read_tail (submission, "err");
    }
  return status;
}

/* --- the driver --- */

static gboolean
local_probe (const FlSiteContext *context, FlProbe *probe, GError **error)
{
  (void) error;
  int here = (int) g_get_num_processors (), given = context->site->cores;
  *probe = (FlProbe){
    .cores = given > 0 ? given : here, .idle_nodes = -1, .busy_nodes = -1, .down_nodes = -1, .pending = -1
  };
  probe->summary = g_strdup_printf ("%s: %d of %d cores", g_get_host_name (), probe->cores, here);
  return TRUE;
}

/* How ranks are started is the site's own shell text; a machine without MPI runs one process. */
static char *
launch (const FlSite *site, const FlSubmission *submission)
{
  g_autofree char *mpirun = *site->launcher == '\0' ? g_find_program_in_path ("mpirun") : NULL;
  g_autofree char *program = g_shell_quote (submission->program);
  if (*site->launcher == '\0' && mpirun == NULL)
    return g_strdup_printf ("%s %s", program, submission->arguments);
  g_autoptr (GString) text = g_string_new (*site->launcher != '\0' ? site->launcher : "mpirun -n {ranks}");
  g_autofree char *number = g_strdup_printf ("%d", submission->ranks);
  g_string_replace (text, "{ranks}", number, 0);
  g_string_append_printf (text, " %s %s", program, submission->arguments);
  return g_strdup (text->str);
}

static gboolean
write_script (const FlSite *site, const FlSubmission *submission, char **path, GError **error)
{
  g_autofree char *command = launch (site, submission);
  g_autofree char *folder = g_shell_quote (submission->folder);
  g_autofree char *number = g_strdup_printf ("%d", submission->number);
  g_autofree char *ingest = NULL, *ingested = NULL;
  fl_job_script_ingest (site, submission, &ingest, &ingested);
  const char *const words[][2] = {
    { "{folder}", folder },
    { "{stem}", submission->stem },
    { "{key}", submission->key },
    { "{number}", number },
    { "{environment}", submission->environment },
    { "{command}", command },
    { "{ingest}", ingest },
    { "{ingested}", ingested },
  };
  g_autofree char *text = fl_job_script_fill (fl_job_script_local, words, G_N_ELEMENTS (words));
  *path = file_of (submission, "sh");
  if (g_mkdir_with_parents (submission->folder, 0777) != 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: cannot be made: %s", submission->folder,
                   g_strerror (errno));
      return FALSE;
    }
  return g_file_set_contents (*path, text, -1, error);
}

/* A session of its own, whose parent is init: nothing that happens to us happens to it. */
static gboolean
start_script (const char *script, GError **error)
{
  const char *argv[] = { "setsid", "--fork", "sh", script, NULL };
  int status = 0;
  if (!g_spawn_sync ("/", (char **) argv, NULL,
                     G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL, NULL,
                     NULL, NULL, NULL, &status, error))
    return FALSE;
  return g_spawn_check_wait_status (status, error);
}

/* NULL: too late. */
static FlSiteStatus *
submit_one (const FlSite *site, const FlSubmission *submission, GError **error)
{
  FlSiteStatus *status = look (submission);
  g_autofree char *script = NULL;
  g_autoptr (GError) failed = NULL;
  if (status->state != FL_SITE_UNKNOWN)
    return status;
  status->state = FL_SITE_QUEUED; /* until its process file is seen */
  gboolean written = write_script (site, submission, &script, &failed);
  if (written && !fl_submission_is_in_time (submission, error))
    {
      fl_site_status_free (status);
      return NULL;
    }
  if (!written || !start_script (script, &failed))
    {
      status->state = FL_SITE_ENDED;
      status->cause = FL_CAUSE_REFUSED;
      g_free (status->batch_reason);
      status->batch_reason = g_strdup (failed->message);
    }
  return status;
}

static gboolean
local_submit (const FlSiteContext *context, GPtrArray *submissions, GPtrArray *statuses, GError **error)
{
  for (guint i = 0; i < submissions->len; i++)
    {
      FlSiteStatus *status = submit_one (context->site, submissions->pdata[i], error);
      if (status == NULL)
        return FALSE;
      g_ptr_array_add (statuses, status);
    }
  return TRUE;
}

static gboolean
local_poll (const FlSiteContext *context, GPtrArray *submissions, GPtrArray *statuses, GError **error)
{
  (void) context;
  (void) error;
  for (guint i = 0; i < submissions->len; i++)
    g_ptr_array_add (statuses, look (submissions->pdata[i]));
  return TRUE;
}

static gboolean
local_cancel (const FlSiteContext *context, const FlSubmission *submission, gboolean hard, GError **error)
{
  (void) context;
  (void) error;
  Started started;
  g_autofree char *done = read_small (submission, "exit");
  if (done == NULL && !withdraw (submission) && read_started (submission, &started)
      && session_lives (&started))
    signal_session (started.pid, hard ? SIGKILL : SIGTERM, !hard);
  return TRUE;
}

const FlSiteDriver fl_site_local = {
  .kind = "local",
  .probe = local_probe,
  .submit = local_submit,
  .poll = local_poll,
  .cancel = local_cancel,
};
