/* test-device.c: opening devices, and what they say when they cannot do something. */
#include <glib/gstdio.h>
#include <string.h>

#include "kernels/colour.h"
#include "kernels/toeplitz.h"
#include "tests/kernels/on-devices.h"

static void
test_open (void)
{
  char message[1024];
  FlkDevice *device = flk_device_open ("auto", 0, 1, message, sizeof message);
  g_test_message ("%s", message);
  g_assert_nonnull (device);
  g_assert_true (g_str_has_prefix (message, flk_device_description (device)));
  g_assert_null (strchr (message, '\n'));
  /* Without a GPU it says why not. */
  if (flk_device_is_host (device))
    g_assert_nonnull (strstr (message, "passed over cuda: "));
  flk_device_close (device);

  device = flk_device_open ("cpu", 5, 3, message, sizeof message);
  g_assert_cmpstr (flk_device_kind (device), ==, "cpu");
  g_assert_true (flk_device_is_host (device));
  g_assert_true (g_str_has_suffix (flk_device_description (device), ", 3 threads"));
  flk_device_close (device);
}

static void
test_unknown (void)
{
  char message[1024], tiny[8];
  g_assert_null (flk_device_open ("abacus", 0, 1, message, sizeof message));
  g_assert_nonnull (strstr (message, "unknown device \"abacus\": expected auto"));
  g_assert_null (flk_device_open ("abacus", 0, 1, tiny, sizeof tiny));
  g_assert_cmpstr (tiny, ==, "unknown");
  g_assert_null (flk_device_open ("abacus", 0, 1, NULL, 0));
}

/* A folder without modules, with a file that is no module, and with a library of something else. */
static void
test_bad_modules (void)
{
  char message[1024];
  g_autofree char *folder = g_dir_make_tmp ("flk-XXXXXX", NULL),
                  *file = g_build_filename (folder, "flk-teams.so", NULL);
  g_autofree char *before = g_strdup (g_getenv ("FIRSTLIGHT_KERNELS"));
  g_setenv ("FIRSTLIGHT_KERNELS", folder, TRUE);
  g_assert_null (flk_device_open ("teams", 0, 1, message, sizeof message));
  g_assert_nonnull (strstr (message, "no module flk-teams.so in "));
  g_assert_null (flk_device_open ("auto", 0, 1, message, sizeof message));
  g_assert_nonnull (strstr (message, "no device \"auto\" (cuda: no module"));

  g_assert_true (g_file_set_contents (file, "this is no module", -1, NULL));
  g_assert_null (flk_device_open ("teams", 0, 1, message, sizeof message));
  g_assert_nonnull (strstr (message, "flk-teams.so"));

  g_unlink (file);
  g_autofree char *libm = NULL;
  static const char *const places[] = { "/lib/x86_64-linux-gnu/libm.so.6", "/lib64/libm.so.6",
                                        "/lib/libm.so.6" };
  for (guint i = 0; i < G_N_ELEMENTS (places) && !libm; i++)
    if (g_file_test (places[i], G_FILE_TEST_EXISTS))
      libm = g_strdup (places[i]);
  if (libm && symlink (libm, file) == 0)
    {
      g_assert_null (flk_device_open ("teams", 0, 1, message, sizeof message));
      g_assert_nonnull (strstr (message, "module of another version"));
      g_unlink (file);
    }
  g_rmdir (folder);
  if (before)
    g_setenv ("FIRSTLIGHT_KERNELS", before, TRUE);
  else
    g_unsetenv ("FIRSTLIGHT_KERNELS");
}

static void
test_memory (FlkDevice *device)
{
  enum
  {
    SIZE = 100003
  };
  g_autofree guint8 *in = g_malloc (SIZE), *out = g_malloc0 (SIZE);
  for (guint i = 0; i < SIZE; i++)
    in[i] = (guint8) (i * 7);
  guint8 *memory = flk_alloc (device, SIZE);
  g_assert_nonnull (memory);
  g_assert_cmpuint ((gsize) memory % 64, ==, 0);
  g_assert_true (flk_upload (device, memory, in, SIZE) && flk_download (device, out, memory, SIZE)
                 && flk_sync (device));
  assert_same (in, SIZE, out, SIZE);
  g_assert_true (flk_zero (device, memory, SIZE - 1) && flk_download (device, out, memory, SIZE)
                 && flk_sync (device));
  g_assert_cmpuint (out[0], ==, 0);
  g_assert_cmpuint (out[SIZE - 2], ==, 0);
  g_assert_cmpuint (out[SIZE - 1], ==, in[SIZE - 1]);
  flk_free (device, memory);
  flk_free (device, NULL);

  FlkBuffer buffer = { 0 };
  gconstpointer staged = flk_stage (device, &buffer, in, SIZE);
  g_assert_true ((staged == in) == flk_device_is_host (device));
  gconstpointer back = flk_fetch (device, out, staged, SIZE);
  assert_same (back, SIZE, in, SIZE);
  gpointer larger = flk_buffer_need (device, &buffer, 2 * SIZE);
  g_assert_true (larger == flk_buffer_need (device, &buffer, SIZE));
  flk_buffer_clear (device, &buffer);
  flk_buffer_clear (device, &buffer);
}

static void
test_use (FlkDevice *device)
{
  enum
  {
    N = 100000
  };
  FlkUse use;
  g_autofree float *host = g_new (float, 2 * N);
  for (guint i = 0; i < 2 * N; i++)
    host[i] = (float) i;
  g_assert_true (flk_device_use (device, &use));
  g_assert_cmpuint (use.launches, ==, 0);
  g_assert_cmpuint (use.used, ==, 0);
  g_assert_cmpuint (use.total, >=, use.left);
  g_assert_cmpuint (use.left, >, 0);
  float *data = flk_alloc (device, 2 * N * sizeof *data), *factor = flk_alloc (device, N * sizeof *factor);
  g_assert_true (flk_upload (device, data, host, 2 * N * sizeof *host)
                 && flk_copy (device, factor, data, N * sizeof *host));
  FlkToeplitzArgs args = { .data = data, .factor = factor, .scale = 1, .n = N };
  for (guint i = 0; i < 100; i++)
    g_assert_true (flk_launch (device, "toeplitz_multiply", (N + 4095) / 4096, 0, &args, sizeof args));
  g_assert_true (flk_device_use (device, &use));
  g_assert_cmpuint (use.launches, ==, 100);
  g_assert_cmpuint (use.n_kernels, ==, 1);
  g_assert_cmpstr (use.kernels[0].name, ==, "toeplitz_multiply");
  g_assert_cmpuint (use.kernels[0].launches, ==, 100);
  g_assert_cmpuint (use.kernels[0].ns, ==, use.ns);
  g_assert_cmpuint (use.ns, >, 0);
  g_assert_cmpuint (use.uploaded, ==, 2 * N * sizeof *host);
  g_assert_cmpuint (use.downloaded, ==, 0);
  g_assert_cmpuint (use.used, ==, 3 * N * sizeof *host);
  g_assert_cmpuint (use.most, ==, use.used);
  flk_free (device, data);
  g_assert_true (flk_download (device, host, factor, N * sizeof *host) && flk_sync (device)
                 && flk_device_use (device, &use));
  g_assert_cmpfloat (host[N - 1], ==, N - 1);
  g_assert_cmpuint (use.launches + use.n_kernels + use.ns, ==, 0);
  g_assert_cmpuint (use.downloaded, ==, N * sizeof *host);
  g_assert_cmpuint (use.used, ==, N * sizeof *host);
  g_assert_cmpuint (use.most, ==, 3 * N * sizeof *host);
  flk_free (device, factor);
  gpointer locked = flk_host_alloc (device, N);
  g_assert_nonnull (locked);
  flk_host_free (device, locked);
}

/* Ranks on one device have parts of its memory; what is beyond one's own is refused before the device is asked. */
static void
test_share (void)
{
  FlkDevice *device = flk_device_open ("teams", 1, 1, NULL, 0);
  FlkUse use;
  g_assert_true (flk_device_use (device, &use));
  flk_device_share (device, 1, 1000);
  gpointer mine = flk_alloc (device, use.left / 4000);
  g_assert_nonnull (mine);
  g_assert_false (flk_device_is_full (device));
  g_assert_null (flk_alloc (device, use.left / 500));
  g_assert_nonnull (strstr (flk_error (device), "this rank's part of its memory is "));
  gpointer more = flk_alloc (device, 10);
  g_assert_nonnull (more);
  g_assert_true (flk_device_is_full (device)); /* that was no error */
  g_assert_false (flk_launch (device, "alchemy", 1, 0, NULL, 0));
  g_assert_false (flk_device_is_full (device));
  flk_free (device, more);
  flk_free (device, mine);
  flk_device_close (device);
}

/* Errors are texts that name the device and the thing. Opened here: the shared harness demands no error. */
static void
test_errors (void)
{
  FlkDevice *device = flk_device_open ("teams", 0, 1, NULL, 0);
  FlkColourArgs args = { 0 };
  g_assert_nonnull (device);
  g_assert_cmpstr (flk_error (device), ==, "");
  g_assert_false (flk_launch (device, "alchemy", 1, 0, &args, sizeof args));
  g_assert_nonnull (strstr (flk_error (device), "kernel alchemy: the module has none of that name"));
  g_assert_false (flk_launch (device, "colour", 1, 0, &args, sizeof args - 4));
  g_assert_nonnull (strstr (flk_error (device), "arguments of another size"));
  g_assert_false (flk_launch (device, "colour", 1, 100000, &args, sizeof args));
  g_assert_nonnull (strstr (flk_error (device), "team size larger"));
  g_assert_true (flk_launch (device, "colour", 0, 0, &args, sizeof args)); /* nothing to do */
  g_assert_null (flk_alloc (device, G_MAXSIZE - 10));
  g_assert_nonnull (strstr (flk_error (device), "cannot allocate"));
  flk_device_close (device);
  flk_device_close (NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/device/open", test_open);
  g_test_add_func ("/device/unknown", test_unknown);
  g_test_add_func ("/device/bad-modules", test_bad_modules);
  g_test_add_func ("/device/errors", test_errors);
  g_test_add_func ("/device/share", test_share);
  on_devices ("/device/memory", test_memory);
  on_devices ("/device/use", test_use);
  return g_test_run ();
}
