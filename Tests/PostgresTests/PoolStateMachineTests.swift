import Testing

@testable import Postgres

@Suite struct `The pool's decisions` {
    private func machine(connectionsMax: Int = 2, connectionsMin: Int = 0, waitingMax: Int = 3) -> PoolStateMachine {
        PoolStateMachine(
            limits: PoolStateMachine.Limits(
                connectionsMax: connectionsMax,
                connectionsMin: connectionsMin,
                waitingMax: waitingMax,
                acquireTimeout: 100,
                backoff: Backoff(pauseMin: 10, pauseMax: 1000),
                failuresBeforeRefusing: 2
            )
        )
    }

    @Test func `open a connection for the first caller and lend it`() {
        var machine = machine()
        #expect(machine.acquire(1, now: 0) == .waits([.open(1), .wake(at: 100)]))
        #expect(machine.opened(1, now: 5) == [.lend(1, to: 1)])
        #expect(machine.release(1, isUsable: true, now: 7) == [])
        #expect(machine.acquire(2, now: 9) == .lent(1, idleSince: 7))
        #expect(machine.statistics.inUse == 1)
    }

    @Test func `serve callers in the order in which they came, within both bounds`() {
        var machine = machine()
        #expect(machine.acquire(1, now: 0) == .waits([.open(1), .wake(at: 100)]))
        #expect(machine.acquire(2, now: 1) == .waits([.open(2)]))
        #expect(machine.acquire(3, now: 2) == .waits([]))
        #expect(machine.acquire(4, now: 3) == .refused("3 callers wait for a connection already"))
        #expect(machine.opened(2, now: 4) == [.lend(2, to: 1)])
        #expect(machine.opened(1, now: 4) == [.lend(1, to: 2)])
        #expect(machine.release(1, isUsable: true, now: 5) == [.lend(1, to: 3)])
    }

    @Test func `replace a broken connection for those who wait`() {
        var machine = machine(connectionsMax: 1)
        _ = machine.acquire(1, now: 0)
        _ = machine.opened(1, now: 0)
        #expect(machine.acquire(2, now: 0) == .waits([]))
        #expect(machine.release(1, isUsable: false, now: 0) == [.close(1), .open(2)])
        #expect(machine.opened(2, now: 0) == [.lend(2, to: 2)])
    }

    @Test func `refuse a caller at its deadline, and one that was cancelled not at all`() {
        var machine = machine(connectionsMax: 1)
        #expect(machine.acquire(1, now: 0) == .waits([.open(1), .wake(at: 100)]))
        #expect(machine.acquire(2, now: 50) == .waits([]))
        #expect(machine.acquire(3, now: 60) == .waits([]))
        #expect(machine.cancel(2) == true)
        #expect(machine.cancel(2) == false)
        #expect(machine.expire(now: 100) == [.refuse(1, "all 1 connections are in use"), .wake(at: 160)])
        // The connection that was being made for the first is the third's.
        #expect(machine.opened(1, now: 110) == [.lend(1, to: 3)])
        #expect(machine.expire(now: 160) == [])
    }

    @Test func `pause longer after each failure, and refuse at once while the server is away`() {
        var machine = machine()
        _ = machine.acquire(1, now: 0)
        #expect(machine.openFailed(1, reason: "refused", jitter: 1) == [.retry(after: 10)])
        // During the pause nobody tries.
        #expect(machine.acquire(2, now: 1) == .waits([]))
        // One attempt serves as a probe for all that wait.
        #expect(machine.retry() == [.open(2)])
        #expect(
            machine.openFailed(2, reason: "refused", jitter: 1)
                == [.refuse(1, "refused"), .refuse(2, "refused"), .retry(after: 20)]
        )
        #expect(machine.acquire(3, now: 2) == .refused("refused"))
        // With nobody waiting the pool is quiet, and the next caller is the next probe.
        #expect(machine.retry() == [])
        #expect(machine.acquire(4, now: 3) == .waits([.open(3)]))
        #expect(machine.opened(3, now: 4) == [.lend(3, to: 4)])
        #expect(machine.statistics.connectFailures == 0)
    }

    @Test func `keep the least number of connections once maintained`() {
        var machine = machine(connectionsMax: 3, connectionsMin: 2)
        #expect(machine.maintain() == [.open(1), .open(2)])
        #expect(machine.opened(1, now: 0) == [])
        #expect(machine.openFailed(2, reason: "refused", jitter: 0) == [.retry(after: 5)])
        #expect(machine.retry() == [.open(3)])
        #expect(machine.opened(3, now: 1) == [])
        #expect(machine.lost(3) == [.close(3), .open(4)])
    }

    @Test func `close everything, what is lent when it comes back`() {
        var machine = machine(connectionsMax: 3)
        for waiter in 1...3 { _ = machine.acquire(UInt64(waiter), now: 0) }
        for id in 1...2 { _ = machine.opened(UInt64(id), now: 0) }
        _ = machine.release(1, isUsable: true, now: 0)
        #expect(machine.release(2, isUsable: true, now: 0) == [])
        #expect(machine.close() == [.close(2)])
        #expect(machine.acquire(9, now: 0) == .refused("the pool is closed"))
        #expect(machine.release(1, isUsable: true, now: 0) == [.close(1)])
        #expect(machine.opened(3, now: 0) == [.close(3)])
    }

    @Test func `never pause longer than the longest`() {
        let backoff = Backoff(pauseMin: 50, pauseMax: 2000)
        for failures in 1...100 {
            #expect(backoff.pause(failures: failures, jitter: 1) == min(50 << UInt64(min(failures - 1, 20)), 2000))
            #expect(backoff.pause(failures: failures, jitter: 0) * 2 == backoff.pause(failures: failures, jitter: 1))
        }
    }

    @Test func `a statement cache evicts what was used least recently`() {
        var cache = StatementCache(countMax: 2)
        #expect(cache.lookUp("select 1") == .prepare(name: "m1"))
        #expect(cache.lookUp("select 2") == .prepare(name: "m2"))
        #expect(cache.lookUp("select 1") == .prepared(name: "m1"))
        #expect(cache.lookUp("select 3") == .prepare(name: "m3"))
        #expect(cache.evicted == ["m2"])
        cache.deallocated(name: "m2")
        #expect(cache.evicted == [])
        // One text with values of other types is another statement.
        #expect(cache.lookUp("select \(1)") == .prepare(name: "m4"))
        #expect(cache.lookUp("select \("a")") == .prepare(name: "m5"))
    }
}
