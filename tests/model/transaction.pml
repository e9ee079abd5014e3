/* SPDX-License-Identifier: MIT */
/*
 * The store: two clients' transactions and plain writes, carried out one request after the other by
 * a process that may be killed between any two steps. Follows xs/transaction.c (transaction_see,
 * in_order, apply), xs/view.c (view_read, view_put), xs/vault.c (touch, commit, abort, undo),
 * xs/conn.c (conn_take, conn_commit, publish) and xs/store.c (answer, refuse, store_map).
 *
 * Property: what was committed is what the same transactions and writes do one after the other, in
 * the order of their commits, and they have read what they would have read then; what was aborted,
 * refused or in conflict has no effect; a request has its effect once and is answered once, after
 * that; all clients come to their end. What is bounded: nodes, transactions, refusals, deaths. A
 * ring has room for one request and one answer.
 */
#define CLIENTS 2
#define NODES   2
#ifdef TWO_DEATHS /* and no plain write: else there are too many states */
#define DEATHS 2
#else
#define DEATHS 1
#endif
#define STATE   CLIENTS /* the record that is no connection */
#define BIT(record) (1 << (record))

mtype = { START, READ, PUT, COMMIT, ABORT, WRITE };  /* PUT: WRITE in a transaction */
mtype = { DONE, CONFLICT, REFUSED, UNKNOWN };

/* The rings. */
mtype asked[CLIENTS], answer[CLIENTS];
byte node[CLIENTS], value[CLIENTS], answer_value[CLIENTS];
byte req_prod[CLIENTS], req_cons[CLIENTS], rsp_prod[CLIENTS], rsp_cons[CLIENTS];

/* The vault: live words, saved ones, the list of touched records (its head: 0 is committed), and
 * whether a record's stamp is that of the request. */
typedef state_live {
    byte value[NODES], at[NODES]; /* at: the node's generation */
    byte generation
};
typedef conn_live {
    byte req_cons, rsp_prod;
    bool open, seen[NODES], changed[NODES]; /* the transaction */
    byte first[NODES], value[NODES]
};
state_live state, state_saved;
conn_live conn[CLIENTS], conn_saved[CLIENTS];
byte touched, stamped;

bool kill, refused;

/* The truth: the nodes, and what the request of a client that is under way has done. */
byte truth[NODES];
byte from[CLIENTS], got[CLIENTS]; /* what its transaction has read */
bool effect[CLIENTS];
byte finished;

inline copy_state(to, src)
{
    d_step {
        to.value[0] = src.value[0]; to.at[0] = src.at[0];
        to.value[1] = src.value[1]; to.at[1] = src.at[1];
        to.generation = src.generation
    }
}

inline copy_conn(to, src)
{
    d_step {
        to.req_cons = src.req_cons; to.rsp_prod = src.rsp_prod; to.open = src.open;
        to.seen[0] = src.seen[0]; to.changed[0] = src.changed[0];
        to.first[0] = src.first[0]; to.value[0] = src.value[0];
        to.seen[1] = src.seen[1]; to.changed[1] = src.changed[1];
        to.first[1] = src.first[1]; to.value[1] = src.value[1]
    }
}

inline save(record)
{
    if
    :: record == STATE -> copy_state(state_saved, state)
    :: else -> copy_conn(conn_saved[record], conn[record])
    fi
}

inline restore(record)
{
    if
    :: !(touched & BIT(record))
    :: touched & BIT(record) && record == STATE -> copy_state(state, state_saved)
    :: touched & BIT(record) && record != STATE -> copy_conn(conn[record], conn_saved[record])
    fi
}

/* vault_touch() */
inline touch(record)
{
    if
    :: stamped & BIT(record)
    :: else ->
#ifdef LIST_FIRST
        touched = touched | BIT(record);
        save(record);
#else
        save(record);
        touched = touched | BIT(record);
#endif
        stamped = stamped | BIT(record)
    fi
}

/* What a client wants is done: now, and only once. */
inline take_effect(c)
{
    d_step {
        assert(!effect[c]);
        effect[c] = true;
        if
        :: answer[c] == DONE && asked[c] == WRITE -> truth[node[c]] = value[c]
        :: answer[c] == DONE && asked[c] == COMMIT ->
            assert(truth[from[c]] == got[c]);
            truth[node[c]] = got[c] + 1 + c
        :: else
        fi;
        assert(truth[0] == state.value[0] && truth[1] == state.value[1])
    }
}

inline publish(c)
{
    rsp_prod[c] = conn[c].rsp_prod;
    req_cons[c] = conn[c].req_cons
}

/* conn_commit() */
inline commit(c)
{
#ifdef PUBLISH_FIRST
    rsp_prod[c] = conn[c].rsp_prod + 1;
#endif
    if
    :: !touched -> /* only_cursor() */
#ifdef TWO_WORDS
        conn[c].req_cons++;
        atomic { conn[c].rsp_prod++; take_effect(c) }
#else
        atomic { conn[c].req_cons++; conn[c].rsp_prod++; take_effect(c) }
#endif
    :: else ->
        touch(c);
        conn[c].req_cons++;
        conn[c].rsp_prod++;
        atomic { touched = 0; take_effect(c) };
        stamped = 0
    fi;
    publish(c)
}

/* transaction_access(), transaction_see() */
inline see(c, n)
{
    if
    :: conn[c].seen[n]
    :: else ->
        touch(c);
        conn[c].first[n] = state.at[n];
        conn[c].value[n] = state.value[n];
        conn[c].seen[n] = true
    fi
}

inline change(n, to)
{
    touch(STATE);
    state.generation++;
    state.at[n] = state.generation;
    state.value[n] = to
}

/* transaction_end() */
inline end_well(c)
{
    answer[c] = DONE;
#ifndef NO_CONFLICT
    for (n : 0 .. NODES - 1) {
        if
#ifdef CHANGED_ONLY
        :: conn[c].changed[n] && conn[c].first[n] != state.at[n] -> answer[c] = CONFLICT
#else
        :: conn[c].seen[n] && conn[c].first[n] != state.at[n] -> answer[c] = CONFLICT
#endif
        :: else
        fi
    }
#endif
    for (n : 0 .. NODES - 1) {
        if
        :: answer[c] == DONE && conn[c].changed[n] -> change(n, conn[c].value[n])
        :: else
        fi
    }
    if
    :: answer[c] == DONE && !refused -> refused = true; refuse(c)
    :: true
    fi;
    n = 0
}

/* vault_abort(), and then refuse(). */
inline refuse(c)
{
#ifndef NO_UNDO
    restore(0);
    restore(1);
    restore(STATE);
#endif
    touched = 0;
    stamped = 0;
    answer[c] = REFUSED
}

inline forget(c)
{
    touch(c);
    d_step {
        conn[c].open = false;
        conn[c].seen[0] = false; conn[c].changed[0] = false; conn[c].first[0] = 0;
        conn[c].value[0] = 0;
        conn[c].seen[1] = false; conn[c].changed[1] = false; conn[c].first[1] = 0;
        conn[c].value[1] = 0
    }
}

inline serve(c)
{
    answer[c] = DONE;
    if
    :: asked[c] == START -> touch(c); conn[c].open = true; touch(STATE); state.generation++
    :: asked[c] == READ && conn[c].open -> see(c, node[c]); answer_value[c] = conn[c].value[node[c]]
    :: asked[c] == PUT && conn[c].open ->
#ifdef AT_ONCE
        change(node[c], value[c]);
#endif
        see(c, node[c]);
        touch(c);
        conn[c].value[node[c]] = value[c];
        conn[c].changed[node[c]] = true
    :: asked[c] == COMMIT && conn[c].open -> end_well(c); forget(c)
    :: asked[c] == ABORT && conn[c].open -> forget(c)
    :: asked[c] == WRITE -> change(node[c], value[c])
    :: asked[c] != START && asked[c] != WRITE && !conn[c].open -> answer[c] = UNKNOWN
    fi;
    commit(c)
}

/* vault_open() */
inline recover()
{
#ifdef CLEAR_FIRST
    mine = touched;
    touched = 0;
    atomic { if :: mine & BIT(0) -> copy_conn(conn[0], conn_saved[0]) :: else fi };
    atomic { if :: mine & BIT(1) -> copy_conn(conn[1], conn_saved[1]) :: else fi };
    atomic { if :: mine & BIT(STATE) -> copy_state(state, state_saved) :: else fi };
    mine = 0;
#else
#ifndef NO_RECOVERY
    restore(0);
    restore(1);
    restore(STATE);
#endif
    touched = 0;
#endif
#ifndef OLD_STAMP
    stamped = 0;
#endif
#ifndef NO_PUBLISH
    publish(0);
    publish(1)
#endif
}

proctype store()
{
    byte n, mine;

life:
    {
        recover();
end:
        do
        :: req_prod[0] != conn[0].req_cons -> serve(0)
        :: req_prod[1] != conn[1].req_cons -> serve(1)
        od
    } unless {
        atomic { kill -> kill = false; n = 0; mine = 0 }
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

inline ask(what, at, is)
{
    atomic {
        effect[c] = false;
        asked[c] = what;
        node[c] = at;
        value[c] = is;
        req_prod[c]++
    };
    atomic {
        rsp_prod[c] != rsp_cons[c] ->
        assert(rsp_prod[c] == req_prod[c] && effect[c] && answer[c] != UNKNOWN);
        rsp_cons[c]++
    }
}

proctype client(byte c)
{
    byte to;

    if
    :: from[c] = 0
    :: from[c] = 1
    fi;
    if
    :: to = 0
    :: to = 1
    fi;
again:
    ask(START, 0, 0);
    ask(READ, from[c], 0);
    got[c] = answer_value[c];
    ask(PUT, to, got[c] + 1 + c);
    ask(READ, from[c], 0);
    assert(answer_value[c] == (from[c] == to -> got[c] + 1 + c : got[c]));
    if
    :: ask(COMMIT, to, 0);
        if
        :: answer[c] == CONFLICT -> goto again
        :: else
        fi
    :: c == 0 -> ask(ABORT, 0, 0)
    fi;
#ifndef TWO_DEATHS
    if
    :: c == 1 -> ask(WRITE, 0, 9)
    :: else
    fi;
#endif
    finished++
}

proctype check()
{
end:
    timeout -> assert(finished == CLIENTS && req_cons[0] == req_prod[0] &&
                      req_cons[1] == req_prod[1])
}

init
{
    atomic {
        run store();
        run client(0);
        run client(1);
        run killer();
        run check()
    }
}
