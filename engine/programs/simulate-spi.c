/* simulate-spi: write shots of single molecules, with the truth about them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/parallel/parallel.h"
#include "engine/programs/program.h"
#include "engine/programs/programs.h"
#include "engine/shots/emc.h"
#include "engine/simulate/cxi-writer.h"
#include "engine/simulate/spi-truth.h"

#define PROGRAM        "simulate-spi"
#define SHOTS_A_ROUND  32 /* of each rank, before rank 0 writes them */
#define PIXELS_A_ROUND 20000000
#define SHOT_RATE      120
#define FIRST_TIME     1700000000 /* s: that of the first shot, so that the same shots give the same bytes */

typedef struct
{
  char *out, *model;
  int shots, first, runs, first_run, per_file;
  double rate, pause;
  gboolean cxi, quiet;
} Arguments;

/* Some shots, and the files that they are for. */
typedef struct
{
  char *emc, *cxi, *truth;
  guint first, n;
} Part;

typedef struct
{
  FlParallel *parallel;
  FlSpiSimulator *simulator;
  const FlDetectorLayout *layout;
  FlEmcWriter *emc; /* these at rank 0 alone */
  FlCxiWriter *cxi;
  FlSpiTruth *truth;
  guint64 next; /* tick when the next shot is due */
} Job;

static gboolean
check (const Arguments *a, int argc, char **argv, GError **error)
{
  const char *wrong = a->out == NULL                  ? "--out DIR is missing"
                      : a->shots < 1                  ? "--shots is out of range, expected 1 or more"
                      : a->runs < 0 || a->runs > 9999 ? "--runs is out of range, expected 1 to 9999"
                      : a->first_run < 1 || a->first_run > 9999
                          ? "--first-run is out of range, expected 1 to 9999"
                      : a->per_file < 1               ? "--shots-per-file is out of range, expected 1 or more"
                      : a->shots / a->per_file > 9999 ? "--shots-per-file is too small for --shots"
                      : !(a->rate >= 0 && a->rate <= 1e6)   ? "--rate is out of range, expected 0 to 1000000"
                      : !(a->pause >= 0 && a->pause <= 1e6) ? "--pause is out of range, expected 0 to 1000000"
                      : a->first < 0 || (gint64) a->first + (gint64) MAX (a->runs, 1) * a->shots > G_MAXINT32
                          ? "--first is out of range, expected 0 or more, and shots to be counted"
                          : NULL;
  if (argc > 1)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "'%s' is not an option, expected none but those of --help",
                 argv[1]);
  else if (wrong != NULL)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s", wrong);
  return argc == 1 && wrong == NULL;
}

/* --- shots on their way to rank 0: FlSpiShot, number of lit pixels, pixel and count of each, and all pixels where
   they are wanted --- */

static void
pack (const Job *job, gboolean with_pixels, const FlSpiShot *shot, GByteArray *bytes)
{
  gsize n = job->layout->detector->n_pixels;
  g_autofree guint32 *lit = g_new (guint32, 2 * n);
  guint32 n_lit = 0;
  for (gsize i = 0; i < n; i++)
    if (shot->photons[i] > 0)
      lit[n_lit++] = (guint32) i;
  for (guint32 i = 0; i < n_lit; i++)
    lit[n_lit + i] = shot->photons[lit[i]];
  g_byte_array_append (bytes, (const guint8 *) shot, sizeof *shot);
  g_byte_array_append (bytes, (const guint8 *) &n_lit, sizeof n_lit);
  g_byte_array_append (bytes, (const guint8 *) lit, 8 * n_lit);
  if (with_pixels)
    g_byte_array_append (bytes, shot->pixels, (guint) (n * fl_pixel_size (job->layout->type)));
}

/* Waits for `when` (a tick) or a signal. */
static void
wait_until (guint64 when)
{
  struct timespec t = { (time_t) (when / FL_NS_PER_S), (long) (when % FL_NS_PER_S) };
  while (clock_nanosleep (CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR && !fl_parallel_stop_asked ())
    continue;
}

/* Waits for the shot's turn and says when it was taken, ns. */
static guint64
shot_time (Job *job, const Arguments *a, guint number)
{
  if (a->rate == 0)
    return FIRST_TIME * FL_NS_PER_S + number * (FL_NS_PER_S / SHOT_RATE);
  guint64 now = fl_tick_ns ();
  if (now < job->next)
    wait_until (job->next);
  /* A machine that cannot keep up falls behind; it does not hurry afterwards. */
  job->next = MAX (job->next, now) + (guint64) (1e9 / a->rate);
  return fl_now_ns ();
}

static gboolean
write_shots (Job *job, const Arguments *a, GBytes *bytes, GError **error)
{
  gsize length, pixels = job->layout->detector->n_pixels * fl_pixel_size (job->layout->type);
  const guint8 *at = g_bytes_get_data (bytes, &length), *end = at + length;
  while (at < end && !fl_parallel_stop_asked ())
    {
      FlSpiShot shot;
      guint32 n_lit;
      memcpy (&shot, at, sizeof shot);
      memcpy (&n_lit, at + sizeof shot, sizeof n_lit);
      at += sizeof shot + sizeof n_lit;
      g_autofree guint32 *lit = g_memdup (at, 8 * n_lit);
      at += 8 * n_lit;
      guint64 time = shot_time (job, a, shot.number);
      if (!fl_emc_writer_append (job->emc, n_lit, lit, lit + n_lit, error)
          || (job->cxi != NULL
              && !fl_cxi_writer_append (job->cxi, at, shot.number, shot.energy, time, error)))
        return FALSE;
      at += job->cxi != NULL ? pixels : 0;
      fl_spi_truth_add (job->truth, &shot);
    }
  return TRUE;
}

/* Shots from … of all ranks, each its part of them in order. */
static gboolean
play_round (Job *job, const Arguments *a, guint from, guint n, GError **error)
{
  guint rank = fl_parallel_rank (job->parallel), ranks = fl_parallel_ranks (job->parallel);
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  for (guint i = n * rank / ranks; i < n * (rank + 1) / ranks; i++)
    {
      FlSpiShot shot;
      fl_spi_simulator_draw (job->simulator, from + i, &shot);
      pack (job, a->cxi, &shot, bytes);
    }
  g_autoptr (GPtrArray) all = fl_parallel_gather (job->parallel, bytes->data, bytes->len);
  gboolean ok = TRUE;
  for (guint r = 0; all != NULL && r < all->len && ok; r++)
    ok = write_shots (job, a, all->pdata[r], error);
  return ok;
}

/* The same at all ranks: nothing was asked of any. */
static gboolean
go_on (const Job *job, GError **error)
{
  guint64 stop = fl_parallel_stop_asked ();
  fl_parallel_sum_u64 (job->parallel, &stop, 1);
  if (stop > 0)
    g_set_error (error, FL_ERROR, FL_ERROR_STOPPED,
                 "asked to stop: unfinished files are not kept; the same command goes on from here");
  return stop == 0;
}

static gboolean
play (Job *job, const Arguments *a, const Part *part, GError **error)
{
  gsize each = a->rate > 0 ? 1 : CLAMP (PIXELS_A_ROUND / job->layout->detector->n_pixels, 1, SHOTS_A_ROUND);
  guint round = (guint) each * fl_parallel_ranks (job->parallel);
  for (guint done = 0; done < part->n; done += round)
    if (!go_on (job, error) || !play_round (job, a, part->first + done, MIN (round, part->n - done), error))
      return FALSE;
  return go_on (job, error);
}

static gboolean
open_files (Job *job, const Arguments *a, const Part *part, GError **error)
{
  job->truth = fl_spi_truth_new ();
  job->emc = fl_emc_writer_new (part->emc, part->n, (guint) job->layout->detector->n_pixels, error);
  if (job->emc != NULL && a->cxi)
    job->cxi = fl_cxi_writer_new (part->cxi, job->layout, FL_COMPRESSION_DEFLATE, error);
  return job->emc != NULL && (!a->cxi || job->cxi != NULL);
}

/* The photons' file comes last: where it is, all are. */
static gboolean
finish_files (Job *job, const Part *part, GError **error)
{
  return fl_spi_truth_write (job->truth, job->simulator, part->truth, error)
         && (job->cxi == NULL || fl_cxi_writer_finish (g_steal_pointer (&job->cxi), error))
         && fl_emc_writer_finish (g_steal_pointer (&job->emc), error);
}

static void
close_files (Job *job)
{
  g_clear_pointer (&job->emc, fl_emc_writer_abandon);
  g_clear_pointer (&job->cxi, fl_cxi_writer_abandon);
  g_clear_pointer (&job->truth, fl_spi_truth_free);
}

static gboolean
make_folder (const char *path, GError **error)
{
  if (g_mkdir_with_parents (path, 0777) == 0)
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: cannot be made, expected a place for a folder", path);
  return FALSE;
}

/* Rank 0, before any shot: what describes the detector. */
static gboolean
write_detector (const Job *job, const Arguments *a, GError **error)
{
  g_autofree char *detector = g_build_filename (a->out, "detector.h5", NULL),
                  *geometry = g_build_filename (a->out, "detector.geom", NULL);
  return make_folder (a->out, error)
         && fl_spi_detector_write (job->layout, fl_spi_simulator_wavelength (job->simulator),
                                   fl_spi_simulator_polarisation (job->simulator), detector, error)
         && fl_detector_layout_write_geometry (job->layout, geometry, error);
}

static gboolean
write_part (Job *job, const Arguments *a, const Part *part, GError **error)
{
  gboolean first = fl_parallel_rank (job->parallel) == 0;
  gboolean ok = (!first || open_files (job, a, part, error)) && play (job, a, part, error)
                && (!first || finish_files (job, part, error));
  close_files (job);
  return ok;
}

static gboolean
write_run_file (Job *job, const Arguments *a, guint run, guint number, guint first, guint n, GError **error)
{
  g_autofree char *stem = g_strdup_printf ("r%04u_c%02u", run, number),
                  *folder = g_strdup_printf ("r%04u", run), *emc = g_strconcat (stem, ".emc", NULL),
                  *cxi = g_strconcat (stem, ".cxi", NULL), *truth = g_strconcat (stem, ".h5", NULL);
  g_autofree char *emc_path = g_build_filename (a->out, folder, emc, NULL),
                  *cxi_path = g_build_filename (a->out, folder, cxi, NULL),
                  *truth_path = g_build_filename (a->out, "truth", truth, NULL);
  const Part part = { emc_path, cxi_path, truth_path, first, n };
  /* Rank 0 looks: there already, whole. */
  if (fl_parallel_share_u64 (job->parallel, g_file_test (emc_path, G_FILE_TEST_EXISTS)))
    return TRUE;
  return write_part (job, a, &part, error);
}

static gboolean
write_run (Job *job, const Arguments *a, guint i, GError **error)
{
  gboolean speak = fl_parallel_rank (job->parallel) == 0;
  guint run = (guint) a->first_run + i, shots = (guint) a->shots, number = 0;
  g_autofree char *name = g_strdup_printf ("r%04u", run);
  g_autofree char *folder = g_build_filename (a->out, name, NULL),
                  *truth = g_build_filename (a->out, "truth", NULL);
  if (speak && (!make_folder (folder, error) || !make_folder (truth, error)))
    return FALSE;
  for (guint done = 0; done < shots; done += (guint) a->per_file)
    if (!write_run_file (job, a, run, number++, (guint) a->first + i * shots + done,
                         MIN ((guint) a->per_file, shots - done), error))
      return FALSE;
  if (speak && !a->quiet)
    printf ("run %u: %u shots\n", run, shots);
  fflush (stdout);
  return TRUE;
}

/* Without runs: one set of files. */
static gboolean
write_all (Job *job, const Arguments *a, GError **error)
{
  g_autofree char *emc = g_build_filename (a->out, "particles.emc", NULL),
                  *cxi = g_build_filename (a->out, "particles.cxi", NULL),
                  *truth = g_build_filename (a->out, "truth.h5", NULL);
  const Part part = { emc, cxi, truth, (guint) a->first, (guint) a->shots };
  if (a->runs == 0)
    return write_part (job, a, &part, error);
  for (guint i = 0; i < (guint) a->runs; i++)
    {
      if (i > 0 && a->pause > 0 && fl_parallel_rank (job->parallel) == 0)
        wait_until (job->next = fl_tick_ns () + (guint64) (1e9 * a->pause));
      if (!go_on (job, error) || !write_run (job, a, i, error))
        return FALSE;
    }
  return TRUE;
}

/* Rank 0 alone writes: where it cannot go on, it ends them all. */
static gboolean
write_beamtime (Job *job, const Arguments *a, GError **error)
{
  gboolean first = fl_parallel_rank (job->parallel) == 0;
  g_autoptr (GError) local = NULL;
  double began = (double) fl_tick_ns ();
  job->next = fl_tick_ns ();
  gboolean ok = (!first || write_detector (job, a, &local)) && write_all (job, a, &local);
  if (!ok && first && fl_parallel_ranks (job->parallel) > 1
      && !g_error_matches (local, FL_ERROR, FL_ERROR_STOPPED))
    fl_parallel_abort (job->parallel, fl_program_fail (PROGRAM, local));
  if (ok && first && !a->quiet)
    printf ("%d shots of %u models in %.1f s, corner %.2f Å, %.3g photons/µm²\n", MAX (a->runs, 1) * a->shots,
            fl_spi_simulator_models (job->simulator), ((double) fl_tick_ns () - began) * 1e-9,
            1 / fl_spi_simulator_corner (job->simulator), fl_spi_simulator_fluence (job->simulator));
  if (!ok)
    g_propagate_error (error, g_steal_pointer (&local));
  return ok;
}

static gboolean
run_job (Job *job, const Arguments *a, const FlProgramOptions *options, GError **error)
{
  g_autoptr (FlParams) params = fl_program_params (options, error);
  if (params == NULL || (a->model != NULL && !fl_params_set (params, "simulate_spi.model", a->model, error)))
    return FALSE;
  g_autoptr (FlSpiSimulator) simulator = fl_spi_simulator_new (params, error);
  guint64 failures = simulator == NULL;
  fl_parallel_sum_u64 (job->parallel, &failures, 1);
  if (simulator != NULL && failures > 0)
    g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                 "another rank cannot read the models, expected them on all nodes");
  if (failures > 0)
    return FALSE;
  job->simulator = simulator;
  job->layout = fl_spi_simulator_layout (simulator);
  return write_beamtime (job, a, error);
}

int
fl_program_simulate_spi (int argc, char **argv)
{
  Arguments a = { .shots = 1000, .first_run = 1, .per_file = 250 };
  const GOptionEntry entries[] = {
    { "out", 'o', 0, G_OPTION_ARG_FILENAME, &a.out, "Folder of the files", "DIR" },
    { "model", 'm', 0, G_OPTION_ARG_STRING, &a.model, "PDB or mmCIF files (simulate_spi.model)", "FILE,…" },
    { "shots", 's', 0, G_OPTION_ARG_INT, &a.shots, "How many shots (1000), with --runs of each run", "N" },
    { "first", 0, 0, G_OPTION_ARG_INT, &a.first, "Number of the first shot (0)", "N" },
    { "runs", 'n', 0, G_OPTION_ARG_INT, &a.runs,
      "Write so many runs, as a beamtime has them: DIR/r0001/r0001_c00.emc …; the same command goes on where "
      "it "
      "stopped",
      "N" },
    { "shots-per-file", 0, 0, G_OPTION_ARG_INT, &a.per_file, "Shots a file of a run (250)", "N" },
    { "first-run", 0, 0, G_OPTION_ARG_INT, &a.first_run, "Number of the first run (1)", "N" },
    { "rate", 'r', 0, G_OPTION_ARG_DOUBLE, &a.rate, "Shots a second; 0: as fast as possible (0)", "HZ" },
    { "pause", 0, 0, G_OPTION_ARG_DOUBLE, &a.pause, "Seconds between runs (0)", "S" },
    { "cxi", 0, 0, G_OPTION_ARG_NONE, &a.cxi, "Write frames as CXI, too", NULL },
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &a.quiet, "Say nothing", NULL },
    { NULL },
  };
  fl_parallel_catch_signals ();
  Job job = { .parallel = fl_parallel_start (&argc, &argv) };
  gboolean first = fl_parallel_rank (job.parallel) == 0;
  g_auto (FlProgramOptions) options = { NULL };
  g_autoptr (GOptionContext) context = g_option_context_new ("– simulate shots of single molecules");
  g_autoptr (GError) error = NULL;
  int status = 0;
  g_option_context_add_main_entries (context, entries, NULL);
  fl_program_add_options (context, &options);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    status = 2;
  else if (!check (&a, argc, argv, &error) || !run_job (&job, &a, &options, &error))
    status = fl_error_exit_status (error);
  if (error != NULL && first)
    fprintf (stderr, "%s: %s\n", PROGRAM, error->message);
  g_free (a.out);
  g_free (a.model);
  fl_parallel_finish (job.parallel);
  return status;
}
