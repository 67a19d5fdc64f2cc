import TestPeers
import Testing

extension ESTFrontTests {
    /// strongSwan's pki, a client in C with its own TLS, HTTP and CMS.
    struct StrongSwanTests {
        /// Says which TLS versions pki may speak; its own default ends at 1.2.
        private static let configuration = """
            printf 'pki {\\n tls {\\n version_max = %s\\n }\\n}\\n' "$1" > strongswan.conf
            export STRONGSWAN_CONF=$PWD/strongswan.conf

            """

        @Test(arguments: ["1.2", "1.3"])
        func `pki fetches the CA certificates`(version: String) async throws {
            let bench = try await Workbench()
            try await bench.sh(
                Self.configuration + """
                    for run in 1 2 3; do
                        rm -f ca*.pem
                        pki --estca --url "$EST" --cacert "$ROOT" --caout ca.pem --outform pem 2>log || { cat log; exit 1; }
                        cat ca*.pem > "bag$run.pem"
                        openssl x509 -in "$ROOT" -noout -fingerprint -sha256 > want
                        grep -q 'BEGIN CERTIFICATE' "bag$run.pem"
                        openssl verify -x509_strict -CAfile "$ROOT" "$ISSUER"
                    done
                    cmp bag1.pem bag2.pem; cmp bag2.pem bag3.pem
                    [ "$(grep -c 'BEGIN CERTIFICATE' bag3.pem)" = 2 ]
                    """,
                version
            )
        }

        @Test(arguments: ["1.2", "1.3"])
        func `pki enrolls with an IDevID, again and again, and renews`(version: String) async throws {
            let bench = try await Workbench()
            try await bench.makeDevice()
            try await bench.sh(
                Self.configuration + """
                    enroll() { # REQUEST CREDENTIAL
                        pki --est --url "$EST" --cacert "$ROOT" --cacert "$ISSUER" --cert "$2.pem" --key "$2.key" --in "$1.csr" \\
                            --outform pem 2>log || { cat log; exit 1; }
                    }
                    enroll device idevid > device.pem
                    for run in 1 2 3; do enroll device idevid > "again$run.pem"; cmp device.pem "again$run.pem"; done
                    openssl verify -x509_strict -purpose sslclient -CAfile "$ROOT" -untrusted "$ISSUER" device.pem
                    openssl x509 -in device.pem -noout -subject -nameopt RFC2253 | grep -F "CN=$ID@demo"
                    request device "/O=Muster Demo/serialNumber=$ID/CN=$ID@demo" \\
                        -addext "subjectAltName=URI:spiffe://muster.local/demo/$ID"
                    enroll device device > renewed.pem
                    openssl verify -x509_strict -purpose sslclient -CAfile "$ROOT" -untrusted "$ISSUER" renewed.pem
                    ! cmp -s device.pem renewed.pem
                    """,
                version
            )
            let rows = try await RecordProbe(bench.document).query(
                "select operation, outcome, rule from attempts where device_id = '\(bench.id)' order by id"
            )
            let again = "\nsimplereenroll|repeated|same-key"
            #expect(rows == "simplereenroll|issued|open-first\(again)\(again)\(again)\nsimplereenroll|issued|renew")
        }

        @Test func `pki is refused without a word of success when its device may not enroll`() async throws {
            let bench = try await Workbench()
            try await bench.makeDevice(subject: "/CN=another-device")
            let result = try await bench.program(
                "pki --est --url \"$EST\" --cacert \"$ROOT\" --cert idevid.pem --key idevid.key --in device.csr --outform pem"
            )
            #expect(!result.succeeded)
            #expect(!result.text.contains("BEGIN CERTIFICATE"))
        }
    }
}
