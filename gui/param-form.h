/* param-form.h: a form made from the parameter table: one row a parameter, grouped by section, checked while typing.
 *
 * Values that differ from their default are marked. A value that is not allowed keeps its text, says why beside the
 * field, and makes the form invalid. Property "valid" (boolean, read-only); signal "changed" (). Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "gui/science.h"

#define FLG_TYPE_PARAM_FORM (flg_param_form_get_type ())
G_DECLARE_FINAL_TYPE (FlgParamForm, flg_param_form, FLG, PARAM_FORM, GtkBox)

GtkWidget *flg_param_form_new (void);
void flg_param_form_set_params (FlgParamForm *self, const FlParams *params);
/* NULL with the first complaint when the form is not valid. */
FlParams *flg_param_form_get_params (FlgParamForm *self, GError **error);
gboolean flg_param_form_is_valid (FlgParamForm *self);
void flg_param_form_set_editable (FlgParamForm *self, gboolean editable);
/* Rows whose name, label or help holds all words of `text`; "" = all. */
void flg_param_form_filter (FlgParamForm *self, const char *text, gboolean changed_only);
/* Parameters of what is not meant (crystals, single particles; science.h) are passed over, as those of other spot finders
 * are, where they have their default and nobody looks for them by words. */
void flg_param_form_set_about (FlgParamForm *self, FlgScience science);
/* As if typed. FALSE when there is no such parameter. */
gboolean flg_param_form_type (FlgParamForm *self, const char *name, const char *text);
/* Whether its row is among those that are shown. */
gboolean flg_param_form_shows (FlgParamForm *self, const char *name);
/* What stands beside the field: NULL when the value is good. */
const char *flg_param_form_complaint (FlgParamForm *self, const char *name);
