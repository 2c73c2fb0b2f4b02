#include "widgets/task-graph.h"

#include <glib/gi18n.h>

#include "widgets/theme.h"

#define BOX_WIDTH  204 /* at most, */
#define BOX_LEAST  132 /* and at least */
#define BOX_HEIGHT 48
#define GAP_X      36
#define GAP_Y      12
#define MARGIN     4
#define GLYPH      14

typedef struct
{
  guint key;
  char *title, *detail;
  FlwShape shape;
  FlwTone tone;
  GArray *after; /* positions */
  guint column, row;
} Node;

struct _FlwTaskGraph
{
  GtkWidget parent_instance;
  GPtrArray *nodes; /* Node */
  guint columns, rows;
  guint chosen;
};

enum
{
  PROP_SUMMARY = 1
};

enum
{
  CHOSEN,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (FlwTaskGraph, flw_task_graph, GTK_TYPE_WIDGET)

static void
node_free (gpointer data)
{
  Node *node = data;

  g_free (node->title);
  g_free (node->detail);
  g_array_unref (node->after);
  g_free (node);
}

static Node *
node_at (FlwTaskGraph *graph, guint position)
{
  return graph->nodes->pdata[position];
}

/* −1: none. */
static int
find (FlwTaskGraph *graph, guint key)
{
  for (guint i = 0; i < graph->nodes->len; i++)
    if (node_at (graph, i)->key == key)
      return (int) i;
  return -1;
}

/* --- layout: a column further than the furthest of those before --- */

static void
lay_out (FlwTaskGraph *graph)
{
  guint n = graph->nodes->len;
  g_autofree guint *used = g_new0 (guint, n + 1);

  graph->columns = graph->rows = 0;
  for (guint pass = 0; pass < n; pass++) /* as many as the longest path can have links: circles end, too */
    for (guint i = 0; i < n; i++)
      {
        Node *node = node_at (graph, i);
        for (guint k = 0; k < node->after->len; k++)
          {
            guint column = node_at (graph, g_array_index (node->after, guint, k))->column + 1;
            node->column = MIN (MAX (node->column, column), n - 1);
          }
      }
  for (guint i = 0; i < n; i++)
    {
      Node *node = node_at (graph, i);
      node->row = used[node->column]++;
      graph->columns = MAX (graph->columns, node->column + 1);
      graph->rows = MAX (graph->rows, node->row + 1);
    }
}

/* What there is room for. */
static float
box_width (FlwTaskGraph *graph)
{
  int columns = MAX ((int) graph->columns, 1);
  int room = gtk_widget_get_width (GTK_WIDGET (graph)) - 2 * MARGIN - (columns - 1) * GAP_X;

  return (float) CLAMP (room / columns, BOX_LEAST, BOX_WIDTH);
}

static graphene_rect_t
box_of (FlwTaskGraph *graph, const Node *node)
{
  float width = box_width (graph);

  return GRAPHENE_RECT_INIT (MARGIN + (float) node->column * (width + GAP_X),
                             (float) (MARGIN + node->row * (BOX_HEIGHT + GAP_Y)), width, BOX_HEIGHT);
}

static void
flw_task_graph_measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                        int *natural, int *minimum_baseline, int *natural_baseline)
{
  FlwTaskGraph *graph = FLW_TASK_GRAPH (widget);
  guint columns = MAX (graph->columns, 1u), rows = MAX (graph->rows, 1u);

  (void) for_size;
  if (orientation == GTK_ORIENTATION_HORIZONTAL)
    {
      int gaps = (int) (columns - 1) * GAP_X + 2 * MARGIN;
      *minimum = (int) columns * BOX_LEAST + gaps;
      *natural = (int) columns * BOX_WIDTH + gaps;
    }
  else
    *minimum = *natural = (int) (rows * BOX_HEIGHT + (rows - 1) * GAP_Y) + 2 * MARGIN;
  *minimum_baseline = *natural_baseline = -1;
}

/* --- drawing --- */

static void
draw_link (FlwTaskGraph *graph, cairo_t *cr, const Node *from, const Node *to)
{
  graphene_rect_t a = box_of (graph, from), b = box_of (graph, to);
  double x0 = a.origin.x + a.size.width, y0 = a.origin.y + BOX_HEIGHT / 2.;
  double x1 = b.origin.x, y1 = b.origin.y + BOX_HEIGHT / 2., half = GAP_X / 2.;

  flw_set_source (cr, FLW_RULE, 1);
  cairo_set_line_width (cr, 1.6);
  cairo_move_to (cr, x0, y0);
  cairo_curve_to (cr, x0 + half, y0, x1 - half, y1, x1 - 6, y1);
  cairo_stroke (cr);
  cairo_move_to (cr, x1, y1);
  cairo_line_to (cr, x1 - 8, y1 - 4.5);
  cairo_line_to (cr, x1 - 8, y1 + 4.5);
  cairo_close_path (cr);
  cairo_fill (cr);
}

static void
draw_node (FlwTaskGraph *graph, cairo_t *cr, const Node *node)
{
  GtkWidget *widget = GTK_WIDGET (graph);
  graphene_rect_t box = box_of (graph, node);
  double x = box.origin.x, y = box.origin.y, width = box.size.width, r = 6, room = width - GLYPH - 26;
  gboolean chosen = node->key == graph->chosen;

  cairo_new_sub_path (cr);
  cairo_arc (cr, x + width - r, y + r, r, -G_PI / 2, 0);
  cairo_arc (cr, x + width - r, y + BOX_HEIGHT - r, r, 0, G_PI / 2);
  cairo_arc (cr, x + r, y + BOX_HEIGHT - r, r, G_PI / 2, G_PI);
  cairo_arc (cr, x + r, y + r, r, G_PI, 1.5 * G_PI);
  cairo_close_path (cr);
  flw_set_source (cr, chosen ? 0x2a4a6b : FLW_PLATE, 1);
  cairo_fill_preserve (cr);
  flw_set_source (cr, chosen ? FLW_FOCUS : FLW_RULE, 1);
  cairo_set_line_width (cr, chosen ? 2 : 1);
  cairo_stroke (cr);
  flw_set_source (cr, flw_tone_colour (node->tone), 1);
  flw_shape_draw (cr, node->shape, x + 10, y + (BOX_HEIGHT - GLYPH) / 2., GLYPH);
  flw_text_draw_within (widget, cr, FLW_POINTS_BODY, node->title, x + GLYPH + 18, y + 5, room, FLW_TEXT);
  flw_text_draw_within (widget, cr, FLW_POINTS_SMALL, node->detail, x + GLYPH + 18, y + 25, room, FLW_DIM);
}

static void
flw_task_graph_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  FlwTaskGraph *graph = FLW_TASK_GRAPH (widget);
  cairo_t *cr =
      gtk_snapshot_append_cairo (snapshot, &GRAPHENE_RECT_INIT (0, 0, (float) gtk_widget_get_width (widget),
                                                                (float) gtk_widget_get_height (widget)));

  for (guint i = 0; i < graph->nodes->len; i++)
    {
      const Node *node = node_at (graph, i);
      for (guint k = 0; k < node->after->len; k++)
        draw_link (graph, cr, node_at (graph, g_array_index (node->after, guint, k)), node);
    }
  for (guint i = 0; i < graph->nodes->len; i++)
    draw_node (graph, cr, node_at (graph, i));
  cairo_destroy (cr);
  flw_draw_focus (widget, snapshot);
}

/* --- choosing --- */

static void
choose (FlwTaskGraph *graph, guint key)
{
  if (graph->chosen == key)
    return;
  graph->chosen = key;
  gtk_widget_queue_draw (GTK_WIDGET (graph));
  g_signal_emit (graph, signals[CHOSEN], 0, key);
}

static void
on_pressed (GtkGestureClick *gesture, int n_press, double x, double y, FlwTaskGraph *graph)
{
  (void) gesture;
  (void) n_press;
  gtk_widget_grab_focus (GTK_WIDGET (graph));
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      graphene_rect_t box = box_of (graph, node_at (graph, i));
      if (graphene_rect_contains_point (&box, &GRAPHENE_POINT_INIT ((float) x, (float) y)))
        choose (graph, node_at (graph, i)->key);
    }
}

/* The nearest in that direction: in the next column the row at hand or the last, in the column the next row. */
static gboolean
on_key (GtkEventControllerKey *controller, guint key, guint code, GdkModifierType state, FlwTaskGraph *graph)
{
  int at = find (graph, graph->chosen);
  int dx = key == GDK_KEY_Right ? 1 : key == GDK_KEY_Left ? -1 : 0;
  int dy = key == GDK_KEY_Down ? 1 : key == GDK_KEY_Up ? -1 : 0;

  (void) controller;
  (void) code;
  if ((dx == 0 && dy == 0) || graph->nodes->len == 0 || (state & gtk_accelerator_get_default_mod_mask ()))
    return GDK_EVENT_PROPAGATE;
  if (at < 0)
    {
      choose (graph, node_at (graph, 0)->key);
      return GDK_EVENT_STOP;
    }
  const Node *from = node_at (graph, (guint) at), *best = NULL;
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      const Node *node = node_at (graph, i);
      if ((int) node->column != (int) from->column + dx
          || (dx == 0 && (int) node->row != (int) from->row + dy))
        continue;
      if (best == NULL || ABS ((int) node->row - (int) from->row) < ABS ((int) best->row - (int) from->row))
        best = node;
    }
  if (best != NULL)
    choose (graph, best->key);
  return GDK_EVENT_STOP;
}

/* --- the type --- */

char *
flw_task_graph_summary (FlwTaskGraph *graph)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint column = 0; column < graph->columns; column++)
    for (guint i = 0; i < graph->nodes->len; i++)
      {
        const Node *node = node_at (graph, i);
        if (node->column != column)
          continue;
        g_string_append (text, text->len == 0 ? "" : node->row == 0 ? " → " : ", ");
        g_string_append_printf (text, "%s: %s", node->title, node->detail);
      }
  if (text->len == 0)
    g_string_append (text, _ ("no steps"));
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
flw_task_graph_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  if (id == PROP_SUMMARY)
    g_value_take_string (value, flw_task_graph_summary (FLW_TASK_GRAPH (object)));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
flw_task_graph_finalize (GObject *object)
{
  g_ptr_array_unref (FLW_TASK_GRAPH (object)->nodes);
  G_OBJECT_CLASS (flw_task_graph_parent_class)->finalize (object);
}

static void
flw_task_graph_class_init (FlwTaskGraphClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->finalize = flw_task_graph_finalize;
  object_class->get_property = flw_task_graph_get_property;
  widget_class->measure = flw_task_graph_measure;
  widget_class->snapshot = flw_task_graph_snapshot;
  signals[CHOSEN] = g_signal_new ("chosen", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 1, G_TYPE_UINT);
  flw_chart_class_init (widget_class, PROP_SUMMARY, "taskgraph");
}

static void
flw_task_graph_init (FlwTaskGraph *graph)
{
  GtkGesture *click = gtk_gesture_click_new ();
  GtkEventController *keys = gtk_event_controller_key_new ();

  graph->nodes = g_ptr_array_new_with_free_func (node_free);
  gtk_widget_set_focusable (GTK_WIDGET (graph), TRUE);
  g_signal_connect (click, "pressed", G_CALLBACK (on_pressed), graph);
  gtk_widget_add_controller (GTK_WIDGET (graph), GTK_EVENT_CONTROLLER (click));
  g_signal_connect (keys, "key-pressed", G_CALLBACK (on_key), graph);
  gtk_widget_add_controller (GTK_WIDGET (graph), keys);
}

GtkWidget *
flw_task_graph_new (void)
{
  return g_object_new (FLW_TYPE_TASK_GRAPH, NULL);
}

void
flw_task_graph_set (FlwTaskGraph *graph, guint n, const FlwGraphNode *nodes)
{
  g_ptr_array_set_size (graph->nodes, 0);
  for (guint i = 0; i < n; i++)
    {
      Node *node = g_new0 (Node, 1);
      *node = (Node){ .key = nodes[i].key,
                      .title = g_strdup (nodes[i].title),
                      .detail = g_strdup (nodes[i].detail),
                      .shape = nodes[i].shape,
                      .tone = nodes[i].tone,
                      .after = g_array_new (FALSE, FALSE, sizeof (guint)) };
      g_ptr_array_add (graph->nodes, node);
    }
  for (guint i = 0; i < n; i++)
    for (guint k = 0; k < nodes[i].n_after; k++)
      {
        int before = find (graph, nodes[i].after[k]);
        guint position = (guint) before;
        if (before >= 0 && position != i)
          g_array_append_val (node_at (graph, i)->after, position);
      }
  lay_out (graph);
  if (find (graph, graph->chosen) < 0)
    choose (graph, 0);
  gtk_widget_queue_resize (GTK_WIDGET (graph));
  flw_chart_summary_changed (GTK_WIDGET (graph));
}

void
flw_task_graph_choose (FlwTaskGraph *graph, guint key)
{
  choose (graph, find (graph, key) < 0 ? 0 : key);
}

guint
flw_task_graph_chosen (FlwTaskGraph *graph)
{
  return graph->chosen;
}
