/* site-wizard-private.h: the inside of FlgSiteWizard, shared by site-wizard.c (its flow: what is written, checked, and which step
 * comes next) and site-wizard-pages.c (what the steps look like). */
#pragma once

#include "gui/site-steps.h"
#include "gui/site-wizard.h"

typedef enum
{
  FLG_SITE_STEP_MACHINE,
  FLG_SITE_STEP_FOLDERS,
  FLG_SITE_STEP_CHECK,
  FLG_SITE_STEP_RESOURCES,
  FLG_SITE_STEP_SUMMARY,
  FLG_SITE_N_STEPS
} FlgSiteStep;

typedef struct
{
  const char *name, *title, *what;
} FlgSiteWizardStep;

struct _FlgSiteWizard
{
  GtkWindow parent_instance;
  FlgContext *context;
  FlgLinks *links;
  FlgSiteForm *form;
  GtkStack *stack;
  GtkWidget *heads[FLG_SITE_N_STEPS];
  GtkLabel *title, *complaint, *reason, *found, *summary;
  GtkWidget *over_ssh, *hosts, *openssh, *openssh_row, *back, *next, *hold, *go;
  FlgSiteSteps *check, *check_again; /* on the pages "check" and "summary" */
  FlgSiteStep step;
  gint64 site;   /* the unfinished record; 0: not made yet */
  char *checked; /* what was asked for when the last check began; NULL: none has */
  gboolean writing, connected, finished, closed;
  gboolean probe_when_up;
};

/* site-wizard.c */
gboolean flg_site_wizard_is_far (FlgSiteWizard *self);
/* The kind of machine that is chosen decides which steps there are. */
void flg_site_wizard_follow_kind (FlgSiteWizard *self);

/* site-wizard-pages.c */
extern const FlgSiteWizardStep flg_site_wizard_steps[FLG_SITE_N_STEPS]; /* words to be translated */
void flg_site_wizard_build (FlgSiteWizard *self);
void flg_site_wizard_show_summary (FlgSiteWizard *self);
void flg_site_wizard_show_found (FlgSiteWizard *self);
