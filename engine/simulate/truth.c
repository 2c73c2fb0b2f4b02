#include "engine/simulate/truth.h"

void
fl_truth_write_header (FILE *file)
{
  fputs ("event\tkind\tbragg_photons\tbg_scale\tqw\tqx\tqy\tqz\tasx\tasy\tasz\tbsx\tbsy\tbsz\tcsx\tcsy\tcsz"
         "\tenergy_eV\tx_um\ty_um\tz_um\tphotons_per_um2\tcells\n",
         file);
}

static void
write_crystal (FILE *file, const FlCrystal *crystal, double energy)
{
  FlQuat q = crystal->orientation;
  fprintf (file, "\t%.9f\t%.9f\t%.9f\t%.9f", q.w, q.x, q.y, q.z);
  for (int i = 0; i < 9; i++)
    fprintf (file, "\t%+.9f", 10 * crystal->a_star.m[i / 3][i % 3]);
  fprintf (file, "\t%.3f\t%.3f\t%.3f\t%.3f\t%.5g\t%.0f\n", energy, 1e3 * crystal->position.x,
           1e3 * crystal->position.y, 1e3 * crystal->position.z, 1e8 * crystal->fluence, crystal->n_cells);
}

void
fl_truth_write_shot (FILE *file, guint event, const FlSfxShot *shot)
{
  static const char *const kinds[] = { "blank", "hit", "double" };
  if (shot->n_crystals == 0)
    fprintf (file, "%u\tblank\t0\t%.4f\t\t\t\t\t\t\t\t\t\t\t\t\t\t%.3f\t\t\t\t\t\n", event, shot->background,
             shot->energy);
  for (guint i = 0; i < shot->n_crystals; i++)
    {
      fprintf (file, "%u\t%s\t%.0f\t%.4f", event, kinds[shot->n_crystals], shot->photons[i],
               shot->background);
      write_crystal (file, &shot->crystals[i], shot->energy);
    }
}
