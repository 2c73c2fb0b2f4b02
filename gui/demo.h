/* demo.h: a beamtime that never was, played on this machine: its folder in the user's data, made by the programs themselves
 * (`firstlight-control experiment` and `dataset`), its simulator and its conductor as child processes, which end with it.
 *
 * What was played before is removed when it is started anew; nothing but a folder that a demo has made is ever touched.
 * Signal "changed" (): words, part, state. Thread: main, except flg_demo_prove(). */
#pragma once

#include "gui/assistant-field.h"

typedef enum
{
  FLG_DEMO_MAKING,
  FLG_DEMO_READY,   /* can be opened; shots arrive */
  FLG_DEMO_OVER,    /* all shots have arrived */
  FLG_DEMO_STOPPED, /* by somebody */
  FLG_DEMO_FAILED
} FlgDemoState;

#define FLG_TYPE_DEMO (flg_demo_get_type ())
G_DECLARE_FINAL_TYPE (FlgDemo, flg_demo, FLG, DEMO, GObject)

/* Where it lies. Free it. */
char *flg_demo_folder (gboolean particles);
/* Strings "PARTICLES" ("1", "") and FOLDER: what it needs is there. FlgProofFunc. */
FlgProof *flg_demo_prove (gpointer strings, GCancellable *cancellable);

/* Begins at once. */
FlgDemo *flg_demo_new (const char *folder, gboolean particles);
/* Ends its children. */
void flg_demo_stop (FlgDemo *self);
FlgDemoState flg_demo_state (FlgDemo *self);
/* One line. */
const char *flg_demo_words (FlgDemo *self);
double flg_demo_part (FlgDemo *self); /* of being made, 0–1 */
const char *flg_demo_folder_of (FlgDemo *self);
