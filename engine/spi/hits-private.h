/* hits-private.h: what the files of hits share. Private to the room. */
#pragma once

#include "engine/spi/droplet.h"
#include "engine/spi/hits.h"
#include "engine/spi/pair-power.h"

#define FL_HIT_BINS    12    /* of the radial profile, about as many photons in each */
#define FL_HIT_STEPS   48    /* of the power in x */
#define FL_HIT_DROPLET 0.035 /* nats a photon beyond a droplet: surely less is one */

/* Centre and width of a number over single particles. */
typedef struct
{
  double median, sigma;
} FlHitSpread;

/* What is learned, beside the shells: plain numbers, which are saved as they are. */
typedef struct
{
  double n_pixels, n_shells; /* of what */
  double tilt[2];            /* of the background, a Å⁻¹ */
  double background;         /* photons a pattern */
  double by_count; /* 1: blanks have the background's number of photons and Poisson's width: counts tell */
  double profile[FL_HIT_BINS];  /* Σ 1 */
  double variance[FL_HIT_BINS]; /* of it, from shot to shot, without Poisson's */
  double bins[FL_HIT_BINS];     /* background's photons in each */
  double diameter;              /* Å; 0: not told */
  FlHitSpread misfit;           /* ln of the radial misfit */
  FlHitSpread contrast;         /* of speckles */
  FlHitSpread fringes;          /* power beyond the particle */
  double droplets;              /* 1: particles differ from droplets, which are among them */
} FlHitNumbers;

struct FlHits
{
  FlHitNumbers numbers;
  FlPairPower *power;
  FlDroplets *droplets; /* NULL: nothing is learned */
  double *background;   /* [shells] photons a pattern */
  double *particle;     /* [shells] Σ 1 */
  guint8 *bin;          /* [shells] of the profile */
  float *smooth;        /* [pixels] background */
  double *x;            /* [FL_HIT_STEPS] Å */
  float *table;         /* [FL_HIT_STEPS][FL_PAIR_BINS] J₀ */
  double *mean;         /* [FL_HIT_STEPS] power of the mean's own pairs, of one photon in all */
  double least_photons, least_diameter, most_diameter, junk, several;
};

/* What is measured of a shot. */
typedef struct
{
  guint64 photons;
  double above;    /* photons above background */
  double evidence; /* ln likelihood with a particle − without */
  double
      misfit; /* ln of mean squared deviation of the radial profile from the single particle's, 1: as expected */
  double pair_photons; /* photons that pairs were made of */
  double contrast;     /* power of the pairs within the particle, over their number */
  double fringes;      /* beyond it, over photons: noise is as wide for all */
  double diameter;     /* Å; 0: not told */
} FlHitMeasures;

/* Photons in shells, `radial`[shells]. */
void fl_hits_radial (const FlPairPower *power, const FlPatterns *patterns, guint i, guint32 *radial);
/* How much better background plus particle explain them than background alone, whose strength is fitted in both. */
double fl_hits_evidence (const FlHits *hits, const guint32 *radial);
void fl_hits_fractions (const FlHits *hits, const guint32 *radial, double *fractions, double *above);
double fl_hits_misfit (const FlHits *hits, const double *fractions, double above);
/* Contrast, fringes and diameter. */
void fl_hits_pairs (const FlHits *hits, const FlPatterns *patterns, guint i, FlHitMeasures *measures);
/* How surely it is more than a droplet, ln; negative: it is one, and *fit says which. */
double fl_hits_beyond_droplet (const FlHits *hits, const FlPatterns *patterns, guint i, FlDropletFit *fit);
void fl_hits_measure (const FlHits *hits, const FlPatterns *patterns, guint i, FlHitMeasures *measures);

/* Numbers are there: all that follows from them. */
void fl_hits_lay_out (FlHits *hits);
/* The pairs' part of it, once the power has its weights and the diameter is known. */
void fl_hits_lay_out_pairs (FlHits *hits);
/* The droplets' part, by the particle's diameter; where it is not known yet, or cannot be told, about that. */
void fl_hits_lay_out_droplets (FlHits *hits);
void fl_hits_take_params (FlHits *hits, const FlParams *params);
