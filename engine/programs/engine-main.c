/* firstlight-engine: the compute plane. */

#include "engine/programs/program.h"
#include "engine/programs/programs.h"

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
    { "export", fl_program_export, "a job's results as a CrystFEL stream or as DIALS' .expt and .refl" },
    { "import-results", fl_program_import_results, "streams, or .expt and .refl, as a job" },
    { "hello", fl_program_hello, "which ranks, nodes and devices there are: does a site work" },
    { NULL },
  };
  return fl_program_main (programs, "firstlight-engine", argc, argv);
}
