/* findings-private.h: what the findings know of a job, and the rules that judge it. */
#pragma once

#include "engine/base/batch.h"
#include "engine/control/findings.h"

#define FL_FINDINGS_KEPT  1024 /* newest lattices of a job */
#define FL_FINDINGS_RINGS 512
#define FL_FINDINGS_HITS  50 /* of a run, before it is judged by them */

typedef struct
{
  guint64 shots, pixels;     /* looked at; pixels over all of them */
  guint64 silent, same;      /* of these the last ones, in which no pixel differed */
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
  guint64 particles, singles; /* shots looked at for particles; of them with one */
  double photons, signal;     /* sums: over all of them; over singles, above background */
  gboolean fresh;             /* something came since it was judged */
  GPtrArray *judged;          /* FlFinding: what is wrong with the job by itself */
} FlJobEvidence;

/* A job of the newest trial, with its counts, as the rules see it. */
typedef struct
{
  FlJobEvidence *evidence;
  FlJobStats stats;
  const char *run; /* name */
} FlJobView;

/* A job of a dataset's version. */
typedef struct
{
  gint64 job, dataset;
  gboolean done;
  FlGenerationRow last; /* number 0: none, it is no reconstruction */
} FlReconstructionView;

/* Adds what is wrong to `list` (FlFinding). `every`, `trial`: FlJobView, the job itself among them. */
void fl_findings_judge_geometry (const FlJobView *job, GPtrArray *list);
void fl_findings_judge_panels (const FlJobView *job, GPtrArray *list);
void fl_findings_judge_rings (const FlJobView *job, GPtrArray *list);
void fl_findings_judge_cell (const FlJobView *job, const GArray *every,
                             GPtrArray *list); /* every: of all trials */
void fl_findings_judge_failures (const FlJobView *job, GPtrArray *list);
void fl_findings_judge_light (const GArray *trial, GPtrArray *list); /* all of them, one against the others */
/* Of the newest one of each dataset that is done. `views`: job -> FlReconstructionView; `datasets`: id -> name. */
void fl_findings_judge_reconstructions (GHashTable *views, GHashTable *datasets, GPtrArray *list);
/* There is enough of the job to say that it has no such fault. */
gboolean fl_findings_could_tell (const FlJobView *job, FlFindingKind kind);

/* What is said of single jobs (FlFinding, borrowed), as one list: the same fault of many runs is one. `trial`: FlJobView of all
 * its jobs. */
GPtrArray *fl_findings_fold (const GPtrArray *each, const GArray *trial);

/* The texts become its own; `part` (may be NULL) is copied. */
void fl_findings_add (GPtrArray *list, const FlJobView *job, FlFindingKind kind, int severity,
                      const char *part, char *title, char *evidence, char *advice);
double fl_findings_median (double *values, guint n); /* sorts them; NAN for none */
