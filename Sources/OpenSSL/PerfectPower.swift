/// Tells whether an integer is a square, a cube or another power.
enum PerfectPower {
    /// The greatest exponent looked for: the primes of a modulus that passed trial division are above 2^16, so one of
    /// 8192 bits is no power of more than 512.
    private static let exponentMax: UInt = 512
    /// How many moduli must agree that a number may be a power before a root is drawn.
    private static let sievesMax = 8

    /// For each prime exponent k from 3 on, some primes q with k dividing q - 1, modulo which few numbers are k-th powers.
    private static let sieves: [(exponent: UInt, primes: [UInt])] =
        SmallPrimes.all.prefix { $0 <= exponentMax }.dropFirst().map { exponent in
            (exponent, Array(SmallPrimes.all.lazy.filter { $0 % exponent == 1 }.prefix(sievesMax)))
        }

    /// True if `number` is a power (exponent 2 or more) of an integer above 2^16.
    static func test(
        _ number: borrowing BigNumber,
        by arithmetic: borrowing BigArithmetic
    ) throws(OpenSSLError) -> Bool {
        if try isSquare(number, by: arithmetic) { return true }
        for (exponent, primes) in sieves {
            guard exponent <= UInt(number.bits / SmallPrimes.bits) else { break }
            guard try mayBePower(number, exponent: exponent, modulo: primes) else { continue }
            let root = try arithmetic.floorRoot(of: number, exponent: exponent)
            if try arithmetic.power(root, exponent: exponent).compared(to: number) == 0 { return true }
        }
        return false
    }

    /// True if `number` is the square of an integer.
    static func isSquare(
        _ number: borrowing BigNumber,
        by arithmetic: borrowing BigArithmetic
    ) throws(OpenSSLError) -> Bool {
        let rest = try number.remainder(by: SquareSieve.modulus)
        guard SquareSieve.passes(rest) else { return false }
        let root = try arithmetic.floorRoot(of: number, exponent: 2)
        return try arithmetic.square(root).compared(to: number) == 0
    }

    /// Euler's criterion: a k-th power, to the power of (q - 1) / k, is 0 or 1 modulo q.
    private static func mayBePower(
        _ number: borrowing BigNumber,
        exponent: UInt,
        modulo primes: [UInt]
    ) throws(OpenSSLError) -> Bool {
        for prime in primes {
            var (base, remaining, result) = (try number.remainder(by: prime), (prime - 1) / exponent, UInt(1))
            while remaining > 0 {
                if remaining & 1 == 1 { result = result * base % prime }
                base = base * base % prime
                remaining >>= 1
            }
            guard result <= 1 else { return false }
        }
        return true
    }
}

/// Squares leave few remainders modulo 64, 63, 65 and 11: fewer than one number in a hundred passes all four.
private enum SquareSieve {
    static let modulus = UInt(factors.reduce(1, *))
    private static let factors = [64, 63, 65, 11]
    private static let squares: [(factor: UInt, isSquare: [Bool])] = factors.map { factor in
        var isSquare = [Bool](repeating: false, count: factor)
        for root in 0..<factor { isSquare[root * root % factor] = true }
        return (UInt(factor), isSquare)
    }

    static func passes(_ rest: UInt) -> Bool {
        squares.allSatisfy { factor, isSquare in isSquare[Int(rest % factor)] }
    }
}
