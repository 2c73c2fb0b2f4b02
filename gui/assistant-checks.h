/* assistant-checks.h: what the assistant finds out about what is filled in: each an FlgProofFunc (assistant-field.h) whose
 * input is a GStrv of the strings named beside it ("" for what is not given). Detector files are opened by a child
 * (`firstlight-control inspect`), never here. Thread: any but the main one. */
#pragma once

#include "gui/assistant-field.h"

/* What somebody typed, as a path: "~" and file:// are resolved. Free it. */
char *flg_typed_path (const char *text);
/* Why it cannot be a beamtime's name; NULL: it can. Thread: any. */
const char *flg_name_complaint (const char *name);
/* A folder's name out of a beamtime's. Free it. */
char *flg_folder_name (const char *name);
/* The folder holds an experiment, a copy or an archive. */
gboolean flg_folder_is_experiment (const char *folder);

/* FOLDER: where a new experiment may be made. */
FlgProof *flg_prove_new_folder (gpointer strings, GCancellable *cancellable);
/* FOLDER, KIND ("folders", "files"), PATTERN, OWN (not "": made with the experiment when it is not there): where runs arrive.
 * `found`: a GObject with data "image", the newest run's first file, and "geometry", the only .geom in the folder (char *). */
FlgProof *flg_prove_watch (gpointer strings, GCancellable *cancellable);
/* FILE: a detector's geometry. */
FlgProof *flg_prove_geometry (gpointer strings, GCancellable *cancellable);
/* FILE or FILE:/DATASET. */
FlgProof *flg_prove_mask (gpointer strings, GCancellable *cancellable);
/* FILE of shots, GEOMETRY, MASK: they fit. */
FlgProof *flg_prove_image (gpointer strings, GCancellable *cancellable);
/* ENGINE ("": the one beside firstlight-control), CORES: it is started once, alone and as jobs start it. */
FlgProof *flg_prove_engine (gpointer strings, GCancellable *cancellable);

/* Runs a program, at most `seconds`; what it has printed, with status 0; NULL with the last thing that it complained of. */
char *flg_run_once (const char *const *argv, guint seconds, GCancellable *cancellable, char **complaint);
