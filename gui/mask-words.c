#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/mask-words.h"

#include <glib/gi18n.h>

#include "gui/text.h"

#define MOST_PANELS 8 /* whose shares are written out */

static double
percent (guint64 part, guint64 of)
{
  return 100 * (double) part / (double) MAX (of, 1);
}

static int
most_masked (gconstpointer a, gconstpointer b)
{
  const FlViewMaskPanel *p = *(const FlViewMaskPanel *const *) a, *q = *(const FlViewMaskPanel *const *) b;
  double of_p = (double) p->masked / (double) MAX (p->pixels, 1),
         of_q = (double) q->masked / (double) MAX (q->pixels, 1);
  return of_p < of_q ? 1 : of_p > of_q ? -1 : 0;
}

static char *
panel_lines (const FlViewMask *answer)
{
  g_autoptr (GPtrArray) panels = g_ptr_array_new ();
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < answer->n_panels; i++)
    if (answer->panels[i].masked)
      g_ptr_array_add (panels, &answer->panels[i]);
  if (panels->len > MOST_PANELS)
    g_ptr_array_sort (panels, most_masked);
  for (guint i = 0; answer->n_panels > 1 && i < MIN (panels->len, MOST_PANELS); i++)
    {
      const FlViewMaskPanel *p = panels->pdata[i];
      g_autofree char *name = flg_text_bounded (p->name, 24);
      g_string_append_printf (text, "\n%s  %.2f %%", *name ? name : "–", percent (p->masked, p->pixels));
    }
  if (panels->len > MOST_PANELS)
    g_string_append_printf (text, _ ("\nless of %u others"), panels->len - MOST_PANELS);
  return g_string_free (text, FALSE);
}

char *
flg_mask_share (const FlViewMask *mask)
{
  return g_strdup_printf (_ ("%.2f %% masked"), percent (mask->masked, mask->pixels));
}

char *
flg_mask_numbers (const FlViewMask *mask)
{
  g_autofree char *pixels = flg_format_count ((gint64) mask->masked);
  g_autofree char *of = flg_format_count ((gint64) mask->pixels);
  g_autofree char *lines = panel_lines (mask);
  GString *text = g_string_new (NULL);
  g_string_append_printf (text, _ ("%s of %s px"), pixels, of);
  g_string_append_printf (text, _ ("; %.2f %% bad by the geometry"), percent (mask->bad, mask->pixels));
  if (mask->base)
    {
      g_autofree char *base = flg_format_count ((gint64) mask->base);
      g_string_append_printf (text, _ ("\nthe mask before the rules: %s px"), base);
    }
  if (mask->shots)
    g_string_append_printf (text, ngettext ("\n%u shot looked at", "\n%u shots looked at", mask->measured),
                            mask->measured - mask->failed);
  if (mask->failed)
    g_string_append_printf (text, _ (", %u cannot be read"), mask->failed);
  g_string_append (text, lines);
  return g_string_free (text, FALSE);
}

char *
flg_mask_rule_count (const FlViewMask *mask, guint rule)
{
  g_autofree char *count = mask && rule < mask->n_rules ? flg_format_count (mask->changed[rule]) : NULL;
  return count ? g_strdup_printf (_ ("%s px"), count) : g_strdup ("–");
}
