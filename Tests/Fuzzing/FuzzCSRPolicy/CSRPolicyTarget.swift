import FuzzFleet
import FuzzKit

/// What a device asks for: a PKCS#10 request. DER is read as it is; anything else in parts, a subject and what is asked
/// for, that are put into a request and signed, so that the rules behind the signature are met too.
@c(LLVMFuzzerTestOneInput)
package func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    Property.check(NameProperties.isOpen, "no request is let through")
    let input = unsafe FuzzInput.octets(start, count)
    guard let parts = FuzzInput.Parts(input) else {
        RequestProperties.check(input)
        return 0
    }
    let attributes =
        switch parts.choices & 0x03 {
        case 0: parts.second
        case 1: FuzzRequest.extensionRequest(parts.second)
        case 2: FuzzRequest.extensionRequest(FuzzDER.alternativeNames(parts.second))
        default: [UInt8]()
        }
    RequestProperties.check(
        Property.given("signing a request") { try FuzzRequest.der(subject: parts.first, attributes: attributes) }
    )
    return 0
}
