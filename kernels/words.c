/* words.c: what the shim's words do, written out so that a test can look at it on every back end. */
#include "kernels/words.h"

#include "kernels/kernel.h"

typedef struct
{
  TeamSlots slots;
  uint32_t count;
  int64_t sum;
} WordsShared;

DEVICE_FN void
words_body (Team t, WordsShared *sh, const FlkWordsArgs *a)
{
  uint32_t begin = t.index * a->chunk, end = begin + a->chunk < a->n ? begin + a->chunk : a->n, total;
  int n = end > begin ? (int) (end - begin) : 0;
  const float *in = a->in + begin;

  if (t.rank == 0)
    {
      sh->count = 0;
      sh->sum = 0;
    }
  team_barrier (t);
  uint32_t mine = 0;
  float sum32 = 0;
  double sum64 = 0;
  TEAM_LOOP (i, n, t)
    {
      float x = in[i];
      FlkWords *w = &a->words[begin + (uint32_t) i];
      c32 turn = c32_expipi (x), back = c32_mul (turn, c32_conj (turn));
      w->rounded = round_even (x);
      sincospi_f32 (x, &w->sine, &w->cosine);
      w->power = exp2_f32 (x / 16);
      w->logarithm = log2_f32 (x < 0 ? 1 - x : 1 + x);
      w->modulus = back.re;
      w->argument = back.im;
      mine++;
      sum32 += x;
      sum64 += (double) x;
      team_add_u32 (&sh->count, 1);
      team_add_i64 (&sh->sum, (int64_t) x);
      atomic_add_f32 (&a->totals->f32, x);
      atomic_add_f64 (&a->totals->f64, (double) x);
      atomic_add_i64 (&a->totals->i64, (int64_t) x);
      atomic_max_u32 (&a->totals->max_u32, begin + (uint32_t) i);
    }
  uint32_t before = team_scan_u32 (t, &sh->slots, mine, &total);
  uint32_t all = team_sum_u32 (t, &sh->slots, mine);
  sum32 = team_sum_f32 (t, &sh->slots, sum32);
  sum64 = team_sum_f64 (t, &sh->slots, sum64);
  team_barrier (t);
  if (t.rank == t.size - 1)
    {
      FlkWordsTeam *team = &a->teams[t.index];
      team->scan_end = before + mine;
      team->scan_total = total;
      team->sum_u32 = all;
      team->count = sh->count;
      team->sum_f32 = sum32;
      team->sum_f64 = sum64;
      team->sum_i64 = sh->sum;
      atomic_add_u64 (&a->totals->u64, total);
      while (true)
        {
          uint32_t old = atomic_load_u32 (&a->totals->cas_u32);
          if (atomic_cas_u32 (&a->totals->cas_u32, old, old + 3) == old)
            break;
        }
    }
}

KERNEL (words, FlkWordsArgs, WordsShared, 256)
