#include "engine/programs/served-sources.h"

#include <string.h>

#include "engine/base/hash.h"
#include "engine/programs/served-files.h"
#include "engine/shots/calibration.h"

#define MAX_SOURCES 4
#define QUIET_S     60 /* a file that has not changed for so long is thought to be whole */

enum
{
  IMAGES,
  GEOMETRY,
  MASK,
  CONSTANTS,
  N_FILES
};

struct FlServedSource
{
  char *asked;               /* path, geometry, mask and calibration as asked for */
  FlSeenFile files[N_FILES]; /* those without a path are not there */
  FlSource *source;
};

struct FlServedSources
{
  char **roots;
  GQueue open;            /* of FlServedSource, last used first */
  FlServedSource *loaded; /* whose shot is in `picture`; NULL = none */
  guint32 frame;
  FlShot shot;
  FlPicture *picture;
};

/* --- one source --- */

static void
source_free (FlServedSource *source)
{
  g_free (source->asked);
  for (guint i = 0; i < N_FILES; i++)
    g_free (source->files[i].path);
  g_clear_pointer (&source->source, fl_source_close);
  g_free (source);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlServedSource, source_free)

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
read_calibration (char **roots, const char *text, Calibration *calibration, GError **error)
{
  calibration->params = fl_params_new ();
  if (text == NULL || *text == '\0')
    return TRUE;
  if (!fl_params_read (calibration->params, text, "calibration", error)
      || !fl_calibration_options (calibration->params, &calibration->options, error))
    return FALSE;
  if (calibration->options.constants == NULL)
    return TRUE;
  calibration->constants = fl_served_path (roots, calibration->options.constants, error);
  calibration->options.constants = calibration->constants;
  return calibration->constants != NULL;
}

/* Also looks at the files, before they are read. */
static FlServedSource *
source_open (char **roots, const FlViewSourceRequest *request, gboolean list_only, GError **error)
{
  g_autoptr (FlServedSource) source = g_new0 (FlServedSource, 1);
  FlSeenFile *files = source->files;
  g_autofree char *mask = NULL;
  const char *dataset;
  if ((files[IMAGES].path = fl_served_path (roots, request->path, error)) == NULL)
    return NULL;
  if (*request->geometry != '\0'
      && (files[GEOMETRY].path = fl_served_path (roots, request->geometry, error)) == NULL)
    return NULL;
  if (*request->mask != '\0')
    {
      files[MASK].path = fl_served_path_with_dataset (roots, request->mask, &dataset, error);
      if (files[MASK].path == NULL)
        return NULL;
      mask = g_strconcat (files[MASK].path, dataset, NULL);
    }
  g_auto (Calibration) calibration = { 0 };
  if (!read_calibration (roots, request->calibration, &calibration, error))
    return NULL;
  files[CONSTANTS].path = g_strdup (calibration.constants);
  for (guint i = 0; i < N_FILES; i++)
    if (files[i].path != NULL)
      fl_seen_file_look (&files[i]);
  FlSourceOptions options = { .geometry = files[GEOMETRY].path,
                              .mask = mask,
                              .list_only = list_only,
                              .calibration = &calibration.options };
  source->source = fl_source_open (files[IMAGES].path, &options, error);
  return source->source != NULL ? g_steal_pointer (&source) : NULL;
}

static gboolean
is_unchanged (const FlServedSource *source)
{
  for (guint i = 0; i < N_FILES; i++)
    if (source->files[i].path != NULL && !fl_seen_file_is_unchanged (&source->files[i]))
      return FALSE;
  return TRUE;
}

FlSource *
fl_served_source_get_source (FlServedSource *source)
{
  return source->source;
}

FlViewOrigin
fl_served_source_origin (const FlServedSource *source, const char *job_dir)
{
  FlSeenFile all[N_FILES + 1] = { 0 };
  FlViewOrigin origin = { 0 };
  struct timespec now;
  clock_gettime (CLOCK_REALTIME, &now);
  memcpy (all, source->files, sizeof source->files);
  all[N_FILES].path = (char *) job_dir;
  if (job_dir != NULL)
    fl_seen_file_look (&all[N_FILES]);
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    {
      if (all[i].path == NULL)
        continue;
      gint64 values[] = { all[i].size, all[i].changed.tv_sec, all[i].changed.tv_nsec, (gint64) all[i].inode };
      origin.stamp = fl_hash64 (values, sizeof values, origin.stamp) | 1;
      origin.growing |= now.tv_sec - all[i].changed.tv_sec < QUIET_S;
    }
  return origin;
}

FlSource *
fl_served_open (char **roots, const FlViewSourceRequest *request, gboolean list_only, GError **error)
{
  g_autoptr (FlServedSource) source = source_open (roots, request, list_only, error);
  return source != NULL ? g_steal_pointer (&source->source) : NULL;
}

/* --- those that are open --- */

FlServedSources *
fl_served_sources_new (char **roots)
{
  FlServedSources *sources = g_new0 (FlServedSources, 1);
  sources->roots = roots;
  g_queue_init (&sources->open);
  sources->picture = fl_picture_new ();
  return sources;
}

static void
forget (FlServedSources *sources, GList *link)
{
  if (link->data == sources->loaded)
    sources->loaded = NULL;
  source_free (link->data);
  g_queue_delete_link (&sources->open, link);
}

FlServedSource *
fl_served_sources_get (FlServedSources *sources, const FlViewSourceRequest *request, GError **error)
{
  g_autofree char *asked = g_strdup_printf ("%s\n%s\n%s\n%s", request->path, request->geometry, request->mask,
                                            request->calibration);
  for (GList *l = sources->open.head; l != NULL; l = l->next)
    {
      FlServedSource *source = l->data;
      if (strcmp (source->asked, asked) != 0)
        continue;
      if (is_unchanged (source))
        {
          g_queue_unlink (&sources->open, l);
          g_queue_push_head_link (&sources->open, l);
          return source;
        }
      forget (sources, l);
      break;
    }
  FlServedSource *source = source_open (sources->roots, request, FALSE, error);
  if (source == NULL)
    return NULL;
  source->asked = g_steal_pointer (&asked);
  if (g_queue_get_length (&sources->open) == MAX_SOURCES)
    forget (sources, sources->open.tail);
  g_queue_push_head (&sources->open, source);
  return source;
}

FlServedSource *
fl_served_sources_get_shot (FlServedSources *sources, const FlViewSourceRequest *request, guint32 frame,
                            GError **error)
{
  FlServedSource *source = fl_served_sources_get (sources, request, error);
  if (source == NULL || (source == sources->loaded && frame == sources->frame))
    return source;
  sources->loaded = NULL;
  if (!fl_source_read (source->source, frame, &sources->shot, error))
    return NULL;
  fl_picture_load (sources->picture, fl_source_detector (source->source), &sources->shot);
  sources->loaded = source;
  sources->frame = frame;
  return source;
}

FlShot *
fl_served_sources_shot (FlServedSources *sources)
{
  return &sources->shot;
}

FlPicture *
fl_served_sources_picture (FlServedSources *sources)
{
  return sources->picture;
}

FlVec3
fl_served_sources_shift (const FlServedSources *sources)
{
  FlVec3 none = { 0, 0, 0 };
  return sources->loaded != NULL ? fl_picture_shift (sources->picture) : none;
}
