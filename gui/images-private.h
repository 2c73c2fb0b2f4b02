/* images-private.h: the inside of FlgImagesPage, shared by images-page.c (what is shown), images-actions.c (what can be
 * done) and images-mask.c (the mask that is edited). */
#pragma once

#include "gui/chooser.h"
#include "gui/images-page.h"
#include "gui/mask-panel.h"
#include "gui/shot-list.h"
#include "gui/shot-picture.h"

/* A shot that was shown. */
typedef struct
{
  char *path;
  guint32 source, frame;
} FlgImagePlace;

struct _FlgImagesPage
{
  FlgPage parent_instance;
  GtkBox *view_slot, *bar_slot, *compare_slot, *tuner_slot, *mask_slot;
  GtkWidget *places, *about; /* hidden while values are tried */
  GtkWidget *over;           /* what is drawn over the image: of crystals alone */
  GtkScrolledWindow *numbers;
  FlgChooser *runs, *files;
  GtkSpinButton *frame_spin;
  GtkLabel *frames_label, *facts, *counts[FLG_SHOTS_LAST];
  GtkToggleButton *spots_button, *predictions_button;
  FlwImageView *view;
  FlwColourBar *bar;
  FlgShotPicture *picture;
  FlgComparePanel *compare;
  FlgTrialTuner *tuner; /* NULL: not opened yet */
  FlgMaskPanel *masks;  /* the same */
  gboolean masking;     /* the mask is edited */

  FlgShotList *list;       /* of the job; NULL: none */
  GPtrArray *folder_files; /* char *, of a run without a job */
  GArray *history;         /* FlgImagePlace, for going back */
  GRand *random;

  guint32 source;    /* shown */
  FlgShotKind along; /* how one has come there: from shot to shot of a kind, FLG_SHOTS_LAST: frame by frame */
  int by;            /* 1 or −1 */
  gint64 job;
  FlgShotRef wanted; /* to be shown once its file is known; job 0: none */
  guint listing;     /* folders whose files are awaited */
  gboolean setting;  /* the choosers are being set by us */
};

void flg_images_page_show_place (FlgImagesPage *self, const char *path, guint32 source, guint32 frame,
                                 gboolean remember);
void flg_images_page_show_ref (FlgImagesPage *self, const FlgShotRef *ref);
/* images-actions.c: the actions, the keys, and which actions make sense now. */
void flg_images_page_install_actions (GtkWidgetClass *klass);
void flg_images_page_add_keys (FlgImagesPage *self);
void flg_images_page_enable_steps (FlgImagesPage *self);
/* images-mask.c: its actions, and a key before all others; what is edited, once the shown file is another one. */
void flg_images_page_install_mask_actions (GtkWidgetClass *klass);
gboolean flg_images_page_mask_key (FlgImagesPage *self, guint key, GdkModifierType state);
void flg_images_page_mask_shot (FlgImagesPage *self, gint64 site, const char *path, const char *geometry,
                                const char *mask);
/* The next along the way one has come. FALSE: there is none. The path is borrowed. */
gboolean flg_images_page_next (FlgImagesPage *self, const char **path, guint32 *frame);
