/* SPDX-License-Identifier: MIT */
#include "xs/shim/shim.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GENERATION 32 /* of a node: more than a number of 64 bits takes */

/* Names, each with its NUL. */
struct list {
    char *text;
    size_t size;
};

static size_t count_strings(const char *text, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < size; i++)
        n += !text[i];
    return n;
}

/* The answer is to be whole strings, at least some: false with errno set, and freed, if not. */
static bool check_strings(char *text, size_t len, size_t least)
{
    if (!text)
        return false;
    if (count_strings(text, len) >= least && (!len || !text[len - 1]))
        return true;
    free(text);
    errno = EINVAL;
    return false;
}

/* One block, as the user frees it: the pointers, then the strings. */
static char **make_array(const struct list *l, unsigned *num)
{
    size_t n = count_strings(l->text, l->size), pointers = n * sizeof(char *);
    char **array = malloc(pointers + l->size + 1);
    char *text;

    if (!array)
        return NULL;
    text = (char *)array + pointers;
    if (l->size)
        memcpy(text, l->text, l->size);
    for (size_t i = 0; i < n; i++, text += strlen(text) + 1)
        array[i] = text;
    *num = (unsigned)n;
    return array;
}

static bool append(struct list *l, const char *text, size_t size)
{
    char *bigger = realloc(l->text, l->size + size + 1);

    if (!bigger)
        return false;
    memcpy(bigger + l->size, text, size);
    l->text = bigger;
    l->size += size;
    return true;
}

struct part {
    const char *generation, *names;
    size_t size;
    bool last;
};

/* A part is the node's generation, then whole names; an empty one ends the list. */
static bool parse_part(struct part *p, const char *body, size_t len)
{
    size_t before = strlen(body) + 1;

    if (before > GENERATION || before >= len || body[len - 1]) {
        errno = EINVAL;
        return false;
    }
    p->generation = body;
    p->names = body + before;
    p->size = len - before;
    p->last = p->size == 1 || !p->names[p->size - 2];
    p->size -= p->last;
    return true;
}

/* A node that has changed since the part before is read again from the start. */
static bool add_part(struct list *l, char generation[GENERATION], struct part *p)
{
    if (l->size && strcmp(generation, p->generation) != 0) {
        l->size = 0;
        p->last = false;
        return true;
    }
    snprintf(generation, GENERATION, "%s", p->generation);
    return append(l, p->names, p->size);
}

static bool fetch_part(struct xs_handle *h, xs_transaction_t t, const char *path, struct list *l,
                       char generation[GENERATION], bool *last)
{
    char offset[24], *body;
    struct part p = {};
    bool fine;
    size_t len;

    snprintf(offset, sizeof(offset), "%zu", l->size);
    body = shim_fetch(h, XS_DIRECTORY_PART, t, SHIM_PARTS(SHIM_STRING(path), SHIM_STRING(offset)),
                      &len);
    fine = body && parse_part(&p, body, len) && add_part(l, generation, &p);
    free(body);
    *last = p.last;
    return fine;
}

static char **directory_in_parts(struct xs_handle *h, xs_transaction_t t, const char *path,
                                 unsigned *num)
{
    struct list l = {NULL, 0};
    char generation[GENERATION], **array = NULL;
    bool fine, last;

    do
        fine = fetch_part(h, t, path, &l, generation, &last);
    while (fine && !last);
    if (fine)
        array = make_array(&l, num);
    free(l.text);
    return array;
}

char **xs_directory(struct xs_handle *h, xs_transaction_t t, const char *path, unsigned *num)
{
    struct list l = {NULL, 0};
    char **array;

    l.text = shim_fetch(h, XS_DIRECTORY, t, SHIM_PARTS(SHIM_STRING(path)), &l.size);
    if (!l.text && errno == E2BIG)
        return directory_in_parts(h, t, path, num);
    if (!check_strings(l.text, l.size, 0))
        return NULL;
    array = make_array(&l, num);
    free(l.text);
    return array;
}

void *xs_read(struct xs_handle *h, xs_transaction_t t, const char *path, unsigned *len)
{
    size_t size;
    char *value = shim_fetch(h, XS_READ, t, SHIM_PARTS(SHIM_STRING(path)), &size);

    if (value && len)
        *len = (unsigned)size;
    return value;
}

bool xs_write(struct xs_handle *h, xs_transaction_t t, const char *path, const void *data,
              unsigned len)
{
    return shim_ask(h, XS_WRITE, t, SHIM_PARTS(SHIM_STRING(path), {data, len}));
}

bool xs_mkdir(struct xs_handle *h, xs_transaction_t t, const char *path)
{
    return shim_ask(h, XS_MKDIR, t, SHIM_PARTS(SHIM_STRING(path)));
}

bool xs_rm(struct xs_handle *h, xs_transaction_t t, const char *path)
{
    return shim_ask(h, XS_RM, t, SHIM_PARTS(SHIM_STRING(path)));
}

struct xs_permissions *xs_get_permissions(struct xs_handle *h, xs_transaction_t t, const char *path,
                                          unsigned *num)
{
    struct xs_permissions *perms;
    size_t len, n;
    char *text = shim_fetch(h, XS_GET_PERMS, t, SHIM_PARTS(SHIM_STRING(path)), &len);

    if (!check_strings(text, len, 1))
        return NULL;
    n = count_strings(text, len);
    perms = calloc(n, sizeof(*perms));
    if (perms && !xs_strings_to_perms(perms, (unsigned)n, text)) {
        free(perms);
        perms = NULL;
    }
    if (perms)
        *num = (unsigned)n;
    free(text);
    return perms;
}

/* Appends "b7" and the like to what is in text. */
static bool print_permission(const struct xs_permissions *p, char text[XENSTORE_PAYLOAD_MAX],
                             size_t *len)
{
    unsigned perms = p->perms & ~(unsigned)XS_PERM_IGNORE;
    size_t left = XENSTORE_PAYLOAD_MAX - *len;
    int n;

    if (perms > (XS_PERM_READ | XS_PERM_WRITE)) {
        errno = EINVAL;
        return false;
    }
    n = snprintf(text + *len, left, "%c%u", shim_permissions[perms], p->id);
    if ((size_t)n >= left) {
        errno = E2BIG;
        return false;
    }
    *len += (size_t)n + 1;
    return true;
}

bool xs_set_permissions(struct xs_handle *h, xs_transaction_t t, const char *path,
                        struct xs_permissions *perms, unsigned num_perms)
{
    char text[XENSTORE_PAYLOAD_MAX];
    size_t len = 0;

    for (unsigned i = 0; i < num_perms; i++)
        if (!print_permission(&perms[i], text, &len))
            return false;
    return shim_ask(h, XS_SET_PERMS, t, SHIM_PARTS(SHIM_STRING(path), {text, len}));
}
