/* Loaded before the engine (LD_PRELOAD) by tests: makes reading a frame slow, or deadly.
 *   SHIM_SLEEP_US     each read of a frame takes so much longer
 *   SHIM_KILL_FRAME   reading this frame ends the process
 *   SHIM_KILL_SIGNAL  with this signal (9)
 *   SHIM_TRACE        a line "read FRAME" is added to this file */
#include <dlfcn.h>
#include <fcntl.h>
#include <hdf5.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static long
setting (const char *name, long otherwise)
{
  const char *text = getenv (name);
  return text != NULL ? atol (text) : otherwise;
}

static void
trace (hsize_t frame)
{
  const char *path = getenv ("SHIM_TRACE");
  int fd = path != NULL ? open (path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666) : -1;
  if (fd < 0)
    return;
  dprintf (fd, "read %lu\n", (unsigned long) frame);
  close (fd);
}

static void
on_frame (hsize_t frame)
{
  trace (frame);
  usleep ((useconds_t) setting ("SHIM_SLEEP_US", 0));
  if ((long) frame == setting ("SHIM_KILL_FRAME", -1))
    raise ((int) setting ("SHIM_KILL_SIGNAL", SIGKILL));
}

static int
is_stack (hid_t dataset)
{
  hid_t space = H5Dget_space (dataset);
  int rank = H5Sget_simple_extent_ndims (space);
  H5Sclose (space);
  return rank >= 3;
}

herr_t
H5Dread (hid_t dataset, hid_t type, hid_t memory, hid_t file, hid_t properties, void *buffer)
{
  herr_t (*real) (hid_t, hid_t, hid_t, hid_t, hid_t, void *) = dlsym (RTLD_NEXT, "H5Dread");
  hsize_t start[H5S_MAX_RANK], end[H5S_MAX_RANK];
  if (file != H5S_ALL && is_stack (dataset) && H5Sget_select_bounds (file, start, end) >= 0)
    on_frame (start[0]);
  return real (dataset, type, memory, file, properties, buffer);
}

herr_t
H5Dread_chunk (hid_t dataset, hid_t properties, const hsize_t *offset, uint32_t *filters, void *buffer)
{
  herr_t (*real) (hid_t, hid_t, const hsize_t *, uint32_t *, void *) = dlsym (RTLD_NEXT, "H5Dread_chunk");
  if (is_stack (dataset))
    on_frame (offset[0]);
  return real (dataset, properties, offset, filters, buffer);
}
