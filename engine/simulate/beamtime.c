#include "engine/simulate/beamtime.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/shots/nxmx-writer.h"
#include "engine/simulate/cxi-writer.h"
#include "engine/simulate/sfx.h"
#include "engine/simulate/truth.h"

/* Where the clock of a beamtime that is not played in real time starts (2026-01-01 00:00 UTC), and its rate. */
#define EPOCH_NS 1767225600000000000ull
#define EPOCH_HZ 120
#define RUN_NS   (3600ull * FL_NS_PER_S)

typedef struct
{
  const FlBeamtime *plan;
  FlSfxSimulator *simulator;
  FlCompression compression;
  gboolean nxmx;
  guint64 next; /* monotonic ns when the next shot is due */
  guint64 hits, shots;
} FlPlay;

static gboolean
stopped (const FlPlay *play, GError **error)
{
  if (play->plan->stop == NULL || !*play->plan->stop)
    return FALSE;
  g_set_error (error, FL_ERROR, FL_ERROR_STOPPED, "%s: stopped; the same command goes on from here",
               play->plan->out);
  return TRUE;
}

/* Sleeps until `when` or a signal. */
static void
sleep_until (const FlPlay *play, guint64 when)
{
  struct timespec t = { (time_t) (when / FL_NS_PER_S), (long) (when % FL_NS_PER_S) };
  while (clock_nanosleep (CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR
         && !(play->plan->stop != NULL && *play->plan->stop))
    continue;
}

/* Waits for the shot's turn and says when it was taken. */
static guint64
shot_time (FlPlay *play, guint run, guint number)
{
  if (play->plan->rate == 0)
    return EPOCH_NS + run * RUN_NS + (guint64) number * FL_NS_PER_S / EPOCH_HZ;
  guint64 now = fl_tick_ns ();
  if (now < play->next)
    sleep_until (play, play->next);
  /* A machine that cannot keep up falls behind; it does not hurry afterwards. */
  play->next = MAX (play->next, now) + (guint64) (1e9 / play->plan->rate);
  return fl_now_ns ();
}

/* A file of shots in one of the two formats. */
typedef struct
{
  FlCxiWriter *cxi;
  FlNxmxWriter *nxmx;
} FlShotWriter;

static gboolean
open_writer (const FlPlay *play, const char *path, FlCompression compression, FlShotWriter *writer,
             GError **error)
{
  const FlDetectorLayout *layout = fl_sfx_simulator_layout (play->simulator);
  const FlNxmxOptions options = { .compression = compression, .detector = layout->name };
  *writer = (FlShotWriter){ NULL, NULL };
  if (play->nxmx)
    writer->nxmx = fl_nxmx_writer_new (path, layout->detector, layout->type, &options, error);
  else
    writer->cxi = fl_cxi_writer_new (path, layout, compression, error);
  return writer->nxmx != NULL || writer->cxi != NULL;
}

static gboolean
append_shot (const FlPlay *play, const FlShotWriter *writer, const FlSfxShot *from, guint64 time,
             GError **error)
{
  if (writer->cxi != NULL)
    return fl_cxi_writer_append (writer->cxi, from->pixels, from->number, from->energy, time, error);
  const FlDetectorLayout *layout = fl_sfx_simulator_layout (play->simulator);
  const FlShot shot = { .time = time,
                        .energy = from->energy,
                        .type = layout->type,
                        .n_pixels = layout->detector->n_pixels,
                        .pixels = (void *) from->pixels };
  return fl_nxmx_writer_append (writer->nxmx, &shot, error);
}

static gboolean
close_writer (const FlShotWriter *writer, gboolean whole, GError **error)
{
  if (whole)
    return writer->cxi != NULL ? fl_cxi_writer_finish (writer->cxi, error)
                               : fl_nxmx_writer_finish (writer->nxmx, error);
  fl_cxi_writer_abandon (writer->cxi);
  fl_nxmx_writer_abandon (writer->nxmx);
  return FALSE;
}

static gboolean
write_shots (FlPlay *play, const FlShotWriter *writer, FILE *truth, guint run, guint first, guint n,
             GError **error)
{
  for (guint i = 0; i < n; i++)
    {
      FlSfxShot shot;
      fl_sfx_simulator_draw (play->simulator, run, first + i, &shot);
      guint64 time = shot_time (play, run, first + i);
      if (stopped (play, error) || !append_shot (play, writer, &shot, time, error))
        return FALSE;
      fl_truth_write_shot (truth, i, &shot);
      play->hits += shot.n_crystals > 0;
      play->shots++;
    }
  return TRUE;
}

static gboolean
write_file (FlPlay *play, const char *folder, guint run, guint index, guint first, guint n, GError **error)
{
  g_autofree char *path =
      g_strdup_printf ("%s/r%04u_c%02u.%s", folder, run, index, play->nxmx ? "h5" : "cxi");
  g_autofree char *truth_path = g_strdup_printf ("%s/r%04u_c%02u.truth.tsv", folder, run, index);
  if (g_file_test (path, G_FILE_TEST_EXISTS))
    return TRUE;
  gboolean damaged = run == play->plan->damaged_run && index == 0;
  /* Lost blocks show in compressed frames only. */
  FlCompression compression =
      damaged && play->compression == FL_COMPRESSION_NONE ? FL_COMPRESSION_BITSHUFFLE : play->compression;
  FILE *truth = fopen (truth_path, "we");
  if (truth == NULL)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: cannot be written: %s", truth_path,
                   g_strerror (errno));
      return FALSE;
    }
  fl_truth_write_header (truth);
  FlShotWriter writer;
  gboolean ok = open_writer (play, path, compression, &writer, error);
  /* A third of the way into the run's first file, an eighth of its frames. */
  if (ok && damaged)
    fl_cxi_writer_lose (writer.cxi, n / 3, MAX (1, n / 8));
  ok = ok && write_shots (play, &writer, truth, run, first, n, error);
  if (fclose (truth) != 0 && ok)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: cannot be written: %s", truth_path,
                   g_strerror (errno));
      ok = FALSE;
    }
  return close_writer (&writer, ok, error);
}

static gboolean
play_run (FlPlay *play, guint run, GError **error)
{
  const FlBeamtime *plan = play->plan;
  g_autofree char *folder = g_strdup_printf ("%s/r%04u", plan->out, run);
  if (g_mkdir_with_parents (folder, 0777) != 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: cannot be made: %s", folder, g_strerror (errno));
      return FALSE;
    }
  guint64 hits = play->hits, shots = play->shots;
  guint index = 0;
  for (guint first = 0; first < plan->shots; first += plan->shots_per_file)
    if (!write_file (play, folder, run, index++, first, MIN (plan->shots_per_file, plan->shots - first),
                     error))
      return FALSE;
  if (!plan->quiet)
    printf ("run %u: %" G_GUINT64_FORMAT " shots, %" G_GUINT64_FORMAT " hits\n", run, play->shots - shots,
            play->hits - hits);
  fflush (stdout);
  return TRUE;
}

gboolean
fl_beamtime_play (const FlBeamtime *plan, const FlParams *params, GError **error)
{
  g_autoptr (FlSfxSimulator) simulator = fl_sfx_simulator_new (params, error);
  if (simulator == NULL)
    return FALSE;
  FlPlay play = { .plan = plan,
                  .simulator = simulator,
                  .compression = (FlCompression) fl_params_choice (params, "simulate.compression"),
                  .nxmx = fl_params_choice (params, "simulate.format") == 1 };
  if (play.nxmx && plan->damaged_run > 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "a damaged file is CXI, expected simulate.format=cxi with it");
      return FALSE;
    }
  if (g_mkdir_with_parents (plan->out, 0777) != 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: cannot be made: %s", plan->out, g_strerror (errno));
      return FALSE;
    }
  g_autofree char *geometry = g_build_filename (plan->out, "detector.geom", NULL);
  /* NXmx tells its own. */
  if (!play.nxmx && !fl_detector_layout_write_geometry (fl_sfx_simulator_layout (simulator), geometry, error))
    return FALSE;
  play.next = fl_tick_ns ();
  for (guint i = 0; i < plan->n_runs; i++)
    {
      if (i > 0 && plan->pause > 0)
        sleep_until (&play, play.next = fl_tick_ns () + (guint64) (1e9 * plan->pause));
      if (stopped (&play, error) || !play_run (&play, plan->first_run + i, error))
        return FALSE;
    }
  return TRUE;
}
