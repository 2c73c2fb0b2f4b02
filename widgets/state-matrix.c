#include <glib/gi18n.h>
#include <math.h>

#include "widgets/state-matrix-private.h"

#define NARROWEST 74 /* px, of a column: a shape, "100 %" and "×3" */
#define WIDEST    150

enum
{
  PROP_0,
  PROP_SUMMARY,
  PROP_HADJUSTMENT,
  PROP_VADJUSTMENT,
  PROP_HSCROLL_POLICY,
  PROP_VSCROLL_POLICY
};

enum
{
  SELECTED,
  ACTIVATED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static gboolean
get_border (GtkScrollable *scrollable, GtkBorder *border)
{
  *border = (GtkBorder){ .left = (gint16) flw_matrix_side (FLW_STATE_MATRIX (scrollable)),
                         .top = FLW_MATRIX_HEAD,
                         .bottom = FLW_MATRIX_LEGEND };
  return TRUE;
}

static void
scrollable_init (GtkScrollableInterface *iface)
{
  iface->get_border = get_border;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (FlwStateMatrix, flw_state_matrix, GTK_TYPE_WIDGET,
                               G_IMPLEMENT_INTERFACE (GTK_TYPE_SCROLLABLE, scrollable_init))

/* --- where things are --- */

double
flw_matrix_side (FlwStateMatrix *matrix)
{
  return CLAMP (gtk_widget_get_width (GTK_WIDGET (matrix)) / 4, 110, 300);
}

FlwBox
flw_matrix_body (FlwStateMatrix *matrix)
{
  double side = flw_matrix_side (matrix), width = gtk_widget_get_width (GTK_WIDGET (matrix)),
         height = gtk_widget_get_height (GTK_WIDGET (matrix));
  return (FlwBox){ side, FLW_MATRIX_HEAD, fmax (0, width - side),
                   fmax (0, height - FLW_MATRIX_HEAD - FLW_MATRIX_LEGEND) };
}

double
flw_matrix_offset (FlwStateMatrix *matrix, GtkOrientation orientation)
{
  GtkAdjustment *adjustment = matrix->adjustment[orientation];
  return adjustment ? round (gtk_adjustment_get_value (adjustment)) : 0;
}

gboolean
flw_state_matrix_at (FlwStateMatrix *matrix, double x, double y, guint *row, guint *column)
{
  FlwBox body = flw_matrix_body (matrix);
  if (!matrix->funcs || !(x >= body.x && x < body.x + body.width && y >= body.y && y < body.y + body.height))
    return FALSE;
  double across = x - body.x + flw_matrix_offset (matrix, GTK_ORIENTATION_HORIZONTAL),
         down = y - body.y + flw_matrix_offset (matrix, GTK_ORIENTATION_VERTICAL);
  *row = (guint) (down / FLW_MATRIX_ROW);
  for (*column = 0; *column < matrix->heads->len; (*column)++)
    {
      const FlwMatrixHead *head = &g_array_index (matrix->heads, FlwMatrixHead, *column);
      if (across >= head->x && across < head->x + head->width)
        return *row < matrix->n_rows;
    }
  return FALSE;
}

static void
configure (FlwStateMatrix *matrix, GtkOrientation orientation, double all, double page, double step)
{
  GtkAdjustment *adjustment = matrix->adjustment[orientation];
  if (adjustment)
    gtk_adjustment_configure (adjustment, gtk_adjustment_get_value (adjustment), 0, fmax (all, page), step,
                              0.9 * page, page);
}

/* Columns are as wide as their titles need, and share what is left up to a width that the eye still follows. */
static void
spread_columns (FlwStateMatrix *matrix, double room)
{
  double needed = 0;
  for (guint c = 0; c < matrix->heads->len; c++)
    needed += g_array_index (matrix->heads, FlwMatrixHead, c).needed;
  double more = matrix->heads->len && room > needed ? floor ((room - needed) / matrix->heads->len) : 0;
  matrix->cells_width = 0;
  for (guint c = 0; c < matrix->heads->len; c++)
    {
      FlwMatrixHead *head = &g_array_index (matrix->heads, FlwMatrixHead, c);
      head->x = matrix->cells_width;
      head->width = fmax (head->needed, fmin (head->needed + more, WIDEST));
      matrix->cells_width += head->width;
    }
}

static void
configure_both (FlwStateMatrix *matrix)
{
  FlwBox body = flw_matrix_body (matrix);
  spread_columns (matrix, body.width);
  configure (matrix, GTK_ORIENTATION_HORIZONTAL, matrix->cells_width, body.width, NARROWEST);
  configure (matrix, GTK_ORIENTATION_VERTICAL, (double) matrix->n_rows * FLW_MATRIX_ROW, body.height,
             3 * FLW_MATRIX_ROW);
}

static void
show_cursor (FlwStateMatrix *matrix)
{
  const FlwMatrixHead *head = &g_array_index (matrix->heads, FlwMatrixHead, matrix->column);
  double y = (double) matrix->row * FLW_MATRIX_ROW;
  if (matrix->adjustment[GTK_ORIENTATION_HORIZONTAL])
    gtk_adjustment_clamp_page (matrix->adjustment[GTK_ORIENTATION_HORIZONTAL], head->x,
                               head->x + head->width);
  if (matrix->adjustment[GTK_ORIENTATION_VERTICAL])
    gtk_adjustment_clamp_page (matrix->adjustment[GTK_ORIENTATION_VERTICAL], y, y + FLW_MATRIX_ROW);
}

/* --- what is shown --- */

static void
clear_head (gpointer data)
{
  FlwMatrixHead *head = data;
  g_free (head->group);
  g_free (head->title);
}

void
flw_state_matrix_set_source (FlwStateMatrix *matrix, const FlwMatrixFuncs *funcs, gpointer data)
{
  matrix->funcs = funcs;
  matrix->data = data;
  gtk_widget_queue_draw (GTK_WIDGET (matrix));
}

void
flw_state_matrix_set_states (FlwStateMatrix *matrix, guint n, const FlwMatrixState *states)
{
  g_return_if_fail (n <= FLW_MATRIX_STATES);
  matrix->n_states = n;
  for (guint i = 0; i < n; i++)
    matrix->states[i] = states[i];
  gtk_widget_queue_draw (GTK_WIDGET (matrix));
}

static gboolean
has_shape (FlwStateMatrix *matrix, const char *title, guint n_columns, const FlwMatrixColumn *columns)
{
  gboolean same = g_strcmp0 (matrix->title, title) == 0 && matrix->heads->len == n_columns;
  for (guint c = 0; same && c < n_columns; c++)
    {
      const FlwMatrixHead *head = &g_array_index (matrix->heads, FlwMatrixHead, c);
      same = g_str_equal (head->group, columns[c].group) && g_str_equal (head->title, columns[c].title);
    }
  return same;
}

static void
set_columns (FlwStateMatrix *matrix, guint n, const FlwMatrixColumn *columns)
{
  g_array_set_size (matrix->heads, 0);
  for (guint c = 0; c < n; c++)
    {
      int width;
      flw_text_size (GTK_WIDGET (matrix), FLW_POINTS_SMALL, columns[c].title, &width, NULL);
      FlwMatrixHead head = { .group = g_strdup (columns[c].group),
                             .title = g_strdup (columns[c].title),
                             .needed = CLAMP (width + 18, NARROWEST, WIDEST) };
      g_array_append_val (matrix->heads, head);
    }
}

void
flw_state_matrix_set_shape (FlwStateMatrix *matrix, const char *title, guint n_rows, guint n_columns,
                            const FlwMatrixColumn *columns)
{
  if (!has_shape (matrix, title, n_columns, columns))
    {
      g_free (matrix->title);
      matrix->title = g_strdup (title);
      set_columns (matrix, n_columns, columns);
    }
  matrix->n_rows = n_rows;
  matrix->selected &= matrix->row < n_rows && matrix->column < n_columns;
  configure_both (matrix);
  flw_state_matrix_changed (matrix);
}

void
flw_state_matrix_changed (FlwStateMatrix *matrix)
{
  flw_chart_summary_changed (GTK_WIDGET (matrix));
  gtk_widget_queue_draw (GTK_WIDGET (matrix));
}

/* What the cursor is on is the widget's value for those who do not see it. */
static void
tell_cursor (FlwStateMatrix *matrix)
{
  g_autofree char *text = matrix->selected && matrix->funcs
                              ? matrix->funcs->describe (matrix->row, matrix->column, matrix->data)
                              : NULL;
  gtk_accessible_update_property (GTK_ACCESSIBLE (matrix), GTK_ACCESSIBLE_PROPERTY_VALUE_TEXT,
                                  text ? text : "", -1);
  gtk_widget_queue_draw (GTK_WIDGET (matrix));
}

void
flw_state_matrix_select (FlwStateMatrix *matrix, guint row, guint column)
{
  g_return_if_fail (row < matrix->n_rows && column < matrix->heads->len);
  matrix->selected = TRUE;
  matrix->row = row;
  matrix->column = column;
  show_cursor (matrix);
  tell_cursor (matrix);
}

void
flw_state_matrix_unselect (FlwStateMatrix *matrix)
{
  matrix->selected = FALSE;
  tell_cursor (matrix);
}

gboolean
flw_state_matrix_get_selected (FlwStateMatrix *matrix, guint *row, guint *column)
{
  if (!matrix->selected)
    return FALSE;
  *row = matrix->row;
  *column = matrix->column;
  return TRUE;
}

/* "40 × 6: 200 done, 3 failed, 37 nothing". */
static char *
make_summary (FlwStateMatrix *matrix)
{
  guint counts[FLW_MATRIX_STATES] = { 0 };
  GString *text = g_string_new (NULL);
  for (guint row = 0; matrix->funcs && row < matrix->n_rows; row++)
    for (guint column = 0; column < matrix->heads->len; column++)
      {
        FlwMatrixCell cell = { .state = FLW_MATRIX_EMPTY, .progress = -1 };
        matrix->funcs->cell (row, column, &cell, matrix->data);
        if (cell.state < matrix->n_states)
          counts[cell.state]++;
      }
  g_string_append_printf (text, _ ("%u rows × %u columns"), matrix->n_rows, matrix->heads->len);
  const char *before = ": ";
  for (guint i = 0; i < matrix->n_states; i++)
    if (counts[i])
      {
        g_string_append_printf (text, "%s%u %s", before, counts[i], matrix->states[i].name);
        before = ", ";
      }
  return g_string_free (text, FALSE);
}

/* --- input --- */

static void
go_to (FlwStateMatrix *matrix, gint64 row, gint64 column)
{
  if (matrix->n_rows == 0 || matrix->heads->len == 0)
    return;
  flw_state_matrix_select (matrix, (guint) CLAMP (row, 0, (gint64) matrix->n_rows - 1),
                           (guint) CLAMP (column, 0, (gint64) matrix->heads->len - 1));
  g_signal_emit (matrix, signals[SELECTED], 0, matrix->row, matrix->column);
}

static gboolean
on_key (GtkEventControllerKey *controller, guint key, guint code, GdkModifierType state,
        FlwStateMatrix *matrix)
{
  gint64 row = matrix->selected ? (gint64) matrix->row : -1, column = matrix->selected ? matrix->column : 0;
  gint64 page = MAX (1, (gint64) (flw_matrix_body (matrix).height / FLW_MATRIX_ROW) - 1);
  gboolean control = (state & GDK_CONTROL_MASK) != 0;
  (void) controller;
  (void) code;
  if (state & GDK_ALT_MASK)
    return FALSE;
  switch (key)
    {
    case GDK_KEY_Up:
      go_to (matrix, row - 1, column);
      break;
    case GDK_KEY_Down:
      go_to (matrix, row + 1, column);
      break;
    case GDK_KEY_Left:
      go_to (matrix, row, column - 1);
      break;
    case GDK_KEY_Right:
      go_to (matrix, row, matrix->selected ? column + 1 : 0);
      break;
    case GDK_KEY_Page_Up:
      go_to (matrix, row - page, column);
      break;
    case GDK_KEY_Page_Down:
      go_to (matrix, row + page, column);
      break;
    case GDK_KEY_Home:
      go_to (matrix, control ? 0 : row, control ? column : 0);
      break;
    case GDK_KEY_End:
      go_to (matrix, control ? matrix->n_rows : row, control ? column : matrix->heads->len);
      break;
    case GDK_KEY_Return:
    case GDK_KEY_KP_Enter:
      if (matrix->selected)
        g_signal_emit (matrix, signals[ACTIVATED], 0, matrix->row, matrix->column);
      break;
    default:
      return FALSE;
    }
  return TRUE;
}

static void
on_pressed (GtkGestureClick *click, int n, double x, double y, FlwStateMatrix *matrix)
{
  guint row, column;
  (void) click;
  gtk_widget_grab_focus (GTK_WIDGET (matrix));
  if (!flw_state_matrix_at (matrix, x, y, &row, &column))
    return;
  go_to (matrix, row, column);
  if (n == 2)
    g_signal_emit (matrix, signals[ACTIVATED], 0, row, column);
}

static void
hover (FlwStateMatrix *matrix, double x, double y)
{
  matrix->hover_x = x;
  matrix->hover_y = y;
  gtk_widget_queue_draw (GTK_WIDGET (matrix));
}

static void
on_motion (GtkEventControllerMotion *motion, double x, double y, FlwStateMatrix *matrix)
{
  (void) motion;
  hover (matrix, x, y);
}

static void
on_leave (GtkEventControllerMotion *motion, FlwStateMatrix *matrix)
{
  (void) motion;
  hover (matrix, NAN, NAN);
}

/* --- the widget --- */

static void
flw_state_matrix_measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                          int *natural, int *minimum_baseline, int *natural_baseline)
{
  FlwStateMatrix *matrix = FLW_STATE_MATRIX (widget);
  (void) for_size;
  if (orientation == GTK_ORIENTATION_HORIZONTAL)
    {
      *minimum = 110 + NARROWEST;
      *natural = 200 + (int) matrix->cells_width;
    }
  else
    {
      *minimum = FLW_MATRIX_HEAD + FLW_MATRIX_LEGEND + FLW_MATRIX_ROW;
      *natural = FLW_MATRIX_HEAD + FLW_MATRIX_LEGEND + (int) CLAMP (matrix->n_rows, 1, 12) * FLW_MATRIX_ROW;
    }
  *minimum_baseline = *natural_baseline = -1;
}

static void
flw_state_matrix_size_allocate (GtkWidget *widget, int width, int height, int baseline)
{
  (void) width;
  (void) height;
  (void) baseline;
  configure_both (FLW_STATE_MATRIX (widget));
}

static void
flw_state_matrix_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  flw_matrix_draw (FLW_STATE_MATRIX (widget), snapshot);
}

static void
set_adjustment (FlwStateMatrix *matrix, GtkOrientation orientation, GtkAdjustment *adjustment)
{
  GtkAdjustment *old = matrix->adjustment[orientation];
  if (old)
    g_signal_handlers_disconnect_by_func (old, gtk_widget_queue_draw, matrix);
  g_clear_object (&matrix->adjustment[orientation]);
  if (!adjustment)
    return;
  matrix->adjustment[orientation] = g_object_ref_sink (adjustment);
  g_signal_connect_swapped (adjustment, "value-changed", G_CALLBACK (gtk_widget_queue_draw), matrix);
  configure_both (matrix);
}

static void
flw_state_matrix_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  FlwStateMatrix *matrix = FLW_STATE_MATRIX (object);
  switch (id)
    {
    case PROP_SUMMARY:
      g_value_take_string (value, make_summary (matrix));
      break;
    case PROP_HADJUSTMENT:
      g_value_set_object (value, matrix->adjustment[GTK_ORIENTATION_HORIZONTAL]);
      break;
    case PROP_VADJUSTMENT:
      g_value_set_object (value, matrix->adjustment[GTK_ORIENTATION_VERTICAL]);
      break;
    case PROP_HSCROLL_POLICY:
      g_value_set_enum (value, matrix->policy[GTK_ORIENTATION_HORIZONTAL]);
      break;
    case PROP_VSCROLL_POLICY:
      g_value_set_enum (value, matrix->policy[GTK_ORIENTATION_VERTICAL]);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
flw_state_matrix_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  FlwStateMatrix *matrix = FLW_STATE_MATRIX (object);
  switch (id)
    {
    case PROP_HADJUSTMENT:
      set_adjustment (matrix, GTK_ORIENTATION_HORIZONTAL, g_value_get_object (value));
      break;
    case PROP_VADJUSTMENT:
      set_adjustment (matrix, GTK_ORIENTATION_VERTICAL, g_value_get_object (value));
      break;
    case PROP_HSCROLL_POLICY:
      matrix->policy[GTK_ORIENTATION_HORIZONTAL] = g_value_get_enum (value);
      break;
    case PROP_VSCROLL_POLICY:
      matrix->policy[GTK_ORIENTATION_VERTICAL] = g_value_get_enum (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
flw_state_matrix_dispose (GObject *object)
{
  FlwStateMatrix *matrix = FLW_STATE_MATRIX (object);
  set_adjustment (matrix, GTK_ORIENTATION_HORIZONTAL, NULL);
  set_adjustment (matrix, GTK_ORIENTATION_VERTICAL, NULL);
  matrix->funcs = NULL;
  G_OBJECT_CLASS (flw_state_matrix_parent_class)->dispose (object);
}

static void
flw_state_matrix_finalize (GObject *object)
{
  FlwStateMatrix *matrix = FLW_STATE_MATRIX (object);
  g_array_unref (matrix->heads);
  g_free (matrix->title);
  G_OBJECT_CLASS (flw_state_matrix_parent_class)->finalize (object);
}

static void
flw_state_matrix_class_init (FlwStateMatrixClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  object_class->dispose = flw_state_matrix_dispose;
  object_class->finalize = flw_state_matrix_finalize;
  object_class->get_property = flw_state_matrix_get_property;
  object_class->set_property = flw_state_matrix_set_property;
  widget_class->measure = flw_state_matrix_measure;
  widget_class->size_allocate = flw_state_matrix_size_allocate;
  widget_class->snapshot = flw_state_matrix_snapshot;
  g_object_class_override_property (object_class, PROP_HADJUSTMENT, "hadjustment");
  g_object_class_override_property (object_class, PROP_VADJUSTMENT, "vadjustment");
  g_object_class_override_property (object_class, PROP_HSCROLL_POLICY, "hscroll-policy");
  g_object_class_override_property (object_class, PROP_VSCROLL_POLICY, "vscroll-policy");
  flw_chart_class_init (widget_class, PROP_SUMMARY, "statematrix");
  signals[SELECTED] = g_signal_new ("selected", FLW_TYPE_STATE_MATRIX, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                    G_TYPE_NONE, 2, G_TYPE_UINT, G_TYPE_UINT);
  signals[ACTIVATED] = g_signal_new ("activated", FLW_TYPE_STATE_MATRIX, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                     NULL, G_TYPE_NONE, 2, G_TYPE_UINT, G_TYPE_UINT);
}

static void
flw_state_matrix_init (FlwStateMatrix *matrix)
{
  GtkWidget *widget = GTK_WIDGET (matrix);
  matrix->heads = g_array_new (FALSE, FALSE, sizeof (FlwMatrixHead));
  g_array_set_clear_func (matrix->heads, clear_head);
  matrix->title = g_strdup ("");
  matrix->hover_x = matrix->hover_y = NAN;
  gtk_widget_set_focusable (widget, TRUE);
  gtk_widget_set_overflow (widget, GTK_OVERFLOW_HIDDEN);
  GtkEventController *keys = gtk_event_controller_key_new (), *motion = gtk_event_controller_motion_new ();
  g_signal_connect (keys, "key-pressed", G_CALLBACK (on_key), matrix);
  g_signal_connect (motion, "motion", G_CALLBACK (on_motion), matrix);
  g_signal_connect (motion, "leave", G_CALLBACK (on_leave), matrix);
  gtk_widget_add_controller (widget, keys);
  gtk_widget_add_controller (widget, motion);
  GtkGesture *click = gtk_gesture_click_new ();
  g_signal_connect (click, "pressed", G_CALLBACK (on_pressed), matrix);
  gtk_widget_add_controller (widget, GTK_EVENT_CONTROLLER (click));
}

GtkWidget *
flw_state_matrix_new (void)
{
  return g_object_new (FLW_TYPE_STATE_MATRIX, NULL);
}
