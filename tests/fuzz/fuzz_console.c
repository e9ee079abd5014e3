/* SPDX-License-Identifier: MIT */
/*
 * The control domain's side of a console ring against a frontend that changes the page at any
 * moment. The page is out of reach: each access of the backend stops in a signal handler, which may
 * rewrite indices and bytes first, and sees whether the backend keeps to what lane.h says: who
 * writes what, and nothing of the frontend's read twice. What comes out goes through line and keys.
 */
#define _GNU_SOURCE
#include "tests/fuzz/fuzz.h"

#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>
#include "drvdom/ctl/conring.h"
#include "drvdom/ctl/keys.h"
#include "drvdom/ctl/line.h"
#include "hyp/lib/util.h"

#define PAGE   4096U
#define BUFFER 96U
#define CANARY 0x5a
#define TRAP   0x100 /* RFLAGS.TF */
#define WRITE  2     /* page fault error code */

#define FIELD(name) offsetof(struct xencons_interface, name)

static struct xencons_interface *page;
static struct fuzz input;
static struct conring ring;
/* In one call: how often each of the frontend's bytes was read, and what was found. */
static uint8_t reads[PAGE];
static struct xencons_interface seen;
static struct sigaction before;

static void guard(int prot)
{
    if (mprotect(page, PAGE, prot))
        abort();
}

/* The frontend writes anything, often near what the backend has. */
static void hostile(void)
{
    static const uint32_t edges[] = {1024, 2048, -1024U, -2048U};
    uint32_t *const index[] = {&page->in_cons, &page->in_prod, &page->out_cons, &page->out_prod};
    uint8_t what = fuzz_left(&input) ? fuzz_byte(&input) : 0;
    uint32_t base = what & 8 ? ring.out.at : ring.in.at, near;

    switch (what & 7) {
    case 0:
    case 1:
        break;
    case 2:
        *index[what >> 4 & 3] = (uint32_t)fuzz_bytes(&input, 4);
        break;
    case 3:
        page->out[fuzz_bytes(&input, 2) % sizeof(page->out)] = (char)fuzz_byte(&input);
        break;
    case 4: /* what is just possible, and just not */
        near = fuzz_byte(&input);
        *index[what >> 4 & 3] = base + edges[near >> 6] + (near & 15) - 8;
        break;
    default:
        *index[what >> 4 & 3] = base + (uint32_t)(int8_t)fuzz_byte(&input);
    }
}

/* Read: only the other side's, once; written: only our own. */
static void check_access(size_t at, bool write)
{
    if (write)
        MUST(at < sizeof(page->in) || at == FIELD(out_cons) || at == FIELD(in_prod));
    else
        MUST((at >= FIELD(out) && at < FIELD(out) + sizeof(page->out)) || at == FIELD(out_prod) ||
             at == FIELD(in_cons));
    MUST(write || !reads[at]++);
}

static void on_fault(int signal, siginfo_t *info, void *context)
{
    greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
    size_t at = (size_t)((uint8_t *)info->si_addr - (uint8_t *)page);

    if (at >= PAGE) { /* not ours: the sanitizer tells */
        before.sa_sigaction(signal, info, context);
        return;
    }
    MUST(at < sizeof(*page));
    guard(PROT_READ | PROT_WRITE);
    check_access(at, regs[REG_ERR] & WRITE);
    hostile();
    memcpy((uint8_t *)&seen + at, (uint8_t *)page + at, at < FIELD(in_cons) ? 1 : 4);
    regs[REG_EFL] |= TRAP;
}

static void on_step(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    guard(PROT_NONE);
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] &= ~TRAP;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct sigaction fault = {.sa_flags = SA_SIGINFO | SA_NODEFER, .sa_sigaction = on_fault};
    struct sigaction step = {.sa_flags = SA_SIGINFO, .sa_sigaction = on_step};

    (void)argc;
    (void)argv;
    page = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED || sigaction(SIGSEGV, &fault, &before) ||
        sigaction(SIGTRAP, &step, NULL))
        abort();
    return 0;
}

static struct line line;
static struct keys keys;

static void consume(char c)
{
    enum key_action action;
    char arg;
    bool command = keys.prefixed;

    MUST(line.len < sizeof(line.text));
    if (line_add(&line, c)) {
        MUST(line.len <= BH_LOG_MAX && (c == '\n' || line.len == BH_LOG_MAX));
        MUST(!memchr(line.text, '\n', line.len) && !memchr(line.text, '\r', line.len));
        line_clear(&line);
    }
    action = keys_input(&keys, c, &arg);
    MUST(action <= KEY_HELP && keys.prefixed == (action == KEY_NONE) &&
         !(command && keys.prefixed));
    MUST(action != KEY_TYPE || arg == c);
    MUST(action != KEY_SELECT || (command && arg >= 0 && arg <= 9));
    MUST(command || action == KEY_TYPE || action == KEY_NONE);
}

/* By what the backend saw: all there is, or nothing when that cannot be. */
static void read_some(size_t n)
{
    struct conring old = ring;
    char buf[BUFFER];
    size_t got;
    uint32_t have;

    memset(buf, CANARY, sizeof(buf));
    got = lane_look(&ring.out, buf, n);
    have = seen.out_prod - old.out.at;
    MUST(reads[FIELD(out_prod)] == 1 && ring.in.at == old.in.at);
    if (have > sizeof(page->out)) {
        MUST(!got && ring.out.bad == old.out.bad + 1 && ring.out.at == seen.out_prod);
    } else {
        MUST(got == MIN(n, have) && ring.out.bad == old.out.bad);
        MUST(ring.out.at == old.out.at + (uint32_t)got);
    }
    for (size_t i = 0; i < sizeof(buf); i++)
        MUST(buf[i] == (i < got ? seen.out[(old.out.at + i) % sizeof(seen.out)] : CANARY));
    for (size_t i = 0; i < got; i++)
        consume(buf[i]);
    old = ring;
    lane_release(&ring.out, (uint32_t)n / 2);
    MUST(ring.out.kept == old.out.kept - MIN(n / 2, old.out.kept));
}

static void write_some(size_t n)
{
    struct conring old = ring;
    char buf[BUFFER];
    uint32_t used;
    size_t got;

    memset(buf, 'k', sizeof(buf));
    got = lane_write(&ring.in, buf, n);
    used = old.in.at - seen.in_cons;
    MUST(reads[FIELD(in_cons)] == 1 && ring.out.at == old.out.at);
    if (used > sizeof(page->in))
        MUST(!got && ring.in.bad == old.in.bad + 1);
    else
        MUST(got == MIN(n, sizeof(page->in) - used) && ring.in.bad == old.in.bad);
    MUST(ring.in.at == old.in.at + (uint32_t)got);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    unsigned calls = 0;

    input = (struct fuzz){data, data + n};
    guard(PROT_READ | PROT_WRITE);
    memset(page, 0, sizeof(*page));
    page->out_cons = page->out_prod = (uint32_t)fuzz_number(&input);
    page->in_cons = page->in_prod = (uint32_t)fuzz_number(&input);
    conring_init(&ring, page);
    memset(&line, 0, sizeof(line));
    memset(&keys, 0, sizeof(keys));
    guard(PROT_NONE);
    while (fuzz_left(&input) && calls++ < 64) {
        uint8_t how = fuzz_byte(&input);

        memset(reads, 0, sizeof(reads));
        if (how & 1)
            read_some(how >> 1 & 63);
        else
            write_some(how >> 1 & 63);
    }
    return 0;
}
