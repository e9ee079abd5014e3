/* SPDX-License-Identifier: MIT */
/*
 * Wake-ups: a vCPU with 2-level events that is sent to, runs, halts, polls and is preempted. Follows
 * hyp/dom/evtchn_deliver.c, hyp/dom/run.c, hyp/dom/sched.c, hyp/x86/exit.c (deliver, halt) and
 * hyp/call/schedop.c (poll); the guest does what Linux's events_2l.c and its spin locks do.
 *
 * Property: when nothing can happen any more, every event sent has been handled, and nobody sleeps
 * in SCHEDOP_poll for an event that has come. Port 0 is masked while it is handled and unmasked
 * afterwards. Port 1 is handled without that or, with POLL, always masked and polled, as a lock's
 * is. With MIGRATE there are two CPUs that may run the vCPU, and one sender; else one CPU and two
 * senders. What is bounded: sends and preemptions.
 */
#ifdef MIGRATE
#define CPUS 2
#ifdef POLL
#define SENDS0 0
#define SENDS1 2
#else
#define SENDS0 2
#define SENDS1 0
#endif
#else
#define CPUS 1
#ifdef POLL
#define SENDS0 1
#define SENDS1 2
#else
#define SENDS0 2
#define SENDS1 1
#endif
#endif
#define NO_CPU  2
#define ANOTHER 3 /* the senders' CPUs */

/* The guest's memory; work is what a poller waits for. */
bool pending[2], mask[2], sel, upcall, work;

/* struct vcpu, struct sched_entity: CPU 0 runs it, and CPU 1 has nothing to run. */
mtype = { RUNNING, READY, BLOCKED };
mtype state = RUNNING;
bool notified = true, wake_pending, poll;
byte on_cpu;

/* Each CPU: struct cpu, whether sched.c takes it for idle, and an interrupt that waits for it. */
bool resched[2], idle[2], ipi[2];
bool preempt = true; /* the slice may still end once, anywhere */

/* The guest's registers: where it is, where its handler returns to, RFLAGS.IF. */
mtype = { MAIN, BUSY, HALT, POLL_CLEAR, POLL_TEST, POLL_CALL, UNMASK, UNMASK_TEST, UNMASK_CALL,
          UP, SEL, READ, MASK, ACK, AGAIN };
mtype pc = MAIN, return_to = MAIN;
bool interrupts = true, eoi_due, bits[2];

inline poke(self, c)
{
    if
    :: c != NO_CPU ->
        resched[c] = true;
        if
        :: c != self -> ipi[c] = true
        :: else
        fi
    :: else
    fi
}

/* sched.c: make_ready(); the scheduler's lock is an atomic here. */
inline make_ready(c)
{
    state = READY;
    if
    :: idle[on_cpu] -> c = on_cpu
    :: else -> c = (idle[1 - on_cpu] -> 1 - on_cpu : NO_CPU)
    fi;
    if
    :: c != NO_CPU -> idle[c] = false
    :: else
    fi
}

inline run_wake(self, c)
{
#ifndef NO_NOTIFIED
    notified = true;
#endif
    atomic {
        c = NO_CPU;
        if
        :: state == BLOCKED -> make_ready(c)
        :: state == RUNNING -> wake_pending = true
        :: else
        fi
    }
    poke(self, c);
    c = on_cpu;
    if
#ifndef NO_KICK
    :: state == RUNNING && c != self -> ipi[c] = true
#endif
    :: else
    fi;
    c = 0
}

inline deliver_upcall(self, c)
{
    if
    :: atomic { !sel -> sel = true };
        if
        :: atomic { !upcall -> upcall = true }; run_wake(self, c)
        :: else
        fi
    :: else
    fi
}

/* The bit of p was just set, or its mask just cleared. */
inline raise(self, p, c)
{
    if
    :: !mask[p] -> deliver_upcall(self, c)
    :: else
    fi
}

proctype sender(byte p, n)
{
    byte c;

    do
    :: n ->
        n--;
        if
        :: atomic { !pending[p] -> pending[p] = true; work = work || p };
            raise(ANOTHER, p, c);
#if defined(POLL) && !defined(NO_WAKE_POLLERS)
            if
            :: atomic { poll -> poll = false }; run_wake(ANOTHER, c)
            :: else
            fi
#endif
        :: atomic { else -> work = work || p }
        fi
    :: else -> break
    od
}

/* What the guest does between two exits, one access to shared memory at a time. */
inline guest_step()
{
    if
    :: pc == MAIN && eoi_due -> interrupts = false; pc = UNMASK
    :: pc == MAIN && !eoi_due -> pc = BUSY
    :: pc == MAIN && !eoi_due -> pc = HALT
#ifdef POLL
    :: pc == MAIN && !eoi_due -> pc = POLL_CLEAR
    :: pc == MAIN && !eoi_due -> interrupts = false; pc = POLL_CLEAR
    :: pc == POLL_CLEAR -> pending[1] = false; pc = POLL_TEST
    :: pc == POLL_TEST && work -> work = false; interrupts = true; pc = MAIN
    :: pc == POLL_TEST && !work -> pc = POLL_CALL
#endif
    :: pc == UNMASK -> mask[0] = false; pc = UNMASK_TEST
    :: pc == UNMASK -> pc = UNMASK_CALL /* as for the port of another vCPU */
    :: pc == UNMASK_TEST && pending[0] -> mask[0] = true; pc = UNMASK_CALL
    :: pc == UNMASK_TEST && !pending[0] -> eoi_due = false; interrupts = true; pc = MAIN
    :: pc == UP -> upcall = false; pc = SEL
    :: pc == SEL -> pc = (sel -> READ : AGAIN); sel = false
    :: pc == READ ->
        bits[0] = pending[0] && !mask[0];
        bits[1] = pending[1] && !mask[1];
        pc = (bits[0] -> MASK : (bits[1] -> ACK : AGAIN))
    :: pc == MASK -> mask[0] = true; eoi_due = true; pc = ACK
    :: pc == ACK && bits[0] -> pending[0] = false; bits[0] = false; pc = (bits[1] -> ACK : AGAIN)
    :: pc == ACK && !bits[0] -> pending[1] = false; bits[1] = false; pc = AGAIN
    :: pc == AGAIN && upcall -> pc = UP
    :: pc == AGAIN && !upcall -> interrupts = true; pc = return_to; return_to = MAIN
    fi
}

/* exit.c: deliver(). window: the guest exits as soon as it can be interrupted. */
inline deliver()
{
    window = false;
    if
    :: atomic { notified -> notified = false };
        if
        :: atomic { upcall && interrupts ->
            return_to = (pc == BUSY || pc == HALT -> MAIN : pc);
            pc = UP;
            interrupts = false;
            notified = true }
        :: atomic { upcall && !interrupts -> window = true; notified = true }
        :: else
        fi
    :: else
    fi
}

/* exit.c: halt(), run.c: upcall_block(). */
inline halt()
{
#ifdef LATE_CLEAR
    blocks = !upcall;
    atomic { wake_pending = false; pc = MAIN; resched[id] = resched[id] || blocks }
#else
    atomic { wake_pending = false; pc = MAIN };
#ifdef NO_RECHECK
    atomic { blocks = true; resched[id] = true }
#else
    atomic { blocks = !upcall; resched[id] = resched[id] || blocks }
#endif
#endif
}

/* schedop.c: poll(). */
inline poll_call()
{
    atomic { pc = POLL_CLEAR; wake_pending = false };
#ifdef LATE_POLL
    blocks = !(interrupts && upcall) && !pending[1];
    poll = true;
#else
    poll = true;
    blocks = !(interrupts && upcall);
    blocks = blocks && !pending[1];
#endif
    if
    :: blocks -> resched[id] = true
    :: else -> poll = false
    fi
}

/* evtchn.c: evtchn_unmask(). */
inline unmask_call()
{
    atomic { eoi_due = false; interrupts = true; pc = MAIN };
    if
    :: atomic { mask[0] -> mask[0] = false };
#ifndef NO_UNMASK_TEST
        if
        :: pending[0] -> raise(id, 0, c)
        :: else
        fi
#endif
    :: else
    fi
}

/* The vCPU runs on this CPU until it exits; then what the exit means. */
inline enter()
{
    deliver();
end_guest:
    do
    :: ipi[id] -> break
    :: window && interrupts -> break
    :: atomic { preempt -> preempt = false; resched[id] = true }; break
    :: pc == HALT -> halt(); break
    :: pc == POLL_CALL -> poll_call(); break
    :: pc == UNMASK_CALL -> unmask_call(); break
    :: atomic { pc != HALT && pc != POLL_CALL && pc != UNMASK_CALL && pc != BUSY -> guest_step() }
    od
}

/* run.c: put_back(). */
inline put_back()
{
    atomic { /* sched_release() */
        current = false;
        c = NO_CPU;
        if
        :: blocks && !wake_pending -> state = BLOCKED
        :: else -> make_ready(c)
        fi;
        wake_pending = false;
        blocks = false
    }
    poke(id, c);
    c = 0
}

/* run.c: choose(). */
inline choose()
{
    if
    :: current && !blocks /* nobody has had less: go on */
    :: else ->
        if
        :: current -> put_back()
        :: else
        fi;
        atomic { /* sched_pick() */
            if
            :: state == READY -> state = RUNNING; on_cpu = id; idle[id] = false; current = true
            :: else -> idle[id] = true
            fi
        }
        if
        :: atomic { current -> poll = false; notified = true }
        :: else
        fi
    :: current && !blocks -> put_back(); resched[id] = true /* somebody has: they run first */
    fi
}

/* run.c: cpu_run_loop(). */
proctype cpu(byte id; bool current)
{
    bool blocks, window;
    byte c;

    idle[id] = !current;
    do
    :: ipi[id] = false; /* irq_window() */
        if
        :: atomic { resched[id] -> resched[id] = false }; choose()
        :: else
        fi;
        if
        :: resched[id]
        :: !resched[id] && current -> enter()
        :: !resched[id] && !current ->
end_idle:
            ipi[id] /* HLT */
        fi
    od
}

proctype check()
{
end:
    timeout ->
#ifdef POLL
    if
    :: state == BLOCKED && pc == POLL_CLEAR -> assert(!work && (!pending[0] || mask[0] || !interrupts))
    :: else -> assert(!pending[0])
    fi
#else
    assert(!pending[0] && !pending[1])
#endif
}

init
{
    atomic {
#ifdef POLL
        mask[1] = true;
#endif
        run cpu(0, true);
#if CPUS == 2
        run cpu(1, false);
#endif
        run sender(0, SENDS0);
        run sender(1, SENDS1);
        run check()
    }
}
