/// The mark that Infineon's RSALib left on its moduli (CVE-2017-15361; Nemec et al., "The Return of Coppersmith's
/// Attack", CCS 2017, section 2): modulo each of 38 small primes they are powers of 65537. Other moduli are so for all
/// 38 at once with probability below 2^-27.
enum ROCAFingerprint {
    private static let generator: UInt = 65537
    private static let primes: [UInt] = [
        3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109,
        113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
    ]

    /// For each prime, which remainders are powers of 65537.
    private static let powers: [(prime: UInt, isPower: [Bool])] = primes.map { prime in
        var isPower = [Bool](repeating: false, count: Int(prime))
        var power: UInt = 1
        for _ in 0..<prime {
            isPower[Int(power)] = true
            power = power * generator % prime
        }
        return (prime, isPower)
    }

    /// True if `modulus` bears the mark.
    static func marks(_ modulus: borrowing BigNumber) throws(OpenSSLError) -> Bool {
        for (prime, isPower) in powers {
            guard try isPower[Int(modulus.remainder(by: prime))] else { return false }
        }
        return true
    }
}
