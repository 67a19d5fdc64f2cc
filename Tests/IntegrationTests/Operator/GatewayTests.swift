import Foundation
import TestPeers
import Testing

extension OperatorTests {
    /// nginx asks at each request whether the device is to be let in, configured by `ops/nginx/authorize.conf`.
    struct GatewayTests {
        private static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../..").standardizedFileURL.path

        @Test func `nginx lets a device in, and no more from its next request after the revocation on`() async throws {
            let fleet = try await OperatedFleet(policy: "open")
            for device in ["lost", "kept"] {
                try await fleet.makeDevice(device)
                try await fleet.bench.save(try await fleet.enroll(device), as: "\(device)-op")
            }
            let name = "gate-\(UInt32.random(in: 0 ... .max))"
            try await fleet.muster("operator", "add", name, "--role", "gateway", "--out", fleet.bench.path(name))
            let ports = [try QuietPort.choose(), try QuietPort.choose()]
            let configuration = try await fleet.bench.sh(
                """
                cat "$1" "$ROOT" > devices.pem
                pki=$(dirname "$ROOT") operator=${2#https://localhost:}
                sed -e "s,127.0.0.1:8080,127.0.0.1:$5,; s,127.0.0.1:9443,127.0.0.1:$operator,; s,listen 8443,listen 127.0.0.1:$4," \\
                    -e "s,/etc/nginx/muster/gateway-1,$PWD/$3/$3,; s,/etc/nginx/muster/operators-ca,$PWD/$3/ca," \\
                    -e "s,/etc/nginx/muster/gateway,$pki/est,; s,/etc/nginx/muster/devices-ca,$PWD/devices," \\
                    "$6/ops/nginx/authorize.conf" > gateway.conf
                {
                    printf 'daemon off;\\npid %s/nginx.pid;\\nerror_log stderr;\\nevents {}\\nhttp {\\n' "$PWD"
                    for kind in client_body proxy fastcgi uwsgi scgi; do printf '%s_temp_path %s/%s;\\n' $kind "$PWD" $kind; done
                    printf 'access_log off;\\ninclude %s/gateway.conf;\\n' "$PWD"
                    printf 'server { listen 127.0.0.1:%s; location / { return 200 "$http_x_muster_device of $http_x_muster_fleet"; } }\\n}\\n' "$5"
                } > nginx.conf
                chmod -R go+rX .
                printf '%s' "$PWD/nginx.conf"
                """,
                fleet.bench.document.files.issuer,
                fleet.bench.document.urls.operator,
                name,
                "\(ports[0])",
                "\(ports[1])",
                Self.repository
            )
            let nginx = try await BackgroundProgram(["/usr/sbin/nginx", "-c", configuration])
            func ask(_ device: String) async throws -> String {
                try await fleet.bench.sh(
                    """
                    curl -sS --cacert "$ROOT" --cert $1-op.pem --key $1-op.key -w ' %{http_code}' \\
                        -H 'X-SSL-Client-Cert: none' -H 'X-Forwarded-Client-Cert: Cert="none"' "https://localhost:$2/" 2>&1 | tr -d '\\n' || true
                    """,
                    device,
                    "\(ports[0])"
                )
            }
            do {
                try await Eventually.holds("nginx", seconds: 20) { try await ask("kept").hasSuffix(" 200") }
            } catch is MissedCondition {
                Issue.record("\(try await ask("kept")) \(nginx.log)")
                return
            }
            #expect(try await ask("lost") == "lost of \(fleet.name) 200")
            try await fleet.muster("revoke", "lost", "--fleet", fleet.name)
            try await Eventually.holds("the refusal") { try await ask("lost").hasSuffix(" 403") }
            #expect(try await ask("kept") == "kept of \(fleet.name) 200")
            try await fleet.muster("operator", "remove", name)
            // Within a second. nginx answers 401 and 403 of what it asks as they are, and all else as its own fault.
            try await Eventually.holds("the gateway's end") { try await ask("kept").hasSuffix(" 401") }
        }
    }
}
