import AsyncHTTPClient
import CoreMetrics
import Enrollment
import Logging
import ServiceLifecycle

/// Sends what waits for webhooks: at least once, of each subject in order. An event is done when its receiver has answered 2xx;
/// until then it waits, however often this server is killed. One receiver's troubles are not another's.
///
/// Another edition of the roster begins at once. What is under way of the one before is ended as it was begun; the record's hold
/// keeps the two from one webhook at a time.
struct WebhookSender: Service {
    /// Deliveries to one receiver at a time.
    static let concurrency = 16
    /// Events taken at once.
    private static let batchMax = 64
    /// After it nothing more of a batch is sent, so that all is settled before others may take it (`WebhookBatch.holdMax`).
    private static let batchTime: Duration = .seconds(40)
    /// Batches in one go before the record is asked anew whether it was meant.
    private static let batchesMax = 10_000

    let queue: any WebhookQueue
    let roster: WebhookRoster
    let factory: any MetricsFactory
    let logger: Logger

    func run() async throws {
        await withDiscardingTaskGroup { group in
            for await (number, edition) in roster.editions.cancelOnGracefulShutdown() {
                let metrics = WebhookMetrics(edition.names, factory: factory)
                for receiver in edition.receivers {
                    group.addTask {
                        do {
                            try await receiver.withClient { client in
                                await serve(receiver, of: number, by: client, metrics)
                            }
                        } catch {
                            logger.warning(
                                "a webhook's connections did not end in order",
                                metadata: ["error": "\(error)"]
                            )
                        }
                    }
                }
            }
        }
    }

    /// Until the edition is not the present one any more.
    private func serve(
        _ receiver: WebhookReceiver,
        of edition: Int,
        by client: HTTPClient,
        _ metrics: WebhookMetrics
    ) async {
        for await _ in queue.wakeups().cancelOnGracefulShutdown() {
            for _ in 0..<Self.batchesMax {
                guard roster.isPresent(edition) else { return }
                // A batch under way is ended, so that nothing is sent twice because of an orderly end.
                if Task.isShuttingDownGracefully || Task.isCancelled { break }
                guard await sendBatch(to: receiver, by: client, metrics) else { break }
            }
        }
    }

    /// - Returns: False if there is nothing more to do now.
    private func sendBatch(
        to receiver: WebhookReceiver,
        by client: HTTPClient,
        _ metrics: WebhookMetrics
    ) async -> Bool {
        do {
            guard let batch = try await queue.take(receiver.name, limit: Self.batchMax) else { return false }
            let outcomes = await send(batch, to: receiver, by: client)
            let settlement = WebhookSettlement(batch, outcomes) { Double.random(in: 0...1) }
            let givenUp = try await queue.settle(batch, settlement)
            metrics.settled(
                receiver.name,
                delivered: settlement.delivered.count,
                failed: settlement.failed.count,
                givenUp: givenUp
            )
            report(settlement, givenUp: givenUp, of: receiver.name)
            return settlement.pause == .zero
        } catch {
            // The next wakeup, at the latest a few seconds on, tries again.
            logger.warning("webhook events wait", metadata: ["webhook": "\(receiver.name)", "reason": "\(error)"])
            return false
        }
    }

    /// The outcomes, in the order of the deliveries.
    private func send(
        _ batch: WebhookBatch,
        to receiver: WebhookReceiver,
        by client: HTTPClient
    ) async -> [WebhookOutcome] {
        let deadline = ContinuousClock.now + Self.batchTime
        let lanes = Dictionary(grouping: batch.deliveries.indices) { batch.deliveries[$0].subject }
            .values.sorted { $0[0] < $1[0] }
        return await withTaskGroup(of: [(Int, WebhookOutcome)].self) { group in
            var outcomes = [WebhookOutcome](repeating: .unsent, count: batch.deliveries.count)
            for (place, lane) in lanes.enumerated() {
                if place >= Self.concurrency, let ended = await group.next() {
                    for (index, outcome) in ended { outcomes[index] = outcome }
                }
                group.addTask {
                    var ended: [(Int, WebhookOutcome)] = []
                    for index in lane where ContinuousClock.now < deadline {
                        let delivery = batch.deliveries[index]
                        let outcome = await receiver.send(message: delivery.message, body: delivery.body, by: client)
                        ended.append((index, outcome))
                        if outcome != .delivered { break }
                    }
                    return ended
                }
            }
            for await ended in group {
                for (index, outcome) in ended { outcomes[index] = outcome }
            }
            return outcomes
        }
    }

    private func report(_ settlement: WebhookSettlement, givenUp: Int, of webhook: String) {
        guard let failure = settlement.failed.last else { return }
        var metadata: Logger.Metadata = ["webhook": "\(webhook)", "reason": "\(failure.why)"]
        metadata["failed"] = "\(settlement.failed.count)"
        metadata["given_up"] = givenUp > 0 ? "\(givenUp)" : nil
        logger.warning(
            settlement.isGone ? "a webhook wants no more; nothing is sent to it" : "webhook events were not taken",
            metadata: metadata
        )
    }
}
