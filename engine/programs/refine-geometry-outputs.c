/* What refine-geometry says and leaves: the table, refined.geom, geometry.json. */
#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/programs/geometry-job.h"
#include "engine/programs/json-text.h"
#include "engine/shots/geom-layout.h"

#define GEOMETRY   "refined.geom"
#define ROUND_TRIP 1e-4 /* px: what the written file may be off by */

/* One line of the table: a member of a level, its residuals, how it moved (mm and rad). */
typedef struct
{
  const char *level, *name;
  FlResidualMean before, after;
  double moved[FL_GEOMETRY_AXES], sigma[FL_GEOMETRY_AXES];
  gboolean held; /* too few reflections: no motion of its own */
} Line;

static double
pixel_size (const FlGeometryJob *job, guint panel)
{
  return fl_vec3_norm (job->detector->panels[panel].fs);
}

/* --- how things moved --- */

/* `number`: of the member in FlGeometryResult.moved. */
static void
set_motion (const FlGeometryJob *job, guint number, FlGeometryLevel level, guint member, Line *line)
{
  const FlGeometryResult *r = &job->result;
  gsize at = (gsize) FL_GEOMETRY_AXES * number;
  gboolean any = level == FL_GEOMETRY_WHOLE;
  memcpy (line->moved, r->moved + at, sizeof line->moved);
  memcpy (line->sigma, r->moved_sigma + at, sizeof line->sigma);
  for (guint i = 0; i < r->levels->n; i++)
    any |= r->levels->parameters[i].level == level && r->levels->parameters[i].member == member;
  line->held = !any && fl_params_choice (job->params, "geometry.level") >= (guint) level;
}

/* A panel that is its group, or a group that is all, moves with that. */
static gboolean
is_alone (const FlGeometryJob *job, guint panel)
{
  guint n = 0;
  for (guint i = 0; i < job->detector->n_panels; i++)
    n += job->groups.of_panel[i] == job->groups.of_panel[panel];
  return n == 1;
}

static GArray *
make_lines (const FlGeometryJob *job)
{
  GArray *lines = g_array_new (FALSE, TRUE, sizeof (Line));
  for (guint i = 0; i < 1 + (job->groups.n > 1 ? job->groups.n : 0); i++)
    {
      guint group = i == 0 ? G_MAXUINT : i - 1;
      Line line = { .level = i == 0 ? "detector" : "group",
                    .name = i == 0 ? "" : job->groups.names[group],
                    .before = fl_residual_group (job, &job->before, group),
                    .after = fl_residual_group (job, &job->after, group) };
      set_motion (job, i, i == 0 ? FL_GEOMETRY_WHOLE : FL_GEOMETRY_GROUPS, i == 0 ? 0 : group, &line);
      g_array_append_val (lines, line);
    }
  for (guint i = 0; i < job->detector->n_panels; i++)
    {
      const FlResidualMap *a = &job->before, *b = &job->after;
      Line line = { .level = "panel",
                    .name = job->detector->panels[i].name,
                    .before = fl_residual_mean (a->bin + a->first[i], a->first[i + 1] - a->first[i]),
                    .after = fl_residual_mean (b->bin + b->first[i], b->first[i + 1] - b->first[i]) };
      set_motion (job, 1 + job->groups.n + i, FL_GEOMETRY_PANELS, i, &line);
      line.held = line.held && !is_alone (job, i);
      g_array_append_val (lines, line);
    }
  return lines;
}

/* --- the table --- */

/* Of an r.m.s. of n values. */
static double
error_of (double rms, guint64 n)
{
  return rms / sqrt (2.0 * (double) MAX (n, 1));
}

static void
print_rms (double rms, guint64 n)
{
  if (n > 0)
    printf (" %7.3f ± %5.3f", rms, error_of (rms, n));
  else
    printf (" %7s   %5s", "–", "");
}

static void
print_line (const FlGeometryJob *job, const Line *line)
{
  double px = pixel_size (job, 0);
  printf ("%-8s %-12s %9" G_GUINT64_FORMAT, line->level, line->name, line->after.n);
  print_rms (line->before.radial, line->before.n);
  print_rms (line->after.radial, line->after.n);
  print_rms (line->before.transverse, line->before.n);
  print_rms (line->after.transverse, line->after.n);
  printf ("  %+8.3f ± %5.3f %+8.3f ± %5.3f %+8.4f ± %6.4f %+7.3f ± %5.3f%s\n", line->moved[0] / px,
          line->sigma[0] / px, line->moved[1] / px, line->sigma[1] / px, line->moved[2], line->sigma[2],
          1e3 * line->moved[5], 1e3 * line->sigma[5], line->held ? "  too few reflections: stays" : "");
}

static void
print_table (const FlGeometryJob *job, const GArray *lines)
{
  printf ("%-8s %-12s %9s %31s %31s   %16s %16s %17s %15s\n%-8s %-12s %9s %15s %15s %15s %15s\n", "", "",
          "reflec-", "radial r.m.s. (px)", "transverse r.m.s. (px)", "moved x (px)", "y (px)", "z (mm)",
          "turned (mrad)", "level", "name", "tions", "before", "after", "before", "after");
  for (guint i = 0; i < lines->len; i++)
    print_line (job, &g_array_index (lines, Line, i));
}

/* --- shifts in time --- */

/* Of window w: x, y, z (mm) and their standard deviations. */
static void
window_shift (const FlGeometryJob *job, guint w, double shift[3], double sigma[3])
{
  const FlGeometryResult *r = &job->result;
  for (guint i = 0; i < r->levels->n; i++)
    {
      const FlGeometryParameter *p = &r->levels->parameters[i];
      if (p->level != FL_GEOMETRY_WINDOWS || p->member != w)
        continue;
      shift[p->axis] = r->value[i];
      sigma[p->axis] = r->sigma[i];
    }
}

static char *
window_name (const FlGeometryJob *job, const FlGeometryWindow *window)
{
  g_autofree char *input = g_path_get_basename (job->inputs[window->input]);
  return fl_params_choice (job->params, "geometry.window") == 1
             ? g_steal_pointer (&input)
             : g_strdup_printf ("%s shots %" G_GUINT64_FORMAT "–%" G_GUINT64_FORMAT, input, window->first,
                                window->last);
}

static void
print_windows (const FlGeometryJob *job)
{
  double px = pixel_size (job, 0);
  if (job->result.levels->n_windows == 0)
    return;
  printf ("\n%-40s %9s %16s %16s %17s\n", "shift of the detector in", "lattices", "x (px)", "y (px)",
          "z (mm)");
  for (guint i = 0; i < job->windows->len; i++)
    {
      const FlGeometryWindow *window = &g_array_index (job->windows, FlGeometryWindow, i);
      double shift[3] = { 0 }, sigma[3] = { 0 };
      g_autofree char *name = window_name (job, window);
      window_shift (job, i, shift, sigma);
      printf ("%-40s %9" G_GUINT64_FORMAT " %+8.3f ± %5.3f %+8.3f ± %5.3f %+8.4f ± %6.4f\n", name,
              window->lattices, shift[0] / px, sigma[0] / px, shift[1] / px, sigma[1] / px, shift[2],
              sigma[2]);
    }
}

/* --- JSON --- */

static void
json_numbers (GString *out, const char *name, const double *values, guint n)
{
  g_string_append_printf (out, ", \"%s\": [", name);
  for (guint i = 0; i < n; i++)
    {
      g_string_append (out, i > 0 ? ", " : "");
      fl_json_real (out, values[i], 8);
    }
  g_string_append_c (out, ']');
}

static void
json_mean (GString *out, const char *name, const FlResidualMean *mean)
{
  const double values[] = { mean->radial,     error_of (mean->radial, mean->n),
                            mean->transverse, error_of (mean->transverse, mean->n),
                            mean->x,          mean->y };
  static const char *const names[] = { "radial",           "radial_sigma", "transverse",
                                       "transverse_sigma", "mean_x",       "mean_y" };
  g_string_append_printf (out, ",\n   \"%s\": {\"reflections\": %" G_GUINT64_FORMAT, name, mean->n);
  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    {
      g_string_append_printf (out, ", \"%s\": ", names[i]);
      fl_json_real (out, values[i], 6);
    }
  g_string_append_c (out, '}');
}

static void
json_lines (GString *out, const GArray *lines)
{
  g_string_append (out, ",\n \"members\": [");
  for (guint i = 0; i < lines->len; i++)
    {
      const Line *line = &g_array_index (lines, Line, i);
      g_string_append (out, i > 0 ? ",\n  {\"level\": " : "\n  {\"level\": ");
      fl_json_text (out, line->level);
      g_string_append (out, ", \"name\": ");
      fl_json_text (out, line->name);
      json_mean (out, "before", &line->before);
      json_mean (out, "after", &line->after);
      json_numbers (out, "moved", line->moved, FL_GEOMETRY_AXES);
      json_numbers (out, "sigma", line->sigma, FL_GEOMETRY_AXES);
      g_string_append_printf (out, ", \"stays\": %s}", line->held ? "true" : "false");
    }
  g_string_append (out, "]");
}

static void
json_windows (const FlGeometryJob *job, GString *out)
{
  g_string_append (out, ",\n \"windows\": [");
  for (guint i = 0; job->result.levels->n_windows > 0 && i < job->windows->len; i++)
    {
      const FlGeometryWindow *window = &g_array_index (job->windows, FlGeometryWindow, i);
      double shift[3] = { 0 }, sigma[3] = { 0 };
      window_shift (job, i, shift, sigma);
      g_string_append (out, i > 0 ? ",\n  {\"input\": " : "\n  {\"input\": ");
      fl_json_text (out, job->inputs[window->input]);
      g_string_append_printf (out,
                              ", \"first_shot\": %" G_GUINT64_FORMAT ", \"last_shot\": %" G_GUINT64_FORMAT
                              ", \"lattices\": %" G_GUINT64_FORMAT,
                              window->first, window->last, window->lattices);
      json_numbers (out, "shift", shift, 3);
      json_numbers (out, "sigma", sigma, 3);
      g_string_append_c (out, '}');
    }
  g_string_append (out, "]");
}

static gboolean
write_json (const FlGeometryJob *job, const GArray *lines, const char *path, GError **error)
{
  const FlGeometryResult *r = &job->result;
  g_autoptr (GString) out = g_string_new ("{\"geometry\": ");
  fl_json_text (out, job->path);
  g_string_append (out, ",\n \"groups\": ");
  fl_json_text (out, job->groups.source);
  g_string_append_printf (
      out,
      ",\n \"lattices\": %" G_GUINT64_FORMAT ", \"of_another_cell\": %" G_GUINT64_FORMAT
      ", \"used\": %" G_GUINT64_FORMAT
      ", \"rounds\": %u, \"steps\": %u, \"converged\": %s,\n \"cell_told\": %s, \"pixel_mm\": ",
      job->n_lattices, job->n_strange, r->after.n_lattices, r->rounds, r->steps,
      r->converged ? "true" : "false", job->cell_told ? "true" : "false");
  fl_json_real (out, pixel_size (job, 0), 9);
  g_string_append (out, ",\n \"sigma_before_px\": ");
  fl_json_real (out, r->before.sigma, 6);
  g_string_append (out, ", \"sigma_after_px\": ");
  fl_json_real (out, r->after.sigma, 6);
  g_string_append (
      out, ",\n \"units\": \"residuals px; moved and sigma: x, y, z mm, turns about x, y, z rad, of the "
           "detector as a whole, of a group relative to it, of a panel in all\"");
  json_lines (out, lines);
  json_windows (job, out);
  g_string_append (out, "}\n");
  return g_file_set_contents (path, out->str, (gssize) out->len, error);
}

/* --- the geometry --- */

static gboolean
check_written (const FlGeometryJob *job, const char *path, const char *text, GError **error)
{
  g_autoptr (FlGeom) geom = fl_geom_parse (path, text, strlen (text), error);
  g_autoptr (FlGeomLayout) layout = geom != NULL ? fl_geom_layout_new (geom, error) : NULL;
  if (layout == NULL)
    return FALSE;
  g_autoptr (FlGeom) old = fl_geom_parse (job->path, job->text, strlen (job->text), NULL);
  /* What the images add to both. */
  double clen = job->detector->panels[0].origin.z;
  for (guint i = 0; i < old->panels->len; i++)
    if (strcmp (g_array_index (old->panels, FlGeomPanel, i).name, job->detector->panels[0].name) == 0)
      clen -= 1e3 * g_array_index (old->panels, FlGeomPanel, i).coffset;
  if (geom->clen.set && geom->clen.path == NULL)
    clen = geom->clen.value;
  g_autoptr (FlDetector) back = fl_geom_detector (geom, layout, clen, 0);
  for (guint i = 0; i < back->n_panels; i++)
    for (guint corner = 0; corner < 4; corner++)
      {
        const FlPanel *a = &job->result.detector->panels[i], *b = &back->panels[i];
        double fs = corner % 2 * a->n_fs, ss = corner / 2 * a->n_ss;
        FlVec3 off = fl_vec3_sub (fl_panel_position (a, fs, ss), fl_panel_position (b, fs, ss));
        if (fl_vec3_norm (off) < ROUND_TRIP * fl_vec3_norm (a->fs))
          continue;
        g_set_error (error, FL_ERROR, FL_ERROR_FAILED,
                     "%s: panel %s would be read back %g px off where it is, expected %g", path, a->name,
                     fl_vec3_norm (off) / fl_vec3_norm (a->fs), ROUND_TRIP);
        return FALSE;
      }
  return TRUE;
}

static gboolean
write_geometry (const FlGeometryJob *job, const char *path, GError **error)
{
  g_autofree char *here = g_get_current_dir ();
  g_autofree char *beside = g_path_get_dirname (job->path);
  g_autofree char *folder =
      g_path_is_absolute (beside) ? g_strdup (beside) : g_build_filename (here, beside, NULL);
  g_autofree char *own = fl_geometry_file_anchor (job->text, folder);
  g_autofree char *text = fl_geometry_file_move (job->path, own, job->detector, job->result.detector, error);
  return text != NULL && check_written (job, path, text, error)
         && g_file_set_contents (path, text, -1, error);
}

static void
print_total (const FlGeometryJob *job)
{
  const FlGeometryResult *r = &job->result;
  if (!job->cell_told)
    printf ("no cell is told: the median of the lattices stands for it, and the distance is held\n");
  if (!r->converged)
    printf ("the panels still move after %u rounds: take the result as a start, and refine again\n",
            r->rounds);
  if (job->n_strange > 0)
    printf ("%" G_GUINT64_FORMAT " lattices of another cell were left out\n", job->n_strange);
  printf ("%" G_GUINT64_FORMAT " lattices, %" G_GUINT64_FORMAT " used, %" G_GUINT64_FORMAT
          " reflections, %.3f px before, %.3f px after\n",
          job->n_lattices, r->after.n_lattices, r->after.n_pairs, r->before.rmsd, r->after.rmsd);
}

gboolean
fl_geometry_job_write (FlGeometryJob *job, GError **error)
{
  g_autofree char *geometry = g_build_filename (job->out, GEOMETRY, NULL);
  g_autofree char *json = g_build_filename (job->out, "geometry.json", NULL);
  g_autoptr (GArray) lines = make_lines (job);
  if (!write_geometry (job, geometry, error) || !write_json (job, lines, json, error)
      || !fl_geometry_job_write_maps (job, error))
    return FALSE;
  printf ("%s: groups by %s\n", geometry, job->groups.source);
  print_table (job, lines);
  print_windows (job);
  print_total (job);
  return TRUE;
}
