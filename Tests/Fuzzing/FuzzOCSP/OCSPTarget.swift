import FuzzKit
import PKI

/// A request to the OCSP responder, DER.
@c(LLVMFuzzerTestOneInput)
package func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = unsafe FuzzInput.octets(start, count)
    let request: OCSPRequest
    do throws(OCSPRequestDefect) {
        request = try OCSPRequest(der: input)
    } catch {
        // An object identifier is the only thing of the sender's in a reason.
        Property.checkLine(error.description)
        return 0
    }
    OCSPProperties.checkRequest(request, der: input)
    OCSPProperties.checkAnswer(to: request)
    return 0
}
