#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/assistant-make.h"

#include <glib/gi18n.h>
#include <glib/gstdio.h>

#include <errno.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/params.h"
#include "engine/control/setup.h"
#include "engine/store/keyring.h"
#include "gui/assistant-checks.h"

void
flg_making_free (gpointer data)
{
  FlgMaking *making = data;
  char *texts[] = { making->folder,  making->name,     making->watch, making->kind,
                    making->pattern, making->geometry, making->mask,  making->engine };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_free (texts[i]);
  g_clear_pointer (&making->database, fl_database_free);
  fl_keyring_free (making->password);
  g_free (making);
}

/* Inside the experiment's folder, relative to it: so that a copy of it opens anywhere. */
static const char *
beside (const FlgMaking *making, const char *path)
{
  gsize length = strlen (making->folder);
  return strncmp (path, making->folder, length) == 0 && path[length] == '/' ? path + length + 1 : path;
}

/* Geometry and mask as trial text; NULL without error: none is given. */
static char *
detector_params (const FlgMaking *making, GError **error)
{
  g_autoptr (FlParams) params = fl_params_new ();
  if (!*making->geometry && !*making->mask)
    return NULL;
  if ((*making->geometry
       && !fl_params_set (params, making->spi ? "patterns.detector" : "detector.geometry",
                          beside (making, making->geometry), error))
      || (*making->mask && !fl_params_set (params, "detector.mask", beside (making, making->mask), error)))
    return NULL;
  return fl_params_write_changed (params, NULL);
}

static gboolean
make_folder (const char *folder, GError **error)
{
  if (g_mkdir_with_parents (folder, 0777) == 0)
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_FAILED, _ ("%s: cannot be made: %s"), folder, g_strerror (errno));
  return FALSE;
}

static gboolean
fill (const FlgMaking *making, GError **error)
{
  g_autoptr (GError) failed = NULL;
  g_autofree char *detector = detector_params (making, &failed);
  if (failed)
    {
      g_propagate_error (error, g_steal_pointer (&failed));
      return FALSE;
    }
  FlSetup setup = { .name = making->name,
                    .spi = making->spi,
                    .watch = *making->watch ? making->watch : NULL,
                    .kind = making->kind,
                    .pattern = making->pattern,
                    .quiet = FL_SETUP_QUIET,
                    .block = detector ? "detector" : NULL,
                    .block_params = detector,
                    .trial = "defaults",
                    .trial_params = "",
                    .cores = making->cores,
                    .engine = *making->engine ? making->engine : NULL,
                    .not_here = making->far };
  g_autoptr (FlStore) store = fl_store_open (making->folder, FL_STORE_CREATE, error);
  return store && fl_setup_apply (store, &setup, error);
}

/* Nothing of it was there before: flg_prove_new_folder(). */
static void
take_back (const FlgMaking *making)
{
  static const char *const files[] = { FL_STORE_FILE, FL_STORE_FILE "-wal", FL_STORE_FILE "-shm",
                                       FL_DATABASE_FILE };
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *path = g_build_filename (making->folder, files[i], NULL);
      g_unlink (path);
    }
}

void
flg_making_run (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  const FlgMaking *making = data;
  GError *error = NULL;
  /* Somebody may have been quicker. */
  if (flg_folder_is_experiment (making->folder))
    {
      g_task_return_new_error (task, FL_ERROR, FL_ERROR_INPUT, _ ("%s: holds an experiment already"),
                               making->folder);
      return;
    }
  gboolean ok =
      make_folder (making->folder, &error) && (!making->make_watch || make_folder (making->watch, &error))
      && (!making->database || fl_database_write (making->database, making->folder, NULL, NULL, &error));
  if (ok && fill (making, &error)
      && (!making->password || fl_keyring_store (making->database, making->password, &error)))
    {
      g_task_return_pointer (task, g_strdup (making->folder), g_free);
      return;
    }
  take_back (making);
  g_task_return_error (task, error);
}
