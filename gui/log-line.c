#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/log-line.h"

#include "gui/edit-words.h"

struct _FlgLogLine
{
  GObject parent_instance;
  GPtrArray *edits;
  const FlEdit *edit;
  char *words;
};

G_DEFINE_FINAL_TYPE (FlgLogLine, flg_log_line, G_TYPE_OBJECT)

static void
flg_log_line_finalize (GObject *object)
{
  FlgLogLine *self = FLG_LOG_LINE (object);
  g_ptr_array_unref (self->edits);
  g_free (self->words);
  G_OBJECT_CLASS (flg_log_line_parent_class)->finalize (object);
}

static void
flg_log_line_class_init (FlgLogLineClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = flg_log_line_finalize;
}

static void
flg_log_line_init (FlgLogLine *self)
{
}

FlgLogLine *
flg_log_line_new (FlgExperiment *experiment, GPtrArray *edits, guint at)
{
  FlgLogLine *self = g_object_new (FLG_TYPE_LOG_LINE, NULL);
  self->edits = g_ptr_array_ref (edits);
  self->edit = edits->pdata[at];
  self->words = flg_edit_words (experiment, self->edit);
  return self;
}

const FlEdit *
flg_log_line_edit (FlgLogLine *self)
{
  return self->edit;
}

const char *
flg_log_line_words (FlgLogLine *self)
{
  return self->words;
}
