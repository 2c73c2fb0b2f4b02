#include "widgets/density-gl.h"

#include <epoxy/gl.h>
#include <math.h>
#include <string.h>

#include "widgets/density-sticks.h"
#include "widgets/shaders.h"

#define PREFIX "/io/firstlight/widgets/"

typedef struct
{
  FlwDensityVolume *volume; /* reference */
  GLuint values, skips;
  guint serial; /* of the skips */
} Texture;

struct _FlwDensityGl
{
  GLuint cast, sticks;  /* programs */
  GLuint array, buffer; /* of the sticks */
  GLuint nothing;       /* an array without attributes: core GL draws nothing without one */
  GLuint frame, wall_colour, wall_depth;
  int wall_width, wall_height;
  Texture textures[2][FLW_DENSITY_MAPS];
  FlwDensityLanes lanes;
};

/* --- programs --- */

static char *
source_of (const char *name)
{
  g_autofree char *path = g_strconcat (PREFIX, name, NULL);
  g_autoptr (GBytes) bytes = g_resources_lookup_data (path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
  return bytes != NULL ? g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes)) : g_strdup ("");
}

static GLuint
compile (GLenum kind, const char *name, gboolean with_light, GError **error)
{
  g_autofree char *light = with_light ? source_of ("density-light.glsl") : g_strdup (""),
                  *own = source_of (name);
  const char *head = epoxy_is_desktop_gl ()
                         ? "#version 330 core\n"
                         : "#version 300 es\nprecision highp float;\nprecision highp int;\n";
  const char *parts[] = { head, light, own };
  GLuint shader = glCreateShader (kind);
  GLint good;

  glShaderSource (shader, G_N_ELEMENTS (parts), parts, NULL);
  glCompileShader (shader);
  glGetShaderiv (shader, GL_COMPILE_STATUS, &good);
  if (!good)
    {
      char log[1024] = "";
      glGetShaderInfoLog (shader, sizeof log, NULL, log);
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "%s: %s", name, g_strstrip (log));
      glDeleteShader (shader);
      return 0;
    }
  return shader;
}

static GLuint
link_program (const char *vertex_name, const char *fragment_name, GError **error)
{
  GLuint vertex = compile (GL_VERTEX_SHADER, vertex_name, FALSE, error), fragment, program;
  GLint good;

  if (vertex == 0)
    return 0;
  fragment = compile (GL_FRAGMENT_SHADER, fragment_name, TRUE, error);
  if (fragment == 0)
    {
      glDeleteShader (vertex);
      return 0;
    }
  program = glCreateProgram ();
  glAttachShader (program, vertex);
  glAttachShader (program, fragment);
  glLinkProgram (program);
  glDeleteShader (vertex);
  glDeleteShader (fragment);
  glGetProgramiv (program, GL_LINK_STATUS, &good);
  if (!good)
    {
      char log[1024] = "";
      glGetProgramInfoLog (program, sizeof log, NULL, log);
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "%s: %s", fragment_name, g_strstrip (log));
      glDeleteProgram (program);
      return 0;
    }
  return program;
}

static void
make_stick_array (FlwDensityGl *gl)
{
  static const struct
  {
    GLint n;
    gsize offset;
  } fields[] = { { 3, G_STRUCT_OFFSET (FlwDensityStick, from) },
                 { 3, G_STRUCT_OFFSET (FlwDensityStick, to) },
                 { 1, G_STRUCT_OFFSET (FlwDensityStick, radius) },
                 { 3, G_STRUCT_OFFSET (FlwDensityStick, rgb) },
                 { 3, G_STRUCT_OFFSET (FlwDensityStick, rgb) + 3 * sizeof (float) } };

  glGenVertexArrays (1, &gl->array);
  glGenBuffers (1, &gl->buffer);
  glBindVertexArray (gl->array);
  glBindBuffer (GL_ARRAY_BUFFER, gl->buffer);
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    {
      glEnableVertexAttribArray (i);
      glVertexAttribPointer (i, fields[i].n, GL_FLOAT, GL_FALSE, sizeof (FlwDensityStick),
                             GSIZE_TO_POINTER (fields[i].offset));
      glVertexAttribDivisor (i, 1);
    }
  glBindVertexArray (0);
}

FlwDensityGl *
flw_density_gl_new (GError **error)
{
  FlwDensityGl *gl;
  static gsize registered;
  GLuint cast, sticks;

  if (g_once_init_enter (&registered))
    {
      flw_shaders_register_resource ();
      g_once_init_leave (&registered, 1);
    }
  cast = link_program ("density-cast.vert", "density-cast.frag", error);
  if (cast == 0)
    return NULL;
  sticks = link_program ("density-sticks.vert", "density-sticks.frag", error);
  if (sticks == 0)
    {
      glDeleteProgram (cast);
      return NULL;
    }
  gl = g_new0 (FlwDensityGl, 1);
  gl->cast = cast;
  gl->sticks = sticks;
  make_stick_array (gl);
  glGenVertexArrays (1, &gl->nothing);
  glGenFramebuffers (1, &gl->frame);
  glGenTextures (1, &gl->wall_colour);
  glGenTextures (1, &gl->wall_depth);
  return gl;
}

static void
clear_texture (Texture *texture)
{
  g_clear_pointer (&texture->volume, flw_density_volume_unref);
  glDeleteTextures (1, &texture->values); /* 0 is ignored */
  glDeleteTextures (1, &texture->skips);
  *texture = (Texture){ 0 };
}

void
flw_density_gl_free (FlwDensityGl *gl)
{
  for (int side = 0; side < 2; side++)
    for (int m = 0; m < FLW_DENSITY_MAPS; m++)
      clear_texture (&gl->textures[side][m]);
  glDeleteProgram (gl->cast);
  glDeleteProgram (gl->sticks);
  glDeleteVertexArrays (1, &gl->array);
  glDeleteVertexArrays (1, &gl->nothing);
  glDeleteBuffers (1, &gl->buffer);
  glDeleteFramebuffers (1, &gl->frame);
  glDeleteTextures (1, &gl->wall_colour);
  glDeleteTextures (1, &gl->wall_depth);
  flw_density_lanes_clear (&gl->lanes);
  g_free (gl);
}

/* --- volumes --- */

static void
no_filter (GLenum target)
{
  glTexParameteri (target, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
  glTexParameteri (target, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
  glTexParameteri (target, GL_TEXTURE_WRAP_S, GL_CLAMP_TO_EDGE);
  glTexParameteri (target, GL_TEXTURE_WRAP_T, GL_CLAMP_TO_EDGE);
}

static gboolean
upload (Texture *texture, const FlwDensityLane *lane, const FlwDensitySkip *skip)
{
  const FlwDensityStore *store = lane->store;
  GLint most = 0;

  glGetIntegerv (GL_MAX_3D_TEXTURE_SIZE, &most);
  if (MAX (MAX (store->points[0], store->points[1]), store->points[2]) > most)
    return FALSE;
  if (texture->volume != lane->volume)
    {
      clear_texture (texture);
      texture->volume = flw_density_volume_ref ((FlwDensityVolume *) lane->volume);
      glGenTextures (1, &texture->values);
      glGenTextures (1, &texture->skips);
      glBindTexture (GL_TEXTURE_3D, texture->values);
      no_filter (GL_TEXTURE_3D);
      glPixelStorei (GL_UNPACK_ALIGNMENT, 4);
      glTexImage3D (GL_TEXTURE_3D, 0, GL_R32F, store->points[0], store->points[1], store->points[2], 0,
                    GL_RED, GL_FLOAT, store->values);
    }
  if (lane->skip != NULL && texture->serial != skip->serial)
    {
      texture->serial = skip->serial;
      glBindTexture (GL_TEXTURE_3D, texture->skips);
      no_filter (GL_TEXTURE_3D);
      glPixelStorei (GL_UNPACK_ALIGNMENT, 1);
      glTexImage3D (GL_TEXTURE_3D, 0, GL_R8UI, store->bricks[0], store->bricks[1], store->bricks[2], 0,
                    GL_RED_INTEGER, GL_UNSIGNED_BYTE, lane->skip);
      glPixelStorei (GL_UNPACK_ALIGNMENT, 4);
    }
  return glGetError () != GL_OUT_OF_MEMORY;
}

/* --- drawing --- */

typedef struct
{
  const FlwDensityScene *scene;
  guint width, height, oversample;
  float pixel, front, back; /* Å */
  guint n_sticks;
} Frame;

static GLint
place (GLuint program, const char *name)
{
  return glGetUniformLocation (program, name);
}

static void
set_light (FlwDensityGl *gl, GLuint program, const Frame *frame)
{
  guint32 ground = frame->scene->ground;

  glUniform3f (place (program, "ground"), (float) (ground >> 16 & 0xff) / 255,
               (float) (ground >> 8 & 0xff) / 255, (float) (ground & 0xff) / 255);
  glUniform1f (place (program, "fog"), gl->lanes.fog);
  glUniform1f (place (program, "pixel"), frame->pixel);
  glUniform2f (place (program, "slab"), frame->front, frame->back);
}

static void
size_walls (FlwDensityGl *gl, int width, int height)
{
  if (width == gl->wall_width && height == gl->wall_height)
    return;
  gl->wall_width = width;
  gl->wall_height = height;
  glBindTexture (GL_TEXTURE_2D, gl->wall_colour);
  no_filter (GL_TEXTURE_2D);
  glTexImage2D (GL_TEXTURE_2D, 0, GL_RGBA8, width, height, 0, GL_RGBA, GL_UNSIGNED_BYTE, NULL);
  glBindTexture (GL_TEXTURE_2D, gl->wall_depth);
  no_filter (GL_TEXTURE_2D);
  glTexImage2D (GL_TEXTURE_2D, 0, GL_DEPTH_COMPONENT24, width, height, 0, GL_DEPTH_COMPONENT, GL_UNSIGNED_INT,
                NULL);
  glBindFramebuffer (GL_FRAMEBUFFER, gl->frame);
  glFramebufferTexture2D (GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, gl->wall_colour, 0);
  glFramebufferTexture2D (GL_FRAMEBUFFER, GL_DEPTH_ATTACHMENT, GL_TEXTURE_2D, gl->wall_depth, 0);
}

static void
draw_sticks (FlwDensityGl *gl, const Frame *frame, GArray *sticks)
{
  int width = (int) (frame->width * frame->oversample), height = (int) (frame->height * frame->oversample);

  size_walls (gl, width, height);
  glBindFramebuffer (GL_FRAMEBUFFER, gl->frame);
  glViewport (0, 0, width, height);
  glEnable (GL_DEPTH_TEST);
  glDepthFunc (GL_LESS);
  glDepthMask (GL_TRUE);
  glClearColor (0, 0, 0, 0);
  glClear (GL_COLOR_BUFFER_BIT | GL_DEPTH_BUFFER_BIT);
  glUseProgram (gl->sticks);
  set_light (gl, gl->sticks, frame);
  glUniform2f (place (gl->sticks, "size"), (float) width, (float) height);
  glBindVertexArray (gl->array);
  glBindBuffer (GL_ARRAY_BUFFER, gl->buffer);
  glBufferData (GL_ARRAY_BUFFER, (GLsizeiptr) (sticks->len * sizeof (FlwDensityStick)), sticks->data,
                GL_STREAM_DRAW);
  glDrawArraysInstanced (GL_TRIANGLE_STRIP, 0, 4, (GLsizei) sticks->len);
  glBindVertexArray (0);
  glDisable (GL_DEPTH_TEST);
}

static void
set_lane (GLuint program, const FlwDensityLane *lane, int m)
{
  char name[24];
#define SET(call, what, ...)                                                                                 \
  (g_snprintf (name, sizeof name, what "[%d]", m), call (place (program, name), __VA_ARGS__))
  SET (glUniform1i, "levels", lane->skip != NULL ? (int) lane->n_levels : 0);
  SET (glUniform1i, "periodic", lane->periodic);
  if (lane->volume == NULL)
    return;
  SET (glUniform2f, "level", lane->level[0], lane->level[1]);
  SET (glUniform3i, "cells", lane->store->cells[0], lane->store->cells[1], lane->store->cells[2]);
  SET (glUniform3fv, "origin", 1, lane->origin);
  SET (glUniform3fv, "right", 1, lane->right);
  SET (glUniform3fv, "up", 1, lane->up);
  SET (glUniform3fv, "away", 1, lane->away);
#undef SET
  for (int a = 0; a < 3; a++)
    {
      g_snprintf (name, sizeof name, "slope[%d]", 3 * m + a);
      glUniform3fv (place (program, name), 1, lane->slope[a]);
    }
  for (int l = 0; l < FLW_DENSITY_LEVELS; l++)
    {
      g_snprintf (name, sizeof name, "colours[%d]", 2 * m + l);
      glUniform3fv (place (program, name), 1, lane->rgb[l]);
    }
}

static void
set_frame (FlwDensityGl *gl, const Frame *frame)
{
  const FlwDensityLanes *lanes = &gl->lanes;
  GLuint program = gl->cast;
  static const char *const samplers[] = { "values0", "values1",     "skips0",
                                          "skips1",  "wall_colour", "wall_depth" };

  set_light (gl, program, frame);
  for (int i = 0; i < (int) G_N_ELEMENTS (samplers); i++)
    glUniform1i (place (program, samplers[i]), i);
  glUniform2f (place (program, "size"), (float) frame->width, (float) frame->height);
  glUniform1i (place (program, "oversample"), (int) frame->oversample);
  glUniform1f (place (program, "front"), lanes->front);
  glUniform1f (place (program, "back"), lanes->back);
  glUniform1f (place (program, "radius"), lanes->radius);
  glUniform1f (place (program, "sample_step"), lanes->step);
  glUniform1i (place (program, "refinements"), lanes->refinements);
  glUniform1f (place (program, "mesh"), lanes->mesh);
  glUniform1f (place (program, "line"), lanes->line);
  glUniform1i (place (program, "style"), (int) frame->scene->style);
  glUniform3fv (place (program, "slice"), 1, lanes->slice);
  glUniform1f (place (program, "slice_range"), lanes->slice_range);
  glUniform1i (place (program, "sticks"), frame->n_sticks > 0);
}

static void
bind (int unit, GLenum target, GLuint texture)
{
  glActiveTexture (GL_TEXTURE0 + (GLenum) unit);
  glBindTexture (target, texture);
}

/* The columns on one side of the split. */
static void
draw_side (FlwDensityGl *gl, int side, int left, int right, int height)
{
  const FlwDensityLane *lanes = gl->lanes.lanes[side];

  if (right <= left)
    return;
  for (int m = 0; m < FLW_DENSITY_MAPS; m++)
    {
      /* A sampler that is never read must still name a texture of its kind. */
      int from = lanes[m].volume != NULL ? m : lanes[0].volume != NULL ? 0 : 1;
      set_lane (gl->cast, &lanes[m], m);
      bind (m, GL_TEXTURE_3D, gl->textures[side][from].values);
      bind (FLW_DENSITY_MAPS + m, GL_TEXTURE_3D, gl->textures[side][from].skips);
    }
  glUniform2f (place (gl->cast, "statistics"), lanes[0].mean, lanes[0].sigma);
  glScissor (left, 0, right - left, height);
  glDrawArrays (GL_TRIANGLES, 0, 3);
}

static gboolean
upload_all (FlwDensityGl *gl)
{
  for (int side = 0; side < 2; side++)
    for (int m = 0; m < FLW_DENSITY_MAPS; m++)
      {
        const FlwDensityLane *lane = &gl->lanes.lanes[side][m];
        if (lane->volume == NULL)
          clear_texture (&gl->textures[side][m]);
        else if (!upload (&gl->textures[side][m], lane, &gl->lanes.skips[side][m]))
          return FALSE;
      }
  return TRUE;
}

gboolean
flw_density_gl_draw (FlwDensityGl *gl, const FlwDensityScene *scene, const FlwDensityCamera *camera,
                     guint width, guint height, guint oversample)
{
  FlwDensityScene fine = *scene;
  Frame frame = { &fine, width, height, oversample };
  g_autoptr (GArray) sticks = NULL;
  GLint target, split = (GLint) ceil (scene->split * width - 0.5);

  fine.dots *= oversample;
  frame.pixel = (float) flw_density_camera_scale (camera, width * oversample, height * oversample);
  frame.front = (float) MIN (camera->front, camera->radius) + 1; /* sticks stand out of their atoms */
  frame.back = -(float) MIN (camera->back, camera->radius) - 1;
  glGetIntegerv (GL_FRAMEBUFFER_BINDING, &target);
  flw_density_lanes_prepare (&gl->lanes, &fine, camera, (double) frame.pixel);
  if (!upload_all (gl))
    return FALSE;
  sticks = flw_density_sticks_find (&fine, camera, width * oversample, height * oversample);
  frame.n_sticks = sticks->len;
  glDisable (GL_BLEND);
  glDisable (GL_SCISSOR_TEST);
  if (sticks->len > 0)
    draw_sticks (gl, &frame, sticks);
  glBindFramebuffer (GL_FRAMEBUFFER, (GLuint) target);
  glViewport (0, 0, (GLsizei) width, (GLsizei) height);
  glUseProgram (gl->cast);
  set_frame (gl, &frame);
  bind (4, GL_TEXTURE_2D, gl->wall_colour);
  bind (5, GL_TEXTURE_2D, gl->wall_depth);
  glBindVertexArray (gl->nothing);
  glEnable (GL_SCISSOR_TEST);
  draw_side (gl, 0, 0, MIN (split, (GLint) width), (GLint) height);
  draw_side (gl, 1, MAX (split, 0), (GLint) width, (GLint) height);
  glDisable (GL_SCISSOR_TEST);
  glBindVertexArray (0);
  glActiveTexture (GL_TEXTURE0);
  return TRUE;
}

gboolean
flw_density_gl_is_software (const char *renderer)
{
  static const char *const names[] = { "llvmpipe", "softpipe", "swrast", "software", "swiftshader", "swr " };
  g_autofree char *lower = g_ascii_strdown (renderer != NULL ? renderer : "software", -1);

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (strstr (lower, names[i]) != NULL)
      return TRUE;
  return FALSE;
}
