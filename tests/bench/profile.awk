# SPDX-License-Identifier: MIT
# For tests/bench/profile: a line of QEMU's trace names an address as [.../ADDRESS/...], 16 digits.
# An operation lasts from its function's first instruction to the next one of measure_forever().
BEGIN {
    while ((getline line <symbols) > 0) {
        split(line, part, " ")
        start[++n] = part[1] "" # as text: some look like numbers
        name[n] = part[2]
        label[part[2]] = part[3]
    }
    FS = "/"
    split("null_hypercall cpuid rdmsr in yield send map_unmap copy_64 copy_page ping_pong",
          op, " ")
    for (i in op)
        is_op["guest:" op[i]] = 1
}

function symbol(at,    low, high, middle) {
    low = 1
    high = n
    while (low < high) {
        middle = int((low + high + 1) / 2)
        if (start[middle] <= at)
            low = middle
        else
            high = middle - 1
    }
    begins[at] = start[low] == at
    return name[low]
}

NF > 3 {
    at = $(NF - 2) ""
    if (!(at in known))
        known[at] = symbol(at)
    here = known[at]
    if (here == "guest:measure_forever") {
        if (current != "")
            runs[current]++
        current = ""
    } else if (current == "" && begins[at] && here in is_op) {
        current = here
    }
    if (current != "") {
        count[current, label[here]]++
        total[current]++
        seen[label[here]] = 1
    }
    if (NR == lines)
        exit
}

# A table with the largest parts in a cell, or a list of all.
function report(current, text,    here, largest, parts) {
    largest = 1
    for (parts = 0; largest && (by == "functions" || parts < 9); parts++) {
        largest = 0
        for (here in seen)
            if (count[current, here] >= runs[current] && count[current, here] > count[current, largest])
                largest = here
        if (largest)
            text = text sprintf(by == "files" ? "%s%s %d" : "%s    %s %d\n",
                                by == "files" && parts ? ", " : "", largest,
                                count[current, largest] / runs[current])
        delete count[current, largest]
    }
    return text
}

END {
    if (by == "files")
        print "| operation | instructions | the files with most of them |\n|---|---:|---|"
    for (i = 1; i in op; i++) {
        current = "guest:" op[i]
        if (!runs[current])
            continue
        printf by == "files" ? "| %s | %d | " : "%s %d\n", op[i], total[current] / runs[current]
        printf "%s", report(current)
        printf by == "files" ? " |\n" : ""
    }
}
