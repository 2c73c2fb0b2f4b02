/* A CBF section's pixels: the first bytes say how they are packed and how many there are, the rest is the section. */

#include <string.h>

#include "engine/shots/cbf-codec.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

#define HEAD          5
#define PACKED_HEADER 32 /* begins with the number of elements, which no fuzzer would guess */

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  if (size < HEAD)
    return 0;
  FlCbfCoding coding = { .compression = data[0] % 4,
                         .flat = data[0] & 4,
                         .uncorrelated = data[0] & 8,
                         .element_size = 1u << (data[1] % (data[0] % 4 == FL_CBF_NONE ? 4 : 3)),
                         .dims = { data[2] % 32u + 1, data[3] % 32u + 1, data[4] % 4u + 1 } };
  gsize length = size - HEAD, n = coding.dims[0] * coding.dims[1] * coding.dims[2];
  if (n > fl_cbf_most_elements (&coding, length))
    return 0;
  g_autofree guint8 *section = g_malloc0 (length + FL_CBF_PADDING), *out = g_malloc (n * coding.element_size);
  const guint64 count = GUINT64_TO_LE (n);
  memcpy (section, data + HEAD, length);
  if (length >= PACKED_HEADER && (data[0] & 16) == 0)
    memcpy (section, &count, sizeof count);
  (void) fl_cbf_decode (&coding, section, length, out);
  return 0;
}
