/* dials-flags.h: bits of the column "flags" of DIALS' tables (private to the room). */
#pragma once

#include <glib.h>

#define FL_DIALS_PREDICTED      (G_GUINT64_CONSTANT (1) << 0)
#define FL_DIALS_OBSERVED       (G_GUINT64_CONSTANT (1) << 1)
#define FL_DIALS_INDEXED        (G_GUINT64_CONSTANT (1) << 2)
#define FL_DIALS_STRONG         (G_GUINT64_CONSTANT (1) << 5)
#define FL_DIALS_INTEGRATED_SUM (G_GUINT64_CONSTANT (1) << 8)
#define FL_DIALS_INTEGRATED_PRF (G_GUINT64_CONSTANT (1) << 9)
#define FL_DIALS_OVERLOADED     (G_GUINT64_CONSTANT (1) << 10)
#define FL_DIALS_OVERLAPPED     (G_GUINT64_CONSTANT (1) << 12)
#define FL_DIALS_BAD_FOREGROUND (G_GUINT64_CONSTANT (1) << 14)
