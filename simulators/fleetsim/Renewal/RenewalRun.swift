import ArgumentParser
import EST
import Foundation
import NIOCore
import OperatorAPI

/// Plays a fleet that renews: makes it if it is not there, and lets its devices live.
struct RenewalRun: Sendable {
    /// How long a new fleet may take to be known to the device front.
    private static let fleetPatience: Duration = .seconds(20)
    private static let fleetPause: Duration = .milliseconds(100)

    let plan: RenewalPlan
    let file: DevFile
    let label: ESTLabel
    let group: any EventLoopGroup

    private enum Event: Sendable {
        case device(RenewalResult)
        case interrupted
    }

    /// - Parameter part: What the counts were divided by.
    func run(part: Int) async throws -> RenewalReport {
        OpenFileLimit.raise()
        let fleet = try fleet()
        try await makeFleet(fleet)
        let began = ContinuousClock.now
        let (results, isInterrupted) = await hearingInterrupts { await play(fleet, began, until: $0) }
        return report(results, duration: .now - began, part: part, isInterrupted: isInterrupted)
    }

    private func play(
        _ fleet: SimulatedFleet,
        _ began: ContinuousClock.Instant,
        until interrupt: Milestone<Void>
    ) async -> (results: [RenewalResult], isInterrupted: Bool) {
        let ends = began + plan.renewal.play
        let places = Places(plan.renewal.concurrency)
        return await withTaskGroup(of: Event.self) { group in
            group.addTask {
                // Cancelled at the end, when nobody asks any more.
                try? await interrupt.value()
                return .interrupted
            }
            for unit in plan.units {
                let device = RenewalDevice(
                    device: Device(number: unit.number, fleet: fleet),
                    unit: unit,
                    plan: plan,
                    places: places,
                    began: began,
                    ends: ends
                )
                group.addTask { .device(await device.live()) }
            }
            var results: [RenewalResult] = []
            var isInterrupted = false
            while results.count < plan.units.count, let event = await group.next() {
                switch event {
                case .device(let result): results.append(result)
                case .interrupted:
                    isInterrupted = true
                    group.cancelAll()
                }
            }
            group.cancelAll()
            return (results, isInterrupted)
        }
    }

    private func fleet() throws -> SimulatedFleet {
        let renewal = plan.renewal
        return try SimulatedFleet(
            file,
            label: label,
            plan: FleetPlan(
                seed: renewal.seed,
                prefix: renewal.prefix,
                identity: .idevid,
                key: renewal.key,
                devices: renewal.devices
            ),
            identities: .manufacturer(IdentitySource.manufacturer(file.files, CredentialOptions.parse([]))),
            folder: nil,
            patience: ApprovalPatience(waitMax: .zero),
            retry: renewal.retry,
            outputFolder: nil,
            mqtt: false,
            group: group
        )
    }

    /// A fleet of its own, whose certificates live as the file says, and the wait until the device front knows it.
    private func makeFleet(_ fleet: SimulatedFleet) async throws {
        let front = try OperatorFront(file, fleet: label.text, group: group)
        let seconds = plan.renewal.lifetime.components.seconds
        try await front.apply(
            FleetDescription(
                fleet: label.text,
                policy: "open",
                profile: FleetDescription.Profile(
                    organization: "Muster Simulated Devices",
                    trustDomain: "muster.local",
                    lifetime: "\(seconds)s"
                ),
                anchors: [
                    FleetDescription.Anchor(
                        name: "manufacturer",
                        certificate: DevFile.text(of: file.files.manufacturerCert, named: "manufacturerCert"),
                        deviceID: "subject-serial-number"
                    )
                ]
            )
        )
        let first = Device(number: 1, fleet: fleet)
        let tls = try fleet.tlsContext(fleet.credential(of: first))
        let deadline = ContinuousClock.now + Self.fleetPatience
        while true {
            if case .ok = try await fleet.client.perform(.cacerts, tls: tls).reply { return }
            guard ContinuousClock.now < deadline else {
                throw SimulatorError.operation("the device front does not know the fleet \(label) yet; try again")
            }
            try await Task.sleep(for: Self.fleetPause)
        }
    }

    private func report(
        _ results: [RenewalResult],
        duration: Duration,
        part: Int,
        isInterrupted: Bool
    ) -> RenewalReport {
        let renewal = plan.renewal
        var measures = RenewalMeasures(devices: renewal.devices)
        measures.duration = duration
        var problems: [String: Int] = [:]
        var answers: [String: Int] = [:]
        var seconds: [Int: Int] = [:]
        var timeline = Timeline()
        var renewals = 0
        for result in results {
            if result.isCurrent { measures.current += 1 }
            if result.hasLapsed { measures.lapsed += 1 }
            if result.isOutdated { measures.outdated += 1 }
            if !result.returned.isEmpty { measures.returned += 1 }
            measures.renewedAfterEnd += result.renewedAfterEnd
            renewals += result.renewals.count
            for renewal in result.renewals {
                measures.times.record(renewal.took)
                timeline.note("renewed", at: renewal.at)
            }
            for time in result.returned { timeline.note("came back", at: time) }
            for time in result.asked {
                timeline.note("asked", at: time)
                seconds[Int(time.components.seconds), default: 0] += 1
            }
            for answer in result.problems { answers[answer, default: 0] += 1 }
            if let problem = result.problem { problems[problem, default: 0] += 1 }
        }
        measures.peak = seconds.values.max() ?? 0
        return RenewalReport(
            scenario: renewal.name,
            seed: renewal.seed,
            part: part,
            fleet: label.text,
            devices: renewal.devices,
            isInterrupted: isInterrupted,
            renewals: renewals,
            outdated: measures.outdated,
            returned: measures.returned,
            peak: measures.peak,
            seconds: duration.milliseconds / 1000,
            problems: problems,
            answers: answers,
            times: measures.times.count > 0 ? Report.StageReport(measures.times) : nil,
            distribution: CurveReport(name: "renewal", points: measures.times.distribution),
            timeline: timeline.series(["asked", "renewed", "came back"]),
            rate: CurveReport(
                name: "requests",
                points: (0...max(seconds.keys.max() ?? 0, 0)).map { second in
                    CurveReport.Point(x: Double(second + 1), y: Double(seconds[second] ?? 0))
                }
            ),
            limits: renewal.limits.judge(measures)
        )
    }
}
