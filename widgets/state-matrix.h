/* state-matrix.h: a table of states: a shape and a colour a cell, read across the room.
 *
 * Rows may be 10,000: a cell is asked for when it is drawn, nothing is kept of it. The heads of rows and columns stay while
 * the cells scroll (the matrix goes into a GtkScrolledWindow). A state is a shape, a tone and a word, so that it is
 * legible without the colour; below the cells a legend names them.
 *
 * Keys: arrows, Page Up/Down, Home/End (Ctrl: of all rows) move the cursor, Return activates. Hovering tells what the owner
 * says of the cell. Property "summary" (string, read-only): what the cells hold, counted. Signals: "selected" (guint row,
 * guint column), by pointer or key; "activated" (guint row, guint column). Thread: main. */
#pragma once

#include "widgets/status-chip.h"

G_BEGIN_DECLS

#define FLW_MATRIX_EMPTY  0xff
#define FLW_MATRIX_STATES 32 /* at most */

typedef struct
{
  FlwShape shape;
  FlwTone tone;
  const char *name; /* translated, static */
} FlwMatrixState;

typedef struct
{
  guint8 state;   /* which of the states; FLW_MATRIX_EMPTY: there is nothing */
  guint8 count;   /* shown as "×3" when it is more than 1 */
  gboolean dim;   /* there, but not what is looked for */
  float progress; /* 0–1; < 0: not known */
} FlwMatrixCell;

typedef struct
{
  const char *label;
  const char *const *tags; /* NULL-terminated; may be NULL */
  const guint32 *colours;  /* of the tags, 0xRRGGBB */
} FlwMatrixRow;

typedef struct
{
  const char *group; /* neighbours of one group have a head in common; "" = none */
  const char *title;
} FlwMatrixColumn;

/* What is asked of the owner; strings of `row` are valid until the next call. */
typedef struct
{
  void (*cell) (guint row, guint column, FlwMatrixCell *cell, gpointer data);
  void (*row) (guint row, FlwMatrixRow *out, gpointer data);
  char *(*describe) (guint row, guint column, gpointer data); /* one line or a few; freed with g_free */
} FlwMatrixFuncs;

#define FLW_TYPE_STATE_MATRIX (flw_state_matrix_get_type ())
G_DECLARE_FINAL_TYPE (FlwStateMatrix, flw_state_matrix, FLW, STATE_MATRIX, GtkWidget)

GtkWidget *flw_state_matrix_new (void);
/* `funcs` is static; `data` must outlive the matrix, or be taken away with NULL funcs. */
void flw_state_matrix_set_source (FlwStateMatrix *matrix, const FlwMatrixFuncs *funcs, gpointer data);
/* In the order of the legend. Copied. */
void flw_state_matrix_set_states (FlwStateMatrix *matrix, guint n, const FlwMatrixState *states);
/* How many rows and which columns there are from now on; `title` heads the rows. Copied. Drops the selection when it is
 * no longer inside. */
void flw_state_matrix_set_shape (FlwStateMatrix *matrix, const char *title, guint n_rows, guint n_columns,
                                 const FlwMatrixColumn *columns);
/* What the owner would answer has changed. */
void flw_state_matrix_changed (FlwStateMatrix *matrix);
/* Puts the cursor there and scrolls to it; no signal. */
void flw_state_matrix_select (FlwStateMatrix *matrix, guint row, guint column);
void flw_state_matrix_unselect (FlwStateMatrix *matrix);
/* FALSE: nothing is. */
gboolean flw_state_matrix_get_selected (FlwStateMatrix *matrix, guint *row, guint *column);
/* Which cell is at (x, y) of the widget; FALSE: none. */
gboolean flw_state_matrix_at (FlwStateMatrix *matrix, double x, double y, guint *row, guint *column);

G_END_DECLS
