import EST
import Testing

/// The names of CRLs in URLs.
@Suite struct CRLPathTests {
    @Test func `issuer, shard, delta and form are in the path`() throws {
        let all = try #require(CRLPath("dev.crl", issuer: nil))
        #expect(all.issuer == "dev" && all.shard == nil && !all.isDelta && !all.isPEM)
        let delta = try #require(CRLPath("17.delta.pem", issuer: "dev"))
        #expect(delta.issuer == "dev" && delta.shard == 17 && delta.isDelta && delta.isPEM)
    }

    @Test(arguments: [
        "0.crl", "01.crl", "+1.crl", "-1.crl", "1.CRL", "1.crl.crl", "1", ".crl", "1.delta", "99999999999999999999.crl",
        "\u{661}.crl", "1 .crl",
    ])
    func `there is one way to write the name of a shard's list`(file: String) {
        #expect(CRLPath(file, issuer: "dev") == nil)
    }
}
