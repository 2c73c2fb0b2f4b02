/* index-vectors.c: least squares of 16 vectors side by side. */
#include "kernels/index-vectors.h"

#include "kernels/index-score.h"

enum
{
  LANES = TEAM_IS_ONE ? FLK_INDEX_VECTORS : 1
};

typedef struct
{
  float xx[LANES], xy[LANES], xz[LANES], yy[LANES], yz[LANES], zz[LANES]; /* normal matrix */
  float x[LANES], y[LANES], z[LANES];                                     /* right side */
} Normal;

typedef struct
{
  int unused;
} VectorsShared;

/* Adds the spots of a round. */
DEVICE_FN void
add_spots (Normal *n, const FlkIndexVectorsArgs *a, int round, const float *vx, const float *vy,
           const float *vz, uint32_t shot)
{
  const FlkIndexSpots *s = &a->spots;
  float widen = 1.0f / (a->shrink[round] * a->shrink[round]), narrowest = 1.0f / (a->widest * a->widest);
  for (uint32_t i = s->first[shot]; i < s->first[shot + 1]; i++)
    {
      float x = s->x[i], y = s->y[i], z = s->z[i], narrow = s->narrow[i] * widen;
      if (narrow < narrowest)
        continue;
      VECTOR_LOOP
      for (int l = 0; l < LANES; l++)
        {
          float d = index_off_whole (vx[l] * x + vy[l] * y + vz[l] * z);
          float f = index_hump (d * d, narrow), w = f * f;
          n->xx[l] += w * x * x;
          n->xy[l] += w * x * y;
          n->xz[l] += w * x * z;
          n->yy[l] += w * y * y;
          n->yz[l] += w * y * z;
          n->zz[l] += w * z * z;
          n->x[l] -= w * d * x;
          n->y[l] -= w * d * y;
          n->z[l] -= w * d * z;
        }
    }
}

/* One step of lane l. */
DEVICE_FN void
step (const Normal *n, int l, float length, float hold, float *vx, float *vy, float *vz)
{
  float norm = sqrtf (*vx * *vx + *vy * *vy + *vz * *vz), pull = hold * (length - norm);
  float ux = *vx / norm, uy = *vy / norm, uz = *vz / norm;
  float damp = 1e-4f * (n->xx[l] + n->yy[l] + n->zz[l]) + 1e-12f;
  float xx = n->xx[l] + hold * ux * ux + damp, xy = n->xy[l] + hold * ux * uy, xz = n->xz[l] + hold * ux * uz;
  float yy = n->yy[l] + hold * uy * uy + damp, yz = n->yz[l] + hold * uy * uz,
        zz = n->zz[l] + hold * uz * uz + damp;
  float bx = n->x[l] + pull * ux, by = n->y[l] + pull * uy, bz = n->z[l] + pull * uz;
  float cx = yy * zz - yz * yz, cy = xz * yz - xy * zz, cz = xy * yz - xz * yy;
  float over = 1.0f / (xx * cx + xy * cy + xz * cz);
  *vx += over * (cx * bx + cy * by + cz * bz);
  *vy += over * (cy * bx + (xx * zz - xz * xz) * by + (xy * xz - xx * yz) * bz);
  *vz += over * (cz * bx + (xy * xz - xx * yz) * by + (xx * yy - xy * xy) * bz);
}

DEVICE_FN void
index_vectors_body (Team t, VectorsShared *sh, const FlkIndexVectorsArgs *a)
{
  (void) sh;
  TEAM_LOOP (block, FLK_INDEX_VECTORS / LANES, t)
    {
      uint32_t at = t.index * FLK_INDEX_VECTORS + (uint32_t) (block * LANES);
      float *vx = a->x + at, *vy = a->y + at, *vz = a->z + at;
      for (int round = 0; round < FLK_INDEX_ROUNDS; round++)
        {
          Normal n;
          memset (&n, 0, sizeof n);
          add_spots (&n, a, round, vx, vy, vz, a->shot[at]);
          for (int l = 0; l < LANES; l++)
            step (&n, l, a->length, a->length_hold, &vx[l], &vy[l], &vz[l]);
        }
    }
}

KERNEL (index_vectors, FlkIndexVectorsArgs, VectorsShared, FLK_INDEX_VECTORS)
