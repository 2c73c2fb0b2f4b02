/* gallery-pages.h: the pages of the gallery. */
#pragma once

#include <gtk/gtk.h>

typedef struct
{
  const char *name;
  GtkWidget *(*make) (void);
} GalleryPage;

extern const GalleryPage gallery_pages[];
extern const guint gallery_n_pages;
