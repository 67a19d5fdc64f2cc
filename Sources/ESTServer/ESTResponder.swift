import Crypto
import EST
import Enrollment
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import PKI
import SwiftASN1

/// Answers EST: path and method first, then the operation. It knows the wire and nothing of who may enroll.
struct ESTResponder: HTTPResponder {
    typealias Context = BasicRequestContext

    let directory: FleetDirectory
    let enrollment: EnrollmentService
    let bodyBounds: ESTBody.Bounds
    let leniency: Base64Body.Leniency
    let logger: Logger

    func respond(to request: Request, context: BasicRequestContext) async throws -> Response {
        let route: ESTRoute
        switch ESTPath.parse(request.head.path ?? "") {
        case .route(let found): route = found
        case .refused(let refusal): return ESTAnswer.problem(.notFound, refusal.description, to: request)
        }
        guard request.method.rawValue == route.operation.method.rawValue else {
            let allowed = route.operation.method.rawValue
            var answer = ESTAnswer.problem(
                .methodNotAllowed,
                "\(route.operation.rawValue) takes \(allowed)",
                to: request
            )
            answer.headers[.allow] = allowed
            return answer
        }
        guard let fleet = directory.fleet(label: route.label) else {
            let detail = route.label.map { "there is no fleet \($0)" } ?? "name a fleet: /.well-known/est/<fleet>/…"
            return ESTAnswer.problem(.notFound, detail, to: request)
        }
        switch route.operation {
        case .cacerts: return certificates(of: fleet, for: request)
        case .csrattrs: return attributes(of: fleet, for: request)
        case .simpleenroll: return await enroll(.simpleEnroll, in: fleet, request)
        case .simplereenroll: return await enroll(.simpleReenroll, in: fleet, request)
        case .serverkeygen, .fullcmc:
            // Clients read 501 as "not implemented" (RFC 7030 section 4.3.2, EST-03).
            return ESTAnswer.problem(.notImplemented, "\(route.operation.rawValue) is not offered", to: request)
        }
    }

    /// RFC 7030 section 4.1: with or without a client certificate (EST-10).
    private func certificates(of fleet: Fleet, for request: Request) -> Response {
        let certificates = fleet.certificates
        var digest = SHA256()
        for der in certificates { digest.update(data: der) }
        let lines = Base64Body.Lines.forAnswer(to: .cacerts, userAgent: request.headers[.userAgent])
        do {
            var answer = ESTAnswer.body(
                Base64Body.encode(try CertsOnly.encode(certificates), lines: lines),
                type: ESTOperation.cacerts.responseMediaType
            )
            answer.headers[.eTag] = "\"\(Hex.text(digest.finalize().prefix(16)))\""
            return answer
        } catch {
            logger.error("cacerts not encoded", metadata: ["fleet": "\(fleet.name)", "error": "\(error)"])
            return ESTAnswer.problem(.internalServerError, "the CA certificates cannot be sent", to: request)
        }
    }

    /// RFC 7030 section 4.5.2 as RFC 9908 has it.
    private func attributes(of fleet: Fleet, for request: Request) -> Response {
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

    private func enroll(_ operation: Attempt.Operation, in fleet: Fleet, _ request: Request) async -> Response {
        let body: Result<[UInt8], Refusal>
        switch await ESTBody.read(request, within: bodyBounds) {
        case .bytes(let bytes): body = mediaType(of: request).map { .failure($0) } ?? decode(bytes)
        case .tooLarge:
            let detail = "the body may have \(bodyBounds.octetsMax) octets"
            body = .failure(Refusal(.requestTooLarge, detail))
        case .tooSlow: return ESTAnswer.problem(.requestTimeout, "the body took too long", to: request)
        case .incomplete: return ESTAnswer.problem(.badRequest, "the body did not arrive whole", to: request)
        }
        var randomness = SystemRandomNumberGenerator()
        let requestID = UUID.timeOrdered(at: Date(), randomness: &randomness)
        let connection = ClientConnection.current
        let submission = EnrollmentSubmission(
            fleet: fleet,
            operation: operation,
            client: connection?.client ?? .anonymous,
            request: body,
            source: connection?.source ?? "unknown",
            requestID: requestID
        )
        var answer = self.answer(await enrollment.enroll(submission), to: request)
        answer.headers[.requestID] = requestID.uuidString.lowercased()
        return answer
    }

    /// What is wrong with the type of the body (EST-20).
    private func mediaType(of request: Request) -> Refusal? {
        if request.headers[.contentEncoding] != nil {
            return Refusal(.mediaTypeNotAccepted, "send the body without Content-Encoding")
        }
        guard let type = request.headers[.contentType] else {
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
    private func answer(_ result: EnrollmentResult, to request: Request) -> Response {
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
