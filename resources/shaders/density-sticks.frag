/* A capsule seen along parallel rays: flw_density_stick_hit() of widgets/density-sticks.c. */
flat in vec3 a, b, rgb0, rgb1;
flat in float r;

uniform vec2 size;
uniform float pixel;  /* Å */
uniform vec2 slab;    /* Å: nearest and farthest depth */

out vec4 result;

float depth;
vec3 normal;

bool
meets_end (vec3 end, vec2 at)
{
  vec2 d = at - end.xy;
  float square = r * r - dot (d, d);
  float z;

  if (square < 0.0)
    return false;
  z = end.z + sqrt (square);
  if (z <= depth)
    return false;
  depth = z;
  normal = vec3 (d.x, -d.y, sqrt (square)) / r;
  return true;
}

void
main ()
{
  vec2 at = vec2 (gl_FragCoord.x, size.y - gl_FragCoord.y);
  vec3 d = b - a, m = vec3 (at - a.xy, -a.z), colour = rgb0;
  float along = dot (d, d), level = dot (d.xy, d.xy);
  bool hit = false;

  depth = -1e30;
  if (level > 1e-6 * along)
    {
      float k = dot (m, d), A = level / along, B = m.z - k * d.z / along;
      float square = B * B - A * (dot (m, m) - k * k / along - r * r);
      if (square >= 0.0)
        {
          float z = (sqrt (square) - B) / A, h = (k + z * d.z) / along;
          if (h >= 0.0 && h <= 1.0)
            {
              hit = true;
              depth = z;
              normal = vec3 (m.x - h * d.x, h * d.y - m.y, m.z + z - h * d.z) / r;
              colour = h > 0.5 ? rgb1 : rgb0;
            }
        }
    }
  if (meets_end (a, at))
    {
      hit = true;
      colour = rgb0;
    }
  if (meets_end (b, at))
    {
      hit = true;
      colour = rgb1;
    }
  if (!hit)
    discard;
  depth *= pixel;
  gl_FragDepth = clamp ((slab.x - depth) / (slab.x - slab.y), 0.0, 0.9999);
  result = vec4 (clamp (shade (normal, depth, colour), 0.0, 1.0), 1.0);
}
