/* build-features.h (not features.h, which is the C library's): what this build can do, for --version --features. Thread: any. */
#pragma once

#include <glib.h>

/* "NAME  what\n" a line: sources, compiler, and each library with the version it was built with, or "no" and what is then
 * missing. g_free(). Kernel modules are found at run time, and each program adds what it knows of those. */
char *fl_features_text (void);

/* One line of the same form. */
char *fl_feature_line (const char *name, const char *what);
