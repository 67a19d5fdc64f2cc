import Dispatch
import Foundation
import Glibc

/// Runs the devices of a fleet: so many at once, and if wanted so many a second.
struct FleetRun: Sendable {
    let fleet: SimulatedFleet
    let devices: Int
    let concurrency: Int
    /// Devices that begin in a second, whatever became of those before; nil as fast as they go.
    let rate: Double?

    private enum Event: Sendable {
        case device(DeviceResult)
        case interrupted
    }

    /// Runs to the end, or to SIGINT.
    func run() async -> (statistics: RunStatistics, elapsed: Duration, isInterrupted: Bool) {
        let (signals, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        // The default action would end the process before it could report.
        let previous = Glibc.signal(SIGINT, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
        source.setEventHandler { signal.yield() }
        source.resume()
        defer {
            source.cancel()
            _ = Glibc.signal(SIGINT, previous)
        }
        let began = ContinuousClock.now
        var statistics = RunStatistics()
        var isInterrupted = false
        var progress = ProgressLine(total: devices, began: began)
        await withTaskGroup(of: Event.self) { group in
            group.addTask {
                for await _ in signals { break }
                return .interrupted
            }
            var next = 1
            while next <= min(concurrency, devices) {
                add(next, began, to: &group)
                next += 1
            }
            while statistics.devices < devices, let event = await group.next() {
                switch event {
                case .interrupted:
                    isInterrupted = true
                    group.cancelAll()
                case .device(let result):
                    statistics.record(result)
                    progress.advance(
                        done: statistics.devices,
                        failed: statistics.devices - statistics.succeeded,
                        now: .now
                    )
                    guard !isInterrupted, next <= devices else { continue }
                    add(next, began, to: &group)
                    next += 1
                }
            }
            signal.finish()
        }
        progress.finish()
        return (statistics, .now - began, isInterrupted)
    }

    private func add(_ number: Int, _ began: ContinuousClock.Instant, to group: inout TaskGroup<Event>) {
        let device = Device(deviceID: fleet.seed.deviceID(number), fleet: fleet)
        // Open loop: the clock alone says when a device is switched on.
        let start = rate.map { began + .seconds(Double(number - 1) / $0) }
        group.addTask {
            if let start {
                do {
                    try await Task.sleep(until: start, clock: .continuous)
                } catch {
                    return .device(DeviceResult(deviceID: device.deviceID, outcome: .interrupted))
                }
            }
            return .device(await device.run())
        }
    }
}
