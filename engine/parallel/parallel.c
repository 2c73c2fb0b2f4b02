#include "engine/parallel/parallel-private.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define NAP_US 200 /* between two looks of a rank that waits */

static volatile sig_atomic_t stop_asked;
static gboolean caught;
static const int stop_signals[] = { SIGTERM, SIGUSR1 };

static void
on_stop (int number)
{
  (void) number;
  stop_asked = 1;
}

void
fl_parallel_catch_signals (void)
{
  struct sigaction action = { .sa_handler = on_stop, .sa_flags = SA_RESTART };
  sigemptyset (&action.sa_mask);
  for (gsize i = 0; i < G_N_ELEMENTS (stop_signals); i++)
    sigaction (stop_signals[i], &action, NULL);
  caught = TRUE;
}

gboolean
fl_parallel_stop_asked (void)
{
  return stop_asked != 0;
}

guint
fl_parallel_rank (const FlParallel *parallel)
{
  return (guint) parallel->rank;
}

guint
fl_parallel_ranks (const FlParallel *parallel)
{
  return (guint) parallel->ranks;
}

guint
fl_parallel_node_rank (const FlParallel *parallel)
{
  return (guint) parallel->node_rank;
}

guint
fl_parallel_node_ranks (const FlParallel *parallel)
{
  return (guint) parallel->node_ranks;
}

#ifdef FL_HAVE_MPI

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#else
#define __lsan_disable() ((void) 0)
#define __lsan_enable()  ((void) 0)
#endif

/* MPI and its network libraries install handlers of their own, of which some end the process: a wish to stop that comes
 * meanwhile waits until ours stand again. */
static void
init (int *argc, char ***argv)
{
  sigset_t stop, before;
  sigemptyset (&stop);
  for (gsize i = 0; i < G_N_ELEMENTS (stop_signals); i++)
    sigaddset (&stop, stop_signals[i]);
  pthread_sigmask (SIG_BLOCK, &stop, &before);
  __lsan_disable (); /* it unloads plug-ins that keep memory: nobody could tell any more whose that is */
  MPI_Init (argc, argv);
  __lsan_enable ();
  if (caught)
    fl_parallel_catch_signals ();
  pthread_sigmask (SIG_SETMASK, &before, NULL);
}

FlParallel *
fl_parallel_start (int *argc, char ***argv)
{
  FlParallel *self = g_new0 (FlParallel, 1);
  init (argc, argv);
  MPI_Comm_dup (MPI_COMM_WORLD, &self->comm);
  MPI_Comm_rank (self->comm, &self->rank);
  MPI_Comm_size (self->comm, &self->ranks);
  MPI_Comm_split_type (self->comm, MPI_COMM_TYPE_SHARED, self->rank, MPI_INFO_NULL, &self->node);
  MPI_Comm_rank (self->node, &self->node_rank);
  MPI_Comm_size (self->node, &self->node_ranks);
  return self;
}

void
fl_parallel_finish (FlParallel *parallel)
{
  if (parallel == NULL)
    return;
  MPI_Comm_free (&parallel->node);
  MPI_Comm_free (&parallel->comm);
  MPI_Finalize ();
  g_free (parallel);
}

void
fl_parallel_abort (FlParallel *parallel, int status)
{
  MPI_Abort (parallel->comm, status);
  exit (status);
}

char *
fl_parallel_library (void)
{
  char text[MPI_MAX_LIBRARY_VERSION_STRING];
  int length;
  MPI_Get_library_version (text, &length);
  g_autofree char *line = g_strndup (text, strcspn (text, "\n,"));
  g_strdelimit (line, "\t", ' ');
  return g_steal_pointer (&line);
}

void
fl_parallel_wait (MPI_Request *request)
{
  for (int done = 0; MPI_Test (request, &done, MPI_STATUS_IGNORE), !done;)
    g_usleep (NAP_US);
}

void
fl_parallel_barrier (FlParallel *parallel)
{
  MPI_Request request;
  MPI_Ibarrier (parallel->comm, &request);
  fl_parallel_wait (&request);
}

static void
share (FlParallel *parallel, void *data, gsize length)
{
  MPI_Request request;
  MPI_Ibcast (data, (int) length, MPI_BYTE, 0, parallel->comm, &request);
  fl_parallel_wait (&request);
}

static void
sum (FlParallel *parallel, void *values, guint n_values, MPI_Datatype type)
{
  MPI_Request request;
  MPI_Iallreduce (MPI_IN_PLACE, values, (int) n_values, type, MPI_SUM, parallel->comm, &request);
  fl_parallel_wait (&request);
}

void
fl_parallel_sum_u64 (FlParallel *parallel, guint64 *values, guint n_values)
{
  sum (parallel, values, n_values, MPI_UINT64_T);
}

void
fl_parallel_sum_f64 (FlParallel *parallel, double *values, guint n_values)
{
  sum (parallel, values, n_values, MPI_DOUBLE);
}

GPtrArray *
fl_parallel_gather (FlParallel *parallel, const void *data, gsize length)
{
  g_autofree int *lengths = g_new0 (int, parallel->ranks);
  g_autofree int *starts = g_new0 (int, parallel->ranks);
  int mine = (int) length, total = 0;
  MPI_Request request;
  MPI_Igather (&mine, 1, MPI_INT, lengths, 1, MPI_INT, 0, parallel->comm, &request);
  fl_parallel_wait (&request);
  for (int i = 0; i < parallel->ranks; i++)
    {
      starts[i] = total;
      total += lengths[i];
    }
  g_autofree char *all = g_malloc ((gsize) total + 1);
  MPI_Igatherv (data, mine, MPI_BYTE, all, lengths, starts, MPI_BYTE, 0, parallel->comm, &request);
  fl_parallel_wait (&request);
  if (parallel->rank != 0)
    return NULL;
  GPtrArray *parts = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  for (int i = 0; i < parallel->ranks; i++)
    g_ptr_array_add (parts, g_bytes_new (all + starts[i], (gsize) lengths[i]));
  return parts;
}

void
fl_parallel_send (FlParallel *parallel, guint to, const void *data, gsize length)
{
  MPI_Request request;
  MPI_Isend (data, (int) length, MPI_BYTE, (int) to, 0, parallel->comm, &request);
  fl_parallel_wait (&request);
}

gboolean
fl_parallel_poll (FlParallel *parallel, guint *from, GByteArray *message)
{
  int there, length;
  MPI_Status status;
  MPI_Message handle;
  MPI_Improbe (MPI_ANY_SOURCE, 0, parallel->comm, &there, &handle, &status);
  if (!there)
    return FALSE;
  MPI_Get_count (&status, MPI_BYTE, &length);
  g_byte_array_set_size (message, (guint) length);
  MPI_Mrecv (message->data, length, MPI_BYTE, &handle, MPI_STATUS_IGNORE);
  *from = (guint) status.MPI_SOURCE;
  return TRUE;
}

#else /* one rank */

FlParallel *
fl_parallel_start (int *argc, char ***argv)
{
  (void) argc;
  (void) argv;
  FlParallel *self = g_new0 (FlParallel, 1);
  self->ranks = self->node_ranks = 1;
  return self;
}

void
fl_parallel_finish (FlParallel *parallel)
{
  g_free (parallel);
}

void
fl_parallel_abort (FlParallel *parallel, int status)
{
  (void) parallel;
  exit (status);
}

char *
fl_parallel_library (void)
{
  return g_strdup ("one rank, built without MPI");
}

void
fl_parallel_barrier (FlParallel *parallel)
{
  (void) parallel;
}

static void
share (FlParallel *parallel, void *data, gsize length)
{
  (void) parallel;
  (void) data;
  (void) length;
}

void
fl_parallel_sum_u64 (FlParallel *parallel, guint64 *values, guint n_values)
{
  (void) parallel;
  (void) values;
  (void) n_values;
}

void
fl_parallel_sum_f64 (FlParallel *parallel, double *values, guint n_values)
{
  (void) parallel;
  (void) values;
  (void) n_values;
}

GPtrArray *
fl_parallel_gather (FlParallel *parallel, const void *data, gsize length)
{
  (void) parallel;
  GPtrArray *parts = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_ptr_array_add (parts, g_bytes_new (data, length));
  return parts;
}

void
fl_parallel_send (FlParallel *parallel, guint to, const void *data, gsize length)
{
  (void) parallel;
  (void) to;
  (void) data;
  (void) length;
  g_assert_not_reached (); /* there is nobody to send to */
}

gboolean
fl_parallel_poll (FlParallel *parallel, guint *from, GByteArray *message)
{
  (void) parallel;
  (void) from;
  (void) message;
  return FALSE;
}

#endif

guint64
fl_parallel_share_u64 (FlParallel *parallel, guint64 value)
{
  share (parallel, &value, sizeof value);
  return value;
}

char *
fl_parallel_share_text (FlParallel *parallel, const char *text)
{
  gboolean mine = parallel->rank == 0;
  /* Length + 1; 0 stands for NULL. */
  guint64 size = fl_parallel_share_u64 (parallel, mine && text != NULL ? strlen (text) + 1 : 0);
  if (size == 0)
    return NULL;
  char *copy = g_malloc0 (size);
  if (mine)
    memcpy (copy, text, size);
  share (parallel, copy, size);
  return copy;
}
