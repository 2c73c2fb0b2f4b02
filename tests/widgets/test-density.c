/* Rays against closed forms and a naive march; volumes, models and the camera by themselves; the GPU's pictures against the CPU's. */
#include <epoxy/gl.h>
#include <math.h>
#include <string.h>

#include "tests/widgets/density-things.h"
#include "tests/widgets/display.h"
#include "widgets/density-cast.h"
#include "widgets/density-gl.h"

#define GROUND 0x101010
#define BLUE   0x4080ff
#define W      96
#define H      72

typedef struct
{
  guint32 pixels[W * H];
  float depths[W * H];
} Picture;

static FlwDensityScene
scene_of (const FlwDensityVolume *volume, double level)
{
  return (FlwDensityScene){
    .maps = { { .volume = volume, .n_levels = 1, .level = { level }, .absolute = TRUE, .rgb = { BLUE } } },
    .style = FLW_DENSITY_SOLID,
    .slice_range = 4,
    .split = 1,
    .ground = GROUND,
    .step = FLW_DENSITY_STEP,
    .dots = 1
  };
}

static void
cast (const FlwDensityScene *scene, const FlwDensityCamera *camera, Picture *picture)
{
  FlwDensityCaster *caster = flw_density_caster_new (2);

  g_assert_true (
      flw_density_cast (caster, scene, camera, W, H, W, picture->pixels, picture->depths, 1, NULL));
  flw_density_caster_free (caster);
}

static FlwDensityCamera
camera_on (const FlwDensityVolume *volume, double reach, double right, double up)
{
  FlwDensityCamera camera;
  double centre[3], radius;

  flw_density_volume_bounds (volume, centre, &radius);
  flw_density_camera_init (&camera, centre, fmin (radius, reach));
  flw_density_camera_turn (&camera, right, up, 0.3);
  return camera;
}

/* Depth and light of a ball, on a straight and on an oblique grid, from several sides. */
static void
test_ball (void)
{
  static const double leans[] = { 0, 0.3 };
  static Picture picture;
  const double radius = 9;

  for (guint i = 0; i < 6; i++)
    {
      g_autoptr (FlwDensityVolume) volume = things_ball (56, 0.5, leans[i % 2], radius);
      FlwDensityCamera camera = camera_on (volume, 12, 0.7 * i, 0.4 * i);
      FlwDensityScene scene = scene_of (volume, 0);
      double pixel = flw_density_camera_scale (&camera, W, H), worst = 0, worst_light = 0;
      guint seen = 0;

      cast (&scene, &camera, &picture);
      for (guint at = 0; at < W * H; at++)
        {
          double x = (at % W + 0.5 - W / 2.) * pixel, y = (H / 2. - at / W - 0.5) * pixel, r2 = x * x + y * y;
          double depth = sqrt (fmax (radius * radius - r2, 0));
          double light, shine, fog, blue;

          if (r2 > (radius + 0.3) * (radius + 0.3))
            {
              g_assert_true (isinf (picture.depths[at]));
              g_assert_cmphex (picture.pixels[at] & 0xffffff, ==, GROUND);
            }
          if (depth < 0.4 * radius) /* the rim: a small step across is a large one in depth */
            continue;
          seen++;
          worst = fmax (worst, fabs ((double) picture.depths[at] - depth));
          light = fmax ((0.3 * x + 0.4 * y + 0.866 * depth) / radius, 0);
          shine = 0.25 * pow (fmax ((0.1553 * x + 0.2071 * y + 0.9659 * depth) / radius, 0), 32);
          fog = 0.65 * CLAMP (0.5 - 0.5 * depth / fmin (camera.radius, 0.6 * camera.span), 0, 1);
          blue = 0.3 + 0.7 * light + shine;
          blue += fog * (0x10 / 255. - blue);
          worst_light = fmax (worst_light, fabs ((picture.pixels[at] & 0xff) - 255 * fmin (blue, 1)));
        }
      g_test_message ("lean %.1f: %u rays, depth off by %.4f Å, light by %.1f of 255", leans[i % 2], seen,
                      worst, worst_light);
      g_assert_cmpuint (seen, >, 1500);
      g_assert_cmpfloat (worst, <, 0.03);
      g_assert_cmpfloat (worst_light, <, 4);
    }
}

/* First crossing by tiny steps, without bricks. */
static double
naive (const FlwDensityVolume *volume, const FlwDensityCamera *camera, double x, double y, double level)
{
  double reach = sqrt (fmax (camera->radius * camera->radius - x * x - y * y, 0)), before = NAN;

  for (double depth = fmin (reach, camera->front); depth > -fmin (reach, camera->back); depth -= 0.004)
    {
      double place[3], value;
      for (int i = 0; i < 3; i++)
        place[i] =
            camera->centre[i] + x * camera->axes[0][i] + y * camera->axes[1][i] + depth * camera->axes[2][i];
      value = flw_density_volume_at (volume, place) - level;
      if (!isnan (before) && !isnan (value) && (before < 0) != (value < 0))
        return depth + 0.004 * value / (value - before);
      before = value;
    }
  return -INFINITY;
}

/* Every place a ray may come from: cells that repeat and lean, grids that end, slabs. Double crossings inside one sample may be
 * missed: a few rays that graze. */
static void
test_naive (void)
{
  static Picture picture;

  for (guint i = 0; i < 8; i++)
    {
      g_autoptr (FlwDensityVolume) volume =
          i % 4 == 3 ? things_ball (20, 0.7, 0.2, 5) : things_crystal (22 + i, 12 + 5 * i, i % 2 ? 0.35 : 0);
      FlwDensityCamera camera = camera_on (volume, 11, 0.9 * i, 0.5 + i);
      double level = i % 4 == 3 ? -2.2 : 0.45, pixel;
      FlwDensityScene scene = scene_of (volume, level);
      guint off = 0, seen = 0;

      if (i > 3)
        camera.front = 2.5;
      if (i == 6) /* far from the cell that is stored */
        for (int x = 0; x < 3; x++)
          camera.centre[x] +=
              40 * flw_density_volume_grid (volume)->step[x][x] * flw_density_volume_grid (volume)->n[x];
      pixel = flw_density_camera_scale (&camera, W, H);
      cast (&scene, &camera, &picture);
      for (guint at = 0; at < W * H; at += 3)
        {
          double depth = naive (volume, &camera, (at % W + 0.5 - W / 2.) * pixel,
                                (H / 2. - at / W - 0.5) * pixel, level);
          seen += isfinite (depth) ? 1 : 0;
          if (isfinite (depth) != isfinite ((double) picture.depths[at])
              || (isfinite (depth) && fabs (depth - (double) picture.depths[at]) > 0.02))
            off++;
        }
      g_test_message ("case %u: %u of %u rays meet density, %u differ", i, seen, W * H / 3, off);
      g_assert_cmpuint (seen, >, 250);
      g_assert_cmpuint (off, <=, W * H / 3 / 100);
    }
}

static void
test_volume (void)
{
  FlwDensityGrid grid = { .n = { 3, 2, 2 },
                          .step = { { 1, 0, 0 }, { 0, 2, 0 }, { 0, 0, 1 } },
                          .periodic = TRUE };
  const float given[12] = { 0, 1, 2, 3, 4, 5, 6, NAN, 8, 9, 10, 11 };
  g_autoptr (GError) error = NULL;
  g_autoptr (FlwDensityVolume) volume =
      flw_density_volume_new (&grid, g_memdup2 (given, sizeof given), &error);
  double mean = (66 - 7) / 11.;

  g_assert_no_error (error);
  g_assert_cmpfloat_with_epsilon (flw_density_volume_grid (volume)->mean, mean, 1e-6);
  g_assert_cmpfloat_with_epsilon (flw_density_volume_at (volume, (const double[3]){ 2, 2, 1 }), 11, 1e-6);
  g_assert_cmpfloat_with_epsilon (flw_density_volume_at (volume, (const double[3]){ 1, 0, 1 }), mean, 1e-6);
  g_assert_cmpfloat_with_epsilon (flw_density_volume_at (volume, (const double[3]){ 2.5, 0, 0 }), 1,
                                  1e-6); /* (2 + 0)/2 */
  g_assert_cmpfloat_with_epsilon (flw_density_volume_at (volume, (const double[3]){ -7, -1, 0 }), 3.5,
                                  1e-6); /* (2 + 5)/2 */
  g_assert_null (flw_density_volume_new (&(FlwDensityGrid){ .n = { 1, 5, 5 } }, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  g_clear_error (&error);
  memcpy (grid.step[2], grid.step[1], sizeof grid.step[2]);
  g_assert_null (flw_density_volume_new (&grid, g_memdup2 (given, sizeof given), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
}

static void
test_camera (void)
{
  FlwDensityCamera camera;
  double x, y, depth;

  flw_density_camera_init (&camera, (const double[3]){ 1, 2, 3 }, 10);
  flw_density_camera_project (&camera, 200, 100, (const double[3]){ 1, 2, 8 }, &x, &y, &depth);
  g_assert_cmpfloat_with_epsilon (hypot (x - 100, y - 50), 0, 1e-9);
  g_assert_cmpfloat_with_epsilon (depth, 5, 1e-9);
  flw_density_camera_turn (&camera, G_PI / 2, 0, 0); /* what was in front goes to the right */
  flw_density_camera_project (&camera, 200, 100, (const double[3]){ 1, 2, 8 }, &x, &y, &depth);
  g_assert_cmpfloat_with_epsilon (x, 100 + 5 * 100 / camera.span, 1e-9);
  g_assert_cmpfloat_with_epsilon (depth, 0, 1e-9);
  for (int i = 0; i < 20000; i++)
    flw_density_camera_turn (&camera, 0.013, 0.017, 0.002);
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++)
      {
        double product = 0;
        for (int k = 0; k < 3; k++)
          product += camera.axes[i][k] * camera.axes[j][k];
        g_assert_cmpfloat_with_epsilon (product, i == j, 1e-12);
      }
}

static void
test_model (void)
{
  g_autoptr (FlwDensityModel) model = things_helix (12, (const double[3]){ 0, 0, 0 });
  guint n_atoms, n_bonds, n_residues;
  const FlwDensityAtom *atoms = flw_density_model_atoms (model, &n_atoms);
  const FlwDensityResidue *residues = flw_density_model_residues (model, &n_residues);
  g_autofree char *text = flw_density_atom_text (&atoms[21], TRUE);

  flw_density_model_bonds (model, &n_bonds);
  g_assert_cmpuint (n_atoms, ==, 60);
  g_assert_cmpuint (n_residues, ==, 12);
  g_assert_cmpuint (n_bonds, ==, 12 * 4 + 11); /* N–CA, CA–C, C=O, CA–CB; peptides */
  g_assert_cmpstr (atoms[residues[4].centre].name, ==, "CA");
  g_assert_cmpuint (flw_density_model_residue_of (model, 23), ==, 4);
  g_assert_cmpint (flw_density_model_nearest (model, atoms[17].place, 0.1), ==, 17);
  g_assert_cmpstr (text, ==, "A 5 TRP CA");
}

/* --- the GPU's path: the same pictures --- */

/* A framebuffer of W × H in a context of its own; NULL: no OpenGL here. */
static GdkGLContext *
make_target (GLuint *frame, GLuint *colour)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GdkGLContext) context = gdk_display_create_gl_context (gdk_display_get_default (), &error);

  if (context == NULL || !gdk_gl_context_realize (context, &error))
    {
      g_test_message ("%s", error->message);
      return NULL;
    }
  gdk_gl_context_make_current (context);
  g_test_message ("%s", (const char *) glGetString (GL_RENDERER));
  glGenTextures (1, colour);
  glBindTexture (GL_TEXTURE_2D, *colour);
  glTexImage2D (GL_TEXTURE_2D, 0, GL_RGBA8, W, H, 0, GL_RGBA, GL_UNSIGNED_BYTE, NULL);
  glGenFramebuffers (1, frame);
  glBindFramebuffer (GL_FRAMEBUFFER, *frame);
  glFramebufferTexture2D (GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, *colour, 0);
  return g_steal_pointer (&context);
}

/* Pixels of which a colour differs by more than 16 of 255. */
static guint
count_different (const Picture *picture)
{
  static guint8 drawn[W * H * 4];
  guint different = 0;

  glReadPixels (0, 0, W, H, GL_RGBA, GL_UNSIGNED_BYTE, drawn);
  for (guint row = 0; row < H; row++)
    for (guint x = 0; x < W; x++)
      {
        guint32 word = picture->pixels[row * W + x];
        const guint8 *other = drawn + 4 * ((H - 1 - row) * W + x);
        gboolean off = FALSE;
        for (int c = 0; c < 3; c++)
          off |= ABS ((int) (word >> (16 - 8 * c) & 0xff) - other[c]) > 16;
        different += off ? 1 : 0;
      }
  return different;
}

static void
test_same (void)
{
  static Picture picture;
  g_autoptr (GError) error = NULL;
  GLuint frame, colour;
  g_autoptr (GdkGLContext) context = make_target (&frame, &colour);
  FlwDensityCaster *caster = flw_density_caster_new (2);
  FlwDensityGl *gl;

  if (context == NULL)
    {
      flw_density_caster_free (caster);
      g_test_skip ("no OpenGL here");
      return;
    }
  gl = flw_density_gl_new (&error);
  g_assert_no_error (error);
  for (guint i = 0; i < 8; i++)
    {
      g_autoptr (FlwDensityVolume) crystal = things_crystal (24, 30, 0.3), other = things_crystal (26, 9, 0),
                                   ball = things_ball (24, 0.8, 0.2, 6);
      g_autoptr (FlwDensityModel) model = things_helix (8, (const double[3]){ 10, 6, 3 });
      FlwDensityCamera camera = camera_on (i == 3 ? ball : crystal, 9, 0.8 * i, 0.3 * i);
      FlwDensityScene scene = scene_of (i == 3 ? ball : crystal, i == 3 ? 0 : 0.45);
      guint oversample = i == 5 ? 2 : 1, different, seen = 0;

      scene.style = (FlwDensityStyle) (i % 3);
      if (i > 1)
        scene.maps[1] = (FlwDensityMap){
          .volume = other, .n_levels = 2, .level = { 2, -0.3 }, .rgb = { 0x40e060, 0xff5040 }
        };
      if (i > 3)
        {
          scene.model = model;
          scene.stick_radius = i == 4 ? 0 : 0.3;
          camera.front = 5;
        }
      if (i == 6)
        {
          scene.maps[0].other = other;
          scene.split = 0.4;
        }
      if (i == 7)
        scene.slice = FLW_DENSITY_SLICE_B;
      g_assert_true (
          flw_density_cast (caster, &scene, &camera, W, H, W, picture.pixels, NULL, oversample, NULL));
      for (guint at = 0; at < W * H; at++)
        seen += (picture.pixels[at] & 0xffffff) != GROUND;
      g_assert_cmpuint (seen, >, 600);
      glBindFramebuffer (GL_FRAMEBUFFER, frame);
      g_assert_true (flw_density_gl_draw (gl, &scene, &camera, W, H, oversample));
      g_assert_cmpint (glGetError (), ==, GL_NO_ERROR);
      different = count_different (&picture);
      g_test_message ("scene %u: %u of %u pixels differ, %u show something", i, different, W * H, seen);
      g_assert_cmpuint (different, <=, W * H / 100);
    }
  flw_density_gl_free (gl);
  glDeleteFramebuffers (1, &frame);
  glDeleteTextures (1, &colour);
  flw_density_caster_free (caster);
  gdk_gl_context_clear_current ();
}

static void
test_software (void)
{
  g_assert_true (flw_density_gl_is_software ("llvmpipe (LLVM 15.0.6, 256 bits)"));
  g_assert_true (flw_density_gl_is_software ("Software Rasterizer"));
  g_assert_true (flw_density_gl_is_software (NULL));
  g_assert_false (flw_density_gl_is_software ("NVIDIA H200/PCIe/SSE2"));
  g_assert_false (flw_density_gl_is_software ("Mesa Intel(R) UHD Graphics 630 (CFL GT2)"));
}

/* A noisy ball of 5 among noisy nothing: the level lies between, whatever share the ball has. */
static void
test_threshold (void)
{
  for (double radius = 4; radius < 13; radius += 4)
    {
      FlwDensityGrid grid = { .n = { 32, 32, 32 }, .step = { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } } };
      float *values = g_new (float, 32 * 32 * 32);
      for (int i = 0; i < 32 * 32 * 32; i++)
        {
          double x = i % 32 - 16, y = i / 32 % 32 - 16, z = i / 1024 - 16;
          double noise = 0.4 * sin (12.9898 * i);
          values[i] = (float) ((x * x + y * y + z * z < radius * radius ? 5 : 0) + noise);
        }
      g_autoptr (FlwDensityVolume) volume = flw_density_volume_new (&grid, values, NULL);
      double level = flw_density_volume_threshold (volume);
      g_assert_cmpfloat (level, >, 0.4);
      g_assert_cmpfloat (level, <, 4.6);
      /* of a ball the root mean square distance from its middle is √(3/5) of its radius */
      double centre[3], spread = flw_density_volume_spread (volume, level, centre);
      g_assert_cmpfloat_with_epsilon (spread, sqrt (0.6) * radius, 0.3);
      g_assert_cmpfloat_with_epsilon (centre[1], 16, 0.01);
      g_assert_cmpfloat (flw_density_volume_spread (volume, 6, centre), ==, 0);
    }
}

int
main (int argc, char **argv)
{
  display_init (&argc, &argv);
  g_test_add_func ("/density/volume", test_volume);
  g_test_add_func ("/density/threshold", test_threshold);
  g_test_add_func ("/density/camera", test_camera);
  g_test_add_func ("/density/model", test_model);
  g_test_add_func ("/density/ball", test_ball);
  g_test_add_func ("/density/naive", test_naive);
  g_test_add_func ("/density/software", test_software);
  g_test_add_func ("/density/same", test_same);
  return g_test_run ();
}
