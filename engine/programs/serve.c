/* firstlight-control serve: answers view requests on standard input and output (engine/view/protocol.h). Reads only. */

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/programs/map-view.h"
#include "engine/programs/mask-work.h"
#include "engine/programs/picture.h"
#include "engine/programs/program.h"
#include "engine/programs/programs.h"
#include "engine/programs/try-trial.h"
#include "engine/results/spots.h"
#include "engine/shots/calibration.h"
#include "engine/shots/source.h"
#include "engine/store/feed.h"
#include "engine/view/log-find.h"
#include "engine/view/server.h"

#define MAX_SOURCES 4
#define QUIET_S     60          /* a file that has not changed for so long is thought to be whole */
#define MOST_FEED   (32u << 20) /* bytes of a batch of changes, about */
#define MEASURE_MS  250         /* that pictures may wait for a mask */

/* A file as it was when it was opened. */
typedef struct
{
  char *path;
  struct timespec changed;
  off_t size;
  ino_t inode;
} Seen;

typedef struct
{
  char *asked;  /* path, geometry, mask and calibration as asked for */
  Seen seen[4]; /* these; the last is the constants' */
  FlSource *source;
} Entry;

typedef struct
{
  char **roots;   /* resolved; NULL: everything that the user may read */
  GQueue entries; /* of Entry, last used first; the pictures' lane alone */
  Entry *loaded;  /* whose shot is in `picture`; NULL = none */
  guint32 frame;
  FlShot shot;
  FlPicture *picture;
  FlTrialTrier *trier;
  FlMaskWork *mask;
  FlStore *store; /* the last that was followed; the feeds' lane alone, as `followed` */
  Seen followed;
} Serve;

/* --- which files --- */

/* The path without symbolic links, checked against the roots. */
static char *
resolve (const Serve *serve, const char *path, GError **error)
{
  g_autofree char *real = NULL;
  char *found = realpath (path, NULL);
  if (found == NULL)
    {
      g_set_error (error, FL_ERROR, errno == ENOENT || errno == ENOTDIR ? FL_ERROR_MISSING : FL_ERROR_INPUT,
                   "%s: %s", path, g_strerror (errno));
      return NULL;
    }
  real = g_strdup (found);
  free (found);
  if (serve->roots == NULL)
    return g_steal_pointer (&real);
  for (char **root = serve->roots; *root != NULL; root++)
    {
      gsize n = strlen (*root);
      if (strncmp (real, *root, n) == 0 && (real[n] == '\0' || real[n] == '/' || n == 1))
        return g_steal_pointer (&real);
    }
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: is outside the folders that are served", path);
  return NULL;
}

/* FILE or FILE:/dataset; *rest is ":/dataset" or "". */
static char *
resolve_with_dataset (const Serve *serve, const char *text, const char **rest, GError **error)
{
  const char *colon = strstr (text, ":/");
  g_autofree char *path = colon != NULL ? g_strndup (text, (gsize) (colon - text)) : g_strdup (text);
  *rest = colon != NULL ? colon : "";
  return resolve (serve, path, error);
}

/* --- sources --- */

static void
entry_free (Entry *entry)
{
  g_free (entry->asked);
  for (guint i = 0; i < G_N_ELEMENTS (entry->seen); i++)
    g_free (entry->seen[i].path);
  g_clear_pointer (&entry->source, fl_source_close);
  g_free (entry);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Entry, entry_free)

static gboolean
look (Seen *seen)
{
  struct stat about;
  if (stat (seen->path, &about) != 0)
    return FALSE;
  seen->changed = about.st_mtim;
  seen->size = about.st_size;
  seen->inode = about.st_ino;
  return TRUE;
}

static gboolean
is_unchanged (const Entry *entry)
{
  for (guint i = 0; i < G_N_ELEMENTS (entry->seen); i++)
    {
      const Seen *before = &entry->seen[i];
      Seen now = *before;
      if (before->path != NULL
          && (!look (&now) || now.size != before->size || now.inode != before->inode
              || now.changed.tv_sec != before->changed.tv_sec
              || now.changed.tv_nsec != before->changed.tv_nsec))
        return FALSE;
    }
  return TRUE;
}

/* Settings of raw pixels, with the constants' path resolved; these are the caller's. */
typedef struct
{
  FlParams *params;
  char *constants;
  FlCalibrationOptions options;
} Calibration;

static void
calibration_clear (Calibration *calibration)
{
  g_clear_pointer (&calibration->params, fl_params_free);
  g_free (calibration->constants);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Calibration, calibration_clear)

static gboolean
read_calibration (const Serve *serve, const char *text, Calibration *calibration, GError **error)
{
  calibration->params = fl_params_new ();
  if (text == NULL || *text == '\0')
    return TRUE;
  if (!fl_params_read (calibration->params, text, "calibration", error)
      || !fl_calibration_options (calibration->params, &calibration->options, error))
    return FALSE;
  if (calibration->options.constants == NULL)
    return TRUE;
  calibration->constants = resolve (serve, calibration->options.constants, error);
  calibration->options.constants = calibration->constants;
  return calibration->constants != NULL;
}

static Entry *
entry_open (const Serve *serve, const FlViewSourceRequest *request, GError **error)
{
  g_autoptr (Entry) entry = g_new0 (Entry, 1);
  g_autofree char *mask = NULL;
  const char *dataset;
  entry->seen[0].path = resolve (serve, request->path, error);
  if (entry->seen[0].path == NULL)
    return NULL;
  if (*request->geometry != '\0' && (entry->seen[1].path = resolve (serve, request->geometry, error)) == NULL)
    return NULL;
  if (*request->mask != '\0')
    {
      entry->seen[2].path = resolve_with_dataset (serve, request->mask, &dataset, error);
      if (entry->seen[2].path == NULL)
        return NULL;
      mask = g_strconcat (entry->seen[2].path, dataset, NULL);
    }
  g_auto (Calibration) calibration = { 0 };
  if (!read_calibration (serve, request->calibration, &calibration, error))
    return NULL;
  entry->seen[3].path = g_strdup (calibration.constants);
  for (guint i = 0; i < G_N_ELEMENTS (entry->seen); i++)
    if (entry->seen[i].path != NULL)
      look (&entry->seen[i]);
  FlSourceOptions options = { .geometry = entry->seen[1].path,
                              .mask = mask,
                              .calibration = &calibration.options };
  entry->source = fl_source_open (entry->seen[0].path, &options, error);
  return entry->source != NULL ? g_steal_pointer (&entry) : NULL;
}

static void
forget (Serve *serve, GList *link)
{
  if (link->data == serve->loaded)
    serve->loaded = NULL;
  entry_free (link->data);
  g_queue_delete_link (&serve->entries, link);
}

/* The open source, from those that are kept if none of its files has changed. Owned by `serve`. */
static Entry *
get_entry (Serve *serve, const FlViewSourceRequest *request, GError **error)
{
  g_autofree char *asked = g_strdup_printf ("%s\n%s\n%s\n%s", request->path, request->geometry, request->mask,
                                            request->calibration);
  for (GList *l = serve->entries.head; l != NULL; l = l->next)
    {
      Entry *entry = l->data;
      if (strcmp (entry->asked, asked) != 0)
        continue;
      if (is_unchanged (entry))
        {
          g_queue_unlink (&serve->entries, l);
          g_queue_push_head_link (&serve->entries, l);
          return entry;
        }
      forget (serve, l);
      break;
    }
  Entry *entry = entry_open (serve, request, error);
  if (entry == NULL)
    return NULL;
  entry->asked = g_steal_pointer (&asked);
  if (g_queue_get_length (&serve->entries) == MAX_SOURCES)
    forget (serve, serve->entries.tail);
  g_queue_push_head (&serve->entries, entry);
  return entry;
}

/* Has the shot in `serve->picture`. */
static Entry *
get_shot (Serve *serve, const FlViewSourceRequest *request, guint32 frame, GError **error)
{
  Entry *entry = get_entry (serve, request, error);
  if (entry == NULL || (entry == serve->loaded && frame == serve->frame))
    return entry;
  serve->loaded = NULL;
  if (!fl_source_read (entry->source, frame, &serve->shot, error))
    return NULL;
  fl_picture_load (serve->picture, fl_source_detector (entry->source), &serve->shot);
  serve->loaded = entry;
  serve->frame = frame;
  return entry;
}

/* What an answer of that file, and of a job's folder (or NULL), is made from. */
static FlViewOrigin
origin_of (const Entry *entry, const char *job_dir)
{
  Seen job = { .path = (char *) job_dir };
  const Seen *all[] = { &entry->seen[0], &entry->seen[1], &entry->seen[2], &entry->seen[3], &job };
  FlViewOrigin origin = { 0 };
  struct timespec now;
  clock_gettime (CLOCK_REALTIME, &now);
  if (job_dir != NULL)
    look (&job);
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    {
      if (all[i]->path == NULL)
        continue;
      gint64 values[] = { all[i]->size, all[i]->changed.tv_sec, all[i]->changed.tv_nsec,
                          (gint64) all[i]->inode };
      origin.stamp = fl_hash64 (values, sizeof values, origin.stamp) | 1;
      origin.growing |= now.tv_sec - all[i]->changed.tv_sec < QUIET_S;
    }
  return origin;
}

/* --- the handlers --- */

static FlViewImage *
serve_image (gpointer data, const FlViewImageRequest *request, GCancellable *cancellable, GError **error)
{
  Serve *serve = data;
  const Entry *entry = get_shot (serve, &request->source, request->frame, error);
  if (entry == NULL || g_cancellable_set_error_if_cancelled (cancellable, error))
    return NULL;
  FlViewImage *image = fl_picture_draw (serve->picture, request);
  image->frames = fl_source_n_frames (entry->source);
  image->origin = origin_of (entry, NULL);
  return image;
}

static FlViewSource *
serve_source (gpointer data, const FlViewSourceRequest *request, GCancellable *cancellable G_GNUC_UNUSED,
              GError **error)
{
  const Entry *entry = get_entry (data, request, error);
  if (entry == NULL)
    return NULL;
  const FlDetector *detector = fl_source_detector (entry->source);
  FlVec3 unshifted = { 0, 0, 0 };
  FlViewSource *source = fl_view_source_new (detector->n_panels);
  source->frames = fl_source_n_frames (entry->source);
  source->format = g_strdup (fl_source_format (entry->source));
  source->description = fl_source_describe (entry->source);
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
place (const Serve *serve, const Entry *entry, guint panel, double fs, double ss, double *x, double *y)
{
  const FlDetector *detector = fl_source_detector (entry->source);
  FlViewPanel p = panel < detector->n_panels
                      ? fl_picture_panel (detector, panel, fl_picture_shift (serve->picture))
                      : (FlViewPanel){ 0 };
  *x = p.x + p.fs_x * fs + p.ss_x * ss;
  *y = p.y + p.fs_y * fs + p.ss_y * ss;
}

static FlViewSpots *
spots_of (const Serve *serve, const Entry *entry, const FlSpotRow *rows, guint n)
{
  FlViewSpots *spots = fl_view_spots_new (n);
  for (guint i = 0; i < n; i++)
    {
      const FlSpotRow *r = &rows[i];
      FlViewSpot *s = &spots->spots[i];
      *s = (FlViewSpot){ .panel = r->panel, .fs = r->fs, .ss = r->ss, .intensity = r->intensity, .d = r->d };
      place (serve, entry, r->panel, r->fs, r->ss, &s->x, &s->y);
    }
  return spots;
}

static FlViewSpots *
serve_spots (gpointer data, const FlViewSpotsRequest *request, GCancellable *cancellable G_GNUC_UNUSED,
             GError **error)
{
  Serve *serve = data;
  g_autofree char *job_dir = resolve (serve, request->job_dir, error);
  const Entry *entry = job_dir != NULL ? get_shot (serve, &request->source, request->frame, error) : NULL;
  if (entry == NULL)
    return NULL;
  FlShotRow row = { 0 };
  g_autoptr (GArray) rows = fl_results_spots (job_dir, serve->shot.id, &row, error);
  if (rows == NULL)
    return NULL;
  FlViewSpots *spots = spots_of (serve, entry, (const FlSpotRow *) (void *) rows->data, rows->len);
  spots->outcome = (FlOutcome) row.outcome;
  spots->resolution = row.resolution;
  spots->message = (char *) row.message;
  spots->origin = origin_of (entry, job_dir);
  return spots;
}

static FlViewLattices *
lattices_of (const Serve *serve, const Entry *entry, const FlLatticeRow *rows, guint n,
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
      place (serve, entry, r->panel, r->fs, r->ss, &v->x, &v->y);
    }
  return all;
}

static FlViewLattices *
serve_lattices (gpointer data, const FlViewSpotsRequest *request, GCancellable *cancellable G_GNUC_UNUSED,
                GError **error)
{
  Serve *serve = data;
  g_autofree char *job_dir = resolve (serve, request->job_dir, error);
  const Entry *entry = job_dir != NULL ? get_shot (serve, &request->source, request->frame, error) : NULL;
  if (entry == NULL)
    return NULL;
  g_autoptr (GArray) lattices = fl_results_lattices (job_dir, serve->shot.id, NULL, error);
  g_autoptr (GArray) reflections =
      lattices != NULL ? fl_results_reflections (job_dir, serve->shot.id, NULL, error) : NULL;
  if (reflections == NULL)
    return NULL;
  FlViewLattices *all = lattices_of (serve, entry, (const FlLatticeRow *) (void *) lattices->data,
                                     lattices->len, (const FlReflectionRow *) (void *) reflections->data,
                                     lattices->len > 0 ? reflections->len : 0);
  all->origin = origin_of (entry, job_dir);
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
  const Entry *entry = get_shot (serve, &request->source, request->frame, error);
  if (entry == NULL
      || !fl_trial_try (serve->trier, request->params, &serve->shot, fl_source_detector (entry->source),
                        &found, &lattices, error))
    return NULL;
  FlViewTried *tried = fl_view_tried_new ();
  tried->spots = spots_of (serve, entry, found.spots, found.n_spots);
  tried->spots->outcome = lattices.n_lattices > 0 ? FL_OUTCOME_INDEXED
                          : found.hit             ? FL_OUTCOME_HIT
                                                  : FL_OUTCOME_MISS;
  tried->spots->resolution = (double) found.resolution;
  tried->lattices = lattices_of (serve, entry, lattices.lattices, lattices.n_lattices, lattices.reflections,
                                 lattices.n_reflections);
  tried->milliseconds = (guint32) ((fl_tick_ns () - start) / 1000000);
  return tried;
}

static FlSource *
open_for_mask (gpointer data, const FlViewSourceRequest *request, gboolean list_only, GError **error)
{
  g_autofree char *path = resolve (data, request->path, error), *geometry = NULL, *mask = NULL;
  const char *dataset;
  if (path == NULL
      || (*request->geometry != '\0' && (geometry = resolve (data, request->geometry, error)) == NULL)
      || (*request->mask != '\0'
          && (mask = resolve_with_dataset (data, request->mask, &dataset, error)) == NULL))
    return NULL;
  g_autofree char *option = mask != NULL ? g_strconcat (mask, dataset, NULL) : NULL;
  g_auto (Calibration) calibration = { 0 };
  if (!read_calibration (data, request->calibration, &calibration, error))
    return NULL;
  FlSourceOptions options = {
    .geometry = geometry, .mask = option, .list_only = list_only, .calibration = &calibration.options
  };
  return fl_source_open (path, &options, error);
}

static FlViewMask *
serve_mask (gpointer data, const FlViewMaskRequest *request, GCancellable *cancellable G_GNUC_UNUSED,
            GError **error)
{
  Serve *serve = data;
  const char *dataset = "";
  FlVec3 none = { 0, 0, 0 };
  g_autofree char *real = *request->source.mask != '\0'
                              ? resolve_with_dataset (serve, request->source.mask, &dataset, error)
                              : g_strdup ("");
  if (real == NULL)
    return NULL;
  g_autofree char *mask = g_strconcat (real, dataset, NULL);
  return fl_mask_work_ask (serve->mask, request, mask,
                           serve->loaded != NULL ? fl_picture_shift (serve->picture) : none, MEASURE_MS,
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
  Seen now = { .path = file };
  if (serve->store != NULL && strcmp (serve->followed.path, file) == 0 && look (&now)
      && now.inode == serve->followed.inode)
    return serve->store;
  g_clear_pointer (&serve->store, fl_store_close);
  g_clear_pointer (&serve->followed.path, g_free);
  serve->store = fl_store_open (path, FL_STORE_READ_ONLY, error);
  serve->followed.path = g_steal_pointer (&file);
  look (&serve->followed);
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

static char **
resolve_roots (char **roots, GError **error)
{
  static const Serve everything;
  g_autoptr (GPtrArray) real = g_ptr_array_new_with_free_func (g_free);
  for (char **root = roots; *root != NULL; root++)
    {
      char *path = resolve (&everything, *root, error);
      if (path == NULL)
        return NULL;
      g_ptr_array_add (real, path);
    }
  g_ptr_array_add (real, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&real), FALSE);
}

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
      || (roots != NULL && (serve.roots = resolve_roots (roots, &error)) == NULL))
    return fl_program_fail ("serve", error);
  if (argc > 1)
    {
      fprintf (stderr, "serve: '%s' is not expected; requests come on standard input\n", argv[1]);
      return 2;
    }
  /* Whatever a library prints must not fall between frames. */
  int out = fcntl (STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  dup2 (STDERR_FILENO, STDOUT_FILENO);
  g_queue_init (&serve.entries);
  serve.picture = fl_picture_new ();
  serve.trier = fl_trial_trier_new ();
  serve.mask = fl_mask_work_new (open_for_mask, &serve, "mask");
  int status = 0;
  if (!fl_view_serve (STDIN_FILENO, out, "firstlight-control " FL_VERSION, &handlers, &serve, &error))
    status = fl_program_fail ("serve", error);
  /* A lane may still be stuck in a library: no clean-up behind its back. */
  fflush (NULL);
  _exit (status);
}
