/* programs.h: the subcommands. */
#pragma once

int fl_program_stills (int argc, char **argv);          /* collective: every rank of mpirun calls it */
int fl_program_hits (int argc, char **argv);            /* collective, too */
int fl_program_merge (int argc, char **argv);           /* collective, too */
int fl_program_refine_geometry (int argc, char **argv); /* collective, too */
int fl_program_reconstruct (int argc, char **argv);     /* collective, too */
int fl_program_hello (int argc, char **argv);           /* collective, too */
int fl_program_simulate_sfx (int argc, char **argv);
int fl_program_simulate_spi (int argc, char **argv); /* collective, too */
int fl_program_darks (int argc, char **argv);        /* collective, too */
int fl_program_convert (int argc, char **argv);
int fl_program_map (int argc, char **argv);
int fl_program_export (int argc, char **argv);
int fl_program_convert_geometry (int argc, char **argv);
int fl_program_import_results (int argc, char **argv);
int fl_program_askpass (int argc, char **argv); /* under a name of its own */
int fl_program_serve (int argc, char **argv);
int fl_program_inspect (int argc, char **argv);
int fl_program_conduct (int argc, char **argv);
int fl_program_experiment (int argc, char **argv);
int fl_program_import (int argc, char **argv);
int fl_program_ingest (int argc, char **argv);
int fl_program_job (int argc, char **argv);
int fl_program_site (int argc, char **argv);
int fl_program_dataset (int argc, char **argv);
int fl_program_geometry (int argc, char **argv);
int fl_program_mask (int argc, char **argv);
int fl_program_channel (int argc, char **argv);
int fl_program_findings (int argc, char **argv);
int fl_program_follow (int argc, char **argv);
int fl_program_archive (int argc, char **argv);
int fl_program_compare (int argc, char **argv);
int fl_program_database (int argc, char **argv);
int fl_program_people (int argc, char **argv);
