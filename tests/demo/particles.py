"""./dev demo --spi comes to the particle that was in its beam, without a click: runs, hits, and a density of every version of the
dataset.  particles.py DEV BUILD-FOLDER SPI-SCORE"""
import os, shutil, subprocess, sys, tempfile

import particle

dev, built, spi_score = sys.argv[1:]


def main():
    if shutil.which("mpirun") is None:
        print("1..0 # SKIP no mpirun")
        return 0
    print("1..3")
    top = tempfile.mkdtemp(prefix="firstlight-particles-")
    folder = os.path.join(top, "demo")
    try:
        made = subprocess.run([dev, "demo", "--spi", "--built", built, "--dir", folder, "--fast"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600)
        print("#", made.stdout.replace("\n", "\n# "))
        print("ok" if made.returncode == 0 else "not ok", "1 - the beamtime was played")
        found = particle.versions(folder)
        print("ok" if len(found) >= 2 and found[0][1] < found[-1][1] > 1200 else "not ok",
              "2 - versions follow runs, to all of the single particles", [row[:2] for row in found])
        reached, mean = particle.score(spi_score, folder, found[-1][2])
        print("ok" if reached < particle.RESOLUTION * particle.PITCH and mean > 0.8 else "not ok",
              f"3 - the density is the particle's: FSC 0.5 at {reached:.1f} Å, {mean:.2f} in the mean")
    finally:
        shutil.rmtree(top, ignore_errors=True)
    return 0


sys.exit(main())
