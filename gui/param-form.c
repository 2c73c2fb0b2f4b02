#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/param-form.h"

#include <glib/gi18n.h>

#include <math.h>
#include <string.h>

#include "engine/base/error.h"

#define N_COLUMNS 5 /* label, editor, unit, range, reset */

typedef struct
{
  const FlParamSpec *spec;
  FlgParamForm *form;
  GtkWidget *row, *label, *editor, *complaint, *reset;
  char *wrong; /* NULL: the value is good */
} Row;

struct _FlgParamForm
{
  GtkBox parent_instance;
  GPtrArray *rows;     /* Row */
  GPtrArray *sections; /* GtkWidget boxes, in order */
  GtkSizeGroup *columns[N_COLUMNS];
  gboolean editable, filling;
  FlgScience about;
  char *words; /* looked for */
  gboolean changed_only;
};

enum
{
  PROP_0,
  PROP_VALID,
  N_PROPS
};

enum
{
  CHANGED,
  N_SIGNALS
};

static GParamSpec *properties[N_PROPS];
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlgParamForm, flg_param_form, GTK_TYPE_BOX)

static void
row_free (Row *row)
{
  g_free (row->wrong);
  g_free (row);
}

/* What the editor holds, as trial text. */
static char *
editor_text (Row *row)
{
  if (row->spec->type == FL_PARAM_BOOL)
    return g_strdup (gtk_switch_get_active (GTK_SWITCH (row->editor)) ? "yes" : "no");
  if (row->spec->type == FL_PARAM_CHOICE)
    return g_strdup (row->spec->choices[gtk_drop_down_get_selected (GTK_DROP_DOWN (row->editor))]);
  return g_strstrip (g_strdup (gtk_editable_get_text (GTK_EDITABLE (row->editor))));
}

static void
set_editor_text (Row *row, const char *text)
{
  if (row->spec->type == FL_PARAM_BOOL)
    gtk_switch_set_active (GTK_SWITCH (row->editor), g_str_equal (text, "yes"));
  else if (row->spec->type == FL_PARAM_CHOICE)
    {
      for (guint i = 0; row->spec->choices[i]; i++)
        if (g_str_equal (row->spec->choices[i], text))
          gtk_drop_down_set_selected (GTK_DROP_DOWN (row->editor), i);
    }
  else
    gtk_editable_set_text (GTK_EDITABLE (row->editor), text);
}

static gboolean
row_is_default (Row *row)
{
  g_autofree char *text = editor_text (row);
  g_autofree char *canonical = NULL;
  return fl_param_check (row->spec, text, &canonical, NULL)
         && g_str_equal (canonical, row->spec->default_text);
}

static void
check_row (Row *row)
{
  g_autofree char *text = editor_text (row);
  g_autoptr (GError) error = NULL;
  g_clear_pointer (&row->wrong, g_free);
  if (!fl_param_check (row->spec, text, NULL, &error))
    row->wrong = g_strdup (error->message);
  gtk_label_set_label (GTK_LABEL (row->complaint), row->wrong ? row->wrong : "");
  gtk_widget_set_visible (row->complaint, row->wrong != NULL);
  gtk_accessible_update_state (GTK_ACCESSIBLE (row->editor), GTK_ACCESSIBLE_STATE_INVALID,
                               row->wrong ? GTK_ACCESSIBLE_INVALID_TRUE : GTK_ACCESSIBLE_INVALID_FALSE, -1);
  if (row->wrong)
    gtk_widget_add_css_class (row->editor, "error");
  else
    gtk_widget_remove_css_class (row->editor, "error");
  gboolean changed = !row_is_default (row);
  if (changed)
    gtk_widget_add_css_class (row->row, "changed");
  else
    gtk_widget_remove_css_class (row->row, "changed");
  gtk_widget_set_visible (row->reset, TRUE);
  gtk_widget_set_opacity (row->reset, changed && row->form->editable ? 1 : 0);
  gtk_widget_set_sensitive (row->reset, changed && row->form->editable);
}

static void show_rows (FlgParamForm *self);

static void
on_edited (Row *row)
{
  check_row (row);
  if (row->form->filling)
    return;
  if (row->spec->choices)
    show_rows (row->form);
  g_signal_emit (row->form, signals[CHANGED], 0);
  g_object_notify_by_pspec (G_OBJECT (row->form), properties[PROP_VALID]);
}

static void
on_reset (Row *row)
{
  set_editor_text (row, row->spec->default_text);
}

static GtkWidget *
editor_new (Row *row)
{
  const FlParamSpec *spec = row->spec;
  GtkWidget *editor;
  if (spec->type == FL_PARAM_BOOL)
    {
      editor = gtk_switch_new ();
      gtk_widget_set_halign (editor, GTK_ALIGN_START);
      g_signal_connect_swapped (editor, "notify::active", G_CALLBACK (on_edited), row);
    }
  else if (spec->type == FL_PARAM_CHOICE)
    {
      editor = gtk_drop_down_new_from_strings (spec->choices);
      g_signal_connect_swapped (editor, "notify::selected", G_CALLBACK (on_edited), row);
    }
  else
    {
      editor = gtk_entry_new ();
      gtk_entry_set_placeholder_text (GTK_ENTRY (editor),
                                      *spec->default_text ? spec->default_text : _ ("none"));
      if (spec->type == FL_PARAM_INT || spec->type == FL_PARAM_REAL)
        gtk_editable_set_alignment (GTK_EDITABLE (editor), 1);
      g_signal_connect_swapped (editor, "changed", G_CALLBACK (on_edited), row);
    }
  gtk_widget_set_size_request (editor, 150, -1);
  gtk_widget_set_hexpand (editor, spec->type == FL_PARAM_PATH || spec->type == FL_PARAM_TEXT);
  return editor;
}

/* "1000", "0.001", "10⁻⁶": whole powers of ten are easier to read than 1e-06. */
static char *
bound_text (double value)
{
  static const char *const digits[] = { "⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹" };
  double power = value > 0 ? log10 (value) : 0;
  if (fabs (power) < 4 || fabs (power) >= 10 || fabs (power - round (power)) > 1e-9)
    return g_strdup_printf ("%.12g", value);
  return g_strdup_printf ("10%s%s", power < 0 ? "⁻" : "", digits[(int) lround (fabs (power))]);
}

/* "0 – 100", "≥ 1": what may be typed. */
#define MOST_WHOLE 9007199254740991.0 /* 2⁵³ − 1: what a number can hold is no bound */

static char *
range_text (const FlParamSpec *spec)
{
  if ((spec->type != FL_PARAM_INT && spec->type != FL_PARAM_REAL) || (isinf (spec->min) && isinf (spec->max)))
    return g_strdup ("");
  g_autofree char *low = bound_text (spec->min), *high = bound_text (spec->max);
  if (spec->max >= MOST_WHOLE)
    return g_strdup_printf ("≥ %s", low);
  if (isinf (spec->min))
    return g_strdup_printf ("≤ %s", high);
  return g_strdup_printf ("%s – %s", low, high);
}

static GtkWidget *
dim_label (const char *text)
{
  GtkWidget *label = gtk_label_new (text);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_widget_add_css_class (label, "dim-label");
  return label;
}

static Row *
row_new (FlgParamForm *form, const FlParamSpec *spec)
{
  Row *row = g_new0 (Row, 1);
  row->spec = spec;
  row->form = form;
  row->row = gtk_grid_new ();
  gtk_grid_set_column_spacing (GTK_GRID (row->row), 10);
  gtk_widget_add_css_class (row->row, "paramrow");
  row->label = gtk_label_new (spec->label);
  gtk_label_set_xalign (GTK_LABEL (row->label), 0);
  row->editor = editor_new (row);
  GtkWidget *unit = dim_label (g_str_equal (spec->unit, "A")     ? "Å"
                               : g_str_equal (spec->unit, "deg") ? "°"
                                                                 : spec->unit);
  g_autofree char *range = range_text (spec);
  GtkWidget *allowed = dim_label (range);
  row->reset = gtk_button_new_from_icon_name ("edit-undo-symbolic");
  gtk_widget_add_css_class (row->reset, "flat");
  g_autofree char *back =
      g_strdup_printf (_ ("Back to the default: %s"), *spec->default_text ? spec->default_text : _ ("none"));
  gtk_widget_set_tooltip_text (row->reset, back);
  g_signal_connect_swapped (row->reset, "clicked", G_CALLBACK (on_reset), row);
  row->complaint = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (row->complaint), 0);
  gtk_label_set_wrap (GTK_LABEL (row->complaint), TRUE);
  gtk_widget_add_css_class (row->complaint, "complaint");
  gtk_widget_set_visible (row->complaint, FALSE);
  GtkWidget *parts[N_COLUMNS] = { row->label, row->editor, unit, allowed, row->reset };
  for (int i = 0; i < N_COLUMNS; i++)
    {
      gtk_grid_attach (GTK_GRID (row->row), parts[i], i, 0, 1, 1);
      if (!gtk_widget_get_hexpand (parts[i]))
        gtk_size_group_add_widget (form->columns[i], parts[i]);
    }
  gtk_grid_attach (GTK_GRID (row->row), row->complaint, 1, 1, 4, 1);
  g_autofree char *finders = spec->finders ? g_strjoinv (", ", (char **) spec->finders) : g_strdup ("");
  g_autofree char *of = *finders ? g_strdup_printf (_ ("\nOnly of: %s"), finders) : g_strdup ("");
  g_autofree char *tip = g_strdup_printf ("%s\n%s%s", spec->name, spec->help, of);
  gtk_widget_set_tooltip_text (row->row, tip);
  gtk_accessible_update_property (GTK_ACCESSIBLE (row->editor), GTK_ACCESSIBLE_PROPERTY_LABEL, spec->label,
                                  -1);
  return row;
}

static const char *
section_title (const char *section)
{
  static const struct
  {
    const char *section, *title;
  } known[] = {
    { "spots", N_ ("Spot finding") },
    { "peakfinder8", N_ ("Finder peakfinder8") },
    { "radial_profile", N_ ("Finder radial_profile") },
    { "hit", N_ ("What is a hit") },
    { "profile", N_ ("Radial profile") },
    { "detector", N_ ("Detector") },
    { "engine", N_ ("Running") },
    { "indexing", N_ ("Indexing") },
    { "refinement", N_ ("Refinement") },
    { "integration", N_ ("Integration") },
    { "patterns", N_ ("Patterns of single particles") },
    { "hits", N_ ("Single particles among the hits") },
    { "reconstruct", N_ ("Reconstruction") },
  };
  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    if (g_str_equal (known[i].section, section))
      return _ (known[i].title);
  return section;
}

static GtkWidget *
section_new (FlgParamForm *self, const char *name)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 2);
  GtkWidget *title = gtk_label_new (section_title (name));
  gtk_label_set_xalign (GTK_LABEL (title), 0);
  gtk_widget_add_css_class (title, "heading");
  gtk_box_append (GTK_BOX (box), title);
  gtk_box_append (GTK_BOX (self), box);
  g_ptr_array_add (self->sections, box);
  return box;
}

static void
build (FlgParamForm *self)
{
  guint n;
  const FlParamSpec *specs = fl_param_specs (&n);
  g_autofree char *section = NULL;
  GtkWidget *box = NULL;
  for (guint i = 0; i < n; i++)
    {
      /* Simulated beamtimes are not what a trial is about. */
      if (g_str_equal (specs[i].stage, "simulate"))
        continue;
      g_autofree char *name = g_strndup (specs[i].name, strcspn (specs[i].name, "."));
      if (g_strcmp0 (name, section) != 0)
        {
          box = section_new (self, name);
          g_free (section);
          section = g_steal_pointer (&name);
        }
      Row *row = row_new (self, &specs[i]);
      gtk_box_append (GTK_BOX (box), row->row);
      g_ptr_array_add (self->rows, row);
    }
}

static void
flg_param_form_finalize (GObject *object)
{
  FlgParamForm *self = FLG_PARAM_FORM (object);
  g_ptr_array_unref (self->rows);
  g_ptr_array_unref (self->sections);
  g_free (self->words);
  for (guint i = 0; i < N_COLUMNS; i++)
    g_object_unref (self->columns[i]);
  G_OBJECT_CLASS (flg_param_form_parent_class)->finalize (object);
}

static void
flg_param_form_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  if (id == PROP_VALID)
    g_value_set_boolean (value, flg_param_form_is_valid (FLG_PARAM_FORM (object)));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
flg_param_form_class_init (FlgParamFormClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  object_class->finalize = flg_param_form_finalize;
  object_class->get_property = flg_param_form_get_property;
  properties[PROP_VALID] = g_param_spec_boolean (
      "valid", NULL, NULL, TRUE, G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  signals[CHANGED] = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                   NULL, G_TYPE_NONE, 0);
  gtk_widget_class_set_accessible_role (GTK_WIDGET_CLASS (klass), GTK_ACCESSIBLE_ROLE_FORM);
}

static void
flg_param_form_init (FlgParamForm *self)
{
  self->words = g_strdup ("");
  gtk_orientable_set_orientation (GTK_ORIENTABLE (self), GTK_ORIENTATION_VERTICAL);
  gtk_box_set_spacing (GTK_BOX (self), 14);
  self->rows = g_ptr_array_new_with_free_func ((GDestroyNotify) row_free);
  self->sections = g_ptr_array_new ();
  for (guint i = 0; i < N_COLUMNS; i++)
    self->columns[i] = gtk_size_group_new (GTK_SIZE_GROUP_HORIZONTAL);
  build (self);
  g_autoptr (FlParams) defaults = fl_params_new ();
  flg_param_form_set_params (self, defaults);
}

GtkWidget *
flg_param_form_new (void)
{
  return g_object_new (FLG_TYPE_PARAM_FORM, NULL);
}

void
flg_param_form_set_params (FlgParamForm *self, const FlParams *params)
{
  self->filling = TRUE;
  for (guint i = 0; i < self->rows->len; i++)
    {
      Row *row = self->rows->pdata[i];
      set_editor_text (row, fl_params_text (params, row->spec->name));
      check_row (row);
    }
  self->filling = FALSE;
  show_rows (self);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_VALID]);
}

FlParams *
flg_param_form_get_params (FlgParamForm *self, GError **error)
{
  g_autoptr (FlParams) params = fl_params_new ();
  for (guint i = 0; i < self->rows->len; i++)
    {
      Row *row = self->rows->pdata[i];
      g_autofree char *text = editor_text (row);
      if (!fl_params_set (params, row->spec->name, text, error))
        return NULL;
    }
  return g_steal_pointer (&params);
}

gboolean
flg_param_form_is_valid (FlgParamForm *self)
{
  for (guint i = 0; i < self->rows->len; i++)
    if (((Row *) self->rows->pdata[i])->wrong)
      return FALSE;
  return TRUE;
}

void
flg_param_form_set_editable (FlgParamForm *self, gboolean editable)
{
  self->editable = editable;
  for (guint i = 0; i < self->rows->len; i++)
    {
      Row *row = self->rows->pdata[i];
      if (GTK_IS_EDITABLE (row->editor))
        gtk_editable_set_editable (GTK_EDITABLE (row->editor), editable);
      gtk_widget_set_can_target (row->editor, editable);
      gtk_widget_set_can_focus (row->editor, editable);
      if (editable)
        gtk_widget_remove_css_class (row->editor, "fixed");
      else
        gtk_widget_add_css_class (row->editor, "fixed");
      check_row (row);
    }
}

static gboolean
row_matches (Row *row, char **words, gboolean changed_only)
{
  if (changed_only && row_is_default (row) && !row->wrong)
    return FALSE;
  g_autofree char *all = g_strjoin (" ", row->spec->name, row->spec->label, row->spec->help, NULL);
  g_autofree char *haystack = g_utf8_casefold (all, -1);
  for (guint i = 0; words[i]; i++)
    if (!strstr (haystack, words[i]))
      return FALSE;
  return TRUE;
}

/* By its stage, or where that is of everything by its section. */
static FlgScience
science_of (const FlParamSpec *spec)
{
  static const char *const particles[] = { "hits", "reconstruct", "phase", NULL }, *const crystals[] = {
    "spots", "index", "refine", "integrate", "geometry", "merge", "map", NULL
  };
  g_autofree char *section = g_strndup (spec->name, strcspn (spec->name, "."));
  return g_strv_contains (particles, spec->stage) || g_strv_contains (particles, section)
             ? FLG_SCIENCE_PARTICLES
         : g_strv_contains (crystals, spec->stage) || g_strv_contains (crystals, section)
             ? FLG_SCIENCE_CRYSTALS
             : FLG_SCIENCE_BOTH;
}

static Row *
find (FlgParamForm *self, const char *name)
{
  for (guint i = 0; i < self->rows->len; i++)
    if (g_str_equal (((Row *) self->rows->pdata[i])->spec->name, name))
      return self->rows->pdata[i];
  return NULL;
}

/* Not a setting of other spot finders than the one that is chosen. */
static gboolean
row_is_chosen (FlgParamForm *self, Row *row)
{
  Row *finder = row->spec->finders ? find (self, "spots.algorithm") : NULL;
  g_autofree char *chosen = finder ? editor_text (finder) : NULL;
  return !finder || g_strv_contains (row->spec->finders, chosen);
}

static gboolean
row_is_meant (FlgParamForm *self, Row *row)
{
  gboolean about = self->about == FLG_SCIENCE_UNKNOWN || (science_of (row->spec) & self->about) != 0;
  return (about && row_is_chosen (self, row)) || *self->words || !row_is_default (row) || row->wrong;
}

static void
show_rows (FlgParamForm *self)
{
  g_autofree char *folded = g_utf8_casefold (self->words, -1);
  g_auto (GStrv) words = g_strsplit (folded, " ", -1);
  for (guint i = 0; i < self->sections->len; i++)
    gtk_widget_set_visible (self->sections->pdata[i], FALSE);
  for (guint i = 0; i < self->rows->len; i++)
    {
      Row *row = self->rows->pdata[i];
      gboolean shown = row_is_meant (self, row) && row_matches (row, words, self->changed_only);
      gtk_widget_set_visible (row->row, shown);
      if (shown)
        gtk_widget_set_visible (gtk_widget_get_parent (row->row), TRUE);
    }
}

void
flg_param_form_filter (FlgParamForm *self, const char *text, gboolean changed_only)
{
  g_free (self->words);
  self->words = g_strdup (text);
  self->changed_only = changed_only;
  show_rows (self);
}

void
flg_param_form_set_about (FlgParamForm *self, FlgScience science)
{
  if (self->about == science)
    return;
  self->about = science;
  show_rows (self);
}

gboolean
flg_param_form_type (FlgParamForm *self, const char *name, const char *text)
{
  Row *row = find (self, name);
  if (row)
    set_editor_text (row, text);
  return row != NULL;
}

gboolean
flg_param_form_shows (FlgParamForm *self, const char *name)
{
  Row *row = find (self, name);
  return row && gtk_widget_get_visible (row->row);
}

const char *
flg_param_form_complaint (FlgParamForm *self, const char *name)
{
  Row *row = find (self, name);
  return row ? row->wrong : NULL;
}
