/* shown-assistant.h: the assistant in a window, in a world of its own: the user's folders are below one that goes with the
 * test. */
#pragma once

#include "gui/assistant-private.h"

/* In place of display_init() and g_test_run(). */
void assistant_init (int *argc, char ***argv);
int assistant_run (void);

char *in_top (const char *name); /* a path in the folder that all of it is in; NULL: that folder */
void put (const char *text, const char *folder, const char *name);

/* What `func` proves of up to four strings: the verdict, and a part of its line. */
void check (FlgProofFunc func, FlgVerdict verdict, const char *part, const char *first, const char *second,
            const char *third, const char *fourth);

typedef struct
{
  GtkWidget *window, *assistant;
  char *where, *then; /* what it wants opened */
  gboolean dismissed;
} Shown;

Shown *shown_new (const char *page);
void shown_free (Shown *shown);
gboolean has_opened (gpointer shown);
gboolean is_settled (gpointer assistant);

/* The first below `widget` of that type and, unless NULL, of that name in its template; NULL. */
GtkWidget *find (GtkWidget *widget, GType type, const char *name);
FlgField *field (GtkWidget *widget, const char *name);
void act (GtkWidget *page, const char *action);
