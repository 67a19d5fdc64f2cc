import Crypto
import EST
import Enrollment
import HTTPTypes
import Hummingbird
import PKI

/// Trust stores over HTTP: `/truststore/<fleet>.cms`, the message that the broker retains, for who has no broker. It is
/// signed, so plain HTTP takes nothing from it.
struct TrustStoreRoutes {
    /// RFC 7193 section 3.1.
    private static let type = "application/cms"
    private static let suffix = ".cms"

    let directory: FleetDirectory

    func add(to router: Router<BasicRequestContext>) {
        router.get("truststore/:file") { request, context in
            guard let file = context.parameters.get("file"), file.hasSuffix(Self.suffix),
                let name = FleetName(String(file.dropLast(Self.suffix.count))),
                let message = directory.snapshot.fleets[name]?.record.trustStore
            else { return StatusFront.text("there is no such trust store\n", status: .notFound) }
            let tag = "\"\(Hex.text(SHA256.hash(data: message)))\""
            let headers: HTTPFields = [.eTag: tag, .cacheControl: "public, max-age=1, must-revalidate, no-transform"]
            if EntityTag.isNamed(tag, in: request.headers[values: .ifNoneMatch]) {
                return Response(status: .notModified, headers: headers)
            }
            return Response(
                status: .ok,
                headers: headers + [.contentType: Self.type],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: message))
            )
        }
    }
}
