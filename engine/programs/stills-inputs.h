/* stills-inputs.h: from the arguments of `stills` and `hits` to a table of sources that is the same in every attempt.
 *
 * An argument is a file, a list (`*.lst`), or a folder, which stands for the data files in it, sorted by name. The same
 * path given twice counts once; frames named by lists are joined. Two files of one name in different folders cannot be
 * told apart later (a shot's identity is file name and frame) and are refused. */
#pragma once

#include "engine/parallel/deal.h"
#include "engine/shots/source.h"

typedef struct
{
  char *path;
  guint32 frames;
  char *message; /* why it cannot be opened; then frames is 0 */
  GArray *only;  /* guint32, sorted, at rank 0: the frames that were asked for; NULL: all */
} FlInput;

/* How shots are read. */
typedef struct
{
  const char *const
      *endings; /* of data files in folders, most wanted first: ".cbf .cxi": the first that any file has */
  /* Opens a file and counts its frames, 0 with error. */
  guint32 (*count) (const char *path, gconstpointer data, GError **error);
  gconstpointer data;
} FlInputReader;

/* Collective. Rank 0 reads the arguments; every rank then opens its share of the sources and counts their frames.
 * Returns FlInput at every rank (`only`, and frames and messages of all, at rank 0). An error of the arguments is
 * returned at every rank; a source that cannot be opened is not an error but has a message. */
GPtrArray *fl_inputs_read (FlParallel *parallel, char **arguments, const FlInputReader *reader,
                           GError **error);

/* The frames of one input that are asked for: number and the i-th. A frame may lie beyond the file's end. */
guint32 fl_input_n (const FlInput *input);
guint32 fl_input_frame (const FlInput *input, guint32 i);
