#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/mask-panel-private.h"

#include <string.h>

static double
number_in (const char *rule, guint word)
{
  g_auto (GStrv) words = g_strsplit (rule ? rule : "", " ", -1);
  return word < g_strv_length (words) ? g_ascii_strtod (words[word], NULL) : 0;
}

static gboolean
has_word (const char *rule, const char *word)
{
  g_auto (GStrv) words = g_strsplit (rule ? rule : "", " ", -1);
  return g_strv_contains ((const char *const *) words, word);
}

static void
show_limit (GtkEditable *entry, const char *rule)
{
  gtk_editable_set_text (entry, rule ? strchr (rule, ' ') + 1 : "");
}

void
flg_mask_panel_fill_controls (FlgMaskPanel *self)
{
  const char *asics = flg_mask_draft_get (self->draft, "asic-edges");
  const char *statistics = flg_mask_draft_get (self->draft, "statistics");
  const char *shots = flg_mask_draft_get (self->draft, "shots"),
             *z = statistics ? strstr (statistics, " z=") : NULL;
  self->filling = TRUE;
  gtk_spin_button_set_value (self->edges, number_in (flg_mask_draft_get (self->draft, "edges"), 1));
  gtk_spin_button_set_value (self->asic_edges, number_in (asics, 1));
  for (guint i = 0; asics && i < 2; i++)
    {
      g_autofree char *text = g_strdup_printf ("%.0f", number_in (asics, 2 + i));
      gtk_editable_set_text (i ? self->asic_ss : self->asic_fs, text);
    }
  gtk_check_button_set_active (self->dead, has_word (statistics, "dead"));
  gtk_check_button_set_active (self->hot, has_word (statistics, "hot"));
  gtk_check_button_set_active (self->noisy, has_word (statistics, "noisy"));
  if (statistics)
    gtk_spin_button_set_value (self->sigmas, z ? g_ascii_strtod (z + 3, NULL) : 6);
  gtk_spin_button_set_value (self->shots, shots ? number_in (shots, 1) : 100);
  show_limit (self->below, flg_mask_draft_get (self->draft, "below"));
  show_limit (self->above, flg_mask_draft_get (self->draft, "above"));
  self->filling = FALSE;
}

/* --- they are changed --- */

static void
set (FlgMaskPanel *self, const char *word, const char *rule)
{
  gtk_widget_activate_action (GTK_WIDGET (self), "images.mask-set", "(ss)", word, rule);
}

static void
on_tool (FlgMaskPanel *self, GtkToggleButton *button)
{
  if (self->filling || !gtk_toggle_button_get_active (button))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (self->tools); i++)
    if (self->tools[i] == button)
      flg_mask_panel_set_tool (self, (FlwDrawTool) i);
  if (self->view)
    gtk_widget_grab_focus (GTK_WIDGET (self->view));
}

static void
on_switch (FlgMaskPanel *self)
{
  if (self->view)
    g_object_set (self->view, "show-mask", gtk_check_button_get_active (self->show), NULL);
}

static void
on_edges (FlgMaskPanel *self)
{
  int width = gtk_spin_button_get_value_as_int (self->edges);
  g_autofree char *rule = width ? g_strdup_printf ("edges %d", width) : g_strdup ("");
  if (!self->filling)
    set (self, "edges", rule);
}

static void
on_asics (FlgMaskPanel *self)
{
  int width = gtk_spin_button_get_value_as_int (self->asic_edges);
  g_autofree char *rule =
      width ? g_strdup_printf ("asic-edges %d %s %s", width, gtk_editable_get_text (self->asic_fs),
                               gtk_editable_get_text (self->asic_ss))
            : g_strdup ("");
  if (!self->filling)
    set (self, "asic-edges", rule);
}

/* The tests that stand in the rule but have no control stay. */
static void
on_statistics (FlgMaskPanel *self)
{
  static const char *const own[] = { "statistics", "dead", "hot", "noisy", NULL };
  if (self->filling)
    return;
  int z = gtk_spin_button_get_value_as_int (self->sigmas);
  const char *before = flg_mask_draft_get (self->draft, "statistics");
  g_auto (GStrv) words = g_strsplit (before ? before : "", " ", -1);
  g_autoptr (GString) rule = g_string_new (NULL);
  GtkCheckButton *const checks[] = { self->dead, self->hot, self->noisy };
  for (guint i = 0; i < G_N_ELEMENTS (checks); i++)
    if (gtk_check_button_get_active (checks[i]))
      g_string_append_printf (rule, " %s", own[i + 1]);
  for (char **word = words; *word; word++)
    if (**word && !g_strv_contains (own, *word) && !g_str_has_prefix (*word, "z="))
      g_string_append_printf (rule, " %s", *word);
  if (rule->len)
    g_string_prepend (rule, "statistics");
  if (rule->len && z != 6)
    g_string_append_printf (rule, " z=%d", z);
  set (self, "statistics", rule->str);
}

static void
on_shots (FlgMaskPanel *self)
{
  int shots = gtk_spin_button_get_value_as_int (self->shots);
  g_autofree char *rule = shots != 100 ? g_strdup_printf ("shots %d", shots) : g_strdup ("");
  if (!self->filling)
    set (self, "shots", rule);
}

static void
take_limit (FlgMaskPanel *self, const char *word, GtkEditable *entry)
{
  const char *text = gtk_editable_get_text (entry);
  g_autofree char *rule = *text ? g_strdup_printf ("%s %s", word, text) : g_strdup ("");
  set (self, word, rule);
}

static void
on_below (FlgMaskPanel *self)
{
  take_limit (self, "below", self->below);
}

static void
on_above (FlgMaskPanel *self)
{
  take_limit (self, "above", self->above);
}

static void
on_typed (FlgMaskPanel *self)
{
  gtk_widget_activate_action (GTK_WIDGET (self), "images.mask-add", "s", gtk_editable_get_text (self->typed));
  gtk_editable_set_text (self->typed, "");
}

void
flg_mask_panel_bind_controls (GtkWidgetClass *klass)
{
  gtk_widget_class_bind_template_callback (klass, on_tool);
  gtk_widget_class_bind_template_callback (klass, on_switch);
  gtk_widget_class_bind_template_callback (klass, on_edges);
  gtk_widget_class_bind_template_callback (klass, on_asics);
  gtk_widget_class_bind_template_callback (klass, on_statistics);
  gtk_widget_class_bind_template_callback (klass, on_shots);
  gtk_widget_class_bind_template_callback (klass, on_below);
  gtk_widget_class_bind_template_callback (klass, on_above);
  gtk_widget_class_bind_template_callback (klass, on_typed);
}
