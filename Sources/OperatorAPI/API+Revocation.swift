package import Foundation

extension API {
    /// How far a device's revocation has come.
    package struct RevocationProgress: Codable, Hashable, Sendable {
        /// A stage at one place.
        package struct Step: Codable, Hashable, Sendable {
            /// `committed`, `ocsp`, `crl`, `crl-complete`, `published`, `agents` or `sessions`.
            package var stage: String
            /// Which CRL (`issuer/shard`, or `issuer` for the list of all), or the agent's device.
            package var place: String?
            package var isReached: Bool
            /// Missing if it is not reached, or if it is no longer known when.
            package var at: Date?

            package init(stage: String, place: String?, isReached: Bool, at: Date?) {
                self.stage = stage
                self.place = place
                self.isReached = isReached
                self.at = at
            }
        }

        package var device: String
        /// By the names of RFC 5280 section 5.3.1.
        package var reason: String
        /// Since when; stays the first time when the reason changes.
        package var at: Date
        /// When it became what it is; the stages are timed from here.
        package var changedAt: Date
        /// True if nothing that is to refuse the device lacks it.
        package var isComplete: Bool
        package var steps: [Step]

        package init(device: String, reason: String, at: Date, changedAt: Date, isComplete: Bool, steps: [Step]) {
            self.device = device
            self.reason = reason
            self.at = at
            self.changedAt = changedAt
            self.isComplete = isComplete
            self.steps = steps
        }
    }

    /// An agent beside a broker or gateway, as it last reported.
    package struct Agent: Codable, Hashable, Sendable {
        /// The CRL of a CA that is in force there.
        package struct List: Codable, Hashable, Sendable {
            /// SHA-256 of the CA's certificate.
            package var authoritySHA256: String
            package var number: Int64
            /// When that was reported first.
            package var inForceAt: Date

            package init(authoritySHA256: String, number: Int64, inForceAt: Date) {
                self.authoritySHA256 = authoritySHA256
                self.number = number
                self.inForceAt = inForceAt
            }
        }

        /// The device as which it is enrolled.
        package var device: String
        package var reportedAt: Date
        package var trustStoreVersion: Int64?
        package var lists: [List]
        /// True if it ends the sessions of revoked devices.
        package var endsSessions: Bool
        /// What is wrong there; it says what in its own log and in `status.json`.
        package var faults: Int

        package init(
            device: String,
            reportedAt: Date,
            trustStoreVersion: Int64?,
            lists: [List],
            endsSessions: Bool,
            faults: Int
        ) {
            self.device = device
            self.reportedAt = reportedAt
            self.trustStoreVersion = trustStoreVersion
            self.lists = lists
            self.endsSessions = endsSessions
            self.faults = faults
        }
    }
}
