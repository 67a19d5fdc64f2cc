/// Runs the devices of a fleet: so many at once, and if wanted so many a second.
struct FleetRun: Sendable {
    /// The device of a number, counted from 1.
    let device: @Sendable (_ number: Int) -> Device
    let devices: Int
    let concurrency: Int
    /// Devices that begin in a second, whatever became of those before; nil as fast as they go.
    let rate: Double?

    private enum Event: Sendable {
        case step(Device.Step)
        /// A device has waited for approval as long as it was asked to.
        case due(Device.Waiting)
        case interrupted
    }

    /// Runs to the end, or to an interruption.
    func run(
        until interrupt: Milestone<Void>
    ) async -> (statistics: RunStatistics, elapsed: Duration, isInterrupted: Bool) {
        let began = ContinuousClock.now
        var statistics = RunStatistics()
        var isInterrupted = false
        var progress = ProgressLine(total: devices, began: began)
        await withTaskGroup(of: Event.self) { group in
            group.addTask {
                // Cancelled at the end, when nobody asks any more.
                try? await interrupt.value()
                return .interrupted
            }
            var schedule = FleetSchedule<Device.Waiting>(devices: devices, concurrency: concurrency)
            start(&schedule, began, in: &group)
            while statistics.devices < devices, let event = await group.next() {
                switch event {
                case .interrupted:
                    isInterrupted = true
                    group.cancelAll()
                    for waiting in schedule.stop() { statistics.record(waiting.result) }
                case .step(.ended(let result)):
                    schedule.ended()
                    statistics.record(result, at: .now - began)
                case .step(.waits(var waiting)):
                    schedule.waits()
                    statistics.take(&waiting.result)
                    wait(waiting, in: &group)
                case .due(let waiting) where isInterrupted: statistics.record(waiting.result)
                case .due(let waiting): schedule.isDue(waiting)
                }
                progress.advance(
                    done: statistics.devices,
                    failed: statistics.devices - statistics.succeeded,
                    waiting: schedule.waiting,
                    now: .now
                )
                start(&schedule, began, in: &group)
            }
            group.cancelAll()
        }
        progress.finish()
        return (statistics, .now - began, isInterrupted)
    }

    /// Starts as many devices as there is place for.
    private func start(
        _ schedule: inout FleetSchedule<Device.Waiting>,
        _ began: ContinuousClock.Instant,
        in group: inout TaskGroup<Event>
    ) {
        while let start = schedule.start() {
            switch start {
            case .first(let number): add(number, began, to: &group)
            case .again(let waiting): group.addTask { .step(await waiting.device.resume(waiting)) }
            }
        }
    }

    private func wait(_ waiting: Device.Waiting, in group: inout TaskGroup<Event>) {
        group.addTask {
            // An interrupted wait ends early, and is counted as interrupted.
            try? await Task.sleep(until: waiting.due, clock: .continuous)
            return .due(waiting)
        }
    }

    private func add(_ number: Int, _ began: ContinuousClock.Instant, to group: inout TaskGroup<Event>) {
        let device = device(number)
        // Open loop: the clock alone says when a device is switched on.
        let start = rate.map { began + .seconds(Double(number - 1) / $0) }
        group.addTask {
            if let start {
                do {
                    try await Task.sleep(until: start, clock: .continuous)
                } catch {
                    return .step(.ended(DeviceResult(deviceID: device.deviceID, outcome: .interrupted)))
                }
            }
            return .step(await device.run())
        }
    }
}
