/* gpu-probe.c: asks at configuration whether nvcc or hipcc works with this machine's compiler and for the chosen GPUs. */
#include "kernels/kernel.h"

__global__ void
probe (int *out)
{
  *out = 1;
}
