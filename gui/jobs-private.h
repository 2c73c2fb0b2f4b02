/* jobs-private.h: the inside of FlgJobsPage, shared by jobs-page.c (what is shown) and jobs-actions.c (what can be asked of one
 * job, of the selected, of all shown). */
#pragma once

#include "gui/job-detail.h"
#include "gui/job-wishes.h"
#include "gui/jobs-page.h"
#include "widgets/empty-state.h"

typedef enum
{
  FLG_JOBS_VIEW_LIST,
  FLG_JOBS_VIEW_RUNS,
  FLG_JOBS_VIEW_DATASETS,
  FLG_JOBS_N_VIEWS
} FlgJobsView;

struct _FlgJobsPage
{
  FlgPage parent_instance;
  GtkStack *stack, *view_stack;
  GtkBox *views;
  FlgJobDetail *detail;
  FlwEmptyState *empty;
  GtkSearchEntry *filter;
  GtkDropDown *state_choice, *site_choice, *dataset_choice;
  GtkLabel *headline, *question;
  GtkWidget *approve_all, *hold_all, *stop_all;
  GtkRevealer *confirm;
  GtkPaned *paned;
  gboolean divided, filling;
  FlgJobIndex *index;
  FlgJobModel *model;
  GtkWidget *list, *matrix;
  guint view;
  gint64 chosen;
  gint64 wanted;  /* to be shown once it is there */
  FlgWish *asked; /* NULL: nothing */
  guint beat;
};

/* jobs-actions.c */

/* In the list all that are selected; else the one that is looked at. gint64; unref it. */
GArray *flg_jobs_page_selected (FlgJobsPage *self);
/* Which wishes make sense now: of the selected; of all shown, whose buttons count them. */
void flg_jobs_page_enable_selected (FlgJobsPage *self);
void flg_jobs_page_enable_shown (FlgJobsPage *self);
/* A question is about the jobs that it was asked for. */
void flg_jobs_page_withdraw (FlgJobsPage *self);
void flg_jobs_page_install_wishes (GtkWidgetClass *widget_class);
