#include "engine/base/inflight.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/error.h"
#include "engine/base/units.h"

#define MAGIC 0x32494c46u /* "FLI2" */

typedef struct
{
  guint32 magic;
  guint32 slots;
  guint32 slot_size;
  guint32 pad[13];
} Header;

/* The owner writes the entry that does not stand, then says that it stands: whenever it is taken off its core, or
 * killed, one whole entry is there to read. */
typedef struct
{
  guint32 sequence; /* entries written; entry[sequence % 2] stands */
  guint32 used;
  guint32 crashed;
  guint32 pad;
  FlInflightEntry entry[2];
  guint8 more[128 - 16 - 2 * sizeof (FlInflightEntry)];
} Slot;

G_STATIC_ASSERT (sizeof (Header) == 64);
G_STATIC_ASSERT (sizeof (Slot) == 128);

struct FlInflight
{
  void *map;
  gsize size;
  Slot *slot;
};

static Slot *crash_slot; /* of this process, for the signal handler */

FlInflight *
fl_inflight_open (const char *dir, guint slot, guint slots, guint32 rank, GError **error)
{
  g_return_val_if_fail (slot < slots, NULL);
  g_autofree char *name = g_strdup_printf ("inflight-%s.fli", g_get_host_name ());
  g_autofree char *path = g_build_filename (dir, name, NULL);
  gsize size = sizeof (Header) + slots * sizeof (Slot);
  int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  void *map = MAP_FAILED;
  /* All ranks of the node set the same size and header, so it does not matter who comes first. */
  if (fd >= 0 && ftruncate (fd, (off_t) size) == 0)
    map = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  int why = errno;
  if (fd >= 0)
    close (fd);
  if (map == MAP_FAILED)
    {
      g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: cannot be mapped: %s", path, g_strerror (why));
      return NULL;
    }
  *(Header *) map = (Header){ .magic = MAGIC, .slots = slots, .slot_size = sizeof (Slot) };
  FlInflight *self = g_new0 (FlInflight, 1);
  self->map = map;
  self->size = size;
  self->slot = (Slot *) ((char *) map + sizeof (Header)) + slot;
  *self->slot = (Slot){ .used = 1, .entry[0] = { .rank = rank, .pid = (guint32) getpid () } };
  return self;
}

static void
write_entry (Slot *slot, FlInflightEntry entry)
{
  guint32 sequence = slot->sequence + 1;
  entry.since = fl_now_ns ();
  /* A reader that sees any of this entry also sees the count that the last write left. */
  __atomic_thread_fence (__ATOMIC_SEQ_CST);
  slot->entry[sequence % 2] = entry;
  __atomic_store_n (&slot->sequence, sequence, __ATOMIC_RELEASE);
}

void
fl_inflight_begin (FlInflight *inflight, guint64 shot, guint32 source, guint32 frame)
{
  Slot *slot = inflight->slot;
  FlInflightEntry entry = slot->entry[slot->sequence % 2];
  entry.shot = shot;
  entry.source = source;
  entry.frame = frame;
  entry.stage = FL_STAGE_READ;
  write_entry (slot, entry);
}

void
fl_inflight_stage (FlInflight *inflight, FlStage stage)
{
  Slot *slot = inflight->slot;
  FlInflightEntry entry = slot->entry[slot->sequence % 2];
  entry.stage = stage;
  write_entry (slot, entry);
}

void
fl_inflight_idle (FlInflight *inflight)
{
  fl_inflight_stage (inflight, FL_STAGE_IDLE);
}

static void
on_crash (int number)
{
  if (crash_slot != NULL)
    crash_slot->crashed = (guint32) number;
  signal (number, SIG_DFL);
  raise (number);
}

void
fl_inflight_mark_crashes (FlInflight *inflight)
{
  static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
  crash_slot = inflight->slot;
  for (guint i = 0; i < G_N_ELEMENTS (signals); i++)
    signal (signals[i], on_crash);
}

void
fl_inflight_close (FlInflight *inflight)
{
  if (inflight == NULL)
    return;
  if (crash_slot == inflight->slot)
    crash_slot = NULL;
  munmap (inflight->map, inflight->size);
  g_free (inflight);
}

static void
read_slot (const Slot *slot, GArray *entries)
{
  FlInflightEntry entry;
  guint32 before, after = __atomic_load_n (&slot->sequence, __ATOMIC_ACQUIRE);
  do
    {
      before = after;
      entry = slot->entry[before % 2];
      __atomic_thread_fence (__ATOMIC_SEQ_CST);
      after = __atomic_load_n (&slot->sequence, __ATOMIC_ACQUIRE);
    }
  while (before != after);
  entry.crashed = slot->crashed;
  if (slot->used != 0 && entry.stage != FL_STAGE_IDLE)
    g_array_append_val (entries, entry);
}

static void
read_table (const char *path, GArray *entries)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  struct stat about;
  if (fd < 0)
    return;
  if (fstat (fd, &about) == 0 && (gsize) about.st_size >= sizeof (Header))
    {
      gsize length = (gsize) about.st_size;
      void *map = mmap (NULL, length, PROT_READ, MAP_SHARED, fd, 0);
      if (map != MAP_FAILED)
        {
          const Header *header = map;
          guint64 slots = (length - sizeof (Header)) / sizeof (Slot);
          if (header->magic == MAGIC && header->slot_size == sizeof (Slot))
            for (guint64 i = 0; i < MIN (slots, header->slots); i++)
              read_slot ((const Slot *) ((const char *) map + sizeof (Header)) + i, entries);
          munmap (map, length);
        }
    }
  close (fd);
}

GArray *
fl_inflight_read (const char *dir)
{
  GArray *entries = g_array_new (FALSE, FALSE, sizeof (FlInflightEntry));
  g_autoptr (GDir) handle = g_dir_open (dir, 0, NULL);
  const char *name;
  while (handle != NULL && (name = g_dir_read_name (handle)) != NULL)
    if (g_str_has_prefix (name, "inflight-") && g_str_has_suffix (name, ".fli"))
      {
        g_autofree char *path = g_build_filename (dir, name, NULL);
        read_table (path, entries);
      }
  return entries;
}
