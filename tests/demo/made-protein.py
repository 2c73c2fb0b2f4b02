"""The demo's protein: that a crystal could look so, as another program sees it.  made-protein.py FILE"""
import sys

try:
    import gemmi
except ImportError:
    print("1..0 # SKIP gemmi is not there")
    sys.exit(0)

BONDS = {("N", "CA"): 1.458, ("CA", "C"): 1.525, ("C", "O"): 1.231, ("CA", "CB"): 1.53}


def check(name, good, detail=""):
    check.number += 1
    print(("ok" if good else "not ok"), check.number, "-", name, detail, flush=True)


check.number = 0


def is_bound(a, b):
    """Of one chain, side by side: bonds and what bonds hold."""
    chain = "H" not in (a.residue.het_flag, b.residue.het_flag)
    return chain and abs(a.residue.seqid.num - b.residue.seqid.num) <= 1


def handedness(residue):
    """Å³: 2.5 of amino acids as proteins have them, −2.5 of their mirror images."""
    middle = residue["CA"][0].pos
    n, c, beta = (residue[name][0].pos - middle for name in ("N", "C", "CB"))
    return n.dot(c.cross(beta))


def crowded(structure):
    """Pairs of atoms, of mates too, that are nearer than atoms come; hydrogen bonds may be short."""
    search = gemmi.NeighborSearch(structure[0], structure.cell, 5).populate()
    contacts = gemmi.ContactSearch(3.2)
    contacts.ignore = gemmi.ContactSearch.Ignore.SameResidue
    found = []
    for pair in contacts.find_contacts(search):
        a, b = pair.partner1, pair.partner2
        polar = (a.atom.element.name in "NO") + (b.atom.element.name in "NO")
        if pair.dist < (3.1, 2.8, 2.45)[polar] and not (pair.image_idx == 0 and is_bound(a, b)):
            found.append(f"{a} {b} {pair.dist:.2f}")
    return found


def main():
    structure = gemmi.read_structure(sys.argv[1])
    print("1..8")
    cell = structure.cell
    check("cell and space group", cell.parameters == (79.1, 79.1, 37.9, 90, 90, 90) and structure.spacegroup_hm == "P 43 21 2")
    chain = [residue for residue in structure[0][0] if residue.het_flag == "A"]
    check("one chain of 60 to 129 residues", 60 <= len(chain) <= 129, f"# {len(chain)}")
    wrong = [f"{residue} {a}-{b}" for residue in chain for (a, b), length in BONDS.items() if a in residue and b in residue
             and abs(residue[a][0].pos.dist(residue[b][0].pos) - length) > 0.03]
    wrong += [str(b) for a, b in zip(chain, chain[1:]) if abs(a["C"][0].pos.dist(b["N"][0].pos) - 1.329) > 0.02]
    check("bonds of the chain", not wrong, " ".join(wrong))
    left = [str(residue) for residue in chain if "CB" in residue and handedness(residue) < 2]
    check("amino acids are of life's hand", not left, " ".join(left))
    found = crowded(structure)
    check("nothing clashes", not found, "; ".join(found))
    mass = 1.075 * sum(atom.element.weight for residue in structure[0][0] if residue.name != "HOH" for atom in residue)
    solvent = 1 - 1.23 * 8 * mass / cell.volume
    check("35 to 55 % solvent (Matthews)", 0.35 < solvent < 0.55, f"# {100 * solvent:.0f} %")
    factors = [atom.b_iso for residue in structure[0][0] for atom in residue]
    sulphur = sum(atom.element.name == "S" for residue in chain for atom in residue)
    check("B factors and sulphurs", 14 <= min(factors) and max(factors) <= 32 and sulphur >= 2,
          f"# {min(factors):.0f} to {max(factors):.0f} Å², {sulphur} S")
    ligand = structure[0].find_cra(gemmi.AtomAddress("A", gemmi.SeqId("201"), "LIG", "P1", "\0")).atom
    check("the ligand, and it is no part of the chain", ligand is not None and all(atom.pos.dist(ligand.pos) > 2.6
          for residue in structure[0][0] if residue.name != "LIG" for atom in residue))
    return 0


sys.exit(main())
