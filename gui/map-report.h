/* map-report.h: what `firstlight-engine map` says of its maps (map.json), read without trust: bounded, a damaged text says so.
 * Thread: any. */
#pragma once

#include <glib.h>

#define FLG_MOST_MAP_PEAKS 500 /* of a map */

typedef struct
{
  double place[3];        /* Å */
  double sigmas, density; /* of the difference map; e/Å³ */
  char *atom;             /* "CYS A 64 SG"; "" */
  double distance;        /* Å to that atom */
} FlgMapPeak;

typedef struct
{
  double d_min, completeness;        /* Å, 0–1; NAN: not said */
  double r_work, r_free;             /* NAN */
  double r_iso;                      /* of what was subtracted; NAN */
  double sigmas_at_atoms;            /* of 2mFo − DFc; NAN */
  char *space_group, *model, *minus; /* minus: the file that was subtracted; "" */
  double atoms;                      /* of the model; 0: the phases came from an MTZ file */
  gboolean has_change;               /* fo-fo.ccp4 */
  GArray *peaks, *change_peaks; /* FlgMapPeak, of mFo − DFc and of Fo − Fo, in the order of the file */
} FlgMapReport;

/* FL_ERROR_INPUT: not JSON, or nothing of a map in it. */
FlgMapReport *flg_map_report_parse (const char *text, gsize length, GError **error);
void flg_map_report_free (FlgMapReport *report);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlgMapReport, flg_map_report_free)
/* "R 0.332 · free R 0.329 · to 1.90 Å, 99.7 % complete · P 43 21 2 · 2.5 σ at atoms". */
char *flg_map_report_words (const FlgMapReport *report);
