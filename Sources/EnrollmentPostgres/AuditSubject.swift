import PKI

/// What audit entries are about, where that is neither a device (`<device>@<fleet>`) nor a fleet.
enum AuditSubject {
    static func device(_ device: String, fleet: String) -> String { "\(device)@\(fleet)" }

    static func credential(_ sha256: [UInt8], fleet: String) -> String { "credential \(Hex.text(sha256))@\(fleet)" }

    static func anchor(_ name: String, fleet: String) -> String { "anchor \(name)@\(fleet)" }

    static func revocationRequest(_ id: Int64, fleet: String) -> String { "revocation request \(id)@\(fleet)" }

    static func webhook(_ name: String) -> String { "webhook \(name)" }

    static func holder(_ name: String) -> String { "operator \(name)" }
}
