import EST
import Enrollment
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import PKI

/// The OCSP responder over HTTP (RFC 6960 appendix A, RFC 9919): `POST /ocsp`, and `GET /ocsp/<base64>`, whose answers
/// caches may keep.
struct OCSPRoutes {
    private static let typeOfRequest = "application/ocsp-request"
    private static let typeOfAnswer = "application/ocsp-response"
    private static let path = "/ocsp/"
    /// How long an answer may be taken for fresh without asking again, in seconds: a revocation is to be seen at once.
    private static let freshSeconds = 1

    let service: OCSPService
    let onAnswer: @Sendable (OCSPAnswer.Kind) -> Void
    let now: @Sendable () -> Date

    func add(to router: Router<BasicRequestContext>) {
        for path in ["ocsp", "ocsp/**"] as [RouterPath] {
            router.get(path) { request, _ in await get(request) }
            router.post(path) { request, _ in await post(request) }
            for method in [.head, .put, .delete, .patch] as [HTTPRequest.Method] {
                router.on(path, method: method) { _, _ in
                    var response = StatusFront.text("use GET or POST\n", status: .methodNotAllowed)
                    response.headers[.allow] = "GET, POST"
                    return response
                }
            }
        }
    }

    private func get(_ request: Request) async -> Response {
        let candidates = OCSPPath.candidates(request.uri.path.dropFirst(Self.path.count))
        let answer = await service.answer(anyOf: candidates)
        onAnswer(answer.kind)
        guard let caching = answer.caching else { return response(answer) }
        // RFC 9919 section 6: caches may keep it, and never beyond its end.
        let end = caching.nextUpdate
        let fresh = max(0, min(Self.freshSeconds, Int(end.timeIntervalSince(now())) - 1))
        let tag = "\"\(caching.tag)\""
        let modified = Int64(caching.thisUpdate.timeIntervalSince1970)
        let headers: HTTPFields = [
            .eTag: tag,
            .lastModified: HTTPDate.format(modified),
            .expires: HTTPDate.format(Int64(end.timeIntervalSince1970)),
            .cacheControl: "max-age=\(fresh), public, no-transform, must-revalidate",
        ]
        // By the tag alone: an answer that says otherwise may be of the same second, or of the same time if the clock was
        // set back.
        if EntityTag.isNamed(tag, in: request.headers[values: .ifNoneMatch]) {
            return Response(status: .notModified, headers: headers)
        }
        return response(answer, headers)
    }

    private func post(_ request: Request) async -> Response {
        guard request.headers[.contentType]?.lowercased().hasPrefix(Self.typeOfRequest) == true else {
            return StatusFront.text("send \(Self.typeOfRequest)\n", status: .unsupportedMediaType)
        }
        let der: [UInt8]
        do {
            der = Array(try await request.body.collect(upTo: OCSPRequest.octetsMax).readableBytesView)
        } catch is NIOTooManyBytesError {
            return StatusFront.text("at most \(OCSPRequest.octetsMax) octets are accepted\n", status: .contentTooLarge)
        } catch {
            return StatusFront.text("the request did not come whole\n", status: .badRequest)
        }
        let answer = await service.answer(anyOf: [der])
        onAnswer(answer.kind)
        return response(answer)
    }

    /// Status 200 whatever the answer says (RFC 6960 appendix A.2).
    private func response(_ answer: OCSPAnswer, _ caching: HTTPFields = [:]) -> Response {
        var headers = caching
        headers[.contentType] = Self.typeOfAnswer
        switch answer.kind {
        case .good, .revoked: break
        // The next moment it may be otherwise.
        case .unknown, .malformedRequest, .internalError, .tryLater, .unauthorized: headers[.cacheControl] = "no-store"
        }
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: answer.der)))
    }
}
