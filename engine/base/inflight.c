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

#define MAGIC 0x31494c46u /* "FLI1" */

typedef struct
{
  guint32 magic;
  guint32 slots;
  guint32 slot_size;
  guint32 pad[13];
} Header;

typedef struct
{
  guint32 sequence; /* odd while the owner writes */
  guint32 used;
  FlInflightEntry entry;
  guint8 pad[64 - 8 - sizeof (FlInflightEntry)];
} Slot;

G_STATIC_ASSERT (sizeof (Header) == 64);
G_STATIC_ASSERT (sizeof (Slot) == 64);

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
  *self->slot = (Slot){ .used = 1, .entry = { .rank = rank, .pid = (guint32) getpid () } };
  return self;
}

static void
slot_begin (Slot *slot)
{
  __atomic_store_n (&slot->sequence, slot->sequence + 1, __ATOMIC_RELAXED);
  __atomic_thread_fence (__ATOMIC_SEQ_CST);
}

static void
slot_end (Slot *slot)
{
  __atomic_store_n (&slot->sequence, slot->sequence + 1, __ATOMIC_RELEASE);
}

void
fl_inflight_begin (FlInflight *inflight, guint64 shot, guint32 source, guint32 frame)
{
  Slot *slot = inflight->slot;
  slot_begin (slot);
  slot->entry.shot = shot;
  slot->entry.source = source;
  slot->entry.frame = frame;
  slot->entry.stage = FL_STAGE_READ;
  slot->entry.since = fl_now_ns ();
  slot_end (slot);
}

void
fl_inflight_stage (FlInflight *inflight, FlStage stage)
{
  Slot *slot = inflight->slot;
  slot_begin (slot);
  slot->entry.stage = stage;
  slot->entry.since = fl_now_ns ();
  slot_end (slot);
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
    crash_slot->entry.crashed = (guint32) number;
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

/* How long a reader waits for an owner that is in the middle of a write (it may have been taken off its core there);
 * after that the owner is taken for dead, and what stands in the slot for its last word. */
#define PATIENCE_TRIES 100
#define PATIENCE_US    1000

static void
read_slot (const Slot *slot, GArray *entries)
{
  for (int stuck = 0;;)
    {
      guint32 before = __atomic_load_n (&slot->sequence, __ATOMIC_ACQUIRE);
      FlInflightEntry entry = slot->entry;
      __atomic_thread_fence (__ATOMIC_SEQ_CST);
      guint32 after = __atomic_load_n (&slot->sequence, __ATOMIC_RELAXED);
      if ((before == after && (before & 1u) == 0) || stuck == PATIENCE_TRIES)
        {
          if (slot->used != 0 && entry.stage != FL_STAGE_IDLE)
            g_array_append_val (entries, entry);
          return;
        }
      if (before == after)
        {
          stuck++;
          g_usleep (PATIENCE_US);
        }
    }
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
