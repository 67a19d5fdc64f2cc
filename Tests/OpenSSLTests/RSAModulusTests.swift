import OpenSSL
import TestPeers
import Testing

/// K-01: moduli that can be factored are told from sound ones.
@Suite struct RSAModulusTests {
    @Test(arguments: [
        ("roca", RSAModuli.roca, RSAWeakness.roca),
        ("close primes", RSAModuli.closePrimes, .closePrimes),
        ("close primes, found at step 50", RSAModuli.closePrimesAtStep50, .closePrimes),
        ("prime", RSAModuli.prime, .prime),
        ("square", RSAModuli.square, .perfectPower),
        ("cube", RSAModuli.cube, .perfectPower),
        ("31st power", RSAModuli.power31, .perfectPower),
        ("factor 65521", RSAModuli.smallFactor, .smallFactor),
    ])
    func `K-01: each weakness is named`(fault: String, modulus: [UInt8], weakness: RSAWeakness) {
        #expect(RSAModulus.weakness(of: modulus) == weakness, "\(fault)")
        #expect(RSAModulus.weakness(of: [0, 0] + modulus) == weakness, "\(fault), with zeros before it")
    }

    @Test func `K-01: an even modulus is named so`() throws {
        var modulus = RSAModuli.primesBeyondStep100
        modulus[modulus.count - 1] &= 0xFE
        #expect(RSAModulus.weakness(of: modulus) == .even)
    }

    @Test func `K-01: what lies just beyond the bounds of the checks passes them`() {
        #expect(RSAModulus.weakness(of: RSAModuli.primesBeyondStep100) == nil)
        #expect(RSAModulus.weakness(of: RSAModuli.factorAbove16Bits) == nil)
    }

    @Test func `K-01: a modulus of zero, a tiny one and one beyond 8192 bits are never sound`() {
        #expect(RSAModulus.weakness(of: []) == .unchecked)
        #expect(RSAModulus.weakness(of: [0, 0]) == .unchecked)
        #expect(RSAModulus.weakness(of: [1]) == .smallFactor)
        #expect(RSAModulus.weakness(of: [15]) == .smallFactor)
        #expect(RSAModulus.weakness(of: [UInt8](repeating: 0xFF, count: 1025)) == .unchecked)
    }

    @Test(arguments: [2048, 3072, 4096])
    func `moduli that openssl makes are sound`(bits: Int) async throws {
        let pem = try await OpenSSLProgram.run(["genrsa", "\(bits)"])
        let shown = try await OpenSSLProgram.run(["rsa", "-noout", "-modulus"], input: pem)
        let text = try #require(String(decoding: shown, as: UTF8.self).split(separator: "=").last)
        let modulus = RSAModuli.hexadecimal(String(text))
        #expect(modulus.count == bits / 8)
        #expect(RSAModulus.weakness(of: modulus) == nil)
    }

    @Test
    func `K-01: the checks of one modulus of 2048 bits take milliseconds, so that strangers cannot buy much time`()
        throws
    {
        let clock = ContinuousClock()
        let checks = 20
        _ = RSAModulus.weakness(of: RSAModuli.primesBeyondStep100)
        let best = (0..<checks).map { _ in
            clock.measure { #expect(RSAModulus.weakness(of: RSAModuli.primesBeyondStep100) == nil) }
        }.min()
        // The aim is 3 ms on a quiet machine with optimisation; tests run without either, and beside others.
        #expect(try #require(best) < .milliseconds(300))
    }
}
