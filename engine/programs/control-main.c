/* firstlight-control: the control plane, and the readers that the control room asks for pictures. */

#include "engine/programs/program.h"
#include "engine/programs/programs.h"

int
main (int argc, char **argv)
{
  static const FlProgram programs[] = {
    { "inspect", fl_program_inspect, "say what any file is" },
    { "serve", fl_program_serve, "answer view requests on standard input and output" },
    { "conduct", fl_program_conduct, "find runs, submit jobs, watch them" },
    { "experiment", fl_program_experiment, "make an experiment's folder" },
    { "import", fl_program_import, "take other people's results into the store" },
    { "ingest", fl_program_ingest, "take an attempt's journals into the store" },
    { "job", fl_program_job, "list jobs; ask for one to be stopped or retried" },
    { NULL },
  };
  return fl_program_main (programs, "firstlight-control", argc, argv);
}
