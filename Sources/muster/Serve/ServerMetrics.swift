import CoreMetrics
import Enrollment
import EnrollmentPostgres
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

/// Counts what the broker took.
final class OutboxMetrics: Sendable {
    private let events: Counter

    init(factory: any MetricsFactory) {
        events = Counter(label: MusterMetrics.outboxPublished.name, factory: factory)
    }

    @Sendable func published(_ count: Int) { events.increment(by: count) }
}

/// Counts OCSP answers.
final class OCSPMetrics: Sendable {
    private let counters: [OCSPAnswer.Kind: Counter]

    init(factory: any MetricsFactory) {
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
}

/// Counts CRLs, and times revocations until a CRL has them.
final class CRLMetrics: Sendable {
    private let factory: any MetricsFactory
    private let signed = Mutex<[String: Counter]>([:])
    private let shards: CoreMetrics.Timer
    private let complete: CoreMetrics.Timer

    init(factory: any MetricsFactory) {
        self.factory = factory
        func timer(_ stage: String) -> CoreMetrics.Timer {
            let dimensions = [("stage", stage)]
            return CoreMetrics.Timer(
                label: MusterMetrics.revocationStage.name,
                dimensions: dimensions,
                factory: factory
            )
        }
        shards = timer("crl")
        complete = timer("crl-complete")
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
        for waited in event.waited { timer.recordNanoseconds(Int64(max(0, waited) * 1e9)) }
    }
}
