import Enrollment
import Foundation
import OperatorAPI
import PKI

/// Reads a description into a plan that can be carried out, and tells all that is wrong with it at once, each fault with
/// its path.
struct FleetPlanReading {
    private let description: FleetDescription
    private let issuers: [IssuerRegistration]
    private let now: Date
    private var faults = FaultList()

    /// - Parameters:
    ///   - name: The fleet's name in the path.
    ///   - issuers: Those whose keys this server holds.
    static func plan(
        _ description: FleetDescription,
        name: FleetName,
        issuers: [IssuerRegistration],
        now: Date
    ) throws(API.Problem) -> FleetPlan {
        var reading = FleetPlanReading(description: description, issuers: issuers, now: now)
        return try reading.read(name)
    }

    private init(description: FleetDescription, issuers: [IssuerRegistration], now: Date) {
        self.description = description
        self.issuers = issuers
        self.now = now
    }

    private mutating func read(_ name: FleetName) throws(API.Problem) -> FleetPlan {
        if description.fleet != name.text { faults.add("fleet", "must be \(name), as in the path") }
        let policy = choice(description.policy, EnrollmentPolicy.self, at: "policy")
        let retry = approvalRetry()
        let reenrollment =
            description.reenrollment.map { choice($0, ReenrollmentPolicy.self, at: "reenrollment") } ?? .standard
        let issuer = issuer()
        let profile = profile()
        let anchors = AnchorReading(now: now).anchors(description.anchors, &faults)
        try faults.check()
        // Without a fault there is nothing missing.
        guard let policy, let retry, let reenrollment, let issuer, let profile else { throw .internalFault }
        return FleetPlan(
            name: name,
            policy: policy,
            approvalRetry: retry,
            reenrollment: reenrollment,
            profile: profile,
            issuer: issuer,
            anchors: anchors
        )
    }

    private mutating func choice<Choice: CaseIterable & RawRepresentable<String>>(
        _ text: String,
        _ type: Choice.Type,
        at path: String
    ) -> Choice? {
        let choice = Choice(rawValue: text)
        if choice == nil {
            faults.add(path, "must be one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return choice
    }

    private mutating func approvalRetry() -> Duration? {
        guard let text = description.approvalRetry else { return EnrollmentPolicy.approvalRetryStandard }
        let range = EnrollmentPolicy.approvalRetrySeconds
        guard let seconds = DurationText.seconds(text), range.contains(seconds) else {
            faults.add(
                "approvalRetry",
                "must be from \(DurationText.text(range.lowerBound)) to \(DurationText.text(range.upperBound)), such as 60s"
            )
            return nil
        }
        return .seconds(seconds)
    }

    private mutating func issuer() -> IssuerRegistration? {
        let names = issuers.map(\.name).sorted().joined(separator: ", ")
        if let name = description.issuer {
            let found = issuers.first { $0.name == name }
            if found == nil {
                faults.add(
                    "issuer",
                    "must be one whose key this server holds: \(names.isEmpty ? "it holds none" : names)"
                )
            }
            return found
        }
        guard issuers.count == 1 else {
            faults.add(
                "issuer",
                names.isEmpty ? "cannot be: this server holds no issuer's key" : "is missing; name one of \(names)"
            )
            return nil
        }
        return issuers[0]
    }

    private mutating func profile() -> CertificateProfile? {
        let given = description.profile
        let lifetime = duration(given.lifetime, at: "profile.lifetime", such: "365d")
        let backdating = duration(given.backdating, at: "profile.backdating", such: "1h")
        var families = Set(KeyPolicy.Family.allCases)
        if let keys = given.keys {
            families = Set(
                keys.enumerated().compactMap { index, key in
                    choice(key, KeyPolicy.Family.self, at: "profile.keys[\(index)]")
                }
            )
            if families.count < keys.count, Set(keys).count < keys.count {
                faults.add("profile.keys", "names a kind of key twice")
            }
        }
        let bits = given.rsaBitsMin ?? KeyPolicy.rsaBitsFloor
        if !(KeyPolicy.rsaBitsFloor...KeyPolicy.rsaBitsCeiling).contains(bits) {
            faults.add(
                "profile.rsaBitsMin",
                "must be from \(KeyPolicy.rsaBitsFloor) to \(KeyPolicy.rsaBitsCeiling)"
            )
        }
        return checked(lifetime: lifetime, backdating: backdating, families: families, rsaBitsMin: bits)
    }

    /// The profile's own rules; it tells one defect at a time, so each member is tried for itself.
    private mutating func checked(
        lifetime: Duration?,
        backdating: Duration?,
        families: Set<KeyPolicy.Family>,
        rsaBitsMin: Int
    ) -> CertificateProfile? {
        let given = description.profile
        let sound = ("sound", "sound.example")
        func attempt(
            organization: String? = nil,
            trustDomain: String? = nil,
            lifetime: Duration? = nil,
            backdating: Duration? = nil,
            families: Set<KeyPolicy.Family>? = nil,
            crlURLs: [String] = [],
            deltaCRLURLs: [String] = [],
            issuerURLs: [String] = [],
            ocspURLs: [String] = []
        ) -> Result<CertificateProfile, ProfileDefect> {
            Result { () throws(ProfileDefect) in
                try CertificateProfile(
                    organization: organization ?? sound.0,
                    trustDomain: trustDomain ?? sound.1,
                    lifetime: lifetime ?? .seconds(365 * 86_400),
                    backdating: backdating ?? .seconds(3_600),
                    keyPolicy: KeyPolicy(families: families ?? [.p256], rsaBitsMin: rsaBitsMin),
                    rsaKeyEncipherment: given.rsaKeyEncipherment ?? false,
                    crlURLs: crlURLs,
                    deltaCRLURLs: deltaCRLURLs,
                    issuerURLs: issuerURLs,
                    ocspURLs: ocspURLs
                )
            }
        }
        let alone = [
            attempt(organization: given.organization), attempt(trustDomain: given.trustDomain),
            attempt(lifetime: lifetime), attempt(backdating: backdating), attempt(families: families),
            attempt(crlURLs: given.crlURLs ?? []), attempt(issuerURLs: given.issuerURLs ?? []),
            attempt(ocspURLs: given.ocspURLs ?? []),
            // Beside sound URLs of the list, whose own defects are told already.
            attempt(
                crlURLs: (given.crlURLs ?? []).map { "http://sound/" + ($0.contains("{shard}") ? "{shard}" : "") },
                deltaCRLURLs: given.deltaCRLURLs ?? []
            ),
        ]
        for case .failure(let defect) in alone { faults.add("profile.\(defect.key)", defect.reason) }
        return try? attempt(
            organization: given.organization,
            trustDomain: given.trustDomain,
            lifetime: lifetime,
            backdating: backdating,
            families: families,
            crlURLs: given.crlURLs ?? [],
            deltaCRLURLs: given.deltaCRLURLs ?? [],
            issuerURLs: given.issuerURLs ?? [],
            ocspURLs: given.ocspURLs ?? []
        ).get()
    }

    private mutating func duration(_ text: String?, at path: String, such example: String) -> Duration? {
        guard let text else { return nil }
        guard let seconds = DurationText.seconds(text) else {
            faults.add(path, "must be a whole number and s, m, h or d, such as \(example)")
            return nil
        }
        return .seconds(seconds)
    }
}
