#include "widgets/log-view.h"

#include <glib/gi18n.h>
#include <string.h>

#include "widgets/theme.h"

typedef enum
{
  TEXT,
  ESCAPE, /* after ESC */
  CSI,    /* after ESC [ */
  OSC     /* after ESC ], up to BEL or ESC \ */
} Ansi;

/* Bytes of a line that are shown: GTK lays lines out whole, and one of a megabyte stops the window. */
#define LINE_MOST 2000

struct _FlwLogView
{
  GtkWidget parent_instance;
  GtkWidget *box, *scroller, *text, *bar, *row, *entry, *found;
  gsize line; /* bytes of the line that has not ended yet */
  GtkTextBuffer *buffer;
  GtkTextMark *end;
  GString *waiting; /* not shown yet */
  guint idle, settle;
  Ansi ansi;
  gsize cap;
  gboolean follow, busy;
  gboolean
      held; /* where a search has put it, until the user moves it: the heights of lines become known only by and by */
};

enum
{
  ERROR_ASKED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlwLogView, flw_log_view, GTK_TYPE_WIDGET)

/* --- text in --- */

/* How long a line was that has been cut, when it ends. */
static void
end_line (FlwLogView *view, GString *out)
{
  if (view->line > LINE_MOST)
    {
      if (view->line >= 100000)
        g_string_append_printf (out, "… %.1f MB", (double) view->line / 1e6);
      else
        g_string_append_printf (out, "… %.1f kB", (double) view->line / 1e3);
    }
  view->line = 0;
}

static void
put (FlwLogView *view, guchar c, GString *out)
{
  if (c == '\n')
    end_line (view, out);
  else if (view->line++ >= LINE_MOST)
    return;
  g_string_append_c (out, (char) c);
}

/* What a terminal would not show is dropped; the state lasts over the ends of appended pieces. */
static void
strip (FlwLogView *view, const char *bytes, gsize length, GString *out)
{
  for (gsize i = 0; i < length; i++)
    {
      guchar c = (guchar) bytes[i];

      switch (view->ansi)
        {
        case ESCAPE:
          view->ansi = c == '[' ? CSI : c == ']' ? OSC : TEXT;
          break;
        case CSI:
          if (c >= 0x40 && c <= 0x7e)
            view->ansi = TEXT;
          break;
        case OSC:
          if (c == 0x07)
            view->ansi = TEXT;
          else if (c == 0x1b)
            view->ansi = ESCAPE; /* ESC \ ends it; the backslash is dropped there */
          break;
        default:
          if (c == 0x1b)
            view->ansi = ESCAPE;
          else if (c == '\n' || c == '\t' || (c >= 0x20 && c != 0x7f))
            put (view, c, out);
        }
    }
}

/* Bytes at the end that may be the beginning of a character. */
static gsize
unfinished_tail (const GString *text)
{
  for (gsize back = 1; back <= MIN (text->len, 3); back++)
    {
      guchar c = (guchar) text->str[text->len - back];
      if (c >= 0xc0)
        return (c >= 0xf0 ? 4u : c >= 0xe0 ? 3u : 2u) > back ? back : 0;
      if (c < 0x80)
        return 0;
    }
  return 0;
}

static void
keep_to_cap (FlwLogView *view)
{
  int excess = gtk_text_buffer_get_char_count (view->buffer) - (int) view->cap;
  GtkTextIter start, cut;

  if (excess <= 0)
    return;
  gtk_text_buffer_get_start_iter (view->buffer, &start);
  gtk_text_buffer_get_iter_at_offset (view->buffer, &cut,
                                      excess + (int) view->cap / 16); /* not at every append */
  gtk_text_iter_forward_line (&cut);
  gtk_text_buffer_delete (view->buffer, &start, &cut);
}

static gboolean
flush (gpointer data)
{
  FlwLogView *view = data;
  g_autoptr (GString) piece = view->waiting;
  gsize tail = unfinished_tail (piece);
  g_autofree char *valid = NULL;
  GtkTextIter end;

  view->idle = 0;
  view->waiting = g_string_new_len (piece->str + piece->len - tail, (gssize) tail);
  g_string_truncate (piece, piece->len - tail);
  valid = g_utf8_make_valid (piece->str, (gssize) piece->len);
  view->busy = TRUE;
  gtk_text_buffer_get_end_iter (view->buffer, &end);
  gtk_text_buffer_insert (view->buffer, &end, valid, -1);
  keep_to_cap (view);
  view->busy = FALSE;
  if (view->follow)
    gtk_text_view_scroll_mark_onscreen (GTK_TEXT_VIEW (view->text), view->end);
  return G_SOURCE_REMOVE;
}

void
flw_log_view_append (FlwLogView *view, const char *bytes, gssize length)
{
  strip (view, bytes, length < 0 ? strlen (bytes) : (gsize) length, view->waiting);
  /* What would be cut at once need not be inserted. */
  if (view->waiting->len > 2 * view->cap)
    g_string_erase (view->waiting, 0, (gssize) (view->waiting->len - view->cap));
  if (view->idle == 0)
    view->idle = g_idle_add (flush, view);
}

void
flw_log_view_clear (FlwLogView *view)
{
  g_clear_handle_id (&view->idle, g_source_remove);
  g_string_truncate (view->waiting, 0);
  view->ansi = TEXT;
  view->line = 0;
  view->follow = TRUE;
  view->held = FALSE;
  gtk_text_buffer_set_text (view->buffer, "", 0);
}

void
flw_log_view_set_cap (FlwLogView *view, gsize bytes)
{
  view->cap = CLAMP (bytes, 1024, 256u << 20);
  keep_to_cap (view);
}

static void
flush_now (FlwLogView *view)
{
  if (view->idle == 0)
    return;
  g_clear_handle_id (&view->idle, g_source_remove);
  flush (view);
}

char *
flw_log_view_get_text (FlwLogView *view)
{
  GtkTextIter start, end;

  flush_now (view);
  gtk_text_buffer_get_bounds (view->buffer, &start, &end);
  return gtk_text_buffer_get_text (view->buffer, &start, &end, FALSE);
}

/* --- search --- */

/* Puts what is selected in sight, without GTK's gliding there: it would be still on its way when the view is left. */
static gboolean
settle (gpointer data)
{
  FlwLogView *view = data;
  GtkAdjustment *down = gtk_scrolled_window_get_vadjustment (GTK_SCROLLED_WINDOW (view->scroller)),
                *across = gtk_scrolled_window_get_hadjustment (GTK_SCROLLED_WINDOW (view->scroller));
  double wide = gtk_adjustment_get_page_size (across);
  GdkRectangle place;
  GtkTextIter at;

  view->settle = 0;
  if (!view->held)
    return G_SOURCE_REMOVE;
  gtk_text_buffer_get_selection_bounds (view->buffer, &at, NULL);
  gtk_text_view_get_iter_location (GTK_TEXT_VIEW (view->text), &at, &place);
  gtk_adjustment_set_value (down, place.y - 0.3 * gtk_adjustment_get_page_size (down));
  gtk_adjustment_set_value (across, place.x > 0.8 * wide ? place.x - 0.5 * wide : 0);
  return G_SOURCE_REMOVE;
}

/* At once, and again when the heights of all lines are known. */
static void
reveal (FlwLogView *view, const GtkTextIter *from, const GtkTextIter *to)
{
  view->follow = FALSE;
  view->held = TRUE;
  gtk_text_buffer_select_range (view->buffer, from, to);
  g_clear_handle_id (&view->settle, g_source_remove);
  settle (view);
  view->settle = g_idle_add_full (G_PRIORITY_LOW, settle, view, NULL);
}

gboolean
flw_log_view_find (FlwLogView *view, const char *text, gboolean backwards)
{
  GtkTextSearchFlags flags = GTK_TEXT_SEARCH_CASE_INSENSITIVE | GTK_TEXT_SEARCH_TEXT_ONLY;
  GtkTextIter from, to, a, b, edge;
  gboolean found;

  if (text == NULL || *text == '\0')
    return FALSE;
  gtk_text_buffer_get_selection_bounds (view->buffer, &from, &to);
  found = backwards ? gtk_text_iter_backward_search (&from, text, flags, &a, &b, NULL)
                    : gtk_text_iter_forward_search (&to, text, flags, &a, &b, NULL);
  if (!found) /* once around */
    {
      if (backwards)
        gtk_text_buffer_get_end_iter (view->buffer, &edge);
      else
        gtk_text_buffer_get_start_iter (view->buffer, &edge);
      found = backwards ? gtk_text_iter_backward_search (&edge, text, flags, &a, &b, NULL)
                        : gtk_text_iter_forward_search (&edge, text, flags, &a, &b, NULL);
    }
  if (!found)
    return FALSE;
  reveal (view, &a, &b);
  return TRUE;
}

guint
flw_log_view_count (FlwLogView *view, const char *text, guint *selected)
{
  GtkTextSearchFlags flags = GTK_TEXT_SEARCH_CASE_INSENSITIVE | GTK_TEXT_SEARCH_TEXT_ONLY;
  GtkTextIter at, a, b, chosen;
  guint n = 0;

  flush_now (view);
  *selected = 0;
  gtk_text_buffer_get_selection_bounds (view->buffer, &chosen, NULL);
  gtk_text_buffer_get_start_iter (view->buffer, &at);
  while (text != NULL && *text != '\0' && gtk_text_iter_forward_search (&at, text, flags, &a, &b, NULL))
    {
      n++;
      if (gtk_text_iter_equal (&a, &chosen))
        *selected = n;
      at = b;
    }
  return n;
}

static void
search (FlwLogView *view, gboolean backwards)
{
  const char *text = gtk_editable_get_text (GTK_EDITABLE (view->entry));
  g_autofree char *words = NULL;
  guint n, which;

  flush_now (view);
  flw_log_view_find (view, text, backwards);
  n = flw_log_view_count (view, text, &which);
  if (*text != '\0')
    words = n > 0 ? g_strdup_printf (_ ("%u of %u in what is loaded"), which, n)
                  : g_strdup (_ ("not in what is loaded"));
  gtk_label_set_text (GTK_LABEL (view->found), words != NULL ? words : "");
}

void
flw_log_view_show_line (FlwLogView *view, guint line)
{
  GtkTextIter a, b;

  flush_now (view);
  gtk_text_buffer_get_iter_at_line (view->buffer, &a, (int) line);
  b = a;
  if (!gtk_text_iter_ends_line (&b))
    gtk_text_iter_forward_to_line_end (&b);
  reveal (view, &a, &b);
}

char *
flw_log_view_get_selected (FlwLogView *view)
{
  GtkTextIter a, b;

  flush_now (view);
  if (!gtk_text_buffer_get_selection_bounds (view->buffer, &a, &b))
    return g_strdup ("");
  return gtk_text_buffer_get_text (view->buffer, &a, &b, FALSE);
}

void
flw_log_view_begin_search (FlwLogView *view, const char *text)
{
  gtk_search_bar_set_search_mode (GTK_SEARCH_BAR (view->bar), TRUE);
  if (text != NULL)
    gtk_editable_set_text (GTK_EDITABLE (view->entry), text);
  gtk_widget_grab_focus (view->entry);
}

const char *
flw_log_view_get_searched (FlwLogView *view)
{
  return gtk_editable_get_text (GTK_EDITABLE (view->entry));
}

void
flw_log_view_add_to_search (FlwLogView *view, GtkWidget *widget)
{
  gtk_box_append (GTK_BOX (view->row), widget);
}

/* The first (or last) line that speaks of an error: what people look for in a log. */
static void
jump_to_error (FlwLogView *view, gboolean last)
{
  static const char *const words[] = { "error", "fatal", "traceback", "failed", "abort", "segmentation" };
  GtkTextSearchFlags flags = GTK_TEXT_SEARCH_CASE_INSENSITIVE | GTK_TEXT_SEARCH_TEXT_ONLY;
  GtkTextIter edge, a, b, best_a, best_b;
  gboolean found = FALSE;

  g_signal_emit (view, signals[ERROR_ASKED], 0, last, &found);
  if (found)
    return;
  if (last)
    gtk_text_buffer_get_end_iter (view->buffer, &edge);
  else
    gtk_text_buffer_get_start_iter (view->buffer, &edge);
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    {
      if (!(last ? gtk_text_iter_backward_search (&edge, words[i], flags, &a, &b, NULL)
                 : gtk_text_iter_forward_search (&edge, words[i], flags, &a, &b, NULL)))
        continue;
      if (!found
          || (last ? gtk_text_iter_compare (&a, &best_a) > 0 : gtk_text_iter_compare (&a, &best_a) < 0))
        {
          best_a = a;
          best_b = b;
        }
      found = TRUE;
    }
  if (!found)
    return;
  reveal (view, &best_a, &best_b);
}

static void
act (GtkWidget *widget, const char *action, GVariant *parameter)
{
  FlwLogView *view = FLW_LOG_VIEW (widget);

  (void) parameter;
  if (g_str_equal (action, "log.search"))
    flw_log_view_begin_search (view, NULL);
  else if (g_str_equal (action, "log.next") || g_str_equal (action, "log.previous"))
    search (view, g_str_equal (action, "log.previous"));
  else if (g_str_equal (action, "log.end"))
    {
      view->follow = TRUE;
      view->held = FALSE;
      gtk_text_view_scroll_mark_onscreen (GTK_TEXT_VIEW (view->text), view->end);
    }
}

/* Letters act on the log only while the log itself has the focus, not the search entry. */
static gboolean
on_key (GtkEventControllerKey *controller, guint key, guint code, GdkModifierType state, FlwLogView *view)
{
  (void) controller;
  (void) code;
  if (state & (GDK_CONTROL_MASK | GDK_ALT_MASK))
    return FALSE;
  if (key == GDK_KEY_e || key == GDK_KEY_E)
    jump_to_error (view, key == GDK_KEY_E);
  else if (key == GDK_KEY_End)
    gtk_widget_activate_action (GTK_WIDGET (view), "log.end", NULL);
  else
    return FALSE;
  return TRUE;
}

static gboolean
on_event (GtkEventControllerLegacy *controller, GdkEvent *event, FlwLogView *view)
{
  GdkEventType type = gdk_event_get_event_type (event);

  (void) controller;
  if (type == GDK_SCROLL || type == GDK_BUTTON_PRESS || type == GDK_KEY_PRESS || type == GDK_TOUCH_BEGIN)
    view->held = FALSE;
  return FALSE;
}

/* Following is where the user left the scroll bar, not what an insertion made of it. */
static void
on_scrolled (GtkAdjustment *adjustment, FlwLogView *view)
{
  if (!view->busy && !view->held)
    view->follow = gtk_adjustment_get_value (adjustment) + gtk_adjustment_get_page_size (adjustment)
                   >= gtk_adjustment_get_upper (adjustment) - 8;
}

static void
on_resized (GtkAdjustment *adjustment, FlwLogView *view)
{
  if (!view->follow)
    return;
  view->busy = TRUE;
  gtk_adjustment_set_value (adjustment, gtk_adjustment_get_upper (adjustment));
  view->busy = FALSE;
}

/* --- the widget --- */

static void
flw_log_view_dispose (GObject *object)
{
  g_clear_handle_id (&FLW_LOG_VIEW (object)->idle, g_source_remove);
  g_clear_handle_id (&FLW_LOG_VIEW (object)->settle, g_source_remove);
  g_clear_pointer (&FLW_LOG_VIEW (object)->box, gtk_widget_unparent);
  G_OBJECT_CLASS (flw_log_view_parent_class)->dispose (object);
}

static void
flw_log_view_finalize (GObject *object)
{
  g_string_free (FLW_LOG_VIEW (object)->waiting, TRUE);
  g_object_unref (FLW_LOG_VIEW (object)->buffer);
  G_OBJECT_CLASS (flw_log_view_parent_class)->finalize (object);
}

static void
flw_log_view_class_init (FlwLogViewClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  static const struct
  {
    const char *action;
    guint key;
    GdkModifierType state;
  } keys[] = { { "log.search", GDK_KEY_f, GDK_CONTROL_MASK },
               { "log.next", GDK_KEY_F3, 0 },
               { "log.previous", GDK_KEY_F3, GDK_SHIFT_MASK },
               { "log.end", GDK_KEY_End, GDK_CONTROL_MASK } };

  signals[ERROR_ASKED] =
      g_signal_new ("error-asked", FLW_TYPE_LOG_VIEW, G_SIGNAL_RUN_LAST, 0, g_signal_accumulator_true_handled,
                    NULL, NULL, G_TYPE_BOOLEAN, 1, G_TYPE_BOOLEAN);
  G_OBJECT_CLASS (klass)->dispose = flw_log_view_dispose;
  G_OBJECT_CLASS (klass)->finalize = flw_log_view_finalize;
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_css_name (widget_class, "logview");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_LOG);
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      gtk_widget_class_install_action (widget_class, keys[i].action, NULL, act);
      gtk_widget_class_add_binding_action (widget_class, keys[i].key, keys[i].state, keys[i].action, NULL);
    }
}

static void
on_search_changed (FlwLogView *view)
{
  search (view, TRUE);
}

static void
flw_log_view_init (FlwLogView *view)
{
  GtkEventController *keys = gtk_event_controller_key_new (), *events;
  GtkWidget *previous = gtk_button_new_with_label ("▴"), *next = gtk_button_new_with_label ("▾");
  GtkAdjustment *adjustment;
  GtkTextIter end;

  view->cap = 4u << 20;
  view->follow = TRUE;
  view->waiting = g_string_new (NULL);
  view->buffer = gtk_text_buffer_new (NULL);
  gtk_text_buffer_get_end_iter (view->buffer, &end);
  view->end = gtk_text_buffer_create_mark (view->buffer, NULL, &end, FALSE);
  view->text = gtk_text_view_new_with_buffer (view->buffer);
  gtk_text_view_set_editable (GTK_TEXT_VIEW (view->text), FALSE);
  gtk_text_view_set_cursor_visible (GTK_TEXT_VIEW (view->text), FALSE);
  gtk_text_view_set_monospace (GTK_TEXT_VIEW (view->text), TRUE);
  gtk_text_view_set_left_margin (GTK_TEXT_VIEW (view->text), 8);
  gtk_text_view_set_top_margin (GTK_TEXT_VIEW (view->text), 6);
  view->scroller = gtk_scrolled_window_new ();
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (view->scroller), view->text);
  gtk_scrolled_window_set_overlay_scrolling (GTK_SCROLLED_WINDOW (view->scroller), FALSE);
  gtk_widget_set_vexpand (view->scroller, TRUE);
  view->entry = gtk_search_entry_new ();
  gtk_widget_set_hexpand (view->entry, TRUE);
  view->found = gtk_label_new (NULL);
  view->row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 8);
  gtk_actionable_set_action_name (GTK_ACTIONABLE (previous), "log.previous");
  gtk_widget_set_tooltip_text (previous, _ ("The match above (Shift+F3)"));
  gtk_actionable_set_action_name (GTK_ACTIONABLE (next), "log.next");
  gtk_widget_set_tooltip_text (next, _ ("The match below (F3)"));
  gtk_box_append (GTK_BOX (view->row), view->entry);
  gtk_box_append (GTK_BOX (view->row), previous);
  gtk_box_append (GTK_BOX (view->row), next);
  gtk_box_append (GTK_BOX (view->row), view->found);
  view->bar = gtk_search_bar_new ();
  gtk_search_bar_set_child (GTK_SEARCH_BAR (view->bar), view->row);
  gtk_search_bar_connect_entry (GTK_SEARCH_BAR (view->bar), GTK_EDITABLE (view->entry));
  view->box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  gtk_box_append (GTK_BOX (view->box), view->bar);
  gtk_box_append (GTK_BOX (view->box), view->scroller);
  gtk_widget_set_parent (view->box, GTK_WIDGET (view));
  adjustment = gtk_scrolled_window_get_vadjustment (GTK_SCROLLED_WINDOW (view->scroller));
  g_signal_connect (adjustment, "value-changed", G_CALLBACK (on_scrolled), view);
  g_signal_connect (adjustment, "changed", G_CALLBACK (on_resized), view);
  g_signal_connect (keys, "key-pressed", G_CALLBACK (on_key), view);
  events = gtk_event_controller_legacy_new ();
  gtk_event_controller_set_propagation_phase (events, GTK_PHASE_CAPTURE);
  g_signal_connect (events, "event", G_CALLBACK (on_event), view);
  gtk_widget_add_controller (view->scroller, events);
  gtk_widget_add_controller (view->text, keys);
  g_signal_connect_swapped (view->entry, "search-changed", G_CALLBACK (on_search_changed), view);
  g_signal_connect_swapped (view->entry, "activate", G_CALLBACK (on_search_changed), view);
}

GtkWidget *
flw_log_view_new (void)
{
  return g_object_new (FLW_TYPE_LOG_VIEW, NULL);
}
