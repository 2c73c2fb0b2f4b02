/* pattern.h: one shot with all that was found in it, as it goes out to other programs' files and comes in from them
 * (stream.h, dials.h).
 *
 * Rows are those of batch.h, in our laboratory frame (z along the beam, y up) and our units; `panel` is an index in the
 * list of panels that goes with the file. Thread: one. */
#pragma once

#include "engine/base/batch.h"
#include "engine/base/vec.h"

/* What the files need to know about a panel. */
typedef struct
{
  char *name;
  double min_fs, min_ss;          /* px: its corner in the data array, where streams count from */
  guint n_fs, n_ss;               /* px */
  FlVec3 origin;                  /* mm, outer corner of the first pixel */
  FlVec3 fs, ss;                  /* mm a pixel step */
  double trusted_min, saturation; /* counts; ∓INFINITY: not known */
  gboolean no_index;              /* a geometry that leaves it out of everything */
} FlPanelPlace;

/* GArray of FlPanelPlace that frees the names. */
GArray *fl_panel_places_new (void);

typedef struct
{
  char *file;    /* image file */
  char *event;   /* CrystFEL's name of the frame, "//12"; "" when it has none */
  gint64 frame;  /* in the file, from 0; −1: the file does not say */
  double energy; /* eV; 0: not known */
  gboolean hit;
  double resolution;   /* Å, where its spots end; 0: not measured */
  GArray *spots;       /* of FlSpotRow */
  GArray *lattices;    /* of FlLatticeRow, numbered from 0 */
  GArray *reflections; /* of FlReflectionRow, lattice by lattice */
} FlPattern;

FlPattern *fl_pattern_new (void);
void fl_pattern_free (FlPattern *pattern);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlPattern, fl_pattern_free)
void fl_pattern_clear (FlPattern *pattern);

/* The rows of lattice `number`; NULL with n = 0 when it has none. */
const FlReflectionRow *fl_pattern_reflections (const FlPattern *pattern, guint number, guint *n);

/* Fills what follows from the lattice's matrix: its cell, and of the reflections from row `first` on d and the excitation
 * error at `energy`. FALSE: the matrix is singular. */
gboolean fl_pattern_derive (FlPattern *pattern, FlLatticeRow *lattice, guint first);
