#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/site-form.h"

#include <glib/gi18n.h>

#include <string.h>

#define MOST_FIELDS 40

static const char *const transports[] = { "auto", "libssh2", "openssh" };

struct _FlgSiteForm
{
  GObject parent_instance;
  const FlgSiteField *fields;
  guint n_fields;
  FlgExperiment *experiment;
  char *kind;
  gint64 id;
  char *scratch; /* name of the root that holds jobs */
  GtkWidget *groups[FLG_SITE_GROUPS];
  GtkWidget *labels[MOST_FIELDS], *widgets[MOST_FIELDS], *cells[MOST_FIELDS];
  gboolean hidden[MOST_FIELDS];
  GPtrArray *roots;        /* names */
  GPtrArray *root_entries; /* GtkEditable */
  char *got;               /* of flg_site_form_get() */
};

enum
{
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlgSiteForm, flg_site_form, G_TYPE_OBJECT)

/* --- values --- */

static int
index_of (FlgSiteForm *self, const char *column)
{
  for (guint i = 0; i < self->n_fields; i++)
    if (strcmp (self->fields[i].column, column) == 0)
      return (int) i;
  return -1;
}

static char *
value_text (const FlgSiteField *field, GtkWidget *widget)
{
  if (field->type == FLG_FIELD_SWITCH)
    return g_strdup (gtk_check_button_get_active (GTK_CHECK_BUTTON (widget)) ? "1" : "0");
  if (field->type == FLG_FIELD_TRANSPORT)
    return g_strdup (transports[MIN (gtk_drop_down_get_selected (GTK_DROP_DOWN (widget)), 2)]);
  if (field->type == FLG_FIELD_LINES)
    {
      GtkTextBuffer *buffer = gtk_text_view_get_buffer (GTK_TEXT_VIEW (widget));
      char *text = NULL;
      g_object_get (buffer, "text", &text, NULL);
      return text;
    }
  return g_strstrip (g_strdup (gtk_editable_get_text (GTK_EDITABLE (widget))));
}

static void
set_value (const FlgSiteField *field, GtkWidget *widget, const char *text)
{
  if (field->type == FLG_FIELD_SWITCH)
    gtk_check_button_set_active (GTK_CHECK_BUTTON (widget), strcmp (text, "1") == 0);
  else if (field->type == FLG_FIELD_LINES)
    gtk_text_buffer_set_text (gtk_text_view_get_buffer (GTK_TEXT_VIEW (widget)), text, -1);
  else if (field->type == FLG_FIELD_TRANSPORT)
    {
      for (guint i = 0; i < G_N_ELEMENTS (transports); i++)
        if (strcmp (transports[i], text) == 0)
          gtk_drop_down_set_selected (GTK_DROP_DOWN (widget), i);
    }
  else
    gtk_editable_set_text (GTK_EDITABLE (widget), text);
}

static GtkEditable *
root_entry (FlgSiteForm *self, const char *column)
{
  for (guint i = 0; g_str_has_prefix (column, "root:") && i < self->roots->len; i++)
    if (strcmp (self->roots->pdata[i], column + strlen ("root:")) == 0)
      return self->root_entries->pdata[i];
  return NULL;
}

const char *
flg_site_form_get (FlgSiteForm *self, const char *column)
{
  int i = index_of (self, column);
  GtkEditable *entry = root_entry (self, column);
  g_free (self->got);
  self->got = entry    ? g_strstrip (g_strdup (gtk_editable_get_text (entry)))
              : i >= 0 ? value_text (&self->fields[i], self->widgets[i])
                       : g_strdup (strcmp (column, "scratch") == 0 ? self->scratch : "");
  return self->got;
}

void
flg_site_form_set (FlgSiteForm *self, const char *column, const char *text)
{
  int i = index_of (self, column);
  GtkEditable *entry = root_entry (self, column);
  if (entry)
    gtk_editable_set_text (entry, text);
  else if (i >= 0)
    set_value (&self->fields[i], self->widgets[i], text);
}

static char *
complaint_of (FlgSiteForm *self, const FlgSiteField *field, const char *text)
{
  char *end = NULL;
  if (strcmp (field->column, "name") == 0 && !*text)
    return g_strdup (_ ("A site needs a name."));
  if (strcmp (field->column, "host") == 0 && !*text)
    return g_strdup (_ ("Which machine?"));
  if ((strcmp (field->column, "host") == 0 || strcmp (field->column, "user") == 0)
      && (*text == '-' || strpbrk (text, " \t\n@/")))
    return g_strdup_printf (_ ("%s: expected a name without spaces, @ or a leading –."), _ (field->label));
  if (field->type == FLG_FIELD_COUNT && *text)
    {
      gint64 value = g_ascii_strtoll (text, &end, 10);
      if (*end || value < 0 || value > field->most)
        return g_strdup_printf (_ ("%s: expected a whole number from 0 to %d."), _ (field->label),
                                field->most);
    }
  if (field->type == FLG_FIELD_REAL && *text)
    {
      double value = g_ascii_strtod (text, &end);
      if (*end || !(value >= 0) || value > 1e12)
        return g_strdup_printf (_ ("%s: expected a number, 0 or more."), _ (field->label));
    }
  return NULL;
}

static char *
complaint_of_roots (FlgSiteForm *self)
{
  for (guint i = 0; i < self->roots->len && strcmp (self->kind, "ssh") == 0; i++)
    {
      const char *path = gtk_editable_get_text (self->root_entries->pdata[i]);
      gboolean scratch = strcmp (self->roots->pdata[i], self->scratch) == 0;
      if (*path && *path != '/')
        return g_strdup_printf (_ ("%s: expected an absolute path, from /."), (char *) self->roots->pdata[i]);
      if (!*path && scratch)
        return g_strdup (_ ("Where may jobs write there? Expected an absolute path."));
    }
  return NULL;
}

char *
flg_site_form_complaint (FlgSiteForm *self, FlgSiteGroup group)
{
  for (guint i = 0; i < self->n_fields; i++)
    {
      if (self->fields[i].group != group || !(self->fields[i].kinds & flg_site_kind_mask (self->kind)))
        continue;
      g_autofree char *text = value_text (&self->fields[i], self->widgets[i]);
      char *complaint = complaint_of (self, &self->fields[i], text);
      if (complaint)
        return complaint;
    }
  return group == FLG_SITE_FOLDERS ? complaint_of_roots (self) : NULL;
}

FlgSiteDraft *
flg_site_form_draft (FlgSiteForm *self)
{
  FlgSiteDraft *draft = g_new0 (FlgSiteDraft, 1);
  draft->site.id = self->id;
  draft->site.kind = g_strdup (self->kind);
  draft->site.scratch = g_strdup (self->scratch);
  draft->mapped = strcmp (self->kind, "ssh") == 0;
  for (guint i = 0; i < self->n_fields; i++)
    {
      char *text = value_text (&self->fields[i], self->widgets[i]);
      gsize at = self->fields[i].offset;
      if (flg_site_field_is_text (&self->fields[i]))
        FLG_SITE_MEMBER (&draft->site, char *, at) = g_steal_pointer (&text);
      else if (self->fields[i].type == FLG_FIELD_REAL)
        FLG_SITE_MEMBER (&draft->site, double, at) = g_ascii_strtod (text, NULL);
      else
        FLG_SITE_MEMBER (&draft->site, int, at) = (int) g_ascii_strtoll (text, NULL, 10);
      g_free (text);
    }
  draft->roots = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < self->roots->len; i++)
    {
      g_ptr_array_add (draft->roots, g_strdup (self->roots->pdata[i]));
      g_ptr_array_add (draft->roots,
                       g_strstrip (g_strdup (gtk_editable_get_text (self->root_entries->pdata[i]))));
    }
  return draft;
}

static void
fill (FlgSiteForm *self, const FlSite *site)
{
  for (guint i = 0; i < self->n_fields; i++)
    {
      gsize at = self->fields[i].offset;
      g_autofree char *text = NULL;
      if (flg_site_field_is_text (&self->fields[i]))
        text = g_strdup (FLG_SITE_MEMBER (site, char *, at));
      else if (self->fields[i].type == FLG_FIELD_REAL)
        text = FLG_SITE_MEMBER (site, double, at) > 0
                   ? g_strdup_printf ("%g", FLG_SITE_MEMBER (site, double, at))
                   : g_strdup ("");
      else
        text = FLG_SITE_MEMBER (site, int, at) || self->fields[i].type == FLG_FIELD_SWITCH
                   ? g_strdup_printf ("%d", FLG_SITE_MEMBER (site, int, at))
                   : g_strdup ("");
      set_value (&self->fields[i], self->widgets[i], text ? text : "");
    }
}

/* --- widgets --- */

static void
on_changed (FlgSiteForm *self)
{
  g_signal_emit (self, signals[CHANGED], 0);
}

static void
on_file (GtkNativeDialog *dialog, int response, GtkEditable *entry)
{
  g_autoptr (GFile) file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog));
  if (response == GTK_RESPONSE_ACCEPT && file)
    gtk_editable_set_text (entry, g_file_peek_path (file));
  g_object_unref (dialog);
}

static void
choose_file (GtkWidget *button, GtkEditable *entry)
{
  GtkFileChooserNative *dialog = gtk_file_chooser_native_new (
      _ ("Private key"), GTK_WINDOW (gtk_widget_get_root (button)), GTK_FILE_CHOOSER_ACTION_OPEN, NULL, NULL);
  g_autofree char *path = g_build_filename (g_get_home_dir (), ".ssh", NULL);
  g_autoptr (GFile) folder = g_file_new_for_path (path);
  gtk_file_chooser_set_current_folder (GTK_FILE_CHOOSER (dialog), folder, NULL);
  g_signal_connect_object (dialog, "response", G_CALLBACK (on_file), entry, 0);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

static GtkWidget *
entry_new (FlgSiteForm *self, const char *hint)
{
  GtkWidget *entry = gtk_entry_new ();
  gtk_entry_set_placeholder_text (GTK_ENTRY (entry), hint);
  gtk_widget_set_hexpand (entry, TRUE);
  gtk_editable_set_width_chars (GTK_EDITABLE (entry), 12);
  g_signal_connect_object (entry, "changed", G_CALLBACK (on_changed), self, G_CONNECT_SWAPPED);
  return entry;
}

static GtkWidget *
lines_new (FlgSiteForm *self, GtkWidget **cell)
{
  GtkWidget *view = gtk_text_view_new ();
  gtk_text_view_set_monospace (GTK_TEXT_VIEW (view), TRUE);
  gtk_text_view_set_accepts_tab (GTK_TEXT_VIEW (view), FALSE);
  *cell = gtk_scrolled_window_new ();
  gtk_scrolled_window_set_min_content_height (GTK_SCROLLED_WINDOW (*cell), 64);
  gtk_scrolled_window_set_has_frame (GTK_SCROLLED_WINDOW (*cell), TRUE);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (*cell), view);
  g_signal_connect_object (gtk_text_view_get_buffer (GTK_TEXT_VIEW (view)), "changed",
                           G_CALLBACK (on_changed), self, G_CONNECT_SWAPPED);
  return view;
}

static GtkWidget *
field_new (FlgSiteForm *self, const FlgSiteField *field, GtkWidget **cell)
{
  GtkWidget *widget;
  switch (field->type)
    {
    case FLG_FIELD_SWITCH:
      *cell = widget = gtk_check_button_new_with_label (_ (field->label));
      g_signal_connect_object (widget, "toggled", G_CALLBACK (on_changed), self, G_CONNECT_SWAPPED);
      return widget;
    case FLG_FIELD_TRANSPORT:
      {
        const char *const names[] = { _ ("whichever does"), "libssh2", "OpenSSH", NULL };
        *cell = widget = gtk_drop_down_new_from_strings (names);
        gtk_widget_set_halign (widget, GTK_ALIGN_START);
        g_signal_connect_object (widget, "notify::selected", G_CALLBACK (on_changed), self,
                                 G_CONNECT_SWAPPED);
        return widget;
      }
    case FLG_FIELD_LINES:
      return lines_new (self, cell);
    case FLG_FIELD_FILE:
      {
        GtkWidget *button = gtk_button_new_with_label (_ ("Choose…"));
        widget = entry_new (self, _ (field->hint));
        *cell = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
        g_signal_connect_object (button, "clicked", G_CALLBACK (choose_file), widget, 0);
        gtk_box_append (GTK_BOX (*cell), widget);
        gtk_box_append (GTK_BOX (*cell), button);
        return widget;
      }
    case FLG_FIELD_TEXT:
    case FLG_FIELD_COUNT:
    case FLG_FIELD_REAL:
    default:
      *cell = widget = entry_new (self, field->hint ? _ (field->hint) : NULL);
      if (field->type != FLG_FIELD_TEXT)
        gtk_entry_set_input_purpose (GTK_ENTRY (widget), GTK_INPUT_PURPOSE_NUMBER);
      return widget;
    }
}

static GtkWidget *
label_new (const char *text)
{
  GtkWidget *label = gtk_label_new (text);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_width_chars (GTK_LABEL (label), 18);
  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
  gtk_widget_add_css_class (label, "dim-label");
  return label;
}

static void
make_fields (FlgSiteForm *self)
{
  int rows[FLG_SITE_GROUPS] = { 0 };
  for (guint i = 0; i < self->n_fields; i++)
    {
      const FlgSiteField *field = &self->fields[i];
      GtkGrid *grid = GTK_GRID (self->groups[field->group]);
      int row = rows[field->group]++;
      self->widgets[i] = field_new (self, field, &self->cells[i]);
      if (field->type != FLG_FIELD_SWITCH)
        {
          self->labels[i] = label_new (_ (field->label));
          gtk_grid_attach (grid, self->labels[i], 0, row, 1, 1);
          gtk_accessible_update_relation (GTK_ACCESSIBLE (self->widgets[i]),
                                          GTK_ACCESSIBLE_RELATION_LABELLED_BY, self->labels[i], NULL, -1);
        }
      gtk_grid_attach (grid, self->cells[i], 1, row, 1, 1);
    }
}

static const char *
mapped_path (FlgSiteForm *self, gint64 site, const char *root)
{
  FlgRecordModel *maps = flg_experiment_table (self->experiment, FL_TABLE_SITE_ROOT);
  for (guint i = 0; i < flg_record_model_count (maps); i++)
    {
      const FlSiteRoot *map = flg_record_site_root (flg_record_model_at (maps, i));
      if (map->site == site && strcmp (map->root, root) == 0)
        return map->path;
    }
  return "";
}

static void
add_root (FlgSiteForm *self, const char *name, gint64 site)
{
  g_autofree char *here = flg_experiment_resolve (self->experiment, name, "");
  gboolean scratch = strcmp (name, self->scratch) == 0;
  g_autofree char *title = scratch ? g_strdup_printf (_ ("%s (jobs write here)"), name) : g_strdup (name);
  g_autofree char *hint = scratch ? g_strdup (_ ("/scratch/…: all nodes see it; made when it is not there"))
                                  : g_strdup_printf (_ ("%s, as here"), here ? here : "");
  GtkWidget *entry = entry_new (self, hint);
  GtkWidget *label = label_new (title);
  gtk_widget_set_tooltip_text (label, title);
  gtk_editable_set_text (GTK_EDITABLE (entry), mapped_path (self, site, name));
  gtk_grid_attach (GTK_GRID (self->groups[FLG_SITE_FOLDERS]), label, 0, (int) self->roots->len, 1, 1);
  gtk_grid_attach (GTK_GRID (self->groups[FLG_SITE_FOLDERS]), entry, 1, (int) self->roots->len, 1, 1);
  g_ptr_array_add (self->roots, g_strdup (name));
  g_ptr_array_add (self->root_entries, entry);
}

/* Where jobs are written: as the site says, as the others say, or the root of that name. */
static char *
scratch_of (FlgExperiment *experiment, const FlSite *site)
{
  FlgRecordModel *sites = flg_experiment_table (experiment, FL_TABLE_SITE);
  FlgRecordModel *roots = flg_experiment_table (experiment, FL_TABLE_ROOT);
  if (site && *site->scratch)
    return g_strdup (site->scratch);
  for (guint i = 0; i < flg_record_model_count (sites); i++)
    if (*flg_record_site (flg_record_model_at (sites, i))->scratch)
      return g_strdup (flg_record_site (flg_record_model_at (sites, i))->scratch);
  const FlRoot *last = NULL;
  for (guint i = 0; i < flg_record_model_count (roots); i++)
    last = flg_record_any (flg_record_model_at (roots, i));
  return g_strdup (last ? last->name : "");
}

GtkWidget *
flg_site_form_group (FlgSiteForm *self, FlgSiteGroup group)
{
  return self->groups[group];
}

const char *
flg_site_form_group_title (FlgSiteGroup group)
{
  static const char *const titles[FLG_SITE_GROUPS] = { N_ ("Machine"), N_ ("Folders there"), N_ ("Resources"),
                                                       N_ ("Program"), N_ ("Limits") };
  return _ (titles[group]);
}

void
flg_site_form_set_kind (FlgSiteForm *self, const char *kind)
{
  char *copy = g_strdup (kind);
  g_free (self->kind);
  self->kind = copy;
  for (guint i = 0; i < self->n_fields; i++)
    {
      gboolean has = (self->fields[i].kinds & flg_site_kind_mask (copy)) != 0 && !self->hidden[i];
      gtk_widget_set_visible (self->cells[i], has);
      if (self->labels[i])
        gtk_widget_set_visible (self->labels[i], has);
    }
  on_changed (self);
}

const char *
flg_site_form_kind (FlgSiteForm *self)
{
  return self->kind;
}

void
flg_site_form_set_id (FlgSiteForm *self, gint64 id)
{
  self->id = id;
}

void
flg_site_form_hide (FlgSiteForm *self, const char *column)
{
  int i = index_of (self, column);
  self->hidden[i] = TRUE;
  flg_site_form_set_kind (self, self->kind);
}

void
flg_site_form_offer (FlgSiteForm *self, const char *column, const char *const *values)
{
  int i = index_of (self, column);
  if (i < 0 || self->fields[i].type != FLG_FIELD_TEXT)
    return;
  G_GNUC_BEGIN_IGNORE_DEPRECATIONS
  GtkEntryCompletion *completion = gtk_entry_completion_new ();
  g_autoptr (GtkListStore) store = gtk_list_store_new (1, G_TYPE_STRING);
  for (guint k = 0; values[k]; k++)
    gtk_list_store_insert_with_values (store, NULL, -1, 0, values[k], -1);
  gtk_entry_completion_set_model (completion, GTK_TREE_MODEL (store));
  gtk_entry_completion_set_text_column (completion, 0);
  gtk_entry_completion_set_minimum_key_length (completion, 1);
  gtk_entry_set_completion (GTK_ENTRY (self->widgets[i]), completion);
  g_object_unref (completion);
  G_GNUC_END_IGNORE_DEPRECATIONS
}

FlgSiteForm *
flg_site_form_new (FlgExperiment *experiment, const FlSite *site, gboolean copy, const char *kind)
{
  static const FlSite fresh = { .transport = (char *) "auto", .nodes = 1, .minutes = 30, .active = TRUE };
  FlgSiteForm *self = g_object_new (FLG_TYPE_SITE_FORM, NULL);
  FlgRecordModel *roots = flg_experiment_table (experiment, FL_TABLE_ROOT);
  self->fields = flg_site_fields (&self->n_fields);
  g_assert (self->n_fields <= MOST_FIELDS);
  self->experiment = g_object_ref (experiment);
  self->id = site && !copy ? site->id : 0;
  self->scratch = scratch_of (experiment, site);
  for (guint i = 0; i < FLG_SITE_GROUPS; i++)
    {
      self->groups[i] = g_object_ref_sink (gtk_grid_new ());
      gtk_grid_set_row_spacing (GTK_GRID (self->groups[i]), 6);
      gtk_grid_set_column_spacing (GTK_GRID (self->groups[i]), 12);
    }
  make_fields (self);
  for (guint i = 0; i < flg_record_model_count (roots); i++)
    add_root (self, ((const FlRoot *) flg_record_any (flg_record_model_at (roots, i)))->name,
              site ? site->id : 0);
  fill (self, site ? site : &fresh);
  flg_site_form_set_kind (self, site ? site->kind : kind);
  return self;
}

static void
flg_site_form_finalize (GObject *object)
{
  FlgSiteForm *self = FLG_SITE_FORM (object);
  for (guint i = 0; i < FLG_SITE_GROUPS; i++)
    g_clear_object (&self->groups[i]);
  g_ptr_array_unref (self->roots);
  g_ptr_array_unref (self->root_entries);
  g_free (self->kind);
  g_free (self->scratch);
  g_free (self->got);
  g_object_unref (self->experiment);
  G_OBJECT_CLASS (flg_site_form_parent_class)->finalize (object);
}

static void
flg_site_form_class_init (FlgSiteFormClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = flg_site_form_finalize;
  signals[CHANGED] = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                   NULL, G_TYPE_NONE, 0);
}

static void
flg_site_form_init (FlgSiteForm *self)
{
  self->roots = g_ptr_array_new_with_free_func (g_free);
  self->root_entries = g_ptr_array_new ();
}
