/* served-sources.h: the sources of shots that a server of views has open, and the shot that it shows.
 *
 * The last few stay open as long as none of their files changes. Owned by FlServedSources, till the next call.
 * Thread: one at a time. */
#pragma once

#include "engine/programs/picture.h"
#include "engine/shots/source.h"
#include "engine/view/messages.h"

typedef struct FlServedSources FlServedSources;
typedef struct FlServedSource FlServedSource;

/* `roots` (served-files.h) stay the caller's. */
FlServedSources *fl_served_sources_new (char **roots);

FlServedSource *fl_served_sources_get (FlServedSources *sources, const FlViewSourceRequest *request,
                                       GError **error);
/* With that frame as shot and picture. */
FlServedSource *fl_served_sources_get_shot (FlServedSources *sources, const FlViewSourceRequest *request,
                                            guint32 frame, GError **error);
FlShot *fl_served_sources_shot (FlServedSources *sources); /* of the last fl_served_sources_get_shot () */
FlPicture *fl_served_sources_picture (FlServedSources *sources); /* its picture */
/* Of the shot that is shown, in mm; none while there is none. */
FlVec3 fl_served_sources_shift (const FlServedSources *sources);

FlSource *fl_served_source_get_source (FlServedSource *source);
/* What an answer of that source, and of a job's folder (or NULL), is made from. */
FlViewOrigin fl_served_source_origin (const FlServedSource *source, const char *job_dir);

/* A source as asked for, the caller's. Thread: any. */
FlSource *fl_served_open (char **roots, const FlViewSourceRequest *request, gboolean list_only,
                          GError **error);
