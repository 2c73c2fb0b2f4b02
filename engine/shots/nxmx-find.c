#include "engine/shots/nxmx-find.h"

#include <string.h>

#include "engine/base/error.h"

static void
detector_clear (gpointer data)
{
  FlNxmxDetector *detector = data;
  g_free (detector->group);
  g_strfreev (detector->modules);
  g_free (detector->data);
}

void
fl_nxmx_parts_clear (FlNxmxParts *parts)
{
  g_free (parts->entry);
  g_free (parts->beam);
  g_clear_pointer (&parts->detectors, g_array_unref);
  g_clear_pointer (&parts->notes, g_ptr_array_unref);
  *parts = (FlNxmxParts){ 0 };
}

gboolean
fl_h5_image_shape (hid_t file, const char *path, guint *rank, hsize_t dims[H5S_MAX_RANK], FlPixelType *type)
{
  g_auto (FlHid) object = fl_h5_exists (file, path) ? H5Oopen (file, path, H5P_DEFAULT) : -1;
  if (object < 0 || H5Iget_type (object) != H5I_DATASET)
    return FALSE;
  g_auto (FlHid) space = H5Dget_space (object);
  g_auto (FlHid) file_type = H5Dget_type (object);
  int n = H5Sget_simple_extent_dims (space, dims, NULL);
  *rank = (guint) MAX (n, 0);
  return n >= 2 && n <= 4 && fl_h5_pixel_type (file_type, type) && dims[n - 1] > 0 && dims[n - 2] > 0
         && dims[n - 1] < 1 << 20 && dims[n - 2] < 1 << 20;
}

/* --- groups --- */

static char *
below (const char *group, const char *name)
{
  return g_strdup_printf ("%s/%s", strcmp (group, "/") == 0 ? "" : group, name);
}

/* Paths of the children of a class; of the one called `usual` when none has it. */
static GPtrArray *
find_groups (hid_t file, const char *group, const char *class, const char *usual)
{
  GPtrArray *found = g_ptr_array_new_with_free_func (g_free);
  g_auto (GStrv) names = fl_h5_children (file, group, class);
  for (char **name = names; *name != NULL; name++)
    g_ptr_array_add (found, below (group, *name));
  g_autofree char *path = usual != NULL ? below (group, usual) : NULL;
  if (found->len == 0 && path != NULL && fl_h5_exists (file, path))
    g_ptr_array_add (found, g_steal_pointer (&path));
  return found;
}

static gboolean
is_nxmx (hid_t file, const char *entry)
{
  g_autofree char *path = below (entry, "definition");
  g_autofree char *definition = fl_h5_read_text (file, path);
  return g_strcmp0 (definition, "NXmx") == 0;
}

/* The first entry that says NXmx, else /entry, else the first with an instrument that is none of CXI's. */
static char *
find_entry (hid_t file, gboolean *nxmx)
{
  g_autoptr (GPtrArray) entries = find_groups (file, "/", "NXentry", "entry");
  for (guint i = 0; i < entries->len; i++)
    if (is_nxmx (file, entries->pdata[i]))
      {
        *nxmx = TRUE;
        return g_strdup (entries->pdata[i]);
      }
  *nxmx = FALSE;
  if (fl_h5_exists (file, "/entry"))
    return g_strdup ("/entry");
  for (guint i = 0; i < entries->len; i++)
    {
      g_autoptr (GPtrArray) instruments = find_groups (file, entries->pdata[i], "NXinstrument", "instrument");
      if (instruments->len > 0 && strcmp (entries->pdata[i], "/entry_1") != 0)
        return g_strdup (entries->pdata[i]);
    }
  return NULL;
}

static void
find_beam (hid_t file, FlNxmxParts *parts, const GPtrArray *instruments)
{
  g_autoptr (GPtrArray) places = find_groups (file, parts->entry, "NXsample", "sample");
  for (guint i = 0; i < instruments->len; i++)
    g_ptr_array_insert (places, (gint) i, g_strdup (instruments->pdata[i]));
  for (guint i = 0; i < parts->detectors->len; i++)
    g_ptr_array_add (places, g_strdup (g_array_index (parts->detectors, FlNxmxDetector, i).group));
  for (guint i = 0; i < places->len; i++)
    {
      g_autoptr (GPtrArray) beams = find_groups (file, places->pdata[i], "NXbeam", "beam");
      for (guint k = 0; parts->beam == NULL && k < beams->len; k++)
        {
          static const char *const names[] = { "incident_wavelength", "wavelength", "incident_energy" };
          for (guint j = 0; parts->beam == NULL && j < G_N_ELEMENTS (names); j++)
            {
              g_autofree char *path = below (beams->pdata[k], names[j]);
              if (fl_h5_exists (file, path))
                parts->beam = g_strdup (beams->pdata[k]);
            }
        }
    }
}

/* Modules may hold modules (quadrants, ASICs): those count that hold none. */
static void
add_modules (hid_t file, const char *group, GPtrArray *modules, guint depth)
{
  g_autoptr (GPtrArray) found = find_groups (file, group, "NXdetector_module", NULL);
  for (guint i = 0; i < found->len && depth < 8; i++)
    {
      guint before = modules->len;
      add_modules (file, found->pdata[i], modules, depth + 1);
      if (modules->len == before)
        g_ptr_array_add (modules, g_strdup (found->pdata[i]));
    }
}

static void
add_detectors (hid_t file, FlNxmxParts *parts, const char *instrument, gboolean usual)
{
  g_autoptr (GPtrArray) groups = find_groups (file, instrument, "NXdetector_group", NULL);
  g_autoptr (GPtrArray) found = find_groups (file, instrument, "NXdetector", usual ? "detector" : NULL);
  for (guint i = 0; i < found->len; i++)
    {
      GPtrArray *modules = g_ptr_array_new ();
      add_modules (file, found->pdata[i], modules, 0);
      g_ptr_array_add (modules, NULL);
      FlNxmxDetector detector = { .group = g_strdup (found->pdata[i]),
                                  .modules = (char **) g_ptr_array_free (modules, FALSE) };
      g_array_append_val (parts->detectors, detector);
    }
  for (guint i = 0; i < groups->len; i++)
    add_detectors (file, parts, groups->pdata[i], FALSE);
}

/* --- images --- */

static gboolean
is_number_of_dectris (const char *name)
{
  return g_str_has_prefix (name, "data_") && strlen (name) > 5
         && strspn (name + 5, "0123456789") == strlen (name) - 5;
}

/* Dectris announces more data sets than it may write: links behind the last file that is there lead nowhere. One that
 * is missing before another is a loss. */
static gboolean
check_numbered (hid_t file, const char *file_path, const char *group, char **names, FlNxmxParts *parts,
                char **first, GError **error)
{
  g_autofree char *lost = NULL, *lost_link = NULL;
  guint n_lost = 0;
  for (char **name = names; *name != NULL; name++)
    {
      if (!is_number_of_dectris (*name))
        continue;
      g_autofree char *path = below (group, *name);
      g_autofree char *missing = fl_h5_external_file (file, path, TRUE);
      if (missing != NULL)
        {
          n_lost++;
          if (lost == NULL)
            {
              lost = g_steal_pointer (&missing);
              lost_link = g_strdup (*name);
            }
        }
      else if (lost != NULL)
        break;
      else if (*first == NULL)
        *first = g_steal_pointer (&path);
    }
  gboolean between = FALSE;
  for (char **name = names; lost != NULL && *name != NULL; name++)
    if (is_number_of_dectris (*name) && strcmp (*name, lost_link) > 0)
      {
        g_autofree char *path = below (group, *name);
        between |= fl_h5_exists (file, path);
      }
  if (lost != NULL && (*first == NULL || between))
    return fl_h5_fail (error, FL_ERROR_MISSING, file_path,
                       "%s is in the file %s, which is not there, expected it beside this one", lost_link,
                       lost);
  if (lost != NULL)
    g_ptr_array_add (parts->notes,
                     g_strdup_printf ("%s is in the file %s, which is not there: %u data sets at "
                                      "the end are left out",
                                      lost_link, lost, n_lost));
  return TRUE;
}

/* Takes `path` as a detector's images when it is some; an external file that is missing is an error. */
static gboolean
take_images (hid_t file, const char *file_path, const char *path, FlNxmxDetector *detector, GError **error)
{
  if (path == NULL || detector->data != NULL)
    return TRUE;
  g_autofree char *missing = fl_h5_external_file (file, path, TRUE);
  if (missing != NULL)
    return fl_h5_fail (error, FL_ERROR_MISSING, file_path,
                       "%s is in the file %s, which is not there, expected it beside this one", path,
                       missing);
  if (fl_h5_image_shape (file, path, &detector->rank, detector->dims, &detector->type))
    detector->data = g_strdup (path);
  return TRUE;
}

/* Images of an NXdata group: its signal, `data`, numbered ones, or whatever images it has. */
static gboolean
find_in_data (hid_t file, const char *file_path, const char *group, FlNxmxParts *parts,
              FlNxmxDetector *detector, GError **error)
{
  g_autofree char *signal = fl_h5_attribute_text (file, group, "signal");
  g_auto (GStrv) names = fl_h5_children (file, group, NULL);
  g_autofree char *first = NULL, *data = below (group, "data");
  g_autofree char *signal_path = signal != NULL && *signal != '\0' ? below (group, signal) : NULL;
  gboolean numbered = signal != NULL && is_number_of_dectris (signal);
  if ((!numbered && !take_images (file, file_path, signal_path, detector, error))
      || !take_images (file, file_path, data, detector, error))
    return FALSE;
  if (detector->data != NULL)
    return TRUE;
  if (!check_numbered (file, file_path, group, names, parts, &first, error)
      || !take_images (file, file_path, first, detector, error))
    return FALSE;
  if (detector->data != NULL)
    {
      parts->numbered = TRUE;
      g_free (detector->data);
      detector->data = below (group, "data_%");
    }
  for (char **name = names; *name != NULL; name++)
    {
      g_autofree char *path = below (group, *name);
      if (!is_number_of_dectris (*name) && !take_images (file, file_path, path, detector, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
same_object (hid_t file, const char *a, const char *b)
{
  H5O_info_t x, y;
  return H5Oget_info_by_name2 (file, a, &x, H5O_INFO_BASIC, H5P_DEFAULT) >= 0
         && H5Oget_info_by_name2 (file, b, &y, H5O_INFO_BASIC, H5P_DEFAULT) >= 0 && x.fileno == y.fileno
         && x.addr == y.addr;
}

/* Several detectors: each with images of its own, when that is how the file is made. Gives how many have. */
static guint
find_own_images (hid_t file, FlNxmxParts *parts)
{
  guint n = 0;
  const char *first = NULL;
  for (guint i = 0; i < parts->detectors->len; i++)
    {
      FlNxmxDetector *detector = &g_array_index (parts->detectors, FlNxmxDetector, i);
      g_autofree char *path = below (detector->group, "data");
      if (fl_h5_exists (file, path) && !(first != NULL && same_object (file, first, path))
          && take_images (file, "", path, detector, NULL) && detector->data != NULL)
        {
          first = detector->data;
          n++;
        }
    }
  return n;
}

static void
clone_images (FlNxmxDetector *to, const FlNxmxDetector *from)
{
  to->data = g_strdup (from->data);
  to->rank = from->rank;
  to->type = from->type;
  memcpy (to->dims, from->dims, sizeof to->dims);
}

static gboolean
find_images (hid_t file, const char *file_path, FlNxmxParts *parts, GError **error)
{
  GArray *detectors = parts->detectors;
  if (detectors->len > 1)
    {
      guint n = find_own_images (file, parts);
      for (guint i = detectors->len; i-- > 0;)
        {
          FlNxmxDetector *detector = &g_array_index (detectors, FlNxmxDetector, i);
          if (n > 1 && detector->data == NULL)
            g_array_remove_index (detectors, i);
          else if (n == 1)
            g_clear_pointer (&detector->data, g_free);
        }
      if (n > 1)
        return TRUE;
    }
  FlNxmxDetector *first = &g_array_index (detectors, FlNxmxDetector, 0);
  g_autoptr (GPtrArray) groups = find_groups (file, parts->entry, "NXdata", "data");
  for (guint i = 0; i < groups->len && first->data == NULL; i++)
    if (!find_in_data (file, file_path, groups->pdata[i], parts, first, error))
      return FALSE;
  g_autofree char *own = below (first->group, "data");
  if (!take_images (file, file_path, own, first, error))
    return FALSE;
  /* Detectors that share one array are told apart by where their modules lie in it. */
  for (guint i = detectors->len; i-- > 1 && first->data != NULL;)
    {
      FlNxmxDetector *detector = &g_array_index (detectors, FlNxmxDetector, i);
      if (detector->modules[0] == NULL || first->modules[0] == NULL)
        g_array_remove_index (detectors, i);
      else
        clone_images (detector, first);
    }
  return TRUE;
}

gboolean
fl_nxmx_find (hid_t file, const char *file_path, FlNxmxParts *parts, GError **error)
{
  *parts = (FlNxmxParts){ .detectors = g_array_new (FALSE, TRUE, sizeof (FlNxmxDetector)),
                          .notes = g_ptr_array_new_with_free_func (g_free) };
  g_array_set_clear_func (parts->detectors, detector_clear);
  parts->entry = find_entry (file, &parts->is_nxmx);
  if (parts->entry == NULL)
    return FALSE;
  g_autoptr (GPtrArray) instruments = find_groups (file, parts->entry, "NXinstrument", "instrument");
  for (guint i = 0; i < instruments->len; i++)
    add_detectors (file, parts, instruments->pdata[i], TRUE);
  find_beam (file, parts, instruments);
  if (parts->detectors->len == 0)
    {
      /* Data files of Dectris have images alone. */
      FlNxmxDetector none = { .group = g_strdup_printf ("%s/instrument/detector", parts->entry),
                              .modules = g_new0 (char *, 1) };
      g_array_append_val (parts->detectors, none);
    }
  return find_images (file, file_path, parts, error);
}
