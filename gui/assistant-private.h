/* assistant-private.h: the pages of the assistant. Each is a widget of its own with signals
 *   open (const char *where, const char *then), as FlgAssistant has it
 *   left (): back to the first page; FlgAssistOpen also make (const char *folder): a new beamtime there
 * and answers these. Thread: main. */
#pragma once

#include "gui/assistant-checks.h"
#include "gui/assistant.h"

#define FLG_TYPE_ASSIST_MAKE (flg_assist_make_get_type ())
G_DECLARE_FINAL_TYPE (FlgAssistMake, flg_assist_make, FLG, ASSIST_MAKE, GtkBox)
#define FLG_TYPE_ASSIST_JOIN (flg_assist_join_get_type ())
G_DECLARE_FINAL_TYPE (FlgAssistJoin, flg_assist_join, FLG, ASSIST_JOIN, GtkBox)
#define FLG_TYPE_ASSIST_OPEN (flg_assist_open_get_type ())
G_DECLARE_FINAL_TYPE (FlgAssistOpen, flg_assist_open, FLG, ASSIST_OPEN, GtkBox)
#define FLG_TYPE_ASSIST_DEMO (flg_assist_demo_get_type ())
G_DECLARE_FINAL_TYPE (FlgAssistDemo, flg_assist_demo, FLG, ASSIST_DEMO, GtkBox)

/* Names what is proposed, once; `folder` NULL: one in the person's home. */
void flg_assist_make_begin (FlgAssistMake *self, const char *folder);
/* "beamtime", "runs", "detector", "jobs", "summary". FALSE for another. */
gboolean flg_assist_make_show (FlgAssistMake *self, const char *step);
void flg_assist_open_begin (FlgAssistOpen *self, const char *path);
void flg_assist_join_begin (FlgAssistJoin *self);
void flg_assist_demo_begin (FlgAssistDemo *self);
FlgDemo *flg_assist_demo_played (FlgAssistDemo *self);
