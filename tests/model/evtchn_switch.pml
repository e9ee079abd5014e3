/* SPDX-License-Identifier: MIT */
/*
 * A domain goes from 2-level to FIFO events while another domain sends to it. Follows
 * hyp/dom/evtchn_fifo.c (switch_to_fifo, evtchn_fifo_expand) and hyp/dom/evtchn_deliver.c
 * (deliver_2l, deliver_fifo); the sender holds its own domain's lock, not the receiver's.
 *
 * Property: when nothing can happen any more, what was sent has been handled by the guest, which
 * looks at 2-level bits before it calls EVTCHNOP_init_control only, and at event words afterwards.
 */
bool fifo, pending_2l, pending_private, has_word, word;
bool work; /* what the event tells of */

inline raise_fifo()
{
    atomic { /* the queue lock */
        if
        :: has_word -> word = true
        :: else -> pending_private = true
        fi
    }
}

proctype sender(byte n)
{
    do
    :: n ->
        n--;
        work = true;
        if
        :: fifo -> raise_fifo()
        :: else ->
            if
            :: atomic { !pending_2l -> pending_2l = true };
#ifndef NO_RECHECK
                if
                :: fifo -> raise_fifo()
                :: else
                fi
#endif
            :: else
            fi
        fi
    :: else -> break
    od
}

proctype guest()
{
    do
    :: pending_2l -> pending_2l = false; work = false
    :: break
    od;
    /* EVTCHNOP_init_control */
#ifdef COPY_FIRST
    pending_private = pending_2l;
    fifo = true;
#else
    fifo = true;
    if
    :: pending_2l -> pending_private = true
    :: else
    fi;
#endif
    /* EVTCHNOP_expand_array */
    atomic { has_word = true };
    if
    :: pending_private -> word = true
    :: else
    fi;
    pending_private = false;
end:
    do
    :: word -> word = false; work = false
    od
}

proctype check()
{
end:
    timeout -> assert(!work)
}

init
{
    atomic {
        run sender(2);
        run guest();
        run check()
    }
}
