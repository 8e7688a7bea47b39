/* A power cut for one SQLite database, by LD_PRELOAD.
 *
 * SIGKILL leaves the page cache alone, so it proves nothing about fsync. This library remembers, for the database file and its
 * log, what every change since the file's last sync replaced. At the chosen operation it takes back three in four of those changes,
 * as a disk that lost its power would have kept some pages and not others, and kills the process.
 *
 *   POWERLOSS_DB    the database file; the log is the same path with -wal
 *   POWERLOSS_AT    the operation (write, truncation or sync) that meets the cut, from 1; it is not carried out
 *   POWERLOSS_ON    "db": only operations on the database file count, so the cut falls into a checkpoint; otherwise all count
 *   POWERLOSS_SEED  chooses what is taken back
 *   POWERLOSS_LIE   "1": syncs return success and keep nothing, as a disk without durability does
 *
 * Not played: pages torn in the middle, and directory entries that were never synced. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define REAL(name, result, ...) ((result(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name))

enum { DB, WAL, FILES };

/* One change that no sync has covered: the bytes at `offset` and the file's size before it. */
struct change {
    struct change *older;
    off_t offset, size_before;
    size_t length; /* 0: a truncation to `offset` */
    size_t saved;
    unsigned char before[];
};

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static char path[FILES][PATH_MAX];
static struct change *unsynced[FILES];
static long left;
static int only_db, lie;
static unsigned seed;

__attribute__((constructor)) static void start(void) {
    const char *db = getenv("POWERLOSS_DB"), *at = getenv("POWERLOSS_AT"), *on = getenv("POWERLOSS_ON");
    const char *lies = getenv("POWERLOSS_LIE"), *chosen = getenv("POWERLOSS_SEED");
    if (!db || !at || !realpath(db, path[DB]))
        return;
    snprintf(path[WAL], sizeof path[WAL], "%.*s-wal", PATH_MAX - 5, path[DB]);
    left = atol(at);
    only_db = on && !strcmp(on, "db");
    lie = lies && !strcmp(lies, "1");
    seed = chosen ? (unsigned)atol(chosen) : 1;
}

static int file_of(int fd) {
    char link[32], target[PATH_MAX];
    if (!left)
        return -1;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, target, sizeof target - 1);
    if (length < 0)
        return -1;
    target[length] = 0;
    return !strcmp(target, path[DB]) ? DB : !strcmp(target, path[WAL]) ? WAL : -1;
}

static ssize_t (*put)(int, const void *, size_t, off_t);
static int (*cut)(int, off_t);

static off_t size_of(int fd) {
    struct stat status;
    return fstat(fd, &status) ? 0 : status.st_size;
}

static void take_back(int fd, const struct change *it) {
    off_t end = it->offset + (off_t)it->length;
    if (it->length == 0 || (end > it->size_before && end == size_of(fd)))
        (void)!cut(fd, it->size_before);
    else {
        static const char zeros[4096];
        for (off_t hole = it->offset + (off_t)it->saved; hole < end; hole += sizeof zeros) { /* a later change beyond it survived: zeros stay */
            size_t rest = (size_t)(end - hole);
            (void)!put(fd, zeros, rest < sizeof zeros ? rest : sizeof zeros, hole);
        }
    }
    (void)!put(fd, it->before, it->saved, it->offset);
}

/* A child does it once the process is dead: whoever still ran would read, and answer with, a disk that no living process sees.
 * The child holds the sockets, so the clients hear nothing before it has finished. */
static void lose_power(void) {
    int had[FILES] = {0}, lost[FILES] = {0};
    pid_t victim = getpid();
    put = REAL("pwrite64", ssize_t, int, const void *, size_t, off_t); /* looked up here: a child of many threads may not */
    cut = REAL("ftruncate64", int, int, off_t);
    if (fork() != 0)
        for (;;)
            pause();
    kill(victim, SIGKILL);
    while (getppid() == victim)
        usleep(1000);
    for (int file = 0; file < FILES; file++) {
        int fd = open(path[file], O_RDWR);
        for (struct change *it = unsynced[file]; fd >= 0 && it; it = it->older, had[file]++)
            if (rand_r(&seed) % 4 != 0 && ++lost[file])
                take_back(fd, it);
    }
    dprintf(2, "powerloss: unsynced db %d wal %d, taken back db %d wal %d\n", had[DB], had[WAL], lost[DB], lost[WAL]);
    _exit(0);
}

static void count(int file) {
    if ((!only_db || file == DB) && --left == 0)
        lose_power();
}

static void remember(int file, int fd, off_t offset, size_t length, size_t replaced) {
    struct change *it = malloc(sizeof *it + replaced);
    if (!it)
        abort();
    ssize_t saved = replaced ? pread(fd, it->before, replaced, offset) : 0;
    *it = (struct change){unsynced[file], offset, size_of(fd), length, saved < 0 ? 0 : (size_t)saved};
    unsynced[file] = it;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) {
    ssize_t (*real)(int, const void *, size_t, off_t) = REAL("pwrite64", ssize_t, int, const void *, size_t, off_t);
    int file = file_of(fd);
    if (file < 0 || length == 0)
        return real(fd, bytes, length, offset);
    pthread_mutex_lock(&gate);
    count(file);
    remember(file, fd, offset, length, length);
    ssize_t written = real(fd, bytes, length, offset);
    pthread_mutex_unlock(&gate);
    return written;
}

int ftruncate64(int fd, off64_t size) {
    int (*real)(int, off_t) = REAL("ftruncate64", int, int, off_t);
    int file = file_of(fd);
    if (file < 0)
        return real(fd, size);
    pthread_mutex_lock(&gate);
    count(file);
    off_t had = size_of(fd);
    remember(file, fd, size, 0, had > size ? (size_t)(had - size) : 0);
    int result = real(fd, size);
    pthread_mutex_unlock(&gate);
    return result;
}

static int sync_by(const char *name, int fd) {
    int (*real)(int) = REAL(name, int, int);
    int file = file_of(fd);
    if (file < 0)
        return real(fd);
    pthread_mutex_lock(&gate);
    count(file);
    int result = lie ? 0 : real(fd);
    while (!lie && result == 0 && unsynced[file]) {
        struct change *it = unsynced[file];
        unsynced[file] = it->older;
        free(it);
    }
    pthread_mutex_unlock(&gate);
    return result;
}

int fsync(int fd) { return sync_by("fsync", fd); }
int fdatasync(int fd) { return sync_by("fdatasync", fd); }
ssize_t pwrite(int, const void *, size_t, off_t) __attribute__((alias("pwrite64")));
int ftruncate(int, off_t) __attribute__((alias("ftruncate64")));
