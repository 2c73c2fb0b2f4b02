/* The rectangle around a capsule; one instance a stick. Pixels, y downward. */
layout (location = 0) in vec3 from;
layout (location = 1) in vec3 to;
layout (location = 2) in float radius;
layout (location = 3) in vec3 colour0;
layout (location = 4) in vec3 colour1;

uniform vec2 size; /* pixels */

flat out vec3 a, b, rgb0, rgb1;
flat out float r;

void
main ()
{
  vec2 corner = vec2 (float (gl_VertexID & 1), float (gl_VertexID >> 1));
  vec2 at = mix (min (from.xy, to.xy) - radius - 1.0, max (from.xy, to.xy) + radius + 1.0, corner);

  a = from;
  b = to;
  r = radius;
  rgb0 = colour0;
  rgb1 = colour1;
  gl_Position = vec4 (2.0 * at.x / size.x - 1.0, 1.0 - 2.0 * at.y / size.y, 0.0, 1.0);
}
