/* site-form.h: a site's record as fields, in groups that may be put in different places, and what they say as a draft that can
 * be written to the store. Signal "changed" (): somebody typed. Thread: main, except flg_site_draft_write(). */
#pragma once

#include <gtk/gtk.h>

#include "gui/experiment.h"
#include "gui/site-draft.h"

#define FLG_TYPE_SITE_FORM (flg_site_form_get_type ())
G_DECLARE_FINAL_TYPE (FlgSiteForm, flg_site_form, FLG, SITE_FORM, GObject)

/* `site` NULL: a new one of that kind ("local", "slurm", "ssh"); else its record as it is, or, with `copy`, a new one like it. */
FlgSiteForm *flg_site_form_new (FlgExperiment *experiment, const FlSite *site, gboolean copy,
                                const char *kind);
/* The group's fields: borrowed from the form. Fields that the kind does not have are not shown. */
GtkWidget *flg_site_form_group (FlgSiteForm *self, FlgSiteGroup group);
const char *flg_site_form_group_title (FlgSiteGroup group);
void flg_site_form_set_kind (FlgSiteForm *self, const char *kind);
const char *flg_site_form_kind (FlgSiteForm *self);
/* The record that it is about from now on (0: a new one). */
void flg_site_form_set_id (FlgSiteForm *self, gint64 id);
/* A field by the record's column, "root:NAME" for a root's path. Unknown: "" and nothing. */
const char *flg_site_form_get (FlgSiteForm *self, const char *column);
void flg_site_form_set (FlgSiteForm *self, const char *column, const char *text);
/* Not shown from now on: decided elsewhere. */
void flg_site_form_hide (FlgSiteForm *self, const char *column);
/* Values offered for a field while typing, with commas or spaces between. */
void flg_site_form_offer (FlgSiteForm *self, const char *column, const char *const *values);
/* What is wrong with the fields of that group, one line; NULL: nothing. Free it. */
char *flg_site_form_complaint (FlgSiteForm *self, FlgSiteGroup group);
/* Free it. */
FlgSiteDraft *flg_site_form_draft (FlgSiteForm *self);
