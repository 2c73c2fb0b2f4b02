#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/link-chip.h"

#include <glib/gi18n.h>

#include <string.h>

#include "widgets/status-chip.h"

#define BEAT_S 1

struct _FlgLinkChip
{
  GtkBox parent_instance;
  FlgLinks *links;
  GtkWidget *button, *chip, *popover;
  GtkBox *list;
  char *words;
  char *listed; /* what the list was built for */
  guint beat;
};

G_DEFINE_FINAL_TYPE (FlgLinkChip, flg_link_chip, GTK_TYPE_BOX)

void
flg_link_chip_show_state (GtkWidget *chip, FlgLinks *links, const FlgLink *link, const char *words)
{
  static const struct
  {
    const char *state;
    FlwShape shape;
    FlwTone tone;
  } known[] = {
    { "up", FLW_SHAPE_DISC, FLW_TONE_GOOD },           { "slow", FLW_SHAPE_CLOCK, FLW_TONE_WARNING },
    { "connecting", FLW_SHAPE_HALF, FLW_TONE_ACTIVE }, { "asking", FLW_SHAPE_RING, FLW_TONE_WARNING },
    { "lost", FLW_SHAPE_CROSS, FLW_TONE_BAD },         { "offline", FLW_SHAPE_DASH, FLW_TONE_NEUTRAL },
  };
  const char *state = link->question ? "asking" : link->state;
  guint i = 0;
  while (i + 1 < G_N_ELEMENTS (known) && strcmp (known[i].state, state) != 0)
    i++;
  flw_status_chip_set (FLW_STATUS_CHIP (chip), known[i].shape, known[i].tone, words);
}

/* --- the list --- */

static GtkWidget *
row_label (GtkWidget *row, const char *text, const char *css_class)
{
  GtkWidget *label = gtk_label_new (text);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (label), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_max_width_chars (GTK_LABEL (label), 46);
  if (css_class)
    gtk_widget_add_css_class (label, css_class);
  gtk_box_append (GTK_BOX (row), label);
  return label;
}

static void
add_button (GtkWidget *box, const char *label, const char *action, gint64 site)
{
  GtkWidget *button = gtk_button_new_with_label (label);
  gtk_actionable_set_action_name (GTK_ACTIONABLE (button), action);
  gtk_actionable_set_action_target (GTK_ACTIONABLE (button), "x", site);
  gtk_box_append (GTK_BOX (box), button);
}

static void
add_link (FlgLinkChip *self, const FlgLink *link)
{
  const FlSite *site = flg_links_site (self->links, link);
  if (!site)
    return;
  GtkWidget *row = gtk_box_new (GTK_ORIENTATION_VERTICAL, 4),
            *head = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 10);
  GtkWidget *chip = flw_status_chip_new (), *buttons = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  g_autofree char *words = flg_links_words (self->links, link);
  flg_link_chip_show_state (chip, self->links, link, words);
  GtkWidget *name = row_label (head, site->name, "heading");
  gtk_widget_set_hexpand (name, TRUE);
  gtk_box_append (GTK_BOX (head), chip);
  gtk_box_append (GTK_BOX (row), head);
  g_autofree char *where = g_strdup_printf ("%s%s%s%s", site->user, *site->user ? "@" : "", site->host,
                                            site->active ? "" : _ (" · paused: gets no new jobs"));
  row_label (row, where, "dim-label");
  if (*link->message)
    row_label (row, link->message, NULL);
  if (link->question)
    row_label (row, link->question->title, NULL);
  if (flg_links_is_connected (self->links))
    {
      gboolean up = strcmp (link->state, "up") == 0 || strcmp (link->state, "slow") == 0;
      if (link->question)
        add_button (buttons, _ ("Answer…"), "win.link-answer", link->site);
      if (!up && !link->question)
        add_button (buttons, strcmp (link->state, "lost") == 0 ? _ ("Retry now") : _ ("Connect"),
                    "win.link-connect", link->site);
      if (strcmp (link->state, "offline") != 0)
        add_button (buttons, _ ("Disconnect"), "win.link-disconnect", link->site);
      gtk_widget_set_halign (buttons, GTK_ALIGN_END);
      gtk_box_append (GTK_BOX (row), buttons);
    }
  else
    g_object_unref (g_object_ref_sink (buttons));
  gtk_widget_add_css_class (row, "link-row");
  gtk_box_append (self->list, row);
}

/* Built again only when something in it differs, so that a button does not vanish under the pointer. */
static void
fill_list (FlgLinkChip *self)
{
  g_autoptr (GArray) sites = flg_links_sites (self->links);
  g_autoptr (GString) key = g_string_new (flg_links_is_connected (self->links) ? "+" : "-");
  for (guint i = 0; i < sites->len; i++)
    {
      const FlgLink *link = flg_links_get (self->links, g_array_index (sites, gint64, i));
      g_autofree char *words = flg_links_words (self->links, link);
      g_string_append_printf (key, "%" G_GINT64_FORMAT "\n%s\n%s\n%s\n", link->site, words, link->message,
                              link->question ? link->question->title : "");
    }
  if (g_strcmp0 (key->str, self->listed) == 0)
    return;
  g_free (self->listed);
  self->listed = g_strdup (key->str);
  GtkWidget *child;
  while ((child = gtk_widget_get_first_child (GTK_WIDGET (self->list))))
    gtk_box_remove (self->list, child);
  if (!flg_links_is_connected (self->links))
    row_label (GTK_WIDGET (self->list),
               flg_experiment_is_read_only (flg_links_experiment (self->links))
                   ? _ ("Open read-only: the logins belong to those who work here.")
                   : _ ("The conductor does not answer: it keeps the logins. It is started again by itself."),
               "complaint");
  for (guint i = 0; i < sites->len; i++)
    add_link (self, flg_links_get (self->links, g_array_index (sites, gint64, i)));
}

/* --- the chip --- */

static void
set_words (FlgLinkChip *self, char *words)
{
  if (g_strcmp0 (self->words, words) != 0)
    gtk_accessible_update_property (GTK_ACCESSIBLE (self->button), GTK_ACCESSIBLE_PROPERTY_LABEL, words, -1);
  g_free (self->words);
  self->words = words;
}

static void
refresh (FlgLinkChip *self)
{
  const FlgLink *worst = flg_links_worst (self->links);
  gtk_widget_set_visible (GTK_WIDGET (self), worst != NULL);
  if (!worst)
    return;
  const FlSite *site = flg_links_site (self->links, worst);
  gboolean silent = !flg_links_is_connected (self->links)
                    && !flg_experiment_is_read_only (flg_links_experiment (self->links));
  g_autofree char *state = flg_links_words (self->links, worst);
  g_autofree char *name = g_strndup (site ? site->name : "", 60);
  set_words (self, silent ? g_strdup (_ ("no conductor")) : g_strdup_printf ("%s: %s", name, state));
  if (silent)
    flw_status_chip_set (FLW_STATUS_CHIP (self->chip), FLW_SHAPE_RING, FLW_TONE_WARNING, self->words);
  else
    flg_link_chip_show_state (self->chip, self->links, worst, self->words);
  gtk_widget_set_tooltip_text (self->button, silent            ? _ ("Nobody keeps the logins at far sites.")
                                             : worst->question ? worst->question->title
                                             : *worst->message ? worst->message
                                                               : _ ("Links to far sites"));
  if (gtk_widget_get_visible (self->popover))
    fill_list (self);
}

static gboolean
on_beat (gpointer data)
{
  refresh (data);
  return G_SOURCE_CONTINUE;
}

void
flg_link_chip_popup (FlgLinkChip *self)
{
  fill_list (self);
  gtk_popover_popup (GTK_POPOVER (self->popover));
}

static void
on_clicked (FlgLinkChip *self)
{
  const FlgLink *worst = flg_links_worst (self->links);
  if (worst && worst->question)
    gtk_widget_activate_action (GTK_WIDGET (self), "win.link-answer", "x", worst->site);
  else
    flg_link_chip_popup (self);
}

const char *
flg_link_chip_words (FlgLinkChip *self)
{
  return gtk_widget_get_visible (GTK_WIDGET (self)) ? self->words : NULL;
}

GtkWidget *
flg_link_chip_popover (FlgLinkChip *self)
{
  return self->popover;
}

static void
flg_link_chip_dispose (GObject *object)
{
  FlgLinkChip *self = FLG_LINK_CHIP (object);
  g_clear_handle_id (&self->beat, g_source_remove);
  g_clear_pointer (&self->popover, gtk_widget_unparent);
  g_clear_object (&self->links);
  G_OBJECT_CLASS (flg_link_chip_parent_class)->dispose (object);
}

static void
flg_link_chip_finalize (GObject *object)
{
  g_free (FLG_LINK_CHIP (object)->words);
  g_free (FLG_LINK_CHIP (object)->listed);
  G_OBJECT_CLASS (flg_link_chip_parent_class)->finalize (object);
}

static void
flg_link_chip_class_init (FlgLinkChipClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = flg_link_chip_dispose;
  G_OBJECT_CLASS (klass)->finalize = flg_link_chip_finalize;
}

static void
flg_link_chip_init (FlgLinkChip *self)
{
  self->button = gtk_button_new ();
  self->chip = flw_status_chip_new ();
  gtk_button_set_child (GTK_BUTTON (self->button), self->chip);
  gtk_widget_add_css_class (self->button, "flat");
  gtk_widget_add_css_class (self->button, "link-chip");
  g_signal_connect_swapped (self->button, "clicked", G_CALLBACK (on_clicked), self);
  gtk_box_append (GTK_BOX (self), self->button);
  self->list = GTK_BOX (gtk_box_new (GTK_ORIENTATION_VERTICAL, 0));
  gtk_widget_set_size_request (GTK_WIDGET (self->list), 380, -1);
  self->popover = gtk_popover_new ();
  gtk_widget_set_parent (self->popover, GTK_WIDGET (self));
  gtk_popover_set_child (GTK_POPOVER (self->popover), GTK_WIDGET (self->list));
}

GtkWidget *
flg_link_chip_new (FlgContext *context)
{
  FlgLinkChip *self = g_object_new (FLG_TYPE_LINK_CHIP, NULL);
  self->links = g_object_ref (flg_context_links (context));
  g_signal_connect_object (self->links, "changed", G_CALLBACK (refresh), self, G_CONNECT_SWAPPED);
  self->beat = g_timeout_add_seconds (BEAT_S, on_beat, self);
  refresh (self);
  return GTK_WIDGET (self);
}
