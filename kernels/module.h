/* module.h: what a back end's module and the host program agree on. Host programs use device.h instead. */
/* Columns and macros that it would tear apart. */
/* clang-format off */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum
{
  FLK_ABI = 4,       /* raised when anything in this header or the meaning of an argument struct changes */
  FLK_TEAMS_SIZE = 4 /* threads a team of the test double, unless asked otherwise */
};

typedef struct
{
  uint32_t teams, team_size;
  uint32_t threads; /* CPU: how many share the teams */
  void *stream;     /* the back end's own stream, from FlkModule.open */
} FlkLaunch;

typedef struct
{
  const char *name;
  size_t args_size;
  uint32_t team_size; /* preferred and largest */
  int (*launch) (const FlkLaunch *launch, const void *args); /* 0 or the back end's error number */
} FlkKernel;

typedef struct
{
  uint32_t abi;
  const char *kind;   /* "cpu", "teams", "cuda", "hip" */
  bool host_memory;
  uint32_t n_kernels;
  FlkKernel *const *kernels;
  /* Functions return 0 or the back end's error number. */
  int (*count) (int *n_devices);
  int (*name) (int device, char *text, size_t size);
  int (*open) (int device, void **stream);
  void (*close) (void *stream);
  int (*alloc) (void *stream, void **memory, size_t size);
  int (*release) (void *stream, void *memory);
  int (*upload) (void *stream, void *to, const void *from, size_t size);
  int (*download) (void *stream, void *to, const void *from, size_t size);
  int (*copy) (void *stream, void *to, const void *from, size_t size); /* both on the device */
  int (*zero) (void *stream, void *memory, size_t size);
  int (*host_alloc) (void *stream, void **memory, size_t size); /* what copies need not wait for */
  int (*host_release) (void *stream, void *memory);
  int (*memory) (void *stream, size_t *left, size_t *total); /* of the whole device, all programs */
  /* Marks in the stream, for times between them; NULL where work is done when launch() returns. */
  int (*mark_new) (void *stream, void **mark);
  void (*mark_free) (void *stream, void *mark);
  int (*mark_set) (void *stream, void *mark);
  int (*mark_between) (void *stream, void *from, void *to, double *seconds); /* waits for `to` */
  int (*sync) (void *stream);
  const char *(*error) (int number);
} FlkModule;

/* The one symbol that a module exports. */
const FlkModule *flk_module (void);

#ifdef __cplusplus
}
#endif
