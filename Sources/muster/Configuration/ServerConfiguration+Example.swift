extension ServerConfiguration {
    /// A complete configuration file: every key with its meaning and its environment variable. Required keys have a
    /// value to be changed, others show their default, and those that have none are commented out.
    static var exampleYAML: String {
        var lines = header
        var section = ""
        for key in ConfigurationKeys.all {
            let parts = key.name.split(separator: ".").map(String.init)
            guard let first = parts.first, let last = parts.last else { continue }
            let isList = ConfigurationKeys.listSections[first] != nil
            let isCommented = ConfigurationKeys.optionalSections.contains(first)
            let opens = first != section
            if opens {
                section = first
                lines += ["", "\(isCommented ? "#" : "")\(first):"]
                if let remark = remarks[first] { lines += wrapped(remark, indent: "  ") }
            }
            let indent = isList ? "    " : "  "
            lines += wrapped(meaning(of: key), indent: indent)
            var mark = isCommented ? "#" : ""
            if case .optional = key.presence { mark = "#" }
            let begins = isList && opens
            // A list that is not there has no entry either.
            let entry = begins ? (isCommented ? "  #- " : "  - ") : indent
            lines.append("\(entry)\(begins && isCommented ? "" : mark)\(last): \(quoted(key.example))")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static let header = [
        "# The configuration of `muster serve --config muster.yaml`; `muster config check muster.yaml` looks it over.",
        "#",
        "# Every key can also be set by the environment variable in brackets, and by --set est.listen=0.0.0.0:8443.",
        "# The command line goes before the environment, and that before this file. Relative paths start from the",
        "# folder of this file. Secrets are never written here: they are in files of their own (mode 0600), whose paths",
        "# are. Keys marked \"reloadable\" take a new value on SIGHUP; the others need a restart.",
    ]

    private static let remarks = [
        "issuers": "At least one. In variables and with --set they are counted from 0: issuers.0.name.",
        "mqtt": "The whole section is optional. Uncomment all of it, or none.",
        "webhooks": "Optional; each entry is a program that is told of events. At most 16.",
        "operator": "The whole section is optional; within it, the passphrase and the bearer tokens (jwt…, jwks…) are.",
    ]

    private static func meaning(of key: ConfigurationKeyDescription) -> String {
        let variable = ConfigurationName.environmentVariable(for: ConfigurationName.name(key.name, index: 0))
        var notes = [variable]
        switch key.presence {
        case .required: notes.append("required")
        case .optional: notes.append("optional")
        case .standard: break
        }
        if key.reloadable { notes.append("reloadable") }
        return "\(key.meaning) [\(notes.joined(separator: ", "))]"
    }

    /// Comment lines of at most 110 characters.
    private static func wrapped(_ text: String, indent: String) -> [String] {
        var lines: [String] = []
        var line = "\(indent)#"
        for word in text.split(separator: " ") {
            if line.count + 1 + word.count > 110 {
                lines.append(line)
                line = "\(indent)#"
            }
            line += " " + word
        }
        return lines + [line]
    }

    /// In quotes where YAML would see something else than text, a number or a truth value.
    private static func quoted(_ text: String) -> String {
        text == "1.2" || text == "1.3" ? "\"\(text)\"" : text
    }
}
