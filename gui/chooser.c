#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/chooser.h"

#include <string.h>

struct _FlgChooser
{
  GtkBox parent_instance;
  GtkDropDown *list;
  GArray *ids, *next_ids;          /* gint64 */
  GPtrArray *labels, *next_labels; /* char * */
  gint64 wanted;                   /* what should be chosen */
  gint64 told;                     /* what "chosen" last said */
  gboolean filling;
};

enum
{
  CHOSEN,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlgChooser, flg_chooser, GTK_TYPE_BOX)

static void
tell (FlgChooser *self)
{
  gint64 now = flg_chooser_get (self);
  if (now == self->told)
    return;
  self->told = now;
  g_signal_emit (self, signals[CHOSEN], 0, now);
}

static void
on_selected (FlgChooser *self)
{
  if (self->filling)
    return;
  self->wanted = flg_chooser_get (self);
  tell (self);
}

static void
flg_chooser_finalize (GObject *object)
{
  FlgChooser *self = FLG_CHOOSER (object);
  g_array_unref (self->ids);
  g_array_unref (self->next_ids);
  g_ptr_array_unref (self->labels);
  g_ptr_array_unref (self->next_labels);
  G_OBJECT_CLASS (flg_chooser_parent_class)->finalize (object);
}

static void
flg_chooser_class_init (FlgChooserClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = flg_chooser_finalize;
  signals[CHOSEN] = g_signal_new ("chosen", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 1, G_TYPE_INT64);
}

static void
flg_chooser_init (FlgChooser *self)
{
  self->ids = g_array_new (FALSE, FALSE, sizeof (gint64));
  self->next_ids = g_array_new (FALSE, FALSE, sizeof (gint64));
  self->labels = g_ptr_array_new_with_free_func (g_free);
  self->next_labels = g_ptr_array_new_with_free_func (g_free);
  self->wanted = self->told = G_MININT64;
  self->list = GTK_DROP_DOWN (gtk_drop_down_new (NULL, NULL));
  gtk_widget_set_hexpand (GTK_WIDGET (self->list), TRUE);
  g_signal_connect_object (self->list, "notify::selected", G_CALLBACK (on_selected), self, G_CONNECT_SWAPPED);
  gtk_box_append (GTK_BOX (self), GTK_WIDGET (self->list));
}

GtkWidget *
flg_chooser_new (void)
{
  return g_object_new (FLG_TYPE_CHOOSER, NULL);
}

void
flg_chooser_begin (FlgChooser *self)
{
  g_array_set_size (self->next_ids, 0);
  g_ptr_array_set_size (self->next_labels, 0);
}

void
flg_chooser_add (FlgChooser *self, gint64 id, const char *label)
{
  g_array_append_val (self->next_ids, id);
  g_ptr_array_add (self->next_labels, g_strdup (label));
}

static gboolean
same (FlgChooser *self)
{
  if (self->ids->len != self->next_ids->len)
    return FALSE;
  for (guint i = 0; i < self->ids->len; i++)
    if (g_array_index (self->ids, gint64, i) != g_array_index (self->next_ids, gint64, i)
        || strcmp (self->labels->pdata[i], self->next_labels->pdata[i]) != 0)
      return FALSE;
  return TRUE;
}

static gboolean
position_of (FlgChooser *self, gint64 id, guint *position)
{
  for (guint i = 0; i < self->ids->len; i++)
    if (g_array_index (self->ids, gint64, i) == id)
      {
        *position = i;
        return TRUE;
      }
  return FALSE;
}

void
flg_chooser_end (FlgChooser *self)
{
  if (same (self))
    return;
  GArray *ids = self->ids;
  self->ids = self->next_ids;
  self->next_ids = ids;
  GPtrArray *labels = self->labels;
  self->labels = self->next_labels;
  self->next_labels = labels;
  g_autoptr (GtkStringList) strings = gtk_string_list_new (NULL);
  for (guint i = 0; i < self->labels->len; i++)
    gtk_string_list_append (strings, self->labels->pdata[i]);
  self->filling = TRUE;
  gtk_drop_down_set_model (self->list, G_LIST_MODEL (strings));
  guint position = 0;
  position_of (self, self->wanted, &position);
  if (self->ids->len)
    gtk_drop_down_set_selected (self->list, position);
  self->filling = FALSE;
  tell (self);
}

gint64
flg_chooser_get (FlgChooser *self)
{
  guint at = gtk_drop_down_get_selected (self->list);
  return at < self->ids->len ? g_array_index (self->ids, gint64, at) : G_MININT64;
}

void
flg_chooser_choose (FlgChooser *self, gint64 id)
{
  guint position;
  self->wanted = id;
  if (position_of (self, id, &position))
    gtk_drop_down_set_selected (self->list, position);
}

void
flg_chooser_step (FlgChooser *self, int by)
{
  int n = (int) self->ids->len, at = (int) gtk_drop_down_get_selected (self->list);
  if (n > 0)
    gtk_drop_down_set_selected (self->list, (guint) CLAMP (at + by, 0, n - 1));
}
