/* assistant-database.h: where a database is, as fields, and whether it can be used, found out one step after another: its name
 * resolves, its port answers, login and encryption, what is in it. A password is asked for this window only and never stored
 * here. Signal "changed" (): a field or a step. Thread: main. */
#pragma once

#include <gtk/gtk.h>

#include "engine/store/database.h"
#include "gui/assistant-field.h"

#define FLG_TYPE_DATABASE_FORM (flg_database_form_get_type ())
G_DECLARE_FINAL_TYPE (FlgDatabaseForm, flg_database_form, FLG, DATABASE_FORM, GtkBox)

/* An experiment shall be in it already (the default), or none yet. */
void flg_database_form_set_new (FlgDatabaseForm *self, gboolean is_new);
/* As filled in; NULL with one line. Free it. */
FlDatabase *flg_database_form_database (FlgDatabaseForm *self, const char *folder, GError **error);
/* Every step has gone well. */
gboolean flg_database_form_is_good (FlgDatabaseForm *self);
/* The first step that has not, in words; NULL: none. */
const char *flg_database_form_complaint (FlgDatabaseForm *self);
/* The password that is to go into the keyring; NULL: none. fl_keyring_free() it. */
char *flg_database_form_kept_password (FlgDatabaseForm *self);
FlgField *flg_database_form_address (FlgDatabaseForm *self);
FlgField *flg_database_form_password (FlgDatabaseForm *self);
/* "host good: …; port wrong: …": for tests. Free it. */
char *flg_database_form_summary (FlgDatabaseForm *self);
