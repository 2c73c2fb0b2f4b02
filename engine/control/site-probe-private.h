/* site-probe-private.h: what the files of the check of a site share. Thread: the site's. */
#pragma once

#include "engine/control/site-probe.h"

typedef struct
{
  const FlSiteContext *context;
  FlHost *host;
  const FlProbeOptions *options;
  GCancellable *cancellable;
  gboolean is_slurm;
  int ranks;    /* of the trial: Slurm: one a node */
  char *folder; /* of this probe, under the scratch */
  char *engine; /* NULL until it is known to run */
  char *hello;  /* what the ranks said */
} SiteProbe;

/* One line, harmless, into a step's message or advice. */
void fl_probe_say (char **field, const char *format, ...) G_GNUC_PRINTF (2, 3);
FlStepState fl_probe_skip (FlProbeStep *step, const char *why);
FlStepState fl_probe_fail (FlProbeStep *step, const GError *error, const char *advice);
gboolean fl_probe_shell (SiteProbe *probe, const char *script, FlHostOutput *output, GError **error);
/* As much of it as is sensible to look at. */
char *fl_probe_text (GBytes *bytes);

/* The steps with ranks on nodes: each fills message, and advice when it fails. */
FlStepState fl_probe_mpi (SiteProbe *probe, FlProbeStep *step);
FlStepState fl_probe_gpu (SiteProbe *probe, FlProbeStep *step);
