/* kernel_team.h: atomics, and sums and scans over a team. Included by kernel.h.
 *
 * atomic_* act on global memory, between all teams; team_add_* on shared memory, between the threads of one team (plain
 * additions where a team is one thread). Sums of whole numbers do not depend on the order; sums of floats do: use the
 * former where results must be the same everywhere. */
/* Columns and macros that it would tear apart. */
/* clang-format off */
#pragma once

#ifdef BACKEND_GPU

DEVICE_FN uint32_t atomic_add_u32 (uint32_t *p, uint32_t v) { return atomicAdd (p, v); }
DEVICE_FN void atomic_add_u64 (uint64_t *p, uint64_t v) { atomicAdd ((unsigned long long *) p, (unsigned long long) v); }
DEVICE_FN void atomic_add_i64 (int64_t *p, int64_t v) { atomicAdd ((unsigned long long *) p, (unsigned long long) v); }
DEVICE_FN void atomic_add_f32 (float *p, float v) { atomicAdd (p, v); }
DEVICE_FN void atomic_add_f64 (double *p, double v) { atomicAdd (p, v); }
DEVICE_FN void atomic_max_u32 (uint32_t *p, uint32_t v) { atomicMax (p, v); }
DEVICE_FN uint32_t atomic_cas_u32 (uint32_t *p, uint32_t old, uint32_t v) { return atomicCAS (p, old, v); }
DEVICE_FN uint32_t atomic_load_u32 (const uint32_t *p) { return *(const volatile uint32_t *) p; }
DEVICE_FN void atomic_store_u32 (uint32_t *p, uint32_t v) { *(volatile uint32_t *) p = v; }

#else

DEVICE_FN uint32_t atomic_add_u32 (uint32_t *p, uint32_t v) { return __atomic_fetch_add (p, v, __ATOMIC_RELAXED); }
DEVICE_FN void atomic_add_u64 (uint64_t *p, uint64_t v) { __atomic_fetch_add (p, v, __ATOMIC_RELAXED); }
DEVICE_FN void atomic_add_i64 (int64_t *p, int64_t v) { __atomic_fetch_add (p, v, __ATOMIC_RELAXED); }

DEVICE_FN uint32_t
atomic_cas_u32 (uint32_t *p, uint32_t old, uint32_t v)
{
  __atomic_compare_exchange_n (p, &old, v, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
  return old;
}

DEVICE_FN uint32_t atomic_load_u32 (const uint32_t *p) { return __atomic_load_n (p, __ATOMIC_RELAXED); }
DEVICE_FN void atomic_store_u32 (uint32_t *p, uint32_t v) { __atomic_store_n (p, v, __ATOMIC_RELAXED); }

DEVICE_FN void
atomic_max_u32 (uint32_t *p, uint32_t v)
{
  uint32_t old = atomic_load_u32 (p);
  while (old < v && !__atomic_compare_exchange_n (p, &old, v, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
    ;
}

DEVICE_FN void
atomic_add_f32 (float *p, float v)
{
  float old, sum;
  __atomic_load (p, &old, __ATOMIC_RELAXED);
  do
    sum = old + v;
  while (!__atomic_compare_exchange (p, &old, &sum, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
}

DEVICE_FN void
atomic_add_f64 (double *p, double v)
{
  double old, sum;
  __atomic_load (p, &old, __ATOMIC_RELAXED);
  do
    sum = old + v;
  while (!__atomic_compare_exchange (p, &old, &sum, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
}

#endif

#if TEAM_IS_ONE
DEVICE_FN uint32_t team_add_u32 (uint32_t *p, uint32_t v) { uint32_t old = *p; *p += v; return old; }
DEVICE_FN void team_add_u64 (uint64_t *p, uint64_t v) { *p += v; }
DEVICE_FN void team_add_i64 (int64_t *p, int64_t v) { *p += v; }
DEVICE_FN uint32_t team_cas_u32 (uint32_t *p, uint32_t old, uint32_t v)
{
  uint32_t seen = *p;
  if (seen == old)
    *p = v;
  return seen;
}
DEVICE_FN uint32_t team_load_u32 (const uint32_t *p) { return *p; }
DEVICE_FN void team_store_u32 (uint32_t *p, uint32_t v) { *p = v; }
#else
DEVICE_FN uint32_t team_add_u32 (uint32_t *p, uint32_t v) { return atomic_add_u32 (p, v); }
DEVICE_FN void team_add_u64 (uint64_t *p, uint64_t v) { atomic_add_u64 (p, v); }
DEVICE_FN void team_add_i64 (int64_t *p, int64_t v) { atomic_add_i64 (p, v); }
DEVICE_FN uint32_t team_cas_u32 (uint32_t *p, uint32_t old, uint32_t v) { return atomic_cas_u32 (p, old, v); }
DEVICE_FN uint32_t team_load_u32 (const uint32_t *p) { return atomic_load_u32 (p); }
DEVICE_FN void team_store_u32 (uint32_t *p, uint32_t v) { atomic_store_u32 (p, v); }
#endif

/* Room for a sum or scan, in the kernel's shared struct. May be used again after each call. */
typedef union
{
  uint32_t u32[TEAM_MAX];
  float f32[TEAM_MAX];
  double f64[TEAM_MAX];
} TeamSlots;

/* Sum of every thread's value, the same in all threads; a fixed tree, so the same in each run of that team size. */
#define TEAM_SUM(type, member)                                                                                        \
  DEVICE_FN type team_sum_##member (Team t, TeamSlots *slots, type value)                                             \
  {                                                                                                                   \
    if (TEAM_IS_ONE)                                                                                                  \
      return value;                                                                                                   \
    slots->member[t.rank] = value;                                                                                    \
    for (uint32_t n = t.size; n > 1;)                                                                                 \
      {                                                                                                               \
        uint32_t half = (n + 1) / 2;                                                                                  \
        team_barrier (t);                                                                                             \
        if (t.rank + half < n)                                                                                        \
          slots->member[t.rank] += slots->member[t.rank + half];                                                      \
        n = half;                                                                                                     \
      }                                                                                                               \
    team_barrier (t);                                                                                                 \
    value = slots->member[0];                                                                                         \
    team_barrier (t);                                                                                                 \
    return value;                                                                                                     \
  }
TEAM_SUM (uint32_t, u32)
TEAM_SUM (float, f32)
TEAM_SUM (double, f64)
#undef TEAM_SUM

/* Sum of the values of the threads before this one; `total`: of all. */
DEVICE_FN uint32_t
team_scan_u32 (Team t, TeamSlots *slots, uint32_t value, uint32_t *total)
{
  if (TEAM_IS_ONE)
    {
      *total = value;
      return 0;
    }
  uint32_t sum = value;
  slots->u32[t.rank] = sum;
  for (uint32_t step = 1; step < t.size; step *= 2)
    {
      team_barrier (t);
      uint32_t left = t.rank >= step ? slots->u32[t.rank - step] : 0;
      team_barrier (t);
      sum += left;
      slots->u32[t.rank] = sum;
    }
  team_barrier (t);
  *total = slots->u32[t.size - 1];
  team_barrier (t);
  return sum - value;
}
