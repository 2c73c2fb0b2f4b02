#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/header-strip.h"

#include <glib/gi18n.h>

#include "gui/finding-chip.h"
#include "gui/goal-chip.h"
#include "gui/text.h"
#include "widgets/readout.h"
#include "widgets/status-chip.h"

struct _FlgHeaderStrip
{
  GtkBox parent_instance;
  FlgContext *context;
  FlwReadout *hits, *indexed, *newest, *lag, *failed;
  FlwStatusChip *conductor, *link;
  FlgFindingChip *findings;
  GtkBox *middle; /* chips of two lines, one above the other: what is broken, … */
  FlgFreshness freshness;
  char *summary;
  guint beat;
};

enum
{
  PROP_0,
  PROP_SUMMARY,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (FlgHeaderStrip, flg_header_strip, GTK_TYPE_BOX)

static double
seconds_since (guint64 then, guint64 now)
{
  return now > then ? (double) (now - then) / 1e9 : 0;
}

static gboolean
shots_are_expected (FlgExperiment *experiment, const FlOverview *overview)
{
  if (overview->jobs_running > 0 || overview->runs_waiting > 0)
    return TRUE;
  FlgRecordModel *runs = flg_experiment_table (experiment, FL_TABLE_RUN);
  for (guint i = flg_record_model_count (runs); i > 0; i--)
    if (g_str_equal (flg_record_run (flg_record_model_at (runs, i - 1))->state, "recording"))
      return TRUE;
  return FALSE;
}

static FlgFreshness
judge (FlgExperiment *experiment, const FlgGlance *glance, guint64 now)
{
  if (glance->problem || (glance->heard && seconds_since (glance->heard, now) > FLG_LOST_AFTER_S))
    return FLG_LOST;
  if (glance->overview.newest == 0)
    return FLG_NONE;
  if (!flg_experiment_is_read_only (experiment) && shots_are_expected (experiment, &glance->overview)
      && seconds_since (glance->overview.newest, now) > FLG_STALE_AFTER_S)
    return FLG_STALE;
  return FLG_FRESH;
}

static void
show_hits (FlgHeaderStrip *self, const FlgGlance *glance, GString *words)
{
  if (glance->recent_shots == 0)
    {
      flw_readout_set_value (self->hits, NULL, 0);
      flw_readout_set_note (self->hits, _ ("no shots yet"));
      g_string_append (words, _ ("no shots processed yet"));
      return;
    }
  g_autofree char *value =
      g_strdup_printf ("%.1f", 100.0 * (double) glance->recent_hits / (double) glance->recent_shots);
  /* TRANSLATORS: under the hit rate: of how many shots it was taken */
  g_autofree char *shots = flg_format_count (glance->recent_shots);
  g_autofree char *note = g_strdup_printf (_ ("last %s shots"), shots);
  flw_readout_set_value (self->hits, value, 0);
  flw_readout_set_note (self->hits, note);
  g_string_append_printf (words, _ ("hits %s %% of the %s"), value, note);
}

/* Only where the newest trial indexes at all: 0 % would alarm somebody who looks for spots. */
static void
show_indexed (FlgHeaderStrip *self, const FlgGlance *glance, GString *words)
{
  gboolean indexes = glance->overview.indexed > 0;
  gtk_widget_set_visible (GTK_WIDGET (self->indexed), indexes);
  if (!indexes)
    return;
  if (glance->recent_hits == 0)
    {
      flw_readout_set_value (self->indexed, NULL, 0);
      flw_readout_set_note (self->indexed, _ ("no hits of late"));
      return;
    }
  g_autofree char *value =
      g_strdup_printf ("%.1f", 100.0 * (double) glance->recent_indexed / (double) glance->recent_hits);
  g_autofree char *hits = flg_format_count (glance->recent_hits);
  g_autofree char *note =
      g_strdup_printf (ngettext ("of %s hit", "of %s hits", (gulong) glance->recent_hits), hits);
  flw_readout_set_value (self->indexed, value, 0);
  flw_readout_set_note (self->indexed, note);
  g_string_append_printf (words, _ ("; indexed %s %% %s"), value, note);
}

static void
show_newest (FlgHeaderStrip *self, const FlgGlance *glance, guint64 now, GString *words)
{
  static const FlwTone tones[] = { FLW_TONE_NEUTRAL, FLW_TONE_WARNING, FLW_TONE_BAD, FLW_TONE_NEUTRAL };
  const char *notes[] = { _ ("fresh"), _ ("stale"), _ ("lost"), NULL };
  flw_readout_set_tone (self->newest, tones[self->freshness]);
  if (glance->overview.newest == 0)
    {
      flw_readout_set_value (self->newest, NULL, 0);
      flw_readout_set_note (self->newest, NULL);
      return;
    }
  double age = seconds_since (glance->overview.newest, now);
  g_autofree char *value = flw_format_age (age);
  flw_readout_set_value (self->newest, value, 0);
  gboolean over = self->freshness == FLG_FRESH && age > FLG_STALE_AFTER_S;
  flw_readout_set_note (self->newest, over ? _ ("nothing is running") : notes[self->freshness]);
  g_string_append_printf (words, _ ("; newest shot %s ago, %s"), value,
                          over ? _ ("nothing is running") : notes[self->freshness]);
}

static void
show_lag (FlgHeaderStrip *self, const FlOverview *overview, GString *words)
{
  if (overview->acquired == 0 && overview->runs_waiting == 0)
    {
      flw_readout_set_value (self->lag, NULL, 0);
      flw_readout_set_note (self->lag, NULL);
      return;
    }
  gint64 behind = MAX (overview->acquired - overview->processed, 0);
  g_autofree char *value =
      behind < 1000000 ? flg_format_count (behind) : g_strdup_printf (_ ("%.2f M"), (double) behind / 1e6);
  g_autofree char *note = NULL;
  if (overview->runs_waiting)
    {
      g_autofree char *age = flw_format_age ((double) overview->lag / 1e9);
      note = g_strdup_printf (ngettext ("%u run waits, %s", "%u runs wait, %s", overview->runs_waiting),
                              overview->runs_waiting, age);
    }
  flw_readout_set_value (self->lag, value, 0);
  flw_readout_set_note (self->lag, note ? note : behind ? _ ("not being processed") : _ ("up to date"));
  flw_readout_set_tone (self->lag, overview->lag > 300 * G_GUINT64_CONSTANT (1000000000) ? FLW_TONE_WARNING
                                                                                         : FLW_TONE_NEUTRAL);
  g_string_append_printf (words, _ ("; %s shots behind"), value);
}

static void
show_failed (FlgHeaderStrip *self, const FlOverview *overview, GString *words)
{
  g_autofree char *value = g_strdup_printf ("%u", overview->jobs_failed);
  flw_readout_set_value (self->failed, value, 0);
  const char *reason = overview->failed_reason && *overview->failed_reason ? overview->failed_reason : NULL;
  flw_readout_set_note (self->failed, overview->jobs_failed ? reason : _ ("all jobs well"));
  flw_readout_set_tone (self->failed, overview->jobs_failed ? FLW_TONE_BAD : FLW_TONE_NEUTRAL);
  GtkWidget *button = gtk_widget_get_ancestor (GTK_WIDGET (self->failed), GTK_TYPE_BUTTON);
  gtk_widget_set_tooltip_text (button, reason);
  if (overview->jobs_failed)
    g_string_append_printf (words, _ ("; %u failed jobs: %s"), overview->jobs_failed, reason ? reason : "?");
}

/* A copy of an experiment on another machine: how old is it? */
static void
show_follow (FlgHeaderStrip *self, GString *words)
{
  FlgFollow *follow = flg_context_follow (self->context);
  g_autofree char *text = follow ? flg_follow_short_words (follow) : g_strdup (_ ("a copy"));
  g_autofree char *tip = follow
                             ? flg_follow_words (follow)
                             : g_strdup (_ ("A copy of an experiment on another machine, as it was left."));
  FlgFollowState state = follow ? flg_follow_state (follow) : FLG_FOLLOW_BEGINNING;
  if (!follow)
    flw_status_chip_set (self->conductor, FLW_SHAPE_DASH, FLW_TONE_NEUTRAL, text);
  else if (state == FLG_FOLLOW_UP)
    flw_status_chip_set (self->conductor, FLW_SHAPE_DISC, FLW_TONE_GOOD, text);
  else if (state == FLG_FOLLOW_BEGINNING || state == FLG_FOLLOW_CATCHING_UP)
    flw_status_chip_set (self->conductor, FLW_SHAPE_HALF, FLW_TONE_ACTIVE, text);
  else
    flw_status_chip_set (self->conductor, FLW_SHAPE_CROSS, FLW_TONE_BAD, text);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->conductor), tip);
  g_string_append_printf (words, "; %s", text);
}

static void
show_conductor (FlgHeaderStrip *self, const FlgGlance *glance, GString *words)
{
  FlgExperiment *experiment = flg_context_experiment (self->context);
  if (flg_experiment_is_copy (experiment) && self->freshness != FLG_LOST)
    {
      show_follow (self, words);
      return;
    }
  if (glance->lost)
    flw_status_chip_set (self->conductor, FLW_SHAPE_CROSS, FLW_TONE_WARNING, _ ("database lost"));
  else if (self->freshness == FLG_LOST)
    flw_status_chip_set (self->conductor, FLW_SHAPE_CROSS, FLW_TONE_BAD, _ ("store lost"));
  else if (glance->conductor)
    flw_status_chip_set (self->conductor, FLW_SHAPE_DISC, FLW_TONE_GOOD, _ ("conductor"));
  else if (flg_experiment_archive (experiment))
    flw_status_chip_set (self->conductor, FLW_SHAPE_DASH, FLW_TONE_NEUTRAL, _ ("archive"));
  else if (flg_experiment_is_read_only (experiment))
    flw_status_chip_set (self->conductor, FLW_SHAPE_DASH, FLW_TONE_NEUTRAL, _ ("read-only"));
  else
    flw_status_chip_set (self->conductor, FLW_SHAPE_RING, FLW_TONE_WARNING, _ ("no conductor"));
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->conductor),
                               glance->problem ? glance->problem
                               : glance->conductor
                                   ? glance->conductor
                                   : _ ("Nobody plans and submits jobs for this experiment."));
  g_string_append (words, glance->conductor ? _ ("; conductor up") : _ ("; no conductor"));
}

static void
show_link (FlgHeaderStrip *self)
{
  FlViewClient *view = flg_context_view (self->context);
  gtk_widget_set_visible (GTK_WIDGET (self->link), view != NULL);
  if (!view)
    return;
  g_autofree char *tip = NULL;
  switch (fl_view_client_state (view))
    {
    case FL_VIEW_UP:
      flw_status_chip_set (self->link, FLW_SHAPE_DISC, FLW_TONE_GOOD, _ ("images"));
      tip = g_strdup_printf (_ ("Images and logs answer within %.1f ms."),
                             (double) MAX (fl_view_client_round_trip (view), 0) / 1000);
      break;
    case FL_VIEW_SLOW:
      flw_status_chip_set (self->link, FLW_SHAPE_CLOCK, FLW_TONE_WARNING, _ ("images slow"));
      break;
    case FL_VIEW_STARTING:
      flw_status_chip_set (self->link, FLW_SHAPE_HALF, FLW_TONE_NEUTRAL, _ ("images"));
      break;
    case FL_VIEW_RESTARTING:
    default:
      flw_status_chip_set (self->link, FLW_SHAPE_CROSS, FLW_TONE_BAD, _ ("images lost"));
    }
  const char *message = fl_view_client_message (view);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->link), message && *message ? message : tip);
}

void
flg_header_strip_refresh (FlgHeaderStrip *self)
{
  FlgExperiment *experiment = flg_context_experiment (self->context);
  const FlgGlance *glance = flg_experiment_glance (experiment);
  guint64 now = flg_experiment_now (experiment);
  self->freshness = judge (experiment, glance, now);
  g_autoptr (GString) words = g_string_new (NULL);
  FlwReadout *all[] = { self->hits, self->indexed, self->newest, self->lag, self->failed };
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    flw_readout_set_lost (all[i], self->freshness == FLG_LOST);
  show_hits (self, glance, words);
  show_indexed (self, glance, words);
  show_newest (self, glance, now, words);
  show_lag (self, &glance->overview, words);
  show_failed (self, &glance->overview, words);
  show_conductor (self, glance, words);
  show_link (self);
  if (self->freshness == FLG_LOST)
    g_string_append_printf (words, _ ("; store lost: %s"),
                            glance->problem ? glance->problem : _ ("it does not answer"));
  if (g_strcmp0 (self->summary, words->str) != 0)
    {
      g_free (self->summary);
      self->summary = g_strdup (words->str);
      gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                      self->summary, -1);
      g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_SUMMARY]);
    }
}

FlgFreshness
flg_header_strip_freshness (FlgHeaderStrip *self)
{
  return self->freshness;
}

static gboolean
on_beat (gpointer data)
{
  flg_header_strip_refresh (data);
  return G_SOURCE_CONTINUE;
}

static void
flg_header_strip_dispose (GObject *object)
{
  FlgHeaderStrip *self = FLG_HEADER_STRIP (object);
  g_clear_handle_id (&self->beat, g_source_remove);
  g_clear_object (&self->context);
  G_OBJECT_CLASS (flg_header_strip_parent_class)->dispose (object);
}

static void
flg_header_strip_finalize (GObject *object)
{
  g_free (FLG_HEADER_STRIP (object)->summary);
  G_OBJECT_CLASS (flg_header_strip_parent_class)->finalize (object);
}

static void
flg_header_strip_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  if (id == PROP_SUMMARY)
    g_value_set_string (value, FLG_HEADER_STRIP (object)->summary);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
flg_header_strip_class_init (FlgHeaderStripClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  object_class->dispose = flg_header_strip_dispose;
  object_class->finalize = flg_header_strip_finalize;
  object_class->get_property = flg_header_strip_get_property;
  properties[PROP_SUMMARY] = g_param_spec_string (
      "summary", NULL, NULL, "", G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  gtk_widget_class_set_css_name (GTK_WIDGET_CLASS (klass), "headerstrip");
  gtk_widget_class_set_accessible_role (GTK_WIDGET_CLASS (klass), GTK_ACCESSIBLE_ROLE_STATUS);
}

static FlwReadout *
make_readout (const char *title, const char *unit, const char *widest, const char *widest_note)
{
  FlwReadout *readout = FLW_READOUT (flw_readout_new (title, unit, widest));
  flw_readout_set_widest_note (readout, widest_note);
  return readout;
}

static FlwReadout *
add_readout (FlgHeaderStrip *self, FlwReadout *readout)
{
  gtk_box_append (GTK_BOX (self), GTK_WIDGET (readout));
  return readout;
}

static void
flg_header_strip_init (FlgHeaderStrip *self)
{
  /* In one line at 1280 px: what is longer ends in an ellipsis. */
  self->hits = add_readout (self, make_readout (_ ("Hits"), "%", "100.0", _ ("last 9,999 shots")));
  self->indexed = add_readout (self, make_readout (_ ("Indexed"), "%", "100.0", _ ("of 9,999 hits")));
  self->newest =
      add_readout (self, make_readout (_ ("Newest shot"), NULL, "99 min", _ ("nothing is running")));
  self->lag =
      add_readout (self, make_readout (_ ("Shots behind"), NULL, "999,999", _ ("3 runs wait, 59 min")));
  self->failed = make_readout (_ ("Failed jobs"), NULL, "999", _ ("all jobs well"));
  GtkWidget *button = gtk_button_new ();
  gtk_widget_add_css_class (button, "flat");
  gtk_actionable_set_action_name (GTK_ACTIONABLE (button), "win.show-failed");
  gtk_button_set_child (GTK_BUTTON (button), GTK_WIDGET (self->failed));
  gtk_box_append (GTK_BOX (self), button);
  self->middle = GTK_BOX (gtk_box_new (GTK_ORIENTATION_VERTICAL, 2));
  gtk_widget_set_hexpand (GTK_WIDGET (self->middle), TRUE);
  gtk_widget_set_valign (GTK_WIDGET (self->middle), GTK_ALIGN_CENTER);
  gtk_box_append (GTK_BOX (self), GTK_WIDGET (self->middle));
  GtkWidget *chips = gtk_box_new (GTK_ORIENTATION_VERTICAL, 4);
  gtk_widget_set_valign (chips, GTK_ALIGN_CENTER);
  self->conductor = FLW_STATUS_CHIP (flw_status_chip_new ());
  self->link = FLW_STATUS_CHIP (flw_status_chip_new ());
  gtk_box_append (GTK_BOX (chips), GTK_WIDGET (self->conductor));
  gtk_box_append (GTK_BOX (chips), GTK_WIDGET (self->link));
  gtk_box_append (GTK_BOX (self), chips);
}

GtkWidget *
flg_header_strip_new (FlgContext *context)
{
  FlgHeaderStrip *self = g_object_new (FLG_TYPE_HEADER_STRIP, "spacing", 0, NULL);
  self->context = g_object_ref (context);
  gtk_box_append (self->middle, flg_goal_chip_new (flg_context_experiment (context)));
  self->findings = FLG_FINDING_CHIP (flg_finding_chip_new (context));
  gtk_box_append (self->middle, GTK_WIDGET (self->findings));
  g_signal_connect_object (flg_context_experiment (context), "changed", G_CALLBACK (flg_header_strip_refresh),
                           self, G_CONNECT_SWAPPED);
  if (flg_context_view (context))
    g_signal_connect_object (flg_context_view (context), "notify", G_CALLBACK (show_link), self,
                             G_CONNECT_SWAPPED);
  self->beat = g_timeout_add_seconds (1, on_beat, self);
  flg_header_strip_refresh (self);
  return GTK_WIDGET (self);
}
