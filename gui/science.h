/* science.h: what an experiment is about, by its jobs and by the tasks of its datasets: crystals, single particles, or both. What
 * makes no sense for it is not shown. Pure. Thread: main. */
#pragma once

#include "gui/experiment.h"

typedef enum
{
  FLG_SCIENCE_UNKNOWN, /* nothing tells yet */
  FLG_SCIENCE_CRYSTALS,
  FLG_SCIENCE_PARTICLES,
  FLG_SCIENCE_BOTH
} FlgScience;

FlgScience flg_experiment_science (FlgExperiment *experiment);
/* Of one dataset, by the tasks of its steps; of none (0), as the whole experiment. */
FlgScience flg_dataset_science (FlgExperiment *experiment, gint64 dataset);
/* Of one trial, by its jobs that have shots; without any, as the whole experiment. */
FlgScience flg_trial_science (FlgExperiment *experiment, gint64 trial);
/* FALSE of a job that there is not. */
gboolean flg_job_is_of_particles (FlgExperiment *experiment, gint64 job);
/* Patterns of single particles, or what is made of them ("hits", "reconstruct"). */
gboolean flg_task_is_of_particles (const FlTask *task);
