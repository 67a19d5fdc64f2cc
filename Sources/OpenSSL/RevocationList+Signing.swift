import COpenSSL
import DEROctets
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
        let algorithm = key.algorithm.signatureAlgorithm
        let digest = key.algorithm.ownDigest
        // TBSCertList, version 2 (RFC 5280 section 5.1).
        var content = DERElement.encoded(DERElement.integer, [1]) + algorithm
        content += try certificate.subject
        for date in [thisUpdate, nextUpdate] {
            guard let time = DERTime.der(date) else { throw Self.refusal("its times are out of range") }
            content += time
        }
        // No empty list: it is absent (section 5.1.2.6).
        if !entries.isEmpty { DERElement.append(DERElement.sequence, try encodedEntries(), to: &content) }
        DERElement.append(DERElement.context0, try extensions(issuer: certificate, freshest: freshest), to: &content)
        let list = DERElement.encoded(DERElement.sequence, content)
        let signature = try key.sign(list, digest: digest)
        guard try certificate.verifies(signature, over: list, digest: key.algorithm == .ed25519 ? nil : digest) else {
            throw Self.refusal("the signature does not verify under the CA's own certificate; check the key store")
        }
        return DERElement.encoded(
            DERElement.sequence,
            list + algorithm + DERElement.encoded(DERElement.bitString, [0] + signature)
        )
    }

    private static let operation = "sign the CRL"
    /// The extension reasonCode of an entry, but for its last octet (RFC 5280 section 5.3.1).
    private static let reasonExtension: [UInt8] = [
        0x30, 0x0C, 0x30, 0x0A, 0x06, 0x03, 0x55, 0x1D, 0x15, 0x04, 0x03, DERElement.enumerated, 0x01,
    ]

    private static func refusal(_ reason: String) -> OpenSSLError {
        OpenSSLError(operation: operation, reasons: [reason])
    }

    private static func check(_ isDone: Bool) throws(OpenSSLError) {
        guard isDone else { throw ErrorQueue.drain(operation) }
    }

    private func encodedEntries() throws(OpenSSLError) -> [UInt8] {
        var encoded: [UInt8] = []
        encoded.reserveCapacity(entries.count * 64)
        for entry in entries {
            let serial = entry.serialNumber.drop { $0 == 0 }
            guard !serial.isEmpty, serial.count <= Self.serialOctetsMax else {
                throw Self.refusal("a serial number must have 1 to \(Self.serialOctetsMax) octets, and not be zero")
            }
            guard let time = DERTime.der(entry.revokedAt) else {
                throw Self.refusal("the time of a revocation is out of range")
            }
            // An integer with its highest bit set would be negative.
            let isNegative = serial.first.map { $0 & 0x80 != 0 } == true
            // Each of these lengths is below 128, and so one octet.
            let serialLength = serial.count + (isNegative ? 1 : 0)
            // Unspecified is said by saying nothing (RFC 5280 section 5.3.1).
            let reasonLength = entry.reason == 0 ? 0 : Self.reasonExtension.count + 1
            encoded.append(DERElement.sequence)
            encoded.append(UInt8(2 + serialLength + time.count + reasonLength))
            encoded.append(DERElement.integer)
            encoded.append(UInt8(serialLength))
            if isNegative { encoded.append(0) }
            encoded.append(contentsOf: serial)
            encoded.append(contentsOf: time)
            if entry.reason != 0 {
                encoded.append(contentsOf: Self.reasonExtension)
                encoded.append(entry.reason)
            }
        }
        return encoded
    }

    private func extensions(
        issuer: borrowing X509Certificate,
        freshest: [String]
    ) throws(OpenSSLError) -> [UInt8] {
        let list = try X509RevocationList()
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
        var encoded: UnsafeMutablePointer<UInt8>?
        let count = unsafe muster_crl_extensions(list.pointer, &encoded)
        guard count > 0, let encoded = unsafe encoded else { throw ErrorQueue.drain(Self.operation) }
        defer { unsafe muster_openssl_free(encoded) }
        return unsafe [UInt8](UnsafeBufferPointer(start: encoded, count: Int(count)))
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
