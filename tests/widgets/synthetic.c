#include "tests/widgets/synthetic.h"

#include <math.h>

static guint64
mix (guint64 x)
{
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

static double
uniform (guint64 key)
{
  return (double) (mix (key) >> 11) * 0x1p-53;
}

static double
exponential (guint64 key)
{
  return -log (1 - uniform (key));
}

FlwWeatherEvent *
synthetic_weather (guint n, guint n_rows, gint64 start)
{
  FlwWeatherEvent *events = g_new0 (FlwWeatherEvent, n);
  gint64 *clock = g_new (gint64, n_rows);

  for (guint r = 0; r < n_rows; r++)
    clock[r] = start + (gint64) (uniform (r + 77) * 4e8);
  for (guint i = 0; i < n; i++)
    {
      FlwWeatherEvent *event = &events[i];
      guint row = i % n_rows;
      double slow = row >= n_rows / 2 ? 1.5 : 1, u = uniform (i * 4ull + 1);
      gboolean hit = u < 0.25;

      event->id = i + 1;
      event->row = row;
      event->start = clock[row];
      event->klass = u < 0.003  ? FLW_CLASS_FAILED
                     : u < 0.08 ? FLW_CLASS_HIT
                     : hit      ? FLW_CLASS_INDEXED
                                : FLW_CLASS_MISS;
      event->duration[0] = (guint32) (9000 * slow * (1 + exponential (i * 4ull + 2)));
      event->duration[1] = (guint32) (40000 * slow);
      if (hit)
        {
          event->duration[2] = (guint32) (120000 * slow * (0.5 + exponential (i * 4ull + 3)));
          if (event->klass == FLW_CLASS_INDEXED)
            {
              event->duration[3] = (guint32) (60000 * slow);
              event->duration[4] = (guint32) (90000 * slow);
            }
        }
      for (guint s = 0; s < FLW_WEATHER_STAGES; s++)
        clock[row] += (gint64) event->duration[s] * 1000;
      clock[row] += 2000000;
      if (row / 8 == 2 && i / n_rows == 40) /* one group waits for its files */
        clock[row] += 6000000000;
    }
  g_free (clock);
  return events;
}

FlwWeatherEvent *
synthetic_events (guint n, guint n_rows, gint64 start, gint64 span)
{
  FlwWeatherEvent *events = g_new0 (FlwWeatherEvent, n);

  for (guint i = 0; i < n; i++)
    {
      double u = uniform (i * 3ull);
      events[i].id = i + 1;
      events[i].row = i % n_rows;
      events[i].start = start + (gint64) ((double) i / n * (double) span * 0.99);
      events[i].duration[1] = (guint32) ((double) span / 1000 * n_rows / n * 0.8 * uniform (i * 3ull + 1));
      events[i].klass = u < 0.002  ? FLW_CLASS_FAILED
                        : u < 0.06 ? FLW_CLASS_HIT
                        : u < 0.25 ? FLW_CLASS_INDEXED
                                   : FLW_CLASS_MISS;
    }
  return events;
}

void
synthetic_shots (guint n, guint seed, guint8 *classes, float *spots, float *resolution)
{
  for (guint i = 0; i < n; i++)
    {
      guint64 key = ((guint64) seed << 32) + i * 5ull;
      double drift = 0.22 + 0.12 * sin (i * 0.0011 + seed), u = uniform (key);
      gboolean hit = u < drift;

      classes[i] = hit ? (u < drift * 0.62 ? FLW_CLASS_INDEXED : FLW_CLASS_HIT) : FLW_CLASS_MISS;
      if (uniform (key + 1) < 0.001)
        classes[i] = FLW_CLASS_FAILED;
      spots[i] = (float) floor (hit ? 15 + 40 * exponential (key + 2) : 2.5 * exponential (key + 2));
      if (uniform (key + 4) < 0.0005) /* salt and ice: what a robust limit is for */
        spots[i] *= 30;
      resolution[i] =
          hit ? (float) (1.75 + 0.35 * exponential (key + 3) + (classes[i] == FLW_CLASS_HIT ? 0.7 : 0)) : NAN;
    }
}

/* --- an image --- */

#define N_PANELS 8
#define N_FS     512
#define N_SS     400
#define N_SPOTS  60

guint
synthetic_panels (const FlwImagePanel **panels)
{
  static FlwImagePanel table[N_PANELS];
  static char names[N_PANELS][8];

  for (guint i = 0; i < N_PANELS; i++)
    {
      double turn = (i % 3 - 1.) * 0.004, x = i % 2 == 0 ? -530 : 18, y = -830 + (i / 2) * 416.;
      g_snprintf (names[i], sizeof names[i], "q%ua%u", i / 4, i % 4);
      table[i] = (FlwImagePanel){ .name = names[i],
                                  .x = x,
                                  .y = y,
                                  .fs_x = cos (turn),
                                  .fs_y = sin (turn),
                                  .ss_x = -sin (turn),
                                  .ss_y = cos (turn),
                                  .n_fs = N_FS,
                                  .n_ss = N_SS };
    }
  *panels = table;
  return N_PANELS;
}

guint
synthetic_spots (const FlwImageSpot **spots)
{
  static FlwImageSpot table[N_SPOTS];

  for (guint i = 0; i < N_SPOTS; i++)
    {
      double r = 80 + 700 * uniform (i * 7 + 1), a = 2 * G_PI * uniform (i * 7 + 2);
      table[i] = (FlwImageSpot){ .x = floor (r * cos (a)) + 0.5,
                                 .y = floor (r * sin (a)) + 0.5,
                                 .radius = 3,
                                 .intensity = 400 + 3000 * exponential (i * 7 + 3) };
    }
  *spots = table;
  return N_SPOTS;
}

void
synthetic_predictions (guint n, FlwImagePrediction *predictions)
{
  const FlwImageSpot *spots;
  guint n_spots = synthetic_spots (&spots);

  for (guint i = 0; i < n; i++)
    {
      double r = 60 + 800 * sqrt (uniform (i * 5 + 1)), a = 2 * G_PI * uniform (i * 5 + 2);
      gboolean seen = i < n_spots && i % 5 != 4;
      predictions[i] = (FlwImagePrediction){ .x = seen ? spots[i].x : r * cos (a),
                                             .y = seen ? spots[i].y : r * sin (a),
                                             .lattice = i % 3 == 2,
                                             .h = (int) (i % 41) - 20,
                                             .k = (int) (i % 37) - 18,
                                             .l = (int) (i % 7) - 3,
                                             .intensity = 900 * exponential (i * 5 + 3),
                                             .sigma = i % 4 == 3 ? -1 : 20,
                                             .d = 2.5 };
    }
}

static float
pixel (double x, double y)
{
  const FlwImagePanel *panels;
  const FlwImageSpot *spots;
  guint n = synthetic_panels (&panels), n_spots = synthetic_spots (&spots);
  double r = hypot (x, y), value;

  for (guint i = 0; i < n; i++)
    {
      double dx = x - panels[i].x, dy = y - panels[i].y;
      double fs = floor (dx * panels[i].fs_x + dy * panels[i].fs_y),
             ss = floor (dx * panels[i].ss_x + dy * panels[i].ss_y);
      guint64 key = ((guint64) i << 40) + (guint64) fs * 1000 + (guint64) ss;

      if (fs < 0 || ss < 0 || fs >= N_FS || ss >= N_SS)
        continue;
      if (uniform (key) < 0.0008 || (i == 3 && fs > 300 && fs < 306))
        return -INFINITY;
      value = 12 + 60 * exp (-r / 160) + 45 * exp (-pow ((r - 420) / 60, 2));
      value += 4 * (uniform (key + 7) + uniform (key + 8) - 1) * sqrt (value) / 2;
      for (guint s = 0; s < n_spots; s++)
        {
          double d2 = pow (x - spots[s].x, 2) + pow (y - spots[s].y, 2);
          if (d2 < 30)
            value += spots[s].intensity / 8 * exp (-d2 / 2.2);
        }
      return (float) floor (value);
    }
  return NAN;
}

float *
synthetic_image (const FlwImageRequest *request)
{
  float *values = g_new (float, (gsize) request->width * request->height);
  double sx = (request->x1 - request->x0) / request->width,
         sy = (request->y1 - request->y0) / request->height;

  for (guint j = 0; j < request->height; j++)
    for (guint i = 0; i < request->width; i++)
      values[(gsize) j * request->width + i] =
          pixel (request->x0 + (i + 0.5) * sx, request->y0 + (j + 0.5) * sy);
  return values;
}

typedef struct
{
  FlwImageRequest request;
  float *values;
} Answer;

static void
answer_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Answer *answer = data;

  (void) source;
  (void) cancellable;
  answer->values = synthetic_image (&answer->request);
  g_task_return_boolean (task, TRUE);
}

static void
answer_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Answer *answer = g_task_get_task_data (G_TASK (result));

  (void) user_data;
  flw_image_view_deliver (FLW_IMAGE_VIEW (source), answer->request.serial, answer->values);
}

void
synthetic_provider (FlwImageView *view, const FlwImageRequest *request, gpointer user_data)
{
  GTask *task = g_task_new (view, NULL, answer_done, NULL);
  Answer *answer = g_new0 (Answer, 1);

  (void) user_data;
  answer->request = *request;
  g_task_set_task_data (task, answer, g_free);
  g_task_run_in_thread (task, answer_thread);
  g_object_unref (task);
}
