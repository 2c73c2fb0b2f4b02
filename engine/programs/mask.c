/* mask: rules become a mask file – for itself, or the experiment's: kept in its folder, named by a new block that takes the place
 * of another, for all of its runs or from one run on. */
#include <stdio.h>
#include <string.h>

#include "engine/control/new-block.h"
#include "engine/programs/mask-work.h"
#include "engine/programs/program.h"
#include "engine/programs/programs.h"
#include "engine/shots/mask-rules.h"
#include "engine/store/people.h"

#define PROGRAM "firstlight-control mask"

typedef struct
{
  char *store, *of, *name, *from_run, *geometry, *mask, *out;
} Options;

static void
options_clear (Options *o)
{
  char *const all[] = { o->store, o->of, o->name, o->from_run, o->geometry, o->mask, o->out };
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    g_free (all[i]);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

static FlSource *
open_source (gpointer data G_GNUC_UNUSED, const FlViewSourceRequest *request, gboolean list_only,
             GError **error)
{
  FlSourceOptions options = { .geometry = *request->geometry != '\0' ? request->geometry : NULL,
                              .mask = *request->mask != '\0' ? request->mask : NULL,
                              .list_only = list_only };
  return fl_source_open (request->path, &options, error);
}

static void
report (const FlViewMask *mask, const FlMaskRules *rules)
{
  g_autofree char *text = fl_mask_rules_write (rules);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  guint at = g_str_has_prefix (text, "shots ");
  for (guint32 i = 0; i < mask->n_rules; i++)
    printf ("%10u px  %s\n", mask->changed[i], lines[at + i]);
  if (mask->shots > 0)
    printf ("%u shots looked at%s\n", mask->measured - mask->failed,
            mask->failed > 0 ? ", the others cannot be read" : "");
  printf ("%.3f %% of %" G_GUINT64_FORMAT " pixels masked, %.3f %% bad by the geometry\n",
          100 * (double) mask->masked / (double) mask->pixels, mask->pixels,
          100 * (double) mask->bad / (double) mask->pixels);
}

static GBytes *
make (const Options *o, const char *rules_path, char **files, GError **error)
{
  g_autofree char *text = NULL;
  gsize length;
  if (!g_file_get_contents (rules_path, &text, &length, error))
    return NULL;
  g_autoptr (FlMaskRules) rules = fl_mask_rules_parse (rules_path, text, length, error);
  g_autoptr (FlMaskWork) work = fl_mask_work_new (open_source, NULL, rules_path);
  if (rules == NULL)
    return NULL;
  const FlViewMaskRequest request = { .source = { files[0], o->geometry != NULL ? o->geometry : "",
                                                  o->mask != NULL ? o->mask : "" },
                                      .files = (const char *const *) files,
                                      .rules = text,
                                      .file = TRUE };
  g_autoptr (FlViewMask) mask =
      fl_mask_work_ask (work, &request, request.source.mask, (FlVec3){ 0, 0, 0 }, G_MAXUINT, error);
  if (mask == NULL)
    return NULL;
  report (mask, rules);
  return g_bytes_ref (mask->file);
}

static gboolean
take_into (const Options *o, GBytes *file, GError **error)
{
  g_autoptr (FlStore) store = fl_store_open (o->store, FL_STORE_WRITE, error);
  if (store == NULL)
    return FALSE;
  fl_store_act_for_person (store, g_get_host_name ());
  FlNewBlock wish = { .of = o->of,
                      .name = o->name,
                      .from_run = o->from_run,
                      .stem = "mask",
                      .parameter = "detector.mask",
                      .folder = "masks",
                      .ending = ".h5" };
  wish.bytes = g_bytes_get_data (file, &wish.length);
  g_autofree char *said = fl_new_block_make (store, &wish, error);
  if (said != NULL)
    fputs (said, stdout);
  return said != NULL;
}

static int
run (const Options *o, const char *rules, char **files)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) file = make (o, rules, files, &error);
  gsize length;
  gconstpointer bytes = file != NULL ? g_bytes_get_data (file, &length) : NULL;
  if (file == NULL || (o->out != NULL && !g_file_set_contents (o->out, bytes, (gssize) length, &error))
      || (o->store != NULL && !take_into (o, file, &error)))
    return fl_program_fail (PROGRAM, error);
  return 0;
}

int
fl_program_mask (int argc, char **argv)
{
  g_auto (Options) o = { 0 };
  const GOptionEntry entries[] = {
    { "out", 'o', 0, G_OPTION_ARG_FILENAME, &o.out, "Write the mask here", "FILE.h5" },
    { "store", 's', 0, G_OPTION_ARG_FILENAME, &o.store, "Take it into this experiment, as a new block",
      "PATH" },
    { "of", 0, 0, G_OPTION_ARG_STRING, &o.of,
      "The block whose place the new one takes (default: the active one)", "NAME" },
    { "name", 'n', 0, G_OPTION_ARG_STRING, &o.name, "What the new block is called", "NAME" },
    { "from-run", 'f', 0, G_OPTION_ARG_STRING, &o.from_run,
      "The first run that it is for; earlier ones keep theirs (default: all runs of the other block)",
      "RUN" },
    { "geometry", 'g', 0, G_OPTION_ARG_FILENAME, &o.geometry, "CrystFEL geometry of the shots", "FILE" },
    { "mask", 'm', 0, G_OPTION_ARG_FILENAME, &o.mask,
      "What the rules begin with; of a mask made by rules, what those began with", "FILE[:/dataset]" },
    { NULL }
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (GOptionContext) context = g_option_context_new ("RULES SHOTS…");
  g_option_context_set_summary (
      context, "Makes a mask out of rules (a text, one a line) for the detector of the shots. Rules about\n"
               "intensities look at some of them. firstlight and CrystFEL read what it writes.");
  g_option_context_set_description (
      context,
      "Rules: edges N [PANEL] · asic-edges N FS SS [PANEL] · panel PANEL · rectangle PANEL FS0 FS1 SS0 SS1 "
      "(px)\n"
      "or X0 Y0 X1 Y1 (mm) · circle [PANEL] X Y R · ellipse [PANEL] X Y RX RY · polygon [PANEL] X,Y X,Y X,Y "
      "… ·\n"
      "below V · above V · statistics dead hot noisy z=Z mean<V mean>V std<V std>V over=V,F · shots N ·\n"
      "unmask RULE\n");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    fprintf (stderr, "%s: %s\n", PROGRAM, error->message);
  else if (argc < 3 || (o.out == NULL && o.store == NULL))
    fprintf (stderr, "%s: expected --out FILE or --store FOLDER, rules and shots\n", PROGRAM);
  else
    return run (&o, argv[1], argv + 2);
  return 2;
}
