/* SPDX-License-Identifier: MIT */
/*
 * bl-xenstored's two processes, which wake each other only when the other one sleeps; the worker may
 * die between any two steps. Follows xs/hosted/worker.c (worker_run, worker_turn, flush, rest),
 * xs/hosted/xenstored.c (loop) and xs/hosted/sockets.c (take, give, kick, sockets_may_sleep); the
 * rings are ring.pml's matter, so a slot is a counter of requests, and one of answers.
 *
 * Property: in the end every request has been answered and every answer given to its client. What is
 * bounded: requests, deaths.
 */
#define SLOTS    2
#define REQUESTS 2 /* of each slot */
#define DEATHS   1

/* struct shared; the rings; the eventfds, as something to read, and SIGCHLD. */
bool kicked[SLOTS], notified[SLOTS], worker_sleeps, parent_sleeps;
byte req_prod[SLOTS], done[SLOTS], given[SLOTS];
bool wake, tell, child, kill;

byte sent[SLOTS]; /* by the client */

#define SOME(set) (set[0] || set[1])

inline take_kicked()
{
    for (i : 0 .. SLOTS - 1) {
        if
        :: atomic { kicked[i] -> kicked[i] = false };
            if
            :: done[i] != req_prod[i] ->
                done[i] = req_prod[i];
                notified[i] = true;
                told = true
            :: else
            fi
        :: else
        fi
    }
    i = 0
}

inline flush()
{
    if
    :: told && parent_sleeps -> tell = true
    :: else
    fi;
    told = false
}

proctype worker()
{
    byte i;
    bool told;

life:
    {
        /* worker_begin(): all rings are published and looked at again. */
        d_step { kicked[0] = true; kicked[1] = true; notified[0] = true; notified[1] = true };
        told = true;
        do
        :: take_kicked();
            flush();
#ifndef WORKER_LOOKS_FIRST
            worker_sleeps = true;
#endif
            if
            :: !SOME(kicked) ->
#ifdef WORKER_LOOKS_FIRST
                worker_sleeps = true;
#endif
end_rest:
                atomic { wake -> wake = false }
            :: else
            fi;
            worker_sleeps = false
        od
    } unless {
        atomic { kill -> kill = false; child = true; i = 0; told = false }
    };
    goto life
}

inline kick(slot)
{
#ifdef LATE_MARK
    if
    :: worker_sleeps -> wake = true
    :: else
    fi;
    kicked[slot] = true
#else
    kicked[slot] = true;
    if
    :: worker_sleeps -> wake = true
    :: else
    fi
#endif
}

proctype parent()
{
    byte i;

end:
    do
    :: atomic { /* epoll_wait() */
            tell || child || sent[0] != req_prod[0] || sent[1] != req_prod[1] ->
            tell = false;
            child = false
        }
        parent_sleeps = false;
        for (i : 0 .. SLOTS - 1) {
            if
            :: sent[i] != req_prod[i] -> req_prod[i] = sent[i]; kick(i)
            :: else
            fi
        }
        do
        :: for (i : 0 .. SLOTS - 1) { /* sockets_serve_notified() */
                if
                :: atomic { notified[i] -> notified[i] = false }; given[i] = done[i]
                :: else
                fi
            }
#ifdef PARENT_LOOKS_FIRST
            if
            :: !SOME(notified) -> parent_sleeps = true; break
            :: else
            fi
#else
            parent_sleeps = true;
            if
            :: !SOME(notified) -> break
            :: else
            fi
#endif
        od;
        i = 0
    od
}

proctype client(byte slot)
{
    do
    :: sent[slot] == REQUESTS -> break
    :: else -> sent[slot]++; given[slot] == sent[slot]
    od
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
    timeout -> assert(given[0] == REQUESTS && given[1] == REQUESTS)
}

init
{
    atomic {
        run worker();
        run parent();
        run client(0);
        run client(1);
        run killer();
        run check()
    }
}
