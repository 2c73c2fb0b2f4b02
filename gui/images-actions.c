#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/images-private.h"

#include <glib/gi18n.h>

#define NUMBERS_HEIGHT 340 /* px, below the values that are tried */

/* --- from shot to shot --- */

static const struct
{
  const char *action;
  FlgShotKind kind;
  int by;
  const char *none;
} steps[] = {
  { "images.next-hit", FLG_SHOTS_HITS, 1, N_ ("This is the last hit.") },
  { "images.previous-hit", FLG_SHOTS_HITS, -1, N_ ("This is the first hit.") },
  { "images.next-indexed", FLG_SHOTS_INDEXED, 1, N_ ("No shot after this one is indexed.") },
  { "images.previous-indexed", FLG_SHOTS_INDEXED, -1, N_ ("No shot before this one is indexed.") },
  { "images.next-unindexed", FLG_SHOTS_UNINDEXED, 1, N_ ("All hits after this one are indexed.") },
  { "images.previous-unindexed", FLG_SHOTS_UNINDEXED, -1, N_ ("All hits before this one are indexed.") },
};

static gboolean
find_step (FlgImagesPage *self, FlgShotKind kind, int by, FlgShotRef *ref)
{
  guint32 source = self->source;
  if (!self->list)
    return FALSE;
  flg_shot_list_source (self->list, flg_shot_picture_path (self->picture), &source);
  return flg_shot_list_step (self->list, source, flg_shot_picture_frame (self->picture), by, kind, ref);
}

gboolean
flg_images_page_next (FlgImagesPage *self, const char **path, guint32 *frame)
{
  FlgShotRef ref;
  if (self->along != FLG_SHOTS_LAST)
    {
      if (!find_step (self, self->along, self->by, &ref))
        return FALSE;
      *path = flg_shot_list_path (self->list, ref.source);
      *frame = ref.frame;
      return *path != NULL;
    }
  gint64 next = (gint64) flg_shot_picture_frame (self->picture) + self->by;
  *path = flg_shot_picture_path (self->picture);
  *frame = (guint32) next;
  return *path && next >= 0 && next < (gint64) flg_shot_picture_n_frames (self->picture);
}

static void
act_step (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgImagesPage *self = FLG_IMAGES_PAGE (widget);
  FlgShotRef ref;
  guint i = 0;
  while (g_strcmp0 (steps[i].action, action) != 0)
    i++;
  self->along = steps[i].kind;
  self->by = steps[i].by;
  if (find_step (self, steps[i].kind, steps[i].by, &ref))
    flg_images_page_show_ref (self, &ref);
  else
    flw_banner_show (flg_page_banner (FLG_PAGE (self)), FLW_TONE_NEUTRAL, _ (steps[i].none), NULL, 3);
}

void
flg_images_page_enable_steps (FlgImagesPage *self)
{
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    gtk_widget_action_set_enabled (GTK_WIDGET (self), steps[i].action,
                                   self->list && flg_shot_list_of_kind (self->list, steps[i].kind) > 0);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "images.random",
                                 self->list && flg_shot_list_of_kind (self->list, FLG_SHOTS_HITS) > 0);
}

static void
act_random (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgImagesPage *self = FLG_IMAGES_PAGE (widget);
  FlgShotRef ref;
  guint hits = self->list ? flg_shot_list_of_kind (self->list, FLG_SHOTS_HITS) : 0;
  if (hits && flg_shot_list_hit (self->list, (guint) g_rand_int_range (self->random, 0, (gint32) hits), &ref))
    flg_images_page_show_ref (self, &ref);
}

static void
act_back (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgImagesPage *self = FLG_IMAGES_PAGE (widget);
  if (self->history->len == 0)
    return;
  FlgImagePlace *last = &g_array_index (self->history, FlgImagePlace, self->history->len - 1);
  g_autofree char *path = g_strdup (last->path);
  guint32 source = last->source, frame = last->frame;
  g_array_set_size (self->history, self->history->len - 1);
  gtk_widget_action_set_enabled (widget, "images.back", self->history->len > 0);
  flg_images_page_show_place (self, path, source, frame, FALSE);
}

static void
go (FlgImagesPage *self, gint64 frame)
{
  const char *path = flg_shot_picture_path (self->picture);
  guint32 frames = flg_shot_picture_n_frames (self->picture);
  if (path && frame >= 0 && (frames == 0 || frame < (gint64) frames))
    flg_images_page_show_place (self, path, self->source, (guint32) frame, TRUE);
}

static void
act_step_frame (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgImagesPage *self = FLG_IMAGES_PAGE (widget);
  self->along = FLG_SHOTS_LAST;
  self->by = g_str_equal (action, "images.next-frame") ? 1 : -1;
  go (self, (gint64) flg_shot_picture_frame (self->picture) + self->by);
}

static void
act_go (GtkWidget *widget, const char *action, GVariant *target)
{
  go (FLG_IMAGES_PAGE (widget), g_variant_get_uint32 (target));
}

static void
act_open (GtkWidget *widget, const char *action, GVariant *target)
{
  const char *path;
  guint32 frame;
  g_variant_get (target, "(&su)", &path, &frame);
  flg_images_page_show_place (FLG_IMAGES_PAGE (widget), path, G_MAXUINT32, frame, TRUE);
}

/* --- what lies over the image --- */

static void
act_toggle (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgImagesPage *self = FLG_IMAGES_PAGE (widget);
  GtkToggleButton *button =
      g_str_equal (action, "images.spots") ? self->spots_button : self->predictions_button;
  gtk_toggle_button_set_active (button, !gtk_toggle_button_get_active (button));
}

static void
act_choose_side (GtkWidget *widget, const char *action, GVariant *target)
{
  flg_compare_panel_choose (FLG_IMAGES_PAGE (widget)->compare,
                            g_str_equal (action, "images.side-a") ? FLG_SIDE_A : FLG_SIDE_B,
                            g_variant_get_int64 (target));
}

static void
act_show_side (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgComparePanel *compare = FLG_IMAGES_PAGE (widget)->compare;
  FlgSide side = target ? (g_str_equal (g_variant_get_string (target, NULL), "b") ? FLG_SIDE_B : FLG_SIDE_A)
                 : flg_compare_panel_shown (compare) == FLG_SIDE_A ? FLG_SIDE_B
                                                                   : FLG_SIDE_A;
  flg_compare_panel_show_side (compare, side);
}

static void
on_tuner_closed (FlgImagesPage *self)
{
  gtk_widget_activate_action (GTK_WIDGET (self), "images.tune", NULL);
}

static void
act_tune (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgImagesPage *self = FLG_IMAGES_PAGE (widget);
  gboolean open = !gtk_widget_get_visible (GTK_WIDGET (self->tuner_slot));
  if (self->masking)
    gtk_widget_activate_action (widget, "images.mask", NULL);
  if (!self->tuner)
    {
      self->tuner = FLG_TRIAL_TUNER (flg_trial_tuner_new ());
      gtk_box_append (self->tuner_slot, GTK_WIDGET (self->tuner));
      g_signal_connect_object (self->tuner, "closed", G_CALLBACK (on_tuner_closed), self, G_CONNECT_SWAPPED);
    }
  gtk_widget_set_visible (GTK_WIDGET (self->tuner_slot), open);
  gtk_widget_set_visible (self->places, !open);
  gtk_widget_set_visible (self->about, !open);
  gtk_widget_set_vexpand (GTK_WIDGET (self->numbers), !open);
  gtk_scrolled_window_set_max_content_height (self->numbers, open ? NUMBERS_HEIGHT : -1);
  if (open)
    flg_compare_panel_tune (self->compare, self->tuner);
  else
    gtk_widget_grab_focus (GTK_WIDGET (self->view));
}

static void
act_set_value (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgImagesPage *self = FLG_IMAGES_PAGE (widget);
  const char *parameter, *text;
  g_variant_get (target, "(&s&s)", &parameter, &text);
  if (self->tuner)
    flg_trial_tuner_type (self->tuner, parameter, text);
}

/* --- keys --- */

/* Before the view's own (P would toggle panels), not while something is typed. */
static gboolean
on_key (GtkEventControllerKey *controller, guint key, guint code, GdkModifierType state, FlgImagesPage *self)
{
  static const struct
  {
    guint key;
    gboolean shift;
    const char *action;
  } keys[] = {
    { GDK_KEY_n, FALSE, "images.next-hit" },
    { GDK_KEY_p, FALSE, "images.previous-hit" },
    { GDK_KEY_i, FALSE, "images.next-indexed" },
    { GDK_KEY_i, TRUE, "images.previous-indexed" },
    { GDK_KEY_u, FALSE, "images.next-unindexed" },
    { GDK_KEY_u, TRUE, "images.previous-unindexed" },
    { GDK_KEY_space, FALSE, "images.random" },
    { GDK_KEY_BackSpace, FALSE, "images.back" },
    { GDK_KEY_Page_Down, FALSE, "images.next-frame" },
    { GDK_KEY_Page_Up, FALSE, "images.previous-frame" },
    { GDK_KEY_s, FALSE, "images.spots" },
    { GDK_KEY_l, FALSE, "images.predictions" },
    { GDK_KEY_x, FALSE, "images.flip" },
    { GDK_KEY_e, FALSE, "images.tune" },
    { GDK_KEY_m, FALSE, "images.mask" },
  };
  GtkWidget *focus = gtk_root_get_focus (gtk_widget_get_root (GTK_WIDGET (self)));
  if (state & (GDK_CONTROL_MASK | GDK_ALT_MASK) || (focus && GTK_IS_EDITABLE (focus))
      || (focus && GTK_IS_BUTTON (focus) && key == GDK_KEY_space))
    return focus && GTK_IS_EDITABLE (focus) ? FALSE : flg_images_page_mask_key (self, key, state);
  if (flg_images_page_mask_key (self, key, state))
    return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    if (keys[i].key == gdk_keyval_to_lower (key) && keys[i].shift == !!(state & GDK_SHIFT_MASK))
      return gtk_widget_activate_action (GTK_WIDGET (self), keys[i].action, NULL) || TRUE;
  return FALSE;
}

void
flg_images_page_add_keys (FlgImagesPage *self)
{
  GtkEventController *keys = gtk_event_controller_key_new ();
  gtk_event_controller_set_propagation_phase (keys, GTK_PHASE_CAPTURE);
  g_signal_connect_object (keys, "key-pressed", G_CALLBACK (on_key), self, 0);
  gtk_widget_add_controller (GTK_WIDGET (self), keys);
}

void
flg_images_page_install_actions (GtkWidgetClass *klass)
{
  static const struct
  {
    const char *name, *type;
    GtkWidgetActionActivateFunc act;
  } actions[] = {
    { "images.random", NULL, act_random },
    { "images.back", NULL, act_back },
    { "images.next-frame", NULL, act_step_frame },
    { "images.previous-frame", NULL, act_step_frame },
    { "images.go", "u", act_go },
    { "images.open", "(su)", act_open },
    { "images.spots", NULL, act_toggle },
    { "images.predictions", NULL, act_toggle },
    { "images.side-a", "x", act_choose_side },
    { "images.side-b", "x", act_choose_side },
    { "images.show-side", "s", act_show_side },
    { "images.flip", NULL, act_show_side },
    { "images.tune", NULL, act_tune },
    { "images.set-value", "(ss)", act_set_value },
  };
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    gtk_widget_class_install_action (klass, steps[i].action, NULL, act_step);
  for (guint i = 0; i < G_N_ELEMENTS (actions); i++)
    gtk_widget_class_install_action (klass, actions[i].name, actions[i].type, actions[i].act);
  flg_images_page_install_mask_actions (klass);
}
