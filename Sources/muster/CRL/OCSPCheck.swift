import AsyncHTTPClient
import Enrollment
import EnrollmentPostgres
import Foundation
import NIOCore
import NIOHTTP1
import OpenSSL
import PKI

/// Compares the OCSP responder's answers with the record, as `CRLCheck` does with lists.
struct OCSPCheck {
    /// The most certificates of an issuer that are asked about: half of them revoked, half not, where there are as many.
    private static let askedMax = 1_000

    let record: PostgresCRLReading
    /// How the public front is reached, without a `/` at the end.
    let url: String
    /// How long an answer may lag behind the record.
    let grace: Duration

    func look(_ issuer: PostgresCRLReading.IssuerLists) async throws -> (count: Int, findings: [String]) {
        let serials = try await record.sample(issuer.id, max: Self.askedMax)
        var findings: [String] = []
        for serial in serials { findings += try await look(serial, issuer).map { ["\(issuer.name): \($0)"] } ?? [] }
        return (serials.count, findings)
    }

    /// Asks until all is well or the grace is over.
    private func look(
        _ serial: [UInt8],
        _ issuer: PostgresCRLReading.IssuerLists
    ) async throws -> String? {
        let deadline = ContinuousClock.now + grace
        while true {
            let wanted = try await record.revocation(of: serial, issuer: issuer.id)
            let finding: String?
            do {
                let question = OCSPQuestion(issuer: issuer.certificate, serialNumber: serial)
                let der = try await ask(try question.request())
                finding = Self.finding(
                    try question.read(der, root: issuer.root, at: Date()).status,
                    wanted: wanted,
                    serial: serial
                )
            } catch let error as OpenSSLError {
                finding = "OCSP about \(Hex.text(serial)): \(error)"
            } catch let failure as CRLCheckFailure {
                finding = "OCSP about \(Hex.text(serial)): \(failure)"
            }
            if finding == nil || ContinuousClock.now >= deadline { return finding }
            try await Task.sleep(for: CRLCheck.pause)
        }
    }

    private func ask(_ question: [UInt8]) async throws -> [UInt8] {
        var request = HTTPClientRequest(url: "\(url)/ocsp")
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/ocsp-request")
        request.body = .bytes(question)
        let response = try await HTTPClient.shared.execute(request, timeout: CRLCheck.fetchTimeout)
        guard response.status == .ok else { throw CRLCheckFailure(reason: "the server answers \(response.status)") }
        return Array(buffer: try await response.body.collect(upTo: OCSPQuestion.answerOctetsMax))
    }

    /// What is wrong with what the responder says of a certificate; nil if nothing is.
    static func finding(
        _ said: OCSPQuestion.Answer.Status,
        wanted: PostgresCRLReading.Revoked?,
        serial: [UInt8]
    ) -> String? {
        let name = Hex.text(serial)
        switch (said, wanted) {
        case (.good, nil): return nil
        case (.unknown, _): return "OCSP does not know \(name), which the record has as issued"
        case (.good, let wanted?): return "OCSP calls \(name) good, which is revoked for \(wanted.reason)"
        case (.revoked(let reason, _), nil): return "OCSP calls \(name) revoked for reason \(reason), and it is not"
        case (.revoked(let reason, let at), let wanted?):
            guard reason == wanted.reason.code else {
                return "OCSP has \(name) for reason \(reason), not \(wanted.reason.code) (\(wanted.reason))"
            }
            guard abs(at.timeIntervalSince(wanted.revokedAt)) < 1 else {
                return
                    "OCSP has \(name) revoked \(CommandOutput.time(at)), not \(CommandOutput.time(wanted.revokedAt))"
            }
            return nil
        }
    }
}
