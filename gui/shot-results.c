#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/shot-results.h"

#include <string.h>

#include "engine/base/error.h"

typedef struct
{
  FlgShotResult result;
  FlViewClient *client; /* NULL: nothing can be asked */
  char *path;           /* of the shot's file there; NULL: the shot's own */
  GCancellable *cancellable;
} Side;

struct _FlgShotResults
{
  GObject parent_instance;
  char *path, *geometry, *mask; /* path NULL: no shot */
  char *calibration;
  guint32 frame;
  Side sides[FLG_N_SIDES];
};

enum
{
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlgShotResults, flg_shot_results, G_TYPE_OBJECT)

/* A question about one side; its answer counts only while the side still waits for it. */
typedef struct
{
  FlgShotResults *results;
  FlgSide side;
  GCancellable *cancellable;
} Asked;

static Asked *
asked_new (FlgShotResults *self, FlgSide side)
{
  Asked *asked = g_new (Asked, 1);
  *asked = (Asked){ g_object_ref (self), side, g_object_ref (self->sides[side].cancellable) };
  self->sides[side].result.waiting++;
  return asked;
}

static void
asked_free (Asked *asked)
{
  g_object_unref (asked->results);
  g_object_unref (asked->cancellable);
  g_free (asked);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Asked, asked_free)

static void
forget_answer (FlgShotResult *result)
{
  result->missing = FALSE;
  g_clear_pointer (&result->error, g_free);
  g_clear_pointer (&result->spots, fl_view_spots_unref);
  g_clear_pointer (&result->lattices, fl_view_lattices_unref);
  result->milliseconds = 0;
}

/* Marks and sums of what is there now. */
static void
sum_up (FlgShotResult *result)
{
  g_clear_pointer (&result->spot_marks, g_array_unref);
  g_clear_pointer (&result->prediction_marks, g_array_unref);
  result->spot_marks = flg_shot_spot_marks (result->spots, result->lattices);
  result->prediction_marks = flg_shot_prediction_marks (result->lattices);
  result->counts = flg_shot_count (result->spots, result->lattices, result->spot_marks);
}

static void
tell (FlgShotResults *self, FlgShotResult *result)
{
  sum_up (result);
  g_signal_emit (self, signals[CHANGED], 0);
}

/* The side's result, waiting for one answer less; NULL when nobody waits for this one any more. */
static FlgShotResult *
take_answer (Asked *asked)
{
  Side *side = &asked->results->sides[asked->side];
  if (asked->cancellable != side->cancellable || g_cancellable_is_cancelled (asked->cancellable))
    return NULL;
  side->result.waiting--;
  return &side->result;
}

/* The first line of a message is what it says. */
static void
take_error (FlgShotResult *result, const GError *error)
{
  result->missing = result->kind == FLG_RESULT_STORED && g_error_matches (error, FL_ERROR, FL_ERROR_MISSING);
  g_free (result->error);
  result->error = result->missing ? NULL : g_strndup (error->message, strcspn (error->message, "\n"));
}

static void
on_spots (GObject *object, GAsyncResult *answer, gpointer data)
{
  g_autoptr (Asked) asked = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (FlViewSpots) spots = fl_view_client_spots_finish (FL_VIEW_CLIENT (object), answer, &error);
  FlgShotResult *result = take_answer (asked);
  if (!result)
    return;
  g_clear_pointer (&result->spots, fl_view_spots_unref);
  if (spots)
    result->spots = g_steal_pointer (&spots);
  else
    take_error (result, error);
  tell (asked->results, result);
}

static void
on_lattices (GObject *object, GAsyncResult *answer, gpointer data)
{
  g_autoptr (Asked) asked = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (FlViewLattices) lattices =
      fl_view_client_lattices_finish (FL_VIEW_CLIENT (object), answer, &error);
  FlgShotResult *result = take_answer (asked);
  if (!result)
    return;
  g_clear_pointer (&result->lattices, fl_view_lattices_unref);
  if (lattices)
    result->lattices = g_steal_pointer (&lattices);
  else
    take_error (result, error);
  tell (asked->results, result);
}

static void
on_tried (GObject *object, GAsyncResult *answer, gpointer data)
{
  g_autoptr (Asked) asked = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (FlViewTried) tried = fl_view_client_try_finish (FL_VIEW_CLIENT (object), answer, &error);
  FlgShotResult *result = take_answer (asked);
  if (!result)
    return;
  forget_answer (result);
  if (tried)
    {
      result->spots = fl_view_spots_ref (tried->spots);
      result->lattices = fl_view_lattices_ref (tried->lattices);
      result->milliseconds = tried->milliseconds;
    }
  else
    take_error (result, error);
  tell (asked->results, result);
}

static void
ask (FlgShotResults *self, FlgSide which)
{
  Side *side = &self->sides[which];
  FlViewSourceRequest source = { side->path ? side->path : self->path, self->geometry, self->mask,
                                 self->calibration };
  g_cancellable_cancel (side->cancellable);
  g_object_unref (side->cancellable);
  side->cancellable = g_cancellable_new ();
  side->result.waiting = 0;
  if (!side->client || !self->path)
    return;
  if (side->result.kind == FLG_RESULT_STORED)
    {
      FlViewSpotsRequest request = { side->result.from, source, self->frame };
      fl_view_client_spots_async (side->client, &request, side->cancellable, on_spots,
                                  asked_new (self, which));
      fl_view_client_lattices_async (side->client, &request, side->cancellable, on_lattices,
                                     asked_new (self, which));
    }
  else if (side->result.kind == FLG_RESULT_TRIED)
    {
      FlViewTryRequest request = { source, self->frame, side->result.from };
      fl_view_client_try_async (side->client, &request, side->cancellable, on_tried, asked_new (self, which));
    }
}

void
flg_shot_results_set_calibration (FlgShotResults *self, const char *calibration)
{
  char *copy = g_strdup (calibration);
  g_free (self->calibration);
  self->calibration = copy;
}

void
flg_shot_results_set_shot (FlgShotResults *self, const char *path, const char *geometry, const char *mask,
                           guint32 frame)
{
  g_free (self->path);
  g_free (self->geometry);
  g_free (self->mask);
  self->path = g_strdup (path);
  self->geometry = g_strdup (geometry ? geometry : "");
  self->mask = g_strdup (mask ? mask : "");
  self->frame = frame;
  for (FlgSide side = FLG_SIDE_A; side < FLG_N_SIDES; side++)
    {
      forget_answer (&self->sides[side].result);
      sum_up (&self->sides[side].result);
      ask (self, side);
    }
  g_signal_emit (self, signals[CHANGED], 0);
}

void
flg_shot_results_foresee (FlgShotResults *self, const char *path, const char *geometry, const char *mask,
                          guint32 frame)
{
  gboolean same_file = g_strcmp0 (path, self->path) == 0;
  for (FlgSide which = FLG_SIDE_A; which < FLG_N_SIDES; which++)
    {
      const Side *side = &self->sides[which];
      gboolean moved =
          side->path && g_strcmp0 (side->path, self->path) != 0; /* another file's name there is not known */
      if (!side->client || side->result.kind != FLG_RESULT_STORED || (moved && !same_file))
        continue;
      FlViewSourceRequest source = { moved ? side->path : path, geometry, mask, self->calibration };
      FlViewSpotsRequest request = { side->result.from, source, frame };
      fl_view_client_foresee_results (side->client, &request);
    }
}

void
flg_shot_results_set_side (FlgShotResults *self, FlgSide which, FlgResultKind kind, const char *from)
{
  FlgShotResult *result = &self->sides[which].result;
  if (result->kind == kind && g_strcmp0 (result->from, from) == 0)
    return;
  if (result->kind != kind || kind != FLG_RESULT_TRIED)
    forget_answer (result);
  result->kind = kind;
  g_free (result->from);
  result->from = g_strdup (from);
  ask (self, which);
  tell (self, result);
}

void
flg_shot_results_set_asked (FlgShotResults *self, FlgSide which, FlViewClient *client, const char *path)
{
  Side *side = &self->sides[which];
  if (side->client == client && g_strcmp0 (side->path, path) == 0)
    return;
  g_set_object (&side->client, client);
  g_free (side->path);
  side->path = g_strdup (path);
  forget_answer (&side->result);
  ask (self, which);
  tell (self, &side->result);
}

const FlgShotResult *
flg_shot_results_get (FlgShotResults *self, FlgSide side)
{
  return &self->sides[side].result;
}

gboolean
flg_shot_results_is_idle (FlgShotResults *self)
{
  return self->sides[FLG_SIDE_A].result.waiting == 0 && self->sides[FLG_SIDE_B].result.waiting == 0;
}

/* --- object --- */

FlgShotResults *
flg_shot_results_new (FlViewClient *client)
{
  FlgShotResults *self = g_object_new (FLG_TYPE_SHOT_RESULTS, NULL);
  for (FlgSide side = FLG_SIDE_A; side < FLG_N_SIDES; side++)
    g_set_object (&self->sides[side].client, client);
  return self;
}

void
flg_shot_results_close (FlgShotResults *self)
{
  for (FlgSide side = FLG_SIDE_A; side < FLG_N_SIDES; side++)
    g_cancellable_cancel (self->sides[side].cancellable);
}

static void
flg_shot_results_finalize (GObject *object)
{
  FlgShotResults *self = FLG_SHOT_RESULTS (object);
  for (FlgSide i = FLG_SIDE_A; i < FLG_N_SIDES; i++)
    {
      FlgShotResult *result = &self->sides[i].result;
      forget_answer (result);
      g_free (result->from);
      g_array_unref (result->spot_marks);
      g_array_unref (result->prediction_marks);
      g_object_unref (self->sides[i].cancellable);
      g_clear_object (&self->sides[i].client);
      g_free (self->sides[i].path);
    }
  g_free (self->path);
  g_free (self->geometry);
  g_free (self->mask);
  g_free (self->calibration);
  G_OBJECT_CLASS (flg_shot_results_parent_class)->finalize (object);
}

static void
flg_shot_results_class_init (FlgShotResultsClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = flg_shot_results_finalize;
  signals[CHANGED] = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                   NULL, G_TYPE_NONE, 0);
}

static void
flg_shot_results_init (FlgShotResults *self)
{
  for (FlgSide i = FLG_SIDE_A; i < FLG_N_SIDES; i++)
    {
      self->sides[i].cancellable = g_cancellable_new ();
      sum_up (&self->sides[i].result);
    }
}
