/* job-wishes.h: what a person asks of many jobs at once, as one write for flg_page_write(). Which of them can be asked it at
 * all is looked at again in the store: what has ended meanwhile is left alone. Thread: the store's. */
#pragma once

#include "engine/store/store.h"

typedef enum
{
  FLG_WISH_STOP,
  FLG_WISH_RETRY,
  FLG_WISH_APPROVE,
  FLG_WISH_HOLD,
  FLG_WISH_UNDO /* before it has been submitted: a stop, for the log by another name */
} FlgWishKind;

typedef struct
{
  FlgWishKind kind;
  GArray *jobs; /* gint64 */
} FlgWish;

/* Whether the job, as it is, can be asked that. Thread: any. */
gboolean flg_wish_fits (FlgWishKind kind, const FlJob *job, guint64 now);
FlgWish *flg_wish_new (FlgWishKind kind, GArray *jobs); /* takes the array */
void flg_wish_free (FlgWish *wish);
gpointer flg_wish_write (FlStore *store, gpointer wish, GError **error);
