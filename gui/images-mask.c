#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/images-private.h"

#include <string.h>

/* Of a run's files, spread evenly: what a request has room for beside the rules. */
#define MOST_FILES 400
#define MOST_BYTES 12000

static const char *const tools[] = { "move", "rectangle", "ellipse", "polygon" };

/* --- the mode --- */

/* Of the run; NULL-terminated, the names are borrowed. */
static const char **
files_of (FlgImagesPage *self)
{
  GPtrArray *all = g_ptr_array_new (), *some = g_ptr_array_new ();
  for (guint i = 0; self->list && i < flg_shot_list_n_files (self->list); i++)
    {
      guint32 source;
      g_ptr_array_add (all, (gpointer) flg_shot_list_file (self->list, i, &source));
    }
  for (guint i = 0; all->len == 0 && self->folder_files && i < self->folder_files->len; i++)
    g_ptr_array_add (all, self->folder_files->pdata[i]);
  guint n = MIN (all->len, MOST_FILES), longest = 1;
  for (guint i = 0; i < all->len; i++)
    longest = MAX (longest, (guint) strlen (all->pdata[i]) + 1);
  n = MIN (n, MAX (MOST_BYTES / longest, 1));
  for (guint i = 0; i < n; i++)
    g_ptr_array_add (some, all->pdata[(2 * (guint64) i + 1) * all->len / (2 * n)]);
  g_ptr_array_add (some, NULL);
  g_ptr_array_unref (all);
  return (const char **) g_ptr_array_free (some, FALSE);
}

void
flg_images_page_mask_shot (FlgImagesPage *self, gint64 site, const char *path, const char *geometry,
                           const char *mask)
{
  if (!self->masking || !path)
    return;
  FlgExperiment *experiment = flg_page_experiment (FLG_PAGE (self));
  gint64 run = flg_chooser_get (self->runs);
  const FlRun *of = flg_experiment_run (experiment, run);
  g_autofree const char **files = files_of (self);
  g_autofree char *block_geometry = NULL, *block_mask = NULL;
  g_autofree char *calibration = of ? flg_experiment_run_calibration (experiment, of) : NULL;
  /* What is edited is the mask that holds now; at a far site there is only what its jobs were given. */
  if (of && !flg_experiment_site_is_far (experiment, site))
    {
      flg_experiment_block_detector (experiment, of, &block_geometry, &block_mask);
      geometry = block_geometry;
      mask = block_mask;
    }
  flg_mask_panel_begin (self->masks, flg_context_view_for_site (flg_page_context (FLG_PAGE (self)), site),
                        of ? run : 0, path, geometry ? geometry : "", mask ? mask : "",
                        calibration ? calibration : "", files);
}

static void
on_changed (FlgImagesPage *self)
{
  GtkWidget *widget = GTK_WIDGET (self);
  gtk_widget_action_set_enabled (widget, "images.mask-undo", flg_mask_panel_can_undo (self->masks));
  gtk_widget_action_set_enabled (widget, "images.mask-redo", flg_mask_panel_can_redo (self->masks));
}

static void
on_saved (FlgImagesPage *self, const char *said)
{
  flw_banner_show (flg_page_banner (FLG_PAGE (self)), FLW_TONE_GOOD, said, NULL, 12);
}

static void
on_failed (FlgImagesPage *self, const GError *error)
{
  flg_page_report (FLG_PAGE (self), error);
}

static void
make_panel (FlgImagesPage *self)
{
  if (self->masks)
    return;
  self->masks = FLG_MASK_PANEL (flg_mask_panel_new (flg_page_context (FLG_PAGE (self)), self->view));
  gtk_widget_set_vexpand (GTK_WIDGET (self->masks), TRUE);
  gtk_box_append (self->mask_slot, GTK_WIDGET (self->masks));
  g_signal_connect_object (self->masks, "changed", G_CALLBACK (on_changed), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->masks, "saved", G_CALLBACK (on_saved), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->masks, "failed", G_CALLBACK (on_failed), self, G_CONNECT_SWAPPED);
}

static void
enter (FlgImagesPage *self, gboolean on)
{
  const char *path = flg_shot_picture_path (self->picture);
  make_panel (self);
  if (on && gtk_widget_get_visible (GTK_WIDGET (self->tuner_slot)))
    gtk_widget_activate_action (GTK_WIDGET (self), "images.tune", NULL);
  self->masking = on;
  gtk_widget_set_visible (GTK_WIDGET (self->mask_slot), on);
  gtk_widget_set_visible (GTK_WIDGET (self->numbers), !on);
  if (!on)
    flg_mask_panel_end (self->masks);
  /* The picture with the pixels under the mask, or without them again. */
  if (path)
    {
      g_autofree char *same = g_strdup (path);
      flg_images_page_show_place (self, same, self->source, flg_shot_picture_frame (self->picture), FALSE);
    }
  gtk_widget_grab_focus (GTK_WIDGET (self->view));
}

static void
act_mask (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgImagesPage *self = FLG_IMAGES_PAGE (widget);
  enter (self, !self->masking);
}

/* --- what is done in it --- */

static void
act_tool (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgImagesPage *self = FLG_IMAGES_PAGE (widget);
  for (guint i = 0; self->masking && i < G_N_ELEMENTS (tools); i++)
    if (g_str_equal (tools[i], g_variant_get_string (target, NULL)))
      flg_mask_panel_set_tool (self->masks, (FlwDrawTool) i);
}

static void
act_switch (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgImagesPage *self = FLG_IMAGES_PAGE (widget);
  if (self->masking)
    flg_mask_panel_switch (self->masks, action + strlen ("images.mask-"));
}

static void
act_add (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgImagesPage *self = FLG_IMAGES_PAGE (widget);
  if (self->masking)
    flg_mask_panel_add (self->masks, g_variant_get_string (target, NULL));
}

static void
act_remove (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgImagesPage *self = FLG_IMAGES_PAGE (widget);
  if (self->masking)
    flg_mask_panel_remove (self->masks, g_variant_get_uint32 (target));
}

static void
act_set (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgImagesPage *self = FLG_IMAGES_PAGE (widget);
  const char *word, *rule;
  g_variant_get (target, "(&s&s)", &word, &rule);
  if (self->masking)
    flg_mask_panel_set (self->masks, word, rule);
}

static void
act_step (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgImagesPage *self = FLG_IMAGES_PAGE (widget);
  if (!self->masking)
    return;
  if (g_str_equal (action, "images.mask-undo"))
    flg_mask_panel_undo (self->masks);
  else if (g_str_equal (action, "images.mask-redo"))
    flg_mask_panel_redo (self->masks);
  else
    flg_mask_panel_clear (self->masks);
}

static void
act_save (GtkWidget *widget, const char *action, GVariant *target)
{
  FlgImagesPage *self = FLG_IMAGES_PAGE (widget);
  const char *name, *from_run;
  g_variant_get (target, "(&s&s)", &name, &from_run);
  if (self->masking)
    flg_mask_panel_save (self->masks, name, from_run);
}

/* --- keys --- */

static gboolean
act_on_control_key (FlgImagesPage *self, guint key, gboolean shift)
{
  GtkWidget *widget = GTK_WIDGET (self);
  if (key == GDK_KEY_z || key == GDK_KEY_y)
    gtk_widget_activate_action (widget, shift || key == GDK_KEY_y ? "images.mask-redo" : "images.mask-undo",
                                NULL);
  else if (key == GDK_KEY_s)
    flg_mask_panel_save_as_shown (self->masks);
  else
    return FALSE;
  return TRUE;
}

gboolean
flg_images_page_mask_key (FlgImagesPage *self, guint key, GdkModifierType state)
{
  static const struct
  {
    guint key;
    const char *action, *target;
  } keys[] = { { GDK_KEY_v, "images.mask-tool", "move" },    { GDK_KEY_r, "images.mask-tool", "rectangle" },
               { GDK_KEY_o, "images.mask-tool", "ellipse" }, { GDK_KEY_g, "images.mask-tool", "polygon" },
               { GDK_KEY_d, "images.mask-erase", NULL },     { GDK_KEY_a, "images.mask-snap", NULL },
               { GDK_KEY_h, "images.mask-show", NULL },      { GDK_KEY_m, "images.mask", NULL },
               { GDK_KEY_Escape, "images.mask", NULL } };
  guint lower = gdk_keyval_to_lower (key);
  if (!self->masking || (state & GDK_ALT_MASK))
    return FALSE;
  if (state & GDK_CONTROL_MASK)
    return act_on_control_key (self, lower, (state & GDK_SHIFT_MASK) != 0);
  /* What is being drawn is dropped first. */
  if (lower == GDK_KEY_Escape && flw_image_view_drop_drawing (self->view))
    return TRUE;
  if (lower == GDK_KEY_BackSpace && flw_image_view_take_corner_back (self->view))
    return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    if (keys[i].key == lower && keys[i].target)
      return gtk_widget_activate_action (GTK_WIDGET (self), keys[i].action, "s", keys[i].target) || TRUE;
    else if (keys[i].key == lower)
      return gtk_widget_activate_action (GTK_WIDGET (self), keys[i].action, NULL) || TRUE;
  return FALSE;
}

void
flg_images_page_install_mask_actions (GtkWidgetClass *klass)
{
  static const struct
  {
    const char *name, *type;
    GtkWidgetActionActivateFunc act;
  } actions[] = {
    { "images.mask", NULL, act_mask },         { "images.mask-tool", "s", act_tool },
    { "images.mask-erase", NULL, act_switch }, { "images.mask-snap", NULL, act_switch },
    { "images.mask-show", NULL, act_switch },  { "images.mask-add", "s", act_add },
    { "images.mask-remove", "u", act_remove }, { "images.mask-set", "(ss)", act_set },
    { "images.mask-undo", NULL, act_step },    { "images.mask-redo", NULL, act_step },
    { "images.mask-clear", NULL, act_step },   { "images.mask-save", "(ss)", act_save },
  };
  for (guint i = 0; i < G_N_ELEMENTS (actions); i++)
    gtk_widget_class_install_action (klass, actions[i].name, actions[i].type, actions[i].act);
}

FlgMaskPanel *
flg_images_page_masks (FlgImagesPage *self)
{
  return self->masking ? self->masks : NULL;
}
