/* SPDX-License-Identifier: MIT */
/*
 * One grant, its mapper's two vCPUs, and both domains' ends. Follows hyp/dom/grant.c (acquire,
 * release), hyp/dom/grant_map.c (map, unmap, flush, grant_free_slice), hyp/dom/grant_copy.c,
 * hyp/dom/teardown.c, and hyp/x86/flush.c with the entry in vmx/vmexit.c and svm/svmexit.c; the
 * granter revokes as Linux's gnttab_end_foreign_access_ref() does.
 *
 * Property: nobody reaches the frame after a successful revoke or when it is free, neither through
 * a translation that a CPU still holds nor by a copy; it is not freed while mapped; a domain that
 * others use is not freed; both teardowns end. What is bounded: rounds of the granter, operations
 * of the mapper; the granter's end may come at any time.
 */
#ifndef OPS
#define OPS 3 /* of vCPU 0; vCPU 1 does one less */
#endif
#define ROUNDS 2 /* grants */
#define NONE   2

#define PERMIT  1
#define READING 2
#define WRITING 4

/* The granter: its entry, whether the frame is its own again, its end. */
byte flags;
bool revoked, dead, p2m_gone, linked = true, freed_domain;
byte domain_refs = 1;

/* grant.c: the lock, the active entry; mm/frame.c. */
bool lock_granter;
byte readers, writers, mapped, refs = 1, pins;
bool frame_free;

/* The mapper: handles, one place for each; its p2m and what its CPUs have cached of it. */
bool lock_mapper, handle[2], readonly[2], entry[2], mapper_dead;
byte gen, running = 2;
bool in_guest[2], tlb0[2], tlb1[2];
byte entry_gen[2], seen_gen[2];

inline lock(l) { atomic { !l -> l = true } }

inline reach()
{
    assert(!revoked && !frame_free)
}

inline put_frame()
{
    refs--;
    if
    :: !refs -> assert(!pins); frame_free = true
    :: else
    fi
}

/* domain_get(), domain_put(). */
inline get_domain()
{
    atomic { got = linked; domain_refs = domain_refs + got }
}

inline put_domain()
{
    atomic {
        domain_refs--;
        if
        :: !domain_refs -> assert(!mapped && !lock_granter); freed_domain = true
        :: else
        fi
    }
}

/* grant_acquire(): got says whether. */
inline acquire(ro)
{
    assert(!freed_domain);
    atomic {
        !lock_granter -> lock_granter = true;
        first = !readers && !writers;
#ifdef NO_DEAD
        got = true
#else
        got = !dead
#endif
    }
    if
    :: got && (first || (!ro && !writers)) -> /* mark_used() */
#ifdef NO_COMPARE
        if
        :: first && !(flags & PERMIT) -> got = false
        :: else
        fi;
        if
        :: got -> flags = flags | (ro -> READING : READING | WRITING)
        :: else
        fi
#else
        atomic {
            if
            :: first && !(flags & PERMIT) -> got = false
            :: else -> flags = flags | (ro -> READING : READING | WRITING)
            fi
        }
#endif
    :: else
    fi;
    if
    :: got && first ->
        assert(!p2m_gone && !frame_free);
#ifndef NO_PIN
        refs++; pins++; /* frame_pin(), frame_unpin(): without a lock, each by itself */
#endif
        mapped++
    :: else
    fi;
    atomic {
        if
        :: got && ro -> readers++
        :: got && !ro -> writers++
        :: else
        fi;
        first = false;
        lock_granter = false
    }
}

inline release(ro)
{
    assert(!freed_domain);
    lock(lock_granter);
    atomic {
        if
        :: ro -> readers--
        :: else -> writers--
        fi;
        if /* mark_unused() */
        :: !writers -> flags = flags & ~WRITING
        :: else
        fi;
        if
        :: !writers && !readers -> flags = flags & ~READING
        :: else
        fi
    }
    if
    :: !readers && !writers ->
#ifndef NO_PIN
        pins--;
        atomic { put_frame() }
#endif
        mapped--
    :: else
    fi;
    lock_granter = false
}

/* grant_map(): at the vCPU's own place. */
inline map(ro)
{
    get_domain();
    if
    :: got ->
        acquire(ro);
        if
        :: got -> /* enter() */
            lock(lock_mapper);
            atomic {
                if
                :: mapper_dead || handle[id] -> got = false
                :: else -> handle[id] = true; readonly[id] = ro; entry[id] = true
                fi;
                lock_mapper = false
            }
            if
            :: !got -> release(ro)
            :: else
            fi
        :: else
        fi;
        put_domain()
    :: else
    fi
}

/* leave_locked(): h was mapped as ro. */
inline leave(h)
{
    handle[h] = false;
    ro = readonly[h];
    readonly[h] = false;
    entry[h] = false;
    gen++
}

/* arch_p2m_flush(): the other CPU; NONE: both. */
inline flush(self)
{
    now = gen;
    for (cpu : 0 .. 1) {
        if
        :: cpu != self && in_guest[cpu] ->
            if
            :: entry_gen[cpu] < now -> !in_guest[cpu] || entry_gen[cpu] >= now
            :: else
            fi
        :: else
        fi
    }
    atomic { now = 0; cpu = 0 }
}

inline let_go(self)
{
#ifdef EARLY_RELEASE
    get_domain();
    assert(got);
    release(ro);
    put_domain();
    flush(self)
#else
    flush(self);
    get_domain();
    assert(got);
    release(ro);
    put_domain()
#endif
}

/* grant_unmap() and grant_map_flush(). */
inline unmap(h)
{
    lock(lock_mapper);
    atomic {
        got = handle[h];
        if
        :: got -> leave(h)
        :: else
        fi;
        lock_mapper = false
    }
    if
    :: got -> let_go(id)
    :: else
    fi
}

/* grant_copy() from the grant. */
inline copy()
{
    get_domain();
    if
    :: got ->
        acquire(true);
        if
        :: got -> reach(); release(true)
        :: else
        fi;
        put_domain()
    :: else
    fi
}

#ifdef COPY_BY_MAPPING
/* A hypercall's argument in memory that the caller has by grant: p2m_get(), copy, frame_put(). */
inline copy_by_mapping()
{
    atomic {
        got = entry[0] || entry[1];
        refs = refs + got
    }
    if
    :: got -> reach(); atomic { put_frame() }
    :: else
    fi
}
#endif

/* The CPU may fill its TLB from the p2m at any time, and use what it holds. */
inline guest()
{
#ifdef LATE_IN_GUEST
    now = gen;
    in_guest[id] = true;
#else
    in_guest[id] = true;
    now = gen;
#endif
    atomic {
        entry_gen[id] = now;
        if
#ifndef NO_TLB_FLUSH
        :: now != seen_gen[id] -> tlb0[id] = false; tlb1[id] = false
#endif
        :: else
        fi;
        seen_gen[id] = now;
        now = 0
    }
    if
    :: atomic { entry[0] -> tlb0[id] = true }
    :: atomic { entry[1] -> tlb1[id] = true }
    :: tlb0[id] || tlb1[id]
    :: atomic { else -> skip }
    fi;
    if
    :: tlb0[id] || tlb1[id] -> reach()
    :: else
    fi;
    atomic { entry_gen[id] = 0; in_guest[id] = false }
}

proctype vcpu(byte id)
{
    byte n = OPS - id, now, cpu;
    bool got, first, ro;

    do
    :: n -> n--; map(true)
    :: n -> n--; map(false)
    :: n -> n--; unmap(0)
    :: n -> n--; unmap(1)
    :: n -> n--; copy()
    :: n -> n--; guest()
#ifdef COPY_BY_MAPPING
    :: n -> n--; copy_by_mapping()
#endif
    :: break
    od;
    running--
}

/* The mapper's end: grant_free_slice(). */
proctype mapper_end()
{
    byte now, cpu, h;
    bool got, ro;

    !running;
    for (h : 0 .. 1) {
        lock(lock_mapper);
        atomic {
            mapper_dead = true;
            got = handle[h];
            if
            :: got -> leave(h)
            :: else
            fi;
            lock_mapper = false
        }
        if
        :: got -> let_go(NONE)
        :: else
        fi
    }
}

proctype granter()
{
    byte n = ROUNDS;

    do
    :: n ->
        n--;
        atomic { revoked = false; flags = PERMIT };
        do
        :: atomic { !(flags & (READING | WRITING)) -> flags = 0; revoked = true }; break
        :: goto end_of_life
        od
    :: else -> break
    od;
end_of_life:
    lock(lock_granter);
    dead = true;
    lock_granter = false;
    /* STEP_MEMORY */
    p2m_gone = true;
    atomic { put_frame() };
    /* STEP_ZOMBIE */
#ifndef NO_ZOMBIE
    !mapped;
#endif
    linked = false;
    put_domain()
}

proctype check()
{
end:
    timeout -> assert(freed_domain && frame_free && !running && !handle[0] && !handle[1])
}

init
{
    atomic {
        run vcpu(0);
        run vcpu(1);
        run mapper_end();
        run granter();
        run check()
    }
}
