import Crypto
import Foundation
package import PKI
package import X509

/// The certificate chain that a client proved to hold in TLS, leaf first, unjudged. Like the identities below a class, since
/// it holds whole certificates and is handed from step to step.
package final class PresentedChain: Sendable {
    package let leaf: Certificate
    /// SHA-256 of the leaf's DER.
    package let leafSHA256: [UInt8]
    package let intermediates: [Certificate]
    let leafKeySHA256: [UInt8]?
    let memo = ChainMemo()

    package init(leaf: Certificate, leafDER: [UInt8], intermediates: [Certificate]) {
        self.leaf = leaf
        leafSHA256 = [UInt8](SHA256.hash(data: leafDER))
        self.intermediates = intermediates
        leafKeySHA256 = try? PublicKeyInfo.sha256(of: leaf.publicKey, in: leafDER)
    }
}

/// What the TLS handshake left of the client.
package enum PresentedClient: Sendable {
    /// It showed no certificate.
    case anonymous
    case chain(PresentedChain)
    /// It showed a certificate that cannot be parsed.
    case unreadable
}

/// Who is at the other end, as far as its certificate says.
package enum ClientIdentity: Sendable {
    /// A bootstrap credential of one of the fleet's anchors.
    case bootstrap(BootstrapIdentity)
    /// A certificate that one of the fleet's issuers signed.
    case operational(OperationalIdentity)
}

/// The holder of a bootstrap credential.
package final class BootstrapIdentity: Sendable {
    package let anchor: BootstrapAnchor
    package let subject: DistinguishedName
    package let alternativeNames: CredentialNames
    package let credentialSHA256: [UInt8]
    /// SHA-256 of the credential's public key.
    package let publicKeySHA256: [UInt8]

    package init(
        anchor: BootstrapAnchor,
        subject: DistinguishedName,
        alternativeNames: CredentialNames = CredentialNames([]),
        credentialSHA256: [UInt8],
        publicKeySHA256: [UInt8]
    ) {
        self.anchor = anchor
        self.subject = subject
        self.alternativeNames = alternativeNames
        self.credentialSHA256 = credentialSHA256
        self.publicKeySHA256 = publicKeySHA256
    }
}

/// The holder of an operational certificate.
package final class OperationalIdentity: Sendable {
    package let device: DeviceID
    package let certificate: Certificate
    package let serialNumber: [UInt8]
    package let credentialSHA256: [UInt8]

    package init(device: DeviceID, certificate: Certificate, serialNumber: [UInt8], credentialSHA256: [UInt8]) {
        self.device = device
        self.certificate = certificate
        self.serialNumber = serialNumber
        self.credentialSHA256 = credentialSHA256
    }
}

extension ClientIdentity {
    /// Judges `chain` against the fleet's two sets of anchors, at each request anew: anchors and clocks move on while
    /// connections stay open (TLS-10, TLS-12).
    static func identify(_ client: PresentedClient, fleet: Fleet, now: Date) async -> Result<ClientIdentity, Refusal> {
        let chain: PresentedChain
        switch client {
        case .chain(let presented): chain = presented
        case .unreadable:
            return .failure(Refusal(.certificateNotValid, "the client certificate cannot be read"))
        case .anonymous:
            return .failure(
                Refusal(
                    .clientCertificateRequired,
                    "connect with the device's bootstrap certificate, or to renew, with its operational certificate"
                )
            )
        }
        // An issuer of the fleet signs nothing but operational certificates, so the name alone says where to look.
        if fleet.record.trusted.contains(where: { $0.chain.issuing.subject == chain.leaf.issuer }) {
            return await operational(chain, fleet: fleet, now: now)
        }
        let judgement = await fleet.bootstrapAnchors.judge(
            leaf: chain.leaf,
            intermediates: chain.intermediates,
            now: now,
            memo: chain.memo
        )
        switch judgement {
        case .trusted(let root):
            // A comparison of octets, where one of certificates would encode both keys anew.
            let anchors = fleet.record.anchors
            guard let anchor = anchors.first(where: { $0.certificate.tbsCertificateBytes == root.tbsCertificateBytes }),
                let key = chain.leafKeySHA256
            else { return .failure(notTrusted(fleet)) }
            return .success(
                .bootstrap(
                    BootstrapIdentity(
                        anchor: anchor,
                        subject: chain.leaf.subject,
                        alternativeNames: CredentialNames(chain.leaf),
                        credentialSHA256: chain.leafSHA256,
                        publicKeySHA256: key
                    )
                )
            )
        case .refused(let why): return .failure(Refusal(.certificateNotValid, "the client certificate: \(why)"))
        case .unknown: return .failure(notTrusted(fleet))
        }
    }

    private static func operational(
        _ chain: PresentedChain,
        fleet: Fleet,
        now: Date
    ) async -> Result<ClientIdentity, Refusal> {
        switch await fleet.operationalAnchors.judge(leaf: chain.leaf, intermediates: [], now: now, memo: chain.memo) {
        case .trusted:
            let suffix = "@\(fleet.name)"
            guard let name = chain.leaf.subject.commonName, name.hasSuffix(suffix),
                let device = DeviceID(String(name.dropLast(suffix.count)))
            else {
                return .failure(
                    Refusal(.certificateNotTrusted, "the operational certificate is not of the fleet \(fleet.name)")
                )
            }
            return .success(
                .operational(
                    OperationalIdentity(
                        device: device,
                        certificate: chain.leaf,
                        serialNumber: Array(chain.leaf.serialNumber.bytes),
                        credentialSHA256: chain.leafSHA256
                    )
                )
            )
        case .refused(let why):
            return .failure(Refusal(.certificateNotValid, "the operational certificate: \(why)"))
        case .unknown: return .failure(notTrusted(fleet))
        }
    }

    private static func notTrusted(_ fleet: Fleet) -> Refusal {
        Refusal(
            .certificateNotTrusted,
            "the client certificate chains to none of the CAs that the fleet \(fleet.name) accepts"
        )
    }
}

extension BootstrapIdentity {
    /// The DeviceID by the anchor's rule. A `:` in an IDevID's names becomes `-`, as in MAC addresses.
    func device(_ request: VerifiedRequest, fleet: FleetName) -> Result<DeviceID, Refusal> {
        switch anchor.rule {
        case .subjectSerialNumber:
            return Self.parse(
                subject.serialNumberAttribute.map(Self.normalized),
                from: "the IDevID's serialNumber",
                missing: "the IDevID's subject has no (single) serialNumber to be the DeviceID"
            )
        case .subjectCommonName:
            return Self.parse(
                subject.commonName.map(Self.normalized),
                from: "the IDevID's common name",
                missing: "the IDevID's subject has no (single) common name to be the DeviceID"
            )
        case .hardwareModuleName:
            return Self.parse(
                Self.only(alternativeNames.hardwareSerialNumbers).map(Self.normalized),
                from: "the IDevID's hardware serial number",
                missing: "the IDevID has no (single) hardwareModuleName to be the DeviceID"
            )
        case .subjectAltNameURI(let pattern):
            return Self.parse(
                Self.only(alternativeNames.uris.compactMap(pattern.match)).map(Self.normalized),
                from: "the IDevID's URI",
                missing: "the IDevID has no (single) alternative name of the form \(pattern)"
            )
        case .requestCommonName:
            let suffix = "@\(fleet)"
            return Self.parse(
                request.subject.commonName.map { $0.hasSuffix(suffix) ? String($0.dropLast(suffix.count)) : $0 },
                from: "the request's common name",
                missing: "with a claim certificate the request's subject must have one common name: the DeviceID"
            )
        }
    }

    private static func normalized(_ text: String) -> String {
        // Most have none, and looking at octets is far cheaper than the search of `replacing`.
        text.utf8.contains(UInt8(ascii: ":")) ? text.replacing(":", with: "-") : text
    }

    private static func only(_ found: [String]) -> String? { found.count == 1 ? found[0] : nil }

    private static func parse(_ text: String?, from source: String, missing: String) -> Result<DeviceID, Refusal> {
        guard let text else { return .failure(Refusal(.deviceIDMissing, missing)) }
        guard let device = DeviceID(text) else {
            return .failure(
                Refusal(.deviceIDMissing, "\(source) is no DeviceID: 1 to 40 of A-Z a-z 0-9 . _ - are accepted")
            )
        }
        return .success(device)
    }
}
