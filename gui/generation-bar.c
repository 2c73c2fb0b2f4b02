#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/generation-bar.h"

#include <glib/gi18n.h>
#include <math.h>

struct _FlgGenerationBar
{
  GtkBox parent_instance;
  GtkWidget *back, *next, *scale;
  GtkLabel *label;
  GtkToggleButton *live;
  GArray *numbers; /* guint32 */
  int shown;       /* position; −1: none */
  gboolean filling;
};

enum
{
  CHOSEN,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlgGenerationBar, flg_generation_bar, GTK_TYPE_BOX)

static guint32
number_at (FlgGenerationBar *self, int position)
{
  return g_array_index (self->numbers, guint32, (guint) position);
}

static void
refresh (FlgGenerationBar *self)
{
  int n = (int) self->numbers->len;
  g_autofree char *text = self->shown < 0
                              ? g_strdup (_ ("no generation yet"))
                              : g_strdup_printf (_ ("generation %u of %u"), number_at (self, self->shown),
                                                 number_at (self, n - 1));
  self->filling = TRUE;
  gtk_label_set_label (self->label, text);
  gtk_range_set_range (GTK_RANGE (self->scale), 0, MAX (n - 1, 1));
  gtk_range_set_value (GTK_RANGE (self->scale), MAX (self->shown, 0));
  gtk_widget_set_sensitive (self->scale, n > 1);
  gtk_widget_set_sensitive (self->back, self->shown > 0);
  gtk_widget_set_sensitive (self->next, self->shown + 1 < n);
  self->filling = FALSE;
}

static void
show (FlgGenerationBar *self, int position)
{
  if (self->numbers->len == 0)
    return;
  self->shown = CLAMP (position, 0, (int) self->numbers->len - 1);
  refresh (self);
  g_signal_emit (self, signals[CHOSEN], 0);
}

/* What a person chooses is left only by "live". */
static void
choose (FlgGenerationBar *self, int position)
{
  self->filling = TRUE;
  gtk_toggle_button_set_active (self->live, FALSE);
  self->filling = FALSE;
  show (self, position);
}

void
flg_generation_bar_set (FlgGenerationBar *self, guint n, const guint32 *numbers)
{
  guint32 before = self->shown < 0 ? 0 : number_at (self, self->shown);
  g_array_set_size (self->numbers, 0);
  g_array_append_vals (self->numbers, numbers, n);
  int last = (int) n - 1, position = last;
  for (int i = 0; !flg_generation_bar_is_live (self) && i < (int) n; i++)
    if (number_at (self, i) <= before)
      position = i;
  self->shown = position;
  refresh (self);
  if ((position < 0 ? 0 : number_at (self, position)) != before)
    g_signal_emit (self, signals[CHOSEN], 0);
}

int
flg_generation_bar_get (FlgGenerationBar *self)
{
  return self->shown;
}

void
flg_generation_bar_choose (FlgGenerationBar *self, guint32 number)
{
  int best = 0;
  if (number == 0)
    {
      gtk_toggle_button_set_active (self->live, TRUE);
      return;
    }
  for (int i = 1; i < (int) self->numbers->len; i++)
    if (ABS ((gint64) number_at (self, i) - number) < ABS ((gint64) number_at (self, best) - number))
      best = i;
  choose (self, best);
}

void
flg_generation_bar_step (FlgGenerationBar *self, int by)
{
  choose (self, self->shown + by);
}

gboolean
flg_generation_bar_is_live (FlgGenerationBar *self)
{
  return gtk_toggle_button_get_active (self->live);
}

static void
on_live (FlgGenerationBar *self)
{
  if (!self->filling && flg_generation_bar_is_live (self))
    show (self, (int) self->numbers->len - 1);
}

static void
on_scale (FlgGenerationBar *self)
{
  if (!self->filling)
    choose (self, (int) lround (gtk_range_get_value (GTK_RANGE (self->scale))));
}

static void
on_back (FlgGenerationBar *self)
{
  flg_generation_bar_step (self, -1);
}

static void
on_next (FlgGenerationBar *self)
{
  flg_generation_bar_step (self, 1);
}

static void
flg_generation_bar_finalize (GObject *object)
{
  g_array_unref (FLG_GENERATION_BAR (object)->numbers);
  G_OBJECT_CLASS (flg_generation_bar_parent_class)->finalize (object);
}

static void
flg_generation_bar_class_init (FlgGenerationBarClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = flg_generation_bar_finalize;
  signals[CHOSEN] = g_signal_new ("chosen", FLG_TYPE_GENERATION_BAR, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 0);
}

static GtkWidget *
button (FlgGenerationBar *self, const char *icon, const char *tip, void (*func) (FlgGenerationBar *))
{
  GtkWidget *made = gtk_button_new_from_icon_name (icon);
  gtk_widget_set_tooltip_text (made, tip);
  gtk_widget_set_valign (made, GTK_ALIGN_CENTER);
  g_signal_connect_swapped (made, "clicked", G_CALLBACK (func), self);
  gtk_box_append (GTK_BOX (self), made);
  return made;
}

static void
flg_generation_bar_init (FlgGenerationBar *self)
{
  self->numbers = g_array_new (FALSE, FALSE, sizeof (guint32));
  self->shown = -1;
  gtk_box_set_spacing (GTK_BOX (self), 6);
  gtk_widget_add_css_class (GTK_WIDGET (self), "tools");
  self->back = button (self, "go-previous-symbolic", _ ("The generation before"), on_back);
  self->next = button (self, "go-next-symbolic", _ ("The next generation"), on_next);
  self->scale = gtk_scale_new_with_range (GTK_ORIENTATION_HORIZONTAL, 0, 1, 1);
  gtk_widget_set_hexpand (self->scale, TRUE);
  gtk_widget_set_tooltip_text (self->scale, _ ("Generations, from the first to the newest"));
  g_signal_connect_swapped (self->scale, "value-changed", G_CALLBACK (on_scale), self);
  gtk_box_append (GTK_BOX (self), self->scale);
  self->label = GTK_LABEL (gtk_label_new (NULL));
  gtk_label_set_width_chars (self->label, 20);
  gtk_widget_add_css_class (GTK_WIDGET (self->label), "numeric");
  gtk_box_append (GTK_BOX (self), GTK_WIDGET (self->label));
  self->live = GTK_TOGGLE_BUTTON (gtk_toggle_button_new_with_label (_ ("Live")));
  gtk_toggle_button_set_active (self->live, TRUE);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->live), _ ("Follow the newest generation"));
  g_signal_connect_swapped (self->live, "toggled", G_CALLBACK (on_live), self);
  gtk_box_append (GTK_BOX (self), GTK_WIDGET (self->live));
  refresh (self);
}
