/* truth.h: what the simulator knows about its shots, as a table beside each file.
 *
 * Tab-separated: event (frame in the file, from 0), kind (blank, hit, double), bragg_photons, bg_scale,
 * qw qx qy qz (crystal frame → laboratory), asx … csz (a*, b*, c* in nm⁻¹, CrystFEL's laboratory frame), energy_eV,
 * x_um y_um z_um (the crystal's place), photons_per_um2, cells (unit cells that scatter). A double hit has two rows
 * with one event number; a blank's columns from qw on are empty but for energy_eV. */
#pragma once

#include <stdio.h>

#include "engine/simulate/sfx.h"

void fl_truth_write_header (FILE *file);
void fl_truth_write_shot (FILE *file, guint event, const FlSfxShot *shot);
