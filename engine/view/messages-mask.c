#include "engine/view/messages-mask.h"

#include <string.h>

#include "engine/base/error.h"

FlViewMask *
fl_view_mask_new (guint32 n_rules, guint32 n_panels, guint32 width, guint32 height, guint8 **shade)
{
  FlViewMask *mask = g_atomic_rc_box_new0 (FlViewMask);
  mask->n_rules = n_rules;
  mask->changed = g_new0 (guint32, n_rules);
  mask->n_panels = n_panels;
  mask->panels = g_new0 (FlViewMaskPanel, n_panels);
  mask->width = width;
  mask->height = height;
  *shade = g_new0 (guint8, (gsize) width * height);
  mask->shade = *shade;
  return mask;
}

static void
mask_clear (gpointer data)
{
  FlViewMask *mask = data;
  for (guint32 i = 0; i < mask->n_panels; i++)
    g_free (mask->panels[i].name);
  g_free (mask->panels);
  g_free (mask->changed);
  g_free (mask->rules);
  g_clear_pointer (&mask->file, g_bytes_unref);
  if (mask->body != NULL)
    g_variant_unref (mask->body);
  else
    g_free ((gpointer) mask->shade);
}

FlViewMask *
fl_view_mask_ref (FlViewMask *mask)
{
  return g_atomic_rc_box_acquire (mask);
}

void
fl_view_mask_unref (FlViewMask *mask)
{
  g_atomic_rc_box_release_full (mask, mask_clear);
}

static GVariant *
text (const char *string)
{
  return g_variant_new_take_string (g_utf8_make_valid (string != NULL ? string : "", -1));
}

GVariant *
fl_view_mask_request_encode (const FlViewMaskRequest *r)
{
  GVariantBuilder files;
  g_variant_builder_init (&files, G_VARIANT_TYPE ("as"));
  for (const char *const *file = r->files; file != NULL && *file != NULL; file++)
    g_variant_builder_add_value (&files, text (*file));
  return g_variant_new ("(@s@s@s@sasb@sb(dddd)uu)", text (r->source.path), text (r->source.geometry),
                        text (r->source.mask), text (r->source.calibration), &files, r->keep, text (r->rules),
                        r->file, r->rect.x0, r->rect.y0, r->rect.x1, r->rect.y1, r->width, r->height);
}

gboolean
fl_view_mask_request_decode (GVariant *body, FlViewMaskRequest *r, GError **error)
{
  g_variant_get (body, "(&s&s&s&s^a&sb&sb(dddd)uu)", &r->source.path, &r->source.geometry, &r->source.mask,
                 &r->source.calibration, &r->files, &r->keep, &r->rules, &r->file, &r->rect.x0, &r->rect.y0,
                 &r->rect.x1, &r->rect.y1, &r->width, &r->height);
  gboolean picture = r->width > 0 && r->height > 0 && r->height <= FL_VIEW_MAX_PIXELS / r->width
                     && r->rect.x1 > r->rect.x0 && r->rect.y1 > r->rect.y0 && r->rect.x1 - r->rect.x0 < 1e9
                     && r->rect.y1 - r->rect.y0 < 1e9;
  if (g_strv_length ((char **) r->files) <= FL_VIEW_MAX_MASK_FILES
      && (picture || (r->width == 0 && r->height == 0)))
    return TRUE;
  g_free ((gpointer) r->files);
  r->files = NULL;
  g_set_error (
      error, FL_ERROR, FL_ERROR_INPUT,
      "view request: a mask's picture of %u × %u, expected none, or 1 to %u pixels of a rectangle, and at "
      "most %d files",
      r->width, r->height, FL_VIEW_MAX_PIXELS, FL_VIEW_MAX_MASK_FILES);
  return FALSE;
}

/* --- the answer --- */

static GVariant *
bytes_of (gconstpointer bytes, gsize n)
{
  return g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, bytes, n, 1);
}

GVariant *
fl_view_mask_encode (const FlViewMask *m)
{
  GVariantBuilder panels;
  gsize length = 0;
  gconstpointer file = m->file != NULL ? g_bytes_get_data (m->file, &length) : NULL;
  g_variant_builder_init (&panels, G_VARIANT_TYPE ("a(sttt)"));
  for (guint32 i = 0; i < m->n_panels; i++)
    {
      const FlViewMaskPanel *p = &m->panels[i];
      g_variant_builder_add (&panels, "(@sttt)", text (p->name), p->pixels, p->bad, p->masked);
    }
  return g_variant_new (
      "(uuu@s@aua(sttt)ttttuu@ay@ay)", m->measured, m->shots, m->failed, text (m->rules),
      g_variant_new_fixed_array (G_VARIANT_TYPE_UINT32, m->changed, m->n_rules, sizeof *m->changed), &panels,
      m->pixels, m->bad, m->base, m->masked, m->width, m->height,
      bytes_of (m->shade, (gsize) m->width * m->height), bytes_of (file, length));
}

static GBytes *
take_bytes (GVariant *value)
{
  gsize n;
  gconstpointer bytes = g_variant_get_fixed_array (value, &n, 1);
  return g_bytes_new (bytes, n);
}

FlViewMask *
fl_view_mask_decode (GVariant *body, GError **error)
{
  g_autoptr (FlViewMask) m = g_atomic_rc_box_new0 (FlViewMask);
  g_autoptr (GVariant) changed = NULL, shade = NULL, file = NULL;
  g_autoptr (GVariantIter) panels = NULL;
  gsize n_changed, n_shade;
  g_variant_get (body, "(uuus@aua(sttt)ttttuu@ay@ay)", &m->measured, &m->shots, &m->failed, &m->rules,
                 &changed, &panels, &m->pixels, &m->bad, &m->base, &m->masked, &m->width, &m->height, &shade,
                 &file);
  m->n_panels = (guint32) g_variant_iter_n_children (panels);
  m->panels = g_new0 (FlViewMaskPanel, m->n_panels);
  for (guint32 i = 0; i < m->n_panels; i++)
    {
      FlViewMaskPanel *p = &m->panels[i];
      g_variant_iter_next (panels, "(sttt)", &p->name, &p->pixels, &p->bad, &p->masked);
    }
  const guint32 *counts = g_variant_get_fixed_array (changed, &n_changed, sizeof *counts);
  m->n_rules = (guint32) n_changed;
  m->changed = g_memdup2 (counts, n_changed * sizeof *counts);
  m->body = g_variant_ref (body);
  m->shade = g_variant_get_fixed_array (shade, &n_shade, 1);
  m->file = take_bytes (file);
  if (n_shade == (gsize) m->width * m->height)
    return g_steal_pointer (&m);
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "view reply: a mask's picture of %zu bytes, expected %u × %u",
               n_shade, m->width, m->height);
  return NULL;
}
