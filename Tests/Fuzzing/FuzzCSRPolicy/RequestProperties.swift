import Crypto
import Enrollment
import FuzzKit
import PKI
import SwiftASN1
import X509

/// What reading and verifying a request promises.
enum RequestProperties {
    private static let standard = KeyPolicy()
    private static let narrow = KeyPolicy(families: [.p256])
    private static let longRSA = KeyPolicy(families: [.rsa], rsaBitsMin: 3072)

    static func check(_ der: [UInt8]) {
        guard let request = verified(der, standard) else {
            Property.check(verified(der, narrow) == nil, "a narrower policy takes more")
            return
        }
        Property.check(der.count <= UnverifiedRequest.octetsMax, "a request over the bound was read")
        Property.check(request.names.count <= UnverifiedRequest.itemsMax, "\(request.names.count) names")
        Property.check(request.subject.count <= UnverifiedRequest.itemsMax, "\(request.subject.count) relative names")
        checkKey(request)
        checkPolicies(der, request.publicKeyFacts.kind)
        checkStrictness(der)
        NameProperties.check(request, der: der)
    }

    /// The request, if it is read and its signature verifies.
    private static func verified(_ der: [UInt8], _ policy: KeyPolicy) -> VerifiedRequest? {
        do throws(RequestDefect) {
            return try UnverifiedRequest(der: der).verified(policy)
        } catch {
            Property.checkReason(error.description)
            let refusal = Refusal(.requestUnreadable, error.description)
            Property.check(refusal.detail == error.description, "a reason does not fit the record: \(error)")
            return nil
        }
    }

    /// The key that is certified is the key that is recorded, by its DER too.
    private static func checkKey(_ request: VerifiedRequest) {
        let info = Property.given("encoding the key") { try PublicKeyInfo.der(of: request.publicKey) }
        let again = Property.given("reading the key again") { try Certificate.PublicKey(derEncoded: info) }
        Property.check(again == request.publicKey, "the key's DER is another key's")
        Property.check(PublicKeyFacts(again) == request.publicKeyFacts, "the key's facts differ")
        Property.check(request.publicKeySHA256 == [UInt8](SHA256.hash(data: info)), "the key's name differs")
        Property.check(
            PublicKeyInfo.subjectKeyIdentifier(of: again) == request.publicKeyFacts.subjectKeyIdentifier,
            "the subject key identifier differs"
        )
    }

    /// A policy takes the kinds that it names and no others.
    private static func checkPolicies(_ der: [UInt8], _ kind: PublicKeyKind) {
        let isP256 = kind == .p256
        var isLongRSA = false
        if case .rsa(let bits) = kind {
            Property.check((KeyPolicy.rsaBitsFloor...KeyPolicy.rsaBitsCeiling).contains(bits), "RSA of \(bits) bits")
            isLongRSA = bits >= 3072
        }
        Property.check((verified(der, narrow) != nil) == isP256, "\(kind) under a policy for P-256")
        Property.check((verified(der, longRSA) != nil) == isLongRSA, "\(kind) under a policy for long RSA keys")
    }

    /// Nothing may be added, cut off or changed: the signature covers all of what is signed (RFC 2986 section 4.2).
    private static func checkStrictness(_ der: [UInt8]) {
        Property.check(verified(der + [0], standard) == nil, "an octet after the request is passed over")
        Property.check(verified(Array(der.dropLast()), standard) == nil, "a request that is cut off is read")
        guard let info = FuzzDER.firstMember(of: der) else { return }
        // One place for each input, spread over all of it.
        let place = info.lowerBound + der.reduce(into: 7) { $0 = ($0 &* 31 &+ Int($1)) & 0xFFFF } % info.count
        var changed = der
        changed[place] ^= 1 << UInt8(truncatingIfNeeded: place % 8)
        Property.check(verified(changed, standard) == nil, "octet \(place) can be changed under the signature")
    }
}
