/* Models of crystals: the first byte says PDB, mmCIF, or whatever the bytes are (gzip too). */

#include "engine/crystal/known-cell.h"
#include "engine/crystal/mmcif.h"
#include "tests/fuzz/fuzz-file.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static const char *const heads[] = { "CRYST1", "data_x\n", "" };
  if (size == 0)
    return 0;
  const char *head = heads[data[0] % 3];
  g_auto (FuzzFile) file = fuzz_file (head, strlen (head), data + 1, size - 1);
  g_autoptr (GError) error = NULL, of_atoms = NULL, of_cell = NULL;
  g_autoptr (FlModel) model = fl_model_read (file.path, &error);
  fuzz_error (model != NULL, error, file.path);
  g_autoptr (FlModel) atoms = fl_model_read_atoms (file.path, &of_atoms);
  fuzz_error (atoms != NULL, of_atoms, file.path);
  FlKnownCell known;
  fuzz_error (fl_known_cell_from_file (file.path, &known, &of_cell), of_cell, file.path);
  for (guint i = 0; atoms != NULL && i < atoms->n_atoms; i++)
    {
      g_assert_nonnull (atoms->atoms[i].factor);
      g_free (fl_atom_label_words (&atoms->atoms[i].label));
    }
  return 0;
}
