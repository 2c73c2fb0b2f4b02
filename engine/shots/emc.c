#include "engine/shots/emc.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/error.h"

#define HEADER      1024
#define TYPE_SPARSE 0
#define TYPE_DENSE  1

struct FlEmc
{
  char *path;
  int fd;
  gint32 n_frames, n_pixels, type;
  guint64 *ones, *multi; /* sparse: [n_frames + 1], photons of these kinds before a frame */
};

static gboolean
wrong (const FlEmc *emc, GError **error, const char *what)
{
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: %s", emc->path, what);
  return FALSE;
}

static gboolean
read_at (const FlEmc *emc, void *data, gsize bytes, guint64 at, GError **error)
{
  char *to = data;
  while (bytes > 0)
    {
      gssize got = pread (emc->fd, to, bytes, (off_t) at);
      if (got < 0 && errno == EINTR)
        continue;
      if (got <= 0)
        return wrong (emc, error, got == 0 ? "shorter than it was" : g_strerror (errno));
      to += got;
      at += (guint64) got;
      bytes -= (gsize) got;
    }
  return TRUE;
}

/* Numbers of pixels a frame into sums before each. */
static gboolean
read_sums (const FlEmc *emc, guint64 at, guint64 *sums, GError **error)
{
  gsize n = (gsize) emc->n_frames;
  g_autofree gint32 *numbers = g_new (gint32, n);
  if (!read_at (emc, numbers, n * sizeof *numbers, at, error))
    return FALSE;
  for (gsize i = 0; i < n; i++)
    {
      if (numbers[i] < 0 || numbers[i] > emc->n_pixels)
        {
          g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                       "%s: frame %" G_GSIZE_FORMAT " has %d lit pixels, expected 0 to %d", emc->path, i,
                       numbers[i], emc->n_pixels);
          return FALSE;
        }
      sums[i + 1] = sums[i] + (guint64) numbers[i];
    }
  return TRUE;
}

static gboolean
read_head (FlEmc *emc, GError **error)
{
  struct stat info;
  gint32 head[3];
  if (fstat (emc->fd, &info) != 0 || !S_ISREG (info.st_mode) || info.st_size < HEADER)
    return wrong (emc, error, "not an .emc file, expected a header of 1024 bytes");
  if (!read_at (emc, head, sizeof head, 0, error))
    return FALSE;
  guint64 size = (guint64) info.st_size - HEADER;
  emc->n_frames = head[0];
  emc->n_pixels = head[1];
  emc->type = head[2];
  if (emc->n_frames < 1 || emc->n_pixels < 1)
    return wrong (emc, error, "not an .emc file, expected numbers of frames and pixels above 0");
  guint64 n = (guint64) emc->n_frames, pixels = (guint64) emc->n_pixels, expected;
  if (emc->type == TYPE_DENSE)
    expected = 4 * n * pixels;
  else if (emc->type != TYPE_SPARSE)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_UNSUPPORTED,
                   "%s: frames of type %d are not photons, expected type 0 or 1", emc->path, emc->type);
      return FALSE;
    }
  else if (size < 8 * n)
    return wrong (emc, error, "too short for its frames, expected a whole file");
  else
    {
      emc->ones = g_new0 (guint64, n + 1);
      emc->multi = g_new0 (guint64, n + 1);
      if (!read_sums (emc, HEADER, emc->ones, error) || !read_sums (emc, HEADER + 4 * n, emc->multi, error))
        return FALSE;
      expected = 8 * n + 4 * emc->ones[n] + 8 * emc->multi[n];
    }
  if (size == expected)
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
               "%s: %" G_GUINT64_FORMAT " bytes behind the header, expected %" G_GUINT64_FORMAT, emc->path,
               size, expected);
  return FALSE;
}

FlEmc *
fl_emc_open (const char *path, GError **error)
{
  g_autoptr (FlEmc) emc = g_new0 (FlEmc, 1);
  emc->path = g_strdup (path);
  emc->fd = open (path, O_RDONLY | O_CLOEXEC);
  if (emc->fd >= 0)
    return read_head (emc, error) ? g_steal_pointer (&emc) : NULL;
  g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: cannot be read: %s", path, g_strerror (errno));
  return NULL;
}

void
fl_emc_close (FlEmc *emc)
{
  if (emc == NULL)
    return;
  if (emc->fd >= 0)
    close (emc->fd);
  g_free (emc->path);
  g_free (emc->ones);
  g_free (emc->multi);
  g_free (emc);
}

guint
fl_emc_n_frames (const FlEmc *emc)
{
  return (guint) emc->n_frames;
}

guint
fl_emc_n_pixels (const FlEmc *emc)
{
  return (guint) emc->n_pixels;
}

void
fl_emc_frames_clear (FlEmcFrames *frames)
{
  g_clear_pointer (&frames->start, g_free);
  g_clear_pointer (&frames->pixel, g_free);
  g_clear_pointer (&frames->count, g_free);
}

static void
make_frames (FlEmcFrames *frames, guint n)
{
  frames->n = n;
  frames->start = g_new0 (guint64, n + 1);
}

static void
make_photons (FlEmcFrames *frames, guint64 n)
{
  frames->pixel = g_new (guint32, n);
  frames->count = g_new (guint32, n);
}

static gboolean
check_frames (const FlEmc *emc, const FlEmcFrames *frames, guint first, GError **error)
{
  for (guint i = 0; i < frames->n; i++)
    for (guint64 j = frames->start[i]; j < frames->start[i + 1]; j++)
      if (frames->pixel[j] >= (guint32) emc->n_pixels || frames->count[j] < 1
          || frames->count[j] > G_MAXINT32)
        {
          g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                       "%s: frame %u has %d photons in pixel %d, expected 1 or more in pixels 0 to %d",
                       emc->path, first + i, (gint32) frames->count[j], (gint32) frames->pixel[j],
                       emc->n_pixels - 1);
          return FALSE;
        }
  return TRUE;
}

static gboolean
read_sparse (const FlEmc *emc, guint first, FlEmcFrames *frames, GError **error)
{
  guint last = first + frames->n;
  guint64 all = (guint64) emc->n_frames, n_ones = emc->ones[last] - emc->ones[first],
          n_multi = emc->multi[last] - emc->multi[first];
  guint64 ones_at = HEADER + 8 * all, multi_at = ones_at + 4 * emc->ones[all],
          count_at = multi_at + 4 * emc->multi[all];
  g_autofree guint32 *ones = g_new (guint32, n_ones), *multi = g_new (guint32, n_multi),
                     *count = g_new (guint32, n_multi);
  if (!read_at (emc, ones, 4 * n_ones, ones_at + 4 * emc->ones[first], error)
      || !read_at (emc, multi, 4 * n_multi, multi_at + 4 * emc->multi[first], error)
      || !read_at (emc, count, 4 * n_multi, count_at + 4 * emc->multi[first], error))
    return FALSE;
  make_photons (frames, n_ones + n_multi);
  guint64 at = 0;
  for (guint i = first; i < last; i++)
    {
      for (guint64 j = emc->ones[i] - emc->ones[first]; j < emc->ones[i + 1] - emc->ones[first]; j++, at++)
        {
          frames->pixel[at] = ones[j];
          frames->count[at] = 1;
        }
      for (guint64 j = emc->multi[i] - emc->multi[first]; j < emc->multi[i + 1] - emc->multi[first];
           j++, at++)
        {
          frames->pixel[at] = multi[j];
          frames->count[at] = count[j];
        }
      frames->start[i - first + 1] = at;
    }
  return TRUE;
}

static gboolean
read_dense (const FlEmc *emc, guint first, FlEmcFrames *frames, GError **error)
{
  gsize n = (gsize) emc->n_pixels;
  g_autofree gint32 *row = g_new (gint32, n);
  GArray *pixel = g_array_new (FALSE, FALSE, sizeof (guint32)),
         *count = g_array_new (FALSE, FALSE, sizeof (guint32));
  gboolean ok = TRUE;
  for (guint i = 0; i < frames->n && ok; i++)
    {
      ok = read_at (emc, row, n * sizeof *row, HEADER + 4 * (guint64) n * (first + i), error);
      for (guint32 j = 0; ok && j < n; j++)
        if (row[j] != 0)
          {
            guint32 photons = (guint32) row[j];
            g_array_append_val (pixel, j);
            g_array_append_val (count, photons);
          }
      frames->start[i + 1] = pixel->len;
    }
  frames->pixel = (guint32 *) (void *) g_array_free (pixel, FALSE);
  frames->count = (guint32 *) (void *) g_array_free (count, FALSE);
  return ok;
}

gboolean
fl_emc_read (FlEmc *emc, guint first, guint n, FlEmcFrames *frames, GError **error)
{
  g_return_val_if_fail (first <= (guint) emc->n_frames && n <= (guint) emc->n_frames - first, FALSE);
  g_auto (FlEmcFrames) made = { 0 };
  make_frames (&made, n);
  if (!(emc->type == TYPE_DENSE ? read_dense : read_sparse) (emc, first, &made, error)
      || !check_frames (emc, &made, first, error))
    return FALSE;
  *frames = made;
  made = (FlEmcFrames){ 0 };
  return TRUE;
}
