/* fuzz-h5.h: whole HDF5 files out of text, so that what is fuzzed is who reads them and not HDF5. One object a line, words with
 * blanks between:
 *
 *   PATH                                  a group
 *   PATH TYPE DIMS [cDIMS] [z s f qN] N… a dataset: u1 … u8, i1 … i8, f4, f8, big-endian with B behind, e (enum), p (compound);
 *                                         DIMS as 2x8x9 or -; chunks; gzip, shuffle, fletcher32, or the filter N (32008.3:
 *                                         bitshuffle with its parameter 3): the numbers are then a chunk's bytes,
 *                                         else its values, repeated
 *   PATH s TEXT, PATH S TEXT              a text, of variable length
 *   PATH -> PATH, PATH => FILE PATH       a soft, an external link
 *   PATH v TYPE DIMS FILE PATH START COUNT … virtual: parts of others
 *   … @NAME=TEXT @NAME:N,N @NAME;N,N      attributes: text (~: a blank), f8, i4
 *   !                                     what follows lies in the second file
 *
 * FILE: "." the file itself, "A" the second one, else one that is not there. What makes no sense is left out. */
#pragma once

#include <hdf5.h>
#include <string.h>

#include "tests/fuzz/fuzz-file.h"
#include "tests/fuzz/fuzz-words.h"

#define FUZZ_H5_MOST_WRITTEN 8192 /* values; more are declared only */
#define FUZZ_H5_MOST_CHUNK   (1 << 18)

typedef struct
{
  hid_t file;
  char *away;
  char **words;
  guint n;
} FuzzH5;

static inline guint
fuzz_h5_dims (const char *word, hsize_t dims[8])
{
  guint n = 0;
  for (char *end = (char *) word; n < 8 && g_ascii_isdigit (*end); end += *end == 'x')
    dims[n++] = g_ascii_strtoull (end, &end, 10);
  return n;
}

static inline hid_t
fuzz_h5_type (const char *word)
{
  static const char kinds[] = "uif";
  const char *kind = strchr (kinds, *word);
  guint bytes = (guint) g_ascii_digit_value (*word != '\0' ? word[1] : '\0');
  gboolean big = *word != '\0' && word[1] != '\0' && word[2] == 'B';
  hid_t of[3][4] = { { H5T_STD_U8LE, H5T_STD_U16LE, H5T_STD_U32LE, H5T_STD_U64LE },
                     { H5T_STD_I8LE, H5T_STD_I16LE, H5T_STD_I32LE, H5T_STD_I64LE },
                     { -1, -1, H5T_IEEE_F32LE, H5T_IEEE_F64LE } };
  if (*word == 'e')
    return H5Tenum_create (H5T_NATIVE_INT8);
  if (*word == 'p')
    {
      hid_t type = H5Tcreate (H5T_COMPOUND, 8);
      H5Tinsert (type, "a", 0, H5T_NATIVE_FLOAT);
      H5Tinsert (type, "b", 4, H5T_NATIVE_INT);
      return type;
    }
  if (kind == NULL || *kind == '\0' || (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8))
    return -1;
  hid_t plain = of[kind - kinds][bytes == 8 ? 3 : bytes / 2], type = plain > 0 ? H5Tcopy (plain) : -1;
  if (big && type > 0)
    H5Tset_order (type, H5T_ORDER_BE);
  return type;
}

/* What a word of a file means. */
static inline const char *
fuzz_h5_file (const FuzzH5 *self, const char *word)
{
  return strcmp (word, ".") == 0 ? "." : strcmp (word, "A") == 0 ? self->away : "nowhere.h5";
}

static inline double *
fuzz_h5_numbers (char **words, guint n_words, gsize n)
{
  double *values = g_new0 (double, n);
  for (gsize i = 0; n_words > 0 && i < n; i++)
    values[i] = i < n_words ? g_ascii_strtod (words[i], NULL) : values[i - n_words];
  return values;
}

/* A chunk as the words say, unpacked by nobody. */
static inline void
fuzz_h5_raw_chunk (hid_t set, char **words, guint n_words)
{
  static const hsize_t first[8];
  g_autofree guint8 *bytes = g_new0 (guint8, n_words + 1);
  for (guint i = 0; i < n_words; i++)
    bytes[i] = (guint8) g_ascii_strtoull (words[i], NULL, 10);
  H5Dwrite_chunk (set, H5P_DEFAULT, 0, first, n_words, bytes);
}

static inline void
fuzz_h5_other_filter (hid_t create, const char *word, unsigned element)
{
  char *end;
  guint64 id = g_ascii_strtoull (word + 1, &end, 10),
          inside = *end == '.' ? g_ascii_strtoull (end + 1, NULL, 10) : 2;
  H5Pset_filter (create, (H5Z_filter_t) (id & 0xffff), H5Z_FLAG_OPTIONAL, 5,
                 (const unsigned[]){ 0, 2, element, 0, (unsigned) inside });
}

static inline hid_t
fuzz_h5_dataset (FuzzH5 *self, hid_t links, hid_t type)
{
  hsize_t dims[8] = { 0 }, chunk[8] = { 0 }, n = 1, in_chunk = (hsize_t) H5Tget_size (type);
  guint rank = self->n > 2 ? fuzz_h5_dims (self->words[2], dims) : 0, at = MIN (self->n, 3);
  gboolean raw = FALSE, chunked = self->n > 3 && self->words[3][0] == 'c'
                                  && fuzz_h5_dims (self->words[3] + 1, chunk) == rank && rank > 0;
  for (guint i = 0; i < rank; i++)
    {
      n = dims[i] > 0 && n > (G_MAXUINT64 >> 4) / dims[i] ? G_MAXUINT64 >> 4 : n * dims[i];
      in_chunk = chunk[i] > FUZZ_H5_MOST_CHUNK ? G_MAXUINT32 : MIN (in_chunk * chunk[i], G_MAXUINT32);
    }
  if ((!chunked && n > FUZZ_H5_MOST_WRITTEN) || in_chunk > FUZZ_H5_MOST_CHUNK)
    return -1;
  hid_t create = H5Pcreate (H5P_DATASET_CREATE), space = H5Screate_simple ((int) rank, dims, NULL);
  if (chunked)
    H5Pset_chunk (create, (int) rank, chunk);
  for (at += chunked; chunked && at < self->n && strchr ("zsfq", self->words[at][0]) != NULL; at++)
    switch (self->words[at][0])
      {
      case 'z':
        H5Pset_deflate (create, 1);
        break;
      case 's':
        H5Pset_shuffle (create);
        break;
      case 'f':
        H5Pset_fletcher32 (create);
        break;
      default:
        fuzz_h5_other_filter (create, self->words[at], (unsigned) H5Tget_size (type));
        raw = TRUE;
      }
  hid_t set = H5Dcreate2 (self->file, self->words[0], type, space, links, create, H5P_DEFAULT);
  if (set > 0 && raw)
    fuzz_h5_raw_chunk (set, self->words + at, self->n - at);
  else if (set > 0 && n > 0 && n <= FUZZ_H5_MOST_WRITTEN && H5Tget_class (type) != H5T_COMPOUND)
    {
      g_autofree double *values = fuzz_h5_numbers (self->words + at, self->n - at, n);
      H5Dwrite (set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    }
  H5Sclose (space);
  H5Pclose (create);
  return set;
}

static inline hid_t
fuzz_h5_virtual (FuzzH5 *self, hid_t links, hid_t type)
{
  hsize_t dims[8], start[8], count[8];
  guint rank = self->n > 3 ? fuzz_h5_dims (self->words[3], dims) : 0;
  hid_t create = H5Pcreate (H5P_DATASET_CREATE), space = H5Screate_simple ((int) rank, dims, NULL), set = -1;
  for (guint i = 4; rank > 0 && i + 3 < self->n; i += 4)
    if (fuzz_h5_dims (self->words[i + 2], start) == rank && fuzz_h5_dims (self->words[i + 3], count) == rank)
      {
        hid_t source = H5Screate_simple ((int) rank, count, NULL);
        H5Sselect_hyperslab (space, H5S_SELECT_SET, start, NULL, count, NULL);
        H5Pset_virtual (create, space, fuzz_h5_file (self, self->words[i]), self->words[i + 1], source);
        H5Sclose (source);
      }
  H5Sselect_all (space);
  if (rank > 0)
    set = H5Dcreate2 (self->file, self->words[0], type, space, links, create, H5P_DEFAULT);
  H5Sclose (space);
  H5Pclose (create);
  return set;
}

static inline hid_t
fuzz_h5_text (FuzzH5 *self, hid_t links)
{
  const char *text = self->n > 2 ? self->words[2] : "";
  gboolean variable = self->words[1][0] == 'S';
  hid_t type = H5Tcopy (H5T_C_S1), space = H5Screate (H5S_SCALAR);
  H5Tset_size (type, variable ? H5T_VARIABLE : strlen (text) + 1);
  hid_t set = H5Dcreate2 (self->file, self->words[0], type, space, links, H5P_DEFAULT, H5P_DEFAULT);
  if (set > 0)
    H5Dwrite (set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, variable ? (gconstpointer) &text : text);
  H5Sclose (space);
  H5Tclose (type);
  return set;
}

static inline void
fuzz_h5_attribute (hid_t object, char *word)
{
  gsize length = strcspn (word, "=:;");
  char how = word[length];
  if (how == '\0' || length == 0)
    return;
  word[length] = '\0';
  char *text = how == '=' ? g_strdelimit (word + length + 1, "~", ' ') : word + length + 1;
  g_auto (GStrv) items = g_strsplit (text, ",", 64);
  guint n = g_strv_length (items);
  g_autofree double *values = fuzz_h5_numbers (items, n, n);
  hid_t type = H5Tcopy (how == '=' ? H5T_C_S1 : how == ':' ? H5T_NATIVE_DOUBLE : H5T_NATIVE_INT);
  if (how == '=')
    H5Tset_size (type, strlen (text) + 1);
  hid_t space = how == '=' || n == 0 ? H5Screate (H5S_SCALAR) : H5Screate_simple (1, (hsize_t[]){ n }, NULL);
  hid_t attribute = H5Acreate2 (object, word, type, space, H5P_DEFAULT, H5P_DEFAULT);
  if (attribute > 0)
    H5Awrite (attribute, how == '=' ? type : H5T_NATIVE_DOUBLE, how == '=' ? (gconstpointer) text : values);
  H5Aclose (attribute);
  H5Sclose (space);
  H5Tclose (type);
}

static inline hid_t
fuzz_h5_object (FuzzH5 *self, hid_t links)
{
  const char *what = self->n > 1 ? self->words[1] : "";
  if (strcmp (what, "->") == 0 && self->n > 2)
    H5Lcreate_soft (self->words[2], self->file, self->words[0], links, H5P_DEFAULT);
  else if (strcmp (what, "=>") == 0 && self->n > 3)
    H5Lcreate_external (fuzz_h5_file (self, self->words[2]), self->words[3], self->file, self->words[0],
                        links, H5P_DEFAULT);
  else if (strcmp (what, "s") == 0 || strcmp (what, "S") == 0)
    return fuzz_h5_text (self, links);
  else if (*what != '\0')
    {
      gboolean pieces = strcmp (what, "v") == 0;
      hid_t type = fuzz_h5_type (pieces ? (self->n > 2 ? self->words[2] : "") : what), set = -1;
      if (type > 0)
        set = pieces ? fuzz_h5_virtual (self, links, type) : fuzz_h5_dataset (self, links, type);
      H5Tclose (type);
      return set;
    }
  else
    return strcmp (self->words[0], "/") == 0
               ? H5Gopen2 (self->file, "/", H5P_DEFAULT)
               : H5Gcreate2 (self->file, self->words[0], links, H5P_DEFAULT, H5P_DEFAULT);
  return -1;
}

static inline void
fuzz_h5_line (FuzzH5 *self, const char *line, hid_t links)
{
  g_auto (GStrv) all = g_strsplit_set (line, " ", 4096);
  g_autoptr (GPtrArray) words = g_ptr_array_new (), attributes = g_ptr_array_new ();
  for (char **word = all; *word != NULL; word++)
    if (**word == '@')
      g_ptr_array_add (attributes, *word + 1);
    else if (**word != '\0')
      g_ptr_array_add (words, *word);
  if (words->len == 0 || ((char *) words->pdata[0])[0] != '/')
    return;
  self->words = (char **) words->pdata;
  self->n = words->len;
  hid_t object = fuzz_h5_object (self, links);
  for (guint i = 0; object > 0 && i < attributes->len; i++)
    fuzz_h5_attribute (object, attributes->pdata[i]);
  if (object > 0)
    H5Oclose (object);
}

/* Writes both files; the path of the first, which lives on. */
static inline const char *
fuzz_h5_write (const guint8 *data, gsize size)
{
  static char *paths[2];
  for (guint i = 0; i < 2 && paths[1] == NULL; i++)
    paths[i] = g_strdup_printf ("%s/fuzz-%d-%u.h5", g_get_tmp_dir (), (int) getpid (), i);
  H5Eset_auto2 (H5E_DEFAULT, NULL, NULL);
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_auto (GStrv) lines = g_strsplit (text, "\n", 400);
  hid_t links = H5Pcreate (H5P_LINK_CREATE);
  H5Pset_create_intermediate_group (links, 1);
  FuzzH5 self = { .file = H5Fcreate (paths[0], H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), .away = paths[1] };
  for (char **line = lines; *line != NULL; line++)
    if (**line == '!')
      {
        H5Fclose (self.file);
        self.file = H5Fcreate (paths[1], H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
      }
    else
      fuzz_h5_line (&self, *line, links);
  H5Pclose (links);
  H5Fclose (self.file);
  return paths[0];
}
