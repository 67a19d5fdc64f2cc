import CoreMetrics
import Enrollment
import EnrollmentPostgres
import Foundation
import Prometheus
import Synchronization

/// Counts what the operator front answers.
final class OperatorMetrics: Sendable {
    private let factory: any MetricsFactory
    private let requests = Mutex<[String: Counter]>([:])
    private let completed: Counter
    private let failed: Counter

    init(factory: any MetricsFactory) {
        self.factory = factory
        func handshakes(_ result: String) -> Counter {
            let dimensions = [("front", "operator"), ("result", result)]
            return Counter(label: MusterMetrics.tlsHandshakes.name, dimensions: dimensions, factory: factory)
        }
        completed = handshakes("completed")
        failed = handshakes("failed")
    }

    /// Operations are a fixed set, and so are statuses.
    @Sendable func answered(_ operation: String, _ status: Int, _ seconds: Double) {
        let counter = requests.withLock { counters in
            let key = "\(operation) \(status)"
            if let counter = counters[key] { return counter }
            let counter = Counter(
                label: MusterMetrics.operatorRequests.name,
                dimensions: [("operation", operation), ("status", "\(status)")],
                factory: factory
            )
            counters[key] = counter
            return counter
        }
        counter.increment()
    }

    @Sendable func shookHands(_ isCompleted: Bool) { (isCompleted ? completed : failed).increment() }
}

/// Counts and times commits.
final class CommitMetrics: Sendable {
    private let commits: Counter
    private let sizes: Recorder
    private let seconds: CoreMetrics.Timer

    init(factory: any MetricsFactory) {
        commits = Counter(label: MusterMetrics.commits.name, factory: factory)
        sizes = Recorder(label: MusterMetrics.commitGroupSize.name, factory: factory)
        seconds = CoreMetrics.Timer(label: MusterMetrics.commitTime.name, factory: factory)
    }

    @Sendable func committed(_ entries: Int, _ took: Duration) {
        commits.increment()
        sizes.record(entries)
        seconds.record(duration: took)
    }
}

/// Counts what the broker took, and times revocations until it did.
final class OutboxMetrics: Sendable {
    private let events: Counter
    private let published: CoreMetrics.Timer

    init(factory: any MetricsFactory) {
        events = Counter(label: MusterMetrics.outboxPublished.name, factory: factory)
        published = RevocationStage.published.timer(factory)
    }

    @Sendable func published(_ event: OutboxEvent) {
        events.increment()
        if Topics.areRevocations(event.topic) { published.record(seconds: Date().timeIntervalSince(event.createdAt)) }
    }
}

/// Times revocations until agents have them.
final class AgentMetrics: Sendable {
    private let inForce: CoreMetrics.Timer
    private let sessions: CoreMetrics.Timer

    init(factory: any MetricsFactory) {
        inForce = RevocationStage.agents.timer(factory)
        sessions = RevocationStage.sessions.timer(factory)
    }

    @Sendable func advanced(_ advance: AgentAdvance) {
        for seconds in advance.inForce { inForce.record(seconds: seconds) }
        for seconds in advance.sessionsEnded { sessions.record(seconds: seconds) }
    }
}

extension RevocationStage {
    func timer(_ factory: any MetricsFactory) -> CoreMetrics.Timer {
        CoreMetrics.Timer(
            label: MusterMetrics.revocationStage.name,
            dimensions: [("stage", rawValue)],
            factory: factory
        )
    }
}

extension CoreMetrics.Timer {
    /// Clocks differ: what seems to be before its beginning took no time.
    func record(seconds: Double) { recordNanoseconds(Int64(max(0, seconds) * 1e9)) }
}

/// Counts OCSP answers, and times revocations until all answers have them.
final class OCSPMetrics: Sendable {
    private let counters: [OCSPAnswer.Kind: Counter]
    private let stage: CoreMetrics.Timer

    init(factory: any MetricsFactory) {
        stage = RevocationStage.ocsp.timer(factory)
        counters = Dictionary(
            uniqueKeysWithValues: OCSPAnswer.Kind.allCases.map { kind in
                let dimensions = [("status", kind.rawValue)]
                return (
                    kind,
                    Counter(label: MusterMetrics.ocspAnswers.name, dimensions: dimensions, factory: factory)
                )
            }
        )
    }

    @Sendable func answered(_ kind: OCSPAnswer.Kind) { counters[kind]?.increment() }
    /// From then on no answer lacks the revocation.
    @Sendable func noticed(_ seconds: Double) { stage.record(seconds: seconds) }
}

/// Counts CRLs, and times revocations until a CRL has them.
final class CRLMetrics: Sendable {
    private let factory: any MetricsFactory
    private let signed = Mutex<[String: Counter]>([:])
    private let shards: CoreMetrics.Timer
    private let complete: CoreMetrics.Timer

    init(factory: any MetricsFactory) {
        self.factory = factory
        shards = RevocationStage.crl.timer(factory)
        complete = RevocationStage.crlComplete.timer(factory)
    }

    /// Issuers are those of the configuration.
    @Sendable func signed(_ event: CRLEvent) {
        let counter = signed.withLock { counters in
            if let counter = counters[event.issuerName] { return counter }
            let counter = Counter(
                label: MusterMetrics.crlsSigned.name,
                dimensions: [("issuer", event.issuerName)],
                factory: factory
            )
            counters[event.issuerName] = counter
            return counter
        }
        counter.increment(by: event.lists)
        let timer = event.isComplete ? complete : shards
        for seconds in event.waited { timer.record(seconds: seconds) }
    }
}
