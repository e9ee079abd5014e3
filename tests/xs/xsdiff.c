// SPDX-License-Identifier: MIT
/* xsdiff SHIM XENSTORED OURS SEED REQUESTS: the same random history to Debian's xenstored and to
 * ours, one request at a time; all that any client receives must be the same. A history after which
 * it is not is made as short as it can be. When OURS begins with "-" it is a second xenstored, with
 * that as an option. */
#include "tests/xs/known.h"
#include "tests/xs/side.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_TRIES   400 /* of a shorter history */
#define MAX_SECONDS 180

static struct side theirs = {.name = "xenstored"}, ours = {.name = "ours"};

static void answers_free(struct answers *answers)
{
    for (unsigned i = 0; i < CLIENTS; i++)
        free(answers->by_client[i].data);
    *answers = (struct answers){0};
}

static void answers_print(const char *name, const struct answers *answers)
{
    printf("%s answers:\n", name);
    for (unsigned i = 0; i < CLIENTS; i++) {
        const struct bytes *bytes = &answers->by_client[i];
        struct xsd_sockmsg header;
        for (size_t at = 0; at < bytes->len; at += sizeof(header) + header.len) {
            memcpy(&header, bytes->data + at, sizeof(header));
            printf("    client %u: %s ", i, op_type_name(header.type));
            op_print_bytes(stdout, bytes->data + at + sizeof(header), header.len);
            if (header.type != XS_WATCH_EVENT && (!header.req_id || !header.tx_id))
                printf(" with ids that were not asked for");
            putchar('\n');
        }
    }
}

static bool same(const struct answers *a, const struct answers *b)
{
    for (unsigned i = 0; i < CLIENTS; i++) {
        const struct bytes *x = &a->by_client[i], *y = &b->by_client[i];
        if (x->len != y->len || (x->len && memcmp(x->data, y->data, x->len) != 0))
            return false;
    }
    return true;
}

/* One step on both; false: they differ in a way that nothing explains. */
static bool step(const struct op *op, uint32_t number, bool print)
{
    struct answers a = {0}, b = {0};
    if (known_leave_out(&theirs, op))
        return true;
    bool ok_a = side_begin(&theirs, op, number);
    bool ok_b = side_begin(&ours, op, number);
    ok_a = ok_a && side_end(&theirs, op, number, &a);
    ok_b = ok_b && side_end(&ours, op, number, &b);
    bool fine = ok_a && ok_b && (same(&a, &b) || known_difference(op, &a, &b));
    if (!fine && print) {
        answers_print(theirs.name, &a);
        answers_print(ours.name, &b);
        for (int i = 0; i < 2; i++) {
            const struct side *side = i ? &ours : &theirs;
            if (!(i ? ok_b : ok_a)) {
                printf("%s does not go on:\n", side->name);
                side_print_log(side, stdout);
            }
        }
    }
    answers_free(&a);
    answers_free(&b);
    return fine;
}

/* The number of the first step at which they differ; count: none. */
static size_t run(const struct op *const *ops, size_t count, bool print)
{
    size_t i;
    side_start(&theirs);
    side_start(&ours);
    for (i = 0; i < count; i++) {
        if (!step(ops[i], (uint32_t)i + 1, print))
            break;
    }
    side_stop(&theirs);
    side_stop(&ours);
    return i;
}

/* Takes out chunks of the history, half of it at first and single requests in the end, as long as
 * the rest still ends with a difference. Returns the new length. */
static size_t shorten(const struct op **ops, size_t count)
{
    const struct op **shorter = calloc(count, sizeof(*shorter));
    unsigned tries = 0;
    time_t begin = time(NULL);
    for (size_t chunk = count / 2; chunk && shorter; chunk = chunk > 1 ? (chunk + 1) / 2 : 0) {
        for (size_t at = 0; at + chunk < count && tries < MAX_TRIES; tries++) {
            if (time(NULL) - begin > MAX_SECONDS)
                tries = MAX_TRIES;
            memcpy(shorter, ops, at * sizeof(*ops));
            memcpy(shorter + at, ops + at + chunk, (count - at - chunk) * sizeof(*ops));
            size_t fails = run(shorter, count - chunk, false);
            if (fails == count - chunk) {
                at += chunk;
                continue;
            }
            count = fails + 1;
            memcpy(ops, shorter, count * sizeof(*ops));
        }
    }
    free(shorter);
    return count;
}

static void report(const struct op **ops, size_t failed, uint64_t seed)
{
    printf("seed %lu: they differ so at request %zu: ", (unsigned long)seed, failed + 1);
    op_print(stdout, ops[failed]);
    size_t count = shorten(ops, failed + 1);
    printf("a shorter history, of %zu:\n", count);
    for (size_t i = 0; i < count; i++) {
        printf("%4zu ", i + 1);
        op_print(stdout, ops[i]);
    }
    if (run(ops, count, true) == count)
        printf("which does not do it each time\n");
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        fprintf(stderr, "usage: xsdiff SHIM XENSTORED OURS SEED REQUESTS\n");
        return 2;
    }
    uint64_t seed = strtoull(argv[4], NULL, 0);
    size_t count = strtoull(argv[5], NULL, 0);
    struct op *ops = gen_history(count, seed);
    const struct op **order = calloc(count, sizeof(*order));
    if (!order)
        return 2;
    theirs.shim = argv[1];
    theirs.program = argv[2];
    ours.program = argv[3];
    if (argv[3][0] == '-')
        ours = (struct side){.name = "the second",
                             .shim = argv[1],
                             .program = argv[2],
                             .option = argv[3][1] ? argv[3] : NULL};
    for (size_t i = 0; i < count; i++)
        order[i] = &ops[i];
    setlinebuf(stdout);
    size_t failed = run(order, count, true);
    if (failed < count)
        report(order, failed, seed);
    else
        printf("seed %lu: %zu requests, the same answers\n", (unsigned long)seed, count);
    known_print();
    free(order);
    gen_free(ops, count);
    return failed < count;
}
