#include "engine/shots/common-mode.h"

#include "engine/shots/calibration-constants.h"

#define BANKS 4 /* of an ASIC, side by side */

typedef struct
{
  const FlCommonModeRule *rule;
  const guint8 *bad, *switched;
  float *values, *scratch;
} Work;

/* A rectangle of the shot's array. */
typedef struct
{
  gsize first, stride;
  guint n_fs, n_ss;
} Unit;

void
fl_common_mode_asic (const FlCommonModeRule *rule, const FlPanel *panel, guint *fs, guint *ss)
{
  gboolean whole = rule->asic_fs > 0 && panel->n_fs % rule->asic_fs == 0 && panel->n_ss % rule->asic_ss == 0;
  *fs = whole ? rule->asic_fs : panel->n_fs;
  *ss = whole ? rule->asic_ss : panel->n_ss;
}

static void
correct (const Work *w, Unit unit)
{
  gsize n = 0;
  for (guint ss = 0; ss < unit.n_ss; ss++)
    for (gsize i = unit.first + ss * unit.stride, end = i + unit.n_fs; i < end; i++)
      {
        /* Written always, kept where it counts: no branch to mispredict. */
        w->scratch[n] = w->values[i];
        n += !w->bad[i] && (w->switched == NULL || !w->switched[i]) && w->values[i] <= w->rule->limit;
      }
  if (n < MAX (w->rule->pixels, 1))
    return;
  float median = fl_median (w->scratch, n);
  for (guint ss = 0; ss < unit.n_ss; ss++)
    for (gsize i = unit.first + ss * unit.stride, end = i + unit.n_fs; i < end; i++)
      if (!w->bad[i] && (w->switched == NULL || !w->switched[i]))
        w->values[i] -= median;
}

static void
correct_asic (const Work *w, Unit asic)
{
  FlCommonMode mode = w->rule->mode;
  if (mode == FL_COMMON_MODE_ASIC)
    correct (w, asic);
  if (mode == FL_COMMON_MODE_BANKS)
    for (guint b = 0; b < BANKS; b++)
      {
        guint from = b * asic.n_fs / BANKS, to = (b + 1) * asic.n_fs / BANKS;
        correct (w, (Unit){ asic.first + from, asic.stride, to - from, asic.n_ss });
      }
  if (mode == FL_COMMON_MODE_ROWS || mode == FL_COMMON_MODE_ROWS_COLUMNS)
    for (guint ss = 0; ss < asic.n_ss; ss++)
      correct (w, (Unit){ asic.first + ss * asic.stride, asic.stride, asic.n_fs, 1 });
  if (mode == FL_COMMON_MODE_COLUMNS || mode == FL_COMMON_MODE_ROWS_COLUMNS)
    for (guint fs = 0; fs < asic.n_fs; fs++)
      correct (w, (Unit){ asic.first + fs, asic.stride, 1, asic.n_ss });
}

void
fl_common_mode (const FlDetector *detector, const FlCommonModeRule *rule, const guint8 *bad,
                const guint8 *switched, float *values, float *scratch)
{
  const Work work = { rule, bad, switched, values, scratch };
  for (guint p = 0; p < detector->n_panels; p++)
    {
      const FlPanel *panel = &detector->panels[p];
      guint fs, ss;
      fl_common_mode_asic (rule, panel, &fs, &ss);
      for (guint y = 0; y < panel->n_ss; y += ss)
        for (guint x = 0; x < panel->n_fs; x += fs)
          correct_asic (&work, (Unit){ panel->offset + y * panel->stride + x, panel->stride, fs, ss });
    }
}
