/* axis.h: one axis, shared by every plot that should move together.
 *
 * An axis has a visible range [lower, upper], the limits of the data (what "fit" shows) and a kind that
 * decides its ticks and labels. Plots that are given the same FlwAxis zoom, pan and follow together.
 * Thread: main. */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

typedef enum
{
  FLW_AXIS_NUMBER,     /* SI prefixes: 0, 500, 1 k */
  FLW_AXIS_COUNT,      /* whole numbers with thousands separated */
  FLW_AXIS_TIME,       /* seconds since 1970, shown as local wall time: 14:03:20 */
  FLW_AXIS_RESOLUTION, /* value is 1/d² (Å⁻²), labels are d in Å */
  FLW_AXIS_FREQUENCY,  /* value is |s| = 1/d (Å⁻¹), labels are d in Å */
  FLW_AXIS_DECADES     /* value is the decimal logarithm, labels are the numbers */
} FlwAxisKind;

typedef struct
{
  double value;
  char label[32]; /* UTF-8 */
} FlwTick;

#define FLW_TYPE_AXIS (flw_axis_get_type ())
G_DECLARE_FINAL_TYPE (FlwAxis, flw_axis, FLW, AXIS, GObject)

/* `title` and `unit` may be NULL. */
FlwAxis *flw_axis_new (FlwAxisKind kind, const char *title, const char *unit);
FlwAxisKind flw_axis_get_kind (FlwAxis *axis);
const char *flw_axis_get_title (FlwAxis *axis);

/* Signal "range-changed" () after any change of range; property "follow". */
void flw_axis_set_range (FlwAxis *axis, double lower, double upper);
double flw_axis_get_lower (FlwAxis *axis);
double flw_axis_get_upper (FlwAxis *axis);
/* What the data span. While following, the visible range moves with the upper limit (or grows, when it
 * shows all). */
void flw_axis_set_limits (FlwAxis *axis, double lower, double upper);
double flw_axis_get_limit_lower (FlwAxis *axis);
double flw_axis_get_limit_upper (FlwAxis *axis);
/* Forgets the data: the next limits are shown whole. */
void flw_axis_reset (FlwAxis *axis);
/* Smallest span that zooming in may reach. */
void flw_axis_set_min_span (FlwAxis *axis, double span);

/* factor > 1 magnifies; `at` stays where it is */
void flw_axis_zoom (FlwAxis *axis, double factor, double at);
/* in axis values; stops following when moved back */
void flw_axis_pan (FlwAxis *axis, double by);
void flw_axis_fit (FlwAxis *axis); /* all of the data, and follow */
void flw_axis_set_follow (FlwAxis *axis, gboolean follow);
gboolean flw_axis_get_follow (FlwAxis *axis);

/* At most `most` ticks inside the range, ascending; returns how many. */
guint flw_axis_ticks (FlwAxis *axis, guint most, FlwTick *ticks);
/* A single value for a readout, with unit, precise to a hundredth of the visible range. Free with g_free. */
char *flw_axis_format (FlwAxis *axis, double value);

G_END_DECLS
