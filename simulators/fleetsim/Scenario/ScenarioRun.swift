import ArgumentParser
import EST
import Foundation
import NIOCore

/// Plays a plan, phase after phase, and holds the record and the limits against what came of it.
struct ScenarioRun: Sendable {
    let plan: ScenarioPlan
    let file: DevFile
    let label: ESTLabel
    let group: any EventLoopGroup

    private struct Played {
        var statistics = RunStatistics()
        var phases: [ScenarioReport.PhaseReport] = []
        var elapsed: Duration = .zero
        var isInterrupted = false
    }

    /// - Parameter part: What the scenario's counts were divided by.
    func run(part: Int) async throws -> ScenarioReport {
        try await report(hearingInterrupts { try await play(until: $0) }, part: part)
    }

    private func play(until interrupt: Milestone<Void>) async throws -> Played {
        var played = Played()
        let began = ContinuousClock.now
        for phase in plan.phases {
            if phase.phase.after > .zero {
                // Who is to do something in the pause, such as stop the server, has to know when it is.
                let pause = "\(phase.phase.name) begins in \(phase.phase.after)\n"
                FileHandle.standardError.write(Data(pause.utf8))
                played.isInterrupted = try await interrupt.value(within: phase.phase.after) != nil
            }
            if !played.isInterrupted { try await play(phase, &played, after: .now - began, until: interrupt) }
            if played.isInterrupted { break }
        }
        played.elapsed = .now - began
        return played
    }

    private func play(
        _ phase: ScenarioPlan.Phase,
        _ played: inout Played,
        after offset: Duration,
        until interrupt: Milestone<Void>
    ) async throws {
        let fleet = try fleet(of: phase.phase)
        let run = FleetRun(
            device: { [units = phase.units, storm = phase.phase.storm] number in
                Device(number: number, fleet: fleet, plan: units[number - 1], storm: storm)
            },
            devices: phase.units.count,
            concurrency: phase.phase.storm == nil ? phase.phase.concurrency : EnrollCommand.concurrencyMax,
            rate: phase.phase.rate
        )
        let (statistics, elapsed, isInterrupted) = await run.run(until: interrupt)
        played.statistics.add(statistics, after: offset)
        played.isInterrupted = isInterrupted
        played.phases.append(
            ScenarioReport.PhaseReport(
                name: phase.phase.name,
                units: phase.units.count,
                seconds: elapsed.milliseconds / 1000,
                counts: statistics.codes
            )
        )
    }

    private func fleet(of phase: ScenarioPhase) throws -> SimulatedFleet {
        try SimulatedFleet(
            file,
            label: label,
            plan: FleetPlan(
                seed: plan.scenario.seed,
                prefix: plan.scenario.prefix,
                identity: phase.identity,
                key: phase.key,
                devices: phase.devices
            ),
            identities: IdentitySource(
                phase.identity,
                files: file.files,
                options: CredentialOptions.parse([]),
                folder: nil
            ),
            folder: nil,
            patience: ApprovalPatience(waitMax: .zero),
            retry: plan.scenario.retry,
            outputFolder: nil,
            mqtt: false,
            group: group
        )
    }

    private func report(_ played: Played, part: Int) async throws -> ScenarioReport {
        let statistics = played.statistics
        var record: Report.RecordReport?
        var keys: KeyProof.Finding?
        if let database = file.database {
            record = await RecordProof.check(statistics.held, database: database)
            keys = await KeyProof.check(try deviceIDs(), fleet: label.text, database: database)
        }
        let measures = ScenarioMeasures(
            units: plan.units,
            counts: statistics.codes,
            played: statistics.played,
            stages: statistics.stages,
            retriesMost: statistics.retriesMost,
            duration: played.elapsed,
            certificatesPerKey: keys.flatMap { $0.problem == nil ? $0.certificatesMost : nil },
            missing: record.flatMap { $0.problem == nil ? $0.missing : nil },
            changed: statistics.changed
        )
        return ScenarioReport(
            scenario: plan.scenario.name,
            seed: plan.scenario.seed,
            part: part,
            fleet: label.text,
            units: plan.units,
            unitsDone: statistics.devices,
            isInterrupted: played.isInterrupted,
            seconds: played.elapsed.milliseconds / 1000,
            phases: played.phases,
            counts: statistics.codes,
            reasons: statistics.reasons,
            retries: statistics.retries,
            played: Dictionary(uniqueKeysWithValues: statistics.played.map { ($0.key.rawValue, $0.value) }),
            waitedForServer: statistics.waitedForServer,
            stages: Report.stages(statistics),
            record: record,
            keys: keys,
            limits: plan.scenario.limits.judge(measures),
            distributions: Stage.allCases.compactMap { stage in
                statistics.stages[stage].map { CurveReport(name: stage.rawValue, points: $0.distribution) }
            },
            timeline: statistics.timeline.series(statistics.timeline.names)
        )
    }

    /// Of all devices, each once.
    private func deviceIDs() throws -> [String] {
        guard let names = FleetSeed(value: plan.scenario.seed, prefix: plan.scenario.prefix) else { return [] }
        return plan.phases.flatMap(\.units).filter { $0.copy == .original }.map { names.deviceID($0.deviceNumber) }
    }
}
