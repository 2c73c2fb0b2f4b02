/* slurm-private.h: what the files of the Slurm driver share. Thread: the site's. */
#pragma once

#include "engine/control/site.h"
#include "engine/control/slurm-text.h"

/* An attempt as far as this session has seen it; what counts lies at the site. */
typedef struct
{
  gboolean read;  /* its files were looked at */
  gboolean tried; /* a submission may be under way */
  char *array;    /* name of the array that it was put into last; NULL = none */
  guint index;    /* in it */
  char *id;       /* NULL = not known */
  FlSlurmMark mark;
  FlSiteState last;
  int restarts;
  FlSiteCause requeue_cause;
  guint missed; /* polls in which Slurm had never heard of it, and nothing said that it is over */
} FlSlurmKnown;

typedef struct
{
  GHashTable *known; /* job_name to FlSlurmKnown */
  gboolean has_facts;
  gint64 clock;   /* ns: clock there minus clock here */
  char *launcher; /* where the site has none of its own */
  int cores, most_in_array;
  gboolean no_accounting;
} FlSlurmData;

FlSlurmKnown *fl_slurm_known (const FlSiteContext *context, const FlSubmission *submission);
/* FOLDER/STEM.suffix there. */
char *fl_slurm_file (const FlSubmission *submission, const char *suffix);
/* What is found out once: how Slurm starts ranks here, cores of a node, the clock. */
gboolean fl_slurm_facts (const FlSiteContext *context, GError **error);
/* `script` as a whole to `sh` there. */
gboolean fl_slurm_shell (FlHost *host, const char *script, guint timeout_s, FlHostOutput *output,
                         GError **error);
/* The last line that a command printed on standard error, harmless. Free it. */
char *fl_slurm_last_line (GBytes *err);

FlSiteStatus *fl_slurm_status_new (const FlSubmission *submission);
/* Adds one status each: where it is, as Slurm and its own files say. */
gboolean fl_slurm_look (const FlSiteContext *context, GPtrArray *submissions, GPtrArray *statuses,
                        GError **error);

gboolean fl_slurm_submit (const FlSiteContext *context, GPtrArray *submissions, GPtrArray *statuses,
                          GError **error);
/* Puts their uploads there. problems[i]: why submission i cannot have its; FALSE: the connection. */
gboolean fl_slurm_upload (FlHost *host, GPtrArray *submissions, GError **problems, GError **error);
