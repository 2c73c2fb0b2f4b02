/* firstlight-engine: the compute plane. */

#include <stdio.h>

#include "engine/base/build-features.h"
#include "engine/parallel/parallel.h"
#include "engine/programs/program.h"
#include "engine/programs/programs.h"
#include "kernels/device.h"

/* What is only known at run time: which MPI was found, which kernels open here. */
static void
features (void)
{
  static const char *const modules[] = { "cuda", "hip", "cpu-v4", "cpu-v3", "cpu-baseline" };
  g_autofree char *library = fl_parallel_library ();
  g_autofree char *line = fl_feature_line ("MPI, running", library);
  fputs (line, stdout);
  for (guint i = 0; i < G_N_ELEMENTS (modules); i++)
    {
      char why[512] = "";
      FlkDevice *device = flk_device_open (modules[i], 0, 1, why, sizeof why);
      g_autofree char *name = g_strdup_printf ("kernels %s", modules[i]);
      g_autofree char *what =
          device != NULL ? g_strdup (flk_device_description (device)) : g_strdup_printf ("no: %s", why);
      g_autofree char *text = fl_feature_line (name, what);
      fputs (text, stdout);
      flk_device_close (device);
    }
}

int
main (int argc, char **argv)
{
  static const FlProgram programs[] = {
    { "stills", fl_program_stills, "shots to spots: hit rates, spot tables" },
    { "simulate-sfx", fl_program_simulate_sfx, "write a serial crystallography beamtime that never was" },
    { "simulate-spi", fl_program_simulate_spi, "write shots of single molecules that never were" },
    { "merge", fl_program_merge, "lattices of jobs and streams, scaled and merged to intensities" },
    { "refine-geometry", fl_program_refine_geometry,
      "the detector refined against the lattices of jobs and streams" },
    { "hits", fl_program_hits, "shots of single particles told apart: blank, one, several, junk" },
    { "reconstruct", fl_program_reconstruct,
      "patterns of single particles to their orientations and densities" },
    { "map", fl_program_map, "merged data and a model to maps of the electron density" },
    { "darks", fl_program_darks, "pedestals, noise and bad pixels of a detector from shots without beam" },
    { "convert", fl_program_convert, "shots of any source as one NXmx file" },
    { "export", fl_program_export, "a job's results as a CrystFEL stream or as DIALS' .expt and .refl" },
    { "import-results", fl_program_import_results, "streams, or .expt and .refl, as a job" },
    { "convert-geometry", fl_program_convert_geometry,
      "a detector's geometry in another form: CrystFEL, imgCIF, psana, NXmx, DIALS" },
    { "hello", fl_program_hello, "which ranks, nodes and devices there are: does a site work" },
    { NULL },
  };
  return fl_program_main (programs, "firstlight-engine", features, argc, argv);
}
