#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/finding-chip.h"

#include <glib/gi18n.h>

#include "gui/text.h"

struct _FlgFindingChip
{
  GtkButton parent_instance;
  FlgContext *context;
  FlwStatusChip *shape;
  GtkLabel *title, *rest;
  char *words;
};

G_DEFINE_FINAL_TYPE (FlgFindingChip, flg_finding_chip, GTK_TYPE_BUTTON)

void
flg_finding_show_gravity (FlwStatusChip *chip, const FlFinding *finding, gboolean acknowledged)
{
  if (!finding)
    flw_status_chip_set (chip, FLW_SHAPE_DISC, FLW_TONE_GOOD, "");
  else if (finding->over || acknowledged)
    flw_status_chip_set (chip, FLW_SHAPE_DASH, FLW_TONE_NEUTRAL, "");
  else if (finding->severity >= 3)
    flw_status_chip_set (chip, FLW_SHAPE_CROSS, FLW_TONE_BAD, "");
  else if (finding->severity == 2)
    flw_status_chip_set (chip, FLW_SHAPE_DIAMOND, FLW_TONE_WARNING, "");
  else
    flw_status_chip_set (chip, FLW_SHAPE_RING, FLW_TONE_ACTIVE, "");
}

/* The words under the worst one: what else there is, where. */
static char *
say_rest (FlgFindingModel *model, guint n_open, const FlgGlance *glance)
{
  guint known = flg_finding_model_n (model) - n_open;
  if (n_open > 0)
    {
      const FlFinding *worst = flg_finding_model_at (model, 0);
      g_autofree char *more =
          n_open > 1 ? g_strdup_printf (ngettext ("+%u more", "+%u more", n_open - 1), n_open - 1)
                     : g_strdup ("");
      return g_strconcat (more, *more && *worst->where ? " · " : "", worst->where, NULL);
    }
  if (known > 0)
    return g_strdup_printf (ngettext ("%u known or over", "%u known or over", known), known);
  g_autofree char *shots = flg_format_count (glance->overview.shots);
  return g_strdup_printf (_ ("in %s shots"), shots);
}

static char *
list_all (FlgFindingModel *model)
{
  GString *all = g_string_new (NULL);
  for (guint i = 0; i < flg_finding_model_n (model); i++)
    {
      const FlFinding *finding = flg_finding_model_at (model, i);
      const char *state = finding->over                                        ? _ ("over")
                          : flg_finding_model_is_acknowledged (model, finding) ? _ ("acknowledged")
                                                                               : NULL;
      g_string_append_printf (all, "%s%s (%s)", i ? "\n" : "", finding->title,
                              state ? state : fl_finding_gravity (finding->severity));
    }
  return g_string_free (all, FALSE);
}

static void
refresh (FlgFindingChip *self)
{
  FlgFindingModel *model = flg_context_findings (self->context);
  const FlgGlance *glance = flg_experiment_glance (flg_context_experiment (self->context));
  guint n_open = flg_finding_model_n_open (model);
  gboolean says =
      flg_finding_model_has_looked (model) && (flg_finding_model_n (model) > 0 || glance->overview.shots > 0);
  gtk_widget_set_sensitive (GTK_WIDGET (self), says);
  gtk_widget_set_opacity (GTK_WIDGET (self), says ? 1 : 0); /* its place stays */
  if (!says)
    return;
  const FlFinding *worst = n_open > 0 ? flg_finding_model_at (model, 0) : NULL;
  g_autofree char *rest = say_rest (model, n_open, glance);
  g_autofree char *all = list_all (model);
  const char *title = worst ? worst->what : _ ("No faults found");
  flg_finding_show_gravity (self->shape, worst, FALSE);
  gtk_label_set_label (self->title, title);
  gtk_label_set_label (self->rest, rest);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self), *all ? all : NULL);
  g_autofree char *words = g_strdup_printf (worst && *rest ? "%s: %s" : "%s %s", title, rest);
  if (g_strcmp0 (words, self->words) == 0)
    return;
  g_free (self->words);
  self->words = g_steal_pointer (&words);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, self->words, -1);
}

const char *
flg_finding_chip_words (FlgFindingChip *self)
{
  return self->words ? self->words : "";
}

static void
flg_finding_chip_finalize (GObject *object)
{
  FlgFindingChip *self = FLG_FINDING_CHIP (object);
  g_clear_object (&self->context);
  g_free (self->words);
  G_OBJECT_CLASS (flg_finding_chip_parent_class)->finalize (object);
}

static void
flg_finding_chip_class_init (FlgFindingChipClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = flg_finding_chip_finalize;
}

static GtkLabel *
make_label (GtkWidget *box, const char *css_class)
{
  GtkWidget *label = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
  gtk_label_set_width_chars (GTK_LABEL (label), 16);
  gtk_widget_add_css_class (label, css_class);
  gtk_box_append (GTK_BOX (box), label);
  return GTK_LABEL (label);
}

static void
flg_finding_chip_init (FlgFindingChip *self)
{
  GtkWidget *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 0),
            *text = gtk_box_new (GTK_ORIENTATION_VERTICAL, 1);
  self->shape = FLW_STATUS_CHIP (flw_status_chip_new ());
  gtk_widget_set_valign (GTK_WIDGET (self->shape), GTK_ALIGN_START);
  gtk_widget_set_margin_top (GTK_WIDGET (self->shape), 2);
  gtk_box_append (GTK_BOX (row), GTK_WIDGET (self->shape));
  self->title = make_label (text, "finding-title");
  self->rest = make_label (text, "finding-rest");
  gtk_widget_set_valign (text, GTK_ALIGN_CENTER);
  gtk_box_append (GTK_BOX (row), text);
  gtk_button_set_child (GTK_BUTTON (self), row);
  gtk_widget_add_css_class (GTK_WIDGET (self), "flat");
  gtk_widget_add_css_class (GTK_WIDGET (self), "finding-chip");
  gtk_actionable_set_action_name (GTK_ACTIONABLE (self), "win.show-page");
  gtk_actionable_set_action_target (GTK_ACTIONABLE (self), "s", "live");
}

GtkWidget *
flg_finding_chip_new (FlgContext *context)
{
  FlgFindingChip *self = g_object_new (FLG_TYPE_FINDING_CHIP, NULL);
  self->context = g_object_ref (context);
  g_signal_connect_object (flg_context_findings (context), "changed", G_CALLBACK (refresh), self,
                           G_CONNECT_SWAPPED);
  refresh (self);
  return GTK_WIDGET (self);
}
