import Foundation
import Glibc
import TestPeers
import Testing

extension SystemTests {
    /// What was committed is in the CRLs, whatever is killed between the two.
    @Suite struct CRLCrashTests {
        @Test func `a server killed between a revocation and its CRL signs it when it is back`() async throws {
            let dev = try MusterDev()
            let document = try await dev.start()
            let device = try await SystemDevice(document).enrolled()
            let record = RecordProbe(document)
            try await Self.isListed(device, document, false)

            // Nobody can write lists as long as another session holds them.
            let holder = try await BackgroundProgram([
                "psql", "-X", "-q", "-c", "begin", "-c", "lock table crls in exclusive mode", "-c",
                "select pg_sleep(600)", record.superuserURI,
            ])
            try await Eventually.holds("the lock on the lists") {
                try await record.query(
                    "select count(*) from pg_locks where relation = 'crls'::regclass and mode = 'ExclusiveLock' and granted"
                ) == "1"
            }
            let revoked = try await Shell.muster(
                "revoke",
                device.id,
                "--fleet",
                document.fleet,
                "--dev",
                dev.state + "/dev.json",
                "--reason",
                "keyCompromise"
            )
            #expect(revoked.succeeded, "\(revoked.errorOutput)")
            #expect(try await record.query("select count(distinct shard) from crl_changes") == "2")
            await dev.signal(SIGKILL)
            #expect(try await dev.waitForEnd())
            holder.signal(SIGKILL)
            // The session outlives its psql, unless the database ended with the server.
            _ = try? await record.query(
                "select pg_terminate_backend(pid) from pg_locks where mode = 'ExclusiveLock' and relation = 'crls'::regclass"
            )

            let after = try await dev.start()
            try await Self.isListed(device, after, true)
            let check = try await Shell.muster("crl", "check", "--config", dev.state + "/muster.yaml")
            #expect(check.succeeded, "\(check.text) \(check.errorOutput)")
            try await Eventually.holds("no change without its list") {
                try await RecordProbe(after).query("select count(*) from crl_changes") == "0"
            }
            // A list that lacks what the record has is found.
            try await RecordProbe(after).query("delete from revocations")
            let surplus = try await Shell.muster("crl", "check", "--config", dev.state + "/muster.yaml", "--grace", "0")
            #expect(!surplus.succeeded)
            #expect(surplus.text.contains("which the record does not have as revoked"))
            try await dev.stop()
        }

        /// Waits until the list that the device's certificate names has it, or has it not.
        private static func isListed(
            _ device: SystemDevice,
            _ document: MusterDev.Document,
            _ isListed: Bool
        ) async throws {
            try await Eventually.holds("a CRL \(isListed ? "with" : "without") the device") {
                let found = try await Shell.run(
                    """
                    url=$(openssl x509 -in "$1" -noout -ext crlDistributionPoints | sed -n 's/^ *URI://p')
                    serial=$(openssl x509 -in "$1" -noout -serial | cut -d= -f2)
                    curl -sS -f -o "$1.crl" "$2${url#http://*/}" || exit 0
                    openssl crl -inform DER -in "$1.crl" -noout -text | grep -c "Serial Number: $serial" || true
                    """,
                    device.certificateFile,
                    document.urls.public + "/"
                )
                return found == (isListed ? "1" : "0")
            }
        }
    }
}
