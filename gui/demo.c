#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/demo.h"

#include <glib/gi18n.h>
#include <glib/gstdio.h>

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "gui/conductor.h"
#include "gui/text.h"

#define MARK       ".demo" /* as ./dev demo has it */
#define RESOURCES  "/io/firstlight/gui/demo/"
#define CRYSTALS   (2ull << 30) /* bytes that it may take */
#define PARTICLES  (100ull << 20)
#define SHOTS_RATE "12"

struct _FlgDemo
{
  GObject parent_instance;
  char *folder, *words;
  gboolean particles;
  FlgDemoState state;
  guint step;
  GCancellable *cancellable;
  GSubprocess *simulator, *conductor;
};

enum
{
  CHANGED,
  N_SIGNALS
};
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlgDemo, flg_demo, G_TYPE_OBJECT)

static void next_step (FlgDemo *self);

char *
flg_demo_folder (gboolean particles)
{
  return g_build_filename (g_get_user_data_dir (), "firstlight",
                           particles ? "demo-particles" : "demo-crystals", NULL);
}

/* --- what it needs --- */

/* Beside firstlight-control, or in the PATH. NULL: nowhere. */
static char *
engine_program (void)
{
  g_autofree char *control = flg_control_program ();
  g_autofree char *folder = g_path_get_dirname (control);
  g_autofree char *beside = g_build_filename (folder, "firstlight-engine", NULL);
  return access (beside, X_OK) == 0 ? g_steal_pointer (&beside)
                                    : g_find_program_in_path ("firstlight-engine");
}

static char *
above_that_is (const char *path)
{
  char *at = g_strdup (path);
  while (access (at, F_OK) != 0 && strcmp (at, "/") != 0)
    {
      char *above = g_path_get_dirname (at);
      g_free (at);
      at = above;
    }
  return at;
}

FlgProof *
flg_demo_prove (gpointer strings, GCancellable *cancellable)
{
  char **s = strings;
  g_autofree char *control = flg_control_program (), *engine = engine_program (),
                  *python = g_find_program_in_path ("python3");
  g_autofree char *there = g_find_program_in_path (control), *near = above_that_is (s[1]),
                  *mark = g_build_filename (s[1], MARK, NULL);
  guint64 needed = *s[0] ? PARTICLES : CRYSTALS;
  struct statvfs about;
  guint64 space = statvfs (near, &about) == 0 ? (guint64) about.f_bavail * about.f_frsize : 0;
  g_autofree char *wants = g_format_size (needed), *has = g_format_size (space);
  gboolean played = access (mark, F_OK) == 0;
  if (!there || !engine)
    return flg_proof_new (
        FLG_VERDICT_BAD,
        _ ("%s is not found: the demo needs the programs beside this one; from a checkout, ./dev demo"),
        there ? "firstlight-engine" : "firstlight-control");
  if (*s[0] && !python)
    return flg_proof_new (FLG_VERDICT_BAD, _ ("python3 is not found, which makes the particle"));
  if (!played && access (s[1], F_OK) == 0)
    return flg_proof_new (FLG_VERDICT_BAD, _ ("%s is there and is no demo's: it is left alone"), s[1]);
  if (access (near, W_OK | X_OK) != 0)
    return flg_proof_new (FLG_VERDICT_BAD, _ ("you may not write into %s"), near);
  if (!played && space < needed)
    return flg_proof_new (FLG_VERDICT_BAD, _ ("needs %s, %s are free"), wants, has);
  return played ? flg_proof_new (FLG_VERDICT_WARNING,
                                 _ ("was played before: that is removed when it starts anew"))
                : flg_proof_new (FLG_VERDICT_GOOD, _ ("all is there; takes up to %s of %s"), wants, has);
}

/* --- its folder --- */

/* Links are not followed: what they lead to is not ours. */
static gboolean
remove_tree (const char *path, int depth)
{
  if (!g_file_test (path, G_FILE_TEST_IS_SYMLINK) && g_file_test (path, G_FILE_TEST_IS_DIR) && depth < 64)
    {
      g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
      const char *name;
      while (dir && (name = g_dir_read_name (dir)))
        {
          g_autofree char *inner = g_build_filename (path, name, NULL);
          remove_tree (inner, depth + 1);
        }
    }
  return g_remove (path) == 0;
}

static gboolean
write_resource (FlgDemo *self, const char *resource, const char *name, const char *without, GError **error)
{
  g_autofree char *from = g_strconcat (RESOURCES, resource, NULL),
                  *to = g_build_filename (self->folder, name, NULL);
  g_autoptr (GBytes) bytes = g_resources_lookup_data (from, 0, error);
  if (!bytes)
    return FALSE;
  g_autoptr (GString) text = g_string_new (NULL);
  g_auto (GStrv) lines = g_strsplit (g_bytes_get_data (bytes, NULL), "\n", -1);
  for (guint i = 0; lines[i]; i++)
    if (!without || !strstr (lines[i], without))
      g_string_append_printf (text, "%s%s", lines[i], lines[i + 1] ? "\n" : "");
  return g_file_set_contents (to, text->str, (gssize) text->len, error);
}

static gboolean
write_text (FlgDemo *self, const char *name, const char *text, GError **error)
{
  g_autofree char *path = g_build_filename (self->folder, name, NULL);
  return g_file_set_contents (path, text, -1, error);
}

/* What ./dev demo begins with. The maps' model is the protein that the beamtime is of, but for its ligand. */
static gboolean
write_files (FlgDemo *self, GError **error)
{
  if (self->particles)
    return write_resource (self, "make-particle.py", "make-particle.py", NULL, error)
           && write_text (self, "knot.params",
                          "[reconstruct]\nresolution = 27\nstarts = 2\nphase_starts = 4\nphase_every = 5\n",
                          error);
  return write_resource (self, "made-protein.pdb", "protein.pdb", NULL, error)
         && write_resource (self, "made-protein.pdb", "model.pdb", " LIG ", error)
         && write_text (self, "jungfrau.params", "[detector]\ngeometry = data/detector.geom\n", error)
         && write_text (self, "lysozyme.params",
                        "[merge]\nspace_group = P43212\nunit_cell = 79.1,79.1,37.9,90,90,90\nd_min = 2.5\n"
                        "[map]\nmodel = model.pdb\n",
                        error);
}

static void
prepare (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  FlgDemo *self = source;
  GError *error = NULL;
  g_autofree char *mark = g_build_filename (self->folder, MARK, NULL),
                  *raw = g_build_filename (self->folder, "data", NULL);
  gboolean ours = access (mark, F_OK) == 0;
  if (access (self->folder, F_OK) == 0 && !ours)
    error = g_error_new (G_IO_ERROR, G_IO_ERROR_EXISTS, _ ("%s is there and is no demo's"), self->folder);
  else if (ours && !remove_tree (self->folder, 0))
    error = g_error_new (G_IO_ERROR, G_IO_ERROR_FAILED, _ ("%s cannot be removed"), self->folder);
  else if (g_mkdir_with_parents (raw, 0777) != 0)
    error = g_error_new (G_IO_ERROR, G_IO_ERROR_FAILED, _ ("%s cannot be made"), raw);
  else if (g_file_set_contents (mark, "", 0, &error) && write_files (self, &error))
    {
      g_task_return_boolean (task, TRUE);
      return;
    }
  g_task_return_error (task, error);
}

/* --- its programs --- */

static void
set_state (FlgDemo *self, FlgDemoState state, const char *words)
{
  g_free (self->words);
  self->words = flg_text_bounded (words, 300);
  g_strdelimit (self->words, "\n\r\t", ' ');
  self->state = state;
  g_signal_emit (self, signals[CHANGED], 0);
}

/* In the child: not our terminal's signals; and it ends when we do, however we end. */
static void
bind_to_us (gpointer data)
{
  setsid ();
  prctl (PR_SET_PDEATHSIG, SIGTERM);
}

/* `log` NULL: what it complains of is read back. */
static GSubprocess *
start (FlgDemo *self, const char *const *argv, const char *log, GError **error)
{
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (
      log ? G_SUBPROCESS_FLAGS_NONE : G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_autofree char *path = log ? g_build_filename (self->folder, log, NULL) : NULL;
  if (path)
    {
      g_subprocess_launcher_set_stdout_file_path (launcher, path);
      g_subprocess_launcher_set_stderr_file_path (launcher, path);
    }
  g_subprocess_launcher_set_child_setup (launcher, bind_to_us, NULL, NULL);
  g_subprocess_launcher_set_cwd (launcher, self->folder);
  return g_subprocess_launcher_spawnv (launcher, argv, error);
}

static void
on_simulated (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (FlgDemo) self = data;
  g_autoptr (GError) error = NULL;
  gboolean well = g_subprocess_wait_check_finish (G_SUBPROCESS (source), result, &error);
  if (g_cancellable_is_cancelled (self->cancellable))
    return;
  g_autofree char *why = well ? NULL : g_strdup_printf (_ ("The simulator has ended: %s"), error->message);
  set_state (self, well ? FLG_DEMO_OVER : FLG_DEMO_FAILED, well ? _ ("All shots have arrived.") : why);
}

static void
play (FlgDemo *self)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *control = flg_control_program (), *engine = engine_program ();
  const char *conduct[] = { control, "conduct", "--store", self->folder, NULL };
  const char *crystals[] = { engine,
                             "simulate-sfx",
                             "--out",
                             "data",
                             "--runs",
                             "4",
                             "--shots",
                             "360",
                             "--shots-per-file",
                             "60",
                             "--damage",
                             "3",
                             "--model",
                             "protein.pdb",
                             "--set",
                             "simulate.compression=bitshuffle",
                             "--set",
                             "simulate.cell_spread=0.001",
                             "--set",
                             "simulate.gain=1",
                             "--set",
                             "simulate.readout_noise=0.3",
                             "--rate",
                             SHOTS_RATE,
                             "--pause",
                             "4",
                             NULL };
  const char *particles[] = { engine,
                              "simulate-spi",
                              "--out",
                              "data",
                              "--runs",
                              "4",
                              "--shots",
                              "500",
                              "--shots-per-file",
                              "100",
                              "--model",
                              "particle.pdb",
                              "--set",
                              "simulate_spi.pixels=81",
                              "--set",
                              "simulate_spi.camera_length=120",
                              "--set",
                              "simulate_spi.fluence=gamma",
                              "--set",
                              "simulate_spi.background=0.005",
                              "--set",
                              "simulate_spi.blank_fraction=0.25",
                              "--set",
                              "simulate_spi.several_fraction=0.05",
                              "--set",
                              "simulate_spi.position_jitter=0.02",
                              "--set",
                              "simulate_spi.droplet_fraction=0.04",
                              "--set",
                              "simulate_spi.droplet_size=120",
                              "--rate",
                              SHOTS_RATE,
                              "--pause",
                              "4",
                              NULL };
  self->simulator = start (self, self->particles ? particles : crystals, "simulator.log", &error);
  self->conductor = self->simulator ? start (self, conduct, "conductor.log", &error) : NULL;
  if (!self->conductor)
    {
      flg_demo_stop (self);
      set_state (self, FLG_DEMO_FAILED, error->message);
      return;
    }
  g_subprocess_wait_check_async (self->simulator, NULL, on_simulated, g_object_ref (self));
  set_state (self, FLG_DEMO_READY, _ ("Shots arrive: four runs in three minutes."));
}

static void
on_step (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (FlgDemo) self = data;
  g_autoptr (GError) error = NULL;
  g_autofree char *complaint = NULL;
  gboolean talked =
      g_subprocess_communicate_utf8_finish (G_SUBPROCESS (source), result, NULL, &complaint, &error);
  if (g_cancellable_is_cancelled (self->cancellable))
    return;
  if (talked && g_subprocess_get_successful (G_SUBPROCESS (source)))
    {
      self->step++;
      next_step (self);
    }
  else
    set_state (self, FLG_DEMO_FAILED,
               complaint && *complaint ? g_strstrip (complaint)
               : error                 ? error->message
                                       : "?");
}

static void
run_step (FlgDemo *self, const char *const *argv, const char *words)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocess) child = start (self, argv, NULL, &error);
  set_state (self, child ? FLG_DEMO_MAKING : FLG_DEMO_FAILED, child ? words : error->message);
  if (child)
    g_subprocess_communicate_utf8_async (child, NULL, self->cancellable, on_step, g_object_ref (self));
}

/* The folder's files are there: particle, experiment, dataset, then it plays. */
static void
next_step (FlgDemo *self)
{
  g_autofree char *control = flg_control_program (), *engine = engine_program (),
                  *cores = g_strdup_printf ("%u", g_get_num_processors ());
  const char *particle[] = { "python3", "make-particle.py", "particle.pdb", NULL };
  const char *crystals[] = { control,     "experiment",
                             "--store",   self->folder,
                             "--watch",   "data",
                             "--quiet",   "1",
                             "--block",   "jungfrau.params",
                             "--trial",   "lysozyme.params",
                             "--tag-new", "lysozyme",
                             "--tag",     "good",
                             "--tag",     "dark",
                             "--cores",   cores,
                             "--ranks",   cores,
                             "--engine",  engine,
                             NULL };
  const char *knots[] = { control,   "experiment",  "--store",   self->folder, "--science",
                          "spi",     "--watch",     "data",      "--quiet",    "1",
                          "--trial", "knot.params", "--tag-new", "knot",       "--tag",
                          "good",    "--tag",       "dark",      "--cores",    cores,
                          "--ranks", cores,         "--engine",  engine,       NULL };
  const char *merged[] = { control,
                           "dataset",
                           "--store",
                           self->folder,
                           "--name",
                           "lysozyme",
                           "--expression",
                           "lysozyme and not dark",
                           "--trial",
                           "1",
                           "--task",
                           "stills",
                           "--task",
                           "merge:merge:stills",
                           "--task",
                           "map:map:merge",
                           "--min-interval",
                           "10",
                           "--min-lattices",
                           "20",
                           "--goal",
                           "d_min=2.5 completeness=0.9 cc_half=0.9 multiplicity=8",
                           NULL };
  const char *reconstructed[] = {
    control,          "dataset",      "--store",           self->folder, "--name",
    "particles",      "--expression", "knot and not dark", "--trial",    "1",
    "--min-interval", "40",           "--min-lattices",    "300",        NULL
  };
  if (self->step == 0 && !self->particles)
    self->step = 1;
  if (self->step == 0)
    run_step (self, particle, _ ("Making a particle"));
  else if (self->step == 1)
    run_step (self, self->particles ? knots : crystals, _ ("Making the experiment"));
  else if (self->step == 2)
    run_step (self, self->particles ? reconstructed : merged, _ ("Making a dataset"));
  else
    play (self);
}

static void
on_prepared (GObject *source, GAsyncResult *result, gpointer data)
{
  FlgDemo *self = FLG_DEMO (source);
  g_autoptr (GError) error = NULL;
  if (!g_task_propagate_boolean (G_TASK (result), &error))
    set_state (self, FLG_DEMO_FAILED, error->message);
  else if (!g_cancellable_is_cancelled (self->cancellable))
    next_step (self);
}

/* --- for others --- */

FlgDemo *
flg_demo_new (const char *folder, gboolean particles)
{
  FlgDemo *self = g_object_new (FLG_TYPE_DEMO, NULL);
  self->folder = g_strdup (folder);
  self->particles = particles;
  set_state (self, FLG_DEMO_MAKING, _ ("Making its folder"));
  g_autoptr (GTask) task = g_task_new (self, NULL, on_prepared, NULL);
  g_task_set_source_tag (task, flg_demo_new);
  g_task_run_in_thread (task, prepare);
  return self;
}

void
flg_demo_stop (FlgDemo *self)
{
  GSubprocess *const children[] = { self->simulator, self->conductor };
  if (g_cancellable_is_cancelled (self->cancellable))
    return;
  g_cancellable_cancel (self->cancellable);
  for (guint i = 0; i < G_N_ELEMENTS (children); i++)
    if (children[i])
      g_subprocess_send_signal (children[i], SIGTERM);
  if (self->state != FLG_DEMO_FAILED)
    set_state (self, FLG_DEMO_STOPPED,
               _ ("Stopped: no more shots, no more jobs. What came can be looked at."));
}

FlgDemoState
flg_demo_state (FlgDemo *self)
{
  return self->state;
}

const char *
flg_demo_words (FlgDemo *self)
{
  return self->words;
}

double
flg_demo_part (FlgDemo *self)
{
  return self->state == FLG_DEMO_MAKING ? (1 + self->step) / 4.0 : 1;
}

const char *
flg_demo_folder_of (FlgDemo *self)
{
  return self->folder;
}

static void
flg_demo_dispose (GObject *object)
{
  FlgDemo *self = FLG_DEMO (object);
  flg_demo_stop (self);
  g_clear_object (&self->simulator);
  g_clear_object (&self->conductor);
  G_OBJECT_CLASS (flg_demo_parent_class)->dispose (object);
}

static void
flg_demo_finalize (GObject *object)
{
  FlgDemo *self = FLG_DEMO (object);
  g_object_unref (self->cancellable);
  g_free (self->folder);
  g_free (self->words);
  G_OBJECT_CLASS (flg_demo_parent_class)->finalize (object);
}

static void
flg_demo_class_init (FlgDemoClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = flg_demo_dispose;
  G_OBJECT_CLASS (klass)->finalize = flg_demo_finalize;
  signals[CHANGED] = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                   NULL, G_TYPE_NONE, 0);
}

static void
flg_demo_init (FlgDemo *self)
{
  self->cancellable = g_cancellable_new ();
}
