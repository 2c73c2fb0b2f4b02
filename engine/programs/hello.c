/* hello: which ranks there are, on which nodes, and what each computes with: what a new site is tried with. */
#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/parallel/parallel.h"
#include "engine/programs/programs.h"
#include "kernels/device.h"

/* Emulated nodes share one host's name. */
static const char *
node_name (void)
{
  const char *node = g_getenv ("SLURMD_NODENAME");
  return node != NULL && *node != '\0' ? node : g_get_host_name ();
}

/* "NODE\tDEVICE\tMISSING". */
static char *
describe (const FlParallel *parallel, const char *file)
{
  char why[256] = "";
  FlkDevice *device = flk_device_open ("auto", fl_parallel_node_rank (parallel), 1, why, sizeof why);
  gboolean is_missing = file != NULL && !g_file_test (file, G_FILE_TEST_EXISTS);
  char *text =
      g_strdup_printf ("%s\t%s\t%s", node_name (), device != NULL ? flk_device_description (device) : why,
                       is_missing ? file : "");
  if (device != NULL)
    flk_device_close (device);
  return text;
}

static guint
print_ranks (GPtrArray *texts, guint *n_nodes)
{
  guint missing = 0;
  g_autoptr (GHashTable) nodes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < texts->len; i++)
    {
      gsize length;
      const char *data = g_bytes_get_data (texts->pdata[i], &length);
      g_autofree char *text = g_strndup (data, length);
      g_auto (GStrv) fields = g_strsplit (text, "\t", 3);
      printf ("rank %u on %s: %s%s%s\n", i, fields[0], fields[1], *fields[2] != '\0' ? "; does not see " : "",
              fields[2]);
      missing += *fields[2] != '\0';
      g_hash_table_add (nodes, g_strdup (fields[0]));
    }
  *n_nodes = g_hash_table_size (nodes);
  return missing;
}

int
fl_program_hello (int argc, char **argv)
{
  g_autoptr (FlParallel) parallel = fl_parallel_start (&argc, &argv);
  gboolean speak = fl_parallel_rank (parallel) == 0;
  if (argc > 2 || (argc == 2 && *argv[1] == '-'))
    {
      if (speak)
        puts ("Usage: firstlight-engine hello [FILE]\n\nTells ranks, nodes and devices; with FILE: whether "
              "every rank sees it.\n"
              "The last line of the output reads: N ranks on N nodes, LIBRARY");
      return argc == 2 && strcmp (argv[1], "--help") == 0 ? 0 : 2;
    }
  g_autofree char *text = describe (parallel, argc == 2 ? argv[1] : NULL);
  g_autoptr (GPtrArray) texts = fl_parallel_gather (parallel, text, strlen (text));
  guint64 missing = 0;
  if (speak)
    {
      guint n_nodes;
      g_autofree char *library = fl_parallel_library ();
      missing = print_ranks (texts, &n_nodes);
      printf ("%u ranks on %u nodes, %s\n", fl_parallel_ranks (parallel), n_nodes, library);
    }
  return fl_parallel_share_u64 (parallel, missing) == 0 ? 0 : 2;
}
