#define G_LOG_DOMAIN "firstlight-gui"
#include "gui/display-profile.h"

#include <glob.h>
#include <string.h>

gboolean
flg_renderer_parse (const char *text, FlgRenderer *renderer)
{
  static const char *const names[] = { "auto", "gl", "cairo" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (strcmp (text, names[i]) == 0)
      {
        *renderer = (FlgRenderer) i;
        return TRUE;
      }
  return FALSE;
}

static gboolean
display_is_remote (void)
{
  const char *display = g_getenv ("DISPLAY");
  gboolean wayland = g_getenv ("WAYLAND_DISPLAY") != NULL;
  if (!wayland && display && *display && *display != ':' && !g_str_has_prefix (display, "unix:"))
    return TRUE;
  return g_getenv ("SSH_CONNECTION") != NULL && g_getenv ("SSH_TTY") != NULL && !wayland;
}

static gboolean
machine_has_gpu (void)
{
  glob_t found;
  gboolean any = glob ("/dev/dri/renderD*", GLOB_NOSORT, NULL, &found) == 0 && found.gl_pathc > 0;
  globfree (&found);
  return any || g_file_test ("/dev/nvidiactl", G_FILE_TEST_EXISTS);
}

FlgDisplayProfile
flg_display_profile_choose (FlgRenderer wanted)
{
  FlgDisplayProfile profile = { .remote = display_is_remote () };
  const char *given = g_getenv ("GSK_RENDERER");
  if (wanted == FLG_RENDERER_AUTO && given)
    {
      profile.cairo = strcmp (given, "cairo") == 0;
      profile.why = "GSK_RENDERER is set";
      return profile;
    }
  if (wanted != FLG_RENDERER_AUTO)
    {
      profile.cairo = wanted == FLG_RENDERER_CAIRO;
      profile.why = "asked for";
    }
  else if (profile.remote)
    {
      profile.cairo = TRUE;
      profile.why = "the display is remote";
    }
  else if (!machine_has_gpu ())
    {
      profile.cairo = TRUE;
      profile.why = "this machine shows no GPU";
    }
  else
    profile.why = "a local display with a GPU";
  g_setenv ("GSK_RENDERER", profile.cairo ? "cairo" : "gl", TRUE);
  return profile;
}

void
flg_display_profile_apply (const FlgDisplayProfile *profile)
{
  if (profile->remote)
    g_object_set (gtk_settings_get_default (), "gtk-enable-animations", FALSE, "gtk-cursor-blink", FALSE,
                  NULL);
}

const char *
flg_display_profile_renderer (GtkWidget *widget)
{
  GtkNative *native = gtk_widget_get_native (widget);
  GskRenderer *renderer = native ? gtk_native_get_renderer (native) : NULL;
  return renderer ? G_OBJECT_TYPE_NAME (renderer) : "none";
}
