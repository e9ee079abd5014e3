/* SPDX-License-Identifier: MIT */
/* The helpers that need no connection. */
#include "xs/shim/shim.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char shim_permissions[5] = "nrwb";

const char *xs_daemon_rundir(void)
{
    const char *dir = getenv("XENSTORED_RUNDIR");

    return dir ? dir : "/var/run/xenstored";
}

const char *shim_socket(char path[PATH_MAX])
{
    const char *given = getenv("XENSTORED_PATH");

    if (given)
        return given;
    if (snprintf(path, PATH_MAX, "%s/socket", xs_daemon_rundir()) < PATH_MAX)
        return path;
    errno = ENAMETOOLONG;
    return NULL;
}

const char *xs_daemon_socket(void)
{
    static char path[PATH_MAX];

    return shim_socket(path);
}

const char *xs_daemon_socket_ro(void)
{
    return xs_daemon_socket();
}

bool xs_write_all(int fd, const void *data, unsigned int len)
{
    const char *from = data;

    while (len) {
        ssize_t n = write(fd, from, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        from += n;
        len -= (unsigned)n;
    }
    return true;
}

bool xs_path_is_subpath(const char *parent, const char *child)
{
    size_t n = strlen(parent);

    return !strncmp(parent, child, n) && (!child[n] || child[n] == '/');
}

static bool parse_permission(struct xs_permissions *p, const char *s)
{
    const char *letter = *s ? strchr(shim_permissions, *s) : NULL;
    char *end;

    if (!letter)
        return false;
    p->perms = (unsigned)(letter - shim_permissions);
    p->id = (unsigned)strtol(s + 1, &end, 0);
    return s[1] && !*end;
}

bool xs_strings_to_perms(struct xs_permissions *perms, unsigned int num, const char *strings)
{
    for (unsigned i = 0; i < num; i++, strings += strlen(strings) + 1) {
        if (!parse_permission(&perms[i], strings)) {
            errno = EINVAL;
            return false;
        }
    }
    return true;
}
