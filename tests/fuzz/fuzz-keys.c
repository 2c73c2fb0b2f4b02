/* Files of SSH: private keys, and the keys of servers. The first byte says which. */

#include "engine/remote/key-file.h"
#include "engine/remote/known-hosts.h"
#include "tests/fuzz/fuzz-file.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static const guint8 key[] = "\0\0\0\013ssh-ed25519\0\0\0\040abcdefghijklmnopqrstuvwxyz012345";
  if (size == 0)
    return 0;
  g_auto (FuzzFile) file = fuzz_file (NULL, 0, data + 1, size - 1);
  if (data[0] % 2 == 0)
    {
      FlKeyFile *found = fl_key_file_new (file.path);
      if (found != NULL)
        fl_key_file_free (found);
      g_free (fl_host_key_kind (data + 1, size - 1));
      return 0;
    }
  const char *files[] = { file.path, NULL };
  g_autofree char *where = NULL, *expected = NULL;
  fl_known_hosts_check (files, "host.example", 22, key, sizeof key - 1, &where, &expected);
  g_strfreev (fl_known_hosts_kinds (files, "host.example", 2222));
  return 0;
}
