/* Answers of a file server, taken apart. */
#include <stdint.h>

#include "engine/remote/sftp-packet.h"

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  FlSftpCursor cursor = { .p = data, .end = data + size };
  FlSftpAttributes attributes;
  for (guint32 n = fl_sftp_take_u32 (&cursor); n > 0 && !cursor.bad; n--)
    g_free (fl_sftp_take_name (&cursor, &attributes));
  cursor = (FlSftpCursor){ .p = data, .end = data + size };
  fl_sftp_take_attributes (&cursor, &attributes);
  if (cursor.p < data || cursor.p > data + size)
    __builtin_trap ();
  return 0;
}
