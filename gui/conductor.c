#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/conductor.h"

#include "engine/control/process.h"

#include <fcntl.h>
#include <unistd.h>

#define FIRST_PAUSE_S   5
#define LONGEST_PAUSE_S 120

struct FlgConductor
{
  FlgExperiment *experiment;
  gint64 next_try; /* monotonic µs */
  guint pause;     /* s */
  guint timer;
};

char *
flg_control_program (void)
{
  const char *given = g_getenv ("FIRSTLIGHT_CONTROL");
  if (given && *given)
    return g_strdup (given);
  static const char *const places[] = { "firstlight-control", "../engine/programs/firstlight-control" };
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *folder = self ? g_path_get_dirname (self) : NULL;
  for (guint i = 0; folder && i < G_N_ELEMENTS (places); i++)
    {
      g_autofree char *path = g_canonicalize_filename (places[i], folder);
      if (g_file_test (path, G_FILE_TEST_IS_EXECUTABLE))
        return g_steal_pointer (&path);
    }
  return g_strdup (places[0]);
}

/* In the child: a session of its own, so that our terminal's signals do not reach it. */
static void
detach (gpointer data)
{
  setsid ();
}

static void
start (FlgConductor *conductor)
{
  const char *folder = flg_experiment_folder (conductor->experiment);
  g_autofree char *program = flg_control_program ();
  g_autofree char *log = g_build_filename (folder, "conductor.log", NULL);
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_NONE);
  g_subprocess_launcher_set_child_setup (launcher, detach, NULL, NULL);
  g_subprocess_launcher_take_stdin_fd (launcher, open ("/dev/null", O_RDONLY | O_CLOEXEC));
  int fd = open (log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (fd < 0)
    fd = open ("/dev/null", O_WRONLY | O_CLOEXEC);
  g_subprocess_launcher_take_stdout_fd (launcher, fd);
  g_subprocess_launcher_take_stderr_fd (launcher, dup (fd));
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocess) child =
      g_subprocess_launcher_spawn (launcher, &error, program, "conduct", "--store", folder, NULL);
  if (!child)
    g_warning ("%s: %s", program, error->message);
}

static gboolean
watch (gpointer data)
{
  FlgConductor *conductor = data;
  const FlgGlance *glance = flg_experiment_glance (conductor->experiment);
  gint64 now = g_get_monotonic_time ();
  if (glance->conductor && !fl_process_is_gone (glance->conductor))
    conductor->pause = FIRST_PAUSE_S;
  else if (flg_experiment_is_filled (conductor->experiment) && !glance->problem && now >= conductor->next_try
           && glance->role >= FL_ROLE_OPERATOR)
    {
      start (conductor);
      conductor->next_try = now + (gint64) conductor->pause * G_USEC_PER_SEC;
      conductor->pause = MIN (2 * conductor->pause, LONGEST_PAUSE_S);
    }
  return G_SOURCE_CONTINUE;
}

FlgConductor *
flg_conductor_new (FlgExperiment *experiment)
{
  FlgConductor *conductor = g_new0 (FlgConductor, 1);
  conductor->experiment = g_object_ref (experiment);
  conductor->pause = FIRST_PAUSE_S;
  conductor->timer = g_timeout_add_seconds (1, watch, conductor);
  watch (conductor);
  return conductor;
}

void
flg_conductor_free (FlgConductor *conductor)
{
  g_source_remove (conductor->timer);
  g_object_unref (conductor->experiment);
  g_free (conductor);
}
