/* host-private.h: what an FlHost is made of, for the files that make one: host-local.c (this machine), host-far.c (over a
 * connection). host.c checks arguments and forwards. */
#pragma once

#include "engine/remote/host.h"

typedef struct
{
  gboolean (*run) (FlHost *host, const char *const *argv, GBytes *input, guint timeout_s,
                   GCancellable *cancellable, FlHostOutput *output, GError **error);
  int (*open) (FlHost *host, const char *const *argv, FlHostLine errors, gpointer data, GError **error);
  GPtrArray *(*list) (FlHost *host, const char *folder, GError **error);
  FlHostEntry *(*stat) (FlHost *host, const char *path, GError **error);
  gboolean (*read_parts) (FlHost *host, FlHostPart *parts, guint n, GError **error);
  gboolean (*write) (FlHost *host, const char *path, gconstpointer data, gsize length, guint32 mode,
                     GError **error);
  gboolean (*put) (FlHost *host, const char *local_path, const char *path, guint32 mode,
                   GCancellable *cancellable, FlHostProgress progress, gpointer data, GError **error);
  gboolean (*make_folder) (FlHost *host, const char *path, GError **error);
  gboolean (*remove) (FlHost *host, const char *path, GError **error);
  void (*finalize) (FlHost *host);
} FlHostClass;

struct FlHost
{
  const FlHostClass *klass;
  gatomicrefcount references;
  char *name;
  gpointer self; /* the maker's */
};

FlHost *fl_host_new (const FlHostClass *klass, const char *name, gpointer self);
/* argv as one line for a shell, each argument quoted. */
char *fl_host_quote (const char *const *argv);
