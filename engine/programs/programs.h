/* programs.h: the subcommands. */
#pragma once
