/* links.h: the logins at far sites as the conductor tells them, and the questions that it wants answered.
 *
 * While the conductor answers on its socket, all comes from there; else, and for who only looks on, states come from the rows of
 * the workers "link:NAME". Questions belong to all control rooms: the first answer counts. What comes from the other end
 * (messages, labels) is text. Signals:
 *   changed (gint64 site): a state, a step of a probe, a question; 0: all of them
 * Thread: main. */
#pragma once

#include "engine/control/control-socket.h"
#include "gui/experiment.h"

/* A step of a probe (engine/control/site-probe.h). */
typedef struct
{
  char *name, *state, *message, *advice;
  double seconds;
  gint64 begun; /* monotonic µs */
} FlgStep;

typedef struct
{
  gint64 site;
  char *state; /* fl_remote_state_name() */
  char *message;
  gint64 round_trip;          /* µs; -1: not measured */
  guint64 retry_at;           /* ns UTC; 0: no */
  FlRemoteQuestion *question; /* NULL: none is open */
  GPtrArray *steps;           /* of FlgStep: of a probe since this program began, in its order */
  gboolean probing;
  gboolean probed, well; /* the last probe is over; and all was well */
} FlgLink;

#define FLG_TYPE_LINKS (flg_links_get_type ())
G_DECLARE_FINAL_TYPE (FlgLinks, flg_links, FLG, LINKS, GObject)

FlgLinks *flg_links_new (FlgExperiment *experiment);
void flg_links_close (FlgLinks *self);
FlgExperiment *flg_links_experiment (FlgLinks *self);

/* The conductor answers on its socket. */
gboolean flg_links_is_connected (FlgLinks *self);
/* Never NULL; valid until the main loop runs again. Of a site unknown so far: "offline". */
const FlgLink *flg_links_get (FlgLinks *self, gint64 site);
/* The sites that are reached by a link, by name: GArray of gint64. */
GArray *flg_links_sites (FlgLinks *self);
/* The link that needs somebody most; NULL: there is no far site. */
const FlgLink *flg_links_worst (FlgLinks *self);
const FlSite *flg_links_site (FlgLinks *self, const FlgLink *link);
/* "retry in 12 s", "up, 41 ms" …: the state as people read it. Free it. */
char *flg_links_words (FlgLinks *self, const FlgLink *link);

void flg_links_connect (FlgLinks *self, gint64 site);
void flg_links_disconnect (FlgLinks *self, gint64 site);
/* `answers` NULL: refused. */
void flg_links_answer (FlgLinks *self, gint64 site, guint id, const char *const *answers);
/* Forgets the steps of the last probe. */
void flg_links_probe (FlgLinks *self, gint64 site, gboolean push);
void flg_links_stop_probe (FlgLinks *self, gint64 site);
