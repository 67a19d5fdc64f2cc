import EST
import FuzzKit

/// What a stranger can send over EST: a body, a path, a `Content-Type`, and, to a client, an answer. Each input is read
/// as all of them, since each reader turns away at once what is not its own.
@c(LLVMFuzzerTestOneInput)
package func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = unsafe FuzzInput.octets(start, count)
    BodyProperties.check(input)
    MessageProperties.check(input)
    if let body = try? Base64Body.decode(input, leniency: .pemAndDER) { MessageProperties.check(body.der) }
    LineProperties.check(input)
    return 0
}
