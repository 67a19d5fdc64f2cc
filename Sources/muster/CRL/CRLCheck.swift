import AsyncHTTPClient
import Enrollment
import EnrollmentPostgres
import Foundation
import NIOCore
import NIOHTTP1
import OpenSSL
import PKI

/// Compares published CRLs with the record. It reads both for itself: the record from the database, the lists over HTTP
/// and by libcrypto, with the issuer's certificate of the record.
struct CRLCheck {
    /// Between two looks at a list that is not as it should be yet.
    static let pause: Duration = .milliseconds(200)
    /// For one list; a server that is not there is tried again for so long.
    static let fetchTimeout: TimeAmount = .seconds(10)

    let record: PostgresCRLReading
    /// How the public front is reached, without a `/` at the end.
    let url: String
    /// How long a list may lag behind the record.
    let grace: Duration

    /// What was looked at.
    struct Outcome {
        var lists = 0
        var entries = 0
        /// Certificates that the OCSP responder was asked about.
        var asked = 0
        /// One line for each thing that is wrong.
        var findings: [String] = []
    }

    func run() async throws -> Outcome {
        var outcome = Outcome()
        for issuer in try await record.issuers() {
            for (shard, number) in issuer.numbers.sorted(by: { $0.key < $1.key }) {
                let looked = try await look(issuer, shard: shard, numberMin: number)
                outcome.lists += 1
                outcome.entries += shard == CRLShards.complete ? looked.entries : 0
                outcome.findings += looked.findings
            }
            let asked = try await OCSPCheck(record: record, url: url, grace: grace).look(issuer)
            outcome.asked += asked.count
            outcome.findings += asked.findings
        }
        return outcome
    }

    /// Looks until all is well or the grace is over: between the record's answer and the list's something may change.
    private func look(
        _ issuer: PostgresCRLReading.IssuerLists,
        shard: Int,
        numberMin: Int64
    ) async throws -> (entries: Int, findings: [String]) {
        let path = shard == CRLShards.complete ? "\(issuer.name).crl" : "\(issuer.name)/\(shard).crl"
        let deadline = ContinuousClock.now + grace
        while true {
            let wanted = try await record.revoked(issuer.id, shard: shard)
            var findings: [String]
            var entries = 0
            do {
                let list = try RevocationList(der: try await fetch("\(url)/crl/\(path)"), issuer: issuer.certificate)
                entries = list.entries.count
                findings = Self.findings(list, wanted: wanted, numberMin: numberMin, at: Date())
            } catch let error as OpenSSLError {
                findings = [error.description]
            } catch let failure as CRLCheckFailure {
                findings = [failure.description]
            } catch {
                // Nobody is there: each list would say so.
                throw CRLCheckFailure(reason: "\(url) is not reached: \(error)")
            }
            if findings.isEmpty || ContinuousClock.now >= deadline {
                return (entries, findings.map { "\(path): \($0)" })
            }
            try await Task.sleep(for: Self.pause)
        }
    }

    private func fetch(_ address: String) async throws -> [UInt8] {
        let response = try await HTTPClient.shared.execute(HTTPClientRequest(url: address), timeout: Self.fetchTimeout)
        guard response.status == .ok else { throw CRLCheckFailure(reason: "the server answers \(response.status)") }
        return Array(buffer: try await response.body.collect(upTo: RevocationList.octetsMax))
    }

    /// What is wrong with a list, beside what the record wants in it.
    static func findings(
        _ list: RevocationList,
        wanted: [PostgresCRLReading.Revoked],
        numberMin: Int64,
        at now: Date
    ) -> [String] {
        var findings: [String] = []
        if list.number < numberMin { findings.append("has number \(list.number); the record has \(numberMin) already") }
        if list.nextUpdate <= now { findings.append("has ended: nextUpdate is \(CommandOutput.time(list.nextUpdate))") }
        if list.thisUpdate > now {
            findings.append("lies ahead: thisUpdate is \(CommandOutput.time(list.thisUpdate)); compare the clocks")
        }
        let listed = Dictionary(list.entries.map { ($0.serialNumber, $0) }) { first, _ in first }
        if listed.count != list.entries.count { findings.append("names a serial number twice") }
        for one in wanted {
            let serial = Hex.text(one.serialNumber)
            guard let entry = listed[one.serialNumber] else {
                // What has ended is named once more, and then may go (RFC 5280 section 5).
                if one.notAfter >= list.thisUpdate {
                    findings.append("lacks \(serial), revoked \(CommandOutput.time(one.revokedAt)) for \(one.reason)")
                }
                continue
            }
            if entry.reason != one.reason.code {
                findings.append("has \(serial) for reason \(entry.reason), not \(one.reason.code) (\(one.reason))")
            }
            if abs(entry.revokedAt.timeIntervalSince(one.revokedAt)) >= 1 {
                findings.append(
                    "has \(serial) revoked \(CommandOutput.time(entry.revokedAt)), not \(CommandOutput.time(one.revokedAt))"
                )
            }
        }
        let known = Set(wanted.map(\.serialNumber))
        for entry in list.entries where !known.contains(entry.serialNumber) {
            findings.append("has \(Hex.text(entry.serialNumber)), which the record does not have as revoked")
        }
        return findings
    }
}

/// What keeps a list from being fetched.
struct CRLCheckFailure: Error, CustomStringConvertible {
    let reason: String
    var description: String { reason }
}
