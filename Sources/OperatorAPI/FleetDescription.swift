package import Foundation

/// A fleet as an operator writes it down (YAML) and as the API takes and gives it (JSON). What is left out has its
/// standard value.
package struct FleetDescription: Codable, Hashable, Sendable {
    package static let anchorsMax = 64

    /// The fleet's name: 1 to 23 of a-z 0-9 -.
    package var fleet: String
    /// `open`, `allowlist` or `approval`.
    package var policy: String
    /// How long a device that waits for approval is asked to wait, such as `60s`.
    package var approvalRetry: String?
    /// What becomes of a revoked device that comes to enroll again: `never`, `approval` or `after-clear`.
    package var reenrollment: String?
    /// Name of the issuer that signs; the server's only one if left out.
    package var issuer: String?
    package var profile: Profile
    package var anchors: [Anchor]

    package init(
        fleet: String,
        policy: String,
        approvalRetry: String? = nil,
        reenrollment: String? = nil,
        issuer: String? = nil,
        profile: Profile,
        anchors: [Anchor]
    ) {
        self.fleet = fleet
        self.policy = policy
        self.approvalRetry = approvalRetry
        self.reenrollment = reenrollment
        self.issuer = issuer
        self.profile = profile
        self.anchors = anchors
    }

    /// What an issued certificate contains.
    package struct Profile: Codable, Hashable, Sendable {
        package var organization: String
        package var trustDomain: String
        /// Such as `365d`.
        package var lifetime: String?
        /// Such as `1h`.
        package var backdating: String?
        /// Of `p256`, `p384`, `p521`, `rsa`, `ed25519`.
        package var keys: [String]?
        package var rsaBitsMin: Int?
        package var rsaKeyEncipherment: Bool?
        package var crlURLs: [String]?
        package var deltaCRLURLs: [String]?
        package var issuerURLs: [String]?
        package var ocspURLs: [String]?

        package init(
            organization: String,
            trustDomain: String,
            lifetime: String? = nil,
            backdating: String? = nil,
            keys: [String]? = nil,
            rsaBitsMin: Int? = nil,
            rsaKeyEncipherment: Bool? = nil,
            crlURLs: [String]? = nil,
            deltaCRLURLs: [String]? = nil,
            issuerURLs: [String]? = nil,
            ocspURLs: [String]? = nil
        ) {
            self.organization = organization
            self.trustDomain = trustDomain
            self.lifetime = lifetime
            self.backdating = backdating
            self.keys = keys
            self.rsaBitsMin = rsaBitsMin
            self.rsaKeyEncipherment = rsaKeyEncipherment
            self.crlURLs = crlURLs
            self.deltaCRLURLs = deltaCRLURLs
            self.issuerURLs = issuerURLs
            self.ocspURLs = ocspURLs
        }
    }

    /// A CA whose bootstrap credentials the fleet accepts.
    package struct Anchor: Codable, Hashable, Sendable {
        package var name: String
        /// PEM. In a file, `certificateFile` may name the file that holds it.
        package var certificate: String
        /// `subject-serial-number`, `subject-common-name`, `hardware-module-name`, `san-uri` or `request-common-name`.
        package var deviceID: String
        /// With `san-uri`: the URI with `{id}` in the place of the DeviceID.
        package var uriPattern: String?
        /// `replace`, `approve` or `refuse`: what happens to an enrolled device that comes with a different key.
        package var keyChange: String?
        /// Of all its credentials together.
        package var limits: API.Limits?
        /// Of each of its credentials.
        package var credentialLimits: API.Limits?

        package init(
            name: String,
            certificate: String,
            deviceID: String,
            uriPattern: String? = nil,
            keyChange: String? = nil,
            limits: API.Limits? = nil,
            credentialLimits: API.Limits? = nil
        ) {
            self.name = name
            self.certificate = certificate
            self.deviceID = deviceID
            self.uriPattern = uriPattern
            self.keyChange = keyChange
            self.limits = limits
            self.credentialLimits = credentialLimits
        }
    }
}

extension API {
    /// What a credential or an anchor may let in; what is left out is not limited.
    package struct Limits: Codable, Hashable, Sendable {
        /// The largest number that a limit can be.
        package static let countMax: Int64 = 1_000_000_000_000
        package var devices: Int64?
        package var devicesPerHour: Int64?
        package var validFrom: Date?
        package var validUntil: Date?

        package init(
            devices: Int64? = nil,
            devicesPerHour: Int64? = nil,
            validFrom: Date? = nil,
            validUntil: Date? = nil
        ) {
            self.devices = devices
            self.devicesPerHour = devicesPerHour
            self.validFrom = validFrom
            self.validUntil = validUntil
        }
    }

    /// A fleet in a listing.
    package struct FleetSummary: Codable, Hashable, Sendable {
        package var fleet: String
        package var policy: String
        package var issuer: String
        package var anchors: [String]

        package init(fleet: String, policy: String, issuer: String, anchors: [String]) {
            self.fleet = fleet
            self.policy = policy
            self.issuer = issuer
            self.anchors = anchors
        }
    }
}
