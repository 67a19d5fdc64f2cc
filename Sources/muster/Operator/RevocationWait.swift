import ArgumentParser
import Foundation
import OperatorAPI

/// Whether a command that revokes waits until nobody lets the device in any more.
struct WaitOptions: ParsableArguments {
    static let secondsMax = 3_600

    @Flag(help: "Wait until OCSP, CRLs, broker and agents have it, and tell when each had.") var wait = false
    @Option(help: "With --wait, for so many seconds; status 69 if something lacks it then.") var waitSeconds = 30

    func validate() throws {
        guard (1...Self.secondsMax).contains(waitSeconds) else {
            throw ValidationError("--wait-seconds takes a number from 1 to \(Self.secondsMax)")
        }
    }
}

/// Follows revocations through their stages.
struct RevocationWait {
    private static let pauseMin: Duration = .milliseconds(10)
    private static let pauseMax: Duration = .milliseconds(500)
    /// Devices that are asked about at once.
    private static let parallel = 4

    let fleet: String
    let deadline: ContinuousClock.Instant
    let seconds: Int

    init(fleet: String, _ options: WaitOptions) {
        self.fleet = fleet
        seconds = options.waitSeconds
        deadline = .now + .seconds(options.waitSeconds)
    }

    /// Waits for one device.
    /// - Parameter onStep: Told of each step when it is seen to be reached.
    /// - Returns: How far it is in the end.
    func follow(
        _ device: String,
        _ client: OperatorClient,
        onStep: (API.RevocationProgress.Step, API.RevocationProgress) -> Void = { _, _ in }
    ) async throws -> API.RevocationProgress {
        var told: Set<[String]> = []
        var pause = Self.pauseMin
        while true {
            let names = ["fleet": fleet, "device": device]
            let progress = try await client.read(API.RevocationProgress.self, .getRevocation, names)
            for step in progress.steps where step.isReached && told.insert(step.name).inserted {
                onStep(step, progress)
            }
            if progress.isComplete || .now >= deadline { return progress }
            try await Task.sleep(for: min(pause, max(.zero, deadline - .now)))
            pause = min(pause * 2, Self.pauseMax)
        }
    }

    /// Waits for many.
    /// - Returns: How many are complete in the end, and what lacks the others, with how many it lacks.
    func follow(_ devices: [String], _ client: OperatorClient) async throws -> (complete: Int, lacking: [String: Int]) {
        let line = ProgressLine("waiting for all that refuse them", octets: devices.count)
        defer { line.end() }
        return try await withThrowingTaskGroup(of: API.RevocationProgress.self) { tasks in
            var waiting = devices[...]
            for _ in 0..<Self.parallel {
                guard let device = waiting.popFirst() else { break }
                tasks.addTask { try await follow(device, client) }
            }
            var done = 0
            var complete = 0
            var lacking: [String: Int] = [:]
            while let progress = try await tasks.next() {
                done += 1
                line.update(done)
                if progress.isComplete { complete += 1 }
                for step in progress.steps where !step.isReached {
                    lacking[step.name.joined(separator: " "), default: 0] += 1
                }
                guard let device = waiting.popFirst() else { continue }
                tasks.addTask { try await follow(device, client) }
            }
            return (complete, lacking)
        }
    }

    /// A step as it is shown when it is reached.
    static func line(_ step: API.RevocationProgress.Step, of progress: API.RevocationProgress) -> String {
        let took =
            step.at.map { at in "\(max(0, Int((at.timeIntervalSince(progress.changedAt) * 1_000).rounded()))) ms" }
            ?? "-"
        let padded = String(repeating: " ", count: max(0, 9 - took.count)) + took
        return "\(padded)  \(step.name.joined(separator: " "))"
    }

    /// What is said when the time is over.
    func failure(lacking: [String]) -> CommandFailure {
        CommandFailure(
            .unavailable,
            "revoked, and Muster refuses it, but not everything had it within \(seconds) s",
            faults: lacking.map { "\($0) lacks it" },
            hint: "muster fleet agents \(fleet) tells which agents report; the server's /readyz and log tell the rest"
        )
    }
}

extension API.RevocationProgress.Step {
    /// What tells it from the others.
    var name: [String] { [stage] + (place.map { [$0] } ?? []) }
}
