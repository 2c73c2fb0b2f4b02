/* stream.h: CrystFEL's streams: written as version 2.3 does, read from 2.1 on.
 *
 * A stream counts fs and ss in the data array (a panel's corner is at min_fs, min_ss), q in 1/nm, and keeps two decimals
 * of intensities. Its laboratory frame is ours. What it cannot say: which reflections are saturated, partialities,
 * variances of spots; these read as 0, partialities as 1. Reflections that were not integrated are not written.
 * Damage is stepped over: a chunk without an end, a file name or a photon energy is left out, and so are rows that are
 * not numbers; fl_stream_reader_damaged() counts them. Thread: one. */
#pragma once

#include "engine/results/pattern.h"

/* The panels that a geometry names, in its order, those with no_index left out: names, corners and sizes only. */
GArray *fl_stream_panels (const char *geometry);

typedef struct FlStreamWriter FlStreamWriter;

/* `geometry`: the geometry file's text; `panels` (FlPanelPlace) is kept. The file appears when it is closed. */
FlStreamWriter *fl_stream_writer_open (const char *path, const char *geometry, GArray *panels,
                                       GError **error);
void fl_stream_writer_add (FlStreamWriter *writer, const FlPattern *pattern);
/* Frees it; FALSE when something could not be written, or `keep` is FALSE. */
gboolean fl_stream_writer_close (FlStreamWriter *writer, gboolean keep, GError **error);

typedef struct FlStreamReader FlStreamReader;

FlStreamReader *fl_stream_reader_open (const char *path, GError **error);
void fl_stream_reader_free (FlStreamReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlStreamReader, fl_stream_reader_free)
const char *fl_stream_reader_geometry (const FlStreamReader *reader); /* "" when it has none */
/* FlPanelPlace; panels that no geometry names are added as chunks name them. */
const GArray *fl_stream_reader_panels (const FlStreamReader *reader);
guint fl_stream_reader_damaged (const FlStreamReader *reader);
/* Fills `pattern`; FALSE at the end. */
gboolean fl_stream_reader_next (FlStreamReader *reader, FlPattern *pattern);
