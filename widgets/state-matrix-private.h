/* state-matrix-private.h: the inside of FlwStateMatrix, shared by its two files: state-matrix.c (state, input, scrolling)
 * and state-matrix-draw.c. */
#pragma once

#include "widgets/chrome.h"
#include "widgets/state-matrix.h"
#include "widgets/theme.h"

typedef struct
{
  char *group, *title;
  double needed;   /* px for its title */
  double x, width; /* of the cells, before scrolling */
} FlwMatrixHead;

struct _FlwStateMatrix
{
  GtkWidget parent_instance;
  const FlwMatrixFuncs *funcs; /* NULL: none */
  gpointer data;
  guint n_states;
  FlwMatrixState states[FLW_MATRIX_STATES];
  char *title;
  guint n_rows;
  GArray *heads; /* FlwMatrixHead */
  double cells_width;
  GtkAdjustment *adjustment[2]; /* by GtkOrientation */
  GtkScrollablePolicy policy[2];
  gboolean selected;
  guint row, column;
  double hover_x, hover_y; /* NaN: nowhere */
};

#define FLW_MATRIX_ROW    26 /* px */
#define FLW_MATRIX_HEAD   48 /* px: two lines */
#define FLW_MATRIX_LEGEND 26 /* px */

/* Width of the rows' heads. */
double flw_matrix_side (FlwStateMatrix *matrix);
/* Where the cells are seen. */
FlwBox flw_matrix_body (FlwStateMatrix *matrix);
double flw_matrix_offset (FlwStateMatrix *matrix, GtkOrientation orientation);
void flw_matrix_draw (FlwStateMatrix *matrix, GtkSnapshot *snapshot);
