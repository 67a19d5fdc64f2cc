import FuzzFleet
import FuzzKit
import SwiftASN1
import X509

/// How a device is told by its certificate. DER is read as a certificate; anything else in parts: names that are put
/// into a certificate which one of the fleet's CAs signs, or a pattern and a URI.
@c(LLVMFuzzerTestOneInput)
package func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    Property.check(IdentityProperties.isOpen, "nothing is identified")
    let input = unsafe FuzzInput.octets(start, count)
    guard let parts = FuzzInput.Parts(input) else {
        if let certificate = try? Certificate(derEncoded: input) {
            IdentityProperties.checkRules(certificate)
            IdentityProperties.checkJudgement(certificate, der: input, sent: .byAnyone)
        }
        return 0
    }
    let anchors = FuzzFleet.shared.anchors
    let choice = Int(parts.choices & 0x07)
    if choice > anchors.count {
        PatternProperties.check(pattern: parts.first, uri: parts.second)
        return 0
    }
    let extensions = parts.choices & 0x08 == 0 ? FuzzDER.alternativeNames(parts.second) : parts.second
    let authority = choice == anchors.count ? FuzzFleet.shared.issuing : anchors[choice]
    let der = Property.given("signing a certificate") {
        try authority.certificate(subject: parts.first, extensions: extensions)
    }
    guard let certificate = try? Certificate(derEncoded: der) else { return 0 }
    IdentityProperties.checkRules(certificate)
    IdentityProperties.checkJudgement(
        certificate,
        der: der,
        sent: choice == anchors.count ? .byIssuer : .byAnchor(choice),
        request: try? FuzzRequest.der(subject: parts.first)
    )
    return 0
}
