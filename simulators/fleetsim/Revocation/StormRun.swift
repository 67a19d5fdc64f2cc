import ArgumentParser
import EST
import Foundation
import MQTT
import NIOCore
import OperatorAPI
import PKI

/// Plays a storm: everybody enrolls and connects, the operator revokes whom the leaked claim let in, and each device
/// tells what it met.
struct StormRun: Sendable {
    let plan: StormPlan
    let file: DevFile
    let label: ESTLabel
    let group: any EventLoopGroup

    private static let agentPatience: Duration = .seconds(20)
    private static let agentPause: Duration = .milliseconds(200)

    private enum Event: Sendable {
        case device(StormResult)
        /// The operator is done; what kept him from it, if anything did.
        case operations(problem: String?)
        case interrupted
    }

    private struct Played {
        var results: [StormResult] = []
        /// What kept the operator from what he was to do; nil if nothing did.
        var problem: String?
        var isInterrupted = false
    }

    /// - Parameter part: What the storm's counts were divided by.
    func run(part: Int) async throws -> StormReport {
        OpenFileLimit.raise()
        let front = try OperatorFront(file, fleet: label.text, group: group)
        try await checkAgents(front)
        // Of this storm alone, so that it revokes nobody else.
        let claim = try Claim(claimAuthority().makeClaim(1))
        let scene = try scene(claim)
        let revoked = Dictionary(
            uniqueKeysWithValues: plan.leaked.map { ($0, Milestone<ContinuousClock.Instant?>()) }
        )
        let began = ContinuousClock.now
        let played = await hearingInterrupts { await play(front, scene, claim, revoked, until: $0) }
        return report(played, scene: scene, began: began, part: part)
    }

    private func play(
        _ front: OperatorFront,
        _ scene: StormScene,
        _ claim: Claim,
        _ revoked: [Int: Milestone<ContinuousClock.Instant?>],
        until interrupt: Milestone<Void>
    ) async -> Played {
        await withTaskGroup(of: Event.self) { group in
            group.addTask {
                // Cancelled at the end, when nobody asks any more.
                try? await interrupt.value()
                return .interrupted
            }
            for number in 1...plan.storm.devices {
                let device = StormDevice(
                    device: Device(number: number, fleet: revoked[number] == nil ? scene.others : scene.leaked),
                    scene: scene,
                    revoked: revoked[number],
                    firstLook: plan.firstLook(of: number)
                )
                group.addTask { .device(await device.live()) }
            }
            group.addTask { .operations(problem: await operate(front, scene, claim, revoked)) }
            return await gather(&group, scene)
        }
    }

    private func gather(_ group: inout TaskGroup<Event>, _ scene: StormScene) async -> Played {
        var played = Played()
        var exposed = plan.leaked.count
        var isOperating = true
        while played.results.count < plan.storm.devices || isOperating, let event = await group.next() {
            switch event {
            case .device(let result):
                played.results.append(result)
                if result.isLeaked { exposed -= 1 }
            case .operations(let problem):
                // What an interruption keeps him from is no problem of his.
                played.problem = played.isInterrupted ? nil : problem
                isOperating = false
            case .interrupted:
                played.isInterrupted = true
                group.cancelAll()
            }
            if exposed == 0, !isOperating { scene.calm.reach(()) }
        }
        group.cancelAll()
        return played
    }

    // MARK: What there is before it

    /// Without an agent nobody's session ends, and each device would wait for that in vain. One that has just started
    /// has not told of itself yet.
    private func checkAgents(_ front: OperatorFront) async throws {
        let deadline = ContinuousClock.now + Self.agentPatience
        while try await !front.agents().contains(where: { $0.endsSessions }) {
            guard ContinuousClock.now < deadline else {
                throw SimulatorError.operation(
                    "no agent of the fleet \(label) ends sessions at the broker; start `muster dev` with --agent"
                )
            }
            try await Task.sleep(for: Self.agentPause)
        }
    }

    private func claimAuthority() throws -> BootstrapAuthority {
        try BootstrapAuthority(
            CredentialFiles(
                "claimCA",
                certificate: nil,
                key: nil,
                dev: (file.files.claimCACert, file.files.claimCAKey)
            )
        )
    }

    private func scene(_ claim: Claim) throws -> StormScene {
        let storm = plan.storm
        let manufacturer = try IdentitySource.manufacturer(file.files, CredentialOptions.parse([]))
        let leaked = try fleet(.claim, .claims([claim]))
        return try StormScene(
            storm: storm,
            leaked: leaked,
            others: fleet(.idevid, .manufacturer(manufacturer)),
            broker: DeviceBroker(file, fleet: label.text, root: leaked.rootDER),
            thread: MQTTThread(),
            gateway: storm.gateway.map { try GatewayDoor($0, group: group) },
            places: Places(storm.concurrency),
            roll: StormRoll(storm.devices)
        )
    }

    private func fleet(_ identity: IdentityKind, _ source: IdentitySource) throws -> SimulatedFleet {
        let storm = plan.storm
        return try SimulatedFleet(
            file,
            label: label,
            plan: FleetPlan(
                seed: storm.seed,
                prefix: storm.prefix,
                identity: identity,
                key: storm.key,
                devices: storm.devices
            ),
            identities: source,
            folder: nil,
            patience: ApprovalPatience(waitMax: .zero),
            retry: storm.retry,
            outputFolder: nil,
            mqtt: false,
            group: group
        )
    }

    // MARK: The operator

    /// Blocks the claim and revokes whom it let in, in the plan's order, some at once.
    /// - Returns: What kept him from it; nil if nothing did.
    private func operate(
        _ front: OperatorFront,
        _ scene: StormScene,
        _ claim: Claim,
        _ revoked: [Int: Milestone<ContinuousClock.Instant?>]
    ) async -> String? {
        // Whoever was not revoked learns that he will not be.
        defer { for milestone in revoked.values { milestone.reach(nil) } }
        do {
            try await scene.roll.complete.value()
            scene.began.reach(.now)
            let comment = "scenario \(plan.storm.name), seed \(plan.storm.seed)"
            try await front.block(credential: claim.sha256, comment: comment)
            let letIn = Set(try await front.devices(letInBy: claim.sha256).map(\.device))
            let order = plan.leaked.filter { letIn.contains(scene.leaked.names.deviceID($0)) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                var waiting = order[...]
                func next() {
                    guard let number = waiting.popFirst() else { return }
                    group.addTask {
                        let at = try await front.revoke(scene.leaked.names.deviceID(number), comment: comment)
                        revoked[number]?.reach(at)
                    }
                }
                for _ in 0..<plan.storm.operators { next() }
                while try await group.next() != nil { next() }
            }
            let lost = plan.leaked.count - order.count
            return lost == 0 ? nil : "the record lacks \(lost) of the devices that the leaked claim is to have let in"
        } catch {
            return FailureReason.text(error)
        }
    }

    // MARK: What it came to

    private func report(
        _ played: Played,
        scene: StormScene,
        began: ContinuousClock.Instant,
        part: Int
    ) -> StormReport {
        let storm = plan.storm
        let duration = ContinuousClock.now - began
        var measures = StormMeasures(devices: storm.devices, revoked: plan.leaked.count)
        measures.hasGateway = scene.gateway != nil
        measures.duration = duration
        var problems: [String: Int] = [:]
        var timeline = Timeline()
        let zero = scene.began.reached ?? began
        for result in played.results {
            if result.isReady { measures.ready += 1 }
            if result.isLeaked, result.isRefused(at: scene.refusals) { measures.refused += 1 }
            if !result.isLeaked, result.isServed { measures.unaffected += 1 }
            measures.renewedAfterwards += result.renewedAfterwards
            if let problem = result.problem, !(result.isServed || result.isRefused(at: scene.refusals)) {
                problems[problem, default: 0] += 1
            }
            if let at = result.revokedAt { timeline.note("revoked", at: at - zero) }
            for moment in result.moments {
                measures.stages[moment.stage, default: LatencyHistogram()].record(moment.took)
                if StormStage.refusals.contains(moment.stage) {
                    timeline.note(moment.stage.title, at: moment.at - zero)
                }
            }
        }
        if let problem = played.problem { problems[problem, default: 0] += 1 }
        return StormReport(
            scenario: storm.name,
            seed: storm.seed,
            part: part,
            fleet: label.text,
            devices: storm.devices,
            isInterrupted: played.isInterrupted,
            revoked: plan.leaked.count,
            seconds: duration.milliseconds / 1000,
            secondsBefore: (zero - began).milliseconds / 1000,
            problems: problems,
            stages: StormReport.stages(measures.stages),
            timeline: timeline.series(["revoked"] + scene.refusals.map(\.title)),
            limits: storm.limits.judge(measures) + [played.problem].compactMap { $0.map { .unmet("operator", $0) } }
        )
    }
}
