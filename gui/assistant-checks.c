#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/assistant-checks.h"

#include <glib/gi18n.h>

#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "engine/base/units.h"
#include "engine/control/finder.h"
#include "engine/store/mirror.h"
#include "engine/store/store.h"
#include "gui/conductor.h"
#include "gui/text.h"
#include "widgets/readout.h"

#define LITTLE_SPACE (10ull << 30) /* bytes: a night of results does not fit */
#define INSPECT_S    60
#define ENGINE_S     60

char *
flg_typed_path (const char *text)
{
  if (g_str_has_prefix (text, "file://"))
    {
      char *path = g_filename_from_uri (text, NULL, NULL);
      if (path)
        return path;
    }
  if (text[0] == '~' && (text[1] == '/' || text[1] == '\0'))
    return g_build_filename (g_get_home_dir (), text + 1, NULL);
  return *text == '/' ? g_canonicalize_filename (text, "/") : g_strdup (text);
}

const char *
flg_name_complaint (const char *name)
{
  if (!*name)
    return _ ("a beamtime needs a name");
  if (g_utf8_strlen (name, -1) > 100)
    return _ ("the name is too long, expected at most 100 characters");
  for (const char *at = name; *at; at = g_utf8_next_char (at))
    if (g_unichar_iscntrl (g_utf8_get_char (at)))
      return _ ("the name holds characters that cannot be shown");
  return NULL;
}

char *
flg_folder_name (const char *name)
{
  GString *text = g_string_new (NULL);
  for (const char *at = name; *at; at = g_utf8_next_char (at))
    {
      gunichar c = g_unichar_tolower (g_utf8_get_char (at));
      if (g_unichar_isalnum (c) || c == '-' || c == '_' || c == '.')
        g_string_append_unichar (text, c);
      else if (text->len && text->str[text->len - 1] != '-')
        g_string_append_c (text, '-');
    }
  while (text->len && (text->str[text->len - 1] == '-' || text->str[text->len - 1] == '.'))
    g_string_truncate (text, text->len - 1);
  if (*text->str == '.')
    *text->str = '_';
  return g_string_free (text, FALSE);
}

static gboolean
holds (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  return access (path, F_OK) == 0;
}

gboolean
flg_folder_is_experiment (const char *folder)
{
  return holds (folder, FL_STORE_FILE) || holds (folder, FL_DATABASE_FILE) || holds (folder, FL_MIRROR_FILE)
         || holds (folder, "archive.ini");
}

/* --- a folder for the experiment --- */

/* The folder itself, or the nearest above it that there is. */
static char *
nearest_folder (const char *folder)
{
  char *path = g_strdup (folder);
  while (access (path, F_OK) != 0 && errno == ENOENT && strcmp (path, "/") != 0)
    {
      char *above = g_path_get_dirname (path);
      g_free (path);
      path = above;
    }
  return path;
}

static const char *
network_disk (const char *path)
{
  static const struct
  {
    guint32 magic;
    const char *name;
  } known[] = { { 0x6969, "NFS" },        { 0xff534d42, "CIFS" }, { 0x517b, "SMB" },
                { 0x0bd00bd0, "Lustre" }, { 0x47504653, "GPFS" }, { 0x19830326, "BeeGFS" } };
  struct statfs about;
  if (statfs (path, &about) != 0)
    return NULL;
  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    if ((guint32) about.f_type == known[i].magic)
      return known[i].name;
  return NULL;
}

static guint
count_entries (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  guint n = 0;
  while (dir && g_dir_read_name (dir))
    n++;
  return n;
}

/* What there is to say of a folder that may be written to. */
static FlgProof *
prove_room (const char *folder, const char *nearest)
{
  struct statvfs about = { 0 };
  statvfs (nearest, &about);
  guint64 space = (guint64) about.f_bavail * about.f_frsize;
  g_autofree char *size = g_format_size (space);
  gboolean there = strcmp (folder, nearest) == 0;
  guint others = there ? count_entries (folder) : 0;
  const char *network = network_disk (nearest);
  g_autofree char *begin = !there   ? g_strdup (_ ("will be made"))
                           : others ? g_strdup_printf (ngettext ("holds %u other thing, which stays",
                                                                 "holds %u other things, which stay", others),
                                                       others)
                                    : g_strdup (_ ("empty"));
  if (about.f_blocks == 0)
    return flg_proof_new (FLG_VERDICT_BAD, _ ("%s is no disk that files can be kept on"), nearest);
  if (space < LITTLE_SPACE)
    return flg_proof_new (FLG_VERDICT_WARNING, _ ("%s; only %s free: results of a beamtime need more"), begin,
                          size);
  if (network)
    return flg_proof_new (
        FLG_VERDICT_WARNING,
        _ ("%s; %s free, on a network disk (%s): keep the records in a database if several machines write"),
        begin, size, network);
  return flg_proof_new (FLG_VERDICT_GOOD, _ ("%s; %s free"), begin, size);
}

FlgProof *
flg_prove_new_folder (gpointer strings, GCancellable *cancellable)
{
  g_autofree char *folder = flg_typed_path (((GStrv) strings)[0]);
  if (!*folder)
    return flg_proof_new (FLG_VERDICT_BAD, _ ("a beamtime needs a folder"));
  if (*folder != '/')
    return flg_proof_new (FLG_VERDICT_BAD, _ ("expected a whole path, such as /data/lysozyme"));
  g_autofree char *nearest = nearest_folder (folder);
  gboolean there = strcmp (folder, nearest) == 0;
  if (!g_file_test (nearest, G_FILE_TEST_IS_DIR))
    return there ? flg_proof_new (FLG_VERDICT_BAD, _ ("is a file, expected a folder"))
                 : flg_proof_new (FLG_VERDICT_BAD, _ ("%s is no folder"), nearest);
  if (there && flg_folder_is_experiment (folder))
    return flg_proof_new (FLG_VERDICT_BAD,
                          _ ("holds an experiment already: open it, or take another folder"));
  if (access (nearest, W_OK | X_OK) != 0)
    return flg_proof_new (FLG_VERDICT_BAD, _ ("you may not write into %s: %s"), nearest, g_strerror (errno));
  return prove_room (folder, nearest);
}

/* --- where runs arrive --- */

typedef struct
{
  guint runs, files;
  const FlFound *newest; /* run */
  guint64 moved;         /* ns UTC */
} Survey;

static guint
count_files (const FlWatch *watch, const FlFound *run, guint64 *moved)
{
  guint n = 0;
  for (guint i = 0; i < run->files->len; i++)
    {
      const FlFound *file = run->files->pdata[i];
      if (file->folder || !fl_finder_is_data (watch, file->name))
        continue;
      *moved = MAX (*moved, file->modified);
      n++;
    }
  return n;
}

static Survey
survey (GPtrArray *entries, const FlWatch *watch)
{
  Survey s = { 0 };
  for (guint i = 0; i < entries->len; i++)
    {
      const FlFound *entry = entries->pdata[i];
      gboolean folders = strcmp (watch->kind, "folders") == 0;
      guint64 moved = folders ? 0 : entry->modified;
      guint files = entry->folder != folders ? 0
                    : !folders               ? (guint) fl_finder_is_data (watch, entry->name)
                    : entry->files           ? count_files (watch, entry, &moved)
                                             : 0;
      if (files == 0)
        continue;
      s.runs++;
      s.files += files;
      if (!s.newest || moved > s.moved
          || (moved == s.moved && fl_run_name_compare (entry->name, s.newest->name) > 0))
        {
          s.newest = entry;
          s.moved = moved;
        }
    }
  return s;
}

/* The first by name of the newest run's files. */
static char *
first_file (const char *folder, const FlWatch *watch, const FlFound *run)
{
  const char *first = NULL;
  for (guint i = 0; run->files && i < run->files->len; i++)
    {
      const FlFound *file = run->files->pdata[i];
      if (!file->folder && fl_finder_is_data (watch, file->name)
          && (!first || fl_run_name_compare (file->name, first) < 0))
        first = file->name;
    }
  return g_build_filename (folder, run->name, first, NULL);
}

/* The only one there, NULL else: it is proposed. */
static char *
only_geometry (const char *folder, GPtrArray *entries)
{
  const FlFound *only = NULL;
  for (guint i = 0; i < entries->len; i++)
    {
      const FlFound *entry = entries->pdata[i];
      if (entry->folder || !g_str_has_suffix (entry->name, ".geom"))
        continue;
      if (only)
        return NULL;
      only = entry;
    }
  return only ? g_build_filename (folder, only->name, NULL) : NULL;
}

static FlgProof *
tell_survey (const char *folder, const FlWatch *watch, const Survey *s, FlHost *host)
{
  if (s->runs > 0)
    {
      guint64 now = fl_now_ns ();
      g_autofree char *age = flw_format_age (now > s->moved ? (double) (now - s->moved) / 1e9 : 0);
      g_autofree char *runs = g_strdup_printf (ngettext ("%u run", "%u runs", s->runs), s->runs);
      g_autofree char *files = g_strdup_printf (ngettext ("%u file", "%u files", s->files), s->files);
      return flg_proof_new (FLG_VERDICT_GOOD, _ ("%s, %s; newest %s, %s ago"), runs, files, s->newest->name,
                            age);
    }
  gboolean folders = strcmp (watch->kind, "folders") == 0;
  FlWatch other = *watch;
  other.kind = (char *) (folders ? "files" : "folders");
  g_autoptr (GPtrArray) entries = fl_finder_look (host, folder, &other, NULL, NULL);
  Survey s2 = entries ? survey (entries, &other) : (Survey){ 0 };
  if (s2.runs > 0)
    return folders ? flg_proof_new (FLG_VERDICT_WARNING,
                                    _ ("no run's folder, but %u data files: is a run a file here?"), s2.files)
                   : flg_proof_new (FLG_VERDICT_WARNING,
                                    _ ("no data file, but %u folders with some: is a run a folder here?"),
                                    s2.runs);
  if (*watch->pattern)
    return flg_proof_new (FLG_VERDICT_WARNING, _ ("nothing called “%s” yet"), watch->pattern);
  return flg_proof_new (FLG_VERDICT_GOOD, _ ("no run yet; watched for %s"), FL_FINDER_FILES);
}

FlgProof *
flg_prove_watch (gpointer strings, GCancellable *cancellable)
{
  char **s = strings;
  g_autofree char *folder = flg_typed_path (s[0]);
  FlWatch watch = { .name = (char *) "", .kind = s[1], .pattern = s[2], .files = (char *) "" };
  g_autoptr (GError) error = NULL;
  g_autoptr (FlHost) host = fl_host_new_local ();
  if (!*folder)
    return flg_proof_new (FLG_VERDICT_WARNING, _ ("no folder is watched: runs will not appear"));
  if (*folder != '/')
    return flg_proof_new (FLG_VERDICT_BAD, _ ("expected a whole path, such as /data/raw"));
  if (access (folder, F_OK) != 0 && errno == ENOENT)
    return *s[3] ? flg_proof_new (FLG_VERDICT_GOOD, _ ("will be made; runs that are written there appear"))
                 : flg_proof_new (FLG_VERDICT_BAD, _ ("does not exist"));
  if (!g_file_test (folder, G_FILE_TEST_IS_DIR))
    return flg_proof_new (FLG_VERDICT_BAD, _ ("is no folder that can be entered"));
  g_autoptr (GPtrArray) entries = fl_finder_look (host, folder, &watch, NULL, &error);
  if (!entries)
    return flg_proof_new (FLG_VERDICT_BAD, "%s", error->message);
  Survey found = survey (entries, &watch);
  FlgProof *proof = tell_survey (folder, &watch, &found, host);
  proof->found = g_object_new (G_TYPE_OBJECT, NULL);
  g_object_set_data_full (proof->found, "image",
                          found.newest ? first_file (folder, &watch, found.newest) : NULL, g_free);
  g_object_set_data_full (proof->found, "geometry", only_geometry (folder, entries), g_free);
  return proof;
}

/* --- programs --- */

/* "inspect: FILE: what is wrong" -> "what is wrong". */
static char *
last_complaint (const char *text, const char *file)
{
  g_autofree char *copy = g_strchomp (g_utf8_make_valid (text, -1));
  const char *line = strrchr (copy, '\n');
  line = line ? line + 1 : copy;
  if (g_str_has_prefix (line, "inspect: "))
    line += strlen ("inspect: ");
  gsize length = file ? strlen (file) : 0;
  if (length && strncmp (line, file, length) == 0 && g_str_has_prefix (line + length, ": "))
    line += length + 2;
  return g_strdup (line);
}

static char *
output_text (GBytes *bytes)
{
  gsize length;
  const char *data = g_bytes_get_data (bytes, &length);
  return g_utf8_make_valid (data ? data : "", (gssize) length);
}

static char *
run_about (const char *const *argv, const char *file, guint seconds, GCancellable *cancellable,
           char **complaint)
{
  g_autoptr (FlHost) host = fl_host_new_local ();
  g_autoptr (GError) error = NULL;
  g_auto (FlHostOutput) output = { 0 };
  if (!fl_host_run (host, argv, NULL, seconds, cancellable, &output, &error))
    {
      *complaint = g_strdup (error->message);
      return NULL;
    }
  if (output.status == 0)
    return output_text (output.out);
  g_autofree char *err = output_text (output.err);
  g_autofree char *line = last_complaint (err, file);
  *complaint = *line ? g_steal_pointer (&line)
                     : g_strdup_printf (_ ("%s has ended with status %d"), argv[0], output.status);
  return NULL;
}

char *
flg_run_once (const char *const *argv, guint seconds, GCancellable *cancellable, char **complaint)
{
  return run_about (argv, NULL, seconds, cancellable, complaint);
}

/* --- detector files --- */

/* "format: CrystFEL geometry" … of what inspect prints, the lines that begin with these words. */
static char *
pick_lines (const char *text, const char *const *words)
{
  g_autoptr (GString) picked = g_string_new (NULL);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (guint w = 0; words[w]; w++)
    for (guint i = 0; lines[i]; i++)
      {
        const char *colon = strstr (lines[i], ": ");
        if (!colon || strncmp (lines[i], words[w], strlen (words[w])) != 0
            || lines[i][strlen (words[w])] != ':')
          continue;
        g_string_append_printf (picked, "%s%s", picked->len ? "; " : "",
                                g_str_equal (words[w], "format") ? colon + 2 : lines[i]);
        break;
      }
  return g_string_free (g_steal_pointer (&picked), FALSE);
}

static FlgProof *
inspect (const char *file, const char *geometry, const char *mask, const char *const *words,
         GCancellable *cancellable)
{
  g_autofree char *program = flg_control_program ();
  const char *argv[8] = { program, "inspect" };
  guint n = 2;
  if (*geometry)
    {
      argv[n++] = "--geometry";
      argv[n++] = geometry;
    }
  if (*mask)
    {
      argv[n++] = "--mask";
      argv[n++] = mask;
    }
  argv[n] = file;
  g_autofree char *complaint = NULL;
  g_autofree char *text = run_about (argv, file, INSPECT_S, cancellable, &complaint);
  if (!text)
    return flg_proof_new (FLG_VERDICT_BAD, "%s", complaint);
  g_autofree char *picked = pick_lines (text, words);
  return flg_proof_new (FLG_VERDICT_GOOD, "%s", picked);
}

static FlgProof *
prove_readable (const char *path)
{
  if (*path != '/')
    return flg_proof_new (FLG_VERDICT_BAD, _ ("expected a whole path, such as /data/detector.geom"));
  if (access (path, R_OK) != 0)
    return errno == ENOENT ? flg_proof_new (FLG_VERDICT_BAD, _ ("does not exist"))
                           : flg_proof_new (FLG_VERDICT_BAD, _ ("cannot be read: %s"), g_strerror (errno));
  return g_file_test (path, G_FILE_TEST_IS_DIR)
             ? flg_proof_new (FLG_VERDICT_BAD, _ ("is a folder, expected a file"))
             : NULL;
}

FlgProof *
flg_prove_geometry (gpointer strings, GCancellable *cancellable)
{
  static const char *const words[] = { "format", "panels", "pixel size", "distance", "wavelength", NULL };
  g_autofree char *path = flg_typed_path (((GStrv) strings)[0]);
  if (!*path)
    return flg_proof_new (FLG_VERDICT_NONE,
                          _ ("left empty: the data files tell where their pixels are (NXmx, CBF)"));
  FlgProof *unreadable = prove_readable (path);
  return unreadable ? unreadable : inspect (path, "", "", words, cancellable);
}

FlgProof *
flg_prove_mask (gpointer strings, GCancellable *cancellable)
{
  static const char *const words[] = { "format", "frames", "panels", NULL };
  g_autofree char *typed = flg_typed_path (((GStrv) strings)[0]);
  if (!*typed)
    return flg_proof_new (FLG_VERDICT_NONE, _ ("left empty: no further bad pixels"));
  char *dataset = strstr (typed, ":/");
  if (dataset)
    *dataset = '\0';
  FlgProof *unreadable = prove_readable (typed);
  return unreadable ? unreadable : inspect (typed, "", "", words, cancellable);
}

FlgProof *
flg_prove_image (gpointer strings, GCancellable *cancellable)
{
  static const char *const words[] = { "format", "frames", "panels", "distance", "wavelength", NULL };
  char **s = strings;
  if (!*s[0])
    return flg_proof_new (FLG_VERDICT_NONE, _ ("no run yet: its images are tried when there is one"));
  g_autofree char *geometry = flg_typed_path (s[1]), *mask = flg_typed_path (s[2]);
  g_autofree char *name = g_path_get_basename (s[0]);
  FlgProof *proof = inspect (s[0], geometry, mask, words, cancellable);
  char *text = g_strdup_printf ("%s: %s", name, proof->text);
  g_free (proof->text);
  proof->text = text;
  if (proof->verdict == FLG_VERDICT_BAD)
    proof->verdict = FLG_VERDICT_WARNING; /* it may be the run */
  else if (strstr (text, "distance:") == NULL)
    {
      proof->verdict = FLG_VERDICT_WARNING;
      proof->text =
          g_strdup_printf (_ ("%s; the file does not tell where its pixels are: give a geometry"), text);
      g_free (text);
    }
  return proof;
}

/* --- the engine --- */

/* As the conductor finds it: beside firstlight-control, else in the PATH. */
static char *
engine_path (const char *typed)
{
  if (*typed)
    return flg_typed_path (typed);
  g_autofree char *control = flg_control_program ();
  g_autofree char *folder = g_path_get_dirname (control);
  g_autofree char *beside = g_build_filename (folder, "firstlight-engine", NULL);
  return access (beside, X_OK) == 0 ? g_steal_pointer (&beside) : g_strdup ("firstlight-engine");
}

FlgProof *
flg_prove_engine (gpointer strings, GCancellable *cancellable)
{
  char **s = strings;
  g_autofree char *engine = engine_path (s[0]), *complaint = NULL;
  const char *alone[] = { engine, "hello", NULL };
  g_autofree char *said = flg_run_once (alone, ENGINE_S, cancellable, &complaint);
  if (!said)
    return flg_proof_new (FLG_VERDICT_BAD, "%s", complaint);
  g_auto (GStrv) lines = g_strsplit (said, "\n", 3);
  const char *device = lines[0] ? strstr (lines[0], ": ") : NULL;
  if (!device || !strstr (said, "1 ranks on 1 nodes"))
    return flg_proof_new (FLG_VERDICT_BAD, _ ("%s is not firstlight-engine"), engine);
  if (g_ascii_strtoll (s[1], NULL, 10) < 2)
    return flg_proof_new (FLG_VERDICT_GOOD, _ ("started: %s"), device + 2);
  const char *together[] = { "mpirun", "-n", "2", engine, "hello", NULL };
  g_autofree char *both = flg_run_once (together, ENGINE_S, cancellable, &complaint);
  if (!both || !strstr (both, "2 ranks"))
    return flg_proof_new (FLG_VERDICT_WARNING,
                          _ ("started alone, but not with mpirun -n 2 (%s): give jobs 1 core, or mend MPI"),
                          complaint ? complaint : _ ("its ranks do not find each other"));
  return flg_proof_new (FLG_VERDICT_GOOD, _ ("started, alone and on 2 ranks: %s"), device + 2);
}
