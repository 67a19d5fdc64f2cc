import Testing

@testable import fleetsim

@Suite struct `The schedule of a run` {
    private typealias Schedule = FleetSchedule<String>

    private func started(_ schedule: inout Schedule) -> [String] {
        var all: [String] = []
        while let start = schedule.start() {
            switch start {
            case .first(let number): all.append("\(number)")
            case .again(let waiting): all.append(waiting)
            }
        }
        return all
    }

    @Test func `keeps to its places, and gives each that comes free to the next device`() {
        var schedule = Schedule(devices: 5, concurrency: 2)
        #expect(started(&schedule) == ["1", "2"])
        schedule.ended()
        #expect(started(&schedule) == ["3"])
        schedule.ended()
        schedule.ended()
        #expect(started(&schedule) == ["4", "5"])
        schedule.ended()
        #expect(started(&schedule) == [])
    }

    @Test func `lets every device of a fleet wait at once`() {
        var schedule = Schedule(devices: 1000, concurrency: 1)
        for number in 1...1000 {
            #expect(started(&schedule) == ["\(number)"])
            schedule.waits()
        }
        #expect(started(&schedule) == [])
        #expect(schedule.waiting == 1000)
    }

    @Test func `takes devices in the order in which they became due`() {
        var schedule = Schedule(devices: 200, concurrency: 200)
        #expect(started(&schedule).count == 200)
        for _ in 1...200 { schedule.waits() }
        for number in 1...200 { schedule.isDue("w\(number)") }
        #expect(started(&schedule) == (1...200).map { "w\($0)" })
    }

    @Test func `lets new devices and those that are due take turns`() {
        var schedule = Schedule(devices: 9, concurrency: 3)
        #expect(started(&schedule) == ["1", "2", "3"])
        for _ in 1...3 { schedule.waits() }
        for number in 1...3 { schedule.isDue("w\(number)") }
        #expect(started(&schedule) == ["w1", "4", "w2"])
        for _ in 1...3 { schedule.ended() }
        #expect(started(&schedule) == ["5", "w3", "6"])
    }

    @Test func `starts nothing after it was stopped, and gives back what was due`() {
        var schedule = Schedule(devices: 5, concurrency: 1)
        #expect(started(&schedule) == ["1"])
        schedule.waits()
        #expect(started(&schedule) == ["2"])
        schedule.isDue("w1")
        #expect(schedule.stop() == ["w1"])
        schedule.ended()
        #expect(started(&schedule) == [])
    }
}

@Suite struct `Patience for approval` {
    @Test func `is over at once if there is none`() {
        let patience = ApprovalPatience(waitMax: .zero)
        #expect(patience.pause(asked: .seconds(1), waited: .zero) == nil)
    }

    @Test func `waits as long as Retry-After says, and a second at least`() {
        let patience = ApprovalPatience(waitMax: .seconds(60))
        #expect(patience.pause(asked: .seconds(20), waited: .zero) == .seconds(20))
        #expect(patience.pause(asked: .zero, waited: .zero) == .seconds(1))
        #expect(patience.pause(asked: .seconds(20), waited: .seconds(40)) == .seconds(20))
    }

    @Test func `ends rather than ask sooner than Retry-After says`() {
        let patience = ApprovalPatience(waitMax: .seconds(60))
        #expect(patience.pause(asked: .seconds(20), waited: .seconds(41)) == nil)
        #expect(patience.pause(asked: .seconds(61), waited: .zero) == nil)
    }
}

@Suite struct `The spread over claims` {
    @Test func `makes batches that differ by one device at most`() {
        var batches: [Int: Int] = [:]
        for number in 1...100 { batches[Claim.index(of: number, of: 3), default: 0] += 1 }
        #expect(batches == [0: 34, 1: 33, 2: 33])
    }

    @Test func `gives the same device the same batch each time`() {
        #expect((1...7).map { Claim.index(of: $0, of: 3) } == [0, 1, 2, 0, 1, 2, 0])
        #expect(Claim.index(of: 5, of: 1) == 0)
    }
}
