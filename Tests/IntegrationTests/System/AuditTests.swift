import TestPeers
import Testing

extension SystemTests {
    /// `muster audit verify`: who did what cannot be rewritten unseen.
    @Suite struct AuditTests {
        @Test func `an intact log says so`() async throws {
            let (_, document) = try await MusterDev.shared.running()
            let result = try await Shell.muster("audit", "verify", "--database", document.database)
            #expect(result.succeeded, "\(result.errorOutput)")
            #expect(result.text.hasPrefix("intact: "))
            let entries = try await RecordProbe(document).query("select count(*) > 0 from audit")
            #expect(entries == "t")
        }

        @Test(arguments: [
            "update audit set detail = detail || '.' where seq = 1",
            "update audit set actor = 'nobody' where seq = (select max(seq) from audit)",
            "update audit set at = at + interval '1 microsecond' where seq = 1",
            "update audit set hash = sha256(hash) where seq = 1",
            "delete from audit where seq = 1",
            "delete from audit where seq = (select max(seq) from audit)",
            "delete from audit",
            """
            insert into audit select (select max(seq) + 1 from audit), at, actor, action, subject, 'inserted', hash
            from audit where seq = 1
            """,
            """
            update audit set seq = seq + 1000000; update audit set seq = seq - 999999;
            insert into audit select 1, at, actor, action, subject, 'inserted', hash from audit where seq = 2
            """,
            "update audit_head set seq = seq + 1",
            "delete from audit_head",
        ])
        func `an entry changed, removed or inserted by the superuser is found`(forgery: String) async throws {
            let (_, document) = try await MusterDev.shared.running()
            try await RecordProbe(document).withCopy { copy in
                let before = try await Shell.muster("audit", "verify", "--database", copy.superuserURI)
                #expect(before.succeeded, "\(before.errorOutput)")
                try await copy.query(forgery)
                let after = try await Shell.muster("audit", "verify", "--database", copy.superuserURI)
                #expect(!after.succeeded)
                #expect(after.errorOutput.hasPrefix("muster: "), "\(after.errorOutput)")
                #expect(!after.text.contains("intact"))
            }
        }
    }
}
