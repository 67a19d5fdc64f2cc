package import Foundation

extension API {
    /// An enrollment attempt as it was kept.
    package struct Attempt: Codable, Hashable, Sendable {
        /// The attempt in words.
        package struct Explanation: Codable, Hashable, Sendable {
            package struct Evidence: Codable, Hashable, Sendable {
                package var label: String
                package var value: String

                package init(label: String, value: String) {
                    self.label = label
                    self.value = value
                }
            }

            /// What happened, and by which rule.
            package var summary: String
            package var evidence: [Evidence]
            /// What to do.
            package var remedy: String?
            /// The command that does it.
            package var command: String?

            package init(summary: String, evidence: [Evidence], remedy: String?, command: String?) {
                self.summary = summary
                self.evidence = evidence
                self.remedy = remedy
                self.command = command
            }
        }

        /// The id that the device's answer carried in `Request-Id`.
        package var id: UUID
        package var at: Date
        package var fleet: String?
        package var device: String?
        package var operation: String
        package var source: String
        package var credentialKind: String?
        package var credentialSHA256: String?
        package var credentialSubject: String?
        package var anchor: String?
        package var keySHA256: String?
        package var stage: String
        package var rule: String
        /// `issued`, `repeated`, `pending` or `refused`.
        package var outcome: String
        package var reason: String?
        package var detail: String?
        package var issuer: String?
        package var serialNumber: String?
        package var explanation: Explanation

        package init(
            id: UUID,
            at: Date,
            fleet: String?,
            device: String?,
            operation: String,
            source: String,
            credentialKind: String?,
            credentialSHA256: String?,
            credentialSubject: String?,
            anchor: String?,
            keySHA256: String?,
            stage: String,
            rule: String,
            outcome: String,
            reason: String?,
            detail: String?,
            issuer: String?,
            serialNumber: String?,
            explanation: Explanation
        ) {
            self.id = id
            self.at = at
            self.fleet = fleet
            self.device = device
            self.operation = operation
            self.source = source
            self.credentialKind = credentialKind
            self.credentialSHA256 = credentialSHA256
            self.credentialSubject = credentialSubject
            self.anchor = anchor
            self.keySHA256 = keySHA256
            self.stage = stage
            self.rule = rule
            self.outcome = outcome
            self.reason = reason
            self.detail = detail
            self.issuer = issuer
            self.serialNumber = serialNumber
            self.explanation = explanation
        }
    }

    /// An issuing CA.
    package struct Issuer: Codable, Hashable, Sendable {
        package var name: String
        package var subject: String
        package var notAfter: Date
        package var fleets: [String]
        /// PEM, the issuing CA first, the root last.
        package var chain: String
        /// True if the server that answers holds its key.
        package var canSign: Bool

        package init(name: String, subject: String, notAfter: Date, fleets: [String], chain: String, canSign: Bool) {
            self.name = name
            self.subject = subject
            self.notAfter = notAfter
            self.fleets = fleets
            self.chain = chain
            self.canSign = canSign
        }
    }

    /// A fleet's newest trust store.
    package struct TrustStore: Codable, Hashable, Sendable {
        /// How many devices acknowledged a version last; version 0 stands for none.
        package struct Holders: Codable, Hashable, Sendable {
            package var version: Int64
            package var devices: Int64

            package init(version: Int64, devices: Int64) {
                self.version = version
                self.devices = devices
            }
        }

        package var fleet: String
        package var version: Int64
        package var issuedAt: Date
        package var expiresAt: Date
        /// When the broker took it; missing while it waits.
        package var publishedAt: Date?
        /// SHA-256 of the message.
        package var sha256: String
        /// The CMS message as published, in base64 (RFC 4648 section 4).
        package var message: String
        /// PEM, issuing CAs first, roots last.
        package var pem: String
        package var holders: [Holders]

        package init(
            fleet: String,
            version: Int64,
            issuedAt: Date,
            expiresAt: Date,
            publishedAt: Date?,
            sha256: String,
            message: String,
            pem: String,
            holders: [Holders]
        ) {
            self.fleet = fleet
            self.version = version
            self.issuedAt = issuedAt
            self.expiresAt = expiresAt
            self.publishedAt = publishedAt
            self.sha256 = sha256
            self.message = message
            self.pem = pem
            self.holders = holders
        }
    }

    /// Someone who may use the operator front by a certificate.
    package struct Operator: Codable, Hashable, Sendable {
        package var name: String
        package var role: Role
        package var createdAt: Date
        package var createdBy: String
        package var removedAt: Date?
        package var notAfter: Date?

        package init(
            name: String,
            role: Role,
            createdAt: Date,
            createdBy: String,
            removedAt: Date?,
            notAfter: Date?
        ) {
            self.name = name
            self.role = role
            self.createdAt = createdAt
            self.createdBy = createdBy
            self.removedAt = removedAt
            self.notAfter = notAfter
        }
    }

    /// Asks for an operator's certificate.
    package struct OperatorRequest: Codable, Hashable, Sendable {
        package var name: String
        package var role: Role
        /// A PKCS#10 request in PEM; its key was made where it stays. Its names do not count.
        package var request: String

        package init(name: String, role: Role, request: String) {
            self.name = name
            self.role = role
            self.request = request
        }
    }

    /// An operator's certificate.
    package struct OperatorCertificate: Codable, Hashable, Sendable {
        package var name: String
        package var role: Role
        package var notAfter: Date
        /// PEM, the operator's own first, then its CA.
        package var chain: String

        package init(name: String, role: Role, notAfter: Date, chain: String) {
            self.name = name
            self.role = role
            self.notAfter = notAfter
            self.chain = chain
        }
    }

    /// An entry of the audit log.
    package struct AuditEntry: Codable, Hashable, Sendable {
        package var sequence: Int64
        package var at: Date
        package var actor: String
        package var action: String
        package var subject: String
        package var detail: String
        package var hash: String

        package init(
            sequence: Int64,
            at: Date,
            actor: String,
            action: String,
            subject: String,
            detail: String,
            hash: String
        ) {
            self.sequence = sequence
            self.at = at
            self.actor = actor
            self.action = action
            self.subject = subject
            self.detail = detail
            self.hash = hash
        }
    }

    /// What a check of the audit log found.
    package struct AuditVerdict: Codable, Hashable, Sendable {
        package var isIntact: Bool
        /// How many entries hang together.
        package var entries: Int64
        /// Where and why they do not.
        package var fault: String?

        package init(isIntact: Bool, entries: Int64, fault: String?) {
            self.isIntact = isIntact
            self.entries = entries
            self.fault = fault
        }
    }

    /// What applying a description did, or would do.
    package struct FleetChange: Codable, Hashable, Sendable {
        package struct Line: Codable, Hashable, Sendable {
            /// Such as `anchors[factory].limits.devices`.
            package var path: String
            package var from: String?
            package var to: String?

            package init(path: String, from: String?, to: String?) {
                self.path = path
                self.from = from
                self.to = to
            }
        }

        package var fleet: String
        /// True if there is no fleet of that name before.
        package var isNew: Bool
        /// False for a dry run, and if nothing differs.
        package var isApplied: Bool
        package var changes: [Line]

        package init(fleet: String, isNew: Bool, isApplied: Bool, changes: [Line]) {
            self.fleet = fleet
            self.isNew = isNew
            self.isApplied = isApplied
            self.changes = changes
        }
    }
}
