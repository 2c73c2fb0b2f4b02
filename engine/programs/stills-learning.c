#include "engine/programs/stills-learning.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/hash.h"
#include "engine/base/units.h"
#include "engine/crystal/known-cell.h"
#include "engine/programs/stills-inputs.h"

#define FIRST_CHUNK    64 /* shots dealt before anybody counts hits; later as many as the hit rate asks for */
#define LEAST_CHUNK    64
#define MOST_A_HIT     100 /* shots looked at for one hit that is wanted */
#define MOST_PROPOSED  4
#define HASH_SEED      0x6c6561726e31ull
#define LEARNED        "learned.txt"
#define PROFILES       "profiles.txt"
#define LEAST_LATTICES 5 /* for a mosaic model */

typedef struct
{
  FlParallel *parallel;
  FlStillsRank *rank;
  const FlParams *params;
  const GPtrArray *inputs;
  const char *folder; /* what is learned is kept here */
  FlUntil until;
  guint wanted;         /* hits */
  GArray *order;        /* rank 0: FlShotRef by hash */
  GHashTable *suspects; /* rank 0: const FlShotRef *; were in flight when an attempt died */
  gboolean stopped;
} Learning;

/* What ranks have sent, at rank 0: one a shot; its items point into `bytes`. */
typedef struct
{
  FlLearnedShot shot;
  guint64 hash;
  gpointer items; /* g_malloc'ed */
} Entry;

/* --- choosing shots --- */

static guint64
shot_hash (guint64 id)
{
  return fl_hash64 (&id, sizeof id, HASH_SEED);
}

static guint64
ref_hash (FlShotRef ref, const GPtrArray *inputs)
{
  return shot_hash (fl_shot_id (((const FlInput *) inputs->pdata[ref.source])->path, ref.frame));
}

static int
by_hash (gconstpointer a, gconstpointer b, gpointer inputs)
{
  guint64 x = ref_hash (*(const FlShotRef *) a, inputs), y = ref_hash (*(const FlShotRef *) b, inputs);
  return x < y ? -1 : x > y;
}

static int
entry_by_hash (gconstpointer a, gconstpointer b)
{
  guint64 x = ((const Entry *) a)->hash, y = ((const Entry *) b)->hash;
  return x < y ? -1 : x > y;
}

static void
entry_clear (gpointer entry)
{
  g_free (((Entry *) entry)->items);
}

static GArray *
entries_new (void)
{
  GArray *entries = g_array_new (FALSE, FALSE, sizeof (Entry));
  g_array_set_clear_func (entries, entry_clear);
  return entries;
}

static void
read_entries (GBytes *bytes, gsize item_size, GArray *entries)
{
  gsize left;
  const guint8 *p = g_bytes_get_data (bytes, &left);
  while (left >= sizeof (FlLearnedShot))
    {
      Entry entry;
      memcpy (&entry.shot, p, sizeof entry.shot);
      gsize items = entry.shot.n * item_size;
      entry.hash = shot_hash (entry.shot.shot);
      entry.items = g_memdup2 (p + sizeof entry.shot, items);
      g_array_append_val (entries, entry);
      p += sizeof entry.shot + items;
      left -= sizeof entry.shot + items;
    }
}

/* --- working --- */

static guint
ref_hash_key (gconstpointer ref)
{
  const FlShotRef *r = ref;
  return r->source * 0x9e3779b9u ^ r->frame;
}

static gboolean
ref_equal (gconstpointer a, gconstpointer b)
{
  const FlShotRef *x = a, *y = b;
  return x->source == y->source && x->frame == y->frame;
}

/* Suspects are learned from like any other shot, or a second attempt would learn something else; but alone. */
static void
part_suspects (const Learning *learning, const FlShotRef *refs, guint n, GArray *shots, GArray *suspects)
{
  for (guint i = 0; i < n; i++)
    g_array_append_val (g_hash_table_contains (learning->suspects, &refs[i]) ? suspects : shots, refs[i]);
}

/* Collective: all ranks learn from `refs` (rank 0), whose entries are appended at rank 0, in order of hash. */
static void
learn_from (Learning *learning, const FlShotRef *refs, guint n, FlLearn what, GArray *entries)
{
  g_autoptr (GByteArray) mine = g_byte_array_new ();
  GError *failed = NULL;
  FlShotRef ref;
  FlDealt dealt;
  g_autoptr (GArray) shots = g_array_new (FALSE, FALSE, sizeof (FlShotRef));
  g_autoptr (GArray) suspects = g_array_new (FALSE, FALSE, sizeof (FlShotRef));
  part_suspects (learning, refs, n, shots, suspects);
  FlDeal *deal = fl_deal_new (learning->parallel, (const FlShotRef *) (void *) shots->data, shots->len,
                              (const FlShotRef *) (void *) suspects->data, suspects->len);
  while ((dealt = fl_deal_next (deal, &ref)) != FL_DEAL_END && dealt != FL_DEAL_STOPPED)
    if (dealt != FL_DEAL_WAIT && !fl_stills_rank_learn (learning->rank, ref, what, mine, &failed))
      {
        /* The device: the others could not know that this rank has stopped. */
        fprintf (stderr, "firstlight-engine stills: rank %u: %s\n", fl_parallel_rank (learning->parallel),
                 failed->message);
        fl_parallel_abort (learning->parallel, fl_error_exit_status (failed));
      }
  fl_deal_free (deal);
  learning->stopped = fl_parallel_share_u64 (learning->parallel, dealt == FL_DEAL_STOPPED) != 0;
  g_autoptr (GPtrArray) all = fl_parallel_gather (learning->parallel, mine->data, mine->len);
  gsize size = what == FL_LEARN_CELL ? sizeof (FlCellCandidate) : sizeof (FlMosaic); /* profiles: no items */
  for (guint i = 0; all != NULL && i < all->len; i++)
    read_entries (all->pdata[i], size, entries);
  g_array_sort (entries, entry_by_hash);
}

/* The entries up to the last hit that is wanted; FALSE: there are not so many. */
static gboolean
cut (GArray *entries, guint wanted, guint *hits)
{
  *hits = 0;
  for (guint i = 0; i < entries->len; i++)
    {
      *hits += g_array_index (entries, Entry, i).shot.hit;
      if (*hits == wanted)
        {
          g_array_set_size (entries, i + 1);
          return TRUE;
        }
    }
  return FALSE;
}

/* Goes through the shots in their order until there are enough hits. How many are dealt at a time does not matter: what
 * lies beyond the last hit that is wanted is dropped. */
static void
collect (Learning *learning, FlLearn what, GArray *entries)
{
  guint next = 0, chunk = MAX (FIRST_CHUNK, learning->wanted / 2), hits = 0;
  guint64 go_on = TRUE;
  gboolean first = learning->order != NULL;
  guint all = first ? MIN (learning->order->len, learning->wanted * MOST_A_HIT) : 0;
  while (go_on)
    {
      guint n = first ? MIN (chunk, all - next) : 0;
      const FlShotRef *refs = first ? (const FlShotRef *) (const void *) learning->order->data + next : NULL;
      learn_from (learning, refs, n, what, entries);
      next += n;
      go_on = first && !learning->stopped && !cut (entries, learning->wanted, &hits) && next < all;
      if (first)
        {
          fprintf (stderr, "learning: %u of %u hits in %u shots\n", hits, learning->wanted, next);
          guint missing = learning->wanted - MIN (hits, learning->wanted);
          chunk =
              MAX (LEAST_CHUNK, (guint) (1.1 * (double) missing * (double) next / (double) MAX (hits, 1)));
        }
      go_on = fl_parallel_share_u64 (learning->parallel, go_on);
    }
}

/* --- the cell --- */

static void
propose (const GArray *entries, FlLearned *learned)
{
  g_autoptr (GArray) candidates = g_array_new (FALSE, FALSE, sizeof (FlCellCandidate));
  g_autoptr (GArray) first = g_array_new (FALSE, FALSE, sizeof (guint));
  guint n_shots = 0;
  g_array_append_val (first, candidates->len);
  for (guint i = 0; i < entries->len; i++)
    {
      const Entry *entry = &g_array_index (entries, Entry, i);
      if (!entry->shot.hit)
        continue;
      g_array_append_vals (candidates, entry->items, entry->shot.n);
      g_array_append_val (first, candidates->len);
      n_shots++;
    }
  g_autoptr (GArray) proposals =
      fl_cell_consensus ((const FlCellCandidate *) (void *) candidates->data,
                         (const guint *) (void *) first->data, n_shots, MOST_PROPOSED);
  for (guint i = 0; i < proposals->len; i++)
    {
      const FlCellProposal *p = &g_array_index (proposals, FlCellProposal, i);
      const FlCell *c = &p->cell.cell;
      FlCellRow row = { .number = (guint16) i,
                        .cell = { (float) c->a, (float) c->b, (float) c->c, (float) c->alpha, (float) c->beta,
                                  (float) c->gamma },
                        .type = (guint8) p->cell.type,
                        .centring = (guint8) p->cell.centring,
                        .space_group = (guint16) p->cell.space_group,
                        .members = p->members,
                        .shots = p->shots,
                        .confidence = (float) p->confidence };
      for (guint k = 0; k < 6; k++)
        row.spread[k] = (float) p->spread[k];
      fl_batch_append (learned->cells, &row);
      if (i == 0)
        {
          learned->has_cell = TRUE;
          learned->cell = p->cell;
        }
    }
}

/* --- the mosaic model --- */

static void
average_mosaic (const GArray *entries, FlLearned *learned)
{
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (FlMosaic));
  for (guint i = 0; i < entries->len; i++)
    {
      const Entry *entry = &g_array_index (entries, Entry, i);
      g_array_append_vals (all, entry->items, entry->shot.n);
    }
  learned->lattices = all->len;
  learned->has_mosaic = all->len >= LEAST_LATTICES;
  if (learned->has_mosaic)
    learned->mosaic = fl_mosaic_middle ((const FlMosaic *) (void *) all->data, all->len);
}

/* --- keeping it --- */

/* Rank 0's text into a file of the learning pass. */
static gboolean
keep (const Learning *learning, const char *name, const char *text, GError **error)
{
  g_autofree char *path = g_build_filename (learning->folder, name, NULL);
  g_autoptr (GError) why = NULL;
  if (g_mkdir_with_parents (learning->folder, 0777) == 0 && g_file_set_contents (path, text, -1, &why))
    return TRUE;
  g_set_error (error, FL_ERROR, FL_ERROR_FAILED, "%s: cannot be written: %s", path,
               why != NULL ? why->message : g_strerror (errno));
  return FALSE;
}

/* --- all together: what fails here fails at every rank, or after the last collective call --- */

/* Every rank gets rank 0's text and reads it, so that all have the same. */
static gboolean
share (const Learning *learning, FlLearned *learned, const char *mine, GError **error)
{
  g_autofree char *path = g_build_filename (learning->folder, LEARNED, NULL);
  g_autofree char *text = fl_parallel_share_text (learning->parallel, mine);
  FlProfiles *profiles = g_steal_pointer (&learned->profiles);
  fl_learned_clear (learned);
  *learned = (FlLearned){ .profiles = profiles };
  return text != NULL && fl_learned_parse (text, path, learned, error);
}

/* The hits among the entries. */
static GArray *
hits_of (const GArray *entries)
{
  GArray *refs = g_array_new (FALSE, FALSE, sizeof (FlShotRef));
  for (guint i = 0; i < entries->len; i++)
    if (g_array_index (entries, Entry, i).shot.hit)
      g_array_append_val (refs, g_array_index (entries, Entry, i).shot.ref);
  return refs;
}

/* From the hits that the cell came from, or, when it was told, from hits chosen in the same way. */
static void
learn_the_mosaic (Learning *learning, FlLearned *learned, GArray *entries)
{
  if (learned->told)
    {
      collect (learning, FL_LEARN_MOSAIC, entries);
      average_mosaic (entries, learned);
      return;
    }
  g_autoptr (GArray) own = entries_new ();
  g_autoptr (GArray) refs = hits_of (entries);
  learn_from (learning, (const FlShotRef *) (void *) refs->data, refs->len, FL_LEARN_MOSAIC, own);
  average_mosaic (own, learned);
}

/* From the same hits, with the mosaic model of them all. */
static gboolean
learn_the_profiles (Learning *learning, FlLearned *learned, const GArray *entries, GError **error)
{
  if (!fl_stills_rank_expect (learning->rank, &learned->cell, learned->has_mosaic ? &learned->mosaic : NULL,
                              NULL, FL_UNTIL_INTEGRATED, error))
    return FALSE;
  g_autoptr (GArray) none = entries_new ();
  g_autoptr (GArray) refs = hits_of (entries);
  learn_from (learning, (const FlShotRef *) (void *) refs->data, refs->len, FL_LEARN_PROFILES, none);
  g_autoptr (FlProfiles) sum = fl_stills_rank_take_profiles (learning->rank);
  g_autofree char *mine = fl_profiles_write (sum);
  g_autoptr (GPtrArray) all = fl_parallel_gather (learning->parallel, mine, strlen (mine));
  for (guint i = 1; all != NULL && i < all->len; i++)
    {
      gsize length;
      const char *text = g_bytes_get_data (all->pdata[i], &length);
      g_autofree char *copy = g_strndup (text, length);
      g_autoptr (FlProfiles) other = fl_profiles_read (copy, NULL); /* as another rank has just written it */
      fl_profiles_merge (sum, other);
    }
  g_autofree char *merged = all != NULL ? fl_profiles_write (sum) : NULL;
  g_autofree char *text = fl_parallel_share_text (learning->parallel, merged);
  learned->profiles = fl_profiles_read (text, error);
  return learned->profiles != NULL
         && (merged == NULL || learning->stopped || keep (learning, PROFILES, merged, error));
}

static void
note_told (FlLearned *learned)
{
  const FlCell *c = &learned->cell.cell;
  FlCellRow row = { .told = 1,
                    .cell = { (float) c->a, (float) c->b, (float) c->c, (float) c->alpha, (float) c->beta,
                              (float) c->gamma },
                    .type = (guint8) learned->cell.type,
                    .centring = (guint8) learned->cell.centring,
                    .space_group = (guint16) learned->cell.space_group,
                    .confidence = 1 };
  fl_batch_append (learned->cells, &row);
}

/* Rank 0's text for all; kept when it is the last. */
static gboolean
settle (const Learning *learning, FlLearned *learned, gboolean last, guint attempt, GError **error)
{
  g_autofree char *text = learning->order != NULL ? fl_learned_write (learned, attempt) : NULL;
  return share (learning, learned, text, error)
         && (text == NULL || !last || keep (learning, LEARNED, text, error));
}

/* Errors are those of all ranks alike, or come after the last collective call. */
static gboolean
learn (Learning *learning, FlLearned *learned, guint attempt, GError **error)
{
  g_autoptr (GArray) entries = entries_new ();
  learned->cells = fl_batch_new (FL_KIND_CELL);
  if (learned->told)
    note_told (learned);
  else
    {
      collect (learning, FL_LEARN_CELL, entries);
      if (learning->order != NULL)
        propose (entries, learned);
    }
  /* The cell of all ranks must be the same to the last bit. */
  if (learning->stopped || !settle (learning, learned, FALSE, attempt, error))
    return learning->stopped;
  if (learned->has_cell && learning->wanted > 0)
    {
      if (!fl_stills_rank_expect (learning->rank, &learned->cell, NULL, NULL, FL_UNTIL_INDEXED, error))
        return FALSE;
      learn_the_mosaic (learning, learned, entries);
    }
  learned->shots = entries->len;
  learned->hits = 0;
  for (guint i = 0; i < entries->len; i++)
    learned->hits += g_array_index (entries, Entry, i).shot.hit;
  if (learning->stopped || !settle (learning, learned, FALSE, attempt, error))
    return learning->stopped;
  if (learned->has_cell && learning->wanted > 0 && learning->until == FL_UNTIL_INTEGRATED
      && !learn_the_profiles (learning, learned, entries, error))
    return FALSE;
  return learning->stopped || settle (learning, learned, TRUE, attempt, error);
}

/* What an earlier attempt has kept; FALSE with error when it is damaged. Profiles that are not there were not wanted. */
static gboolean
read_kept (const Learning *learning, FlLearned *learned, const char *kept, GError **error)
{
  g_autofree char *path = g_build_filename (learning->folder, PROFILES, NULL);
  g_autofree char *mine = NULL;
  if (!share (learning, learned, kept, error))
    return FALSE;
  if (kept != NULL)
    g_file_get_contents (path, &mine, NULL, NULL);
  g_autofree char *text = fl_parallel_share_text (learning->parallel, mine);
  if (text != NULL && (learned->profiles = fl_profiles_read (text, error)) == NULL)
    {
      g_prefix_error (error, "%s: ", path);
      return FALSE;
    }
  return TRUE;
}

static void
tell (const FlLearned *learned)
{
  const FlCell *c = &learned->cell.cell;
  if (!learned->has_cell)
    fprintf (stderr, "learned from %u hits of %u shots: no cell found, nothing will be indexed\n",
             learned->hits, learned->shots);
  else
    fprintf (stderr, "%s cell: %s %c  %.2f %.2f %.2f Å  %.2f %.2f %.2f°; %u of %u hits indexed\n",
             learned->told ? "expected" : "proposed", fl_lattice_type_name (learned->cell.type),
             learned->cell.centring, c->a, c->b, c->c, fl_degrees (c->alpha), fl_degrees (c->beta),
             fl_degrees (c->gamma), learned->lattices, learned->hits);
}

gboolean
fl_stills_learn (FlParallel *parallel, FlStillsRank *rank, const FlParams *params, const GPtrArray *inputs,
                 const GArray *shots, const GArray *suspects, const char *job_dir, guint attempt,
                 FlUntil until, FlLearned *learned, gboolean *stopped, GError **error)
{
  gboolean first = fl_parallel_rank (parallel) == 0, ok;
  g_autofree char *folder = g_build_filename (job_dir, "learning-0001", NULL);
  g_autofree char *path = g_build_filename (folder, LEARNED, NULL);
  g_autofree char *kept = NULL;
  Learning learning = {
    .parallel = parallel, .rank = rank, .params = params, .inputs = inputs, .folder = folder, .until = until
  };
  learning.wanted = (guint) fl_params_int (params, "indexing.learning_shots");
  *learned = (FlLearned){ 0 };
  if (!fl_known_cell_from_params (params, &learned->cell, &learned->told, error))
    return FALSE;
  learned->has_cell = learned->told;
  if (first)
    g_file_get_contents (path, &kept, NULL, NULL);
  if (fl_parallel_share_u64 (parallel, kept != NULL) != 0)
    ok = read_kept (&learning, learned, kept, error);
  else
    {
      if (first)
        {
          learning.order = g_array_new (FALSE, FALSE, sizeof (FlShotRef));
          learning.suspects = g_hash_table_new (ref_hash_key, ref_equal);
          g_array_append_vals (learning.order, shots->data, shots->len);
          g_array_append_vals (learning.order, suspects->data, suspects->len);
          for (guint i = 0; i < suspects->len; i++)
            g_hash_table_add (learning.suspects, &g_array_index (suspects, FlShotRef, i));
          g_array_sort_with_data (learning.order, by_hash, (gpointer) inputs);
        }
      ok = learn (&learning, learned, attempt, error);
      g_clear_pointer (&learning.order, g_array_unref);
      g_clear_pointer (&learning.suspects, g_hash_table_unref);
    }
  *stopped = learning.stopped;
  if (!ok || *stopped)
    return ok;
  if (first)
    tell (learned);
  return !learned->has_cell
         || fl_stills_rank_expect (rank, &learned->cell, learned->has_mosaic ? &learned->mosaic : NULL,
                                   learned->profiles, until, error);
}
