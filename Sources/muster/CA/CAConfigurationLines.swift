/// The lines of a configuration that name what a command of `muster ca` made or took.
enum CAConfigurationLines {
    /// The entry of an issuer in the list `issuers`.
    static func issuer(name: String, certificateFile: String, key: String, passphraseFile: String?) -> [String] {
        [
            "issuers:",
            "  - name: \(name)",
            "    certificateFile: \(quoted(certificateFile))",
            "    keyFile: \(quoted(key))",
        ] + (passphraseFile.map { ["    passphraseFile: \(quoted($0))"] } ?? [])
    }

    /// The section `trustStore`.
    static func trustStore(certificateFile: String, key: String, passphraseFile: String?) -> [String] {
        [
            "trustStore:",
            "  signerCertificateFile: \(quoted(certificateFile))",
            "  signerKeyFile: \(quoted(key))",
        ] + (passphraseFile.map { ["  passphraseFile: \(quoted($0))"] } ?? [])
    }

    /// As YAML takes it for text: in double quotes (YAML 1.2.2 section 7.3.1) unless it is plain beyond doubt.
    static func quoted(_ text: String) -> String {
        guard text.wholeMatch(of: /\/[A-Za-z0-9_.\/-]*/) == nil else { return text }
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case "\n": quoted += "\\n"
            case "\t": quoted += "\\t"
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
