/* SPDX-License-Identifier: MIT */
/*
 * libxenstore against a store that answers as it likes. The data says which function is called
 * next, and what comes when it sends its request: answers and events, whole, changed, cut off. A
 * store that has not answered goes away, so that no call waits for ever.
 */
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>
#include "xs/shim/shim.h"

#define MESSAGES 6 /* in answer to one request, at most */

static struct fuzz data;
static int store = -1; /* the store's end of the connection */
static bool gone;

static void leave(void)
{
    shutdown(store, SHUT_WR);
    gone = true;
}

static void give(const void *p, size_t n)
{
    MUST(write(store, p, n) == (ssize_t)n);
}

/* Strings, numbers, what answers look like, or anything. */
static size_t make_body(char body[XENSTORE_PAYLOAD_MAX + 1])
{
    static const char *const texts[] = {"OK", "T",  "F",      "7",     "n0",
                                        "b1", "/a", "ENOENT", "E2BIG", ""};
    size_t n = 0;

    for (uint8_t left = fuzz_byte(&data) % 8; left; left--) {
        uint8_t what = fuzz_byte(&data);
        const char *text = texts[what % (sizeof(texts) / sizeof(texts[0]))];

        if (what < 0xe0) {
            n += (size_t)snprintf(body + n, 16, "%s", text) + (what < 0xd0);
        } else {
            fuzz_take(&data, body + n, what - 0xe0);
            n += what - 0xe0;
        }
    }
    if (fuzz_byte(&data) >= 0xf8) {
        memset(body + n, fuzz_byte(&data), XENSTORE_PAYLOAD_MAX - n);
        n = XENSTORE_PAYLOAD_MAX;
    }
    return n;
}

static void change(struct xsd_sockmsg *m)
{
    uint32_t by = (uint32_t)fuzz_number(&data);

    switch (fuzz_byte(&data) % 3) {
    case 0:
        m->type ^= by;
        break;
    case 1:
        m->req_id ^= by;
        break;
    default:
        m->len ^= by;
    }
}

enum effect { NOTHING, ANSWERED, BROKEN };

/* Sends one message, which may answer the request, or be such that nothing can follow it. */
static enum effect send_message(const struct xsd_sockmsg *request)
{
    uint8_t how = fuzz_byte(&data);
    struct shim_message m = {.header = *request};
    size_t n = make_body(m.body), all = sizeof(m.header) + n;

    m.header.len = (uint32_t)n;
    if (how >= 0x80 && how < 0xa0)
        m.header.type = XS_ERROR;
    if (how >= 0xa0 && how < 0xe0)
        m.header.type = XS_WATCH_EVENT;
    if (how >= 0xf0)
        change(&m.header);
    if (how >= 0xe0 && how < 0xe8)
        all = fuzz_byte(&data) % (all + 1);
    give(&m, all);
    return how < 0xa0 ? ANSWERED : how < 0xe0 ? NOTHING : BROKEN;
}

static void answer(const struct xsd_sockmsg *request)
{
    bool answered = false, broken = false;

    for (int i = 0; !broken && i < MESSAGES && fuzz_left(&data); i++) {
        enum effect effect = send_message(request);

        answered |= effect == ANSWERED;
        broken = effect == BROKEN;
        if (answered && fuzz_byte(&data) < 0xe0)
            break;
    }
    if (!answered || broken)
        leave();
}

ssize_t __wrap_send(int fd, const void *p, size_t n, int flags);
ssize_t __wrap_send(int fd, const void *p, size_t n, int flags)
{
    (void)fd;
    (void)flags;
    MUST(n >= sizeof(struct xsd_sockmsg) && n <= sizeof(struct shim_message));
    if (!gone)
        answer(p);
    return (ssize_t)n;
}

static size_t total(char **strings, unsigned n)
{
    size_t all = 0;

    for (unsigned i = 0; i < n; i++)
        all += strlen(strings[i]) + 1;
    return all;
}

static void check_event(char **e)
{
    if (e)
        MUST(total(e, 2) >= 2);
    else
        MUST(errno == EAGAIN || errno == EINVAL);
    free(e);
}

static void fetch_something(struct xs_handle *h, uint8_t what)
{
    struct xs_permissions *perms;
    unsigned n = 0;
    char **names, *value;

    switch (what) {
    case 0:
        names = xs_directory(h, 0, "/a", &n);
        MUST(!names || total(names, n) >= n);
        free(names);
        break;
    case 1:
        value = xs_read(h, 0, "/a", &n);
        MUST(!value || (n <= XENSTORE_PAYLOAD_MAX && !value[n]));
        free(value);
        break;
    case 2:
        perms = xs_get_permissions(h, 0, "/a", &n);
        for (unsigned i = 0; perms && i < n; i++)
            MUST(perms[i].perms <= (XS_PERM_READ | XS_PERM_WRITE));
        MUST(!perms || n);
        free(perms);
        break;
    case 3:
        value = xs_get_domain_path(h, 1);
        MUST(!value || strlen(value) <= XENSTORE_PAYLOAD_MAX);
        free(value);
        break;
    default:
        xs_transaction_start(h);
    }
}

static void call_something(struct xs_handle *h)
{
    uint8_t what = fuzz_byte(&data) % 16;
    unsigned n;

    switch (what) {
    case 5:
        xs_rm(h, 0, "/a");
        break;
    case 6:
        xs_is_domain_introduced(h, 1);
        break;
    case 7:
        MUST(xs_fileno(h) >= 0);
        break;
    case 8:
    case 9:
        xs_watch(h, "/a", "7");
        break;
    case 10:
        xs_unwatch(h, "/a", "7");
        break;
    case 11:
        if (gone && h->reader_pid)
            check_event(xs_read_watch(h, &n));
        break;
    case 12:
    case 13:
        check_event(xs_check_watch(h));
        break;
    default:
        fetch_something(h, what % 5);
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    setenv("XENSTORED_PATH", "/dev/null", 1);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct xs_handle *h = xs_open(n & 1 ? XS_UNWATCH_FILTER : 0);
    int ends[2];

    MUST(h && !socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    MUST(dup2(ends[0], h->fd) == h->fd);
    close(ends[0]);
    store = ends[1];
    data = (struct fuzz){bytes, bytes + n};
    gone = false;
    while (fuzz_left(&data))
        call_something(h);
    xs_close(h);
    close(store);
    return 0;
}
