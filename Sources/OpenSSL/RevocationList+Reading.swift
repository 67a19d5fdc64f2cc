import COpenSSL
import Foundation

extension RevocationList {
    /// Reads a list, DER.
    /// - Parameter issuer: The CA's certificate, DER: a list of another CA, or one that it did not sign, is refused. Nil
    ///   asks for no signature: for a list of one's own record.
    package init(der: [UInt8], issuer: [UInt8]?) throws(OpenSSLError) {
        let list = try X509RevocationList(der: der)
        if let issuer {
            guard list.isSigned(by: try X509Certificate(der: issuer)) else {
                throw Self.unreadable("it is not the CA's, or its signature does not verify")
            }
        }
        let number = unsafe muster_crl_integer(list.pointer, NID_crl_number)
        let base = unsafe muster_crl_integer(list.pointer, NID_delta_crl)
        guard number >= 0, base >= -1 else { throw Self.unreadable("it has no number that can be read") }
        guard let thisUpdate = unsafe ASN1Time.date(X509_CRL_get0_lastUpdate(list.pointer)),
            let nextUpdate = unsafe ASN1Time.date(X509_CRL_get0_nextUpdate(list.pointer))
        else { throw Self.unreadable("it has no thisUpdate or no nextUpdate") }
        self.init(
            number: number,
            baseNumber: base == -1 ? nil : base,
            thisUpdate: thisUpdate,
            nextUpdate: nextUpdate,
            places: try Self.places(list),
            entries: try Self.entries(list)
        )
    }

    /// True if `der` is a list of the CA (its certificate, DER), and its signature the CA's.
    package static func isSigned(_ der: [UInt8], by issuer: [UInt8]) -> Bool {
        guard let list = try? X509RevocationList(der: der), let issuer = try? X509Certificate(der: issuer) else {
            return false
        }
        return list.isSigned(by: issuer)
    }

    private static func unreadable(_ reason: String) -> OpenSSLError {
        OpenSSLError(operation: "read the CRL", reasons: [reason])
    }

    private static func entries(_ list: borrowing X509RevocationList) throws(OpenSSLError) -> [Entry] {
        let count = unsafe muster_crl_entry_count(list.pointer)
        var entries: [Entry] = []
        entries.reserveCapacity(Int(max(0, count)))
        for index in 0..<max(0, count) {
            guard let entry = unsafe muster_crl_entry_at(list.pointer, index),
                let date = unsafe ASN1Time.date(X509_REVOKED_get0_revocationDate(entry)),
                let reason = UInt8(exactly: unsafe muster_crl_entry_reason(entry)),
                let serial = unsafe X509_REVOKED_get0_serialNumber(entry)
            else { throw unreadable("its entry \(index) cannot be read") }
            let octets = unsafe UnsafeBufferPointer(start: serial.pointee.data, count: Int(serial.pointee.length))
            entries.append(unsafe Entry(serialNumber: Array(octets), revokedAt: date, reason: reason))
        }
        return entries
    }

    private static func places(_ list: borrowing X509RevocationList) throws(OpenSSLError) -> [String] {
        var found: Int32 = -1
        guard let place = unsafe muster_crl_place(list.pointer, &found) else {
            guard found == -1 else { throw unreadable("its issuingDistributionPoint cannot be read") }
            return []
        }
        defer { unsafe ISSUING_DIST_POINT_free(place) }
        var places: [String] = []
        for index in 0..<min(max(0, unsafe muster_place_uri_count(place)), Int32(urisMax)) {
            guard let uri = unsafe muster_place_uri_at(place, index) else { continue }
            let octets = unsafe UnsafeBufferPointer(start: uri.pointee.data, count: Int(uri.pointee.length))
            places.append(unsafe String(decoding: octets, as: UTF8.self))
        }
        return places
    }
}
