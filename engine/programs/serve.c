/* firstlight-control serve: answers view requests on standard input and output (engine/view/protocol.h). Reads only. */

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/programs/map-view.h"
#include "engine/programs/mask-work.h"
#include "engine/programs/program.h"
#include "engine/programs/programs.h"
#include "engine/programs/served-files.h"
#include "engine/programs/served-sources.h"
#include "engine/programs/try-trial.h"
#include "engine/results/spots.h"
#include "engine/store/feed.h"
#include "engine/view/log-find.h"
#include "engine/view/server.h"

#define MOST_FEED  (32u << 20) /* bytes of a batch of changes, about */
#define MEASURE_MS 250         /* that pictures may wait for a mask */

typedef struct
{
  char **roots;             /* served-files.h */
  FlServedSources *sources; /* the pictures' lane alone */
  FlTrialTrier *trier;
  FlMaskWork *mask;
  FlStore *store; /* the last that was followed; the feeds' lane alone, as `followed` */
  FlSeenFile followed;
} Serve;

static char *
resolve (const Serve *serve, const char *path, GError **error)
{
  return fl_served_path (serve->roots, path, error);
}

/* --- the handlers --- */

static FlViewImage *
serve_image (gpointer data, const FlViewImageRequest *request, GCancellable *cancellable, GError **error)
{
  Serve *serve = data;
  FlServedSource *served =
      fl_served_sources_get_shot (serve->sources, &request->source, request->frame, error);
  if (served == NULL || g_cancellable_set_error_if_cancelled (cancellable, error))
    return NULL;
  FlViewImage *image = fl_picture_draw (fl_served_sources_picture (serve->sources), request);
  image->frames = fl_source_n_frames (fl_served_source_get_source (served));
  image->origin = fl_served_source_origin (served, NULL);
  return image;
}

static FlViewSource *
serve_source (gpointer data, const FlViewSourceRequest *request, GCancellable *cancellable G_GNUC_UNUSED,
              GError **error)
{
  FlServedSource *served = fl_served_sources_get (((Serve *) data)->sources, request, error);
  if (served == NULL)
    return NULL;
  FlSource *opened = fl_served_source_get_source (served);
  const FlDetector *detector = fl_source_detector (opened);
  FlVec3 unshifted = { 0, 0, 0 };
  FlViewSource *source = fl_view_source_new (detector->n_panels);
  source->frames = fl_source_n_frames (opened);
  source->format = g_strdup (fl_source_format (opened));
  source->description = fl_source_describe (opened);
  source->pixel_size = detector->panels[0].pixel_size;
  source->whole = fl_picture_whole (detector, unshifted);
  for (guint i = 0; i < detector->n_panels; i++)
    {
      source->panels[i] = fl_picture_panel (detector, i, unshifted);
      source->panels[i].name = g_strdup (detector->panels[i].name);
    }
  return source;
}

/* Assembled coordinates of a panel coordinate of the loaded shot. */
static void
place (const Serve *serve, FlServedSource *served, guint panel, double fs, double ss, double *x, double *y)
{
  const FlDetector *detector = fl_source_detector (fl_served_source_get_source (served));
  FlViewPanel p = panel < detector->n_panels
                      ? fl_picture_panel (detector, panel, fl_served_sources_shift (serve->sources))
                      : (FlViewPanel){ 0 };
  *x = p.x + p.fs_x * fs + p.ss_x * ss;
  *y = p.y + p.fs_y * fs + p.ss_y * ss;
}

static FlViewSpots *
spots_of (const Serve *serve, FlServedSource *served, const FlSpotRow *rows, guint n)
{
  FlViewSpots *spots = fl_view_spots_new (n);
  for (guint i = 0; i < n; i++)
    {
      const FlSpotRow *r = &rows[i];
      FlViewSpot *s = &spots->spots[i];
      *s = (FlViewSpot){ .panel = r->panel, .fs = r->fs, .ss = r->ss, .intensity = r->intensity, .d = r->d };
      place (serve, served, r->panel, r->fs, r->ss, &s->x, &s->y);
    }
  return spots;
}

static FlViewSpots *
serve_spots (gpointer data, const FlViewSpotsRequest *request, GCancellable *cancellable G_GNUC_UNUSED,
             GError **error)
{
  Serve *serve = data;
  g_autofree char *job_dir = resolve (serve, request->job_dir, error);
  FlServedSource *served =
      job_dir != NULL ? fl_served_sources_get_shot (serve->sources, &request->source, request->frame, error)
                      : NULL;
  if (served == NULL)
    return NULL;
  FlShotRow row = { 0 };
  g_autoptr (GArray) rows =
      fl_results_spots (job_dir, fl_served_sources_shot (serve->sources)->id, &row, error);
  if (rows == NULL)
    return NULL;
  FlViewSpots *spots = spots_of (serve, served, (const FlSpotRow *) (void *) rows->data, rows->len);
  spots->outcome = (FlOutcome) row.outcome;
  spots->resolution = row.resolution;
  spots->message = (char *) row.message;
  spots->origin = fl_served_source_origin (served, job_dir);
  return spots;
}

static FlViewLattices *
lattices_of (const Serve *serve, FlServedSource *served, const FlLatticeRow *rows, guint n,
             const FlReflectionRow *reflections, guint n_reflections)
{
  FlViewLattices *all = fl_view_lattices_new (n, n_reflections);
  for (guint i = 0; i < n; i++)
    {
      const FlLatticeRow *r = &rows[i];
      FlViewLattice *l = &all->lattices[i];
      *l = (FlViewLattice){ .centring = (char) r->centring,
                            .space_group = r->space_group,
                            .n_spots = r->spots,
                            .n_reflections = r->reflections,
                            .confidence = r->confidence,
                            .rmsd = r->rmsd,
                            .domain_size = r->domain_size,
                            .mosaicity = r->mosaicity,
                            .resolution = r->resolution };
      for (guint k = 0; k < 6; k++)
        l->cell[k] = r->cell[k];
    }
  for (guint i = 0; i < n_reflections; i++)
    {
      const FlReflectionRow *r = &reflections[i];
      FlViewReflection *v = &all->reflections[i];
      *v = (FlViewReflection){ .lattice = MIN (r->lattice, n - 1),
                               .h = r->h,
                               .k = r->k,
                               .l = r->l,
                               .panel = r->panel,
                               .fs = r->fs,
                               .ss = r->ss,
                               .intensity = r->intensity,
                               .sigma = r->sigma,
                               .d = r->d,
                               .flags = r->flags };
      place (serve, served, r->panel, r->fs, r->ss, &v->x, &v->y);
    }
  return all;
}

static FlViewLattices *
serve_lattices (gpointer data, const FlViewSpotsRequest *request, GCancellable *cancellable G_GNUC_UNUSED,
                GError **error)
{
  Serve *serve = data;
  g_autofree char *job_dir = resolve (serve, request->job_dir, error);
  FlServedSource *served =
      job_dir != NULL ? fl_served_sources_get_shot (serve->sources, &request->source, request->frame, error)
                      : NULL;
  if (served == NULL)
    return NULL;
  g_autoptr (GArray) lattices =
      fl_results_lattices (job_dir, fl_served_sources_shot (serve->sources)->id, NULL, error);
  g_autoptr (GArray) reflections =
      lattices != NULL
          ? fl_results_reflections (job_dir, fl_served_sources_shot (serve->sources)->id, NULL, error)
          : NULL;
  if (reflections == NULL)
    return NULL;
  FlViewLattices *all = lattices_of (serve, served, (const FlLatticeRow *) (void *) lattices->data,
                                     lattices->len, (const FlReflectionRow *) (void *) reflections->data,
                                     lattices->len > 0 ? reflections->len : 0);
  all->origin = fl_served_source_origin (served, job_dir);
  return all;
}

static FlViewTried *
serve_try (gpointer data, const FlViewTryRequest *request, GCancellable *cancellable G_GNUC_UNUSED,
           GError **error)
{
  Serve *serve = data;
  FlFound found;
  FlLattices lattices;
  guint64 start = fl_tick_ns ();
  FlServedSource *served =
      fl_served_sources_get_shot (serve->sources, &request->source, request->frame, error);
  if (served == NULL
      || !fl_trial_try (serve->trier, request->params, fl_served_sources_shot (serve->sources),
                        fl_source_detector (fl_served_source_get_source (served)), &found, &lattices, error))
    return NULL;
  FlViewTried *tried = fl_view_tried_new ();
  tried->spots = spots_of (serve, served, found.spots, found.n_spots);
  tried->spots->outcome = lattices.n_lattices > 0 ? FL_OUTCOME_INDEXED
                          : found.hit             ? FL_OUTCOME_HIT
                                                  : FL_OUTCOME_MISS;
  tried->spots->resolution = (double) found.resolution;
  tried->lattices = lattices_of (serve, served, lattices.lattices, lattices.n_lattices, lattices.reflections,
                                 lattices.n_reflections);
  tried->milliseconds = (guint32) ((fl_tick_ns () - start) / 1000000);
  return tried;
}

static FlSource *
open_for_mask (gpointer data, const FlViewSourceRequest *request, gboolean list_only, GError **error)
{
  const Serve *serve = data;
  return fl_served_open (serve->roots, request, list_only, error);
}

static FlViewMask *
serve_mask (gpointer data, const FlViewMaskRequest *request, GCancellable *cancellable G_GNUC_UNUSED,
            GError **error)
{
  Serve *serve = data;
  const char *asked = request->source.mask;
  g_autofree char *mask = *asked != '\0' ? fl_served_dataset (serve->roots, asked, error) : g_strdup ("");
  if (mask == NULL)
    return NULL;
  return fl_mask_work_ask (serve->mask, request, mask, fl_served_sources_shift (serve->sources), MEASURE_MS,
                           error);
}

/* A plain file, whatever is asked for in its place; −1 with error. */
static int
open_log (const Serve *serve, const char *name, char **path, gint64 *size, GError **error)
{
  struct stat about;
  *path = resolve (serve, name, error);
  if (*path == NULL)
    return -1;
  int fd = open (*path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd >= 0 && fstat (fd, &about) == 0 && S_ISREG (about.st_mode))
    {
      *size = about.st_size;
      return fd;
    }
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: %s", *path,
               fd < 0 ? g_strerror (errno) : "is not a plain file");
  if (fd >= 0)
    close (fd);
  return -1;
}

static FlViewLog *
serve_log (gpointer data, const FlViewLogRequest *request, GCancellable *cancellable G_GNUC_UNUSED,
           GError **error)
{
  g_autofree char *path = NULL;
  gint64 size;
  int fd = open_log (data, request->path, &path, &size, error);
  if (fd < 0)
    return NULL;
  gint64 offset = request->offset < 0 ? MAX (size + request->offset, 0) : MIN (request->offset, size);
  gsize length = (gsize) MIN (MIN (request->length, FL_VIEW_MAX_LOG), size - offset);
  g_autofree char *bytes = g_malloc (length + 1);
  gssize got = pread (fd, bytes, length, offset);
  int why = errno;
  close (fd);
  if (got < 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: cannot be read: %s", path, g_strerror (why));
      return NULL;
    }
  FlViewLog *log = fl_view_log_new ();
  log->offset = (guint64) offset;
  log->size = (guint64) size;
  log->bytes = g_bytes_new_take (g_steal_pointer (&bytes), (gsize) got);
  return log;
}

static FlViewFound *
serve_find (gpointer data, const FlViewFindRequest *request, GCancellable *cancellable, GError **error)
{
  g_autofree char *path = NULL;
  gint64 size;
  int fd = open_log (data, request->path, &path, &size, error);
  if (fd < 0)
    return NULL;
  FlViewFound *found = fl_log_find (fd, (guint64) size, request, cancellable, error);
  close (fd);
  if (found == NULL)
    fl_error_prefix_path (error, path);
  return found;
}

static FlViewInflight *
serve_inflight (gpointer data, const char *dir, GCancellable *cancellable G_GNUC_UNUSED, GError **error)
{
  g_autofree char *path = resolve (data, dir, error);
  if (path == NULL)
    return NULL;
  g_autoptr (GArray) entries = fl_inflight_read (path);
  FlViewInflight *inflight = fl_view_inflight_new (entries->len);
  if (entries->len > 0)
    memcpy (inflight->entries, entries->data, entries->len * sizeof (FlInflightEntry));
  return inflight;
}

/* What says where the records of a folder are, or holds them. */
static char *
file_of_store (const char *path)
{
  if (!g_file_test (path, G_FILE_TEST_IS_DIR))
    return g_strdup (path);
  char *ini = g_build_filename (path, FL_DATABASE_FILE, NULL);
  if (g_file_test (ini, G_FILE_TEST_EXISTS))
    return ini;
  g_free (ini);
  return g_build_filename (path, FL_STORE_FILE, NULL);
}

/* The store, opened anew when another file is there than the last time. Owned by `serve`. */
static FlStore *
get_store (Serve *serve, const char *where, GError **error)
{
  g_autofree char *path = resolve (serve, where, error);
  if (path == NULL)
    return NULL;
  g_autofree char *file = file_of_store (path);
  FlSeenFile now = { .path = file };
  if (serve->store != NULL && strcmp (serve->followed.path, file) == 0 && fl_seen_file_look (&now)
      && now.inode == serve->followed.inode)
    return serve->store;
  g_clear_pointer (&serve->store, fl_store_close);
  g_clear_pointer (&serve->followed.path, g_free);
  serve->store = fl_store_open (path, FL_STORE_READ_ONLY, error);
  serve->followed.path = g_steal_pointer (&file);
  fl_seen_file_look (&serve->followed);
  return serve->store;
}

static GBytes *
serve_feed (gpointer data, const FlViewFeedRequest *request, GCancellable *cancellable G_GNUC_UNUSED,
            GError **error)
{
  FlStore *store = get_store (data, request->store, error);
  if (store == NULL)
    return NULL;
  return fl_feed_collect (store, request->position, request->position_length, MIN (request->most, MOST_FEED),
                          error);
}

static FlViewMap *
serve_map (gpointer data, const FlViewMapRequest *request, GCancellable *cancellable G_GNUC_UNUSED,
           GError **error)
{
  g_autofree char *path = resolve (data, request->path, error);
  return path != NULL ? fl_map_view (path, request->most, error) : NULL;
}

static FlViewModel *
serve_model (gpointer data, const char *name, GCancellable *cancellable G_GNUC_UNUSED, GError **error)
{
  g_autofree char *path = resolve (data, name, error);
  return path != NULL ? fl_model_view (path, error) : NULL;
}

/* --- the program --- */

int
fl_program_serve (int argc, char **argv)
{
  static const FlViewHandlers handlers = { .image = serve_image,
                                           .spots = serve_spots,
                                           .source = serve_source,
                                           .log = serve_log,
                                           .inflight = serve_inflight,
                                           .find = serve_find,
                                           .feed = serve_feed,
                                           .map = serve_map,
                                           .model = serve_model,
                                           .mask = serve_mask,
                                           .lattices = serve_lattices,
                                           .try_trial = serve_try };
  g_auto (GStrv) roots = NULL;
  GOptionEntry entries[] = { { "root", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &roots,
                               "Serve only what lies below this folder (may be repeated)", "FOLDER" },
                             { NULL } };
  g_autoptr (GError) error = NULL;
  g_autoptr (GOptionContext) context =
      g_option_context_new ("– answer view requests on standard input and output");
  g_option_context_add_main_entries (context, entries, NULL);
  Serve serve = { 0 };
  if (!g_option_context_parse (context, &argc, &argv, &error)
      || (roots != NULL && (serve.roots = fl_served_roots (roots, &error)) == NULL))
    return fl_program_fail ("serve", error);
  if (argc > 1)
    {
      fprintf (stderr, "serve: '%s' is not expected; requests come on standard input\n", argv[1]);
      return 2;
    }
  /* Whatever a library prints must not fall between frames. */
  int out = fcntl (STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  dup2 (STDERR_FILENO, STDOUT_FILENO);
  serve.sources = fl_served_sources_new (serve.roots);
  serve.trier = fl_trial_trier_new ();
  serve.mask = fl_mask_work_new (open_for_mask, &serve, "mask");
  int status = 0;
  if (!fl_view_serve (STDIN_FILENO, out, "firstlight-control " FL_VERSION, &handlers, &serve, &error))
    status = fl_program_fail ("serve", error);
  /* A lane may still be stuck in a library: no clean-up behind its back. */
  fflush (NULL);
  _exit (status);
}
