/* new-block.h: a file becomes the experiment's – a geometry, a mask: kept in its folder under a name that tells its contents,
 * and named by a parameter of a new block, which has the other parameters of the block whose place it takes, for all of that
 * one's runs or from one run on. Thread: the store's. */
#pragma once

#include "engine/store/store.h"

typedef struct
{
  const char *of;   /* the block whose place is taken; NULL: the only active one, or none at all */
  const char *name; /* of the new block; NULL: the other's with a number */
  const char
      *from_run;    /* the first run that it is for, earlier ones keep theirs; NULL: all runs of the other */
  const char *stem; /* its name when there is no other: "geometry" */
  const char *parameter;       /* "detector.geometry" */
  const char *folder, *ending; /* "geometries", ".geom" */
  gconstpointer bytes;
  gsize length;
} FlNewBlock;

/* What was done, a line for each block (g_free); NULL with error: then nothing was. FL_ERROR_INPUT: the name is taken, the
 * run is not the other block's, or it is not clear which block is meant; FL_ERROR_DENIED: the role does not allow it. One
 * transaction, or part of the caller's. */
char *fl_new_block_make (FlStore *store, const FlNewBlock *wish, GError **error);
