/// The primes below 2^16, sieved once.
enum SmallPrimes {
    static let bits = 16
    private static let limit = 1 << bits

    /// All of them, rising from 2.
    static let all: [UInt] = {
        var isComposite = [Bool](repeating: false, count: limit)
        var primes: [UInt] = []
        for candidate in 2..<limit where !isComposite[candidate] {
            primes.append(UInt(candidate))
            for multiple in stride(from: candidate * candidate, to: limit, by: candidate) {
                isComposite[multiple] = true
            }
        }
        return primes
    }()

    /// The product of all but 2, most significant octet first: about 94,000 bits. Empty, which lets no modulus pass, if
    /// memory ran out.
    static let oddProduct: [UInt8] = {
        do throws(OpenSSLError) {
            var product = try BigNumber(1)
            for prime in all.dropFirst() { try product.multiply(by: prime) }
            return product.bigEndian
        } catch {
            return []
        }
    }()
}
