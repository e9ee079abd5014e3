// SPDX-License-Identifier: MIT
/* Preloaded into Bochs, which sends each byte of its serial port alone: without TCP_NODELAY, all
 * but the first wait for the 40 ms that Linux waits with its acknowledgement (Nagle's algorithm).
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int socket(int domain, int type, int protocol)
{
    const int on = 1;
    int fd = (int)syscall(SYS_socket, domain, type, protocol);

    if (fd >= 0 && domain == AF_INET)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}
