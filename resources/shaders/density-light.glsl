/* What both density shaders share; the same numbers as in widgets/density-scene.h and density-ray.c. Comes behind the
 * #version line of either GL 3.3 or GLES 3.0. */
const float AMBIENT = 0.30;
const float SPECULAR = 0.25;
const float FOG = 0.65;

uniform vec3 ground;
uniform float fog; /* Å */

vec3
shade (vec3 normal, float depth, vec3 colour)
{
  float lit = max (dot (vec3 (0.3, 0.4, 0.866), normal), 0.0);
  float shine = max (dot (vec3 (0.1553, 0.2071, 0.9659), normal), 0.0);
  float mist = FOG * clamp (0.5 - 0.5 * depth / fog, 0.0, 1.0);

  shine *= shine;
  shine *= shine;
  shine *= shine;
  shine *= shine;
  shine *= SPECULAR * shine;
  colour = colour * (AMBIENT + (1.0 - AMBIENT) * lit) + shine;
  return colour + mist * (ground - colour);
}
