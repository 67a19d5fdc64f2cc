package import Foundation

extension API {
    /// Asks a second operator to approve revocations beyond the limit by the hour.
    package struct RevocationRequestOrder: Codable, Hashable, Sendable {
        /// Names, each once.
        package var devices: [String]
        /// By the names of RFC 5280 section 5.3.1; `unspecified` if left out.
        package var reason: String?
        package var comment: String?

        package init(devices: [String], reason: String? = nil, comment: String? = nil) {
            self.devices = devices
            self.reason = reason
            self.comment = comment
        }
    }

    /// What was asked for, and what became of it.
    package struct RevocationRequest: Codable, Hashable, Sendable {
        /// The most devices of one.
        package static let devicesMax = 10_000

        package var id: Int64
        /// `pending`, `approved` or `expired`.
        package var state: String
        package var reason: String
        package var comment: String?
        package var devices: Int64
        /// Of those, how many were not revoked by it yet.
        package var left: Int64
        /// The first by name.
        package var sample: [String]
        package var requestedAt: Date
        package var requestedBy: String
        package var approvedAt: Date?
        package var approvedBy: String?
        /// After it, it can be approved or used no more.
        package var expiresAt: Date

        package init(
            id: Int64,
            state: String,
            reason: String,
            comment: String?,
            devices: Int64,
            left: Int64,
            sample: [String],
            requestedAt: Date,
            requestedBy: String,
            approvedAt: Date?,
            approvedBy: String?,
            expiresAt: Date
        ) {
            self.id = id
            self.state = state
            self.reason = reason
            self.comment = comment
            self.devices = devices
            self.left = left
            self.sample = sample
            self.requestedAt = requestedAt
            self.requestedBy = requestedBy
            self.approvedAt = approvedAt
            self.approvedBy = approvedBy
            self.expiresAt = expiresAt
        }
    }
}
