import Enrollment
import Foundation
import OperatorAPI
import PKI
import SwiftASN1
import X509

/// Issuers and trust stores.
extension OperatorOperations {
    func listIssuers(_ call: OperatorCall) async throws -> OperatorAnswer {
        try ListingPage(try await record.trust.issuers(), of: call, by: \.name)
            .answer(issuer) { ListingCursor(call, text: $0.name) }
    }

    func getIssuer(_ call: OperatorCall) async throws -> OperatorAnswer {
        let name = try call.issuer()
        guard let entry = try await record.trust.issuers().first(where: { $0.name == name }) else {
            throw API.Problem.notFound("issuer-unknown", "there is no issuer \(name)")
        }
        return try .json(issuer(entry))
    }

    func getTrustStore(_ call: OperatorCall) async throws -> OperatorAnswer {
        let name = try call.fleetName()
        guard let entry = try await record.trust.trustStore(of: fleet(call)) else {
            throw API.Problem.notFound("trust-store-unknown", "the fleet \(name) has no trust store yet")
        }
        return try .json(API.TrustStore(entry, fleet: name))
    }

    func publishTrustStore(_ call: OperatorCall) async throws -> OperatorAnswer {
        let name = try call.fleetName()
        let version = try await record.administration.publishTrustStore(of: name, actor: call.actor)
        // A newer one may be there already; what is answered is what this call made.
        let present = try await record.trust.trustStore(of: fleet(call))
        let isPresent = present?.version.version == version.version
        return try .json(
            API.TrustStore(
                TrustStoreEntry(
                    version: version,
                    publishedAt: isPresent ? present?.publishedAt : nil,
                    holders: present?.holders ?? []
                ),
                fleet: name
            )
        )
    }

    private func issuer(_ entry: IssuerEntry) throws -> API.Issuer {
        guard let first = entry.chain.first else {
            throw RecordError.broken("the issuer \(entry.name) has no certificate")
        }
        let certificate = try Certificate(derEncoded: first)
        return API.Issuer(
            name: entry.name,
            subject: "\(certificate.subject)",
            notAfter: certificate.notValidAfter,
            fleets: entry.fleets,
            chain: entry.chain.map(Self.pem).joined(),
            canSign: issuers.contains { $0.chain.der[0] == first }
        )
    }
}

extension API.TrustStore {
    init(_ entry: TrustStoreEntry, fleet: FleetName) {
        let version = entry.version
        self.init(
            fleet: fleet.text,
            version: version.version,
            issuedAt: version.issuedAt,
            expiresAt: version.expiresAt,
            publishedAt: entry.publishedAt,
            sha256: Hex.text(version.messageSHA256),
            message: Data(version.message).base64EncodedString(),
            pem: version.certificates.map(OperatorOperations.pem).joined(),
            holders: entry.holders.map { Holders(version: $0.version, devices: $0.devices) }
        )
    }
}
