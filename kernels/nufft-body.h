/* nufft-body.h: gathering and spreading for one precision. Included by nufft.c with REAL, PARTS (2: complex, 1: real), CELLS, MEMBER and
 * NU (name). */

enum
{
  NU (BATCH) = 128 / sizeof (REAL) /* points whose windows a team works out together */
};

#ifdef BACKEND_CPU
/* Rows in registers. The order of what is done is that of the plain loops. */
#define ROW_OF(n) __attribute__ ((vector_size ((n) * sizeof (REAL)), aligned (sizeof (REAL)), may_alias))
typedef REAL NU (Row4) ROW_OF (4);
typedef REAL NU (Row8) ROW_OF (8);
typedef REAL NU (Row16) ROW_OF (16);
#undef ROW_OF
#endif

typedef struct
{
  REAL part[PARTS * CELLS]; /* the tile with its margin: [part][CELLS], of these [z][y][x] */
  REAL weight[NU (BATCH)][3][FLK_NUFFT_LANES];
  REAL value[NU (BATCH)][PARTS];
  uint32_t cell[NU (BATCH)];
} NU (Shared);

/* A tile: its first cell on the grid, what of it is the window's reach, and how it lies in shared memory. */
typedef struct
{
  uint32_t tile;
  uint32_t start[3], size[3];
  uint32_t row, plane, rows; /* numbers in a row and a plane, rows of a plane */
} NU (Tile);

DEVICE_FN
NU (Tile) NU (tile) (Team t, const FlkNufftArgs *a, uint32_t lanes)
{
  NU (Tile) b;
  uint32_t rest = t.index, at[3], room[3];
  for (int d = 0; d < 3; d++)
    {
      uint32_t n = a->n[d], tiles = a->tiles[d], count = tiles / a->colours[d];
      at[d] = rest % count * a->colours[d] + a->colour[d];
      rest /= count;
      /* A window whose first cell is c covers c + 1 … c + width. */
      b.start[d] = at[d] * n / tiles + 1;
      b.size[d] = (at[d] + 1) * n / tiles - at[d] * n / tiles + a->width - 1;
      b.start[d] = b.start[d] < n ? b.start[d] : b.start[d] - n;
      room[d] = (n + tiles - 1) / tiles + (d == 0 ? lanes : a->width) - 1;
    }
  b.tile = (at[2] * a->tiles[1] + at[1]) * a->tiles[0] + at[0];
  b.row = room[0];
  b.rows = room[1];
  b.plane = room[0] * room[1];
  return b;
}

/* Windows of a point: three times `lanes` values, and its first cell in the tile. */
DEVICE_FN uint32_t
NU (windows) (const FlkNufftArgs *a, const NU (Tile) * b, uint32_t point, REAL weight[3][FLK_NUFFT_LANES],
              const int lanes)
{
  const REAL *place = (const REAL *) a->place + point;
  uint32_t cell[3];
  for (int d = 0; d < 3; d++)
    {
      REAL x = place[(size_t) d * a->n_points];
      cell[d] = (uint32_t) x;
      REAL u = 2 * (x - (REAL) cell[d]) - 1;
      REAL *RESTRICT w = weight[d];
#ifdef BACKEND_CPU
#define POLYNOMIAL(Row)                                                                                      \
  {                                                                                                          \
    Row v = *(const Row *) a->window.MEMBER[a->degree];                                                      \
    for (int k = (int) a->degree - 1; k >= 0; k--)                                                           \
      v = v * u + *(const Row *) a->window.MEMBER[k];                                                        \
    *(Row *) w = v;                                                                                          \
  }
      if (lanes == 4)
        POLYNOMIAL (NU (Row4))
      else if (lanes == 8)
        POLYNOMIAL (NU (Row8))
      else
        POLYNOMIAL (NU (Row16))
#undef POLYNOMIAL
#else
      const REAL *c = a->window.MEMBER[a->degree];
      for (int l = 0; l < lanes; l++)
        w[l] = c[l];
      for (int k = (int) a->degree - 1; k >= 0; k--)
        {
          c = a->window.MEMBER[k];
          for (int l = 0; l < lanes; l++)
            w[l] = w[l] * u + c[l];
        }
#endif
    }
  return cell[2] * b->plane + cell[1] * b->row + cell[0];
}

/* The grid's cells between the grid and the tile, rows of the periodic grid; `add`: tile onto grid. */
DEVICE_FN void
NU (exchange) (Team t, NU (Shared) * sh, const FlkNufftArgs *a, const NU (Tile) * b, bool add)
{
  TEAM_LOOP (i, b->size[1] * b->size[2], t)
    {
      uint32_t z = (uint32_t) i / b->size[1], y = (uint32_t) i - z * b->size[1];
      uint32_t gz = b->start[2] + z, gy = b->start[1] + y, gx = b->start[0];
      gz = gz < a->n[2] ? gz : gz - a->n[2];
      gy = gy < a->n[1] ? gy : gy - a->n[1];
      REAL *grid = (REAL *) a->grid + ((size_t) gz * a->n[1] + gy) * a->n[0] * PARTS;
      uint32_t row = z * b->plane + y * b->row;
      for (uint32_t x = 0; x < b->size[0];)
        {
          uint32_t run = a->n[0] - gx < b->size[0] - x ? a->n[0] - gx : b->size[0] - x;
          REAL *RESTRICT g = grid + gx * PARTS, *RESTRICT c = sh->part + row + x;
          if (add)
            for (uint32_t k = 0; k < run; k++)
              for (int p = 0; p < PARTS; p++)
                g[k * PARTS + (uint32_t) p] += c[k + (uint32_t) p * CELLS];
          else
            for (uint32_t k = 0; k < run; k++)
              for (int p = 0; p < PARTS; p++)
                c[k + (uint32_t) p * CELLS] = g[k * PARTS + (uint32_t) p];
          x += run;
          gx = 0;
        }
      /* What only weights of 0 meet must still be numbers. */
      for (int p = 0; p < PARTS && !add; p++)
        for (uint32_t x = b->size[0]; x < b->row; x++)
          sh->part[(uint32_t) p * CELLS + row + x] = 0;
    }
  team_barrier (t);
}

DEVICE_FN void
NU (gather_points) (Team t, NU (Shared) * sh, const FlkNufftArgs *a, const NU (Tile) * b, const int lanes)
{
  uint32_t first = a->first[b->tile], n = a->first[b->tile + 1] - first;
  int width = (int) a->width;
  TEAM_LOOP (i, n, t)
    {
      REAL w[3][FLK_NUFFT_LANES], sum[PARTS][FLK_NUFFT_LANES];
      uint32_t cell = NU (windows) (a, b, first + (uint32_t) i, w, lanes);
#ifdef BACKEND_CPU
#define GATHER(Row)                                                                                          \
  {                                                                                                          \
    Row row[PARTS] = { { 0 } };                                                                              \
    for (int z = 0; z < width; z++)                                                                          \
      for (int y = 0; y < width; y++)                                                                        \
        {                                                                                                    \
          REAL by = w[1][y] * w[2][z];                                                                       \
          const REAL *c = sh->part + cell + (uint32_t) z * b->plane + (uint32_t) y * b->row;                 \
          for (int p = 0; p < PARTS; p++)                                                                    \
            row[p] += by * *(const Row *) (c + p * (int) CELLS);                                             \
        }                                                                                                    \
    for (int p = 0; p < PARTS; p++)                                                                          \
      *(Row *) sum[p] = row[p];                                                                              \
  }
      if (lanes == 4)
        GATHER (NU (Row4))
      else if (lanes == 8)
        GATHER (NU (Row8))
      else
        GATHER (NU (Row16))
#undef GATHER
#else
      for (int p = 0; p < PARTS; p++)
        for (int l = 0; l < lanes; l++)
          sum[p][l] = 0;
      for (int z = 0; z < width; z++)
        for (int y = 0; y < width; y++)
          {
            REAL by = w[1][y] * w[2][z];
            uint32_t row = cell + (uint32_t) z * b->plane + (uint32_t) y * b->row;
            for (int p = 0; p < PARTS; p++)
              {
                const REAL *RESTRICT c = sh->part + (uint32_t) p * CELLS + row;
                for (int l = 0; l < lanes; l++)
                  sum[p][l] += by * c[l];
              }
          }
#endif
      REAL *value = (REAL *) a->values + (size_t) a->order[first + (uint32_t) i] * PARTS;
      for (int p = 0; p < PARTS; p++)
        {
          for (int l = 0; l < lanes; l++)
            sum[p][l] *= w[0][l];
          for (int half = lanes / 2; half >= 1; half /= 2)
            for (int l = 0; l < half; l++)
              sum[p][l] += sum[p][l + half];
          value[p] = sum[p][0];
        }
    }
  team_barrier (t);
}

DEVICE_FN void
NU (gather_body) (Team t, NU (Shared) * sh, const FlkNufftArgs *a)
{
  uint32_t lanes = a->width <= 4 ? 4 : a->width <= 8 ? 8 : 16;
  NU (Tile) b = NU (tile) (t, a, lanes);
  if (a->first[b.tile] == a->first[b.tile + 1])
    return;
  NU (exchange) (t, sh, a, &b, false);
  if (lanes == 4)
    NU (gather_points) (t, sh, a, &b, 4);
  else if (lanes == 8)
    NU (gather_points) (t, sh, a, &b, 8);
  else
    NU (gather_points) (t, sh, a, &b, 16);
}

/* Points one after the other; a thread of a real team owns the rows of one remainder of y and z, so that each cell takes
 * the points in the same order everywhere. */
#if TEAM_IS_ONE

DEVICE_FN void
NU (spread_batch) (Team t, NU (Shared) * sh, const FlkNufftArgs *a, const NU (Tile) * b, uint32_t n,
                   const int lanes)
{
  const uint32_t width = a->width;
  (void) t;
#define SPREAD(Row)                                                                                          \
  for (uint32_t i = 0; i < n; i++)                                                                           \
    {                                                                                                        \
      const REAL *wy = sh->weight[i][1], *wz = sh->weight[i][2];                                             \
      const Row wx = *(const Row *) sh->weight[i][0];                                                        \
      for (uint32_t z = 0; z < width; z++)                                                                   \
        for (uint32_t y = 0; y < width; y++)                                                                 \
          {                                                                                                  \
            REAL by = wy[y] * wz[z];                                                                         \
            REAL *c = sh->part + sh->cell[i] + z * b->plane + y * b->row;                                    \
            for (int p = 0; p < PARTS; p++)                                                                  \
              *(Row *) (c + p * (int) CELLS) += by * sh->value[i][p] * wx;                                   \
          }                                                                                                  \
    }
  if (lanes == 4)
    SPREAD (NU (Row4))
  else if (lanes == 8)
    SPREAD (NU (Row8))
  else
    SPREAD (NU (Row16))
#undef SPREAD
}

#else

DEVICE_FN void
NU (spread_batch) (Team t, NU (Shared) * sh, const FlkNufftArgs *a, const NU (Tile) * b, uint32_t n,
                   const int lanes)
{
  const uint32_t width = a->width, mask = (uint32_t) lanes - 1;
  TEAM_LOOP (own, lanes * lanes, t)
    for (uint32_t i = 0; i < n; i++)
      {
        uint32_t cell = sh->cell[i];
        const REAL *wy = sh->weight[i][1], *wz = sh->weight[i][2];
        uint32_t row = cell / b->row, at_z = row / b->rows, at_y = row - at_z * b->rows;
        uint32_t y0 = ((uint32_t) own - at_y) & mask, y1 = y0 + 1 < width ? y0 + 1 : width;
        uint32_t z0 = ((uint32_t) own / (uint32_t) lanes - at_z) & mask, z1 = z0 + 1 < width ? z0 + 1 : width;
        for (uint32_t z = z0; z < z1; z++)
          for (uint32_t y = y0; y < y1; y++)
            {
              REAL by = wy[y] * wz[z];
              uint32_t at = cell + z * b->plane + y * b->row;
              for (int p = 0; p < PARTS; p++)
                {
                  const REAL *RESTRICT wx = sh->weight[i][0];
                  REAL *RESTRICT c = sh->part + (uint32_t) p * CELLS + at, v = by * sh->value[i][p];
                  for (int l = 0; l < lanes; l++)
                    c[l] += v * wx[l];
                }
            }
      }
}

#endif

DEVICE_FN void
NU (spread_points) (Team t, NU (Shared) * sh, const FlkNufftArgs *a, const NU (Tile) * b, const int lanes)
{
  uint32_t first = a->first[b->tile], last = a->first[b->tile + 1];
  for (; first < last; first += NU (BATCH))
    {
      uint32_t n = last - first < NU (BATCH) ? last - first : (uint32_t) NU (BATCH);
      TEAM_LOOP (i, n, t)
        {
          const REAL *value = (const REAL *) a->values + (size_t) a->order[first + (uint32_t) i] * PARTS;
          for (int p = 0; p < PARTS; p++)
            sh->value[i][p] = value[p];
          sh->cell[i] = NU (windows) (a, b, first + (uint32_t) i, sh->weight[i], lanes);
        }
      team_barrier (t);
      NU (spread_batch) (t, sh, a, b, n, lanes);
      team_barrier (t);
    }
}

DEVICE_FN void
NU (spread_body) (Team t, NU (Shared) * sh, const FlkNufftArgs *a)
{
  uint32_t lanes = a->width <= 4 ? 4 : a->width <= 8 ? 8 : 16;
  NU (Tile) b = NU (tile) (t, a, lanes);
  if (a->first[b.tile] == a->first[b.tile + 1])
    return;
  TEAM_LOOP (i, b.plane * b.size[2], t)
    for (int p = 0; p < PARTS; p++)
      sh->part[p * (int) CELLS + i] = 0;
  team_barrier (t);
  if (lanes == 4)
    NU (spread_points) (t, sh, a, &b, 4);
  else if (lanes == 8)
    NU (spread_points) (t, sh, a, &b, 8);
  else
    NU (spread_points) (t, sh, a, &b, 16);
  NU (exchange) (t, sh, a, &b, true);
}
