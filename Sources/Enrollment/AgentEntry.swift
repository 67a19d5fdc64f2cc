package import Foundation

/// An agent beside a broker or a gateway, as it last reported.
package struct AgentEntry: Hashable, Sendable {
    /// The CRL of a CA that is in force there.
    package struct List: Hashable, Sendable {
        /// SHA-256 of the CA's certificate.
        package let authoritySHA256: [UInt8]
        package let number: Int64
        /// When that was reported first.
        package let inForceAt: Date

        package init(authoritySHA256: [UInt8], number: Int64, inForceAt: Date) {
            self.authoritySHA256 = authoritySHA256
            self.number = number
            self.inForceAt = inForceAt
        }
    }

    package let device: String
    package let reportedAt: Date
    package let trustStoreVersion: Int64?
    /// The sessions of devices revoked up to this audit entry are ended; nil if it ends none.
    package let sessionsThrough: Int64?
    package let sessionsAt: Date?
    /// What is wrong there now.
    package let faults: Int
    package let lists: [List]

    package init(
        device: String,
        reportedAt: Date,
        trustStoreVersion: Int64?,
        sessionsThrough: Int64?,
        sessionsAt: Date?,
        faults: Int,
        lists: [List]
    ) {
        self.device = device
        self.reportedAt = reportedAt
        self.trustStoreVersion = trustStoreVersion
        self.sessionsThrough = sessionsThrough
        self.sessionsAt = sessionsAt
        self.faults = faults
        self.lists = lists
    }
}
