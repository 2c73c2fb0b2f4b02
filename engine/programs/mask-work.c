#include "engine/programs/mask-work.h"

#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/shots/mask-file.h"
#include "engine/shots/mask-rules.h"

/* The shots of a run, as far as they have been looked at. */
typedef struct
{
  char *key;
  char **files;
  guint64 *first; /* of each file, among all frames; n_files + 1 */
  guint n_files, counted, wanted, next, failed;
  guint current;    /* whose `source` is open; n_files: none */
  FlSource *source; /* or NULL */
  FlShot shot;
  FlMaskMeasure *measure;
} Run;

struct FlMaskWork
{
  FlMaskOpen open;
  gpointer data;
  char *name;
  char *key;
  FlSource *plain; /* with the geometry alone */
  guint8 *base;    /* NULL: nothing */
  char *kept;      /* the rules of the mask that is edited; NULL: it has none */
  Run run;
  char *done; /* the text that `result` is of; NULL: none */
  guint8 *result;
  guint32 *changed; /* by each of its rules */
  FlPicture *picture;
};

FlMaskWork *
fl_mask_work_new (FlMaskOpen open, gpointer data, const char *name)
{
  FlMaskWork *self = g_new0 (FlMaskWork, 1);
  self->open = open;
  self->data = data;
  self->name = g_strdup (name);
  self->picture = fl_picture_new ();
  return self;
}

static void
run_clear (Run *run)
{
  g_free (run->key);
  g_strfreev (run->files);
  g_free (run->first);
  g_clear_pointer (&run->source, fl_source_close);
  fl_shot_clear (&run->shot);
  fl_mask_measure_free (run->measure);
  *run = (Run){ 0 };
}

/* Moving the view asks for the same again. */
static void
forget_result (FlMaskWork *self)
{
  g_clear_pointer (&self->done, g_free);
  g_clear_pointer (&self->result, g_free);
  g_clear_pointer (&self->changed, g_free);
}

static void
forget (FlMaskWork *self)
{
  forget_result (self);
  run_clear (&self->run);
  g_clear_pointer (&self->key, g_free);
  g_clear_pointer (&self->plain, fl_source_close);
  g_clear_pointer (&self->base, g_free);
  g_clear_pointer (&self->kept, g_free);
}

void
fl_mask_work_free (FlMaskWork *self)
{
  if (self == NULL)
    return;
  forget (self);
  fl_picture_free (self->picture);
  g_free (self->name);
  g_free (self);
}

/* --- what the rules begin with --- */

static const char *
or_empty (const char *text)
{
  return text != NULL ? text : "";
}

/* What the mask says beyond the geometry; `option` names it for a source. */
static gboolean
read_base (FlMaskWork *self, const FlViewSourceRequest *request, const char *option, GError **error)
{
  FlViewSourceRequest with = { request->path, request->geometry, option, request->calibration };
  g_autoptr (FlSource) source = self->open (self->data, &with, FALSE, error);
  if (source == NULL)
    return FALSE;
  const FlDetector *plain = fl_source_detector (self->plain), *masked = fl_source_detector (source);
  if (masked->n_pixels != plain->n_pixels)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: has changed while it was read", request->path);
      return FALSE;
    }
  self->base = g_new (guint8, plain->n_pixels);
  for (gsize i = 0; i < plain->n_pixels; i++)
    self->base[i] = masked->mask[i] != 0 && plain->mask[i] == 0;
  return TRUE;
}

static gboolean
begin (FlMaskWork *self, const FlViewSourceRequest *request, const char *mask, GError **error)
{
  g_autofree char *key = g_strdup_printf ("%s\n%s\n%s\n%s", request->path, request->geometry, mask,
                                          or_empty (request->calibration));
  FlViewSourceRequest plain = { request->path, request->geometry, "", request->calibration };
  if (g_strcmp0 (key, self->key) == 0)
    return TRUE;
  g_autofree char *base = NULL;
  forget_result (self);
  g_clear_pointer (&self->key, g_free);
  g_clear_pointer (&self->plain, fl_source_close);
  g_clear_pointer (&self->base, g_free);
  g_clear_pointer (&self->kept, g_free);
  self->plain = self->open (self->data, &plain, FALSE, error);
  if (self->plain == NULL)
    return FALSE;
  self->kept = *mask != '\0' ? fl_mask_file_rules (mask, &base) : NULL;
  const char *option = self->kept != NULL ? base : *mask != '\0' ? mask : NULL;
  if (option != NULL && !read_base (self, request, option, error))
    return FALSE;
  self->key = g_steal_pointer (&key);
  return TRUE;
}

/* --- the run's shots --- */

static void
run_begin (FlMaskWork *self, const FlViewMaskRequest *request, const FlMaskRules *rules, double over)
{
  Run *run = &self->run;
  const char *const shown[] = { request->source.path, NULL };
  const char *const *files = request->files != NULL && *request->files != NULL ? request->files : shown;
  g_autofree char *all = g_strjoinv ("\n", (char **) files);
  FlDetector *detector = fl_source_detector (self->plain);
  g_autofree char *key =
      g_strdup_printf ("%s\n%s\n%zu %u %.17g\n%s", request->source.geometry,
                       or_empty (request->source.calibration), detector->n_pixels, rules->shots, over, all);
  if (g_strcmp0 (key, run->key) == 0)
    return;
  run_clear (run);
  forget_result (self);
  run->key = g_steal_pointer (&key);
  run->files = g_strdupv ((char **) files);
  run->n_files = run->current = g_strv_length (run->files);
  run->first = g_new0 (guint64, run->n_files + 1);
  run->wanted = rules->shots;
  run->measure = fl_mask_measure_new (detector, over);
}

/* The frames of one more file; one that cannot be opened has none. */
static void
count_file (FlMaskWork *self, const FlViewSourceRequest *request)
{
  Run *run = &self->run;
  FlViewSourceRequest what = { run->files[run->counted], request->geometry, "", request->calibration };
  g_autoptr (FlSource) source = self->open (self->data, &what, TRUE, NULL);
  guint64 n = source != NULL ? fl_source_n_frames (source) : 0;
  run->first[run->counted + 1] = run->first[run->counted] + n;
  if (++run->counted == run->n_files)
    run->wanted = (guint) MIN (run->wanted, run->first[run->n_files]);
}

static void
measure_shot (FlMaskWork *self, const FlViewSourceRequest *request)
{
  Run *run = &self->run;
  guint64 at = (2 * (guint64) run->next + 1) * run->first[run->n_files] / (2 * (guint64) run->wanted);
  guint file = 0;
  run->next++;
  while (at >= run->first[file + 1])
    file++;
  if (file != run->current)
    {
      FlViewSourceRequest what = { run->files[file], request->geometry, "", request->calibration };
      g_clear_pointer (&run->source, fl_source_close);
      run->source = self->open (self->data, &what, FALSE, NULL);
      run->current = file;
    }
  if (run->source == NULL
      || !fl_source_read (run->source, (guint32) (at - run->first[file]), &run->shot, NULL)
      || run->shot.n_pixels != fl_source_detector (self->plain)->n_pixels)
    run->failed++;
  else
    fl_mask_measure_add (run->measure, &run->shot);
}

/* TRUE: all that is wanted has been measured. */
static gboolean
measure (FlMaskWork *self, const FlViewSourceRequest *request, guint milliseconds)
{
  Run *run = &self->run;
  guint64 end = fl_tick_ns () + milliseconds * (guint64) 1000000;
  do
    if (run->counted < run->n_files)
      count_file (self, request);
    else if (run->next < run->wanted)
      measure_shot (self, request);
  while (fl_tick_ns () < end && (run->counted < run->n_files || run->next < run->wanted));
  gboolean done = run->counted == run->n_files && run->next >= run->wanted;
  if (done)
    g_clear_pointer (&run->source, fl_source_close);
  run->current = done ? run->n_files : run->current;
  return done;
}

/* --- the answer --- */

static void
count_panels (const FlDetector *detector, const guint8 *mask, FlViewMask *answer)
{
  for (guint i = 0; i < detector->n_panels; i++)
    {
      const FlPanel *panel = &detector->panels[i];
      FlViewMaskPanel *p = &answer->panels[i];
      p->name = g_strdup (panel->name);
      p->pixels = (guint64) panel->n_fs * panel->n_ss;
      for (guint ss = 0; ss < panel->n_ss; ss++)
        for (gsize at = panel->offset + ss * panel->stride, end = at + panel->n_fs; at < end; at++)
          {
            p->bad += detector->mask[at] != 0;
            p->masked += mask[at] != 0 && detector->mask[at] == 0;
          }
      answer->pixels += p->pixels;
      answer->bad += p->bad;
      answer->masked += p->masked;
    }
}

static FlViewMask *
progress (const FlMaskWork *self, const char *text)
{
  guint8 *shade;
  FlViewMask *answer = fl_view_mask_new (0, 0, 0, 0, &shade);
  answer->measured = self->run.next;
  answer->shots = MAX (self->run.wanted, self->run.next + 1);
  answer->failed = self->run.failed;
  answer->rules = g_strdup (text);
  return answer;
}

static gboolean
apply (FlMaskWork *self, const FlMaskRules *rules, const char *text, GError **error)
{
  const FlDetector *detector = fl_source_detector (self->plain);
  if (g_strcmp0 (self->done, text) == 0)
    return TRUE;
  forget_result (self);
  self->result = g_new0 (guint8, detector->n_pixels);
  self->changed = g_new0 (guint32, rules->n_rules);
  if (self->base != NULL)
    memcpy (self->result, self->base, detector->n_pixels);
  if (!fl_mask_rules_apply (rules, detector, self->run.measure, self->result, self->changed, error))
    return FALSE;
  self->done = g_strdup (text);
  return TRUE;
}

static FlViewMask *
finished (FlMaskWork *self, const FlViewMaskRequest *request, const FlMaskRules *rules, const char *text,
          FlVec3 shift, GError **error)
{
  FlDetector *detector = fl_source_detector (self->plain);
  guint8 *shade;
  double over;
  if (!apply (self, rules, text, error))
    return NULL;
  g_autofree guint8 *mask = g_memdup2 (self->result, detector->n_pixels);
  g_autoptr (FlViewMask) answer =
      fl_view_mask_new (rules->n_rules, detector->n_panels, request->width, request->height, &shade);
  if (rules->n_rules > 0)
    memcpy (answer->changed, self->changed, rules->n_rules * sizeof *self->changed);
  if (fl_mask_rules_need_shots (rules, &over))
    {
      answer->measured = answer->shots = self->run.next;
      answer->failed = self->run.failed;
    }
  answer->rules = g_strdup (text);
  for (gsize i = 0; self->base != NULL && i < detector->n_pixels; i++)
    answer->base += self->base[i];
  count_panels (detector, mask, answer);
  if (request->file
      && (answer->file = fl_mask_file_make (self->plain, mask, self->base, text, error)) == NULL)
    return NULL;
  for (gsize i = 0; i < detector->n_pixels; i++)
    if (detector->mask[i] != 0)
      mask[i] = 0; /* seen in the picture as it is */
  if (request->width > 0)
    fl_picture_shade (self->picture, detector, shift, mask, &request->rect, request->width, request->height,
                      shade);
  return g_steal_pointer (&answer);
}

FlViewMask *
fl_mask_work_ask (FlMaskWork *self, const FlViewMaskRequest *request, const char *mask, FlVec3 shift,
                  guint milliseconds, GError **error)
{
  double over;
  if (!begin (self, &request->source, mask, error))
    return NULL;
  const char *text = !request->keep ? request->rules : self->kept != NULL ? self->kept : "";
  g_autoptr (FlMaskRules) rules = fl_mask_rules_parse (self->name, text, strlen (text), error);
  if (rules == NULL)
    return NULL;
  if (fl_mask_rules_need_shots (rules, &over))
    {
      run_begin (self, request, rules, over);
      if (!measure (self, &request->source, milliseconds))
        return progress (self, text);
    }
  return finished (self, request, rules, text, shift, error);
}
