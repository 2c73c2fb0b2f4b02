/* batch.h: typed columnar batches, the records that cross from the compute plane to everyone else.
 *
 * Each kind's columns are declared once, in batch.c, with type and unit. In memory a row is a plain C struct (below);
 * a batch holds the columns. The encoded form describes itself (column names and types travel with it), so that a
 * reader of another version takes the columns that it knows and zeros for those that are absent; a column with one
 * value in all rows is stored once. The same bytes are a journal frame's payload and a slice's packed columns in the
 * store. Little-endian. Thread: a batch belongs to one thread; decoded batches may be read by many. */
#pragma once

#include <glib.h>

typedef enum
{
  FL_KIND_SCHEMA = 0, /* text: what the columns are, for the reader in twenty years */
  FL_KIND_SHOT = 1,
  FL_KIND_SPOT = 2,
  FL_KIND_SOURCE = 3,
  FL_KIND_RANK = 4,
  FL_KIND_LATTICE = 5,
  FL_KIND_REFLECTION = 6,
  FL_KIND_CELL = 7,
  FL_KIND_MERGE = 8,
  FL_KIND_SHELL = 9,
  FL_KIND_REJECTION = 10,
  FL_KIND_TREND = 11,
  FL_KIND_PANEL = 12,
  FL_KIND_RING = 13,
  FL_KIND_PARTICLE = 14,
  FL_KIND_GENERATION = 15,
  FL_KIND_CURVE = 16,
  FL_KIND_COVERAGE = 17,
  FL_KIND_OCCUPANCY = 18,
  FL_KIND_DEVICE = 19,
  FL_KIND_LAST
} FlKind;

typedef enum
{
  FL_COLUMN_U8,
  FL_COLUMN_U16,
  FL_COLUMN_U32,
  FL_COLUMN_U64,
  FL_COLUMN_F32,
  FL_COLUMN_F64,
  FL_COLUMN_TEXT, /* UTF-8, in the row a const char * (NULL = "") */
  FL_COLUMN_I16
} FlColumnType;

typedef struct
{
  const char *name;
  FlColumnType type;
  const char *unit; /* "" for a plain number */
  gsize offset;     /* in the row struct */
} FlColumn;

typedef struct
{
  FlKind kind;
  const char *name;
  gsize row_size;
  guint n_columns;
  const FlColumn *columns;
} FlSchema;

/* How a shot ended, in rising order of what it is worth knowing about (the weather plot's "rare beats frequent"). */
typedef enum
{
  FL_OUTCOME_MISS = 0,      /* no hit */
  FL_OUTCOME_INDEXED = 1,   /* a hit, one lattice or more */
  FL_OUTCOME_HIT = 2,       /* a hit that has not been indexed (or was not asked to be) */
  FL_OUTCOME_FAILED = 3,    /* a stage failed; `message` says why */
  FL_OUTCOME_SET_ASIDE = 4, /* in flight at two crashes; not processed any more */
  FL_OUTCOME_LAST
} FlOutcome;

typedef enum
{
  FL_STAGE_IDLE = 0,
  FL_STAGE_READ = 1,
  FL_STAGE_FIND = 2,
  FL_STAGE_INDEX = 3,
  FL_STAGE_REFINE = 4,
  FL_STAGE_INTEGRATE = 5,
  FL_STAGE_LAST
} FlStage;

const char *fl_outcome_name (FlOutcome outcome);
const char *fl_stage_name (FlStage stage);

/* One processed shot. Durations are what it cost its rank: a GPU may find spots while the rank is at other shots. */
typedef struct
{
  guint64 id;            /* fl_shot_id(): the same in every attempt */
  guint32 source;        /* FL_KIND_SOURCE row of the attempt: which file */
  guint32 frame;         /* frame in that file, from 0 */
  guint64 start;         /* ns UTC, when the rank took it up */
  guint32 duration[5];   /* µs: read, find, index, refine, integrate */
  guint8 outcome, stage; /* FlOutcome, last FlStage reached */
  guint16 lattices;
  guint32 spots;
  float resolution;    /* Å, where the strong spots end; 0 = none */
  float energy;        /* eV */
  float solvent;       /* ratio of the radial profile at the two angles; 0 = not measured */
  const char *message; /* why it failed */
} FlShotRow;

/* One strong spot, 2-D on its panel. */
typedef struct
{
  guint64 shot; /* FlShotRow.id */
  guint16 panel;
  guint16 pixels;
  float fs, ss;         /* px from the panel's corner; the first pixel spans 0–1, its centre is 0.5 */
  float var_fs, var_ss; /* px², variance of the centroid */
  float intensity, var_intensity; /* counts above background */
  float peak;                     /* counts, brightest pixel */
  float background;               /* counts a pixel */
  float d;                        /* Å */
} FlSpotRow;

/* One file that an attempt reads. */
typedef struct
{
  guint32 source;
  guint32 frames;
  const char *path;    /* as given on the command line */
  const char *message; /* why it cannot be opened; then frames is 0 */
} FlSourceRow;

/* One rank of an attempt, written when it starts. */
typedef struct
{
  guint32 rank, ranks;
  guint32 pid;
  guint32 cores;
  const char *host, *device; /* device: "cpu x86-64-v4", "cuda NVIDIA H200" … */
} FlRankRow;

/* One lattice of a shot. Its matrix is the truth; the cell follows from it. */
typedef struct
{
  guint64 shot;
  guint16 number;      /* among the shot's lattices, from 0: as they were found */
  guint32 spots;       /* strong spots that it explains */
  float cell[6];       /* Å and rad */
  float a_star[9];     /* 1/Å: rows a*, b*, c* in the laboratory frame, of the conventional cell */
  guint8 centring;     /* 'P', 'A', 'B', 'C', 'I', 'F', 'R' */
  guint16 space_group; /* number, 1–230; 0 = not known */
  float confidence;    /* 0–1: how probably it is right */
  float shift[3];      /* mm, refined, to be added to every panel's origin (beam shift: x, y) */
  float rmsd;          /* px, of spots about their predictions */
  float domain_size;   /* Å */
  float mosaicity;     /* rad, full width */
  float resolution;    /* Å, where its reflections end; 0 = not measured */
  guint32 reflections; /* integrated */
} FlLatticeRow;

typedef enum
{
  FL_REFLECTION_SATURATED = 1 << 0,  /* a peak pixel at or above saturation */
  FL_REFLECTION_OVERLAP = 1 << 1,    /* pixels shared with another reflection, of this or another lattice */
  FL_REFLECTION_EDGE = 1 << 2,       /* peak pixels lie off the panel or are bad: not integrated */
  FL_REFLECTION_BACKGROUND = 1 << 3, /* too few background pixels: not integrated */
  FL_REFLECTION_STRONG = 1 << 4,     /* a strong spot lies there */
  FL_REFLECTION_PROFILE = 1 << 5     /* intensity by profile fitting, not by summation */
} FlReflectionFlag;

/* One predicted, and perhaps integrated, reflection of a lattice. */
typedef struct
{
  guint64 shot;
  guint16 lattice; /* FlLatticeRow.number */
  gint16 h, k, l;
  guint16 panel;
  float fs, ss;           /* px from the panel's corner, as predicted */
  float intensity, sigma; /* counts; sigma < 0: not integrated */
  float background;       /* counts a pixel */
  float peak;             /* counts above background, brightest pixel */
  float excitation;       /* 1/Å: |s0 + q| − 1/λ */
  float partiality;       /* 0–1, by the lattice's mosaic model */
  float d;                /* Å */
  guint8 flags;           /* FlReflectionFlag */
} FlReflectionRow;

/* A unit cell that a learning pass proposes, or, number 0 of a trial that names its cell, has been told. */
typedef struct
{
  guint16 number;         /* 0 is the one that the job uses */
  guint8 told;            /* 1: by the parameters; nobody has searched */
  float cell[6];          /* Å and rad, conventional */
  float spread[6];        /* Å and rad, standard deviations over its members */
  guint8 type, centring;  /* FlLatticeType (engine/crystal/lattice.h), 'P' … */
  guint16 space_group;    /* 0 = not known */
  guint32 members, shots; /* shots that have it, of so many that have any */
  float confidence;       /* 0–1 */
} FlCellRow;

/* What one merge came to, as a whole; the newest row of a job counts. Qualities are over all of its resolution range; NaN: cannot
 * be told. */
typedef struct
{
  guint64 time;                 /* ns UTC, when it was done */
  guint64 lattices, used;       /* that came in; that are in the result */
  guint64 observations;         /* in the result */
  guint32 unique, possible;     /* reflections */
  guint32 reindexed;            /* lattices that were taken in another setting than they were indexed in */
  const char *ambiguity;        /* "k,h,-l" …; "" = the symmetry leaves none */
  guint16 space_group;          /* 1–230 */
  guint8 anomalous;             /* 1: Bijvoet pairs kept apart */
  float cell[6];                /* Å and rad, mean of the lattices used */
  float energy;                 /* eV, mean */
  float d_max, d_min;           /* Å */
  float wilson_b, wilson_scale; /* Å²; ln k */
  float l_abs, l_square;        /* L-test: ⟨|L|⟩, ⟨L²⟩ (untwinned ½, ⅓; perfect twin ⅜, 1/5) */
  const char *error_model;      /* "none", "ev11", "mm24" */
  float sfac, sadd[3], sb;      /* ev11: sadd[0], sb; mm24: a0, a1, a2 */
  float completeness, multiplicity, i_sigma, cc_half, cc_star, r_split, cc_iso, cc_ano;
  const char *reference; /* what cc_iso compares with; "" = nothing */
  const char *lattice_sum,
      *parent_sum; /* checksums (hex): of the list of lattices; of the version that it started from, "" = cold */
  guint32 cycles;
  float seconds; /* wall time */
} FlMergeRow;

/* One resolution shell of a merge, from low resolution (number 1) on; number 0: all together. */
typedef struct
{
  guint16 number;
  float d_max, d_min;       /* Å */
  guint32 possible, unique; /* reflections: there are, were seen */
  guint32 pairs;            /* in both halves: those that cc_half is over */
  guint64 observations;
  guint32 lattices;   /* that have observations here */
  float completeness; /* 0–1 */
  float multiplicity; /* observations/unique */
  float intensity;    /* mean of merged I */
  float i_sigma;      /* mean of merged I/σ */
  float cc_half, cc_star, r_split, cc_iso, r_iso, cc_ano;
  float completeness_ano; /* of acentric ones, both mates */
  float twin;             /* ⟨|L|⟩ */
  float wilson;           /* ln (⟨I⟩/ΣF²) */
} FlShellRow;

/* Why lattices, or observations, are not in a merge. */
typedef struct
{
  const char *reason;             /* "another unit cell" */
  guint64 lattices, observations; /* one of them 0 */
} FlRejectionRow;

/* A shell of a merge of fewer lattices (nested subsets chosen by content hash): how quality grows. */
typedef struct
{
  guint64 lattices; /* in the subset */
  guint16 number;   /* of the shell; 0: all */
  float d_max, d_min;
  guint32 possible, pairs;
  float completeness, multiplicity, i_sigma, cc_half, r_split, cc_ano;
} FlTrendRow;

/* A panel over the shots of one batch: what is needed to say that it is dead, noisy or saturated. Pixels are looked at in some
 * of the shots, chosen by content, and of them in every 16th row; spots in all shots of the batch. */
typedef struct
{
  guint16 panel;
  guint32 shots;          /* whose pixels were looked at */
  guint32 pixels, masked; /* a shot: good ones looked at; bad ones passed over */
  float mean, sigma;      /* counts/px: mean over pixels and shots; from shot to shot, of the panel's mean */
  float noise; /* counts: median over those shots of the pixels' σ, from |differences of neighbours| */
  float zeros; /* 0–1: pixels that are exactly 0 */
  guint32 spots, saturated; /* strong spots there; of them with a pixel at or above saturation */
  float pixel_size;         /* mm */
  float distance;           /* mm, z of the panel's corner */
} FlPanelRow;

/* Strong spots by resolution, over the shots of one batch; equal steps in 1/d². */
typedef struct
{
  guint16 number; /* ring i has i·step ≤ 1/d² < (i + 1)·step, step = 0.004 Å⁻² */
  guint32 shots, hits;
  guint32 spots;
  float intensity; /* mean of those spots, counts */
  float density;   /* mean pixels a spot */
} FlRingRow;

#define FL_RING_STEP 0.004

/* What a shot of single particles shows. */
typedef enum
{
  FL_PARTICLE_BLANK = 0,   /* background alone */
  FL_PARTICLE_SINGLE = 1,  /* one particle: what is reconstructed from */
  FL_PARTICLE_SEVERAL = 2, /* more than one, or another one: too large for the particle */
  FL_PARTICLE_JUNK = 3,    /* droplets, ice, salt */
  FL_PARTICLE_LAST
} FlParticleClass;

/* A shot of single particles, beside its FlShotRow (outcome: FL_OUTCOME_HIT where it is SINGLE, else _MISS). */
typedef struct
{
  guint64 shot;
  guint8 class;     /* FlParticleClass */
  guint32 photons;  /* on good pixels */
  float background; /* of them, expected without a particle */
  float diameter;   /* Å, by the pattern's speckles; 0 = not measured */
  float score;      /* of being SINGLE against the rest: log-odds */
} FlParticleRow;

/* One generation of a reconstruction: from a model to a better one. Numbers that cannot be told are NaN. */
typedef struct
{
  guint32 number;    /* from 1, through all attempts */
  guint64 time;      /* ns UTC, when it was done */
  guint8 stage;      /* of the schedule, from 0 */
  guint32 patterns;  /* that took part */
  guint32 held_back; /* judged by, but not merged */
  guint32 orientations, conformations;
  float resolution; /* Å, up to which patterns were compared */
  float beta;       /* sharpening of the assignment; 1 = Bayes's */
  double likelihood,
      held;          /* mean log-likelihood a pattern above a radially symmetric model; of those held back */
  float information; /* nats a pattern that the assignment tells: at most ln (orientations) */
  float change;      /* rad, median turn of the best orientation since the last generation */
  float half_resolution, half_low,
      half_high; /* Å, where the half sets' FSC crosses 0.143; 90 % interval, NaN: nowhere, up to the models' end */
  float prtf_resolution; /* Å, where the PRTF falls below 1/e */
  float seconds[5];      /* slice, match, merge, phase, all else; wall */
} FlGenerationRow;

typedef enum
{
  FL_CURVE_FSC_HALVES = 0, /* between half sets, densities */
  FL_CURVE_PRTF = 1,
  FL_CURVE_INTENSITY_HALVES = 2, /* between half sets, intensities less their radial mean */
  FL_CURVE_RADIAL = 3,           /* ln of the model's mean intensity */
  FL_CURVE_LAST
} FlCurve;

/* A point of a curve over |s| in a generation. */
typedef struct
{
  guint32 generation;
  guint16 conformation;
  guint8 curve; /* FlCurve */
  float s;      /* Å⁻¹ */
  float value;
} FlCurveRow;

/* How many patterns look along a direction in the particle's frame (beam axis; s and −s are one). */
typedef struct
{
  guint32 generation;
  float x, y, z; /* unit vector, z ≥ 0 */
  float weight;  /* patterns there, soft */
} FlCoverageRow;

/* A conformation in a generation. Its density is volumes/gNNNN-cK.mrc in the attempt's folder where `volume` is 1: whole before
 * the row is written, its origin (MRC words 50–52) that of its first voxel, the particle about (0, 0, 0). */
typedef struct
{
  guint32 generation;
  guint16 conformation; /* from 0 */
  float share;          /* 0–1 of the patterns */
  float resolution;     /* Å, by half sets; NaN: not told */
  guint8 volume;
} FlOccupancyRow;

/* What computed for a rank, over a second or two: a row for all kernels together, `kernel` "", then one for each, which tells
 * launches and times alone. */
typedef struct
{
  guint64 start;      /* ns UTC */
  guint64 duration;   /* µs */
  const char *device; /* "cpu x86-64-v4, 1 thread", "cuda NVIDIA H200" … */
  const char *kernel;
  guint32 launches;
  guint64 busy;                 /* µs of the device; of a CPU, its own time in kernels */
  guint32 shots;                /* or patterns, worked on */
  guint64 uploaded, downloaded; /* bytes, to and from the device */
  guint64 used;                 /* bytes of the device that the rank had, at most */
  guint64 left, total;          /* bytes of the device, whoever uses it, at the end */
} FlDeviceRow;

const FlSchema *fl_schema (FlKind kind); /* NULL for an unknown kind */
char *fl_schema_describe (void);         /* all kinds as text: "shot.start u64 ns" a line */

typedef struct FlBatch FlBatch;

FlBatch *fl_batch_new (FlKind kind);
void fl_batch_free (FlBatch *batch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlBatch, fl_batch_free)

FlKind fl_batch_kind (const FlBatch *batch);
guint fl_batch_rows (const FlBatch *batch);
/* Copies the row (texts too). `row` points to the kind's struct. */
void fl_batch_append (FlBatch *batch, const void *row);
/* Fills the kind's struct; texts stay owned by the batch. */
void fl_batch_row (const FlBatch *batch, guint index, void *row);
/* The raw column of that name: rows values of its type (for TEXT: rows const char *); NULL when there is none. */
const void *fl_batch_column (const FlBatch *batch, const char *name);
void fl_batch_clear (FlBatch *batch);
void fl_batch_append_all (FlBatch *batch, const FlBatch *from);

/* Appends the encoded batch to `out`. */
void fl_batch_encode (const FlBatch *batch, GByteArray *out);
/* Decodes; FL_ERROR_INPUT when the bytes are not a whole, consistent batch. Never trusts a count. */
FlBatch *fl_batch_decode (const void *data, gsize length, GError **error);
