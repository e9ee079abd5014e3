/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "tools/hubline.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define SERIAL_QUEUE 512 /* bytes in the device: 45 ms at 115200 baud */
#define TELL_MS      1000

static const struct {
    unsigned baud;
    speed_t speed;
} speeds[] = {
    {9600, B9600},     {19200, B19200},   {38400, B38400},   {57600, B57600},
    {115200, B115200}, {230400, B230400}, {460800, B460800}, {921600, B921600},
};

static bool fail(char wrong[256], const char *name, const char *why)
{
    snprintf(wrong, 256, "%.*s: %s", 150, name, why);
    return false;
}

static const speed_t *speed_of(unsigned baud)
{
    for (size_t i = 0; i < sizeof(speeds) / sizeof(speeds[0]); i++)
        if (speeds[i].baud == baud)
            return &speeds[i].speed;
    return NULL;
}

/* Cuts the rate off text. */
static bool parse_baud(struct hubline *l, char *text)
{
    char *comma = strrchr(text, ','), *end;
    unsigned long n;

    l->baud = 115200;
    if (!comma)
        return true;
    *comma = 0;
    n = strtoul(comma + 1, &end, 10);
    if (end == comma + 1 || *end || n > UINT_MAX || !speed_of((unsigned)n))
        return false;
    l->baud = (unsigned)n;
    return true;
}

bool hubline_parse(struct hubline *l, const char *host, char wrong[256])
{
    char given[PATH_MAX], path[PATH_MAX];
    size_t scheme;

    *l = (struct hubline){.fd = -1, .lock = -1};
    l->serial = !strncmp(host, "serial:", 7);
    if (!l->serial && strncmp(host, "unix:", 5))
        return fail(wrong, host, "a host is unix:PATH or serial:DEVICE[,BAUD]");
    scheme = l->serial ? 7 : 5;
    if (strlen(host + scheme) >= sizeof(given))
        return fail(wrong, host, strerror(ENAMETOOLONG));
    memcpy(given, host + scheme, strlen(host + scheme) + 1);
    if (l->serial && !parse_baud(l, given))
        return fail(wrong, host,
                    "a rate is 9600, 19200, 38400, 57600, 115200, 230400, 460800 or 921600");
    if (!realpath(given, path))
        return fail(wrong, host, strerror(errno));
    snprintf(l->name, sizeof(l->name), "%.*s%s", (int)scheme, host, path);
    l->path = l->name + scheme;
    return true;
}

/* A name that exists as long as the process that holds it, and that every user sees. */
static socklen_t lock_name(const struct hubline *l, const struct stat *st, struct sockaddr_un *a)
{
    int n;

    *a = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (l->serial)
        n = snprintf(a->sun_path + 1, sizeof(a->sun_path) - 1, "bulkhead tty %lx",
                     (unsigned long)st->st_rdev);
    else
        n = snprintf(a->sun_path + 1, sizeof(a->sun_path) - 1, "bulkhead socket %lx:%lx",
                     (unsigned long)st->st_dev, (unsigned long)st->st_ino);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
}

static void describe(const struct ucred *who, int64_t since, char text[200])
{
    const struct passwd *p = getpwuid(who->uid);
    char when[40] = "";
    struct tm tm;

    if (since && localtime_r(&since, &tm))
        strftime(when, sizeof(when), " since %F %T", &tm);
    if (p)
        snprintf(text, 200, "user %.32s (process %d) is connected%s", p->pw_name, (int)who->pid,
                 when);
    else
        snprintf(text, 200, "user %u (process %d) is connected%s", who->uid, (int)who->pid, when);
}

/* Who has the name, by the kernel's word; since when, by his own. */
static bool locked(const struct hubline *l, const struct sockaddr_un *a, socklen_t n,
                   char wrong[256])
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct pollfd in = {fd, POLLIN, 0};
    struct ucred who;
    socklen_t size = sizeof(who);
    char text[200] = "another process is connected";
    int64_t since = 0;

    if (fd >= 0 && !connect(fd, (const struct sockaddr *)a, n) &&
        !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size)) {
        if (poll(&in, 1, TELL_MS) != 1 || read(fd, &since, sizeof(since)) != sizeof(since))
            since = 0;
        describe(&who, since, text);
    }
    if (fd >= 0)
        close(fd);
    return fail(wrong, l->name, text);
}

static bool take_lock(struct hubline *l, const struct stat *st, char wrong[256])
{
    struct sockaddr_un a;
    socklen_t n = lock_name(l, st, &a);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return fail(wrong, l->name, strerror(errno));
    if (bind(fd, (const struct sockaddr *)&a, n) || listen(fd, 8)) {
        int error = errno;

        close(fd);
        if (error == EADDRINUSE)
            return locked(l, &a, n, wrong);
        return fail(wrong, l->name, strerror(error));
    }
    l->lock = fd;
    return true;
}

void hubline_tell(const struct hubline *l, int64_t since)
{
    int fd = accept4(l->lock, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0)
        return;
    if (send(fd, &since, sizeof(since), MSG_NOSIGNAL) < 0)
        errno = 0; /* who asked has gone */
    close(fd);
}

/* By way of its folder, for a path that is longer than an address. */
static int connect_socket(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    char folder[PATH_MAX];
    char *name;
    int dir, fd = -1, n;

    snprintf(folder, sizeof(folder), "%s", path);
    name = strrchr(folder, '/');
    *name++ = 0;
    dir = open(*folder ? folder : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return -1;
    n = snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/%s", dir, name);
    if (n >= (int)sizeof(a.sun_path))
        errno = ENAMETOOLONG;
    else
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&a, sizeof(a))) {
        n = errno;
        close(fd);
        errno = n;
        fd = -1;
    }
    n = errno;
    close(dir);
    errno = n;
    return fd;
}

/* Raw, and nobody else's: programs for serial lines look at this lock. */
static bool set_up_serial(int fd, unsigned baud)
{
    struct termios t;

    if (flock(fd, LOCK_EX | LOCK_NB)) {
        errno = EBUSY;
        return false;
    }
    if (tcgetattr(fd, &t))
        return false;
    cfmakeraw(&t);
    t.c_cflag |= CLOCAL | CREAD;
    t.c_cflag &= ~(tcflag_t)(HUPCL | CSTOPB | CRTSCTS);
    t.c_cc[VMIN] = 1;
    t.c_cc[VTIME] = 0;
    return !cfsetspeed(&t, *speed_of(baud)) && !tcsetattr(fd, TCSANOW, &t) &&
           !tcflush(fd, TCIFLUSH);
}

static int open_serial(const char *path, unsigned baud)
{
    int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC), error;

    if (fd < 0 || set_up_serial(fd, baud))
        return fd;
    error = errno;
    close(fd);
    errno = error;
    return -1;
}

bool hubline_open(struct hubline *l, char wrong[256])
{
    struct stat st;

    if (stat(l->path, &st))
        return fail(wrong, l->name, strerror(errno));
    if (l->serial ? !S_ISCHR(st.st_mode) : !S_ISSOCK(st.st_mode))
        return fail(wrong, l->name, l->serial ? "this is no device" : "this is no socket");
    if (!take_lock(l, &st, wrong))
        return false;
    l->fd = l->serial ? open_serial(l->path, l->baud) : connect_socket(l->path);
    if (l->fd >= 0)
        return true;
    fail(wrong, l->name, errno == ECONNREFUSED ? "no host listens there" : strerror(errno));
    hubline_close(l);
    return false;
}

void hubline_close(struct hubline *l)
{
    if (l->fd >= 0)
        close(l->fd);
    if (l->lock >= 0)
        close(l->lock);
    l->fd = l->lock = -1;
}

size_t hubline_queued(const struct hubline *l)
{
    int n;

    return l->fd < 0 || ioctl(l->fd, TIOCOUTQ, &n) ? 0 : (size_t)n;
}

size_t hubline_room(const struct hubline *l)
{
    size_t queued;

    if (!l->serial)
        return SIZE_MAX;
    queued = hubline_queued(l);
    return queued < SERIAL_QUEUE ? SERIAL_QUEUE - queued : 0;
}
