/* main.c: the control room, `firstlight`. */
#define G_LOG_DOMAIN "firstlight-gui"
#include <glib/gi18n.h>

#include <locale.h>
#include <stdio.h>

#include "engine/base/build-features.h"
#include "gui/application.h"

static gboolean
parse_size (const char *text, FlgOptions *options)
{
  char rest;
  return sscanf (text, "%dx%d%c", &options->width, &options->height, &rest) == 2 && options->width >= 320
         && options->height >= 240 && options->width <= 16384 && options->height <= 16384;
}

static int
complain (const char *message)
{
  g_printerr ("firstlight: %s\n", message);
  return 2;
}

int
main (int argc, char *argv[])
{
  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);

  FlgOptions options = { .after = 2 };
  g_autofree char *renderer_name = NULL, *size = NULL;
  g_auto (GStrv) folders = NULL;
  gboolean version = FALSE, features = FALSE;
  GOptionEntry entries[] = {
    { "read-only", 0, 0, G_OPTION_ARG_NONE, &options.read_only, N_ ("Change nothing, submit nothing"), NULL },
    { "no-conductor", 0, 0, G_OPTION_ARG_NONE, &options.no_conductor, N_ ("Do not start a conductor"), NULL },
    { "page", 0, 0, G_OPTION_ARG_STRING, &options.page, N_ ("Begin with this page"),
      "runs|trials|datasets|jobs|live|weather|cells|merging|density|images|sites" },
    { "assistant", 0, 0, G_OPTION_ARG_STRING, &options.assistant, N_ ("Without a folder: begin with this"),
      "welcome|new|join|open|demo" },
    { "renderer", 0, 0, G_OPTION_ARG_STRING, &renderer_name, N_ ("How the window is drawn"),
      "auto|gl|cairo" },
    { "snapshot", 0, 0, G_OPTION_ARG_FILENAME, &options.snapshot,
      N_ ("Write a picture of the window and quit"), "FILE.png" },
    { "size", 0, 0, G_OPTION_ARG_STRING, &size, N_ ("Size of the window"), "WIDTHxHEIGHT" },
    { "after", 0, 0, G_OPTION_ARG_DOUBLE, &options.after, N_ ("When to take the picture"), "SECONDS" },
    { "time-start", 0, 0, G_OPTION_ARG_NONE, &options.time_start, N_ ("Print how long the first frame took"),
      NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, &version, N_ ("Print the version"), NULL },
    { "features", 0, 0, G_OPTION_ARG_NONE, &features, N_ ("With --version: print what this build can do"),
      NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &folders, NULL,
      N_ ("[EXPERIMENT-FOLDER | ssh://USER@HOST/FOLDER]") },
    { NULL }
  };
  g_autoptr (GOptionContext) parser = g_option_context_new (NULL);
  g_option_context_set_summary (parser, _ ("The control room of an X-ray laser experiment."));
  g_option_context_add_main_entries (parser, entries, GETTEXT_PACKAGE);
  g_autoptr (GError) error = NULL;
  if (!g_option_context_parse (parser, &argc, &argv, &error))
    return complain (error->message);
  if (version)
    {
      g_autofree char *text = features ? fl_features_text () : NULL;
      g_print ("firstlight %s\n%s", FL_VERSION, text ? text : "");
      return 0;
    }
  FlgRenderer renderer = FLG_RENDERER_AUTO;
  if (renderer_name && !flg_renderer_parse (renderer_name, &renderer))
    return complain (_ ("--renderer: expected auto, gl or cairo"));
  if (size && !parse_size (size, &options))
    return complain (_ ("--size: expected WIDTHxHEIGHT in pixels, such as 1280x800"));
  if (folders && g_strv_length (folders) > 1)
    return complain (_ ("expected one experiment's folder"));
  options.folder = folders ? folders[0] : NULL;

  FlgDisplayProfile profile = flg_display_profile_choose (renderer);
  if (!gtk_init_check ())
    return complain (_ ("there is no display to draw on (DISPLAY, WAYLAND_DISPLAY)"));
  g_autoptr (FlgApplication) application = flg_application_new (&options, &profile);
  int status = g_application_run (G_APPLICATION (application), 0, NULL);
  return status ? status : flg_application_status (application);
}
