/// What is wrong with an RSA modulus (K-01).
package enum RSAWeakness: Sendable, Hashable {
    case even
    /// A prime below 2^16 divides it.
    case smallFactor
    /// It is a prime, not a product of two (or a pseudoprime to base 2, as no product of two random primes is).
    case prime
    case perfectPower
    /// It has the fingerprint of Infineon's faulty generator (CVE-2017-15361): it can be factored.
    case roca
    /// Its primes are so close together that Fermat's method finds them.
    case closePrimes
    /// It could not be checked: it is 0 or has more than `RSAModulus.bitsMax` bits, or memory ran out. Never to be
    /// taken for sound.
    case unchecked
}

/// Tells RSA moduli that are known to be breakable. All values are public; the checks take about 2 ms for 2048 bits.
package enum RSAModulus {
    /// The most bits that are checked: the cost rises with the cube of them.
    package static let bitsMax = 8192
    /// Steps of Fermat's method (K-01).
    private static let fermatSteps = 100

    /// The first weakness found, or nil if there is none.
    /// - Parameter modulusBigEndian: The modulus, most significant octet first; zeros before it do not matter.
    package static func weakness(of modulusBigEndian: [UInt8]) -> RSAWeakness? {
        let significant = Array(modulusBigEndian.drop { $0 == 0 })
        guard !significant.isEmpty, significant.count * 8 <= bitsMax else { return .unchecked }
        do throws(OpenSSLError) {
            return try weakness(of: BigNumber(bigEndian: significant), by: BigArithmetic())
        } catch {
            return .unchecked
        }
    }

    /// The cheap checks come first, the primality test last. Each relies on those before it.
    private static func weakness(
        of modulus: borrowing BigNumber,
        by arithmetic: borrowing BigArithmetic
    ) throws(OpenSSLError) -> RSAWeakness? {
        guard modulus.isOdd else { return .even }
        guard try !hasSmallFactor(modulus, by: arithmetic) else { return .smallFactor }
        guard try !ROCAFingerprint.marks(modulus) else { return .roca }
        guard try !PerfectPower.test(modulus, by: arithmetic) else { return .perfectPower }
        guard try !hasClosePrimes(modulus, by: arithmetic) else { return .closePrimes }
        guard try !isPrime(modulus, by: arithmetic) else { return .prime }
        return nil
    }

    /// Trial division by every prime below 2^16 at once: the modulus shares a factor with their product or not.
    private static func hasSmallFactor(
        _ modulus: borrowing BigNumber,
        by arithmetic: borrowing BigArithmetic
    ) throws(OpenSSLError) -> Bool {
        guard modulus.bits > SmallPrimes.bits else { return true }
        let product = try BigNumber(bigEndian: SmallPrimes.oddProduct)
        let rest = try arithmetic.remainder(of: product, by: modulus)
        return try !arithmetic.greatestCommonDivisor(modulus, rest).isOne
    }

    /// Fermat's method: n = a^2 - b^2 for some a just above the square root of n, where n's primes are a + b and a - b.
    private static func hasClosePrimes(
        _ modulus: borrowing BigNumber,
        by arithmetic: borrowing BigArithmetic
    ) throws(OpenSSLError) -> Bool {
        var a = try arithmetic.floorRoot(of: modulus, exponent: 2)
        try a.add(1)
        var difference = try arithmetic.square(a)
        try difference.subtract(modulus)
        for _ in 0..<fermatSteps {
            if try PerfectPower.isSquare(difference, by: arithmetic) { return true }
            // (a + 1)^2 - n = (a^2 - n) + 2a + 1
            try difference.add(a)
            try difference.add(a)
            try difference.add(1)
            try a.add(1)
        }
        return false
    }

    /// Fermat's little theorem to base 2: no prime fails it. That a product of two random primes of 1024 bits passes is
    /// less likely than 2^-900, so what passes is refused without libcrypto's own test, whose 64 rounds or more a
    /// stranger could make us pay for.
    private static func isPrime(
        _ modulus: borrowing BigNumber,
        by arithmetic: borrowing BigArithmetic
    ) throws(OpenSSLError) -> Bool {
        var exponent = try modulus.copy()
        try exponent.subtract(BigNumber(1))
        return try arithmetic.power(2, exponent: exponent, modulus: modulus).isOne
    }
}
