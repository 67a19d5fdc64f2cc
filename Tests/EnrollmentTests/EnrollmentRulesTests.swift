import Foundation
import PKI
import TestKit
import Testing

@testable import Enrollment

/// The rules as a table: who asks, with which key, what the record knows, and what follows.
struct EnrollmentRulesTests {
    private static let now = TestClock.start
    private static let key = [UInt8](repeating: 1, count: 32)
    private static let otherKey = [UInt8](repeating: 2, count: 32)
    private static let credentialKey = [UInt8](repeating: 3, count: 32)
    private static let current: [UInt8] = [10]
    private static let previous: [UInt8] = [9]

    enum Asker: Sendable { case idevid, otherIDevID, claim, current, previous, stranger }

    struct Row: Sendable, CustomTestStringConvertible {
        let asker: Asker
        var key = EnrollmentRulesTests.key
        var deviceKey: [UInt8]? = EnrollmentRulesTests.key
        var provedBy: AnchorID? = TestFleet.manufacturerID
        var isRevoked = false
        var isExpired = false
        var isUsed = false
        var daysSince = 1.0
        var isKeyOfAnother = false
        let expected: String

        var testDescription: String { "\(asker) → \(expected)" }
    }

    static let rows: [Row] = [
        Row(asker: .idevid, deviceKey: nil, expected: "issue open-first"),
        Row(asker: .claim, deviceKey: nil, expected: "issue open-first"),
        Row(asker: .idevid, deviceKey: nil, isKeyOfAnother: true, expected: "key-of-another-device"),
        Row(asker: .idevid, key: credentialKey, deviceKey: nil, expected: "key-of-bootstrap-credential"),
        Row(asker: .idevid, expected: "repeat same-key"),
        Row(asker: .claim, expected: "repeat same-key"),
        Row(asker: .claim, provedBy: nil, expected: "repeat same-key"),
        Row(asker: .idevid, isExpired: true, expected: "issue same-key-expired"),
        Row(asker: .idevid, isRevoked: true, expected: "certificate-revoked"),
        Row(asker: .idevid, isRevoked: true, isExpired: true, expected: "certificate-revoked"),
        Row(asker: .idevid, key: otherKey, expected: "issue idevid-replaces"),
        Row(asker: .idevid, key: otherKey, provedBy: nil, expected: "issue idevid-replaces"),
        Row(asker: .otherIDevID, expected: "device-of-another-anchor"),
        Row(asker: .otherIDevID, provedBy: nil, expected: "repeat same-key"),
        Row(asker: .claim, key: otherKey, expected: "device-has-another-key"),
        Row(asker: .claim, key: otherKey, isExpired: true, expected: "device-has-another-key"),
        Row(asker: .current, expected: "issue renew"),
        Row(asker: .current, key: otherKey, expected: "issue rekey"),
        Row(asker: .current, isUsed: true, daysSince: 80, expected: "issue renew"),
        Row(asker: .current, isRevoked: true, expected: "certificate-revoked"),
        Row(asker: .current, deviceKey: nil, expected: "certificate-unknown"),
        Row(asker: .current, key: otherKey, isKeyOfAnother: true, expected: "key-of-another-device"),
        Row(asker: .previous, expected: "repeat same-key"),
        Row(asker: .previous, isExpired: true, expected: "issue same-key-expired"),
        Row(asker: .previous, key: otherKey, expected: "issue rekey-unsaved"),
        Row(asker: .previous, isUsed: true, expected: "certificate-superseded"),
        Row(asker: .previous, daysSince: 7, expected: "certificate-superseded"),
        Row(asker: .previous, daysSince: 6.9, expected: "repeat same-key"),
        Row(asker: .previous, isRevoked: true, expected: "certificate-revoked"),
        Row(asker: .stranger, expected: "certificate-superseded"),
    ]

    @Test(arguments: rows)
    func `each situation has one outcome`(_ row: Row) async throws {
        let world = try TestFleet()
        let identity = try Self.identity(row.asker, world: world)
        let known = row.deviceKey.map { deviceKey in
            KnownDevice(
                current: RecordedCertificate(
                    issuer: IssuerID(1),
                    serialNumber: Self.current,
                    publicKeySHA256: deviceKey,
                    notBefore: Self.now.addingTimeInterval(-100 * .day),
                    notAfter: Self.now.addingTimeInterval(row.isExpired ? 0 : 1),
                    isRevoked: row.isRevoked,
                    der: [0x30]
                ),
                renewableSerialNumber: Self.previous,
                enrolledAt: Self.now.addingTimeInterval(-row.daysSince * .day),
                currentIsUsed: row.isUsed,
                idevidAnchor: row.provedBy
            )
        }
        let decision = EnrollmentRules.decide(
            identity,
            publicKeySHA256: row.key,
            policy: .open,
            situation: EnrollmentSituation(device: known, keyBelongsToAnother: row.isKeyOfAnother),
            now: Self.now
        )
        switch decision {
        case .issue(let replaces, _, let admission, let rule):
            #expect((admission != nil) == (known == nil))
            #expect("issue \(rule)" == row.expected)
            #expect(replaces == known?.current.serialNumber)
        case .repeatCertificate(let certificate, let rule):
            #expect("repeat \(rule)" == row.expected)
            #expect(certificate == known?.current)
        case .wait(_, _, let rule): #expect("wait \(rule)" == row.expected)
        case .refuse(let refusal): #expect(refusal.reason.rawValue == row.expected)
        }
    }

    private static func identity(_ asker: Asker, world: TestFleet) throws -> ClientIdentity {
        let anchors = world.fleet.record.anchors
        func bootstrap(_ anchor: BootstrapAnchor) throws -> ClientIdentity {
            .bootstrap(
                BootstrapIdentity(
                    anchor: anchor,
                    subject: try .init(serialNumber: "meter-1"),
                    credentialSHA256: [],
                    publicKeySHA256: credentialKey
                )
            )
        }
        func operational(_ serialNumber: [UInt8]) throws -> ClientIdentity {
            .operational(
                OperationalIdentity(
                    device: try world.names("meter-1").device,
                    certificate: world.issuing.certificate,
                    serialNumber: serialNumber,
                    credentialSHA256: []
                )
            )
        }
        return switch asker {
        case .idevid: try bootstrap(anchors[0])
        case .otherIDevID: try bootstrap(anchors[1])
        case .claim: try bootstrap(anchors[2])
        case .current: try operational(current)
        case .previous: try operational(previous)
        case .stranger: try operational([8])
        }
    }
}
