/* The parts of the control room that need no window: list models, words, keys, the parameter form. */
#include <string.h>

#include "gui/chooser.h"
#include "gui/columns.h"
#include "gui/display-profile.h"
#include "gui/keymap.h"
#include "gui/param-form.h"
#include "gui/record-model.h"
#include "gui/text.h"
#include "tests/widgets/display.h"

/* --- record model against a plain list --- */

typedef struct
{
  GPtrArray *mirror; /* what a listener that believes every items-changed has */
  guint signals;
} Mirror;

static void
on_items_changed (GListModel *model, guint position, guint removed, guint added, Mirror *mirror)
{
  mirror->signals++;
  g_assert_cmpuint (position + removed, <=, mirror->mirror->len);
  if (removed)
    g_ptr_array_remove_range (mirror->mirror, position, removed);
  for (guint i = 0; i < added; i++)
    g_ptr_array_insert (mirror->mirror, (int) (position + i), g_list_model_get_item (model, position + i));
  g_assert_cmpuint (mirror->mirror->len, ==, g_list_model_get_n_items (model));
}

static FlChange *
tag_change (gint64 id, const char *name)
{
  FlChange *change = g_new0 (FlChange, 1);
  change->table = FL_TABLE_TAG;
  change->id = id;
  change->removed = name == NULL;
  if (name)
    {
      FlTag *tag = g_new0 (FlTag, 1);
      tag->id = id;
      tag->name = g_strdup (name);
      tag->comment = g_strdup ("");
      tag->colour = g_strdup ("");
      change->record = tag;
    }
  return change;
}

static void
test_record_model (void)
{
  g_autoptr (FlgRecordModel) model = flg_record_model_new (FL_TABLE_TAG);
  Mirror mirror = { g_ptr_array_new_with_free_func (g_object_unref), 0 };
  g_autoptr (GHashTable) truth = g_hash_table_new_full (g_direct_hash, g_direct_equal, NULL, g_free);
  g_autoptr (GRand) random = g_rand_new_with_seed (7);
  g_signal_connect (model, "items-changed", G_CALLBACK (on_items_changed), &mirror);
  for (guint round = 0; round < 200; round++)
    {
      g_autoptr (GPtrArray) changes = g_ptr_array_new_with_free_func ((GDestroyNotify) fl_change_free);
      mirror.signals = 0;
      for (int n = g_rand_int_range (random, 0, 12); n > 0; n--)
        {
          int id = g_rand_int_range (random, 1, 40);
          g_autofree char *name = g_rand_boolean (random) ? g_strdup_printf ("n%u-%d", round, n) : NULL;
          g_ptr_array_add (changes, tag_change (id, name));
          if (name)
            g_hash_table_insert (truth, GINT_TO_POINTER (id), g_strdup (name));
          else
            g_hash_table_remove (truth, GINT_TO_POINTER (id));
        }
      flg_record_model_apply (model, changes);
      g_assert_cmpuint (mirror.signals, <=, 1);
      g_assert_cmpuint (flg_record_model_count (model), ==, g_hash_table_size (truth));
      for (guint i = 0; i < flg_record_model_count (model); i++)
        {
          FlgRecord *record = flg_record_model_at (model, i);
          g_assert_true (mirror.mirror->pdata[i] == record);
          g_assert_cmpstr (flg_record_tag (record)->name, ==,
                           g_hash_table_lookup (truth, GINT_TO_POINTER ((int) flg_record_id (record))));
          if (i)
            g_assert_cmpint (flg_record_id (flg_record_model_at (model, i - 1)), <, flg_record_id (record));
        }
    }
  g_ptr_array_unref (mirror.mirror);
}

/* --- words --- */

static void
check (char *got, const char *expected)
{
  g_assert_cmpstr (got, ==, expected);
  g_free (got);
}

static void
test_text (void)
{
  const guint64 s = 1000000000, day = 86400 * s;
  check (flg_format_count (0), "0");
  check (flg_format_count (999), "999");
  check (flg_format_count (1000), "1,000");
  check (flg_format_count (-12345678), "−12,345,678");
  check (flg_format_percent (1, 0), "–");
  check (flg_format_percent (0, 8), "0.0 %");
  check (flg_format_percent (1, 3), "33.3 %");
  check (flg_format_elapsed (0, 0, 5 * s), "–");
  check (flg_format_elapsed (s, 66 * s, 0), "1:05");
  check (flg_format_elapsed (s, 11 * s, 0), "0:10");
  check (flg_format_elapsed (s, 13 * s / 10, 0), "0.3 s");
  check (flg_format_elapsed (s, 0, 4 * s), "0:03");
  check (flg_format_elapsed (s, 0, 3662 * s), "1:01:01");
  check (flg_format_elapsed (9 * s, 3 * s, 0), "0:00");
  check (flg_format_time (0, day), "–");
  check (flg_format_time (10 * day + 3723 * s, 10 * day + 4000 * s), "01:02:03");
  check (flg_format_time (10 * day, 12 * day), "11 Jan 00:00");
}

/* --- keys --- */

static void
test_keymap (void)
{
  guint n;
  const FlgKey *keys = flg_keymap (&n);
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < n; i++)
    {
      guint key;
      GdkModifierType modifiers;
      g_assert_true (gtk_accelerator_parse (keys[i].accelerator, &key, &modifiers));
      g_assert_true (*keys[i].what != '\0');
      if (keys[i].action)
        {
          g_autofree char *name = NULL;
          g_autoptr (GVariant) target = NULL;
          g_assert_true (g_action_parse_detailed_name (keys[i].action, &name, &target, NULL));
        }
      /* A key means one thing in its group, and nothing else where it means something everywhere. */
      g_autofree char *here = g_strconcat (keys[i].group, " ", keys[i].accelerator, NULL);
      g_autofree char *everywhere = g_strconcat ("Everywhere ", keys[i].accelerator, NULL);
      g_assert_false (g_hash_table_contains (seen, here));
      g_assert_false (g_hash_table_contains (seen, everywhere));
      g_hash_table_add (seen, g_steal_pointer (&here));
    }
}

/* --- the form --- */

static void
test_form (void)
{
  g_autoptr (GtkWidget) widget = g_object_ref_sink (flg_param_form_new ());
  FlgParamForm *form = FLG_PARAM_FORM (widget);
  flg_param_form_set_editable (form, TRUE);
  g_assert_true (flg_param_form_is_valid (form));
  static const struct
  {
    const char *name, *text;
    gboolean good;
  } cases[] = {
    { "spots.sigma_strong", "4.5", TRUE }, { "spots.sigma_strong", "abc", FALSE },
    { "spots.sigma_strong", "-1", FALSE }, { "spots.sigma_strong", "1e9", FALSE },
    { "spots.sigma_strong", "", FALSE },   { "spots.kernel", "3", TRUE },
    { "spots.kernel", "2.5", FALSE },      { "spots.kernel", "8", FALSE },
    { "spots.kernel", "7", TRUE },         { "spots.sigma_strong", " 3 ", TRUE },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_assert_true (flg_param_form_type (form, cases[i].name, cases[i].text));
      const char *complaint = flg_param_form_complaint (form, cases[i].name);
      g_assert_cmpint (complaint == NULL, ==, cases[i].good);
      g_assert_cmpint (flg_param_form_is_valid (form), ==, cases[i].good);
      /* What it says is what the reader of trial text says. */
      g_autoptr (GError) error = NULL;
      g_autoptr (FlParams) params = flg_param_form_get_params (form, &error);
      g_assert_cmpint (params != NULL, ==, cases[i].good);
      if (complaint)
        g_assert_cmpstr (complaint, !=, "");
      if (!cases[i].good)
        flg_param_form_type (form, cases[i].name, fl_param_spec (cases[i].name)->default_text);
    }
  g_assert_false (flg_param_form_type (form, "spots.no_such", "1"));
  /* Settings of other finders than the one that is chosen are passed over, but where they are set or looked for. */
  flg_param_form_type (form, "spots.algorithm", "peakfinder8");
  g_assert_true (flg_param_form_shows (form, "peakfinder8.min_snr"));
  g_assert_true (flg_param_form_shows (form, "spots.min_resolution"));
  g_assert_true (flg_param_form_shows (form, "spots.kernel")); /* 7 */
  g_assert_false (flg_param_form_shows (form, "spots.sigma_background"));
  g_assert_false (flg_param_form_shows (form, "radial_profile.n_iqr"));
  flg_param_form_filter (form, "n_iqr", FALSE);
  g_assert_true (flg_param_form_shows (form, "radial_profile.n_iqr"));
  flg_param_form_filter (form, "", FALSE);
  flg_param_form_type (form, "spots.algorithm", "dispersion");
  g_assert_true (flg_param_form_shows (form, "spots.sigma_background"));
  g_assert_false (flg_param_form_shows (form, "spots.false_spots"));
  g_autoptr (FlParams) params = flg_param_form_get_params (form, NULL);
  g_autofree char *changed = fl_params_write_changed (params, NULL);
  g_assert_nonnull (strstr (changed, "algorithm = dispersion"));
  g_assert_nonnull (strstr (changed, "kernel = 7"));
  g_assert_null (strstr (changed, "sigma_strong"));
  /* And back into a form of its own. */
  g_autoptr (GtkWidget) other = g_object_ref_sink (flg_param_form_new ());
  flg_param_form_set_params (FLG_PARAM_FORM (other), params);
  g_autoptr (FlParams) again = flg_param_form_get_params (FLG_PARAM_FORM (other), NULL);
  g_autofree char *same = fl_params_write_changed (again, NULL);
  g_assert_cmpstr (changed, ==, same);
}

static void
on_chosen (FlgChooser *chooser, gint64 id, gint64 *last)
{
  *last = id;
}

static void
test_chooser (void)
{
  g_autoptr (GtkWidget) widget = g_object_ref_sink (flg_chooser_new ());
  FlgChooser *chooser = FLG_CHOOSER (widget);
  gint64 last = -1;
  g_signal_connect (chooser, "chosen", G_CALLBACK (on_chosen), &last);
  g_assert_cmpint (flg_chooser_get (chooser), ==, G_MININT64);
  flg_chooser_choose (chooser, 7); /* not there yet */
  flg_chooser_begin (chooser);
  flg_chooser_add (chooser, 5, "five");
  flg_chooser_end (chooser);
  g_assert_cmpint (last, ==, 5);
  flg_chooser_begin (chooser);
  flg_chooser_add (chooser, 7, "seven");
  flg_chooser_add (chooser, 5, "five");
  flg_chooser_end (chooser);
  g_assert_cmpint (last, ==, 7);
  last = -1;
  flg_chooser_begin (chooser);
  flg_chooser_add (chooser, 9, "nine");
  flg_chooser_add (chooser, 7, "seven");
  flg_chooser_add (chooser, 5, "five");
  flg_chooser_end (chooser);
  g_assert_cmpint (last, ==, -1); /* what was chosen stays, and nobody is bothered */
  g_assert_cmpint (flg_chooser_get (chooser), ==, 7);
  flg_chooser_step (chooser, 1);
  g_assert_cmpint (last, ==, 5);
}

/* --- which renderer (before threads are made: it is about the environment) --- */

static void
test_display_profile (void)
{
  static const struct
  {
    const char *display, *ssh;
    FlgRenderer wanted;
    gboolean cairo, remote;
  } cases[] = {
    { "localhost:10.0", NULL, FLG_RENDERER_AUTO, TRUE, TRUE },
    { "localhost:10.0", NULL, FLG_RENDERER_GL, FALSE, TRUE },
    { ":0", "10.0.0.1 1 10.0.0.2 22", FLG_RENDERER_AUTO, TRUE, TRUE },
    { ":0", NULL, FLG_RENDERER_CAIRO, TRUE, FALSE },
    { "unix:0", NULL, FLG_RENDERER_GL, FALSE, FALSE },
  };
  const char *keep[] = { "DISPLAY", "SSH_CONNECTION", "SSH_TTY", "GSK_RENDERER", "WAYLAND_DISPLAY" };
  char *saved[G_N_ELEMENTS (keep)];
  for (guint i = 0; i < G_N_ELEMENTS (keep); i++)
    saved[i] = g_strdup (g_getenv (keep[i]));
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      for (guint k = 0; k < G_N_ELEMENTS (keep); k++)
        g_unsetenv (keep[k]);
      g_setenv ("DISPLAY", cases[i].display, TRUE);
      if (cases[i].ssh)
        {
          g_setenv ("SSH_CONNECTION", cases[i].ssh, TRUE);
          g_setenv ("SSH_TTY", "/dev/pts/1", TRUE);
        }
      FlgDisplayProfile profile = flg_display_profile_choose (cases[i].wanted);
      g_assert_cmpint (profile.cairo, ==, cases[i].cairo);
      g_assert_cmpint (profile.remote, ==, cases[i].remote);
      g_assert_cmpstr (g_getenv ("GSK_RENDERER"), ==, cases[i].cairo ? "cairo" : "gl");
      g_assert_nonnull (profile.why);
    }
  for (guint i = 0; i < G_N_ELEMENTS (keep); i++)
    {
      if (saved[i])
        g_setenv (keep[i], saved[i], TRUE);
      else
        g_unsetenv (keep[i]);
      g_free (saved[i]);
    }
}

int
main (int argc, char *argv[])
{
  display_init (&argc, &argv);
  g_test_add_func ("/gui/record-model", test_record_model);
  g_test_add_func ("/gui/text", test_text);
  g_test_add_func ("/gui/keymap", test_keymap);
  g_test_add_func ("/gui/form", test_form);
  g_test_add_func ("/gui/chooser", test_chooser);
  g_test_add_func ("/gui/display-profile", test_display_profile);
  return g_test_run ();
}
