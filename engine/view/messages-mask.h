/* messages-mask.h: masks that are being edited, as a serve child works them out: plain structs and their serialised forms. The
 * rules are a text (engine/shots/mask-rules.h) that is not understood here. Answers are immutable and shared by reference count
 * (any thread); requests borrow their strings. */
#pragma once

#include "engine/view/messages.h"

#define FL_VIEW_MAX_MASK_FILES 512

typedef struct
{
  FlViewSourceRequest
      source; /* what is shown; its mask: the one that is being edited, or "": what the rules began with is then nothing */
  const char *const
      *files; /* of the run, for rules about intensities; NULL-terminated; none: the shown one */
  const char *rules;
  gboolean
      keep; /* the rules begin with what `source.mask` was made by, if it was made by rules; `rules` is not read */
  gboolean file;         /* the finished file is wanted, too */
  FlViewRect rect;       /* of the picture */
  guint32 width, height; /* 0: no picture */
} FlViewMaskRequest;

typedef struct
{
  char *name;
  guint64 pixels, bad, masked; /* bad: whatever the rules say; masked: by the rules, of the others */
} FlViewMaskPanel;

typedef struct
{
  guint32 measured,
      shots; /* measured < shots: not finished, ask again; then nothing but these, `rules` and `failed` is filled in */
  guint32 failed; /* shots that could not be read */
  char *rules;    /* the text that this is the answer to */
  guint32 n_rules;
  guint32 *changed; /* pixels that each rule of the text changes, in its order */
  guint32 n_panels;
  FlViewMaskPanel *panels;
  guint64 pixels, bad, base, masked; /* of all panels; base: what the rules began with */
  guint32 width, height;
  const guint8 *
      shade; /* width × height, as the raster of a picture: 0 to 255, which share of the detector pixels there the rules mask */
  GBytes *file;   /* empty: not asked for */
  GVariant *body; /* private: what `shade` may point into */
} FlViewMask;

/* Zeroed; the maker fills it in with allocated members; *shade is writable until the answer is shared. */
FlViewMask *fl_view_mask_new (guint32 n_rules, guint32 n_panels, guint32 width, guint32 height,
                              guint8 **shade);
FlViewMask *fl_view_mask_ref (FlViewMask *mask);
void fl_view_mask_unref (FlViewMask *mask);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlViewMask, fl_view_mask_unref)

GVariant *fl_view_mask_request_encode (const FlViewMaskRequest *request);
/* The strings point into `body`, the list of files is to be freed with g_free(). */
gboolean fl_view_mask_request_decode (GVariant *body, FlViewMaskRequest *request, GError **error);
GVariant *fl_view_mask_encode (const FlViewMask *mask);
/* FL_ERROR_INPUT when the picture is not of the size that is told. */
FlViewMask *fl_view_mask_decode (GVariant *body, GError **error);
