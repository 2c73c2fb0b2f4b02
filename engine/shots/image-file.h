/* image-file.h: a file of one image, whole in memory, unpacked where it is gzip'd or (with libbz2) bzip2'd (private to the room). Thread: any. */
#pragma once

#include <glib.h>

/* So many readable zero bytes lie behind what was read. */
#define FL_IMAGE_PADDING 16

/* The first bytes (at most n) of what the file holds; returns how many. */
gsize fl_image_file_head (const char *path, guint8 *head, gsize n);

/* g_free. NULL: *error; a packed file that is damaged or unpacks to more than 1 GiB is one. */
guint8 *fl_image_file_load (const char *path, gsize *length, GError **error);
