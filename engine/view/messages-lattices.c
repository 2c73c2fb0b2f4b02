#include "engine/base/error.h"
#include "engine/view/messages.h"

FlViewLattices *
fl_view_lattices_new (guint32 n_lattices, guint32 n_reflections)
{
  FlViewLattices *lattices = g_atomic_rc_box_new0 (FlViewLattices);
  lattices->n_lattices = n_lattices;
  lattices->n_reflections = n_reflections;
  lattices->lattices = g_new0 (FlViewLattice, n_lattices);
  lattices->reflections = g_new0 (FlViewReflection, n_reflections);
  return lattices;
}

FlViewTried *
fl_view_tried_new (void)
{
  return g_atomic_rc_box_new0 (FlViewTried);
}

static void
lattices_clear (gpointer data)
{
  FlViewLattices *lattices = data;
  g_free (lattices->lattices);
  g_free (lattices->reflections);
}

static void
tried_clear (gpointer data)
{
  FlViewTried *tried = data;
  g_clear_pointer (&tried->spots, fl_view_spots_unref);
  g_clear_pointer (&tried->lattices, fl_view_lattices_unref);
}

FlViewLattices *
fl_view_lattices_ref (FlViewLattices *lattices)
{
  return g_atomic_rc_box_acquire (lattices);
}

void
fl_view_lattices_unref (FlViewLattices *lattices)
{
  g_atomic_rc_box_release_full (lattices, lattices_clear);
}

FlViewTried *
fl_view_tried_ref (FlViewTried *tried)
{
  return g_atomic_rc_box_acquire (tried);
}

void
fl_view_tried_unref (FlViewTried *tried)
{
  g_atomic_rc_box_release_full (tried, tried_clear);
}

/* --- serialised --- */

GVariant *
fl_view_try_request_encode (const FlViewTryRequest *r)
{
  const char *const given[] = { r->source.path, r->source.geometry, r->source.mask, r->source.calibration,
                                r->params };
  GVariant *values[G_N_ELEMENTS (given)];
  for (guint i = 0; i < G_N_ELEMENTS (given); i++)
    values[i] = g_variant_new_take_string (g_utf8_make_valid (given[i] != NULL ? given[i] : "", -1));
  return g_variant_new ("(@s@s@s@su@s)", values[0], values[1], values[2], values[3], r->frame, values[4]);
}

void
fl_view_try_request_decode (GVariant *body, FlViewTryRequest *r)
{
  g_variant_get (body, "(&s&s&s&su&s)", &r->source.path, &r->source.geometry, &r->source.mask,
                 &r->source.calibration, &r->frame, &r->params);
}

GVariant *
fl_view_lattices_encode (const FlViewLattices *all)
{
  GVariantBuilder lattices, reflections;
  g_variant_builder_init (&lattices, G_VARIANT_TYPE ("a(ddddddyuuuddddd)"));
  g_variant_builder_init (&reflections, G_VARIANT_TYPE ("a(unnnddudddddu)"));
  for (guint32 i = 0; i < all->n_lattices; i++)
    {
      const FlViewLattice *l = &all->lattices[i];
      const double *c = l->cell;
      g_variant_builder_add (&lattices, "(ddddddyuuuddddd)", c[0], c[1], c[2], c[3], c[4], c[5],
                             (guchar) l->centring, l->space_group, l->n_spots, l->n_reflections,
                             l->confidence, l->rmsd, l->domain_size, l->mosaicity, l->resolution);
    }
  for (guint32 i = 0; i < all->n_reflections; i++)
    {
      const FlViewReflection *r = &all->reflections[i];
      g_variant_builder_add (&reflections, "(unnnddudddddu)", r->lattice, r->h, r->k, r->l, r->x, r->y,
                             r->panel, r->fs, r->ss, r->intensity, r->sigma, r->d, r->flags);
    }
  return g_variant_new ("(a(ddddddyuuuddddd)a(unnnddudddddu)tb)", &lattices, &reflections, all->origin.stamp,
                        all->origin.growing);
}

FlViewLattices *
fl_view_lattices_decode (GVariant *body, GError **error)
{
  g_autoptr (GVariant) lattices = NULL, reflections = NULL;
  FlViewOrigin origin;
  g_variant_get (body, "(@a(ddddddyuuuddddd)@a(unnnddudddddu)tb)", &lattices, &reflections, &origin.stamp,
                 &origin.growing);
  g_autoptr (FlViewLattices) all = fl_view_lattices_new ((guint32) g_variant_n_children (lattices),
                                                         (guint32) g_variant_n_children (reflections));
  all->origin = origin;
  for (guint32 i = 0; i < all->n_lattices; i++)
    {
      FlViewLattice *l = &all->lattices[i];
      double *c = l->cell;
      guchar centring;
      g_variant_get_child (lattices, i, "(ddddddyuuuddddd)", &c[0], &c[1], &c[2], &c[3], &c[4], &c[5],
                           &centring, &l->space_group, &l->n_spots, &l->n_reflections, &l->confidence,
                           &l->rmsd, &l->domain_size, &l->mosaicity, &l->resolution);
      l->centring = (char) centring;
    }
  for (guint32 i = 0; i < all->n_reflections; i++)
    {
      FlViewReflection *r = &all->reflections[i];
      g_variant_get_child (reflections, i, "(unnnddudddddu)", &r->lattice, &r->h, &r->k, &r->l, &r->x, &r->y,
                           &r->panel, &r->fs, &r->ss, &r->intensity, &r->sigma, &r->d, &r->flags);
      if (r->lattice >= all->n_lattices)
        {
          g_set_error (error, FL_ERROR, FL_ERROR_INPUT, "view reply: a reflection of lattice %u of %u",
                       r->lattice, all->n_lattices);
          return NULL;
        }
    }
  return g_steal_pointer (&all);
}

GVariant *
fl_view_tried_encode (const FlViewTried *tried)
{
  return g_variant_new ("(u@" FL_VIEW_SPOTS_REPLY "@" FL_VIEW_LATTICES_REPLY ")", tried->milliseconds,
                        fl_view_spots_encode (tried->spots), fl_view_lattices_encode (tried->lattices));
}

FlViewTried *
fl_view_tried_decode (GVariant *body, GError **error)
{
  g_autoptr (GVariant) spots = NULL, lattices = NULL;
  g_autoptr (FlViewTried) tried = fl_view_tried_new ();
  g_variant_get (body, "(u@" FL_VIEW_SPOTS_REPLY "@" FL_VIEW_LATTICES_REPLY ")", &tried->milliseconds, &spots,
                 &lattices);
  tried->spots = fl_view_spots_decode (spots, error);
  tried->lattices = tried->spots != NULL ? fl_view_lattices_decode (lattices, error) : NULL;
  return tried->lattices != NULL ? g_steal_pointer (&tried) : NULL;
}
