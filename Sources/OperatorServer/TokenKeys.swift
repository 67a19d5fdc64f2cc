import Foundation
import JWTKit
import Logging
import OperatorAPI

/// The key set, kept parsed. It is read again when a token names a key that is not in it, but not more often than every
/// ten seconds, and when what is kept is five minutes old, so that a key that was taken out ends.
actor TokenKeys {
    private static let readingPause: TimeInterval = 10
    private static let ageMax: TimeInterval = 300
    private static let octetsMax = 256 * 1024
    private static let keysMax = 64
    /// 2,048 bits in base64url.
    private static let modulusDigitsMin = 341

    private let read: @Sendable () async throws -> Data
    private let logger: Logger
    private var keys: [JWK]?
    private var readAt: Date?
    private var triedAt: Date?

    init(read: @escaping @Sendable () async throws -> Data, logger: Logger) {
        self.read = read
        self.logger = logger
    }

    /// The public key that verifies `algorithm` under a name; without one, the only key that could.
    func key(_ identifier: String?, for algorithm: TokenAlgorithm, at now: Date) async throws -> JWK? {
        let isOld = readAt.map { now.timeIntervalSince($0) >= Self.ageMax } ?? true
        if isOld || find(identifier, algorithm) == nil { await refresh(at: now) }
        guard keys != nil else {
            throw API.Problem(
                title: "Service unavailable",
                status: 503,
                detail: "the server cannot read the keys of tokens; see its log",
                code: "key-set-unavailable"
            )
        }
        return find(identifier, algorithm)
    }

    private func find(_ identifier: String?, _ algorithm: TokenAlgorithm) -> JWK? {
        let fitting = (keys ?? []).compactMap { Self.fitted($0, to: algorithm) }
        if let identifier { return fitting.first { $0.keyIdentifier?.string == identifier } }
        return fitting.count == 1 ? fitting[0] : nil
    }

    private func refresh(at now: Date) async {
        if let triedAt, now.timeIntervalSince(triedAt) < Self.readingPause, now >= triedAt { return }
        triedAt = now
        do {
            keys = try Self.parse(try await read())
            readAt = now
        } catch {
            // The keys that were read before still hold.
            logger.error("key set of tokens not read", metadata: ["error": "\(error)"])
        }
    }

    /// The keys of a set that can be read; others stand in sets beside them (RFC 7517 section 5).
    private static func parse(_ data: Data) throws -> [JWK] {
        guard data.count <= octetsMax, let set = try JSONSerialization.jsonObject(with: data) as? [String: Any],
            let members = set["keys"] as? [Any], members.count <= keysMax
        else { throw DocumentFault(path: "keys", reason: "must be a list of at most \(keysMax) JSON Web Keys") }
        return members.enumerated().compactMap { index, member in
            guard let member = member as? [String: Any], member["use"] as? String ?? "sig" == "sig",
                let data = try? JSONSerialization.data(withJSONObject: member),
                var key = try? JSONDecoder().decode(JWK.self, from: data)
            else { return nil }
            key.privateExponent = nil
            key.prime1 = nil
            key.prime2 = nil
            if key.keyIdentifier == nil { key.keyIdentifier = JWKIdentifier(string: "unnamed-\(index)") }
            return key
        }
    }

    /// The key for just that algorithm, or nil if it is of another kind: what a token says of its algorithm must not
    /// decide how a key is used (RFC 8725 section 3.1).
    private static func fitted(_ key: JWK, to algorithm: TokenAlgorithm) -> JWK? {
        let name: JWK.Algorithm
        switch algorithm {
        case .es256:
            guard key.keyType == .ecdsa, key.curve?.rawValue == "P-256" else { return nil }
            name = .es256
        case .es384:
            guard key.keyType == .ecdsa, key.curve?.rawValue == "P-384" else { return nil }
            name = .es384
        case .rs256:
            guard key.keyType == .rsa, (key.modulus?.utf8.count ?? 0) >= modulusDigitsMin else { return nil }
            name = .rs256
        case .ps256:
            guard key.keyType == .rsa, (key.modulus?.utf8.count ?? 0) >= modulusDigitsMin else { return nil }
            name = .ps256
        case .eddsa:
            guard key.keyType == .octetKeyPair, key.curve?.rawValue == "Ed25519" else { return nil }
            name = .eddsa
        }
        guard key.algorithm == nil || key.algorithm == name else { return nil }
        var fitted = key
        fitted.algorithm = name
        return fitted
    }
}
