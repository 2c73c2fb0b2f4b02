/* units.h: physical constants and the conversions made at the border between inside and user units.
 *
 * Inside: Å for lattices and resolution, mm for detector lengths, rad, eV, ns (u64, UTC). */
#pragma once

#include <math.h>
#include <stdint.h>
#include <time.h>

/* CODATA 2018: h c in eV Å. */
#define FL_EV_ANGSTROM 12398.419843320026
/* Classical electron radius in Å (2.8179403262e-15 m). */
#define FL_ELECTRON_RADIUS 2.8179403262e-5
#define FL_PI              3.14159265358979323846

#define FL_NS_PER_S 1000000000ull

static inline double
fl_wavelength_from_energy (double energy_ev)
{
  return FL_EV_ANGSTROM / energy_ev;
}

static inline double
fl_energy_from_wavelength (double wavelength)
{
  return FL_EV_ANGSTROM / wavelength;
}

static inline double
fl_degrees (double rad)
{
  return rad * (180.0 / FL_PI);
}

static inline double
fl_radians (double degrees)
{
  return degrees * (FL_PI / 180.0);
}

/* UTC, nanoseconds since 1970. */
static inline uint64_t
fl_now_ns (void)
{
  struct timespec t;
  clock_gettime (CLOCK_REALTIME, &t);
  return (uint64_t) t.tv_sec * FL_NS_PER_S + (uint64_t) t.tv_nsec;
}

/* Monotonic, for durations. */
static inline uint64_t
fl_tick_ns (void)
{
  struct timespec t;
  clock_gettime (CLOCK_MONOTONIC, &t);
  return (uint64_t) t.tv_sec * FL_NS_PER_S + (uint64_t) t.tv_nsec;
}
