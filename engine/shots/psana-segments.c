#include "engine/shots/psana-segments.h"

#include <math.h>
#include <string.h>

#define MAX_SIDE 65536

const char *const fl_psana_composed[] = { "SENS2X1:V1",   "EPIX10KA:V1",   "EPIX10KA:V2",
                                          "JUNGFRAU:V2",  "JUNGFRAU:V1",   "EPIX100:V1",
                                          "EPIXHR2X2:V1", "EPIXUHR3X2:V1", NULL };

/* ASICs in rows and columns with gaps (px) between them, the middle of all at the origin. `up`: y grows with the row. */
typedef struct
{
  const char *name;
  guint n_rows, n_cols, asic_rows, asic_cols;
  double pixel, gap; /* µm, px */
  gboolean up;
} Regular;

static const Regular regular[] = {
  { "SENS2X1:V1", 1, 2, 185, 194, 109.92, 3, FALSE },  { "EPIX10KA:V1", 2, 2, 176, 192, 100, 3, FALSE },
  { "EPIX10KA:V2", 2, 2, 176, 192, 100, 2.5, FALSE },  { "EPIXHR2X2:V1", 2, 2, 144, 192, 100, 2.5, FALSE },
  { "EPIX100:V1", 2, 2, 352, 384, 50, 5, TRUE },       { "JUNGFRAU:V1", 2, 4, 256, 256, 75, 2, FALSE },
  { "JUNGFRAU:V2", 2, 4, 256, 256, 75, 2, TRUE },      { "EPIXMASIC:V1", 1, 1, 192, 384, 50, 0, FALSE },
  { "EPIXUHRASIC:V1", 1, 1, 168, 192, 100, 0, FALSE }, { "EPIXUHR3X2:V1", 2, 3, 168, 192, 100, 3.25, FALSE }
};

static void
fill_regular (const Regular *r, FlPsanaSegment *segment)
{
  double sign = r->up ? 1 : -1, half_x, half_y;
  *segment = (FlPsanaSegment){ .n_rows = r->n_rows,
                               .n_cols = r->n_cols,
                               .asic_rows = r->asic_rows,
                               .asic_cols = r->asic_cols,
                               .fs = fl_vec3 (r->pixel, 0, 0),
                               .ss = fl_vec3 (0, sign * r->pixel, 0) };
  half_x = (r->n_cols * r->asic_cols + (r->n_cols - 1) * r->gap) / 2;
  half_y = (r->n_rows * r->asic_rows + (r->n_rows - 1) * r->gap) / 2;
  for (guint a = 0; a < r->n_rows * r->n_cols; a++)
    segment->corner[a] = fl_vec3 (((a % r->n_cols) * (r->asic_cols + r->gap) - half_x) * r->pixel,
                                  sign * ((a / r->n_cols) * (r->asic_rows + r->gap) - half_y) * r->pixel, 0);
}

static gboolean
read_side (const char *text, guint *side)
{
  char *end;
  guint64 v = g_ascii_strtoull (text, &end, 10);
  *side = (guint) v;
  return end != text && *end == '\0' && v >= 1 && v <= MAX_SIDE && g_ascii_isdigit (*text);
}

static gboolean
read_pitch (const char *text, double *pitch)
{
  char *end;
  *pitch = g_ascii_strtod (text, &end);
  return end != text && *end == '\0' && *pitch > 1e-3 && *pitch < 1e6;
}

/* ROWS:COLUMNS:ROW_SIZE:COLUMN_SIZE. The first version has x along the rows' index, y along the columns' and the middle of
 * pixel (0, 0) at the origin; the second has the middle of all there. */
static gboolean
fill_matrix (const char *numbers, gboolean second, FlPsanaSegment *segment)
{
  g_auto (GStrv) words = g_strsplit (numbers, ":", 5);
  double row, column;
  *segment = (FlPsanaSegment){ .n_rows = 1, .n_cols = 1 };
  if (g_strv_length (words) != 4 || !read_side (words[0], &segment->asic_rows)
      || !read_side (words[1], &segment->asic_cols) || !read_pitch (words[2], &row)
      || !read_pitch (words[3], &column))
    return FALSE;
  segment->fs = second ? fl_vec3 (column, 0, 0) : fl_vec3 (0, column, 0);
  segment->ss = second ? fl_vec3 (0, -row, 0) : fl_vec3 (row, 0, 0);
  double from_fs = second ? segment->asic_cols / 2.0 : 0.5, from_ss = second ? segment->asic_rows / 2.0 : 0.5;
  segment->corner[0] =
      fl_vec3_add (fl_vec3_scale (segment->fs, -from_fs), fl_vec3_scale (segment->ss, -from_ss));
  return TRUE;
}

gboolean
fl_psana_segment_find (const char *name, FlPsanaSegment *segment)
{
  for (gsize i = 0; i < G_N_ELEMENTS (regular); i++)
    if (strcmp (regular[i].name, name) == 0)
      {
        fill_regular (&regular[i], segment);
        return TRUE;
      }
  if (strcmp (name, "PNCCD:V1") == 0)
    return fill_matrix ("512:512:75:75", FALSE, segment);
  if (g_str_has_prefix (name, "MTRX:V2:"))
    return fill_matrix (name + strlen ("MTRX:V2:"), TRUE, segment);
  return g_str_has_prefix (name, "MTRX:") && fill_matrix (name + strlen ("MTRX:"), FALSE, segment);
}
