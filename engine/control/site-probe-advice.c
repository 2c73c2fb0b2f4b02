#include "engine/control/site-probe-advice.h"

#include <string.h>

#include "engine/remote/harmless.h"

#define TIMEOUT 30

/* First words of the lines that a command prints, each once: "mfx, lcls". */
static char *
list_names (FlHost *host, const char *const *argv)
{
  g_auto (FlHostOutput) output = { 0 };
  g_autoptr (GString) names = g_string_new (NULL);
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  if (!fl_host_run (host, argv, NULL, TIMEOUT, NULL, &output, NULL) || output.status != 0)
    return g_strdup ("");
  gsize length;
  const char *data = g_bytes_get_data (output.out, &length);
  g_autofree char *text = g_strndup (data != NULL ? data : "", MIN (length, 65536));
  g_auto (GStrv) words = g_strsplit_set (text, "\n,|", -1);
  for (guint i = 0; words[i] != NULL && g_hash_table_size (seen) < 12; i++)
    {
      g_autofree char *word = fl_harmless (g_strstrip (words[i]), -1, 60);
      if (*word == '\0' || strstr (word, "(null)") != NULL || !g_hash_table_add (seen, g_strdup (word)))
        continue;
      g_string_append_printf (names, "%s%s", names->len > 0 ? ", " : "", word);
    }
  return g_strdup (names->str);
}

static char *
with_names (FlHost *host, const char *advice, const char *command)
{
  const char *const argv[] = { "sh", "-c", command, NULL };
  g_autofree char *names = list_names (host, argv);
  return *names != '\0' ? g_strdup_printf ("%s There are: %s.", advice, names)
                        : g_strdup_printf ("%s This lists them: %s", advice, command);
}

char *
fl_probe_account_advice (FlHost *host, const FlSite *site, const char *said)
{
  static const struct
  {
    const char *word, *advice, *command;
  } cases[] = {
    { "partition", "Choose a partition that you may use.", "sinfo -h -o %R" },
    { "account", "Set the account that your group has.",
      "sacctmgr -n -P show assoc user=$(id -un) format=account" },
    { "qos", "Choose a quality of service that your account has.",
      "sacctmgr -n -P show assoc user=$(id -un) format=qos" },
    { "reservation", "The reservation is over, not yet there, or not for you.",
      "scontrol -o show reservation | sed -n 's/^ReservationName=\\([^ ]*\\).*/\\1/p'" },
    { "feature", "No node has this constraint.", "sinfo -h -o %f" },
    { "gpus", "No node of this partition has so many GPUs: ranks a node times GPUs a rank.",
      "sinfo -h -o '%R %G'" },
    { "gres", "No node of this partition has so many GPUs: ranks a node times GPUs a rank.",
      "sinfo -h -o '%R %G'" },
    { "time limit", "Ask for fewer minutes, or another partition.", "sinfo -h -o '%R %l'" },
    { "node count", "Ask for fewer nodes.", "sinfo -h -o '%R %D'" },
    { "node configuration",
      "No node of this partition has so many cores or GPUs: ask for fewer ranks a node.",
      "sinfo -h -o '%R %c'" },
    { "processors", "No node of this partition has so many cores: ask for fewer ranks a node.",
      "sinfo -h -o '%R %c'" },
  };
  g_autofree char *lower = g_ascii_strdown (said, -1);
  /* "Invalid account or account/partition combination": of an account, unless none was asked for. */
  gboolean of_account = strstr (lower, "invalid account") != NULL;
  for (guint i = of_account ? 1 : 0; i < G_N_ELEMENTS (cases); i++)
    if (strstr (lower, cases[i].word) != NULL)
      return with_names (host, cases[i].advice, cases[i].command);
  return g_strdup_printf ("Try by hand what Slurm says to: sbatch --test-only%s%s --wrap true",
                          *site->partition != '\0' ? " -p " : "", site->partition);
}

const char *
fl_probe_scratch_advice (const char *said)
{
  if (strstr (said, "ermission denied") != NULL || strstr (said, "refused") != NULL)
    return "You may not write there: choose a folder of your own on the parallel file system.";
  if (strstr (said, "No space") != NULL || strstr (said, "uota") != NULL)
    return "There is no room, or your quota is used up: delete what is no longer needed, or choose another "
           "folder.";
  if (strstr (said, "Read-only") != NULL)
    return "It is read-only on this machine: choose another folder, or a login node where it can be written.";
  return "Choose a folder of your own on the parallel file system, by its absolute path.";
}

const char *
fl_probe_engine_advice (const char *said, gboolean pushed)
{
  if (strstr (said, "shared librar") != NULL || strstr (said, "GLIBC") != NULL)
    return "A library that the engine was built with is missing there: load it with a module in the "
           "environment lines, run it in a "
           "container, or build Firstlight there and give the engine's path.";
  if (strstr (said, "xec format") != NULL)
    return "That machine has another kind of processor: build Firstlight there and give the engine's path.";
  if (strstr (said, "ermission denied") != NULL)
    return "It may not be run: is the scratch mounted noexec? Put the engine into your home there and give "
           "its path.";
  return pushed ? "It was put there and does not run: run it by hand there to see more."
                : "Have it put there by the check, or build Firstlight there and give the engine's path.";
}

const char *
fl_probe_wait_advice (gboolean in_queue)
{
  return in_queue ? "Nothing is wrong but the queue is long: check again later, or choose a reservation, a "
                    "quality of service or a "
                    "partition that starts sooner."
                  : "The ranks hang at their start: another way of starting MPI may be needed. Try the "
                    "launcher 'srun --mpi=pmi2', "
                    "'srun --mpi=pmix' or 'mpirun -n {ranks}'.";
}

const char *
fl_probe_mpi_advice (gboolean unseen, gboolean alone, const char *errors)
{
  if (unseen)
    return "The nodes have another file system there: choose a folder that login and compute nodes share.";
  if (alone)
    return "Launcher and engine do not speak the same language: the engine needs its own MPI's. Try the "
           "launcher 'srun --mpi=pmi2' "
           "(MPICH), 'srun --mpi=pmix' (Open MPI) or 'mpirun -n {ranks}'; srun --mpi=list tells what there "
           "is.";
  if (strstr (errors, "shared librar") != NULL)
    return "The nodes lack a library that the login node has: load it with a module in the environment "
           "lines, or use a container.";
  if (strstr (errors, "not found") != NULL || strstr (errors, "No such file") != NULL)
    return "The nodes do not find the launcher, the container or the engine: are they on a file system that "
           "nodes see, and are the "
           "environment lines complete?";
  return "Run the same by hand there to see more: the launcher, then the engine's 'hello'.";
}
