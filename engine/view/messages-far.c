/* What is done at the far end of a link so that its bytes need not come here: looking through logs, the change feed. */
#include "engine/view/messages.h"

FlViewFound *
fl_view_found_new (void)
{
  return g_atomic_rc_box_new0 (FlViewFound);
}

FlViewFound *
fl_view_found_ref (FlViewFound *found)
{
  return g_atomic_rc_box_acquire (found);
}

static void
found_clear (gpointer data)
{
  FlViewFound *found = data;
  g_free (found->text);
}

void
fl_view_found_unref (FlViewFound *found)
{
  g_atomic_rc_box_release_full (found, found_clear);
}

static GVariant *
text (const char *string)
{
  return g_variant_new_take_string (g_utf8_make_valid (string != NULL ? string : "", -1));
}

GVariant *
fl_view_find_request_encode (const FlViewFindRequest *r)
{
  return g_variant_new ("(@s@st)", text (r->path), text (r->pattern), r->offset);
}

void
fl_view_find_request_decode (GVariant *body, FlViewFindRequest *r)
{
  g_variant_get (body, "(&s&st)", &r->path, &r->pattern, &r->offset);
}

GVariant *
fl_view_found_encode (const FlViewFound *f)
{
  return g_variant_new ("(bttt@stt)", f->found, f->offset, f->match, f->line, text (f->text), f->size,
                        f->searched);
}

FlViewFound *
fl_view_found_decode (GVariant *body)
{
  FlViewFound *f = fl_view_found_new ();
  g_variant_get (body, "(btttstt)", &f->found, &f->offset, &f->match, &f->line, &f->text, &f->size,
                 &f->searched);
  return f;
}

GVariant *
fl_view_feed_request_encode (const FlViewFeedRequest *r)
{
  GVariant *position =
      g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, r->position, r->position_length, sizeof (guint8));
  return g_variant_new ("(@s@ayu)", text (r->store), position, r->most);
}

void
fl_view_feed_request_decode (GVariant *body, FlViewFeedRequest *r)
{
  g_autoptr (GVariant) position = NULL;
  g_variant_get (body, "(&s@ayu)", &r->store, &position, &r->most);
  r->position = g_variant_get_fixed_array (position, &r->position_length, sizeof (guint8));
}

GVariant *
fl_view_feed_encode (GBytes *batch)
{
  return g_variant_new ("(@ay)", g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, batch, TRUE));
}

GBytes *
fl_view_feed_decode (GVariant *body)
{
  g_autoptr (GVariant) bytes = g_variant_get_child_value (body, 0);
  return g_variant_get_data_as_bytes (bytes);
}
