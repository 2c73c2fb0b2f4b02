/* follow.h: an experiment on another machine, looked at with SSH alone: a copy of its store here, kept up by `firstlight-control
 * follow` (engine/store/mirror.h) for as long as this lives, and what there is to say about it. Signal "changed" (). Thread: main. */
#pragma once

#include <gio/gio.h>

/* Where an experiment is: "ssh://[user@]host[:port]/path/to/experiment". */
typedef struct
{
  char *user, *host; /* user "": as SSH thinks */
  int port;          /* 0: as SSH thinks */
  char *path;        /* absolute there */
} FlgFarPlace;

/* FALSE with one line when it is none. */
gboolean flg_far_place_parse (const char *url, FlgFarPlace *place, GError **error);
void flg_far_place_clear (FlgFarPlace *place);
/* What speaks `serve` at that place: ssh … host firstlight-control serve. Free it. */
GStrv flg_far_place_command (const FlgFarPlace *place);
/* The folder of its copy, under the user's cache: the same for the same place. Free it. */
char *flg_far_place_folder (const FlgFarPlace *place);

typedef enum
{
  FLG_FOLLOW_BEGINNING, /* nothing has come yet */
  FLG_FOLLOW_CATCHING_UP,
  FLG_FOLLOW_UP,
  FLG_FOLLOW_LOST,
  FLG_FOLLOW_ENDED /* it cannot be: the message says why */
} FlgFollowState;

#define FLG_TYPE_FOLLOW (flg_follow_get_type ())
G_DECLARE_FINAL_TYPE (FlgFollow, flg_follow, FLG, FOLLOW, GObject)

/* `store`: its folder there; `command`: as above, or as a copy says (fl_mirror_read_origin()). */
FlgFollow *flg_follow_new (const char *folder, const char *store, const char *const *command);
/* Ends the program. */
void flg_follow_stop (FlgFollow *self);
FlgFollowState flg_follow_state (FlgFollow *self);
/* Something of the experiment is there: it can be opened. */
gboolean flg_follow_has_come (FlgFollow *self);
/* How old what is here is, s: since the far end said last that there is nothing newer; -1: it never has. */
double flg_follow_age (FlgFollow *self);
/* "Following host:/data; read-only": one line for people; and "3 s behind". Free them. */
char *flg_follow_words (FlgFollow *self);
char *flg_follow_short_words (FlgFollow *self);
