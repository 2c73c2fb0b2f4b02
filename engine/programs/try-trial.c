#include "engine/programs/try-trial.h"

#include "engine/crystal/known-cell.h"

struct FlTrialTrier
{
  char *text;
  FlParams *params;
  FlSpotFinder *spots;
  FlLatticeFinder *lattices; /* NULL: the trial has no cell */
};

FlTrialTrier *
fl_trial_trier_new (void)
{
  return g_new0 (FlTrialTrier, 1);
}

static void
forget (FlTrialTrier *trier)
{
  g_clear_pointer (&trier->lattices, fl_lattice_finder_free);
  g_clear_pointer (&trier->spots, fl_spot_finder_free);
  g_clear_pointer (&trier->params, fl_params_free);
  g_clear_pointer (&trier->text, g_free);
}

void
fl_trial_trier_free (FlTrialTrier *trier)
{
  forget (trier);
  g_free (trier);
}

static gboolean
make_finders (FlTrialTrier *trier, GError **error)
{
  FlKnownCell known;
  gboolean is_known;
  trier->spots = fl_spot_finder_new (trier->params, 0, NULL, error);
  if (trier->spots == NULL || !fl_known_cell_from_params (trier->params, &known, &is_known, error))
    return FALSE;
  if (is_known)
    trier->lattices = fl_lattice_finder_new (trier->params, &known, NULL, FL_UNTIL_INTEGRATED,
                                             fl_spot_finder_stream (trier->spots), error);
  return !is_known || trier->lattices != NULL;
}

static gboolean
prepare (FlTrialTrier *trier, const char *text, GError **error)
{
  if (g_strcmp0 (text, trier->text) == 0)
    return TRUE;
  forget (trier);
  trier->params = fl_params_new ();
  if (!fl_params_read (trier->params, text, "trial", error) || !make_finders (trier, error))
    {
      forget (trier);
      return FALSE;
    }
  trier->text = g_strdup (text);
  return TRUE;
}

gboolean
fl_trial_try (FlTrialTrier *trier, const char *params, const FlShot *shot, FlDetector *detector,
              FlFound *found, FlLattices *lattices, GError **error)
{
  *lattices = (FlLattices){ 0 };
  return prepare (trier, params, error) && fl_spot_finder_find (trier->spots, shot, detector, found, error)
         && (!found->hit || trier->lattices == NULL
             || fl_lattice_finder_find (trier->lattices, shot, detector, found,
                                        fl_spot_finder_gain (trier->spots), NULL, NULL, lattices, error));
}
