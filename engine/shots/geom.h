/* geom.h: CrystFEL geometry files, as written (private to the room; detectors are made from them in geom-detector.c).
 *
 * The format: one `key = value` a line, `;` starts a comment. A key without '/' sets a value of the whole detector or a
 * default for the panels that are first named later; `name/key` sets one panel's; names that begin with "bad" are bad
 * regions. Files of before 2012 (`rigid_group_…`, `badrow_direction`, camera length by panel) are read as well.
 * Errors: `file:line: what is wrong, what was expected`. Thread: an FlGeom is immutable once read. */
#pragma once

#include <glib.h>

#define FL_GEOM_MASKS     8
#define FL_GEOM_DIMS      16
#define FL_GEOM_FLAGS     16
#define FL_GEOM_BANDWIDTH 1e-8 /* where none is given */

/* A number in the file, or where to find it in the data. */
typedef struct
{
  char *path;    /* NULL: `value` holds */
  double value;  /* in the unit below */
  double factor; /* of a number found at `path` */
  gboolean set;
} FlGeomValue;

typedef enum
{
  FL_GEOM_BEAM_NONE,
  FL_GEOM_PHOTON_ENERGY,   /* eV */
  FL_GEOM_WAVELENGTH,      /* Å */
  FL_GEOM_ELECTRON_VOLTAGE /* V */
} FlGeomBeam;

enum
{
  FL_GEOM_DIM_NONE = -4,
  FL_GEOM_DIM_FRAME = -3, /* % */
  FL_GEOM_DIM_SS = -2,
  FL_GEOM_DIM_FS = -1 /* 0 and above: a fixed index */
};

typedef struct
{
  char *data; /* dataset path; NULL: this mask is not used */
  char *file; /* NULL: the data file itself */
  guint64 good_bits, bad_bits;
} FlGeomMask;

typedef enum
{
  FL_GEOM_LESS,
  FL_GEOM_MORE,
  FL_GEOM_EQUAL
} FlGeomFlagKind;

typedef struct
{
  FlGeomFlagKind kind;
  double value;
} FlGeomFlag;

typedef struct
{
  char *name;
  guint line;                         /* where it is named first */
  int min_fs, max_fs, min_ss, max_ss; /* in the data array, inclusive; INT_MIN = not given */
  double corner_x, corner_y;          /* px; NAN = not given */
  double fs[3], ss[3];                /* px steps; fs[0] NAN = not given */
  double coffset;                     /* m */
  double res;                         /* px/m; NAN = not given */
  double adu_per_photon, adu_per_ev;  /* NAN = not given */
  double max_adu;                     /* INFINITY = not given */
  char *data;                         /* with % for path elements that change with the frame */
  int dims[FL_GEOM_DIMS];
  guint n_dims;
  FlGeomMask masks[FL_GEOM_MASKS];
  guint mask_edge; /* px */
  gboolean no_index;
  FlGeomFlag flags[FL_GEOM_FLAGS];
  guint n_flags;
  char *saturation_map, *saturation_map_file;
  FlGeomValue clen; /* mm; of old files that have one for each panel */
} FlGeomPanel;

typedef struct
{
  char *name;
  guint line;
  char *panel;                       /* NULL: the limits are x and y in the laboratory */
  double min_x, max_x, min_y, max_y; /* px; NAN = not given */
  double min_fs, max_fs, min_ss, max_ss;
} FlGeomBad;

typedef struct
{
  char *name;
  char **members;
  gboolean collection; /* of rigid groups */
} FlGeomGroup;

typedef struct
{
  char *path;
  FlGeomBeam beam_kind;
  FlGeomValue beam;
  FlGeomValue clen, shift_x, shift_y; /* mm */
  double bandwidth;                   /* fraction, one sigma */
  char *peak_list, *peak_list_type;
  GArray *panels;      /* of FlGeomPanel, in the file's order, those with no_index included */
  GArray *bad;         /* of FlGeomBad */
  GArray *groups;      /* of FlGeomGroup */
  GArray *rigid;       /* of FlGeomGroup: rigid_group_… lines, as written */
  GPtrArray *comments; /* of char *: lines that are nothing else */
  GPtrArray *notes;    /* of char *: what was passed over, or taken for granted */
} FlGeom;

FlGeom *fl_geom_read (const char *path, GError **error);
/* The same from text; `path` names it in messages. `text` need not end with NUL. */
FlGeom *fl_geom_parse (const char *path, const char *text, gsize length, GError **error);
void fl_geom_free (FlGeom *geom);

/* For readers of other forms: an empty one, panels with nothing set, and the check that the reader of text makes. The panel is
 * valid until the next is added. */
FlGeom *fl_geom_new (const char *path);
FlGeomPanel *fl_geom_add_panel (FlGeom *geom, const char *name);
void fl_geom_add_group (GArray *groups, const char *name, char **members,
                        gboolean collection); /* takes members */
/* One line, whatever the text holds. */
void fl_geom_add_comment (FlGeom *geom, const char *text);
gboolean fl_geom_finish (FlGeom *geom, GError **error);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlGeom, fl_geom_free)
