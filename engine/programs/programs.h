/* programs.h: the subcommands. */
#pragma once

int fl_program_serve (int argc, char **argv);
