/* database.h: where an experiment's records are kept.
 *
 * An experiment is a folder: jobs' folders, journals and results lie in it. Its records are in FOLDER/firstlight.sqlite, or,
 * where several people share it, in a MySQL or MariaDB database that FOLDER/database.ini names:
 *
 *     [database]
 *     url=mysql://ana@db.facility.example:3306/lysozyme_2026
 *     tls=verify            verify (default but on loopback and sockets): encrypted, the server's certificate checked;
 *                           required: encrypted; off
 *     ca=/etc/ssl/db.pem    "": the system's
 *     socket=/run/db.sock   instead of the network
 *     option_file=…         client's option file with user and password, group [firstlight]; "": the client's own (~/.my.cnf)
 *     home=/data/lysozyme   where the experiment's folder is at the facility, when this one is only somebody's window on it
 *     command=ssh;db;…      as in follow.ini (mirror.h): who shows images and logs, when `home` is not on this machine
 *
 * Where both files are, database.ini holds (a move leaves the other one behind only when it was killed). A password is never
 * in it: it comes from the option file or the desktop's keyring (keyring.h). Thread: any. */
#pragma once

#include <glib.h>

#define FL_STORE_FILE    "firstlight.sqlite"
#define FL_DATABASE_FILE "database.ini"

typedef enum
{
  FL_DRIVER_SQLITE,
  FL_DRIVER_MYSQL
} FlDriverKind;

typedef enum
{
  FL_TLS_VERIFY,
  FL_TLS_REQUIRED,
  FL_TLS_OFF
} FlTls;

typedef struct
{
  FlDriverKind driver;
  char *shown;  /* for messages: the file's path, or "mysql://user@host:port/name" */
  char *folder; /* the experiment's, absolute; `home` where that is said */
  char *path;   /* SQLite: the file, absolute */
  /* MySQL; "" and 0: the client's default */
  char *user, *host, *name, *socket, *ca, *option_file;
  int port;
  FlTls tls;
  char **command; /* who shows images and logs; NULL: nobody */
} FlDatabase;

FlDatabase *fl_database_copy (const FlDatabase *database);
void fl_database_free (FlDatabase *database);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlDatabase, fl_database_free)

/* `where`: the experiment's folder, its SQLite file, or a database's URL (its folder is then the current one). Links are
 * resolved as far as the path exists. `make`: neither need exist yet; the folder is made. FL_ERROR_MISSING when there is
 * no experiment, FL_ERROR_INPUT for a damaged database.ini or URL. */
FlDatabase *fl_database_find (const char *where, gboolean make, GError **error);
/* "mysql://[user@]host[:port]/name[?socket=…&tls=…&ca=…&option_file=…]"; the folder is `folder`. */
FlDatabase *fl_database_parse (const char *url, const char *folder, GError **error);
/* The URL that fl_database_parse() takes for it. Free it. */
char *fl_database_url (const FlDatabase *database);
/* Writes FOLDER/database.ini, whole or not at all. `home` and `command` as above; NULL: none. */
gboolean fl_database_write (const FlDatabase *database, const char *folder, const char *home,
                            const char *const *command, GError **error);
