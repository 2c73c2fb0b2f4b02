#include <math.h>

#include "widgets/state-matrix-private.h"
#include "widgets/tag-chips.h"

#define GLYPH 13
#define GAP   1 /* px between cells */

typedef struct
{
  FlwStateMatrix *matrix;
  cairo_t *cr;
  PangoLayout *layout; /* one for all: setting its text costs less than a new one */
  FlwBox body;
  double dx, dy;
} Pen;

/* Left and middle of the text at (x, y), cut to `room`; returns its width. */
static double
put_text (const Pen *pen, const char *text, double x, double y, double room, guint32 rgb)
{
  int width, height;
  if (room < 8)
    return 0;
  pango_layout_set_text (pen->layout, text, -1);
  pango_layout_set_width (pen->layout, (int) (room * PANGO_SCALE));
  pango_layout_get_pixel_size (pen->layout, &width, &height);
  cairo_move_to (pen->cr, round (x), round (y - height / 2.0));
  flw_set_source (pen->cr, rgb, 1);
  pango_cairo_show_layout (pen->cr, pen->layout);
  cairo_new_path (pen->cr);
  return width;
}

static void
rectangle (const Pen *pen, double x, double y, double width, double height, guint32 rgb, double alpha)
{
  flw_set_source (pen->cr, rgb, alpha);
  cairo_rectangle (pen->cr, x, y, width, height);
  cairo_fill (pen->cr);
}

static void
draw_words (const Pen *pen, const FlwMatrixCell *cell, double x, double y, double room)
{
  char words[32] = "";
  if (cell->progress >= 0)
    g_snprintf (words, sizeof words, "%.0f %%", 100 * CLAMP (cell->progress, 0.f, 1.f));
  if (cell->count > 1)
    g_snprintf (words + strlen (words), sizeof words - strlen (words), "%s×%u", *words ? " " : "",
                cell->count);
  if (*words)
    put_text (pen, words, x, y, room, FLW_TEXT);
}

static void
draw_cell (const Pen *pen, guint row, guint column, double x, double y, double width)
{
  FlwStateMatrix *matrix = pen->matrix;
  FlwMatrixCell cell = { .state = FLW_MATRIX_EMPTY, .progress = -1 };
  matrix->funcs->cell (row, column, &cell, matrix->data);
  double w = width - GAP, h = FLW_MATRIX_ROW - GAP;
  if (cell.state >= matrix->n_states)
    {
      rectangle (pen, x, y, w, h, FLW_PLATE, 0.35);
      return;
    }
  const FlwMatrixState *state = &matrix->states[cell.state];
  guint32 rgb = flw_tone_colour (state->tone);
  double strength = cell.dim ? 0.3 : 1;
  rectangle (pen, x, y, w, h, rgb, (state->tone == FLW_TONE_NEUTRAL ? 0.13 : 0.26) * strength);
  if (cell.progress >= 0)
    rectangle (pen, x, y, w * CLAMP (cell.progress, 0.f, 1.f), h, rgb, 0.3 * strength);
  gboolean words = cell.progress >= 0 || cell.count > 1;
  double glyph_x = words ? x + 8 : x + floor ((w - GLYPH) / 2);
  flw_set_source (pen->cr, rgb, cell.dim ? 0.45 : 1);
  flw_shape_draw (pen->cr, state->shape, glyph_x, y + floor ((h - GLYPH) / 2), GLYPH);
  if (words && !cell.dim)
    draw_words (pen, &cell, glyph_x + GLYPH + 6, y + h / 2, w - GLYPH - 18);
}

static void
draw_chips (const Pen *pen, const FlwMatrixRow *row, double x, double middle, double right)
{
  for (guint i = 0; row->tags && row->tags[i]; i++)
    {
      int width, height;
      pango_layout_set_text (pen->layout, row->tags[i], -1);
      pango_layout_set_width (pen->layout, -1);
      pango_layout_get_pixel_size (pen->layout, &width, &height);
      if (x + width + 12 > right)
        {
          put_text (pen, "…", x, middle, right - x, FLW_DIM);
          return;
        }
      rectangle (pen, x, middle - 9, width + 12, 18, row->colours[i], 1);
      put_text (pen, row->tags[i], x + 6, middle, width + 2, flw_tag_text_colour (row->colours[i]));
      x += width + 16;
    }
}

static void
draw_row_head (const Pen *pen, guint row, double y, double side)
{
  FlwMatrixRow out = { .label = "" };
  pen->matrix->funcs->row (row, &out, pen->matrix->data);
  double middle = y + FLW_MATRIX_ROW / 2.0,
         label = put_text (pen, out.label, 12, middle, side - 20, FLW_TEXT);
  draw_chips (pen, &out, 12 + fmax (label + 12, 70), middle, side - 6);
}

static void
draw_rows (const Pen *pen)
{
  FlwStateMatrix *matrix = pen->matrix;
  const FlwBox *body = &pen->body;
  guint first = (guint) (pen->dy / FLW_MATRIX_ROW);
  guint end = MIN (matrix->n_rows, (guint) ((pen->dy + body->height) / FLW_MATRIX_ROW) + 1);
  for (guint row = first; row < end; row++)
    {
      double y = body->y + row * FLW_MATRIX_ROW - pen->dy;
      cairo_save (pen->cr);
      cairo_rectangle (pen->cr, body->x, body->y, body->width, body->height);
      cairo_clip (pen->cr);
      for (guint c = 0; c < matrix->heads->len; c++)
        {
          const FlwMatrixHead *head = &g_array_index (matrix->heads, FlwMatrixHead, c);
          double x = body->x + head->x - pen->dx;
          if (x + head->width > body->x && x < body->x + body->width)
            draw_cell (pen, row, c, x, y, head->width);
        }
      cairo_restore (pen->cr);
      cairo_save (pen->cr);
      cairo_rectangle (pen->cr, 0, body->y, body->x, body->height);
      cairo_clip (pen->cr);
      draw_row_head (pen, row, y, body->x);
      cairo_restore (pen->cr);
    }
}

/* Groups are headed where they begin, or at the edge while they are scrolled through. */
static void
draw_heads (const Pen *pen)
{
  FlwStateMatrix *matrix = pen->matrix;
  const FlwBox *body = &pen->body;
  put_text (pen, matrix->title, 12, FLW_MATRIX_HEAD * 0.75, body->x - 20, FLW_DIM);
  cairo_save (pen->cr);
  cairo_rectangle (pen->cr, body->x, 0, body->width, FLW_MATRIX_HEAD);
  cairo_clip (pen->cr);
  for (guint c = 0; c < matrix->heads->len;)
    {
      const FlwMatrixHead *head = &g_array_index (matrix->heads, FlwMatrixHead, c), *last = head;
      guint end = c;
      for (; end < matrix->heads->len; end++)
        {
          const FlwMatrixHead *h = &g_array_index (matrix->heads, FlwMatrixHead, end);
          if (!g_str_equal (h->group, head->group))
            break;
          put_text (pen, h->title, body->x + h->x - pen->dx + 8, FLW_MATRIX_HEAD * 0.75, h->width - 12,
                    FLW_DIM);
          last = h;
        }
      double x = body->x + head->x - pen->dx, right = body->x + last->x + last->width - pen->dx;
      double from = fmax (x, body->x);
      put_text (pen, head->group, from + 8, FLW_MATRIX_HEAD * 0.27, right - from - 12, FLW_TEXT);
      if (c > 0)
        rectangle (pen, x - 1, 4, 1, FLW_MATRIX_HEAD - 8, FLW_RULE, 1);
      c = end;
    }
  cairo_restore (pen->cr);
  rectangle (pen, 0, FLW_MATRIX_HEAD - 1, body->x + body->width, 1, FLW_GRID, 1);
}

static void
draw_legend (const Pen *pen, double width, double height)
{
  double x = 12, middle = height - FLW_MATRIX_LEGEND / 2.0;
  rectangle (pen, 0, height - FLW_MATRIX_LEGEND, width, FLW_MATRIX_LEGEND, FLW_PLATE, 1);
  for (guint i = 0; i < pen->matrix->n_states; i++)
    {
      const FlwMatrixState *state = &pen->matrix->states[i];
      int text;
      pango_layout_set_text (pen->layout, state->name, -1);
      pango_layout_set_width (pen->layout, -1);
      pango_layout_get_pixel_size (pen->layout, &text, NULL);
      if (x + GLYPH + 6 + text > width - 8)
        return;
      flw_set_source (pen->cr, flw_tone_colour (state->tone), 1);
      flw_shape_draw (pen->cr, state->shape, x, middle - GLYPH / 2.0, GLYPH);
      put_text (pen, state->name, x + GLYPH + 6, middle, text + 2, FLW_DIM);
      x += GLYPH + 6 + text + 16;
    }
}

static void
draw_cursor (const Pen *pen)
{
  FlwStateMatrix *matrix = pen->matrix;
  const FlwBox *body = &pen->body;
  if (!matrix->selected)
    return;
  const FlwMatrixHead *head = &g_array_index (matrix->heads, FlwMatrixHead, matrix->column);
  cairo_save (pen->cr);
  cairo_rectangle (pen->cr, body->x, body->y, body->width, body->height);
  cairo_clip (pen->cr);
  flw_set_source (pen->cr, FLW_FOCUS, 1);
  cairo_set_line_width (pen->cr, 2);
  cairo_rectangle (pen->cr, body->x + head->x - pen->dx + 1,
                   body->y + matrix->row * FLW_MATRIX_ROW - pen->dy + 1, head->width - GAP - 2,
                   FLW_MATRIX_ROW - GAP - 2);
  cairo_stroke (pen->cr);
  cairo_restore (pen->cr);
}

static void
draw_hover (FlwStateMatrix *matrix, GtkSnapshot *snapshot, double width, double height)
{
  guint row, column;
  if (!flw_state_matrix_at (matrix, matrix->hover_x, matrix->hover_y, &row, &column))
    return;
  g_autofree char *text = matrix->funcs->describe (row, column, matrix->data);
  if (text && *text)
    flw_text_callout (GTK_WIDGET (matrix), snapshot, text, matrix->hover_x, matrix->hover_y,
                      &GRAPHENE_RECT_INIT (0, 0, (float) width, (float) height));
}

void
flw_matrix_draw (FlwStateMatrix *matrix, GtkSnapshot *snapshot)
{
  GtkWidget *widget = GTK_WIDGET (matrix);
  double width = gtk_widget_get_width (widget), height = gtk_widget_get_height (widget);
  const graphene_rect_t bounds = GRAPHENE_RECT_INIT (0, 0, (float) width, (float) height);
  flw_fill (snapshot, 0, 0, width, height, FLW_GROUND, 1);
  if (!matrix->funcs)
    return;
  g_autoptr (PangoLayout) layout = flw_text_layout (widget, FLW_POINTS_SMALL, FALSE, "");
  pango_layout_set_single_paragraph_mode (layout, TRUE);
  pango_layout_set_ellipsize (layout, PANGO_ELLIPSIZE_END);
  Pen pen = { matrix,
              gtk_snapshot_append_cairo (snapshot, &bounds),
              layout,
              flw_matrix_body (matrix),
              flw_matrix_offset (matrix, GTK_ORIENTATION_HORIZONTAL),
              flw_matrix_offset (matrix, GTK_ORIENTATION_VERTICAL) };
  draw_rows (&pen);
  draw_heads (&pen);
  draw_cursor (&pen);
  draw_legend (&pen, width, height);
  cairo_destroy (pen.cr);
  flw_draw_focus (widget, snapshot);
  draw_hover (matrix, snapshot, width, height);
}
