/* job-script.h: scripts of attempts, from the templates in resources/jobs. */
#pragma once

#include "engine/control/site.h"

extern const char fl_job_script_local[]; /* resources/jobs/local.sh */
extern const char fl_job_script_slurm[]; /* resources/jobs/slurm.sh */

/* The template with its {words} replaced, in one pass: a value may hold anything. */
char *fl_job_script_fill (const char *template, const char *const (*words)[2], guint n);

/* Shell lines that take the attempt's journals into the database beside the command, and the one that ends it with a last
 * look; "" where the site does not. A database that is not reached, or a firstlight-control that is not there, does not touch
 * the job. Free them. */
void fl_job_script_ingest (const FlSite *site, const FlSubmission *submission, char **begin, char **end);

/* What a submission gets of a Slurm site. 0 = not said. */
typedef struct
{
  int nodes, ranks_per_node, gpus_per_node, minutes;
} FlSlurmResources;

void fl_slurm_resources (const FlSite *site, const FlSubmission *submission, int cores,
                         FlSlurmResources *resources);

/* The #SBATCH lines. `name`: for the scheduler; `stem`: of what it prints, "%a" in it is an array's index. NULL with
 * FL_ERROR_INPUT when a value of the site cannot stand there (a leading '-', a blank, a quote, a control character). */
char *fl_slurm_options (const FlSite *site, const FlSlurmResources *resources, const char *name,
                        const char *comment, const char *stem, GError **error);

/* The whole script of a submission. `launcher`: what starts the ranks where the site has none of its own. */
char *fl_slurm_script (const FlSite *site, const FlSubmission *submission, const FlSlurmResources *resources,
                       const char *launcher, GError **error);

/* Of an array: member i (from 1) is submissions[i - 1], whose script is there already. */
char *fl_slurm_array_script (const FlSite *site, GPtrArray *submissions, const FlSlurmResources *resources,
                             const char *name, GError **error);
