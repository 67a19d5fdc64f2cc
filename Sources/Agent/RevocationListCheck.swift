package import Foundation
import OpenSSL
import PKI

/// A list that was verified, and what it says of itself.
package struct VerifiedList: Hashable, Sendable {
    /// DER.
    package let der: [UInt8]
    package let number: Int64
    package let thisUpdate: Date
    package let nextUpdate: Date
    package let entryCount: Int
    /// When its certificates were revoked, to the second.
    let revocationTimes: Set<Date>
    /// Hashes of the serial numbers: of a million, the numbers themselves would take a hundred megabytes.
    private let serialHashes: Set<Int>

    init(der: [UInt8], _ list: RevocationList) {
        self.der = der
        number = list.number
        thisUpdate = list.thisUpdate
        nextUpdate = list.nextUpdate
        entryCount = list.entries.count
        revocationTimes = Set(list.entries.map(\.revokedAt))
        serialHashes = Set(list.entries.map { Self.hash($0.serialNumber) })
    }

    /// True if it has the certificate of that serial number, big-endian.
    func lists(serial: [UInt8]) -> Bool { serialHashes.contains(Self.hash(serial)) }

    private static func hash(_ serial: [UInt8]) -> Int { Array(serial.drop { $0 == 0 }).hashValue }
}

/// Whether a list may take the place of the one in force.
package struct RevocationListCheck: Sendable {
    /// How far ahead a list's time may lie: clocks are never quite alike.
    package static let aheadMax: TimeInterval = 300

    /// The CA's certificate, DER.
    let issuer: [UInt8]
    /// The highest number that was ever in force; nil before the first.
    let numberMin: Int64?
    /// What is in force.
    let inForce: VerifiedList?

    /// - Returns: The list; nil if it is the one in force.
    func accept(_ der: [UInt8], now: Date) throws(ListRefusal) -> VerifiedList? {
        guard der != inForce?.der else { return nil }
        guard !der.isEmpty else { throw .empty }
        let list: RevocationList
        do { list = try RevocationList(der: der, issuer: issuer) } catch { throw .unverifiable("\(error)") }
        guard list.baseNumber == nil else { throw .partial("it is a delta") }
        guard list.places.isEmpty else { throw .partial("it is for \(list.places[0]) alone") }
        guard list.nextUpdate > now else { throw .expired(list.nextUpdate) }
        guard list.thisUpdate <= now.addingTimeInterval(Self.aheadMax) else { throw .ahead(list.thisUpdate) }
        if let numberMin {
            guard list.number >= numberMin else { throw .older(number: list.number, inForce: numberMin) }
            // Of two lists of one number nobody can say which is the later one.
            guard list.number > numberMin || inForce == nil else { throw .sameNumber(list.number) }
        }
        return VerifiedList(der: der, list)
    }
}

/// Why a list is not put in force.
package enum ListRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    case empty
    case unverifiable(String)
    case partial(String)
    case expired(Date)
    case ahead(Date)
    case older(number: Int64, inForce: Int64)
    case sameNumber(Int64)

    package var description: String {
        switch self {
        case .empty: "the list is empty: not even an issuer stands in it"
        case .unverifiable(let why): "the list does not verify: \(why)"
        case .partial(let why): "the list does not list all that the CA revoked: \(why)"
        case .expired(let end):
            "the list has expired: its nextUpdate is \(end.formatted(.iso8601)); is anybody signing?"
        case .ahead(let time): "the list lies ahead: its thisUpdate is \(time.formatted(.iso8601)); compare the clocks"
        case .older(let number, let inForce):
            "the list is older than the one in force: its number is \(number), and \(inForce) was in force"
        case .sameNumber(let number): "it is another list with the number in force, \(number)"
        }
    }
}
