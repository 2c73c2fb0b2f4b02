/* fft-body.h: the transform's kernel for one precision. Included by fft.c with REAL, LANES and FFT (name). */

enum
{
  FFT (ALL_LANES) = LANES,
  /* A thread of a real team takes one lane, the one thread of a CPU's team takes them all as a vector. */
  FFT (SPAN) = TEAM_IS_ONE ? LANES : 1,
  FFT (SPLIT) = LANES / FFT (SPAN)
};

typedef struct
{
  REAL re[FLK_FFT_MAX * LANES], im[FLK_FFT_MAX * LANES]; /* [place][lane] */
} FFT (Shared);

/* y times (c, s), stored. */
DEVICE_FN void
FFT (put) (REAL *RESTRICT re, REAL *RESTRICT im, REAL y_re, REAL y_im, REAL c, REAL s)
{
  *re = y_re * c - y_im * s;
  *im = y_re * s + y_im * c;
}

DEVICE_FN void
FFT (radix2) (REAL *RESTRICT re, REAL *RESTRICT im, int m, const REAL *c, const REAL *s)
{
  LANE_LOOP
  for (int l = 0; l < FFT (SPAN); l++)
    {
      REAL a_re = re[l], a_im = im[l], b_re = re[l + m], b_im = im[l + m];
      re[l] = a_re + b_re;
      im[l] = a_im + b_im;
      FFT (put) (&re[l + m], &im[l + m], a_re - b_re, a_im - b_im, c[1], s[1]);
    }
}

DEVICE_FN void
FFT (radix3) (REAL *RESTRICT re, REAL *RESTRICT im, int m, const REAL *c, const REAL *s)
{
  const REAL half_root3 = (REAL) 0.86602540378443864676;
  LANE_LOOP
  for (int l = 0; l < FFT (SPAN); l++)
    {
      REAL sum_re = re[l + m] + re[l + 2 * m], sum_im = im[l + m] + im[l + 2 * m];
      REAL cross_re = half_root3 * (im[l + m] - im[l + 2 * m]),
           cross_im = half_root3 * (re[l + 2 * m] - re[l + m]);
      REAL mid_re = re[l] - (REAL) 0.5 * sum_re, mid_im = im[l] - (REAL) 0.5 * sum_im;
      re[l] += sum_re;
      im[l] += sum_im;
      FFT (put) (&re[l + m], &im[l + m], mid_re + cross_re, mid_im + cross_im, c[1], s[1]);
      FFT (put) (&re[l + 2 * m], &im[l + 2 * m], mid_re - cross_re, mid_im - cross_im, c[2], s[2]);
    }
}

DEVICE_FN void
FFT (radix4) (REAL *RESTRICT re, REAL *RESTRICT im, int m, const REAL *c, const REAL *s)
{
  LANE_LOOP
  for (int l = 0; l < FFT (SPAN); l++)
    {
      REAL a_re = re[l] + re[l + 2 * m], a_im = im[l] + im[l + 2 * m];
      REAL b_re = re[l] - re[l + 2 * m], b_im = im[l] - im[l + 2 * m];
      REAL e_re = re[l + m] + re[l + 3 * m], e_im = im[l + m] + im[l + 3 * m];
      REAL d_re = re[l + m] - re[l + 3 * m], d_im = im[l + m] - im[l + 3 * m];
      re[l] = a_re + e_re;
      im[l] = a_im + e_im;
      FFT (put) (&re[l + m], &im[l + m], b_re + d_im, b_im - d_re, c[1], s[1]);
      FFT (put) (&re[l + 2 * m], &im[l + 2 * m], a_re - e_re, a_im - e_im, c[2], s[2]);
      FFT (put) (&re[l + 3 * m], &im[l + 3 * m], b_re - d_im, b_im + d_re, c[3], s[3]);
    }
}

DEVICE_FN void
FFT (radix5) (REAL *RESTRICT re, REAL *RESTRICT im, int m, const REAL *c, const REAL *s)
{
  const REAL c1 = (REAL) 0.30901699437494742410, s1 = (REAL) 0.95105651629515357212;
  const REAL c2 = (REAL) -0.80901699437494742410, s2 = (REAL) 0.58778525229247312917;
  LANE_LOOP
  for (int l = 0; l < FFT (SPAN); l++)
    {
      REAL p_re = re[l + m] + re[l + 4 * m], p_im = im[l + m] + im[l + 4 * m];
      REAL q_re = re[l + m] - re[l + 4 * m], q_im = im[l + m] - im[l + 4 * m];
      REAL u_re = re[l + 2 * m] + re[l + 3 * m], u_im = im[l + 2 * m] + im[l + 3 * m];
      REAL v_re = re[l + 2 * m] - re[l + 3 * m], v_im = im[l + 2 * m] - im[l + 3 * m];
      REAL a_re = re[l] + c1 * p_re + c2 * u_re, a_im = im[l] + c1 * p_im + c2 * u_im;
      REAL b_re = re[l] + c2 * p_re + c1 * u_re, b_im = im[l] + c2 * p_im + c1 * u_im;
      REAL d_re = s1 * q_re + s2 * v_re, d_im = s1 * q_im + s2 * v_im;
      REAL e_re = s2 * q_re - s1 * v_re, e_im = s2 * q_im - s1 * v_im;
      re[l] += p_re + u_re;
      im[l] += p_im + u_im;
      FFT (put) (&re[l + m], &im[l + m], a_re + d_im, a_im - d_re, c[1], s[1]);
      FFT (put) (&re[l + 2 * m], &im[l + 2 * m], b_re + e_im, b_im - e_re, c[2], s[2]);
      FFT (put) (&re[l + 3 * m], &im[l + 3 * m], b_re - e_im, b_im + e_re, c[3], s[3]);
      FFT (put) (&re[l + 4 * m], &im[l + 4 * m], a_re - d_im, a_im + d_re, c[4], s[4]);
    }
}

DEVICE_FN void
FFT (stages) (Team t, REAL *re, REAL *im, const FlkFftArgs *a)
{
  const REAL *turn = (const REAL *) a->turn;
  uint32_t length = a->n;
  for (uint32_t f = 0; f < a->n_factors; f++)
    {
      uint32_t r = a->factors[f], m = length / r, turns = a->n / length;
      uint32_t inverse = (1u << 20) / m + 1; /* i / m = i inverse / 2^20 for i up to FLK_FFT_MAX */
      TEAM_LOOP (item, a->n / r * FFT (SPLIT), t)
        {
          uint32_t i = (uint32_t) item / FFT (SPLIT), lane = (uint32_t) item % FFT (SPLIT);
          uint32_t block = (i * inverse) >> 20, j = i - block * m;
          uint32_t at = (block * length + j) * LANES + lane;
          REAL c[5], s[5];
          for (uint32_t k = 1; k < r; k++)
            {
              c[k] = turn[j * k * turns];
              s[k] = turn[a->n + j * k * turns];
            }
          if (r == 4)
            FFT (radix4) (re + at, im + at, (int) m * LANES, c, s);
          else if (r == 2)
            FFT (radix2) (re + at, im + at, (int) m * LANES, c, s);
          else if (r == 3)
            FFT (radix3) (re + at, im + at, (int) m * LANES, c, s);
          else
            FFT (radix5) (re + at, im + at, (int) m * LANES, c, s);
        }
      length = m;
      team_barrier (t);
    }
}

/* Number of the line that mode `i` stands for. */
DEVICE_FN uint32_t
FFT (frequency) (uint32_t i, uint32_t modes, uint32_t n)
{
  uint32_t half = modes / 2;
  return modes == 0 ? i : i < half ? i + n - half : i - half;
}

/* How many lanes of a thread that starts at `lane` have a line. */
DEVICE_FN uint32_t
FFT (span) (uint32_t lane, uint32_t lanes)
{
  return lane + FFT (SPAN) <= lanes ? (uint32_t) FFT (SPAN) : lane < lanes ? lanes - lane : 0;
}

/* Numbers of neighbouring lines into lanes, times `by`; and back. */
DEVICE_FN void
FFT (take) (REAL *RESTRICT re, REAL *RESTRICT im, const REAL *RESTRICT from, uint64_t step, int span,
            int parts, REAL by)
{
  for (int l = 0; l < span; l++)
    {
      re[l] = from[(uint64_t) l * step] * by;
      im[l] = parts == 2 ? from[(uint64_t) l * step + 1] * by : 0;
    }
}

DEVICE_FN void
FFT (give) (const REAL *RESTRICT re, const REAL *RESTRICT im, REAL *RESTRICT to, uint64_t step, int span,
            int parts, REAL by)
{
  for (int l = 0; l < span; l++)
    {
      to[(uint64_t) l * step] = re[l] * by;
      if (parts == 2)
        to[(uint64_t) l * step + 1] = im[l] * by;
    }
}

DEVICE_FN void
FFT (load) (Team t, REAL *re, REAL *im, const FlkFftArgs *a, uint64_t first, uint32_t lanes)
{
  const FlkFftSide *in = &a->in;
  const REAL *factor = (const REAL *) in->factor;
  uint32_t count = in->modes ? in->modes : a->n, parts = in->real ? 1 : 2;
  if (count < a->n || lanes < LANES)
    {
      TEAM_LOOP (i, a->n * LANES, t)
        re[i] = im[i] = 0;
      team_barrier (t);
    }
  TEAM_LOOP (item, count * FFT (SPLIT), t)
    {
      uint32_t i = (uint32_t) item / FFT (SPLIT), lane = (uint32_t) item % FFT (SPLIT);
      uint32_t at = FFT (frequency) (i, in->modes, a->n) * LANES + lane, span = FFT (span) (lane, lanes);
      const REAL *from = (const REAL *) in->data + (first + i * in->stride + lane * in->step) * parts;
      REAL by = factor ? factor[i] : 1;
      if (in->step == 1 && span == FFT (SPAN) && parts == 2)
        FFT (take) (re + at, im + at, from, 2, FFT (SPAN), 2, by);
      else if (in->step == 1 && span == FFT (SPAN))
        FFT (take) (re + at, im + at, from, 1, FFT (SPAN), 1, by);
      else
        FFT (take) (re + at, im + at, from, in->step * parts, (int) span, (int) parts, by);
    }
  team_barrier (t);
}

DEVICE_FN void
FFT (store) (Team t, const REAL *re, const REAL *im, const FlkFftArgs *a, uint64_t first, uint32_t lanes)
{
  const FlkFftSide *out = &a->out;
  const REAL *factor = (const REAL *) out->factor;
  uint32_t count = out->modes ? out->modes : a->n, parts = out->real ? 1 : 2;
  TEAM_LOOP (item, count * FFT (SPLIT), t)
    {
      uint32_t i = (uint32_t) item / FFT (SPLIT), lane = (uint32_t) item % FFT (SPLIT),
               span = FFT (span) (lane, lanes);
      uint32_t at = a->place[FFT (frequency) (i, out->modes, a->n)] * (uint32_t) LANES + lane;
      REAL *to = (REAL *) out->data + (first + i * out->stride + lane * out->step) * parts;
      REAL by = factor ? factor[i] : 1;
      if (out->step == 1 && span == FFT (SPAN) && parts == 2)
        FFT (give) (re + at, im + at, to, 2, FFT (SPAN), 2, by);
      else if (out->step == 1 && span == FFT (SPAN))
        FFT (give) (re + at, im + at, to, 1, FFT (SPAN), 1, by);
      else
        FFT (give) (re + at, im + at, to, out->step * parts, (int) span, (int) parts, by);
    }
  team_barrier (t);
}

DEVICE_FN void
FFT (body) (Team t, FFT (Shared) * sh, const FlkFftArgs *a)
{
  uint32_t per_group = (a->lines + LANES - 1) / LANES;
  uint32_t group = t.index / per_group, line = (t.index - group * per_group) * LANES;
  uint32_t lanes = a->lines - line < LANES ? a->lines - line : LANES;
  /* With the parts exchanged the transform is the inverse one. */
  REAL *re = a->inverse ? sh->im : sh->re, *im = a->inverse ? sh->re : sh->im;
  FFT (load) (t, re, im, a, group * a->in.group + line * a->in.step, lanes);
  FFT (stages) (t, sh->re, sh->im, a);
  FFT (store) (t, re, im, a, group * a->out.group + line * a->out.step, lanes);
}
