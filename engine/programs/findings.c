/* findings: what is broken in an experiment, from what is in its store (engine/control/findings.h). */

#include <jansson.h>
#include <stdio.h>

#include "engine/base/error.h"
#include "engine/control/findings.h"
#include "engine/programs/program.h"
#include "engine/programs/programs.h"

#define PROGRAM "firstlight-control findings"

static void
print_text (const GPtrArray *list, const FlOverview *overview)
{
  if (list->len == 0)
    printf ("No faults found in %" G_GINT64_FORMAT " shots\n", overview->shots);
  for (guint i = 0; i < list->len; i++)
    {
      const FlFinding *f = list->pdata[i];
      printf ("%s (%s)\n  %s\n  → %s\n", f->title, f->over ? "over" : fl_finding_gravity (f->severity),
              f->evidence, f->advice);
    }
}

/* {"shots": …, "findings": […]}; the gravest first, run and job by their ids, time in ns UTC. */
static void
print_json (const GPtrArray *list, const FlOverview *overview)
{
  json_t *findings = json_array ();
  for (guint i = 0; i < list->len; i++)
    {
      const FlFinding *f = list->pdata[i];
      json_array_append_new (
          findings, json_pack ("{ss ss si sb si sI sI ss ss ss ss ss sI}", "kind", fl_finding_name (f->kind),
                               "part", f->part, "severity", f->severity, "over", f->over, "runs",
                               (int) f->n_runs, "run", (json_int_t) f->run, "job", (json_int_t) f->job,
                               "where", f->where, "what", f->what, "title", f->title, "evidence", f->evidence,
                               "advice", f->advice, "newest", (json_int_t) f->newest));
    }
  json_t *all = json_pack ("{sI so}", "shots", (json_int_t) overview->shots, "findings", findings);
  json_dumpf (all, stdout, JSON_INDENT (1));
  json_decref (all);
  putchar ('\n');
}

static gboolean
report (FlStore *store, gboolean json, GError **error)
{
  g_autoptr (FlStats) stats = fl_stats_new ();
  g_autoptr (FlFindings) findings = fl_findings_new (stats);
  guint64 now = (guint64) g_get_real_time () * 1000;
  FlOverview overview;
  if (!fl_stats_update (stats, store, NULL, error))
    return FALSE;
  for (gboolean more = TRUE; more;)
    if (!fl_findings_update (findings, store, &more, error))
      return FALSE;
  g_autoptr (GPtrArray) list = fl_findings_list (findings, now);
  fl_stats_overview (stats, now, &overview);
  (json ? print_json : print_text) (list, &overview);
  fl_overview_clear (&overview);
  return TRUE;
}

int
fl_program_findings (int argc, char **argv)
{
  gboolean json = FALSE;
  g_autoptr (GError) error = NULL;
  const GOptionEntry entries[] = { { "json", 'j', 0, G_OPTION_ARG_NONE, &json, "For programs", NULL },
                                   { NULL } };
  g_autoptr (GOptionContext) context = g_option_context_new ("EXPERIMENT");
  g_option_context_set_summary (
      context, "Says what is broken in an experiment (its folder or database), the gravest first.");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    return fl_program_fail (PROGRAM, error);
  if (argc != 2)
    {
      fprintf (stderr, "%s: expected one experiment\n", PROGRAM);
      return 2;
    }
  g_autoptr (FlStore) store = fl_store_open (argv[1], FL_STORE_READ_ONLY, &error);
  if (store == NULL || !report (store, json, &error))
    return fl_program_fail (PROGRAM, error);
  return 0;
}
