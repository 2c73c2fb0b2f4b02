/* synthetic.h: made-up but plausible data for the gallery, the tests and the bench. Deterministic. */
#pragma once

#include "widgets/image-view.h"
#include "widgets/strip-plot.h"
#include "widgets/weather-plot.h"

/* 2 hosts × half the ranks each, shots of about 80 ms (misses) to 0.5 s (indexed), with a slow host, an
 * idle gap, failed shots; from `start` (ns) for about n / n_rows shots a rank. Free with g_free. */
FlwWeatherEvent *synthetic_weather (guint n, guint n_rows, gint64 start);
/* n events from event `first` on, all of them at most `span` ns later than `start`: uniform in time (for
 * counting and benches). */
FlwWeatherEvent *synthetic_events (guint n, guint n_rows, gint64 start, gint64 span);
/* One run's shots: classes, spots, resolution; hit rate drifts. Arrays of n. */
void synthetic_shots (guint n, guint seed, guint8 *classes, float *spots, float *resolution);
/* A provider of a diffraction image of 4 × 2 panels with rings of solvent and Bragg spots. */
void synthetic_provider (FlwImageView *view, const FlwImageRequest *request, gpointer user_data);
/* Answers a request at once; for direct use. Free with g_free. */
float *synthetic_image (const FlwImageRequest *request);
guint synthetic_panels (const FlwImagePanel **panels);
guint synthetic_spots (const FlwImageSpot **spots);
/* n of two lattices: one at each spot but every fifth, the others anywhere; every fourth is not integrated. */
void synthetic_predictions (guint n, FlwImagePrediction *predictions);
