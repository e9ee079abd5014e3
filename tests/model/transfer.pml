/* SPDX-License-Identifier: MIT */
/*
 * bl-xenstored's worker, which moves bytes between a client's socket and its ring, and may be killed
 * between any two steps; the next one ends what it was at. Follows xs/hosted/sockets.c (transfer,
 * transfer_end, take, give, sockets_begin). A system call is one step, with the number that it
 * leaves in memory; it moves as much as it likes. Each byte is a request, and its answer a byte of
 * the same number: that the store takes one and answers it is one step, too (transaction.pml).
 *
 * Property: what comes out of a ring, and of the socket, is what went in, in order and once; in the
 * end the client has all its answers. What is bounded: bytes, deaths.
 */
#define SIZE    2 /* of a ring */
#define BYTES   4
#define DEATHS  2
#define NOT_YET 255

mtype = { NONE, IN, OUT };

/* The rings; indices do not wrap here. */
byte req[SIZE], rsp[SIZE], req_prod, req_cons, rsp_prod, rsp_cons;
/* struct transfer; index says which one is meant. */
mtype index = NONE;
byte msg_len, from;
/* What the client has sent, the calls have taken of it, and the client has got. */
byte sent, taken, got;
bool kill;

#ifdef ADD
#define BASE(now) now
#else
#define BASE(now) from
#endif

inline end_transfer()
{
#ifdef CLEAR_FIRST
    which = index;
    index = NONE;
#else
    which = index;
#endif
    if
    :: msg_len != NOT_YET && which == IN -> req_prod = BASE(req_prod) + msg_len
    :: msg_len != NOT_YET && which == OUT -> rsp_cons = BASE(rsp_cons) + msg_len
    :: else
    fi;
    index = NONE
}

/* One byte, or more. */
inline call(way)
{
    if
    :: way == IN ->
        n = 0;
        do
        :: sent != taken && req_prod + n - req_cons < SIZE ->
            req[(req_prod + n) % SIZE] = taken + 1;
            taken++;
            n++
        :: n || sent == taken || req_prod + n - req_cons == SIZE -> break
        od
    :: way == OUT ->
        n = 0;
        do
        :: rsp_cons + n != rsp_prod ->
            assert(rsp[(rsp_cons + n) % SIZE] == got + 1);
            got++;
            n++
        :: n -> break
        od
    fi;
    if
    :: n -> msg_len = n
    :: else
    fi;
    n = 0
}

inline transfer(way)
{
#ifndef STALE
    msg_len = NOT_YET;
#endif
    from = (way == IN -> req_prod : rsp_cons);
#ifdef LATE_MARK
    atomic { call(way) };
    index = way;
#else
    index = way;
    atomic { call(way) };
#endif
    end_transfer()
}

proctype worker()
{
    mtype which;
    byte n;

life:
    {
#ifndef FORGET
        if
        :: index != NONE -> end_transfer()
        :: else
        fi;
#endif
end_rest:
        do
        :: sent != taken && req_prod - req_cons < SIZE -> transfer(IN)
        :: d_step {
                req_cons != req_prod && rsp_prod - rsp_cons < SIZE ->
                assert(req[req_cons % SIZE] == req_cons + 1);
                rsp[rsp_prod % SIZE] = req[req_cons % SIZE];
                req_cons++;
                rsp_prod++
            }
        :: rsp_cons != rsp_prod -> transfer(OUT)
        od
    } unless {
        atomic { kill -> kill = false; n = 0; which = NONE }
    };
    goto life
}

proctype client()
{
    do
    :: sent < BYTES -> sent++
    :: else -> break
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
    timeout -> assert(got == BYTES)
}

init
{
    atomic {
        run worker();
        run client();
        run killer();
        run check()
    }
}
