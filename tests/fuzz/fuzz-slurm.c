/* What Slurm prints: queue, accounting, exit codes, answers, and the files beside an attempt. The first byte says which. */

#include "engine/control/slurm-text.h"
#include "tests/fuzz/fuzz-file.h"

static void
check_rows (GPtrArray *rows)
{
  for (guint i = 0; i < rows->len; i++)
    {
      const FlSlurmRow *row = rows->pdata[i];
      g_assert_true (g_utf8_validate (row->id, -1, NULL) && g_utf8_validate (row->reason, -1, NULL)
                     && g_utf8_validate (row->nodes, -1, NULL));
      fl_slurm_cause (row->state, row->reason, row->exit_code, FALSE, row->nodes);
      fl_slurm_state (row->state);
    }
  g_ptr_array_unref (rows);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  if (size == 0)
    return 0;
  g_autofree char *text = g_strndup ((const char *) data + 1, size - 1), *id = NULL, *message = NULL;
  g_autoptr (GBytes) bytes = g_bytes_new (data + 1, size - 1);
  FlSlurmMark mark;
  FlSlurmEnd end;
  switch (data[0] % 5)
    {
    case 0:
      check_rows (fl_slurm_parse_queue (bytes));
      break;
    case 1:
      check_rows (fl_slurm_parse_accounting (bytes));
      break;
    case 2:
      g_hash_table_unref (fl_slurm_parse_codes (bytes));
      break;
    case 3:
      fl_slurm_sbatch_answer (data[0] >> 4, text, &id, &message);
      g_assert_true (message == NULL || strchr (message, '\n') == NULL);
      fl_slurm_requeue_cause (text);
      fl_slurm_is_unreachable (text);
      break;
    default:
      fl_slurm_parse_mark (bytes, &mark);
      fl_slurm_parse_end (bytes, &end);
    }
  return 0;
}
