/* dataset: adds a dataset to an experiment, or changes it; lists them. For scripts and those without a window. */

#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/control/outlook.h"
#include "engine/control/tag-expression.h"
#include "engine/programs/program.h"
#include "engine/programs/programs.h"
#include "engine/store/people.h"
#include "engine/store/store.h"

#define PROGRAM "firstlight-control dataset"

typedef struct
{
  char *store, *name, *expression, *goal;
  char **tasks, **tags;
  int trial, min_lattices, active;
  double min_interval;
} Options;

/* --- tasks: NAME, NAME:TYPE or NAME:TYPE:AFTER,AFTER --- */

static FlTask *
find_or_make_task (FlStore *store, const char *name, const char *type, GError **error)
{
  static const char *const types[] = { "spots",    "index", "all", "hits",        "export",
                                       "geometry", "merge", "map", "reconstruct", NULL };
  g_autoptr (GError) failed = NULL;
  FlTask *task = fl_store_find (store, FL_TABLE_TASK, name, &failed);
  if (failed != NULL)
    g_propagate_error (error, g_steal_pointer (&failed));
  else if (task == NULL && (type == NULL || !g_strv_contains (types, type)))
    g_set_error (
        error, FL_ERROR, FL_ERROR_INPUT,
        "--task %s: there is none of this name, expected NAME:TYPE with spots, index, all, hits, export, "
        "geometry, merge, map or reconstruct",
        name);
  else if (task != NULL && type != NULL && *type != '\0' && strcmp (task->type, type) != 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "--task %s: is of type %s already, not %s", name,
                   task->type, type);
      fl_record_free (FL_TABLE_TASK, task);
      task = NULL;
    }
  else if (task == NULL)
    {
      FlTask fresh = { .name = (char *) name, .type = (char *) type };
      if (fl_store_save (store, FL_TABLE_TASK, &fresh, error))
        task = fl_store_get (store, FL_TABLE_TASK, fresh.id, error);
    }
  return task;
}

/* "stills,refine" -> "3 5" */
static char *
task_ids (FlStore *store, const char *names, GError **error)
{
  g_auto (GStrv) list = g_strsplit (names, ",", -1);
  g_autoptr (GString) ids = g_string_new (NULL);
  for (char **name = list; *name != NULL; name++)
    {
      FlTask *task = find_or_make_task (store, *name, NULL, error);
      if (task == NULL)
        return NULL;
      g_string_append_printf (ids, "%s%" G_GINT64_FORMAT, ids->len > 0 ? " " : "", task->id);
      fl_record_free (FL_TABLE_TASK, task);
    }
  return g_strdup (ids->str);
}

static gboolean
set_step (FlStore *store, gint64 dataset, int number, const char *text, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (text, ":", 3);
  guint n = g_strv_length (parts);
  FlTask *task = find_or_make_task (store, parts[0] != NULL ? parts[0] : "", n > 1 ? parts[1] : NULL, error);
  g_autofree char *after = task != NULL ? n > 2 ? task_ids (store, parts[2], error) : g_strdup ("") : NULL;
  g_autoptr (GPtrArray) steps = after != NULL ? fl_store_list (store, FL_TABLE_DATASET_TASK, error) : NULL;
  if (steps == NULL)
    {
      fl_record_free (FL_TABLE_TASK, task);
      return FALSE;
    }
  FlDatasetTask step = { .dataset = dataset, .task = task->id, .number = number, .after = after };
  for (guint i = 0; i < steps->len; i++)
    {
      const FlDatasetTask *there = steps->pdata[i];
      if (there->dataset == dataset && there->task == task->id)
        step.id = there->id;
    }
  fl_record_free (FL_TABLE_TASK, task);
  return fl_store_save (store, FL_TABLE_DATASET_TASK, &step, error);
}

/* --- the goal: "d_min=2.0 cc_half=0.5" --- */

typedef struct
{
  const char *name;
  gsize offset; /* in FlDataset */
  double most;
} Goal;

static const Goal goals[] = { { "d_min", G_STRUCT_OFFSET (FlDataset, goal_d_min), 100 },
                              { "completeness", G_STRUCT_OFFSET (FlDataset, goal_completeness), 1 },
                              { "cc_half", G_STRUCT_OFFSET (FlDataset, goal_cc_half), 1 },
                              { "multiplicity", G_STRUCT_OFFSET (FlDataset, goal_multiplicity), 1e6 },
                              { "cc_ano", G_STRUCT_OFFSET (FlDataset, goal_cc_ano), 1 } };

static double *
goal_value (const FlDataset *dataset, const Goal *goal)
{
  return (double *) ((char *) dataset + goal->offset);
}

static gboolean
set_goal (FlDataset *dataset, const char *word, GError **error)
{
  const char *equals = strchr (word, '=');
  for (guint i = 0; equals != NULL && i < G_N_ELEMENTS (goals); i++)
    if (strlen (goals[i].name) == (gsize) (equals - word) && g_str_has_prefix (word, goals[i].name))
      {
        char *end;
        double value = g_ascii_strtod (equals + 1, &end);
        if (end == equals + 1 || *end != '\0' || !(value >= 0 && value <= goals[i].most))
          {
            g_set_error (error, FL_ERROR, FL_ERROR_INPUT,
                         "--goal %s: expected a number from 0 to %g (0: no goal)", word, goals[i].most);
            return FALSE;
          }
        *goal_value (dataset, &goals[i]) = value;
        return TRUE;
      }
  g_set_error (
      error, FL_ERROR, FL_ERROR_INPUT,
      "--goal '%s' is wrong, expected d_min, completeness, cc_half, multiplicity or cc_ano, = and a number",
      word);
  return FALSE;
}

/* Changes those named, all or none. */
static gboolean
set_goals (FlDataset *dataset, const char *text, GError **error)
{
  g_auto (GStrv) words = g_strsplit_set (text, " ,\t", -1);
  for (char **word = words; *word != NULL; word++)
    if (**word != '\0' && !set_goal (dataset, *word, error))
      return FALSE;
  return TRUE;
}

static char *
goals_text (const FlDataset *dataset)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < G_N_ELEMENTS (goals); i++)
    if (*goal_value (dataset, &goals[i]) > 0)
      {
        char number[G_ASCII_DTOSTR_BUF_SIZE];
        g_ascii_formatd (number, sizeof number, "%g", *goal_value (dataset, &goals[i]));
        g_string_append_printf (text, "%s%s=%s", text->len > 0 ? " " : "", goals[i].name, number);
      }
  return g_strdup (text->str);
}

/* --- the dataset --- */

static gboolean
find_trial (FlStore *store, int number, gint64 *id, GError **error)
{
  g_autoptr (GPtrArray) trials = fl_store_list (store, FL_TABLE_TRIAL, error);
  *id = 0;
  for (guint i = 0; trials != NULL && i < trials->len; i++)
    if (((const FlTrial *) trials->pdata[i])->number == number)
      *id = ((const FlTrial *) trials->pdata[i])->id;
  if (trials != NULL && *id == 0 && number > 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "--trial %d: there is none", number);
      return FALSE;
    }
  return trials != NULL;
}

static FlDataset *
find_or_make (FlStore *store, const char *name, GError **error)
{
  g_autoptr (GError) failed = NULL;
  FlDataset *dataset = fl_store_find (store, FL_TABLE_DATASET, name, &failed);
  if (failed != NULL)
    g_propagate_error (error, g_steal_pointer (&failed));
  if (dataset != NULL || failed != NULL)
    return dataset;
  FlDataset fresh = { .name = (char *) name, .active = TRUE, .min_interval = 300, .created = fl_now_ns () };
  return fl_store_save (store, FL_TABLE_DATASET, &fresh, error)
             ? fl_store_get (store, FL_TABLE_DATASET, fresh.id, error)
             : NULL;
}

static gboolean
apply (FlStore *store, const Options *o, FlDataset *dataset, GError **error)
{
  if (o->expression != NULL)
    {
      g_autoptr (FlTagExpression) parsed =
          *o->expression != '\0' ? fl_tag_expression_parse (o->expression, NULL, error) : NULL;
      if (parsed == NULL && *o->expression != '\0')
        return FALSE;
      g_free (dataset->expression);
      dataset->expression = g_strdup (o->expression);
    }
  if (o->goal != NULL && !set_goals (dataset, o->goal, error))
    return FALSE;
  if (o->trial >= 0 && !find_trial (store, o->trial, &dataset->trial, error))
    return FALSE;
  if (o->min_interval >= 0)
    dataset->min_interval = o->min_interval;
  if (o->min_lattices >= 0)
    dataset->min_lattices = o->min_lattices;
  if (o->active >= 0)
    dataset->active = o->active;
  return fl_store_save (store, FL_TABLE_DATASET, dataset, error);
}

static gboolean
set_dataset (FlStore *store, const Options *o, GError **error)
{
  FlDataset *dataset = find_or_make (store, o->name, error);
  gboolean ok = dataset != NULL && apply (store, o, dataset, error);
  for (guint i = 0; ok && o->tasks != NULL && o->tasks[i] != NULL; i++)
    ok = set_step (store, dataset->id, (int) i + 1, o->tasks[i], error);
  fl_record_free (FL_TABLE_DATASET, dataset);
  return ok;
}

/* --- tags: TAG=RUN,RUN --- */

static gboolean
tag_run (FlStore *store, gint64 tag, const char *name, GError **error)
{
  g_autoptr (GPtrArray) uses = fl_store_list (store, FL_TABLE_RUN_TAG, error);
  FlRun *run = uses != NULL ? fl_store_find (store, FL_TABLE_RUN, name, error) : NULL;
  if (run == NULL)
    {
      if (*error == NULL)
        g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "--tag-runs: there is no run called '%s'", name);
      return FALSE;
    }
  FlRunTag use = { .run = run->id, .tag = tag };
  gboolean there = FALSE;
  for (guint i = 0; i < uses->len; i++)
    {
      const FlRunTag *other = uses->pdata[i];
      there |= other->run == use.run && other->tag == use.tag;
    }
  fl_record_free (FL_TABLE_RUN, run);
  return there || fl_store_save (store, FL_TABLE_RUN_TAG, &use, error);
}

static gboolean
tag_runs (FlStore *store, const char *text, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (text, "=", 2);
  if (g_strv_length (parts) != 2)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "--tag-runs '%s' is wrong, expected TAG=RUN,RUN", text);
      return FALSE;
    }
  FlTag *tag = fl_store_find (store, FL_TABLE_TAG, parts[0], error);
  FlTag fresh = { .name = parts[0] };
  if (tag == NULL && (*error != NULL || !fl_store_save (store, FL_TABLE_TAG, &fresh, error)))
    return FALSE;
  gint64 id = tag != NULL ? tag->id : fresh.id;
  g_auto (GStrv) names = g_strsplit (parts[1], ",", -1);
  gboolean ok = TRUE;
  for (char **name = names; ok && *name != NULL; name++)
    ok = tag_run (store, id, *name, error);
  fl_record_free (FL_TABLE_TAG, tag);
  return ok;
}

static gboolean
change (FlStore *store, const Options *o, GError **error)
{
  for (char **tag = o->tags; tag != NULL && *tag != NULL; tag++)
    if (!tag_runs (store, *tag, error))
      return FALSE;
  return o->name == NULL || set_dataset (store, o, error);
}

/* "keep going\tCC½ at 2.0 Å is 0.31 of 0.50: about 2,100 more lattices (1,500–3,200)\tin 25 min" */
static void
print_outlook (const FlOutlook *outlook)
{
  g_autofree char *when = outlook != NULL ? fl_outlook_when (outlook) : NULL;
  if (outlook == NULL)
    printf ("\t\t");
  else
    printf ("\t%s\t%s", fl_verdict_name (outlook->forecast.verdict), outlook->forecast.reason);
  printf ("\t%s%s\n", when != NULL ? "in " : "", when != NULL ? when : "");
}

static gboolean
list_datasets (FlStore *store, GError **error)
{
  g_autoptr (GPtrArray) datasets = fl_store_list (store, FL_TABLE_DATASET, error);
  g_autoptr (GPtrArray) versions =
      datasets != NULL ? fl_store_list (store, FL_TABLE_DATASET_VERSION, error) : NULL;
  g_autoptr (FlOutlooks) outlooks = fl_outlooks_new ();
  if (versions == NULL || !fl_outlooks_update (outlooks, store, fl_now_ns (), NULL, error))
    return FALSE;
  for (guint i = 0; i < datasets->len; i++)
    {
      const FlDataset *dataset = datasets->pdata[i];
      int last = 0;
      for (guint k = 0; k < versions->len; k++)
        if (((const FlDatasetVersion *) versions->pdata[k])->dataset == dataset->id)
          last = MAX (last, ((const FlDatasetVersion *) versions->pdata[k])->number);
      g_autofree char *goal = goals_text (dataset);
      printf ("%s\t%s\tversion %d\t%s\t%s", dataset->name, dataset->active ? "active" : "off", last,
              dataset->expression, *goal != '\0' ? goal : "no goal");
      print_outlook (fl_outlooks_find (outlooks, dataset->id));
    }
  return TRUE;
}

static int
run (const Options *o)
{
  g_autoptr (GError) error = NULL;
  gboolean writes = o->name != NULL || o->tags != NULL;
  g_autoptr (FlStore) store = fl_store_open (o->store, writes ? FL_STORE_WRITE : FL_STORE_READ_ONLY, &error);
  if (store == NULL)
    return fl_program_fail (PROGRAM, error);
  if (!writes)
    return list_datasets (store, &error) ? 0 : fl_program_fail (PROGRAM, error);
  fl_store_act_for_person (store, g_get_host_name ());
  if (fl_store_begin (store, &error) && change (store, o, &error) && fl_store_commit (store, &error))
    return 0;
  return fl_program_fail (PROGRAM, error);
}

static void
options_clear (Options *o)
{
  g_free (o->store);
  g_free (o->name);
  g_free (o->expression);
  g_free (o->goal);
  g_strfreev (o->tasks);
  g_strfreev (o->tags);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

int
fl_program_dataset (int argc, char **argv)
{
  g_auto (Options) o = { .trial = -1, .min_lattices = -1, .active = -1, .min_interval = -1 };
  const GOptionEntry entries[] = {
    { "store", 's', 0, G_OPTION_ARG_FILENAME, &o.store, "The experiment's folder", "PATH" },
    { "name", 'n', 0, G_OPTION_ARG_STRING, &o.name, "The dataset to add or change (without: lists them)",
      "NAME" },
    { "expression", 'e', 0, G_OPTION_ARG_STRING, &o.expression, "Which runs: 'lysozyme and not dark'",
      "TEXT" },
    { "trial", 't', 0, G_OPTION_ARG_INT, &o.trial,
      "Number of the trial whose parameters it takes (0: active ones)", "N" },
    { "task", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o.tasks,
      "A step: a task, or a new one of a type; what must be done before (may be repeated)",
      "NAME[:TYPE[:AFTER,…]]" },
    { "min-interval", 0, 0, G_OPTION_ARG_DOUBLE, &o.min_interval, "Seconds between versions (300)", "S" },
    { "min-lattices", 0, 0, G_OPTION_ARG_INT, &o.min_lattices,
      "New lattices, or patterns of particles, that a version needs (0)", "N" },
    { "goal", 0, 0, G_OPTION_ARG_STRING, &o.goal,
      "What is enough: d_min (Å), completeness (0-1), cc_half, multiplicity, cc_ano; 0: not asked for",
      "'d_min=2.0 cc_half=0.5 …'" },
    { "active", 0, 0, G_OPTION_ARG_INT, &o.active, "Whether the conductor works on it (0, 1)", "0|1" },
    { "tag-runs", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o.tags, "Tags runs (may be repeated)", "TAG=RUN,…" },
    { NULL }
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_option_context_set_summary (context,
                                "Adds a dataset, or changes what is given of it; tags runs; lists datasets.");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    fprintf (stderr, "%s: %s\n", PROGRAM, error->message);
  else if (o.store == NULL || argc > 1)
    fprintf (stderr, "%s: expected --store FOLDER and other options only\n", PROGRAM);
  else
    return run (&o);
  return 2;
}
