/* firstlight-askpass: the OpenSSH client's questions, handed to the one of us that started it (engine/remote/askpass.h). Not for
 * people: control-main.c runs it when the program is called by that name. */
#include <stdio.h>

#include "engine/programs/programs.h"
#include "engine/remote/askpass.h"

int
fl_program_askpass (int argc, char **argv)
{
  if (argc == 2)
    return fl_askpass_main (argv[1]);
  fprintf (stderr, "%s is run by ssh\n", FL_ASKPASS_NAME);
  return 2;
}
