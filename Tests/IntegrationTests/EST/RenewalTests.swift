import TestPeers
import Testing

extension ESTFrontTests {
    /// POST /simplereenroll (RFC 7030 section 4.2.2).
    struct RenewalTests {
        private func renew(
            _ bench: Workbench,
            _ request: String,
            as credential: String
        ) async throws -> Workbench.Answer {
            try await bench.post("\(request).b64", to: "simplereenroll", as: credential)
        }

        @Test(arguments: ["P-256", "RSA-2048", "Ed25519"])
        func `renewal with the same key gives a new certificate of the same names (EST-32, EST-34)`(
            kind: String
        ) async throws {
            let bench = try await Workbench.enrolled(kind)
            try await bench.sh("cp device.key renewed.key")
            try await bench.makeRenewal("renewed", of: "device")
            let answer = try await renew(bench, "renewed", as: "device")
            try await bench.save(answer, as: "renewed")
            #expect(try await bench.attempt(answer) == "simplereenroll|issued|issue|renew||\(bench.id)")
            #expect(try await bench.serial("renewed") != bench.serial("device"))
            try await bench.sh(
                """
                facts() { openssl x509 -in "$1.pem" -noout -subject -issuer -pubkey -ext subjectAltName,keyUsage; }
                [ "$(facts device)" = "$(facts renewed)" ]
                """
            )
        }

        @Test func `renewal with another key is a rekey (EST-34)`() async throws {
            let bench = try await Workbench.enrolled()
            try await bench.sh("key rekeyed P-384")
            try await bench.makeRenewal("rekeyed", of: "device")
            let answer = try await renew(bench, "rekeyed", as: "device")
            try await bench.save(answer, as: "rekeyed")
            #expect(try await bench.attempt(answer) == "simplereenroll|issued|issue|rekey||\(bench.id)")
        }

        @Test func `a renewal whose answer was lost gets the same bytes with the old certificate (EST-35, EST-36)`()
            async throws
        {
            let bench = try await Workbench.enrolled()
            try await bench.sh("key rekeyed P-256")
            try await bench.makeRenewal("rekeyed", of: "device")
            let lost = try await renew(bench, "rekeyed", as: "device")
            let again = try await renew(bench, "rekeyed", as: "device")
            #expect(lost.status == 200 && again.body == lost.body)
            #expect(try await bench.attempt(again) == "simplereenroll|repeated|issue|same-key||\(bench.id)")
        }

        @Test func `a renewal that was lost with its key may begin anew with the old certificate (EST-36)`()
            async throws
        {
            let bench = try await Workbench.enrolled()
            try await bench.sh("key lost P-256; key kept P-256")
            try await bench.makeRenewal("lost", of: "device")
            #expect(try await renew(bench, "lost", as: "device").status == 200)
            try await bench.makeRenewal("kept", of: "device")
            let answer = try await renew(bench, "kept", as: "device")
            #expect(answer.status == 200)
            #expect(try await bench.attempt(answer) == "simplereenroll|issued|issue|rekey-unsaved||\(bench.id)")
        }

        @Test func `once its successor was used, a certificate renews nothing (EST-35)`() async throws {
            let bench = try await Workbench.enrolled()
            try await bench.sh("key second P-256; key third P-256")
            try await bench.makeRenewal("second", of: "device")
            try await bench.save(try await renew(bench, "second", as: "device"), as: "second")
            try await bench.makeRenewal("third", of: "second")
            try await bench.save(try await renew(bench, "third", as: "second"), as: "third")
            let old = try await renew(bench, "second", as: "device")
            #expect(old.status == 403)
            #expect(old.reason == "certificate-superseded")
            #expect(
                try await bench.attempt(old)
                    == "simplereenroll|refused|policy|certificate-superseded|certificate-superseded|\(bench.id)"
            )
            // A key that the device left is its own still, and no one else's.
            #expect(try await renew(bench, "third", as: "third").status == 200)
        }

        @Test func `of renewals at once with one certificate, one certificate is current in the end (EST-35)`()
            async throws
        {
            let bench = try await Workbench.enrolled()
            for name in ["a", "b", "c"] {
                try await bench.sh("key \"$1\" P-256", name)
                try await bench.makeRenewal(name, of: "device")
            }
            async let a = renew(bench, "a", as: "device")
            async let b = renew(bench, "b", as: "device")
            async let c = renew(bench, "c", as: "device")
            let statuses = try await [a, b, c].map(\.status)
            #expect(statuses.allSatisfy { $0 == 200 }, "\(statuses)")
            let valid = try await RecordProbe(bench.document).query(
                "select count(*) from certificates where device_id = '\(bench.id)' and status = 'valid'"
            )
            #expect(valid == "1")
        }

        @Test(
            arguments: [
                (
                    "another common name", "/O=Muster Demo/serialNumber=ID/CN=other@demo", "URI:SPIFFE",
                    "subject-mismatch"
                ),
                ("no organization", "/serialNumber=ID/CN=ID@demo", "URI:SPIFFE", "subject-mismatch"),
                ("another order", "/CN=ID@demo/serialNumber=ID/O=Muster Demo", "URI:SPIFFE", "subject-mismatch"),
                ("no subject", "/", "URI:SPIFFE", "subject-mismatch"),
                (
                    "an added DNS name", "/O=Muster Demo/serialNumber=ID/CN=ID@demo", "URI:SPIFFE,DNS:a.example",
                    "names-not-allowed"
                ),
                (
                    "the URI twice", "/O=Muster Demo/serialNumber=ID/CN=ID@demo", "URI:SPIFFE,URI:SPIFFE",
                    "names-not-allowed"
                ),
                ("another URI", "/O=Muster Demo/serialNumber=ID/CN=ID@demo", "URI:SPIFFEx", "names-not-allowed"),
                ("no alternative name", "/O=Muster Demo/serialNumber=ID/CN=ID@demo", "", "names-not-allowed"),
            ]
        )
        func `a renewal must ask for the names of the certificate that it renews (EST-32)`(
            fault: String,
            subject: String,
            names: String,
            reason: String
        ) async throws {
            let bench = try await Workbench.enrolled()
            try await bench.sh(
                """
                spiffe="spiffe://muster.local/demo/$ID"
                names=${2//SPIFFE/$spiffe}
                request device "${1//ID/$ID}" ${names:+-addext "subjectAltName=$names"}
                """,
                subject,
                names
            )
            let answer = try await renew(bench, "device", as: "device")
            #expect(answer.status == 400)
            #expect(answer.reason == reason)
            #expect(try await bench.attempt(answer) == "simplereenroll|refused|names|\(reason)|\(reason)|\(bench.id)")
        }

        @Test func `names of a renewal are compared as RFC 5280 section 7.1 has it (EST-32)`() async throws {
            let bench = try await Workbench.enrolled()
            try await bench.sh(
                "request device \"/O=muster  DEMO/serialNumber=$ID/CN=$ID@demo\" -addext \"subjectAltName=URI:spiffe://muster.local/demo/$ID\""
            )
            #expect(try await renew(bench, "device", as: "device").status == 200)
        }

        @Test func `a renewal may not take the key of another device (C-04)`() async throws {
            let owner = try await Workbench.enrolled()
            let bench = try await Workbench.enrolled()
            try await bench.sh("cp \"$1\" taken.key", owner.path("device.key"))
            try await bench.makeRenewal("taken", of: "device")
            let answer = try await renew(bench, "taken", as: "device")
            #expect(answer.status == 400)
            #expect(answer.reason == "key-of-another-device")
        }

        @Test
        func `a bootstrap credential at simplereenroll is a first enrollment, since strongSwan knows no other way`()
            async throws
        {
            let bench = try await Workbench()
            try await bench.makeDevice()
            let answer = try await bench.post("device.b64", to: "simplereenroll")
            try await bench.save(answer, as: "device")
            #expect(try await bench.attempt(answer) == "simplereenroll|issued|issue|open-first||\(bench.id)")
        }

        @Test func `three renewals in a row leave one valid certificate and every one in the record`() async throws {
            let bench = try await Workbench.enrolled()
            for _ in 0..<3 {
                try await bench.makeRenewal("device", of: "device")
                try await bench.save(try await renew(bench, "device", as: "device"), as: "device")
            }
            let counts = try await RecordProbe(bench.document).query(
                """
                select count(*), count(*) filter (where status = 'valid'), count(distinct key_sha256)
                from certificates where device_id = '\(bench.id)'
                """
            )
            #expect(counts == "4|1|1")
            let current = try await RecordProbe(bench.document).query(
                "select upper(encode(serial, 'hex')) from certificates where device_id = '\(bench.id)' and status = 'valid'"
            )
            #expect(try await bench.serial("device") == current)
        }
    }
}
