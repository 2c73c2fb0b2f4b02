/* firstlight-control archive: closes a beamtime into one folder or tar file (engine/control/archive-folder.h), checks one, and
 * unpacks one.
 *
 *     firstlight-control archive EXPERIMENT --to FOLDER|FILE.tar
 *     firstlight-control archive --verify FOLDER|FILE.tar
 *     firstlight-control archive --unpack FILE.tar --to FOLDER
 *
 * Exit status: 0 whole; 2 something is missing or wrong, each named in a line. */

#include <gio/gio.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/control/archive-folder.h"
#include "engine/programs/program.h"
#include "engine/programs/programs.h"

#define PROGRAM "firstlight-control archive"
#define TELL_NS (2 * FL_NS_PER_S)

typedef struct
{
  char *to, *verify, *unpack, *results, *raw;
  gboolean journals, live, partial, quiet;
} Options;

typedef struct
{
  guint64 begun, told; /* ns */
  gint64 done;
  gboolean quiet;
} Progress;

/* Rows come as negative counts. */
static void
on_progress (const char *what, gint64 done, gint64 all, gpointer data)
{
  Progress *progress = data;
  guint64 now = fl_now_ns ();
  progress->done = MAX (done, 0);
  if (progress->quiet || now - progress->told < TELL_NS)
    return;
  progress->told = now;
  if (done < 0)
    fprintf (stderr, "%s: %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT "\n", what, -done, all);
  else
    {
      g_autofree char *have = g_format_size ((guint64) done), *of = g_format_size ((guint64) all);
      double rate = (double) done / ((double) (now - progress->begun) / 1e3);
      fprintf (stderr, "%s %s of %s, %.0f MB/s\n", what, have, of, rate);
    }
}

static Progress
begin (const Options *options)
{
  guint64 now = fl_now_ns ();
  return (Progress){ .begun = now, .told = now, .quiet = options->quiet };
}

static void
print_lines (FILE *out, const char *title, char **lines)
{
  for (char **line = lines; *line != NULL; line++)
    fprintf (out, "%s: %s\n", title, *line);
}

/* What is in it, with its figures. */
static void
report (const char *folder, gboolean tar, guint64 begun)
{
  g_autoptr (FlArchive) about = tar ? NULL : fl_archive_read (folder, NULL);
  double seconds = (double) (fl_now_ns () - begun) / 1e9;
  if (about == NULL)
    {
      printf ("%s (%.1f s)\n", folder, seconds);
      return;
    }
  g_autofree char *size = g_format_size ((guint64) about->bytes);
  print_lines (stdout, "not in it", about->referenced);
  if (about->running > 0)
    printf ("not ended when it was made: %" G_GINT64_FORMAT " attempts\n", about->running);
  printf ("%s: %" G_GINT64_FORMAT " runs, %" G_GINT64_FORMAT " shots, %" G_GINT64_FORMAT
          " jobs, %" G_GINT64_FORMAT " datasets; %" G_GINT64_FORMAT " files, %s in %.1f s (%.0f MB/s)\n",
          folder, about->runs, about->shots, about->jobs, about->datasets, about->files, size, seconds,
          (double) about->bytes / 1e6 / seconds);
}

static int
make (const Options *options, const char *experiment)
{
  FlArchiveWish wish = { .experiment = experiment,
                         .to = options->to,
                         .raw = g_strcmp0 (options->raw, "copy") == 0,
                         .no_results = g_strcmp0 (options->results, "reference") == 0,
                         .journals = options->journals,
                         .live = options->live,
                         .partial = options->partial };
  Progress progress = begin (options);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) missing = g_ptr_array_new_with_free_func (g_free);
  gboolean ok = fl_archive_make (&wish, missing, on_progress, &progress, &error);
  for (guint i = 0; i < missing->len; i++)
    fprintf (stderr, "%s: %s\n", PROGRAM, (char *) missing->pdata[i]);
  if (!ok)
    return fl_program_fail (PROGRAM, error);
  report (options->to, g_str_has_suffix (options->to, ".tar"), progress.begun);
  if (missing->len > 0)
    fprintf (stderr, "%s: %s: %u files are missing in it\n", PROGRAM, options->to, missing->len);
  return missing->len > 0 ? 2 : 0;
}

static int
verify (const Options *options)
{
  Progress progress = begin (options);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) faults = g_ptr_array_new_with_free_func (g_free);
  if (!fl_archive_verify (options->verify, faults, on_progress, &progress, &error))
    return fl_program_fail (PROGRAM, error);
  for (guint i = 0; i < faults->len; i++)
    printf ("%s\n", (char *) faults->pdata[i]);
  if (faults->len > 0)
    {
      fprintf (stderr, "%s: %s: %u files are not as its manifest says\n", PROGRAM, options->verify,
               faults->len);
      return 2;
    }
  printf ("%s: whole (%.1f s)\n", options->verify, (double) (fl_now_ns () - progress.begun) / 1e9);
  return 0;
}

static int
unpack (const Options *options)
{
  Progress progress = begin (options);
  g_autoptr (GError) error = NULL;
  if (!fl_archive_unpack (options->unpack, options->to, on_progress, &progress, &error))
    return fl_program_fail (PROGRAM, error);
  report (options->to, FALSE, progress.begun);
  return 0;
}

static gboolean
is_one_of (const char *option, const char *value, const char *a, const char *b)
{
  if (value == NULL || strcmp (value, a) == 0 || strcmp (value, b) == 0)
    return TRUE;
  fprintf (stderr, "%s: --%s '%s' is wrong, expected %s or %s\n", PROGRAM, option, value, a, b);
  return FALSE;
}

static int
run (const Options *options, int argc, char **argv)
{
  if (!is_one_of ("results", options->results, "copy", "reference")
      || !is_one_of ("raw", options->raw, "none", "copy"))
    return 2;
  if (options->verify != NULL && options->unpack == NULL && options->to == NULL && argc == 1)
    return verify (options);
  if (options->unpack != NULL && options->verify == NULL && options->to != NULL && argc == 1)
    return unpack (options);
  if (options->unpack == NULL && options->verify == NULL && options->to != NULL && argc == 2)
    return make (options, argv[1]);
  fprintf (stderr,
           "%s: expected EXPERIMENT --to FOLDER, --verify ARCHIVE, or --unpack FILE.tar --to FOLDER\n",
           PROGRAM);
  return 2;
}

int
fl_program_archive (int argc, char **argv)
{
  Options options = { 0 };
  const GOptionEntry entries[] = {
    { "to", 0, 0, G_OPTION_ARG_FILENAME, &options.to, "What is made: a folder, or FILE.tar", "PATH" },
    { "results", 0, 0, G_OPTION_ARG_STRING, &options.results, "Jobs' folders: copy (default) or reference",
      "HOW" },
    { "raw", 0, 0, G_OPTION_ARG_STRING, &options.raw, "Raw images: none (default) or copy", "HOW" },
    { "journals", 0, 0, G_OPTION_ARG_NONE, &options.journals, "Journals that are in the store, too", NULL },
    { "live", 0, 0, G_OPTION_ARG_NONE, &options.live, "The state of now, although the conductor is at work",
      NULL },
    { "partial", 0, 0, G_OPTION_ARG_NONE, &options.partial, "Without files that cannot be read", NULL },
    { "verify", 0, 0, G_OPTION_ARG_FILENAME, &options.verify, "Check every file of an archive", "ARCHIVE" },
    { "unpack", 0, 0, G_OPTION_ARG_FILENAME, &options.unpack, "Unpack FILE.tar, and check it", "FILE.tar" },
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &options.quiet, "No lines of progress", NULL },
    { NULL }
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("[EXPERIMENT]");
  g_autoptr (GError) error = NULL;
  g_option_context_set_summary (
      context, "Closes a beamtime into one folder or tar file that opens anywhere; checks or unpacks one.");
  g_option_context_add_main_entries (context, entries, NULL);
  int status = 2;
  if (g_option_context_parse (context, &argc, &argv, &error))
    status = run (&options, argc, argv);
  else
    fprintf (stderr, "%s: %s\n", PROGRAM, error->message);
  char *texts[] = { options.to, options.verify, options.unpack, options.results, options.raw };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_free (texts[i]);
  return status;
}
