import Crypto
import EST
import Enrollment
import Foundation
import Logging
import NIOHTTP1
import PKI
import SwiftASN1

/// Answers EST: path and method first, then the operation. It knows the wire and nothing of who may enroll.
struct ESTResponder: Sendable {
    /// What is to be done about a request.
    enum Plan {
        /// It is answered at once.
        case answer(ESTResponse)
        /// It asks for a certificate, which takes the record.
        case enroll(Attempt.Operation, Fleet)
    }

    let directory: FleetDirectory
    let enrollment: EnrollmentService
    let bodyOctetsMax: Int
    let leniency: Base64Body.Leniency
    let logger: Logger

    func plan(_ request: ESTRequest) -> Plan {
        let route: ESTRoute
        switch ESTPath.parse(request.head.uri) {
        case .route(let found): route = found
        case .refused(let refusal): return .answer(ESTAnswer.problem(.notFound, refusal.description, to: request))
        }
        guard request.head.method.rawValue == route.operation.method.rawValue else {
            let allowed = route.operation.method.rawValue
            var answer = ESTAnswer.problem(
                .methodNotAllowed,
                "\(route.operation.rawValue) takes \(allowed)",
                to: request
            )
            answer.fields.append(("Allow", allowed))
            return .answer(answer)
        }
        guard let fleet = directory.fleet(label: route.label) else {
            let detail = route.label.map { "there is no fleet \($0)" } ?? "name a fleet: /.well-known/est/<fleet>/…"
            return .answer(ESTAnswer.problem(.notFound, detail, to: request))
        }
        switch route.operation {
        case .cacerts: return .answer(certificates(of: fleet, for: request))
        case .csrattrs: return .answer(attributes(of: fleet, for: request))
        case .simpleenroll: return .enroll(.simpleEnroll, fleet)
        case .simplereenroll: return .enroll(.simpleReenroll, fleet)
        case .serverkeygen, .fullcmc:
            // Clients read 501 as "not implemented" (RFC 7030 section 4.3.2, EST-03).
            let detail = "\(route.operation.rawValue) is not offered"
            return .answer(ESTAnswer.problem(.notImplemented, detail, to: request))
        }
    }

    /// RFC 7030 section 4.1: with or without a client certificate (EST-10).
    private func certificates(of fleet: Fleet, for request: ESTRequest) -> ESTResponse {
        let certificates = fleet.certificates
        var digest = SHA256()
        for der in certificates { digest.update(data: der) }
        let lines = Base64Body.Lines.forAnswer(to: .cacerts, userAgent: request.field("User-Agent"))
        do {
            var answer = ESTAnswer.body(
                Base64Body.encode(try CertsOnly.encode(certificates), lines: lines),
                type: ESTOperation.cacerts.responseMediaType
            )
            answer.fields.append(("ETag", "\"\(Hex.text(digest.finalize().prefix(16)))\""))
            return answer
        } catch {
            logger.error("cacerts not encoded", metadata: ["fleet": "\(fleet.name)", "error": "\(error)"])
            return ESTAnswer.problem(.internalServerError, "the CA certificates cannot be sent", to: request)
        }
    }

    /// RFC 7030 section 4.5.2 as RFC 9908 has it.
    private func attributes(of fleet: Fleet, for request: ESTRequest) -> ESTResponse {
        do {
            let attributes = try fleet.profile.keyPolicy.demand.attributes()
            guard !attributes.elements.isEmpty else { return ESTAnswer.empty(.noContent) }
            return ESTAnswer.body(
                Base64Body.encode(try attributes.encoded()),
                type: ESTOperation.csrattrs.responseMediaType
            )
        } catch {
            logger.error("csrattrs not encoded", metadata: ["fleet": "\(fleet.name)", "error": "\(error)"])
            return ESTAnswer.problem(.internalServerError, "the attributes cannot be sent", to: request)
        }
    }

    /// Enrolls or renews. Whatever comes of it, the attempt is in the record and its id in the answer.
    func enroll(_ operation: Attempt.Operation, in fleet: Fleet, _ request: ESTRequest) async -> ESTResponse {
        let body: Result<[UInt8], Refusal>
        switch request.body {
        case .bytes(let bytes): body = mediaType(of: request).map { .failure($0) } ?? decode(bytes)
        case .tooLarge:
            body = .failure(Refusal(.requestTooLarge, "the body may have \(bodyOctetsMax) octets"))
        }
        var randomness = SystemRandomNumberGenerator()
        let requestID = UUID.timeOrdered(at: Date(), randomness: &randomness)
        let submission = EnrollmentSubmission(
            fleet: fleet,
            operation: operation,
            client: request.connection.client,
            request: body,
            source: request.connection.source,
            requestID: requestID
        )
        var answer = self.answer(await enrollment.enroll(submission), to: request)
        answer.fields.append(("Request-Id", requestID.text))
        return answer
    }

    /// What is wrong with the type of the body (EST-20).
    private func mediaType(of request: ESTRequest) -> Refusal? {
        if request.field("Content-Encoding") != nil {
            return Refusal(.mediaTypeNotAccepted, "send the body without Content-Encoding")
        }
        guard let type = request.field("Content-Type") else {
            return leniency == .strict
                ? Refusal(.mediaTypeNotAccepted, "say Content-Type: application/pkcs10") : nil
        }
        return ESTMediaType.pkcs10.matches(contentType: type)
            ? nil : Refusal(.mediaTypeNotAccepted, "the body must be application/pkcs10")
    }

    private func decode(_ body: [UInt8]) -> Result<[UInt8], Refusal> {
        do {
            return .success(try Base64Body.decode(body, leniency: leniency).der)
        } catch {
            return .failure(Refusal(.requestUnreadable, "the body: \(error)"))
        }
    }

    /// The one place where what became of an enrollment meets HTTP (EST-24 to EST-26).
    private func answer(_ result: EnrollmentResult, to request: ESTRequest) -> ESTResponse {
        switch result {
        case .certificate(let der):
            do {
                return ESTAnswer.body(
                    Base64Body.encode(try CertsOnly.encode([der])),
                    type: ESTOperation.simpleenroll.responseMediaType
                )
            } catch {
                logger.error("certificate not encoded", metadata: ["error": "\(error)"])
                return ESTAnswer.problem(.internalServerError, "the certificate cannot be sent", to: request)
            }
        case .pending(let retryAfter):
            return ESTAnswer.waiting(retryAfter, to: request)
        case .refused(let refusal):
            return ESTAnswer.refusal(refusal, to: request)
        case .unavailable(let error):
            switch error {
            case .unavailable, .overloaded:
                return ESTAnswer.unavailable("the enrollment cannot be recorded now; try again", to: request)
            case .broken:
                return ESTAnswer.problem(.internalServerError, "a fault of the server; it has been logged", to: request)
            }
        }
    }
}

extension KeyPolicy {
    /// What /csrattrs says of this policy (EST-43, EST-46): a single accepted kind of key is demanded; of several, the
    /// client chooses.
    var demand: CSRDemand {
        let keys: [CSRKeyDemand] = families.map { family in
            switch family {
            case .p256: .p256
            case .p384: .p384
            case .p521: .ec(curve: [1, 3, 132, 0, 35])
            case .rsa: .rsa(bits: rsaBitsMin)
            case .ed25519: .ed25519
            }
        }
        return CSRDemand(keys: keys.count == 1 ? keys : [])
    }
}
