import COpenSSL
import Foundation

extension RevocationList {
    /// Signs the list. What comes back was verified under the issuer's certificate.
    /// - Parameters:
    ///   - issuer: The CA's certificate, DER, with a subject key identifier, for `key`'s public half.
    ///   - freshest: URIs of the delta list (RFC 5280 section 5.2.6).
    /// - Returns: DER.
    package func signed(
        issuer: [UInt8],
        key: PrivateKey,
        freshest: [String] = []
    ) throws(OpenSSLError) -> [UInt8] {
        let certificate = try X509Certificate(der: issuer)
        let list = try X509RevocationList()
        try set(on: list, issuer: certificate)
        try extend(list, issuer: certificate, freshest: freshest)
        try key.whileTokenRests { () throws(OpenSSLError) in
            ErrorQueue.clear()
            let digest = unsafe key.algorithm == .ed25519 ? nil : key.algorithm.ownDigest.method
            try Self.check(unsafe X509_CRL_sign(list.pointer, key.pointer, digest) > 0)
        }
        guard list.isSigned(by: certificate) else {
            throw Self.refusal("the signature does not verify under the CA's own certificate; check the key store")
        }
        return try list.der()
    }

    private static let operation = "sign the CRL"

    private static func refusal(_ reason: String) -> OpenSSLError {
        OpenSSLError(operation: operation, reasons: [reason])
    }

    private static func check(_ isDone: Bool) throws(OpenSSLError) {
        guard isDone else { throw ErrorQueue.drain(operation) }
    }

    private func set(
        on list: borrowing X509RevocationList,
        issuer: borrowing X509Certificate
    ) throws(OpenSSLError) {
        ErrorQueue.clear()
        try Self.check(
            unsafe X509_CRL_set_issuer_name(list.pointer, X509_get_subject_name(issuer.pointer)) == 1
        )
        let first = try ASN1Time(thisUpdate)
        let next = try ASN1Time(nextUpdate)
        try Self.check(unsafe X509_CRL_set1_lastUpdate(list.pointer, first.pointer) == 1)
        try Self.check(unsafe X509_CRL_set1_nextUpdate(list.pointer, next.pointer) == 1)
        for entry in entries { try add(entry, to: list) }
    }

    private func add(_ entry: Entry, to list: borrowing X509RevocationList) throws(OpenSSLError) {
        let value = try BigNumber(bigEndian: entry.serialNumber)
        let date = try ASN1Time(entry.revokedAt)
        ErrorQueue.clear()
        guard let serial = unsafe BN_to_ASN1_INTEGER(value.pointer, nil), let made = unsafe X509_REVOKED_new() else {
            throw ErrorQueue.drain(Self.operation)
        }
        defer { unsafe ASN1_INTEGER_free(serial) }
        var isTaken = false
        defer { if !isTaken { unsafe X509_REVOKED_free(made) } }
        try Self.check(unsafe X509_REVOKED_set_serialNumber(made, serial) == 1)
        try Self.check(unsafe X509_REVOKED_set_revocationDate(made, date.pointer) == 1)
        // Unspecified is said by saying nothing (RFC 5280 section 5.3.1).
        if entry.reason != 0 {
            guard let reason = unsafe ASN1_ENUMERATED_new() else { throw ErrorQueue.drain(Self.operation) }
            defer { unsafe ASN1_ENUMERATED_free(reason) }
            try Self.check(unsafe ASN1_ENUMERATED_set(reason, Int(entry.reason)) == 1)
            try Self.check(
                unsafe X509_REVOKED_add1_ext_i2d(made, NID_crl_reason, reason, 0, UInt(X509V3_ADD_DEFAULT)) == 1
            )
        }
        try Self.check(unsafe X509_CRL_add0_revoked(list.pointer, made) == 1)
        isTaken = true
    }

    private func extend(
        _ list: borrowing X509RevocationList,
        issuer: borrowing X509Certificate,
        freshest: [String]
    ) throws(OpenSSLError) {
        ErrorQueue.clear()
        guard unsafe muster_crl_set_authority(list.pointer, issuer.pointer) == 1 else {
            throw ErrorQueue.drain(Self.operation, reason: "the CA's certificate has no subject key identifier")
        }
        try Self.add(number, NID_crl_number, isCritical: false, to: list)
        if let baseNumber { try Self.add(baseNumber, NID_delta_crl, isCritical: true, to: list) }
        if !places.isEmpty {
            try Self.check(unsafe muster_crl_set_place(list.pointer, try Self.uris(places)) == 1)
        }
        if !freshest.isEmpty {
            try Self.check(unsafe muster_crl_set_freshest(list.pointer, try Self.uris(freshest)) == 1)
        }
    }

    private static func add(
        _ value: Int64,
        _ extensionNumber: Int32,
        isCritical: Bool,
        to list: borrowing X509RevocationList
    ) throws(OpenSSLError) {
        guard let integer = unsafe ASN1_INTEGER_new() else { throw ErrorQueue.drain(operation) }
        defer { unsafe ASN1_INTEGER_free(integer) }
        try check(unsafe ASN1_INTEGER_set_int64(integer, value) == 1)
        try check(
            unsafe X509_CRL_add1_ext_i2d(
                list.pointer,
                extensionNumber,
                integer,
                isCritical ? 1 : 0,
                UInt(X509V3_ADD_DEFAULT)
            ) == 1
        )
    }

    /// The caller's, or whoever takes them.
    private static func uris(_ texts: [String]) throws(OpenSSLError) -> OpaquePointer {
        guard texts.count <= urisMax else { throw refusal("it has more than \(urisMax) URIs") }
        guard let uris = unsafe muster_uris_new() else { throw ErrorQueue.drain(operation) }
        for text in texts {
            guard let count = Int32(exactly: text.utf8.count), unsafe muster_uris_add(uris, text, count) == 1 else {
                unsafe muster_uris_free(uris)
                throw ErrorQueue.drain(operation)
            }
        }
        return unsafe uris
    }
}
