#include "engine/shots/xtc2.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/error.h"

enum
{
  DATAGRAM_HEADER = 24,
  XTC_HEADER = 12,
  NAME_INFO = 1036,
  NAME = 524,
  TEXT = 256,
  CORRUPTED = 1 << 3,
  DEPTH = 16,
  DATAGRAM_MAX = 1 << 30 /* bytes; recorders stop at 16 MiB unless they are told otherwise */
};

enum /* what an xtc contains */
{
  PARENT,
  SHAPES_DATA,
  SHAPES,
  DATA,
  NAMES
};

struct FlXtc2
{
  char *path;
  int fd;
  GArray *datagrams;     /* FlXtc2Datagram */
  GPtrArray *configures; /* of GPtrArray of FlXtc2Names */
  guint8 *bytes;         /* the last datagram that was read */
  gsize allocated;
};

typedef struct
{
  guint32 src, extent;
  guint16 damage, contains;
  const guint8 *payload;
  gsize length;
} Xtc;

static guint32
u32_at (const guint8 *p)
{
  return p[0] | (guint32) p[1] << 8 | (guint32) p[2] << 16 | (guint32) p[3] << 24;
}

static guint16
u16_at (const guint8 *p)
{
  return (guint16) (p[0] | p[1] << 8);
}

static gboolean G_GNUC_PRINTF (3, 4) fail (const FlXtc2 *file, GError **error, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *message = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "%s: %s", file->path, message);
  return FALSE;
}

gsize
fl_xtc2_type_size (FlXtc2Type type)
{
  static const gsize sizes[] = { 1, 2, 4, 8, 1, 2, 4, 8, 4, 8, 1, 4, 4 };
  return sizes[type];
}

const char *
fl_xtc2_service_name (guint service)
{
  static const char *const names[] = { "ClearReadout", "Reset",     "Configure", "Unconfigure", "BeginRun",
                                       "EndRun",       "BeginStep", "EndStep",   "Enable",      "Disable",
                                       "SlowUpdate",   "?",         "L1Accept" };
  return service < G_N_ELEMENTS (names) ? names[service] : "?";
}

gboolean
fl_xtc2_is (const guint8 *head, gsize length)
{
  return length >= DATAGRAM_HEADER && (u32_at (head + 8) >> 24 & 0xf) == FL_XTC2_CONFIGURE
         && (u32_at (head + 8) >> 28) == 0 && u32_at (head) < 1000000000
         && (u16_at (head + 18) & 0xfff) == PARENT && u32_at (head + 20) > XTC_HEADER
         && u32_at (head + 20) < DATAGRAM_MAX;
}

/* --- the tree of a datagram --- */

/* The next child in [*at, end); FALSE at its end, or when it does not fit (`error` is then set). */
static gboolean
next_xtc (const FlXtc2 *file, const guint8 **at, const guint8 *end, Xtc *xtc, GError **error)
{
  gsize left = (gsize) (end - *at);
  if (left == 0)
    return FALSE;
  guint32 extent = left >= XTC_HEADER ? u32_at (*at + 8) : 0;
  if (extent < XTC_HEADER || extent > left)
    return fail (file, error,
                 "a part of %u bytes in a datagram that has %" G_GSIZE_FORMAT " left, expected %d to that",
                 extent, left, XTC_HEADER);
  *xtc = (Xtc){ .src = u32_at (*at),
                .damage = u16_at (*at + 4),
                .contains = u16_at (*at + 6) & 0xfff,
                .extent = extent,
                .payload = *at + XTC_HEADER,
                .length = extent - XTC_HEADER };
  *at += extent;
  return TRUE;
}

typedef gboolean (*Take) (FlXtc2 *file, const Xtc *xtc, gpointer data, GError **error);

/* Every xtc of type `wanted` below; FALSE: *error. */
static gboolean
walk (FlXtc2 *file, const guint8 *at, gsize length, guint wanted, guint depth, Take take, gpointer data,
      GError **error)
{
  const guint8 *end = at + length;
  GError *wrong = NULL;
  Xtc xtc;
  while (next_xtc (file, &at, end, &xtc, &wrong))
    {
      if (xtc.damage & CORRUPTED)
        continue;
      if (xtc.contains == PARENT && depth >= DEPTH)
        return fail (file, error, "parts within parts more than %d deep", DEPTH);
      if (xtc.contains == PARENT
          && !walk (file, xtc.payload, xtc.length, wanted, depth + 1, take, data, error))
        return FALSE;
      if (xtc.contains == wanted && !take (file, &xtc, data, error))
        return FALSE;
    }
  if (wrong != NULL)
    g_propagate_error (error, wrong);
  return wrong == NULL;
}

/* --- names --- */

static void
names_free (gpointer data)
{
  FlXtc2Names *names = data;
  for (guint i = 0; i < names->n_fields; i++)
    g_free (names->fields[i].name);
  g_free (names->fields);
  g_free (names->detector);
  g_free (names->type);
  g_free (names->id);
  g_free (names->algorithm);
  g_free (names);
}

/* NUL-terminated in a field of TEXT bytes; what is no letter, digit or mark of its kind is shown as '?'. */
static char *
text_at (const guint8 *p)
{
  char *text = g_strndup ((const char *) p, TEXT);
  for (char *c = text; *c != '\0'; c++)
    if (*c < ' ' || *c > '~')
      *c = '?';
  return text;
}

static gboolean
read_names (FlXtc2 *file, const Xtc *xtc, gpointer data, GError **error)
{
  GPtrArray *table = data;
  if (xtc->length < NAME_INFO || (xtc->length - NAME_INFO) % NAME != 0)
    return fail (file, error, "names of %" G_GSIZE_FORMAT " bytes, expected %d and %d a field", xtc->length,
                 NAME_INFO, NAME);
  for (guint i = 0; i < table->len; i++)
    if (((FlXtc2Names *) table->pdata[i])->src == xtc->src)
      return fail (file, error, "two records are numbered 0x%x in one configure", xtc->src);
  const guint8 *p = xtc->payload;
  FlXtc2Names *names = g_new0 (FlXtc2Names, 1);
  names->src = xtc->src;
  names->type = text_at (p + 4);
  names->detector = text_at (p + 4 + TEXT);
  names->id = text_at (p + 4 + 2 * TEXT);
  names->algorithm = text_at (p + 4 + 3 * TEXT);
  names->version = u32_at (p + 4 + 4 * TEXT);
  names->segment = u32_at (p + 8 + 4 * TEXT);
  names->n_fields = (guint) ((xtc->length - NAME_INFO) / NAME);
  names->fields = g_new0 (FlXtc2Field, MAX (names->n_fields, 1));
  g_ptr_array_add (table, names);
  p += NAME_INFO;
  for (guint i = 0; i < names->n_fields; i++, p += NAME)
    {
      FlXtc2Field *field = &names->fields[i];
      guint32 type = u32_at (p + 4 + 2 * TEXT), rank = u32_at (p + 8 + 2 * TEXT);
      field->name = text_at (p + 4 + TEXT);
      if (type > FL_XTC2_ENUMDICT || rank > FL_XTC2_DIMS)
        return fail (file, error, "%s.%s.%s has type %u and rank %u, expected at most %d and %d",
                     names->detector, names->algorithm, field->name, type, rank, FL_XTC2_ENUMDICT,
                     FL_XTC2_DIMS);
      field->type = type;
      field->rank = rank;
    }
  return TRUE;
}

/* --- datagrams --- */

static gboolean
read_at (const FlXtc2 *file, guint8 *to, gsize length, guint64 offset)
{
  while (length > 0)
    {
      ssize_t n = pread (file->fd, to, length, (off_t) offset);
      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return FALSE;
      to += n;
      offset += (guint64) n;
      length -= (gsize) n;
    }
  return TRUE;
}

static gboolean
load (FlXtc2 *file, const FlXtc2Datagram *datagram, GError **error)
{
  if (datagram->size > file->allocated)
    {
      g_free (file->bytes);
      file->allocated = 0;
      file->bytes = g_try_malloc (datagram->size);
      if (file->bytes == NULL)
        return fail (file, error, "no memory for a datagram of %u bytes", datagram->size);
      file->allocated = datagram->size;
    }
  if (!read_at (file, file->bytes, datagram->size, datagram->offset))
    return fail (file, error, "the datagram at %" G_GUINT64_FORMAT " cannot be read whole, expected %u bytes",
                 datagram->offset, datagram->size);
  return TRUE;
}

static gboolean
add_configure (FlXtc2 *file, const FlXtc2Datagram *datagram, GError **error)
{
  if (file->configures->len >= G_MAXUINT16 - 1)
    return fail (file, error, "more than %u configures", file->configures->len);
  GPtrArray *table = g_ptr_array_new_with_free_func (names_free);
  g_ptr_array_add (file->configures, table);
  return load (file, datagram, error)
         && walk (file, file->bytes + DATAGRAM_HEADER, datagram->size - DATAGRAM_HEADER, NAMES, 0, read_names,
                  table, error);
}

static gboolean
index_datagrams (FlXtc2 *file, guint64 size, GError **error)
{
  guint8 head[DATAGRAM_HEADER];
  for (guint64 at = 0; at + DATAGRAM_HEADER <= size;)
    {
      if (!read_at (file, head, sizeof head, at))
        return fail (file, error, "%s, expected a datagram at %" G_GUINT64_FORMAT, g_strerror (errno), at);
      guint32 extent = u32_at (head + 20), env = u32_at (head + 8);
      if (at == 0 && !fl_xtc2_is (head, sizeof head))
        return fail (file, error, "does not begin with a configure, expected xtc2");
      if (extent < XTC_HEADER || extent > DATAGRAM_MAX)
        return fail (file, error,
                     "the datagram at %" G_GUINT64_FORMAT " has an extent of %u bytes, expected %d to %d", at,
                     extent, XTC_HEADER, DATAGRAM_MAX);
      FlXtc2Datagram datagram = { .offset = at,
                                  .size = extent + DATAGRAM_HEADER - XTC_HEADER,
                                  .seconds = u32_at (head + 4),
                                  .nanoseconds = u32_at (head),
                                  .env = env,
                                  .damage = u16_at (head + 16),
                                  .service = (guint8) (env >> 24 & 0xf) };
      at += datagram.size;
      if (at > size)
        break; /* still being written, or cut off */
      if (datagram.service == FL_XTC2_CONFIGURE && !add_configure (file, &datagram, error))
        return FALSE;
      datagram.configure = (guint16) file->configures->len;
      g_array_append_val (file->datagrams, datagram);
    }
  if (file->datagrams->len == 0)
    return fail (file, error, "ends within its first datagram, expected a whole configure");
  return TRUE;
}

FlXtc2 *
fl_xtc2_open (const char *path, GError **error)
{
  struct stat about;
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fstat (fd, &about) != 0)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_MISSING, "%s: %s, expected an xtc2 file", path,
                   g_strerror (errno));
      if (fd >= 0)
        close (fd);
      return NULL;
    }
  FlXtc2 *file = g_new0 (FlXtc2, 1);
  file->path = g_strdup (path);
  file->fd = fd;
  file->datagrams = g_array_new (FALSE, FALSE, sizeof (FlXtc2Datagram));
  file->configures = g_ptr_array_new_with_free_func ((GDestroyNotify) g_ptr_array_unref);
  if (index_datagrams (file, (guint64) about.st_size, error))
    return file;
  fl_xtc2_close (file);
  return NULL;
}

void
fl_xtc2_close (FlXtc2 *file)
{
  if (file == NULL)
    return;
  close (file->fd);
  g_array_unref (file->datagrams);
  g_ptr_array_unref (file->configures);
  g_free (file->bytes);
  g_free (file->path);
  g_free (file);
}

guint
fl_xtc2_n_datagrams (const FlXtc2 *file)
{
  return file->datagrams->len;
}

const FlXtc2Datagram *
fl_xtc2_datagram (const FlXtc2 *file, guint i)
{
  return &g_array_index (file->datagrams, FlXtc2Datagram, i);
}

guint
fl_xtc2_n_configures (const FlXtc2 *file)
{
  return file->configures->len;
}

const GPtrArray *
fl_xtc2_names (const FlXtc2 *file, guint configure)
{
  return file->configures->pdata[configure - 1];
}

/* --- values --- */

typedef struct
{
  const GPtrArray *names;
  FlXtc2Visit visit;
  gpointer data;
  gboolean stopped;
} Visiting;

static const FlXtc2Names *
find_names (const GPtrArray *table, guint32 src)
{
  for (guint i = 0; i < table->len; i++)
    if (((FlXtc2Names *) table->pdata[i])->src == src)
      return table->pdata[i];
  return NULL;
}

/* The field's shape and length from the record's shapes; FALSE: it does not fit into `left` bytes. */
static gboolean
measure (FlXtc2Value *value, const Xtc *shapes, guint array, gsize left)
{
  guint rank = value->field->rank;
  guint64 n = 1;
  if (rank > 0 && (array + 1) * FL_XTC2_DIMS * sizeof (guint32) > shapes->length)
    return FALSE;
  for (guint d = 0; d < rank; d++)
    {
      value->shape[d] = u32_at (shapes->payload + (array * FL_XTC2_DIMS + d) * sizeof (guint32));
      n *= value->shape[d];
      if (n > left)
        return FALSE;
    }
  value->length = n * fl_xtc2_type_size (value->field->type);
  return value->length <= left;
}

static gboolean
visit_record (FlXtc2 *file, const Xtc *record, gpointer data, GError **error)
{
  Visiting *visiting = data;
  const FlXtc2Names *names = find_names (visiting->names, record->src);
  const guint8 *at = record->payload, *end = at + record->length;
  Xtc child, shapes = { 0 }, values = { 0 }; /* in either order */
  GError *wrong = NULL;
  if (visiting->stopped || names == NULL)
    return TRUE;
  while (next_xtc (file, &at, end, &child, &wrong))
    if (child.contains == SHAPES)
      shapes = child;
    else if (child.contains == DATA)
      values = child;
  if (wrong != NULL)
    {
      g_propagate_error (error, wrong);
      return FALSE;
    }
  gsize used = 0;
  for (guint i = 0, array = 0; values.payload != NULL && i < names->n_fields && !visiting->stopped; i++)
    {
      FlXtc2Value value = { .names = names, .field = &names->fields[i], .bytes = values.payload + used };
      if (!measure (&value, &shapes, array, values.length - used))
        return fail (file, error, "%s.%s.%s does not fit into its record of %" G_GSIZE_FORMAT " bytes",
                     names->detector, names->algorithm, value.field->name, values.length);
      array += value.field->rank > 0;
      used += value.length;
      visiting->stopped = !visiting->visit (&value, visiting->data);
    }
  return TRUE;
}

gboolean
fl_xtc2_visit (FlXtc2 *file, guint i, FlXtc2Visit visit, gpointer data, GError **error)
{
  const FlXtc2Datagram *datagram = fl_xtc2_datagram (file, i);
  if (datagram->damage & CORRUPTED)
    return TRUE;
  Visiting visiting = { fl_xtc2_names (file, datagram->configure), visit, data, FALSE };
  return load (file, datagram, error)
         && walk (file, file->bytes + DATAGRAM_HEADER, datagram->size - DATAGRAM_HEADER, SHAPES_DATA, 0,
                  visit_record, &visiting, error);
}
