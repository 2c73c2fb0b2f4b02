#include "tests/gui/made-findings.h"

#include <math.h>

#include "engine/base/batch.h"
#include "engine/base/hash.h"
#include "engine/store/store.h"
#include "tests/gui/made.h"

#define PANELS   8
#define LATTICES 1100 /* more than are looked back on: those of the made store are forgotten */

static void
add_batch (FlStore *store, gint64 attempt, FlBatch *batch)
{
  static guint64 sequence = 1000000;
  made_add_slice (store, attempt, 77, sequence++, batch);
  fl_batch_free (batch);
}

static void
add_panels (FlStore *store, gint64 attempt, const MadeFault *fault)
{
  FlBatch *batch = fl_batch_new (FL_KIND_PANEL);
  for (guint16 p = 0; p < PANELS; p++)
    {
      gboolean dead = fault->dead == p && p > 0, noisy = fault->noisy == p && p > 0;
      FlPanelRow row = { .panel = p,
                         .shots = 60,
                         .pixels = 16000,
                         .mean = dead ? 0 : 30,
                         .noise = dead    ? 0
                                  : noisy ? 40
                                          : 4,
                         .zeros = dead ? 1 : 0.05f,
                         .spots = 1000,
                         .saturated = (guint32) (1000 * fault->saturated),
                         .pixel_size = 0.075f,
                         .distance = 100 };
      fl_batch_append (batch, &row);
    }
  add_batch (store, attempt, batch);
}

static void
add_rings (FlStore *store, gint64 attempt, const MadeFault *fault)
{
  FlBatch *batch = fl_batch_new (FL_KIND_RING);
  for (guint16 i = 1; i < 80; i++)
    {
      float usual = 400 * expf ((float) i / -25);
      gboolean ice = fault->ice > 0 && (i == 16 || i == 18 || i == 21 || i == 35);
      FlRingRow row = { .number = i,
                        .shots = 300,
                        .hits = 75,
                        .spots = (guint32) (ice ? fault->ice * usual : usual),
                        .intensity = 250 };
      fl_batch_append (batch, &row);
    }
  add_batch (store, attempt, batch);
}

static void
add_lattices (FlStore *store, gint64 attempt, const MadeFault *fault)
{
  FlBatch *batch = fl_batch_new (FL_KIND_LATTICE);
  FlRandom r = fl_random ((guint64) attempt);
  for (guint i = 0; i < LATTICES; i++)
    {
      FlLatticeRow row = { .shot = 1000000 + i, .centring = 'P', .confidence = 0.9f };
      const float cell[6] = { 79.1f, 79.1f, 37.9f, 1.5708f, 1.5708f, 1.5708f };
      for (guint k = 0; k < 6; k++)
        row.cell[k] = cell[k];
      row.shift[0] = 0.075f * (fault->beam + 0.3f * (float) fl_random_normal (&r));
      row.shift[1] = 0.075f * 0.3f * (float) fl_random_normal (&r);
      fl_batch_append (batch, &row);
    }
  add_batch (store, attempt, batch);
}

void
made_findings_add (const char *folder, guint first, guint last, const MadeFault *fault)
{
  GError *error = NULL;
  FlStore *store = fl_store_open (folder, FL_STORE_WRITE, &error);
  made_must (store != NULL && fl_store_begin (store, &error), &error);
  for (gint64 k = first; k <= last; k++) /* attempt k is of run k */
    {
      add_panels (store, k, fault);
      add_rings (store, k, fault);
      if (fault->beam != 0)
        add_lattices (store, k, fault);
    }
  made_must (fl_store_commit (store, &error), &error);
  fl_store_close (store);
}
