/*
 * Files and folders that exist whole or not at all.
 *
 * The crash rule: bytes are written under a temporary name in the same folder, fsynced, renamed
 * into place, and the parent folder is fsynced. A reader sees the old state or the new one. A
 * leftover temporary name (ends in ".tmp.<pid>") is never read and is removed by the next writer of
 * that name, if its process is gone.
 */
#ifndef TUNDISH_BASE_FILE_H
#define TUNDISH_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"

/* From here on this process leaves two cares to its caller: nothing is fsynced, and leftovers are
 * not looked for. For one that makes the work of many short processes durable at once (syncfs)
 * before anybody believes it. Renames stay: what is killed is never seen half-written. */
void file_defer_care(bool defer);

/* Removes the temporary names of path whose process is gone, and this process's own. */
MUST_USE enum status file_remove_leftovers(const char *path);
/* Is the name (without a folder) a temporary one of a process that is gone? */
bool file_is_leftover(const char *name);
/* Removes what processes that are gone left in the folder under temporary names. */
MUST_USE enum status file_clear_leftovers(const char *folder);

bool file_exists(const char *path);
bool file_is_folder(const char *path);
MUST_USE enum status file_size(const char *path, uint64_t *out);
/* Reads at most limit bytes into out (cleared first); a larger file is ST_LIMIT. */
MUST_USE enum status file_read(const char *path, uint64_t limit, struct buf *out);
/* Writes all n bytes; path is for the message. */
MUST_USE enum status file_put(int fd, const char *path, const void *p, size_t n);
/* Writes a file that nobody reads yet: in a folder that is not in its place, or beside something that
 * is not there. */
MUST_USE enum status file_write_new(const char *path, const void *p, size_t n);
MUST_USE enum status file_write_atomic(const char *path, const void *p, size_t n);
/* Copies a file's bytes (at most 4 GiB) to a new name, atomically. */
MUST_USE enum status file_copy(const char *from, const char *to);
/* A second name of a file: a hard link, or, where the file system makes none, a copy of any size (*copied;
 * not synced; ST_INTERRUPTED at a Ctrl-C). `to` must not exist. */
MUST_USE enum status file_link_or_copy(const char *from, const char *to, bool *copied);
MUST_USE enum status file_make_folders(const char *path);  /* mkdir -p */
MUST_USE enum status file_remove_tree(const char *path);   /* absent is fine; never follows links */
MUST_USE enum status file_rename(const char *from, const char *to);   /* and fsyncs to's parent */
MUST_USE enum status file_sync_folder(const char *path);   /* fsync of the folder entry itself */
/* fsyncs every file and folder below path. */
MUST_USE enum status file_sync_tree(const char *path);

/* A read-only map of a whole file; an empty file gives p = "" and n = 0. */
struct file_map {
    const char *p;
    size_t n;
};
MUST_USE enum status file_map_open(struct file_map *m, const char *path);
void file_map_close(struct file_map *m);

/* All regular files below path (path itself if it is a file), relative names sorted by bytes; links
 * are not followed, but path itself may be one. out[i] is relative to path (""
 * if path is a file). */
struct file_list {
    const char **names;
    size_t count;
};
MUST_USE enum status file_list_tree(struct arena *a, const char *path, struct file_list *out);
/* Meets the same files in any order, each with what the walk's one look at it told; a failure of
 * visit ends the walk. */
typedef enum status file_visit_fn(void *ctx, const char *name, const struct stat *info);
MUST_USE enum status file_visit_tree(const char *path, file_visit_fn *visit, void *ctx);
/* ST_FORMAT, with its name, if something below the folder is neither a file nor a folder. */
MUST_USE enum status file_check_plain(const char *folder);

/* A folder that is being written: work in folder_tmp, then folder_commit() syncs it and renames it
 * to its final name (an existing folder of that name is replaced in one step, then removed), or
 * folder_abort() removes it. folder_begin() makes the parent folders, removes leftovers, and
 * refuses (ST_CONFIG) a final name that is a file, a link, "." or "/". One writer a name at a time:
 * take a lock. On a file system that cannot exchange two names (NFS) the replacing takes two
 * renames, between which a reader finds no folder. folder_tmp lives in the arena. */
MUST_USE enum status folder_begin(struct arena *a, const char *final_path, const char **folder_tmp);
MUST_USE enum status folder_commit(const char *folder_tmp, const char *final_path);
void folder_abort(const char *folder_tmp);

/* An exclusive lock on a path (created if absent), dropped by the kernel when the process ends.
 * ST_HELD, naming the holder's process, host and since when, if known, if another one has it. */
struct file_lock { int fd; };
MUST_USE enum status file_lock_take(struct file_lock *l, const char *path);
/* A lock that any number of processes may share, on a file that exists and is only read: while one
 * of them has it, nobody gets the exclusive one, so whoever wants to remove the file can ask the
 * kernel whether it is in use. ST_HELD: it is being removed. */
MUST_USE enum status file_lock_share(struct file_lock *l, const char *path);
/* The exclusive lock on such a file, whose bytes stay. ST_HELD: another process has either. */
MUST_USE enum status file_lock_hold(struct file_lock *l, const char *path);
void file_lock_drop(struct file_lock *l); /* fd -1: nothing happens */
/* Does some process have the lock (of file_lock_take)? A look only; false if there is no such
 * file. */
bool file_lock_is_held(const char *path);

/* "dir/name" in the arena. */
char *path_join(struct arena *a, const char *dir, const char *name);
const char *path_base(const char *path);        /* the part behind the last '/' */

#endif
