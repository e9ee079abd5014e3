/* SPDX-License-Identifier: MIT */
/*
 * A guest's ring and the domain of ours at its other end, which may die and start again between any
 * two steps. Follows guestdrv/rt/event.c (dispatch, event_loop), xs/conn.c, xs/queue.c and
 * xs/store.c (work_on) with xs/dom/xsdom.c (recover, notified, work) or, with CONSOLE,
 * drvdom/ctl/lane.c with drvdom/ctl/consoles.c and ctl.c (serve); the guest does what Linux's
 * xenbus_comms.c and hvc_xen.c do. hyp/dom/evtchn.c binds, sends and closes.
 *
 * Store: each byte is a request, and its answer a byte of the same number; answers that find no room
 * wait in the vault, and the store takes no more requests while too many wait. A commit is one step
 * here (transaction.pml has its own). xenbus does not always notify: who writes does so when all
 * before that was taken, who reads when the ring was full.
 *
 * Console: the guest writes and reads, and the control domain, which has no vault, types. Both sides
 * always notify. The control domain gives room back when a line is in the log: the first byte is
 * one, and then every three, but that no line is longer than the ring. Now and then a viewer makes
 * it pause.
 *
 * Property: what comes out of a ring is what went in, in order and once, but that a line which was
 * being logged at a death may be in the log twice; nobody sleeps while there is something to do.
 * What is bounded: bytes, deaths, pauses.
 */
#define SIZE  2 /* of a ring */
#define QUOTA 2 /* answers that may wait */
#ifdef TWO_DEATHS
#define DEATHS 2
#define BYTES  3
#else
#define DEATHS 1
#define BYTES  4
#endif
#ifdef CONSOLE
#define BACK (BYTES - 1) /* bytes that the guest gets */
#else
#define BACK BYTES
#endif

/* The rings. Indices do not wrap here. */
byte req[SIZE], rsp[SIZE];
byte req_prod, req_cons, rsp_prod, rsp_cons;

/* Our end: the port, its bit and those above it; whoever sends or closes holds the lock. The
 * guest's end: what its threads sleep on. */
bool bound, pending, sel, upcall, lock, kill;
bool wake_writer, wake_reader;

inline send_to_us()
{
    atomic { !lock -> lock = true };
    if
    :: bound && !pending ->
        pending = true;
        if
        :: !sel -> sel = true; upcall = true
        :: else
        fi
    :: else
    fi;
    lock = false
}

inline send_to_guest()
{
#ifdef NO_NOTIFY
    skip
#else
    atomic { wake_writer = true; wake_reader = true }
#endif
}

/* --- the guest --- */

/* xb_write(); domU_write_console(), which does not sleep but tries again. */
proctype writer()
{
    byte n;

    do
    :: n == BYTES -> break
    :: n < BYTES && n - req_cons < SIZE ->
#ifdef GUEST_NOTIFY_FIRST
        send_to_us();
#endif
#ifdef GUEST_INDEX_FIRST
        req_prod = n + 1;
        req[n % SIZE] = n;
#else
        req[n % SIZE] = n;
        req_prod = n + 1;
#endif
#ifndef GUEST_NOTIFY_FIRST
        if
#ifdef CONSOLE
        :: send_to_us()
#else
        :: n <= req_cons -> send_to_us()
        :: else
#endif
        fi;
#endif
        n++
#ifndef CONSOLE
    :: n < BYTES && n - req_cons == SIZE -> atomic { wake_writer -> wake_writer = false }
#endif
    od
}

/* xb_read(), domU_read_console() */
proctype reader()
{
    byte n;

    do
    :: n == BACK -> break
    :: n < BACK && rsp_prod == n -> atomic { wake_reader -> wake_reader = false }
    :: n < BACK && rsp_prod != n ->
        assert(rsp_prod - n <= SIZE && rsp[n % SIZE] == n);
        rsp_cons = n + 1;
        if
#ifdef CONSOLE
        :: send_to_us()
#else
        :: rsp_prod - n >= SIZE -> send_to_us()
        :: else
#endif
        fi;
        n++
    od
}

/* --- what of us dies --- */

bool ready, tick, moved;
byte my_cons, my_prod; /* our copies of the indices that we write */

#ifdef CONSOLE
byte pauses, logged;
bool new_life; /* nothing logged yet */

inline write_log()
{
    d_step {
        assert(req_cons == logged || (new_life && my_cons == logged));
        logged = my_cons;
        new_life = false
    }
}

/* drain(), lane_look(), lane_release() */
inline drain()
{
    moved = false;
    do
    :: my_cons == req_prod -> break
    :: my_cons != req_prod && pauses < 1 -> pauses++; break
    :: my_cons != req_prod ->
        assert(req[my_cons % SIZE] == my_cons);
        my_cons++;
        if
        :: my_cons % 3 == 1 || my_cons - req_cons == SIZE ->
#ifdef TAKEN_FIRST
            atomic { logged_to = req_cons; req_cons = my_cons };
            d_step { assert(logged_to == logged); logged = my_cons; logged_to = 0 };
#else
            write_log();
            req_cons = my_cons;
#endif
            moved = true
        :: else
        fi
    od;
    if
    :: moved -> send_to_guest()
    :: else
    fi
}

/* lane_write() */
inline type()
{
    do
    :: my_prod == BACK || my_prod - rsp_cons == SIZE -> break
    :: my_prod < BACK && my_prod - rsp_cons < SIZE ->
#ifdef INDEX_FIRST
        rsp_prod = my_prod + 1;
        rsp[my_prod % SIZE] = my_prod;
        my_prod++;
#else
        rsp[my_prod % SIZE] = my_prod;
        my_prod++;
        rsp_prod = my_prod;
#endif
        send_to_guest()
    od
}

/* serve(), arm_timer() */
inline work()
{
    drain();
    type();
    if
#ifndef NO_POLL
    :: my_cons != req_prod -> tick = true
#endif
    :: else
    fi
}

inline recover()
{
    my_cons = req_cons;
    my_prod = rsp_prod;
    new_life = true;
#ifndef NO_PUBLISH
    send_to_guest()
#endif
}
#else
byte my_waits, room;          /* answers that wait */
byte cons, prod, waits;       /* the vault */
bool input;

inline publish()
{
    rsp_prod = prod;
    req_cons = cons;
    send_to_guest()
}

/* conn_pump() */
inline pump()
{
    room = SIZE - (my_prod - rsp_cons);
    do
    :: room && my_waits ->
        rsp[my_prod % SIZE] = my_prod;
        d_step { my_prod++; my_waits--; room--; moved = true }
    :: else -> break
    od;
    room = 0
}

/* conn_take(), and the answer by conn_send() */
inline answer()
{
    assert(req[my_cons % SIZE] == my_cons && my_cons == my_prod + my_waits);
    my_cons++;
    if
    :: !my_waits && my_prod - rsp_cons < SIZE -> rsp[my_prod % SIZE] = my_prod; my_prod++
    :: else -> my_waits++; ready = true
    fi
}

/* work(): a batch is one store_work() */
inline work()
{
    if
    :: ready ->
        d_step { ready = false; moved = false; input = false };
        pump();
        if
        :: my_waits < QUOTA && my_cons != req_prod -> input = true; answer()
        :: else
        fi;
        pump();
        if
        :: input || moved ->
#ifdef PUBLISH_FIRST
            rsp_prod = my_prod;
#endif
            d_step { cons = my_cons; prod = my_prod; waits = my_waits };
            publish()
        :: else
        fi;
#ifdef INPUT_ONLY
        ready = ready || input;
#else
        ready = ready || input || moved;
#endif
        d_step { input = false; moved = false }
    :: else
    fi;
    tick = ready
}

/* store_open(), store_map() */
inline recover()
{
#ifdef FROM_RING
    d_step { my_cons = req_cons; my_prod = rsp_prod; my_waits = waits; ready = true };
#else
    d_step { my_cons = cons; my_prod = prod; my_waits = waits; ready = true };
#endif
#ifndef NO_PUBLISH
    publish()
#endif
}
#endif

inline bind()
{
    atomic { !lock -> bound = true; pending = true; sel = true; upcall = true }
}

/* dispatch() */
inline dispatch()
{
    atomic { busy = sel; sel = false };
    if
    :: busy ->
        busy = pending;
#ifdef LATE_CLEAR
        if
        :: busy -> ready = true; work(); pending = false
        :: else
        fi
#else
        if
        :: busy -> pending = false; ready = true; work()
        :: else
        fi
#endif
    :: else
    fi
}

inline event_loop()
{
    do
    :: dispatch();
        if
        :: tick -> tick = false; work(); busy = true
        :: else
        fi;
        if
        :: busy || sel
        :: else ->
#ifdef DEAF
            upcall = false;
#endif
end_halt:
            atomic { upcall || tick -> upcall = false }
        fi
    od
}

proctype ours()
{
    bool busy;
    byte logged_to;

life:
    {
#ifdef LOOK_FIRST
        recover();
        work();
        bind();
        atomic { pending = false; sel = false; upcall = false };
#else
        bind();
        recover();
        work();
#endif
        event_loop()
    } unless {
        /* The end of all that is not the ring or the vault. */
        atomic {
            kill && !lock ->
            kill = false;
            bound = false; pending = false; sel = false; upcall = false;
            busy = false; ready = false; tick = false; moved = false;
            my_cons = 0; my_prod = 0; logged_to = 0;
#ifndef CONSOLE
            my_waits = 0; room = 0; input = false
#endif
        }
    };
    goto life
}

proctype killer()
{
    byte n;

    do
    :: n < DEATHS -> atomic { !kill -> kill = true; n++ }
    :: break
    od
}

proctype check()
{
end:
    timeout ->
    assert(req_prod == BYTES && rsp_cons == BACK);
#ifdef CONSOLE
    assert(my_cons == BYTES && req_cons == logged)
#else
    assert(cons == BYTES && !waits)
#endif
}

init
{
    atomic {
        run ours();
        run writer();
        run reader();
        run killer();
        run check()
    }
}
