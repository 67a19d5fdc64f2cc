import Agent
import Foundation
import Logging
import MQTT
import PKI
import ServiceLifecycle
import Synchronization

/// Looks again and again: at intervals, and at once when the broker has news.
struct AgentService: Service {
    /// After news of a revocation the front is asked often: the list is signed within moments of it.
    private static let hasteMin: Duration = .milliseconds(20)
    private static let hasteMax: Duration = .milliseconds(500)
    /// For so long; then at the usual interval.
    private static let hasteTime: Duration = .seconds(10)

    let agent: FleetAgent
    let broker: AgentBroker?
    let poll: Duration
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            let alarm = Alarm()
            await withTaskGroup(of: Void.self) { group in
                if let broker {
                    group.addTask { [agent] in
                        await broker.run(
                            connected: {
                                await agent.connected()
                                alarm.ring()
                            },
                            trustStore: { message in
                                await agent.hear(trustStore: message.payload)
                                alarm.ring()
                            },
                            revocation: { message in
                                if await agent.hear(revocation: message.payload) { alarm.ring(isRevocation: true) }
                            }
                        )
                    }
                }
                var haste = Self.hasteMin
                while !Task.isCancelled {
                    let outcome = await agent.look()
                    let isHasty = outcome.isAwaitingList && alarm.heardOfRevocation(within: Self.hasteTime)
                    let rang = await alarm.wait(upTo: isHasty ? min(haste, poll) : poll)
                    haste = isHasty && !rang ? min(haste * 2, Self.hasteMax) : Self.hasteMin
                }
                group.cancelAll()
            }
        }
    }
}

/// Wakes one who waits.
private final class Alarm: Sendable {
    private struct Guarded {
        var isRinging = false
        var lastRevocation: ContinuousClock.Instant?
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let guarded = Mutex(Guarded())

    func ring(isRevocation: Bool = false) {
        guarded.withLock { guarded in
            guarded.isRinging = true
            if isRevocation { guarded.lastRevocation = .now }
            defer { guarded.waiter = nil }
            return guarded.waiter
        }?.resume()
    }

    func heardOfRevocation(within time: Duration) -> Bool {
        guarded.withLock { guarded in guarded.lastRevocation.map { .now - $0 < time } ?? false }
    }

    /// Waits for a ring, which may have been before.
    /// - Returns: True if there was one.
    func wait(upTo patience: Duration) async -> Bool {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.waitForRing() }
            group.addTask { try? await Task.sleep(for: patience) }
            await group.next()
            group.cancelAll()
        }
        return guarded.withLock { guarded in
            defer { guarded.isRinging = false }
            return guarded.isRinging
        }
    }

    private func waitForRing() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let isOver = guarded.withLock { guarded in
                    if guarded.isRinging || Task.isCancelled { return true }
                    guarded.waiter = waiter
                    return false
                }
                if isOver { waiter.resume() }
            }
        } onCancel: {
            guarded.withLock { guarded in
                defer { guarded.waiter = nil }
                return guarded.waiter
            }?.resume()
        }
    }
}
