#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/site-draft.h"

#include <glib/gi18n.h>

#include <string.h>

#define F(column, TYPE, GROUP, kinds, label, hint, most)                                                     \
  {                                                                                                          \
#column, G_STRUCT_OFFSET(FlSite, column), FLG_FIELD_##TYPE, FLG_SITE_##GROUP, kinds, label, hint, most   \
  }

static const FlgSiteField fields[] = {
  F (name, TEXT, MACHINE, FLG_KIND_ANY, N_ ("Name"), N_ ("short, for people: cori"), 0),
  F (host, TEXT, MACHINE, FLG_KIND_SSH, N_ ("Machine"), N_ ("login.example.org, or a name of ~/.ssh/config"),
     0),
  F (user, TEXT, MACHINE, FLG_KIND_SSH, N_ ("User there"), N_ ("the same as here"), 0),
  F (port, COUNT, MACHINE, FLG_KIND_SSH, N_ ("Port"), N_ ("22"), 65535),
  F (identity, FILE, MACHINE, FLG_KIND_SSH, N_ ("Key file"), N_ ("the agent, then the usual ones"), 0),
  F (transport, TRANSPORT, MACHINE, FLG_KIND_SSH, N_ ("Connect with"), NULL, 0),
  F (ssh_config, TEXT, MACHINE, FLG_KIND_SSH, N_ ("SSH configuration"), N_ ("the usual files (OpenSSH only)"),
     0),
  F (cores, COUNT, RESOURCES, FLG_KIND_LOCAL, N_ ("Cores to use"), N_ ("all"), 100000),
  F (partition, TEXT, RESOURCES, FLG_KIND_BATCH, N_ ("Partition"), N_ ("the cluster's default"), 0),
  F (account, TEXT, RESOURCES, FLG_KIND_BATCH, N_ ("Account"), N_ ("your default"), 0),
  F (qos, TEXT, RESOURCES, FLG_KIND_BATCH, N_ ("Quality of service"), N_ ("the default"), 0),
  F (reservation, TEXT, RESOURCES, FLG_KIND_BATCH, N_ ("Reservation"), N_ ("none"), 0),
  F (features, TEXT, RESOURCES, FLG_KIND_BATCH, N_ ("Constraint"), N_ ("any node"), 0),
  F (nodes, COUNT, RESOURCES, FLG_KIND_BATCH, N_ ("Nodes a job"), N_ ("1"), 100000),
  F (ranks_per_node, COUNT, RESOURCES, FLG_KIND_BATCH, N_ ("Ranks a node"), N_ ("its cores"), 100000),
  F (gpus_per_rank, COUNT, RESOURCES, FLG_KIND_BATCH, N_ ("GPUs a rank"), N_ ("none"), 64),
  F (minutes, COUNT, RESOURCES, FLG_KIND_BATCH, N_ ("Time limit, min"), N_ ("the cluster's"), 1000000),
  F (engine, TEXT, PROGRAM, FLG_KIND_ANY, N_ ("Engine"), N_ ("found, or put there"), 0),
  F (container, TEXT, PROGRAM, FLG_KIND_BATCH, N_ ("Container"), N_ ("none: apptainer exec --nv image.sif"),
     0),
  F (launcher, TEXT, PROGRAM, FLG_KIND_ANY, N_ ("Start ranks with"), N_ ("what the site can"), 0),
  F (environment, LINES, PROGRAM, FLG_KIND_ANY, N_ ("Lines before it"), NULL, 0),
  F (broadcast, SWITCH, PROGRAM, FLG_KIND_BATCH, N_ ("Copy the engine to the nodes first"), NULL, 0),
  F (ingest, TEXT, PROGRAM, FLG_KIND_ANY, N_ ("Database from there"),
     N_ ("none: the conductor takes results in"), 0),
  F (max_jobs, COUNT, LIMITS, FLG_KIND_BATCH, N_ ("Jobs at a time"), N_ ("no limit"), 1000000),
  F (max_node_hours, REAL, LIMITS, FLG_KIND_BATCH, N_ ("Node-hours in all"), N_ ("no limit"), 0),
  F (hold, SWITCH, LIMITS, FLG_KIND_ANY, N_ ("New jobs wait for approval"), NULL, 0),
  F (active, SWITCH, LIMITS, FLG_KIND_ANY, N_ ("Active: gets new jobs"), NULL, 0),
};

const FlgSiteField *
flg_site_fields (guint *n_fields)
{
  *n_fields = G_N_ELEMENTS (fields);
  return fields;
}

guint
flg_site_kind_mask (const char *kind)
{
  return strcmp (kind, "ssh") == 0     ? FLG_KIND_SSH
         : strcmp (kind, "slurm") == 0 ? FLG_KIND_SLURM
                                       : FLG_KIND_LOCAL;
}

gboolean
flg_site_field_is_text (const FlgSiteField *field)
{
  return field->type <= FLG_FIELD_LINES || field->type == FLG_FIELD_TRANSPORT;
}

void
flg_site_draft_free (FlgSiteDraft *draft)
{
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    if (flg_site_field_is_text (&fields[i]))
      g_free (FLG_SITE_MEMBER (&draft->site, char *, fields[i].offset));
  g_free (draft->site.kind);
  g_free (draft->site.scratch);
  g_ptr_array_unref (draft->roots);
  g_free (draft);
}

/* Puts what the draft says into the record. */
static void
take_over (FlSite *to, const FlSite *from)
{
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    {
      gsize at = fields[i].offset;
      if (flg_site_field_is_text (&fields[i]))
        {
          g_free (FLG_SITE_MEMBER (to, char *, at));
          FLG_SITE_MEMBER (to, char *, at) = g_strdup (FLG_SITE_MEMBER (from, char *, at));
        }
      else if (fields[i].type == FLG_FIELD_REAL)
        FLG_SITE_MEMBER (to, double, at) = FLG_SITE_MEMBER (from, double, at);
      else
        FLG_SITE_MEMBER (to, int, at) = FLG_SITE_MEMBER (from, int, at);
    }
  g_free (to->kind);
  g_free (to->scratch);
  to->kind = g_strdup (from->kind);
  to->scratch = g_strdup (from->scratch);
}

static gboolean
write_root (FlStore *store, GPtrArray *there, gint64 site, const char *root, const char *path, GError **error)
{
  FlSiteRoot map = { .site = site, .root = (char *) root, .path = (char *) path };
  for (guint i = 0; i < there->len; i++)
    {
      const FlSiteRoot *old = there->pdata[i];
      if (old->site != site || strcmp (old->root, root) != 0)
        continue;
      map.id = old->id;
      if (*path && strcmp (path, old->path) == 0)
        return TRUE;
    }
  if (*path)
    return fl_store_save (store, FL_TABLE_SITE_ROOT, &map, error);
  return map.id == 0 || fl_store_remove (store, FL_TABLE_SITE_ROOT, map.id, error);
}

FlSite *
flg_site_draft_record (const FlgSiteDraft *draft, const FlSite *base)
{
  FlSite *site = fl_record_copy (FL_TABLE_SITE, base);
  take_over (site, &draft->site);
  return site;
}

gboolean
flg_site_draft_write_roots (FlStore *store, const FlgSiteDraft *draft, gint64 site, GError **error)
{
  if (!draft->mapped)
    return TRUE;
  g_autoptr (GPtrArray) there = fl_store_list (store, FL_TABLE_SITE_ROOT, error);
  gboolean good = there != NULL;
  for (guint i = 0; good && i + 1 < draft->roots->len; i += 2)
    good = write_root (store, there, site, draft->roots->pdata[i], draft->roots->pdata[i + 1], error);
  return good;
}

gpointer
flg_site_draft_write (FlStore *store, gpointer data, GError **error)
{
  FlgSiteDraft *draft = data;
  FlSite *site =
      draft->site.id ? fl_store_get (store, FL_TABLE_SITE, draft->site.id, error) : g_new0 (FlSite, 1);
  if (!site)
    return NULL;
  take_over (site, &draft->site);
  gboolean good = fl_store_save (store, FL_TABLE_SITE, site, error)
                  && flg_site_draft_write_roots (store, draft, site->id, error);
  if (good && draft->made)
    *draft->made = site->id;
  fl_record_free (FL_TABLE_SITE, site);
  return GINT_TO_POINTER (good);
}
