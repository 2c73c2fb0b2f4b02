/* What Slurm prints, as recorded (22.05) and as nobody should print it. */
#include <string.h>

#include "engine/base/error.h"
#include "engine/control/job-script.h"
#include "engine/control/slurm-text.h"

static GBytes *
bytes (const char *text)
{
  return g_bytes_new_static (text, strlen (text));
}

static const char recorded_queue[] =
    "3_1|RUNNING|1795254223|1|n1|None|fl-a0b1\n"
    "3_2|PENDING|N/A|2||Resources|fl-a0b1\n"
    "4|PENDING|1795254999|2||ReqNodeNotAvail, UnavailableNodes:n[1-2]|fl-x-42\n"
    "5_[6-9%2]|PENDING|N/A|1||JobArrayTaskLimit|fl-bundle\n"
    "6+0|RUNNING|1795254223|1|n1|None|het\n"
    "2|CANCELLED|1795254197|2|n[1-2]|None|job.sh\n"
    "7|COMPLETING|1795254197|1|nid001234|None|fl|with|pipes\n";

static void
test_queue (void)
{
  g_autoptr (GBytes) text = bytes (recorded_queue);
  g_autoptr (GPtrArray) rows = fl_slurm_parse_queue (text);
  g_assert_cmpuint (rows->len, ==, 5);
  const FlSlurmRow *row = rows->pdata[0];
  g_assert_cmpstr (row->id, ==, "3_1");
  g_assert_cmpuint (row->start, ==, 1795254223);
  g_assert_cmpstr (row->nodes, ==, "n1");
  row = rows->pdata[1];
  g_assert_cmpuint (row->start, ==, 0);
  g_assert_cmpint (row->n_nodes, ==, 2);
  row = rows->pdata[2];
  g_assert_cmpstr (row->reason, ==, "ReqNodeNotAvail, UnavailableNodes:n[1-2]");
  g_assert_cmpstr (row->name, ==, "fl-x-42");
  g_assert_cmpstr (((FlSlurmRow *) rows->pdata[4])->name, ==, "fl|with|pipes");
}

static void
test_accounting (void)
{
  static const char recorded[] = "1|CANCELLED by 999|0:0|1795255212|1795255212|2|None assigned|fl-q\n"
                                 "2|FAILED|75:0|1795254197|1795254205|1|n1|fl-b\n"
                                 "9_4|TIMEOUT|0:15|1795254197|1795254260|1|n2|fl-c\n"
                                 "9_5|RUNNING|0:0|1795254197|Unknown|1|n2|fl-c\n";
  g_autoptr (GBytes) text = bytes (recorded);
  g_autoptr (GPtrArray) rows = fl_slurm_parse_accounting (text);
  g_assert_cmpuint (rows->len, ==, 4);
  const FlSlurmRow *row = rows->pdata[0];
  g_assert_cmpstr (row->state, ==, "CANCELLED");
  g_assert_cmpstr (row->reason, ==, "CANCELLED by 999");
  g_assert_cmpstr (row->nodes, ==, "");
  g_assert_cmpint (((FlSlurmRow *) rows->pdata[1])->exit_code, ==, 75);
  g_assert_cmpint (((FlSlurmRow *) rows->pdata[2])->exit_code, ==, 143);
  g_assert_cmpuint (((FlSlurmRow *) rows->pdata[3])->end, ==, 0);
}

static void
test_codes (void)
{
  g_autoptr (GBytes) text = bytes ("2                    19200       \n3_1    9\n4 75:0\n5 junk\n\x01\x02\n");
  g_autoptr (GHashTable) codes = fl_slurm_parse_codes (text);
  g_assert_cmpint (GPOINTER_TO_INT (g_hash_table_lookup (codes, "2")), ==, 76);
  g_assert_cmpint (GPOINTER_TO_INT (g_hash_table_lookup (codes, "3_1")), ==, 138);
  g_assert_cmpint (GPOINTER_TO_INT (g_hash_table_lookup (codes, "4")), ==, 76);
  g_assert_cmpint (GPOINTER_TO_INT (g_hash_table_lookup (codes, "5")), ==, 0);
}

/* A line of a megabyte, bytes that are no text, fields that are missing: passed over, and the rows between them are there. */
static void
test_hostile (void)
{
  g_autoptr (GString) text = g_string_new ("|||||||\n\n7\n8|RUNNING\n");
  for (guint i = 0; i < 1000000; i++)
    g_string_append_c (text, i % 7 == 0 ? '|' : 'x');
  g_string_append (text, "\n10|RUN\x1b[31mNING|99999999999999999999|-5|\xff\xfe|\x1b]0;title\x07|fl-\xc3(\n");
  g_string_append_len (text, "11|RUNNING|1|1|a\0b|c|d\n", 23);
  g_string_append (
      text, "99999999999999999999999999999999999999999999|RUNNING|1|1|n|r|x\n12|RUNNING|5|1|n1|None|last");
  g_autoptr (GBytes) whole = g_bytes_new (text->str, text->len);
  g_autoptr (GPtrArray) rows = fl_slurm_parse_queue (whole);
  g_assert_cmpuint (rows->len, ==, 2);
  const FlSlurmRow *row = rows->pdata[0];
  g_assert_cmpstr (row->id, ==, "10");
  g_assert_cmpuint (row->start, ==, 0);
  g_assert_cmpint (row->n_nodes, ==, 0);
  const char *const fields[] = { row->state, row->reason, row->nodes, row->name };
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    {
      g_assert_true (g_utf8_validate (fields[i], -1, NULL));
      g_assert_null (strpbrk (fields[i], "\x1b\x07\n"));
    }
  g_assert_cmpstr (((FlSlurmRow *) rows->pdata[1])->name, ==, "last");
}

/* Whatever the bytes are: no crash, and every row that comes is one. */
static void
test_random (void)
{
  static const char letters[] = "0123456789_|\n\x1b\xc3\xff RUNNINGPENDING,:";
  for (guint i = 0; i < 20000; i++)
    {
      g_autoptr (GString) text = g_string_new (NULL);
      for (gint n = g_test_rand_int_range (0, 200); n > 0; n--)
        g_string_append_c (text, letters[g_test_rand_int_range (0, sizeof letters - 1)]);
      g_autoptr (GBytes) whole = g_bytes_new (text->str, text->len);
      g_autoptr (GPtrArray) queue = fl_slurm_parse_queue (whole),
                            accounting = fl_slurm_parse_accounting (whole);
      g_autoptr (GHashTable) codes = fl_slurm_parse_codes (whole);
      for (guint k = 0; k < queue->len; k++)
        g_assert_true (g_ascii_isdigit (*((FlSlurmRow *) queue->pdata[k])->id));
      FlSlurmMark mark;
      FlSlurmEnd end;
      fl_slurm_parse_mark (whole, &mark);
      g_assert_cmpstr (mark.id, !=, "");
      if (fl_slurm_parse_end (whole, &end))
        g_assert_cmpint (end.status, <=, 255);
    }
}

/* Every state that Slurm 22.05 and 23.11 can be in. */
static void
test_states (void)
{
  static const struct
  {
    const char *word;
    FlSiteState state;
    FlSiteCause cause; /* of an end with status 1 */
  } all[] = {
    { "BOOT_FAIL", FL_SITE_ENDED, FL_CAUSE_NODE },
    { "CANCELLED", FL_SITE_ENDED, FL_CAUSE_CANCELLED },
    { "COMPLETED", FL_SITE_ENDED, FL_CAUSE_NONE },
    { "CONFIGURING", FL_SITE_QUEUED, FL_CAUSE_NONE },
    { "COMPLETING", FL_SITE_RUNNING, FL_CAUSE_NONE },
    { "DEADLINE", FL_SITE_ENDED, FL_CAUSE_TIME_LIMIT },
    { "FAILED", FL_SITE_ENDED, FL_CAUSE_NONE },
    { "NODE_FAIL", FL_SITE_ENDED, FL_CAUSE_NODE },
    { "OUT_OF_MEMORY", FL_SITE_ENDED, FL_CAUSE_MEMORY },
    { "PENDING", FL_SITE_QUEUED, FL_CAUSE_NONE },
    { "PREEMPTED", FL_SITE_ENDED, FL_CAUSE_PREEMPTED },
    { "RUNNING", FL_SITE_RUNNING, FL_CAUSE_NONE },
    { "RESV_DEL_HOLD", FL_SITE_QUEUED, FL_CAUSE_NONE },
    { "REQUEUE_FED", FL_SITE_QUEUED, FL_CAUSE_NONE },
    { "REQUEUE_HOLD", FL_SITE_QUEUED, FL_CAUSE_NONE },
    { "REQUEUED", FL_SITE_QUEUED, FL_CAUSE_NONE },
    { "RESIZING", FL_SITE_RUNNING, FL_CAUSE_NONE },
    { "REVOKED", FL_SITE_ENDED, FL_CAUSE_CANCELLED },
    { "SIGNALING", FL_SITE_RUNNING, FL_CAUSE_NONE },
    { "SPECIAL_EXIT", FL_SITE_QUEUED, FL_CAUSE_NONE },
    { "STAGE_OUT", FL_SITE_RUNNING, FL_CAUSE_NONE },
    { "STOPPED", FL_SITE_RUNNING, FL_CAUSE_NONE },
    { "SUSPENDED", FL_SITE_RUNNING, FL_CAUSE_NONE },
    { "TIMEOUT", FL_SITE_ENDED, FL_CAUSE_TIME_LIMIT },
    { "POWER_UP_NODE", FL_SITE_RUNNING, FL_CAUSE_NONE },
    { "OF_THE_FUTURE", FL_SITE_RUNNING, FL_CAUSE_NONE },
    { "", FL_SITE_RUNNING, FL_CAUSE_NONE },
  };
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    {
      g_assert_cmpint (fl_slurm_state (all[i].word), ==, all[i].state);
      g_assert_cmpint (fl_slurm_cause (all[i].word, "None", 1, FALSE, ""), ==, all[i].cause);
    }
}

static void
test_causes (void)
{
  static const struct
  {
    const char *reason;
    int code;
    gboolean warned;
    const char *errors;
    FlSiteCause cause;
  } all[] = {
    { "None", 0, TRUE, "No space left on device", FL_CAUSE_NONE },
    { "NonZeroExitCode", 1, FALSE, "write: No space left on device\n", FL_CAUSE_DISK },
    { "NonZeroExitCode", 1, FALSE, "cp: Disk quota exceeded\n", FL_CAUSE_DISK },
    { "NonZeroExitCode", 74, FALSE, "", FL_CAUSE_DISK },
    { "NonZeroExitCode", 75, TRUE, "saved\n", FL_CAUSE_TIME_LIMIT },
    { "NonZeroExitCode", 75, FALSE, "saved\n", FL_CAUSE_NONE },
    { "OutOfMemory", 137, FALSE, "", FL_CAUSE_MEMORY },
    { "NonZeroExitCode", 137, FALSE, "slurmstepd: error: Detected 1 oom-kill event(s) in StepId=3.0.\n",
      FL_CAUSE_MEMORY },
    { "RaisedSignal:53(Real-time_signal_19)", 181, FALSE, "", FL_CAUSE_NODE },
    { "JobLaunchFailure", -1, FALSE, "", FL_CAUSE_NODE },
    { "NonZeroExitCode", 1, FALSE, "srun: error: Task launch for StepId=3.0 failed on node n2\n",
      FL_CAUSE_NODE },
    { "NonZeroExitCode", 139, FALSE, "Segmentation fault\n", FL_CAUSE_NONE },
  };
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    g_assert_cmpint (fl_slurm_cause ("FAILED", all[i].reason, all[i].code, all[i].warned, all[i].errors), ==,
                     all[i].cause);
  g_assert_cmpint (
      fl_slurm_requeue_cause (
          "slurmstepd-n1: error: *** JOB 7 ON n1 CANCELLED AT 2026-11-21T09:43:19 DUE TO PREEMPTION ***\n"),
      ==, FL_CAUSE_PREEMPTED);
  g_assert_cmpint (fl_slurm_requeue_cause (""), ==, FL_CAUSE_NODE);
}

static void
test_sbatch (void)
{
  static const struct
  {
    int status;
    const char *text;
    FlSbatchAnswer answer;
    const char *said;
  } all[] = {
    { 0, "123\n", FL_SBATCH_DONE, "123" },
    { 0, "sbatch: warning: something\n124;cluster\n", FL_SBATCH_DONE, "124" },
    { 0, "7\n124\n", FL_SBATCH_DONE, "124" }, /* something else printed a number */
    { 0, "", FL_SBATCH_BUSY, "sbatch has not answered" },
    { 1, "", FL_SBATCH_BUSY, "sbatch has not answered" },
    { 1,
      "sbatch: error: Batch job submission failed: Invalid account or account/partition combination "
      "specified\n",
      FL_SBATCH_REFUSED,
      "sbatch: error: Batch job submission failed: Invalid account or account/partition combination "
      "specified" },
    { 1,
      "sbatch: error: invalid partition specified: moon\nsbatch: error: Batch job submission failed: Invalid "
      "partition name specified\n",
      FL_SBATCH_REFUSED, "sbatch: error: Batch job submission failed: Invalid partition name specified" },
    { 1, "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)\n",
      FL_SBATCH_BUSY, NULL },
    { 1, "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation\n",
      FL_SBATCH_BUSY, NULL },
    { 1,
      "sbatch: error: QOSMaxSubmitJobPerUserLimit\nsbatch: error: Batch job submission failed: Job violates "
      "accounting/QOS "
      "policy (job submit limit, user's size and/or time limits)\n",
      FL_SBATCH_BUSY, NULL },
    { 127, "sh: 1: sbatch: not found\n", FL_SBATCH_REFUSED, NULL },
  };
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    {
      g_autofree char *id = NULL, *message = NULL;
      g_assert_cmpint (fl_slurm_sbatch_answer (all[i].status, all[i].text, &id, &message), ==, all[i].answer);
      if (all[i].said != NULL)
        g_assert_cmpstr (all[i].answer == FL_SBATCH_DONE ? id : message, ==, all[i].said);
    }
}

static FlSite
plain_site (void)
{
  return (FlSite){ .name = (char *) "there",
                   .partition = (char *) "",
                   .account = (char *) "",
                   .qos = (char *) "",
                   .reservation = (char *) "",
                   .features = (char *) "",
                   .launcher = (char *) "",
                   .container = (char *) "",
                   .ingest = (char *) "" };
}

static void
test_options (void)
{
  g_autoptr (GError) error = NULL;
  const FlSlurmResources resources = { .nodes = 2, .ranks_per_node = 64, .gpus_per_node = 4, .minutes = 2 };
  FlSite site = plain_site ();
  site.features = (char *) "gpu&hbm80g";
  g_autofree char *text =
      fl_slurm_options (&site, &resources, "fl-x-1", "t3 $(reboot)\n#SBATCH --wrap", "attempt-0001", &error);
  g_assert_cmpstr (
      text, ==,
      "#SBATCH --job-name=fl-x-1\n#SBATCH --constraint=gpu&hbm80g\n"
      "#SBATCH --comment=t3___reboot___SBATCH_--wrap\n#SBATCH --nodes=2\n#SBATCH --ntasks-per-node=64\n"
      "#SBATCH --gpus-per-node=4\n#SBATCH --time=2\n#SBATCH --output=attempt-0001.out\n"
      "#SBATCH --error=attempt-0001.err\n#SBATCH --open-mode=append\n#SBATCH --requeue\n#SBATCH "
      "--signal=B:USR2@24");
  static const char *const wrong[] = {
    "-x", "a b", "a\n#SBATCH --wrap=reboot", "a\"b", "$(reboot)", "a'b", "a\\b", "\xff", "a#b", "a;b"
  };
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (GError) problem = NULL;
      FlSite bad = plain_site ();
      char **const fields[] = { &bad.partition, &bad.account, &bad.qos, &bad.reservation, &bad.features };
      *fields[i % G_N_ELEMENTS (fields)] = (char *) wrong[i];
      g_assert_null (fl_slurm_options (&bad, &resources, "fl-x-1", "", "a", &problem));
      g_assert_error (problem, FL_ERROR, FL_ERROR_INPUT);
      g_assert_null (strchr (problem->message, '\n'));
    }
}

/* Words of the site and of the submission are one word each for the shell, whatever is in them. */
static void
test_ingest (void)
{
  FlSite site = plain_site ();
  FlSubmission submission = { .attempt = 42,
                              .stem = (char *) "attempt-0001",
                              .program = (char *) "/opt/it's here/firstlight-engine" };
  for (guint i = 0; i < 2; i++)
    {
      g_autofree char *begin = NULL, *end = NULL, *said = NULL;
      g_autoptr (GError) error = NULL;
      fl_job_script_ingest (&site, &submission, &begin, &end);
      g_assert_cmpint (*begin != '\0', ==, i);
      g_assert_cmpint (*end != '\0', ==, i);
      /* `command -v` finds whatever it is asked for, and "ingest" says what it was given. */
      g_autofree char *script =
          g_strdup_printf ("command() { echo talk; }\ntalk() { printf '%%s|' \"$@\"; }\n%s\nwait\n"
                           "cat attempt-0001.db\nrm -f attempt-0001.db",
                           begin);
      const char *argv[] = { "sh", "-c", script, NULL };
      g_assert_true (g_spawn_sync (g_get_tmp_dir (), (char **) argv, NULL,
                                   G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &said, NULL,
                                   NULL, &error));
      g_assert_no_error (error);
      if (i == 1)
        {
          g_assert_cmpstr (
              said, ==,
              "ingest|--store|mysql://a@h/$(reboot)'\"?ca=/x y|--attempt|42|--follow|attempt-0001|");
          g_assert_nonnull (strstr (begin, "'/opt/it'\\''s here/firstlight-control'"));
        }
      site.ingest = (char *) "mysql://a@h/$(reboot)'\"?ca=/x y";
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/slurm/ingest", test_ingest);
  g_test_add_func ("/slurm/queue", test_queue);
  g_test_add_func ("/slurm/accounting", test_accounting);
  g_test_add_func ("/slurm/codes", test_codes);
  g_test_add_func ("/slurm/hostile", test_hostile);
  g_test_add_func ("/slurm/random", test_random);
  g_test_add_func ("/slurm/states", test_states);
  g_test_add_func ("/slurm/causes", test_causes);
  g_test_add_func ("/slurm/sbatch", test_sbatch);
  g_test_add_func ("/slurm/options", test_options);
  return g_test_run ();
}
