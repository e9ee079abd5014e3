/* SPDX-License-Identifier: MIT */
#include "tools/progress.h"

#include <stdio.h>
#include <string.h>
#include "tools/bl.h"
#include "tools/events.h"

#define BAR      24
#define EVERY_MS 100

static const char *name;
static uint64_t all, begun, shown;

void progress_begin(const char *what, uint64_t total)
{
    name = what;
    all = total ? total : 1;
    begun = events_now();
    shown = 0;
}

void progress_at(uint64_t done)
{
    uint64_t now = events_now(), ms = now - begun + 1, left;
    char bar[BAR + 1], text[160];
    size_t full;

    if (done > all)
        done = all;
    if (now < shown + EVERY_MS && done < all)
        return;
    shown = now;
    full = (size_t)(done * BAR / all);
    memset(bar, ' ', BAR);
    memset(bar, '=', full);
    bar[BAR] = '\0';
    left = done ? (uint64_t)((double)(all - done) * (double)ms / (double)done) / 1000 : 0;
    snprintf(text, sizeof(text), "%.40s [%s] %3lu%%  %.1f MiB/s  %lu:%02lu left", name, bar,
             done * 100 / all, (double)done / (1 << 20) * 1000 / (double)ms, left / 60, left % 60);
    bl_progress(text);
}

void progress_end(void)
{
    bl_progress(NULL);
}
