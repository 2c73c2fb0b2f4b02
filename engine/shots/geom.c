#include "engine/shots/geom-values.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/shots/geom-check.h"

typedef struct
{
  FlGeom *geom;
  FlGeomPanel defaults;
  guint line;
  guint default_line;      /* of a default that no panel has taken up yet; 0 = none */
  GHashTable *panel_index; /* name → index + 1 */
  GHashTable *bad_index;
  GHashTable *passed_over; /* keys that are not known */
  GError **error;
} Parser;

static gboolean G_GNUC_PRINTF (3, 4) fail_at (Parser *parser, guint line, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *message = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (parser->error, FL_ERROR, FL_ERROR_INPUT, "%s:%u: %s", parser->geom->path, line, message);
  return FALSE;
}

static void G_GNUC_PRINTF (2, 3) note (Parser *parser, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_ptr_array_add (parser->geom->notes, g_strdup_vprintf (format, args));
  va_end (args);
}

/* --- panels --- */

static void
panel_init (FlGeomPanel *panel)
{
  *panel = (FlGeomPanel){ .min_fs = INT_MIN,
                          .max_fs = INT_MIN,
                          .min_ss = INT_MIN,
                          .max_ss = INT_MIN,
                          .corner_x = NAN,
                          .corner_y = NAN,
                          .fs = { NAN },
                          .ss = { NAN },
                          .res = NAN,
                          .adu_per_photon = NAN,
                          .adu_per_ev = NAN,
                          .max_adu = INFINITY };
  for (int i = 0; i < FL_GEOM_DIMS; i++)
    panel->dims[i] = FL_GEOM_DIM_NONE;
}

/* Gives a panel that was copied bit by bit its own strings. */
static void
panel_own_strings (FlGeomPanel *panel)
{
  panel->name = g_strdup (panel->name);
  panel->data = g_strdup (panel->data);
  panel->saturation_map = g_strdup (panel->saturation_map);
  panel->saturation_map_file = g_strdup (panel->saturation_map_file);
  panel->clen.path = g_strdup (panel->clen.path);
  for (int i = 0; i < FL_GEOM_MASKS; i++)
    {
      panel->masks[i].data = g_strdup (panel->masks[i].data);
      panel->masks[i].file = g_strdup (panel->masks[i].file);
    }
}

static void
panel_clear (gpointer data)
{
  FlGeomPanel *panel = data;
  g_free (panel->name);
  g_free (panel->data);
  g_free (panel->saturation_map);
  g_free (panel->saturation_map_file);
  g_free (panel->clen.path);
  for (int i = 0; i < FL_GEOM_MASKS; i++)
    {
      g_free (panel->masks[i].data);
      g_free (panel->masks[i].file);
    }
}

static FlGeomPanel *
find_panel (Parser *parser, const char *name)
{
  GArray *panels = parser->geom->panels;
  guint index = GPOINTER_TO_UINT (g_hash_table_lookup (parser->panel_index, name));
  if (index == 0)
    {
      FlGeomPanel panel = parser->defaults;
      panel.name = (char *) name;
      panel.line = parser->line;
      panel_own_strings (&panel);
      g_array_append_val (panels, panel);
      index = panels->len;
      g_hash_table_insert (parser->panel_index, g_strdup (name), GUINT_TO_POINTER (index));
      parser->default_line = 0;
    }
  return &g_array_index (panels, FlGeomPanel, index - 1);
}

static void
set_text (char **field, const char *value)
{
  g_free (*field);
  *field = g_strdup (value);
}

static const FlGeomUnit length_units[] = { { "m", 1e3 }, { "mm", 1 }, { NULL, 0 } };

/* mask, mask_file, mask_good, mask_bad, maskN_data, … FALSE: the key is none of them. */
static gboolean
set_mask (FlGeomPanel *panel, const char *key, const char *value, const char **expected)
{
  if (!g_str_has_prefix (key, "mask"))
    return FALSE;
  const char *rest = key + 4;
  guint n = 0;
  if (g_ascii_isdigit (*rest))
    n = (guint) (*rest++ - '0');
  FlGeomMask *mask = &panel->masks[n % FL_GEOM_MASKS];
  if (strcmp (rest, "_data") == 0 || *rest == '\0')
    set_text (&mask->data, value);
  else if (strcmp (rest, "_file") == 0)
    set_text (&mask->file, value);
  else if (strcmp (rest, "_goodbits") == 0 || strcmp (rest, "_good") == 0)
    *expected = fl_geom_bits (value, &mask->good_bits);
  else if (strcmp (rest, "_badbits") == 0 || strcmp (rest, "_bad") == 0)
    *expected = fl_geom_bits (value, &mask->bad_bits);
  else
    *expected =
        "mask, mask_file, mask_good or mask_bad, or maskN_data, _file, _goodbits or _badbits as its name";
  if (n >= FL_GEOM_MASKS)
    *expected = "a mask number from 0 to 7";
  return TRUE;
}

static gboolean
set_flag (FlGeomPanel *panel, const char *key, const char *value, const char **expected)
{
  static const char *const names[] = { "flag_lessthan", "flag_morethan", "flag_equal" };
  for (int kind = FL_GEOM_LESS; kind <= FL_GEOM_EQUAL; kind++)
    if (strcmp (key, names[kind]) == 0)
      {
        FlGeomFlag flag = { .kind = (FlGeomFlagKind) kind };
        *expected =
            panel->n_flags == FL_GEOM_FLAGS ? "no more than 16 of them" : fl_geom_limit (value, &flag.value);
        if (*expected == NULL || *expected == fl_geom_more)
          panel->flags[panel->n_flags++] = flag;
        return TRUE;
      }
  return FALSE;
}

static gboolean
set_dim (FlGeomPanel *panel, const char *key, const char *value, const char **expected)
{
  int n;
  if (!g_str_has_prefix (key, "dim") || fl_geom_int (key + 3, &n) != NULL)
    return FALSE;
  if (n < 0 || n >= FL_GEOM_DIMS)
    *expected = "a dimension from dim0 to dim15";
  else if ((*expected = fl_geom_dim (value, &panel->dims[n])) == NULL)
    panel->n_dims = MAX (panel->n_dims, (guint) n + 1);
  return TRUE;
}

/* Sets what a panel or the defaults may have. FALSE: the key is none of it; else *expected says what was wrong. */
static gboolean
set_panel_field (FlGeomPanel *panel, const char *key, const char *value, const char **expected)
{
  const struct
  {
    const char *name;
    int *i;
    double *r, *other, *limit, *direction; /* other: what this takes the place of */
    char **text;
  } fields[] = {
    { "min_fs", .i = &panel->min_fs },
    { "max_fs", .i = &panel->max_fs },
    { "min_ss", .i = &panel->min_ss },
    { "max_ss", .i = &panel->max_ss },
    { "corner_x", .r = &panel->corner_x },
    { "corner_y", .r = &panel->corner_y },
    { "coffset", .r = &panel->coffset },
    { "res", .r = &panel->res },
    { "adu_per_photon", .r = &panel->adu_per_photon, .other = &panel->adu_per_ev },
    { "adu_per_eV", .r = &panel->adu_per_ev, .other = &panel->adu_per_photon },
    { "max_adu", .limit = &panel->max_adu },
    { "fs", .direction = panel->fs },
    { "ss", .direction = panel->ss },
    { "data", .text = &panel->data },
    { "saturation_map", .text = &panel->saturation_map },
    { "saturation_map_file", .text = &panel->saturation_map_file },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (fields); i++)
    if (strcmp (fields[i].name, key) == 0)
      {
        if (fields[i].i != NULL)
          *expected = fl_geom_int (value, fields[i].i);
        else if (fields[i].r != NULL)
          *expected = fl_geom_real (value, fields[i].r);
        else if (fields[i].limit != NULL)
          *expected = fl_geom_limit (value, fields[i].limit);
        else if (fields[i].direction != NULL)
          *expected = fl_geom_direction (value, fields[i].direction);
        else
          set_text (fields[i].text, value);
        if (fields[i].other != NULL)
          *fields[i].other = NAN;
        return TRUE;
      }
  if (strcmp (key, "no_index") == 0)
    *expected = fl_geom_bool (value, &panel->no_index);
  else if (strcmp (key, "mask_edge_pixels") == 0)
    {
      int n = 0;
      *expected = fl_geom_int (value, &n);
      if (n < 0)
        *expected = "a width of 0 or more";
      panel->mask_edge = (guint) MAX (n, 0);
    }
  else
    return set_dim (panel, key, value, expected) || set_flag (panel, key, value, expected)
           || set_mask (panel, key, value, expected);
  return TRUE;
}

/* --- the whole detector --- */

void
fl_geom_add_group (GArray *groups, const char *name, char **members, gboolean collection)
{
  FlGeomGroup group = { g_strdup (name), members, collection };
  g_array_append_val (groups, group);
}

/* group_NAME, rigid_group_NAME and rigid_group_collection_NAME. */
static gboolean
set_group (FlGeom *geom, const char *key, const char *value)
{
  static const char *const prefixes[] = { "rigid_group_collection_", "rigid_group_", "group_" };
  for (guint i = 0; i < G_N_ELEMENTS (prefixes); i++)
    if (g_str_has_prefix (key, prefixes[i]))
      {
        char **members = g_strsplit (value, ",", -1);
        for (char **member = members; *member != NULL; member++)
          g_strstrip (*member);
        fl_geom_add_group (i < 2 ? geom->rigid : geom->groups, key + strlen (prefixes[i]), members, i == 0);
        return TRUE;
      }
  return g_str_has_prefix (key, "rigid_group");
}

/* Sets what only the whole detector has. FALSE: the key is none of it. */
static gboolean
set_top_field (Parser *parser, const char *key, const char *value, const char **expected)
{
  static const FlGeomUnit energy[] = { { "eV", 1 }, { "keV", 1e3 }, { NULL, 0 } };
  static const FlGeomUnit wavelength[] = { { "m", 1e10 }, { "A", 1 }, { NULL, 0 } };
  static const FlGeomUnit voltage[] = { { "V", 1 }, { "kV", 1e3 }, { NULL, 0 } };
  static const struct
  {
    const char *name;
    const FlGeomUnit *units;
    double bare;
  } beams[] = { { "photon_energy", energy, 1 },
                { "wavelength", wavelength, 0 },
                { "electron_voltage", voltage, 0 } };
  FlGeom *geom = parser->geom;
  for (gsize i = 0; i < G_N_ELEMENTS (beams); i++)
    if (strcmp (key, beams[i].name) == 0)
      {
        *expected = fl_geom_value (value, beams[i].units, beams[i].bare, beams[i].bare, &geom->beam);
        geom->beam_kind = (FlGeomBeam) (FL_GEOM_PHOTON_ENERGY + i);
        return TRUE;
      }
  if (strcmp (key, "clen") == 0)
    *expected = fl_geom_value (value, length_units, 1e3, 1, &geom->clen);
  else if (strcmp (key, "detector_shift_x") == 0)
    *expected = fl_geom_value (value, length_units, 1e3, 1e3, &geom->shift_x);
  else if (strcmp (key, "detector_shift_y") == 0)
    *expected = fl_geom_value (value, length_units, 1e3, 1e3, &geom->shift_y);
  else if (strcmp (key, "bandwidth") == 0)
    *expected = fl_geom_real (value, &geom->bandwidth);
  else if (strcmp (key, "peak_list") == 0)
    set_text (&geom->peak_list, value);
  else if (strcmp (key, "peak_list_type") == 0)
    set_text (&geom->peak_list_type, value);
  else
    return set_group (geom, key, value);
  return TRUE;
}

static gboolean
set_bad_field (Parser *parser, const char *name, const char *key, const char *value, const char **expected)
{
  GArray *regions = parser->geom->bad;
  guint index = GPOINTER_TO_UINT (g_hash_table_lookup (parser->bad_index, name));
  if (index == 0)
    {
      FlGeomBad bad = { g_strdup (name), parser->line, NULL, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN };
      g_array_append_val (regions, bad);
      index = regions->len;
      g_hash_table_insert (parser->bad_index, g_strdup (name), GUINT_TO_POINTER (index));
    }
  FlGeomBad *bad = &g_array_index (regions, FlGeomBad, index - 1);
  const struct
  {
    const char *name;
    double *r;
  } fields[] = { { "min_x", &bad->min_x },   { "max_x", &bad->max_x },   { "min_y", &bad->min_y },
                 { "max_y", &bad->max_y },   { "min_fs", &bad->min_fs }, { "max_fs", &bad->max_fs },
                 { "min_ss", &bad->min_ss }, { "max_ss", &bad->max_ss } };
  for (gsize i = 0; i < G_N_ELEMENTS (fields); i++)
    if (strcmp (fields[i].name, key) == 0)
      {
        *expected = fl_geom_real (value, fields[i].r);
        return TRUE;
      }
  if (strcmp (key, "panel") != 0)
    return FALSE;
  set_text (&bad->panel, value);
  return TRUE;
}

/* --- lines --- */

static gboolean
set_field (Parser *parser, const char *owner, const char *key, const char *value)
{
  const char *expected = NULL;
  gboolean known;
  if (owner == NULL)
    {
      known = set_top_field (parser, key, value, &expected);
      if (!known && (known = set_panel_field (&parser->defaults, key, value, &expected)))
        parser->default_line = parser->line;
    }
  else if (g_str_has_prefix (owner, "bad"))
    known = set_bad_field (parser, owner, key, value, &expected);
  else
    {
      FlGeomPanel *panel = find_panel (parser, owner);
      known = TRUE;
      if (strcmp (key, "clen") == 0)
        expected = fl_geom_value (value, length_units, 1e3, 1, &panel->clen);
      else
        known = set_panel_field (panel, key, value, &expected);
    }
  if (!known && g_hash_table_add (parser->passed_over, g_strdup (key)))
    note (parser, "line %u: '%s' is not known and passed over", parser->line, key);
  if (expected == fl_geom_more)
    {
      if (g_hash_table_add (parser->passed_over, g_strdup_printf ("%s =", key)))
        note (parser, "line %u: %s is '%s': what stands behind the number is passed over", parser->line, key,
              value);
      return TRUE;
    }
  return expected == NULL || fail_at (parser, parser->line, "%s is '%s', expected %s", key, value, expected);
}

void
fl_geom_add_comment (FlGeom *geom, const char *text)
{
  char *line = fl_one_line (g_utf8_make_valid (text, -1), ' ');
  g_ptr_array_add (geom->comments, g_strchomp (line));
}

/* "; text", without the one space that sets it off. CrystFEL knows no '#', but files have it. */
static gboolean
keep_comment (Parser *parser, const char *line)
{
  const char *text = line + strspn (line, " \t");
  if (*text != ';' && *text != '#')
    return FALSE;
  if (*text == '#' && g_hash_table_add (parser->passed_over, g_strdup ("#")))
    note (parser, "line %u: '#' is taken for ';', CrystFEL knows it not", parser->line);
  text += text[1] == ' ' ? 2 : 1;
  fl_geom_add_comment (parser->geom, text);
  return TRUE;
}

/* Spaces that do not break, from texts that went through a word processor, become plain ones. */
static void
make_plain (char *line)
{
  for (char *c = line; (c = strstr (c, "\xc2\xa0")) != NULL; c++)
    c[0] = c[1] = ' ';
}

static gboolean
read_line (Parser *parser, char *line)
{
  make_plain (line);
  if (keep_comment (parser, line))
    return TRUE;
  line[strcspn (line, ";")] = '\0';
  g_strstrip (line);
  if (*line == '\0')
    return TRUE;
  char *equals = strchr (line, '=');
  if (equals == NULL)
    return fail_at (parser, parser->line, "'%.60s' has no '=', expected `key = value`", line);
  *equals = '\0';
  char *key = g_strstrip (line);
  char *value = g_strstrip (equals + 1);
  if (*value == '\0' && !g_str_has_prefix (key, "rigid_group"))
    return fail_at (parser, parser->line, "'%.60s' has no value", key);
  char *slash = strchr (key, '/');
  if (slash == NULL)
    return set_field (parser, NULL, key, value);
  *slash = '\0';
  if (*g_strchomp (key) == '\0')
    return fail_at (parser, parser->line, "a panel's name is missing before '/'");
  return set_field (parser, key, g_strchug (slash + 1), value);
}

static gboolean
finish (Parser *parser)
{
  FlGeom *geom = parser->geom;
  if (geom->panels->len == 0)
    {
      g_set_error (parser->error, FL_ERROR, FL_ERROR_INPUT, "%s: no panel, expected a CrystFEL geometry",
                   geom->path);
      return FALSE;
    }
  if (parser->default_line != 0)
    return fail_at (parser, parser->default_line, "a default that no panel below takes up");
  return fl_geom_check (geom, parser->panel_index, parser->error);
}

static void
bad_clear (gpointer data)
{
  FlGeomBad *bad = data;
  g_free (bad->name);
  g_free (bad->panel);
}

static void
group_clear (gpointer data)
{
  FlGeomGroup *group = data;
  g_free (group->name);
  g_strfreev (group->members);
}

FlGeom *
fl_geom_new (const char *path)
{
  FlGeom *geom = g_new0 (FlGeom, 1);
  geom->path = g_strdup (path);
  geom->bandwidth = FL_GEOM_BANDWIDTH;
  geom->panels = g_array_new (FALSE, FALSE, sizeof (FlGeomPanel));
  geom->bad = g_array_new (FALSE, FALSE, sizeof (FlGeomBad));
  geom->groups = g_array_new (FALSE, FALSE, sizeof (FlGeomGroup));
  geom->rigid = g_array_new (FALSE, FALSE, sizeof (FlGeomGroup));
  geom->comments = g_ptr_array_new_with_free_func (g_free);
  geom->notes = g_ptr_array_new_with_free_func (g_free);
  g_array_set_clear_func (geom->panels, panel_clear);
  g_array_set_clear_func (geom->bad, bad_clear);
  g_array_set_clear_func (geom->groups, group_clear);
  g_array_set_clear_func (geom->rigid, group_clear);
  return geom;
}

FlGeomPanel *
fl_geom_add_panel (FlGeom *geom, const char *name)
{
  FlGeomPanel panel;
  panel_init (&panel);
  panel.name = g_strdup (name);
  g_array_append_val (geom->panels, panel);
  return &g_array_index (geom->panels, FlGeomPanel, geom->panels->len - 1);
}

gboolean
fl_geom_finish (FlGeom *geom, GError **error)
{
  g_autoptr (GHashTable) panel_index = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < geom->panels->len; i++)
    g_hash_table_insert (panel_index, g_array_index (geom->panels, FlGeomPanel, i).name,
                         GUINT_TO_POINTER (i + 1));
  return fl_geom_check (geom, panel_index, error);
}

FlGeom *
fl_geom_parse (const char *path, const char *text, gsize length, GError **error)
{
  g_autoptr (FlGeom) geom = fl_geom_new (path);
  g_autoptr (GHashTable) panel_index = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GHashTable) bad_index = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GHashTable) passed_over = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  Parser parser = { .geom = geom,
                    .panel_index = panel_index,
                    .bad_index = bad_index,
                    .passed_over = passed_over,
                    .error = error };
  static const char byte_order_mark[] = "\xef\xbb\xbf";
  panel_init (&parser.defaults);
  gboolean ok = TRUE;
  if (memchr (text, 0, length) != NULL)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: not text, expected a CrystFEL geometry", path);
      ok = FALSE;
    }
  for (gsize at = length >= 3 && memcmp (text, byte_order_mark, 3) == 0 ? 3 : 0; ok && at < length;)
    {
      gsize end = at;
      while (end < length && text[end] != '\n' && text[end] != '\r')
        end++;
      g_autofree char *line = g_utf8_make_valid (text + at, (gssize) (end - at));
      parser.line++;
      ok = read_line (&parser, line);
      at = end + (end + 1 < length && text[end] == '\r' && text[end + 1] == '\n' ? 2 : 1);
    }
  ok = ok && finish (&parser);
  panel_clear (&parser.defaults);
  return ok ? g_steal_pointer (&geom) : NULL;
}

FlGeom *
fl_geom_read (const char *path, GError **error)
{
  g_autofree char *text = NULL;
  gsize length;
  g_autoptr (GError) local = NULL;
  if (!g_file_get_contents (path, &text, &length, &local))
    {
      g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: %s, expected a CrystFEL geometry", path,
                   g_strerror (local->code == G_FILE_ERROR_NOENT ? ENOENT : EIO));
      return NULL;
    }
  return fl_geom_parse (path, text, length, error);
}

void
fl_geom_free (FlGeom *geom)
{
  if (geom == NULL)
    return;
  g_free (geom->path);
  g_free (geom->beam.path);
  g_free (geom->clen.path);
  g_free (geom->shift_x.path);
  g_free (geom->shift_y.path);
  g_free (geom->peak_list);
  g_free (geom->peak_list_type);
  g_array_unref (geom->panels);
  g_array_unref (geom->bad);
  g_array_unref (geom->groups);
  g_array_unref (geom->rigid);
  g_ptr_array_unref (geom->comments);
  g_ptr_array_unref (geom->notes);
  g_free (geom);
}
