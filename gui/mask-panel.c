#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/mask-panel-private.h"

#include <glib/gi18n.h>

#include "gui/mask-save.h"
#include "gui/mask-shapes.h"
#include "gui/mask-words.h"

enum
{
  CHANGED,
  SAVED,
  FAILED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlgMaskPanel, flg_mask_panel, GTK_TYPE_BOX)

#define EXPERIMENT(self) flg_context_experiment ((self)->context)

/* --- what is seen --- */

static void
complain (FlgMaskPanel *self, const char *message)
{
  gtk_label_set_label (self->complaint, message ? message : "");
  gtk_widget_set_visible (GTK_WIDGET (self->complaint), message != NULL);
}

static void
on_remove_row (GtkButton *button)
{
  gtk_widget_activate_action (GTK_WIDGET (button), "images.mask-remove", "u",
                              GPOINTER_TO_UINT (g_object_get_data (G_OBJECT (button), "number")));
}

static GtkWidget *
row_new (const char *rule, guint number)
{
  GtkWidget *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  GtkWidget *text = gtk_label_new (rule), *count = gtk_label_new (NULL),
            *remove = gtk_button_new_from_icon_name ("window-close-symbolic");
  gtk_label_set_xalign (GTK_LABEL (text), 0);
  gtk_label_set_ellipsize (GTK_LABEL (text), PANGO_ELLIPSIZE_END);
  gtk_widget_set_hexpand (text, TRUE);
  gtk_widget_set_tooltip_text (text, rule);
  gtk_widget_add_css_class (count, "numeric");
  gtk_widget_add_css_class (count, "dim-label");
  gtk_widget_add_css_class (remove, "flat");
  gtk_widget_set_tooltip_text (remove, _ ("Remove this rule"));
  g_object_set_data (G_OBJECT (remove), "number", GUINT_TO_POINTER (number));
  g_signal_connect (remove, "clicked", G_CALLBACK (on_remove_row), NULL);
  gtk_box_append (GTK_BOX (row), text);
  gtk_box_append (GTK_BOX (row), count);
  gtk_box_append (GTK_BOX (row), remove);
  return row;
}

static void
fill_list (FlgMaskPanel *self)
{
  GtkListBoxRow *row;
  const char *const *rules = flg_mask_draft_rules (self->draft);
  while ((row = gtk_list_box_get_row_at_index (self->list, 0)))
    gtk_list_box_remove (self->list, GTK_WIDGET (row));
  for (guint i = 0; rules[i]; i++)
    {
      gtk_list_box_append (self->list, row_new (rules[i], i));
      gtk_list_box_row_set_activatable (gtk_list_box_get_row_at_index (self->list, (int) i), FALSE);
    }
}

static void
show_counts (FlgMaskPanel *self, const FlViewMask *answer)
{
  GtkListBoxRow *row;
  for (guint i = 0; (row = gtk_list_box_get_row_at_index (self->list, (int) i)); i++)
    {
      GtkWidget *text = gtk_widget_get_first_child (gtk_list_box_row_get_child (row));
      g_autofree char *label = flg_mask_rule_count (answer, i);
      gtk_label_set_label (GTK_LABEL (gtk_widget_get_next_sibling (text)), label);
    }
}

static void
show_progress (FlgMaskPanel *self, const FlViewMask *answer)
{
  gboolean measures = answer && answer->measured < answer->shots;
  gtk_widget_set_visible (GTK_WIDGET (self->progress), measures);
  if (!measures)
    return;
  g_autofree char *text = g_strdup_printf (_ ("%u of %u shots"), answer->measured, answer->shots);
  gtk_progress_bar_set_fraction (self->progress, (double) answer->measured / answer->shots);
  gtk_progress_bar_set_text (self->progress, text);
}

static gboolean
is_changed (FlgMaskPanel *self)
{
  return g_strcmp0 (flg_mask_draft_text (self->draft), self->kept) != 0;
}

static void
enable (FlgMaskPanel *self)
{
  gtk_widget_set_sensitive (self->save,
                            self->run && !self->saving && !self->awaits && !self->wrong && is_changed (self));
  g_signal_emit (self, signals[CHANGED], 0);
}

static void
keep_text (FlgMaskPanel *self)
{
  g_free (self->kept);
  self->kept = g_strdup (flg_mask_draft_text (self->draft));
}

/* The rules are others. */
static void
refresh (FlgMaskPanel *self)
{
  complain (self, NULL);
  flg_mask_panel_fill_controls (self);
  fill_list (self);
  show_counts (self, NULL);
  enable (self);
  flg_mask_asker_set_rules (self->asker, flg_mask_draft_text (self->draft));
}

static void
on_answered (FlgMaskPanel *self, const GError *error)
{
  const FlViewMask *answer = flg_mask_asker_answer (self->asker);
  show_progress (self, error ? NULL : answer);
  self->wrong = error != NULL;
  if (error)
    {
      complain (self, error->message);
      enable (self);
      return;
    }
  if (self->awaits)
    {
      self->awaits = FALSE;
      flg_mask_draft_begin (self->draft, answer->rules);
      keep_text (self);
      flg_mask_panel_fill_controls (self);
      fill_list (self);
      enable (self);
    }
  if (answer->measured < answer->shots)
    return;
  complain (self, NULL);
  enable (self);
  show_counts (self, answer);
  g_autofree char *share = flg_mask_share (answer), *numbers = flg_mask_numbers (answer);
  gtk_label_set_label (self->share, share);
  gtk_label_set_label (self->shares, numbers);
}

/* --- what is done --- */

void
flg_mask_panel_add (FlgMaskPanel *self, const char *rule)
{
  if (!self->awaits && flg_mask_draft_add (self->draft, rule))
    refresh (self);
}

void
flg_mask_panel_remove (FlgMaskPanel *self, guint number)
{
  if (flg_mask_draft_remove (self->draft, number))
    refresh (self);
}

void
flg_mask_panel_set (FlgMaskPanel *self, const char *word, const char *rule)
{
  if (!self->awaits && flg_mask_draft_set (self->draft, word, *rule ? rule : NULL))
    refresh (self);
}

void
flg_mask_panel_clear (FlgMaskPanel *self)
{
  if (flg_mask_draft_clear (self->draft))
    refresh (self);
}

void
flg_mask_panel_undo (FlgMaskPanel *self)
{
  if (flg_mask_draft_undo (self->draft))
    refresh (self);
}

void
flg_mask_panel_redo (FlgMaskPanel *self)
{
  if (flg_mask_draft_redo (self->draft))
    refresh (self);
}

gboolean
flg_mask_panel_can_undo (FlgMaskPanel *self)
{
  return flg_mask_draft_can_undo (self->draft);
}

gboolean
flg_mask_panel_can_redo (FlgMaskPanel *self)
{
  return flg_mask_draft_can_redo (self->draft);
}

void
flg_mask_panel_set_tool (FlgMaskPanel *self, FlwDrawTool tool)
{
  self->tool = tool;
  self->filling = TRUE;
  gtk_toggle_button_set_active (self->tools[tool], TRUE);
  self->filling = FALSE;
  if (self->view)
    flw_image_view_set_draw_tool (self->view, tool);
}

FlwDrawTool
flg_mask_panel_tool (FlgMaskPanel *self)
{
  return self->tool;
}

void
flg_mask_panel_switch (FlgMaskPanel *self, const char *what)
{
  GtkCheckButton *button = g_str_equal (what, "erase")  ? self->erase
                           : g_str_equal (what, "snap") ? self->snap
                                                        : self->show;
  gtk_check_button_set_active (button, !gtk_check_button_get_active (button));
}

static void
on_drawn (FlgMaskPanel *self, guint tool, guint n, gpointer corners)
{
  g_autofree char *rule = flg_mask_shape_rule (
      self->view, (FlwDrawTool) tool, n, corners, flw_image_view_get_pixel_size (self->view),
      gtk_check_button_get_active (self->snap), gtk_check_button_get_active (self->erase));
  gtk_widget_activate_action (GTK_WIDGET (self), "images.mask-add", "s", rule);
}

/* --- kept --- */

/* The active block that says last what the run's mask is; NULL: no block holds for it. */
static const FlBlock *
block_of (FlgMaskPanel *self, const FlRun *run)
{
  FlgRecordModel *blocks = flg_experiment_table (EXPERIMENT (self), FL_TABLE_BLOCK);
  const FlBlock *last = NULL;
  for (guint i = 0; i < flg_record_model_count (blocks); i++)
    {
      const FlBlock *block = flg_record_block (flg_record_model_at (blocks, i));
      if (block->active && (!*block->first_run || fl_run_name_compare (block->first_run, run->name) <= 0)
          && (!*block->last_run || fl_run_name_compare (run->name, block->last_run) <= 0))
        last = block;
    }
  return last;
}

static void
fill_runs (FlgMaskPanel *self)
{
  const FlRun *run = self->run ? flg_experiment_run (EXPERIMENT (self), self->run) : NULL;
  const FlBlock *block = run ? block_of (self, run) : NULL;
  g_autofree char *all =
      block ? g_strdup_printf (_ ("all of block %s"), block->name) : g_strdup (_ ("all runs"));
  g_autofree char *name = block ? g_strdup_printf (_ ("%s with a number"), block->name) : g_strdup ("mask");
  flg_chooser_begin (self->from);
  if (run)
    flg_chooser_add (self->from, run->id, run->name);
  flg_chooser_add (self->from, 0, all);
  flg_chooser_end (self->from);
  gtk_entry_set_placeholder_text (GTK_ENTRY (self->name), name);
}

static void
finish_saving (FlgMaskPanel *self, const GError *error, const char *said, const char *text)
{
  self->saving--;
  if (error)
    {
      complain (self, error->message);
      g_signal_emit (self, signals[FAILED], 0, error);
    }
  else
    {
      g_free (self->kept);
      self->kept = g_strdup (text);
      gtk_editable_set_text (self->name, "");
      g_signal_emit (self, signals[SAVED], 0, said);
    }
  enable (self);
}

typedef struct
{
  FlgMaskPanel *panel;
  FlgMaskSave *save;
  char *of, *name, *from_run, *text;
} Saving;

static void
saving_free (Saving *saving)
{
  g_object_unref (saving->panel);
  g_clear_pointer (&saving->save, flg_mask_save_unref);
  g_free (saving->of);
  g_free (saving->name);
  g_free (saving->from_run);
  g_free (saving->text);
  g_free (saving);
}

static void
on_written (GObject *source, GAsyncResult *result, gpointer data)
{
  Saving *saving = data;
  g_autoptr (GError) error = NULL;
  flg_context_write_finish (FLG_CONTEXT (source), result, &error);
  finish_saving (saving->panel, error, saving->save->said, saving->text);
  saving_free (saving);
}

static void
on_file (GObject *source, GAsyncResult *result, gpointer data)
{
  Saving *saving = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) file = flg_mask_asker_file_finish (FLG_MASK_ASKER (source), result, &error);
  if (!file)
    {
      finish_saving (saving->panel, error, NULL, NULL);
      saving_free (saving);
      return;
    }
  saving->save = flg_mask_save_new (saving->of, saving->name, saving->from_run, file);
  flg_context_write (saving->panel->context, flg_mask_save_write, flg_mask_save_ref (saving->save),
                     flg_mask_save_unref, on_written, saving);
}

void
flg_mask_panel_save (FlgMaskPanel *self, const char *name, const char *from_run)
{
  const FlRun *run = self->run ? flg_experiment_run (EXPERIMENT (self), self->run) : NULL;
  if (!run || self->saving || self->awaits)
    return;
  const FlBlock *block = block_of (self, run);
  Saving *saving = g_new0 (Saving, 1);
  saving->panel = g_object_ref (self);
  saving->of = g_strdup (block ? block->name : NULL);
  saving->name = g_strdup (name);
  saving->from_run = g_strdup (from_run);
  saving->text = g_strdup (flg_mask_draft_text (self->draft));
  self->saving++;
  enable (self);
  flg_mask_asker_file_async (self->asker, on_file, saving);
}

void
flg_mask_panel_save_as_shown (FlgMaskPanel *self)
{
  const FlRun *from = flg_experiment_run (EXPERIMENT (self), flg_chooser_get (self->from));
  gtk_widget_activate_action (GTK_WIDGET (self), "images.mask-save", "(ss)",
                              gtk_editable_get_text (self->name), from ? from->name : "");
}

/* --- the panel --- */

void
flg_mask_panel_begin (FlgMaskPanel *self, FlViewClient *client, gint64 run, const char *path,
                      const char *geometry, const char *mask, const char *calibration,
                      const char *const *files)
{
  g_autofree char *key = g_strdup_printf ("%" G_GINT64_FORMAT "\n%s\n%s", run, geometry, mask);
  gboolean same =
      !self->awaits && (g_strcmp0 (key, self->key) == 0 || (run == self->run && is_changed (self)));
  flg_mask_asker_set_shot (self->asker, client, path, geometry, mask, calibration, files);
  self->run = run;
  if (!same)
    {
      g_free (self->key);
      self->key = g_steal_pointer (&key);
      self->awaits = TRUE;
      flg_mask_draft_begin (self->draft, "");
      keep_text (self);
      fill_list (self);
    }
  fill_runs (self);
  flw_image_view_set_draw_tool (self->view, self->tool);
  flg_mask_asker_set_rules (self->asker, same ? flg_mask_draft_text (self->draft) : NULL);
  enable (self);
}

void
flg_mask_panel_end (FlgMaskPanel *self)
{
  if (self->view)
    flw_image_view_set_draw_tool (self->view, FLW_DRAW_NONE);
  flg_mask_asker_stop (self->asker);
}

gboolean
flg_mask_panel_is_idle (FlgMaskPanel *self)
{
  return self->saving == 0 && flg_mask_asker_is_idle (self->asker);
}

const char *
flg_mask_panel_text (FlgMaskPanel *self)
{
  return flg_mask_draft_text (self->draft);
}

const FlViewMask *
flg_mask_panel_answer (FlgMaskPanel *self)
{
  return flg_mask_asker_answer (self->asker);
}

void
flg_mask_panel_close (FlgMaskPanel *self)
{
  flg_mask_asker_close (self->asker);
  if (self->view)
    g_signal_handlers_disconnect_by_data (self->view, self);
  self->view = NULL;
}

static void
flg_mask_panel_dispose (GObject *object)
{
  FlgMaskPanel *self = FLG_MASK_PANEL (object);
  flg_mask_panel_close (self);
  gtk_widget_dispose_template (GTK_WIDGET (self), FLG_TYPE_MASK_PANEL);
  G_OBJECT_CLASS (flg_mask_panel_parent_class)->dispose (object);
}

static void
flg_mask_panel_finalize (GObject *object)
{
  FlgMaskPanel *self = FLG_MASK_PANEL (object);
  g_object_unref (self->asker);
  g_object_unref (self->context);
  flg_mask_draft_free (self->draft);
  g_free (self->key);
  g_free (self->kept);
  G_OBJECT_CLASS (flg_mask_panel_parent_class)->finalize (object);
}

static void
bind_children (GtkWidgetClass *klass)
{
  static const char *const tools[] = { "move_tool", "rectangle_tool", "ellipse_tool", "polygon_tool" };
#define BIND(name) gtk_widget_class_bind_template_child (klass, FlgMaskPanel, name)
  BIND (erase);
  BIND (snap);
  BIND (show);
  BIND (dead);
  BIND (hot);
  BIND (noisy);
  BIND (edges);
  BIND (asic_edges);
  BIND (sigmas);
  BIND (shots);
  BIND (asic_fs);
  BIND (asic_ss);
  BIND (below);
  BIND (above);
  BIND (typed);
  BIND (name);
  BIND (list);
  BIND (complaint);
  BIND (share);
  BIND (shares);
  BIND (progress);
  BIND (save);
  BIND (from);
#undef BIND
  for (guint i = 0; i < G_N_ELEMENTS (tools); i++)
    gtk_widget_class_bind_template_child_full (klass, tools[i], FALSE,
                                               G_STRUCT_OFFSET (FlgMaskPanel, tools)
                                                   + (gssize) (i * sizeof (GtkToggleButton *)));
}

static void
flg_mask_panel_class_init (FlgMaskPanelClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = flg_mask_panel_dispose;
  G_OBJECT_CLASS (klass)->finalize = flg_mask_panel_finalize;
  g_type_ensure (FLG_TYPE_CHOOSER);
  gtk_widget_class_set_template_from_resource (widget_class, "/io/firstlight/gui/mask-panel.ui");
  bind_children (widget_class);
  flg_mask_panel_bind_controls (widget_class);
  gtk_widget_class_bind_template_callback_full (widget_class, "on_save",
                                                G_CALLBACK (flg_mask_panel_save_as_shown));
  signals[CHANGED] = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                   NULL, G_TYPE_NONE, 0);
  signals[SAVED] = g_signal_new ("saved", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                 G_TYPE_NONE, 1, G_TYPE_STRING);
  signals[FAILED] = g_signal_new ("failed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 1, G_TYPE_POINTER);
}

static void
flg_mask_panel_init (FlgMaskPanel *self)
{
  self->draft = flg_mask_draft_new ();
  self->tool = FLW_DRAW_RECTANGLE;
  self->filling = TRUE;
  gtk_widget_init_template (GTK_WIDGET (self));
  gtk_check_button_set_active (self->snap, TRUE);
  gtk_check_button_set_active (self->show, TRUE);
  gtk_toggle_button_set_active (self->tools[self->tool], TRUE);
  self->filling = FALSE;
}

GtkWidget *
flg_mask_panel_new (FlgContext *context, FlwImageView *view)
{
  FlgMaskPanel *self = g_object_new (FLG_TYPE_MASK_PANEL, NULL);
  self->context = g_object_ref (context);
  self->view = view;
  self->asker = flg_mask_asker_new (view);
  g_signal_connect_object (self->asker, "answered", G_CALLBACK (on_answered), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (view, "drawn", G_CALLBACK (on_drawn), self, G_CONNECT_SWAPPED);
  return GTK_WIDGET (self);
}
