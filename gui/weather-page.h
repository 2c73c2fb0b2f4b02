/* weather-page.h: the computational weather: what every rank did, when, live; in flight, stalled and never finished.
 * Actions: weather.show-job (x: a job; 0 = the newest; −trial: all of a trial), weather.colour-by (s: "outcome", "stage"),
 * weather.toggle-colour. Thread: main. */
#pragma once

#include "gui/page.h"

#define FLG_TYPE_WEATHER_PAGE (flg_weather_page_get_type ())
G_DECLARE_FINAL_TYPE (FlgWeatherPage, flg_weather_page, FLG, WEATHER_PAGE, FlgPage)

/* As weather.show-job. */
void flg_weather_page_show (FlgWeatherPage *self, gint64 job);
guint64 flg_weather_page_n_events (FlgWeatherPage *self);
char *flg_weather_page_summary (FlgWeatherPage *self); /* g_free */
/* The line above the plot: ranks, shots, rate. */
const char *flg_weather_page_facts (FlgWeatherPage *self);
