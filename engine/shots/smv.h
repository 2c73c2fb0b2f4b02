/* smv.h: the header of SMV images (`{ HEADER_BYTES=…`), as ADSC, Rigaku (d*TREK), Rayonix and simulators write it, and the
 * detector that it describes (private to the room). Thread: an FlSmv is immutable once parsed.
 *
 * Beam centres follow no common convention. ADSC's, the rule: mm in Mosflm's frame, BEAM_CENTER_Y along the fast direction and
 * BEAM_CENTER_X along the slow one; some detectors (known by DETECTOR_SN) have the right ones in DENZO_… keys, and nanoBragg
 * (BEAMLINE=fake) counts from the lower left corner. d*TREK's: pixels in …SPATIAL_DISTORTION_INFO, directions by vectors and
 * a chain of goniometer axes. These are the choices of dxtbx. */
#pragma once

#include "engine/shots/source.h"

typedef struct
{
  GHashTable *values; /* key → text, both of the last line that gives it */
  gsize start;        /* of the pixels in the file, bytes */
  guint n_fs, n_ss;   /* px */
  FlPixelType type;
  gboolean swap; /* pixels are stored in the other byte order */
  guint
      ratio; /* u16 of an image plate: values from 2^15 on stand for this times what is above; 1: they do not */
  double pedestal; /* counts that every pixel has too many */
} FlSmv;

/* NULL: *wrong (g_free) says what. */
FlSmv *fl_smv_parse (const guint8 *bytes, gsize length, char **wrong);
void fl_smv_free (FlSmv *smv);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlSmv, fl_smv_free)

const char *fl_smv_text (const FlSmv *smv, const char *key); /* NULL: none */
/* The numbers of a value, at most n; returns how many. */
guint fl_smv_numbers (const FlSmv *smv, const char *key, double *values, guint n);
double fl_smv_number (const FlSmv *smv, const char *key, double otherwise);

/* smv-geometry.c. What the header does not tell leaves it not placed. */
FlDetector *fl_smv_detector (const FlSmv *smv);
