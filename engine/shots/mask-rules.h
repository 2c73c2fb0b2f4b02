/* mask-rules.h: a mask as a person describes it – text, one rule a line – and the pixels that it means.
 *
 *   # a comment
 *   shots N                               how many shots the rules about intensities look at (default 100)
 *   edges N [PANEL]                       N px along the edges of every panel, or of that one
 *   asic-edges N FS SS [PANEL]            N px on either side of the borders of ASICs of FS × SS px
 *   panel PANEL                           all of it
 *   rectangle PANEL FS0 FS1 SS0 SS1       px of a panel, both ends included (as CrystFEL's bad regions)
 *   rectangle X0 Y0 X1 Y1                 mm in the laboratory
 *   circle [PANEL] X Y R                  mm in the laboratory; px of a panel from its corner
 *   ellipse [PANEL] X Y RX RY
 *   polygon [PANEL] X,Y X,Y X,Y …
 *   below V, above V                      counts: pixels that were so in every shot that was looked at
 *   statistics TEST …                     pixels for which one of the tests holds (mask-measure.h): dead, hot, noisy, z=Z
 *                                         (how far from the others of its ring, default 6), mean<V, mean>V, std<V, std>V,
 *                                         over=V,F (above V in more than the fraction F of the shots)
 *   unmask RULE                           takes away what the rules before it, and the mask before them, say
 *
 * Laboratory: x, y as of FlDetector, projected along the beam. A pixel belongs to a shape when its centre does. PANEL is a
 * name, or #N for the panel of that number from 0. Later rules win. Numbers are finite, in the "C" locale.
 * Errors: `name:line: what is wrong, what was expected`, FL_ERROR_INPUT. Thread: FlMaskRules is immutable once read. */
#pragma once

#include "engine/shots/mask-measure.h"

#define FL_MASK_MAX_TEXT   (48u << 10) /* bytes: what fits into a view request */
#define FL_MASK_MAX_RULES  2000
#define FL_MASK_MAX_POINTS 1000 /* of a polygon */
#define FL_MASK_MAX_SHOTS  10000

typedef enum
{
  FL_MASK_EDGES,
  FL_MASK_ASIC_EDGES,
  FL_MASK_PANEL,
  FL_MASK_RECTANGLE,
  FL_MASK_ELLIPSE,
  FL_MASK_POLYGON,
  FL_MASK_BELOW,
  FL_MASK_ABOVE,
  FL_MASK_STATISTICS
} FlMaskKind;

typedef struct
{
  FlMaskKind kind;
  gboolean unmask;
  guint line;  /* in the text, from 1 */
  char *panel; /* NULL: the laboratory's millimetres, or every panel */
  guint width; /* px, of edges */
  guint asic[2];
  double v[4];    /* a rectangle's first and last fs and ss, or its corners x y x y; centre and radii; V */
  guint n_points; /* of a polygon */
  double *points; /* x, y of each */
  FlMaskTests tests;
} FlMaskRule;

typedef struct
{
  char *name; /* for messages */
  guint shots, n_rules;
  FlMaskRule *rules;
} FlMaskRules;

/* `length` bytes of text; `name` begins messages. */
FlMaskRules *fl_mask_rules_parse (const char *name, const char *text, gsize length, GError **error);
void fl_mask_rules_free (FlMaskRules *rules);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlMaskRules, fl_mask_rules_free)
/* The same rules in one spelling, without comments. g_free. */
char *fl_mask_rules_write (const FlMaskRules *rules);
/* Some rule is about intensities; *over is then the V of its `over`, NAN: it has none. */
gboolean fl_mask_rules_need_shots (const FlMaskRules *rules, double *over);

/* Sets and clears pixels of the detector's panels in `mask` (detector->n_pixels: 0 good, 1 bad; what it holds before is what
 * the rules begin with). `changed`, when not NULL, gets for each rule how many pixels it changed. `measure` NULL: rules about
 * intensities change nothing. FALSE: a rule names a panel that is not there; the mask is as it was. */
gboolean fl_mask_rules_apply (const FlMaskRules *rules, const FlDetector *detector,
                              const FlMaskMeasure *measure, guint8 *mask, guint32 *changed, GError **error);
