/* simulate-spi: write shots of single molecules, with the truth about them. */
#include <stdio.h>
#include <string.h>

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
  int shots, first;
  gboolean cxi, quiet;
} Arguments;

typedef struct
{
  FlParallel *parallel;
  FlSpiSimulator *simulator;
  const FlDetectorLayout *layout;
  FlEmcWriter *emc; /* these at rank 0 alone */
  FlCxiWriter *cxi;
  FlSpiTruth *truth;
} Job;

static gboolean
check (const Arguments *a, int argc, char **argv, GError **error)
{
  const char *wrong = a->out == NULL ? "--out DIR is missing"
                      : a->shots < 1 ? "--shots is out of range, expected 1 or more"
                      : a->first < 0 || a->first > G_MAXINT32 - a->shots
                          ? "--first is out of range, expected 0 or more"
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

static gboolean
write_shots (const Job *job, GBytes *bytes, GError **error)
{
  gsize length, pixels = job->layout->detector->n_pixels * fl_pixel_size (job->layout->type);
  const guint8 *at = g_bytes_get_data (bytes, &length), *end = at + length;
  while (at < end)
    {
      FlSpiShot shot;
      guint32 n_lit;
      memcpy (&shot, at, sizeof shot);
      memcpy (&n_lit, at + sizeof shot, sizeof n_lit);
      at += sizeof shot + sizeof n_lit;
      g_autofree guint32 *lit = g_memdup (at, 8 * n_lit);
      at += 8 * n_lit;
      guint64 time = FIRST_TIME * FL_NS_PER_S + shot.number * (FL_NS_PER_S / SHOT_RATE);
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
play_round (const Job *job, gboolean with_pixels, guint from, guint n, GError **error)
{
  guint rank = fl_parallel_rank (job->parallel), ranks = fl_parallel_ranks (job->parallel);
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  for (guint i = n * rank / ranks; i < n * (rank + 1) / ranks; i++)
    {
      FlSpiShot shot;
      fl_spi_simulator_draw (job->simulator, from + i, &shot);
      pack (job, with_pixels, &shot, bytes);
    }
  g_autoptr (GPtrArray) all = fl_parallel_gather (job->parallel, bytes->data, bytes->len);
  gboolean ok = TRUE;
  for (guint r = 0; all != NULL && r < all->len && ok; r++)
    ok = write_shots (job, all->pdata[r], error);
  return ok;
}

static gboolean
play (const Job *job, const Arguments *a, GError **error)
{
  gsize each = CLAMP (PIXELS_A_ROUND / job->layout->detector->n_pixels, 1, SHOTS_A_ROUND);
  guint round = (guint) each * fl_parallel_ranks (job->parallel), n = (guint) a->shots;
  for (guint done = 0; done < n; done += round)
    {
      guint64 stop = fl_parallel_stop_asked ();
      fl_parallel_sum_u64 (job->parallel, &stop, 1);
      if (stop > 0)
        {
          g_set_error (error, FL_ERROR, FL_ERROR_STOPPED,
                       "asked to stop after %u of %u shots: nothing is kept", done, n);
          return FALSE;
        }
      if (!play_round (job, a->cxi, (guint) a->first + done, MIN (round, n - done), error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
open_files (Job *job, const Arguments *a, GError **error)
{
  g_autofree char *emc = g_build_filename (a->out, "particles.emc", NULL),
                  *cxi = g_build_filename (a->out, "particles.cxi", NULL);
  if (g_mkdir_with_parents (a->out, 0777) != 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: cannot be made, expected a place for a folder",
                   a->out);
      return FALSE;
    }
  job->truth = fl_spi_truth_new ();
  job->emc = fl_emc_writer_new (emc, (guint) a->shots, (guint) job->layout->detector->n_pixels, error);
  if (job->emc != NULL && a->cxi)
    job->cxi = fl_cxi_writer_new (cxi, job->layout, FL_COMPRESSION_DEFLATE, error);
  return job->emc != NULL && (!a->cxi || job->cxi != NULL);
}

static gboolean
finish_files (Job *job, const Arguments *a, GError **error)
{
  g_autofree char *truth = g_build_filename (a->out, "truth.h5", NULL),
                  *detector = g_build_filename (a->out, "detector.h5", NULL),
                  *geometry = g_build_filename (a->out, "detector.geom", NULL);
  FlSpiSimulator *s = job->simulator;
  return fl_spi_truth_write (job->truth, s, truth, error)
         && fl_spi_detector_write (job->layout, fl_spi_simulator_wavelength (s),
                                   fl_spi_simulator_polarisation (s), detector, error)
         && fl_detector_layout_write_geometry (job->layout, geometry, error)
         && (job->cxi == NULL || fl_cxi_writer_finish (g_steal_pointer (&job->cxi), error))
         && fl_emc_writer_finish (g_steal_pointer (&job->emc), error);
}

static void
close_files (Job *job)
{
  fl_emc_writer_abandon (job->emc);
  fl_cxi_writer_abandon (job->cxi);
  fl_spi_truth_free (job->truth);
}

/* Rank 0 alone writes: where it cannot go on, it ends them all. */
static gboolean
write_beamtime (Job *job, const Arguments *a, GError **error)
{
  gboolean first = fl_parallel_rank (job->parallel) == 0;
  g_autoptr (GError) local = NULL;
  double began = (double) fl_tick_ns ();
  gboolean ok = (!first || open_files (job, a, &local)) && play (job, a, &local)
                && (!first || finish_files (job, a, &local));
  close_files (job);
  if (!ok && first && fl_parallel_ranks (job->parallel) > 1
      && !g_error_matches (local, FL_ERROR, FL_ERROR_STOPPED))
    fl_parallel_abort (job->parallel, fl_program_fail (PROGRAM, local));
  if (ok && first && !a->quiet)
    printf ("%d shots of %u models in %.1f s, corner %.2f Å, %.3g photons/µm²\n", a->shots,
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
  Arguments a = { .shots = 1000 };
  const GOptionEntry entries[] = {
    { "out", 'o', 0, G_OPTION_ARG_FILENAME, &a.out, "Folder of the files", "DIR" },
    { "model", 'm', 0, G_OPTION_ARG_STRING, &a.model, "PDB or mmCIF files (simulate_spi.model)", "FILE,…" },
    { "shots", 's', 0, G_OPTION_ARG_INT, &a.shots, "How many shots (1000)", "N" },
    { "first", 0, 0, G_OPTION_ARG_INT, &a.first, "Number of the first shot (0)", "N" },
    { "cxi", 0, 0, G_OPTION_ARG_NONE, &a.cxi, "Write frames as CXI, too", NULL },
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &a.quiet, "Say nothing", NULL },
    { NULL },
  };
  Job job = { .parallel = fl_parallel_start (&argc, &argv) };
  gboolean first = fl_parallel_rank (job.parallel) == 0;
  g_auto (FlProgramOptions) options = { NULL };
  g_autoptr (GOptionContext) context = g_option_context_new ("– simulate shots of single molecules");
  g_autoptr (GError) error = NULL;
  int status = 0;
  g_option_context_add_main_entries (context, entries, NULL);
  fl_program_add_options (context, &options);
  fl_parallel_catch_signals ();
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
