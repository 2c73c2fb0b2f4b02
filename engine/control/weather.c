#include "engine/control/weather.h"

#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/base/units.h"

#define PREFIX "debug_"
#define SUFFIX ".txt"

/* An image as far as its lines have told. */
typedef struct
{
  char *tag;
  FlShotRow row;
  char *message;  /* of the last line */
  guint64 latest; /* ns UTC, time of the last line */
  gboolean open;  /* no terminal line yet */
} Image;

static void
image_free (gpointer data)
{
  Image *image = data;
  g_free (image->tag);
  g_free (image->message);
  g_free (image);
}

void
fl_weather_log_free (FlWeatherLog *log)
{
  if (log == NULL)
    return;
  g_free (log->host);
  g_clear_pointer (&log->shots, fl_batch_free);
  g_free (log);
}

/* --- lines --- */

static gboolean
parse_time (const char *text, guint64 *time)
{
  int year, month, day, hour, minute, second, milli, used = 0;
  if (sscanf (text, "%4d-%2d-%2dT%2d:%2dZ%2d.%3d%n", &year, &month, &day, &hour, &minute, &second, &milli,
              &used)
          != 7
      || text[used] != '\0')
    return FALSE;
  g_autoptr (GDateTime) when = g_date_time_new_utc (year, month, day, hour, minute, second);
  if (when == NULL || milli < 0 || g_date_time_to_unix (when) < 0)
    return FALSE;
  *time = (guint64) g_date_time_to_unix (when) * FL_NS_PER_S + (guint64) milli * 1000000;
  return TRUE;
}

/* The stage that begins with this message; FL_STAGE_LAST when none does. */
static FlStage
stage_of (const char *message)
{
  static const char *const starts[] = { NULL,          "start",        "spotfind_start",
                                        "index_start", "refine_start", "integrate_start" };
  for (FlStage stage = FL_STAGE_READ; stage < FL_STAGE_LAST; stage++)
    if (strcmp (message, starts[stage]) == 0)
      return stage;
  return FL_STAGE_LAST;
}

static guint32
count_of (const char *message)
{
  const char *under = strrchr (message, '_');
  return under != NULL && g_ascii_isdigit (under[1])
             ? (guint32) MIN (g_ascii_strtoull (under + 1, NULL, 10), G_MAXUINT32)
             : 0;
}

static FlOutcome
outcome_of (const char *state, const char *message)
{
  if (strcmp (state, "fail") == 0)
    return FL_OUTCOME_FAILED;
  if (g_str_has_prefix (message, "integrate_ok") || g_str_has_prefix (message, "index_ok"))
    return FL_OUTCOME_INDEXED;
  if (g_str_has_prefix (message, "spotfinding_ok") || g_str_has_prefix (message, "indexing_failed"))
    return FL_OUTCOME_HIT;
  return FL_OUTCOME_MISS;
}

/* The time up to `now` belongs to the stage that the image is in. */
static void
pass_time (Image *image, guint64 now)
{
  guint stage = image->row.stage;
  if (stage >= FL_STAGE_READ && stage <= FL_STAGE_INTEGRATE && now > image->latest)
    image->row.duration[stage - FL_STAGE_READ] +=
        (guint32) MIN ((now - image->latest) / 1000, G_MAXUINT32 / 2);
  image->latest = MAX (image->latest, now);
}

static void
begin_image (Image *image, guint64 time)
{
  image->row = (FlShotRow){ .id = image->row.id, .start = time, .stage = FL_STAGE_READ };
  image->latest = time;
  image->open = TRUE;
}

static void
take_line (GHashTable *images, GPtrArray *order, const char *tag, guint64 time, const char *state,
           const char *message)
{
  Image *image = g_hash_table_lookup (images, tag);
  FlStage stage = stage_of (message);
  gboolean is_new = image == NULL;
  if (is_new)
    {
      image = g_new0 (Image, 1);
      image->tag = g_strdup (tag);
      image->row.id = MAX (fl_hash64 (tag, strlen (tag), 0), 1);
      g_hash_table_insert (images, image->tag, image);
      g_ptr_array_add (order, image);
    }
  if (is_new || stage == FL_STAGE_READ)
    begin_image (image, time);
  g_free (image->message);
  image->message = g_strdup (message);
  pass_time (image, time);
  if (*state == '\0' || strcmp (state, "    ") == 0)
    {
      if (stage != FL_STAGE_LAST)
        image->row.stage = (guint8) stage;
      image->open = TRUE;
      return;
    }
  image->row.outcome = (guint8) outcome_of (state, message);
  image->row.spots = count_of (message);
  image->row.lattices = image->row.outcome == FL_OUTCOME_INDEXED;
  image->open = FALSE;
}

/* FALSE: not a line of this kind. */
static gboolean
parse_line (char *line, GHashTable *images, GPtrArray *order, FlWeatherLog *log)
{
  static const char *const states[] = { "    ", "", "done", "stop", "fail" };
  g_auto (GStrv) fields = g_strsplit (line, ",", 5);
  guint64 time;
  guint s = 0;
  if (g_strv_length (fields) != 5 || *fields[1] == '\0' || !parse_time (fields[2], &time)
      || !g_utf8_validate (line, -1, NULL))
    return FALSE;
  while (s < G_N_ELEMENTS (states) && strcmp (fields[3], states[s]) != 0)
    s++;
  if (s == G_N_ELEMENTS (states))
    return FALSE;
  if (log->host == NULL)
    log->host = g_strdup (fields[0]);
  take_line (images, order, fields[1], time, fields[3], fields[4]);
  return TRUE;
}

/* --- files --- */

static gboolean
rank_of (const char *path, guint32 *rank)
{
  g_autofree char *name = g_path_get_basename (path);
  char *end = NULL;
  if (!g_str_has_prefix (name, PREFIX) || !g_ascii_isdigit (name[strlen (PREFIX)]))
    return FALSE;
  guint64 number = g_ascii_strtoull (name + strlen (PREFIX), &end, 10);
  *rank = (guint32) number;
  return strcmp (end, SUFFIX) == 0 && number < G_MAXINT32;
}

static void
add_image (FlWeatherLog *log, const Image *image, guint32 frame)
{
  g_autofree char *text = NULL;
  FlShotRow row = image->row;
  if (image->open)
    {
      text =
          g_strdup_printf ("%s: unfinished, in %s when its log ends", image->tag, fl_stage_name (row.stage));
      row.outcome = FL_OUTCOME_FAILED;
      log->unfinished++;
    }
  else
    text = g_strdup_printf ("%s: %s", image->tag, image->message);
  row.frame = frame;
  row.source = log->rank;
  row.message = text;
  fl_batch_append (log->shots, &row);
}

FlWeatherLog *
fl_weather_read (const char *path, GError **error)
{
  g_autoptr (FlWeatherLog) log = g_new0 (FlWeatherLog, 1);
  g_autofree char *text = NULL;
  g_autoptr (GError) closed = NULL;
  gsize length;
  if (!rank_of (path, &log->rank))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "%s: is not called like a weather log, expected debug_RANK.txt", path);
      return NULL;
    }
  if (!g_file_get_contents (path, &text, &length, &closed))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: cannot be read: %s", path, closed->message);
      return NULL;
    }
  g_autoptr (GHashTable) images = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GPtrArray) order = g_ptr_array_new_with_free_func (image_free);
  log->shots = fl_batch_new (FL_KIND_SHOT);
  for (char *line = text, *end; line < text + length; line = end + 1)
    {
      end = memchr (line, '\n', (gsize) (text + length - line));
      if (end == NULL)
        {
          log->skipped++; /* cut off in the middle: whatever it says may be half of it */
          break;
        }
      *end = '\0';
      if (end > line && end[-1] == '\r')
        end[-1] = '\0';
      if (*line == '\0')
        continue;
      if (strlen (line) == (gsize) (end - line) - (end > line && end[-1] == '\0')
          && parse_line (line, images, order, log))
        log->lines++;
      else
        log->skipped++;
    }
  if (log->lines == 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                   "%s: is not a weather log, expected lines of "
                   "hostname,tag,timestamp,state,message",
                   path);
      return NULL;
    }
  for (guint i = 0; i < order->len; i++)
    add_image (log, order->pdata[i], i);
  return g_steal_pointer (&log);
}
