import ArgumentParser
import EnrollmentPostgres
import Postgres

/// `muster crl`: the published lists of revoked certificates.
struct CRLCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "crl",
        abstract: "Check the published CRLs.",
        subcommands: [CheckCommand.self]
    )

    struct CheckCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check",
            abstract:
                "Compare all published CRLs and OCSP answers with the record; status 1 if a certificate is missing or too many.",
            discussion:
                "Fetches each CRL over HTTP as relying parties do, asks the OCSP responder about up to 1,000 certificates of each issuer, revoked and not, verifies all with libcrypto, and reads the record by itself: it trusts no server."
        )

        /// The longest that lists may lag behind.
        private static let graceMax = 3600

        @OptionGroup var target: DatabaseCommand.Target
        @Option(help: "Where the public front is reached; the configuration's public.url if left out.")
        var url: String?
        @Option(help: "How many seconds a list may lag behind the record.")
        var grace = 5

        func validate() throws {
            guard (0...Self.graceMax).contains(grace) else {
                throw ValidationError("--grace takes 0 to \(Self.graceMax) seconds")
            }
            if url == nil, target.database != nil {
                throw ValidationError("--database goes with --url: only a configuration says where the public front is")
            }
        }

        func run() async throws {
            try await refusing {
                guard let base = try url ?? target.options.load().publicFront.url else {
                    throw refused("the configuration has no public.url; say --url http://…")
                }
                let pool = try target.pool()
                defer { pool.close() }
                let outcome = try await CRLCheck(
                    record: PostgresCRLReading(pool: pool),
                    url: base.hasSuffix("/") ? String(base.dropLast()) : base,
                    grace: .seconds(grace)
                ).run()
                for finding in outcome.findings { CommandOutput.line(finding) }
                guard outcome.lists > 0 else { throw refused("the record has no CRLs: has a server signed any?") }
                guard outcome.findings.isEmpty else {
                    throw refused("\(outcome.findings.count) findings in \(outcome.lists) CRLs")
                }
                CommandOutput.line(
                    "\(outcome.lists) CRLs, \(outcome.entries) revoked certificates, \(outcome.asked) of them asked of OCSP: as the record has them"
                )
            }
        }
    }
}
