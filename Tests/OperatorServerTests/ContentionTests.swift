import OperatorAPI
import Testing

/// Operators at work on one fleet at one moment.
struct ContentionTests {
    @Test func `registrations and trust stores of one fleet do not wait for each other for ever`() async throws {
        try await OperatorBench.with { bench in
            let statuses = try await withThrowingTaskGroup(of: [Int].self) { group in
                for worker in 0..<4 {
                    group.addTask {
                        let requests = (0..<25).map { number in
                            worker % 2 == 0
                                ? ("POST", "/fleets/meters/truststore/publish")
                                : ("DELETE", "/fleets/meters/registrations/meter-\(worker)-\(number)")
                        }
                        return try await bench.curl.statuses(requests, as: bench.operator)
                    }
                }
                for worker in 0..<2 {
                    group.addTask {
                        var statuses: [Int] = []
                        for number in 0..<25 {
                            let path = "/fleets/meters/registrations/meter-\(worker)-\(number)"
                            let pins = API.RegistrationPins()
                            let answer = try await bench.curl.send("PUT", path, as: bench.operator, json: pins)
                            statuses.append(answer.status)
                        }
                        return statuses
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(statuses.filter { ![200, 201, 204, 404, 409].contains($0) } == [])
        }
    }
}
