import FuzzKit

/// What a stranger says to the public front. The first octet says what the rest is: the path of an OCSP request, an OCSP
/// request to be sent by GET, the path of a CRL, or the fields of a conditional request, a line each and the date first.
@c(LLVMFuzzerTestOneInput)
package func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = unsafe FuzzInput.octets(start, count)
    guard let choice = input.first else { return 0 }
    let rest = Array(input.dropFirst())
    switch choice & 3 {
    case 0: PublicFrontProperties.checkOCSPPath(String(decoding: rest, as: UTF8.self))
    case 1: PublicFrontProperties.checkOCSPRequest(rest)
    case 2: PublicFrontProperties.checkCRLPath(String(decoding: rest, as: UTF8.self))
    default: PublicFrontProperties.checkCondition(String(decoding: rest, as: UTF8.self))
    }
    return 0
}
