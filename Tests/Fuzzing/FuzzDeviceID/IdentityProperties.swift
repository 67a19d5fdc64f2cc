import FuzzFleet
import FuzzKit
import PKI
import SwiftASN1
import X509

@testable import Enrollment

/// What `ClientIdentity` and `BootstrapIdentity` promise of a certificate.
enum IdentityProperties {
    /// Who signed a certificate.
    enum Signer: Equatable {
        case byAnyone
        /// An anchor, by its place in ``FuzzFleet/anchors``.
        case byAnchor(Int)
        case byIssuer
    }

    private static let alphabet = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-".utf8)
    /// A request that says nothing.
    private static let silent = Property.given("verifying a request") {
        try UnverifiedRequest(der: FuzzRequest.der(subject: [])).verified(KeyPolicy())
    }

    /// That the way to a DeviceID is open at all: of a sound certificate by each CA, the fleet's device follows.
    /// Otherwise nothing behind a refusal would be tried, and nobody would know.
    static let isOpen = Property.given("identifying sound certificates") {
        let fleet = FuzzFleet.shared
        let bare = Array(FuzzFleet.deviceText.utf8)
        let name = Array("\(FuzzFleet.deviceText)@\(fleet.fleet.name)".utf8)
        let uri = Array(FuzzFleet.pattern.replacing("{id}", with: FuzzFleet.deviceText).utf8)
        let module = FuzzDER.node(
            FuzzDER.sequence,
            [0x06, 0x03, 0x2A, 0x03, 0x04],
            FuzzDER.node(FuzzDER.octetString, bare)
        )
        let names =
            FuzzDER.node(0x86, uri) + FuzzDER.node(0xA0, FuzzDER.hardwareModuleName, FuzzDER.node(0xA0, module))
        for (index, authority) in (fleet.anchors + [fleet.issuing]).enumerated() {
            let common = index < 4 ? bare : name
            let subject = FuzzDER.relativeName(0x05, bare) + FuzzDER.relativeName(0x03, common)
            let der = try authority.certificate(subject: subject, extensions: FuzzDER.alternativeNames(names))
            let request = try UnverifiedRequest(der: FuzzRequest.der(subject: subject)).verified(KeyPolicy())
            let device = try device(Certificate(derEncoded: der), der: der, request: request)
            Property.check(device?.text == FuzzFleet.deviceText, "the CA \(index) leads to no device")
        }
        return true
    }

    private static func device(_ certificate: Certificate, der: [UInt8], request: VerifiedRequest) -> DeviceID? {
        switch identified(certificate, der: der) {
        case .failure: nil
        case .success(.operational(let identity)): identity.device
        case .success(.bootstrap(let identity)):
            try? identity.device(request, fleet: FuzzFleet.shared.fleet.name).get()
        }
    }

    private static func identified(_ certificate: Certificate, der: [UInt8]) -> Result<ClientIdentity, Refusal> {
        let chain = PresentedChain(leaf: certificate, leafDER: der, intermediates: [])
        return Blocking.value {
            await ClientIdentity.identify(.chain(chain), fleet: FuzzFleet.shared.fleet, now: FuzzFleet.now)
        }
    }

    /// Every rule over what the certificate says, whoever signed it.
    static func checkRules(_ certificate: Certificate) {
        for anchor in FuzzFleet.shared.fleet.record.anchors {
            let identity = BootstrapIdentity(
                anchor: anchor,
                subject: certificate.subject,
                alternativeNames: CredentialNames(certificate),
                credentialSHA256: [],
                publicKeySHA256: []
            )
            checkDevice(identity, request: silent)
        }
    }

    /// The whole way from the handshake to the DeviceID.
    static func checkJudgement(_ certificate: Certificate, der: [UInt8], sent: Signer, request: [UInt8]? = nil) {
        let fleet = FuzzFleet.shared.fleet
        switch identified(certificate, der: der) {
        case .failure(let refusal):
            Property.checkLine(refusal.detail)
        case .success(.bootstrap(let identity)):
            Property.check(sent == .byAnchor(Int(identity.anchor.id.value) - 1), "trusted by \(identity.anchor.name)")
            let verified = request.flatMap { try? UnverifiedRequest(der: $0).verified(KeyPolicy()) }
            checkDevice(identity, request: verified ?? silent)
        case .success(.operational(let identity)):
            Property.check(sent == .byIssuer, "trusted as operational")
            checkGrammar(identity.device)
            let name = "\(identity.device)@\(fleet.name)"
            Property.check(
                certificate.subject.commonName?.utf8.elementsEqual(name.utf8) == true,
                "\(name) is not the certificate's common name"
            )
        }
    }

    private static func checkDevice(_ identity: BootstrapIdentity, request: VerifiedRequest) {
        let fleet = FuzzFleet.shared.fleet.name
        switch identity.device(request, fleet: fleet) {
        case .failure(let refusal):
            Property.checkLine(refusal.detail)
            Property.check(refusal.reason == .deviceIDMissing, "refused as \(refusal.reason.rawValue)")
        case .success(let device):
            checkGrammar(device)
            let sources = sources(identity, request).filter { text in
                let octets = text.utf8.map { $0 == UInt8(ascii: ":") && !identity.anchor.rule.isClaim ? 0x2D : $0 }
                return octets.elementsEqual(device.text.utf8)
                    || identity.anchor.rule.isClaim && octets.elementsEqual("\(device)@\(fleet)".utf8)
            }
            Property.check(sources.count == 1, "\(device) is not what the certificate says, once")
        }
    }

    /// The texts that the anchor's rule speaks of.
    private static func sources(_ identity: BootstrapIdentity, _ request: VerifiedRequest) -> [String] {
        switch identity.anchor.rule {
        case .subjectSerialNumber: return identity.subject.serialNumberAttribute.map { [$0] } ?? []
        case .subjectCommonName: return identity.subject.commonName.map { [$0] } ?? []
        case .hardwareModuleName: return identity.alternativeNames.hardwareSerialNumbers
        case .subjectAltNameURI(let pattern):
            let ends = pattern.text.utf8.split(separator: UInt8(ascii: "{"))
            let suffix = pattern.text.utf8.split(separator: UInt8(ascii: "}"))
            guard let start = ends.first, let end = suffix.last else { return [] }
            return identity.alternativeNames.uris.compactMap { uri in
                let octets = Array(uri.utf8)
                guard octets.starts(with: start), octets.count >= start.count + end.count,
                    octets.suffix(end.count).elementsEqual(end)
                else { return nil }
                return String(decoding: octets.dropFirst(start.count).dropLast(end.count), as: UTF8.self)
            }
        case .requestCommonName: return request.subject.commonName.map { [$0] } ?? []
        }
    }

    /// DeviceID's grammar, spelled out once more.
    private static func checkGrammar(_ device: DeviceID) {
        let octets = Array(device.text.utf8)
        Property.check((1...40).contains(octets.count), "a DeviceID of \(octets.count) octets")
        Property.check(octets.allSatisfy(alphabet.contains), "a DeviceID with other characters: \(octets)")
        Property.check(device.text != "." && device.text != "..", "a DeviceID that climbs")
    }
}
