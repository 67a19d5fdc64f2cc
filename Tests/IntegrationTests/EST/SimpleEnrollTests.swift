import Foundation
import TestPeers
import Testing

extension ESTFrontTests {
    /// First enrollments that succeed (RFC 7030 section 4.2.1).
    struct SimpleEnrollTests {
        static let kinds = ["P-256", "P-384", "P-521", "RSA-2048", "RSA-3072", "Ed25519"]

        @Test(arguments: kinds)
        func `an IDevID's device gets one certificate for each kind of key (EST-24)`(kind: String) async throws {
            let bench = try await Workbench()
            try await bench.makeDevice(kind)
            let answer = try await bench.post("device.b64")
            #expect(answer.status == 200)
            #expect(answer.headers["content-type"] == "application/pkcs7-mime; smime-type=certs-only")
            #expect(answer.headers["content-length"] == "\(answer.body.count)")
            #expect(answer.body.last == 0x0A && answer.body.dropLast().allSatisfy { $0 != 0x0A })
            try await bench.save(answer, as: "device")
            let keys = try await bench.sh(
                "openssl x509 -in device.pem -noout -pubkey; openssl pkey -in device.key -pubout"
            )
            let halves = keys.components(separatedBy: "-----END PUBLIC KEY-----").map(\.trimmingBlanks)
            #expect(halves.count == 3 && halves[0] == halves[1])
            #expect(try await bench.attempt(answer) == "simpleenroll|issued|issue|open-first||\(bench.id)")
        }

        @Test(arguments: kinds)
        func `a claim certificate's device is named by its request, for each kind of key`(kind: String) async throws {
            let bench = try await Workbench()
            try await bench.sh("key device \"$1\"; request device \"/CN=$ID\"; cp \"$CLAIM\" claim.pem", kind)
            try await bench.sh("cp \"$CLAIM_KEY\" claim.key")
            let answer = try await bench.post("device.b64", as: "claim")
            try await bench.save(answer, as: "device")
            #expect(try await bench.attempt(answer) == "simpleenroll|issued|issue|open-first||\(bench.id)")
            let subject = try await bench.sh("openssl x509 -in device.pem -noout -subject -nameopt RFC2253")
            #expect(subject == "subject=CN=\(bench.id)@demo,serialNumber=\(bench.id),O=Muster Demo")
        }

        @Test(arguments: ["RSA-2048", "P-384", "P-521", "Ed25519"])
        func `an IDevID may hold any accepted kind of key`(kind: String) async throws {
            let bench = try await Workbench()
            try await bench.sh("key idevid \"$1\"", kind)
            try await bench.makeDevice()
            let answer = try await bench.post("device.b64")
            #expect(answer.status == 200, "\(answer.text.prefix(200))")
        }

        // Under TLS 1.2 the groups say which server certificates the client takes too, so P-256 stands beside.
        @Test(arguments: ["1.2", "1.3"], ["X25519:P-256", "P-256", "P-384:P-256"])
        func `enrollment works with each TLS version and group (TLS-01, TLS-04)`(
            version: String,
            group: String
        ) async throws {
            let bench = try await Workbench()
            try await bench.makeDevice()
            let answer = try await bench.post(
                "device.b64",
                ["--tlsv\(version)", "--tls-max", version, "--curves", group]
            )
            #expect(answer.status == 200)
        }

        @Test(
            arguments: [
                "/", "/O=Example Devices/serialNumber=ID", "/serialNumber=ID", "/CN=ID", "/CN=ID@demo",
                "/CN=ID@demo/serialNumber=ID/O=Anything",
            ]
        )
        func `a request may name its device in any of its names, or not at all`(subject: String) async throws {
            let bench = try await Workbench()
            try await bench.makeDevice(subject: subject.replacing("ID", with: bench.id))
            let answer = try await bench.post("device.b64")
            try await bench.save(answer, as: "device")
            // The server's names all the same: what a request asks for is checked, never copied.
            let issued = try await bench.sh("openssl x509 -in device.pem -noout -subject -nameopt RFC2253")
            #expect(issued == "subject=CN=\(bench.id)@demo,serialNumber=\(bench.id),O=Muster Demo")
        }

        @Test func `colons of an IDevID's serial number become hyphens in the DeviceID`() async throws {
            let bench = try await Workbench("00:1A")
            try await bench.makeDevice()
            let answer = try await bench.post("device.b64")
            try await bench.save(answer, as: "device")
            let id = bench.id.replacing(":", with: "-")
            #expect(try await bench.attempt(answer) == "simpleenroll|issued|issue|open-first||\(id)")
        }

        @Test func `what a request asks for beside names is not copied (C-02)`() async throws {
            let bench = try await Workbench()
            try await bench.makeDevice()
            try await bench.sh(
                """
                request device "/serialNumber=$ID" -addext 'extendedKeyUsage=serverAuth,OCSPSigning' \\
                    -addext 'keyUsage=critical,keyEncipherment,keyAgreement,nonRepudiation' \\
                    -addext 'certificatePolicies=1.2.3.4' -addext 'nsComment=copied' \\
                    -addext 'crlDistributionPoints=URI:http://evil.example/crl' -addext 'noCheck=ignored' \\
                    -addext 'authorityInfoAccess=OCSP;URI:http://evil.example/ocsp' \\
                    -addext 'nameConstraints=permitted;DNS:evil.example' -addext '1.2.3.4.5=critical,ASN1:UTF8String:copied' \\
                    -addext 'basicConstraints=critical,CA:FALSE' -addext "subjectAltName=URI:spiffe://muster.local/demo/$ID"
                """
            )
            try await bench.save(try await bench.post("device.b64"), as: "device")
            let text = try await bench.sh("openssl x509 -in device.pem -noout -text")
            // None of these can stand in the hexadecimal text of an identifier or a signature.
            let foreigners = [
                "evil", "copied", "1.2.3.4", "OCSP Signing", "Server Auth", "Agreement", "Repud", "Basic Constraints",
            ]
            for foreign in foreigners {
                #expect(!text.contains(foreign), "\(foreign) was copied")
            }
            #expect(text.contains("Digital Signature\n"))
        }

        @Test func `the same key again gets the same bytes, from another connection and another request (EST-35)`()
            async throws
        {
            let bench = try await Workbench.enrolled()
            let again = try await bench.post("device.b64")
            #expect(again.body == (try bench.read("device.p7")))
            #expect(try await bench.attempt(again).hasPrefix("simpleenroll|repeated|issue|same-key|"))
            try await bench.sh("request device \"/CN=$ID\" -sha384")
            let other = try await bench.post("device.b64")
            #expect(other.body == again.body)
        }

        @Test func `at once, two requests for the same key get the same bytes`() async throws {
            let bench = try await Workbench()
            try await bench.makeDevice()
            async let first = bench.post("device.b64")
            async let second = bench.post("device.b64")
            async let third = bench.post("device.b64")
            let bodies = try await [first, second, third]
            #expect(bodies.allSatisfy { $0.status == 200 && $0.body == bodies[0].body })
            let count = try await RecordProbe(bench.document).query(
                "select count(*) from certificates where device_id = '\(bench.id)'"
            )
            #expect(count == "1")
        }

        @Test func `an IDevID replaces its device's lost key, and the old certificate can no longer renew`()
            async throws
        {
            let bench = try await Workbench.enrolled()
            try await bench.sh("key second P-256; request second \"/serialNumber=$ID\"")
            let replaced = try await bench.post("second.b64")
            try await bench.save(replaced, as: "second")
            #expect(try await bench.attempt(replaced).hasPrefix("simpleenroll|issued|issue|idevid-replaces|"))
            try await bench.sh("cp device.key renewal.key")
            try await bench.makeRenewal("renewal", of: "device")
            let old = try await bench.post("renewal.b64", to: "simplereenroll", as: "device")
            #expect(old.status == 403)
            #expect(old.reason == "certificate-superseded")
            try await bench.sh("cp second.key renewal.key")
            try await bench.makeRenewal("renewal", of: "second")
            let new = try await bench.post("renewal.b64", to: "simplereenroll", as: "second")
            #expect(new.status == 200)
        }
    }
}
