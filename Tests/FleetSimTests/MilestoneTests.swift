import Testing

@testable import fleetsim

@Suite struct `A milestone` {
    @Test func `is heard of by who waits and by who comes later, and stays what it was first`() async throws {
        let milestone = Milestone<Int>()
        #expect(milestone.reached == nil)
        async let early = milestone.value()
        milestone.reach(1)
        milestone.reach(2)
        #expect(try await early == 1)
        #expect(try await milestone.value() == 1 && milestone.reached == 1)
    }

    @Test func `is waited for no longer than asked, nor by a task that is cancelled`() async throws {
        let milestone = Milestone<Int>()
        #expect(try await milestone.value(within: .milliseconds(20)) == nil)
        let waits = Task { try await milestone.value() }
        waits.cancel()
        await #expect(throws: CancellationError.self) { try await waits.value }
    }
}

@Suite struct `The places of a run` {
    @Test func `are taken by so many at once and no more`() async throws {
        let places = Places(3)
        let inside = Tally()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    let place = await places.enter()
                    await inside.enter()
                    await Task.yield()
                    await inside.leave()
                    place.leave()
                    place.leave()
                }
            }
        }
        #expect(await (1...3).contains(inside.most))
        // One that is let go of is free again.
        for _ in 0..<4 { _ = await places.enter() }
    }
}

private actor Tally {
    var now = 0
    var most = 0

    func enter() {
        now += 1
        most = max(most, now)
    }

    func leave() { now -= 1 }
}
