#include "engine/base/error.h"

#include <string.h>

G_DEFINE_QUARK (fl - error - quark, fl_error)

int
fl_error_exit_status (const GError *error)
{
  if (error == NULL)
    return 0;
  if (error->domain == G_FILE_ERROR || error->domain == G_KEY_FILE_ERROR || error->domain == G_OPTION_ERROR)
    return 2;
  if (error->domain != FL_ERROR)
    return 1;
  switch ((FlError) error->code)
    {
    case FL_ERROR_INPUT:
    case FL_ERROR_UNSUPPORTED:
    case FL_ERROR_MISSING:
    case FL_ERROR_DENIED:
    case FL_ERROR_CONFLICT:
      return 2;
    case FL_ERROR_BUSY:
    case FL_ERROR_STOPPED:
    case FL_ERROR_LOST:
      return 75;
    case FL_ERROR_FAILED:
    default:
      return 1;
    }
}

void
fl_error_prefix_path (GError **error, const char *path)
{
  if (error != NULL && *error != NULL && !g_str_has_prefix ((*error)->message, path))
    g_prefix_error (error, "%s: ", path);
}

char *
fl_one_line (char *text, char instead)
{
  for (char *p = text; *p != '\0'; p++)
    if (g_ascii_iscntrl (*p))
      *p = instead;
  return text;
}
