#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/reconstruction-plots.h"

#include <glib/gi18n.h>
#include <math.h>

#include "widgets/curve-plot.h"
#include "widgets/export.h"
#include "widgets/palette.h"
#include "widgets/sphere-map.h"
#include "widgets/theme.h"

#define EMPTY       0.5 /* patterns: a direction with fewer is seen by none */
#define MOST_CURVES 12

struct _FlgReconstructionPlots
{
  GtkBox parent_instance;
  FlwCurvePlot *curves, *likelihood, *shares;
  FlwSphereMap *coverage;
};

enum
{
  PICKED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlgReconstructionPlots, flg_reconstruction_plots, GTK_TYPE_BOX)

const char *
flg_conformation_name (guint conformation)
{
  static const char *const names[] = { "A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L" };
  return names[conformation % G_N_ELEMENTS (names)];
}

static guint32
colour_of (guint conformation)
{
  static const FlwClass order[] = { FLW_CLASS_INDEXED, FLW_CLASS_HIT, FLW_CLASS_FAILED, FLW_CLASS_MISS };
  return flw_class_colour (order[conformation % G_N_ELEMENTS (order)]);
}

/* --- over resolution --- */

static gboolean
has_correlations (const FlGeneration *generation)
{
  for (guint i = 0; i < generation->curves->len; i++)
    if (g_array_index (generation->curves, FlCurveRow, i).curve <= FL_CURVE_INTENSITY_HALVES)
      return TRUE;
  return FALSE;
}

static gboolean
has_coverage (const FlGeneration *generation)
{
  return generation->coverage->len > 0;
}

/* The last one up to the shown that has them: not every generation is phased. */
static const FlGeneration *
last_with (GPtrArray *generations, int shown, gboolean (*has) (const FlGeneration *))
{
  for (int i = shown; i >= 0; i--)
    if (has (generations->pdata[i]))
      return generations->pdata[i];
  return NULL;
}

/* Points of one curve; 0: there are none. */
static guint
take_curve (const FlGeneration *generation, guint conformation, FlCurve which, GArray *points)
{
  guint n = 0;
  for (guint i = 0; i < generation->curves->len; i++)
    {
      const FlCurveRow *row = &g_array_index (generation->curves, FlCurveRow, i);
      FlwCurvePoint point = { (double) row->s, (double) row->value };
      if (row->conformation != conformation || row->curve != which)
        continue;
      g_array_append_val (points, point);
      n++;
    }
  return n;
}

static void
show_curves (FlgReconstructionPlots *self, GPtrArray *generations, int shown, guint first, int second)
{
  static const FlwCurveMark levels[] = { { 0.143, "0.143" }, { 0.5, "0.5" }, { 0.36787944, "1/e" } };
  const struct
  {
    FlCurve which;
    const char *name;
    guint32 colour;
    double level;
    gboolean second;
  } wanted[] = {
    { FL_CURVE_FSC_HALVES, _ ("FSC"), flw_class_colour (FLW_CLASS_INDEXED), 0.143, FALSE },
    { FL_CURVE_PRTF, _ ("PRTF"), flw_class_colour (FLW_CLASS_HIT), 0.36787944, FALSE },
    { FL_CURVE_INTENSITY_HALVES, _ ("intensities"), flw_class_colour (FLW_CLASS_MISS), NAN, FALSE },
    { FL_CURVE_FSC_HALVES, _ ("FSC"), flw_class_colour (FLW_CLASS_INDEXED), 0.143, TRUE },
    { FL_CURVE_PRTF, _ ("PRTF"), flw_class_colour (FLW_CLASS_HIT), 0.36787944, TRUE },
  };
  const FlGeneration *of = last_with (generations, shown, has_correlations);
  FlwCurve curves[G_N_ELEMENTS (wanted)];
  g_autoptr (GPtrArray) kept = g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  guint n = 0;
  for (guint i = 0; of && i < G_N_ELEMENTS (wanted); i++)
    {
      GArray *points = g_array_new (FALSE, FALSE, sizeof (FlwCurvePoint));
      guint conformation = wanted[i].second ? (guint) second : first;
      g_ptr_array_add (kept, points);
      if ((wanted[i].second && second < 0) || take_curve (of, conformation, wanted[i].which, points) == 0)
        continue;
      g_ptr_array_add (names, second < 0 ? g_strdup (wanted[i].name)
                                         : g_strdup_printf ("%s %s", wanted[i].name,
                                                            flg_conformation_name (conformation)));
      curves[n++] = (FlwCurve){ names->pdata[names->len - 1],
                                wanted[i].colour,
                                wanted[i].second,
                                wanted[i].level,
                                points->len,
                                (const FlwCurvePoint *) (gpointer) points->data };
    }
  g_autofree char *title = of && of != generations->pdata[shown]
                               ? g_strdup_printf (_ ("Half sets and PRTF, generation %u"), of->row.number)
                               : g_strdup (_ ("Half sets and PRTF"));
  FlwCurveChart chart = { .title = title,
                          .unit = "",
                          .n_curves = n,
                          .curves = curves,
                          .n_levels = G_N_ELEMENTS (levels),
                          .levels = levels,
                          .lower = -0.1,
                          .upper = 1.02,
                          .cursor = NAN };
  flw_curve_plot_set (self->curves, n > 0 ? &chart : NULL);
}

/* --- over generations --- */

static double
likelihood_of (const FlGeneration *generation)
{
  return generation->row.likelihood;
}

static double
held_of (const FlGeneration *generation)
{
  return generation->row.held;
}

static double
resolution_of (const FlGeneration *generation)
{
  return (double) generation->row.half_resolution;
}

static double
compared_of (const FlGeneration *generation)
{
  return (double) generation->row.resolution;
}

/* What is not told in each generation is known where it is. */
static FlwCurvePoint *
trace (GPtrArray *generations, double (*value) (const FlGeneration *), guint *n)
{
  FlwCurvePoint *points = g_new (FlwCurvePoint, generations->len);
  *n = 0;
  for (guint i = 0; i < generations->len; i++)
    {
      const FlGeneration *generation = generations->pdata[i];
      if (isfinite (value (generation)))
        points[(*n)++] = (FlwCurvePoint){ generation->row.number, value (generation) };
    }
  return points;
}

/* Where each stage begins; free with g_free, its labels lie in `names`. */
static FlwCurveMark *
stages_of (GPtrArray *generations, GPtrArray *names, guint *n)
{
  FlwCurveMark *stages = g_new (FlwCurveMark, generations->len);
  *n = 0;
  for (guint i = 0; i < generations->len; i++)
    {
      const FlGenerationRow *row = &((const FlGeneration *) generations->pdata[i])->row;
      if (i > 0 && ((const FlGeneration *) generations->pdata[i - 1])->row.stage == row->stage)
        continue;
      g_ptr_array_add (names, g_strdup_printf (_ ("stage %u"), row->stage + 1u));
      stages[(*n)++] = (FlwCurveMark){ row->number, names->pdata[names->len - 1] };
    }
  return stages;
}

static void
show_traces (FlwCurvePlot *plot, GPtrArray *generations, int shown, FlwCurveChart *chart)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autofree FlwCurveMark *stages = stages_of (generations, names, &chart->n_stages);
  chart->stages = stages;
  chart->cursor =
      shown < 0 ? (double) NAN : (double) ((const FlGeneration *) generations->pdata[shown])->row.number;
  flw_curve_plot_set (plot, generations->len > 0 ? chart : NULL);
}

static void
show_likelihood (FlgReconstructionPlots *self, GPtrArray *generations, int shown)
{
  guint n_all, n_held;
  g_autofree FlwCurvePoint *all = trace (generations, likelihood_of, &n_all),
                           *held = trace (generations, held_of, &n_held);
  const FlwCurve curves[] = { { _ ("merged"), flw_class_colour (FLW_CLASS_INDEXED), FALSE, NAN, n_all, all },
                              { _ ("held back"), flw_class_colour (FLW_CLASS_HIT), TRUE, NAN, n_held,
                                held } };
  FlwCurveChart chart = { .title = _ ("Log-likelihood a pattern"),
                          .unit = _ ("nats"),
                          .n_curves = G_N_ELEMENTS (curves),
                          .curves = curves };
  show_traces (self->likelihood, generations, shown, &chart);
}

static void
show_resolution (FlgReconstructionPlots *self, GPtrArray *generations, int shown)
{
  guint n_found, n_compared;
  g_autofree FlwCurvePoint *found = trace (generations, resolution_of, &n_found),
                           *compared = trace (generations, compared_of, &n_compared);
  const FlwCurve curves[] = {
    { _ ("half sets"), flw_class_colour (FLW_CLASS_INDEXED), FALSE, NAN, n_found, found },
    { _ ("compared to"), flw_class_colour (FLW_CLASS_MISS), TRUE, NAN, n_compared, compared }
  };
  FlwCurveChart chart = {
    .title = _ ("Resolution, Å"), .unit = "Å", .n_curves = G_N_ELEMENTS (curves), .curves = curves
  };
  show_traces (self->shares, generations, shown, &chart);
}

/* In percent; NaN: it was not there yet. */
static double
share_of (const FlGeneration *generation, guint conformation)
{
  for (guint i = 0; i < generation->occupancies->len; i++)
    {
      const FlOccupancyRow *row = &g_array_index (generation->occupancies, FlOccupancyRow, i);
      if (row->conformation == conformation)
        return 100 * (double) row->share;
    }
  return NAN;
}

static void
show_shares (FlgReconstructionPlots *self, GPtrArray *generations, int shown, guint conformations)
{
  FlwCurve curves[MOST_CURVES];
  g_autoptr (GPtrArray) kept = g_ptr_array_new_with_free_func (g_free);
  guint n = MIN (conformations, MOST_CURVES);
  for (guint c = 0; c < n; c++)
    {
      FlwCurvePoint *points = g_new (FlwCurvePoint, generations->len);
      for (guint i = 0; i < generations->len; i++)
        points[i] = (FlwCurvePoint){ ((const FlGeneration *) generations->pdata[i])->row.number,
                                     share_of (generations->pdata[i], c) };
      g_ptr_array_add (kept, points);
      curves[c] =
          (FlwCurve){ flg_conformation_name (c), colour_of (c), c > 3, NAN, generations->len, points };
    }
  FlwCurveChart chart = {
    .title = _ ("Occupancy, %"), .unit = "%", .n_curves = n, .curves = curves, .lower = 0, .upper = 100
  };
  show_traces (self->shares, generations, shown, &chart);
}

static void
show_coverage (FlgReconstructionPlots *self, GPtrArray *generations, int shown)
{
  const FlGeneration *of = last_with (generations, shown, has_coverage);
  guint n = of ? of->coverage->len : 0;
  g_autofree FlwSphereDirection *directions = g_new (FlwSphereDirection, n);
  for (guint i = 0; i < n; i++)
    {
      const FlCoverageRow *row = &g_array_index (of->coverage, FlCoverageRow, i);
      directions[i] =
          (FlwSphereDirection){ { (double) row->x, (double) row->y, (double) row->z }, (double) row->weight };
    }
  flw_sphere_map_set (self->coverage, n, directions, EMPTY);
}

void
flg_reconstruction_plots_show (FlgReconstructionPlots *self, GPtrArray *generations, int shown, guint first,
                               int second)
{
  guint conformations = shown < 0 ? 1 : ((const FlGeneration *) generations->pdata[shown])->row.conformations;
  show_curves (self, generations, shown, first, second);
  show_likelihood (self, generations, shown);
  show_coverage (self, generations, shown);
  if (conformations > 1)
    show_shares (self, generations, shown, conformations);
  else
    show_resolution (self, generations, shown);
}

char *
flg_reconstruction_plots_summary (FlgReconstructionPlots *self)
{
  g_autofree char *curves = flw_chart_summary (GTK_WIDGET (self->curves)),
                  *likelihood = flw_chart_summary (GTK_WIDGET (self->likelihood)),
                  *coverage = flw_chart_summary (GTK_WIDGET (self->coverage)),
                  *shares = flw_chart_summary (GTK_WIDGET (self->shares));
  return g_strdup_printf ("%s\n%s\n%s\n%s", curves, likelihood, coverage, shares);
}

/* --- the widget --- */

static void
on_picked (FlgReconstructionPlots *self, double x)
{
  g_signal_emit (self, signals[PICKED], 0, (guint) fmax (round (x), 1));
}

static FlwCurvePlot *
add_trace (FlgReconstructionPlots *self, GtkBox *box)
{
  GtkWidget *plot = flw_curve_plot_new (FLW_AXIS_COUNT, _ ("Generation"));
  gtk_widget_set_hexpand (plot, TRUE);
  g_signal_connect_object (plot, "picked", G_CALLBACK (on_picked), self, G_CONNECT_SWAPPED);
  gtk_box_append (box, plot);
  return FLW_CURVE_PLOT (plot);
}

static void
flg_reconstruction_plots_class_init (FlgReconstructionPlotsClass *klass)
{
  signals[PICKED] = g_signal_new ("generation-picked", FLG_TYPE_RECONSTRUCTION_PLOTS, G_SIGNAL_RUN_LAST, 0,
                                  NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_UINT);
}

static void
flg_reconstruction_plots_init (FlgReconstructionPlots *self)
{
  GtkBox *below = GTK_BOX (gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 2));
  gtk_orientable_set_orientation (GTK_ORIENTABLE (self), GTK_ORIENTATION_VERTICAL);
  gtk_box_set_spacing (GTK_BOX (self), 2);
  gtk_box_set_homogeneous (GTK_BOX (self), TRUE);
  gtk_box_set_homogeneous (below, TRUE);
  self->curves = FLW_CURVE_PLOT (flw_curve_plot_new (FLW_AXIS_FREQUENCY, _ ("Å")));
  gtk_box_append (GTK_BOX (self), GTK_WIDGET (self->curves));
  self->likelihood = add_trace (self, GTK_BOX (self));
  self->coverage = FLW_SPHERE_MAP (flw_sphere_map_new (_ ("Orientations"), _ ("patterns")));
  gtk_box_append (below, GTK_WIDGET (self->coverage));
  self->shares = add_trace (self, below);
  gtk_box_append (GTK_BOX (self), GTK_WIDGET (below));
}
