/* weather.h: reads the weather logs that the reference system's stills processing leaves, debug_RANK.txt: one line a
 * change of state, `hostname,tag,timestamp,state,message`, appended by one rank; a blank line where it was restarted. The
 * timestamp is UTC, YYYY-MM-DDTHH:MMZSS.mmm.
 *
 * An image becomes a shot: its id is the hash of its tag, its start that of its first line, its stage durations lie between
 * its lines, its message is "TAG: what the last line says". Outcomes:
 *   done  integrate_ok_N, index_ok_N: indexed; spotfinding_ok_N: hit; data_loaded: miss
 *   stop  indexing_failed_N: hit; not_enough_spots_N, too_many_spots_N: miss
 *   fail  failed
 *   none  the rank was killed, hung or restarted in it: failed, "unfinished", with the stage that it was in
 * N becomes the number of spots. An image that is begun again (after a restart) counts with its last beginning.
 * Thread: any. */
#pragma once

#include "engine/base/batch.h"

typedef struct
{
  guint32 rank; /* from the file's name */
  char *host;   /* of the first line; "" when there is none */
  FlBatch *shots;
  guint lines;   /* understood */
  guint skipped; /* neither blank nor five fields that make sense; a cut last line among them */
  guint unfinished;
} FlWeatherLog;

void fl_weather_log_free (FlWeatherLog *log);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlWeatherLog, fl_weather_log_free)

/* FL_ERROR_MISSING: cannot be read; FL_ERROR_INPUT: not called so, or not one line of it is of this kind. */
FlWeatherLog *fl_weather_read (const char *path, GError **error);
