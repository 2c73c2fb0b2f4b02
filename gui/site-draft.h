/* site-draft.h: a site's record as somebody is filling it in: which of its fields people fill in, and what they have said of them so
 * far, to be written to the store without touching the rest. Thread: main, except flg_site_draft_write(). */
#pragma once

#include "engine/store/store.h"

typedef enum
{
  FLG_SITE_MACHINE,   /* name; host, user, port, key, transport */
  FLG_SITE_FOLDERS,   /* where roots lie there */
  FLG_SITE_RESOURCES, /* partition, account, nodes, time … */
  FLG_SITE_PROGRAM,   /* engine, launcher, container, environment */
  FLG_SITE_LIMITS,    /* jobs, node-hours, hold, active */
  FLG_SITE_GROUPS
} FlgSiteGroup;

typedef enum
{
  FLG_FIELD_TEXT,
  FLG_FIELD_FILE,
  FLG_FIELD_LINES,
  FLG_FIELD_COUNT,
  FLG_FIELD_REAL,
  FLG_FIELD_SWITCH,
  FLG_FIELD_TRANSPORT
} FlgSiteFieldType;

/* Kinds of sites that have a field. */
#define FLG_KIND_LOCAL (1u << 0)
#define FLG_KIND_SLURM (1u << 1)
#define FLG_KIND_SSH   (1u << 2)
#define FLG_KIND_BATCH (FLG_KIND_SLURM | FLG_KIND_SSH)
#define FLG_KIND_ANY   (FLG_KIND_LOCAL | FLG_KIND_SLURM | FLG_KIND_SSH)

typedef struct
{
  const char *column;
  gsize offset;
  FlgSiteFieldType type;
  FlgSiteGroup group;
  guint kinds;
  const char *label, *hint; /* hint: what an empty field means */
  int most;                 /* of a count */
} FlgSiteField;

const FlgSiteField *flg_site_fields (guint *n_fields);
/* Kept as text in the record. */
gboolean flg_site_field_is_text (const FlgSiteField *field);
guint flg_site_kind_mask (const char *kind);

/* A member of a record, by its field's offset. */
#define FLG_SITE_MEMBER(record, type, offset) (*(type *) G_STRUCT_MEMBER_P (record, offset))

/* A site as the fields say: those of the record that the form knows, and the roots. */
typedef struct
{
  FlSite site;
  GPtrArray *roots; /* of char *: root, path, root, path …; "" = where it lies here */
  gboolean mapped;  /* roots are meant: not of a machine that shares our disks */
  gint64 *made;     /* may be NULL: gets the record's id, before whoever asked is called back */
} FlgSiteDraft;

void flg_site_draft_free (FlgSiteDraft *draft);
/* The record as the draft says, on top of `base`; for fl_record_free(). */
FlSite *flg_site_draft_record (const FlgSiteDraft *draft, const FlSite *base);
gboolean flg_site_draft_write_roots (FlStore *store, const FlgSiteDraft *draft, gint64 site, GError **error);
/* Makes or changes the site (site.id) and its roots; what the form does not know stays. For flg_context_write(). */
gpointer flg_site_draft_write (FlStore *store, gpointer draft, GError **error);
