/* sftp-files.h: what an FlHost does with files, over an SFTP connection. Errors, units and ownership as in host.h. Thread: any. */
#pragma once

#include "engine/remote/host.h"
#include "engine/remote/sftp.h"

GPtrArray *fl_sftp_list (FlSftp *sftp, const char *folder, GError **error);
FlHostEntry *fl_sftp_stat (FlSftp *sftp, const char *path, GError **error);
/* Two round trips for up to 256 parts. */
gboolean fl_sftp_read_parts (FlSftp *sftp, FlHostPart *parts, guint n, GError **error);
gboolean fl_sftp_make_folder (FlSftp *sftp, const char *path, GError **error);
gboolean fl_sftp_remove (FlSftp *sftp, const char *path, GError **error);

/* Where the bytes of a new file come from: fills `data`, 0 = end, < 0 with an error. */
typedef gssize (*FlSftpSource) (guint8 *data, gsize most, gpointer user_data, GError **error);
/* Writes beside and renames. `progress` gets the bytes that the far machine has acknowledged (`whole` as given). */
gboolean fl_sftp_write (FlSftp *sftp, const char *path, guint32 mode, FlSftpSource source,
                        gpointer source_data, guint64 whole, FlHostProgress progress, gpointer data,
                        GError **error);
