/* mask-shapes.h: what was drawn into the image, as a rule of a mask. Thread: main. */
#pragma once

#include "widgets/image-view.h"

/* `corners`: n pairs of x, y of the assembled image, as FlwImageView::drawn tells; `pixel_size`: mm. `on_panel`: in pixels of the
 * panel that the shape's middle lies on, when there is one; else, and without, in millimetres of the laboratory. g_free. */
char *flg_mask_shape_rule (FlwImageView *view, FlwDrawTool tool, guint n, const double *corners,
                           double pixel_size, gboolean on_panel, gboolean unmask);
