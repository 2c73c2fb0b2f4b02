#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/links.h"

#include "gui/people.h"

#include <glib/gi18n.h>

#include <string.h>

#include "gui/text.h"

#define MOST_TEXT 600 /* characters of anything that another machine says */

struct _FlgLinks
{
  GObject parent_instance;
  FlgExperiment *experiment;
  FlControlClient *client; /* NULL: of who only looks on, or closed */
  GHashTable *links;       /* site's id -> FlgLink */
};

enum
{
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlgLinks, flg_links, G_TYPE_OBJECT)

static void
step_free (FlgStep *step)
{
  g_free (step->name);
  g_free (step->state);
  g_free (step->message);
  g_free (step->advice);
  g_free (step);
}

static void
link_free (FlgLink *link)
{
  g_free (link->state);
  g_free (link->message);
  g_clear_pointer (&link->question, fl_remote_question_free);
  g_ptr_array_unref (link->steps);
  g_free (link);
}

static FlgLink *
get (FlgLinks *self, gint64 site)
{
  FlgLink *link = g_hash_table_lookup (self->links, &site);
  if (!link)
    {
      link = g_new0 (FlgLink, 1);
      link->site = site;
      link->state = g_strdup ("offline");
      link->message = g_strdup ("");
      link->round_trip = -1;
      link->steps = g_ptr_array_new_with_free_func ((GDestroyNotify) step_free);
      g_hash_table_insert (self->links, &link->site, link);
    }
  return link;
}

static void
changed (FlgLinks *self, gint64 site)
{
  g_signal_emit (self, signals[CHANGED], 0, site);
}

static void
set_text (char **text, const char *to)
{
  char *copy = flg_text_bounded (to, MOST_TEXT);
  g_free (*text);
  *text = copy;
}

static void
set_state (FlgLink *link, const char *state, gint64 round_trip, guint64 retry_at, const char *message)
{
  set_text (&link->state, state);
  set_text (&link->message, message);
  link->round_trip = round_trip;
  link->retry_at = retry_at;
}

/* --- what the conductor tells --- */

static void
on_link (FlgLinks *self, gint64 site, const char *state, gint64 round_trip, guint64 retry_at,
         const char *message)
{
  set_state (get (self, site), state, round_trip, retry_at, message);
  changed (self, site);
}

static void
on_question (FlgLinks *self, gint64 site, const FlRemoteQuestion *question)
{
  FlgLink *link = get (self, site);
  if (link->question && link->question->id == question->id)
    return;
  g_clear_pointer (&link->question, fl_remote_question_free);
  link->question = fl_remote_question_copy (question);
  set_text (&link->question->title, question->title);
  set_text (&link->question->text, question->text);
  for (guint i = 0; i < question->n_fields; i++)
    set_text (&link->question->labels[i], question->labels[i]);
  changed (self, site);
}

static void
on_void (FlgLinks *self, gint64 site, guint id)
{
  FlgLink *link = get (self, site);
  if (!link->question || link->question->id != id)
    return;
  g_clear_pointer (&link->question, fl_remote_question_free);
  changed (self, site);
}

static FlgStep *
find_step (FlgLink *link, const char *name)
{
  for (guint i = 0; i < link->steps->len; i++)
    if (strcmp (((FlgStep *) link->steps->pdata[i])->name, name) == 0)
      return link->steps->pdata[i];
  FlgStep *step = g_new0 (FlgStep, 1);
  step->name = g_strdup (name);
  step->begun = g_get_monotonic_time ();
  g_ptr_array_add (link->steps, step);
  return step;
}

static void
on_step (FlgLinks *self, gint64 site, const char *name, const char *state, const char *message,
         const char *advice, double seconds)
{
  FlgLink *link = get (self, site);
  FlgStep *step = find_step (link, name);
  if (g_strcmp0 (state, "running") == 0 && g_strcmp0 (step->state, "running") != 0)
    step->begun = g_get_monotonic_time ();
  set_text (&step->state, state);
  set_text (&step->message, message);
  set_text (&step->advice, advice);
  step->seconds = seconds;
  changed (self, site);
}

static void
on_probed (FlgLinks *self, gint64 site, gboolean well)
{
  FlgLink *link = get (self, site);
  link->probing = FALSE;
  link->probed = TRUE;
  link->well = well;
  changed (self, site);
}

/* --- what the store tells --- */

static void
read_workers (FlgLinks *self)
{
  FlgRecordModel *workers = flg_experiment_table (self->experiment, FL_TABLE_WORKER);
  for (guint i = 0; i < flg_record_model_count (workers); i++)
    {
      const FlWorker *worker = flg_record_worker (flg_record_model_at (workers, i));
      if (g_str_has_prefix (worker->name, "link:"))
        set_state (get (self, worker->site), worker->state, worker->round_trip, worker->next_try,
                   worker->message);
    }
}

static void
on_connected (FlgLinks *self)
{
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, self->links);
  /* What it asked and did belongs to a conductor that has gone; one that comes tells anew. */
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      FlgLink *link = value;
      g_clear_pointer (&link->question, fl_remote_question_free);
      link->probing = FALSE;
      if (!flg_links_is_connected (self))
        set_state (link, "offline", -1, 0, "");
    }
  changed (self, 0);
}

static void
on_experiment (FlgLinks *self, guint what)
{
  if ((what & FLG_CHANGED (FL_TABLE_WORKER)) && !self->client)
    read_workers (self);
  if (what & (FLG_CHANGED (FL_TABLE_SITE) | FLG_CHANGED (FL_TABLE_WORKER) | FLG_CHANGED_HEALTH))
    changed (self, 0);
}

/* --- what is asked --- */

gboolean
flg_links_is_connected (FlgLinks *self)
{
  return self->client && fl_control_client_is_connected (self->client);
}

const FlgLink *
flg_links_get (FlgLinks *self, gint64 site)
{
  return get (self, site);
}

FlgExperiment *
flg_links_experiment (FlgLinks *self)
{
  return self->experiment;
}

GArray *
flg_links_sites (FlgLinks *self)
{
  GArray *found = g_array_new (FALSE, FALSE, sizeof (gint64));
  FlgRecordModel *sites = flg_experiment_table (self->experiment, FL_TABLE_SITE);
  for (guint i = 0; i < flg_record_model_count (sites); i++)
    {
      const FlSite *site = flg_record_site (flg_record_model_at (sites, i));
      if (strcmp (site->kind, "ssh") == 0)
        g_array_append_val (found, site->id);
    }
  return found;
}

const FlSite *
flg_links_site (FlgLinks *self, const FlgLink *link)
{
  return flg_experiment_site (self->experiment, link->site);
}

/* How much it needs somebody: the more, the worse. A paused site may well be offline. */
static int
need_of (FlgLinks *self, const FlgLink *link)
{
  static const char *const by_need[] = { "up", "connecting", "slow", "offline", "lost", "asking" };
  const FlSite *site = flg_links_site (self, link);
  if (link->question)
    return G_N_ELEMENTS (by_need);
  if (g_strcmp0 (link->state, "offline") == 0 && site && !site->active)
    return -1;
  for (guint i = 0; i < G_N_ELEMENTS (by_need); i++)
    if (g_strcmp0 (link->state, by_need[i]) == 0)
      return (int) i;
  return 0;
}

const FlgLink *
flg_links_worst (FlgLinks *self)
{
  g_autoptr (GArray) sites = flg_links_sites (self);
  const FlgLink *worst = NULL;
  for (guint i = 0; i < sites->len; i++)
    {
      const FlgLink *link = get (self, g_array_index (sites, gint64, i));
      if (!worst || need_of (self, link) > need_of (self, worst))
        worst = link;
    }
  return worst;
}

static char *
words_of_lost (FlgLinks *self, const FlgLink *link)
{
  guint64 now = flg_experiment_now (self->experiment);
  if (link->retry_at == 0)
    return g_strdup (_ ("lost"));
  guint64 left = link->retry_at > now ? (link->retry_at - now + 999999999) / 1000000000 : 0;
  return left ? g_strdup_printf (_ ("lost, retry in %u s"), (guint) MIN (left, 9999))
              : g_strdup (_ ("lost, retrying"));
}

char *
flg_links_words (FlgLinks *self, const FlgLink *link)
{
  if (link->question || g_strcmp0 (link->state, "asking") == 0)
    return g_strdup (_ ("asks"));
  if (g_strcmp0 (link->state, "lost") == 0)
    return words_of_lost (self, link);
  gboolean slow = g_strcmp0 (link->state, "slow") == 0;
  if ((slow || g_strcmp0 (link->state, "up") == 0) && link->round_trip >= 0)
    return g_strdup_printf (slow ? _ ("slow, %.0f ms") : _ ("up, %.0f ms"), (double) link->round_trip / 1000);
  return g_strdup (slow                                         ? _ ("slow")
                   : g_strcmp0 (link->state, "up") == 0         ? _ ("up")
                   : g_strcmp0 (link->state, "connecting") == 0 ? _ ("connecting")
                                                                : _ ("offline"));
}

/* The conductor listens to its own user's windows; a viewer's asks nothing of it. */
static gboolean
may_ask (FlgLinks *self)
{
  return self->client && flg_may_change (self->experiment);
}

void
flg_links_connect (FlgLinks *self, gint64 site)
{
  if (may_ask (self))
    fl_control_client_connect_site (self->client, site);
}

void
flg_links_disconnect (FlgLinks *self, gint64 site)
{
  if (may_ask (self))
    fl_control_client_disconnect_site (self->client, site);
}

void
flg_links_answer (FlgLinks *self, gint64 site, guint id, const char *const *answers)
{
  FlgLink *link = get (self, site);
  if (may_ask (self))
    fl_control_client_answer (self->client, site, id, answers);
  if (!link->question || link->question->id != id)
    return;
  g_clear_pointer (&link->question, fl_remote_question_free);
  changed (self, site);
}

void
flg_links_probe (FlgLinks *self, gint64 site, gboolean push)
{
  FlgLink *link = get (self, site);
  if (!flg_links_is_connected (self) || !may_ask (self))
    return;
  g_ptr_array_set_size (link->steps, 0);
  link->probing = TRUE;
  link->probed = FALSE;
  fl_control_client_probe (self->client, site, push);
  changed (self, site);
}

void
flg_links_stop_probe (FlgLinks *self, gint64 site)
{
  if (may_ask (self))
    fl_control_client_stop_probe (self->client, site);
  get (self, site)->probing = FALSE;
  changed (self, site);
}

/* --- object --- */

FlgLinks *
flg_links_new (FlgExperiment *experiment)
{
  FlgLinks *self = g_object_new (FLG_TYPE_LINKS, NULL);
  self->experiment = g_object_ref (experiment);
  g_signal_connect_object (experiment, "changed", G_CALLBACK (on_experiment), self, G_CONNECT_SWAPPED);
  if (flg_experiment_is_read_only (experiment))
    return self;
  self->client = fl_control_client_new (flg_experiment_folder (experiment));
  g_signal_connect_object (self->client, "link", G_CALLBACK (on_link), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->client, "question", G_CALLBACK (on_question), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->client, "question-void", G_CALLBACK (on_void), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->client, "step", G_CALLBACK (on_step), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->client, "probed", G_CALLBACK (on_probed), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->client, "notify::connected", G_CALLBACK (on_connected), self,
                           G_CONNECT_SWAPPED);
  return self;
}

void
flg_links_close (FlgLinks *self)
{
  if (!self->client)
    return;
  g_signal_handlers_disconnect_by_data (self->client, self);
  fl_control_client_close (self->client);
  g_clear_object (&self->client);
}

static void
flg_links_dispose (GObject *object)
{
  FlgLinks *self = FLG_LINKS (object);
  flg_links_close (self);
  g_clear_object (&self->experiment);
  G_OBJECT_CLASS (flg_links_parent_class)->dispose (object);
}

static void
flg_links_finalize (GObject *object)
{
  g_hash_table_unref (FLG_LINKS (object)->links);
  G_OBJECT_CLASS (flg_links_parent_class)->finalize (object);
}

static void
flg_links_class_init (FlgLinksClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = flg_links_dispose;
  G_OBJECT_CLASS (klass)->finalize = flg_links_finalize;
  signals[CHANGED] = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                   NULL, G_TYPE_NONE, 1, G_TYPE_INT64);
}

static void
flg_links_init (FlgLinks *self)
{
  self->links = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, (GDestroyNotify) link_free);
}
