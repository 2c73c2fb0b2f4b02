/* firstlight-engine: the compute plane. */

#include "engine/programs/program.h"

int
main (int argc, char **argv)
{
  static const FlProgram programs[] = {
    { NULL },
  };
  return fl_program_main (programs, "firstlight-engine", argc, argv);
}
