/* made-findings.h: evidence of faults, added to the jobs of trial 1 of a made store (made-store.h). */
#pragma once

#include <glib.h>

typedef struct
{
  float beam;      /* px in x */
  guint dead;      /* panel; 0: none (panel 0 lives) */
  guint noisy;     /* likewise */
  float ice;       /* rings over their neighbours; 0: none */
  float saturated; /* part of the spots */
} MadeFault;

/* To the jobs of the runs first … last (from 1): 8 panels, rings; lattices with the beam's shift if there is one. */
void made_findings_add (const char *folder, guint first, guint last, const MadeFault *fault);
