/* sftp-packet.h: packets of the SSH file transfer protocol, version 3 (draft-ietf-secsh-filexfer-02): made and taken apart.
 * Nothing that a server sends is believed: every length is checked against what is there. */
#pragma once

#include <gio/gio.h>

#define FL_SFTP_MOST_PACKET (256u << 10) /* of a reply, its length word not counted */
#define FL_SFTP_CHUNK       32768u       /* bytes of one read or write: what every server must take */

enum
{
  FL_SFTP_INIT = 1,
  FL_SFTP_VERSION = 2,
  FL_SFTP_OPEN = 3,
  FL_SFTP_CLOSE = 4,
  FL_SFTP_READ = 5,
  FL_SFTP_WRITE = 6,
  FL_SFTP_FSETSTAT = 10,
  FL_SFTP_OPENDIR = 11,
  FL_SFTP_READDIR = 12,
  FL_SFTP_REMOVE = 13,
  FL_SFTP_MKDIR = 14,
  FL_SFTP_STAT = 17,
  FL_SFTP_RENAME = 18,
  FL_SFTP_STATUS = 101,
  FL_SFTP_HANDLE = 102,
  FL_SFTP_DATA = 103,
  FL_SFTP_NAME = 104,
  FL_SFTP_ATTRS = 105,
  FL_SFTP_EXTENDED = 200
};

enum /* codes of FL_SFTP_STATUS */
{
  FL_SFTP_OK = 0,
  FL_SFTP_EOF = 1,
  FL_SFTP_NO_SUCH_FILE = 2,
  FL_SFTP_PERMISSION_DENIED = 3,
  FL_SFTP_FAILURE = 4,
  FL_SFTP_OP_UNSUPPORTED = 8
};

/* A request: its length and id are filled in when it is sent. */
GByteArray *fl_sftp_packet_new (guint8 type);
void fl_sftp_put_u32 (GByteArray *packet, guint32 value);
void fl_sftp_put_u64 (GByteArray *packet, guint64 value);
void fl_sftp_put_string (GByteArray *packet, gconstpointer bytes, gsize length);
void fl_sftp_put_text (GByteArray *packet, const char *text);

/* A place in a reply. A take beyond its end gives 0 or NULL and sets `bad`, for good. */
typedef struct
{
  const guint8 *p, *end;
  gboolean bad;
} FlSftpCursor;

guint32 fl_sftp_take_u32 (FlSftpCursor *cursor);
guint64 fl_sftp_take_u64 (FlSftpCursor *cursor);
const guint8 *fl_sftp_take_string (FlSftpCursor *cursor, gsize *length);

typedef struct
{
  guint64 size, modified; /* bytes; ns UTC */
  guint32 mode;           /* 0 = not said */
} FlSftpAttributes;

void fl_sftp_take_attributes (FlSftpCursor *cursor, FlSftpAttributes *attributes);

/* A file's name in a folder: not empty, no '/', no NUL. NULL for others, "." and "..": they are left out. Free it. */
char *fl_sftp_take_name (FlSftpCursor *cursor, FlSftpAttributes *attributes);
