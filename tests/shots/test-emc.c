/* Photon files: what is written is read, what is damaged is refused. */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "engine/base/hash.h"
#include "engine/shots/emc.h"

#define FRAMES 57
#define PIXELS 1000
#define HEADER 1024

static char *folder, *path;

typedef struct
{
  guint n;
  guint32 pixel[PIXELS], count[PIXELS];
} Frame;

/* Some are empty, pixels rise. */
static Frame
draw_frame (guint number)
{
  Frame frame = { 0 };
  FlRandom random = fl_random (number + 1);
  for (guint32 p = 0; p < PIXELS; p++)
    {
      guint32 photons = number % 9 == 4 ? 0 : fl_random_poisson (&random, 0.3);
      if (photons == 0)
        continue;
      frame.pixel[frame.n] = p;
      frame.count[frame.n++] = photons;
    }
  return frame;
}

static void
write_file (void)
{
  g_autoptr (GError) error = NULL;
  FlEmcWriter *writer = fl_emc_writer_new (path, FRAMES, PIXELS, &error);
  for (guint i = 0; i < FRAMES; i++)
    {
      Frame frame = draw_frame (i);
      fl_emc_writer_append (writer, frame.n, frame.pixel, frame.count, &error);
    }
  fl_emc_writer_finish (writer, &error);
  g_assert_no_error (error);
}

static void
check_range (FlEmc *emc, guint first, guint n)
{
  g_autoptr (GError) error = NULL;
  g_auto (FlEmcFrames) frames = { 0 };
  fl_emc_read (emc, first, n, &frames, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (frames.n, ==, n);
  for (guint i = 0; i < n; i++)
    {
      Frame frame = draw_frame (first + i);
      guint32 image[PIXELS] = { 0 };
      for (guint64 j = frames.start[i]; j < frames.start[i + 1]; j++)
        image[frames.pixel[j]] += frames.count[j];
      g_assert_cmpuint (frames.start[i + 1] - frames.start[i], ==, frame.n);
      for (guint j = 0; j < frame.n; j++)
        g_assert_cmpuint (image[frame.pixel[j]], ==, frame.count[j]);
    }
}

static void
test_round_trip (void)
{
  g_autoptr (GError) error = NULL;
  write_file ();
  g_autoptr (FlEmc) emc = fl_emc_open (path, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (fl_emc_n_frames (emc), ==, FRAMES);
  g_assert_cmpuint (fl_emc_n_pixels (emc), ==, PIXELS);
  check_range (emc, 0, FRAMES);
  check_range (emc, 13, 20);
  check_range (emc, FRAMES - 1, 1);
  check_range (emc, FRAMES, 0);
}

static void
test_dense (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree gint32 *words = g_new0 (gint32, 256 + FRAMES * PIXELS);
  words[0] = FRAMES;
  words[1] = PIXELS;
  words[2] = 1;
  for (guint i = 0; i < FRAMES; i++)
    {
      Frame frame = draw_frame (i);
      for (guint j = 0; j < frame.n; j++)
        words[256 + i * PIXELS + frame.pixel[j]] = (gint32) frame.count[j];
    }
  g_file_set_contents (path, (const char *) words, 4 * (256 + FRAMES * PIXELS), NULL);
  g_autoptr (FlEmc) emc = fl_emc_open (path, &error);
  g_assert_no_error (error);
  check_range (emc, 0, FRAMES);
  check_range (emc, 30, 5);
}

/* Refused with one line that has the file's name, on opening or reading. */
static void
check_refused (const void *data, gsize length)
{
  g_autoptr (GError) error = NULL;
  g_file_set_contents (path, data, (gssize) length, NULL);
  g_autoptr (FlEmc) emc = fl_emc_open (path, &error);
  g_auto (FlEmcFrames) frames = { 0 };
  g_assert_true (emc == NULL || !fl_emc_read (emc, 0, fl_emc_n_frames (emc), &frames, &error));
  g_assert_nonnull (error);
  g_assert_true (g_str_has_prefix (error->message, path));
  g_assert_null (strchr (error->message, '\n'));
  g_assert_null (frames.start);
}

static void
test_hostile (void)
{
  static const struct
  {
    gsize word;
    gint32 value;
  } damages[] = { { 0, 0 },
                  { 0, -1 },
                  { 0, FRAMES + 1 },
                  { 0, G_MAXINT32 },
                  { 1, 0 },
                  { 1, 10 },
                  { 1, -5 },
                  { 2, 2 },
                  { 2, 1 },
                  { 2, 77 },
                  { 256, -1 },
                  { 256, PIXELS + 1 },
                  { 256, 3 },
                  { 260 + FRAMES, 1 << 30 },
                  { 256 + 2 * FRAMES, PIXELS },
                  { 256 + 2 * FRAMES, -1 } };
  g_autofree char *bytes = NULL;
  gsize length;
  write_file ();
  g_assert_true (g_file_get_contents (path, &bytes, &length, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (damages); i++)
    {
      g_autofree char *copy = g_malloc (length);
      memcpy (copy, bytes, length);
      memcpy (copy + 4 * damages[i].word, &damages[i].value, 4);
      check_refused (copy, length);
    }
  gint32 zero = 0;
  memcpy (bytes + length - 4, &zero, 4);
  check_refused (bytes, length);
  check_refused (bytes, length - 1);
  check_refused (bytes, HEADER + 4);
  check_refused (bytes, HEADER - 1);
  check_refused (bytes, 0);
  g_unlink (path);
  g_autoptr (GError) error = NULL;
  g_assert_null (fl_emc_open (path, &error));
  g_assert_nonnull (error);
}

/* Any word at all: an answer or a refusal, never more. */
static void
test_random_damage (void)
{
  g_autofree char *bytes = NULL;
  gsize length;
  FlRandom random = fl_random (2);
  write_file ();
  g_assert_true (g_file_get_contents (path, &bytes, &length, NULL));
  for (guint i = 0; i < 300; i++)
    {
      g_autofree char *copy = g_malloc (length);
      memcpy (copy, bytes, length);
      gsize at = fl_random_u64 (&random) % (i % 2 == 0 ? 12 : length);
      copy[at] = (char) fl_random_u64 (&random);
      g_file_set_contents (path, copy, (gssize) length, NULL);
      g_autoptr (GError) error = NULL;
      g_autoptr (FlEmc) emc = fl_emc_open (path, &error);
      g_auto (FlEmcFrames) frames = { 0 };
      gboolean read = emc != NULL && fl_emc_read (emc, 0, fl_emc_n_frames (emc), &frames, &error);
      g_assert_true (read == (error == NULL));
    }
}

static void
test_abandoned (void)
{
  g_autofree char *partial = g_strconcat (path, ".inprogress", NULL);
  g_autoptr (GError) error = NULL;
  g_unlink (path);
  fl_emc_writer_abandon (fl_emc_writer_new (path, 3, 3, &error));
  g_assert_no_error (error);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS) || g_file_test (partial, G_FILE_TEST_EXISTS));
  g_assert_null (fl_emc_writer_new ("/nowhere/x.emc", 3, 3, &error));
  g_assert_nonnull (error);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  folder = g_dir_make_tmp ("fl-emc-XXXXXX", NULL);
  path = g_build_filename (folder, "photons.emc", NULL);
  g_test_add_func ("/shots/emc/round-trip", test_round_trip);
  g_test_add_func ("/shots/emc/dense", test_dense);
  g_test_add_func ("/shots/emc/hostile", test_hostile);
  g_test_add_func ("/shots/emc/random-damage", test_random_damage);
  g_test_add_func ("/shots/emc/abandoned", test_abandoned);
  int status = g_test_run ();
  g_unlink (path);
  g_rmdir (folder);
  g_free (path);
  g_free (folder);
  return status;
}
