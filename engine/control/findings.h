/* findings.h: what is broken? Named findings from data that are in the store already: each says what, shows the evidence in numbers
 * and says what to do. Nothing is claimed on data that are in order. Judged are the jobs of the newest trial with shots, from
 * their lattices, cells, and the evidence that `stills` writes (panels, spots by resolution), or what `hits` says of each shot. The same fault in many runs is
 * one finding; when later runs are without it, it is over. Thread: that of the store handle.
 *
 * Rules (medians are significant at 5 standard errors):
 * beam centre: median refined shift of 30 lattices or more over 0.5 px. Distance: z of it over 0.1 %, or all axes longer or
 * shorter than the told cell by one part, over 0.3 %. Dead: no pixel of a panel differs where others have signal. Noisy: over 4
 * times the usual noise, and not because it is brighter. Saturation: 2 % of the spots. Dark: no hits, and less than a quarter of
 * the signal that the trial's other runs have. Wrong cell: fewer than 20 % of the hits indexed, an axis 1 % off the told one
 * and not all alike or 1 % from lattice to lattice, or another trial's cell, unlike it, indexes twice as many of the same run.
 * Ice: two rings of hexagonal ice over twice their neighbours, or the inner three over 1.35 times. Salt: high-resolution spots
 * ten times as strong as the others. Few photons: spots a third as strong as in the other runs, and fewer of them a hit, or
 * spots and pixels both half as bright, at no lower hit rate than half of theirs (of single particles: hits, and all shots). Failed shots: over 1 %. Lag: a complete run waits
 * for more than 10 min (and no longer than a day: then nobody waits for it). Reconstruction: the newest one of a dataset that is done
 * makes patterns that it has not seen no more probable than a radially symmetric model does. */
#pragma once

#include "engine/store/stats.h"

typedef enum
{
  FL_FINDING_BEAM_CENTRE,
  FL_FINDING_DISTANCE,
  FL_FINDING_DEAD_PANEL,
  FL_FINDING_NOISY_PANEL,
  FL_FINDING_DARK_RUN,
  FL_FINDING_SATURATION,
  FL_FINDING_WRONG_CELL,
  FL_FINDING_ICE,
  FL_FINDING_SALT,
  FL_FINDING_FEW_PHOTONS,
  FL_FINDING_FAILED_SHOTS,
  FL_FINDING_LAG,
  FL_FINDING_RECONSTRUCTION,
  FL_FINDING_LAST
} FlFindingKind;

typedef struct
{
  FlFindingKind kind;
  int severity;    /* 1: worth knowing, 2: spoils data, 3: stop and mend it */
  gboolean over;   /* runs after these were judged and are without it */
  guint n_runs;    /* 0: it is of no run */
  gint64 run, job; /* the last of them; 0: everywhere */
  char *part;      /* which of its kind: "panel 5"; "" */
  char *where;     /* "12 runs, r0012–r0023"; "" */
  char *what;      /* "Beam centre off by 3.2 px" */
  char *title;     /* "Beam centre off by 3.2 px in 12 runs, r0012–r0023" */
  char *
      evidence; /* of the last run: "refined shift x +0.24 ± 0.01 mm, y −0.03 ± 0.01 mm in 412 lattices of r0023" */
  char *advice;   /* "Refine the geometry with these lattices, or correct corner_x by −3.2 px." */
  guint64 newest; /* ns UTC of the newest shot behind it */
} FlFinding;

void fl_finding_free (FlFinding *finding);
const char *fl_finding_name (FlFindingKind kind); /* "beam-centre" */
const char *fl_finding_gravity (int severity);    /* "worth knowing", … */

/* What is known so far, kept up to date at the cost of what is new. */
typedef struct FlFindings FlFindings;

/* `stats`: borrowed, kept up to date by its owner, of the same store. */
FlFindings *fl_findings_new (FlStats *stats);
void fl_findings_free (FlFindings *findings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlFindings, fl_findings_free)
/* Takes in what is new, but so much at once only as takes some 10 ms: *more tells whether to come again. */
gboolean fl_findings_update (FlFindings *findings, FlStore *store, gboolean *more, GError **error);
/* GPtrArray of FlFinding, which frees them: what goes on before what is over, the gravest first. `now`: ns UTC. */
GPtrArray *fl_findings_list (FlFindings *findings, guint64 now);
