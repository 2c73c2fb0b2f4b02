#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/edit-words.h"

#include <glib/gi18n.h>
#include <string.h>

#include "gui/people.h"
#include "gui/text.h"

/* Of one value in a sentence. */
#define MOST 120
/* Longer texts are compared as wholes: n·m steps. */
#define MOST_LINES 2000

static const struct
{
  const char *column, *label;
} columns[] = {
  { "name", N_ ("name") },
  { "comment", N_ ("comment") },
  { "colour", N_ ("colour") },
  { "persistent", N_ ("on every new run") },
  { "first_run", N_ ("first run") },
  { "last_run", N_ ("last run") },
  { "params", N_ ("parameters") },
  { "active", N_ ("active") },
  { "expression", N_ ("runs") },
  { "trial", N_ ("trial") },
  { "min_interval", N_ ("least time between versions, s") },
  { "min_lattices", N_ ("least new lattices") },
  { "goal_d_min", N_ ("goal: resolution, Å") },
  { "goal_completeness", N_ ("goal: completeness (0–1)") },
  { "goal_multiplicity", N_ ("goal: multiplicity") },
  { "goal_cc_half", N_ ("goal: CC½") },
  { "goal_cc_ano", N_ ("goal: CC ano") },
  { "type", N_ ("does") },
  { "site", N_ ("site") },
  { "nodes", N_ ("nodes") },
  { "ranks", N_ ("ranks") },
  { "ranks_per_node", N_ ("ranks a node") },
  { "gpus_per_rank", N_ ("GPUs a rank") },
  { "minutes", N_ ("time limit, min") },
  { "host", N_ ("machine") },
  { "user_name", N_ ("user there") },
  { "port", N_ ("port") },
  { "environment", N_ ("lines before it") },
  { "hold", N_ ("new jobs wait for approval") },
  { "max_jobs", N_ ("jobs at a time") },
  { "max_node_hours", N_ ("node-hours in all") },
  { "role", N_ ("role") },
  { "stop_wanted", N_ ("asked to stop") },
  { "retry_wanted", N_ ("asked to run again") },
  { "approved", N_ ("approved") },
  { "held", N_ ("held") },
  { "restart_wanted", N_ ("asked to start again") },
  { "backlog", N_ ("when behind") },
  { "thin_fraction", N_ ("part of each run when behind (0–1)") },
  { "undo_seconds", N_ ("time to undo a plan, s") },
  { "approve_above", N_ ("ask a person above, jobs") },
};

static const char *const nouns[FL_TABLE_LAST] = {
  [FL_TABLE_EXPERIMENT] = N_ ("the experiment"),
  [FL_TABLE_ROOT] = N_ ("folder"),
  [FL_TABLE_SITE] = N_ ("site"),
  [FL_TABLE_RUN] = N_ ("run"),
  [FL_TABLE_TAG] = N_ ("tag"),
  [FL_TABLE_RUN_TAG] = N_ ("tag of a run"),
  [FL_TABLE_BLOCK] = N_ ("block"),
  [FL_TABLE_TRIAL] = N_ ("trial"),
  [FL_TABLE_TASK] = N_ ("step"),
  [FL_TABLE_DATASET] = N_ ("dataset"),
  [FL_TABLE_DATASET_VERSION] = N_ ("version of a dataset"),
  [FL_TABLE_JOB] = N_ ("job"),
  [FL_TABLE_ATTEMPT] = N_ ("attempt"),
  [FL_TABLE_WATCH] = N_ ("watched folder"),
  [FL_TABLE_SITE_ROOT] = N_ ("folder at a site"),
  [FL_TABLE_DATASET_TASK] = N_ ("step of a dataset"),
  [FL_TABLE_VERSION_JOB] = N_ ("input of a version"),
  [FL_TABLE_WORKER] = N_ ("worker"),
  [FL_TABLE_PERSON] = N_ ("person"),
};

const char *
flg_column_label (const char *column)
{
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    if (g_str_equal (columns[i].column, column))
      return _ (columns[i].label);
  return column;
}

const char *
flg_table_noun (FlTable table)
{
  return table < FL_TABLE_LAST && nouns[table] ? _ (nouns[table]) : "?";
}

static char *
one_line (const char *text)
{
  g_autofree char *bounded = flg_text_bounded (text, MOST);
  return g_strdelimit (g_steal_pointer (&bounded), "\n\t\r", ' ');
}

static char *
record_name (FlgExperiment *experiment, FlTable table, gint64 id)
{
  FlgRecord *record = flg_record_model_find (flg_experiment_table (experiment, table), id);
  if (!record)
    return g_strdup_printf ("%" G_GINT64_FORMAT, id);
  if (table == FL_TABLE_TRIAL)
    return g_strdup_printf ("%d", flg_record_trial (record)->number);
  return one_line (table == FL_TABLE_SITE  ? flg_record_site (record)->name
                   : table == FL_TABLE_TAG ? flg_record_tag (record)->name
                                           : flg_record_run (record)->name);
}

static gboolean
is_one_of (const char *column, const char *const *names)
{
  return g_strv_contains (names, column);
}

char *
flg_column_words (FlgExperiment *experiment, const char *column, const char *text)
{
  static const char *const switches[] = { "active",   "persistent", "hold", "stop_wanted",    "retry_wanted",
                                          "approved", "broadcast",  "held", "restart_wanted", NULL };
  if (!text)
    return g_strdup ("–");
  gint64 number = g_ascii_strtoll (text, NULL, 10);
  if (is_one_of (column, switches))
    return g_strdup (number ? _ ("yes") : _ ("no"));
  if (g_str_equal (column, "role") && number >= 0 && number < FL_ROLE_LAST)
    return g_strdup (flg_role_label ((FlRole) number));
  if (g_str_equal (column, "site"))
    return number ? record_name (experiment, FL_TABLE_SITE, number) : g_strdup (_ ("first active"));
  if (g_str_equal (column, "trial"))
    return number ? record_name (experiment, FL_TABLE_TRIAL, number) : g_strdup (_ ("every active one"));
  if (g_str_equal (column, "run"))
    return record_name (experiment, FL_TABLE_RUN, number);
  if (g_str_equal (column, "tag"))
    return record_name (experiment, FL_TABLE_TAG, number);
  return one_line (text);
}

/* --- edits --- */

/* A value of a whole record's lines "column=value"; NULL: none. */
static char *
value_of (const char *lines, const char *column)
{
  g_auto (GStrv) all = g_strsplit (lines ? lines : "", "\n", -1);
  for (guint i = 0; all[i]; i++)
    if (g_str_has_prefix (all[i], column) && all[i][strlen (column)] == '=')
      return g_strdup (all[i] + strlen (column) + 1);
  return NULL;
}

static char *
tagging_words (FlgExperiment *experiment, const FlEdit *edit)
{
  gboolean made = edit->kind == FL_EDIT_MADE;
  const char *lines = made ? edit->after : edit->before;
  g_autofree char *run = value_of (lines, "run"), *tag = value_of (lines, "tag");
  g_autofree char *run_name = flg_column_words (experiment, "run", run);
  g_autofree char *tag_name = flg_column_words (experiment, "tag", tag);
  return g_strdup_printf (made ? _ ("put tag %s on run %s") : _ ("took tag %s off run %s"), tag_name,
                          run_name);
}

char *
flg_edit_words (FlgExperiment *experiment, const FlEdit *edit)
{
  if (edit->kind == FL_EDIT_SAID)
    return one_line (edit->after);
  if (edit->table == FL_TABLE_RUN_TAG && edit->kind != FL_EDIT_CHANGED)
    return tagging_words (experiment, edit);
  g_autofree char *name = one_line (edit->name && *edit->name ? edit->name : "");
  g_autofree char *what =
      *name ? g_strdup_printf ("%s %s", flg_table_noun (edit->table), name)
            : g_strdup_printf ("%s %" G_GINT64_FORMAT, flg_table_noun (edit->table), edit->record);
  if (edit->kind == FL_EDIT_MADE)
    return g_strdup_printf (_ ("made %s"), what);
  if (edit->kind == FL_EDIT_REMOVED)
    return g_strdup_printf (_ ("removed %s"), what);
  if (g_str_has_suffix (edit->column, "_wanted"))
    return g_strdup_printf ("%s: %s", flg_column_label (edit->column), what);
  g_autofree char *before = flg_column_words (experiment, edit->column, edit->before);
  g_autofree char *after = flg_column_words (experiment, edit->column, edit->after);
  if (g_str_equal (edit->column, "active"))
    return g_strdup_printf (edit->after && *edit->after == '0' ? _ ("deactivated %s") : _ ("activated %s"),
                            what);
  if (g_str_equal (edit->column, "params"))
    {
      g_autofree char *difference = flg_text_difference (edit->before, edit->after);
      g_autofree char *line = one_line (difference);
      return g_strdup_printf (_ ("set %s of %s: %s"), flg_column_label (edit->column), what, line);
    }
  return g_strdup_printf (_ ("set %s of %s: ‘%s’ → ‘%s’"), flg_column_label (edit->column), what, before,
                          after);
}

/* --- texts --- */

/* length[i * (m + 1) + j]: of the longest common part of what follows. */
static guint16 *
common_lengths (GStrv a, guint n, GStrv b, guint m)
{
  guint16 *length = g_new0 (guint16, (gsize) (n + 1) * (m + 1));
  for (guint i = n; i-- > 0;)
    for (guint j = m; j-- > 0;)
      {
        guint16 *here = &length[(gsize) i * (m + 1) + j];
        guint16 down = length[(gsize) (i + 1) * (m + 1) + j], right = here[1];
        if (strcmp (a[i], b[j]) == 0)
          *here = (guint16) (length[(gsize) (i + 1) * (m + 1) + j + 1] + 1);
        else
          *here = MAX (down, right);
      }
  return length;
}

static void
put (GString *out, const char *sign, const char *text, const char **section)
{
  if (*text == '\0')
    return;
  if (*section && *text != '[')
    g_string_append_printf (out, "%s%s", out->len ? "\n" : "", *section);
  *section = NULL;
  g_string_append_printf (out, "%s%s%s", out->len ? "\n" : "", sign, text);
}

char *
flg_text_difference (const char *before, const char *after)
{
  g_auto (GStrv) a = g_strsplit (before ? before : "", "\n", -1),
                 b = g_strsplit (after ? after : "", "\n", -1);
  guint n = g_strv_length (a), m = g_strv_length (b);
  if (n > MOST_LINES || m > MOST_LINES)
    return g_strdup (g_strcmp0 (before, after) == 0 ? "" : after);
  g_autofree guint16 *length = common_lengths (a, n, b, m);
  GString *out = g_string_new (NULL);
  const char *section = NULL;
  for (guint i = 0, j = 0; i < n || j < m;)
    if (i < n && j < m && strcmp (a[i], b[j]) == 0)
      {
        if (*a[i] == '[')
          section = a[i];
        i++, j++;
      }
    else if (i < n
             && (j == m || length[(gsize) (i + 1) * (m + 1) + j] >= length[(gsize) i * (m + 1) + j + 1]))
      put (out, "− ", a[i++], &section);
    else
      put (out, "+ ", b[j++], &section);
  return g_string_free (out, FALSE);
}
