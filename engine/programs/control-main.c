/* firstlight-control: the control plane, and the readers that the control room asks for pictures. */

#include "engine/programs/program.h"

int
main (int argc, char **argv)
{
  static const FlProgram programs[] = {
    { NULL },
  };
  return fl_program_main (programs, "firstlight-control", argc, argv);
}
