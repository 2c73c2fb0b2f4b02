#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/people-rows.h"

#include <glib/gi18n.h>
#include <string.h>

#include "gui/people.h"
#include "gui/text.h"
#include "widgets/palette.h"
#include "widgets/readout.h"
#include "widgets/tag-chips.h"

/* "ana.berg" and "Ana Berg" are AB, "ana" is A. */
static char *
initials_of (const char *who)
{
  GString *letters = g_string_new (NULL);
  gboolean begin = TRUE;
  for (const char *at = who; *at && g_utf8_strlen (letters->str, -1) < 2; at = g_utf8_next_char (at))
    {
      gunichar c = g_utf8_get_char (at);
      if (!g_unichar_isalnum (c))
        begin = TRUE;
      else if (begin)
        {
          g_string_append_unichar (letters, g_unichar_toupper (c));
          begin = FALSE;
        }
    }
  return g_string_free (letters, FALSE);
}

static void
draw_initials (GtkDrawingArea *area, cairo_t *cr, int width, int height, gpointer data)
{
  const char *who = data;
  g_autofree char *letters = initials_of (who);
  GdkRGBA ground = flw_rgba (flw_tag_colour (who), 1);
  double size = MIN (width, height);
  gdk_cairo_set_source_rgba (cr, &ground);
  cairo_arc (cr, width / 2.0, height / 2.0, size / 2, 0, 2 * G_PI);
  cairo_fill (cr);
  g_autoptr (PangoLayout) layout = gtk_widget_create_pango_layout (GTK_WIDGET (area), letters);
  g_autoptr (PangoFontDescription) font =
      pango_font_description_copy (pango_context_get_font_description (pango_layout_get_context (layout)));
  pango_font_description_set_absolute_size (font,
                                            size * (letters[0] && letters[1] ? 0.42 : 0.52) * PANGO_SCALE);
  pango_font_description_set_weight (font, PANGO_WEIGHT_BOLD);
  pango_layout_set_font_description (layout, font);
  int w, h;
  pango_layout_get_pixel_size (layout, &w, &h);
  cairo_set_source_rgb (cr, 1, 1, 1);
  cairo_move_to (cr, (width - w) / 2.0, (height - h) / 2.0);
  pango_cairo_show_layout (cr, layout);
}

GtkWidget *
flg_initials_new (const char *who, int size)
{
  GtkWidget *area = gtk_drawing_area_new ();
  gtk_drawing_area_set_content_width (GTK_DRAWING_AREA (area), size);
  gtk_drawing_area_set_content_height (GTK_DRAWING_AREA (area), size);
  gtk_drawing_area_set_draw_func (GTK_DRAWING_AREA (area), draw_initials, g_strdup (who), g_free);
  gtk_widget_set_valign (area, GTK_ALIGN_CENTER);
  return area;
}

gboolean
flg_presence_is_person (const FlPresence *presence)
{
  return strstr (presence->program, "conduct") == NULL;
}

static GtkWidget *
line (const char *text, const char *css_class)
{
  GtkWidget *label = gtk_label_new (text);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
  gtk_widget_add_css_class (label, css_class);
  return label;
}

/* The pages' names are their titles in small letters. */
static char *
page_title (const char *page)
{
  g_autofree char *title = flg_text_bounded (page, 40);
  title[0] = g_ascii_toupper (title[0]);
  return g_strdup (*title ? _ (title) : "");
}

GtkWidget *
flg_presence_row_new (FlgExperiment *experiment, const FlPresence *presence, gboolean own)
{
  GtkWidget *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 10);
  GtkWidget *text = gtk_box_new (GTK_ORIENTATION_VERTICAL, 1),
            *head = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 8);
  g_autofree char *who = flg_text_bounded (presence->who, 60),
                  *where = flg_text_bounded (presence->where, 60);
  g_autofree char *title = page_title (presence->page);
  guint64 now = flg_experiment_now (experiment);
  g_autofree char *age = flw_format_age (now > presence->since ? (double) (now - presence->since) / 1e9 : 0);
  g_autofree char *name = own ? g_strdup_printf (_ ("%s (you)"), who) : g_strdup (who);
  gboolean person = flg_presence_is_person (presence);
  g_autofree char *place = person && *title
                               /* TRANSLATORS: machine, page, how long */
                               ? g_strdup_printf (_ ("at %s · looks at %s · here for %s"), where, title, age)
                               : g_strdup_printf (_ ("at %s · here for %s"), where, age);
  gtk_box_append (GTK_BOX (head), line (name, "heading"));
  gtk_box_append (GTK_BOX (head),
                  line (person ? flg_role_label (presence->role) : _ ("conductor"), "dim-label"));
  gtk_box_append (GTK_BOX (text), head);
  gtk_box_append (GTK_BOX (text), line (place, "dim-label"));
  gtk_widget_set_hexpand (text, TRUE);
  gtk_box_append (GTK_BOX (row), flg_initials_new (presence->who, 28));
  gtk_box_append (GTK_BOX (row), text);
  gtk_widget_add_css_class (row, "link-row");
  return row;
}
