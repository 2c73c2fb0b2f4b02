/* job-slot.h: a line of the list of jobs, which stays when another job comes to stand in it: notifies "job" then.
 * Thread: main. */
#pragma once

#include "gui/record.h"

#define FLG_TYPE_JOB_SLOT (flg_job_slot_get_type ())
G_DECLARE_FINAL_TYPE (FlgJobSlot, flg_job_slot, FLG, JOB_SLOT, GObject)

void flg_job_slot_set_job (FlgJobSlot *slot, FlgRecord *job); /* NULL: none */
FlgRecord *flg_job_slot_job (FlgJobSlot *slot);               /* borrowed; NULL: none */
