#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/live-plots.h"

#include <glib/gi18n.h>
#include <math.h>

#include "gui/text.h"

#define WINDOW      200 /* shots of the sliding hit rate */
#define HIT_WINDOWS 4   /* of which are looked back on for the share of hits that are indexed */

/* --- strips --- */

static void
add_crystal_strips (FlwStripPlot *plot)
{
  flw_strip_plot_add_strip (plot, FLW_STRIP_DOTS, _ ("Strong spots"), _ ("a shot"), 2);
  flw_strip_plot_add_strip (plot, FLW_STRIP_SHARE, _ ("Hits and indexed"), "%", 1.4);
  flw_strip_plot_add_line (plot, _ ("hits"), 1 << FLW_CLASS_HIT | 1 << FLW_CLASS_INDEXED,
                           flw_class_colour (FLW_CLASS_HIT));
  flw_strip_plot_add_line_of (plot, _ ("indexed, of hits"), 1 << FLW_CLASS_INDEXED,
                              1 << FLW_CLASS_HIT | 1 << FLW_CLASS_INDEXED, HIT_WINDOWS,
                              flw_class_colour (FLW_CLASS_INDEXED));
  flw_strip_plot_add_line (plot, _ ("failed"), 1 << FLW_CLASS_FAILED, flw_class_colour (FLW_CLASS_FAILED));
  flw_strip_plot_add_strip (plot, FLW_STRIP_RESOLUTION, _ ("Resolution"), "Å", 1.2);
}

/* Four colours keep apart: what could not be processed is drawn with the junk, without a value, and told apart in the facts. */
static FlwClass
class_of (FlParticleClass particle)
{
  static const FlwClass classes[FL_PARTICLE_LAST] = { [FL_PARTICLE_BLANK] = FLW_CLASS_MISS,
                                                      [FL_PARTICLE_SINGLE] = FLW_CLASS_INDEXED,
                                                      [FL_PARTICLE_SEVERAL] = FLW_CLASS_HIT,
                                                      [FL_PARTICLE_JUNK] = FLW_CLASS_FAILED };
  return classes[particle];
}

static void
add_particle_strips (FlwStripPlot *plot)
{
  const char *const names[FLW_CLASS_LAST] = { [FLW_CLASS_MISS] = _ ("blank"),
                                              [FLW_CLASS_INDEXED] = _ ("single particle"),
                                              [FLW_CLASS_HIT] = _ ("several"),
                                              [FLW_CLASS_FAILED] = _ ("junk or failed") };
  flw_strip_plot_set_class_names (plot, names);
  flw_strip_plot_add_strip (plot, FLW_STRIP_LOG, _ ("Photons"), _ ("a shot"), 2);
  flw_strip_plot_add_strip (plot, FLW_STRIP_SHARE, _ ("Of all shots"), "%", 1.4);
  flw_strip_plot_add_line (plot, _ ("single"), 1 << FLW_CLASS_INDEXED, flw_class_colour (FLW_CLASS_INDEXED));
  flw_strip_plot_add_line (plot, _ ("several"), 1 << FLW_CLASS_HIT, flw_class_colour (FLW_CLASS_HIT));
  flw_strip_plot_add_line (plot, _ ("junk or failed"), 1 << FLW_CLASS_FAILED,
                           flw_class_colour (FLW_CLASS_FAILED));
  flw_strip_plot_add_strip (plot, FLW_STRIP_DOTS, _ ("Diameter"), "Å", 1.2);
}

FlwStripPlot *
flg_live_plot_new (gboolean particles)
{
  FlwStripPlot *plot = FLW_STRIP_PLOT (flw_strip_plot_new ());
  if (particles)
    add_particle_strips (plot);
  else
    add_crystal_strips (plot);
  flw_strip_plot_set_window (plot, WINDOW);
  gtk_widget_set_vexpand (GTK_WIDGET (plot), TRUE);
  return plot;
}

/* --- what shots add --- */

void
flg_live_tally_add (FlgLiveTally *to, const FlgLiveTally *from)
{
  to->lattices += from->lattices;
  to->indexed += from->indexed;
  to->resolved += from->resolved;
  to->squares += from->squares;
  to->unclassified += from->unclassified;
  to->photons += from->photons;
  for (guint c = 0; c < FL_PARTICLE_LAST; c++)
    to->classes[c] += from->classes[c];
}

/* All that is drawn of a shot. */
typedef struct
{
  guint8 class;
  float photons, diameter;
} Particle;

GHashTable *
flg_particle_table_new (void)
{
  return g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
}

void
flg_particle_table_add (GHashTable *table, const FlParticleBlock *block)
{
  for (guint i = 0; i < block->n; i++)
    {
      Particle particle = { block->class[i], (float) block -> photons[i], block -> diameter[i] };
      g_hash_table_insert (table, g_memdup2 (&block->shot[i], sizeof block->shot[i]),
                           g_memdup2 (&particle, sizeof particle));
    }
}

static void
append_crystals (FlwStripPlot *plot, guint run, const FlShotBlock *block, FlgLiveTally *tally)
{
  g_autofree float *spots = g_new (float, block->n);
  for (guint k = 0; k < block->n; k++)
    {
      spots[k] = (float) block->spots[k];
      block->outcome[k] = MIN (block->outcome[k], FLW_CLASS_FAILED);
      tally->lattices += block->lattices[k];
      tally->indexed += block->lattices[k] > 0;
      if (block->lattices[k] > 0 && block->resolution[k] > 0)
        {
          tally->resolved++;
          tally->squares += 1 / ((double) block->resolution[k] * (double) block->resolution[k]);
        }
    }
  const float *values[] = { spots, block->resolution };
  flw_strip_plot_append (plot, run, block->n, block->outcome, values);
}

static void
append_particles (FlwStripPlot *plot, guint run, const FlShotBlock *block, GHashTable *particles,
                  FlgLiveTally *tally)
{
  g_autofree float *photons = g_new (float, block->n), *diameter = g_new (float, block->n);
  g_autofree guint8 *classes = g_new (guint8, block->n);
  for (guint k = 0; k < block->n; k++)
    {
      const Particle *particle = g_hash_table_lookup (particles, &block->id[k]);
      photons[k] = diameter[k] = NAN;
      if (particle)
        {
          classes[k] = (guint8) class_of (particle->class);
          photons[k] = particle->photons;
          gboolean sized = particle->class != FL_PARTICLE_BLANK && particle->diameter > 0;
          diameter[k] = sized ? particle->diameter : NAN;
          tally->classes[particle->class]++;
          tally->photons += particle->class == FL_PARTICLE_SINGLE ? (double) particle->photons : 0;
          g_hash_table_remove (particles, &block->id[k]);
          continue;
        }
      gboolean failed = block->outcome[k] >= FL_OUTCOME_FAILED;
      classes[k] = failed                                 ? FLW_CLASS_FAILED
                   : block->outcome[k] == FL_OUTCOME_MISS ? FLW_CLASS_MISS
                                                          : FLW_CLASS_INDEXED;
      tally->unclassified += !failed;
    }
  const float *values[] = { photons, diameter };
  flw_strip_plot_append (plot, run, block->n, classes, values);
}

void
flg_live_plot_append (FlwStripPlot *plot, guint run, const FlShotBlock *block, GHashTable *particles,
                      FlgLiveTally *tally)
{
  if (particles)
    append_particles (plot, run, block, particles, tally);
  else
    append_crystals (plot, run, block, tally);
}

/* --- words --- */

char *
flg_live_crystal_words (const FlgLiveTally *tally, gint64 hits, gint64 indexed)
{
  if (tally->indexed == 0)
    return g_strdup ("");
  g_autofree char *share = flg_format_percent (indexed, hits);
  g_autofree char *to =
      tally->resolved > 0
          ? g_strdup_printf (_ (", to %.2f Å"), sqrt ((double) tally->resolved / tally->squares))
          : g_strdup ("");
  return g_strdup_printf (_ (" · %s of hits indexed, %.2f lattices each%s"), share,
                          (double) tally->lattices / (double) tally->indexed, to);
}

char *
flg_live_particle_words (const FlgLiveTally *tally)
{
  g_autofree char *several = flg_format_count ((gint64) tally->classes[FL_PARTICLE_SEVERAL]),
                  *junk = flg_format_count ((gint64) tally->classes[FL_PARTICLE_JUNK]);
  GString *text = g_string_new (NULL);
  if (tally->classes[FL_PARTICLE_SINGLE] > 0)
    {
      g_autofree char *photons =
          flg_format_count ((gint64) (tally->photons / (double) tally->classes[FL_PARTICLE_SINGLE] + 0.5));
      g_string_append_printf (text, _ (" of %s photons"), photons);
    }
  g_string_append_printf (text, _ (" · %s several · %s junk"), several, junk);
  if (tally->unclassified > 0)
    {
      g_autofree char *count = flg_format_count ((gint64) tally->unclassified);
      g_string_append_printf (text, _ (" · %s not told"), count);
    }
  return g_string_free (text, FALSE);
}
