/// Who is told how enrollments went: for metrics. Called on the enroll path, so it must not wait.
package protocol EnrollmentObserver: Sendable {
    /// One attempt came to its end.
    /// - Parameter reason: The code of the refusal, or nil.
    func finished(fleet: String, outcome: EnrollmentOutcome, reason: RefusalReason?, took: Duration)

    /// One part of an attempt took so long.
    func passed(_ part: EnrollmentPart, took: Duration)
}

/// How an attempt ended, as far as it is counted.
package enum EnrollmentOutcome: String, CaseIterable, Hashable, Sendable {
    case issued, repeated, pending, refused, unavailable
}

/// The parts that an attempt's time is made of.
package enum EnrollmentPart: String, CaseIterable, Hashable, Sendable {
    /// Judging the client's certificate chain.
    case identity
    /// Parsing the request and verifying its signature and key.
    case request
    /// Asking the record, unless what it would say was foreseen.
    case decide
    /// Building and linting the certificate, and signing it if the record was asked.
    case sign
    /// Waiting until it is durable; what was foreseen is signed meanwhile.
    case commit
}

/// Tells nobody.
package struct NoEnrollmentObserver: EnrollmentObserver {
    package init() {}
    package func finished(fleet: String, outcome: EnrollmentOutcome, reason: RefusalReason?, took: Duration) {}
    package func passed(_ part: EnrollmentPart, took: Duration) {}
}
