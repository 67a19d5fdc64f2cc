import Foundation
import OperatorAPI

/// Fleets' descriptions as text.
enum FleetText {
    /// Every key, explained. It applies as it stands, but for the certificate's file.
    static let example = """
        # A fleet, for `muster fleet apply FILE`. What is left out has its standard value.
        fleet: meters                       # 1 to 23 of a-z 0-9 -; also its label in EST URLs
        policy: allowlist                   # open: every device with an accepted bootstrap credential
                                            # allowlist: of those, the registered ones
                                            # approval: of those, the ones that an operator approves, one by one
        #approvalRetry: 60s                 # how long a device that waits is asked to wait; s, m, h or d
        #reenrollment: approval             # a revoked device comes with a new key: never, approval (an operator is asked)
                                            # or after-clear (muster device clear)
        #issuer: issuing                    # the issuing CA; the server's only one if left out

        profile:                            # what an issued certificate contains
          organization: Example Energy      # O of the subject; CN is <device>@<fleet>
          trustDomain: example.com          # of its SPIFFE id: spiffe://example.com/meters/<device>
          #lifetime: 365d
          #backdating: 1h                   # for devices whose clocks lag
          #keys: [p256, p384, p521, rsa, ed25519]
          #rsaBitsMin: 2048
          #rsaKeyEncipherment: false
          #crlURLs: []                      # http URLs; {issuer} stands for the issuer's name, {shard} for the CRL's
          #deltaCRLURLs: []                 # of its delta; the public front has it at /crl/{issuer}/{shard}.delta.crl
          #issuerURLs: []
          #ocspURLs: []

        anchors:                            # the CAs whose bootstrap credentials are accepted
          - name: factory
            certificateFile: factory-ca.pem # relative to this file; or the PEM itself under certificate:
            deviceID: subject-serial-number # where the DeviceID stands: subject-serial-number, subject-common-name,
                                            # hardware-module-name (RFC 4108), san-uri with uriPattern, or
                                            # request-common-name for claims that a batch shares
            #uriPattern: "urn:example:device:{id}"
            #keyChange: replace             # an enrolled device comes with another key: replace, approve or refuse;
                                            # replace is standard for IDevIDs, refuse for claims
            #limits:                        # of all its credentials together
            #  devices: 100000              # new devices in all
            #  devicesPerHour: 5000
            #  validFrom: 2027-01-01T00:00:00Z
            #  validUntil: 2028-01-01T00:00:00Z
            #credentialLimits:              # of each of its credentials; same keys
            #  devices: 1000
        """

    /// A description as a file of it would be.
    static func yaml(_ fleet: FleetDescription) -> String {
        var lines = ["fleet: \(fleet.fleet)", "policy: \(fleet.policy)"]
        if let retry = fleet.approvalRetry { lines.append("approvalRetry: \(retry)") }
        if let reenrollment = fleet.reenrollment { lines.append("reenrollment: \(reenrollment)") }
        if let issuer = fleet.issuer { lines.append("issuer: \(issuer)") }
        let profile = fleet.profile
        lines += [
            "profile:", "  organization: \(quoted(profile.organization))", "  trustDomain: \(profile.trustDomain)",
        ]
        if let lifetime = profile.lifetime { lines.append("  lifetime: \(lifetime)") }
        if let backdating = profile.backdating { lines.append("  backdating: \(backdating)") }
        if let keys = profile.keys { lines.append("  keys: [\(keys.joined(separator: ", "))]") }
        if let bits = profile.rsaBitsMin { lines.append("  rsaBitsMin: \(bits)") }
        if let enciphers = profile.rsaKeyEncipherment { lines.append("  rsaKeyEncipherment: \(enciphers)") }
        for (key, urls) in [
            ("crlURLs", profile.crlURLs), ("deltaCRLURLs", profile.deltaCRLURLs),
            ("issuerURLs", profile.issuerURLs), ("ocspURLs", profile.ocspURLs),
        ] {
            if let urls { lines.append("  \(key): [\(urls.map(quoted).joined(separator: ", "))]") }
        }
        lines.append(fleet.anchors.isEmpty ? "anchors: []" : "anchors:")
        for anchor in fleet.anchors {
            lines += ["  - name: \(anchor.name)", "    deviceID: \(anchor.deviceID)"]
            if let pattern = anchor.uriPattern { lines.append("    uriPattern: \(quoted(pattern))") }
            if let keyChange = anchor.keyChange { lines.append("    keyChange: \(keyChange)") }
            lines += limits("limits", anchor.limits) + limits("credentialLimits", anchor.credentialLimits)
            lines.append("    certificate: |")
            lines += anchor.certificate.split(separator: "\n").map { "      \($0)" }
        }
        return lines.joined(separator: "\n")
    }

    /// Limits as a table shows them.
    static func words(_ limits: API.Limits?) -> String {
        guard let limits, limits != API.Limits() else { return "-" }
        var words: [String] = []
        if let devices = limits.devices { words.append("\(devices) devices") }
        if let rate = limits.devicesPerHour { words.append("\(rate) an hour") }
        if let from = limits.validFrom { words.append("from \(CommandOutput.time(from))") }
        if let until = limits.validUntil { words.append("until \(CommandOutput.time(until))") }
        return words.joined(separator: ", ")
    }

    private static func limits(_ key: String, _ limits: API.Limits?) -> [String] {
        guard let limits, limits != API.Limits() else { return [] }
        var lines = ["    \(key):"]
        if let devices = limits.devices { lines.append("      devices: \(devices)") }
        if let rate = limits.devicesPerHour { lines.append("      devicesPerHour: \(rate)") }
        if let from = limits.validFrom { lines.append("      validFrom: \(from.formatted(.iso8601))") }
        if let until = limits.validUntil { lines.append("      validUntil: \(until.formatted(.iso8601))") }
        return lines
    }

    private static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}
