#ifndef MUSTER_CLIBPQ_SHIM_H
#define MUSTER_CLIBPQ_SHIM_H
#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

// Swift's Glibc module has no <sys/epoll.h>. These are its calls, with a number for each socket as the event's data.
#define MUSTER_EPOLL_BATCH_MAX 64

static inline int muster_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

static inline bool muster_epoll_control(int epoll, int operation, int socket, uint64_t number, bool wants_write) {
    struct epoll_event event = {.events = EPOLLIN | (wants_write ? EPOLLOUT : 0), .data = {.u64 = number}};
    return epoll_ctl(epoll, operation, socket, &event) == 0;
}

static inline bool muster_epoll_add(int epoll, int socket, uint64_t number) {
    return muster_epoll_control(epoll, EPOLL_CTL_ADD, socket, number, false);
}

static inline bool muster_epoll_modify(int epoll, int socket, uint64_t number, bool wants_write) {
    return muster_epoll_control(epoll, EPOLL_CTL_MOD, socket, number, wants_write);
}

static inline bool muster_epoll_remove(int epoll, int socket) {
    return muster_epoll_control(epoll, EPOLL_CTL_DEL, socket, 0, false);
}

// Waits for events and writes the numbers of their sockets, MUSTER_EPOLL_BATCH_MAX at most; gives how many.
static inline int muster_epoll_wait(int epoll, uint64_t *numbers) {
    struct epoll_event events[MUSTER_EPOLL_BATCH_MAX];
    int count = epoll_wait(epoll, events, MUSTER_EPOLL_BATCH_MAX, -1);
    for (int index = 0; index < count; index++) numbers[index] = events[index].data.u64;
    return count;
}
#endif
