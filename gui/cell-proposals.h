/* cell-proposals.h: the cells that jobs' learning passes propose, those of several jobs that agree taken together.
 * Thread: main. */
#pragma once

#include "gui/lattice-feed.h"

typedef struct
{
  gboolean told;  /* by the trial: nobody has searched */
  gboolean used;  /* the jobs go on with it */
  double cell[6]; /* Å and degrees, mean over members */
  double spread[6];
  guint type;
  char centring;
  guint space_group;
  guint64 members, shots;
  double confidence; /* the least of its jobs' */
  guint jobs;
} FlgCellProposal;

/* `cells`: FlgProposedCell in the order of arrival; of a job its latest attempt counts. GArray of FlgCellProposal, those
 * in use first, then by members. */
GArray *flg_cell_proposals (const GArray *cells);
/* "no cell was given: 183 of 200 shots agree on tetragonal P …"; the caller's. */
char *flg_cell_proposal_text (const FlgCellProposal *proposal);
