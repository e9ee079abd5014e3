/* SPDX-License-Identifier: MIT */
/*
 * FIFO events: two queues of one vCPU, three ports. Follows hyp/dom/evtchn_fifo.c (link_behind,
 * enqueue, unmask) and hyp/dom/evtchn.c (close, open_port) against the consumer of Linux's
 * events_fifo.c: take the ready bits, read the head, clear LINKED by compare-and-exchange, follow
 * the link; unmask by compare-and-exchange unless BUSY, or by hypercall when pending. That the
 * upcall wakes the vCPU is evtchn_2l.pml's matter.
 *
 * Property: when nothing can happen any more, no port is pending or in a queue. With REOPEN, port 1
 * is closed, opened again and moves to the other queue; else another vCPU of the guest masks and
 * unmasks port 1 while others are linked behind it. What is bounded: sends, masks.
 */
#define PORTS   3
#define PENDING 128
#define MASKED  64
#define LINKED  32
#define BUSY    16
#define LINK    15
#ifndef TRIES
#define TRIES   5
#endif

/* The guest's memory. */
byte word[PORTS + 1], head[2];
bool ready[2], upcall;

/* The hypervisor's. */
bool queue_lock;
byte tail[2], queue[PORTS + 1], last[PORTS + 1];

inline lock() { atomic { !queue_lock -> queue_lock = true } }
inline unlock() { queue_lock = false }

/* linked: as link_behind() returns it. */
inline link_behind(t, p)
{
    old = word[t];
    try = 0;
    linked = false;
    do
    :: try < TRIES && (old & LINKED) ->
        if
        :: atomic { word[t] == old -> word[t] = (old & ~(BUSY | LINK)) | p; linked = true }; break
        :: atomic { else -> old = word[t] };
            if
            :: try == 0 ->
#ifdef NO_BUSY
                old = word[t]
#else
                atomic { word[t] = word[t] | BUSY; old = word[t] }
#endif
            :: else
            fi;
            try++
        fi
    :: else ->
        if
        :: try -> word[t] = word[t] & ~BUSY
        :: else
        fi;
        linked = (try == TRIES);
        break
    od;
    old = 0;
    try = 0
}

/* kick: the upcall is due. */
inline enqueue(p)
{
    if
    :: word[p] & MASKED
    :: else ->
        if
        :: atomic { word[p] & LINKED }
        :: atomic { else -> word[p] = word[p] | LINKED };
            atomic {
                q = queue[p];
#ifndef NO_TAIL_RESET
                if
                :: tail[last[p]] == p -> tail[last[p]] = 0
                :: else
                fi;
#endif
                last[p] = q
            }
            if
            :: tail[q] -> link_behind(tail[q], p)
            :: else -> linked = false
            fi;
            tail[q] = p;
            if
            :: !linked ->
                head[q] = p;
                atomic { kick = !ready[q]; ready[q] = true }
            :: else
            fi;
            atomic { linked = false; q = 0 }
        fi
    fi
}

/* evtchn_fifo_pending() and the upcall. */
inline raise(p)
{
    lock();
    word[p] = word[p] | PENDING;
    enqueue(p);
    unlock();
    if
    :: kick -> atomic { upcall = true; kick = false }
    :: else
    fi
}

/* evtchn_deliver_unmask(). */
inline unmask_call(p)
{
    lock();
    atomic { again = (word[p] & PENDING) != 0; word[p] = word[p] & ~MASKED };
    unlock();
#ifndef NO_UNMASK_RAISE
    if
    :: again -> again = false; raise(p)
    :: else
    fi
#endif
}

/* Linux: MASKED goes at once unless the port is pending; not while BUSY. */
inline unmask(p)
{
    if
    :: atomic { !(word[p] & MASKED) }
    :: atomic { (word[p] & MASKED) && !(word[p] & (PENDING | BUSY)) -> word[p] = word[p] & ~MASKED }
    :: atomic { (word[p] & MASKED) && (word[p] & PENDING) }; unmask_call(p)
    fi
}

#define LOCALS byte old, try, q; bool linked, kick, again

proctype sender(byte p, n)
{
    LOCALS;

    do
    :: n -> n--; raise(p)
    :: else -> break
    od
}

/* Sends, closes the port, and opens it again for the other queue when no queue holds it. */
proctype reopener(byte p)
{
    LOCALS;

    raise(p);
    lock();
    word[p] = word[p] & ~PENDING;
    unlock();
    !(word[p] & LINKED);
    atomic {
        queue[p] = 1;
#ifdef FORGET_QUEUE
        last[p] = 1
#endif
    }
    raise(p)
}

proctype masker(byte p, n)
{
    LOCALS;

    do
    :: n -> n--; word[p] = word[p] | MASKED; unmask(p)
    :: else -> break
    od
}

proctype consumer()
{
    byte port, next, at[2];
    bool mine[2], found;

end:
    do
    :: atomic { upcall -> upcall = false };
        do
        :: atomic {
                mine[0] = mine[0] || ready[0];
                mine[1] = mine[1] || ready[1];
                ready[0] = false;
                ready[1] = false;
                next = (mine[0] -> 0 : 1)
            }
            if
            :: !mine[0] && !mine[1] -> break
            :: else
            fi;
            port = (at[next] -> at[next] : head[next]);
            assert(port);
            atomic { /* LINKED and the link; the flags are tested after that */
                at[next] = word[port] & LINK;
                word[port] = word[port] & ~(LINKED | LINK);
                mine[next] = mine[next] && at[next]
            }
            atomic {
                found = (word[port] & (PENDING | MASKED)) == PENDING
            }
            if
            :: found -> atomic { word[port] = word[port] & ~PENDING; found = false }
            :: else
            fi;
            atomic { port = 0; next = 0 }
        od
    od
}

proctype check()
{
    byte p;

end:
    timeout ->
    for (p : 1 .. PORTS) {
        assert(!(word[p] & (PENDING | LINKED | BUSY | MASKED)))
    }
}

init
{
    atomic {
        queue[3] = 1;
        last[3] = 1;
        run consumer();
#ifdef REOPEN
        run reopener(1);
        run sender(2, 2);
        run sender(3, 2);
#else
        queue[3] = 0;
        last[3] = 0;
        run sender(1, 1);
        run sender(2, 2);
        run sender(3, 1);
        run masker(1, 3);
#endif
        run check()
    }
}
