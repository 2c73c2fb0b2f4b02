/* firstlight-control: the control plane, and the readers that the control room asks for pictures. */

#include "engine/programs/program.h"
#include "engine/programs/programs.h"
#include "engine/remote/askpass.h"

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
    { "findings", fl_program_findings, "say what is broken in an experiment" },
    { "follow", fl_program_follow, "keep a copy of an experiment at the far end of a link" },
    { "site", fl_program_site, "add a site where jobs run, change or list them" },
    { "dataset", fl_program_dataset, "add a dataset, change or list them" },
    { "geometry", fl_program_geometry, "take a refined geometry into an experiment, as a new block" },
    { "mask", fl_program_mask, "make a mask out of rules, and the experiment's" },
    { "archive", fl_program_archive, "close a beamtime into one folder or file; check one" },
    { "compare", fl_program_compare, "set two experiments or archives side by side" },
    { "database", fl_program_database, "where an experiment's records are: look, make, join, move, grant" },
    { "people", fl_program_people, "who may do what, who is here, who changed what" },
    { "channel", fl_program_channel, "connect to a program at a site, through the conductor" },
    { NULL },
  };
  g_autofree char *name = g_path_get_basename (argc > 0 ? argv[0] : "");
  if (g_str_equal (name, FL_ASKPASS_NAME))
    return fl_program_askpass (argc, argv);
  return fl_program_main (programs, "firstlight-control", NULL, argc, argv);
}
