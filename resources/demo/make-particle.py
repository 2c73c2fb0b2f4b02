"""Makes the particle of the demo with --spi: a trefoil knot that never was, of 2 550 residues as dense as protein is.
make-particle.py FILE writes it as PDB, the same each time; where in a residue its atoms are is nothing that is seen in the demo.

One sees at a glance whether it has been found: its tube passes three times over and three times under itself."""
import math, sys

UNIT, HEIGHT, TUBE = 20.0, 30.0, 13.0  # Å: a third of the knot's radius; half of its height; radius of the tube
VOLUME, STEP = 135.0, 3.8  # Å³ of a residue, Å between layers
ATOMS = {"N": (-0.8, 0.8, -0.8), "CA": (0, 0, 0), "C": (0.9, 0.9, 0.9), "O": (1.6, 1.6, 0.2), "CB": (0.9, -0.9, -0.9)}  # Å
GOLDEN = math.pi * (3 - math.sqrt(5))


def curve(t):
    return (UNIT * (math.sin(t) + 2 * math.sin(2 * t)), UNIT * (math.cos(t) - 2 * math.cos(2 * t)), -HEIGHT * math.sin(3 * t))


def minus(a, b):
    return tuple(x - y for x, y in zip(a, b))


def unit(a):
    length = math.hypot(*a)
    return tuple(x / length for x in a)


def cross(a, b):
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


def residues():
    """Layers across the tube, each a disc evenly filled; neighbouring ones are turned."""
    fine = [curve(2 * math.pi * i / 20000) for i in range(20001)]
    per_layer = round(math.pi * TUBE**2 * STEP / VOLUME)
    gone, layer = 0.0, 0
    for a, b in zip(fine, fine[1:]):
        gone += math.dist(a, b)
        if gone < layer * STEP:
            continue
        along = unit(minus(b, a))
        side = unit(cross(along, (0.0, 0.0, 1.0)))
        up = cross(side, along)
        for i in range(per_layer):
            radius, angle = TUBE * math.sqrt((i + 0.5) / per_layer), GOLDEN * (i + layer)
            x, y = radius * math.cos(angle), radius * math.sin(angle)
            yield tuple(p + x * s + y * u for p, s, u in zip(a, side, up))
        layer += 1


def main():
    with open(sys.argv[1], "w") as file:
        for i, place in enumerate(residues()):
            for j, (name, offset) in enumerate(ATOMS.items()):
                at = [p + o for p, o in zip(place, offset)]
                file.write("ATOM  %5d  %-3s ALA A%4d    %8.3f%8.3f%8.3f  1.00 20.00           %s\n"
                           % (len(ATOMS) * i + j + 1, name, i + 1, *at, name[0]))
        file.write("END\n")


main()
