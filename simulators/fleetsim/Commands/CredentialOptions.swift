import ArgumentParser

/// Other bootstrap credentials than those that dev.json names.
struct CredentialOptions: ParsableArguments {
    /// The most claim certificates of one run; each has a TLS context of its own.
    static let claimsMax = 1000

    @Option(
        help: ArgumentHelp(
            "The claim certificate that devices share (PEM); dev.json's if not given.",
            valueName: "file"
        )
    )
    var claimCert: String?

    @Option(help: ArgumentHelp("Its key (PEM).", valueName: "file"))
    var claimKey: String?

    @Option(help: "Make that many claim certificates and spread the devices over them, as batches.")
    var claims: Int?

    @Option(
        name: .customLong("claim-ca-cert"),
        help: ArgumentHelp("The CA that signs the certificates of --claims (PEM).", valueName: "file")
    )
    var claimAuthorityCert: String?

    @Option(name: .customLong("claim-ca-key"), help: ArgumentHelp("Its key (PEM).", valueName: "file"))
    var claimAuthorityKey: String?

    @Option(help: ArgumentHelp("The CA that signs IDevIDs (PEM); dev.json's if not given.", valueName: "file"))
    var manufacturerCert: String?

    @Option(help: ArgumentHelp("Its key (PEM).", valueName: "file"))
    var manufacturerKey: String?

    func validate() throws {
        for (certificate, key, name) in [
            (claimCert, claimKey, "claim"), (claimAuthorityCert, claimAuthorityKey, "claim-ca"),
            (manufacturerCert, manufacturerKey, "manufacturer"),
        ] where (certificate == nil) != (key == nil) {
            throw ValidationError("--\(name)-cert and --\(name)-key go together: give both or none")
        }
        if let claims, !(1...Self.claimsMax).contains(claims) {
            throw ValidationError("--claims must be 1 to \(Self.claimsMax)")
        }
        guard (claims == nil) == (claimAuthorityCert == nil) else {
            throw ValidationError("--claims goes together with --claim-ca-cert and --claim-ca-key, which sign them")
        }
        guard claims == nil || claimCert == nil else {
            throw ValidationError("--claims makes claim certificates, and --claim-cert names one: give one of the two")
        }
    }

    /// Refuses what devices of that kind have no use for.
    /// - Parameter isKept: True if their IDevIDs lie in the folder of `--identities`.
    func validate(for identity: IdentityKind, isKept: Bool) throws {
        switch identity {
        case .idevid where claims != nil || claimCert != nil:
            throw ValidationError("claim certificates are for --identity claim; these devices have IDevIDs")
        case .idevid where isKept && manufacturerCert != nil:
            throw ValidationError("the IDevIDs in the folder of --identities are made; leave --manufacturer-cert out")
        case .claim where manufacturerCert != nil:
            throw ValidationError("--manufacturer-cert is for --identity idevid; these devices share a claim")
        case .idevid, .claim: break
        }
    }
}
