/* ccp4-map-words.h: the header of a map's file. Internal to ccp4-map. */
#pragma once

#define FL_MAP_HEADER 1024 /* bytes */
#define FL_MAP_RECORD 80   /* of a symmetry operator, or a label */

/* Words of the header, from 0. */
enum
{
  W_N = 0,
  W_MODE = 3,
  W_START = 4,
  W_SAMPLING = 7,
  W_CELL = 10,
  W_AXES = 16,
  W_MIN = 19,
  W_GROUP = 22,
  W_SYMMETRY = 23,
  W_EXTENSION = 26,
  W_VERSION = 27,
  W_ORIGIN = 49,
  W_MAGIC = 52,
  W_STAMP = 53,
  W_SIGMA = 54,
  W_LABELS = 55,
  W_TEXT = 56,
};
