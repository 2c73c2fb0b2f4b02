#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/asker.h"

#include <glib/gi18n.h>

#include "gui/question-dialog.h"

struct FlgAsker
{
  GtkWindow *window;
  FlgLinks *links;
  FlgAskerSays says;
  gpointer data;
  GtkWidget *dialog; /* NULL: none */
  GHashTable *shown; /* site -> question's id that a dialog was opened for */
  gint64 said;       /* site that the line is about; 0: none */
  gulong handler;
};

static void refresh (FlgAsker *asker);

static void
on_gone (gpointer data, GObject *dialog)
{
  FlgAsker *asker = data;
  asker->dialog = NULL;
  refresh (asker);
}

/* Over the window in front: a wizard that waits for a login, else the main one. */
static GtkWindow *
window_in_front (FlgAsker *asker)
{
  g_autoptr (GList) all = gtk_window_list_toplevels ();
  for (GList *at = all; at; at = at->next)
    if (gtk_window_get_transient_for (at->data) == asker->window && gtk_window_get_modal (at->data)
        && gtk_widget_get_mapped (at->data))
      return at->data;
  return asker->window;
}

void
flg_asker_ask (FlgAsker *asker, gint64 site)
{
  const FlgLink *link = flg_links_get (asker->links, site);
  if (!link->question)
    return;
  if (asker->dialog)
    {
      gtk_window_present (GTK_WINDOW (asker->dialog));
      return;
    }
  g_hash_table_insert (asker->shown, g_memdup2 (&site, sizeof site), GUINT_TO_POINTER (link->question->id));
  asker->dialog = flg_question_dialog_new (window_in_front (asker), asker->links, site);
  g_object_weak_ref (G_OBJECT (asker->dialog), on_gone, asker);
  gtk_window_present (GTK_WINDOW (asker->dialog));
}

static void
say (FlgAsker *asker, const FlgLink *link)
{
  gint64 site = link ? link->site : 0;
  if (site == asker->said)
    return;
  asker->said = site;
  if (!link)
    {
      asker->says (NULL, 0, asker->data);
      return;
    }
  const FlSite *record = flg_links_site (asker->links, link);
  g_autofree char *text = g_strdup_printf (_ ("%s asks for %s."), record ? record->name : "?",
                                           flg_question_noun (link->question));
  asker->says (text, site, asker->data);
}

static void
refresh (FlgAsker *asker)
{
  g_autoptr (GArray) sites = flg_links_sites (asker->links);
  const FlgLink *closed = NULL;
  for (guint i = 0; i < sites->len; i++)
    {
      gint64 site = g_array_index (sites, gint64, i);
      const FlgLink *link = flg_links_get (asker->links, site);
      gpointer seen = NULL;
      if (!link->question)
        {
          g_hash_table_remove (asker->shown, &site);
          continue;
        }
      gboolean was = g_hash_table_lookup_extended (asker->shown, &site, NULL, &seen)
                     && GPOINTER_TO_UINT (seen) == link->question->id;
      if (!was && !asker->dialog)
        flg_asker_ask (asker, site);
      else if (was && !asker->dialog && !closed)
        closed = link;
    }
  say (asker, closed);
}

GtkWidget *
flg_asker_dialog (FlgAsker *asker)
{
  return asker->dialog;
}

FlgAsker *
flg_asker_new (GtkWindow *window, FlgLinks *links, FlgAskerSays says, gpointer data)
{
  FlgAsker *asker = g_new0 (FlgAsker, 1);
  asker->window = window;
  asker->links = g_object_ref (links);
  asker->says = says;
  asker->data = data;
  asker->shown = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  asker->handler = g_signal_connect_swapped (links, "changed", G_CALLBACK (refresh), asker);
  refresh (asker);
  return asker;
}

void
flg_asker_free (FlgAsker *asker)
{
  g_signal_handler_disconnect (asker->links, asker->handler);
  if (asker->dialog)
    {
      g_object_weak_unref (G_OBJECT (asker->dialog), on_gone, asker);
      gtk_window_destroy (GTK_WINDOW (asker->dialog));
    }
  g_hash_table_unref (asker->shown);
  g_object_unref (asker->links);
  g_free (asker);
}
