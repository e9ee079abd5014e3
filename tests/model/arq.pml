/* SPDX-License-Identifier: MIT */
/*
 * One direction of drvdom/ctl/arq.c: payloads on a line that loses frames and keeps the order of the
 * others, acknowledgements on another such line, selective repeat.
 *
 * Property: payloads are delivered once and in order; the sender ends, and then all are delivered;
 * what it takes for lost by the echo is lost; it sends nothing without need for ever. What is
 * bounded: payloads, losses, timers that run out too early.
 */
#define PAYLOADS 5
#define LOSSES   3
#define EARLY    1 /* timers */
#define WINDOW   2
#ifndef NUMBERS
#define NUMBERS 4 /* of payloads, modulo; twice the window at least */
#endif
#define SENT_MAX (PAYLOADS + WINDOW * (LOSSES + EARLY) + LOSSES)

chan data = [3] of { byte, byte, byte }; /* seq, tx, the payload */
chan acks = [3] of { byte, bool, byte }; /* ack, have, echo */
byte losses, delivered;

/* Sender: whole counts; on the line they are modulo. */
byte base, next, tx, early;
byte sent_tx[WINDOW];
bool lost[WINDOW], arrived[WINDOW], dropped[WINDOW]; /* dropped: the truth about its last frame */

inline transmit(n)
{
    atomic {
        tx++;
        assert(tx <= SENT_MAX);
#ifdef FIRST_TX
        if
        :: !lost[n % WINDOW] -> sent_tx[n % WINDOW] = tx
        :: else
        fi;
#else
        sent_tx[n % WINDOW] = tx;
#endif
        lost[n % WINDOW] = false;
        arrived[n % WINDOW] = false;
        if
        :: losses < LOSSES -> losses++; dropped[n % WINDOW] = true
        :: nfull(data) -> dropped[n % WINDOW] = false; data!n % NUMBERS, tx, n
        fi
    }
}

/* acknowledged(), find_lost() */
inline acknowledged()
{
    atomic {
        acks?ack, have, echo;
        all = (ack + NUMBERS - base % NUMBERS) % NUMBERS;
        if
        :: all <= next - base ->
            if
            :: have && all + 1 < next - base -> arrived[(base + all + 1) % WINDOW] = true;
                lost[(base + all + 1) % WINDOW] = false
            :: else
            fi;
            base = base + all;
            i = base;
            do
            :: i < next ->
                if
                :: !arrived[i % WINDOW] && sent_tx[i % WINDOW] < echo && !lost[i % WINDOW] ->
                    assert(dropped[i % WINDOW]);
                    lost[i % WINDOW] = true
                :: else
                fi;
                i++
            :: else -> break
            od
        :: else
        fi;
        all = 0;
        i = 0
    }
}

active proctype sender()
{
    byte ack, echo, all, i;
    bool have;

    do
    :: base == PAYLOADS -> break
    :: base < next && lost[base % WINDOW] -> transmit(base)
    :: base + 1 < next && !lost[base % WINDOW] && lost[(base + 1) % WINDOW] ->
        transmit((base + 1))
    :: next < PAYLOADS && next - base < WINDOW && !(base < next && lost[base % WINDOW]) ->
        next++;
        transmit((next - 1))
    :: nempty(acks) -> acknowledged()
    :: base < next && !lost[base % WINDOW] && early < EARLY -> atomic {
        early++;
        lost[base % WINDOW] = true
    }
#ifndef NO_TIMER
    :: timeout -> lost[base % WINDOW] = true
#endif
    od;
    assert(delivered == PAYLOADS)
}

active proctype receiver()
{
    byte seq, number, payload, ahead;
    bool here[WINDOW], due;

end:
    do
    :: data?seq, number, payload -> atomic {
        ahead = (seq + NUMBERS - delivered % NUMBERS) % NUMBERS;
#ifdef NEW_ONLY
        due = ahead < WINDOW && !here[(delivered + ahead) % WINDOW];
#else
        due = true;
#endif
        if
        :: ahead < WINDOW ->
            assert(delivered + ahead == payload);
            here[(delivered + ahead) % WINDOW] = true
        :: else
        fi;
        do
        :: here[delivered % WINDOW] -> here[delivered % WINDOW] = false; delivered++
        :: else -> break
        od;
        seq = 0;
        payload = 0;
        ahead = 0
    }
    :: due -> atomic {
        due = false;
        if
        :: losses < LOSSES -> losses++
        :: nfull(acks) -> acks!delivered % NUMBERS, here[(delivered + 1) % WINDOW], number
        fi
    }
    od
}
