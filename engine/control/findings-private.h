/* findings-private.h: what the findings know of a job, and the rules that judge it. */
#pragma once

#include "engine/base/batch.h"
#include "engine/control/findings.h"
#include "engine/store/stats.h"

#define FL_FINDINGS_KEPT  1024 /* newest lattices of a job */
#define FL_FINDINGS_RINGS 512

typedef struct
{
  guint64 shots, pixels;     /* looked at; pixels over all of them */
  double mean, noise, zeros; /* sums over shots, to be divided by them */
  guint64 spots, saturated;
} FlPanelSum;

typedef struct
{
  guint64 spots;
  double intensity; /* sum */
} FlRingSum;

/* The evidence of one job. */
typedef struct
{
  gint64 job, run;
  guint64 lattices;                  /* that came; the newest are kept: */
  float shift[3][FL_FINDINGS_KEPT];  /* mm */
  float length[3][FL_FINDINGS_KEPT]; /* Å */
  gboolean asked;                    /* to index: there is a cell record, or lattices */
  gboolean has_cell;                 /* that the job uses: */
  FlCellRow cell;
  GArray *panels;              /* FlPanelSum */
  double pixel_size, distance; /* mm; 0 = not known */
  FlRingSum rings[FL_FINDINGS_RINGS];
} FlJobEvidence;

/* A job of the newest trial, with its counts, as the rules see it. */
typedef struct
{
  const FlJobEvidence *evidence; /* NULL: there is none */
  FlJobStats stats;
  const char *run; /* name */
} FlJobView;

/* Adds what is wrong with one job to `list` (FlFinding). `others`: FlJobView of all jobs of the trial, itself among them. */
void fl_findings_judge_geometry (const FlJobView *job, GPtrArray *list);
void fl_findings_judge_panels (const FlJobView *job, GPtrArray *list);
void fl_findings_judge_rings (const FlJobView *job, GPtrArray *list);
void fl_findings_judge_cell (const FlJobView *job, const GArray *every,
                             GPtrArray *list); /* every: of all trials */
void fl_findings_judge_light (const FlJobView *job, const GArray *others, GPtrArray *list);

/* The texts become its own. */
void fl_findings_add (GPtrArray *list, const FlJobView *job, FlFindingKind kind, int severity, char *title,
                      char *evidence, char *advice);
double fl_findings_median (double *values, guint n); /* sorts them; NAN for none */
