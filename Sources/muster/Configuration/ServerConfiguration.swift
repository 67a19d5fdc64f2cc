import Enrollment
import Logging
import PKI

/// The configuration of `muster serve`, read and checked: every path is whole, every number in its range, and no two
/// values contradict each other. Holds no secret, only the paths of files with secrets.
struct ServerConfiguration: Sendable, Equatable {
    /// The record.
    let database: Database
    /// The device front.
    let est: EST
    /// The public front; `public` is a word of the language.
    let publicFront: PublicFront
    /// How CRLs are signed.
    let crl: CRL
    /// How OCSP answers are signed.
    let ocsp: OCSP
    /// The broker; nil if trust stores and revocations are recorded but not published.
    let mqtt: MQTT?
    /// The issuing CAs, at least one, with names that differ.
    let issuers: [Issuer]
    /// How trust stores are signed.
    let trustStore: TrustStore
    /// The operator front; nil if there is none.
    let operatorFront: OperatorFront?
    /// Programs that are told of events, with names that differ.
    let webhooks: [Webhook]
    /// The metrics front.
    let metrics: Metrics
    /// What is logged, and how.
    let log: Log
    /// Bounds of what the server takes on.
    let limits: Limits
    /// How the server ends.
    let shutdown: Shutdown

    /// The record: PostgreSQL.
    struct Database: Sendable, Equatable {
        /// The libpq connection string, without a password.
        let address: DatabaseAddress
        /// The file whose first line is the password.
        let passwordFile: String?
        /// How many connections are kept.
        let poolSize: Int
        /// How long one attempt to connect may take.
        let connectTimeout: Duration
        /// How long one statement may take.
        let statementTimeout: Duration
    }

    /// The device front.
    struct EST: Sendable, Equatable {
        /// The TLS versions that a minimum may name.
        enum TLSVersion: String, Sendable, CaseIterable {
            /// TLS 1.2 (RFC 5246).
            case tls12 = "1.2"
            /// TLS 1.3 (RFC 8446).
            case tls13 = "1.3"
        }

        /// Where devices connect.
        let listen: ListenAddress
        /// The TLS certificate and its intermediates, in PEM.
        let certificateFile: String
        /// Its private key, in PEM.
        let keyFile: String
        /// The fleet of requests without a label (RFC 7030 §3.2.2); nil if they are refused.
        let defaultFleet: String?
        /// How many connections are open at most.
        let connectionsMax: Int
        /// How long a TLS handshake may take.
        let handshakeTimeout: Duration
        /// How long a connection may be silent.
        let idleTimeout: Duration
        /// The oldest TLS version that is spoken.
        let tlsVersionMin: TLSVersion
        /// Whether PEM and bare DER bodies are taken beside base64 (RFC 8951 §3.1).
        let lenientBodies: Bool
    }

    /// The public front.
    struct PublicFront: Sendable, Equatable {
        /// Where it listens.
        let listen: ListenAddress
        /// How it is reached from outside, without a `/` at the end; nil if certificates carry no URLs.
        let url: String?
        /// The most connections at once, of all and of one address.
        let connectionsMax: Int
        let connectionsPerAddressMax: Int
        /// How long a connection may be without a request, and a request's body on its way.
        let idleTimeout: Duration
        let bodyTimeout: Duration
    }

    /// How CRLs are signed.
    struct CRL: Sendable, Equatable {
        /// How long one is good.
        let lifetime: Duration
    }

    /// How OCSP answers are signed.
    struct OCSP: Sendable, Equatable {
        /// How long one is good.
        let validity: Duration
    }

    /// The broker.
    struct MQTT: Sendable, Equatable {
        /// Its host, without a port.
        let host: String
        /// Its TLS port.
        let port: Int
        /// What its certificate must chain to, in PEM.
        let caFile: String
        /// Muster's client certificate, in PEM.
        let certificateFile: String
        /// Its private key, in PEM.
        let keyFile: String
        /// What client identifiers start with.
        let clientIDPrefix: String
    }

    /// An issuing CA.
    struct Issuer: Sendable, Equatable {
        /// Its name, 1 to 40 of `a-z0-9-`.
        let name: String
        /// Its certificate chain in PEM, the issuing CA first.
        let certificateFile: String
        /// Its private key.
        let key: KeyLocation
        /// The file whose first line is the key's passphrase or the token's PIN.
        let passphraseFile: String?
        /// How many CRLs its certificates are spread over from now on.
        let crlShards: Int
    }

    /// How trust stores are signed.
    struct TrustStore: Sendable, Equatable {
        /// The signer's certificate and chain, in PEM.
        let signerCertificateFile: String
        /// Its private key.
        let signerKey: KeyLocation
        /// The file whose first line is the key's passphrase or the token's PIN.
        let passphraseFile: String?
        /// How long a published trust store is good.
        let lifetime: Duration
    }

    /// The operator front.
    struct OperatorFront: Sendable, Equatable {
        /// Bearer tokens that are taken.
        struct Tokens: Sendable, Equatable {
            /// `iss` (RFC 7519 §4.1.1).
            let issuer: String
            /// `aud` (RFC 7519 §4.1.3).
            let audience: String
            /// A JSON Web Key Set (RFC 7517).
            let keySetFile: String
            /// The claim that holds the roles.
            let rolesClaim: String
        }

        /// Where it listens.
        let listen: ListenAddress
        /// The TLS certificate and its intermediates, in PEM.
        let certificateFile: String
        /// Its private key, in PEM.
        let keyFile: String
        /// The CA of operators' certificates, in PEM.
        let caCertificateFile: String
        /// Its private key.
        let caKey: KeyLocation
        /// The file whose first line is that key's passphrase or the token's PIN.
        let passphraseFile: String?
        /// Nil if only certificates count.
        let tokens: Tokens?
        /// How many devices one operator may revoke an hour; 0 is no limit.
        let revocationsPerHourMax: Int
    }

    /// A program that is told of events.
    struct Webhook: Sendable, Equatable {
        /// Its name, 1 to 40 of `a-z0-9-`.
        let name: String
        /// Where events are posted. May have a token in it, so it is in no log.
        let url: String
        /// The file with the secrets that sign, a line each.
        let secretFile: String
        /// What its certificate must chain to, in PEM; nil for the system's CAs.
        let caFile: String?
        /// What it is told of.
        let kinds: Set<WebhookEvent.Kind>
        /// Of which fleets; nil for all.
        let fleets: Set<FleetName>?

        var subscription: WebhookSubscription { WebhookSubscription(webhook: name, kinds: kinds, fleets: fleets) }
    }

    /// The metrics front.
    struct Metrics: Sendable, Equatable {
        /// Where it listens.
        let listen: ListenAddress
    }

    /// What is logged, and how.
    struct Log: Sendable, Equatable {
        /// The forms of log lines.
        enum Format: String, Sendable, CaseIterable {
            /// One JSON object a line.
            case json
            /// A line for people.
            case text
        }

        /// The least severe messages that are logged.
        let level: Logger.Level
        /// The form of a line.
        let format: Format
    }

    /// Bounds of what the server takes on.
    struct Limits: Sendable, Equatable {
        /// How many connections one address may have open.
        let connectionsPerAddressMax: Int
        /// How many TLS handshakes are under way at once.
        let handshakesMax: Int
        /// How many enrollments are under way at once.
        let enrollmentsMax: Int
        /// The largest head of a request, in bytes.
        let requestHeaderBytesMax: Int
        /// The largest request body, in bytes.
        let requestBodyBytesMax: Int
        /// How long a request's body may take to arrive.
        let requestBodyTimeout: Duration
        /// How large a certification request may be.
        let csr: RequestBounds
        /// How many certificates a device may show.
        let chainCertificatesMax: Int
        /// How large they may be together, in bytes.
        let chainBytesMax: Int
        /// How many callers may wait for a connection to the database.
        let databaseQueueMax: Int
        /// How many enrollments may wait for their commit.
        let commitQueueMax: Int
        /// How many enrollments one transaction commits; never more than may wait.
        let commitGroupMax: Int
        /// For how many months beside the present one attempts are kept.
        let attemptsKeptMonths: Int
    }

    /// How the server ends.
    struct Shutdown: Sendable, Equatable {
        /// How long requests under way may take after SIGTERM.
        let grace: Duration
    }
}
