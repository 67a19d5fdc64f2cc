/// How PostgreSQL is reached: a libpq connection string without a password, hence fit to be logged.
struct DatabaseAddress: Sendable, Hashable {
    /// The string as libpq takes it: `postgresql://…` or `host=… dbname=…`.
    let connectionString: String
    /// The names of the parameters in it, such as `passfile` or `connect_timeout`. The parts of a URI before its `?`
    /// are not among them.
    let parameters: Set<String>

    /// Reads a connection string. The fault never repeats the text: it may hold a password.
    static func parse(_ text: String) -> Result<Self, ConfigurationValueFault> {
        let isURI = text.hasPrefix("postgresql://") || text.hasPrefix("postgres://")
        let parsed = isURI ? uriParameters(text) : keywordParameters(text)
        return parsed.flatMap { parameters in
            if let secret = parameters.first(where: isSecret) {
                return .failure(
                    secret == "sslpassword"
                        ? ConfigurationValueFault("holds sslpassword; take it out and use a client key without one")
                        : Self.passwordInside
                )
            }
            return .success(Self(connectionString: text, parameters: Set(parameters)))
        }
    }

    private static let passwordInside = ConfigurationValueFault(
        "holds a password; take it out and put it in a file that database.passwordFile names (or libpq's passfile)"
    )
    private static let malformed = ConfigurationValueFault(
        "is not a connection string; write postgresql://user@host/database or host=… dbname=… user=…"
    )

    private static func isSecret(_ parameter: String) -> Bool {
        let lower = parameter.lowercased()
        return lower.contains("password") || lower.contains("secret")
    }

    private static func uriParameters(_ text: String) -> Result<[String], ConfigurationValueFault> {
        guard let scheme = text.firstRange(of: "://") else { return .failure(malformed) }
        let rest = text[scheme.upperBound...]
        let place = rest.prefix { $0 != "?" }
        // libpq ends the user at the first "@". A password with an unescaped "@" or "/" would end later: look for
        // the last, so that none slips through.
        if let at = place.lastIndex(of: "@"), place[..<at].contains(":") { return .failure(passwordInside) }
        guard !place.contains(where: \.isWhitespace) else { return .failure(malformed) }
        var names: [String] = []
        for parameter in rest.dropFirst(place.count + 1).split(separator: "&") {
            guard let equals = parameter.firstIndex(of: "="), let name = percentDecoded(parameter[..<equals]) else {
                return .failure(malformed)
            }
            names.append(name)
        }
        return .success(names)
    }

    /// The grammar of libpq's `conninfo_parse`: `name = value`, values bare or in single quotes, `\` escapes.
    private static func keywordParameters(_ text: String) -> Result<[String], ConfigurationValueFault> {
        var rest = text[...]
        var names: [String] = []
        rest = rest.drop(while: \.isWhitespace)
        while !rest.isEmpty {
            let name = rest.prefix { $0 != "=" && !$0.isWhitespace }
            rest = rest.dropFirst(name.count).drop(while: \.isWhitespace)
            let isName = !name.isEmpty && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
            guard isName, rest.first == "=" else { return .failure(malformed) }
            rest = rest.dropFirst().drop(while: \.isWhitespace)
            guard skipValue(&rest) else { return .failure(malformed) }
            names.append(String(name))
            rest = rest.drop(while: \.isWhitespace)
        }
        return names.isEmpty ? .failure(malformed) : .success(names)
    }

    /// Drops one value; false if its quote is never closed.
    private static func skipValue(_ rest: inout Substring) -> Bool {
        let quoted = rest.first == "'"
        if quoted { rest = rest.dropFirst() }
        while let character = rest.first {
            if character == "\\" {
                rest = rest.dropFirst(2)
            } else if quoted, character == "'" {
                rest = rest.dropFirst()
                return true
            } else if !quoted, character.isWhitespace {
                return true
            } else {
                rest = rest.dropFirst()
            }
        }
        return !quoted
    }

    private static func percentDecoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let decoded = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            else {
                return nil
            }
            bytes.append(decoded)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}

extension DatabaseAddress: CustomStringConvertible {
    /// The connection string; there is no password in it.
    var description: String { connectionString }
}
