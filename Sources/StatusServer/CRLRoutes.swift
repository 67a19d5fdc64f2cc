import Crypto
import EST
import Enrollment
import Foundation
import HTTPTypes
import Hummingbird
import PKI
import SwiftASN1

/// CRLs over HTTP: `/crl/<issuer>.crl` lists all of an issuer's certificates, `/crl/<issuer>/<shard>.crl` those of one
/// shard; in place of its name, SHA-256 of the issuer's certificate, for who knows the certificate alone; `.delta.crl` what has changed since the list that is its base; `.pem` in place of `.crl` the same in PEM, which
/// some brokers read alone.
struct CRLRoutes {
    /// How long a list may be taken for fresh without asking again, in seconds: a revocation is to be seen at once, and
    /// asking costs little while nothing has changed.
    static let freshSeconds = 1
    /// RFC 5280 section 4.2.1.13.
    private static let type = "application/pkix-crl"
    private static let typeOfPEM = "application/x-pem-file"
    /// The label of RFC 7468 section 6.
    private static let label = "X509 CRL"
    /// Asked to wait so long if an issuer's first lists are about to be signed.
    private static let retrySeconds = 2

    let crls: PublishedCRLs
    let directory: FleetDirectory
    let now: @Sendable () -> Date

    func add(to router: Router<BasicRequestContext>) {
        // Both routes begin alike, so the name of what stands there is one.
        router.get("crl/:issuer") { request, context in
            answer(request, context.parameters.get("issuer").flatMap { CRLPath($0, issuer: nil) })
        }
        router.get("crl/:issuer/:file") { request, context in
            guard let file = context.parameters.get("file"), let issuer = context.parameters.get("issuer") else {
                return answer(request, nil)
            }
            return answer(request, CRLPath(file, issuer: issuer))
        }
    }

    private func answer(_ request: Request, _ name: CRLPath?) -> Response {
        guard let name else { return StatusFront.text("there is no such CRL\n", status: .notFound) }
        let shard = name.shard ?? CRLShards.complete
        guard
            let list = crls.list(issuer: name.issuer, shard: shard)
                ?? self.name(ofDigest: name.issuer).flatMap({ crls.list(issuer: $0, shard: shard) })
        else { return missing(name) }
        let document = name.isDelta ? list.delta : list.list
        let tag = "\"\(document.tag)\(name.isPEM ? "-pem" : "")\""
        // Never fresh beyond the list's own end.
        let fresh = max(0, min(Self.freshSeconds, Int(list.nextUpdate.timeIntervalSince(now())) - 1))
        let modified = Int64(list.thisUpdate.timeIntervalSince1970)
        let headers: HTTPFields = [
            .eTag: tag,
            .lastModified: HTTPDate.format(modified),
            .expires: HTTPDate.format(Int64(list.nextUpdate.timeIntervalSince1970)),
            .cacheControl: "public, max-age=\(fresh), must-revalidate, no-transform",
        ]
        if ConditionalGet.isKnown(
            tag,
            modified: list.hasOwnSecond ? modified : nil,
            ifNoneMatch: request.headers[values: .ifNoneMatch],
            ifModifiedSince: request.headers[.ifModifiedSince]
        ) {
            return Response(status: .notModified, headers: headers)
        }
        let bytes =
            name.isPEM
            ? Array(PEMDocument(type: Self.label, derBytes: document.der).pemString.utf8) + [0x0A] : document.der
        return Response(
            status: .ok,
            headers: headers + [.contentType: name.isPEM ? Self.typeOfPEM : Self.type],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
        )
    }

    /// The issuer whose certificate has that SHA-256, lower-case hexadecimal.
    private func name(ofDigest text: String) -> String? {
        guard text.utf8.count == 2 * SHA256.byteCount else { return nil }
        for fleet in directory.snapshot.fleets.values {
            for issuer in fleet.record.trusted where Hex.text(SHA256.hash(data: issuer.chain.der[0])) == text {
                return issuer.name
            }
        }
        return nil
    }

    private func missing(_ name: CRLPath) -> Response {
        let issuer = self.name(ofDigest: name.issuer) ?? name.issuer
        let isServed = directory.snapshot.fleets.values.contains { fleet in
            fleet.record.trusted.contains { $0.name == issuer }
        }
        let isAwaited = isServed && crls.list(issuer: issuer, shard: CRLShards.complete) == nil
        guard isAwaited else { return StatusFront.text("there is no such CRL\n", status: .notFound) }
        var response = StatusFront.text("this issuer's CRLs are not signed yet\n", status: .serviceUnavailable)
        response.headers[.retryAfter] = "\(Self.retrySeconds)"
        return response
    }
}
