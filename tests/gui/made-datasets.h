/* made-datasets.h: the made store (made-store.h), with a far site, more tags, and datasets with versions. */
#pragma once

#include "tests/gui/made-store.h"

typedef struct
{
  gint64
      lysozyme; /* "lysozyme and not dark", stills → export, three versions: the last has a run more and one less */
  gint64 versions[3];
  gint64 resting;    /* everything; not active */
  gint64 hostile;    /* its name, tag and comment were chosen to do harm */
  gint64 export_job; /* of the last version */
  gint64 far_site;
} MadeDatasets;

/* At least 6 runs. */
void made_datasets_write (const char *folder, const MadeStore *wanted, MadeDatasets *made);
/* Records alone, many: `runs` runs with five jobs each, every third run "lysozyme", every fifth "dark". */
void made_datasets_write_many (const char *folder, guint runs, guint64 now);

#define HOSTILE_TAG "'; DROP TABLE tag; -- $(reboot) <b>&\"\\"
