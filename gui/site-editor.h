/* site-editor.h: a site's record to be changed, or a copy of it to be made: all of its fields. Thread: main. */
#pragma once

#include "gui/context.h"
#include "gui/site-form.h"

#define FLG_TYPE_SITE_EDITOR (flg_site_editor_get_type ())
G_DECLARE_FINAL_TYPE (FlgSiteEditor, flg_site_editor, FLG, SITE_EDITOR, GtkWindow)

/* Actions: editor.save. `copy`: a new site like it, paused. */
GtkWidget *flg_site_editor_new (GtkWindow *parent, FlgContext *context, const FlSite *site, gboolean copy);
FlgSiteForm *flg_site_editor_form (FlgSiteEditor *self);
