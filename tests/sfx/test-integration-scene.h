/* test-integration-scene.h: made-up shots whose photons are known, for the tests of integration. */
#pragma once

#include "engine/base/hash.h"
#include "engine/sfx/integration.h"

#define SIDE 600 /* px */
#define STEP 18  /* px between reflections */

typedef struct
{
  FlDetector *detector;
  FlShot shot;
  float *pixels;
  FlRandom random;
  GArray *rows;     /* FlReflectionRow */
  GArray *expected; /* double, counts */
} Scene;

/* One panel, the beam off its corner, so that directions differ; no photons. */
void scene_begin (Scene *scene, double gain, guint64 seed);
void scene_end (Scene *scene);
FlReflectionRow *scene_row (Scene *scene, guint i);
/* Mean photons: adds a spot of `photons` at (fs, ss). */
void scene_add_spot (Scene *scene, double fs, double ss, double width, double photons);
void scene_add_row (Scene *scene, double fs, double ss, double photons);
/* Reflections on a grid, each anywhere within its pixel, of so many photons each, on a sloping background. */
void scene_fill (Scene *scene, double width, double photons, double background);
/* Means become photons, counted: gain counts each, with read-out noise (counts). */
void scene_expose (Scene *scene, double gain, double noise);

/* With the defaults but for `settings` (NULL-terminated; may be NULL). */
FlIntegrator *integrator_with (const char *const *settings);
void scene_integrate (FlIntegrator *integrator, Scene *scene, double gain);

/* (I − expected)/σ: mean and variance. */
typedef struct
{
  double n, sum, square, sigma;
} Pulls;

void pulls_add (Pulls *pulls, Scene *scene, double gain);
double pulls_mean (const Pulls *p);
double pulls_variance (const Pulls *p);
