#include "widgets/tag-chips.h"

#include <glib/gi18n.h>
#include <math.h>

#include "widgets/theme.h"

#define CHIP_HEIGHT  22
#define CHIP_PAD     9
#define CROSS        16 /* px at a chip's right end that remove it */
#define MOST_OFFERED 8

/* --- one chip --- */

#define FLW_TYPE_TAG_CHIP (flw_tag_chip_get_type ())
G_DECLARE_FINAL_TYPE (FlwTagChip, flw_tag_chip, FLW, TAG_CHIP, GtkWidget)

struct _FlwTagChip
{
  GtkWidget parent_instance;
  char *name;
  guint32 colour;
  gboolean removable;
};

struct _FlwTagChips
{
  GtkWidget parent_instance;
  GStrv names, known;
  GHashTable *colours; /* of tags that have one: name → 0xRRGGBB */
  gboolean editable;
  GtkWidget *box, *add;                /* the + button, last in the box */
  GtkWidget *popover, *entry, *offers; /* made when first needed: a table has many of us */
};

enum
{
  TAG_ADDED,
  TAG_REMOVED,
  TAG_ACTIVATED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlwTagChip, flw_tag_chip, GTK_TYPE_WIDGET)
G_DEFINE_FINAL_TYPE (FlwTagChips, flw_tag_chips, GTK_TYPE_WIDGET)

guint32
flw_tag_colour (const char *name)
{
  /* Dark enough for white text (4.5 : 1), light enough to stand off the ground. */
  static const guint32 colours[] = { 0x2f5d8a, 0x7a4a1e, 0x3d6b35, 0x71407c, 0x8a3340, 0x1f6b6b,
                                     0x5b5a2a, 0x4b4f8f, 0x85456a, 0x4a6070, 0x6b4f3a, 0x2d6650 };
  guint32 hash = 2166136261u;

  for (const char *c = name; *c != '\0'; c++)
    hash = (hash ^ (guint8) *c) * 16777619u;
  return colours[(hash ^ (hash >> 16)) % G_N_ELEMENTS (colours)];
}

guint32
flw_tag_text_colour (guint32 ground)
{
  const double weights[] = { 0.2126, 0.7152, 0.0722 };
  double luminance = 0;

  for (guint i = 0; i < 3; i++) /* WCAG 2.1, relative luminance */
    {
      double c = ((ground >> (16 - 8 * i)) & 0xff) / 255.;
      luminance += weights[i] * (c <= 0.03928 ? c / 12.92 : pow ((c + 0.055) / 1.055, 2.4));
    }
  return 1.05 / (luminance + 0.05) >= 4.5 ? 0xffffff : 0x000000;
}

static void
flw_tag_chip_measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum, int *natural,
                      int *minimum_baseline, int *natural_baseline)
{
  FlwTagChip *chip = FLW_TAG_CHIP (widget);
  int width;

  (void) for_size;
  flw_text_size (widget, FLW_POINTS_SMALL, chip->name, &width, NULL);
  *minimum = *natural = orientation == GTK_ORIENTATION_HORIZONTAL
                            ? width + 2 * CHIP_PAD + (chip->removable ? CROSS : 0)
                            : CHIP_HEIGHT;
  *minimum_baseline = *natural_baseline = -1;
}

static void
flw_tag_chip_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  FlwTagChip *chip = FLW_TAG_CHIP (widget);
  double width = gtk_widget_get_width (widget), height = gtk_widget_get_height (widget), r = height / 2;
  guint32 text = flw_tag_text_colour (chip->colour);
  cairo_t *cr = gtk_snapshot_append_cairo (
      snapshot, &GRAPHENE_RECT_INIT (-2, -2, (float) width + 4, (float) height + 4));

  cairo_arc (cr, r, r, r, G_PI / 2, 1.5 * G_PI);
  cairo_arc (cr, width - r, r, r, 1.5 * G_PI, 2.5 * G_PI);
  cairo_close_path (cr);
  flw_set_source (cr, chip->colour, 1);
  cairo_fill_preserve (cr);
  if (gtk_widget_has_visible_focus (widget))
    {
      flw_set_source (cr, FLW_FOCUS, 1);
      cairo_set_line_width (cr, 2);
      cairo_stroke (cr);
    }
  cairo_new_path (cr);
  flw_text_draw (widget, cr, FLW_POINTS_SMALL, chip->name, CHIP_PAD, height / 2, 0, 0.5, text);
  if (chip->removable)
    {
      double x = width - CROSS + 2, y = height / 2;
      cairo_move_to (cr, x, y - 3.5);
      cairo_line_to (cr, x + 7, y + 3.5);
      cairo_move_to (cr, x + 7, y - 3.5);
      cairo_line_to (cr, x, y + 3.5);
      flw_set_source (cr, text, 0.8);
      cairo_set_line_width (cr, 1.5);
      cairo_stroke (cr);
    }
  cairo_destroy (cr);
}

static void
emit (GtkWidget *chip, guint signal)
{
  GtkWidget *chips = gtk_widget_get_ancestor (chip, FLW_TYPE_TAG_CHIPS);

  if (chips != NULL)
    {
      g_autofree char *name = g_strdup (FLW_TAG_CHIP (chip)->name); /* a handler may replace the chips */
      g_signal_emit (chips, signals[signal], 0, name);
    }
}

static void
on_pressed (GtkGestureClick *gesture, int n_press, double x, double y, GtkWidget *chip)
{
  (void) n_press;
  (void) y;
  gtk_gesture_set_state (GTK_GESTURE (gesture), GTK_EVENT_SEQUENCE_CLAIMED);
  emit (chip, FLW_TAG_CHIP (chip)->removable && x > gtk_widget_get_width (chip) - CROSS ? TAG_REMOVED
                                                                                        : TAG_ACTIVATED);
}

static void
on_action (GtkWidget *chip, const char *action, GVariant *parameter)
{
  (void) parameter;
  if (g_str_equal (action, "tag.activate"))
    emit (chip, TAG_ACTIVATED);
  else if (FLW_TAG_CHIP (chip)->removable)
    emit (chip, TAG_REMOVED);
}

static void
flw_tag_chip_finalize (GObject *object)
{
  g_free (FLW_TAG_CHIP (object)->name);
  G_OBJECT_CLASS (flw_tag_chip_parent_class)->finalize (object);
}

static void
flw_tag_chip_class_init (FlwTagChipClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = flw_tag_chip_finalize;
  widget_class->measure = flw_tag_chip_measure;
  widget_class->snapshot = flw_tag_chip_snapshot;
  gtk_widget_class_set_css_name (widget_class, "tagchip");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_BUTTON);
  gtk_widget_class_install_action (widget_class, "tag.activate", NULL, on_action);
  gtk_widget_class_install_action (widget_class, "tag.remove", NULL, on_action);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Return, 0, "tag.activate", NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Delete, 0, "tag.remove", NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_BackSpace, 0, "tag.remove", NULL);
}

static void
flw_tag_chip_init (FlwTagChip *chip)
{
  GtkGesture *click = gtk_gesture_click_new ();

  g_signal_connect (click, "pressed", G_CALLBACK (on_pressed), chip);
  gtk_widget_add_controller (GTK_WIDGET (chip), GTK_EVENT_CONTROLLER (click));
  gtk_widget_set_focusable (GTK_WIDGET (chip), TRUE);
  gtk_widget_set_valign (GTK_WIDGET (chip), GTK_ALIGN_CENTER);
}

static GtkWidget *
chip_new (const char *name, guint32 colour, gboolean removable)
{
  FlwTagChip *chip = g_object_new (FLW_TYPE_TAG_CHIP, NULL);

  chip->name = g_strdup (name);
  chip->colour = colour;
  chip->removable = removable;
  gtk_accessible_update_property (GTK_ACCESSIBLE (chip), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  if (removable)
    gtk_accessible_update_property (GTK_ACCESSIBLE (chip), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                    _ ("Delete removes this tag"), -1);
  return GTK_WIDGET (chip);
}

/* --- adding --- */

static void
take_name (FlwTagChips *chips, const char *name)
{
  g_autofree char *stripped = g_strstrip (g_strdup (name));

  gtk_popover_popdown (GTK_POPOVER (chips->popover));
  if (*stripped != '\0' && !g_strv_contains ((const char *const *) chips->names, stripped))
    g_signal_emit (chips, signals[TAG_ADDED], 0, stripped);
}

static void
on_entry_activate (FlwTagChips *chips)
{
  take_name (chips, gtk_editable_get_text (GTK_EDITABLE (chips->entry)));
}

static void
on_offer_clicked (GtkButton *button, FlwTagChips *chips)
{
  take_name (chips, gtk_button_get_label (button));
}

static void
offer_known (FlwTagChips *chips)
{
  g_autofree char *typed = g_utf8_casefold (gtk_editable_get_text (GTK_EDITABLE (chips->entry)), -1);
  GtkWidget *child;
  guint n = 0;

  while ((child = gtk_widget_get_first_child (chips->offers)) != NULL)
    gtk_box_remove (GTK_BOX (chips->offers), child);
  for (guint i = 0; chips->known != NULL && chips->known[i] != NULL && n < MOST_OFFERED; i++)
    {
      g_autofree char *folded = g_utf8_casefold (chips->known[i], -1);
      GtkWidget *button;

      if (strstr (folded, typed) == NULL
          || g_strv_contains ((const char *const *) chips->names, chips->known[i]))
        continue;
      button = gtk_button_new_with_label (chips->known[i]);
      gtk_widget_add_css_class (button, "flat");
      g_signal_connect (button, "clicked", G_CALLBACK (on_offer_clicked), chips);
      gtk_box_append (GTK_BOX (chips->offers), button);
      n++;
    }
}

void
flw_tag_chips_begin_add (FlwTagChips *chips)
{
  if (chips->popover == NULL)
    {
      GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 4);

      chips->popover = gtk_popover_new ();
      chips->entry = gtk_entry_new ();
      gtk_entry_set_placeholder_text (GTK_ENTRY (chips->entry), _ ("New tag"));
      chips->offers = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
      gtk_box_append (GTK_BOX (box), chips->entry);
      gtk_box_append (GTK_BOX (box), chips->offers);
      gtk_popover_set_child (GTK_POPOVER (chips->popover), box);
      gtk_widget_set_parent (chips->popover, GTK_WIDGET (chips));
      g_signal_connect_swapped (chips->entry, "activate", G_CALLBACK (on_entry_activate), chips);
      g_signal_connect_swapped (chips->entry, "changed", G_CALLBACK (offer_known), chips);
    }
  gtk_editable_set_text (GTK_EDITABLE (chips->entry), "");
  offer_known (chips);
  gtk_popover_popup (GTK_POPOVER (chips->popover));
  gtk_widget_grab_focus (chips->entry);
}

/* --- the row of chips --- */

static void
flw_tag_chips_measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                       int *natural, int *minimum_baseline, int *natural_baseline)
{
  gtk_widget_measure (FLW_TAG_CHIPS (widget)->box, orientation, for_size, minimum, natural, NULL, NULL);
  if (orientation == GTK_ORIENTATION_HORIZONTAL) /* a narrow column cuts the row */
    *minimum = MIN (*minimum, 40);
  *minimum_baseline = *natural_baseline = -1;
}

static void
flw_tag_chips_size_allocate (GtkWidget *widget, int width, int height, int baseline)
{
  FlwTagChips *chips = FLW_TAG_CHIPS (widget);
  int least;

  gtk_widget_measure (chips->box, GTK_ORIENTATION_HORIZONTAL, -1, &least, NULL, NULL, NULL);
  gtk_widget_allocate (chips->box, MAX (width, least), height, baseline, NULL);
  if (chips->popover != NULL)
    gtk_popover_present (GTK_POPOVER (chips->popover));
}

static void
flw_tag_chips_dispose (GObject *object)
{
  g_clear_pointer (&FLW_TAG_CHIPS (object)->popover, gtk_widget_unparent);
  g_clear_pointer (&FLW_TAG_CHIPS (object)->box, gtk_widget_unparent);
  G_OBJECT_CLASS (flw_tag_chips_parent_class)->dispose (object);
}

static void
flw_tag_chips_finalize (GObject *object)
{
  g_strfreev (FLW_TAG_CHIPS (object)->names);
  g_strfreev (FLW_TAG_CHIPS (object)->known);
  g_hash_table_unref (FLW_TAG_CHIPS (object)->colours);
  G_OBJECT_CLASS (flw_tag_chips_parent_class)->finalize (object);
}

static void
flw_tag_chips_class_init (FlwTagChipsClass *klass)
{
  static const char *const names[N_SIGNALS] = { "tag-added", "tag-removed", "tag-activated" };
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = flw_tag_chips_dispose;
  G_OBJECT_CLASS (klass)->finalize = flw_tag_chips_finalize;
  widget_class->measure = flw_tag_chips_measure;
  widget_class->size_allocate = flw_tag_chips_size_allocate;
  gtk_widget_class_set_css_name (widget_class, "tagchips");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_GROUP);
  for (guint i = 0; i < N_SIGNALS; i++)
    signals[i] = g_signal_new (names[i], FLW_TYPE_TAG_CHIPS, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                               G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void
flw_tag_chips_init (FlwTagChips *chips)
{
  chips->names = g_new0 (char *, 1);
  chips->colours = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  chips->box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 5);
  gtk_widget_set_parent (chips->box, GTK_WIDGET (chips));
  chips->add = gtk_button_new_with_label ("+");
  gtk_widget_add_css_class (chips->add, "add-tag");
  gtk_widget_set_valign (chips->add, GTK_ALIGN_CENTER);
  gtk_widget_set_tooltip_text (chips->add, _ ("Add a tag"));
  gtk_widget_set_visible (chips->add, FALSE);
  g_signal_connect_swapped (chips->add, "clicked", G_CALLBACK (flw_tag_chips_begin_add), chips);
  gtk_box_append (GTK_BOX (chips->box), chips->add);
  gtk_widget_set_overflow (GTK_WIDGET (chips), GTK_OVERFLOW_HIDDEN);
}

GtkWidget *
flw_tag_chips_new (void)
{
  return g_object_new (FLW_TYPE_TAG_CHIPS, NULL);
}

static guint32
colour_of (FlwTagChips *chips, const char *name)
{
  gpointer colour;

  return g_hash_table_lookup_extended (chips->colours, name, NULL, &colour) ? GPOINTER_TO_UINT (colour)
                                                                            : flw_tag_colour (name);
}

static void
rebuild (FlwTagChips *chips)
{
  GtkWidget *child;
  g_autofree char *text = g_strjoinv (", ", chips->names);

  while ((child = gtk_widget_get_first_child (chips->box)) != chips->add)
    gtk_box_remove (GTK_BOX (chips->box), child);
  for (guint i = g_strv_length (chips->names); i-- > 0;)
    gtk_box_prepend (GTK_BOX (chips->box),
                     chip_new (chips->names[i], colour_of (chips, chips->names[i]), chips->editable));
  gtk_widget_set_tooltip_text (GTK_WIDGET (chips), text);
}

void
flw_tag_chips_set_tags (FlwTagChips *chips, const char *const *names)
{
  static const char *const nothing[] = { NULL };

  if (names == NULL)
    names = nothing;
  if (g_strv_equal (names, (const char *const *) chips->names))
    return;
  g_strfreev (chips->names);
  chips->names = g_strdupv ((char **) names);
  rebuild (chips);
}

/* "#rrggbb" and nothing else: what the store holds. */
static gboolean
parse_colour (const char *text, guint32 *rgb)
{
  if (text == NULL || *text != '#' || strlen (text) != 7 || strspn (text + 1, "0123456789abcdefABCDEF") != 6)
    return FALSE;
  *rgb = (guint32) g_ascii_strtoull (text + 1, NULL, 16);
  return TRUE;
}

void
flw_tag_chips_set_colour (FlwTagChips *chips, const char *tag, const char *colour)
{
  guint32 rgb, before = colour_of (chips, tag);

  if (parse_colour (colour, &rgb))
    g_hash_table_replace (chips->colours, g_strdup (tag), GUINT_TO_POINTER (rgb));
  else
    g_hash_table_remove (chips->colours, tag);
  rgb = colour_of (chips, tag);
  if (rgb == before)
    return;
  for (GtkWidget *chip = gtk_widget_get_first_child (chips->box); chip != chips->add;
       chip = gtk_widget_get_next_sibling (chip))
    if (g_str_equal (FLW_TAG_CHIP (chip)->name, tag))
      {
        FLW_TAG_CHIP (chip)->colour = rgb;
        gtk_widget_queue_draw (chip);
      }
}

void
flw_tag_chips_set_known (FlwTagChips *chips, const char *const *names)
{
  g_strfreev (chips->known);
  chips->known = g_strdupv ((char **) names);
}

void
flw_tag_chips_set_editable (FlwTagChips *chips, gboolean editable)
{
  if (chips->editable == !!editable)
    return;
  chips->editable = !!editable;
  gtk_widget_set_visible (chips->add, editable);
  rebuild (chips);
}
