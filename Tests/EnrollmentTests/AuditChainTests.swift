import Crypto
import Enrollment
import Foundation
import TestKit
import Testing

struct AuditChainTests {
    private static let entry = AuditEntry(
        at: TestClock.start,
        actor: "operator ada",
        action: "fleet.created",
        subject: "meters",
        detail: "policy open"
    )

    @Test func `the hash is SHA-256 of the one before and each field with its length`() {
        var expected = SHA256()
        expected.update(data: AuditChain.origin)
        for field in ["1", "1768478400000000", "operator ada", "fleet.created", "meters", "policy open"] {
            expected.update(data: [0, 0, 0, 0, 0, 0, 0, UInt8(field.utf8.count)])
            expected.update(data: Array(field.utf8))
        }
        let hash = AuditChain.hash(Self.entry, sequence: 1, previous: AuditChain.origin)
        #expect(hash == Array(expected.finalize()))
    }

    @Test func `a change of any field, of the order or of what came before changes the hash`() {
        let entry = Self.entry
        func changed(
            at: Date? = nil,
            actor: String? = nil,
            action: String? = nil,
            subject: String? = nil,
            detail: String? = nil
        ) -> AuditEntry {
            AuditEntry(
                at: at ?? entry.at,
                actor: actor ?? entry.actor,
                action: action ?? entry.action,
                subject: subject ?? entry.subject,
                detail: detail ?? entry.detail
            )
        }
        var hashes: Set<[UInt8]> = [
            AuditChain.hash(entry, sequence: 1, previous: AuditChain.origin),
            AuditChain.hash(entry, sequence: 2, previous: AuditChain.origin),
            AuditChain.hash(entry, sequence: 1, previous: [UInt8](repeating: 1, count: 32)),
        ]
        let others = [
            changed(at: entry.at.addingTimeInterval(0.000_001)), changed(actor: "operator bob"),
            changed(action: "fleet.changed"), changed(subject: "valves"), changed(detail: ""),
            // The same text, parted elsewhere.
            changed(actor: "operator adaf", action: "leet.created"),
        ]
        for other in others { hashes.insert(AuditChain.hash(other, sequence: 1, previous: AuditChain.origin)) }
        #expect(hashes.count == 3 + others.count)
    }
}
